"""Methods of forecasting a table that has nothing but pupils of areas, grades and years.

A method says how ratios and entry are forecast, whether an area's total follows its own series, and
how areas, counties and the whole are made to agree: each could be forecast on its own, but then
they would not. Bottom-up takes the areas and adds them; top-down takes the whole and shares it out;
minimum trace (Wickramasuriya, Athanasopoulos and Hyndman 2019) takes all levels and weighs each by
its error variance.

Combination of forecasts, weighed by the errors they have made so far.

Areas' totals, their grades and the whole each have their own weights at each lead, because what is
best for one is not for the other: a state's grade is known from its cohort, a village school's
total best from what it was. Weights are not negative and sum to 1. They minimise the squared error
of the combination over the origins whose outcome is known, relative to size (chance of single
children grows with its root; Bates and Granger 1969). Where little is known they lean, as Diebold
and Pauly (1990) lean to equal weights, to one half of cohorts and one half of inertia. What is
known of shorter leads counts for a longer one, never the other way, so that neither the horizon nor
later years change a forecast.

At last grades are scaled to their area's total and areas to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Literal

import numpy as np

from capsim.demand.cohort import advance, by_share, closed, phasing, structure, whole_path
from capsim.demand.ratios import (
    LONG_ALPHA,
    OUTLOOK_LEAST,
    Array,
    Index,
    Mask,
    damped,
    divide,
    fitted_alpha,
    group_sum,
    hierarchical,
    kept,
    mean_ratio,
    pairs,
    returning,
    shrunk_slope,
    smooth_ratio,
    smoothed,
    taught,
    without_outliers,
)

Reconciliation = Literal["bottom-up", "top-down", "minimum-trace"]
Total = Literal["own", "theta", "damped trend"]

SERIES_ALPHAS = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Smoothing weights of a series among which the least squared one-year error chooses."""
SERIES_BETAS = np.array([0.1, 0.3, 0.5])
"""The same of its trend."""
SERIES_DAMPING = 0.8
"""Of the trend of a series, each year."""
BREAK, BEYOND = 0.25, 4.0
"""Share of its moving pupils, and roots of them, beyond which an area's series begins anew."""
LEAST_SERIES = 3
"""Observed years from which on a series has a slope."""


def reconcile(areas: Array, pupils: Array, county: Index, how: Reconciliation) -> Array:
    """Make a forecast of areas agree with forecasts of counties and the whole by cohorts.

    Minimum trace takes error variances to be as large as the pupils forecast.

    Parameters
    ----------
    areas : array [area, grade, 1 + lead]
        Persons; its first year is observed.
    pupils : array [area, grade, year]
        What was observed.
    county : array [area]
    how : text

    Returns
    -------
    array [area, grade, 1 + lead]
    """
    if how == "bottom-up":
        return areas
    leads = areas.shape[-1] - 1
    out = areas.copy()
    whole = whole_path(pupils, leads)[:, 1:]
    if how == "top-down":
        out[..., 1:] *= divide(whole, areas[..., 1:].sum(0), 1.0)
        return out
    number = int(county.max(initial=-1)) + 1
    counties = np.stack([whole_path(pupils[county == c], leads)[:, 1:] for c in range(number)])
    size = areas[..., 1:]
    # One county is the whole: its forecast does not count twice.
    of_counties = group_sum(size, county) if number > 1 else np.full_like(counties, np.inf)
    out[..., 1:] = minimum_trace(size, counties, whole, size, of_counties, size.sum(0), county)
    return out


def minimum_trace(
    areas: Array,
    counties: Array,
    whole: Array,
    area_variance: Array,
    county_variance: Array,
    whole_variance: Array,
    county: Index,
) -> Array:
    """Combine forecasts of three levels by their error variances, taken as uncorrelated.

    On a tree this is exact in one pass up and one down. Areas are never below 0.

    Parameters
    ----------
    areas, area_variance : array [area, ...]
    counties, county_variance : array [county, ...]
    whole, whole_variance : array [...]
    county : array [area]

    Returns
    -------
    array [area, ...]

    Examples
    --------
    Two areas of 10 and a whole of 26, equally sure: each of the three gives 2.

    >>> one = np.ones(2)
    >>> minimum_trace(10 * one, np.array([20.0]), np.array(26.0), one, np.array([np.inf]),
    ...               np.array(1.0), np.array([0, 0]))
    array([12., 12.])
    """
    summed, summed_variance = group_sum(areas, county), group_sum(area_variance, county)
    pull = divide(summed_variance, summed_variance + county_variance, 0.0)
    middle = summed + pull * (counties - summed)
    middle_variance = summed_variance * (1 - pull)
    total, total_variance = middle.sum(0), middle_variance.sum(0)
    top = total + divide(total_variance, total_variance + whole_variance, 0.0) * (whole - total)
    middle = middle + divide(middle_variance, total_variance, 0.0) * (top - total)
    share = divide(area_variance, summed_variance[county], 0.0)
    return np.asarray(np.maximum(areas + share * (middle - summed)[county], 0.0))


def theta(series: Array, leads: int) -> Array:
    """Forecast series by the Theta method (Assimakopoulos and Nikolopoulos 2000).

    As Hyndman and Billah (2003) show it to be: exponential smoothing with half the slope of the
    straight line as drift.

    Parameters
    ----------
    series : array [series, year]
        NaN where not observed.
    leads : int

    Returns
    -------
    array [series, lead]
        Never negative; NaN for a series without any observation.

    Examples
    --------
    A line is followed with half its slope.

    >>> theta(np.array([[10.0, 12.0, 14.0, 16.0]]), 2)
    array([[17., 18.]])
    """
    seen = np.isfinite(series)
    number = seen.sum(-1)
    level = np.full((len(SERIES_ALPHAS), len(series)), np.nan)
    square = np.zeros(level.shape)
    for value in series.T:
        square += np.nan_to_num(value - level) ** 2
        level = smoothed(level, np.broadcast_to(value, level.shape), SERIES_ALPHAS[:, None])
    best = square.argmin(0)
    alpha, level = SERIES_ALPHAS[best], level[best, np.arange(len(series))]
    x, y = (
        np.where(seen, part - divide(np.where(seen, part, 0.0).sum(-1), number, 0.0)[:, None], 0.0)
        for part in (np.broadcast_to(np.arange(series.shape[-1]), series.shape), series)
    )
    slope = np.where(number >= LEAST_SERIES, divide((x * y).sum(-1), (x * x).sum(-1), 0.0), 0.0)
    started = (1 - (1 - alpha) ** number) / alpha
    ahead = level[:, None] + slope[:, None] / 2 * (np.arange(leads) + started[:, None])
    return np.asarray(np.maximum(ahead, 0.0))


def damped_trend(series: Array, leads: int) -> Array:
    """Forecast series by exponential smoothing with a damped trend (Gardner and McKenzie 1985).

    Parameters
    ----------
    series : array [series, year]
        NaN where not observed.
    leads : int

    Returns
    -------
    array [series, lead]
        Never negative; NaN for a series without any observation.

    Examples
    --------
    >>> damped_trend(np.array([[10.0, 10.0, 10.0, 10.0]]), 2)
    array([[10., 10.]])
    """
    alpha, beta = (part.reshape(-1, 1) for part in np.meshgrid(SERIES_ALPHAS[3::2], SERIES_BETAS))
    level = np.full((len(alpha), len(series)), np.nan)
    slope, square = np.zeros_like(level), np.zeros_like(level)
    for value in series.T:
        expected = level + SERIES_DAMPING * slope
        miss = np.nan_to_num(value - expected)
        square += miss**2
        slope = SERIES_DAMPING * slope + beta * alpha * miss
        level = np.where(np.isnan(level), value, expected + alpha * miss)
    at = square.argmin(0), np.arange(len(series))
    onward = np.cumsum(SERIES_DAMPING ** np.arange(1, leads + 1))
    return np.asarray(np.maximum(level[at][:, None] + slope[at][:, None] * onward, 0.0))


def _before_break(pupils: Array) -> Mask:
    """Mark the years ``[area, year]`` before an area's cohorts last jumped, as a merger makes them.

    They did where all that moved up are more or fewer by a quarter than a year before, and not by
    chance.
    """
    above, below = (part.sum(1) for part in pairs(pupils))
    gap = np.abs(above - below)
    jumped = (below > 0) & (gap > BREAK * below) & (gap > BEYOND * np.sqrt(below))
    return np.asarray(np.logical_or.accumulate(jumped[:, ::-1], axis=1)[:, ::-1] & ~jumped)


def with_total(ahead: Array, pupils: Array, how: Total) -> Array:
    """Scale a forecast ``[area, grade, 1 + lead]`` to the forecast of each area's own total."""
    if how == "own":
        return ahead
    total = np.where(np.isfinite(pupils).any(1), np.nansum(pupils, axis=1), np.nan)
    series = np.where((total > 0) & ~_before_break(pupils), total, np.nan)
    leads = ahead.shape[-1] - 1
    path = theta(series, leads) if how == "theta" else damped_trend(series, leads)
    summed = ahead[..., 1:].sum(1)
    out = ahead.copy()
    out[..., 1:] *= divide(np.where(np.isnan(path), summed, path), summed, 1.0)[:, None]
    return out


@dataclass(frozen=True)
class Method:
    """Choices that a forecast of ratios and entry makes.

    Attributes
    ----------
    ratio : text
        ``none`` (nothing changes), ``mean`` of the last years, ``smooth`` (exponential smoothing),
        ``hierarchical`` (smoothed, and shrunk toward county and whole).
    years : int
        Of the mean.
    alpha : float or None
        Of the smoothing; None: fitted.
    robust : bool
        Whether outlying ratios are pulled in first.
    outlook : bool
        Whether ratios return to their long mean and follow the whole's damped trend, from
        `capsim.demand.ratios.OUTLOOK_LEAST` observed ratios on.
    entry : text
        ``held`` at the last year, ``share`` of the whole's grade, or ``trend``: the same with
        a damped trend of the whole's first grade.
    reconcile : text
        How areas and the whole are made to agree: ``bottom-up``, ``top-down``, ``minimum-trace``.
    total : text
        ``own``: an area's total is the sum of its grades; ``theta``, ``damped trend``: its grades
        are scaled to the forecast of its series of totals.
    """

    ratio: Literal["none", "mean", "smooth", "hierarchical"]
    years: int = 3
    alpha: float | None = 0.4
    robust: bool = False
    outlook: bool = False
    entry: Literal["held", "share", "trend"] = "held"
    reconcile: Reconciliation = "bottom-up"
    total: Total = "own"


METHODS = {
    "no change": Method("none"),
    "3-year mean": Method("mean"),
    "smoothed": Method("smooth"),
    "fitted": Method("smooth", alpha=None),
    "robust": Method("smooth", robust=True),
    "hierarchical": Method("hierarchical", robust=True, outlook=True, entry="share"),
}
USUAL = "hierarchical"
"""The method whose ratios are taken where nothing tells which are best."""
METHODS |= {name: replace(METHODS[USUAL], total=name) for name in ("theta", "damped trend")}
MEMBERS = (USUAL, "no change", "theta", "damped trend")
"""What ``auto`` combines: cohorts, and the inertia of totals in three ways."""


def progression(above: Array, below: Array, county: Index, method: Method, leads: int) -> Array:
    """Project ratios by area, grade and year ahead, ``[area, grade, lead]``, by a method.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons, as from `capsim.demand.ratios.pairs`; both 0 where there is no ratio.
    county : array [area]
    method : Method
        Not the one by which nothing changes.
    leads : int
    """
    if method.robust:
        above = without_outliers(above, below)

    def level(alpha: float) -> Array:
        if method.ratio == "hierarchical":
            return hierarchical(above, below, county, alpha)
        return smooth_ratio(above, below, alpha)

    if method.ratio == "mean":
        ratio = mean_ratio(above, below, method.years)
    else:
        ratio = level(fitted_alpha(above, below) if method.alpha is None else method.alpha)
    ahead = np.repeat(ratio[..., None], leads, -1)
    if not method.outlook:
        return ahead
    enough = (below.sum(0) > 0).sum(-1) >= OUTLOOK_LEAST
    if enough.any():
        ahead = np.where(enough[:, None], returning(ratio, level(LONG_ALPHA), leads), ahead)
    return np.asarray(ahead * damped(shrunk_slope(above, below), leads))


def forecast(pupils: Array, leads: int, method: Method, county: Index | None = None) -> Array:
    """Forecast a table that has nothing but pupils.

    Parameters
    ----------
    pupils : array [area, grade, year]
        Persons, years without a gap; NaN where not observed.
    leads : int
        School years to forecast.
    method : Method
    county : array [area], optional
        Index of each area's county; without it all areas are of one.

    Returns
    -------
    array [area, grade, 1 + lead]
        Persons, the last observed year first; NaN for areas not observed in it.

    Examples
    --------
    >>> pupils = np.array([[[10.0, 10.0, 10.0], [10.0, 9.0, 9.0]]])
    >>> forecast(pupils, 2, METHODS["3-year mean"])
    array([[[10., 10., 10.],
            [ 9.,  9.,  9.]]])
    """
    base = pupils[..., -1]
    away = np.isnan(base).all(1)
    start = np.nan_to_num(base)
    if county is None:
        county = np.zeros(len(pupils), dtype=np.intp)
    if method.ratio == "none":
        out = np.repeat(start[..., None], leads + 1, -1)
    else:
        out = _cohorts(pupils, start, leads, method, county)
        out = reconcile(out, pupils, county, method.reconcile)
        out = with_total(out, pupils, method.total)
    out[away] = np.nan
    return out


def _cohorts(pupils: Array, start: Array, leads: int, method: Method, county: Index) -> Array:
    served, fed = structure(pupils)
    above, below = taught(*pairs(pupils))
    if method.entry == "held":
        first = served.copy()
        first[:, 1:] &= ~served[:, :-1]
        entry = np.where(first[..., None], start[..., None], np.nan)
    else:
        above, below = kept(~fed[..., None], above, below)
        entry = by_share(pupils, fed, leads, method.entry == "trend")
    ratio = np.where(served[..., None], progression(above, below, county, method, leads), 0.0)
    if method.entry != "held":
        onward, staying = (part[..., None] for part in phasing(pupils))
        ratio = np.where(np.isnan(onward), ratio, onward)
        entry = entry * staying ** np.arange(1, leads + 1)
    return advance(start, closed(ratio, np.broadcast_to(entry, ratio.shape)))


LEVELS = ("total", "area", "grade")
"""The whole, areas' totals, areas' grades."""
PRIOR = 3.0
"""Origins that the weights leaned to count for."""
SAME = 1e-9
"""Relative square by which members lie apart below which they are the same."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of members.

    Attributes
    ----------
    total, area, grade : array [lead, member]
        Of the whole, of areas' totals, of areas' grades; they sum to 1 over members.
    """

    total: Array
    area: Array
    grade: Array

    def until(self, leads: int) -> Weights:
        """Return weights of so many leads; later ones are those of the last lead there is."""
        at = np.minimum(np.arange(leads), len(self.total) - 1)
        return Weights(self.total[at], self.area[at], self.grade[at])


def error_products(members: Array, actual: Array) -> dict[str, Array]:
    """Sum products of the members' errors by level, each relative to the size forecast.

    Parameters
    ----------
    members : array [member, area, grade, lead]
        Forecasts from one origin, persons.
    actual : array [area, grade, lead]
        Persons; NaN where not judged.

    Returns
    -------
    mapping of level to array [lead, member, member]
    """
    judged = np.isfinite(actual)
    part = np.where(judged, members, 0.0), np.where(judged, actual, 0.0)
    out = {}
    for level in LEVELS[::-1]:
        ahead, came = part
        size = np.maximum(ahead.mean(0), 1.0)
        error = (ahead - came) / np.sqrt(size)
        flat = error.reshape(len(error), -1, error.shape[-1])
        out[level] = np.einsum("mcl,kcl->lmk", flat, flat)
        if level != "total":
            axis = 1 if level == "grade" else 0
            part = ahead.sum(axis + 1), came.sum(axis)
            part = part if level == "grade" else (part[0][:, None], part[1][None])
    return out


def learned(products: Sequence[dict[str, Array]], origins: Index, now: int) -> Weights:
    """Learn weights from the errors that are known by a year.

    Parameters
    ----------
    products : sequence of mappings
        By origin, from `error_products`.
    origins : array [origin]
        Years, in order.
    now : int
    """
    by_level = {}
    for level in LEVELS:
        square = np.stack([product[level] for product in products])
        by_level[level] = _weights(square, origins, now)
    return Weights(**by_level)


def _weights(square: Array, origins: Index, now: int) -> Array:
    """Return one level's weights ``[lead, member]`` from ``[origin, lead, member, member]``."""
    leads, number = square.shape[1:3]
    usual = _usual_weights(number)
    out = np.tile(usual, (leads, 1))
    middle = np.eye(number) - 1.0 / number
    shorter, evidence = np.zeros((number, number)), 0.0
    for lead in range(leads):
        due = origins + lead + 1 <= now
        known = due & (np.trace(square[:, lead], axis1=1, axis2=2) > 0)
        total = _unit(square[known, lead].sum(0)) * known.sum() + evidence * shorter
        evidence += float(known.sum())
        if not evidence:
            continue
        apart = float(np.trace(middle @ total)) / max(number - 1, 1)
        out[lead] = _least(total, PRIOR * apart / evidence**2, usual)
        shorter = _unit(total)
    return out


def _usual_weights(number: int) -> Array:
    """Return the weights where nothing is known: one half the first, the others alike."""
    if number == 1:
        return np.ones(1)
    return np.array([0.5, *[0.5 / (number - 1)] * (number - 1)])


def _unit(square: Array) -> Array:
    size = np.trace(square) / len(square)
    return square / size if size > 0 else square


def _least(square: Array, pull: float, usual: Array) -> Array:
    """Minimise ``w' square w + pull * |w - usual|**2`` over weights: by each set that is not 0."""
    number = len(square)
    if pull < SAME:
        return usual
    matrix = square + pull * np.eye(number)
    best = usual
    least = np.inf
    members = range(number)
    for chosen in chain.from_iterable(combinations(members, n) for n in range(1, number + 1)):
        at = list(chosen)
        # Where the gradient is the same for all of the set, and they sum to 1.
        sides = np.stack([np.ones(len(at)), pull * usual[at]], axis=1)
        even, pulled = np.linalg.solve(matrix[np.ix_(at, at)], sides).T
        weight = np.zeros(number)
        weight[at] = pulled + even * (1 - pulled.sum()) / even.sum()
        value = float(weight @ square @ weight + pull * ((weight - usual) ** 2).sum())
        if (weight >= 0).all() and value < least:
            best, least = weight, value
    return best


def combined(members: Array, weights: Weights) -> Array:
    """Combine forecasts at each level, and scale grades to their areas and areas to the whole.

    Parameters
    ----------
    members : array [member, area, grade, lead]
        Persons; NaN for areas that are not forecast.
    weights : Weights

    Returns
    -------
    array [area, grade, lead]

    Examples
    --------
    Grades and whole by the first, areas' totals by the second.

    >>> first, second = np.array([[[30.0], [10.0]]]), np.array([[[10.0], [10.0]]])
    >>> of_first, of_second = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> members = np.stack([first, second])
    >>> combined(members, Weights(of_second, of_second, of_first)).ravel()
    array([15.,  5.])
    """
    seen = np.asarray(np.isfinite(members).all(0))
    known = np.where(seen, members, 0.0)
    out = np.einsum("lm,magl->agl", weights.grade, known)
    area = np.einsum("lm,mal->al", weights.area, known.sum(2))
    out = out * divide(area, out.sum(1), 1.0)[:, None]
    whole = np.einsum("lm,ml->l", weights.total, known.sum((1, 2)))
    out = out * divide(whole, out.sum((0, 1)), 1.0)
    return np.where(seen, out, np.nan)
