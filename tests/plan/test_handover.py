"""Converted schools that stay alive or are given up, and the teachers whom they bring."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from golden_cases import case
from tiny_cases import school, spent

import capsim
from capsim.certificate import certify
from capsim.simulation import simulate

LIVELY = {"conversion_keep_share": 0.9, "conversion_intake_share": 0.5}
WAY_CNY = 1500.0  # 5 km at 300 RMB


def hill(
    closure_cost_cny: float = 1e9, *, staffed: bool = False, places: float = 50, **policy: Any
) -> Any:
    """Private school V on a hill, 5 km out of town: ways that are saved where pupils leave it.

    Two grades of 40 children, half of them at V, half in town at P, which has places for all. V
    must convert by the first autumn; it admits 20 a year and has 4 teachers.
    """
    numbers = (40, 40, 40, 40)
    private = school("V", "private", places, 40, conversion="must", admission_plan=20, staff=4)
    public = school("P", "public", 80, 40, staff=2, fixed_cny=7e4)
    costs = {"conversion_lease_cny": 1e3, "fixed_cny": 2e3, "closure_cost_cny": closure_cost_cny}
    return case(
        children={"7": numbers, "8": numbers},
        schools=[public, {**private, **costs}],
        links=[
            {"area": "town", "to_area": "town", "to_school": "", "stage": "", "km": 0.0},
            {"area": "town", "to_area": "", "to_school": "V", "stage": "", "km": 5.0},
        ],
        switches={"staff": staffed},
        costs={"discount_rate": 0.0, "displacement_cny": 0.0},
        policy={"conversion_due_year": 2022, **policy},
    )


def planned(scenario: Any) -> Any:
    """The optimum, checked by the certificate."""
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    assert plan.status == "optimal"
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


def pupils_of(plan: Any, name: str) -> list[float]:
    schools = plan.tables["schools"].query("school == @name").sort_values("school_year")
    return [float(value) for value in schools["pupils"]]


def test_without_the_rules_a_converted_school_stands_empty() -> None:
    plan = planned(hill())
    assert pupils_of(plan, "V") == [0.0, 0.0, 0.0]
    assert not [name for name in plan.model.program.columns if name.name == "given_up"]


def test_those_who_move_up_stay() -> None:
    """Of 20 who move up in 2022 18 stay; nobody is admitted, so that nobody moves up later."""
    plan = planned(hill(conversion_keep_share=0.9))
    assert pupils_of(plan, "V") == pytest.approx([18.0, 0.0, 0.0])
    assert spent(plan, "travel") == pytest.approx({2022: 18 * WAY_CNY})


@pytest.mark.parametrize(("closure_cost_cny", "stays"), [(6.5e4, True), (6.1e4, False)])
def test_a_converted_school_admits_or_is_given_up(closure_cost_cny: float, stays: bool) -> None:
    """At least half of 20 are admitted a year, and 9 of 10 who move up stay: 57,000 RMB of ways.

    With two years of rent and fixed costs going on is worth 63,000 RMB.
    """
    plan = planned(hill(closure_cost_cny, **LIVELY))
    later = 19.0 if stays else 0.0
    assert pupils_of(plan, "V") == pytest.approx([28.0, later, later])
    ways = {2022: 28 * WAY_CNY, 2023: later * WAY_CNY, 2024: later * WAY_CNY}
    assert spent(plan, "travel") == pytest.approx({t: cny for t, cny in ways.items() if cny})
    assert spent(plan, "closure") == ({} if stays else {2023: closure_cost_cny})
    rent = {2022: 1e3, 2023: 1e3, 2024: 1e3} if stays else {2022: 1e3}
    assert spent(plan, "conversion") == rent
    [told] = plan.tables["conversions"].itertuples()
    assert (told.pupils_before, told.given_up) == (40.0, "" if stays else "2023-09-01")
    closures = plan.tables["closures"][["school", "how", "from_year"]].to_numpy().tolist()
    assert closures == ([] if stays else [["V", "given_up", 2023]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "year"),
    [
        ({}, 2023),
        ({"conversion_least_years": 2}, 2024),
        ({"conversion_least_years": 3}, None),
        ({"decision_years": [2022, 2024]}, 2024),
        ({"decision_years": [2022]}, None),
    ],
)
def test_a_school_is_given_up_after_its_years_when_that_is_decided(
    rule: dict[str, Any], year: int | None
) -> None:
    """19 ways, rent and fixed costs of a year cost 31,500 RMB, giving the school up 20,000."""
    free = planned(hill(2e4, **LIVELY))
    scenario = hill(2e4, **LIVELY, **rule)
    plan = planned(scenario)
    closures = plan.tables["closures"][["school", "how", "from_year"]].to_numpy().tolist()
    assert closures == ([["V", "given_up", year]] if year else [])
    certificate = certify(scenario, free)
    assert certificate.holds() == (year == 2023)
    assert year == 2023 or "handover" in str(certificate.worst)


@pytest.mark.slow
@pytest.mark.parametrize("years", [[2023], [2022, 2024], [2024]])
def test_a_school_converts_in_a_year_in_which_that_is_decided(years: list[int]) -> None:
    """V must be public by 2023; nobody is kept there, so that it converts as late as it may."""
    order = {"conversion_due_year": 2023, "conversion_earliest_year": 2022}
    scenario = hill(**order, decision_years=years)
    if years == [2024]:
        assert capsim.optimize(scenario, threads=1).status == "infeasible"
        return
    plan = planned(scenario)
    [told] = plan.tables["conversions"].itertuples()
    assert told.converts == f"{years[0]}-09-01"
    other = {"decision_years": [2022 if years == [2023] else 2023]}
    late = {"conversion_latest_year": int(told.converts[:4]) - 1}
    for rule in (other, late):
        certificate = certify(hill(**{**order, **rule}), plan)
        assert not certificate.holds()
        assert "conversion" in str(certificate.worst)
    latest = {"conversion_latest_year": 2022}
    assert capsim.optimize(hill(**order, **latest, decision_years=[2023])).status == "infeasible"


@pytest.mark.parametrize(("rule", "most"), [({}, 55.0), ({"conversion_keep_share": 0.0}, 45.0)])
def test_few_join_a_later_grade_of_a_converted_school(rule: dict[str, float], most: float) -> None:
    """80 children of the last grade in 2023, seats for 10 of them at P.

    V has 50 places, 55 when over-filled, and 20 who move up; with the rule 25 may join, a grade's
    places, without it as many as there is room for.
    """
    scenario = case(
        children={"7": (40, 40, 0), "8": (40, 40, 80)},
        schools=[
            school("P", "public", 10, 40),
            {**school("V", "private", 50, 40, conversion="must", admission_plan=20), "staff": 4},
        ],
        switches={"staff": False},
        costs={"discount_rate": 0.0, "overfill_cny": 0.0},
        policy={"conversion_due_year": 2022, **rule},
    )
    plan = planned(scenario)
    seated = plan.tables["enrolment"].query("school == 'V' and school_year == 2023")
    assert seated["pupils"].sum() == pytest.approx(most)


def test_fixed_costs_of_public_schools_are_committed() -> None:
    """70,000 RMB a year of P whatever is decided; 2,000 of V while it is converted and open."""
    plan = planned(hill(6e4, **LIVELY))
    allowance = 80 * 1000.0
    running = {2022: 7e4 + 2e3 + allowance, 2023: 7e4 + allowance, 2024: 7e4 + allowance}
    assert spent(plan, "running") == pytest.approx(running)
    assert plan.committed_cny == pytest.approx(3 * (7e4 + allowance / 2))
    costs = plan.tables["costs"]
    assert plan.objective_cny == pytest.approx(costs["discounted_cny"].sum())
    assert plan.committed_cny == pytest.approx(costs["committed_cny"].sum())


@pytest.mark.parametrize(("by_pupils", "teachers"), [(False, 3.6), (True, 1.8)])
def test_teachers_come_with_the_pupils(by_pupils: bool, teachers: float) -> None:
    """20 of 40 pupils have left by the autumn before V converts: half of 0.9 · 4 teachers come."""
    years = {"conversion_earliest_year": 2023, "conversion_due_year": 2023}
    order = {"reduction": 20, "reduction_year": 2022}
    scenario = hill(staffed=True, **years, **order, takeover_by_pupils=by_pupils)
    scenario = scenario.variant({"costs.displacement_cny": 1e4})
    plan = planned(scenario)
    assert pupils_of(plan, "V")[:1] == pytest.approx([20.0])
    staff = plan.tables["staff"].set_index("school_year")
    assert staff["taken_over"].to_list() == pytest.approx([0.0, teachers, 0.0])
    [told] = plan.tables["conversions"].itertuples()
    assert (told.pupils_before, told.staff_taken_over) == pytest.approx((20.0, teachers))
    hired = staff["hired"] + staff["taken_over"]
    paid = {int(t): 5000 * number for t, number in hired.items() if number > 1e-9}
    assert spent(plan, "hiring") == pytest.approx(paid)


@pytest.mark.slow
def test_the_switch_turns_all_of_it_off() -> None:
    free = planned(hill())
    off = hill(**LIVELY, takeover_by_pupils=True).variant({"switches.handover": False})
    assert planned(off).objective_cny == pytest.approx(free.objective_cny)


def test_the_certificate_sees_a_school_that_nobody_keeps_alive() -> None:
    """Plans made without the rules break them: 18 who must stay in 2022, 10 to be admitted."""
    free = planned(hill())
    kept = certify(hill(conversion_keep_share=0.9), free)
    assert kept.worst is not None
    assert not kept.holds()
    assert "handover" in kept.worst
    admitted = certify(hill(conversion_intake_share=0.5), free)
    assert not admitted.holds()


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("closures", "from_year", 2022),
        ("closures", "how", "run_down"),
        ("conversions", "given_up", ""),
        ("conversions", "pupils_before", 39.0),
    ],
)
def test_the_certificate_sees_another_end(table: str, column: str, value: Any) -> None:
    scenario = hill(6e4, **LIVELY)
    plan = planned(scenario)
    told = plan.tables[table].assign(**{column: value})
    lying = replace(plan, tables={**plan.tables, table: told})
    assert not certify(scenario, lying).holds()


@pytest.mark.parametrize("closure_cost_cny", [6.5e4, 6e4])
def test_without_uncertainty_the_simulation_is_the_plan(closure_cost_cny: float) -> None:
    plan = planned(hill(closure_cost_cny, staffed=True, **LIVELY, takeover_by_pupils=True))
    outcomes = simulate(plan, draws=2, uncertainty=False)
    costs = outcomes.tables["costs"].set_index("kind")
    planned_cny = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    for kind, row in costs.iterrows():
        assert row.to_numpy() == pytest.approx(planned_cny.get(kind, 0.0), rel=1e-9, abs=1e-6)
    assert outcomes.tables["shortfall"]["mean"].sum() == 0
    drawn = simulate(plan, draws=20, seed=1)
    assert np.isfinite(drawn.tables["costs"].set_index("kind").to_numpy(float)).all()


def test_an_explanation_names_the_years() -> None:
    """P has room for all, but V must convert in 2023 or be kept for three years without pupils."""
    scenario = hill(**LIVELY, decision_years=[2024], conversion_earliest_year=2022)
    plan = capsim.optimize(scenario, threads=1)
    assert plan.status == "infeasible"
    explanation = plan.explain()
    assert explanation is not None
    named = {rule for one in explanation.conflicts for rule in one}
    assert {"decision years", "conversions due"} <= named
    rolls = [("P", "7", 20.0), ("P", "8", 20.0), ("V", "7", 20.0), ("V", "8", 20.0)]
    table = pd.DataFrame(rolls, columns=["school", "grade", "pupils"]).assign(stage="junior")
    few = hill(**LIVELY, conversion_least_years=3)
    gone = few.table("forecast")
    gone.loc[gone["school_year"].ge(2023) & gone["grade"].eq("7"), "pupils"] = 0.0
    plan = capsim.optimize(few.variant(tables={"rolls": table, "forecast": gone}), threads=1)
    assert plan.status == "infeasible"
    explanation = plan.explain()
    assert explanation is not None
    named = {rule for one in explanation.conflicts for rule in one}
    assert {"years of converted schools", "intake of converted schools"} <= named


def test_an_explanation_names_the_rules() -> None:
    """Of 30 who move up all stay, 20 are admitted, there are 40 places."""
    everybody = {"conversion_keep_share": 1.0, "conversion_intake_share": 1.0}
    scenario = hill(**everybody, places=40)
    rolls = [("P", "7", 10.0), ("P", "8", 30.0), ("V", "7", 30.0), ("V", "8", 10.0)]
    table = pd.DataFrame(rolls, columns=["school", "grade", "pupils"]).assign(stage="junior")
    plan = capsim.optimize(scenario.variant(tables={"rolls": table}), threads=1)
    assert plan.status == "infeasible"
    explanation = plan.explain()
    assert explanation is not None
    named = {rule for one in explanation.conflicts for rule in one}
    assert {"pupils of converted schools", "intake of converted schools"} <= named
    assert "a converted school keeps its share of those who move up" in explanation.sentences[0]
