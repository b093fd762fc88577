"""Hurrying projects: hand-computed cases, every combination tried, and the simulation itself."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from capsim import Scenario, ScenarioError
from capsim.construction import build
from capsim.construction.acceleration import LEAST_GAIN, accelerate, trials, with_options
from capsim.construction.calendars import to_day
from capsim.construction.recovery import cures, recovery
from capsim.reliability.margins import gains


def phase(name, months, option="", needs="", share=None, milestone="", **more):
    cost = {} if share is None else {"option_cost_share": share}
    row = {"kind": "new", "phase": name, "option": option, "distribution": "fixed"}
    return {**row, "mode_months": months, "needs": needs, "milestone": milestone, **cost, **more}


def site(projects, phases, units=1, due="2022-12-31", number=2, **resources):
    """Make a scenario of projects ordered today, with crews of the county and from elsewhere."""
    rows = [
        {
            "project": name,
            "stage": "primary",
            "area": "A",
            "kind": "new",
            "places": 900,
            "capital_cny": capital,
            "status": "ordered",
            "earliest_opening": due,
            "due": due,
            "programme": "p",
            **more,
        }
        for name, capital, more in projects
    ]
    stock = [{"resource": "crews", "county": "C", "units": units}]
    stock += [{"resource": name, "county": "*", "units": n} for name, n in resources.items()]
    return Scenario.from_tables(
        {
            "name": "site",
            "horizon": {"base_year": 2021, "last_year": 2030},
            "costs": {"discount_rate": 0.04},
            "construction": {"start": "2022-01-01", "shock_sd": 0.0},
            "programmes": {"p": {"number": number, "by": due}},
        },
        projects=pd.DataFrame(rows),
        phases=pd.DataFrame(phases),
        resources=pd.DataFrame(stock),
        areas=pd.DataFrame([{"area": "A", "county": "C"}, {"area": "B", "county": "D"}]),
    )


CREW = [
    phase("structure", 8.0, needs="crews=1", milestone="in_use"),
    phase("structure", 8.0, "outside_crew", "outside=1", 0.03),
    phase("structure", 5.0, "two_shifts", "crews=1", 0.06),
]
TWO = [("cheap", 10e6, {}), ("dear", 40e6, {})]


def test_a_crew_from_elsewhere_for_one_frees_the_countys_for_the_other():
    """One crew, two schools of eight months each, twelve to go: only one is in time.

    Hurrying the cheap one by a crew from elsewhere, for 3 % of 10 million, brings both in time.
    """
    found = accelerate(site(TWO, CREW, outside=1), "p", 0.95, replications=10)
    assert found.measures["project"].tolist() == ["cheap"]
    assert found.measures["options"].tolist() == ["outside_crew"]
    assert found.measures["cost_cny"].tolist() == pytest.approx([0.3e6])
    assert found.measures["gained"].tolist() == pytest.approx([1.0])
    assert found.curve["sure"].tolist() == [1, 2]
    assert found.curve["expected"].tolist() == pytest.approx([1.0, 2.0])
    assert found.curve["reached"].tolist() == pytest.approx([0.0, 1.0])
    assert found.enough(2)["cost_cny"] == pytest.approx(0.3e6)
    assert found.enough(3) is None
    with pytest.raises(ValueError, match=r"3 projects of p by 2022-12-31 cannot be had in 95 %"):
        found.hurried(3)


def test_what_is_bought_is_in_the_scenario_and_costs_as_much():
    city = site(TWO, CREW, outside=1)
    hurried = accelerate(city, "p", 0.95, replications=10).hurried(2)
    table = hurried.table("projects").set_index("project")
    assert table["options"].to_dict() == {"cheap": "outside_crew", "dear": ""}
    assert table["capital_cny"].to_dict() == pytest.approx({"cheap": 10.3e6, "dear": 40e6})
    both = build(hurried, replications=3)
    assert (both.opening <= to_day("2022-12-31")).all()
    one = build(city, replications=3)
    assert (one.opening <= to_day("2022-12-31")).sum(axis=1).tolist() == [1, 1, 1]


def test_an_option_changes_what_is_left_and_nothing_that_is_done():
    """Begun half a year ago and planned to take a year: six months are left, or half of them."""
    phases = [
        phase("structure", 12.0, milestone="in_use"),
        phase("structure", 6.0, "night_work", share=0.1),
    ]
    begun = [("S", 1e6, {"started": "2021-07-01"})]
    late = site(begun, phases, due="2022-07-01", number=1)
    usual = build(late, replications=1)
    quick = build(with_options(late, {"S": "night_work"}), replications=1)
    now = to_day("2022-01-01")
    left = usual.finish[0, 0] - now
    assert left == pytest.approx(to_day("2022-07-01") - now, abs=1.0)
    assert quick.finish[0, 0] - now == pytest.approx(left / 2)
    assert quick.start[0, 0] == usual.start[0, 0]
    assert quick.network.release == usual.network.release


def test_nothing_is_offered_for_what_is_done():
    phases = [
        phase("approvals", 3.0),
        phase("structure", 6.0, milestone="in_use"),
        phase("approvals", 1.0, "approvals_first", share=0.01),
    ]
    begun = [("S", 1e6, {"started": "2021-07-01"})]
    found = accelerate(site(begun, phases, due="2022-07-01", number=1), "p", 0.9, replications=5)
    assert found.measures.empty
    assert len(found.curve) == 1


def random_site(rng):
    phases = [
        phase("approvals", 2.0),
        phase("structure", 5.0, needs="crews=1", milestone="in_use"),
        phase("approvals", 1.0, "approvals_first", share=0.01),
        phase("structure", 3.0, "two_shifts", "crews=1", 0.05),
        phase("structure", 5.0, "outside_crew", "outside=1", 0.03),
    ]
    projects = [(f"S{i}", float(rng.integers(1, 9)) * 1e6, {}) for i in range(2)]
    return site(projects, phases, number=2, due="2022-10-01", outside=1)


WAYS = (
    *("", "approvals_first", "two_shifts", "outside_crew"),
    *("approvals_first;two_shifts", "approvals_first;outside_crew"),
)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_greedy_beside_every_combination(seed):
    """Never cheaper than the best of all 36 combinations, and as many in time at most."""
    city = random_site(np.random.default_rng(seed))
    best: dict[int, float] = {}
    capital = city.table("projects")["capital_cny"].sum()
    for ways in product(WAYS, repeat=2):
        tried = with_options(city, {f"S{i}": way for i, way in enumerate(ways)})
        built = build(tried, replications=1, stochastic=False)
        number = int((built.opening <= to_day("2022-10-01")).sum())
        cost = tried.table("projects")["capital_cny"].sum() - capital
        for fewer in range(number + 1):
            best[fewer] = min(best.get(fewer, np.inf), cost)
    found = accelerate(city, "p", 0.9, replications=1)
    for row in found.curve.to_dict("records"):
        assert row["cost_cny"] >= best[row["sure"]] - 1e-6
        bought = found.measures.head(int(row["measures"]))
        told = with_options(city, dict(zip(bought["project"], bought["options"], strict=True)))
        built = build(told, replications=1)
        assert (built.opening <= to_day("2022-10-01")).sum() == row["sure"]
    assert found.curve["sure"].max() == max(best)
    assert found.curve["cost_cny"].iloc[-1] <= 2 * best[max(best)]


@pytest.mark.slow
def test_the_curve_is_what_the_simulation_says_of_the_hurried_scenario(city):
    found = accelerate(city, "build", 0.9, replications=40, seed=7)
    row = found.curve.iloc[-1]
    assert row["expected"] > found.curve["expected"].iloc[0] + LEAST_GAIN
    bought = found.measures.head(int(row["measures"]))
    told = with_options(city, dict(zip(bought["project"], bought["options"], strict=True)))
    built = build(told, replications=40, seed=7)
    projects = told.table("projects").drop_duplicates("project").set_index("project")
    mine = [projects["programme"][name] == "build" for name in built.projects]
    in_use = (built.opening[:, mine] <= to_day(found.by)).sum(axis=1)
    assert in_use.mean() == pytest.approx(row["expected"])
    more = told.table("projects")["capital_cny"].sum() - city.table("projects")["capital_cny"].sum()
    assert more == pytest.approx(row["cost_cny"])


@pytest.fixture(scope="module")
def city():
    import capsim

    return capsim.generate(8, 120_000, seed=1)


def test_cures_are_the_cheapest_that_reach_the_probability():
    city = site(TWO, CREW, outside=1)
    planned = {"cheap": "2022-12-31", "dear": "2022-12-31"}
    usual = build(city, planned=planned, replications=2)
    late = str(usual.projects[int(np.argmax(usual.opening[0]))])
    table = cures(city, planned, [late], 0.95, replications=10).set_index("project")
    assert table["p_on_time"][late] == 0
    assert table["options"][late] == "outside_crew"
    assert table["p_with"][late] == 1
    assert table["cost_cny"][late] == pytest.approx(0.03 * {"cheap": 10e6, "dear": 40e6}[late])
    assert table["decide_by"][late] > "2022-01-01"


def test_gains_are_seats_that_become_sure():
    """Of two schools and one crew the one that is served last is late, unless it is hurried."""
    dates = np.array([to_day("2022-12-31"), to_day("2023-12-31")])
    planned = {"cheap": "2022-12-31", "dear": "2022-12-31"}
    city = site(TWO, CREW, outside=1)
    late = (build(city, planned=planned, replications=1).opening[0] > dates[0]).tolist()
    assert sorted(late) == [False, True]
    second = ["cheap", "dear"][late.index(True)]
    found = gains(city, planned, dates, 0.95, replications=5)
    assert [(gain.project, gain.options) for gain in found] == [(second, "outside_crew")]
    assert found[0].sure.tolist() == [1.0, 0.0]


def test_nothing_to_hurry_is_no_gain():
    plain = [phase("structure", 8.0, needs="crews=1", milestone="in_use")]
    city = site(TWO, plain)
    assert gains(city, {"cheap": "2022-12-31"}, np.array([0.0]), 0.95) == []
    found = recovery(
        city,
        {"cheap": "2022-12-31", "dear": "2022-12-31"},
        pd.DataFrame(
            {"project": ["cheap"], "planned": ["2022-12-31"], "harm": [3.0], "p_on_time": [0.0]}
        ),
        ["p"],
        0.95,
    )
    assert found.programmes == ()
    assert found.projects[["project", "options", "decide_by"]].to_numpy().tolist() == [
        ["cheap", "", ""]
    ]


def test_an_option_that_is_bought_may_be_replaced():
    """A slow one is given back for a fast one, at the difference of their costs."""
    phases = [
        phase("structure", 15.0, milestone="in_use"),
        phase("structure", 14.0, "slow", share=0.02),
        phase("structure", 8.0, "fast", share=0.05),
    ]
    bought = site([("S", 10.2e6, {"options": "slow"})], phases, number=1)
    tried = trials(bought, None, 1, 0)
    ways = [tuple(option.name for option in way) for way in tried.ways["S"]]
    assert ways == [("slow",), ("fast",)]
    assert tried.cost_cny("S", tried.ways["S"][1]) == pytest.approx(0.3e6)
    table = with_options(bought, {"S": "fast"}).table("projects")
    assert table["capital_cny"].tolist() == pytest.approx([10.5e6])
    assert table["options"].tolist() == ["fast"]


def test_crews_of_all_counties_are_short_for_the_curve_and_for_cures():
    """The only outside crew is at work in a county that the programme has no project in."""
    others = {"area": "B", "programme": "", "kind": "rebuild"}
    projects = [*TWO, ("X", 5e6, others)]
    usual = [phase("structure", 8.0, needs="outside=1", milestone="in_use", kind="rebuild")]
    city = site(projects, CREW[:2] + usual, outside=1)
    found = accelerate(city, "p", 0.95, replications=5)
    for row in found.curve.to_dict("records"):
        told = with_options(city, found.bought(int(row["measures"])))
        built = build(told, replications=5, seed=0)
        mine = [name != "X" for name in built.projects]
        in_use = (built.opening[:, mine] <= to_day("2022-12-31")).sum(axis=1)
        assert in_use.mean() == pytest.approx(row["expected"])
    planned = dict.fromkeys(("cheap", "dear", "X"), "2022-12-31")
    late = build(city, planned=planned, replications=1)
    names = [
        n for n, d in zip(late.projects, late.opening[0], strict=True) if n != "X" and d > 19357
    ]
    for cure in cures(city, planned, names, 0.95, replications=3).to_dict("records"):
        if cure["options"]:
            built = build(with_options(city, {cure["project"]: cure["options"]}), replications=1)
            at = built.projects.index(cure["project"])
            assert (built.opening[0, at] <= to_day("2022-12-31")) == (cure["p_with"] == 1)


def test_it_is_decided_before_the_hurried_work_begins():
    """The county's crew comes on 1 September; a crew from elsewhere has to begin in May."""
    city = site(TWO, CREW[:2], outside=1)
    planned = {"cheap": "2022-12-31", "dear": "2022-12-31"}
    table = cures(city, planned, ["cheap", "dear"], 0.95, replications=2)
    table = table[table["options"] != ""]
    assert len(table) == 1
    told = with_options(city, dict(table[["project", "options"]].to_numpy()))
    built = build(told, planned=planned, replications=1)
    begins = built.start[0, built.projects.index(table["project"].iloc[0])]
    assert to_day(table["decide_by"].iloc[0]) <= begins


def test_an_option_that_a_county_cannot_have_is_not_offered():
    phases = [*CREW[:1], phase("structure", 2.0, "night_work", "night_crews=1", 0.01)]
    found = accelerate(site(TWO, phases, night_crews=0), "p", 0.9, replications=2)
    assert found.measures.empty


@pytest.mark.slow
def test_the_fewest_options_for_a_number():
    """Between the points of the curve the fewest are looked for where a number is named."""
    city = site([(f"S{i}", 1e6, {}) for i in range(12)], CREW[:2], outside=12, number=9)
    found = accelerate(city, "p", 0.9, [4, 7], replications=2)
    for number in (4, 7, 9):
        size = int(found.enough(number)["measures"])
        told = with_options(city, found.bought(size - 1))
        fewer = (build(told, replications=2).opening <= to_day("2022-12-31")).sum(axis=1)
        assert fewer.max() < number


@pytest.mark.parametrize(
    ("bought", "message"),
    [
        ({"nobody": "two_shifts"}, "no project 'nobody'"),
        ({"cheap": "three_shifts"}, r"no option 'three_shifts': two_shifts \(the nearest known\)"),
        ({"cheap": "two_shifts;outside_crew"}, "are for the same phase"),
    ],
)
def test_what_cannot_be_bought_is_refused(bought, message):
    with pytest.raises(ValueError, match=message):
        with_options(site(TWO, CREW, outside=1), bought)


def test_options_of_the_table_are_checked():
    rows = [
        *CREW[:1],
        phase("roof", 1.0, "glass", share=0.1),
        phase("structure", 1.0, "free"),
        phase("structure", 1.0, "tied", share=0.1, after="structure", milestone="built"),
    ]
    projects = [("S", 1e6, {"options": "tied;free"}), ("T", 1e6, {"options": "gone"})]
    with pytest.raises(ScenarioError) as error:
        site(projects, rows)
    text = str(error.value)
    for part in (
        "phase: 'roof' where a usual phase of the same project or kind",
        "option_cost_share: '' where a number (0 where an option costs nothing)",
        "after: 'structure' where nothing (an option stands for the usual phase)",
        "milestone: 'built' where nothing (an option stands for the usual phase)",
        "options: 'free' where one option for phase structure",
        "options: 'gone' where an option of the project in phases.csv",
    ):
        assert part in text


def test_unknown_programme_and_probability():
    city = site(TWO, CREW, outside=1)
    with pytest.raises(ValueError, match="no programme 'q'"):
        accelerate(city, "q")
    with pytest.raises(ValueError, match="between 0 and 1"):
        accelerate(city, "p", 1.0)
