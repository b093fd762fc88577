"""What ``capsim.optimize`` does: scenario to arrays, and the search that their size asks for."""

from __future__ import annotations

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("capsim-search", "capsim.formulate, county by county where it is large", whole=True)
def run(case: Case, phases: Phases) -> float:
    """Formulate and search; handing over is within the search."""
    import highspy  # noqa: F401  (loading libraries belongs to no phase, in any route)

    from capsim.lp.options_and_result import SolveOptions
    from capsim.model.model import formulate
    from capsim.plan.solver import search

    scenario, demand = case.scenario
    with phases("build"):
        made = formulate(scenario, demand)
        program = made.program if case.model.integer else made.program.relaxed()
    with phases("solve"):
        found = search(made, program, SolveOptions(gap=case.model.gap))
    with phases("extract"):
        if found.x is None:
            raise RuntimeError(f"capsim-search: {found.status}")
        return found.objective
