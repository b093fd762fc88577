"""Purchased places declined and public places refused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cities import without_rules

import capsim
from capsim import ScenarioError
from capsim.plan import Plan, optimize
from capsim.simulation import simulate
from capsim.simulation.data import simulation_data
from capsim.simulation.recourse import draw_parents
from capsim.simulation.run import trial

STAGES = ("primary", "junior")


@cache
def plain() -> Plan:
    years = (2021, 2024)
    made = capsim.generate(6, 60_000, 1, years=years, stages=STAGES, private_share=0.4)
    return optimize(without_rules(made), gap=0.05)


def plan(**settings: float) -> Plan:
    """The same plan; what parents do is not known when it is made."""
    changes = {f"uncertainty.{name}": value for name, value in settings.items()}
    return replace(plain(), scenario=plain().scenario.variant(changes))


def figures(**settings: float):
    return trial(plan(**settings), draws=100, seed=4).figures


def test_by_default_nothing_is_drawn():
    data = simulation_data(plan())
    assert draw_parents(data, 10, 1, 0) is None


def test_without_uncertainty_the_plan_stands():
    parents = {"uptake_mean": 0.8, "uptake_sd": 0.1, "refusal_mean": 0.3, "refusal_sd": 0.1}
    of = plan(**parents)
    cost = simulate(of, draws=1, uncertainty=False).tables["costs"]["mean_cny"].sum()
    assert cost == pytest.approx(of.objective_cny, rel=1e-9)


def test_shares_have_their_mean_and_spread_and_stay_with_the_draw():
    data = simulation_data(plan(uptake_mean=0.8, uptake_sd=0.1))
    blocks = [draw_parents(data, 64, 7, number) for number in range(60)]
    uptake = np.concatenate([block.uptake for block in blocks], axis=1)
    assert uptake.shape == (2, 64 * 60)
    assert uptake.mean() == pytest.approx(0.8, abs=0.01)
    assert uptake.std() == pytest.approx(0.1, abs=0.01)
    assert abs(np.corrcoef(uptake)[0, 1]) < 0.06
    assert (draw_parents(data, 5, 7, 3).uptake == blocks[3].uptake[:, :5]).all()


def test_declined_places_are_not_paid_for():
    """What is paid besides is for children who have no other place."""
    full, half = (simulate(plan(uptake_mean=share), draws=50, seed=4) for share in (1.0, 0.5))
    paid = [
        one.tables["costs"].set_index("kind").loc["purchase", "mean_cny"] for one in (full, half)
    ]
    besides = half.tables["draws"]["purchased_extra"].mean()
    assert full.tables["draws"]["purchased_extra"].sum() == 0
    assert paid[0] > 0
    assert 0 < paid[1] - 0.5 * paid[0] <= 9000 * besides


def test_refused_places_raise_the_private_share():
    means = [figures(refusal_mean=share).excluding[0, -1].mean() for share in (0.0, 0.2, 0.6)]
    assert means[0] < means[1] < means[2]


def test_parents_change_no_demand():
    """The same children come, whoever refuses."""
    some = figures(refusal_mean=0.4, uptake_mean=0.7)
    assert (some.late_places == figures().late_places).all()


@pytest.mark.parametrize("settings", [{"refusal_mean": 0.5}, {"uptake_mean": 0.4}])
def test_every_child_sits_or_is_counted(settings):
    """Children at providers and without a place are the children drawn."""
    from capsim.demand.draws import BLOCK, draw
    from capsim.simulation.evaluation import seat_all
    from capsim.simulation.opening_dates import in_use
    from capsim.simulation.recourse import refuse, take_up
    from capsim.simulation.seating import arrive, pay

    of = plan(**settings)
    data = simulation_data(of)
    children = draw(of.demand.pupils, of.demand.spread, BLOCK, 4)
    ratio = np.moveaxis(children / of.demand.pupils, 0, -1)[:, :, 1:]
    arrivals = tuple(arrive(stage, ratio[:, stage.grades]) for stage in data.stages)
    drawn = data.space.children[..., None] * ratio
    payers = pay(data, arrivals, drawn)
    parents = draw_parents(data, BLOCK, 4, 0)
    payers = take_up(data, payers, parents)
    both = [refuse(*one, parents) for one in zip(data.stages, arrivals, payers, strict=True)]
    arrivals, payers = zip(*both, strict=True)
    openings = data.openings
    copies = in_use(openings.day[:, None], openings.autumns)
    _, seated = seat_all(data, arrivals, payers, copies, drawn, parents)
    for stage, sits in zip(data.stages, seated, strict=True):
        expected = np.moveaxis(children[:, :, stage.grades, 1:], 0, -1).sum((0, 1))
        found = sits.total.sum(0) + sits.shortfall.sum(0)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        np.testing.assert_allclose(sits.pupils.sum(1), sits.total, atol=1e-6)


@pytest.mark.parametrize("key", ["uptake", "refusal"])
def test_a_spread_that_no_share_can_have_is_a_fault(key):
    city = plan().scenario
    with pytest.raises(ScenarioError, match=rf"uncertainty\.{key}_sd: '0.5' where below 0.3"):
        city.variant({f"uncertainty.{key}_mean": 0.9, f"uncertainty.{key}_sd": 0.5})
