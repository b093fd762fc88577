"""What an explanation is.

The data of a plan: how good it is proved to be, and its tables.

What a plan is asked: its prices, and why it is none or misses a target.

Each builds the plan's model anew. :class:`capsim.plan.plan.Plan` comes here when it is asked.

A plan: what to build, convert and buy, when and where, with its proof and its tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.i18n.message import Message
from capsim.lp.arrays import Array
from capsim.lp.solution import SolverResult
from capsim.model.model import Model, formulate
from capsim.plan.tables import plan_tables

if TYPE_CHECKING:
    from capsim.analysis.shadow_prices import Prices
    from capsim.demand.projection import Demand
    from capsim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Explanation:
    """Why no plan meets every target, and the least that would have to give way.

    Attributes
    ----------
    told : tuple of Message
        Sentences that can be said in more than one language; `sentences` are these in English.
    table : frame
        ``rule``, ``who``, ``school_year``, ``unit``, ``short_by``, ``alone``: what gives way at
        the least, all at once, and how much of each rule would be enough alone.
    conflicts : tuple of tuples of text
        Minimal sets of rules that cannot hold together; no two share a rule.
    repairs : frame, or None
        ``rule``, ``unit``, ``enough``, ``who``, ``school_year``, ``short_by``: where and when a
        rule gives way that is enough alone.
    """

    told: tuple[Message, ...]
    table: pd.DataFrame
    conflicts: tuple[tuple[str, ...], ...] = ()
    repairs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in English."""
        return tuple(str(one) for one in self.told)


@dataclass(frozen=True)
class Planned:
    """What a plan says: :class:`capsim.plan.plan.Plan` without what it can be asked."""

    scenario: Scenario
    demand: Demand
    status: str
    gap: float
    objective_cny: float
    bound_cny: float
    committed_cny: float
    solver: str
    timings_s: Mapping[str, float]
    tables: Mapping[str, pd.DataFrame]
    explanation: Explanation | None = None
    solution: SolverResult | None = field(default=None, repr=False, compare=False)

    @property
    def avoidable_cny(self) -> float:
        """Discounted cost that decisions can move, RMB."""
        return self.objective_cny - self.committed_cny

    @property
    def meets_targets(self) -> bool:
        """Whether there is a plan and every target holds."""
        return self.status != "infeasible" and bool(self.tables["targets"]["holds"].all())


MILLION = 1e6
FRACTION = 1e-4
"""By which what must be whole may miss it: solvers stop at 1e-5 and below."""


class Plan(Planned):
    """The answer to a scenario; see ``docs/results.md`` for every table and column.

    Attributes
    ----------
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible``.
    gap : float
        ``(objective − bound) ÷ max(avoidable, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny, committed_cny : float
        Discounted RMB, all years.
    tables : mapping of frames
    """

    def prices(
        self,
        kinds: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        *,
        intervals: bool = True,
    ) -> Prices:
        """Price what is scarce: see :func:`capsim.analysis.shadow_prices.prices`.

        ``intervals=False`` is the fast call: one dual price of each thing, not its two sides.
        """
        from capsim.analysis.shadow_prices import prices

        model = formulate(self.scenario, self.demand)
        return prices(model, self, kinds, where, intervals=intervals)

    def explain(self) -> Explanation | None:
        """Say why there is no plan, or why it misses a target; None where it meets them all."""
        from capsim.analysis.infeasibility.diagnosis import explain

        if self.explanation is not None:
            return self.explanation
        return explain(formulate(self.scenario, self.demand), self)

    @classmethod
    def from_pulp(cls, problem: Any) -> Plan:
        """Read the plan back from a solved problem that :meth:`Model.to_pulp` made.

        The problem may have been extended; its own variables are read by position. Only
        ``sol_status`` is believed, and the gap is what the solver proved, or was told to stop at
        (:func:`capsim.lp.pulp_bridge.proved_bound`). A problem with another objective proves
        nothing of
        the cost: the plan has status ``gap`` and no bound.

        Raises
        ------
        ValueError
            If the problem was not made by capsim, was not solved, or only its relaxation was.
        """
        import pulp

        from capsim.lp.pulp_bridge import minimises, proved_bound, read_columns

        model = getattr(problem, "capsim_model", None)
        if model is None:
            raise ValueError("not a problem made by Model.to_pulp()")
        done = problem.sol_status == pulp.LpSolutionOptimal
        if not done and problem.sol_status != pulp.LpSolutionIntegerFeasible:
            raise ValueError(f"the problem has no solution: {pulp.LpSolution[problem.sol_status]}")
        x = read_columns(problem)
        whole = np.where(model.program.integer, np.round(x), x)
        worst = int(np.argmax(np.abs(x - whole)))
        if abs(x[worst] - whole[worst]) > FRACTION:
            name = problem.capsim_columns[worst].name
            raise ValueError(
                f"{name} is {x[worst]:g} and must be whole: was the problem solved with mip=False?"
            )
        bound = proved_bound(problem) if minimises(problem, model.program) else -np.inf
        return make_plan(
            model,
            whole,
            bound=bound,
            solver=f"PuLP {pulp.__version__} + {problem.solver.name}",
            asked_gap=np.inf,
            proved=done and bound > -np.inf,
        )


def make_plan(
    model: Model,
    x: Array,
    *,
    bound: float,
    solver: str,
    asked_gap: float,
    proved: bool,
    timings_s: Mapping[str, float] | None = None,
    solution: SolverResult | None = None,
) -> Plan:
    """Make a plan from columns; ``bound`` is on the avoidable cost in million RMB.

    ``solution`` is that of a relaxation: its objective stands, as tables round its fractions.
    """
    tables = plan_tables(model, x)
    objective = float(tables["costs"]["discounted_cny"].sum())
    if solution is not None:
        objective = solution.objective * MILLION + model.committed_cny
    bound_cny = min(bound * MILLION + model.committed_cny, objective)
    avoidable = objective - model.committed_cny
    gap = (objective - bound_cny) / max(avoidable, MILLION)
    return Plan(
        scenario=model.given.scenario,
        demand=model.given.demand,
        status="optimal" if proved and gap <= asked_gap + 1e-9 else "gap",
        gap=gap,
        objective_cny=objective,
        bound_cny=bound_cny,
        committed_cny=model.committed_cny,
        solver=solver,
        timings_s=MappingProxyType(dict(timings_s or {})),
        tables=MappingProxyType(tables),
        solution=solution,
    )
