"""Checks of children and seats: payers, admission, continuity, conversion, closure, purchase.

First comes what follows from the decisions: seats, over-filling, large classes, December figures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from capsim.certificate.data import CertificateData
from capsim.certificate.decision_reader import DUST, Decisions, follows
from capsim.certificate.ledger import Bools, Floats, Ledger

ENDS_BELOW = np.arange(-16.0, -0.9, 2.5)


@dataclass(frozen=True)
class Derived:
    """Implied quantities; ``[j, t]`` in planned years unless stated.

    ``copies[m, t0..]`` and ``copies_december[m, t]``; ``converted[j, t0..]`` and
    ``converted_december[j, t]``, and not given up again ``going[j, t]``, since the year before or
    longer ``settled[j, t]``; ``total[j, t0..]`` pupils; ``excess[j, t]`` pupils above standard
    seats; ``taken_over[c, s, t]`` teachers by county and staffed stage. ``added`` are the seats of
    projects, ``new_seats`` the same but for those given up beyond the places there were,
    ``old_seats`` the places still in use.
    """

    copies: Floats
    copies_december: Floats
    converted: Floats
    converted_december: Floats
    going: Floats
    settled: Floats
    total: Floats
    added: Floats
    old_seats: Floats
    new_seats: Floats
    public_seats: Floats
    converted_seats: Floats
    public_pupils: Floats
    excess: Floats
    fee_december: Floats
    classes: Floats
    large_classes: Floats
    displaced: Floats
    taken_over: Floats

    @property
    def standard_seats(self) -> Floats:
        """Standard seats of public providers and converted schools."""
        return self.public_seats + self.converted_seats


def derive(given: CertificateData, plan: Decisions) -> Derived:
    """Compute what follows from the decisions, as `docs/model.md` defines it."""
    providers = given.providers
    copies = plan.autumn(given, plan.opened)
    converted = plan.autumn(given, plan.converted)
    december = plan.december(given, plan.converted)
    total = plan.pupils.sum(axis=1)
    public = providers.public[:, None]
    levered = providers.levered[:, None]
    added = np.where(public, seats_added(given, plan, copies), 0.0)
    lost = np.where(public, given_up(given, copies), 0.0)
    places = np.where(public, providers.places[:, None], 0.0)
    old = np.maximum(places - lost, 0.0)
    public_seats = places + added - lost
    going = converted[:, 1:] * (1.0 - plan.given_up)
    converted_seats = np.where(levered, providers.places[:, None] * going, 0.0)
    public_pupils = np.where(public, total[:, 1:], np.where(levered, plan.public, 0.0))
    excess = np.maximum(public_pupils - public_seats - converted_seats, 0.0)
    turning = december - converted[:, 1:]
    fee = np.where(levered, plan.fee_paying, np.where(public, 0.0, total[:, 1:]))
    fee_december = (fee + plan.purchased - plan.purchased_december) * (1.0 - turning)
    in_rule = public & providers.compulsory[:, None]
    size = given.per_stage("class_size")[providers.stage][:, None]
    classes = np.where(in_rule, public_seats / size, 0.0)
    taken = handed_over(given, np.diff(converted, axis=1), total) * taken_over_staff(given)[:, None]
    return Derived(
        copies=copies,
        copies_december=plan.december(given, plan.opened),
        converted=converted,
        converted_december=december,
        going=going,
        settled=converted[:, :-1] * (1.0 - plan.given_up),
        total=total,
        added=added,
        old_seats=old,
        new_seats=public_seats - old,
        public_seats=public_seats,
        converted_seats=converted_seats,
        public_pupils=public_pupils,
        excess=excess if given.on("seats") else np.zeros_like(excess),
        fee_december=fee_december,
        classes=classes,
        large_classes=np.where(in_rule, large_classes(given, classes, total[:, 1:]), 0.0),
        displaced=displaced(given, plan.pupils),
        taken_over=given.by_pool(taken, providers.county, providers.stage),
    )


def new_seats(given: CertificateData, copies: Floats, places: Floats) -> Floats:
    """Count places ``[r]`` that projects add to providers ``[j, t]``, until their life ends."""
    projects = given.projects
    out = np.zeros((len(given.providers.names), len(given.years)))
    for r in np.flatnonzero(projects.provider >= 0):
        out[projects.provider[r]] += places[r] * in_use(given, copies, int(r))
    return out


def in_use(given: CertificateData, copies: Floats, r: int) -> Floats:
    """Count copies of row ``r`` that are open and whose life has not ended ``[t]``."""
    now, life = copies[given.projects.of[r]], given.projects.life[r]
    ended = np.zeros_like(now)
    if life < len(now):
        ended[int(life) :] = now[: len(now) - int(life)]
    return np.asarray((now - ended)[1:])


def seats_added(given: CertificateData, plan: Decisions, copies: Floats) -> Floats:
    """Count seats that projects add ``[j, t]``: of a campus what the table ``campuses`` says."""
    projects = given.projects
    places = projects.rows["places"].to_numpy(np.float64)
    out = new_seats(given, copies, np.where(projects.campus, 0.0, places))
    np.add.at(out, projects.provider[projects.campus], plan.shared[projects.campus])
    return out


def check_campuses(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that stages of a campus use what it has, and no more than the whole together."""
    projects = given.projects
    places = projects.rows["places"].to_numpy(np.float64)
    rows = np.flatnonzero(projects.campus)
    whole, most = np.zeros((2, len(projects.names), len(given.years)))
    names = [f"{projects.names[projects.of[r]]} {projects.rows['stage'][r]}" for r in rows]
    if len(rows):
        room = np.stack([places[r] * in_use(given, state.copies, int(r)) for r in rows])
        book.at_most("campus", "places of", plan.shared[rows], room, [names, given.years])
    for r in rows:
        most[projects.of[r]] = np.maximum(most[projects.of[r]], places[r])
    for r in rows:
        whole[projects.of[r]] += plan.shared[r] * most[projects.of[r]] / places[r]
    if given.on("campus"):
        together = most * state.copies[:, 1:]
        axes = [projects.names, given.years]
        book.at_most("campus", "all stages of", whole, together, axes, where=most > 0)


def given_up(given: CertificateData, copies: Floats) -> Floats:
    """Count places that projects take out of use at providers ``[j, t]``."""
    projects = given.projects
    out = np.zeros((len(given.providers.names), len(given.years)))
    places = projects.rows["places_given_up"].to_numpy(np.float64)
    for r in np.flatnonzero((projects.provider >= 0) & (places > 0)):
        out[projects.provider[r]] += places[r] * copies[projects.of[r], 1:]
    return out


def large_classes(given: CertificateData, classes: Floats, pupils: Floats) -> Floats:
    """Count classes of `large_class` or more, from the chords of the normal tail."""
    sd = float(given.settings.policy.class_size_sd)
    large = given.per_stage("large_class")
    out = np.zeros_like(classes)
    for s in np.flatnonzero(given.compulsory_stages):
        level, slope = chords_of(large[s], sd)
        mine = given.providers.stage == s
        chords = level[:, None, None] * classes[mine] + slope[:, None, None] * pupils[mine]
        out[mine] = np.maximum(chords.max(axis=0), 0.0)
    return out


def chords_of(large: float, sd: float) -> tuple[Floats, Floats]:
    """Return level and slope of the chords of the normal tail."""
    ends = large + ENDS_BELOW
    tail = 1.0 - ndtr((large - 0.5 - ends) / sd)
    slope = np.diff(tail) / np.diff(ends)
    return tail[:-1] - slope * ends[:-1], slope


def displaced(given: CertificateData, pupils: Floats) -> Floats:
    """Count children made to change school in mid-stage ``[j, g, t]``, compulsory stages."""
    providers = given.providers
    out = np.zeros((len(providers.names), len(given.grades), len(given.years)))
    if not given.on("continuity"):
        return out
    stay = staying(given, pupils)
    applies = providers.teaches & (given.previous >= 0) & providers.compulsory[:, None]
    return np.where(applies[:, :, None], np.maximum(stay - pupils[:, :, 1:], 0.0), out)


def staying(given: CertificateData, pupils: Floats) -> Floats:
    """Count last year's children of the grade before who are still there ``[j, g, t]``."""
    return given.progression[given.providers.area] * pupils[:, given.previous, :-1]


def handed_over(given: CertificateData, turns: Floats, total: Floats) -> Floats:
    """Compute the share of a school's staff taken over as it converts ``[j, t]``.

    ``turns`` is 1 in the year of the conversion, ``total[j, t0..]`` are pupils.
    """
    if not given.settings.counts_brought:
        return turns
    pupils = given.providers.pupils[:, None]
    brought = np.divide(total[:, :-1], pupils, out=np.zeros_like(turns), where=pupils > 0)
    return np.asarray(turns * brought)


def taken_over_staff(given: CertificateData) -> Floats:
    """Count teachers taken over if a school converts ``[j]``."""
    providers = given.providers
    staffed = np.isin(providers.stage, given.staffed)
    ratio = float(given.settings.policy.takeover_ratio)
    return np.where(providers.levered & staffed, ratio * providers.staff, 0.0)


def check_places(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check the families that hold provider by provider."""
    if given.on("placement"):
        check_payers(given, plan, state, book)
    if given.on("seats"):
        check_seats(given, plan, state, book)
    if given.on("admission"):
        check_admission(given, plan, state, book)
    if given.on("intake"):
        check_intake(given, plan, state, book)
    if given.on("continuity"):
        check_continuity(given, plan, state, book)
    if given.on("conversion"):
        check_conversion(given, plan, state, book)
    if given.on("handover"):
        check_handover(given, plan, state, book)
    if given.on("closure"):
        check_closure(given, plan, state, book)
    if given.on("purchase"):
        check_purchase(given, plan, state, book)
    if follows(given).any():
        check_following(given, plan, state, book)
    check_campuses(given, plan, state, book)


def check_payers(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that all at a levered school pay, are paid for, or sit in a converted school."""
    providers = given.providers
    axes = [providers.names, given.years]
    payers = plan.fee_paying + plan.purchased + plan.public
    levered = providers.levered[:, None]
    book.equal("placement", "payers of", payers, state.total[:, 1:], axes, where=levered)


def check_seats(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check pupils against seats."""
    providers = given.providers
    axes = [providers.names, given.years]
    levered, public = providers.levered[:, None], providers.public[:, None]
    slack = (given.per_stage("class_ceiling") / given.per_stage("class_size") - 1.0)[
        providers.stage
    ]
    room = slack[:, None] * np.where(
        levered, providers.places[:, None] * state.settled, state.public_seats
    )
    book.at_most("seats", "over-filling of", state.excess, room, axes, where=public | levered)
    capacity = providers.capacity[:, None]
    private = capacity * (1.0 - state.converted[:, 1:] - plan.closed)
    paying = plan.fee_paying + plan.purchased
    book.at_most("seats", "private pupils of", paying, private, axes, where=levered)
    joined, left = moved_inclusive(given, state.copies[:, 1:])
    capacity = capacity + joined - left
    other = ~(public | levered)
    book.at_most("seats", "pupils of", state.total[:, 1:], capacity, axes, where=other)


def moved_inclusive(given: CertificateData, copies: Floats) -> tuple[Floats, Floats]:
    """Count children of turned kindergartens, whom they join and whom they leave ``[j, t]``."""
    projects, providers = given.projects, given.providers
    joined, left = np.zeros((2, len(providers.names), copies.shape[1]))
    kindergarten = np.array([name == "kindergarten" for name in given.stage_names])
    pool = providers.inclusive & kindergarten[providers.stage]
    for r, moved in inclusive_rows(given, copies):
        here = np.flatnonzero(pool & (providers.area == projects.area[r]))
        if len(here):
            joined[here[0]] += moved
        if projects.loses[r] >= 0:
            left[projects.loses[r]] += moved
    return joined, left


def inclusive_rows(given: CertificateData, copies: Floats) -> list[tuple[int, Floats]]:
    """List rows of inclusive kindergartens with the children turned inclusive by year."""
    projects = given.projects
    chosen = np.flatnonzero(projects.rows["kind"] == "inclusive_kindergarten")
    children = projects.rows["pupils"].fillna(0.0).to_numpy(np.float64)
    return [(int(r), children[r] * copies[projects.of[r]]) for r in chosen]


def lost_seats(given: CertificateData, copies: Floats) -> Floats:
    """Count places given up, or whose life has ended, since the year before ``[j, t]``."""
    projects, T = given.projects, len(given.years)
    out = np.diff(given_up(given, copies), axis=1, prepend=0.0)
    places = projects.rows["places"].to_numpy(np.float64)
    for r in np.flatnonzero((projects.provider >= 0) & (projects.life <= T)):
        life = int(projects.life[r])
        new = np.diff(copies[projects.of[r]])[: T - life]
        out[projects.provider[r], life:] += places[r] * new
    return out


def first_grades(given: CertificateData, pupils: Floats) -> Floats:
    """Sum the first grade of every provider ``[j, t0..]``."""
    first = given.providers.teaches & (given.previous < 0)
    return np.asarray((pupils * first[:, :, None]).sum(axis=1))


def check_intake(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check how far first grades differ from those of the year before."""
    providers, policy = given.providers, given.settings.policy
    axes = [providers.names, given.years]
    intake = first_grades(given, plan.pupils)
    before, now = intake[:, :-1], intake[:, 1:]
    levered, settled = providers.levered[:, None], state.settled
    if policy.noncompulsory_swing_share is not None:
        check_noncompulsory(given, state, book)
    if policy.intake_rise_share is not None:
        most = (1.0 + float(policy.intake_rise_share)) * before
        most = most + providers.places[:, None] * state.converted[:, :-1]
        book.at_most("intake", "private intake of", now, most, axes, where=levered)
    if policy.public_swing_share is None:
        return
    swing = float(policy.public_swing_share)
    public = (providers.public & providers.compulsory)[:, None]
    ruled = np.where(levered, settled > 0, public & (np.arange(len(given.years)) > 0))
    starts = np.flatnonzero(given.previous < 0)[providers.stage]
    children = given.children[providers.area, starts]
    earlier, later = children[:, :-1], children[:, 1:]
    growth = np.divide(later, earlier, out=np.ones_like(later), where=earlier > 0)
    grades = providers.teaches.sum(axis=1)[:, None]
    most = (1.0 + swing) * np.maximum(growth, 1.0) * before
    most = most + state.added / grades
    known = ~((earlier <= 0) & (later > 0))
    book.at_most("intake", "rise of the intake of", now, most, axes, where=ruled & known)
    fill = (given.per_stage("class_ceiling") / given.per_stage("class_size"))[providers.stage]
    least = (1.0 - swing) * np.minimum(growth, 1.0) * before
    least = least - fill[:, None] * lost_seats(given, state.copies)
    book.at_most("intake", "fall of the intake of", least, now, axes, where=ruled)


def check_noncompulsory(given: CertificateData, state: Derived, book: Ledger) -> None:
    """Check how far pupils of kindergartens and senior schools differ from the year before."""
    providers, axes = given.providers, [given.providers.names, given.years]
    swing = float(given.settings.policy.noncompulsory_swing_share)
    ruled = ~providers.compulsory[:, None] & (np.arange(len(given.years)) > 0)
    children = np.zeros((len(providers.names), len(given.years) + 1))
    for j, area in enumerate(providers.area):
        children[j] = given.children[area, providers.teaches[j]].sum(axis=0)
    earlier, later = children[:, :-1], children[:, 1:]
    change = np.where(earlier > 0, later / np.where(earlier > 0, earlier, 1.0), 1.0)
    before, now = state.total[:, :-1], state.total[:, 1:]
    joined, left = moved_inclusive(given, state.copies)
    most = (1.0 + swing) * np.maximum(change, 1.0) * before + state.added + joined[:, 1:]
    known = ruled & ((earlier > 0) | (later <= 0))
    book.at_most("intake", "rise of the pupils of", now, most, axes, where=known)
    fill = (given.per_stage("class_ceiling") / given.per_stage("class_size"))[providers.stage]
    least = (1.0 - swing) * np.minimum(change, 1.0) * before - np.diff(left, axis=1)
    least = least - fill[:, None] * lost_seats(given, state.copies)
    book.at_most("intake", "fall of the pupils of", least, now, axes, where=ruled)


def check_admission(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that first grades of levered schools stay within the admission plan."""
    providers = given.providers
    intake = first_grades(given, plan.pupils)[:, 1:]
    allowed = providers.admission[:, None] * (1.0 - plan.phased_out)
    allowed = allowed + providers.places[:, None] * state.settled
    axes = [providers.names, given.years]
    levered = providers.levered[:, None]
    book.at_most("admission", "first-grade pupils of", intake, allowed, axes, where=levered)


def check_continuity(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that levered schools admit no one in mid-stage, and the count of the displaced."""
    providers = given.providers
    axes = [providers.names, given.grades, given.years]
    later = providers.teaches & (given.previous >= 0)
    stay = staying(given, plan.pupils)
    joining = providers.places
    if given.settings.policy.conversion_keep_share is not None:
        joining = joining / providers.teaches.sum(axis=1)
    allowed = stay + (joining[:, None] * state.settled)[:, None, :]
    levered = (later & providers.levered[:, None])[:, :, None]
    book.at_most("continuity", "pupils of", plan.pupils[:, :, 1:], allowed, axes, where=levered)
    book.equal("continuity", "displaced of", plan.displaced, state.displaced, axes)


def waits(given: CertificateData) -> Bools:
    """Flag the years in which no school may be closed, converted or given up, ``[year]``."""
    decided = given.settings.policy.decision_years
    return np.array([bool(decided) and year not in decided for year in given.years], bool)


def check_conversion(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check due and earliest years of conversions."""
    providers, policy = given.providers, given.settings.policy
    names, last = providers.names, len(given.calendar.dates)
    earliest = given.calendar.first_on_or_after(f"{policy.conversion_earliest_year}-09-01")
    some = plan.converts < last
    book.at_most("conversion", "earliest of", -plan.converts, -earliest, [names], where=some)
    year = np.array([*given.calendar.year, 0], np.int64)[plan.converts]
    latest = policy.conversion_latest_year or given.years[-1]
    never = waits(given) | (np.array(given.years) > latest)
    book.at_most("conversion", "date of", never[year] * 1.0, 0.0, [names], where=some)
    due = given.calendar.first_on_or_after(f"{policy.conversion_due_year}-09-01")
    must = providers.levered & (providers.schools["conversion"] == "must").to_numpy(bool)
    within = due < last
    book.at_most("conversion", "due of", plan.converts, due, [names], where=must & within)


def check_handover(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that converted schools keep and admit pupils, or were converted and are given up."""
    providers, policy = given.providers, given.settings.policy
    axes = [providers.names, given.years]
    earlier = int(policy.conversion_least_years) - 1
    never = np.zeros((len(providers.names), earlier))
    before = np.hstack([never, state.converted[:, :-1]])[:, : len(given.years)]
    book.at_most("handover", "given up too early or unconverted", plan.given_up, before, axes)
    change = np.diff(plan.given_up, axis=1, prepend=0.0)
    book.at_most("handover", "date of", change, 0.0, axes, where=waits(given))
    runs = state.going > 0
    if policy.conversion_keep_share is not None:
        later = (providers.teaches & (given.previous >= 0))[:, :, None]
        kept = (plan.pupils[:, :, 1:] * later).sum(axis=1)
        most = (staying(given, plan.pupils) * later).sum(axis=1)
        base = np.maximum(providers.capacity, 1e-9)
        room = np.minimum(1.0, providers.places / base)[:, None]
        least = float(policy.conversion_keep_share) * room * most
        book.at_most("handover", "keeping of", least, kept, axes, where=runs)
    if policy.conversion_intake_share is not None:
        grades = providers.teaches.sum(axis=1)
        usual = np.minimum(providers.places / grades, providers.admission)[:, None]
        least = float(policy.conversion_intake_share) * usual * np.ones_like(plan.given_up)
        intake = first_grades(given, plan.pupils)[:, 1:]
        book.at_most("handover", "intake of", least, intake, axes, where=runs)


def check_closure(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check closures: phased out, never converted, and the others keep their least size."""
    providers = given.providers
    axes = [providers.names, given.years]
    zp, zc = plan.phased_out, state.converted[:, 1:]
    levered = providers.levered[:, None]
    book.at_most("closure", "closed and phased out", plan.closed, zp, axes, where=levered)
    book.at_most("closure", "closed and converted", zp + zc, 1.0, axes, where=levered)
    least = given.least_size[:, None]
    open_still = least * (1.0 - zp - zc)
    small = levered & (least > 0)
    book.at_most("closure", "least size of", open_still, state.total[:, 1:], axes, where=small)
    ending = given.settings.policy.closing_size_share
    if ending is not None:
        last = float(ending) * providers.pupils[:, None] * (1.0 - plan.closed - zc)
        book.at_most("closure", "last size of", last, state.total[:, 1:], axes, where=small)
    notice, keep = int(given.settings.policy.closing_notice_years), given.settings.policy.keep_share
    told = np.hstack([np.zeros((len(zp), notice)), zp])[:, : zp.shape[1]]
    book.at_most("closure", "notice of", plan.closed, told, axes, where=levered)
    for what, closing in (("phasing out", zp), ("closing", plan.closed)):
        change = np.diff(closing, axis=1, prepend=0.0)
        book.at_most("closure", f"date of {what}", change, 0.0, axes, where=waits(given))
    if keep is not None:
        later = (providers.teaches & (given.previous >= 0))[:, :, None]
        kept = (plan.pupils[:, :, 1:] * later).sum(axis=1)
        most = (staying(given, plan.pupils) * later).sum(axis=1)
        private = levered & (plan.closed == 0) & (zc == 0)
        book.at_most("closure", "keeping of", float(keep) * most, kept, axes, where=private)
    check_run_down(given, plan, book)


def check_run_down(given: CertificateData, plan: Decisions, book: Ledger) -> None:
    """Check that the schools listed as running down, and no others, admit no one from then on."""
    providers, T = given.providers, len(given.years)
    intake = first_grades(given, plan.pupils)[:, 1:]
    never = plan.converts >= len(given.calendar.dates)
    plain = providers.levered & never & (plan.phased_out.sum(axis=1) == 0)
    after = np.arange(T)[None, :] >= plan.intake_ends[:, None]
    book.at_most("closure", "intake of", intake, 0.0, [providers.names, given.years], where=after)
    listed = plan.intake_ends < T
    wrong = listed & ~plain
    last = np.maximum(plan.intake_ends - 1, 0)
    before = np.where(listed, intake[np.arange(len(listed)), last], 1.0)
    wrong |= listed & (plan.intake_ends > 0) & (before <= DUST / 1000)
    wrong |= plain & ~listed & (intake[:, -1] <= DUST / 1000)
    faults = [providers.names[i] for i in np.flatnonzero(wrong)]
    book.none_of("closure", "wrong or missing run_down", faults, int(plain.sum()))


def check_purchase(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check that purchases lie within their contracts, contracts last, ceilings hold."""
    providers, policy = given.providers, given.settings.policy
    axes = [providers.names, given.years]
    schools = providers.schools
    least = schools["purchase_min_places"].fillna(0.0).to_numpy(np.float64)[:, None]
    most = schools["purchasable_places"].fillna(0.0).to_numpy(np.float64)[:, None]
    y, v, vd = plan.contract, plan.purchased, plan.purchased_december
    sells = providers.levered[:, None]
    book.at_most("purchase", "least purchase from", least * y, vd, axes, where=sells)
    book.at_most("purchase", "purchase from", vd, most * y, axes)
    book.at_most("purchase", "contract of", y, (most > 0) * 1.0, axes)
    book.at_most("purchase", "September against December of", v, vd, axes)
    has_december = given.calendar.december > given.calendar.autumn
    book.at_most(
        "purchase",
        "December against pupils of",
        vd,
        plan.fee_paying + v,
        axes,
        where=sells & has_december,
    )
    book.equal("purchase", "no change in December of", vd, v, axes, where=~has_december)
    both = y + state.converted_december + plan.closed
    book.at_most("purchase", "contract and conversion of", both, 1.0, axes, where=sells)
    fall = policy.contract_fall_share
    if fall is not None:
        kept = (1.0 - float(fall)) * vd[:, :-1] - most * (1.0 - y[:, 1:])
        late = [providers.names, given.years[1:]]
        book.at_most("purchase", "slow fall of", kept, vd[:, 1:], late)
    broken = early_ends(y > 0.5, int(policy.contract_years))
    book.at_most("purchase", "contract ends early at", broken * 1.0, 0.0, axes)

    regions = [given.regions, given.years]
    bought = given.by_county(vd, providers.county)
    limit = given.limit("purchase", given.years)
    book.at_most("purchase", "limit of", bought, limit, regions, where=np.isfinite(limit))
    if policy.purchase_ceiling_share is not None:
        compulsory = given.compulsory_stages[given.grade_stage]
        children = given.children[:, compulsory, 1:].sum(axis=(0, 1))
        ceiling = float(policy.purchase_ceiling_share) * children
        book.at_most("purchase", "ceiling in", bought[-1], ceiling, [given.years])


def check_following(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check who pays and who is bought by grade, and that bought children stay so or leave."""
    providers, told = given.providers, follows(given)[:, None]
    axes = [providers.names, given.years]
    fee, bought, december = plan.paying, plan.bought, plan.bought_december
    sums = [("fee-paying by grade of", fee, plan.fee_paying)]
    if given.on("placement") and given.on("seats"):  # else pupils are not those who pay or are paid
        sums += [
            ("bought by grade of", bought, plan.purchased),
            ("bought by grade in December of", december, plan.purchased_december),
        ]
    for what, cells, total in sums:
        book.equal("following", what, cells.sum(axis=1), total, axes, where=told)
    axes = [providers.names, given.grades, given.years]
    where = providers.teaches[:, :, None] & told[:, :, None]
    private, pupils = 1.0 - state.converted[:, None, 1:], plan.pupils[:, :, 1:]
    if given.on("seats"):
        pupils, payers = pupils * private, where
    else:  # nothing forbids to pay at a converted school
        payers = where & (private > 0)
        book.at_most("following", "payers among pupils of", fee + bought, pupils, axes, where=where)
    book.equal("following", "payers of", fee + bought, pupils, axes, where=payers)
    book.at_most("following", "September against December of", bought, december, axes)
    book.at_most("following", "December against pupils of", december, fee + bought, axes)

    below, later = given.previous, where & (given.previous >= 0)[:, None]
    stay = given.progression[providers.area]
    left = np.concatenate([plan.pupils[:, :, :1], fee + bought - december], axis=2)
    most = stay * left[:, below, :-1]
    book.at_most("following", "fee-paying of", fee, most, axes, where=later)
    sells = providers.schools["purchasable_places"].fillna(0.0).to_numpy(np.float64)
    ended = (sells[:, None] * (1.0 - plan.contract))[:, None, 1:]
    least = stay[:, :, 1:] * december[:, below, :-1] - ended
    axes[2] = given.years[1:]
    book.at_most("following", "bought cohort of", least, bought[:, :, 1:], axes, where=later)


def early_ends(running: np.ndarray, term: int) -> np.ndarray:
    """Flag years in which a contract has ended before its minimum term ``[j, t]``."""
    before = np.hstack([np.zeros((len(running), 1), bool), running[:, :-1]])
    begins = running & ~before
    broken = np.zeros_like(running)
    for later in range(1, min(term, running.shape[1])):
        broken[:, later:] |= begins[:, :-later] & ~running[:, later:]
    return broken
