"""Joint draws of enrolment round a projection.

A cell's relative error is a sum of four parts:

- everything: a shock by year, alike in all areas and grades, that stays;
- the whole's cohorts: a shock by grade and year, alike in all areas, that stays with the cohort it
  met; for cohorts born after the base year the error of their births too, a random walk;
- the area: a shock by area and year, alike in all grades, that stays with the area;
- the area's cohort: a shock by area and cohort, whose size grows with the lead.

So areas are correlated through the first two parts, grades through the first and third, years
through all. An area's own parts have heavier tails than the normal distribution where the errors
had: all of a draw's are stretched by one factor, which makes them Student's t. No cell falls
below 0. A block of draws has its own random stream, so results depend neither on how many workers
drew them nor on how many draws were asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from .ratios import Array

BLOCK = 64
"""Draws that share a random stream."""
SCRATCH = 2**17
"""Cells of a block whose errors are held at a time."""


@dataclass(frozen=True, eq=False)
class Spread:
    """Standard deviations of relative errors.

    Attributes
    ----------
    common : array [lead]
        Of the shock that everything meets in this year.
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
    freedom : float
        Degrees of freedom of an area's own errors; infinite for normal ones.
    """

    common: Array
    whole: Array
    area: Array
    cohort: Array
    birth_sd: float
    born: npt.NDArray[np.intp]
    freedom: float = np.inf


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


def variance(spread: Spread) -> Array:
    """Variance of each cell's relative error before stretching, ``[area, grade, lead]``."""
    whole = along_cohorts(spread.whole**2) + spread.birth_sd**2 * spread.born
    area = np.cumsum(spread.area**2, -1)[:, None]
    return np.asarray(np.cumsum(spread.common**2) + whole[None] + area + spread.cohort**2)


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
        Persons; the mean over draws tends to ``pupils`` where none is cut at 0.
    """
    streams = np.random.SeedSequence(seed).spawn(-(-draws // BLOCK))
    for number, stream in enumerate(streams):
        size = min(BLOCK, draws - number * BLOCK)
        yield _block(pupils, spread, generator(stream), np.empty((size, *pupils.shape)))


def draw(pupils: Array, spread: Spread, draws: int, seed: int) -> Array:
    """Draw all at once: ``[draw, area, grade, year]``; see `blocks`."""
    out = np.empty((draws, *pupils.shape))
    streams = np.random.SeedSequence(seed).spawn(-(-draws // BLOCK))
    for number, stream in enumerate(streams):
        part = out[number * BLOCK : (number + 1) * BLOCK]
        _block(pupils, spread, generator(stream), part)
    return out


def block(pupils: Array, spread: Spread, draws: int, seed: int, number: int) -> Array:
    """Draw the block ``number`` of `blocks` alone, for workers that share the draws out."""
    stream = np.random.SeedSequence(seed, spawn_key=(number,))
    return _block(pupils, spread, generator(stream), np.empty((draws, *pupils.shape)))


def generator(stream: np.random.SeedSequence) -> np.random.Generator:
    """Make the generator of a block; SFC64 is NumPy's fastest."""
    return np.random.Generator(np.random.SFC64(stream))


def _block(pupils: Array, spread: Spread, rng: np.random.Generator, out: Array) -> Array:
    """Fill one block; a full block is drawn whatever is asked, so that draw d is always draw d.

    Errors are kept in single precision and run over whole rows of ``[grade, year]``: memory and
    short inner loops, not sums, are what a draw costs.
    """
    size, (areas, grades, years) = len(out), pupils.shape
    leads = years - 1
    walk = np.cumsum(_normal(rng, 1, leads) * spread.common, -1)
    whole = walk + along_cohorts(_normal(rng, grades, leads) * spread.whole)
    if spread.born.any():
        births = np.cumsum(_normal(rng, int(spread.born.max())) * spread.birth_sd, -1)
        whole += _from_base(births)[:, spread.born]
    area = np.cumsum(_normal(rng, areas, leads) * spread.area.astype(np.float32), -1)
    own = _normal(rng, areas, grades + leads)
    if np.isfinite(spread.freedom):
        stretch = np.sqrt(spread.freedom / rng.chisquare(spread.freedom, (BLOCK, areas, 1)))
        area *= stretch
        own *= stretch
    # A cohort is one grade further a year later: its number is the difference of the two.
    number = (np.arange(grades)[:, None] - np.arange(years) + leads).ravel()
    every = (1 + _from_base(whole[:size])).reshape(size, 1, -1).astype(np.float32)
    rows, sizes = out.reshape(size, areas, -1), pupils.reshape(areas, -1)
    chunk = max(1, SCRATCH // (size * grades * years))
    for first in range(0, areas, chunk):
        part = slice(first, first + chunk)
        error = np.take(own[:size, part], number, axis=2, mode="clip")
        error *= _from_base(spread.cohort[part]).reshape(-1, grades * years).astype(np.float32)
        error += every
        error += np.tile(_from_base(area[:size, part]), grades)
        if error.min(initial=0.0) < 0:
            np.maximum(error, 0.0, out=error)
        np.multiply(error, sizes[part], out=rows[:, part])
    return out


def _normal(rng: np.random.Generator, *shape: int) -> npt.NDArray[np.float32]:
    """Draw normal numbers as one of 65,536 equally likely quantiles: four times as fast."""
    return np.take(_quantiles(), rng.integers(0, 2**16, (BLOCK, *shape), dtype=np.uint16))


@cache
def _quantiles() -> npt.NDArray[np.float32]:
    middle = ndtri((np.arange(2**16) + 0.5) / 2**16)
    return np.asarray(middle / middle.std(), dtype=np.float32)


def _from_base(errors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Put the base year, which has no error, before the leads."""
    out = np.zeros((*errors.shape[:-1], errors.shape[-1] + 1), errors.dtype)
    out[..., 1:] = errors
    return out
