"""Plans under uncertainty: build, convert, close and sign now; buy places and over-fill later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Unpack

import numpy as np
import pandas as pd

from capsim.analysis.stochastic.benders import FirstStage, solve_extensive, solve_l_shaped
from capsim.analysis.stochastic.realisations import Realisations, make_realisations
from capsim.analysis.stochastic.risk import CVaR, Mean, Measure, Regret
from capsim.demand.projection import Demand
from capsim.lp.array_types import Array
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import NotInTime, SolveKeywords, SolveOptions, SolverError
from capsim.lp.parallel_solves import Clock, until
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve
from capsim.model.costs import MILLION
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solution_arrays import totals
from capsim.plan.solver import break_ties
from capsim.scenario.scenario import Scenario

METHODS = ("auto", "extensive", "l-shaped")
SEARCH = 0.8
"""Share of the time for the decisions; the rest is for each realisation's plan with them."""
NOT_TAKEN = ("solver", "executor")
"""Options that have no meaning here: all is solved by HiGHS, in this process."""


@dataclass(frozen=True)
class TwoStagePlan:
    """Decisions that stand in every realisation, and what follows in each.

    Attributes
    ----------
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible`` (no decisions leave every realisation a plan).
    gap : float
        ``(objective − bound) ÷ max(mean avoidable cost, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny : float
        The measure of the realisations' discounted costs, RMB, and what no decisions can beat.
    measure : Mean, CVaR or Regret
    decisions : mapping of frames
        ``openings`` (project, opens, copies), ``conversions`` (school, stage, converts),
        ``closures`` (school, stage, how, from_year), ``contracts`` (school, stage, school_year;
        empty where contracts are signed later).
    realisations : frame
        ``realisation``, ``probability``, ``cost_cny`` (discounted, committed cost included),
        ``decided_cny`` (the part the decisions fix), ``shortfall``, ``displaced``, ``purchased``,
        ``opened``, ``converted``, ``private_share`` (see ``docs/uncertainty.md``).
    plans : mapping of Plan
        By realisation: the cheapest plan with these decisions. Its own bound is not known.
    method : str
        ``extensive`` or ``l-shaped``.
    rounds, cuts : int
        Of the L-shaped method's master.
    """

    status: str
    measure: Measure
    method: str
    rounds: int
    cuts: int
    gap: float = float("nan")
    objective_cny: float = float("nan")
    bound_cny: float = float("nan")
    decisions: Mapping[str, pd.DataFrame] = field(default_factory=lambda: MappingProxyType({}))
    realisations: pd.DataFrame = field(default_factory=pd.DataFrame)
    plans: Mapping[str, Plan] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class ValueOfInformation:
    """The worth of planning for several realisations, and of knowing which comes; discounted RMB.

    Attributes
    ----------
    wait_and_see_cny : float
        WS: the mean of the realisations' own optima.
    recourse_cny : float
        RP: the mean cost of the two-stage plan.
    mean_value_cny : float
        EEV: the mean cost of the decisions that suit the mean of all realisations; infinite where
        they leave a realisation without a plan.
    plan : TwoStagePlan
        The two-stage plan.
    """

    wait_and_see_cny: float
    recourse_cny: float
    mean_value_cny: float
    plan: TwoStagePlan

    @property
    def perfect_information_cny(self) -> float:
        """EVPI = RP − WS: what knowing the realisation is worth at most."""
        return self.recourse_cny - self.wait_and_see_cny

    @property
    def stochastic_solution_cny(self) -> float:
        """VSS = EEV − RP: what planning for all realisations is worth."""
        return self.mean_value_cny - self.recourse_cny


def optimize_two_stage(
    scenario: Scenario,
    realisations: Demand | Mapping[str, Demand | Scenario],
    *,
    probabilities: Mapping[str, float] | None = None,
    risk: CVaR | None = None,
    contracts_later: bool = False,
    method: str = "auto",
    **options: Unpack[SolveKeywords],
) -> TwoStagePlan:
    """Find the decisions that cost least over all realisations.

    Openings, conversions and closures on every date, and purchase contracts, are the same in all
    realisations; places bought under a contract, over-filling, flows, staff and shortfall answer
    each.

    Parameters
    ----------
    scenario : Scenario
    realisations : Demand or mapping of name to Demand or Scenario
        A demand with draws, or named realisations (`capsim.demand.observed.birth_variant`,
        ``scenario.variant``).
    probabilities : mapping of name to number, optional
        Alike where not given.
    risk : CVaR, optional
        Adds ``weight`` times the mean of the dearest ``1 − beta`` of realisations to the mean.
    contracts_later : bool
        Sign purchase contracts once the realisation is known; only the extensive form can.
    method : str
        ``extensive``, ``l-shaped`` or ``auto`` (the latter where recourse is linear and there are
        more than two realisations).
    **options : see :class:`~capsim.SolveOptions`
        But ``solver`` and ``executor``. The gap is of the mean avoidable cost; of the seconds a
        fifth is left for each realisation's plan.

    Returns
    -------
    TwoStagePlan

    Raises
    ------
    ValueError
        If realisations, probabilities or method are invalid.
    SolverError
        If nothing is found within the time limit.
    """
    solving = SolveOptions.of(optimize_two_stage, options, without=NOT_TAKEN)
    if not isinstance(risk, CVaR | None):
        raise ValueError(f"risk must be CVaR(beta, weight) or None, not {risk!r}")
    with until(solving.time_limit):
        made = make_realisations(
            scenario, realisations, probabilities, contracts_later=contracts_later
        )
        return _solve(made, Mean() if risk is None else risk, method, solving)


def optimize_regret(
    scenario: Scenario,
    realisations: Demand | Mapping[str, Demand | Scenario],
    *,
    contracts_later: bool = False,
    method: str = "auto",
    **options: Unpack[SolveKeywords],
) -> TwoStagePlan:
    """Find the decisions whose greatest regret over all realisations is least.

    The regret of a realisation is its cost less that of the best plan for it alone. Parameters as
    for :func:`optimize_two_stage`; the table ``realisations`` has ``best_cny`` and ``regret_cny``
    besides.
    """
    solving = SolveOptions.of(optimize_regret, options, without=NOT_TAKEN)
    with until(solving.time_limit):
        made = make_realisations(scenario, realisations, contracts_later=contracts_later)
        best = wait_and_see(made, replace(solving, gap=solving.gap * 0.1), made.count)
        if best is None:
            return make_result(made, Mean(), FirstStage(), method=method, asked_gap=solving.gap)
        plan = _solve(made, Regret(tuple(best.tolist())), method, solving)
    if plan.status != "infeasible":
        table = plan.realisations
        table.insert(3, "best_cny", best * MILLION)
        table.insert(4, "regret_cny", table["cost_cny"] - table["best_cny"])
    return plan


def value_of_information(
    scenario: Scenario,
    realisations: Demand | Mapping[str, Demand | Scenario],
    *,
    probabilities: Mapping[str, float] | None = None,
    contracts_later: bool = False,
    method: str = "auto",
    **options: Unpack[SolveKeywords],
) -> ValueOfInformation:
    """Compute what planning for all realisations, and knowing which comes, would be worth.

    The *mean of all realisations* is the program with every coefficient, bound and cost at its
    mean; all must have the same rows. Parameters as for :func:`optimize_two_stage`, but that the
    gap is 1e-4 where not given.

    Raises
    ------
    ValueError
        If the realisations have different rows, or no decisions leave every realisation a plan.
    """
    solving = SolveOptions.of(value_of_information, options, gap=1e-4, without=NOT_TAKEN)
    with until(solving.time_limit):
        made = make_realisations(
            scenario, realisations, probabilities, contracts_later=contracts_later
        )
        return _value_of_information(made, method, solving)


def _value_of_information(
    made: Realisations, method: str, solving: SolveOptions
) -> ValueOfInformation:
    best = wait_and_see(made, solving, made.count + 1)
    plan = _solve(made, Mean(), method, solving)
    if plan.status == "infeasible" or best is None:
        raise ValueError("no decisions leave every realisation a plan")
    found = Highs(mean_program(made), solving.highs).solve()
    if found.x is None:
        raise SolverError(f"the mean of all realisations ended {found.status}")
    first = made.rounded(found.x[made.first])
    columns = [recourse_of(made, s, first) for s in range(made.count)]
    known = [x for x in columns if x is not None]
    everywhere = len(known) == made.count
    mean_value = float(made.probability @ made.costs(known)) if everywhere else np.inf
    return ValueOfInformation(
        wait_and_see_cny=float(made.probability @ best) * MILLION,
        recourse_cny=plan.objective_cny,
        mean_value_cny=mean_value * MILLION,
        plan=plan,
    )


def wait_and_see(realisations: Realisations, options: SolveOptions, others: int) -> Array | None:
    """Return what each realisation costs by itself, million RMB; None where one has no plan.

    Of the time a share each is left to so many ``others``.
    """
    cost = []
    for at, model in enumerate(realisations.models):
        own = options.within(Clock().left(), realisations.count - at + others)
        found = Highs(model.program, own.highs).solve()
        if found.status == "infeasible":
            return None
        if found.x is None:
            kind = NotInTime if found.status == "unknown" else SolverError
            raise kind(f"a realisation by itself ended {found.status}")
        cost.append(found.objective + model.committed_cny / MILLION)
    return np.array(cost)


def mean_program(realisations: Realisations) -> LinearProgram:
    """Average the realisations' programs, number by number."""
    programs = [model.program for model in realisations.models]
    if any(p.matrix.shape != programs[0].matrix.shape for p in programs):
        raise ValueError("realisations with different rows have no mean")
    weight = realisations.probability
    matrix = programs[0].matrix * weight[0]
    for w, program in zip(weight[1:], programs[1:], strict=True):
        matrix = matrix + program.matrix * w

    def mean(name: str) -> Array:
        stack = np.stack([getattr(program, name) for program in programs])
        same = (stack == stack[0]).all(axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(same, stack[0], weight @ stack), np.float64)

    return LinearProgram(
        cost=mean("cost"),
        lower=mean("lower"),
        upper=mean("upper"),
        integer=programs[0].integer,
        matrix=matrix.tocsc(),
        row_lower=mean("row_lower"),
        row_upper=mean("row_upper"),
        offset=float(weight @ [program.offset for program in programs]),
    )


def _solve(
    realisations: Realisations, measure: Measure, method: str, options: SolveOptions
) -> TwoStagePlan:
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if method == "auto":
        many = realisations.linear_recourse and realisations.count > 2
        method = "l-shaped" if many else "extensive"
    own = options.within(Clock().left(), 1 / SEARCH)
    with until(own.time_limit):
        absolute = options.gap * _avoidable(realisations)
        run = solve_l_shaped if method == "l-shaped" else solve_extensive
        found = run(realisations, measure, gap=absolute, options=own)
    return make_result(realisations, measure, found, method=method, asked_gap=options.gap)


def _avoidable(realisations: Realisations) -> float:
    """Return a lower bound of the mean avoidable cost, million RMB, at least 1."""
    cost = [solve(model.program.relaxed()).objective for model in realisations.models]
    mean = float(realisations.probability @ cost)
    return max(mean, 1.0) if np.isfinite(mean) else 1.0


def recourse_of(realisations: Realisations, realisation: int, first: Array) -> Array | None:
    """Return the cheapest columns of a realisation with the first stage given; None without any."""
    program = realisations.models[realisation].program
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[realisations.first] = upper[realisations.first] = first
    fixed = replace(program, lower=lower, upper=upper)
    found = solve(fixed.relaxed() if realisations.linear_recourse else fixed, gap=1e-6)
    if found.status == "infeasible":
        return None
    if found.x is None:
        kind = NotInTime if found.status == "unknown" else SolverError
        raise kind(f"the recourse of {realisations.names[realisation]!r} ended {found.status}")
    return program.rounded(found.x)


def make_result(
    realisations: Realisations,
    measure: Measure,
    found: FirstStage,
    *,
    method: str,
    asked_gap: float,
) -> TwoStagePlan:
    """Compute every realisation's plan with these decisions, and the measure of their costs."""
    if found.first is None:
        return TwoStagePlan("infeasible", measure, method, found.rounds, found.cuts)
    solved = [recourse_of(realisations, s, found.first) for s in range(realisations.count)]
    columns = [x for x in solved if x is not None]
    if len(columns) < realisations.count:
        raise SolverError(
            "the decisions found leave a realisation without a plan: a rounding error"
        )
    first, probability = realisations.first, realisations.probability
    plans, rows = {}, []
    pairs = zip(realisations.models, columns, strict=True)
    costs = realisations.costs(columns)
    for name, weight, cost, (model, x) in zip(
        realisations.names, probability, costs, pairs, strict=True
    ):
        rows.append(
            {
                "realisation": name,
                "probability": weight,
                "cost_cny": cost * MILLION,
                "decided_cny": float(model.program.cost[first] @ x[first]) * MILLION,
                **totals(model, x),
            }
        )
        plans[name] = make_plan(
            model,
            break_ties(model, x),
            bound=-np.inf,
            solver=method,
            asked_gap=asked_gap,
            proved=False,
        )
    value = measure.value(costs, probability)
    bound = min(found.bound + measure.constant(realisations.committed, probability), value)
    gap = (value - bound) / max(float(probability @ (costs - realisations.committed)), 1.0)
    contracts = realisations.models[0].columns.contract
    signed_now = np.isin(contracts[contracts >= 0], first).all()
    return TwoStagePlan(
        status="optimal" if gap <= asked_gap * 1.01 + 1e-9 else "gap",
        measure=measure,
        method=method,
        rounds=found.rounds,
        cuts=found.cuts,
        gap=gap,
        objective_cny=value * MILLION,
        bound_cny=bound * MILLION,
        decisions=MappingProxyType(_decisions(plans[realisations.names[0]], bool(signed_now))),
        realisations=pd.DataFrame(rows),
        plans=MappingProxyType(plans),
    )


def _decisions(plan: Plan, signed_now: bool) -> dict[str, pd.DataFrame]:
    """Return the tables of the first stage, the same in the plan of any realisation."""
    closed, bought = plan.tables["closures"], plan.tables["purchases"]
    closed = closed[closed["how"] != "run_down"]
    signed = bought[(bought["contract"] > 0) & signed_now]
    return {
        "openings": plan.tables["openings"],
        "conversions": plan.tables["conversions"][["school", "stage", "converts"]],
        "closures": closed[["school", "stage", "how", "from_year"]].reset_index(drop=True),
        "contracts": signed[["school", "stage", "school_year"]].reset_index(drop=True),
    }
