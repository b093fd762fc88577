"""Exhaustive search: every assignment of a tiny model's integers, each a linear program."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from tiny_cases import project, school, town

from capsim.lp import LinearProgram
from capsim.lp.highs import Highs
from capsim.model.objectives import Criterion, holding


def choices() -> Any:
    """Two projects, one of them in two copies, a school that may convert; 2 years; 1 area."""
    return town(
        children=(150, 110),
        schools=[
            school("P", "public", 60, 60),
            school("V", "private", 40, 40, conversion="may", conversion_cost_cny=2e6),
        ],
        projects=[
            project("N", 40, 6e6, "2022-09-01", running_cny=2e5, build_months=8),
            project("M", 25, 3e6, "2022-09-01", running_cny=3e5, build_months=4, count=2),
        ],
        standards={"class_ceiling": 55, "allowance_cny": 1000},
        costs={"overfill_cny": 2000},
    )


def integers(program: LinearProgram) -> list[np.ndarray]:
    """Every assignment of the integer columns that keeps the rows on integers alone."""
    at = np.flatnonzero(program.integer)
    ranges = [range(int(program.lower[i]), int(program.upper[i]) + 1) for i in at]
    matrix = program.matrix.tocsr()
    alone = np.flatnonzero(abs(matrix) @ (~program.integer).astype(float) == 0)
    rows = matrix[alone]
    out = []
    for combination in itertools.product(*ranges):
        x = np.zeros(len(program.cost))
        x[at] = combination
        use = rows @ x
        if (use >= program.row_lower[alone]).all() and (use <= program.row_upper[alone]).all():
            out.append(x)
    return out


class EveryPlan:
    """The linear programs of all assignments, solved for any criterion under any limits."""

    def __init__(self, program: LinearProgram, aims: Sequence[Criterion]) -> None:
        self.aims = aims
        self.program = holding(program, [(aim, np.inf) for aim in aims])
        self.assignments = integers(program)
        self._highs = Highs(self.program.relaxed(), {"threads": 1})

    def least(self, aim: Criterion, limits: Sequence[float], x: np.ndarray) -> float:
        """Least of a criterion with the integers of ``x``; infinite where there is no plan."""
        fixed = self.program.fixed(x)
        upper = fixed.row_upper.copy()
        upper[-len(self.aims) :] = np.array(limits) - [a.constant for a in self.aims]
        self._highs.change((fixed.lower, fixed.upper), (fixed.row_lower, upper), aim.weights)
        found = self._highs.solve()
        if found.status != "optimal":
            assert found.status == "infeasible"
            return float(np.inf)
        assert found.x is not None
        return aim.value(found.x)

    def best(self, aim: Criterion, limits: Sequence[float]) -> float:
        """Least of a criterion over all assignments."""
        return min(self.least(aim, limits, x) for x in self.assignments)
