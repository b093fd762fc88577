"""What seated children mean: displaced pupils, class sizes, private pupils and money."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from capsim.model.costs import COST_KINDS
from capsim.simulation.data import FIXED, SimulationData, StageData
from capsim.simulation.network import Floats
from capsim.simulation.seating import Arrivals, Payers, Seated, by_group

LATER_PART = 8 / 12
"""Share of a school year's price that a place bought on 31 December costs."""
KNOTS = np.arange(40.0, 55.1, 2.5)
"""Mean class sizes between which the share of large classes is taken as linear."""


def displaced(given: SimulationData, stage: StageData, come: Arrivals, seated: Seated) -> Floats:
    """Children made to change school in mid-stage, persons ``[provider, year, draw]``.

    A school's pupils move up with the plan's progression ratio, corrected by how the draw's cohort
    of those who come to the school changes, and by at most 1.
    """
    if not stage.compulsory or not given.settings.switches.continuity:
        return np.zeros_like(seated.total)
    pool, home = stage.network.pool, stage.network.home
    first = np.ones((*come.scale.shape[:2], 1, come.scale.shape[-1]))
    before = np.concatenate([first, come.scale[:, :, :-1]], axis=2)[:, :-1]
    change = come.scale[:, 1:] / np.where(before > 0, before, 1.0)
    ratio = given.progression[home][:, stage.grades[1:]][..., None]
    moved_up = np.minimum(ratio * change, 1.0)
    rolls = np.broadcast_to(stage.rolls[:, :, None, None], (*stage.rolls.shape, 1, first.shape[-1]))
    last = np.concatenate([rolls, seated.pupils[:, :, :-1]], axis=2)[:, :-1]
    return np.asarray(np.maximum(moved_up[pool] * last - seated.pupils[:, 1:], 0.0).sum(1))


def large_share(mean: Floats, large: float, sd: float) -> Floats:
    """Share of classes of `large` pupils or more, by mean class size.

    Class sizes are normal round the mean; the share is linear between `KNOTS`, goes on beyond
    them as in the first and last piece, and is never below 0.

    Examples
    --------
    >>> large_share(np.array([30.0, 45.0, 55.5]), 56, 5.0).round(4)
    array([0.    , 0.0179, 0.4974])
    """
    share = 1 - ndtr((large - 0.5 - KNOTS) / sd)
    slope = np.diff(share) / np.diff(KNOTS)
    out = np.zeros_like(mean)
    for knot, height, rise in zip(KNOTS, share, slope, strict=False):
        np.maximum(out, height + rise * (mean - knot), out=out)
    return out


def class_sizes(
    given: SimulationData, stage: StageData, seated: Seated
) -> tuple[Floats, Floats, Floats]:
    """Mean class size, and shares of large and of very large classes, at public providers.

    Returns
    -------
    three arrays [county, year, draw]
    """
    counties = len(given.counties)
    public = np.flatnonzero(stage.public)
    classes = seated.seats[public] / stage.class_size
    pupils = seated.total[public]
    some = classes > 0
    mean = np.where(some, pupils / np.where(some, classes, 1.0), 0.0)
    sd = given.settings.policy.class_size_sd
    many = [
        large_share(mean, size, sd) * classes
        for size in (stage.large_class, stage.very_large_class)
    ]
    county = stage.county[public]
    total, large, very_large, count = (
        by_group(part, county, counties) for part in (np.where(some, pupils, 0.0), *many, classes)
    )
    whole = np.where(count > 0, count, 1.0)
    return total / whole, large / whole, very_large / whole


def contract_teachers(given: SimulationData, seated: Sequence[Seated]) -> Floats:
    """Teachers on contract: the plan's, changed as the need beyond the posts changes.

    Returns
    -------
    array [county, year, draw]
        Persons.
    """
    need: Floats = np.zeros((len(given.counties), *seated[0].total.shape[1:]))
    for stage, sits in zip(given.stages, seated, strict=True):
        if stage.pupils_per_post:
            need = (
                need
                + by_group(public_pupils(stage, sits), stage.county, len(need))
                / stage.pupils_per_post
            )
    spare = given.contract - np.maximum(given.need - given.posts, 0.0)
    beyond = np.maximum(need - given.posts[..., None], 0.0)
    return np.asarray(np.maximum(beyond + spare[..., None], 0.0))


def public_pupils(stage: StageData, seated: Seated) -> Floats:
    """Pupils of public providers and of converted schools, ``[provider, year, draw]``."""
    public = stage.public[:, None] | stage.converted
    return np.asarray(np.where(public[..., None], seated.total, 0.0))


def money(
    given: SimulationData,
    seated: Sequence[Seated],
    payers: Sequence[Payers],
    moved: Sequence[Floats],
    copies: Floats,
) -> Floats:
    """Discounted cost by kind, RMB ``[kind, draw]``.

    Parameters
    ----------
    given : SimulationData
    seated, payers : by stage
    moved : by stage, arrays [provider, year, draw]
        Displaced children.
    copies : array [opening, year, draw]
        Copies of projects in use in autumns.
    """
    price = given.settings.costs
    draws = seated[0].total.shape[-1]
    year = {kind: np.zeros((len(given.years), draws)) for kind in COST_KINDS if kind not in FIXED}
    year["running"] += (given.programme.running_cny[:, None, None] * copies).sum(0)
    teachers = price.teacher_cny * given.posts[..., None]
    year["staff"] += (teachers + price.contract_teacher_cny * contract_teachers(given, seated)).sum(
        0
    )
    for stage, sits, payer, made in zip(given.stages, seated, payers, moved, strict=True):
        year["running"] += stage.allowance_cny * public_pupils(stage, sits).sum(0)
        bought = payer.bought + LATER_PART * (payer.bought_december - payer.bought)
        year["purchase"] += (stage.price_cny[:, None, None] * bought).sum(0)
        year["travel"] += sits.travel_cny
        year["boarding"] += sits.boarding_cny
        year["displacement"] += price.displacement_cny * made.sum(0)
        year["overfill"] += price.overfill_cny * sits.overfilled.sum(0)
        year["shortfall"] += price.shortfall_cny * sits.shortfall.sum(0)
    out = np.zeros((len(COST_KINDS), draws))
    for number, kind in enumerate(COST_KINDS):
        if kind in FIXED:
            out[number] = given.fixed_cny[kind]
        elif getattr(given.settings.cost_terms, kind):
            out[number] = given.discount @ year[kind]
    return out
