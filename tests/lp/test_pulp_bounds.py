"""What a solver that PuLP ran has proved, whoever called it and however loosely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pulp
import pytest
from lp_programs import market_split

from capsim.lp import Builder, LinearProgram, solve
from capsim.lp.pulp_bridge import minimises, proved_bound, to_pulp

CBC = pulp.PULP_CBC_CMD.pulp_cbc_path


def covers(offset: float = 0.0) -> LinearProgram:
    """Sixty things of which the cheapest must cover eight demands: loose solves miss the best."""
    rng = np.random.default_rng(0)
    m = Builder()
    x = m.variables("x", 60, upper=1.0, integer=True, cost=rng.integers(300, 900, 60).astype(float))
    for number in range(8):
        m.constrain(f"row{number}", 1, [(0, x, rng.integers(1, 90, 60).astype(float))], lower=900.0)
    return m.freeze(offset=offset)


@pytest.fixture(scope="module")
def best() -> float:
    return solve(covers(), gap=0.0).objective


@pytest.mark.parametrize("share", [0.0, -0.5, -2.0], ids=["whole", "half", "negative"])
@pytest.mark.parametrize(
    "solver",
    [
        pulp.HiGHS(msg=False),
        pulp.HiGHS(msg=False, gapRel=0.3),
        pulp.HiGHS(msg=False, mip_rel_gap=0.3),
        pulp.HiGHS(msg=False, gapAbs=2000.0),
        pulp.COIN_CMD(path=CBC, msg=False),
        pulp.COIN_CMD(path=CBC, msg=False, gapRel=0.3),
        pulp.COIN_CMD(path=CBC, msg=False, gapAbs=2000.0),
    ],
    ids=["highs", "highs-rel", "highs-own", "highs-abs", "cbc", "cbc-rel", "cbc-abs"],
)
def test_no_solution_beats_the_bound(solver: Any, share: float, best: float) -> None:
    problem = to_pulp(covers(share * best))
    problem.solve(solver)
    assert problem.sol_status == pulp.LpSolutionOptimal
    optimum = best * (1 + share)
    assert proved_bound(problem) <= optimum + 1e-6
    assert problem.objective.value() >= optimum - 1e-6
    assert np.isfinite(proved_bound(problem))


def test_a_loose_solve_proves_no_more_than_it_was_asked(best: float) -> None:
    """HiGHS tells its bound; of CBC only the gap it stopped at is known."""
    for solver in (
        pulp.HiGHS(msg=False, gapRel=0.3),
        pulp.COIN_CMD(path=CBC, msg=False, gapRel=0.3),
    ):
        problem = to_pulp(covers())
        problem.solve(solver)
        assert proved_bound(problem) < best - 1.0
    assert proved_bound(problem) == pytest.approx(0.7 * problem.objective.value())


def test_options_in_a_solvers_own_words_may_hide_a_gap() -> None:
    problem = to_pulp(covers())
    problem.solve(pulp.COIN_CMD(path=CBC, msg=False, options=["ratioGap 0.3"]))
    assert problem.sol_status == pulp.LpSolutionOptimal
    assert proved_bound(problem) == -np.inf


@pytest.mark.slow
def test_a_stopped_search() -> None:
    problem = to_pulp(market_split())
    problem.solve(pulp.HiGHS(msg=False, timeLimit=0.5, gapRel=0.0))
    if problem.sol_status == pulp.LpSolutionIntegerFeasible:
        assert proved_bound(problem) < problem.objective.value()
    problem.solve(pulp.COIN_CMD(path=CBC, msg=False, timeLimit=0.5, gapRel=0.0))
    if problem.sol_status == pulp.LpSolutionIntegerFeasible:
        assert proved_bound(problem) == -np.inf


def test_a_linear_program_has_no_gap() -> None:
    program = covers(7.0).relaxed()
    optimum = solve(program).objective
    for solver in (pulp.HiGHS(msg=False, gapRel=0.3), pulp.COIN_CMD(path=CBC, msg=False)):
        problem = to_pulp(program)
        problem.solve(solver)
        assert proved_bound(problem) == pytest.approx(optimum)


def test_who_minimises_something_else() -> None:
    program = covers(7.0)
    problem = to_pulp(program)
    assert minimises(problem, program)
    own = problem.add_variable("own", lowBound=0)
    problem.setObjective(problem.objective + own)
    assert not minimises(problem, program)
    problem = to_pulp(program)
    problem.setObjective(2 * problem.objective)
    assert not minimises(problem, program)
    problem = to_pulp(program)
    problem.sense = pulp.LpMaximize
    assert not minimises(problem, program)
