"""Dantzig and Wolfe's decomposition: a linear program solved block by block at prices.

The decomposition is stabilised by a box. The coupling rows carry prices; at given
prices every block is a small linear program of its own, and the blocks' least costs add up to a
bound for the whole: ``Σ_b min (c − Aᵀy) x + Σ_r (y_r l_r if y_r > 0 else y_r u_r)``. A master
program mixes the blocks' solutions found so far so that the coupling rows hold; its prices, kept
within a box around the best ones so far, are tried next. Mixture and bound meet at the optimum.

The first prices come from groups of blocks, each given its part of every coupling row.
After the first round each block is solved again from its last basis, which takes milliseconds
where the interior point needs half a minute for the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, hstack, vstack

from capsim.lp.array_types import Array
from capsim.lp.decomposition.blocks import Block, Split, nonempty
from capsim.lp.highs import INTERIOR, Basis, Highs
from capsim.lp.options_and_result import SolverResult
from capsim.lp.parallel_solves import in_parallel
from capsim.lp.program import LinearProgram

DUAL = 1e-7
"""Worth of a column below which it counts as 0, as for the simplex method."""


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
    def of(cls, program: LinearProgram, rows: csr_array, columns: NDArray[np.int64]) -> Loose:
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
            LinearProgram(
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
        """Add a block's solution: its cost, and what it uses of the rows."""
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
            np.asarray(np.tensordot(weight[block == i], np.stack(own), axes=1))
            for i, own in enumerate(solutions)
        ]
        return mixed, self._value[2 * self._rows : first]


LOOSE = {**INTERIOR, "ipm_optimality_tolerance": 1e-4}
"""First prices need not be exact."""
ROUNDS = 200
TOGETHER = 3
"""Blocks in each of the groups that first prices come from."""
RADIUS, LEAST_RADIUS = 0.01, 1e-4
"""Half width of the box at the start, relative to the price, and the least it may shrink to."""
LEAST_PRICE = 0.1
"""Share of the mean price that a row without a price may move by as if it were its own."""
GROW, GROW_LATE, SHRINK = 2.0, 4.0, 0.6
WIDEST = 1e6
"""Half width at which the coupling rows are taken to be impossible to keep."""
GOOD_STEP = 0.5
"""Share of the master's predicted gain from which on the box grows."""
MIXED = 1e-7
"""Weight of the box's own columns, in units of the rows, below which the mixture keeps the rows."""

KNOWN = 40
"""Solutions of a block that are kept for the next program."""
KEEPS = 1e-9
"""Distance from a bound at which a known solution still keeps it."""


@dataclass(frozen=True)
class Priced:
    """An optimum of the relaxation up to a tolerance.

    Attributes
    ----------
    x : float64 ``[column]``
        A mixture of the blocks' solutions that keeps every row.
    price : float64 ``[coupling row]``
        The prices of the best bound.
    reduced : float64 ``[column]``
        Reduced costs at these prices, each block's own.
    row_dual : float64 ``[row]``
        Prices of all rows: of the coupling ones, and of each block's own at these.
    bases : tuple of Basis
        Of the blocks at these prices.
    blocks : tuple of Block
        Without the columns that stand in coupling rows alone.
    objective, bound : float
        With the program's offset.
    """

    x: Array
    price: Array
    reduced: Array
    objective: float
    bound: float
    row_dual: Array
    bases: tuple[Basis, ...] = ()
    blocks: tuple[Block, ...] = ()


def price_coupling(
    split: Split,
    *,
    tolerance: float = 1e-4,
    start: Array | None = None,
    time_limit: float | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> Priced | None:
    """Solve the linear relaxation of a split program.

    Parameters
    ----------
    split : Split
        Integer columns are taken as continuous.
    tolerance : float
        Between mixture and bound, relative to the objective (at least 1).
    start : float64 ``[coupling row]``, optional
        First prices; from groups of the blocks where not given.
    time_limit : float, optional
        Seconds; None is returned when they end first.
    tell : callable
        Told after each round how far mixture and bound are apart.

    Returns
    -------
    Priced or None
        None where a block has no optimum of its own, the coupling rows cannot be kept, or time
        ran out: then solve the program whole.

    Notes
    -----
    After G. B. Dantzig and P. Wolfe, *Decomposition principle for linear programs* (1960); the box
    after O. du Merle et al., *Stabilized column generation* (1999).

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.decomposition.blocks import split
    >>> m = Builder()
    >>> x = m.variables("x", 2, upper=4.0)
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=1.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], lower=6.0)
    >>> program = m.freeze(cost=np.array([1.0, 3.0]))
    >>> priced = price_coupling(split(program, np.array([False, False, True]), parts=2))
    >>> priced.x.round(6).tolist(), round(priced.objective, 6)
    ([4.0, 2.0], 10.0)
    """
    program = split.program.relaxed()
    split = replace(split, program=program)
    return Pricer(split).price(
        program,
        tolerance=tolerance,
        start=_first_prices(split) if start is None else start,
        time_limit=time_limit,
        tell=tell,
    )


class Pricer:
    """The blocks of a split program as persistent solvers, for one program after the other.

    The programs have the same matrix and row limits; costs and bounds of their columns may differ.
    Columns that stand in coupling rows alone belong to no block but to the master program, which
    keeps the prices such that they are not worth more than they cost.

    Parameters
    ----------
    split : Split
    """

    def __init__(self, split: Split) -> None:
        program = split.program
        inner = np.ones(len(program.row_lower), bool)
        inner[split.coupling] = False
        own = program.matrix.tocsr()[np.flatnonzero(inner)]
        loose = np.asarray(abs(own).sum(axis=0)).ravel() == 0
        loose &= np.diff(split.coupling_rows.indptr) > 0
        self.rows = split.coupling_rows.tocsr()
        self.low, self.high = program.row_lower[split.coupling], program.row_upper[split.coupling]
        self.loose, self.coupling = np.flatnonzero(loose), split.coupling
        blocks = (Block(b.columns[~loose[b.columns]], b.rows) for b in split.blocks)
        self.blocks = tuple(nonempty(blocks, program))
        self.use = replace(split, blocks=self.blocks).uses()
        self._sides = [(program.row_lower[b.rows], program.row_upper[b.rows]) for b in self.blocks]
        self._solvers = [
            Highs(replace(split.part(b), integer=np.zeros(len(b.columns), bool)))
            for b in self.blocks
        ]
        self._known: list[list[Array]] = [[] for _ in self.blocks]
        self._last = np.zeros(len(self.low))

    def price(
        self,
        program: LinearProgram,
        *,
        tolerance: float = 1e-4,
        start: Array | None = None,
        time_limit: float | None = None,
        threshold: float | None = None,
        radius: float = RADIUS,
        tell: Callable[[str], None] = lambda words: None,
    ) -> Priced | None:
        """Solve the linear relaxation of ``program``, as :func:`price_coupling` says.

        Parameters
        ----------
        program : LinearProgram
        tolerance : float
        start : float64 ``[coupling row]``, optional
            First prices; those of the program before where not given, at the beginning 0.
        time_limit : float, optional
            Seconds.
        threshold : float, optional
            Stop as soon as bound or mixture says whether the optimum is above it; the other of them
            may be far. Without a mixture ``x`` is NaN.
        radius : float
            Half width of the box at the start, relative to the prices.
        tell : callable
            As of :func:`price_coupling`.
        """
        end = np.inf if time_limit is None else time.perf_counter() + time_limit
        loose = Loose.of(program, self.rows, self.loose)
        master = Master(self.low, self.high, len(self.blocks), loose)
        cost = [program.cost[b.columns] for b in self.blocks]
        self._begin(program, cost, master)
        trial = loose.allowed(self._last if start is None else start)
        best, center, width = -np.inf, np.zeros(len(self.low)), np.full(len(self.low), radius)
        for number in range(1, ROUNDS + 1):
            at, constant = _sided(trial, self.low, self.high)
            solutions = self._solve_blocks(cost, at)
            if solutions is None or time.perf_counter() > end:
                return None
            for i, solution in enumerate(solutions):
                self._offer(i, cost[i], solution.x, master)
            bound = float(sum(s.objective for s in solutions))
            bound += constant + loose.least(at) + program.offset
            gain, promised = bound - best, master.objective + program.offset - best
            if bound > best:
                best, center, at_best, bases = bound, at, solutions, self._bases()
            if threshold is not None and best > threshold:
                return self._found(program, None, center, at_best, np.inf, best, bases)
            if np.isfinite(gain) and gain < GOOD_STEP * promised:
                width = np.maximum(width * (1.0 if gain > 0 else SHRINK), LEAST_RADIUS)
            elif np.isfinite(gain):
                width = width * GROW
            while True:
                prices = master.prices(center, width * _scale(center))
                if prices is None or width.max(initial=0.0) > WIDEST:
                    return None
                trial, objective = prices, master.objective + program.offset
                close = objective - best <= tolerance * max(abs(objective), 1.0)
                close = close or (threshold is not None and objective <= threshold)
                strained = master.strained(MIXED)
                if not close or not strained.any():
                    break
                width = np.where(strained, width * GROW_LATE, width)
            apart = (objective - best) / max(abs(objective), 1.0)
            tell(f"round {number} of prices" + (f", {apart:.2%} open" if apart < 1 else ""))
            if close:
                return self._found(program, master, center, at_best, objective, best, bases)
        return None

    def _begin(self, program: LinearProgram, cost: list[Array], master: Master) -> None:
        """Load the program's bounds, and add known solutions that keep them."""
        for i, block in enumerate(self.blocks):
            lower, upper = program.lower[block.columns], program.upper[block.columns]
            self._solvers[i].change((lower, upper), self._sides[i], cost[i])
            known, self._known[i] = self._known[i][-KNOWN:], []
            for x in known:
                if (x >= lower - KEEPS).all() and (x <= upper + KEEPS).all():
                    self._offer(i, cost[i], x, master)

    def _offer(self, i: int, cost: Array, x: Array | None, master: Master) -> None:
        assert x is not None
        self._known[i].append(x)
        master.add(i, float(cost @ x), np.asarray(self.use[i] @ x))

    def _solve_blocks(self, cost: list[Array], price: Array) -> list[SolverResult] | None:
        """Solve every block at these prices; None where one has no optimum."""

        def solve(i: int) -> SolverResult:
            self._solvers[i].reprice(cost[i] - self.use[i].T @ price)
            return self._solvers[i].solve(watched=False)

        results = in_parallel([partial(solve, i) for i in range(len(self.blocks))])
        return results if all(s.status == "optimal" for s in results) else None

    def _bases(self) -> tuple[Basis, ...]:
        """Return where the blocks' last solves ended."""
        bases = (solver.basis for solver in self._solvers)
        return tuple(basis for basis in bases if basis is not None)

    def _found(
        self,
        program: LinearProgram,
        master: Master | None,
        price: Array,
        at_best: list[SolverResult],
        objective: float,
        bound: float,
        bases: tuple[Basis, ...],
    ) -> Priced:
        self._last = price
        x, reduced = np.full(len(program.cost), np.nan), np.zeros(len(program.cost))
        if master is not None:
            mixture, x[self.loose] = master.mixture(self._known)
            for block, mixed in zip(self.blocks, mixture, strict=True):
                x[block.columns] = mixed
        dual = np.zeros(len(program.row_lower))
        dual[self.coupling] = price
        for block, solution in zip(self.blocks, at_best, strict=True):
            reduced[block.columns] = solution.column_dual
            dual[block.rows] = solution.row_dual
        reduced[self.loose] = program.cost[self.loose] - self.rows[:, self.loose].T @ price
        return Priced(x, price, reduced, objective, bound, dual, bases, self.blocks)


def _scale(center: Array) -> Array:
    """Return the size of each row's price for the box: its own, or a share of the mean."""
    size = np.abs(center)
    priced = size[size > 0]
    return np.maximum(size, LEAST_PRICE * (float(priced.mean()) if len(priced) else 1.0))


def _sided(price: Array, low: Array, high: Array) -> tuple[Array, float]:
    """Drop prices that point at a side without a limit; return also what the rows contribute."""
    side = np.where(price > 0, low, high)
    bounded = np.isfinite(side)
    safe = np.where(bounded, price, 0.0)
    return safe, float((safe * np.where(bounded, side, 0.0)).sum())


def _first_prices(split: Split) -> Array:
    """Return row by row the median over groups of blocks solved with their part of the rows.

    One group's prices say as much of its own scarcity as of the whole's; the median does not.
    """
    if not len(split.coupling):
        return np.zeros(0)
    groups = max(1, round(len(split.blocks) / TOGETHER))
    members = [np.arange(i, len(split.blocks), groups) for i in range(groups)]
    mass = abs(split.coupling_rows)
    prices = in_parallel([partial(_group_prices, split, each, mass) for each in members])
    known = [p for p in prices if p is not None]
    if not known:
        return np.zeros(len(split.coupling))
    return np.asarray(np.median(known, axis=0), np.float64)


def _group_prices(split: Split, members: NDArray[np.int64], rows: csc_array) -> Array | None:
    """Return prices of the coupling rows for a few blocks, each row cut to their part of it.

    The part is that of the size of the coefficients, which are given as ``rows``.
    """
    program = split.program
    together = Block(
        np.concatenate([split.blocks[i].columns for i in members]),
        np.concatenate([split.blocks[i].rows for i in members]),
    )
    own = rows[:, np.sort(together.columns)].sum(axis=1)
    mass = own / np.maximum(rows.sum(axis=1), 1e-300)
    limit = [
        np.where(np.isfinite(side), np.where(np.isfinite(side), side, 0.0) * mass, side)
        for side in (program.row_lower[split.coupling], program.row_upper[split.coupling])
    ]
    solved = Highs(split.part(together, limit=(limit[0], limit[1])), LOOSE).solve()
    return None if solved.row_dual is None else solved.row_dual[len(together.rows) :]
