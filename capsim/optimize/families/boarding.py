"""Day pupils live within the travel limits; farther off children board, where they may."""

from __future__ import annotations

import numpy as np

from capsim.lp import Along, Builder, Labels
from capsim.lp.arrays import Array, Flag, Index
from capsim.optimize.parts import Parts
from capsim.scenario.day_travel import boards


def define_boarding(m: Builder, parts: Parts) -> None:
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


def _define_day(m: Builder, parts: Parts, pair: Flag) -> None:
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


def _define_places(m: Builder, parts: Parts, pair: Flag) -> None:
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


def _beds(parts: Parts, row: Index) -> list[tuple[Index, Index, Array]]:
    """Return the boarding places of projects in use, on rows ``row[j, t]`` (-1: none of it)."""
    brought = parts.brought(parts.given.projects.row_boarding)
    at = row[brought.provider, brought.t]
    keep = at >= 0
    return [(at[keep], brought.column[keep], -brought.seats[keep])]
