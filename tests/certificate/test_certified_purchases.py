"""Bought places that follow the child and come after public seats, re-checked from the tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from bought_cities import one_grade, two_grades

import capsim
from capsim.certificate import certify

FOLLOWS = {"purchase_follows_child": True, "contract_years": 1}


@pytest.fixture(scope="module")
def plan() -> capsim.Plan:
    return capsim.optimize(two_grades(**FOLLOWS))


def changed(
    plan: capsim.Plan, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> capsim.Plan:
    rows = change(plan.tables[table].copy())
    return replace(plan, tables={**plan.tables, table: rows})


@pytest.mark.slow
def test_the_plan_tells_who_pays_by_grade(plan: capsim.Plan) -> None:
    table = plan.tables["payers"].set_index(["grade", "school_year"])
    assert table.loc[("8", 2022), "purchased_december"] == pytest.approx(30.0)
    assert table.loc[("7", 2022), "purchased_december"] == pytest.approx(15.0)
    assert table.loc[("8", 2023), "purchased"] == pytest.approx(15.0)
    assert table.loc[("8", 2023), "fee_paying"] == pytest.approx(15.0)
    assert len(capsim.optimize(two_grades()).tables["payers"]) == 0
    certificate = certify(plan.scenario, plan)
    assert certificate.holds(), certificate.worst
    assert "following" in certificate.table["family"].tolist()


def test_bought_children_who_pay_are_noticed(plan: capsim.Plan) -> None:
    """Five of grade 8 pay in 2023 who were bought in grade 7, and all tables say so."""

    def pay(rows: pd.DataFrame) -> pd.DataFrame:
        at = (rows["school_year"] == 2023) & (rows["school"] == "V")
        at &= rows.get("grade", "8") == "8"
        for bought, paid in (
            ("purchased", "fee_paying"),
            ("purchased_december", "fee_paying_december"),
        ):
            rows.loc[at, bought] -= 5.0
            rows.loc[at, paid] += 5.0
        return rows

    def fewer(rows: pd.DataFrame) -> pd.DataFrame:
        at = rows["school_year"] == 2023
        rows.loc[at, ["places_september", "places_december"]] -= 5.0
        return rows

    lie = changed(changed(changed(plan, "payers", pay), "schools", pay), "purchases", fewer)
    table = certify(plan.scenario, lie).table.set_index("family")
    assert table.loc["following", "max_violation"] > 0.1
    assert "cohort" in table.loc["following", "worst"] or "fee" in table.loc["following", "worst"]


@pytest.mark.parametrize("column", ["pupils", "fee_paying", "purchased", "fee_paying_december"])
def test_a_wrong_cell_is_noticed(plan: capsim.Plan, column: str) -> None:
    def more(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**{column: rows[column] + 1.0})

    assert not certify(plan.scenario, changed(plan, "payers", more)).holds()


@pytest.mark.slow
def test_a_contract_that_falls_too_fast_is_noticed() -> None:
    rule = {"policy.contract_fall_share": 0.4}
    city = two_grades(contract_years=2)
    assert not certify(city.variant(rule), capsim.optimize(city)).holds()
    slow = capsim.optimize(city.variant(rule))
    assert certify(slow.scenario, slow).holds()


@pytest.mark.slow
@pytest.mark.parametrize("staff", [False, True])
def test_places_bought_beside_free_seats_are_noticed(staff: bool) -> None:
    """Ten seats of P are free; with staff, two teachers may still be hired."""
    limits = [
        {"kind": kind, "year": 2022, "amount": amount, "county": "C"}
        for kind, amount in (("hires", 2.0), ("contract_teachers", 0.0))
    ]
    staffing = {"attrition": 0.0, "stages": ["junior"]}
    city = one_grade(staff=staff, limits=limits, staffing=staffing)
    strict = city.variant({"policy.public_seats_first_km": 0.0})
    table = certify(strict, capsim.optimize(city)).table.set_index("family")
    assert table.loc["public_first", "max_violation"] >= (1.0 if staff else 9.9)
    assert "town" in table.loc["public_first", "worst"]
    kept = capsim.optimize(strict)
    assert certify(strict, kept).holds()
