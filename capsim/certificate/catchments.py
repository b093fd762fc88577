"""Catchments re-checked on the map: one school an area, and a way to it through its own areas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.certificate.decisions import Reader, axis, provider_axis
from capsim.certificate.given import Given
from capsim.certificate.ledger import Ledger
from capsim.certificate.links import Links

Catchment = dict[int, set[int]]
"""Areas of each provider, in one stage and one drawing."""


def check_catchments(given: Given, links: Links, reader: Reader) -> None:
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
    given: Given,
    stages: tuple[str, ...],
    drawn: list[int],
    found: dict[tuple[str, int], Catchment],
    reader: Reader,
) -> None:
    """Nobody goes to a public school by a link of its own but to that of the catchment."""
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


def _check_islands(given: Given, found: dict[tuple[str, int], Catchment], book: Ledger) -> None:
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
