"""Margins: how much room a plan must leave so that it holds in most draws.

Every draw says how far it goes beyond the plan in each group and year, and in each target. The
draws that ask for most are set aside, as many as the probability allows; the plan is made to hold
in all the others. Seats of a project count from the autumn on by which it is in use with the
probability asked for, and contracts with the places by which they can still grow.

Source of method: M. C. Campi, S. Garatti, A sampling-and-discarding approach to
chance-constrained optimization, Journal of Optimization Theory and Applications 148 (2011) 257-280.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.construction.programme_simulation import build
from capsim.lp.array_types import Array, Flag, Index
from capsim.model.data import ModelData
from capsim.plan.targets import Target
from capsim.simulation.data import SimulationData
from capsim.simulation.outcomes import ANY
from capsim.simulation.recourse import contract_room
from capsim.simulation.run import Trial
from capsim.simulation.seating import by_group, ceilings, planned_payers, share_within

KINDS_OF_DATE = 3
"""Openings of a project that are looked at one by one; later ones are late like the last."""


def counted_from(data: ModelData, probability: float, replications: int, seed: int) -> Index:
    """Find the first autumn by which a project is in use with a probability.

    Parameters
    ----------
    data : ModelData
        Of the model.
    probability : float
    replications : int
        Of the building simulation, without waiting for crews.
    seed : int

    Returns
    -------
    int ``[project, check]``
        Position of the autumn, for a copy planned to open on the check date; the number of
        planned years if none is late enough. Never falls from one check date to the next.
    """
    dates, projects = data.dates, data.projects
    days = dates.date.astype("datetime64[D]").astype(np.int64)
    lag = np.zeros((len(projects.project), dates.count))
    known = np.full(len(projects.project), -1, np.int64)
    looked = np.zeros(len(projects.project), np.int64)
    for k in range(dates.count):
        open_now = (projects.first_check <= k) & (k <= np.minimum(projects.last_check, dates.count))
        if k not in dates.autumn:
            open_now &= ~projects.candidate
        fresh = np.flatnonzero(open_now & (looked < KINDS_OF_DATE))
        if len(fresh):
            lag[fresh, k] = _lag(data, fresh, k, probability, replications, seed)
            known[fresh], looked[fresh] = k, looked[fresh] + 1
        old = np.flatnonzero((known >= 0) & (known < k))
        lag[old, k] = lag[old, known[old]]
    ready = days[None, :] + lag
    autumn = np.searchsorted(days[dates.autumn], ready.ravel(), side="left").reshape(ready.shape)
    return np.maximum.accumulate(autumn, axis=1)


def _lag(
    data: ModelData, chosen: Index, check: int, probability: float, replications: int, seed: int
) -> Array:
    """Find the days by which projects of a check date are late at most with a probability."""
    names = data.projects.project[chosen]
    date = str(data.dates.date[check])
    built = build(
        data.scenario,
        planned={str(name): date for name in names},
        replications=replications,
        seed=seed,
        crews=False,
    )
    late = np.nan_to_num(built.opening - built.planned, nan=np.inf)
    at = {name: number for number, name in enumerate(built.projects)}
    levels = np.quantile(late, probability, axis=0, method="higher")
    return np.asarray(levels[[at[str(name)] for name in names]])


@dataclass(frozen=True, eq=False)
class Safety:
    """Places and margins of targets that a plan is to keep free.

    Attributes
    ----------
    counted : int ``[project, check]``
        First autumn (position) in which seats opened on a check date count.
    seats : float64 ``[group, year]``
        Places to keep free, persons.
    targets : tuple of (Target, margin in its unit)
    """

    counted: Index
    seats: Array
    targets: tuple[tuple[Target, float], ...]

    def towards(self, other: Safety | None, part: float) -> Safety:
        """Return margins that are part of the way from these to others, or to none."""
        seats = 0.0 if other is None else other.seats
        targets = {} if other is None else dict(other.targets)
        return Safety(
            self.counted,
            np.asarray(self.seats + part * (seats - self.seats)),
            tuple((k, v + part * (targets.get(k, 0.0) - v)) for k, v in self.targets),
        )

    def beyond(self, other: Safety | None, part: float) -> Safety:
        """Return margins wider by part of the way from others, or from none, to these."""
        wider = self.towards(other, -part)
        mine = dict(self.targets)
        return Safety(
            self.counted,
            np.maximum(wider.seats, self.seats),
            tuple((k, max(v, mine[k])) for k, v in wider.targets),
        )


@dataclass(frozen=True, eq=False)
class Need:
    """Distances by which draws go beyond a plan.

    Attributes
    ----------
    seats : array [group, year, draw]
        Persons who ask for a place more than the plan foresees, and places missing of those
        counted on.
    spare : array [group, year]
        Places counted on that the plan leaves free, persons.
    targets : array [target, draw]
        By how much each target is worse than planned, in its unit.
    slack : array [target]
        How much worse it could be.
    """

    seats: Array
    spare: Array
    targets: Array
    slack: Array


def need_of(drawn: Trial, planned: Trial, counted: Array, chosen: list[int]) -> Need:
    """Compare draws with the plan.

    Parameters
    ----------
    drawn, planned : Trial
        Of the plan: with uncertainty, and one draw without.
    counted : array [group, year]
        Places that the plan may count on.
    chosen : list of int
        Positions of the targets that a margin is sought for.
    """
    demanded, planned_demand = drawn.figures.demanded, planned.figures.demanded
    sign = np.array([drawn.targets[at].sign for at in chosen])[:, None]
    now = planned.figures.targets[chosen]
    required = np.array([drawn.targets[at].required for at in chosen])[:, None]
    return Need(
        seats=demanded - planned_demand - (drawn.figures.room - counted[..., None]),
        spare=counted - planned_demand[..., 0],
        targets=sign * (drawn.figures.targets[chosen] - now),
        slack=np.asarray((sign * (required - now))[:, 0]),
    )


def kept(need: Need, share: float, closed: Flag) -> Flag:
    """Flag the draws to hold in ``[draw]``: all but those furthest beyond what the plan spares.

    Draws that ask for more than there is where nothing more can be had go first.

    Parameters
    ----------
    need : Need
    share : float
        Of draws to hold in.
    closed : bool ``[group, year]``
        Where a plan before could not keep the places asked of it free.
    """
    beyond = need.seats - need.spare[..., None]
    worst = np.concatenate(
        [
            (beyond / _spread(need.seats)[..., None])[~closed],
            (need.targets - need.slack[:, None]) / _spread(need.targets)[:, None],
        ]
    ).max(axis=0, initial=-np.inf)
    worst[(beyond[closed] > ANY).any(axis=0)] = np.inf
    number = int(np.ceil(share * len(worst)))
    flag = np.zeros(len(worst), bool)
    flag[np.argsort(worst, kind="stable")[:number]] = True
    return flag


def margins(need: Need, share: float, cushion: float, closed: Flag) -> tuple[Array, Array]:
    """Compute the room to leave: the most that kept draws need, and some standard deviations.

    Returns
    -------
    seats : array [group, year]
        Persons; at most what the plan spares where nothing more can be had.
    targets : array [target]
    """
    flag = kept(need, share, closed)
    seats = need.seats[..., flag].max(axis=-1) + cushion * _spread(need.seats)
    targets = need.targets[:, flag].max(axis=-1) + cushion * _spread(need.targets)
    seats = np.where(closed, np.minimum(seats, need.spare), seats)
    return np.maximum(seats, 0.0), np.maximum(targets, 0.0)


def _spread(values: Array) -> Array:
    sd = values.std(axis=-1)
    return np.asarray(np.where(sd > 1e-9, sd, 1e-9))


def reserves(data: SimulationData, beyond: Array) -> tuple[Array, Array]:
    """Count places by which contracts of a plan can grow, by group and year.

    Parameters
    ----------
    data : SimulationData
    beyond : array [group, year]
        Persons who would find no room if all contracts could grow at once (below 0: room left).
        Where they are needed most, reserves use up ceilings first.

    Returns
    -------
    free, counted : arrays [group, year]
        Without regard to ceilings and money, and within them.
    """
    rooms = [contract_room(stage, planned_payers(stage))[..., 0] for stage in data.stages]
    pairs = list(zip(data.stages, rooms, strict=True))
    free = np.concatenate([stage.reach.member @ room for stage, room in pairs])
    paid = np.concatenate(
        [stage.reach.member @ (stage.price_cny[:, None] * room) for stage, room in pairs]
    )
    price = paid / np.where(free > 0, free, 1.0)
    county = np.concatenate([data.space.county[stage.reach.area] for stage in data.stages])
    counted = np.zeros_like(free)
    for wanted in (np.clip(beyond + free, 0.0, free), free):
        more = wanted - np.minimum(counted, wanted)
        counted = counted + more * _part(data, county, price, counted, more)[county]
    return free, counted


def _part(data: SimulationData, county: Index, price: Array, counted: Array, more: Array) -> Array:
    """Find the share of more places that ceilings and money leave, by county."""
    counties = len(data.space.counties)
    most, whole = (part[..., 0] for part in ceilings(data, data.space.children[..., None]))
    bought = np.zeros((counties, len(data.space.years)))
    for stage in data.stages:
        np.add.at(bought, stage.county, stage.bought_december)
    bought += by_group(counted, county, counties)
    used, places, cost = (
        by_group(values, county, counties) for values in (price * counted, more, price * more)
    )
    money = np.maximum(data.budget_cny - np.concatenate([used, used.sum(0, keepdims=True)]), 0.0)
    left, left_whole = np.maximum(most - bought, 0.0), np.maximum(whole - bought.sum(0), 0.0)
    return share_within((left, left_whole, places), (money[:-1], money[-1], cost))
