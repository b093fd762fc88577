"""Scenarios: settings and tables, loaded, checked, changed and saved."""

from capsim.standards import Stage

from .faults import Fault, ScenarioError
from .model import Scenario, load
from .settings import Settings
from .synthetic import generate

__all__ = ["Fault", "Scenario", "ScenarioError", "Settings", "Stage", "generate", "load"]
