"""Projects and programmes.

Construction phases and resources.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import numpy as np
import pandas as pd

from capsim.scenario.faults import Fault, nearest
from capsim.scenario.parsing import Typed
from capsim.scenario.schema import TABLES
from capsim.scenario.validation.context import Case, unknown

SHARED = (
    "area",
    "status",
    "earliest_opening",
    "due",
    "programme",
    "count",
    "build_months",
    "started",
)


def projects_faults(case: Case) -> list[Fault]:
    """Dates in order, rows of one project alike, names that lead somewhere."""
    projects = case.get("projects")
    if projects is None:
        return []
    frame = projects.frame
    first, due, started = frame["earliest_opening"], frame["due"], frame["started"]
    kindergarten = frame["kind"] == "inclusive_kindergarten"
    rules = (
        (
            (due == "") & (frame["status"] != "candidate"),
            "due",
            "a date (only candidates have none)",
        ),
        ((due != "") & (due < first), "due", "a date from earliest_opening on"),
        ((started != "") & (started > first), "started", "a date up to earliest_opening"),
        (frame["spent_cny"] > frame["capital_cny"], "spent_cny", "at most capital_cny"),
        (
            kindergarten & (frame["places"] != 0),
            "places",
            "0 (an inclusive kindergarten adds none)",
        ),
        (kindergarten & frame["pupils"].isna(), "pupils", "the children of the kindergarten"),
        (kindergarten & (frame["stage"] != "kindergarten"), "stage", "kindergarten"),
        (~kindergarten & frame["pupils"].notna(), "pupils", "blank (only inclusive kindergartens)"),
    )
    faults: list[Fault] = []
    for mask, column, expected in rules:
        faults += projects.where(mask.to_numpy(dtype=bool), column, expected)
    return faults + _schools(case, projects) + _alike(projects)


def _schools(case: Case, projects: Typed) -> list[Fault]:
    """Check the schools that projects add to, and that no new school has a standing one's name."""
    if "schools" in case.unread:
        return []
    frame = projects.frame
    schools = case.frame("schools")
    there: set[tuple[str, str]] = set()
    if schools is not None:
        there = set(zip(schools["school"], schools["stage"], strict=True))
    own = (frame["school"] == "").to_numpy(dtype=bool)
    names = {name for name, _ in there}
    faults = unknown(projects, "school", names, "a school", blank=True)
    pairs = zip(frame["school"], frame["stage"], strict=True)
    other = np.array([school in names and (school, stage) not in there for school, stage in pairs])
    faults += projects.where(other.astype(bool), "stage", "a stage of that school")
    taken = own & frame["project"].isin(names).to_numpy(dtype=bool)
    return faults + projects.where(taken, "project", "a name that no school has (it is one itself)")


def _alike(projects: Typed) -> list[Fault]:
    """Rows of one project must agree in all but stage, places and money."""
    frame = projects.frame
    faults: list[Fault] = []
    leader = frame.groupby("project", sort=False)[list(SHARED)].transform("first")
    for column in SHARED:
        odd = (frame[column] != leader[column]).to_numpy(dtype=bool)
        faults += projects.where(odd, column, "the same in every row of the project")
    return faults


def programme_faults(case: Case) -> list[Fault]:
    """Compare what a programme asks for with the projects there are."""
    if "projects" in case.unread:
        return []
    frame = case.frame("projects")
    faults = []
    for name, programme in case.settings.programmes.items():
        number = 0
        if frame is not None:
            own = frame[frame["programme"] == name].drop_duplicates("project")
            number = int(own["count"].sum())
        if programme.number > number:
            expected = f"at most {number}, the projects of the programme"
            faults.append(case.fault(f"programmes.{name}.number", programme.number, expected))
    return faults


MOST_MONTHS = 1200.0
KINDS = TABLES["projects"].column("kind").allowed


def phases_faults(case: Case) -> list[Fault]:
    """Durations in order, phases that exist, no circle, needs that can be met."""
    phases = case.get("phases")
    if phases is None:
        return []
    frame = phases.frame
    low, mode, high = (frame[name] for name in ("low_months", "mode_months", "high_months"))
    spread = ~frame["distribution"].isin(["fixed", "empirical"])
    log = frame["distribution"] == "lognormal"
    faults: list[Fault] = []
    seen = frame["distribution"] == "empirical"
    listed = frame["observed_months"] != ""
    for mask, column, expected in (
        (seen & ~listed, "observed_months", "months observed, separated by ;"),
        (~seen & listed, "observed_months", "nothing (only empirical durations have them)"),
        (
            spread & low.isna(),
            "low_months",
            "a number (only fixed and empirical durations have none)",
        ),
        (
            spread & high.isna(),
            "high_months",
            "a number (only fixed and empirical durations have none)",
        ),
        (low > mode, "low_months", "at most mode_months"),
        (high < mode, "high_months", "at least mode_months"),
        (log & (low <= 0), "low_months", "a number > 0 (lognormal)"),
    ):
        faults += phases.where(mask.to_numpy(dtype=bool), column, expected)
    faults += unknown(phases, "kind", KINDS, "a kind of project", blank=True)
    if "projects" not in case.unread:
        projects = case.frame("projects")
        named = set() if projects is None else set(projects["project"])
        faults += unknown(phases, "project", named, "a project", blank=True)
    return faults + _observed(phases) + _order(phases) + _needs(case, phases)


def _observed(phases: Typed) -> list[Fault]:
    """Check that observed durations are months."""
    faults: list[Fault] = []
    for at, listed in enumerate(phases.frame["observed_months"].tolist()):
        for part in _parts(listed):
            if not re.fullmatch(r"[0-9]+(\.[0-9]*)?", part) or not float(part) <= MOST_MONTHS:
                faults += phases.faults("observed_months", [(at, part, "months from 0 to 1,200")])
    return faults


def _order(phases: Typed) -> list[Fault]:
    """Follow ``after`` inside each group of rows."""
    faults: list[Fault] = []
    for _, rows in phases.frame.groupby(["project", "kind"], sort=False):
        names = rows["phase"].tolist()
        graph: dict[str, list[str]] = {}
        last = ""
        for at, name, after in zip(rows.index, names, rows["after"], strict=True):
            before = _parts(after) or ([last] if last else [])
            for one in before:
                if one not in names and ":" not in one:
                    fault = (
                        int(at),
                        one,
                        f"a phase of the same project or kind: {nearest(one, names)}",
                    )
                    faults += phases.faults("after", [fault])
            graph[name] = [one for one in before if one in names]
            last = name
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = ", ".join(dict.fromkeys(error.args[1]))
            at = int(rows.index[0])
            faults += phases.faults(
                "after", [(at, circle, "phases that do not wait for each other")]
            )
    return faults + _elsewhere(phases)


def _elsewhere(phases: Typed) -> list[Fault]:
    """Check ``PROJECT:PHASE`` where the other project has rows of its own."""
    frame = phases.frame
    own: Mapping[str, set[str]] = {
        str(name): set(rows["phase"]) for name, rows in frame.groupby("project") if name
    }
    shared = set(frame["phase"][frame["project"] == ""])
    faults: list[Fault] = []
    for at, after in enumerate(frame["after"].tolist()):
        for one in _parts(after):
            project, colon, phase = one.partition(":")
            known = own.get(project, shared)
            if colon and one not in set(frame["phase"]) and phase not in known:
                fault = (at, one, f"PROJECT:PHASE of a phase: {nearest(phase, known)}")
                faults += phases.faults("after", [fault])
    return faults


def _needs(case: Case, phases: Typed) -> list[Fault]:
    resources = case.frame("resources")
    known: set[str] | None = None if "resources" in case.unread else set()
    if resources is not None:
        known = set(resources["resource"])
    faults: list[Fault] = []
    for at, needs in enumerate(phases.frame["needs"].tolist()):
        for part in _parts(needs):
            name, _, units = part.partition("=")
            if not (units.strip().isascii() and units.strip().isdigit()) or len(units) > 15:
                faults += phases.faults(
                    "needs", [(at, part, "resource=units, units a whole number")]
                )
            elif known is not None and name.strip() not in known:
                what = f"a resource: {nearest(name.strip(), known)}"
                faults += phases.faults("needs", [(at, name.strip(), what)])
    return faults


def resources_faults(case: Case) -> list[Fault]:
    """Calendars that are known; renewable or released by date, not both."""
    resources = case.get("resources")
    if resources is None:
        return []
    calendars = case.settings.calendars
    faults = unknown(resources, "calendar", calendars, "a [calendars.NAME]", blank=True)
    frame = resources.frame
    renewable = frame["from"] == ""
    grouped = renewable.groupby([frame["resource"], frame["county"]])
    mixed: pd.Series[bool] = renewable & ~grouped.transform("all")
    return faults + resources.where(
        mixed.to_numpy(dtype=bool), "from", "a date, as in other rows of the resource"
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
