"""A bought place follows the child, and purchases fall slowly: plans worked out by hand."""

from __future__ import annotations

import pytest
from bought_cities import one_grade, two_areas, two_grades
from tiny_cases import limit, school
from tiny_cases import town as tiny_town

import capsim


def bought(plan: capsim.Plan) -> list[float]:
    """Places bought by the end of 2022 and of 2023."""
    rows = plan.tables["schools"].query("school == 'V'")
    return rows.sort_values("school_year")["purchased_december"].tolist()


def test_bought_children_go_on_as_bought() -> None:
    """45 are bought: the 30 of grade 8, and 15 of grade 7, who are in grade 8 a year later."""
    rule = {"contract_years": 1}
    assert bought(capsim.optimize(two_grades(**rule))) == pytest.approx([45.0, 0.0], abs=1e-6)
    plan = capsim.optimize(two_grades(**rule, purchase_follows_child=True))
    assert bought(plan) == pytest.approx([45.0, 15.0], abs=1e-6)
    september, december = 8 / 12 * 45 * 1000, 15 * 1000
    assert plan.objective_cny == pytest.approx(september + december)


def test_a_switch_turns_it_off() -> None:
    rule = {"contract_years": 1, "purchase_follows_child": True}
    plan = capsim.optimize(two_grades(**rule).variant({"switches.following": False}))
    assert bought(plan) == pytest.approx([45.0, 0.0], abs=1e-6)


@pytest.mark.slow
def test_a_running_contract_falls_slowly() -> None:
    """Of 45 places at least 60 % are bought in the second year of a contract of two."""
    rule = {"contract_years": 2}
    assert bought(capsim.optimize(two_grades(**rule))) == pytest.approx([45.0, 0.0], abs=1e-6)
    plan = capsim.optimize(two_grades(**rule, contract_fall_share=0.4))
    assert bought(plan) == pytest.approx([45.0, 27.0], abs=1e-6)
    ended = capsim.optimize(two_grades(contract_years=1, contract_fall_share=0.4))
    assert bought(ended) == pytest.approx([45.0, 0.0], abs=1e-6)


def test_whoever_was_bought_leaves_when_the_contract_ends() -> None:
    """With room for 15 more at P the contract ends: the 15 go there, and nobody pays instead."""
    city = two_grades(contract_years=1, purchase_follows_child=True)
    schools = city.table("schools")
    schools.loc[schools["school"] == "P", "places"] = 75.0
    dear = city.variant({"costs.displacement_cny": 100.0}, tables={"schools": schools})
    plan = capsim.optimize(dear)
    # 30 bought in 2022, 15 of grade 7 at P; the other 15 of grade 7 pay, none of grade 8 later.
    grades = plan.tables["enrolment"].query("school == 'V' and school_year == 2023")
    assert bought(plan)[1] == pytest.approx(0.0, abs=1e-6)
    assert grades.set_index("grade")["pupils"]["8"] <= 15.0 + 1e-6


def places(city: capsim.Scenario) -> float:
    plan = capsim.optimize(city)
    assert plan.status == "optimal"
    return float(plan.tables["purchases"]["places_december"].sum())


FIRST = {"public_seats_first_km": 0}


def test_public_seats_are_used_before_places_are_bought() -> None:
    """Without the rule 30 places are bought and 10 seats of P stay empty; with it 20 are."""
    assert places(one_grade()) == pytest.approx(30.0, abs=1e-6)
    assert places(one_grade(policy=FIRST)) == pytest.approx(20.0, abs=1e-6)
    assert places(one_grade(policy=FIRST, switches={"public_first": False})) == pytest.approx(30.0)


@pytest.mark.slow
def test_seats_without_teachers_are_no_seats() -> None:
    """Three teachers for 60 pupils, and none to be had, but for one whom a limit allows."""
    none = [limit("contract_teachers", 2022, 0.0), limit("hires", 2022, 0.0)]
    staffed = {"policy": FIRST, "staff": True, "staffing": {"attrition": 0.0}}
    staffed["staffing"]["stages"] = ["junior"]
    assert places(one_grade(limits=none, **staffed)) == pytest.approx(30.0, abs=1e-6)
    one = [none[0], limit("hires", 2022, 1.0)]
    assert places(one_grade(limits=one, **staffed)) == pytest.approx(20.0, abs=1e-6)
    assert places(one_grade(limits=none[:1], **staffed)) == pytest.approx(20.0, abs=1e-6)
    posts = [none[0], limit("posts", 2022, 3.0)]
    assert places(one_grade(limits=posts, **staffed)) == pytest.approx(30.0, abs=1e-6)


def test_a_teacher_who_is_not_needed_leaves_the_county_with_teachers() -> None:
    """Four teachers for 60 pupils at P: the fourth can teach ten more before places are bought."""
    city = one_grade(
        policy=FIRST,
        staff=True,
        staffing={"attrition": 0.0, "stages": ["junior"]},
        limits=[limit("contract_teachers", 2022, 0.0), limit("hires", 2022, 0.0)],
    )
    schools = city.table("schools")
    schools.loc[schools["school"] == "P", "staff"] = 4.0
    assert places(city.variant(tables={"schools": schools})) == pytest.approx(20.0, abs=1e-6)


def test_seats_that_would_make_large_classes_are_no_seats() -> None:
    """With 5 % large classes 50 seats hold 47.2 pupils: 70 hold 66, so that 24 are bought."""
    rule = {**FIRST, "large_class_share": {"2022": 0.05}}
    bought_now = places(one_grade(policy=rule, standards={"large_class": 56}))
    assert bought_now == pytest.approx(90 - 70 * 56.6101820676 / 60, abs=1e-4)


def test_seats_nearby_come_first_as_well() -> None:
    """Five seats 3 km off are used before places are bought with 3 km, but not with 2."""
    for km, number in ((0.0, 20.0), (2.0, 20.0), (3.0, 15.0)):
        near = two_areas(**{"policy.public_seats_first_km": km})
        assert places(near) == pytest.approx(number, abs=1e-6)


@pytest.mark.slow
def test_a_converted_school_is_filled_first() -> None:
    """W converts with its 10 pupils; a year later its 20 places are full before any are bought."""
    schools = [
        school("P", "public", 60, 60),
        school("V", "private", 30, 30, purchasable_places=30, purchase_price_cny=1000),
        school("W", "private", 20, 10, conversion="must"),
    ]
    city = tiny_town(
        children=(100, 100),
        schools=schools,
        policy={"private_share_cap": {2022: 0.10}, "conversion_due_year": 2022},
        standards={"allowance_cny": 2000},
    )
    assert bought(capsim.optimize(city)) == pytest.approx([20.0, 20.0], abs=1e-6)
    first = city.variant({"policy.public_seats_first_km": 0.0})
    assert bought(capsim.optimize(first)) == pytest.approx([20.0, 10.0], abs=1e-6)
