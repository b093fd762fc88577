"""A table of areas, years and grades, from any wide table or from a scenario."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .ratios import Array, Index

if TYPE_CHECKING:
    from capsim.scenario import Scenario

GRADE = re.compile(r"K\d?|\d{1,2}")
YEARS = (1800, 2200)
"""What passes for a school year."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Observed pupils.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
        Without a gap.
    pupils : array [area, grade, year]
        Persons; NaN where not observed.
    county : array [area]
        Index of each area's county; all zeros where there are none.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    county: Index


def panel(
    table: pd.DataFrame,
    area: str | None = None,
    year: str | None = None,
    grades: Sequence[str] | None = None,
    name: str = "table",
) -> Panel:
    """Read a wide table: a row an area and year, a column a grade.

    Parameters
    ----------
    table : DataFrame
    area, year : text, optional
        Columns; without them the first column of text, and the first named like a year.
    grades : sequence of text, optional
        Columns in order from the youngest; without them those named ``K``, ``K1`` … or ``1`` … in
        the order of the table.
    name : text
        Of the table, for error messages.

    Returns
    -------
    Panel
        A year that the table leaves out is not observed.

    Raises
    ------
    ScenarioError
        Naming every row, column and value that is not as expected.

    Examples
    --------
    >>> wide = pd.DataFrame({"school": ["A", "A"], "fall_year": [2019, 2021], "K": [9, 8]})
    >>> panel(wide).pupils
    array([[[ 9., nan,  8.]]])
    """
    from capsim.scenario import ScenarioError
    from capsim.scenario.faults import Fault

    columns = [str(column) for column in table.columns]
    table = table.set_axis(columns, axis=1)
    text = [c for c in columns if not pd.api.types.is_numeric_dtype(table[c])]
    area = area or next(iter(text), "")
    year = year or next((c for c in columns if "year" in c.lower()), "")
    found = [c for c in columns if GRADE.fullmatch(c) and c not in (area, year)]
    grades = list(dict.fromkeys(grades or found))
    wanted = [("area", area), ("year", year), *(("grade", grade) for grade in grades)]
    faults = [
        Fault(name, None, column or what, "", f"a column for the {what}, of {', '.join(columns)}")
        for what, column in wanted
        if column not in columns
    ]
    if not grades:
        expected = "columns of grades, named K, K1 … or 1 … 12,"
        faults.append(Fault(name, None, "", ", ".join(columns), expected))
    if not len(table):
        faults.append(Fault(name, None, "", "", "at least one row"))
    if faults:
        raise ScenarioError(faults)
    numbers = table[[year, *grades]].apply(pd.to_numeric, errors="coerce")
    bad = (
        numbers.isna() & table[[year, *grades]].notna()
        | (numbers < 0)
        | ~np.isfinite(numbers.fillna(0))
    )
    bad[year] |= ~numbers[year].between(*YEARS) | (numbers[year] % 1 != 0)
    for row, column in np.argwhere(bad.to_numpy()):
        label = bad.columns[column]
        whole_year = "a whole year from {} to {}".format(*YEARS)
        expected = whole_year if label == year else "a number of pupils, 0 or more"
        faults.append(Fault(name, int(row) + 2, label, str(table[label].iloc[row]), expected))
    for row in np.flatnonzero(table[area].isna()):
        faults.append(Fault(name, int(row) + 2, area, "", "the name of an area"))
    twice = table.duplicated([area, year]).to_numpy()
    for row in np.flatnonzero(twice):
        value = f"{table[area].iloc[row]} {table[year].iloc[row]}"
        faults.append(Fault(name, int(row) + 2, area, value, "each area and year once"))
    if not faults and not numbers[grades].sum().sum():
        faults.append(Fault(name, None, ", ".join(grades), "", "at least one pupil"))
    if faults:
        raise ScenarioError(faults)
    names = sorted(set(table[area].astype(str)))
    school_years = numbers[year].astype(int)
    years = range(int(school_years.min()), int(school_years.max()) + 1)
    pupils = np.full((len(names), len(grades), len(years)), np.nan)
    row_area = pd.Index(names).get_indexer(pd.Index(table[area].astype(str)))
    pupils[row_area, :, school_years.to_numpy() - years[0]] = numbers[grades].to_numpy(float)
    alone = np.zeros(len(names), dtype=np.intp)
    return Panel(tuple(names), tuple(grades), tuple(years), pupils, alone)


def panel_of(scenario: Scenario) -> Panel:
    """Observed pupils of a scenario's planned stages, both sectors together."""
    from .observe import observe

    seen = observe(scenario)
    return Panel(seen.areas, seen.grades, seen.years, seen.pupils, seen.county)
