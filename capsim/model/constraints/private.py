"""A private school that closes stays closed; one that becomes too small must close.

Once converted, converted for good; once open, open. In force whatever is switched off.

Places bought in private schools: contracts with a minimum term, under ceilings.
"""

from __future__ import annotations

import numpy as np

from capsim.lp.labels import Along, Labels
from capsim.lp.program import Builder
from capsim.model.formulation import Formulation, before, limit_rows


def define_closure(m: Builder, parts: Formulation) -> None:
    """zi[j,t] ≤ zp[j,t]; zp + zc ≤ 1; zp, zi non-decreasing; Σ_g n ≥ min_pupils (1 − zp − zc)."""
    given, v = parts.given, parts.columns
    flag = v.phase_out >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    at, out, closed = row[flag], v.phase_out[flag], v.closed[flag]
    converted = v.converted[:, given.dates.autumn][flag]
    labels = parts.labels(flag)
    m.constrain(
        "closure.at_once", count, [(at, closed, 1.0), (at, out, -1.0)], upper=0.0, labels=labels
    )
    m.constrain(
        "closure.either", count, [(at, out, 1.0), (at, converted, 1.0)], upper=1.0, labels=labels
    )
    for name, column in (("phase_out", v.phase_out), ("closed", v.closed)):
        m.constrain(
            f"closure.{name}_stays",
            count,
            [(at, column[flag], 1.0), (at, before(column)[flag], -1.0)],
            lower=0.0,
            labels=labels,
        )
    least = given.providers.min_pupils[j]
    m.constrain(
        "closure.too_small",
        count,
        [parts.enrolled(row), (at, out, least), (at, converted, least)],
        lower=np.asarray(least),
        labels=labels,
    )


def define_conversion(m: Builder, parts: Formulation) -> None:
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


def define_opening(m: Builder, parts: Formulation) -> None:
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


def define_purchase(m: Builder, parts: Formulation) -> None:
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


def _define_term(m: Builder, parts: Formulation) -> None:
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


def _define_ceilings(m: Builder, parts: Formulation) -> None:
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
