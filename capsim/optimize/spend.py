"""When the capital of a project is paid, and what of it is left at the end of the horizon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.lp.arrays import Array, Index, Text
from capsim.optimize.given import Given

MONTH_DAYS = 365.25 / 12
DEFAULT_LIFE_YEARS = 50.0


@dataclass(frozen=True)
class Spending:
    """Capital paid per copy: project row, opening check date, calendar year, RMB (``[entry]``)."""

    row: Index
    check: Index
    year: Index
    amount_cny: Array


def day_number(iso: Text) -> Array:
    """Days since 1970-01-01 of ISO dates."""
    return np.asarray(iso.astype("datetime64[D]").astype(np.int64), np.float64)


def new_year_days(given: Given) -> Array:
    """Days of 1 January of each planned year and of the one after, ``[year + 1]``."""
    first, count = int(given.space.years[0]), len(given.space.years)
    return day_number(np.array([f"{first + i}-01-01" for i in range(count + 1)], object))


def building_start(given: Given) -> Array:
    """Day on which building starts for an opening on each check date, ``[row, check]``."""
    opening = day_number(given.dates.date)
    return opening[None, :] - given.projects.row_months[:, None] * MONTH_DAYS


def capital_spending(given: Given) -> Spending:
    """Spread each row's unpaid capital evenly by day over its building time, by calendar year.

    What would fall before the first planned year is squeezed into the days from its 1 January on;
    an empty span puts all into the year of the opening.
    """
    edges = new_year_days(given)
    opening = day_number(given.dates.date)[None, :]
    start = np.maximum(building_start(given), edges[0])
    span = opening - start
    amount = np.minimum(opening[..., None], edges[1:]) - np.maximum(start[..., None], edges[:-1])
    np.maximum(amount, 0.0, out=amount)
    amount /= np.where(span > 0, span, 1.0)[..., None]
    at_once = np.nonzero(span <= 0)
    amount[*at_once, :] = 0.0
    amount[*at_once, given.dates.year[at_once[1]]] = 1.0
    amount *= given.projects.row_capital[:, None, None]
    row, check, year = np.nonzero(amount)
    return Spending(row, check, year, amount[row, check, year])


def salvage_value(given: Given) -> tuple[Index, Index, Array]:
    """Return row, opening check and RMB a copy is still worth on 1 September after the horizon."""
    share = given.scenario.settings.costs.salvage_share
    end = day_number(np.array([f"{int(given.space.years[-1]) + 1}-09-01"], object))[0]
    age = (end - day_number(given.dates.date)) / 365.25
    life = np.nan_to_num(given.projects.row_life, nan=DEFAULT_LIFE_YEARS)
    left = np.maximum(0.0, 1.0 - age[None, :] / life[:, None])
    value = share * given.projects.row_capital[:, None] * left
    row, check = np.nonzero(value)
    return row, check, value[row, check]
