"""The same program as a PuLP problem: speaking names, and the traps of reading PuLP's answers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pulp
import pytest
from lp_programs import infeasible, market_split, random_program

from capsim.lp import Builder, SolverError, solve
from capsim.lp.pulp_bridge import pulp_solver, read_columns, silent, solve_pulp, to_pulp


def named() -> Builder:
    m = Builder()
    x = m.variables(
        "open", 2, upper=1.0, cost=3.0, integer=True, labels=[["P-1", "P 2"], [2022, 2022]]
    )
    y = m.variables("shortfall", 1, cost=200.0)
    m.constrain("seats.public", 1, [(0, x, [40.0, 60.0]), (0, y, 1.0)], lower=90.0, labels=[["C1"]])
    m.constrain("between", 1, [(0, x, 1.0)], lower=0.0, upper=2.0)
    m.constrain("exactly", 1, [(0, y, 1.0)], lower=0.0, upper=0.0)
    return m


def test_an_lp_file_with_speaking_names(tmp_path: Path) -> None:
    problem = to_pulp(named().freeze(offset=7.0))
    problem.writeLP(str(tmp_path / "plan.lp"))
    text = (tmp_path / "plan.lp").read_text()
    for name in (
        *("open_P_1_2022", "open_P_2_2022", "shortfall"),
        *("seats.public_C1:", "between_low:", "between_high:", "exactly:"),
    ):
        assert name in text
    assert "40 open_P_1_2022 + 60 open_P_2_2022 + shortfall >= 90" in text


def test_columns_stay_in_order_and_rows_keep_their_meaning() -> None:
    program = random_program(4, integer=True)
    problem = to_pulp(program)
    variables = problem.capsim_columns
    assert [v.name for v in variables][:2] == ["x_0", "x_1"]
    assert [v.lowBound for v in variables] == program.lower.tolist()
    assert [v.upBound for v in variables] == program.upper.tolist()
    assert [v.cat == pulp.LpInteger for v in variables] == program.integer.tolist()
    dense = program.matrix.toarray()
    for row, name in enumerate(program.row_names()):
        label = name.replace("[", "_").replace("]", "")
        both = np.isfinite(program.row_lower[row]) and np.isfinite(program.row_upper[row])
        equal = program.row_lower[row] == program.row_upper[row]
        constraint = problem.get_constraint_by_name(f"{label}_low" if both and not equal else label)
        got = [constraint.get(v, 0.0) for v in variables]
        assert got == dense[row].tolist()


def test_names_that_would_clash_are_told_apart() -> None:
    m = Builder()
    m.variables("x", 3, labels=[["a b", "a-b", "a_b"]])
    assert [v.name for v in to_pulp(m.freeze()).capsim_columns] == ["x_a_b", "x_a_b__1", "x_a_b__2"]


def test_names_that_would_clash_with_a_number_are_told_apart() -> None:
    m = Builder()
    m.variables("x", 3, labels=[["a b", "a-b", "a b__1"]])
    names = [v.name for v in to_pulp(m.freeze()).capsim_columns]
    assert len(set(names)) == 3


def test_a_row_that_cannot_hold_is_said_by_name() -> None:
    m = Builder()
    m.constrain("programme", 1, [], lower=1.0, labels=[["roads"]])
    with pytest.raises(SolverError, match="programme_roads has no variable"):
        to_pulp(m.freeze())


def test_coefficients_are_factors() -> None:
    """``lpSum([(x, 3)])`` silently means x + 3: terms go in another way."""
    problem = to_pulp(named().freeze())
    first = problem.capsim_columns[0]
    assert pulp.lpSum([(first, 3)]).constant == 3
    assert problem.objective[first] == 3.0
    assert problem.objective.constant == 0.0


@pytest.mark.parametrize("solver", ["cbc", "pulp-highs"])
def test_pulp_calls_a_stopped_search_optimal(solver: str) -> None:
    problem = to_pulp(market_split())
    status, _, _ = solve_pulp(problem, solver, gap=0.0, time_limit=0.5)
    assert status != "optimal"
    if status == "stopped":
        assert pulp.LpStatus[problem.status] == "Optimal"
        assert problem.sol_status == pulp.LpSolutionIntegerFeasible


def test_pulp_leaves_values_behind_where_there_is_no_solution() -> None:
    program = infeasible()
    problem = to_pulp(program)
    status, _, _ = solve_pulp(problem, "cbc")
    assert status == "infeasible"
    assert np.isfinite(read_columns(problem)).all()
    assert solve(program, solver="cbc").x is None


def test_pulp_gives_prices_of_zero_to_a_mip() -> None:
    problem = to_pulp(named().freeze())
    solve_pulp(problem, "cbc")
    assert {c.pi for c in problem.constraints()} <= {0.0, None}
    assert solve(named().freeze(), solver="cbc").row_dual is None


def test_a_variable_that_no_solver_saw_stands_at_zero() -> None:
    m = Builder()
    m.variables("idle", 1, upper=5.0)
    x = m.variables("x", 1, cost=1.0)
    m.constrain("least", 1, [(0, x, 1.0)], lower=2.0)
    for solver in ("cbc", "pulp-highs"):
        found = solve(m.freeze(), solver=solver)
        assert found.x is not None
        assert found.x.tolist() == [0.0, 2.0]


def test_a_user_may_add_a_constraint() -> None:
    """40 + 60 seats for 90 children need both schools; only one leaves 30 without a place."""
    m = named()
    program = m.freeze()
    assert solve(program).objective == pytest.approx(6.0)
    m = Builder()
    x = m.variables("open", 2, upper=1.0, cost=3.0, integer=True)
    y = m.variables("shortfall", 1, cost=200.0)
    m.constrain("seats", 1, [(0, x, [40.0, 60.0]), (0, y, 1.0)], lower=90.0)
    problem = to_pulp(m.freeze())
    first, second, missing = problem.capsim_columns
    problem += first + second <= 1, "one_a_year"
    for solver in ("cbc", "pulp-highs"):
        assert solve_pulp(problem, solver)[0] == "optimal"
        assert read_columns(problem).tolist() == pytest.approx([0.0, 1.0, 30.0])
        assert missing.varValue == pytest.approx(30.0)


def test_solvers_by_name() -> None:
    assert type(pulp_solver("cbc")).__name__ == "COIN_CMD"
    assert type(pulp_solver("pulp-highs")).__name__ == "HiGHS"
    assert type(pulp_solver("highs")).__name__ == "HiGHS"
    with pytest.raises(SolverError, match=r"not installed here|unknown solver"):
        pulp_solver("CPLEX_CMD")


def test_a_solver_in_process_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert solve(random_program(0, integer=False), solver="HiGHS").status == "optimal"
    assert capfd.readouterr().out == ""


def test_standard_output_comes_back_after_solves_that_overlap(capfd):
    first, second = silent(), silent()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    os.write(1, b"lost\n")
    second.__exit__(None, None, None)
    os.write(1, b"said\n")
    assert capfd.readouterr().out == "said\n"
