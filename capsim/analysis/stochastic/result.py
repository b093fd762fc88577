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
from capsim.lp.array_types import Array
from capsim.lp.options_and_result import NotInTime, SolverError
from capsim.lp.solvers import solve
from capsim.model.costs import MILLION
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solution_arrays import totals
from capsim.plan.solver import break_ties


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
        kind = NotInTime if found.status == "unknown" else SolverError
        raise kind(f"the recourse of {realisations.names[realisation]!r} ended {found.status}")
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
    first, probability = realisations.first, realisations.probability
    plans, rows = {}, []
    pairs = zip(realisations.models, columns, strict=True)
    costs = realisations.costs(columns)
    for name, weight, cost, (model, x) in zip(
        realisations.names, probability, costs, pairs, strict=True
    ):
        rows.append(
            {
                "realisation": name,
                "probability": weight,
                "cost_cny": cost * MILLION,
                "decided_cny": float(model.program.cost[first] @ x[first]) * MILLION,
                **totals(model, x),
            }
        )
        plans[name] = make_plan(
            model,
            break_ties(model, x),
            bound=-np.inf,
            solver=method,
            asked_gap=asked_gap,
            proved=False,
        )
    value = measure.value(costs, probability)
    bound = min(found.bound + measure.constant(realisations.committed, probability), value)
    gap = (value - bound) / max(float(probability @ (costs - realisations.committed)), 1.0)
    contracts = realisations.models[0].columns.contract
    signed_now = np.isin(contracts[contracts >= 0], first).all()
    return TwoStagePlan(
        status="optimal" if gap <= asked_gap * 1.01 + 1e-9 else "gap",
        measure=measure,
        method=method,
        rounds=found.rounds,
        cuts=found.cuts,
        gap=gap,
        objective_cny=value * MILLION,
        bound_cny=bound * MILLION,
        decisions=MappingProxyType(_decisions(plans[realisations.names[0]], bool(signed_now))),
        realisations=pd.DataFrame(rows),
        plans=MappingProxyType(plans),
    )


def _decisions(plan: Plan, signed_now: bool) -> dict[str, pd.DataFrame]:
    """Return the tables of the first stage, the same in the plan of any realisation."""
    closed, bought = plan.tables["closures"], plan.tables["purchases"]
    closed = closed[closed["how"] != "run_down"]
    signed = bought[(bought["contract"] > 0) & signed_now]
    return {
        "openings": plan.tables["openings"],
        "conversions": plan.tables["conversions"][["school", "stage", "converts"]],
        "closures": closed[["school", "stage", "how", "from_year"]].reset_index(drop=True),
        "contracts": signed[["school", "stage", "school_year"]].reset_index(drop=True),
    }
