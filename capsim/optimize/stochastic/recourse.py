"""What a future costs once the first stage stands: one persistent linear program a future.

The first-stage columns are held by their bounds, so that the reduced costs of these columns are a
subgradient of the future's cost in the decisions. Where a future has no recourse at all (a school's
minimum roll, a floor), the least total violation of its rows has one too, which cuts the decisions
off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import block_array, csc_array, diags_array

from capsim.lp import Program, Solution, SolverError
from capsim.lp.arrays import Array, Index
from capsim.lp.highs import Highs
from capsim.optimize.stochastic.futures import Futures

VIOLATED = 1e-7
"""Total violation (of rows as they are) above which decisions leave a future without recourse."""


@dataclass(frozen=True)
class Cut:
    """``t ≥ constant + slope · first`` where ``finite``; else ``0 ≥ constant + slope · first``.

    ``value`` is the cost of the future at the point where the cut was made (million RMB, committed
    cost included), infinite where there is no recourse.
    """

    constant: float
    slope: Array
    value: float

    @property
    def finite(self) -> bool:
        """Whether the future has a recourse at the point."""
        return bool(np.isfinite(self.value))


class Recourse:
    """The linear recourse of one future, kept in the solver between calls."""

    def __init__(self, futures: Futures, future: int) -> None:
        program = futures.models[future].program.relaxed()
        self.first: Index = futures.first
        self.program: Program = replace(program, offset=0.0)
        self._rows = futures.rows(future)[1]
        self._name = futures.names[future]

    @cached_property
    def _highs(self) -> Highs:
        return Highs(self.program)

    @cached_property
    def _elastic(self) -> Highs:
        """The same rows, each with a slack either way at a price of 1; nothing else costs."""
        program, rows = self.program, self._rows
        matrix = program.matrix.tocsr()[rows]
        eye = diags_array(np.ones(len(rows)))
        zero, one = np.zeros(len(program.cost)), np.ones(2 * len(rows))
        return Highs(
            Program(
                cost=np.concatenate([zero, one]),
                lower=np.concatenate([program.lower, 0.0 * one]),
                upper=np.concatenate([program.upper, np.inf * one]),
                integer=np.zeros(len(zero) + len(one), bool),
                matrix=csc_array(block_array([[matrix, eye, -eye]], format="csc")),
                row_lower=program.row_lower[rows],
                row_upper=program.row_upper[rows],
            )
        )

    def least(self) -> Solution:
        """Solve with the first stage free: no decision costs less in this future."""
        return self._highs.solve()

    def at(self, first: Array) -> tuple[Cut, Array | None]:
        """Return the cut at ``first`` and the whole solution, if there is one."""
        found = self._solve(self._highs, first)
        if found.status == "optimal" and found.x is not None:
            return self._cut(found, first, found.objective), found.x
        if found.status != "infeasible":
            raise SolverError(f"the recourse of future {self._name!r} ended {found.status}")
        found = self._solve(self._elastic, first)
        if found.status != "optimal" or found.objective <= VIOLATED:
            raise SolverError(f"the recourse of future {self._name!r} is infeasible by rounding")
        return self._cut(found, first, np.inf), None

    def _solve(self, highs: Highs, first: Array) -> Solution:
        highs.fix(self.first, first)
        return highs.solve()

    def _cut(self, found: Solution, first: Array, value: float) -> Cut:
        if found.column_dual is None:
            raise SolverError(f"the recourse of future {self._name!r} has no prices")
        slope = found.column_dual[self.first]
        return Cut(found.objective - float(slope @ first), slope, value)
