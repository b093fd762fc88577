"""The plan's reported tables, recomputed and compared cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from capsim.certificate.costs import purchase_cost, purchase_price, school_number
from capsim.certificate.data import DAYS_A_YEAR, WHOLE, CertificateData, ordinal
from capsim.certificate.decision_reader import (
    DUST,
    Axis,
    Decisions,
    Reader,
    axis,
    follows,
    pool_axes,
    provider_axis,
)
from capsim.certificate.ledger import Bools, Floats, Ledger
from capsim.certificate.places import Derived, handed_over, taken_over_staff
from capsim.certificate.policies import (
    Target,
    class_counts,
    counted_private,
    ratio,
    read_shares,
    read_targets,
)
from capsim.certificate.resources import base_pool, opening_events, staff_need

OTHER = ("travel", "boarding", "displacement", "overfill")
"""Kinds of cost that commitments put together."""
MONEY = (
    "capital_cny",
    "running_cny",
    "staff_cny",
    "hiring_cny",
    "purchase_cny",
    "conversion_cny",
    "closure_cny",
    "other_cny",
)
"""Columns of commitments that add up to their total."""


def check_cells(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Compare every reported table with what the decisions imply."""
    check_texts(given, plan, reader)
    check_schools(given, plan, state, reader)
    check_purchases(given, plan, reader)
    check_payers(given, plan, state, reader)
    check_conversions(given, plan, state, reader)
    check_projects(given, plan, reader)
    check_balance(given, plan, state, reader)
    check_shares(given, plan, state, reader)
    check_reduction(given, plan, state, reader)
    check_large_classes(given, state, reader)
    check_admissions(given, plan, state, reader)
    check_commitments(given, plan, state, reader)
    check_targets(given, read_targets(given, plan, state), reader)
    areas, grades = axis("area", given.areas), axis("grade", given.grades)
    years = axis("school_year", given.years)
    children = given.children[:, :, 1:]
    whole = {"children": children, "placed": children - plan.shortfall}
    compare(reader, "shortfall", whole, [areas, grades, years])
    check_teachers(given, plan, state, reader)


def check_teachers(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Check what the `staff` table tells beside decisions: need, who left, who is too many."""
    need, rates = staff_need(given, state), given.settings.staff
    before = np.concatenate([base_pool(given)[..., None], plan.pool[..., :-1]], axis=2)
    before = before if given.on("staff") else np.zeros_like(before)
    columns = {
        "need": need,
        "taken_over": state.taken_over,
        "left": float(rates.attrition) * before,
        "retired": float(rates.retirement) * before,
        "surplus": plan.pool + plan.contract_teachers - need,
    }
    compare(reader, "staff", columns, pool_axes(given))


def compare(
    reader: Reader, table: str, columns: Mapping[str, Floats], axes: Sequence[Axis]
) -> None:
    """Compare whole columns: every cell of the axes has its row."""
    names = [a.names for a in axes]
    for column, cells in zip(columns, reader.dense(table, list(columns), axes, True), strict=True):
        money = column.endswith("_cny")
        reader.book.equal(table, f"{column} of", cells, columns[column], names, money=money)


def check_texts(given: CertificateData, plan: Decisions, reader: Reader) -> None:
    """Check that area, county, stage and sector columns repeat the scenario."""
    providers, stage = given.providers, given.stage_names
    counties = [given.counties[c] for c in given.area_county]
    schools: dict[str, Sequence[Any]] = {
        "area": [given.areas[a] for a in providers.area],
        "county": [given.counties[c] for c in providers.county],
        "sector": ["public" if public else "private" for public in providers.public],
    }
    place = {key: schools[key] for key in ("area", "county")}
    names = providers.names
    tables = ("enrolment", "schools", "purchases", "payers", "conversions", "closures", "campuses")
    for table in tables:
        at = provider_axis(given).positions(reader.tables[table])
        columns = schools if table in ("enrolment", "schools") else place
        reader.same_text(table, columns, at, names)
        if table == "conversions":
            since = plan.given_up.sum(axis=1)
            ends = [f"{given.years[-1] + 1 - int(n)}-09-01" if n else "" for n in since]
            told = {"conversion": list(providers.schools["conversion"]), "given_up": ends}
            reader.same_text(table, told, at, names)
    for table in ("shortfall", "balance"):
        at = axis("area", given.areas).positions(reader.tables[table])
        reader.same_text(table, {"county": counties}, at, given.areas)
    at = axis("grade", given.grades).positions(reader.tables["shortfall"])
    stages = [stage[s] for s in given.grade_stage]
    reader.same_text("shortfall", {"stage": stages}, at, given.grades)


def check_schools(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Check the `schools` table."""
    providers = given.providers
    levered, public = providers.levered[:, None], providers.public[:, None]
    total = state.total[:, 1:]
    fee = np.where(levered, plan.fee_paying, np.where(public, 0.0, total))
    bought, december = plan.purchased, plan.purchased_december
    fee_december = np.where(levered, state.fee_december, fee)
    columns = {
        "pupils": total,
        "fee_paying": fee,
        "purchased": bought,
        "public": state.public_pupils,
        "fee_paying_december": fee_december,
        "purchased_december": december,
        "public_december": total - fee_december - december,
        "seats_existing": state.old_seats,
        "seats_new": state.new_seats,
        "seats_converted": state.converted_seats,
        "overfilled": state.excess,
        "large_classes": state.large_classes,
        "classes": state.classes,
    }
    compare(reader, "schools", columns, [provider_axis(given), axis("school_year", given.years)])


def check_purchases(given: CertificateData, plan: Decisions, reader: Reader) -> None:
    """Check prices and cost of purchased places."""
    providers = provider_axis(given)
    axes = [providers, axis("school_year", given.years)]
    frame, book = reader.tables["purchases"], reader.book
    names = [a.names for a in axes]
    (cost,) = reader.dense("purchases", ["cost_cny"], axes)
    book.equal("costs", "purchases.cost_cny", cost, purchase_cost(given, plan), names, money=True)
    at = providers.positions(frame)
    known = at >= 0
    reported = reader.numbers("purchases", "price_cny")[known]
    rows = [[providers.names[j] for j in at[known]]]
    book.equal("costs", "purchases.price_cny", reported, purchase_price(given)[at[known]], rows)


def check_payers(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Check pupils and December's fee-paying pupils by grade, where bought places follow."""
    axes = [provider_axis(given), axis("grade", given.grades), axis("school_year", given.years)]
    pupils, december = reader.dense("payers", ["pupils", "fee_paying_december"], axes)
    told = (given.providers.teaches & follows(given)[:, None])[:, :, None]
    stays = 1.0 - state.converted_december + state.converted[:, 1:]
    left = (plan.paying + plan.bought - plan.bought_december) * stays[:, None]
    names, book = [a.names for a in axes], reader.book
    book.equal("payers", "pupils of", pupils, plan.pupils[:, :, 1:], names, where=told)
    book.equal("payers", "fee_paying_december of", december, left, names, where=told)


def check_conversions(
    given: CertificateData, plan: Decisions, state: Derived, reader: Reader
) -> None:
    """Check the numbers repeated in `conversions`."""
    providers, frame = given.providers, reader.tables["conversions"]
    at = provider_axis(given).positions(frame)
    known = at >= 0
    opens = given.calendar.year[np.minimum(plan.converts, len(given.calendar.dates) - 1)]
    late = ~np.isin(plan.converts, given.calendar.autumn)
    there = state.total[np.arange(len(opens)), opens + late]
    once = np.ones((len(opens), 1))
    share = handed_over(given, once, np.column_stack([there, there]))[:, 0]
    columns = {
        "pupils_base": providers.pupils,
        "pupils_before": there,
        "places": providers.places,
        "staff_taken_over": taken_over_staff(given) * share,
        "cost_cny": school_number(given, "conversion_cost_cny"),
    }
    rows = [[providers.names[j] for j in at[known]]]
    for column, values in columns.items():
        reported = reader.numbers("conversions", column)[known]
        money = column == "cost_cny"
        reader.book.equal("conversions", column, reported, values[at[known]], rows, money=money)


def check_projects(given: CertificateData, plan: Decisions, reader: Reader) -> None:
    """Check the `projects` table: one row a project, when and how much of it opens."""
    projects, rows = given.projects, given.projects.rows
    first = rows.drop_duplicates("project")
    M = len(projects.names)
    copies = plan.opened[:, -1] if M else np.zeros(0)
    begun = plan.opened > 0.5
    opens = [given.calendar.dates[int(np.argmax(b))] if b.any() else "" for b in begun]
    compulsory = np.isin(rows["stage"], np.array(given.stage_names)[given.compulsory_stages])
    brought = brought_places(given)
    sums = {
        "places": brought,
        "places_compulsory": brought.where(compulsory, 0),
        "places_given_up": rows["places_given_up"],
        "capital_cny": rows["capital_cny"] - rows["spent_cny"],
        "land_mu": rows["land_mu"],
    }
    columns: dict[str, Floats] = {"copies": copies}
    for column, values in sums.items():
        total = np.zeros(M)
        np.add.at(total, projects.of, values.to_numpy(np.float64))
        columns[column] = total * copies if column in ("capital_cny", "land_mu") else total
    names = axis("project", projects.names)
    compare(reader, "projects", columns, [names])
    texts = {
        key: list(first[key]) for key in ("area", "kind", "programme", "status", "due", "options")
    }
    counties = pd.Series(given.counties)[given.area_county[given.projects.area]]
    texts["county"] = list(counties.to_numpy()[first.index])
    joined = rows.groupby("project", sort=False)["stage"].agg(";".join)
    texts["stages"] = list(joined)
    texts["opens"] = opens
    at = names.positions(reader.tables["projects"])
    reader.same_text("projects", texts, at, projects.names)


def check_balance(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Check the `balance` table by area and stage."""
    providers = given.providers
    public = providers.public[:, None]
    total = state.total[:, 1:]
    existing = np.where(public, np.minimum(total, state.old_seats), 0.0)
    above = np.maximum(total - state.old_seats, 0.0)
    new = np.where(public, np.minimum(above, state.new_seats), 0.0)
    used = state.public_pupils
    by_provider = {
        "children": total,
        "seats": state.standard_seats,
        "used": used,
        "existing_used": existing,
        "new_used": new,
        "overfilled": state.excess,
        "surplus": state.standard_seats - (used - state.excess),
        "private": total - used,
        "converted": np.where(providers.levered[:, None], plan.public, 0.0),
    }
    shape = (len(given.areas), len(given.stages), len(given.years))
    columns = {}
    for column, values in by_provider.items():
        columns[column] = np.zeros(shape)
        np.add.at(columns[column], (providers.area, providers.stage), values)
    columns["shortfall"] = np.zeros(shape)
    for g, s in enumerate(given.grade_stage):
        columns["shortfall"][:, s] += plan.shortfall[:, g]
    axes = [
        axis("area", given.areas),
        axis("stage", given.stage_names),
        axis("school_year", given.years),
    ]
    compare(reader, "balance", columns, axes)


def check_shares(given: CertificateData, plan: Decisions, state: Derived, reader: Reader) -> None:
    """Check the `shares` table; the whole and every county, base year and planned years."""
    shares = read_shares(given, plan, state)
    columns = {
        "enrolment": shares.enrolment,
        "private_excluding_purchased": shares.excluding,
        "private_including_purchased": shares.including,
        "share_excluding_purchased": ratio(shares.excluding, shares.enrolment),
        "share_including_purchased": ratio(shares.including, shares.enrolment),
    }
    years = axis("school_year", (given.calendar.base_year, *given.years))
    compare(reader, "shares", columns, [axis("county", given.regions), years])
    first = reader.tables["shares"]["county"].head(1).tolist()
    wrong = [county for county in first if county != WHOLE]
    reader.book.none_of("tables", "shares, first county", wrong, 1)


def check_reduction(
    given: CertificateData, plan: Decisions, state: Derived, reader: Reader
) -> None:
    """Check the `reduction` table, each term on its own, and its identity."""
    providers, policy = given.providers, given.settings.policy
    compulsory = providers.compulsory
    public = (compulsory & providers.public)[:, None]
    places = np.hstack([providers.places[:, None], state.old_seats])
    seats = places + np.hstack([np.zeros((len(places), 1)), state.new_seats])
    total = state.total

    def rise(values: Floats, where: Bools) -> Floats:
        whole = np.where(where, values, 0.0).sum(axis=0)
        return np.asarray(whole[1:] - whole[0])

    counted = counted_private(given, plan, state)
    bought = plan.purchased[providers.levered].sum(axis=0)
    enrolment = total[compulsory].sum(axis=0)
    over = np.maximum(total - seats, 0.0) if given.on("seats") else np.zeros_like(total)
    years = np.array(given.years)
    ordered = np.where(years == policy.reduction_year, float(policy.reduction), 0.0)
    columns = {
        "ordered": ordered,
        "new_seats": rise(np.clip(total - places, 0.0, seats - places), public),
        "converted": plan.public[providers.levered].sum(axis=0),
        "purchased": np.zeros(len(years)) if policy.purchased_counts_as_private else bought,
        "overfilled": rise(over, public),
        "existing_seats": rise(np.minimum(total, places), public),
        "fewer_pupils": enrolment[0] - enrolment[1:],
        "total": counted[0] - counted[1:],
    }
    year_axis = axis("school_year", given.years)
    compare(reader, "reduction", columns, [year_axis])
    terms = [c for c in columns if c not in ("ordered", "total")]
    *parts, whole = reader.dense("reduction", [*terms, "total"], [year_axis])
    if given.on("seats") and given.on("placement"):
        identity = np.sum(parts, axis=0)
        reader.book.equal("reduction", "identity in", identity, whole, [given.years])


def check_large_classes(given: CertificateData, state: Derived, reader: Reader) -> None:
    """Check the `large_classes` table: whole and counties, all and each compulsory stage."""
    counts = [np.roll(figure, 1, axis=0) for figure in class_counts(given, state)]
    classes, large = (np.concatenate([c.sum(axis=1, keepdims=True), c], axis=1) for c in counts)
    stages = [n for n, own in zip(given.stage_names, given.compulsory_stages, strict=True) if own]
    axes = [
        axis("county", (WHOLE, *given.counties)),
        axis("stage", (WHOLE, *stages)),
        axis("school_year", (given.calendar.base_year, *given.years)),
    ]
    columns = {"classes": classes, "large_classes": large, "share": ratio(large, classes)}
    compare(reader, "large_classes", columns, axes)


def check_before(targets: list[Target], names: Axis, reader: Reader) -> None:
    """Check the figures of the base year; blank where the scenario does not tell them."""
    at = names.positions(reader.tables["targets"])
    reported = pd.to_numeric(reader.tables["targets"]["before"], errors="coerce").to_numpy(float)
    due = np.array([target.before for target in targets])[at] if targets else np.zeros(0)
    blank = np.isnan(due) == np.isnan(reported)
    keys = [[names.names[i] for i in at]]
    reader.book.equal("targets", "before known of", blank, True, keys, where=at >= 0)
    known = (at >= 0) & ~np.isnan(due)
    reader.book.equal("targets", "before of", reported, due, keys, where=known)


def check_targets(given: CertificateData, targets: list[Target], reader: Reader) -> None:
    """Check the `targets` table: every target once, figures, dates and verdicts."""
    names = axis("id", [target.id for target in targets])
    columns = {
        "required": np.array([target.required for target in targets]),
        "achieved": np.array([target.achieved for target in targets]),
    }
    compare(reader, "targets", columns, [names])
    check_before(targets, names, reader)
    frame = reader.tables["targets"]
    at = names.positions(frame)
    texts = {
        "by": [target.by for target in targets],
        "what": [target.what(given) for target in targets],
    }
    reader.same_text("targets", texts, at, names.names)
    reported = frame["met"].to_numpy(dtype=object)
    wrong = [
        f"{targets[i].id} says {reported[row]!r}"
        for row, i in enumerate(at)
        if i >= 0
        and not (
            isinstance(reported[row], bool | np.bool_)
            and (targets[i].doubtful or reported[row] == targets[i].holds)
        )
    ]
    reader.book.none_of("targets", "met", wrong, len(reported))


def check_whole(
    book: Ledger, what: str, told: Floats, exact: Floats, axes: Sequence[Sequence[Any]]
) -> None:
    """Check that numbers are whole and each less than one from the exact one."""
    book.equal("whole numbers", f"{what} of", told, np.round(told), axes)
    book.at_most("whole numbers", f"{what} beside", np.abs(told - exact), 1.0 - DUST, axes)


def check_sums(
    book: Ledger, what: str, told: Floats, exact: Floats, axes: Sequence[Sequence[Any]]
) -> None:
    """Check that whole numbers, summed over the first axis, are the exact sum, rounded."""
    gap = np.abs((told - exact).sum(axis=0))
    book.at_most("whole numbers", f"sum of {what}", gap, 0.5 + DUST, axes[1:])


def check_admissions(
    given: CertificateData, plan: Decisions, state: Derived, reader: Reader
) -> None:
    """Check the `admissions` table: whole pupils that sum to those of first grades."""
    providers, book = given.providers, reader.book
    axes = [provider_axis(given), axis("school_year", given.years)]
    ruled = providers.compulsory[:, None]
    first = np.flatnonzero(given.previous < 0)[providers.stage]
    everyone = np.arange(len(first))
    admitted = np.where(ruled, plan.pupils[everyone, first], 0.0)
    needed = np.maximum(admitted[:, :1], admitted[:, 1:]) >= 1.0
    columns = ["base_intake", "intake", "bought"]
    base, intake, bought = reader.dense("admissions", columns, axes, needed, ruled)
    listed = intake + base > 0
    by_grade = plan.bought_december[everyone, first]
    even = plan.purchased_december * ratio(admitted[:, 1:], state.total[:, 1:])
    exact = {
        "base_intake": (base, np.where(listed, admitted[:, :1], 0.0)),
        "intake": (intake, admitted[:, 1:]),
        "bought": (bought, np.where(follows(given)[:, None], by_grade, even)),
    }
    names = [a.names for a in axes]
    for column, (told, due) in exact.items():
        check_whole(book, f"admissions.{column}", told, due, names)
        for c, county in enumerate(given.counties):
            for s, stage in enumerate(given.stage_names):
                mine = (providers.county == c) & (providers.stage == s)
                if column == "intake" and mine.any():
                    what = f"admissions.intake, {county} {stage}"
                    check_sums(book, what, told[mine], due[mine], names)
    book.at_most("whole numbers", "bought of the intake of", bought, intake, names)
    frame, years = reader.tables["admissions"], len(given.years)
    j, t = (a.positions(frame) for a in axes)
    turned = np.where(state.converted[:, 1:] > 0, "converted", "private")
    cells = np.repeat(everyone, years)
    texts: dict[str, Sequence[Any]] = {
        "sector": np.where(providers.public[:, None], "public", turned).ravel().tolist(),
        "grade": [given.grades[g] for g in first[cells]],
        "area": [given.areas[a] for a in providers.area[cells]],
        "county": [given.counties[c] for c in providers.county[cells]],
    }
    at = np.where((j >= 0) & (t >= 0), j * years + t, -1)
    reader.same_text("admissions", texts, at, [names[0][cell] for cell in cells])


def check_commitments(
    given: CertificateData, plan: Decisions, state: Derived, reader: Reader
) -> None:
    """Check the `commitments` table: what counties are to deliver, from the decisions."""
    axes = [axis("county", given.counties), axis("school_year", given.years)]
    names, shares = [a.names for a in axes], read_shares(given, plan, state)
    counted = shares.counted(given)[:-1]
    shape = (len(given.counties), len(given.years))
    land, opened = begun_land(given, plan), openings_by_county(given, plan)
    converts = plan.converts < len(given.calendar.dates)
    at = given.providers.county[converts], given.calendar.year[plan.converts[converts]]
    turned, converted, closed = np.zeros((3, *shape))
    np.add.at(turned, at, 1.0)
    np.add.at(converted, at, given.providers.places[converts])
    first: dict[int, int] = {}
    for school, year, _ in closing_rows(given, reader):
        first[school] = min(first.get(school, year), year)
    for school, year in first.items():
        closed[given.providers.county[school], year] += 1.0
    staff, costs = reader.tables["staff"], reader.tables["costs"]
    sums = {
        "private_before": np.broadcast_to(counted[:, :1], shape),
        "private_pupils": counted[:, 1:],
        "purchased": given.by_county(plan.purchased_december, given.providers.county)[:-1],
        **opened,
        "conversions": turned,
        "converted_places": converted,
        "closures": closed,
        **{name: summed(staff, name, axes) for name in ("hired", "taken_over", "contract")},
    }
    for column in MONEY:
        kinds = OTHER if column == "other_cny" else (column.removesuffix("_cny"),)
        sums[column] = summed(costs[costs["kind"].isin(kinds)], "cost_cny", axes)
    columns = [*sums, "reduction", "private_share", "land_mu", "total_cny"]
    read = dict(zip(columns, reader.dense("commitments", columns, axes, True), strict=True))
    for column, exact in sums.items():
        check_whole(reader.book, f"commitments.{column}", read[column], exact, names)
        check_sums(reader.book, f"commitments.{column}", read[column], exact, names)
    due = {
        "reduction": read["private_before"] - read["private_pupils"],
        "private_share": ratio(counted, shares.enrolment[:-1])[:, 1:],
        "land_mu": land,
        "total_cny": np.sum([read[name] for name in MONEY], axis=0),
    }
    for column, exact in due.items():
        reader.book.equal("commitments", f"{column} of", read[column], exact, names)
    earliest = deadlines(given, plan, reader)
    nothing = (np.nan, "", "")
    cells = [earliest.get((c, t), nothing) for c in range(shape[0]) for t in range(shape[1])]
    texts: dict[str, Sequence[Any]] = {
        "decide_by": [
            "" if np.isnan(day) else date.fromordinal(int(np.floor(day))).isoformat()
            for day, *_ in cells
        ],
        "decision": [decision for _, decision, _ in cells],
        "decision_name": [name for *_, name in cells],
    }
    c, t = (a.positions(reader.tables["commitments"]) for a in axes)
    where = np.where((c >= 0) & (t >= 0), c * shape[1] + t, -1)
    labels = [f"{county} {year}" for county in names[0] for year in names[1]]
    reader.same_text("commitments", texts, where, labels)


def brought_places(given: CertificateData) -> pd.Series[Any]:
    """Return the places that rows of projects bring: of a campus the first largest number only."""
    rows = given.projects.rows
    campus = pd.Series(given.projects.campus, rows.index)
    order = rows["places"].where(campus).groupby(rows["project"]).rank("first", ascending=False)
    return rows["places"].where(~campus | (order == 1), 0.0)


def openings_by_county(given: CertificateData, plan: Decisions) -> dict[str, Floats]:
    """Sum copies and places that come into use by county and calendar year."""
    projects = given.projects
    compulsory = given.compulsory_stages[
        pd.Index(given.stage_names).get_indexer(pd.Index(projects.rows["stage"]))
    ]
    copies, hurried, places, needed, lost = np.zeros((5, len(given.counties), len(given.years)))
    seen, brought = set(), brought_places(given)
    for r, k, opened in opening_events(given, plan):
        m = projects.of[r]
        at = projects.county[int(np.argmax(projects.of == m))], given.calendar.year[k]
        each = float(brought.iloc[r])
        places[at] += opened * each
        needed[at] += opened * each * compulsory[r]
        lost[at] += opened * float(projects.rows["places_given_up"].iloc[r])
        copies[at] += 0.0 if (m, k) in seen else opened
        hurried[at] += 0.0 if (m, k) in seen or not projects.hurried[m] else opened
        seen.add((m, k))
    return {
        "projects": copies,
        "hurried": hurried,
        "places": places,
        "places_compulsory": needed,
        "places_given_up": lost,
    }


def begun_land(given: CertificateData, plan: Decisions) -> Floats:
    """Sum land that candidates take up by county and year of building's beginning."""
    projects = given.projects
    out = np.zeros((len(given.counties), len(given.years)))
    for r, k, opened in opening_events(given, plan):
        if projects.candidate[projects.of[r]]:
            months, land = projects.rows[["build_months", "land_mu"]].iloc[r]
            begins = ordinal(given.calendar.dates[k]) - months * DAYS_A_YEAR / 12
            year = date.fromordinal(int(np.floor(begins))).year
            out[projects.county[r], max(year - given.years[0], 0)] += opened * land
    return out


def deadlines(
    given: CertificateData, plan: Decisions, reader: Reader
) -> dict[tuple[int, int], tuple[float, str, str]]:
    """Find the first decision of each county and planned year: day, decision, name."""
    providers, projects = given.providers, given.projects
    found: dict[tuple[int, int], tuple[float, str, str]] = {}

    def add(county: int, t: int, day: float, decision: str, name: str) -> None:
        one = (day, decision, name)
        found[county, t] = min(found.get((county, t), one), one)

    schools = providers.schools["school"] + ", " + providers.schools["stage"]

    def add_school(j: int, t: int, day: str, decision: str) -> None:
        add(int(providers.county[j]), t, ordinal(day), decision, schools.iloc[j])

    months = projects.rows["build_months"].to_numpy(np.float64)
    for r, k, _ in opening_events(given, plan):
        m = projects.of[r]
        if projects.candidate[m]:
            longest = float(months[projects.of == m].max())
            begins = ordinal(given.calendar.dates[k]) - longest * DAYS_A_YEAR / 12
            county = int(projects.county[int(np.argmax(projects.of == m))])
            add(county, int(given.calendar.year[k]), begins, "build", projects.names[m])
        if projects.hurried[m]:
            longest = float(months[projects.of == m].max())
            begins = ordinal(given.calendar.dates[k]) - longest * DAYS_A_YEAR / 12
            start = ordinal(str(given.settings.construction.start))
            begins = max(begins, min(start, ordinal(given.calendar.dates[k])))
            county = int(projects.county[int(np.argmax(projects.of == m))])
            add(county, int(given.calendar.year[k]), begins, "hurry", projects.names[m])
    for j, k in enumerate(plan.converts.tolist()):
        if k < len(given.calendar.dates):
            add_school(j, int(given.calendar.year[k]), given.calendar.dates[k], "convert")
    autumns = [f"{year}-09-01" for year in given.years]
    for j, t, how in closing_rows(given, reader):
        if how != "run_down":
            add_school(j, t, autumns[t], "phase out" if how == "phase_out" else "close")
    bought = plan.purchased_december > DUST
    begun = bought & ~np.hstack([np.zeros((len(bought), 1), bool), bought[:, :-1]])
    for j, t in np.argwhere(begun).tolist():
        add_school(j, t, autumns[t], "buy")
    return found


def closing_rows(given: CertificateData, reader: Reader) -> list[tuple[int, int, str]]:
    """List provider, planned year and how of the rows of `closures` that can be read."""
    frame = reader.tables["closures"]
    at = provider_axis(given).positions(frame)
    when = pd.Index(given.years).get_indexer(pd.Index(frame["from_year"]))
    rows = zip(at.tolist(), when.tolist(), frame["how"].astype(str), strict=True)
    return [(j, t, how) for j, t, how in rows if j >= 0 and t >= 0]


def summed(frame: pd.DataFrame, column: str, axes: Sequence[Axis]) -> Floats:
    """Sum a column over the rows of each county and school year."""
    out = np.zeros(tuple(len(a.names) for a in axes))
    county, year = (a.positions(frame) for a in axes)
    known = (county >= 0) & (year >= 0)
    amounts = pd.to_numeric(frame[column], errors="coerce").fillna(0.0).to_numpy(np.float64)
    np.add.at(out, (county[known], year[known]), amounts[known])
    return out
