"""Plans that hold with a probability: optimize and simulate in turn, and the price of safety."""

from .curve import safety_curve
from .loop import harden
from .result import Hardened

__all__ = ["Hardened", "harden", "safety_curve"]
