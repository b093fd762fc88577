"""Purchases as recourse: what contracts can still sell, under ceilings and money, last of all."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import hand_plan
import numpy as np
import pandas as pd
import pytest
from cities import without_rules
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

import capsim
from capsim.demand.draws import draw
from capsim.simulation import simulate
from capsim.simulation.data import SimulationData, simulation_data
from capsim.simulation.evaluation import seat_all
from capsim.simulation.opening_dates import in_use
from capsim.simulation.recourse import more_spent
from capsim.simulation.seating import arrive, by_group, ceilings, pay

P = {name: number for number, name in enumerate(hand_plan.SCHOOLS)}
STAGES = ("primary", "junior")


def seated(data: SimulationData, ratio: np.ndarray, day: int | None = None):
    """Payers before and after, seats and children of draws ``ratio [area, grade, year, draw]``."""
    children = data.space.children[..., None] * ratio
    come = tuple(arrive(stage, ratio[:, stage.grades]) for stage in data.stages)
    before = pay(data, come, children)
    opening = data.openings.day[:, None] if day is None else np.full((1, 1), day)
    copies = in_use(opening, data.openings.autumns)
    copies = np.broadcast_to(copies, (*copies.shape[:2], ratio.shape[-1]))
    after, sits = seat_all(data, come, before, copies, children, None)
    return children, before, after, sits


@cache
def tight(**changes: float) -> SimulationData:
    """The plan by hand with standard classes only: who finds no seat is bought one."""
    return simulation_data(
        hand_plan.plan(changes={"standards.primary.class_ceiling": 40, **changes})
    )


def limited(kind: str, amount: float, county: str = "X") -> SimulationData:
    limits = hand_plan.rows("county kind year amount", (county, kind, 2023, amount))
    changes = {"standards.primary.class_ceiling": 40}
    plan = hand_plan.plan(changes=changes, tables={"limits": limits})
    if kind == "recurrent":
        # What the plan spends in county X in 2023: allowances, upkeep, teachers, purchases.
        spent = 650 * 210 + 1000 + 8e5 + 7e4 * 2.5 + 20 * 5000
        costs = hand_plan.rows(
            "kind county school_year cost_cny discounted_cny", ("running", "X", 2023, spent, spent)
        )
        plan = replace(plan, tables={**plan.tables, "costs": costs})
    return simulation_data(plan)


LATE = int(np.datetime64("2023-11-01").astype(int))
SPENT = 650 * 210 + 1000 + 8e5 + 7e4 * 2.5 + 20 * 5000
#: late by two months: of 36 children 10 find slack and 6 seats of the school just converted; 20
#: fewer public pupils need one teacher less
FREED = 650 * 20 + 7e4 * 20 / 20


@pytest.mark.parametrize(
    ("data", "bought"),
    [
        (tight(), 4),
        (limited("purchase", 23.0), 3),
        (limited("purchase", 22.5, "*"), 2.5),
        (limited("purchase", 19.0), 0),
        (limited("recurrent", SPENT - FREED + 10_000), 2),
        (limited("recurrent", SPENT - FREED + 90_000, "*"), 4),
        (limited("recurrent", SPENT - FREED - 1), 0),
    ],
)
def test_a_contract_grows_to_what_it_sells_and_to_what_ceilings_and_money_leave(data, bought):
    """privA sells 24 places at 5,000 RMB, of which the plan buys 20."""
    _, _, payers, sits = seated(data, np.ones((3, 2, 3, 1)), LATE)
    assert payers[0].bought[P["privA"], 1, 0] == pytest.approx(20 + bought)
    assert payers[0].bought_december[P["privA"], 1, 0] == pytest.approx(20 + bought)
    assert sits[0].redirected[2, 0, 1, 0] == pytest.approx(bought)
    assert sits[0].shortfall[:2, 1, 0].sum() == pytest.approx(20 - bought)
    assert sits[0].total[P["privA"], 1, 0] == pytest.approx(30 + bought)


def test_slack_and_overfilling_come_first():
    data = simulation_data(hand_plan.plan())
    _, _, payers, sits = seated(data, np.ones((3, 2, 3, 1)), LATE)
    assert sits[0].redirected[:, 0, 1, 0].tolist() == pytest.approx([10, 26, 0])
    assert payers[0].bought[P["privA"], 1, 0] == pytest.approx(20)


def test_a_school_being_phased_out_takes_nobody_new():
    plan = hand_plan.plan(changes={"standards.primary.class_ceiling": 40})
    ends = hand_plan.rows("school stage how from_year", ("privA", "primary", "phase_out", 2023))
    data = simulation_data(replace(plan, tables={**plan.tables, "closures": ends}))
    _, _, payers, _ = seated(data, np.ones((3, 2, 3, 1)), LATE)
    assert payers[0].bought[P["privA"], 1, 0] == pytest.approx(20)


@pytest.mark.parametrize(("changes", "more"), [({}, 4), ({"policy.intake_rise_share": 0.0}, 0)])
def test_a_school_run_down_takes_nobody_new_where_its_intake_stays_ended(changes, more):
    plan = hand_plan.plan(changes={"standards.primary.class_ceiling": 40, **changes})
    ends = hand_plan.rows("school stage how from_year", ("privA", "primary", "run_down", 2023))
    data = simulation_data(replace(plan, tables={**plan.tables, "closures": ends}))
    _, _, payers, _ = seated(data, np.ones((3, 2, 3, 1)), LATE)
    assert payers[0].bought[P["privA"], 1, 0] == pytest.approx(20 + more)


def test_without_uncertainty_nothing_is_found_elsewhere():
    out = simulate(hand_plan.plan(), draws=2, uncertainty=False)
    assert (out.tables["recourse"][["mean", "p95", "probability"]] == 0).all(axis=None)
    assert (out.tables["draws"]["purchased_extra"] == 0).all()


def test_places_bought_so_count_as_private_where_purchased_places_do():
    changes = {"standards.primary.class_ceiling": 40, "policy.purchased_counts_as_private": True}
    plan = hand_plan.plan(changes=changes)
    late = np.array([["2023-11-01"]], "datetime64[D]")
    out = simulate(plan, draws=1, uncertainty=False, openings=late).tables["targets"]
    assert out.set_index("id").loc["share-2023", "mean"] == pytest.approx(34 / 304)


factors = st.lists(st.floats(0.5, 2.0), min_size=18, max_size=18).map(
    lambda values: np.array(values).reshape(3, 2, 3, 1)
)


@settings(max_examples=60)
@over(factors, st.sampled_from([LATE - 61, LATE, LATE + 800]))
def test_nobody_waits_where_a_contract_has_room(ratio, day):
    data = tight()
    stage = data.stages[0]
    children, _, payers, sits = seated(data, ratio, day)
    assert sits[0].total.sum(0) + sits[0].shortfall.sum(0) == pytest.approx(
        children.sum((0, 1)), rel=1e-9
    )
    assert sits[0].pupils.sum(1) == pytest.approx(sits[0].total, rel=1e-9, abs=1e-9)
    bought, fee = payers[0].bought, payers[0].fee
    most = np.minimum(stage.sellable[..., None], stage.capacity[..., None] - fee)
    most = np.maximum(most, stage.bought[..., None])
    assert (bought <= most + 1e-9).all()
    room = (most - bought)[P["privA"]]
    waiting = sits[0].waiting[:2].sum((0, 1))
    assert (np.minimum(room, waiting) < 1e-6).all()
    private = sits[0].total[P["privA"]]
    assert private == pytest.approx((fee + bought)[P["privA"]], rel=1e-9)


@cache
def city() -> tuple[capsim.Scenario, capsim.Plan]:
    made = without_rules(capsim.generate(8, 120_000, years=(2021, 2024), stages=STAGES, seed=1))
    return made, capsim.optimize(made, gap=0.05)


def limit_purchases(scope: str) -> capsim.Scenario:
    """Few places may be bought beyond the plan's: in every county, or in the whole."""
    made, plan = city()
    if not scope:
        return made
    bought = plan.tables["purchases"].rename(columns={"school_year": "year"})
    bought = bought.assign(county=bought["county"] if scope == "county" else scope)
    most = bought.groupby(["county", "year"])["places_december"].sum().reset_index()
    most = most.assign(kind="purchase", amount=1.06 * most["places_december"] + 3.0)
    limits = made.table("limits")
    limits = [limits[limits["kind"] != "purchase"], most.drop(columns="places_december")]
    return made.variant(tables={"limits": pd.concat(limits, ignore_index=True)})


@pytest.mark.parametrize("scope", ["", "county", "*"])
def test_ceilings_hold_and_are_used_up_while_children_wait(scope):
    """Counties share the ceiling of the whole; in none does a child wait for nothing."""
    _, plan = city()
    data = simulation_data(replace(plan, scenario=limit_purchases(scope)))
    counties = len(data.space.counties)
    children = draw(plan.demand.pupils, plan.demand.spread, 48, 4)
    ratio = 1.2 * np.moveaxis(children / plan.demand.pupils, 0, -1)[:, :, 1:]
    children, before, payers, sits = seated(data, ratio)
    county, whole = ceilings(data, children)
    bought = np.zeros((counties, *whole.shape))
    more, waiting = bought.copy(), bought.copy()
    for stage, payer, old, one in zip(data.stages, payers, before, sits, strict=True):
        seats = stage.capacity[..., None] - payer.fee - payer.bought
        sold = stage.extendable[..., None] - payer.bought_december
        assert (np.minimum(seats, sold)[stage.extendable > 0] > -1e-6).all()
        free = np.maximum(np.minimum(seats, sold), 0.0)
        for out, value in ((bought, payer.bought_december), (more, payer.bought - old.bought)):
            out += by_group(value, stage.county, counties)
        each = by_group(free, stage.county, counties)
        wait = by_group(one.waiting.sum(1), data.space.county, counties)
        waiting += np.minimum(each, wait)
        total = one.total.sum(0) + one.shortfall.sum(0)
        np.testing.assert_allclose(total, children[:, stage.grades].sum((0, 1)), rtol=1e-9)
        np.testing.assert_allclose(one.pupils.sum(1), one.total, atol=1e-6)
    assert more.sum() > 5
    assert (bought <= np.maximum(county, 0) + 1e-6).all()
    assert (bought.sum(0) <= whole + 1e-6).all()
    used_up = (bought >= county - 1e-6) | (bought.sum(0) >= whole - 1e-6)
    assert ((waiting < 1e-6) | used_up).all()
    assert (waiting > 1).any() == bool(scope)


def test_more_spent_is_what_changes_beyond_the_plan():
    """As planned nothing; with late seats fewer public pupils and contract teachers."""
    data = tight()
    for day, expected in ((None, [0, 0, 0]), (LATE, [0, -FREED + 4 * 5000, 0])):
        _, _, payers, sits = seated(data, np.ones((3, 2, 3, 1)), day)
        assert more_spent(data, payers, sits)[0, :, 0] == pytest.approx(expected, abs=1e-6)
