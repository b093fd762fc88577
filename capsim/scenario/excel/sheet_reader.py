"""Reading of a workbook's sheets as rows of plain values, and naming of faults by their cells."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from capsim.i18n.language import Message
from capsim.io.atomic import whole_bytes
from capsim.scenario.cell_words import unit_fault
from capsim.scenario.excel.sheet_writer import HELP, decoded
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.folder import number_text
from capsim.scenario.raw_settings import SOURCE

Row = tuple[int, list[Any]]
OLD = b"\xd0\xcf\x11\xe0"
"""First bytes of an encrypted workbook, and of a workbook of before 2007."""
BROKEN = (
    InvalidFileException,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ParseError,
    zipfile.BadZipFile,
    zlib.error,
)
"""Exceptions of the library at a file that is no workbook, or a damaged one."""


@dataclass(frozen=True)
class Sheet:
    """A sheet: the rows that are not blank, each with its number; faults of single cells.

    ``notes`` say what was noticed; ``merged`` lists cells merged over rows: column counted from 0,
    first and last row.
    """

    title: str
    rows: Sequence[Row]
    faults: tuple[Fault, ...]
    notes: tuple[Message, ...] = ()
    merged: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class Header:
    """Positions of the columns of a sheet, and the rows below its header.

    Attributes
    ----------
    title : str
        Of the sheet.
    row : int
        Of the header.
    columns : mapping
        Position by name, counted from 0.
    rows : sequence of (number, cells)
    faults : tuple of Fault
        Of the header itself.
    keys : dict
        Of settings and sources: row by dotted key.
    units : mapping of column to texts
        Units that its headers say.
    notes : tuple of Message
        What stood round the table and was left out.
    """

    title: str
    row: int
    columns: Mapping[str, int] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    faults: tuple[Fault, ...] = ()
    keys: dict[str, int] = field(default_factory=dict)
    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()

    def cell(self, row: int | None, column: str | None = None) -> str:
        """Name a cell, or a row or column where only that is known."""
        return cell_name(self.title, row, None if column is None else self.columns.get(column))


def cell_name(title: str, row: int | None, column: int | None = None) -> str:
    """Name a cell, a row or a column as a spreadsheet does; columns are counted from 0.

    Examples
    --------
    >>> cell_name("schools", 17, 3), cell_name("my schools", 2), cell_name("schools", None, 2)
    ('schools!D17', "'my schools'!2:2", 'schools!C:C')
    """
    sheet = title if re.fullmatch(r"\w+", title) else "'" + title.replace("'", "''") + "'"
    letter = "" if column is None else get_column_letter(column + 1)
    if row is None:
        return f"{sheet}!{letter}:{letter}" if letter else title
    return f"{sheet}!{letter}{row}" if letter else f"{sheet}!{row}:{row}"


def read_sheets(path: Path) -> list[Sheet]:
    """Read every sheet that holds something.

    Raises
    ------
    ScenarioError
        With the one fault that the file is not there or no workbook.
    """
    try:
        content = whole_bytes(path)
    except OSError as error:
        expected = Message("a file that can be read ({reason})", {"reason": str(error.strerror)})
        raise _unfit(path, expected) from None
    if content.startswith(OLD):
        raise _unfit(
            path,
            Message(
                "a workbook (.xlsx) without a password, not one that is encrypted or of before 2007"
            ),
        )
    if not content.startswith(b"PK\x03\x04"):
        raise _unfit(path, Message("a workbook (.xlsx)"))
    with warnings.catch_warnings():
        # The library warns of what it passes over: lists of choices, colours, dates out of range.
        warnings.simplefilter("ignore")
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                if any(entry.flag_bits & 1 for entry in archive.infolist()):
                    raise _unfit(path, Message("a workbook (.xlsx) without a password"))
            sheets, formulas = _load(content, calculated=False)
            return _load(content, calculated=True, formulas=formulas)[0] if formulas else sheets
        except ScenarioError:
            raise
        except BROKEN as error:
            reason = " ".join(str(error).split())[:80]
            expected = Message("a workbook (.xlsx) that is whole ({reason})", {"reason": reason})
            raise _unfit(path, expected) from None


def _unfit(path: Path, expected: Message) -> ScenarioError:
    return ScenarioError([Fault(path.name, None, "", "", expected)])


MOST_ROWS = 2**20
"""Rows that a sheet can have; a file may claim any number, and nothing between them."""
Cell = tuple[str, int, int]


def _load(
    content: bytes, *, calculated: bool, formulas: frozenset[Cell] = frozenset()
) -> tuple[list[Sheet], frozenset[Cell]]:
    """Read sheets, formulas as text or as calculated last, and list the cells with formulas."""
    sheets, with_formula = [], set()
    book = load_workbook(BytesIO(content), read_only=True, data_only=calculated)
    archive = zipfile.ZipFile(BytesIO(content))
    try:
        for sheet in book.worksheets:
            # Some programs write wrong dimensions, by which the library would cut the sheet off.
            unbounded: Any = sheet
            unbounded.reset_dimensions()
            rows: list[Row] = []
            faults = []
            for number, cells in enumerate(sheet.iter_rows(), 1):
                if number > MOST_ROWS:
                    place = cell_name(sheet.title, number, 0)
                    most = Message("a row that a workbook has")
                    raise ScenarioError([Fault(place, None, "", "", most)])
                row: list[Any] = []
                for at, cell in enumerate(cells):
                    value = cell.value
                    if isinstance(value, str):
                        value = decoded(value) if value.strip() else None
                    row.append(value)
                    wrong: Message | None = None
                    if cell.data_type == "f":
                        with_formula.add((sheet.title, number, at))
                    elif cell.data_type == "e":
                        wrong = Message("a value, not an error")
                    elif value is None and (sheet.title, number, at) in formulas:
                        wrong = Message("a value: the formula was never calculated (open and save)")
                    if wrong is not None:
                        place = cell_name(sheet.title, number, at)
                        faults.append(Fault(place, None, "", str(value or ""), wrong))
                while row and row[-1] is None:
                    row.pop()
                if row:
                    rows.append((number, row))
            if rows or faults:
                found = _round_cells(rows, sheet, archive)
                sheets.append(Sheet(sheet.title, rows, tuple(faults), **found))
    finally:
        archive.close()
        book.close()
    return sheets, frozenset(with_formula)


MERGED = re.compile(rb'<mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
HIDDEN = re.compile(rb'<row r="(\d+)"[^>]* hidden="(?:1|true)"')


def _round_cells(rows: list[Row], sheet: Any, archive: zipfile.ZipFile) -> dict[str, Any]:
    """Find cells that are merged over rows, and note rows that are hidden."""
    content = archive.read(sheet._worksheet_path.lstrip("/"))
    merged = tuple(
        (column_index_from_string(left.decode()) - 1, int(top), int(bottom))
        for left, top, right, bottom in MERGED.findall(content)
        if left == right
    )
    numbers = {number for number, _ in rows}
    hidden = [one.decode() for one in HIDDEN.findall(content) if int(one) in numbers]
    if not hidden:
        return {"merged": merged}
    arguments: dict[str, Any] = {"number": len(hidden), "rows": tuple(hidden[:3])}
    text = "{number} hidden rows are read like the others: {rows}"
    return {"merged": merged, "notes": (Message(text, arguments),)}


def fill_merged(sheet: Sheet, header: Header, is_plain: Callable[[str], bool]) -> Header:
    """Fill cells merged over rows with what stands in the first, and note it.

    Only in columns where that is plain; one number merged over several rows is a fault, and so is
    what is merged over columns: it is a title, or one number for several.
    """
    names = {at: name for name, at in header.columns.items()}
    rows = dict(header.rows)
    filled, faults = [], []
    for at, top, bottom in sheet.merged:
        first = rows.get(top, [])
        value = first[at] if at < len(first) else None
        name = names.get(at, "")
        if value is None or not name:
            continue
        letter = get_column_letter(at + 1)
        place = f"{letter}{top}:{letter}{bottom}"
        if not is_plain(name):
            expected = Message("single cells: one number cannot be that of several rows")
            faults.append(Fault(f"{header.title}!{place}", None, name, str(value), expected))
            continue
        for number in range(top + 1, bottom + 1):
            row = rows.get(number, [])
            row += [None] * (at + 1 - len(row))
            row[at] = value
        filled.append(place)
    notes = header.notes
    if filled:
        cells = tuple(filled[:3]) + (("…",) if len(filled) > 3 else ())
        arguments: dict[str, Any] = {"number": len(filled), "cells": cells}
        notes = (*notes, Message("{number} merged cells filled: {cells}", arguments))
    return replace(header, notes=notes, faults=(*header.faults, *faults))


Meaning = Callable[[str], tuple[str, str]]
"""The column that a header means and the unit it says, each blank where there is none."""


def header_of(sheet: Sheet, means: Meaning) -> Header:
    """Find the header of a sheet, in either language, and the rows below it.

    Rows above it are left out, and so are lines of help; a header that means no column stands for
    itself.
    """

    def known(row: Row) -> int:
        return sum(bool(means(str(cell))[0]) for cell in row[1] if cell is not None)

    lines = [row for row in sheet.rows if not str(row[1][0] or "").startswith(HELP)]
    start = next((at for at, row in enumerate(lines[:10]) if known(row) >= 2), 0)
    above, (number, cells), rest = lines[:start], lines[start], lines[start + 1 :]
    heads = [means(_head(cell))[0] or _head(cell) for cell in cells]
    units: dict[str, tuple[str, ...]] = {}
    tops = [cells]
    if rest and _is_header(rest[0][1], heads, means):
        tops.append(rest[0][1])
        rest = rest[1:]
    for cell, name in (pair for top in tops for pair in zip(top, heads, strict=False)):
        column, unit = means(_head(cell))
        if unit and column == name:
            units[name] = (*units.get(name, ()), unit)
    notes = sheet.notes
    if above:
        titles = tuple(repr(" ".join(str(c) for c in row if c is not None)) for _, row in above[:3])
        text = "{number} rows above the header left out: {texts}"
        notes = (*notes, Message(text, {"number": len(above), "texts": titles}))
    faults = [
        fault
        for row, cells in above
        for fault in unit_fault(
            cell_name(sheet.title, row), None, " ".join(str(c) for c in cells if c is not None)
        )
    ]
    columns: dict[str, int] = {}

    def fault(row: int, at: int, name: str, expected: Message) -> None:
        faults.append(Fault(cell_name(sheet.title, row, at), None, name, name, expected))

    for at, name in enumerate(heads):
        if not name:
            if any(at < len(line) and line[at] is not None for _, line in rest):
                fault(number, at, "", Message("a header over the cells below"))
        elif name in columns:
            fault(number, at, name, Message("each column once"))
        else:
            columns[name] = at
    wide = next(((row, line) for row, line in rest if len(line) > len(heads)), None)
    if wide is not None:
        row, line = wide
        beyond = next(at for at in range(len(heads), len(line)) if line[at] is not None)
        fault(row, beyond, "", Message("no cell without a header over it"))
    return Header(sheet.title, number, columns, rest, tuple(faults), units=units, notes=notes)


def _head(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _is_header(cells: Sequence[Any], heads: Sequence[str], means: Meaning) -> bool:
    """Check whether most cells of a row repeat the header, in the other language."""
    same = [
        means(_head(cell))[0] == head
        for cell, head in zip(cells, heads, strict=False)
        if cell is not None
    ]
    return 2 * sum(same) > len(same)


def text_of(value: Any) -> str:
    """Return a cell as the text that a CSV file would hold.

    Examples
    --------
    >>> import datetime as dt
    >>> [text_of(v) for v in (None, 5.0, 0.1, True, dt.datetime(2022, 9, 1), "x")]
    ['', '5', '0.1', 'yes', '2022-09-01', 'x']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().removesuffix("T00:00:00")
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def located(
    faults: Iterable[Fault], headers: Mapping[str, Header], sources: Header
) -> tuple[Fault, ...]:
    """Name the cell of every fault; of several in one cell the first is kept.

    ``headers`` are by the file that a fault names.

    Examples
    --------
    >>> births = Header("births", 1, {"area": 0, "year": 1})
    >>> wrong = Fault("births", 7, "year", "x", Message("a year"))
    >>> located([wrong], {"births": births}, births)[0].file
    'births!B7'
    """
    first: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        header = headers.get(fault.file)
        cell = fault.file if header is None else _cell(fault, header, sources)
        single = "!" in cell and not cell.partition("!")[2].count(":")
        first.setdefault((cell, "" if single else str(fault)), replace(fault, file=cell, row=None))
    return tuple(first.values())


def _cell(fault: Fault, header: Header, sources: Header) -> str:
    named = str(fault.column)
    if header.keys and named and fault.row is None:
        return _cell_of_key(named, header, sources)
    column = named.split(", ")[0]
    if fault.row is not None:
        return header.cell(fault.row, column)
    if column in header.columns:
        return header.cell(header.row if fault.value == named else None, column)
    return header.cell(header.row) if named else header.title


def _cell_of_key(dotted: str, header: Header, sources: Header) -> str:
    """Find the row that gives a setting, the first of a section, or the one that holds it."""
    if dotted.startswith("sources."):
        header = sources
    parent, _, last = dotted.rpartition(".")
    if dotted not in header.keys and parent in header.keys and last in SOURCE:
        return header.cell(header.keys[parent], last)
    if dotted in header.keys:
        return header.cell(header.keys[dotted], "value" if "value" in header.columns else "what")
    section = [row for key, row in header.keys.items() if key.startswith(f"{dotted}.")]
    if section:
        return header.cell(min(section), "key")
    return _cell_of_key(parent, header, sources) if parent else header.title
