"""Files that are no workbook, or no longer a whole one, are one clear fault."""

from __future__ import annotations

import io
import zipfile

import pytest
from openpyxl import Workbook
from small_folder import texts, write

from capsim.scenario import ScenarioError, load
from capsim.scenario.excel.scenario_workbook import load_workbook, workbook_bytes


@pytest.fixture
def whole(tmp_path):
    """The small scenario's workbook as it is written."""
    return workbook_bytes(load(write(tmp_path / "small", dict(texts()))))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a workbook (.xlsx) is expected"),
        (b"area,year,births\n", "a workbook (.xlsx) is expected"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "without a password"),
        (b"PK\x03\x04" + bytes(100), "that is whole"),
    ],
)
def test_what_is_no_workbook(tmp_path, content, said):
    path = tmp_path / "book.xlsx"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load_workbook(path)
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert fault.file == "book.xlsx"


def test_a_damaged_workbook_is_one_fault(whole, tmp_path):
    path = tmp_path / "book.xlsx"
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    sheet = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(sheet, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content[: len(content) // 2] if "sheet3" in name else content)
    for content in (whole[: len(whole) // 2], whole[:-30], other.getvalue(), sheet.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ScenarioError, match="that is whole") as caught:
            load_workbook(path)
        assert len(caught.value.faults) == 1
    with pytest.raises(ScenarioError, match="No such file"):
        load_workbook(tmp_path / "none.xlsx")


def test_an_encrypted_entry_is_said(whole, tmp_path):
    content = bytearray(whole)
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    (tmp_path / "book.xlsx").write_bytes(bytes(content))
    with pytest.raises(ScenarioError, match="without a password"):
        load_workbook(tmp_path / "book.xlsx")


def test_a_workbook_without_settings_is_said(tmp_path):
    book = Workbook()
    book.active.title = "areas"
    book.active.append(["area", "county"])
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(ScenarioError, match="settings: '' where a sheet of settings"):
        load_workbook(tmp_path / "book.xlsx")


def test_a_row_beyond_all_that_a_sheet_has_is_a_fault(whole, tmp_path):
    """Between it and the one before a reader would count rows that are not there."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as given, zipfile.ZipFile(out, "w") as changed:
        for name in given.namelist():
            part = given.read(name)
            if name == "xl/worksheets/sheet2.xml":
                part = part.replace(b"</sheetData>", FAR_ROW)
            changed.writestr(name, part)
    path = tmp_path / "far.xlsx"
    path.write_bytes(out.getvalue())
    with pytest.raises(ScenarioError, match="a row that a workbook has is expected"):
        load_workbook(path)


FAR_ROW = b'<row r="2147483647"><c r="A2147483647"><v>1</v></c></row></sheetData>'
