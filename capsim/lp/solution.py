"""The result of a solve, whichever solver made it, and checks of numbers that callers give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TypeGuard

from capsim.lp.arrays import Array


class SolverError(RuntimeError):
    """A solver could not be run as asked."""


@dataclass(frozen=True)
class SolverResult:
    """The outcome of one solve; read ``status`` before anything else.

    Attributes
    ----------
    status : str
        ``optimal`` (proved within the gap asked), ``stopped`` (a limit ended it, ``x`` is
        feasible), ``infeasible``, ``unbounded``, ``unknown`` (a limit ended it without any
        solution) or ``error``.
    x : float64 ``[column]``, or None
    objective, bound : float
        Of ``x``, and what no solution can beat (``-inf`` where the solver tells none).
    row_dual, column_dual : float64, or None
        Of a linear program: change of the objective per unit of right-hand side or bound.
    solver : str
        Name and version.
    seconds, hand_over_s : float
    """

    status: str
    x: Array | None
    objective: float
    bound: float
    row_dual: Array | None
    column_dual: Array | None
    solver: str
    seconds: float
    hand_over_s: float = 0.0


def is_number(value: object) -> TypeGuard[float]:
    """Check whether a value is a finite number.

    Examples
    --------
    >>> is_number(0.5), is_number(float("nan")), is_number("1")
    (True, False, False)
    """
    return isinstance(value, Real) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Check whether a value is a whole number.

    Examples
    --------
    >>> is_whole(2), is_whole(2.0)
    (True, False)
    """
    return isinstance(value, Integral)
