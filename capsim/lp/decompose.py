"""Solve a mixed-integer program block by block, with a feasible union and a proved bound."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capsim.lp.blocks import Split, in_parallel
from capsim.lp.build import Program
from capsim.lp.highs import Highs
from capsim.lp.result import Solution

Array = NDArray[np.float64]
SHARE_OF_GAP = 0.25
"""Of the gap asked for, what each block's own search may leave open."""


def solve_blocks(found: Split, *, gap: float, time_limit: float | None = None) -> Solution | None:
    """Solve by blocks; None where a block has no solution within its share (then solve it whole).

    The linear relaxation of the whole gives prices and shares of the coupling rows; every block is then
    solved twice: within its share (their union is the solution) and at the prices (their bounds add up).
    """
    begin = time.perf_counter()
    deadline = np.inf if time_limit is None else begin + time_limit

    def left() -> dict[str, float]:
        seconds = deadline - time.perf_counter()
        return {"time_limit": max(seconds, 0.1)} if np.isfinite(seconds) else {}

    relaxed = Highs(found.program.relaxed(), {"solver": "ipm", "run_crossover": "off", **left()}).solve()
    if relaxed.status != "optimal" or relaxed.x is None or relaxed.row_dual is None:
        return None
    own = {"mip_rel_gap": gap * SHARE_OF_GAP, "mip_abs_gap": 0.0}
    limits = found.shares(relaxed.x)
    inside = in_parallel(
        [
            lambda b=b, i=i: Highs(found.part(b, limit=limits[i]), {**own, **left()}).solve()  # type: ignore[misc]
            for i, b in enumerate(found.blocks)
        ]
    )
    if any(s.x is None for s in inside):
        return None
    x = np.zeros(len(found.program.cost))
    for block, solution in zip(found.blocks, inside, strict=True):
        x[block.columns] = solution.x
    objective = float(found.program.cost @ x + found.program.offset)
    bound = _bound(found, relaxed.row_dual[found.coupling], own, left)
    reached = objective - bound <= gap * max(abs(objective), 1.0)
    return Solution(
        status="optimal" if reached else "stopped",
        x=x,
        objective=objective,
        bound=bound,
        row_dual=None,
        column_dual=None,
        solver=inside[0].solver,
        seconds=time.perf_counter() - begin,
        hand_over_s=relaxed.hand_over_s,
    )


def _bound(found: Split, price: Array, own: dict[str, float], left) -> float:  # type: ignore[no-untyped-def]
    """Lagrangian bound at given prices: the blocks' own proved bounds and the rows' constant."""
    cost, constant = found.priced(price)
    outside = in_parallel(
        [
            lambda b=b: Highs(_boxed(found.part(b, cost)), {**own, **left()}).solve()  # type: ignore[misc]
            for b in found.blocks
        ]
    )
    return float(sum(s.bound for s in outside) + constant + found.program.offset)


def _boxed(program: Program) -> Program:
    """Keep a priced block bounded: nothing here is larger than a billion."""
    return replace(program, upper=np.where(np.isinf(program.upper), 1e9, program.upper))


__all__ = ["solve_blocks"]
