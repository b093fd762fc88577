"""Projects that take old places out of use, simulated: as planned, and late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from two_stages import project, school, villages

import capsim
from capsim.simulation import simulate

SCHOOLS = [school("E1", "primary", 100, 100), school("E2", "junior", 100, 100)]


def plan_of(*projects: dict[str, Any], primary: Any = (100, 50), junior: Any = (100, 140)) -> Any:
    children = {("east", "primary"): primary, ("east", "junior"): junior}
    scenario = villages(children=children, schools=SCHOOLS, projects=projects)
    return capsim.optimize(scenario, gap=1e-9, threads=1)


@pytest.fixture(scope="module")
def restaged() -> Any:
    """A primary classroom of 45 places becomes a junior one of 50 in autumn 2023."""
    return plan_of(
        project("R", "restage", "primary", "E1", places_given_up=55.0, saved_cny=1e4),
        project("R", "restage", "junior", "E2", places=50.0, capital_cny=4e5),
        primary=(100, 44),
    )


@pytest.fixture(scope="module")
def campus() -> Any:
    """A campus for both: 40 of its 90 primary places leave 55.6 junior ones beside the old 100."""
    return plan_of(
        project("N", "nine_year", "primary", "E1", places=90.0, places_given_up=100.0),
        project("N", "nine_year", "junior", "E2", places=100.0, capital_cny=5e4),
        primary=(100, 40, 40),
        junior=(100, 150, 150),
    )


def late(plan: Any, name: str, date: str) -> Any:
    frame = pd.DataFrame({name: np.array([date], "datetime64[D]")})
    return simulate(plan, draws=1, uncertainty=False, openings=frame)


@pytest.mark.parametrize("case", ["restaged", "campus"])
def test_as_planned_it_returns_the_figures_of_the_plan(
    case: str, request: pytest.FixtureRequest
) -> None:
    plan = request.getfixturevalue(case)
    assert len(plan.tables["openings"]) == 1
    out = simulate(plan, draws=2, seed=1, uncertainty=False)
    assert out.summary["cost_mean_cny"] == pytest.approx(plan.objective_cny, rel=1e-9)
    assert out.summary["shortfall_mean"] == pytest.approx(
        plan.tables["shortfall"]["shortfall"].sum()
    )
    costs = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    mean = out.tables["costs"].set_index("kind")["mean_cny"]
    assert mean[costs.index].to_numpy() == pytest.approx(costs.to_numpy(), rel=1e-9, abs=1e-6)


def test_a_late_change_keeps_the_old_seats_and_saves_nothing_yet(restaged: Any) -> None:
    """No child lacks a primary place, 40 lack a junior one, and 10,000 RMB are not saved."""
    out = late(restaged, "R", "2023-10-01")
    short = out.tables["shortfall"].set_index(["area", "stage", "school_year"])["mean"]
    assert short["east", "primary", 2023] == pytest.approx(0)
    assert short["east", "junior", 2023] == pytest.approx(40)
    costs = out.tables["costs"].set_index("kind")["mean_cny"]
    assert costs["running"] == pytest.approx(0)
    assert out.tables["projects"].loc[0, ["late_places_mean", "harm"]].tolist() == [50, 40]


def test_a_late_campus_keeps_both_schools(campus: Any) -> None:
    """The old 100 junior places instead of 155.6: 50 children have none in 2023."""
    out = late(campus, "N", "2024-02-01")
    short = out.tables["shortfall"].set_index(["area", "stage", "school_year"])["mean"]
    assert short["east", "primary", 2023] == pytest.approx(0)
    assert short["east", "junior", 2023] == pytest.approx(50)
    on_time = campus.tables["shortfall"].set_index(["area", "stage", "school_year"])["shortfall"]
    assert short["east", "junior", 2024] == pytest.approx(on_time["east", "junior", 2024])
