"""Plans that hold with a probability: optimize and simulate in turn, and the price of safety."""

from capsim.reliability.result import Hardened
from capsim.reliability.search import harden, safety_curve

__all__ = ["Hardened", "harden", "safety_curve"]
