"""One door to every solver: ``highs`` (default), ``scipy``, or any that PuLP knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from capsim.lp.build import Program
from capsim.lp.highs import Highs
from capsim.lp.result import Solution, SolverError

__all__ = ["Solution", "SolverError", "solve"]


def solve(
    program: Program,
    solver: str = "highs",
    *,
    gap: float = 1e-4,
    time_limit: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> Solution:
    """Minimise ``program``.

    Parameters
    ----------
    program : Program
    solver : str
        ``highs``, ``scipy``, ``cbc``, ``pulp-highs`` or the name of any solver PuLP lists.
    gap : float
        Relative gap at which a mixed-integer solve may stop.
    time_limit : float, optional
        Seconds; a solve ended by it has status ``stopped`` or ``unknown``, never ``optimal``.
    options : mapping
        Further HiGHS options.

    Raises
    ------
    SolverError
        If the solver is unknown, missing or refuses its input, or a number of the program is none.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=1.0, integer=True)
    >>> m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    >>> solve(m.freeze()).objective
    2.0
    """
    _refuse_none(program)
    if solver == "highs":
        asked = {"mip_rel_gap": gap, "mip_abs_gap": 0.0, **(options or {})}
        if time_limit is not None:
            asked["time_limit"] = float(time_limit)
        return Highs(program, asked).solve()
    if solver == "scipy":
        from capsim.lp.oracle import solve_scipy

        return solve_scipy(program, gap=gap, time_limit=time_limit)
    from capsim.lp.door import solve_by_pulp

    return solve_by_pulp(program, solver, gap=gap, time_limit=time_limit)


def _refuse_none(program: Program) -> None:
    """Solvers take what is not a number in different ways, some without a word."""
    factors = {"cost": program.cost, "coefficient": program.matrix.data}
    bounds = {
        "column bound": (program.lower, program.upper),
        "row bound": (program.row_lower, program.row_upper),
    }
    bad = [name for name, value in factors.items() if not np.isfinite(value).all()]
    bad += [name for name, pair in bounds.items() if any(np.isnan(b).any() for b in pair)]
    if bad:
        raise SolverError(f"the program is refused: a {' and a '.join(bad)} is not finite")
