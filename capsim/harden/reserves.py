"""Contracts as a reserve: places a plan may still buy where a draw leaves children without one.

A contract that runs can be worth more places than the plan buys. The optimizer may count on the
rest, a *reserve*, as room that margins ask for; the simulation uses it last of all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csc_array

from capsim.lp.arrays import Array, Index
from capsim.lp.build import Program
from capsim.optimize.model import Model
from capsim.simulate.given import Given
from capsim.simulate.recourse import contract_room
from capsim.simulate.seating import by_group, ceilings, fraction, planned_payers

CEILINGS = ("purchase.limit", "purchase.ceiling", "money.recurrent")
"""Rows under which a reserve counts like a purchase."""


def with_reserves(model: Model) -> tuple[Program, Index]:
    """Reserve ≤ purchasable · y − vd; ≤ K − f − v; ≤ purchasable · (1 − zp).

    A reserve uses up ceilings on purchases and recurrent money as if it were bought.

    Returns
    -------
    program : Program
    reserve : int ``[provider, year]``
        Columns; -1 where no contract is possible.
    """
    parts, v = model.parts, model.columns
    providers = parts.given.providers
    flag = v.contract >= 0
    reserve, count = parts.numbered(flag)
    labels = parts.labels(flag)
    program, columns = model.program.with_columns("reserve", count, labels=labels)
    reserve[flag] = columns
    j, _ = np.nonzero(flag)
    at, sells = np.arange(count), providers.purchasable[j]
    rows: tuple[tuple[str, list[tuple[Index, Array | float]], Array | float], ...] = (
        ("contract", [(v.purchased_december, 1.0), (v.contract, -sells)], 0.0),
        ("school", [(v.fee, 1.0), (v.purchased, 1.0)], providers.cap[j]),
        ("ending", [(v.phase_out, sells)], sells),
    )
    for name, terms, upper in rows:
        said = [(at, columns, 1.0), *((at, column[flag], value) for column, value in terms)]
        program = program.constrained(f"reserve.{name}", count, said, upper=upper, labels=labels)
    return _under_ceilings(program, columns, v.purchased[flag], v.purchased_december[flag]), reserve


def _under_ceilings(program: Program, reserve: Index, september: Index, december: Index) -> Program:
    """Give reserves the coefficients that a purchase of the whole year has in the ceilings."""
    rows = np.concatenate([program.rows_of(name) for name in CEILINGS])
    matrix = program.matrix.tocsr()[rows].tocsc()
    each = matrix[:, december] + matrix[:, september].multiply(september != december)
    found = coo_array(each)
    entries = (found.data, (rows[found.coords[0]], reserve[found.coords[1]]))
    more = csc_array(coo_array(entries, shape=program.matrix.shape))
    return replace(program, matrix=csc_array(program.matrix + more))


def reserves(given: Given, beyond: Array) -> tuple[Array, Array]:
    """Places by which contracts of a plan can grow, by group and year.

    Parameters
    ----------
    given : Given
    beyond : array [group, year]
        Persons who would find no room if all contracts could grow at once (below 0: room left).
        Where they are needed most, reserves use up ceilings first.

    Returns
    -------
    free, counted : arrays [group, year]
        Without regard to ceilings and money, and within them.
    """
    rooms = [contract_room(stage, planned_payers(stage))[..., 0] for stage in given.stages]
    pairs = list(zip(given.stages, rooms, strict=True))
    free = np.concatenate([stage.reach.member @ room for stage, room in pairs])
    paid = np.concatenate(
        [stage.reach.member @ (stage.price_cny[:, None] * room) for stage, room in pairs]
    )
    price = paid / np.where(free > 0, free, 1.0)
    county = np.concatenate([given.county[stage.reach.area] for stage in given.stages])
    counted = np.zeros_like(free)
    for wanted in (np.clip(beyond + free, 0.0, free), free):
        more = wanted - np.minimum(counted, wanted)
        counted = counted + more * _part(given, county, price, counted, more)[county]
    return free, counted


def _part(given: Given, county: Index, price: Array, counted: Array, more: Array) -> Array:
    """Share of more places that ceilings and money leave beside those counted, by county."""
    counties = len(given.counties)
    most, whole = ceilings(given, given.demand.pupils[:, :, 1:, None])
    bought = np.zeros((counties, len(given.years)))
    for stage in given.stages:
        np.add.at(bought, stage.county, stage.bought_december)
    bought += by_group(counted, county, counties)
    budget = given.budget_cny.copy()
    used = by_group(price * counted, county, counties)
    budget -= np.concatenate([used, used.sum(0, keepdims=True)])
    places = by_group(more, county, counties)
    cost = by_group(price * more, county, counties)
    part = np.minimum(
        fraction(np.maximum(most[..., 0] - bought, 0.0), places),
        fraction(np.maximum(budget[:-1], 0.0), cost),
    )
    left = np.maximum(whole[..., 0] - bought.sum(0), 0.0), np.maximum(budget[-1], 0.0)
    last = fraction(left[0], (places * part).sum(0)), fraction(left[1], (cost * part).sum(0))
    return np.asarray(part * np.minimum(*last))
