"""capsim's own way: scenario and demand to arrays, arrays to HiGHS in one call."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("capsim", "capsim.formulate, arrays to HiGHS", whole=True)
def run(case: Case, phases: Phases) -> float:
    """Formulate from the scenario, pass, solve."""
    import highspy  # noqa: F401  (loading libraries belongs to no phase, in any route)

    from capsim.lp.highs import Highs
    from capsim.model.model import formulate

    scenario, demand = case.scenario
    with phases("build"):
        program = formulate(scenario, demand).program
        program = program if case.model.integer else program.relaxed()
    with phases("hand_over"):
        highs = Highs(program, {"mip_rel_gap": case.model.gap})
    with phases("solve"):
        found = highs.solve()
    with phases("extract"):
        if found.x is None:
            raise RuntimeError(f"capsim: {found.status}")
        return found.objective
