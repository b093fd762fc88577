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

Prediction intervals whose width is measured, not chosen.

The error of a back-test, relative to its forecast, has a variance with a part that falls with
size (chance of single children) and one that does not (what moves all alike), by lead year and, for
grades, by grade. Errors divided by that standard deviation are pooled over areas; their quantiles,
recent origins weighing more, are the half-widths of the intervals. A lead of which no error is
known yet is as wide as the one before, grown as errors have grown with the leads known so far.

Where intervals have held too seldom or too often by now, they are widened or narrowed by the sum of
what they lacked (the integrator of conformal control, Angelopoulos, Candès and Tibshirani 2023). An
interval that is not due yet counts by the longest lead of its origin that is. Only what is known at
an origin is used for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from capsim.demand.observed import Observed
from capsim.demand.ratios import Array, divide, variance_parts
from capsim.scenario.scenario import Scenario

LEVELS = (0.8, 0.95)
FADE = 0.8
"""Weight of an origin relative to the next one."""
LEAN = 2
"""Origins that the lead before counts for in the width of a lead."""
GROWTH = 0.8
"""Power of the lead with which error variance grows where nothing tells it; a random walk's is 1.

It weighs like two leads known from one origin, whose logarithms lie 1.4 apart."""
STEP = np.array([0.5, 1.0])
"""Relative width added for what intervals of each of `LEVELS` lacked in coverage, summed up."""
OVERLAP = 0.15
"""How much less an origin tells for each year by which a lead is longer than one."""
LEAST_FREEDOM = 2.0
"""Degrees of freedom that the fewest origins count for, and of the tails of a series alone."""
TAIL = float(np.divide(*stdtrit(LEAST_FREEDOM, 0.5 + np.array(LEVELS[::-1]) / 2)))
"""Least ratio of the half-widths of a series alone, whose errors are too few to show its tails."""
MOST = 0.5
"""Most that is added, either way, as logarithm of the width."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Half-widths of intervals, relative to the forecast: ``reach * sqrt(person / F + lasting)``.

    Attributes
    ----------
    person, lasting : array [column, lead]
        Parts of the relative error variance; NaN for leads with no error known yet.
    reach : array [level, column, lead]
        For the shares of `LEVELS`.
    """

    person: Array
    lasting: Array
    reach: Array

    def sd(self, forecast: Array) -> Array:
        """Return the relative standard deviation of forecasts ``[..., column, lead]``."""
        size = np.where(forecast > 0, forecast, np.nan)
        return np.sqrt(self.person / size + self.lasting)


@dataclass(frozen=True, eq=False)
class Covered:
    """Out-of-sample hits of the intervals.

    Attributes
    ----------
    judged : array [origin, column, lead]
        How many intervals were.
    inside : array [level, origin, column, lead]
        How many of them held.
    last : Reach
        As measured from all errors known now.
    origins : tuple of Reach
        As measured at each origin from the errors known there.
    """

    judged: Array
    inside: Array
    last: Reach
    origins: tuple[Reach, ...]

    @property
    def number(self) -> Array:
        """Intervals judged, ``[column, lead]``."""
        return np.asarray(self.judged.sum(0))

    @property
    def hits(self) -> Array:
        """Intervals that held, ``[level, column, lead]``."""
        return np.asarray(self.inside.sum(1))


def weighted_quantiles(values: Array, weights: Array, share: Array) -> Array:
    """Return quantiles of columns of ``values`` [observation, column] at ``share``.

    NaN are left out; a column without any value has NaN. ``share`` is [level, column].

    Examples
    --------
    >>> weighted_quantiles(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 2.0]),
    ...                    np.array([[0.5], [0.9]]))
    array([[2.],
           [3.]])
    """
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    weight = np.where(np.isfinite(ordered), weights[order], 0.0)
    sums = np.cumsum(weight, axis=0)
    total = sums[-1]
    at = (sums[None] < share[:, None] * total - 1e-12).sum(1)
    picked = np.take_along_axis(ordered, np.minimum(at, len(ordered) - 1), axis=0)
    return np.where(total > 0, picked, np.nan)


def cover(forecast: Array, actual: Array, origins: npt.NDArray[np.intp], now: int) -> Covered:
    """Make intervals at every origin from the errors known by then, and count how often they held.

    Parameters
    ----------
    forecast, actual : array [origin, area, column, lead]
        Persons; leads are 1, 2, … years. NaN where not to be judged.
    origins : array [origin]
        Years before ``now``, in order.
    now : int
        Last year observed.

    Returns
    -------
    Covered
    """
    good = (forecast > 0) & np.isfinite(actual)
    base = np.where(good, forecast, np.nan)
    error, inverse = (actual - base) / base, 1.0 / base
    columns, leads = forecast.shape[2:]
    judged = np.zeros((len(origins), columns, leads))
    inside, lacked = np.zeros((2, len(LEVELS), len(origins), columns, leads))
    made = []
    for at, origin in enumerate([*origins.tolist(), now]):
        reach = _reach(error, inverse, origins, origin)
        half = reach.reach * np.exp(_correction(lacked[:, :at], origins[:at], origin))
        made.append(replace(reach, reach=half))
        if at == len(origins):
            break
        size = _scaled(error[at], inverse[at], reach.person, reach.lasting)
        judged[at] = (np.isfinite(size) & np.isfinite(half[0])).sum(0)
        inside[:, at] = (size <= half[:, None]).sum(1)
        short = np.array(LEVELS)[:, None, None] - inside[:, at] / np.maximum(judged[at], 1)
        lacked[:, at] = np.where(judged[at] > 0, short, 0.0)
    return Covered(judged, inside, made[-1], tuple(made[:-1]))


def _correction(lacked: Array, origins: npt.NDArray[np.intp], origin: int) -> Array:
    """Return the logarithm of the factor on half-widths from what is due by now.

    ``lacked`` is the share missing in coverage, ``[level, earlier origin, column, lead]``; the
    result is ``[level, column, lead]``.
    """
    total = np.zeros((len(LEVELS), *lacked.shape[2:]))
    for past, gap in zip(origins.tolist(), lacked.swapaxes(0, 1), strict=True):
        due = np.minimum(np.arange(gap.shape[-1]), origin - past - 1)
        total += gap[..., due]
    return np.asarray(np.clip(STEP[:, None, None] * total, -MOST, MOST))


def _reach(error: Array, inverse: Array, origins: npt.NDArray[np.intp], origin: int) -> Reach:
    """Measure half-widths from what is known at an origin; few errors lean on the lead before."""
    columns, leads = error.shape[2:]
    person, lasting = np.full((2, columns, leads), np.nan)
    reach = np.full((len(LEVELS), columns, leads), np.nan)
    judged = np.asarray(np.isfinite(error).any((1, 2)))
    square, number = np.zeros((2, leads))
    for lead in range(leads):
        known = np.flatnonzero(judged[:, lead] & (origins + lead + 1 <= origin))
        if not lead and not len(known):
            break
        parts = []
        if len(known):
            past = error[known, ..., lead]
            square[lead], number[lead] = np.nanmedian(np.abs(past)) ** 2, len(known)
            weights = np.asarray(FADE ** (origin - origins[known]), dtype=float)
            parts.append((len(known), _measure(past, inverse[known, ..., lead], weights, lead)))
        if lead:
            growth = ((lead + 1) / lead) ** _power(square[:lead], number[:lead])
            before = person[:, lead - 1], lasting[:, lead - 1], reach[..., lead - 1]
            parts.append((LEAN, (before[0] * growth, before[1] * growth, before[2])))
        total = sum(weight for weight, _ in parts)
        person[:, lead], lasting[:, lead], reach[..., lead] = (
            sum(weight / total * measure[part] for weight, measure in parts) for part in range(3)
        )
    return Reach(person, lasting, reach)


def _power(square: Array, number: Array) -> float:
    """Fit the power of the lead with which squared errors have grown, leaning to `GROWTH`.

    Weighted least squares of logarithms; a lead weighs the origins it is known from.
    """
    seen = (square > 0) & (number > 0)
    weight = np.where(seen, number, 0.0)
    x = np.log(np.arange(1, len(square) + 1))
    y = np.log(np.where(seen, square, 1.0))
    total = max(float(weight.sum()), 1e-9)
    x, y = (part - (weight * part).sum() / total for part in (x, y))
    return float(((weight * x * y).sum() + GROWTH) / ((weight * x * x).sum() + 1.0))


def _scaled(error: Array, inverse: Array, person: Array, lasting: Array) -> Array:
    return np.asarray(np.abs(error) / np.sqrt(np.maximum(person * inverse + lasting, 1e-12)))


def _alone(origins: int, lead: int) -> Array:
    """Return the factor ``[level]`` on half-widths of a series alone, known from few origins.

    Its errors are as many as the origins, and those nearer than the lead overlap: the width is that
    of Student's t with as many degrees of freedom.
    """
    freedom = max(origins / (1 + OVERLAP * lead), LEAST_FREEDOM)
    return np.array([stdtrit(freedom, 0.5 + s / 2) / ndtri(0.5 + s / 2) for s in LEVELS])


def _measure(error: Array, inverse: Array, weights: Array, lead: int) -> tuple[Array, Array, Array]:
    """Measure variance parts and half-widths of one lead from errors ``[origin, area, column]``."""
    flat, size = (part.reshape(-1, part.shape[-1]) for part in (error, inverse))
    person, lasting = variance_parts(flat**2, size)
    share = np.repeat(np.array(LEVELS)[:, None], flat.shape[1], axis=1)
    weight = np.repeat(weights, error.shape[1])
    half = weighted_quantiles(_scaled(flat, size, person, lasting), weight, share)
    if error.shape[1] == 1:
        half *= _alone(len(error), lead)[:, None]
        half[1] = np.maximum(half[1], TAIL * half[0])
    return person, lasting, half


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
