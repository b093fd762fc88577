"""Capital by calendar year and recurrent spending by school year stay within their budgets.

Land taken up by building starts stays within the quotas released so far.

Every public pupil has a teacher: a county's pool, hires, take-overs and contract teachers.
"""

from __future__ import annotations

import numpy as np

from capsim.lp.arrays import Flag
from capsim.lp.program import Builder
from capsim.model.costs import MILLION, RECURRENT, base_pool, taken_over
from capsim.model.formulation import (
    Entry,
    Formulation,
    before,
    building_start,
    limit_rows,
    new_year_days,
)


def define_money(m: Builder, parts: Formulation) -> None:
    """Σ capital paid in c, τ ≤ limit(capital,c,τ).

    Σ running, staff, purchase, hiring, boarding, lease ≤ limit(recurrent,c,t). Rows in million RMB.
    """
    lines = parts.ledger.lines
    capital = [line for line in lines if line.kind == "capital"]
    recurrent = [line for line in lines if line.kind in RECURRENT or line.lease]
    for kind, used in (("capital", capital), ("recurrent", recurrent)):
        entries = [
            (
                line.entries(line.county),
                line.entries(line.year),
                line.entries(line.column),
                line.entries(line.amount_cny / MILLION),
            )
            for line in used
        ]
        limit_rows(m, parts, kind, f"money.{kind}", entries, unit=MILLION)


def define_land(m: Builder, parts: Formulation) -> None:
    """Σ_{τ' ≤ τ} land of candidates whose building starts in τ' ≤ Σ_{τ' ≤ τ} limit(land,c,τ')."""
    given, v = parts.given, parts.columns
    projects = given.projects
    edges = new_year_days(given)
    start_year = np.searchsorted(edges[1:], building_start(given), side="right")
    row = np.flatnonzero(projects.candidate[projects.row_project] & (projects.row_land > 0))
    z = v.open[projects.row_project[row]]
    previous = np.concatenate([np.full((len(row), 1), -1, np.int64), z[:, :-1]], axis=1)
    opens = z != previous
    i, k = np.nonzero(opens)
    entries = []
    year = start_year[row[i], k]
    for later in range(parts.years):
        keep = year <= later
        at = np.full(int(keep.sum()), later, np.int64)
        county, land = projects.row_county[row[i[keep]]], projects.row_land[row[i[keep]]]
        entries.append((county, at, z[i[keep], k[keep]], land))
        entries.append((county, at, previous[i[keep], k[keep]], -land))
    limit_rows(m, parts, "land", "land", entries, cumulative=True)


def define_staff(m: Builder, parts: Formulation) -> None:
    """Σ q[j,t] ÷ pupils_per_post ≤ p[c,t] + ct[c,t].

    p[t] = (1 − attrition) p[t−1] + h[t] + taken over; h ≤ limit(hires);
    p ≤ limit(posts) + Σ_m posts_m z[m,t];
    ct ≤ limit(contract_teachers)
    + release_share Σ_j (staff_j ÷ pupils_j)(pupils_j (1 − zc) − f − v).
    """
    given, v = parts.given, parts.columns
    space, providers, settings = given.space, given.providers, given.scenario.settings
    counties, years = len(space.counties), parts.years
    staffed = np.array([s.name in settings.staff.stages for s in space.stages])[providers.stage]
    node = np.arange(counties * years).reshape(counties, years)
    row = np.where(staffed[:, None], node[providers.county], -1)
    per_post = space.by_stage("pupils_per_post")[providers.stage]
    labels = [np.repeat(space.counties, years), np.tile(space.years, counties)]
    need = [] if not staffed.any() else parts.public_pupils(row, (1.0 / per_post)[:, None])
    m.constrain(
        "staff.need",
        node.size,
        [*need, (node, v.pool, -1.0), (node, v.contract_teachers, -1.0)],
        upper=0.0,
        labels=labels,
    )
    kept = 1.0 - settings.staff.attrition
    start = np.zeros((counties, years))
    start[:, 0] = kept * base_pool(parts)
    autumn = v.converted[:, given.dates.autumn]
    over = np.broadcast_to(taken_over(given)[:, None], autumn.shape)
    everywhere = node[providers.county]
    m.constrain(
        "staff.pool",
        node.size,
        [
            (node, v.pool, 1.0),
            (node, before(v.pool), -kept),
            (node, v.hired, -1.0),
            (everywhere, autumn, -over),
            (everywhere, before(autumn), over),
        ],
        lower=start,
        upper=start,
        labels=labels,
    )
    _define_sources(m, parts, staffed)


def _define_sources(m: Builder, parts: Formulation, staffed: Flag) -> None:
    given, v = parts.given, parts.columns
    space, providers, projects = given.space, given.providers, given.projects
    counties, years = len(space.counties), parts.years
    c = np.repeat(np.arange(counties)[:, None], years, axis=1)
    t = np.repeat(np.arange(years)[None, :], counties, axis=0)
    limit_rows(m, parts, "hires", "staff.hires", [(c, t, v.hired, 1.0)])
    z = v.open[projects.row_project][:, given.dates.autumn]
    posts = (
        np.broadcast_to(projects.row_county[:, None], z.shape),
        np.broadcast_to(np.arange(years), z.shape),
        z,
        -np.broadcast_to(projects.row_posts[:, None], z.shape),
    )
    limit_rows(m, parts, "posts", "staff.posts", [(c, t, v.pool, 1.0), posts])
    share = given.scenario.settings.policy.release_share
    who = providers.levered & staffed & (providers.pupils > 0)
    per_pupil = np.where(
        who, providers.staff / np.where(providers.pupils > 0, providers.pupils, 1.0), 0.0
    )
    released = share * per_pupil
    wide = np.repeat(released[:, None], years, axis=1)
    county = np.broadcast_to(providers.county[:, None], wide.shape)
    year = np.broadcast_to(np.arange(years), wide.shape)
    autumn = v.converted[:, given.dates.autumn]
    entries: list[Entry] = [
        (c, t, v.contract_teachers, 1.0),
        (county, year, v.fee, wide),
        (county, year, v.purchased, wide),
        (county, year, autumn, wide * providers.pupils[:, None]),
    ]
    extra = np.bincount(providers.county, weights=released * providers.pupils, minlength=counties)
    limit_rows(
        m,
        parts,
        "contract_teachers",
        "staff.contract",
        entries,
        extra=np.repeat(extra[:, None], years, axis=1),
    )
