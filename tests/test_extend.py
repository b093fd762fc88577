"""The page on rules of one's own does what it says, and so does its warning of every PuLP trap."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pulp
import pytest

from capsim.certificate import certify
from capsim.lp import Builder, SolverError, solve
from capsim.lp.pulp_bridge import to_pulp

PAGE = Path(__file__).parents[1] / "docs" / "extend.md"


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The names that the page's code leaves behind; ``printed`` is what its last block prints."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block, str(PAGE), "exec"), names)
        names["printed"] = out.getvalue()
    return names


@pytest.mark.slow
def test_the_page_prints_what_it_says(page: dict[str, Any]) -> None:
    (said,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert page["printed"] == said


def test_three_ways_to_one_plan(page: dict[str, Any]) -> None:
    plans = [page[name] for name in ("plan", "plan_of_cbc", "plan_of_model")]
    first = plans[0]
    for plan in plans:
        assert plan.status == "optimal"
        assert plan.objective_cny == pytest.approx(first.objective_cny, rel=1e-9)
        pd.testing.assert_frame_equal(plan.tables["openings"], first.tables["openings"])
        assert certify(page["city"], plan).holds(1e-6)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("free", False), ("plan", True), ("plan_of_cbc", True), ("plan_of_model", True)],
)
def test_the_rule_counts_starts_by_county_and_half_year(
    page: dict[str, Any], name: str, kept: bool
) -> None:
    """Counted from the plan's tables alone; the free plan breaks the rule."""
    opened = page[name].tables["openings"]
    projects = page["city"].table("projects").set_index("project")
    starts: dict[tuple[str, int, bool], int] = {}
    for row in opened.itertuples():
        months = projects.loc[row.project, "build_months"]
        year, month = (int(part) for part in row.opens.split("-")[:2])
        at = year * 12 + month - 1 - int(months)
        key = (projects.loc[row.project, "area"], at // 12, at % 12 >= 6)
        starts[key] = starts.get(key, 0) + int(row.copies)
    assert len(opened) == 4
    assert (max(starts.values()) == 1) == kept


def test_the_same_rows_both_ways(page: dict[str, Any]) -> None:
    """The model's rows, opened as a PuLP problem, are the constraints said in PuLP."""
    opened = to_pulp(page["model"].program)
    ours = {frozenset((v.name, c) for v, c in row.items() if c) for row in _rules(opened)}
    said = {frozenset((v.name, c) for v, c in row.items() if c) for row in _rules(page["problem"])}
    assert ours == said - {frozenset()}
    assert len(ours) > 10


def _rules(problem: Any) -> list[Any]:
    return [c for c in problem.constraints() if c.name.startswith("one_start")]


@pytest.mark.slow
def test_prices_of_a_model_with_a_rule(page: dict[str, Any]) -> None:
    found = page["plan_of_model"].prices(["place"]).table
    assert len(found) == 10
    assert (found["one_more_cny"] >= 0).all()


def test_signs_of_duals_depend_on_who_asks() -> None:
    """Maximise 3 x for x ≤ 4: one more is worth 3. Which sign PuLP shows is the solver's matter."""
    shown = {}
    for name, solver in (
        ("cbc", pulp.COIN_CMD(path=pulp.PULP_CBC_CMD.pulp_cbc_path, msg=False)),
        ("highs", pulp.HiGHS(msg=False)),
    ):
        problem = pulp.LpProblem("most", pulp.LpMaximize)
        x = problem.add_variable("x", lowBound=0)
        problem += 3 * x
        problem += x <= 4, "room"
        problem.solve(solver)
        shown[name] = problem.get_constraint_by_name("room").pi
    assert abs(shown["cbc"]) == abs(shown["highs"]) == pytest.approx(3.0)
    m = Builder()
    column = m.variables("x", 1, cost=-3.0)
    m.constrain("room", 1, [(0, column, 1.0)], upper=4.0)
    program = m.freeze()
    assert to_pulp(program).sense == pulp.LpMinimize
    dual = solve(program).row_dual
    assert dual is not None
    assert dual.tolist() == pytest.approx([-3.0])
    assert solve(program, solver="cbc").row_dual is None


def test_pulp_passes_unknown_options_over() -> None:
    """With us they are refused: see the tests of the solvers."""
    m = Builder()
    x = m.variables("x", 1, cost=1.0)
    m.constrain("least", 1, [(0, x, 1.0)], lower=2.0)
    problem = to_pulp(m.freeze())
    problem.solve(pulp.HiGHS(msg=False, no_such_option=1))
    assert problem.sol_status == pulp.LpSolutionOptimal
    with pytest.raises(SolverError, match="no_such_option"):
        solve(m.freeze(), highs={"no_such_option": 1})
