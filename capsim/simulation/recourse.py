"""Recourse: places bought for children who would have none, and the room of groups with it.

Contracts that run may be worth more places than the plan buys. Those are what children are sent to
who find neither slack nor room up to the class ceiling, under the ceilings on purchases and what
is left of the county's money. See ``docs/simulation.md``, section 3.

Parents' choices: purchased places that they take up, public places that they refuse.

Both are shares by county and draw that stay over the years, Beta distributed with the mean and
standard deviation of the scenario's settings. By default every place is taken up and none refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from scipy import sparse

from capsim.demand.draws import BLOCK
from capsim.lp.array_types import Array, Flag
from capsim.simulation.data import SimulationData, StageData
from capsim.simulation.seating import (
    LATER_PART,
    Arrivals,
    Payers,
    Seated,
    by_group,
    ceilings,
    fraction,
    helping_teachers,
    moves_cny,
    offer,
    public_pupils,
    share_within,
)

STREAM = 2
"""Of the seed's streams, that of the parents."""


@dataclass(frozen=True, eq=False)
class Parents:
    """Shares ``[county, draw]``.

    Attributes
    ----------
    uptake : array
        Of purchased places that are taken up.
    refusal : array
        Of the pupils whom the plan takes out of a private school that stays open, those whose
        parents refuse the public place and go on paying.
    """

    uptake: Array
    refusal: Array


def draw_parents(data: SimulationData, draws: int, seed: int | None, number: int) -> Parents | None:
    """Draw a block; None where nothing is uncertain and nothing refused.

    Parameters
    ----------
    data : SimulationData
    draws : int
        At most a block's.
    seed : int or None
        None: without uncertainty, all as the plan has it.
    number : int
        Of the block.
    """
    size = data.settings.uncertainty
    if seed is None or (size.uptake_mean == 1 and size.refusal_mean == 0):
        return None
    rng = np.random.default_rng(np.random.SeedSequence([seed, STREAM], spawn_key=(number,)))
    shape = (BLOCK, len(data.space.counties))
    uptake = _share(rng, size.uptake_mean, size.uptake_sd, shape)
    refusal = _share(rng, size.refusal_mean, size.refusal_sd, shape)
    return Parents(uptake[:draws].T, refusal[:draws].T)


def _share(rng: np.random.Generator, mean: float, sd: float, shape: tuple[int, int]) -> Array:
    """Draw shares with a mean and standard deviation.

    Examples
    --------
    >>> drawn = _share(np.random.default_rng(0), 0.9, 0.05, (20_000, 1))
    >>> float(drawn.mean().round(2)), float(drawn.std().round(2))
    (0.9, 0.05)
    """
    if sd == 0:
        return np.full(shape, mean)
    size = mean * (1 - mean) / sd**2 - 1
    return rng.beta(mean * size, (1 - mean) * size, shape)


def take_up(
    data: SimulationData, payers: tuple[Payers, ...], parents: Parents
) -> tuple[Payers, ...]:
    """Remove the purchased places that parents decline; the children look for a public one."""
    out = []
    for stage, payer in zip(data.stages, payers, strict=True):
        share = parents.uptake[stage.county][:, None]
        later = payer.bought_december * share
        bought = payer.bought * share
        left = (payer.fee + bought - later) * stage.private_december[..., None]
        out.append(replace(payer, bought=bought, bought_december=later, fee_december=left))
    return tuple(out)


def refuse(
    stage: StageData, arrival: Arrivals, payer: Payers, parents: Parents
) -> tuple[Arrivals, Payers]:
    """Keep children whose parents refuse a public place at private schools that go on.

    A school that the plan leaves open can keep as many as it had in the base year; those who stay
    are missing at the public schools of the area.
    """
    private = stage.levered[:, None] & ~stage.converted & (stage.fee + stage.bought > 0)
    open_still = private[..., None] & (arrival.load > 0)
    pool, pools = stage.network.pool, len(stage.network.home)
    room = np.maximum(stage.capacity[..., None] - payer.fee - payer.bought, 0.0)
    staying = np.where(open_still, room, 0.0) * parents.refusal[stage.county][:, None]
    public = np.where(stage.runs_public[..., None], arrival.load, 0.0)
    total, wanted = by_group(public, pool, pools), by_group(staying, pool, pools)
    cut = fraction(total, wanted)
    staying = staying * cut[pool]
    gone = (wanted * cut) / np.where(total > 0, total, 1.0)
    more = staying / np.where(arrival.load > 0, arrival.load, 1.0)
    factor = 1 + more - np.where(public > 0, gone[pool], 0.0)
    fee = payer.fee + staying
    december = payer.fee_december + (fee - payer.fee) * stage.private_december[..., None]
    here = arrival.load * factor
    return (
        replace(arrival, load=here, growth=arrival.growth * factor, factor=factor),
        replace(payer, fee=fee, fee_december=december),
    )


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
