"""Floors on enrolment, and on the public and inclusive shares of kindergartens, on 31 December."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from capsim.lp import Builder
from capsim.lp.arrays import Array, Index
from capsim.optimize.dates import stepped
from capsim.optimize.families.kindergarten import STAGE
from capsim.optimize.parts import Parts


def define_floors(m: Builder, parts: Parts) -> None:
    """Σ (N − u) ≥ floor · Σ population; Σ_public n ≥ floor · Σ n.

    Σ_{public, inclusive} n (+ turned since) ≥ floor · Σ n.
    """
    floors = parts.given.scenario.settings.floors
    _define_enrolment(m, parts, STAGE, floors.kindergarten_enrolment, "kindergarten_enrolment")
    _define_enrolment(m, parts, "senior", floors.senior_enrolment, "senior_enrolment")
    _define_share(m, parts, floors.kindergarten_public, "kindergarten_public", inclusive=False)
    _define_share(m, parts, floors.kindergarten_inclusive, "kindergarten_inclusive", inclusive=True)


def _in_force(parts: Parts, table: Mapping[int, float]) -> tuple[Index, Array]:
    values = [stepped(table, int(y)) for y in parts.given.space.years]
    t = np.flatnonzero([value is not None for value in values])
    return t, np.array([value for value in values if value is not None], np.float64)


def _define_enrolment(
    m: Builder, parts: Parts, stage: str, table: Mapping[int, float], name: str
) -> None:
    space, v = parts.given.space, parts.columns
    names = [s.name for s in space.stages]
    if stage not in names:
        return
    grades = np.flatnonzero(space.grade_stage == names.index(stage))
    bands = np.flatnonzero(space.bands.stage == names.index(stage))
    t, floor = _in_force(parts, table)
    known = ~np.asarray(np.isnan(space.population[:, grades]).any(axis=(0, 1)))[t]
    t, floor = t[known], floor[known]
    least = floor * space.population[:, grades][:, :, t].sum(axis=(0, 1))
    children = space.children[:, grades][:, :, t].sum(axis=(0, 1))
    row = np.broadcast_to(np.arange(len(t)), (len(space.areas), len(bands), len(t)))
    m.constrain(
        f"floors.{name}",
        len(t),
        [(row, v.shortfall[:, bands][:, :, t], -1.0)],
        lower=least - children,
        labels=[space.years[t]],
    )


def _define_share(
    m: Builder, parts: Parts, table: Mapping[int, float], name: str, *, inclusive: bool
) -> None:
    given, v = parts.given, parts.columns
    space, providers, projects, dates = given.space, given.providers, given.projects, given.dates
    names = [s.name for s in space.stages]
    if STAGE not in names:
        return
    stage = names.index(STAGE)
    t, floor = _in_force(parts, table)
    number = np.full(parts.years, -1, np.int64)
    number[t] = np.arange(len(t))
    floor_t = np.zeros(parts.years)
    floor_t[t] = floor
    here = providers.stage == stage
    counted = (
        here & (providers.public | providers.inclusive) if inclusive else here & providers.public
    )
    shape = (len(providers.school), parts.years)
    row = np.where(here[:, None], number[None, :], -1)
    terms = [
        parts.enrolled(np.where(counted[:, None], row, -1)),
        parts.enrolled(np.broadcast_to(row, shape), -floor_t),
    ]
    if inclusive:
        turned = np.flatnonzero((projects.row_pupils > 0) & (projects.row_stage == stage))
        late = v.open[projects.row_project[turned]][:, dates.december]
        early = v.open[projects.row_project[turned]][:, dates.autumn]
        pupils = np.broadcast_to(projects.row_pupils[turned][:, None], late.shape)
        at = np.broadcast_to(number, late.shape)
        keep = (at >= 0) & (late != early)
        terms += [(at[keep], late[keep], pupils[keep]), (at[keep], early[keep], -pupils[keep])]
    m.constrain(f"floors.{name}", len(t), terms, lower=0.0, labels=[space.years[t]])
