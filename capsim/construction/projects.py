"""Columns (copies of projects), their phases, options and needs, read from a scenario's tables."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capsim.construction.calendars import Calendar, to_day
from capsim.construction.durations import PRIOR, Phase
from capsim.construction.network import Resource
from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.scenario import Scenario

CALENDAR_YEARS = 80
Dates = str | Sequence[str]


@dataclass(frozen=True)
class Column:
    """One copy of one project: a column of every result.

    Attributes
    ----------
    project : str
    copy : int
        Counted from 0.
    county, kind, status : str
    places : float
        Standard seats of all stages, one copy; of a nine-year campus those of the largest stage.
    planned : float
        Day it is planned to open; NaN: as soon as it can.
    target : float
        Day the works aim at: ``earliest_opening`` of what is ordered or under way where that is
        before the planned day, else the planned day.
    start : float
        Day before which it does not begin, where the caller gave one; else NaN. Where it is planned
        to open on a day too, it begins on this one instead of just in time.
    started : float
        Day it began, where that is known; else NaN.
    due : float
        Planned opening, else the day it is due, else NaN.
    capital_cny : float
        Of one copy, all stages.
    options : tuple of str
        By which it is hurried.
    """

    project: str
    copy: int
    county: str
    kind: str
    status: str
    places: float
    planned: float
    target: float
    start: float
    started: float
    due: float
    capital_cny: float = 0.0
    options: tuple[str, ...] = ()


def columns(
    scenario: Scenario,
    planned: Mapping[str, Dates] | None,
    starts: Mapping[str, Dates] | str | None,
) -> tuple[Column, ...]:
    """Return what is built, in the order of the table ``projects``; see `build` for the arguments.

    Raises
    ------
    ValueError
        If a mapping names a project the scenario does not have, or has more dates than copies.
    """
    projects = scenario.table("projects")
    known = set(projects["project"])
    for mapping in (planned, None if isinstance(starts, str) else starts):
        for name in mapping or {}:
            if name not in known:
                raise ValueError(
                    f"no project {name!r} in the scenario: {nearest(name, known)} is expected"
                )
    areas = scenario.table("areas")
    county = dict(zip(areas["area"], areas["county"], strict=True))
    of_project = projects.groupby("project")
    shared = of_project["kind"].first() == "nine_year"
    places = of_project["places"].sum().where(~shared, of_project["places"].max())
    capital = of_project["capital_cny"].sum()
    now = to_day(scenario.settings.construction.start.isoformat())
    out = []
    for row in projects.drop_duplicates("project").to_dict("records"):
        name, count = str(row["project"]), int(row["count"])
        due = to_day(row["due"]) if row["due"] else np.nan
        committed = row["status"] != "candidate"
        aim = to_day(row["earliest_opening"]) if committed and row["earliest_opening"] else np.inf
        begins = [np.nan] * count
        if isinstance(starts, Mapping):
            begins = _days(starts.get(name, ""), name, count, repeat=True)
        if planned is not None:
            opens = [day for day in _days(planned.get(name, ""), name, count) if not np.isnan(day)]
            begins = [now] * count if starts == "asap" else begins
        elif starts is None:
            opens = [due] * count if committed else []
        elif starts == "asap":
            opens = [np.nan] * count
        else:
            begins = [day for day in begins if not np.isnan(day)]
            opens = [np.nan] * len(begins)
        began = to_day(row["started"]) if row["started"] else np.nan
        for copy, day in enumerate(opens):
            area = str(row["area"])
            out.append(
                Column(
                    name,
                    copy,
                    county.get(area, area),
                    str(row["kind"]),
                    str(row["status"]),
                    float(places[name]),
                    day,
                    min(day, aim),
                    begins[copy] if copy < len(begins) else np.nan,
                    began,
                    due if np.isnan(day) else day,
                    float(capital[name]),
                    tuple(listed(row["options"])),
                )
            )
    return tuple(out)


def _days(dates: Dates, name: str, count: int, *, repeat: bool = False) -> list[float]:
    """Return the days of a project's copies, NaN for blank; a single date is the first copy's."""
    listed = [dates] * (count if repeat else 1) if isinstance(dates, str) else list(dates)
    if len(listed) > count:
        raise ValueError(f"project {name!r}: {len(listed)} dates for {count} copies")
    return [to_day(date) if date else np.nan for date in listed]


def recipes(scenario: Scenario, built: Sequence[Column]) -> dict[str, tuple[Phase, ...]]:
    """Return the phases of each project built.

    The project's own rows of the table ``phases`` if it has any, else its kind's, else the rows for
    every project. Without the table the prior of its kind holds (`capsim.construction.durations`).

    Raises
    ------
    ScenarioError
        If a project built has no row.
    """
    kinds = {column.project: column.kind for column in built}
    if not scenario.has("phases"):
        return {project: PRIOR[kind] for project, kind in kinds.items()}
    rows = phase_groups(scenario)
    out = {}
    faults: list[Fault] = []
    for project, kind in kinds.items():
        out[project] = rows.get(_group(rows, project, kind), ())
        if not out[project]:
            expected = Message("a row of this kind (project {project})", {"project": project})
            faults.append(Fault("phases.csv", None, "kind", kind, expected))
    if faults:
        raise ScenarioError(faults)
    return out


Group = tuple[str, str]
"""Project and kind that rows of the table ``phases`` are for, blank for all."""


def _group(known: Container[Group], project: str, kind: str) -> Group:
    """Find the rows that a project goes by: its own, else its kind's, else those for all."""
    own = ((project, kind), (project, ""), ("", kind))
    return next((group for group in own if group in known), ("", ""))


def phase_groups(scenario: Scenario) -> dict[Group, tuple[Phase, ...]]:
    """Return the usual phases of the table ``phases``, by project and kind."""
    rows: dict[Group, tuple[Phase, ...]] = {}
    if scenario.has("phases"):
        for row in scenario.table("phases").query("option == ''").to_dict("records"):
            group = (str(row["project"]), str(row["kind"]))
            above = rows.get(group, ())
            rows[group] = (*above, _phase(row, above))
    return rows


@dataclass(frozen=True)
class Option:
    """A way to hurry a project: phases in place of the usual ones of the same names.

    Attributes
    ----------
    name : str
    phases : tuple of Phase
        They follow what the usual ones follow.
    cost_share : float
        Of the project's capital cost, that it adds.
    """

    name: str
    phases: tuple[Phase, ...]
    cost_share: float


def option_groups(scenario: Scenario) -> dict[Group, dict[str, Option]]:
    """Return the options of the table ``phases`` by name, by project and kind."""
    found: dict[Group, dict[str, Option]] = {}
    if scenario.has("phases"):
        for row in scenario.table("phases").query("option != ''").to_dict("records"):
            of_group = found.setdefault((str(row["project"]), str(row["kind"])), {})
            name, share = str(row["option"]), float(str(row["option_cost_share"]))
            one = of_group.get(name, Option(name, (), 0.0))
            of_group[name] = Option(name, (*one.phases, _phase(row, ())), one.cost_share + share)
    return found


def options(scenario: Scenario, kinds: Mapping[str, str]) -> dict[str, dict[str, Option]]:
    """Return the options of each of some projects (of a kind), by name; see `recipes` for whose."""
    rows, found = phase_groups(scenario), option_groups(scenario)
    return {project: found.get(_group(rows, project, kind), {}) for project, kind in kinds.items()}


def listed(text: object) -> list[str]:
    """Return the parts of a cell that are separated by ``;``.

    Examples
    --------
    >>> listed("crews=1; inspectors=2;")
    ['crews=1', 'inspectors=2']
    """
    return [part.strip() for part in str(text).split(";") if part.strip()]


def _phase(row: Mapping[Hashable, object], before: Sequence[Phase]) -> Phase:
    """Read a row of the table ``phases``; ``before`` are those of the same group above it."""

    def parts(column: str) -> list[str]:
        return listed(row[column])

    needs = []
    for part in parts("needs"):
        name, _, units = part.partition("=")
        if int(units) > 0:
            needs.append((name.strip(), int(units)))
    low, mode, high = (float(str(row[f"{name}_months"])) for name in ("low", "mode", "high"))
    return Phase(
        str(row["phase"]),
        tuple(parts("after")) or tuple(phase.name for phase in before[-1:]),
        str(row["distribution"]),
        low,
        mode,
        high,
        tuple(needs),
        str(row["milestone"]),
        tuple(float(part) for part in parts("observed_months")),
    )


class Stock:
    """The resources of a scenario, by name and county, with their calendars."""

    def __init__(self, scenario: Scenario):
        table = scenario.table("resources")
        start = scenario.settings.construction.start
        years = start.year - 20, start.year + CALENDAR_YEARS
        stops = {
            name: [(str(a), str(b)) for a, b in one.stops]
            for name, one in scenario.settings.calendars.items()
        }
        self.resources: list[Resource] = []
        self.stops: list[list[tuple[str, str]]] = []
        self._calendars: list[str] = []
        self.number: dict[tuple[str, str], int] = {}
        self._years = years
        self._made: dict[tuple[int, ...], Calendar | None] = {}
        for (name, county), rows in table.groupby(["resource", "county"], sort=False):
            calendar = str(rows["calendar"].iloc[0])
            self.number[str(name), str(county)] = len(self.resources)
            self.stops.append(stops.get(calendar, []))
            self._calendars.append(calendar)
            if (rows["from"] != "").any():
                pairs = zip(rows["from"], rows["units"], strict=True)
                releases = tuple(sorted((to_day(day), int(units)) for day, units in pairs))
                self.resources.append(Resource(str(name), str(county), 0, releases))
            else:
                units = int(rows["units"].iloc[0])
                self.resources.append(Resource(str(name), str(county), units))

    def find(self, name: str, county: str) -> int | None:
        """Return the number of the county's resource, else of the one shared by all."""
        own = self.number.get((name, county))
        return self.number.get((name, "*")) if own is None else own

    def calendar(self, needed: Sequence[int]) -> Calendar | None:
        """Return the calendar of work that stops whenever one of its resources does.

        Raises
        ------
        ScenarioError
            If their stops together leave no working day.
        """
        key = tuple(sorted({r for r in needed if self.stops[r]}))
        if not key:
            return None
        if key not in self._made:
            spans = [stop for r in key for stop in self.stops[r]]
            try:
                self._made[key] = Calendar.from_stops(sorted(set(spans)), *self._years)
            except ValueError as error:
                names = "; ".join(dict.fromkeys(self._calendars[r] for r in key))
                expected = Message(
                    "stops that leave a working day, in a phase that needs all of them"
                )
                fault = Fault("scenario.toml", None, "calendars", names, expected)
                raise ScenarioError([fault]) from error
        return self._made[key]
