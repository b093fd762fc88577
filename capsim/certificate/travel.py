"""Checks of flows against links, of placement, boarding and travel costs, and of catchments.

A catchment is one school an area, and a way to it through its own areas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.certificate.data import CertificateData, Ints
from capsim.certificate.decision_reader import Decisions, Reader, axis, provider_axis
from capsim.certificate.ledger import Bools, Floats, Ledger
from capsim.certificate.places import Derived, new_seats


@dataclass(frozen=True)
class Links:
    """Links by stage.

    Attributes
    ----------
    area_cost : array [stage, area, to_area]
        RMB a pupil and school year; inf where there is no link.
    school_cost : array [area, provider]
        The same for links to a school; inf where there is none.
    own : array [provider]
        Providers that are reached by links of their own only.
    area_far, school_far : arrays of bool, as the costs
        Links too far for day pupils.
    area_km, school_km : arrays, as the costs
        NaN where there is no link.
    """

    area_cost: Floats
    school_cost: Floats
    own: Bools
    area_far: Bools
    school_far: Bools
    area_km: Floats
    school_km: Floats


def read_links(given: CertificateData) -> Links:
    """Read links of a scenario, listed or automatic."""
    scenario, travel = given.scenario, given.settings.travel
    price = float(given.settings.costs.travel_cny_per_km)
    frame = scenario.table("areas")
    xy = frame[["x_km", "y_km"]].to_numpy(np.float64)
    school_xy = given.providers.schools[["x_km", "y_km"]].to_numpy(np.float64)
    missing = np.isnan(school_xy).any(axis=1)
    school_xy = np.where(missing[:, None], xy[given.providers.area], school_xy)
    default = float(travel.default_km)
    rows = scenario.table("links")
    S, A, J = len(given.stages), len(given.areas), len(given.providers.names)
    area_km, area_minutes = np.full((S, A, A), np.nan), np.full((S, A, A), np.nan)
    school_km, school_minutes = np.full((A, J), np.nan), np.full((A, J), np.nan)
    area_cost, school_cost = np.full((S, A, A), np.nan), np.full((A, J), np.nan)
    own = np.zeros(J, bool)
    itself = np.eye(A, dtype=bool)
    between = distance(xy, xy, default)
    special = np.zeros((S, A), bool)
    if len(rows) == 0:
        if travel.within_county:
            near = given.area_county[:, None] == given.area_county[None, :]
            area_km[:, near] = between[near]
        area_km[:, itself] = 0.0
    else:
        at_area = pd.Index(given.areas).get_indexer(pd.Index(rows["area"]))
        to_area = pd.Index(given.areas).get_indexer(pd.Index(rows["to_area"]))
        between[itself] = 0.0
        to_schools = distance(xy, school_xy, default)
        numbers = [rows[c].to_numpy(np.float64) for c in ("km", "minutes", "cost_cny")]
        schools = given.providers.schools["school"].to_numpy()
        # Rows for every stage first, so that a row with a stage replaces them.
        stages, names = rows["stage"].tolist(), rows["to_school"].tolist()
        for i in sorted(range(len(rows)), key=lambda i: stages[i] != ""):
            stage, name, a = stages[i], names[i], at_area[i]
            km, minutes, cost = (column[i] for column in numbers)
            in_stages = np.array([stage in ("", s) for s in given.stage_names])
            if name == "":
                area_km[in_stages, a, to_area[i]] = between[a, to_area[i]] if np.isnan(km) else km
                area_minutes[in_stages, a, to_area[i]] = minutes
                area_cost[in_stages, a, to_area[i]] = cost
                continue
            targets = (schools == name) & in_stages[given.providers.stage]
            school_km[a, targets] = to_schools[a, targets] if np.isnan(km) else km
            school_minutes[a, targets] = minutes
            school_cost[a, targets] = cost
            own |= targets
            special[given.providers.stage[targets], a] = True
        automatic = itself[None, :, :] & ~special[:, :, None] & np.isnan(area_km)
        area_km[automatic] = 0.0

    def cost_of(km: Floats, listed: Floats, far: Bools) -> Floats:
        weekly = np.where(far, float(given.settings.costs.boarder_travel_share), 1.0)
        cost = np.where(np.isnan(listed), km * price * weekly, listed)
        return np.where(np.isnan(km), np.inf, cost)

    every = np.arange(S)
    kind = frame["kind"].to_numpy(object)
    area_far = beyond(given, every[:, None, None], kind[None, :, None], area_km, area_minutes)
    school_far = beyond(
        given, given.providers.stage[None, :], kind[:, None], school_km, school_minutes
    )
    return Links(
        cost_of(area_km, area_cost, area_far),
        cost_of(school_km, school_cost, school_far),
        own,
        area_far,
        school_far,
        area_km,
        school_km,
    )


def beyond(
    given: CertificateData, stage: Ints, kind: NDArray[Any], km: Floats, minutes: Floats
) -> Bools:
    """Flag ways farther or longer than day pupils of a stage and kind of area may have."""
    travel = given.settings.travel
    far = np.zeros(km.shape, bool)
    if not given.on("boarding"):
        return far
    for s, one in enumerate(given.stages):
        name, mine = one.name, np.broadcast_to(stage == s, km.shape)
        urban = np.broadcast_to(kind == "urban", km.shape)
        most: float | Floats = np.inf
        if name in travel.day_km:
            most = float(travel.day_km[name])
        elif travel.standard_limits:
            outside = one.rural_radius_km if one.rural_radius_km > 0 else one.service_radius_km
            most = np.where(urban, one.service_radius_km, outside)
        longest = np.inf
        if name in travel.day_minutes:
            longest = float(travel.day_minutes[name])
        elif travel.standard_limits and one.day_minutes > 0:
            longest = float(one.day_minutes)
        took = minutes
        if travel.km_per_hour is not None:
            took = np.where(np.isnan(minutes), 60.0 * km / float(travel.km_per_hour), minutes)
        with np.errstate(invalid="ignore"):
            far |= mine & ((km - most > 1e-9) | (took - longest > 1e-9))
    return far & ~np.isnan(km)


def boards(given: CertificateData) -> Bools:
    """Flag grades whose children may board ``[g]``."""
    out = []
    for one in given.stages:
        start = int(one.boards_from_year)
        out += [start > 0 and year >= start for year in range(1, len(one.grades) + 1)]
    return np.array(out, bool)


def distance(start: Floats, end: Floats, default: float) -> Floats:
    """Compute kilometres between points; ``default`` where a coordinate is not known."""
    gap = start[:, None, :] - end[None, :, :]
    km = np.hypot(gap[:, :, 0], gap[:, :, 1])
    return np.where(np.isnan(km), default, km)


@dataclass(frozen=True)
class Ways:
    """Sums of the flows.

    ``travel_cny[a, t]`` by area of residence; boarders of providers with own links
    ``school_boarders[j, t]``, and of all others of an area ``area_boarders[stage, a, t]``;
    ``own[j]``.
    """

    travel_cny: Floats
    school_boarders: Floats
    area_boarders: Floats
    own: Bools


def check_flows(given: CertificateData, links: Links, plan: Decisions, reader: Reader) -> Ways:
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
    due = pupils * np.where(good, price, 0.0)
    book.equal("costs", "flows.cost_cny row", cost, due, rows, money=True)
    boarders = np.where(far, pupils, 0.0)
    reported = reader.numbers("flows", "boarders")
    book.equal("boarding", "flows.boarders row", reported, boarders, rows)
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
    np.add.at(travel, (a[good], t[good]), due[good])
    school = np.zeros((len(links.own), len(years)))
    pool = np.zeros((len(given.stages), len(areas), len(years)))
    into = far & to_school
    np.add.at(school, (j[into], t[into]), pupils[into])
    into = far & ~to_school
    np.add.at(pool, (stage[into], b[into], t[into]), pupils[into])
    return Ways(travel, school, pool, links.own)


def boarding_cost(given: CertificateData, ways: Ways) -> Floats:
    """Compute RMB for boarders by area of the school and planned year."""
    price = float(given.settings.costs.boarder_cny) + given.per_stage("boarding_cny")
    out: Floats = (price[:, None, None] * ways.area_boarders).sum(axis=0)
    at = given.providers
    np.add.at(out, at.area, price[at.stage][:, None] * ways.school_boarders)
    return out


def check_boarding(given: CertificateData, ways: Ways, state: Derived, book: Ledger) -> None:
    """Check boarders against boarding places, by school and by the rest of an area's stage."""
    providers = given.providers
    stand = providers.schools["boarding_places"].fillna(0.0).to_numpy(np.float64)
    boarding = given.projects.rows["boarding_places"]
    beds = stand[:, None] + new_seats(given, state.copies, boarding.to_numpy(np.float64))
    years = given.years
    own = ways.own[:, None]
    at = [providers.names, years]
    book.at_most("boarding", "boarders at", ways.school_boarders, beds, at, where=own)
    pool = np.zeros_like(ways.area_boarders)
    np.add.at(pool, (providers.stage, providers.area), np.where(own, 0.0, beds))
    axes = [given.stage_names, given.areas, years]
    book.at_most("boarding", "boarders in", ways.area_boarders, pool, axes)


Catchment = dict[int, set[int]]
"""Areas of each provider, in one stage and one drawing."""


def check_catchments(given: CertificateData, links: Links, reader: Reader) -> None:
    """Check the table ``catchments``, the flows against it, and every catchment for islands."""
    rules, book, frame = given.settings.catchments, reader.book, reader.tables["catchments"]
    stages = rules.stages if given.on("catchment") else ()
    drawn = sorted({given.years[0], *rules.drawn})
    areas = pd.Index(given.areas)
    a, j = areas.get_indexer(pd.Index(frame["area"])), provider_axis(given).positions(frame)
    known = (a >= 0) & (j >= 0) & frame["stage"].isin(stages).to_numpy(bool)
    known &= frame["from_year"].isin(drawn).to_numpy(bool)
    good = known & given.providers.public[j] & np.isfinite(links.school_cost[a, j])
    twice = frame.duplicated(["area", "stage", "from_year"]).to_numpy(bool)
    for what, bad in {"no such catchment": ~good, "row twice": good & twice}.items():
        rows = frame.loc[bad, ["area", "stage", "from_year", "school"]].to_numpy()
        book.none_of("tables", f"catchments, {what}", [tuple(row) for row in rows], len(frame))
    county = [given.counties[c] for c in given.area_county]
    reader.same_text("catchments", {"county": county}, a, given.areas)
    found: dict[tuple[str, int], Catchment] = {}
    for row in np.flatnonzero(good & ~twice):
        key = str(frame["stage"].iloc[row]), int(frame["from_year"].iloc[row])
        found.setdefault(key, {}).setdefault(int(j[row]), set()).add(int(a[row]))
    _check_flows(given, stages, drawn, found, reader)
    if rules.connected and stages:
        _check_islands(given, found, book)


def _check_flows(
    given: CertificateData,
    stages: tuple[str, ...],
    drawn: list[int],
    found: dict[tuple[str, int], Catchment],
    reader: Reader,
) -> None:
    """Check that children of a catchment use no public school's own link but its school's."""
    frame, public = reader.tables["flows"], given.providers.public
    j = given.providers.index.get_indexer(pd.MultiIndex.from_frame(frame[["to_school", "stage"]]))
    a = pd.Index(given.areas).get_indexer(pd.Index(frame["area"]))
    t = axis("school_year", given.years).positions(frame)
    ruled = frame["stage"].isin(stages).to_numpy(bool) & (j >= 0) & public[j] & (t >= 0)
    pupils = reader.numbers("flows", "pupils")
    elsewhere = np.zeros(len(frame))
    for row in np.flatnonzero(ruled):
        year = given.years[t[row]]
        epoch = max((one for one in drawn if one <= year), default=drawn[0])
        members = found.get((str(frame["stage"].iloc[row]), epoch), {}).get(int(j[row]), set())
        elsewhere[row] = 0.0 if int(a[row]) in members else pupils[row]
    reader.book.at_most(
        "catchment", "outside the catchment, flows row", elsewhere, 0.0, [range(len(frame))]
    )


def _check_islands(
    given: CertificateData, found: dict[tuple[str, int], Catchment], book: Ledger
) -> None:
    """Spread out from each school through its catchment; what is not reached is an island."""
    place = {name: i for i, name in enumerate(given.areas)}
    beside: dict[int, set[int]] = {i: set() for i in range(len(given.areas))}
    borders = given.scenario.table("borders")
    for one, other in zip(borders["area"], borders["to_area"], strict=True):
        beside[place[one]].add(place[other])
        beside[place[other]].add(place[one])
    islands, passed, members = [], [], 0
    for (_, year), catchments in found.items():
        standing = given.providers.area
        at_home = {a for j, own in catchments.items() for a in own if standing[j] == a}
        for j, own in catchments.items():
            home = int(standing[j])
            members += len(own)
            where = f"{given.providers.names[j]} {year}"
            if own - {home} and home not in at_home:
                passed.append((where, given.areas[home]))
            left, edge = own - {home}, {home}
            while edge:
                edge = set().union(*(beside[i] for i in edge)) & left
                left -= edge
            islands += [(where, given.areas[i]) for i in sorted(left)]
    book.none_of("catchment", "islands", islands, members)
    book.none_of("catchment", "own area goes elsewhere", passed, members)
