"""More or fewer children than planned: quotas, contracts, ceilings, and who gains."""

from functools import cache

import hand_plan
import numpy as np
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from capsim.simulation.data import simulation_data
from capsim.simulation.opening_dates import in_use
from capsim.simulation.seating import arrive, large_share, pay, seat

P = {name: number for number, name in enumerate(hand_plan.SCHOOLS)}


@cache
def as_planned():
    return simulation_data(hand_plan.plan())


def seated(ratio, opening="2023-09-01", plan=None):
    """Seat one draw with demand `ratio` [area, grade, year] times the plan's."""
    data = simulation_data(plan) if plan else as_planned()
    stage = data.stages[0]
    children = data.space.children[..., None] * ratio[..., None]
    come = arrive(stage, np.broadcast_to(ratio[..., None], (3, 2, 3, 1)))
    payers = pay(data, (come,), children)[0]
    own = (stage.places[:, None] * (stage.public[:, None] | stage.converted))[..., None]
    day = np.array([[opening]], "datetime64[D]").astype(int)
    planned, now = own.copy(), own.copy()
    planned[P["newA"]] += 40 * in_use(data.openings.day[:, None], data.openings.autumns)[0]
    now[P["newA"]] += 40 * in_use(day, data.openings.autumns)[0]
    return data, come, payers, seat(data, stage, come, payers, now, planned), children


def everywhere(factor):
    return np.full((3, 2, 3), factor)


def test_more_children_private_schools_keep_their_quota_and_sell_up_to_their_contract():
    _, _, payers, sits, _ = seated(everywhere(1.1))
    private = P["privA"]
    assert payers.fee[private, :, 0] == pytest.approx([30, 10, 10])
    # 10 % more than 20 sold, 24 for sale; in 2022 the school is full with 30 + 20.
    assert payers.bought[private, :, 0] == pytest.approx([20, 22, 22])
    assert sits.total[private, :, 0] == pytest.approx([50, 32, 32])
    # 2023, pool A: 156 · 1.1 planned; public ones take what the private school leaves.
    public = sits.total[[P["pubA"], P["newA"], P["pubB"], P["convB"]], 1, 0].sum()
    assert public == pytest.approx(240 * 1.1 - 32)


def test_a_contract_grows_to_what_it_sells_and_no_further():
    _, _, payers, _, _ = seated(everywhere(1.5))
    assert payers.bought[P["privA"], :, 0] == pytest.approx([20, 24, 24])


def test_the_ceiling_of_purchases_grows_with_the_children_only():
    plan = hand_plan.plan(changes={"policy.purchase_ceiling_share": 20 / 320})
    _, _, payers, _, _ = seated(everywhere(1.1), plan=plan)
    assert payers.bought[P["privA"], 1, 0] == pytest.approx(22)
    ratio = everywhere(1.0)
    ratio[0] = 1.1
    _, _, payers, _, _ = seated(ratio, plan=plan)
    assert payers.bought[P["privA"], 1, 0] == pytest.approx(20 * (320 + 16) / 320)


def test_a_countys_limit_on_purchases_holds():
    limits = hand_plan.rows("county kind year amount", ("X", "purchase", 2023, 21.0))
    plan = hand_plan.plan(tables={"limits": limits})
    _, _, payers, _, _ = seated(everywhere(1.1), plan=plan)
    assert payers.bought[P["privA"], :, 0] == pytest.approx([20, 21, 22])


def test_fewer_children_everyone_shrinks_and_the_unplaced_gain_first():
    _, _, payers, sits, _ = seated(everywhere(0.97))
    assert payers.fee[P["privA"], :, 0] == pytest.approx(np.array([30, 10, 10]) * 0.97)
    # C, grade 1, 2022: 42 planned with two lacking; of 40.74 all but 0.74 sit.
    assert sits.shortfall[2, :, 0] == pytest.approx([0.74, 0, 0])
    assert sits.pupils[P["pubC"], :, 0, 0] == pytest.approx([40, 40 * 0.97])
    _, _, _, sits, _ = seated(everywhere(0.9))
    assert sits.shortfall.sum() == pytest.approx(0)


def test_more_children_overfill_up_to_the_ceiling():
    """In 2022 pubA is planned above its seats; the plan's over-filling stays before others'."""
    _, _, _, sits, _ = seated(everywhere(1.1))
    # X has 264 children in 2022: 50 + 20 stay private, 194 in public; ceiling 125 + 75 = 200.
    assert sits.total[[P["pubA"], P["pubB"]], 0, 0].sum() == pytest.approx(194)
    assert sits.shortfall[:2, 0, 0].sum() == pytest.approx(0)
    _, _, _, sits, _ = seated(everywhere(1.2))
    assert sits.shortfall[:2, 0, 0].sum() == pytest.approx(240 * 1.2 - 70 - 200)


factors = st.lists(st.floats(0.5, 2.0), min_size=18, max_size=18).map(
    lambda values: np.array(values).reshape(3, 2, 3)
)
dates = st.sampled_from(["2023-09-01", "2024-03-01", "2026-01-01"])


@settings(max_examples=60)
@over(factors, dates)
def test_nobody_is_lost_and_no_limit_is_passed(ratio, opening):
    data, _, payers, sits, children = seated(ratio, opening)
    stage = data.stages[0]
    total = sits.total.sum(0) + sits.shortfall.sum(0)
    assert total == pytest.approx(children.sum((0, 1)), rel=1e-9)
    assert sits.pupils.sum(1) == pytest.approx(sits.total, rel=1e-9, abs=1e-9)
    assert (sits.pupils >= 0).all()
    assert (sits.shortfall >= 0).all()
    public = stage.public[:, None] | stage.settled
    ceiling = np.where(public[..., None], 1.25 * sits.seats, np.inf)
    assert (sits.total <= ceiling + 1e-9).all()
    assert (payers.fee <= stage.fee[..., None] + 1e-9).all()
    assert (sits.total[P["privA"]] <= 50 + 1e-9).all()
    assert (payers.bought <= np.maximum(stage.sellable, stage.bought)[..., None] + 1e-9).all()


@settings(max_examples=40)
@over(factors)
def test_lateness_never_helps(ratio):
    _, _, _, ready, _ = seated(ratio)
    _, _, _, late, _ = seated(ratio, "2026-01-01")
    assert late.shortfall.sum() >= ready.shortfall.sum() - 1e-9
    both = [sits.shortfall.sum() + sits.overfilled.sum() for sits in (ready, late)]
    assert both[1] >= both[0] - 1e-9


@settings(max_examples=40)
@over(st.floats(20.0, 55.0), st.floats(20.0, 55.0))
def test_large_share_is_convex_and_rises(one, other):
    low, high = sorted((one, other))
    share = large_share(np.array([low, (low + high) / 2, high]), 56, 5.0)
    assert share[0] <= share[1] <= share[2]
    assert share[1] <= (share[0] + share[2]) / 2 + 1e-12
