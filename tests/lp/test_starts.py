"""A start offered to the solver: what comes back is the solution, never the start."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.lp import Builder
from capsim.lp.highs import Highs


@pytest.mark.parametrize("presolve", ["choose", "off"])
def test_columns_are_those_of_the_objective(presolve: str) -> None:
    """Two units of 3 for 5 at most, 44 short of everything: HiGHS 1.16 gave the start back."""
    m = Builder()
    short = m.variables("short", 1, cost=1.0)
    built = m.variables("built", 2, upper=1.0, integer=True)
    m.constrain("need", 1, [(0, short, 1.0), (0, built, 27.5)], lower=44.0)
    m.constrain("money", 1, [(0, built, 3.0)], upper=4.0)
    program = m.freeze()
    highs = Highs(program, {"presolve": presolve, "threads": 1, "mip_rel_gap": 0.0})
    highs.start_from(np.array([44.0, 0.0, 0.0]))
    found = highs.solve()
    assert found.status == "optimal"
    assert found.objective == pytest.approx(16.5)
    assert found.x is not None
    assert program.cost @ found.x == pytest.approx(16.5)
    again = highs.solve()
    assert again.x is not None
    assert program.cost @ again.x == pytest.approx(again.objective)
