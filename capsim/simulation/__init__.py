"""Simulation of a plan under draws of demand and of opening dates.

Each autumn children are seated as the plan says; what does not fit takes slack nearby, then
over-fills classes up to the ceiling, then stays without a place. See ``docs/simulation.md``.
"""

from capsim.simulation.outcomes import Outcomes
from capsim.simulation.run import simulate

__all__ = ["Outcomes", "simulate"]
