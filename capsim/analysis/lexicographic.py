"""Plans by priority: the first criterion as good as can be, then the second, then the third.

Each *level* is solved to its own proved bound; what it reaches, plus a tolerance in its own unit,
is a limit for all levels below it (lexicographic goal programming, Ignizio 1976). A level may be
one criterion, a weighted sum of several, or fairness between areas (:mod:`.fairness`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import pandas as pd

from capsim.analysis.fairness import Fair, fair_levels
from capsim.analysis.objective_level import Level, solve_level
from capsim.demand.projection import Demand
from capsim.lp.arrays import Array
from capsim.lp.options import SolveKeywords, SolveOptions
from capsim.lp.program import LinearProgram
from capsim.lp.solution import is_number
from capsim.lp.threads import Clock
from capsim.model.model import Model, formulate, is_large
from capsim.model.objectives import (
    Criterion,
    criterion,
    holding,
    minimising,
    refuse_weights,
    weighted,
)
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solver import COUNTIES, KEPT
from capsim.plan.tie_break import break_ties
from capsim.scenario.scenario import Scenario

Priority = str | Mapping[str, float] | Fair


@dataclass(frozen=True)
class LexicographicPlan:
    """A plan by priorities.

    Attributes
    ----------
    plan : Plan
        Its ``bound_cny`` is that of the cheapest plan that keeps the levels above ``cost``.
    levels : frame
        In order: ``level``, ``criterion``, ``unit``, ``best`` (found when it was solved),
        ``bound`` (no plan that keeps the levels above can beat it), ``tolerance``, ``value`` (in
        the plan), ``proved`` (best and bound are within the tolerance, or the gap asked for),
        ``who`` (the area, of a level of fairness), ``seconds``.
    route : str
        How the programs were solved.
    """

    plan: Plan
    levels: pd.DataFrame
    route: str


def optimize_lexicographic(
    scenario: Scenario | Model,
    priorities: Sequence[Priority] = ("shortfall", "displaced", "cost"),
    *,
    tolerances: Mapping[str, float] | None = None,
    demand: Demand | None = None,
    **options: Unpack[SolveKeywords],
) -> LexicographicPlan:
    """Find the plan that is best by priorities, each within its tolerance of the best possible.

    Parameters
    ----------
    scenario : Scenario or Model
    priorities : sequence
        Most important first: names of ``CRITERIA``; mappings of names to weights (what a unit is
        worth), each one level; or :class:`Fair`, the worst-off areas first. ``cost`` comes last
        where it is not a level of its own.
    tolerances : mapping, optional
        By how much a level may be missed for those below it, by the level's name, in its own unit.
        Where not given: one child, place or class; 1 million RMB; for fairness one child of the
        largest area or 0.1 pupils a class; for weights the least that one unit of a part is worth.
    demand : Demand, optional
        Children to be placed; projected where not given.
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``. The gap is that of the cost; other levels are searched to a fifth of their
        tolerance (programs that are solved county by county: all to this gap). The seconds are for
        all levels together, shared out evenly among those left.

    Returns
    -------
    LexicographicPlan

    Raises
    ------
    ValueError
        If priorities are unknown, doubled or none, or a tolerance is negative or of none of them.
    SolverError
        If the scenario's rules contradict each other or no plan was found in time.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0)
    >>> found = optimize_lexicographic(city, ["displaced"], tolerances={"displaced": 5})
    >>> found.levels[["level", "criterion", "tolerance", "proved"]].values.tolist()
    [[1, 'displaced', 5.0, True], [2, 'cost', 1.0, True]]
    """
    solving = SolveOptions.of(optimize_lexicographic, options, without=["solver"])
    clock, tolerance = Clock(solving.time_limit), dict(tolerances or {})
    every = _checked(priorities, tolerance)
    model = scenario if isinstance(scenario, Model) else formulate(scenario, demand)
    aims = [_aim(model, priority, tolerance) for priority in every]
    program, x = model.program, None
    levels: list[Level] = []
    for at, aim in enumerate(aims):
        own = solving.within(clock.left(), len(aims) - at)
        if isinstance(aim, Fair):
            fine = tolerance.get(aim.name)
            program, x, ranks = fair_levels(model, program, x, aim, fine, own)
            levels += ranks
            continue
        level, x = solve_level(model, program, x, aim, own)
        levels.append(level)
        program = holding(program, [(aim, level.limit)])
    assert x is not None
    plan = _plan(model, program, x, levels, solving.gap, clock.spent())
    route = COUNTIES if is_large(program) else KEPT
    return LexicographicPlan(plan, _table(plan.solution.x, levels), route)


def _checked(priorities: Sequence[Priority], tolerances: Mapping[str, float]) -> list[Priority]:
    if isinstance(priorities, str) or not priorities:
        raise ValueError("priorities are a list of at least one level, most important first")
    every = list(priorities)
    if "cost" not in every:
        every.append("cost")
    for priority in every:
        if isinstance(priority, Mapping):
            refuse_weights(priority)
        elif not isinstance(priority, str | Fair):
            raise ValueError(
                "a priority is the name of a criterion, names with weights, or Fair(…), "
                f"not {priority!r}"
            )
    names = [_name(priority) for priority in every]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"a priority is named twice: {', '.join(sorted(doubled))}")
    unknown = set(tolerances) - set(names)
    if unknown:
        raise ValueError(
            f"tolerances of {', '.join(sorted(unknown))}, but the levels are {', '.join(names)}"
        )
    bad = [name for name, tol in tolerances.items() if not (is_number(tol) and tol >= 0)]
    if bad:
        raise ValueError(f"a tolerance must be a number >= 0: that of {', '.join(bad)} is not")
    return every


def _name(priority: Priority) -> str:
    if isinstance(priority, Fair):
        return priority.name
    if isinstance(priority, str):
        return priority
    return " + ".join(f"{weight:g} {name}" for name, weight in priority.items())


def _aim(model: Model, priority: Priority, tolerances: Mapping[str, float]) -> Criterion | Fair:
    if isinstance(priority, Fair):
        return priority
    aim = criterion(model, priority) if isinstance(priority, str) else weighted(model, priority)
    return replace(aim, tolerance=tolerances.get(aim.name, aim.tolerance))


def _plan(
    model: Model, program: LinearProgram, x: Array, levels: list[Level], gap: float, seconds: float
) -> Plan:
    """Make the plan with every level held, the fewest children moved among all as good."""
    cost = next(level for level in levels if level.aim.name == "cost")
    spared = cost.limit - cost.best
    allowed = gap + (spared / max(abs(cost.best), 1.0) if cost is not levels[-1] else 0.0)
    settled = break_ties(model.with_program(minimising(program, levels[-1].aim)), x)
    return make_plan(
        model,
        settled[: len(model.program.cost)],
        bound=cost.bound,
        solver=cost.solver,
        asked_gap=allowed,
        proved=all(level.proved for level in levels),
        timings_s={"build": model.build_s, "solve": seconds},
    )


def _table(x: Array, levels: list[Level]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "level": at,
            "criterion": level.aim.name,
            "unit": level.aim.unit,
            "best": level.best,
            "bound": level.bound,
            "tolerance": level.aim.tolerance,
            "value": level.measure(x),
            "proved": level.proved,
            "who": level.who,
            "seconds": level.seconds,
        }
        for at, level in enumerate(levels, start=1)
    )
