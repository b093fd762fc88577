"""Dates relative to the plan, partial starts, resources, faults."""

import re

import numpy as np
import pytest

from capsim import ScenarioError
from capsim.construction import build, work
from capsim.construction.calendars import to_day, to_iso

TWO = [
    {"phase": "structure", "distribution": "pert", "low_months": 5, "mode_months": 6,
     "high_months": 12, "milestone": "built"},
    {"phase": "fit_out", "distribution": "triangular", "low_months": 1, "mode_months": 2,
     "high_months": 5, "milestone": "in_use"},
]  # fmt: skip
MONTH = 365.25 / 12


def with_needs(*needs):
    return [row | {"needs": need} for row, need in zip(TWO, needs, strict=True)]


def iso(programme):
    return [to_iso(day) for day in programme.opening[0]]


def test_without_uncertainty_the_plan_is_kept_exactly(programme_of):
    scenario = programme_of([{"name": f"P{i}"} for i in range(40)], TWO)
    planned = {f"P{i}": f"20{22 + i % 8}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(40)}
    programme = build(scenario, planned=planned, stochastic=False, replications=2)
    assert iso(programme) == list(planned.values())
    assert programme.opening.shape == (2, 40)


def test_without_uncertainty_the_plan_is_kept_through_winters(programme_of):
    scenario = programme_of(
        [{"name": f"P{i}", "started": f"2021-0{1 + i % 9}-10" if i % 2 else ""} for i in range(30)],
        with_needs("crew=1", ""),
        [{"resource": "crew", "county": "*", "units": 30, "calendar": "winter"}],
        calendars={"winter": {"stops": [["12-15", "02-15"]]}},
    )
    planned = {f"P{i}": f"2022-{1 + i % 12:02d}-{1 + (7 * i) % 28:02d}" for i in range(30)}
    programme = build(scenario, planned=planned, stochastic=False, replications=1)
    assert iso(programme) == list(planned.values())


def test_planned_start_is_the_opening_less_the_modal_durations(programme_of):
    scenario = programme_of([{"name": "P"}], TWO)
    programme = build(scenario, planned={"P": "2024-09-01"}, stochastic=False, replications=1)
    start = programme.activities["planned_start"].tolist()
    assert start == [to_day("2024-09-01") - 8 * MONTH, to_day("2024-09-01") - 2 * MONTH]
    assert programme.gantt()["milestone"].tolist() == ["built", "in_use"]


def test_no_school_opens_before_its_plan_and_delay_is_what_was_drawn(programme_of):
    scenario = programme_of([{"name": "P"}], TWO)
    programme = build(scenario, planned={"P": "2024-09-01"}, replications=500, seed=3)
    plan = to_day("2024-09-01")
    assert programme.opening.min() == plan
    late = programme.days.sum(axis=1) - 8 * MONTH
    expected = np.maximum(plan, np.ceil(plan + late - 1e-6))
    np.testing.assert_array_equal(programme.opening[:, 0], expected)


def test_under_way_only_what_is_left_is_drawn(programme_of):
    """Opening on 1 April, seen on 1 January: 90 of 2 x 30.4375 + ... days are left."""
    scenario = programme_of([{"name": "P", "status": "under_construction", "due": "2022-04-01",
                              "earliest": "2022-04-01"}], TWO)  # fmt: skip
    programme = build(scenario, replications=4000, seed=1)
    left = 90 - 2 * MONTH
    assert programme.activities["planned_days"].tolist() == [left, 2 * MONTH]
    assert programme.start.min() == to_day("2022-01-01")
    share = left / (6 * MONTH)
    mean = share * (5 + 4 * 6 + 12) / 6 + (1 + 2 + 5) / 3
    assert programme.days.sum(axis=1).mean() / MONTH == pytest.approx(mean, rel=0.03)


def test_a_known_start_stretches_the_phases(programme_of):
    """Begun on 1 January 2021 for 1 September 2022: 608 days shared 6 to 2."""
    scenario = programme_of([{"name": "P", "status": "under_construction", "due": "2022-09-01",
                              "earliest": "2022-09-01", "started": "2021-01-01"}], TWO)  # fmt: skip
    programme = build(scenario, replications=1, stochastic=False)
    activities = programme.activities
    assert activities["planned_start"][0] == pytest.approx(to_day("2021-01-01"), abs=1e-6)
    assert activities["planned_finish"][0] == pytest.approx(
        to_day("2021-01-01") + 608 * 6 / 8, abs=1e-6
    )
    assert iso(programme) == ["2022-09-01"]


def test_what_is_ordered_aims_at_its_earliest_opening(programme_of):
    row = {"name": "P", "status": "ordered", "due": "2024-09-01", "earliest": "2024-03-01"}
    programme = build(programme_of([row], TWO), replications=400, seed=0)
    assert programme.activities["planned_finish"][1] == to_day("2024-03-01")
    assert programme.opening.min() == to_day("2024-09-01")
    assert programme.probability()["probability"][0] > 0.9


def test_two_schools_one_crew(programme_of):
    """The second waits half a year: a plan with too few crews slips even without uncertainty."""
    scenario = programme_of(
        [{"name": "P"}, {"name": "Q"}],
        with_needs("crew=1", ""),
        [{"resource": "crew", "county": "*", "units": 1}],
    )
    planned = {"P": "2024-09-01", "Q": "2024-09-02"}
    programme = build(scenario, planned=planned, stochastic=False, replications=1)
    slip = int(np.ceil(6 * MONTH - 1))
    assert iso(programme) == ["2024-09-01", to_iso(to_day("2024-09-02") + slip)]
    waits = programme.waiting()
    assert waits["cause"].tolist() == ["crew"]
    assert waits["days"][0] == pytest.approx(6 * MONTH - 1)
    free = build(scenario, planned=planned, stochastic=False, crews=False, replications=1)
    assert iso(free) == ["2024-09-01", "2024-09-02"]
    late_first = build(
        scenario, planned=planned, stochastic=False, replications=1, rule=lambda t: -t["due"]
    )
    assert iso(late_first) == iso(programme)  # Q does not begin a day early to overtake
    use = programme.use()
    months = use.set_index("month")["share"]
    assert months["2024-03"] == 1.0


def test_the_county_has_its_own_crews(programme_of):
    scenario = programme_of(
        [{"name": "P", "area": "A"}, {"name": "Q", "area": "B"}],
        with_needs("crew=1", ""),
        [{"resource": "crew", "county": "CA", "units": 1},
         {"resource": "crew", "county": "*", "units": 1}],
        [{"area": "A", "county": "CA"}, {"area": "B", "county": "CB"}],
    )  # fmt: skip
    planned = {"P": "2024-09-01", "Q": "2024-09-01"}
    programme = build(scenario, planned=planned, stochastic=False, replications=1)
    assert iso(programme) == ["2024-09-01", "2024-09-01"]


def test_money_released_by_date(programme_of):
    scenario = programme_of(
        [{"name": "P"}, {"name": "Q"}],
        with_needs("money=10", ""),
        [{"resource": "money", "county": "*", "units": 10, "from": "2022-01-01"},
         {"resource": "money", "county": "*", "units": 10, "from": "2022-07-01"}],
    )  # fmt: skip
    programme = build(scenario, starts="asap", stochastic=False, replications=1)
    first = np.ceil(to_day("2022-01-01") + 8 * MONTH)
    second = np.ceil(to_day("2022-07-01") + 8 * MONTH)
    assert programme.opening.tolist() == [[first, second]]


def test_copies_have_dates_of_their_own(programme_of):
    scenario = programme_of([{"name": "P", "count": 3}], TWO)
    programme = build(scenario, planned={"P": ["2024-09-01", "2026-09-01"]}, replications=50)
    assert programme.projects == ("P", "P")
    assert programme.planned.tolist() == [to_day("2024-09-01"), to_day("2026-09-01")]
    assert not np.array_equal(
        programme.opening[:, 0] - programme.planned[0],
        programme.opening[:, 1] - programme.planned[1],
    )


def test_one_project_waits_for_a_phase_of_another(programme_of):
    phases = [
        {"project": "P", "phase": "bridge", "distribution": "fixed", "mode_months": 12},
        {"project": "Q", "phase": "site", "distribution": "fixed", "mode_months": 2,
         "after": "P:bridge"},
    ]  # fmt: skip
    scenario = programme_of([{"name": "P"}, {"name": "Q"}], phases)
    programme = build(scenario, starts="asap", stochastic=False, replications=1)
    assert programme.finish[0].tolist() == [
        to_day("2022-01-01") + 12 * MONTH,
        to_day("2022-01-01") + 14 * MONTH,
    ]
    alone = build(scenario, planned={"Q": "2024-09-01"}, replications=3)
    assert np.isnan(alone.opening).all()  # P is not built
    assert alone.dates()["p50"].tolist() == [""]
    assert alone.frame()["Q"].dt.year.tolist() == [2199] * 3


def test_same_seed_same_dates_and_luck_stays_with_the_project(programme_of):
    scenario = programme_of([{"name": "P"}, {"name": "Q"}], TWO)
    both = build(scenario, planned={"P": "2024-09-01", "Q": "2025-09-01"}, seed=7)
    again = build(scenario, planned={"P": "2024-09-01", "Q": "2025-09-01"}, seed=7)
    alone = build(scenario, planned={"Q": "2025-09-01"}, seed=7)
    fewer = build(scenario, planned={"Q": "2025-09-01"}, seed=7, replications=10)
    other = build(scenario, planned={"Q": "2025-09-01"}, seed=8)
    assert both.opening.tobytes() == again.opening.tobytes()
    np.testing.assert_array_equal(both.opening[:, 1], alone.opening[:, 0])
    np.testing.assert_array_equal(fewer.opening, alone.opening[:10])
    assert not np.array_equal(other.opening, alone.opening)


def test_simpy_gives_the_same_dates(programme_of):
    scenario = programme_of(
        [{"name": f"P{i}"} for i in range(6)],
        with_needs("crew=1", "crew=2"),
        [{"resource": "crew", "county": "*", "units": 2, "calendar": "winter"}],
        calendars={"winter": {"stops": [["12-15", "02-15"]]}},
    )
    planned = {f"P{i}": f"2024-09-0{1 + i}" for i in range(6)}
    fast = build(scenario, planned=planned, replications=30)
    slow = build(scenario, planned=planned, replications=30, use_simpy=True)
    assert fast.opening.tobytes() == slow.opening.tobytes()
    assert fast.finish.tobytes() == slow.finish.tobytes()


def test_a_phase_of_ones_own(programme_of):
    def fit_out(job):
        yield from work(job)
        if job.rng.random() < 0.5:
            yield job.work(300.0)

    scenario = programme_of([{"name": "P"}], TWO)
    plan = {"P": "2024-09-01"}
    ours = build(scenario, planned=plan, replications=200, processes={"fit_out": fit_out})
    plain = build(scenario, planned=plan, replications=200)
    longer = ours.finish[:, 1] - plain.finish[:, 1]
    assert set(np.round(longer, 6)) == {0.0, 300.0}
    assert 0.4 < (longer > 0).mean() < 0.6


def test_a_bad_winter_delays_all_of_a_county(programme_of):
    rows = [{"name": f"P{i}", "area": "AB"[i % 2]} for i in range(2)] + [{"name": "R", "area": "A"}]
    areas = [{"area": "A", "county": "CA"}, {"area": "B", "county": "CB"}]
    scenario = programme_of(rows, TWO, None, areas, construction={"start": "2022-01-01",
                                                                  "shock_sd": 0.6})  # fmt: skip
    programme = build(scenario, starts="asap", replications=2000)
    late = np.corrcoef(np.log(programme.opening - to_day("2022-01-01")).T)
    assert late[0, 2] > 0.8  # same county
    assert abs(late[0, 1]) < 0.1


OBSERVED = {"phase": "all", "distribution": "empirical", "mode_months": 6, "milestone": "in_use"}


def test_empirical_durations_are_those_observed(programme_of):
    """Each as often as the others; months are working months, the shock comes on top."""
    phase = [{**OBSERVED, "observed_months": "4; 6; 6.5; 11"}]
    still = {"start": "2022-01-01", "shock_sd": 0}
    scenario = programme_of([{"name": "S"}], phase, construction=still)
    built = build(scenario, starts={"S": "2022-03-01"}, replications=4000, seed=2)
    values, counts = np.unique((built.days / MONTH).round(6), return_counts=True)
    assert values.tolist() == [4.0, 6.0, 6.5, 11.0]
    assert (abs(counts - 1000) < 3.5 * np.sqrt(4000 * 0.25 * 0.75)).all()
    fixed = build(scenario, planned={"S": "2023-09-01"}, stochastic=False, replications=1)
    assert fixed.dates().query("milestone == 'in_use'")["p50"].tolist() == ["2023-09-01"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"observed_months": ""}, "months observed, separated by ;"),
        ({"observed_months": "5; six"}, "'six' where months from 0 to 1,200"),
        ({"observed_months": "5; -1"}, "'-1' where months"),
        ({"observed_months": "5", "distribution": "fixed"}, "nothing"),
    ],
)
def test_faults_of_observed_months(programme_of, row, message):
    with pytest.raises(ScenarioError, match=re.escape(message)):
        programme_of([{"name": "S"}], [{**OBSERVED, **row}])


@pytest.mark.parametrize(
    ("shape", "mean", "variance"),
    [
        ({"distribution": "triangular"}, (4 + 6 + 14) / 3, (16 + 36 + 196 - 24 - 56 - 84) / 18),
        # beta(1.8, 4.2) on 4 to 14: mean 4 + 10 a / 6, variance 100 ab / (36 x 7)
        ({"distribution": "pert"}, (4 + 24 + 14) / 6, 100 * 1.8 * 4.2 / (36 * 7)),
        # logarithm normal about ln sqrt(4 x 14), 1.645 sd to either side
        (
            {"distribution": "lognormal"},
            56**0.5 * np.exp((np.log(3.5) / 3.28970725) ** 2 / 2),
            56
            * np.exp((np.log(3.5) / 3.28970725) ** 2)
            * np.expm1((np.log(3.5) / 3.28970725) ** 2),
        ),
        ({"distribution": "empirical", "observed_months": "4;5;14;5"}, 7.0, 16.5),
        ({"distribution": "fixed"}, 6.0, 0.0),
    ],
)
def test_durations_have_the_moments_of_theory(programme_of, shape, mean, variance):
    """Mean and variance of 40,000 draws within four standard errors."""
    months = {} if "observed_months" in shape else {"low_months": 4, "high_months": 14}
    scenario = programme_of(
        [{"name": "P"}],
        [{"phase": "all", "mode_months": 6, **months, **shape}],
        construction={"start": "2022-01-01", "shock_sd": 0},
    )
    size = 40_000
    drawn = build(scenario, starts="asap", replications=size, seed=5).days[:, 0] / MONTH
    away = (drawn - drawn.mean()) ** 2
    assert drawn.mean() == pytest.approx(mean, abs=4 * drawn.std() / size**0.5 + 1e-9)
    assert away.mean() == pytest.approx(variance, abs=4 * away.std() / size**0.5 + 1e-9)


def test_shocks_are_lognormal_with_median_one(programme_of):
    phase = [{"phase": "all", "distribution": "pert", "low_months": 6, "mode_months": 6,
              "high_months": 6}]  # fmt: skip
    scenario = programme_of([{"name": "P"}], phase, construction={"start": "2022-01-01",
                                                                  "shock_sd": 0.3})  # fmt: skip
    days = build(scenario, starts="asap", replications=40_000, seed=1).days[:, 0]
    factor = np.log(days / (6 * MONTH))
    assert np.median(factor) == pytest.approx(0, abs=4 * 1.2533 * 0.3 / 200)
    assert factor.std() == pytest.approx(0.3, abs=4 * 0.3 / 80_000**0.5)


def test_lognormal_quantiles(programme_of):
    phase = [{"phase": "all", "distribution": "lognormal", "low_months": 4, "mode_months": 6,
              "high_months": 16}]  # fmt: skip
    scenario = programme_of([{"name": "P"}], phase, construction={"start": "2022-01-01",
                                                                  "shock_sd": 0})  # fmt: skip
    months = build(scenario, starts="asap", replications=20000).days[:, 0] / MONTH
    assert np.quantile(months, [0.05, 0.95]) == pytest.approx([4, 16], rel=0.03)


@pytest.mark.parametrize(
    ("phase", "resource", "message"),
    [
        ({"needs": "crane=1"}, None, "needs: 'crane.*' where"),
        ({"needs": "crew=3"}, {"units": 2}, "phase 'only', needs: 'crew=3' where at most 2, what "),
        ({"needs": "crew=1"}, {"units": 0}, "'crew=1' where at most 0, what county 'A' has"),
        ({"after": "roof"}, None, "after: 'roof' where"),
        ({"after": "only"}, None, "after: 'only' where phases that do not wait for each other"),
    ],
)
def test_faults_are_named(programme_of, phase, resource, message):
    phases = [{"phase": "only", "distribution": "fixed", "mode_months": 6} | phase]
    rows = None if resource is None else [{"resource": "crew", "county": "*"} | resource]
    with pytest.raises(ScenarioError, match=message):
        build(programme_of([{"name": "P"}], phases, rows), planned={"P": "2024-09-01"})


def test_calendars_that_leave_no_day_together_are_named(programme_of):
    stock = [
        {"resource": name, "county": "*", "units": 1, "calendar": half}
        for name, half in (("crew", "first"), ("crane", "second"))
    ]
    halves = {"first": {"stops": [["01-01", "06-30"]]}, "second": {"stops": [["07-01", "12-31"]]}}
    phases = [{"phase": "only", "distribution": "fixed", "mode_months": 6}]
    alone, both = (phases[0] | {"needs": needs} for needs in ("crew=1", "crew=1; crane=1"))
    fine = programme_of([{"name": "P"}], [alone], stock, calendars=halves)
    programme = build(fine, starts="asap", stochastic=False, replications=1)
    assert iso(programme) == ["2022-12-31"]  # 182.6 of 184 days from July on
    with pytest.raises(ScenarioError, match="calendars: 'first; second' where stops that leave"):
        build(programme_of([{"name": "P"}], [both], stock, calendars=halves), starts="asap")


def test_a_project_of_fifty_phases_and_phases_that_take_no_time(programme_of):
    chain = [
        {"phase": f"p{i}", "distribution": "fixed", "mode_months": i % 2, "needs": "crew=1"}
        for i in range(50)
    ]
    stock = [{"resource": "crew", "county": "*", "units": 1}]
    scenario = programme_of([{"name": "P"}, {"name": "Q"}], chain, stock)
    for use_simpy in (True, False):
        built = build(scenario, starts="asap", replications=1, stochastic=False,
                      use_simpy=use_simpy)  # fmt: skip
        last = built.finish[0].max() - to_day("2022-01-01")
        assert last == pytest.approx(50 * MONTH)  # one crew: 25 months each, one after the other


def test_nothing_to_build(programme_of):
    empty = build(programme_of([{"name": "P"}], TWO), planned={}, replications=3)
    assert empty.opening.shape == (3, 0)
    for table in (empty.dates(), empty.probability(), empty.waiting(), empty.use(), empty.gantt()):
        assert len(table) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"planned": {"X": "2024-09-01"}}, r"no project 'X' in the scenario: P is expected"),
        ({"planned": {"P": ["2024-09-01"] * 2}}, "2 dates for 1 copies"),
        ({"starts": "soon"}, "starts is a mapping"),
        ({"starts": {"P": ["2024-09-01"] * 2}}, "2 dates for 1 copies"),
        ({"rule": "luck"}, "no rule 'luck'"),
        ({"replications": 0}, "at least 1"),
        ({"planned": {"P": "2024-09-01"}, "processes": {"roof": work}}, "no phase 'roof'"),
        ({"starts": "asap", "rule": lambda t: t["due"]}, "none of them NaN"),
    ],
)
def test_bad_arguments(programme_of, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(programme_of([{"name": "P"}], TWO), **arguments)
