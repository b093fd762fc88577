"""The program above the futures: first-stage decisions, each future's cost, and the measure.

With every future inside it is the extensive form; with a few or none it is the master of the
L-shaped method, and cuts stand for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from capsim.lp import Builder, Program
from capsim.lp.arrays import Array, Index
from capsim.optimize.stochastic.futures import Futures
from capsim.optimize.stochastic.risk import Measure


@dataclass(frozen=True)
class Top:
    """A program over ``first`` and ``total`` columns.

    Attributes
    ----------
    program : Program
        Million RMB; of the measure less its part that no decision moves.
    first : int ``[first-stage column]``
    total : int ``[future]``
        Columns with each future's discounted cost, committed cost included.
    inside : set of int
        Futures whose recourse is part of the program.
    """

    program: Program
    first: Index
    total: Index
    inside: frozenset[int]


def make_top(futures: Futures, measure: Measure, inside: Sequence[int], least: Array) -> Top:
    """Build it with the recourse of the futures ``inside``; ``least`` bounds each future's cost."""
    m = Builder()
    lower, upper = futures.bounds
    first = m.variables("first", len(futures.first), lower=lower, upper=upper)
    total = m.variables("total", futures.count, lower=least)
    seen: list[tuple[bytes, ...]] = []
    whole = [futures.whole, np.zeros(futures.count, bool)]
    for s, model in enumerate(futures.models):
        own, _ = futures.rows(s)
        program = model.program
        key = _fingerprint(program, own, futures.first)
        if key not in seen:
            seen.append(key)
            place = np.full(len(program.cost), -1, np.int64)
            place[futures.first] = first
            _add_rows(m, "first_stage", program, own, place)
    for s in inside:
        program = futures.models[s].program
        place = np.full(len(program.cost), -1, np.int64)
        place[futures.first] = first
        later = futures.later
        place[later] = m.variables(
            f"later[{s}]", len(later), lower=program.lower[later], upper=program.upper[later]
        )
        whole.append(program.integer[later])
        _add_rows(m, f"recourse[{s}]", program, futures.rows(s)[1], place)
        used = np.flatnonzero(program.cost)
        m.constrain(
            f"total[{s}]",
            1,
            [(0, total[s], 1.0), (0, place[used], -program.cost[used])],
            lower=0.0,
        )
    costs = measure.add(m, total, futures.probability)
    constant = measure.constant(futures.committed, futures.probability)
    cost = np.zeros(m.column_count)
    cost[list(costs)] = list(costs.values())
    program = m.freeze(cost=cost, offset=-constant)
    integer = np.concatenate(whole)
    integer = np.concatenate([integer, np.zeros(len(cost) - len(integer), bool)])
    return Top(replace(program, integer=integer), first, total, frozenset(inside))


def _fingerprint(program: Program, rows: Index, columns: Index) -> tuple[bytes, ...]:
    part = program.matrix[:, columns].tocsr()[rows]
    part.sort_indices()
    arrays = (
        part.indptr,
        part.indices,
        part.data,
        program.row_lower[rows],
        program.row_upper[rows],
    )
    return tuple(np.ascontiguousarray(a).tobytes() for a in arrays)


def _add_rows(m: Builder, name: str, program: Program, rows: Index, place: Index) -> None:
    """Copy rows of a program, its column ``i`` standing at ``place[i]``."""
    part = program.matrix.tocsr()[rows].tocoo()
    m.constrain(
        name,
        len(rows),
        [(part.row, place[part.col], part.data)],
        lower=program.row_lower[rows],
        upper=program.row_upper[rows],
    )
