"""Plans of the optimizer, re-checked: what one side reads out of the model the other must too."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pandas as pd
import pytest
from hand_made import HandPlan
from hand_scenario import frame, given_tables, settings

import capsim
from capsim.certificate import certify
from capsim.certificate.decision_reader import COLUMNS


@pytest.fixture(scope="module")
def town() -> Any:
    return capsim.generate(areas=6, pupils=40_000, years=(2021, 2026), seed=3)


@pytest.fixture(scope="module")
def town_plan(town: Any) -> Any:
    return capsim.optimize(town, gap=2e-2, threads=1)


def test_the_optimum_is_no_dearer_than_the_plan_by_hand(
    hand_scenario: Any, hand_plan: HandPlan
) -> None:
    plan = capsim.optimize(hand_scenario, hand_plan.demand, gap=1e-6, threads=1)
    certificate = certify(hand_scenario, plan)
    assert certificate.holds(), certificate.worst
    assert plan.objective_cny <= hand_plan.objective_cny
    assert plan.committed_cny == pytest.approx(hand_plan.committed_cny, rel=1e-9)


@pytest.mark.slow
def test_a_generated_plan_holds(town: Any, town_plan: Any) -> None:
    certificate = certify(town, town_plan)
    assert certificate.holds(), certificate.worst
    for name, columns in COLUMNS.items():
        assert columns.split() == list(town_plan.tables[name].columns)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("openings", "copies"),
        ("purchases", "places_december"),
        ("enrolment", "pupils"),
        ("enrolment", "displaced"),
        ("schools", "fee_paying_december"),
        ("flows", "pupils"),
        ("shortfall", "shortfall"),
        ("staff", "hired"),
        ("costs", "cost_cny"),
        ("balance", "surplus"),
        ("shares", "private_excluding_purchased"),
        ("reduction", "converted"),
        ("targets", "achieved"),
    ],
)
def test_a_corrupted_generated_plan_does_not(
    town: Any, town_plan: Any, table: str, column: str
) -> None:
    rows = town_plan.tables[table]
    cells = rows[column].astype(float).to_numpy(copy=True)
    cells[len(cells) // 2] += 1e5 if column.endswith("_cny") else 1.0
    corrupted = HandPlan(
        demand=town_plan.demand,
        tables=dict(town_plan.tables) | {table: rows.assign(**{column: cells})},
        objective_cny=town_plan.objective_cny,
        bound_cny=town_plan.bound_cny,
        committed_cny=town_plan.committed_cny,
        gap=town_plan.gap,
    )
    assert not certify(town, corrupted).holds()


CHANGES: dict[str, dict[str, Any]] = {
    "county-cap": {"policy.share_scope": "county", "policy.private_share_cap.2022": 0.2},
    "residence": {"policy.share_denominator": "residence", "costs.salvage_share": 0.5},
    "purchased-counts": {
        "policy.purchased_counts_as_private": True,
        "policy.contract_years": 1,
    },
    "nothing-priced": {"costs.overfill_cny": 0, "costs.displacement_cny": 0},
    "less-counted": {"cost_terms.travel": False, "cost_terms.capital": False},
    "free-seats": {"switches.continuity": False, "switches.seats": False},
    "no-policies": {
        f"switches.{name}": False
        for name in ("money", "land", "share", "reduction", "programme", "kindergarten", "floors")
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CHANGES))
def test_plans_of_variants_hold(town: Any, name: str) -> None:
    scenario = town.variant(CHANGES[name], name=name)
    plan = capsim.optimize(scenario, gap=5e-2, threads=1)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst


def alike_copies(tables: dict[str, pd.DataFrame]) -> None:
    """Three alike new schools that stand for one year only, in two stages."""
    projects = tables["projects"].assign(count=[3, 1, 1], life_years=[1, None, None])
    other = projects.iloc[[0]].assign(stage="kindergarten", places=30, land_mu=0, posts=0)
    tables["projects"] = pd.concat([projects, other], ignore_index=True)


def links_to_schools(tables: dict[str, pd.DataFrame]) -> None:
    tables["links"] = frame(
        "area to_area to_school stage km cost_cny",
        ("d", "n", "", "junior", 5.0, None),
        ("n", "n", "", "junior", 1.0, None),
        ("n", "", "P", "junior", 2.0, None),
        ("d", "", "V", "", None, 70.0),
        ("d", "", "N", "", None, None),
        ("d", "d", "", "junior", None, None),
    )


def rolls(tables: dict[str, pd.DataFrame]) -> None:
    tables["rolls"] = frame(
        "school stage grade pupils",
        ("V", "junior", "7", 40),
        ("V", "junior", "8", 50),
        ("V", "junior", "9", 60),
    )
    tables["pupils"] = tables["pupils"].assign(
        pupils=lambda t: t["pupils"] + (t["grade"] == "9") * 5.0 - (t["grade"] == "7") * 5.0
    )


@pytest.mark.parametrize("change", [alike_copies, links_to_schools, rolls])
def test_plans_of_odd_tables_hold(hand_plan: HandPlan, change: Any) -> None:
    said, tables = deepcopy(settings()), given_tables()
    change(tables)
    said["policy"]["private_share_cap"] = {"2022": 0.3}
    scenario = capsim.Scenario.from_tables(settings=said, **tables)
    plan = capsim.optimize(scenario, hand_plan.demand, gap=1e-4, threads=1)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst


@pytest.mark.slow
def test_a_share_of_nobody_is_no_target() -> None:
    """No child is born from 2022 on, so that from 2028 on none is of kindergarten age."""
    town = capsim.generate(areas=1, pupils=3000, years=(2021, 2029), seed=3)
    births = town.table("births")
    births.loc[births["year"] >= 2022, "births"] = 0.0
    town = town.variant({"floors.kindergarten_enrolment": {"2022": 0.5}}, tables={"births": births})
    plan = capsim.optimize(town, threads=1)
    certificate = certify(town, plan)
    assert certificate.holds(), certificate.worst
    targets = plan.tables["targets"].set_index("id")["met"]
    floors = targets.index[targets.index.str.startswith("kindergarten_")]
    assert {name.rpartition("-")[2] for name in floors} == {str(y) for y in range(2022, 2028)}
    assert targets[floors].all()


@pytest.mark.slow
def test_where_seats_are_off_a_converted_school_may_have_pupils_who_pay():
    """Only the family of seats forbids it; the certificate asks no more than the documents."""
    made = capsim.generate(1, 3000, 1, years=(2021, 2024), stages=("primary", "junior"))
    schools = made.table("schools")
    private = schools["sector"] == "private"
    schools.loc[private, "conversion"] = "must"
    schools.loc[private, "conversion_cost_cny"] = 0.0
    off = {"switches.seats": False, "policy.reduction": 0.0, "policy.private_share_cap": {}}
    city = made.variant(off, tables={"schools": schools})
    plan = capsim.optimize(city, gap=1e-7)
    payers = plan.tables["payers"].merge(plan.tables["conversions"][["school", "stage"]])
    assert payers["fee_paying"].sum() > 0
    assert capsim.certify(city, plan).holds()
