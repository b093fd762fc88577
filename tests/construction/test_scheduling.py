"""Start dates under scarce crews: feasible, and close to the best known on standard instances."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programmes import programmes

from benchmarks import psplib
from benchmarks.schedule_check import faults_of
from capsim.construction import build, optimize_starts, schedule
from capsim.construction.scheduling import backward, serial


@settings(max_examples=100)
@given(programmes(), st.integers(0, 1000))
def test_serial_schedules_are_feasible(case, seed):
    network, days, _ = case
    key = np.random.default_rng(seed).random(network.size).tolist()
    start, finish = serial(network, days[0].tolist(), key)
    assert faults_of(network, np.array(start), np.array(finish), days[0]) == []
    if np.isfinite(finish).all():
        again, end = serial(network, days[0].tolist(), backward(network, start, finish))
        assert faults_of(network, np.array(again), np.array(end), days[0]) == []


CREWS = [{"resource": "crew", "county": "*", "units": 2, "calendar": "winter"}]
WINTER = {"winter": {"stops": [["12-15", "02-15"]]}}


@pytest.fixture
def town(programme_of):
    phases = [
        {"phase": "structure", "distribution": "fixed", "mode_months": 6, "needs": "crew=1"},
        {"phase": "fit_out", "distribution": "fixed", "mode_months": 2, "milestone": "in_use"},
    ]
    rows = [{"name": f"P{i}", "places": 100 * (1 + i % 4)} for i in range(7)]
    return programme_of(rows, phases, CREWS, calendars=WINTER)


def test_starts_are_what_build_takes(town):
    made = schedule(town, budget=50)
    programme = build(town, starts=made.starts(), stochastic=False, replications=1)
    ends = made.table.groupby("project", sort=False)["finish_day"].max()
    np.testing.assert_array_equal(programme.opening[0], np.ceil(ends - 1e-6))


def test_places_first_brings_the_large_schools_first(town):
    plain = schedule(town, budget=100)
    places = schedule(town, rules=("places_per_month",), budget=100, by_places=True)

    def waited(made):
        ends = made.table.groupby("project")["finish_day"].max()
        return sum(ends[f"P{i}"] * 100 * (1 + i % 4) for i in range(7))

    assert waited(places) <= waited(plain)
    assert places.makespan_months >= plain.makespan_months
    assert set(places.table.nsmallest(2, "start_day")["project"]) <= {"P3", "P2", "P6"}


def test_more_schedules_are_never_worse(town):
    spans = [schedule(town, budget=budget).makespan_months for budget in (1, 10, 100)]
    assert spans == sorted(spans, reverse=True)


def test_what_is_under_way_keeps_its_beginning(programme_of):
    works = {"phase": "works", "distribution": "fixed", "mode_months": 12, "milestone": "in_use"}
    rows = [
        {
            "name": "begun",
            "status": "under_construction",
            "due": "2022-07-01",
            "earliest": "2022-07-01",
        },
        {
            "name": "free",
            "status": "ordered",
            "due": "2025-07-01",
            "earliest": "2025-07-01",
            "count": 2,
        },
    ]
    scenario = programme_of(rows, [works | {"needs": "crew=1"}], CREWS[:1], calendars=WINTER)
    made = optimize_starts(scenario, schedules=5, replications=1)
    table = made.table().set_index(["project", "copy"])
    assert (table["begin_after"] == table["begin_before"]).tolist() == [True, False, False]
    assert table.loc["begun", "begin_before"].tolist() < ["2022-01-01"]
    assert table.loc["free", "begin_after"].min() == "2022-01-01"
    starts = made.schedule.starts()
    assert starts["begun"] == table.loc["begun", "begin_before"].tolist()
    assert starts["free"] == table.loc["free", "begin_after"].tolist()
    assert made.schedule.schedules == 5
    assert (made.after.opening[0] >= made.after.planned).all()


def test_starts_of_planned_openings_move_what_has_not_begun(programme_of):
    works = {"phase": "works", "distribution": "fixed", "mode_months": 12, "milestone": "in_use"}
    scenario = programme_of([{"name": "P", "count": 3}], [works])
    openings = {"P": ["2024-07-01", "2024-07-01", "2022-07-01"]}
    moved = build(
        scenario,
        planned=openings,
        starts={"P": ["2024-01-01", "", "2022-03-01"]},
        stochastic=False,
        replications=1,
    )
    # the second is as planned, the third has begun
    late = (moved.opening[0] - moved.planned).tolist()
    assert late == [184.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "at least 1"),
        ({"rules": ("first_come",)}, "no rule 'first_come' to make a list"),
        ({"scheme": "both"}, "parallel or serial"),
    ],
)
def test_bad_arguments(town, arguments, message):
    with pytest.raises(ValueError, match=message):
        schedule(town, **arguments)


@pytest.fixture
def instances():
    if "CAPSIM_DATA" not in os.environ:
        pytest.skip("CAPSIM_DATA is not set: no standard instances")
    return Path(os.environ["CAPSIM_DATA"]) / "psplib"


@pytest.mark.external
def test_standard_instances_by_rule_and_a_small_budget(instances, capsys):
    lines = psplib.main(str(instances), budget=50)
    summary = psplib.summary(lines)
    assert summary["instances"] == 48
    assert summary["feasible"]
    assert min(summary["excess_percent_by_rule"].values()) <= 5
    assert summary["excess_percent"] <= 1
    assert all(line["makespan"] >= line["optimum"] for line in lines)
    assert all(line["schedules"] <= 50 for line in lines)
    assert len(capsys.readouterr().out.splitlines()) == 49
