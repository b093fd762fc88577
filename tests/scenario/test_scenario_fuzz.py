"""A scenario folder damaged at random loads to what its files say, or its faults are said."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import os
import random
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_folder import texts, write

from capsim.scenario import Scenario, ScenarioError, load
from capsim.scenario.schema import TABLES

Files = dict[str, bytes]
CELLS = (
    "", "0", "-1", "1", "2", "1e3", "1e308", "1e999", "nan", "inf", "1_000", " 5", "5 ", "+7", "07",
    "1.5", ".5", "5.", "0x10", "１２", "٣", "99999999999999999999999", "-0", "1e", "--1", "n", "s",
    "north-new", "n-public", "primary", "K1", "*", "2021", "2022-09-01", "2022-02-30", "2022-9-1",
    "20220901", "public", "private", "no", "must", "may", "yes", "True", "None", "名", "a;b", "a=1",
    "crews=1", "north-new:land", ":", ";", "=", "'", '"x"', "\ufeff", "\u00a0", "x" * 300, "S", "P",
)  # fmt: skip
VALUES = (
    "0", "-1", "1", "2", "2022", "1e400", "nan", "-inf", '"x"', '""', "true", "[]", "{}", "[1, 2]",
    "{value = 1}", "{value = {value = 1}}", '{value = 1, mark = "Z"}', "2022-12-31", "12:30:00",
    "2022-12-31T10:00:00", "99999999999999999999999999", '"2022-12-31"', "{2022 = 0.5}", "{x = 1}",
    '["primary"]', '["nowhere"]', "0.5", '"n"', "1e-320", "[[]]", '[["01-01", "01-02"]]', "12",
)  # fmt: skip


def damage_bytes(files: Files, rng: random.Random) -> None:
    name = rng.choice(sorted(files))
    raw = bytearray(files[name])
    at = rng.randrange(len(raw) + 1)
    how = rng.randrange(5)
    if how == 0 and at < len(raw):
        raw[at] = rng.randrange(256)
    elif how == 1:
        raw[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 4)))
    elif how == 2:
        del raw[at : at + rng.randint(1, 40)]
    elif how == 3:
        del raw[at:]
    else:
        raw[at:at] = rng.choice([b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b" ", b"\t", b"=", b"["])
    files[name] = bytes(raw)


def damage_cell(files: Files, rng: random.Random) -> None:
    name = rng.choice([name for name in sorted(files) if name.endswith(".csv")])
    rows = [line.split(b",") for line in files[name].split(b"\n")]
    row = rows[rng.randrange(len(rows))]
    row[rng.randrange(len(row))] = rng.choice(CELLS).encode()
    files[name] = b"\n".join(b",".join(row) for row in rows)


def damage_rows(files: Files, rng: random.Random) -> None:
    name = rng.choice([name for name in sorted(files) if name.endswith(".csv")])
    rows = files[name].split(b"\n")
    at = rng.randrange(len(rows))
    how = rng.randrange(4)
    if how == 0:
        del rows[at]
    elif how == 1:
        rows.insert(rng.randrange(len(rows) + 1), rows[at])
    elif how == 2:
        cells = rows[at].split(b",")
        rng.shuffle(cells)
        rows[at] = b",".join(cells)
    else:
        column = rng.randrange(rows[0].count(b",") + 1)
        cut = [row.split(b",") for row in rows]
        rows = [b",".join(row[:column] + row[column + 1 :]) for row in cut]
    files[name] = b"\n".join(rows)


def damage_settings(files: Files, rng: random.Random) -> None:
    rows = files.get("scenario.toml", b"").split(b"\n")
    at = rng.randrange(len(rows))
    how = rng.randrange(5)
    if how == 0:
        del rows[at]
    elif how == 1:
        rows.insert(rng.randrange(len(rows) + 1), rows[at])
    elif how == 2 and b"=" in rows[at]:
        rows[at] = rows[at].split(b"=")[0] + b"= " + rng.choice(VALUES).encode()
    elif how == 3:
        words = [
            b"base_year",
            b"number",
            b"2022",
            b"reduction",
            b"by",
            b"name",
            b"country",
            b"mark",
        ]
        rows[at] = rows[at].replace(rng.choice(words), rng.choice(words))
    else:
        word = rng.choice(["extends", "set", "scale", "drop", "sources", "standards", "calendars"])
        rows.insert(rng.choice([0, at]), f"{word} = {rng.choice(VALUES)}".encode())
    files["scenario.toml"] = b"\n".join(rows)


def damage_files(files: Files, rng: random.Random) -> None:
    name = rng.choice(sorted(files))
    how = rng.randrange(4)
    if how == 0:
        del files[name]
    elif how == 1:
        files[name] = b""
    elif how == 2:
        files[name + "x"] = files.pop(name)
    else:
        files[rng.choice(sorted(files))] = files[name]


DAMAGE: tuple[Callable[[Files, random.Random], None], ...] = (
    damage_bytes, damage_cell, damage_cell, damage_rows, damage_settings, damage_settings,
    damage_files,
)  # fmt: skip


def says_a_cell(cell: str, value: Any, default: Any) -> bool:
    if cell == "":
        if default is None:
            return value == "" or value != value
        return bool(value == default)
    return bool(value == (cell if isinstance(value, str) else float(cell)))


def decoded(raw: bytes, name: str, scenario: Scenario) -> str:
    """Decode as the scenario says that it was read."""
    told = " ".join(str(note) for note in scenario.notes if f"{name}.csv: encoding" in str(note))
    codes = {"GB18030": "gb18030", "Windows-1252": "cp1252"}
    code = next((code for word, code in codes.items() if word in told), "utf-8")
    return raw.decode(code).removeprefix("\ufeff")


def compare_tables(scenario: Scenario, files: Files) -> None:
    for name, table in TABLES.items():
        frame = scenario.table(name)
        raw = files.get(f"{name}.csv")
        text = "" if raw is None else decoded(raw, name, scenario)
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
        header, body = (rows[0], rows[1:]) if rows else ([], [])
        header = [cell.strip() for cell in header]
        if len(body) > len(frame) and any(f"{name}.csv: " in str(note) for note in scenario.notes):
            # Notes under a table, of one filled cell, and headers once more are told and left out.
            filled = (sum(bool(cell.strip()) for cell in row) for row in body)
            body = [
                row
                for row, number in zip(body, filled, strict=True)
                if number > 1 and row != header
            ]
        assert len(frame) == len(body)
        assert set(header) <= set(table.names)
        told = [str(note) for note in scenario.notes if f"{name}.csv: " in str(note)]
        for column in table.columns:
            if any(column.name in note for note in told):
                continue  # Cells of it are read as meant, and it is said.
            at = header.index(column.name) if column.name in header else None
            for row, value in zip(body, frame[column.name].tolist(), strict=True):
                cell = "" if at is None or at >= len(row) else row[at]
                assert says_a_cell(cell, value, column.default), (name, column.name, cell, value)


def compare_settings(said: Any, held: Any, path: str = "") -> None:
    while isinstance(said, dict) and "value" in said:
        said = said["value"]
    if isinstance(said, dict):
        for key, entry in said.items():
            year = int(key) if key.isdigit() and isinstance(held, dict) and key not in held else key
            compare_settings(entry, held[year], f"{path}.{key}")
    elif isinstance(said, list):
        assert len(said) == len(held)
        for one, other in zip(said, held, strict=True):
            compare_settings(one, other, path)
    elif isinstance(said, str) and isinstance(held, dt.date):
        assert said == held.isoformat()
    else:
        assert said == held, path


def check_damaged(folder: Path, seed: int) -> bool:
    """Damage the small scenario and load it; tell whether it could be."""
    rng = random.Random(seed)
    files: Files = {name: text.encode() for name, text in texts().items()}
    for _ in range(rng.choice((1, 1, 2, 4))):
        if files:
            try:
                rng.choice(DAMAGE)(files, rng)
            except IndexError:
                continue
    if folder.exists():
        shutil.rmtree(folder)
    write(folder, dict(files))
    try:
        scenario = load(folder)
    except ScenarioError as error:
        faults = error.faults
    else:
        faults = ()
    if faults:
        assert all(fault.expected for fault in faults)
        return False
    document = tomllib.loads(files["scenario.toml"].decode().removeprefix("\ufeff"))
    changed = {key: document.pop(key, {}) for key in ("extends", "set", "scale", "drop")}
    document.pop("sources", None)
    assert {f"{name}.csv" for name in document.pop("tables")} == set(files) - {"scenario.toml"}
    assert not any(changed.values())
    compare_tables(scenario, files)
    compare_settings(document, scenario.settings.model_dump())
    assert not math.isnan(scenario.settings.costs.discount_rate)
    return True


def test_damaged_folders(tmp_path: Path) -> None:
    loaded = [check_damaged(tmp_path / "case", seed) for seed in range(20)]
    assert 1 < sum(loaded) < 19


def test_a_row_above_the_header_and_a_raised_digit_are_refused(tmp_path: Path) -> None:
    files = dict(texts())
    row = "south-both,primary,s,new,180,9000000,candidate,2023-09-01,,,,1,,,\n"
    files["projects.csv"] = row + files["projects.csv"]
    with pytest.raises(ScenarioError, match=r"projects\.csv, row 1"):
        load(write(tmp_path / "above", files))
    files = dict(texts())
    write(tmp_path / "raised", files)
    raised = files["births.csv"].replace(",120", ",1\xb30", 1).encode("cp1252")
    (tmp_path / "raised" / "births.csv").write_bytes(raised)
    with pytest.raises(ScenarioError, match="'1³0' where a number is expected"):
        load(tmp_path / "raised")


@pytest.mark.slow
def test_many_damaged_folders(tmp_path: Path) -> None:
    number = int(os.environ.get("CAPSIM_DAMAGED", "600"))
    loaded = [check_damaged(tmp_path / "case", seed) for seed in range(20, 20 + number)]
    assert 0.05 * number < sum(loaded) < 0.95 * number
