"""A workbook made a scenario: either language of headers, every fault with its cell.

Sheets named ``notes…`` or ``说明…`` are left alone, as is the column ``note`` of the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .build import CHANGES, finish
from .document import SOURCE
from .faults import Fault, ScenarioError, nearest
from .files import Cells
from .labels import COLUMNS_ZH, TABLES_ZH
from .model import Scenario
from .tables import TABLES
from .typed import Typed, from_cells
from .workbook_faults import Place, located
from .workbook_read import Header, Sheet, cell_name, header_of, read_sheets, text_of
from .workbook_settings import TYPES, parted, read_value

__all__ = ["COLUMNS", "OF_COLUMNS", "SETTINGS", "SOURCES", "load_workbook"]

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
