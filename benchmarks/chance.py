"""How far coverage may stray by chance: few origins, whose forecasts overlap and move together.

A circular block bootstrap over origins (Politis and Romano 1992) with blocks as long as the lead:
errors of forecasts that overlap are drawn together, as are all areas of an origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Array = npt.NDArray[np.float64]
RUNS = 1000


@dataclass(frozen=True)
class Stray:
    """Coverage of one grade at one lead, %, and what chance would do to it."""

    share: float
    error: float
    origins: int

    def chance(self, off: float) -> float:
        """Probability that intervals that are right are off by more than ``off`` points."""
        return float(2 * norm.sf(off / max(self.error, 1e-9)))


def stray(judged: Array, inside: Array, lead: int, seed: int = 0) -> Stray:
    """Coverage and its standard error over origins.

    Parameters
    ----------
    judged, inside : array [origin]
        Intervals judged, and those of them that held.
    lead : int
        Years ahead; the length of a block.

    Examples
    --------
    >>> held = np.tile([10.0, 6.0], 50)
    >>> found = stray(np.full(100, 10.0), held, lead=1)
    >>> found.share, round(found.error)
    (80.0, 2)
    """
    judged, inside = judged[judged > 0], inside[judged > 0]
    number = len(judged)
    block = min(lead, number)
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, number, (RUNS, -(-number // block), 1))
    picked = ((starts + np.arange(block)) % number).reshape(RUNS, -1)[:, :number]
    shares = 100 * inside[picked].sum(1) / judged[picked].sum(1)
    return Stray(100 * float(inside.sum() / judged.sum()), float(shares.std()), number)
