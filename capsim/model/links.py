"""Links from areas to areas or to single schools, and catchments over them.

A child on a link to an *area* sits in any provider of that area that has no links of its own;
a provider named by a link is reached by such links only.

In catchments, a *pair* is an area and a public school of a stage in which catchments are drawn,
where there is a link between them. A *step* leads from a pair to that of a bordering area and the
same school. An *epoch* is a run of years for which catchments are drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.labels import Axis
from capsim.model.data import ModelData, Space, TableArrays, codes, first_rows, provider_rows
from capsim.scenario.travel import limits_travel, too_far


@dataclass(frozen=True)
class Links:
    """Links by stage, and their expansion by band of grades.

    Attributes
    ----------
    area, to_area, to_provider, stage : int ``[link]``; one of the two targets is -1
    km : float64 ``[link]``
    cost_cny : float64 ``[link]``, a pupil and school year
    far : bool ``[link]``, farther than a day pupil of its area and stage may go
    pair_link, pair_band : int ``[link × band]``
    """

    area: Index
    to_area: Index
    to_provider: Index
    stage: Index
    km: Array
    cost_cny: Array
    far: Flag
    pair_link: Index
    pair_band: Index

    def axis(self, given: ModelData) -> Axis:
        """Name link × band pairs by origin, target and band."""
        space, providers = given.space, given.providers
        targets = np.concatenate([space.areas, providers.school])
        to = np.where(self.to_area >= 0, self.to_area, len(space.areas) + self.to_provider)
        return Axis.of(
            area=(space.areas, self.area[self.pair_link]),
            to=(targets, to[self.pair_link]),
            band=(space.bands.name, self.pair_band),
        )


def prepare_links(given: ModelData) -> Links:
    """Read the table ``links``; without one, link areas as ``docs/scenario.md`` describes."""
    table = TableArrays(given.scenario, "links")
    ways = _listed(given, table) if table.count else _automatic(given)
    space = given.space
    order = np.lexsort((ways.to_provider, ways.to_area, ways.area, ways.stage))
    area, to_area, to_provider, stage, km, minutes, listed = (
        getattr(ways, f.name)[order] for f in fields(ways)
    )
    far = _far(given, area, stage, km, minutes)
    costs = given.scenario.settings.costs
    weekly = np.where(far, costs.boarder_travel_share, 1.0)
    cost = np.where(np.isnan(listed), km * costs.travel_cny_per_km * weekly, listed)
    bands_of = [np.flatnonzero(space.bands.stage == s) for s in range(len(space.stages))]
    sizes = np.array([len(b) for b in bands_of], np.int64)[stage]
    return Links(
        area=area,
        to_area=to_area,
        to_provider=to_provider,
        stage=stage,
        km=km,
        cost_cny=cost,
        far=far,
        pair_link=np.repeat(np.arange(len(area)), sizes),
        pair_band=np.concatenate([bands_of[s] for s in stage])
        if len(area)
        else np.zeros(0, np.int64),
    )


@dataclass(frozen=True)
class _Ways:
    """Links as found: arrays ``[link]``; minutes and cost are NaN where none is given."""

    area: Index
    to_area: Index
    to_provider: Index
    stage: Index
    km: Array
    minutes: Array
    cost_cny: Array


def _far(given: ModelData, area: Index, stage: Index, km: Array, minutes: Array) -> Flag:
    """Flag links that only boarders may use."""
    settings = given.scenario.settings
    far = np.zeros(len(area), bool)
    if not (settings.switches.boarding and limits_travel(settings)):
        return far
    kind = TableArrays(given.scenario, "areas").text("kind")[area]
    for s, one in enumerate(given.space.stages):
        mine = stage == s
        far[mine] = too_far(settings, one, kind[mine], km[mine], minutes[mine])
    return far


def _automatic(given: ModelData) -> _Ways:
    """Link each area to itself, and to the others of its county where that is switched on."""
    space, settings = given.space, given.scenario.settings
    n, stages = len(space.areas), len(space.stages)
    a = b = np.arange(n)
    if settings.travel.within_county:
        groups = [np.flatnonzero(space.county == c) for c in range(len(space.counties))]
        a = np.concatenate([np.repeat(g, len(g)) for g in groups])
        b = np.concatenate([np.tile(g, len(g)) for g in groups])
    km = _area_km(given, a, b)
    pairs = len(a)
    return _Ways(
        area=np.tile(a, stages),
        to_area=np.tile(b, stages),
        to_provider=np.full(pairs * stages, -1, np.int64),
        stage=np.repeat(np.arange(stages), pairs),
        km=np.tile(km, stages),
        minutes=np.full(pairs * stages, np.nan),
        cost_cny=np.full(pairs * stages, np.nan),
    )


def _area_km(given: ModelData, a: Index, b: Index) -> Array:
    table = TableArrays(given.scenario, "areas")
    x, y = table.number("x_km"), table.number("y_km")
    return _known_km(x[a], y[a], x[b], y[b], a == b, given.scenario.settings.travel.default_km)


def _known_km(x1: Array, y1: Array, x2: Array, y2: Array, same: Flag, default: float) -> Array:
    away = np.hypot(x1 - x2, y1 - y2)
    return np.where(same, np.nan_to_num(away, nan=0.0), np.where(np.isnan(away), default, away))


def _listed(given: ModelData, table: TableArrays) -> _Ways:
    """Return links as listed, plus each area to itself where no row names it."""
    space, providers = given.space, given.providers
    exact, of_exact = _of_stages(table, space)
    wide = np.flatnonzero(table.text("stage") == "")
    stages = len(space.stages)
    row = np.concatenate([exact, np.tile(wide, stages)])
    stage = np.concatenate([of_exact, np.repeat(np.arange(stages), len(wide))])
    area = codes(table.text("area"), space.areas)[row]
    to_area = codes(table.text("to_area"), space.areas)[row]
    school = table.text("to_school")
    to_school = np.full(len(row), -1, np.int64)
    if (school != "").any():
        to_school = provider_rows(providers.school, providers.stage, school[row], stage)
    key = (stage * len(space.areas) + area) * (len(space.areas) + 1) + to_area + 1
    key = key * (len(providers.school) + 1) + to_school + 1
    once = np.unique(key, return_index=True)[1]
    once = once[(to_area[once] >= 0) | (to_school[once] >= 0)]
    row, area, to_area, to_school, stage = (
        part[once] for part in (row, area, to_area, to_school, stage)
    )
    km, minutes, cost = (table.number(name)[row] for name in ("km", "minutes", "cost_cny"))
    km = np.where(np.isnan(km), _distance(given, area, to_area, to_school), km)
    own, own_stage = _own_links(space, area, to_area, to_school, stage)
    nothing = np.zeros(len(own))
    return _Ways(
        area=np.concatenate([area, own]),
        to_area=np.concatenate([to_area, own]),
        to_provider=np.concatenate([to_school, np.full(len(own), -1, np.int64)]),
        stage=np.concatenate([stage, own_stage]),
        km=np.concatenate([km, nothing]),
        minutes=np.concatenate([minutes, nothing]),
        cost_cny=np.concatenate([cost, nothing]),
    )


def _of_stages(table: TableArrays, space: Space) -> tuple[Index, Index]:
    """Find rows of the links that name a planned stage, and which."""
    stage = codes(table.text("stage"), space.stage_names)
    row = np.flatnonzero(stage >= 0)
    return row, stage[row]


def _own_links(
    space: Space, area: Index, to_area: Index, to_school: Index, stage: Index
) -> tuple[Index, Index]:
    """Return (area, stage) pairs that get an automatic link to themselves."""
    automatic = np.ones((len(space.areas), len(space.stages)), bool)
    named = (to_school >= 0) | (to_area == area)
    automatic[area[named], stage[named]] = False
    a, s = np.nonzero(automatic)
    return a, s


def _distance(given: ModelData, area: Index, to_area: Index, to_school: Index) -> Array:
    """Compute kilometres from coordinates: of the school, else its area; else the default."""
    areas = TableArrays(given.scenario, "areas")
    x, y = areas.number("x_km"), areas.number("y_km")
    direct = to_school >= 0
    px, py = _of_providers(given, x, y) if direct.any() else (np.zeros(0), np.zeros(0))
    tx = np.where(direct, np.append(px, np.nan)[to_school], np.append(x, np.nan)[to_area])
    ty = np.where(direct, np.append(py, np.nan)[to_school], np.append(y, np.nan)[to_area])
    same = ~direct & (to_area == area)
    return _known_km(x[area], y[area], tx, ty, same, given.scenario.settings.travel.default_km)


def _of_providers(given: ModelData, x: Array, y: Array) -> tuple[Array, Array]:
    """Return coordinates of every provider, those of its area where it has none of its own."""
    schools, projects = (
        TableArrays(given.scenario, "schools"),
        TableArrays(given.scenario, "projects"),
    )
    name = np.concatenate([schools.text("school"), projects.text("project")])
    once = first_rows(name)
    row = once[codes(given.providers.school, name[once])]
    at = []
    for column, of_area in (("x_km", x), ("y_km", y)):
        own = np.concatenate([schools.number(column), projects.number(column)])[row]
        at.append(np.where(np.isnan(own), of_area[given.providers.area], own))
    return at[0], at[1]


@dataclass(frozen=True)
class Catchments:
    """Pairs and steps as arrays.

    Attributes
    ----------
    link, area, provider : int ``[pair]``
    home : bool ``[pair]``, the school stands in the area
    step_from, step_to : int ``[step]``, pairs; no step leaves a home
    drawn : int ``[epoch]``, first year of each
    epoch : int ``[t]``
    connected : bool
    """

    link: Index
    area: Index
    provider: Index
    home: Flag
    step_from: Index
    step_to: Index
    drawn: Index
    epoch: Index
    connected: bool

    def axis(self, given: ModelData) -> Axis:
        """Name pairs by area, school and stage."""
        providers, space = given.providers, given.space
        county = Axis.of(county=(space.counties, space.county[self.area]))
        pair = Axis.of(
            area=(space.areas, self.area),
            school=(providers.school, self.provider),
            stage=(space.stage_names, providers.stage[self.provider]),
        )
        return pair + county.hidden()


def catchments_of(given: ModelData, links: Links) -> Catchments:
    """Find the pairs and steps; none where no stage draws catchments."""
    scenario, providers, space = given.scenario, given.providers, given.space
    rules = scenario.settings.catchments
    stages = rules.stages if scenario.settings.switches.catchment else ()
    ruled = np.array([stage.name in stages for stage in space.stages], bool)
    direct = links.to_provider >= 0
    to = np.where(direct, links.to_provider, 0)
    public = providers.public[to] if len(providers.public) else np.zeros(len(to), bool)
    link = np.flatnonzero(ruled[links.stage] & direct & public)
    area, provider = links.area[link], to[link]
    home = providers.area[provider] == area
    drawn = np.array(sorted({int(space.years[0]), *rules.drawn}), np.int64)
    stepped = rules.connected and len(link) > 0
    steps = _steps(given, area, provider, home) if stepped else np.zeros((0, 2), np.int64)
    return Catchments(
        link=link,
        area=area,
        provider=provider,
        home=home,
        step_from=steps[:, 0],
        step_to=steps[:, 1],
        drawn=drawn,
        epoch=np.searchsorted(drawn, space.years, side="right") - 1,
        connected=rules.connected,
    )


def complete_catchments(
    c: Catchments, assigned: Flag, stage: Index, cost_cny: Array, stands: Flag
) -> Flag:
    """Add catchments, at no cost, for areas of which no one goes to a public school.

    Each takes the school to which it is cheapest to go, of those whose catchment it borders, or one
    of its own; then those that border it, and so on. Where islands are allowed any will do.

    Parameters
    ----------
    assigned : bool ``[pair, epoch]``
    stage : int ``[pair]``
    cost_cny : float64 ``[pair]``, of a pupil's way
    stands : bool ``[pair, epoch]``, the school is there and has not given up its places

    Returns
    -------
    bool ``[pair, epoch]``
    """
    out = assigned.copy()
    # Stable: of equal costs the first pair is taken on every machine.
    order = np.argsort(cost_cny, kind="stable")
    of = c.area * (1 + int(stage.max(initial=0))) + stage
    for epoch in range(out.shape[1]):
        mine = out[:, epoch]
        while True:
            reached = stands[:, epoch] & (c.home | (not c.connected))
            reached[c.step_from[mine[c.step_to]]] = True
            served = np.isin(of, of[mine])
            free = order[(reached & ~served)[order]]
            if not len(free):
                break
            mine[free[0]] = True
    return out


def _steps(given: ModelData, area: Index, provider: Index, home: Flag) -> Index:
    """Find every step ``[step, 2]``, in the order of the pairs."""
    borders = TableArrays(given.scenario, "borders")
    a, b = (codes(borders.text(end), given.space.areas) for end in ("area", "to_area"))
    both = np.unique(np.concatenate([np.stack([a, b], 1), np.stack([b, a], 1)]), axis=0)
    pairs = pd.DataFrame({"area": area, "provider": provider, "pair": np.arange(len(area))})
    leaving = pairs[~home].merge(pd.DataFrame(both, columns=["area", "next"]), on="area")
    arriving = pairs.rename(columns={"area": "next", "pair": "to"})
    found = leaving.merge(arriving, on=["next", "provider"]).sort_values(["pair", "to"])
    return found[["pair", "to"]].to_numpy(np.int64)


@dataclass(frozen=True)
class Sales:
    """Areas and stages in which places are for sale, with every area whose public seats go first.

    Attributes
    ----------
    area, stage, near : int ``[pair]``
    """

    area: Index
    stage: Index
    near: Index


def sales_of(given: ModelData, links: Links) -> Sales:
    """Find the areas near sales that have, or may have, public seats of the stage."""
    settings, providers = given.scenario.settings, given.providers
    most = settings.policy.public_seats_first_km
    if most is None or not settings.switches.public_first:
        return Sales(*np.zeros((3, 0), np.int64))
    shape = len(given.space.areas), len(given.space.stages)
    for_sale, seated = np.zeros((2, *shape), bool)
    sells = providers.levered & (providers.purchasable > 0)
    for_sale[providers.area[sells], providers.stage[sells]] = True
    seats = providers.public | (providers.levered & (providers.conversion != "no"))
    seated[providers.area[seats], providers.stage[seats]] = True
    own_area, own_stage = np.nonzero(for_sale)
    where = np.where(
        links.to_area >= 0, links.to_area, np.append(providers.area, -1)[links.to_provider]
    )
    close = for_sale[links.area, links.stage] & (links.km <= most)
    pairs = np.unique(
        np.concatenate(
            [
                np.stack([own_area, own_stage, own_area], axis=1),
                np.stack([links.area, links.stage, where], axis=1)[close],
            ]
        ),
        axis=0,
    )
    return Sales(*pairs[seated[pairs[:, 2], pairs[:, 1]]].T)
