"""Joint draws of enrolment round a projection.

The logarithm of a cell's error is a sum of three parts:

- the whole: a shock by grade and year, alike in all areas, that stays with the cohort it met, and
  for cohorts born after the base year the error of their births, which grows as a random walk;
- the area: a shock by area and year, alike in all grades, that stays with the area;
- the cohort: a shock by area and cohort, whose size grows with the lead.

So areas are correlated through the first part, grades through the second, years through all three.
A block of draws has its own random stream, so results depend neither on how many workers drew them
nor on how many draws were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
BLOCK = 32
"""Draws that share a random stream."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard deviations of the logarithm of errors.

    Attributes
    ----------
    whole : array [grade, lead]
        Of the shock that all areas' cohorts in this grade meet in this year.
    area : array [area, lead]
        Of the shock that all grades of an area meet in this year.
    cohort : array [area, grade, lead]
        Of a cohort's own error, accumulated up to this year.
    birth_sd : float
        Of the change of births from one year to the next, after the base year.
    born : array of int [grade, lead]
        How many years after the base year the cohort is born; 0 if by then.
    """

    whole: Array
    area: Array
    cohort: Array
    birth_sd: float
    born: npt.NDArray[np.intp]


def along_cohorts(shock: Array) -> Array:
    """Accumulate ``[..., grade, year]`` down the diagonals on which cohorts move.

    Examples
    --------
    >>> along_cohorts(np.ones((3, 3)))
    array([[1., 1., 1.],
           [1., 2., 2.],
           [1., 2., 3.]])
    """
    out = shock.copy()
    for year in range(1, shock.shape[-1]):
        out[..., 1:, year] += out[..., :-1, year - 1]
    return out


def log_variance(spread: Spread) -> Array:
    """Variance of the logarithm of each cell's error, ``[area, grade, lead]``."""
    whole = along_cohorts(spread.whole**2) + spread.birth_sd**2 * spread.born
    return np.asarray(whole[None] + np.cumsum(spread.area**2, -1)[:, None] + spread.cohort**2)


def blocks(pupils: Array, spread: Spread, draws: int, seed: int) -> Iterator[Array]:
    """Yield draws in blocks of at most `BLOCK`, so that memory stays bounded.

    Parameters
    ----------
    pupils : array [area, grade, year]
        The projection, persons; its first year is observed and does not vary.
    spread : Spread
        With one lead per later year.
    draws, seed : int

    Yields
    ------
    array [draw, area, grade, year]
        Persons; the mean over draws tends to ``pupils``.
    """
    streams = np.random.SeedSequence(seed).spawn(-(-draws // BLOCK))
    for number, stream in enumerate(streams):
        size = min(BLOCK, draws - number * BLOCK)
        yield _block(pupils, spread, np.random.default_rng(stream), np.empty((size, *pupils.shape)))


def draw(pupils: Array, spread: Spread, draws: int, seed: int) -> Array:
    """Draw all at once: ``[draw, area, grade, year]``; see `blocks`."""
    out = np.empty((draws, *pupils.shape))
    streams = np.random.SeedSequence(seed).spawn(-(-draws // BLOCK))
    for number, stream in enumerate(streams):
        part = out[number * BLOCK : (number + 1) * BLOCK]
        _block(pupils, spread, np.random.default_rng(stream), part)
    return out


def _block(pupils: Array, spread: Spread, rng: np.random.Generator, out: Array) -> Array:
    """Fill one block; a full block is drawn whatever is asked, so that draw d is always draw d."""
    size, (areas, grades, years) = len(out), pupils.shape
    leads = years - 1
    out[..., 0] = pupils[..., 0]
    whole = along_cohorts(rng.standard_normal((BLOCK, grades, leads)) * spread.whole)[:size]
    births = np.cumsum(rng.standard_normal((BLOCK, int(spread.born.max(initial=0)))), -1)[:size]
    births = np.pad(births * spread.birth_sd, ((0, 0), (1, 0)))
    whole += births[:, spread.born]
    area = np.cumsum(rng.standard_normal((BLOCK, areas, leads)) * spread.area, -1)[:size]
    own = rng.standard_normal((BLOCK, areas, grades + leads - 1))[:size]
    step = own.strides[-1]
    # A cohort is one grade further a year later: grade and year share the last axis of `own`.
    cohort = np.lib.stride_tricks.as_strided(
        own[..., leads - 1 :],
        (size, areas, grades, leads),
        (*own.strides[:2], step, -step),
        writeable=False,
    )
    later = out[..., 1:]
    np.multiply(cohort, spread.cohort, out=later)
    later += whole[:, None]
    later += area[:, :, None]
    later -= 0.5 * log_variance(spread)
    np.exp(later, out=later)
    later *= pupils[..., 1:]
    return out
