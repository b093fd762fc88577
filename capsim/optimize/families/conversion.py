"""Once converted, converted for good; once open, open. In force whatever is switched off."""

from __future__ import annotations

import numpy as np

from capsim.lp import Along, Builder, Labels
from capsim.optimize.parts import Parts


def define_conversion(m: Builder, parts: Parts) -> None:
    """zc[j,k] ≤ zc[j,k+1].

    The switch covers the earliest and due years, which are bounds of the variables.
    """
    v, given = parts.columns, parts.given
    j = np.flatnonzero((v.converted >= 0).any(axis=1))
    later, earlier = v.converted[j, 1:], v.converted[j, :-1]
    row = np.arange(later.size).reshape(later.shape)
    m.constrain(
        "conversion",
        row.size,
        [(row, later, 1.0), (row, earlier, -1.0)],
        lower=0.0,
        labels=Labels(
            np.ones(later.shape, bool),
            (Along(0, given.providers.school, j), Along(1, given.dates.date[1:])),
        ),
    )


def define_opening(m: Builder, parts: Parts) -> None:
    """z[m,k] ≤ z[m,k+1]: what is open stays open."""
    v, given = parts.columns, parts.given
    later, earlier = v.open[:, 1:], v.open[:, :-1]
    moves = later != earlier
    row, count = parts.numbered(moves)
    m.constrain(
        "opening",
        count,
        [(row[moves], later[moves], 1.0), (row[moves], earlier[moves], -1.0)],
        lower=0.0,
        labels=Labels(moves, (Along(0, given.projects.project), Along(1, given.dates.date[1:]))),
    )
