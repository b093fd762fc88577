"""``scipy.optimize.milp`` on arrays that are already there."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("scipy", "scipy.optimize.milp on the same arrays", needs=("scipy",), whole=True)
def run(case: Case, phases: Phases) -> float:
    """Hand-over and solve are one call."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    a = case.arrays
    with phases("build"):
        rows = LinearConstraint(a["matrix"], a["row_lower"], a["row_upper"])
        bounds = Bounds(a["lower"], a["upper"])
    with phases("solve"):
        found = milp(
            a["cost"],
            integrality=a["integer"].astype(int),
            bounds=bounds,
            constraints=rows,
            options={"mip_rel_gap": case.model.gap},
        )
    with phases("extract"):
        return float(found.fun + a["offset"])
