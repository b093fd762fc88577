"""Every name must lead somewhere: areas, counties, stages, grades, schools, projects."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from capsim.scenario.faults import Fault
from capsim.scenario.validation.context import Case, breaches, pairs, without_pair

OF_AREAS = (
    "pupils",
    "births",
    "forecast",
    "schools",
    "projects",
    "links",
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
        faults += _unknown(case, OF_AREAS, "area", set(areas.frame["area"]), "an area")
        faults += _unknown(case, OF_COUNTIES, "county", counties, "a county, or *")
        expected = "a county of its own name (* is the whole)"
        faults += areas.where(areas.frame["county"] == "*", "county", expected)
    elif "areas" not in case.unread:
        for name in OF_AREAS:
            if name != "projects" and (typed := case.get(name)) is not None:
                file = typed.file.replace(name, "areas")
                faults.append(Fault(file, None, "", "", f"the table of areas, as {name} is given"))
                break
    if case.stages:
        faults += _unknown(case, OF_STAGES, "stage", case.stages, "a stage")
        faults += _unknown(case, OF_GRADES, "grade", case.grades, "a grade")
    rolls = case.get("rolls")
    if rolls is not None and "schools" not in case.unread:
        own = rolls.frame["grade"].map(case.grades)
        strange = without_pair(rolls.frame, "school", "stage", case.taught())
        faults += breaches(
            rolls,
            (strange, "school", "a school and stage of the table schools"),
            (own.notna() & (own != rolls.frame["stage"]), "grade", "a grade of the row's stage"),
        )
    for name in ("areas", "schools", "projects"):
        if (typed := case.get(name)) is not None:
            half = typed.frame["x_km"].isna() != typed.frame["y_km"].isna()
            faults += typed.where(half, "x_km", "both x_km and y_km, or neither")
    return faults


def links_faults(case: Case) -> list[Fault]:
    """Check that links lead to an area or to a school of their stage, not to both."""
    links = case.get("links")
    if links is None:
        return []
    frame = links.frame
    both = (frame["to_area"] != "") == (frame["to_school"] != "")
    faults = links.where(both, "to_area", "exactly one of to_area and to_school")
    if "areas" not in case.unread and (areas := case.values("areas", "area")):
        faults += links.unknown("to_area", areas, "an area", blank=True)
    if case.stages:
        faults += links.unknown("stage", case.stages, "a stage", blank=True)
    if {"schools", "projects"} & case.unread:
        return faults
    taught = case.taught()
    if (projects := case.frame("projects")) is not None:
        taught |= pairs(projects[projects["school"] == ""], "project", "stage")
    names = {name for name, _ in taught}
    faults += links.unknown("to_school", names, "a school or a project of its own", blank=True)
    staged = (frame["stage"] != "") & frame["to_school"].isin(names)
    other = staged & without_pair(frame, "to_school", "stage", taught)
    return faults + links.where(other, "stage", "a stage of that school")


def _unknown(
    case: Case, tables: Iterable[str], column: str, known: Collection[str], what: str
) -> list[Fault]:
    return [
        fault
        for name in tables
        if (typed := case.get(name)) is not None
        for fault in typed.unknown(column, known, what)
    ]
