"""Who may attend where, and what a pupil's way costs a school year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.certificate.given import Given
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
    """

    area_cost: Floats
    school_cost: Floats
    own: Bools


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
    area_cost = np.full((S, A, A), np.inf)
    school_cost = np.full((A, J), np.inf)
    own = np.zeros(J, bool)
    itself = np.eye(A, dtype=bool)
    if len(rows) == 0:
        area_cost[:, itself] = 0.0
        if travel.within_county:
            near = given.area_county[:, None] == given.area_county[None, :]
            cost = distance(xy, xy, default) * price
            area_cost[:, near & ~itself] = cost[near & ~itself]
        return Links(area_cost, school_cost, own)

    at_area = pd.Index(given.areas).get_indexer(pd.Index(rows["area"]))
    to_area = pd.Index(given.areas).get_indexer(pd.Index(rows["to_area"]))
    between = distance(xy, xy, default)
    between[itself] = 0.0
    to_schools = distance(xy, school_xy, default)
    km = rows["km"].to_numpy(np.float64)
    given_cost = rows["cost_cny"].to_numpy(np.float64)
    schools = given.providers.schools["school"].to_numpy()
    special = np.zeros((S, A), bool)
    # Rows for every stage first, so that a row with a stage replaces them.
    stages, names = rows["stage"].tolist(), rows["to_school"].tolist()
    for i in sorted(range(len(rows)), key=lambda i: stages[i] != ""):
        stage, name = stages[i], names[i]
        a = at_area[i]
        in_stages = np.array([stage in ("", s) for s in given.stage_names])
        if name == "":
            length = between[a, to_area[i]] if np.isnan(km[i]) else km[i]
            cost = length * price if np.isnan(given_cost[i]) else given_cost[i]
            area_cost[in_stages, a, to_area[i]] = cost
            continue
        targets = (schools == name) & in_stages[given.providers.stage]
        lengths = to_schools[a] if np.isnan(km[i]) else np.full(J, km[i])
        costs = lengths * price if np.isnan(given_cost[i]) else np.full(J, given_cost[i])
        school_cost[a, targets] = costs[targets]
        own |= targets
        special[given.providers.stage[targets], a] = True
    automatic = itself[None, :, :] & ~special[:, :, None] & np.isinf(area_cost)
    area_cost[automatic] = 0.0
    return Links(area_cost, school_cost, own)


def distance(start: Floats, end: Floats, default: float) -> Floats:
    """Kilometres between points; ``default`` where a coordinate is not known."""
    gap = start[:, None, :] - end[None, :, :]
    km = np.hypot(gap[:, :, 0], gap[:, :, 1])
    return np.where(np.isnan(km), default, km)
