"""Every child of an area and grade sits somewhere, or is counted as without a place.

Day pupils live within the travel limits; farther off children board, where they may.

A private school admits no more children than its admission plan.

Children move up a grade a year; whoever cannot stay is made to change school.
"""

from __future__ import annotations

import numpy as np

from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.labels import Along, Labels
from capsim.lp.program import Builder
from capsim.model.formulation import Formulation, before
from capsim.scenario.travel import boards


def define_placement(m: Builder, parts: Formulation) -> None:
    """Σ_{l from a} x[l,g,t] + u[a,g,t] = N[a,g,t].

    Σ_{l to b} x = Σ_{j∈b} n[j,g,t]; Σ_{l to j} x = n[j,g,t].

    Where nothing binds single grades, g stands for all grades of the stage together.

    For levered schools also Σ_g n[j,g,t] = f[j,t] + v[j,t] + q[j,t]: each pupil has one payer.
    """
    given, links, v = parts.given, parts.links, parts.columns
    space, providers, seats = given.space, given.providers, v.seats
    areas, names, years = len(space.areas), space.bands.name, parts.years
    node = np.arange(areas * len(names) * years).reshape(areas, len(names), years)
    start = node[links.area[links.pair_link], links.pair_band]
    texts = (Along(0, space.areas), Along(1, names), Along(2, space.years))
    labels = Labels(np.ones(node.shape, bool), texts)
    m.constrain(
        "placement.residence",
        node.size,
        [(start, v.flow, 1.0), (node, v.shortfall, 1.0)],
        lower=space.bands.children,
        upper=space.bands.children,
        labels=labels,
    )
    to_area = links.to_area[links.pair_link]
    into = to_area >= 0
    arrive = node[to_area[into], links.pair_band[into]]
    shared = ~providers.own_links[seats.provider]
    seated = node[providers.area[seats.provider[shared]], seats.band[shared]]
    m.constrain(
        "placement.arrival",
        node.size,
        [(arrive, v.flow[into], 1.0), (seated, v.pupils[shared], -1.0)],
        lower=0.0,
        upper=0.0,
        labels=labels,
    )
    _define_own(m, parts)
    payer, count = parts.numbered(v.fee >= 0)
    if not count:
        return
    rows = [(payer, column, -1.0) for column in (v.fee, v.purchased, v.public)]
    keep = payer >= 0
    m.constrain(
        "placement.payers",
        count,
        [parts.enrolled(payer), *[(r[keep], c[keep], f) for r, c, f in rows]],
        lower=0.0,
        upper=0.0,
        labels=parts.labels(keep),
    )


def _define_own(m: Builder, parts: Formulation) -> None:
    """Arrivals at providers that are reached by links of their own."""
    given, links, v = parts.given, parts.links, parts.columns
    space, providers, seats = given.space, given.providers, v.seats
    pair = np.flatnonzero(providers.own_links[seats.provider])
    if not len(pair):
        return
    number = np.full((len(providers.school), len(space.bands.name)), -1, np.int64)
    number[seats.provider[pair], seats.band[pair]] = np.arange(len(pair))
    t = np.arange(parts.years)
    to = links.to_provider[links.pair_link]
    into = to >= 0
    arrive = number[to[into], links.pair_band[into]][:, None] * parts.years + t
    own = np.arange(len(pair))[:, None] * parts.years + t
    m.constrain(
        "placement.own",
        len(pair) * parts.years,
        [(arrive, v.flow[into], 1.0), (own, v.pupils[pair], -1.0)],
        lower=0.0,
        upper=0.0,
        labels=Labels(
            np.ones((len(pair), parts.years), bool),
            (
                Along(0, providers.school, seats.provider[pair]),
                Along(0, space.bands.name, seats.band[pair]),
                Along(1, space.years),
            ),
        ),
    )


def define_boarding(m: Builder, parts: Formulation) -> None:
    """Σ_{far l from a} x[l,g,t] ≤ 0 in grades g in which children may not board.

    Σ_{far l to j} Σ_g x[l,g,t] ≤ boarding_j + Σ_{m adding to j} boarding_m (z[m,t] − z[m,t−life]).

    A link is far where its km or minutes are above what a day pupil of its area and stage may
    have; whoever uses it boards. For a link to an area j are all its providers of the stage
    without own links.
    """
    links, given = parts.links, parts.given
    far = links.far[links.pair_link]
    if not far.any():
        return
    bands = given.space.bands
    may = np.concatenate([boards(stage) for stage in given.space.stages])[bands.grade]
    _define_day(m, parts, far & ~may[links.pair_band])
    _define_places(m, parts, far & may[links.pair_band])


def _define_day(m: Builder, parts: Formulation, pair: Flag) -> None:
    links, space, years = parts.links, parts.given.space, parts.years
    flag = np.zeros((len(space.areas), len(space.bands.name), years), bool)
    area, band = links.area[links.pair_link[pair]], links.pair_band[pair]
    flag[area, band] = True
    row, count = parts.numbered(flag)
    texts = Along(0, space.areas), Along(1, space.bands.name), Along(2, space.years)
    m.constrain(
        "boarding.day",
        count,
        [(row[area, band], parts.columns.flow[pair], 1.0)],
        upper=0.0,
        labels=Labels(flag, texts),
    )


def _define_places(m: Builder, parts: Formulation, pair: Flag) -> None:
    """Rows of schools with links of their own, and of what else an area has of a stage."""
    given, links, flow = parts.given, parts.links, parts.columns.flow[pair]
    space, providers, years = given.space, given.providers, parts.years
    link = links.pair_link[pair]
    to, into = links.to_provider[link], links.to_area[link]
    direct = np.flatnonzero(to >= 0)
    flag = np.zeros((len(providers.school), years), bool)
    flag[to[direct]] = True
    row, count = parts.numbered(flag)
    m.constrain(
        "boarding.school",
        count,
        [(row[to[direct]], flow[direct], 1.0), *_beds(parts, row)],
        upper=providers.boarding[np.nonzero(flag)[0]],
        labels=parts.labels(flag),
    )
    pooled = np.flatnonzero(into >= 0)
    area, stage = into[pooled], links.stage[link[pooled]]
    wide = np.zeros((len(space.areas), len(space.stages), years), bool)
    wide[area, stage] = True
    number, count = parts.numbered(wide)
    shared = np.where(providers.own_links[:, None], -1, number[providers.area, providers.stage])
    beds = np.zeros(wide.shape[:2])
    own = ~providers.own_links
    np.add.at(beds, (providers.area[own], providers.stage[own]), providers.boarding[own])
    a, s, _ = np.nonzero(wide)
    texts = Along(0, space.areas), Along(1, space.stage_names), Along(2, space.years)
    m.constrain(
        "boarding.area",
        count,
        [(number[area, stage], flow[pooled], 1.0), *_beds(parts, shared)],
        upper=beds[a, s],
        labels=Labels(wide, texts),
    )


def _beds(parts: Formulation, row: Index) -> list[tuple[Index, Index, Array]]:
    """Return the boarding places of projects in use, on rows ``row[j, t]`` (-1: none of it)."""
    brought = parts.brought(parts.given.projects.row_boarding)
    at = row[brought.provider, brought.t]
    keep = at >= 0
    return [(at[keep], brought.column[keep], -brought.seats[keep])]


def define_admission(m: Builder, parts: Formulation) -> None:
    """n[j,g1,t] ≤ A_j (1 − zp[j,t]) + places_j · zc[j,t−1] for levered schools."""
    given, v = parts.given, parts.columns
    providers, seats = given.providers, v.seats
    pair = np.flatnonzero(providers.levered[seats.provider] & (seats.before < 0))
    j = seats.provider[pair]
    row = np.arange(len(pair) * parts.years).reshape(len(pair), parts.years)
    last = before(v.converted[:, given.dates.autumn])[j]
    m.constrain(
        "admission",
        row.size,
        [
            (row, v.pupils[pair], 1.0),
            (row, v.phase_out[j], providers.admission[j][:, None]),
            (row, last, -providers.places[j][:, None]),
        ],
        upper=np.repeat(providers.admission[j], parts.years),
        labels=parts.pair_labels(pair),
    )


def define_continuity(m: Builder, parts: Formulation) -> None:
    """n[j,g,t] ≤ ρ · n[j,g−1,t−1] + places_j · zc[j,t−1] (levered).

    d[j,g,t] ≥ ρ · n[j,g−1,t−1] − n[j,g,t].

    ρ[a,g,t] is the share of a cohort that is still in the area a year later; in the first planned
    year n[j,g−1,t−1] is the observed roll.
    """
    given, v = parts.given, parts.columns
    space, providers, seats = given.space, given.providers, v.seats

    def carried(pair: Index) -> tuple[Array, Index, Array]:
        """Return ratio ``[pair, t]``, last year's columns, and the constant of the first year."""
        j, grade = seats.provider[pair], space.bands.grade
        g, last = grade[seats.band[pair]], grade[seats.band[seats.before[pair]]]
        ratio = space.progression[providers.area[j], g]
        constant = np.zeros_like(ratio)
        constant[:, 0] = ratio[:, 0] * providers.rolls[j, last]
        return ratio, before(v.pupils[seats.before[pair]]), constant

    pair = np.flatnonzero((seats.before >= 0) & providers.levered[seats.provider])
    ratio, last, constant = carried(pair)
    j = seats.provider[pair]
    row = np.arange(ratio.size).reshape(ratio.shape)
    m.constrain(
        "continuity.cohort",
        row.size,
        [
            (row, v.pupils[pair], 1.0),
            (row, last, -ratio),
            (row, before(v.converted[:, given.dates.autumn])[j], -providers.places[j][:, None]),
        ],
        upper=constant,
        labels=parts.pair_labels(pair),
    )
    pair = np.flatnonzero((v.displaced >= 0).any(axis=1))
    ratio, last, constant = carried(pair)
    row = np.arange(ratio.size).reshape(ratio.shape)
    m.constrain(
        "continuity.displaced",
        row.size,
        [(row, v.displaced[pair], 1.0), (row, v.pupils[pair], 1.0), (row, last, -ratio)],
        lower=constant,
        labels=parts.pair_labels(pair),
    )
