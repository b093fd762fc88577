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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from .ratios import Array

Single = npt.NDArray[np.float32]
Real = TypeVar("Real", np.float32, np.float64)

BLOCK = 64
"""Draws that share a random stream."""
SCRATCH = 2**17
"""Cells whose errors are held at a time."""


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


@dataclass(frozen=True, eq=False)
class Shocks:
    """Relative errors of a block of draws, one part of which meets every cell.

    Attributes
    ----------
    every : array [draw, grade, year]
        One and the whole's; the first year has no error.
    area : array [draw, area, year]
        Of all grades alike.
    cohorts : array [draw, area, cohort]
        Standard normal or t; the oldest cohort first.
    """

    every: Single
    area: Single
    cohorts: Single


def along_cohorts(shock: npt.NDArray[Real]) -> npt.NDArray[Real]:
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
    """Fill one block; a full block is drawn whatever is asked, so that draw d is always draw d."""
    return fill(pupils, shocks(spread, pupils.shape, rng), spread.cohort, out)


def shocks(spread: Spread, shape: tuple[int, ...], rng: np.random.Generator) -> Shocks:
    """Draw the errors of `BLOCK` draws of a projection of shape ``[area, grade, year]``."""
    areas, grades, years = shape
    leads, unborn = years - 1, int(spread.born.max(initial=0))
    shapes = (1, leads), (grades, leads), (1, unborn), (areas, leads), (areas, grades + leads)
    common, whole, births, area, own = _normal(rng, shapes)
    area *= _single(spread.area)
    if np.isfinite(spread.freedom):
        square = rng.chisquare(spread.freedom, (BLOCK, areas, 1))
        stretch = _single(np.sqrt(spread.freedom / square))
        area *= stretch
        own *= stretch
    area += common * _single(spread.common)
    for year in range(1, leads):
        area[..., year] += area[..., year - 1]
    whole = along_cohorts(whole * _single(spread.whole))
    if unborn:
        walk = np.cumsum(births[:, 0], axis=1) * np.float32(spread.birth_sd)
        whole += np.take(_from_base(walk), spread.born, axis=1, mode="clip")
    every = _from_base(whole)
    every += 1
    return Shocks(every, _from_base(area), np.ascontiguousarray(own[..., ::-1]))


def fill(pupils: Array, errors: Shocks, cohort: Array, out: Array) -> Array:
    """Give every cell of ``out``, at most `BLOCK` draws, its cohort's and its area's errors.

    Errors are in single precision and meet in pieces that stay in the processor's cache: passes
    over memory, not sums, are what a draw costs.
    """
    size, areas, grades, years = out.shape
    scale = _from_base(_single(cohort))
    # A cohort is one grade further a year later: the years of a grade are a window of the cohorts.
    # Windows, and the years of an area, are copied whole, as records of so many bytes.
    row = np.dtype((np.void, 4 * years))
    by_draw, by_area, by_cohort = errors.cohorts.strides
    windows: npt.NDArray[np.void] = np.ndarray(
        (size, areas, grades),
        row,
        errors.cohorts,
        offset=(grades - 1) * by_cohort,
        strides=(by_draw, by_area, -by_cohort),
    )
    paths = errors.area[:size].view(row)
    chunk = min(areas, max(1, SCRATCH // (grades * years)))
    step = min(size, max(1, SCRATCH // (chunk * grades * years)))
    own, alike = np.empty((2, step, chunk, grades, years), np.float32)
    for first, start in product(range(0, size, step), range(0, areas, chunk)):
        draws, part = slice(first, min(first + step, size)), slice(start, start + chunk)
        cells = out[draws, part]
        error, same = (scratch[: len(cells), : cells.shape[1]] for scratch in (own, alike))
        np.copyto(error.view(row)[..., 0], windows[draws, part])
        error *= scale[part]
        error += errors.every[draws, None]
        np.copyto(same.view(row)[..., 0], paths[draws, part])
        error += same
        if error.min(initial=0.0) < 0:
            np.maximum(error, 0.0, out=error)
        np.copyto(cells, error)
        cells *= pupils[part]
    return out


def _normal(rng: np.random.Generator, shapes: Sequence[tuple[int, int]]) -> Iterator[Single]:
    """Draw normal numbers ``[BLOCK, *shape]`` for each of some shapes.

    Each is one of 65,536 equally likely quantiles: eight times as fast as by rejection.
    """
    ends = BLOCK * np.cumsum([prod(shape) for shape in shapes])
    words = rng.bit_generator.random_raw(int(ends[-1]) // 4)
    flat = np.take(_quantiles(), words.astype("<u8", copy=False).view("<u2"), mode="clip")
    for shape, part in zip(shapes, np.split(flat, ends[:-1]), strict=True):
        yield part.reshape(BLOCK, *shape)


@cache
def _quantiles() -> Single:
    middle = ndtri((np.arange(2**16) + 0.5) / 2**16)
    return np.asarray(middle / middle.std(), dtype=np.float32)


def _single(values: Array) -> Single:
    return values.astype(np.float32)


def _from_base(errors: Single) -> Single:
    """Put the base year before the leads."""
    out = np.zeros((*errors.shape[:-1], errors.shape[-1] + 1), errors.dtype)
    out[..., 1:] = errors
    return out
