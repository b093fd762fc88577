"""Draws: the same bytes with any executor, common to plans, and what tables make of them."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import hand_plan
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from capsim.demand.draws import draw
from capsim.simulation import simulate
from capsim.simulation.data import simulation_data
from capsim.simulation.evaluation import figures_of
from capsim.simulation.outcomes import wilson
from capsim.simulation.run import simulated_targets

DRAWS = 70


def same(one, other):
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)


@pytest.fixture(scope="module")
def plan():
    return hand_plan.plan(sd=0.04)


@pytest.fixture(scope="module")
def outcomes(plan):
    return simulate(plan, draws=DRAWS, seed=3)


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_give_the_same_bytes(plan, outcomes, workers):
    with ThreadPoolExecutor(workers) as pool:
        same(outcomes, simulate(plan, draws=DRAWS, seed=3, executor=pool))


@pytest.mark.slow
def test_processes_give_the_same_bytes(plan, outcomes):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        same(outcomes, simulate(plan, draws=DRAWS, seed=3, executor=pool))


def test_a_draw_does_not_depend_on_how_many_there_are(plan, outcomes):
    fewer = simulate(plan, draws=40, seed=3).tables["draws"]
    pd.testing.assert_frame_equal(fewer, outcomes.tables["draws"].head(40), check_exact=True)


def test_another_seed_gives_other_draws(plan, outcomes):
    other = simulate(plan, draws=DRAWS, seed=4).tables["draws"]["cost_cny"]
    assert (other != outcomes.tables["draws"]["cost_cny"]).all()


def test_what_is_paid_leaves_out_the_price_of_children_without_a_place(outcomes):
    draws, kinds = outcomes.tables["draws"], outcomes.tables["costs"].set_index("kind")["mean_cny"]
    assert kinds["shortfall"] > 0
    assert draws["paid_cny"].mean() == pytest.approx(kinds.drop("shortfall").sum(), rel=1e-12)


def test_plans_of_a_demand_meet_the_same_children(plan):
    """Class sizes of county Y differ only by the seats that one plan has more."""
    schools = plan.scenario.table("schools")
    schools.loc[schools["school"] == "pubC", "places"] = 180.0
    bigger = hand_plan.plan(0.04, tables={"schools": schools})
    sizes = [
        simulate(one, draws=8, seed=1).tables["class_size"].query("county == 'Y'")
        for one in (plan, bigger)
    ]
    assert sizes[0]["p95"].to_numpy() == pytest.approx(2 * sizes[1]["p95"].to_numpy())


def test_demand_is_that_of_the_projection(plan, outcomes):
    """Children of county Y have no way out: what is lacking there follows from the draw alone."""
    demand = plan.demand
    children = draw(demand.pupils, demand.spread, DRAWS, 3)[:, 2, :, 1:]
    first = children[:, 0, 0]
    r = first / 42
    come = np.where(r < 1, np.minimum(first, 40), first - 2 * r) + children[:, 1, 0]
    lacking = np.maximum(first + children[:, 1, 0] - come, 0)
    short = lacking + np.maximum(come - 90 * 1.25, 0)
    cell = outcomes.tables["shortfall"].query("area == 'C' and school_year == 2022").iloc[0]
    assert cell["mean"] == pytest.approx(short.mean())
    assert cell["p95"] == pytest.approx(np.quantile(short, 0.95))
    assert cell["probability"] == np.mean(short >= 0.5)


def test_quantiles_and_probabilities_agree_with_the_draws(outcomes):
    each = outcomes.tables["draws"]
    targets = outcomes.tables["targets"].set_index("id")
    assert targets.loc["share-2023", "p50"] == pytest.approx(each["share-2023"].median())
    assert targets.loc["share-2023", "probability"] == (each["share-2023"] <= 0.05 + 1e-6).mean()
    assert targets.loc["reduction", "probability"] == (each["reduction"] >= 60 * (1 - 1e-6)).mean()
    assert outcomes.summary["cost_mean_cny"] == pytest.approx(
        outcomes.tables["costs"]["mean_cny"].sum()
    )
    assert outcomes.summary["probability"]["reduction"] == targets.loc["reduction", "probability"]


def test_quotas_make_the_reduction_sure(outcomes):
    assert outcomes.tables["targets"].set_index("id").loc["reduction", "probability"] == 1


@pytest.mark.parametrize(("hits", "draws"), [(0, 10), (3, 10), (950, 1000), (1000, 1000)])
def test_wilson_is_scipys(hits, draws):
    expected = binomtest(hits, draws).proportion_ci(0.95, method="wilson")
    assert wilson(hits, draws) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_draws_of_a_block_know_nothing_of_each_other(plan):
    """Each draw and opening date seated alone gives its own row of the block."""
    dates = np.array(["2023-09-01", "2023-10-01", "2024-10-01"], "datetime64[D]")[:, None]
    block = simulate(plan, draws=40, seed=5, openings=dates)
    data = simulation_data(plan)
    targets = simulated_targets(plan)
    children = draw(plan.demand.pupils, plan.demand.spread, 40, 5)
    ratio = np.moveaxis(children / plan.demand.pupils, 0, -1)[:, :, 1:]
    for number in (0, 1, 2, 38):
        one = figures_of(data, targets, ratio[..., [number]], dates[[number % 3]].astype(int))
        row = block.tables["draws"].iloc[number]
        assert one.cost_cny.sum() == pytest.approx(row["cost_cny"], rel=1e-12)
        assert one.overfilled.sum() == pytest.approx(row["overfilled"], rel=1e-9)
