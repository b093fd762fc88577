"""Sector shares in kindergartens stay as they were, but for openings and those turned inclusive."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.parts import Parts

STAGE = "kindergarten"


def define_kindergarten(m: Builder, parts: Parts) -> None:
    """Σ n (public) ≤ π_pub E_b + new public places.

    Σ n (inclusive) ≤ π_inc E_b + Σ_m pupils_m z; Σ n (other) ≤ π_oth E_b.

    E_b[t] is the enrolment of area b, π its base-year shares; an area without pupils then has no
    rule.
    """
    given, v = parts.given, parts.columns
    space, providers, projects = given.space, given.providers, given.projects
    names = [s.name for s in space.stages]
    if STAGE not in names:
        return
    stage = names.index(STAGE)
    here = providers.stage == stage
    group = np.where(providers.public, 0, np.where(providers.inclusive, 1, 2))
    areas, years = len(space.areas), parts.years
    base = np.zeros((areas, 3))
    np.add.at(base, (providers.area[here], group[here]), providers.rolls[here].sum(axis=1))
    total = base.sum(axis=1)
    ruled = total > 0
    share = base / np.where(ruled, total, 1.0)[:, None]
    node, count = parts.numbered(np.repeat(ruled[:, None], 3 * years, axis=1))
    node = node.reshape(areas, 3, years)
    own = np.where(here[:, None], node[providers.area, group], -1)
    terms = [parts.enrolled(own)]
    for k in range(3):
        every = np.where(here[:, None], node[providers.area, k], -1)
        terms.append(parts.enrolled(every, -share[providers.area, k][:, None]))
    public = np.where((here & providers.public)[:, None], own, -1)
    terms.append(parts.seats(public, -1.0))
    row = np.flatnonzero((projects.row_pupils > 0) & (projects.row_stage == stage))
    at = node[projects.row_area[row], 1]
    z = v.open[projects.row_project[row]][:, given.dates.autumn]
    keep = at >= 0
    terms.append(
        (at[keep], z[keep], -np.broadcast_to(projects.row_pupils[row][:, None], at.shape)[keep])
    )
    kinds = np.array(["public", "inclusive", "other"], object)
    a, kind, t = np.nonzero(node >= 0)
    m.constrain(
        "kindergarten",
        count,
        terms,
        upper=0.0,
        labels=[space.areas[a], kinds[kind], space.years[t]],
    )
