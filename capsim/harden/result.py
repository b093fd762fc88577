"""What hardening gives: the plan chosen, the rounds, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.simulate.outcomes import wilson
from capsim.simulate.run import Trial

from .step import Search, Step, count, judged_by
from .why import explain

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Hardened:
    """A plan that holds with a probability, or the best there is.

    Attributes
    ----------
    scenario : Scenario
    plan : Plan
        Of the original scenario, whose certificate it holds.
    plain : Plan
        The cheapest one, without margins.
    targets : tuple of text
        Ids of those that must all hold at once.
    asked : float
        Probability asked for.
    draws : int
        That the plan was judged by; no margin was made from them.
    probability, low, high : float
        Of all targets together, with Wilson's 95 % interval.
    reached : bool
        Whether `low` is at least `asked`.
    extra_cny : float
        Discounted cost of the plan beyond the plain one, RMB.
    rounds : DataFrame
        round, change, cost_cny (discounted), extra_cny, expected_cny (mean over draws), missing
        (places of margins not found), draws, probability, low, high.
    by_target : DataFrame
        id, probability, low, high: each target alone, all of the plan's and
        ``placement-compulsory``, on the same draws.
    reasons : tuple of text
        Empty if reached, else what stands in the way.
    shortages : DataFrame
        stage, area (one of those that share the places), school_year, kept_free, missing: places of
        margins, persons; largest lack first.
    """

    scenario: Scenario
    plan: Plan
    plain: Plan
    targets: tuple[str, ...]
    asked: float
    draws: int
    probability: float
    low: float
    high: float
    reached: bool
    extra_cny: float
    rounds: pd.DataFrame
    by_target: pd.DataFrame
    reasons: tuple[str, ...]
    shortages: pd.DataFrame


def result_of(search: Search, steps: list[Step], wanted: tuple[str, ...], asked: float) -> Hardened:
    """Choose the plan: the cheapest that is safe enough, else the safest."""
    rows = [_row(step, number, steps[0].plan, wanted) for number, step in enumerate(steps)]
    table = pd.DataFrame(rows)
    safe = table.index[table["low"] >= asked]
    cost, low = table["cost_cny"].to_numpy(), table["low"].to_numpy()
    best = int(np.where(low >= asked, cost, np.inf).argmin() if len(safe) else low.argmax())
    step, row = steps[best], table.iloc[best]
    reached = bool(row["low"] >= asked)
    reasons = () if reached else explain(search, step.plan, step.judged, wanted, asked)
    names = [
        (s.name, step.judged.given.areas[a]) for s in step.judged.given.stages for a in s.reach.area
    ]
    return Hardened(
        scenario=step.plan.scenario,
        plan=step.plan,
        plain=steps[0].plan,
        targets=wanted,
        asked=asked,
        draws=int(row["draws"]),
        probability=float(row["probability"]),
        low=float(row["low"]),
        high=float(row["high"]),
        reached=reached,
        extra_cny=float(row["extra_cny"]),
        rounds=table,
        by_target=_by_target(step.judged),
        reasons=reasons,
        shortages=_shortages(names, step.judged.given.years, step),
    )


def _row(step: Step, number: int, plain: Plan, wanted: tuple[str, ...]) -> dict[str, object]:
    hits, draws = count(step.judged, wanted)
    low, high = wilson(hits, draws)
    return {
        "round": number,
        "change": step.change,
        "cost_cny": step.plan.objective_cny,
        "extra_cny": step.plan.objective_cny - plain.objective_cny,
        "expected_cny": float(step.judged.figures.cost_cny.sum(0).mean()),
        "missing": float(step.missing.sum()),
        "draws": draws,
        "probability": hits / draws,
        "low": low,
        "high": high,
    }


def _by_target(run: Trial) -> pd.DataFrame:
    rows = []
    for name, (target, row) in judged_by(run).items():
        hits = int(target.holds(row).sum())
        low, high = wilson(hits, len(row))
        rows.append({"id": name, "probability": hits / len(row), "low": low, "high": high})
    return pd.DataFrame(rows, columns=["id", "probability", "low", "high"])


def _shortages(names: list[tuple[str, str]], years: tuple[int, ...], step: Step) -> pd.DataFrame:
    kept = np.zeros_like(step.missing) if step.safety is None else step.safety.seats
    cells = pd.MultiIndex.from_tuples(
        [(*name, year) for name in names for year in years],
        names=["stage", "area", "school_year"],
    )
    columns = {"kept_free": kept.ravel(), "missing": step.missing.ravel()}
    table = pd.DataFrame(columns, index=cells)
    return table.sort_values("missing", ascending=False, kind="stable").reset_index()
