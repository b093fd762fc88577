"""The L-shaped method: one program a realisation, linked by cuts on the cost of each.

A *master* holds the first stage and one column for each realisation's cost (multi-cut: Birge and
Louveaux, 1988). A realisation's linear program, the first stage fixed at the master's answer, gives
a cut: its cost there and the reduced costs of what is fixed (Van Slyke and Wets, 1969). Where it
has no solution (a school's minimum roll, a floor), the least total violation of its rows has
reduced costs too, which cut these decisions off. Two stages: with the master's integers relaxed
until its bound is tight (cuts are cheap there: McDaniel and Devine, 1977), each point halfway to
the best one known (in-out separation: Ben-Ameur and Neto, 2007), then with whole numbers. The
recourse of one realisation stays inside the master, which gives its relaxation the shape of the
whole (partial decomposition: Crainic et al., 2021). With the recourse of all inside, and no cuts,
the master is the extensive form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array, csr_array, diags_array

from capsim.analysis.stochastic.realisations import Realisations
from capsim.analysis.stochastic.risk import Measure
from capsim.lp.array_types import Array, Index
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import NotInTime, SolveOptions, SolverError, SolverResult
from capsim.lp.parallel_solves import Clock, in_parallel
from capsim.lp.program import Builder, LinearProgram

VIOLATED = 1e-7
"""Total violation (of rows as they are) above which decisions leave a realisation no recourse."""
ROUNDS = 500
TIGHT = 1e-7
"""Share by which a cut must be missed to be added, and the bound to rise to count as rising."""
MASTER_SHARE = 0.3
"""Share of the gap asked for that the master may leave."""


@dataclass(frozen=True)
class FirstStage:
    """First-stage decisions with value and bound of the measure, million RMB of avoidable cost.

    ``first`` is None where no decision has a recourse in every realisation.
    """

    first: Array | None = None
    value: float = np.inf
    bound: float = np.inf
    rounds: int = 0
    cuts: int = 0


def solve_extensive(
    realisations: Realisations, measure: Measure, *, gap: float, options: SolveOptions
) -> FirstStage:
    """Minimise the measure in one program with every recourse; ``gap`` is in million RMB.

    Raises
    ------
    SolverError
        If nothing is found within the time limit.
    """
    count = realisations.count
    master = make_master(realisations, measure, range(count), np.full(count, -np.inf))
    gaps = {"mip_rel_gap": 0.0, "mip_abs_gap": gap}
    found = Highs(master.program, options.highs | gaps).solve()
    if found.status == "infeasible":
        return FirstStage(rounds=1)
    if found.x is None:
        kind = NotInTime if found.status == "unknown" else SolverError
        raise kind(f"{found.solver} ended without a plan: {found.status}")
    first = realisations.rounded(found.x[master.first])
    return FirstStage(first, found.objective, found.bound, rounds=1)


def solve_l_shaped(
    realisations: Realisations, measure: Measure, *, gap: float, options: SolveOptions
) -> FirstStage:
    """Minimise the measure by cuts; ``gap`` is in million RMB.

    Raises
    ------
    ValueError
        If something decided later is a whole number: its cost has no slopes.
    SolverError
        If the solver fails.
    """
    if not realisations.linear_recourse:
        raise ValueError(
            "the L-shaped method needs decisions that are whole numbers in the first stage"
        )
    clock = Clock(options.time_limit)
    recourse = [Recourse(realisations, s) for s in range(realisations.count)]
    start = in_parallel([one.least for one in recourse])
    if any(found.status == "infeasible" for found in start):
        return FirstStage()
    points = [found.x[realisations.first] for found in start if found.x is not None]
    if any(found.status == "unknown" for found in start):
        raise NotInTime("a realisation by itself was not solved in time; allow more time")
    if len(points) < realisations.count:
        raise SolverError("a realisation has no optimum by itself")
    least = np.array([found.objective for found in start])
    middle = np.argsort(least, kind="stable")[realisations.count // 2]
    master = make_master(realisations, measure, [int(middle)], least)
    method = _LShaped(realisations, measure, master, recourse, clock)
    core = np.clip(
        np.average(points, axis=0, weights=realisations.probability), *realisations.bounds
    )
    bound = method.bound_relaxed(core, gap * MASTER_SHARE)
    if bound is None:
        return FirstStage(cuts=len(method.cuts))
    return method.search(bound, gap, options)


class _LShaped:
    """The master with the cuts made so far, and the realisations that they come from."""

    def __init__(
        self,
        realisations: Realisations,
        measure: Measure,
        master: Master,
        recourse: list[Recourse],
        clock: Clock,
    ) -> None:
        self._realisations, self._measure, self._master = realisations, measure, master
        self._recourse, self._clock = recourse, clock
        self.cuts: list[tuple[int, Cut]] = []

    def bound_relaxed(self, core: Array, gap: float) -> float | None:
        """Cut the relaxation until its bound is within ``gap``; None where it has no solution."""
        master = self._master
        highs = Highs(master.program.relaxed())
        bound = -np.inf
        cuts, best = self._cut_at(core)
        if self._clock.out():
            return bound
        fresh = [(s, cut) for s, cut in enumerate(cuts) if s not in master.inside]
        for _ in range(ROUNDS):
            self._add(highs, fresh)
            found = highs.solve()
            if found.status == "infeasible":
                return None
            if found.x is None and self._clock.out():
                break
            if found.x is None:
                raise SolverError(f"the master ended {found.status}")
            rising = found.objective > bound + TIGHT * max(1.0, abs(bound))
            bound = max(bound, found.objective)
            if best - bound <= gap or self._clock.out():
                break
            answer = found.x[master.first]
            step = 0.5 if rising and np.isfinite(best) else 1.0
            point = core + step * (answer - core)
            cuts, value = self._cut_at(point)
            if value < best:
                best, core = value, point
            fresh = self._missed(cuts, found.x)
            if not fresh and step < 1.0:
                cuts, value = self._cut_at(answer)
                best = min(best, value)
                fresh = self._missed(cuts, found.x)
            if not fresh:
                break
        return bound

    def search(self, bound: float, gap: float, options: SolveOptions) -> FirstStage:
        """Search on with whole numbers until value and bound meet."""
        master = self._master
        gaps = {"mip_rel_gap": 0.0, "mip_abs_gap": gap * MASTER_SHARE}
        highs = Highs(master.program, options.highs | gaps)
        fresh, self.cuts = self.cuts, []
        best, first = np.inf, None
        for rounds in range(1, ROUNDS + 1):
            self._add(highs, fresh)
            out = self._clock.out()
            highs.set(self._clock.limit())
            found = highs.solve()
            if found.status == "infeasible":
                return FirstStage(first, best, best, rounds, len(self.cuts))
            bound = max(bound, found.bound)
            if found.x is None:
                break
            point = self._realisations.rounded(found.x[master.first])
            cuts, value = self._cut_at(point)
            if value < best:
                best, first = value, point
            if best - bound <= gap or out:
                break
            fresh = self._missed(cuts, found.x)
            if not fresh:
                break
        if first is None:
            kind = NotInTime if self._clock.out() else SolverError
            raise kind("no decisions were found that leave every realisation a plan")
        return FirstStage(first, best, min(bound, best), rounds, len(self.cuts))

    def _cut_at(self, first: Array) -> tuple[list[Cut], float]:
        """Return the cuts of all realisations at decisions, and the measure there.

        No cuts, and an infinite measure, where the time ends first.
        """
        try:
            cuts = in_parallel([partial(one.cut_at, first) for one in self._recourse])
        except NotInTime:
            return [], np.inf
        cost = np.array([cut.value for cut in cuts])
        if not np.isfinite(cost).all():
            return cuts, np.inf
        value = self._measure.value(cost, self._realisations.probability)
        return cuts, value + self._master.program.offset

    def _missed(self, cuts: list[Cut], x: Array) -> list[tuple[int, Cut]]:
        """Return the cuts that cut the master's solution off."""
        first, total = x[self._master.first], x[self._master.total]
        out = []
        for s, cut in enumerate(cuts):
            level = cut.constant + float(cut.slope @ first)
            least = total[s] if cut.finite else 0.0
            if s not in self._master.inside and level > least + TIGHT * max(1.0, abs(least)):
                out.append((s, cut))
        return out

    def _add(self, highs: Highs, fresh: Sequence[tuple[int, Cut]]) -> None:
        """Add cuts as rows."""
        self.cuts += fresh
        if not fresh:
            return
        slope = coo_array(-np.stack([cut.slope for _, cut in fresh]))
        finite = [i for i, (_, cut) in enumerate(fresh) if cut.finite]
        total = self._master.total[[fresh[i][0] for i in finite]]
        row = np.concatenate([slope.row, np.array(finite, np.int64)])
        column = np.concatenate([self._master.first[slope.col], total])
        value = np.concatenate([slope.data, np.ones(len(finite))])
        shape = (len(fresh), len(self._master.program.cost))
        constant = np.array([cut.constant for _, cut in fresh])
        rows = csr_array((value, (row, column)), shape=shape)
        highs.add_rows(rows, constant, np.full(len(fresh), np.inf))


@dataclass(frozen=True)
class Cut:
    """``t ≥ constant + slope · first`` where ``finite``; else ``0 ≥ constant + slope · first``.

    ``value`` is the cost of the realisation at the point where the cut was made (million RMB,
    committed cost included), infinite where there is no recourse.
    """

    constant: float
    slope: Array
    value: float

    @property
    def finite(self) -> bool:
        """Whether the realisation has a recourse at the point."""
        return bool(np.isfinite(self.value))


class Recourse:
    """The linear recourse of one realisation, kept in the solver between calls."""

    def __init__(self, realisations: Realisations, number: int) -> None:
        program = realisations.models[number].program.relaxed()
        self.first: Index = realisations.first
        self.program: LinearProgram = replace(
            program, offset=float(realisations.on_no_column[number])
        )
        self._rows = realisations.rows(number)[1]
        self._name = realisations.names[number]

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
        """Solve with the first stage free: no decision costs less in this realisation."""
        return self._highs.solve()

    def cut_at(self, first: Array) -> Cut:
        """Return the cut at ``first``."""
        found = self._solve(self._highs, first)
        if found.status == "optimal":
            return self._cut(found, first, found.objective)
        if found.status != "infeasible":
            kind = NotInTime if found.status == "unknown" else SolverError
            raise kind(f"the recourse of realisation {self._name!r} ended {found.status}")
        found = self._solve(self._elastic, first)
        if found.status == "unknown":
            raise NotInTime(f"the recourse of realisation {self._name!r} was not cut off in time")
        if found.status != "optimal" or found.objective <= VIOLATED:
            raise SolverError(f"the recourse of {self._name!r} is infeasible by rounding")
        return self._cut(found, first, np.inf)

    def _solve(self, highs: Highs, first: Array) -> SolverResult:
        highs.fix(self.first, first)
        return highs.solve()

    def _cut(self, found: SolverResult, first: Array, value: float) -> Cut:
        if found.column_dual is None:
            raise SolverError(f"the recourse of realisation {self._name!r} has no prices")
        slope = found.column_dual[self.first]
        return Cut(found.objective - float(slope @ first), slope, value)


@dataclass(frozen=True)
class Master:
    """A program over the first stage and each realisation's cost.

    Attributes
    ----------
    program : LinearProgram
        Million RMB; of the measure less its part that no decision moves.
    first : int ``[first-stage column]``
    total : int ``[realisation]``
        Columns with each realisation's discounted cost, committed cost included.
    inside : set of int
        Realisations whose recourse is part of the program.
    """

    program: LinearProgram
    first: Index
    total: Index
    inside: frozenset[int]


def make_master(
    realisations: Realisations, measure: Measure, inside: Sequence[int], least: Array
) -> Master:
    """Build the master with the recourse of those ``inside``; ``least`` bounds each one's cost."""
    m = Builder()
    lower, upper = realisations.bounds
    first = m.variables("first", len(realisations.first), lower=lower, upper=upper)
    total = m.variables("total", realisations.count, lower=least)
    seen: list[tuple[bytes, ...]] = []
    whole = [realisations.whole, np.zeros(realisations.count, bool)]
    for s, model in enumerate(realisations.models):
        rows, _ = realisations.rows(s)
        key = _fingerprint(model.program, rows, realisations.first)
        if key not in seen:
            seen.append(key)
            place = np.full(len(model.program.cost), -1, np.int64)
            place[realisations.first] = first
            _copy_rows(m, "first_stage", model.program, rows, place)
    later = realisations.later
    for s in inside:
        program = realisations.models[s].program
        place = np.full(len(program.cost), -1, np.int64)
        place[realisations.first] = first
        place[later] = m.variables(
            f"later[{s}]", len(later), lower=program.lower[later], upper=program.upper[later]
        )
        whole.append(program.integer[later])
        _copy_rows(m, f"recourse[{s}]", program, realisations.rows(s)[1], place)
        used = np.flatnonzero(program.cost)
        m.constrain(
            f"total[{s}]",
            1,
            [(0, total[s], 1.0), (0, place[used], -program.cost[used])],
            lower=float(realisations.on_no_column[s]),
        )
    costs = measure.add(m, total, realisations.probability)
    constant = measure.constant(realisations.committed, realisations.probability)
    cost = np.zeros(m.column_count)
    cost[list(costs)] = list(costs.values())
    integer = np.zeros(len(cost), bool)
    known = np.concatenate(whole)
    integer[: len(known)] = known
    program = replace(m.freeze(cost=cost, offset=-constant), integer=integer)
    return Master(program, first, total, frozenset(inside))


def _fingerprint(program: LinearProgram, rows: Index, columns: Index) -> tuple[bytes, ...]:
    part = program.matrix[:, columns].tocsr()[rows]
    part.sort_indices()
    sides = (program.row_lower[rows], program.row_upper[rows])
    return tuple(a.tobytes() for a in (part.indptr, part.indices, part.data, *sides))


def _copy_rows(m: Builder, name: str, program: LinearProgram, rows: Index, place: Index) -> None:
    """Copy rows of a program, its column ``i`` standing at ``place[i]``."""
    part = program.matrix.tocsr()[rows].tocoo()
    m.constrain(
        name,
        len(rows),
        [(part.row, place[part.col], part.data)],
        lower=program.row_lower[rows],
        upper=program.row_upper[rows],
    )
