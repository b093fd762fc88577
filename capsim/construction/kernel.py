"""The programme without SimPy: whole arrays where nothing is scarce, else an event loop.

`simulate` here and `capsim.construction.engine.simulate` give the same dates to the last bit
(tested on random programmes); this one is for thousands of replications.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from capsim.construction import lockstep
from capsim.construction.crews import Crews
from capsim.construction.network import NEVER, Network

Days = NDArray[np.float64]
LOCKSTEP_RUNS, LOCKSTEP_SIZE = 100, 120
"""From so many replications and up to so many activities, all replications go step by step."""


def simulate(
    network: Network, days: Days, priority: list[float] | None
) -> tuple[Days, Days, NDArray[np.int16]]:
    """Run every replication; see `capsim.construction.engine.simulate` for shapes.

    Where no resource is ever over-used when everything begins as soon as it can, that is the
    answer, found for all replications at once. Elsewhere the event loop runs, for each part of the
    network that has nothing to do with the rest (as a rule a county), and only if it is short.
    """
    start, finish = _unlimited(network, days)
    cause = np.full(days.shape, -1, np.int16)
    if any(network.needs):
        short = _short(network, start, finish)
        for whole in network.parts:
            activities = [i for i in whole if not (network.done and network.done[i])]
            used = {r for i in activities for r, _ in network.needs[i]}
            rows = np.flatnonzero(short[:, sorted(used)].any(axis=1))
            if not len(rows):
                continue
            part, at = network.part(activities), np.array(activities)
            key = None if priority is None else [priority[i] for i in activities]
            block = np.ix_(rows, at)
            if len(rows) >= LOCKSTEP_RUNS and part.size <= LOCKSTEP_SIZE:
                start[block], finish[block], cause[block] = lockstep.simulate(
                    part, days[block], key
                )
            else:
                each = [_events(part, row, key) for row in days[block].tolist()]
                start[block], finish[block], cause[block] = map(np.array, zip(*each, strict=True))
    start[~np.isfinite(finish)] = np.nan
    finish[~np.isfinite(finish)] = np.nan
    return start, finish, cause


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
    """Say where ``[replication, resource]`` more is asked for than there is."""
    short = np.zeros((len(start), len(network.resources)), bool)
    for r, resource in enumerate(network.resources):
        users = [
            (i, units) for i, needs in enumerate(network.needs) for q, units in needs if q == r
        ]
        users = [(i, units) for i, units in users if np.isfinite(finish[0, i])]
        if not users:
            continue
        index = [i for i, _ in users]
        # work of no days takes and gives at one moment, which sums cannot see
        short[:, r] = (start[:, index] == finish[:, index]).any(axis=1)
        units = np.array([u for _, u in users])
        times, change = [start[:, index]], [np.tile(-units, (len(start), 1))]
        if resource.releases is None:
            times.append(finish[:, index])
            change.append(np.tile(units, (len(start), 1)))
        for day, amount in resource.releases or ():
            times.append(np.full((len(start), 1), max(day, network.start)))
            change.append(np.full((len(start), 1), amount))
        time, delta = np.hstack(times), np.hstack(change)
        # at one moment, what comes back comes first: the dispatcher waits for all of it
        order = np.lexsort((-delta, time), axis=1)
        level = resource.units + np.cumsum(np.take_along_axis(delta, order, 1), axis=1)
        short[:, r] |= level.min(axis=1) < 0
    return short


def _events(
    network: Network, days: list[float], priority: list[float] | None
) -> tuple[list[float], list[float], list[int]]:
    """Run one replication; only activities with needs pass through the queue of events."""
    size = network.size
    after, successors, needs = network.after, network.successors, network.needs
    release, calendar = network.release, network.calendar
    crews = Crews(network, priority)
    start, finish, ready = [NEVER] * size, [NEVER] * size, [network.start] * size
    waiting = [len(before) for before in after]
    later: list[tuple[float, int]] = []  # need nothing: day and number
    queue: list[tuple[float, int, int]] = []  # (day, kind, number); kinds: ask, free, release r

    def begin(i: int, day: float) -> None:
        """Begin an activity, and after it what needs nothing."""
        start[i] = day
        plan = calendar[i]
        end = finish[i] = day + (days[i] if plan is None else plan.span(day, days[i]))
        if needs[i]:
            heappush(queue, (end, 1, i))
        for s in successors[i]:
            if end > ready[s]:
                ready[s] = end
            waiting[s] -= 1
            if waiting[s] == 0:
                follow(s)

    def follow(i: int) -> None:
        """All that activity ``i`` waits for has finished."""
        day = ready[i]
        if release[i] > day:
            if release[i] == NEVER:
                return
            day = day + (release[i] - day)
        if needs[i]:
            heappush(queue, (day, 0, i))
        else:
            later.append((day, i))

    for r, resource in enumerate(network.resources):
        for day, units in resource.releases or ():
            heappush(queue, (network.start + max(day - network.start, 0.0), 1 + units, -1 - r))
    for i in range(size):
        if not after[i]:
            follow(i)
    while queue or later:
        if later:
            day, i = later.pop()
            begin(i, day)
            continue
        now, kind, i = heappop(queue)
        alone = not queue or queue[0][0] != now
        if alone and kind == 0 and crews.take(i):
            begun = [i]
        else:
            while True:
                if kind == 0:
                    crews.ask(i, now)
                elif i < 0:
                    crews.add(-1 - i, kind - 1)
                else:
                    crews.free(i)
                if not queue or queue[0][0] != now:
                    break
                _, kind, i = heappop(queue)
            begun = crews.dispatch()
        for i in begun:
            begin(i, now)
    return start, finish, crews.cause
