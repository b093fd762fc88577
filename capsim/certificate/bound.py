"""The bound of a plan, verified: what prices of the rows prove, in safe arithmetic.

Whatever prices ``y`` of the rows a solver gives, right or wrong, no solution of the program costs
less than ``Σ_r (y_r l_r if y_r > 0 else y_r u_r) + Σ_j min (c − Aᵀy)_j x_j`` over the bounds of
the columns. It is computed here with an upper bound of every rounding error, so that it holds
exactly. A solver's bound up to it is verified; what a search for whole numbers proves beyond it, is
that solver's word, and is told apart.

Source of method: A. Neumaier and O. Shcherbina, Safe bounds in linear and mixed-integer linear
programming, Mathematical Programming 99 (2004) 283-296.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capsim.certificate.ledger import MILLION, BoundCheck, Floats

if TYPE_CHECKING:
    from capsim.lp.program import LinearProgram

UNIT = 2.0**-52
"""Twice the rounding error of one operation, relative."""
SAME = 1e-6
"""Part of the avoidable cost (at least of a million RMB) by which the two bounds may differ."""
LARGE = 200_000
"""Coefficients from which on a relaxation is solved by the interior point."""
PASSES = 20
"""Rows are looked through at most so often for bounds of columns that have none."""


def check_bound(plan: Any) -> BoundCheck | None:
    """Verify the bound of a plan as far as prices of the relaxation's rows do.

    Those that the search ended with are taken, else the relaxation is solved for them.

    Parameters
    ----------
    plan : Plan
        With a model; None is returned of one that was made of tables only.
    """
    if getattr(plan, "x", None) is None:
        return None
    model = plan.model
    program = model.at_true_costs()
    prices = plan.row_prices
    if prices is None or len(prices) != len(program.row_lower):
        prices = _relaxation_prices(program)
    proved = -math.inf if prices is None else safe_bound(program, prices)
    proved_cny = proved * MILLION + model.committed_cny
    avoidable = max(plan.objective_cny - model.committed_cny, MILLION)
    told = plan.bound_cny
    known = bool(np.isfinite(told) and np.isfinite(proved_cny))
    verified = known and told <= proved_cny + SAME * avoidable
    why = "duals" if verified else "search" if known else "none"
    return BoundCheck(verified, proved_cny, (plan.objective_cny - proved_cny) / avoidable, why)


def _relaxation_prices(program: LinearProgram) -> Floats | None:
    """Solve the relaxation: the larger by the interior point, whose prices need no corner."""
    from capsim.lp.highs import INTERIOR, Highs

    large = program.matrix.nnz > LARGE
    return Highs(program.relaxed(), INTERIOR if large else {}).solve().row_dual


def safe_bound(program: LinearProgram, prices: Floats) -> float:
    """Return what no solution of a program costs less than, proved by prices of its rows.

    Parameters
    ----------
    program : LinearProgram
        Whole numbers are taken as fractions.
    prices : float64 ``[row]``
        Any; the nearer they are to the duals of the relaxation, the better is the bound.

    Returns
    -------
    float
        With the offset; ``-inf`` where the prices prove nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2, upper=4.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], lower=6.0)
    >>> program = m.freeze(cost=np.array([1.0, 3.0]))
    >>> round(safe_bound(program, np.array([3.0])), 9), safe_bound(program, np.array([0.0]))
    (10.0, 0.0)
    """
    y = np.where(np.isfinite(prices), prices, 0.0)
    y = np.where(np.isfinite(np.where(y > 0, program.row_lower, program.row_upper)), y, 0.0)
    least, most = _reduced_costs(program, y)
    lower, upper = _with_ends(program, most > 0, least < 0)
    for less in LESS:
        endless = ((most > 0) & np.isinf(lower)) | ((least < 0) & np.isinf(upper))
        if not endless.any():
            break
        # Where a column without an end is worth what it costs, a little less for its rows will do.
        y = np.where(abs(program.matrix) @ endless > 0, (1 - less) * y, y)
        least, most = _reduced_costs(program, y)
    with np.errstate(invalid="ignore"):
        corners = np.stack([least * lower, least * upper, most * lower, most * upper])
    of_columns = np.where((least == 0) & (most == 0), 0.0, corners.min(axis=0))
    side = np.where(y > 0, program.row_lower, program.row_upper)
    of_rows = y * np.where(y == 0, 0.0, side)
    parts = np.concatenate([of_rows, of_columns, [program.offset]])
    if not np.isfinite(parts).all():
        return -math.inf
    return math.fsum(parts) - UNIT * float(np.abs(parts).sum()) * 4


LESS = (1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4)
"""Parts by which prices are lowered, one after the other, until columns without an end allow it."""


def _reduced_costs(program: LinearProgram, y: Floats) -> tuple[Floats, Floats]:
    """Return what the columns cost beyond what they are worth, at the least and at the most.

    An inner product of n terms is wrong by at most n units of the sum of their sizes.
    """
    matrix, cost = program.matrix, program.cost
    reduced = cost - matrix.T @ y
    terms = np.diff(matrix.indptr) + 3.0
    wrong = terms * UNIT * (np.abs(cost) + abs(matrix).T @ np.abs(y))
    return reduced - wrong, reduced + wrong


def _with_ends(
    program: LinearProgram, below: NDArray[np.bool_], above: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return bounds of the columns; those needed that have no end get one that rows imply.

    A row ``Σ a x ≤ u`` bounds a column by what the others leave at the least; what is found is
    widened by far more than rounding can be wrong.
    """
    lower, upper = program.lower.copy(), program.upper.copy()
    endless = (below & np.isinf(lower)) | (above & np.isinf(upper))
    if not endless.any():
        return lower, upper
    entries = program.matrix.tocoo()
    row, column, factor = entries.row, entries.col, entries.data
    row, column, factor = row[factor != 0], column[factor != 0], factor[factor != 0]
    rows = len(program.row_lower)
    for _ in range(PASSES):
        before = int(np.isinf(lower).sum() + np.isinf(upper).sum())
        for sign, limit in ((1.0, program.row_upper), (-1.0, -program.row_lower)):
            a = sign * factor
            end = np.where(a > 0, lower[column], upper[column])
            free = np.isinf(end)
            least = np.where(free, 0.0, a * np.where(free, 0.0, end))
            total = np.bincount(row, least, rows)
            size = np.bincount(row, np.abs(least), rows) + np.abs(
                np.where(np.isfinite(limit), limit, 0.0)
            )
            open_ends = np.bincount(row, free, rows)
            # All others of the row have an end: its limit leaves this column so much.
            alone = np.isfinite(limit)[row] & (open_ends[row] - free == 0)
            room = limit[row] - (total[row] - least) + WIDER * (1.0 + size[row])
            with np.errstate(invalid="ignore", over="ignore"):
                end = room / a
                end += WIDER * np.abs(end) * np.sign(a)
            high, low = alone & (a > 0), alone & (a < 0)
            np.minimum.at(upper, column[high], end[high])
            np.maximum.at(lower, column[low], end[low])
        if int(np.isinf(lower).sum() + np.isinf(upper).sum()) == before:
            break
    return lower, upper


WIDER = 1e-9
"""Part by which a bound that rows imply is widened."""
