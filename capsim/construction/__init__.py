"""Simulation of the building programme as SimPy processes, and choice of its start dates.

`build` takes a scenario and planned openings and returns a `ConstructionSimulation` of simulated
dates; `optimize_starts` chooses when projects begin, `accelerate` which to hurry; `fit` learns
durations from a record. See
``docs/construction.md``.
"""

from capsim.construction.acceleration import Acceleration, accelerate, with_options
from capsim.construction.calibration import Slippage, fit, phases_table
from capsim.construction.durations import PRIOR, Phase
from capsim.construction.programme_simulation import RULES, ConstructionSimulation, build
from capsim.construction.scheduling import OptimizedStarts, Schedule, optimize_starts, schedule
from capsim.construction.simpy_model import Job, work

__all__ = [
    "PRIOR",
    "RULES",
    "Acceleration",
    "ConstructionSimulation",
    "Job",
    "OptimizedStarts",
    "Phase",
    "Schedule",
    "Slippage",
    "accelerate",
    "build",
    "fit",
    "optimize_starts",
    "phases_table",
    "schedule",
    "with_options",
    "work",
]
