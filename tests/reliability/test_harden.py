"""Plans that hold with a probability: margins, rows, the loop and its explanation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from cities import without_rules

import capsim
from capsim.lp.options_and_result import SolveOptions
from capsim.model.model import formulate
from capsim.plan import Plan, optimize
from capsim.plan.targets import make_target
from capsim.reliability.margins import Need, Safety, counted_from, kept, margins, reserves
from capsim.reliability.reserve_rows import tighten, with_reserves
from capsim.reliability.search import bracket, extrapolated_part, interpolated_part
from capsim.reliability.trial import Search, closed_after
from capsim.scenario import Scenario
from capsim.simulation.run import trial

GAP = 0.002
SHARE = make_target("share-2022", "2022-12-31", 0.05)


@cache
def city() -> Scenario:
    stages = ("primary", "junior")
    return without_rules(capsim.generate(6, 120_000, years=(2021, 2023), stages=stages, seed=0))


@cache
def plain() -> Plan:
    return optimize(city(), gap=GAP)


@cache
def hardened() -> capsim.Hardened:
    return capsim.harden(
        city(), probability=0.9, plain=plain(), draws=256, fresh_draws=1024, gap=GAP, seed=3
    )


def test_a_hardened_plan_has_prices_of_the_scenario_itself():
    plan = hardened().plan
    assert len(plan.solution.x) == len(plan.model.program.lower)
    assert len(plan.prices(["cap"]).table)


def need(seats, spare, targets=None, slack=None) -> Need:
    draws = np.shape(seats)[-1]
    return Need(
        seats=np.array(seats, float),
        spare=np.array(spare, float),
        targets=np.zeros((0, draws)) if targets is None else np.array(targets, float),
        slack=np.zeros(0) if slack is None else np.array(slack, float),
    )


OPEN = np.zeros((1, 1), bool)


def test_the_draws_that_ask_for_most_are_set_aside():
    found = need([[[5.0, 1.0, 9.0, 3.0]]], [[2.0]])
    assert kept(found, 0.5, OPEN).tolist() == [False, True, False, True]
    assert kept(found, 0.75, OPEN).tolist() == [True, True, False, True]
    seats, _ = margins(found, 0.75, 0.0, OPEN)
    assert seats.tolist() == [[5.0]]
    seats, _ = margins(found, 0.75, 2.0, OPEN)
    assert seats[0, 0] == pytest.approx(5.0 + 2 * np.std([5, 1, 9, 3]))


def test_what_a_plan_has_to_spare_does_not_count_against_a_draw():
    """In the second group every draw fits: only the first one decides."""
    found = need([[[4.0, 0.0, 1.0]], [[0.0, 90.0, 50.0]]], [[0.0], [100.0]])
    assert kept(found, 0.6, np.zeros((2, 1), bool)).tolist() == [False, True, True]


def test_a_draw_that_misses_a_target_is_set_aside_too():
    found = need([[[0.0, 0.0, 0.0]]], [[1.0]], [[0.01, 0.05, 0.0]], [0.02])
    assert kept(found, 0.6, OPEN).tolist() == [True, False, True]
    assert margins(found, 0.6, 0.0, OPEN)[1].tolist() == [0.01]


def test_where_nothing_more_can_be_had_the_margin_is_what_there_is():
    found = need([[[7.0, 1.0, 2.0]], [[0.0, 3.0, 9.0]]], [[1.5], [5.0]])
    closed = np.array([[True], [False]])
    assert kept(found, 1 / 3, closed).tolist() == [False, True, False]
    assert margins(found, 1.0, 0.0, closed)[0].tolist() == [[1.5], [9.0]]


def test_margins_are_never_below_nothing():
    assert margins(need([[[-3.0, -1.0]]], [[0.0]]), 1.0, 0.0, OPEN)[0].tolist() == [[0.0]]


def test_a_group_closes_where_a_plan_lacks_what_was_asked_of_it():
    missing = np.array([[526.0, 0.0], [0.4, 7.0]])
    first = closed_after(None, missing)
    assert not first.any()
    assert closed_after(first, missing).tolist() == [[True, False], [False, True]]
    assert closed_after(np.array([[False, True], [False, False]]), missing)[0].all()


def as_planned(city: Scenario, check: int) -> np.ndarray:
    model = formulate(city)
    dates = model.given.dates
    autumn = np.append(dates.autumn, dates.count)
    return np.tile(np.searchsorted(autumn, np.arange(dates.count)), (check, 1))


def test_without_margins_the_rows_forbid_nothing():
    """A plan of the model always has as many places as it seats children."""
    model = formulate(city())
    run = trial(plain(), draws=1, seed=0, uncertainty=False)
    counted = as_planned(city(), len(model.given.projects.project))
    none = Safety(counted, np.zeros(run.figures.demanded.shape[:2]), ((SHARE, 0.0),))
    again = optimize(tighten(model, run.data, none), relax=True)
    free = optimize(model, relax=True)
    assert again.objective_cny == pytest.approx(free.objective_cny, rel=1e-7)


def test_rows_keep_the_places_free_that_are_asked_for():
    model = formulate(city())
    run = trial(plain(), draws=1, seed=0, uncertainty=False)
    counted = as_planned(city(), len(model.given.projects.project))
    spare = (run.figures.room - run.figures.demanded)[..., 0]
    asked = np.maximum(spare, 0.0) + 25.0
    tight = tighten(model, run.data, Safety(counted, asked, ()))
    plan = optimize(tight, gap=GAP)
    after = trial(plan, draws=1, seed=0, uncertainty=False)
    free = (after.figures.room - after.figures.demanded)[..., 0]
    assert (free >= asked - 1e-6).mean() > 0.9
    dearer = optimize(tight, relax=True).objective_cny - optimize(model, relax=True).objective_cny
    assert dearer > 1e5


def test_a_margin_of_a_share_lowers_it():
    model = formulate(city())
    run = trial(plain(), draws=1, seed=0, uncertainty=False)
    counted = as_planned(city(), len(model.given.projects.project))
    targets = plain().tables["targets"].set_index("id")
    margin = 0.004 + targets.loc["share-2023", "required"] - targets.loc["share-2023", "achieved"]
    none = np.zeros(run.figures.demanded.shape[:2])
    share = make_target("share-2023", "2023-12-31", 0.05)
    safety = Safety(counted, none, ((share, float(margin)),))
    plan = optimize(tighten(model, run.data, safety), gap=GAP)
    after = plan.tables["targets"].set_index("id")
    assert after.loc["share-2023", "achieved"] == pytest.approx(
        targets.loc["share-2023", "required"] - margin, abs=2e-4
    )


@cache
def contracts() -> tuple[Scenario, Plan]:
    """A city that hires few teachers: what it lacks it buys, and can buy more."""
    made = city().variant({"costs.overfill_cny": 60_000.0})
    return made, optimize(made, gap=GAP)


@pytest.mark.parametrize("scope", ["", "*", "county"])
def test_contracts_are_counted_on_within_their_ceilings(scope):
    """Where margins are all found, the simulation finds the same places in the plan's contracts."""
    made, plan = contracts()
    if scope:
        bought = plan.tables["purchases"].rename(columns={"school_year": "year"})
        bought = bought.assign(county=bought["county"] if scope == "county" else scope)
        most = bought.groupby(["county", "year"])["places_december"].sum().reset_index()
        most = most.assign(kind="purchase", amount=1.02 * most["places_december"] + 40.0)
        limits = made.table("limits")
        limits = [limits[limits["kind"] != "purchase"], most.drop(columns="places_december")]
        made = made.variant(tables={"limits": pd.concat(limits, ignore_index=True)})
    model = formulate(made)
    run = trial(plan, draws=1, seed=0, uncertainty=False)
    counted = as_planned(made, len(model.given.projects.project))
    spare = (run.figures.room - run.figures.demanded)[..., 0]
    tight = tighten(model, run.data, Safety(counted, np.maximum(spare, 0.0) + 60.0, ()))
    found = optimize(tight, gap=GAP)
    assert capsim.certify(made, found).holds()
    after = trial(found, draws=1, seed=0, uncertainty=False)
    room = (after.figures.room - after.figures.demanded)[..., 0]
    free, kept_free = reserves(after.data, np.maximum(spare, 0.0) + 60.0 - room)
    assert free.sum() > 0
    assert (kept_free <= free + 1e-9).all()
    short = np.maximum(np.maximum(spare, 0.0) + 60.0 - (room - free + kept_free), 0.0)
    assert (short < 1e-6).mean() > 0.9
    bought = found.tables["purchases"].groupby("school_year")["places_december"].sum()
    if scope == "*":
        assert (kept_free.sum(0) + bought.to_numpy() <= after.data.purchase_limit[-1] + 1e-6).all()


def test_a_reserve_uses_up_what_a_purchase_would():
    """Room that contracts bring costs less than room that must be built."""
    made, plan = contracts()
    model = formulate(made)
    run = trial(plan, draws=1, seed=0, uncertainty=False)
    counted = as_planned(made, len(model.given.projects.project))
    spare = (run.figures.room - run.figures.demanded)[..., 0]
    safety = Safety(counted, np.maximum(spare, 0.0) + 100.0, ())
    tight = tighten(model, run.data, safety)
    program = tight.program
    at = np.concatenate(
        [np.arange(b.start, b.start + b.count) for b in program.columns if b.name == "reserve"]
    )
    assert len(at)
    without = replace(
        program, upper=np.where(np.isin(np.arange(len(program.cost)), at), 0.0, program.upper)
    )
    costs = [
        optimize(tight.with_program(one), relax=True).objective_cny for one in (program, without)
    ]
    assert costs[0] < costs[1] - 1e4


@pytest.mark.parametrize("rise", [None, 0.0])
def test_no_reserve_is_counted_on_where_an_intake_has_ended(rise):
    """A school of so many grades is sent no more than it admits, in each."""
    model = formulate(city().variant({"policy.intake_rise_share": rise}))
    program, reserve = with_reserves(model)
    rows = program.rows_of("reserve.intake")
    assert len(rows) == (0 if rise is None else reserve.exists.sum())
    x = np.ones(len(program.cost))
    activity = (program.matrix @ x)[rows]
    grades = {6: 1 - 6, 3: 1 - 3}  # of the primary and the junior stage
    assert set(activity.round(6).tolist()) <= set(grades.values())


def tried(cost: float, hits: int, draws: int = 1000) -> SimpleNamespace:
    """A plan tried, as far as the search looks at it: all targets hold in `hits` of draws."""
    plan = SimpleNamespace(objective_cny=cost)
    return SimpleNamespace(plan=plan, holds=np.arange(draws) < hits)


def test_the_search_closes_in_on_the_cheapest_plan_that_is_safe_enough():
    steps = [tried(0, 10), tried(50, 700), tried(90, 990), tried(70, 985), tried(80, 800)]
    safe, below = bracket(steps, 0.95)
    assert (safe, below) == (steps[3], steps[1])
    assert bracket(steps[:2], 0.95) == (None, None)
    assert bracket([tried(5, 1000)], 0.95)[1] is None


def test_how_much_of_the_margin_is_tried_next():
    """Quantiles of the normal: from 2.3 % to 97.7 % (-2 to 2), 84.1 % lies three quarters up."""
    search = Search((), 0.8413, 1000, 10**9, 0, SolveOptions(), lambda text: None)
    low, high = tried(0, 2275, 100_000), tried(1, 97725, 100_000)
    assert interpolated_part(search, high, low) == pytest.approx(0.75, abs=1e-3)
    assert interpolated_part(search, tried(1, 84200, 100_000), low) == 0.9


def test_near_what_is_asked_margins_go_part_of_the_last_step_further():
    """From 80 % to 87 % the normal quantile rises by 0.2848, from there to 90 % by 0.1551."""
    search = Search((), 0.9, 1000, 10**9, 0, SolveOptions(), lambda text: None)
    low, near = tried(0, 80_000, 100_000), safe_by(tried(1, 87_000, 100_000))
    part = extrapolated_part(search, [low, near])
    assert part == pytest.approx(0.1551 / 0.2848, abs=2e-3)
    assert extrapolated_part(search, [near]) is None
    assert extrapolated_part(search, [low, safe_by(tried(1, 86_900, 100_000))]) is None
    worse = safe_by(tried(2, 87_000, 100_000))
    assert extrapolated_part(search, [near, worse]) is None


def safe_by(step: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(step), "safety": SAFETY})


SAFETY = Safety(np.zeros((1, 1), int), np.array([[10.0, 4.0]]), ((SHARE, 0.02),))


def test_margins_wider_by_part_of_the_last_step_are_nowhere_less():
    other = Safety(SAFETY.counted, np.array([[6.0, 8.0]]), ((SHARE, 0.03),))
    wider = SAFETY.beyond(other, 0.5)
    assert wider.seats.tolist() == [[12.0, 4.0]]
    assert wider.targets == ((SHARE, 0.02),)
    assert SAFETY.beyond(None, 0.5).seats.tolist() == [[15.0, 6.0]]


def test_margins_part_of_the_way_to_others():
    other = Safety(SAFETY.counted, np.array([[0.0, 8.0]]), ())
    assert SAFETY.towards(other, 0.25).seats.tolist() == [[7.5, 5.0]]
    half = SAFETY.towards(None, 0.5)
    assert half.seats.tolist() == [[5.0, 2.0]]
    assert half.targets == ((SHARE, 0.01),)


def test_a_curve_begins_each_search_where_the_last_one_ended():
    curve = capsim.safety_curve(
        city(), [0.8, 0.9], plain=plain(), draws=256, fresh_draws=512, gap=GAP, seed=3, rounds=3
    )
    assert curve["asked"].tolist() == [0.0, 0.8, 0.9]
    assert (curve["extra_cny"].diff().dropna() >= 0).all()
    assert (curve["low"][1:] >= curve["asked"][1:]).all()
    assert curve["extra_cny"][0] == 0


def test_seats_count_when_the_project_is_sure_enough():
    model = formulate(city())
    dates, projects = model.given.dates, model.given.projects
    loose = counted_from(model.given, 0.05, 100, 0)
    strict = counted_from(model.given, 0.99, 100, 0)
    assert (np.diff(strict, axis=1) >= 0).all()
    assert (strict >= loose).all()
    assert (strict > loose).any()
    candidates = np.flatnonzero(projects.candidate)
    first = projects.first_check[candidates]
    inside = first < dates.count
    assert (loose[candidates[inside], first[inside]] >= dates.year[first[inside]]).all()


def test_the_hardened_plan_holds_as_often_as_asked():
    found = hardened()
    assert found.reached
    assert found.low >= 0.9
    assert found.rounds["low"][0] < 0.9
    assert found.reasons == ()
    assert found.extra_cny == pytest.approx(
        found.plan.objective_cny - found.plain.objective_cny, abs=1.0
    )
    assert capsim.certify(city(), found.plan).holds()
    judged = capsim.simulate(found.plan, draws=1000, seed=77).tables["draws"]
    shares = [name for name in judged if name.startswith("share-")]
    lacking = judged["shortfall_compulsory"] + judged["shortfall_other"]
    cap = found.plan.tables["targets"].set_index("id")["required"][shares]
    good = (lacking < 0.5) & (judged[shares] <= cap + 1e-6).all(axis=1)
    assert good.mean() > 0.88


def test_default_targets_are_every_child_placed_and_the_shares():
    assert hardened().targets == ("placement-compulsory", "share-2022", "share-2023")
    names = hardened().by_target["id"].tolist()
    assert names == ["placement-compulsory", *plain().tables["targets"]["id"]]


def test_the_same_with_workers():
    with ThreadPoolExecutor(2) as pool:
        again = capsim.harden(
            city(),
            probability=0.9,
            plain=plain(),
            draws=256,
            fresh_draws=1024,
            gap=GAP,
            seed=3,
            executor=pool,
        )
    pd.testing.assert_frame_equal(again.rounds, hardened().rounds, check_exact=True)


def test_groups_tell_who_finds_no_place():
    """With links all over a county: without a place is who asks beyond the room."""
    run = trial(plain(), draws=128, seed=1)
    beyond = np.maximum(run.figures.demanded - run.figures.room, 0.0)
    county = np.zeros((2, *run.figures.shortfall.shape[1:]))
    np.add.at(county, run.data.space.county, run.figures.shortfall)
    by_stage = np.concatenate([county[:, s] for s in range(2)])
    assert by_stage.max() > 1
    np.testing.assert_allclose(beyond, by_stage, atol=1e-6)


def test_where_no_plan_can_it_says_why():
    """Nothing can be built but what is ordered: a bad draw of 2022 cannot be met."""
    projects = city().table("projects")
    projects = projects[projects["status"] != "candidate"]
    schools = city().table("schools")
    schools["places"] = np.where(schools["sector"] == "public", schools["places"] * 0.94, 0.0)
    schools["purchasable_places"] = 0.0
    schools["purchase_min_places"] = 0.0
    bare = city().variant(tables={"projects": projects, "schools": schools})
    found = capsim.harden(bare, probability=0.99, draws=128, fresh_draws=256, rounds=2, gap=GAP)
    assert not found.reached
    assert found.low < 0.99
    assert found.low == found.rounds["low"].max()
    assert "99.0%" in found.reasons[0]
    assert any(text.startswith("County C0") for text in found.reasons)
    assert "project" in found.reasons[-1] or "demand" in found.reasons[-1]


def test_where_the_scenario_itself_stands_in_the_way_nothing_is_tried():
    """A fifth of the public places is gone and nothing can be bought: children stay out as planned.

    No margin is tried, and the first reason is the scenario.
    """
    schools = city().table("schools")
    schools["places"] = np.where(schools["sector"] == "public", schools["places"] * 0.8, 0.0)
    schools["purchasable_places"] = 0.0
    schools["purchase_min_places"] = 0.0
    bare = city().variant(tables={"schools": schools})
    found = capsim.harden(bare, probability=0.9, draws=64, fresh_draws=128, gap=0.02)
    assert not found.reached
    assert len(found.rounds) == 1
    assert found.extra_cny == 0
    assert found.reasons[1].startswith("Even with children as projected and every project on time")
    assert "placement-compulsory (" in found.reasons[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 1.0}, "between 0 and 1"),
        ({"targets": ["share-2050"]}, "no target 'share-2050'"),
        ({"targets": ["programme-build"]}, "not forced"),
        ({"targets": []}, "at least one"),
    ],
)
def test_faults(arguments, message):
    with pytest.raises(ValueError, match=message):
        capsim.harden(city(), plain=plain(), **arguments)
