"""Nobody sits on a seat that is not there: standard seats, over-filling, private size.

The share of large classes, piecewise linear in the mean class of an area's schools.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from capsim.lp.arrays import Array, Index
from capsim.lp.program import Builder
from capsim.model.data import ModelData, stepped
from capsim.model.formulation import Formulation, before


def define_seats(m: Builder, parts: Formulation) -> None:
    """Σ_g n[j,g,t] ≤ S[j,t] + o[j,t] and o[j,t] ≤ e_s · S[j,t] for public providers.

    Levered: f + v ≤ K (1 − zc − zi); q ≤ places · zc + o; o ≤ e_s · places · zc[t−1].
    Other private: Σ_g n ≤ K ± pupils of kindergartens turned inclusive.
    """
    _define_public(m, parts)
    _define_levered(m, parts)
    _define_private(m, parts)


def _define_public(m: Builder, parts: Formulation) -> None:
    given, v = parts.given, parts.columns
    providers, excess = given.providers, ceiling_share(parts)
    flag = np.repeat(providers.public[:, None], parts.years, axis=1)
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    labels = parts.labels(flag)
    m.constrain(
        "seats.public",
        count,
        [parts.enrolled(row), parts.seats(row, -1.0), (row[flag], v.overfill[flag], -1.0)],
        upper=providers.places[j],
        labels=labels,
    )
    m.constrain(
        "seats.ceiling",
        count,
        [(row[flag], v.overfill[flag], 1.0), parts.seats(row, -excess[:, None])],
        upper=(excess * providers.places)[j],
        labels=labels,
    )


def _define_levered(m: Builder, parts: Formulation) -> None:
    given, v = parts.given, parts.columns
    providers = given.providers
    converted = v.converted[:, given.dates.autumn]
    flag = v.fee >= 0
    row, count = parts.numbered(flag)
    if not count:
        return
    j, _ = np.nonzero(flag)
    cap = providers.cap[j]
    m.constrain(
        "seats.private",
        count,
        [
            (row[flag], v.fee[flag], 1.0),
            (row[flag], v.purchased[flag], 1.0),
            (row[flag], converted[flag], cap),
            (row[flag], v.closed[flag], cap),
        ],
        upper=cap,
        labels=parts.labels(flag),
    )
    flag = v.public >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    places = providers.places[j]
    labels = parts.labels(flag)
    m.constrain(
        "seats.converted",
        count,
        [
            (row[flag], v.public[flag], 1.0),
            (row[flag], converted[flag], -places),
            (row[flag], v.overfill[flag], -1.0),
        ],
        upper=0.0,
        labels=labels,
    )
    m.constrain(
        "seats.converted_ceiling",
        count,
        [
            (row[flag], v.overfill[flag], 1.0),
            (row[flag], before(converted)[flag], -ceiling_share(parts)[j] * places),
        ],
        upper=0.0,
        labels=labels,
    )


def _define_private(m: Builder, parts: Formulation) -> None:
    """Private providers outside compulsory schooling, with what moves between their pools."""
    given, v = parts.given, parts.columns
    providers, projects = given.providers, given.projects
    flag = np.repeat((~providers.public & ~providers.levered)[:, None], parts.years, axis=1)
    row, count = parts.numbered(flag)
    if not count:
        return
    j, _ = np.nonzero(flag)
    z = v.open[:, given.dates.autumn]
    terms = [parts.enrolled(row)]
    moved = np.flatnonzero(projects.row_pupils > 0)
    gains = inclusive_pool(given)[projects.row_area[moved], projects.row_stage[moved]]
    for provider, sign in ((gains, -1.0), (projects.row_leaves[moved], 1.0)):
        known = provider >= 0
        at = row[provider[known]]
        amount = sign * projects.row_pupils[moved[known]][:, None] * np.ones(parts.years)
        column = z[projects.row_project[moved[known]]]
        ok = at >= 0
        terms.append((at[ok], column[ok], amount[ok]))
    m.constrain(
        "seats.other_private", count, terms, upper=providers.cap[j], labels=parts.labels(flag)
    )


def inclusive_pool(data: ModelData) -> Index:
    """First inclusive private provider of each area and stage, ``[area, stage]``; -1 where none."""
    providers, space = data.providers, data.space
    pool = np.full((len(space.areas), len(space.stages)), -1, np.int64)
    for j in np.flatnonzero(providers.inclusive & ~providers.public)[::-1]:
        pool[providers.area[j], providers.stage[j]] = j
    return pool


def ceiling_share(parts: Formulation) -> Array:
    """``class_ceiling ÷ class_size − 1`` of every provider's stage, ``[provider]``."""
    space = parts.given.space
    share = space.by_stage("class_ceiling") / space.by_stage("class_size") - 1.0
    return share[parts.given.providers.stage]


MEANS = np.arange(40.0, 55.1, 2.5)


def chords(large_class: float, sd: float) -> tuple[Array, Array]:
    """Return intercepts and slopes of the lines that join shares of large classes at mean sizes.

    The share is ``1 − Φ((large_class − 0.5 − μ) ÷ sd)`` for class sizes normal round μ, at
    μ = 40, 42.5, …, 55.

    Examples
    --------
    >>> intercept, slope = chords(56, 5.0)
    >>> round(float(max(0.0, (intercept + slope * 50.0).max())), 6)
    0.135666
    """
    share = 1.0 - ndtr((large_class - 0.5 - MEANS) / sd)
    slope = np.diff(share) / np.diff(MEANS)
    return share[:-1] - slope * MEANS[:-1], slope


def define_class_size(m: Builder, parts: Formulation) -> None:
    """L[j,t] ≥ α_k C[j,t] + β_k Σ_g n[j,g,t], C = S ÷ class_size.

    Σ_j L ≤ large_class_share[t] · Σ_j C by county and compulsory stage, public providers.
    """
    given, v = parts.given, parts.columns
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    flag = v.large_classes >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    labels = parts.labels(flag)
    size = space.by_stage("class_size")[providers.stage]
    large = space.by_stage("large_class")
    lines = [chords(large[s], policy.class_size_sd) for s in range(len(space.stages))]
    for k in range(len(MEANS) - 1):
        alpha = np.array([line[0][k] for line in lines])[providers.stage]
        beta = np.array([line[1][k] for line in lines])[providers.stage]
        m.constrain(
            "class_size.chord",
            count,
            [
                (row[flag], v.large_classes[flag], 1.0),
                parts.enrolled(row, -beta[:, None]),
                parts.seats(row, -(alpha / size)[:, None]),
            ],
            lower=(alpha / size * providers.places)[j],
            labels=labels.besides(k),
        )
    values = [stepped(policy.large_class_share, int(y)) for y in space.years]
    t = np.flatnonzero([value is not None for value in values])
    share = np.zeros(parts.years)
    share[t] = [value for value in values if value is not None]
    counties, stages = len(space.counties), len(space.stages)
    node = np.full((counties, stages, parts.years), -1, np.int64)
    present = np.zeros((counties, stages), bool)
    present[providers.county[flag[:, 0]], providers.stage[flag[:, 0]]] = parts.years > 0
    c, s = np.nonzero(present)
    node[np.ix_(np.arange(counties), np.arange(stages), t)] = -1
    numbers = np.arange(len(c) * len(t)).reshape(len(c), len(t))
    node[c[:, None], s[:, None], t[None, :]] = numbers
    at = np.where(flag, node[providers.county, providers.stage], -1)
    keep = at >= 0
    classes = -share[None, :] / size[:, None]
    upper = np.zeros(len(c) * len(t))
    np.add.at(upper, at[keep], (-classes * providers.places[:, None])[keep])
    names = np.array([x.name for x in space.stages], object)
    m.constrain(
        "class_size.limit",
        len(upper),
        [(at[keep], v.large_classes[keep], 1.0), parts.seats(at, classes)],
        upper=upper,
        labels=[
            np.repeat(space.counties[c], len(t)),
            np.repeat(names[s], len(t)),
            np.tile(space.years[t], len(c)),
        ],
    )
