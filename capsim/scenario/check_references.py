"""Every name must lead somewhere: areas, counties, stages, grades, schools, projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from .check_case import Case, unknown
from .faults import Fault
from .typed import Typed

__all__ = ["links_faults", "reference_faults"]

AREAS = ("pupils", "births", "forecast", "schools", "projects", "links", "dwellings", "migration")
COUNTIES = ("limits", "resources")
STAGES = ("schools", "rolls", "projects")
GRADES = ("pupils", "forecast", "migration", "rolls")


def reference_faults(case: Case) -> list[Fault]:
    """Names that stand in no table and no setting."""
    faults: list[Fault] = []
    areas = None if "areas" in case.unread else case.get("areas")
    if areas is not None:
        named = set(areas.frame["area"])
        counties = {*areas.frame["county"], "*"}
        faults += _each(case, AREAS, "area", lambda t: unknown(t, "area", named, "an area"))
        faults += _each(
            case, COUNTIES, "county", lambda t: unknown(t, "county", counties, "a county, or *")
        )
        star = (areas.frame["county"] == "*").to_numpy(dtype=bool)
        faults += areas.where(star, "county", "a county of its own name (* is the whole)")
    elif "areas" not in case.unread:
        for name in AREAS:
            if name != "projects" and (typed := case.get(name)) is not None:
                file = typed.file.replace(name, "areas")
                faults.append(Fault(file, None, "", "", f"the table of areas, as {name} is given"))
                break
    if case.stages:
        faults += _each(
            case, STAGES, "stage", lambda t: unknown(t, "stage", case.stages, "a stage")
        )
        faults += _each(
            case, GRADES, "grade", lambda t: unknown(t, "grade", case.grades, "a grade")
        )
    schools = case.get("schools")
    rolls = case.get("rolls")
    if rolls is not None and "schools" not in case.unread:
        taught = set() if schools is None else _pairs(schools, "school")
        faults += _no_pair(rolls, "school", taught, "a school and stage of the table schools")
        own = rolls.frame["grade"].map(case.grades)
        other = (own.notna() & (own != rolls.frame["stage"])).to_numpy(dtype=bool)
        faults += rolls.where(other, "grade", "a grade of the row's stage")
    for name in ("areas", "schools", "projects"):
        if (typed := case.get(name)) is not None:
            half = (typed.frame["x_km"].isna() != typed.frame["y_km"].isna()).to_numpy(dtype=bool)
            faults += typed.where(half, "x_km", "both x_km and y_km, or neither")
    return faults


def links_faults(case: Case) -> list[Fault]:
    """Links that lead to nowhere, or to an area and a school at once."""
    links = case.get("links")
    if links is None:
        return []
    frame = links.frame
    to_area, to_school = frame["to_area"] != "", frame["to_school"] != ""
    faults = links.where(
        (to_area == to_school).to_numpy(dtype=bool),
        "to_area",
        "exactly one of to_area and to_school",
    )
    if "areas" not in case.unread and (areas := case.frame("areas")) is not None:
        faults += unknown(links, "to_area", set(areas["area"]), "an area", blank=True)
    if case.stages:
        faults += unknown(links, "stage", case.stages, "a stage", blank=True)
    if {"schools", "projects"} & case.unread:
        return faults
    there: set[tuple[str, str]] = set()
    if (schools := case.get("schools")) is not None:
        there |= _pairs(schools, "school")
    if (projects := case.frame("projects")) is not None:
        own = projects[projects["school"] == ""]
        there |= set(zip(own["project"], own["stage"], strict=True))
    names = {name for name, _ in there}
    faults += unknown(links, "to_school", names, "a school or a project of its own", blank=True)
    staged = (frame["stage"] != "") & frame["to_school"].isin(names)
    wrong = [
        bool(has) and (school, stage) not in there
        for has, school, stage in zip(staged, frame["to_school"], frame["stage"], strict=True)
    ]
    return faults + links.where(np.array(wrong, dtype=bool), "stage", "a stage of that school")


def _each(
    case: Case, names: Iterable[str], column: str, look: Callable[[Typed], list[Fault]]
) -> list[Fault]:
    found: list[Fault] = []
    for name in names:
        if (typed := case.get(name)) is not None and column in typed.frame:
            found += look(typed)
    return found


def _pairs(typed: Typed, column: str) -> set[tuple[str, str]]:
    return set(zip(typed.frame[column], typed.frame["stage"], strict=True))


def _no_pair(typed: Typed, column: str, known: set[tuple[str, str]], what: str) -> list[Fault]:
    pairs = zip(typed.frame[column], typed.frame["stage"], strict=True)
    return typed.where(np.array([pair not in known for pair in pairs], dtype=bool), column, what)
