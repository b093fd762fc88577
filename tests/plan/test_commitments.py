"""Admission plans and commitments: whole numbers that add up to the plan's, county by county."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import capsim
from capsim.plan.commitments import whole


@pytest.fixture(scope="module")
def plan() -> capsim.Plan:
    return capsim.optimize(capsim.generate(4, 30_000, years=(2021, 2023), seed=1), gap=0.1)


@pytest.mark.parametrize(
    ("values", "group", "most", "due"),
    [
        ([0.4, 0.4, 0.4], [0, 0, 0], None, [1, 0, 0]),
        ([0.4, 0.4, 0.4], [0, 1, 1], None, [0, 1, 0]),
        ([2.9999999, 0.5, 0.5], [0, 0, 0], None, [3, 1, 0]),
        ([1e-9, 7.0], [0, 0], None, [0, 7]),
        # The second may not go above what is admitted, so that the first does.
        ([4.4, 4.6], [0, 0], [5, 4], [5, 4]),
        ([-1.5, 2.0], [0, 0], None, [-1, 2]),
    ],
)
def test_numbers_are_rounded_so_that_they_add_up(values, group, most, due):
    limit = None if most is None else np.array(most)
    assert whole(np.array(values), np.array(group), limit).tolist() == due


def test_what_schools_admit_adds_up_to_the_first_grades(plan):
    table = plan.tables["admissions"]
    assert (table["bought"] <= table["intake"]).all()
    assert table["county"].is_monotonic_increasing
    enrolment = plan.tables["enrolment"]
    first = enrolment[enrolment["grade"].isin(["1", "7"])]
    keys = ["county", "stage", "school_year"]
    told = table.groupby(keys)["intake"].sum()
    exact = first.groupby(keys)["pupils"].sum()
    assert ((told - exact).abs() <= 0.5 + 1e-6).all()
    by_school = table.set_index(["school", *keys[1:]])["intake"]
    pupils = first.set_index(["school", *keys[1:]])["pupils"].reindex(by_school.index)
    assert ((by_school - pupils).abs() < 1).all()


def test_what_counties_deliver_adds_up_to_the_plan(plan):
    table, tables = plan.tables["commitments"], plan.tables
    by_year = table.groupby("school_year")[["private_pupils", "hired", "capital_cny"]].sum()
    whole_city = tables["shares"].query("county == '*' and school_year > 2021")
    private = whole_city.set_index("school_year")["private_excluding_purchased"]
    assert ((by_year["private_pupils"] - private).abs() <= 0.5).all()
    hired = tables["staff"].groupby("school_year")["hired"].sum()
    assert ((by_year["hired"] - hired).abs() <= 0.5 + 1e-6).all()
    costs = tables["costs"]
    paid = costs[~costs["kind"].isin(["shortfall", "salvage"])]["cost_cny"].sum()
    assert table["total_cny"].sum() == pytest.approx(paid, abs=50)
    assert (table["reduction"] == table["private_before"] - table["private_pupils"]).all()


def test_the_first_decision_is_that_of_the_list_of_deadlines(plan):
    table = plan.tables["commitments"]
    decisions = capsim.decide_by(plan)
    decisions = decisions[decisions["status"].isin(["", "candidate"])]
    decisions = decisions.assign(year=decisions["takes_effect"].str[:4].astype(int))
    first = decisions.groupby(["county", "year"])["decide_by"].min()
    told = table.set_index(["county", "school_year"])["decide_by"]
    assert told[told != ""].to_dict() == first.to_dict()


@pytest.mark.slow
def test_hurried_projects_are_commitments_and_decisions(plan):
    """Of an ordered project, too: its crews are asked for as construction starts, or later."""
    projects = plan.scenario.table("projects")
    phases = plan.scenario.table("phases")
    name = projects["project"][projects["status"] == "ordered"].iloc[0]
    option = phases["option"][phases["option"] != ""].iloc[0]
    projects.loc[projects["project"] == name, "options"] = option
    city = plan.scenario.variant({}, tables={"projects": projects})
    hurried = capsim.optimize(city, gap=0.1)
    certificate = capsim.certify(city, hurried)
    assert certificate.holds(), certificate.worst
    table = hurried.tables["commitments"]
    assert table["hurried"].sum() == 1
    assert (table["hurried"] <= table["projects"]).all()
    asked = capsim.decide_by(hurried).query("decision == 'hurry'")
    assert asked["name"].tolist() == [name]
    assert asked["decide_by"].item() >= str(city.settings.construction.start)
    opens = hurried.tables["openings"].set_index("project").loc[name, "opens"]
    assert asked["decide_by"].item() < opens
    assert not (plan.tables["commitments"]["hurried"].any())
    wrong = dict(hurried.tables)
    wrong["commitments"] = table.assign(hurried=0)
    assert not capsim.certify(city, replace(hurried, tables=wrong)).holds()
