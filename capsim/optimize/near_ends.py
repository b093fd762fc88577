"""The ends of a lever over the plans near the best: what is reached, and what none goes beyond."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from capsim.lp import Program
from capsim.optimize.levers import Lever

WHOLE = 1e-6
"""How near to a whole number a bound on whole decisions must be to count as it."""
FINE = 1e-3
"""Relative to its amount, how near least and most of a lever in persons are proved."""


@dataclass(frozen=True)
class End:
    """The least of a lever (times its sign) that was found, and what none can go below."""

    value: float
    bound: float
    proved: bool

    @classmethod
    def of(cls, lever: Lever, best: float, value: float, bound: float) -> End:
        """Make the end of a lever that is ``best`` in the best plan."""
        return cls(value, min(bound, value), value - bound <= fine(lever, best))


def fine(lever: Lever, best: float) -> float:
    """Return how near value and bound of an end must be to prove each other."""
    return WHOLE if lever.whole else FINE * max(1.0, abs(best))


def edge(lever: Lever, program: Program, sign: float) -> float:
    """Return the least of ``sign`` times a lever that the bounds of its columns allow."""
    weight = sign * lever.weight
    with np.errstate(invalid="ignore"):
        side = np.where(weight > 0, program.lower[lever.column], program.upper[lever.column])
        return float(np.where(weight != 0, weight * side, 0.0).sum())


def told(lever: Lever, bound: float) -> float:
    """Return what a bound of a solver proves: of whole decisions a whole number."""
    return float(math.ceil(bound - WHOLE)) if lever.whole else bound - WHOLE
