"""Tables with types: from cells of files or frames in memory, all faults collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .columns import Bad, blank_column, convert
from .faults import Fault, nearest
from .files import Cells
from .tables import TABLES, Table

__all__ = ["Typed", "empty", "from_cells", "from_frame"]


@dataclass(frozen=True)
class Typed:
    """A table with its types, and where its rows stand in their file.

    ``sound`` is false where some cell could not be read: then nothing builds on the values.
    """

    file: str
    frame: pd.DataFrame
    lines: Sequence[int]
    sound: bool = True

    def faults(self, column: str, bad: Iterable[Bad]) -> list[Fault]:
        """Give faults of rows, by position."""
        return [
            Fault(self.file, None if at is None else int(self.lines[at]), column, value, expected)
            for at, value, expected in bad
        ]


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
    typed = Typed(cells.file, pd.DataFrame(), cells.lines)
    for column in table.columns:
        if column.name in cells.columns:
            columns[column.name], bad = convert(cells.columns[column.name], column)
            faults += typed.faults(column.name, bad)
        else:
            columns[column.name] = blank_column(column, cells.rows)
            if column.required:
                faults.append(Fault(cells.file, None, column.name, "", "a column of that name"))
    frame = pd.DataFrame(columns)
    return Typed(cells.file, frame, cells.lines, sound=not faults), faults


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
    again = np.flatnonzero(typed.frame.duplicated(key).to_numpy())
    bad: list[Bad] = []
    for at in again[:100].tolist():
        value = ", ".join(str(typed.frame[column].iloc[at]) for column in key)
        bad.append((at, value, "a key that no earlier row has"))
    if len(again) > 100:
        bad.append((None, f"{len(again) - 100} more rows", "a key that no earlier row has"))
    return typed.faults(", ".join(key), bad)
