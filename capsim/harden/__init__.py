"""Plans that hold with a probability: optimize and simulate in turn, and the price of safety."""

from .loop import Hardened, harden

__all__ = ["Hardened", "harden"]
