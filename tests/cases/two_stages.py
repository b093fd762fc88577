"""Two villages of one county with a grade of primary and a grade of junior schools each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

import capsim

GRADES = {"primary": "6", "junior": "7"}


def school(name: str, stage: str, places: float, pupils: float, area: str = "east") -> Any:
    row = {"school": name, "stage": stage, "area": area, "sector": "public"}
    return {**row, "places": places, "pupils": pupils}


def project(name: str, kind: str, stage: str, school: str, **other: Any) -> dict[str, Any]:
    row = {"project": name, "stage": stage, "area": "east", "kind": kind, "school": school}
    row |= {"status": "candidate", "earliest_opening": "2023-09-01", "capital_cny": 0.0}
    return {**row, "places": 0.0, **other}


def villages(
    *,
    children: Mapping[tuple[str, str], Sequence[float]],
    schools: Sequence[Mapping[str, Any]],
    projects: Sequence[Mapping[str, Any]] = (),
    **sections: Any,
) -> capsim.Scenario:
    """``children`` by area and stage from 2022 on (none unless said); the base year is as 2022.

    No staff, no over-filling and no allowance; a way to the other village is 10 km at 300 RMB.
    """
    count = len(next(iter(children.values())))
    forecast = [
        {"area": area, "grade": GRADES[stage], "school_year": year, "pupils": float(number)}
        for area in ("east", "west")
        for stage in GRADES
        for numbers in (children.get((area, stage), (0.0,) * count),)
        for year, number in zip(range(2021, 2022 + count), (numbers[0], *numbers), strict=True)
    ]
    size = {"class_size": 50, "class_ceiling": 50, "large_class": 56, "very_large_class": 66}
    size |= {"allowance_cny": 0, "pupils_per_post": 20}
    switches = {"staff": False, "continuity": False, **sections.pop("switches", {})}
    settings = {
        "name": "villages",
        "horizon": {"base_year": 2021, "last_year": 2021 + count},
        "stages": {"planned": list(GRADES), "compulsory": list(GRADES)},
        "standards": {stage: {"grades": [grade], **size} for stage, grade in GRADES.items()},
        "costs": {"discount_rate": 0.0, "shortfall_cny": 200_000, "travel_cny_per_km": 300},
        "travel": {"default_km": 10.0},
        "switches": switches,
        **sections,
    }
    tables = {
        "areas": pd.DataFrame({"area": ["east", "west"], "county": "C"}),
        "forecast": pd.DataFrame(forecast),
        "schools": pd.DataFrame(list(schools)),
        "projects": pd.DataFrame(list(projects)),
    }
    filled = {name: table for name, table in tables.items() if len(table)}
    return capsim.Scenario.from_tables(settings=settings, **filled)
