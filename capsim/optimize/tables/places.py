"""Tables of who sits where: enrolment, schools, flows, shortfall, staff, balance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array
from capsim.optimize.families.staff import base_pool
from capsim.optimize.ledger import taken_over
from capsim.optimize.solved import Solved


def enrolment_table(solved: Solved) -> pd.DataFrame:
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


def schools_table(solved: Solved) -> pd.DataFrame:
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


def flows_table(solved: Solved) -> pd.DataFrame:
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


def shortfall_table(solved: Solved) -> pd.DataFrame:
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


def staff_table(solved: Solved) -> pd.DataFrame:
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
            "pool": _pool(settings.staff.attrition, base_pool(parts), gained).ravel(),
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


def balance_table(solved: Solved) -> pd.DataFrame:
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
