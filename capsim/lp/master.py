"""The master program of a decomposition: which mixture of the blocks' solutions is cheapest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from capsim.lp.build import Program
from capsim.lp.highs import Highs

Array = NDArray[np.float64]


class Master:
    """``min Σ c λ + box·s`` so that ``l ≤ Σ use·λ + s⁺ − s⁻ ≤ u`` and every block's ``Σ λ = 1``.

    The columns ``s`` cost the upper and minus the lower side of a box on the prices, so that the
    rows' prices stay within it; a mixture with all ``s`` at 0 keeps the rows itself.

    Parameters
    ----------
    lower, upper : float64 ``[row]``
    blocks : int
    """

    def __init__(self, lower: Array, upper: Array, blocks: int) -> None:
        rows = len(lower)
        self._rows, self._block, self._nth = rows, np.zeros(0, np.int64), np.zeros(0, np.int64)
        both = np.concatenate([np.arange(rows), np.arange(rows)])
        sign = np.concatenate([np.ones(rows), -np.ones(rows)])
        matrix = csc_array((sign, (both, np.arange(2 * rows))), shape=(rows + blocks, 2 * rows))
        self._highs = Highs(
            Program(
                cost=np.zeros(2 * rows),
                lower=np.zeros(2 * rows),
                upper=np.full(2 * rows, np.inf),
                integer=np.zeros(2 * rows, bool),
                matrix=matrix,
                row_lower=np.concatenate([lower, np.ones(blocks)]),
                row_upper=np.concatenate([upper, np.ones(blocks)]),
            ),
            {"presolve": "off"},
        )
        self._value = np.zeros(2 * rows)
        self._added: list[int] = []
        self.objective = np.inf

    def add(self, block: int, cost: float, use: Array) -> None:
        """Offer a block's solution: its cost, and what it uses of the rows."""
        rows = np.flatnonzero(use)
        self._highs.add_column(cost, np.append(rows, self._rows + block), np.append(use[rows], 1.0))
        self._added.append(block)

    def prices(self, center: Array, radius: Array) -> Array | None:
        """Solve with the prices within ``radius`` of ``center``; None where that fails."""
        self._highs.recost(
            np.arange(2 * self._rows), np.concatenate([center + radius, radius - center])
        )
        solved = self._highs.solve()
        if solved.status != "optimal" or solved.x is None or solved.row_dual is None:
            return None
        self._value, self.objective = solved.x, solved.objective
        return solved.row_dual[: self._rows]

    def strained(self, tolerance: float) -> NDArray[np.bool_]:
        """Flag the rows whose price is at the side of its box: the mixture does not keep them."""
        s = self._value[: 2 * self._rows].reshape(2, self._rows)
        return np.asarray(np.abs(s).max(axis=0, initial=0.0) > tolerance)

    def mixture(self, solutions: list[list[Array]]) -> list[Array]:
        """Return every block's solutions, in the order they were added, mixed by their weights."""
        weight = self._value[2 * self._rows :]
        block = np.array(self._added)
        return [
            np.asarray(np.tensordot(weight[block == i], np.stack(found), axes=1))
            for i, found in enumerate(solutions)
        ]
