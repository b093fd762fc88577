"""Among all cheapest plans with the same decisions, the one that moves the fewest children.

Flows are degenerate: many share the least cost. The integers are fixed, the linear program is solved,
and every column and row that its prices pin down stays where it is (complementary slackness), which
leaves exactly the cheapest solutions. Over these a second program minimises the children displaced and
the children who change their link from one year to the next.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_array, csc_array

from capsim.lp import Program, Solution
from capsim.lp.highs import Highs
from capsim.optimize.model import Model
from capsim.optimize.parts import before

Array = NDArray[np.float64]
PRICED = 1e-7
"""Million RMB per unit above which a reduced cost or price pins its column or row."""


def settle(model: Model, x: Array) -> tuple[Array, Solution]:
    """Return the plan's columns, and the fixed-integer program's solution (with its prices)."""
    fixed = model.program.fixed(x)
    first = Highs(fixed).solve()
    if first.x is None or first.row_dual is None or first.column_dual is None:
        return x, first
    face = _cheapest(fixed, first)
    second = Highs(_fewest_moves(model, face)).solve()
    settled = first.x if second.x is None else second.x[: len(first.x)]
    settled = np.clip(settled, fixed.lower, fixed.upper)
    return settled, first


def _cheapest(program: Program, solution: Solution) -> Program:
    """Pin what has a price: the optimal face of a linear program."""
    x, price, reduced = solution.x, solution.row_dual, solution.column_dual
    assert x is not None and price is not None and reduced is not None
    activity = program.matrix @ x
    lower, upper = program.lower.copy(), program.upper.copy()
    pinned = np.abs(reduced) > PRICED
    at_lower = pinned & (np.abs(x - lower) <= np.abs(x - upper))
    at_upper = pinned & ~at_lower
    upper[at_lower] = lower[at_lower]
    lower[at_upper] = upper[at_upper]
    row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
    bound = np.abs(price) > PRICED
    low = bound & (np.abs(activity - row_lower) <= np.abs(activity - row_upper))
    high = bound & ~low
    row_upper[low] = row_lower[low]
    row_lower[high] = row_upper[high]
    return replace(program, lower=lower, upper=upper, row_lower=row_lower, row_upper=row_upper)


def _fewest_moves(model: Model, face: Program) -> Program:
    """Minimise children displaced, then (at a tenth of the weight) children who change link."""
    v, links, space = model.columns, model.parts.links, model.given.space
    grade = links.pair_grade
    inner = np.flatnonzero(~space.grade_first[grade])
    ratio = space.progression[links.area[links.pair_link[inner]], grade[inner]][:, 1:]
    now, last = v.flow[inner][:, 1:], before(v.flow[inner - 1])[:, 1:]
    moves = now.size
    row = np.arange(moves)
    columns = face.matrix.shape[1]
    entries = coo_array(
        (
            np.concatenate([np.ones(moves), -ratio.ravel()]),
            (np.concatenate([row, row]), np.concatenate([now.ravel(), last.ravel()])),
        ),
        shape=(moves, columns),
    )
    slack = coo_array((np.ones(moves), (row, row)), shape=(moves, moves))
    matrix = csc_array(block_array([[face.matrix, None], [entries, slack]], format="csc"))
    cost = np.zeros(columns + moves)
    cost[v.displaced[v.displaced >= 0]] = 1.0
    cost[columns:] = 0.1
    return Program(
        cost=cost,
        lower=np.concatenate([face.lower, np.zeros(moves)]),
        upper=np.concatenate([face.upper, np.full(moves, np.inf)]),
        integer=np.zeros(columns + moves, bool),
        matrix=matrix,
        row_lower=np.concatenate([face.row_lower, np.zeros(moves)]),
        row_upper=np.concatenate([face.row_upper, np.full(moves, np.inf)]),
    )
