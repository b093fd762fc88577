"""What a plan is asked: its prices, and why it is none or misses a target.

Each builds the plan's model anew. :class:`capsim.optimize.Plan` comes here when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from capsim.optimize.explain import explain
from capsim.optimize.explanation import Explanation
from capsim.optimize.model import formulate
from capsim.optimize.planned import Planned
from capsim.optimize.prices import Prices, prices


def prices_of(
    plan: Planned,
    kinds: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    intervals: bool = True,
) -> Prices:
    """Price what is scarce in a plan."""
    model = formulate(plan.scenario, plan.demand)
    return prices(model, plan, kinds, where, intervals=intervals)


def reasons_of(plan: Planned) -> Explanation | None:
    """Say why there is no plan, or why it misses a target; None where it meets them all."""
    if plan.explanation is not None:
        return plan.explanation
    return explain(formulate(plan.scenario, plan.demand), plan)
