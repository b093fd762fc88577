"""Children to be placed: births, entry and grade progression, with their uncertainty.

A child born between September and August enters a first grade together with the others of that
school year; from then on a cohort moves up a grade a year, and the progression ratio says how many
of it are seen a year later: one plus net migration, transfer and repetition.
"""

from .projection import Demand, project

__all__ = ["Demand", "project"]
