"""A plan: what to build, convert and buy, when and where, with its proof and its tables.

A plan keeps the columns that the solver found, and in memory the model that they belong to; what
is asked of it (prices, explanations, limits) is computed from these, never from its tables.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.i18n.language import Message
from capsim.lp.array_types import Array
from capsim.model.costs import MILLION
from capsim.model.labelled_variables import Quantity
from capsim.model.model import Model, OwnRule, formulate
from capsim.plan.solution_arrays import Solution
from capsim.plan.tables import plan_tables

if TYPE_CHECKING:
    from capsim.analysis.shadow_prices import Prices
    from capsim.demand.projection import Demand
    from capsim.scenario.scenario import Scenario


FRACTION = 1e-4
"""By which what must be whole may miss it: solvers stop at 1e-5 and below."""


class Tables(Mapping[str, pd.DataFrame]):
    """Frames by name; each is given out as a copy, so that no caller changes a result.

    Examples
    --------
    >>> tables = Tables({"one": pd.DataFrame({"a": [1]})})
    >>> frame = tables["one"]
    >>> frame["a"] = 2
    >>> tables["one"]["a"].tolist()
    [1]
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = dict(frames)

    def __getitem__(self, name: str) -> pd.DataFrame:
        # Copied when written to (pandas 3), not now.
        return self._frames[name].copy(deep=False)

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tables) and (
            self._frames.keys() == other._frames.keys()
            and all(frame.equals(other._frames[name]) for name, frame in self._frames.items())
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Explanation:
    """Why no plan meets every target, and the least that would have to give way.

    Attributes
    ----------
    messages : tuple of Message
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

    messages: tuple[Message, ...]
    table: pd.DataFrame
    conflicts: tuple[tuple[str, ...], ...] = ()
    repairs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in English."""
        return tuple(str(one) for one in self.messages)


@dataclass(frozen=True)
class Plan:
    """The answer to a scenario; see ``docs/results.md`` for every table and column.

    Attributes
    ----------
    scenario : Scenario
    demand : Demand
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible``.
    gap : float
        ``(objective − bound) ÷ max(avoidable, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny, committed_cny : float
        Discounted RMB, all years.
    solver : str
    timings_s : mapping of floats
    tables : mapping of frames
        Empty where infeasible.
    x : float64 ``[column]``, or None
        The solution, by column of `model`; None where infeasible.
    relaxed : bool
        Whether it solves the linear relaxation: openings and conversions may be fractions.
    made_from : Model, or None
        Kept in memory only: a plan is sent to other processes and stored without it, unless rules
        of one's own were added to it.
    own_rules : tuple of OwnRule
        Rules that were added to the model.
    own_cost_cny : float
        Discounted RMB that variables of one's own cost; part of the objective.
    asked_gap : float
        Up to which a plan is ``optimal``.
    row_prices : float64 ``[row]``, or None
        Of the relaxation, that the search ended with; what proves its bound.
    bound_of : Scenario, or None
        Whose bound it is, where that is another: of a plan in which projects are hurried it is that
        of the scenario as it was.
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
    x: Array | None = field(default=None, repr=False, compare=False)
    relaxed: bool = False
    made_from: Model | None = field(default=None, repr=False, compare=False)
    own_rules: tuple[OwnRule, ...] = ()
    own_cost_cny: float = 0.0
    asked_gap: float = 0.0
    row_prices: Array | None = field(default=None, repr=False, compare=False)
    bound_of: Scenario | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {"timings_s": dict(self.timings_s)}
        return {**own, **plain, "made_from": self.made_from if self._extended else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({**state, "timings_s": MappingProxyType(state["timings_s"])})

    @property
    def _extended(self) -> bool:
        """Whether its model has rules or variables of one's own, which no scenario tells."""
        model = self.made_from
        return model is not None and bool(model.own_rules or model.own_variables)

    @cached_property
    def model(self) -> Model:
        """The model that the plan was made from; built anew where it came from elsewhere."""
        return self.made_from or formulate(self.scenario, self.demand)

    @cached_property
    def solution(self) -> Solution:
        """The solution by meaning, as arrays.

        Raises
        ------
        ValueError
            If there is no plan, or it was written down without its columns.
        """
        if self.x is None:
            raise ValueError("this plan has no solution: it is infeasible or made of tables only")
        return Solution(self.model.parts, self.x)

    def value(self, quantity: Quantity) -> pd.Series:
        """Return a quantity of the plan's model (``model.x``, variables of one's own), by label.

        Raises
        ------
        ValueError
            If there is no plan, or it was written down without its columns, or the quantity is of a
            model of another scenario.
        """
        x = self.solution.x
        if not isinstance(quantity, Quantity):
            raise TypeError(f"expected a quantity of the model, not {type(quantity).__name__}")
        if quantity.scenario not in ("", self.scenario.hash):
            raise ValueError("the quantity is of a model of another scenario")
        if (quantity.expression.entries()[1] >= len(x)).any():
            raise ValueError("the plan's model has no such variable: solve it again, or use its x")
        return quantity.value(x)

    @property
    def avoidable_cny(self) -> float:
        """Discounted cost that decisions can move, RMB."""
        return self.objective_cny - self.committed_cny

    @property
    def meets_targets(self) -> bool:
        """Whether there is a plan and every target holds."""
        return self.status != "infeasible" and bool(self.tables["targets"]["met"].all())

    def prices(
        self,
        kinds: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        *,
        intervals: bool = True,
        time_limit: float | None = None,
    ) -> Prices:
        """Price what is scarce: see :func:`capsim.analysis.shadow_prices.prices`.

        ``intervals=False`` is the fast call: one dual price of each thing, not its two sides.
        """
        from capsim.analysis.shadow_prices import prices

        return prices(self, kinds, where, intervals=intervals, time_limit=time_limit)

    @cached_property
    def explanation(self) -> Explanation | None:
        """Why there is no plan, or why it misses a target; None where it meets them all.

        Computed when it is first asked for, which may take as long as the planning did.
        """
        from capsim.analysis.infeasibility.diagnosis import explain

        return explain(self)

    def explain(self, time_limit: float | None = None) -> Explanation | None:
        """Explain why there is no plan, or why it misses a target; None where it meets them all.

        Within so many seconds, where given: it says so itself where they were too few.
        """
        if time_limit is None or "explanation" in vars(self):
            return self.explanation
        from capsim.analysis.infeasibility.diagnosis import explain

        return explain(self, time_limit=time_limit)

    @classmethod
    def from_pulp(cls, problem: Any) -> Plan:
        """Read the plan back from a solved problem that :meth:`Model.to_pulp` made.

        The problem may have been extended; its own variables are read by position. Only
        ``sol_status`` is believed, and the gap is what the solver proved, or was told to stop at
        (:func:`capsim.lp.pulp_bridge.proved_bound`). A problem with another objective proves
        nothing of the cost: the plan has status ``gap`` and no bound.

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
        whole = model.program.rounded(x)
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
    relaxed: bool = False,
    row_prices: Array | None = None,
) -> Plan:
    """Make a plan from columns; ``bound`` is on the avoidable cost in million RMB.

    Of a relaxation the objective is that of the program, as tables round its fractions.
    """
    begin = time.perf_counter()
    tables = plan_tables(model, x)
    own_cost = model.own_cost_cny(x)
    objective = float(tables["costs"]["discounted_cny"].sum()) + own_cost
    if relaxed:
        avoided = model.program.objective(x) + model.beyond_of(x)
        objective = avoided * MILLION + model.committed_cny
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
        timings_s=MappingProxyType({**(timings_s or {}), "extract": time.perf_counter() - begin}),
        tables=Tables(tables),
        x=x,
        relaxed=relaxed,
        made_from=replace(model),
        own_rules=model.own_rules,
        own_cost_cny=own_cost,
        asked_gap=asked_gap,
        row_prices=row_prices,
    )


def no_plan(model: Model, solver: str, timings_s: Mapping[str, float]) -> Plan:
    """Make the answer to a scenario whose rules contradict each other."""
    nan = float("nan")
    return Plan(
        scenario=model.given.scenario,
        demand=model.given.demand,
        status="infeasible",
        gap=nan,
        objective_cny=nan,
        bound_cny=nan,
        committed_cny=model.committed_cny,
        solver=solver,
        timings_s=MappingProxyType(dict(timings_s)),
        tables=Tables({}),
        made_from=replace(model),
        own_rules=model.own_rules,
    )
