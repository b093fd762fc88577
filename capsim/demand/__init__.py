"""Children to be placed: births, entry and grade progression, with their uncertainty.

A child born between September and August enters a first grade together with the others of that
school year; from then on a cohort moves up a grade a year, and the progression ratio says how many
of it are seen a year later: one plus net migration, transfer and repetition.
"""

from capsim.demand.enrolment_table import panel
from capsim.demand.forecasting import METHODS, Method, forecast
from capsim.demand.observed import Panel, birth_variant
from capsim.demand.projection import Demand, panel_of, project
from capsim.demand.rolling_origin import Backtest, backtest
from capsim.demand.sectors import SECTORS, Sectors, by_sector

__all__ = [
    "METHODS",
    "SECTORS",
    "Backtest",
    "Demand",
    "Method",
    "Panel",
    "Sectors",
    "backtest",
    "birth_variant",
    "by_sector",
    "forecast",
    "panel",
    "panel_of",
    "project",
]
