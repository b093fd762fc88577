"""Who may attend where: links from areas to areas or to single schools, by stage.

A child on a link to an *area* sits in any provider of that area that has no links of its own;
a provider named by a link is reached by such links only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag, Index, Text
from capsim.optimize.given import Given, Space, codes


@dataclass(frozen=True)
class Links:
    """Links by stage, and their expansion by band of grades.

    Attributes
    ----------
    area, to_area, to_provider, stage : int ``[link]``; one of the two targets is -1
    cost_cny : float64 ``[link]``, a pupil and school year
    pair_link, pair_band : int ``[link × band]``
    """

    area: Index
    to_area: Index
    to_provider: Index
    stage: Index
    cost_cny: Array
    pair_link: Index
    pair_band: Index

    def names(self, given: Given) -> Text:
        """Label every link × band ``from,to,band``."""
        space, providers = given.space, given.providers
        target = np.where(
            self.to_area >= 0,
            np.append(space.areas, "")[self.to_area],
            np.append(providers.school, "")[self.to_provider],
        )
        rows = zip(space.areas[self.area], target, strict=True)
        link = np.array([f"{a},{b}" for a, b in rows], object)
        return np.array(
            [
                f"{link[i]},{space.bands.name[b]}"
                for i, b in zip(self.pair_link, self.pair_band, strict=True)
            ],
            object,
        )


def prepare_links(given: Given) -> Links:
    """Read the table ``links``, or link areas as ``docs/scenario.md`` says where there is none."""
    table = given.scenario.table("links")
    area, to_area, to_provider, stage, cost = (
        _listed(given, table) if len(table) else _automatic(given)
    )
    space = given.space
    order = np.lexsort((to_provider, to_area, area, stage))
    area, to_area, to_provider = area[order], to_area[order], to_provider[order]
    stage, cost = stage[order], cost[order]
    bands_of = [np.flatnonzero(space.bands.stage == s) for s in range(len(space.stages))]
    sizes = np.array([len(b) for b in bands_of], np.int64)[stage]
    return Links(
        area=area,
        to_area=to_area,
        to_provider=to_provider,
        stage=stage,
        cost_cny=cost,
        pair_link=np.repeat(np.arange(len(area)), sizes),
        pair_band=np.concatenate([bands_of[s] for s in stage])
        if len(area)
        else np.zeros(0, np.int64),
    )


Found = tuple[Index, Index, Index, Index, Array]


def _automatic(given: Given) -> Found:
    """Each area to itself, and to every other area of its county when that is switched on."""
    space, settings = given.space, given.scenario.settings
    n, stages = len(space.areas), len(space.stages)
    a = b = np.arange(n)
    if settings.travel.within_county:
        groups = [np.flatnonzero(space.county == c) for c in range(len(space.counties))]
        a = np.concatenate([np.repeat(g, len(g)) for g in groups])
        b = np.concatenate([np.tile(g, len(g)) for g in groups])
    km = _area_km(given, a, b)
    cost = km * settings.costs.travel_cny_per_km
    pairs = len(a)
    stage = np.repeat(np.arange(stages), pairs)
    none = np.full(pairs * stages, -1, np.int64)
    return np.tile(a, stages), np.tile(b, stages), none, stage, np.tile(cost, stages)


def _area_km(given: Given, a: Index, b: Index) -> Array:
    table = given.scenario.table("areas")
    x, y = table["x_km"].to_numpy(np.float64), table["y_km"].to_numpy(np.float64)
    return _known_km(x[a], y[a], x[b], y[b], a == b, given.scenario.settings.travel.default_km)


def _known_km(x1: Array, y1: Array, x2: Array, y2: Array, same: Flag, default: float) -> Array:
    away = np.hypot(x1 - x2, y1 - y2)
    return np.where(same, np.nan_to_num(away, nan=0.0), np.where(np.isnan(away), default, away))


def _listed(given: Given, table: pd.DataFrame) -> Found:
    """Links as listed, plus each area to itself where no row says otherwise."""
    space, providers, settings = given.space, given.providers, given.scenario.settings
    names = np.array([s.name for s in space.stages], object)
    blank = table["stage"].to_numpy(object) == ""
    exact = table[~blank & np.isin(table["stage"].to_numpy(object), names)]
    wide = (
        pd.concat([table[blank].assign(stage=name) for name in names]) if blank.any() else table[:0]
    )
    key = ["area", "to_area", "to_school", "stage"]
    rows = pd.concat([exact, wide]).drop_duplicates(key, keep="first")
    area, stage = codes(rows["area"], space.areas), codes(rows["stage"], names)
    to_area = codes(rows["to_area"], space.areas)
    index = pd.MultiIndex.from_arrays([providers.school, providers.stage])
    to_school = np.asarray(
        index.get_indexer(pd.MultiIndex.from_arrays([rows["to_school"].to_numpy(object), stage])),
        np.int64,
    )
    km = rows["km"].to_numpy(np.float64)
    km = np.where(np.isnan(km), _distance(given, area, to_area, to_school), km)
    cost = rows["cost_cny"].to_numpy(np.float64)
    cost = np.where(np.isnan(cost), km * settings.costs.travel_cny_per_km, cost)
    keep = (to_area >= 0) | (to_school >= 0)
    area, to_area, to_school, stage, cost = (
        area[keep],
        to_area[keep],
        to_school[keep],
        stage[keep],
        cost[keep],
    )
    own = _own_links(space, area, to_area, to_school, stage)
    extra_area, extra_stage = own
    count = len(extra_area)
    return (
        np.concatenate([area, extra_area]),
        np.concatenate([to_area, extra_area]),
        np.concatenate([to_school, np.full(count, -1, np.int64)]),
        np.concatenate([stage, extra_stage]),
        np.concatenate([cost, np.zeros(count)]),
    )


def _own_links(
    space: Space, area: Index, to_area: Index, to_school: Index, stage: Index
) -> tuple[Index, Index]:
    """Return (area, stage) pairs that get an automatic link to themselves."""
    wanted = np.ones((len(space.areas), len(space.stages)), bool)
    spoken = (to_school >= 0) | (to_area == area)
    wanted[area[spoken], stage[spoken]] = False
    a, s = np.nonzero(wanted)
    return a, s


def _distance(given: Given, area: Index, to_area: Index, to_school: Index) -> Array:
    """Kilometres from coordinates: of the school, else of its area; else what the settings say."""
    areas, schools = given.scenario.table("areas"), given.scenario.table("schools")
    projects = given.scenario.table("projects").drop_duplicates("project")
    x, y = areas["x_km"].to_numpy(np.float64), areas["y_km"].to_numpy(np.float64)
    place = pd.concat(
        [
            schools[["school", "x_km", "y_km"]],
            projects[["project", "x_km", "y_km"]].rename(columns={"project": "school"}),
        ]
    )
    place = place.drop_duplicates("school").set_index("school")
    providers = given.providers
    at = place.reindex(providers.school)
    px, py = at["x_km"].to_numpy(np.float64), at["y_km"].to_numpy(np.float64)
    px, py = (
        np.where(np.isnan(px), x[providers.area], px),
        np.where(np.isnan(py), y[providers.area], py),
    )
    direct = to_school >= 0
    tx = np.where(direct, np.append(px, np.nan)[to_school], np.append(x, np.nan)[to_area])
    ty = np.where(direct, np.append(py, np.nan)[to_school], np.append(y, np.nan)[to_area])
    same = ~direct & (to_area == area)
    return _known_km(x[area], y[area], tx, ty, same, given.scenario.settings.travel.default_km)
