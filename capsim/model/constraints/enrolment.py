"""Enrolment: children sit somewhere or count as without a place; they move up a grade a year."""

from __future__ import annotations

import numpy as np

from capsim.lp.array_types import Array, Flag
from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation
from capsim.model.constraints.capacity import ceiling_share
from capsim.model.data import ModelData
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
        from the next year on, until it is given up.
        Price: none: a child more in the admission plan.
    """
    x, seats, providers = f.x, f.columns.seats, f.given.providers
    entry = np.flatnonzero(providers.levered[seats.provider] & (seats.before < 0))
    j = seats.provider[entry]
    plan, places = providers.admission[j, None], providers.places[j, None]
    turned = (x.converted.previous() - x.given_up)[j]
    m.add("admission", x.pupils[entry] <= plan * (1 - x.phase_out[j]) + places * turned)


def define_intake(m: Builder, f: Formulation) -> None:
    """Keep first grades close to those of the year before.

    Each row is there where its share is set. Where there were no children the year before, no
    public intake is too high.

    Rows
    ----
    intake.private
        A private school admits at most last year's first grade and ``intake_rise_share`` of it; a
        converted one its places from the next year on.
        Price: none: a child more in the first grade.
    intake.public_most
        From the second planned year on a public school admits at most last year's first grade and
        ``public_swing_share`` of it, or so much more as there are more children of the grade in
        its area, and as its new seats take in.
        Price: none: a child more in the first grade.
    intake.public_least
        It admits at least last year's first grade less that share, less what the children have
        become fewer, and less the seats that were lost.
        Price: none: a child whom the school must admit.
    intake.converted_most
        The same for a converted school, from the year after on.
        Price: none: a child more in the first grade.
    intake.converted_least
        The same for a converted school, from the year after on, until it is given up.
        Price: none: a child whom the school must admit.
    intake.noncompulsory_most
        From the second planned year on a kindergarten or a senior school has at most last year's
        pupils and ``noncompulsory_swing_share`` of them, or so much more as there are more children
        of the stage in its area, those of kindergartens that joined it, and as its new seats take
        in.
        Price: none: a child more in the school.
    intake.noncompulsory_least
        It has at least last year's pupils less that share, less what the children have become
        fewer, less those of kindergartens that left it, and less the seats that were lost.
        Price: none: a child whom the school must have.
    """
    _add_noncompulsory(m, f)
    x, given, policy = f.x, f.given, f.given.scenario.settings.policy
    providers, places = given.providers, given.providers.places[:, None]
    rise, swing, settled = (
        policy.intake_rise_share,
        policy.public_swing_share,
        x.converted.previous(),
    )
    if rise is not None:
        rolls = np.pad(given.base_intake[:, None], ((0, 0), (0, f.years - 1)))
        last_year = x.intake.previous() + rolls
        m.add("intake.private", x.intake <= (1 + rise) * last_year + places * settled, x.fee.exists)
    if swing is None:
        return
    growth, known = first_grade_growth(given)
    more, fewer = np.maximum(growth, 1.0), np.minimum(growth, 1.0)
    grades = np.array([len(stage.grades) for stage in given.space.stages])[providers.stage, None]
    before, new, lost = x.intake.previous(), x.new_seats, x.seats_lost
    fill = 1 + ceiling_share(given)[:, None]
    second = np.arange(f.years) > 0
    public = (providers.public & given.space.compulsory[providers.stage])[:, None] & second
    m.add(
        "intake.public_most",
        x.intake <= (1 + swing) * more * before + new / grades,
        public & known,
    )
    m.add("intake.public_least", x.intake >= (1 - swing) * fewer * before - fill * lost, public)

    turned, not_yet = settled.exists & second, private_intake(given)[:, None] * (1 - settled)
    m.add(
        "intake.converted_most",
        x.intake <= (1 + swing) * more * before + not_yet,
        turned & known,
    )
    m.add(
        "intake.converted_least",
        x.intake >= (1 - swing) * fewer * (before - not_yet - fill * places * x.given_up),
        turned,
    )


def _add_noncompulsory(m: Builder, f: Formulation) -> None:
    """Keep the pupils of kindergartens and senior schools close to those of the year before."""
    x, given, swing = f.x, f.given, f.given.scenario.settings.policy.noncompulsory_swing_share
    if swing is None:
        return
    providers, space = given.providers, given.space
    of_stage = space.grade_stage == np.arange(len(space.stages))[:, None]
    children = np.einsum("agt,sg->ast", space.children, of_stage)
    growth, known = growth_of(children[providers.area, providers.stage])
    more, fewer = np.maximum(growth, 1.0), np.minimum(growth, 1.0)
    before, new, lost = x.enrolled.previous(), x.new_seats, x.seats_lost
    joined, left = x.joining, x.leaving - x.leaving.previous()
    fill = 1 + ceiling_share(given)[:, None]
    second = np.arange(f.years) > 0
    noncompulsory = ~space.compulsory[providers.stage][:, None] & second
    m.add(
        "intake.noncompulsory_most",
        x.enrolled <= (1 + swing) * more * before + new + joined,
        noncompulsory & known,
    )
    m.add(
        "intake.noncompulsory_least",
        x.enrolled >= (1 - swing) * fewer * before - left - fill * lost,
        noncompulsory,
    )


def first_grade_growth(given: ModelData) -> tuple[Array, Flag]:
    """Compare the children of the school's first grade and area with those of the year before."""
    space, providers = given.space, given.providers
    first = np.flatnonzero(space.grade_first)  # of every stage, in order
    return growth_of(space.children[providers.area, first[providers.stage]])


def growth_of(now: Array) -> tuple[Array, Flag]:
    """Compare children of an area with those of the year before, ``[provider, year]``.

    Returns
    -------
    growth : float64
        1 in the first planned year and where there are no children in either year.
    known : bool
        False where there are children and were none before.
    """
    before = np.concatenate([now[:, :1], now[:, :-1]], axis=1)
    growth = np.divide(now, before, out=np.ones_like(now), where=before > 0)
    return growth, (before > 0) | (now <= 0)


def private_intake(given: ModelData) -> Array:
    """Bound the first grade of a school that has not been public for a year, ``[provider]``."""
    providers = given.providers
    if given.scenario.settings.switches.admission:
        return providers.admission
    return np.maximum(providers.cap, providers.places)


def define_continuity(m: Builder, f: Formulation) -> None:
    """Move children up a grade a year; whoever cannot stay is made to change school.

    ``progression`` is the share of a cohort that is still in the area a year later; before the
    first planned year the pupils of the grade below are those observed. ``joining`` is ``places``,
    with ``conversion_keep_share`` ``places ÷ grades``.

    Rows
    ----
    continuity.cohort
        A private grade is at most last year's grade below, times who stays in the area; a converted
        one may have ``joining`` more from the next year on.
        Price: none: a child who may join in mid-stage.
    continuity.displaced
        Who cannot stay is counted in ``displaced``.
        Price: none: at most ``displacement_cny``.
    """
    x, seats, providers = f.x, f.columns.seats, f.given.providers
    seat = np.flatnonzero(seats.before >= 0)
    j = seats.provider[seat]
    levered, joining = providers.levered[j, None], providers.places[j, None]
    if f.given.scenario.settings.policy.conversion_keep_share is not None:
        joining = joining / np.bincount(seats.provider)[j, None]
    settled = (x.converted.previous() - x.given_up)[j]
    m.add("continuity.cohort", x.pupils[seat] <= x.grown[seat] + joining * settled, levered)
    m.add(
        "continuity.displaced",
        x.displaced[seat] + x.pupils[seat] >= x.grown[seat],
        x.displaced.exists[seat],
    )


def define_catchment(m: Builder, f: Formulation) -> None:
    """Send each neighbourhood to one public school, by catchments without islands.

    A pair is an area and a school that it may go to, ``home`` where the school stands in it. From
    each area of a catchment a flow goes to its school through areas of the catchment: one that
    admits every connected catchment and no other, in fewer rows than one commodity an area.

    Rows
    ----
    catchment.one
        An area goes to at most one public school of a stage.
        Price: none: a child who may go elsewhere.
    catchment.whole
        The area's public pupils of the stage sit there.
        Price: none: a child who may go elsewhere.
    catchment.own
        An area through which a catchment reaches its school goes to a school in it.
    catchment.passage
        What leaves an area of a catchment is what enters it and one of its own.
    catchment.room
        Ways lead through areas of the catchment only; ``others`` may come through each.
    catchment.border
        An area that does not border the school's has a neighbour in the catchment. Follows from
        the rows above and makes the relaxation tighter.
    """
    x, axis, c = f.x, f.axis, f.columns.catchments
    if not len(c.link):
        return
    given, space, links = f.given, f.given.space, f.links
    stage, pairs = links.stage[c.link], len(c.link)
    cells = len(space.areas), len(space.stages)
    of_area = x.assigned.group((c.area, stage), cells, [axis.area, axis.stage])
    m.add("catchment.one", of_area <= 1, of_area.exists)

    children = np.stack(
        [space.children[:, space.grade_stage == s].sum(axis=1) for s in range(cells[1])], axis=1
    )
    pair_of = np.full(len(links.area), -1, np.int64)
    pair_of[c.link] = np.arange(pairs)
    going = x.flow.group(pair_of[links.pair_link], pairs, [c.axis(given)])
    m.add("catchment.whole", going <= children[c.area, stage] * x.assigned[:, c.epoch])
    if not c.connected:
        return

    away = ~c.home
    host = given.providers.area[c.provider]
    at_home = x.assigned.group((np.where(c.home, c.area, -1), stage), cells)
    m.add("catchment.own", x.assigned <= at_home[host, stage], away[:, None])

    inner = np.where(away[c.step_to], c.step_to, -1)
    leaves = x.passage.group(c.step_from, pairs, [c.axis(given)])
    enters = x.passage.group(inner, pairs, [c.axis(given)])
    of_school = np.bincount(c.provider[away], minlength=len(given.providers.school))
    others = of_school[c.provider, None] - 1
    m.add("catchment.passage", leaves == enters + x.assigned, away[:, None])
    m.add("catchment.room", enters <= others * x.assigned, away[:, None])

    apart = away.copy()
    apart[c.step_from[c.home[c.step_to]]] = False
    beside = x.assigned[c.step_to].group(c.step_from, pairs)
    m.add("catchment.border", x.assigned <= beside, apart[:, None])
