"""A programme has its number of projects in use by its date."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.lp.build import Term
from capsim.optimize.parts import Parts


def define_programme(m: Builder, parts: Parts) -> None:
    """Σ_{m in programme} z[m, last check date ≤ by] ≥ number."""
    given, v = parts.given, parts.columns
    programmes = given.scenario.settings.programmes
    rows: list[str] = []
    terms: list[Term] = []
    numbers: list[float] = []
    for name, programme in programmes.items():
        past = np.flatnonzero(given.dates.date.astype(str) <= str(programme.by))
        member = np.flatnonzero(given.projects.programme == name)
        column = v.open[member, past[-1]] if len(past) else np.zeros(0, np.int64)
        terms.append((len(rows), column, 1.0))
        rows.append(name)
        numbers.append(float(programme.number))
    m.constrain("programme", len(rows), terms, lower=numbers, labels=[rows])
