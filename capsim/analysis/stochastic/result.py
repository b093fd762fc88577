"""What a plan under uncertainty gives: decisions taken now, and a whole plan for each future."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from capsim.analysis.stochastic.benders import Found
from capsim.analysis.stochastic.realisations import Futures
from capsim.analysis.stochastic.risk import Measure
from capsim.lp.arrays import Array
from capsim.lp.solution import SolverError
from capsim.lp.solvers import solve
from capsim.model.model import Model
from capsim.plan.plan import MILLION, Plan, make_plan
from capsim.plan.solution import Solution, totals
from capsim.plan.tables import closures_table, conversions_table, openings_table
from capsim.plan.tie_break import break_ties


@dataclass(frozen=True)
class TwoStagePlan:
    """Decisions that stand in every future, and what follows in each.

    Attributes
    ----------
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible`` (no decisions leave every future a plan).
    gap : float
        ``(objective − bound) ÷ max(mean avoidable cost, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny : float
        The measure of the futures' discounted costs, RMB, and what no decisions can beat.
    measure : Mean, CVaR or Regret
    decisions : mapping of frames
        ``openings`` (project, opens, copies), ``conversions`` (school, stage, converts),
        ``closures`` (school, stage, how, from_year), ``contracts`` (school, stage, school_year;
        empty where contracts are signed later).
    futures : frame
        ``future``, ``probability``, ``cost_cny`` (discounted, committed cost included),
        ``decided_cny`` (the part the decisions fix), ``shortfall``, ``displaced``, ``purchased``,
        ``opened``, ``converted``, ``private_share`` (see ``docs/uncertainty.md``).
    plans : mapping of Plan
        By future: the cheapest plan with these decisions. Its own bound is not known.
    method : str
        ``extensive`` or ``l-shaped``.
    rounds, cuts : int
        Of the L-shaped method's master.
    """

    status: str
    gap: float
    objective_cny: float
    bound_cny: float
    measure: Measure
    decisions: Mapping[str, pd.DataFrame]
    futures: pd.DataFrame
    plans: Mapping[str, Plan]
    method: str
    rounds: int
    cuts: int


def recourse_of(futures: Futures, future: int, first: Array) -> Array | None:
    """Return the cheapest columns of a future with the first stage given; None where none are."""
    program = futures.models[future].program
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[futures.first] = upper[futures.first] = first
    held = replace(program, lower=lower, upper=upper)
    if futures.linear_recourse:
        held = held.relaxed()
    found = solve(held, gap=1e-6)
    if found.status == "infeasible":
        return None
    if found.x is None:
        raise SolverError(f"the recourse of {futures.names[future]!r} ended {found.status}")
    x = np.where(program.integer, np.round(found.x), found.x)
    return np.asarray(x, np.float64)


def make_result(
    futures: Futures, measure: Measure, found: Found, *, method: str, asked_gap: float
) -> TwoStagePlan:
    """Work out every future's plan with the decisions found, and the measure of their costs."""
    if found.first is None:
        nan = float("nan")
        return TwoStagePlan(
            "infeasible", nan, nan, nan, measure, MappingProxyType({}), pd.DataFrame(),
            MappingProxyType({}), method, found.rounds, found.cuts,
        )  # fmt: skip
    solved = [recourse_of(futures, s, found.first) for s in range(futures.count)]
    columns = [x for x in solved if x is not None]
    if len(columns) < futures.count:
        raise SolverError("the decisions found leave a future without a plan: a rounding error")
    cost = np.array(
        [float(m.program.cost @ x) for m, x in zip(futures.models, columns, strict=True)]
    )
    probability, committed = futures.probability, futures.committed
    value = measure.value(cost, probability)
    bound = min(found.bound + measure.constant(committed, probability), value)
    scale = max(float(probability @ (cost - committed)), 1.0)
    gap = (value - bound) / scale
    plans = {
        name: make_plan(
            model,
            break_ties(model, x),
            bound=-np.inf,
            solver=method,
            asked_gap=asked_gap,
            proved=False,
        )
        for name, model, x in zip(futures.names, futures.models, columns, strict=True)
    }
    rows = [
        {
            "future": name,
            "probability": p,
            "cost_cny": c * MILLION,
            "decided_cny": float(m.program.cost[futures.first] @ x[futures.first]) * MILLION,
            **totals(m, x),
        }
        for name, p, c, m, x in zip(
            futures.names, probability, cost, futures.models, columns, strict=True
        )
    ]
    return TwoStagePlan(
        status="optimal" if gap <= asked_gap * 1.01 + 1e-9 else "gap",
        gap=gap,
        objective_cny=value * MILLION,
        bound_cny=bound * MILLION,
        measure=measure,
        decisions=MappingProxyType(_decisions(futures, columns[0])),
        futures=pd.DataFrame(rows),
        plans=MappingProxyType(plans),
        method=method,
        rounds=found.rounds,
        cuts=found.cuts,
    )


def _decisions(futures: Futures, x: Array) -> dict[str, pd.DataFrame]:
    """Tables of the first stage; the same whichever future's solution they are read from."""
    model = futures.models[0]
    solved = Solution(model.parts, x)
    closures = closures_table(solved)
    return {
        "openings": openings_table(solved),
        "conversions": conversions_table(solved)[["school", "stage", "converts"]],
        "closures": closures.loc[
            closures["how"] != "run_down", ["school", "stage", "how", "from_year"]
        ].reset_index(drop=True),
        "contracts": _contracts(futures, model, x),
    }


def _contracts(futures: Futures, model: Model, x: Array) -> pd.DataFrame:
    column, given = model.columns.contract, model.given
    signed = np.isin(column, futures.first) & (np.where(column >= 0, x[column], 0.0) > 0.5)
    j, t = np.nonzero(signed)
    return pd.DataFrame(
        {
            "school": given.providers.school[j],
            "stage": model.parts.stage_names[given.providers.stage[j]],
            "school_year": given.space.years[t],
        }
    )
