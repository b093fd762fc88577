"""Solve a model to a plan: whole or county by county, once or again and again with other aims.

The structure of a program chooses: :meth:`Model.apart` says which large ones fall apart into
counties that are small beside the whole, and those are solved county by county. What that leaves
open is searched whole, from the solution and with the bound that the counties gave. All others are
solved whole; where sites are to be chosen, with the rows of :meth:`Model.siting_rows` that their
relaxation breaks. :class:`WarmSolver` keeps one HiGHS object for a program solved whole: only
bounds, costs and limits change, a linear program goes on from its last basis and a mixed-integer
one from a solution already known.

Among all cheapest plans with the same decisions :func:`break_ties` takes the one that moves the
fewest people. Flows are degenerate: many share the least cost. The integers are fixed, the linear
program is solved, and every column and row that its prices pin down stays where it is
(complementary slackness), which leaves exactly the cheapest solutions. Over these a second program
minimises the children displaced, the children who change their link from one year to the next and
the teachers who change their stage or county. Counties meet in few rows only; each keeps the share
of them that the plan gives it, and is settled alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import prod
from typing import Unpack

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from capsim.demand.projection import Demand, project
from capsim.i18n.language import Message
from capsim.io.shown import Progress, followed
from capsim.lp.array_types import Array
from capsim.lp.decomposition.block_milp import solve_blocks
from capsim.lp.decomposition.blocks import Block, Split, solve_independent, split
from capsim.lp.decomposition.fixing_heuristics import rens
from capsim.lp.expressions import Expression
from capsim.lp.highs import INTERIOR, Highs
from capsim.lp.options_and_result import (
    NotInTime,
    SolveKeywords,
    SolveOptions,
    SolverError,
    SolverResult,
)
from capsim.lp.parallel_solves import Clock, in_parallel, until
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve, tightened
from capsim.model.data import Space
from capsim.model.model import Model, is_large, model_of
from capsim.plan.plan import Plan, make_plan, no_plan
from capsim.scenario.scenario import Scenario


def search(
    model: Model,
    program: LinearProgram,
    options: SolveOptions | None = None,
    *,
    prove: bool = True,
) -> SolverResult:
    """Minimise a program with the model's rows: whole, or county by county where it falls apart.

    Counties too hard for one search are not bounded where nothing is to be proved. A search by
    county that ends above the gap goes on whole, in the time that is left; without a limit of time
    for `FURTHER` times what the counties took, but not where rules make these too hard for one
    search: then the whole is harder still.
    """
    options = options or SolveOptions()
    with until(options.time_limit) as clock:
        return _search(model, program, options, clock, prove)


def _search(
    model: Model, program: LinearProgram, options: SolveOptions, clock: Clock, prove: bool
) -> SolverResult:
    if options.solver != "highs":
        return solve(program, **options.keywords)
    if not program.integer.any():
        return _relaxation(model, program, options)
    parts = model.apart(program)
    if parts is None:
        return _whole(model, program, options)
    found = solve_blocks(parts, options, prove=prove)
    left = options.within(clock.left())
    if found is None:
        return _whole(model, program, left)
    if found.status == "optimal" or not prove or clock.out():
        return found
    if options.time_limit is None:
        if parts.order is not None:
            return found
        left = options.within(FURTHER * max(clock.spent(), BRIEF_S))
    options.tell("the whole")
    return _nearer(found, _whole(model, program, left, found.x), options.gap)


FURTHER = 3.0
"""How many times as long as county by county a search goes on whole where no time limit is set."""
BRIEF_S = 10.0
"""Seconds that such a search counts as having taken at least."""


def _relaxation(model: Model, program: LinearProgram, options: SolveOptions) -> SolverResult:
    """Minimise a linear program, of whatever size."""
    if not is_large(program):
        return solve(program, **options.keywords)
    clock = Clock(options.time_limit)
    parts = split(program, model.coupling)
    if _falls_apart(parts):
        found = solve_independent(parts, time_limit=options.time_limit)
        if found is not None:
            return found
        options = options.within(clock.left())
    found = solve(program, highs=INTERIOR, **options.keywords)
    if found.status != "error":
        return found
    # Near the optimum, but not on it: from a corner it is plain.
    return solve(program, highs={"solver": "ipm"}, **options.within(clock.left()).keywords)


def _whole(
    model: Model, program: LinearProgram, options: SolveOptions, start: Array | None = None
) -> SolverResult:
    """Search a program in whole numbers by branch and bound, from a solution where there is one."""
    clock = Clock(options.time_limit)
    tight = tightened(program, "siting", model.siting_rows(program), options.time_limit)
    options = options.within(clock.left())
    if start is not None:
        highs = Highs(tight, options.highs, tell=options.progress)
        highs.start_from(start)
        found = highs.solve()
    elif len(model.columns.catchments.link):
        found = rens(tight, options)
    else:
        found = solve(tight, tell=options.progress, **options.keywords)
    return replace(found, seconds=clock.spent())


def _nearer(found: SolverResult, other: SolverResult, gap: float) -> SolverResult:
    """Return the cheaper of two searches of the same program, with the better of their bounds."""
    if other.status == "infeasible":  # not what the first has shown: a solver lost its precision
        return found
    cheaper = other if other.x is not None and other.objective < found.objective else found
    bound = max(found.bound, other.bound)
    reached = cheaper.objective - bound <= gap * max(abs(cheaper.objective), 1.0)
    return replace(
        cheaper,
        bound=bound,
        status="optimal" if reached else "stopped",
        seconds=found.seconds + other.seconds,
    )


def _falls_apart(parts: Split) -> bool:
    """Check whether there are several blocks and they meet in no row.

    What couples counties is what costs the simplex method its time: without it even a block of
    300,000 columns takes a sixth of the interior point's.
    """
    return len(parts.blocks) > 1 and not len(parts.coupling)


SEARCH = 0.9
"""Share of the time for the search; the rest is for breaking ties and the tables."""
KEPT, COUNTIES = "whole, one solver kept", "county by county"
STOPPED_MESSAGE = "no solution was found in time; allow more time"


def route_of(model: Model, program: LinearProgram) -> str:
    """Return the way in which a program is solved, in words."""
    return KEPT if model.with_program(program).apart(program) is None else COUNTIES


class WarmSolver:
    """One program, solved for changing aims.

    Parameters
    ----------
    model : Model
    program : LinearProgram
        Of the model's columns and rows, perhaps with more of both at the end.
    options : SolveOptions
        Its solver is HiGHS; every solve is given a time limit of its own.

    Attributes
    ----------
    route : str
        The way of solving, in words.
    """

    def __init__(self, model: Model, program: LinearProgram, options: SolveOptions) -> None:
        self.model, self.program, self._options = model, program, options
        self.route = route_of(model, program)
        self._highs: Highs | None = None
        if self.route == KEPT and (program.integer.any() or not is_large(program)):
            tight = tightened(program, "siting", model.siting_rows(program))
            self._highs = Highs(tight, options.highs)

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
    ) -> SolverResult:
        """Minimise ``cost · x + offset`` under these row limits and column bounds.

        Integer columns of the solution are whole numbers exactly.

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
            found = search(model, program, replace(self._options, time_limit=time_limit))
            return _rounded(program, _better(found, start, cost, offset))
        highs = self._highs
        more = np.zeros(len(highs.program.row_upper) - len(program.row_upper))
        sides = np.append(program.row_lower, more - np.inf), np.append(program.row_upper, more)
        highs.change((program.lower, program.upper), sides, cost)
        highs.raw.changeObjectiveOffset(offset)
        # What is left of a limit may be negative, which HiGHS refuses.
        seconds = np.inf if time_limit is None else max(time_limit, 0.01)
        highs.set({"mip_abs_gap": absolute, "time_limit": seconds})
        if start is not None and program.integer.any():
            highs.start_from(start)
        found = highs.solve()
        if found.status == "unknown":
            found = _better(found, start, cost, offset)
        return _rounded(program, found)


def _rounded(program: LinearProgram, found: SolverResult) -> SolverResult:
    """Return the result with its integer columns rounded: solvers stop at 1e-5 and below."""
    return found if found.x is None else replace(found, x=program.rounded(found.x))


def _better(found: SolverResult, start: Array | None, cost: Array, offset: float) -> SolverResult:
    """Keep the start where a search that did not get as far as it found nothing better."""
    if start is None:
        return found
    value = float(cost @ start + offset)
    if found.x is None or value < found.objective:
        status = found.status if found.status == "optimal" else "stopped"
        return replace(found, x=start, objective=value, status=status)
    return found


def found_x(found: SolverResult, what: str, start: Array | None = None) -> Array:
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
    kind = NotInTime if found.status == "unknown" else SolverError
    raise kind(f"{what}: {_why(found)}")


def _why(found: SolverResult) -> str:
    messages = {
        "unknown": STOPPED_MESSAGE,
        "infeasible": "the rules contradict each other (explain() of capsim.optimize says which)",
    }
    return messages.get(found.status, found.status)


def optimize(
    scenario: Scenario | Model,
    demand: Demand | None = None,
    *,
    relax: bool = False,
    progress: Progress | bool | None = None,
    **options: Unpack[SolveKeywords],
) -> Plan:
    """Find the cheapest plan that gives every child a place under the scenario's policies.

    Parameters
    ----------
    scenario : Scenario or Model
        A model from :func:`formulate` may have been given another program of the same columns.
    demand : Demand, optional
        Children to be placed; projected where not given.
    relax : bool
        Solve the linear relaxation only (openings and conversions may then be fractions).
    progress : callable, optional
        Told in words how far the search is; it may raise to stop. True: a bar, in a notebook or
        on a terminal.
    **options : see :class:`~capsim.SolveOptions`

    Returns
    -------
    Plan
        With status ``infeasible`` where the scenario's rules contradict each other, which
        :meth:`Plan.explain` explains.

    Raises
    ------
    ValueError
        If the demand is not one of the scenario, or an option is invalid.
    SolverError
        If the solver is unknown, fails, or finds nothing within the time limit.
    WorkerLost
        If a worker of the executor died and nobody did its part again.
    """
    own = SolveOptions.of(optimize, options)
    with followed(progress) as tell, until(own.time_limit) as clock:
        return _optimize(scenario, demand, relax, replace(own, progress=tell), clock)


def _optimize(
    scenario: Scenario | Model,
    demand: Demand | None,
    relax: bool,
    solving: SolveOptions,
    clock: Clock,
) -> Plan:
    begin = time.perf_counter()
    projected = 0.0
    if demand is None and not isinstance(scenario, Model):
        demand = project(scenario)
        projected = time.perf_counter() - begin
    model = model_of(scenario, demand)
    program = model.program.relaxed() if relax else model.program
    searching = solving.within(clock.left(), 1 / SEARCH)
    found = search(model, program, searching)
    timings = {
        "project": projected,
        "build": model.build_s,
        "hand_over": found.hand_over_s,
        "solve": found.seconds,
    }
    if found.status == "infeasible":
        return no_plan(model, found.solver, timings)
    if found.x is None:
        raise _nothing(found, solving.time_limit)
    again = searching.within(clock.left(), 1 / SEARCH)
    found = _fewest(model, program, _proved_again(program, found, again), again)
    return settled_plan(model, found, gap=solving.gap, relaxed=relax, timings_s=timings)


def _proved_again(
    program: LinearProgram, found: SolverResult, options: SolveOptions
) -> SolverResult:
    """Search a second time, in another way, where costs lie so far apart that proofs may be false.

    The lower bound of the two counts, and the cheaper solution.
    """
    cost = np.abs(program.cost[program.cost != 0])
    wide = len(cost) > 0 and cost.max() > WIDE * cost.min()
    if not wide or options.solver != "highs" or is_large(program) or not program.integer.any():
        return found
    again = solve(program, highs={"presolve": "off", "random_seed": 1}, **options.keywords)
    bound = min(found.bound, again.bound)
    if again.x is None or again.objective >= found.objective:
        return replace(found, bound=bound)
    return replace(again, bound=bound)


WIDE = 1e8
"""Largest over smallest cost from which a proof is made twice; a city has 1e5 as a rule."""


def _fewest(
    model: Model, program: LinearProgram, found: SolverResult, options: SolveOptions
) -> SolverResult:
    """Solve penalties that stand for *never* in order: first as little of them as can be.

    The program's costs stop at `NEVER` (`Model.beyond`). Where its solution needs none of what
    costs more, it is the best at the true prices too, and its bound is theirs. Else as little as
    can be is found first, at the true prices, and then the cheapest plan with no more of it: what
    both prove together bounds the cost at the true prices.
    """
    assert found.x is not None
    used = model.beyond_of(found.x)
    if used <= TRACE * max(1.0, model.beyond.max(initial=0.0)):
        return found
    scale = model.beyond.max()
    weights = np.zeros(len(program.cost))
    weights[: len(model.beyond)] = model.beyond / scale
    least = search(model, replace(program, cost=weights, offset=0.0), options)
    proved = replace(found, bound=found.bound + scale * max(least.bound, 0.0))
    if least.x is None or used <= scale * least.objective * (1 + TRACE):
        return proved
    row = csr_array(weights[None, :])
    most = np.array([least.objective * (1 + TRACE) + TRACE])
    limited = program.with_rows("never", row, upper=most)
    again = search(replace(model, program=limited), limited, options)
    return proved if again.x is None else replace(again, bound=proved.bound)


TRACE = 1e-9
"""Part of a person that counts as none."""


def settled_plan(
    model: Model,
    found: SolverResult,
    *,
    gap: float,
    relaxed: bool = False,
    timings_s: Mapping[str, float] | None = None,
) -> Plan:
    """Make a plan of a solution: round whole numbers, then move the fewest children at that cost.

    A relaxation stays as it was solved.
    """
    assert found.x is not None
    begin = time.perf_counter()
    x = found.x if relaxed else break_ties(model, model.program.rounded(found.x))
    return make_plan(
        model,
        x,
        bound=found.bound,
        solver=found.solver,
        asked_gap=gap,
        proved=found.status == "optimal",
        timings_s={**(timings_s or {}), "second_solve": time.perf_counter() - begin},
        relaxed=relaxed,
        row_prices=found.row_dual,
    )


def _nothing(found: SolverResult, time_limit: float | None) -> SolverError:
    if found.status == "unknown" and time_limit is not None:
        text = "{solver} found no plan within {seconds} s; allow more time"
        return NotInTime(Message(text, {"solver": found.solver, "seconds": f"{time_limit:.3g}"}))
    text = "{solver} ended without a plan: {status}"
    status = Message(found.status)
    return SolverError(Message(text, {"solver": found.solver, "status": status}))


PRICED = 1e-7
"""Million RMB per unit above which a reduced cost or price pins its column or row."""
MOVE_WEIGHT = 0.1
"""A child who changes link, or a teacher who changes stage or county, beside a child displaced."""


def break_ties(model: Model, x: Array, program: LinearProgram | None = None) -> Array:
    """Return the plan's columns: same decisions, least cost, fewest children moved.

    Where the question's time is up, what is not settled yet stays as it is.

    The costs and rows are those of ``program`` where given, which may have more columns and rows
    than the model at its end; ``x`` is one of its solutions.
    """
    own = model if program is None else model.with_program(program)
    fixed = own.program.fixed(x)
    if Clock().out():
        return _kept(model, fixed, x)
    wide, moves = _with_moves(model, fixed, x)
    columns = len(fixed.cost)
    whole = np.concatenate([x, moves])
    extra = wide.matrix.shape[0] - fixed.matrix.shape[0]
    parts = split(wide, np.concatenate([own.coupling, np.zeros(extra, bool)]))
    second = np.zeros(len(wide.cost))
    v = model.columns
    second[v.displaced[v.displaced >= 0]] = 1.0
    for column in (v.to_stage, v.to_county):
        second[column[column >= 0]] = MOVE_WEIGHT
    second[columns:] = MOVE_WEIGHT
    shares = parts.shares(whole)
    found = in_parallel(
        [
            partial(_settle_block, parts, block, shares[i], second, whole)
            for i, block in enumerate(parts.blocks)
        ]
    )
    out = whole
    for block, value in zip(parts.blocks, found, strict=True):
        out[block.columns] = value
    return _kept(model, fixed, out[:columns])


def _kept(model: Model, fixed: LinearProgram, x: Array) -> Array:
    """Return the model's columns. A solver keeps bounds to its tolerance, a plan exactly."""
    kept = np.clip(x, fixed.lower, fixed.upper)
    return np.asarray(kept[: len(model.program.cost)], np.float64)


def _settle_block(
    parts: Split, block: Block, share: tuple[Array, Array], second: Array, x: Array
) -> Array:
    """Solve one block twice: for cost, then over its cheapest solutions for moves."""
    program = parts.part(block, limit=share)
    highs = Highs(program)
    first = highs.solve()
    if first.x is None or first.row_dual is None or first.column_dual is None:
        return x[block.columns]
    highs.change(
        *_cheapest(program, first.x, first.row_dual, first.column_dual), second[block.columns]
    )
    moved = highs.solve()
    return first.x if moved.x is None else moved.x


def _cheapest(
    program: LinearProgram, x: Array, price: Array, reduced: Array
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Return bounds of columns and rows with all that has a price pinned: the optimal face."""
    activity = program.matrix @ x
    return (
        _pin(x, program.lower, program.upper, np.abs(reduced) > PRICED),
        _pin(activity, program.row_lower, program.row_upper, np.abs(price) > PRICED),
    )


def _pin(
    value: Array, lower: Array, upper: Array, pinned: NDArray[np.bool_]
) -> tuple[Array, Array]:
    low = pinned & (np.abs(value - lower) <= np.abs(value - upper))
    high = pinned & ~low
    return np.where(high, upper, lower), np.where(low, lower, upper)


def _with_moves(model: Model, fixed: LinearProgram, x: Array) -> tuple[LinearProgram, Array]:
    """Add a column per link, band and year for children who leave it, with its value at ``x``.

    Of a band's grades but the stage's first: who came along from last year and is not there now.
    """
    flow, links = model.parts.x.flow, model.parts.links
    space, bands = model.given.space, model.given.space.bands
    climbs = np.isin(np.arange(len(bands.name)), bands.of_grade[~space.grade_first])
    inner = np.flatnonzero(climbs[links.pair_band])
    band, area = links.pair_band[inner], links.area[links.pair_link[inner]]
    carried, stays = (part[area, band] for part in _climbing(space))
    source = inner - bands.single[band]
    leaving = (carried * flow[source].previous() - stays * flow[inner])[:, 1:]
    wider, column = fixed.with_columns("moves", prod(leaving.shape))
    moves = Expression.of(column.reshape(leaving.shape))
    program = wider.with_constraint("moves", moves >= leaving, labels=())
    return program, np.maximum(leaving.value(x), 0.0).ravel()


def _climbing(space: Space) -> tuple[Array, Array]:
    """Return the parts of last year's and of this year's band in mid-stage.

    Arrays ``[area, band, t]``; the first holds nothing in the first year.
    """
    bands, inner = space.bands, ~space.grade_first[:, None]
    last = np.zeros_like(bands.share)
    last[:, 1:, 1:] = bands.share[:, :-1, :-1]
    return bands.total(inner * space.progression * last), bands.total(inner * bands.share)
