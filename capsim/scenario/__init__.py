"""Scenarios: settings and tables, loaded, checked, changed and saved."""

from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.scenario import Scenario, load
from capsim.scenario.school_stages import Stage
from capsim.scenario.settings import Settings
from capsim.scenario.synthetic.generator import generate

__all__ = ["Fault", "Scenario", "ScenarioError", "Settings", "Stage", "generate", "load"]
