"""Bought children move up as bought in the simulation too: who pays follows the grades drawn."""

from __future__ import annotations

import numpy as np
import pytest
from bought_cities import one_grade, two_grades

import capsim
from capsim.simulation import simulate
from capsim.simulation.data import simulation_data
from capsim.simulation.seating import arrive, pay


@pytest.fixture(scope="module")
def plan() -> capsim.Plan:
    return capsim.optimize(two_grades(contract_years=1, purchase_follows_child=True))


@pytest.mark.slow
def test_without_uncertainty_figures_are_the_plans(plan: capsim.Plan) -> None:
    first = capsim.optimize(one_grade(policy={"public_seats_first_km": 0.0}))
    for one in (plan, first):
        outcomes = simulate(one, draws=1, uncertainty=False)
        planned = one.tables["costs"].groupby("kind")["discounted_cny"].sum()
        costs = outcomes.tables["costs"].set_index("kind")
        expected = planned.reindex(costs.index, fill_value=0.0).to_dict()
        for column in costs:
            assert costs[column].to_dict() == pytest.approx(expected, rel=1e-9, abs=1e-9)
        shares = outcomes.tables["shares"].set_index(["county", "school_year"])
        planned_shares = one.tables["shares"].set_index(["county", "school_year"])
        for cell in shares.index:
            for kind in ("excluding", "including"):
                assert shares.loc[cell, f"share_{kind}_p50"] == pytest.approx(
                    planned_shares.loc[cell, f"share_{kind}_purchased"], rel=1e-9, abs=1e-9
                )


def test_payers_follow_their_own_grade(plan: capsim.Plan) -> None:
    """In 2023 grade 8 is a fifth smaller: 24 of its 30 pupils, half of them bought, half paying.

    Grade 7 is as planned, and all its 30 pay. In 2022 grade 7 is smaller and grade 8 is not: of 15
    who are bought there by December 12 are, of 30 of grade 8 all.
    """
    data = simulation_data(plan)
    (stage,) = data.stages
    demand = np.ones((1, 2, 2, 1))
    demand[0, 0, 0] = demand[0, 1, 1] = 0.8
    (payers,) = pay(data, (arrive(stage, demand),), demand * 60.0)
    (v,) = np.flatnonzero(stage.levered)
    assert payers.fee[v, 1, 0] == pytest.approx(30.0 + 12.0)
    assert payers.bought[v, 1, 0] == pytest.approx(12.0)
    assert payers.bought[v, 0, 0] == pytest.approx(0.0, abs=1e-9)
    assert payers.bought_december[v, 0, 0] == pytest.approx(12.0 + 30.0)
    assert payers.fee_december[v, 0, 0] == pytest.approx(12.0)
