"""A linear program that falls apart altogether: its blocks solved side by side are the whole."""

from __future__ import annotations

import numpy as np

from capsim.lp.blocks import Split
from capsim.lp.clock import Clock
from capsim.lp.highs import solver_name
from capsim.lp.result import Solution
from capsim.lp.searches import Search, search_all

ITERATIONS = 100_000
A_ROW = 1
"""Simplex iterations that a block may take: the larger of so many, and so many a row."""


def solve_apart(found: Split, *, time_limit: float | None = None) -> Solution | None:
    """Solve a linear program whose blocks meet in no row.

    The simplex method takes more than in proportion to the size of a program, and blocks go side
    by side. Optima and duals of the blocks are those of the whole.

    Parameters
    ----------
    found : Split
        Without coupling rows; of a program without integers.
    time_limit : float, optional
        Seconds.

    Returns
    -------
    Solution or None
        None where a block has no optimum, too little time or takes more iterations than such
        blocks do, or there is none: then let the whole say why.

    Raises
    ------
    ValueError
        If blocks meet, or there are integers.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.blocks import split
    >>> m = Builder()
    >>> x = m.variables("x", 2, cost=[1.0, 3.0])
    >>> m.constrain("own", 2, [([0, 1], x, 1.0)], lower=[2.0, 5.0])
    >>> solution = solve_apart(split(m.freeze(), np.array([False, False]), parts=2))
    >>> solution.objective, solution.row_dual.tolist()
    (17.0, [1.0, 3.0])
    """
    program = found.program
    if len(found.coupling) or program.integer.any():
        raise ValueError("only a linear program whose blocks meet in no row is solved apart")
    if not found.blocks:
        return None
    clock = Clock(time_limit)
    searches = [
        Search(found.part(b), {"simplex_iteration_limit": max(ITERATIONS, A_ROW * len(b.rows))})
        for b in found.blocks
    ]
    solved = search_all(searches, clock.deal(len(searches)))
    x, column_dual = np.zeros(len(program.cost)), np.zeros(len(program.cost))
    row_dual = np.zeros(len(program.row_lower))
    for block, own in zip(found.blocks, solved, strict=True):
        if own.status != "optimal" or own.row_dual is None:
            return None
        x[block.columns], column_dual[block.columns] = own.x, own.column_dual
        row_dual[block.rows] = own.row_dual
    objective = sum(own.objective for own in solved) + program.offset
    return Solution(
        status="optimal",
        x=x,
        objective=objective,
        bound=objective,
        row_dual=row_dual,
        column_dual=column_dual,
        solver=solver_name(),
        seconds=clock.spent(),
        hand_over_s=sum(own.hand_over_s for own in solved),
    )
