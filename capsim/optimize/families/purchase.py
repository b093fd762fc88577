"""Places bought in private schools: contracts with a minimum term, under ceilings."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.limits import limit_rows
from capsim.optimize.parts import Parts, before


def define_purchase(m: Builder, parts: Parts) -> None:
    """purchase_min · y ≤ vd ≤ purchasable · y; v ≤ vd ≤ f + v; y + zcd + zi ≤ 1.

    Σ starts in the last L years ≤ y.

    Ceilings: Σ_{j∈c} vd ≤ limit(purchase); Σ_j vd ≤ purchase_ceiling_share · compulsory enrolment.
    """
    given, v = parts.given, parts.columns
    providers, dates = given.providers, given.dates
    flag = v.contract >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    at, y, late = row[flag], v.contract[flag], v.purchased_december[flag]
    labels = parts.labels(flag)
    m.constrain(
        "purchase.most",
        count,
        [(at, late, 1.0), (at, y, -providers.purchasable[j])],
        upper=0.0,
        labels=labels,
    )
    least = flag & (providers.purchase_min[:, None] > 0)
    row_least, count_least = parts.numbered(least)
    m.constrain(
        "purchase.least",
        count_least,
        [
            (row_least[least], v.purchased_december[least], 1.0),
            (
                row_least[least],
                v.contract[least],
                -np.broadcast_to(providers.purchase_min[:, None], flag.shape)[least],
            ),
        ],
        lower=0.0,
        labels=parts.labels(least),
    )
    two = flag & dates.december_year[None, :]
    row_two, count_two = parts.numbered(two)
    at_two, labels_two = row_two[two], parts.labels(two)
    september, december = v.purchased[two], v.purchased_december[two]
    m.constrain(
        "purchase.adds",
        count_two,
        [(at_two, december, 1.0), (at_two, september, -1.0)],
        lower=0.0,
        labels=labels_two,
    )
    m.constrain(
        "purchase.of_pupils",
        count_two,
        [(at_two, december, 1.0), (at_two, september, -1.0), (at_two, v.fee[two], -1.0)],
        upper=0.0,
        labels=labels_two,
    )
    converted = v.converted[:, dates.december][flag]
    m.constrain(
        "purchase.private",
        count,
        [(at, y, 1.0), (at, converted, 1.0), (at, v.closed[flag], 1.0)],
        upper=1.0,
        labels=labels,
    )
    _define_term(m, parts)
    _define_ceilings(m, parts)


def _define_term(m: Builder, parts: Parts) -> None:
    """Let a contract that starts run for the minimum term, or to the horizon."""
    v = parts.columns
    term = parts.given.scenario.settings.policy.contract_years
    flag = v.contract >= 0
    row, count = parts.numbered(flag)
    at, labels = row[flag], parts.labels(flag)
    m.constrain(
        "purchase.starts",
        count,
        [
            (at, v.contract_start[flag], 1.0),
            (at, v.contract[flag], -1.0),
            (at, before(v.contract)[flag], 1.0),
        ],
        lower=0.0,
        labels=labels,
    )
    terms = [(at, v.contract[flag], -1.0)]
    start = v.contract_start
    for _ in range(min(term, parts.years)):
        terms.append((at, start[flag], 1.0))
        start = before(start)
    m.constrain("purchase.term", count, terms, upper=0.0, labels=labels)


def _define_ceilings(m: Builder, parts: Parts) -> None:
    given, v = parts.given, parts.columns
    space, providers = given.space, given.providers
    bought = v.purchased_december
    t = np.arange(parts.years)
    limit_rows(
        m,
        parts,
        "purchase",
        "purchase.limit",
        [
            (
                np.broadcast_to(providers.county[:, None], bought.shape),
                np.broadcast_to(t, bought.shape),
                bought,
                1.0,
            )
        ],
    )
    share = given.scenario.settings.policy.purchase_ceiling_share
    if share is not None:
        enrolment = space.children[:, space.grade_compulsory].sum(axis=(0, 1))
        m.constrain(
            "purchase.ceiling",
            parts.years,
            [(t[None, :], bought, 1.0)],
            upper=share * enrolment,
            labels=[space.years],
        )
