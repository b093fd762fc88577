"""Ways to school: what links from distances and the limits of day travel need to be known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .check_case import Case, unknown
from .day_travel import day_limits
from .faults import Fault

__all__ = ["catchment_faults", "day_travel_faults", "nearby_faults"]


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
