"""What else would do: the plans that cost little more than the best, and what they share.

Three questions over all plans within so many per cent of the best avoidable cost: the least and the
most of each project and lever that any of them takes (each end is a program of its own, proved);
which projects are in every one of them, and in none; and a few plans as different as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.optimize.again import COUNTIES, Again
from capsim.optimize.levers import Lever, levers
from capsim.optimize.near import Near, near
from capsim.optimize.near_counties import ends_by_county
from capsim.optimize.near_ends import WHOLE, End, edge, fine, told

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize.model import Model
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class NearOptimal:
    """What the plans near the best have in common.

    Attributes
    ----------
    ranges : frame
        A row for each lever: ``kind``, ``name``, ``county``, ``unit``, ``best`` (in the best plan
        found), ``least`` and ``most`` (found in plans near the best), ``least_bound`` and
        ``most_bound`` (no plan near the best goes beyond), ``proved`` (both ends are exact).
    projects : frame
        The rows of projects and conversions with ``verdict``: ``in every plan``, ``in none``,
        ``in some``, or ``not proved``.
    best_cny, bound_cny, limit_cny : float
        Avoidable cost, discounted RMB.
    proved : bool
        Whether the best was proved to the gap asked for. Where it was not, a cheaper plan may
        exist, and the plans near it are among those looked at here only in part.
    route : str
    """

    ranges: pd.DataFrame
    projects: pd.DataFrame
    best_cny: float
    bound_cny: float
    limit_cny: float
    proved: bool
    route: str


def near_optimal(
    scenario: Scenario | Model,
    within: float = 0.01,
    *,
    kinds: Sequence[str] = ("project", "conversion", "total"),
    demand: Demand | None = None,
    gap: float | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
) -> NearOptimal:
    """Find the least and the most of each project and lever in all plans near the best.

    An end that some plan already found takes, and that the linear relaxation shows none can pass,
    is proved without a search; only the others are searched as mixed-integer programs. A large
    program is not searched but asked county by county: the bounds are proved for every plan near
    the best, and what is found are plans that differ from the best in one project or school.

    Parameters
    ----------
    scenario : Scenario or Model
    within : float
        Share of the best avoidable cost (of 1 million RMB where that is less), such as 0.01.
    kinds : sequence of str
        Of ``project`` (copies in use at the end), ``conversion`` (1 or 0 at the end), ``purchase``
        (place-years of a school), ``closure`` (1 or 0) and ``total`` (places built, schools
        converted, place-years bought, teachers hired, and so on, of the whole).
    demand : Demand, optional
    gap : float, optional
        To which the best plan is proved; 1e-4 where not given, 1e-3 in a large program.
    time_limit : float, optional
        Seconds for everything; ends not reached by then are not proved, and say so.
    threads : int, optional

    Returns
    -------
    NearOptimal

    Raises
    ------
    ValueError
        If ``within`` is not positive or a kind is unknown.
    SolverError
        If there is no plan, or none was found in time.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0)
    >>> found = near_optimal(city, 0.02, kinds=["project"])
    >>> bool((found.ranges["least"] <= found.ranges["most"]).all())
    True
    """
    base = near(scenario, within, demand=demand, gap=gap, time_limit=time_limit, threads=threads)
    asked = levers(base.model, kinds)
    ends = ends_by_county(base, asked)
    route = COUNTIES
    if ends is None:
        search = _Ends(base, asked)
        route = search.whole.route
        ends = [(search.end(i, 1.0), search.end(i, -1.0)) for i in range(len(asked))]
    ranges = pd.DataFrame(
        {
            "kind": [lever.kind for lever in asked],
            "name": [lever.name for lever in asked],
            "county": [lever.county for lever in asked],
            "unit": [lever.unit for lever in asked],
            "best": [lever.value(base.x) for lever in asked],
            "least": [low.value for low, _ in ends],
            "most": [0.0 - high.value for _, high in ends],
            "least_bound": [low.bound for low, _ in ends],
            "most_bound": [0.0 - high.bound for _, high in ends],
            "proved": [low.proved and high.proved for low, high in ends],
        }
    )
    decided = ranges[ranges["kind"].isin(("project", "conversion"))].reset_index(drop=True)
    decided["verdict"] = [
        _verdict(least, most, low, high)
        for least, most, low, high in zip(
            decided["least"],
            decided["most"],
            decided["least_bound"],
            decided["most_bound"],
            strict=True,
        )
    ]
    return NearOptimal(
        ranges=ranges,
        projects=decided,
        best_cny=base.best * 1e6,
        bound_cny=base.bound * 1e6,
        limit_cny=base.limit * 1e6,
        proved=base.proved,
        route=route,
    )


class _Ends:
    """Solves the ends of levers one after the other; every plan found is a witness for all."""

    def __init__(self, base: Near, asked: Sequence[Lever]) -> None:
        self.base, self.asked = base, asked
        self.relaxed = Again(base.model, base.program.relaxed(), threads=base.threads)
        self.whole = Again(base.model, base.program, gap=0.0, threads=base.threads)
        self._seen = [np.array([lever.value(base.x) for lever in asked])]

    def end(self, at: int, sign: float) -> End:
        """Return the least of ``sign`` times a lever over the plans near the best."""
        lever, program = self.asked[at], self.base.program
        best = lever.value(self.base.x)
        near, bound = fine(lever, best), edge(lever, program, sign)
        for solver in (self.relaxed, self.whole):
            least = min(sign * float(values[at]) for values in self._seen)
            left = self.base.left()
            if least - bound <= near or left == 0.0:
                break
            found = solver.solve(
                sign * lever.weights(len(program.cost)),
                start=self.base.x,
                absolute=1.0 - 1e-3 if lever.whole else near / 2,
                time_limit=left,
            )
            if np.isfinite(found.bound):
                bound = max(bound, told(lever, found.bound))
            if found.x is not None and solver is self.whole:
                x = found.x.copy()
                x[program.integer] = np.round(x[program.integer])
                self._seen.append(np.array([lever.value(x) for lever in self.asked]))
        return End.of(lever, best, min(sign * float(v[at]) for v in self._seen), bound)


def _verdict(least: float, most: float, least_bound: float, most_bound: float) -> str:
    """Say whether a decision is in every plan near the best: by what is proved, then by what is."""
    if least_bound >= 1.0 - WHOLE:
        return "in every plan"
    if most_bound < 1.0 - WHOLE:
        return "in none"
    if least < 1.0 - WHOLE and most >= 1.0 - WHOLE:
        return "in some"
    return "not proved"
