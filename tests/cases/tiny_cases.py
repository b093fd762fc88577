"""Scenarios of one town and one grade, small enough to be planned by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

import capsim

DISCOUNT = 0.05
YEARS = (2022, 2023, 2024)
SHORTFALL_CNY = 200_000.0


def school(name: str, sector: str, places: float, pupils: float, **other: Any) -> dict[str, Any]:
    row = {"school": name, "stage": "junior", "area": "town", "sector": sector}
    return {**row, "places": places, "pupils": pupils, **other}


def project(
    name: str, places: float, capital_cny: float, opening: str, **other: Any
) -> dict[str, Any]:
    row = {"project": name, "stage": "junior", "area": "town", "kind": "new", "status": "candidate"}
    return {
        **row,
        "places": places,
        "capital_cny": capital_cny,
        "earliest_opening": opening,
        **other,
    }


def limit(kind: str, year: int, amount: float, county: str = "C") -> dict[str, Any]:
    return {"kind": kind, "year": year, "amount": amount, "county": county}


def town(
    *,
    children: Sequence[float],
    schools: Sequence[Mapping[str, Any]],
    projects: Sequence[Mapping[str, Any]] = (),
    limits: Sequence[Mapping[str, Any]] = (),
    policy: Mapping[str, Any] | None = None,
    costs: Mapping[str, Any] | None = None,
    staff: bool = False,
    standards: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Any:
    """One area of county ``C``, stage junior with the one grade 7; ``children`` by planned year.

    Without staff, allowances, over-filling and distances unless said: what is left is the case.
    """
    years = [2021 + i for i in range(len(children) + 1)]
    forecast = pd.DataFrame(
        {
            "area": "town",
            "grade": "7",
            "school_year": years,
            "pupils": [float(children[0]), *map(float, children)],
        }
    )
    tables = {
        "areas": pd.DataFrame({"area": ["town"], "county": ["C"]}),
        "forecast": forecast,
        "schools": pd.DataFrame(list(schools)),
    }
    if projects:
        tables["projects"] = pd.DataFrame(list(projects))
    if limits:
        tables["limits"] = pd.DataFrame(list(limits))
    junior = {"grades": ["7"], "class_size": 50, "class_ceiling": 50, "large_class": 56}
    junior |= {"allowance_cny": 0, "pupils_per_post": 20, **(standards or {})}
    switches = {"staff": staff, **sections.pop("switches", {})}
    if "staffing" in sections:
        sections["staff"] = sections.pop("staffing")
    settings = {
        "name": "town",
        "horizon": {"base_year": 2021, "last_year": years[-1]},
        "stages": {"planned": ["junior"], "compulsory": ["junior"]},
        "standards": {"junior": junior},
        "policy": dict(policy or {}),
        "costs": {"discount_rate": DISCOUNT, "shortfall_cny": SHORTFALL_CNY, **(costs or {})},
        "switches": switches,
        **sections,
    }
    return capsim.Scenario.from_tables(settings=settings, **tables)


def spent(plan: Any, kind: str) -> dict[int, float]:
    """Undiscounted cost of a kind by year, zeros left out."""
    costs = plan.tables["costs"]
    rows = costs[costs["kind"] == kind].groupby("school_year")["cost_cny"].sum()
    return {int(year): float(value) for year, value in rows.items() if abs(value) > 1e-6}


def npv(amounts: Mapping[int, float]) -> float:
    return sum(value / (1 + DISCOUNT) ** (year - 2022) for year, value in amounts.items())
