"""Each neighbourhood goes to one public school, and no catchment has islands."""

from __future__ import annotations

import numpy as np

from capsim.lp.arrays import Index
from capsim.lp.labels import Along, Labels
from capsim.lp.program import Builder
from capsim.model.formulation import Formulation


def define_catchment(m: Builder, parts: Formulation) -> None:
    """Σ_j w[a,j,e] ≤ 1 and Σ_g x[a→j,g,t] ≤ w[a,j,e(t)] · Σ_g N[a,g,t].

    Connected: w[a,j,e] ≤ Σ_{i standing in h} w[h,i,e], h the area in which j stands, a ≠ h; and a
    flow goes from each area of a catchment to its school through areas of the catchment:

    Σ_b r[a→b,j,e] − Σ_b r[b→a,j,e] = w[a,j,e] for a ≠ h, over areas b that border a;

    Σ_b r[b→a,j,e] ≤ (areas linked to j, without a and h) · w[a,j,e] for a ≠ h;

    w[a,j,e] ≤ Σ_b w[b,j,e] for a that does not border h.

    The last follows from the others and makes the relaxation tighter. The flow of one commodity
    admits every connected catchment and no other, in fewer rows than one commodity an area.
    """
    if not len(parts.columns.catchments.link):
        return
    _define_whole(m, parts)
    if parts.columns.catchments.connected:
        _define_own(m, parts)
        _define_passage(m, parts)


def _define_whole(m: Builder, parts: Formulation) -> None:
    given, v, c = parts.given, parts.columns, parts.columns.catchments
    space, links = given.space, parts.links
    stage, epochs, years = links.stage[c.link], len(c.drawn), parts.years
    asked = np.unique(np.stack([c.area, stage], 1), axis=0)
    number = np.full((len(space.areas), len(space.stages)), -1, np.int64)
    number[asked[:, 0], asked[:, 1]] = np.arange(len(asked))
    one = number[c.area, stage][:, None] * epochs + np.arange(epochs)
    m.constrain(
        "catchment.one",
        len(asked) * epochs,
        [(one, v.assigned, 1.0)],
        upper=1.0,
        labels=Labels(
            np.ones((len(asked), epochs), bool),
            (
                Along(0, space.areas, asked[:, 0]),
                Along(0, space.stage_names, asked[:, 1]),
                Along(1, c.drawn),
            ),
        ),
    )
    children = np.zeros((len(space.areas), len(space.stages), years))
    for s in range(len(space.stages)):
        children[:, s] = space.children[:, space.grade_stage == s].sum(axis=1)
    pair_of = np.full(len(links.area), -1, np.int64)
    pair_of[c.link] = np.arange(len(c.link))
    used = np.flatnonzero(pair_of[links.pair_link] >= 0)
    t = np.arange(years)
    row = np.arange(len(c.link))[:, None] * years + t
    m.constrain(
        "catchment.whole",
        len(c.link) * years,
        [
            (pair_of[links.pair_link[used]][:, None] * years + t, v.flow[used], 1.0),
            (row, v.assigned[:, c.epoch], -children[c.area, stage]),
        ],
        upper=0.0,
        labels=_labels(parts, np.arange(len(c.link)), space.years),
    )


def _define_own(m: Builder, parts: Formulation) -> None:
    """Let an area through which a catchment reaches its school go to a school in it."""
    given, v, c = parts.given, parts.columns, parts.columns.catchments
    stage, epochs = parts.links.stage[c.link], len(c.drawn)
    away = np.flatnonzero(~c.home)
    host = given.providers.area[c.provider[away]]
    homes = np.flatnonzero(c.home)
    i, k = np.nonzero(
        (host[:, None] == c.area[homes]) & (stage[away][:, None] == stage[homes][None, :])
    )
    e = np.arange(epochs)
    m.constrain(
        "catchment.own",
        len(away) * epochs,
        [
            (np.arange(len(away))[:, None] * epochs + e, v.assigned[away], 1.0),
            (i[:, None] * epochs + e, v.assigned[homes[k]], -1.0),
        ],
        upper=0.0,
        labels=_labels(parts, away, c.drawn),
    )


def _define_passage(m: Builder, parts: Formulation) -> None:
    v, c = parts.columns, parts.columns.catchments
    epochs = len(c.drawn)
    away = np.flatnonzero(~c.home)
    number = np.full(len(c.link), -1, np.int64)
    number[away] = np.arange(len(away))
    e = np.arange(epochs)

    def at(pair: Index) -> Index:
        return number[pair][:, None] * epochs + e

    inner = ~c.home[c.step_to]
    labels, count = _labels(parts, away, c.drawn), len(away) * epochs
    _, mine, size = np.unique(c.provider[away], return_inverse=True, return_counts=True)
    others = size[mine] - 1
    m.constrain(
        "catchment.passage",
        count,
        [
            (at(c.step_from), v.passage, 1.0),
            (at(c.step_to[inner]), v.passage[inner], -1.0),
            (at(away), v.assigned[away], -1.0),
        ],
        lower=0.0,
        upper=0.0,
        labels=labels,
    )
    m.constrain(
        "catchment.room",
        count,
        [
            (at(c.step_to[inner]), v.passage[inner], 1.0),
            (at(away), v.assigned[away], -others[:, None].astype(np.float64)),
        ],
        upper=0.0,
        labels=labels,
    )
    beside = np.zeros(len(c.link), bool)
    beside[c.step_from[~inner]] = True
    apart = away[~beside[away]]
    number[:] = -1
    number[apart] = np.arange(len(apart))
    led = ~beside[c.step_from]
    m.constrain(
        "catchment.border",
        len(apart) * epochs,
        [
            (at(apart), v.assigned[apart], 1.0),
            (at(c.step_from[led]), v.assigned[c.step_to[led]], -1.0),
        ],
        upper=0.0,
        labels=_labels(parts, apart, c.drawn),
    )


def _labels(parts: Formulation, pair: Index, years: Index) -> Labels:
    """Area, school, stage and year of pairs, all years of each."""
    every = np.ones((len(pair), len(years)), bool)
    return Labels(every, (*parts.columns.catchments.texts(parts.given, pair), Along(1, years)))
