"""Questions whose time is up: nothing hangs, nothing unsolved is taken for an answer."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csc_array

import capsim
from capsim.analysis.infeasibility.diagnosis import TOO_SHORT
from capsim.lp import Builder, parallel_solves
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import NotInTime
from capsim.lp.parallel_solves import until
from capsim.lp.sensitivity import Margin, Margins
from capsim.plan.solver import break_ties
from capsim.workflow import explain_run


@pytest.fixture(scope="module")
def city():
    return capsim.generate(2, 4000, stages=("primary", "junior"), years=(2021, 2023))


@pytest.fixture(scope="module")
def plan(city):
    return capsim.optimize(city, gap=0.01)


def needed():
    """Three units are needed, of which two at most cost 1 and the others 5."""
    m = Builder()
    x = m.variables("x", 2, cost=[1.0, 5.0])
    m.constrain("need", 1, [([0, 0], x, 1.0)], lower=3.0)
    m.constrain("cheap", 1, [(0, x[0], 1.0)], upper=2.0)
    return m.freeze()


QUESTIONS = {
    "optimize": lambda city: capsim.optimize(city, time_limit=0),
    "pareto": lambda city: capsim.pareto(city, time_limit=0),
    "near_optimal": lambda city: capsim.near_optimal(city, time_limit=0),
    "different_plans": lambda city: capsim.different_plans(city, time_limit=0),
    "by priority": lambda city: capsim.optimize_lexicographic(city, time_limit=0),
    "replan": lambda city: capsim.replan(city, "low", time_limit=0),
    "harden": lambda city: capsim.harden(city, draws=8, fresh_draws=8, time_limit=0),
    "two stages": lambda city: capsim.optimize_two_stage(
        city, capsim.project(city, draws=3, seed=1), time_limit=0
    ),
    "explain": lambda city: explain_run(city, time_limit=0),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_where_nothing_is_found_in_time_that_is_said(city, name):
    with pytest.raises(NotInTime):
        QUESTIONS[name](city)


def test_variants_that_were_not_reached_are_unknown(city):
    changes = [{"costs.shortfall_cny": price} for price in (1e5, 2e5)]
    table = capsim.sweep(city, changes, time_limit=0, plans=True)
    assert table["status"].tolist() == ["unknown", "unknown"]
    assert table["objective_cny"].isna().all()
    assert table["plan"].isna().all()


def test_a_slope_not_solved_for_is_the_dual_one_and_never_infinite():
    margins = Margins(needed(), csc_array([[0.0], [-1.0]]))
    assert margins.along(0, 1.0) == Margin(-4.0, 1.0)
    with until(0.0):
        found = margins.along(0, 1.0)
    assert found.slope == -4.0
    assert np.isnan(found.reach)


@pytest.mark.slow
def test_prices_say_what_was_not_reached(plan, monkeypatch):
    whole = plan.prices()
    assert whole.complete
    with pytest.raises(NotInTime, match="not solved in time"):
        plan.prices(time_limit=0)
    # The time ends as soon as the plan's linear program is solved.
    made, late = Margins.__init__, [0.0]

    def ending(self, *arguments):
        made(self, *arguments)
        late[0] = 2000.0

    now = time.perf_counter
    monkeypatch.setattr(Margins, "__init__", ending)
    clock = SimpleNamespace(perf_counter=lambda: now() + late[0])
    monkeypatch.setattr(parallel_solves, "time", clock)
    short = plan.prices(time_limit=1000.0)
    assert not short.complete
    assert not short.table["kind"].isin(["project", "programme"]).any()
    lower = whole.table.set_index(["kind", "area", "county", "stage", "name", "year"])
    for row in short.table.to_dict("records"):
        one = lower.loc[tuple(row[k] for k in lower.index.names)]
        assert one["one_more_cny"] - 1e-3 <= row["one_more_cny"] <= one["one_less_cny"] + 1e-3


def test_ties_stay_as_they_are_where_no_time_is_left(plan):
    with until(0.0):
        kept = break_ties(plan.model, plan.x)
    assert np.array_equal(kept, plan.x)


def test_an_explanation_that_came_short_says_so(city):
    contradictory = city.variant({"policy.private_share_cap": {2022: 0.0}})
    plan = capsim.optimize(contradictory, gap=0.01)
    short = plan.explain(time_limit=0)
    assert short is not None
    assert short.messages[-1] == TOO_SHORT
    assert not any("Without any one" in sentence for sentence in short.sentences)


def test_a_linear_program_has_its_time_anew_at_every_solve():
    highs = Highs(needed(), {"time_limit": 0.05})
    for _ in range(2000):
        highs.begin_at(None)
        assert highs.solve().status == "optimal"
        if highs.raw.getRunTime() > 0.1:
            break
    assert highs.raw.getRunTime() > 0.1
