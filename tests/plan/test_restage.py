"""Seats that change stage, schools that merge and close: plans worked out on paper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from two_stages import project, school, villages

import capsim
from capsim.certificate import certify

FALLING = {("east", "primary"): (100, 50, 50), ("east", "junior"): (100, 140, 140)}
SCHOOLS = [school("E1", "primary", 100, 100), school("E2", "junior", 100, 100)]
ROOM = {"count": 2, "build_months": 4}
RESTAGE = [
    project("R", "restage", "primary", "E1", places_given_up=45.0, **ROOM),
    project("R", "restage", "junior", "E2", places=50.0, capital_cny=4e5, **ROOM),
]


def planned(scenario: Any) -> Any:
    """The optimum, checked by the certificate."""
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


def with_table(plan: Any, name: str, table: pd.DataFrame) -> Any:
    return replace(plan, tables={**plan.tables, name: table})


def seats(plan: Any, school: str) -> pd.DataFrame:
    rows = plan.tables["schools"].query("school == @school")
    return rows.set_index("school_year")[["seats_existing", "seats_new", "pupils"]]


@pytest.mark.slow
def test_a_primary_classroom_becomes_a_junior_one() -> None:
    """Of 100 primary places 50 stand empty from 2023 on and 40 junior places are missing.

    One classroom leaves 55 primary places and makes 150 junior ones; two would leave too few.
    """
    plan = planned(villages(children=FALLING, schools=SCHOOLS, projects=RESTAGE))
    assert plan.objective_cny == pytest.approx(4e5)
    assert plan.tables["openings"][["opens", "copies"]].to_numpy().tolist() == [["2023-09-01", 1]]
    assert seats(plan, "E1").to_numpy().tolist() == [[100, 0, 100], [55, 0, 50], [55, 0, 50]]
    assert seats(plan, "E2").to_numpy().tolist() == [[100, 0, 100], [100, 50, 140], [100, 50, 140]]
    row = plan.tables["projects"].iloc[0]
    assert row[["places", "places_given_up", "copies"]].tolist() == [50, 45, 1]
    balance = plan.tables["balance"].query("area == 'east' and school_year == 2023")
    columns = ["seats", "existing_used", "new_used", "surplus", "shortfall"]
    assert balance[columns].to_numpy().tolist() == [[55, 50, 0, 5, 0], [150, 100, 40, 10, 0]]
    without = planned(villages(children=FALLING, schools=SCHOOLS))
    assert without.objective_cny == pytest.approx(2 * 40 * 200_000)


def test_places_given_up_are_missed_where_they_are_needed() -> None:
    """With 70 children in primary schools a classroom for 40 in junior ones costs 15 a place."""
    children = {**FALLING, ("east", "primary"): (100, 70, 70)}
    plan = planned(villages(children=children, schools=SCHOOLS, projects=RESTAGE))
    assert plan.objective_cny == pytest.approx(4e5 + 2 * 15 * 200_000)


def test_existing_seats_used_fall_by_what_is_given_up() -> None:
    """The reduction table adds up: 50 fewer in primary places, 40 more in new junior ones."""
    plan = planned(villages(children=FALLING, schools=SCHOOLS, projects=RESTAGE))
    row = plan.tables["reduction"].set_index("school_year").loc[2023]
    assert row[["new_seats", "existing_seats", "fewer_pupils", "total"]].tolist() == [
        40,
        -50,
        10,
        0,
    ]


def two(saved_cny: float, **of_town: Any) -> Any:
    """A village of 20 children with a school of its own, 10 km from one with room for 15 more."""
    closing = {"places_given_up": 30.0, "saved_cny": saved_cny}
    rows = [project("M", "merge", "primary", "W", **closing)]
    if of_town:
        rows.append(project("M", "merge", "primary", "E", **of_town))
    else:
        rows = [{**rows[0], "kind": "close"}]
    return villages(
        children={("east", "primary"): (85, 85), ("west", "primary"): (20, 15)},
        schools=[school("E", "primary", 100, 85), school("W", "primary", 30, 20, "west")],
        projects=rows,
    )


@pytest.mark.parametrize(("saved_cny", "closes"), [(46e3, True), (44e3, False)])
def test_a_school_closes_where_that_saves_more_than_the_ways_cost(
    saved_cny: float, closes: bool
) -> None:
    """15 children go 10 km for 3,000 RMB each from 2023 on: 45,000."""
    plan = planned(two(saved_cny))
    assert len(plan.tables["openings"]) == closes
    assert plan.objective_cny == pytest.approx(min(0.0, 45e3 - saved_cny))
    assert seats(plan, "W")["seats_existing"].tolist() == [30, 0 if closes else 30]
    running = plan.tables["costs"].query("kind == 'running'")["cost_cny"].sum()
    assert running == pytest.approx(-saved_cny * closes)


def test_a_merger_takes_from_one_school_and_gives_to_another() -> None:
    """The other school gains 25 places with 10,000 RMB a year of its own to run."""
    plan = planned(two(60e3, places=25.0, running_cny=1e4))
    assert plan.objective_cny == pytest.approx(45e3 - 60e3 + 1e4)
    assert seats(plan, "E").loc[2023].tolist() == [100, 25, 100]
    assert seats(plan, "W").loc[2023].tolist() == [0, 0, 0]
    assert plan.tables["projects"]["stages"].tolist() == ["primary;primary"]


def test_an_ordered_closure_is_committed() -> None:
    scenario = two(44e3)
    projects = scenario.table("projects").assign(status="ordered", due="2023-09-01")
    plan = planned(scenario.variant(tables={"projects": projects}))
    assert plan.committed_cny == pytest.approx(-44e3)
    assert plan.objective_cny == pytest.approx(1e3)


def test_places_are_given_up_once() -> None:
    """Of two closures of one school, each for half of what it saves, only one can be."""
    rows = [
        project(name, "close", "primary", "W", places_given_up=30.0, saved_cny=5e4)
        for name in ("X", "Y")
    ]
    scenario = villages(
        children={("east", "primary"): (85, 85), ("west", "primary"): (20, 15)},
        schools=[school("E", "primary", 100, 85), school("W", "primary", 30, 20, "west")],
        projects=rows,
    )
    assert planned(scenario).tables["openings"]["copies"].sum() == 1


def test_a_tampered_table_is_caught() -> None:
    scenario = two(46e3)
    plan = planned(scenario)
    kept = plan.tables["schools"].copy()
    kept.loc[kept["school"] == "W", "seats_existing"] = 30.0
    certificate = certify(scenario, with_table(plan, "schools", kept))
    assert "seats_existing" in certificate.worst


CAMPUS = [
    project("N", "nine_year", "primary", "E1", places=90.0, places_given_up=100.0),
    project("N", "nine_year", "junior", "E2", places=100.0, capital_cny=5e4),
]


def test_the_stages_of_a_campus_share_its_places() -> None:
    """36 of 90 primary places leave the junior stage 60 of 100; next year 54 leave 40.

    The campus is worth far more than it costs.
    """
    children = {("east", "primary"): (100, 36, 54), ("east", "junior"): (100, 160, 140)}
    plan = planned(villages(children=children, schools=SCHOOLS, projects=CAMPUS))
    assert plan.objective_cny == pytest.approx(5e4)
    used = plan.tables["campuses"].set_index(["school_year", "school"])["places"]
    assert used.to_dict() == pytest.approx(
        {(2023, "E1"): 36, (2023, "E2"): 60, (2024, "E1"): 54, (2024, "E2"): 40}
    )
    assert seats(plan, "E1").loc[2023].tolist() == pytest.approx([0, 36, 36])
    assert plan.tables["projects"]["places"].tolist() == [100]


@pytest.mark.slow
def test_without_its_switch_each_stage_has_the_whole_campus() -> None:
    children = {("east", "primary"): (100, 90, 90), ("east", "junior"): (100, 200, 200)}
    both = {"children": children, "schools": SCHOOLS, "projects": CAMPUS}
    free = planned(villages(**both, switches={"campus": False}))
    assert free.objective_cny == pytest.approx(5e4)
    shared = planned(villages(**both))
    assert shared.objective_cny == pytest.approx(5e4 + 2 * 90 * 200_000)


@pytest.mark.slow
@pytest.mark.parametrize(("row", "places"), [(0, 50.0), (1, 101.0)])
def test_a_campus_that_is_used_beyond_its_places_is_caught(row: int, places: float) -> None:
    children = {("east", "primary"): (100, 36), ("east", "junior"): (100, 160)}
    scenario = villages(children=children, schools=SCHOOLS, projects=CAMPUS)
    plan = planned(scenario)
    table = plan.tables["campuses"].copy()
    table.loc[row, "places"] = places
    certificate = certify(scenario, with_table(plan, "campuses", table))
    families = certificate.table.set_index("family")["max_violation"]
    assert families["campus"] > 1e-3


def test_an_explanation_names_the_campus_whose_places_are_too_few() -> None:
    """With 90 primary children no junior place of the campus is left for the 90 beyond 100.

    If they could be used twice it would be enough.
    """
    children = {("east", "primary"): (100, 90), ("east", "junior"): (100, 190)}
    plan = planned(villages(children=children, schools=SCHOOLS, projects=CAMPUS))
    why = plan.explain()
    assert [set(one) for one in why.conflicts] == [{"every child", "seats", "campuses"}]
    alone = why.table.set_index("rule")["alone"]
    assert alone["campuses"] == pytest.approx(90, abs=0.01)
    text = str(why)
    assert "no place of a nine-year campus is counted for two stages" in text
