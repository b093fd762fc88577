"""The bridge to PuLP: the same program as a ``pulp.LpProblem``, and any PuLP solver by name.

PuLP keeps no bound of its solvers; `proved_bound` says what one that it ran has proved.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from capsim.i18n.language import Message
from capsim.lp.array_types import Array
from capsim.lp.options_and_result import SolveOptions, SolverError, SolverResult
from capsim.lp.program import LinearProgram, unique_names

TIGHTER = 0.99
"""Of the gap asked for, what a solver is: the rest is for tidying its tolerances away."""


def to_pulp(program: LinearProgram, name: str = "capsim") -> Any:
    """Return the program as a ``pulp.LpProblem`` with readable names.

    Column ``i`` of the program is variable ``i`` of the problem (``problem.capsim_columns[i]``).
    Rows that are bounded on both sides without being equations become two constraints, ``…_low``
    and ``…_high``.
    """
    import pulp

    problem = pulp.LpProblem(name, pulp.LpMinimize)
    variables = []
    names = unique_names(program.column_names())
    for label, low, high, whole in zip(
        names, program.lower, program.upper, program.integer, strict=True
    ):
        variables.append(
            problem.add_variable(
                label,
                lowBound=None if math.isinf(low) else float(low),
                upBound=None if math.isinf(high) else float(high),
                cat=pulp.LpInteger if whole else pulp.LpContinuous,
            )
        )
    used = np.flatnonzero(program.cost)
    objective = pulp.LpAffineExpression(
        zip([variables[i] for i in used], program.cost[used].tolist(), strict=True)
    )
    problem.setObjective(objective + program.offset)
    matrix = program.matrix.tocsr()
    for row, label in enumerate(unique_names(program.row_names())):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        terms = [
            (variables[i], float(c))
            for i, c in zip(matrix.indices[span], matrix.data[span], strict=True)
        ]
        low, high = float(program.row_lower[row]), float(program.row_upper[row])
        for sense, bound, suffix in _sides(low, high, pulp):
            if not terms:
                if low > 0 or high < 0:
                    text = "constraint {label} has no variable and cannot hold"
                    raise SolverError(Message(text, {"label": label}))
                continue
            expression = pulp.LpAffineExpression(terms)
            problem += pulp.LpConstraint(expression, sense, name=label + suffix, rhs=bound)
    problem.capsim_columns = variables
    return problem


def _sides(low: float, high: float, pulp: Any) -> list[tuple[int, float, str]]:
    if low == high:
        return [(pulp.LpConstraintEQ, low, "")]
    both = math.isfinite(low) and math.isfinite(high)
    sides = []
    if math.isfinite(low):
        sides.append((pulp.LpConstraintGE, low, "_low" if both else ""))
    if math.isfinite(high):
        sides.append((pulp.LpConstraintLE, high, "_high" if both else ""))
    return sides


def file_bytes(program: LinearProgram, form: str) -> bytes:
    """Return a program as the content of a file for other solvers, ``lp`` (CPLEX's) or ``mps``.

    Columns and rows have readable names that such files allow, each once; a constant in the
    objective is the cost of a column that is 1, since not all solvers read one.

    Raises
    ------
    SolverError
        If there is no such form.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=1.0, integer=True)
    >>> m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    >>> b"floor: 2 x" in file_bytes(m.freeze(), "lp")
    True
    """
    if form not in ("lp", "mps"):
        raise SolverError(f"a program is written as lp or mps, not as {form!r}")
    problem = to_pulp(program.without_offset())
    with tempfile.TemporaryDirectory(prefix="capsim-") as folder:
        file = Path(folder) / f"program.{form}"
        if form == "lp":
            problem.writeLP(str(file))
        else:
            problem.writeMPS(str(file))
        return file.read_bytes()


def pulp_solver(name: str, *, gap: float | None = None, time_limit: float | None = None) -> Any:
    """Return a PuLP solver by name: ``cbc``, ``pulp-highs``, or any name PuLP lists.

    Raises
    ------
    SolverError
        If PuLP does not know the solver or it is not installed here.
    """
    import pulp

    options: dict[str, Any] = {"msg": False, "gapRel": gap, "timeLimit": time_limit}
    if name.lower() == "cbc":
        from pulp.apis.coin_api import PULP_CBC_CMD

        return pulp.COIN_CMD(path=PULP_CBC_CMD.pulp_cbc_path, **options)
    listed = list(dict.fromkeys(pulp.listSolvers()))
    wanted = "HiGHS" if name.lower() == "pulp-highs" else name
    match = {entry.lower(): entry for entry in listed}.get(wanted.lower())
    if match is None:
        text = "unknown solver {name}: expected highs, scipy, cbc, pulp-highs or one of {names}"
        raise SolverError(Message(text, {"name": repr(name), "names": tuple(listed)}))
    try:
        solver = pulp.getSolver(match, **options)
    except TypeError:
        # Some know no gap: they search on, and nothing is known of their bound.
        options.pop("gapRel")
        solver = pulp.getSolver(match, **options)
    if not solver.available():
        text = "solver {name} is known to PuLP but not installed here"
        raise SolverError(Message(text, {"name": match}))
    return solver


def solve_pulp(
    problem: Any, name: str, *, gap: float | None = None, time_limit: float | None = None
) -> tuple[str, str, float]:
    """Solve a PuLP problem in place; return status, solver and seconds.

    PuLP's ``status`` says ``Optimal`` after a time limit too, and leaves values behind where there
    is no solution: only ``sol_status`` is believed here.
    """
    import pulp

    solver = pulp_solver(name, gap=gap, time_limit=time_limit)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="capsim-") as folder:
        if hasattr(solver, "tmpDir"):
            # PuLP would leave a solver's files in the common temporary folder when it is stopped.
            solver.tmpDir = folder + os.sep
        with silent():
            problem.solve(solver)
    seconds = time.perf_counter() - begin
    status = {
        pulp.LpSolutionOptimal: "optimal",
        pulp.LpSolutionIntegerFeasible: "stopped",
        pulp.LpSolutionInfeasible: "infeasible",
        pulp.LpSolutionUnbounded: "unbounded",
    }.get(problem.sol_status, "unknown")
    return status, f"PuLP {pulp.__version__} + {name}", seconds


_silence = threading.Lock()
_silent_now: list[int] = []
"""Where standard output went before, once for each solve that runs now."""


@contextmanager
def silent() -> Iterator[None]:
    """Send nowhere what a solver prints by itself: standard output belongs to the answer.

    Several threads may solve: the first to begin turns it away, the last to end turns it back.
    """
    with _silence:
        sys.stdout.flush()
        _silent_now.append(_silent_now[0] if _silent_now else os.dup(1))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    try:
        yield
    finally:
        with _silence:
            kept = _silent_now.pop()
            if not _silent_now:
                os.dup2(kept, 1)
                os.close(kept)


def solve_by_pulp(program: LinearProgram, options: SolveOptions) -> SolverResult:
    """Solve the arrays through PuLP; the bound is what the solver proved."""
    begin = time.perf_counter()
    problem = to_pulp(program.without_offset())
    hand_over = time.perf_counter() - begin
    gap, limit = TIGHTER * options.gap, options.time_limit
    status, solver, seconds = solve_pulp(problem, options.solver, gap=gap, time_limit=limit)
    x = None
    objective, bound = float("nan"), -np.inf
    if status in ("optimal", "stopped"):
        x = read_columns(problem)[:-1]
        objective = float(program.cost @ x + program.offset)
        bound = proved_bound(problem)
    return SolverResult(
        status=status,
        x=x,
        objective=objective,
        bound=bound,
        row_dual=None,
        column_dual=None,
        solver=solver,
        seconds=seconds,
        hand_over_s=hand_over,
    )


def read_columns(problem: Any) -> Array:
    """Read the program's own columns, in order; a variable no solver saw stands at 0."""
    values = [v.varValue for v in problem.capsim_columns]
    return np.array([0.0 if value is None else float(value) for value in values])


USUAL_GAP = 1e-4
"""Relative gap at which a solver stops that was given none: HiGHS, Gurobi, CPLEX, Xpress, COPT."""
EXACT = ("COIN_CMD", "PULP_CBC_CMD", "COINMP_DLL")
"""Solvers that search on to a gap of 0 where they are given none: CBC under its names in PuLP."""
WITHOUT_GAP = {
    *("gapRel", "gapAbs", "threads", "logPath", "warmStart", "presolve", "cuts", "strong"),
    *("timeMode", "maxNodes", "maxMemory"),
}
"""PuLP's own options: apart from the first two none moves the gap."""


def proved_bound(problem: Any) -> float:
    """Return what no solution of a solved PuLP problem can beat; ``-inf`` where nothing is known.

    HiGHS in process is asked for its bound, also after a time limit. Of others only the gap they
    were told to stop at is known, and only if ``sol_status`` says that they reached it: ``gapRel``
    and ``gapAbs``, else :data:`USUAL_GAP` (CBC: 0). Options in a solver's own language may hide a
    gap, so that nothing is known after them.

    Parameters
    ----------
    problem : pulp.LpProblem
        Minimised, with a solution.

    Returns
    -------
    float
        In the unit of the problem's objective, its constant included.
    """
    import pulp

    objective = float(problem.objective.value())
    constant = float(problem.objective.constant)
    solver = problem.solver
    done = problem.sol_status == pulp.LpSolutionOptimal
    mip = bool(solver.mip) and problem.isMIP()
    if done and not mip:
        return objective
    if solver.name == "HiGHS":
        return float(problem.solverModel.getInfo().mip_dual_bound) + constant if mip else -math.inf
    options = solver.optionsDict
    if not done or solver.options or set(options) - WITHOUT_GAP:
        return -math.inf
    relative, absolute = options.get("gapRel"), options.get("gapAbs")
    if relative is None and absolute is None:
        relative = 0.0 if solver.name in EXACT else USUAL_GAP
    # Solvers differ in whether the constant counts in what the gap is a share of.
    slack = max(
        _slack(value, float(relative or 0.0)) for value in (objective, objective - constant)
    )
    return objective - max(slack, float(absolute or 0.0))


def minimises(problem: Any, program: LinearProgram) -> bool:
    """Check whether the problem made of a program still minimises what the program does."""
    import pulp

    cost = np.array([problem.objective.get(v, 0.0) for v in problem.capsim_columns])
    own = sum(1 for factor in problem.objective.values() if factor) > np.count_nonzero(cost)
    same = np.allclose(cost, program.cost, rtol=1e-12, atol=0.0)
    return bool(problem.sense == pulp.LpMinimize and same and not own)


def _slack(objective: float, gap: float) -> float:
    """Return the most by which the bound is below; a gap is a share of the larger of the two."""
    if objective >= 0.0:
        return gap * objective
    return -objective * gap / (1.0 - gap) if gap < 1.0 else math.inf
