"""Catchments: whole neighbourhoods, without islands, as cheap as any that can be drawn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maps import cheapest, planar, town_map

import capsim
from capsim.certificate import certify
from capsim.model.links import Catchments, complete_catchments


def planned(scenario: capsim.Scenario) -> Any:
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


@pytest.mark.parametrize("seed", range(8))
def test_as_cheap_as_any_catchments_on_a_map(seed: int) -> None:
    """Every assignment tried, its islands found by walking; borders by distance, or listed."""
    rng = np.random.default_rng(seed)
    listed = planar(rng, 7) if seed % 2 else None
    scenario = town_map(seed, borders=listed)
    plan = planned(scenario)
    assert plan.avoidable_cny == pytest.approx(cheapest(scenario), rel=1e-6)
    assert len(plan.tables["catchments"]) == 7


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_islands_are_allowed_where_they_are(seed: int) -> None:
    scenario = town_map(seed, catchments={"connected": False})
    assert planned(scenario).avoidable_cny == pytest.approx(cheapest(scenario, connected=False))


def test_several_schools_may_stand_in_a_neighbourhood() -> None:
    """Three schools in two areas: an area goes to one, others pass through it to the other."""
    scenario = town_map(5, areas=6, schools=3)
    schools = scenario.table("schools").assign(area=["a0", "a0", "a3"])
    scenario = scenario.variant(tables={"schools": schools})
    assert planned(scenario).avoidable_cny == pytest.approx(cheapest(scenario), rel=1e-6)


def river() -> capsim.Scenario:
    """Four areas in a row, a school at either end; a1 is reached through a2 only.

    It is nearest to go 1 km each way, a1 to the west and a2 to the east: 12,000 RMB. But then a1
    is an island, and one of the two has to go 2 km.
    """
    scenario = town_map(0, areas=4, schools=2, borders=[(0, 2), (2, 1), (2, 3)])
    row = scenario.table("areas").assign(x_km=[0.0, 1, 2, 3], y_km=0.0)
    children = scenario.table("forecast").assign(pupils=20.0)
    schools = scenario.table("schools").assign(area=["a0", "a3"], places=100.0)
    return scenario.variant(tables={"areas": row, "forecast": children, "schools": schools})


def test_who_goes_to_no_public_school_has_a_catchment_all_the_same() -> None:
    """Nobody lives in a1 and a2; a2 is 1 km from the east, through which a1 is then reached."""
    scenario = river()
    children = scenario.table("forecast")
    children.loc[children["area"].isin(["a1", "a2"]), "pupils"] = 0.0
    plan = planned(scenario.variant(tables={"forecast": children}))
    drawn = plan.tables["catchments"].set_index("area")["school"]
    assert drawn.to_dict() == {"a0": "s0", "a1": "s1", "a2": "s1", "a3": "s1"}
    assert plan.avoidable_cny == pytest.approx(0.0)


@pytest.mark.parametrize("connected", [True, False])
def test_the_rest_join_the_nearest_catchment_that_they_border(connected: bool) -> None:
    """Areas 0 to 3 in a row, schools A in 0 and B in 3; only 3 is served, 0 has no school yet.

    1 would rather go to A, where there is nobody to join; it goes to B through 2. Where islands are
    allowed it goes to A, but for that A is not there yet.
    """
    area, provider = np.array([0, 1, 2, 1, 2, 3]), np.array([0, 0, 0, 1, 1, 1])
    steps = np.array([[1, 0], [1, 2], [2, 1], [3, 4], [4, 3], [4, 5]])
    drawn = Catchments(
        link=np.arange(6),
        area=area,
        provider=provider,
        home=np.array([True, False, False, False, False, True]),
        step_from=steps[:, 0] if connected else steps[:0, 0],
        step_to=steps[:, 1] if connected else steps[:0, 1],
        drawn=np.array([2022]),
        epoch=np.array([0]),
        connected=connected,
    )
    served = np.array([[False], [False], [False], [False], [False], [True]])
    cost = np.array([0.0, 1.0, 2.0, 2.0, 1.0, 0.0])
    for stands, expected in ((provider == 1, [3, 4, 5]), (provider >= 0, [0, 1, 4, 5])):
        out = complete_catchments(drawn, served, np.zeros(6, int), cost, stands[:, None])
        assert np.flatnonzero(out[:, 0]).tolist() == expected
    assert served.sum() == 1


@pytest.mark.slow
def test_an_island_is_led_through_its_neighbour() -> None:
    free = planned(river().variant({"catchments.connected": False}))
    held = planned(river())
    assert free.avoidable_cny == pytest.approx(300 * (20 + 20))
    assert held.avoidable_cny == pytest.approx(300 * (20 + 2 * 20))
    certificate = certify(river(), free)
    assert not certificate.holds()
    assert certificate.worst == "catchment: islands: ('s0 junior 2022', 'a1')"


@pytest.mark.slow
@pytest.mark.parametrize("anew", [True, False])
def test_a_school_that_closes_has_no_catchment_then(anew: bool) -> None:
    """Drawn once for both years, the catchment of the other school is all there is."""
    closing = {"project": "C", "stage": "junior", "area": "a0", "kind": "close", "school": "s0"}
    closing |= {"status": "ordered", "earliest_opening": "2023-09-01", "due": "2023-09-01"}
    closing |= {"places": 0, "places_given_up": 100, "capital_cny": 0}
    children = river().table("forecast")
    later = children[children["school_year"] == 2022].assign(school_year=2023)
    tables = {
        "projects": pd.DataFrame([closing]),
        "forecast": pd.concat([children, later]),
    }
    settings = {"horizon.last_year": 2023, "catchments.drawn": [2023] if anew else []}
    plan = planned(river().variant(settings, tables=tables))
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(0)
    drawn = plan.tables["catchments"].groupby("from_year")["school"].agg(set).to_dict()
    assert drawn == ({2022: {"s0", "s1"}, 2023: {"s1"}} if anew else {2022: {"s1"}})


@pytest.mark.slow
def test_the_certificate_finds_what_is_wrong_with_catchments() -> None:
    scenario = town_map(1)
    plan = planned(scenario)
    table = plan.tables["catchments"]
    whose = table["school"]
    other = {one: next(s for s in ("s0", "s1", "s2") if s != one) for one in set(whose)}

    def worst(changed: pd.DataFrame) -> str:
        found = certify(scenario, _with(plan, changed))
        assert not found.holds()
        return " ".join(found.table[found.table["max_violation"] > 1e-6]["worst"])

    assert "outside the catchment" in worst(table.iloc[1:])
    assert "outside the catchment" in worst(table.assign(school=whose.map(other)))
    assert "row twice" in worst(pd.concat([table, table.iloc[:1]]))
    for column, value in (("school", "s9"), ("area", "a99"), ("stage", "primary")):
        assert "no such catchment" in worst(table.assign(**{column: [value, *table[column][1:]]}))
    assert "no such catchment" in worst(table.assign(from_year=2023))
    assert "catchments.county" in worst(table.assign(county="D"))
    flows = plan.tables["flows"].assign(school_year=float("nan"))
    lost = replace(plan, tables={**plan.tables, "flows": flows})
    assert "no such link" in certify(scenario, lost).table.to_string()
    off = scenario.variant({"switches.catchment": False})
    assert "no such catchment" in certify(off, plan).worst


def _with(plan: Any, catchments: pd.DataFrame) -> Any:
    return replace(plan, tables={**plan.tables, "catchments": catchments})


@pytest.mark.slow
def test_drawn_anew_when_a_school_opens() -> None:
    """A school for the far end opens in 2023: catchments drawn once cannot use it at all."""
    base = town_map(3, areas=6, schools=2, years=3)
    built = {"project": "n", "stage": "junior", "area": "a5", "kind": "new", "places": 150}
    built |= {"capital_cny": 0.0, "status": "ordered", "earliest_opening": "2023-09-01"}
    projects = pd.DataFrame([built | {"due": "2023-09-01"}])
    scenario = base.variant({"costs.shortfall_cny": 1e6}, tables={"projects": projects})
    once = planned(scenario)
    assert set(once.tables["catchments"]["from_year"]) == {2022}
    assert "n" not in set(once.tables["catchments"]["school"])
    anew = planned(scenario.variant({"catchments.drawn": [2023]}))
    drawn = anew.tables["catchments"]
    assert set(drawn["from_year"]) == {2022, 2023}
    assert set(drawn[drawn["school"] == "n"]["from_year"]) == {2023}
    assert anew.avoidable_cny < once.avoidable_cny


@pytest.mark.slow
def test_private_schools_are_a_free_choice() -> None:
    scenario = town_map(2)
    schools = scenario.table("schools")
    private = schools.iloc[[0]].assign(school="v", sector="private", pupils=40.0, places=40.0)
    mixed = scenario.variant(tables={"schools": pd.concat([schools, private])})
    plan = planned(mixed)
    assert planned(mixed).avoidable_cny <= planned(scenario).avoidable_cny + 1e-6
    assert plan.tables["schools"].set_index("school").loc["v", "pupils"] > 0


@pytest.mark.slow
def test_too_little_room_is_explained_by_the_catchments() -> None:
    """Two areas of 60 and two schools of 60 in one of them and of 80 in a third, empty one.

    By itself each child has a place; drawn whole with a tight ceiling, 60 + 60 + 20 do not fit.
    """
    scenario = town_map(0, areas=3, schools=2)
    areas = scenario.table("areas").assign(x_km=[0.0, 1.0, 2.0], y_km=0.0)
    children = scenario.table("forecast").assign(pupils=[50.0, 50, 50, 50, 50, 50])
    schools = scenario.table("schools").assign(area=["a0", "a2"], places=[75.0, 75.0])
    tight = scenario.variant(
        {"standards.junior.class_ceiling": 50.0},
        tables={"areas": areas, "forecast": children, "schools": schools},
    )
    plan = planned(tight)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(25.0)
    answer = plan.explain()
    assert answer is not None
    assert set(answer.conflicts[0]) == {"every child", "seats", "catchments"}
    alone = answer.table.dropna(subset=["alone"]).set_index("rule")["alone"]
    assert alone["catchments"] == pytest.approx(25.0)
    assert "25 children go to another school than that of their catchment" in "\n".join(
        answer.sentences
    )


def test_drawn_catchments_are_priced() -> None:
    plan = planned(town_map(4))
    assert len(plan.prices(["place"]).table)


def test_the_simulation_seats_the_children_of_the_plan() -> None:
    plan = planned(town_map(6))
    costs = capsim.simulate(plan, draws=1, seed=0, uncertainty=False).tables["costs"]
    told = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    assert costs.set_index("kind")["mean_cny"]["travel"] == pytest.approx(told["travel"], rel=1e-9)


def test_faults_are_named() -> None:
    with pytest.raises(capsim.ScenarioError, match=r"catchments.stages: 'senor' where a stage"):
        town_map(0, catchments={"stages": ["senor"]})
    with pytest.raises(capsim.ScenarioError, match=r"catchments.drawn: '2030'.*a planned year"):
        town_map(0, catchments={"drawn": [2030]})
    with pytest.raises(capsim.ScenarioError, match=r"to_area.*another area"):
        town_map(0, borders=[(1, 1)])
    scenario = town_map(0)
    with pytest.raises(capsim.ScenarioError, match=r"to_area.*'b1'.*an area"):
        scenario.variant(tables={"borders": pd.DataFrame({"area": ["a1"], "to_area": ["b1"]})})
    unlinked = {"travel": {"within_county": True}}
    with pytest.raises(capsim.ScenarioError, match="a row of links from its own area"):
        town_map(0, **unlinked)
    no_map = scenario.table("areas").assign(x_km=np.nan, y_km=np.nan)
    links = scenario.table("links").assign(km=1.0)
    with pytest.raises(capsim.ScenarioError, match="coordinates, or a table borders"):
        scenario.variant({"travel.nearest": {}}, tables={"areas": no_map, "links": links})
