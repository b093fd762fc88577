"""Solve a mixed-integer program block by block, with a feasible union and a proved bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from capsim.lp.blocks import WORKERS, Block, Split, in_parallel
from capsim.lp.build import Program
from capsim.lp.highs import Highs
from capsim.lp.result import Solution

Array = NDArray[np.float64]
SHARE_OF_GAP = 0.4
"""Of the gap asked for, what the search of the blocks may leave open on either side."""
LEAST_SECONDS = 1.0
BOUND_ONLY = {"mip_heuristic_effort": 0.0}
INTERIOR = {"solver": "ipm", "run_crossover": "off"}
"""How large relaxations are solved: the simplex method takes several times as long."""


class _Clock:
    """Deals what is left of a time limit out to the blocks still to be solved."""

    def __init__(self, seconds: float | None, blocks: int) -> None:
        self._end = None if seconds is None else time.perf_counter() + max(seconds, 0.0)
        self._left = blocks
        self._lock = threading.Lock()

    def options(self) -> dict[str, float]:
        """Return the time limit of the next block."""
        if self._end is None:
            return {}
        with self._lock:
            fair = (self._end - time.perf_counter()) * WORKERS / max(self._left, 1)
            self._left -= 1
        return {"time_limit": max(fair, LEAST_SECONDS)}


def solve_blocks(found: Split, *, gap: float, time_limit: float | None = None) -> Solution | None:
    """Solve by blocks; None where a block has no solution within its share (then solve it whole).

    The linear relaxation of the whole gives prices and shares of the coupling rows. Every block is
    solved twice: within its share (the union is the solution) and at the prices (the bounds add
    up).

    Parameters
    ----------
    found : Split
    gap : float
        Asked for between the union and the bound, relative to the objective with its offset.
    time_limit : float, optional
        Seconds for all of it; the status is then ``stopped`` unless the gap was reached.
    """
    begin = time.perf_counter()
    program, blocks = found.program, found.blocks
    limit = {} if time_limit is None else {"time_limit": float(time_limit)}
    relaxed = Highs(program.relaxed(), {**INTERIOR, **limit}).solve()
    if relaxed.status != "optimal" or relaxed.x is None or relaxed.row_dual is None:
        return None
    slack = gap * SHARE_OF_GAP * max(abs(relaxed.objective), 1.0) / len(blocks)
    left = None if time_limit is None else time_limit - (time.perf_counter() - begin)
    clock = _Clock(None if left is None else left / 2, len(blocks))
    shares = found.shares(relaxed.x)
    parts = [found.part(block, limit=shares[i]) for i, block in enumerate(blocks)]
    inside = in_parallel([partial(_find, part, slack, clock) for part in parts])
    x = np.zeros(len(program.cost))
    for block, solution in zip(blocks, inside, strict=True):
        if solution.x is None:
            return None
        x[block.columns] = solution.x
    x = _share_again(program, x, limit)
    objective = float(program.cost @ x + program.offset)
    left = None if time_limit is None else time_limit - (time.perf_counter() - begin)
    bound = max(relaxed.objective, _bound(found, relaxed.row_dual[found.coupling], slack, left, x))
    reached = objective - bound <= gap * max(abs(objective), 1.0)
    return Solution(
        status="optimal" if reached else "stopped",
        x=x,
        objective=objective,
        bound=bound,
        row_dual=None,
        column_dual=None,
        solver=inside[0].solver,
        seconds=time.perf_counter() - begin - relaxed.hand_over_s,
        hand_over_s=relaxed.hand_over_s,
    )


def _solve(
    part: Program,
    slack: float,
    clock: _Clock,
    options: Mapping[str, float] | None = None,
    start: Array | None = None,
) -> Solution:
    asked = {"mip_rel_gap": 0.0, "mip_abs_gap": slack, **(options or {}), **clock.options()}
    highs = Highs(part, asked)
    if start is not None and part.integer.any():
        highs.start_from(start)
    return highs.solve()


def _share_again(program: Program, x: Array, limit: Mapping[str, float]) -> Array:
    """Share the coupling rows out anew for the integers found: the whole, with these fixed."""
    again = Highs(program.fixed(x), {**INTERIOR, **limit}).solve()
    better = again.x is not None and again.objective < float(program.cost @ x + program.offset)
    return again.x if better and again.x is not None else x


def _find(part: Program, slack: float, clock: _Clock) -> Solution:
    """Solve a block; where its time was too short for any solution, go on to the first one."""
    first = _solve(part, slack, clock)
    if first.status != "unknown":
        return first
    return Highs(part, {"mip_max_improving_sols": 1}).solve()


def _bound(found: Split, price: Array, slack: float, left: float | None, x: Array) -> float:
    """Lagrangian bound at given prices: the blocks' own proved bounds and the rows' constant."""
    cost, constant = found.priced(price)
    clock = _Clock(left, len(found.blocks))

    def task(block: Block) -> Solution:
        return _solve(found.part(block, cost), slack, clock, BOUND_ONLY, x[block.columns])

    outside = in_parallel([partial(task, block) for block in found.blocks])
    return float(sum(s.bound for s in outside) + constant + found.program.offset)
