"""Joint draws of enrolment round a projection, as far off as a back-test measured.

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

The sizes of the parts, `Spread`, are measured where there is enough to measure: the back-test
knows by how much areas' totals, their grades and the whole were missed at each lead. What the
whole was missed by, beyond the chance of its areas, is common to all; what areas' totals were
missed by beyond that and beyond the chance of their grades belongs to the area; the rest is the
cohort's own. A scenario that gives ``[uncertainty]`` numbers of its own keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from capsim.demand.intervals import GROWTH, LEVELS, Covered, Reach
from capsim.demand.observed import Observed
from capsim.demand.ratios import Array, divide
from capsim.scenario.scenario import Scenario

Single = npt.NDArray[np.float32]
Real = TypeVar("Real", np.float32, np.float64)

MEASURABLE = 8
"""Observed school years from which on a spread is measured."""
BLOCK = 64
"""Draws that share a random stream."""
SCRATCH = 2**17
"""Cells whose errors are in memory at a time."""


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


def given_spread(scenario: Scenario, seen: Observed) -> Spread:
    """Return the spread of the settings ``[uncertainty]``."""
    size = scenario.settings.uncertainty
    areas, grades, leads = len(seen.areas), len(seen.grades), len(scenario.years)
    after = np.asarray(scenario.years)[None, :] - seen.age[:, None] - scenario.base_year
    born = np.where(scenario.has("births"), np.maximum(after, 0), 0)
    return Spread(
        common=np.zeros(leads),
        whole=np.full((grades, leads), size.progression_sd),
        area=np.full((areas, leads), size.area_sd),
        cohort=np.zeros((areas, grades, leads)),
        birth_sd=size.birth_sd,
        born=born,
    )


def is_given(scenario: Scenario) -> bool:
    """Check whether the scenario sets the sizes of errors itself."""
    return bool({"progression_sd", "area_sd"} & scenario.settings.uncertainty.model_fields_set)


def measured_spread(covered: Mapping[str, Covered], pupils: Array) -> Spread:
    """Return the spread whose cells, areas and whole are off by what the back-test measured.

    Parameters
    ----------
    covered : mapping
        Of one method, levels ``total``, ``area`` and ``grade``; at least one lead measured.
    pupils : array [area, grade, 1 + lead]
        The projection.
    """
    ahead = pupils[..., 1:]
    area_total = ahead.sum(1)
    freedom = tails(covered["area"].last)
    leads = ahead.shape[-1]
    cell = _variance(covered["grade"].last, ahead, freedom, leads)
    area = _variance(covered["area"].last, area_total[:, None], freedom, leads)[:, 0]
    whole = _variance(covered["total"].last, area_total.sum(0)[None, None], np.inf, leads)[0, 0]
    of_area = divide(ahead, area_total[:, None], 0.0) ** 2
    of_whole = divide(area_total, area_total.sum(0), 0.0) ** 2
    own_area = _beyond(area, (of_area * cell).sum(1), of_area.sum(1))
    common = np.minimum(
        _beyond(whole, (of_whole * area).sum(0), of_whole.sum(0)),
        np.where(area_total > 0, own_area, np.inf).min(0),
    )
    common = np.where(np.isfinite(common), common, 0.0)
    own = np.maximum(own_area - common, 0.0)
    cohort = np.maximum(cell - own_area[:, None], 0.0)
    return Spread(
        common=_steps(common),
        whole=np.zeros(ahead.shape[1:]),
        area=_steps(own),
        cohort=np.sqrt(np.where(ahead > 0, cohort, 0.0)),
        birth_sd=0.0,
        born=np.zeros(ahead.shape[1:], dtype=np.intp),
        freedom=freedom,
    )


def tails(reach: Reach) -> float:
    """Find the degrees of freedom of Student's t with the measured ratio of two half-widths.

    Examples
    --------
    >>> two = np.array([1.2816, 1.96]).reshape(2, 1, 1)
    >>> tails(Reach(np.ones((1, 1)), np.ones((1, 1)), two))
    inf
    """
    inner, outer = reach.reach[0], reach.reach[1]
    known = inner > 0
    if not known.any():
        return np.inf
    ratio = outer[known] / inner[known]
    choices = np.array([3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 30.0, np.inf])
    low, high = (_quantile(choices, level) for level in LEVELS)
    return float(choices[np.argmin(np.abs(high / low - ratio.mean()))])


def _quantile(freedom: Array, level: float) -> Array:
    capped = np.where(np.isfinite(freedom), freedom, 1e9)
    return np.asarray(stdtrit(capped, 0.5 + level / 2))


def _variance(reach: Reach, ahead: Array, freedom: float, leads: int) -> Array:
    """Return the variance of the measured inner interval, ``[..., column, lead]``; 0 for nobody.

    A column that was never judged is as wide as the others are on the mean. No lead is surer than
    one before it would be with as many pupils.
    """
    judged = np.isfinite(reach.reach[0])
    last = int(np.flatnonzero(judged.any(0))[-1])
    at = np.minimum(np.arange(leads), last)
    inverse = divide(np.ones_like(ahead), ahead, 0.0)
    others = divide(np.nansum(reach.reach[0], 0), judged.sum(0).astype(float), np.nan)
    width = np.where(judged, reach.reach[0], others) / _quantile(np.array(freedom), LEVELS[0])
    growth = np.maximum((np.arange(leads) + 1) / (last + 1), 1.0) ** GROWTH
    person, lasting = (
        part[:, at] * width[:, at] ** 2 * growth for part in (reach.person, reach.lasting)
    )
    out = np.zeros_like(ahead)
    for lead in range(leads):
        later = person[:, lead, None] * inverse[..., lead:] + lasting[:, lead, None]
        out[..., lead:] = np.maximum(out[..., lead:], later)
    return np.where(ahead > 0, out, 0.0)


def _beyond(total: Array, chance: Array, squares: Array) -> Array:
    """Return the shared variance: of a sum, the part that its parts' own do not explain."""
    return divide(np.maximum(total - chance, 0.0), 1.0 - squares, 0.0)


def _steps(variance: Array) -> Array:
    """Return shocks by year that accumulate to at least the variance, ``[..., lead]``."""
    level = np.maximum.accumulate(variance, axis=-1)
    return np.sqrt(np.diff(level, axis=-1, prepend=0.0))


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
    """Return the variance of each cell's relative error before stretching."""
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
    for number in range(-(-draws // BLOCK)):
        yield block(pupils, spread, min(BLOCK, draws - number * BLOCK), seed, number)


def draw(pupils: Array, spread: Spread, draws: int, seed: int) -> Array:
    """Draw all at once: ``[draw, area, grade, year]``; see `blocks`."""
    out = np.empty((draws, *pupils.shape))
    for number in range(-(-draws // BLOCK)):
        _draw_block(pupils, spread, seed, number, out[number * BLOCK : (number + 1) * BLOCK])
    return out


def block(pupils: Array, spread: Spread, draws: int, seed: int, number: int) -> Array:
    """Draw the block ``number`` of `blocks` alone, for workers that share the draws out."""
    return _draw_block(pupils, spread, seed, number, np.empty((draws, *pupils.shape)))


def generator(stream: np.random.SeedSequence) -> np.random.Generator:
    """Make the generator of a block; SFC64 is NumPy's fastest."""
    return np.random.Generator(np.random.SFC64(stream))


def _draw_block(pupils: Array, spread: Spread, seed: int, number: int, out: Array) -> Array:
    """Fill a block with draws; errors are always those of a full one, so draw d is draw d."""
    # A stream for each block: results do not depend on which worker draws it.
    rng = generator(np.random.SeedSequence(seed, spawn_key=(number,)))
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
    """Fill the cells of ``out``, at most `BLOCK` draws, by their cohorts' and areas' errors.

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
    """Insert the base year before the leads."""
    out = np.zeros((*errors.shape[:-1], errors.shape[-1] + 1), errors.dtype)
    out[..., 1:] = errors
    return out
