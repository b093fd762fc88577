"""What the simulation needs of a plan and its scenario, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.optimize.ledger import RECURRENT

from .network import Floats, Ints
from .programme import Programme, read_programme
from .stage import StageGiven, read_stage, spread

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize import Plan
    from capsim.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Given:
    """A plan as arrays.

    Attributes
    ----------
    areas, counties : tuple of text
    county : array of int [area]
    years : tuple of int
        Planned.
    discount : array [year]
    settings : Settings
        Of the scenario.
    stages : tuple of StageGiven
    programme : Programme
    demand : Demand
    progression : array [area, grade, year]
        Share of a cohort that moves up into the grade.
    purchase_limit : array [county and the whole, year]
        Most places purchased; inf for no limit.
    budget_cny : array [county and the whole, year]
        Recurrent money that the plan leaves, RMB; inf for no limit.
    posts, contract, need : arrays [county, year]
        Teachers on post, on contract, and needed, in the plan.
    fixed_cny : mapping of text to float
        Discounted cost of kinds that draws do not change.
    """

    areas: tuple[str, ...]
    counties: tuple[str, ...]
    county: Ints
    years: tuple[int, ...]
    discount: Floats
    settings: Any
    stages: tuple[StageGiven, ...]
    programme: Programme
    demand: Demand
    progression: Floats
    purchase_limit: Floats
    budget_cny: Floats
    posts: Floats
    contract: Floats
    need: Floats
    fixed_cny: Mapping[str, float]


FIXED = ("capital", "hiring", "conversion", "closure", "salvage")
"""Kinds of cost that follow from what the plan decides, whatever is drawn."""


def read_given(plan: Plan) -> Given:
    """Read a plan.

    Raises
    ------
    ValueError
        If the plan is infeasible or its demand is not of its scenario.
    """
    if plan.status == "infeasible":
        raise ValueError("an infeasible plan cannot be simulated: it has no tables")
    scenario, demand = plan.scenario, plan.demand
    frame = scenario.table("areas")
    areas, counties = tuple(frame["area"]), tuple(dict.fromkeys(frame["county"]))
    county = pd.Index(counties).get_indexer(pd.Index(frame["county"]))
    years = tuple(int(year) for year in scenario.years)
    if demand.areas != areas or demand.years != (scenario.base_year, *years):
        raise ValueError("the plan's demand has other areas or years than its scenario")
    rate = float(scenario.settings.costs.discount_rate)
    programme = read_programme(plan)
    before = demand.pupils[:, :-1, :-1]
    ratio = demand.pupils[:, 1:, 1:] / np.where(before > 0, before, 1.0)
    progression = np.ones((*demand.pupils.shape[:2], len(years)))
    progression[:, 1:] = np.where(before > 0, np.minimum(ratio, 1.0), 1.0)
    staff = [
        _by_county(plan.tables["staff"], name, counties, years)
        for name in ("pool", "contract", "need")
    ]
    costs = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    return Given(
        areas=areas,
        counties=counties,
        county=county,
        years=years,
        discount=(1 + rate) ** -(np.array(years) - years[0]).astype(np.float64),
        settings=scenario.settings,
        stages=tuple(
            read_stage(plan, name, programme, areas, county, years) for name in scenario.stages
        ),
        programme=programme,
        demand=replace(demand, draws=None),
        progression=progression,
        purchase_limit=_limit(scenario, "purchase", counties, years),
        budget_cny=_budget(plan, counties, years),
        posts=staff[0],
        contract=staff[1],
        need=staff[2],
        fixed_cny={kind: float(costs.get(kind, 0.0)) for kind in FIXED},
    )


def _by_county(
    table: pd.DataFrame, column: str, counties: tuple[str, ...], years: tuple[int, ...]
) -> Floats:
    return spread(table, column, {"county": pd.Index(counties), "school_year": pd.Index(years)})


def _budget(plan: Plan, counties: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    """Recurrent money left by county (the whole last) and year; inf where there is no limit."""
    if not plan.scenario.settings.switches.money:
        return np.full((len(counties) + 1, len(years)), np.inf)
    limit = _limit(plan.scenario, "recurrent", counties, years)
    if not np.isfinite(limit).any():
        return limit
    axes: dict[str, pd.Index[Any]] = {
        "county": pd.Index(counties),
        "school_year": pd.Index(years),
    }
    costs = plan.tables["costs"]
    costs = costs[costs["kind"].isin(RECURRENT)]
    by_county = costs.groupby(["county", "school_year"])["cost_cny"].sum().reset_index()
    spent = spread(by_county, "cost_cny", axes)
    lease = plan.scenario.table("schools")[["school", "stage", "conversion_lease_cny"]]
    converted = plan.tables["conversions"].merge(lease, on=["school", "stage"])
    autumns = np.array([f"{year}-09-01" for year in years])
    leased = converted["converts"].to_numpy(str)[:, None] <= autumns
    paid = np.nan_to_num(converted["conversion_lease_cny"].to_numpy(np.float64))[:, None] * leased
    np.add.at(spent, pd.Index(counties).get_indexer(pd.Index(converted["county"])), paid)
    return np.asarray(limit - np.concatenate([spent, spent.sum(0, keepdims=True)]))


def _limit(
    scenario: Scenario, kind: str, counties: tuple[str, ...], years: tuple[int, ...]
) -> Floats:
    """Limits by county (the whole last) and year; inf where there is none."""
    rows = scenario.table("limits")
    rows = rows[rows["kind"] == kind]
    out = np.full((len(counties) + 1, len(years)), np.inf)
    at = (
        pd.Index((*counties, "*")).get_indexer(pd.Index(rows["county"])),
        pd.Index(years).get_indexer(pd.Index(rows["year"])),
    )
    known = (at[0] >= 0) & (at[1] >= 0)
    out[at[0][known], at[1][known]] = rows["amount"].to_numpy(np.float64)[known]
    return out
