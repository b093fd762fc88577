"""The programme as SimPy processes: the model that users read and change.

Every run of phases of a project is one process. A phase waits for what comes before it, asks for
its crews, works through its calendar and gives the crews back. What a phase does between the last
of these and the first is one generator function, `work`; `build(processes={"acceptance": mine})`
puts another in its place.

Crews are dispatched by one rule, which the kernel follows. At every moment at which something was
asked for, given back or released, and after everything else of that moment has happened, the
waiting activities are looked at in order of priority and each whose needs fit begins (the parallel
scheme of project scheduling; Kolisch and Hartmann 1999). Activities with the same needs wait in one
line: if the first does not fit, none does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from capsim.construction.calendars import Days
from capsim.construction.network import NEVER, Needs, Network


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
        """Add activity ``i`` to its line."""
        needs = self.needs[i]
        line = self.lines.get(needs)
        if line is None:
            line = self.lines[needs] = []
            for r, _ in needs:
                self.lines_of[r].add(needs)
        heappush(line, (now if self.priority is None else self.priority[i], i))
        self.touched.add(needs)

    def free(self, i: int) -> None:
        """Release what activity ``i`` had taken."""
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


NAN = float("nan")
LAST: Any = 2
"""Priority of the dispatcher among events of one moment: after SimPy's own, 0 and 1."""

Process = Generator[simpy.Event, Any, Any]


@dataclass
class Job:
    """One phase of one project in one replication, as its process sees it.

    Attributes
    ----------
    env : simpy.Environment
        The clock, in days since 1970-01-01.
    column : int
        Column of the project (copy) in the programme's arrays.
    phase : str
    days : float
        Working days drawn for it.
    needs : tuple of (int, int)
        Number of each resource it needs, and units.
    """

    env: simpy.Environment
    column: int
    phase: str
    days: float
    needs: Needs
    _run: _Run = field(repr=False)
    _index: int = field(repr=False)

    def request(self) -> simpy.Event:
        """Request the crews and consumables of the phase; the event comes when all are granted."""
        return self._run.ask(self._index)

    def work(self, days: float) -> simpy.Event:
        """Return the event of ``days`` working days having passed from now."""
        calendar = self._run.network.calendar[self._index]
        return self.env.timeout(days if calendar is None else calendar.span(self.env.now, days))

    def release(self) -> None:
        """Release the crews."""
        self._run.free(self._index)

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers of this phase in this replication, the same in every run of a seed."""
        seed = (*self._run.seed, self._index)
        return np.random.default_rng(np.random.SeedSequence(seed))


def work(job: Job) -> Process:
    """Run a phase: ask for its crews, work the days drawn, give the crews back.

    Examples
    --------
    An acceptance that fails once in five and is then repeated after a month:

    >>> def acceptance(job):
    ...     yield from work(job)
    ...     if job.rng.random() < 0.2:
    ...         yield job.work(30.0)
    ...         yield from work(job)
    >>> from capsim.construction.network import Network
    >>> one = Network(0.0, (0,), ("acceptance",), ((),), ((),), (0.0,), (None,), ())
    >>> days = np.full((1000, 1), 10.0)
    >>> start, finish, cause = simulate(
    ...     one, days, None, processes={"acceptance": acceptance}, seed=1)
    >>> np.unique(finish).tolist()
    [10.0, 50.0]
    >>> bool(abs((finish == 50).mean() - 0.2) < 0.04)
    True
    """
    if job.needs:
        yield job.request()
    yield job.work(job.days)
    if job.needs:
        job.release()


class _Run:
    """One replication."""

    def __init__(
        self,
        network: Network,
        days: list[float],
        priority: list[float] | None,
        processes: Mapping[str, Callable[[Job], Process]],
        seed: tuple[int, ...],
    ):
        self.network, self.seed = network, seed
        self.env = simpy.Environment(initial_time=network.start)
        self.crews = Crews(network, priority)
        self.begun = [NAN] * network.size
        self.finished = [NAN] * network.size
        self.pending: dict[int, simpy.Event] = {}
        self.awake = False
        followed = {b for chain in network.chains for b in network.after[chain[0]]}
        self.done = {i: self.env.event() for i in followed}
        for r, resource in enumerate(network.resources):
            for day, units in resource.releases or ():
                self._deliver(r, day, units)
        for chain in network.chains:
            self.env.process(self._chain(chain, days, processes))
        self.env.run()

    def _deliver(self, r: int, day: float, units: int) -> None:
        def arrive(_: simpy.Event) -> None:
            self.crews.add(r, units)
            self._wake()

        self.env.timeout(max(day - self.env.now, 0.0)).callbacks.append(arrive)

    def _chain(
        self,
        chain: tuple[int, ...],
        days: list[float],
        processes: Mapping[str, Callable[[Job], Process]],
    ) -> Process:
        network, env = self.network, self.env
        before = network.after[chain[0]]
        if before:
            yield env.all_of([self.done[b] for b in before])
        for i in chain:
            delay = network.release[i] - env.now
            if delay == NEVER:
                return
            if delay > 0:
                yield env.timeout(delay)
            if network.done and network.done[i]:
                self.begun[i] = env.now
            else:
                phase, needs = network.phase[i], network.needs[i]
                job = Job(env, network.column[i], phase, days[i], needs, self, i)
                if not needs:
                    self.begun[i] = env.now
                yield from processes.get(phase, work)(job)
            self.finished[i] = env.now
            if i in self.done:
                self.done[i].succeed()

    def ask(self, i: int) -> simpy.Event:
        event = self.env.event()
        if not self.network.needs[i]:
            return event.succeed()
        self.pending[i] = event
        self.crews.ask(i, self.env.now)
        self._wake()
        return event

    def free(self, i: int) -> None:
        if self.network.needs[i]:
            self.crews.free(i)
            self._wake()

    def _wake(self) -> None:
        """Dispatch once, after everything else that happens at this moment."""
        if not self.awake:
            self.awake = True
            event = self.env.event()
            event._ok, event._value = True, None
            event.callbacks.append(self._dispatch)
            self.env.schedule(event, priority=LAST)

    def _dispatch(self, _: simpy.Event) -> None:
        self.awake = False
        for i in self.crews.dispatch():
            if self.begun[i] is NAN:
                self.begun[i] = self.env.now
            self.pending.pop(i).succeed()


def simulate(
    network: Network,
    days: Days,
    priority: list[float] | None,
    *,
    processes: Mapping[str, Callable[[Job], Process]] | None = None,
    seed: int = 0,
) -> tuple[Days, Days, NDArray[np.int16]]:
    """Run every replication through SimPy.

    Parameters
    ----------
    network : Network
    days : float64 ``[replication, activity]``
        Working days of each activity.
    priority : list of float or None
        Per activity, the smaller first; None: first come, first served.
    processes : mapping of str to generator function, optional
        What a phase of that name does instead of `work`.
    seed : int, optional
        For random numbers the processes ask for.

    Returns
    -------
    start, finish : float64 ``[replication, activity]``
        Days since 1970-01-01; NaN where it never happens.
    cause : int16 ``[replication, activity]``
        Resource it last waited for, -1 none.

    Examples
    --------
    >>> from capsim.construction.network import Network, Resource
    >>> two = Network(0.0, (0, 1), ("a", "b"), ((), ()), (((0, 1),),) * 2, (0.0, 0.0), (None, None),
    ...               (Resource("crew", "*", 1),))
    >>> simulate(two, np.array([[3.0, 4.0]]), None)[1].tolist()
    [[3.0, 7.0]]
    """
    start, finish = np.empty(days.shape), np.empty(days.shape)
    cause = np.empty(days.shape, np.int16)
    for k, row in enumerate(days.tolist()):
        run = _Run(network, row, priority, processes or {}, (seed, k))
        start[k], finish[k], cause[k] = run.begun, run.finished, run.crews.cause
    return start, finish, cause
