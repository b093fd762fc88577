"""Every measure against its closed form, or all orders tried one by one, by both methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newsvendor import CHILD_CNY, PLACE_CNY, cost_cny, demands, the_town

from capsim.analysis.stochastic import (
    CVaR,
    optimize_regret,
    optimize_two_stage,
    value_of_information,
)
from capsim.analysis.stochastic.risk import tail_mean
from capsim.certificate import certify

pytestmark = pytest.mark.slow

METHODS = ("extensive", "l-shaped")
CHILDREN = (12.0, 20.0, 31.0, 44.0, 58.0)


def ordered(plan: Any) -> int:
    return int(plan.decisions["openings"]["copies"].sum())


@pytest.mark.parametrize("method", METHODS)
def test_the_order_is_the_quantile(method: str) -> None:
    plan = optimize_two_stage(the_town(), demands(CHILDREN), method=method, gap=1e-7)
    best = np.quantile(CHILDREN, 1 - PLACE_CNY / CHILD_CNY, method="inverted_cdf")
    assert plan.status == "optimal"
    assert ordered(plan) == best == 44
    each = cost_cny(best, np.array(CHILDREN))
    assert plan.objective_cny == pytest.approx(each.mean())
    assert plan.realisations["cost_cny"].to_numpy() == pytest.approx(each)
    assert plan.realisations["decided_cny"].to_numpy() == pytest.approx(np.full(5, PLACE_CNY * 44))
    missing = np.maximum(np.array(CHILDREN) - 44, 0)
    assert plan.realisations["shortfall"].to_numpy() == pytest.approx(missing, abs=1e-6)
    for one in plan.plans.values():
        assert certify(the_town(), one).holds(1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_probabilities_move_the_quantile(method: str) -> None:
    weight = {"f0": 6.0, "f1": 1.0, "f2": 1.0, "f3": 1.0, "f4": 1.0}
    plan = optimize_two_stage(
        the_town(), demands(CHILDREN), probabilities=weight, method=method, gap=1e-7
    )
    assert ordered(plan) == 20
    assert plan.realisations["probability"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("risk", [CVaR(0.0, 1.0), CVaR(0.5, 1.0), CVaR(0.8, 4.0), CVaR(0.9, 0.2)])
def test_the_tail_is_weighed(risk: CVaR, method: str) -> None:
    """All orders tried, the tail's mean worked out by sorting."""
    children = np.array(CHILDREN)
    p = np.full(5, 0.2)
    tried = [
        p @ cost_cny(x, children) + risk.weight * tail_mean(cost_cny(x, children), p, risk.beta)
        for x in range(80)
    ]
    plan = optimize_two_stage(the_town(), demands(CHILDREN), risk=risk, method=method, gap=1e-7)
    assert plan.objective_cny == pytest.approx(min(tried))
    assert tried[ordered(plan)] == pytest.approx(min(tried))


@pytest.mark.parametrize("method", METHODS)
def test_regret_is_shared_out(method: str) -> None:
    """Too many places in the small year cost as much as too few in the large: a weighted mean."""
    low, high = 20.0, 50.0
    plan = optimize_regret(the_town(), demands((low, high)), method=method, gap=1e-7)
    best = (PLACE_CNY * low + (CHILD_CNY - PLACE_CNY) * high) / CHILD_CNY
    assert ordered(plan) == best == 41
    assert plan.realisations["best_cny"].to_numpy() == pytest.approx(
        [PLACE_CNY * low, PLACE_CNY * high]
    )
    regret = [PLACE_CNY * (best - low), (CHILD_CNY - PLACE_CNY) * (high - best)]
    assert plan.realisations["regret_cny"].to_numpy() == pytest.approx(regret)
    assert plan.objective_cny == pytest.approx(max(regret))


def test_values_by_hand() -> None:
    """Known in advance, the places cost 0.3 m a child; the mean of 33 children asks for 33."""
    children = np.array(CHILDREN)
    found = value_of_information(the_town(), demands(CHILDREN), gap=1e-7)
    assert found.wait_and_see_cny == pytest.approx(PLACE_CNY * children.mean())
    assert found.recourse_cny == pytest.approx(cost_cny(44, children).mean())
    assert found.mean_value_cny == pytest.approx(cost_cny(33, children).mean())
    assert found.perfect_information_cny == pytest.approx(
        cost_cny(44, children).mean() - PLACE_CNY * 33
    )
    assert found.stochastic_solution_cny > 0


@pytest.mark.slow
@settings(max_examples=8)
@given(
    st.lists(st.integers(0, 90), min_size=2, max_size=5, unique=True),
    st.lists(st.floats(0.1, 1.0), min_size=5, max_size=5),
)
def test_knowing_is_never_worse_and_the_mean_never_better(
    children: list[int], weight: list[float]
) -> None:
    realisations = demands(children)
    p = np.array(weight[: len(children)]) / sum(weight[: len(children)])
    found = value_of_information(
        the_town(),
        realisations,
        probabilities=dict(zip(realisations, p.tolist(), strict=True)),
        gap=1e-7,
    )
    tried = [float(p @ cost_cny(x, np.array(children))) for x in range(100)]
    assert found.recourse_cny == pytest.approx(min(tried), abs=10.0)
    assert found.wait_and_see_cny == pytest.approx(PLACE_CNY * float(p @ children), abs=10.0)
    assert found.wait_and_see_cny <= found.recourse_cny + 10.0
    assert found.recourse_cny <= found.mean_value_cny + 10.0


@pytest.mark.parametrize("bad", [{"beta": 1.0}, {"beta": -0.1}, {"weight": -1.0}])
def test_a_tail_that_is_none_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        CVaR(**bad)


def test_faults_are_said() -> None:
    two = demands((1.0, 2.0))
    with pytest.raises(ValueError, match="must have draws"):
        optimize_two_stage(the_town(), two["f0"])
    with pytest.raises(ValueError, match="at least one realisation"):
        optimize_two_stage(the_town(), {})
    with pytest.raises(ValueError, match=r"same names, not \['f1'\]"):
        optimize_two_stage(the_town(), two, probabilities={"f0": 1.0})
    with pytest.raises(ValueError, match="above 0"):
        optimize_two_stage(the_town(), two, probabilities={"f0": 1.0, "f1": 0.0})
    with pytest.raises(ValueError, match="method must be one of"):
        optimize_two_stage(the_town(), two, method="benders")
