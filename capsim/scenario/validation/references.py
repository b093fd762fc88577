"""Every name must lead somewhere: areas, counties, stages, grades, schools, projects.

Ways to school: what links from distances and the limits of day travel need to be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Typed
from capsim.scenario.travel import day_limits
from capsim.scenario.validation.context import Case, unknown

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


def nearby_faults(case: Case) -> list[Fault]:
    """Links from distances need coordinates of every area, and no listed ones beside them."""
    travel = case.settings.travel
    faults: list[Fault] = []
    for key, said in (("nearest", travel.nearest), ("radius_km", travel.radius_km)):
        if said and case.get("links") is not None:
            expected = "nothing where a table links lists who may attend where"
            faults.append(case.fault(f"travel.{key}", ", ".join(said), expected))
        elif said and (areas := case.get("areas")) is not None:
            blank = areas.frame["x_km"].isna().to_numpy(dtype=bool)
            faults += areas.where(blank, "x_km", f"coordinates, which travel.{key} measures by")
    return faults


def day_travel_faults(case: Case) -> list[Fault]:
    """Limits on minutes need minutes, or a speed; those of the standards the kind of each area."""
    travel = case.settings.travel
    areas = case.get("areas")
    faults: list[Fault] = []
    if travel.standard_limits and areas is not None:
        blank = (areas.frame["kind"] == "").to_numpy(dtype=bool)
        faults += areas.where(blank, "kind", "a kind, by which travel.standard_limits go")
    none = np.zeros(0, object)
    timed = [
        name
        for name in case.settings.stages.planned
        if name in case.stages and day_limits(case.settings, case.stages[name], none)[1] < np.inf
    ]
    if not timed or travel.km_per_hour is not None:
        return faults
    if (links := case.get("links")) is not None:
        silent = links.frame["minutes"].isna() & links.frame["stage"].isin(["", *timed])
        what = "minutes, or travel.km_per_hour, as day travel is limited in minutes"
        return faults + links.where(silent.to_numpy(dtype=bool), "minutes", what)
    if "links" not in case.unread and areas is not None:
        what = f"a speed, as day travel of {', '.join(timed)} is limited in minutes"
        faults.append(case.fault("travel.km_per_hour", "", what))
    return faults


def catchment_faults(case: Case) -> list[Fault]:
    """Borders are between areas; catchments need links to single schools, and borders."""
    faults: list[Fault] = []
    rules, areas = case.settings.catchments, case.get("areas")
    if (borders := case.get("borders")) is not None:
        named = set() if areas is None else set(areas.frame["area"])
        faults += unknown(borders, "area", named, "an area")
        faults += unknown(borders, "to_area", named, "an area")
        same = (borders.frame["area"] == borders.frame["to_area"]).to_numpy(dtype=bool)
        faults += borders.where(same, "to_area", "another area")
    elif rules.stages and rules.connected and areas is not None and "borders" not in case.unread:
        blank = areas.frame["x_km"].isna().to_numpy(dtype=bool)
        what = "coordinates, or a table borders, as catchments are to have no islands"
        faults += areas.where(blank, "x_km", what)
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
    links, said = case.frame("links"), set[tuple[str, str]]()
    if links is not None:
        mine = links[links["stage"].isin(["", stage])]
        said = set(zip(mine["area"], mine["to_school"], strict=True))
    what = f"a row of links from its own area, as catchments.stages names {stage}"
    faults: list[Fault] = []
    for table, column in (("schools", "school"), ("projects", "project")):
        if (typed := case.get(table)) is None:
            continue
        frame = typed.frame
        own = frame["stage"] == stage
        if table == "schools":
            own &= frame["sector"] == "public"
        else:
            own &= (frame["school"] == "") & (frame["kind"] != "inclusive_kindergarten")
        linked = [pair in said for pair in zip(frame["area"], frame[column], strict=True)]
        faults += typed.where((own & ~pd.Series(linked, frame.index)).to_numpy(bool), column, what)
    return faults
