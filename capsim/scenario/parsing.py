"""Tables with types: cells made numbers, dates and names, strictly and whole columns at a time.

A cell may hold:

- *number*: ASCII digits with an optional sign, point and exponent (``12``, ``-0.5``, ``1e6``);
- *int*: ASCII digits with an optional sign;
- *date*: ``YYYY-MM-DD`` of a day that exists;
- *name*: text without blanks round it; *text*: anything; neither holds control characters.

Nothing else is taken for a number as it stands: no ``nan`` or ``inf``. What means one for certain
(``2,340``, ``6500万``) is read so, and a note tells; any other cell that cannot be read is a fault.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from capsim.i18n.language import Message
from capsim.scenario.cell_words import factor, heading, scaled, understood
from capsim.scenario.faults import CONTROL, Fault, meant, one_of
from capsim.scenario.folder import Cells, number_text
from capsim.scenario.schema import TABLES, YEARS, Column, Table

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
Rows: TypeAlias = "Mask | pd.Series[bool]"
"""A mark of each row."""
Bad = tuple[int | None, str | Message, Message]
"""Position of a row (None: the column), its value, what was expected."""

NUMBER = frozenset("0123456789+-.eE")
INTEGER = frozenset("0123456789+-")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INT_MOST = 2**53
SHOWN = 100
"""Faults of a kind that are named one by one; the rest is counted."""
SEARCHED = 10
"""Unknown names for which the nearest known one is looked for."""


def convert(cells: Sequence[str] | pd.Series, column: Column) -> tuple[pd.Series, list[Bad]]:
    """Return a column with its type and its default for blanks, and what is wrong with it.

    Parameters
    ----------
    cells : sequence of str, or Series
        As read from a file, or a column of a frame.
    column : Column

    Returns
    -------
    values : Series
        Where cells are bad the values mean nothing.
    bad : list of (position, value, expected)
        At most 100 and one that counts the rest.

    Examples
    --------
    >>> from capsim.scenario.schema import TABLES
    >>> values, bad = convert(["12", "1_000", "-1"], TABLES["births"].column("births"))
    >>> [(at, value, str(what)) for at, value, what in bad]
    [(1, '1_000', 'a number'), (2, '-1', 'a number >= 0')]
    """
    if column.is_number:
        if isinstance(cells, pd.Series) and _is_number(cells.dtype):
            # Adding 0 makes -0 a 0, so that equal tables have equal bytes (also below).
            values = cells.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0
            bad = _out_of_bounds(values, column, [])
        else:
            listed = texts(cells)
            values, bad = _numbers(listed, whole=column.kind == "int")
            out = _out_of_bounds(values, column, bad)
            bad += [(at, value if at is None else listed[at], what) for at, value, what in out]
        return _with_default(values, bad, column), _few(bad)
    listed = texts(cells)
    bad = _bad_dates(listed) if column.kind == "date" else _bad_names(listed, column)
    if column.required:
        blank = expected(column)
        bad += [(at, "", blank) for at in _where(listed, {""})]
    if column.default is not None and not bad:
        listed = [cell or str(column.default) for cell in listed]
    return pd.Series(listed, dtype="str"), _few(bad)


def blank_column(column: Column, rows: int) -> pd.Series:
    """Return a column that was left out: the default, else blank."""
    if column.is_number:
        value = math.nan if column.default is None else float(column.default)
        values = pd.Series(np.full(rows, value))
        whole = column.kind == "int" and (column.required or column.default is not None)
        return values.astype("int64") if whole and (rows == 0 or value == value) else values
    return pd.Series([str(column.default or "")] * rows, dtype="str")


def expected(column: Column) -> Message:
    """Describe what a cell of the column must be."""
    if column.kind == "date":
        return Message("a date YYYY-MM-DD")
    if column.kind in ("name", "text"):
        return one_of(column.allowed) if column.allowed else Message("a name")
    number = Message("a whole number" if column.kind == "int" else "a number")
    if column.low == -math.inf:
        return number
    if _is_open(column):
        return Message("{what} >= 0", {"what": number})
    bounds = {"low": f"{column.low:g}", "high": f"{column.high:.15g}"}
    return Message("{what} from {low} to {high}", {"what": number, **bounds})


def _is_open(column: Column) -> bool:
    """Whether a number of the column is 0 or more; its highest is then only of those absurd."""
    return column.low == 0 and column.high >= 600


def texts(cells: Sequence[str] | pd.Series) -> list[str]:
    """Return cells as text, as a file would hold them; missing ones are blank."""
    if not isinstance(cells, pd.Series):
        return list(cells)
    listed: list[Any] = cells.tolist()
    return [cell if type(cell) is str else _text(cell) for cell in listed]


def _text(cell: Any) -> str:
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return ""
    if isinstance(cell, pd.Timestamp | dt.datetime):
        return cell.isoformat().removesuffix("T00:00:00")
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, numbers.Real) and not isinstance(cell, bool | numbers.Integral):
        return repr(float(cell))
    # A number of thousands of digits is not printed; in base 16 it is no number of a table either.
    return hex(cell) if isinstance(cell, int) and cell.bit_length() > 1100 else str(cell)


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) and not (
        pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_complex_dtype(dtype)
    )


def _numbers(cells: list[str], whole: bool) -> tuple[npt.NDArray[np.float64], list[Bad]]:
    letters, kind = (INTEGER, int) if whole else (NUMBER, float)
    what = Message("a whole number" if whole else "a number")
    if letters.issuperset("".join(cells)):
        try:
            read = [kind(cell) if cell else math.nan for cell in cells]
            return np.array(read, dtype=np.float64) + 0.0, []
        except (ValueError, OverflowError):
            pass
    values = np.full(len(cells), np.nan)
    bad: list[Bad] = []
    for at, cell in enumerate(cells):
        if not cell:
            continue
        try:
            if not letters.issuperset(cell):
                raise ValueError(cell)
            values[at] = kind(cell)
        except (ValueError, OverflowError):
            bad.append((at, cell, what))
    return values + 0.0, bad


def _out_of_bounds(values: npt.NDArray[np.float64], column: Column, unread: list[Bad]) -> list[Bad]:
    known = {at for at, _, _ in unread}
    with np.errstate(invalid="ignore"):
        out = (values < column.low) | (values > column.high) | np.isinf(values)
        if column.kind == "int":
            out |= (values != np.floor(values)) & ~np.isnan(values)
            out |= np.abs(values) > INT_MOST
    if column.required:
        out |= np.isnan(values)
    what = expected(column)
    high = what
    if np.isfinite(column.high) and (_is_open(column) or column.low == -math.inf):
        high = Message("{what}, at most {most}", {"what": what, "most": f"{column.high:,.0f}"})
    bad: list[Bad] = []
    for at in np.flatnonzero(out).tolist():
        if at not in known:
            value = float(values[at])
            bad.append((at, number_text(value), high if value > column.high else what))
    return bad


def _with_default(values: npt.NDArray[np.float64], bad: list[Bad], column: Column) -> pd.Series:
    if column.default is not None:
        values = np.where(np.isnan(values), float(column.default), values)
    if column.kind == "int" and not bad and (column.required or column.default is not None):
        return pd.Series(values.astype(np.int64))
    return pd.Series(values)


def _where(cells: list[str], wrong: set[str]) -> list[int]:
    return [at for at, cell in enumerate(cells) if cell in wrong] if wrong else []


def _bad_dates(cells: list[str]) -> list[Bad]:
    wrong = {cell for cell in set(cells) if cell and not _is_date(cell)}
    expected = Message("a date YYYY-MM-DD")
    return [(at, cells[at], expected) for at in _where(cells, wrong)]


def _is_date(cell: str) -> bool:
    if not DATE.fullmatch(cell):
        return False
    try:
        return YEARS[0] <= dt.date.fromisoformat(cell).year <= YEARS[1]
    except ValueError:
        return False


def _bad_names(cells: list[str], column: Column) -> list[Bad]:
    distinct = set(cells) - {""}
    wrong = {cell for cell in distinct if CONTROL.search(cell)}
    clean = Message("text without control characters")
    bad: list[Bad] = [(at, cells[at], clean) for at in _where(cells, wrong)]
    if column.kind == "text":
        return bad
    if column.allowed:
        other = distinct - wrong - set(column.allowed)
        return bad + [(at, cells[at], expected(column)) for at in _where(cells, other)]
    wide = {cell for cell in distinct - wrong if cell != cell.strip()}
    tight = Message("a name without blanks round it")
    return bad + [(at, cells[at], tight) for at in _where(cells, wide)]


def _few(bad: list[Bad]) -> list[Bad]:
    """Keep the first hundred and add how many more there are."""
    bad = sorted(bad, key=lambda item: -1 if item[0] is None else item[0])
    if len(bad) <= SHOWN:
        return bad
    return [*bad[:SHOWN], (None, _more(len(bad) - SHOWN), bad[SHOWN][2])]


def _more(rows: int) -> Message:
    return Message("{number} more rows", {"number": rows})


@dataclass(frozen=True)
class Typed:
    """A table with its types, and where its rows stand in their file.

    ``sound`` is false where some cell could not be read: then nothing builds on the values. Where
    it is known in which rows such cells stand, ``spoilt`` has their positions; None: it is not.
    ``notes`` say what was read otherwise than plainly, ``degrees`` whether coordinates are degrees.
    """

    file: str
    frame: pd.DataFrame
    lines: Sequence[int]
    sound: bool = True
    spoilt: frozenset[int] | None = frozenset()
    notes: tuple[Message, ...] = ()
    degrees: bool = False

    def readable(self) -> Typed:
        """Return the rows of which every cell could be read."""
        if self.spoilt is None:
            return Typed(self.file, self.frame.iloc[:0], (), sound=False)
        if not self.spoilt:
            return self
        kept = [at for at in range(len(self.frame)) if at not in self.spoilt]
        lines = [self.lines[at] for at in kept]
        return Typed(self.file, self.frame.iloc[kept].reset_index(drop=True), lines, sound=False)

    def faults(self, column: str, bad: Iterable[Bad]) -> list[Fault]:
        """Return faults of rows, by position."""
        return [
            Fault(self.file, None if at is None else int(self.lines[at]), column, value, expected)
            for at, value, expected in bad
        ]

    def where(
        self,
        mask: Rows,
        column: str,
        expected: Message,
        describe: Callable[[int], tuple[str, Message]] | None = None,
    ) -> list[Fault]:
        """Return a fault for each row of a mask: the first hundred and a count of the rest.

        ``describe`` gives value and what is expected for the position of a row; else the value is
        the column's.
        """
        rows = np.flatnonzero(np.asarray(mask, dtype=bool)).tolist()
        bad: list[Bad] = []
        for at in rows[:SHOWN]:
            value, what = describe(at) if describe else (self._shown(at, column), expected)
            bad.append((at, value, what))
        if len(rows) > SHOWN:
            bad.append((None, _more(len(rows) - SHOWN), expected))
        return self.faults(column, bad)

    def unknown(
        self, column: str, known: Collection[str], what: Message, blank: bool = False
    ) -> list[Fault]:
        """Return a fault for each row whose value is not known, with the nearest that is."""
        values = self.frame[column]
        strange = set(values.unique().tolist()) - set(known) - ({""} if blank else set())
        if not strange:
            return []
        near: dict[str, Message] = {}

        def describe(at: int) -> tuple[str, Message]:
            value = str(values.iloc[at])
            if value not in near:
                near[value] = meant(what, value, known) if len(near) < SEARCHED else what
            return value, near[value]

        return self.where(values.isin(list(strange)), column, what, describe)

    def repeated_keys(self, key: Sequence[str]) -> list[Fault]:
        """Return a fault for each row whose key stands in an earlier row."""
        expected = Message("a key that no earlier row has")

        def describe(at: int) -> tuple[str, Message]:
            return ", ".join(self._shown(at, column) for column in key), expected

        repeated = pd.Series(codes([self.frame[column] for column in key])).duplicated()
        return self.where(repeated, ", ".join(key), expected, describe)

    def _shown(self, at: int, column: str) -> str:
        return shown(self.frame[column].iloc[at])


def shown(value: Any) -> str:
    """Return a cell as a file holds it."""
    return number_text(float(value)) if isinstance(value, float) else str(value)


def empty(name: str) -> pd.DataFrame:
    """Return the table without rows, every column with its type."""
    return pd.DataFrame({c.name: blank_column(c, 0) for c in TABLES[name].columns})


def completed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with every column of a table, in order and typed; those it lacks are blank."""
    columns = TABLES[name].columns
    lacking = {c.name: blank_column(c, len(frame)) for c in columns if c.name not in frame}
    types = empty(name).dtypes.to_dict()
    return frame.assign(**lacking)[list(TABLES[name].names)].astype(types)


def from_cells(name: str, cells: Cells) -> tuple[Typed, list[Fault]]:
    """Return a table with every documented column in order and typed, and its faults.

    Undocumented columns are faults, as are required columns that are not there, and units that a
    column cannot have. Headers may be in either language, with a unit in brackets; cells as
    `capsim.scenario.cell_words.understood` reads them.
    """
    table = TABLES[name]
    means, units, faults = _headings(table, cells)
    columns: dict[str, pd.Series] = {}
    spoilt: set[int | None] = {None} if any(fault.column in units for fault in faults) else set()
    notes = list(cells.notes)
    typed = Typed(cells.file, pd.DataFrame(), cells.lines)
    for column in table.columns:
        if column.name in means:
            columns[column.name], bad, said = read_column(means[column.name], column)
            notes += said
            by, unit = units.get(column.name, (Decimal(1), ""))
            if by != 1:
                values = scaled(columns[column.name], by)
                said_unit = {"column": column.name, "unit": unit, "factor": f"{by.normalize():f}"}
                notes.append(Message("{column}: in {unit}, times {factor}", said_unit))
                columns[column.name], out = convert(values, column)
                bad = bad or out
            faults += typed.faults(column.name, bad)
            spoilt |= {at for at, _, _ in bad}
        else:
            columns[column.name] = blank_column(column, cells.rows)
            if column.required:
                spoilt.add(None)
                of_name = Message("a column of that name")
                faults.append(Fault(cells.file, None, column.name, "", of_name))
    frame = pd.DataFrame(columns, copy=False)
    rows = frozenset(at for at in spoilt if at is not None)
    known = rows if len(rows) == len(spoilt) else None
    degrees = any(unit == "°" for _, unit in units.values())
    return Typed(cells.file, frame, cells.lines, not faults, known, tuple(notes), degrees), faults


def read_column(
    cells: Sequence[str] | pd.Series, column: Column
) -> tuple[pd.Series, list[Bad], list[Message]]:
    """Return a column with its type, what is wrong with it, and what was not plain but understood.

    Examples
    --------
    >>> from capsim.scenario.schema import TABLES
    >>> values, bad, notes = read_column(["1", "2,340"], TABLES["births"].column("births"))
    >>> values.tolist(), bad, len(notes)
    ([1.0, 2340.0], [], 1)
    """
    values, bad = convert(cells, column)
    if not bad:
        return values, bad, []
    listed, notes = understood(texts(cells), column)
    if notes:
        values, bad = convert(listed, column)
    return values, bad, notes


def _headings(
    table: Table, cells: Cells
) -> tuple[dict[str, Any], dict[str, tuple[Decimal, str]], list[Fault]]:
    """Return the cells of each column, the factors and words of units in headers, and faults."""
    means: dict[str, Any] = {}
    units: dict[str, tuple[Decimal, str]] = {}
    faults: list[Fault] = []
    searched = 0
    for head in map(str, cells.columns):
        column, unit = (head, "") if head in table.names else heading(table.name, head)
        if not column:
            searched += 1
            what = Message("a column: one of the table")
            if searched <= SEARCHED:
                what = meant(Message("a column"), head, table.names)
            faults.append(Fault(cells.file, None, head, head, what))
        elif column in means:
            faults.append(Fault(cells.file, None, column, head, Message("each column once")))
        else:
            means[column] = cells.columns[head]
            if unit := unit or cells.units.get(column, ""):
                faults += _unit(table.column(column), head, unit, units, cells.file)
    return means, units, faults


def _unit(
    column: Column, head: str, unit: str, units: dict[str, tuple[Decimal, str]], file: str
) -> list[Fault]:
    """Add what the unit of a header means; or return the fault that it is none of the column."""
    by = Decimal(1) if unit == "°" else factor(column, unit)
    units[column.name] = (Decimal(1) if by is None else by, unit)
    if by is not None:
        return []
    expected = Message("a unit of this column: {unit}", {"unit": column.unit})
    cure = Message("give the numbers in it, or the column without a unit")
    return [Fault(file, None, column.name, head, expected, cure)]


def from_frame(name: str, frame: Any) -> tuple[Typed, list[Fault]]:
    """Return a frame in memory as a table; its rows are counted from 0."""
    if not isinstance(frame, pd.DataFrame):
        fault = Fault(name, None, "", type(frame).__name__, Message("a pandas DataFrame"))
        return Typed(name, empty(name), (), sound=False), [fault]
    twice = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]})
    if twice:
        once = Message("each column once")
        faults = [Fault(name, None, column, column, once) for column in twice]
        return Typed(name, empty(name), (), sound=False), faults
    columns: Mapping[str, pd.Series] = {
        str(column): frame[column].reset_index(drop=True) for column in frame.columns
    }
    return from_cells(name, Cells(name, columns, len(frame), range(len(frame))))


def codes(columns: Sequence[pd.Series]) -> Codes:
    """Return a number for each combination of values in several columns."""
    result: Codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code, distinct = pd.factorize(column)
        result = result * max(len(distinct), 1) + code
        if len(columns) > 2:
            result = pd.factorize(result)[0].astype(np.int64)
    return result


class FrozenTable:
    """A table that cannot be changed: a frame that nobody else has, and its columns as arrays.

    The arrays are made once, since reading one from the frame takes as long as most of what is
    then done with it. They are no part of a pickle, but made anew from the frame.

    Examples
    --------
    >>> table = FrozenTable(pd.DataFrame({"area": ["n", "s"], "km": [1.0, 2.0]}))
    >>> len(table), table.columns["km"].tolist(), table.columns["area"].flags.writeable
    (2, [1.0, 2.0], False)
    """

    __slots__ = ("columns", "frame")

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.columns = {str(name): _frozen(values) for name, values in frame.items()}

    def __len__(self) -> int:
        return len(self.frame)

    def __reduce__(self) -> tuple[type[FrozenTable], tuple[pd.DataFrame]]:
        return FrozenTable, (self.frame,)


def _frozen(values: pd.Series) -> npt.NDArray[Any]:
    array = values.to_numpy().view()
    array.flags.writeable = False
    return array
