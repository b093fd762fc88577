"""The targets of a scenario: what is required, what the plan achieves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array
from capsim.model.constraints.policy import STAGE
from capsim.model.data import stepped
from capsim.plan.solution import Solution

TOLERANCE = 1e-6
COLUMNS = ("id", "what", "by", "required", "achieved", "holds")
Row = tuple[str, str, str, float, float, bool]


def targets_table(solved: Solution, shares: pd.DataFrame, reduction: pd.DataFrame) -> pd.DataFrame:
    """List the targets in force; ``holds`` allows 1e-6 of the required figure, at least 1e-6."""
    rows = [
        *_placement(solved),
        *_reduction(solved, reduction),
        *_shares(solved, shares),
        *_programmes(solved),
        *_floors(solved),
        *_large_classes(solved),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"required": float, "achieved": float, "holds": bool})


def _most(name: str, what: str, by: str, required: float, achieved: float) -> Row:
    return (
        name,
        what,
        by,
        required,
        achieved,
        bool(achieved <= required + TOLERANCE * max(1.0, abs(required))),
    )


def _least(name: str, what: str, by: str, required: float, achieved: float) -> Row:
    return (
        name,
        what,
        by,
        required,
        achieved,
        bool(achieved >= required - TOLERANCE * max(1.0, abs(required))),
    )


def _placement(solved: Solution) -> Iterator[Row]:
    short = solved.value(solved.parts.columns.shortfall).sum()
    last = solved.parts.given.space.years[-1]
    yield _most(
        "placement", "children without a place, all years", f"{last}-09-01", 0.0, float(short)
    )


def _reduction(solved: Solution, reduction: pd.DataFrame) -> Iterator[Row]:
    policy = solved.parts.given.scenario.settings.policy
    row = reduction[reduction["school_year"] == policy.reduction_year]
    if policy.reduction > 0 and len(row):
        what = "fall in counted private pupils"
        by = f"{policy.reduction_year}-09-01"
        yield _least("reduction", what, by, float(policy.reduction), float(row["total"].iloc[0]))


def _shares(solved: Solution, shares: pd.DataFrame) -> Iterator[Row]:
    policy = solved.parts.given.scenario.settings.policy
    name = "including" if policy.purchased_counts_as_private else "excluding"
    county = policy.share_scope == "county"
    for year in solved.parts.given.space.years:
        cap = stepped(policy.private_share_cap, int(year))
        if cap is None:
            continue
        here = shares[(shares["school_year"] == year) & ((shares["county"] != "*") == county)]
        what = "private share of compulsory enrolment" + (", worst county" if county else "")
        worst = float(here[f"share_{name}_purchased"].max())
        yield _most(f"share-{year}", what, f"{year}-12-31", cap, worst)


def _programmes(solved: Solution) -> Iterator[Row]:
    given = solved.parts.given
    for name, programme in given.scenario.settings.programmes.items():
        past = np.flatnonzero(given.dates.date.astype(str) <= str(programme.by))
        member = given.projects.programme == name
        count = float(solved.open[member, past[-1]].sum()) if len(past) else 0.0
        yield _least(
            f"programme-{name}",
            f"projects of {name} in use",
            str(programme.by),
            float(programme.number),
            count,
        )


def _floors(solved: Solution) -> Iterator[Row]:
    given = solved.parts.given
    space, providers, floors = given.space, given.providers, given.scenario.settings.floors
    names = [s.name for s in space.stages]
    short = solved.shortfall
    for stage, table, name in (
        (STAGE, floors.kindergarten_enrolment, "kindergarten_enrolment"),
        ("senior", floors.senior_enrolment, "senior_enrolment"),
    ):
        if stage not in names:
            continue
        mine = space.grade_stage == names.index(stage)
        people = space.population[:, mine].sum(axis=(0, 1))
        placed = (space.children - short)[:, mine].sum(axis=(0, 1))
        for t, year in enumerate(space.years):
            floor = stepped(table, int(year))
            if floor is not None and people[t] > 0:
                what = f"enrolled of the children of {stage} age"
                yield _least(
                    f"{name}-{year}", what, f"{year}-12-31", floor, float(placed[t] / people[t])
                )
    if STAGE not in names:
        return
    here = providers.stage == names.index(STAGE)
    everyone = solved.enrolled[here].sum(axis=0)
    public = solved.enrolled[here & providers.public].sum(axis=0)
    inclusive = public + solved.enrolled[here & providers.inclusive].sum(axis=0) + _turned(solved)
    for counted, table, name, what in (
        (public, floors.kindergarten_public, "kindergarten_public", "in public kindergartens"),
        (
            inclusive,
            floors.kindergarten_inclusive,
            "kindergarten_inclusive",
            "in public or inclusive kindergartens",
        ),
    ):
        for t, year in enumerate(space.years):
            floor = stepped(table, int(year))
            if floor is not None and everyone[t] > 0:
                share = float(counted[t] / everyone[t])
                yield _least(f"{name}-{year}", what, f"{year}-12-31", floor, share)


def _turned(solved: Solution) -> Array:
    """Children of kindergartens that turn inclusive between September and December, ``[t]``."""
    projects, dates = solved.parts.given.projects, solved.parts.given.dates
    new = solved.open[:, dates.december] - solved.open[:, dates.autumn]
    names = [s.name for s in solved.parts.given.space.stages]
    pupils = np.where(projects.row_stage == names.index(STAGE), projects.row_pupils, 0.0)
    return np.asarray((new[projects.row_project] * pupils[:, None]).sum(axis=0))


def _large_classes(solved: Solution) -> Iterator[Row]:
    given = solved.parts.given
    space, providers = given.space, given.providers
    if not space.compulsory.any():
        return
    shape = (len(space.counties), len(space.stages), solved.parts.years)
    large, classes = np.zeros(shape), np.zeros(shape)
    np.add.at(large, (providers.county, providers.stage), solved.large_classes)
    np.add.at(classes, (providers.county, providers.stage), solved.classes)
    share = np.divide(large, classes, out=np.zeros(shape), where=classes > 0).max(
        axis=(0, 1), initial=0.0
    )
    for t, year in enumerate(space.years):
        most = stepped(given.scenario.settings.policy.large_class_share, int(year))
        if most is not None:
            what = "share of classes of 56 or more, worst county and stage"
            yield _most(f"large_classes-{year}", what, f"{year}-09-01", most, float(share[t]))
