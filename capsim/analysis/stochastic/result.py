"""The result of planning under uncertainty: decisions now, and a plan for each realisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from capsim.analysis.stochastic.benders import FirstStage
from capsim.analysis.stochastic.realisations import Realisations
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
    """Decisions that stand in every realisation, and what follows in each.

    Attributes
    ----------
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible`` (no decisions leave every realisation a plan).
    gap : float
        ``(objective − bound) ÷ max(mean avoidable cost, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny : float
        The measure of the realisations' discounted costs, RMB, and what no decisions can beat.
    measure : Mean, CVaR or Regret
    decisions : mapping of frames
        ``openings`` (project, opens, copies), ``conversions`` (school, stage, converts),
        ``closures`` (school, stage, how, from_year), ``contracts`` (school, stage, school_year;
        empty where contracts are signed later).
    realisations : frame
        ``realisation``, ``probability``, ``cost_cny`` (discounted, committed cost included),
        ``decided_cny`` (the part the decisions fix), ``shortfall``, ``displaced``, ``purchased``,
        ``opened``, ``converted``, ``private_share`` (see ``docs/uncertainty.md``).
    plans : mapping of Plan
        By realisation: the cheapest plan with these decisions. Its own bound is not known.
    method : str
        ``extensive`` or ``l-shaped``.
    rounds, cuts : int
        Of the L-shaped method's master.
    """

    status: str
    measure: Measure
    method: str
    rounds: int
    cuts: int
    gap: float = float("nan")
    objective_cny: float = float("nan")
    bound_cny: float = float("nan")
    decisions: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    realisations: pd.DataFrame = field(default_factory=pd.DataFrame)
    plans: Mapping[str, Plan] = field(default_factory=lambda: MappingProxyType({}))


def recourse_of(realisations: Realisations, realisation: int, first: Array) -> Array | None:
    """Return the cheapest columns of a realisation with the first stage given; None without any."""
    program = realisations.models[realisation].program
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[realisations.first] = upper[realisations.first] = first
    fixed = replace(program, lower=lower, upper=upper)
    found = solve(fixed.relaxed() if realisations.linear_recourse else fixed, gap=1e-6)
    if found.status == "infeasible":
        return None
    if found.x is None:
        raise SolverError(
            f"the recourse of {realisations.names[realisation]!r} ended {found.status}"
        )
    return program.rounded(found.x)


def make_result(
    realisations: Realisations,
    measure: Measure,
    found: FirstStage,
    *,
    method: str,
    asked_gap: float,
) -> TwoStagePlan:
    """Compute every realisation's plan with these decisions, and the measure of their costs."""
    if found.first is None:
        return TwoStagePlan("infeasible", measure, method, found.rounds, found.cuts)
    solved = [recourse_of(realisations, s, found.first) for s in range(realisations.count)]
    columns = [x for x in solved if x is not None]
    if len(columns) < realisations.count:
        raise SolverError(
            "the decisions found leave a realisation without a plan: a rounding error"
        )
    cost = np.array(
        [float(m.program.cost @ x) for m, x in zip(realisations.models, columns, strict=True)]
    )
    probability, committed = realisations.probability, realisations.committed
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
        for name, model, x in zip(realisations.names, realisations.models, columns, strict=True)
    }
    rows = [
        {
            "realisation": name,
            "probability": p,
            "cost_cny": c * MILLION,
            "decided_cny": float(m.program.cost[realisations.first] @ x[realisations.first])
            * MILLION,
            **totals(m, x),
        }
        for name, p, c, m, x in zip(
            realisations.names, probability, cost, realisations.models, columns, strict=True
        )
    ]
    return TwoStagePlan(
        status="optimal" if gap <= asked_gap * 1.01 + 1e-9 else "gap",
        measure=measure,
        method=method,
        rounds=found.rounds,
        cuts=found.cuts,
        gap=gap,
        objective_cny=value * MILLION,
        bound_cny=bound * MILLION,
        decisions=MappingProxyType(_decisions(realisations, columns[0])),
        realisations=pd.DataFrame(rows),
        plans=MappingProxyType(plans),
    )


def _decisions(realisations: Realisations, x: Array) -> dict[str, pd.DataFrame]:
    """Tables of the first stage; the same whichever realisation's solution they are read from."""
    model = realisations.models[0]
    solved = Solution(model.parts, x)
    closures = closures_table(solved)
    return {
        "openings": openings_table(solved),
        "conversions": conversions_table(solved)[["school", "stage", "converts"]],
        "closures": closures.loc[
            closures["how"] != "run_down", ["school", "stage", "how", "from_year"]
        ].reset_index(drop=True),
        "contracts": _contracts(realisations, model, x),
    }


def _contracts(realisations: Realisations, model: Model, x: Array) -> pd.DataFrame:
    column, given = model.columns.contract, model.given
    signed = np.isin(column, realisations.first) & (np.where(column >= 0, x[column], 0.0) > 0.5)
    j, t = np.nonzero(signed)
    return pd.DataFrame(
        {
            "school": given.providers.school[j],
            "stage": model.parts.stage_names[given.providers.stage[j]],
            "school_year": given.space.years[t],
        }
    )
