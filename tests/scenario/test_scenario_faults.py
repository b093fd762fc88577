"""What is wrong with a scenario is said exactly, all of it at once, and nothing else is raised."""

from __future__ import annotations

import os
import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_folder import texts, write

import capsim
from capsim import generate
from capsim.scenario import Scenario, ScenarioError, load

Files = dict[str, str | bytes]
Change = Callable[[Files], None]


def swap(file: str, old: str, new: str) -> Change:
    def change(files: Files) -> None:
        text = files[file]
        assert isinstance(text, str)
        assert text.count(old) == 1, text.count(old)
        files[file] = text.replace(old, new)

    return change


def add(file: str, line: str) -> Change:
    def change(files: Files) -> None:
        files[file] = f"{files.get(file, '')}{line}\n"

    return change


def put(file: str, content: str | bytes) -> Change:
    return lambda files: files.update({file: content})


def as_said(case: dict[str, str]) -> Change:
    file = case["file"]
    if "gone" in case:
        return lambda files: files.pop(file) and None
    if "content" in case:
        return put(file, case["content"])
    return add(file, case["add"]) if "add" in case else swap(file, case["old"], case["new"])


CASES = tomllib.loads((Path(__file__).parent / "fault_cases.toml").read_text("utf-8"))["case"]


def faults_of(folder: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load(folder)
    return "\n".join(map(str, caught.value.faults))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_fault_is_said(tmp_path: Path, case: dict[str, str]) -> None:
    files: Files = dict(texts())
    as_said(case)(files)
    assert faults_of(write(tmp_path / "case", files)) == case["said"].strip("\n")


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        (
            "births.csv",
            b"area,year,births\nn,2020,1\n\xff\xfe,2021,3\n",
            "births.csv, row 3: 'ff fe 2c 32' where text in UTF-8 is expected",
        ),
        (
            "births.csv",
            b"area,year,births\nn,20\x0020,1\n",
            "births.csv, row 2: 'NUL' where text without NUL characters is expected",
        ),
        (
            "scenario.toml",
            b'name = "\xe9"\n',
            "scenario.toml, row 1: 'e9 22 0a' where text in UTF-8 is expected",
        ),
    ],
)
def test_bytes_that_are_no_text(tmp_path: Path, file: str, content: bytes, said: str) -> None:
    files: Files = dict(texts()) | {file: content}
    assert faults_of(write(tmp_path / "case", files)) == said


def test_the_small_scenario_has_no_fault(tmp_path: Path) -> None:
    small = load(write(tmp_path / "small", dict(texts())))
    assert small.warnings == ()


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"where a folder with a scenario\.toml is expected"):
        load(tmp_path / "nowhere")


def test_all_faults_at_once(tmp_path: Path) -> None:
    files: Files = dict(texts())
    for change in (
        swap("births.csv", "n,2010,120", "n,2010,many"),
        swap("scenario.toml", "reduction = 20", "reduction = -20"),
        swap("limits.csv", "North,2022,hires,10", "Nort,2022,hires,10"),
        swap("links.csv", "n,s,,primary,5,", "n,s,,primry,5,"),
        put("brith.csv", "a"),
    ):
        change(files)
    folder = write(tmp_path / "case", files)
    with pytest.raises(ScenarioError) as caught:
        load(folder)
    assert str(caught.value).splitlines()[0] == "5 faults in the scenario"
    assert {fault.file for fault in caught.value.faults} == {
        "births.csv", "brith.csv", "limits.csv", "links.csv", "scenario.toml",
    }  # fmt: skip


def test_rows_that_can_be_read_are_checked_beside_ones_that_cannot(tmp_path: Path) -> None:
    files: Files = dict(texts())
    for change in (
        swap("births.csv", "n,2010,120", "n,2010,many"),
        swap("births.csv", "n,2011,120", "x,2011,120"),
        swap("births.csv", "n,2012,120", "n,2009,120"),
        swap("scenario.toml", "reduction = 20", 'reduction = "some"'),
        swap("scenario.toml", "discount_rate = {value = 0.04", 'discount_rate = {value = "four"'),
    ):
        change(files)
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path / "case", files))
    said = [str(fault) for fault in caught.value.faults]
    assert [text.split(" where ")[1] for text in said] == [
        "a number is expected",
        "a key that no earlier row has is expected",
        "a number is expected",
        "a number is expected",
        "an area: one of n, s is expected",
    ]


def test_many_bad_rows_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"n,{year},x\n" for year in range(1900, 2150))
    files: Files = dict(texts()) | {"births.csv": "area,year,births\n" + rows}
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path / "case", files))
    assert len(caught.value.faults) == 101
    assert str(caught.value.faults[-1]) == (
        "births.csv, births: '150 more rows' where a number is expected"
    )


def test_rows_are_lines_of_the_file(tmp_path: Path) -> None:
    files: Files = dict(texts())
    files["births.csv"] = '\ufeffarea,year,births,source\r\nn,2020,1,"two\n"\r\n\r\nn,2021,-1,\r\n'
    with pytest.raises(ScenarioError) as caught:
        load(write(tmp_path / "case", files))
    assert [(fault.row, fault.value) for fault in caught.value.faults] == [
        (5, "-1"),
        (2, "two\n"),
    ]


def frames() -> dict[str, pd.DataFrame]:
    areas = pd.DataFrame({"area": ["n", "s"], "county": ["c", "c"]})
    births = pd.DataFrame({"area": ["n", "s"], "year": [2021, 2021], "births": [10.0, 20.0]})
    return {"areas": areas, "births": births}


BARE = {
    "name": "bare",
    "horizon": {"base_year": 2021, "last_year": 2022},
    "costs": {"discount_rate": 0.04},
}


@pytest.mark.parametrize(
    ("table", "column", "values", "said"),
    [
        ("births", "births", [1.0, np.inf], "row 1, births: 'inf' where a number"),
        ("births", "births", [1.0, np.nan], "row 1, births: '' where a number >= 0"),
        ("births", "births", [1.0, "x"], "row 1, births: 'x' where a number"),
        ("births", "births", [True, False], "row 0, births: 'True' where a number"),
        ("births", "births", [1.0, 2 + 1j], "row 1, births: '(2+1j)' where a number"),
        ("births", "year", [2021.0, 2021.5], "row 1, year: '2021.5' where a whole number"),
        ("births", "year", [2021, 10**40], "row 1, year: '1000000000000000000000000000000000000"),
        ("births", "area", ["n", "\ud800"], "row 1, area: '\\ud800' where text without control"),
        ("births", "area", ["n", None], "row 1, area: '' where a name"),
        ("births", "area", ["n", ["s"]], "row 1, area: \"['s']\" where an area"),
        ("births", "births", [1.0, 10**9000], "row 1, births: '0x"),
        ("areas", "county", [1, 2], ""),
    ],
)
def test_frames_in_memory(table: str, column: str, values: list[object], said: str) -> None:
    tables = frames()
    tables[table][column] = pd.Series(values, dtype=object)
    if not said:
        made = Scenario.from_tables(settings=BARE, **tables)
        assert made.table("areas")["county"].tolist() == ["1", "2"]
        return
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_tables(settings=BARE, **tables)
    assert f"{table}, {said}" in str(caught.value)


def test_what_is_no_table() -> None:
    with pytest.raises(ScenarioError, match=r"brths: 'brths' where births \(the nearest known\)"):
        Scenario.from_tables(settings=BARE, brths=frames()["births"])
    with pytest.raises(ScenarioError, match="births: 'list' where a pandas DataFrame"):
        Scenario.from_tables(settings=BARE, births=[1])  # type: ignore[arg-type]
    twice = frames()["births"].set_axis(["area", "year", "year"], axis=1)
    with pytest.raises(ScenarioError, match="births, year: 'year' where each column once"):
        Scenario.from_tables(settings=BARE, births=twice)
    with pytest.raises(ScenarioError, match="settings: 'list' where a nested dict"):
        Scenario.from_tables(settings=[])  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="settings, extends: 'extends' where a folder"):
        Scenario.from_tables(settings=BARE | {"extends": "x"}, **frames())


@pytest.mark.parametrize(
    "line",
    [
        "a = " + "{a=" * 50 + "1" + "}" * 50,
        "a = " + "{a=" * 5000 + "1" + "}" * 5000,
        "b = " + "[" * 3000 + "]" * 3000,
        "[" + ".".join(["q"] * 3000) + "]",
        "[set]\n" + ".".join(["travel"] * 3000) + " = 1",
        "[sources.areas." + ".".join(["q"] * 600) + "]",
        "c = 0x" + "f" * 5000,
        "c = " + "9" * 5000,
    ],
    ids=range(8),
)
def test_settings_nested_or_large_without_end(tmp_path: Path, line: str) -> None:
    files: Files = dict(texts())
    add("scenario.toml", line)(files)
    said = faults_of(write(tmp_path / "case", files))
    assert "levels of tables is expected" in said or "300 digits" in said or "valid TOML" in said


def test_settings_in_memory_without_end() -> None:
    circle: dict[str, object] = {}
    circle["policy"] = circle
    with pytest.raises(ScenarioError, match="at most 20 levels of tables"):
        Scenario.from_tables(settings=circle)
    with pytest.raises(ScenarioError, match="at most 300 digits"):
        Scenario.from_tables(settings=BARE | {"title": 10**9000})
    made = Scenario.from_tables(settings=BARE)
    with pytest.raises(ScenarioError, match="at most 20 levels of tables"):
        made.variant({"policy": circle})


def test_circular_extends(tmp_path: Path) -> None:
    for name, other in (("a", "../b"), ("b", "../c"), ("c", "../a")):
        write(tmp_path / name, {"scenario.toml": f'extends = "{other}"\nname = "{name}"\n'})
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "a")
    assert (
        "../b/../c/scenario.toml, extends: '../a' where a folder that does not extend this"
        in str(caught.value)
    )


def test_faults_of_the_base_name_its_folder(tmp_path: Path) -> None:
    files: Files = dict(texts())
    swap("births.csv", "n,2010,120", "n,2010,many")(files)
    write(tmp_path / "base", files)
    folder = write(tmp_path / "top", {"scenario.toml": 'extends = "../base"\n'})
    with pytest.raises(ScenarioError) as caught:
        load(folder)
    assert [str(fault) for fault in caught.value.faults] == [
        "../base/births.csv, row 4, births: 'many' where a number is expected"
    ]


def test_the_error_crosses_between_processes() -> None:
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_tables(settings={"name": "x"})
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.faults == caught.value.faults
    assert str(again) == str(caught.value)
    assert capsim.ScenarioError is ScenarioError


def price_of_private_places(price: str) -> Change:
    def change(files: Files) -> None:
        swap("schools.csv", "admission_plan,source", "admission_plan,purchase_price_cny,source")(
            files
        )
        head, *rows = str(files["schools.csv"]).splitlines()
        wide = [row.rsplit(",", 2) for row in rows]
        sold = [price if row.startswith("n-private") else "" for row in rows]
        lines = [f"{a},{p},{b},{c}" for (a, b, c), p in zip(wide, sold, strict=True)]
        files["schools.csv"] = "\n".join([head, *lines]) + "\n"

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            swap(
                "limits.csv",
                "*,2022,capital,20000000\n*,2023,capital,20000000",
                "*,2022,capital,2000",
            ),
            "limits: capital of 2,000 RMB in all years, projects cost 35,250,000; "
            "amounts are in RMB",
        ),
        (
            swap("projects.csv", "270,13500000,ordered", "270,13500,ordered"),
            "projects: capital_cny of 1 rows (first: north-new) is not 500-2,000,000 RMB a place; "
            "amounts are in RMB",
        ),
        (
            add("limits.csv", "*,2022,recurrent,4800"),
            "limits: recurrent of at most 4,800 RMB a year, public staff cost 4,800,000; "
            "amounts are in RMB",
        ),
        (
            add("limits.csv", "*,2024,capital,20"),
            "limits: capital of 20 RMB in 2024 (county *), 20,000,000 in most years; "
            "amounts are in RMB",
        ),
        (
            add("limits.csv", "*,2020,land,40"),
            "limits: 1 land row of years before 2022 (first: 2020, county *) limit nothing; "
            "what is left of a quota belongs in 2022",
        ),
        (
            price_of_private_places("0.59"),
            "schools: purchase_price_cny of 1 rows (first: n-private) is not 50-200,000 RMB "
            "a place and year; amounts are in RMB",
        ),
        (
            swap("projects.csv", ",n-public,,2", ",n-public,built,2"),
            "projects: programme 'built' has no [programmes.built] in the settings",
        ),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(tmp_path: Path, change: Change, said: str) -> None:
    files: Files = dict(texts())
    change(files)
    if "13500," in str(files["projects.csv"]):
        swap("projects.csv", "2021-06-01,4000000", "2021-06-01,4000")(files)
    assert load(write(tmp_path / "case", files)).warnings == (said,)


def test_nothing_to_do_is_a_warning() -> None:
    assert Scenario.from_tables(settings=BARE, **frames()).warnings == (
        "nothing to plan (areas and pupils or forecast) and nothing to build (projects)",
    )


@pytest.mark.slow
def test_a_large_table_of_unknown_names_is_answered() -> None:
    count = 200_000
    names = [f"area-{number}" for number in range(count)]
    births = pd.DataFrame({"area": names, "year": 2021, "births": 1.0})
    areas = pd.DataFrame({"area": [f"aera-{n}" for n in range(5_000)], "county": "c"})
    with pytest.raises(ScenarioError) as caught:
        Scenario.from_tables(settings=BARE, areas=areas, births=births)
    assert len(caught.value.faults) == 101


@pytest.mark.parametrize("mark", ["\x1b[2J", "\x9b", "\u202e", "\n", "\ufffe"])
def test_what_moves_a_terminal_is_refused_and_written_out(mark):
    settings = {
        "name": "city",
        "title": f"A {mark} city",
        "horizon": {"base_year": 2021, "last_year": 2030},
        "costs": {"discount_rate": 0.04},
    }
    with pytest.raises(ScenarioError) as error:
        Scenario.from_tables(settings)
    assert mark not in str(error.value).replace("\n  ", "")
    assert "text without control characters" in str(error.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_no_table(tmp_path):
    folder = tmp_path / "city"
    generate(1, 300, years=(2021, 2022)).save(folder)
    (folder / "limits.csv").unlink()
    os.mkfifo(folder / "limits.csv")
    with pytest.raises(ScenarioError, match=r"limits.csv: 'not a regular file'"):
        load(folder)


@pytest.mark.slow
def test_very_many_faults_are_counted_and_columns_cost_no_time(tmp_path):
    folder = tmp_path / "city"
    generate(1, 300, years=(2021, 2022)).save(folder)
    table = (folder / "areas.csv").read_text().splitlines()
    odd = ",".join(f"odd{i}" for i in range(20_000))
    lines = [f"{table[0]},{odd}", *(line + "," * 20_000 for line in table[1:])]
    (folder / "areas.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ScenarioError) as error:
        load(folder)
    assert len(error.value.faults) >= 20_000
    assert len(str(error.value)) < 200_000
    assert str(error.value).endswith("more")


@pytest.mark.parametrize("other", ["../one", "x" * 300])
def test_a_folder_to_extend_that_is_a_loop_of_links_or_no_name_is_a_fault(tmp_path, other):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    folder = tmp_path / "city"
    folder.mkdir()
    (folder / "scenario.toml").write_text(f'extends = "{other}"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"extends: .* where a folder with a scenario.toml"):
        load(folder)
