"""Plans near the best that are as different from each other as possible.

Each further plan is the one whose least distance to all plans before it is greatest (max-min).
Distance counts decisions: copies of projects in use at the end of the horizon, schools converted
and phased out by then, and for purchase contracts the share of years in which one runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Unpack

import numpy as np
import pandas as pd

from capsim.analysis.near_optimal import GAP, NearOptimalSpace, near_optimal_space
from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, is_whole
from capsim.lp.parallel_solves import until
from capsim.lp.program import LinearProgram
from capsim.model.costs import MILLION
from capsim.model.model import Model, model_of
from capsim.model.objectives import ROW, criterion
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solver import SEARCH, WarmSolver, break_ties
from capsim.scenario.scenario import Scenario

FINE = 1e-6
"""Distance, and share of the cost, that count as none."""


@dataclass(frozen=True)
class DifferentPlans:
    """Plans near the best, the best first.

    Attributes
    ----------
    plans : tuple of Plan
    table : frame
        ``plan`` (from 0), ``avoidable_cny`` (discounted), ``above_best`` (share), ``distance``
        (decisions in which it differs from the nearest of the plans before), ``bound`` (no plan
        near the best differs by more), ``proved``.
    distances : float64 ``[plan, plan]``
        Decisions in which two plans differ.
    """

    plans: tuple[Plan, ...]
    table: pd.DataFrame
    distances: Array


def different_plans(
    scenario: Scenario | Model,
    count: int = 3,
    within: float = 0.01,
    *,
    demand: Demand | None = None,
    **options: Unpack[SolveKeywords],
) -> DifferentPlans:
    """Find plans near the best that differ from each other in as many decisions as possible.

    Parameters
    ----------
    scenario : Scenario or Model
    count : int
        How many plans, the best among them. Fewer come back where no plan near the best differs in
        any decision from those found, or time runs out.
    within : float
        Share of the best avoidable cost (of 1 million RMB where that is less), such as 0.01.
    demand : Demand, optional
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``. The gap is that of the best plan, 1e-4 where not given (distances are proved
        to less than half a decision or a hundredth of them, whichever is more); the seconds are for
        everything.

    Returns
    -------
    DifferentPlans

    Raises
    ------
    ValueError
        If ``count`` is below 2 or ``within`` is not positive.
    SolverError
        If there is no plan, or none was found in time.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=1, pupils=600, years=(2021, 2022), seed=0)
    >>> found = different_plans(city, 2, within=0.2)
    >>> len(found.plans) == len(found.table) <= 2
    True
    """
    solving = SolveOptions.of(different_plans, options, gap=GAP, without=["solver"])
    if not (is_whole(count) and count >= 2):
        raise ValueError(f"count must be a whole number, 2 or more, not {count!r}")
    with until(solving.time_limit):
        return _different_plans(model_of(scenario, demand), count, within, solving)


def _different_plans(
    model: Model, count: int, within: float, solving: SolveOptions
) -> DifferentPlans:
    space = near_optimal_space(model, within, solving)
    column, weight = decisions(model)
    solutions, bounds, proofs = [space.x], [np.nan], [space.proved]
    while len(solutions) < count and not space.clock.out():
        x, bound, proved = _farthest(space, column, weight, solutions, count)
        if x is None:
            break
        solutions.append(x)
        bounds.append(bound)
        proofs.append(proved)
    value = np.round(np.stack([x[column] for x in solutions]))
    distances = (np.abs(value[:, None] - value[None]) * weight).sum(axis=2)
    plans = tuple(
        make_plan(
            model,
            _settled(model, x, space.best),
            bound=space.bound,
            solver=space.solver,
            asked_gap=solving.gap,
            proved=space.proved,
        )
        for x in solutions
    )
    cost = np.array([plan.avoidable_cny for plan in plans])
    best = space.best * MILLION
    table = pd.DataFrame(
        {
            "plan": np.arange(len(plans)),
            "avoidable_cny": cost,
            "above_best": (cost - best) / max(best, MILLION),
            "distance": [np.nan, *(distances[i, :i].min() for i in range(1, len(plans)))],
            "bound": bounds,
            "proved": proofs,
        }
    )
    return DifferentPlans(plans, table, distances)


def decisions(model: Model) -> tuple[Index, Array]:
    """Return the columns that distance counts, and how much of a decision each of them is."""
    v = model.columns
    last = (v.open, v.converted, v.given_up, v.phase_out)
    states = np.concatenate([column[:, -1] for column in last])
    contract = v.contract[v.contract >= 0]
    states = states[states >= 0]
    share = np.full(len(contract), 1.0 / model.parts.years)
    return np.concatenate([states, contract]), np.concatenate([np.ones(len(states)), share])


def _farthest(
    space: NearOptimalSpace, column: Index, weight: Array, solutions: Sequence[Array], count: int
) -> tuple[Array | None, float, bool]:
    """Find the solution whose least distance to those known is greatest; None where it is 0.

    It has its share of the time left for ``count`` plans.
    """
    left = space.clock.left()
    program, least = space.program.with_columns("distance", 1)
    start = np.append(space.x, 0.0)
    known = [np.round(x[column]) for x in solutions]
    for value in known:
        program, start = _add_distance(program, start, column, weight, value, least[0])
    aim = np.zeros(len(program.cost))
    aim[least] = -1.0
    found = WarmSolver(space.model, program, replace(space.options, gap=1e-2)).solve(
        aim,
        start=start,
        absolute=0.5 * float(weight.min()),
        time_limit=left if left is None else SEARCH * left / (count - len(solutions)),
    )
    most = float((weight * (program.upper - program.lower)[column]).sum())
    bound = min(-found.bound, most)
    if found.x is None:
        return None, bound, False
    x = found.x[: len(space.x)]
    distance = float((np.abs(np.stack(known) - x[column]) * weight).sum(axis=1).min())
    return (x if distance > FINE else None), bound, found.status == "optimal"


def _add_distance(
    program: LinearProgram, start: Array, column: Index, weight: Array, value: Array, least: int
) -> tuple[LinearProgram, Array]:
    """Add ``least ≤ Σ weight · |x − value|``.

    At an end of its range ``|x − value|`` is linear; between, ``x − value = p − n`` with
    ``p ≤ (upper − value) b`` and ``n ≤ (value − lower)(1 − b)``, b 0 or 1.
    """
    low, high = program.lower[column], program.upper[column]
    up = value <= low
    down = ~up & (value >= high)
    inner = np.flatnonzero(~up & ~down)
    n = len(inner)
    program, p = program.with_columns("above", n)
    program, m = program.with_columns("below", n)
    program, b = program.with_columns("which", n, upper=1.0, integer=True)
    away = start[column[inner]] - value[inner]
    start = np.concatenate([start, np.maximum(away, 0), np.maximum(-away, 0), away > 0])
    chosen, above, below = Expression.of(column), Expression.of(p), Expression.of(m)
    away = (np.where(up, 1.0, -1.0) * (chosen - value))[up | down]
    distance = (weight[up | down] * away).total() + (weight[inner] * (above + below)).total()
    which, v = Expression.of(b), value[inner]
    for constraint in (
        Expression.of(np.array(least)) <= distance,
        chosen[inner] - above + below <= v,
        chosen[inner] - above + below >= v,
        above <= (high[inner] - v) * which,
        below <= (v - low[inner]) * (1 - which),
    ):
        names = ["distance"] * prod(constraint.left.shape)
        program = program.with_constraint(ROW, constraint, labels=[names])
    return program, start


def _settled(model: Model, x: Array, best: float) -> Array:
    """Return the solution with its ties broken, or as it is if that would cost more."""
    cost = criterion(model, "cost")
    settled = break_ties(model, x)
    return settled if cost.value(settled) <= cost.value(x) + FINE * max(1.0, best) else x
