"""Lay out a programme: its activities, what they wait for and need, and where each stands today.

A plan says when a school opens. Its phases are laid backward from that date, on their own
calendars, at their planned (modal) durations. Where the day it began is known and past, the phases
share the time from then to the planned opening in proportion instead. What lies before today is
done, the phase under way is left with the part the schedule has ahead of it, and only what is left
is drawn. An option to hurry leaves the schedule as it is, and changes what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capsim.construction.calendars import MONTH_DAYS, Calendar, Days, to_day
from capsim.construction.durations import IN_USE, Phase
from capsim.construction.network import NEVER, Needs, Network, topological
from capsim.construction.projects import (
    Column,
    Dates,
    Option,
    Stock,
    columns,
    options,
    recipes,
)
from capsim.i18n.language import Message, Value
from capsim.scenario.faults import Fault, ScenarioError, meant
from capsim.scenario.scenario import Scenario

STRETCH = (0.02, 50.0)
EXACT = 1e-6
"""Days within which a date counts as kept: what rounding of sums can make of it."""


@dataclass(frozen=True)
class Piece:
    """One phase of one project: earlier pieces it follows, working days, calendar."""

    after: tuple[int, ...]
    days: float
    calendar: Calendar | None
    milestone: str


@dataclass(frozen=True)
class Baseline:
    """A project's schedule as planned.

    Attributes
    ----------
    start, finish : tuple of float
        Day each piece begins and ends.
    left : tuple of float
        Share of each piece's drawn duration that is still to come (may exceed 1 where the plan is
        slower than the modal durations).
    """

    start: tuple[float, ...]
    finish: tuple[float, ...]
    left: tuple[float, ...]


def forward(
    pieces: Sequence[Piece], start: float, stretch: float
) -> tuple[list[float], list[float]]:
    """Return begin and end of each piece when all begin as soon as they can."""
    begin, end = list[float](), list[float]()
    for piece in pieces:
        first = max((end[b] for b in piece.after), default=start)
        days = piece.days * stretch
        begin.append(first)
        end.append(first + (days if piece.calendar is None else piece.calendar.span(first, days)))
    return begin, end


def backward(pieces: Sequence[Piece], opening: float, stretch: float) -> float:
    """Return the latest begin of a project from which it is in use by ``opening``."""
    target = next((i for i, piece in enumerate(pieces) if piece.milestone == IN_USE), None)
    latest = [np.inf if target is not None else opening] * len(pieces)
    if target is not None:
        latest[target] = opening
    first = opening
    for i in range(len(pieces) - 1, -1, -1):
        if latest[i] == np.inf:
            continue
        piece, days = pieces[i], pieces[i].days * stretch
        calendar = piece.calendar
        begin = latest[i] - days if calendar is None else calendar.latest_start(latest[i], days)
        first = min(first, begin)
        for b in piece.after:
            latest[b] = min(latest[b], begin)
    return first


def anchored(pieces: Sequence[Piece], opening: float, started: float, now: float) -> Baseline:
    """Schedule a project backward from its planned opening.

    Parameters
    ----------
    pieces : sequence of Piece
        In an order in which each follows those before it.
    opening : float
        Planned opening.
    started : float
        Day it began; NaN where unknown. A day not in the past, or not before the opening, is left
        aside: the opening governs.
    now : float

    Returns
    -------
    Baseline

    Examples
    --------
    Six months of structure and three of fit-out, to open on day 300, seen on day 100:

    >>> two = [Piece((), 180.0, None, "built"), Piece((0,), 90.0, None, "in_use")]
    >>> anchored(two, 300.0, float("nan"), 100.0)
    Baseline(start=(30.0, 210.0), finish=(210.0, 300.0), left=(0.611..., 1.0))
    """
    stretch = 1.0
    if started <= now and started < opening:
        stretch = _stretch(pieces, opening, started)
    begin, end = forward(pieces, backward(pieces, opening, stretch), stretch)
    return _left(pieces, begin, end, stretch, now)


def free(pieces: Sequence[Piece], start: float, now: float) -> Baseline:
    """Schedule a project forward from the day it begins or began."""
    begin, end = forward(pieces, start, 1.0)
    return _left(pieces, begin, end, 1.0, now)


def _left(
    pieces: Sequence[Piece], begin: list[float], end: list[float], stretch: float, now: float
) -> Baseline:
    left = []
    for piece, first, last in zip(pieces, begin, end, strict=True):
        if first >= now:
            left.append(stretch)
        elif last <= now + EXACT or piece.days == 0:
            left.append(0.0)
        elif piece.calendar is None:
            left.append((last - now) / piece.days)
        else:
            left.append((piece.calendar.worked(last) - piece.calendar.worked(now)) / piece.days)
    return Baseline(tuple(begin), tuple(end), tuple(left))


def _stretch(pieces: Sequence[Piece], opening: float, started: float) -> float:
    """Return the factor on durations with which the project fits between the two days."""
    low, high = STRETCH
    if sum(piece.days for piece in pieces) == 0:
        return 1.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        if backward(pieces, opening, middle) > started:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True)
class Draft:
    """A programme ready to run: its network, and the part of each activity still to come.

    Attributes
    ----------
    columns : tuple of Column
    phases : tuple of Phase
        Per activity.
    network : Network
    left : float64 ``[activity]``
        Factor on drawn durations.
    table : DataFrame
        One row per activity: column, project, copy, phase, milestone, planned_start,
        planned_finish (days), planned_days (working days still to come), due (day), places.
    stock : Stock
    crews : bool
        Whether resources hold anybody up.
    """

    columns: tuple[Column, ...]
    phases: tuple[Phase, ...]
    network: Network
    left: Days
    table: pd.DataFrame
    stock: Stock
    crews: bool

    def part(self, columns: Sequence[int]) -> Draft:
        """Return the programme of some columns; what they wait for outside of it is over."""
        number = {column: k for k, column in enumerate(columns)}
        mine = [i for i, column in enumerate(self.network.column) if column in number]
        network = self.network.part(mine)
        own = tuple(number[column] for column in network.column)
        table = self.table.iloc[mine].reset_index(drop=True).assign(column=own)
        return Draft(
            tuple(self.columns[column] for column in columns),
            tuple(self.phases[i] for i in mine),
            replace(network, column=own),
            self.left[mine],
            table,
            self.stock,
            self.crews,
        )


def draft(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    starts: Mapping[str, Dates] | str | None = None,
    crews: bool = True,
) -> Draft:
    """Build a programme's schedule, options of projects included; see `build` for the arguments."""
    one = usual_draft(scenario, planned=planned, starts=starts, crews=crews)
    return hurried(one, bought_options(scenario, one.columns))


def usual_draft(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    starts: Mapping[str, Dates] | str | None = None,
    crews: bool = True,
) -> Draft:
    """Build a programme's schedule without any option; see `build` for the arguments and errors."""
    if isinstance(starts, str) and starts != "asap":
        raise ValueError(f'starts is a mapping, "asap" or None, not {starts!r}')
    built = columns(scenario, planned, starts)
    recipe = recipes(scenario, built)
    stock = Stock(scenario)
    pairs = [(n, phase) for n, column in enumerate(built) for phase in recipe[column.project]]
    projects = set(scenario.table("projects")["project"])
    faults: list[Fault] = []
    after, never = _predecessors(pairs, built, projects, faults)
    needs = [_needs(phase, built[n].county, stock, crews, faults) for n, phase in pairs]
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    order = _order(pairs, built, after)
    place = {i: k for k, i in enumerate(order)}
    activities = [
        Activity(*pairs[i], tuple(sorted({place[b] for b in after[i]})), needs[i], i in never)
        for i in order
    ]
    now = to_day(scenario.settings.construction.start.isoformat())
    return _draft(built, activities, stock, now, crews)


def bought_options(scenario: Scenario, built: Sequence[Column]) -> dict[int, tuple[Option, ...]]:
    """Return the options by which columns are hurried, by column.

    Raises
    ------
    ScenarioError
        If a project has no such option.
    """
    if not any(column.options for column in built):
        return {}
    known = options(scenario, {column.project: column.kind for column in built})
    faults: list[Fault] = []
    out = {}
    for number, column in enumerate(built):
        own = known[column.project]
        for name in column.options:
            if name not in own:
                what = Message(
                    "an option of project {project} in phases.csv", {"project": column.project}
                )
                expected = meant(what, name, own)
                faults.append(Fault("projects.csv", None, "options", name, expected))
        out[number] = tuple(own[name] for name in column.options if name in own)
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    return out


def hurried(one: Draft, bought: Mapping[int, Sequence[Option]]) -> Draft:
    """Replace what is left of phases by those of the options of some columns.

    What is done stays done, and a phase under way keeps the part that is left of it.

    Raises
    ------
    ScenarioError
        If an option needs what there is not.
    """
    if not any(bought.values()):
        return one
    network = one.network
    phases, needs, calendar = list(one.phases), list(network.needs), list(network.calendar)
    faults: list[Fault] = []
    for i, usual in enumerate(one.phases):
        column = network.column[i]
        ways = (phase for option in bought.get(column, ()) for phase in option.phases)
        way = next((phase for phase in ways if phase.name == usual.name), None)
        if way is None or not one.left[i]:
            continue
        phases[i] = replace(way, after=usual.after, milestone=usual.milestone)
        wanted = _needs(phases[i], one.columns[column].county, one.stock, one.crews, faults)
        calendar[i] = one.stock.calendar([r for r, _ in wanted])
        under_way = one.table["planned_start"][i] < network.start
        needs[i] = _still_needed(wanted, one.stock, under_way) if one.crews else ()
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    days = one.left * [phase.mode * MONTH_DAYS for phase in phases]
    return replace(
        one,
        phases=tuple(phases),
        network=replace(network, needs=tuple(needs), calendar=tuple(calendar)),
        table=one.table.assign(planned_days=days),
    )


def _still_needed(needs: Needs, stock: Stock, under_way: bool) -> Needs:
    """Return the needs of what is left: what is under way has used its consumables."""
    return tuple(
        (r, units)
        for r, units in needs
        if not (under_way and stock.resources[r].releases is not None)
    )


@dataclass(frozen=True)
class Activity:
    """One phase of one column: activities before it, what it needs, and whether it never begins."""

    column: int
    phase: Phase
    after: tuple[int, ...]
    needs: Needs
    never: bool


def _predecessors(
    pairs: Sequence[tuple[int, Phase]],
    built: Sequence[Column],
    projects: set[str],
    faults: list[Fault],
) -> tuple[list[list[int]], set[int]]:
    """Find what each phase waits for, and the phases that wait for a project that is not built."""
    where: dict[tuple[str, str], list[int]] = {}
    for i, (number, phase) in enumerate(pairs):
        where.setdefault((built[number].project, phase.name), []).append(i)
    building = {column.project for column in built}
    after: list[list[int]] = []
    never = set()
    for i, (number, phase) in enumerate(pairs):
        project, before = built[number].project, []
        for name in phase.after:
            own = [b for b in where.get((project, name), []) if pairs[b][0] == number]
            other, _, theirs = name.partition(":")
            if own:
                before += own
            elif (other, theirs) in where:
                before += where[other, theirs]
            elif theirs and other in projects - building:
                never.add(i)
            else:
                known = (theirs for owner, theirs in where if owner == project)
                faults.append(_fault(phase, "after", name, meant(Message("a phase"), name, known)))
        after.append(before)
    return after, never


def _needs(phase: Phase, county: str, stock: Stock, crews: bool, faults: list[Fault]) -> Needs:
    """Find the resources that a phase needs, the county's or those shared by all."""
    needs = []
    for name, units in phase.needs:
        r = stock.find(name, county)
        if r is None:
            known = sorted({n for n, c in stock.number if c in ("*", county)})
            what = Message("a resource that county {county} has", {"county": repr(county)})
            expected = meant(what, name, known)
            faults.append(_fault(phase, "needs", name, expected))
        elif stock.resources[r].releases is None and units > stock.resources[r].units and crews:
            has: dict[str, Value] = {"number": stock.resources[r].units, "county": repr(county)}
            expected = Message("at most {number}, what county {county} has", has)
            faults.append(_fault(phase, "needs", f"{name}={units}", expected))
        else:
            needs.append((r, units))
    return tuple(needs)


def _order(
    pairs: Sequence[tuple[int, Phase]], built: Sequence[Column], after: Sequence[Sequence[int]]
) -> list[int]:
    """Sort the phases so that each follows what it waits for."""
    try:
        return topological(after)
    except ValueError as error:
        circle = str(error).partition("[")[2].rstrip("]").split(", ")
        of_circle = [pairs[int(i)] for i in circle[:8]]
        names = ";".join(f"{built[number].project}:{phase.name}" for number, phase in of_circle)
        apart = Message("phases that do not wait for each other")
        fault = Fault("phases.csv", None, "after", names, apart)
        raise ScenarioError([fault]) from None


def _fault(phase: Phase, column: str, value: str, expected: Message) -> Fault:
    """Make the fault of a phase that is known by its name, not by its row."""
    where = Message("phase {name}, {column}", {"name": repr(phase.name), "column": column})
    return Fault("phases.csv", None, where, value, expected)


def _draft(
    built: tuple[Column, ...],
    activities: Sequence[Activity],
    stock: Stock,
    now: float,
    crews: bool,
) -> Draft:
    """Schedule every column as planned, and make the network of what is still to come."""
    size = len(activities)
    of: list[list[int]] = [[] for _ in built]
    for i, one in enumerate(activities):
        of[one.column].append(i)
    calendar = [stock.calendar([r for r, _ in one.needs]) for one in activities]
    begin, end, left = np.empty(size), np.empty(size), np.empty(size)
    release = [now] * size
    needs: list[Needs] = [()] * size
    for column, mine in zip(built, of, strict=True):
        place = {i: k for k, i in enumerate(mine)}
        pieces = [
            Piece(
                tuple(place[b] for b in activities[i].after if b in place),
                activities[i].phase.mode * MONTH_DAYS,
                calendar[i],
                activities[i].phase.milestone,
            )
            for i in mine
        ]
        base = _baseline(pieces, column, now)
        begin[mine], end[mine], left[mine] = base.start, base.finish, base.left
        for i, piece in zip(mine, pieces, strict=True):
            under_way = begin[i] < now
            if not piece.after:
                release[i] = max(float(begin[i]), now)
            if activities[i].never and not under_way:
                release[i] = NEVER
            if crews and left[i] > 0:
                needs[i] = _still_needed(activities[i].needs, stock, under_way)
    after = [
        # under way: what other projects had to do before it is over
        tuple(b for b in one.after if day >= now or activities[b].column == one.column)
        for one, day in zip(activities, begin, strict=True)
    ]
    network = Network(
        now,
        tuple(one.column for one in activities),
        tuple(one.phase.name for one in activities),
        tuple(after),
        tuple(needs),
        tuple(release),
        tuple(calendar),
        tuple(stock.resources),
        tuple(bool(days == 0 and day < now) for days, day in zip(left, begin, strict=True)),
    )
    phases = tuple(one.phase for one in activities)
    table = pd.DataFrame(
        {
            "column": network.column,
            "project": [built[c].project for c in network.column],
            "copy": [built[c].copy for c in network.column],
            "phase": network.phase,
            "milestone": [phase.milestone for phase in phases],
            "planned_start": begin,
            "planned_finish": end,
            "planned_days": left * [phase.mode * MONTH_DAYS for phase in phases],
            "due": [built[c].due for c in network.column],
            "places": [built[c].places for c in network.column],
        }
    )
    return Draft(built, phases, network, left, table, stock, crews)


def _baseline(pieces: list[Piece], column: Column, now: float) -> Baseline:
    if not np.isnan(column.planned):
        just_in_time = anchored(pieces, column.target, column.started, now)
        if np.isnan(column.start) or min(just_in_time.start) < now:
            return just_in_time
    if not np.isnan(column.start):
        return free(pieces, column.start, now)
    return free(pieces, column.started if column.started < now else now, now)
