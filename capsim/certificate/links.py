"""Who may attend where, and what a pupil's way costs a school year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.certificate.given import Given, Ints
from capsim.certificate.ledger import Bools, Floats


@dataclass(frozen=True)
class Links:
    """Links by stage.

    Attributes
    ----------
    area_cost : array [stage, area, to_area]
        RMB a pupil and school year; inf where there is no link.
    school_cost : array [area, provider]
        The same for links to a school; inf where there is none.
    own : array [provider]
        Providers that are reached by links of their own only.
    area_far, school_far : arrays of bool, as the costs
        Links too far for day pupils.
    """

    area_cost: Floats
    school_cost: Floats
    own: Bools
    area_far: Bools
    school_far: Bools


def read_links(given: Given) -> Links:
    """Links of a scenario, listed or automatic."""
    scenario, travel = given.scenario, given.settings.travel
    price = float(given.settings.costs.travel_cny_per_km)
    frame = scenario.table("areas")
    xy = frame[["x_km", "y_km"]].to_numpy(np.float64)
    school_xy = given.providers.schools[["x_km", "y_km"]].to_numpy(np.float64)
    missing = np.isnan(school_xy).any(axis=1)
    school_xy = np.where(missing[:, None], xy[given.providers.area], school_xy)
    default = float(travel.default_km)
    rows = scenario.table("links")
    S, A, J = len(given.stages), len(given.areas), len(given.providers.names)
    area_km, area_minutes = np.full((S, A, A), np.nan), np.full((S, A, A), np.nan)
    school_km, school_minutes = np.full((A, J), np.nan), np.full((A, J), np.nan)
    area_said, school_said = np.full((S, A, A), np.nan), np.full((A, J), np.nan)
    own = np.zeros(J, bool)
    itself = np.eye(A, dtype=bool)
    between = distance(xy, xy, default)
    special = np.zeros((S, A), bool)
    if len(rows) == 0:
        if travel.within_county:
            near = given.area_county[:, None] == given.area_county[None, :]
            area_km[:, near] = between[near]
        area_km[:, itself] = 0.0
    else:
        at_area = pd.Index(given.areas).get_indexer(pd.Index(rows["area"]))
        to_area = pd.Index(given.areas).get_indexer(pd.Index(rows["to_area"]))
        between[itself] = 0.0
        to_schools = distance(xy, school_xy, default)
        numbers = [rows[c].to_numpy(np.float64) for c in ("km", "minutes", "cost_cny")]
        schools = given.providers.schools["school"].to_numpy()
        # Rows for every stage first, so that a row with a stage replaces them.
        stages, names = rows["stage"].tolist(), rows["to_school"].tolist()
        for i in sorted(range(len(rows)), key=lambda i: stages[i] != ""):
            stage, name, a = stages[i], names[i], at_area[i]
            km, minutes, cost = (column[i] for column in numbers)
            in_stages = np.array([stage in ("", s) for s in given.stage_names])
            if name == "":
                area_km[in_stages, a, to_area[i]] = between[a, to_area[i]] if np.isnan(km) else km
                area_minutes[in_stages, a, to_area[i]] = minutes
                area_said[in_stages, a, to_area[i]] = cost
                continue
            targets = (schools == name) & in_stages[given.providers.stage]
            school_km[a, targets] = to_schools[a, targets] if np.isnan(km) else km
            school_minutes[a, targets] = minutes
            school_said[a, targets] = cost
            own |= targets
            special[given.providers.stage[targets], a] = True
        automatic = itself[None, :, :] & ~special[:, :, None] & np.isnan(area_km)
        area_km[automatic] = 0.0

    def cost_of(km: Floats, said: Floats, far: Bools) -> Floats:
        weekly = np.where(far, float(given.settings.costs.boarder_travel_share), 1.0)
        owed = np.where(np.isnan(said), km * price * weekly, said)
        return np.where(np.isnan(km), np.inf, owed)

    every = np.arange(S)
    kind = frame["kind"].to_numpy(object)
    area_far = beyond(given, every[:, None, None], kind[None, :, None], area_km, area_minutes)
    school_far = beyond(
        given, given.providers.stage[None, :], kind[:, None], school_km, school_minutes
    )
    return Links(
        cost_of(area_km, area_said, area_far),
        cost_of(school_km, school_said, school_far),
        own,
        area_far,
        school_far,
    )


def beyond(given: Given, stage: Ints, kind: NDArray[Any], km: Floats, minutes: Floats) -> Bools:
    """Whether a way is farther or longer than day pupils of a stage and kind of area may have."""
    travel = given.settings.travel
    far = np.zeros(km.shape, bool)
    if not given.on("boarding"):
        return far
    for s, one in enumerate(given.stages):
        name, mine = one.name, np.broadcast_to(stage == s, km.shape)
        urban = np.broadcast_to(kind == "urban", km.shape)
        most: float | Floats = np.inf
        if name in travel.day_km:
            most = float(travel.day_km[name])
        elif travel.standard_limits:
            outside = one.rural_radius_km if one.rural_radius_km > 0 else one.service_radius_km
            most = np.where(urban, one.service_radius_km, outside)
        longest = np.inf
        if name in travel.day_minutes:
            longest = float(travel.day_minutes[name])
        elif travel.standard_limits and one.day_minutes > 0:
            longest = float(one.day_minutes)
        took = minutes
        if travel.km_per_hour is not None:
            took = np.where(np.isnan(minutes), 60.0 * km / float(travel.km_per_hour), minutes)
        with np.errstate(invalid="ignore"):
            far |= mine & ((km - most > 1e-9) | (took - longest > 1e-9))
    return far & ~np.isnan(km)


def boards(given: Given) -> Bools:
    """Whether children of a grade may board ``[g]``."""
    out = []
    for one in given.stages:
        start = int(one.boards_from_year)
        out += [start > 0 and year >= start for year in range(1, len(one.grades) + 1)]
    return np.array(out, bool)


def distance(start: Floats, end: Floats, default: float) -> Floats:
    """Kilometres between points; ``default`` where a coordinate is not known."""
    gap = start[:, None, :] - end[None, :, :]
    km = np.hypot(gap[:, :, 0], gap[:, :, 1])
    return np.where(np.isnan(km), default, km)
