"""The plans near the best: a program that holds all those within a share of the least cost.

The ends of a lever over the plans near the best: what is reached, and what none goes beyond.

The ends of levers in a large program, county by county at prices of what counties share.

*Bounds.* Let ``y`` be prices of the coupling rows and ``L(y) = Σ_b min (c − Aᵀy) x_b + const``
Lagrange's bound. A plan within the limit has ``Σ_b (c − Aᵀy) x_b + const ≤ limit``, and every other
county costs at least its least, so that county ``b`` costs at most its own least and
``limit − L(y)`` more. The least and the most of a lever under this one row, a small linear program,
bound the lever in every plan near the best. Levers of more than one county are bounded by the
relaxation of the whole, priced likewise (:mod:`capsim.lp.decomposition.dantzig_wolfe`).

*Plans.* A county keeps its part of every coupling row and may cost what is left of the limit more;
decisions of the lever's own project or school are free, all others stay. With the rest of the best
plan each solution is a plan near the best.

What else would do: the plans that cost little more than the best, and what they share.

Three questions over all plans within so many per cent of the best avoidable cost: the least and the
most of each project and lever that any of them takes (each end is a program of its own, proved);
which projects are in every one of them, and in none; and a few plans as different as possible.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from capsim.analysis.objective_level import SLACK
from capsim.lp.arrays import Array, Index
from capsim.lp.decomposition.blocks import Split
from capsim.lp.decomposition.dantzig_wolfe import Pricer, price_coupling
from capsim.lp.highs import Highs
from capsim.lp.options import SolveKeywords, SolveOptions
from capsim.lp.program import LinearProgram
from capsim.lp.solution import is_number
from capsim.lp.threads import in_parallel
from capsim.model.model import Model, formulate, is_large
from capsim.model.objectives import Lever, criterion, holding, levers
from capsim.plan.solver import COUNTIES, WarmSolver, found_x

if TYPE_CHECKING:
    from capsim.demand.projection import Demand
    from capsim.scenario.scenario import Scenario


GAP, GAP_LARGE = 1e-4, 1e-3
"""To which the best plan is proved where nothing is said; a quarter of the share near at most."""


@dataclass(frozen=True)
class Near:
    """All plans within ``limit`` of avoidable cost, and one of the best.

    Attributes
    ----------
    best, bound, limit : float
        Avoidable cost in million RMB, discounted: of the best plan found, what none can beat, and
        up to where plans count as near (``best`` plus the share asked for).
    allowed : float
        The limit with what the solver's tolerance takes.
    proved : bool
        Whether the best was proved to the gap asked for.
    """

    model: Model
    program: LinearProgram
    x: Array
    best: float
    bound: float
    limit: float
    allowed: float
    proved: bool
    solver: str
    options: SolveOptions
    end: float | None

    def left(self) -> float | None:
        """Return the seconds left; None where there is no limit."""
        return None if self.end is None else max(self.end - time.perf_counter(), 0.0)


def near(model: Model, within: float, options: SolveOptions) -> Near:
    """Find the best plan, and limit the program to plans within a share of its avoidable cost."""
    if not (is_number(within) and within > 0):
        raise ValueError(f"within must be a positive share such as 0.01, not {within!r}")
    begin, seconds = time.perf_counter(), options.time_limit
    cost = criterion(model, "cost")
    finer = replace(options, gap=min(options.gap, within / 4))
    first = WarmSolver(model, model.program, finer)
    found = first.solve(cost.weights, cost.constant, time_limit=seconds)
    x = found_x(found, "the best plan").copy()
    x[model.program.integer] = np.round(x[model.program.integer])
    best = cost.value(x)
    limit = best + within * max(best, 1.0)
    allowed = limit + SLACK * max(1.0, abs(limit))
    program = holding(model.program, [(cost, allowed)])
    end = None if seconds is None else begin + seconds
    proved = found.status == "optimal"
    bound = min(found.bound, best)
    return Near(
        model=model,
        program=program,
        x=x,
        best=best,
        bound=bound,
        limit=limit,
        allowed=allowed,
        proved=proved,
        solver=found.solver,
        options=options,
        end=end,
    )


WHOLE = 1e-6
"""How near to a whole number a bound on whole decisions must be to count as it."""
FINE = 1e-3
"""Relative to its amount, how near least and most of a lever in persons are proved."""


@dataclass(frozen=True)
class End:
    """The least of a lever (times its sign) that was found, and what none can go below."""

    value: float
    bound: float
    proved: bool

    @classmethod
    def of(cls, lever: Lever, best: float, value: float, bound: float) -> End:
        """Make the end of a lever that is ``best`` in the best plan."""
        return cls(value, min(bound, value), value - bound <= fine(lever, best))


def fine(lever: Lever, best: float) -> float:
    """Return how near value and bound of an end must be to prove each other."""
    return WHOLE if lever.whole else FINE * max(1.0, abs(best))


def edge(lever: Lever, program: LinearProgram, sign: float) -> float:
    """Return the least of ``sign`` times a lever that the bounds of its columns allow."""
    weight = sign * lever.weight
    with np.errstate(invalid="ignore"):
        side = np.where(weight > 0, program.lower[lever.column], program.upper[lever.column])
        return float(np.where(weight != 0, weight * side, 0.0).sum())


def told(lever: Lever, bound: float) -> float:
    """Return what a bound of a solver proves: of whole decisions a whole number."""
    return float(math.ceil(bound - WHOLE)) if lever.whole else bound - WHOLE


NEAR = 1e-4
"""How near the optimum the prices are, relative to the cost."""
NODES = 200
"""Nodes that the search for a plan may take: whatever it has found by then is one."""
LOOSE = 1e-2
"""How near the optimum the bounds of levers of the whole are, relative to the lever."""
WIDE = 10.0
"""Half width of the first box on their prices, beside those of a price of 0.1."""

Ends = tuple[End, End]


def ends_by_county(base: Near, asked: Sequence[Lever]) -> list[Ends] | None:
    """Return least and (negative) most of every lever; None where the program has no counties."""
    found = base.model.apart(base.model.program)
    priced = None if found is None else price_coupling(found, tolerance=NEAR)
    if found is None or priced is None:
        return None
    counties = in_parallel(
        [partial(_County, found, i, priced.price, base) for i in range(len(found.blocks))]
    )
    bound = sum(county.least for county in counties) + found.priced(priced.price)[1]
    room = base.allowed - (bound + found.program.offset)
    block = np.full(len(found.program.cost), -1)
    for i, each in enumerate(found.blocks):
        block[each.columns] = i
    home = [_only(block[lever.column]) for lever in asked]
    mine = [[at for at, b in enumerate(home) if b == i] for i in range(len(counties))]
    tasks = [
        partial(county.ends, [asked[at] for at in own], room)
        for county, own in zip(counties, mine, strict=True)
    ]
    ends: dict[int, Ends] = {}
    plans = [base.x]
    for county, own, (got, seen) in zip(counties, mine, in_parallel(tasks), strict=True):
        ends |= dict(zip(own, got, strict=True))
        for part in seen:
            plan = base.x.copy()
            plan[county.columns] = part
            plans.append(plan)
    whole = [at for at, b in enumerate(home) if b < 0]
    ends |= dict(zip(whole, _of_the_whole(base, [asked[at] for at in whole], plans), strict=True))
    return [ends[at] for at in range(len(asked))]


class _County:
    """A county's program: with priced rows and a limit on its cost, and as a part of the plan."""

    def __init__(self, found: Split, at: int, price: Array, base: Near) -> None:
        block = found.blocks[at]
        self.columns, self._base = block.columns, base
        self._x = base.x[block.columns]
        self._group = _groups(base.model)[block.columns]
        part = found.part(block, found.priced(price)[0])
        self._program = part
        self._bounding = Highs(replace(part, integer=np.zeros(len(part.cost), bool)))
        self.least = self._bounding.solve(watched=False).objective
        own = found.part(block, limit=found.shares(base.x)[at])
        self._own = replace(
            own,
            lower=np.where(own.integer, self._x, own.lower),
            upper=np.where(own.integer, self._x, own.upper),
        )
        self._trying = Highs(self._own, {"mip_rel_gap": 0.0, "mip_max_nodes": NODES})
        most = float(own.cost @ self._x) + base.allowed - base.best
        self._trying.add_rows(csr_array(own.cost[None, :]), *_at_most(most))

    def ends(self, asked: Sequence[Lever], room: float) -> tuple[list[Ends], list[Array]]:
        """Return the ends of this county's levers, and the solutions that were found."""
        self._bounding.add_rows(
            csr_array(self._program.cost[None, :]), *_at_most(self.least + room)
        )
        seen, out = [self._x], []
        for lever in asked:
            local = replace(lever, column=np.searchsorted(self.columns, lever.column))
            out.append((self._end(local, 1.0, seen), self._end(local, -1.0, seen)))
        return out, seen[1:]

    def _end(self, lever: Lever, sign: float, seen: list[Array]) -> End:
        best = lever.value(self._x)
        bound, near = edge(lever, self._program, sign), fine(lever, best)
        value = min(sign * lever.value(x) for x in seen)
        if value - bound > near and self._base.left() != 0.0:
            found = self._try(lever, sign)
            seen += [] if found is None else [found]
            value = min(sign * lever.value(x) for x in seen)
        if value - bound > near and self._base.left() != 0.0:
            self._bounding.reprice(sign * lever.weights(len(self._x)))
            solved = self._bounding.solve(watched=False)
            if solved.status == "optimal":
                bound = max(bound, told(lever, solved.objective))
        return End.of(lever, best, value, bound)

    def _try(self, lever: Lever, sign: float) -> Array | None:
        """Look for the end with all decisions kept but those of the lever's project or school."""
        own, highs = self._own, self._trying
        free = own.integer & np.isin(self._group, self._group[lever.column])
        lower = np.where(free, self._program.lower, own.lower)
        upper = np.where(free, self._program.upper, own.upper)
        columns = np.arange(len(lower))
        highs.bounds(columns, lower, upper)
        highs.recost(columns, sign * lever.weights(len(lower)))
        highs.start_from(self._x)
        found = highs.solve().x
        highs.bounds(columns, own.lower, own.upper)
        if found is None:
            return None
        return np.where(own.integer, np.round(found), found)


def _of_the_whole(base: Near, asked: Sequence[Lever], plans: list[Array]) -> list[Ends]:
    """Bound levers of more than one county by the relaxation; what is reached is in the plans."""
    if not asked:
        return []
    apart = base.model.with_program(base.program).apart(base.program)
    pricer = None if apart is None else Pricer(apart)

    def end(lever: Lever, sign: float) -> End:
        program = base.program
        value, bound = min(sign * lever.value(x) for x in plans), edge(lever, program, sign)
        best = lever.value(base.x)
        if pricer is not None and value - bound > fine(lever, best) and base.left() != 0.0:
            aim = replace(program, cost=sign * lever.weights(len(program.cost)), offset=0.0)
            priced = pricer.price(aim, tolerance=LOOSE, radius=WIDE, time_limit=base.left())
            bound = bound if priced is None else max(bound, told(lever, priced.bound))
        return End.of(lever, best, value, bound)

    return [(end(lever, 1.0), end(lever, -1.0)) for lever in asked]


def _at_most(limit: float) -> tuple[Array, Array]:
    return np.array([-np.inf]), np.array([limit])


def _only(block: Index) -> int:
    """Return the block of all columns; −1 where there is more than one."""
    return int(block[0]) if len(block) and (block == block[0]).all() else -1


def _groups(model: Model) -> Index:
    """Return by column the number of the project or school whose decision it is, or −1."""
    v, out = model.columns, np.full(len(model.program.cost), -1)
    projects = len(v.open)
    for first, columns in (
        (0, v.open),
        *((projects, c) for c in (v.converted, v.phase_out, v.closed, v.contract)),
        (projects, v.purchased_december),
    ):
        i, k = np.nonzero(columns >= 0)
        out[columns[i, k]] = first + i
    return out


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
    **options: Unpack[SolveKeywords],
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
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``. The gap is that of the best plan, 1e-4 where not given, 1e-3 in a large
        program; the seconds are for everything: ends not reached by then are not proved, and say
        so.

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
    model = scenario if isinstance(scenario, Model) else formulate(scenario, demand)
    gap = GAP_LARGE if is_large(model.program) else GAP
    solving = SolveOptions.of(near_optimal, options, gap=gap, without=["solver"])
    base = near(model, within, solving)
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
        exact = replace(base.options, gap=0.0)
        self.relaxed = WarmSolver(base.model, base.program.relaxed(), exact)
        self.whole = WarmSolver(base.model, base.program, exact)
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
