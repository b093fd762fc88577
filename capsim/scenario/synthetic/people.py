"""Children of a synthetic scenario and the schools they are at, consistent with each other.

Children born between September and August enter a grade together, so a cohort that is ``age`` in
autumn ``t`` holds a third of the births of ``t - age - 1`` and two thirds of those of ``t - age``.
Enrolment is that cohort, moved between areas by their pull, with a little noise.

Public supply is one pool for each area and stage; private compulsory schools are rows of their own
with rolls by grade, because conversion, purchase and closure are decided school by school.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from capsim.scenario.synthetic.recipe import (
    BIRTHS,
    CLASS_SIZE,
    COMPULSORY,
    ENTRY_AGE,
    PLACE_PRICE_CNY,
    PUPILS_PER_POST,
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


GOLDEN = (5**0.5 - 1) / 2
CLASSES = ("must", "may", "no")


def schools(
    units: pd.DataFrame, people: People, recipe: Recipe, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Make the tables ``schools`` and ``rolls``.

    Parameters
    ----------
    units : DataFrame
        One row per area: ``area``, ``county``, ``kind``, ``part``.
    people : People
    recipe : Recipe
    rng : Generator
    """
    public = pd.concat([_public(units, people, recipe, s, rng) for s in recipe.stages])
    private, rolls = _private_schools(units, people, recipe, rng)
    frames = [public, private]
    if "kindergarten" in recipe.stages:
        frames.append(_kindergartens(units, people, recipe))
    if "senior" in recipe.stages:
        pupils = people.at_base("senior", private=True).sum(1)
        frames.append(_pool(units, "senior", "private", pupils, "-private"))
    table = pd.concat(frames, ignore_index=True)
    if recipe.staff_total is not None:
        small = (table["stage"] == "kindergarten").to_numpy()
        left = recipe.staff_total - int(table.loc[~small, "staff"].sum())
        table.loc[small, "staff"] = split(left, table.loc[small, "pupils"].to_numpy(float))
    return {"schools": table, "rolls": rolls}


def _pool(
    units: pd.DataFrame, stage: str, sector: str, pupils: Ints, tail: str = "", filled: int = 0
) -> pd.DataFrame:
    """Make one pool for every area that has pupils, in classes of so many (0: the standard)."""
    classes = -(-pupils // (filled or CLASS_SIZE[stage]))
    frame = pd.DataFrame(
        {
            "school": units["area"] + f"-{stage}{tail}",
            "stage": stage,
            "area": units["area"],
            "sector": sector,
            "pupils": pupils,
            "classes": classes,
            "staff": np.rint(pupils / PUPILS_PER_POST[stage]).astype(int),
            "places": classes * CLASS_SIZE[stage],
        }
    )
    return frame[frame["pupils"] > 0]


def _public(
    units: pd.DataFrame, people: People, recipe: Recipe, stage: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Make public pools whose class sizes follow the recipe; teachers by county."""
    mean = lookup(recipe.class_mean[stage], units["part"])
    mean = mean + recipe.class_spread * rng.standard_normal(len(units))
    counties, code = np.unique(units["county"], return_inverse=True)
    cover = 1 + recipe.staff_spread * rng.standard_normal(len(counties))
    total = people.at_base(stage) - people.at_base(stage, private=True)
    frame = _pool(units, stage, "public", total.sum(1))
    at = units["area"].isin(frame["area"]).to_numpy()
    pupils = frame["pupils"].to_numpy()
    frame["classes"] = np.maximum(np.rint(pupils / mean[at]), 1).astype(int)
    frame["places"] = frame["classes"] * CLASS_SIZE[stage]
    if stage in COMPULSORY:
        need = pupils / PUPILS_PER_POST[stage]
        if recipe.fixed_cny:
            frame["fixed_cny"] = recipe.fixed_cny * frame["places"]
        weights = need * (recipe.staff_cover * cover[code])[at]
        frame["staff"] = split(round(recipe.staff_cover * need.sum()), weights)
    return frame


def _kindergartens(units: pd.DataFrame, people: People, recipe: Recipe) -> pd.DataFrame:
    """Make two private pools in each area: inclusive and other kindergartens."""
    private = people.at_base("kindergarten", private=True).sum(1)
    enrolled = int(people.at_base("kindergarten").sum())
    public = enrolled - int(private.sum())
    target = round(recipe.kindergarten_inclusive * enrolled)
    inclusive = split(target - public, private.astype(float))
    return pd.concat(
        [
            _pool(units, "kindergarten", "private", pupils, tail, 27).assign(inclusive=flag)
            for tail, flag, pupils in (
                ("-inclusive", "yes", inclusive),
                ("-other", "no", private - inclusive),
            )
        ]
    )


def _private_schools(
    units: pd.DataFrame, people: People, recipe: Recipe, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make private compulsory schools and their rolls; nine-year schools have a row a stage."""
    rows, rolls, first = [], [], np.zeros(len(units), dtype=np.int64)
    for stage in COMPULSORY:
        base = people.at_base(stage, private=True)
        share = {"primary": 0.53, "junior": 0.47}[stage]
        area = _areas_of_rows(base.sum(1), round(recipe.private_schools * share))
        count = np.bincount(area, minlength=len(units))
        number = np.arange(len(area)) - np.concatenate(([0], np.cumsum(count)[:-1]))[area]
        if stage == "primary":
            first = count
        else:
            number = number + (first - np.minimum(first, count) * 2 // 5)[area]
        names = units["area"].to_numpy()[area] + np.array([f"-P{k + 1:02d}" for k in number])
        roll = _rolls(base, area, np.exp(0.45 * rng.standard_normal(len(area))))
        rows.append(
            pd.DataFrame(
                {"school": names, "stage": stage, "area": units["area"].to_numpy()[area],
                 "county": units["county"].to_numpy()[area], "sector": "private",
                 "pupils": roll.sum(1), "intake": roll[:, 0]}
            )
        )  # fmt: skip
        rolls.append(
            pd.DataFrame(
                {"school": np.repeat(names, roll.shape[1]), "stage": stage,
                 "grade": np.tile(STAGES[stage], len(names)), "pupils": roll.ravel()}
            )
        )  # fmt: skip
    table = pd.concat(rows, ignore_index=True)
    return _terms(table, recipe, rng), pd.concat(rolls, ignore_index=True)


def _areas_of_rows(pupils: Ints, number: int) -> Ints:
    """Choose areas of schools: in proportion to private pupils, at least one where any are."""
    some = (pupils > 0).astype(np.int64)
    extra = split(max(number - int(some.sum()), 0), np.maximum(pupils - 500.0, 0.0))
    return np.repeat(np.arange(len(pupils)), some + np.where(pupils > 0, extra, 0))


def _rolls(base: Ints, area: Ints, weight: Floats) -> Ints:
    """Divide pupils among schools by grade; areas keep their sums."""
    grades = base.shape[1]
    group = (area[:, None] * grades + np.arange(grades)).ravel()
    roll = apportion(base.ravel(), np.repeat(weight, grades), group)
    return roll.reshape(len(area), grades)


def evenly(number: int, shares: Floats) -> Ints:
    """Return classes 0, 1, … in exact shares, spread evenly (golden-section sequence).

    Examples
    --------
    >>> evenly(8, np.array([0.25, 0.75]))
    array([0, 1, 1, 1, 1, 0, 1, 1])
    """
    rank = np.argsort(np.argsort(np.arange(number) * GOLDEN % 1, kind="stable"), kind="stable")
    edge = np.rint(np.cumsum(shares) * number)
    return np.searchsorted(edge, rank, side="right")


def _chosen(free: npt.NDArray[np.bool_], share: float) -> npt.NDArray[np.bool_]:
    """Mark a share of the rows that are free to be chosen, evenly along their order."""
    out = np.zeros(len(free), dtype=np.bool_)
    out[free] = evenly(int(free.sum()), np.array([share, 1 - share])) == 0
    return out


def _terms(table: pd.DataFrame, recipe: Recipe, rng: np.random.Generator) -> pd.DataFrame:
    """Add classes, teachers and the terms of conversion, purchase and closure of each school."""
    n = len(table)
    size = table["stage"].map(CLASS_SIZE).to_numpy()
    ratio = table["stage"].map(PUPILS_PER_POST).to_numpy(float)
    pupils = table["pupils"].to_numpy(np.int64)
    classes = np.ceil(pupils / (size * rng.uniform(0.93, 1.0, n)))
    table["classes"] = np.maximum(classes, 1).astype(int)
    table["places"] = table["classes"] * size
    staff = np.rint(pupils / ratio * rng.uniform(0.92, 1.0, n))
    table["staff"] = np.maximum(staff, 1).astype(int)

    sites = table[["county", "school"]].drop_duplicates()
    sites = sites.iloc[np.lexsort((rng.random(len(sites)), sites["county"].to_numpy(str)))]
    kind = evenly(len(sites), np.array(recipe.conversion_shares))
    of_site = dict(zip(sites["school"], (CLASSES[k] for k in kind.tolist()), strict=True))
    table["conversion"] = table["school"].map(of_site)
    conversion = table["conversion"].to_numpy()
    must, may = conversion == "must", conversion == "may"
    sells = _chosen(~must, recipe.selling_share)
    die = rng.random(n)
    handed = (must & (die < 0.7)) | (may & (die < 0.1))
    leased = (must & ~handed) | (may & ~handed & (die < 0.35))
    bought = may & ~handed & ~leased
    table["conversion_terms"] = np.select(
        [handed, leased, bought], ["free transfer", "lease", "buy-out"], ""
    )
    places = table["places"].to_numpy(float)
    once = np.where(bought, rng.uniform(*recipe.buyout_cny, n), 0.0) + handed * recipe.transfer_cny
    table["conversion_cost_cny"] = _round(once * places, 1_000)
    rent = np.where(leased, rng.uniform(*recipe.lease_cny, n), 0.0)
    table["conversion_lease_cny"] = _round(rent * places, 1_000)

    full_cost = table["stage"].map(PLACE_PRICE_CNY).to_numpy(np.float64)
    price = _round(full_cost * np.exp(recipe.price_spread * rng.standard_normal(n)), 10)
    table["purchase_price_cny"] = np.where(sells, price, np.nan)
    offer = np.floor(pupils * rng.uniform(*recipe.selling_part, n)).astype(int)
    table["purchasable_places"] = np.where(sells, offer, 0)
    table["purchase_min_places"] = np.where(sells, np.minimum(recipe.purchase_min, offer), 0)
    table["admission_plan"] = -(-table["intake"] // 5) * 5

    closes = _chosen((conversion == "no") & ~sells, recipe.closable_share)
    table["min_pupils"] = np.where(closes, np.rint(0.3 * pupils), 0).astype(int)
    cost = _round(recipe.closure_cny * table["pupils"].to_numpy(float), 1_000)
    table["closure_cost_cny"] = np.where(closes | recipe.closable, cost, 0.0)
    if recipe.fixed_cny:
        table["fixed_cny"] = np.where(conversion == "no", 0.0, recipe.fixed_cny * places)
    return table.drop(columns=["county", "intake"])


def _round(values: npt.ArrayLike, step: int) -> Floats:
    return np.rint(np.asarray(values, dtype=np.float64) / step) * step
