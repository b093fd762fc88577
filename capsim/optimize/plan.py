"""A plan: what to build, convert and buy, when and where, with its proof and its tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from capsim.lp import Solution
from capsim.lp.arrays import Array
from capsim.optimize.answers import prices_of, reasons_of
from capsim.optimize.explanation import Explanation
from capsim.optimize.model import Model
from capsim.optimize.planned import Planned
from capsim.optimize.prices import Prices
from capsim.optimize.tables import plan_tables

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
        """Price what is scarce: see :func:`capsim.optimize.prices.prices`; the model is built anew.

        ``intervals=False`` is the fast call: one dual price of each thing, not its two sides.
        """
        return prices_of(self, kinds, where, intervals=intervals)

    def explain(self) -> Explanation | None:
        """Say why there is no plan, or why it misses a target; None where it meets them all."""
        return reasons_of(self)

    @classmethod
    def from_pulp(cls, problem: Any) -> Plan:
        """Read the plan back from a solved problem that :meth:`Model.to_pulp` made.

        The problem may have been extended; its own variables are read by position. Only
        ``sol_status`` is believed, and the gap is what the solver proved, or was told to stop at
        (:func:`capsim.lp.proof.proved_bound`). A problem with another objective proves nothing of
        the cost: the plan has status ``gap`` and no bound.

        Raises
        ------
        ValueError
            If the problem was not made by capsim, was not solved, or only its relaxation was.
        """
        import pulp

        from capsim.lp.door import read_columns
        from capsim.lp.proof import minimises, proved_bound

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
