"""Among all cheapest plans with the same decisions, the one that moves the fewest people.

Flows are degenerate: many share the least cost. The integers are fixed, the linear program is
solved, and every column and row that its prices pin down stays where it is (complementary
slackness), which leaves exactly the cheapest solutions. Over these a second program minimises the
children displaced, the children who change their link from one year to the next and the teachers
who change their stage or county. Counties meet in few rows only; each keeps the share of them that
the plan gives it, and is settled alone.
"""

from __future__ import annotations

from functools import partial
from math import prod

import numpy as np
from numpy.typing import NDArray

from capsim.lp.array_types import Array
from capsim.lp.decomposition.blocks import Block, Split, split
from capsim.lp.expressions import Expression
from capsim.lp.highs import Highs
from capsim.lp.parallel_solves import Clock, in_parallel
from capsim.lp.program import LinearProgram
from capsim.model.data import Space
from capsim.model.model import Model

PRICED = 1e-7
"""Million RMB per unit above which a reduced cost or price pins its column or row."""
MOVE_WEIGHT = 0.1
"""A child who changes link, or a teacher who changes stage or county, beside a child displaced."""


def break_ties(model: Model, x: Array, program: LinearProgram | None = None) -> Array:
    """Return the plan's columns: same decisions, least cost, fewest children moved.

    Where the question's time is up, what is not settled yet stays as it is.

    The costs and rows are those of ``program`` where given, which may have more columns and rows
    than the model at its end; ``x`` is one of its solutions.
    """
    own = model if program is None else model.with_program(program)
    fixed = own.program.fixed(x)
    if Clock().out():
        return _kept(model, fixed, x)
    wide, moves = _with_moves(model, fixed, x)
    columns = len(fixed.cost)
    whole = np.concatenate([x, moves])
    extra = wide.matrix.shape[0] - fixed.matrix.shape[0]
    parts = split(wide, np.concatenate([own.coupling, np.zeros(extra, bool)]))
    second = np.zeros(len(wide.cost))
    v = model.columns
    second[v.displaced[v.displaced >= 0]] = 1.0
    for column in (v.to_stage, v.to_county):
        second[column[column >= 0]] = MOVE_WEIGHT
    second[columns:] = MOVE_WEIGHT
    shares = parts.shares(whole)
    found = in_parallel(
        [
            partial(_settle_block, parts, block, shares[i], second, whole)
            for i, block in enumerate(parts.blocks)
        ]
    )
    out = whole
    for block, value in zip(parts.blocks, found, strict=True):
        out[block.columns] = value
    return _kept(model, fixed, out[:columns])


def _kept(model: Model, fixed: LinearProgram, x: Array) -> Array:
    """Return the model's columns. A solver keeps bounds to its tolerance, a plan exactly."""
    kept = np.clip(x, fixed.lower, fixed.upper)
    return np.asarray(kept[: len(model.program.cost)], np.float64)


def _settle_block(
    parts: Split, block: Block, share: tuple[Array, Array], second: Array, x: Array
) -> Array:
    """Solve one block twice: for cost, then over its cheapest solutions for moves."""
    program = parts.part(block, limit=share)
    highs = Highs(program)
    first = highs.solve()
    if first.x is None or first.row_dual is None or first.column_dual is None:
        return x[block.columns]
    highs.change(
        *_cheapest(program, first.x, first.row_dual, first.column_dual), second[block.columns]
    )
    moved = highs.solve()
    return first.x if moved.x is None else moved.x


def _cheapest(
    program: LinearProgram, x: Array, price: Array, reduced: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return bounds of columns and rows with all that has a price pinned: the optimal face."""
    activity = program.matrix @ x
    return (
        _pin(x, program.lower, program.upper, np.abs(reduced) > PRICED),
        _pin(activity, program.row_lower, program.row_upper, np.abs(price) > PRICED),
    )


def _pin(
    value: Array, lower: Array, upper: Array, pinned: NDArray[np.bool_]
) -> tuple[Array, Array]:
    low = pinned & (np.abs(value - lower) <= np.abs(value - upper))
    high = pinned & ~low
    return np.where(high, upper, lower), np.where(low, lower, upper)


def _with_moves(model: Model, fixed: LinearProgram, x: Array) -> tuple[LinearProgram, Array]:
    """Add a column per link, band and year for children who leave it, with its value at ``x``.

    Of a band's grades but the stage's first: who came along from last year and is not there now.
    """
    flow, links = model.parts.x.flow, model.parts.links
    space, bands = model.given.space, model.given.space.bands
    climbs = np.isin(np.arange(len(bands.name)), bands.of_grade[~space.grade_first])
    inner = np.flatnonzero(climbs[links.pair_band])
    band, area = links.pair_band[inner], links.area[links.pair_link[inner]]
    carried, stays = (part[area, band] for part in _climbing(space))
    source = inner - bands.single[band]
    leaving = (carried * flow[source].previous() - stays * flow[inner])[:, 1:]
    wider, column = fixed.with_columns("moves", prod(leaving.shape))
    moves = Expression.of(column.reshape(leaving.shape))
    program = wider.with_constraint("moves", moves >= leaving, labels=())
    return program, np.maximum(leaving.value(x), 0.0).ravel()


def _climbing(space: Space) -> tuple[Array, Array]:
    """Return the parts of last year's and of this year's band in mid-stage.

    Arrays ``[area, band, t]``; the first holds nothing in the first year.
    """
    bands, inner = space.bands, ~space.grade_first[:, None]
    last = np.zeros_like(bands.share)
    last[:, 1:, 1:] = bands.share[:, :-1, :-1]
    return bands.total(inner * space.progression * last), bands.total(inner * bands.share)
