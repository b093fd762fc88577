"""A bought place follows the child, and purchases fall slowly: plans worked out by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tiny_cases import school

import capsim


def town(**policy: Any) -> capsim.Scenario:
    """Grades 7 and 8 of 60 children each, half public, half at school V, whose places are for sale.

    By the end of 2022 at most 15 of the 120 may pay fees; from 2023 on all may. P is full.
    """
    forecast = [
        {"area": "town", "grade": grade, "school_year": year, "pupils": 60.0}
        for grade in ("7", "8")
        for year in (2021, 2022, 2023)
    ]
    return capsim.Scenario.from_tables(
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


def bought(plan: capsim.Plan) -> list[float]:
    """Places bought by the end of 2022 and of 2023."""
    rows = plan.tables["schools"].query("school == 'V'")
    return rows.sort_values("school_year")["purchased_december"].tolist()


def test_bought_children_go_on_as_bought() -> None:
    """45 are bought: the 30 of grade 8, and 15 of grade 7, who are in grade 8 a year later."""
    rule = {"contract_years": 1}
    assert bought(capsim.optimize(town(**rule))) == pytest.approx([45.0, 0.0], abs=1e-6)
    plan = capsim.optimize(town(**rule, purchase_follows_child=True))
    assert bought(plan) == pytest.approx([45.0, 15.0], abs=1e-6)
    september, december = 8 / 12 * 45 * 1000, 15 * 1000
    assert plan.objective_cny == pytest.approx(september + december)


def test_a_switch_turns_it_off() -> None:
    rule = {"contract_years": 1, "purchase_follows_child": True}
    plan = capsim.optimize(town(**rule).variant({"switches.following": False}))
    assert bought(plan) == pytest.approx([45.0, 0.0], abs=1e-6)


def test_a_running_contract_falls_slowly() -> None:
    """Of 45 places at least 60 % are bought in the second year of a contract of two."""
    rule = {"contract_years": 2}
    assert bought(capsim.optimize(town(**rule))) == pytest.approx([45.0, 0.0], abs=1e-6)
    plan = capsim.optimize(town(**rule, contract_fall_share=0.4))
    assert bought(plan) == pytest.approx([45.0, 27.0], abs=1e-6)
    ended = capsim.optimize(town(contract_years=1, contract_fall_share=0.4))
    assert bought(ended) == pytest.approx([45.0, 0.0], abs=1e-6)


def test_whoever_was_bought_leaves_when_the_contract_ends() -> None:
    """With room for 15 more at P the contract ends: the 15 go there, and nobody pays instead."""
    city = town(contract_years=1, purchase_follows_child=True)
    schools = city.table("schools")
    schools.loc[schools["school"] == "P", "places"] = 75.0
    dear = city.variant({"costs.displacement_cny": 100.0}, tables={"schools": schools})
    plan = capsim.optimize(dear)
    # 30 bought in 2022, 15 of grade 7 at P; the other 15 of grade 7 pay, none of grade 8 later.
    grades = plan.tables["enrolment"].query("school == 'V' and school_year == 2023")
    assert bought(plan)[1] == pytest.approx(0.0, abs=1e-6)
    assert grades.set_index("grade")["pupils"]["8"] <= 15.0 + 1e-6
