"""Private compulsory schools: closure, conversion and purchased places; what is open stays open."""

from __future__ import annotations

from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation, add_limit


def define_closure(m: Builder, f: Formulation) -> None:
    """Keep closed schools closed; a private school that becomes too small must close.

    Rows
    ----
    closure.at_once
        A closed school is phased out too.
    closure.either
        A school is not both phased out and converted.
    closure.phase_out_stays
        Phased out, for good.
    closure.closed_stays
        Closed, for good.
    closure.too_small
        A private school has its least pupils, is phased out or converts.
        Price: none: a pupil whom the least number asks for.
    """
    x, min_pupils = f.x, f.given.providers.min_pupils[:, None]
    can = x.phase_out.exists
    m.add("closure.at_once", x.closed <= x.phase_out, can)
    m.add("closure.either", x.phase_out + x.converted <= 1, can)
    m.add("closure.phase_out_stays", x.phase_out >= x.phase_out.previous(), can)
    m.add("closure.closed_stays", x.closed >= x.closed.previous(), can)
    m.add("closure.too_small", x.enrolled >= min_pupils * (1 - x.phase_out - x.converted), can)


def define_conversion(m: Builder, f: Formulation) -> None:
    """Keep converted schools converted, whatever is switched off.

    The switch covers the earliest and due years, which are bounds of the variables.

    Rows
    ----
    conversion
        Once converted, converted for good.
    """
    school = Axis.of(school=f.given.providers.school)
    converted = f.x.converted_at.labelled(school, f.axis.date)
    m.add("conversion", converted[:, 1:] >= converted[:, :-1], converted.exists[:, 1:])


def define_opening(m: Builder, f: Formulation) -> None:
    """Keep open what is open; there is no switch.

    Rows
    ----
    opening
        Once open, open.
    """
    opened, column = f.x.open_at, f.columns.open
    m.add("opening", opened[:, 1:] >= opened[:, :-1], column[:, 1:] != column[:, :-1])


def define_purchase(m: Builder, f: Formulation) -> None:
    """Buy places in private schools: contracts with a minimum term, under ceilings.

    Rows
    ----
    purchase.most
        Places bought are at most those for sale.
        Price: none: a place for sale at the school.
    purchase.least
        Places bought are at least the contract's least.
        Price: none: a place for sale at the school.
    purchase.adds
        December adds to September.
    purchase.of_pupils
        What December adds is of the school's own fee-paying pupils.
    purchase.private
        No contract with a converted or closed school.
    purchase.starts
        A contract that runs, and did not before, starts.
    purchase.term
        A contract that started in one of the last ``contract_years`` runs.
    purchase.limit
        Places bought in a county, and in the whole, are at most their limit.
        Price: `purchased place`.
    purchase.ceiling
        Places bought are at most a share of compulsory enrolment.
        Price: `purchased place`.
    """
    x, given, providers = f.x, f.given, f.given.providers
    policy = given.scenario.settings.policy
    can = x.contract.exists
    two = can & given.dates.december_year
    bought = x.purchased_december
    for_sale, least = providers.purchasable[:, None], providers.purchase_min[:, None]
    m.add("purchase.most", bought <= for_sale * x.contract, can)
    m.add("purchase.least", bought >= least * x.contract, can & (least > 0))
    m.add("purchase.adds", bought >= x.purchased, two)
    m.add("purchase.of_pupils", bought <= x.purchased + x.fee, two)
    m.add("purchase.private", x.contract + x.converted_december + x.closed <= 1, can)

    m.add("purchase.starts", x.contract_start >= x.contract - x.contract.previous(), can)
    m.add("purchase.term", x.contract_start.last(policy.contract_years) <= x.contract, can)

    by_county = bought.group(providers.county, len(given.space.counties), [f.axis.county])
    add_limit(m, f, "purchase.limit", "purchase", by_county)
    ceiling = policy.purchase_ceiling_share
    if ceiling is not None:
        enrolment = given.space.children[:, given.space.grade_compulsory].sum(axis=(0, 1))
        m.add("purchase.ceiling", bought.sum(0) <= ceiling * enrolment)
