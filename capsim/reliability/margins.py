"""From which autumn on the seats of a project can be counted on.

How much room a plan must leave so that it holds in most draws.

Every draw says how far it goes beyond the plan in each group and year, and in each target. The
draws that ask for most are set aside, as many as the probability allows; the plan is made to hold
in all the others.

Source of method: M. C. Campi, S. Garatti, A sampling-and-discarding approach to
chance-constrained optimization, Journal of Optimization Theory and Applications 148 (2011) 257-280.

Contracts as a reserve: places a plan may still buy where a draw leaves children without one.

A contract that runs can be worth more places than the plan buys. The optimizer may count on the
rest, a *reserve*, as room that margins ask for; the simulation uses it last of all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csc_array

from capsim.construction.building import build
from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.expressions import Expression
from capsim.lp.labels import Labels
from capsim.lp.program import LinearProgram
from capsim.model.data import ModelData
from capsim.model.model import Model
from capsim.simulation.data import SimulationData
from capsim.simulation.outcomes import ANY
from capsim.simulation.recourse import contract_room
from capsim.simulation.run import Trial
from capsim.simulation.seating import by_group, ceilings, planned_payers, share_within

KINDS_OF_DATE = 3
"""Openings of a project that are looked at one by one; later ones are late like the last."""


def counted_from(given: ModelData, probability: float, replications: int, seed: int) -> Index:
    """Find the first autumn by which a project is in use with a probability.

    Parameters
    ----------
    given : ModelData
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
    dates, projects = given.dates, given.projects
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
            lag[fresh, k] = _lag(given, fresh, k, probability, replications, seed)
            known[fresh], looked[fresh] = k, looked[fresh] + 1
        old = np.flatnonzero((known >= 0) & (known < k))
        lag[old, k] = lag[old, known[old]]
    ready = days[None, :] + lag
    autumn = np.searchsorted(days[dates.autumn], ready.ravel(), side="left").reshape(ready.shape)
    return np.maximum.accumulate(autumn, axis=1)


def _lag(
    given: ModelData, chosen: Index, check: int, probability: float, replications: int, seed: int
) -> Array:
    """Days by which projects planned for a check date are late at most with a probability."""
    names = given.projects.project[chosen]
    date = str(given.dates.date[check])
    built = build(
        given.scenario,
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
class Need:
    """How far draws go beyond a plan.

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


def need(drawn: Trial, planned: Trial, counted: Array, chosen: list[int]) -> Need:
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
    asked, room = drawn.figures.demanded, drawn.figures.room
    base = planned.figures.demanded
    sign = np.array([drawn.targets[at].sign for at in chosen])[:, None]
    now = planned.figures.targets[chosen]
    required = np.array([drawn.targets[at].required for at in chosen])[:, None]
    return Need(
        seats=asked - base - (room - counted[..., None]),
        spare=counted - base[..., 0],
        targets=sign * (drawn.figures.targets[chosen] - now),
        slack=np.asarray((sign * (required - now))[:, 0]),
    )


def kept(found: Need, share: float, closed: Flag) -> Flag:
    """Flag the draws to hold in ``[draw]``: all but those furthest beyond what the plan spares.

    Draws that ask for more than there is where nothing more can be had go first.

    Parameters
    ----------
    found : Need
    share : float
        Of draws to hold in.
    closed : bool ``[group, year]``
        Where a plan before could not keep the places asked of it free.
    """
    beyond = found.seats - found.spare[..., None]
    worst = np.concatenate(
        [
            (beyond / _spread(found.seats)[..., None])[~closed],
            (found.targets - found.slack[:, None]) / _spread(found.targets)[:, None],
        ]
    ).max(axis=0, initial=-np.inf)
    worst[(beyond[closed] > ANY).any(axis=0)] = np.inf
    number = int(np.ceil(share * len(worst)))
    flag = np.zeros(len(worst), bool)
    flag[np.argsort(worst, kind="stable")[:number]] = True
    return flag


def margins(found: Need, share: float, cushion: float, closed: Flag) -> tuple[Array, Array]:
    """Room to leave: the most that kept draws need, and a cushion of standard deviations.

    Returns
    -------
    seats : array [group, year]
        Persons; at most what the plan spares where nothing more can be had.
    targets : array [target]
    """
    flag = kept(found, share, closed)
    seats = found.seats[..., flag].max(axis=-1) + cushion * _spread(found.seats)
    targets = found.targets[:, flag].max(axis=-1) + cushion * _spread(found.targets)
    seats = np.where(closed, np.minimum(seats, found.spare), seats)
    return np.maximum(seats, 0.0), np.maximum(targets, 0.0)


def _spread(values: Array) -> Array:
    sd = values.std(axis=-1)
    return np.asarray(np.where(sd > 1e-9, sd, 1e-9))


CEILINGS = ("purchase.limit", "purchase.ceiling", "money.recurrent")
"""Rows under which a reserve counts like a purchase."""


def with_reserves(model: Model) -> tuple[LinearProgram, Expression]:
    """Add columns for places by which contracts can grow.

    A reserve uses up ceilings on purchases and recurrent money as if it were bought.

    Returns
    -------
    program : LinearProgram
    reserve : Expression ``[provider, year]``
    """
    x, providers = model.parts.x, model.given.providers
    can = x.contract.exists
    labels = Labels(can, x.contract.axes)
    program, columns = model.program.with_columns("reserve", labels.members, labels=labels)
    index = np.full(can.shape, -1, np.int64)
    index[can] = columns
    reserve = Expression.of(index, x.contract.axes)
    sells, cap = providers.purchasable[:, None], providers.cap[:, None]
    for name, limit in (
        ("contract", reserve + x.purchased_december <= sells * x.contract),
        ("school", reserve + x.fee + x.purchased <= cap),
        ("ending", reserve <= sells * (1 - x.phase_out)),
    ):
        program = program.with_constraint(f"reserve.{name}", limit, can)
    v = model.columns
    return _under_ceilings(program, columns, v.purchased[can], v.purchased_december[can]), reserve


def _under_ceilings(
    program: LinearProgram, reserve: Index, september: Index, december: Index
) -> LinearProgram:
    """Give reserves the coefficients that a purchase of the whole year has in the ceilings."""
    rows = np.concatenate([program.rows_of(name) for name in CEILINGS])
    matrix = program.matrix.tocsr()[rows].tocsc()
    each = matrix[:, december] + matrix[:, september].multiply(september != december)
    found = coo_array(each)
    entries = (found.data, (rows[found.coords[0]], reserve[found.coords[1]]))
    more = csc_array(coo_array(entries, shape=program.matrix.shape))
    return replace(program, matrix=csc_array(program.matrix + more))


def reserves(data: SimulationData, beyond: Array) -> tuple[Array, Array]:
    """Places by which contracts of a plan can grow, by group and year.

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
    """Share of more places that ceilings and money leave beside those counted, by county."""
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
