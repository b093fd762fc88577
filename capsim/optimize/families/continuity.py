"""Children move up a grade a year; whoever cannot stay is made to change school."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.lp.arrays import Array, Index
from capsim.optimize.parts import Parts, before


def define_continuity(m: Builder, parts: Parts) -> None:
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
