"""A scenario in a folder, read from its files and worked out with pencil and paper."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from capsim import load, project
from capsim.cli import app

TOML = """
name = "by-hand"
country = "china"
tables = ["areas", "births", "dwellings", "forecast", "migration", "pupils"]
[horizon]
base_year = 2021
last_year = 2023
[stages]
planned = ["primary"]
[costs]
discount_rate = 0.04
[demand]
method = "2-year mean"
"""

FILES = {
    "areas.csv": "area,county\nA,C\nB,C\n",
    # Entry at 6: autumn t holds a third of the births of t - 7 and two thirds of those of t - 6.
    "births.csv": "area,year,births\n"
    + "".join(f"A,{year},{born}\n" for year, born in zip(range(2012, 2018), [300] * 6, strict=True))
    + "".join(f"B,{year},{born}\n" for year, born in zip(range(2012, 2018), [90] * 6, strict=True)),
    "dwellings.csv": "area,year,dwellings,pupils_per_dwelling\nA,2022,200,0.31\nB,2023,50,\n",
    "migration.csv": "area,grade,school_year,pupils\nB,3,2022,-5\nB,3,2023,4\n",
    "forecast.csv": "area,grade,school_year,pupils\nB,6,2023,77\n",
}
GRADES = range(1, 7)
SIZE = {"A": 300, "B": 90}


def folder(path: Path, **other: str) -> Path:
    """Two observed years in which 300 and 90 children of each grade moved up one and all."""
    rows = [
        f"{area},public,{grade},{year},{number}"
        for area, number in SIZE.items()
        for grade in GRADES
        for year in (2020, 2021)
    ]
    pupils = "area,sector,grade,school_year,pupils\n" + "\n".join(rows) + "\n"
    (path / "scenario.toml").write_text(TOML)
    for name, text in (FILES | {"pupils.csv": pupils} | other).items():
        (path / name).write_text(text)
    return path


def test_housing_and_migration_come_through_the_files(tmp_path: Path) -> None:
    """200 dwellings x 0.31 are 62 pupils, a sixth in each grade of A; they stay with their cohort.

    B loses 5 of its grade 3 in 2022 and gains 4 a year later; its grade 6 of 2023 is given.
    """
    found = project(load(folder(tmp_path)))
    more = 62 / 6
    first = np.full(6, 300 + more)
    second = first.copy()
    second[0] = 300
    assert found.pupils[0, :, 1] == pytest.approx(first)
    assert found.pupils[0, :, 2] == pytest.approx(second)
    assert found.pupils[1, :, 1] == pytest.approx([90, 90, 85, 90, 90, 90])
    assert found.pupils[1, :, 2] == pytest.approx([90, 90, 94, 85, 90, 77])
    assert any("1 dwellings rows without a yield bring no pupils" in note for note in found.notes)


def test_the_same_by_the_command_with_low_births(tmp_path: Path) -> None:
    path = str(folder(tmp_path))
    plain, low = (
        json.loads(CliRunner().invoke(app, ["forecast", path, "--json", *extra]).stdout)
        for extra in ([], ["--births", "low"])
    )
    assert plain["pupils"]["primary"]["2022"] == pytest.approx(6 * 390 + 62 - 5)
    assert plain["pupils"]["primary"]["2023"] == pytest.approx(5 * 390 + 300 + 5 * 62 / 6 + 90 - 14)
    assert low["pupils"] == plain["pupils"], "children who enter by 2023 are born by 2017"
    text = CliRunner().invoke(app, ["forecast", path]).stdout
    assert "Note: 1 dwellings rows without a yield" in text


def test_a_method_that_does_not_exist_stops_the_command(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "scenario.toml").write_text(TOML.replace("2-year mean", "guess"))
    done = CliRunner().invoke(app, ["forecast", str(path)])
    assert done.exit_code == 2
    assert "demand.method" in done.output
    assert "guess" in done.output
