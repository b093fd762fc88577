"""What duals must be, in plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.analysis.shadow_prices import Prices


def proves(found: Prices) -> None:
    """Check the optimum behind prices: signs, complementary slackness and the duality gap."""
    program, solution = found.program, found.solution
    x, y, d = solution.x, solution.row_dual, solution.column_dual
    activity = program.matrix @ x
    assert program.cost - program.matrix.T @ y == pytest.approx(d, abs=1e-9)
    bound = program.offset
    for value, price, lower, upper in (
        (activity, y, program.row_lower, program.row_upper),
        (x, d, program.lower, program.upper),
    ):
        slack = 1e-6 * np.maximum(1.0, np.abs(value))
        assert (value >= lower - slack).all()
        assert (value <= upper + slack).all()
        side = np.where(price > 0, lower, upper)
        held = np.abs(price) > 1e-9
        assert np.isfinite(side[held]).all()
        assert (np.abs(price[held] * (value - side)[held]) <= 1e-7).all()
        bound += float((price[held] * side[held]).sum())
    assert bound == pytest.approx(solution.objective, rel=1e-9)
