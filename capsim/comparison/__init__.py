"""Scenarios side by side: differences of their inputs and of their results.

Every scenario is planned and then simulated with the same seed, so that births and buildings have
the same luck in each (common random numbers) and differences are those of the scenarios.
"""

from capsim.comparison.differences import differences
from capsim.comparison.ranking import Comparison, Result, compare
from capsim.comparison.sensitivity_design import grid, heat, one_at_a_time, parse_settings, tornado

__all__ = [
    "Comparison",
    "Result",
    "compare",
    "differences",
    "grid",
    "heat",
    "one_at_a_time",
    "parse_settings",
    "tornado",
]
