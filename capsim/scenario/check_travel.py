"""Ways to school: what links from distances and the limits of day travel need to be known."""

from __future__ import annotations

import numpy as np

from .check_case import Case
from .day_travel import day_limits
from .faults import Fault

__all__ = ["day_travel_faults", "nearby_faults"]


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
