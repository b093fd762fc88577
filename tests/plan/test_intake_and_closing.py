"""Intake that does not jump, schools that are not emptied at once: each rule by hand."""

from __future__ import annotations

from typing import Any

import pytest
from golden_cases import case
from tiny_cases import SHORTFALL_CNY, project, school, spent, town

import capsim
from capsim.certificate import certify


def planned(scenario: Any) -> Any:
    """The optimum, checked by the certificate."""
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    assert plan.status == "optimal"
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


def pupils(plan: Any, name: str) -> dict[int, float]:
    """Pupils of a school by year."""
    rows = plan.tables["schools"].query("school == @name")
    return dict(zip(rows["school_year"], rows["pupils"].round(6), strict=True))


@pytest.mark.parametrize(("rise", "later"), [(None, 40.0), (0.0, 15.0), (1.0, 30.0)])
def test_an_intake_that_was_cut_rises_only_so_much(rise: float | None, later: float) -> None:
    """60 of 100 children have a public place; at most 15 may be private in 2022, all in 2023."""
    policy: dict[str, Any] = {
        "private_share_cap": {2022: 0.15, 2023: 1.0},
        "share_denominator": "residence",
    }
    if rise is not None:
        policy["intake_rise_share"] = rise
    plan = planned(
        town(
            children=(100, 100),
            schools=[school("P", "public", 60, 60), school("V", "private", 40, 40)],
            policy=policy,
        )
    )
    assert pupils(plan, "V") == pytest.approx({2022: 15.0, 2023: later})
    missed = {2022: 25 * SHORTFALL_CNY, 2023: (40 - later) * SHORTFALL_CNY}
    assert spent(plan, "shortfall") == pytest.approx({y: m for y, m in missed.items() if m})


def test_an_emptied_school_stays_empty() -> None:
    """No private pupil in 2022, as many as you like in 2023: the school has stopped for good."""
    city = town(
        children=(100, 100),
        schools=[school("P", "public", 60, 60), school("V", "private", 50, 50)],
        policy={"private_share_cap": {2022: 0.0, 2023: 1.0}, "intake_rise_share": 0.0},
    )
    plan = planned(city)
    assert pupils(plan, "V") == {2022: 0.0, 2023: 0.0}
    closures = plan.tables["closures"]
    assert closures[["school", "how", "from_year"]].to_numpy().tolist() == [["V", "run_down", 2022]]


@pytest.mark.parametrize("least", [{"least_size_share": 0.4}, {}])
def test_a_school_below_its_share_of_pupils_is_phased_out(least: dict[str, Any]) -> None:
    """At most 15 of 50 pupils are left, fewer than 40 %: none from then on, and the closure paid.

    Without the share the school goes on with 15 pupils.
    """
    city = town(
        children=(100, 100),
        schools=[
            school("P", "public", 85, 50),
            school("V", "private", 50, 50, closure_cost_cny=1e5),
        ],
        policy={"private_share_cap": {2022: 0.15}, "share_denominator": "residence", **least},
    )
    plan = planned(city)
    left = 0.0 if least else 15.0
    assert pupils(plan, "V") == pytest.approx({2022: left, 2023: left})
    assert plan.tables["closures"]["how"].tolist() == (["phase_out"] if least else [])
    assert spent(plan, "closure") == (pytest.approx({2022: 1e5}) if least else {})


def town_of_three_grades(years: int = 1, **policy: Any) -> Any:
    """P has room; V, with 20 pupils a grade, is to lose 40 or more, or to sell places."""
    seller = school(
        *("V", "private", 60, 60),
        purchasable_places=60,
        purchase_price_cny=6000.0,
        closure_cost_cny=1e5,
    )
    return case(
        children=dict.fromkeys(("7", "8", "9"), (60,) * (years + 1)),
        schools=[school("P", "public", 200, 120), seller],
        rolls=[("V", grade, 20.0) for grade in ("7", "8", "9")],
        policy={"reduction": 40, "contract_years": 1, **policy},
        standards={"junior": {"allowance_cny": 0}},
        switches={"staff": False},
    )


@pytest.mark.slow
def test_a_school_that_is_not_closed_keeps_those_who_move_up() -> None:
    """20 fewer than move up: all made to move; where 75 % are kept, 10, and 10 places bought."""
    free = planned(town_of_three_grades())
    assert spent(free, "displacement") == pytest.approx({2022: 20 * 3000.0})
    assert spent(free, "purchase") == {}
    kept = planned(town_of_three_grades(keep_share=0.75))
    assert spent(kept, "displacement") == pytest.approx({2022: 10 * 3000.0})
    assert spent(kept, "purchase") == pytest.approx({2022: 10 * 6000.0})
    assert pupils(kept, "V") == pytest.approx({2022: 30.0})


@pytest.mark.slow
def test_a_school_closes_at_once_after_its_notice() -> None:
    """All 60 leave by 2023: phased out in 2022, closed a year later, when the last 20 must go.

    Not by then with two years of notice.
    """
    order = {"reduction": 60, "reduction_year": 2023, "purchase_ceiling_share": 0.0}
    rules = {"keep_share": 1.0, "least_size_share": 0.1}
    plan = planned(town_of_three_grades(2, **order, **rules, closing_notice_years=1))
    assert pupils(plan, "V") == pytest.approx({2022: 40.0, 2023: 0.0})
    closures = plan.tables["closures"][["how", "from_year"]].to_numpy().tolist()
    assert closures == [["phase_out", 2022], ["closed", 2023]]
    assert spent(plan, "displacement") == pytest.approx({2023: 20 * 3000.0})
    assert spent(plan, "closure") == pytest.approx({2022: 1e5})
    plan = capsim.optimize(town_of_three_grades(2, **order, **rules, closing_notice_years=2))
    assert plan.status == "infeasible"


@pytest.mark.slow
@pytest.mark.parametrize(("least", "later"), [(None, 20.0), (0.3, 20.0), (0.4, 0.0)])
def test_a_school_closes_before_its_last_few_pupils(least: float | None, later: float) -> None:
    """40 of 60 are left in 2022, too few to go on, and 20 in 2023: a third of those of 2021."""
    rules = {"reduction": 20, "purchase_ceiling_share": 0.0, "keep_share": 1.0}
    rules |= {"least_size_share": 0.9, "closing_notice_years": 1}
    if least is not None:
        rules["closing_size_share"] = least
    city = town_of_three_grades(2, **rules)
    plan = planned(city)
    assert pupils(plan, "V") == pytest.approx({2022: 40.0, 2023: later})
    assert spent(plan, "displacement") == ({} if later else pytest.approx({2023: 20 * 3000.0}))
    stricter = city.variant({"policy.closing_size_share": 0.5})
    assert certify(stricter, plan).holds() == (later == 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("swing", "private"), [({}, (50, 40, 50)), (0.1, (400 / 9, 40, 44))])
def test_a_kindergarten_neither_empties_nor_fills_at_once(swing: Any, private: Any) -> None:
    """Public children cost 1,000 RMB a year; 60 of 100 are to be public in 2023 alone."""
    city = case(
        stage="kindergarten",
        children={"K3": (100, 100, 100, 100)},
        schools=[school("P", "public", 60, 50), school("V", "private", 50, 50)],
        policy={"noncompulsory_swing_share": swing} if swing else {},
        floors={"kindergarten_public": {2023: 0.6, 2024: 0.0}},
        switches={"staff": False, "kindergarten": False},
    )
    plan = planned(city)
    assert pupils(plan, "V") == pytest.approx(dict(zip((2022, 2023, 2024), private, strict=True)))
    stricter = city.variant({"policy.noncompulsory_swing_share": 0.05})
    found = certify(stricter, plan)
    assert not found.holds()
    assert "intake" in str(found.worst)


@pytest.mark.parametrize(("years", "closed"), [([], 2023), ([2023], 2023), ([2022], 2022)])
def test_a_school_closes_in_a_year_in_which_that_is_decided(years: list[int], closed: int) -> None:
    """The last 20 of 60 must be gone by 2023, and the school with them."""
    order = {"reduction": 60, "reduction_year": 2023, "purchase_ceiling_share": 0.0}
    rules = {"keep_share": 1.0, "least_size_share": 0.1}
    plan = planned(town_of_three_grades(2, **order, **rules, decision_years=years))
    closures = plan.tables["closures"].set_index("how")["from_year"]
    assert closures["closed"] == closed
    other = town_of_three_grades(2, **order, **rules, decision_years=[4045 - closed])
    certificate = certify(other, plan)
    assert not certificate.holds()
    assert "closure" in str(certificate.worst)


@pytest.mark.parametrize(("swing", "first"), [({}, 40), ({"public_swing_share": 0.2}, 50)])
def test_a_public_intake_rises_no_more_than_its_share(swing: dict[str, Any], first: int) -> None:
    """60 children in 2023, none private: 50 of them public a year before, where a fifth is most."""
    city = town(
        children=(60, 60),
        schools=[school("P", "public", 100, 40), school("V", "private", 20, 20)],
        policy={"private_share_cap": {2023: 0.0}, **swing},
        standards={"allowance_cny": 1000},
    )
    assert spent(planned(city), "running") == pytest.approx({2022: first * 1e3, 2023: 60e3})


@pytest.mark.parametrize(("swing", "second"), [({}, 40), ({"public_swing_share": 0.2}, 48)])
def test_a_public_intake_falls_no_more_than_its_share(swing: dict[str, Any], second: int) -> None:
    """No private pupil in 2022; the 20 whom the school may take in 2023 are at most 12."""
    city = town(
        children=(60, 60),
        schools=[school("P", "public", 100, 40), school("V", "private", 20, 20)],
        policy={"private_share_cap": {2022: 0.0, 2023: 1.0}, **swing},
        standards={"allowance_cny": 1000},
    )
    assert spent(planned(city), "running") == pytest.approx({2022: 60e3, 2023: second * 1e3})


def test_a_public_intake_follows_the_children_of_its_area() -> None:
    """Half as many children, then three times as many: nobody is without a place for the rule."""
    city = town(
        children=(60, 30, 90),
        schools=[school("P", "public", 100, 40)],
        policy={"public_swing_share": 0.0},
    )
    assert pupils(planned(city), "P") == {2022: 60.0, 2023: 30.0, 2024: 90.0}


def test_a_public_school_that_closes_may_lose_its_whole_intake() -> None:
    """Q, ordered to close in 2023, may fall from 30 to 0; P takes the 60 with a fifth more."""
    city = town(
        children=(60, 60),
        schools=[school("P", "public", 100, 30), school("Q", "public", 30, 30)],
        projects=[
            project(
                *("C", 0, 0.0, "2023-09-01"),
                **{"kind": "close", "school": "Q", "places_given_up": 30.0, "saved_cny": 1e5},
                **{"status": "ordered", "due": "2023-09-01"},
            )
        ],
        policy={"public_swing_share": 0.2},
    )
    plan = planned(city)
    assert spent(plan, "shortfall") == {}
    assert pupils(plan, "Q")[2023] == 0.0
    assert pupils(plan, "P")[2022] >= 50.0 - 1e-6
