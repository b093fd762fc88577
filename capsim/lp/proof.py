"""What a solver that PuLP ran has proved: PuLP itself keeps no bound."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from capsim.lp.build import Program

USUAL_GAP = 1e-4
"""Relative gap at which a solver stops that was given none: HiGHS, Gurobi, CPLEX, Xpress, COPT."""
EXACT = ("COIN_CMD", "PULP_CBC_CMD", "COINMP_DLL")
"""Solvers that search on to a gap of 0 where they are given none: CBC under its names in PuLP."""
WITHOUT_GAP = {
    *("gapRel", "gapAbs", "threads", "logPath", "warmStart", "presolve", "cuts", "strong"),
    *("timeMode", "maxNodes", "maxMemory"),
}
"""PuLP's own options: apart from the first two none moves the gap."""


def proved_bound(problem: Any) -> float:
    """Return what no solution of a solved PuLP problem can beat; ``-inf`` where nothing is known.

    HiGHS in process is asked for its bound, also after a time limit. Of others only the gap they
    were told to stop at is known, and only if ``sol_status`` says that they reached it: ``gapRel``
    and ``gapAbs``, else :data:`USUAL_GAP` (CBC: 0). Options in a solver's own language may hide a
    gap, so that nothing is known after them.

    Parameters
    ----------
    problem : pulp.LpProblem
        Minimised, with a solution.

    Returns
    -------
    float
        In the unit of the problem's objective, its constant included.
    """
    import pulp

    objective = float(problem.objective.value())
    constant = float(problem.objective.constant)
    solver = problem.solver
    done = problem.sol_status == pulp.LpSolutionOptimal
    mip = bool(solver.mip) and problem.isMIP()
    if done and not mip:
        return objective
    if solver.name == "HiGHS":
        return float(problem.solverModel.getInfo().mip_dual_bound) + constant if mip else -math.inf
    options = solver.optionsDict
    if not done or solver.options or set(options) - WITHOUT_GAP:
        return -math.inf
    relative, absolute = options.get("gapRel"), options.get("gapAbs")
    if relative is None and absolute is None:
        relative = 0.0 if solver.name in EXACT else USUAL_GAP
    # Solvers differ in whether the constant counts in what the gap is a share of.
    slack = max(
        _slack(value, float(relative or 0.0)) for value in (objective, objective - constant)
    )
    return objective - max(slack, float(absolute or 0.0))


def minimises(problem: Any, program: Program) -> bool:
    """Tell whether the problem made of a program still minimises what the program does."""
    import pulp

    said = np.array([problem.objective.get(v, 0.0) for v in problem.capsim_columns])
    own = sum(1 for factor in problem.objective.values() if factor) > np.count_nonzero(said)
    same = np.allclose(said, program.cost, rtol=1e-12, atol=0.0)
    return bool(problem.sense == pulp.LpMinimize and same and not own)


def _slack(objective: float, gap: float) -> float:
    """Most by which the bound is below, where a gap is a share of the larger of the two sizes."""
    if objective >= 0.0:
        return gap * objective
    return -objective * gap / (1.0 - gap) if gap < 1.0 else math.inf
