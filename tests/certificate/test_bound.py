"""The bound of a plan in safe arithmetic: never above the optimum, and at it with the duals."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array

import capsim
from capsim.certificate import certify
from capsim.certificate.costs import check_bound, safe_bound
from capsim.lp.highs import Highs
from capsim.lp.program import LinearProgram
from capsim.model.model import formulate


def program(cost, matrix, low, high, lower=0.0, upper=np.inf):
    cost = np.asarray(cost, float)
    full = np.broadcast_to
    return LinearProgram(
        cost=cost,
        lower=np.array(full(lower, cost.shape), float),
        upper=np.array(full(upper, cost.shape), float),
        integer=np.zeros(len(cost), bool),
        matrix=csc_array(np.asarray(matrix, float)),
        row_lower=np.asarray(low, float),
        row_upper=np.asarray(high, float),
    )


def drawn(seed: int) -> LinearProgram:
    """A program that has a solution, with numbers of sizes far apart."""
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(1, 6), rng.integers(1, 8)
    size = 10.0 ** rng.integers(-4, 5, (rows, columns))
    matrix = np.where(rng.random((rows, columns)) < 0.6, size * rng.normal(size=size.shape), 0.0)
    x = rng.integers(0, 5, columns).astype(float)
    upper = np.where(rng.random(columns) < 0.5, x + rng.integers(0, 3, columns), np.inf)
    use = matrix @ x
    low = np.where(rng.random(rows) < 0.7, use - rng.random(rows), -np.inf)
    high = np.where(rng.random(rows) < 0.5, use + rng.random(rows), np.inf)
    cost = rng.normal(size=columns) * 10.0 ** rng.integers(-3, 4, columns)
    cost = np.where(np.isinf(upper), np.abs(cost), cost)
    return program(cost, matrix, low, high, upper=upper)


@settings(max_examples=150)
@given(st.integers(0, 10**6), st.floats(0.0, 2.0))
def test_no_prices_prove_more_than_the_optimum(seed, noise):
    p = drawn(seed)
    found = Highs(p).solve()
    if found.status != "optimal" or found.row_dual is None:
        return
    wild = np.random.default_rng(seed).normal(size=len(found.row_dual))
    size = max(1.0, abs(found.objective))
    assert safe_bound(p, found.row_dual + noise * wild) <= found.objective + 1e-6 * size
    proved = safe_bound(p, found.row_dual)
    assert proved <= found.objective + 1e-6 * size
    assert proved >= found.objective - 1e-3 * size or np.isinf(p.upper).any()


def test_it_is_not_above_what_exact_numbers_give():
    """Of prices that are thirds and tenths the bound is known exactly as a fraction."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        cost, matrix = rng.random(4) - 0.3, rng.random((3, 4)) - 0.5
        low, upper, y = rng.random(3), rng.random(4) * 3, rng.random(3) / 3
        p = program(cost, matrix, low, np.full(3, np.inf), upper=upper)
        exact = sum(Fraction(a) * Fraction(b) for a, b in zip(y, low, strict=True))
        for j in range(4):
            own = Fraction(cost[j]) - sum(Fraction(matrix[i, j]) * Fraction(y[i]) for i in range(3))
            exact += min(own * Fraction(upper[j]), Fraction(0))
        proved = Fraction(safe_bound(p, y))
        assert exact - Fraction(1, 10**13) <= proved <= exact


def test_columns_without_an_end_get_one_from_their_rows():
    """x + y = 4 and y + z <= 3: with a price a hair too high, z is endless but for its row."""
    p = program([1.0, 2.0, 0.0], [[1, 1, 0], [0, 1, 1]], [4.0, -np.inf], [4.0, 3.0])
    assert safe_bound(p, np.array([1.0, 1e-9])) == pytest.approx(4.0, abs=1e-7)
    assert safe_bound(p, np.array([1.0, -1e-9])) == pytest.approx(4.0, abs=1e-7)


def test_an_endless_column_is_held_by_its_cost():
    """s >= x - 1 counts what is above 1: it has no end, and is worth just what it costs."""
    p = program([-3.0, 2.0], [[-1.0, 1.0]], [-1.0], [np.inf], upper=[3.0, np.inf])
    assert safe_bound(p, np.array([2.0])) == pytest.approx(-5.0, abs=1e-9)
    assert safe_bound(p, np.array([2.0 + 1e-10])) == pytest.approx(-5.0, abs=1e-3)


def test_prices_that_are_no_numbers_prove_nothing_false():
    p = program([1.0], [[1.0]], [2.0], [np.inf])
    assert safe_bound(p, np.array([np.nan])) == 0.0
    assert safe_bound(p, np.array([np.inf])) == 0.0
    assert safe_bound(program([-1.0], [[1.0]], [2.0], [np.inf]), np.array([0.5])) == -np.inf


@cache
def plan():
    return capsim.optimize(
        capsim.generate(1, 900, 0, years=(2021, 2023), stages=("primary", "junior")), gap=0.01
    )


@pytest.mark.slow
def test_a_relaxation_is_proved_by_its_duals():
    relaxed = capsim.optimize(plan().scenario, relax=True)
    bound = check_bound(relaxed)
    assert bound is not None
    assert (bound.verified, bound.why) == (True, "duals")
    assert abs(bound.gap) < 1e-6


def test_what_a_search_for_whole_numbers_proves_is_told_apart():
    found = certify(plan().scenario, plan())
    assert found.holds()
    assert found.bound is not None
    assert (found.bound_verified, found.bound.why) == (False, "search")
    assert 0 < found.bound.gap < 0.2
    assert found.bound.proved_cny < plan().bound_cny <= plan().objective_cny
    false = replace(plan(), bound_cny=plan().objective_cny, gap=0.0)
    assert not certify(plan().scenario, false).bound_verified


def test_a_plan_cheaper_than_what_is_proved_does_not_hold():
    cheaper = replace(plan(), objective_cny=0.9 * check_bound(plan()).proved_cny)
    found = certify(plan().scenario, cheaper)
    assert not found.holds()
    assert found.table.set_index("family")["max_violation"]["bound"] > 0.01


def test_a_bound_below_what_duals_prove_is_verified():
    low = plan().bound_cny - 0.3 * plan().avoidable_cny
    assert check_bound(replace(plan(), bound_cny=low)).verified
    assert check_bound(replace(plan(), bound_cny=-np.inf)).why == "none"
    assert check_bound(replace(plan(), x=None)) is None


@pytest.mark.slow
def test_a_bound_of_another_scenario_is_verified_in_that_one():
    """Without a discount all costs more, which proves nothing of the scenario with one."""
    relaxed = capsim.optimize(plan().scenario, relax=True)
    dear = relaxed.scenario.variant({"costs.discount_rate": 0.0})
    dearer = capsim.optimize(dear, relax=True)
    between = (relaxed.bound_cny + dearer.bound_cny) / 2
    assert between > relaxed.bound_cny + 1e4
    told = replace(dearer, bound_cny=between)
    assert check_bound(told).verified
    assert not check_bound(replace(told, bound_of=relaxed.scenario)).verified
    found = {"bound_cny": relaxed.bound_cny, "row_prices": relaxed.row_prices}
    own = replace(dearer, **found, bound_of=relaxed.scenario)
    assert check_bound(own).verified


@pytest.mark.slow
def test_prices_of_a_search_by_counties_prove_its_relaxation(monkeypatch):
    monkeypatch.setattr("capsim.model.model.LARGE", 100)
    city = capsim.generate(6, 6000, 3, years=(2021, 2023), stages=("primary", "junior"))
    model = formulate(city)
    found = capsim.optimize(model, gap=0.01)
    assert found.row_prices is not None
    proved = safe_bound(model.at_true_costs(), found.row_prices)
    exact = Highs(model.program.relaxed()).solve().objective
    assert proved <= exact + 1e-6
    assert proved >= exact * (1 - 0.01)
