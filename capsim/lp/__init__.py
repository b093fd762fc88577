"""Linear and mixed-integer programs as arrays, and the solvers that take them.

This layer knows nothing of schools. A :class:`Builder` collects *blocks* of columns and
rows; :meth:`Builder.freeze` turns them into one :class:`Program` (objective, bounds and a
sparse matrix), which :func:`solve` hands to a solver in one piece. Names are made only when
somebody reads them: a block keeps the labels of its dimensions, not a string per column.
"""

from capsim.lp.build import Block, Builder, Program
from capsim.lp.labels import Along, Labels
from capsim.lp.solve import Solution, SolverError, solve

__all__ = [
    "Along",
    "Block",
    "Builder",
    "Labels",
    "Program",
    "Solution",
    "SolverError",
    "solve",
]
