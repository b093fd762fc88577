"""Generation of a city, a province or a nation of any size, from totals and a seed.

A bureau starts from one (``capsim new``) and puts its own tables in place of the invented ones;
the benchmarks use them in every size. Everything in them is assumed and marked so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from capsim.i18n.language import Message
from capsim.scenario.scenario import Scenario
from capsim.scenario.synthetic.people import People, people, schools
from capsim.scenario.synthetic.projects import (
    Batch,
    capital_of,
    changes_of_schools,
    construction,
    kindergartens,
    limits,
    need,
    projects,
)
from capsim.scenario.synthetic.recipe import CLASS_SIZE, COMPULSORY, Floats, Recipe, split

PARTS = ("core", "town", "village")
PART_WEIGHT = {
    "urban": (0.68, 0.22, 0.10),
    "peri-urban": (0.40, 0.35, 0.25),
    "rural": (0.30, 0.38, 0.32),
}
TURNED_SHARE = 0.64
"""Of the children whose kindergartens turn inclusive, the share that the floor asks for."""
SIZES = {"city": (3, 960), "province": (1, 2_500), "nation": (1, None)}
"""By kind: areas in a county, private pupils of a school row (None: a pool for each area)."""

RULES: dict[str, dict[str, tuple[float | bool, str, str]]] = {
    "policy": {
        "intake_rise_share": (0, "share", "an intake that was cut is not raised again"),
        "least_size_share": (0.3, "share of base-year pupils", "a smaller school closes"),
        "closing_notice_years": (1, "school years", "without intake before a school is closed"),
        "closing_size_share": (0.1, "share of base-year pupils", "the last few are moved"),
        "keep_share": (0.5, "share of those who move up", "who may stay at an open school"),
        "public_swing_share": (0.3, "share", "by which a public intake changes in a year"),
        "noncompulsory_swing_share": (0.3, "share", "by which kindergartens change in a year"),
        "purchase_follows_child": (True, "switch", "a bought child does not come to pay"),
        "contract_fall_share": (0.4, "share", "by which bought places fall in a year of contract"),
        "conversion_keep_share": (0.9, "share of those who move up", "conversion brings pupils"),
        "conversion_intake_share": (0.4, "share of places", "a converted school admits, or closes"),
        "conversion_least_years": (6, "school years", "who begins there is there to the end"),
        "takeover_by_pupils": (True, "switch", "teachers come with the pupils whom they taught"),
    },
    "staff": {
        "attrition": (0.01, "a year", "teachers who leave"),
        "retirement": (0.02, "a year", "teachers who retire"),
    },
    "costs": {"stage_move_cny": (3_000, "RMB a teacher", "training for another stage")},
}
"""Rules of a plan that can be carried out, in every generated scenario: value, unit, why."""


def divide(counties: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Divide counties into urban core, towns and villages.

    Parameters
    ----------
    counties : DataFrame
        ``county``, ``kind``, ``weight``, ``x_km``, ``y_km`` (of its seat).
    rng : Generator

    Returns
    -------
    DataFrame
        Three rows for each county: ``area``, ``county``, ``kind``, ``part``, ``weight``,
        ``x_km``, ``y_km``.
    """
    n = len(counties)
    angle = rng.uniform(0, 2 * np.pi, n)
    reach = {"core": np.zeros(n), "town": rng.uniform(6, 10, n), "village": rng.uniform(9, 14, n)}
    turn = {"core": np.zeros(n), "town": np.zeros(n), "village": rng.uniform(1.0, 2.2, n)}
    frames = []
    for place, part in enumerate(PARTS):
        share = counties["kind"].map({kind: row[place] for kind, row in PART_WEIGHT.items()})
        frames.append(
            counties[["county", "kind"]].assign(
                area=counties["county"] + f"-{part}",
                part=part,
                weight=counties["weight"] * share,
                x_km=(counties["x_km"] + reach[part] * np.cos(angle + turn[part])).round(1),
                y_km=(counties["y_km"] + reach[part] * np.sin(angle + turn[part])).round(1),
            )
        )
    return pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)


def base_tables(
    units: pd.DataFrame, recipe: Recipe, rng: np.random.Generator
) -> tuple[People, dict[str, pd.DataFrame]]:
    """Make tables ``areas``, ``births``, ``pupils``, ``schools`` and ``rolls`` of a recipe."""
    crowd = people(units, recipe, rng)
    areas = units[["area", "county", "kind", "part", "x_km", "y_km"]]
    frames = {"areas": areas, **crowd.frames(units["area"])}
    return crowd, {**frames, **schools(units, crowd, recipe, rng)}


def generate(
    areas: int = 18,
    pupils: int = 1_500_000,
    seed: int = 0,
    *,
    kind: str = "city",
    years: tuple[int, int] = (2021, 2035),
    stages: tuple[str, ...] = ("kindergarten", "primary", "junior", "senior"),
    private_share: float = 0.2565,
    private_schools: int | None = None,
    name: str | None = None,
) -> Scenario:
    """Make a consistent synthetic scenario; the same arguments give the same bytes.

    Parameters
    ----------
    areas : int
        Number of areas. In a city three areas make a county; else each area is a county.
    pupils : int
        Compulsory enrolment of the base year, persons; the tables sum to it exactly.
    seed : int
    kind : {"city", "province", "nation"}
        A nation pools the private schools of an area and stage.
    years : (int, int)
        Base year and last planned year.
    stages : tuple of str
        Must hold ``primary`` and ``junior``.
    private_share : float
        Of compulsory enrolment in the base year.
    private_schools : int, optional
        Rows of private compulsory schools; at least one for each area and stage.
    name : str, optional

    Returns
    -------
    Scenario

    Raises
    ------
    ValueError
        When an argument is out of range.

    Examples
    --------
    >>> city = generate(areas=3, pupils=30_000)
    >>> pupils = city.table("pupils").query("school_year == 2021")
    >>> int(pupils[pupils["grade"].isin([str(grade) for grade in range(1, 10)])]["pupils"].sum())
    30000
    """
    if areas < 1 or pupils < 100 * areas:
        text = "areas must be >= 1 with at least 100 pupils each, not {areas}, {pupils}"
        raise ValueError(Message(text, {"areas": areas, "pupils": str(pupils)}))
    if kind not in SIZES:
        text = "kind must be one of {names}, not {kind}"
        raise ValueError(Message(text, {"names": tuple(SIZES), "kind": repr(kind)}))
    if not 0 < private_share < 0.5 or years[1] <= years[0] or not set(COMPULSORY) <= set(stages):
        raise ValueError(
            "expected 0 < private_share < 0.5, years in order and stages with primary and junior"
        )
    rng = np.random.default_rng(seed)
    per_county, school_size = SIZES[kind]
    private = round(pupils * private_share)
    rows = private_schools or 0
    if private_schools is None and school_size is not None:
        rows = round(private / school_size)
    recipe = Recipe(
        pupils=pupils,
        private={"primary": private - private // 2, "junior": private // 2},
        stages=tuple(stage for stage in CLASS_SIZE if stage in stages),
        base_year=years[0],
        last_year=years[1],
        private_schools=rows,
        purchase_min=20,
        purchase_fall=0.1,
        contract_teachers=7_000 / 1_500_000,
        capital_cny=800.0,
        closure_cny=1_500.0,
        closable=True,
        fixed_cny=300.0,
    )
    units = _units(areas, per_county, rng)
    crowd, tables = base_tables(units, recipe, rng)
    built = _projects(units, crowd, tables["schools"], recipe, rng)
    if kind != "nation":
        changed = changes_of_schools(units, crowd, tables["schools"], recipe)
        built = pd.concat([built, changed], ignore_index=True)
    money = capital_of(built, units)
    tables |= {
        "projects": built,
        "limits": limits(units, crowd, tables["schools"], money, recipe, rng),
        **construction(units, built),
    }
    programme = int(built[built["programme"] == "build"]["count"].sum())
    settings = _settings(name or f"{kind}-{areas}", recipe, private, programme)
    if "kindergarten" in recipe.stages:
        turned = float(built["pupils"].sum()) / int(crowd.at_base("kindergarten").sum())
        settings |= _kindergarten_rules(recipe, turned)
    if kind == "city":
        settings["reliability"] = {
            "probability": 0.95,
            "targets": ["placement-compulsory", "share"],
        }
    return Scenario.from_tables(settings, **tables)


def _units(areas: int, per_county: int, rng: np.random.Generator) -> pd.DataFrame:
    """Make areas on a square grid; every sixth county urban, every sixth peri-urban."""
    number = -(-areas // per_county)
    side = int(np.ceil(np.sqrt(number)))
    at = np.arange(number)
    digits = max(2, len(str(number)))
    counties = pd.DataFrame(
        {
            "county": [f"C{k + 1:0{digits}d}" for k in at],
            "kind": np.array(["urban", "peri-urban", *["rural"] * 4])[at % 6],
            "weight": np.exp(0.35 * rng.standard_normal(number)),
            "x_km": 35.0 * (at % side),
            "y_km": 35.0 * (at // side),
        }
    )
    if per_county == 1:
        return counties.assign(area=counties["county"], part="")
    return divide(counties, rng).iloc[:areas]


def _projects(
    units: pd.DataFrame,
    crowd: People,
    table: pd.DataFrame,
    recipe: Recipe,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw an ordered programme for 7 % of compulsory enrolment and candidates beside it."""
    year = recipe.base_year + 1
    weights = need(units, crowd, table, recipe)
    built = [
        projects(units, weights, tuple(_new(stage, units, recipe) for stage in COMPULSORY), rng),
        *(_extensions(units, weights[stage], stage, recipe, rng) for stage in COMPULSORY),
    ]
    if "kindergarten" in recipe.stages:
        children = round(0.0135 * int(crowd.at_base("kindergarten").sum()))
        openings, due = (f"{year}-09-01", f"{year}-11-15"), f"{year}-12-31"
        number = max(1, children // 170)
        turned = kindergartens(
            table, number, children, rng, earliest=openings, due=due, programme=""
        )
        built.append(turned)
    return pd.concat(built, ignore_index=True)


def _new(stage: str, units: pd.DataFrame, recipe: Recipe) -> Batch:
    """Order new schools for 7 % of half of compulsory enrolment, 18 classes each."""
    year = recipe.base_year + 1
    classes = max(round(recipe.pupils * 0.5 / CLASS_SIZE[stage] * 0.07), 6)
    schools = max(1, classes // 18)
    # Above some 60 projects a stage, alike ones stand in one row each area.
    count = max(1, round(schools / len(units))) if schools > 60 else 1
    number = max(1, schools // count)
    return Batch(
        "new",
        {stage: max(classes // count, 6 * number)},
        number,
        (f"{year}-09-01", f"{year}-11-01"),
        status="ordered",
        programme="build",
        due=f"{year}-12-31",
        spent=0.3,
        count=count,
    )


def _extensions(
    units: pd.DataFrame, weights: Floats, stage: str, recipe: Recipe, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw candidates for 6 % of compulsory enrolment: every area may add classrooms, one by one.

    A small county has not the money for a wing at a time.
    """
    year = recipe.base_year + 1
    rooms = round(0.03 * recipe.pupils / CLASS_SIZE[stage])
    each = Batch(
        "extend",
        {stage: len(units)},
        len(units),
        (f"{year + 1}-09-01", f"{year + 2}-09-01"),
        smallest=1,
        count=1 + split(rooms, weights),
    )
    return projects(units, {stage: np.ones(len(units))}, (each,), rng, code=f"{stage[0].upper()}")


def _settings(name: str, recipe: Recipe, private: int, programme: int) -> dict[str, Any]:
    year = recipe.base_year + 1
    settings: dict[str, Any] = {
        "name": name,
        "title": f"Synthetic {name}",
        "horizon": {"base_year": recipe.base_year, "last_year": recipe.last_year},
        "stages": {"planned": list(recipe.stages), "compulsory": list(COMPULSORY)},
        "policy": {
            "private_share_cap": {str(year): round(0.5 * private / recipe.pupils, 4)},
            "reduction": round(0.45 * private),
            "reduction_year": year,
            "purchase_ceiling_share": 0.08,
            "conversion_due_year": year + 1,
            "conversion_earliest_year": year,
            "conversion_latest_year": min(year + 2, recipe.last_year),
            "decision_years": [
                *range(year, min(year + 2, recipe.last_year)),
                *range(year + 2, recipe.last_year + 1, 2),
            ],
            "large_class_share": {str(year): 0.25, str(year + 3): 0.1},
        },
        "programmes": {"build": {"number": programme, "by": f"{year}-12-31"}},
        "costs": {"discount_rate": 0.04, "shortfall_cny": 2_000_000},
        "construction": {"start": f"{year}-01-01"},
        "calendars": {"winter": {"stops": [["12-15", "02-15"]]}},
        "sources": {
            f"{table}.{column}": {"source": "synthetic, from totals and a seed", "mark": "A"}
            for table, column in (
                ("births", "births"), ("pupils", "pupils"), ("schools", "places"),
                ("schools", "pupils"), ("schools", "staff"), ("schools", "conversion"),
                ("schools", "conversion_cost_cny"), ("schools", "purchase_price_cny"),
                ("schools", "closure_cost_cny"), ("schools", "fixed_cny"),
                ("rolls", "pupils"), ("projects", "places"), ("projects", "capital_cny"),
                ("limits", "amount"), ("phases", "mode_months"), ("phases", "option"),
                ("phases", "option_cost_share"), ("resources", "units"),
            )
        },
    }  # fmt: skip
    for section, rules in RULES.items():
        settings.setdefault(section, {}).update(
            {
                key: {"value": value, "unit": unit, "source": f"{why}; assumed", "mark": "A"}
                for key, (value, unit, why) in rules.items()
            }
        )
    return settings


def _kindergarten_rules(recipe: Recipe, turned: float) -> dict[str, Any]:
    """Make floors that the base year keeps with ``turned`` more of the enrolled inclusive."""
    year = str(recipe.base_year + 1)
    inclusive = round(recipe.kindergarten_inclusive + TURNED_SHARE * turned, 4)
    return {
        "demand": {"gross_enrolment": {"kindergarten": recipe.kindergarten_rate}},
        "floors": {
            "kindergarten_enrolment": {year: 0.92},
            "kindergarten_public": {year: 0.56},
            "kindergarten_inclusive": {year: inclusive},
        },
    }
