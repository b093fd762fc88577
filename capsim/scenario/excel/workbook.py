"""A scenario as one workbook and back: what a bureau fills in and sends on.

The workbook holds all of a scenario, whatever folders it extends: a sheet for its settings, one
for the sources of whole columns, and one for each table, with headers in English and Chinese.

A workbook made a scenario: either language of headers, every fault with its cell.

Sheets named ``notes…`` or ``说明…`` are left alone, as is the column ``note`` of the settings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pandas as pd
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from capsim.scenario.assembly import CHANGES, finish
from capsim.scenario.document import SOURCE
from capsim.scenario.excel.headers import COLUMNS_ZH, TABLES_ZH, UNITS_ZH
from capsim.scenario.excel.reader import (
    Header,
    Place,
    Sheet,
    cell_name,
    header_of,
    located,
    read_sheets,
    text_of,
)
from capsim.scenario.excel.settings_sheet import TYPES, inline, parted, read_value, rows_of
from capsim.scenario.excel.writer import (
    DATE,
    FIRST_DATE,
    TEXT,
    Field,
    add_sheet,
    new_book,
    to_bytes,
)
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.folder import Cells
from capsim.scenario.parsing import Typed, blank_column, from_cells
from capsim.scenario.scenario import Scenario, without_blank
from capsim.scenario.schema import MARKS, TABLES, Column
from capsim.scenario.settings import Settings

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


SETTINGS, SOURCES = "settings", "sources"
COLUMNS = ("key", "value", "unit", "source", "mark", "type", "note")
OF_COLUMNS = ("what", *SOURCE)
NOTES = ("notes", "说明")


def load_workbook(path: str | Path) -> Scenario:
    """Read a scenario from a workbook.

    Raises
    ------
    ScenarioError
        With every fault and its cell (``schools!D17``).
    """
    found, faults = _chosen(read_sheets(Path(path)))
    settings = found.get(SETTINGS, Sheet(SETTINGS, (), ()))
    document, place, said = _settings(settings)
    given, given_place, more = _sources(found.get(SOURCES, Sheet(SOURCES, (), ())))
    faults += [*said, *more]
    places = {settings.title: place}
    tables: dict[str, Typed] = {}
    for name in TABLES:
        if name in found:
            tables[name], places[found[name].title], said = _table(name, found[name])
            faults += said
    if document is not None and given:
        document[SOURCES] = given
    try:
        return Scenario(*finish(document, tables, faults, settings.title))
    except ScenarioError as error:
        raise ScenarioError(located(error.faults, places, given_place)) from None


def _chosen(sheets: list[Sheet]) -> tuple[dict[str, Sheet], list[Fault]]:
    """Tell which sheet is which, by its English or Chinese name."""
    known = {name: name for name in (SETTINGS, SOURCES, *TABLES)}
    known |= {chinese: name for name, chinese in TABLES_ZH.items()}
    faults = [fault for sheet in sheets for fault in sheet.faults]
    found: dict[str, Sheet] = {}
    for sheet in sheets:
        title = sheet.title.strip()
        if title.lower().startswith(NOTES):
            continue
        name = known.get(title)
        if name is None:
            expected = f"a sheet: {nearest(title, known)}"
            faults.append(Fault(sheet.title, None, "", sheet.title, expected))
        elif name in found:
            expected = f"one sheet of {name}, not {found[name].title} too"
            faults.append(Fault(sheet.title, None, "", sheet.title, expected))
        elif sheet.rows:
            found[name] = sheet
    return found, faults


def _headers(names: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names} | {COLUMNS_ZH.get(name, name): name for name in names}


def _header(sheet: Sheet, names: tuple[str, ...]) -> tuple[Header, list[Fault]]:
    """Find the header of settings or sources, which must have its first column."""
    header = header_of(sheet, _headers(names))
    faults = list(header.faults)
    for name, at in header.columns.items():
        if name not in names:
            place = cell_name(sheet.title, header.row, at)
            faults.append(Fault(place, None, name, name, f"a column: {nearest(name, names)}"))
    for name in names[:2] if names is COLUMNS else names[:1]:
        if name not in header.columns:
            place = cell_name(sheet.title, header.row)
            faults.append(Fault(place, None, name, "", "a column of that name"))
    return header, faults


def _settings(sheet: Sheet) -> tuple[dict[str, Any] | None, Place, list[Fault]]:
    """Build the settings of their rows."""
    if not sheet.rows:
        return (
            None,
            Place(sheet.title, 1),
            [Fault(sheet.title, None, "", "", "a sheet of settings")],
        )
    header, faults = _header(sheet, COLUMNS)
    place = Place(sheet.title, header.row, header.columns)
    document: dict[str, Any] = {}
    wraps: list[tuple[dict[str, Any], str, dict[str, str]]] = []
    for row, cells in header.rows:
        cell = {name: cells[at] for name, at in header.columns.items() if at < len(cells)}
        wrong = _setting(cell, row, document, place, wraps)
        if wrong is not None:
            name, value, expected = wrong
            at = cell_name(sheet.title, row, header.columns.get(name))
            key = text_of(cell.get("key")) or name
            faults.append(Fault(at, None, key, text_of(value), expected))
    for inside, last, said in reversed(wraps):
        inside[last] = {"value": inside[last], **said}
    return document, place, faults


def _setting(
    cell: Mapping[str, Any],
    row: int,
    document: dict[str, Any],
    place: Place,
    wraps: list[tuple[dict[str, Any], str, dict[str, str]]],
) -> tuple[str, Any, str] | None:
    """Put a row into the settings; or name the column, value and what was expected."""
    key, kind, value = text_of(cell.get("key")), text_of(cell.get("type")), cell.get("value")
    parts = parted(key)
    if parts is None:
        return "key", key, "the dotted key of a setting"
    if place.keys.setdefault(".".join(parts), row) != row:
        return "key", key, "each key once"
    if kind and kind not in TYPES:
        return "type", kind, f"one of {', '.join(TYPES)}, or nothing"
    if parts[0] in CHANGES:
        return "key", key, "a setting (a workbook holds a whole scenario and extends no other)"
    said = {name: text_of(cell[name]) for name in SOURCE if cell.get(name) is not None}
    if value is None and kind != "table":
        return ("value", "", "a value") if said.keys() - {"unit"} else None
    item, expected = ({}, "") if kind == "table" else read_value(value, kind)
    if expected:
        return "value", value, expected
    inside: Any = document
    for part in parts[:-1]:
        inside = inside.setdefault(part, {}) if isinstance(inside, dict) else None
    if not isinstance(inside, dict) or parts[-1] in inside:
        return "key", key, "a key that is not inside, and not around, one of the rows above"
    inside[parts[-1]] = item
    if said:
        wraps.append((inside, parts[-1], said))
    return None


def _sources(sheet: Sheet) -> tuple[dict[str, Mapping[str, str]], Place, list[Fault]]:
    """Read the provenance of whole columns."""
    if not sheet.rows:
        return {}, Place(sheet.title, 1), []
    header, faults = _header(sheet, OF_COLUMNS)
    place = Place(sheet.title, header.row, header.columns)
    given: dict[str, Mapping[str, str]] = {}
    for row, cells in header.rows:
        said = {n: text_of(cells[at]) for n, at in header.columns.items() if at < len(cells)}
        what = said.pop("what", "")
        if not what or what in given:
            expected = "each column once" if what else "table.column"
            faults.append(
                Fault(
                    cell_name(sheet.title, row, header.columns.get("what")),
                    None,
                    "what",
                    what,
                    expected,
                )
            )
            continue
        place.keys[f"{SOURCES}.{what}"] = row
        given[what] = {name: text for name, text in said.items() if text and name in SOURCE}
    return given, place, faults


def _table(name: str, sheet: Sheet) -> tuple[Typed, Place, list[Fault]]:
    header = header_of(sheet, _headers(TABLES[name].names))
    place = Place(sheet.title, header.row, header.columns)
    columns = {
        column: [text_of(cells[at]) if at < len(cells) else "" for _, cells in header.rows]
        for column, at in header.columns.items()
    }
    lines = [row for row, _ in header.rows]
    typed, faults = from_cells(name, Cells(sheet.title, columns, len(lines), lines))
    return typed, place, [*header.faults, *faults]
