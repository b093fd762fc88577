"""Solve a program by any solver: ``highs`` (default), ``scipy``, or any that PuLP knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Unpack

import numpy as np

from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverError, SolverResult
from capsim.lp.parallel_solves import Clock
from capsim.lp.program import LinearProgram


def solve_scipy(program: LinearProgram, solving: SolveOptions) -> SolverResult:
    """Solve ``program`` with :func:`scipy.optimize.milp`, a second opinion on the same arrays."""
    import scipy
    from scipy.optimize import Bounds, LinearConstraint, milp

    begin = time.perf_counter()
    program = program.without_offset()
    constraints = LinearConstraint(program.matrix, program.row_lower, program.row_upper)
    result = milp(
        program.cost,
        integrality=program.integer.astype(np.int64),
        bounds=Bounds(program.lower, program.upper),
        constraints=[constraints] if program.matrix.shape[0] else [],
        options={
            "mip_rel_gap": solving.gap,
            "disp": False,
            "time_limit": np.inf if solving.time_limit is None else solving.time_limit,
        },
    )
    x = None if result.x is None else np.asarray(result.x[:-1], np.float64)
    status = {0: "optimal", 1: "stopped", 2: "infeasible", 3: "unbounded"}.get(
        result.status, "error"
    )
    if status == "stopped" and x is None:
        status = "unknown"
    objective = float("nan") if result.fun is None else float(result.fun)
    bound = getattr(result, "mip_dual_bound", None)
    if not program.integer.any():
        bound = objective if status == "optimal" else -np.inf
    elif bound is not None:
        bound = float(bound)
    return SolverResult(
        status=status,
        x=x,
        objective=objective,
        bound=-np.inf if bound is None else bound,
        row_dual=None,
        column_dual=None,
        solver=f"scipy {scipy.__version__}",
        seconds=time.perf_counter() - begin,
    )


def solve(
    program: LinearProgram,
    *,
    highs: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] | None = None,
    **options: Unpack[SolveKeywords],
) -> SolverResult:
    """Minimise ``program``.

    Parameters
    ----------
    program : LinearProgram
    highs : mapping, optional
        Further options of HiGHS.
    tell : callable, optional
        Told by HiGHS in words how far the search is; it may raise to stop.
    **options : see :class:`~capsim.SolveOptions`
        The gap, 1e-4 where not given, is relative to the objective. A solve ended by its time limit
        has status ``stopped`` or ``unknown``, never ``optimal``. Nothing is done by an executor.

    Raises
    ------
    SolverError
        If the solver is unknown, missing or refuses its input, or the program is not finite.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=1.0, integer=True)
    >>> m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    >>> solve(m.freeze()).objective
    2.0
    """
    solving = SolveOptions.of(solve, options, gap=1e-4)
    _check_finite(program)
    if solving.solver == "highs":
        return Highs(program, {**solving.highs, **(highs or {})}, tell=tell).solve()
    solving = solving.within(Clock(solving.time_limit).left())
    if solving.solver == "scipy":
        return solve_scipy(program, solving)
    from capsim.lp.pulp_bridge import solve_by_pulp

    return solve_by_pulp(program, solving)


def _check_finite(program: LinearProgram) -> None:
    """Refuse numbers that are not finite: solvers take them in different ways, some silently."""
    factors = {"cost": program.cost, "coefficient": program.matrix.data}
    bounds = {
        "column bound": (program.lower, program.upper),
        "row bound": (program.row_lower, program.row_upper),
    }
    bad = [name for name, value in factors.items() if not np.isfinite(value).all()]
    bad += [name for name, pair in bounds.items() if any(np.isnan(b).any() for b in pair)]
    if bad:
        raise SolverError(f"the program is refused: a {' and a '.join(bad)} is not finite")
