"""Export of a scenario to one workbook and import from it: what a bureau fills in and sends on.

The workbook holds all of a scenario, whatever folders it extends: a sheet for its settings, one
for the sources of whole columns, and one for each table, with headers in English and Chinese. In
reading either language will do, and every fault names its cell. Sheets named ``notes…`` or
``说明…`` are left alone, as is the column ``note`` of the settings.

A setting is a row: dotted key, value, provenance. The column ``type`` says how a value is meant:
``text``, ``number``, ``yes/no``, ``date``, ``toml`` (a list, or anything else, as
``scenario.toml`` would write it), ``table`` (a table by year or name whose rows follow; only where
the whole of it has a source). A blank type goes by the cell.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

import pandas as pd
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from capsim.i18n.language import Message, Words, words
from capsim.scenario.assembly import CHANGES, finish
from capsim.scenario.cell_words import factor, heading, notes_under, unit_fault
from capsim.scenario.excel.sheet_reader import (
    Header,
    Sheet,
    fill_merged,
    header_of,
    located,
    read_sheets,
    text_of,
)
from capsim.scenario.excel.sheet_writer import (
    DATE,
    FIRST_DATE,
    MOST_LETTERS,
    TEXT,
    Field,
    add_sheet,
    new_book,
    to_bytes,
)
from capsim.scenario.faults import Fault, ScenarioError, as_it_is, meant
from capsim.scenario.folder import Cells, declared_faults, with_tables
from capsim.scenario.parsing import Typed, empty, from_cells
from capsim.scenario.raw_settings import SOURCE, is_wrapped
from capsim.scenario.scenario import Scenario, without_blank
from capsim.scenario.schema import (
    COLUMNS_ZH,
    EXACT_ZH,
    MARKS,
    TABLES,
    TABLES_ZH,
    UNITS_ZH,
    WORDS_ZH,
    Column,
)
from capsim.scenario.settings import Settings

TYPES = ("text", "number", "yes/no", "date", "toml", "table")
Row = tuple[str, Any, str, str, str, str]
"""key, value, unit, source, mark, type."""

PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
PLAIN = re.compile(r'[^."\\\x00-\x1f\x7f]+')
TRUE, FALSE = ("true", "yes", "是"), ("false", "no", "否")


def rows_of(document: Mapping[str, Any], above: str = "") -> Iterator[Row]:
    """Return a row for each value of settings, in order.

    Examples
    --------
    >>> list(rows_of({"policy": {"private_share_cap": {"2022": {"value": 0.05, "mark": "S"}}}}))
    [('policy.private_share_cap.2022', 0.05, '', '', 'S', 'number')]
    >>> list(rows_of({"stages": {"planned": ["primary"]}}))
    [('stages.planned', '["primary"]', '', '', '', 'toml')]
    """
    for name, entry in document.items():
        key = f"{above}.{_quoted(name)}" if above else _quoted(name)
        if is_wrapped(entry):
            value = entry["value"]
            unit, source, mark = (str(entry.get(part, "")) for part in SOURCE)
            if not (unit or source or mark) or is_wrapped(value):
                yield key, inline(entry), "", "", "", "toml"
            elif isinstance(value, Mapping) and value:
                yield key, None, unit, source, mark, "table"
                yield from rows_of(value, key)
            else:
                cell, kind = _cell(value)
                yield key, cell, unit, source, mark, kind
        elif isinstance(entry, Mapping) and entry:
            yield from rows_of(entry, key)
        else:
            cell, kind = _cell(entry)
            yield key, cell, "", "", "", kind


def inline(value: Any) -> str:
    """Write a value as TOML on one line.

    Examples
    --------
    >>> inline({"stops": [["12-15", "02-15"]], "on": True})
    '{"stops" = [["12-15", "02-15"]], "on" = true}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(str(k))} = {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return repr(value)


def split_key(key: str) -> tuple[str, ...] | None:
    """Split a dotted key into its parts; None where it is invalid.

    Examples
    --------
    >>> split_key('programmes."build.2022".by'), split_key("a..b")
    (('programmes', 'build.2022', 'by'), None)
    """
    parts, at = [], 0
    while (match := PART.match(key, at)) is not None:
        text = match[0].strip()
        try:
            parts.append(json.loads(text) if text.startswith('"') else text)
        except ValueError:
            return None
        at = match.end()
        if at == len(key):
            return tuple(parts) if all(parts) else None
        if key[at] != ".":
            return None
        at += 1
    return None


def read_value(value: Any, kind: str) -> tuple[Any, Message | None]:
    """Return the value of a cell as its type means it, and what was expected where it is invalid.

    A text for a number, a number for a date and the like pass: the check of settings names them.

    Examples
    --------
    >>> read_value(2022.0, ""), read_value("是", "yes/no"), read_value('["a"]', "toml")
    ((2022, None), (True, None), (['a'], None))
    >>> print(read_value("[a", "toml")[1])
    TOML, such as ["primary", "junior"]
    """
    if kind == "toml" or (not kind and isinstance(value, str) and value.startswith("[")):
        try:
            (item,) = tomllib.loads(f"v = {value}").values()
            return item, None
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            return None, Message("TOML, such as {line}", {"line": '["primary", "junior"]'})
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if kind == "text":
        return str(value), None
    if kind == "yes/no" and isinstance(value, str):
        word = value.strip().lower()
        return (True if word in TRUE else False if word in FALSE else value), None
    return value, None


def _quoted(name: Any) -> str:
    text = str(name)
    plain = PLAIN.fullmatch(text) and text == text.strip()
    return text if plain else json.dumps(text)


def _cell(value: Any) -> tuple[Any, str]:
    """Return what stands in the cell of a value, and its type."""
    if isinstance(value, bool):
        return value, "yes/no"
    if isinstance(value, int) and abs(value) < 2**53:
        return value, "number"
    if isinstance(value, float) and math.isfinite(value):
        return value, "number"
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime) and value >= FIRST_DATE:
        return value, "date"
    if isinstance(value, str) and value and value.isprintable() and len(value) < MOST_LETTERS:
        return value, "text"
    return inline(value), "toml"


SETTINGS, SOURCES = "settings", "sources"
NOTES = ("notes", "说明")
COLUMNS = {
    SETTINGS: ("key", "value", "unit", "source", "mark", "type", "note"),
    SOURCES: ("what", *SOURCE),
}
REQUIRED = {SETTINGS: ("key", "value"), SOURCES: ("what",)}
"""Columns that the two sheets must have."""
SPARE = 1000
"""Rows of a template for which lists of allowed values are offered."""
WIDTHS = {"key": 44, "value": 24, "what": 34, "unit": 22, "source": 60, "mark": 8, "note": 40}
ALLOWED = {"mark": MARKS, "type": TYPES}
WIDE = {"name": 24, "name_zh": 20, "source": 40, "needs": 20}
FORMS = {"date": DATE, "number": "#,##0.##########", "int": "0"}
FROM_BASE_YEAR = (
    "horizon.first_year",
    "policy.reduction_year",
    "policy.conversion_earliest_year",
    "policy.conversion_due_year",
    "construction.start",
)
"""Settings that a blank leaves to be counted from the base year."""


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
    document = with_tables(scenario._document, scenario._tables)
    document.pop(SOURCES, None)
    rows = ((*row, "") for row in rows_of(document))
    sources = (
        (column, *(getattr(provenance, key) for key in SOURCE))
        for column, provenance in scenario._columns.items()
    )
    frames = {name: without_blank(name, table.frame) for name, table in scenario._tables.items()}
    return _book(scenario.heading(), rows, sources, frames, 0)


def template_bytes(lang: str = "en") -> bytes:
    """Write an empty workbook: every setting and table with its columns, in both languages.

    Choices and the line of help below each header are in the language asked for.
    """
    say = words(lang)
    frames = {name: empty(name) for name in TABLES}
    settings = [("tables", "blank: the sheets that have rows"), *_all_settings(Settings, "")]
    rows = ((key, None, "", "", "", "", _note(key, note, say)) for key, note in settings)
    return _book("capsim", rows, (), frames, SPARE, say)


NOTES_OF_SETTINGS = (
    "must be given",
    "optional",
    "by year or name",
    "blank: counted from the base year",
    "blank: the sheets that have rows",
)


def _note(key: str, note: str, say: Words) -> str:
    """Write the line of help of a setting in a language."""
    blank = "blank: {value}"
    default = say(blank, value=note.removeprefix("blank: "))
    said = say(note) if note in NOTES_OF_SETTINGS else default
    parts = key.split(".")
    if "YEAR" in parts:
        said = f"{said}{say.semicolon}{say('a year in place of YEAR')}"
    if "NAME" in parts:
        said = f"{said}{say.semicolon}{say('a name in place of NAME')}"
    return said


def _book(
    title: str,
    settings: Iterable[tuple[Any, ...]],
    sources: Iterable[tuple[str, ...]],
    frames: Mapping[str, pd.DataFrame],
    spare: int,
    say: Words | None = None,
) -> bytes:
    """Write the sheets; with ``say`` lists of choices and lines of help in its language."""
    book = new_book(title)
    add_sheet(book, SETTINGS, _plain_fields(SETTINGS), settings, frozen=2, spare=spare)
    add_sheet(book, SOURCES, _plain_fields(SOURCES), sources)
    for name, frame in frames.items():
        columns = [TABLES[name].column(str(column)) for column in frame.columns]
        cells = [_cells(frame[column.name], column) for column in columns]
        fields = [_field(name, column, say) for column in columns]
        add_sheet(book, name, fields, zip(*cells, strict=True), spare=spare)
    return to_bytes(book)


def _plain_fields(sheet: str) -> list[Field]:
    """List the fields of the sheet of settings or of sources."""
    return [
        Field(
            (name, COLUMNS_ZH[name]),
            "General" if name == "value" else TEXT,
            WIDTHS.get(name, 10),
            name in REQUIRED[sheet],
            ALLOWED.get(name, ()),
        )
        for name in COLUMNS[sheet]
    ]


def _field(table: str, column: Column, say: Words | None) -> Field:
    chinese = EXACT_ZH.get(f"{table}.{column.name}", COLUMNS_ZH.get(column.name, column.name))
    if column.unit:
        chinese += f"（{UNITS_ZH.get(column.unit, column.unit)}）"
    form = FORMS.get(column.kind, TEXT)
    width = WIDE.get(column.name, max(11, len(column.name) + 3))
    allowed = column.allowed
    if say is None:
        return Field((column.name, chinese), form, width, column.required, allowed)
    if say.lang == "zh":
        allowed = tuple(WORDS_ZH.get(value, [value])[0] for value in allowed)
    return Field(
        (column.name, chinese),
        form,
        max(width, 16),
        column.required,
        allowed,
        _help(column, allowed, say),
    )


def _help(column: Column, allowed: tuple[str, ...], say: Words) -> str:
    """Say what a column is to be filled with."""
    need = say("to be filled in") if column.required else say("may stay blank")
    if allowed:
        what = say("one of: {choices}", choices=say.joined(list(allowed)))
    elif column.kind == "date":
        what = say("a date, such as 2022-09-01")
    elif column.unit == "year":
        what = say("a year, such as 2022")
    elif column.is_number:
        unit = UNITS_ZH.get(column.unit, column.unit) if say.lang == "zh" else column.unit
        what = say("a number, in {unit}", unit=unit)
    else:
        what = say("a name, the same in every sheet") if column.kind == "name" else say("any text")
    return f"{need}{say.semicolon}{what}"


def _cells(values: pd.Series, column: Column) -> list[Any]:
    cells: list[Any] = values.tolist()
    return [_date(cell) for cell in cells] if column.kind == "date" else cells


def _date(text: str) -> dt.date | str:
    date = dt.date.fromisoformat(text) if text else None
    return text if date is None or date < FIRST_DATE else date


def _all_settings(section: type[BaseModel], above: str) -> Iterator[tuple[str, str]]:
    """List every key of the settings, and what it is without a value."""
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
        elif key in FROM_BASE_YEAR:
            yield key, "blank: counted from the base year"
        elif field.default is PydanticUndefined:
            yield key, "must be given"
        else:
            blank = field.default in (None, "", ())
            yield key, "optional" if blank else f"blank: {inline(field.default)}"


def load_workbook(path: str | Path, *, strict: bool = False) -> Scenario:
    """Read a scenario from a workbook.

    Parameters
    ----------
    path : path
    strict : bool
        Whether what is not written plainly is refused, instead of read as it is meant and told
        (``notes``).

    Raises
    ------
    ScenarioError
        With every fault and its cell (``schools!D17``).
    """
    sheets, faults = _by_name(read_sheets(Path(path)))
    settings = sheets.get(SETTINGS, Sheet(SETTINGS, (), ()))
    document, header, more = _read_settings(settings)
    sources, sources_header, others = _read_sources(sheets.get(SOURCES, Sheet(SOURCES, (), ())))
    faults += [*more, *others]
    headers = {settings.title: header}
    tables: dict[str, Typed] = {}
    for name in TABLES:
        if name in sheets:
            tables[name], headers[sheets[name].title], more = _read_table(name, sheets[name])
            faults += more
    if document is not None and "tables" in document:
        present = {name: len(typed.lines) for name, typed in tables.items()}
        titles = {name: sheets[name].title for name in tables}
        faults += declared_faults(document, present, settings.title, titles)
    if document is not None and sources:
        document[SOURCES] = sources
    try:
        return Scenario(*finish(document, tables, faults, settings.title, strict=strict))
    except ScenarioError as error:
        raise ScenarioError(located(error.faults, headers, sources_header)) from None


def _by_name(sheets: list[Sheet]) -> tuple[dict[str, Sheet], list[Fault]]:
    """Find which sheet is which, by its English or Chinese name."""
    known = {name: name for name in (SETTINGS, SOURCES, *TABLES)}
    known |= {chinese: name for name, chinese in TABLES_ZH.items()}
    faults = [fault for sheet in sheets for fault in sheet.faults]
    named: dict[str, Sheet] = {}
    for sheet in sheets:
        title = sheet.title.strip()
        if title.lower().startswith(NOTES):
            continue
        name = known.get(title)
        if name is None:
            expected = meant(Message("a sheet"), title, known)
            faults.append(Fault(sheet.title, None, "", sheet.title, expected))
        elif name in named:
            expected = Message(
                "one sheet of {name}, not {other} too", {"name": name, "other": named[name].title}
            )
            faults.append(Fault(sheet.title, None, "", sheet.title, expected))
        elif sheet.rows:
            named[name] = sheet
    return named, faults


def _plain_header(sheet: Sheet, name: str) -> tuple[Header, list[Fault]]:
    """Find the header of settings or sources and check its columns."""
    columns = COLUMNS[name]
    names = {name: name for name in columns} | {COLUMNS_ZH.get(n, n): n for n in columns}
    header = header_of(sheet, lambda text: (names.get(text, ""), ""))
    faults = list(header.faults)
    for column in header.columns:
        if column not in columns:
            expected = meant(Message("a column"), column, columns)
            faults.append(Fault(header.cell(header.row, column), None, column, column, expected))
    for column in REQUIRED[name]:
        if column not in header.columns:
            expected = Message("a column of that name")
            faults.append(Fault(header.cell(header.row), None, column, "", expected))
    return header, faults


def _read_settings(sheet: Sheet) -> tuple[dict[str, Any] | None, Header, list[Fault]]:
    """Build the settings from the rows of their sheet."""
    if not sheet.rows:
        fault = Fault(sheet.title, None, "", "", Message("a sheet of settings"))
        return None, Header(sheet.title, 1), [fault]
    header, faults = _plain_header(sheet, SETTINGS)
    document: dict[str, Any] = {}
    wraps: list[tuple[dict[str, Any], str, dict[str, str]]] = []
    for row, cells in header.rows:
        cell = {name: cells[at] for name, at in header.columns.items() if at < len(cells)}
        wrong = _read_setting(cell, row, document, header.keys, wraps)
        if wrong is not None:
            column, value, expected = wrong
            key = text_of(cell.get("key")) or column
            faults.append(Fault(header.cell(row, column), None, key, text_of(value), expected))
    for section, key, provenance in reversed(wraps):
        section[key] = {"value": section[key], **provenance}
    return document, header, faults


def _read_setting(
    cell: Mapping[str, Any],
    row: int,
    document: dict[str, Any],
    rows: dict[str, int],
    wraps: list[tuple[dict[str, Any], str, dict[str, str]]],
) -> tuple[str, Any, Message] | None:
    """Add a row to the settings; or name the column, value and what was expected.

    ``rows`` collects the row of each key, ``wraps`` section, key and provenance of the values that
    state theirs.
    """
    key, kind, value = text_of(cell.get("key")), text_of(cell.get("type")), cell.get("value")
    parts = split_key(key)
    if parts is None:
        return "key", key, Message("the dotted key of a setting")
    if rows.setdefault(".".join(parts), row) != row:
        return "key", key, Message("each key once")
    if kind and kind not in TYPES:
        return "type", kind, Message("one of {names}, or nothing", {"names": tuple(TYPES)})
    if value is not None and (left := {"NAME", "YEAR"} & set(parts)):
        return "key", key, Message("a name or year in place of {word}", {"word": min(left)})
    if parts[0] in CHANGES:
        whole = "a setting (a workbook holds a whole scenario and extends no other)"
        return "key", key, Message(whole)
    provenance = {name: text_of(cell[name]) for name in SOURCE if cell.get(name) is not None}
    if value is None and kind != "table":
        return ("value", "", Message("a value")) if provenance.keys() - {"unit"} else None
    item, expected = ({}, None) if kind == "table" else read_value(value, kind)
    if expected is not None:
        return "value", value, expected
    section: Any = document
    for part in parts[:-1]:
        section = section.setdefault(part, {}) if isinstance(section, dict) else None
    if not isinstance(section, dict) or parts[-1] in section:
        apart = "a key that is not inside, and not around, one of the rows above"
        return "key", key, Message(apart)
    section[parts[-1]] = item
    if provenance:
        wraps.append((section, parts[-1], provenance))
    return None


def _read_sources(sheet: Sheet) -> tuple[dict[str, Mapping[str, str]], Header, list[Fault]]:
    """Read the provenance of whole columns."""
    if not sheet.rows:
        return {}, Header(sheet.title, 1), []
    header, faults = _plain_header(sheet, SOURCES)
    sources: dict[str, Mapping[str, str]] = {}
    for row, cells in header.rows:
        texts = {n: text_of(cells[at]) for n, at in header.columns.items() if at < len(cells)}
        what = texts.pop("what", "")
        if not what or what in sources:
            expected = Message("each column once") if what else as_it_is("table.column")
            faults.append(Fault(header.cell(row, "what"), None, "what", what, expected))
            continue
        header.keys[f"{SOURCES}.{what}"] = row
        sources[what] = {name: text for name, text in texts.items() if text and name in SOURCE}
    return sources, header, faults


def _is_plain(table: str, column: str) -> bool:
    """Check whether one cell may stand for several rows: a name or a year, never a number."""
    known = column in TABLES[table].names
    return known and (
        not TABLES[table].column(column).is_number or TABLES[table].column(column).unit == "year"
    )


def _read_table(name: str, sheet: Sheet) -> tuple[Typed, Header, list[Fault]]:
    header = fill_merged(sheet, header_of(sheet, partial(heading, name)), partial(_is_plain, name))
    under = notes_under([cells for _, cells in header.rows], len(header.columns))
    below = list(header.rows)[len(header.rows) - under :]
    header = replace(header, rows=list(header.rows)[: len(header.rows) - under])
    notes = list(header.notes)
    units: dict[str, str] = {}
    faults: list[Fault] = []
    if under:
        texts = tuple(repr(str(cells[0])) for _, cells in below[:3])
        text = "{number} rows under the table left out: {texts}"
        notes.append(Message(text, {"number": under, "texts": texts}))
        for row, note in below:
            faults += unit_fault(header.cell(row), None, str(note[0]))
    for column, said in header.units.items():
        units[column] = said[0]
        if len({factor(TABLES[name].column(column), unit) for unit in said if unit != "°"}) > 1:
            expected = Message("one unit, the same in both headers")
            place = header.cell(header.row, column)
            faults.append(Fault(place, None, column, " / ".join(said), expected))
    columns = {
        column: [text_of(cells[at]) if at < len(cells) else "" for _, cells in header.rows]
        for column, at in header.columns.items()
    }
    lines = [row for row, _ in header.rows]
    cells = Cells(sheet.title, columns, len(lines), lines, tuple(notes), units)
    typed, more = from_cells(name, cells)
    return typed, header, [*header.faults, *faults, *more]
