"""Each target of a plan in every draw.

A block of draws from demand and dates to figures; blocks know nothing of each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capsim.demand.draws import block
from capsim.plan.targets import Target
from capsim.simulation.costs_and_classes import class_sizes, displaced, money
from capsim.simulation.data import SimulationData, StageData
from capsim.simulation.network import Floats
from capsim.simulation.opening_dates import Days, days, in_use, opening_days, seats_open
from capsim.simulation.parents import Parents, draw_parents, refuse, take_up
from capsim.simulation.recourse import asked, buy, contract_room, room, uptake_of
from capsim.simulation.seating import (
    Arrivals,
    Payers,
    Seated,
    arrive,
    by_group,
    pay,
    planned_payers,
    seat,
)


@dataclass(frozen=True, eq=False)
class Autumns:
    """What targets are read from, of a block of draws.

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

    children: Floats
    seated: Sequence[Seated]
    shortfall: Floats
    counted: Floats
    shares: Floats
    large: Floats
    opening: Days


def _year(given: SimulationData, target: Target) -> int:
    """Position of the target's year."""
    return given.years.index(int(target.date[:4]))


def _placement(given: SimulationData, target: Target, found: Autumns) -> Floats:
    return np.asarray(found.shortfall.sum((0, 1, 2)))


def _reduction(given: SimulationData, target: Target, found: Autumns) -> Floats:
    base = sum(float(stage.rolls[stage.levered].sum()) for stage in given.stages)
    return np.asarray(base - found.counted[_year(given, target)])


def _share(given: SimulationData, target: Target, found: Autumns) -> Floats:
    shares = found.shares[:, _year(given, target)]
    whole = given.settings.policy.share_scope == "whole"
    return np.asarray(shares[0] if whole else shares[1:].max(0))


def _large_classes(given: SimulationData, target: Target, found: Autumns) -> Floats:
    return np.asarray(found.large[:, :, _year(given, target)].max((0, 1)))


def _programme(given: SimulationData, target: Target, found: Autumns) -> Floats:
    ready = in_use(given.programme, found.opening, days([target.date]))[:, 0]
    return np.asarray(ready[given.programme.programme == target.detail].sum(0))


def _stage(given: SimulationData, found: Autumns, name: str) -> tuple[int, StageData, Seated]:
    number = [stage.name for stage in given.stages].index(name)
    return number, given.stages[number], found.seated[number]


def _enrolment(name: str) -> Callable[[SimulationData, Target, Autumns], Floats]:
    def enrolled(given: SimulationData, target: Target, found: Autumns) -> Floats:
        t = _year(given, target)
        number, stage, _ = _stage(given, found, name)
        children = found.children[:, stage.grades, t]
        planned = given.demand.pupils[:, stage.grades, t + 1, None]
        ages = given.demand.population[:, stage.grades, t + 1, None]
        # More or fewer children are a matter of how many there are, not of how many enrol.
        ages = ages * np.where(planned > 0, children / np.where(planned > 0, planned, 1.0), 1.0)
        placed = children.sum((0, 1)) - found.shortfall[:, number, t].sum(0)
        return _share_of(placed, ages.sum((0, 1)))

    return enrolled


def _kindergarten_share(given: SimulationData, target: Target, found: Autumns) -> Floats:
    t = _year(given, target)
    _, stage, seated = _stage(given, found, "kindergarten")
    pupils = seated.total[:, t]
    counted = pupils[stage.public].sum(0)
    if target.rule == "kindergarten_inclusive":
        programme = given.programme
        checks = np.array([programme.decembers[t]])
        december = in_use(programme, found.opening, checks)[:, 0]
        autumn = in_use(programme, programme.day[:, None], programme.autumns[t : t + 1])[:, 0]
        turned = programme.inclusive[:, None] * (december - autumn)[programme.opening]
        counted = counted + pupils[stage.inclusive].sum(0) + turned.sum(0)
    return _share_of(counted, pupils.sum(0))


def _share_of(part: Floats, whole: Floats) -> Floats:
    """Divide draw by draw; of nobody, all are what a floor asks for.

    Examples
    --------
    >>> _share_of(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, 1.0]
    """
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


ACHIEVED: Mapping[str, Callable[[SimulationData, Target, Autumns], Floats]] = {
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
    """

    number: int
    draws: int
    seed: int | None
    ready: Days | None


@dataclass(frozen=True, eq=False)
class Figures:
    """What a block is remembered by; the last axis of arrays is the draw, but for `harm`.

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
    found : array [way, county, stage, year, draw]
        Children who sit elsewhere than the plan foresees, by the way of `seating.WAYS`.
    asked, room : arrays [group of a stage, year, draw]
        Children who ask for a place where a group of areas can go, and places up to the class
        ceiling there; groups of the first stage first.
    harm : array [project]
        Shortfall, over-filling and recourse purchases that lateness causes, child-years summed
        over draws.
    """

    shortfall: Floats
    overfilled: Floats
    displaced: Floats
    excluding: Floats
    including: Floats
    class_size: Floats
    large: Floats
    very_large: Floats
    cost_cny: Floats
    targets: Floats
    late_places: Floats
    found: Floats
    asked: Floats
    room: Floats
    harm: Floats


def run_block(given: SimulationData, targets: Sequence[Target], job: Job) -> Figures:
    """Simulate a block of draws."""
    parents = draw_parents(given, job.draws, job.seed, job.number)
    return meet(given, targets, _ratio(given, job), job.ready, parents)


def meet(
    given: SimulationData,
    targets: Sequence[Target],
    ratio: Floats,
    ready: Days | None,
    parents: Parents | None = None,
) -> Figures:
    """Let a plan meet children and opening dates.

    Parameters
    ----------
    given : SimulationData
    targets : sequence of Target
    ratio : array [area, grade, year, draw]
        Children over planned children.
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None for as planned.
    parents : Parents or None
        None: all purchased places are taken up and no public one is refused.
    """
    children = given.demand.pupils[:, :, 1:, None] * ratio
    opening = opening_days(given.programme, ready)
    opening = np.broadcast_to(opening, (len(opening), ratio.shape[-1]))
    copies = in_use(given.programme, opening, given.programme.autumns)
    arrivals = tuple(arrive(stage, ratio[:, stage.grades]) for stage in given.stages)
    payers = pay(given, arrivals, children)
    if parents is not None:
        payers = take_up(given, payers, parents)
        both = [refuse(*of, parents) for of in zip(given.stages, arrivals, payers, strict=True)]
        arrivals, payers = (tuple(part) for part in zip(*both, strict=True))
    contracts = [_contracts(*of, parents) for of in zip(given.stages, payers, strict=True)]
    quotas = payers
    payers, seated = seat_all(given, arrivals, quotas, copies, children, parents)
    moved = [displaced(given, *of) for of in zip(given.stages, arrivals, seated, strict=True)]
    shortfall = np.stack([sits.shortfall for sits in seated], axis=1)
    excluding, including = _shares(given, children, payers, seated)
    counts = given.settings.policy.purchased_counts_as_private
    sizes = [
        class_sizes(given, stage, sits)
        for stage, sits in zip(given.stages, seated, strict=True)
        if stage.compulsory
    ]
    empty = np.zeros((len(given.counties), 0, len(given.years), ratio.shape[-1]))
    mean, large, very_large = (
        (np.stack(part, axis=1) for part in zip(*sizes, strict=True)) if sizes else (empty,) * 3
    )
    found = Autumns(
        children=children,
        seated=seated,
        shortfall=shortfall,
        counted=np.sum([(p.fee + p.bought if counts else p.fee).sum(0) for p in payers], axis=0),
        shares=including if counts else excluding,
        large=large,
        opening=opening,
    )
    late = _late_places(given, opening)
    harm = np.zeros(len(given.programme.projects))
    if late.any():
        harm = _harm(given, seated, copies, _on_time(given, arrivals, quotas, children, parents))
    return Figures(
        shortfall=shortfall,
        overfilled=np.stack([sits.overfilled.sum(0) for sits in seated]),
        displaced=np.sum([part.sum(0) for part in moved], axis=0),
        excluding=excluding,
        including=including,
        class_size=mean,
        large=large,
        very_large=very_large,
        cost_cny=money(given, seated, payers, moved, copies),
        targets=np.stack([ACHIEVED[target.rule](given, target, found) for target in targets]),
        late_places=late,
        found=np.stack([sits.found for sits in seated], axis=2),
        asked=np.concatenate(
            [
                asked(stage, sits, payer.bought)
                for stage, sits, payer in zip(given.stages, seated, payers, strict=True)
            ]
        ),
        room=np.concatenate(
            [
                room(stage, sits.seats, places)
                for stage, sits, places in zip(given.stages, seated, contracts, strict=True)
            ]
        ),
        harm=harm,
    )


def _ratio(given: SimulationData, job: Job) -> Floats:
    """Children over planned children, ``[area, grade, year, draw]``; 1 where none are planned."""
    planned = np.asarray(given.demand.pupils)
    if job.seed is None:
        drawn = np.broadcast_to(planned, (job.draws, *planned.shape))
    else:
        drawn = block(planned, given.demand.spread, job.draws, job.seed, job.number)
    some = planned > 0
    ratio = np.where(some, drawn / np.where(some, planned, 1.0), 1.0)
    return np.ascontiguousarray(np.moveaxis(ratio[..., 1:], 0, -1))


def seat_all(
    given: SimulationData,
    arrivals: Sequence[Arrivals],
    payers: Sequence[Payers],
    copies: Floats,
    children: Floats,
    parents: Parents | None,
) -> tuple[tuple[Payers, ...], tuple[Seated, ...]]:
    """Seat all stages; who then waits is sent to what contracts have left."""
    programme = given.programme
    as_planned = in_use(programme, programme.day[:, None], programme.autumns)
    seated = [
        seat(
            given,
            stage,
            come,
            payer,
            _seats(given, stage, copies),
            _seats(given, stage, as_planned),
        )
        for stage, come, payer in zip(given.stages, arrivals, payers, strict=True)
    ]
    return buy(given, payers, seated, children, parents)


def _contracts(stage: StageData, payer: Payers, parents: Parents | None = None) -> Floats:
    """Places purchased, and those that contracts can grow by, ``[provider, year, draw]``."""
    return payer.bought + contract_room(stage, payer, uptake_of(stage, parents))


def rooms(given: SimulationData, opening: Days) -> Floats:
    """Places up to the class ceiling by group if projects open on given days, ``[group, year]``.

    Contracts can grow as planned, without regard to ceilings on all purchases.

    Parameters
    ----------
    given : SimulationData
    opening : array of int [opening]
        Days.
    """
    copies = in_use(given.programme, opening[:, None], given.programme.autumns)
    found = [
        room(stage, _seats(given, stage, copies), _contracts(stage, planned_payers(stage)))
        for stage in given.stages
    ]
    return np.concatenate(found)[..., 0]


def _seats(given: SimulationData, stage: StageData, copies: Floats) -> Floats:
    """Count standard public seats, ``[provider, year, draw]``: existing, converted, new."""
    new = seats_open(given.programme, copies)[stage.seat_rows]
    open_now = stage.public[:, None] | stage.converted
    own = (stage.places[:, None] * open_now)[..., None]
    return np.asarray(own + by_group(new, stage.seat_owner, len(stage.area)))


def _shares(
    given: SimulationData, children: Floats, payers: Sequence[Payers], seated: Sequence[Seated]
) -> tuple[Floats, Floats]:
    """Private shares on 31 December without and with purchased places, the whole first."""
    counties = len(given.counties)
    by_residence = given.settings.policy.share_denominator == "residence"
    parts = np.zeros((3, counties, *children.shape[2:]))
    for stage, payer, sits in zip(given.stages, payers, seated, strict=True):
        if not stage.compulsory:
            continue
        parts[0] += by_group(payer.fee_december, stage.county, counties)
        parts[1] += by_group(payer.bought_december, stage.county, counties)
        if by_residence:
            parts[2] += by_group(children[:, stage.grades].sum(1), given.county, counties)
        else:
            parts[2] += by_group(sits.total, stage.county, counties)
    fee, bought, enrolment = np.concatenate([parts.sum(1, keepdims=True), parts], axis=1)
    some = np.where(enrolment > 0, enrolment, 1.0)
    return fee / some, (fee + bought) / some


def _late_places(given: SimulationData, opening: Days) -> Floats:
    """Places missing in the first autumn that should have them, ``[project, draw]``."""
    programme = given.programme
    first = np.searchsorted(programme.autumns, programme.day)
    row = programme.opening
    counts = first[row] < len(programme.autumns)
    autumn = programme.autumns[np.minimum(first, len(programme.autumns) - 1)]
    missing = (opening > autumn[:, None])[row] & counts[:, None]
    places = missing * programme.places[:, None]
    return by_group(places, programme.project[row], len(programme.projects))


def _on_time(
    given: SimulationData,
    arrivals: Sequence[Arrivals],
    payers: Sequence[Payers],
    children: Floats,
    parents: Parents | None,
) -> tuple[Seated, ...]:
    """Seat the same children with every project on time."""
    programme = given.programme
    copies = in_use(programme, programme.day[:, None], programme.autumns)
    copies = np.broadcast_to(copies, (*copies.shape[:-1], children.shape[-1]))
    return seat_all(given, arrivals, payers, copies, children, parents)[1]


def _harm(
    given: SimulationData, seated: Sequence[Seated], copies: Floats, on_time: Sequence[Seated]
) -> Floats:
    """Shortfall, over-filling and recourse purchases that lateness causes, summed over draws.

    By project: what lateness causes in a county, stage and year is split over the places missing
    there.
    """
    programme, counties = given.programme, len(given.counties)
    as_planned = in_use(programme, programme.day[:, None], programme.autumns)
    missing = np.maximum(seats_open(programme, as_planned) - seats_open(programme, copies), 0.0)
    out = np.zeros(len(programme.projects))
    for stage, late, ready in zip(given.stages, seated, on_time, strict=True):
        rows = stage.seat_rows
        county = stage.county[stage.seat_owner]
        short = by_group(late.shortfall - ready.shortfall, given.county, counties)
        over = by_group(late.overfilled - ready.overfilled, stage.county, counties)
        caused = np.maximum(short + over + late.found[-1] - ready.found[-1], 0.0)
        total = by_group(missing[rows], county, counties)
        each = caused / np.where(total > 0, total, 1.0)
        share = (missing[rows] * each[county]).sum((1, 2))
        np.add.at(out, programme.project[programme.opening[rows]], share)
    return out
