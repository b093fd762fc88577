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
class Level:
    """The best of a level, and the limit that holds for those below."""

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
    model: Model,
    program: LinearProgram,
    start: Array | None,
    aim: Criterion,
    options: SolveOptions,
) -> tuple[Level, Array]:
    """Bring one criterion to its best under a program's rows; also return the columns found.

    The search stops once a fifth of the tolerance is left unproved, that of cost also at the
    relative gap asked for.
    """
    begin = time.perf_counter()
    own, cost = minimising(program, aim), aim.name == "cost"
    tight = options if cost or is_large(own) else replace(options, gap=TIGHT)
    found = WarmSolver(model, own, tight).solve(
        own.cost,
        own.offset,
        start=start,
        absolute=0.0 if cost else PROOF * aim.tolerance,
        time_limit=options.time_limit,
    )
    x = found_x(found, f"level {aim.name!r}", start)
    best = exact_value(model, aim, x)
    bound = min(found.bound, best)
    least = max(aim.tolerance, SLACK * max(1.0, abs(best)))
    near = tight.gap * max(abs(best), 1.0) * (1 + 1e-9) if cost else 0.0
    level = Level(
        aim=aim,
        best=best,
        bound=bound,
        limit=best + least,
        proved=found.status == "optimal" and best - bound <= max(least, near),
        seconds=time.perf_counter() - begin,
        measure=partial(exact_value, model, aim),
        solver=found.solver,
    )
    return level, x


def exact_value(model: Model, aim: Criterion, x: Array) -> float:
    """Return a criterion's value with derived columns at their exact values."""
    count = len(model.program.cost)
    exact = np.concatenate([Solution(model.parts, x[:count]).exact, x[count:]])
    return aim.value(exact)
