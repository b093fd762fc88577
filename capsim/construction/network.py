"""The building programme as arrays: activities, what each waits for and what each needs.

An *activity* is one phase of one copy of one project. Time is days since 1970-01-01. A `Network`
is independent of scenarios: `capsim.construction.projects` makes one from the tables, tests and
users may make their own. Activities stand in an order in which every predecessor comes before its
successors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from capsim.construction.calendars import Calendar, Days

NEVER = float("inf")
Needs = tuple[tuple[int, int], ...]
"""Resources, by number, and the units of each."""


@dataclass(frozen=True)
class Resource:
    """Something activities need: crews of a county, inspectors, money released by date.

    Attributes
    ----------
    name, county : str
        ``county`` is ``*`` where all counties share it.
    units : int
        Units there are from the start; for a consumable 0.
    releases : tuple of (float, int), optional
        Day and units of each release of a consumable; None: renewable, units come back at the end
        of an activity.
    """

    name: str
    county: str
    units: int
    releases: tuple[tuple[float, int], ...] | None = None


@dataclass(frozen=True)
class Network:
    """Activities, precedence and resources of a programme.

    Attributes
    ----------
    start : float
        Day from which time runs; nothing happens before it.
    column : tuple of int
        Per activity: the column (copy of a project) it belongs to.
    phase : tuple of str
        Per activity: name of its phase.
    after : tuple of tuple of int
        Per activity: activities that must have finished, all of a lower index.
    needs : tuple of tuple of (int, int)
        Per activity: resource and units, taken while it runs (consumed at its begin if consumable).
    release : tuple of float
        Per activity: day before which it does not begin; ``inf`` never.
    calendar : tuple of (Calendar or None)
        Per activity.
    resources : tuple of Resource
    done : tuple of bool, optional
        Per activity: it is over before time starts (its process never runs).

    Raises
    ------
    ValueError
        If an activity comes before one it waits for, or needs more of a renewable resource than
        there is (it could never begin).

    Examples
    --------
    >>> chain = Network(0.0, (0, 0), ("build", "equip"), ((), (0,)), ((), ()), (0.0, 0.0),
    ...                 (None, None), ())
    >>> chain.chains
    ((0, 1),)
    """

    start: float
    column: tuple[int, ...]
    phase: tuple[str, ...]
    after: tuple[tuple[int, ...], ...]
    needs: tuple[Needs, ...]
    release: tuple[float, ...]
    calendar: tuple[Calendar | None, ...]
    resources: tuple[Resource, ...]
    done: tuple[bool, ...] = ()
    successors: tuple[tuple[int, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        successors: list[list[int]] = [[] for _ in self.phase]
        for i, before in enumerate(self.after):
            for b in before:
                if b >= i:
                    raise ValueError(f"activity {i} ({self.phase[i]}) stands before activity {b}")
                successors[b].append(i)
        for i, needs in enumerate(self.needs):
            for r, units in needs:
                resource = self.resources[r]
                if resource.releases is None and units > resource.units:
                    raise ValueError(
                        f"phase {self.phase[i]!r} needs {units} of {resource.name!r} in county "
                        f"{resource.county!r}, which has {resource.units}: it could never begin"
                    )
        object.__setattr__(self, "successors", tuple(map(tuple, successors)))

    @property
    def size(self) -> int:
        """Number of activities."""
        return len(self.phase)

    @cached_property
    def chains(self) -> tuple[tuple[int, ...], ...]:
        """Activities in runs that follow each other directly: each run is one SimPy process."""
        following: dict[int, int] = {}
        inner = set()
        for i, before in enumerate(self.after):
            if len(before) == 1 and before[0] not in following:
                following[before[0]] = i
                inner.add(i)
        chains = []
        for i in range(self.size):
            if i in inner:
                continue
            chain = [i]
            while chain[-1] in following:
                chain.append(following[chain[-1]])
            chains.append(tuple(chain))
        return tuple(chains)

    @cached_property
    def parts(self) -> tuple[tuple[int, ...], ...]:
        """Activities that have to do with each other, through precedence or resources."""
        links = [(i, b) for i, before in enumerate(self.after) for b in before]
        links += [(i, self.size + r) for i, needs in enumerate(self.needs) for r, _ in needs]
        total = self.size + len(self.resources)
        a, b = np.array(links, dtype=int).reshape(-1, 2).T
        graph = coo_array((np.ones(len(a)), (a, b)), shape=(total, total))
        label = connected_components(graph, directed=False)[1][: self.size]
        order = np.argsort(label, kind="stable")
        cuts = np.flatnonzero(np.diff(label[order])) + 1
        return tuple(tuple(int(i) for i in part) for part in np.split(order, cuts) if len(part))

    def part(self, activities: Sequence[int]) -> Network:
        """Return the network of some activities; those they wait for outside of it are over."""
        place = {i: k for k, i in enumerate(activities)}

        def of(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(values[i] for i in activities)

        after = tuple(tuple(place[b] for b in self.after[i] if b in place) for i in activities)
        return Network(
            self.start, of(self.column), of(self.phase), after, of(self.needs), of(self.release),
            of(self.calendar), self.resources,
        )  # fmt: skip

    def ready(self, finish: Days) -> Days:
        """Return when each activity could begin, shape of ``finish`` ``[replication, activity]``.

        What it waits for has finished and its release has come; only resources can hold it then.
        """
        ready = np.full(finish.shape, self.start)
        for i, before in enumerate(self.after):
            for b in before:
                np.maximum(ready[:, i], finish[:, b], out=ready[:, i])
            ready[:, i] += np.maximum(self.release[i] - ready[:, i], 0.0)
        return ready


def topological(after: Sequence[Sequence[int]]) -> list[int]:
    """Return the activities in an order in which each follows what it waits for.

    Raises
    ------
    ValueError
        If activities wait for each other in a circle; its message names their numbers.

    Examples
    --------
    >>> topological([[1], [], [0, 1]])
    [1, 0, 2]
    """
    waiting = [len(before) for before in after]
    successors: list[list[int]] = [[] for _ in after]
    for i, before in enumerate(after):
        for b in before:
            successors[b].append(i)
    order = [i for i, count in enumerate(waiting) if count == 0]
    for i in order:
        for s in successors[i]:
            waiting[s] -= 1
            if waiting[s] == 0:
                order.append(s)
    if len(order) < len(after):
        circle = sorted(set(range(len(after))) - set(order))
        raise ValueError(f"these wait for each other in a circle: {circle}")
    return order
