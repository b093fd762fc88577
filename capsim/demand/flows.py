"""What moves a scenario's children on: entry, progression, housing, migration, given numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capsim.demand.cohort import (
    TREND_DAMPING,
    Flow,
    crossing,
    crossing_pairs,
    entry_trend,
    other_range,
    settled,
    untaught,
)
from capsim.demand.draws import MEASURABLE
from capsim.demand.methods import Method, progression
from capsim.demand.observed import Observed, cohorts, place
from capsim.demand.ratios import (
    Array,
    Mask,
    damped,
    divide,
    group_sum,
    hierarchical,
    pairs,
    pooled,
    shrunk_slope,
    taught,
)

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


RECENT = 3
"""Years over which shares and levels are taken."""
ENTRY_ALPHA = 0.4


def flow_of(
    scenario: Scenario, seen: Observed, population: Array, method: Method, notes: list[str]
) -> Flow:
    """Ratios, entry and what is added or given in a scenario's planned years.

    Parameters
    ----------
    scenario : Scenario
    seen : Observed
    population : array [area, grade, 1 + lead]
        Children of each grade's age by births, persons; NaN where unknown.
    method : Method
        Of the ratios.
    notes : list of text
        What was missing and what was done about it is appended.
    """
    leads = population.shape[-1] - 1
    above, below = pairs(seen.pupils)
    if len(seen.years) < 2:
        notes.append("one observed year: no progression ratio is known, all are taken as 1")
    came, there = _moves(seen.pupils)
    together, share, outside = crossing(came, there, seen.county)
    ratio = progression(*taught(above, below), seen.county, method, leads)
    ratio = np.where(untaught(came, there)[..., None], 0.0, ratio)
    by_county = _as_now(seen, *crossing_pairs(seen.pupils, seen.county))
    single = np.zeros(len(by_county[0]), dtype=np.intp)
    by_all = progression(*by_county, single, method, leads)
    ratio = np.where(together[..., None], by_all[seen.county], ratio)
    entry = _entry(scenario, seen, population, notes)
    base_below = np.zeros(seen.pupils.shape[:2])
    base_below[:, 1:] = np.nan_to_num(seen.pupils[:, :-1, -1])
    cohort = ~together & np.isnan(entry[..., 0])
    held = cohort & outside
    unknown = cohort & ~held & (below.sum(-1) == 0) & (base_below > 0)
    _say(seen, together & np.isnan(entry[..., 0]), held, unknown, notes)
    entry = np.where(held[..., None], _level(seen, held, leads)[0], entry)
    axes = {"area": seen.areas, "grade": seen.grades, "school_year": scenario.years}
    added = np.nan_to_num(place(scenario.table("migration"), "pupils", axes))
    whole = _whole(*by_county, len(seen.years), method, leads)
    return Flow(
        ratio=ratio,
        entry=entry,
        county=seen.county,
        share=share,
        whole=np.where(held.any(0, keepdims=True).T, np.nan, whole),
        added=added + _housing(scenario, seen, notes),
        fixed=place(scenario.table("forecast"), "pupils", axes),
    )


def _say(seen: Observed, together: Mask, held: Mask, unknown: Mask, notes: list[str]) -> None:
    """Note where ratios of single areas do not exist or are not used."""

    def grades(cells: Mask) -> str:
        return ", ".join(seen.grades[g] for g in np.flatnonzero(cells.any(0)))

    if held.any():
        notes.append(
            f"{int(held.sum())} ratios cannot be formed (nobody or far too few in the grade below, "
            f"in grades {grades(held)}): the grade is held at its recent mean or follows its trend"
        )
    if unknown.any() and len(seen.years) > 1:
        notes.append(
            f"{int(unknown.sum())} ratios were never observed (grades {grades(unknown)}): "
            "the others' ratio is taken"
        )
    other = other_range(seen.pupils[..., -RECENT - 1 :]).any(-1)
    if other.any():
        cells = [f"{seen.areas[a]} {seen.grades[g]}" for a, g in np.argwhere(other)]
        more = f" and {len(cells) - 5} more" if len(cells) > 5 else ""
        notes.append(f"grades opened or closed in the last years: {', '.join(cells[:5])}{more}")
    if together.any():
        notes.append(f"children move up by county, not by area, into grades {grades(together)}")


def _moves(pupils: Array) -> tuple[Array, Array]:
    """Pupils of the last years and those below them a year before, ``[area, grade, year]``.

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


def _as_now(seen: Observed, above: Array, below: Array) -> tuple[Array, Array]:
    """Leave a county's years out in which its areas did not teach the grade where they do now.

    Both are ``[county, grade, year]``.
    """
    alike = settled(seen.pupils, seen.county)
    return np.where(alike, above, 0.0), np.where(alike, below, 0.0)


def _whole(above: Array, below: Array, years: int, method: Method, leads: int) -> Array:
    """Ratio of everybody, ``[grade, lead]``; NaN in grades that nobody has moved up into.

    By the method where there are years enough to judge it by, else the mean of all years.
    """
    total, base = (part.sum(0, keepdims=True) for part in (above, below))
    if years >= MEASURABLE:
        ahead = progression(total, base, np.zeros(1, dtype=np.intp), method, leads)[0]
    else:
        ahead = np.repeat(pooled(above, below)[:, None], leads, -1)
    return np.where(base[0].sum(-1, keepdims=True) > 0, ahead, np.nan)


def fed_by_births(scenario: Scenario, seen: Observed) -> Mask:
    """First grades that births feed: where the stage before is missing, or not compulsory.

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


def _entry(scenario: Scenario, seen: Observed, population: Array, notes: list[str]) -> Array:
    """Persons entering first grades, ``[area, grade, lead]``; NaN where cohorts move up."""
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
        moving = f", with a trend of {100 * slope[0]:+.1f} % a year that fades"
        notes.append(
            f"births do not cover {int(first.sum())} areas: entry to grade {seen.grades[0]} is "
            f"held at its recent mean{moving if abs(slope[0]) >= 0.0005 else ''}"
        )
        entry = np.where(first[..., None], level, entry)
    return entry


def _by_births(seen: Observed, children: Array, past: Array, known: Mask) -> Array:
    """Children of the entry age times the entry rate, whose trend goes on for a while.

    Where an area has lately opened or closed the grade, or has children but no pupils, the county's
    children enter together and are shared out as its pupils are.
    """
    above, below = (np.where(known, part, 0.0) for part in (seen.pupils, past))
    rate = hierarchical(*taught(above, below), seen.county, ENTRY_ALPHA)
    counties = _as_now(seen, *(group_sum(part, seen.county) for part in (above, below)))
    single = np.zeros(len(counties[0]), dtype=np.intp)
    county_rate = hierarchical(*counties, single, ENTRY_ALPHA)[seen.county]
    came, there = (np.where(known, part, np.nan)[..., -RECENT:] for part in (seen.pupils, past))
    rate = np.where(untaught(came, there), 0.0, rate)
    together, share, _ = crossing(came, there, seen.county, inflow=False)
    covered = np.where(known.any(-1, keepdims=True), children, 0.0)
    pooled_children = group_sum(covered, seen.county)[seen.county]
    entrants = np.where(
        together[..., None],
        (county_rate * share)[..., None] * pooled_children,
        rate[..., None] * children,
    )
    return np.asarray(entrants * damped(shrunk_slope(*counties), children.shape[-1]))


def _level(seen: Observed, cells: Mask, leads: int) -> tuple[Array, Array]:
    """Pupils of entry grades without births, ``[area, grade, lead]``, and their trend by grade.

    The mean of the last years in which the grade was taught as it is now, carried to the last year
    and on along the damped trend of all such cells.
    """
    recent = seen.pupils[..., -RECENT:]
    keep = np.isfinite(recent) & settled(recent, seen.county)[seen.county]
    number = np.maximum(keep.sum(-1), 1)
    behind = (keep * np.arange(recent.shape[-1])[::-1]).sum(-1) / number
    entrants = group_sum(np.where(cells[..., None], np.nan_to_num(seen.pupils), 0.0), seen.county)
    slope = entry_trend(_as_now(seen, entrants, entrants)[0])
    level = np.where(keep, recent, 0.0).sum(-1) / number * np.exp(slope * behind)
    return level[..., None] * damped(slope, leads, TREND_DAMPING), slope


def _housing(scenario: Scenario, seen: Observed, notes: list[str]) -> Array:
    """Pupils from new dwellings, over the grades as the county's pupils are."""
    axes = {"area": seen.areas, "year": scenario.years}
    table = scenario.table("dwellings")
    unknown = table["pupils_per_dwelling"].isna()
    if unknown.any():
        notes.append(f"{int(unknown.sum())} dwellings rows without a yield bring no pupils")
    table["pupils"] = table["dwellings"] * table["pupils_per_dwelling"]
    arriving = np.nan_to_num(place(table, "pupils", axes))
    county = group_sum(np.nan_to_num(seen.pupils[..., -1]), seen.county)[seen.county]
    profile = divide(county, county.sum(1, keepdims=True), 1 / len(seen.grades))
    return np.asarray(profile[..., None] * arriving[:, None])
