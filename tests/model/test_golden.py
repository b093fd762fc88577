"""Every constraint family built alone on its tiny case is, to the letter, the LP file beside it.

The files in ``golden/`` are for people to read: the family's equation, what the case is, then the
rows, in which only the columns stand that the family speaks of. After a change that is meant, write
them anew and read what differs::

    python tests/model/test_golden.py
"""

from __future__ import annotations

import inspect
import re
import runpy
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import highspy
import numpy as np
import pytest
from golden_cases import CASES
from scipy.sparse import csc_array

from capsim.demand import project
from capsim.lp import Block, Builder, LinearProgram
from capsim.lp.pulp_bridge import to_pulp
from capsim.model.constraint_context import Expressions, Formulation
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.private import define_opening
from capsim.model.costs import prepare_ledger
from capsim.model.data import prepare
from capsim.model.links import prepare_links
from capsim.model.variables import Variables, add_columns

GOLDEN = Path(__file__).parent / "golden"
PAGE = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "make_families_page.py"))

page_now = cache(PAGE["page"])

DEFINE = {
    **FAMILIES,
    "opening": define_opening,
    "seats_of_kindergartens": FAMILIES["seats"],
    "intake_of_kindergartens": FAMILIES["intake"],
    "floors_of_seniors": FAMILIES["floors"],
    "staff_of_stages": FAMILIES["staff"],
    "staff_of_counties": FAMILIES["staff"],
}


def alone(name: str) -> LinearProgram:
    """Only the rows of one family, and only the columns that stand in them."""
    scenario = CASES[name]()
    given = prepare(scenario, project(scenario), None)
    links = prepare_links(given)
    m = Builder()
    columns = add_columns(m, given, links)
    ledger = prepare_ledger(given, links, columns)
    DEFINE[name](m, Formulation(given, links, columns, ledger, Expressions(given, columns)))
    program = m.freeze(cost=np.zeros(m.column_count))
    used = np.diff(program.matrix.indptr) > 0
    return replace(
        program,
        cost=program.cost[used],
        lower=program.lower[used],
        upper=program.upper[used],
        integer=program.integer[used],
        matrix=program.matrix[:, used],
        columns=tuple(_part(block, used) for block in program.columns),
    )


def _part(block: Block, used: np.ndarray) -> Block:
    mine = used[block.start : block.start + block.count]
    labels = tuple(label[mine] for label in block.labels)
    return replace(block, start=0, count=int(mine.sum()), labels=labels)


def text_of(name: str, folder: Path) -> str:
    """The LP file of a family, headed by its equations and its case."""
    path, define = folder / f"{name}.lp", DEFINE[name]
    to_pulp(alone(name), name).writeLP(str(path))
    equations = "\n".join(f"{row.name}: {row.text}" for row in PAGE["rows_of"](define))
    case = f"The case: {inspect.getdoc(CASES[name])}"
    said = "\n\n".join((name, PAGE["summary"](define), equations, case))
    head = "".join(f"\\ {line}".rstrip() + "\n" for line in said.splitlines())
    rows = path.read_text(encoding="utf-8").partition("\n")[2]
    return head + _without_dummy(rows)


def _without_dummy(text: str) -> str:
    """Leave out the variable that PuLP puts into an empty objective."""
    text = text.replace("OBJ: __dummy\n", "OBJ:\n").replace(" __dummy = 0\n", "")
    return re.sub(r"Bounds\n(?! )", "", text)


def write(folder: Path = GOLDEN) -> None:
    """Write all golden files anew."""
    for name in CASES:
        (folder / f"{name}.lp").write_text(text_of(name, folder), encoding="utf-8")


def test_every_family_has_its_file() -> None:
    assert set(FAMILIES) <= set(CASES)
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


def test_the_page_is_current() -> None:
    told = "python scripts/make_families_page.py makes it anew"
    assert PAGE["PAGE"].read_text(encoding="utf-8") == page_now(), told


def test_every_family_has_its_equations_in_the_page() -> None:
    """Each row that a case makes is in the page with its equation, and each in the page is made."""
    page = page_now()
    made = {block.name for name in CASES for block in alone(name).rows if block.count}
    rows = [row for define in DEFINE.values() for row in PAGE["rows_of"](define)]
    assert {row.name for row in rows} == made
    for row in rows:
        assert f"| `{row.name}` | `{row.equation.split('; ')[0]}`" in page
        assert re.search("[≤≥=]", row.equation)
        assert row.meaning.endswith(".")


def test_the_page_has_every_variable() -> None:
    page = page_now()
    columns = {field.name for field in fields(Variables)} - {"axes", "seats", "catchments"}
    columns |= {block.name for name in CASES for block in alone(name).columns if block.count}
    assert columns <= set(re.findall(r"^\| `([a-z_]+)`", page, re.MULTILINE))


@pytest.mark.parametrize("name", CASES)
def test_a_family_is_what_its_file_says(name: str, tmp_path: Path) -> None:
    assert text_of(name, tmp_path) == (GOLDEN / f"{name}.lp").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_solver_reads_the_file_as_the_family(name: str) -> None:
    """The same names, coefficients, bounds and integers; rows without a variable are left out."""
    program = alone(name)
    problem = to_pulp(program)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    assert h.readModel(str(GOLDEN / f"{name}.lp")) == highspy.HighsStatus.kOk
    lp = h.getLp()
    at = [lp.col_names_.index(column.name) for column in problem.capsim_columns]
    row = [lp.row_names_.index(constraint.name) for constraint in problem.constraints()]
    assert len(at) == lp.num_col_
    assert len(row) == lp.num_row_
    a = lp.a_matrix_
    read = csc_array((a.value_, a.index_, a.start_), shape=(len(row), len(at))).toarray()
    said = program.matrix.toarray()
    kept = (said != 0).any(axis=1)
    np.testing.assert_allclose(read[np.ix_(row, at)], said[kept], rtol=1e-10)
    np.testing.assert_allclose(np.asarray(lp.row_lower_)[row], program.row_lower[kept], rtol=1e-10)
    np.testing.assert_allclose(np.asarray(lp.row_upper_)[row], program.row_upper[kept], rtol=1e-10)
    np.testing.assert_array_equal(np.asarray(lp.col_lower_)[at], program.lower)
    np.testing.assert_array_equal(np.asarray(lp.col_upper_)[at], program.upper)
    kinds = list(lp.integrality_) or [highspy.HighsVarType.kContinuous] * len(at)
    assert [kinds[i] == highspy.HighsVarType.kInteger for i in at] == program.integer.tolist()


if __name__ == "__main__":
    write()
