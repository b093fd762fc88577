"""Expressions and data that constraints are written with, and the limits on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.lp.expressions import Expression
from capsim.lp.program import Builder
from capsim.model.costs import Ledger
from capsim.model.data import ModelData, inclusive_pool, limits_of, stepped
from capsim.model.links import Links
from capsim.model.variables import WHOLE, Axes, Seats, Variables


class Expressions:
    """The variables as expressions, and the sums of them that several constraints share.

    An attribute that is not listed here is the variable of that name, as in ``x.closed``. Arrays
    run over providers, counties or what else a variable stands for, and over planned years last.
    """

    def __init__(
        self, given: ModelData, columns: Variables, *, new_seats: Expression | None = None
    ) -> None:
        self._given, self._columns, self._axis = given, columns, Axes(given)
        self._new_seats = new_seats

    def __getattr__(self, name: str) -> Expression:
        axes = self._columns.axes.get(name) if not name.startswith("_") else None
        if axes is None:
            raise AttributeError(f"there is no variable {name!r}")
        found = Expression.of(getattr(self._columns, name), axes)
        setattr(self, name, found)
        return found

    @cached_property
    def converted_at(self) -> Expression:
        """Conversions by check date, ``[school, date]``."""
        return Expression.of(self._columns.converted, self._columns.axes["converted"])

    @cached_property
    def converted(self) -> Expression:
        """Conversions by 1 September, ``[school, year]``."""
        return self._converted(self._given.dates.autumn)

    @cached_property
    def converted_december(self) -> Expression:
        """Conversions by 31 December, where that is a check date, ``[school, year]``."""
        return self._converted(self._given.dates.december)

    def _converted(self, check: Index) -> Expression:
        school = self._axis.provider, self._axis.year
        return Expression.of(self._columns.converted[:, check], school)

    @cached_property
    def open_at(self) -> Expression:
        """Copies of projects in use by check date, ``[project, date]``."""
        return Expression.of(self._columns.open, self._columns.axes["open"])

    @cached_property
    def open(self) -> Expression:
        """Copies of projects in use on 1 September, ``[project, year]``."""
        autumn = self._given.dates.autumn
        return Expression.of(self._columns.open[:, autumn], (self._axis.project, self._axis.year))

    @cached_property
    def opened_since(self) -> Expression:
        """Copies that open between 1 September and 31 December, ``[project, year]``."""
        column, dates = self._columns.open, self._given.dates
        autumn, december = column[:, dates.autumn], column[:, dates.december]
        moved, axes = autumn != december, (self._axis.project, self._axis.year)
        late, early = (np.where(moved, one, -1) for one in (december, autumn))
        return Expression.of(late, axes) - Expression.of(early, axes)

    @cached_property
    def enrolled(self) -> Expression:
        """Pupils of all grades, ``[school, year]``."""
        return self._of_providers(np.ones(len(self._given.providers.school), bool))

    @cached_property
    def intake(self) -> Expression:
        """Pupils of first grades, ``[school, year]``."""
        seats, axis = self._columns.seats, self._axis.provider
        into = np.where(seats.before < 0, seats.provider, -1)
        return self.pupils.group(into, len(self._given.providers.school), [axis])

    @cached_property
    def grown(self) -> Expression:
        """``progression · pupils[t − 1]`` of the grade below (of ``rolls`` in the first year).

        Who moves up and is still in the area, ``[school × band, year]``; nobody in first grades.
        """
        seats, column = self._columns.seats, self._columns.pupils
        up = np.flatnonzero(seats.before >= 0)
        progression, observed = np.zeros(column.shape), np.zeros(column.shape)
        progression[up], observed[up] = moving_up(self._given, seats, up)
        before = np.where((seats.before >= 0)[:, None], column[seats.before], -1)
        below = Expression.of(before, self.pupils.axes)
        return (below.previous() + observed) * progression

    @cached_property
    def turns(self) -> Expression:
        """Schools that convert since the autumn before, ``[school, year]``."""
        return self.converted - self.converted.previous()

    @cached_property
    def handed_over(self) -> Expression:
        """Share of a school's staff taken over as it converts: all, or by its pupils."""
        if not self._given.scenario.settings.counts_brought:
            return self.turns
        pupils = self._given.providers.pupils[:, None]
        each: Array = np.divide(1.0, pupils, out=np.zeros_like(pupils), where=pupils > 0)
        return each * self.pupils_brought

    @cached_property
    def public_pupils(self) -> Expression:
        """Pupils of public and of converted providers, ``[school, year]``."""
        return self._of_providers(self._given.providers.public) + self.public

    def _of_providers(self, flag: Flag) -> Expression:
        """Return pupils of all grades at flagged providers, ``[school, year]``."""
        provider = self._columns.seats.provider
        into = np.where(flag[provider], provider, -1)
        return self.pupils.group(into, len(flag), [self._axis.provider])

    @cached_property
    def new_seats(self) -> Expression:
        """Standard seats that projects add, until their life ends, ``[school, year]``."""
        if self._new_seats is not None:
            return self._new_seats
        projects, count = self._given.projects, len(self._given.providers.school)
        built = self.brought(np.where(projects.row_campus, 0.0, projects.row_places))
        owner = projects.row_provider[projects.row_campus]
        return built + self.shared.group(owner, count, [self._axis.provider])

    @cached_property
    def places_given_up(self) -> Expression:
        """Places that projects take out of use: ``places_given_up · open``, ``[school, year]``."""
        projects, count = self._given.projects, len(self._given.providers.school)
        row = np.flatnonzero(projects.row_given_up > 0)
        places = projects.row_given_up[row, None] * self.open[projects.row_project[row]]
        return places.group(projects.row_provider[row], count, [self._axis.provider])

    @cached_property
    def seats(self) -> Expression:
        """Standard seats: those there are, less given up, and new ones, ``[school, year]``."""
        return self.new_seats + self._given.providers.places[:, None] - self.places_given_up

    @cached_property
    def beds(self) -> Expression:
        """Boarding places: those there are, those of projects in their life, ``[school, year]``."""
        there = self._given.providers.boarding[:, None]
        return self.brought(self._given.projects.row_boarding) + there

    def brought(self, places: Array) -> Expression:
        """Return ``places · (open[t] − open[t − life])`` by provider, ``[school, year]``."""
        projects = self._given.projects
        row = np.flatnonzero((projects.row_provider >= 0) & (places > 0))
        in_use = self.open[projects.row_project[row]] - self.ended(row)
        return (places[row, None] * in_use).group(
            projects.row_provider[row], len(self._given.providers.school), [self._axis.provider]
        )

    @cached_property
    def seats_lost(self) -> Expression:
        """Seats given up, or whose life has ended, since the year before, ``[school, year]``."""
        projects, count = self._given.projects, len(self._given.providers.school)
        row = np.flatnonzero((projects.row_provider >= 0) & (projects.row_places > 0))
        ended = projects.row_places[row, None] * self.ended(row)
        over = ended.group(projects.row_provider[row], count, [self._axis.provider])
        lost = over + self.places_given_up
        return lost - lost.previous()

    def ended(self, row: Index) -> Expression:
        """Return copies of project rows whose life has ended, ``open[t − life]``, ``[row, t]``."""
        projects, dates = self._given.projects, self._given.dates
        life = np.nan_to_num(projects.row_life[row], nan=1e6).astype(np.int64)
        past = np.arange(len(dates.autumn)) - life[:, None]
        then = dates.autumn[np.maximum(past, 0)]
        column = self._columns.open[projects.row_project[row, None], then]
        return Expression.of(np.where(past >= 0, column, -1))

    @cached_property
    def joined(self) -> Expression:
        """Pupils who join private kindergartens, less who leave, as some turn inclusive."""
        return self.joining - self.leaving

    @cached_property
    def joining(self) -> Expression:
        """Pupils whose kindergartens have joined an area's inclusive ones, ``[school, year]``."""
        projects = self._given.projects
        pool = inclusive_pool(self._given)[projects.row_area, projects.row_stage]
        return self._turned(np.where(projects.row_pupils > 0, pool, -1))

    @cached_property
    def leaving(self) -> Expression:
        """Pupils whose kindergartens have left a private provider so, ``[school, year]``."""
        projects = self._given.projects
        return self._turned(np.where(projects.row_pupils > 0, projects.row_leaves, -1))

    def _turned(self, into: Index) -> Expression:
        """Sum the pupils of open inclusive kindergartens by provider, one of each project row."""
        projects, count = self._given.projects, len(self._given.providers.school)
        row = np.flatnonzero(into >= 0)
        turned = projects.row_pupils[row, None] * self.open[projects.row_project[row]]
        return turned.group(into[row], count, [self._axis.provider])


@dataclass(frozen=True)
class Formulation:
    """Data, links, variables and costs of one model."""

    given: ModelData
    links: Links
    columns: Variables
    ledger: Ledger
    x: Expressions

    @cached_property
    def axis(self) -> Axes:
        """The axes along which constraints stand."""
        return Axes(self.given)

    @cached_property
    def years(self) -> int:
        """Number of planned years."""
        return len(self.given.space.years)

    @property
    def stage_names(self) -> Text:
        """Names of the planned stages."""
        return self.given.space.stage_names

    def in_force(self, table: Mapping[int, float]) -> Array:
        """Return the value of a stepped table in every planned year; NaN before the first."""
        values = [stepped(table, int(year)) for year in self.given.space.years]
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def of_stage(self, name: str) -> Flag:
        """Flag the providers of a stage ``[j]``; none where it is not planned."""
        return np.asarray(self.stage_names[self.given.providers.stage] == name)


def moving_up(given: ModelData, seats: Seats, seat: Index) -> tuple[Array, Array]:
    """Return ``progression`` and ``observed`` of seats that have a grade below, ``[seat, t]``."""
    space, providers, j = given.space, given.providers, seats.provider[seat]
    grade = space.bands.grade[seats.band]
    progression = space.progression[providers.area[j], grade[seat]]
    observed = np.zeros_like(progression)
    observed[:, 0] = providers.rolls[j, grade[seats.before[seat]]]
    return progression, observed


def add_limit(
    m: Builder,
    parts: Formulation,
    name: str,
    kind: str,
    used: Expression,
    *,
    unit: float = 1.0,
    cumulative: bool = False,
) -> None:
    """Add ``used ≤ limit`` by county, and for the whole where ``*`` is limited.

    ``used [county, year]`` is in ``unit`` of the limits. ``cumulative`` adds the quotas up over the
    years, from the first one given on.
    """
    county, whole = limits_of(parts.given, kind)
    if cumulative:
        county, whole = _running_total(county), _running_total(whole[None, :])[0]
    used = used.labelled(parts.axis.county, parts.axis.year)
    together = used.group(np.zeros(len(county), np.int64), 1, [WHOLE])
    m.add(name, used <= county / unit, ~np.isnan(county))
    m.add(name, together <= whole / unit, ~np.isnan(whole))


def _running_total(amount: Array) -> Array:
    begun = np.cumsum(~np.isnan(amount), axis=1) > 0
    return np.where(begun, np.cumsum(np.nan_to_num(amount), axis=1), np.nan)
