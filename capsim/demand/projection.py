"""Projection of a scenario's births and pupils to the children who must be placed.

Entry and progression ratios carry cohorts on; housing, migration and given numbers come on top.
What was missing, and what was done about it, is noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from capsim.demand.cohort import (
    TREND_DAMPING,
    Flow,
    advance,
    crossing,
    crossing_pairs,
    entry_trend,
    other_range,
    settled,
    steady_level,
    untaught,
    with_given,
)
from capsim.demand.draws import (
    MEASURABLE,
    Covered,
    Spread,
    draw,
    given_spread,
    is_given,
    measured_spread,
)
from capsim.demand.forecasting import (
    MEMBERS,
    METHODS,
    USUAL,
    Method,
    combined,
    progression,
    with_total,
)
from capsim.demand.observed import Observed, Origin, Panel, cohorts, observe, place
from capsim.demand.ratios import (
    Array,
    Mask,
    damped,
    divide,
    group_sum,
    hierarchical,
    kept,
    pairs,
    pooled,
    shrunk_slope,
    taught,
)
from capsim.demand.rolling_origin import LEAST_YEARS, backtest, origin_of
from capsim.i18n.language import Message
from capsim.io.shown import DemandPlots, Shown
from capsim.scenario.scenario import Scenario

RECENT = 3
"""Years over which shares and levels are taken."""
ENTRY_ALPHA = 0.4
"""Weight of the last year in the rate of entry."""
BY_RATIO = (USUAL, "smoothed", "robust")
"""What ``auto`` combines where births are known: series of totals know nothing of them."""
QUANTILES = {"p2_5": 0.025, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p97_5": 0.975}


@dataclass(frozen=True, eq=False, repr=False)
class Demand(Shown[DemandPlots]):
    """Children to be placed, both sectors together.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
        The base year, then the planned school years.
    pupils : array [area, grade, year]
        Persons.
    population : array [area, grade, year]
        Children of the grade's age by births; NaN where births are unknown.
    draws : array [draw, area, grade, year] or None
        Persons.
    seed : int
    findings : tuple of Message
        Data that were missing, and the assumption made instead.
    spread : Spread
        Size of the errors that draws have.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    population: Array
    draws: Array | None
    seed: int
    findings: tuple[Message, ...]
    spread: Spread

    def __post_init__(self) -> None:
        for array in (self.pupils, self.population, self.draws):
            if array is not None:
                array.setflags(write=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """The findings in English."""
        return tuple(map(str, self.findings))

    def __repr__(self) -> str:
        number = 0 if self.draws is None else len(self.draws)
        total = self.pupils.sum((0, 1))
        ends = (f"{total[at]:,.0f} children in {self.years[at]}" for at in (0, -1))
        return (
            f"Demand: {len(self.areas):,} areas, {len(self.grades)} grades, {' to '.join(ends)};"
            f" {number:,} draws, {len(self.findings)} notes"
        )

    def frame(self) -> pd.DataFrame:
        """Return a long table: area, grade, school_year, pupils, population (persons).

        With draws also the quantiles ``p2_5``, ``p10``, ``p50``, ``p90``, ``p97_5`` of pupils.
        """
        labels = pd.MultiIndex.from_product(
            [self.areas, self.grades, self.years], names=["area", "grade", "school_year"]
        )
        columns = {"pupils": self.pupils.ravel(), "population": self.population.ravel()}
        if self.draws is not None:
            cells = np.quantile(self.draws, list(QUANTILES.values()), axis=0)
            columns |= dict(zip(QUANTILES, cells.reshape(len(QUANTILES), -1), strict=True))
        return pd.DataFrame(columns, index=labels).reset_index()


def project(scenario: Scenario, draws: int = 0, seed: int = 0) -> Demand:
    """Project a scenario's children by area, grade and school year.

    Parameters
    ----------
    scenario : Scenario
    draws : int
        How many joint draws to make besides the projection; 0 for none.
    seed : int
        Seed of the draws; the same seed gives the same draws, and draw d does not depend on how
        many are asked for.

    Returns
    -------
    Demand

    Raises
    ------
    ValueError
        If ``draws`` is negative.
    TypeError
        If what is given is no scenario.
    """
    if not isinstance(scenario, Scenario):
        raise TypeError(f"expected a Scenario, not {type(scenario).__name__}")
    if draws < 0:
        raise ValueError(f"draws must be 0 or more, not {draws}")
    table = panel_of(scenario)
    notes: list[Message] = []
    path, tested = _path(scenario, table, notes)
    known = known_at(scenario, scenario.base_year, len(scenario.years))
    ahead = finish(known, path, notes)
    start = np.nan_to_num(known.seen.pupils[..., -1:])
    given = known.given("forecast", known.years[:1])
    pupils = np.concatenate([np.where(np.isnan(given), start, given), ahead], axis=-1)
    if tested is None or is_given(scenario):
        spread = given_spread(scenario, known.seen)
    else:
        spread = measured_spread(tested, pupils)
    return Demand(
        areas=known.seen.areas,
        grades=known.seen.grades,
        years=known.years,
        pupils=pupils,
        population=known.population,
        draws=draw(pupils, spread, draws, seed) if draws else None,
        seed=seed,
        findings=(*known.seen.notes, *notes),
        spread=spread,
    )


@dataclass(frozen=True, eq=False)
class Known:
    """A scenario as it was known in one of its observed years.

    Attributes
    ----------
    scenario : Scenario
    seen : Observed
    years : tuple of int
        The year, then those to be forecast.
    population : array [area, grade, 1 + lead]
        Children of each grade's age by births, persons; NaN where unknown.
    """

    scenario: Scenario
    seen: Observed
    years: tuple[int, ...]
    population: Array

    def given(self, table: str, years: tuple[int, ...] = ()) -> Array:
        """Return the pupils of a table of the scenario, ``[area, grade, year]``; else NaN."""
        axes = {
            "area": self.seen.areas,
            "grade": self.seen.grades,
            "school_year": years or self.years[1:],
        }
        return place(self.scenario.table(table), "pupils", axes)


def known_at(scenario: Scenario, year: int, leads: int) -> Known:
    """Return what was known in an observed year: pupils and births until then."""
    seen = observe(scenario, base_year=year, leads=leads)
    years = tuple(range(year, year + leads + 1))
    return Known(scenario, seen, years, cohorts(seen, years))


def panel_of(scenario: Scenario) -> Panel:
    """Return the observed pupils of a scenario's planned stages, both sectors together.

    What is rolled over them, by `capsim.demand.backtest`, is the scenario's own projection.
    """
    seen = observe(scenario)
    names = BY_RATIO if scenario.has("births") else MEMBERS
    return Panel(
        seen.areas,
        seen.grades,
        seen.years,
        seen.pupils,
        seen.county,
        partial(_origin, scenario, seen.years),
        {name: _smoothing(scenario, METHODS[name]) for name in names},
        MEASURABLE,
    )


def _origin(scenario: Scenario, years: tuple[int, ...], at: int, leads: int) -> Origin:
    known = known_at(scenario, years[at], leads)
    return Origin(partial(path_of, known), partial(finish, known))


def _smoothing(scenario: Scenario, method: Method) -> Method:
    """Return a method with the scenario's own weight of the last year."""
    alpha = scenario.settings.demand.alpha
    return method if alpha is None or method.alpha is None else replace(method, alpha=alpha)


def _path(
    scenario: Scenario, table: Panel, notes: list[Message]
) -> tuple[Array, Mapping[str, Covered] | None]:
    """Project by the method asked for, ``[area, grade, lead]``, with the errors it measured."""
    name, leads, number = scenario.settings.demand.method, len(scenario.years), len(table.years)
    origin = origin_of(table, number - 1, leads)
    if name.endswith("-year mean"):
        method = Method("mean", years=int(name.split("-")[0]))
    else:
        method = _smoothing(scenario, METHODS[USUAL if name == "auto" else name])
    if number < MEASURABLE or not np.isfinite(table.pupils).any():
        return origin.path(method), None
    judged = range(1, min(leads, number - LEAST_YEARS) + 1)
    result = backtest(table, {} if name == "auto" else {name: method}, judged)
    measured = result.measured[name]
    tested = measured if np.isfinite(measured["area"].last.reach).any() else None
    if name != "auto" or result.weights is None:
        return origin.path(method), tested
    shares = result.weights.area.mean(0)
    parts = zip(table.members, shares, strict=True)
    text = "methods combined by their errors on the years observed, areas' totals: {parts}"
    listed = tuple(f"{member} {100 * share:.0f} %" for member, share in parts)
    notes.append(Message(text, {"parts": listed}))
    paths = np.stack([origin.path(member) for member in table.members.values()])
    return combined(paths, result.weights.until(leads)), tested


def path_of(known: Known, method: Method, notes: list[Message] | None = None) -> Array:
    """Project ``[area, grade, lead]`` by a method, without scaling and what is given."""
    seen, leads = known.seen, len(known.years) - 1
    base = np.nan_to_num(seen.pupils[..., -1])
    if method.ratio == "none":
        return np.repeat(base[..., None], leads, -1)
    ahead = advance(base, flow_of(known, method, [] if notes is None else notes))
    return with_total(ahead, seen.pupils, method.total)[..., 1:]


def finish(known: Known, path: Array, told: list[Message] | None = None) -> Array:
    """Scale a path ``[area, grade, lead]`` to gross enrolment and put on it what is given."""
    scenario, seen = known.scenario, known.seen
    notes = [] if told is None else told
    start = np.nan_to_num(seen.pupils[..., -1:])
    pupils = _enrolled(known, np.concatenate([start, path], axis=-1), notes)
    added = np.nan_to_num(known.given("migration")) + _housing(known, notes)
    fixed = known.given("forecast")
    if told is None and not added.any() and np.isnan(fixed).all():
        return pupils[..., 1:]
    flow = flow_of(known, _smoothing(scenario, METHODS[USUAL]), notes)
    follows = np.append(False, np.diff(seen.age) == 1)
    out, emptied = with_given(pupils, flow, added, fixed, follows)
    if emptied.any():
        text = "net migration leaves nobody in {number} cells: no fewer than none can be left"
        notes.append(Message(text, {"number": int(emptied.sum())}))
    notes += _given_notes(seen, known.years[1:], fixed, added)
    return out[..., 1:]


def _given_notes(
    seen: Observed, years: tuple[int, ...], fixed: Array, added: Array
) -> list[Message]:
    """Describe what fills the rest of a forecast that is not given for all, by stage."""
    notes = []
    there = np.isfinite(fixed)
    for stage in np.unique(seen.stage):
        part = there[:, seen.stage == stage]
        if not part.any() or part.all():
            continue
        grades = [seen.grades[g] for g in np.flatnonzero(seen.stage == stage)]
        without = np.flatnonzero(~part.any((1, 2)))
        names = _first_of([seen.areas[a] for a in without])
        lacking = Message("; none for {number} areas: {names}").filled(
            number=len(without), names=names
        )
        text = (
            "forecast gives {given} of {of} numbers of grades {first} to {last}, {begin} to"
            " {end}{lacking}. The projection from observed pupils fills the rest"
        )
        span = Message(text, {"begin": years[0], "end": years[-1]})
        given = span.filled(given=int(part.sum()), of=part.size, first=grades[0], last=grades[-1])
        notes.append(given.filled(lacking=lacking if len(without) else ""))
    both = int((there & (added != 0)).sum())
    if both:
        text = "migration and dwellings come on top of {number} numbers that forecast gives"
        notes.append(Message(text, {"number": both}))
    return notes


def _enrolled(known: Known, pupils: Array, notes: list[Message]) -> Array:
    """Scale stages whose gross enrolment is set, in planned years, over the whole."""
    scenario, seen = known.scenario, known.seen
    out = pupils.copy()
    for number, name in enumerate(scenario.stages):
        target = scenario.settings.demand.gross_enrolment.get(name)
        rows = np.flatnonzero(seen.stage == number)
        children = known.population[:, rows, 1:]
        if target is None:
            continue
        target *= 1.0 - scenario.settings.demand.elsewhere.get(name, 0.0)
        if np.isnan(children).any():
            text = "{stage}: births do not reach back far enough for gross enrolment"
            notes.append(Message(text, {"stage": name}))
            continue
        part = out[:, rows, 1:]
        own = part.sum((0, 1))
        scaled = part * divide(target * children.sum((0, 1)), own, 0.0)
        out[:, rows, 1:] = np.where(own > 0, scaled, target * children)
    return out


def flow_of(known: Known, method: Method, notes: list[Message]) -> Flow:
    """Build ratios and entry of a scenario's years to be projected.

    Parameters
    ----------
    known : Known
    method : Method
        Of the ratios.
    notes : list of text
        Appended to.
    """
    seen, leads = known.seen, len(known.years) - 1
    above, below = pairs(seen.pupils)
    if len(seen.years) < 2:
        text = "one observed year: no progression ratio is known, all are taken as 1"
        notes.append(Message(text))
    entered, before = _moves(seen.pupils)
    together, share, outside = crossing(entered, before, seen.county)
    ratio = progression(*taught(above, below), seen.county, method, leads)
    ratio = np.where(untaught(entered, before)[..., None], 0.0, ratio)
    by_county = _taught_as_now(seen, *crossing_pairs(seen.pupils, seen.county))
    single = np.zeros(len(by_county[0]), dtype=np.intp)
    by_all = progression(*by_county, single, method, leads)
    ratio = np.where(together[..., None], by_all[seen.county], ratio)
    entry = _entry(known.scenario, seen, known.population, notes)
    base_below = np.zeros(seen.pupils.shape[:2])
    base_below[:, 1:] = np.nan_to_num(seen.pupils[:, :-1, -1])
    moving_up = np.isnan(entry[..., 0])
    level = moving_up & ~together & outside
    unknown = moving_up & ~together & ~outside & (below.sum(-1) == 0) & (base_below > 0)
    notes += _ratio_notes(seen, together & moving_up, level, unknown)
    entry = np.where(level[..., None], _level(seen, level, leads)[0], entry)
    whole = _whole(*by_county, len(seen.years), method, leads)
    return Flow(
        ratio=ratio,
        entry=entry,
        county=seen.county,
        share=share,
        whole=np.where(level.any(0, keepdims=True).T, np.nan, whole),
    )


def _ratio_notes(seen: Observed, together: Mask, level: Mask, unknown: Mask) -> list[Message]:
    """Describe where ratios of single areas do not exist or are not used."""

    def told(text: str, cells: Mask) -> Message:
        grades = tuple(seen.grades[g] for g in np.flatnonzero(cells.any(0)))
        return Message(text, {"number": int(cells.sum()), "grades": grades})

    notes = []
    if level.any():
        text = (
            "{number} ratios cannot be formed (nobody or far too few in the grade below, in grades"
            " {grades}): the grade is held at its recent mean or follows its trend"
        )
        notes.append(told(text, level))
    if unknown.any() and len(seen.years) > 1:
        text = "{number} ratios were never observed (grades {grades}): the others' ratio is taken"
        notes.append(told(text, unknown))
    other = other_range(seen.pupils[..., -RECENT - 1 :]).any(-1)
    if other.any():
        cells = [f"{seen.areas[a]} {seen.grades[g]}" for a, g in np.argwhere(other)]
        text = "grades opened or closed in the last years: {cells}"
        notes.append(Message(text, {"cells": _first_of(cells)}))
    if together.any():
        text = "children move up by county, not by area, into grades {grades}"
        notes.append(told(text, together))
    return notes


def _first_of(names: Sequence[str]) -> Message:
    """List the first of some names, and how many more there are."""
    listed = Message("{parts}", {"parts": tuple(names[:FEW])})
    if len(names) <= FEW:
        return listed
    return Message("{parts} and {number} more", {**listed.arguments, "number": len(names) - FEW})


FEW = 5
"""Names that a note lists."""


def _moves(pupils: Array) -> tuple[Array, Array]:
    """Return pupils of the last years and those below them a year before, by area and grade.

    Nobody is below the first grade. NaN where the grade below was not observed or taught other
    than now; with one year at hand, where there is anybody in it.
    """
    last = pupils[..., -RECENT - 1 :]
    above, below = last[..., -RECENT:], np.zeros_like(last[..., -RECENT:])
    if last.shape[-1] == 1:
        below[:, 1:] = np.where(last[:, :-1] > 0, np.nan, 0.0)
        return above, below
    above, below = last[..., 1:], below[..., : last.shape[-1] - 1]
    below[:, 1:] = np.where(other_range(last), np.nan, last)[:, :-1, :-1]
    return above, below


def _taught_as_now(seen: Observed, above: Array, below: Array) -> tuple[Array, Array]:
    """Drop a county's years in which its areas did not teach the grade where they do now.

    Both are ``[county, grade, year]``.
    """
    return kept(settled(seen.pupils, seen.county), above, below)


def _whole(above: Array, below: Array, years: int, method: Method, leads: int) -> Array:
    """Project the ratio of everybody, ``[grade, lead]``; NaN where nobody has moved up.

    By the method where there are years enough to judge it by, else the mean of all years.
    """
    total, base = (part.sum(0, keepdims=True) for part in (above, below))
    if years >= MEASURABLE:
        ahead = progression(total, base, np.zeros(1, dtype=np.intp), method, leads)[0]
    else:
        ahead = np.repeat(pooled(above, below)[:, None], leads, -1)
    return np.where(base[0].sum(-1, keepdims=True) > 0, ahead, np.nan)


def fed_by_births(scenario: Scenario, seen: Observed) -> Mask:
    """Mark the first grades that births feed: where the stage before is missing, or not compulsory.

    Whoever is in a compulsory stage moves on from it; a kindergarten is not the way into school.
    """
    compulsory = scenario.settings.stages.compulsory
    stages = tuple(scenario.stages.values())
    fed = np.zeros(len(seen.grades), dtype=bool)
    for number, stage in enumerate(stages):
        before = stages[number - 1] if number else None
        follows = (
            before is not None
            and before.name in compulsory
            and before.entry_age + len(before.grades) == stage.entry_age
        )
        fed[np.flatnonzero(seen.stage == number)[0]] = not follows
    return fed


def _entry(scenario: Scenario, seen: Observed, population: Array, notes: list[Message]) -> Array:
    """Project persons entering first grades, ``[area, grade, lead]``; NaN where cohorts move up."""
    leads = population.shape[-1] - 1
    past = cohorts(seen, seen.years)
    known = np.isfinite(past) & np.isfinite(seen.pupils) & (past > 0)
    fed = fed_by_births(scenario, seen)[None] & known.any(-1)
    fed &= np.isfinite(population[..., 1:]).all(-1)
    known &= fed[..., None]
    entry = np.where(fed[..., None], _by_births(seen, population[..., 1:], past, known), np.nan)
    first = np.zeros_like(fed)
    first[:, 0] = ~fed[:, 0]
    if first.any():
        level, slope = _level(seen, first, leads)
        text = (
            "births do not cover {number} areas: entry to grade {grade} is held at its recent"
            " mean{moving}"
        )
        trend = f"{100 * slope[0]:+.1f}"
        moving = Message(", with a trend of {trend} % a year that fades", {"trend": trend})
        held = Message(text).filled(number=int(first.sum()), grade=seen.grades[0])
        notes.append(held.filled(moving=moving if abs(slope[0]) >= 0.0005 else ""))
        entry = np.where(first[..., None], level, entry)
    return entry


def _by_births(seen: Observed, children: Array, past: Array, known: Mask) -> Array:
    """Project entry as children of the entry age times a rate whose trend goes on for a while.

    Where an area has lately opened or closed the grade, or has children but no pupils, the county's
    children enter together and are shared out as its pupils are.
    """
    above, below = kept(known, seen.pupils, past)
    rate = hierarchical(*taught(above, below), seen.county, ENTRY_ALPHA)
    counties = _taught_as_now(seen, *(group_sum(part, seen.county) for part in (above, below)))
    single = np.zeros(len(counties[0]), dtype=np.intp)
    county_rate = hierarchical(*counties, single, ENTRY_ALPHA)[seen.county]
    entered, before = (np.where(known, part, np.nan)[..., -RECENT:] for part in (seen.pupils, past))
    rate = np.where(untaught(entered, before), 0.0, rate)
    together, share, _ = crossing(entered, before, seen.county, inflow=False)
    covered = np.where(known.any(-1, keepdims=True), children, 0.0)
    pooled_children = group_sum(covered, seen.county)[seen.county]
    entrants = np.where(
        together[..., None],
        (county_rate * share)[..., None] * pooled_children,
        rate[..., None] * children,
    )
    return np.asarray(entrants * damped(shrunk_slope(*counties), children.shape[-1]))


def _level(seen: Observed, cells: Mask, leads: int) -> tuple[Array, Array]:
    """Project pupils of entry grades without births, and return their trend by grade.

    The level of the years in which the grade was taught as it is now, smoothed as fast as its noise
    allows, and carried on along the damped trend of all such cells.
    """
    keep = np.isfinite(seen.pupils) & settled(seen.pupils, seen.county)[seen.county]
    entrants = group_sum(np.where(cells[..., None], np.nan_to_num(seen.pupils), 0.0), seen.county)
    slope = entry_trend(_taught_as_now(seen, entrants, entrants)[0])
    behind = np.arange(keep.shape[-1])[::-1] * slope[:, None]
    level = steady_level(np.where(keep & cells[..., None], seen.pupils * np.exp(behind), np.nan))
    return level[..., None] * damped(slope, leads, TREND_DAMPING), slope


def _housing(known: Known, notes: list[Message]) -> Array:
    """Return the pupils from new dwellings, over the grades as the county's pupils are."""
    seen = known.seen
    axes = {"area": seen.areas, "year": known.years[1:]}
    table = known.scenario.table("dwellings")
    unknown = table["pupils_per_dwelling"].isna()
    if unknown.any():
        text = "{number} dwellings rows without a yield bring no pupils"
        notes.append(Message(text, {"number": int(unknown.sum())}))
    table["pupils"] = table["dwellings"] * table["pupils_per_dwelling"]
    arriving = np.nan_to_num(place(table, "pupils", axes))
    county = group_sum(np.nan_to_num(seen.pupils[..., -1]), seen.county)[seen.county]
    profile = divide(county, county.sum(1, keepdims=True), 1 / len(seen.grades))
    return np.asarray(profile[..., None] * arriving[:, None])
