"""How long a scenario's plan takes on this machine: build, hand-over and solve, by any solver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.demand import project
from capsim.lp import Builder, Solution, solve
from capsim.optimize import formulate
from capsim.optimize.plan import MILLION
from capsim.optimize.search import search
from capsim.runs.machine import cpu_s, described

if TYPE_CHECKING:
    from capsim.scenario import Scenario


def bench(
    scenario: Scenario,
    solvers: Sequence[str] = ("highs",),
    *,
    relax: bool = False,
    repeats: int = 3,
    gap: float = 1e-3,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> dict[str, Any]:
    """Time what `capsim.optimize` does before it reads a plan back, solver by solver in turn.

    Parameters
    ----------
    scenario : Scenario
    solvers : sequence of str
        As for `capsim.optimize`; ``highs`` searches large programs county by county, the others
        take every program whole.
    relax : bool
        Solve the linear relaxation.
    repeats : int
        Runs of each solver; medians count.
    gap, time_limit
        As for `capsim.optimize`; the limit in seconds, of each run.
    progress
        Called with the name of each phase as it begins.

    Returns
    -------
    dict
        scenario (name, hash), relax, gap, program (columns, rows, nonzeros, integers), project_s,
        machine (processor, memory, load, versions), and solvers: by name solver (with its
        version), runs, status (of the worst run; ``gap`` where the gap asked for is not proved),
        build_s, hand_over_s, solve_s, cpu_s (of these three: all threads and processes),
        objective_cny (avoidable, discounted; None without a plan), proved_gap (None without a
        bound) and above_best (share by which the objective is above the lowest of all solvers).

    Raises
    ------
    SolverError
        A solver is unknown or not installed.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 6000, stages=("primary", "junior"), years=(2021, 2023))
    >>> found = bench(city, ["highs", "scipy"], relax=True, repeats=1)
    >>> found["solvers"]["scipy"]["status"]
    'optimal'
    """
    for solver in solvers:
        _warm_up(solver)
    progress("projecting enrolment")
    begin = time.perf_counter()
    demand = project(scenario)
    project_s = time.perf_counter() - begin
    size: dict[str, int] = {}
    runs: dict[str, list[tuple[float, float, Solution]]] = {name: [] for name in solvers}
    for number in range(1, repeats + 1):
        for solver, found in runs.items():
            progress(f"{solver}, run {number} of {repeats}")
            spent = cpu_s()
            model = formulate(scenario, demand)
            program = model.program.relaxed() if relax else model.program
            solution = search(model, program, solver, gap=gap, time_limit=time_limit)
            found.append((model.build_s, cpu_s() - spent, solution))
            rows, columns = program.matrix.shape
            size = {"columns": columns, "rows": rows, "nonzeros": int(program.matrix.nnz)}
            size["integers"] = int(program.integer.sum())
    summed = {name: _summed(found, gap) for name, found in runs.items()}
    planned = [row["objective_cny"] for row in summed.values() if row["objective_cny"] is not None]
    for row in summed.values():
        above = None
        if row["objective_cny"] is not None:
            above = (row["objective_cny"] - min(planned)) / max(abs(min(planned)), MILLION)
        row["above_best"] = above
    return {
        "scenario": {"name": scenario.name, "hash": scenario.hash},
        "relax": relax,
        "gap": gap,
        "program": size,
        "project_s": project_s,
        "solvers": summed,
        "machine": described(),
    }


def _warm_up(solver: str) -> None:
    """Load a solver, or refuse it, before anything is timed."""
    tiny = Builder()
    column = tiny.variables("x", 1, cost=1.0, integer=True)
    tiny.constrain("floor", 1, [(0, column, 2.0)], lower=3.0)
    solve(tiny.freeze(), solver)


WORST_FIRST = ("error", "unbounded", "infeasible", "unknown", "stopped", "optimal")


def _summed(runs: Sequence[tuple[float, float, Solution]], asked_gap: float) -> dict[str, Any]:
    solutions = [solution for _, _, solution in runs]
    worst = min(solutions, key=lambda one: WORST_FIRST.index(one.status))
    found = worst.x is not None
    proved = (worst.objective - worst.bound) / max(abs(worst.objective), 1.0) if found else np.inf
    unproved = worst.status == "optimal" and proved > asked_gap + 1e-9
    return {
        "solver": worst.solver,
        "runs": len(runs),
        "status": "gap" if unproved else worst.status,
        "build_s": median(build for build, _, _ in runs),
        "hand_over_s": median(one.hand_over_s for one in solutions),
        "solve_s": median(one.seconds for one in solutions),
        "cpu_s": median(cpu for _, cpu, _ in runs),
        "objective_cny": worst.objective * MILLION if found else None,
        "proved_gap": max(proved, 0.0) if np.isfinite(proved) else None,
    }
