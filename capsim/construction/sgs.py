"""The serial scheme of project scheduling, forward and backward in time."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heapify, heappop, heappush

from capsim.construction.calendars import Calendar
from capsim.construction.network import NEVER, Network

Needs = tuple[tuple[int, int], ...]


class Profile:
    """Units left of each renewable resource over time: constant from each of ``at`` to the next."""

    def __init__(self, levels: Sequence[int]):
        self.at = [-math.inf, math.inf]
        self.left = [list(levels), list(levels)]

    def earliest(self, needs: Needs, day: float, length: Callable[[float], float]) -> float:
        """Return the first day from ``day`` on which ``needs`` fit for the time ``length(day)``."""
        at, left = self.at, self.left
        k = bisect_right(at, day) - 1
        while True:
            end = length(day)
            j = k
            while at[j] < end or j == k:
                row = left[j]
                if any(row[r] < units for r, units in needs):
                    break
                j += 1
            else:
                return day
            k = j + 1
            day = at[k]

    def take(self, needs: Needs, start: float, end: float) -> None:
        """Hold ``needs`` from start to end."""
        if end <= start:
            return
        first, last = self._cut(start), self._cut(end)
        for k in range(first, last):
            for r, units in needs:
                self.left[k][r] -= units

    def _cut(self, day: float) -> int:
        k = bisect_left(self.at, day)
        if self.at[k] != day:
            self.at.insert(k, day)
            self.left.insert(k, list(self.left[k - 1]))
        return k


def serial(
    network: Network, days: list[float], key: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Place activities in order of priority, each as early as what is placed allows.

    Consumables are handed out in that order too, each from the earliest releases.
    """
    start, finish = [NEVER] * network.size, [NEVER] * network.size
    profile = Profile([resource.units for resource in network.resources])
    used = [0] * len(network.resources)
    waiting = [len(before) for before in network.after]
    ready = [(key[i], i) for i in range(network.size) if waiting[i] == 0]
    heapify(ready)
    while ready:
        _, i = heappop(ready)
        day = max([network.start, network.release[i], *(finish[b] for b in network.after[i])])
        held = []
        for r, units in network.needs[i]:
            releases = network.resources[r].releases
            if releases is None:
                held.append((r, units))
                continue
            used[r] += units
            day = max(day, _released(releases, used[r]))
        if day < NEVER:
            end = partial(_end, network.calendar[i], days[i])
            needs = tuple(held)
            if needs:
                day = profile.earliest(needs, day, end)
            start[i], finish[i] = day, end(day)
            profile.take(needs, start[i], finish[i])
        for s in network.successors[i]:
            waiting[s] -= 1
            if waiting[s] == 0:
                heappush(ready, (key[s], s))
    return start, finish


def _end(calendar: Calendar | None, work: float, at: float) -> float:
    return at + (work if calendar is None else calendar.span(at, work))


def _released(releases: tuple[tuple[float, int], ...], units: int) -> float:
    total = 0
    for day, amount in releases:
        total += amount
        if total >= units:
            return day
    return NEVER


def backward(network: Network, start: list[float], finish: list[float]) -> list[float]:
    """Return begins when everything is pushed as late as the schedule's end allows.

    Time runs backward, each activity lasts as long as it did, those that finished last go first;
    releases and consumables are left aside.
    """
    profile = Profile([resource.units for resource in network.resources])
    waiting = [len(after) for after in network.successors]
    ready = [(-finish[i], -start[i], -i) for i in range(network.size) if waiting[i] == 0]
    heapify(ready)
    horizon = max(finish)
    begin = [0.0] * network.size
    while ready:
        _, _, i = heappop(ready)
        i = -i
        length = finish[i] - start[i]
        day = max([-horizon, *(-begin[s] for s in network.successors[i])])
        needs = tuple((r, u) for r, u in network.needs[i] if network.resources[r].releases is None)
        if needs:
            end = partial(_end, None, length)
            day = profile.earliest(needs, day, end)
            profile.take(needs, day, day + length)
        begin[i] = -(day + length)
        for b in network.after[i]:
            waiting[b] -= 1
            if waiting[b] == 0:
                heappush(ready, (-finish[b], -start[b], -b))
    return begin
