"""Blocks searched side by side: on threads here, or on the workers of an executor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from capsim.lp.arrays import Array
from capsim.lp.build import Program
from capsim.lp.clock import Deal
from capsim.lp.highs import Highs, solver_name
from capsim.lp.parallel import in_parallel
from capsim.lp.result import Solution
from capsim.runs.executors import run_blocks


@dataclass(frozen=True)
class Search:
    """One block to be searched: its program, how, and where it begins.

    Attributes
    ----------
    part : Program
    options : mapping
        Of the solver.
    start : float64 ``[column]``, optional
    last : bool
        Whether it goes on to a first solution where it had too little time.
    """

    part: Program
    options: Mapping[str, float]
    start: Array | None = None
    last: bool = False


def search_all(
    searches: Sequence[Search], left: Deal, executor: Executor | None = None
) -> list[Solution]:
    """Solve blocks side by side; solutions in their order.

    Parameters
    ----------
    searches : sequence of Search
    left : Deal
        The seconds of all of them: on threads what one does not need goes to those after it; on an
        executor, whose workers nobody counts, each has what it would have on two.
    executor : concurrent.futures.Executor, optional
        None: threads of this process.

    Raises
    ------
    WorkerLost
        Where a worker of the executor died and nobody did its block again.

    Examples
    --------
    >>> from capsim.lp import Builder
    >>> from capsim.lp.clock import Clock
    >>> m = Builder()
    >>> x = m.variables("x", 1, cost=1.0, integer=True)
    >>> m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    >>> found = search_all([Search(m.freeze(), {})] * 2, Clock(None).deal(2))
    >>> [s.objective for s in found]
    [2.0, 2.0]
    """
    if executor is None:
        return in_parallel([partial(_search_in_turn, search, left) for search in searches])
    limit = left.limit()
    done = run_blocks(_as_arrays, [(search, limit) for search in searches], executor=executor)
    return [_as_solution(arrays) for arrays in done]


def _search_in_turn(search: Search, left: Deal) -> Solution:
    return _solved(search, left.limit())


def _solved(search: Search, limit: Mapping[str, float]) -> Solution:
    highs = Highs(search.part, {"mip_rel_gap": 0.0, **search.options, **limit})
    if search.start is not None and search.part.integer.any():
        highs.start_from(search.start)
    found = highs.solve()
    if found.status == "unknown" and search.last:
        return Highs(search.part, {"mip_max_improving_sols": 1}).solve()
    return found


def _as_arrays(job: tuple[Search, Mapping[str, float]]) -> dict[str, Any]:
    found = _solved(*job)
    return {
        "status": np.array(found.status),
        "x": np.zeros(0) if found.x is None else found.x,
        "figures": np.array([found.objective, found.bound, found.seconds, found.hand_over_s]),
    }


def _as_solution(arrays: Mapping[str, Any]) -> Solution:
    objective, bound, seconds, hand_over_s = arrays["figures"].tolist()
    x = arrays["x"]
    return Solution(
        status=str(arrays["status"]),
        x=x if len(x) else None,
        objective=objective,
        bound=bound,
        row_dual=None,
        column_dual=None,
        solver=solver_name(),
        seconds=seconds,
        hand_over_s=hand_over_s,
    )
