"""Checks of money, land and staff."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from capsim.certificate.data import DAYS_A_YEAR, CertificateData, ordinal
from capsim.certificate.decision_reader import Axis, Decisions, Reader
from capsim.certificate.ledger import Floats, Ledger
from capsim.certificate.places import Derived, chords_of
from capsim.certificate.travel import Links


def opening_events(given: CertificateData, plan: Decisions) -> list[tuple[int, int, float]]:
    """List openings: row of the projects table, check date, copies of it opened then."""
    opened = np.diff(np.hstack([np.zeros((len(plan.opened), 1)), plan.opened]), axis=1)
    events = []
    for r, m in enumerate(given.projects.of):
        events += [(r, int(k), float(opened[m, k])) for k in np.flatnonzero(opened[m])]
    return events


def check_openings(given: CertificateData, plan: Decisions, book: Ledger) -> None:
    """Check opening dates: candidates in autumn, the others all by their due date."""
    projects, calendar = given.projects, given.calendar
    axes = [projects.names, calendar.dates]
    count = projects.count[:, None].astype(np.float64)
    when = np.arange(len(calendar.dates))[None, :]
    too_early = when < projects.earliest[:, None]
    book.at_most("openings", "copies of", plan.opened, np.where(too_early, 0.0, count), axes)
    december = ~np.isin(np.arange(len(calendar.dates)), calendar.autumn)
    opened = np.diff(np.hstack([np.zeros((len(count), 1)), plan.opened]), axis=1)
    winter = projects.candidate[:, None] & december[None, :]
    book.at_most("openings", "opened outside autumn", opened, 0.0, axes, where=winter)
    due = ~projects.candidate[:, None] & (when >= projects.latest[:, None])
    book.equal("openings", "in use of", plan.opened, count, axes, where=due)


def payments(given: CertificateData, r: int, k: int) -> Floats:
    """Compute capital of one copy of row ``r`` opened on check date ``k``, by calendar year."""
    row = given.projects.rows.iloc[r]
    due = float(row["capital_cny"] - row["spent_cny"])
    opening = float(ordinal(given.calendar.dates[k]))
    months = float(row["build_months"])
    begin = max(opening - months * DAYS_A_YEAR / 12, float(ordinal(f"{given.years[0]}-01-01")))
    out = np.zeros(len(given.years))
    if opening <= begin:
        out[given.calendar.year[k]] = due
        return out
    for t, year in enumerate(given.years):
        january = ordinal(f"{year}-01-01"), ordinal(f"{year + 1}-01-01")
        days = min(opening, january[1]) - max(begin, january[0])
        out[t] = due * max(days, 0.0) / (opening - begin)
    return out


def capital(given: CertificateData, events: list[tuple[int, int, float]]) -> Floats:
    """Sum capital paid by county (the last row is the whole) and planned calendar year."""
    paid = np.zeros((len(given.regions), len(given.years)))
    known: dict[tuple[int, int], Floats] = {}
    for r, k, copies in events:
        if (r, k) not in known:
            known[r, k] = payments(given, r, k)
        paid[given.projects.county[r]] += copies * known[r, k]
    paid[-1] = paid[:-1].sum(axis=0)
    return paid


def check_money(given: CertificateData, paid: Floats, recurrent: Floats, book: Ledger) -> None:
    """Check capital by calendar year and recurrent spending by school year against limits."""
    axes = [given.regions, given.years]
    for kind, spent in (("capital", paid), ("recurrent", recurrent)):
        limit = given.limit(kind, given.years)
        some = np.isfinite(limit)
        book.at_most("money", f"{kind} of", spent, limit, axes, where=some, money=True)


def check_land(given: CertificateData, plan: Decisions, book: Ledger) -> None:
    """Check land of candidates whose building has started against the quota so far."""
    years, used = land_used(given, plan)
    quota = given.limit("land", years)
    in_force = np.maximum.accumulate(np.isfinite(quota), axis=1)
    allowed = np.cumsum(np.where(np.isfinite(quota), quota, 0.0), axis=1)
    book.at_most("land", "land of", used, allowed, [given.regions, years], where=in_force)


def land_used(given: CertificateData, plan: Decisions) -> tuple[list[int], Floats]:
    """Compute land of candidates whose building has started, ``[region, year]``, and the years."""
    limits = given.scenario.table("limits")
    listed = limits.loc[limits["kind"] == "land", "year"]
    first = min([given.years[0], *listed.astype(int)])
    years = list(range(first, given.years[-1] + 1))
    used = np.zeros((len(given.regions), len(years)))
    rows = given.projects.rows
    months = rows["build_months"].to_numpy(np.float64)
    land = rows["land_mu"].to_numpy(np.float64)
    for r, k, copies in opening_events(given, plan):
        if not given.projects.candidate[given.projects.of[r]]:
            continue
        start = ordinal(given.calendar.dates[k]) - months[r] * DAYS_A_YEAR / 12
        begun = date.fromordinal(int(np.floor(start))).year
        since = np.array(years) >= begun
        used[given.projects.county[r], since] += copies * land[r]
    used[-1] = used[:-1].sum(axis=0)
    return years, used


def check_limits_used(
    given: CertificateData,
    plan: Decisions,
    state: Derived,
    spent: tuple[Floats, Floats],
    reader: Reader,
) -> None:
    """Check the `limits_used` table: every limit of the scenario, and what the plan uses of it.

    ``spent`` is capital and recurrent money by region and planned year. A limit binds that is used
    up, or of which a project that waits would take more than is left.
    """
    limits = given.scenario.table("limits")
    keys = ["kind", "county", "year"]
    names = tuple(", ".join(map(str, key)) for key in limits[keys].itertuples(index=False))
    rows = Axis(tuple(keys), names, pd.MultiIndex.from_frame(limits[keys]))
    told, allowed, binds = reader.dense("limits_used", ["used", "limit", "binds"], [rows], True)
    amount = limits["amount"].to_numpy(np.float64).copy()
    used = np.zeros(len(limits))
    years, land = land_used(given, plan)
    flows = _used_of_limits(given, plan, state, spent)
    since = limits.sort_values("year", kind="stable").groupby(["kind", "county"])["amount"].cumsum()
    for i, (kind, county, year) in enumerate(limits[keys].itertuples(index=False)):
        region = given.regions.index(county)
        if kind == "land":
            amount[i] = since[limits.index[i]]
            used[i] = land[region, years.index(year)] if year in years else 0.0
        elif year in given.years:
            used[i] = flows[kind][region, given.years.index(year)]
    money = limits["kind"].isin(["capital", "recurrent"]).to_numpy()
    least = _least_of_waiting(given, plan, limits)
    left, sure = amount - used, DUST * np.maximum(amount, 1.0)
    scarce = (used > sure) & (left < least * (1 - DUST))
    full = (used >= amount * (1 - ALMOST + DUST)) | scarce
    free = (used < amount * (1 - ALMOST) - sure) & ((used <= 0) | (left > least * (1 + DUST)))
    book, used = reader.book, np.maximum(used, 0.0)
    for where, unit in ((money, True), (~money, False)):
        book.equal("limits_used", "used of", told, used, [names], where=where, money=unit)
        book.equal("limits_used", "limit of", allowed, amount, [names], where=where, money=unit)
    book.equal("limits_used", "binds of", binds, full, [names], where=full | free)


ALMOST, DUST = 1e-4, 1e-6
"""Part of a limit that may be left of one that is used up; what counts as nothing of it."""
AUTUMN_MONTHS = 8.0
"""From the new year to an opening in autumn."""


def _least_of_waiting(given: CertificateData, plan: Decisions, limits: pd.DataFrame) -> Floats:
    """Compute the least that a candidate not yet begun would take of each limit; -inf of none.

    Of land in the years from which it could have started on, of capital in those from whose autumn
    on it could have been open: then what is paid from the new year on.
    """
    projects, rows = given.projects, given.projects.rows
    number = len(projects.names)
    months = np.zeros(number)
    np.maximum.at(months, projects.of, rows["build_months"].to_numpy(np.float64))
    due = (rows["capital_cny"] - rows["spent_cny"]).to_numpy(np.float64)
    capital, land = (
        np.bincount(projects.of, each, number) for each in (due, rows["land_mu"].to_numpy())
    )
    paid = capital * np.minimum(1.0, AUTUMN_MONTHS / np.maximum(months, 1e-9))
    autumns = [int(day[:4]) + (day[5:] > "09-01") for day in map(str, given.calendar.dates)]
    autumn = np.array([*autumns, np.inf], np.float64)
    ahead = np.ceil(np.maximum(months - AUTUMN_MONTHS, 0.0) / 12)
    could = autumn[np.minimum(projects.earliest, len(autumns))]
    opens = np.full(number, np.inf)
    for m in range(number if autumns else 0):
        if plan.opened[m, -1] >= projects.count[m]:
            opens[m] = autumn[np.argmax(plan.opened[m] >= projects.count[m])]
    county = np.zeros(number, np.int64)
    county[projects.of[::-1]] = projects.county[::-1]
    least = np.full(len(limits), -np.inf)
    for i, (kind, place, year) in enumerate(limits[["kind", "county", "year"]].to_numpy()):
        if kind not in ("land", "capital"):
            continue
        takes, early = (land, ahead) if kind == "land" else (paid, np.zeros(number))
        here = projects.candidate & (takes > 0)
        if place != given.regions[-1]:
            here &= county == given.regions.index(place)
        waits = here & (could - early <= year) & (opens - early > year)
        least[i] = takes[waits].min(initial=np.inf) if waits.any() else -np.inf
    return least


def _used_of_limits(
    given: CertificateData, plan: Decisions, state: Derived, spent: tuple[Floats, Floats]
) -> dict[str, Floats]:
    """Compute what is used of the limits but land, ``[region, planned year]`` by kind."""
    everywhere = np.arange(len(given.counties))

    def staff(values: Floats) -> Floats:
        return given.by_county(values.sum(axis=1), everywhere)

    providers = given.providers
    return {
        "capital": spent[0],
        "recurrent": spent[1],
        "purchase": given.by_county(plan.purchased_december, providers.county),
        "hires": staff(plan.hired),
        "posts": staff(plan.pool) - posts_granted(given, state),
        "contract_teachers": staff(plan.contract_teachers) - set_free(given, plan, state),
    }


def base_pool(given: CertificateData) -> Floats:
    """Count teachers on post in the base year by county and staffed stage."""
    providers = given.providers
    staff = np.where(providers.public, providers.staff, 0.0)
    return given.by_pool(staff, providers.county, providers.stage)


def staff_need(given: CertificateData, state: Derived) -> Floats:
    """Compute teachers that public and converted pupils need, by county, stage and year."""
    providers = given.providers
    pupils = given.by_pool(state.public_pupils, providers.county, providers.stage)
    return np.asarray(pupils / given.per_stage("pupils_per_post")[given.staffed, None])


def check_staff(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check staff stock, need and limits."""
    counties, years = given.counties, given.years
    axes = [counties, [given.stage_names[s] for s in given.staffed], years]
    need = staff_need(given, state)
    staff = plan.pool + plan.contract_teachers
    book.at_most("staff", "need of", need, staff, axes)
    before = np.concatenate([base_pool(given)[..., None], plan.pool[..., :-1]], axis=2)
    stay = staying_share(given) * before + state.taken_over
    gone = plan.from_stage + plan.from_county
    stock = stay + plan.hired + plan.to_stage + plan.to_county - gone
    book.equal("staff", "teachers on post of", plan.pool, stock, axes)
    book.at_most("staff", "teachers who move away from", gone, stay, axes)
    come, leave = plan.to_stage.sum(axis=1), plan.from_stage.sum(axis=1)
    book.equal("staff", "teachers who change stage in", come, leave, [counties, years])
    check_county_moves(given, plan, before, book)

    granted, released = posts_granted(given, state), set_free(given, plan, state)
    more: dict[str, tuple[Floats, Floats]] = {
        "hires": (plan.hired, np.zeros_like(released)),
        "posts": (plan.pool, granted),
        "contract_teachers": (plan.contract_teachers, released),
    }
    everywhere = np.arange(len(counties))
    for kind, (used, extra) in more.items():
        limit = given.limit(kind, years)
        book.at_most(
            "staff",
            f"{kind} of",
            given.by_county(used.sum(axis=1), everywhere),
            limit + extra,
            [given.regions, years],
            where=np.isfinite(limit),
        )


def staying_share(given: CertificateData) -> float:
    """Return the share of teachers on post who are still there a year later."""
    return 1.0 - float(given.settings.staff.attrition) - float(given.settings.staff.retirement)


def check_county_moves(
    given: CertificateData, plan: Decisions, before: Floats, book: Ledger
) -> None:
    """Check moves between counties: none without a price, no more than may leave, none lost."""
    counties, years = given.counties, given.years
    stages = [given.stage_names[s] for s in given.staffed]
    come, leave = plan.to_county.sum(axis=0), plan.from_county.sum(axis=0)
    book.equal("staff", "teachers who change county,", come, leave, [stages, years])
    none = given.settings.costs.county_move_cny is None
    share = 0.0 if none else given.settings.staff.county_move_share
    if share is not None:
        gone, most = plan.from_county.sum(axis=1), float(share) * before.sum(axis=1)
        book.at_most("staff", "teachers who leave the county", gone, most, [counties, years])


def posts_granted(given: CertificateData, state: Derived) -> Floats:
    """Count posts that projects in use bring, by region and planned year."""
    posts = given.projects.rows["posts"].to_numpy(np.float64)[:, None]
    return given.by_county(posts * state.copies[given.projects.of, 1:], given.projects.county)


def set_free(given: CertificateData, plan: Decisions, state: Derived) -> Floats:
    """Count contract teachers whom shrinking private schools set free, by region and year."""
    providers = given.providers
    free = np.where(providers.levered & np.isin(providers.stage, given.staffed), 1.0, 0.0)
    ratio = np.divide(
        providers.staff,
        providers.pupils,
        out=np.zeros_like(providers.staff),
        where=providers.pupils > 0,
    )
    left = providers.pupils[:, None] * (1.0 - state.converted[:, 1:])
    left = (free * ratio)[:, None] * (left - plan.fee_paying - plan.purchased)
    released = float(given.settings.policy.release_share)
    return released * given.by_county(left, providers.county)


def check_public_first(
    given: CertificateData, links: Links, plan: Decisions, state: Derived, book: Ledger
) -> None:
    """Check that places are bought only where public seats nearby are taken or teachers lack.

    The breach is the least of the places bought in an area, the seats left in one nearby, and the
    teachers that its county could have had.
    """
    providers, most = given.providers, given.settings.policy.public_seats_first_km
    if most is None:
        return
    S, A = len(given.stages), len(given.areas)
    at = providers.area, providers.stage
    bought = np.zeros((A, S, len(given.years)))
    np.add.at(bought, at, plan.purchased_december)
    seats = seats_left(given, plan, state)
    teachers = teachers_left(given, plan, state)[given.area_county]
    near = np.eye(A, dtype=bool) | (np.nan_to_num(links.area_km, nan=np.inf) <= most)
    close = np.nan_to_num(links.school_km, nan=np.inf) <= most
    for j in range(len(providers.names)):
        near[providers.stage[j], close[:, j], providers.area[j]] = True
    for s, name in enumerate(given.stage_names):
        here = bought[:, s] > 0
        left = np.minimum(seats[:, s], teachers)
        breach = np.minimum(bought[:, s, None], left[None, :])
        axes = [[f"{area}, {name}" for area in given.areas], given.areas, given.years]
        where = near[s][:, :, None] & here[:, None]
        book.at_most("public_first", "bought beside free seats in", breach, 0.0, axes, where=where)


def seats_left(given: CertificateData, plan: Decisions, state: Derived) -> Floats:
    """Count free public seats ``[a, s, t]`` that the limit on large classes lets fill.

    Where schools that were converted a year ago or before have more free seats, theirs.
    """
    providers = given.providers
    empty = usable_part(given)[providers.stage] * state.public_seats - state.public_pupils
    shape = len(given.areas), len(given.stages), len(given.years)
    left, at = np.zeros(shape), (providers.area, providers.stage)
    np.add.at(left, at, np.where(providers.public[:, None], empty, 0.0))
    places = providers.places[:, None] * state.settled
    np.maximum.at(left, at, np.where(providers.levered[:, None], places - plan.public, 0.0))
    return np.maximum(left, 0.0)


def usable_part(given: CertificateData) -> Floats:
    """Compute the part of standard seats that the limit on large classes lets fill ``[s, t]``."""
    policy, size = given.settings.policy, given.per_stage("class_size")
    out = np.ones((len(given.stages), len(given.years)))
    if not given.on("class_size"):
        return out
    share, large = given.stepped(policy.large_class_share), given.per_stage("large_class")
    for s in np.flatnonzero(given.compulsory_stages):
        level, slope = chords_of(large[s], float(policy.class_size_sd))
        mean = np.min((share - level[:, None]) / slope[:, None], axis=0)
        out[s] = np.where(np.isnan(share), 1.0, np.minimum(mean / size[s], 1.0))
    return out


def teachers_left(given: CertificateData, plan: Decisions, state: Derived) -> Floats:
    """Count teachers that a county could have had beside those in use ``[c, t]``.

    More hires or posts, more on contract, or some who are not needed: the most of these. Infinite
    without limits.
    """
    C, years = len(given.counties), given.years
    if not given.on("staff"):
        return np.full((C, len(years)), np.inf)
    limit = {k: given.limit(k, years)[:C] for k in ("hires", "posts", "contract_teachers")}
    hired, pool, on_contract = (
        staff.sum(axis=1) for staff in (plan.hired, plan.pool, plan.contract_teachers)
    )
    posts = limit["posts"] + posts_granted(given, state)[:C] - pool
    contract = limit["contract_teachers"] + set_free(given, plan, state)[:C]
    idle = pool + on_contract - staff_need(given, state).sum(axis=1)
    fewest = np.minimum(limit["hires"] - hired, posts)
    return np.asarray(np.maximum(np.maximum(fewest, contract - on_contract), idle))
