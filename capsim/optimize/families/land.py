"""Land taken up by building starts stays within the quotas released so far."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.limits import limit_rows
from capsim.optimize.parts import Parts
from capsim.optimize.spend import building_start, new_year_days


def define_land(m: Builder, parts: Parts) -> None:
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
