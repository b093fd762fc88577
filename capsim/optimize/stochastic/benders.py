"""The L-shaped method: futures apart, bound together by cuts on what each costs.

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
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from capsim.lp import SolverError
from capsim.lp.arrays import Array
from capsim.lp.highs import Highs
from capsim.lp.parallel import in_parallel
from capsim.optimize.stochastic.futures import Futures
from capsim.optimize.stochastic.recourse import Cut, Recourse
from capsim.optimize.stochastic.risk import Measure
from capsim.optimize.stochastic.top import Top, make_top

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
    time_limit: float | None = None,
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
    end = np.inf if time_limit is None else time.perf_counter() + time_limit
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
    return _whole(master, recourse, found, gap, end)


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
    master: _Master, recourse: list[Recourse], bound: float, gap: float, end: float
) -> Found:
    """Go on with whole numbers until value and bound meet."""
    top, whole = master.top, master.futures.whole
    options = {"mip_rel_gap": 0.0, "mip_abs_gap": gap * MASTER_SHARE}
    highs = Highs(top.program, options)
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
