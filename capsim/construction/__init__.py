"""Will it open on 1 September? The building programme as SimPy processes.

`build` takes a scenario and planned openings and returns a `ConstructionSimulation` of simulated
dates; see
``docs/construction.md``.
"""

from __future__ import annotations

from capsim.construction.building import ConstructionSimulation, build
from capsim.construction.calibration import Slippage, fit
from capsim.construction.durations import PRIOR, Phase
from capsim.construction.priority_rules import RULES
from capsim.construction.scheduling import Schedule, schedule
from capsim.construction.simpy_model import Job, work

__all__ = [
    "PRIOR",
    "RULES",
    "ConstructionSimulation",
    "Job",
    "Phase",
    "Schedule",
    "Slippage",
    "build",
    "fit",
    "schedule",
    "work",
]
