"""A lost file is not a choice: a table deleted, emptied, halved, renamed or given twice is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_folder import texts, write

import capsim
from capsim.scenario import Scenario, ScenarioError, load
from capsim.scenario.schema import TABLES

FLAGSHIP = Path(__file__).parents[2] / "scenarios" / "prefecture-2022"


def outcome(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the faults of a folder, or its warnings."""
    try:
        return (), load(folder).warnings
    except ScenarioError as error:
        return tuple(map(str, error.faults)), ()


def halves(text: str) -> dict[str, str]:
    head, *rows = text.splitlines(keepends=True)
    middle = len(rows) // 2
    return {
        "first half": head + "".join(rows[:middle]),
        "last half": head + "".join(rows[middle:]),
        "every other row": head + "".join(rows[::2]),
    }


def walk(source: Path, place: Path) -> list[str]:
    """Damage each table in each way; return those that nothing is said of."""
    silent = []
    for name in TABLES:
        file = source / f"{name}.csv"
        if not file.exists():
            continue
        text = file.read_text("utf-8")
        changes: dict[str, dict[str, str | None]] = {
            "deleted": {file.name: None},
            "no bytes": {file.name: ""},
            "header alone": {file.name: text.splitlines(keepends=True)[0]},
            "renamed": {file.name: None, f"{name}-old.csv": text},
            "renamed beyond reach": {file.name: None, f"{name}.txt": text},
            "twice": {f"{name} (1).csv": text},
            "rows twice": {file.name: text + text.partition("\n")[2]},
        }
        changes |= {way: {file.name: half} for way, half in halves(text).items()}
        for way, files in changes.items():
            copy = place / f"{name}-{way}"
            shutil.copytree(source, copy)
            for other, content in files.items():
                if content is None:
                    (copy / other).unlink()
                else:
                    (copy / other).write_text(content, "utf-8")
            faults, warnings = outcome(copy)
            if not faults and not any(name in one for one in warnings):
                silent.append(f"{name}: {way}")
            shutil.rmtree(copy)
    return silent


@pytest.mark.slow
def test_every_table_of_a_city(tmp_path: Path) -> None:
    city = capsim.generate(9, 30_000, stages=("primary", "junior"), years=(2021, 2024))
    city.save(tmp_path / "city")
    assert load(tmp_path / "city").warnings == ()
    silent = walk(tmp_path / "city", tmp_path)
    # half the candidates may be all there are: only what refers to a project can miss it
    assert [one for one in silent if not one.startswith("projects: ")] == []


@pytest.mark.slow
def test_every_table_of_the_flagship(tmp_path: Path) -> None:
    assert walk(FLAGSHIP, tmp_path) == []


def test_every_other_year_of_a_limit_is_missed(tmp_path: Path) -> None:
    files = dict(texts())
    rows = "".join(f"*,{year},capital,50000000\n" for year in (2022, 2024, 2026))
    files["limits.csv"] = "county,year,kind,amount\n" + rows
    _, warnings = outcome(write(tmp_path / "case", files))
    assert (
        "limits: no capital in 2 years between its first and its last (first: 2023): it binds"
        " nowhere then; give their rows"
    ) in map(str, warnings)


def test_a_list_of_tables_is_held_against_the_folder(tmp_path: Path) -> None:
    files = dict(texts())
    del files["limits.csv"]
    del files["dwellings.csv"]
    files["scenario.toml"] = (
        files["scenario.toml"].replace('"dwellings", ', "").replace('"migration"', '"migraton"')
    )
    faults, _ = outcome(write(tmp_path / "case", files))
    assert faults == (
        "scenario.toml, tables: 'migraton' where migration (the nearest known) is expected",
        "scenario.toml, tables: 'limits' where a table that is there is expected; put limits back,"
        " or take it off the list: the plan then does without",
        "migration.csv: 'migration' where a table on the list tables of the settings is expected;"
        " add migration to the list, or take the table away",
    )


def test_a_variant_lists_what_it_adds_alone(tmp_path: Path) -> None:
    write(tmp_path / "base", dict(texts()))
    above = 'extends = "../base"\nname = "v"\n'
    births = "area,year,births\n" + "".join(
        f"{a},{y},99\n" for a in "ns" for y in range(2008, 2022)
    )
    bare = load(write(tmp_path / "bare", {"scenario.toml": above}))
    assert bare.rows("limits") == 3
    listed = above + 'tables = ["births"]\n'
    made = load(write(tmp_path / "made", {"scenario.toml": listed, "births.csv": births}))
    assert set(made.table("births")["births"]) == {99}
    assert made.rows("limits") == 3
    faults, _ = outcome(write(tmp_path / "lost", {"scenario.toml": listed}))
    assert len(faults) == 1
    assert "'births' where a table that is there" in faults[0]
    faults, _ = outcome(write(tmp_path / "odd", {"scenario.toml": above, "births.csv": births}))
    assert 'write tables = ["births"] above the first section' in faults[0]


def test_saved_scenarios_and_workbooks_list_their_tables(tmp_path: Path) -> None:
    small = load(write(tmp_path / "small", dict(texts())))
    small.variant(drop={"limits": {}}).save(tmp_path / "saved")
    text = (tmp_path / "saved" / "scenario.toml").read_text("utf-8")
    assert '"limits"' not in text.partition("[")[2].partition("]")[0]
    assert load(tmp_path / "saved") == small.variant(drop={"limits": {}})


def test_files_that_spreadsheets_leave_are_passed_over(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = dict(texts())
    small = load(write(tmp_path / "small", files))
    files |= {"~$areas.csv": b"\x00\x01", "._areas.csv": b"\x00\x05", ".~lock.areas.csv": b"x"}
    assert load(write(tmp_path / "left", files)) == small


def test_what_stands_in_is_said(tmp_path: Path) -> None:
    small = load(write(tmp_path / "small", dict(texts())))
    assert list(map(str, small.stand_ins)) == [
        "no limits of recurrent, land, posts, contract_teachers, purchase: these bind nowhere"
    ]
    without = small.variant(drop={"limits": {}, "pupils": {}, "forecast": {}, "dwellings": {}})
    assert list(map(str, without.stand_ins)) == [
        "no pupils: nothing is observed, and every child moves up (progression ratios of 1)",
        "no forecast: every future child is projected",
        "no limits: money, land, posts, hires and purchases bind nowhere",
        "no dwellings: no new home brings children",
    ]


def test_frames_need_no_list_and_are_held_to_one() -> None:
    city = capsim.generate(2, 1000)
    frames = {name: city.table(name) for name in TABLES if city.has(name)}
    settings = city.settings.model_dump(exclude_none=True)
    with pytest.raises(ScenarioError, match="'borders' where a table that is there"):
        Scenario.from_tables({**settings, "tables": [*frames, "borders"]}, **frames)
