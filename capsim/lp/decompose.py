"""Solve a mixed-integer program block by block, with a feasible union and a proved bound."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from capsim.lp.blocks import WORKERS, Block, Split, in_parallel
from capsim.lp.build import Program
from capsim.lp.highs import INTERIOR, Highs
from capsim.lp.pricing import Priced, price_coupling
from capsim.lp.result import Solution

Array = NDArray[np.float64]
RELAXED = 0.1
"""Of the gap asked for, what the relaxation's own bound may leave open."""
ENOUGH = 0.85
"""Of a block's part of the gap, the distance from its relaxation that ends its search."""
OPEN = 0.3
"""Of a block's part of the gap, what its search may leave open between solution and bound."""
LEAST_SECONDS = 1.0
BOUND_ONLY = {"mip_heuristic_effort": 0.0}


def solve_blocks(found: Split, *, gap: float, time_limit: float | None = None) -> Solution | None:
    """Solve by blocks; None where a block has no solution within its share (then solve it whole).

    The linear relaxation gives prices and shares of the coupling rows, and a bound. Every block is
    solved as a mixed-integer program within its share; their union is a solution. Where the two
    are further apart than asked, every block is solved again at the prices, and their proved
    bounds add up to a better one; then the shares are dealt out anew for the integers found.

    Parameters
    ----------
    found : Split
    gap : float
        Asked for between the union and the bound, relative to the objective with its offset.
    time_limit : float, optional
        Seconds for all of it; the status is then ``stopped`` unless the gap was reached.
    """
    clock = _Clock(time_limit)
    program, blocks = found.program, found.blocks
    relaxed = _relaxed(found, gap * RELAXED, clock)
    if relaxed is None:
        return None
    part = gap * max(abs(relaxed.objective), 1.0) / len(blocks)
    shares = found.shares(relaxed.x)
    near = [float(program.cost[b.columns] @ relaxed.x[b.columns]) + part * ENOUGH for b in blocks]
    left = clock.deal(len(blocks), 0.6)
    inside = in_parallel(
        [
            partial(
                _find,
                found.part(block, limit=shares[i]),
                {"mip_abs_gap": part * OPEN, "objective_target": near[i]},
                left,
            )
            for i, block in enumerate(blocks)
        ]
    )
    x = np.zeros(len(program.cost))
    for block, solution in zip(blocks, inside, strict=True):
        if solution.x is None:
            return None
        x[block.columns] = solution.x
    bound = relaxed.bound
    if not _reached(program, x, bound, gap):
        bound = max(bound, _bound(found, relaxed.price, part * OPEN, clock, x))
    if not _reached(program, x, bound, gap):
        x = _share_again(found, x, relaxed, gap, clock)
    return Solution(
        status="optimal" if _reached(program, x, bound, gap) else "stopped",
        x=x,
        objective=_cost(program, x),
        bound=bound,
        row_dual=None,
        column_dual=None,
        solver=inside[0].solver,
        seconds=clock.spent(),
        hand_over_s=0.0,
    )


class _Clock:
    """What is left of a time limit, if there is one."""

    def __init__(self, seconds: float | None) -> None:
        self._begin = time.perf_counter()
        self._end = None if seconds is None else self._begin + max(seconds, 0.0)

    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._begin

    def left(self) -> float | None:
        """Return the seconds left, at least a little."""
        return None if self._end is None else max(self._end - time.perf_counter(), LEAST_SECONDS)

    def limit(self) -> dict[str, float]:
        """Return what is left as an option of the solver."""
        left = self.left()
        return {} if left is None else {"time_limit": left}

    def deal(self, tasks: int, share: float = 1.0) -> _Deal:
        """Deal a share of what is left out to tasks that run side by side."""
        left = self.left()
        return _Deal(None if left is None else left * share, tasks)


class _Deal:
    """Seconds dealt to tasks in turn: what one does not need goes to those after it."""

    def __init__(self, seconds: float | None, tasks: int) -> None:
        self._end = None if seconds is None else time.perf_counter() + seconds
        self._tasks = iter(range(tasks, 0, -1))

    def limit(self) -> dict[str, float]:
        """Return the time limit of the next task."""
        if self._end is None:
            return {}
        fair = (self._end - time.perf_counter()) * WORKERS / next(self._tasks, 1)
        return {"time_limit": max(fair, LEAST_SECONDS)}


def _relaxed(found: Split, tolerance: float, clock: _Clock) -> Priced | None:
    """Solve the relaxation by prices, or whole by the interior point where that fails."""
    priced = price_coupling(found, tolerance=tolerance, time_limit=clock.left())
    if priced is not None:
        return priced
    whole = Highs(found.program.relaxed(), {**INTERIOR, **clock.limit()}).solve()
    if whole.status != "optimal" or whole.x is None or whole.row_dual is None:
        return None
    return Priced(whole.x, whole.row_dual[found.coupling], whole.objective, whole.objective)


def _cost(program: Program, x: Array) -> float:
    return float(program.cost @ x + program.offset)


def _reached(program: Program, x: Array, bound: float, gap: float) -> bool:
    objective = _cost(program, x)
    return objective - bound <= gap * max(abs(objective), 1.0)


def _solve(
    part: Program, options: Mapping[str, float], left: _Deal, start: Array | None = None
) -> Solution:
    highs = Highs(part, {"mip_rel_gap": 0.0, **options, **left.limit()})
    if start is not None and part.integer.any():
        highs.start_from(start)
    return highs.solve()


def _find(part: Program, options: Mapping[str, float], left: _Deal) -> Solution:
    """Solve a block; where its time was too short for any solution, go on to the first one."""
    first = _solve(part, options, left)
    if first.status != "unknown":
        return first
    return Highs(part, {"mip_max_improving_sols": 1}).solve()


def _share_again(found: Split, x: Array, relaxed: Priced, gap: float, clock: _Clock) -> Array:
    """Share the coupling rows out anew for the integers found."""
    fixed = Split(found.program.fixed(x), found.coupling, found.blocks)
    again = price_coupling(
        fixed, tolerance=gap * RELAXED, start=relaxed.price, time_limit=clock.left()
    )
    if again is None or _cost(fixed.program, again.x) >= _cost(fixed.program, x):
        return x
    return again.x


def _bound(found: Split, price: Array, slack: float, clock: _Clock, x: Array) -> float:
    """Lagrangian bound at given prices: the blocks' own proved bounds and the rows' constant."""
    cost, constant = found.priced(price)
    left = clock.deal(len(found.blocks), 0.8)
    options = {"mip_abs_gap": slack, **BOUND_ONLY}

    def task(block: Block) -> Solution:
        return _solve(found.part(block, cost), options, left, x[block.columns])

    outside = in_parallel([partial(task, block) for block in found.blocks])
    return float(sum(s.bound for s in outside) + constant + found.program.offset)
