"""Beginning at the relaxation finds what searching from nothing finds, and proves it."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.lp import Builder, LinearProgram, solve
from capsim.lp.decomposition.fixing_heuristics import rens, without_dearer
from capsim.lp.options_and_result import SolveOptions


def assignment(seed: int, jobs: int = 12, rooms: int = 4, room: float = 3.4) -> LinearProgram:
    """Whole jobs into rooms of little size, at random costs."""
    rng = np.random.default_rng(seed)
    m = Builder()
    cost = rng.integers(1, 30, (jobs, rooms)).astype(float)
    x = m.variables("x", jobs * rooms, cost=cost.ravel(), upper=1.0, integer=True)
    x = x.reshape(jobs, rooms)
    size = rng.uniform(0.6, 1.2, jobs)[:, None]
    job, place = np.indices(x.shape)
    m.constrain("one", jobs, [(job, x, 1.0)], lower=1.0, upper=1.0)
    m.constrain("room", rooms, [(place, x, size * np.ones(x.shape))], upper=room)
    return m.freeze()


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_of_a_search_from_nothing(seed: int) -> None:
    program = assignment(seed)
    found, plain = rens(program, SolveOptions(gap=0.0)), solve(program, gap=0.0)
    assert found.status == plain.status == "optimal"
    assert found.objective == pytest.approx(plain.objective)
    assert found.bound == pytest.approx(found.objective)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("gap", [0.02, 0.2])
def test_a_gap_that_the_relaxation_proves_is_a_true_one(seed: int, gap: float) -> None:
    program = assignment(seed)
    found, best = rens(program, SolveOptions(gap=gap)), solve(program, gap=0.0).objective
    assert found.x is not None
    assert found.status == "optimal"
    assert found.objective == pytest.approx(program.objective(found.x))
    assert found.bound <= best + 1e-6
    assert found.objective - found.bound <= gap * found.objective + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_nothing_cheaper_is_left_out(seed: int) -> None:
    """Every optimum is among what costs no more than a solution that is known."""
    program = assignment(seed)
    relaxed, best = solve(program.relaxed()), solve(program, gap=0.0)
    assert relaxed.column_dual is not None
    room = best.objective - relaxed.objective
    left = without_dearer(program, relaxed.column_dual, room)
    assert (left.upper < program.upper).sum() + (left.lower > program.lower).sum() > 0
    assert solve(left, gap=0.0).objective == pytest.approx(best.objective)


def test_what_cannot_be_is_said_and_a_linear_program_solved() -> None:
    assert rens(assignment(0, room=0.1), SolveOptions(gap=0.0)).status == "infeasible"
    relaxed = assignment(1).relaxed()
    assert rens(relaxed, SolveOptions(gap=0.0)).objective == pytest.approx(solve(relaxed).objective)
