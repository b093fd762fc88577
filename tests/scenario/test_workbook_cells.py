"""Every fault of a workbook is said with its cell."""

from __future__ import annotations

import datetime as dt

import pytest
from faults_by_cell import cells

from capsim.scenario.excel.scenario_workbook import TABLES_ZH


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


@pytest.mark.slow
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
    put("births", "births", 5, "1,20", "a number is expected")
    put("births", "births", 6, "12-13", "a number is expected")
    put("births", "births", 7, "nan", "a number is expected")
    put("births", "births", 8, "90 公里", "a number is expected")
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
    put("settings", "value", settings_rows["costs.discount_rate"], "5 or 6", "a number is expected")
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
