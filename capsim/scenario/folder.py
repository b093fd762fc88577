"""Scenario folders on disk: read cell by cell as text, written whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from capsim.scenario.document import out_of_reach
from capsim.scenario.faults import Fault, nearest
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
    """Read settings and tables of a folder, and say what cannot be read (settings: None).

    ``label`` stands before file names in faults (empty for the folder itself).
    """
    faults: list[Fault] = []
    document: dict[str, Any] | None = None
    if not folder.is_dir():
        there = "a file" if folder.exists() else "nothing"
        return (
            None,
            {},
            [Fault(label or str(folder), None, "", there, "a folder with a scenario.toml")],
        )
    text = _text(folder / SETTINGS, label + SETTINGS, faults)
    if text is not None:
        try:
            document = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
            what = f"valid TOML ({error or 'nested too deep'})"
            faults.append(Fault(label + SETTINGS, None, "", "", what))
    if document is not None and (what := out_of_reach(document)):
        faults.append(Fault(label + SETTINGS, None, "", "…", what))
        document = None
    tables = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".csv":
            continue
        if path.name.removesuffix(".csv") not in TABLES:
            known = nearest(path.name, (f"{name}.csv" for name in TABLES))
            faults.append(Fault(label + path.name, None, "", path.name, known))
            continue
        text = _text(path, label + path.name, faults)
        if text is not None:
            cells, found = _cells(text, label + path.name)
            faults += found
            if cells is not None:
                tables[path.stem] = cells
    return document, tables, faults


def _text(path: Path, label: str, faults: list[Fault]) -> str | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        faults.append(Fault(label, None, "", "", "a file"))
        return None
    except OSError as error:
        faults.append(Fault(label, None, "", error.strerror or "", "a file that can be read"))
        return None
    try:
        text = raw.decode("utf-8").removeprefix(BOM)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        value = raw[error.start : error.start + 4].hex(" ")
        faults.append(Fault(label, line, "", value, "text in UTF-8"))
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.append(Fault(label, line, "", "NUL", "text without NUL characters"))
        return None
    return text


def _cells(text: str, file: str) -> tuple[Cells | None, list[Fault]]:
    """Cut a CSV text into columns; every row must have as many cells as the header."""
    try:
        rows, lines = _rows(text)
    except _CsvError as error:
        what, line = error.args
        return None, [Fault(file, line, "", "", f"well-formed CSV ({what})")]
    if not rows:
        return None, [Fault(file, 1, "", "", "a header line")]
    header = _cut(rows[0])
    faults = [
        Fault(file, lines[0], name, name, "each column once")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    width = len(header)
    widths = [row.count(",") + 1 if isinstance(row, str) else len(row) for row in rows]
    ragged = [at for at, cells in enumerate(widths) if cells != width]
    expected = f"{width} cells, as in the header"
    faults += [Fault(file, lines[at], "", f"{widths[at]} cells", expected) for at in ragged[:100]]
    if len(ragged) > 100:
        faults.append(Fault(file, None, "", f"{len(ragged) - 100} more rows", expected))
    if faults:
        return None, faults
    if isinstance(rows[0], str):
        flat = ",".join(rows[1:]).split(",") if len(rows) > 1 else []
    else:
        flat = list(chain.from_iterable(rows[1:]))
    columns = {name: flat[at::width] for at, name in enumerate(header)}
    return Cells(file, columns, len(rows) - 1, lines[1:]), []


class _CsvError(Exception):
    """CSV that cannot be read: what is wrong, on which line."""


def _cut(row: Any) -> list[str]:
    return row.split(",") if isinstance(row, str) else row


def _rows(text: str) -> tuple[Sequence[Any], Sequence[int]]:
    """Give rows that are not blank, and the line each starts on.

    Without quotes a row is its line, not yet cut: a large file is read several times faster so.
    """
    plain = text.replace("\r\n", "\n")
    if '"' not in text and "\r" not in plain:
        found = plain.split("\n")
        if "" not in found[:-1]:
            whole = found if found[-1] else found[:-1]
            return whole, range(1, len(whole) + 1)
        return [row for row in found if row], [at for at, row in enumerate(found, 1) if row]
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
    """Write a folder aside and rename it into place; an error names the place itself."""
    try:
        _write_whole(folder.absolute(), document, tables, replace)
    except FileExistsError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(folder)) from error


def _write_whole(
    folder: Path, document: Mapping[str, Any], tables: Mapping[str, pd.DataFrame], replace: bool
) -> None:
    there = folder.exists()
    if there and (not folder.is_dir() or (any(folder.iterdir()) and not replace)):
        raise FileExistsError(f"{folder} exists already; name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    old = aside / "old"
    new = aside / "new"
    try:
        new.mkdir()
        (new / SETTINGS).write_text(tomli_w.dumps(document), encoding="utf-8", newline="\n")
        for name, frame in tables.items():
            with (new / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                _write(frame, file)
        if there:
            _carry_over(folder, new)
            os.rename(folder, old)
        try:
            os.rename(new, folder)
        except OSError:
            if old.exists():
                os.rename(old, folder)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _carry_over(folder: Path, new: Path) -> None:
    """Keep what in the old folder is no part of the scenario, such as a README."""
    ours = {SETTINGS, *(f"{name}.csv" for name in TABLES)}
    for path in folder.iterdir():
        if path.name not in ours:
            if path.is_dir():
                shutil.copytree(path, new / path.name, symlinks=True)
            else:
                shutil.copy2(path, new / path.name, follow_symlinks=False)


def _write(frame: pd.DataFrame, file: Any) -> None:
    columns = [_printed(frame[name]) for name in frame.columns]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows(chain([list(frame.columns)], zip(*columns, strict=True)))


def _printed(values: pd.Series) -> list[str]:
    listed: list[Any] = values.tolist()
    if not pd.api.types.is_float_dtype(values.dtype):
        return [str(value) for value in listed]
    return [
        "" if value != value else repr(int(value)) if value == int(value) and abs(value) < 2**53
        else repr(value)
        for value in listed
    ]  # fmt: skip
