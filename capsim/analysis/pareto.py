"""Trade-offs: plans of which none can be improved in one criterion without loss in another.

The ε-constraint method (Haimes, Lasdon & Wismer 1971) over a grid of limits on all criteria but the
first. Each point is brought to its best criterion by criterion under its limits, so that no plan is
as good in all and better in one (to the gaps proved). A limit whose answer follows from a point
already found is not solved again (as in AUGMECON2, Mavrotas & Florios 2013).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import pandas as pd

from capsim.analysis.lexicographic import exact_value
from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Flag
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverResult, is_whole
from capsim.lp.parallel_solves import Clock, until
from capsim.model.model import Model, model_of
from capsim.model.objectives import SLACK, Criterion, criterion, holding, minimising, slackened
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solver import WarmSolver, break_ties, found_x, search
from capsim.scenario.scenario import Scenario

GAP = 1e-4
"""To which each step is proved where nothing is said."""
FIRST = 2.0
"""Part of the time that a search may take which has no plan to begin from."""


@dataclass(frozen=True)
class Front:
    """Plans of which none is better than another in every criterion.

    Attributes
    ----------
    criteria : tuple of Criterion
    table : frame
        By the first criterion: ``point``, a column for each criterion, ``bound`` (no plan within
        the point's limits has less of the first criterion), ``proved`` (every step of the point
        ended with the gap asked for), ``seconds``.
    complete : bool
        Whether the whole grid was searched; False where time ran out.
    route : str
        How the programs were solved.
    """

    model: Model
    criteria: tuple[Criterion, ...]
    table: pd.DataFrame
    complete: bool
    route: str
    columns: tuple[Array, ...]
    solver: str
    gap: float
    relax: bool = False

    def plan(self, point: int) -> Plan:
        """Return the plan of a point (its ``point`` in the table), flows settled.

        Where cost comes first, ``bound_cny`` is that of the cheapest plan within the point's
        limits; else that of the linear relaxation.
        """
        if point not in range(len(self.columns)):
            raise ValueError(f"a point is one of 0 to {len(self.columns) - 1}, not {point!r}")
        if self.relax:
            raise ValueError("a point of the relaxation is no plan: its decisions are fractions")
        row, model = self.table.iloc[point], self.model
        limits = [(aim, slackened(float(row[aim.name]))) for aim in self.criteria]
        cheapest = holding(minimising(model.program, criterion(model, "cost")), limits)
        by_cost = self.criteria[0].name == "cost"
        return make_plan(
            model,
            break_ties(model, self.columns[point], cheapest),
            bound=float(row["bound"]) if by_cost else search(model, model.program.relaxed()).bound,
            solver=self.solver,
            asked_gap=self.gap,
            proved=bool(row["proved"]),
        )


@dataclass
class _Point:
    limits: Array
    value: Array
    x: Array
    bound: float
    proved: bool
    seconds: float


def pareto(
    scenario: Scenario | Model,
    criteria: Sequence[str] = ("cost", "displaced"),
    *,
    points: int = 9,
    demand: Demand | None = None,
    relax: bool = False,
    progress: Callable[[str], None] = lambda words: None,
    **options: Unpack[SolveKeywords],
) -> Front:
    """Find plans that trade two or three criteria off against each other.

    Parameters
    ----------
    scenario : Scenario or Model
    criteria : sequence of str
        Two or three of ``CRITERIA``; the first is minimised, the others are limited step by step.
    points : int
        Limits on each criterion after the first, evenly between its best and what it is where
        another is best (of two criteria exactly the front's ends; of three the payoff table's).
    demand : Demand, optional
        Children to be placed; projected where not given.
    relax : bool
        Of the linear relaxation only: a front that no plan can beat, and points that are no plans.
    progress : callable, optional
        Told how many points have been looked at; it may raise to stop.
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``. The gap, 1e-4 where not given, is of each step; the seconds are for the
        whole front, of which what is found by then is returned.

    Returns
    -------
    Front

    Raises
    ------
    ValueError
        If criteria are unknown, doubled or not two or three, or points are fewer than 2.
    SolverError
        If the scenario's rules contradict each other or no plan was found in time.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=1, pupils=600, years=(2021, 2022), seed=0)
    >>> front = pareto(city, ("cost", "surplus"), points=3)
    >>> front.table["cost"].is_monotonic_increasing, front.table["surplus"].is_monotonic_decreasing
    (True, True)
    """
    solving = SolveOptions.of(pareto, options, gap=GAP, without=["solver"])
    names = tuple(criteria)
    if isinstance(criteria, str) or len(names) not in (2, 3) or len(set(names)) != len(names):
        raise ValueError(f"a trade-off is between two or three different criteria, not {criteria}")
    if not (is_whole(points) and points >= 2):
        raise ValueError(f"points must be a whole number, 2 or more, not {points!r}")
    with until(solving.time_limit) as clock:
        model = model_of(scenario, demand)
        aims = tuple(criterion(model, name) for name in names)
        order = range(len(aims))
        steps = _Steps(model, aims, relax, solving, len(aims) + points ** (len(aims) - 1))
        free = np.full(len(aims), np.inf)
        found: list[_Point] = []
        for k in order:
            progress(f"the best of {names[k]}")
            if found and clock.out():
                break
            end = steps.point(free, [k, *(i for i in order if i != k)], found)
            found += [] if end is None else [end]
        payoff = np.stack([point.value for point in found])
        best, worst = payoff.min(axis=0), payoff.max(axis=0)
        limits = [np.linspace(worst[k], best[k], points) for k in order[1:]]
        complete = _fill(steps, found, list(itertools.product(*limits)), progress)
    table, kept = _table(found, names)
    return Front(
        model=model,
        criteria=aims,
        table=table,
        complete=complete,
        route=steps.solver.route,
        columns=tuple(found[i].x for i in kept),
        solver=steps.name,
        gap=solving.gap,
        relax=relax,
    )


def _fill(
    steps: _Steps,
    found: list[_Point],
    grid: Sequence[tuple[float, ...]],
    progress: Callable[[str], None],
) -> bool:
    """Solve every limit of the grid whose answer is not known yet; whether all were solved."""
    impossible: list[Array] = []
    complete = True
    for number, limits in enumerate(grid):
        progress(f"trade-off: {number} of {len(grid)} limits")
        limit = np.array([np.inf, *map(slackened, limits)])
        if any((limit <= other).all() for other in impossible):
            continue
        if any((p.limits >= limit).all() and (p.value <= limit).all() for p in found):
            continue
        if steps.clock.out():
            return False
        point = steps.point(limit, list(range(len(limit))), found)
        if point is not None:
            found.append(point)
        elif steps.status == "infeasible":
            impossible.append(limit)
        else:
            complete = False
    return complete


class _Steps:
    """One kept program with a row for each criterion, minimised criterion by criterion.

    The time is shared out evenly among the solves that ``points`` take at most, but that a search
    which begins from nothing may take half of it.
    """

    def __init__(
        self,
        model: Model,
        aims: tuple[Criterion, ...],
        relax: bool,
        options: SolveOptions,
        points: int,
    ) -> None:
        self.model, self.aims, self.relax = model, aims, relax
        # Where cost is not among the criteria, of all that are as good the cheapest is taken.
        with_cost = any(aim.name == "cost" for aim in aims)
        self._every = aims if with_cost else (*aims, criterion(model, "cost"))
        program = model.program.relaxed() if relax else model.program
        program = holding(program, [(aim, np.inf) for aim in self._every])
        self.solver = WarmSolver(model, program, options)
        self.clock, self._ahead = Clock(), points * len(self._every)
        self.status = self.name = ""

    def point(self, limits: Array, order: list[int], known: Sequence[_Point] = ()) -> _Point | None:
        """Optimise the criteria in this order within limits; None without a solution."""
        begin, count = time.perf_counter(), len(self.aims)
        upper = np.full(len(self._every), np.inf)
        upper[:count] = limits
        x, bound, proved = _within(known, limits), -np.inf, True
        for k in [*order, *range(count, len(self._every))]:
            found = self._solve(upper, k, x)
            self.status, self.name = found.status, found.solver
            if found.x is None and x is None and known:
                return None
            proved &= found.status == "optimal"
            x = found_x(found, "trade-off", x)
            if k == 0:
                bound, limits = found.bound, upper[:count].copy()
            upper[k] = min(upper[k], slackened(self._value(self._every[k], x)))
        assert x is not None
        value = np.array([self._value(aim, x) for aim in self.aims])
        return _Point(limits, value, x, bound, proved, time.perf_counter() - begin)

    def _solve(self, upper: Array, k: int, start: Array | None) -> SolverResult:
        row_upper = self.solver.program.row_upper.copy()
        row_upper[-len(upper) :] = upper - [aim.constant for aim in self._every]
        aim, left = self._every[k], self.clock.left()
        ahead = FIRST if start is None else max(self._ahead, 1)
        share = None if left is None else left / ahead
        self._ahead -= 1
        return self.solver.solve(
            aim.weights, aim.constant, row_upper=row_upper, start=start, time_limit=share
        )

    def _value(self, aim: Criterion, x: Array) -> float:
        """Return a criterion's value; of fractions of decisions as they are."""
        return aim.value(x) if self.relax else exact_value(self.model, aim, x)


def _within(known: Sequence[_Point], limits: Array) -> Array | None:
    """Return the best point in the first criterion that keeps the limits."""
    keeping = [point for point in known if (point.value <= limits).all()]
    return min(keeping, key=lambda point: point.value[0]).x if keeping else None


def non_dominated(value: Array, tolerance: Array | float = 0.0) -> Flag:
    """Flag the rows that no other row matches in all columns and beats in one.

    Of rows that are equal within the tolerance the first is kept.

    Parameters
    ----------
    value : float64 ``[point, criterion]``, less is better
    tolerance : float or float64 ``[criterion]``

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 3.0], [2.0, 3.0], [2.0, 1.0], [1.0, 3.0]])).tolist()
    [True, False, True, False]
    """
    keep = np.ones(len(value), bool)
    for i, mine in enumerate(value):
        others = np.flatnonzero(keep & (np.arange(len(value)) != i))
        least = value[others]
        matched = (least <= mine + tolerance).all(axis=1)
        beaten = matched & (least < mine - tolerance).any(axis=1)
        equal = matched & ~beaten & (others < i)
        keep[i] = not (beaten | equal).any()
    return keep


def _table(found: list[_Point], names: tuple[str, ...]) -> tuple[pd.DataFrame, list[int]]:
    value = np.stack([point.value for point in found])
    fine = 2 * SLACK * np.maximum(1.0, np.abs(value).max(axis=0))
    kept = np.flatnonzero(non_dominated(value, fine))
    order = [int(i) for i in kept[np.lexsort(value[kept].T[::-1])]]
    first = {name: value[order, k] for k, name in enumerate(names)}
    table = pd.DataFrame(
        {
            "point": np.arange(len(order)),
            **first,
            "bound": [found[i].bound for i in order],
            "proved": [found[i].proved for i in order],
            "seconds": [found[i].seconds for i in order],
        }
    )
    return table, order
