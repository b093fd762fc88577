"""Who gets the crews: the dispatching rule of the SimPy model, which the kernel follows.

At every moment at which something was asked for, given back or released, and after everything else
of that moment has happened, the waiting activities are looked at in order of priority and each
whose needs fit begins (the parallel scheme of project scheduling; Kolisch and Hartmann 1999).
Activities with the same needs wait in one line: if the first does not fit, none does.
"""

from __future__ import annotations

from heapq import heappop, heappush

from capsim.construction.network import Needs, Network


class Crews:
    """Levels of all resources in one replication and the activities that wait for them.

    Parameters
    ----------
    network : Network
    priority : sequence of float, or None
        Per activity, the smaller first; ties by number. None: first come, first served.

    Examples
    --------
    >>> from capsim.construction.network import Needs, Network, Resource
    >>> two = Network(0.0, (0, 1), ("a", "b"), ((), ()), (((0, 1),),) * 2, (0.0, 0.0), (None, None),
    ...               (Resource("crew", "*", 1),))
    >>> crews = Crews(two, [2.0, 1.0])
    >>> crews.ask(0, 0.0); crews.ask(1, 0.0); crews.dispatch()
    [1]
    >>> crews.free(1); crews.dispatch()
    [0]
    """

    def __init__(self, network: Network, priority: list[float] | None):
        self.level = [resource.units for resource in network.resources]
        self.renewable = [resource.releases is None for resource in network.resources]
        self.needs = network.needs
        self.priority = priority
        self.lines: dict[Needs, list[tuple[float, int]]] = {}
        self.lacking: dict[Needs, int] = {}
        self.lines_of: list[set[Needs]] = [set() for _ in self.level]
        self.touched: set[Needs] = set()
        self.cause = [-1] * network.size

    def ask(self, i: int, now: float) -> None:
        """Put activity ``i`` in its line."""
        needs = self.needs[i]
        line = self.lines.get(needs)
        if line is None:
            line = self.lines[needs] = []
            for r, _ in needs:
                self.lines_of[r].add(needs)
        heappush(line, (now if self.priority is None else self.priority[i], i))
        self.touched.add(needs)

    def free(self, i: int) -> None:
        """Give back what activity ``i`` had taken."""
        for r, units in self.needs[i]:
            if self.renewable[r]:
                self.add(r, units)

    def add(self, r: int, units: int) -> None:
        """Raise the level of a resource."""
        self.level[r] += units
        for needs in self.lines_of[r]:
            if self.lines[needs]:
                self.touched.add(needs)

    def dispatch(self) -> list[int]:
        """Return the activities that begin now, in order of priority; their needs are taken."""
        level, granted = self.level, list[int]()
        if not self.touched:
            return granted
        heads = [(self.lines[needs][0], needs) for needs in self.touched if self.lines[needs]]
        self.touched = set()
        if len(heads) > 1:
            heads.sort()
        while heads:
            (_, i), needs = heads[0]
            lacks = next((r for r, units in needs if level[r] < units), -1)
            if lacks >= 0:
                self.lacking[needs] = lacks
                del heads[0]
                continue
            for r, units in needs:
                level[r] -= units
            line = self.lines[needs]
            heappop(line)
            granted.append(i)
            self.cause[i] = self.lacking.get(needs, -1)
            if not line:
                self.lacking.pop(needs, None)
                del heads[0]
            elif len(heads) == 1:
                heads[0] = (line[0], needs)
            else:
                heads[0] = (line[0], needs)
                heads.sort()
        return granted
