"""Smaller programs to solve first: columns fixed by what a linear relaxation shows.

Integers that the relaxation leaves whole are fixed (relaxation enforced neighbourhood search, RENS;
Berthold 2014), columns whose reduced cost is high are left out (reduced-cost fixing). Neither is
exact: a fixed program gives a first solution, from which the whole is searched. What a cheaper
solution than that cannot have (`without_dearer`) is exact, and leaves less to search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from capsim.lp.array_types import Array, Index
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveOptions, SolverResult
from capsim.lp.parallel_solves import Clock
from capsim.lp.program import LinearProgram

FIRST_FOUND = {"mip_max_improving_sols": 1}
"""Options that end a search with its first solution."""
WHOLE = 1e-6
"""Distance from a whole number below which a value counts as whole."""


def with_whole_fixed(program: LinearProgram, x: Array) -> LinearProgram:
    """Fix the integers that a relaxation leaves whole.

    Parameters
    ----------
    program : LinearProgram
    x : float64 ``[column]``
        Of the relaxation.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> _ = m.variables("x", 3, upper=4.0, integer=True)
    >>> fixed = with_whole_fixed(m.freeze(), np.array([2.0, 1.5, 0.0]))
    >>> fixed.lower.tolist(), fixed.upper.tolist()
    ([2.0, 0.0, 0.0], [2.0, 4.0, 0.0])
    """
    nearest = np.clip(np.round(x), program.lower, program.upper)
    whole = program.integer & (np.abs(x - nearest) <= WHOLE)
    return replace(
        program,
        lower=np.where(whole, nearest, program.lower),
        upper=np.where(whole, nearest, program.upper),
    )


def without_costly(
    program: LinearProgram, used: Array, reduced: Array, limit: float
) -> LinearProgram:
    """Fix continuous columns at their lower bound that are not used and cost too much.

    Parameters
    ----------
    program : LinearProgram
    used : float64 ``[column]``
        What known solutions use of each at most.
    reduced : float64 ``[column]``
        What a unit costs beside the others (reduced costs).
    limit : float
        Reduced cost from which a column is fixed.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> _ = m.variables("x", 3, upper=4.0)
    >>> left = without_costly(m.freeze(), np.array([1.0, 0.0, 0.0]), np.array([9.0, 9.0, 1.0]), 5.0)
    >>> left.upper.tolist()
    [4.0, 0.0, 4.0]
    """
    out = ~program.integer & (used <= program.lower + WHOLE) & (reduced > limit)
    return replace(program, upper=np.where(out, program.lower, program.upper))


def without_dearer(program: LinearProgram, reduced: Array, room: float) -> LinearProgram:
    """Fix integers at the side of the relaxation that no solution of so little more cost leaves.

    A solution costs at least the relaxation's optimum and the reduced cost of every integer that is
    off its side by one (reduced-cost fixing), so that what is left has all solutions within
    ``room`` of it.

    Parameters
    ----------
    program : LinearProgram
    reduced : float64 ``[column]``
        Reduced costs at the optimum of the relaxation: positive at the lower side, else negative.
    room : float
        How much more than the relaxation a solution may cost.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> _ = m.variables("x", 4, upper=1.0, integer=[True, True, True, False])
    >>> left = without_dearer(m.freeze(), np.array([9.0, 1.0, -9.0, 9.0]), 5.0)
    >>> left.lower.tolist(), left.upper.tolist()
    ([0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0])
    """
    most = room * (1 + FAINT) + FAINT
    low = program.integer & (reduced > most)
    high = program.integer & (reduced < -most)
    return replace(
        program,
        lower=np.where(high, program.upper, program.lower),
        upper=np.where(low, program.lower, program.upper),
    )


FAINT = 1e-6
"""By how much more is left open than arithmetic says, which a solver does not keep exactly."""


def relax_and_fix(
    program: LinearProgram,
    order: Index,
    options: Mapping[str, float],
    time_limit: float | None = None,
) -> SolverResult:
    """Decide the integers in turn: those of a number while all that come later may be fractions.

    Relax-and-fix (Pochet and Wolsey 2006): not exact, but every step is small. In each the integers
    that its relaxation leaves whole are held, where that leaves a solution. It proves no bound.

    Parameters
    ----------
    program : LinearProgram
    order : int ``[column]``
    options : mapping
        Of the solver, for every step; a step that found nothing in its own time goes on to a first
        solution.
    time_limit : float, optional
        Seconds of all steps.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2, cost=[1.0, 1.5], upper=2.0, integer=True)
    >>> m.constrain("need", 1, [(0, x, 1.0)], lower=2.5)
    >>> decided = relax_and_fix(m.freeze(), np.array([0, 1]), {})
    >>> decided.x.tolist(), decided.objective, decided.bound
    ([2.0, 1.0], 3.5, -inf)
    """
    clock = Clock(time_limit)
    lower, upper = program.lower.copy(), program.upper.copy()
    decided = Highs(program.relaxed(), within({}, clock.left())).solve()
    for number in np.unique(order[program.integer]):
        if decided.x is None:
            break
        now = program.integer & (order == number)
        step = replace(program, lower=lower, upper=upper, integer=now)
        near = decided.x
        for part, how in (
            (with_whole_fixed(step, near), options),
            (step, options),
            (step, FIRST_FOUND),
        ):
            decided = Highs(part, within(how, clock.left())).solve()
            if decided.x is not None or clock.out():
                break
        if decided.x is not None:
            lower[now] = upper[now] = program.rounded(decided.x)[now]
    return replace(decided, bound=-np.inf)


def within(options: Mapping[str, float], seconds: float | None) -> dict[str, float]:
    """Return options whose time limit is at most so many seconds, None for no limit.

    Examples
    --------
    >>> within({"time_limit": 6.0}, 2.0), within({"mip_max_nodes": 1}, None)
    ({'time_limit': 2.0}, {'mip_max_nodes': 1})
    """
    limits = [one for one in (options.get("time_limit"), seconds) if one is not None]
    return {**options, "time_limit": min(limits)} if limits else dict(options)


def rens(program: LinearProgram, options: SolveOptions) -> SolverResult:
    """Solve a mixed-integer program from the solution that RENS finds.

    Integers that the relaxation leaves whole are fixed, and the small program that is left is
    solved. Where its solution is within the gap of the relaxation, that is the answer; else the
    search begins there, of what a cheaper solution can have, and its bound is that of the whole.
    The time limit is for all of it.
    """
    clock = Clock(options.time_limit)
    relaxed = Highs(program.relaxed(), options.highs).solve()
    if not program.integer.any():
        return relaxed
    start = None
    if relaxed.x is not None and relaxed.status == "optimal":
        part = with_whole_fixed(program, relaxed.x)
        halved = replace(options, gap=options.gap / 2, time_limit=clock.left())
        first = Highs(part, halved.highs).solve()
        start, room = first.x, first.objective - relaxed.objective
        if start is not None and room <= options.gap * max(abs(first.objective), 1.0):
            return replace(first, status="optimal", bound=relaxed.objective, seconds=clock.spent())
        if start is not None and relaxed.column_dual is not None:
            program = without_dearer(program, relaxed.column_dual, room)
    highs = Highs(program, options.within(clock.left()).highs)
    if start is not None:
        highs.start_from(start)
    found = replace(highs.solve(), seconds=clock.spent())
    if start is None:
        return found
    if found.x is None:
        bound, least = relaxed.objective, program.objective(start)
        return replace(found, status="stopped", x=start, objective=least, bound=bound)
    # What was left out costs at least as much as the start.
    return replace(found, bound=min(found.bound, program.objective(start)))
