"""The private share of compulsory enrolment on 31 December.

The ordered fall in counted private pupils by 1 September of a year.

A programme has its number of projects in use by its date.

Floors on enrolment, and on the public and inclusive shares of kindergartens, on 31 December.

Sector shares in kindergartens stay as they were, but for openings and those turned inclusive.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from capsim.lp.arrays import Array, Index
from capsim.lp.program import Builder, Term
from capsim.model.data import stepped
from capsim.model.formulation import Formulation


def define_share(m: Builder, parts: Formulation) -> None:
    """Σ_j fd[j,t] (+ Σ_j vd[j,t] if purchased places count) ≤ cap[t] · enrolment[t].

    For the whole, or by county. In December years fd[j,t] ≥ f + v − vd − K_j (zcd − zc): a school
    that converts between the two dates has no fee-paying pupils any more; in other years fd = f.
    """
    given, v = parts.given, parts.columns
    space, dates, providers = given.space, given.dates, given.providers
    policy = given.scenario.settings.policy
    two = (v.fee >= 0) & dates.december_year[None, :]
    row, count = parts.numbered(two)
    at = row[two]
    j, _ = np.nonzero(two)
    m.constrain(
        "share.december",
        count,
        [
            (at, v.fee_december[two], 1.0),
            (at, v.fee[two], -1.0),
            (at, v.purchased[two], -1.0),
            (at, v.purchased_december[two], 1.0),
            (at, v.converted[:, dates.december][two], providers.cap[j]),
            (at, v.converted[:, dates.autumn][two], -providers.cap[j]),
        ],
        lower=0.0,
        labels=parts.labels(two),
    )
    caps = [stepped(policy.private_share_cap, int(y)) for y in space.years]
    t = np.flatnonzero([c is not None for c in caps])
    cap = np.array([c for c in caps if c is not None], np.float64)
    by_county = policy.share_scope == "county"
    groups = len(space.counties) if by_county else 1
    group_of = providers.county if by_county else np.zeros(len(providers.school), np.int64)
    number = np.full((groups, parts.years), -1, np.int64)
    number[:, t] = np.arange(groups * len(t)).reshape(groups, len(t))
    row_jt = np.where(providers.levered[:, None], number[group_of], -1)
    terms = [_on(row_jt, v.fee_december)]
    if policy.purchased_counts_as_private:
        terms.append(_on(row_jt, v.purchased_december))
    cap_t = np.zeros(parts.years)
    cap_t[t] = cap
    upper = np.zeros((groups, len(t)))
    if policy.share_denominator == "school":
        compulsory = space.compulsory[providers.stage]
        everyone = np.where(compulsory[:, None], number[group_of], -1)
        terms.append(parts.enrolled(everyone, -cap_t))
    else:
        area_group = space.county if by_county else np.zeros(len(space.areas), np.int64)
        by_area = space.children[:, space.grade_compulsory].sum(axis=1)[:, t]
        np.add.at(upper, area_group, by_area)
        upper *= cap
    names = space.counties if by_county else np.array(["*"], object)
    m.constrain(
        "share.cap",
        groups * len(t),
        terms,
        upper=upper,
        labels=[np.repeat(names, len(t)), np.tile(space.years[t], groups)],
    )


def _on(row: Index, column: Index) -> Term:
    keep = row >= 0
    return row[keep], column[keep], 1.0


def define_reduction(m: Builder, parts: Formulation) -> None:
    """counted[t0] − Σ_j (f[j,ty] + v[j,ty] if purchased places count) ≥ reduction."""
    given, v = parts.given, parts.columns
    policy = given.scenario.settings.policy
    at = np.flatnonzero(given.space.years == policy.reduction_year)
    if policy.reduction <= 0 or not len(at):
        return
    t = int(at[0])
    terms = [(0, v.fee[:, t], -1.0)]
    if policy.purchased_counts_as_private:
        terms.append((0, v.purchased[:, t], -1.0))
    counted = float(given.providers.rolls[given.providers.levered].sum())
    m.constrain(
        "reduction", 1, terms, lower=policy.reduction - counted, labels=[[policy.reduction_year]]
    )


def define_programme(m: Builder, parts: Formulation) -> None:
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


def define_floors(m: Builder, parts: Formulation) -> None:
    """Σ (N − u) ≥ floor · Σ population; Σ_public n ≥ floor · Σ n.

    Σ_{public, inclusive} n (+ turned since) ≥ floor · Σ n.
    """
    floors = parts.given.scenario.settings.floors
    _define_enrolment(m, parts, STAGE, floors.kindergarten_enrolment, "kindergarten_enrolment")
    _define_enrolment(m, parts, "senior", floors.senior_enrolment, "senior_enrolment")
    _define_share(m, parts, floors.kindergarten_public, "kindergarten_public", inclusive=False)
    _define_share(m, parts, floors.kindergarten_inclusive, "kindergarten_inclusive", inclusive=True)


def _in_force(parts: Formulation, table: Mapping[int, float]) -> tuple[Index, Array]:
    values = [stepped(table, int(y)) for y in parts.given.space.years]
    t = np.flatnonzero([value is not None for value in values])
    return t, np.array([value for value in values if value is not None], np.float64)


def _define_enrolment(
    m: Builder, parts: Formulation, stage: str, table: Mapping[int, float], name: str
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
    m: Builder, parts: Formulation, table: Mapping[int, float], name: str, *, inclusive: bool
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


STAGE = "kindergarten"


def define_kindergarten(m: Builder, parts: Formulation) -> None:
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
