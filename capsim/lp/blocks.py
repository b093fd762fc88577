"""Programs that fall apart into blocks once a few coupling rows are priced or shared out.

A city's counties meet in a handful of rows only (a share, a ceiling, a budget of the whole). Taking
these rows out, the connected components of the matrix are independent. Two uses:

*upper*: the linear relaxation says how much of each coupling row a block uses; with that as its
own limit every block is solved alone, and the union is feasible.

*lower*: with the coupling rows priced into the costs (Lagrange), the sum of the blocks' own proved
bounds bounds the whole for any ``y``:
``Σ_b min (c − Aᵀy) x + Σ_r (y_r l_r if y_r > 0 else y_r u_r)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.sparse.csgraph import connected_components

from capsim.lp.build import Program

Array = NDArray[np.float64]
Index = NDArray[np.int64]
LARGEST = 12_000
"""Columns of a block of small components: more take longer to search than the blocks save."""


@dataclass(frozen=True)
class Block:
    """Columns and own rows of one part; coupling rows are numbered as in ``Split.coupling``."""

    columns: Index
    rows: Index


@dataclass(frozen=True)
class Split:
    """A program's blocks, largest first, and the rows that couple them."""

    program: Program
    coupling: Index
    blocks: tuple[Block, ...]

    @cached_property
    def meeting(self) -> csc_array:
        """The coupling rows, by column."""
        return csc_array(self.program.matrix.tocsr()[self.coupling])

    def uses(self) -> list[csr_array]:
        """Return what each block's columns use of the coupling rows, ``[row, own column]``."""
        return [self.meeting[:, b.columns].tocsr() for b in self.blocks]

    def part(
        self, block: Block, cost: Array | None = None, limit: tuple[Array, Array] | None = None
    ) -> Program:
        """Return a block alone, with its share ``limit`` of the coupling rows, or without them."""
        program = self.program
        rows = block.rows if limit is None else np.concatenate([block.rows, self.coupling])
        matrix = program.matrix[:, block.columns].tocsr()[rows]
        lower, upper = program.row_lower[block.rows], program.row_upper[block.rows]
        if limit is not None:
            lower, upper = np.concatenate([lower, limit[0]]), np.concatenate([upper, limit[1]])
        return Program(
            cost=(program.cost if cost is None else cost)[block.columns],
            lower=program.lower[block.columns],
            upper=program.upper[block.columns],
            integer=program.integer[block.columns],
            matrix=csc_array(matrix),
            row_lower=lower,
            row_upper=upper,
        )

    def shares(self, x: Array) -> list[tuple[Array, Array]]:
        """Limits on the coupling rows by block that ``x`` keeps, what is left over spread by use.

        Blocks that have no coefficient in a row get no share of it.
        """
        own = self.uses()
        use = np.stack([m @ x[b.columns] for m, b in zip(own, self.blocks, strict=True)])
        present = np.stack([np.diff(m.indptr) > 0 for m in own])
        size = np.where(present, np.abs(use) + 1e-9, 0.0)
        weight = size / np.maximum(size.sum(axis=0), 1e-300)
        total = use.sum(axis=0)
        low, high = self.program.row_lower[self.coupling], self.program.row_upper[self.coupling]
        spare_low, spare_high = np.maximum(total - low, 0.0), np.maximum(high - total, 0.0)
        with np.errstate(invalid="ignore"):
            lower = np.where(
                np.isfinite(low), use - weight * np.where(np.isfinite(low), spare_low, 0.0), -np.inf
            )
            upper = np.where(
                np.isfinite(high),
                use + weight * np.where(np.isfinite(high), spare_high, 0.0),
                np.inf,
            )
        lower, upper = np.where(present, lower, -np.inf), np.where(present, upper, np.inf)
        return [(lower[i], upper[i]) for i in range(len(self.blocks))]

    def parts(self, x: Array) -> list[Program]:
        """Return every block alone with its share of the coupling rows at ``x``."""
        shares = self.shares(x)
        return [self.part(b, limit=own) for b, own in zip(self.blocks, shares, strict=True)]

    def costs(self, x: Array) -> Array:
        """Return every block's cost at ``x``, ``[block]``."""
        cost = self.program.cost * x
        return np.array([cost[b.columns].sum() for b in self.blocks])

    def worth(self, price: Array, x: Array) -> Array:
        """Return what each block uses of the coupling rows at ``x``, at their prices."""
        worth = (self.meeting.T @ price) * x
        return np.array([worth[b.columns].sum() for b in self.blocks])

    def priced(self, price: Array) -> tuple[Array, float]:
        """Return costs with the coupling rows priced in, and the constant that goes with them."""
        low, high = self.program.row_lower[self.coupling], self.program.row_upper[self.coupling]
        side = np.where(price > 0, low, high)
        safe = np.where(np.isfinite(side), price, 0.0)
        constant = float((safe * np.where(np.isfinite(side), side, 0.0)).sum())
        return self.program.cost - self.meeting.T @ safe, constant


def split(program: Program, coupling: NDArray[np.bool_], parts: int = 24) -> Split:
    """Take the flagged rows out and return what falls apart, small components put together.

    Parameters
    ----------
    program : Program
    coupling : bool ``[row]``
    parts : int
        Components smaller than a fair share of the columns (or than ``LARGEST``, if that is less)
        are gathered into blocks of about that size.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2)
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=1.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], upper=3.0)
    >>> found = split(m.freeze(), np.array([False, False, True]), parts=2)
    >>> [b.columns.tolist() for b in found.blocks]
    [[0], [1]]
    """
    rows, columns = program.matrix.shape
    entries = program.matrix.tocoo()
    inner = ~coupling[entries.row]
    graph = coo_array(
        (np.ones(int(inner.sum()), np.int8), (entries.row[inner], rows + entries.col[inner])),
        shape=(rows + columns, rows + columns),
    )
    count, label = connected_components(graph, directed=False)
    size = np.bincount(label[rows:], minlength=count)
    target = max(1, min(columns // parts, LARGEST))
    group = np.full(count, -1, np.int64)
    number, filled = 0, 0
    for component in np.argsort(-size, kind="stable"):
        if size[component] >= target:
            group[component] = number
            number += 1
            continue
        group[component] = number
        filled += int(size[component])
        if filled >= target:
            number, filled = number + 1, 0
    of_row, of_column = group[label[:rows]], group[label[rows:]]
    of_row = np.where(coupling, -1, of_row)
    numbers = int(group.max(initial=-1)) + 1
    members = zip(_members(of_column, numbers), _members(of_row, numbers), strict=True)
    blocks = gathered([Block(own, rows) for own, rows in members], program)
    blocks.sort(key=lambda b: -len(b.columns))
    return Split(program, np.flatnonzero(coupling), tuple(blocks))


def gathered(blocks: Iterable[Block], program: Program) -> list[Block]:
    """Return the blocks that have columns.

    Rows of the others have no coefficient. Those that nothing keeps (at least 1, say) go to the
    first block, so that its solver sees that the program is impossible.
    """
    every = list(blocks)
    kept = [b for b in every if len(b.columns)]
    impossible = (program.row_lower > 0) | (program.row_upper < 0)
    spare = [b.rows[impossible[b.rows]] for b in every if not len(b.columns)]
    if kept and spare:
        kept[0] = Block(kept[0].columns, np.concatenate([kept[0].rows, *spare]))
    return kept


def _members(number: Index, count: int) -> list[Index]:
    """Return the positions, in order, at which each of ``count`` numbers stands."""
    order = np.argsort(number, kind="stable")
    edges = np.searchsorted(number[order], np.arange(count + 1))
    return [order[a:b] for a, b in pairwise(edges)]
