"""Smaller programs to search first: what a relaxation says is held, or left out.

A first solution of a mixed-integer program from its relaxation, and the search from there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from capsim.lp.arrays import Array
from capsim.lp.highs import Highs
from capsim.lp.program import LinearProgram
from capsim.lp.solution import SolverResult

WHOLE = 1e-6
"""Distance from a whole number that counts as none."""


def with_whole(program: LinearProgram, x: Array) -> LinearProgram:
    """Hold the integers that a relaxation leaves whole.

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
    >>> held = with_whole(m.freeze(), np.array([2.0, 1.5, 0.0]))
    >>> held.lower.tolist(), held.upper.tolist()
    ([2.0, 0.0, 0.0], [2.0, 4.0, 0.0])
    """
    nearest = np.clip(np.round(x), program.lower, program.upper)
    whole = program.integer & (np.abs(x - nearest) <= WHOLE)
    return replace(
        program,
        lower=np.where(whole, nearest, program.lower),
        upper=np.where(whole, nearest, program.upper),
    )


def without_dear(program: LinearProgram, used: Array, reduced: Array, dear: float) -> LinearProgram:
    """Hold continuous columns at nothing that are not used and whose units cost too much.

    Parameters
    ----------
    program : LinearProgram
    used : float64 ``[column]``
        What known solutions use of each at most.
    reduced : float64 ``[column]``
        What a unit costs beside the others (reduced costs).
    dear : float
        What is too much.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> _ = m.variables("x", 3, upper=4.0)
    >>> left = without_dear(m.freeze(), np.array([1.0, 0.0, 0.0]), np.array([9.0, 9.0, 1.0]), 5.0)
    >>> left.upper.tolist()
    [4.0, 0.0, 4.0]
    """
    out = ~program.integer & (used <= program.lower + WHOLE) & (reduced > dear)
    return replace(program, upper=np.where(out, program.lower, program.upper))


def dive(
    program: LinearProgram,
    *,
    gap: float,
    time_limit: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> SolverResult:
    """Search a program from the best solution that agrees with its relaxation.

    Integers that the relaxation leaves whole are held, the small program that is left is solved,
    and its solution is where the search of the whole begins: its bound is that of the whole.

    Parameters
    ----------
    program : LinearProgram
    gap, time_limit, options
        As :func:`capsim.lp.solvers` takes them; the clock is for all of it.

    Returns
    -------
    Solution
    """
    begin = time.perf_counter()
    said = {"mip_abs_gap": 0.0, **(options or {})}

    def left() -> dict[str, float]:
        if time_limit is None:
            return {}
        return {"time_limit": max(time_limit - (time.perf_counter() - begin), 0.1)}

    relaxed = Highs(program.relaxed(), {**said, **left()}).solve()
    if not program.integer.any():
        return relaxed
    start = None
    if relaxed.x is not None and relaxed.status == "optimal":
        part = with_whole(program, relaxed.x)
        start = Highs(part, {**said, "mip_rel_gap": gap / 2, **left()}).solve().x
    highs = Highs(program, {**said, "mip_rel_gap": gap, **left()})
    if start is not None:
        highs.start_from(start)
    found = highs.solve()
    return replace(found, seconds=time.perf_counter() - begin)
