"""From a scenario's births and pupils to the children who must be placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from .cohort import Flow, advance, crossing
from .draws import Spread, draw
from .intervals import Covered
from .methods import METHODS, USUAL, Method, progression
from .observe import Observed, cohorts, observe, place
from .panel import Panel
from .ratios import Array, divide, group_sum, pairs, pooled
from .rolling import LEAST, backtest
from .shrinkage import hierarchical
from .uncertainty import MEASURABLE, given_spread, is_given, measured_spread

if TYPE_CHECKING:
    from capsim.scenario import Scenario

RECENT = 3
"""Years over which a level is taken where no ratio can be formed."""
ENTRY_ALPHA = 0.4


@dataclass(frozen=True, eq=False)
class Demand:
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
    notes : tuple of text
        What was missing and what was done about it.
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
    notes: tuple[str, ...]
    spread: Spread = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.pupils, self.population, self.draws):
            if array is not None:
                array.setflags(write=False)

    def frame(self) -> pd.DataFrame:
        """Long table: area, grade, school_year, pupils, population (persons).

        With draws also the quantiles ``p2_5``, ``p10``, ``p50``, ``p90``, ``p97_5`` of pupils.
        """
        labels = pd.MultiIndex.from_product(
            [self.areas, self.grades, self.years], names=["area", "grade", "school_year"]
        )
        columns = {"pupils": self.pupils.ravel(), "population": self.population.ravel()}
        if self.draws is not None:
            shares = {"p2_5": 0.025, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p97_5": 0.975}
            cells = np.quantile(self.draws, list(shares.values()), axis=0)
            columns |= dict(zip(shares, cells.reshape(len(shares), -1), strict=True))
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
    """
    if draws < 0:
        raise ValueError(f"draws must be 0 or more, not {draws}")
    seen = observe(scenario)
    years = (scenario.base_year, *scenario.years)
    notes = list(seen.notes)
    population = cohorts(seen, years)
    method, tested = _method(scenario, seen, notes)
    flow = _flow(scenario, seen, population, method, notes)
    pupils = advance(np.nan_to_num(seen.pupils[..., -1]), flow)
    given = place(
        scenario.table("forecast"),
        "pupils",
        {"area": seen.areas, "grade": seen.grades, "school_year": years},
    )
    pupils = np.where(np.isnan(given), pupils, given)
    pupils = _enrolled(scenario, seen, pupils, population, ~np.isnan(given), notes)
    if tested is None or is_given(scenario):
        spread = given_spread(scenario, seen, len(seen.areas), len(scenario.years))
    else:
        spread = measured_spread(tested, pupils)
    made = draw(pupils, spread, draws, seed) if draws else None
    return Demand(
        seen.areas, seen.grades, years, pupils, population, made, seed, tuple(notes), spread
    )


def _fed_by_births(scenario: Scenario, seen: Observed) -> npt.NDArray[np.bool_]:
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


def _method(
    scenario: Scenario, seen: Observed, notes: list[str]
) -> tuple[Method, Mapping[str, Covered] | None]:
    """Pick the method, by back-test where `auto` is asked, and what it measured of errors."""
    name = scenario.settings.demand.method
    moving = {key: method for key, method in METHODS.items() if method.ratio != "none"}
    if name not in ("auto", *moving):
        raise ValueError(f"demand.method must be one of auto, {', '.join(moving)}, not {name!r}")
    if len(seen.years) < MEASURABLE or not np.isfinite(seen.pupils).any():
        return METHODS[USUAL if name == "auto" else name], None
    tried = moving if name == "auto" else {name: moving[name]}
    leads = range(1, min(len(scenario.years), len(seen.years) - LEAST - 2) + 1)
    found = backtest(
        Panel(seen.areas, seen.grades, seen.years, seen.pupils, seen.county), tried, leads
    )
    pick = str(found.chosen["method"].iloc[-1]) if name == "auto" else name
    if name == "auto":
        notes.append(f"progression by the method {pick!r}, the best on the years observed")
    return METHODS[pick], found.measured[pick]


def _flow(
    scenario: Scenario, seen: Observed, population: Array, method: Method, notes: list[str]
) -> Flow:
    leads = population.shape[-1] - 1
    above, below = pairs(seen.pupils)
    if len(seen.years) < 2:
        notes.append("one observed year: no progression ratio is known, all are taken as 1")
    ratio = progression(above, below, seen.county, method, leads)
    moved, came_from = (part[..., -RECENT:].sum(-1) for part in (above, below))
    together, share = crossing(moved + _orphans(seen), came_from, seen.county)
    single = np.zeros(int(seen.county.max(initial=0)) + 1, dtype=np.intp)
    by_county = pairs(group_sum(np.nan_to_num(seen.pupils), seen.county))
    by_all = progression(*by_county, single, method, leads)
    ratio = np.where(together[..., None], by_all[seen.county], ratio)
    entry = _entry(scenario, seen, population, notes)
    held = _orphans(seen) > 0
    held &= ~together & np.isnan(entry[..., 0])
    if held.any():
        names = sorted({seen.grades[g] for g in np.flatnonzero(held.any(0))}, key=seen.grades.index)
        notes.append(
            f"{int(held.sum())} ratios cannot be formed (nobody in the grade below, in grades "
            f"{', '.join(names)}): the grade is held at its recent mean"
        )
        level = np.nanmean(seen.pupils[..., -RECENT:], axis=-1)
        entry = np.where(held[..., None], level[..., None], entry)
    years = scenario.years
    axes = {"area": seen.areas, "grade": seen.grades, "school_year": years}
    added = np.nan_to_num(place(scenario.table("migration"), "pupils", axes))
    added += _housing(scenario, seen, notes)
    fixed = place(scenario.table("forecast"), "pupils", axes)
    if together.any():
        names = [seen.grades[g] for g in np.flatnonzero(together.any(0))]
        notes.append(f"children move up by county, not by area, into grades {', '.join(names)}")
    return Flow(
        ratio=ratio,
        entry=entry,
        county=seen.county,
        share=share,
        whole=np.where(np.any(held, axis=0)[:, None], np.nan, _whole(above, below, method, leads)),
        added=added,
        fixed=fixed,
    )


def _whole(above: Array, below: Array, method: Method, leads: int) -> Array:
    """Ratio of everybody, ``[grade, lead]``; NaN in grades that nobody has moved up into.

    By the method where there are years enough to judge it by, else the mean of all years.
    """
    total, base = (part.sum(0, keepdims=True) for part in (above, below))
    if above.shape[-1] >= MEASURABLE:
        ahead = progression(total, base, np.zeros(1, dtype=np.intp), method, leads)[0]
    else:
        ahead = np.repeat(pooled(above, below)[:, None], leads, -1)
    return np.where(base[0].sum(-1, keepdims=True) > 0, ahead, np.nan)


def _shifted(pupils: Array) -> Array:
    """Move pupils up a grade and a year, the first year left out; nobody is below the first."""
    out = np.zeros_like(pupils[..., 1:])
    out[:, 1:] = pupils[:, :-1, :-1]
    return out


def _orphans(seen: Observed) -> Array:
    """Recent pupils of grades that nobody could have moved up into, ``[area, grade]``."""
    recent = np.nan_to_num(seen.pupils[..., -RECENT - 1 :])
    if recent.shape[-1] < 2:
        last = recent[..., -1]
        from_below = np.zeros_like(last)
        from_below[:, 1:] = last[:, :-1]
        return np.where(from_below > 0, 0.0, last)
    return np.asarray(np.where(_shifted(recent) > 0, 0.0, recent[..., 1:]).sum(-1))


def _entry(scenario: Scenario, seen: Observed, population: Array, notes: list[str]) -> Array:
    """Persons entering first grades, ``[area, grade, lead]``; NaN where cohorts move up."""
    leads = population.shape[-1] - 1
    past = cohorts(seen, seen.years)
    now = seen.pupils
    known = np.isfinite(past) & np.isfinite(now) & (past > 0)
    rate = hierarchical(
        np.where(known, now, 0.0), np.where(known, past, 0.0), seen.county, ENTRY_ALPHA
    )
    children = population[..., 1:]
    fed = _fed_by_births(scenario, seen)
    by_births = fed[None] & known.any(-1) & np.isfinite(children).all(-1)
    entry = np.where(by_births[..., None], rate[..., None] * children, np.nan)
    first = np.zeros(len(seen.grades), dtype=bool)
    first[0] = True
    no_births = first[None] & ~by_births
    if no_births.any():
        notes.append(
            f"births do not cover {int(no_births.any(1).sum())} areas: entry to grade "
            f"{seen.grades[0]} is held at its recent mean"
        )
        last = now[..., -RECENT:]
        level = np.nan_to_num(last).sum(-1) / np.maximum(np.isfinite(last).sum(-1), 1)
        entry = np.where(no_births[..., None], level[..., None], entry)
    return np.asarray(np.broadcast_to(entry, (*entry.shape[:2], leads)))


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


def _enrolled(
    scenario: Scenario,
    seen: Observed,
    pupils: Array,
    population: Array,
    given: npt.NDArray[np.bool_],
    notes: list[str],
) -> Array:
    """Scale stages whose gross enrolment is set, in planned years, over the whole."""
    out = pupils.copy()
    for number, name in enumerate(scenario.stages):
        target = scenario.settings.demand.gross_enrolment.get(name)
        rows = np.flatnonzero(seen.stage == number)
        children = population[:, rows, 1:]
        if target is None:
            continue
        if np.isnan(children).any():
            notes.append(f"{name}: births do not reach back far enough for gross enrolment")
            continue
        part, free = out[:, rows, 1:], ~given[:, rows, 1:]
        wanted = target * children.sum((0, 1)) - np.where(free, 0.0, part).sum((0, 1))
        own = np.where(free, part, 0.0).sum((0, 1))
        scaled = part * divide(np.maximum(wanted, 0.0), own, 0.0)
        scaled = np.where(own > 0, scaled, target * children)
        out[:, rows, 1:] = np.where(free, scaled, part)
    return out
