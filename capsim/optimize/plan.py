"""A plan: what to build, convert and buy, when and where, with its proof and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.lp import Solution
from capsim.lp.arrays import Array
from capsim.optimize.model import Model
from capsim.optimize.said import Said
from capsim.optimize.tables import plan_tables

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize.prices import Prices
    from capsim.scenario import Scenario

MILLION = 1e6


@dataclass(frozen=True)
class Explanation:
    """Why no plan meets every target, and the least that would have to give way.

    Attributes
    ----------
    told : tuple of Said
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

    told: tuple[Said, ...]
    table: pd.DataFrame
    conflicts: tuple[tuple[str, ...], ...] = ()
    repairs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in English."""
        return tuple(str(one) for one in self.told)


@dataclass(frozen=True)
class Plan:
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
    solution: Solution | None = field(default=None, repr=False, compare=False)

    @property
    def avoidable_cny(self) -> float:
        """Discounted cost that decisions can move, RMB."""
        return self.objective_cny - self.committed_cny

    @property
    def meets_targets(self) -> bool:
        """Whether there is a plan and every target holds."""
        return self.status != "infeasible" and bool(self.tables["targets"]["holds"].all())

    def prices(
        self,
        kinds: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        *,
        intervals: bool = True,
    ) -> Prices:
        """Price what is scarce: see :func:`capsim.optimize.prices.prices`; the model is built anew.

        ``intervals=False`` is the fast call: one dual price of each thing, not its two sides.
        """
        from capsim.optimize.model import formulate
        from capsim.optimize.prices import prices

        model = formulate(self.scenario, self.demand)
        return prices(model, self, kinds, where, intervals=intervals)

    def explain(self) -> Explanation | None:
        """Say why there is no plan, or why it misses a target; None where it meets them all."""
        if self.explanation is not None:
            return self.explanation
        from capsim.optimize.explain import explain
        from capsim.optimize.model import formulate

        return explain(formulate(self.scenario, self.demand), self)

    @classmethod
    def from_pulp(cls, problem: Any) -> Plan:
        """Read the plan back from a solved problem that :meth:`Model.to_pulp` made.

        The problem may have been extended; its own variables are read by position. Status and bound
        are those of the solver: only ``sol_status`` is believed, and without a proof there is no
        bound.

        Raises
        ------
        ValueError
            If the problem was not made by capsim, or was not solved.
        """
        import pulp

        from capsim.lp.door import read_columns

        model = getattr(problem, "capsim_model", None)
        if model is None:
            raise ValueError("not a problem made by Model.to_pulp()")
        proved = problem.sol_status == pulp.LpSolutionOptimal
        if not proved and problem.sol_status != pulp.LpSolutionIntegerFeasible:
            raise ValueError(f"the problem has no solution: {pulp.LpSolution[problem.sol_status]}")
        x = read_columns(problem)
        x[model.program.integer] = np.round(x[model.program.integer])
        bound = float(model.program.cost @ x + model.program.offset) if proved else -np.inf
        return make_plan(
            model,
            x,
            bound=bound,
            solver=f"PuLP {pulp.__version__}",
            asked_gap=np.inf,
            proved=proved,
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
    solution: Solution | None = None,
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
