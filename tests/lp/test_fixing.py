"""Beginning at the relaxation finds what searching from nothing finds, and proves it."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.lp import Builder, LinearProgram, solve
from capsim.lp.decomposition.fixing_heuristics import rens
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


def test_what_cannot_be_is_said_and_a_linear_program_solved() -> None:
    assert rens(assignment(0, room=0.1), SolveOptions(gap=0.0)).status == "infeasible"
    relaxed = assignment(1).relaxed()
    assert rens(relaxed, SolveOptions(gap=0.0)).objective == pytest.approx(solve(relaxed).objective)
