"""Births and observed enrolment of a synthetic scenario, consistent with each other.

Children born between September and August enter a grade together, so a cohort that is ``age`` in
autumn ``t`` holds a third of the births of ``t - age - 1`` and two thirds of those of ``t - age``.
Enrolment is that cohort, moved between areas by their pull, with a little noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.scenario.synthetic.recipe import (
    BIRTHS,
    COMPULSORY,
    ENTRY_AGE,
    STAGES,
    Floats,
    Ints,
    Recipe,
    apportion,
    lookup,
    split,
)


@dataclass(frozen=True, eq=False)
class People:
    """Children of a synthetic scenario.

    Attributes
    ----------
    births : int array [area, birth year]
    birth_years : tuple of int
    pupils, private : int array [area, grade, school year]
        Observed enrolment of both sectors and of the private one.
    grades : tuple of str
    years : tuple of int
    """

    births: Ints
    birth_years: tuple[int, ...]
    pupils: Ints
    private: Ints
    grades: tuple[str, ...]
    years: tuple[int, ...]

    def at_base(self, stage: str, private: bool = False) -> Ints:
        """Return pupils of a stage in the base year, ``[area, grade of the stage]``."""
        grades = [self.grades.index(grade) for grade in STAGES[stage]]
        return np.asarray((self.private if private else self.pupils)[:, grades, -1])

    def frames(self, areas: pd.Series) -> dict[str, pd.DataFrame]:
        """Return tables ``births`` and ``pupils``."""
        codes = areas.to_numpy()
        births = pd.DataFrame(
            {
                "area": np.repeat(codes, len(self.birth_years)),
                "year": np.tile(self.birth_years, len(codes)),
                "births": self.births.ravel(),
            }
        )
        keys = pd.MultiIndex.from_product(
            [codes, ["public", "private"], self.grades, self.years],
            names=["area", "sector", "grade", "school_year"],
        )
        both = np.stack([self.pupils - self.private, self.private], axis=1)
        pupils = pd.DataFrame({"pupils": both.ravel()}, index=keys).reset_index()
        return {"births": births, "pupils": pupils}


def cohort(births: Floats, first: int, year: int, age: int) -> Floats:
    """Count children of ``age`` on 1 September of ``year``; ``first`` is the first birth year.

    Examples
    --------
    >>> cohort(np.array([[97.0, 84.0]]), 2014, 2021, 6).round(2)
    array([88.33])
    """
    at = year - age - first
    if at < 1:
        return np.full(len(births), np.nan)
    return np.asarray(births[:, at - 1] / 3 + births[:, at] * 2 / 3)


def birth_totals(recipe: Recipe) -> tuple[tuple[int, ...], Floats]:
    """Return births of the whole by calendar year, moved to the recipe's base year."""
    shift = recipe.base_year - 2021
    known = max(BIRTHS)
    years = tuple(range(min(BIRTHS), max(known, recipe.last_year - shift) + 1))
    later = [BIRTHS[known] * (1 - recipe.birth_fall) ** (y - known) for y in years if y > known]
    series = np.array([*BIRTHS.values(), *later]) * 10_000
    factor = recipe.birth_factor
    if factor is None:
        compulsory = sum(
            float(cohort(series[None], years[0], 2021, age)[0]) for age in range(6, 15)
        )
        factor = recipe.pupils / compulsory
    return tuple(y + shift for y in years), series * factor


def people(units: pd.DataFrame, recipe: Recipe, rng: np.random.Generator) -> People:
    """Draw births and observed enrolment of every area.

    Parameters
    ----------
    units : DataFrame
        One row per area: ``area``, ``county``, ``kind``, ``part``, ``weight``.
    recipe : Recipe
    rng : Generator
    """
    birth_years, totals = birth_totals(recipe)
    births = _births(units, recipe, birth_years, totals)
    years = tuple(range(recipe.base_year - recipe.history + 1, recipe.base_year + 1))
    grades = tuple(grade for stage in recipe.stages for grade in STAGES[stage])
    raw = _expected(units, recipe, births.astype(float), birth_years[0], years)
    noisy = raw * np.exp(recipe.noise * rng.standard_normal(raw.shape))
    totals_by_grade = _grade_totals(recipe, raw.sum(0))
    column = np.arange(noisy.size) % noisy[0].size
    pupils = apportion(totals_by_grade.ravel(), noisy.ravel(), column).reshape(noisy.shape)
    return People(
        births, birth_years, pupils, _private(units, recipe, pupils, grades, rng), grades, years
    )


def _births(units: pd.DataFrame, recipe: Recipe, years: tuple[int, ...], totals: Floats) -> Ints:
    drift = lookup(recipe.birth_drift_by_kind, units["kind"])
    drift = drift + lookup(recipe.birth_drift_by_part, units["part"])
    lead = np.array(years) - recipe.base_year
    weight = units["weight"].to_numpy()[:, None] * np.exp(drift[:, None] * lead)
    column = np.tile(np.arange(len(years)), len(units))
    whole = np.rint(totals).astype(np.int64)
    return apportion(whole, weight.ravel(), column).reshape(weight.shape)


def _expected(
    units: pd.DataFrame, recipe: Recipe, births: Floats, first: int, years: tuple[int, ...]
) -> Floats:
    """Compute enrolment before noise and rounding, ``[area, grade, year]``."""
    pull = lookup(recipe.pull_by_kind, units["kind"])
    county = pd.factorize(units["county"])[0]
    part = lookup(recipe.junior_by_part, units["part"])
    core = np.isin(units["part"].to_numpy(), ["core", ""]).astype(float)
    rows = []
    for stage in recipe.stages:
        for step in range(len(STAGES[stage])):
            age = ENTRY_AGE[stage] + step
            row = np.column_stack([cohort(births, first, year, age) for year in years])
            known = np.nan_to_num(row, nan=float(np.nanmean(row)) if np.isfinite(row).any() else 1)
            row = np.where(np.isfinite(row), row, known)
            if stage != "kindergarten":
                moved = row * pull[:, None] ** (age - 6)
                row = moved * row.sum(0) / moved.sum(0)
            if stage in ("junior", "senior"):
                row = _gather(row, county, part if stage == "junior" else core)
            rate = {"kindergarten": recipe.kindergarten_rate, "senior": recipe.senior_rate}
            rows.append(row * rate.get(stage, 1.0))
    return np.stack(rows, axis=1)


def _gather(row: Floats, county: Ints, part: Floats) -> Floats:
    """Move children inside their county in proportion to ``part``; a county keeps its sum."""
    moved = row * part[:, None]
    whole = np.zeros((county.max() + 1, row.shape[1]))
    after = whole.copy()
    np.add.at(whole, county, row)
    np.add.at(after, county, moved)
    return np.asarray(moved * (whole / after)[county])


def _grade_totals(recipe: Recipe, raw: Floats) -> Ints:
    """Compute whole totals by grade and year; those of the base year are exact by stage."""
    stages = np.array([stage for stage in recipe.stages for _ in STAGES[stage]])
    inside = np.isin(stages, COMPULSORY)
    out = raw.copy()
    out[inside] *= recipe.pupils / raw[inside, -1].sum()
    senior = stages == "senior"
    if recipe.senior_pupils is not None and senior.any():
        out[senior] *= recipe.senior_pupils / raw[senior, -1].sum()
    whole = np.rint(out).astype(np.int64)
    for block in (inside, stages == "kindergarten", senior):
        if block.any():
            whole[block, -1] = split(int(np.rint(out[block, -1].sum())), out[block, -1])
    return whole


def _private(
    units: pd.DataFrame,
    recipe: Recipe,
    pupils: Ints,
    grades: tuple[str, ...],
    rng: np.random.Generator,
) -> Ints:
    """Compute private pupils, ``[area, grade, year]``; exact totals in the base year."""
    county, codes = pd.factorize(units["county"])
    level = np.exp(recipe.private_spread * rng.standard_normal(len(codes)))[county]
    level = level * lookup(recipe.private_by_kind, units["kind"])
    out = np.zeros_like(pupils)
    at = 0
    for stage in recipe.stages:
        rows = slice(at, at + len(STAGES[stage]))
        at += len(STAGES[stage])
        block = pupils[:, rows]
        base = block[..., -1].sum(1).astype(float)
        if stage == "kindergarten":
            total = int(base.sum()) - round(recipe.kindergarten_public * base.sum())
            shape = np.exp(0.08 * rng.standard_normal(len(units)))
        elif stage == "senior":
            total, shape = round(recipe.senior_private * base.sum()), np.ones(len(units))
        else:
            total = recipe.private[stage]
            shape = level * lookup(recipe.private_by_part, units["part"])
        share = _share(base, shape, total)
        for year in range(pupils.shape[2]):
            trend = (1 + recipe.private_growth) ** (year - pupils.shape[2] + 1)
            trend = trend if stage in COMPULSORY else 1.0
            number = round(float((block[..., year].sum(1) * share).sum()) * trend)
            if year == pupils.shape[2] - 1:
                number = total
            cells = block[..., year] * share[:, None]
            out[:, rows, year] = split(number, cells.ravel()).reshape(cells.shape)
    return out


def _share(base: Floats, shape: Floats, total: int) -> Floats:
    """Compute the private share by area in proportion to ``shape``, at most 0.8, of ``total``."""
    share = shape.astype(float)
    for _ in range(60):
        share = np.minimum(share * total / (base * share).sum(), 0.8)
    return share
