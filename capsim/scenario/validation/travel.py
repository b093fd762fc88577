"""Ways to school: what links by distance, limits of day travel and catchments need to be known."""

from __future__ import annotations

import numpy as np

from capsim.scenario.faults import Fault
from capsim.scenario.travel import day_limits
from capsim.scenario.validation.context import Case, pairs, without_pair


def nearby_faults(case: Case) -> list[Fault]:
    """Check that links by distance have coordinates of every area, and no listed ones beside."""
    travel = case.settings.travel
    faults: list[Fault] = []
    for key, by_stage in (("nearest", travel.nearest), ("radius_km", travel.radius_km)):
        if by_stage and case.get("links") is not None:
            expected = "nothing where a table links lists who may attend where"
            faults.append(case.fault(f"travel.{key}", ", ".join(by_stage), expected))
        elif by_stage:
            faults += _blank(case, "x_km", f"coordinates, which travel.{key} measures by")
    return faults


def day_travel_faults(case: Case) -> list[Fault]:
    """Check that limits on minutes have minutes or a speed, those of standards kinds of areas."""
    travel = case.settings.travel
    faults: list[Fault] = []
    if travel.standard_limits:
        faults += _blank(case, "kind", "a kind, by which travel.standard_limits go")
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
        expected = "minutes, or travel.km_per_hour, as day travel is limited in minutes"
        return faults + links.where(silent, "minutes", expected)
    if "links" not in case.unread and case.get("areas") is not None:
        expected = f"a speed, as day travel of {', '.join(timed)} is limited in minutes"
        faults.append(case.fault("travel.km_per_hour", "", expected))
    return faults


def catchment_faults(case: Case) -> list[Fault]:
    """Check that borders are between areas, and that catchments have links to schools."""
    faults: list[Fault] = []
    rules = case.settings.catchments
    if (borders := case.get("borders")) is not None:
        areas = case.values("areas", "area")
        for column in ("area", "to_area"):
            faults += borders.unknown(column, areas, "an area")
        same = borders.frame["area"] == borders.frame["to_area"]
        faults += borders.where(same, "to_area", "another area")
    elif rules.stages and rules.connected and "borders" not in case.unread:
        expected = "coordinates, or a table borders, as catchments are to have no islands"
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
    expected = f"a row of links from its own area, as catchments.stages names {stage}"
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


def _blank(case: Case, column: str, expected: str) -> list[Fault]:
    """Name the areas that leave a column blank."""
    areas = case.get("areas")
    if areas is None:
        return []
    values = areas.frame[column]
    return areas.where(values.isna() | (values == ""), column, expected)
