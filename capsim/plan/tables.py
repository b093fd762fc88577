"""Tables of what is decided: projects, openings, conversions, closures, purchases.

Tables of who sits where: enrolment, schools, flows, shortfall, staff, balance.

Tables a mayor asks for: costs, private shares, the reduction and its parts.

A solution as the tables of ``docs/results.md``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag, Index, Text
from capsim.model.costs import COST_KINDS, base_pool, taken_over
from capsim.model.links import with_the_rest
from capsim.model.model import Model
from capsim.plan.limits import limits_table
from capsim.plan.solution import Solution
from capsim.plan.targets import targets_table

CLEAR = 1e-6
"""Persons below which a solved number is nobody."""


def projects_table(solved: Solution) -> pd.DataFrame:
    """One row per project: when it opens and what it brings."""
    given = solved.parts.given
    projects, dates = given.projects, given.dates
    table = given.scenario.table("projects")
    table = table[table["stage"].isin([s.name for s in given.space.stages])]
    head = table.drop_duplicates("project").reset_index(drop=True)
    copies = solved.open[:, -1] if dates.count else np.zeros(len(head))
    opened = (solved.open > 0).any(axis=1)
    first = np.argmax(solved.open > 0, axis=1)
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
            "places": per_project(projects.row_places),
            "places_compulsory": per_project(projects.row_places * compulsory),
            "capital_cny": per_project(projects.row_capital) * copies,
            "land_mu": per_project(projects.row_land) * copies,
        }
    )


def openings_table(solved: Solution) -> pd.DataFrame:
    """List copies of a project by the check date on which they open."""
    given = solved.parts.given
    new = np.diff(solved.open, axis=1, prepend=0.0)
    i, k = np.nonzero(new > 0)
    return pd.DataFrame(
        {
            "project": given.projects.project[i],
            "opens": given.dates.date[k],
            "copies": new[i, k].astype(np.int64),
        }
    )


def _who(solved: Solution, j: Index) -> dict[str, Text]:
    given = solved.parts.given
    providers, space = given.providers, given.space
    return {
        "school": providers.school[j],
        "stage": solved.parts.stage_names[providers.stage[j]],
        "area": space.areas[providers.area[j]],
        "county": space.counties[providers.county[j]],
    }


def catchments_table(solved: Solution) -> pd.DataFrame:
    """One row per area, stage and year of drawing: the public school that it goes to."""
    given, v = solved.parts.given, solved.parts.columns
    c, space, providers = v.catchments, given.space, given.providers
    links = solved.parts.links
    pair, epoch = np.nonzero(
        with_the_rest(
            c,
            np.round(solved.value(v.assigned)) > 0,
            links.stage[c.link],
            links.cost_cny[c.link],
            providers.places[c.provider] > 0,
        )
    )
    area, j = c.area[pair], c.provider[pair]
    return pd.DataFrame(
        {
            "area": space.areas[area],
            "county": space.counties[space.county[area]],
            "stage": solved.parts.stage_names[providers.stage[j]],
            "from_year": c.drawn[epoch],
            "school": providers.school[j],
        }
    )


def conversions_table(solved: Solution) -> pd.DataFrame:
    """Private schools that become public."""
    given = solved.parts.given
    providers = given.providers
    j = np.flatnonzero((solved.converted > 0).any(axis=1))
    first = np.argmax(solved.converted[j] > 0, axis=1)
    return pd.DataFrame(
        {
            **_who(solved, j),
            "conversion": providers.conversion[j],
            "converts": given.dates.date[first],
            "pupils_base": providers.pupils[j],
            "places": providers.places[j],
            "staff_taken_over": taken_over(given)[j],
            "cost_cny": providers.conversion_cost[j],
        }
    )


def closures_table(solved: Solution) -> pd.DataFrame:
    """Private schools that admit no more: closed by decision, or run down."""
    given, v = solved.parts.given, solved.parts.columns
    out = np.round(solved.value(v.phase_out)) > 0
    shut = np.round(solved.value(v.closed)) > 0
    frames = []
    years = given.space.years
    for flag, how in ((shut, "closed"), (out, "phase_out")):
        j = np.flatnonzero(flag.any(axis=1))
        year = years[np.argmax(flag[j], axis=1)]
        frames.append(pd.DataFrame({**_who(solved, j), "how": how, "from_year": year}))
    closed, phased = frames
    merged = phased.merge(closed, on=["school", "stage"], how="left", suffixes=("", "_shut"))
    phased = phased[(merged["from_year"] != merged["from_year_shut"]).to_numpy(bool)]
    seats = v.seats
    first = seats.before < 0
    intake = np.zeros((len(given.providers.school), len(years)))
    intake[seats.provider[first]] = solved.pupils[first]
    none = np.flip(np.cumprod(np.flip(intake <= CLEAR, axis=1), axis=1), axis=1) > 0
    never = (solved.converted == 0).all(axis=1) & ~out.any(axis=1)
    j = (
        np.flatnonzero(given.providers.levered & never & none[:, -1])
        if len(years)
        else np.zeros(0, int)
    )
    down = pd.DataFrame(
        {**_who(solved, j), "how": "run_down", "from_year": years[np.argmax(none[j], axis=1)]}
    )
    return pd.concat([phased, closed, down], ignore_index=True)


def purchases_table(solved: Solution) -> pd.DataFrame:
    """Places bought, by school and school year."""
    given, v = solved.parts.given, solved.parts.columns
    contract = np.round(solved.value(v.contract))
    september, december = solved.purchased, solved.purchased_december
    j, t = np.nonzero((contract > 0) | (september > 0) | (december > 0))
    price = given.providers.price[j]
    paid = september[j, t] + 8 / 12 * (december[j, t] - september[j, t])
    return pd.DataFrame(
        {
            **_who(solved, j),
            "school_year": given.space.years[t],
            "contract": contract[j, t].astype(np.int64),
            "places_september": september[j, t],
            "places_december": december[j, t],
            "price_cny": price,
            "cost_cny": price * paid,
        }
    )


def enrolment_table(solved: Solution) -> pd.DataFrame:
    """Pupils and displaced children of every provider, grade and planned year."""
    parts = solved.parts
    given, seats = parts.given, parts.columns.seats
    providers, space = given.providers, given.space
    displaced = np.zeros((len(providers.school), len(space.bands.name), parts.years))
    displaced[seats.provider, seats.band] = solved.displaced
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
            "pupils": solved.by_grade[provider, grade].ravel(),
            "displaced": displaced[:, space.bands.of_grade][provider, grade].ravel(),
        }
    )


def schools_table(solved: Solution) -> pd.DataFrame:
    """Pupils by payer, seats and classes of every provider and planned year."""
    parts = solved.parts
    providers, space = parts.given.providers, parts.given.space
    j = np.repeat(np.arange(len(providers.school)), parts.years)
    december_fee, december_bought = solved.fee_december, solved.purchased_december
    arrays = {
        "pupils": solved.enrolled,
        "fee_paying": solved.fee,
        "purchased": solved.purchased,
        "public": solved.public,
        "fee_paying_december": december_fee,
        "purchased_december": december_bought,
        "public_december": solved.enrolled - december_fee - december_bought,
        "seats_existing": solved.seats_existing,
        "seats_new": solved.seats_new,
        "seats_converted": solved.seats_converted,
        "overfilled": solved.overfill,
        "large_classes": solved.large_classes,
        "classes": solved.classes,
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


def flows_table(solved: Solution) -> pd.DataFrame:
    """Children by link, grade and year, where there are any."""
    parts = solved.parts
    given, links, space = parts.given, parts.links, parts.given.space
    link, grade, t = np.nonzero(solved.flow > 0)
    pupils = solved.flow[link, grade, t]
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


def shortfall_table(solved: Solution) -> pd.DataFrame:
    """Children, and those without a place, of every area, grade and planned year."""
    parts = solved.parts
    space = parts.given.space
    short = solved.shortfall
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


def staff_table(solved: Solution) -> pd.DataFrame:
    """Teachers by county and school year."""
    parts = solved.parts
    given, v = parts.given, parts.columns
    space, providers, settings = given.space, given.providers, given.scenario.settings
    counties, years = len(space.counties), parts.years
    staffed = np.array([s.name in settings.staff.stages for s in space.stages])[providers.stage]
    per_post = space.by_stage("pupils_per_post")[providers.stage]
    need, over = np.zeros((counties, years)), np.zeros((counties, years))
    np.add.at(need, providers.county[staffed], (solved.public / per_post[:, None])[staffed])
    autumn = solved.converted[:, given.dates.autumn]
    new = np.diff(autumn, axis=1, prepend=0.0)
    np.add.at(over, providers.county, taken_over(given)[:, None] * new)
    hired = solved.value(v.hired)
    gained = hired + over if settings.switches.staff else np.zeros_like(hired)
    return pd.DataFrame(
        {
            "county": np.repeat(space.counties, years),
            "school_year": np.tile(space.years, counties),
            "need": need.ravel(),
            "pool": _pool(settings.staff.attrition, base_pool(parts.given), gained).ravel(),
            "hired": hired.ravel(),
            "taken_over": over.ravel(),
            "contract": solved.value(v.contract_teachers).ravel(),
        }
    )


def _pool(attrition: float, start: Array, gained: Array) -> Array:
    """Stock of teachers year by year from those gained, ``[county, year]``."""
    out = np.zeros_like(gained)
    stock = start
    for t in range(gained.shape[1]):
        stock = (1.0 - attrition) * stock + gained[:, t]
        out[:, t] = stock
    return out


def balance_table(solved: Solution) -> pd.DataFrame:
    """Children, seats and their use by area, stage and planned year."""
    parts = solved.parts
    given, space, providers = parts.given, parts.given.space, parts.given.providers
    shape = (len(space.areas), len(space.stages), parts.years)

    def total(array: Array) -> Array:
        out = np.zeros(shape)
        np.add.at(out, (providers.area, providers.stage), array)
        return out

    public = providers.public[:, None]
    own = np.where(public, solved.enrolled, 0.0)
    existing = np.minimum(own, solved.seats_existing)
    new = np.minimum(own - existing, solved.seats_new)
    seats, overfilled, used = total(solved.seats), total(solved.overfill), total(solved.public)
    short = np.zeros(shape)
    for s in range(len(space.stages)):
        short[:, s] = solved.shortfall[:, space.grade_stage == s].sum(axis=1)
    children = total(solved.enrolled)
    arrays = {
        "children": children,
        "seats": seats,
        "used": used,
        "existing_used": total(existing),
        "new_used": total(new),
        "overfilled": overfilled,
        "surplus": seats - (used - overfilled),
        "private": total(solved.enrolled - solved.public),
        "converted": total(np.where(public, 0.0, solved.public)),
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


def costs_table(model: Model, solved: Solution) -> pd.DataFrame:
    """Cost by kind, county and year, as paid, discounted, and the committed part."""
    ledger, space = model.parts.ledger, model.given.space
    shape = model.committed.shape
    amount = np.zeros(shape)
    np.add.at(
        amount,
        (ledger.kind, ledger.county, ledger.year),
        ledger.amount * solved.exact[ledger.column],
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


def shares_table(solved: Solution) -> pd.DataFrame:
    """Private share on 31 December, both ways of counting, whole and by county."""
    given = solved.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    counties, years = len(space.counties), solved.parts.years
    fee, bought = solved.fee_december, solved.purchased_december
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
        enrolment = by_county(solved.enrolled, space.compulsory[providers.stage], base)
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


def reduction_table(solved: Solution) -> pd.DataFrame:
    """Take the fall in counted private pupils since the base year apart, part by part."""
    given = solved.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    public = providers.public & space.compulsory[providers.stage]
    levered = providers.levered
    start = providers.rolls.sum(axis=1)
    pupils = solved.enrolled[public]
    places, new = providers.places[public][:, None], solved.seats_new[public]
    existing = np.minimum(pupils, places)
    existing_start = np.minimum(start[public], providers.places[public]).sum()
    seats_family = given.scenario.settings.switches.seats
    over_start = (
        np.maximum(start[public] - providers.places[public], 0.0).sum() if seats_family else 0.0
    )
    bought = solved.purchased[levered].sum(axis=0)
    counted = solved.fee[levered].sum(axis=0)
    if policy.purchased_counts_as_private:
        counted, bought = counted + bought, np.zeros_like(bought)
    everyone = start[space.compulsory[providers.stage]].sum()
    now = solved.enrolled[space.compulsory[providers.stage]].sum(axis=0)
    years = space.years
    return pd.DataFrame(
        {
            "school_year": years,
            "ordered": np.where(years == policy.reduction_year, float(policy.reduction), 0.0),
            "new_seats": np.minimum(pupils - existing, new).sum(axis=0),
            "converted": solved.public[levered].sum(axis=0),
            "purchased": bought,
            "overfilled": solved.overfill[public].sum(axis=0) - over_start,
            "existing_seats": existing.sum(axis=0) - existing_start,
            "fewer_pupils": everyone - now,
            "total": start[levered].sum() - counted,
        }
    )


def plan_tables(model: Model, x: Array) -> dict[str, pd.DataFrame]:
    """Make every table of a plan from a solution of the model's columns."""
    solved = Solution(model.parts, x)
    shares, reduction = shares_table(solved), reduction_table(solved)
    return {
        "projects": projects_table(solved),
        "openings": openings_table(solved),
        "conversions": conversions_table(solved),
        "closures": closures_table(solved),
        "purchases": purchases_table(solved),
        "catchments": catchments_table(solved),
        "enrolment": enrolment_table(solved),
        "schools": schools_table(solved),
        "flows": flows_table(solved),
        "shortfall": shortfall_table(solved),
        "staff": staff_table(solved),
        "costs": costs_table(model, solved),
        "balance": balance_table(solved),
        "shares": shares,
        "reduction": reduction,
        "targets": targets_table(solved, shares, reduction),
        "limits_used": limits_table(model, solved),
    }
