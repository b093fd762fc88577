"""Pools of providers, the plan's flows from areas to them, and what lies nearby.

A *pool* is what a link leads to: an area (all its providers that have no links of their own) or
one provider that has. Within a pool the plan's split over providers holds, so flows are kept
between areas and pools only. Children who find no place where the plan sends them look for one
wherever they have a link to in their county. What an area can reach so is a *group*; areas that
reach the same providers have one group (as a rule: their county).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from capsim.lp.array_types import Array, Index
from capsim.model.data import ModelData, codes
from capsim.model.links import Links


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

    pool: Index
    home: Index
    mix: sparse.csr_array
    back: sparse.csr_array
    fares: sparse.csr_array
    boarding: sparse.csr_array
    near: Index
    near_cny: Array


def read_network(model: ModelData, links: Links, stage: int, flows: pd.DataFrame) -> Network:
    """Read the pools, flows and possible links of a stage.

    Parameters
    ----------
    model : ModelData
    links : Links
        Of the model.
    stage : int
        Position of the stage.
    flows : DataFrame
        The plan's table ``flows``, rows of the stage.
    """
    space, providers = model.space, model.providers
    here = np.flatnonzero(providers.stage == stage)
    own = here[providers.own_links[here]]
    areas, pools = len(space.areas), len(space.areas) + len(own)
    pool_of = providers.area.copy()
    pool_of[own] = np.arange(areas, pools)
    home = np.concatenate([np.arange(areas), providers.area[own]])
    flow = {name: column.to_numpy() for name, column in flows.items()}
    to_school = codes(flow["to_school"], providers.school[here])
    to_area = codes(flow["to_area"], space.areas)
    target = np.where(to_school >= 0, np.append(pool_of[here], -1)[to_school], to_area)
    grades = space.grades[space.grade_stage == stage]
    shape = (areas, len(grades), len(space.years))
    inner = codes(flow["grade"], grades) * shape[2] + codes(flow["school_year"], space.years)
    start, end = (
        at * shape[1] * shape[2] + inner for at in (codes(flow["area"], space.areas), target)
    )
    size = (int(np.prod(shape)), pools * shape[1] * shape[2])

    def cells(values: Array) -> sparse.csr_array:
        return sparse.csr_array((values.astype(float), (start, end)), shape=size)

    settings = model.scenario.settings
    boarder_cny = settings.costs.boarder_cny + space.stages[stage].boarding_cny
    back = cells(flow["pupils"])
    near, near_cny = _near(model, links, stage, pool_of, home)
    return Network(
        pool=pool_of[here],
        home=home,
        mix=_mix(back, home, shape),
        back=back,
        fares=cells(flow["cost_cny"]),
        boarding=cells(flow["boarders"] * boarder_cny),
        near=near,
        near_cny=near_cny,
    )


def _mix(back: sparse.csr_array, home: Index, shape: tuple[int, int, int]) -> sparse.csr_array:
    arriving = np.asarray(back.sum(axis=0)).ravel()
    inner = shape[1] * shape[2]
    empty = np.flatnonzero(arriving <= 0)
    own = home[empty // inner] * inner + empty % inner
    plain = sparse.csr_array((np.ones(len(empty)), (empty, own)), shape=back.shape[::-1])
    share = sparse.diags_array(1 / np.where(arriving > 0, arriving, 1.0))
    return sparse.csr_array(share @ back.T + plain)


def _near(
    model: ModelData, links: Links, stage: int, pool_of: Index, home: Index
) -> tuple[Index, Array]:
    """Rank the pools that each area's children may reach by the day within their county.

    Where there is none, those in which they can board.
    """
    county = model.space.county
    at_school = np.append(pool_of, -1)[links.to_provider]
    to = np.where(links.to_area >= 0, links.to_area, at_school)
    inside = np.flatnonzero(links.stage == stage)
    inside = inside[county[links.area[inside]] == county[home[to[inside]]]]
    by_day = np.bincount(links.area[inside], ~links.far[inside], len(county)) > 0
    day = inside[~links.far[inside] | ~by_day[links.area[inside]]]
    start, end, cost = links.area[day], to[day], links.cost_cny[day]
    order = np.lexsort((end, home[end] != start, cost, start))
    start, end, cost = start[order], end[order], cost[order]
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    near = np.full((rank.max(initial=0) + 1, len(county)), -1, dtype=np.intp)
    near_cny = np.zeros(near.shape)
    near[rank, start] = end
    near_cny[rank, start] = cost
    return near, near_cny


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

    area: Index
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
