"""Checks of a scenario across its settings and tables; all of their faults at once."""

from capsim.scenario.validation.check import check

__all__ = ["check"]
