"""Plans that cost little more than the best, and the decisions that they share.

All plans within a share of the best avoidable cost are the solutions of one program: the model's
with a row that limits the cost. The least and the most of a lever over them (an *end* each) are two
programs more. A solution found for one end is one for all, and the linear relaxation often shows
that none goes further; only what is left open is searched as a mixed-integer program.

A large program is split into counties:

*bounds*: let ``y`` be prices of the coupling rows and ``L(y) = Σ_b min (c − Aᵀy) x_b + const``
Lagrange's bound. A plan within the limit has ``Σ_b (c − Aᵀy) x_b + const ≤ limit``, and every other
county costs at least its least, so that county ``b`` costs at most its own least and
``limit − L(y)`` more. The least and the most of a lever under this one row, a small linear program,
bound the lever in every plan near the best. Levers of more than one county are bounded by the
relaxation of the whole, priced likewise (:mod:`capsim.lp.decomposition.dantzig_wolfe`).

*plans*: a county keeps its part of every coupling row and may cost what is left of the limit more;
decisions of the lever's own project or school are free, all others stay. With the rest of the best
plan each solution is a plan near the best.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Unpack

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Index
from capsim.lp.decomposition.blocks import Split
from capsim.lp.decomposition.dantzig_wolfe import Pricer, price_coupling
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, is_number
from capsim.lp.parallel_solves import Clock, in_parallel, until
from capsim.lp.program import LinearProgram
from capsim.model.costs import MILLION
from capsim.model.model import Model, is_large, model_of
from capsim.model.objectives import Lever, criterion, holding, levers, slackened
from capsim.plan.solver import COUNTIES, WarmSolver, found_x
from capsim.scenario.scenario import Scenario

GAP, GAP_LARGE = 1e-4, 1e-3
"""To which the best plan is proved where nothing is said; a quarter of the share near at most."""
WHOLE = 1e-6
"""Distance from a whole number within which a bound on whole decisions counts as it."""
FINE = 1e-3
"""Relative to its amount, how near least and most of a lever in persons are proved."""
NEAR = 1e-4
"""Tolerance of the prices of coupling rows, relative to the cost."""
BEST = 0.6
"""Share of the time for the best plan; the rest is for what is near it."""
NODES = 200
"""Nodes that the search for a county's plan may take: whatever it has found by then is one."""
LOOSE = 1e-2
"""Tolerance of the bounds of levers of the whole, relative to the lever."""
WIDE = 10.0
"""Half width of the first box on their prices, beside those of a price of 0.1."""


@dataclass(frozen=True)
class NearOptimal:
    """The decisions that the plans near the best share.

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
    progress: Callable[[str], None] = lambda words: None,
    **options: Unpack[SolveKeywords],
) -> NearOptimal:
    """Find the least and the most of each project and lever in all plans near the best.

    An end that some plan already found takes, and that the linear relaxation shows none can pass,
    is proved without a search; only the others are searched as mixed-integer programs. A large
    program is not searched but split into counties: the bounds are proved for every plan near
    the best, and the plans found differ from the best in one project or school.

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
    progress : callable, optional
        Told how many decisions have been looked at; it may raise to stop.
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
    given = SolveOptions.of(near_optimal, options, without=["solver"])
    with until(given.time_limit):
        model = model_of(scenario, demand)
        gap = GAP_LARGE if is_large(model.program) else GAP
        return _near_optimal(
            model, within, kinds, progress, replace(given, gap=options.get("gap", gap))
        )


def _near_optimal(
    model: Model,
    within: float,
    kinds: Sequence[str],
    progress: Callable[[str], None],
    solving: SolveOptions,
) -> NearOptimal:
    progress("the best plan")
    space = near_optimal_space(model, within, solving)
    every, route = levers(model, kinds), COUNTIES
    progress(f"near-optimal plans: {len(every)} decisions")
    ends = _ends_by_county(space, every)
    if ends is None:
        exact = replace(solving, gap=0.0)
        relaxed = WarmSolver(model, space.program.relaxed(), exact)
        whole = WarmSolver(model, space.program, exact)
        route = whole.route
        steps = [
            partial(_solve_end, space, relaxed, False),
            partial(_solve_end, space, whole, True),
        ]
        ends = _Ends(space, every, space.program, space.x, steps).all(progress)
    ranges = pd.DataFrame(
        {
            "kind": [lever.kind for lever in every],
            "name": [lever.name for lever in every],
            "county": [lever.county for lever in every],
            "unit": [lever.unit for lever in every],
            "best": [lever.value(space.x) for lever in every],
            "least": [low.value for low, _ in ends],
            "most": [0.0 - high.value for _, high in ends],
            "least_bound": [low.bound for low, _ in ends],
            "most_bound": [0.0 - high.bound for _, high in ends],
            "proved": [low.proved and high.proved for low, high in ends],
        }
    )
    projects = ranges[ranges["kind"].isin(("project", "conversion"))].reset_index(drop=True)
    limits = projects[["least", "most", "least_bound", "most_bound"]].to_numpy(float)
    projects["verdict"] = [_verdict(*row) for row in limits.tolist()]
    return NearOptimal(
        ranges=ranges,
        projects=projects,
        best_cny=space.best * MILLION,
        bound_cny=space.bound * MILLION,
        limit_cny=space.limit * MILLION,
        proved=space.proved,
        route=route,
    )


def _verdict(least: float, most: float, least_bound: float, most_bound: float) -> str:
    """Decide whether a decision is in every plan near the best: by bounds, then by plans."""
    if least_bound >= 1.0 - WHOLE:
        return "in every plan"
    if most_bound < 1.0 - WHOLE:
        return "in none"
    if least < 1.0 - WHOLE and most >= 1.0 - WHOLE:
        return "in some"
    return "not proved"


@dataclass(frozen=True)
class NearOptimalSpace:
    """All plans within ``limit`` of avoidable cost, and one of the best.

    Attributes
    ----------
    program : LinearProgram
        The model's, its last row limiting the cost.
    x : float64 ``[column]``
        The best plan found.
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
    clock: Clock


def near_optimal_space(model: Model, within: float, options: SolveOptions) -> NearOptimalSpace:
    """Find the best plan, and limit the program to plans within a share of its avoidable cost."""
    if not (is_number(within) and within > 0):
        raise ValueError(f"within must be a positive share such as 0.01, not {within!r}")
    clock, cost = Clock(options.time_limit), criterion(model, "cost")
    finer = replace(options, gap=min(options.gap, within / 4)).within(clock.left(), 1 / BEST)
    solver = WarmSolver(model, model.program, finer)
    found = solver.solve(cost.weights, cost.constant, time_limit=finer.time_limit)
    x = found_x(found, "the best plan")
    best = cost.value(x)
    limit = best + within * max(best, 1.0)
    return NearOptimalSpace(
        model=model,
        program=holding(model.program, [(cost, slackened(limit))]),
        x=x,
        best=best,
        bound=min(found.bound, best),
        limit=limit,
        allowed=slackened(limit),
        proved=found.status == "optimal",
        solver=found.solver,
        options=options,
        clock=clock,
    )


@dataclass(frozen=True)
class End:
    """The least of a lever (times its sign) that was found, and what none can go below."""

    value: float
    bound: float
    proved: bool


Step = Callable[[Lever, float], tuple[float, Array | None]]
"""Bound a lever times a sign from below (−inf: no bound), and perhaps find a solution."""


class _Ends:
    """The ends of levers of a program; a solution found for one of them counts for all.

    Parameters
    ----------
    x : float64 ``[column]``
        The best solution.
    steps : sequence of Step
        Taken in order until value and bound prove each other.
    """

    def __init__(
        self,
        space: NearOptimalSpace,
        levers: Sequence[Lever],
        program: LinearProgram,
        x: Array,
        steps: Sequence[Step],
    ) -> None:
        self.levers, self._program, self._steps = levers, program, steps
        self._clock = space.clock
        self._reached: list[list[float]] = []
        self.add(x)

    def add(self, x: Array) -> None:
        """Add a solution to those that have been found."""
        self._reached.append([lever.value(x) for lever in self.levers])

    def all(self, progress: Callable[[str], None] = lambda words: None) -> list[tuple[End, End]]:
        """Return the least and the (negative) most of every lever."""
        out = []
        for at in range(len(self.levers)):
            progress(f"near-optimal plans: {at} of {len(self.levers)} decisions")
            out.append((self._end(at, 1.0), self._end(at, -1.0)))
        return out

    def _end(self, at: int, sign: float) -> End:
        lever = self.levers[at]
        fine, bound = _fine(lever, self._reached[0][at]), _edge(lever, self._program, sign)
        value = self._least(at, sign)
        for step in self._steps:
            if value - bound <= fine or self._clock.out():
                break
            proved, x = step(lever, sign)
            if np.isfinite(proved):
                # A bound on whole decisions is the next whole number.
                bound = max(bound, math.ceil(proved - WHOLE) if lever.whole else proved - WHOLE)
            if x is not None:
                self.add(x)
                value = self._least(at, sign)
        return End(value, min(bound, value), value - bound <= fine)

    def _least(self, at: int, sign: float) -> float:
        return min(sign * values[at] for values in self._reached)


def _fine(lever: Lever, best: float) -> float:
    """Return how near value and bound of an end must be to prove each other."""
    return WHOLE if lever.whole else FINE * max(1.0, abs(best))


def _edge(lever: Lever, program: LinearProgram, sign: float) -> float:
    """Return the least of ``sign`` times a lever that the bounds of its columns allow."""
    weight = sign * lever.weight
    with np.errstate(invalid="ignore"):
        side = np.where(weight > 0, program.lower[lever.column], program.upper[lever.column])
        return float(np.where(weight != 0, weight * side, 0.0).sum())


def _solve_end(
    space: NearOptimalSpace, solver: WarmSolver, keep: bool, lever: Lever, sign: float
) -> tuple[float, Array | None]:
    """Solve for an end; the solution is kept unless it is only one of the relaxation."""
    found = solver.solve(
        sign * lever.weights(len(space.x)),
        start=space.x,
        absolute=1.0 - 1e-3 if lever.whole else _fine(lever, lever.value(space.x)) / 2,
        time_limit=space.clock.left(),
    )
    return found.bound, found.x if keep else None


def _ends_by_county(
    space: NearOptimalSpace, levers: Sequence[Lever]
) -> list[tuple[End, End]] | None:
    """Return the least and the (negative) most of every lever; None where there are no counties."""
    parts = space.model.apart(space.model.program)
    priced = None if parts is None else price_coupling(parts, tolerance=NEAR)
    if parts is None or priced is None:
        return None
    counties = in_parallel(
        [partial(_County, parts, at, priced.price, space) for at in range(len(parts.blocks))]
    )
    if not all(np.isfinite(county.least) for county in counties):
        return None
    bound = sum(county.least for county in counties) + parts.priced(priced.price)[1]
    room = space.allowed - (bound + parts.program.offset)
    block = np.full(len(space.x), -1)
    for at, county in enumerate(counties):
        block[county.columns] = at
    home = [_only(block[lever.column]) for lever in levers]
    own = [[i for i, b in enumerate(home) if b == at] for at in range(len(counties))]
    local = in_parallel(
        [
            partial(county.ends, [levers[i] for i in mine], room)
            for county, mine in zip(counties, own, strict=True)
        ]
    )
    shared = [i for i, b in enumerate(home) if b < 0]
    own.append(shared)
    local.append(_citywide_ends(space, [levers[i] for i in shared], counties))
    ends: dict[int, tuple[End, End]] = {}
    for mine, pairs in zip(own, local, strict=True):
        ends |= dict(zip(mine, pairs, strict=True))
    return [ends[i] for i in range(len(levers))]


class _County:
    """A county's program: with priced rows and a limit on its cost, and as a part of the plan."""

    def __init__(self, parts: Split, at: int, price: Array, space: NearOptimalSpace) -> None:
        block = parts.blocks[at]
        self.columns, self._space = block.columns, space
        self._x = space.x[block.columns]
        self._group = _groups(space.model)[block.columns]
        self._program = parts.part(block, parts.priced(price)[0])
        self._bounding = Highs(self._program.relaxed())
        self.least = self._bounding.solve(watched=False).objective
        own = parts.part(block, limit=parts.shares(space.x)[at])
        self._own = replace(own.fixed(self._x), integer=own.integer)
        self._trying = Highs(self._own, {"mip_rel_gap": 0.0, "mip_max_nodes": NODES})
        most = float(own.cost @ self._x) + space.allowed - space.best
        _limit_cost(self._trying, own.cost, most)
        self.found: list[Array] = []

    def ends(self, levers: Sequence[Lever], room: float) -> list[tuple[End, End]]:
        """Return the ends of this county's levers, ``room`` being left of the limit on the cost."""
        _limit_cost(self._bounding, self._program.cost, self.least + room)
        local = [
            replace(lever, column=np.searchsorted(self.columns, lever.column)) for lever in levers
        ]
        steps = (self._try, self._bound)
        return _Ends(self._space, local, self._program, self._x, steps).all()

    def _try(self, lever: Lever, sign: float) -> tuple[float, Array | None]:
        """Search for the end, all decisions fixed but those of the lever's project or school."""
        own, highs = self._own, self._trying
        free = own.integer & np.isin(self._group, self._group[lever.column])
        lower = np.where(free, self._program.lower, own.lower)
        upper = np.where(free, self._program.upper, own.upper)
        columns = np.arange(len(lower))
        highs.bounds(columns, lower, upper)
        highs.recost(columns, sign * lever.weights(len(lower)))
        highs.start_from(self._x)
        x = highs.solve().x
        highs.bounds(columns, own.lower, own.upper)
        if x is not None:
            x = own.rounded(x)
            self.found.append(x)
        return -np.inf, x

    def _bound(self, lever: Lever, sign: float) -> tuple[float, Array | None]:
        """Bound the end by the linear program with priced rows and a limit on the cost."""
        self._bounding.reprice(sign * lever.weights(len(self._x)))
        found = self._bounding.solve(watched=False)
        return (found.objective if found.status == "optimal" else -np.inf), None


def _limit_cost(highs: Highs, cost: Array, most: float) -> None:
    highs.add_rows(csr_array(cost[None, :]), np.array([-np.inf]), np.array([most]))


def _citywide_ends(
    space: NearOptimalSpace, levers: Sequence[Lever], counties: Sequence[_County]
) -> list[tuple[End, End]]:
    """Bound levers of more than one county by the relaxation; the plans are those of counties."""
    if not levers:
        return []
    parts = space.model.with_program(space.program).apart(space.program)
    pricer = None if parts is None else Pricer(parts)

    def price(lever: Lever, sign: float) -> tuple[float, Array | None]:
        if pricer is None:
            return -np.inf, None
        cost = sign * lever.weights(len(space.x))
        aim = replace(space.program, cost=cost, offset=0.0)
        left = space.clock.left()
        priced = pricer.price(aim, tolerance=LOOSE, radius=WIDE, time_limit=left)
        return (-np.inf if priced is None else priced.bound), None

    ends = _Ends(space, levers, space.program, space.x, [price])
    plan = space.x.copy()
    for county in counties:
        for part in county.found:
            plan[county.columns] = part
            ends.add(plan)
        plan[county.columns] = space.x[county.columns]
    return ends.all()


def _only(block: Index) -> int:
    """Return the block of all columns; −1 where there is more than one."""
    return int(block[0]) if len(block) and (block == block[0]).all() else -1


def _groups(model: Model) -> Index:
    """Return by column the number of the project or school whose decision it is, or −1."""
    v, out = model.columns, np.full(len(model.program.cost), -1)
    projects = len(v.open)
    for first, columns in (
        (0, v.open),
        *((projects, c) for c in (v.converted, v.given_up, v.phase_out, v.closed, v.contract)),
        (projects, v.purchased_december),
    ):
        i, k = np.nonzero(columns >= 0)
        out[columns[i, k]] = first + i
    return out
