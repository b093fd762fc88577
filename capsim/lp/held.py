"""Smaller programs to search first: what a relaxation says is held, or left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from capsim.lp.arrays import Array
from capsim.lp.build import Program

WHOLE = 1e-6
"""Distance from a whole number that counts as none."""


def with_whole(program: Program, x: Array) -> Program:
    """Hold the integers that a relaxation leaves whole.

    Parameters
    ----------
    program : Program
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


def without_dear(program: Program, used: Array, reduced: Array, dear: float) -> Program:
    """Hold continuous columns at nothing that are not used and whose units cost too much.

    Parameters
    ----------
    program : Program
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
