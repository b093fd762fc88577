"""Every child of an area and grade sits somewhere, or is counted as without a place."""

from __future__ import annotations

import numpy as np

from capsim.lp import Along, Builder, Labels
from capsim.optimize.parts import Parts


def define_placement(m: Builder, parts: Parts) -> None:
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


def _define_own(m: Builder, parts: Parts) -> None:
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
