"""Stages planned as one band lose nothing: grade by grade the optimum is the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import children, city

import capsim
from capsim.certificate import certify
from capsim.lp import solve
from capsim.model import data as given
from capsim.model.grade_groups import grade_bands, parts_of
from capsim.model.model import formulate
from capsim.plan import Plan
from capsim.plan.plan import make_plan


@pytest.fixture
def by_grade(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Formulate with every grade of every stage on its own."""

    def build(scenario: Any, demand: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(
                given,
                "grade_bands",
                lambda grades, stage, first, alone, n: grade_bands(
                    grades, stage, first, np.ones_like(alone), n
                ),
            )
            return formulate(scenario, demand)

    return build


CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"floors.kindergarten_enrolment": {2022: 0.99}, "floors.senior_enrolment": {2022: 0.95}},
    {"costs.shortfall_cny": 3000},
)


@pytest.mark.parametrize("where", [(3, 1), (5, 2), (6, 4)])
@pytest.mark.parametrize("change", CHANGES)
def test_the_optimum_is_that_of_single_grades(
    where: tuple[int, int], change: dict[str, Any], by_grade: Any
) -> None:
    scenario, demand = city(*where).variant(change), children(*where)
    small, large = formulate(scenario, demand), by_grade(scenario, demand)
    assert small.program.matrix.shape[1] < large.program.matrix.shape[1]
    assert small.program.matrix.shape[0] < large.program.matrix.shape[0]
    ours, theirs = (solve(model.program.relaxed()) for model in (small, large))
    assert ours.status == theirs.status
    if ours.status == "optimal":
        assert ours.objective == pytest.approx(theirs.objective, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("where", [(3, 1), (4, 3)])
def test_the_whole_optimum_is_that_of_single_grades(where: tuple[int, int], by_grade: Any) -> None:
    scenario, demand = city(*where), children(*where)
    ours = solve(formulate(scenario, demand).program, gap=1e-7)
    theirs = solve(by_grade(scenario, demand).program, gap=1e-7)
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-6)


@pytest.mark.slow
def test_tables_are_by_grade_and_certified(by_grade: Any) -> None:
    """Bands come apart into tables of the shape that single grades give, and these hold."""
    scenario, demand = city(5, 2), children(5, 2)
    plans: list[Plan] = []
    for model in (formulate(scenario, demand), by_grade(scenario, demand)):
        found = solve(model.program, gap=1e-2)
        assert found.x is not None
        plan = make_plan(model, found.x, bound=found.bound, solver="", asked_gap=1e-2, proved=True)
        assert certify(scenario, plan).holds(1e-6)
        plans.append(plan)
    for name in ("enrolment", "shortfall", "balance"):
        ours, theirs = (plan.tables[name] for plan in plans)
        keys = [c for c in ours.columns if not pd.api.types.is_float_dtype(ours[c])]
        pd.testing.assert_frame_equal(ours[keys], theirs[keys])
    table = plans[0].tables["enrolment"].groupby(["stage", "grade", "school_year"])["pupils"].sum()
    short = plans[0].tables["shortfall"].groupby(["stage", "grade", "school_year"])["placed"].sum()
    np.testing.assert_allclose(table.sort_index(), short.sort_index(), rtol=1e-9, atol=1e-6)


def test_pupils_are_split_as_those_who_arrive() -> None:
    """40 + 10 of A and 10 + 30 of B: what comes together in B's one school is 0.5 A and all B."""
    arrived = np.array([[0.5 * 40 + 10], [0.5 * 10 + 30]])
    part = parts_of(arrived, np.array([0, 0]))
    np.testing.assert_allclose(65 * part.ravel(), [30, 35])
    np.testing.assert_allclose(parts_of(np.zeros((2, 1)), np.array([0, 0])).ravel(), [0.5, 0.5])


def test_flows_between_areas_keep_each_grade_whole() -> None:
    """Every child of an area and grade is on a link or without a place, bands too.

    Senior pupils are counted where their school is; here some live in an area that has none.
    """
    plain = city(6, 4)
    away = children(6, 4).areas[1]
    rows = [
        (away, grade, year, 20.0 + 5 * at)
        for at, grade in enumerate(("10", "11", "12"))
        for year in plain.years
    ]
    given = pd.DataFrame(rows, columns=["area", "grade", "school_year", "pupils"])
    scenario = plain.variant({}, tables={"forecast": given})
    plan = capsim.optimize(scenario, capsim.project(scenario), gap=2e-2, threads=1)
    keys = ["area", "grade", "school_year"]
    on_links = plan.tables["flows"].groupby(keys)["pupils"].sum()
    all_of = plan.tables["shortfall"].set_index(keys)
    placed = on_links.reindex(all_of.index, fill_value=0.0)
    np.testing.assert_allclose(placed, all_of["placed"], rtol=1e-9, atol=1e-6)
    moved = plan.tables["flows"].query("stage == 'senior' and area != to_area")
    assert moved["grade"].nunique() == 3
