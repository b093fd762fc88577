"""The scenario of the plan worked out by hand: its settings and tables."""

from __future__ import annotations

from typing import Any

import pandas as pd

GRADES = ("K1", "K2", "K3", "7", "8", "9")


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def settings() -> dict[str, Any]:
    return {
        "name": "by-hand",
        "country": "china",
        "horizon": {"base_year": 2021, "first_year": 2022, "last_year": 2023},
        "stages": {"planned": ["kindergarten", "junior"], "compulsory": ["junior"]},
        "standards": {
            "junior": {"pupils_per_post": 10, "allowance_cny": 1000, "class_size": 50},
            "kindergarten": {"allowance_cny": 2000, "class_size": 30},
        },
        "policy": {
            "private_share_cap": {"2022": 0.2},
            "share_scope": "whole",
            "share_denominator": "school",
            "purchased_counts_as_private": False,
            "reduction": 30,
            "reduction_year": 2022,
            "purchase_ceiling_share": 0.1,
            "contract_years": 2,
            "conversion_due_year": 2023,
            "conversion_earliest_year": 2022,
            "takeover_ratio": 0.5,
            "release_share": 0.5,
            "large_class_share": {"2022": 0.5},
            "class_size_sd": 5.0,
        },
        "floors": {
            "kindergarten_enrolment": {"2022": 0.93},
            "kindergarten_public": {"2022": 0.45},
            "kindergarten_inclusive": {"2022": 0.80},
        },
        "programmes": {
            "build": {"number": 1, "by": "2022-12-31"},
            "turn": {"number": 1, "by": "2022-12-31"},
        },
        "costs": {
            "discount_rate": 0.25,
            "shortfall_cny": 200000,
            "displacement_cny": 3000,
            "overfill_cny": 2000,
            "hire_cny": 5000,
            "teacher_cny": 100000,
            "contract_teacher_cny": 70000,
            "travel_cny_per_km": 100,
            "salvage_share": 0.5,
        },
        "staff": {"attrition": 0.1, "stages": ["junior"]},
        "travel": {"within_county": True, "default_km": 5.0},
    }


def given_tables() -> dict[str, pd.DataFrame]:
    schools = frame(
        "school stage area sector places pupils staff inclusive conversion conversion_cost_cny "
        "conversion_lease_cny purchase_price_cny purchasable_places purchase_min_places "
        "min_pupils closure_cost_cny",
        ("P", "junior", "n", "public", 290, 300, 30, "no", "no", 0, 0, None, 0, 0, 0, 0),
        ("M", "junior", "n", "private", 120, 90, 6, "no", "must", 1e5, 1e4, None, 0, 0, 20, 0),
        ("V", "junior", "d", "private", 150, 150, 12, "no", "may", 9e5, 0, 5000, 60, 30, 0, 0),
        ("X", "junior", "d", "private", 60, 30, 3, "no", "no", 0, 0, None, 0, 0, 20, 5e4),
        ("Q", "junior", "d", "public", 150, 120, 12, "no", "no", 0, 0, None, 0, 0, 0, 0),
        ("KP", "kindergarten", "n", "public", 90, 60, 5, "no", "no", 0, 0, None, 0, 0, 0, 0),
        ("KI", "kindergarten", "n", "private", 30, 30, 2, "yes", "no", 0, 0, None, 0, 0, 0, 0),
        ("KO", "kindergarten", "n", "private", 60, 30, 2, "no", "no", 0, 0, None, 0, 0, 0, 0),
    )
    projects = frame(
        "project stage area kind places capital_cny status earliest_opening due school programme "
        "running_cny land_mu posts spent_cny build_months pupils",
        (
            *("N", "junior", "d", "new", 100, 5e6, "candidate", "2022-09-01", "", "", ""),
            *(20000, 10, 5, 0, 12, None),
        ),
        (
            *("E", "junior", "n", "extend", 50, 1e6, "ordered", "2022-09-01", "2022-12-31"),
            *("P", "build", 5000, 0, 0, 2e5, 12, None),
        ),
        (
            *("T", "kindergarten", "n", "inclusive_kindergarten", 0, 0, "ordered"),
            *("2022-09-01", "2022-12-31", "KO", "turn", 0, 0, 0, 0, 12, 10),
        ),
    )
    pupils = [
        (area, sector, grade, 2021, number)
        for area, sector, grades, number in (
            ("n", "public", GRADES[:3], 20),
            ("n", "private", GRADES[:3], 20),
            ("n", "public", GRADES[3:], 100),
            ("n", "private", GRADES[3:], 30),
            ("d", "public", GRADES[3:], 40),
            ("d", "private", GRADES[3:], 60),
        )
        for grade in grades
    ]
    limits = frame(
        "county year kind amount",
        ("C", 2022, "hires", 3),
        ("C", 2023, "hires", 5),
        ("D", 2023, "posts", 9),
        ("C", 2023, "contract_teachers", 5),
        ("D", 2023, "contract_teachers", 0),
        ("D", 2022, "purchase", 50),
        ("C", 2022, "capital", 8e5),
        ("*", 2023, "capital", 3.4e6),
        # 2023: running 523,000 + staff 3,850,000 + hiring 40,000 + lease 10,000
        ("C", 2023, "recurrent", 4423000),
        ("D", 2022, "land", 10),
    )
    return {
        "areas": frame("area county", ("n", "C"), ("d", "D")),
        "pupils": frame("area sector grade school_year pupils", *pupils),
        "schools": schools,
        "projects": projects,
        "links": frame(
            "area to_area to_school stage km cost_cny", ("d", "n", "", "junior", 5.0, None)
        ),
        "limits": limits,
    }


# Pupils by grade: school, (2022, 2023), each (first, second, third grade of the stage).
