"""What is used of limits: a case by hand, and the law that a plan uses no more than there is."""

from __future__ import annotations

import pytest
from tiny_cases import limit, project, school, town

import capsim


@pytest.mark.parametrize(("release", "used", "binds"), [(1 / 3, 1.0, True), (0.5, 0.0, False)])
def test_teachers_set_free_use_nothing_of_the_limit(
    release: float, used: float, binds: bool
) -> None:
    """All 100 go public and need 5 teachers: 2 on post, 3 on contract; 6 leave the private school.

    Of those a third may be hired, 2, so that one more is taken of the limit; or half, 3: none.
    """
    scenario = town(
        children=(100,),
        schools=[
            school("P", "public", 100, 40, staff=2.0),
            school("S", "private", 60, 60, staff=6.0),
        ],
        limits=[limit("contract_teachers", 2022, 1.0), limit("hires", 2022, 0.0)],
        policy={"private_share_cap": {2022: 0.0}, "release_share": release},
        staff=True,
        staffing={"attrition": 0.0, "stages": ["junior"]},
    )
    plan = capsim.optimize(scenario)
    assert plan.tables["staff"]["contract"].tolist() == pytest.approx([3.0])
    table = plan.tables["limits_used"].set_index("kind")
    assert table.loc["contract_teachers", "used"] == pytest.approx(used, abs=1e-6)
    assert table.loc["contract_teachers", "binds"] == binds


def test_money_that_is_spent_anyway_uses_its_limit() -> None:
    city = capsim.generate(1, 900, 0, stages=("primary", "junior"), years=(2021, 2022))
    plan = capsim.optimize(city, gap=0.05)
    told = plan.tables["limits_used"].set_index(["kind", "county", "year"])["used"]
    costs = plan.tables["costs"]
    recurrent = {"running", "staff", "hiring", "purchase", "boarding"}
    spent = costs[costs["kind"].isin(recurrent) & (costs["school_year"] == 2022)]
    for county, paid in spent.groupby("county")["cost_cny"].sum().items():
        assert told["recurrent", county, 2022] == pytest.approx(paid)


def test_no_plan_uses_more_than_there_is() -> None:
    city = capsim.generate(2, 8000, 0, stages=("primary", "junior"), years=(2021, 2023))
    contract = city.table("limits")
    few = contract["kind"] == "contract_teachers"
    contract.loc[few, "amount"] = 20.0
    plan = capsim.optimize(city.variant(tables={"limits": contract}), gap=0.02)
    assert plan.tables["staff"]["contract"].max() > 20.0
    table = plan.tables["limits_used"]
    assert (table["used"] <= table["limit"] * (1 + 1e-6)).all()


@pytest.mark.parametrize(("capital_cny", "binds"), [(3.5e6, True), (4.5e6, False)])
def test_land_and_capital_bind_where_no_waiting_candidate_fits(
    capital_cny: float, binds: bool
) -> None:
    """N1 opens in autumn 2023 for 40 more children, N2 waits; each takes 30 mu and 3 million.

    20 mu are left in 2022, too few, and 30 in 2023, as what is not used carries over. Of the 12
    months of building 8 fall into 2023: N2 would pay 2 million then, as N1 does.
    """
    new = {"build_months": 12, "land_mu": 30.0}
    scenario = town(
        children=(100, 140),
        schools=[school("P", "public", 100, 100)],
        projects=[project(f"N{i}", 40, 3e6, "2023-09-01", **new) for i in (1, 2)],
        limits=[
            limit("land", 2022, 50.0),
            limit("land", 2023, 10.0),
            limit("capital", 2023, capital_cny),
        ],
    )
    plan = capsim.optimize(scenario)
    assert plan.tables["openings"]["copies"].tolist() == [1]
    table = plan.tables["limits_used"].set_index(["kind", "year"])
    assert table.loc[("land", 2022), ["used", "limit", "binds"]].to_list() == [30.0, 50.0, True]
    assert table.loc[("land", 2023), ["used", "limit", "binds"]].to_list() == [30.0, 60.0, False]
    assert table.loc[("capital", 2023), "used"] == pytest.approx(2e6, rel=1e-2)
    assert table.loc[("capital", 2023), "binds"] == binds


def test_limits_of_a_family_switched_off_are_shown_too() -> None:
    """Whether money may be overspent or not, 100 pupils of a new school cost what they cost."""
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 60, 60)],
        projects=[project("N", 40, 3e6, "2022-09-01", build_months=6)],
        limits=[limit("capital", 2022, 1e6)],
        switches={"money": False},
    )
    plan = capsim.optimize(scenario)
    row = plan.tables["limits_used"].iloc[0]
    assert row["used"] == pytest.approx(3e6)
    assert row["binds"]
