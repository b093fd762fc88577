"""Capacity: pupils sit on seats that are there, and few of them in large classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.special import ndtr

from capsim.lp.array_types import Array, Index
from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation
from capsim.model.data import ModelData


def define_seats(m: Builder, f: Formulation) -> None:
    """Seat nobody where there is no seat: standard seats, over-filling, private size.

    Rows
    ----
    seats.public
        Pupils of a public school are at most its standard seats and ``overfill``.
        Price: a standard place: `place`, with what it does to the rows ``seats.ceiling`` and
        ``class_size``.
    seats.ceiling
        ``overfill`` is at most the share up to the class ceiling.
        Price: a pupil more in crowded classes: part of `place`.
    seats.private
        Fee-paying and purchased pupils of a private compulsory school are at most those of the
        base year, none once it is converted or closed.
        Price: none: a pupil more whom a private school may keep.
    seats.converted
        A converted school holds its places and ``overfill``, nobody once it is given up.
        Price: none: a place in a converted school.
    seats.converted_ceiling
        ``overfill`` of a converted school, from its second year on, is at most the share up to the
        class ceiling.
        Price: none: a place in a converted school.
    seats.other_private
        Kindergartens and senior schools in private hands hold what they have, more or less those
        turned inclusive.
        Price: none: a place there.
    """
    x, providers = f.x, f.given.providers
    public, other = providers.public[:, None], (~providers.public & ~providers.levered)[:, None]
    places, cap = providers.places[:, None], providers.cap[:, None]
    excess = ceiling_share(f.given)[:, None]
    m.add("seats.public", x.enrolled <= x.seats + x.overfill, public)
    m.add("seats.ceiling", x.overfill <= excess * x.seats, public)

    m.add("seats.private", x.fee + x.purchased <= cap * (1 - x.converted - x.closed), x.fee.exists)
    m.add(
        "seats.converted",
        x.public <= places * (x.converted - x.given_up) + x.overfill,
        x.public.exists,
    )
    m.add(
        "seats.converted_ceiling",
        x.overfill <= excess * places * (x.converted.previous() - x.given_up),
        x.public.exists,
    )

    m.add("seats.other_private", x.enrolled <= cap + x.joined, other)


def define_fill(m: Builder, f: Formulation) -> None:
    """Keep public schools filled: pupils for a least share of the seats that are kept open.

    ``share`` is ``public_fill_share`` of the year. A school without seats, which has not opened or
    has closed, needs nobody.

    Rows
    ----
    fill
        Pupils of a public school are at least the share of its standard seats.
        Price: a pupil less asked for: `fill`.
    """
    x, share = f.x, f.in_force(f.given.scenario.settings.policy.public_fill_share)
    public = f.given.providers.public[:, None]
    m.add("fill", x.enrolled >= share * x.seats, public & ~np.isnan(share))


class Siting(NamedTuple):
    """Children on a way that ends where seats are only if a project is open.

    Attributes
    ----------
    flow : int ``[row]``, columns: children on a link to a site in a year
    copies : sparse ``[row, column]``: copies of projects that bring the site its seats
    """

    flow: Index
    copies: csr_array


def siting_of(f: Formulation, columns: int) -> Siting:
    """Find the flows to *sites*: public schools all of whose seats projects bring.

    A link to an area leads to a site where each of its providers of the stage without links of
    their own is one. With no copy open ``define_seats`` leaves such a flow nothing, so that
    ``flow ≤ children · copies`` holds in every plan. The relaxation knows only the sum over all
    who come, ``Σ flow ≤ places · copies``, by which a school may open by the pupil; with these rows
    it is that of the strong formulation of facility location (Balinski 1965).

    Parameters
    ----------
    f : Formulation
    columns : int
        Of the program.
    """
    links, providers, projects = f.links, f.given.providers, f.given.projects
    schools, cells = len(providers.school), (len(f.given.space.areas), len(f.given.space.stages))
    row = np.flatnonzero((projects.row_provider >= 0) & (projects.row_places > 0))
    into = projects.row_provider[row]
    site = providers.public & (providers.places <= 0) & np.isin(np.arange(schools), into)
    of_area = np.where(providers.own_links, -1, providers.area)
    sites, others = np.zeros((2, *cells), bool)
    for flag, which in ((sites, site), (others, ~site)):
        here = np.flatnonzero(which & (of_area >= 0))
        flag[of_area[here], providers.stage[here]] = True

    to, area, stage = links.to_provider, links.to_area, links.stage
    opened = f.x.open[projects.row_project[row]]
    at_school = opened.group(into, schools)
    in_area = opened.group((of_area[into], providers.stage[into]), cells)
    to_site = (to >= 0) & np.append(site, False)[to]
    to_area = (to < 0) & (sites & ~others)[area, stage]
    flow, copies = [np.zeros(0, np.int64)], [csr_array((0, columns))]
    for flagged, direct in ((to_site, True), (to_area, False)):
        pair = np.flatnonzero(flagged[links.pair_link])
        link = links.pair_link[pair]
        reached = at_school[to[link]] if direct else in_area[area[link], stage[link]]
        column = f.columns.flow[pair].ravel()
        flow.append(column[column >= 0])
        copies.append(reached.matrix(columns)[np.flatnonzero(column >= 0)])
    return Siting(np.concatenate(flow), csr_array(vstack(copies)))


def define_campus(m: Builder, f: Formulation) -> None:
    """Share the places of a nine-year campus between its stages.

    ``row_places`` are those of a stage if it uses the whole campus, ``most`` the same of the stage
    that has most. The switch covers the second row: without it each stage has the whole.

    Rows
    ----
    campus.stage
        A stage uses at most the places that it can have, until their life ends.
        Price: none: a place in the campus.
    campus.shared
        The shares of the campus that its stages use are at most the whole.
        Price: none: a place in the campus.
    """
    x, projects = f.x, f.given.projects
    row = np.flatnonzero(projects.row_campus)
    project, count = projects.row_project[row], len(projects.project)
    places, opened = projects.row_places[row, None], x.open
    in_use = opened[project] - x.ended(row)
    m.add("campus.stage", x.shared <= places * in_use)

    if f.given.scenario.settings.switches.campus:
        most = np.zeros((count, 1))
        np.maximum.at(most, project, places)
        whole = (most[project] / places * x.shared).group(project, count, [f.axis.project])
        m.add("campus.shared", whole <= most * opened, whole.exists)


def ceiling_share(given: ModelData) -> Array:
    """Return ``class_ceiling ÷ class_size − 1`` of every provider's stage, ``[provider]``."""
    space = given.space
    share = space.by_stage("class_ceiling") / space.by_stage("class_size") - 1.0
    return share[given.providers.stage]


BELOW = np.arange(-16.0, -0.9, 2.5)
"""Mean sizes at which chords end, from a large class (56: 40, 42.5, … 55)."""


def chords(large_class: float, sd: float, least: float | None = None) -> tuple[Array, Array]:
    """Return intercepts and slopes of the lines that join shares of large classes at mean sizes.

    The share is ``1 − Φ((large_class − 0.5 − μ) ÷ sd)`` for class sizes normal round μ, at
    μ = 40, 42.5, …, 55 where 56 is a large class, as far below another. With ``least`` it is that
    of classes of so many pupils.

    Examples
    --------
    >>> intercept, slope = chords(56, 5.0)
    >>> round(float(max(0.0, (intercept + slope * 50.0).max())), 6)
    0.135666
    """
    means = large_class + BELOW
    share = 1.0 - ndtr(((least or large_class) - 0.5 - means) / sd)
    slope = np.diff(share) / np.diff(means)
    return share[:-1] - slope * means[:-1], slope


def usable_share(f: Formulation) -> Array:
    """Return the part of standard seats that the limit on large classes lets fill, ``[j, t]``.

    It is ``min(1, μ ÷ class_size)`` with the largest mean class μ at which the chords give no more
    than ``large_class_share``; 1 without a limit.
    """
    settings, space = f.given.scenario.settings, f.given.space
    out = np.ones((len(space.stages), f.years))
    allowed = f.in_force(settings.policy.large_class_share)
    limited = ~np.isnan(allowed) & settings.switches.class_size
    for s in np.flatnonzero(space.compulsory):
        alpha, beta = chords(space.stages[s].large_class, settings.policy.class_size_sd)
        mean = ((allowed - alpha[:, None]) / beta[:, None]).min(axis=0)
        out[s] = np.where(limited, np.minimum(1.0, mean / space.stages[s].class_size), 1.0)
    return out[f.given.providers.stage]


def define_class_size(m: Builder, f: Formulation) -> None:
    """Limit the share of large classes, piecewise linear in the mean class of a school.

    A school has ``seats ÷ size`` classes; ``share`` is ``large_class_share`` of the year.

    Rows
    ----
    class_size.chord
        Large classes are at least what the mean class size implies, chord by chord.
    class_size.limit
        Large classes of a county's public schools of a stage are at most their share.
        Price: a large class: `large class`.
    """
    x, axis, space, providers = f.x, f.axis, f.given.space, f.given.providers
    policy = f.given.scenario.settings.policy
    j = np.flatnonzero(x.large_classes.exists.any(axis=1))
    large, seats, pupils = x.large_classes[j], x.seats[j], x.enrolled[j]
    stage, county = providers.stage[j], providers.county[j]
    size = space.by_stage("class_size")[stage][:, None]
    lines = [chords(one, policy.class_size_sd) for one in space.by_stage("large_class")]
    for chord in range(len(BELOW) - 1):
        alpha, beta = (np.array([line[i][chord] for line in lines])[stage, None] for i in (0, 1))
        m.add(
            "class_size.chord",
            (large >= alpha / size * seats + beta * pupils).along(Axis.of(chord=np.array([chord]))),
        )
    share = f.in_force(policy.large_class_share)
    cells, of_cells = (len(space.counties), len(space.stages)), [axis.county, axis.stage]
    together = large.group((county, stage), cells, of_cells)
    allowed = (share / size * seats).group((county, stage), cells, of_cells)
    m.add("class_size.limit", together <= allowed, together.exists & ~np.isnan(share))
