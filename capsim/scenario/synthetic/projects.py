"""Projects of a synthetic scenario, and the limits, phases and crews that they are built within.

Projects are drawn in batches (so many alike, so many classes together) and spread over areas in
proportion to need. The seats of a project join the public pool of its area and stage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt
import pandas as pd

from capsim.scenario.synthetic.people import People
from capsim.scenario.synthetic.recipe import (
    CLASS_SIZE,
    COMPULSORY,
    PLACE_CNY,
    PLACE_PRICE_CNY,
    PUPILS_PER_POST,
    Floats,
    Ints,
    Recipe,
    lookup,
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
    """Compute each area's need of new seats, by stage: by full classes and private pupils.

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
    """Make the table ``projects``: a row per project and stage, named ``code`` and a number.

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
    area = units["area"].to_numpy()[systematic(joint, n, rng)]
    earliest = np.array(batch.earliest)[np.arange(n) % len(batch.earliest)]
    kind_cost = COST[batch.kind] * np.exp(0.08 * rng.standard_normal(n))
    months = np.rint(MONTHS[batch.kind] * rng.uniform(0.85, 1.2, n))
    spent = np.clip(batch.spent * rng.uniform(0.8, 1.2, n), 0, 0.95)
    share_of_posts = 0.9 if batch.kind in ("new", "prefab") else 0.6
    rows = []
    for stage, classes in batch.classes.items():
        size = np.exp(0.25 * rng.standard_normal(n))
        places = batch.smallest + split(classes - batch.smallest * n, size)
        places = places * CLASS_SIZE[stage]
        capital = _rounded(places * PLACE_CNY[stage] * kind_cost)
        land = places * LAND_M2[stage] / MU_M2 if batch.kind == "new" else np.zeros(n)
        posts = places / PUPILS_PER_POST[stage] * share_of_posts
        rows.append(
            pd.DataFrame(
                {
                    "project": [name % (first + k) for k in range(n)],
                    "stage": stage,
                    "area": area,
                    "kind": batch.kind,
                    "places": places,
                    "capital_cny": capital,
                    "status": batch.status,
                    "earliest_opening": earliest,
                    "due": batch.due,
                    "school": area + f"-{stage}",
                    "programme": batch.programme,
                    "count": batch.count,
                    "running_cny": places * UPKEEP_CNY,
                    "land_mu": np.round(land, 1),
                    "posts": np.rint(posts) if stage in COMPULSORY else 0.0,
                    "build_months": months,
                    "spent_cny": _rounded(capital * spent),
                    "started": started(earliest, batch.kind, batch.status),
                    "life_years": batch.life_years if batch.life_years else np.nan,
                }
            )
        )
    return pd.concat(rows).sort_values(["project", "stage"], kind="stable")


def _rounded(cny: npt.ArrayLike) -> Floats:
    return np.rint(np.asarray(cny, np.float64) / 10_000) * 10_000


Texts = npt.NDArray[np.str_]
LEAD_MONTHS = {"new": 27, "rebuild": 18, "extend": 15, "prefab": 8, "inclusive_kindergarten": 6}
"""From the first application to use, as the phases of the scenario add up, winter stop included."""


def started(earliest: Texts, kind: str, status: str) -> Texts:
    """Return the first day of work on a project under way; blank for a candidate."""
    if status == "candidate":
        return np.full(len(earliest), "")
    day = np.array(earliest, dtype="datetime64[D]")
    month = day.astype("datetime64[M]") - np.timedelta64(LEAD_MONTHS[kind], "M")
    return np.datetime_as_string(month.astype("datetime64[D]"))


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
    """Make rows of kindergartens turned inclusive: no new seats, ``children`` in all together.

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
            "capital_cny": _rounded(size * 3_000.0),
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


ROOM = {"primary": 45.0, "junior": 50.0}
"""Places of a classroom."""
ROOM_CNY = 3_000.0
"""Fitting a classroom out for another stage, a place: desks, a share of a laboratory."""
SMALL_SCHOOL = {"rooms": 3, "saved_cny": 150_000.0}
"""A rural primary school, and its fixed cost in a school year: kitchen, guard, heating, upkeep."""
CAMPUS_ROOMS = 12


def changes_of_schools(
    units: pd.DataFrame, people: People, schools: pd.DataFrame, recipe: Recipe
) -> pd.DataFrame:
    """Make candidates that change public schools where fewer children are born.

    Half of the primary classrooms that will stand empty may become junior ones, one by one. Of the
    villages, or of rural areas without parts, half of the empty places may close, school by school,
    or merge into the town's in every second county. A county may make its town's two stages one
    campus.
    """
    public = schools[schools["sector"] == "public"].set_index(["area", "stage"])["places"]
    places = {
        stage: public.xs(stage, level="stage").reindex(units["area"]).fillna(0.0).to_numpy()
        for stage in COMPULSORY
    }
    now = people.births[:, -12:-6].mean(axis=1)
    fall = np.clip(1.0 - people.births[:, -1] / np.maximum(now, 1.0), 0.0, 1.0)
    empty = np.floor(0.5 * fall * places["primary"] / ROOM["primary"]).astype(int)
    both = (places["primary"] > 0) & (places["junior"] > 0)
    area, county = units["area"].to_numpy(object), units["county"].to_numpy(object)
    soon, later = f"{recipe.base_year + 2}-09-01", f"{recipe.base_year + 3}-09-01"
    rows: list[dict[str, object]] = []

    def add(at: int, kind: str, stage: str, school: int, **numbers: object) -> None:
        name = f"{kind[0].upper()}-{area[at]}"
        named = {"project": name, "stage": stage, "area": area[at], "kind": kind}
        named |= {"school": f"{area[school]}-{stage}", "status": "candidate"}
        rows.append({**named, "places": 0.0, "capital_cny": 0.0, **numbers})

    for a in np.flatnonzero(both & (empty > 0)).tolist():
        some = {"earliest_opening": soon, "count": int(empty[a]), "build_months": 4.0}
        capital = ROOM_CNY * ROOM["junior"]
        add(a, "restage", "primary", a, places_given_up=ROOM["primary"], **some)
        add(a, "restage", "junior", a, places=ROOM["junior"], capital_cny=capital, **some)

    town = {county[a]: a for a in np.flatnonzero(both & (units["part"] == "town"))[::-1].tolist()}
    small = ROOM["primary"] * SMALL_SCHOOL["rooms"]
    rural = (units["part"] == "village") | ((units["part"] == "") & (units["kind"] == "rural"))
    order = pd.factorize(county)[0]
    for a in np.flatnonzero(rural & (empty >= SMALL_SCHOOL["rooms"])).tolist():
        some = {"earliest_opening": later, "build_months": 6.0}
        some["count"] = int(empty[a] // SMALL_SCHOOL["rooms"])
        ends = {"places_given_up": small, "saved_cny": SMALL_SCHOOL["saved_cny"]}
        if order[a] % 2 or county[a] not in town:
            add(a, "close", "primary", a, **ends, **some)
            continue
        room = {"places": ROOM["primary"], "capital_cny": ROOM["primary"] * ROOM_CNY}
        add(a, "merge", "primary", a, **ends, **some)
        add(a, "merge", "primary", town[county[a]], **room, **some)

    for a in town.values():
        old = ROOM["primary"] * CAMPUS_ROOMS
        if places["primary"][a] < old:
            continue
        some = {"earliest_opening": later, "build_months": 8.0}
        capital = ROOM["junior"] * CAMPUS_ROOMS * ROOM_CNY
        add(a, "nine_year", "primary", a, places=old, places_given_up=old, **some)
        whole = {"places": ROOM["junior"] * CAMPUS_ROOMS, "capital_cny": capital}
        add(a, "nine_year", "junior", a, **whole, **some)
    return pd.DataFrame(rows)


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


def limits(
    units: pd.DataFrame,
    people: People,
    schools: pd.DataFrame,
    capital_now: dict[str, float],
    recipe: Recipe,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Make the table ``limits``: a row per county, year and kind; purchases for the whole.

    Parameters
    ----------
    units : DataFrame
        One row per area: ``area``, ``county``, ``kind``.
    people : People
    schools : DataFrame
        Table ``schools``.
    capital_now : dict of county to float
        Capital that ordered projects need in the first planned year, RMB.
    recipe : Recipe
    rng : Generator
    """
    county, names = pd.factorize(units["county"])
    total, private, need, price = (np.zeros(len(names)) for _ in range(4))
    for stage in COMPULSORY:
        sold = people.at_base(stage, private=True).sum(1)
        for out, values in (
            (total, people.at_base(stage).sum(1)),
            (private, sold),
            (need, sold / PUPILS_PER_POST[stage]),
            (price, sold * PLACE_PRICE_CNY[stage]),
        ):
            np.add.at(out, county, values)
    price = price / np.maximum(private, 1)
    compulsory = schools[schools["stage"].isin(COMPULSORY)]
    of = dict(zip(units["area"], county, strict=True))

    def staff(rows: pd.DataFrame) -> Floats:
        weights = rows["staff"].to_numpy(np.float64)
        return np.asarray(np.bincount(rows["area"].map(of), weights, len(names)), np.float64)

    posts = staff(compulsory[compulsory["sector"] == "public"])
    coming = staff(compulsory[compulsory["conversion"] == "must"])
    whole = total.sum()
    by_size = total / whole
    by_need = 0.35 * by_size + 0.65 * need / need.sum()
    vary = np.exp(recipe.purchase_spread * rng.standard_normal(len(names)))
    purchase = np.round(
        recipe.purchase * (0.5 * total + 0.5 * private / private.sum() * whole) * vary
    )
    hires = recipe.hires * whole * by_need
    contract_teachers = recipe.contract_teachers * whole * by_need
    recurrent = recipe.recurrent_room * (
        (posts + coming + 2.5 * hires) * 100_000
        + total * 720
        + purchase * price
        + contract_teachers * 70_000
    )
    # A small county must be able to pay for a school at all, so half is shared out evenly.
    even = 0.5 * by_size + 0.5 / len(names)
    yearly = recipe.capital_cny * whole * even
    kind = units.drop_duplicates("county")["kind"]
    land = recipe.land_mu * whole * even * lookup(recipe.land_by_kind, kind)
    rows = []
    for step in range(recipe.last_year - recipe.base_year):
        year = recipe.base_year + 1 + step
        now = np.array([capital_now.get(name, 0.0) for name in names]) if step == 0 else 0.0
        left = max((1 - recipe.purchase_fall) ** max(step - 2, 0), recipe.purchase_floor)
        amounts = {
            "capital": _up(now * recipe.capital_now + yearly, 10_000),
            "recurrent": _up(recurrent, 10_000),
            "land": np.round(land, 1),
            "posts": np.ceil(
                posts * (1 + recipe.posts_room)
                + recipe.posts_coming * coming
                + recipe.posts_growth * whole * by_size * (step + 1)
            ),
            "hires": np.round(hires),
            "contract_teachers": np.round(contract_teachers),
        }
        rows += [
            pd.DataFrame({"county": names, "year": year, "kind": kind, "amount": amount})
            for kind, amount in amounts.items()
        ]
        bought = np.round([purchase.sum() * left])
        rows.append(
            pd.DataFrame({"county": "*", "year": year, "kind": "purchase", "amount": bought})
        )
    table = pd.concat(rows)
    return table.sort_values(["kind", "county", "year"], kind="stable", ignore_index=True)


def _up(amount: Floats, step: int) -> Floats:
    return np.asarray(np.ceil(amount / step) * step)


def construction(units: pd.DataFrame, projects: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Make the tables ``phases`` (by kind) and ``resources`` (crews by county and others)."""
    with (files(__package__) / "phases.csv").open(encoding="utf-8") as file:
        phases = pd.read_csv(file, keep_default_na=False)
    phases.insert(4, "distribution", "pert")
    of = dict(zip(units["area"], units["county"], strict=True))
    under_way = projects[projects["status"] != "candidate"].drop_duplicates("project")
    load = under_way["area"].map(of).value_counts()
    counties = pd.unique(units["county"])
    work = np.array([int(load.get(county, 0)) for county in counties])
    frames = [
        pd.DataFrame({"resource": name, "county": counties, "units": units_, "calendar": calendar})
        for name, units_, calendar in (
            ("crews", np.maximum(np.ceil(work * 0.5), 2).astype(int), "winter"),
            ("inspectors", np.maximum(np.ceil(work * 0.2), 1).astype(int), ""),
        )
    ]
    outside = max(int(np.ceil(work.sum() * 0.25)), 1)
    row = {"resource": "outside_crews", "county": "*", "units": outside, "calendar": "winter"}
    frames.append(pd.DataFrame([row]))
    return {"phases": phases, "resources": pd.concat(frames, ignore_index=True)}


def capital_of(projects: pd.DataFrame, units: pd.DataFrame) -> dict[str, float]:
    """Sum unpaid capital of the projects that are not candidates, by county, RMB."""
    of = dict(zip(units["area"], units["county"], strict=True))
    due = projects[projects["status"] != "candidate"]
    unpaid = due["capital_cny"] - due["spent_cny"].fillna(0.0)
    unpaid = unpaid * due["count"].fillna(1.0)
    return {str(k): float(v) for k, v in unpaid.groupby(due["area"].map(of)).sum().items()}
