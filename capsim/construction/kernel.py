"""The same programme without SimPy: whole arrays where nothing is scarce, an event loop where it is.

`simulate` here and `capsim.construction.engine.simulate` give the same dates to the last bit (tested on
random programmes); this one is for thousands of replications.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from capsim.construction.crews import Crews
from capsim.construction.network import NEVER, Network

Days = NDArray[np.float64]


def simulate(
    network: Network, days: Days, priority: list[float] | None
) -> tuple[Days, Days, NDArray[np.int16]]:
    """Run every replication; see `capsim.construction.engine.simulate` for shapes.

    Where no resource is ever over-used when everything begins as soon as it can, that is the
    answer, found for all replications at once; the others go through the event loop.
    """
    start, finish = _unlimited(network, days)
    cause = np.full(days.shape, -1, np.int16)
    if any(network.needs):
        for k in np.flatnonzero(_short(network, start, finish)):
            start[k], finish[k], cause[k] = _events(network, days[k].tolist(), priority)
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
    """Return the replications in which some resource is asked for more than there is."""
    short = np.zeros(len(start), bool)
    for r, resource in enumerate(network.resources):
        users = [(i, units) for i, needs in enumerate(network.needs) for q, units in needs if q == r]
        users = [(i, units) for i, units in users if np.isfinite(finish[0, i])]
        if not users:
            continue
        index = [i for i, _ in users]
        # work of no days takes and gives at one moment, which sums cannot see
        short |= (start[:, index] == finish[:, index]).any(axis=1)
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
        short |= level.min(axis=1) < 0
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
    queue: list[tuple[float, int, int]] = []  # (day, kind, number); kinds: ask, free, release r

    def proceed(stack: list[int]) -> None:
        while stack:
            i = stack.pop()
            day = ready[i]
            delay = release[i] - day
            if delay == NEVER:
                continue
            if delay > 0:
                day = day + delay
            if needs[i]:
                heappush(queue, (day, 0, i))
                continue
            start[i] = day
            complete(i, stack)

    def complete(i: int, stack: list[int]) -> None:
        day, plan = start[i], calendar[i]
        end = finish[i] = day + (days[i] if plan is None else plan.span(day, days[i]))
        for s in successors[i]:
            if end > ready[s]:
                ready[s] = end
            waiting[s] -= 1
            if waiting[s] == 0:
                stack.append(s)

    for r, resource in enumerate(network.resources):
        for day, units in resource.releases or ():
            heappush(queue, (network.start + max(day - network.start, 0.0), 1 + units, -1 - r))
    proceed([i for i in range(size) if not after[i]])
    while queue:
        now = queue[0][0]
        while queue and queue[0][0] == now:
            _, kind, i = heappop(queue)
            if kind == 0:
                crews.ask(i, now)
            elif i < 0:
                crews.add(-1 - i, kind - 1)
            else:
                crews.free(i)
        for i in crews.dispatch():
            start[i] = now
            stack: list[int] = []
            complete(i, stack)
            heappush(queue, (finish[i], 1, i))
            proceed(stack)
    return start, finish, crews.cause
