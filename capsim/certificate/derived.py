"""What follows from the decisions: seats, over-filling, large classes, December figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from capsim.certificate.decisions import Decisions
from capsim.certificate.given import Given
from capsim.certificate.ledger import Floats

CHORD_ENDS = np.arange(40.0, 55.1, 2.5)


@dataclass(frozen=True)
class Derived:
    """Implied quantities; ``[j, t]`` in planned years unless said.

    ``copies[m, t0..]`` and ``copies_december[m, t]``; ``converted[j, t0..]`` and
    ``converted_december[j, t]``; ``total[j, t0..]`` pupils; ``excess[j, t]`` pupils above standard
    seats; ``taken_over[c, t]`` teachers by region.
    """

    copies: Floats
    copies_december: Floats
    converted: Floats
    converted_december: Floats
    total: Floats
    new_seats: Floats
    public_seats: Floats
    converted_seats: Floats
    public_pupils: Floats
    excess: Floats
    fee_december: Floats
    classes: Floats
    large_classes: Floats
    displaced: Floats
    taken_over: Floats

    @property
    def standard_seats(self) -> Floats:
        """Standard seats of public providers and converted schools."""
        return self.public_seats + self.converted_seats


def derive(given: Given, plan: Decisions) -> Derived:
    """Follow the decisions through `docs/model.md`."""
    providers = given.providers
    copies = plan.autumn(given, plan.opened)
    converted = plan.autumn(given, plan.converted)
    december = plan.december(given, plan.converted)
    total = plan.pupils.sum(axis=1)
    public = providers.public[:, None]
    levered = providers.levered[:, None]
    added = np.where(public, new_seats(given, copies), 0.0)
    public_seats = np.where(public, providers.places[:, None] + added, 0.0)
    converted_seats = np.where(levered, providers.places[:, None] * converted[:, 1:], 0.0)
    public_pupils = np.where(public, total[:, 1:], np.where(levered, plan.public, 0.0))
    excess = np.maximum(public_pupils - public_seats - converted_seats, 0.0)
    turning = december - converted[:, 1:]
    fee = np.where(levered, plan.fee_paying, np.where(public, 0.0, total[:, 1:]))
    fee_december = (fee + plan.purchased - plan.purchased_december) * (1.0 - turning)
    in_rule = public & providers.compulsory[:, None]
    size = given.per_stage("class_size")[providers.stage][:, None]
    classes = np.where(in_rule, public_seats / size, 0.0)
    taken = np.diff(converted, axis=1) * taken_over_staff(given)[:, None]
    return Derived(
        copies=copies,
        copies_december=plan.december(given, plan.opened),
        converted=converted,
        converted_december=december,
        total=total,
        new_seats=added,
        public_seats=public_seats,
        converted_seats=converted_seats,
        public_pupils=public_pupils,
        excess=excess if given.on("seats") else np.zeros_like(excess),
        fee_december=fee_december,
        classes=classes,
        large_classes=np.where(in_rule, large_classes(given, classes, total[:, 1:]), 0.0),
        displaced=displaced(given, plan.pupils),
        taken_over=given.by_county(taken, providers.county),
    )


def new_seats(given: Given, copies: Floats, column: str = "places") -> Floats:
    """Places that projects add to providers ``[j, t]``; they end after the project's life."""
    rows, projects = given.projects.rows, given.projects
    out = np.zeros((len(given.providers.names), len(given.years)))
    places = rows[column].to_numpy(np.float64)
    for r in np.flatnonzero(projects.provider >= 0):
        in_use = copies[projects.of[r]]
        life = projects.life[r]
        ended = np.zeros_like(in_use)
        if life < len(in_use):
            ended[int(life) :] = in_use[: len(in_use) - int(life)]
        out[projects.provider[r]] += places[r] * (in_use - ended)[1:]
    return out


def large_classes(given: Given, classes: Floats, pupils: Floats) -> Floats:
    """Classes of `large_class` or more, from the chords of the normal tail."""
    sd = float(given.settings.policy.class_size_sd)
    large = given.per_stage("large_class")
    out = np.zeros_like(classes)
    for s in np.flatnonzero(given.compulsory_stages):
        tail = 1.0 - ndtr((large[s] - 0.5 - CHORD_ENDS) / sd)
        slope = np.diff(tail) / np.diff(CHORD_ENDS)
        level = tail[:-1] - slope * CHORD_ENDS[:-1]
        mine = given.providers.stage == s
        chords = level[:, None, None] * classes[mine] + slope[:, None, None] * pupils[mine]
        out[mine] = np.maximum(chords.max(axis=0), 0.0)
    return out


def displaced(given: Given, pupils: Floats) -> Floats:
    """Children made to change school in mid-stage ``[j, g, t]``, compulsory stages."""
    providers = given.providers
    out = np.zeros((len(providers.names), len(given.grades), len(given.years)))
    if not given.on("continuity"):
        return out
    stay = staying(given, pupils)
    applies = providers.teaches & (given.previous >= 0) & providers.compulsory[:, None]
    return np.where(applies[:, :, None], np.maximum(stay - pupils[:, :, 1:], 0.0), out)


def staying(given: Given, pupils: Floats) -> Floats:
    """Last year's children of the grade before who are still there ``[j, g, t]``."""
    return given.progression[given.providers.area] * pupils[:, given.previous, :-1]


def taken_over_staff(given: Given) -> Floats:
    """Teachers taken over if a school converts ``[j]``."""
    providers = given.providers
    staffed = np.isin(given.stage_names, list(given.settings.staff.stages))[providers.stage]
    ratio = float(given.settings.policy.takeover_ratio)
    return np.where(providers.levered & staffed, ratio * providers.staff, 0.0)
