"""Scenarios side by side: differences of their inputs and of their results.

Every scenario is planned and then simulated with the same seed, so that births and buildings have
the same luck in each (common random numbers) and differences are those of the scenarios.
"""

from __future__ import annotations

from capsim.comparison.differences import differences, shown
from capsim.comparison.grid import (
    Factors,
    grid,
    heat,
    one_at_a_time,
    parse_settings,
    sweep_of,
    tornado,
)
from capsim.comparison.side_by_side import (
    HEADLINES,
    LESS_IS_BETTER,
    TERMS,
    Comparison,
    Result,
    compare,
    refuse,
)

__all__ = [
    "HEADLINES",
    "LESS_IS_BETTER",
    "TERMS",
    "Comparison",
    "Factors",
    "Result",
    "compare",
    "differences",
    "grid",
    "heat",
    "one_at_a_time",
    "parse_settings",
    "refuse",
    "shown",
    "sweep_of",
    "tornado",
]
