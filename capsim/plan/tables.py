"""The tables of a plan, made of its solution; ``docs/results.md`` has every column.

First what is decided (projects, openings, conversions, closures, purchases, payers, catchments),
then who sits where (enrolment, schools, flows, shortfall, staff, balance), then what is reported
(costs, private shares, the reduction and its parts), last what schools and counties are asked to
do.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.model.costs import COST_KINDS, base_pool, taken_over
from capsim.model.data import staffed_stages
from capsim.model.links import complete_catchments
from capsim.model.model import Model
from capsim.plan.commitments import admissions_table, commitments_table
from capsim.plan.solution_arrays import Solution
from capsim.plan.targets import limits_table, targets_table

CLEAR = 1e-6
"""Persons below which a number of the solver is nobody."""


def projects_table(solution: Solution) -> pd.DataFrame:
    """List projects: when each opens and what it brings."""
    given = solution.parts.given
    projects, dates = given.projects, given.dates
    table = given.scenario.table("projects")
    table = table[table["stage"].isin([s.name for s in given.space.stages])]
    head = table.drop_duplicates("project").reset_index(drop=True)
    copies = solution.open[:, -1] if dates.count else np.zeros(len(head))
    opened = (solution.open > 0).any(axis=1)
    first = np.argmax(solution.open > 0, axis=1)
    compulsory = given.space.compulsory[projects.row_stage]
    count = len(head)

    def per_project(amount: Array) -> Array:
        total = np.bincount(projects.row_project, weights=amount, minlength=count)
        return np.asarray(total, np.float64)

    return pd.DataFrame(
        {
            "project": head["project"],
            "area": head["area"],
            "county": given.space.counties[projects.county],
            "kind": head["kind"],
            "stages": table.groupby("project", sort=False)["stage"].agg(";".join).to_numpy(object),
            "programme": head["programme"],
            "status": head["status"],
            "copies": copies.astype(np.int64),
            "opens": np.where(opened, dates.date[first], ""),
            "due": head["due"],
            "options": head["options"],
            "places": per_project(projects.row_new_places),
            "places_compulsory": per_project(projects.row_new_places * compulsory),
            "places_given_up": per_project(projects.row_given_up),
            "capital_cny": per_project(projects.row_capital) * copies,
            "land_mu": per_project(projects.row_land) * copies,
        }
    )


def openings_table(solution: Solution) -> pd.DataFrame:
    """List copies of a project by the check date on which they open."""
    given = solution.parts.given
    new = np.diff(solution.open, axis=1, prepend=0.0)
    i, k = np.nonzero(new > 0)
    return pd.DataFrame(
        {
            "project": given.projects.project[i],
            "opens": given.dates.date[k],
            "copies": new[i, k].astype(np.int64),
        }
    )


def campuses_table(solution: Solution) -> pd.DataFrame:
    """Count the places of nine-year campuses that each stage uses, by planned year."""
    given, parts = solution.parts.given, solution.parts
    row = np.flatnonzero(given.projects.row_campus)
    used = solution.value(parts.columns.shared)
    r, t = np.nonzero(used > 0)
    who = _who(solution, given.projects.row_provider[row[r]])
    return pd.DataFrame(
        {
            "project": given.projects.project[given.projects.row_project[row[r]]],
            **who,
            "school_year": given.space.years[t],
            "places": used[r, t],
        }
    )


def _who(solution: Solution, j: Index) -> dict[str, Text]:
    given = solution.parts.given
    providers, space = given.providers, given.space
    return {
        "school": providers.school[j],
        "stage": solution.parts.stage_names[providers.stage[j]],
        "area": space.areas[providers.area[j]],
        "county": space.counties[providers.county[j]],
    }


def catchments_table(solution: Solution) -> pd.DataFrame:
    """List the public school of each area, stage and year in which catchments are drawn."""
    given, v = solution.parts.given, solution.parts.columns
    c, space, providers = v.catchments, given.space, given.providers
    links = solution.parts.links
    pair, epoch = np.nonzero(
        complete_catchments(
            c,
            np.round(solution.value(v.assigned)) > 0,
            links.stage[c.link],
            links.cost_cny[c.link],
            solution.seats_existing[c.provider][:, c.drawn - space.years[0]] > 0,
        )
    )
    area, j = c.area[pair], c.provider[pair]
    return pd.DataFrame(
        {
            "area": space.areas[area],
            "county": space.counties[space.county[area]],
            "stage": solution.parts.stage_names[providers.stage[j]],
            "from_year": c.drawn[epoch],
            "school": providers.school[j],
        }
    )


def conversions_table(solution: Solution) -> pd.DataFrame:
    """List private schools that become public."""
    given = solution.parts.given
    providers = given.providers
    j = np.flatnonzero((solution.converted > 0).any(axis=1))
    first = np.argmax(solution.converted[j] > 0, axis=1)
    t = given.dates.year[first]
    there = np.column_stack([providers.rolls.sum(axis=1), solution.enrolled])
    before = there[j, t + (first != given.dates.autumn[t])]
    share = np.ones(len(j))
    if given.scenario.settings.counts_brought:
        pupils = providers.pupils[j]
        share = np.divide(before, pupils, out=np.zeros(len(j)), where=pupils > 0)
    ends = solution.given_up[j]
    year = given.space.years[np.argmax(ends, axis=1)] if len(j) else t
    ever: Flag = np.any(ends > 0, axis=1)
    given_up = [f"{y}-09-01" if one else "" for y, one in zip(year, ever, strict=True)]
    return pd.DataFrame(
        {
            **_who(solution, j),
            "conversion": providers.conversion[j],
            "converts": given.dates.date[first],
            "pupils_base": providers.pupils[j],
            "pupils_before": before,
            "places": providers.places[j],
            "staff_taken_over": taken_over(given)[j] * share,
            "cost_cny": providers.conversion_cost[j],
            "given_up": np.array(given_up, object),
        }
    )


def closures_table(solution: Solution) -> pd.DataFrame:
    """List schools founded as private that admit no more: by decision, or run down."""
    given, v = solution.parts.given, solution.parts.columns
    out = np.round(solution.value(v.phase_out)) > 0
    shut = np.round(solution.value(v.closed)) > 0
    frames = []
    years = given.space.years
    left = solution.given_up > 0
    for flag, how in ((shut, "closed"), (out, "phase_out"), (left, "given_up")):
        j = np.flatnonzero(flag.any(axis=1))
        year = years[np.argmax(flag[j], axis=1)]
        frames.append(pd.DataFrame({**_who(solution, j), "how": how, "from_year": year}))
    closed, phased, given_up = frames
    merged = phased.merge(closed, on=["school", "stage"], how="left", suffixes=("", "_shut"))
    phased = phased[(merged["from_year"] != merged["from_year_shut"]).to_numpy(bool)]
    seats = v.seats
    first = seats.before < 0
    intake = np.zeros((len(given.providers.school), len(years)))
    intake[seats.provider[first]] = solution.pupils[first]
    none = np.flip(np.cumprod(np.flip(intake <= CLEAR, axis=1), axis=1), axis=1) > 0
    never = (solution.converted == 0).all(axis=1) & ~out.any(axis=1)
    j = (
        np.flatnonzero(given.providers.levered & never & none[:, -1])
        if len(years)
        else np.zeros(0, int)
    )
    down = pd.DataFrame(
        {**_who(solution, j), "how": "run_down", "from_year": years[np.argmax(none[j], axis=1)]}
    )
    return pd.concat([phased, closed, given_up, down], ignore_index=True)


def purchases_table(solution: Solution) -> pd.DataFrame:
    """List places bought, by school and school year."""
    given, v = solution.parts.given, solution.parts.columns
    contract = np.round(solution.value(v.contract))
    september, december = solution.purchased, solution.purchased_december
    j, t = np.nonzero((contract > 0) | (september > 0) | (december > 0))
    price = given.providers.price[j]
    paid = september[j, t] + 8 / 12 * (december[j, t] - september[j, t])
    return pd.DataFrame(
        {
            **_who(solution, j),
            "school_year": given.space.years[t],
            "contract": contract[j, t].astype(np.int64),
            "places_september": september[j, t],
            "places_december": december[j, t],
            "price_cny": price,
            "cost_cny": price * paid,
        }
    )


def payers_table(solution: Solution) -> pd.DataFrame:
    """Count who pays and who is bought by grade, where bought places follow the child."""
    parts = solution.parts
    given, v, seats = parts.given, parts.columns, parts.columns.seats
    seat = np.flatnonzero((v.fee_by_grade >= 0).any(axis=1))
    j, grade = seats.provider[seat], given.space.bands.grade[seats.band[seat]]
    autumn, december = (
        solution.converted[j][:, k] for k in (given.dates.autumn, given.dates.december)
    )
    fee, left = solution.value(v.fee_by_grade[seat]), solution.value(v.fee_by_grade_december[seat])
    pupils = solution.pupils[seat]
    bought = np.where(autumn > 0, 0.0, np.maximum(pupils - fee, 0.0))
    member = np.repeat(np.arange(len(seat)), parts.years)
    return pd.DataFrame(
        {
            **_who(solution, j[member]),
            "grade": given.space.grades[grade[member]],
            "school_year": np.tile(given.space.years, len(seat)),
            "pupils": pupils.ravel(),
            "fee_paying": fee.ravel(),
            "purchased": bought.ravel(),
            "fee_paying_december": np.where(december > autumn, 0.0, left).ravel(),
            "purchased_december": (bought + fee - left).ravel(),
        }
    )


def enrolment_table(solution: Solution) -> pd.DataFrame:
    """Count pupils and displaced children of every provider, grade and planned year."""
    parts = solution.parts
    given, seats = parts.given, parts.columns.seats
    providers, space = given.providers, given.space
    displaced = np.zeros((len(providers.school), len(space.bands.name), parts.years))
    displaced[seats.provider, seats.band] = solution.displaced
    provider, grade = np.nonzero(providers.stage[:, None] == space.grade_stage)
    j = np.repeat(provider, parts.years)
    return pd.DataFrame(
        {
            "school": providers.school[j],
            "stage": parts.stage_names[providers.stage[j]],
            "area": space.areas[providers.area[j]],
            "county": space.counties[providers.county[j]],
            "sector": np.where(providers.public[j], "public", "private"),
            "grade": np.repeat(space.grades[grade], parts.years),
            "school_year": np.tile(space.years, len(grade)),
            "pupils": solution.by_grade[provider, grade].ravel(),
            "displaced": displaced[:, space.bands.of_grade][provider, grade].ravel(),
        }
    )


def schools_table(solution: Solution) -> pd.DataFrame:
    """Count pupils by payer, seats and classes of every provider and planned year."""
    parts = solution.parts
    providers, space = parts.given.providers, parts.given.space
    j = np.repeat(np.arange(len(providers.school)), parts.years)
    december_fee, december_bought = solution.fee_december, solution.purchased_december
    arrays = {
        "pupils": solution.enrolled,
        "fee_paying": solution.fee,
        "purchased": solution.purchased,
        "public": solution.public,
        "fee_paying_december": december_fee,
        "purchased_december": december_bought,
        "public_december": solution.enrolled - december_fee - december_bought,
        "seats_existing": solution.seats_existing,
        "seats_new": solution.seats_new,
        "seats_converted": solution.seats_converted,
        "overfilled": solution.overfill,
        "large_classes": solution.large_classes,
        "classes": solution.classes,
    }
    return pd.DataFrame(
        {
            "school": providers.school[j],
            "stage": parts.stage_names[providers.stage[j]],
            "area": space.areas[providers.area[j]],
            "county": space.counties[providers.county[j]],
            "sector": np.where(providers.public[j], "public", "private"),
            "school_year": np.tile(space.years, len(providers.school)),
            **{name: array.ravel() for name, array in arrays.items()},
        }
    )


def flows_table(solution: Solution) -> pd.DataFrame:
    """Count children by link, grade and year, where there are any."""
    parts = solution.parts
    given, links, space = parts.given, parts.links, parts.given.space
    link, grade, t = np.nonzero(solution.flow > 0)
    pupils = solution.flow[link, grade, t]
    return pd.DataFrame(
        {
            "area": space.areas[links.area[link]],
            "to_area": np.append(space.areas, "")[links.to_area[link]],
            "to_school": np.append(given.providers.school, "")[links.to_provider[link]],
            "stage": parts.stage_names[links.stage[link]],
            "grade": space.grades[grade],
            "school_year": space.years[t],
            "pupils": pupils,
            "boarders": np.where(links.far[link], pupils, 0.0),
            "cost_cny": pupils * links.cost_cny[link],
        }
    )


def shortfall_table(solution: Solution) -> pd.DataFrame:
    """Count children, and those without a place, of every area, grade and planned year."""
    parts = solution.parts
    space = parts.given.space
    short = solution.shortfall
    a, g, t = (index.ravel() for index in np.indices(short.shape))
    return pd.DataFrame(
        {
            "area": space.areas[a],
            "county": space.counties[space.county[a]],
            "stage": parts.stage_names[space.grade_stage[g]],
            "grade": space.grades[g],
            "school_year": space.years[t],
            "children": space.children.ravel(),
            "placed": (space.children - short).ravel(),
            "shortfall": short.ravel(),
        }
    )


def staff_table(solution: Solution) -> pd.DataFrame:
    """Count teachers by county, stage and school year: needed, on post, come and gone."""
    parts = solution.parts
    given, v = parts.given, parts.columns
    space, providers, settings = given.space, given.providers, given.scenario.settings
    stages = np.flatnonzero(staffed_stages(given))
    here = (providers.county, providers.stage)
    per_post = space.by_stage("pupils_per_post")[providers.stage]
    need, over = np.zeros((2, len(space.counties), len(space.stages), parts.years))
    np.add.at(need, here, solution.public / per_post[:, None])
    np.add.at(over, here, taken_over(given)[:, None] * solution.handed_over)
    hired, contract = solution.value(v.hired), solution.value(v.contract_teachers)
    to_stage, from_stage, to_county, from_county = solution.moves
    gained = hired + over + to_stage - from_stage + to_county - from_county
    gained = gained if settings.switches.staff else np.zeros_like(gained)
    before, pool = _pools(base_pool(given), settings.staff.stay, gained)
    c, s, t = (index.ravel() for index in np.indices(need[:, stages].shape))
    arrays = {
        "need": need,
        "pool": pool,
        "hired": hired,
        "taken_over": over,
        "from_other_stages": to_stage,
        "to_other_stages": from_stage,
        "from_other_counties": to_county,
        "to_other_counties": from_county,
        "left": settings.staff.attrition * before,
        "retired": settings.staff.retirement * before,
        "contract": contract,
        "surplus": pool + contract - need,
    }
    return pd.DataFrame(
        {
            "county": space.counties[c],
            "stage": parts.stage_names[stages[s]],
            "school_year": space.years[t],
            **{name: array[:, stages].ravel() for name, array in arrays.items()},
        }
    )


def _pools(start: Array, kept: float, gained: Array) -> tuple[Array, Array]:
    """Compute the teachers on post of the year before and of every year, ``[…, year]``."""
    stock = [start]
    for t in range(gained.shape[-1]):
        stock.append(kept * stock[-1] + gained[..., t])
    pools = np.stack(stock, axis=-1)
    return pools[..., :-1], pools[..., 1:]


def balance_table(solution: Solution) -> pd.DataFrame:
    """Count children, seats and their use by area, stage and planned year."""
    parts = solution.parts
    given, space, providers = parts.given, parts.given.space, parts.given.providers
    shape = (len(space.areas), len(space.stages), parts.years)

    def total(array: Array) -> Array:
        out = np.zeros(shape)
        np.add.at(out, (providers.area, providers.stage), array)
        return out

    public = providers.public[:, None]
    own = np.where(public, solution.enrolled, 0.0)
    existing = np.minimum(own, solution.seats_existing)
    new = np.minimum(own - existing, solution.seats_new)
    seats, overfilled, used = (
        total(solution.seats),
        total(solution.overfill),
        total(solution.public),
    )
    short = np.zeros(shape)
    for s in range(len(space.stages)):
        short[:, s] = solution.shortfall[:, space.grade_stage == s].sum(axis=1)
    children = total(solution.enrolled)
    arrays = {
        "children": children,
        "seats": seats,
        "used": used,
        "existing_used": total(existing),
        "new_used": total(new),
        "overfilled": overfilled,
        "surplus": seats - (used - overfilled),
        "private": total(solution.enrolled - solution.public),
        "converted": total(np.where(public, 0.0, solution.public)),
        "shortfall": short,
    }
    a, s, t = (index.ravel() for index in np.indices(shape))
    return pd.DataFrame(
        {
            "area": space.areas[a],
            "county": space.counties[space.county[a]],
            "stage": parts.stage_names[s],
            "school_year": given.space.years[t],
            **{name: array.ravel() for name, array in arrays.items()},
        }
    )


def costs_table(model: Model, solution: Solution) -> pd.DataFrame:
    """Sum cost by kind, county and year: as paid, discounted, and the committed part."""
    ledger, space = model.parts.ledger, model.given.space
    amount = ledger.fixed.copy()
    np.add.at(
        amount,
        (ledger.kind, ledger.county, ledger.year),
        ledger.amount * solution.exact[ledger.column],
    )
    terms = model.given.scenario.settings.cost_terms
    used = np.array([bool(getattr(terms, kind)) for kind in COST_KINDS])
    amount[~used] = 0.0
    kind, county, year = np.nonzero((amount != 0) | (model.committed != 0))
    factor = ledger.factor[year] * 1e6
    return pd.DataFrame(
        {
            "kind": np.array(COST_KINDS, object)[kind],
            "county": space.counties[county],
            "school_year": int(space.years[0]) + year,
            "cost_cny": amount[kind, county, year] * 1e6,
            "discounted_cny": amount[kind, county, year] * factor,
            "committed_cny": model.committed[kind, county, year] * factor,
        }
    )


def shares_table(solution: Solution) -> pd.DataFrame:
    """Compute private shares on 31 December, both ways of counting, whole and by county."""
    given = solution.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    counties, years = len(space.counties), solution.parts.years
    fee, bought = solution.fee_december, solution.purchased_december
    base = providers.rolls.sum(axis=1)
    who = providers.levered

    def by_county(array: Array, keep: Flag, start: Array) -> Array:
        out = np.zeros((counties, years + 1))
        np.add.at(out[:, 1:], providers.county[keep], array[keep])
        np.add.at(out[:, 0], providers.county[keep], start[keep])
        return np.concatenate([out.sum(axis=0, keepdims=True), out])

    excluding = by_county(fee, who, base)
    including = excluding + by_county(bought, who, np.zeros_like(base))
    if policy.share_denominator == "school":
        enrolment = by_county(solution.enrolled, space.compulsory[providers.stage], base)
    else:
        children = np.concatenate([space.base_children[..., None], space.children], axis=2)
        area = children[:, space.grade_compulsory].sum(axis=1)
        enrolment = np.zeros((counties, years + 1))
        np.add.at(enrolment, space.county, area)
        enrolment = np.concatenate([enrolment.sum(axis=0, keepdims=True), enrolment])
    some = enrolment > 0
    share = [
        np.divide(x, enrolment, out=np.zeros_like(x), where=some) for x in (excluding, including)
    ]
    all_years = np.concatenate([[given.scenario.base_year], space.years])
    return pd.DataFrame(
        {
            "county": np.repeat(np.concatenate([["*"], space.counties]).astype(object), years + 1),
            "school_year": np.tile(all_years, counties + 1),
            "enrolment": enrolment.ravel(),
            "private_excluding_purchased": excluding.ravel(),
            "private_including_purchased": including.ravel(),
            "share_excluding_purchased": share[0].ravel(),
            "share_including_purchased": share[1].ravel(),
        }
    )


def large_classes_table(solution: Solution) -> pd.DataFrame:
    """Count classes and large ones by county and compulsory stage, the base year first.

    County ``*`` is the whole, stage ``*`` all compulsory stages; both stand first.
    """
    space, providers = solution.parts.given.space, solution.parts.given.providers
    compulsory = np.flatnonzero(space.compulsory)
    counties, years = len(space.counties), 1 + solution.parts.years
    sums = []
    for figure in solution.classes_from_base:
        cells = np.zeros((counties, len(space.stages), years))
        np.add.at(cells, (providers.county, providers.stage), figure)
        cells = cells[:, compulsory]
        cells = np.concatenate([cells.sum(axis=0, keepdims=True), cells])
        sums.append(np.concatenate([cells.sum(axis=1, keepdims=True), cells], axis=1))
    classes, large = sums
    share = np.divide(large, classes, out=np.zeros_like(large), where=classes > 0)
    county, stage, year = (index.ravel() for index in np.indices(classes.shape))
    base = solution.parts.given.scenario.base_year
    return pd.DataFrame(
        {
            "county": np.append(["*"], space.counties).astype(object)[county],
            "stage": np.append(["*"], space.stage_names[compulsory]).astype(object)[stage],
            "school_year": np.append(base, space.years)[year],
            "classes": classes.ravel(),
            "large_classes": large.ravel(),
            "share": share.ravel(),
        }
    )


def reduction_table(solution: Solution) -> pd.DataFrame:
    """Split the fall in counted private pupils since the base year into its parts."""
    given = solution.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    public = providers.public & space.compulsory[providers.stage]
    levered = providers.levered
    start = providers.rolls.sum(axis=1)
    pupils = solution.enrolled[public]
    new = solution.seats_new[public]
    existing = np.minimum(pupils, solution.seats_existing[public])
    existing_start = np.minimum(start[public], providers.places[public]).sum()
    seats_family = given.scenario.settings.switches.seats
    over_start = (
        np.maximum(start[public] - providers.places[public], 0.0).sum() if seats_family else 0.0
    )
    bought = solution.purchased[levered].sum(axis=0)
    counted = solution.fee[levered].sum(axis=0)
    if policy.purchased_counts_as_private:
        counted, bought = counted + bought, np.zeros_like(bought)
    everyone = start[space.compulsory[providers.stage]].sum()
    now = solution.enrolled[space.compulsory[providers.stage]].sum(axis=0)
    years = space.years
    return pd.DataFrame(
        {
            "school_year": years,
            "ordered": np.where(years == policy.reduction_year, float(policy.reduction), 0.0),
            "new_seats": np.minimum(pupils - existing, new).sum(axis=0),
            "converted": solution.public[levered].sum(axis=0),
            "purchased": bought,
            "overfilled": solution.overfill[public].sum(axis=0) - over_start,
            "existing_seats": existing.sum(axis=0) - existing_start,
            "fewer_pupils": everyone - now,
            "total": start[levered].sum() - counted,
        }
    )


def plan_tables(model: Model, x: Array) -> dict[str, pd.DataFrame]:
    """Make every table of a plan from a solution of the model's columns."""
    solution = Solution(model.parts, x)
    shares, reduction = shares_table(solution), reduction_table(solution)
    large = large_classes_table(solution)
    tables = {
        "projects": projects_table(solution),
        "openings": openings_table(solution),
        "campuses": campuses_table(solution),
        "conversions": conversions_table(solution),
        "closures": closures_table(solution),
        "purchases": purchases_table(solution),
        "payers": payers_table(solution),
        "catchments": catchments_table(solution),
        "enrolment": enrolment_table(solution),
        "schools": schools_table(solution),
        "flows": flows_table(solution),
        "shortfall": shortfall_table(solution),
        "staff": staff_table(solution),
        "costs": costs_table(model, solution),
        "balance": balance_table(solution),
        "shares": shares,
        "reduction": reduction,
        "large_classes": large,
        "targets": targets_table(solution, shares, reduction, large),
        "limits_used": limits_table(model, solution),
    }
    return {
        **tables,
        "admissions": admissions_table(solution),
        "commitments": commitments_table(tables, model.given.scenario),
    }
