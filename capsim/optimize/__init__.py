"""The plan: the cheapest mix of new schools, conversions and purchased places for every child.

:func:`formulate` builds the model of ``docs/model.md`` as arrays, one constraint family a module in
:mod:`capsim.optimize.families`; :func:`optimize` solves it and reads it back as a :class:`Plan`.
"""

from capsim.optimize.explanation import Explanation
from capsim.optimize.model import Model, formulate
from capsim.optimize.plan import Plan
from capsim.optimize.run import optimize

__all__ = ["Explanation", "Model", "Plan", "formulate", "optimize"]
