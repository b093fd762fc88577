"""Enrolment: children sit somewhere or count as without a place; they move up a grade a year."""

from __future__ import annotations

import numpy as np

from capsim.lp.array_types import Array, Index
from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation
from capsim.scenario.travel import boards


def define_placement(m: Builder, f: Formulation) -> None:
    """Seat every child of an area and grade, or count it as without a place.

    Where nothing binds single grades, a band stands for all grades of a stage together.

    Rows
    ----
    placement.residence
        Every child of an area and band is on a link or in ``shortfall``.
        Price: what one more child there costs: none of its own.
    placement.arrival
        Who arrives in an area sits at its providers that have no links of their own.
        Price: none: what a seat of that band is worth to the area.
    placement.own
        Who arrives at a school by its own links sits there.
        Price: none: the same for the school.
    placement.payers
        A pupil of a private compulsory school pays, is paid for, or is public.
    """
    x, axis, links, seats = f.x, f.axis, f.links, f.columns.seats
    space, providers = f.given.space, f.given.providers
    cells, of_cells = (len(space.areas), len(space.bands.name)), (axis.area, axis.band)
    link, band = links.pair_link, links.pair_band
    leaving = x.flow.group((links.area[link], band), cells, of_cells)
    m.add("placement.residence", leaving + x.shortfall == space.bands.children)

    own_links = providers.own_links[seats.provider]
    arriving = x.flow.group((links.to_area[link], band), cells, of_cells)
    area = np.where(own_links, -1, providers.area[seats.provider])
    seated = x.pupils.group((area, seats.band), cells, of_cells)
    m.add("placement.arrival", arriving == seated)

    if own_links.any():
        seat = np.full((len(providers.school) + 1, len(space.bands.name)), -1, np.int64)
        seat[seats.provider, seats.band] = np.arange(len(own_links))
        school, _, of_band, *_ = axis.seat(seats).texts
        into = seat[links.to_provider[link], band]
        arriving = x.flow.group(into, len(own_links), [Axis((school, of_band))])
        m.add("placement.own", arriving == x.pupils, own_links[:, None])

    m.add("placement.payers", x.enrolled == x.fee + x.purchased + x.public, x.fee.exists)


def define_boarding(m: Builder, f: Formulation) -> None:
    """Keep day pupils within the travel limits; farther off children board, where they may.

    A link is far where its km or minutes are above what a day pupil of its area and stage may
    have; whoever uses it boards. For a link to an area all its providers of the stage without
    links of their own count together.

    Rows
    ----
    boarding.day
        Children of grades in which nobody boards use no link that is too far for day pupils.
        Price: none: a child who may go so far.
    boarding.school
        Who comes by a far link boards, and has a boarding place of the school.
        Price: `boarding place`.
    boarding.area
        The same for an area's schools without links of their own.
        Price: `boarding place`.
    """
    x, axis, links = f.x, f.axis, f.links
    space, providers = f.given.space, f.given.providers
    link, band = links.pair_link, links.pair_band
    far = links.far[link]
    if not far.any():
        return
    may = np.concatenate([boards(stage) for stage in space.stages])[space.bands.grade][band]

    cells = len(space.areas), len(space.bands.name)
    area = np.where(far & ~may, links.area[link], -1)
    too_far = x.flow.group((area, band), cells, [axis.area, axis.band])
    m.add("boarding.day", too_far <= 0, too_far.exists)

    to_school = np.where(far & may, links.to_provider[link], -1)
    boarders = x.flow.group(to_school, len(providers.school), [axis.provider])
    m.add("boarding.school", boarders <= x.beds, boarders.exists)

    cells = len(space.areas), len(space.stages)
    to_area = np.where(far & may, links.to_area[link], -1)
    boarders = x.flow.group((to_area, links.stage[link]), cells, [axis.area, axis.stage])
    shared = np.where(providers.own_links, -1, providers.area)
    pooled = x.beds.group((shared, providers.stage), cells, [axis.area, axis.stage])
    m.add("boarding.area", boarders <= pooled, boarders.exists)


def define_admission(m: Builder, f: Formulation) -> None:
    """Admit no more children to a private school than its admission plan.

    Rows
    ----
    admission
        A private school admits at most its plan, none when phased out; a converted one its places
        from the next year on.
        Price: none: a child more in the admission plan.
    """
    x, seats, providers = f.x, f.columns.seats, f.given.providers
    entry = np.flatnonzero(providers.levered[seats.provider] & (seats.before < 0))
    j = seats.provider[entry]
    plan, places = providers.admission[j, None], providers.places[j, None]
    m.add(
        "admission",
        x.pupils[entry] <= plan * (1 - x.phase_out[j]) + places * x.converted.previous()[j],
    )


def define_continuity(m: Builder, f: Formulation) -> None:
    """Move children up a grade a year; whoever cannot stay is made to change school.

    ``progression`` is the share of a cohort that is still in the area a year later; before the
    first planned year the pupils of the grade below are those observed.

    Rows
    ----
    continuity.cohort
        A private grade is at most last year's grade below, times who stays in the area.
        Price: none: a child who may join in mid-stage.
    continuity.displaced
        Who cannot stay is counted in ``displaced``.
        Price: none: at most ``displacement_cny``.
    """
    x, seats, providers = f.x, f.columns.seats, f.given.providers
    seat = np.flatnonzero(seats.before >= 0)
    below, j = seats.before[seat], seats.provider[seat]
    progression, observed = moving_up(f, seat)
    grown = progression * (x.pupils[below].previous() + observed)
    levered, places = providers.levered[j, None], providers.places[j, None]
    m.add(
        "continuity.cohort",
        x.pupils[seat] <= grown + places * x.converted.previous()[j],
        levered,
    )
    m.add(
        "continuity.displaced",
        x.displaced[seat] + x.pupils[seat] >= grown,
        x.displaced.exists[seat],
    )


def moving_up(f: Formulation, seat: Index) -> tuple[Array, Array]:
    """Return ``progression`` and ``observed`` of seats that have a grade below, ``[seat, t]``."""
    seats, space, providers = f.columns.seats, f.given.space, f.given.providers
    j, grade = seats.provider[seat], space.bands.grade[seats.band]
    progression = space.progression[providers.area[j], grade[seat]]
    observed = np.zeros((len(seat), f.years))
    observed[:, 0] = providers.rolls[j, grade[seats.before[seat]]]
    return progression, observed
