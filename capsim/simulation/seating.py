"""One autumn's seating of a block of draws, a stage at a time; the last axis of arrays is the draw.

Children come as the plan's flows, scaled by their area's and grade's demand. Providers keep what
they can hold; the others look for slack nearby, then for room up to the class ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import sparse

from capsim.lp.array_types import Array, Index
from capsim.model.constraints.capacity import chords
from capsim.model.costs import COST_KINDS
from capsim.simulation.data import FIXED, SimulationData, StageData
from capsim.simulation.pools import Network

WAYS = ("slack", "overfill", "purchase")
"""Ways to a seat where the plan foresees none, in the order in which they are tried."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Children of a stage who come to the providers the plan foresees.

    Attributes
    ----------
    ratio : array [area, grade, year, draw]
        Children with a place foreseen, over the plan's.
    scale : array [pool, grade, year, draw]
        The same by where they come to.
    lacking : array [area, grade, year, draw]
        Children whom the plan leaves without a place, persons.
    load : array [provider, year, draw]
        Persons.
    growth : array [provider, year, draw]
        Load over the plan's; 1 where none is planned.
    factor : array [provider, year, draw] or float
        Load over the share that the plan gives the provider of those who come to its pool.
    """

    ratio: Array
    scale: Array
    lacking: Array
    load: Array
    growth: Array
    factor: Array | float = 1.0


@dataclass(frozen=True, eq=False)
class Payers:
    """Pupils of levered schools while they are private, persons ``[provider, year, draw]``."""

    fee: Array
    bought: Array
    bought_december: Array
    fee_december: Array


@dataclass(frozen=True, eq=False)
class Seated:
    """Seating of the children of a stage.

    Attributes
    ----------
    pupils : array [provider, grade, year, draw]
    total : array [provider, year, draw]
    seats : array [provider, year, draw]
        Standard public seats.
    overfilled : array [provider, year, draw]
        Public pupils above them.
    shortfall : array [area, year, draw]
        Children without a place.
    travel_cny, boarding_cny : array [year, draw]
    waiting : array [area, grade, year, draw]
        Of the children without a place those whom the plan foresaw one for.
    redirected : array [way, county, year, draw]
        Children who sit elsewhere than foreseen, by the way of `WAYS` in which they found a seat.
    """

    pupils: Array
    total: Array
    seats: Array
    overfilled: Array
    shortfall: Array
    travel_cny: Array
    boarding_cny: Array
    waiting: Array
    redirected: Array


def arrive(stage: StageData, demand: Array) -> Arrivals:
    """Scale a stage's planned flows by demand.

    Where demand falls, the children whom the plan leaves without a place are the first to gain.

    Parameters
    ----------
    stage : StageData
    demand : array [area, grade, year, draw]
        Children over the plan's children.
    """
    placed, lacking = stage.placed[..., None], stage.lacking[..., None]
    short = lacking > 0
    room = (placed + lacking) / np.where(placed > 0, placed, 1.0)
    ratio = np.where(short & (demand < 1), np.minimum(1.0, demand * room), demand)
    without = np.where(short, np.maximum(demand * (placed + lacking) - ratio * placed, 0.0), 0.0)
    (grades, years), draws = stage.pupils.shape[1:], demand.shape[-1]
    scale = _apply(stage.network.mix, ratio).reshape(-1, grades, years, draws)
    load = _apply(stage.load, scale).reshape(len(stage.area), years, draws)
    planned = stage.enrolled
    growth = np.where(planned > 0, load / np.where(planned > 0, planned, 1.0), 1.0)
    return Arrivals(ratio, scale, without, load, growth)


def pay(data: SimulationData, arrivals: tuple[Arrivals, ...], demand: Array) -> tuple[Payers, ...]:
    """Compute fee-paying and purchased pupils by stage, under quotas, contracts and ceilings.

    Parameters
    ----------
    data : SimulationData
    arrivals : tuple of Arrivals
        By stage.
    demand : array [area, grade, year, draw]
        All children, persons.
    """
    first = [
        _own_payers(stage, arrival) for stage, arrival in zip(data.stages, arrivals, strict=True)
    ]
    cut = _purchase_cut(data, [bought for _, _, bought in first], demand)
    out = []
    for stage, (fee, september, december) in zip(data.stages, first, strict=True):
        bought = september * cut[stage.county]
        later = december * cut[stage.county]
        left = (fee + bought - later) * stage.private_december[..., None]
        out.append(Payers(fee, bought, later, left))
    return tuple(out)


def planned_payers(stage: StageData) -> Payers:
    """Return the plan's own payers, as one draw."""
    fee, bought, later = (
        part[..., None] for part in (stage.fee, stage.bought, stage.bought_december)
    )
    return Payers(fee, bought, later, (fee + bought - later) * stage.private_december[..., None])


def _own_payers(stage: StageData, arrival: Arrivals) -> tuple[Array, Array, Array]:
    """Scale fee-paying and purchased pupils with who comes: by grade where the plan tells it."""
    fee, bought = stage.fee[..., None], stage.bought[..., None]
    later = stage.bought_december[..., None] - bought
    quota = np.minimum(arrival.growth, 1.0)
    paying, grown, more = fee * quota, bought * arrival.growth, later * quota
    if len(stage.told):
        j, scale = stage.told, arrival.scale[stage.network.pool[stage.told]]
        most, late = np.minimum(scale, 1.0), stage.fee_by_grade - stage.left_by_grade
        paying[j] = fee[j] * _mean(stage.fee_by_grade, most)
        grown[j] = bought[j] * _mean(stage.bought_by_grade, scale)
        more[j] = later[j] * _mean(late, most)
    most = np.minimum(stage.sellable[..., None], stage.capacity[..., None] - paying)
    september = np.minimum(grown, np.maximum(bought, most))
    return paying, september, september + more


def _mean(pupils: Array, scale: Array) -> Array:
    """Return the mean scale of a school's pupils over grades; 1 where it has none."""
    total = pupils.sum(1)[..., None]
    sums = (pupils[..., None] * scale).sum(1)
    return np.asarray(np.where(total > 0, sums / np.where(total > 0, total, 1.0), 1.0))


def _purchase_cut(data: SimulationData, bought: list[Array], demand: Array) -> Array:
    """Find which share of purchases the ceilings leave, ``[county, year, draw]``."""
    counties = len(data.space.counties)
    total: Array = np.zeros((counties, *bought[0].shape[1:]))
    for stage, part in zip(data.stages, bought, strict=True):
        total += by_group(part, stage.county, counties)
    return share_within((*ceilings(data, demand), total))


def ceilings(data: SimulationData, demand: Array) -> tuple[Array, Array]:
    """Return ceilings on purchases: of counties ``[county, year, 1]``, the whole ``[year, draw]``.

    Parameters
    ----------
    data : SimulationData
    demand : array [area, grade, year, draw]
        All children, persons.
    """
    planned = np.zeros((len(data.space.counties), len(data.space.years)))
    children: Array = np.zeros(demand.shape[2:])
    base = np.zeros(len(data.space.years))
    for stage in data.stages:
        np.add.at(planned, stage.county, stage.bought_december)
        if stage.compulsory:
            children = children + demand[:, stage.grades].sum((0, 1))
            base += (stage.placed + stage.lacking).sum((0, 1))
    share = data.settings.policy.purchase_ceiling_share
    limit = data.purchase_limit[-1]
    whole, most = limit[:, None], limit
    if share is not None:
        whole, most = np.minimum(whole, share * children), np.minimum(limit, share * base)
    # A ceiling that the plan just meets, but for the solver's tolerance, does not cut it.
    slip = np.maximum(planned.sum(0) - most, 0.0)
    county = np.maximum(data.purchase_limit[:-1], planned)
    return county[..., None], np.asarray(whole + slip[:, None])


def seat(
    data: SimulationData,
    stage: StageData,
    arrival: Arrivals,
    payers: Payers,
    seats: Array,
    planned_seats: Array,
) -> Seated:
    """Seat the children of a stage.

    Parameters
    ----------
    data : SimulationData
    stage : StageData
    come : Arrivals
    payers : Payers
    seats, planned_seats : arrays [provider, year, draw]
        Standard public seats open, and those the plan counts on (one draw).
    """
    own, standard, ceiling = _limits(data, stage, arrival, payers, seats, planned_seats)
    # Who would have no place is not kept out of a school because it has just converted.
    just_converted = np.where((stage.converted & ~stage.settled)[..., None], seats, 0.0)
    just_converted = (1 + stage.overfill) * just_converted
    pool = stage.network.pool
    home, counties = data.space.county[stage.network.home], len(data.space.counties)
    keep = fraction(own, arrival.load)
    out = _apply(stage.leave, (1 - keep) * arrival.factor)
    waiting = arrival.ratio * _apply(stage.network.back, out).reshape(arrival.ratio.shape)
    fares = arrival.ratio * _apply(stage.network.fares, 1 - out).reshape(arrival.ratio.shape)
    travel = fares.sum((0, 1))
    board = arrival.ratio * _apply(stage.network.boarding, 1 - out).reshape(arrival.ratio.shape)
    total = arrival.load * keep
    pupils = stage.pupils[..., None] * (arrival.scale[pool] * (keep * arrival.factor)[:, None])
    redirected = np.zeros((len(WAYS), counties, *total.shape[1:]))
    for way, most in ((0, standard), (1, ceiling), (1, just_converted)):
        room = np.maximum(most - total, 0.0)
        waiting, landed, share, extra = offer(waiting, room, stage.network)
        redirected[way] += by_group(landed.sum(1), home, counties)
        total = total + landed.sum(1)[pool] * share
        pupils += landed[pool] * share[:, None]
        travel = travel + extra
    limited = stage.runs_public[..., None] & data.settings.switches.seats
    return Seated(
        pupils=pupils,
        total=total,
        seats=seats,
        overfilled=np.where(limited, np.maximum(total - seats, 0.0), 0.0),
        shortfall=(waiting + arrival.lacking).sum(1),
        travel_cny=travel,
        boarding_cny=board.sum((0, 1)),
        waiting=waiting,
        redirected=redirected,
    )


def _limits(
    data: SimulationData,
    stage: StageData,
    arrival: Arrivals,
    payers: Payers,
    seats: Array,
    planned_seats: Array,
) -> tuple[Array, Array, Array]:
    """Compute most pupils by provider: those foreseen, standard seats, the class ceiling."""
    planned = stage.enrolled
    over = np.maximum(planned - planned_seats, 0.0)
    own = seats + np.where(seats < planned_seats, np.minimum(over, stage.overfill * seats), over)
    paying = (stage.fee + stage.bought)[..., None]
    private = (payers.fee + payers.bought) * planned / np.where(paying > 0, paying, 1.0)
    open_to_all = (stage.public[:, None] | stage.settled)[..., None]
    other = (~stage.public & ~stage.levered)[:, None, None]
    capacity = stage.capacity[..., None]
    own = np.where((stage.levered[:, None] & ~stage.converted)[..., None], private, own)
    own = np.where(other, np.maximum(capacity, planned), own)
    if not data.settings.switches.seats:
        own = np.maximum(own, arrival.load)
    standard = np.where(open_to_all, seats, np.where(other, capacity, 0.0))
    ceiling = np.where(open_to_all, (1 + stage.overfill) * seats, 0.0)
    return own, standard, ceiling


def offer(waiting: Array, room: Array, network: Network) -> tuple[Array, Array, Array, Array]:
    """Offer the room of providers to waiting children; a pool's split it by the room they have.

    Parameters
    ----------
    waiting : array [area, grade, year, draw]
        Persons.
    room : array [provider, year, draw]
        Persons.
    network : Network

    Returns
    -------
    waiting, landed, share, travel_cny
        As of `spill`; `share` is each provider's of its pool, ``[provider, year, draw]``.
    """
    offered = by_group(room, network.pool, len(network.home))
    waiting, landed, travel = spill(waiting, offered, network)
    return waiting, landed, room / np.where(offered > 0, offered, 1.0)[network.pool], travel


def spill(waiting: Array, room: Array, network: Network) -> tuple[Array, Array, Array]:
    """Offer waiting children to the pools they can reach, cheapest first.

    Where more come to a pool than it has room for, all who come have the same chance.

    Parameters
    ----------
    waiting : array [area, grade, year, draw]
        Persons.
    room : array [pool, year, draw]
        Persons.
    network : Network

    Returns
    -------
    waiting : array [area, grade, year, draw]
        Who still waits.
    landed : array [pool, grade, year, draw]
        Who found room.
    travel_cny : array [year, draw]
    """
    waiting = waiting.copy()
    landed = np.zeros((len(room), *waiting.shape[1:]))
    travel = np.zeros(waiting.shape[2:])
    for target, price in zip(network.near, network.near_cny, strict=True):
        areas = np.flatnonzero(target >= 0)
        areas = areas[waiting[areas].any((1, 2, 3))]
        if not len(areas):
            continue
        pools = target[areas]
        coming = waiting[areas]
        offers = by_group(coming, pools, len(room))
        taken = fraction(room, offers.sum(1))
        moved = coming * taken[pools][:, None]
        waiting[areas] -= moved
        offers *= taken[:, None]
        landed += offers
        room = np.maximum(room - offers.sum(1), 0.0)
        travel = travel + (moved.sum(1) * price[areas, None, None]).sum(0)
    return waiting, landed, travel


def fraction(most: Array, wanted: Array) -> Array:
    """Compute the share of what is wanted that can be had; 1 where nothing is.

    Examples
    --------
    >>> fraction(np.array([1.0, 5.0, 0.0]), np.array([4.0, 4.0, 0.0]))
    array([0.25, 1.  , 1.  ])
    """
    some = wanted > 0
    return np.asarray(np.where(some, np.minimum(most / np.where(some, wanted, 1.0), 1.0), 1.0))


def share_within(*limits: tuple[Array, Array, Array]) -> Array:
    """Compute the share of the counties' demand that their limits, and the whole's, permit.

    Parameters
    ----------
    *limits : triples of arrays ``[county, …]``, ``[…]``, ``[county, …]``
        Left for each county, left for the whole, and wanted, of one thing each.

    Returns
    -------
    array ``[county, …]``

    Examples
    --------
    >>> share_within((np.array([5.0, 9.0]), np.array(6.0), np.array([10.0, 5.0])))
    array([0.3, 0.6])
    """
    part = reduce(np.minimum, [fraction(left, wanted) for left, _, wanted in limits])
    whole = [fraction(left, (wanted * part).sum(0)) for _, left, wanted in limits]
    return np.asarray(part * reduce(np.minimum, whole))


def by_group(values: Array, group: Index, groups: int) -> Array:
    """Sum rows of an array by group.

    Examples
    --------
    >>> by_group(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1]), 2)
    array([[3., 4.],
           [6., 8.]])
    """
    ones = np.ones(len(group))
    sums = sparse.csr_array((ones, (group, np.arange(len(group)))), shape=(groups, len(group)))
    flat = values.reshape(len(group), int(np.prod(values.shape[1:])))
    return np.asarray(sums @ flat).reshape(groups, *values.shape[1:])


def _apply(matrix: sparse.csr_array, values: Array) -> Array:
    """Apply a matrix to the cells of an array ``[..., draw]``: ``[row, draw]``."""
    return np.asarray(matrix @ values.reshape(-1, values.shape[-1]))


# ---- what follows: displaced pupils, class sizes, teachers, money

LATER_PART = 8 / 12
"""Share of a school year's price that a place bought on 31 December costs."""


def displaced(data: SimulationData, stage: StageData, arrival: Arrivals, seated: Seated) -> Array:
    """Count children made to change school in mid-stage, persons ``[provider, year, draw]``.

    A school's pupils move up with the plan's progression ratio, corrected by how the draw's cohort
    of those who come to the school changes, and by at most 1.
    """
    if not stage.compulsory or not data.settings.switches.continuity:
        return np.zeros_like(seated.total)
    pool, home = stage.network.pool, stage.network.home
    first = np.ones((*arrival.scale.shape[:2], 1, arrival.scale.shape[-1]))
    before = np.concatenate([first, arrival.scale[:, :, :-1]], axis=2)[:, :-1]
    change = arrival.scale[:, 1:] / np.where(before > 0, before, 1.0)
    ratio = data.space.progression[home][:, stage.grades[1:]][..., None]
    moved_up = np.minimum(ratio * change, 1.0)
    rolls = np.broadcast_to(stage.rolls[:, :, None, None], (*stage.rolls.shape, 1, first.shape[-1]))
    last = np.concatenate([rolls, seated.pupils[:, :, :-1]], axis=2)[:, :-1]
    return np.asarray(np.maximum(moved_up[pool] * last - seated.pupils[:, 1:], 0.0).sum(1))


def large_share(mean: Array, least: float, sd: float, large: float | None = None) -> Array:
    """Compute the share of classes of `least` pupils or more, by mean class size.

    Class sizes are normal round the mean; the share is that of the model's `chords`, of which the
    ends go by the size of a `large` class (default: ``least``), never below 0.

    Examples
    --------
    >>> large_share(np.array([30.0, 45.0, 55.5]), 56, 5.0).round(4)
    array([0.    , 0.0179, 0.4974])
    """
    out = np.zeros_like(mean)
    for intercept, slope in zip(*chords(large or least, sd, least), strict=True):
        np.maximum(out, intercept + slope * mean, out=out)
    return out


def class_sizes(
    data: SimulationData, stage: StageData, seated: Seated
) -> tuple[Array, Array, Array]:
    """Compute mean class size, and shares of large and of very large classes, at public providers.

    Returns
    -------
    three arrays [county, year, draw]
    """
    counties = len(data.space.counties)
    public = np.flatnonzero(stage.public)
    classes = seated.seats[public] / stage.class_size
    pupils = seated.total[public]
    some = classes > 0
    mean = np.where(some, pupils / np.where(some, classes, 1.0), 0.0)
    sd = data.settings.policy.class_size_sd
    many = [
        large_share(mean, size, sd, stage.large_class) * classes
        for size in (stage.large_class, stage.very_large_class)
    ]
    county = stage.county[public]
    total, large, very_large, count = (
        by_group(part, county, counties) for part in (np.where(some, pupils, 0.0), *many, classes)
    )
    whole = np.where(count > 0, count, 1.0)
    return total / whole, large / whole, very_large / whole


def helping_teachers(data: SimulationData, seated: Sequence[Seated]) -> tuple[Array, Array]:
    """Compute teachers on contract, and teachers on post who help out in another stage.

    Those on contract are the plan's, changed as the need of the stage beyond its posts changes. For
    who would come on top of the plan's, teachers on post whom another stage of the county does not
    need are taken first.

    Returns
    -------
    two arrays [county, year, draw]
        Persons.
    """
    need = np.zeros((*data.need.shape, seated[0].total.shape[-1]))
    for number, (stage, seating) in enumerate(zip(data.stages, seated, strict=True)):
        if stage.pupils_per_post:
            pupils = by_group(public_pupils(stage, seating), stage.county, len(need))
            need[:, number] = pupils / stage.pupils_per_post
    posts, planned = data.posts[..., None], data.contract[..., None]
    spare = data.contract - np.maximum(data.need - data.posts, 0.0)
    wanted = np.maximum(np.maximum(need - posts, 0.0) + spare[..., None], 0.0)
    more = np.maximum(wanted - planned, 0.0).sum(axis=1)
    idle = np.maximum(posts - need, 0.0).sum(axis=1)
    helping = np.minimum(more, idle)
    return wanted.sum(axis=1) - helping, helping


def moves_cny(data: SimulationData, helping: Array) -> Array:
    """Return what it costs that more teachers help out than last year, RMB ``[…, year, draw]``."""
    return data.settings.costs.stage_move_cny * np.maximum(
        np.diff(helping, axis=-2, prepend=0.0), 0.0
    )


def public_pupils(stage: StageData, seated: Seated) -> Array:
    """Return pupils of public providers and converted schools, ``[provider, year, draw]``."""
    return np.asarray(np.where(stage.runs_public[..., None], seated.total, 0.0))


def money(
    data: SimulationData,
    seated: Sequence[Seated],
    payers: Sequence[Payers],
    displacements: Sequence[Array],
    copies: Array,
) -> Array:
    """Sum discounted cost by kind, RMB ``[kind, draw]``.

    Parameters
    ----------
    data : SimulationData
    seated, payers : by stage
    displacements : by stage, arrays [provider, year, draw]
        Displaced children.
    copies : array [opening, year, draw]
        Copies of projects in use in autumns.
    """
    price = data.settings.costs
    draws = seated[0].total.shape[-1]
    nothing = np.zeros((len(data.space.years), draws))
    year = {kind: nothing.copy() for kind in COST_KINDS if kind not in FIXED}
    year["running"] += (data.openings.running_cny[:, None, None] * copies).sum(0)
    on_contract, helping = helping_teachers(data, seated)
    teachers = price.teacher_cny * data.posts.sum(axis=1)[..., None]
    year["staff"] += (teachers + price.contract_teacher_cny * on_contract).sum(0)
    year["hiring"] = moves_cny(data, helping).sum(0)
    for stage, seating, payer, pupils in zip(
        data.stages, seated, payers, displacements, strict=True
    ):
        year["running"] += stage.allowance_cny * public_pupils(stage, seating).sum(0)
        year["running"] += (stage.fixed_cny[:, None] * stage.runs_public).sum(0)[:, None]
        bought = payer.bought + LATER_PART * (payer.bought_december - payer.bought)
        year["purchase"] += (stage.price_cny[:, None, None] * bought).sum(0)
        year["travel"] += seating.travel_cny
        year["boarding"] += seating.boarding_cny
        year["displacement"] += price.displacement_cny * pupils.sum(0)
        year["overfill"] += price.overfill_cny * seating.overfilled.sum(0)
        year["shortfall"] += price.shortfall_cny * seating.shortfall.sum(0)
    out = np.zeros((len(COST_KINDS), draws))
    for number, kind in enumerate(COST_KINDS):
        if kind in FIXED:
            out[number] = data.fixed_cny[kind]
        if kind in year and getattr(data.settings.cost_terms, kind):
            out[number] += data.discount @ year[kind]
    return out
