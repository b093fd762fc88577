"""Methods of forecasting a table that has nothing but pupils of areas, grades and years.

A method says how ratios and entry are forecast, and how areas, counties and the whole are made to
agree: each could be forecast on its own, but then they would not. Bottom-up takes the areas and
adds them; top-down takes the whole and shares it out; minimum trace (Wickramasuriya,
Athanasopoulos and Hyndman 2019) takes all levels and weighs each by its error variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from capsim.demand.cohort import advance, by_share, closed, structure, whole_path
from capsim.demand.ratios import (
    LONG_ALPHA,
    OUTLOOK_LEAST,
    Array,
    Index,
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
    taught,
    without_outliers,
)

Reconciliation = Literal["bottom-up", "top-down", "minimum-trace"]


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
    """

    ratio: Literal["none", "mean", "smooth", "hierarchical"]
    years: int = 3
    alpha: float | None = 0.4
    robust: bool = False
    outlook: bool = False
    entry: Literal["held", "share", "trend"] = "held"
    reconcile: Reconciliation = "bottom-up"


METHODS = {
    "no change": Method("none"),
    "3-year mean": Method("mean"),
    "smoothed": Method("smooth"),
    "fitted": Method("smooth", alpha=None),
    "robust": Method("smooth", robust=True),
    "hierarchical": Method("hierarchical", robust=True, outlook=True, entry="share"),
}
USUAL = "hierarchical"
"""The method that ``auto`` takes where nothing can be learnt yet."""


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
    return advance(start, closed(ratio, np.broadcast_to(entry, ratio.shape)))
