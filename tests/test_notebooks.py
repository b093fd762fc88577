"""Notebooks run as they stand, keep no outputs, and show what they say."""

import re
import runpy
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs the dev extra")
TOP = Path(__file__).parents[1]
NOTEBOOKS = sorted((TOP / "docs" / "notebooks").glob("*.ipynb"))
PAGES = runpy.run_path(str(TOP / "scripts" / "notebook_pages.py"))


def code(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(cell, kind):
    data = [one.get("data", {}) for one in cell.outputs]
    return [one[kind] for one in data if kind in one]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_and_knows_no_path(path):
    book = nbformat.read(path, as_version=4)
    for cell in code(book):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert not re.search(r"[\"'][^\"'\n]*/[^\"'\n]*[\"']", cell.source), cell.source


def test_there_are_four_and_the_pages_list_them():
    assert [path.stem for path in NOTEBOOKS] == [
        *("custom-rule", "own-data", "robust-plan", "ten-minutes"),
    ]
    for page in (TOP / "docs" / "README.md", TOP / "mkdocs.yml"):
        for path in NOTEBOOKS:
            assert f"notebooks/{path.stem}." in page.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_a_traceback(path):
    book = PAGES["executed"](path)
    for cell in code(book):
        kinds = {one.output_type for one in cell.outputs}
        assert "error" not in kinds
        assert [one.text for one in cell.outputs if one.get("name") == "stderr"] == []
        if ".plot." in cell.source:
            assert outputs(cell, "image/png"), cell.source
    cards = [html for cell in code(book) for html in outputs(cell, "text/html")]
    assert any("on paper" in html for html in cards) or path.stem == "own-data"


@pytest.mark.slow
def test_the_ten_minutes_are_twelve_cells_from_example_to_workbook():
    path = next(path for path in NOTEBOOKS if path.stem == "ten-minutes")
    cells = code(PAGES["executed"](path))
    assert len(cells) == 12
    by_source = {cell.source: cell for cell in cells}
    card = next(cell for source, cell in by_source.items() if source == "plan")
    (html,) = outputs(card, "text/html")
    assert "on paper" in html
    assert "holds" not in html
    solved = next(cell for source, cell in by_source.items() if "progress=True" in source)
    assert any(" s</small>" in html for html in outputs(solved, "text/html"))
    assert sum(bool(outputs(cell, "image/png")) for cell in cells) >= 3
    assert "county-plan.xlsx" in outputs(cells[-1], "text/plain")[0]
