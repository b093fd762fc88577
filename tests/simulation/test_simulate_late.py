"""A late school: who goes where, counted by hand."""

import hand_plan
import numpy as np
import pandas as pd
import pytest

from capsim.simulation import simulate


def late(*dates):
    frame = pd.DataFrame({"newA": np.array(dates, "datetime64[D]")})
    return simulate(hand_plan.plan(), draws=len(dates), uncertainty=False, openings=frame)


def test_slack_nearby_then_overfilling():
    """Two months late: the 36 of the new school find no seat in autumn 2023.

    pubA has 10 free seats and takes 25 more up to the ceiling (125); pubB (full) takes 1 at 1,500
    RMB; convB is in its first year and takes nobody.
    """
    out = late("2023-11-01")
    draw = out.tables["draws"].iloc[0]
    assert draw["overfilled"] == pytest.approx(10 + 26)
    assert draw["shortfall_compulsory"] == pytest.approx(2)
    by_year = out.tables["fan"].set_index(["series", "school_year"])["mean"]
    assert by_year["overfilled_primary", 2023] == pytest.approx(26)
    assert by_year["overfilled_primary", 2024] == pytest.approx(0)
    costs = out.tables["costs"].set_index("kind")["mean_cny"]
    assert costs["travel"] == pytest.approx((4 + 1) * 1500 / 1.04 + 4 * 1500 / 1.04**2)
    assert costs["overfill"] == pytest.approx(10 * 2000 + 26 * 2000 / 1.04)
    running = np.array([650 * 250, 650 * 290, 1000 + 650 * 290])
    assert costs["running"] == pytest.approx((running / 1.04 ** np.arange(3)).sum())


def test_a_converted_school_takes_others_from_its_second_year():
    """In 2024 convB has 6 free seats; 10 go to pubA's, 6 there, 20 over-fill pubA."""
    out = late("2025-01-01")
    by_year = out.tables["fan"].set_index(["series", "school_year"])["mean"]
    assert by_year["overfilled_primary", 2024] == pytest.approx(20)
    costs = out.tables["costs"].set_index("kind")["mean_cny"]
    travel = np.array([0, 4 + 1, 4 + 6]) * 1500
    assert costs["travel"] == pytest.approx((travel / 1.04 ** np.arange(3)).sum())


def test_no_place_when_classes_are_full():
    """With a ceiling of standard size 10 free seats of pubA are left, 6 of convB, and a contract.

    convB is in its first year: it takes those who else had no place. privA sells 24 places, of
    which the plan buys 20.
    """
    plan = hand_plan.plan(changes={"standards.primary.class_ceiling": 40})
    frame = pd.DataFrame({"newA": np.array(["2023-11-01"], "datetime64[D]")})
    out = simulate(plan, draws=1, uncertainty=False, openings=frame)
    table = out.tables["shortfall"].set_index(["area", "school_year"])["mean"]
    assert table["A", 2023] == pytest.approx(16)
    assert table["C", 2022] == pytest.approx(2)
    ways = out.tables["recourse"].set_index(["county", "school_year", "way"])["mean"]
    assert ways["X", 2023].to_dict() == pytest.approx({"slack": 10, "overfill": 6, "purchase": 4})
    assert ways.sum() == pytest.approx(2 * 20)
    assert out.tables["draws"]["purchased_extra"].item() == pytest.approx(4)
    shares = out.tables["shares"].set_index(["county", "school_year"])
    assert shares.loc[("*", 2023), "share_including_mean"] == pytest.approx(34 / 304)
    assert shares.loc[("*", 2023), "share_excluding_mean"] == pytest.approx(10 / 304)
    assert out.tables["projects"].loc[0, "harm"] == pytest.approx(20)
    costs = out.tables["costs"].set_index("kind")["mean_cny"]
    assert costs["shortfall"] == pytest.approx(200000 * (2 + 16 / 1.04))
    assert costs["purchase"] == pytest.approx(5000 * (20 + 24 / 1.04 + 20 / 1.04**2))


def test_children_sent_away_are_displaced_next_year_only_if_they_leave():
    """Who over-filled pubA in 2023 goes on to 2024's new school: counted as a change of school."""
    moved = late("2023-11-01").tables["displaced"]["mean"].tolist()
    # 2023: pubA keeps 45 + 17.5 of its 55 in grade 2, privA 15 of 25.
    # 2024: pubA had 62.5 in grade 1 and has 45 in grade 2, pubB 30.5 and 30, ten of privA stay.
    assert moved == pytest.approx([0, 10, 17.5 + 0.5])


def test_projects_table():
    out = late("2023-08-01", "2023-09-01", "2023-11-01", "2023-12-31", "2025-01-01")
    row = out.tables["projects"].iloc[0]
    assert row["planned"] == "2023-09-01"
    assert row["p_on_time"] == pytest.approx(0.4)
    assert (row["p10"], row["p50"], row["p90"]) == ("2023-09-01", "2023-11-01", "2025-01-01")
    assert row["late_places_mean"] == pytest.approx(40 * 3 / 5)
    # 26 in 2023 in three draws; in one of them 20 more in 2024.
    assert row["harm"] == pytest.approx((3 * 26 + 20) / 5)


def test_a_programme_is_met_on_its_date():
    out = late("2023-12-31", "2024-01-01").tables["targets"].set_index("id")
    assert out.loc["programme-build", "probability"] == 0.5
    assert out.loc["programme-build", "mean"] == 0.5


def test_replications_are_met_in_turn():
    frame = np.array([["2023-09-01"], ["2025-01-01"]], "datetime64[D]")
    out = simulate(hand_plan.plan(), draws=5, uncertainty=False, openings=frame)
    assert out.tables["draws"]["overfilled"].round(6).tolist() == [10, 56, 10, 56, 10]


def test_a_project_without_dates_opens_as_planned():
    frame = pd.DataFrame({"other": np.array(["2030-01-01"], "datetime64[D]")})
    out = simulate(hand_plan.plan(), draws=1, uncertainty=False, openings=frame)
    assert out.tables["projects"].loc[0, "p_on_time"] == 1
    assert out.tables["draws"]["overfilled"].item() == pytest.approx(10)
