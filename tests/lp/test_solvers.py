"""Every solver gives the same answer to the same arrays, and says truly how it ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lp_programs import SOLVERS, infeasible, market_split, random_program, unbounded, violation
from scipy.sparse import csr_array

from capsim.lp import Builder, SolverError, solve
from capsim.lp.highs import Highs


@pytest.mark.parametrize("integer", [False, True], ids=["lp", "mip"])
@pytest.mark.parametrize("seed", range(5))
def test_solvers_agree(seed: int, integer: bool) -> None:
    program = random_program(seed, integer=integer)
    found = {name: solve(program, solver=name, gap=1e-9) for name in SOLVERS}
    for name, solution in found.items():
        assert solution.status == "optimal", name
        assert solution.x is not None
        assert violation(program, solution.x) <= 1e-6, name
        assert solution.objective == pytest.approx(found["highs"].objective, rel=1e-6, abs=1e-6)
        assert solution.objective == pytest.approx(float(program.cost @ solution.x) + 3.5, abs=1e-6)
        assert solution.bound <= solution.objective + 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
def test_whole_numbers_cost_more(solver: str) -> None:
    """2x ≥ 3: x = 1.5 in the relaxation, 2 in whole numbers."""
    m = Builder()
    x = m.variables("x", 1, cost=1.0, integer=True)
    m.constrain("least", 1, [(0, x, 2.0)], lower=3.0)
    program = m.freeze(offset=10.0)
    assert solve(program, solver=solver).objective == pytest.approx(12.0)
    assert solve(program.relaxed(), solver=solver).objective == pytest.approx(11.5)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("integer", [False, True], ids=["lp", "mip"])
def test_infeasible(solver: str, integer: bool) -> None:
    found = solve(infeasible(integer=integer), solver=solver)
    assert found.status == "infeasible"
    assert found.x is None
    assert np.isnan(found.objective)


@pytest.mark.parametrize("solver", SOLVERS)
def test_unbounded(solver: str) -> None:
    assert solve(unbounded(), solver=solver).status == "unbounded"


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solve_ended_by_the_clock_is_not_optimal(solver: str) -> None:
    program = market_split()
    found = solve(program, solver=solver, gap=0.0, time_limit=0.5)
    assert found.status in ("stopped", "unknown")
    if found.x is not None:
        assert violation(program, found.x) <= 1e-6
        assert found.bound < found.objective


def test_unknown_solver() -> None:
    with pytest.raises(SolverError, match="unknown solver 'abacus': expected highs, scipy, cbc"):
        solve(infeasible(), solver="abacus")


@pytest.mark.parametrize("options", [{"no_such_option": 1}, {"time_limit": "long"}])
def test_options_that_highs_refuses(options: dict[str, object]) -> None:
    with pytest.raises(SolverError, match=f"HiGHS knows no option '{next(iter(options))}'"):
        solve(infeasible(), highs=options)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("cost", "cost"),
        ("lower", "column bound"),
        ("upper", "column bound"),
        ("row_lower", "row bound"),
        ("row_upper", "row bound"),
    ],
)
def test_numbers_that_are_none(solver: str, part: str, name: str) -> None:
    program = infeasible()
    value = getattr(program, part).copy()
    value[0] = np.nan
    with pytest.raises(SolverError, match=f"a {name} is not finite"):
        solve(replace(program, **{part: value}), solver=solver)


def test_a_coefficient_that_is_none() -> None:
    program = infeasible()
    matrix = program.matrix.copy()
    matrix.data[0] = np.inf
    with pytest.raises(SolverError, match="a coefficient is not finite"):
        solve(replace(program, matrix=matrix))


def test_prices_are_what_a_unit_of_right_hand_side_costs() -> None:
    """Signs of duals differ between solvers; ours is the change of cost, for any kind of row."""
    program = random_program(3, integer=False)
    base = solve(program)
    assert base.row_dual is not None
    step = 1e-4
    for row in range(program.matrix.shape[0]):
        shift = np.zeros(program.matrix.shape[0])
        shift[row] = step
        moved = solve(
            replace(
                program, row_lower=program.row_lower + shift, row_upper=program.row_upper + shift
            )
        )
        assert (moved.objective - base.objective) / step == pytest.approx(
            base.row_dual[row], abs=1e-5
        )


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_mip_has_no_prices(solver: str) -> None:
    """PuLP says ``pi`` is 0 everywhere; none is better than a wrong one."""
    found = solve(random_program(0, integer=True), solver=solver)
    assert found.row_dual is None
    assert found.column_dual is None


def test_other_numbers_of_threads_in_one_process() -> None:
    """HiGHS sets its threads up once for each thread that calls it, and then refuses another."""
    for threads in (1, 2, 1):
        found = solve(market_split(), gap=0.0, time_limit=0.2, threads=threads)
        assert found.status in ("stopped", "unknown", "optimal")


def test_solve_again_after_a_change() -> None:
    program = random_program(1, integer=False)
    highs = Highs(program)
    highs.solve()
    cost = -program.cost
    highs.change((program.lower, program.upper), (program.row_lower, program.row_upper), cost)
    fresh = solve(replace(program, cost=cost))
    assert highs.solve().objective == pytest.approx(fresh.objective, abs=1e-9)


@pytest.mark.slow
def test_a_first_solution_is_kept() -> None:
    """Given a good start, a search without time still has it."""
    program = market_split()
    good = solve(program, gap=0.0, time_limit=1.0)
    assert good.x is not None
    highs = Highs(program, {"mip_rel_gap": 0.0, "time_limit": 0.2})
    highs.start_from(good.x)
    assert highs.solve().objective <= good.objective + 1e-6


def test_the_bound_of_a_linear_program_is_its_optimum() -> None:
    for solver in SOLVERS:
        found = solve(random_program(2, integer=False), solver=solver)
        assert found.bound == pytest.approx(found.objective)


@pytest.mark.parametrize("solver", ["highs", "scipy", "cbc"])
def test_solvers_are_silent(solver: str, capfd: pytest.CaptureFixture[str]) -> None:
    """PuLP's own HiGHS prints a banner once a process, before it is told to be quiet."""
    for program in (random_program(0, integer=True), infeasible()):
        solve(program, solver=solver, time_limit=5.0)
    assert capfd.readouterr() == ("", "")


def test_a_solve_goes_on_from_a_basis_after_changes_and_with_rows_added() -> None:
    m = Builder()
    x = m.variables("x", 2, cost=[1.0, 2.0], upper=4.0)
    m.constrain("demand", 1, [(0, x, 1.0)], lower=5.0)
    highs = Highs(m.freeze())
    assert highs.basis is None
    assert highs.solve().objective == pytest.approx(6.0)
    basis = highs.basis
    highs.fix(np.array([0]), np.array([3.0]))
    found = highs.solve()
    assert found.objective == pytest.approx(7.0)
    assert found.column_dual is not None
    assert found.column_dual[0] == pytest.approx(-1.0)
    highs.add_rows(csr_array([[0.0, 1.0]]), np.array([3.0]), np.array([np.inf]))
    assert highs.solve().objective == pytest.approx(9.0)
    with pytest.raises(SolverError, match="belongs to another program"):
        highs.begin_at(basis)
    highs.begin_at(None)
    assert highs.solve().objective == pytest.approx(9.0)


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_gap_is_of_the_objective_with_its_offset(solver: str) -> None:
    """Nearly all of the cost is given: what is proved must hold for the hundredth that is not."""
    rng = np.random.default_rng(0)
    m = Builder()
    x = m.variables("x", 60, upper=1.0, integer=True, cost=rng.integers(300, 900, 60).astype(float))
    for number in range(8):
        m.constrain(f"row{number}", 1, [(0, x, rng.integers(1, 90, 60).astype(float))], lower=900.0)
    best = solve(m.freeze(), gap=0.0).objective
    found = solve(m.freeze(offset=-0.99 * best), solver=solver, gap=0.05)
    assert found.bound <= 0.01 * best + 1e-6
    assert found.objective - found.bound <= 0.05 * found.objective + 1e-6
