"""The variables of the plan: blocks of columns, their indices by meaning, their labels.

An entry of ``-1`` means that there is no such variable (it is the constant 0): a school that
cannot convert has ``converted == -1`` at every check date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.lp.labels import Axis, Labels
from capsim.lp.program import Builder
from capsim.model.data import Dates, ModelData, limits_of, staffed_stages, teachers_at_most
from capsim.model.links import Catchments, Links, catchments_of, sales_of


@dataclass(frozen=True)
class Seats:
    """Provider × band pairs: which provider and band, and where the band before it is."""

    provider: Index
    band: Index
    before: Index
    """Position of the same provider's band before; -1 in the first band of a stage."""


@dataclass(frozen=True)
class Axes:
    """The axes along which variables and constraints stand, each with the names of its members."""

    given: ModelData

    @cached_property
    def area(self) -> Axis:
        """Areas, and the county of each."""
        space = self.given.space
        county = Axis.of(county=(space.counties, space.county))
        return Axis.of(area=space.areas) + county.hidden()

    @cached_property
    def county(self) -> Axis:
        """Counties."""
        return Axis.of(county=self.given.space.counties)

    @cached_property
    def stage(self) -> Axis:
        """Stages."""
        return Axis.of(stage=self.given.space.stage_names)

    @cached_property
    def band(self) -> Axis:
        """Grades that are planned as one."""
        return Axis.of(band=self.given.space.bands.name)

    @cached_property
    def year(self) -> Axis:
        """Planned years."""
        return Axis.of(year=self.given.space.years)

    @cached_property
    def date(self) -> Axis:
        """Check dates."""
        return Axis.of(date=self.given.dates.date)

    @cached_property
    def provider(self) -> Axis:
        """Schools by stage, with area and county."""
        space, providers = self.given.space, self.given.providers
        return (
            Axis.of(school=providers.school, stage=(space.stage_names, providers.stage))
            + Axis.of(
                area=(space.areas, providers.area), county=(space.counties, providers.county)
            ).hidden()
        )

    @cached_property
    def project(self) -> Axis:
        """Projects, and the county of each."""
        space, projects = self.given.space, self.given.projects
        county = Axis.of(county=(space.counties, projects.county))
        return Axis.of(project=projects.project) + county.hidden()

    @cached_property
    def campus(self) -> Axis:
        """Stages of nine-year campuses: project, school and stage, with area and county."""
        projects = self.given.projects
        row = np.flatnonzero(projects.row_campus)
        project = Axis.of(project=(projects.project, projects.row_project[row]))
        return project + self.provider.take(projects.row_provider[row])

    def seat(self, seats: Seats) -> Axis:
        """Return the axis of provider × band pairs."""
        school, stage, area, county = self.provider.take(seats.provider).texts
        band = Axis.of(band=(self.given.space.bands.name, seats.band))
        return Axis((school, stage)) + band + Axis((area, county))


WHOLE = Axis.of(county=np.array(["*"], object))
"""The axis of all counties together."""


@dataclass(frozen=True)
class Variables:
    """Column indices by meaning, arrays over the axes that each names, years or dates last.

    An area × band is two axes; a school × stage (provider), a provider × band, a link × band and a
    pair of area and school are one.
    """

    axes: Mapping[str, tuple[Axis, ...]]
    """The axes of every variable, by its name."""
    seats: Seats
    flow: Index
    """area, area or school, band, year: children of an area on a link"""
    shortfall: Index
    """area, band, year: children without a place"""
    pupils: Index
    """school, stage, band, year: pupils of a band at a provider, whoever pays"""
    displaced: Index
    """school, stage, grade, year: children made to change school in mid-stage"""
    fee: Index
    """school, stage, year: fee-paying pupils of a private compulsory school on 1 September"""
    purchased: Index
    """school, stage, year: its pupils on purchased places on 1 September"""
    public: Index
    """school, stage, year: its pupils once it is converted"""
    fee_december: Index
    """school, stage, year: `fee` on 31 December; itself in years without that check date"""
    purchased_december: Index
    """school, stage, year: `purchased` on 31 December; itself in years without that check date"""
    fee_by_grade: Index
    """school, stage, grade, year: `fee` by grade, where bought places follow the child"""
    fee_by_grade_december: Index
    """school, stage, grade, year: the same on 31 December; itself in years without that date"""
    seats_full: Index
    """area, stage, year: 0 or 1: its usable public seats are taken, so that places may be bought"""
    hires_used: Index
    """county, year: 0 or 1: no teacher may be hired any more, on post or on contract"""
    posts_used: Index
    """county, year: 0 or 1: no post is free, nor may a teacher be hired on contract"""
    overfill: Index
    """school, stage, year: pupils above standard seats"""
    phase_out: Index
    """school, stage, year: 0 or 1: no intake any more"""
    closed: Index
    """school, stage, year: 0 or 1: closed at once"""
    contract: Index
    """school, stage, year: 0 or 1: a purchase contract runs"""
    contract_start: Index
    """school, stage, year: 0 or 1: a purchase contract begins"""
    large_classes: Index
    """school, stage, year: classes of `large_class` pupils or more"""
    converted: Index
    """school, stage, check date: 0 or 1: converted by then; an autumn is written as its year"""
    given_up: Index
    """school, stage, year: 0 or 1: converted, and closed again"""
    pupils_brought: Index
    """school, stage, year: pupils of the autumn before, in the year in which a school converts"""
    open: Index
    """project, check date: copies in use by then"""
    shared: Index
    """project, school, stage, year: places of a nine-year campus that a stage uses"""
    pool: Index
    """county, stage, year: teachers on post, in the stages of `staff.stages`"""
    hired: Index
    """county, stage, year: teachers hired on post"""
    contract_teachers: Index
    """county, stage, year: teachers on contract"""
    to_stage: Index
    """county, stage, year: teachers on post who come from another stage of the county"""
    from_stage: Index
    """county, stage, year: teachers on post who leave for another stage of the county"""
    to_county: Index
    """county, stage, year: teachers on post who come from the stage's pool of another county"""
    from_county: Index
    """county, stage, year: teachers on post who leave for the stage's pool of another county"""
    catchments: Catchments
    assigned: Index
    """area, school, stage, year from which: 0 or 1: the area's public pupils go to the school"""
    passage: Index
    """area, bordering area, school, stage, year from which: areas led to the school that way"""


def seat_pairs(given: ModelData) -> Seats:
    """List every provider × band of its stage, providers in order."""
    space, stage = given.space, given.providers.stage
    bands_of = [np.flatnonzero(space.bands.stage == s) for s in range(len(space.stages))]
    sizes = (
        np.array([len(b) for b in bands_of], np.int64)[stage]
        if len(stage)
        else np.zeros(0, np.int64)
    )
    provider = np.repeat(np.arange(len(stage)), sizes)
    band = np.concatenate([bands_of[s] for s in stage]) if len(stage) else np.zeros(0, np.int64)
    before = np.where(space.bands.first[band], -1, np.arange(len(band)) - 1)
    return Seats(provider, band, before)


def add_columns(m: Builder, given: ModelData, links: Links) -> Variables:
    """Add every block of variables, with its bounds."""
    space, dates, providers = given.space, given.dates, given.providers
    T, C = len(space.years), len(space.counties)
    seats, axis = seat_pairs(given), Axes(given)
    axes: dict[str, tuple[Axis, ...]] = {}

    def block(
        name: str,
        keep: Flag,
        *along: Axis,
        bounds: tuple[Array | float, Array | float] = (0.0, np.inf),
        integer: bool = False,
    ) -> Index:
        """Add a block for the flagged members; bounds are one number or ``[flagged member]``."""
        axes[name] = along
        labels = Labels(keep, along)
        out = np.full(keep.shape, -1, np.int64)
        if not labels.members:
            return out
        lower, upper = bounds
        index = m.variables(
            name, labels.members, lower=lower, upper=upper, integer=integer, labels=labels
        )
        if len(index) == keep.size:
            return index.reshape(keep.shape)
        out[keep] = index
        return out

    def per_year(flag: Flag) -> Flag:
        return np.repeat(flag[:, None], T, axis=1)

    def every(*shape: int) -> Flag:
        return np.ones(shape, bool)

    school = axis.provider, axis.year
    seat = axis.seat(seats), axis.year
    county, teachers = (axis.county, axis.year), (axis.county, axis.stage, axis.year)
    compulsory_pair = space.compulsory[space.bands.stage[seats.band]] & (seats.before >= 0)
    public = providers.public
    levered = per_year(providers.levered)
    settings = given.scenario.settings
    staffed = staffed_stages(given)
    taught = np.broadcast_to(staffed[:, None], (C, len(staffed), T))
    moving = taught & (staffed.sum() > 1)
    crossing = taught & (C > 1) & (settings.costs.county_move_cny is not None)
    most_teachers = np.inf if settings.switches.staff else 0.0
    most_come = np.broadcast_to(teachers_at_most(given), crossing.shape)
    convertible = providers.levered & (providers.conversion != "no")
    purchasable = per_year(providers.levered & (providers.purchasable > 0))
    closing = per_year(given.least_size > 0)
    december = dates.december_year[None, :]
    convertible_at = np.repeat(convertible[:, None], dates.count, axis=1)
    own_date = np.repeat(~given.projects.candidate[:, None], dates.count, axis=1)
    own_date[:, dates.autumn] = True
    fee = block("fee", levered, *school)
    purchased = block("purchased", purchasable, *school)
    fee_december = block("fee_december", levered & december, *school)
    purchased_december = block("purchased_december", purchasable & december, *school)
    following = _follows(given)[seats.provider]
    by_grade = block("fee_by_grade", per_year(following), *seat)
    by_grade_december = block("fee_by_grade_december", following[:, None] & december, *seat)
    full, hires, posts = _first_seats(given, links)
    ruled = catchments_of(given, links)
    pair, drawn = ruled.axis(given), Axis.of(year=ruled.drawn)
    return Variables(
        axes=axes,
        seats=seats,
        flow=block("flow", every(len(links.pair_link), T), links.axis(given), axis.year),
        shortfall=block(
            "shortfall",
            every(*space.bands.children.shape),
            axis.area,
            axis.band,
            axis.year,
        ),
        pupils=block("pupils", every(len(seats.provider), T), *seat),
        displaced=block("displaced", per_year(compulsory_pair), *seat),
        fee=fee,
        purchased=purchased,
        public=block("public", per_year(convertible), *school),
        fee_december=np.where(december, fee_december, fee),
        purchased_december=np.where(december, purchased_december, purchased),
        fee_by_grade=by_grade,
        fee_by_grade_december=np.where(december, by_grade_december, by_grade),
        seats_full=block(
            "seats_full",
            full,
            *(axis.area, axis.stage, axis.year),
            bounds=(0.0, 1.0),
            integer=True,
        ),
        hires_used=block("hires_used", hires, *county, bounds=(0.0, 1.0), integer=True),
        posts_used=block("posts_used", posts, *county, bounds=(0.0, 1.0), integer=True),
        overfill=block("overfill", per_year(public | convertible), *school),
        phase_out=block("phase_out", closing, *school, bounds=(0.0, 1.0), integer=True),
        closed=block("closed", closing, *school, bounds=(0.0, 1.0), integer=True),
        contract=block("contract", purchasable, *school, bounds=(0.0, 1.0), integer=True),
        contract_start=block("contract_start", purchasable, *school, bounds=(0.0, 1.0)),
        large_classes=block(
            "large_classes", per_year(public & space.compulsory[providers.stage]), *school
        ),
        converted=block(
            "converted",
            convertible_at,
            axis.provider,
            Axis.of(date=_check_names(dates.date, space.years[dates.year])),
            bounds=_conversion_bounds(given, convertible_at),
            integer=True,
        ),
        given_up=block(
            "given_up",
            per_year(convertible & settings.gives_up),
            *school,
            bounds=(0.0, 1.0),
            integer=True,
        ),
        pupils_brought=block(
            "pupils_brought", per_year(convertible & settings.counts_brought), *school
        ),
        open=_at_every_date(
            block(
                "open",
                own_date,
                axis.project,
                axis.date,
                bounds=_open_bounds(given, own_date),
                integer=True,
            ),
            dates,
        ),
        shared=block(
            "shared", every(int(given.projects.row_campus.sum()), T), axis.campus, axis.year
        ),
        pool=block("pool", taught, *teachers, bounds=(0.0, most_teachers)),
        hired=block("hired", taught, *teachers, bounds=(0.0, most_teachers)),
        contract_teachers=block(
            "contract_teachers", taught, *teachers, bounds=(0.0, most_teachers)
        ),
        to_stage=block("to_stage", moving, *teachers, bounds=(0.0, most_teachers)),
        from_stage=block("from_stage", moving, *teachers, bounds=(0.0, most_teachers)),
        to_county=block("to_county", crossing, *teachers, bounds=(0.0, most_come[crossing])),
        from_county=block("from_county", crossing, *teachers, bounds=(0.0, most_teachers)),
        catchments=ruled,
        assigned=block(
            "assigned",
            every(len(ruled.link), len(ruled.drawn)),
            pair,
            drawn,
            bounds=(0.0, 1.0),
            integer=True,
        ),
        passage=block(
            "passage",
            every(len(ruled.step_from), len(ruled.drawn)),
            Axis.of(start=(space.areas, ruled.area[ruled.step_from])) + pair.take(ruled.step_to),
            drawn,
        ),
    )


def _follows(given: ModelData) -> Flag:
    """Flag the schools whose bought places follow the child, ``[provider]``."""
    settings, providers = given.scenario.settings, given.providers
    ruled = settings.policy.purchase_follows_child and settings.switches.following
    return providers.levered & (providers.purchasable > 0) & ruled


def _first_seats(given: ModelData, links: Links) -> tuple[Flag, Flag, Flag]:
    """Flag areas whose public seats go before purchases, and counties with limits on teachers.

    ``[area, stage, year]``; ``[county, year]`` with limits on hires and contract teachers, and with
    limits on posts and contract teachers.
    """
    sales, space = sales_of(given, links), given.space
    full = np.zeros((len(space.areas), len(space.stages), len(space.years)), bool)
    full[sales.near, sales.stage] = True
    here = np.zeros((len(space.counties), 1), bool)
    here[space.county[sales.near]] = given.scenario.settings.switches.staff
    hires, posts, contract = (
        ~np.isnan(limits_of(given, kind)[0]) & here
        for kind in ("hires", "posts", "contract_teachers")
    )
    return full, hires & contract, posts & contract


def previous(column: Index) -> Index:
    """Return the columns of the year or date before, ``[…, t]``; -1 in the first."""
    out = np.full_like(column, -1)
    out[..., 1:] = column[..., :-1]
    return out


def _conversion_bounds(given: ModelData, keep: Flag) -> tuple[Array, Array]:
    """Return bounds of the flagged conversions ``[j, k]``: not too early, and when they are due."""
    policy, dates = given.scenario.settings.policy, given.dates
    j, k = np.nonzero(keep)
    open_at = np.array([f"{policy.conversion_earliest_year}-09-01"], object)
    due_at = np.array([f"{policy.conversion_due_year}-09-01"], object)
    earliest, due = dates.index_of(open_at)[0], dates.index_of(due_at)[0]
    ruled = given.scenario.settings.switches.conversion
    must = given.providers.conversion[j] == "must"
    lower = (must & (k >= due) & ruled).astype(float)
    return lower, ((k >= earliest) | (not ruled)).astype(float)


def _open_bounds(given: ModelData, keep: Flag) -> tuple[Array, Array]:
    """Return bounds of the flagged copies in use ``[m, k]``."""
    projects = given.projects
    i, k = np.nonzero(keep)
    copies = projects.count[i]
    lower = np.where(k >= projects.last_check[i], copies, 0.0)
    return lower, np.where(k >= projects.first_check[i], copies, 0.0)


def _at_every_date(column: Index, dates: Dates) -> Index:
    """Give candidates, which open in autumn only, the autumn's column on other dates."""
    return np.where(column < 0, column[:, dates.autumn[dates.year]], column)


def _check_names(date: Text, school_year: Index) -> Text:
    return np.array(
        [str(y) if d.endswith("09-01") else d for d, y in zip(date, school_year, strict=True)],
        object,
    )
