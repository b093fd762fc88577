"""Tables with types: from cells of files or frames in memory, all faults collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .columns import SHOWN, Bad, blank_column, convert
from .faults import Fault, nearest
from .files import Cells
from .tables import TABLES, Table

__all__ = ["Mask", "Typed", "codes", "empty", "from_cells", "from_frame", "key_faults", "shown"]

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Typed:
    """A table with its types, and where its rows stand in their file.

    ``sound`` is false where some cell could not be read: then nothing builds on the values. Where
    it is known in which rows such cells stand, ``spoilt`` has their positions; None: it is not.
    """

    file: str
    frame: pd.DataFrame
    lines: Sequence[int]
    sound: bool = True
    spoilt: frozenset[int] | None = frozenset()

    def readable(self) -> Typed:
        """Keep the rows of which every cell could be read."""
        if self.spoilt is None:
            return Typed(self.file, self.frame.iloc[:0], (), sound=False)
        if not self.spoilt:
            return self
        kept = [at for at in range(len(self.frame)) if at not in self.spoilt]
        lines = [self.lines[at] for at in kept]
        return Typed(self.file, self.frame.iloc[kept].reset_index(drop=True), lines, sound=False)

    def faults(self, column: str, bad: Iterable[Bad]) -> list[Fault]:
        """Give faults of rows, by position."""
        return [
            Fault(self.file, None if at is None else int(self.lines[at]), column, value, expected)
            for at, value, expected in bad
        ]

    def where(
        self, mask: Mask, column: str, expected: str, value: str | None = None
    ) -> list[Fault]:
        """Give a fault for each row of a mask, the first hundred and a count of the rest.

        The value is that of the column unless one is given.
        """
        rows = np.flatnonzero(mask).tolist()
        if not rows:
            return []
        values = self.frame[column].iloc[rows[:SHOWN]].tolist() if value is None else []
        bad: list[Bad] = [
            (at, shown(values[k]) if value is None else value, expected)
            for k, at in enumerate(rows[:SHOWN])
        ]
        if len(rows) > SHOWN:
            bad.append((None, f"{len(rows) - SHOWN} more rows", expected))
        return self.faults(column, bad)


def shown(value: Any) -> str:
    """Print a cell as a file holds it."""
    if isinstance(value, float):
        if value != value:
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def empty(name: str) -> pd.DataFrame:
    """Give the table without rows, every column with its type."""
    return pd.DataFrame({c.name: blank_column(c, 0) for c in TABLES[name].columns})


def from_cells(name: str, cells: Cells) -> tuple[Typed, list[Fault]]:
    """Give every documented column its type, in order; name what is wrong.

    Columns nobody documented are faults, as are required columns that are not there.
    """
    table = TABLES[name]
    faults = [
        Fault(
            cells.file,
            None,
            str(column),
            str(column),
            f"a column: {nearest(str(column), table.names)}",
        )
        for column in cells.columns
        if column not in table.names
    ]
    columns: dict[str, pd.Series] = {}
    spoilt: set[int | None] = set()
    typed = Typed(cells.file, pd.DataFrame(), cells.lines)
    for column in table.columns:
        if column.name in cells.columns:
            columns[column.name], bad = convert(cells.columns[column.name], column)
            faults += typed.faults(column.name, bad)
            spoilt |= {at for at, _, _ in bad}
        else:
            columns[column.name] = blank_column(column, cells.rows)
            if column.required:
                spoilt.add(None)
                faults.append(Fault(cells.file, None, column.name, "", "a column of that name"))
    frame = pd.DataFrame(columns, copy=False)
    rows = frozenset(at for at in spoilt if at is not None)
    known = rows if len(rows) == len(spoilt) else None
    return Typed(cells.file, frame, cells.lines, not faults, known), faults


def from_frame(name: str, frame: Any) -> tuple[Typed, list[Fault]]:
    """Take a frame in memory; its rows are counted from 0."""
    if not isinstance(frame, pd.DataFrame):
        fault = Fault(name, None, "", type(frame).__name__, "a pandas DataFrame")
        return Typed(name, empty(name), (), sound=False), [fault]
    twice = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]})
    if twice:
        faults = [Fault(name, None, column, column, "each column once") for column in twice]
        return Typed(name, empty(name), (), sound=False), faults
    columns: Mapping[str, pd.Series] = {
        str(column): frame[column].reset_index(drop=True) for column in frame.columns
    }
    return from_cells(name, Cells(name, columns, len(frame), range(len(frame))))


def key_faults(table: Table, typed: Typed) -> list[Fault]:
    """Name every row whose key stands in an earlier row."""
    key = list(table.key)
    again = np.flatnonzero(repeated([typed.frame[column] for column in key]))
    expected = "a key that no earlier row has"
    bad: list[Bad] = []
    for at in again[:SHOWN].tolist():
        bad.append((at, ", ".join(shown(typed.frame[c].iloc[at]) for c in key), expected))
    if len(again) > SHOWN:
        bad.append((None, f"{len(again) - SHOWN} more rows", expected))
    return typed.faults(", ".join(key), bad)


def codes(columns: Sequence[pd.Series]) -> Codes:
    """Give each combination of values in several columns a number of its own."""
    result: Codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        code, distinct = pd.factorize(column)
        result = result * max(len(distinct), 1) + code
        if len(columns) > 2:
            result = pd.factorize(result)[0].astype(np.int64)
    return result


def repeated(columns: Sequence[pd.Series]) -> Mask:
    """Mark rows that stand in an earlier row too."""
    return pd.Series(codes(columns)).duplicated().to_numpy()
