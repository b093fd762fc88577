"""What a future costs once the first stage stands: one persistent linear program a future.

The first-stage columns are held by their bounds, so that the reduced costs of these columns are a
subgradient of the future's cost in the decisions. Where a future has no recourse at all (a school's
minimum roll, a floor), the least total violation of its rows has one too, which cuts the decisions
off.

The program above the futures: first-stage decisions, each future's cost, and the measure.

With every future inside it is the extensive form; with a few or none it is the master of the
L-shaped method, and cuts stand for the others.

The L-shaped method: futures apart, bound together by cuts on what each costs.

The master holds the first stage and one column for each future's cost (multi-cut: Birge and
Louveaux, 1988). A future's linear program, the first stage held at the master's answer, gives a
cut: its cost there and the reduced costs of what is held (Van Slyke and Wets, 1969). Two stages:
with the master's integers relaxed until its bound is tight (cuts are cheap there: McDaniel and
Devine, 1977), each point halfway to the best one known (in-out separation: Ben-Ameur and Neto,
2007), then with whole numbers. The recourse of one future stays inside the master, which
gives its relaxation the shape of the whole (partial decomposition: Crainic et al., 2021).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.sparse import block_array, csc_array, csr_array, diags_array

from capsim.analysis.stochastic.realisations import Futures
from capsim.analysis.stochastic.risk import Measure
from capsim.lp.arrays import Array, Index
from capsim.lp.highs import Highs
from capsim.lp.options import SolveOptions
from capsim.lp.program import Builder, LinearProgram
from capsim.lp.solution import SolverError, SolverResult
from capsim.lp.threads import in_parallel

VIOLATED = 1e-7
"""Total violation (of rows as they are) above which decisions leave a future without recourse."""


@dataclass(frozen=True)
class Cut:
    """``t ≥ constant + slope · first`` where ``finite``; else ``0 ≥ constant + slope · first``.

    ``value`` is the cost of the future at the point where the cut was made (million RMB, committed
    cost included), infinite where there is no recourse.
    """

    constant: float
    slope: Array
    value: float

    @property
    def finite(self) -> bool:
        """Whether the future has a recourse at the point."""
        return bool(np.isfinite(self.value))


class Recourse:
    """The linear recourse of one future, kept in the solver between calls."""

    def __init__(self, futures: Futures, future: int) -> None:
        program = futures.models[future].program.relaxed()
        self.first: Index = futures.first
        self.program: LinearProgram = replace(program, offset=0.0)
        self._rows = futures.rows(future)[1]
        self._name = futures.names[future]

    @cached_property
    def _highs(self) -> Highs:
        return Highs(self.program)

    @cached_property
    def _elastic(self) -> Highs:
        """The same rows, each with a slack either way at a price of 1; nothing else costs."""
        program, rows = self.program, self._rows
        matrix = program.matrix.tocsr()[rows]
        eye = diags_array(np.ones(len(rows)))
        zero, one = np.zeros(len(program.cost)), np.ones(2 * len(rows))
        return Highs(
            LinearProgram(
                cost=np.concatenate([zero, one]),
                lower=np.concatenate([program.lower, 0.0 * one]),
                upper=np.concatenate([program.upper, np.inf * one]),
                integer=np.zeros(len(zero) + len(one), bool),
                matrix=csc_array(block_array([[matrix, eye, -eye]], format="csc")),
                row_lower=program.row_lower[rows],
                row_upper=program.row_upper[rows],
            )
        )

    def least(self) -> SolverResult:
        """Solve with the first stage free: no decision costs less in this future."""
        return self._highs.solve()

    def at(self, first: Array) -> tuple[Cut, Array | None]:
        """Return the cut at ``first`` and the whole solution, if there is one."""
        found = self._solve(self._highs, first)
        if found.status == "optimal" and found.x is not None:
            return self._cut(found, first, found.objective), found.x
        if found.status != "infeasible":
            raise SolverError(f"the recourse of future {self._name!r} ended {found.status}")
        found = self._solve(self._elastic, first)
        if found.status != "optimal" or found.objective <= VIOLATED:
            raise SolverError(f"the recourse of future {self._name!r} is infeasible by rounding")
        return self._cut(found, first, np.inf), None

    def _solve(self, highs: Highs, first: Array) -> SolverResult:
        highs.fix(self.first, first)
        return highs.solve()

    def _cut(self, found: SolverResult, first: Array, value: float) -> Cut:
        if found.column_dual is None:
            raise SolverError(f"the recourse of future {self._name!r} has no prices")
        slope = found.column_dual[self.first]
        return Cut(found.objective - float(slope @ first), slope, value)


@dataclass(frozen=True)
class Top:
    """A program over ``first`` and ``total`` columns.

    Attributes
    ----------
    program : LinearProgram
        Million RMB; of the measure less its part that no decision moves.
    first : int ``[first-stage column]``
    total : int ``[future]``
        Columns with each future's discounted cost, committed cost included.
    inside : set of int
        Futures whose recourse is part of the program.
    """

    program: LinearProgram
    first: Index
    total: Index
    inside: frozenset[int]


def make_top(futures: Futures, measure: Measure, inside: Sequence[int], least: Array) -> Top:
    """Build it with the recourse of the futures ``inside``; ``least`` bounds each future's cost."""
    m = Builder()
    lower, upper = futures.bounds
    first = m.variables("first", len(futures.first), lower=lower, upper=upper)
    total = m.variables("total", futures.count, lower=least)
    seen: list[tuple[bytes, ...]] = []
    whole = [futures.whole, np.zeros(futures.count, bool)]
    for s, model in enumerate(futures.models):
        own, _ = futures.rows(s)
        program = model.program
        key = _fingerprint(program, own, futures.first)
        if key not in seen:
            seen.append(key)
            place = np.full(len(program.cost), -1, np.int64)
            place[futures.first] = first
            _add_rows(m, "first_stage", program, own, place)
    for s in inside:
        program = futures.models[s].program
        place = np.full(len(program.cost), -1, np.int64)
        place[futures.first] = first
        later = futures.later
        place[later] = m.variables(
            f"later[{s}]", len(later), lower=program.lower[later], upper=program.upper[later]
        )
        whole.append(program.integer[later])
        _add_rows(m, f"recourse[{s}]", program, futures.rows(s)[1], place)
        used = np.flatnonzero(program.cost)
        m.constrain(
            f"total[{s}]",
            1,
            [(0, total[s], 1.0), (0, place[used], -program.cost[used])],
            lower=0.0,
        )
    costs = measure.add(m, total, futures.probability)
    constant = measure.constant(futures.committed, futures.probability)
    cost = np.zeros(m.column_count)
    cost[list(costs)] = list(costs.values())
    program = m.freeze(cost=cost, offset=-constant)
    integer = np.concatenate(whole)
    integer = np.concatenate([integer, np.zeros(len(cost) - len(integer), bool)])
    return Top(replace(program, integer=integer), first, total, frozenset(inside))


def _fingerprint(program: LinearProgram, rows: Index, columns: Index) -> tuple[bytes, ...]:
    part = program.matrix[:, columns].tocsr()[rows]
    part.sort_indices()
    arrays = (
        part.indptr,
        part.indices,
        part.data,
        program.row_lower[rows],
        program.row_upper[rows],
    )
    return tuple(np.ascontiguousarray(a).tobytes() for a in arrays)


def _add_rows(m: Builder, name: str, program: LinearProgram, rows: Index, place: Index) -> None:
    """Copy rows of a program, its column ``i`` standing at ``place[i]``."""
    part = program.matrix.tocsr()[rows].tocoo()
    m.constrain(
        name,
        len(rows),
        [(part.row, place[part.col], part.data)],
        lower=program.row_lower[rows],
        upper=program.row_upper[rows],
    )


ROUNDS = 500
TIGHT = 1e-7
"""Share by which a cut must be missed to be added, and the bound to rise to count as rising."""
MASTER_SHARE = 0.3
"""Share of the gap asked for that the master may leave."""


@dataclass(frozen=True)
class Found:
    """First-stage decisions with value and bound of the measure, million RMB of avoidable cost.

    ``first`` is None where no decision has a recourse in every future.
    """

    first: Array | None
    value: float
    bound: float
    rounds: int
    cuts: int


class _Master:
    def __init__(self, futures: Futures, top: Top, measure: Measure) -> None:
        self.futures, self.top, self.measure = futures, top, measure
        self.cuts: list[tuple[int, Cut]] = []

    def value(self, cuts: Sequence[Cut]) -> float:
        """Return the measure at the point where cuts of all futures were made."""
        cost = np.array([cut.value for cut in cuts])
        if not np.isfinite(cost).all():
            return np.inf
        probability = self.futures.probability
        return self.measure.value(cost, probability) + self.top.program.offset

    def add(self, highs: Highs, fresh: Sequence[tuple[int, Cut]]) -> None:
        """Add cuts as rows."""
        if not fresh:
            return
        row, column, value = [], [], []
        for i, (s, cut) in enumerate(fresh):
            used = np.flatnonzero(cut.slope)
            row.append(np.full(len(used) + cut.finite, i))
            column.append(np.append(self.top.first[used], [self.top.total[s]] * cut.finite))
            value.append(np.append(-cut.slope[used], [1.0] * cut.finite))
        matrix = csr_array(
            (np.concatenate(value), (np.concatenate(row), np.concatenate(column))),
            shape=(len(fresh), len(self.top.program.cost)),
        )
        constant = np.array([cut.constant for _, cut in fresh])
        highs.add_rows(matrix, constant, np.full(len(fresh), np.inf))


def solve_l_shaped(
    futures: Futures,
    measure: Measure,
    *,
    gap: float,
    options: SolveOptions,
    inside: int = 1,
) -> Found:
    """Minimise the measure; ``gap`` and ``bound`` are absolute, million RMB.

    Raises
    ------
    ValueError
        If something decided later is a whole number: its cost has no slopes.
    SolverError
        If the solver fails.
    """
    if not futures.linear_recourse:
        raise ValueError(
            "the L-shaped method needs decisions that are whole numbers in the first stage"
        )
    limit = options.time_limit
    end = np.inf if limit is None else time.perf_counter() + limit
    recourse = [Recourse(futures, s) for s in range(futures.count)]
    start = in_parallel([r.least for r in recourse])
    if any(found.status == "infeasible" for found in start):
        return Found(None, np.inf, np.inf, 0, 0)
    points = [found.x for found in start if found.x is not None]
    if len(points) < futures.count:
        raise SolverError("a future has no optimum by itself")
    least = np.array([found.objective for found in start])
    middle = np.argsort(least, kind="stable")[futures.count // 2]
    top = make_top(futures, measure, [int(middle)] * min(inside, 1), least)
    master = _Master(futures, top, measure)
    core = np.average([x[futures.first] for x in points], axis=0, weights=futures.probability)
    lower, upper = futures.bounds
    found = _relaxed(master, recourse, np.clip(core, lower, upper), gap * MASTER_SHARE, end)
    if found is None:
        return Found(None, np.inf, np.inf, 0, len(master.cuts))
    return _whole(master, recourse, found, gap, end, options)


def _cut(master: _Master, recourse: list[Recourse], first: Array) -> list[Cut]:
    return [cut for cut, _ in in_parallel([partial(r.at, first) for r in recourse])]


def _missed(master: _Master, cuts: list[Cut], first: Array, total: Array) -> list[tuple[int, Cut]]:
    """Cuts that cut the point off."""
    out = []
    for s, cut in enumerate(cuts):
        if s in master.top.inside:
            continue
        level = cut.constant + float(cut.slope @ first)
        least = total[s] if cut.finite else 0.0
        if level > least + TIGHT * max(1.0, abs(least)):
            out.append((s, cut))
    return out


def _relaxed(
    master: _Master, recourse: list[Recourse], core: Array, gap: float, end: float
) -> float | None:
    """Add cuts to the relaxation until its bound is within ``gap``; return the bound."""
    top = master.top
    highs = Highs(top.program.relaxed())
    best, bound, step = np.inf, -np.inf, 0.5
    cuts = _cut(master, recourse, core)
    best = master.value(cuts)
    fresh = [(s, cut) for s, cut in enumerate(cuts) if s not in top.inside]
    for _ in range(ROUNDS):
        master.cuts += fresh
        master.add(highs, fresh)
        found = highs.solve()
        if found.status == "infeasible":
            return None
        if found.x is None:
            raise SolverError(f"the master ended {found.status}")
        rising = found.objective > bound + TIGHT * max(1.0, abs(bound))
        bound = max(bound, found.objective)
        if best - bound <= gap or time.perf_counter() > end:
            break
        out, total = found.x[top.first], found.x[top.total]
        step = 0.5 if rising and np.isfinite(best) else 1.0
        point = core + step * (out - core)
        cuts = _cut(master, recourse, point)
        value = master.value(cuts)
        if value < best:
            best, core = value, point
        fresh = _missed(master, cuts, out, total)
        if not fresh and step < 1.0:
            cuts = _cut(master, recourse, out)
            best = min(best, master.value(cuts))
            fresh = _missed(master, cuts, out, total)
        if not fresh:
            break
    return bound


def _whole(
    master: _Master,
    recourse: list[Recourse],
    bound: float,
    gap: float,
    end: float,
    options: SolveOptions,
) -> Found:
    """Go on with whole numbers until value and bound meet."""
    top, whole = master.top, master.futures.whole
    gaps = {"mip_rel_gap": 0.0, "mip_abs_gap": gap * MASTER_SHARE}
    highs = Highs(top.program, options.highs | gaps)
    master.add(highs, master.cuts)
    best, first = np.inf, None
    start: Array | None = None
    for rounds in range(1, ROUNDS + 1):
        left = end - time.perf_counter()
        if np.isfinite(end):
            highs.set({"time_limit": max(left, 1.0)})
        if start is not None:
            highs.start_from(start)
        found = highs.solve()
        if found.status == "infeasible":
            return Found(first, best, best, rounds, len(master.cuts))
        bound = max(bound, found.bound)
        if found.x is None:
            break
        point = np.where(whole, np.round(found.x[top.first]), found.x[top.first])
        cuts = _cut(master, recourse, point)
        value = master.value(cuts)
        if value < best:
            best, first = value, point
        if best - bound <= gap or left <= 0:
            break
        fresh = _missed(master, cuts, point, found.x[top.total])
        if not fresh:
            break
        master.cuts += fresh
        master.add(highs, fresh)
    return Found(first, best, min(bound, best), rounds, len(master.cuts))
