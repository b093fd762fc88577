"""Fairness between areas: the worst-off area as well off as can be, then the next, and so on.

Lexicographic min-max. With integer decisions "fix the worst area, go on with the rest" is not well
defined, as another area may be the worst in another best plan. Two exact forms are used instead:

*amounts* (children without a place, over-filled, displaced, per 100 children of the area): rank k
minimises the sum of the k largest, ``k t + Σ_a d_a`` with ``d_a ≥ f_a − t`` (Ogryczak & Śliwiński
2006);

*class size* (a ratio: pupils ÷ classes, both decided): rank k finds by bisection the least size
that at most k − 1 areas exceed, each step a program that has a solution or has none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capsim.analysis.objective_level import TIGHT, Level, solve_level
from capsim.lp.arrays import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.options import SolveOptions
from capsim.lp.program import LinearProgram
from capsim.lp.solution import is_whole
from capsim.lp.threads import Clock
from capsim.model.model import Model
from capsim.model.objectives import ROW, SLACK, Criterion, holding
from capsim.plan.solution import Solution
from capsim.plan.solver import WarmSolver

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
    """At most ``rank − 1`` areas (flagged) have larger mean classes than ``size``."""
    pupils, classes = _pupils_and_classes(model)
    own, upper = len(model.program.cost), np.nan_to_num(model.program.upper, posinf=0.0)
    capacity = classes.constants() + (abs(classes.matrix(own)) @ upper).reshape(classes.shape)
    most = capacity * max(float(model.given.space.by_stage("class_ceiling").max()), size)
    exceeds = Expression.of(flag)
    limit = pupils <= size * classes + most * exceeds[:, None, None]
    out = program.with_constraint(ROW, limit, labels=[["class size"] * most.size])
    return out.with_constraint(ROW, exceeds.total() <= rank - 1, labels=[["areas"]])
