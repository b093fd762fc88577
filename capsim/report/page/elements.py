"""Elements of a page: columns, tables, pictures and counties, free of any markup.

`tables.toml` declares each table once: caption, columns, file with all digits, inputs it rests on.
Given a frame and a language, its `Layout` makes the `Table` that templates write.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from capsim.i18n.language import Words

PAGE = 25
"""Rows of a table that are shown at a time."""

STACKED = {"ledger", "lateness", "commitments-decisions", "counties"}
"""Tables that have to be read whole on a narrow screen."""

Cell = str | float | int | list[Any] | None
KINDS = ("text", "number", "percent", "year", "date", "chance")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key
        Name in the frame.
    title
        Heading: a text of the catalogue, or, if `translated`, one in the reader's language.
    kind
        text; term (a word of capsim's own, to be translated); number; percent (of a fraction);
        money (RMB, in millions or, in Chinese, ten thousands); year; date (ISO); chance (date and
        probability).
    digits
        Behind the point of a number or percentage; of money in millions, one less in ten thousands.
    scale
        What a number is multiplied by.
    choose
        Whether the reader may pick one of its values.
    links
        Whether its text names a county, by which the page's reader may choose rows.
    scoped
        Whether it names the whole, too, in rows of their own: those are what is shown while no
        county is chosen.
    """

    key: str
    title: str
    kind: str = "text"
    digits: int = 0
    scale: float = 1.0
    choose: bool = False
    links: bool = False
    scoped: bool = False
    translated: bool = False

    def in_language(self, say: Words, values: Mapping[str, object]) -> Column:
        """Return the column with its heading, unit and kind as the page writes them."""
        title = self.title if self.translated else say(self.title, **values)
        if self.kind == "term":
            return replace(self, title=title, kind="text")
        if self.kind != "money":
            return replace(self, title=title)
        unit, chinese = say("RMB, millions"), say.lang == "zh"
        return replace(
            self,
            title=f"{title}（{unit}）" if chinese else f"{title}, {unit}",
            kind="number",
            digits=self.digits - 1 if chinese else self.digits,
            scale=money_scale(say),
        )


@dataclass(frozen=True)
class Table:
    """Rows ready to be written: numbers rounded to what is shown, dates as text.

    `origin` is the file with all digits; `inputs` the tables and settings the figures rest on;
    `sorted_by` the column by which the largest come first; `paper` how many rows stand on paper
    where not everything is printed.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    origin: str = ""
    inputs: tuple[str, ...] = ()
    note: str = ""
    sorted_by: str = ""
    paper: int = PAGE

    @property
    def of_the_whole(self) -> list[list[Cell]]:
        """Rows that are shown while no county is chosen."""
        at = next((at for at, column in enumerate(self.columns) if column.scoped), None)
        if at is None:
            return self.rows
        return [row for row in self.rows if row[at] == self.rows[0][at]]

    @property
    def first(self) -> list[list[Cell]]:
        """Rows of the first page."""
        return self.of_the_whole[:PAGE]

    @property
    def by_county(self) -> bool:
        """Whether its rows are those of counties."""
        return any(column.links for column in self.columns)

    @property
    def stacked(self) -> bool:
        """Whether its cells stand under one another where the screen is narrow."""
        return self.name in STACKED

    def at(self, key: str) -> int:
        """Return where a column stands."""
        return [column.key for column in self.columns].index(key)

    @property
    def data(self) -> dict[str, Any]:
        """Data of the page's script: all rows, and the form of their cells."""
        columns = [
            {"n": column.key, "k": column.kind, "d": column.digits}
            | {"c": column.choose, "l": column.links, "s": column.scoped}
            for column in self.columns
        ]
        keys = [column.key for column in self.columns]
        by = keys.index(self.sorted_by) if self.sorted_by in keys else -1
        return {"columns": columns, "rows": self.rows, "page": PAGE, "by": by}


@dataclass(frozen=True)
class Layout:
    """The form in which frames are shown as tables.

    Attributes
    ----------
    name, origin, inputs
        As of `Table`.
    caption
        A text of the catalogue.
    columns
        Those that do not depend on the data.
    at
        Before which of them further ones stand.

    Examples
    --------
    >>> import pandas as pd
    >>> from capsim.i18n.language import words
    >>> frame = pd.DataFrame({"school_year": [2022], "stage": ["primary"], "surplus": [41.7]})
    >>> made = layout("balances").table(frame, words("zh"))
    >>> [column.title for column in made.columns], made.rows
    (['学段', '学年', '空余学位'], [['小学', 2022, 42]])
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    at: int = 0
    origin: str = ""
    inputs: tuple[str, ...] = ()

    def table(
        self,
        frame: pd.DataFrame,
        say: Words,
        *,
        name: str = "",
        caption: str = "",
        note: str = "",
        further: Sequence[Column] = (),
        values: Mapping[str, object] | None = None,
    ) -> Table:
        """Build a table from the columns of a frame; those that it lacks are left out.

        Parameters
        ----------
        name, caption
            Instead of the layout's; this caption is in the reader's language.
        further
            Columns that depend on the data.
        values
            Of the places in caption and titles.

        Raises
        ------
        ValueError
            A column has no known kind.
        """
        columns = [*self.columns[: self.at], *further, *self.columns[self.at :]]
        columns = [column for column in columns if column.key in frame]
        shown = tuple(column.in_language(say, values or {}) for column in columns)
        parts = []
        for column, as_shown in zip(columns, shown, strict=True):
            cells = frame[column.key].tolist()
            if column.kind == "term":
                cells = [say.name(cell) for cell in cells]
            parts.append([_cell(cell, as_shown) for cell in cells])
        rows = [list(row) for row in zip(*parts, strict=True)]
        caption = caption or say(self.caption, **(values or {}))
        return Table(name or self.name, caption, shown, rows, self.origin, self.inputs, note)


@cache
def layouts() -> Mapping[str, Layout]:
    """Read the layouts of all tables from the file that is shipped."""
    text = files("capsim.report.page").joinpath("tables.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    groups, shared = entries.pop("inputs"), entries.pop("columns")
    found = {}
    for name, entry in entries.items():
        columns = [
            {"key": one, **shared[one]} if isinstance(one, str) else one
            for one in entry["columns"]
            if one != "*"
        ]
        inputs = [
            one
            for group in entry.get("inputs", ())
            for one in (groups[group[1:]] if group.startswith("@") else [group])
        ]
        found[name] = Layout(
            name.removeprefix("compared-"),
            entry["caption"],
            tuple(Column(**column) for column in columns),
            entry["columns"].index("*") if "*" in entry["columns"] else 0,
            entry.get("origin", ""),
            tuple(inputs),
        )
    return found


def layout(name: str) -> Layout:
    """Return the layout of a table by its name in the file."""
    return layouts()[name]


@dataclass(frozen=True)
class Picture:
    """A figure: a picture for print and for browsers without scripts, its data, and its chart.

    Attributes
    ----------
    name, title
    address
        The picture, as a data address.
    table
        The data behind it.
    chart
        What the page's script draws in its place; `{}` where the picture stays, None where the
        chart of another picture shows the same.
    whole
        Whether it shows the whole, whichever county is chosen.
    """

    name: str
    title: str
    address: str
    table: Table | None = None
    chart: Mapping[str, Any] | None = None
    whole: bool = False

    @property
    def kind(self) -> str:
        """Its name without a year or number at the end."""
        kind, _, number = self.name.rpartition("-")
        return kind if number.isdigit() else self.name


def money_scale(say: Words) -> float:
    """Return what RMB are multiplied by to be millions or, in Chinese, ten thousands."""
    return 1e-4 if say.lang == "zh" else 1e-6


def write_cell(value: Cell, column: Column, say: Words) -> str:
    """Write a cell as text; the page's script writes it the same.

    Examples
    --------
    >>> from capsim.i18n.language import words
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
    scale = 100 if column.kind == "percent" else column.scale
    number = round(scale * float(value), column.digits)
    return int(number) if column.digits == 0 else number + 0.0
