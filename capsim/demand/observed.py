"""Observed pupils: of a scenario, with its births, and as a panel that forecasts are judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtri

from capsim.demand.forecasting import MEMBERS, METHODS, Method
from capsim.demand.ratios import Array, Index, Mask
from capsim.i18n.language import Message
from capsim.scenario.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Observed:
    """Observed children of the planned stages.

    Attributes
    ----------
    areas, grades : tuple of text
    stage : array [grade]
        Index of each grade's stage among the planned ones.
    age : array [grade]
        Age on 1 September, years.
    county : array [area]
        Index of each area's county.
    years : tuple of int
        Observed school years without a gap, the base year last.
    pupils : array [area, grade, year]
        Persons in both sectors; NaN in a year without any row of the grade's stage.
    births : array [area, year]
        Births of the calendar years ``birth_years``; NaN where not given.
    birth_years : tuple of int
    notes : tuple of text
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    stage: Index
    age: Index
    county: Index
    years: tuple[int, ...]
    pupils: Array
    births: Array
    birth_years: tuple[int, ...]
    notes: tuple[str, ...]


def place(frame: pd.DataFrame, value: str, axes: Mapping[str, Sequence[object]]) -> Array:
    """Sum a column of a long table into an array with one axis per key; NaN without a row.

    Rows whose keys are not on the axes are left out.
    """
    shape = tuple(len(labels) for labels in axes.values())
    codes = [
        pd.Index(list(labels)).get_indexer(pd.Index(frame[key])) for key, labels in axes.items()
    ]
    numbers = frame[value].to_numpy(dtype=float)
    keep = np.all([code >= 0 for code in codes], axis=0) & np.isfinite(numbers)
    at = tuple(code[keep] for code in codes)
    total, seen = np.zeros(shape), np.zeros(shape, dtype=bool)
    np.add.at(total, at, numbers[keep])
    seen[at] = True
    return np.where(seen, total, np.nan)


def observe(
    scenario: Scenario, sector: str | None = None, base_year: int | None = None, leads: int = 0
) -> Observed:
    """Read a scenario's observed pupils and births, of both sectors or of one.

    A stage observed in a year is observed in all areas: an area without a row has no pupils there.

    Parameters
    ----------
    scenario : Scenario
    sector : text, optional
    base_year, leads : int, optional
        Read what was known in an earlier year, births until then alone, for so many years ahead;
        default: the scenario's own.
    """
    base, last = scenario.base_year, scenario.last_year
    if base_year is not None:
        base, last = base_year, base_year + leads
    table = scenario.table("areas")
    areas = tuple(table["area"])
    county = np.unique(table["county"].to_numpy(dtype=str), return_inverse=True)[1]
    stages = tuple(scenario.stages.values())
    grades = tuple(grade for stage in stages for grade in stage.grades)
    of_stage = np.repeat(np.arange(len(stages)), [len(stage.grades) for stage in stages])
    age = np.concatenate([stage.entry_age + np.arange(len(stage.grades)) for stage in stages])
    notes: list[str] = []
    pupils, years = _pupils(scenario, base, areas, grades, of_stage, notes, sector)
    births = scenario.table("births")
    if base < scenario.base_year:
        births = births[births["year"] <= base]
    last_birth = last - int(age.min(initial=0))
    first_birth = min(years) - int(age.max(initial=0)) - 1
    birth_years = tuple(range(first_birth, last_birth + 1))
    born = place(births, "births", {"area": areas, "year": birth_years})
    if scenario.has("births"):
        born = _with_last_births(born, birth_years, notes)
    return Observed(
        areas, grades, of_stage, age, county, years, pupils, born, birth_years, tuple(notes)
    )


def _pupils(
    scenario: Scenario,
    base: int,
    areas: tuple[str, ...],
    grades: tuple[str, ...],
    of_stage: Index,
    notes: list[str],
    sector: str | None,
) -> tuple[Array, tuple[int, ...]]:
    table, schools = scenario.table("pupils"), scenario.table("schools")
    seen = {int(year) for year in table["school_year"] if year <= base}
    first = base
    while first - 1 in seen:
        first -= 1
    years = tuple(range(first, base + 1))
    axes = {"area": areas, "grade": grades, "school_year": years}
    both = place(table, "pupils", axes)
    if sector is not None:
        table, schools = (rows[rows["sector"] == sector] for rows in (table, schools))
    pupils = place(table, "pupils", axes)
    number = len(scenario.stages)
    for stage, name in enumerate(scenario.stages):
        rows = of_stage == stage
        known = np.asarray(np.isfinite(both[:, rows]).any((0, 1)))
        pupils[:, rows] = np.where(known, np.nan_to_num(pupils[:, rows]), np.nan)
        if not known[-1]:
            of_schools = schools[schools["stage"] == name]
            total = np.nan_to_num(place(of_schools, "pupils", {"area": areas}))
            pupils[:, rows, -1] = (total / rows.sum())[:, None]
            source = "its schools' pupils, spread evenly over the grades" if total.any() else "none"
            notes.append(f"{name}: no pupils observed in {base}; taken: {source}")
    empty = np.nan_to_num(pupils[..., -1]).sum(1) == 0
    if number and empty.any() and not empty.all():
        names = ", ".join(np.array(areas)[empty][:5])
        notes.append(f"no pupils in {base} in {int(empty.sum())} areas: {names}")
    return pupils, years


def _with_last_births(births: Array, years: tuple[int, ...], notes: list[str]) -> Array:
    """Carry each area's last known births on to the last birth year that the horizon needs."""
    known = np.isfinite(births)
    last = np.where(known.any(1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), -1)
    later = (np.arange(births.shape[1]) > last[:, None]) & (last >= 0)[:, None]
    if later.any():
        year = years[int(last[last >= 0].min())]
        notes.append(f"births after {year} are held at their last known number")
    return np.where(later, births[np.arange(len(births)), last][:, None], births)


def cohorts(observed: Observed, years: Sequence[int]) -> Array:
    """Return the children of each grade's age, ``[area, grade, year]``, persons.

    A school year's age group is born from September to August: a third of the births of the
    earlier calendar year and two thirds of the later one. NaN where births are not known.
    """
    first = observed.birth_years[0]
    later = np.asarray(years)[None, :] - observed.age[:, None] - first
    return np.asarray(observed.births[:, later - 1] / 3 + observed.births[:, later] * 2 / 3)


VARIANTS = {"low": 0.1, "principal": 0.5, "high": 0.9}
"""Quantile of births by the name of the variant."""


def birth_variant(scenario: Scenario, name: str) -> Scenario:
    """Return the scenario with births after its base year at a quantile of their uncertainty.

    Births wander from the given ones by ``uncertainty.birth_sd`` a year, so that the variants open
    with the square root of the years ahead. The last births given are carried on first, as in
    `capsim.demand.projection.project`.

    Parameters
    ----------
    scenario : Scenario
    name : text
        One of `VARIANTS`.

    Returns
    -------
    Scenario
        Named ``NAME-low-births`` and so on; the scenario itself for ``principal``.

    Raises
    ------
    ValueError
        For another name.
    """
    if name not in VARIANTS:
        raise ValueError(f"a variant of births is one of {', '.join(VARIANTS)}, not {name!r}")
    if name == "principal":
        return scenario
    births = scenario.table("births")
    seen = observe(scenario)
    labels = pd.MultiIndex.from_product([seen.areas, seen.birth_years], names=["area", "year"])
    rows = pd.DataFrame({"births": seen.births.ravel()}, index=labels).reset_index()
    later = rows["year"] > rows["area"].map(births.groupby("area")["year"].max())
    births = pd.concat([births, rows[later]], ignore_index=True)
    ahead = (births["year"] - scenario.base_year).clip(lower=0)
    step = float(ndtri(VARIANTS[name])) * scenario.settings.uncertainty.birth_sd
    births["births"] = births["births"] * (1 + step * ahead**0.5).clip(lower=0)
    return scenario.variant({}, tables={"births": births}, name=f"{scenario.name}-{name}-births")


@dataclass(frozen=True, eq=False)
class Origin:
    """What forecasts from one year with what was known then.

    Attributes
    ----------
    path : function of a Method
        Returns ``[area, grade, lead]``, persons, before scaling and what is given.
    finish : function of a path
        Returns the forecast that a path becomes, of the same shape.
    """

    path: Callable[[Method], Array]
    finish: Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Panel:
    """Observed pupils, and how they are forecast.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
        Without a gap.
    pupils : array [area, grade, year]
        Persons; NaN where not observed.
    county : array [area]
        Index of each area's county; all zeros where there are none.
    rolled : function of a position among the years and a number of leads, or None
        Returns the `Origin` that forecasts from there; None: from pupils alone.
    members : mapping of text to Method
        What ``auto`` combines.
    least : int
        Observed years from which on it does; before it takes the usual method.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    county: Index
    rolled: Callable[[int, int], Origin] | None = None
    members: Mapping[str, Method] = field(
        default_factory=lambda: {name: METHODS[name] for name in MEMBERS}
    )
    least: int = 1
    unknown: Mask | None = None
    notes: tuple[Message, ...] = ()
