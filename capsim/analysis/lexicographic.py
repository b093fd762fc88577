"""Plans by priority: the first criterion as good as can be, then the second, then the third.

Each *level* is solved to its own proved bound; what it reaches, plus a tolerance in its own unit,
is a limit for all levels below it (lexicographic goal programming, Ignizio 1976). A level is one
criterion, a weighted sum of several, or fairness between areas: the worst-off area as well off as
can be, then the next, and so on (lexicographic min-max). With integer decisions "fix the worst
area, go on with the rest" is not well defined, as another area may be the worst in another best
plan. Two exact forms are used instead:

*amounts* (children without a place, over-filled, displaced, per 100 children of the area): rank k
minimises the sum of the k largest, ``k t + Σ_a d_a`` with ``d_a ≥ f_a − t`` (Ogryczak & Śliwiński
2006);

*class size* (a ratio: pupils ÷ classes, both decided): rank k finds by bisection the least size
that at most k − 1 areas exceed, each step a program that has a solution or has none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Unpack

import numpy as np
import pandas as pd

from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, is_number, is_whole
from capsim.lp.parallel_solves import Clock, until
from capsim.lp.program import LinearProgram
from capsim.model.model import Model, is_large, model_of
from capsim.model.objectives import (
    ROW,
    SLACK,
    Criterion,
    criterion,
    holding,
    minimising,
    refuse_weights,
    weighted,
)
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solution_arrays import Solution
from capsim.plan.solver import SEARCH, WarmSolver, break_ties, found_x, route_of
from capsim.scenario.scenario import Scenario

PROOF = 0.2
"""Share of a level's tolerance that its search may leave unproved."""
TIGHT = 1e-6
"""Relative gap at which the search of a level other than cost may stop."""


@dataclass(frozen=True)
class Level:
    """The best of a level, and the limit that holds for those below."""

    aim: Criterion
    best: float
    bound: float
    limit: float
    proved: bool
    seconds: float
    measure: Callable[[Array], float]
    """Its exact value at a solution of the model's columns."""
    who: str = ""
    solver: str = ""


def solve_level(
    model: Model,
    program: LinearProgram,
    start: Array | None,
    aim: Criterion,
    options: SolveOptions,
) -> tuple[Level, Array]:
    """Optimise one criterion under a program's rows; also return the columns found.

    The search stops once a fifth of the tolerance is left unproved, that of cost also at the
    relative gap asked for.
    """
    begin = time.perf_counter()
    own, cost = minimising(program, aim), aim.name == "cost"
    tight = options if cost or is_large(own) else replace(options, gap=TIGHT)
    found = WarmSolver(model, own, tight).solve(
        own.cost,
        own.offset,
        start=start,
        absolute=0.0 if cost else PROOF * aim.tolerance,
        time_limit=options.time_limit,
    )
    x = found_x(found, f"level {aim.name!r}", start)
    best = exact_value(model, aim, x)
    bound = min(found.bound, best)
    least = max(aim.tolerance, SLACK * max(1.0, abs(best)))
    near = tight.gap * max(abs(best), 1.0) * (1 + 1e-9) if cost else 0.0
    level = Level(
        aim=aim,
        best=best,
        bound=bound,
        limit=best + least,
        proved=found.status == "optimal" and best - bound <= max(least, near),
        seconds=time.perf_counter() - begin,
        measure=partial(exact_value, model, aim),
        solver=found.solver,
    )
    return level, x


def exact_value(model: Model, aim: Criterion, x: Array) -> float:
    """Return a criterion's value with derived columns at their exact values."""
    count = len(model.program.cost)
    exact = np.concatenate([Solution(model.parts, x[:count]).exact, x[count:]])
    return aim.value(exact)


FAIR = ("shortfall", "displaced", "overfilled", "class_size")
FINE = 0.1
"""Pupils a class to which class sizes are searched where no tolerance is given."""


@dataclass(frozen=True)
class Fair:
    """The worst-off areas first.

    Parameters
    ----------
    what : str
        ``shortfall``, ``displaced`` or ``overfilled`` (all years, per 100 children who live in the
        area), or ``class_size`` (mean class of public schools of a compulsory stage, in the area's
        worst stage and year). Put ``shortfall`` above ``class_size``: empty classes are small.
    ranks : int
        How many of the worst-off areas are looked after, one after the other.

    Examples
    --------
    >>> Fair("shortfall", ranks=2).name
    'worst shortfall'
    """

    what: str = "shortfall"
    ranks: int = 1

    def __post_init__(self) -> None:
        if self.what not in FAIR:
            raise ValueError(f"fairness is about one of {', '.join(FAIR)}, not {self.what!r}")
        if not (is_whole(self.ranks) and self.ranks >= 1):
            raise ValueError(f"ranks must be a whole number, 1 or more, not {self.ranks!r}")

    @property
    def name(self) -> str:
        """The level's name."""
        return f"worst {self.what}"


def by_area(model: Model, what: str) -> Expression:
    """Return an amount per 100 children of each area, all years: ``[area]``."""
    x, space, providers = model.parts.x, model.given.space, model.given.providers
    areas, seat = len(space.areas), model.columns.seats.provider
    amounts = {
        "shortfall": x.shortfall.sum((1, 2)),
        "displaced": x.displaced.sum(1).group(providers.area[seat], areas),
        "overfilled": x.overfill.sum(1).group(providers.area, areas),
    }
    per_child: Array = 100.0 / np.maximum(space.children.sum(axis=(1, 2)), 1e-9)
    return amounts[what] * per_child


def class_sizes(model: Model, x: Array) -> Array:
    """Return the mean class of public schools, ``[area, compulsory stage, t]``; 0 without any."""
    pupils, classes = (found.value(x) for found in _pupils_and_classes(model))
    size = np.divide(pupils, classes, out=np.zeros_like(pupils), where=classes > 1e-9)
    return np.asarray(size, np.float64)


def _pupils_and_classes(model: Model) -> tuple[Expression, Expression]:
    """Return both of public schools, ``[area, compulsory stage, t]``."""
    x, space, providers = model.parts.x, model.given.space, model.given.providers
    mine = providers.public & space.compulsory[providers.stage]
    into = np.where(mine, providers.area, -1), (np.cumsum(space.compulsory) - 1)[providers.stage]
    cells = len(space.areas), int(space.compulsory.sum())
    size = space.by_stage("class_size")[providers.stage]
    return x.enrolled.group(into, cells), (x.seats / size[:, None]).group(into, cells)


def fair_levels(
    model: Model,
    program: LinearProgram,
    start: Array | None,
    fair: Fair,
    tolerance: float | None,
    options: SolveOptions,
) -> tuple[LinearProgram, Array, list[Level]]:
    """Solve a level of fairness rank by rank; return the program that holds it, columns, levels."""
    ranks = min(fair.ranks, len(model.given.space.areas))
    each = options.within(options.time_limit, ranks)
    levels: list[Level] = []
    for rank in range(1, ranks + 1):
        step = _class_rank if fair.what == "class_size" else _amount_rank
        program, start, level = step(model, program, start, fair, rank, tolerance, each)
        levels.append(level)
    assert start is not None
    return program, start, levels


def _amount_rank(
    model: Model,
    program: LinearProgram,
    start: Array | None,
    fair: Fair,
    rank: int,
    tolerance: float | None,
    options: SolveOptions,
) -> tuple[LinearProgram, Array, Level]:
    """Minimise the sum of the ``rank`` largest amounts."""
    amount = by_area(model, fair.what)
    areas, own = len(model.given.space.areas), len(model.program.cost)
    children = model.given.space.children.sum(axis=(1, 2))
    name = f"{fair.name},{rank}"
    wide, at = program.with_columns(name, areas + 1)
    threshold, beyond = Expression.of(at[:1]), Expression.of(at[1:])
    wide = wide.with_constraint(ROW, amount <= threshold + beyond, labels=[[name] * areas])
    weights = np.zeros(len(wide.cost))
    weights[at[0]], weights[at[1:]] = rank, 1.0
    together = "the worst area" if rank == 1 else f"the {rank} worst areas together"
    aim = Criterion(
        f"{fair.name} {rank}",
        f"per 100 children, {together}",
        weights,
        tolerance=100.0 / float(children.max()) if tolerance is None else tolerance,
    )
    if start is not None:
        start = np.concatenate([start, _ordered(amount.value(start), rank)])
    level, x = solve_level(model, wide, start, aim, options)
    exact = amount.value(Solution(model.parts, x[:own]).exact)
    x[at] = _ordered(exact, rank)
    best = aim.value(x)
    who = str(model.given.space.areas[np.argsort(-exact, kind="stable")[rank - 1]])
    limit = best + level.limit - level.best
    level = replace(
        level,
        best=best,
        bound=min(level.bound, best),
        limit=limit,
        who=who,
        measure=lambda x: _largest(amount.value(Solution(model.parts, x).exact), rank),
    )
    return holding(wide, [(aim, limit)]), x, level


def _largest(value: Array, rank: int) -> float:
    return float(np.sort(value)[-rank:].sum())


def _ordered(value: Array, rank: int) -> Array:
    """Return ``t`` and ``d`` with ``rank · t + Σ d`` the sum of the ``rank`` largest values."""
    t = np.sort(value)[-rank]
    return np.concatenate([[max(t, 0.0)], np.maximum(value - max(t, 0.0), 0.0)])


def _class_rank(
    model: Model,
    program: LinearProgram,
    start: Array | None,
    fair: Fair,
    rank: int,
    tolerance: float | None,
    options: SolveOptions,
) -> tuple[LinearProgram, Array, Level]:
    """Bisect on the class size that at most ``rank − 1`` areas exceed."""
    clock = Clock(options.time_limit)
    fine = FINE if tolerance is None else max(tolerance, 1e-3)
    if start is None:
        free = Criterion("any plan", "", np.zeros(len(program.cost)))
        _, start = solve_level(model, program, None, free, options)
    areas = model.given.space.areas
    own = len(model.program.cost)
    wide, at = program.with_columns(f"{fair.name},{rank}", len(areas), upper=1.0, integer=True)

    def reached(x: Array) -> tuple[float, str]:
        worst = class_sizes(model, x[:own]).max(axis=(1, 2), initial=0.0)
        order = np.argsort(-worst, kind="stable")
        return float(worst[order[rank - 1]]), str(areas[order[rank - 1]])

    best, who = reached(start)
    x = np.concatenate([start, np.zeros(len(areas))])
    x = _exceeding(model, x, at, best)
    bound, proved = 0.0, True
    while best - bound > fine:
        size = (best + bound) / 2
        tried = _at_most(model, wide, at, size, rank)
        solver = WarmSolver(model, tried, replace(options, gap=TIGHT))
        found = solver.solve(np.zeros(len(tried.cost)), time_limit=clock.left())
        if found.x is not None:
            x = found.x
            now, who = reached(x)
            best = min(now, size)
        elif found.status == "infeasible":
            bound = size
        else:
            proved = False
            break
    limit = best + max(fine, SLACK * best)
    aim = Criterion(f"{fair.name} {rank}", "pupils a class", np.zeros(own), tolerance=fine)
    level = Level(
        aim=aim,
        best=best,
        bound=bound,
        limit=limit,
        proved=proved,
        seconds=clock.spent(),
        measure=lambda x: reached(x)[0],
        who=who,
    )
    return _at_most(model, wide, at, limit, rank), _exceeding(model, x, at, limit), level


def _exceeding(model: Model, x: Array, at: Index, size: float) -> Array:
    """Set the flags of areas whose worst class is larger than ``size``."""
    worst = class_sizes(model, x[: len(model.program.cost)]).max(axis=(1, 2), initial=0.0)
    x = x.copy()
    x[at] = worst > size * (1 + 1e-9)
    return x


def _at_most(
    model: Model, program: LinearProgram, flag: Index, size: float, rank: int
) -> LinearProgram:
    """Add rows: at most ``rank − 1`` areas (flagged) have larger mean classes than ``size``."""
    pupils, classes = _pupils_and_classes(model)
    own, upper = len(model.program.cost), np.nan_to_num(model.program.upper, posinf=0.0)
    capacity = classes.constants() + (abs(classes.matrix(own)) @ upper).reshape(classes.shape)
    most = capacity * max(float(model.given.space.by_stage("class_ceiling").max()), size)
    exceeds = Expression.of(flag)
    limit = pupils <= size * classes + most * exceeds[:, None, None]
    out = program.with_constraint(ROW, limit, labels=[["class size"] * most.size])
    return out.with_constraint(ROW, exceeds.total() <= rank - 1, labels=[["areas"]])


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
    tolerance = dict(tolerances or {})
    every = _checked(priorities, tolerance)
    with until(solving.time_limit) as clock:
        return _by_levels(model_of(scenario, demand), every, tolerance, solving, clock)


def _by_levels(
    model: Model,
    every: Sequence[Priority],
    tolerance: Mapping[str, float],
    solving: SolveOptions,
    clock: Clock,
) -> LexicographicPlan:
    aims = [_aim(model, priority, tolerance) for priority in every]
    program, x = model.program, None
    levels: list[Level] = []
    for at, aim in enumerate(aims):
        own = solving.within(clock.left(), (len(aims) - at) / SEARCH)
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
    route = route_of(model, program)
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
    """Make the plan with every level kept, the fewest children moved among all as good."""
    cost = next(level for level in levels if level.aim.name == "cost")
    spared = cost.limit - cost.best
    allowed = gap + (spared / max(abs(cost.best), 1.0) if cost is not levels[-1] else 0.0)
    return make_plan(
        model,
        break_ties(model, x, minimising(program, levels[-1].aim)),
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
