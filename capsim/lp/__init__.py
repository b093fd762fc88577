"""Linear and mixed-integer programs as arrays, and the solvers that take them.

This layer is independent of schools. A :class:`Builder` collects *blocks* of columns and
rows; :meth:`Builder.freeze` turns them into one :class:`LinearProgram` (objective, bounds and a
sparse matrix), which :func:`solve` hands to a solver in one piece. Names are made only when
somebody reads them: a block keeps the labels of its dimensions, not a string per column.
"""

from capsim.lp.expressions import Constraint, Expression
from capsim.lp.labels import Axis, Labels
from capsim.lp.options_and_result import SolverError, SolverResult
from capsim.lp.program import Block, Builder, LinearProgram
from capsim.lp.solvers import solve

__all__ = [
    "Axis",
    "Block",
    "Builder",
    "Constraint",
    "Expression",
    "Labels",
    "LinearProgram",
    "SolverError",
    "SolverResult",
    "solve",
]
