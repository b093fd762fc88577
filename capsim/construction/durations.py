"""Draws of how long phases take, and of the common shock of a county.

Every phase of every copy of a project has its own stream of random numbers, named by seed,
project, copy and phase: a project meets the same luck in every plan that builds it (common random
numbers), and replication *k* is the same however many are drawn.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capsim.construction.calendars import MONTH_DAYS
from capsim.construction.prior import Phase

Days = NDArray[np.float64]
Z95 = 1.6448536269514722


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random numbers of a name under a seed.

    Examples
    --------
    >>> bool(stream(1, "B001").random() == stream(1, "B001").random())
    True
    """
    words = (zlib.crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, *words))))


def draw(phase: Phase, size: int, rng: np.random.Generator) -> Days:
    """Draw working days of a phase.

    Parameters
    ----------
    phase : Phase
    size : int
        Number of replications.
    rng : numpy.random.Generator

    Returns
    -------
    float64 ``[replication]``

    Examples
    --------
    >>> pert = Phase("structure", (), "pert", 6.0, 8.0, 13.0)
    >>> float((draw(pert, 40_000, stream(0)) / MONTH_DAYS).mean().round(1))  # (6 + 4 x 8 + 13) / 6
    8.5
    """
    if phase.distribution == "empirical":
        return rng.choice(np.array(phase.observed) * MONTH_DAYS, size)
    low, mode, high = phase.low * MONTH_DAYS, phase.mode * MONTH_DAYS, phase.high * MONTH_DAYS
    if phase.distribution == "fixed" or low == high:
        return np.full(size, mode)
    if phase.distribution == "triangular":
        return rng.triangular(low, mode, high, size)
    if phase.distribution == "pert":
        a = 1 + 4 * (mode - low) / (high - low)
        return low + (high - low) * rng.beta(a, 6 - a, size)
    if phase.distribution == "lognormal":
        sigma = (math.log(high) - math.log(low)) / (2 * Z95)
        return rng.lognormal((math.log(high) + math.log(low)) / 2, sigma, size)
    raise ValueError(f"{phase.distribution!r} is no distribution of phase {phase.name!r}")


def shocks(counties: Sequence[str], sd: float, size: int, seed: int) -> dict[str, Days]:
    """Draw the factor on all durations of each county, median 1, ``sd`` that of its logarithm."""
    return {
        county: np.exp(sd * stream(seed, "county", county).standard_normal(size))
        for county in sorted(set(counties))
    }
