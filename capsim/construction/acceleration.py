"""Acceleration: which projects to hurry so that more of a programme is in use by its date.

A project may have options (table ``phases``): crews from elsewhere, two shifts, approvals ahead of
others. Each is tried in the simulation of all that shares its crews, since a project that is
hurried gives its crew to the next one sooner. The option with most projects gained a RMB is bought
first, then the next, each judged with those before it; a gain is looked at again only where it may
be the best. What a number of them brings is judged by draws of their own, in which crews that
counties share are short too.

Source of method: time-cost trade-off of projects, J. E. Kelley, Critical-path planning and
scheduling, Operations Research 9 (1961) 296-320; M. Minoux, Accelerated greedy algorithms for
maximizing submodular set functions (1978) 234-243.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from capsim.construction import kernel
from capsim.construction.baseline_schedule import Draft, hurried, usual_draft
from capsim.construction.calendars import Days, to_day, to_iso
from capsim.construction.kernel import key_of
from capsim.construction.programme_simulation import opening_of, sample
from capsim.construction.projects import Dates, Option, Stock, listed, options
from capsim.scenario.faults import nearest
from capsim.scenario.scenario import Scenario

Way = tuple[Option, ...]
"""Options of one project, no two of them for the same phase."""
NEARLY = 0.1
"""Of a project in time, what one that is hardly late counts in the choice."""
NEARLY_DAYS = 120.0
"""Days late from which on that is nothing."""
LEAST_GAIN = 0.01
"""Projects in time that an option must bring, in the mean."""
POINTS = 10
"""Numbers of options at which the curve is drawn, beside none."""
SEARCH_DRAWS = 50
"""Replications in which options are tried."""


@dataclass(frozen=True, eq=False)
class Acceleration:
    """What it takes to have more projects of a programme in use by its date.

    Attributes
    ----------
    scenario : Scenario
    programme : str
    by : str
        ISO date.
    required : int
        Projects that the programme asks for.
    probability : float
        With which a number is called sure.
    measures : DataFrame
        Options in the order in which they are worth buying: project, county, options (all of the
        project's, ``;`` between), cost_cny (more than before), gained (projects in use by the date,
        in the mean), total_cny (of all up to this one).
    curve : DataFrame
        measures (how many are bought), projects (hurried), cost_cny, expected, p05, p95 (projects
        in use by the date), sure (in use with the probability at least), reached (probability of
        ``required``). The first row is without any.
    """

    scenario: Scenario
    programme: str
    by: str
    required: int
    probability: float
    measures: pd.DataFrame
    curve: pd.DataFrame

    def enough(self, number: int) -> dict[str, float] | None:
        """Return the cheapest row of the curve that is sure of a number; None if there is none."""
        rows = self.curve[self.curve["sure"] >= number].to_dict("records")
        return {str(key): float(value) for key, value in rows[0].items()} if rows else None

    def hurried(self, number: int) -> Scenario:
        """Return the scenario with options bought that make a number sure; see `with_options`.

        Raises
        ------
        ValueError
            If no number of options does.
        """
        row = self.enough(number)
        if row is None:
            raise ValueError(
                f"{number} projects of {self.programme} by {self.by} cannot be had in "
                f"{100 * self.probability:.4g} % of futures: {self.curve['sure'].max()} at most"
            )
        return with_options(self.scenario, self.bought(int(row["measures"])))

    def bought(self, measures: int) -> dict[str, str]:
        """Return the options of each project with so many of the measures bought."""
        first = self.measures.head(measures)
        return dict(zip(first["project"], first["options"], strict=True))


def with_options(scenario: Scenario, bought: Mapping[str, str]) -> Scenario:
    """Return the scenario in which projects are hurried, at the cost of their options.

    Parameters
    ----------
    scenario : Scenario
    bought : mapping of project to text
        Names of all its options, ``;`` between. What those cost that it did not have is added to
        ``capital_cny``.

    Raises
    ------
    ValueError
        If a project is unknown, has no such option, or two of them are for the same phase.
    """
    projects = scenario.table("projects")
    first = projects.drop_duplicates("project")
    kinds = dict(zip(first["project"], first["kind"], strict=True))
    for name in bought:
        if name not in kinds:
            raise ValueError(f"no project {name!r}: {nearest(name, kinds)} is expected")
    known = options(scenario, {name: kinds[name] for name in bought})
    for name, text in bought.items():
        mine = projects["project"] == name
        before = _way(name, listed(projects.loc[mine, "options"].iloc[0]), known[name])
        after = _way(name, listed(text), known[name])
        usual = projects.loc[mine, "capital_cny"] / (1 + _share(before))
        projects.loc[mine, "capital_cny"] = (usual * (1 + _share(after))).round(2)
        projects.loc[mine, "options"] = ";".join(option.name for option in after)
    return scenario.variant(tables={"projects": projects})


def _way(project: str, names: Sequence[str], known: Mapping[str, Option]) -> Way:
    """Find options by their names.

    Raises
    ------
    ValueError
        If one is unknown, or two are for the same phase.
    """
    for name in names:
        if name not in known:
            expected = f"{nearest(name, known)} is expected" if known else "it has no options"
            raise ValueError(f"project {project!r} has no option {name!r}: {expected}")
    way = tuple(known[name] for name in dict.fromkeys(names))
    if not _fits(way):
        raise ValueError(f"project {project!r}: options {';'.join(names)} are for the same phase")
    return way


def _fits(way: Way) -> bool:
    names = [phase.name for option in way for phase in option.phases]
    return len(names) == len(set(names))


def _share(way: Way) -> float:
    return sum(option.cost_share for option in way)


@dataclass(frozen=True, eq=False)
class Trials:
    """A programme, or a part of it, to be simulated with one option and another.

    Attributes
    ----------
    draft : Draft
        Without any option.
    days : float64 ``[replication, activity]``
        Of the usual phases.
    sampled : callable
        Draws the days of some activities of a draft, ``[replication, activity]``.
    ways : dict of str to tuple of Way
        Those in which each project can be built, by cost; the first is the one that it has.
    """

    draft: Draft
    days: Days
    sampled: Callable[[Draft, Sequence[int]], Days]
    ways: dict[str, tuple[Way, ...]]

    @cached_property
    def key(self) -> list[float] | None:
        """Priority of activities; options do not move it."""
        return key_of(self.draft.network, self.draft.table, "due_date")

    @cached_property
    def columns_of(self) -> dict[str, list[int]]:
        """Columns of each project."""
        out: dict[str, list[int]] = {}
        for i, column in enumerate(self.draft.columns):
            out.setdefault(column.project, []).append(i)
        return out

    def cost_cny(self, project: str, way: Way) -> float:
        """Return what a way costs more than the one that a project has."""
        had = _share(self.ways[project][0])
        capital = sum(self.draft.columns[i].capital_cny for i in self.columns_of[project])
        return capital * (_share(way) - had) / (1 + had)

    def dates(
        self, bought: Mapping[str, Way], earlier: Mapping[str, float] | None = None
    ) -> tuple[Days, Days]:
        """Simulate with options bought; projects without any are built in the way that they have.

        Parameters
        ----------
        bought : mapping of project to Way
        earlier : mapping of project to float, optional
            Days by which what has not begun begins earlier.

        Returns
        -------
        start : array [replication, activity]
        opening : array [replication, column]
            Infinite for never.
        """
        names = [column.project for column in self.draft.columns]
        ways = {i: bought.get(name, self.ways[name][0]) for i, name in enumerate(names)}
        one = hurried(self.draft, ways)
        pairs = enumerate(zip(one.phases, self.draft.phases, strict=True))
        changed = [i for i, (phase, usual) in pairs if phase is not usual]
        days = self.days
        if changed:
            days = days.copy()
            days[:, changed] = self.sampled(one, changed)
        network = one.network
        if earlier:
            sooner = [earlier.get(names[column], 0.0) for column in network.column]
            release = np.maximum(np.array(network.release) - sooner, network.start)
            network = replace(network, release=tuple(release.tolist()))
        start, finish, _ = kernel.simulate(network, days, self.key)
        return start, np.nan_to_num(opening_of(one, finish), nan=np.inf)

    def part(self, columns: Sequence[int]) -> Trials:
        """Return the part of some columns."""
        mine = np.flatnonzero(np.isin(self.draft.network.column, columns))
        names = dict.fromkeys(self.draft.columns[i].project for i in columns)
        ways = {name: self.ways[name] for name in names}
        return Trials(self.draft.part(columns), self.days[:, mine], self.sampled, ways)

    @cached_property
    def sharing(self) -> list[int]:
        """Columns that use what all counties share, as they are built now."""
        resources = self.draft.stock.resources
        names = [column.project for column in self.draft.columns]
        now = hurried(self.draft, {i: self.ways[name][0] for i, name in enumerate(names)})
        out = set()
        for i, needs in zip(now.network.column, now.network.needs, strict=True):
            if any(resources[r].county == "*" for r, _ in needs):
                out.add(i)
        return sorted(out)

    def around(self, columns: Sequence[int]) -> Trials:
        """Return the part of some columns, and of all that use what counties share."""
        return self.part(sorted({*columns, *self.sharing}))

    def together(self) -> list[list[int]]:
        """Group columns by what they wait for, crews that all counties share left aside."""
        network, columns, stock = self.draft.network, self.draft.columns, self.draft.stock
        size = len(columns)
        of = network.column
        links = [(of[i], of[b]) for i, before in enumerate(network.after) for b in before]
        links += [(i, own[0]) for own in self.columns_of.values() for i in own]
        needed = {(of[i], r) for i, needs in enumerate(network.needs) for r, _ in needs}
        for i, column in enumerate(columns):
            phases = (p for way in self.ways[column.project] for one in way for p in one.phases)
            found = {stock.find(name, column.county) for p in phases for name, _ in p.needs}
            needed |= {(i, r) for r in found if r is not None}
        links += [(i, size + r) for i, r in needed if stock.resources[r].county != "*"]
        total = size + len(stock.resources)
        a, b = np.array(links, dtype=int).reshape(-1, 2).T
        graph = coo_array((np.ones(len(a)), (a, b)), shape=(total, total))
        label = connected_components(graph, directed=False)[1][:size]
        return [np.flatnonzero(label == group).tolist() for group in np.unique(label)]


def trials(
    scenario: Scenario, planned: Mapping[str, Dates] | None, replications: int, seed: int
) -> Trials:
    """Make ready to try options; see `capsim.build` for the arguments."""
    whole = usual_draft(scenario, planned=planned)
    known = options(scenario, {column.project: column.kind for column in whole.columns})
    shock_sd = float(scenario.settings.construction.shock_sd)

    def sampled(one: Draft, only: Sequence[int]) -> Days:
        return sample(one, replications, seed, shock_sd, only)

    left: dict[str, set[str]] = {}
    for phase, column, part in zip(whole.phases, whole.network.column, whole.left, strict=True):
        if part > 0:
            left.setdefault(whole.columns[column].project, set()).add(phase.name)
    ways = {}
    for one in whole.columns:
        own = known[one.project]
        had = _way(one.project, one.options, own)
        can = [option for option in own.values() if _can_be_had(option, one.county, whole.stock)]
        ways[one.project] = _ways(had, can, left.get(one.project, set()))
    return Trials(whole, sampled(whole, range(whole.network.size)), sampled, ways)


def _can_be_had(option: Option, county: str, stock: Stock) -> bool:
    """Return whether a county has what an option needs."""
    for name, units in (need for phase in option.phases for need in phase.needs):
        at = stock.find(name, county)
        if at is None:
            return False
        resource = stock.resources[at]
        if resource.releases is None and resource.units < units:
            return False
    return True


def _ways(had: Way, known: Iterable[Option], left: set[str]) -> tuple[Way, ...]:
    """Return the ways of a project: what it has, and by cost dearer ones for phases to come.

    What it has may be given back for what takes its place.
    """
    open_now = [one for one in known if left & {phase.name for phase in one.phases}]
    kept = tuple(one for one in had if one not in open_now)
    sets = (kept + own for size in range(len(open_now) + 1) for own in combinations(open_now, size))
    dearer = (way for way in filter(_fits, sets) if _share(way) >= _share(had))
    others = (way for way in dearer if set(way) != set(had))
    return (had, *sorted(others, key=_share))


@dataclass(frozen=True, eq=False)
class _Measure:
    """One step of the search in a part."""

    project: str
    county: str
    way: Way
    cost_cny: float
    gained: float


@dataclass(frozen=True)
class _Block:
    """Steps of a part that are worth buying together: each block gains less a RMB than the last."""

    steps: tuple[_Measure, ...]

    @property
    def ratio(self) -> float:
        cost = sum(step.cost_cny for step in self.steps)
        return sum(step.gained for step in self.steps) / max(cost, 1.0)


def _pooled(steps: Iterable[_Measure]) -> list[_Block]:
    """Pool steps until gains a RMB fall, so that the parts' steps can be put in one order."""
    out: list[_Block] = []
    for step in steps:
        block = _Block((step,))
        while out and out[-1].ratio <= block.ratio:
            block = _Block(out.pop().steps + block.steps)
        out.append(block)
    return out


def _greedy(part: Trials, counted: Container[str], by: float) -> Iterator[_Measure]:
    """Buy options of a part one by one, each time the one that brings most projects a RMB."""
    names = [column.project for column in part.draft.columns]
    mine = [i for i, name in enumerate(names) if name in counted]
    county = {column.project: column.county for column in part.draft.columns}

    def reached(bought: Mapping[str, Way]) -> tuple[float, float]:
        """Return projects in time, in the mean, and that with those nearly in time."""
        late = part.dates(bought)[1][:, mine] - by
        in_time = float((late <= 0).mean(axis=0).sum())
        nearly = np.clip(1 - late / NEARLY_DAYS, 0.0, 1.0)
        return in_time, in_time + NEARLY * float((nearly * (late > 0)).mean(axis=0).sum())

    if not mine:
        return
    at = dict.fromkeys(part.ways, 0)
    bought: dict[str, Way] = {}
    now, done = reached(bought), 0
    heap = [(-np.inf, -1, name, k) for name in at for k in range(1, len(part.ways[name]))]
    heapq.heapify(heap)
    while heap:
        _, tried, project, k = heapq.heappop(heap)
        if k <= at[project]:
            continue
        ways = part.ways[project]
        cost = part.cost_cny(project, ways[k]) - part.cost_cny(project, ways[at[project]])
        then = reached({**bought, project: ways[k]})
        if tried < done:
            gain = then[1] - now[1]
            if gain >= LEAST_GAIN:
                heapq.heappush(heap, (-gain / max(cost, 1.0), done, project, k))
            continue
        yield _Measure(project, county[project], ways[k], cost, then[0] - now[0])
        bought[project], at[project] = ways[k], k
        now, done = then, done + 1


def accelerate(
    scenario: Scenario,
    programme: str | None = None,
    probability: float | None = None,
    numbers: Sequence[int] = (),
    *,
    planned: Mapping[str, Dates] | None = None,
    replications: int = 1000,
    seed: int = 0,
    progress: Callable[[str], None] = lambda phase: None,
) -> Acceleration:
    """Find which projects of a programme to hurry, and how many are then in use by its date.

    Parameters
    ----------
    scenario : Scenario
    programme : str, optional
        Default: the only one of the settings.
    probability : float, optional
        With which a number shall be reached; default: that of ``[reliability]``.
    numbers : sequence of int
        For which, as for what the programme asks for, the fewest options are found that are sure
        of them.
    planned : mapping, optional
        Openings, as for `capsim.build`; default: what is ordered or under way, by its due date.
    replications : int
        By which the curve is judged.
    seed : int
    progress : callable, optional

    Returns
    -------
    Acceleration

    Raises
    ------
    ValueError
        If there is no such programme, or the probability is not between 0 and 1.

    Notes
    -----
    The order is good, not proved to be the cheapest.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 20_000, seed=3)
    >>> found = accelerate(city, "build", 0.9, replications=50)
    >>> bool(found.curve["expected"].iloc[-1] >= found.curve["expected"].iloc[0])
    True
    """
    known = scenario.settings.programmes
    name = next(iter(known)) if programme is None and len(known) == 1 else programme
    if name is None or name not in known:
        raise ValueError(f"no programme {name!r}: {nearest(str(name), known)} is expected")
    asked = scenario.settings.reliability.probability if probability is None else probability
    if not 0 < asked < 1:
        raise ValueError(f"probability must be between 0 and 1, not {asked}")
    by = to_day(known[name].by.isoformat())
    projects = scenario.table("projects")
    counted = set(projects.loc[projects["programme"] == name, "project"])
    searched = trials(scenario, planned, SEARCH_DRAWS, seed + 1)
    groups = [
        columns
        for columns in searched.together()
        if any(searched.draft.columns[i].project in counted for i in columns)
    ]
    blocks: list[_Block] = []
    for number, columns in enumerate(groups):
        progress(f"hurrying: {name}, {number} of {len(groups)} counties")
        blocks += _pooled(_greedy(searched.part(columns), counted, by))
    blocks.sort(key=lambda block: -block.ratio)
    steps = [step for block in blocks for step in block.steps]
    everything = trials(scenario, planned, replications, seed)
    judged = everything.around([i for columns in groups for i in columns])
    mine = [i for i, column in enumerate(judged.draft.columns) if column.project in counted]
    rows: dict[int, dict[str, float]] = {}

    def judge(size: int) -> int:
        """Judge the first measures, once; return how many projects they are sure of."""
        if size in rows:
            return int(rows[size]["sure"])
        progress(f"hurrying: {name}, judging {size} of {len(steps)} options")
        bought = {step.project: step.way for step in steps[:size]}
        in_use = (judged.dates(bought)[1][:, mine] <= by).sum(axis=1)
        low, sure, high = np.quantile(in_use, (0.05, 1 - asked, 0.95), method="lower")
        rows[size] = {
            "measures": size,
            "projects": len(bought),
            "cost_cny": float(sum(step.cost_cny for step in steps[:size])),
            "expected": in_use.mean(),
            "p05": int(low),
            "p95": int(high),
            "sure": int(sure),
            "reached": (in_use >= known[name].number).mean(),
        }
        return int(sure)

    for k in range(POINTS + 1):
        judge(round(len(steps) * k / POINTS))
    for wanted in (*numbers, known[name].number):
        enough = [size for size in sorted(rows) if rows[size]["sure"] >= wanted]
        fewer = [size for size in rows if enough and size < enough[0]]
        if fewer:
            low_size, high_size = max(fewer), enough[0]
            while high_size - low_size > 1:
                middle = (low_size + high_size) // 2
                low_size, high_size = (
                    (low_size, middle) if judge(middle) >= wanted else (middle, high_size)
                )
    measures = pd.DataFrame(
        [
            (
                step.project,
                step.county,
                ";".join(option.name for option in step.way),
                step.cost_cny,
                step.gained,
            )
            for step in steps
        ],
        columns=["project", "county", "options", "cost_cny", "gained"],
    )
    return Acceleration(
        scenario=scenario,
        programme=name,
        by=to_iso(by),
        required=known[name].number,
        probability=asked,
        measures=measures.assign(total_cny=measures["cost_cny"].astype(float).cumsum()),
        curve=pd.DataFrame([rows[size] for size in sorted(rows)]),
    )


def has_options(scenario: Scenario) -> bool:
    """Return whether any project can be hurried."""
    return scenario.has("phases") and bool((scenario.table("phases")["option"] != "").any())
