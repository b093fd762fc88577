"""Who may sit where: pools of providers, the plan's flows between them, and what lies nearby.

A *pool* is what a link leads to: an area (all its providers that have no links of their own) or
one provider that has. Within a pool the plan's split over providers holds, so flows are kept
between areas and pools only.

Groups of providers that children share.

Children who find no place where the plan sends them look for one wherever they have a link to in
their county. What an area can reach is a *group*; areas that reach the same providers have one
group (as a rule: their county).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from capsim.scenario.travel import too_far

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Network:
    """Flows of one stage; cells are (area, grade, year) and (pool, grade, year), both raveled.

    Attributes
    ----------
    pool : array of int [provider]
        The pool a provider belongs to; pools below the number of areas are areas.
    home : array of int [pool]
        The area a pool lies in.
    mix : csr [pool cells, area cells]
        Which share of those who arrive comes from where; the pool's own area if nobody arrives.
    back : csr [area cells, pool cells]
        Planned flows, persons.
    fares : csr [area cells, pool cells]
        Planned flows times their cost, RMB a school year.
    boarding : csr [area cells, pool cells]
        Planned boarders times what each costs, RMB a school year.
    near : array of int [rank, area]
        Pools of the own county that day pupils may reach, cheapest first; -1 for none.
    near_cny : array [rank, area]
        Cost of that way, RMB a pupil and school year.
    """

    pool: Ints
    home: Ints
    mix: sparse.csr_array
    back: sparse.csr_array
    fares: sparse.csr_array
    boarding: sparse.csr_array
    near: Ints
    near_cny: Floats


def read_network(
    scenario: Scenario,
    stage: str,
    schools: pd.DataFrame,
    flows: pd.DataFrame,
    years: tuple[int, ...],
) -> Network:
    """Read the pools, flows and possible links of a stage.

    Parameters
    ----------
    scenario : Scenario
    stage : str
    schools : DataFrame
        The providers of the stage in order: school, area, x_km, y_km.
    flows : DataFrame
        The plan's table ``flows``.
    years : tuple of int
        Planned school years.
    """
    areas = scenario.table("areas")
    links = scenario.table("links")
    links = links[links["stage"].isin(["", stage])]
    home = pd.Index(areas["area"]).get_indexer(pd.Index(schools["area"]))
    own = np.flatnonzero(schools["school"].isin(links["to_school"]).to_numpy())
    pool = home.copy()
    pool[own] = len(areas) + np.arange(len(own))
    home_of_pool = np.concatenate([np.arange(len(areas)), home[own]])
    grades = scenario.stages[stage].grades
    shape = (len(areas), len(grades), len(years))
    rows = flows[flows["stage"] == stage]
    target = _pools(rows, areas, schools, pool)
    inner = (
        pd.Index(grades).get_indexer(pd.Index(rows["grade"])),
        pd.Index(years).get_indexer(pd.Index(rows["school_year"])),
    )
    start = np.ravel_multi_index(
        (pd.Index(areas["area"]).get_indexer(pd.Index(rows["area"])), *inner), shape
    )
    end = np.ravel_multi_index((target, *inner), (len(home_of_pool), *shape[1:]))
    size = (int(np.prod(shape)), len(home_of_pool) * shape[1] * shape[2])
    pupils = rows["pupils"].to_numpy(np.float64)
    back = sparse.csr_array((pupils, (start, end)), shape=size)
    fares = sparse.csr_array((rows["cost_cny"].to_numpy(np.float64), (start, end)), shape=size)
    each = scenario.settings.costs.boarder_cny + scenario.stages[stage].boarding_cny
    boarders = rows["boarders"].to_numpy(np.float64) * each
    boarding = sparse.csr_array((boarders, (start, end)), shape=size)
    near, near_cny = _near(scenario, stage, areas, schools, links, pool, home_of_pool)
    mix = _mix(back, home_of_pool, shape)
    return Network(pool, home_of_pool, mix, back, fares, boarding, near, near_cny)


def _pools(rows: pd.DataFrame, areas: pd.DataFrame, schools: pd.DataFrame, pool: Ints) -> Ints:
    to_area = pd.Index(areas["area"]).get_indexer(pd.Index(rows["to_area"]))
    to_school = pd.Index(schools["school"]).get_indexer(pd.Index(rows["to_school"]))
    return np.where(to_school >= 0, pool[to_school] if len(pool) else 0, to_area)


def _mix(back: sparse.csr_array, home: Ints, shape: tuple[int, int, int]) -> sparse.csr_array:
    arriving = np.asarray(back.sum(axis=0)).ravel()
    inner = shape[1] * shape[2]
    empty = np.flatnonzero(arriving <= 0)
    own = home[empty // inner] * inner + empty % inner
    plain = sparse.csr_array((np.ones(len(empty)), (empty, own)), shape=back.shape[::-1])
    share = sparse.diags_array(1 / np.where(arriving > 0, arriving, 1.0))
    return sparse.csr_array(share @ back.T + plain)


def _near(
    scenario: Scenario,
    stage: str,
    areas: pd.DataFrame,
    schools: pd.DataFrame,
    links: pd.DataFrame,
    pool: Ints,
    home: Ints,
) -> tuple[Ints, Floats]:
    """Rank the pools that each area's day pupils may reach within their county."""
    start, end, km, minutes, said = _possible(scenario, stage, areas, schools, links, pool)
    settings = scenario.settings
    cost = np.where(np.isnan(said), km * settings.costs.travel_cny_per_km, said)
    if settings.switches.boarding:
        kind = areas["kind"].to_numpy(object)[start]
        day = ~too_far(settings, scenario.stages[stage], kind, km, minutes)
        start, end, cost = start[day], end[day], cost[day]
    county = areas["county"].to_numpy()
    here = county[start] == county[home[end]]
    start, end, cost = start[here], end[here], cost[here]
    order = np.lexsort((end, home[end] != start, cost, start))
    start, end, cost = start[order], end[order], cost[order]
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    near = np.full((rank.max(initial=0) + 1, len(areas)), -1, dtype=np.intp)
    near_cny = np.zeros(near.shape)
    near[rank, start] = end
    near_cny[rank, start] = cost
    return near, near_cny


def _possible(
    scenario: Scenario,
    stage: str,
    areas: pd.DataFrame,
    schools: pd.DataFrame,
    links: pd.DataFrame,
    pool: Ints,
) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Every link of a stage: area, pool, km, minutes and cost (NaN where not said)."""
    travel = scenario.settings.travel
    xy = areas[["x_km", "y_km"]].to_numpy(np.float64)
    itself = np.arange(len(areas))
    if not scenario.has("links"):
        pairs = np.stack([itself, itself], axis=1)
        if travel.within_county:
            county = areas["county"].to_numpy()
            near = (county[:, None] == county[None, :]) & ~np.eye(len(areas), dtype=bool)
            pairs = np.concatenate([pairs, np.argwhere(near)])
        start, end = pairs.T
        none = np.full(len(start), np.nan)
        return start, end, _km(xy[start], xy[end], start == end, travel), none, none
    names = pd.Index(areas["area"])
    links = links.sort_values("stage", kind="stable")
    links = links.drop_duplicates(["area", "to_area", "to_school"], keep="last")
    links = links[(links["to_school"] == "") | links["to_school"].isin(schools["school"])]
    start = names.get_indexer(pd.Index(links["area"]))
    end = _pools(links, areas, schools, pool)
    school = pd.Index(schools["school"]).get_indexer(pd.Index(links["to_school"]))
    place = schools[["x_km", "y_km"]].to_numpy(np.float64)
    place = np.where(
        np.isnan(place).any(1)[:, None], xy[names.get_indexer(pd.Index(schools["area"]))], place
    )
    to = np.where(
        (school >= 0)[:, None],
        place[school] if len(place) else 0.0,
        xy[names.get_indexer(pd.Index(links["to_area"]))],
    )
    km = links["km"].to_numpy(np.float64)
    km = np.where(np.isnan(km), _km(xy[start], to, start == end, travel), km)
    minutes, cost = (links[name].to_numpy(np.float64) for name in ("minutes", "cost_cny"))
    said = np.unique(start[(school >= 0) | (start == end)])
    silent = np.setdiff1d(itself, said)
    nothing = np.zeros(len(silent))
    return (
        np.concatenate([silent, start]),
        np.concatenate([silent, end]),
        np.concatenate([nothing, km]),
        np.concatenate([nothing, minutes]),
        np.concatenate([nothing, cost]),
    )


def _km(start: Floats, end: Floats, same: NDArray[np.bool_], travel: Any) -> Floats:
    """Distances; 0 within an area, the default where a coordinate is not known."""
    gap = np.hypot(*(start - end).T) if len(start) else np.zeros(0)
    default = float(travel.default_km)
    return np.where(same, 0.0, np.where(np.isnan(gap), default, gap))


@dataclass(frozen=True, eq=False)
class Reach:
    """The groups of a stage.

    Attributes
    ----------
    area : array of int [group]
        An area whose children reach the group.
    member : csr [group, provider]
        1 for the providers in the group.
    inside : csr [group, area]
        1 for areas whose children reach nothing outside the group.
    """

    area: Ints
    member: sparse.csr_array
    inside: sparse.csr_array


def read_reach(network: Network) -> Reach:
    """Find the groups of a stage."""
    pools = len(network.home)
    rank, area = np.nonzero(network.near >= 0)
    ones = np.ones(len(area))
    reached = sparse.csr_array(
        (ones, (area, network.near[rank, area])), shape=(network.near.shape[1], pools)
    )
    first: dict[bytes, int] = {}
    for number in range(reached.shape[0]):
        own = np.sort(reached.indices[reached.indptr[number] : reached.indptr[number + 1]])
        if len(own):
            first.setdefault(own.tobytes(), number)
    areas = np.array(list(first.values()), dtype=np.intp)
    group = sparse.csr_array(reached[areas])
    size = np.diff(reached.indptr)
    common = sparse.coo_array(group @ reached.T)
    whole = common.data >= size[common.col]
    inside = sparse.csr_array(
        (np.ones(int(whole.sum())), (common.row[whole], common.col[whole])), shape=common.shape
    )
    return Reach(areas, sparse.csr_array(group[:, network.pool]), inside)
