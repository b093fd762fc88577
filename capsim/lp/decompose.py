"""Solve a mixed-integer program block by block, with a feasible union and a proved bound."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from capsim.lp.blocks import Block, Split
from capsim.lp.build import Program
from capsim.lp.highs import INTERIOR, Highs
from capsim.lp.parallel import WORKERS, in_parallel
from capsim.lp.pricing import Priced, price_coupling
from capsim.lp.result import Solution

Array = NDArray[np.float64]
Index = NDArray[np.int64]
RELAXED = 0.2
"""Of the gap asked for, what the relaxation's own bound may leave open."""
ENOUGH = 0.85
"""Of a block's part of the gap, the distance from its bound that ends its search."""
OPEN = 0.3
"""Of a block's part of the gap, what its search may leave open between solution and bound."""
BOUND_OPEN = 0.5
"""The same where only the bound is asked for."""
ALL = 0.95
"""Of the whole gap, what blocks searched again aim at together."""
DEAR = 1e-3
"""Of a block's part of the gap, the reduced cost from which a unit of a column is not tried."""
WHOLE = 1e-6
"""Distance from a whole number that counts as none."""
LEAST_SECONDS = 1.0
BOUND_ONLY = {"mip_heuristic_effort": 0.0}


def solve_blocks(found: Split, *, gap: float, time_limit: float | None = None) -> Solution | None:
    """Solve by blocks; None where a block has no solution within its share (then solve it whole).

    1. The linear relaxation gives prices and shares of the coupling rows, and a bound.
    2. Every block is solved within its share as a small mixed-integer program: integers that the
       relaxation leaves whole stay, and columns that are dear at its prices stay out. Their union
       is a solution.
    3. Every block is solved at the prices: their proved bounds add up to a better bound.
    4. The fewest blocks far from theirs are searched again, first with dear columns out only, then
       with nothing held; then the shares are dealt out anew for the integers found.

    It ends as soon as solution and bound are as near as asked.

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
    parts = [found.part(block, limit=share) for block, share in zip(blocks, shares, strict=True)]
    lowest = np.array([program.cost[b.columns] @ relaxed.x[b.columns] for b in blocks])
    bound = relaxed.bound
    unused = [_without_dear(p, b, relaxed, part) for p, b in zip(parts, blocks, strict=True)]
    inside = _find_all(
        [_with_whole(p, b, relaxed) for p, b in zip(unused, blocks, strict=True)],
        [_near(part, low) for low in lowest],
        clock.deal(len(blocks), 0.3),
        [None] * len(blocks),
    )
    missing = [i for i, solution in enumerate(inside) if solution.x is None]
    again = _find_all(
        [parts[i] for i in missing],
        [_near(part, lowest[i]) for i in missing],
        clock.deal(len(missing), 0.4),
        [None] * len(missing),
        last=True,
    )
    for i, solution in zip(missing, again, strict=True):
        inside[i] = solution
    if any(solution.x is None for solution in inside):
        return None
    x = _union(found, inside)
    if not _reached(program, x, bound, gap):
        least, constant = _bounds(found, relaxed.price, part * BOUND_OPEN, clock, x)
        bound = max(bound, float(least.sum()) + constant)
        lowest = np.maximum(lowest, least + found.worth(relaxed.price, relaxed.x))
    for free in (unused, parts):
        if _reached(program, x, bound, gap):
            break
        far, allowed = _far([s.objective for s in inside] - lowest, part * len(blocks) * ALL)
        better = _find_all(
            [free[i] for i in far],
            [
                {"mip_abs_gap": part * OPEN, "objective_target": lowest[i] + max(allowed, part)}
                for i in far
            ],
            clock.deal(len(far), 0.7),
            [x[blocks[i].columns] for i in far],
        )
        for i, solution in zip(far, better, strict=True):
            inside[i] = inside[i] if solution.x is None else solution
        x = _union(found, inside)
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


def _without_dear(part: Program, block: Block, relaxed: Priced, gap: float) -> Program:
    """Hold unused columns at nothing where a unit of them costs a thousandth of the gap."""
    x, reduced = relaxed.x[block.columns], relaxed.reduced[block.columns]
    dear = ~part.integer & (x <= part.lower + WHOLE) & (reduced > gap * DEAR)
    return replace(part, upper=np.where(dear, part.lower, part.upper))


def _with_whole(part: Program, block: Block, relaxed: Priced) -> Program:
    """Hold the integers that the relaxation leaves whole."""
    x = relaxed.x[block.columns]
    nearest = np.clip(np.round(x), part.lower, part.upper)
    whole = part.integer & (np.abs(x - nearest) <= WHOLE)
    return replace(
        part,
        lower=np.where(whole, nearest, part.lower),
        upper=np.where(whole, nearest, part.upper),
    )


def _near(part: float, low: float) -> dict[str, float]:
    """Return the options that end a block's search near its bound ``low``."""
    return {"mip_abs_gap": part * OPEN, "objective_target": low + part * ENOUGH}


def _far(excess: Array, budget: float) -> tuple[Index, float]:
    """Return the fewest blocks whose search can bring the sum of ``excess`` within ``budget``.

    Also what each of them may keep of it.
    """
    order = np.argsort(-excess, kind="stable")
    rest = excess.sum() - np.cumsum(excess[order])
    count = int(np.argmax(rest <= budget * ENOUGH)) + 1
    return order[:count], float((budget - rest[count - 1]) / count)


def _union(found: Split, inside: Sequence[Solution]) -> Array:
    x = np.zeros(len(found.program.cost))
    for block, solution in zip(found.blocks, inside, strict=True):
        x[block.columns] = solution.x
    return x


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
    if whole.x is None or whole.row_dual is None or whole.column_dual is None:
        return None
    if whole.status != "optimal":
        return None
    price = whole.row_dual[found.coupling]
    return Priced(whole.x, price, whole.column_dual, whole.objective, whole.objective)


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


def _find_all(
    parts: Sequence[Program],
    options: Sequence[Mapping[str, float]],
    left: _Deal,
    start: Sequence[Array | None],
    *,
    last: bool = False,
) -> list[Solution]:
    """Solve blocks side by side.

    Where it is the ``last`` search, a block that had too little time goes on to a first solution.
    """

    def task(i: int) -> Solution:
        solved = _solve(parts[i], options[i], left, start[i])
        if solved.status == "unknown" and last:
            return Highs(parts[i], {"mip_max_improving_sols": 1}).solve()
        return solved

    return in_parallel([partial(task, i) for i in range(len(parts))])


def _share_again(found: Split, x: Array, relaxed: Priced, gap: float, clock: _Clock) -> Array:
    """Share the coupling rows out anew for the integers found."""
    fixed = Split(found.program.fixed(x), found.coupling, found.blocks)
    again = price_coupling(
        fixed, tolerance=gap * RELAXED, start=relaxed.price, time_limit=clock.left()
    )
    if again is None or _cost(fixed.program, again.x) >= _cost(fixed.program, x):
        return x
    return again.x


def _bounds(
    found: Split, price: Array, slack: float, clock: _Clock, x: Array
) -> tuple[Array, float]:
    """Return the blocks' proved bounds at given prices, and the constant that goes with them."""
    cost, constant = found.priced(price)
    left = clock.deal(len(found.blocks), 0.6)
    options = {"mip_abs_gap": slack, **BOUND_ONLY}

    def task(block: Block) -> Solution:
        return _solve(found.part(block, cost), options, left, x[block.columns])

    outside = in_parallel([partial(task, block) for block in found.blocks])
    return np.array([s.bound for s in outside]), constant + found.program.offset
