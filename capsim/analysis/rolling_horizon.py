"""A plan made anew every autumn, with the children known by then and what is decided already.

On 1 September of each year the children of that autumn are counted. What lies before the date is
history: every decision and every child stays where it was. So does every project, conversion and
contract whose lead time has begun. The rest is planned again for the children now expected. Against
it stand two plans for the children who really came: one that knew them from the start (perfect
information), and the first plan, its decisions never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np
import pandas as pd

from capsim.analysis.diverse_plans import decisions
from capsim.demand.observed import birth_variant
from capsim.demand.projection import Demand, project
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.options_and_result import NotInTime, SolveKeywords, SolveOptions, SolverError
from capsim.lp.parallel_solves import Clock, until
from capsim.model.costs import MONTH_DAYS, building_start, day_number
from capsim.model.model import Model, formulate
from capsim.plan.commitments import LeadTimes
from capsim.plan.plan import Plan
from capsim.plan.solver import optimize
from capsim.scenario.scenario import Scenario


def drawn(demand: Demand, draw: int) -> Demand:
    """Return the demand that a draw of another one is, as if it came true.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0)
    >>> demand = capsim.project(city, draws=2, seed=1)
    >>> bool((drawn(demand, 1).pupils == demand.draws[1]).all())
    True
    """
    if demand.draws is None or not 0 <= draw < len(demand.draws):
        have = 0 if demand.draws is None else len(demand.draws)
        raise ValueError(f"the demand has {have} draws; there is no draw {draw}")
    return replace(demand, pupils=demand.draws[draw].copy(), draws=None)


def realised_demand(scenario: Scenario, first: Demand, realised: Demand | Scenario | str) -> Demand:
    """Return the children who come: as given, projected from a scenario, or a variant of births."""
    if isinstance(realised, str):
        realised = birth_variant(scenario, realised)
    came = project(realised) if isinstance(realised, Scenario) else realised
    for name in ("areas", "grades", "years"):
        if getattr(came, name) != getattr(first, name):
            raise ValueError(f"the realised demand has other {name} than the scenario")
    if not np.allclose(came.pupils[..., 0], first.pupils[..., 0]):
        raise ValueError("the realised demand has other children in the base year")
    return came


def known_by(scenario: Scenario, first: Demand, came: Demand, year: int) -> Demand:
    """Return the children counted up to a year, and expected after it.

    A cohort counted in ``year`` goes on as first projected, times the ratio of its count to its
    first projection (its children of the age likewise); cohorts not in any planned grade by then
    come as first projected.

    Parameters
    ----------
    scenario : Scenario
        Gives the ages of grades.
    first, came : Demand
    year : int
        School year; its autumn has been counted.
    """
    now = first.years.index(year)
    age = {
        grade: stage.entry_age + at
        for stage in scenario.stages.values()
        for at, grade in enumerate(stage.grades)
    }
    ages = np.array([age[grade] for grade in first.grades])
    pupils = _carried(first.pupils, came.pupils, ages, now)
    population = _carried(first.population, came.population, ages, now)
    return replace(first, pupils=pupils, population=population, draws=None)


def _carried(first: Array, came: Array, ages: Index, now: int) -> Array:
    """Carry the ratio of counted to projected on with each cohort, ``[area, grade, year]``."""
    expected = first[..., now]
    known = np.isfinite(expected) & (expected > 0) & np.isfinite(came[..., now])
    ratio = np.divide(came[..., now], expected, out=np.ones_like(expected), where=known)
    out = first.copy()
    out[..., : now + 1] = came[..., : now + 1]
    for later in range(now + 1, first.shape[2]):
        for grade, then in enumerate(ages - (later - now)):
            source = np.flatnonzero(ages == then)
            if len(source):
                out[:, grade, later] *= ratio[:, source[0]]
    return out


FIXED_SLACK = 1e-4
"""Persons by which a number of the past may differ in the arithmetic of a later plan.

Well above the solver's tolerance: presolve calls narrower ranges contradictory."""


@dataclass(frozen=True)
class RollingPlan:
    """A plan made anew every year.

    Attributes
    ----------
    table : frame
        A row for each plan: ``plan`` (``first``, ``replanned``, ``perfect information``, ``first
        kept``), ``known_to`` (the last school year whose children it knew), ``status``, ``gap``,
        ``cost_cny`` (discounted total it expected, history included), ``shortfall`` (child-years),
        ``changed`` (decisions that differ from the plan before, as counted in
        :mod:`.diverse_plans`), ``regret_cny`` and ``regret_most_cny``.

        The regret of a year is what the decisions taken by then cost more than perfect information
        if all later ones were perfect; in the last year, what really was paid too much.
        ``regret_most_cny`` is what is proved: it counts the other plan at its bound. ``first
        kept`` seats children with hindsight, which no replanning has, and so may cost less.
    plans : tuple of Plan
        The first plan, then that of each year; the last is what really happened.
    perfect : Plan
        For the children who came, known from the start.
    complete : bool
        False where a year's replanning found the rules contradicting each other; the plans end
        before it, and the table's last replanned row says ``infeasible``. Or time ran out: the
        plans end before the year that was not planned anew in time.
    """

    table: pd.DataFrame
    plans: tuple[Plan, ...]
    perfect: Plan
    complete: bool

    @property
    def final(self) -> Plan:
        """The plan that came true: the last."""
        return self.plans[-1]


def replan(
    scenario: Scenario,
    realised: Demand | Scenario | str,
    *,
    demand: Demand | None = None,
    lead_times: LeadTimes | None = None,
    **options: Unpack[SolveKeywords],
) -> RollingPlan:
    """Plan, and plan again each year for the children who came and are now expected.

    The children of later years are those first projected, each cohort already seen times the ratio
    of its count to its first projection; cohorts not yet seen come as first projected.

    Parameters
    ----------
    scenario : Scenario
    realised : Demand, Scenario or str
        The children who come: a demand of the same areas, grades and years (a draw by
        :func:`capsim.analysis.rolling_horizon.drawn`), a scenario whose projection comes true, or a
        variant of births (``low``, ``high``).
    demand : Demand, optional
        What is expected at first; projected from the scenario where not given.
    lead_times : LeadTimes, optional
        Months before which decisions are taken; none but the building itself where not given.
    **options : see :class:`~capsim.SolveOptions`
        The seconds are for all plans together: a third each for the first and that of perfect
        information, the rest evenly for the others.

    Returns
    -------
    RollingPlan

    Raises
    ------
    ValueError
        If the realised demand is not of the scenario's areas, grades and years.
    SolverError
        If the first plan or that of perfect information is infeasible or was not found in time.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=1, pupils=600, years=(2021, 2023), seed=0)
    >>> rolled = replan(city, "low")
    >>> rolled.table["plan"].tolist()
    ['first', 'replanned', 'replanned', 'perfect information', 'first kept']
    """
    solving = SolveOptions.of(replan, options)
    with until(solving.time_limit) as clock:
        return _replan(scenario, realised, demand, lead_times, solving, clock)


def _replan(
    scenario: Scenario,
    realised: Demand | Scenario | str,
    demand: Demand | None,
    lead_times: LeadTimes | None,
    options: SolveOptions,
    clock: Clock,
) -> RollingPlan:
    def solving(shares: float) -> SolveKeywords:
        return options.within(clock.left(), shares).keywords

    first = project(scenario) if demand is None else demand
    came = realised_demand(scenario, first, realised)
    before = lead_times or LeadTimes()
    truth = formulate(scenario, came)
    model = formulate(scenario, first)
    plan = start = _feasible(optimize(model, **solving(3)), "the first plan")
    perfect = _feasible(optimize(truth, **solving(2)), "the plan for the children who come")
    plans, rows = [plan], [_row("first", scenario.base_year, plan, 0.0, perfect, perfect)]
    complete = True
    for year in scenario.years:
        fixed = _fixed(model, plan.solution.x, year, before)
        model = formulate(scenario, known_by(scenario, first, came, year))
        left = 2 * (scenario.last_year - year) + 2
        try:
            last, plan = plan, _replanned(model, plan, fixed, solving(left))
            # What the decisions taken by now cost at the least, all later ones being perfect.
            locked = (
                plan
                if year == scenario.last_year or plan.status == "infeasible"
                else _replanned(truth, last, fixed, solving(left - 1))
            )
        except NotInTime:
            complete = False
            break
        if plan.status == "infeasible":
            rows.append(_row("replanned", year, plan, np.nan, None, perfect))
            complete = False
            break
        plans.append(plan)
        rows.append(_row("replanned", year, plan, _changed(model, last, plan), locked, perfect))
    rows.append(_row("perfect information", scenario.last_year, perfect, np.nan, perfect, perfect))
    try:
        never = _replanned(truth, start, truth.program.integer, solving(1))
        rows.append(_row("first kept", scenario.base_year, never, 0.0, never, perfect))
    except NotInTime:
        complete = False
    return RollingPlan(pd.DataFrame(rows), tuple(plans), perfect, complete)


def _row(
    name: str,
    known_to: int,
    plan: Plan,
    changed: float,
    locked: Plan | None,
    perfect: Plan,
) -> dict[str, Any]:
    nan = float("nan")
    infeasible = plan.status == "infeasible"
    locked_cny = nan if locked is None else locked.objective_cny
    return {
        "plan": name,
        "known_to": known_to,
        "status": plan.status,
        "gap": plan.gap,
        "cost_cny": plan.objective_cny,
        "shortfall": nan if infeasible else float(plan.tables["shortfall"]["shortfall"].sum()),
        "changed": changed,
        "regret_cny": locked_cny - perfect.objective_cny,
        "regret_most_cny": locked_cny - perfect.bound_cny,
    }


def _feasible(plan: Plan, what: str) -> Plan:
    if plan.status == "infeasible":
        raise SolverError(f"{what} is infeasible: capsim.optimize for these children explains it")
    return plan


def _fixed(model: Model, x: Array, year: int, before: LeadTimes) -> Flag:
    """Flag ``[column]``: history on 1 September of the year, or decided by then."""
    v, given = model.columns, model.given
    now = float(day_number(np.array([f"{year}-09-01"], object))[0])
    check = day_number(given.dates.date)
    autumn = check[given.dates.autumn]
    out = np.zeros(len(x), bool)

    def fix(column: Any, flag: Flag) -> None:
        at = column[..., flag]
        out[at[at >= 0]] = True

    past = autumn < now
    yearly = (
        *(v.flow, v.shortfall, v.pupils, v.displaced, v.fee, v.purchased, v.public),
        *(v.fee_december, v.purchased_december, v.overfill, v.contract_start, v.large_classes),
        v.pupils_brought,
        *(v.pool, v.hired, v.contract_teachers, v.to_stage, v.from_stage),
        *(v.to_county, v.from_county, v.shared, v.fee_by_grade, v.fee_by_grade_december),
    )
    for column in yearly:
        fix(column, past)
    for column in (v.phase_out, v.closed, v.given_up):
        fix(column, autumn - before.conversion * MONTH_DAYS < now)
    fix(v.contract, autumn - before.contract * MONTH_DAYS < now)
    fix(v.converted, check - before.conversion * MONTH_DAYS < now)
    begins = np.full(v.open.shape, np.inf)
    begun = building_start(given) - before.approval * MONTH_DAYS
    np.minimum.at(begins, given.projects.row_project, begun)
    at = v.open[np.minimum(begins, check) < now]
    out[at[at >= 0]] = True
    return out


def _replanned(model: Model, last: Plan, fixed: Flag, solving: SolveKeywords) -> Plan:
    """Plan with the flagged columns fixed where the last plan has them."""
    program = model.program
    spare = np.where(program.integer, 0.0, FIXED_SLACK)
    value = program.rounded(last.solution.x)
    fixed_program = replace(
        program,
        lower=np.where(fixed, np.maximum(value - spare, program.lower), program.lower),
        upper=np.where(fixed, np.minimum(value + spare, program.upper), program.upper),
    )
    return replace(optimize(model.with_program(fixed_program), **solving), made_from=model)


def _changed(model: Model, before: Plan, after: Plan) -> float:
    column, weight = decisions(model)
    moved = np.round(after.solution.x[column]) - np.round(before.solution.x[column])
    return float((np.abs(moved) * weight).sum())
