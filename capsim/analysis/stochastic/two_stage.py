"""Plans under uncertainty: build, convert, close and sign now; buy places and over-fill later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np

from capsim.analysis.stochastic.benders import FirstStage, solve_extensive, solve_l_shaped
from capsim.analysis.stochastic.realisations import Realisations, make_realisations
from capsim.analysis.stochastic.result import TwoStagePlan, make_result, recourse_of
from capsim.analysis.stochastic.risk import CVaR, Mean, Measure, Regret
from capsim.demand.projection import Demand
from capsim.lp.array_types import Array
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import NotInTime, SolveKeywords, SolveOptions, SolverError
from capsim.lp.parallel_solves import Clock, until
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve
from capsim.model.costs import MILLION
from capsim.scenario.scenario import Scenario

METHODS = ("auto", "extensive", "l-shaped")
SEARCH = 0.8
"""Share of the time for the decisions; the rest is for each realisation's plan with them."""
NOT_TAKEN = ("solver", "executor")
"""Options that have no meaning here: all is solved by HiGHS, in this process."""


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
