"""The plan: the cheapest mix of new schools, conversions and purchased places for every child.

:func:`optimize` solves a model (:mod:`capsim.model`) and reads the answer back as a :class:`Plan`.
"""

from capsim.plan.plan import Explanation, Plan
from capsim.plan.solver import optimize

__all__ = ["Explanation", "Plan", "optimize"]
