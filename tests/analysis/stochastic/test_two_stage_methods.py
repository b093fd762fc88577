"""Two methods, one answer: the L-shaped method beside the extensive form on generated cities."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from cities import city
from tiny_cases import SHORTFALL_CNY, school, town

import capsim
from capsim.analysis.stochastic import (
    CVaR,
    Mean,
    optimize_regret,
    optimize_two_stage,
    value_of_information,
)
from capsim.analysis.stochastic.benders import Recourse, solve_l_shaped
from capsim.analysis.stochastic.realisations import make_realisations
from capsim.certificate import certify
from capsim.model.model import formulate

pytestmark = pytest.mark.slow


@cache
def draws(count: int) -> Any:
    return capsim.project(city(2, 1, 2023), draws=count, seed=3)


@pytest.mark.parametrize(
    "count", [5, pytest.param(20, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "risk",
    [None, pytest.param(CVaR(0.8, 0.5), marks=pytest.mark.slow)],
    ids=["mean", "tail"],
)
def test_methods_agree(count: int, risk: CVaR | None) -> None:
    plans = [
        optimize_two_stage(city(2, 1, 2023), draws(count), risk=risk, method=method, gap=2e-5)
        for method in ("extensive", "l-shaped")
    ]
    extensive, shaped = plans
    assert extensive.status == shaped.status == "optimal"
    assert shaped.objective_cny == pytest.approx(extensive.objective_cny, rel=1e-4)
    assert shaped.bound_cny <= extensive.objective_cny * (1 + 1e-9)
    assert len(shaped.realisations) == count
    assert shaped.cuts > 0


@pytest.mark.slow
def test_methods_agree_on_regret_over_named_variants() -> None:
    base = city(2, 1, 2023)
    ordered = base.settings.policy.reduction
    named = {
        "as planned": base,
        "children missed more": base.variant({"costs.shortfall_cny": 400_000.0}),
        "cheap teachers": base.variant({"costs.teacher_cny": 90_000.0}),
        "less ordered": base.variant({"policy.reduction": 0.8 * ordered}),
    }
    extensive, shaped = (
        optimize_regret(base, named, method=method, gap=2e-5)
        for method in ("extensive", "l-shaped")
    )
    assert shaped.objective_cny == pytest.approx(extensive.objective_cny, rel=1e-3, abs=2e3)
    table = shaped.realisations.set_index("realisation")
    assert table["regret_cny"].max() == pytest.approx(shaped.objective_cny, rel=1e-6, abs=1.0)
    assert (table["regret_cny"] >= -2e3).all()
    for name, plan in shaped.plans.items():
        assert certify(named[name], plan).holds(1e-6)


@pytest.mark.slow
def test_every_future_has_a_plan_with_the_same_decisions() -> None:
    scenario = city(2, 1, 2023)
    plan = optimize_two_stage(scenario, draws(3), gap=1e-3)
    for i, (name, one) in enumerate(plan.plans.items()):
        certificate = certify(scenario, one)
        assert certificate.holds(1e-6), certificate.worst
        assert one.demand.pupils == pytest.approx(draws(3).draws[i])
        assert one.tables["openings"].equals(plan.decisions["openings"])
        signed = one.tables["purchases"].query("contract == 1")
        both = signed.merge(plan.decisions["contracts"], on=["school", "stage", "school_year"])
        assert len(both) == len(signed) == len(plan.decisions["contracts"])
        row = plan.realisations.set_index("realisation").loc[name]
        assert one.objective_cny == pytest.approx(row["cost_cny"], rel=1e-6)
    mean = float(plan.realisations["cost_cny"] @ plan.realisations["probability"])
    assert plan.objective_cny == pytest.approx(mean)


def test_values_are_in_order() -> None:
    found = value_of_information(city(2, 1, 2023), draws(3), gap=1e-5)
    slack = 1e-4 * found.recourse_cny
    assert found.wait_and_see_cny <= found.recourse_cny + slack
    assert found.recourse_cny <= found.mean_value_cny + slack
    assert found.perfect_information_cny >= -slack
    assert found.stochastic_solution_cny >= -slack


def test_one_future_is_the_plan_itself() -> None:
    scenario = city(2, 1, 2023)
    demand = capsim.project(scenario)
    alone = capsim.optimize(scenario, demand, gap=1e-6, threads=1)
    for method in ("extensive", "l-shaped"):
        plan = optimize_two_stage(scenario, {"only": demand}, method=method, gap=1e-6)
        assert plan.objective_cny == pytest.approx(alone.objective_cny, rel=1e-6)


@pytest.mark.slow
def test_contracts_signed_later_cost_no_more() -> None:
    scenario, demand = city(2, 1, 2023), draws(5)
    now = optimize_two_stage(scenario, demand, gap=1e-5, method="extensive")
    later = optimize_two_stage(scenario, demand, gap=1e-5, contracts_later=True)
    assert later.method == "extensive"
    assert later.decisions["contracts"].empty
    assert later.objective_cny <= now.objective_cny * (1 + 1e-5)
    realisations = make_realisations(scenario, demand, contracts_later=True)
    with pytest.raises(ValueError, match="whole numbers in the first stage"):
        solve_l_shaped(realisations, Mean(), gap=1.0, options=capsim.SolveOptions())


def test_a_cut_touches_the_cost_and_stays_below_it() -> None:
    """At the point it is the cost; elsewhere no more than it."""
    realisations = make_realisations(city(2, 1, 2023), draws(5))
    free = [Recourse(realisations, number).least().x for number in range(5)]
    best = [x[realisations.first] for x in free if x is not None]
    # what the rows of the first stage allow, as all that the master proposes
    shares = np.random.default_rng(0).dirichlet(np.ones(5), size=4)
    points = [best[0], *(shares @ np.stack(best))]
    recourse = Recourse(realisations, 0)
    cuts = [recourse.cut_at(point) for point in points]
    for cut, point in zip(cuts, points, strict=True):
        level = cut.constant + float(cut.slope @ point)
        assert level == pytest.approx(cut.value if cut.finite else level, rel=1e-7)
        for other, there in zip(cuts, points, strict=True):
            if other.finite and cut.finite:
                assert cut.constant + cut.slope @ there <= other.value * (1 + 1e-7)


def contract_town() -> Any:
    """Twenty places at least must be bought, and no more than 30 % of the children's number."""
    sold = school("V", "private", 40, 40, purchasable_places=40, purchase_min_places=20)
    return town(
        children=(100,),
        schools=[school("P", "public", 60, 60), sold],
        policy={
            "private_share_cap": {2022: 0.05},
            "purchase_ceiling_share": 0.3,
            "share_denominator": "residence",
        },
    )


@pytest.mark.parametrize("method", ["extensive", "l-shaped"])
def test_decisions_that_leave_a_future_without_a_plan_are_cut_off(method: str) -> None:
    """In a year of 50 children 15 places may be bought, so that no contract can be signed now."""
    scenario = contract_town()
    base = capsim.project(scenario)
    few = base.pupils.copy()
    few[..., 1:] = 50.0
    realisations = {"few": replace(base, pupils=few), "many": base}
    alone = capsim.optimize(scenario, base, gap=1e-7)
    assert len(alone.tables["purchases"]) == 1
    plan = optimize_two_stage(scenario, realisations, method=method, gap=1e-7)
    assert plan.decisions["contracts"].empty
    table = plan.realisations.set_index("realisation")
    assert table.loc["many", "shortfall"] == pytest.approx(35.0)
    assert table.loc["many", "cost_cny"] == pytest.approx(35 * SHORTFALL_CNY)
    assert table.loc["few", "shortfall"] == pytest.approx(0.0, abs=1e-6)
    made = make_realisations(scenario, realisations)
    signed = np.isin(made.first, formulate(scenario, base).columns.contract)
    assert not Recourse(made, 0).cut_at(np.where(made.whole & signed, 1.0, 0.0)).finite


@pytest.mark.parametrize("method", ["extensive", "l-shaped"])
def test_no_decisions_at_all(method: str) -> None:
    """One realisation asks for more children out of private schools than are in them."""
    asked = {"policy.reduction": 50, "policy.reduction_year": 2022}
    realisations = {"a": contract_town(), "b": contract_town().variant(asked)}
    for found in (
        optimize_two_stage(contract_town(), realisations, method=method),
        optimize_regret(contract_town(), realisations, method=method),
    ):
        assert found.status == "infeasible"
        assert np.isnan(found.objective_cny)
        assert not found.plans
    with pytest.raises(ValueError, match="no decisions leave every realisation a plan"):
        value_of_information(contract_town(), realisations, method=method)


def test_futures_of_other_decisions_are_refused() -> None:
    with pytest.raises(ValueError, match="does not have the decisions of 'a'"):
        make_realisations(city(2, 1, 2023), {"a": city(2, 1, 2023), "b": city(3, 2, 2023)})
