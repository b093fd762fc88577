"""Solve a mixed-integer program block by block, with a feasible union and a proved bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from capsim.lp.array_types import Array, Index
from capsim.lp.decomposition.blocks import Block, BlockSolve, Split, solve_all
from capsim.lp.decomposition.dantzig_wolfe import Priced, price_coupling
from capsim.lp.decomposition.fixing_heuristics import with_whole_fixed, without_costly
from capsim.lp.highs import Highs, solver_name
from capsim.lp.options_and_result import SolveOptions, SolverResult
from capsim.lp.parallel_solves import Clock
from capsim.lp.program import LinearProgram

FEW = 8
"""Blocks below which prices take longer than the interior point and a way to a corner.

Prices come second there: blocks may make less of a corner than of a mixture.
"""
RELAXED = 0.2
"""Of the gap asked for, what the relaxation's own bound may leave open."""
ENOUGH = 0.85
"""Of a block's part of the gap, the distance from its bound that ends its search."""
OPEN = 0.3
"""Of a block's part of the gap, what its search may leave open between solution and bound."""
BOUND_OPEN = 0.5
"""The same where only the bound is asked for."""
ALL = 0.95
"""Of the whole gap, what blocks searched a second time aim at together."""
COSTLY = 1e-3
"""Of a block's part of the gap, the reduced cost from which a column is left out."""
FURTHER = 6
"""Rounds of bound and search at most once all blocks were searched in full."""
FINER = 0.5
"""Share of the last round's slack that a further round may leave open."""
POOR = 0.5
"""Part of the blocks without a solution, whole integers fixed, from which shares are poor."""
FIRST_OPEN = 5.0
"""Of a block's part of the gap, what is left open where it hardly keeps its share."""
BOUND_ONLY = {"mip_heuristic_effort": 0.0}
SOFT, LEAST_SOFT = 0.3, 0.1
"""Of a row's price, what use beyond a soft share costs more; of the mean price, what it counts as.
"""
IN_TURN = {"time_limit": 6.0}
"""Options of a step where integers are decided one kind after the other."""
NODES = (1, 50)
"""Nodes of a hard block's tree at most, round by round: most solutions are found at the root."""


@dataclass(frozen=True)
class _Task:
    """The program, the gap asked for, and the relaxation."""

    split: Split
    relaxed: Priced
    options: SolveOptions
    clock: Clock
    prove: bool = True

    @property
    def part(self) -> float:
        """A block's part of the gap, in units of the objective."""
        return self.options.gap * max(abs(self.relaxed.objective), 1.0) / len(self.split.blocks)

    def without_costly(self, part: LinearProgram, block: Block, x: Array) -> LinearProgram:
        """Drop columns of a block that are costly and used by neither ``x`` nor relaxation."""
        at = block.columns
        used = np.maximum(self.relaxed.x[at], x[at])
        return without_costly(part, used, self.relaxed.reduced[at], self.part * COSTLY)

    def solve(self, solves: Sequence[BlockSolve], share: float) -> list[SolverResult]:
        """Solve blocks side by side in a share of the time that is left."""
        deal = self.clock.deal(len(solves), share)
        return solve_all(solves, deal, self.options.executor, self._done)

    def _done(self, finished: int, total: int) -> None:
        self.options.tell(f"block {finished} of {total}")


@dataclass(frozen=True)
class _State:
    """The best solution so far and what is proved.

    ``shares`` is the point whose use of the coupling rows is each block's share, ``least`` the
    blocks' bounds at the prices, ``chosen`` the solutions that were found with them, ``lift`` what
    is proved that whole numbers cost each block there more than fractions.
    """

    x: Array
    shares: Array
    least: Array
    bound: float
    chosen: Array | None = None
    lift: Array = field(default_factory=lambda: np.zeros(0))


def solve_blocks(split: Split, options: SolveOptions, *, prove: bool = True) -> SolverResult | None:
    """Solve by blocks; None where that finds no solution (then solve it whole).

    1. The linear relaxation gives prices and shares of the coupling rows, and a bound. Where blocks
       are few it is solved whole first, and by prices for a second search where the first ends
       above the gap.
    2. Every block is solved within its share as a small mixed-integer program: integers that the
       relaxation leaves whole are fixed, and columns that are costly at its prices stay out. The
       union is a solution. Where blocks have none in their shares, all take the integers that they
       would choose at the prices (3), and the shares are dealt out anew for them.
    3. Every block is solved at the prices: their proved bounds add up to a better bound.
    4. The fewest blocks far from theirs are searched again with costly columns out only.
    5. Shares are dealt out anew for the integers found, and for those chosen at the prices; then 4
       with nothing fixed and 3 more finely, and all of it again while its pace can reach the gap.

    Where the split says in which order integers are decided, blocks are too hard for 2 to 5:

    6. Every block is solved at the prices within a soft share, use beyond which costs a little more
       than its price: integers that its own relaxation leaves whole are fixed, and the tree is left
       at its root. Shares are dealt out for the integers found.
    7. The fewest blocks that are far from their bounds are bounded at the prices, with all nodes of
       the round; then they are searched as in 6, nothing fixed, with the nodes of the next round.

    It ends as soon as solution and bound are as near as asked.

    Parameters
    ----------
    split : Split
    options : SolveOptions
        The gap is between the union and the bound, relative to the objective with its offset; the
        seconds are for all of it, and the status is ``stopped`` where they end first. An executor
        searches the blocks in 2 to 5; relaxations stay here, whose solvers go on from where they
        were.
    prove : bool
        False: blocks too hard for 2 to 5 are not bounded, and searched in every round of 7 however
        near they are: the bound is that of the relaxation.
    """
    clock = Clock(options.time_limit)
    few = len(split.blocks) < FEW
    best: _State | None = None
    for relax in (_whole, _priced) if few else (_priced, _whole):
        relaxed = relax(split, options, clock)
        if relaxed is None:
            continue
        task = _Task(split, relaxed, options, clock, prove)
        state = _better(split, best, _full_search(task))
        if state is None and not few:
            return None
        best = state
        if not few or clock.out() or (best is not None and _reached(task, best)):
            break
    if best is None:
        return None
    return SolverResult(
        status="optimal" if _reached(task, best) else "stopped",
        x=best.x,
        objective=_cost(split, best.x),
        bound=best.bound,
        row_dual=task.relaxed.row_dual,
        column_dual=None,
        solver=solver_name(),
        seconds=clock.spent(),
        hand_over_s=0.0,
    )


def _full_search(task: _Task) -> _State | None:
    """Run the steps of the search until the gap is reached; None without a solution."""
    if task.split.order is not None:
        return _hard_search(task, task.split.order)
    state = _first(task)
    if state is None:
        return None
    if not _reached(task, state) and state.bound == task.relaxed.bound:
        state = _bounded(task, state, task.part * BOUND_OPEN)
    if not _reached(task, state):
        state = _searched(task, state, task.part * OPEN, fixed=True)
    if not _reached(task, state):
        state = _further(task, state)
    return state


def _better(split: Split, one: _State | None, other: _State | None) -> _State | None:
    """Return the cheaper solution of two searches with the better of their bounds."""
    if one is None or other is None:
        return other if one is None else one
    cheaper = one if _cost(split, one.x) < _cost(split, other.x) else other
    return replace(cheaper, bound=max(one.bound, other.bound))


def _first(task: _Task) -> _State | None:
    """Solve every block within its share; None where no solution was found."""
    split, relaxed, part = task.split, task.relaxed, task.part
    blocks = split.blocks
    parts = split.parts(relaxed.x)
    lowest = split.costs(relaxed.x)
    fixed = [
        with_whole_fixed(task.without_costly(p, b, relaxed.x), relaxed.x[b.columns])
        for p, b in zip(parts, blocks, strict=True)
    ]
    near = [_near(part, low) for low in lowest]
    inside = task.solve([BlockSolve(p, how) for p, how in zip(fixed, near, strict=True)], 0.3)
    missing = [i for i, solution in enumerate(inside) if solution.x is None]
    if len(missing) > POOR * len(blocks):
        return _by_prices(task)
    wide = {"mip_abs_gap": part * FIRST_OPEN}
    retried = task.solve([BlockSolve(parts[i], wide, last=True) for i in missing], 0.4)
    for i, solution in zip(missing, retried, strict=True):
        inside[i] = solution
    if any(solution.x is None for solution in inside):
        return _by_prices(task)
    least = lowest - split.worth(relaxed.price, relaxed.x)
    return _State(_union(split, [s.x for s in inside]), relaxed.x, least, relaxed.bound)


def _by_prices(task: _Task) -> _State | None:
    """Choose the integers that the blocks take at the prices, and divide the rows for them."""
    split, relaxed = task.split, task.relaxed
    chosen, proved, bound = _at_prices(task, task.part * BOUND_OPEN, None)
    x = None if chosen is None else _dealt(task, chosen)
    if x is None:
        return None
    least = split.costs(relaxed.x) - split.worth(relaxed.price, relaxed.x)
    return _State(x, x, np.maximum(least, proved), max(relaxed.bound, bound))


def _hard_search(task: _Task, order: Index) -> _State | None:
    """Run steps 6 and 7 until the gap is reached or rounds end; None without a solution."""
    split, relaxed = task.split, task.relaxed
    every = np.arange(len(split.blocks))
    chosen = _softly(task, order, every, np.full(len(relaxed.x), np.nan))
    x = None if np.isnan(chosen).any() else _dealt(task, chosen)
    if x is None:
        return None
    least = split.costs(relaxed.x) - split.worth(relaxed.price, relaxed.x)
    state = _State(x, x, least, relaxed.bound, chosen, np.zeros(len(least)))
    state = _bounded_where_far(task, state, order, NODES[0])
    for nodes in NODES[1:]:
        if order.any() or task.clock.out() or (task.prove and _reached(task, state)):
            break
        state = _softly_again(task, state, order, nodes)
        state = _bounded_where_far(task, state, order, nodes)
    return state


def _softly(task: _Task, order: Index, which: Index, x: Array, nodes: int = NODES[0]) -> Array:
    """Return ``x`` with the blocks solved at the prices within soft shares; NaN where unsolved."""
    split, relaxed = task.split, task.relaxed
    cost, _ = split.priced(relaxed.price)
    size = np.abs(relaxed.price)
    mean = size[size > 0].mean() if size.any() else 1.0
    penalty = SOFT * np.maximum(size, LEAST_SOFT * mean)
    shares = split.shares(relaxed.x)
    options = {
        "mip_abs_gap": task.part * BOUND_OPEN,
        "mip_max_nodes": nodes,
        **(IN_TURN if order.any() else {}),
    }
    solves = []
    for i in which:
        block = split.blocks[i]
        part = split.softened(block, cost, shares[i], penalty)
        begun = x[block.columns]
        if np.isnan(begun).any():
            last = np.zeros(len(part.cost) - len(block.columns), np.int64)
            solves.append(BlockSolve(part, options, order=np.append(order[block.columns], last)))
        else:
            solves.append(BlockSolve(part, options, _with_slack(part, begun)))
    out = x.copy()
    for i, solution in zip(which, task.solve(solves, 0.8), strict=True):
        at = split.blocks[i].columns
        if solution.x is not None:
            out[at] = solution.x[: len(at)]
    return out


def _with_slack(part: LinearProgram, x: Array) -> Array:
    """Return a block's solution with what it uses beyond its share."""
    more = part.matrix[:, len(x) :].tocoo()
    use = part.matrix[:, : len(x)] @ x
    short = np.maximum(part.row_lower - use, 0.0), np.maximum(use - part.row_upper, 0.0)
    slack = np.zeros(more.shape[1])
    slack[more.col] = np.where(more.data > 0, short[0][more.row], short[1][more.row])
    return np.concatenate([x, slack])


def _softly_again(task: _Task, state: _State, order: Index, nodes: int) -> _State:
    """Search the blocks far from their bounds again, and deal the shares out for what is found."""
    if state.chosen is None:
        return state
    far, _ = _far(_excess(task, state), task.part * len(state.least) * ALL)
    chosen = _softly(task, order, far, state.chosen, nodes)
    state = replace(state, chosen=chosen)
    dealt = _dealt(task, chosen)
    if dealt is None or _cost(task.split, dealt) >= _cost(task.split, state.x):
        return state
    return replace(state, x=dealt, shares=dealt)


def _bounded_where_far(task: _Task, state: _State, order: Index, nodes: int) -> _State:
    """Bound the fewest blocks at the prices whose bounds can bring the gap about.

    What whole numbers cost a block more than fractions, at the same prices, is added to the bound
    of the relaxation. Where integers are decided in turn only those of the first kind are whole.
    """
    split, missing = task.split, _missing(task, state)
    if missing <= 0 or not task.prove:
        return state
    cost, _ = split.priced(task.relaxed.price)
    far, allowed = _far(_excess(task, state), task.part * len(state.least) * ALL)
    options = {"mip_abs_gap": max(allowed, task.part) * OPEN, "mip_max_nodes": nodes, **BOUND_ONLY}
    solves = []
    for i in far:
        block = split.blocks[i]
        part = split.part(block, cost)
        part = replace(part, integer=part.integer & (order[block.columns] == 0))
        start = None if state.chosen is None else state.chosen[block.columns]
        solves += [BlockSolve(part, options, start), BlockSolve(part.relaxed(), {})]
    solved = task.solve(solves, 0.8)
    least, lift = state.least.copy(), state.lift.copy()
    for i, whole, relaxed in zip(far, solved[::2], solved[1::2], strict=True):
        least[i] = max(least[i], whole.bound)
        if relaxed.status == "optimal":
            lift[i] = max(lift[i], whole.bound - relaxed.objective)
    bound = task.relaxed.bound + float(lift.sum())
    return replace(state, least=least, lift=lift, bound=max(state.bound, bound))


def _excess(task: _Task, state: _State) -> Array:
    """Return by how much each block's cost is above its bound, at the shares it has."""
    worth = task.split.worth(task.relaxed.price, state.shares)
    return task.split.costs(state.x) - state.least - worth


def _taken(split: Split, x: Array, which: Index, found: Sequence[SolverResult]) -> Array:
    """Take the blocks' new solutions where they are cheaper."""
    out = x.copy()
    for i, solution in zip(which, found, strict=True):
        at = split.blocks[i].columns
        if solution.x is not None and solution.objective < split.program.cost[at] @ x[at]:
            out[at] = solution.x
    return out


def _bounded(task: _Task, state: _State, slack: float) -> _State:
    """Prove bounds of the blocks at the prices, each but for ``slack``; Lagrange's bound."""
    chosen, proved, bound = _at_prices(task, slack, state.x)
    return replace(
        state,
        least=np.maximum(state.least, proved),
        bound=max(state.bound, bound),
        chosen=chosen,
    )


def _at_prices(task: _Task, slack: float, start: Array | None) -> tuple[Array | None, Array, float]:
    """Solve every block at the prices but for ``slack``.

    Returns what they choose (None where one of them found nothing and there is no ``start``), the
    bounds proved, and the bound of the whole.
    """
    split, price = task.split, task.relaxed.price
    cost, constant = split.priced(price)
    options = {"mip_abs_gap": slack, **BOUND_ONLY}
    begun = [None if start is None else start[block.columns] for block in split.blocks]
    solved = task.solve(
        [
            BlockSolve(split.part(block, cost), options, own, last=start is None)
            for block, own in zip(split.blocks, begun, strict=True)
        ],
        0.6,
    )
    proved = np.array([s.bound for s in solved])
    chosen = [
        start[b.columns] if s.x is None and start is not None else s.x
        for b, s in zip(split.blocks, solved, strict=True)
    ]
    whole = None if any(x is None for x in chosen) else _union(split, chosen)
    return whole, proved, float(proved.sum()) + constant + split.program.offset


def _searched(task: _Task, state: _State, slack: float, *, fixed: bool) -> _State:
    """Search the fewest blocks again that are far from their bounds."""
    split, relaxed, part, x = task.split, task.relaxed, task.part, state.x
    lowest = state.least + split.worth(relaxed.price, state.shares)
    far, allowed = _far(_excess(task, state), part * len(split.blocks) * ALL)
    parts = split.parts(state.shares)
    if fixed:
        pairs = zip(parts, split.blocks, strict=True)
        parts = [task.without_costly(p, b, x) for p, b in pairs]
    aims = [lowest[i] + max(allowed, slack / OPEN) for i in far]
    better = task.solve(
        [
            BlockSolve(
                parts[i],
                {"mip_abs_gap": slack, "objective_target": aim},
                x[split.blocks[i].columns],
            )
            for i, aim in zip(far, aims, strict=True)
        ],
        0.7,
    )
    return replace(state, x=_taken(split, x, far, better))


def _further(task: _Task, state: _State) -> _State:
    """Divide the shares anew, search in full and bound more finely.

    It ends when, at the pace of the last round, the rounds left would not reach the gap.
    """
    slack = task.part * OPEN
    for left in reversed(range(FURTHER)):
        before = _distance(task, state)
        state = _divided_anew(task, state)
        if not _reached(task, state):
            state = _searched(task, state, slack, fixed=False)
        slack *= FINER
        if not _reached(task, state):
            state = _bounded(task, state, slack)
        missing, pace = _missing(task, state), before - _distance(task, state)
        if missing <= 0 or task.clock.out() or pace * left < missing:
            break
    return state


def _divided_anew(task: _Task, state: _State) -> _State:
    """Choose shares for the integers found, or for those chosen at the prices, where better."""
    for integers in (state.x, state.chosen):
        if integers is None or _reached(task, state):
            continue
        dealt = _dealt(task, integers)
        if dealt is not None and _cost(task.split, dealt) < _cost(task.split, state.x):
            state = replace(state, x=dealt, shares=dealt)
    return replace(state, chosen=None)


def _dealt(task: _Task, x: Array) -> Array | None:
    """Share the coupling rows out anew for given integers; None where these do not keep them."""
    split = task.split
    fixed = replace(split, program=split.program.fixed(x))
    retried = price_coupling(
        fixed,
        tolerance=task.options.gap * RELAXED,
        start=task.relaxed.price,
        time_limit=task.clock.left(),
        tell=task.options.tell,
    )
    return None if retried is None else retried.x


def _near(part: float, low: float) -> dict[str, float]:
    """Return the options that end a block's search near its bound ``low``."""
    return {"mip_abs_gap": part * OPEN, "objective_target": low + part * ENOUGH}


def _far(excess: Array, budget: float) -> tuple[Index, float]:
    """Return the fewest blocks whose search can bring the sum of ``excess`` within ``budget``.

    Also what each of them may keep of it.
    """
    order = np.argsort(-excess, kind="stable")
    rest = excess.sum() - np.cumsum(excess[order])
    count = int(np.argmax(rest <= budget * ENOUGH)) + 1
    return order[:count], float((budget - rest[count - 1]) / count)


def _union(split: Split, inside: Sequence[Array | None]) -> Array:
    x = np.zeros(len(split.program.cost))
    for block, own in zip(split.blocks, inside, strict=True):
        x[block.columns] = own
    return x


def _priced(split: Split, options: SolveOptions, clock: Clock) -> Priced | None:
    """Solve the relaxation block by block at prices."""
    tolerance, left = options.gap * RELAXED, clock.left()
    return price_coupling(split, tolerance=tolerance, time_limit=left, tell=options.tell)


def _whole(split: Split, _: SolveOptions, clock: Clock) -> Priced | None:
    """Solve the relaxation whole, by the interior point and a way from there to a corner."""
    whole = Highs(split.program.relaxed(), {"solver": "ipm", **clock.limit()}).solve()
    if whole.x is None or whole.row_dual is None or whole.column_dual is None:
        return None
    if whole.status != "optimal":
        return None
    price = whole.row_dual[split.coupling]
    return Priced(
        whole.x, price, whole.column_dual, whole.objective, whole.objective, whole.row_dual
    )


def _cost(split: Split, x: Array) -> float:
    return float(split.program.cost @ x + split.program.offset)


def _distance(task: _Task, state: _State) -> float:
    return _cost(task.split, state.x) - state.bound


def _missing(task: _Task, state: _State) -> float:
    """Return by how much solution and bound are farther apart than asked."""
    asked = task.options.gap * max(abs(_cost(task.split, state.x)), 1.0)
    return _distance(task, state) - asked


def _reached(task: _Task, state: _State) -> bool:
    return _missing(task, state) <= 0
