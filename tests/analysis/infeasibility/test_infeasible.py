"""Rules that contradict each other: the answer says which, where, when and by how much."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from tiny_cases import limit, project, school, town

import capsim
from capsim.certificate import certify
from capsim.i18n.language import words
from capsim.report.page.tables import explanation_advice


def refused(scenario: Any) -> Any:
    plan = capsim.optimize(scenario, threads=1)
    assert plan.status == "infeasible"
    assert not plan.meets_targets
    assert dict(plan.tables) == {}
    assert plan.explanation is not None
    assert not certify(scenario, plan).holds()
    return plan.explanation


def test_capital_too_short_for_what_is_ordered() -> None:
    """10 million due in autumn 2022 of 4 million in the county's budget."""
    ordered = project(
        *("N", 50, 1e7, "2022-09-01"), status="ordered", due="2022-09-01", build_months=6
    )
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 60, 60)],
        projects=[ordered],
        limits=[limit("capital", 2022, 4e6)],
    )
    answer = refused(scenario)
    bent = answer.table[answer.table["short_by"] > 0]
    assert bent["rule"].tolist() == ["capital"]
    assert bent["school_year"].tolist() == [2022]
    assert bent["short_by"].tolist() == pytest.approx([6.0])
    assert bent["alone"].tolist() == pytest.approx([6.0])
    assert "County C lacks 6 million RMB of capital in 2022." in answer.sentences
    chinese = [one.text(words("zh")) for one in answer.messages]
    assert "县区C 2022年缺建设资金600.0万元。" in chinese
    assert not any("百万" in text for text in chinese)
    for lang, unit, size in (("en", "million RMB", 6.0), ("zh", "万元", 600.0)):
        (row,) = (
            row
            for frame in explanation_advice(answer, words(lang)).frames.values()
            for row in frame.to_dict("records")
            if "enough" not in row
        )
        assert (row["unit"], row["short_by"]) == (unit, pytest.approx(size))


def test_a_programme_without_projects_in_time() -> None:
    """Two projects by the end of 2022, of which one can open only the autumn after."""
    scenario = town(
        children=(60, 60),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project("N1", 10, 1e6, "2022-09-01", programme="build"),
            project("N2", 10, 1e6, "2023-09-01", programme="build"),
        ],
        programmes={"build": {"number": 2, "by": "2022-12-31"}},
    )
    answer = refused(scenario)
    bent = answer.table[answer.table["short_by"] > 0]
    assert bent["rule"].tolist() == ["programme build"]
    assert bent["short_by"].tolist() == pytest.approx([1.0])
    assert "Programme build is 1 project short." in answer.sentences


def test_a_floor_above_the_places() -> None:
    """Of 100 children at least 90 in senior school, and 60 places: 40 lack for every child."""
    forecast = pd.DataFrame(
        {"area": "town", "grade": "10", "school_year": [2021, 2022], "pupils": 100.0}
    )
    births = pd.DataFrame({"area": "town", "year": range(2000, 2022), "births": 100.0})
    schools = pd.DataFrame([school("S", "public", 60, 60) | {"stage": "senior"}])
    scenario = capsim.Scenario.from_tables(
        settings={
            "name": "town",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "stages": {"planned": ["senior"], "compulsory": []},
            "standards": {"senior": {"grades": ["10"], "class_ceiling": 50}},
            "floors": {"senior_enrolment": {"2022": 0.9}},
            "costs": {"discount_rate": 0.05},
        },
        areas=pd.DataFrame({"area": ["town"], "county": ["C"]}),
        forecast=forecast,
        births=births,
        schools=schools,
    )
    answer = refused(scenario)
    bent = answer.table[answer.table["short_by"] > 0]
    assert bent["rule"].tolist() == ["seats"]
    assert bent["who"].tolist() == ["area town (county C, senior)"]
    assert bent["short_by"].tolist() == pytest.approx([40.0])
    assert "Area town (county C, senior) lacks 40 places on 1 September 2022." in answer.sentences


def test_more_children_turned_inclusive_than_the_kindergarten_seats() -> None:
    """A kindergarten of 30 places from which an ordered project takes 50."""
    forecast = pd.DataFrame(
        {"area": "town", "grade": "K1", "school_year": [2021, 2022], "pupils": 90.0}
    )
    names = {"KI": ("yes", 60.0), "KO": ("no", 30.0)}
    schools = [
        school(name, "private", places, places, inclusive=inclusive) | {"stage": "kindergarten"}
        for name, (inclusive, places) in names.items()
    ]
    turned = project("T", 0, 1e5, "2022-09-01", status="ordered", due="2022-09-01", pupils=50.0)
    turned |= {"stage": "kindergarten", "kind": "inclusive_kindergarten", "school": "KO"}
    scenario = capsim.Scenario.from_tables(
        settings={
            "name": "town",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "stages": {"planned": ["kindergarten"], "compulsory": []},
            "standards": {"kindergarten": {"grades": ["K1"]}},
            "switches": {"kindergarten": False},
            "costs": {"discount_rate": 0.05},
        },
        areas=pd.DataFrame({"area": ["town"], "county": ["C"]}),
        forecast=forecast,
        schools=pd.DataFrame(schools),
        projects=pd.DataFrame([turned]),
    )
    answer = refused(scenario)
    bent = answer.table[answer.table["short_by"] > 0]
    assert bent["rule"].tolist() == ["seats"]
    assert bent["who"].tolist() == ["area town (county C, kindergarten)"]
    assert bent["short_by"].tolist() == pytest.approx([20.0])


def test_a_poor_plan_is_still_a_plan() -> None:
    """A reduction of 45 against 30 free places: children may stay out at a price.

    The 5 pupils left are fewer than the 20 the school needs, so 20 stay out.
    """
    scenario = town(
        children=(100,),
        schools=[
            school("P", "public", 80, 50),
            school("V", "private", 50, 50, min_pupils=20.0),
        ],
        policy={"reduction": 45},
    )
    plan = capsim.optimize(scenario, threads=1)
    assert plan.status == "optimal"
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(20.0)
    assert not plan.meets_targets
    targets = plan.tables["targets"].set_index("id")
    assert not targets["met"].loc["placement"]
    assert targets["met"].loc["reduction"]


def test_an_ordered_reduction_larger_than_the_private_schools() -> None:
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 100, 50), school("V", "private", 50, 50)],
        policy={"reduction": 60},
    )
    answer = refused(scenario)
    bent = answer.table[answer.table["short_by"] > 0]
    assert bent["rule"].tolist() == ["reduction"]
    assert bent["short_by"].tolist() == pytest.approx([10.0])
    assert "missed by 10 pupils on 1 September 2022" in " ".join(answer.sentences)


@pytest.mark.parametrize("solver", ["highs", "scipy", "cbc", "pulp-highs"])
def test_every_solver_says_so(solver: str) -> None:
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 100, 50), school("V", "private", 50, 50)],
        policy={"reduction": 60},
    )
    assert capsim.optimize(scenario, solver=solver).status == "infeasible"
