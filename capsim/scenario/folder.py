"""Scenario folders on disk: tables read cell by cell as text, a folder written whole or not."""

from __future__ import annotations

import csv
import io
import shutil
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from capsim.io.atomic import whole_bytes, whole_folder
from capsim.scenario.faults import Fault, nearest
from capsim.scenario.raw_settings import out_of_reach
from capsim.scenario.schema import TABLES

SETTINGS = "scenario.toml"
BOM = "\ufeff"


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
    """

    file: str
    columns: Mapping[str, Sequence[str] | pd.Series]
    rows: int
    lines: Sequence[int]


def read_folder(
    folder: Path, label: str
) -> tuple[dict[str, Any] | None, dict[str, Cells], list[Fault]]:
    """Read settings and tables of a folder, and list what cannot be read (settings: None).

    ``label`` stands before file names in faults (empty for the folder itself).
    """
    if not folder.is_dir():
        there = "a file" if folder.exists() else "nothing"
        expected = f"there is {there} where a folder with a scenario.toml is expected"
        fault = Fault(label or str(folder), None, "", None, expected)
        return None, {}, [fault]
    faults: list[Fault] = []
    document: dict[str, Any] | None = None
    text = _text(folder / SETTINGS, label + SETTINGS, faults)
    if text is not None:
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            expected = f"valid TOML ({error or 'nested too deep'})"
            faults.append(Fault(label + SETTINGS, None, "", "", expected))
    if document is not None and (expected := out_of_reach(document)):
        faults.append(Fault(label + SETTINGS, None, "", "…", expected))
        document = None
    tables = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".csv":
            continue
        if path.name.removesuffix(".csv") not in TABLES:
            expected = nearest(path.name, (f"{name}.csv" for name in TABLES))
            faults.append(Fault(label + path.name, None, "", path.name, expected))
            continue
        text = _text(path, label + path.name, faults)
        cells = None if text is None else _cells(text, label + path.name, faults)
        if cells is not None:
            tables[path.stem] = cells
    return document, tables, faults


def _text(path: Path, label: str, faults: list[Fault]) -> str | None:
    """Read a text file; None where it cannot be read, which is added to the faults."""
    row, value = None, ""
    try:
        raw = whole_bytes(path)
        text = raw.decode("utf-8").removeprefix(BOM)
        if "\0" not in text:
            return text
        row, value = text.count("\n", 0, text.index("\0")) + 1, "NUL"
        expected = "text without NUL characters"
    except FileNotFoundError:
        expected = "a file"
    except OSError as error:
        value, expected = error.strerror or "", "a file that can be read"
    except UnicodeDecodeError as error:
        row = raw.count(b"\n", 0, error.start) + 1
        value, expected = raw[error.start : error.start + 4].hex(" "), "text in UTF-8"
    faults.append(Fault(label, row, "", value, expected))
    return None


def _cells(text: str, file: str, faults: list[Fault]) -> Cells | None:
    """Split a CSV text into columns; None where rows differ in length or columns in nothing.

    Every row must have as many cells as the header. What is wrong is added to the faults.
    """
    try:
        rows, lines = _rows(text)
    except _CsvError as error:
        reason, line = error.args
        faults.append(Fault(file, line, "", "", f"well-formed CSV ({reason})"))
        return None
    if not rows:
        faults.append(Fault(file, 1, "", "", "a header line"))
        return None
    header = rows[0].split(",") if isinstance(rows[0], str) else rows[0]
    wrong = [
        Fault(file, lines[0], name, name, "each column once")
        for name, times in sorted(Counter(header).items())
        if times > 1
    ]
    width = len(header)
    widths = [row.count(",") + 1 if isinstance(row, str) else len(row) for row in rows]
    ragged = [at for at, cells in enumerate(widths) if cells != width]
    expected = f"{width} cells, as in the header"
    wrong += [Fault(file, lines[at], "", f"{widths[at]} cells", expected) for at in ragged[:100]]
    if len(ragged) > 100:
        wrong.append(Fault(file, None, "", f"{len(ragged) - 100} more rows", expected))
    if wrong:
        faults += wrong
        return None
    if isinstance(rows[0], str):
        flat = ",".join(rows[1:]).split(",") if len(rows) > 1 else []
    else:
        flat = list(chain.from_iterable(rows[1:]))
    columns = {name: flat[at::width] for at, name in enumerate(header)}
    return Cells(file, columns, len(rows) - 1, lines[1:])


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
    folder: Path, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], replace: bool
) -> None:
    """Write a folder, which appears whole or not at all.

    In one that is replaced stays what is no part of a scenario, such as a README.
    """
    with whole_folder(folder, None if replace else "") as fresh:
        # The same bytes on every system: no line ends of its own.
        (fresh / SETTINGS).write_text(tomli_w.dumps(document), encoding="utf-8", newline="\n")
        for name, frame in tables.items():
            (fresh / f"{name}.csv").write_bytes(table_bytes(frame))
        own = {SETTINGS, *(f"{name}.csv" for name in TABLES)}
        for path in folder.iterdir() if folder.exists() else ():
            if path.name in own:
                continue
            if path.is_dir():
                shutil.copytree(path, fresh / path.name, symlinks=True)
            else:
                shutil.copy2(path, fresh / path.name, follow_symlinks=False)


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
