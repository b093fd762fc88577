"""Time a scenario's plan on this machine: build, hand-over and solve, by any solver.

`bench` measures, `described` says on which machine and with which libraries, `timings_text` writes
both for one screen.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from capsim.demand.projection import project
from capsim.i18n.language import left, right, words
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverResult
from capsim.lp.program import Builder
from capsim.lp.solvers import solve
from capsim.model.costs import MILLION
from capsim.model.model import formulate
from capsim.plan.solver import search

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


def bench(
    scenario: Scenario,
    solvers: Sequence[str] = ("highs",),
    *,
    relax: bool = False,
    repeats: int = 3,
    progress: Callable[[str], None] = lambda phase: None,
    **options: Unpack[SolveKeywords],
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
    progress
        Called with the name of each phase as it begins.
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``; of each run.

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
    solving = SolveOptions.of(bench, options, without=["solver"])
    for solver in solvers:
        _warm_up(solver)
    progress("projecting enrolment")
    begin = time.perf_counter()
    demand = project(scenario)
    project_s = time.perf_counter() - begin
    size: dict[str, int] = {}
    runs: dict[str, list[tuple[float, float, SolverResult]]] = {name: [] for name in solvers}
    for number in range(1, repeats + 1):
        for solver, found in runs.items():
            progress(f"{solver}, run {number} of {repeats}")
            spent = cpu_s()
            model = formulate(scenario, demand)
            program = model.program.relaxed() if relax else model.program
            solution = search(model, program, replace(solving, solver=solver))
            found.append((model.build_s, cpu_s() - spent, solution))
            rows, columns = program.matrix.shape
            size = {"columns": columns, "rows": rows, "nonzeros": int(program.matrix.nnz)}
            size["integers"] = int(program.integer.sum())
    summed = {name: _summed(found, solving.gap) for name, found in runs.items()}
    planned = [row["objective_cny"] for row in summed.values() if row["objective_cny"] is not None]
    for row in summed.values():
        above = None
        if row["objective_cny"] is not None:
            above = (row["objective_cny"] - min(planned)) / max(abs(min(planned)), MILLION)
        row["above_best"] = above
    return {
        "scenario": {"name": scenario.name, "hash": scenario.hash},
        "relax": relax,
        "gap": solving.gap,
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
    solve(tiny.freeze(), solver=solver)


WORST_FIRST = ("error", "unbounded", "infeasible", "unknown", "stopped", "optimal")


def _summed(runs: Sequence[tuple[float, float, SolverResult]], gap: float) -> dict[str, Any]:
    solutions = [solution for _, _, solution in runs]
    worst = min(solutions, key=lambda one: WORST_FIRST.index(one.status))
    found = worst.x is not None
    proved = (worst.objective - worst.bound) / max(abs(worst.objective), 1.0) if found else np.inf
    unproved = worst.status == "optimal" and proved > gap + 1e-9
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


LIBRARIES = ("numpy", "scipy", "pandas", "highspy", "pulp", "linopy", "xarray", "pyomo")


def cpu_s() -> float:
    """Return processor seconds of this process and of the children it has waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited.ru_utime + waited.ru_stime


def described() -> dict[str, str]:
    """Describe this machine and the libraries in use."""
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _from("/proc/cpuinfo", "model name") or platform.processor(),
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": _gigabytes(_from("/proc/meminfo", "MemTotal")),
        "load": " ".join(f"{part:.1f}" for part in os.getloadavg()),
    }
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _gigabytes(kilobytes: str) -> str:
    """Write what `/proc/meminfo` says (`24684084 kB`) in a unit that people know."""
    number = kilobytes.split()[0] if kilobytes else ""
    return f"{int(number) * 1024 / 1e9:.0f} GB" if number.isdigit() else kilobytes


def _from(path: str, key: str) -> str:
    """Return the value of a key in a file of ``key: value`` lines; blank where it is missing."""
    file = Path(path)
    if not file.exists():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


EN = words("en")
SHOWN = ("numpy", "scipy", "highspy", "pulp")
"""Libraries whose versions are shown; the others build no program and solve none."""


def timings_text(found: Mapping[str, Any]) -> str:
    """Write what `capsim.benchmark.bench` gives as lines for one screen."""
    size, machine = found["program"], found["machine"]
    kind = "linear relaxation" if found["relax"] else f"gap {EN.share(found['gap'])}"
    runs = next(iter(found["solvers"].values()))["runs"]
    often = "once" if runs == 1 else f"medians of {runs} runs"
    name = found["scenario"]["name"]
    lines = [
        f"{name}: {EN.count(size['columns'])} columns, {EN.count(size['rows'])} rows,"
        f" {EN.count(size['nonzeros'])} nonzeros, {EN.count(size['integers'])} whole; {kind}.",
        f"Enrolment projected in {found['project_s']:.3f} s. Seconds, {often}:",
        "",
        left("solver", 13)
        + "".join(right(head, 10) for head in ("build", "hand-over", "solve", "CPU"))
        + right("status", 11)
        + right("decided here", 18)
        + right("proved", 9)
        + right("above", 9),
    ]
    for name, row in found["solvers"].items():
        cells = [f"{row[key]:.3f}" for key in ("build_s", "hand_over_s", "solve_s", "cpu_s")]
        cost = "–" if row["objective_cny"] is None else EN.money(row["objective_cny"])
        lines.append(
            left(name, 13)
            + "".join(right(cell, 10) for cell in cells)
            + right(row["status"], 11)
            + right(cost, 18)
            + right(_share(row["proved_gap"]), 9)
            + right(_share(row["above_best"]), 9)
        )
    versions = ", ".join(f"{name} {machine[name]}" for name in SHOWN)
    lines += [
        "",
        f"{machine['processors']} × {machine['processor']}, {machine['memory']},"
        f" load {machine['load']}; {machine['system']},",
        f"Python {machine['python']}, {versions}.",
    ]
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "–" if value is None else EN.share(value)
