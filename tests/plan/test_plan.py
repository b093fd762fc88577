"""A plan keeps its columns and its model, and goes to other processes without the model."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pandas as pd
import pytest
from tiny_cases import limit, project, school, town

import capsim
from capsim.plan.plan import Plan


@cache
def city_plan() -> Plan:
    return capsim.optimize(capsim.generate(2, 6000, 0, years=(2021, 2022)), gap=0.02)


def test_it_keeps_the_model_and_the_columns_of_its_tables() -> None:
    plan = city_plan()
    copies = plan.solution.open[:, -1]
    assert plan.model is plan.made_from
    assert plan.tables["projects"]["copies"].tolist() == copies.tolist()
    assert plan.model.program.objective(plan.solution.x) * 1e6 == pytest.approx(
        plan.avoidable_cny, rel=1e-6
    )


def test_pickled_it_forgets_the_model_and_builds_it_anew() -> None:
    plan = city_plan()
    data = pickle.dumps(plan)
    assert len(data) < len(pickle.dumps(plan.model))
    back = pickle.loads(data)
    assert back.made_from is None
    np.testing.assert_array_equal(back.x, plan.x)
    pd.testing.assert_frame_equal(back.tables["flows"], plan.tables["flows"])
    assert back.model is back.model
    mine, theirs = (one.prices(["place"]).table for one in (back, plan))
    pd.testing.assert_frame_equal(mine, theirs)
    with pytest.raises(TypeError):
        back.tables["flows"] = pd.DataFrame()


def test_without_a_plan_there_is_no_solution_and_the_explanation_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explained: list[Plan] = []
    monkeypatch.setattr("capsim.analysis.infeasibility.diagnosis.explain", explained.append)
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project(
                *("N", 50, 1e7, "2022-09-01"), status="ordered", due="2022-09-01", build_months=6
            )
        ],
        limits=[limit("capital", 2022, 4e6)],
    )
    plan = capsim.optimize(scenario)
    assert plan.status == "infeasible"
    assert explained == []
    assert plan.explain() is plan.explanation
    assert explained == [plan]
    with pytest.raises(ValueError, match="no solution"):
        _ = plan.solution
