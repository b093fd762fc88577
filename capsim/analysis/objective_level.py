"""One level of priority: a criterion brought to its best, with its bound and its limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from capsim.lp.arrays import Array
from capsim.lp.options import SolveOptions
from capsim.lp.program import LinearProgram
from capsim.model.model import Model, is_large
from capsim.model.objectives import SLACK, Criterion, minimising
from capsim.plan.solution import Solution
from capsim.plan.solver import WarmSolver, found_x

PROOF = 0.2
"""Share of a level's tolerance that its search may leave unproved."""
TIGHT = 1e-6
"""Relative gap at which the search of a level other than cost may stop."""


@dataclass(frozen=True)
class How:
    """How levels are solved: the options of the cost, and when time is up."""

    model: Model
    options: SolveOptions
    end: float | None = None

    def seconds(self, levels_left: int = 1) -> float | None:
        """Return a fair part of the time that is left; None where there is no limit."""
        if self.end is None:
            return None
        return max(self.end - time.perf_counter(), 0.0) / max(levels_left, 1)


@dataclass(frozen=True)
class Level:
    """What a level reached, and the limit that holds for those below."""

    aim: Criterion
    best: float
    bound: float
    limit: float
    proved: bool
    seconds: float
    measure: Callable[[Array], float]
    """Its exact value at a solution of the model's columns."""
    who: str = ""
    solver: str = ""


def solve_level(
    how: How,
    program: LinearProgram,
    start: Array | None,
    aim: Criterion,
    seconds: float | None = None,
) -> tuple[Level, Array]:
    """Bring one criterion to its best under a program's rows; also return the columns found.

    The search stops once a fifth of the tolerance is left unproved, that of cost also at the
    relative gap asked for.
    """
    begin = time.perf_counter()
    own = minimising(program, aim)
    cost = aim.name == "cost"
    options = how.options if cost or is_large(own) else replace(how.options, gap=TIGHT)
    again = WarmSolver(how.model, own, options)
    allowed = 0.0 if cost else PROOF * aim.tolerance
    found = again.solve(own.cost, own.offset, start=start, absolute=allowed, time_limit=seconds)
    x = found_x(found, f"level {aim.name!r}", start)
    best = exact_value(how.model, aim, x)
    bound = min(found.bound, best)
    least = max(aim.tolerance, SLACK * max(1.0, abs(best)))
    spared = best - bound
    near = options.gap * max(abs(best), 1.0) * (1 + 1e-9)
    close = spared <= least or (cost and spared <= near)
    proved = bool(found.status == "optimal" and close)
    level = Level(
        aim=aim,
        best=best,
        bound=bound,
        limit=best + least,
        proved=proved,
        seconds=time.perf_counter() - begin,
        measure=partial(exact_value, how.model, aim),
        solver=found.solver,
    )
    return level, x


def exact_value(model: Model, aim: Criterion, x: Array) -> float:
    """Return a criterion's value with derived columns at their exact values."""
    count = len(model.program.cost)
    exact = np.concatenate([Solution(model.parts, x[:count]).exact, x[count:]])
    return aim.value(exact)
