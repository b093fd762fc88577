"""Sensitivity of a linear program's optimum: one-sided derivatives, and the basis they need.

The optimum as a function of how far one column is moved is convex and piecewise linear. Its two
slopes at 0 are the optima of the *tangent program*: the same matrix and costs, with every bound
that is active at the solution moved to 0 and every other taken away. The basis of the program
itself is dual feasible for it, so that each slope takes a few pivots; and the step that the
solution can follow before a further bound is hit is a range over which the slope holds (Gal,
*Postoptimal Analyses, Parametric Programming, and Related Topics*, 1995).

The derivatives are exact also where prices are degenerate. They need an optimal basis. On a program
of a whole city the simplex method and the crossover of the interior point take many minutes to find
one; `optimal_basis` pieces it together from those of its blocks. Blocks have theirs in a moment
once the coupling rows are priced, and together they are a basis of the whole, all coupling rows
being basic. With these rows' slacks written out as columns,

    min (c − Aᵀy) x + y s,   A x − s = 0,   l ≤ s ≤ u,

and every slack at the side at which its price pulls, that basis is dual feasible, and primal
infeasible in the coupling rows alone: the dual simplex method has a few hundred steps left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csc_array, hstack

from capsim.i18n.language import Message
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.decomposition.blocks import Split
from capsim.lp.decomposition.dantzig_wolfe import price_coupling
from capsim.lp.highs import Basis, Highs, combine_bases
from capsim.lp.options_and_result import NotInTime, SolverError, SolverResult
from capsim.lp.parallel_solves import Clock
from capsim.lp.program import LinearProgram

EXACT = {"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9}
ACTIVE = 1e-7
"""Distance, relative to bounds above 1, at which a bound counts as active."""
STILL = 1e-9
"""Change per unit below which a column or row does not move."""
LEAST = 1e-6
"""Units below which the basis of the optimum is taken not to follow a move at all."""
NOTHING = 1e-11
"""Slope that is left over from rounding."""
SCALE = 1e3
"""Costs are multiplied by this while solving, so that the solver's tolerance is a fine one."""


@dataclass(frozen=True)
class Margin:
    """Slope of the optimum per unit moved, and the units over which it holds at least.

    The slope is infinite, and holds for 0 units, where any move has no solution.
    """

    slope: float
    reach: float


class Margins:
    """A linear program at its optimum, with further columns that are 0 and may be moved.

    Parameters
    ----------
    program : LinearProgram
        Without integers.
    matrix : sparse ``[row, member]``
        Coefficients of the further columns.
    start : Basis, optional
        Of the program, at or near its optimum; found from nothing where not given.

    Raises
    ------
    SolverError
        If the program has no optimum.

    Examples
    --------
    Three units are needed, of which two at most cost 1 and the others 5:

    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2, cost=[1.0, 5.0])
    >>> m.constrain("need", 1, [(0, x, 1.0)], lower=3.0)
    >>> m.constrain("cheap", 1, [(0, x[0], 1.0)], upper=2.0)
    >>> margins = Margins(m.freeze(), csc_array([[0.0], [-1.0]]))
    >>> margins.along(0, 1.0), margins.along(0, -1.0)
    (Margin(slope=-4.0, reach=1.0), Margin(slope=4.0, reach=2.0))
    """

    def __init__(
        self,
        program: LinearProgram,
        matrix: csc_array,
        start: Basis | None = None,
    ) -> None:
        if program.integer.any():
            raise ValueError("prices belong to linear programs: fix the integers first")
        self.program, self.matrix = program, matrix
        none = np.zeros(matrix.shape[1])
        self._first = len(program.cost)
        self._wide = replace(
            program,
            cost=np.concatenate([program.cost, none]) * SCALE,
            lower=np.concatenate([program.lower, none]),
            upper=np.concatenate([program.upper, none]),
            integer=np.zeros(self._first + len(none), bool),
            matrix=csc_array(hstack([program.matrix, matrix], format="csc")),
            offset=0.0,
        )
        self._highs = Highs(self._wide, EXACT if start is None else {**EXACT, "presolve": "off"})
        if start is not None:
            self._highs.begin_at(start.wider(len(none)))
        found = self._highs.solve()
        if found.status != "optimal" or found.x is None or found.row_dual is None:
            if found.status == "unknown":
                text = (
                    "no prices: the program with its integers fixed is not solved in time; allow"
                    " more time"
                )
                raise NotInTime(Message(text))
            text = "no prices: the program with its integers fixed is {status}"
            raise SolverError(Message(text, {"status": Message(found.status)}))
        self._x = found.x
        self.solution = _unscaled(found, self._first, program.offset)
        self._activity = np.asarray(self._wide.matrix @ self._x, np.float64)
        self._rows = _active(self._activity, program.row_lower, program.row_upper)

    def dual_slopes(self) -> Array:
        """Return a slope of the optimum per unit of each column, ``[member]``, from one dual.

        It lies between minus the slope downwards and the slope upwards.
        """
        assert self.solution.row_dual is not None
        return np.asarray(-(self.matrix.T @ self.solution.row_dual), np.float64)

    def along(self, member: int, sign: float) -> Margin:
        """Move one further column up (``sign`` 1) or down (−1).

        Where the question's time is up the slope is that of `dual_slopes`, and the units are NaN.
        """
        if Clock().out():
            return self._from_dual(member, sign)
        column = self._first + member
        entries = self.matrix[:, [member]].tocoo()
        rows, values = entries.row.astype(np.int64), sign * entries.data
        if not (self._rows[0] | self._rows[1])[rows].any():
            return Margin(0.0, self._reach_idle(rows, values))
        kept = self._in_basis(member, sign)
        if kept is not None:
            return kept
        self._highs.bound(column, sign, sign)
        found = self._highs.solve()
        self._highs.bound(column, 0.0, 0.0)
        if found.status == "unknown" and Clock().out():
            return self._from_dual(member, sign)
        if found.status == "infeasible" or found.x is None:
            return Margin(float("inf"), 0.0)
        if found.status != "optimal":
            text = "the slope along column {number} ended as {status}"
            status = Message(found.status)
            raise SolverError(Message(text, {"number": member, "status": status}))
        at = np.flatnonzero(found.x)
        return Margin(found.objective / SCALE, self._reach(at, found.x[at]))

    def _from_dual(self, member: int, sign: float) -> Margin:
        return Margin(sign * float(self._dual_slopes[member]), float("nan"))

    @cached_property
    def _dual_slopes(self) -> Array:
        return self.dual_slopes()

    @cached_property
    def _moves(self) -> list[tuple[Index, Array] | None]:
        """Moves of the program's columns with each member in the basis of the optimum; None: none.

        From then on the solver holds the tangent program.
        """
        raw = self._highs.raw
        basic = np.asarray(raw.getBasicVariables()[1], np.int64)
        structural = np.flatnonzero(basic >= 0)
        active = self._rows[0] | self._rows[1]
        out: list[tuple[Index, Array] | None] = []
        for member in range(self.matrix.shape[1]):
            entries = self.matrix[:, [member]].tocoo()
            if not active[entries.row].any() or Clock().out():
                out.append(None)
                continue
            side = np.zeros(self.matrix.shape[0])
            side[entries.row] = entries.data
            value = -np.asarray(raw.getBasisSolve(side)[1], np.float64)[structural]
            moved = np.abs(value) > STILL
            at = basic[structural[moved]]
            other = (at >= self._first).any()  # fixed, but would have to move
            out.append(None if other else (at, value[moved]))
        columns = _active(self._x, self._wide.lower, self._wide.upper)
        self._highs.change(_tangent(*columns), _tangent(*self._rows), self._wide.cost)
        return out

    def _in_basis(self, member: int, sign: float) -> Margin | None:
        """Compute slope and reach where the basis of the optimum can follow the move; else None."""
        followed = self._moves[member]
        if followed is None:
            return None
        at = np.append(followed[0], self._first + member)
        move = sign * np.append(followed[1], 1.0)
        reach = self._reach(at, move)
        if reach < LEAST:
            return None
        slope = float(self._wide.cost[at] @ move) / SCALE
        return Margin(slope if abs(slope) > NOTHING else 0.0, reach)

    def _reach_idle(self, rows: Index, values: Array) -> float:
        lower, upper = self.program.row_lower[rows], self.program.row_upper[rows]
        return float(_steps(self._activity[rows], values, lower, upper).min(initial=np.inf))

    def _reach(self, at: Index, move: Array) -> float:
        """Compute by how many units the columns ``at`` can move so before a bound is met."""
        wide, free = self._wide, at < self._first
        own = at[free]
        columns = _steps(self._x[own], move[free], wide.lower[own], wide.upper[own])
        change = np.asarray(wide.matrix[:, at] @ move, np.float64)
        rows = np.flatnonzero(change)
        low, high = wide.row_lower[rows], wide.row_upper[rows]
        met = _steps(self._activity[rows], change[rows], low, high)
        return float(min(columns.min(initial=np.inf), met.min(initial=np.inf)))


def _active(value: Array, lower: Array, upper: Array) -> tuple[Flag, Flag]:
    """Flag the lower and the upper bounds that hold with equality."""
    with np.errstate(invalid="ignore"):
        low = np.abs(value - lower) <= ACTIVE * np.maximum(np.abs(lower), 1.0)
        high = np.abs(value - upper) <= ACTIVE * np.maximum(np.abs(upper), 1.0)
    return low & np.isfinite(lower), high & np.isfinite(upper)


def _tangent(low: Flag, high: Flag) -> tuple[Array, Array]:
    """Return bounds of a move that keeps the active bounds."""
    return np.where(low, 0.0, -np.inf), np.where(high, 0.0, np.inf)


def _steps(value: Array, change: Array, lower: Array, upper: Array) -> Array:
    """Return how far each value can follow its change until it meets a bound."""
    with np.errstate(divide="ignore", invalid="ignore"):
        up = (upper - value) / change
        down = (lower - value) / change
    step = np.where(change > STILL, up, np.where(change < -STILL, down, np.inf))
    return np.maximum(step, 0.0)


def _unscaled(found: SolverResult, columns: int, offset: float) -> SolverResult:
    assert found.x is not None
    assert found.row_dual is not None
    assert found.column_dual is not None
    value = found.objective / SCALE + offset
    return replace(
        found,
        x=found.x[:columns],
        objective=value,
        bound=value,
        row_dual=found.row_dual / SCALE,
        column_dual=found.column_dual[:columns] / SCALE,
    )


NEAR = 5e-5
"""Relative distance of mixture and bound from which the simplex method is the faster one."""


def optimal_basis(split: Split, *, tolerance: float = NEAR) -> Basis | None:
    """Return an optimal basis of a split linear program, or one that is a few steps from it.

    None where the blocks' prices cannot be found.

    Parameters
    ----------
    split : Split
        Without integers.
    tolerance : float
        How near the optimum the prices of the coupling rows shall be, relative to the objective.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.decomposition.blocks import split
    >>> m = Builder()
    >>> x = m.variables("x", 2, upper=4.0)
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=1.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], lower=6.0)
    >>> program = m.freeze(cost=np.array([1.0, 3.0]))
    >>> basis = optimal_basis(split(program, np.array([False, False, True]), parts=2))
    >>> highs = Highs(program, {"presolve": "off"})
    >>> highs.begin_at(basis)
    >>> highs.solve().objective, int(highs.raw.getInfo().simplex_iteration_count)
    (10.0, 0)
    """
    priced = price_coupling(split, tolerance=tolerance)
    if priced is None or len(priced.bases) < len(priced.blocks):
        return None
    program = split.program
    columns, rows = len(program.cost), len(program.row_lower)
    parts = zip(priced.blocks, priced.bases, strict=True)
    pieced = combine_bases([(b.columns, b.rows, basis) for b, basis in parts], columns, rows)
    highs = Highs(_with_slacks(split, priced.price), {"presolve": "off"})
    highs.begin_at(_at_sides(split, priced.price, pieced))
    solved = highs.solve()
    if solved.status != "optimal" or highs.basis is None:
        return None
    return _without_slacks(split, highs.basis)


def _with_slacks(split: Split, price: Array) -> LinearProgram:
    """Write the coupling rows' slacks out as columns, with the prices as their costs."""
    program, at = split.program, split.coupling
    count = len(at)
    slack = coo_array(
        (-np.ones(count), (at, np.arange(count))), shape=(len(program.row_lower), count)
    )
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[at] = upper[at] = 0.0
    return replace(
        program,
        cost=np.concatenate([split.priced(price)[0], price]),
        lower=np.concatenate([program.lower, program.row_lower[at]]),
        upper=np.concatenate([program.upper, program.row_upper[at]]),
        integer=np.zeros(len(program.cost) + count, bool),
        matrix=csc_array(hstack([program.matrix, slack], format="csc")),
        row_lower=lower,
        row_upper=upper,
    )


def _at_sides(split: Split, price: Array, pieced: Basis) -> Basis:
    """Widen a basis by the slacks, each at the side at which its price pulls."""
    import highspy

    status = highspy.HighsBasisStatus
    low, high = (
        np.isfinite(side[split.coupling])
        for side in (split.program.row_lower, split.program.row_upper)
    )
    below, above = low & (price >= 0), high & ~(low & (price >= 0))
    wide = pieced.wider(len(price))
    column = list(wide.raw.col_status)
    for at, (down, up) in enumerate(zip(below, above, strict=True), len(split.program.cost)):
        column[at] = status.kLower if down else status.kUpper if up else status.kZero
    wide.raw.col_status = column
    return wide


def _without_slacks(split: Split, basis: Basis) -> Basis:
    """Read each coupling row's status off its slack."""
    import highspy

    status = highspy.HighsBasisStatus
    columns = len(split.program.cost)
    column, row = list(basis.raw.col_status), list(basis.raw.row_status)
    for slack, at in zip(column[columns:], split.coupling.tolist(), strict=True):
        if row[at] != status.kBasic:
            row[at] = slack
    return Basis.of(column[:columns], row)
