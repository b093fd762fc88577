"""Day pupils within the limits, boarders beyond them: villages planned by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import capsim
from capsim.certificate import certify
from capsim.lp import solve
from capsim.model.model import formulate

BED_CNY = 3000.0 + 200.0


def valley(
    *,
    beds: float = 50,
    km: float = 6.0,
    minutes: float | None = None,
    travel: dict[str, Any] | None = None,
    kind: str = "rural",
    to: str = "school",
    **sections: Any,
) -> capsim.Scenario:
    """A village of 30 children in each of grades 3 and 4, and a town with room for all of them.

    The village has a school of 40 places. From grade 4 on, the second year here, children may
    board; a day pupil may go 3 km.
    """
    grades = ("3", "4")
    forecast = [
        {"area": area, "grade": grade, "school_year": year, "pupils": 30.0}
        for area in ("village", "town")
        for grade in grades
        for year in (2021, 2022)
    ]
    school = {"stage": "primary", "sector": "public", "pupils": 0.0}
    way = {"area": "village", "km": km, "minutes": minutes}
    links = [way | {"to_area": "town", "to_school": ""}]
    if to == "school":
        links = [way | {"to_area": "", "to_school": "T"}]
        links += [{"area": "town", "to_area": "", "to_school": "T", "km": 0.0, "minutes": 0.0}]
        links += [{"area": "village", "to_area": "village", "to_school": "", "km": 0, "minutes": 0}]
    settings: dict[str, Any] = {
        "name": "valley",
        "horizon": {"base_year": 2021, "last_year": 2022},
        "stages": {"planned": ["primary"]},
        "standards": {
            "primary": {"grades": list(grades), "boards_from_year": 2, "allowance_cny": 0}
            | {"class_size": 45, "class_ceiling": 45}
        },
        "costs": {"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 200_000.0},
        "switches": {"staff": False},
        "travel": {"day_km": {"primary": 3.0}} if travel is None else travel,
        **sections,
    }
    return capsim.Scenario.from_tables(
        settings=settings,
        areas=pd.DataFrame({"area": ["village", "town"], "county": "C", "kind": [kind, "urban"]}),
        forecast=pd.DataFrame(forecast),
        schools=pd.DataFrame(
            [
                {**school, "school": "V", "area": "village", "places": 40},
                {**school, "school": "T", "area": "town", "places": 200, "boarding_places": beds},
            ]
        ),
        links=pd.DataFrame(links),
    )


def planned(scenario: capsim.Scenario) -> Any:
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


@pytest.mark.parametrize("to", ["school", "area"])
def test_twenty_of_grade_4_board(to: str) -> None:
    """40 places for 60 children: the 20 who go to town are of grade 4, and board."""
    plan = planned(valley(to=to))
    flows = plan.tables["flows"]
    away = flows[flows["boarders"] > 0]
    assert set(away["grade"]) == {"4"}
    assert away["pupils"].sum() == away["boarders"].sum() == pytest.approx(20.0)
    costs = plan.tables["costs"].groupby("kind")["cost_cny"].sum()
    assert costs["boarding"] == pytest.approx(20 * BED_CNY)
    assert costs["travel"] == pytest.approx(20 * 6 * 300 * 0.2)
    assert plan.avoidable_cny == pytest.approx(20 * BED_CNY + 20 * 6 * 300 * 0.2)


def test_within_the_limit_nobody_boards() -> None:
    plan = planned(valley(km=2.9))
    assert plan.tables["flows"]["boarders"].sum() == 0
    assert plan.avoidable_cny == pytest.approx(20 * 2.9 * 300)


def test_too_few_beds_leave_children_without_a_place_and_say_so() -> None:
    scenario = valley(beds=8)
    plan = planned(scenario)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(12.0)
    answer = plan.explain()
    assert answer is not None
    assert set(answer.conflicts[0]) == {"every child", "seats", "day travel", "boarding places"}
    alone = answer.table.dropna(subset=["alone"]).set_index("rule")["alone"]
    assert alone["boarding places"] == pytest.approx(12.0)
    assert alone["day travel"] == pytest.approx(12.0)
    text = "\n".join(answer.sentences)
    assert "12 more boarding places stand ready" in text
    assert "no farther than day pupils may" in text


def test_where_nobody_may_board_the_limit_shuts_the_way() -> None:
    scenario = valley(
        standards={"primary": {"grades": ["3", "4"], "boards_from_year": 0, "class_ceiling": 45}}
    )
    plan = planned(scenario)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(20.0)
    assert plan.tables["flows"]["boarders"].sum() == 0


def test_switched_off_nobody_is_too_far() -> None:
    scenario = valley(beds=0, switches={"staff": False, "boarding": False})
    plan = planned(scenario)
    assert plan.tables["flows"]["boarders"].sum() == 0
    assert plan.avoidable_cny == pytest.approx(20 * 6 * 300)


@pytest.mark.parametrize(
    ("travel", "kind", "km", "minutes", "far"),
    [
        ({"day_minutes": {"primary": 30}}, "rural", 9.0, 29.0, False),
        ({"day_minutes": {"primary": 30}}, "rural", 0.5, 31.0, True),
        ({"day_minutes": {"primary": 30}, "km_per_hour": 5.0}, "rural", 2.6, None, True),
        ({"day_minutes": {"primary": 30}, "km_per_hour": 5.0}, "rural", 2.4, None, False),
        ({"standard_limits": True}, "rural", 3.1, 10.0, True),
        ({"standard_limits": True}, "rural", 2.9, 31.0, True),
        ({"standard_limits": True}, "rural", 2.9, 10.0, False),
        ({"standard_limits": True}, "urban", 2.9, 10.0, True),
        ({"standard_limits": True, "day_km": {"primary": 4.0}}, "urban", 2.9, 10.0, False),
    ],
)
def test_what_is_too_far(
    travel: dict[str, Any], kind: str, km: float, minutes: float | None, far: bool
) -> None:
    plan = planned(valley(travel=travel, kind=kind, km=km, minutes=minutes))
    assert (plan.tables["flows"]["boarders"].sum() > 0) == far


@pytest.mark.slow
def test_the_certificate_finds_too_many_boarders_and_too_young_ones() -> None:
    """The same flows, certified against a scenario with fewer beds, and with none so young."""
    scenario = valley()
    plan = planned(scenario)
    fewer = scenario.table("schools").assign(boarding_places=[0.0, 19.0])
    found = certify(scenario.variant(tables={"schools": fewer}), plan)
    assert found.max_violation == pytest.approx(1 / 19)
    assert found.worst.startswith("boarding: boarders at T primary, 2022")
    older = scenario.variant({"standards.primary.boards_from_year": 0})
    table = certify(older, plan).table.set_index("family")
    assert table.loc["boarding", "max_violation"] >= 1
    nearer = scenario.variant({"travel.day_km.primary": 7.0})
    assert not certify(nearer, plan).holds()


@pytest.mark.slow
def test_a_boarding_place_has_its_price() -> None:
    """One bed more places one child more: its price is the child's less the way and the bed."""
    scenario = valley(beds=8)
    plan = planned(scenario)
    row = plan.prices(["boarding place"]).table.query("name == 'T'").iloc[0]
    worth = 200_000 - BED_CNY - 6 * 300 * 0.2
    assert row["one_more_cny"] == pytest.approx(worth)
    x = plan.solution.x

    def optimum(beds: float) -> float:
        table = scenario.table("schools").assign(boarding_places=[0.0, beds])
        program = formulate(scenario.variant(tables={"schools": table}), plan.demand).program
        return solve(program.fixed(x)).objective * 1e6

    for step in (1.0, -1.0):
        assert (optimum(8) - optimum(8 + step)) / step == pytest.approx(worth, rel=1e-6)


def test_boarding_is_recurrent_spending() -> None:
    """A budget for ten boarders lets ten board."""
    limits = pd.DataFrame(
        [{"county": "C", "year": 2022, "kind": "recurrent", "amount": 10 * BED_CNY}]
    )
    plan = planned(valley().variant(tables={"limits": limits}))
    assert plan.tables["flows"]["boarders"].sum() == pytest.approx(10.0)


def test_as_planned_the_simulation_pays_for_the_same_boarders() -> None:
    plan = planned(valley())
    outcome = capsim.simulate(plan, draws=1, seed=0, uncertainty=False)
    costs = outcome.tables["costs"].set_index("kind")["mean_cny"]
    assert costs["boarding"] == pytest.approx(20 * BED_CNY, rel=1e-12)


def test_beds_end_with_the_life_of_the_project() -> None:
    """An extension of 30 beds that lasts a year: 20 board in the first autumn, nobody after."""
    base = valley(beds=0)
    children = base.table("forecast")
    later = children[children["school_year"] == 2022].assign(school_year=2023)
    built = {"project": "E", "stage": "primary", "area": "town", "kind": "extend", "school": "T"}
    built |= {"places": 1, "boarding_places": 30, "capital_cny": 0.0, "life_years": 1}
    built |= {"status": "ordered", "earliest_opening": "2022-09-01", "due": "2022-09-01"}
    scenario = base.variant(
        {"horizon.last_year": 2023},
        tables={
            "forecast": pd.concat([children, later]),
            "projects": pd.DataFrame([built]),
        },
    )
    flows = planned(scenario).tables["flows"]
    by_year = flows.groupby("school_year")["boarders"].sum()
    np.testing.assert_allclose(by_year, [20.0, 0.0], atol=1e-9)


def test_faults_are_named_together() -> None:
    with pytest.raises(capsim.ScenarioError) as caught:
        valley(travel={"day_minutes": {"primary": 30}, "day_km": {"nursery": 2.0}})
    text = str(caught.value)
    assert "travel.day_km: 'nursery' where a stage" in text
    assert "minutes, or travel.km_per_hour, as day travel is limited in minutes" in text
    with pytest.raises(capsim.ScenarioError, match=r"a kind, by which travel.standard_limits go"):
        valley(travel={"standard_limits": True, "km_per_hour": 5}, kind="")
    with pytest.raises(capsim.ScenarioError, match=r"km_per_hour.*greater than 0"):
        valley(travel={"km_per_hour": 0})
    with pytest.raises(capsim.ScenarioError, match=r"boarding_places.*-1.*a number >= 0"):
        valley(beds=-1)
    generated = capsim.generate(3, 30_000)
    with pytest.raises(capsim.ScenarioError, match=r"travel.km_per_hour.*a speed, as day travel"):
        generated.variant({"travel.day_minutes.junior": 40})
