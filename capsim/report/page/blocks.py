"""What a page is made of: cells, columns, tables, pictures and sections, free of any layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capsim.report.language import Words

if TYPE_CHECKING:
    import pandas as pd

PAGE = 25
"""Rows of a table that are shown at a time."""

Cell = str | float | int | list[Any] | None
KINDS = ("text", "number", "percent", "year", "date", "chance")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key, title
        Name in the frame, heading with the unit.
    kind
        text; number; percent (of a fraction); year; date (ISO); chance (date and probability).
    digits
        Behind the point of a number or percentage.
    scale
        What a number is multiplied by.
    choose
        Whether the reader may pick one of its values.
    links
        Whether its text names a county with a section of its own.
    """

    key: str
    title: str
    kind: str = "text"
    digits: int = 0
    scale: float = 1.0
    choose: bool = False
    links: bool = False


@dataclass(frozen=True)
class Table:
    """Rows ready to be written: numbers rounded to what is shown, dates as text.

    `origin` is the file with all digits; `inputs` the tables and settings the figures rest on.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    origin: str = ""
    inputs: tuple[str, ...] = ()
    note: str = ""

    @property
    def first(self) -> list[list[Cell]]:
        """Rows of the first page."""
        return self.rows[:PAGE]

    @property
    def big(self) -> bool:
        """Whether it takes more than a page: it can then be searched and paged through."""
        return len(self.rows) > PAGE

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script needs: all rows, and how to write their cells."""
        columns = [
            {"k": column.kind, "d": column.digits, "c": column.choose, "l": column.links}
            for column in self.columns
        ]
        return {"columns": columns, "rows": self.rows, "page": PAGE}


@dataclass(frozen=True)
class Picture:
    """A figure as a data address, with words for those who cannot see it and its data."""

    name: str
    title: str
    address: str
    width: int
    table: Table | None = None


@dataclass(frozen=True)
class County:
    """A county on a screen of its own."""

    number: int
    name: str
    facts: list[tuple[str, str]]
    tables: list[Table]


def make_table(
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    origin: str = "",
    inputs: Sequence[str] = (),
    note: str = "",
) -> Table:
    """Take columns of a frame into a table.

    Raises
    ------
    ValueError
        A column has no known kind.
    """
    parts = [[_cell(value, column) for value in frame[column.key].tolist()] for column in columns]
    rows = [list(row) for row in zip(*parts, strict=True)]
    return Table(name, caption, tuple(columns), rows, origin, tuple(inputs), note)


def write_cell(value: Cell, column: Column, say: Words) -> str:
    """Write a cell as text; the page's script writes it the same.

    Examples
    --------
    >>> from capsim.report.language import words
    >>> write_cell(-1234.5, Column("", "", "number", 1), words("en"))
    '−1,234.5'
    >>> write_cell(["2022-09-01", 66], Column("", "", "chance"), words("zh"))
    '2022-09-01 · 66%'
    """
    percent = "%" if say.lang == "zh" else " %"
    if value is None or value == "":
        return "–"
    if isinstance(value, list):
        date, chance = value
        return f"{date or '–'} · {chance}{percent}"
    if column.kind in ("number", "percent") and not isinstance(value, str):
        text = f"{value:,.{column.digits}f}".replace("-", "−")
        return text + percent if column.kind == "percent" else text
    return str(value)


def _cell(value: Any, column: Column) -> Cell:
    if column.kind not in KINDS:
        raise ValueError(f"column {column.key}: kind {column.kind!r}, not one of {KINDS}")
    if column.kind in ("text", "date"):
        return str(value)
    if column.kind == "chance":
        date, chance = value
        return None if math.isnan(chance) else [date, round(100 * chance)]
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if column.kind == "year":
        return int(value)
    number = round(
        (100 if column.kind == "percent" else column.scale) * float(value), column.digits
    )
    return int(number) if column.digits == 0 else number + 0.0
