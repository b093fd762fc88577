"""Numbers that a caller asks for, checked where they come in."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether it is a finite number.

    Examples
    --------
    >>> is_number(0.5), is_number(float("nan")), is_number("1")
    (True, False, False)
    """
    return isinstance(value, Real) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether it is a whole number.

    Examples
    --------
    >>> is_whole(2), is_whole(2.0)
    (True, False)
    """
    return isinstance(value, Integral)


def refuse_limits(gap: object, time_limit: object = None) -> None:
    """Refuse a gap or a time limit that is none.

    Raises
    ------
    ValueError
        If one is not a number, or below 0.
    """
    if not (is_number(gap) and gap >= 0):
        raise ValueError(f"gap must be a number >= 0, such as 0.001, not {gap!r}")
    if time_limit is not None and not (is_number(time_limit) and time_limit >= 0):
        raise ValueError(f"time_limit must be seconds >= 0, or None, not {time_limit!r}")
