"""The ways of children: flows against links, who is placed, who boards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.certificate.decisions import Decisions, Reader, axis
from capsim.certificate.derived import Derived, new_seats
from capsim.certificate.given import Given
from capsim.certificate.ledger import Bools, Floats, Ledger
from capsim.certificate.links import Links, boards


@dataclass(frozen=True)
class Ways:
    """What the flows come to.

    ``travel_cny[a, t]`` by area of residence; boarders of providers with own links
    ``school_boarders[j, t]``, and of all others of an area ``area_boarders[stage, a, t]``;
    ``own[j]``.
    """

    travel_cny: Floats
    school_boarders: Floats
    area_boarders: Floats
    own: Bools


def check_flows(given: Given, links: Links, plan: Decisions, reader: Reader) -> Ways:
    """Check the flows against links, children, enrolment and the limits of day travel."""
    book, frame = reader.book, reader.tables["flows"]
    providers = given.providers
    areas, grades, years = given.areas, given.grades, given.years
    shape = (len(areas), len(grades), len(years))
    a = axis("area", areas).positions(frame)
    g = axis("grade", grades).positions(frame)
    t = axis("school_year", years).positions(frame)
    b = pd.Index(areas).get_indexer(pd.Index(frame["to_area"]))
    keys = pd.MultiIndex.from_frame(frame[["to_school", "stage"]])
    j = providers.index.get_indexer(keys)
    stage = pd.Index(given.stage_names).get_indexer(pd.Index(frame["stage"]))
    to_school = (frame["to_school"] != "").to_numpy(bool)
    one_end = to_school != (frame["to_area"] != "").to_numpy(bool)
    known = (a >= 0) & (g >= 0) & (t >= 0) & one_end & np.where(to_school, j >= 0, b >= 0)
    known &= given.grade_stage[g] == stage
    price = np.where(to_school, links.school_cost[a, j], links.area_cost[stage, a, b])
    good = known & np.isfinite(price)
    twice = frame.duplicated(["area", "to_area", "to_school", "grade", "school_year"]).to_numpy()
    key = ["area", "to_area", "to_school", "stage", "grade", "school_year"]
    for what, bad in {"no such link": ~good, "row twice": good & twice}.items():
        faults = [tuple(row) for row in frame.loc[bad, key].to_numpy()]
        book.none_of("tables", f"flows, {what}", faults, len(frame))
    pupils, cost = reader.numbers("flows", "pupils"), reader.numbers("flows", "cost_cny")
    far = good & np.where(to_school, links.school_far[a, j], links.area_far[stage, a, b])
    rows = [range(len(frame))]
    book.at_most("non-negative", "minus flows.pupils row", -pupils, 0.0, rows)
    owed = pupils * np.where(good, price, 0.0)
    book.equal("costs", "flows.cost_cny row", cost, owed, rows, money=True)
    boarders = np.where(far, pupils, 0.0)
    told = reader.numbers("flows", "boarders")
    book.equal("boarding", "flows.boarders row", told, boarders, rows)
    book.at_most("boarding", "boarders of day grades row", boarders * ~boards(given)[g], 0.0, rows)

    leaving, arriving = np.zeros(shape), np.zeros(shape)
    np.add.at(leaving, (a[good], g[good], t[good]), pupils[good])
    into = good & ~to_school
    np.add.at(arriving, (b[into], g[into], t[into]), pupils[into])
    seated = plan.pupils[:, :, 1:]
    reached = np.zeros_like(seated)
    into = good & to_school
    np.add.at(reached, (j[into], g[into], t[into]), pupils[into])
    expected = np.zeros(shape)
    np.add.at(expected, providers.area[~links.own], seated[~links.own])
    children = given.children[:, :, 1:]
    own = links.own[:, None, None]
    if given.on("placement"):
        family, axes = "placement", [areas, grades, years]
        book.equal(family, "children of", leaving + plan.shortfall, children, axes)
        book.equal(family, "children arriving in", arriving, expected, axes)
        at = [providers.names, grades, years]
        book.equal(family, "children arriving at", reached, seated, at, where=own)
    travel = np.zeros((len(areas), len(years)))
    np.add.at(travel, (a[good], t[good]), owed[good])
    school = np.zeros((len(links.own), len(years)))
    pool = np.zeros((len(given.stages), len(areas), len(years)))
    into = far & to_school
    np.add.at(school, (j[into], t[into]), pupils[into])
    into = far & ~to_school
    np.add.at(pool, (stage[into], b[into], t[into]), pupils[into])
    return Ways(travel, school, pool, links.own)


def boarding_cost(given: Given, ways: Ways) -> Floats:
    """RMB for boarders by area of the school and planned year."""
    price = float(given.settings.costs.boarder_cny) + given.per_stage("boarding_cny")
    out: Floats = (price[:, None, None] * ways.area_boarders).sum(axis=0)
    at = given.providers
    np.add.at(out, at.area, price[at.stage][:, None] * ways.school_boarders)
    return out


def check_boarding(given: Given, ways: Ways, state: Derived, book: Ledger) -> None:
    """Boarders against boarding places, by school and by what else an area has of a stage."""
    providers = given.providers
    stand = providers.schools["boarding_places"].fillna(0.0).to_numpy(np.float64)
    beds = stand[:, None] + new_seats(given, state.copies, "boarding_places")
    years = given.years
    own = ways.own[:, None]
    at = [providers.names, years]
    book.at_most("boarding", "boarders at", ways.school_boarders, beds, at, where=own)
    pool = np.zeros_like(ways.area_boarders)
    np.add.at(pool, (providers.stage, providers.area), np.where(own, 0.0, beds))
    axes = [given.stage_names, given.areas, years]
    book.at_most("boarding", "boarders in", ways.area_boarders, pool, axes)
