"""Without uncertainty a simulation is the plan; the figures are counted by hand in `hand_plan`."""

from dataclasses import replace

import hand_plan
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from capsim.simulation import simulate

EXACT = {"rel": 1e-9, "abs": 1e-9}


@pytest.fixture(scope="module")
def outcomes():
    return simulate(hand_plan.plan(), draws=3, uncertainty=False)


def test_costs_are_the_plans_by_kind(outcomes):
    planned = hand_plan.plan().tables["costs"].set_index("kind")["discounted_cny"]
    costs = outcomes.tables["costs"].set_index("kind")
    assert len(costs) == 13
    for column in costs:
        assert costs[column].to_dict() == pytest.approx(
            planned.reindex(costs.index, fill_value=0.0).to_dict(), **EXACT
        )


def test_shortfall_is_the_plans(outcomes):
    table = outcomes.tables["shortfall"].set_index(["area", "stage", "school_year"])
    assert table.loc[("C", "primary", 2022), "mean"] == pytest.approx(2, **EXACT)
    assert table.loc[("*", "primary", 2022), "probability"] == 1
    assert table["mean"].sum() == pytest.approx(4, **EXACT)


def test_shares_are_the_plans(outcomes):
    shares = outcomes.tables["shares"].set_index(["county", "school_year"])
    expected = {("*", 2022): 50 / 320, ("*", 2023): 10 / 320, ("X", 2022): 50 / 240, ("Y", 2024): 0}
    for cell, share in expected.items():
        assert shares.loc[cell, "share_excluding_p50"] == pytest.approx(share, **EXACT)
    assert shares.loc[("*", 2023), "share_including_mean"] == pytest.approx(30 / 320, **EXACT)


def test_targets_are_the_plans(outcomes):
    table = outcomes.tables["targets"].set_index("id")
    achieved = hand_plan.plan().tables["targets"].set_index("id")["achieved"]
    for column in ("mean", "p05", "p50", "p95"):
        assert table[column].to_dict() == pytest.approx(achieved.to_dict(), **EXACT)
    assert table["probability"].to_dict() == {
        **{"placement": 0, "reduction": 1, "share-2022": 1, "share-2023": 1, "programme-build": 1}
    }


def test_every_draw_is_the_same(outcomes):
    each = outcomes.tables["draws"].drop(columns="draw")
    assert (each == each.iloc[0]).all(axis=None)


def test_displaced_and_class_size(outcomes):
    assert outcomes.tables["displaced"]["mean"].tolist() == pytest.approx([0, 20, 0])
    sizes = outcomes.tables["class_size"].set_index(["county", "stage", "school_year"])["mean"]
    # 170 pupils in 160 seats of 40 a class; then 186 in 200.
    assert sizes["X", "primary", 2022] == pytest.approx(170 / 4)
    assert sizes["X", "primary", 2024] == pytest.approx(186 / 5)


def test_large_and_very_large_classes():
    """In 2022 pubA has 110 pupils in 2.5 classes of 40, pubB 60 in 1.5; sizes vary by 5."""
    plan = hand_plan.plan(changes={"policy.class_size_sd": 5.0})
    row = simulate(plan, draws=2, uncertainty=False).tables["class_size"].iloc[0]
    for name, least in (("large", 56), ("very_large", 66)):
        # 44 lies on the chord from 42.5 to 45, 40 on a knot
        above = [norm.sf((least - 0.5 - size) / 5) for size in (40, 42.5, 45)]
        shares = 2.5 * (0.4 * above[1] + 0.6 * above[2]) + 1.5 * above[0]
        for column in ("mean", "p05", "p95"):
            assert row[f"{name}_share_{column}"] == pytest.approx(shares / 4, rel=1e-9)


@pytest.mark.slow
def test_a_solvers_tolerance_does_not_move_anyone():
    """Fees, purchases and pupils that miss each other by 1e-7 leave everything where it is."""
    plan = hand_plan.plan()
    schools = plan.tables["schools"].copy()
    schools["fee_paying"] *= 1 + 1e-9
    schools["purchased"] *= 1 - 1e-9
    data = replace(plan, tables={**plan.tables, "schools": schools})
    out = simulate(data, draws=1, uncertainty=False).tables["shortfall"]
    assert out["mean"].sum() == pytest.approx(4, **EXACT)


def test_a_kind_switched_off_costs_nothing():
    plan = hand_plan.plan(changes={"cost_terms.shortfall": False})
    costs = simulate(plan, draws=1, uncertainty=False).tables["costs"].set_index("kind")
    assert costs.loc["shortfall", "mean_cny"] == 0
    assert costs.loc["travel", "mean_cny"] > 0


def test_without_the_seats_family_nobody_is_sent_away():
    plan = hand_plan.plan(changes={"switches.seats": False})
    late = pd.DataFrame({"newA": np.array(["2030-01-01"], "datetime64[D]")})
    out = simulate(plan, draws=1, uncertainty=False, openings=late)
    assert out.tables["shortfall"]["mean"].sum() == pytest.approx(4, **EXACT)
    assert out.tables["draws"]["overfilled"].item() == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"draws": 0}, r"draws must be 1 or more, not 0"),
        (
            {"openings": np.zeros((2, 3), "datetime64[D]")},
            r"with 1 projects, not of shape \(2, 3\)",
        ),
        ({"openings": np.array([["NaT"]], "datetime64[D]")}, r"a date for every replication"),
    ],
)
def test_bad_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        simulate(hand_plan.plan(), **change)


def test_an_infeasible_plan_is_refused():
    with pytest.raises(ValueError, match="infeasible plan cannot be simulated"):
        simulate(replace(hand_plan.plan(), status="infeasible"))


def test_an_unknown_target_is_refused():
    plan = hand_plan.plan()
    targets = plan.tables["targets"].assign(id="happiness-2023")
    with pytest.raises(ValueError, match="target 'happiness-2023' is none of placement"):
        simulate(replace(plan, tables={**plan.tables, "targets": targets}), draws=1)
