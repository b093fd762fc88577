"""Programs that fall apart into blocks once a few coupling rows are priced or shared out.

A city's counties meet in a handful of rows only (a share, a ceiling, a budget of the whole). Taking
these rows out, the connected components of the matrix are independent. Two uses:

*upper*: the linear relaxation says how much of each coupling row a block uses; with that as its
own limit every block is solved alone, and the union is feasible.

*lower*: with the coupling rows priced into the costs (Lagrange), the sum of the blocks' own proved
bounds bounds the whole for any ``y``:
``Σ_b min (c − Aᵀy) x + Σ_r (y_r l_r if y_r > 0 else y_r u_r)``.

`split` makes blocks, `solve_all` solves them side by side on threads or on an executor's workers,
and `solve_independent` a linear program without coupling rows, whose blocks are the whole.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array, hstack
from scipy.sparse.csgraph import connected_components

from capsim.io.executors import run_tasks
from capsim.lp.array_types import Array, Index
from capsim.lp.decomposition.fixing_heuristics import FIRST_FOUND, relax_and_fix, within
from capsim.lp.highs import Highs, solver_name
from capsim.lp.options_and_result import SolverResult
from capsim.lp.parallel_solves import Clock, Deal, in_parallel, until
from capsim.lp.program import LinearProgram

LARGEST = 12_000
"""Columns of a block of small components: more take longer to search than the blocks save."""


@dataclass(frozen=True)
class Block:
    """Columns and own rows of one part; coupling rows are numbered as in ``Split.coupling``."""

    columns: Index
    rows: Index


@dataclass(frozen=True)
class Split:
    """A program's blocks, largest first, and the rows that couple them.

    Where ``order`` is given, integers are decided in turn: those of lower numbers first.
    """

    program: LinearProgram
    coupling: Index
    blocks: tuple[Block, ...]
    order: Index | None = None

    @cached_property
    def coupling_rows(self) -> csc_array:
        """The coupling rows of the matrix, compressed by column."""
        return csc_array(self.program.matrix.tocsr()[self.coupling])

    def uses(self) -> list[csr_array]:
        """Return what each block's columns use of the coupling rows, ``[row, own column]``."""
        return [self.coupling_rows[:, b.columns].tocsr() for b in self.blocks]

    def part(
        self, block: Block, cost: Array | None = None, limit: tuple[Array, Array] | None = None
    ) -> LinearProgram:
        """Return a block alone, with its share ``limit`` of the coupling rows, or without them."""
        program = self.program
        rows = block.rows if limit is None else np.concatenate([block.rows, self.coupling])
        matrix = program.matrix[:, block.columns].tocsr()[rows]
        lower, upper = program.row_lower[block.rows], program.row_upper[block.rows]
        if limit is not None:
            lower, upper = np.concatenate([lower, limit[0]]), np.concatenate([upper, limit[1]])
        return LinearProgram(
            cost=(program.cost if cost is None else cost)[block.columns],
            lower=program.lower[block.columns],
            upper=program.upper[block.columns],
            integer=program.integer[block.columns],
            matrix=csc_array(matrix),
            row_lower=lower,
            row_upper=upper,
        )

    def softened(
        self, block: Block, cost: Array, share: tuple[Array, Array], penalty: Array
    ) -> LinearProgram:
        """Return a block alone whose use beyond its share of a coupling row costs a penalty.

        Its own columns come first, then one for every side of a row that the share limits.
        """
        hard = self.part(block, cost, share)
        below, above = (np.flatnonzero(np.isfinite(side)) for side in share)
        row = np.concatenate([below, above])
        more, count = len(row), len(hard.row_lower)
        sign = np.concatenate([np.ones(len(below)), -np.ones(len(above))])
        cells = (len(block.rows) + row, np.arange(more))
        beyond = csc_array((sign, cells), shape=(count, more))
        return LinearProgram(
            cost=np.concatenate([hard.cost, penalty[row]]),
            lower=np.concatenate([hard.lower, np.zeros(more)]),
            upper=np.concatenate([hard.upper, np.full(more, np.inf)]),
            integer=np.concatenate([hard.integer, np.zeros(more, bool)]),
            matrix=csc_array(hstack([hard.matrix, beyond])),
            row_lower=hard.row_lower,
            row_upper=hard.row_upper,
        )

    def shares(self, x: Array) -> list[tuple[Array, Array]]:
        """Divide the coupling rows among blocks: each its use in ``x``, the rest spread by use.

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

    def parts(self, x: Array) -> list[LinearProgram]:
        """Return every block alone with its share of the coupling rows at ``x``."""
        shares = self.shares(x)
        return [self.part(b, limit=own) for b, own in zip(self.blocks, shares, strict=True)]

    def costs(self, x: Array) -> Array:
        """Return every block's cost at ``x``, ``[block]``."""
        cost = self.program.cost * x
        return np.array([cost[b.columns].sum() for b in self.blocks])

    def worth(self, price: Array, x: Array) -> Array:
        """Return what each block uses of the coupling rows at ``x``, at their prices."""
        worth = (self.coupling_rows.T @ price) * x
        return np.array([worth[b.columns].sum() for b in self.blocks])

    def priced(self, price: Array) -> tuple[Array, float]:
        """Return costs with the coupling rows priced in, and the constant that goes with them."""
        low, high = self.program.row_lower[self.coupling], self.program.row_upper[self.coupling]
        side = np.where(price > 0, low, high)
        safe = np.where(np.isfinite(side), price, 0.0)
        constant = float((safe * np.where(np.isfinite(side), side, 0.0)).sum())
        return self.program.cost - self.coupling_rows.T @ safe, constant


def split(
    program: LinearProgram,
    coupling: NDArray[np.bool_],
    parts: int = 24,
    order: Index | None = None,
) -> Split:
    """Remove the flagged rows and return the independent components, small ones put together.

    Parameters
    ----------
    program : LinearProgram
    coupling : bool ``[row]``
    parts : int
        Components smaller than a fair share of the columns (or than ``LARGEST``, if that is less)
        are gathered into blocks of about that size.
    order : int ``[column]``, optional
        In which integers are decided where a block is too hard to be decided at once.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2)
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=1.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], upper=3.0)
    >>> parts = split(m.freeze(), np.array([False, False, True]), parts=2)
    >>> [b.columns.tolist() for b in parts.blocks]
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
    blocks = nonempty([Block(own, rows) for own, rows in members], program)
    blocks.sort(key=lambda b: -len(b.columns))
    return Split(program, np.flatnonzero(coupling), tuple(blocks), order)


def nonempty(blocks: Iterable[Block], program: LinearProgram) -> list[Block]:
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


@dataclass(frozen=True)
class BlockSolve:
    """One block to solve: its program, options, and where its search begins.

    Attributes
    ----------
    part : LinearProgram
    options : mapping
        Of the solver.
    start : float64 ``[column]``, optional
    last : bool
        Go on to a first solution where the time was too little for one.
    order : int ``[column]``, optional
        Decide the integers in this order, not at once.
    """

    part: LinearProgram
    options: Mapping[str, float]
    start: Array | None = None
    last: bool = False
    order: Index | None = None


def solve_all(
    solves: Sequence[BlockSolve],
    left: Deal,
    executor: Executor | None = None,
    done: Callable[[int, int], None] = lambda finished, total: None,
) -> list[SolverResult]:
    """Solve blocks side by side; solutions in their order.

    Parameters
    ----------
    solves : sequence of BlockSolve
    left : Deal
        The seconds of all of them: on threads what one does not need goes to those after it; on an
        executor, whose workers nobody counts, each has what it would have on two.
    executor : concurrent.futures.Executor, optional
        None: threads of this process.
    done : callable
        Called with the number of finished and of all solves, each time one is finished.

    Raises
    ------
    WorkerLost
        Where a worker of the executor died and nobody did its block again.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.parallel_solves import Clock
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=1.0, integer=True)
    >>> m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    >>> results = solve_all([BlockSolve(m.freeze(), {})] * 2, Clock(None).deal(2))
    >>> [one.objective for one in results]
    [2.0, 2.0]
    """
    if executor is None:
        finished = count(1)

        def solve(one: BlockSolve) -> SolverResult:
            found = _solve_in_turn(one, left)
            done(next(finished), len(solves))
            return found

        return in_parallel([partial(solve, one) for one in solves])
    afar = partial(_solve_afar, limit=left.limit(), end=time.time() + Clock().seconds())
    return run_tasks(afar, solves, executor=executor, done=done)


def _solve_in_turn(one: BlockSolve, left: Deal) -> SolverResult:
    return _solve(one, left.limit())


def _solve_afar(one: BlockSolve, limit: Mapping[str, float], end: float) -> SolverResult:
    """Solve on another process, or machine, until ``end``: the seconds that clocks there show."""
    with until(None if end == math.inf else end - time.time()):
        return _solve(one, limit)


def _solve(one: BlockSolve, limit: Mapping[str, float]) -> SolverResult:
    own, most = {"mip_rel_gap": 0.0, **one.options}, limit.get("time_limit")
    if one.order is not None:
        return relax_and_fix(one.part, one.order, own, most)
    highs = Highs(one.part, within(own, most))
    if one.start is not None and one.part.integer.any():
        highs.start_from(one.start)
    result = highs.solve()
    if result.status == "unknown" and one.last:
        return Highs(one.part, FIRST_FOUND).solve()
    return result


ITERATIONS = 100_000
A_ROW = 1
"""Simplex iterations that a block may take: the larger of so many, and so many a row."""


def solve_independent(parts: Split, *, time_limit: float | None = None) -> SolverResult | None:
    """Solve a linear program whose blocks meet in no row.

    The simplex method takes more than in proportion to the size of a program, and blocks go side
    by side. Optima and duals of the blocks are those of the whole.

    Parameters
    ----------
    parts : Split
        Without coupling rows; of a program without integers.
    time_limit : float, optional
        Seconds.

    Returns
    -------
    SolverResult or None
        None where a block has no optimum, too little time or takes more iterations than such
        blocks do, or where there is no block: solve the whole to learn why.

    Raises
    ------
    ValueError
        If blocks meet, or there are integers.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.decomposition.blocks import split
    >>> m = Builder()
    >>> x = m.variables("x", 2, cost=[1.0, 3.0])
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=[2.0, 5.0])
    >>> solution = solve_independent(split(m.freeze(), np.array([False, False]), parts=2))
    >>> solution.objective, solution.row_dual.tolist()
    (17.0, [1.0, 3.0])
    """
    program = parts.program
    if len(parts.coupling) or program.integer.any():
        raise ValueError("only a linear program whose blocks meet in no row falls apart")
    if not parts.blocks:
        return None
    clock = Clock(time_limit)
    solves = [
        BlockSolve(parts.part(b), {"simplex_iteration_limit": max(ITERATIONS, A_ROW * len(b.rows))})
        for b in parts.blocks
    ]
    solved = solve_all(solves, clock.deal(len(solves)))
    x, column_dual = np.zeros(len(program.cost)), np.zeros(len(program.cost))
    row_dual = np.zeros(len(program.row_lower))
    for block, own in zip(parts.blocks, solved, strict=True):
        if own.status != "optimal" or own.row_dual is None:
            return None
        x[block.columns], column_dual[block.columns] = own.x, own.column_dual
        row_dual[block.rows] = own.row_dual
    objective = sum(own.objective for own in solved) + program.offset
    return SolverResult(
        status="optimal",
        x=x,
        objective=objective,
        bound=objective,
        row_dual=row_dual,
        column_dual=column_dual,
        solver=solver_name(),
        seconds=clock.spent(),
        hand_over_s=sum(own.hand_over_s for own in solved),
    )
