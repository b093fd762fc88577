"""The plan: the cheapest mix of new schools, conversions and purchased places for every child.

:func:`formulate` builds the model of ``docs/model.md`` as arrays, one constraint family a module in
:mod:`capsim.model.constraints`; :func:`optimize` solves it and reads it back as a :class:`Plan`.
"""

from __future__ import annotations

from capsim.model.model import Model, formulate
from capsim.plan.plan import Explanation, Plan
from capsim.plan.solver import optimize

__all__ = ["Explanation", "Model", "Plan", "formulate", "optimize"]
