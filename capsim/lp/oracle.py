"""SciPy's ``milp`` as a second opinion on the same arrays."""

from __future__ import annotations

import time

import numpy as np

from capsim.lp.build import Program
from capsim.lp.result import Solution


def solve_scipy(
    program: Program, *, gap: float = 1e-4, time_limit: float | None = None
) -> Solution:
    """Solve ``program`` with :func:`scipy.optimize.milp`."""
    import scipy
    from scipy.optimize import Bounds, LinearConstraint, milp

    begin = time.perf_counter()
    program = program.without_offset()
    constraints = LinearConstraint(program.matrix, program.row_lower, program.row_upper)
    result = milp(
        program.cost,
        integrality=program.integer.astype(np.int64),
        bounds=Bounds(program.lower, program.upper),
        constraints=[constraints] if program.matrix.shape[0] else [],
        options={
            "mip_rel_gap": gap,
            "disp": False,
            "time_limit": np.inf if time_limit is None else time_limit,
        },
    )
    x = None if result.x is None else np.asarray(result.x[:-1], np.float64)
    status = {0: "optimal", 1: "stopped", 2: "infeasible", 3: "unbounded"}.get(
        result.status, "error"
    )
    if status == "stopped" and x is None:
        status = "unknown"
    objective = float("nan") if result.fun is None else float(result.fun)
    bound = getattr(result, "mip_dual_bound", None)
    if not program.integer.any():
        bound = objective if status == "optimal" else -np.inf
    elif bound is not None:
        bound = float(bound)
    return Solution(
        status=status,
        x=x,
        objective=objective,
        bound=-np.inf if bound is None else bound,
        row_dual=None,
        column_dual=None,
        solver=f"scipy {scipy.__version__}",
        seconds=time.perf_counter() - begin,
    )
