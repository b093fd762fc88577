"""Write the tables of ``scenarios/county-schools`` (its settings are written by hand).

Run once after changing a number: ``python scripts/make_county_schools.py [FOLDER]``. Everything is
invented from a seed; the numbers to turn are at the top, and ``README.md`` in the folder says what
each moves.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.scenario.school_stages import stages
from capsim.scenario.synthetic.recipe import apportion

SEED = 2022
FOLDER = Path(__file__).parents[1] / "scenarios" / "county-schools"
BASE, LAST = 2021, 2023

# --- Places: neighbourhoods of the core, of towns, villages, far hamlets ------------------------
CORE, TOWNS, TOWN_PARTS, VILLAGES, HAMLETS = 40, 12, 3, 68, 6
RESIDENTS = {"core": 5_200, "town": 2_800, "village": 1_350, "hamlet": 520}
WIDE_KM, HIGH_KM = 36.0, 28.0
CORE_KM, TOWN_KM, VILLAGE_KM, HAMLET_KM = 2.6, 0.7, (1.6, 3.4), (5.5, 7.5)
ROAD = 1.25  # of the straight line

# --- Children: entries to grade 1, in 10,000 of the city, by autumn; pull of each kind of place --
ENTRIES = {
    2013: 16.3, 2014: 16.4, 2015: 16.5, 2016: 16.6, 2017: 16.9, 2018: 17.0, 2019: 17.0,
    2020: 16.6, 2021: 15.9, 2022: 16.2, 2023: 17.3, 2024: 16.1, 2025: 14.8,
}  # fmt: skip
ENTRANTS = 0.0166  # of residents, in 2021
GROWTH = {"core": 1.012, "town": 1.0, "village": 0.985, "hamlet": 0.98}

# --- Schools: public ones by kind of place and private ones ---------------------------------------
PUBLIC = {"primary": (20, 24, 34, 6), "junior": (9, 12, 9, 0)}  # core, town, village, hamlet
PRIVATE = {"primary": (0.12, 8), "junior": (0.20, 8)}  # share of the pupils, schools
PAYING = {"core": 1.6, "town": 0.8, "village": 0.4, "hamlet": 0.0}  # times that share
CLASSES = {"primary": (6, 36), "junior": (6, 42)}
FILL = {"core": 0.98, "town": 0.9, "village": 0.8, "hamlet": 1.0}
BEDS = {"primary": 40, "junior": 160}  # in schools of towns
NEAREST = {("primary", "public"): 4, ("junior", "public"): 3, "private": 2}

Floats = NDArray[np.float64]


def make_areas(rng: np.random.Generator) -> pd.DataFrame:
    """Lay out the county: a core, towns on a loose grid, villages round them, hamlets beyond."""
    across, up = np.meshgrid((0.14, 0.38, 0.62, 0.86), (0.18, 0.5, 0.82))
    town = np.stack([across.ravel() * WIDE_KM, up.ravel() * HIGH_KM], axis=1)
    town += rng.uniform(-1.2, 1.2, town.shape)
    centre = np.array([WIDE_KM / 2, HIGH_KM / 2 - 4.2])
    core = centre + spread(CORE, CORE_KM)
    parts = np.repeat(town, TOWN_PARTS, axis=0)
    turn = np.tile(np.arange(TOWN_PARTS) * 2 * np.pi / TOWN_PARTS, TOWNS)
    turn += np.repeat(rng.uniform(0, 2, TOWNS), TOWN_PARTS)
    parts = parts + TOWN_KM * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    village = ring(town[np.arange(VILLAGES) % TOWNS], VILLAGE_KM, VILLAGES // TOWNS + 1, rng)
    edge = np.argsort(-np.hypot(*(town - centre).T))[:HAMLETS]
    away = town[edge] - centre
    away = away / np.hypot(*away.T)[:, None] * rng.uniform(*HAMLET_KM, HAMLETS)[:, None]
    xy = np.concatenate([core, parts, village, town[edge] + away]).round(2)
    place = np.repeat(list(RESIDENTS), [CORE, TOWNS * TOWN_PARTS, VILLAGES, HAMLETS])
    names = {"core": "U", "town": "T", "village": "V", "hamlet": "H"}
    number = pd.Series(place).groupby(place).cumcount() + 1
    size = np.array([RESIDENTS[p] for p in place]) * np.exp(0.25 * rng.standard_normal(len(place)))
    return pd.DataFrame(
        {
            "area": [f"{names[p]}{n:02d}" for p, n in zip(place, number, strict=True)],
            "county": "county",
            "kind": np.where(place == "core", "urban", "rural"),
            "part": np.where(place == "hamlet", "village", place),
            "x_km": xy[:, 0],
            "y_km": xy[:, 1],
            "place": place,
            "residents": size,
        }
    )


def spread(count: int, radius: float) -> Floats:
    """Points strewn evenly over a disc, as seeds in a sunflower."""
    at = np.arange(count) + 0.5
    turn = np.pi * (1 + 5**0.5) * at
    return radius * np.sqrt(at / count)[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def ring(centres: Floats, km: tuple[float, float], each: int, rng: np.random.Generator) -> Floats:
    """One point near each centre, those of one centre in turn round it."""
    turn = (np.arange(len(centres)) // TOWNS) * 2 * np.pi / each + rng.uniform(0, 0.7, len(centres))
    far = rng.uniform(*km, len(centres))[:, None]
    return centres + far * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def children(areas: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Table ``forecast``: children by residence, each cohort followed through its grades."""
    years = range(BASE, LAST + 1)
    grades = [g for stage in ("primary", "junior") for g in stages()[stage].grades]
    growth = areas["place"].map(GROWTH).to_numpy(np.float64)
    pull = areas["residents"].to_numpy() * np.exp(0.06 * rng.standard_normal(len(areas)))
    rows = []
    for year in years:
        for step in range(len(grades)):
            entry = ENTRANTS * ENTRIES[year - step] / ENTRIES[BASE] * growth ** (year - BASE)
            rows.append(np.round(pull * entry).astype(int))
    table = np.stack(rows).reshape(len(years), len(grades), len(areas))
    t, g, a = (index.ravel() for index in np.indices(table.shape))
    return pd.DataFrame(
        {
            "area": areas["area"].to_numpy()[a],
            "grade": np.array(grades)[g],
            "school_year": np.array(list(years))[t],
            "pupils": table.ravel(),
        }
    ).sort_values(["area", "school_year"], kind="stable")


def sites(areas: pd.DataFrame, stage: str) -> list[int]:
    """Positions of the areas with public schools: spread over core and towns, then the farthest.

    In villages a school stands where the way to all others is longest, one after the other.
    """
    out: list[int] = []
    for place, number in zip(RESIDENTS, PUBLIC[stage], strict=True):
        mine = np.flatnonzero(areas["place"] == place)
        if place == "village":
            continue
        shift = 1 if stage == "junior" else 0
        out += [int(mine[(k * len(mine) // number + shift) % len(mine)]) for k in range(number)]
    xy = areas[["x_km", "y_km"]].to_numpy()
    village = areas["place"].to_numpy() == "village"
    for _ in range(PUBLIC[stage][2]):
        away = np.where(village, ways(areas, xy[out]).min(axis=1), -1.0)
        out.append(int(away.argmax()))
    return out


def ways(areas: pd.DataFrame, at: Floats) -> Floats:
    """Road kilometres from every area to places, ``[area, place]``."""
    gap = areas[["x_km", "y_km"]].to_numpy()[:, None] - at[None]
    return np.asarray(ROAD * np.hypot(gap[..., 0], gap[..., 1]), np.float64)


def minutes(km: Floats) -> Floats:
    """On foot at 4.5 km an hour up to 2 km, beyond that 10 minutes and a bus of 22 km an hour."""
    return np.asarray(np.where(km <= 2.0, km / 4.5 * 60, 10 + km / 22 * 60), np.float64)


def make_schools(
    areas: pd.DataFrame, forecast: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables ``schools`` and ``rolls``: last autumn's children at the school nearest to them."""
    xy = areas[["x_km", "y_km"]].to_numpy()
    now = forecast[forecast["school_year"] == BASE]
    schools, rolls = [], []
    for stage, standard in stages().items():
        if stage not in PUBLIC:
            continue
        table = now[now["grade"].isin(standard.grades)].pivot_table(
            index="area", columns="grade", values="pupils"
        )
        home = table.loc[areas["area"], list(standard.grades)].to_numpy()
        share, number = PRIVATE[stage]
        fee = share * areas["place"].map(PAYING).to_numpy(np.float64)
        paying = np.round(home * fee[:, None]).astype(int)
        host = sites(areas, stage)
        spot = xy[host] + rng.uniform(-0.15, 0.15, (len(host), 2)).round(2)
        nearest = ways(areas, spot).argmin(axis=1)
        come = np.zeros((len(host), len(standard.grades)), int)
        np.add.at(come, nearest, home - paying)
        fill = areas["place"].map(FILL).to_numpy(np.float64)[host]
        low, high = CLASSES[stage]
        classes = np.clip(np.ceil(come.sum(1) / standard.class_size / fill), low, high)
        core = np.flatnonzero(areas["place"] == "core")
        towns = np.flatnonzero(areas["place"] == "town")
        other = [*core[:: len(core) // 5][:5], *towns[:: len(towns) // 3][:3]][:number]
        sizes = np.exp(0.3 * rng.standard_normal(number))
        one = np.zeros(number, int)
        private = np.stack([apportion(np.array([n]), sizes, one) for n in paying.sum(0)], axis=1)
        for k, i in enumerate(host):
            town = areas["place"].iloc[i] == "town"
            schools.append(
                {
                    "school": f"{stage[0].upper()}{k + 1:02d}",
                    "stage": stage,
                    "area": areas["area"].iloc[i],
                    "sector": "public",
                    "places": int(classes[k] * standard.class_size),
                    "pupils": int(come[k].sum()),
                    "classes": int(classes[k]),
                    "boarding_places": BEDS[stage] if town else 0,
                    "x_km": spot[k, 0].round(2),
                    "y_km": spot[k, 1].round(2),
                }
            )
        for k, i in enumerate(other):
            pupils = int(private[k].sum())
            turned = ("must", "may", "no", "may")[k % 4]
            schools.append(
                {
                    "school": f"{stage[0].upper()}X{k + 1}",
                    "stage": stage,
                    "area": areas["area"].iloc[i],
                    "sector": "private",
                    "places": int(np.ceil(pupils / standard.class_size) * standard.class_size),
                    "pupils": pupils,
                    "classes": int(np.ceil(pupils / standard.class_size)),
                    "boarding_places": 0,
                    "conversion": turned,
                    "conversion_cost_cny": 0 if turned != "may" else 9_000 * pupils,
                    "conversion_lease_cny": 1_500 * pupils if turned == "must" else 0,
                    "purchasable_places": 0 if turned == "must" else pupils // 2,
                    "purchase_min_places": 0 if turned == "must" else 20,
                    "x_km": (xy[i, 0] + 0.2).round(2),
                    "y_km": (xy[i, 1] - 0.2).round(2),
                }
            )
        for row, by_grade in zip(schools[-len(host) - number :], [*come, *private], strict=True):
            for grade, pupils in zip(standard.grades, by_grade, strict=True):
                rolls.append((row["school"], stage, grade, int(pupils)))
    return pd.DataFrame(schools), pd.DataFrame(
        rolls, columns=["school", "stage", "grade", "pupils"]
    )


def make_projects(areas: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Extend the fullest schools: two of each stage by order, five more as candidates."""
    rows = []
    public = schools[schools["sector"] == "public"].assign(
        full=lambda t: t["pupils"] / t["places"],
        place=lambda t: t["area"].map(areas.set_index("area")["place"]),
    )
    for stage, standard in stages().items():
        mine = public[public["stage"] == stage].sort_values("full", ascending=False)
        for k, row in enumerate(mine[mine["place"] != "hamlet"].head(7).to_dict("records")):
            status = "ordered" if k < 2 else "candidate"
            places = 6 * standard.class_size
            opening = "2022-09-01" if status == "ordered" else "2023-09-01"
            rows.append(
                {
                    "project": f"E{stage[0].upper()}{k + 1}",
                    "stage": stage,
                    "area": row["area"],
                    "kind": "extend",
                    "places": places,
                    "capital_cny": places * standard.extension_cny,
                    "status": status,
                    "earliest_opening": opening,
                    "due": opening if status == "ordered" else "",
                    "school": row["school"],
                    "programme": "build-2022" if status == "ordered" else "",
                    "build_months": 9,
                }
            )
    return pd.DataFrame(rows)


def make_links(areas: pd.DataFrame, schools: pd.DataFrame) -> pd.DataFrame:
    """Each area to its nearest schools, its own and those of the areas it lies between."""
    rows = []
    for (stage, sector), group in schools.groupby(["stage", "sector"], sort=False):
        km = ways(areas, group[["x_km", "y_km"]].to_numpy())
        most = NEAREST.get((stage, sector), NEAREST["private"])
        chosen = km <= np.sort(km, axis=1)[:, [most - 1]]
        chosen |= areas["area"].to_numpy()[:, None] == group["area"].to_numpy()[None]
        a, j = np.nonzero(chosen)
        rows.append(
            pd.DataFrame(
                {
                    "area": areas["area"].to_numpy()[a],
                    "to_school": group["school"].to_numpy()[j],
                    "stage": stage,
                    "km": km[a, j].round(2),
                    "minutes": minutes(km[a, j]).round(0).astype(int),
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def make() -> dict[str, pd.DataFrame]:
    """All tables of the scenario, by name."""
    rng = np.random.default_rng(SEED)
    areas = make_areas(rng)
    forecast = children(areas, rng)
    schools, rolls = make_schools(areas, forecast, rng)
    projects = make_projects(areas, schools)
    return {
        "areas": areas.drop(columns=["place", "residents"]),
        "forecast": forecast,
        "schools": schools,
        "rolls": rolls,
        "projects": projects,
        "links": make_links(areas, schools),
    }


def main() -> None:
    """Write every table as CSV and print what there is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    tables = make()
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    schools, now = tables["schools"], tables["forecast"].query(f"school_year == {BASE}")
    print(f"{len(tables['areas'])} areas, {len(schools)} schools, {now['pupils'].sum():,} children")
    print(schools.groupby(["stage", "sector"])[["places", "pupils"]].sum().to_string())


if __name__ == "__main__":
    main()
