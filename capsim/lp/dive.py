"""A first solution of a mixed-integer program from its relaxation, and the search from there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from capsim.lp.build import Program
from capsim.lp.held import with_whole
from capsim.lp.highs import Highs
from capsim.lp.result import Solution


def dive(
    program: Program,
    *,
    gap: float,
    time_limit: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> Solution:
    """Search a program from the best solution that agrees with its relaxation.

    Integers that the relaxation leaves whole are held, the small program that is left is solved,
    and its solution is where the search of the whole begins: its bound is that of the whole.

    Parameters
    ----------
    program : Program
    gap, time_limit, options
        As :func:`capsim.lp.solve` takes them; the clock is for all of it.

    Returns
    -------
    Solution
    """
    begin = time.perf_counter()
    said = {"mip_abs_gap": 0.0, **(options or {})}

    def left() -> dict[str, float]:
        if time_limit is None:
            return {}
        return {"time_limit": max(time_limit - (time.perf_counter() - begin), 0.1)}

    relaxed = Highs(program.relaxed(), {**said, **left()}).solve()
    if not program.integer.any():
        return relaxed
    start = None
    if relaxed.x is not None and relaxed.status == "optimal":
        part = with_whole(program, relaxed.x)
        start = Highs(part, {**said, "mip_rel_gap": gap / 2, **left()}).solve().x
    highs = Highs(program, {**said, "mip_rel_gap": gap, **left()})
    if start is not None:
        highs.start_from(start)
    found = highs.solve()
    return replace(found, seconds=time.perf_counter() - begin)
