"""Maps made by hand: grids of areas, points, and a scenario that they fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import capsim

STEP = 0.05
"""Side of a field of the grid, degrees."""
CORNER = (114.0, 36.0)


def square(x: float, y: float, side: float = STEP) -> list[list[float]]:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates} if kind else None,
    }


def collection(features: Sequence[dict[str, Any]]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def grid(rows: int = 2, columns: int = 2) -> list[dict[str, Any]]:
    """Fields row by row from the south-west, named f00, f01, …, and in Chinese."""
    return [
        feature(
            "Polygon",
            [square(CORNER[0] + STEP * c, CORNER[1] + STEP * r)],
            name=f"f{r}{c}",
            街道=f"第 {r}{c} 街道",
            county="North" if r else "South",
        )
        for r in range(rows)
        for c in range(columns)
    ]


def point(name: str, x: float, y: float, **more: Any) -> dict[str, Any]:
    """A school that lies x and y fields from the south-west corner of the grid."""
    spot = [CORNER[0] + STEP * x, CORNER[1] + STEP * y]
    return feature("Point", spot, school_name=name, **more)


def write(path: Path, features: Sequence[dict[str, Any]]) -> Path:
    path.write_text(collection(features), encoding="utf-8")
    return path


def quarter() -> capsim.Scenario:
    """Four areas of a grid, in two counties; two schools and a private one, no coordinates."""
    areas = ["f00", "f01", "f10", "f11"]
    schools = [
        ("P1", "f00", "public", 300.0, 200.0),
        ("P2", "f11", "public", 300.0, 200.0),
        ("V1", "f01", "private", 100.0, 60.0),
    ]
    children = [
        {"area": area, "grade": "1", "school_year": year, "pupils": 100.0 + 15 * at}
        for at, area in enumerate(areas)
        for year in (2021, 2022)
    ]
    heads = ["school", "area", "sector", "places", "pupils"]
    return capsim.Scenario.from_tables(
        settings={
            "name": "quarter",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "standards": {"primary": {"grades": ["1"], "class_size": 45, "class_ceiling": 55}},
            "costs": {"discount_rate": 0.0},
            "switches": {"staff": False},
        },
        areas=pd.DataFrame({"area": areas, "county": ["South", "South", "North", "North"]}),
        forecast=pd.DataFrame(children),
        schools=pd.DataFrame(schools, columns=heads).assign(stage="primary"),
    )


def km(x: float, y: float, middle: tuple[float, float]) -> tuple[float, float]:
    """Kilometres by hand: 6371.0088 km times radians, x shrunk by the cosine of the latitude."""
    east = 6371.0088 * np.radians(x - middle[0]) * np.cos(np.radians(middle[1]))
    return float(east), float(6371.0088 * np.radians(y - middle[1]))
