"""The plans near the best: a program that holds all those within a share of the least cost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp import Program
from capsim.lp.arrays import Array
from capsim.lp.asked import is_number
from capsim.optimize.again import Again, found_x
from capsim.optimize.criteria import criterion, holding
from capsim.optimize.level import SLACK
from capsim.optimize.model import Model, formulate, is_large

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.scenario import Scenario

GAP, GAP_LARGE = 1e-4, 1e-3
"""To which the best plan is proved where nothing is said; a quarter of the share near at most."""


@dataclass(frozen=True)
class Near:
    """All plans within ``limit`` of avoidable cost, and one of the best.

    Attributes
    ----------
    best, bound, limit : float
        Avoidable cost in million RMB, discounted: of the best plan found, what none can beat, and
        up to where plans count as near (``best`` plus the share asked for).
    allowed : float
        The limit with what the solver's tolerance takes.
    proved : bool
        Whether the best was proved to the gap asked for.
    """

    model: Model
    program: Program
    x: Array
    best: float
    bound: float
    limit: float
    allowed: float
    proved: bool
    gap: float
    solver: str
    threads: int | None
    end: float | None

    def left(self) -> float | None:
        """Return the seconds left; None where there is no limit."""
        return None if self.end is None else max(self.end - time.perf_counter(), 0.0)


def near(
    scenario: Scenario | Model,
    within: float,
    *,
    demand: Demand | None = None,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
) -> Near:
    """Find the best plan, and limit the program to plans within a share of its avoidable cost."""
    if not (is_number(within) and within > 0):
        raise ValueError(f"within must be a positive share such as 0.01, not {within!r}")
    begin = time.perf_counter()
    model = scenario if isinstance(scenario, Model) else formulate(scenario, demand)
    if gap is None:
        gap = GAP_LARGE if is_large(model.program) else GAP
    cost = criterion(model, "cost")
    first = Again(model, model.program, gap=min(gap, within / 4), threads=threads)
    found = first.solve(cost.weights, cost.constant, time_limit=time_limit)
    x = found_x(found, "the best plan").copy()
    x[model.program.integer] = np.round(x[model.program.integer])
    best = cost.value(x)
    limit = best + within * max(best, 1.0)
    allowed = limit + SLACK * max(1.0, abs(limit))
    program = holding(model.program, [(cost, allowed)])
    end = None if time_limit is None else begin + time_limit
    proved = found.status == "optimal"
    bound = min(found.bound, best)
    return Near(
        model=model,
        program=program,
        x=x,
        best=best,
        bound=bound,
        limit=limit,
        allowed=allowed,
        proved=proved,
        gap=gap,
        solver=found.solver,
        threads=threads,
        end=end,
    )
