"""Tables as people have them: text files and workbooks, in any code and form, read to plain cells.

What stands in the way of reading and changes no number is put right, and a note says so: the
file's encoding and separator, titles above the header and notes under the table, blank rows and
columns, merged cells, invisible characters. Anything else is a fault. ``strict`` refuses all of it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from capsim.i18n.language import Message
from capsim.io.atomic import whole_bytes
from capsim.scenario.cell_words import notes_under, unit_fault
from capsim.scenario.excel.sheet_reader import BROKEN, OLD, cell_name
from capsim.scenario.excel.sheet_writer import decoded
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.folder import number_text

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLED, HEADER_WITHIN = 2000, 30
"""Lines by which a separator is told; first filled rows among which the header is sought."""
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
BLANKS = re.compile(r"\s+")
SHOWN = 3
"""Examples that a note gives."""
UTF_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
HANGUL = 0.98
"""Share of the double-byte characters from which on a text is Korean: Chinese ones are spread."""
LEAST_TOLD = 6
"""Double-byte characters from which on their spread tells Chinese from Korean."""
Row = list[Any]


@dataclass(frozen=True, eq=False)
class PlainTable:
    """A table as it stood, without what stood round it.

    Attributes
    ----------
    name : str
        What a fault calls it: the file, and the sheet of a workbook.
    frame : DataFrame
        Columns by header. Cells are text (blank: ``""``), or numbers where the source had numbers.
        The index is the row as an editor or a spreadsheet shows it.
    header : int
        Row of the header.
    merged : mapping of text to text
        Columns in which cells merged over rows were filled, with the first such range.
    notes : tuple of Message
        What was found out and put right.
    """

    name: str
    frame: pd.DataFrame
    header: int
    merged: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()


def read_table(
    source: Path | bytes | pd.DataFrame,
    *,
    name: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    strict: bool = False,
    known: Callable[[str], bool] = lambda cell: False,
) -> PlainTable:
    r"""Read one table from a file, its content, or a frame.

    Parameters
    ----------
    source : Path, bytes or DataFrame
        A folder stands for the only table in it.
    name : text, optional
        What faults call it; default: the file's name.
    sheet : text, optional
        Of a workbook; default: the only one that holds a table.
    encoding : text, optional
        Of a text file; default: found by trial, and said.
    strict : bool
        Whether anything but a plain table is refused: UTF-8, comma, header in the first row.
    known : function of text
        Whether a header's cell is one that the reader looks for: the header is the row with most.

    Returns
    -------
    PlainTable

    Raises
    ------
    FileNotFoundError
        There is no such file, or the folder does not hold exactly one table.
    ScenarioError
        It is no table, or ``strict`` and not a plain one.

    Examples
    --------
    >>> found = read_table("Pupils\n\nschool;year;1\nA;2019;7\n".encode(), name="t.csv")
    >>> found.frame.to_dict("records")
    [{'school': 'A', 'year': '2019', '1': '7'}]
    >>> print(*found.notes, sep="\n")
    separator: semicolon
    1 row above the header left out: 'Pupils'
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, name or "table", strict)
    if isinstance(source, Path):
        path = the_file(source)
        name, content = name or path.name, whole_bytes(path)
    else:
        name, content = name or "table", source
    if content.startswith(OLD):
        what = Message("a workbook (.xlsx) without a password, or a CSV file: save it as one")
        raise ScenarioError([Fault(name, None, "", "", what)])
    notes: list[Message] = []
    if content.startswith(b"PK\x03\x04"):
        table = _from_workbook(content, name, sheet, known, notes)
    else:
        table = _table(name, *_text_rows(content, name, encoding, notes), known, notes)
    if strict and table.notes:
        raise ScenarioError(strictly(name, table.notes))
    return table


def strictly(name: str, notes: Sequence[Message]) -> list[Fault]:
    """Make a fault of each repair."""
    cure = Message("leave --strict out to have it put right")
    return [Fault(name, None, "", str(note), Message("nothing to repair"), cure) for note in notes]


def the_file(path: Path) -> Path:
    """Return a file, or the only table of a folder; lock files and ``._`` files are no tables."""
    if path.is_dir():
        tables = sorted(
            one
            for one in path.iterdir()
            if one.suffix.lower() in SUFFIXES and not one.name.startswith(("~$", "._", ".~"))
        )
        if len(tables) != 1:
            raise FileNotFoundError(f"{path} holds {len(tables)} tables; name the one to read")
        path = tables[0]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    return path


def tidy(text: str) -> str:
    r"""Return a text without invisible characters and line breaks, blanks round it and tabs.

    Blanks inside stay as many as they are: they may tell two names apart.

    Examples
    --------
    >>> tidy(" Grade\n1\u200b ")
    'Grade 1'
    """
    if text.isascii() and text.isprintable():
        return text.strip()
    return re.sub(r"[\r\n\t]+", " ", INVISIBLE.sub("", text)).strip()


def examples(values: Sequence[str]) -> tuple[str, ...]:
    """Return the first few of some texts, in quotes."""
    shown = [repr(value) for value in values[:SHOWN]]
    return (*shown, "…") if len(values) > SHOWN else tuple(shown)


# ---- text


def decode(content: bytes, name: str, encoding: str | None, notes: list[Message]) -> str:
    """Decode a text file by the encoding given, its mark, or by trial; notes say which.

    Raises
    ------
    ScenarioError
        In none of the encodings it could be told to be in, or not in the one given.
    """
    found = encoding or encoding_of(content)
    if not found:
        value = content[_first_bad(content) :][:4].hex(" ")
        cure = Message("save it as UTF-8, or name what it is in: --encoding gb18030, cp949, cp1252")
        what = Message("text whose encoding can be told (UTF-8, UTF-16, GBK, CP949, Latin-1)")
        where = Message("byte {byte}", {"byte": _first_bad(content)})
        raise ScenarioError([Fault(name, None, where, value, what, cure)])
    try:
        text = content.decode(found)
    except (UnicodeDecodeError, LookupError) as error:
        what = Message("text in the encoding {encoding}", {"encoding": found})
        cure = Message("leave --encoding out to have it found")
        raise ScenarioError([Fault(name, None, "", str(error)[:60], what, cure)]) from error
    if encoding is None and found not in ("utf-8", "utf-8-sig"):
        labels = {"gb18030": "GBK (GB18030)", "cp949": "CP949 (EUC-KR)", "cp1252": "Windows-1252"}
        label = labels.get(found, found.upper())
        notes.append(Message("encoding: {encoding}, found by trial", {"encoding": label}))
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        at = text.count("\n", 0, text.index("\0")) + 1
        raise ScenarioError([Fault(name, at, "", "NUL", Message("text without NUL characters"))])
    return text


def _first_bad(content: bytes) -> int:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def encoding_of(content: bytes) -> str:
    """Tell the encoding of a text; blank where it cannot be told.

    No library that guesses by letter frequency is asked: it needs more text than a header of four
    Chinese characters, which a table of numbers may have. How characters lie is surer. Double-byte
    codes have their characters in pairs of high bytes; Hangul fills rows of its own, over which
    Chinese is spread; in Western text single high bytes stand between plain letters.
    """
    for mark, name in UTF_MARKS.items():
        if content.startswith(mark):
            return name
    head = content[:4096]
    if head.count(0) > len(head) // 8:
        even = head[::2].count(0)
        return "utf-16-be" if even > head[1::2].count(0) else "utf-16-le"
    if _decodes(content, "utf-8"):
        return "utf-8"
    runs = re.findall(rb"[\x80-\xff]+", content)
    letters = sum(map(len, runs))
    single = sum(1 for run in runs if len(run) == 1)
    pairs = re.findall(rb"[\xa1-\xfe][\xa1-\xfe]", content)
    if 2 * single < len(runs) and 2 * len(pairs) >= 0.9 * letters:
        hanja = _decodes(content, "gb18030")
        korean = _decodes(content, "cp949")
        rows = [pair for pair in pairs if pair[0] >= 0xB0]
        hangul = sum(0xB0 <= pair[0] <= 0xC8 for pair in rows) >= HANGUL * max(len(rows), 1)
        if hanja and korean:
            said = [
                sum(word.encode(code) in content for word in words)
                for code, words in (("gb18030", CHINESE), ("cp949", KOREAN))
            ]
            if said[0] != said[1]:
                return "gb18030" if said[0] > said[1] else "cp949"
            if len(set(rows)) < LEAST_TOLD and hangul:
                return ""
        if korean and hangul:
            return "cp949"
        return "gb18030" if hanja else ""
    if 2 * single >= len(runs) and _decodes(content, "cp1252"):
        return "cp1252"
    return ""


CHINESE = ("学", "年", "班", "校", "小", "一", "区", "县", "市", "人", "數", "数")
KOREAN = ("학", "년", "교", "초등", "시", "군", "구", "수")


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _text_rows(
    content: bytes, name: str, encoding: str | None, notes: list[Message]
) -> tuple[list[Row], list[int]]:
    text = decode(content, name, encoding, notes)
    mark = re.match(r"sep=(.)\r?\n", text)
    lines = text.splitlines(keepends=True)[:SAMPLED]
    separator = mark[1] if mark else max(SEPARATORS, key=lambda one: _fitness(lines, one))
    if separator not in (",",) and any(separator in line for line in lines):
        word = Message(SEPARATORS[separator]) if separator in SEPARATORS else separator
        notes.append(Message("separator: {separator}", {"separator": word}))
    rows, numbers = [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    start = 1
    try:
        for row in reader:
            if not (mark and start == 1):
                rows.append([cell.strip() for cell in row])
                numbers.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        what = Message("well-formed CSV ({reason})", {"reason": str(error)})
        raise ScenarioError([Fault(name, reader.line_num, "", "", what)]) from error
    return rows, numbers


def _fitness(lines: list[str], separator: str) -> tuple[int, int]:
    """Return how many rows have as many cells as most have, and how many these are."""
    try:
        widths = Counter(
            len(row)
            for row in csv.reader(lines, delimiter=separator, skipinitialspace=True)
            if len(row) > 1 and any(cell.strip() for cell in row)
        )
    except csv.Error:
        return 0, 0
    if not widths:
        return 0, 0
    width, number = max(widths.items(), key=lambda item: (item[1], item[0]))
    return number, width


# ---- workbooks


def _from_workbook(
    content: bytes, name: str, sheet: str | None, known: Callable[[str], bool], notes: list[Message]
) -> PlainTable:
    with warnings.catch_warnings():
        # The library warns of what it passes over: lists of choices, colours, dates out of range.
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(io.BytesIO(content), data_only=True)
            formulas = load_workbook(io.BytesIO(content)) if b"calcChain" in content else None
        except (*BROKEN, zipfile.BadZipFile) as error:
            what = Message("a workbook (.xlsx) that is whole, without a password")
            raise ScenarioError([Fault(name, None, "", str(error)[:60], what)]) from error
    found = _the_sheet(book.worksheets, name, sheet, known, notes)
    label = f"{name}!{found.title}" if len(book.worksheets) > 1 else name
    faults = []
    rows: list[Row] = []
    source = None if formulas is None else formulas[found.title]
    for number, line in enumerate(found.iter_rows(), 1):
        row: Row = []
        for at, cell in enumerate(line):
            value = cell.value
            place = cell_name(found.title, number, at)
            if cell.data_type == "e":
                faults.append(
                    Fault(f"{name}!{place}", None, "", str(value), Message("a value, no error"))
                )
            elif value is None and source is not None and source.cell(number, at + 1).value:
                what = Message("a value: the formula was never calculated (open and save)")
                faults.append(Fault(f"{name}!{place}", None, "", "", what))
            row.append(_cell_text(value, str(cell.number_format)))
        rows.append(row)
    if faults:
        raise ScenarioError(faults)
    # A cell merged over columns is filled nowhere: it is a title, or one number for several.
    merged = sorted(found.merged_cells.ranges, key=lambda one: (one.min_row, one.min_col))
    high = [one for one in merged if one.min_col == one.max_col]
    for one in high:
        first = rows[one.min_row - 1][one.min_col - 1]
        for below in rows[one.min_row : one.max_row]:
            below[one.min_col - 1] = first
    if high:
        cells = tuple(one.coord for one in high[:SHOWN]) + (("…",) if len(high) > SHOWN else ())
        notes.append(
            Message("{number} merged cells filled: {cells}", {"number": len(high), "cells": cells})
        )
    hidden = [str(at) for at, row in found.row_dimensions.items() if row.hidden and at <= len(rows)]
    if hidden:
        arguments: dict[str, Any] = {"number": len(hidden), "rows": tuple(hidden[:SHOWN])}
        notes.append(Message("{number} hidden rows are read like the others: {rows}", arguments))
    table = _table(label, rows, list(range(1, len(rows) + 1)), known, notes)
    body = set(table.frame.index)
    what = Message("cells that are not merged over columns")
    faults = [
        Fault(label, one.min_row, one.coord, "", what)
        for one in merged
        if one.min_col < one.max_col and body & set(range(one.min_row, one.max_row + 1))
    ]
    if faults:
        raise ScenarioError(faults)
    header = [tidy(str(cell)) for cell in rows[table.header - 1]]
    in_body = [one for one in high if one.max_row > table.header]
    return replace(table, merged={header[one.min_col - 1]: one.coord for one in in_body[::-1]})


def _the_sheet(
    sheets: Sequence[Worksheet],
    name: str,
    wanted: str | None,
    known: Callable[[str], bool],
    notes: list[Message],
) -> Worksheet:
    titles = ", ".join(one.title for one in sheets)
    if wanted is not None:
        for one in sheets:
            if one.title == wanted:
                return one
        what = Message("a sheet of the workbook: {sheets}", {"sheets": titles})
        raise ScenarioError([Fault(name, None, "", wanted, what)])
    seen = [one for one in sheets if one.sheet_state == "visible" and one.max_row > 1]
    like = [one for one in seen if _likeness(one, known) >= 2]
    chosen = seen if len(seen) == 1 else like
    if len(chosen) != 1:
        what = Message("one sheet with a table, of: {sheets}", {"sheets": titles})
        cure = Message("name it: --sheet NAME")
        raise ScenarioError([Fault(name, None, "", "", what, cure)])
    if len(sheets) > 1:
        notes.append(
            Message("sheet read: {name}, of {sheets}", {"name": chosen[0].title, "sheets": titles})
        )
    return chosen[0]


def _likeness(sheet: Worksheet, known: Callable[[str], bool]) -> int:
    rows = sheet.iter_rows(max_row=HEADER_WITHIN, values_only=True)
    return max((_recognised([_cell_text(v, "") for v in row], known) for row in rows), default=0)


def _cell_text(value: Any, form: str) -> Any:
    """Return a cell of a workbook as text; a percentage as it is shown."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        number = float(value)
        return f"{number_text(100 * number)}%" if "%" in form else number_text(number)
    if isinstance(value, dt.datetime):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return decoded(str(value)).strip()


# ---- from rows to a table


def _recognised(row: Sequence[Any], known: Callable[[str], bool]) -> int:
    cells = {cell for cell in (tidy(str(cell)) for cell in row) if cell}
    return sum(map(known, cells))


def _above(name: str, line: int, row: Row) -> Fault:
    what = Message("no row of the table above its header")
    cure = Message("put the header into the first row, in one row")
    return Fault(name, line, "", " ".join(map(str, row)), what, cure)


def _table(
    name: str,
    rows: list[Row],
    lines: list[int],
    known: Callable[[str], bool],
    notes: list[Message],
) -> PlainTable:
    """Find header and body among rows of cells, and leave out what is neither."""
    filled = [sum(cell != "" for cell in row) for row in rows]
    some = [at for at, number in enumerate(filled) if number]
    if not some:
        raise ScenarioError([Fault(name, None, "", "", Message("a table with a head"))])
    blank = [at for at in range(some[0], some[-1]) if not filled[at]]
    if any(rows[at] for at in (*blank, *range(some[-1] + 1, len(rows)))):
        number = sum(1 for at, row in enumerate(rows) if row and not filled[at])
        notes.append(Message("{number} blank rows left out", {"number": number}))
    usual = float(np.median([filled[at] for at in some]))
    head = _header(rows, filled, some, usual, known)
    above = [at for at in some if at < head]
    body = [at for at in some if at > head]
    for at in above:
        if filled[at] >= max(3.0, usual / 2):
            raise ScenarioError([_above(name, lines[at], rows[at])])
    if above:
        titles = [" ".join(str(cell) for cell in rows[at] if cell != "") for at in above]
        arguments: dict[str, Any] = {"number": len(above), "texts": examples(titles)}
        notes.append(Message("{number} rows above the header left out: {texts}", arguments))
    header = [tidy(str(cell)) for cell in rows[head]]
    columns = [at for at, cell in enumerate(header) if cell]
    widest = max(len(rows[at]) for at in body) if body else len(header)
    faults: list[Fault] = []
    notes_of = notes_under([rows[at] for at in body], len(columns) if usual > 2 else 0)
    body, under = body[: len(body) - notes_of], body[len(body) - notes_of :]
    for at in (*above, *under):
        said = " ".join(str(cell) for cell in rows[at] if cell != "")
        faults += unit_fault(name, lines[at], said)
    if under:
        texts = ["".join(map(str, rows[at])) for at in under]
        arguments = {"number": len(under), "texts": examples(texts)}
        notes.append(Message("{number} rows under the table left out: {texts}", arguments))
    again = [at for at in body if [tidy(str(cell)) for cell in rows[at]] == header]
    if again:
        notes.append(Message("{number} repeated headers left out", {"number": len(again)}))
        body = [at for at in body if at not in set(again)]
    wide = [at for at in body if any(cell != "" for cell in rows[at][len(header) :])]
    if wide:
        value, what = (
            f"{len(rows[wide[0]])}",
            Message("as many fields in each row as in the header"),
        )
        cure = Message("put a number with separators into quotes") if len(wide) > 1 else None
        faults.append(Fault(name, lines[wide[0]], "", value, what, cure))
    twice = [cell for cell, times in Counter(header[at] for at in columns).items() if times > 1]
    faults += [Fault(name, lines[head], one, one, Message("each column once")) for one in twice]
    nameless = [
        at
        for at in range(len(header))
        if not header[at] and any(len(rows[r]) > at and rows[r][at] != "" for r in body)
    ]
    if nameless[:1] == [0] and _counts([rows[r][0] for r in body]):
        nameless = nameless[1:]
        notes.append(Message("the first column, row numbers without a header, left out"))
    if nameless:
        first = next(r for r in body if len(rows[r]) > nameless[0] and rows[r][nameless[0]] != "")
        value, what = str(rows[first][nameless[0]]), Message("a header over the cells below")
        where = Message("column {place}", {"place": nameless[0] + 1})
        faults.append(Fault(name, lines[first], where, value, what))
    if not body:
        faults.append(Fault(name, None, "", "", Message("at least one row")))
    if faults:
        raise ScenarioError(faults)
    if len(columns) < len(header) or widest > len(header):
        notes.append(Message("blank columns at the end or between left out"))
    data: dict[str, list[Any]] = {}
    unseen = 0
    for at in columns:
        cells = [rows[r][at] if at < len(rows[r]) else "" for r in body]
        clean = {cell: tidy(cell) for cell in set(cells)}
        changed = {cell for cell, to in clean.items() if cell.strip() != to}
        unseen += sum(cell in changed for cell in cells) if changed else 0
        data[header[at]] = [clean[cell] for cell in cells] if changed else cells
    if unseen:
        text = "invisible characters and line breaks taken out of {number} cells"
        notes.append(Message(text, {"number": unseen}))
    frame = pd.DataFrame(data, index=[lines[r] for r in body], dtype=object)
    return PlainTable(name, frame, lines[head], notes=tuple(notes))


def _counts(cells: Sequence[Any]) -> bool:
    """Check whether cells count the rows, from 0 or 1, as programs write them."""
    return any(
        [str(cell) for cell in cells] == [str(at + first) for at in range(len(cells))]
        for first in (0, 1)
    )


def _header(
    rows: list[Row],
    filled: list[int],
    some: list[int],
    usual: float,
    known: Callable[[str], bool],
) -> int:
    """Return the row with most cells that are known, else the first that is as wide as others."""
    first = some[:HEADER_WITHIN]
    scores = [_recognised(rows[at], known) for at in first]
    # Numbers of pupils look like grades: a row below is the header only where it says clearly more.
    best = max(range(len(first)), key=lambda at: (scores[at], -at))
    wide = next((at for at in first if filled[at] >= max(min(usual, 3), 0.6 * usual)), first[0])
    if scores[best] < 2:
        return wide
    start = first.index(wide)
    return first[best] if scores[best] > scores[start] + 1 or best < start else wide


def _from_frame(table: pd.DataFrame, name: str, strict: bool) -> PlainTable:
    """Take a frame in memory; an index with names, as of a pivot, is columns."""
    notes: list[Message] = []
    named = [label for label in table.index.names if label is not None]
    if isinstance(table.index, pd.MultiIndex) or named:
        table = table.reset_index()
        if named:
            notes.append(
                Message("index read as columns: {columns}", {"columns": tuple(map(str, named))})
            )
    if isinstance(table.columns, pd.MultiIndex):
        levels = [table.columns.get_level_values(at) for at in range(table.columns.nlevels)]
        joined = [
            next((str(part) for part in reversed(parts) if str(part)), "")
            for parts in zip(*levels, strict=True)
        ]
        table = table.set_axis(joined, axis=1)
    header = [tidy(_label(column)) for column in table.columns]
    table = table.set_axis(header, axis=1)
    twice = [one for one, times in Counter(header).items() if times > 1]
    if twice:
        raise ScenarioError([Fault(name, None, c, c, Message("each column once")) for c in twice])
    if not len(table):
        raise ScenarioError([Fault(name, None, "", "", Message("at least one row"))])
    whole = isinstance(table.index, pd.RangeIndex) or pd.api.types.is_integer_dtype(table.index)
    index = (table.index if whole else pd.RangeIndex(len(table))).to_numpy() + 2
    columns = {
        column: table[column].to_numpy()
        if pd.api.types.is_numeric_dtype(table[column])
        and not pd.api.types.is_bool_dtype(table[column])
        and not pd.api.types.is_extension_array_dtype(table[column].dtype)
        else [_frame_text(cell) for cell in table[column].tolist()]
        for column in header
    }
    frame = pd.DataFrame({c: pd.Series(v, index=index) for c, v in columns.items()}, index=index)
    blank = frame.isna() | (frame == "")
    frame = frame[~blank.all(axis=1)]
    if strict and notes:
        raise ScenarioError(strictly(name, notes))
    return PlainTable(name, frame, 1, notes=tuple(notes))


def _label(column: Any) -> str:
    return number_text(column) if isinstance(column, float) else str(column)


def _frame_text(cell: Any) -> str:
    if cell is None or cell is pd.NA or cell is pd.NaT or cell != cell:
        return ""
    if isinstance(cell, float | np.floating):
        return number_text(float(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat().removesuffix("T00:00:00")
    return tidy(str(cell))
