"""The data of a plan: how good it is proved to be, and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from capsim.lp import Solution
from capsim.optimize.explanation import Explanation

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class Planned:
    """What a plan says: :class:`capsim.optimize.Plan` without what it can be asked."""

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
