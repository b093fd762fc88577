"""Scenario folders on disk: tables read cell by cell as text, a folder written whole or not."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from capsim.i18n.language import Message
from capsim.io.atomic import whole_bytes, whole_folder
from capsim.scenario.cell_words import UNIT_APART, heading, notes_under
from capsim.scenario.faults import Fault, ScenarioError, as_it_is, nearest
from capsim.scenario.raw_settings import out_of_reach
from capsim.scenario.schema import TABLES

SETTINGS = "scenario.toml"
BOM = "\ufeff"
LOCKS = ("~$", "._", ".~lock")
"""How the files begin that spreadsheets and systems leave beside those that are meant."""


@dataclass(frozen=True)
class Cells:
    """A table before its columns have types.

    Attributes
    ----------
    file : str
        What a fault calls it.
    columns : mapping of str to sequence of str, or Series
    rows : int
    lines : sequence of int
        Line of the file each row starts on; rows from 0 where there is no file.
    notes : tuple of Message
        What was put right in reading.
    units : mapping of column to text
        Units of headers that are named apart from them.
    """

    file: str
    columns: Mapping[str, Sequence[str] | pd.Series]
    rows: int
    lines: Sequence[int]
    notes: tuple[Message, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


def read_folder(
    folder: Path, label: str
) -> tuple[dict[str, Any] | None, dict[str, Cells], list[Fault]]:
    """Read settings and tables of a folder, and list what cannot be read (settings: None).

    ``label`` stands before file names in faults (empty for the folder itself).
    """
    if not folder.is_dir():
        expected = (
            Message("there is a file where a folder with a scenario.toml is expected")
            if folder.exists()
            else Message("there is nothing where a folder with a scenario.toml is expected")
        )
        fault = Fault(label or str(folder), None, "", None, expected)
        return None, {}, [fault]
    faults: list[Fault] = []
    document: dict[str, Any] | None = None
    text = _text(folder / SETTINGS, label + SETTINGS, faults)
    if text is not None:
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            reason = as_it_is(str(error)) if str(error) else Message("nested too deep")
            expected = Message("valid TOML ({reason})", {"reason": reason})
            faults.append(Fault(label + SETTINGS, None, "", "", expected))
    if document is not None and (reach := out_of_reach(document)):
        faults.append(Fault(label + SETTINGS, None, "", "…", reach))
        document = None
    tables = {}
    present: dict[str, int | None] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".csv" or path.name.startswith(LOCKS):
            continue
        if path.name.removesuffix(".csv") not in TABLES:
            expected = nearest(path.name, (f"{name}.csv" for name in TABLES))
            faults.append(Fault(label + path.name, None, "", path.name, expected))
            continue
        cells = _table(path, label + path.name, faults)
        present[path.stem] = None if cells is None else cells.rows
        if cells is not None:
            tables[path.stem] = cells
    if document is not None:
        files = {name: f"{label}{name}.csv" for name in present}
        faults += declared_faults(document, present, label + SETTINGS, files)
    return document, tables, faults


def declared_faults(
    document: dict[str, Any],
    present: Mapping[str, int | None],
    file: str,
    files: Mapping[str, str],
) -> list[Fault]:
    """Take the list ``tables`` out of settings, and hold it against the tables that are there.

    A lost file is not a choice: a table that is listed must be there with rows, and one that is
    there must be listed. A folder that extends another lists its own alone.

    Parameters
    ----------
    document
        Settings as written, changed in place.
    present
        Rows of each table of the folder; None where they could not be counted.
    file, files
        What faults call the settings, and each table that is there.
    """
    line = f"tables = {json.dumps(sorted(present, key=list(TABLES).index))}"
    listed = document.pop("tables", [] if "extends" in document and not present else None)
    if listed is None:
        expected = Message("the list of the tables that this folder has")
        cure = Message("write {line} above the first section", {"line": line})
        return [Fault(file, None, "tables", "", expected, cure)]
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        cure = Message("write {line} above the first section", {"line": line})
        return [Fault(file, None, "tables", str(listed), Message("a list of tables"), cure)]
    faults = [
        Fault(file, None, "tables", name, nearest(name, TABLES))
        for name in dict.fromkeys(listed)
        if name not in TABLES
    ]
    twice = [name for name, times in Counter(listed).items() if times > 1]
    once = Message("each table once")
    faults += [Fault(file, None, "tables", name, once) for name in twice]
    for name in (name for name in TABLES if name in listed or name in present):
        place = {"table": name}
        if name not in present:
            expected = Message("a table that is there")
            cure = Message(
                "put {table} back, or take it off the list: the plan then does without", place
            )
            faults.append(Fault(file, None, "tables", name, expected, cure))
        elif name not in listed:
            expected = Message("a table on the list tables of the settings")
            cure = Message("add {table} to the list, or take the table away", place)
            faults.append(Fault(files[name], None, "", name, expected, cure))
        elif present[name] == 0:
            expected = Message("rows")
            cure = Message(
                "fill it, or take it away and {table} off the list: the plan then does without",
                place,
            )
            faults.append(Fault(files[name], None, "", Message("no rows"), expected, cure))
    return faults


def _text(path: Path, label: str, faults: list[Fault]) -> str | None:
    """Read a text file; None where it cannot be read, which is added to the faults."""
    row: int | None = None
    value = ""
    try:
        raw = whole_bytes(path)
        text = raw.decode("utf-8").removeprefix(BOM)
        if "\0" not in text:
            return text
        row, value = text.count("\n", 0, text.index("\0")) + 1, "NUL"
        expected = Message("text without NUL characters")
    except FileNotFoundError:
        expected = Message("a file")
    except OSError as error:
        value, expected = error.strerror or "", Message("a file that can be read")
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        value, expected = raw[error.start : error.start + 4].hex(" "), Message("text in UTF-8")
    faults.append(Fault(label, row, "", value, expected))
    return None


def _table(path: Path, file: str, faults: list[Fault]) -> Cells | None:
    """Read a table: a plain one at once, any other as people have them; None where it has faults.

    A large plain file is read several times faster than the reader for all others could.
    """
    found: list[Fault] = []
    text = _text(path, file, found)
    cells = None if text is None else _cells(text, file, found)
    if cells is not None and _is_plain(path.stem, cells):
        faults += found
        return cells
    if text is not None and not text.strip():
        faults += found
        return None
    # Loaded late: the library for workbooks takes longer to load than most scenarios.
    from capsim.scenario.table_reader import read_table

    try:
        known = partial(_is_heading, path.stem)
        table = read_table(whole_bytes(path), name=file, known=known)
    except (OSError, ScenarioError) as error:
        told = () if isinstance(error, OSError) else error.faults
        if any(one.expected.msgid == UNIT_APART for one in told):
            faults += told
            return None
        faults += found
        return cells
    read = {str(head): table.frame[head].tolist() for head in table.frame}
    lines = [int(line) for line in table.frame.index]
    again = Cells(file, read, len(lines), lines, table.notes)
    if not _is_plain(path.stem, again) or not table.notes:
        faults += found
        return cells
    return again


def _is_heading(table: str, text: str) -> bool:
    return bool(heading(table, text)[0])


def _is_plain(table: str, cells: Cells) -> bool:
    """Check whether most headers are known, and no note stands under the table."""
    known = sum(_is_heading(table, head) for head in cells.columns)
    last = [[values[-1] for values in cells.columns.values()]] if cells.rows else []
    return 2 * known > len(cells.columns) and not notes_under(last, len(cells.columns))


def _cells(text: str, file: str, faults: list[Fault]) -> Cells | None:
    """Split a CSV text into columns; None where rows differ in length or columns in nothing.

    Every row must have as many cells as the header; commas at its end are passed over, as are rows
    of nothing else. What is wrong is added to the faults.
    """
    try:
        rows, lines = _rows(text)
    except _CsvError as error:
        reason, line = error.args
        expected = Message("well-formed CSV ({reason})", {"reason": reason})
        faults.append(Fault(file, line, "", "", expected))
        return None
    if not rows:
        faults.append(Fault(file, 1, "", "", Message("a header line")))
        return None
    rows, lines, notes = _without_blanks(rows, lines)
    header = rows[0].split(",") if isinstance(rows[0], str) else rows[0]
    wrong = [
        Fault(file, lines[0], name, name, Message("each column once"))
        for name, times in sorted(Counter(header).items())
        if times > 1
    ]
    width = len(header)
    widths = [row.count(",") + 1 if isinstance(row, str) else len(row) for row in rows]
    ragged = [at for at, cells in enumerate(widths) if cells != width]
    expected = Message("{number} cells, as in the header", {"number": width})
    for at in ragged[:100]:
        value = Message("{number} cells", {"number": widths[at]})
        wrong.append(Fault(file, lines[at], "", value, expected))
    if len(ragged) > 100:
        value = Message("{number} more rows", {"number": len(ragged) - 100})
        wrong.append(Fault(file, None, "", value, expected))
    if wrong:
        faults += wrong
        return None
    if isinstance(rows[0], str):
        flat = ",".join(rows[1:]).split(",") if len(rows) > 1 else []
    else:
        flat = list(chain.from_iterable(rows[1:]))
    columns = {name: flat[at::width] for at, name in enumerate(header)}
    return Cells(file, columns, len(rows) - 1, lines[1:], notes)


def _without_blanks(
    rows: Sequence[Any], lines: Sequence[int]
) -> tuple[Sequence[Any], Sequence[int], tuple[Message, ...]]:
    """Leave out rows of commas, and commas beyond the header's; notes say how many."""
    if isinstance(rows[0], str):
        blank = [at for at, row in enumerate(rows) if not row.strip(", ")]
        width = len(rows[0].rstrip(",").split(","))
    else:
        blank = [at for at, row in enumerate(rows) if not any(cell.strip() for cell in row)]
        width = max((at for at, cell in enumerate(rows[0], 1) if cell), default=0)
    notes: list[Message] = []
    if blank and len(blank) < len(rows) and blank[0] > 0:
        gone = set(blank)
        lines = [line for at, line in enumerate(lines) if at not in gone]
        rows = [row for at, row in enumerate(rows) if at not in gone]
        notes.append(Message("{number} blank rows left out", {"number": len(blank)}))
    if isinstance(rows[0], str):
        wide = [at for at, row in enumerate(rows) if row.count(",") >= width]
    else:
        wide = [at for at, row in enumerate(rows) if len(row) > width]
    cut = {at: _cut(rows[at], width) for at in wide}
    if cut and all(row is not None for row in cut.values()):
        rows = [cut.get(at, row) for at, row in enumerate(rows)]
        text = "commas at the end of {number} rows passed over"
        notes.append(Message(text, {"number": len(cut)}))
    return rows, lines, tuple(notes)


def _cut(row: Any, width: int) -> Any:
    """Return a row without what is beyond its width; None where that is not blank."""
    cells = row.split(",") if isinstance(row, str) else row
    if any(cell.strip() for cell in cells[width:]):
        return None
    return ",".join(cells[:width]) if isinstance(row, str) else cells[:width]


class _CsvError(Exception):
    """CSV that cannot be read: what is wrong, on which line."""


def _rows(text: str) -> tuple[Sequence[Any], Sequence[int]]:
    """Return the rows that are not blank, and the line each starts on.

    Without quotes a row is its line, not yet cut: a large file is read several times faster so.
    """
    plain = text.replace("\r\n", "\n")
    if '"' not in text and "\r" not in plain:
        split = plain.split("\n")
        if "" not in split[:-1]:
            whole = split if split[-1] else split[:-1]
            return whole, range(1, len(whole) + 1)
        return [row for row in split if row], [at for at, row in enumerate(split, 1) if row]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise _CsvError(str(error), start) from None
    return rows, lines


def write_folder(
    folder: Path,
    document: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    replace: bool,
    beside: Mapping[str, bytes] | None = None,
) -> None:
    """Write a folder, which appears whole or not at all.

    In one that is replaced stays what is no part of a scenario, such as a README.
    """
    with whole_folder(folder, None if replace else "") as fresh:
        # The same bytes on every system: no line ends of its own.
        text = tomli_w.dumps(with_tables(document, tables))
        (fresh / SETTINGS).write_text(text, encoding="utf-8", newline="\n")
        for name, frame in tables.items():
            (fresh / f"{name}.csv").write_bytes(table_bytes(frame))
        for name, content in (beside or {}).items():
            (fresh / name).write_bytes(content)
        own = {SETTINGS, *(beside or {}), *(f"{name}.csv" for name in TABLES)}
        for path in folder.iterdir() if folder.exists() else ():
            if path.name in own:
                continue
            if path.is_dir():
                shutil.copytree(path, fresh / path.name, symlinks=True)
            else:
                shutil.copy2(path, fresh / path.name, follow_symlinks=False)


def with_tables(document: Mapping[str, Any], tables: Iterable[str]) -> dict[str, Any]:
    """Return settings with the list of tables that stand beside them, above the first section.

    Examples
    --------
    >>> with_tables({"name": "city", "costs": {}}, ["areas"])
    {'name': 'city', 'tables': ['areas'], 'costs': {}}
    """
    heads = {key: entry for key, entry in document.items() if not isinstance(entry, Mapping)}
    return {**heads, "tables": list(tables), **document}


def table_bytes(frame: pd.DataFrame) -> bytes:
    """Return a table as the file that a scenario reads it from."""
    columns = [_printed(frame[name]) for name in frame.columns]
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(chain([list(frame.columns)], zip(*columns, strict=True)))
    return file.getvalue().encode()


def _printed(values: pd.Series) -> list[str]:
    cells: list[Any] = values.tolist()
    printed = number_text if pd.api.types.is_float_dtype(values.dtype) else str
    return [printed(cell) for cell in cells]


def number_text(value: float) -> str:
    """Return a number as a file holds it, so that it reads back as itself; NaN is blank.

    Examples
    --------
    >>> [number_text(value) for value in (5.0, 0.1, 1e300, float("nan"))]
    ['5', '0.1', '1e+300', '']
    """
    if value != value:
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
