"""A scenario as one workbook and back: what a bureau fills in and sends on.

The workbook holds all of a scenario, whatever folders it extends: a sheet for its settings, one
for the sources of whole columns, and one for each table, with headers in English and Chinese.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

import pandas as pd
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from .columns import blank_column
from .document import SOURCE
from .labels import COLUMNS_ZH, UNITS_ZH
from .model import Scenario, without_blank
from .settings import Settings
from .sheets import DATE, FIRST_DATE, TEXT, Field, add_sheet, new_book, to_bytes
from .tables import MARKS, TABLES, Column
from .workbook_load import COLUMNS, OF_COLUMNS, SETTINGS, SOURCES, load_workbook
from .workbook_settings import TYPES, inline, rows_of

__all__ = ["load_workbook", "template_bytes", "workbook_bytes"]

SPARE = 1000
"""Rows of a template for which lists of allowed values are offered."""
WIDTHS = {"key": 44, "value": 24, "what": 34, "unit": 22, "source": 60, "mark": 8, "note": 40}
ALLOWED = {"mark": MARKS, "type": TYPES}
WIDE = {"name": 24, "name_zh": 20, "source": 40, "needs": 20}
FORMS = {"date": DATE, "number": "#,##0.##########", "int": "0"}


def workbook_bytes(scenario: Scenario) -> bytes:
    """Write a scenario as a workbook; what it extends is resolved.

    Returns
    -------
    bytes
        Of an ``.xlsx`` file; the same scenario gives the same bytes.

    Raises
    ------
    ValueError
        More rows, or a longer text, than a sheet can hold.

    Examples
    --------
    >>> import capsim, pathlib, tempfile
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2023))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     book = pathlib.Path(place) / "city.xlsx"
    ...     _ = book.write_bytes(workbook_bytes(city))
    ...     load_workbook(book) == city
    True
    """
    document = {key: entry for key, entry in scenario._document.items() if key != SOURCES}
    rows = ((*row, "") for row in rows_of(document))
    frames = {name: without_blank(name, held.frame) for name, held in scenario._tables.items()}
    given = (
        (what, *(getattr(said, key) for key in SOURCE)) for what, said in scenario._columns.items()
    )
    return _book(scenario.heading(), rows, given, frames, 0)


def template_bytes() -> bytes:
    """Write an empty workbook: every setting and table with its columns, in both languages."""
    frames = {
        name: pd.DataFrame({column.name: blank_column(column, 0) for column in table.columns})
        for name, table in TABLES.items()
    }
    rows = ((key, None, "", "", "", "", note) for key, note in _all_settings(Settings, ""))
    return _book("capsim", rows, (), frames, SPARE)


def _book(
    title: str,
    settings: Iterable[tuple[Any, ...]],
    given: Iterable[tuple[str, ...]],
    frames: Mapping[str, pd.DataFrame],
    spare: int,
) -> bytes:
    book = new_book(title)
    keyed = [_plain(name, name in ("key", "value")) for name in COLUMNS]
    add_sheet(book, SETTINGS, keyed, settings, frozen=2, spare=spare)
    add_sheet(book, SOURCES, [_plain(name, name == "what") for name in OF_COLUMNS], given)
    for name, frame in frames.items():
        columns = [TABLES[name].column(str(column)) for column in frame.columns]
        fields = [_field(column) for column in columns]
        cells = [_cells(frame[column.name], column) for column in columns]
        add_sheet(book, name, fields, zip(*cells, strict=True), spare=spare)
    return to_bytes(book)


def _plain(name: str, must: bool) -> Field:
    form = "General" if name == "value" else TEXT
    heads = (name, COLUMNS_ZH[name])
    return Field(heads, form, WIDTHS.get(name, 10), must, ALLOWED.get(name, ()))


def _field(column: Column) -> Field:
    chinese = COLUMNS_ZH.get(column.name, column.name)
    if column.unit:
        chinese += f"（{UNITS_ZH.get(column.unit, column.unit)}）"
    form = FORMS.get(column.kind, TEXT)
    width = WIDE.get(column.name, max(11, len(column.name) + 3))
    return Field((column.name, chinese), form, width, column.required, column.allowed)


def _cells(values: pd.Series, column: Column) -> list[Any]:
    listed: list[Any] = values.tolist()
    return [_date(value) for value in listed] if column.kind == "date" else listed


def _date(text: str) -> dt.date | str:
    date = dt.date.fromisoformat(text) if text else None
    return text if date is None or date < FIRST_DATE else date


def _all_settings(section: type[BaseModel], above: str) -> Iterator[tuple[str, str]]:
    """Give every key of the settings, and what it is without a value."""
    for name, field in section.model_fields.items():
        key = f"{above}{name}"
        kind: Any = field.annotation
        inner = get_args(kind)[-1] if get_origin(kind) is Mapping else kind
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _all_settings(kind, f"{key}.")
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from ((f"{key}.NAME.{part}", note) for part, note in _all_settings(inner, ""))
        elif get_origin(kind) is Mapping:
            yield f"{key}.{'YEAR' if get_args(kind)[0] is int else 'NAME'}", "by year or name"
        elif key in YEARS_OWN:
            yield key, "blank: counted from the base year"
        elif field.default is PydanticUndefined:
            yield key, "must be given"
        else:
            blank = field.default in (None, "", ())
            yield key, "optional" if blank else f"blank: {inline(field.default)}"


YEARS_OWN = (
    "horizon.first_year",
    "policy.reduction_year",
    "policy.conversion_earliest_year",
    "policy.conversion_due_year",
    "construction.start",
)
