"""The programme without processes: whole arrays where nothing is scarce, else an event loop.

`simulate` here and `capsim.construction.simpy_model.simulate` give the same dates to the last bit
(tested on random programmes); this one is for many replications. Parts of the programme that are
short of something go through `Lockstep`, or through SimPy where the replications are so few that
its steps would cost more.

Priority rules: which activity gets scarce crews first.

A rule takes the activity table (columns of `Draft.table` and those added below) and gives a number
per activity, the smaller first. References: Kolisch (1996), "Efficient priority rules for the
resource-constrained project scheduling problem".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.construction import simpy_model
from capsim.construction.calendars import Days
from capsim.construction.network import NEVER, Network

Ints = NDArray[np.intp]
LOCKSTEP_RUNS = 20
"""From so many replications on, a step of all costs less than steps one by one (measured)."""
LOCKSTEP_ENTRIES = 200_000
"""Replications times activities done together: more fall out of the processor's cache."""


def simulate(
    network: Network, days: Days, priority: list[float] | None
) -> tuple[Days, Days, NDArray[np.int16]]:
    """Run every replication; see `capsim.construction.simpy_model.simulate` for shapes.

    Where no resource is ever over-used when everything begins as soon as it can, that is the
    answer, found for all replications at once. Elsewhere events are simulated, for each part of the
    network that has nothing to do with the rest (as a rule a county), and only if it is short.

    Examples
    --------
    >>> from capsim.construction.network import Network, Resource
    >>> two = Network(0.0, (0, 1), ("a", "b"), ((), ()), (((0, 1),),) * 2, (0.0, 0.0), (None, None),
    ...               (Resource("crew", "*", 1),))
    >>> simulate(two, np.array([[3.0, 4.0], [1.0, 1.0]]), None)[1].tolist()
    [[3.0, 7.0], [1.0, 2.0]]
    """
    start, finish = _unlimited(network, days)
    cause = np.full(days.shape, -1, np.int16)
    if any(network.needs):
        apart, shared = _without_shared(network)
        everyone = np.arange(len(days))
        _wait_in_line(apart, days, priority, everyone, start, finish, cause)
        rows = np.flatnonzero(_short(network, start, finish)[:, shared].any(axis=1))
        if len(rows):
            start[rows], finish[rows] = _unlimited(network, days[rows])
            cause[rows] = -1
            _wait_in_line(network, days, priority, rows, start, finish, cause)
    start[~np.isfinite(finish)] = np.nan
    finish[~np.isfinite(finish)] = np.nan
    return start, finish, cause


def _without_shared(network: Network) -> tuple[Network, list[int]]:
    """Leave out what all counties share: where nobody would wait for it, it changes nothing.

    Returns
    -------
    network : Network
    shared : list of int
        Resources left out.
    """
    used = {r for needs in network.needs for r, _ in needs}
    shared = [r for r in sorted(used) if network.resources[r].county == "*"]
    if not shared or len(used) == len(shared):
        return network, []
    kept = tuple(tuple(pair for pair in needs if pair[0] not in shared) for needs in network.needs)
    return replace(network, needs=kept), shared


def _wait_in_line(
    network: Network,
    days: Days,
    priority: list[float] | None,
    among: Ints,
    start: Days,
    finish: Days,
    cause: NDArray[np.int16],
) -> None:
    """Put dates in place, of parts and replications (``among`` some) that are short of something.

    All the arrays are ``[replication, activity]``; the dates there are those if nobody waits.
    """
    short = _short(network, start[among], finish[among])
    for whole in network.parts:
        activities = [i for i in whole if not (network.done and network.done[i])]
        used = {r for i in activities for r, _ in network.needs[i]}
        rows = among[short[:, sorted(used)].any(axis=1)]
        if not len(rows):
            continue
        part, at = network.part(activities), np.array(activities)
        key = None if priority is None else [priority[i] for i in activities]
        together = max(LOCKSTEP_ENTRIES // part.size, LOCKSTEP_RUNS)
        for first in range(0, len(rows), together):
            block = np.ix_(rows[first : first + together], at)
            start[block], finish[block], cause[block] = _scarce(part, days[block], key)


def _scarce(
    part: Network, days: Days, priority: list[float] | None
) -> tuple[Days, Days, NDArray[np.int16]]:
    if len(days) < LOCKSTEP_RUNS:
        return simpy_model.simulate(part, days, priority)
    state = Lockstep(part, days, priority)
    state.run()
    return state.start, state.finish, state.cause


def _unlimited(network: Network, days: Days) -> tuple[Days, Days]:
    start, finish = np.empty(days.shape[::-1]), np.empty(days.shape[::-1])
    work = np.ascontiguousarray(days.T)
    for i, before in enumerate(network.after):
        ready = np.full(days.shape[0], network.start)
        for b in before:
            np.maximum(ready, finish[b], out=ready)
        if network.release[i] == NEVER or (before and not np.isfinite(ready[0])):
            start[i] = finish[i] = NEVER
            continue
        start[i] = ready + np.maximum(network.release[i] - ready, 0.0)
        calendar = network.calendar[i]
        finish[i] = start[i] + (work[i] if calendar is None else calendar.spans(start[i], work[i]))
    return np.ascontiguousarray(start.T), np.ascontiguousarray(finish.T)


def _short(network: Network, start: Days, finish: Days) -> NDArray[np.bool_]:
    """Flag where ``[replication, resource]`` more is needed than there is."""
    short = np.zeros((len(start), len(network.resources)), bool)
    for r, resource in enumerate(network.resources):
        users = [
            (i, units) for i, needs in enumerate(network.needs) for q, units in needs if q == r
        ]
        users = [(i, units) for i, units in users if np.isfinite(finish[:, i]).any()]
        if not users:
            continue
        index = [i for i, _ in users]
        begun = np.isfinite(finish[:, index])
        # work of no days takes and gives at one moment, which sums cannot see
        short[:, r] = (begun & (start[:, index] == finish[:, index])).any(axis=1)
        units = np.where(begun, np.array([u for _, u in users]), 0)
        times, change = [np.where(begun, start[:, index], np.inf)], [-units]
        if resource.releases is None:
            times.append(np.where(begun, finish[:, index], np.inf))
            change.append(units)
        for day, amount in resource.releases or ():
            times.append(np.full((len(start), 1), max(day, network.start)))
            change.append(np.full((len(start), 1), amount))
        time, delta = np.hstack(times), np.hstack(change)
        # at one moment, what comes back comes first: the dispatcher waits for all of it
        order = np.lexsort((-delta, time), axis=1)
        level = resource.units + np.cumsum(np.take_along_axis(delta, order, 1), axis=1)
        short[:, r] |= level.min(axis=1) < 0
    return short


class Lockstep:
    """The event loop of many replications at once: each step is the next moment of every one.

    Arrays are ``[replication, activity]``; a time that never comes is infinite.
    """

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
        self.first_come = priority is None

    def run(self) -> None:
        """Advance from moment to moment until nothing happens any more in any replication."""
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
            requested = ours & ~self.running
            self.running ^= ended
            self.line |= requested
            self.level += ended.astype(float) @ self.back
            self.level += hit[:, size:].astype(float) @ self.arrives
            if self.first_come:
                np.copyto(self.key, now[:, None], where=requested)
            self.dispatch(np.flatnonzero(self.line.any(axis=1) & hit.any(axis=1)), now)

    def dispatch(self, rows: Ints, now: Days) -> None:
        """Begin what fits, best first, one activity of each replication at a time."""
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
        """Begin activities whose predecessors have finished; those that need crews join a line."""
        day = self.ready[rows, one]
        day = day + np.maximum(self.release[one] - day, 0.0)
        needy = self.needy[one]
        self.next[rows[needy], one[needy]] = day[needy]
        free: NDArray[np.bool_] = np.isfinite(day) & ~needy
        if free.any():
            self.begin(rows[free], one[free], day[free])


Rule = Callable[[pd.DataFrame], "pd.Series[float]"]

RULES: dict[str, Rule | None] = {
    "due_date": lambda t: t["due"].fillna(np.inf),
    "latest_finish": lambda t: t["latest_finish"],
    "latest_start": lambda t: t["latest_start"],
    "minimum_slack": lambda t: t["latest_start"] - t["earliest_start"],
    "places_per_month": lambda t: -t["places"] / t["tail_days"].clip(lower=1.0),
    "most_successors": lambda t: -t["successors"],
    "rank_weight": lambda t: -t["rank_weight"],
    "shortest": lambda t: t["planned_days"],
    "planned": lambda t: t["planned_start"],
    "first_come": None,
}
"""Rules by name; ``first_come`` serves in order of asking."""


def timing(network: Network, table: pd.DataFrame) -> pd.DataFrame:
    """Return the activity table with what rules look at.

    Added columns: earliest_start, latest_start, latest_finish (days, as if resources delayed nobody
    up; latest for the due date, or for the whole to end as early as it can), tail_days (from begin
    of the activity to the end of the last that follows), successors (how many follow in all),
    rank_weight (own and direct successors' working days).
    """
    days = table["planned_days"].to_numpy(float)
    bare = Network(
        network.start,
        network.column,
        network.phase,
        network.after,
        ((),) * network.size,
        network.release,
        network.calendar,
        (),
        network.done,
    )
    start, finish, _ = simulate(bare, days[None, :], None)
    earliest, end = np.nan_to_num(start[0], nan=np.inf), np.nan_to_num(finish[0], nan=np.inf)
    span = np.where(np.isfinite(end), end - np.where(np.isfinite(end), earliest, 0.0), 0.0)
    horizon = float(end[np.isfinite(end)].max(initial=network.start))
    latest = table["due"].fillna(horizon).to_numpy(float).copy()
    tail = span.copy()
    following: list[set[int]] = [set() for _ in days]
    weight = days.copy()
    for i in range(network.size - 1, -1, -1):
        for s in network.successors[i]:
            latest[i] = min(latest[i], latest[s] - span[s])
            tail[i] = max(tail[i], span[i] + tail[s])
            following[i] |= {s} | following[s]
            weight[i] += days[s]
    return table.assign(
        earliest_start=earliest,
        latest_start=latest - span,
        latest_finish=latest,
        tail_days=tail,
        successors=[len(f) for f in following],
        rank_weight=weight,
    )


def key_of(network: Network, table: pd.DataFrame, rule: str | Rule) -> list[float] | None:
    """Return the rule's number per activity; what is under way comes first.

    Raises
    ------
    ValueError
        If the rule does not give one number per activity.
    """
    function = RULES[rule] if isinstance(rule, str) else rule
    if function is None:
        return None
    key = np.array(function(timing(network, table)), dtype=float)
    if key.shape != (network.size,) or np.isnan(key).any():
        raise ValueError(f"a rule gives one number per activity ({network.size}), none of them NaN")
    key[table["planned_start"].to_numpy(float) < network.start] = -np.inf
    return [float(value) for value in key]
