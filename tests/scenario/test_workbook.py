"""A scenario goes into a workbook and comes back the same; what is wrong is said with its cell."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from faults_by_cell import cells
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook as open_book
from small_folder import write

from capsim.scenario import Scenario, ScenarioError, generate, load
from capsim.scenario.excel.scenario_workbook import (
    COLUMNS_ZH,
    TABLES_ZH,
    UNITS_ZH,
    load_workbook,
    read_value,
    rows_of,
    split_key,
    template_bytes,
    workbook_bytes,
)
from capsim.scenario.excel.sheet_writer import (
    Field,
    add_sheet,
    decoded,
    encoded,
    new_book,
    to_bytes,
)
from capsim.scenario.schema import TABLES

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").iterdir())
NASTY = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "#N/A",
    "1-3",
    "TRUE",
    "007",
    "x" * 200,
    "👩‍🏫 学校",
    '"q"',
    "_x0041_",
    "<b>",
)


def through(scenario: Scenario, folder: Path) -> Scenario:
    path = folder / "book.xlsx"
    path.write_bytes(workbook_bytes(scenario))
    return load_workbook(path)


def same(one: Scenario, two: Scenario) -> None:
    assert one.hash == two.hash
    pd.testing.assert_frame_equal(one.sources(), two.sources())
    assert one._document == two._document


@pytest.mark.slow
def test_small_scenarios_come_back_the_same(small, tmp_path):
    same(small[0], small[2]())
    same(small[0], through(small[0], tmp_path))
    city = generate(3, 9000, 4, kind="province", years=(2021, 2024))
    same(city, through(city, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_scenario_comes_back_the_same(folder, tmp_path):
    scenario = load(folder)
    same(scenario, through(scenario, tmp_path))


@pytest.mark.slow
def test_a_scenario_beside_its_base_is_resolved(small, tmp_path):
    top = write(
        tmp_path / "top",
        {"scenario.toml": 'extends = "../small"\nname = "top"\n[scale]\n"births.births" = 0.5\n'},
    )
    same(load(top), through(load(top), tmp_path))


def test_the_same_scenario_gives_the_same_bytes(small):
    book = workbook_bytes(small[0])
    assert book == workbook_bytes(small[0])
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"<dcterms:modified" in archive.read("docProps/core.xml")
        assert b"2026" not in archive.read("docProps/core.xml")


@pytest.mark.slow
def test_names_that_look_like_something_else_stay_text(small, tmp_path):
    schools = small[0].table("schools")
    schools["name"], schools["name_zh"] = NASTY[:6], NASTY[6:12]
    scenario = small[0].variant(
        {"title": NASTY[0], "title_zh": NASTY[1]}, tables={"schools": schools}, name="<b>@=1</b>"
    )
    same(scenario, through(scenario, tmp_path))
    sheet = open_book(tmp_path / "book.xlsx")["schools"]
    columns = [cell.column for cell in sheet[1] if cell.value in ("name", "name_zh")]
    found = [sheet.cell(row, column) for column in columns for row in range(3, 9)]
    assert [decoded(cell.value) for cell in found] == list(NASTY[:12])
    assert {(cell.data_type, cell.number_format) for cell in found} == {("s", "@")}


@pytest.mark.slow
@settings(max_examples=30)
@given(st.text(max_size=30).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore")))
def test_any_text_is_held(text):
    kept = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    assert decoded(encoded(text)) == kept
    book = new_book("")
    add_sheet(book, "s", [Field(("h",)), Field(("n",))], [(text, 1)])
    found = open_book(io.BytesIO(to_bytes(book)), read_only=True)["s"]["A2"].value
    assert decoded(found or "") == kept


@settings(max_examples=30)
@given(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53)))
def test_any_number_is_held(number):
    book = new_book("")
    add_sheet(book, "s", [Field(("h",), "General")], [(number,)])
    assert open_book(io.BytesIO(to_bytes(book)), read_only=True)["s"]["A2"].value == number


LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.dates(dt.date(1890, 1, 1), dt.date(2200, 1, 1)),
    st.lists(
        st.one_of(st.integers(), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
        max_size=3,
    ),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
WRAPPED = st.fixed_dictionaries(
    {"value": LEAVES}, optional={key: st.just("said") for key in ("unit", "source", "mark")}
)
DOCUMENTS = st.recursive(
    st.one_of(LEAVES, WRAPPED),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.dictionaries(NAMES.filter(lambda name: name != "value"), DOCUMENTS, max_size=3))
def test_any_settings_come_back_from_their_rows(document):
    for key, value, *said, kind in rows_of(document):
        *above, last = split_key(key)
        inside = document
        for part in above:
            inside = inside[part]
            inside = inside["value"] if isinstance(inside, dict) and any(said) is None else inside
        entry = inside[last]
        if any(said):
            assert said == [entry.get(part, "") for part in ("unit", "source", "mark")]
            entry = entry["value"]
        held = dt.datetime.combine(value, dt.time()) if kind == "date" else value
        found, wrong = read_value(held, kind) if kind != "table" else (entry, "")
        assert not wrong
        assert found == entry


def test_either_language_of_headers_and_sheets_is_read(small):
    scenario, book, again = small
    for sheet in book.worksheets:
        sheet.delete_rows(1)
        sheet.title = TABLES_ZH[sheet.title]
    same(scenario, again())


def test_only_english_headers_and_moved_columns_are_read(small):
    scenario, book, again = small
    for sheet in book.worksheets:
        sheet.delete_rows(2)
    book["births"].move_range("A1:A100", cols=5)
    book["births"].delete_cols(1)
    same(scenario, again())


def test_every_column_unit_and_table_has_a_chinese_name():
    for table in TABLES.values():
        assert TABLES_ZH[table.name]
        chinese = [COLUMNS_ZH[column.name] for column in table.columns]
        assert len(set(chinese)) == len(chinese)
        assert all(UNITS_ZH[column.unit] for column in table.columns if column.unit)


def test_cells_as_a_spreadsheet_types_them(small):
    scenario, book, again = small
    projects = book["projects"]
    heads = {cell.value: cell.column for cell in projects[1]}
    for row in range(3, projects.max_row + 1):
        for name in ("places", "capital_cny", "count"):
            cell = projects.cell(row, heads[name])
            cell.value = None if cell.value is None else float(cell.value)
        for name in ("earliest_opening", "due"):
            cell = projects.cell(row, heads[name])
            cell.value = cell.value if row % 2 else cell.value and cell.value.date().isoformat()
        projects.cell(row, heads["school"]).value = (
            projects.cell(row, heads["school"]).value or "  "
        )
    pupils = book["pupils"]
    for row in range(3, pupils.max_row + 1):
        grade = pupils.cell(row, 3)
        grade.value = int(grade.value) if grade.value.isdigit() else grade.value
    book["settings"]["G3"] = "a note"
    book["births"].append([None, " ", None])
    book.create_sheet("Notes of the bureau").append(["whatever", 1])
    book.create_sheet("Sheet1")
    assert again().hash == scenario.hash


@pytest.mark.slow
def test_truth_values_are_yes_and_no(small, tmp_path):
    schools = small[0].table("schools")
    schools["inclusive"] = ["no", "no", "no", "no", "yes", "no"]
    scenario = small[0].variant(tables={"schools": schools})
    book = open_book(io.BytesIO(workbook_bytes(scenario)))
    sheet = book["schools"]
    column = next(cell.column for cell in sheet[1] if cell.value == "inclusive")
    for row in range(3, 9):
        sheet.cell(row, column).value = sheet.cell(row, column).value == "yes"
    book.save(tmp_path / "book.xlsx")
    same(scenario, load_workbook(tmp_path / "book.xlsx"))


@pytest.mark.slow
def test_formulas_count_with_their_last_value_and_not_without_one(small, tmp_path):
    scenario, book, again = small
    book["births"]["C3"] = "=60*2"
    said = cells(again)
    assert list(said) == ["births!C3"]
    assert "was never calculated" in said["births!C3"]
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = next(n for n in content if b"<f>60*2</f>" in content[n])
    content[name] = content[name].replace(b"<f>60*2</f><v />", b"<f>60*2</f><v>120</v>")
    content[name] = content[name].replace(b"<f>60*2</f><v/>", b"<f>60*2</f><v>120</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    same(scenario, load_workbook(path))


def test_a_template_filled_in_is_a_scenario(tmp_path):
    book = open_book(io.BytesIO(template_bytes()))
    assert book.sheetnames == ["settings", "sources", *TABLES]
    for name, table in TABLES.items():
        assert [cell.value for cell in book[name][1]] == list(table.names)
        assert book[name].freeze_panes == "B3"
    sheet = book["settings"]
    rows = {sheet.cell(row, 1).value: row for row in range(3, sheet.max_row + 1)}
    must = [key for key, row in rows.items() if sheet.cell(row, 7).value == "must be given"]
    path = tmp_path / "book.xlsx"
    book.save(path)
    with pytest.raises(ScenarioError) as caught:
        load_workbook(path)
    assert {fault.file for fault in caught.value.faults} == {
        f"settings!B{rows[key]}" for key in must if "NAME" not in key
    }
    for key, value in {
        "name": "mine",
        "horizon.base_year": 2021,
        "horizon.last_year": 2024,
        "costs.discount_rate": 0.04,
    }.items():
        sheet.cell(rows[key], 2).value = value
    book["areas"].append(["n", "North"])
    book["pupils"].append(["n", "public", 1, 2021, 90])
    book.save(path)
    made = load_workbook(path)
    assert (made.name, list(made.stages), len(made.table("pupils"))) == ("mine", ["primary"], 1)
