"""The master program of a decomposition: which mixture of the blocks' solutions is cheapest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, vstack

from capsim.lp.build import Program
from capsim.lp.highs import Highs

Array = NDArray[np.float64]
DUAL = 1e-7
"""Worth of a column below which it is none, as for the simplex method."""


@dataclass(frozen=True)
class Loose:
    """Columns that stand in the coupling rows alone.

    Attributes
    ----------
    matrix : sparse ``[row, column]``
    cost, lower, upper : float64 ``[column]``
    """

    matrix: csc_array
    cost: Array
    lower: Array
    upper: Array

    @classmethod
    def of(cls, program: Program, rows: csr_array, columns: NDArray[np.int64]) -> Loose:
        """Take columns of a program, of which ``rows`` are the coupling ones."""
        matrix = csc_array(rows[:, columns])
        return cls(matrix, program.cost[columns], program.lower[columns], program.upper[columns])

    def allowed(self, price: Array) -> Array:
        """Drop the prices at which a column without an end is worth more than it costs."""
        endless = ((self._worth(price) < -DUAL) & np.isinf(self.upper)).astype(np.float64)
        endless += (self._worth(price) > DUAL) & np.isinf(self.lower)
        return np.where(abs(self.matrix) @ endless > 0, 0.0, price)

    def least(self, price: Array) -> float:
        """Return the least that the columns cost at prices of the rows."""
        worth = self._worth(price)
        worth = np.where(np.abs(worth) > DUAL, worth, 0.0)
        side = np.where(worth > 0, self.lower, self.upper)
        return float((worth * np.where(worth == 0, 0.0, side)).sum())

    def _worth(self, price: Array) -> Array:
        return np.asarray(self.cost - self.matrix.T @ price)


class Master:
    """``min Σ c λ + box·s`` so that ``l ≤ Σ use·λ + s⁺ − s⁻ ≤ u`` and every block's ``Σ λ = 1``.

    The columns ``s`` cost the upper and minus the lower side of a box on the prices, so that the
    rows' prices stay within it; a mixture with all ``s`` at 0 keeps the rows itself.

    Parameters
    ----------
    lower, upper : float64 ``[row]``
    blocks : int
    loose : Loose, optional
        Columns beside those of the blocks.
    """

    def __init__(self, lower: Array, upper: Array, blocks: int, loose: Loose | None = None) -> None:
        rows = len(lower)
        if loose is None:
            none = np.zeros(0)
            loose = Loose(csc_array((rows, 0)), none, none, none)
        count = len(loose.cost)
        self._loose = count
        self._rows, self._block, self._nth = rows, np.zeros(0, np.int64), np.zeros(0, np.int64)
        both = np.concatenate([np.arange(rows), np.arange(rows)])
        sign = np.concatenate([np.ones(rows), -np.ones(rows)])
        box = csc_array((sign, (both, np.arange(2 * rows))), shape=(rows, 2 * rows))
        matrix = hstack([box, loose.matrix], format="csc")
        self._highs = Highs(
            Program(
                cost=np.concatenate([np.zeros(2 * rows), loose.cost]),
                lower=np.concatenate([np.zeros(2 * rows), loose.lower]),
                upper=np.concatenate([np.full(2 * rows, np.inf), loose.upper]),
                integer=np.zeros(2 * rows + count, bool),
                matrix=csc_array(vstack([matrix, csc_array((blocks, 2 * rows + count))])),
                row_lower=np.concatenate([lower, np.ones(blocks)]),
                row_upper=np.concatenate([upper, np.ones(blocks)]),
            ),
            {"presolve": "off"},
        )
        self._value = np.zeros(2 * rows + count)
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

    def mixture(self, solutions: list[list[Array]]) -> tuple[list[Array], Array]:
        """Return every block's solutions, in the order they were added, mixed by their weights.

        Also the values of the loose columns.
        """
        first = 2 * self._rows + self._loose
        weight, block = self._value[first:], np.array(self._added)
        mixed = [
            np.asarray(np.tensordot(weight[block == i], np.stack(found), axes=1))
            for i, found in enumerate(solutions)
        ]
        return mixed, self._value[2 * self._rows : first]
