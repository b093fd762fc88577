"""Checks of construction: projects, programmes, phases and the resources they need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

import pandas as pd

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, as_it_is, meant, nearest
from capsim.scenario.parsing import Bad, Typed
from capsim.scenario.schema import TABLES
from capsim.scenario.validation.context import (
    Case,
    at_least,
    at_most,
    breaches,
    without_pair,
)

SHARED = (
    *("area", "status", "earliest_opening", "due", "programme", "count", "build_months", "started"),
    "options",
)
"""Columns that are the same in every row of a project."""
REORDERED = ("restage", "nine_year", "merge", "close")
"""Kinds that change what public schools there are; all rows of such a project are of one kind."""
KINDS = TABLES["projects"].column("kind").allowed
MOST_MONTHS = 1200.0


def projects_faults(case: Case) -> list[Fault]:
    """Check dates, the schools that projects add to, and that rows of one project are alike."""
    projects = case.get("projects")
    if projects is None:
        return []
    frame = projects.frame
    first, due, started = frame["earliest_opening"], frame["due"], frame["started"]
    kindergarten = frame["kind"] == "inclusive_kindergarten"
    timeless = (due == "") & (frame["status"] != "candidate")
    faults = breaches(
        projects,
        (timeless, "due", Message("a date (only candidates have none)")),
        ((due != "") & (due < first), "due", Message("a date from earliest_opening on")),
        ((started != "") & (started > first), "started", Message("a date up to earliest_opening")),
        (frame["spent_cny"] > frame["capital_cny"], "spent_cny", at_most("capital_cny")),
        (
            kindergarten & (frame["places"] != 0),
            "places",
            Message("0 (an inclusive kindergarten adds none)"),
        ),
        (
            kindergarten & frame["pupils"].isna(),
            "pupils",
            Message("the children of the kindergarten"),
        ),
        (kindergarten & (frame["stage"] != "kindergarten"), "stage", as_it_is("kindergarten")),
        (
            ~kindergarten & frame["pupils"].notna(),
            "pupils",
            Message("blank (only inclusive kindergartens)"),
        ),
    )
    if "schools" not in case.unread:
        taught = case.taught()
        names = {name for name, _ in taught}
        other = frame["school"].isin(names) & without_pair(frame, "school", "stage", taught)
        taken = (frame["school"] == "") & frame["project"].isin(names)
        faults += projects.unknown("school", names, Message("a school"), blank=True)
        faults += breaches(
            projects,
            (other, "stage", Message("a stage of that school")),
            (taken, "project", Message("a name that no school has (it is one itself)")),
        )
        if "projects" not in case.unread:
            faults += _given_up_faults(case, projects)
    leader = frame.groupby("project", sort=False)[[*SHARED, "kind"]].transform("first")
    one_kind = frame["kind"].isin(REORDERED) | leader["kind"].isin(REORDERED)
    for column in (*SHARED, "kind"):
        odd = (frame[column] != leader[column]) & (one_kind | (column != "kind"))
        faults += projects.where(odd, column, Message("the same in every row of the project"))
    return faults


def _given_up_faults(case: Case, projects: Typed) -> list[Fault]:
    """Check that places are given up by public schools that have them, and where they must be."""
    frame = projects.frame
    gives, brings = frame["places_given_up"] > 0, frame["places"] > 0
    ends, reordered = frame["kind"].isin(["merge", "close"]), frame["kind"].isin(REORDERED)
    campus = frame["kind"] == "nine_year"
    some = frame["places_given_up"].groupby(frame["project"]).transform("sum") > 0
    faults = breaches(
        projects,
        (
            (gives | ends) & (frame["school"] == ""),
            "school",
            Message("the school that it is about"),
        ),
        ((frame["kind"] == "close") & brings, "places", Message("0 (a school that closes)")),
        ((frame["kind"] == "close") & ~gives, "places_given_up", Message("places of the school")),
        (
            reordered & ~campus & ~some,
            "places_given_up",
            Message("places of the school, in some row of the project"),
        ),
        (
            campus & (brings.groupby(frame["project"]).transform("sum") < 2),
            "places",
            Message("places for each stage that may have the whole campus, in two rows or more"),
        ),
        (
            gives & (frame["kind"] == "inclusive_kindergarten"),
            "places_given_up",
            Message("0 (an inclusive kindergarten gives up none)"),
        ),
    )
    if (schools := case.frame("schools")) is None:
        return faults
    own = schools.drop_duplicates(["school", "stage"]).set_index(["school", "stage"])
    row = own.reindex(pd.MultiIndex.from_frame(frame[["school", "stage"]]))
    private = (row["sector"] == "private").to_numpy() & (gives | reordered)
    faults += projects.where(private, "school", Message("a public school"))
    lost = frame["places_given_up"] * frame["count"]
    lost = lost.groupby([frame["project"], frame["school"], frame["stage"]]).transform("sum")
    there = row["places"].to_numpy()
    return faults + projects.where(
        gives & (lost > there),
        "places_given_up",
        Message("at most the places of the school, all copies together"),
    )


def programme_faults(case: Case) -> list[Fault]:
    """Check that programmes ask for no more than the projects there are."""
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
            expected = Message(
                "at most {number}, the projects of the programme", {"number": number}
            )
            faults.append(case.fault(f"programmes.{name}.number", programme.number, expected))
    return faults


def choice_faults(case: Case) -> list[Fault]:
    """Check that choices name projects and kinds that there are, and ask for no more than these."""
    if "projects" in case.unread:
        return []
    frame = case.frame("projects")
    first = None if frame is None else frame.drop_duplicates("project")
    known = [] if first is None else first["project"].tolist()
    faults = []
    for name, choice in case.settings.choices.items():
        for key, text, given, allowed in (
            ("projects", "a project: {near}", choice.projects, known),
            ("kinds", "a kind: {near}", choice.kinds, KINDS),
        ):
            for one in sorted(set(given) - set(allowed)):
                expected = Message(text, {"near": nearest(one, allowed)})
                faults.append(case.fault(f"choices.{name}.{key}", one, expected))
        copies = 0
        if first is not None:
            of_kind = first["kind"].isin(choice.kinds) & (first["status"] == "candidate")
            copies = int(first.loc[of_kind | first["project"].isin(choice.projects), "count"].sum())
        if choice.least > copies:
            expected = Message("at most {number}, the copies of its projects", {"number": copies})
            faults.append(case.fault(f"choices.{name}.least", choice.least, expected))
    return faults


def programme_warnings(case: Case) -> list[Message]:
    """Return a warning for each programme of projects without a number in the settings."""
    projects = case.frame("projects")
    if projects is None:
        return []
    unset = sorted(set(projects["programme"]) - {"", *case.settings.programmes})
    return [
        Message(
            "projects: programme '{name}' has no [programmes.{name}] in the settings",
            {"name": name},
        )
        for name in unset
    ]


def phases_faults(case: Case) -> list[Fault]:
    """Check durations, that phases wait for phases that exist, and needs that can be met."""
    phases = case.get("phases")
    if phases is None:
        return []
    frame = phases.frame
    low, mode, high = (frame[name] for name in ("low_months", "mode_months", "high_months"))
    empirical, lognormal = (frame["distribution"] == kind for kind in ("empirical", "lognormal"))
    ranged = ~frame["distribution"].isin(["fixed", "empirical"])
    listed = frame["observed_months"] != ""
    bounds = Message("a number (only fixed and empirical durations have none)")
    only = Message("nothing (only empirical durations have them)")
    option, share = frame["option"] != "", frame["option_cost_share"]
    as_usual = Message("nothing (an option stands for the usual phase)")
    faults = breaches(
        phases,
        (empirical & ~listed, "observed_months", Message("months observed, separated by ;")),
        (~empirical & listed, "observed_months", only),
        (ranged & low.isna(), "low_months", bounds),
        (ranged & high.isna(), "high_months", bounds),
        # a lognormal learned from a record may lie above what is planned, or below it
        (~lognormal & (low > mode), "low_months", at_most("mode_months")),
        (~lognormal & (high < mode), "high_months", at_least("mode_months")),
        (lognormal & (high < low), "high_months", at_least("low_months")),
        (lognormal & (low <= 0), "low_months", Message("a number > 0 (lognormal)")),
        (
            option & share.isna(),
            "option_cost_share",
            Message("a number (0 where an option costs nothing)"),
        ),
        (~option & share.notna(), "option_cost_share", Message("nothing (only options cost more)")),
        (frame["option"].str.contains(";"), "option", Message("one name, without ;")),
        (frame["option"] == "earlier_start", "option", Message("another name (that one is taken)")),
        (option & (frame["after"] != ""), "after", as_usual),
        (option & (frame["milestone"] != ""), "milestone", as_usual),
    )
    faults += phases.unknown("kind", KINDS, Message("a kind of project"), blank=True)
    if "projects" not in case.unread:
        projects = case.values("projects", "project")
        faults += phases.unknown("project", projects, Message("a project"), blank=True)
    faults += phases.faults("observed_months", _bad_months(frame))
    usual = frame[~option]
    faults += phases.faults("after", [*_bad_order(usual), *_bad_phases_elsewhere(usual)])
    faults += phases.faults("phase", _bad_option_phases(frame))
    resources = None if "resources" in case.unread else case.values("resources", "resource")
    return faults + phases.faults("needs", _bad_needs(frame, resources))


def options_faults(case: Case) -> list[Fault]:
    """Check that the options of projects are theirs, and no two of them for the same phase."""
    projects = case.get("projects")
    if projects is None or "phases" in case.unread or not (projects.frame["options"] != "").any():
        return []
    phases = case.frame("phases")
    groups: dict[tuple[str, str], dict[str, set[str]]] = {}
    if phases is not None:
        names = ("project", "kind", "option", "phase")
        for project, kind, option, phase in zip(*(phases[name] for name in names), strict=True):
            of_option = groups.setdefault((project, kind), {})
            if option:
                of_option.setdefault(option, set()).add(phase)
    return projects.faults("options", _bad_options(projects.frame, groups))


def _bad_options(
    projects: pd.DataFrame, groups: Mapping[tuple[str, str], Mapping[str, set[str]]]
) -> Iterator[Bad]:
    """Yield options that a project does not have, or that go for a phase twice."""
    rows = zip(projects.index, projects["project"], projects["kind"], strict=True)
    for (at, project, kind), listed in zip(rows, projects["options"], strict=True):
        own = ((project, kind), (project, ""), ("", kind), ("", ""))
        known = next((groups[group] for group in own if group in groups), {})
        taken: set[str] = set()
        for name in _parts(listed):
            if name not in known:
                yield (
                    int(at),
                    name,
                    meant(Message("an option of the project in phases.csv"), name, known),
                )
            elif taken & known[name]:
                phase = min(taken & known[name])
                yield int(at), name, Message("one option for phase {phase}", {"phase": phase})
            taken |= known.get(name, set())


def _bad_option_phases(phases: pd.DataFrame) -> Iterator[Bad]:
    """Yield phases of options that the project or kind does not have as usual."""
    for _, rows in phases.groupby(["project", "kind"], sort=False):
        usual = rows["phase"][rows["option"] == ""].tolist()
        for at, phase, option in zip(rows.index, rows["phase"], rows["option"], strict=True):
            if option and phase not in usual:
                expected = meant(Message("a usual phase of the same project or kind"), phase, usual)
                yield int(at), phase, expected


def _bad_months(phases: pd.DataFrame) -> Iterator[Bad]:
    """Yield what is listed as observed durations and is not months."""
    for at, listed in enumerate(phases["observed_months"].tolist()):
        for part in _parts(listed):
            if not re.fullmatch(r"[0-9]+(\.[0-9]*)?", part) or not float(part) <= MOST_MONTHS:
                yield at, part, Message("months from 0 to 1,200")


def _bad_order(phases: pd.DataFrame) -> Iterator[Bad]:
    """Yield phases that wait for an unknown one or, round a circle, for themselves.

    A phase without ``after`` waits for the row above of the same project or kind.
    """
    for _, rows in phases.groupby(["project", "kind"], sort=False):
        names = rows["phase"].tolist()
        graph: dict[str, list[str]] = {}
        last = ""
        for at, name, after in zip(rows.index, names, rows["after"], strict=True):
            before = _parts(after) or ([last] if last else [])
            for phase in before:
                if phase not in names and ":" not in phase:
                    yield (
                        int(at),
                        phase,
                        meant(Message("a phase of the same project or kind"), phase, names),
                    )
            graph[name] = [phase for phase in before if phase in names]
            last = name
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = ", ".join(dict.fromkeys(error.args[1]))
            yield int(rows.index[0]), circle, Message("phases that do not wait for each other")


def _bad_phases_elsewhere(phases: pd.DataFrame) -> Iterator[Bad]:
    """Yield ``PROJECT:PHASE`` that the other project, if it has rows of its own, has not."""
    own = {str(name): set(rows["phase"]) for name, rows in phases.groupby("project") if name}
    shared = set(phases["phase"][phases["project"] == ""])
    names = set(phases["phase"])
    for at, after in enumerate(phases["after"].tolist()):
        for part in _parts(after):
            project, colon, phase = part.partition(":")
            known = own.get(project, shared)
            if colon and part not in names and phase not in known:
                yield at, part, meant(Message("PROJECT:PHASE of a phase"), phase, known)


def _bad_needs(phases: pd.DataFrame, resources: set[str] | None) -> Iterator[Bad]:
    """Yield needs that are no units of a known resource; None: any resource will do."""
    for at, needs in enumerate(phases["needs"].tolist()):
        for part in _parts(needs):
            name, _, units = (text.strip() for text in part.partition("="))
            if not (units.isascii() and units.isdigit()) or len(units) > 15:
                yield at, part, Message("resource=units, units a whole number")
            elif resources is not None and name not in resources:
                yield at, name, meant(Message("a resource"), name, resources)


def resources_faults(case: Case) -> list[Fault]:
    """Check that calendars are known, and that a resource is renewable or released by date."""
    resources = case.get("resources")
    if resources is None:
        return []
    calendars = case.settings.calendars
    faults = resources.unknown(
        "calendar", calendars, Message("a {section}", {"section": "[calendars.NAME]"}), blank=True
    )
    frame = resources.frame
    renewable = frame["from"] == ""
    whole = renewable.groupby([frame["resource"], frame["county"]]).transform("all")
    mixed = renewable & ~whole
    return faults + resources.where(
        mixed, "from", Message("a date, as in other rows of the resource")
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
