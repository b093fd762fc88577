"""Two counties with a primary and a junior grade each: who teaches where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

import capsim

AREAS = {"town": "C", "port": "D"}


def counties(
    *,
    children: Mapping[tuple[str, str], Sequence[float]],
    teachers: Mapping[tuple[str, str], float],
    limits: Sequence[tuple[str, str, int, float]] = (),
    schools: Sequence[Mapping[str, Any]] = (),
    areas: Mapping[str, str] = AREAS,
    **sections: Any,
) -> capsim.Scenario:
    """A public school in each area and stage, a teacher for 20 pupils, no other cost than teachers.

    Parameters
    ----------
    children
        By area and stage, in the planned years; the base year is as the first.
    teachers
        On post in the base year, by area and stage.
    limits
        County, kind, year, amount.
    schools
        Other rows of ``schools``.
    """
    years = len(next(iter(children.values())))
    grades = {"primary": "6", "junior": "7"}
    rows = [
        {"area": area, "grade": grades[stage], "school_year": 2021 + t, "pupils": float(pupils)}
        for (area, stage), numbers in children.items()
        for t, pupils in enumerate((numbers[0], *numbers))
    ]
    public = [
        {"school": f"{area}-{stage}", "stage": stage, "area": area, "sector": "public"}
        | {"places": 1000.0, "pupils": float(numbers[0]), "staff": teachers[area, stage]}
        for (area, stage), numbers in children.items()
    ]
    size = {"class_size": 50, "class_ceiling": 50, "large_class": 56, "very_large_class": 66}
    size |= {"pupils_per_post": 20, "allowance_cny": 0}
    costs = {"discount_rate": 0.0, "shortfall_cny": 200_000.0, **sections.pop("costs", {})}
    settings = {
        "name": "counties",
        "horizon": {"base_year": 2021, "last_year": 2021 + years},
        "stages": {"planned": list(grades), "compulsory": list(grades)},
        "standards": {stage: {"grades": [grade], **size} for stage, grade in grades.items()},
        "costs": costs,
        **sections,
    }
    tables = {
        "areas": pd.DataFrame({"area": list(areas), "county": list(areas.values())}),
        "forecast": pd.DataFrame(rows),
        "schools": pd.DataFrame([*public, *schools]),
        "limits": pd.DataFrame(list(limits), columns=["county", "kind", "year", "amount"]),
    }
    filled = {name: table for name, table in tables.items() if len(table)}
    return capsim.Scenario.from_tables(settings=settings, **filled)


def staffed(plan: Any, county: str, stage: str) -> pd.DataFrame:
    """Rows of the staff table of a county and stage, by school year."""
    table = plan.tables["staff"]
    mine = table[(table["county"] == county) & (table["stage"] == stage)]
    return mine.set_index("school_year")
