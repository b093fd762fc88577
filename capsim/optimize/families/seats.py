"""Nobody sits on a seat that is not there: standard seats, over-filling, private size."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.lp.arrays import Array, Index
from capsim.optimize.parts import Parts, before


def define_seats(m: Builder, parts: Parts) -> None:
    """Σ_g n[j,g,t] ≤ S[j,t] + o[j,t] and o[j,t] ≤ e_s · S[j,t] for public providers.

    Levered: f + v ≤ K (1 − zc − zi); q ≤ places · zc + o; o ≤ e_s · places · zc[t−1].
    Other private: Σ_g n ≤ K ± pupils of kindergartens turned inclusive.
    """
    _define_public(m, parts)
    _define_levered(m, parts)
    _define_private(m, parts)


def _define_public(m: Builder, parts: Parts) -> None:
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


def _define_levered(m: Builder, parts: Parts) -> None:
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


def _define_private(m: Builder, parts: Parts) -> None:
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
    gains = inclusive_pool(parts)[projects.row_area[moved], projects.row_stage[moved]]
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


def inclusive_pool(parts: Parts) -> Index:
    """First inclusive private provider of each area and stage, ``[area, stage]``; -1 where none."""
    providers, space = parts.given.providers, parts.given.space
    pool = np.full((len(space.areas), len(space.stages)), -1, np.int64)
    for j in np.flatnonzero(providers.inclusive & ~providers.public)[::-1]:
        pool[providers.area[j], providers.stage[j]] = j
    return pool


def ceiling_share(parts: Parts) -> Array:
    """``class_ceiling ÷ class_size − 1`` of every provider's stage, ``[provider]``."""
    space = parts.given.space
    share = space.by_stage("class_ceiling") / space.by_stage("class_size") - 1.0
    return share[parts.given.providers.stage]
