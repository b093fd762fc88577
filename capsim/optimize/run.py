"""Solve a scenario to a plan: build, hand over, solve, settle, read back."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp import Solution, SolverError
from capsim.optimize.explain import explain_infeasible
from capsim.optimize.model import Model, formulate
from capsim.optimize.plan import Plan, make_plan
from capsim.optimize.search import search
from capsim.optimize.settle import settle

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from capsim.demand import Demand
    from capsim.scenario import Scenario


def optimize(
    scenario: Scenario | Model,
    demand: Demand | None = None,
    *,
    solver: str = "highs",
    gap: float = 1e-3,
    time_limit: float | None = None,
    threads: int | None = None,
    relax: bool = False,
    executor: Executor | None = None,
) -> Plan:
    """Find the cheapest plan that gives every child a place under the scenario's policies.

    Parameters
    ----------
    scenario : Scenario or Model
        A model from :func:`formulate` may have been given another program of the same columns.
    demand : Demand, optional
        Children to be placed; projected where not given.
    solver : str
        ``highs``, ``scipy``, ``cbc``, ``pulp-highs`` or any solver PuLP lists.
    gap : float
        Proved share of the avoidable cost at which the search may stop.
    time_limit : float, optional
        Seconds of search; a plan it ends has status ``gap``, never ``optimal``.
    threads : int, optional
        For HiGHS where it solves a program whole; counties are searched two at a time.
    relax : bool
        Solve the linear relaxation only (openings and conversions may then be fractions).
    executor : concurrent.futures.Executor, optional
        Whose workers search the counties of a large city (see ``capsim.runs.cluster``); threads
        here where not given. Without a time limit the plan is the same. Ctrl-C leaves it as soon as
        the searches that have begun there end.

    Returns
    -------
    Plan
        With status ``infeasible`` and an explanation where the scenario's rules contradict each
        other.

    Raises
    ------
    ValueError
        If the demand is not one of the scenario, or gap or time limit are none.
    SolverError
        If the solver is unknown, fails, or finds nothing within the time limit.
    WorkerLost
        If a worker of the executor died and nobody did its part again.
    """
    begin = time.perf_counter()
    if isinstance(scenario, Model):
        model = scenario
        projected = 0.0
    else:
        if demand is None:
            from capsim.demand import project

            demand = project(scenario)
        projected = time.perf_counter() - begin
        model = formulate(scenario, demand)
    program = model.program.relaxed() if relax else model.program
    found = search(
        model,
        program,
        solver,
        gap=gap,
        time_limit=time_limit,
        threads=threads,
        executor=executor,
    )
    timings = {
        "project": projected,
        "build": model.build_s,
        "hand_over": found.hand_over_s,
        "solve": found.seconds,
    }
    if found.status == "infeasible":
        return _infeasible(model, found, timings)
    if found.x is None:
        raise SolverError(_nothing(found, time_limit))
    mark = time.perf_counter()
    x = found.x.copy()
    x[program.integer] = np.round(x[program.integer])
    settled = x if relax else settle(model, x)
    timings["second_solve"] = time.perf_counter() - mark
    mark = time.perf_counter()
    plan = make_plan(
        model,
        settled,
        bound=found.bound,
        solver=found.solver,
        asked_gap=gap,
        proved=found.status == "optimal",
        timings_s=timings,
        solution=found if relax else None,
    )
    timings["extract"] = time.perf_counter() - mark
    object.__setattr__(plan, "timings_s", MappingProxyType(timings))
    return plan


def _nothing(found: Solution, time_limit: float | None) -> str:
    if found.status == "unknown" and time_limit is not None:
        return f"{found.solver} found no plan within {time_limit:g} s; allow more time"
    return f"{found.solver} ended without a plan: {found.status}"


def _infeasible(model: Model, found: Solution, timings: dict[str, float]) -> Plan:
    mark = time.perf_counter()
    explanation = explain_infeasible(model)
    timings["second_solve"] = time.perf_counter() - mark
    nan = float("nan")
    return Plan(
        scenario=model.given.scenario,
        demand=model.given.demand,
        status="infeasible",
        gap=nan,
        objective_cny=nan,
        bound_cny=nan,
        committed_cny=model.committed_cny,
        solver=found.solver,
        timings_s=MappingProxyType(timings),
        tables=MappingProxyType({}),
        explanation=explanation,
    )
