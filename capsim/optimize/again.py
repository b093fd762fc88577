"""A model's program solved again and again, with other aims and other limits on criteria.

Up to ``LARGE`` columns one HiGHS object is kept: only bounds, costs and limits change, a
linear program goes on from its last basis and a mixed-integer one from a solution already known.
Larger programs go county by county each time, as in :func:`capsim.optimize`; the route is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from capsim.lp import Program, Solution, SolverError
from capsim.lp.arrays import Array
from capsim.lp.asked import refuse_limits
from capsim.lp.highs import Highs
from capsim.optimize.model import Model, is_large
from capsim.optimize.search import search

KEPT, COUNTIES = "whole, one solver kept", "county by county"
STOPPED_MESSAGE = "no solution was found in time; allow more time"


class Again:
    """One program, solved for changing aims.

    Parameters
    ----------
    model : Model
    program : Program
        Of the model's columns and rows, perhaps with more of both at the end.
    gap : float
        Relative gap at which a search may stop.
    threads : int, optional
    """

    def __init__(
        self, model: Model, program: Program, *, gap: float = 1e-4, threads: int | None = None
    ) -> None:
        refuse_limits(gap)
        self.model, self.program = model, program
        self._gap, self._threads = gap, threads
        self._highs: Highs | None = None
        if not is_large(program):
            options: dict[str, Any] = {} if threads is None else {"threads": threads}
            self._highs = Highs(program, {"mip_rel_gap": gap, "mip_abs_gap": 0.0, **options})

    @property
    def route(self) -> str:
        """How it is solved, in words."""
        return COUNTIES if self._highs is None else KEPT

    def solve(
        self,
        cost: Array,
        offset: float = 0.0,
        *,
        row_upper: Array | None = None,
        bounds: tuple[Array, Array] | None = None,
        start: Array | None = None,
        absolute: float = 0.0,
        time_limit: float | None = None,
    ) -> Solution:
        """Minimise ``cost · x + offset`` under these row limits and column bounds.

        Parameters
        ----------
        cost : float64 ``[column]``
        row_upper : float64 ``[row]``, optional
        bounds : pair of float64 ``[column]``, optional
        start : float64 ``[column]``, optional
            A solution within these limits to begin the search from.
        absolute : float
            Gap in the units of the aim at which a search may stop.
        time_limit : float, optional
            Seconds.
        """
        program = replace(
            self.program,
            cost=cost,
            offset=offset,
            row_upper=self.program.row_upper if row_upper is None else row_upper,
            lower=self.program.lower if bounds is None else bounds[0],
            upper=self.program.upper if bounds is None else bounds[1],
        )
        if self._highs is None:
            model = self.model.with_program(program)
            found = search(
                model, program, gap=self._gap, time_limit=time_limit, threads=self._threads
            )
            return _better(found, start, cost, offset)
        highs = self._highs
        highs.change((program.lower, program.upper), (program.row_lower, program.row_upper), cost)
        highs.raw.changeObjectiveOffset(offset)
        seconds = np.inf if time_limit is None else max(time_limit, 0.01)
        highs.set({"mip_abs_gap": absolute, "time_limit": seconds})
        if start is not None and program.integer.any():
            highs.start_from(start)
        return highs.solve()


def _better(found: Solution, start: Array | None, cost: Array, offset: float) -> Solution:
    """Keep the start where a search that cannot begin from it found nothing better."""
    if start is None:
        return found
    value = float(cost @ start + offset)
    if found.x is None or value < found.objective:
        status = found.status if found.status == "optimal" else "stopped"
        return replace(found, x=start, objective=value, status=status)
    return found


def found_x(found: Solution, what: str, start: Array | None = None) -> Array:
    """Return the solution's columns, or those of the start, itself a solution.

    Raises
    ------
    SolverError
        If there is neither.
    """
    if found.x is not None:
        return found.x
    if start is not None:
        return start
    raise SolverError(f"{what}: {_why(found)}")


def _why(found: Solution) -> str:
    told: Mapping[str, str] = {
        "unknown": STOPPED_MESSAGE,
        "infeasible": "the rules contradict each other (capsim.optimize explains which)",
    }
    return told.get(found.status, found.status)
