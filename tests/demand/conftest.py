"""Small scenarios made from a few numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import capsim


@pytest.fixture
def city() -> Callable[..., capsim.Scenario]:
    """Make a scenario of areas of one county from tables given as rows."""

    def make(areas: str | dict[str, str] = "A", last_year: int = 2024, **parts: Any) -> Any:
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
        return capsim.Scenario.from_tables(settings=settings, areas=frame, **parts)

    return make


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
