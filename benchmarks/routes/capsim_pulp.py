"""The open door: the model of capsim as a PuLP problem, solved by PuLP's HiGHS or by CBC."""

from __future__ import annotations

from typing import Any

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import route


def problem_of(case: Case, phases: Phases) -> Any:
    """Formulate, and turn the arrays into a ``pulp.LpProblem``."""
    import pulp  # noqa: F401

    from capsim.lp.pulp_bridge import to_pulp
    from capsim.model.model import formulate

    scenario, demand = case.scenario
    with phases("build"):
        program = formulate(scenario, demand).program
    with phases("hand_over"):
        return to_pulp(program if case.model.integer else program.relaxed())


@route("capsim-pulp-highs", "capsim.formulate, to_pulp, PuLP's HiGHS", needs=("pulp",), whole=True)
def by_highs(case: Case, phases: Phases) -> float:
    """Solve by the HiGHS class of PuLP."""
    from benchmarks.routes.pulp_loops import solve_highs

    return solve_highs(problem_of(case, phases), case, phases)


@route("capsim-pulp-cbc", "capsim.formulate, to_pulp, CBC", needs=("pulp",), whole=True)
def by_cbc(case: Case, phases: Phases) -> float:
    """Solve by CBC; the file it reads is written within the solve."""
    import pulp
    from pulp.apis.coin_api import PULP_CBC_CMD

    problem = problem_of(case, phases)
    with phases("solve"):
        problem.solve(
            pulp.COIN_CMD(path=PULP_CBC_CMD.pulp_cbc_path, msg=False, gapRel=case.model.gap)
        )
    with phases("extract"):
        return float(pulp.value(problem.objective))
