"""Speed and memory of joint draws of enrolment."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from capsim.demand.draws import BLOCK, Spread, blocks, draw, fill, generator, shocks

DRAWS, AREAS, GRADES, YEARS = 1000, 18, 18, 10


def spread(areas: int, grades: int, leads: int) -> Spread:
    """Every part of the errors present, tails heavier than normal, births to come."""
    return Spread(
        common=np.full(leads, 0.005),
        whole=np.full((grades, leads), 0.01),
        area=np.full((areas, leads), 0.01),
        cohort=np.full((areas, grades, leads), 0.03),
        birth_sd=0.03,
        born=np.maximum(np.arange(leads) - np.arange(grades)[:, None] - 3, 0),
        freedom=6.0,
    )


def city() -> dict[str, float]:
    """CPU nanoseconds a cell of one city's joint draws, the least of 30 runs, and peak memory.

    ``draw_ns``: random numbers included; ``fill_ns``: cohorts, areas and the whole meeting in the
    cells alone; ``normal_ns``: one normal number of NumPy's, to tell the machine from the code.
    """
    pupils = np.random.default_rng(0).uniform(500, 5000, (AREAS, GRADES, YEARS))
    size = spread(AREAS, GRADES, YEARS - 1)
    made = shocks(size, pupils.shape, generator(np.random.SeedSequence(1)))
    out = np.zeros((DRAWS, *pupils.shape))

    def filled() -> None:
        for first in range(0, DRAWS, BLOCK):
            fill(pupils, made, size.cohort, out[first : first + BLOCK])

    rng = np.random.Generator(np.random.SFC64(1))
    return {
        "draw_ns": _least(lambda: draw(pupils, size, DRAWS, seed=1)) / out.size,
        "fill_ns": _least(filled) / out.size,
        "normal_ns": _least(lambda: rng.standard_normal(100_000)) / 100_000,
        "peak_mb": _peak_mb(lambda: draw(pupils, size, DRAWS, seed=1)),
    }


def nation(areas: int = 2850) -> dict[str, float]:
    """Seconds and memory of a nation's draws taken block by block."""
    pupils = np.random.default_rng(0).uniform(500, 5000, (areas, 15, 15))
    size = spread(areas, 15, 14)
    begin = time.process_time()

    def drawn() -> None:
        for part in blocks(pupils, size, DRAWS, seed=1):
            del part

    peak = _peak_mb(drawn)
    return {"cpu_s": time.process_time() - begin, "peak_mb": peak}


def _least(run: Callable[[], object], times: int = 30) -> float:
    """Least CPU time of some runs, nanoseconds."""
    spent = []
    for _ in range(times):
        begin = time.process_time_ns()
        run()
        spent.append(time.process_time_ns() - begin)
    return float(min(spent))


def _peak_mb(run: Callable[[], object]) -> float:
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6
