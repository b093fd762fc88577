"""From the tables of a scenario to columns (copies of projects), their phases and needs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capsim.construction.calendars import Calendar, to_day
from capsim.construction.durations import PRIOR, Phase
from capsim.construction.network import Resource
from capsim.scenario.faults import Fault, ScenarioError, nearest

if TYPE_CHECKING:
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
        Standard seats of all stages, one copy.
    planned : float
        Day it is planned to open; NaN: as soon as it can.
    target : float
        Day the works aim at: ``earliest_opening`` of what is ordered or under way where that is
        before the planned day, else the planned day.
    start : float
        Day before which it does not begin, where the caller gave one; else NaN.
    started : float
        Day it began, where that is known; else NaN.
    due : float
        Planned opening, else the day it is due, else NaN.
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


def columns(
    scenario: Scenario, planned: Mapping[str, Dates] | None, starts: Mapping[str, str] | str | None
) -> tuple[Column, ...]:
    """Return what is built, in the order of the table ``projects``; see `build` for the arguments.

    Raises
    ------
    ValueError
        If a mapping names a project the scenario does not have, or has more dates than copies.
    """
    projects = scenario.table("projects")
    known = set(projects["project"])
    for named in (planned, None if isinstance(starts, str) else starts):
        for name in named or {}:
            if name not in known:
                raise ValueError(f"no project {name!r} in the scenario{_near(name, known)}")
    areas = scenario.table("areas")
    county = dict(zip(areas["area"], areas["county"], strict=True))
    places = projects.groupby("project")["places"].sum()
    out = []
    for row in projects.drop_duplicates("project").to_dict("records"):
        name, count = str(row["project"]), int(row["count"])
        due = to_day(row["due"]) if row["due"] else np.nan
        committed = row["status"] != "candidate" and row["earliest_opening"]
        aim = to_day(row["earliest_opening"]) if committed else np.inf
        dates: Sequence[float]
        first = np.nan
        if planned is not None:
            given = planned.get(name, "")
            listed = [given] if isinstance(given, str) else list(given)
            if len(listed) > count:
                raise ValueError(f"project {name!r}: {len(listed)} dates for {count} copies")
            dates = [to_day(date) for date in listed if date]
        elif starts == "asap":
            dates = [np.nan] * count
        elif isinstance(starts, Mapping):
            dates = [np.nan] * count if starts.get(name) else []
            first = to_day(starts[name]) if dates else np.nan
        else:
            dates = [due] * count if row["status"] != "candidate" else []
        began = to_day(row["started"]) if row["started"] else np.nan
        for copy, day in enumerate(dates):
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
                    first,
                    began,
                    due if np.isnan(day) else day,
                )
            )
    return tuple(out)


def _near(name: str, known: set[str]) -> str:
    return f": {nearest(name, known)} is expected"


def recipes(scenario: Scenario, built: Sequence[Column]) -> dict[str, tuple[Phase, ...]]:
    """Return the phases of each project built.

    The project's own rows of the table ``phases`` if it has any, else its kind's, else the rows for
    every project. Without the table the prior of its kind holds (`capsim.construction.durations`).

    Raises
    ------
    ScenarioError
        If a project built has no row, or a row cannot be read.
    """
    kinds = {column.project: column.kind for column in built}
    if not scenario.has("phases"):
        return {project: PRIOR[kind] for project, kind in kinds.items()}
    rows: dict[tuple[str, str], list[Phase]] = {}
    faults: list[Fault] = []
    for number, row in enumerate(scenario.table("phases").to_dict("records")):
        of = rows.setdefault((row["project"], row["kind"]), [])
        of.append(_phase(number, row, of, faults))
    generic = rows.get(("", ""), [])
    out = {}
    for project, kind in kinds.items():
        own = rows.get((project, kind)) or rows.get((project, ""))
        out[project] = tuple(own or rows.get(("", kind)) or generic)
        if not out[project]:
            faults.append(
                Fault("phases.csv", None, "kind", kind, f"a row of this kind (project {project})")
            )
    if faults:
        raise ScenarioError(faults)
    return out


def _phase(
    number: int, row: Mapping[Hashable, object], of: list[Phase], faults: list[Fault]
) -> Phase:
    def parts(column: str) -> list[str]:
        return [part.strip() for part in str(row[column]).split(";") if part.strip()]

    def fault(column: str, value: object, expected: str) -> None:
        faults.append(Fault("phases.csv", number, column, str(value), expected))

    low, mode, high = (float(str(row[c])) for c in ("low_months", "mode_months", "high_months"))
    shape = str(row["distribution"])
    observed = tuple(float(part) for part in parts("observed_months"))
    if shape == "empirical" and not observed:
        fault("observed_months", "", "months observed, separated by ;")
    elif shape not in ("fixed", "empirical"):
        if not low <= mode:
            fault("low_months", low, "months, not above mode_months")
        if not mode <= high:
            fault("high_months", high, "months, not below mode_months")
        if shape == "lognormal" and not low > 0:
            fault("low_months", low, "months > 0 (lognormal)")
    needs = []
    for part in parts("needs"):
        name, _, units = part.partition("=")
        if not units.strip().isdigit():
            fault("needs", part, "resource=units, units a whole number")
        elif int(units) > 0:
            needs.append((name.strip(), int(units)))
    after = tuple(parts("after")) or ((of[-1].name,) if of else ())
    return Phase(
        str(row["phase"]),
        after,
        shape,
        low,
        mode,
        high,
        tuple(needs),
        str(row["milestone"]),
        observed,
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
        faults: list[Fault] = []
        self.resources: list[Resource] = []
        self.stops: list[list[tuple[str, str]]] = []
        self._calendars: list[str] = []
        self.number: dict[tuple[str, str], int] = {}
        self._years = years
        self._made: dict[tuple[int, ...], Calendar | None] = {}
        for (name, county), rows in table.groupby(["resource", "county"], sort=False):
            dated = rows["from"] != ""
            if dated.any() and not dated.all():
                faults.append(
                    Fault(
                        "resources.csv",
                        int(rows.index[~dated][0]),
                        "from",
                        "",
                        f"a date, as in other rows of {name}: renewable or released, not both",
                    )
                )
            calendar = str(rows["calendar"].iloc[0])
            if calendar and calendar not in stops:
                faults.append(
                    Fault(
                        "resources.csv",
                        int(rows.index[0]),
                        "calendar",
                        calendar,
                        "a [calendars.NAME] of the settings: " + nearest(calendar, stops),
                    )
                )
            self.number[str(name), str(county)] = len(self.resources)
            self.stops.append(stops.get(calendar, []))
            self._calendars.append(calendar)
            if dated.any():
                pairs = zip(rows["from"], rows["units"], strict=True)
                releases = tuple(sorted((to_day(day), int(units)) for day, units in pairs if day))
                self.resources.append(Resource(str(name), str(county), 0, releases))
            else:
                units = int(rows["units"].iloc[0])
                self.resources.append(Resource(str(name), str(county), units))
        if faults:
            raise ScenarioError(faults)

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
                said = "stops that leave a working day, in a phase that needs all of them"
                fault = Fault("scenario.toml", None, "calendars", names, said)
                raise ScenarioError([fault]) from error
        return self._made[key]
