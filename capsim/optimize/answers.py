"""What a plan is asked: its prices, and why it is none or misses a target.

Each builds the plan's model anew. :class:`capsim.optimize.Plan` comes here when it is asked, and
imports nothing else of what speaks about plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from capsim.optimize.explain import explain
from capsim.optimize.explanation import Explanation
from capsim.optimize.model import formulate
from capsim.optimize.plan import Plan
from capsim.optimize.prices import Prices, prices


def prices_of(
    plan: Plan,
    kinds: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    intervals: bool = True,
) -> Prices:
    """Price what is scarce in a plan."""
    model = formulate(plan.scenario, plan.demand)
    return prices(model, plan, kinds, where, intervals=intervals)


def reasons_of(plan: Plan) -> Explanation | None:
    """Say why there is no plan, or why it misses a target; None where it meets them all."""
    if plan.explanation is not None:
        return plan.explanation
    return explain(formulate(plan.scenario, plan.demand), plan)
