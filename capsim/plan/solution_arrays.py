"""A solution read by meaning: its columns as arrays, and the sums that plans are compared by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capsim.lp.array_types import Array, Flag, Index
from capsim.model.constraint_context import Formulation
from capsim.model.constraints.capacity import chords
from capsim.model.data import stepped
from capsim.model.grade_groups import parts_of
from capsim.model.model import Model
from capsim.model.objectives import criterion


@dataclass(frozen=True)
class Solution:
    """Arrays of a solution, by provider ``j``, year ``t`` and so on, all in persons unless said.

    Pupils are as solved; over-filling, displaced children, large classes and fee-paying pupils on
    31 December are recomputed as the exact excess that the rows only bound from below.
    """

    parts: Formulation
    x: Array

    def value(self, column: Index) -> Array:
        """Values of columns; 0 where there is none."""
        return np.where(column >= 0, self.x[column], 0.0)

    @cached_property
    def pupils(self) -> Array:
        """``[provider × band, t]``."""
        return self.value(self.parts.columns.pupils)

    @cached_property
    def flow(self) -> Array:
        """Children on links by grade, ``[link, grade, t]``: a band's as those who live there."""
        space, links = self.parts.given.space, self.parts.links
        flow = np.zeros((len(links.area), len(space.bands.name), self.parts.years))
        flow[links.pair_link, links.pair_band] = self.value(self.parts.columns.flow)
        return np.asarray(flow[:, space.bands.of_grade] * space.bands.share[links.area])

    @cached_property
    def shortfall(self) -> Array:
        """Children without a place, ``[area, grade, t]``."""
        bands = self.parts.given.space.bands
        return self.value(self.parts.columns.shortfall)[:, bands.of_grade] * bands.share

    @cached_property
    def by_grade(self) -> Array:
        """Pupils ``[j, grade, t]``: a band's as those who arrive; 0 outside the stage."""
        given, links, seats = self.parts.given, self.parts.links, self.parts.columns.seats
        providers, bands = given.providers, given.space.bands
        arrived = np.zeros((len(given.space.areas) + len(providers.school), *self.flow.shape[1:]))
        own = len(given.space.areas) + np.arange(len(providers.school))
        to = np.where(links.to_area >= 0, links.to_area, np.append(own, -1)[links.to_provider])
        np.add.at(arrived, to, self.flow)
        part = parts_of(arrived, bands.of_grade)[np.where(providers.own_links, own, providers.area)]
        pupils = np.zeros((len(providers.school), len(bands.name), self.parts.years))
        pupils[seats.provider, seats.band] = self.pupils
        return np.asarray(pupils[:, bands.of_grade] * part)

    @cached_property
    def enrolled(self) -> Array:
        """All grades, ``[j, t]``."""
        return self.parts.x.enrolled.value(self.x)

    @cached_property
    def open(self) -> Array:
        """Copies in use, ``[m, k]``."""
        return np.round(self.value(self.parts.columns.open))

    @cached_property
    def converted(self) -> Array:
        """0 or 1, ``[j, k]``."""
        return np.round(self.value(self.parts.columns.converted))

    @cached_property
    def given_up(self) -> Array:
        """0 or 1, ``[j, t]``."""
        return np.round(self.value(self.parts.columns.given_up))

    @cached_property
    def pupils_brought(self) -> Array:
        """Pupils of the autumn before, where a school converts, ``[j, t]``."""
        given = self.parts.given
        turns = np.diff(self.converted[:, given.dates.autumn], axis=1, prepend=0.0)
        base = given.providers.rolls.sum(axis=1)
        return np.asarray(turns * np.column_stack([base, self.enrolled[:, :-1]]))

    @cached_property
    def handed_over(self) -> Array:
        """Share of a school's staff taken over in a year, ``[j, t]``."""
        given = self.parts.given
        if not given.scenario.settings.counts_brought:
            return np.diff(self.converted[:, given.dates.autumn], axis=1, prepend=0.0)
        pupils = given.providers.pupils[:, None]
        return np.divide(
            self.pupils_brought, pupils, out=np.zeros_like(self.enrolled), where=pupils > 0
        )

    @cached_property
    def public(self) -> Array:
        """Public pupils, ``[j, t]``: all of public providers, those of converted ones, else 0."""
        public = self.parts.given.providers.public[:, None]
        return np.where(public, self.enrolled, self.value(self.parts.columns.public))

    @cached_property
    def purchased(self) -> Array:
        """``[j, t]`` on 1 September."""
        return self.value(self.parts.columns.purchased)

    @cached_property
    def purchased_december(self) -> Array:
        """``[j, t]`` on 31 December."""
        return self.value(self.parts.columns.purchased_december)

    @cached_property
    def fee(self) -> Array:
        """Fee-paying pupils on 1 September, ``[j, t]``; all of other private providers."""
        providers = self.parts.given.providers
        other = (~providers.public & ~providers.levered)[:, None]
        return np.where(other, self.enrolled, self.value(self.parts.columns.fee))

    @cached_property
    def fee_december(self) -> Array:
        """Fee-paying pupils on 31 December, ``[j, t]``."""
        dates = self.parts.given.dates
        turned = self.converted[:, dates.december] > self.converted[:, dates.autumn]
        left = self.fee + self.purchased - self.purchased_december
        return np.where(turned, 0.0, np.maximum(left, 0.0))

    @cached_property
    def places_given_up(self) -> Array:
        """Places that projects take out of use, ``[j, t]``."""
        return self.parts.x.places_given_up.value(self._whole)

    @cached_property
    def seats_new(self) -> Array:
        """Standard seats of projects, less those given up beyond the old places, ``[j, t]``."""
        new = self.parts.x.new_seats.value(self._whole)
        return np.asarray(new - np.maximum(self.places_given_up - self._old_places, 0.0))

    @cached_property
    def seats_existing(self) -> Array:
        """Old places of public schools that are still in use, ``[j, t]``."""
        return np.maximum(self._old_places - self.places_given_up, 0.0)

    @cached_property
    def _whole(self) -> Array:
        """The solution with whole numbers of projects in use."""
        column, x = self.parts.columns.open, self.x.copy()
        x[column[column >= 0]] = np.round(x[column[column >= 0]])
        return x

    @cached_property
    def _old_places(self) -> Array:
        providers = self.parts.given.providers
        return np.where(providers.public, providers.places, 0.0)[:, None]

    @cached_property
    def seats_converted(self) -> Array:
        """Standard seats of converted schools, ``[j, t]``."""
        going_on = self.converted[:, self.parts.given.dates.autumn] - self.given_up
        return self.parts.given.providers.places[:, None] * going_on

    @cached_property
    def seats(self) -> Array:
        """All standard public seats, ``[j, t]``."""
        return self.seats_existing + self.seats_new + self.seats_converted

    @cached_property
    def overfill(self) -> Array:
        """Public pupils above standard seats, ``[j, t]``."""
        if not self.parts.given.scenario.settings.switches.seats:
            return np.zeros_like(self.public)
        return np.where(
            self.parts.columns.overfill >= 0, np.maximum(self.public - self.seats, 0.0), 0.0
        )

    @cached_property
    def displaced(self) -> Array:
        """Children made to change school in mid-stage, ``[provider × band, t]``."""
        parts = self.parts
        if not parts.given.scenario.settings.switches.continuity:
            return np.zeros_like(self.pupils)
        seats, providers = parts.columns.seats, parts.given.providers
        grade = parts.given.space.bands.grade[seats.band]
        rolls = providers.rolls[seats.provider, grade]
        last = np.concatenate([rolls[:, None], self.pupils[:, :-1]], axis=1)[seats.before]
        ratio = parts.given.space.progression[providers.area[seats.provider], grade]
        exact = np.maximum(ratio * last - self.pupils, 0.0)
        return np.where(parts.columns.displaced >= 0, exact, 0.0)

    def beyond(self, one: Index, other: Index) -> Array:
        """By how much columns are above others, 0 where they are not: what comes less what goes."""
        return np.maximum(self.value(one) - self.value(other), 0.0)

    @cached_property
    def moves(self) -> tuple[Array, Array, Array, Array]:
        """Teachers to and from other stages, to and from other counties, ``[c, s, t]``.

        Of those who come and those who go only what is beyond the other.
        """
        v = self.parts.columns
        return (
            self.beyond(v.to_stage, v.from_stage),
            self.beyond(v.from_stage, v.to_stage),
            self.beyond(v.to_county, v.from_county),
            self.beyond(v.from_county, v.to_county),
        )

    @cached_property
    def classes(self) -> Array:
        """Classes of public providers in compulsory stages, ``[j, t]``; 0 for others."""
        return self._classes(self.seats_existing + self.seats_new)

    @cached_property
    def large_classes(self) -> Array:
        """Classes of ``large_class`` pupils or more, ``[j, t]``."""
        return self._large_classes(self.classes, self.enrolled)

    @cached_property
    def classes_from_base(self) -> tuple[Array, Array]:
        """Classes and, of these, large ones, ``[j, year]``, the base year first."""
        providers = self.parts.given.providers
        base = self._classes(providers.places[:, None])
        large = self._large_classes(base, providers.rolls.sum(axis=1)[:, None])
        return (
            np.hstack([base, self.classes]),
            np.hstack([np.minimum(large, base), self.large_classes]),
        )

    @cached_property
    def _counts_classes(self) -> Flag:
        """Whether a provider's classes are counted, ``[j, 1]``."""
        counted = (self.parts.columns.large_classes >= 0).any(axis=1, keepdims=True)
        return np.asarray(counted)

    def _classes(self, seats: Array) -> Array:
        size = self.parts.given.space.by_stage("class_size")[self.parts.given.providers.stage]
        return np.where(self._counts_classes, seats / size[:, None], 0.0)

    def _large_classes(self, classes: Array, pupils: Array) -> Array:
        space, stage = self.parts.given.space, self.parts.given.providers.stage
        sd = self.parts.given.scenario.settings.policy.class_size_sd
        out = np.zeros_like(classes)
        for s, large in enumerate(space.by_stage("large_class")):
            mine = stage == s
            for alpha, beta in zip(*chords(large, sd), strict=True):
                out[mine] = np.maximum(out[mine], alpha * classes[mine] + beta * pupils[mine])
        return np.where(self._counts_classes, out, 0.0)

    @cached_property
    def exact(self) -> Array:
        """Return the solution with every derived column at its exact value."""
        v, x = self.parts.columns, self.x.copy()
        for column, value in (
            (v.overfill, self.overfill),
            (v.displaced, self.displaced),
            (v.large_classes, self.large_classes),
            (v.fee_december, self.fee_december),
            *zip((v.to_stage, v.from_stage, v.to_county, v.from_county), self.moves, strict=True),
            (v.open, self.open),
            (v.converted, self.converted),
            (v.given_up, self.given_up),
            (v.pupils_brought, self.pupils_brought),
        ):
            keep = column >= 0
            x[column[keep]] = value[keep]
        return x


TOTALS = ("shortfall", "displaced", "purchased", "opened", "converted", "private_share")


def totals(model: Model, x: Array) -> dict[str, float]:
    """Sum a solution up; fractions of a relaxation stay fractions.

    Returns
    -------
    dict
        ``shortfall`` and ``displaced`` (children, each planned year counted), ``purchased`` (places
        on 31 December, each year counted), ``opened`` (copies of candidates in use at the end),
        ``converted`` (schools at the end), ``private_share`` (as the cap counts it, on 31 December
        of the first planned year with a cap, else of the last year; NaN without pupils).
    """
    v, given = model.columns, model.given

    def total(column: Index) -> float:
        return float(x[column[column >= 0]].sum())

    return {
        "shortfall": total(v.shortfall),
        "displaced": total(v.displaced),
        "purchased": total(v.purchased_december),
        "opened": total(v.open[given.projects.candidate][:, -1:]),
        "converted": total(v.converted[:, -1:]),
        "private_share": _private_share(model, x),
    }


def _private_share(model: Model, x: Array) -> float:
    v, given = model.columns, model.given
    space, dates, providers = given.space, given.dates, given.providers
    policy = given.scenario.settings.policy
    if not len(space.years):
        return float("nan")
    caps = [stepped(policy.private_share_cap, int(year)) is not None for year in space.years]
    t = caps.index(True) if True in caps else len(space.years) - 1

    def value(column: Index) -> Array:
        return np.where(column >= 0, x[column], 0.0)

    turned = value(v.converted[:, dates.december[t]]) - value(v.converted[:, dates.autumn[t]])
    bought = value(v.purchased_december[:, t])
    fee = value(v.fee[:, t]) + value(v.purchased[:, t]) - bought - providers.cap * turned
    private = np.where(providers.levered, np.maximum(fee, 0.0), 0.0).sum()
    if policy.purchased_counts_as_private:
        private += bought.sum()
    if policy.share_denominator == "school":
        inside = space.compulsory[providers.stage[v.seats.provider]]
        everyone = float(value(v.pupils[inside][:, t]).sum())
    else:
        everyone = float(space.children[:, space.grade_compulsory, t].sum())
    return float(private / everyone) if everyone > 0 else float("nan")


def values(model: Model, x: Array, names: Sequence[str]) -> dict[str, float]:
    """Return criteria at a solution, derived columns (over-filling, …) at their exact values."""
    exact = Solution(model.parts, x).exact
    return {name: criterion(model, name).value(exact) for name in names}
