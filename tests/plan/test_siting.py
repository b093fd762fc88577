"""Rows that make the choice of sites strong: true of every plan, and what they are worth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_location import points, sites_of

import capsim
from capsim.lp import solve
from capsim.lp.options_and_result import SolveOptions
from capsim.lp.solvers import tightened
from capsim.model.model import Model
from capsim.plan.solver import WarmSolver, search


@cache
def model(direct: bool = False, count: int = 12, budget: int = 3) -> Model:
    """A p-median, by links to areas or to the schools themselves."""
    xy, children, _ = points(5, count)
    scenario = sites_of(
        *(xy, children),
        budget=budget,
        travel={"nearest": {"junior": count}} if direct else {"within_county": True},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e6},
        cost_terms={"capital": False, "running": False},
    )
    return capsim.formulate(scenario)


@pytest.mark.slow
@pytest.mark.parametrize("direct", [False, True])
def test_every_plan_keeps_the_rows(direct: bool) -> None:
    """Whatever is opened, and wherever children are sent at random prices."""
    own = model(direct)
    rng = np.random.default_rng(0)
    rows = own.siting_rows(own.program)
    assert rows.shape[0] == 12 * 12
    for _ in range(20):
        cost = rng.uniform(0.1, 2.0, len(own.program.cost)) * own.program.cost
        found = solve(replace(own.program, cost=cost), gap=0.0)
        assert found.x is not None
        assert (rows @ found.x).max() <= 1e-6


@pytest.mark.parametrize("direct", [False, True])
def test_the_relaxation_is_that_of_the_strong_formulation(direct: bool) -> None:
    """With the few rows that are broken as good as with all ``x ≤ N z``, written by hand."""
    own = model(direct)
    program = own.program
    tight = tightened(program, "siting", own.siting_rows(program))
    added = len(tight.row_upper) - len(program.row_upper)
    assert 0 < added < 12 * 12
    _, children, km = points(5, 12)
    by_hand = _strong_p_median(children, km, 3) * 300.0 / 1e6
    assert solve(tight.relaxed()).objective == pytest.approx(by_hand, rel=1e-6)
    assert solve(program.relaxed()).objective < 0.9 * by_hand


def _strong_p_median(children: np.ndarray, km: np.ndarray, p: int) -> float:
    """Pupil-kilometres of the strong relaxation, by SciPy."""
    from scipy.optimize import linprog

    n = len(children)
    cost = np.concatenate([(children[:, None] * km).ravel(), np.zeros(n)])
    served = np.hstack([np.kron(np.eye(n), np.ones(n)), np.zeros((n, n))])
    strong = np.hstack([np.eye(n * n), np.tile(-np.eye(n), (n, 1))])
    few = np.concatenate([np.zeros(n * n), np.ones(n)])[None, :]
    most = np.append(np.zeros(n * n), p)
    found = linprog(cost, np.vstack([strong, few]), most, served, np.ones(n), bounds=(0, 1))
    return float(found.fun)


def test_there_are_none_where_they_would_not_hold() -> None:
    own = model()
    program = own.program
    assert not own.siting_rows(program.relaxed()).shape[0]
    more = program.row_upper.copy()
    more[program.rows_of("seats.public")[0]] += 1.0
    assert not own.siting_rows(replace(program, row_upper=more)).shape[0]
    standing = own.given.scenario.variant({"switches.seats": False})
    assert not capsim.formulate(standing).siting_rows(program).shape[0]
    city = capsim.formulate(capsim.generate(areas=3, pupils=5000, years=(2021, 2023)))
    assert not city.siting_rows(city.program).shape[0], "every school there stands already"


def test_a_school_that_stands_keeps_the_area_open() -> None:
    """Children may go to an area with a school whatever is built there."""
    own = model()
    school = {"school": "old", "stage": "junior", "area": "a0", "sector": "public"}
    schools = pd.DataFrame([{**school, "places": 50.0, "pupils": 0.0}])
    standing = capsim.formulate(own.given.scenario.variant({}, tables={"schools": schools}))
    assert standing.siting_rows(standing.program).shape[0] == 12 * 11


def test_more_children_of_a_changed_program_count() -> None:
    """The rows are of the program's children, not of those that the model was made with."""
    own = model()
    program = own.program
    residence = program.rows_of("placement.residence")
    sides = [side.copy() for side in (program.row_lower, program.row_upper)]
    for side in sides:
        side[residence] *= 2.0
    doubled = replace(program, row_lower=sides[0], row_upper=sides[1])
    least, most = (own.siting_rows(p).data.min() for p in (doubled, program))
    assert least == pytest.approx(2.0 * most)


@pytest.mark.parametrize("aim", ["cost", "another"])
def test_a_solver_that_is_kept_finds_what_a_new_one_does(aim: str) -> None:
    own = model()
    program = own.program
    rng = np.random.default_rng(1)
    cost = program.cost * (1.0 if aim == "cost" else rng.uniform(0.5, 2.0, len(program.cost)))
    warm = WarmSolver(own, program, SolveOptions(gap=0.0))
    found = warm.solve(cost, program.offset)
    assert found.x is not None
    assert len(found.x) == len(program.cost)
    again = solve(replace(program, cost=cost), gap=0.0)
    assert found.objective == pytest.approx(again.objective, rel=1e-9)


def test_a_sweep_over_prices_finds_the_optima_of_each() -> None:
    scenario = model().given.scenario
    changes: list[dict[str, Any]] = [{"costs.travel_cny_per_km": km} for km in (100.0, 500.0)]
    table = capsim.sweep(scenario, changes, gap=0.0)
    own = [capsim.optimize(scenario.variant(c), gap=0.0).objective_cny for c in changes]
    np.testing.assert_allclose(table["objective_cny"], own, rtol=1e-9)


def test_a_p_median_of_sixty_is_proved_at_once() -> None:
    """Raw branch and bound needs hundreds of nodes for it; the strong relaxation is whole."""
    own = model(count=60, budget=6)
    found = search(own, own.program, SolveOptions(gap=1e-6, threads=1))
    assert found.status == "optimal"
    tight = tightened(own.program, "siting", own.siting_rows(own.program)).relaxed()
    assert solve(tight).objective >= found.objective * 0.97
