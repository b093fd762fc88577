"""The extensive form: every future's recourse written out in one program."""

from __future__ import annotations

import numpy as np

from capsim.lp import SolverError, solve
from capsim.optimize.stochastic.benders import Found
from capsim.optimize.stochastic.futures import Futures
from capsim.optimize.stochastic.risk import Measure
from capsim.optimize.stochastic.top import make_top


def solve_extensive(
    futures: Futures, measure: Measure, *, gap: float, time_limit: float | None = None
) -> Found:
    """Minimise the measure; ``gap`` and ``bound`` are absolute, million RMB.

    Raises
    ------
    SolverError
        If nothing is found within the time limit.
    """
    top = make_top(futures, measure, range(futures.count), np.full(futures.count, -np.inf))
    found = solve(top.program, gap=0.0, time_limit=time_limit, options={"mip_abs_gap": gap})
    if found.status == "infeasible":
        return Found(None, np.inf, np.inf, 1, 0)
    if found.x is None:
        raise SolverError(f"{found.solver} ended without a plan: {found.status}")
    point = found.x[top.first]
    first = np.where(futures.whole, np.round(point), point)
    return Found(first, found.objective, found.bound, 1, 0)
