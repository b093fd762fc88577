"""A city small enough to seat by hand: three areas, two grades, three years.

Areas A and B are in county X, C in county Y. In the plan pupils of A go to B, a school opens in A
in 2023, a private school in B turns public in 2023, and two children of C have no place in 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from capsim.demand.draws import Spread

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


@dataclass(frozen=True)
class Scenario:
    """As much of a scenario as a simulation reads."""

    tables: dict[str, pd.DataFrame]
    settings: Any
    stages: dict[str, Any]
    base_year: int = 2021
    years: tuple[int, ...] = YEARS

    def table(self, name: str) -> pd.DataFrame:
        return self.tables[name].copy()

    def has(self, name: str) -> bool:
        return len(self.tables[name]) > 0


@dataclass(frozen=True, eq=False)
class Plan:
    scenario: Any
    demand: Any
    tables: dict[str, pd.DataFrame]
    status: str = "optimal"


def _rows(columns: str, *rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def _none(columns: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="str") for name in columns.split()})


def scenario() -> Scenario:
    nan = np.nan
    tables = {
        "areas": _rows(
            "area county x_km y_km", *((a, "Y" if a == "C" else "X", nan, nan) for a in AREAS)
        ),
        "pupils": _none("area sector grade").assign(school_year=0, pupils=0.0),
        "rolls": _none("school stage grade").assign(pupils=0.0),
        "schools": _rows(
            "school stage area sector places pupils inclusive purchasable_places "
            "purchase_price_cny x_km y_km",
            *(
                (
                    *(name, "primary", area, sector, float(places), float(pupils), "no"),
                    *(24.0 if name == "privA" else 0.0, nan, nan, nan),
                )
                for name, (area, sector, places, pupils, _) in SCHOOLS.items()
                if name != "newA"
            ),
        ),
        "projects": _rows(
            "project stage area kind school programme places pupils running_cny life_years "
            "x_km y_km",
            ("newA", "primary", "A", "new", "", "build", 40.0, nan, 1000.0, nan, nan, nan),
        ),
        "links": _none("area to_area to_school stage").assign(km=nan, cost_cny=nan),
        "limits": _none("county kind").assign(year=0, amount=0.0),
        "phases": _none("project"),
    }
    settings = SimpleNamespace(
        stages=SimpleNamespace(compulsory=["primary"]),
        travel=SimpleNamespace(within_county=True, default_km=5.0),
        staff=SimpleNamespace(stages=["primary"]),
        policy=SimpleNamespace(
            purchase_ceiling_share=None,
            purchased_counts_as_private=False,
            share_scope="whole",
            share_denominator="school",
            class_size_sd=5.0,
        ),
        costs=SimpleNamespace(
            discount_rate=0.04,
            travel_cny_per_km=300.0,
            teacher_cny=100000.0,
            contract_teacher_cny=70000.0,
            displacement_cny=3000.0,
            overfill_cny=2000.0,
            shortfall_cny=200000.0,
        ),
        switches=SimpleNamespace(seats=True, continuity=True),
        cost_terms=SimpleNamespace(
            running=True,
            staff=True,
            purchase=True,
            travel=True,
            displacement=True,
            overfill=True,
            shortfall=True,
        ),
    )
    primary = SimpleNamespace(
        name="primary",
        grades=GRADES,
        class_size=40,
        class_ceiling=50,
        large_class=56,
        pupils_per_post=20.0,
        allowance_cny=650.0,
        purchase_price_cny=5000.0,
    )
    return Scenario(tables, settings, {"primary": primary})


def demand(sd: float = 0.0) -> Any:
    pupils = np.array([[CHILDREN[a, g] for g in GRADES] for a in AREAS], dtype=float)
    spread = Spread(
        whole=np.full((2, 3), sd),
        area=np.full((3, 3), sd),
        cohort=np.zeros((3, 2, 3)),
        birth_sd=0.0,
        born=np.zeros((2, 3), dtype=np.intp),
    )
    return SimpleNamespace(
        areas=AREAS,
        grades=GRADES,
        years=(2021, *YEARS),
        pupils=pupils,
        population=pupils,
        spread=spread,
    )


def plan(sd: float = 0.0) -> Plan:
    """The plan, with the costs, shares and targets that hand counting gives."""
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
                flows.append((area, area, "", "primary", grade, year, children - lost - gone, 0.0))
            if across:
                flows.append(("A", "B", "", "primary", grade, year, across, 1500 * across))
        need = {"X": (170, 150 + 36 + 24, 150 + 36 + 24)[t] / 20, "Y": 80 / 20}
        for county, posts in (("X", 8.0), ("Y", 5.0)):
            spare = max(need[county] - posts, 0.0)
            staff.append((county, year, need[county], posts, spare))
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
    tables = {
        "openings": _rows("project opens copies", ("newA", "2023-09-01", 1)),
        "conversions": _rows("school stage converts", ("convB", "primary", "2023-09-01")),
        "purchases": _rows(
            "school stage school_year contract", *(("privA", "primary", y, 1) for y in YEARS)
        ),
        "enrolment": _rows("school stage grade school_year pupils", *enrolment),
        "schools": _rows(f"{columns} fee_paying_december purchased_december", *schools),
        "flows": _rows("area to_area to_school stage grade school_year pupils cost_cny", *flows),
        "shortfall": _rows("area stage grade school_year placed shortfall", *shortfall),
        "staff": _rows("county school_year need pool contract", *staff),
        "costs": _rows("kind discounted_cny", *kinds.items()),
        "targets": _rows(
            "id by required achieved",
            ("placement", "2024-09-01", 0.0, 2.0),
            ("reduction", "2023-09-01", 60.0, 60.0),
            ("share-2022", "2022-12-31", 0.2, 50 / 320),
            ("share-2023", "2023-12-31", 0.05, 10 / 320),
            ("programme-build", "2023-12-31", 1.0, 1.0),
        ),
    }
    return Plan(scenario(), demand(sd), tables)
