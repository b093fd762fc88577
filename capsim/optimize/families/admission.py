"""A private school admits no more children than its admission plan."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.parts import Parts, before


def define_admission(m: Builder, parts: Parts) -> None:
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
