"""Cities in which places are bought: who is bought, for how long, and beside which seats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import tiny_cases
from tiny_cases import school

import capsim


def two_grades(limits: Sequence[Mapping[str, Any]] = (), **policy: Any) -> capsim.Scenario:
    """Grades 7 and 8 of 60 children each, half public, half at school V, whose places are for sale.

    By the end of 2022 at most 15 of the 120 may pay fees; from 2023 on all may. P is full.
    """
    forecast = [
        {"area": "town", "grade": grade, "school_year": year, "pupils": 60.0}
        for grade in ("7", "8")
        for year in (2021, 2022, 2023)
    ]
    tables = {"limits": pd.DataFrame(list(limits))} if limits else {}
    return capsim.Scenario.from_tables(
        **tables,
        areas=pd.DataFrame({"area": ["town"], "county": ["C"]}),
        forecast=pd.DataFrame(forecast),
        schools=pd.DataFrame(
            [
                school("P", "public", 60, 60),
                school("V", "private", 60, 60, purchasable_places=60, purchase_price_cny=1000),
            ]
        ),
        settings={
            "name": "town",
            "horizon": {"base_year": 2021, "last_year": 2023},
            "stages": {"planned": ["junior"], "compulsory": ["junior"]},
            "standards": {
                "junior": {"grades": ["7", "8"], "class_size": 50, "class_ceiling": 50}
                | {"allowance_cny": 0}
            },
            "policy": {"private_share_cap": {2022: 0.125, 2023: 1.0}, **policy},
            "costs": {"discount_rate": 0.0},
            "switches": {"staff": False},
        },
    )


def one_grade(**sections: Any) -> capsim.Scenario:
    """Of 100 children at most 10 may pay fees at the end of 2022; P has 70 places and 60 pupils.

    A public pupil costs 2000 RMB a year, a bought place 1000: buying is what costs least.
    """
    schools = [
        school("P", "public", 70, 60, staff=3.0),
        school("V", "private", 40, 40, purchasable_places=40, purchase_price_cny=1000),
    ]
    policy = {"private_share_cap": {"2022": 0.10}, **sections.pop("policy", {})}
    return tiny_cases.town(
        children=(100,),
        schools=schools,
        policy=policy,
        standards={"allowance_cny": 2000, **sections.pop("standards", {})},
        **sections,
    )


def two_areas(**changes: Any) -> capsim.Scenario:
    """The same with a second area, 3 km off, that has five free seats and no children."""
    areas = pd.DataFrame(
        {"area": ["town", "far"], "county": ["C", "C"], "x_km": [0.0, 3.0], "y_km": [0.0, 0.0]}
    )
    city = one_grade()
    children, schools = city.table("forecast"), city.table("schools")
    away = children.assign(area="far", pupils=0.0)
    more = pd.DataFrame([school("Q", "public", 5, 0) | {"area": "far"}])
    tables = {
        "areas": areas,
        "forecast": pd.concat([children, away], ignore_index=True),
        "schools": pd.concat([schools, more], ignore_index=True),
    }
    return city.variant(changes, tables=tables)
