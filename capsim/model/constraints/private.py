"""Private compulsory schools: closure, conversion and purchased places; what is open stays open."""

from __future__ import annotations

import numpy as np

from capsim.lp.array_types import Array
from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation, add_limit, moving_up
from capsim.model.constraints.capacity import ceiling_share, usable_share
from capsim.model.links import sales_of


def define_closure(m: Builder, f: Formulation) -> None:
    """Keep closed schools closed; a private school that becomes too small must close.

    Rows
    ----
    closure.notice
        A school that is closed at once was phased out ``closing_notice_years`` ago, or is now.
    closure.either
        A school is not both phased out and converted.
    closure.phase_out_stays
        Phased out, for good.
    closure.closed_stays
        Closed, for good.
    closure.phase_out_waits
        No school is phased out in a year in which nothing is decided.
    closure.closed_waits
        Nor closed.
    closure.too_small
        A private school has its least pupils, is phased out or converts.
        Price: none: a pupil whom the least number asks for.
    closure.runs_out
        A school that is phased out and not closed has ``closing_size_share`` of its pupils left.
        Price: none: a pupil whom the least number asks for.
    closure.kept
        A private school that is not closed keeps at least ``keep_share`` of those who move up.
        Price: none: a pupil whom the school must keep.
    """
    x, least_size = f.x, f.given.least_size[:, None]
    can, policy = x.phase_out.exists, f.given.scenario.settings.policy
    m.add("closure.notice", x.closed <= x.phase_out.before(policy.closing_notice_years), can)
    m.add("closure.either", x.phase_out + x.converted <= 1, can & x.converted.exists)
    m.add("closure.phase_out_stays", x.phase_out >= x.phase_out.previous(), can)
    m.add("closure.closed_stays", x.closed >= x.closed.previous(), can)
    waits = can & f.given.waits
    m.add("closure.phase_out_waits", x.phase_out <= x.phase_out.previous(), waits)
    m.add("closure.closed_waits", x.closed <= x.closed.previous(), waits)
    m.add("closure.too_small", x.enrolled >= least_size * (1 - x.phase_out - x.converted), can)
    if policy.closing_size_share is not None:
        last_size = policy.closing_size_share * f.given.providers.cap[:, None]
        m.add("closure.runs_out", x.enrolled >= last_size * (1 - x.closed - x.converted), can)

    keep_share = policy.keep_share
    if keep_share is None:
        return
    providers, axes = f.given.providers, [f.axis.provider]
    later = np.where(f.columns.seats.before >= 0, f.columns.seats.provider, -1)
    stay = x.pupils.group(later, len(providers.school), axes)
    moving_up = x.grown.group(later, len(providers.school), axes)
    most = most_moving_up(f)
    room = np.maximum(most, ((1 + ceiling_share(f.given)) * providers.places)[:, None])
    m.add(
        "closure.kept",
        stay >= keep_share * (moving_up - most * x.closed - room * x.converted),
        x.fee.exists & stay.exists,
    )


def most_moving_up(f: Formulation) -> Array:
    """Bound the pupils of private schools who may move up a grade, ``[provider, year]``.

    They are at most all pupils of the base year, and those whom admissions bring who stay.
    """
    space, providers, settings = f.given.space, f.given.providers, f.given.scenario.settings
    cap = np.repeat(providers.cap[:, None], f.years, axis=1)
    if not (settings.switches.admission and settings.switches.continuity):
        return cap
    rise = settings.policy.intake_rise_share if settings.switches.intake else None
    first = space.grade_first & (space.grade_stage == providers.stage[:, None])
    pupils, out = providers.rolls, np.zeros_like(cap)
    for t in range(f.years):
        up = space.progression[providers.area, :, t] * np.roll(pupils, 1, axis=1)
        up[:, space.grade_first] = 0.0
        out[:, t] = up.sum(axis=1)
        intake = providers.admission
        if rise is not None:
            intake = np.minimum(intake, (1 + rise) * (pupils * first).sum(axis=1))
        pupils = np.minimum(up + first * intake[:, None], cap[:, :1])
    return np.minimum(out, cap)


def define_conversion(m: Builder, f: Formulation) -> None:
    """Keep converted schools converted, whatever is switched off.

    The switch covers the rows ``waits``, and the earliest and due years, which are bounds of the
    variables.

    Rows
    ----
    conversion
        Once converted, converted for good.
    conversion.waits
        No school converts in a year in which nothing is decided, or after
        ``conversion_latest_year``.
    """
    school = Axis.of(school=f.given.providers.school)
    converted = f.x.converted_at.labelled(school, f.axis.date)
    m.add("conversion", converted[:, 1:] >= converted[:, :-1], converted.exists[:, 1:])
    if f.given.scenario.settings.switches.conversion:
        latest = f.given.scenario.settings.policy.conversion_latest_year
        late = f.given.space.years > (latest or f.given.space.years[-1])
        waits = converted.exists & (f.given.waits | late)[f.given.dates.year]
        m.add("conversion.waits", converted <= converted.previous(), waits)


def define_handover(m: Builder, f: Formulation) -> None:
    """Keep converted schools alive, or close them again; count the teachers they bring.

    ``kept`` and ``grown`` are of all grades but the first.
    ``room`` is ``min(1, places ÷ cap)``, ``least`` is ``min(places ÷ grades, admission)``, ``most``
    is ``max(cap, places · (1 + ceiling_share))``. ``before`` are the ``rolls`` in the first year.

    Rows
    ----
    handover.after_conversion
        A school is given up ``conversion_least_years`` after it has converted, or later.
    handover.stays
        Given up, for good.
    handover.waits
        No school is given up in a year in which nothing is decided.
    handover.kept
        A converted school keeps a share of those who move up, less where its places are fewer
        than its pupils were, or is given up.
        Price: none: a pupil who must stay.
    handover.intake
        A converted school admits its least intake, or is given up.
        Price: none: a child who must be admitted.
    handover.brought_once
        Pupils are brought in the year in which the school converts.
    handover.brought_most
        Pupils brought are at most those of the autumn before.
    handover.brought_least
        A school that converts brings all of them.
    """
    x, axis, seats, providers = f.x, f.axis, f.columns.seats, f.given.providers
    policy, schools = f.given.scenario.settings.policy, len(f.given.providers.school)
    can, going = x.given_up.exists, x.converted - x.given_up
    cap, places = providers.cap[:, None], providers.places[:, None]
    most = np.maximum(cap, places * (1 + ceiling_share(f.given)[:, None]))
    m.add(
        "handover.after_conversion",
        x.given_up <= x.converted.before(policy.conversion_least_years),
        can,
    )
    m.add("handover.stays", x.given_up >= x.given_up.previous(), can)
    m.add("handover.waits", x.given_up <= x.given_up.previous(), can & f.given.waits)

    if policy.conversion_keep_share is not None:
        room = np.minimum(1.0, places / np.maximum(cap, 1e-9))
        later = np.where(seats.before >= 0, seats.provider, -1)
        grown = x.grown.group(later, schools, [axis.provider])
        kept = x.pupils.group(later, schools, [axis.provider])
        least_share = policy.conversion_keep_share * room
        m.add("handover.kept", kept >= least_share * (grown - most * (1 - going)), can)
    if policy.conversion_intake_share is not None:
        grades = np.bincount(seats.provider, minlength=schools)[:, None]
        least = np.minimum(places / grades, providers.admission[:, None])
        share = policy.conversion_intake_share
        m.add("handover.intake", x.intake >= share * least * going, can)

    before = np.zeros((schools, f.years))
    before[:, 0] = providers.rolls.sum(axis=1)
    there = x.enrolled.previous() + before
    m.add("handover.brought_once", x.pupils_brought <= cap * x.turns, x.pupils_brought.exists)
    m.add("handover.brought_most", x.pupils_brought <= there, x.pupils_brought.exists)
    m.add(
        "handover.brought_least",
        x.pupils_brought >= there - most * (1 - x.turns),
        x.pupils_brought.exists,
    )


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
    purchase.fall
        While a contract runs, places bought fall by at most a share a year.
        Price: none: a place fewer that must be bought.
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

    fall = policy.contract_fall_share
    if fall is not None:
        kept, later = (1 - fall) * bought.previous(), np.arange(f.years) > 0
        m.add("purchase.fall", bought >= kept - for_sale * (1 - x.contract), can & later)

    by_county = bought.group(providers.county, len(given.space.counties), [f.axis.county])
    add_limit(m, f, "purchase.limit", "purchase", by_county)
    ceiling = policy.purchase_ceiling_share
    if ceiling is not None:
        enrolment = given.space.children[:, given.space.grade_compulsory].sum(axis=(0, 1))
        m.add("purchase.ceiling", bought.sum(0) <= ceiling * enrolment)


def define_following(m: Builder, f: Formulation) -> None:
    """Let a bought place follow the child: who is bought stays bought, or leaves.

    Only with ``purchase_follows_child``, at schools with places for sale. Pupils of a grade are
    fee-paying (``fee_by_grade``) or bought.

    Rows
    ----
    following.sum
        Fee-paying pupils of the grades are those of the school.
    following.pupils
        Fee-paying pupils of a grade are some of its pupils.
    following.fewer
        Between September and December nobody begins to pay.
    following.december
        Those who stop paying are bought.
    following.fee
        Fee-paying pupils of a later grade are at most last year's of the grade below, times who
        stays in the area; in the first year at most the observed.
        Price: none: a child who may turn fee-paying.
    following.cohort
        While a contract runs, last year's bought cohorts go on as bought. A school that was
        converted a year ago has public pupils instead.
        Price: none: a bought child fewer who must be kept.
    """
    x, seats, providers = f.x, f.columns.seats, f.given.providers
    exists = x.fee_by_grade.exists
    two = exists & f.given.dates.december_year
    by_school = len(providers.school), [f.axis.provider]
    paying = x.fee_by_grade.group(seats.provider, *by_school)
    m.add("following.sum", paying == x.fee, paying.exists)
    m.add("following.pupils", x.fee_by_grade <= x.pupils, exists)

    stopped = x.fee_by_grade - x.fee_by_grade_december
    m.add("following.fewer", x.fee_by_grade_december <= x.fee_by_grade, two)
    since = stopped.group(np.where(two.any(axis=1), seats.provider, -1), *by_school)
    bought = x.purchased_december - x.purchased
    m.add("following.december", since == bought, since.exists & f.given.dates.december_year)

    seat = np.flatnonzero(exists.any(axis=1) & (seats.before >= 0))
    below, j = seats.before[seat], seats.provider[seat]
    progression, observed = moving_up(f.given, seats, seat)
    paid = x.fee_by_grade_december[below].previous()
    m.add("following.fee", x.fee_by_grade[seat] <= progression * (paid + observed))

    later = x.pupils[seat].exists & (np.arange(f.years) > 0)
    kept = progression * (x.pupils[below].previous() - paid)
    for_sale, places = providers.purchasable[j, None], providers.places[j, None]
    room = (1 + ceiling_share(f.given)[j, None]) * places
    m.add(
        "following.cohort",
        x.pupils[seat] - x.fee_by_grade[seat]
        >= kept - for_sale * (1 - x.contract[j]) - room * x.converted.previous()[j],
        later,
    )


def define_public_first(m: Builder, f: Formulation) -> None:
    """Buy places only where the public seats nearby are taken, or the county has no teacher left.

    Only with ``public_seats_first_km``. ``near`` are the areas so far from a school with places for
    sale.

    Rows
    ----
    public_first.bought
        Places bought in an area on 31 December: none unless every area near it is full, or its
        county has neither posts or hires nor contract teachers left.
        Price: none: a place bought beside free public seats.
    public_first.full
        In a full area public pupils are no fewer than the seats that can be used.
    public_first.converted
        In a full area schools that were converted a year ago or before, and go on, are full.
    """
    x, axis, given = f.x, f.axis, f.given
    space, providers, projects = given.space, given.providers, given.projects
    sales = sales_of(given, f.links)
    area, stage, near = sales.area, sales.stage, sales.near
    county = space.county[near]
    where = Axis.of(area=(space.areas, area), stage=(space.stage_names, stage))
    of_county = Axis.of(county=(space.counties, space.county[area])).hidden()
    where += Axis.of(near=(space.areas, near)) + of_county
    cells, of_cells = (len(space.areas), len(space.stages)), [axis.area, axis.stage]
    selling = np.where(providers.levered, providers.area, -1)
    sold = x.purchased_december.group((selling, providers.stage), cells, of_cells)
    for_sale = np.zeros(cells)
    np.add.at(for_sale, (selling, providers.stage), providers.purchasable * providers.levered)
    bought = sold[area, stage].labelled(where, axis.year)
    no_teacher = x.hires_used[county] + x.posts_used[county]
    most = for_sale[area, stage][:, None]
    m.add("public_first.bought", bought <= most * (x.seats_full[near, stage] + no_teacher))

    usable = usable_share(f)
    public = np.where(providers.public, providers.area, -1)
    free = (usable * x.seats - x.enrolled).group((public, providers.stage), cells, of_cells)
    row = np.flatnonzero(projects.row_provider >= 0)
    comes = projects.first_check[projects.row_project[row], None] <= given.dates.autumn
    brings = projects.row_places[row] * projects.count[projects.row_project[row]]
    there = np.repeat(providers.places[:, None], f.years, axis=1)
    np.add.at(there, projects.row_provider[row], brings[:, None] * comes)
    room = np.zeros((*cells, f.years))
    np.add.at(room, (public, providers.stage), usable * there * providers.public[:, None])
    m.add("public_first.full", free <= room * (1 - x.seats_full), x.seats_full.exists & free.exists)

    may = x.public.exists & x.seats_full.exists[providers.area, providers.stage]
    places, full = providers.places[:, None], x.seats_full[providers.area, providers.stage]
    empty = places * (x.converted.previous() - x.given_up) - x.public
    m.add("public_first.converted", empty <= places * (1 - full), may)
