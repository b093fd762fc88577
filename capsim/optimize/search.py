"""A program with a model's rows solved by the route that its size asks for."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from capsim.lp import Program, Solution, solve
from capsim.lp.apart import solve_apart
from capsim.lp.asked import refuse_limits
from capsim.lp.blocks import Split, split
from capsim.lp.clock import Clock
from capsim.lp.decompose import solve_blocks
from capsim.lp.dive import dive
from capsim.lp.highs import INTERIOR
from capsim.optimize.model import Model, is_large


def search(
    model: Model,
    program: Program,
    solver: str = "highs",
    *,
    gap: float = 1e-3,
    time_limit: float | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
) -> Solution:
    """Minimise a program with the model's rows: whole, or county by county where it is large."""
    refuse_limits(gap, time_limit)
    options: dict[str, Any] = {} if threads is None else {"threads": threads}
    large, whole_numbers = is_large(program), bool(program.integer.any())
    clock, left, found = Clock(time_limit), time_limit, None
    if solver == "highs" and large:
        parts = split(program, model.coupling)
        if whole_numbers:
            found = solve_blocks(parts, gap=gap, time_limit=time_limit, executor=executor)
        elif _falls_apart(parts):
            found = solve_apart(parts, time_limit=time_limit)
        left = clock.left()
    drawn = whole_numbers and len(model.columns.catchments.link) > 0
    if found is None and solver == "highs" and drawn:
        found = dive(program, gap=gap, time_limit=left, options=options)
    if found is None and large and not whole_numbers:
        found = solve(program, solver, gap=gap, time_limit=left, options={**options, **INTERIOR})
        if found.status == "error":  # near the optimum, but not on it: from a corner it is plain
            found, left, options = None, clock.left(), {**options, "solver": "ipm"}
    if found is None:
        found = solve(program, solver, gap=gap, time_limit=left, options=options)
    return found


def _falls_apart(parts: Split) -> bool:
    """Whether there are several blocks and they meet in no row.

    What couples counties is what costs the simplex method its time: without it even a block of
    300,000 columns takes a sixth of the interior point's.
    """
    return len(parts.blocks) > 1 and not len(parts.coupling)
