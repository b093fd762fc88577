"""Consequences of seating: displaced pupils, class sizes, teachers and money."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capsim.lp.array_types import Array
from capsim.model.constraints.capacity import chords
from capsim.model.costs import COST_KINDS
from capsim.simulation.data import FIXED, SimulationData, StageData
from capsim.simulation.seating import Arrivals, Payers, Seated, by_group

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


def large_share(mean: Array, least: float, large: float, sd: float) -> Array:
    """Compute the share of classes of `least` pupils or more, by mean class size.

    Class sizes are normal round the mean; the share is that of the model's `chords`, of which the
    ends go by the size of a `large` class, never below 0.

    Examples
    --------
    >>> large_share(np.array([30.0, 45.0, 55.5]), 56, 56, 5.0).round(4)
    array([0.    , 0.0179, 0.4974])
    """
    out = np.zeros_like(mean)
    for intercept, slope in zip(*chords(large, sd, least), strict=True):
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
        large_share(mean, size, stage.large_class, sd) * classes
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
