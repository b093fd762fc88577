"""The tables of a scenario, declared: every column with its type, unit, default and bounds.

The declarations are ``tables.csv``, a row a column; reading, checking, saving and the documentation
all go by them.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, cast

Kind = Literal["name", "text", "number", "int", "date"]
MARKS = ("S", "P", "D", "A")
YEARS = (1900, 2200)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    kind : {"name", "text", "number", "int", "date"}
        A name identifies a thing (no blanks round it); text is free.
    unit : str
        Of a number; empty for text.
    required : bool
        Whether the table must have the column and every row a value in it.
    key : bool
        Whether it belongs to the key. A key column that is not required may be blank.
    default : str, float or None
        What a blank cell means; None leaves it blank (NaN in a number).
    allowed : tuple of str
        The only values there are; empty: any.
    low, high : float
        Least and greatest value.
    """

    name: str
    kind: Kind
    unit: str = ""
    required: bool = True
    key: bool = False
    default: str | float | None = None
    allowed: tuple[str, ...] = ()
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def is_number(self) -> bool:
        """Whether cells are numbers, whole or not."""
        return self.kind in ("number", "int")


@dataclass(frozen=True)
class Table:
    """A table: its columns in order, the two of provenance at the end."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(column.name for column in self.columns if column.key)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def _column(row: Mapping[str, str]) -> Column:
    """Make the column of a row of ``tables.csv``."""
    default = row["default"] or None
    is_number = row["kind"] in ("number", "int")
    return Column(
        row["column"],
        cast(Kind, row["kind"]),
        row["unit"],
        required="optional" not in row["use"],
        key="key" in row["use"],
        default=float(default) if default and is_number else default,
        allowed=tuple(row["allowed"].split()),
        low=float(row["low"] or "-inf"),
        high=float(row["high"] or "inf"),
    )


def _tables() -> dict[str, Table]:
    columns: dict[str, list[Column]] = {}
    text = (files(__package__) / "tables.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        columns.setdefault(row["table"], []).append(_column(row))
    return {name: Table(name, (*own, *PROVENANCE)) for name, own in columns.items()}


PROVENANCE = (
    Column("source", "text", required=False),
    Column("mark", "name", required=False, allowed=MARKS),
)
"""Columns that every table has at its end."""
TABLES = _tables()
CHINESE = tomllib.loads(
    files("capsim.scenario.excel").joinpath("headers.toml").read_text(encoding="utf-8")
)
TABLES_ZH: Mapping[str, str] = CHINESE["tables"]
COLUMNS_ZH: Mapping[str, str] = CHINESE["columns"]
UNITS_ZH: Mapping[str, str] = CHINESE["units"]
EXACT_ZH: Mapping[str, str] = CHINESE["exact"]
"""Chinese names of columns by table and column, where that of the column alone says too little."""
WORDS_ZH: Mapping[str, list[str]] = CHINESE["words"]
"""What stands in Chinese for a value of a column with fixed choices, the usual word first."""
