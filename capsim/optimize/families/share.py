"""The private share of compulsory enrolment on 31 December."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.lp.arrays import Index
from capsim.lp.build import Term
from capsim.optimize.dates import stepped
from capsim.optimize.parts import Parts


def define_share(m: Builder, parts: Parts) -> None:
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
