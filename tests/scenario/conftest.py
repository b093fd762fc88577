"""A small workbook to be changed."""

import io

import pytest
from openpyxl import load_workbook as open_book
from small_folder import texts, write

from capsim.scenario import load
from capsim.scenario.excel.scenario_workbook import load_workbook, workbook_bytes


@pytest.fixture
def small(tmp_path):
    """The small scenario, its workbook opened to be changed, and a function to read it again."""
    scenario = load(write(tmp_path / "small", dict(texts())))
    book = open_book(io.BytesIO(workbook_bytes(scenario)))

    def again():
        book.save(tmp_path / "book.xlsx")
        return load_workbook(tmp_path / "book.xlsx")

    return scenario, book, again
