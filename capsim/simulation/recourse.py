"""Recourse: places bought for children who would have none, and the room of groups with it.

Contracts that run may be worth more places than the plan buys. Those are what children are sent to
who find neither slack nor room up to the class ceiling, under the ceilings on purchases and what
is left of the county's money. See ``docs/simulation.md``, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from scipy import sparse

from capsim.lp.array_types import Array, Flag
from capsim.simulation.costs_and_classes import (
    LATER_PART,
    helping_teachers,
    moves_cny,
    public_pupils,
)
from capsim.simulation.data import SimulationData, StageData
from capsim.simulation.parents import Parents
from capsim.simulation.seating import Payers, Seated, by_group, ceilings, offer, share_within


def counted(stage: StageData) -> Flag:
    """Flag providers whose pupils and places all count, ``[provider, year]``."""
    return np.asarray(~stage.levered[:, None] | stage.converted)


def demanded(stage: StageData, seated: Seated, bought: Array) -> Array:
    """Count children who ask for a place in a group, persons ``[group, year, draw]``.

    They are those who sit there, fee-paying pupils of private compulsory schools apart, and those
    who can go nowhere else and have none.

    Parameters
    ----------
    stage : StageData
    seated : Seated
    bought : array [provider, year, draw]
        Purchased places in use.
    """
    pupils = np.where(counted(stage)[..., None], seated.total, bought)
    return _sum(stage.reach.member, pupils) + _sum(stage.reach.inside, seated.shortfall)


def room(stage: StageData, seats: Array, contracts: Array) -> Array:
    """Count places of a group up to the class ceiling, ``[group, year, draw]``.

    Parameters
    ----------
    stage : StageData
    seats : array [provider, year, draw]
        Standard public seats open.
    contracts : array [provider, year, draw]
        Places purchased and those that running contracts can still grow by.
    """
    over = stage.runs_public * stage.overfill
    most = seats * (1 + over)[..., None]
    other = ~stage.public & ~stage.levered
    most[other] = stage.capacity[other][..., None]
    return _sum(stage.reach.member, np.where(counted(stage)[..., None], most, contracts))


def _sum(matrix: sparse.csr_array, values: Array) -> Array:
    flat = values.reshape(len(values), prod(values.shape[1:]))
    return np.asarray(matrix @ flat).reshape(matrix.shape[0], *values.shape[1:])


def contract_room(stage: StageData, payer: Payers, uptake: Array | float = 1.0) -> Array:
    """Count places that running contracts can still grow by, persons ``[provider, year, draw]``.

    Parameters
    ----------
    stage : StageData
    payer : Payers
    uptake : array [provider, 1, draw] or float
        Share of offered places that parents take.
    """
    sold = stage.extendable[..., None] - payer.bought_december
    seats = stage.capacity[..., None] - payer.fee - payer.bought
    return np.asarray(np.maximum(np.minimum(sold, seats), 0.0) * uptake)


def uptake_of(stage: StageData, parents: Parents | None) -> Array | float:
    """Return the share of offered places that are taken, by provider; 1 where all are."""
    return 1.0 if parents is None else parents.uptake[stage.county][:, None]


def buy(
    data: SimulationData,
    payers: Sequence[Payers],
    seated: Sequence[Seated],
    children: Array,
    parents: Parents | None = None,
) -> tuple[tuple[Payers, ...], tuple[Seated, ...]]:
    """Send children who wait to schools under contract that have places left to sell.

    They turn to pools as in the rounds before. If a county's purchases, or those of the whole,
    then exceed what their ceilings or money leave, all are cut in the same proportion.

    Parameters
    ----------
    data : SimulationData
    payers, seated : by stage
        After the rounds for slack and over-filling.
    children : array [area, grade, year, draw]
        All, persons.
    parents : Parents or None
    """
    rooms = [
        contract_room(stage, payer, uptake_of(stage, parents))
        for stage, payer in zip(data.stages, payers, strict=True)
    ]
    if not any(
        room.any() and seating.waiting.any() for room, seating in zip(rooms, seated, strict=True)
    ):
        return tuple(payers), tuple(seated)
    wanted = []
    for stage, seating, room in zip(data.stages, seated, rooms, strict=True):
        _, landed, share, _ = offer(seating.waiting, room, stage.network)
        wanted.append(landed.sum(1)[stage.network.pool] * share)
    part = _affordable(data, payers, seated, wanted, children)
    out = []
    for stage, payer, seating, more in zip(data.stages, payers, seated, wanted, strict=True):
        out.append(_bought(data, stage, payer, seating, more * part[stage.county]))
    new_payers, new_seating = zip(*out, strict=True)
    return new_payers, new_seating


def _bought(
    data: SimulationData, stage: StageData, payer: Payers, seating: Seated, room: Array
) -> tuple[Payers, Seated]:
    """Place a stage's waiting children on the places that may be bought for them."""
    if not room.any():
        return payer, seating
    pool = stage.network.pool
    waiting, landed, share, travel = offer(seating.waiting, room, stage.network)
    arrived = landed.sum(1)
    more = arrived[pool] * share
    redirected = seating.redirected.copy()
    redirected[-1] += by_group(more, stage.county, len(data.space.counties))
    by_grade = landed / np.where(arrived > 0, arrived, 1.0)[:, None]
    return (
        replace(payer, bought=payer.bought + more, bought_december=payer.bought_december + more),
        replace(
            seating,
            pupils=seating.pupils + by_grade[pool] * more[:, None],
            total=seating.total + more,
            shortfall=seating.shortfall - (seating.waiting - waiting).sum(1),
            travel_cny=seating.travel_cny + travel,
            waiting=waiting,
            redirected=redirected,
        ),
    )


def _affordable(
    data: SimulationData,
    payers: Sequence[Payers],
    seated: Sequence[Seated],
    wanted: Sequence[Array],
    children: Array,
) -> Array:
    """Find which share of the places wanted ceilings and money leave, ``[county, year, draw]``."""
    counties = len(data.space.counties)
    places, cost, bought = (
        np.zeros((counties, len(data.space.years), children.shape[-1])) for _ in range(3)
    )
    for stage, payer, more in zip(data.stages, payers, wanted, strict=True):
        places += by_group(more, stage.county, counties)
        cost += by_group(stage.price_cny[:, None, None] * more, stage.county, counties)
        bought += by_group(payer.bought_december, stage.county, counties)
    county, whole = ceilings(data, children)
    budget = data.budget_cny[..., None]
    if np.isfinite(budget).any():
        spent = more_spent(data, payers, seated)
        budget = budget - np.concatenate([spent, spent.sum(0, keepdims=True)])
    left, left_whole = np.maximum(county - bought, 0.0), np.maximum(whole - bought.sum(0), 0.0)
    money = np.maximum(budget, 0.0)
    return share_within((left, left_whole, places), (money[:-1], money[-1], cost))


def more_spent(data: SimulationData, payers: Sequence[Payers], seated: Sequence[Seated]) -> Array:
    """Compute recurrent spending beyond the plan's, RMB ``[county, year, draw]``, undiscounted.

    Allowances, contract teachers and purchases; what a late project does not cost yet is not
    counted on.
    """
    price, counties = data.settings.costs, len(data.space.counties)
    on_contract, helping = helping_teachers(data, seated)
    planned = data.contract.sum(axis=1)[..., None]
    out = price.contract_teacher_cny * (on_contract - planned) + moves_cny(data, helping)
    for stage, payer, seating in zip(data.stages, payers, seated, strict=True):
        public = public_pupils(stage, seating) - stage.enrolled * stage.runs_public[..., None]
        fewer = stage.bought[..., None], stage.bought_december[..., None]
        bought = LATER_PART * (payer.bought_december - fewer[1]) + (1 - LATER_PART) * (
            payer.bought - fewer[0]
        )
        each = stage.allowance_cny * public + stage.price_cny[:, None, None] * bought
        out = out + by_group(each, stage.county, counties)
    return np.asarray(out)
