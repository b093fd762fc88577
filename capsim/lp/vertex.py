"""An optimal basis of a large linear program, pieced together from those of its blocks.

Prices and one-sided derivatives need a basis. On a program of a whole city the simplex method and
the crossover of the interior point take many minutes to find one. Blocks have theirs in a moment
once the coupling rows are priced, and together they are a basis of the whole, all coupling rows
being basic. With these rows' slacks written out as columns,

    min (c − Aᵀy) x + y s,   A x − s = 0,   l ≤ s ≤ u,

and every slack at the side at which its price pulls, that basis is dual feasible, and primal
infeasible in the coupling rows alone: the dual simplex method has a few hundred steps left.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csc_array, hstack

from capsim.lp.arrays import Array
from capsim.lp.blocks import Split
from capsim.lp.build import Program
from capsim.lp.highs import Basis, Highs, joined
from capsim.lp.pricing import price_coupling

NEAR = 5e-5
"""Relative distance of mixture and bound from which the simplex method is the faster one."""


def optimal_basis(found: Split, *, tolerance: float = NEAR) -> Basis | None:
    """Return an optimal basis of a split linear program, or one that is a few steps from it.

    None where the blocks' prices cannot be found.

    Parameters
    ----------
    found : Split
        Without integers.
    tolerance : float
        How near the optimum the prices of the coupling rows shall be, relative to the objective.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.blocks import split
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
    priced = price_coupling(found, tolerance=tolerance)
    if priced is None or len(priced.bases) < len(priced.blocks):
        return None
    program = found.program
    columns, rows = len(program.cost), len(program.row_lower)
    parts = zip(priced.blocks, priced.bases, strict=True)
    pieced = joined([(b.columns, b.rows, basis) for b, basis in parts], columns, rows)
    highs = Highs(_with_slacks(found, priced.price), {"presolve": "off"})
    highs.begin_at(_at_sides(found, priced.price, pieced))
    solved = highs.solve()
    if solved.status != "optimal" or highs.basis is None:
        return None
    return _without_slacks(found, highs.basis)


def _with_slacks(found: Split, price: Array) -> Program:
    """Write the coupling rows' slacks out as columns, with the prices as their costs."""
    program, at = found.program, found.coupling
    count = len(at)
    slack = coo_array(
        (-np.ones(count), (at, np.arange(count))), shape=(len(program.row_lower), count)
    )
    lower, upper = program.row_lower.copy(), program.row_upper.copy()
    lower[at] = upper[at] = 0.0
    return replace(
        program,
        cost=np.concatenate([found.priced(price)[0], price]),
        lower=np.concatenate([program.lower, program.row_lower[at]]),
        upper=np.concatenate([program.upper, program.row_upper[at]]),
        integer=np.zeros(len(program.cost) + count, bool),
        matrix=csc_array(hstack([program.matrix, slack], format="csc")),
        row_lower=lower,
        row_upper=upper,
    )


def _at_sides(found: Split, price: Array, pieced: Basis) -> Basis:
    """Widen a basis by the slacks, each at the side at which its price pulls."""
    import highspy

    status = highspy.HighsBasisStatus
    low, high = (
        np.isfinite(side[found.coupling])
        for side in (found.program.row_lower, found.program.row_upper)
    )
    below, above = low & (price >= 0), high & ~(low & (price >= 0))
    wide = pieced.wider(len(price))
    column = list(wide.raw.col_status)
    for at, (down, up) in enumerate(zip(below, above, strict=True), len(found.program.cost)):
        column[at] = status.kLower if down else status.kUpper if up else status.kZero
    wide.raw.col_status = column
    return wide


def _without_slacks(found: Split, basis: Basis) -> Basis:
    """Read each coupling row's status off its slack."""
    import highspy

    status = highspy.HighsBasisStatus
    columns = len(found.program.cost)
    column, row = list(basis.raw.col_status), list(basis.raw.row_status)
    for slack, at in zip(column[columns:], found.coupling.tolist(), strict=True):
        if row[at] != status.kBasic:
            row[at] = slack
    made = highspy.HighsBasis()
    made.col_status, made.row_status, made.valid = column[:columns], row, True
    return Basis(made)
