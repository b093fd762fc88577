"""Scenarios: settings and tables, loaded, checked, changed and saved."""

from capsim.standards import Stage

from .build import load
from .faults import Fault, ScenarioError
from .model import Scenario
from .settings import Settings
from .synthetic import generate

__all__ = ["Fault", "Scenario", "ScenarioError", "Settings", "Stage", "generate", "load"]
