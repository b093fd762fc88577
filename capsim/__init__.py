"""Plan school places: enrolment, construction and the mix that takes every child in.

Everything named here is loaded on first use; ``import capsim`` alone loads no other library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capsim.analysis.diverse_plans import different_plans
    from capsim.analysis.lexicographic import Fair, optimize_lexicographic
    from capsim.analysis.near_optimal import near_optimal
    from capsim.analysis.pareto import pareto
    from capsim.analysis.rolling_horizon import replan
    from capsim.analysis.stochastic.risk import CVaR
    from capsim.analysis.stochastic.two_stage import (
        TwoStagePlan,
        ValueOfInformation,
        optimize_regret,
        optimize_two_stage,
        value_of_information,
    )
    from capsim.analysis.sweep import sweep
    from capsim.certificate import certify
    from capsim.comparison.ranking import Comparison, compare
    from capsim.construction.acceleration import Acceleration, accelerate
    from capsim.demand.projection import Demand, project
    from capsim.demand.rolling_origin import backtest
    from capsim.demand.table_set import TableSet, load_tables
    from capsim.lp.options_and_result import SolveOptions
    from capsim.model.model import Model, formulate
    from capsim.plan.commitments import LeadTimes, decide_by
    from capsim.plan.plan import Plan, load_plan
    from capsim.plan.solver import optimize
    from capsim.reliability.result import Hardened
    from capsim.reliability.search import harden, safety_curve
    from capsim.report.enrolment_forecast import Forecast, forecast
    from capsim.scenario.faults import ScenarioError
    from capsim.scenario.geography import (
        read_areas,
        read_points,
        with_maps,
        with_ways,
    )
    from capsim.scenario.map_files import read_matrix, read_roads
    from capsim.scenario.scenario import Scenario, example, load
    from capsim.scenario.synthetic.generator import generate
    from capsim.simulation.outcomes import Outcomes
    from capsim.simulation.run import simulate


__all__ = [
    "Acceleration",
    "CVaR",
    "Comparison",
    "Demand",
    "Fair",
    "Forecast",
    "Hardened",
    "LeadTimes",
    "Model",
    "Outcomes",
    "Plan",
    "Scenario",
    "ScenarioError",
    "SolveOptions",
    "TableSet",
    "TwoStagePlan",
    "ValueOfInformation",
    "accelerate",
    "backtest",
    "certify",
    "compare",
    "decide_by",
    "different_plans",
    "example",
    "forecast",
    "formulate",
    "generate",
    "harden",
    "load",
    "load_plan",
    "load_tables",
    "near_optimal",
    "optimize",
    "optimize_lexicographic",
    "optimize_regret",
    "optimize_two_stage",
    "pareto",
    "project",
    "read_areas",
    "read_matrix",
    "read_points",
    "read_roads",
    "replan",
    "safety_curve",
    "simulate",
    "sweep",
    "value_of_information",
    "with_maps",
    "with_ways",
]

_HOME = {
    "Acceleration": "capsim.construction.acceleration",
    "CVaR": "capsim.analysis.stochastic.risk",
    "Comparison": "capsim.comparison.ranking",
    "Demand": "capsim.demand.projection",
    "Fair": "capsim.analysis.lexicographic",
    "Forecast": "capsim.report.enrolment_forecast",
    "Hardened": "capsim.reliability.result",
    "LeadTimes": "capsim.plan.commitments",
    "Model": "capsim.model.model",
    "Outcomes": "capsim.simulation.outcomes",
    "Plan": "capsim.plan.plan",
    "Scenario": "capsim.scenario.scenario",
    "ScenarioError": "capsim.scenario.faults",
    "SolveOptions": "capsim.lp.options_and_result",
    "TableSet": "capsim.demand.table_set",
    "TwoStagePlan": "capsim.analysis.stochastic.two_stage",
    "ValueOfInformation": "capsim.analysis.stochastic.two_stage",
    "accelerate": "capsim.construction.acceleration",
    "backtest": "capsim.demand.rolling_origin",
    "certify": "capsim.certificate",
    "compare": "capsim.comparison.ranking",
    "decide_by": "capsim.plan.commitments",
    "different_plans": "capsim.analysis.diverse_plans",
    "example": "capsim.scenario.scenario",
    "forecast": "capsim.report.enrolment_forecast",
    "formulate": "capsim.model.model",
    "generate": "capsim.scenario.synthetic.generator",
    "harden": "capsim.reliability.search",
    "load": "capsim.scenario.scenario",
    "load_plan": "capsim.plan.plan",
    "load_tables": "capsim.demand.table_set",
    "near_optimal": "capsim.analysis.near_optimal",
    "optimize": "capsim.plan.solver",
    "optimize_lexicographic": "capsim.analysis.lexicographic",
    "optimize_regret": "capsim.analysis.stochastic.two_stage",
    "optimize_two_stage": "capsim.analysis.stochastic.two_stage",
    "pareto": "capsim.analysis.pareto",
    "project": "capsim.demand.projection",
    "read_areas": "capsim.scenario.geography",
    "read_matrix": "capsim.scenario.map_files",
    "read_points": "capsim.scenario.geography",
    "read_roads": "capsim.scenario.map_files",
    "replan": "capsim.analysis.rolling_horizon",
    "safety_curve": "capsim.reliability.search",
    "simulate": "capsim.simulation.run",
    "sweep": "capsim.analysis.sweep",
    "value_of_information": "capsim.analysis.stochastic.two_stage",
    "with_maps": "capsim.scenario.geography",
    "with_ways": "capsim.scenario.geography",
}


_PARTS = (
    *("analysis", "benchmark", "certificate", "cli", "comparison", "construction", "demand"),
    *("i18n", "io", "lp", "model", "plan", "reliability", "report", "scenario", "simulation"),
    "workflow",
)
"""Packages and modules that are attributes too, so that ``capsim.certificate`` is found."""


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it, or a package."""
    if name in _PARTS:
        return import_module(f"capsim.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'capsim' has no attribute {name!r}")
    found = getattr(import_module(_HOME[name]), name)
    # From now on the name is found without this function.
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
