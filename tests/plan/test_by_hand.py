"""Plans worked out on paper, one lever or rule at a time: exact decisions, exact costs."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import pytest
from tiny_cases import SHORTFALL_CNY, limit, npv, project, school, spent, town

import capsim
from capsim.certificate import certify


def planned(scenario: Any, **options: Any) -> Any:
    """The optimum, checked by the certificate."""
    plan = capsim.optimize(scenario, gap=1e-9, threads=1, **options)
    assert plan.status == "optimal"
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


def openings(plan: Any) -> list[tuple[str, str, int]]:
    return list(plan.tables["openings"][["project", "opens", "copies"]].itertuples(index=False))


def test_a_new_school_instead_of_a_shortfall() -> None:
    """40 of 100 children have no place in 2022; 24 months of building end on 1 September 2023.

    Paid evenly by day from 1 January 2022 (what falls before is squeezed) to the opening: 365 days
    in 2022 and 243 in 2023.
    """
    scenario = town(
        children=(100, 100, 100),
        schools=[school("P", "public", 60, 60)],
        projects=[project("N", 50, 12e6, "2023-09-01", running_cny=1e5, build_months=24)],
        standards={"allowance_cny": 10},
    )
    plan = planned(scenario)
    assert openings(plan) == [("N", "2023-09-01", 1)]
    capital = {2022: 12e6 * 365 / 608, 2023: 12e6 * 243 / 608}
    running = {2022: 600.0, 2023: 1e5 + 1000, 2024: 1e5 + 1000}
    missed = {2022: 40 * SHORTFALL_CNY}
    assert spent(plan, "capital") == pytest.approx(capital)
    assert spent(plan, "running") == pytest.approx(running)
    assert spent(plan, "shortfall") == pytest.approx(missed)
    total = npv(capital) + npv(running) + npv(missed)
    assert plan.objective_cny == pytest.approx(total, rel=1e-9)
    assert plan.committed_cny == pytest.approx(npv(dict.fromkeys((2022, 2023, 2024), 1000.0)))
    assert plan.bound_cny == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize(("capital_cny", "built"), [(15.5e6, True), (15.7e6, False)])
def test_nothing_is_built_that_costs_more_than_it_helps(capital_cny: float, built: bool) -> None:
    """40 children in two years are worth 8 million × (1 + 1/1.05) = 15.62 million at once."""
    scenario = town(
        children=(100, 100),
        schools=[school("P", "public", 60, 60)],
        projects=[project("N", 40, capital_cny, "2022-09-01", build_months=3)],
    )
    plan = planned(scenario)
    assert (openings(plan) != []) is built
    missed = npv({2022: 40 * SHORTFALL_CNY, 2023: 40 * SHORTFALL_CNY})
    assert plan.objective_cny == pytest.approx(min(capital_cny, missed))


def test_where_all_is_free_a_plan_costs_nothing() -> None:
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 60, 60)],
        costs={"shortfall_cny": 0},
        limits=[limit("recurrent", 2022, 1.0), limit("capital", 2022, 1.0)],
    )
    plan = planned(scenario)
    assert plan.objective_cny == plan.committed_cny == 0
    assert plan.tables["costs"].empty
    with pytest.raises(ValueError, match="no decision moves the criterion 'capital'"):
        capsim.optimize_lexicographic(scenario, ["capital"])


def test_alike_copies_and_what_was_spent_before() -> None:
    """70 missing children need two of three copies of 40 places; 1 of 3 million each is paid."""
    scenario = town(
        children=(130, 130),
        schools=[school("P", "public", 60, 60)],
        projects=[project("N", 40, 3e6, "2022-09-01", build_months=6, count=3, spent_cny=1e6)],
        costs={"salvage_share": 0.5},
    )
    plan = planned(scenario)
    assert openings(plan) == [("N", "2022-09-01", 2)]
    # 1 September 2022 to 1 September 2024 are 731 days.
    left = 0.5 * 2 * 2e6 * (1 - 731 / 365.25 / 50)
    assert spent(plan, "capital") == pytest.approx({2022: 4e6})
    assert spent(plan, "salvage") == pytest.approx({2024: -left})
    assert plan.objective_cny == pytest.approx(4e6 - left / 1.05**2)


def test_a_life_that_ends() -> None:
    """Prefabricated places of one year: opened when they are needed most, not before."""
    scenario = town(
        children=(70, 90, 60),
        schools=[school("P", "public", 60, 60)],
        projects=[project("F", 30, 1e5, "2022-09-01", kind="prefab", build_months=1, life_years=1)],
    )
    plan = planned(scenario)
    assert openings(plan) == [("F", "2023-09-01", 1)]
    assert spent(plan, "shortfall") == pytest.approx({2022: 10 * SHORTFALL_CNY})


def test_a_contract_runs_its_term() -> None:
    """At most 30 of 100 in private schools on 31 December 2022, as many as you like from 2023 on.

    So 20 places are bought for the last eight months of 2022/23; the contract of three years binds
    10 places more each year, in 2023/24 (a December year) for eight months again, then for a year.
    """
    scenario = town(
        children=(100, 100, 100, 100),
        schools=[
            school("P", "public", 50, 50),
            school(
                *("V", "private", 50, 50),
                purchase_price_cny=6000.0,
                purchasable_places=30.0,
                purchase_min_places=10.0,
            ),
        ],
        policy={"private_share_cap": {2022: 0.3, 2023: 1.0}, "contract_years": 3},
    )
    plan = planned(scenario)
    bought = plan.tables["purchases"]
    assert bought["school_year"].tolist() == [2022, 2023, 2024]
    assert bought["places_september"].tolist() == pytest.approx([0, 0, 10])
    assert bought["places_december"].tolist() == pytest.approx([20, 10, 10])
    cost = {2022: 20 * 6000 * 8 / 12, 2023: 10 * 6000 * 8 / 12, 2024: 60_000.0}
    assert spent(plan, "purchase") == pytest.approx(cost)
    assert plan.objective_cny == pytest.approx(npv(cost))
    share = plan.tables["shares"].query("county == '*'").set_index("school_year")
    assert share["share_excluding_purchased"].loc[2022] == pytest.approx(0.3)
    assert share["share_including_purchased"].loc[2022] == pytest.approx(0.5)


def test_a_ceiling_leaves_children_out_rather_than_buy() -> None:
    """Purchased places count as private: fewer pupils keep the cap, 50 − k ≤ 0.3 (100 − k)."""
    schools = [
        school("P", "public", 50, 50),
        school("V", "private", 50, 50, purchase_price_cny=6000.0, purchasable_places=30.0),
    ]
    policy = {"private_share_cap": {2022: 0.3}, "purchased_counts_as_private": True}
    plan = planned(town(children=(100,), schools=schools, policy=policy))
    missed = 20 / 0.7
    assert spent(plan, "shortfall") == pytest.approx({2022: missed * SHORTFALL_CNY})
    assert spent(plan, "purchase") == {}


def test_a_conversion_at_the_last_moment() -> None:
    """No private pupil from 31 December 2022: the school converts on that day.

    Lease, allowances and the 1.8 teachers taken over begin in the autumn after.
    """
    scenario = town(
        children=(100, 100, 100),
        schools=[
            school("P", "public", 50, 50),
            school(
                *("V", "private", 60, 50),
                conversion="may",
                conversion_cost_cny=1e6,
                conversion_lease_cny=2e4,
                staff=2.0,
            ),
        ],
        policy={"private_share_cap": {2022: 0.0}, "takeover_ratio": 0.9},
        standards={"allowance_cny": 10},
        costs={"hire_cny": 5000},
    )
    plan = planned(scenario)
    conversions = plan.tables["conversions"]
    assert conversions["converts"].tolist() == ["2022-12-31"]
    assert conversions["staff_taken_over"].tolist() == pytest.approx([1.8])
    assert spent(plan, "conversion") == pytest.approx({2022: 1e6, 2023: 2e4, 2024: 2e4})
    assert spent(plan, "running") == pytest.approx({2022: 500.0, 2023: 1000.0, 2024: 1000.0})
    assert spent(plan, "hiring") == pytest.approx({2023: 9000.0})
    total = 1e6 + 500 + (2e4 + 1000) * (1 / 1.05 + 1 / 1.05**2) + 9000 / 1.05
    assert plan.objective_cny == pytest.approx(total)


def test_a_school_that_must_convert() -> None:
    """Due by autumn 2023 and of no use: as late as allowed."""
    scenario = town(
        children=(100, 100),
        schools=[
            school("P", "public", 50, 50),
            school("V", "private", 60, 50, conversion="must", conversion_cost_cny=1e6),
        ],
    )
    plan = planned(scenario)
    assert plan.tables["conversions"]["converts"].tolist() == ["2023-09-01"]
    assert spent(plan, "conversion") == pytest.approx({2023: 1e6})
    # A blank staff is 50 ÷ 20 teachers, of whom 90 % are taken over at 5,000 RMB.
    assert plan.objective_cny == pytest.approx((1e6 + 2.5 * 0.9 * 5000) / 1.05)


def test_the_stock_of_teachers() -> None:
    """100 pupils ÷ 20 need 5; of 5 leave a tenth a year; at most 0.2 on (cheaper) contract.

    2022: 4.5 stay, 0.3 hired, 0.2 on contract. 2023: 0.9 × 4.8 = 4.32 stay, 0.48 hired.
    """
    scenario = town(
        children=(100, 100),
        schools=[school("P", "public", 100, 100, staff=5.0)],
        limits=[limit("contract_teachers", year, 0.2) for year in (2022, 2023)],
        staff=True,
        **{"costs": {"hire_cny": 5000, "teacher_cny": 100_000, "contract_teacher_cny": 70_000}},
        **{"staffing": {"attrition": 0.1, "stages": ["junior"]}},
    )
    plan = planned(scenario)
    table = plan.tables["staff"].set_index("school_year")
    assert table["need"].tolist() == pytest.approx([5.0, 5.0])
    assert table["pool"].tolist() == pytest.approx([4.8, 4.8])
    assert table["hired"].tolist() == pytest.approx([0.3, 0.48])
    assert table["contract"].tolist() == pytest.approx([0.2, 0.2])
    wages = 4.8 * 1e5 + 0.2 * 7e4
    assert spent(plan, "staff") == pytest.approx({2022: wages, 2023: wages})
    assert spent(plan, "hiring") == pytest.approx({2022: 1500.0, 2023: 2400.0})
    assert plan.committed_cny == pytest.approx(4.5e5 + 4.05e5 / 1.05)


def test_posts_bind_before_seats() -> None:
    """Two posts and none on contract teach 40 of 100 pupils; a project brings a third post."""
    said: dict[str, Any] = {
        "children": (100,),
        "schools": [school("P", "public", 100, 100, staff=2.0)],
        "limits": [limit("posts", 2022, 2.0), limit("contract_teachers", 2022, 0.0)],
        "staff": True,
        "staffing": {"attrition": 0.0, "stages": ["junior"]},
    }
    assert spent(planned(town(**said)), "shortfall") == pytest.approx({2022: 60 * SHORTFALL_CNY})
    post = project("E", 1, 1e5, "2022-09-01", kind="extend", school="P", posts=1.0)
    more = planned(town(**said, projects=[post]))
    assert spent(more, "shortfall") == pytest.approx({2022: 40 * SHORTFALL_CNY})


def test_large_classes_follow_the_chord() -> None:
    """At most 10 % large classes; a line joins 5.5 % at a mean of 47.5 and 13.6 % at 50."""
    normal = NormalDist(0, 5.0)
    low, high = (1 - normal.cdf(55.5 - mean) for mean in (47.5, 50.0))
    mean = 47.5 + 2.5 * (0.10 - low) / (high - low)
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 100, 100)],
        policy={"large_class_share": {2022: 0.10}, "class_size_sd": 5.0},
    )
    plan = planned(scenario)
    seated = plan.tables["schools"].iloc[0]
    assert seated["pupils"] == pytest.approx(2 * mean)
    assert seated["classes"] == 2.0
    assert seated["large_classes"] == pytest.approx(0.2)


def test_overfilling_up_to_the_ceiling() -> None:
    """60 places are 1.2 classes of 50; up to 55 a class seat 66 of 70 children, 6 at a price."""
    scenario = town(
        children=(70,),
        schools=[school("P", "public", 60, 60)],
        standards={"class_ceiling": 55},
        costs={"overfill_cny": 2000},
    )
    plan = planned(scenario)
    assert spent(plan, "overfill") == pytest.approx({2022: 12_000.0})
    assert spent(plan, "shortfall") == pytest.approx({2022: 4 * SHORTFALL_CNY})


def test_land_for_one_school_a_year() -> None:
    """Building for autumn 2023 starts in 2022, for 2024 in 2023: each quota is one school's."""
    scenario = town(
        children=(60, 140, 140),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project(name, 40, 1e6, "2023-09-01", land_mu=10.0, build_months=12)
            for name in ("N1", "N2")
        ],
        limits=[limit("land", 2022, 10.0), limit("land", 2023, 10.0)],
    )
    plan = planned(scenario)
    assert sorted(opens for _, opens, _ in openings(plan)) == ["2023-09-01", "2024-09-01"]
    assert spent(plan, "shortfall") == pytest.approx({2023: 40 * SHORTFALL_CNY})


def test_land_carries_over() -> None:
    """A quota of 20 mu in 2022 serves both at once; 19 mu and one the year after do not."""
    said: dict[str, Any] = {
        "children": (60, 140, 140),
        "schools": [school("P", "public", 60, 60)],
        "projects": [project(name, 40, 1e6, "2023-09-01", land_mu=10.0) for name in ("N1", "N2")],
    }
    both = planned(town(**said, limits=[limit("land", 2022, 20.0)]))
    assert [opens for _, opens, _ in openings(both)] == ["2023-09-01", "2023-09-01"]
    late = planned(town(**said, limits=[limit("land", 2022, 19.0), limit("land", 2023, 1.0)]))
    assert sorted(opens for _, opens, _ in openings(late)) == ["2023-09-01", "2024-09-01"]


def test_capital_waits_for_money() -> None:
    """6 of 7 million may be spent in 2022: a school of 40 places must wait a year."""
    said: dict[str, Any] = {
        "children": (100, 100),
        "schools": [school("P", "public", 60, 60)],
        "projects": [project("N", 40, 7e6, "2022-09-01", build_months=6)],
    }
    assert planned(town(**said)).objective_cny == pytest.approx(7e6)
    plan = planned(town(**said, limits=[limit("capital", 2022, 6e6)]))
    assert openings(plan) == [("N", "2023-09-01", 1)]
    assert plan.objective_cny == pytest.approx(40 * SHORTFALL_CNY + 7e6 / 1.05)


def test_recurrent_money_for_some_pupils_only() -> None:
    """1,000 RMB a pupil and 30,000 RMB a year: 30 of 50 children are taught."""
    scenario = town(
        children=(50,),
        schools=[school("P", "public", 60, 60)],
        standards={"allowance_cny": 1000},
        limits=[limit("recurrent", 2022, 30_000.0)],
    )
    assert spent(planned(scenario), "shortfall") == pytest.approx({2022: 20 * SHORTFALL_CNY})


def test_the_reduction_and_where_it_came_from() -> None:
    """30 private pupils fewer in 2022: 12 free public seats, 10 new ones, 8 purchased places."""
    scenario = town(
        children=(100,),
        schools=[
            school("P", "public", 62, 50),
            school(*("V", "private", 50, 50), purchase_price_cny=6000.0, purchasable_places=30.0),
        ],
        projects=[project("E", 10, 1e4, "2022-09-01", kind="extend", school="P")],
        policy={"reduction": 30},
    )
    plan = planned(scenario)
    row = plan.tables["reduction"].iloc[0]
    assert row["ordered"] == 30
    assert row["existing_seats"] == pytest.approx(12)
    assert row["new_seats"] == pytest.approx(10)
    assert row["purchased"] == pytest.approx(8)
    assert row["total"] == pytest.approx(30)
    assert spent(plan, "purchase") == pytest.approx({2022: 8 * 6000.0})


def test_a_school_too_small_closes() -> None:
    """The cap leaves it fewer than the 20 pupils it needs: no intake, 10 children stay out."""
    scenario = town(
        children=(100, 100),
        schools=[
            school("P", "public", 90, 50),
            school("V", "private", 50, 50, min_pupils=20.0, closure_cost_cny=1e5),
        ],
        policy={"private_share_cap": {2022: 0.15}},
    )
    plan = planned(scenario)
    assert plan.tables["closures"]["how"].tolist() == ["phase_out"]
    assert spent(plan, "closure") == pytest.approx({2022: 1e5})
    assert spent(plan, "shortfall") == pytest.approx(
        {2022: 10 * SHORTFALL_CNY, 2023: 10 * SHORTFALL_CNY}
    )


@pytest.mark.parametrize("solver", ["scipy", "cbc", "pulp-highs"])
def test_every_solver_finds_the_same_plan(solver: str) -> None:
    scenario = town(
        children=(100, 110, 120),
        schools=[school("P", "public", 60, 60), school("V", "private", 40, 40, conversion="may")],
        projects=[
            project("N", 30, 5e6, "2022-09-01", running_cny=1e5, count=2),
            project("E", 15, 4e6, "2022-09-01", kind="extend", school="P"),
        ],
        policy={"private_share_cap": {2023: 0.2}},
    )
    ours, other = planned(scenario), planned(scenario, solver=solver)
    assert other.objective_cny == pytest.approx(ours.objective_cny, rel=1e-9)
    assert openings(other) == openings(ours)


@pytest.mark.parametrize(("status", "fixed"), [("ordered", True), ("candidate", False)])
def test_the_whole_costs_the_same_ordered_or_chosen(status: str, fixed: bool) -> None:
    """A school for the 40 without a place: all of it is committed once it is ordered.

    20 million, of which 2 million are paid already, all in 2022; it opens on 1 September 2022 and
    after 3 of 30 years half of nine tenths of the 18 million is left.
    """
    scenario = town(
        children=(100, 100, 100),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project(
                "N", 50, 20e6, "2022-09-01", status=status, due="2022-09-01" if fixed else "",
                spent_cny=2e6, running_cny=1e5, build_months=24, life_years=30,
            )
        ],
        costs={"salvage_share": 0.5},
    )  # fmt: skip
    plan = planned(scenario)
    assert openings(plan) == [("N", "2022-09-01", 1)]
    running = npv(dict.fromkeys((2022, 2023, 2024), 1e5))
    salvage = 0.5 * 18e6 * (1 - 1096 / 365.25 / 30) / 1.05**3
    total = 18e6 + running - salvage
    assert plan.objective_cny == pytest.approx(total, rel=1e-12)
    assert plan.committed_cny == pytest.approx(total if fixed else 0.0, rel=1e-12)
