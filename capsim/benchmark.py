"""Time a scenario's plan on this machine: build, hand-over and solve, by any solver.

`bench` measures, `described` says on which machine and with which libraries, `timings_text` writes
both for one screen, `profiles` draws how near each solver was to the best plan when, and
`bench_files` makes all of these files of one folder.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from capsim.demand.projection import project
from capsim.i18n.language import left, right, words
from capsim.lp.highs import News
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverResult
from capsim.lp.program import Builder
from capsim.lp.solvers import solve
from capsim.model.costs import MILLION
from capsim.model.model import formulate
from capsim.plan.solver import search
from capsim.report.figures.plan_figures import in_style
from capsim.report.figures.style import new_figure, render_both
from capsim.report.summary import plain, to_json

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
        bound), above_best (share by which the objective is above the lowest of all solvers),
        incumbents, trace and primal_integral_s. The trace is of the first run: seconds, objective
        and bound (RMB, None where there is none yet) of each better plan as it was found (HiGHS,
        where it searches a program whole); of others the end alone is known, which `incumbents`
        says. The primal integral is the area under the distance to the best plan of all solvers
        (1 without a plan), until the slowest of them ended: seconds, the less the better.

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
    traces: dict[str, list[News]] = {name: [] for name in solvers}
    for number in range(1, repeats + 1):
        for solver, found in runs.items():
            progress(f"{TIMING}, {solver}, run {number} of {repeats}")
            spent = cpu_s()
            model = formulate(scenario, demand)
            program = model.program.relaxed() if relax else model.program
            told = partial(_keep, traces[solver]) if number == 1 else None
            solution = search(model, program, replace(solving, solver=solver, progress=told))
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
    for name, row in summed.items():
        row |= _course(traces[name], runs[name][0][2])
    last = max(row["trace"][-1][0] for row in summed.values())
    for row in summed.values():
        row["primal_integral_s"] = primal_integral(row["trace"], min(planned, default=None), last)
    return {
        "scenario": {"name": scenario.name, "hash": scenario.hash},
        "relax": relax,
        "gap": solving.gap,
        "program": size,
        "project_s": project_s,
        "solvers": summed,
        "machine": described(),
    }


def _keep(trace: list[News], words: str) -> None:
    """Keep what a solver tells in numbers; words alone say nothing of a solution."""
    if isinstance(words, News):
        trace.append(words)


def _course(news: Sequence[News], end: SolverResult) -> dict[str, Any]:
    """Return what was known of a search when, the end last."""
    points = [(one.seconds, one.objective, one.bound) for one in news]
    points = [point for point in points if point[0] <= end.seconds]
    points.append((end.seconds, end.objective if end.x is not None else np.inf, end.bound))

    def in_cny(value: float) -> float | None:
        return value * MILLION if abs(value) < ENDLESS else None

    trace = [[seconds, in_cny(value), in_cny(bound)] for seconds, value, bound in points]
    return {"incumbents": "as found" if news else "at the end only", "trace": trace}


ENDLESS = 1e20
"""From which on a number of a solver stands for none."""


def primal_integral(
    trace: Sequence[Sequence[float | None]], best_cny: float | None, until_s: float
) -> float | None:
    """Return the area under the distance to the best objective: seconds, the less the better.

    Source: T. Berthold, Measuring the impact of primal heuristics, Operations Research Letters 41
    (2013) 611-614.

    Parameters
    ----------
    trace
        Seconds and objective (None where there is none), in order.
    best_cny
        Of all solvers; None where none found a plan.
    until_s
        Seconds that count, the last distance until the end.

    Examples
    --------
    >>> primal_integral([[2.0, 200.0], [4.0, 100.0]], 100.0, 10.0)
    3.0
    """
    if best_cny is None:
        return None
    area, since, distance = 0.0, 0.0, 1.0
    for seconds, objective, *_ in trace:
        assert seconds is not None
        area += distance * (min(seconds, until_s) - since)
        since = min(seconds, until_s)
        if objective is not None:
            distance = above(objective, best_cny)
    return area + distance * (until_s - since)


def above(objective_cny: float, best_cny: float) -> float:
    """Return how far an objective is above the best one, as a share of the larger, at most 1.

    Examples
    --------
    >>> above(200.0, 100.0), above(100.0, 100.0), above(0.0, 0.0)
    (0.5, 0.0, 0.0)
    """
    larger = max(abs(objective_cny), abs(best_cny))
    return min(abs(objective_cny - best_cny) / larger, 1.0) if larger > 0 else 0.0


LEAST_SHOWN = 1e-6
"""Distance to the best plan below which a profile counts as having reached it."""


@in_style
def profiles(found: Sequence[Mapping[str, Any]], lang: str = "en") -> Any:
    """Draw how far each solver was above the best plan of all when; a panel for each scenario."""
    say = words(lang)
    columns = min(3, len(found))
    lines = -(-len(found) // columns)
    figure = new_figure(1.0 + 4.2 * columns, 0.8 + 3.0 * lines)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax, one in zip(axes, found, strict=False):
        rows = one["solvers"]
        costs = (row["objective_cny"] for row in rows.values())
        best = min((cost for cost in costs if cost is not None), default=0.0)
        last = max(row["trace"][-1][0] for row in rows.values())
        for (name, row), look in zip(rows.items(), cycle(LINES)):
            points = [(s, above(o, best)) for s, o, _ in row["trace"] if o is not None]
            x, y = [s for s, _ in points], [max(g, LEAST_SHOWN) for _, g in points]
            if points:
                x, y = [*x, last * 1.1], [*y, y[-1]]
            whole = "" if row["incumbents"] == "as found" else say(" (end alone known)")
            ax.step(x, y, look, where="post", label=f"{name}{whole}", markersize=4)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(LEAST_SHOWN / 1.5, 1.5)
        size = say("{number} columns", number=say.count(one["program"]["columns"]))
        ax.set_title(f"{one['scenario']['name']}{say.colon}{size}", fontsize=9)
        ax.set_xlabel(say("seconds of the search"))
        ax.legend(fontsize=7)
    for ax in axes[::columns]:
        ax.set_ylabel(say("above the best plan of all, share"))
    for ax in axes[len(found) :]:
        ax.remove()
    figure.suptitle(say("How near to the best plan, and when"), x=0.01, ha="left")
    return figure


LINES = ("-o", "--s", ":^", "-.D", "-v", "--P")


def bench_files(
    found: Sequence[Mapping[str, Any]], lang: str = "en"
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a benchmark: JSON, text and figure."""
    yield BENCH_MARK, to_json(plain({"benchmarks": list(found)})).encode()
    yield "timings.txt", "\n".join(timings_text(one, lang) for one in found).encode()
    svg, png = render_both(profiles(found, lang))
    yield "profiles.svg", svg
    yield "profiles.png", png


BENCH_MARK = "benchmark.json"
"""The file by which a folder is known to be a benchmark."""


TIMING = "timing"
"""The phase of every run."""


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


SHOWN = ("numpy", "scipy", "highspy", "pulp")
"""Libraries whose versions are shown; the others build no program and solve none."""


def timings_text(found: Mapping[str, Any], lang: str = "en") -> str:
    """Write what `capsim.benchmark.bench` gives as lines for one screen."""
    say = words(lang)
    size, machine = found["program"], found["machine"]
    kind = say("linear relaxation")
    if not found["relax"]:
        kind = say("gap {share}", share=say.share(found["gap"]))
    runs = next(iter(found["solvers"].values()))["runs"]
    text = "{name}: {columns} columns, {rows} rows, {nonzeros} nonzeros, {integers} whole; {kind}."
    name = found["scenario"]["name"]
    lines = [
        say(text, name=name, kind=kind, **{key: say.count(number) for key, number in size.items()}),
        say(
            "Enrolment projected in {seconds} s. Seconds, medians of {number} runs:",
            seconds=f"{found['project_s']:.3f}",
            number=runs,
        ),
        "",
        left(say("solver"), 13)
        + "".join(
            right(head, 10) for head in (say("build"), say("hand-over"), say("solve"), say("CPU"))
        )
        + right(say("status"), 11)
        + right(say("decided here"), 18)
        + right(say("proved"), 9)
        + right(say("above"), 9),
    ]
    for name, row in found["solvers"].items():
        cells = [f"{row[key]:.3f}" for key in ("build_s", "hand_over_s", "solve_s", "cpu_s")]
        cost = "–" if row["objective_cny"] is None else say.money(row["objective_cny"])
        shares = (row[key] for key in ("proved_gap", "above_best"))
        lines.append(
            left(name, 13)
            + "".join(right(cell, 10) for cell in cells)
            + right(say(row["status"]), 11)
            + right(cost, 18)
            + "".join(right("–" if part is None else say.share(part), 9) for part in shares)
        )
    versions = ", ".join(f"{name} {machine[name]}" for name in SHOWN)
    text = "{processors} × {processor}, {memory}, load {load}; {system},"
    lines += ["", say(text, **machine), f"Python {machine['python']}, {versions}."]
    return "\n".join(lines) + "\n"
