"""Blocks that meet nowhere, solved side by side, are the whole: optimum and duals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lp_programs import block_angular, violation

from capsim.lp import Builder, LinearProgram, solve
from capsim.lp.decomposition.blocks import Split, solve_independent, split

QUICK = settings(max_examples=25, derandomize=True)


def without_meeting(seed: int, blocks: int) -> LinearProgram:
    """Blocks whose coupling rows bind nobody are left out of the program."""
    made = block_angular(seed, blocks, integer=False)
    program, own = made.program, ~made.coupling
    return LinearProgram(
        cost=program.cost,
        lower=program.lower,
        upper=program.upper,
        integer=program.integer,
        matrix=program.matrix.tocsr()[np.flatnonzero(own)].tocsc(),
        row_lower=program.row_lower[own],
        row_upper=program.row_upper[own],
        offset=program.offset,
    )


def apart(program: LinearProgram, parts: int = 4) -> Split:
    return split(program, np.zeros(len(program.row_lower), bool), parts=parts)


@QUICK
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 6))
def test_optimum_and_duals_are_those_of_the_whole(seed: int, blocks: int, parts: int) -> None:
    program = without_meeting(seed, blocks)
    whole = solve(program)
    found = solve_independent(apart(program, parts))
    assert found is not None
    assert found.x is not None
    assert found.row_dual is not None
    assert found.column_dual is not None
    assert violation(program, found.x) <= 1e-6
    assert found.objective == pytest.approx(whole.objective, abs=1e-6)
    assert found.bound == found.objective
    assert float(program.cost @ found.x) + program.offset == pytest.approx(found.objective)
    # duals are of this optimum: costs without a price are the reduced costs, and the sides they
    # point at add up to the objective (strong duality)
    assert program.cost - program.matrix.T @ found.row_dual == pytest.approx(found.column_dual)
    side = [
        np.where(dual > 0, low, high)[np.abs(dual) > 1e-9] @ dual[np.abs(dual) > 1e-9]
        for dual, low, high in (
            (found.row_dual, program.row_lower, program.row_upper),
            (found.column_dual, program.lower, program.upper),
        )
    ]
    assert sum(side) + program.offset == pytest.approx(found.objective, abs=1e-6)


def test_what_has_no_optimum_is_left_to_the_whole() -> None:
    m = Builder()
    x = m.variables("x", 2, upper=[1.0, np.inf], cost=[1.0, -1.0])
    m.constrain("least", 1, [(0, x[:1], 1.0)], lower=3.0)
    m.constrain("any", 1, [(0, x[1:], 1.0)], lower=0.0)
    assert solve_independent(apart(m.freeze())) is None


def test_a_row_without_columns_decides_too() -> None:
    for limit, status in ((0.0, "optimal"), (1.0, "infeasible")):
        m = Builder()
        x = m.variables("x", 2, upper=1.0, cost=1.0)
        m.constrain("own", 2, [(np.arange(2), x, 1.0)], lower=0.5)
        m.constrain("nobody", 1, [], lower=limit)
        program = m.freeze()
        assert solve(program).status == status
        found = solve_independent(apart(program, 2))
        assert (found is not None) == (status == "optimal")
        if found is not None:
            assert found.objective == 1.0


def test_only_linear_programs_that_fall_apart_altogether() -> None:
    made = block_angular(1, 3, integer=False)
    with pytest.raises(ValueError, match="meet in no row"):
        solve_independent(split(made.program, made.coupling))
    whole = block_angular(1, 3, integer=True)
    with pytest.raises(ValueError, match="linear program"):
        solve_independent(split(whole.program, np.zeros(len(whole.coupling), bool)))
