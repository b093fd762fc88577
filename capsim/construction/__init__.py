"""Will it open on 1 September? The building programme as SimPy processes.

`build` takes a scenario and planned openings and returns a `Programme` of simulated dates; see
``docs/construction.md``.
"""

from capsim.construction.build import build
from capsim.construction.engine import Job, work
from capsim.construction.fit import Slippage, fit
from capsim.construction.prior import PRIOR, Phase
from capsim.construction.programme import Programme
from capsim.construction.rules import RULES
from capsim.construction.schedule import Schedule, schedule

__all__ = [
    "PRIOR",
    "RULES",
    "Job",
    "Phase",
    "Programme",
    "Schedule",
    "Slippage",
    "build",
    "fit",
    "schedule",
    "work",
]
