"""Scenarios side by side: what differs in what goes in and in what comes out.

Every scenario is planned and then simulated with the same seed, so that births and buildings have
the same luck in each (common random numbers) and differences are those of the scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.demand import project
from capsim.optimize import optimize
from capsim.scenario import Scenario, load
from capsim.scenario.tables import TABLES
from capsim.simulate import simulate

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

LESS_IS_BETTER = ("missed", "avoidable_cny", "displaced", "shortfall")
"""Columns of `summary` by which one scenario dominates another: no worse in all, better in one."""

HEADLINES = (
    "scenario",
    "status",
    "gap",
    "missed",
    "objective_cny",
    "avoidable_cny",
    "displaced",
    "shortfall",
    "surplus_last",
    "opened",
    "converted",
    "purchased_most",
    "least_probability",
)

TERMS = ("new_seats", "converted", "purchased", "overfilled", "existing_seats", "fewer_pupils")


@dataclass(frozen=True)
class Comparison:
    """Scenarios side by side.

    Attributes
    ----------
    plans, outcomes
        By the scenario's name, in the order given; outcomes only of those with a plan.
    tables
        `summary` (a row for each scenario, best first), `inputs` (what differs from the first
        scenario), `targets`, `mix`, `costs`, `years`: see `compare`.
    """

    plans: Mapping[str, Plan]
    outcomes: Mapping[str, Outcomes]
    tables: Mapping[str, pd.DataFrame]


def compare(
    scenarios: Sequence[Scenario | str | Path],
    *,
    draws: int | None = None,
    seed: int = 0,
    solver: str = "highs",
    gap: float = 1e-3,
    time_limit: float | None = None,
    criterion: str = "avoidable_cny",
    progress: Callable[[str], None] = lambda phase: None,
) -> Comparison:
    """Plan and simulate scenarios and set them side by side.

    Parameters
    ----------
    scenarios
        Scenarios or their folders, with different names; the first is what others differ from.
    draws
        Simulations of each; None: as the first scenario says; 0: none.
    criterion
        Column of the table `summary` to rank by, less being better, among those that miss the
        same number of targets.

    Returns
    -------
    Comparison
        Tables, persons and RMB (discounted):

        - `summary`: scenario, rank, status, gap, missed (targets; NaN without a plan),
          objective_cny, avoidable_cny, displaced, shortfall, surplus_last (empty compulsory seats
          in the last year), opened (candidates), converted, purchased_most (places in a December),
          least_probability (of the least likely target), dominated_by (names, joined by `;`)
        - `inputs`: scenario, table, key, column, first, value
        - `targets`: scenario, id, by, required, achieved, holds, probability, low, high
        - `mix`: scenario and the terms of the reduction
        - `costs`: scenario, kind, discounted_cny, avoidable_cny
        - `years`: scenario, school_year, displaced, surplus, share_excluding_purchased,
          share_including_purchased, avoidable_cny

    Raises
    ------
    capsim.ScenarioError
        A scenario has faults.
    ValueError
        Fewer than two scenarios, two with the same name, or no such criterion.
    """
    given = [one if isinstance(one, Scenario) else load(one) for one in scenarios]
    names = [one.name for one in given]
    if len(given) < 2 or len(set(names)) < len(names):
        raise ValueError(f"two or more scenarios of different names are needed, not {names}")
    if criterion not in HEADLINES:
        raise ValueError(f"no column {criterion} to rank by; there are {', '.join(HEADLINES)}")
    plans: dict[str, Plan] = {}
    outcomes: dict[str, Outcomes] = {}
    number = given[0].settings.simulation.draws if draws is None else draws
    for one in given:
        progress(f"{one.name}: planning")
        plan = optimize(one, project(one), solver=solver, gap=gap, time_limit=time_limit)
        plans[one.name] = plan
        if plan.status != "infeasible" and number > 0:
            progress(f"{one.name}: simulating")
            outcomes[one.name] = simulate(plan, draws=number, seed=seed)
    feasible = {name: plan for name, plan in plans.items() if plan.status != "infeasible"}
    tables = {
        "summary": _summary(plans, outcomes, criterion),
        "inputs": _stack({one.name: differences(given[0], one) for one in given[1:]}),
        "targets": _stack(
            {name: _targets(plan, outcomes.get(name)) for name, plan in feasible.items()}
        ),
        "mix": _stack({name: _mix(plan) for name, plan in feasible.items()}),
        "costs": _stack({name: _costs(plan, "kind") for name, plan in feasible.items()}),
        "years": _stack({name: _years(plan) for name, plan in feasible.items()}),
    }
    return Comparison(plans, outcomes, tables)


def differences(first: Scenario, other: Scenario) -> pd.DataFrame:
    """List what two scenarios differ in.

    Returns
    -------
    DataFrame
        table (`scenario.toml` for settings), key (of the row, or `""`), column (dotted for
        settings), first and value (text; `""` where there is none).
    """
    rows: list[tuple[str, str, str, str, str]] = []
    one, two = (_flat(scenario.settings.model_dump()) for scenario in (first, other))
    for key in sorted(one.keys() | two.keys()):
        if one.get(key) != two.get(key) and key not in {"name", "title", "extends"}:
            rows.append(("scenario.toml", "", key, _text(one.get(key)), _text(two.get(key))))
    for name, table in TABLES.items():
        rows += _cells(name, first.table(name), other.table(name), table.key)
    return pd.DataFrame(rows, columns=["table", "key", "column", "first", "value"])


def _cells(
    name: str, first: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]
) -> list[tuple[str, str, str, str, str]]:
    """Cells in which two tables differ; a row that only one has is named with its key alone."""
    if first.equals(other):
        return []
    one, two = (table.set_index(_keys(table, keys)) for table in (first, other))
    rows = [(name, key, "", "a row", "") for key in one.index.difference(two.index, sort=False)]
    rows += [(name, key, "", "", "a row") for key in two.index.difference(one.index, sort=False)]
    both = one.index.intersection(two.index, sort=False)
    one, two = one.loc[both], two.loc[both]
    for column in one.columns:
        left, right = one[column], two[column]
        differ = np.asarray(~((left == right) | (left.isna() & right.isna())))
        cells = (values.to_numpy()[differ] for values in (both, left, right))
        rows += [
            (name, str(key), column, _text(a), _text(b)) for key, a, b in zip(*cells, strict=True)
        ]
    return rows


def _keys(table: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    if not keys:
        return pd.Series([str(at) for at in range(len(table))], dtype=str)
    joined = table[keys[0]].astype(str)
    for key in keys[1:]:
        joined = joined + " / " + table[key].astype(str)
    return joined


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def _stack(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame({"scenario": pd.Series(dtype=str)})
    stacked = pd.concat(frames, names=["scenario", None])
    return stacked.reset_index(level=0).reset_index(drop=True)


def _summary(
    plans: Mapping[str, Plan], outcomes: Mapping[str, Outcomes], criterion: str
) -> pd.DataFrame:
    rows = [_headline(plans[name], outcomes.get(name)) for name in plans]
    table = pd.DataFrame(rows, columns=list(HEADLINES))
    table = table.sort_values(
        ["missed", criterion], na_position="last", kind="stable", ignore_index=True
    )
    table.insert(1, "rank", range(1, len(table) + 1))
    values = table[list(LESS_IS_BETTER)].to_numpy(float)
    dominated = []
    for row in values:
        better = (values <= row).all(axis=1) & (values < row).any(axis=1)
        dominated.append(";".join(table["scenario"].to_numpy(str)[np.asarray(better)]))
    return table.assign(dominated_by=dominated)


def _headline(plan: Plan, outcomes: Outcomes | None) -> dict[str, Any]:
    row: dict[str, Any] = {"scenario": plan.scenario.name, "status": plan.status, "gap": plan.gap}
    if plan.status == "infeasible":
        return row
    tables = plan.tables
    years = _years(plan)
    bought = tables["purchases"].groupby("school_year")["places_december"].sum()
    opened = tables["projects"]
    opened = opened[(opened["status"] == "candidate") & (opened["opens"] != "")]
    chances = outcomes.tables["targets"]["probability"] if outcomes else pd.Series([np.nan])
    return row | {
        "missed": int((~tables["targets"]["holds"]).sum()),
        "objective_cny": plan.objective_cny,
        "avoidable_cny": plan.avoidable_cny,
        "displaced": years["displaced"].sum(),
        "shortfall": tables["shortfall"]["shortfall"].sum(),
        "surplus_last": years["surplus"].iloc[-1],
        "opened": int(opened["copies"].sum()),
        "converted": int(tables["conversions"]["school"].nunique()),
        "purchased_most": bought.max() if len(bought) else 0.0,
        "least_probability": chances.min(),
    }


def _targets(plan: Plan, outcomes: Outcomes | None) -> pd.DataFrame:
    table = plan.tables["targets"][["id", "by", "required", "achieved", "holds"]]
    if outcomes is None:
        return table.assign(probability=np.nan, low=np.nan, high=np.nan)
    drawn = outcomes.tables["targets"][["id", "probability", "low", "high"]]
    return table.merge(drawn, on="id", how="left")


def _mix(plan: Plan) -> pd.DataFrame:
    table = plan.tables["reduction"]
    year = plan.scenario.settings.policy.reduction_year
    rows = table[table["school_year"] == year] if year is not None else table.head(1)
    return rows[["school_year", *TERMS, "total"]]


def _costs(plan: Plan, key: str) -> pd.DataFrame:
    costs = plan.tables["costs"]
    costs = costs.assign(avoidable_cny=costs["discounted_cny"] - costs["committed_cny"])
    return costs.groupby(key)[["discounted_cny", "avoidable_cny"]].sum().reset_index()


def _years(plan: Plan) -> pd.DataFrame:
    tables = plan.tables
    balance = tables["balance"]
    balance = balance[balance["stage"].isin(plan.scenario.settings.stages.compulsory)]
    shares = tables["shares"][tables["shares"]["county"] == "*"].set_index("school_year")
    table = pd.DataFrame(
        {
            "displaced": tables["enrolment"].groupby("school_year")["displaced"].sum(),
            "surplus": balance.groupby("school_year")["surplus"].sum(),
        }
    )
    table = table.join(shares[["share_excluding_purchased", "share_including_purchased"]])
    table = table.join(_costs(plan, "school_year").set_index("school_year")["avoidable_cny"])
    return table.reset_index(names="school_year")
