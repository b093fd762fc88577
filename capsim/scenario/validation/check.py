"""All checks of a scenario, and first of all that what is named exists.

A table with bad cells is judged by its other rows, or not at all. Names are those of
areas, counties, stages, grades, schools and projects; links, limits of day travel and catchments
are checked by the distances, coordinates and borders that they need.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Typed
from capsim.scenario.settings import Settings
from capsim.scenario.travel import day_limits
from capsim.scenario.validation.context import (
    Case,
    breaches,
    completeness_warnings,
    pairs,
    without_pair,
)
from capsim.scenario.validation.people import (
    births_faults,
    forecast_faults,
    pupils_faults,
    schools_faults,
)
from capsim.scenario.validation.projects import (
    choice_faults,
    options_faults,
    phases_faults,
    programme_faults,
    programme_warnings,
    projects_faults,
    resources_faults,
)
from capsim.scenario.validation.settings import (
    OF_ORDERS,
    amount_warnings,
    odd_warnings,
    order_warnings,
    settings_faults,
    stage_table,
)

OF_AREAS = (
    "pupils",
    "births",
    "forecast",
    "schools",
    "projects",
    "links",
    "boundaries",
    "dwellings",
    "migration",
)
OF_COUNTIES = ("limits", "resources")
OF_STAGES = ("schools", "rolls", "projects")
OF_GRADES = ("pupils", "forecast", "migration", "rolls")


def reference_faults(case: Case) -> list[Fault]:
    """Check that names stand in a table or setting, and that coordinates are whole."""
    faults: list[Fault] = []
    areas = case.get("areas")
    if areas is not None and "areas" not in case.unread:
        counties = {*areas.frame["county"], "*"}
        faults += _unknown(case, OF_AREAS, "area", set(areas.frame["area"]), Message("an area"))
        faults += _unknown(case, OF_COUNTIES, "county", counties, Message("a county, or *"))
        expected = Message("a county of its own name (* is the whole)")
        faults += areas.where(areas.frame["county"] == "*", "county", expected)
    elif "areas" not in case.unread:
        for name in OF_AREAS:
            if name != "projects" and (typed := case.get(name)) is not None:
                file = typed.file.replace(name, "areas")
                expected = Message("the table of areas, as {table} is given", {"table": name})
                faults.append(Fault(file, None, "", "", expected))
                break
    if (boundaries := case.get("boundaries")) is not None:
        rings = boundaries.frame.groupby(["area", "ring"])["point"].transform("size")
        faults += boundaries.where(rings < 3, "ring", Message("a ring of three points or more"))
    if case.stages:
        faults += _unknown(case, OF_STAGES, "stage", case.stages, Message("a stage"))
        faults += _unknown(case, OF_GRADES, "grade", case.grades, Message("a grade"))
    rolls = case.get("rolls")
    if rolls is not None and "schools" not in case.unread:
        own = rolls.frame["grade"].map(case.grades)
        strange = without_pair(rolls.frame, "school", "stage", case.taught())
        faults += breaches(
            rolls,
            (strange, "school", Message("a school and stage of the table schools")),
            (
                own.notna() & (own != rolls.frame["stage"]),
                "grade",
                Message("a grade of the row's stage"),
            ),
        )
    for name in ("areas", "schools", "projects"):
        if (typed := case.get(name)) is not None:
            half = typed.frame["x_km"].isna() != typed.frame["y_km"].isna()
            faults += typed.where(half, "x_km", Message("both x_km and y_km, or neither"))
    return faults


def links_faults(case: Case) -> list[Fault]:
    """Check that links lead to an area or to a school of their stage, not to both."""
    links = case.get("links")
    if links is None:
        return []
    frame = links.frame
    both = (frame["to_area"] != "") == (frame["to_school"] != "")
    faults = links.where(both, "to_area", Message("exactly one of to_area and to_school"))
    if "areas" not in case.unread and (areas := case.values("areas", "area")):
        faults += links.unknown("to_area", areas, Message("an area"), blank=True)
    if case.stages:
        faults += links.unknown("stage", case.stages, Message("a stage"), blank=True)
    if {"schools", "projects"} & case.unread:
        return faults
    taught = case.taught()
    if (projects := case.frame("projects")) is not None:
        taught |= pairs(projects[projects["school"] == ""], "project", "stage")
    names = {name for name, _ in taught}
    faults += links.unknown(
        "to_school", names, Message("a school or a project of its own"), blank=True
    )
    staged = (frame["stage"] != "") & frame["to_school"].isin(names)
    other = staged & without_pair(frame, "to_school", "stage", taught)
    return faults + links.where(other, "stage", Message("a stage of that school"))


def _unknown(
    case: Case, tables: Iterable[str], column: str, known: Collection[str], what: Message
) -> list[Fault]:
    return [
        fault
        for name in tables
        if (typed := case.get(name)) is not None
        for fault in typed.unknown(column, known, what)
    ]


def nearby_faults(case: Case) -> list[Fault]:
    """Check that links by distance have coordinates of every area, and no listed ones beside."""
    travel = case.settings.travel
    faults: list[Fault] = []
    for key, by_stage in (("nearest", travel.nearest), ("radius_km", travel.radius_km)):
        if by_stage and case.get("links") is not None:
            expected = Message("nothing where a table links lists who may attend where")
            faults.append(case.fault(f"travel.{key}", ", ".join(by_stage), expected))
        elif by_stage:
            expected = Message("coordinates, which travel.{key} measures by", {"key": key})
            faults += _blank(case, "x_km", expected)
    return faults


def day_travel_faults(case: Case) -> list[Fault]:
    """Check that limits on minutes have minutes or a speed, those of standards kinds of areas."""
    travel = case.settings.travel
    faults: list[Fault] = []
    if travel.standard_limits:
        faults += _blank(case, "kind", Message("a kind, by which travel.standard_limits go"))
    no_area = np.zeros(0, object)
    timed = [
        name
        for name in case.settings.stages.planned
        if name in case.stages and day_limits(case.settings, case.stages[name], no_area)[1] < np.inf
    ]
    if not timed or travel.km_per_hour is not None:
        return faults
    if (links := case.get("links")) is not None:
        silent = links.frame["minutes"].isna() & links.frame["stage"].isin(["", *timed])
        expected = Message("minutes, or travel.km_per_hour, as day travel is limited in minutes")
        return faults + links.where(silent, "minutes", expected)
    if "links" not in case.unread and case.get("areas") is not None:
        expected = Message(
            "a speed, as day travel of {stages} is limited in minutes", {"stages": tuple(timed)}
        )
        faults.append(case.fault("travel.km_per_hour", "", expected))
    return faults


def catchment_faults(case: Case) -> list[Fault]:
    """Check that borders are between areas, and that catchments have links to schools."""
    faults: list[Fault] = []
    rules = case.settings.catchments
    if (borders := case.get("borders")) is not None:
        areas = case.values("areas", "area")
        for column in ("area", "to_area"):
            faults += borders.unknown(column, areas, Message("an area"))
        same = borders.frame["area"] == borders.frame["to_area"]
        faults += borders.where(same, "to_area", Message("another area"))
    elif rules.stages and rules.connected and "borders" not in case.unread:
        expected = Message("coordinates, or a table borders, as catchments are to have no islands")
        faults += _blank(case, "x_km", expected)
    if {"schools", "projects", "links"} & case.unread:
        return faults
    for stage in rules.stages:
        faults += _own_area_faults(case, stage)
    return faults


def _own_area_faults(case: Case, stage: str) -> list[Fault]:
    """Name the public schools of a stage with catchments that have no link from their own area."""
    travel = case.settings.travel
    if stage in travel.nearest or stage in travel.radius_km:
        return []
    links, linked = case.frame("links"), set[tuple[str, str]]()
    if links is not None:
        linked = pairs(links[links["stage"].isin(["", stage])], "area", "to_school")
    text = "a row of links from its own area, as catchments.stages names {name}"
    expected = Message(text, {"name": stage})
    faults: list[Fault] = []
    if (schools := case.get("schools")) is not None:
        frame = schools.frame
        public = (frame["stage"] == stage) & (frame["sector"] == "public")
        alone = public & without_pair(frame, "area", "school", linked)
        faults += schools.where(alone, "school", expected)
    if (projects := case.get("projects")) is not None:
        frame = projects.frame
        own = (frame["school"] == "") & (frame["kind"] != "inclusive_kindergarten")
        alone = (frame["stage"] == stage) & own & without_pair(frame, "area", "project", linked)
        faults += projects.where(alone, "project", expected)
    return faults


def _blank(case: Case, column: str, expected: Message) -> list[Fault]:
    """Name the areas that leave a column blank."""
    areas = case.get("areas")
    if areas is None:
        return []
    values = areas.frame[column]
    return areas.where(values.isna() | (values == ""), column, expected)


OF_ROWS = (reference_faults, links_faults, pupils_faults, schools_faults, projects_faults)
"""Checks of single rows: of a table of which some cannot be read they look at the others."""
OF_TABLES = (
    nearby_faults,
    day_travel_faults,
    catchment_faults,
    births_faults,
    forecast_faults,
    programme_faults,
    choice_faults,
    options_faults,
    phases_faults,
    resources_faults,
)


def check(
    settings: Settings,
    tables: Mapping[str, Typed],
    file: str,
    *,
    known: tuple[Message, ...] | None = None,
    given: bool = True,
) -> tuple[list[Fault], tuple[Message, ...]]:
    """Return every fault and warning of a scenario, as far as its cells could be read.

    ``known`` are the warnings found when the tables, and all settings that they are checked
    against, were checked before: they are not checked again. ``given`` is false where the settings
    stand in for ones with faults: then they are not checked themselves.
    """
    stages, faults = stage_table(settings, file)
    sound = {name: typed for name, typed in tables.items() if typed.sound}
    unread = frozenset(tables) - frozenset(sound)
    case = Case(settings, sound, unread, stages, file)
    if given:
        faults += settings_faults(case)
    if known is not None:
        kept = [one for one in known if one.msgid not in OF_ORDERS]
        return faults, (*kept, *order_warnings(case))
    readable = {name: typed.readable() for name, typed in tables.items()}
    for check_rows in OF_ROWS:
        faults += check_rows(Case(settings, readable, unread, stages, file))
    for check_table in OF_TABLES:
        faults += check_table(case)
    if faults:
        return faults, ()
    return faults, (
        *_use_warnings(case),
        *programme_warnings(case),
        *amount_warnings(case),
        *odd_warnings(case),
        *order_warnings(case),
        *completeness_warnings(case),
    )


def _use_warnings(case: Case) -> list[Message]:
    with_rows = {name for name in case.tables if case.get(name) is not None}
    plans = "areas" in with_rows and bool(with_rows & {"pupils", "forecast"})
    if plans or "projects" in with_rows:
        return []
    text = "nothing to plan (areas and pupils or forecast) and nothing to build (projects)"
    return [Message(text)]
