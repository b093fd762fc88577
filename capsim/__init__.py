"""Plan school places: enrolment, construction and the mix that takes every child in.

Everything named here is loaded on first use; ``import capsim`` alone loads no other library.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capsim.certificate import certify
    from capsim.compare import Comparison, compare
    from capsim.demand import Demand, backtest, project
    from capsim.harden import Hardened, harden, safety_curve
    from capsim.optimize import Model, Plan, formulate, optimize
    from capsim.optimize.alternatives import near_optimal
    from capsim.optimize.different import different_plans
    from capsim.optimize.fairness import Fair
    from capsim.optimize.pareto import pareto
    from capsim.optimize.priorities import optimize_in_order
    from capsim.optimize.rolling import replan
    from capsim.optimize.stochastic import (
        CVaR,
        TwoStagePlan,
        ValueOfInformation,
        optimize_regret,
        optimize_two_stage,
        value_of_information,
    )
    from capsim.optimize.warning import Notice, decide_by
    from capsim.scenario import Scenario, ScenarioError, generate, load
    from capsim.simulate import Outcomes, simulate
    from capsim.sweep import sweep

__all__ = [
    "CVaR",
    "Comparison",
    "Demand",
    "Fair",
    "Hardened",
    "Model",
    "Notice",
    "Outcomes",
    "Plan",
    "Scenario",
    "ScenarioError",
    "TwoStagePlan",
    "ValueOfInformation",
    "backtest",
    "certify",
    "compare",
    "decide_by",
    "different_plans",
    "formulate",
    "generate",
    "harden",
    "load",
    "near_optimal",
    "optimize",
    "optimize_in_order",
    "optimize_regret",
    "optimize_two_stage",
    "pareto",
    "project",
    "replan",
    "safety_curve",
    "simulate",
    "sweep",
    "value_of_information",
]

_HOME = {
    "certify": "capsim.certificate",
    "Comparison": "capsim.compare",
    "compare": "capsim.compare",
    "Demand": "capsim.demand",
    "backtest": "capsim.demand",
    "project": "capsim.demand",
    "Hardened": "capsim.harden",
    "harden": "capsim.harden",
    "safety_curve": "capsim.harden",
    "Model": "capsim.optimize",
    "Plan": "capsim.optimize",
    "formulate": "capsim.optimize",
    "optimize": "capsim.optimize",
    "optimize_in_order": "capsim.optimize.priorities",
    "Fair": "capsim.optimize.fairness",
    "Notice": "capsim.optimize.warning",
    "decide_by": "capsim.optimize.warning",
    "different_plans": "capsim.optimize.different",
    "near_optimal": "capsim.optimize.alternatives",
    "pareto": "capsim.optimize.pareto",
    "replan": "capsim.optimize.rolling",
    **dict.fromkeys(
        (
            "CVaR",
            "TwoStagePlan",
            "ValueOfInformation",
            "optimize_regret",
            "optimize_two_stage",
            "value_of_information",
        ),
        "capsim.optimize.stochastic",
    ),
    "sweep": "capsim.sweep",
    "Scenario": "capsim.scenario",
    "ScenarioError": "capsim.scenario",
    "load": "capsim.scenario",
    "generate": "capsim.scenario",
    "Outcomes": "capsim.simulate",
    "simulate": "capsim.simulate",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for from the module that holds it."""
    if name not in _HOME:
        raise AttributeError(f"module 'capsim' has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


class _Face(ModuleType):
    """Keeps `capsim.optimize` the verb when its package, of the same name, is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
