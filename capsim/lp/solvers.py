"""Solve a program by any solver: ``highs`` (default), ``scipy``, or any that PuLP knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Unpack

import numpy as np
from scipy.sparse import csr_array

from capsim.i18n.language import Message
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverError, SolverResult
from capsim.lp.parallel_solves import Clock
from capsim.lp.program import LinearProgram

BROKEN = 1e-4
"""Part of a row's largest coefficient by which a relaxation breaks it, to have it added."""
SEPARATIONS = 200
"""Rounds of rows at most; the few that are ever needed add less and less."""


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


def tightened(
    program: LinearProgram, name: str, rows: csr_array, time_limit: float | None = None
) -> LinearProgram:
    """Add those of the rows ``≤ 0`` that the relaxation breaks (cutting planes).

    Parameters
    ----------
    program : LinearProgram
    name : str
        Of the rows that are added.
    rows : sparse ``[row, column]``
        Kept by every solution in whole numbers.
    time_limit : float, optional
        Seconds; what was added by then stays.

    Examples
    --------
    A school for at most 4 children, who are 2: half of it may not hold both of them.

    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=-9.0, upper=2.0)
    >>> z = m.variables("z", 1, cost=8.0, upper=1.0, integer=True)
    >>> m.constrain("places", 1, [(0, x, 1.0), (0, z, -4.0)], upper=0.0)
    >>> tight = tightened(m.freeze(), "siting", csr_array([[1.0, -2.0]]))
    >>> [round(solve(p.relaxed()).objective, 6) for p in (m.freeze(), tight)]
    [-14.0, -10.0]
    """
    if not rows.shape[0]:
        return program
    clock = Clock(time_limit)
    size = np.maximum(abs(rows).max(axis=1).toarray().ravel(), 1.0)
    highs, added = Highs(program.relaxed()), np.zeros(rows.shape[0], bool)
    for _ in range(SEPARATIONS):
        highs.set(clock.limit())
        found = highs.solve()
        if found.x is None or found.status != "optimal" or clock.out():
            break
        broken = np.flatnonzero((rows @ found.x > BROKEN * size) & ~added)
        if not len(broken):
            break
        added[broken] = True
        none = np.full(len(broken), -np.inf)
        highs.add_rows(csr_array(rows[broken]), none, np.zeros(len(broken)))
    if not added.any():
        return program
    return program.with_rows(name, csr_array(rows[np.flatnonzero(added)]), upper=0.0)


def _check_finite(program: LinearProgram) -> None:
    """Refuse numbers that are not finite: solvers take them in different ways, some silently."""
    factors = ((Message("a cost"), program.cost), (Message("a coefficient"), program.matrix.data))
    bounds = (
        (Message("a column bound"), (program.lower, program.upper)),
        (Message("a row bound"), (program.row_lower, program.row_upper)),
    )
    bad = [name for name, value in factors if not np.isfinite(value).all()]
    bad += [name for name, pair in bounds if any(np.isnan(b).any() for b in pair)]
    if bad:
        text = "the program is refused: {names} is not finite"
        raise SolverError(Message(text, {"names": tuple(bad)}))
