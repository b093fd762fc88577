"""Small maps of neighbourhoods and schools, and every way to draw catchments on them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

import capsim

CEILING = 2.0
OVERFILL_CNY = 2_000.0
KM_CNY = 300.0


def town_map(
    seed: int,
    areas: int = 7,
    schools: int = 3,
    *,
    borders: list[tuple[int, int]] | None = None,
    catchments: Mapping[str, Any] | None = None,
    years: int = 1,
    **sections: Any,
) -> capsim.Scenario:
    """Make neighbourhoods strewn over 5 × 5 km, public schools in some of them, one grade."""
    rng = np.random.default_rng(seed)
    names = [f"a{i}" for i in range(areas)]
    xy = rng.uniform(0, 5, (areas, 2)).round(2)
    children = rng.integers(20, 60, areas).astype(float)
    share = rng.dirichlet(np.full(schools, 3.0))
    where = rng.choice(areas, schools, replace=schools > areas)
    tables = {
        "areas": pd.DataFrame({"area": names, "county": "C", "x_km": xy[:, 0], "y_km": xy[:, 1]}),
        "forecast": pd.DataFrame(
            [
                {"area": name, "grade": "7", "school_year": year, "pupils": number}
                for name, number in zip(names, children, strict=True)
                for year in range(2021, 2022 + years)
            ]
        ),
        "schools": pd.DataFrame(
            {
                "school": [f"s{k}" for k in range(schools)],
                "stage": "junior",
                "area": [names[i] for i in where],
                "sector": "public",
                "places": np.maximum(20.0, (1.1 * children.sum() * share).round()),
                "pupils": 0.0,
            }
        ),
    }
    if borders is not None:
        ends = [(names[a], names[b]) for a, b in borders]
        tables["borders"] = pd.DataFrame(ends, columns=["area", "to_area"])
    size = {"class_size": 50, "class_ceiling": 50 * CEILING, "large_class": 200}
    settings: dict[str, Any] = {
        "name": "map",
        "horizon": {"base_year": 2021, "last_year": 2021 + years},
        "stages": {"planned": ["junior"]},
        "standards": {"junior": {"grades": ["7"], "very_large_class": 200, **size}},
        "costs": {"discount_rate": 0.0, "travel_cny_per_km": KM_CNY, "overfill_cny": OVERFILL_CNY},
        "cost_terms": {"running": False},
        "switches": {"staff": False},
        "travel": {"nearest": {"junior": schools}},
        "catchments": {"stages": ["junior"], **(catchments or {})},
        **sections,
    }
    return capsim.Scenario.from_tables(settings=settings, **tables)


def cheapest(scenario: capsim.Scenario, *, connected: bool = True) -> float:
    """RMB of the cheapest catchments, by trying every one of them, in one year."""
    areas, schools = scenario.table("areas"), scenario.table("schools")
    number = {name: i for i, name in enumerate(areas["area"])}
    home = [number[area] for area in schools["area"]]
    xy = areas[["x_km", "y_km"]].to_numpy()
    km = np.hypot(*(xy[:, None] - xy[home][None]).transpose(2, 0, 1))
    forecast = scenario.table("forecast")
    children = forecast[forecast["school_year"] == 2022].set_index("area")["pupils"]
    n = np.array([children[name] for name in areas["area"]])
    seats = schools["places"].to_numpy()
    beside = _beside(scenario, number)
    best = np.inf
    for drawn in itertools.product(range(len(home)), repeat=len(n)):
        load = np.bincount(drawn, weights=n, minlength=len(home))
        if (load > CEILING * seats).any():
            continue
        if connected and not all(_whole(drawn, j, home, beside) for j in range(len(home))):
            continue
        way = KM_CNY * (n * km[np.arange(len(n)), list(drawn)]).sum()
        best = min(best, way + OVERFILL_CNY * np.maximum(load - seats, 0).sum())
    return float(best)


def _beside(scenario: capsim.Scenario, number: Mapping[str, int]) -> dict[int, set[int]]:
    out: dict[int, set[int]] = {i: set() for i in number.values()}
    for row in scenario.table("borders").itertuples():
        out[number[row.area]].add(number[row.to_area])
        out[number[row.to_area]].add(number[row.area])
    return out


def _whole(drawn: tuple[int, ...], j: int, home: list[int], beside: Mapping[int, set[int]]) -> bool:
    """Whether the catchment of a school hangs together with the area in which it stands."""
    mine = {i for i, school in enumerate(drawn) if school == j} - {home[j]}
    if mine and home[drawn[home[j]]] != home[j]:
        return False
    seen, edge = {home[j]}, [home[j]]
    while edge:
        for i in beside[edge.pop()] & mine - seen:
            seen.add(i)
            edge.append(i)
    return mine <= seen


def planar(rng: np.random.Generator, areas: int) -> list[tuple[int, int]]:
    """Draw borders at random: a path through all areas, and a few more."""
    order = rng.permutation(areas)
    found = set(itertools.pairwise(int(i) for i in order))
    for _ in range(3):
        one, other = rng.choice(areas, 2, replace=False).tolist()
        found |= {(one, other)} - {(b, a) for a, b in found}
    return sorted(found)
