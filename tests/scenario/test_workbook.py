"""A scenario goes into a workbook and comes back the same; what is wrong is said with its cell."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook as open_book
from small_folder import texts, write

from capsim.scenario import Scenario, ScenarioError, generate, load
from capsim.scenario.labels import COLUMNS_ZH, TABLES_ZH, UNITS_ZH
from capsim.scenario.sheets import Field, add_sheet, decoded, encoded, new_book, to_bytes
from capsim.scenario.tables import TABLES
from capsim.scenario.workbook import load_workbook, template_bytes, workbook_bytes
from capsim.scenario.workbook_settings import parted, read_value, rows_of

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


@pytest.fixture
def small(tmp_path):
    """The small scenario, its workbook opened to be changed, and a function to read it again."""
    scenario = load(write(tmp_path / "small", dict(texts())))
    book = open_book(io.BytesIO(workbook_bytes(scenario)))

    def again():
        book.save(tmp_path / "book.xlsx")
        return load_workbook(tmp_path / "book.xlsx")

    return scenario, book, again


def through(scenario: Scenario, folder: Path) -> Scenario:
    path = folder / "book.xlsx"
    path.write_bytes(workbook_bytes(scenario))
    return load_workbook(path)


def same(one: Scenario, two: Scenario) -> None:
    assert one.hash == two.hash
    pd.testing.assert_frame_equal(one.sources(), two.sources())
    assert one._document == two._document


def cells(again) -> dict[str, str]:
    with pytest.raises(ScenarioError) as caught:
        again()
    return {fault.file: str(fault) for fault in caught.value.faults}


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


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=30).filter(lambda text: text.isascii() or text.encode("utf-8", "ignore")))
def test_any_text_is_held(text):
    kept = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    assert decoded(encoded(text)) == kept
    book = new_book("")
    add_sheet(book, "s", [Field(("h",)), Field(("n",))], [(text, 1)])
    found = open_book(io.BytesIO(to_bytes(book)), read_only=True)["s"]["A2"].value
    assert decoded(found or "") == kept


@settings(max_examples=30, deadline=None)
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


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(NAMES.filter(lambda name: name != "value"), DOCUMENTS, max_size=3))
def test_any_settings_come_back_from_their_rows(document):
    for key, value, *said, kind in rows_of(document):
        *above, last = parted(key)
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


def test_twenty_kinds_of_faults_are_all_said_with_their_cells(small):
    _, book, again = small
    settings_rows = {cell.value: cell.row for cell in book["settings"]["A"]}
    expected = {}

    def put(sheet, cell, value, words):
        book[sheet][cell] = value
        expected[f"{sheet}!{cell}"] = words

    def setting(key, value, words, column="B"):
        put("settings", f"{column}{settings_rows[key]}", value, words)

    put("births", "C3", "many", "a number is expected")
    put("births", "C4", -3, "a number >= 0")
    put("births", "B5", 2010.5, "a whole number")
    put("births", "A6", None, "a name")
    put("births", "C7", "#DIV/0!", "not an error")
    put("births", "D1", "brith", "a column: ")
    put("forecast", "E1", "source", "")
    del expected["forecast!E1"]
    put("forecast", "E4", "two\nlines", "without control characters")
    put("forecast", "D3", "=A1", "was never calculated")
    put("dwellings", "A3", "nowhere", "an area")
    put("migration", "B3", "13", "a grade")
    put("rolls", "A3", "no-such-school", "a school and stage of the table schools")
    put("links", "D3", "primry", "a stage")
    put("limits", "A5", "Nort", "a county")
    put("limits", "B4", 2022, "a key that no earlier row has")
    expected["limits!A4"] = expected.pop("limits!B4")
    heads = {cell.value: cell.column_letter for cell in book["phases"][1]}
    put("phases", f"{heads['distribution']}4", "normal", "one of fixed, triangular, pert")
    put("resources", "A3", " crews", "without blanks round it")
    put("projects", "H3", "2022-31-12", "a date YYYY-MM-DD")
    put("projects", "G4", "planned", "one of under_construction, ordered, candidate")
    setting("horizon.last_year", 2021, "a year from 2022")
    setting("stages.planned", '["kindergarten", "primry"]', "a stage: primary")
    setting("policy.private_share_cap.2022", "X", "one of S, P, D, A", "E")
    setting("calendars.winter.stops", '[["12-15"', "TOML, such as")
    put("sources", "A3", "schools.place", "places (the nearest known)")
    row = book["settings"].max_row + 1
    put("settings", f"A{row}", "extends", "extends no other")
    book["settings"][f"B{row}"] = "../x"
    book["settings"].append(["title", "again"])
    expected[f"settings!A{row + 1}"] = "each key once"
    book.create_sheet("brith").append(["area"])
    expected["brith"] = "a sheet: births"
    said = cells(again)
    missing = {cell: words for cell, words in expected.items() if words not in said.get(cell, "")}
    assert not missing, said
    assert len(expected) >= 20


def test_more_kinds_of_faults_as_people_make_them(small):
    _, book, again = small
    heads = {name: {c.value: c.column_letter for c in book[name][1]} for name in book.sheetnames}
    settings_rows = {cell.value: cell.row for cell in book["settings"]["A"]}
    expected = {}

    def put(sheet, column, row, value, words):
        cell = f"{heads[sheet][column]}{row}"
        book[sheet][cell] = value
        expected[f"{sheet}!{cell}"] = words

    put("births", "births", 3, True, "a number is expected")
    put("births", "births", 4, dt.datetime(2022, 9, 1), "a number is expected")
    put("births", "births", 5, "1,200", "a number is expected")
    put("births", "births", 6, "１２", "a number is expected")
    put("births", "births", 7, "nan", "a number is expected")
    put("births", "births", 8, "90 人", "a number is expected")
    put("births", "births", 9, 1e300, "at most 1,000,000,000")
    put("births", "year", 10, dt.datetime(2012, 1, 1), "a whole number")
    put("births", "year", 11, 20122, "from 1900 to 2200")
    book["pupils"].merge_cells("E5:E6")
    expected["pupils!E6"] = "a number >= 0"
    put("areas", "county", 3, "a\tb", "without control characters")
    put("areas", "x_km", 4, 1e9, "from -100000 to 100000")
    put("schools", "sector", 3, "privat", "one of public, private")
    put("schools", "mark", 3, "P, S", "one of S, P, D, A")
    put("schools", "stage", 5, "primry", "a stage")
    put("pupils", "grade", 9, "13", "a grade")
    put("projects", "earliest_opening", 3, dt.datetime(2022, 9, 1, 13, 30), "a date YYYY-MM-DD")
    put("phases", "needs", 4, "crews=two", "units a whole number")
    put("limits", "kind", 3, "captial", "one of capital")
    put("settings", "type", settings_rows["title"], "numbr", "one of text, number")
    put("settings", "value", settings_rows["costs.discount_rate"], "5%", "a number is expected")
    row = book["settings"].max_row + 1
    for key, value, column, words in (
        ("floors.kindergarten_inclusive.22", 0.5, "B", "a year for a key"),
        ("floors.kindergarten_inclusive.first", 0.5, "B", "a year for a key"),
        ("policy.private_share_cap.2023", 5, "B", "less than or equal to 1"),
        ("polcy.reduction", 5, "A", "policy (the nearest known)"),
        ("switches.seats", "perhaps", "B", "a valid boolean"),
        (None, 5, "A", "the dotted key"),
    ):
        book["settings"].append([key, value])
        expected[f"settings!{column}{row}"] = words
        row += 1
    book["sources"].append([book["sources"]["A3"].value])
    expected[f"sources!A{book['sources'].max_row}"] = "each column once"
    book.copy_worksheet(book["migration"]).title = TABLES_ZH["migration"]
    expected[TABLES_ZH["migration"]] = "one sheet of migration"
    said = cells(again)
    missing = {cell: words for cell, words in expected.items() if words not in said.get(cell, "")}
    assert not missing, said
    assert len(expected) >= 28


def test_a_fault_in_a_header_brings_no_further_ones(small):
    """The Chinese header below it is one still, and no row of data."""
    _, book, again = small
    book["births"]["C1"] = "birth"
    assert set(cells(again)) == {"births!C1", "births!1:1"}


def test_cells_outside_the_header_are_said(small):
    _, book, again = small
    book["births"]["E4"] = "stray"
    book["areas"]["A1"] = None
    book["areas"].delete_rows(2)
    said = cells(again)
    assert "a header" in said["births!E4"]
    assert "a header over the cells below" in said["areas!A1"]
