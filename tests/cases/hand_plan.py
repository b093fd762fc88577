"""A city small enough to seat by hand: three areas, two grades, three years.

Areas A and B are in county X, C in county Y. In the plan pupils of A go to B, a school opens in A
in 2023, a private school in B turns public in 2023, and two children of C have no place in 2022.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from capsim.demand import Demand, project
from capsim.scenario import Scenario

YEARS = (2022, 2023, 2024)
GRADES = ("1", "2")
AREAS = ("A", "B", "C")
#: children by area, grade; base year, 2022, 2023, 2024
CHILDREN = {
    ("A", "1"): (80, 80, 80, 80),
    ("A", "2"): (80, 80, 80, 80),
    ("B", "1"): (40, 40, 40, 40),
    ("B", "2"): (40, 40, 40, 40),
    ("C", "1"): (40, 42, 40, 40),
    ("C", "2"): (40, 40, 40, 40),
}
#: pupils a grade in 2022, 2023, 2024; area, sector, places, base-year pupils
SCHOOLS = {
    "pubA": ("A", "public", 100, 110, (55, 45, 45)),
    "privA": ("A", "private", 60, 50, (25, 15, 15)),
    "pubB": ("B", "public", 60, 60, (30, 30, 30)),
    "convB": ("B", "private", 30, 20, (10, 12, 12)),
    "pubC": ("C", "public", 90, 80, (40, 40, 40)),
    "newA": ("A", "public", 0, 0, (0, 18, 18)),
}
FEE = {"privA": (30, 10, 10), "convB": (20, 0, 0)}
BOUGHT = {"privA": (20, 20, 20)}
SEATS = {"pubA": (100, 100, 100), "pubB": (60,) * 3, "pubC": (90,) * 3, "newA": (0, 40, 40)}


@dataclass(frozen=True, eq=False)
class Plan:
    scenario: Any
    demand: Any
    tables: dict[str, pd.DataFrame]
    status: str = "optimal"


def rows(columns: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def scenario() -> Scenario:
    schools = [
        (name, "primary", area, sector, places, pupils, 24 if name == "privA" else 0)
        for name, (area, sector, places, pupils, _) in SCHOOLS.items()
        if name != "newA"
    ]
    observed = [
        (area, sector, grade, 2021, pupils / 2)
        for area, sector, _, pupils, _ in SCHOOLS.values()
        for grade in GRADES
        if pupils
    ]
    settings = {
        "name": "by-hand",
        "horizon": {"base_year": 2021, "last_year": 2024},
        "stages": {"planned": ["primary"], "compulsory": ["primary"]},
        "standards": {
            "primary": {
                "grades": list(GRADES),
                "class_size": 40,
                "class_ceiling": 50,
                "pupils_per_post": 20,
            }
        },
        "costs": {"discount_rate": 0.04},
        "programmes": {"build": {"number": 1, "by": "2023-12-31"}},
    }
    return Scenario.from_tables(
        settings,
        areas=rows("area county", *((a, "Y" if a == "C" else "X") for a in AREAS)),
        pupils=rows("area sector grade school_year pupils", *observed),
        schools=rows("school stage area sector places pupils purchasable_places", *schools),
        projects=rows(
            "project stage area kind programme places capital_cny running_cny status "
            "earliest_opening due",
            (
                "newA",
                "primary",
                "A",
                "new",
                "build",
                40,
                7e6,
                1000,
                "ordered",
                *("2023-09-01",) * 2,
            ),
        ),
    )


def demand(sd: float = 0.0) -> Demand:
    pupils = np.array([[CHILDREN[a, g] for g in GRADES] for a in AREAS], dtype=float)
    made = project(scenario())
    spread = replace(made.spread, whole=np.full((2, 3), sd), area=np.full((3, 3), sd))
    return replace(made, pupils=pupils, population=pupils.copy(), spread=spread)


def plan(
    sd: float = 0.0,
    changes: dict[str, Any] | None = None,
    tables: dict[str, pd.DataFrame] | None = None,
) -> Plan:
    """The plan, with the costs, shares and targets that hand counting gives.

    `changes` and `tables` change the scenario after it was planned for.
    """
    enrolment, schools, flows, shortfall, staff = [], [], [], [], []
    for name, (area, *_, pupils) in SCHOOLS.items():
        county = "Y" if area == "C" else "X"
        zeros = (0, 0, 0)
        for t, year in enumerate(YEARS):
            for grade in GRADES:
                enrolment.append((name, "primary", grade, year, float(pupils[t])))
            fee, bought = FEE.get(name, zeros)[t], BOUGHT.get(name, zeros)[t]
            total = 2.0 * pupils[t]
            public = total - fee - bought
            schools.append((name, "primary", county, year, total, fee, bought, public, fee, bought))
    for t, year in enumerate(YEARS):
        for grade in GRADES:
            across = 2.0 if t else 0.0
            for area in AREAS:
                children = CHILDREN[area, grade][t + 1]
                lost = 2.0 if (area, grade, year) == ("C", "1", 2022) else 0.0
                shortfall.append((area, "primary", grade, year, children - lost, lost))
                gone = across if area == "A" else 0.0
                stay = children - lost - gone
                flows.append((area, area, "", "primary", grade, year, stay, 0.0, 0.0))
            if across:
                flows.append(("A", "B", "", "primary", grade, year, across, 0.0, 1500 * across))
        need = {"X": (170, 150 + 36 + 24, 150 + 36 + 24)[t] / 20, "Y": 80 / 20}
        for county, posts in (("X", 8.0), ("Y", 5.0)):
            spare = max(need[county] - posts, 0.0)
            staff.append((county, "primary", year, need[county], posts, spare))
    by = np.array([1, 1 / 1.04, 1 / 1.04**2])
    kinds = {
        "capital": 7e6,
        "hiring": 1e5,
        "conversion": 2e5,
        "running": by @ (np.array([0, 1000, 1000]) + 650 * np.array([250, 290, 290])),
        "staff": by @ (13 * 1e5 + 7e4 * np.array([0.5, 2.5, 2.5])),
        "purchase": by.sum() * 20 * 5000,
        "travel": by @ np.array([0, 4 * 1500, 4 * 1500]),
        "overfill": by @ np.array([10 * 2000, 0, 0]),
        "shortfall": 2 * 200000.0,
        # 2023: of 55 at pubA 45 go on, of 25 at privA 15: ten of each leave.
        "displacement": by @ np.array([0, (10 + 10) * 3000, 0]),
    }
    columns = "school stage county school_year pupils fee_paying purchased public"
    made = {
        "openings": rows("project opens copies", ("newA", "2023-09-01", 1)),
        "conversions": rows(
            "school stage county converts", ("convB", "primary", "X", "2023-09-01")
        ),
        "closures": rows("school stage how from_year"),
        "purchases": rows(
            "school stage school_year contract", *(("privA", "primary", y, 1) for y in YEARS)
        ),
        "payers": rows("school stage grade school_year fee_paying purchased purchased_december"),
        "enrolment": rows("school stage grade school_year pupils", *enrolment),
        "schools": rows(f"{columns} fee_paying_december purchased_december", *schools),
        "flows": rows(
            "area to_area to_school stage grade school_year pupils boarders cost_cny", *flows
        ),
        "shortfall": rows("area stage grade school_year placed shortfall", *shortfall),
        "staff": rows("county stage school_year need pool contract", *staff),
        "costs": rows("kind discounted_cny", *kinds.items()),
        "targets": rows(
            "id by required achieved",
            ("placement", "2024-09-01", 0.0, 2.0),
            ("reduction", "2023-09-01", 60.0, 60.0),
            ("share-2022", "2022-12-31", 0.2, 50 / 320),
            ("share-2023", "2023-12-31", 0.05, 10 / 320),
            ("programme-build", "2023-12-31", 1.0, 1.0),
        ),
    }
    now = scenario()
    if changes or tables:
        now = now.variant(changes, tables=tables)
    return Plan(now, demand(sd), made)
