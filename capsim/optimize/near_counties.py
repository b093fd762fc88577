"""The ends of levers in a large program, county by county at prices of what counties share.

*Bounds.* Let ``y`` be prices of the coupling rows and ``L(y) = Σ_b min (c − Aᵀy) x_b + const``
Lagrange's bound. A plan within the limit has ``Σ_b (c − Aᵀy) x_b + const ≤ limit``, and every other
county costs at least its least, so that county ``b`` costs at most its own least and
``limit − L(y)`` more. The least and the most of a lever under this one row, a small linear program,
bound the lever in every plan near the best. Levers of more than one county are bounded by the
relaxation of the whole, priced likewise (:mod:`capsim.lp.pricing`).

*Plans.* A county keeps its part of every coupling row and may cost what is left of the limit more;
decisions of the lever's own project or school are free, all others stay. With the rest of the best
plan each solution is a plan near the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from capsim.lp.arrays import Array, Index
from capsim.lp.blocks import Split
from capsim.lp.highs import Highs
from capsim.lp.parallel import in_parallel
from capsim.lp.pricing import Pricer, price_coupling
from capsim.optimize.levers import Lever
from capsim.optimize.model import Model
from capsim.optimize.near import Near
from capsim.optimize.near_ends import End, edge, fine, told

NEAR = 1e-4
"""How near the optimum the prices are, relative to the cost."""
NODES = 200
"""Nodes that the search for a plan may take: whatever it has found by then is one."""
LOOSE = 1e-2
"""How near the optimum the bounds of levers of the whole are, relative to the lever."""
WIDE = 10.0
"""Half width of the first box on their prices, beside those of a price of 0.1."""

Ends = tuple[End, End]


def ends_by_county(base: Near, asked: Sequence[Lever]) -> list[Ends] | None:
    """Return least and (negative) most of every lever; None where the program has no counties."""
    found = base.model.apart(base.model.program)
    priced = None if found is None else price_coupling(found, tolerance=NEAR)
    if found is None or priced is None:
        return None
    counties = in_parallel(
        [partial(_County, found, i, priced.price, base) for i in range(len(found.blocks))]
    )
    bound = sum(county.least for county in counties) + found.priced(priced.price)[1]
    room = base.allowed - (bound + found.program.offset)
    block = np.full(len(found.program.cost), -1)
    for i, each in enumerate(found.blocks):
        block[each.columns] = i
    home = [_only(block[lever.column]) for lever in asked]
    mine = [[at for at, b in enumerate(home) if b == i] for i in range(len(counties))]
    tasks = [
        partial(county.ends, [asked[at] for at in own], room)
        for county, own in zip(counties, mine, strict=True)
    ]
    ends: dict[int, Ends] = {}
    plans = [base.x]
    for county, own, (got, seen) in zip(counties, mine, in_parallel(tasks), strict=True):
        ends |= dict(zip(own, got, strict=True))
        for part in seen:
            plan = base.x.copy()
            plan[county.columns] = part
            plans.append(plan)
    whole = [at for at, b in enumerate(home) if b < 0]
    ends |= dict(zip(whole, _of_the_whole(base, [asked[at] for at in whole], plans), strict=True))
    return [ends[at] for at in range(len(asked))]


class _County:
    """A county's program: with priced rows and a limit on its cost, and as a part of the plan."""

    def __init__(self, found: Split, at: int, price: Array, base: Near) -> None:
        block = found.blocks[at]
        self.columns, self._base = block.columns, base
        self._x = base.x[block.columns]
        self._group = _groups(base.model)[block.columns]
        part = found.part(block, found.priced(price)[0])
        self._program = part
        self._bounding = Highs(replace(part, integer=np.zeros(len(part.cost), bool)))
        self.least = self._bounding.solve(watched=False).objective
        own = found.part(block, limit=found.shares(base.x)[at])
        self._own = replace(
            own,
            lower=np.where(own.integer, self._x, own.lower),
            upper=np.where(own.integer, self._x, own.upper),
        )
        self._trying = Highs(self._own, {"mip_rel_gap": 0.0, "mip_max_nodes": NODES})
        most = float(own.cost @ self._x) + base.allowed - base.best
        self._trying.add_rows(csr_array(own.cost[None, :]), *_at_most(most))

    def ends(self, asked: Sequence[Lever], room: float) -> tuple[list[Ends], list[Array]]:
        """Return the ends of this county's levers, and the solutions that were found."""
        self._bounding.add_rows(
            csr_array(self._program.cost[None, :]), *_at_most(self.least + room)
        )
        seen, out = [self._x], []
        for lever in asked:
            local = replace(lever, column=np.searchsorted(self.columns, lever.column))
            out.append((self._end(local, 1.0, seen), self._end(local, -1.0, seen)))
        return out, seen[1:]

    def _end(self, lever: Lever, sign: float, seen: list[Array]) -> End:
        best = lever.value(self._x)
        bound, near = edge(lever, self._program, sign), fine(lever, best)
        value = min(sign * lever.value(x) for x in seen)
        if value - bound > near and self._base.left() != 0.0:
            found = self._try(lever, sign)
            seen += [] if found is None else [found]
            value = min(sign * lever.value(x) for x in seen)
        if value - bound > near and self._base.left() != 0.0:
            self._bounding.reprice(sign * lever.weights(len(self._x)))
            solved = self._bounding.solve(watched=False)
            if solved.status == "optimal":
                bound = max(bound, told(lever, solved.objective))
        return End.of(lever, best, value, bound)

    def _try(self, lever: Lever, sign: float) -> Array | None:
        """Look for the end with all decisions kept but those of the lever's project or school."""
        own, highs = self._own, self._trying
        free = own.integer & np.isin(self._group, self._group[lever.column])
        lower = np.where(free, self._program.lower, own.lower)
        upper = np.where(free, self._program.upper, own.upper)
        columns = np.arange(len(lower))
        highs.bounds(columns, lower, upper)
        highs.recost(columns, sign * lever.weights(len(lower)))
        highs.start_from(self._x)
        found = highs.solve().x
        highs.bounds(columns, own.lower, own.upper)
        if found is None:
            return None
        return np.where(own.integer, np.round(found), found)


def _of_the_whole(base: Near, asked: Sequence[Lever], plans: list[Array]) -> list[Ends]:
    """Bound levers of more than one county by the relaxation; what is reached is in the plans."""
    if not asked:
        return []
    apart = base.model.with_program(base.program).apart(base.program)
    pricer = None if apart is None else Pricer(apart)

    def end(lever: Lever, sign: float) -> End:
        program = base.program
        value, bound = min(sign * lever.value(x) for x in plans), edge(lever, program, sign)
        best = lever.value(base.x)
        if pricer is not None and value - bound > fine(lever, best) and base.left() != 0.0:
            aim = replace(program, cost=sign * lever.weights(len(program.cost)), offset=0.0)
            priced = pricer.price(aim, tolerance=LOOSE, radius=WIDE, time_limit=base.left())
            bound = bound if priced is None else max(bound, told(lever, priced.bound))
        return End.of(lever, best, value, bound)

    return [(end(lever, 1.0), end(lever, -1.0)) for lever in asked]


def _at_most(limit: float) -> tuple[Array, Array]:
    return np.array([-np.inf]), np.array([limit])


def _only(block: Index) -> int:
    """Return the block of all columns; −1 where there is more than one."""
    return int(block[0]) if len(block) and (block == block[0]).all() else -1


def _groups(model: Model) -> Index:
    """Return by column the number of the project or school whose decision it is, or −1."""
    v, out = model.columns, np.full(len(model.program.cost), -1)
    projects = len(v.open)
    for first, columns in (
        (0, v.open),
        *((projects, c) for c in (v.converted, v.phase_out, v.closed, v.contract)),
        (projects, v.purchased_december),
    ):
        i, k = np.nonzero(columns >= 0)
        out[columns[i, k]] = first + i
    return out
