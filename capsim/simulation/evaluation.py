"""A block of draws, from children and opening dates to figures and achieved targets.

Blocks are independent, so any worker may run any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capsim.demand.draws import block
from capsim.lp.array_types import Array, Index
from capsim.model.data import codes
from capsim.plan.targets import Target
from capsim.simulation.data import SimulationData, StageData
from capsim.simulation.opening_dates import (
    days,
    in_use,
    opening_days,
    planned_copies,
    seats_by_owner,
    seats_open,
)
from capsim.simulation.recourse import (
    Parents,
    buy,
    contract_room,
    demanded,
    draw_parents,
    refuse,
    room,
    take_up,
    uptake_of,
)
from capsim.simulation.seating import (
    Arrivals,
    Payers,
    Seated,
    arrive,
    by_group,
    class_sizes,
    displaced,
    money,
    pay,
    planned_payers,
    seat,
)


@dataclass(frozen=True, eq=False)
class Autumns:
    """Figures of a block that targets are read from.

    Attributes
    ----------
    children : array [area, grade, year, draw]
    seated : by stage
    shortfall : array [area, stage, year, draw]
    counted : array [year, draw]
        Counted private pupils of compulsory stages in autumn.
    shares : array [whole and county, year, draw]
        Counted private pupils on 31 December over enrolment.
    large : array [county, compulsory stage, year, draw]
    opening : array of int [opening, draw]
        Days.
    """

    children: Array
    seated: Sequence[Seated]
    shortfall: Array
    counted: Array
    shares: Array
    large: Array
    opening: Index


def _year(data: SimulationData, target: Target) -> int:
    """Return the position of the target's year."""
    return int(target.date[:4]) - int(data.space.years[0])


def _placement(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    return np.asarray(autumns.shortfall.sum((0, 1, 2)))


def _reduction(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    base = sum(float(stage.rolls[stage.levered].sum()) for stage in data.stages)
    return np.asarray(base - autumns.counted[_year(data, target)])


def _share(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    shares = autumns.shares[:, _year(data, target)]
    whole = data.settings.policy.share_scope == "whole"
    return np.asarray(shares[0] if whole else shares[1:].max(0))


def _large_classes(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    return np.asarray(autumns.large[:, :, _year(data, target)].max((0, 1)))


def _programme(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    ready = in_use(autumns.opening, days([target.date]))[:, 0]
    return np.asarray(ready[data.openings.programme == target.detail].sum(0))


def _stage(data: SimulationData, autumns: Autumns, name: str) -> tuple[int, StageData, Seated]:
    number = [stage.name for stage in data.stages].index(name)
    return number, data.stages[number], autumns.seated[number]


def _enrolment(name: str) -> Callable[[SimulationData, Target, Autumns], Array]:
    def enrolled(data: SimulationData, target: Target, autumns: Autumns) -> Array:
        t = _year(data, target)
        number, stage, _ = _stage(data, autumns, name)
        children = autumns.children[:, stage.grades, t]
        planned = data.space.children[:, stage.grades, t, None]
        ages = data.space.population[:, stage.grades, t, None]
        # More or fewer children are a matter of how many there are, not of how many enrol.
        ages = ages * np.where(planned > 0, children / np.where(planned > 0, planned, 1.0), 1.0)
        elsewhere = data.settings.demand.elsewhere.get(name, 0.0)
        placed = children.sum((0, 1)) / (1.0 - elsewhere) - autumns.shortfall[:, number, t].sum(0)
        return _share_of(placed, ages.sum((0, 1)))

    return enrolled


def _kindergarten_share(data: SimulationData, target: Target, autumns: Autumns) -> Array:
    t = _year(data, target)
    _, stage, seated = _stage(data, autumns, "kindergarten")
    pupils = seated.total[:, t]
    counted = pupils[stage.public].sum(0)
    if target.rule == "kindergarten_inclusive":
        openings = data.openings
        december = in_use(autumns.opening, openings.decembers[t : t + 1])[:, 0]
        autumn = planned_copies(openings)[:, t]
        turned = openings.inclusive[:, None] * (december - autumn)[openings.opening]
        counted = counted + pupils[stage.inclusive].sum(0) + turned.sum(0)
    return _share_of(counted, pupils.sum(0))


def _share_of(part: Array, whole: Array) -> Array:
    """Divide draw by draw; of nobody, all are what a floor asks for.

    Examples
    --------
    >>> _share_of(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, 1.0]
    """
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


ACHIEVED: Mapping[str, Callable[[SimulationData, Target, Autumns], Array]] = {
    "placement": _placement,
    "reduction": _reduction,
    "share": _share,
    "programme": _programme,
    "kindergarten_enrolment": _enrolment("kindergarten"),
    "kindergarten_public": _kindergarten_share,
    "kindergarten_inclusive": _kindergarten_share,
    "senior_enrolment": _enrolment("senior"),
    "large_classes": _large_classes,
}


@dataclass(frozen=True, eq=False)
class Job:
    """One block of draws.

    Attributes
    ----------
    number : int
        Of the block, from 0.
    draws : int
        At most `BLOCK`.
    seed : int or None
        Of demand; None for demand as planned.
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None for as planned.
    harm : bool
        Whether to compute what lateness causes, for which children are seated a second time.
    """

    number: int
    draws: int
    seed: int | None
    ready: Index | None
    harm: bool = True


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of a block; the last axis of arrays is the draw, but for `harm`.

    Attributes
    ----------
    shortfall : array [area, stage, year, draw]
        Persons; so are `overfilled` [stage, year, draw] and `displaced` [year, draw].
    excluding, including : arrays [whole and county, year, draw]
        Private share on 31 December without and with purchased places.
    class_size, large, very_large : arrays [county, compulsory stage, year, draw]
    cost_cny : array [kind, draw]
    targets : array [target, draw]
    late_places : array [project, draw]
        Places missing in the autumns that the plan counts on them first.
    redirected : array [way, county, stage, year, draw]
        Children who sit elsewhere than the plan foresees, by the way of `seating.WAYS`.
    demanded, room : arrays [group of a stage, year, draw]
        Children who ask for a place where a group of areas can go, and places up to the class
        ceiling there; groups of the first stage first.
    harm : array [project]
        Shortfall, over-filling and recourse purchases that lateness causes, child-years summed
        over draws.
    """

    shortfall: Array
    overfilled: Array
    displaced: Array
    excluding: Array
    including: Array
    class_size: Array
    large: Array
    very_large: Array
    cost_cny: Array
    targets: Array
    late_places: Array
    redirected: Array
    demanded: Array
    room: Array
    harm: Array


def run_block(data: SimulationData, targets: Sequence[Target], job: Job) -> Figures:
    """Simulate a block of draws."""
    parents = draw_parents(data, job.draws, job.seed, job.number)
    return figures_of(data, targets, _ratio(data, job), job.ready, parents, harm=job.harm)


def figures_of(
    data: SimulationData,
    targets: Sequence[Target],
    ratio: Array,
    ready: Index | None,
    parents: Parents | None = None,
    *,
    harm: bool = True,
) -> Figures:
    """Seat children as a plan says, with projects that open on given days.

    Parameters
    ----------
    data : SimulationData
    targets : sequence of Target
    ratio : array [area, grade, year, draw]
        Children over planned children.
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None for as planned.
    parents : Parents or None
        None: all purchased places are taken up and no public one is refused.
    harm : bool
        As of `Job`; 0 for all projects where not computed.
    """
    children = data.space.children[..., None] * ratio
    opening = opening_days(data.openings, ready)
    opening = np.broadcast_to(opening, (len(opening), ratio.shape[-1]))
    copies = in_use(opening, data.openings.autumns)
    arrivals = tuple(arrive(stage, ratio[:, stage.grades]) for stage in data.stages)
    payers = pay(data, arrivals, children)
    if parents is not None:
        payers = take_up(data, payers, parents)
        both = [refuse(*of, parents) for of in zip(data.stages, arrivals, payers, strict=True)]
        arrivals, payers = (tuple(part) for part in zip(*both, strict=True))
    contracts = [_contracts(*of, parents) for of in zip(data.stages, payers, strict=True)]
    quotas = payers
    payers, seated = seat_all(data, arrivals, quotas, copies, children, parents)
    displacements = [displaced(data, *of) for of in zip(data.stages, arrivals, seated, strict=True)]
    shortfall = np.stack([seating.shortfall for seating in seated], axis=1)
    excluding, including = _shares(data, children, payers, seated)
    counts = data.settings.policy.purchased_counts_as_private
    sizes = [
        class_sizes(data, stage, seating)
        for stage, seating in zip(data.stages, seated, strict=True)
        if stage.compulsory
    ]
    empty = np.zeros((len(data.space.counties), 0, len(data.space.years), ratio.shape[-1]))
    mean, large, very_large = (
        (np.stack(part, axis=1) for part in zip(*sizes, strict=True)) if sizes else (empty,) * 3
    )
    autumns = Autumns(
        children=children,
        seated=seated,
        shortfall=shortfall,
        counted=np.sum([(p.fee + p.bought if counts else p.fee).sum(0) for p in payers], axis=0),
        shares=including if counts else excluding,
        large=large,
        opening=opening,
    )
    late = _late_places(data, opening)
    caused = np.zeros(len(data.openings.projects))
    if harm and late.any():
        in_time = np.broadcast_to(planned_copies(data.openings), copies.shape)
        _, on_time = seat_all(data, arrivals, quotas, in_time, children, parents)
        caused = _harm(data, seated, copies, on_time)
    return Figures(
        shortfall=shortfall,
        overfilled=np.stack([seating.overfilled.sum(0) for seating in seated]),
        displaced=np.sum([part.sum(0) for part in displacements], axis=0),
        excluding=excluding,
        including=including,
        class_size=mean,
        large=large,
        very_large=very_large,
        cost_cny=money(data, seated, payers, displacements, copies),
        targets=np.stack([ACHIEVED[target.rule](data, target, autumns) for target in targets]),
        late_places=late,
        redirected=np.stack([seating.redirected for seating in seated], axis=2),
        demanded=np.concatenate(
            [
                demanded(stage, seating, payer.bought)
                for stage, seating, payer in zip(data.stages, seated, payers, strict=True)
            ]
        ),
        room=np.concatenate(
            [
                room(stage, seating.seats, places)
                for stage, seating, places in zip(data.stages, seated, contracts, strict=True)
            ]
        ),
        harm=caused,
    )


def _ratio(data: SimulationData, job: Job) -> Array:
    """Draw children over planned ones, ``[area, grade, year, draw]``; 1 where none are planned."""
    demand, space = data.demand, data.space
    if job.seed is None:
        return np.ones((*space.children.shape, job.draws))
    planned = np.asarray(demand.pupils)
    drawn = block(planned, demand.spread, job.draws, job.seed, job.number)
    some = planned > 0
    ratio = np.where(some, drawn / np.where(some, planned, 1.0), 1.0)
    cells = np.ix_(codes(space.areas, demand.areas), codes(space.grades, demand.grades))
    return np.ascontiguousarray(np.moveaxis(ratio[..., 1:], 0, -1)[cells])


def seat_all(
    data: SimulationData,
    arrivals: Sequence[Arrivals],
    payers: Sequence[Payers],
    copies: Array,
    children: Array,
    parents: Parents | None,
) -> tuple[tuple[Payers, ...], tuple[Seated, ...]]:
    """Seat all stages; who then waits is sent to what contracts have left."""
    planned = planned_copies(data.openings)
    seated = [
        seat(data, stage, arrival, payer, *(_seats(data, stage, of) for of in (copies, planned)))
        for stage, arrival, payer in zip(data.stages, arrivals, payers, strict=True)
    ]
    return buy(data, payers, seated, children, parents)


def _contracts(stage: StageData, payer: Payers, parents: Parents | None = None) -> Array:
    """Count places purchased, and those that contracts can grow by, ``[provider, year, draw]``."""
    return payer.bought + contract_room(stage, payer, uptake_of(stage, parents))


def rooms(data: SimulationData, opening: Index) -> Array:
    """Count places up to the class ceiling if projects open on given days, ``[group, year]``.

    Contracts can grow as planned, without regard to ceilings on all purchases.

    Parameters
    ----------
    data : SimulationData
    opening : array of int [opening]
        Days.
    """
    copies = in_use(opening[:, None], data.openings.autumns)
    by_stage = [
        room(stage, _seats(data, stage, copies), _contracts(stage, planned_payers(stage)))
        for stage in data.stages
    ]
    return np.concatenate(by_stage)[..., 0]


def _seats(data: SimulationData, stage: StageData, copies: Array) -> Array:
    """Count standard public seats, ``[provider, year, draw]``: existing, converted, new.

    A project gives old places up when it opens; a late one keeps them.
    """
    of = data.openings, copies, stage.seat_rows, stage.seat_owner, len(stage.area)
    own = (stage.places[:, None] * stage.runs_public)[..., None]
    return np.maximum(own + seats_by_owner(*of), 0.0)


def _shares(
    data: SimulationData, children: Array, payers: Sequence[Payers], seated: Sequence[Seated]
) -> tuple[Array, Array]:
    """Compute private shares on 31 December without and with purchased places, the whole first."""
    counties = len(data.space.counties)
    by_residence = data.settings.policy.share_denominator == "residence"
    parts = np.zeros((3, counties, *children.shape[2:]))
    for stage, payer, seating in zip(data.stages, payers, seated, strict=True):
        if not stage.compulsory:
            continue
        parts[0] += by_group(payer.fee_december, stage.county, counties)
        parts[1] += by_group(payer.bought_december, stage.county, counties)
        if by_residence:
            parts[2] += by_group(children[:, stage.grades].sum(1), data.space.county, counties)
        else:
            parts[2] += by_group(seating.total, stage.county, counties)
    fee, bought, enrolment = np.concatenate([parts.sum(1, keepdims=True), parts], axis=1)
    some = np.where(enrolment > 0, enrolment, 1.0)
    return fee / some, (fee + bought) / some


def _late_places(data: SimulationData, opening: Index) -> Array:
    """Count places missing in the first autumn that should have them, ``[project, draw]``."""
    openings = data.openings
    first = np.searchsorted(openings.autumns, openings.day)
    row = openings.opening
    counts = first[row] < len(openings.autumns)
    first = np.minimum(first, len(openings.autumns) - 1)
    missing = (opening > openings.autumns[first][:, None])[row] & counts[:, None]
    places = missing * openings.places[np.arange(len(row)), first[row], None]
    return by_group(places, openings.project[row], len(openings.projects))


def _harm(
    data: SimulationData, seated: Sequence[Seated], copies: Array, on_time: Sequence[Seated]
) -> Array:
    """Sum shortfall, over-filling and recourse purchases that lateness causes, over draws.

    By project: what lateness causes in a county, stage and year is split over the places missing
    there. `on_time` are the same children with every project on time.
    """
    openings, counties = data.openings, len(data.space.counties)
    as_planned = planned_copies(openings)
    missing = np.maximum(seats_open(openings, as_planned) - seats_open(openings, copies), 0.0)
    out = np.zeros(len(openings.projects))
    for stage, late, ready in zip(data.stages, seated, on_time, strict=True):
        rows = stage.seat_rows
        county = stage.county[stage.seat_owner]
        short = by_group(late.shortfall - ready.shortfall, data.space.county, counties)
        over = by_group(late.overfilled - ready.overfilled, stage.county, counties)
        caused = np.maximum(short + over + late.redirected[-1] - ready.redirected[-1], 0.0)
        total = by_group(missing[rows], county, counties)
        each = caused / np.where(total > 0, total, 1.0)
        share = (missing[rows] * each[county]).sum((1, 2))
        np.add.at(out, openings.project[openings.opening[rows]], share)
    return out
