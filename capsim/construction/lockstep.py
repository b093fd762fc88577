"""The event loop for many replications at once: each step is the next moment of every replication.

Pays for small parts of a programme in many replications; the dates are those of the event loop for
one replication and of SimPy, to the last bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capsim.construction.network import Network

Days = NDArray[np.float64]
Ints = NDArray[np.intp]


class Lockstep:
    """State of all replications of a network; arrays ``[replication, activity]``."""

    def __init__(self, network: Network, days: Days, priority: list[float] | None):
        size, runs = network.size, len(days)
        self.network, self.days = network, days
        used = sorted({r for needs in network.needs for r, _ in needs})
        self.numbers = np.array(used, dtype=np.int16)
        self.need = np.zeros((size, len(used)))
        for i, needs in enumerate(network.needs):
            for r, units in needs:
                self.need[i, used.index(r)] = units
        self.needy: NDArray[np.bool_] = np.asarray(self.need.any(axis=1))
        stock = [network.resources[r] for r in used]
        self.back = self.need * [resource.releases is None for resource in stock]
        self.level = np.tile(np.array([float(r.units) for r in stock]), (runs, 1))
        arrivals = [
            (network.start + max(day - network.start, 0.0), k, units)
            for k, resource in enumerate(stock)
            for day, units in resource.releases or ()
        ]
        self.arrives = np.zeros((len(arrivals), len(used)))
        for row, (_, k, units) in enumerate(arrivals):
            self.arrives[row, k] = units
        self.next = np.full((runs, size + len(arrivals)), np.inf)
        self.next[:, size:] = [day for day, _, _ in arrivals]
        most = max((len(s) for s in network.successors), default=0)
        self.successor = np.full((size, most), -1)
        for i, following in enumerate(network.successors):
            self.successor[i, : len(following)] = following
        self.release = np.array(network.release)
        plans = list(dict.fromkeys(c for c in network.calendar if c is not None))
        self.plans = plans
        self.plan = np.array([-1 if c is None else plans.index(c) for c in network.calendar])
        self.start = np.full((runs, size), np.inf)
        self.finish = np.full((runs, size), np.inf)
        self.ready = np.full((runs, size), network.start)
        self.waiting = np.tile([len(before) for before in network.after], (runs, 1))
        self.running = np.zeros((runs, size), bool)
        self.line = np.zeros((runs, size), bool)
        self.cause = np.full((runs, size), -1, np.int16)
        rank = None if priority is None else np.argsort(np.argsort(priority, kind="stable"))
        self.key = (
            np.zeros((runs, size)) if rank is None else np.tile(rank.astype(float), (runs, 1))
        )
        self.by_asking = priority is None

    def run(self) -> None:
        """Go from moment to moment until nothing happens any more in any replication."""
        size, everyone = self.network.size, np.arange(len(self.days))
        for i, before in enumerate(self.network.after):
            if not before:
                self.follow(everyone, np.full(len(everyone), i))
        while True:
            now = self.next.min(axis=1)
            if not np.isfinite(now).any():
                return
            hit = self.next == np.where(np.isfinite(now), now, -1.0)[:, None]
            self.next[hit] = np.inf
            ours = hit[:, :size]
            ended = ours & self.running
            asked = ours & ~self.running
            self.running ^= ended
            self.line |= asked
            self.level += ended.astype(float) @ self.back
            self.level += hit[:, size:].astype(float) @ self.arrives
            if self.by_asking:
                np.copyto(self.key, now[:, None], where=asked)
            self.dispatch(np.flatnonzero(self.line.any(axis=1) & hit.any(axis=1)), now)

    def dispatch(self, rows: Ints, now: Days) -> None:
        """Let begin what fits, best first, one activity of each replication at a time."""
        while len(rows):
            line, level = self.line[rows], self.level[rows]
            fits = line.copy()
            for k in range(level.shape[1]):
                lacks = level[:, k, None] < self.need[None, :, k]
                self.cause[rows] = np.where(line & lacks, self.numbers[k], self.cause[rows])
                fits &= ~lacks
            some = fits.any(axis=1)
            rows, fits = rows[some], fits[some]
            best = np.where(fits, self.key[rows], np.inf).argmin(axis=1)
            self.level[rows] -= self.need[best]
            self.line[rows, best] = False
            self.running[rows, best] = True
            self.begin(rows, best, now[rows])

    def begin(self, rows: Ints, one: Ints, day: Days) -> None:
        """Begin one activity in each of some replications, and after it what needs nothing."""
        self.start[rows, one] = day
        span = self.days[rows, one]
        for number, calendar in enumerate(self.plans):
            mine = self.plan[one] == number
            if mine.any():
                span[mine] = calendar.spans(day[mine], span[mine])
        end = day + span
        self.finish[rows, one] = end
        needy = self.needy[one]
        self.next[rows[needy], one[needy]] = end[needy]
        for following in self.successor[one].T:
            at = following >= 0
            if not at.any():
                break
            row, then = rows[at], following[at]
            self.ready[row, then] = np.maximum(self.ready[row, then], end[at])
            self.waiting[row, then] -= 1
            free = np.equal(self.waiting[row, then], 0)
            if free.any():
                self.follow(row[free], then[free])

    def follow(self, rows: Ints, one: Ints) -> None:
        """All that these activities wait for has finished."""
        day = self.ready[rows, one]
        day = day + np.maximum(self.release[one] - day, 0.0)
        needy = self.needy[one]
        self.next[rows[needy], one[needy]] = day[needy]
        free: NDArray[np.bool_] = np.isfinite(day) & ~needy
        if free.any():
            self.begin(rows[free], one[free], day[free])


def simulate(
    network: Network, days: Days, priority: list[float] | None
) -> tuple[Days, Days, NDArray[np.int16]]:
    """Run every replication; shapes as in `capsim.construction.engine.simulate`, never is inf.

    Examples
    --------
    >>> from capsim.construction.network import Network, Resource
    >>> two = Network(0.0, (0, 1), ("a", "b"), ((), ()), (((0, 1),),) * 2, (0.0, 0.0), (None, None),
    ...               (Resource("crew", "*", 1),))
    >>> simulate(two, np.array([[3.0, 4.0], [1.0, 1.0]]), None)[1].tolist()
    [[3.0, 7.0], [1.0, 2.0]]
    """
    state = Lockstep(network, days, priority)
    state.run()
    return state.start, state.finish, state.cause
