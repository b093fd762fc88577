"""Targets: private share and reduction, programmes and choices, floors, kindergarten sectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from capsim.lp.array_types import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.labels import Axis
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation
from capsim.model.data import ModelData, codes
from capsim.model.variables import WHOLE


def define_share(m: Builder, f: Formulation) -> None:
    """Cap the private share of compulsory enrolment on 31 December.

    For the whole, or by county; purchased places count if the policy says so. In years without
    that check date ``fee_december`` is ``fee``.

    Rows
    ----
    share.december
        Fee-paying pupils in December are autumn's less those bought since, none at a school
        converted since.
    share.cap
        Counted private pupils are at most the cap times enrolment.
        Price: a private pupil; in percentage points: `cap`.
    """
    x, axis, given = f.x, f.axis, f.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    bought = x.purchased_december - x.purchased
    turned = providers.cap[:, None] * (x.converted_december - x.converted)
    two = x.fee.exists & given.dates.december_year
    m.add("share.december", x.fee_december >= x.fee - bought - turned, two)

    cap = f.in_force(policy.private_share_cap)
    by_county = policy.share_scope == "county"
    groups, of_groups = (len(space.counties), axis.county) if by_county else (1, WHOLE)
    group = providers.county if by_county else np.zeros_like(providers.county)
    counted = x.fee_december + policy.purchased_counts_as_private * x.purchased_december
    private = counted.group(group, groups, [of_groups])
    if policy.share_denominator == "school":
        compulsory = np.where(space.compulsory[providers.stage], group, -1)
        enrolment: Expression | Array = x.enrolled.group(compulsory, groups, [of_groups])
    else:
        children = np.zeros((groups, f.years))
        of_area = space.children[:, space.grade_compulsory].sum(axis=1)
        np.add.at(children, space.county if by_county else 0 * space.county, of_area)
        enrolment = children
    m.add("share.cap", private <= cap * enrolment, ~np.isnan(cap))


def define_reduction(m: Builder, f: Formulation) -> None:
    """Make counted private pupils fall as ordered by 1 September of a year.

    Rows
    ----
    reduction
        The fall in counted private pupils is at least the ordered one.
        Price: a pupil of the order: `reduction`.
    """
    x, given = f.x, f.given
    policy = given.scenario.settings.policy
    year = np.flatnonzero(given.space.years == policy.reduction_year)
    if policy.reduction <= 0 or not len(year):
        return
    base = float(given.providers.rolls[given.providers.levered].sum())
    counted = x.fee + policy.purchased_counts_as_private * x.purchased
    m.add("reduction", base - counted[:, year].sum(0) >= policy.reduction)


def define_programme(m: Builder, f: Formulation) -> None:
    """Require a programme's number of projects in use by its date.

    Rows
    ----
    programme
        So many projects of a programme are in use on the last check date by its own.
        Price: a project asked for: `programme`.
    """
    dates, programmes = f.given.dates, f.given.scenario.settings.programmes
    by = np.array([str(programme.by) for programme in programmes.values()], object)
    number = np.array([programme.number for programme in programmes.values()], np.float64)
    last = np.searchsorted(dates.date.astype(str), by.astype(str), side="right") - 1
    names = np.array(list(programmes), object)
    own = codes(f.given.projects.programme, names)
    member = np.flatnonzero((own >= 0) & (np.append(last, -1)[own] >= 0))
    in_use = f.x.open_at[member, last[own[member]]]
    count = in_use.group(own[member], len(names), [Axis.of(programme=names)])
    m.add("programme", count >= number)


def define_choice(m: Builder, f: Formulation) -> None:
    """Keep to the number of projects that may be chosen from a set: so many at least, or at most.

    Rows
    ----
    choice.least
        So many copies of a choice's projects are in use on the last check date by its own.
        Price: a project less asked for: `choice`.
    choice.most
        No more copies of a choice's projects are in use on the last check date by its own.
        Price: a project more allowed: `choice`.
    """
    choices = f.given.scenario.settings.choices
    least = np.array([choice.least for choice in choices.values()], np.float64)
    most = np.array([choice.most for choice in choices.values()], np.float64)
    names = np.array(list(choices), object)
    own, project, last = chosen_projects(f.given)
    in_use = f.x.open_at[project, last]
    count = in_use.group(own, len(names), [Axis.of(choice=names)])
    m.add("choice.least", count >= least, least > 0)
    m.add("choice.most", count <= most, ~np.isnan(most))


def chosen_projects(given: ModelData) -> tuple[Index, Index, Index]:
    """List the projects of every choice: choice, project and the last check date by its own."""
    projects, dates = given.projects, given.dates.date.astype(str)
    parts = [np.zeros((3, 0), np.int64)]
    for i, choice in enumerate(given.scenario.settings.choices.values()):
        of_kind = projects.candidate & np.isin(projects.kind, choice.kinds)
        project = np.flatnonzero(np.isin(projects.project, choice.projects) | of_kind)
        last = np.sum(dates <= str(choice.by or dates[-1])) - 1 if len(dates) else -1
        if last >= 0:
            parts.append(np.stack([np.full(len(project), i), project, np.full(len(project), last)]))
    own, project, last_check = np.concatenate(parts, axis=1)
    return own, project, last_check


def define_floors(m: Builder, f: Formulation) -> None:
    """Set floors on enrolment, and on public and inclusive shares of kindergartens.

    They hold on 31 December.

    Rows
    ----
    floors.kindergarten_enrolment
        Enrolled children are at least a share of those of the ages.
        Price: a child of the floor: `floor`.
    floors.senior_enrolment
        The same for the senior stage.
        Price: a child of the floor: `floor`.
    floors.kindergarten_public
        Public kindergartens have at least their share of the enrolled.
        Price: a child of the floor: `floor`.
    floors.kindergarten_inclusive
        Public and inclusive kindergartens, with those turned since, have at least their share.
        Price: a child of the floor: `floor`.
    """
    x, providers, floors = f.x, f.given.providers, f.given.scenario.settings.floors
    demand = f.given.scenario.settings.demand
    for stage, floor in (
        (STAGE, floors.kindergarten_enrolment),
        ("senior", floors.senior_enrolment),
    ):
        _add_enrolment(m, f, stage, floor, demand.elsewhere.get(stage, 0.0))
    here = f.of_stage(STAGE)
    if STAGE not in f.stage_names:
        return
    everyone = x.enrolled.sum(0, where=here[:, None])
    public = x.enrolled.sum(0, where=(here & providers.public)[:, None])
    share = f.in_force(floors.kindergarten_public)
    m.add("floors.kindergarten_public", public >= share * everyone, ~np.isnan(share))

    inclusive = x.enrolled.sum(0, where=(here & (providers.public | providers.inclusive))[:, None])
    projects = f.given.projects
    of_stage = f.stage_names[projects.row_stage] == STAGE
    row = np.flatnonzero((projects.row_pupils > 0) & of_stage)
    since = x.opened_since[projects.row_project[row]]
    turned = (projects.row_pupils[row, None] * since).sum(0)
    share = f.in_force(floors.kindergarten_inclusive)
    m.add("floors.kindergarten_inclusive", inclusive + turned >= share * everyone, ~np.isnan(share))


def _add_enrolment(
    m: Builder, f: Formulation, stage: str, least_share: Mapping[int, float], elsewhere: float
) -> None:
    """Add the floor on enrolment in a stage, in years in which all of the ages are known."""
    space = f.given.space
    if stage not in f.stage_names:
        return
    grades = np.flatnonzero(f.stage_names[space.grade_stage] == stage)
    bands = np.flatnonzero(f.stage_names[space.bands.stage] == stage)
    known = ~np.isnan(space.population[:, grades]).any(axis=(0, 1))
    t = np.flatnonzero(known & ~np.isnan(f.in_force(least_share)))
    floor = f.in_force(least_share)[t]
    population = space.population[:, grades][:, :, t].sum(axis=(0, 1))
    children = space.children[:, grades][:, :, t].sum(axis=(0, 1))
    enrolled = children / (1.0 - elsewhere) - f.x.shortfall[:, bands][:, :, t].sum((0, 1))
    m.add(f"floors.{stage}_enrolment", enrolled >= floor * population)


STAGE = "kindergarten"
SECTORS = np.array(["public", "inclusive", "other"], object)


def define_kindergarten(m: Builder, f: Formulation) -> None:
    """Keep sector shares in kindergartens as they were, but for openings and those that turn.

    ``share`` is a sector's share of the enrolled of the base year; an area without pupils then has
    no rule.

    Rows
    ----
    kindergarten
        A sector's enrolment in an area is at most its share of all, and what opens (public) or
        turns (inclusive).
        Price: none: a child who may leave the usual sector.
    """
    x, axis, given = f.x, f.axis, f.given
    space, providers, projects = given.space, given.providers, given.projects
    here = f.of_stage(STAGE)
    if STAGE not in f.stage_names:
        return
    sector = np.where(providers.public, 0, np.where(providers.inclusive, 1, 2))
    cells, of_cells = (len(space.areas), len(SECTORS)), [axis.area, Axis.of(sector=SECTORS)]
    base = np.zeros(cells)
    np.add.at(base, (providers.area[here], sector[here]), providers.rolls[here].sum(axis=1))
    total = base.sum(axis=1)[:, None]
    share = (base / np.where(total > 0, total, 1.0))[..., None]

    area = np.where(here, providers.area, -1)
    of_sector = x.enrolled.group((area, sector), cells, of_cells)
    everyone = x.enrolled.group(area, len(space.areas), [axis.area])[:, None]
    opened = x.new_seats.group((np.where(providers.public, area, -1), sector), cells, of_cells)
    row = np.flatnonzero((projects.row_pupils > 0) & (f.stage_names[projects.row_stage] == STAGE))
    inclusive = np.ones(len(row), np.int64)
    children = projects.row_pupils[row, None] * x.open[projects.row_project[row]]
    turned = children.group((projects.row_area[row], inclusive), cells, of_cells)
    m.add("kindergarten", of_sector <= share * everyone + opened + turned, (total > 0)[..., None])
