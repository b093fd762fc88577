"""Reconciliation: forecasts of areas, counties and the whole that add up.

Each level can be forecast on its own; then they disagree. Bottom-up takes the areas and adds them;
top-down takes the whole and shares it out; minimum trace (Wickramasuriya, Athanasopoulos and
Hyndman 2019) takes all levels and weighs each by its error variance.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .entry import whole_path
from .ratios import Array, Index, divide, group_sum

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
    # One county is the whole: its forecast is not heard twice.
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

    On a tree this is exact in one pass up and one down. Areas are not let below 0.

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
