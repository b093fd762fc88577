"""Small scenarios made from a few numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from capsim import Scenario


def city(areas: str | dict[str, str] = "A", last_year: int = 2024, **parts: Any) -> Scenario:
    """Make a scenario of areas (one letter each, of one county; or area to county) from tables."""
    named = dict.fromkeys(areas, "C") if isinstance(areas, str) else areas
    settings: dict[str, Any] = {
        "name": "small",
        "country": "china",
        "horizon": {"base_year": 2021, "last_year": last_year},
        "stages": {"planned": ["primary"]},
        "costs": {"discount_rate": 0.04},
    }
    settings |= parts.pop("settings", {})
    frame = pd.DataFrame({"area": list(named), "county": list(named.values())})
    return Scenario.from_tables(settings=settings, areas=frame, **parts)


def pupils(rows: dict[tuple[str, str, int], float], sector: str = "public") -> pd.DataFrame:
    """Table of pupils from (area, grade, school year) to persons."""
    return pd.DataFrame(
        [(a, sector, g, y, n) for (a, g, y), n in rows.items()],
        columns=["area", "sector", "grade", "school_year", "pupils"],
    )


def births(number: float, first: int = 2000, last: int = 2030, area: str = "A") -> pd.DataFrame:
    """Table of the same births every year."""
    years = list(range(first, last + 1))
    return pd.DataFrame({"area": area, "year": years, "births": number})
