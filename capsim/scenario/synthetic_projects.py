"""Projects of a synthetic scenario: an ordered programme and candidates to choose from.

Projects are drawn in batches (so many alike, so many classes together) and spread over areas in
proportion to need. The seats of a project join the public pool of its area and stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from .synthetic_people import People
from .synthetic_recipe import (
    CLASS_SIZE,
    COMPULSORY,
    PLACE_CNY,
    PUPILS_PER_POST,
    Floats,
    Ints,
    Recipe,
    split,
    systematic,
)

COST = {"new": 1.0, "rebuild": 0.9, "extend": 1.3, "prefab": 0.4}
"""Capital of a place over that of a new one (an extension's is 65,000 against 50,000 RMB)."""
MONTHS = {
    "new": 14.0,
    "rebuild": 12.0,
    "extend": 10.0,
    "prefab": 4.0,
    "inclusive_kindergarten": 3.0,
}
"""Building time."""
LAND_M2 = {"kindergarten": 15.0, "primary": 22.0, "junior": 23.0, "senior": 30.0}
MU_M2 = 666.67
UPKEEP_CNY = 300.0
"""Running a building, a place and school year, beyond teachers and the operating allowance."""
PREFAB_YEARS = 20


@dataclass(frozen=True)
class Batch:
    """Alike projects.

    Attributes
    ----------
    kind : str
    classes : mapping of stage to int
        Classes of all projects of the batch together.
    number : int
        Rows; each is as many alike copies as ``count`` says.
    earliest : tuple of date
        Earliest openings, dealt out in turn.
    status, programme : str
    due : str
    spent : float
        Share of the capital paid before the first planned year.
    smallest : int
        Fewest classes of a project and stage.
    life_years : int or None
    count : int or int array [number]
    """

    kind: str
    classes: Mapping[str, int]
    number: int
    earliest: tuple[str, ...]
    status: str = "candidate"
    programme: str = ""
    due: str = ""
    spent: float = 0.0
    smallest: int = 6
    life_years: int | None = None
    count: int | Ints = 1


def need(
    units: pd.DataFrame, people: People, schools: pd.DataFrame, recipe: Recipe
) -> Mapping[str, Floats]:
    """How much each area wants new seats, by stage: full classes and private pupils weigh.

    Areas without a public pool of the stage have no need, since a project joins a pool.
    """
    public = schools[schools["sector"] == "public"]
    out = {}
    for stage in recipe.stages:
        pool = public[public["stage"] == stage].set_index("area").reindex(units["area"])
        filled = (pool["pupils"] / pool["places"]).to_numpy()
        private = people.at_base(stage, private=True).sum(1) if stage in COMPULSORY else 0.0
        weight = np.exp(8 * (filled - 1)) * pool["pupils"].to_numpy() * 0.1 + private
        out[stage] = np.where(np.isfinite(filled), weight, 0.0)
    return out


def projects(
    units: pd.DataFrame,
    weights: Mapping[str, Floats],
    batches: tuple[Batch, ...],
    rng: np.random.Generator,
    code: str = "B",
) -> pd.DataFrame:
    """Table ``projects``: one row per project and stage, named ``code`` and a number.

    Parameters
    ----------
    units : DataFrame
        One row per area: ``area``.
    weights : mapping of stage to array [area]
        From `need`.
    batches : tuple of Batch
    rng : Generator
    code : str
    """
    frames, first = [], 1
    for batch in batches:
        if batch.number:
            frames.append(_batch(units, weights, batch, rng, f"{code}%03d", first))
        first += batch.number
    return pd.concat(frames, ignore_index=True)


def _batch(
    units: pd.DataFrame,
    weights: Mapping[str, Floats],
    batch: Batch,
    rng: np.random.Generator,
    name: str,
    first: int,
) -> pd.DataFrame:
    n = batch.number
    joint = np.prod([weights[stage] for stage in batch.classes], axis=0) ** (1 / len(batch.classes))
    area = systematic(joint, n, rng)
    earliest = np.array(batch.earliest)[np.arange(n) % len(batch.earliest)]
    kind_cost = COST[batch.kind] * np.exp(0.08 * rng.standard_normal(n))
    months = np.rint(MONTHS[batch.kind] * rng.uniform(0.85, 1.2, n))
    spent = np.clip(batch.spent * rng.uniform(0.8, 1.2, n), 0, 0.95)
    rows = []
    for stage, classes in batch.classes.items():
        size = np.exp(0.25 * rng.standard_normal(n))
        least = batch.smallest * n
        places = (batch.smallest + split(classes - least, size)) * CLASS_SIZE[stage]
        capital = np.rint(places * PLACE_CNY[stage] * kind_cost / 10_000) * 10_000
        grows = batch.kind in ("new", "prefab")
        rows.append(
            pd.DataFrame(
                {
                    "project": [name % (first + k) for k in range(n)],
                    "stage": stage,
                    "area": units["area"].to_numpy()[area],
                    "kind": batch.kind,
                    "places": places,
                    "capital_cny": capital,
                    "status": batch.status,
                    "earliest_opening": earliest,
                    "due": batch.due,
                    "school": units["area"].to_numpy()[area] + f"-{stage}",
                    "programme": batch.programme,
                    "count": batch.count,
                    "running_cny": places * UPKEEP_CNY,
                    "land_mu": np.round(
                        places * LAND_M2[stage] / MU_M2 * (1.0 if batch.kind == "new" else 0.0), 1
                    ),
                    "posts": np.rint(places / PUPILS_PER_POST[stage] * (0.9 if grows else 0.6))
                    if stage in COMPULSORY
                    else 0.0,
                    "build_months": months,
                    "spent_cny": np.rint(capital * spent / 10_000) * 10_000,
                    "started": started(earliest, batch.kind, batch.status),
                    "life_years": batch.life_years if batch.life_years else np.nan,
                }
            )
        )
    return pd.concat(rows).sort_values(["project", "stage"], kind="stable")


Texts = npt.NDArray[np.str_]
LEAD_MONTHS = {"new": 27, "rebuild": 18, "extend": 15, "prefab": 8, "inclusive_kindergarten": 6}
"""From the first application to use, as the phases of the scenario add up, winter stop included."""


def started(earliest: Texts, kind: str, status: str) -> Texts:
    """First day of work on a project that is under way; blank for a candidate."""
    if status == "candidate":
        return np.full(len(earliest), "")
    day = np.array(earliest, dtype="datetime64[D]")
    month = day.astype("datetime64[M]")
    return np.datetime_as_string(
        (month - np.timedelta64(LEAD_MONTHS[kind], "M")).astype("datetime64[D]")
    )


def kindergartens(
    schools: pd.DataFrame,
    number: int,
    children: int,
    rng: np.random.Generator,
    *,
    earliest: tuple[str, ...],
    due: str,
    programme: str,
    code: str = "K",
) -> pd.DataFrame:
    """Private kindergartens turned inclusive: no new seats, ``children`` in all of them together.

    They are fewer where a pool has not so many.

    Returns
    -------
    DataFrame
        Rows of ``projects``; ``school`` names the pool the children's kindergartens leave.
    """
    other = schools[(schools["stage"] == "kindergarten") & (schools["inclusive"] == "no")]
    at = systematic(other["pupils"].to_numpy(float), number, rng)
    size = split(children, np.exp(0.12 * rng.standard_normal(number)))
    size = _within(size, at, other["pupils"].to_numpy(np.int64))
    opening = np.array(earliest)[np.arange(number) % len(earliest)]
    return pd.DataFrame(
        {
            "project": [f"{code}{k + 1:03d}" for k in range(number)],
            "stage": "kindergarten",
            "area": other["area"].to_numpy()[at],
            "kind": "inclusive_kindergarten",
            "places": 0,
            "capital_cny": np.rint(size * 3_000 / 10_000) * 10_000.0,
            "status": "ordered",
            "earliest_opening": opening,
            "due": due,
            "school": other["school"].to_numpy()[at],
            "programme": programme,
            "running_cny": size * 1_500.0,
            "build_months": MONTHS["inclusive_kindergarten"],
            "started": started(opening, "inclusive_kindergarten", "ordered"),
            "pupils": size.astype(float),
        }
    )


def _within(size: Ints, pool: Ints, pupils: Ints) -> Ints:
    """Cut down sizes whose sum is above the pupils of their pool, in their order.

    Examples
    --------
    >>> _within(np.array([60, 70, 20]), np.array([0, 0, 1]), np.array([100, 80]))
    array([60, 40, 20])
    """
    out = size.copy()
    left = pupils.copy()
    for k, at in enumerate(pool.tolist()):
        out[k] = min(int(out[k]), int(left[at]))
        left[at] -= out[k]
    return out
