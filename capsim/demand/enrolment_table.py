"""Tables of observed pupils as agencies publish them: a row an area and year, a column a grade."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from capsim.demand.observed import observe
from capsim.demand.ratios import Array, Index
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.scenario import Scenario

GRADE = re.compile(r"K\d?|\d{1,2}")
SCHOOL_YEAR = r"^(\d{4})[/–-](\d{2}|\d{4})$"
YEARS = (1800, 2200)
"""First and last school year that a table may have."""


def read_wide(path: Path) -> pd.DataFrame:
    """Read a CSV file, or the only one of a folder, with names kept as text.

    Blank lines and rows are passed over; the index says where a row stands: at line index + 2.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the folder does not hold exactly one.
    ScenarioError
        The file is no table: empty, not in UTF-8, rows longer than the head, a column twice.
    """
    if path.is_dir():
        tables = sorted(path.glob("*.csv"))
        if len(tables) != 1:
            raise FileNotFoundError(f"{path} holds {len(tables)} CSV files; name the one to read")
        path = tables[0]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    try:
        # Spreadsheets begin UTF-8 with a byte order mark, which `utf-8-sig` leaves out.
        head = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str).iloc[0]
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            skipinitialspace=True,
            keep_default_na=False,
            na_values=[""],
        )
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _fault(path, f"byte {error.start}", "a text file in UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise _fault(path, "", "a table with a head") from error
    except pd.errors.ParserError as error:
        raise _fault(path, str(error).strip(), "a table with as many fields in each row") from error
    twice = head[head.duplicated() & head.notna()]
    if len(twice):
        raise _fault(path, ", ".join(twice), "each column once")
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    if len(filled) == len(table) + 1:
        table.index = pd.Index(filled[1:]) - 2
    return table.dropna(how="all").rename(columns=lambda column: str(column).strip())


def _fault(path: Path, value: str, expected: str) -> ScenarioError:
    return ScenarioError([Fault(path.name, None, "", value, expected)])


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
        Columns; without them the first of text (else the first that is neither year nor grade),
        and the first named like a year. A year may be written ``2019``, ``2019/20`` or ``2019-20``.
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
    table = table.set_axis([str(column) for column in table.columns], axis=1)
    area, year, grades = _columns(table, area, year, grades)
    faults = _missing(table, area, year, grades, name)
    if faults:
        raise ScenarioError(faults)
    autumn = table[year].replace(SCHOOL_YEAR, r"\1", regex=True)
    numbers = table[grades].assign(**{year: autumn}).apply(pd.to_numeric, errors="coerce")
    faults = _bad_cells(table, numbers, area, year, name)
    if not faults and not numbers[grades].sum().sum():
        faults.append(Fault(name, None, ", ".join(grades), "", "at least one pupil"))
    if faults:
        raise ScenarioError(faults)
    labels = table[area].astype(str).str.strip()
    names = sorted(set(labels))
    school_years = numbers[year].astype(int)
    years = range(int(school_years.min()), int(school_years.max()) + 1)
    pupils = np.full((len(names), len(grades), len(years)), np.nan)
    row_area = pd.Index(names).get_indexer(pd.Index(labels))
    pupils[row_area, :, school_years.to_numpy() - years[0]] = numbers[grades].to_numpy(float)
    alone = np.zeros(len(names), dtype=np.intp)
    return Panel(tuple(names), tuple(grades), tuple(years), pupils, alone)


def _columns(
    table: pd.DataFrame, area: str | None, year: str | None, grades: Sequence[str] | None
) -> tuple[str, str, list[str]]:
    """Choose the columns that are not named; blank where there is none."""
    columns = list(table.columns)
    year = year or next((c for c in columns if "year" in c.lower()), "")
    named = [c for c in columns if GRADE.fullmatch(c) and c not in (area, year)]
    grades = list(dict.fromkeys(grades or named))
    rest = [c for c in columns if c not in (year, *grades)]
    text = [c for c in rest if not pd.api.types.is_numeric_dtype(table[c])]
    return area or next(iter([*text, *rest]), ""), year, grades


def _missing(
    table: pd.DataFrame, area: str, year: str, grades: Sequence[str], name: str
) -> list[Fault]:
    """List columns that are not there or serve twice; a table without rows."""
    columns = ", ".join(table.columns)
    needed = [("area", area), ("year", year), *(("grade", grade) for grade in grades)]
    faults = [
        Fault(name, None, column or what, "", f"a column for the {what}, of {columns}")
        for what, column in needed
        if column not in table.columns
    ]
    uses = Counter(column for _, column in needed if column)
    faults += [
        Fault(name, None, column, column, "a column for one of area, year and grades")
        for column, number in uses.items()
        if number > 1
    ]
    if not grades:
        expected = "columns of grades, named K, K1 … or 1 … 12, or told by their names,"
        faults.append(Fault(name, None, "", columns, expected))
    if not len(table):
        faults.append(Fault(name, None, "", "", "at least one row"))
    return faults


def _bad_cells(
    table: pd.DataFrame, numbers: pd.DataFrame, area: str, year: str, name: str
) -> list[Fault]:
    """List cells that are invalid, and areas and years that stand twice."""
    whole = isinstance(table.index, pd.RangeIndex) or pd.api.types.is_integer_dtype(table.index)
    line = (table.index if whole else pd.RangeIndex(len(table))).to_numpy() + 2
    given = table[list(numbers.columns)].notna()
    bad = (numbers.isna() & given) | (numbers < 0) | ~np.isfinite(numbers.fillna(0))
    bad[year] |= ~numbers[year].between(*YEARS) | (numbers[year] % 1 != 0)
    faults = []
    for row, column in np.argwhere(bad.to_numpy()):
        label = bad.columns[column]
        whole_year = "a whole year from {} to {}".format(*YEARS)
        expected = whole_year if label == year else "a number of pupils, 0 or more"
        value = str(table[label].iloc[row]) if given[label].iloc[row] else ""
        faults.append(Fault(name, int(line[row]), label, value, expected))
    labels = table[area].astype(str).str.strip()
    nameless = table[area].isna() | (labels == "")
    for row in np.flatnonzero(nameless):
        faults.append(Fault(name, int(line[row]), area, "", "the name of an area"))
    keys = pd.DataFrame({"area": labels, "year": numbers[year]})
    for row in np.flatnonzero(keys.duplicated() & ~nameless):
        value = f"{labels.iloc[row]} {table[year].iloc[row]}"
        faults.append(Fault(name, int(line[row]), area, value, "each area and year once"))
    return faults


def panel_of(scenario: Scenario) -> Panel:
    """Return the observed pupils of a scenario's planned stages, both sectors together."""
    seen = observe(scenario)
    return Panel(seen.areas, seen.grades, seen.years, seen.pupils, seen.county)
