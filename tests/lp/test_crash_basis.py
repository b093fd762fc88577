"""A basis pieced together from those of blocks is an optimal one of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_dantzig_wolfe import plants

from capsim.lp import solve
from capsim.lp.decomposition.blocks import Split
from capsim.lp.highs import Highs
from capsim.lp.sensitivity import optimal_basis


@pytest.mark.slow
@settings(max_examples=25)
@given(
    blocks=st.integers(2, 7),
    rows=st.integers(1, 4),
    seed=st.integers(0, 10_000),
    capped=st.booleans(),
    tolerance=st.sampled_from([1e-9, 1e-2]),
)
def test_the_simplex_method_has_nothing_left_to_do(blocks, rows, seed, capped, tolerance):
    program, found = plants(blocks, rows, seed)
    if capped:  # what is made together is bounded on both sides
        upper = program.row_upper.copy()
        upper[found.coupling] = 1.01 * program.row_lower[found.coupling]
        program = replace(program, row_upper=upper)
        found = Split(program, found.coupling, found.blocks)
    whole = solve(program)
    basis = optimal_basis(found, tolerance=tolerance)
    if basis is None:
        assert whole.status != "optimal"
        return
    highs = Highs(program, {"presolve": "off"})
    highs.begin_at(basis)
    again = highs.solve()
    assert again.objective == pytest.approx(whole.objective, rel=1e-9)
    assert highs.raw.getInfo().simplex_iteration_count <= rows
    bound = np.where(again.row_dual > 0, program.row_lower, program.row_upper)
    held = np.abs(again.row_dual) > 1e-9
    columns = np.where(again.column_dual > 0, program.lower, program.upper)
    own = np.abs(again.column_dual) > 1e-9
    proved = again.row_dual[held] @ bound[held] + again.column_dual[own] @ columns[own]
    assert proved == pytest.approx(whole.objective, rel=1e-9)
