"""Nearby entry: links to the nearest schools within a radius, against a count by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capsim
from capsim.certificate import certify

STAGES = ("primary", "junior")


def county(seed: int, travel: dict[str, Any], areas: int = 12) -> capsim.Scenario:
    """Neighbourhoods of two counties with schools beside them, some private, some projects."""
    rng = np.random.default_rng(seed)
    names = [f"a{i}" for i in range(areas)]
    frame = pd.DataFrame({"area": names, "county": [f"C{i % 2}" for i in range(areas)]})
    xy = rng.uniform(0, 6, (areas, 2)).round(3)
    schools = [
        {"school": f"{stage[0]}{i}", "stage": stage, "area": str(rng.choice(names))}
        | {"sector": "private" if i % 5 == 4 else "public", "places": 90, "pupils": 0}
        | ({} if i % 3 == 2 else dict(zip(("x_km", "y_km"), rng.uniform(0, 6, 2), strict=True)))
        for stage in STAGES
        for i in range(9)
    ]
    projects = [
        {"project": f"n{i}", "stage": "primary", "area": str(rng.choice(names)), "kind": "new"}
        | {"places": 90, "capital_cny": 1e6, "status": "candidate"}
        | {"earliest_opening": "2022-09-01", "x_km": x, "y_km": y}
        for i, (x, y) in enumerate(rng.uniform(0, 6, (3, 2)))
    ]
    children = [
        {"area": a, "grade": g, "school_year": y, "pupils": float(rng.integers(5, 40))}
        for a in names
        for g in ("1", "7")
        for y in (2021, 2022)
    ]
    size = {"class_size": 45, "class_ceiling": 55}
    return capsim.Scenario.from_tables(
        settings={
            "name": "near",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "standards": {
                "primary": {"grades": ["1"], **size},
                "junior": {"grades": ["7"], **size},
            },
            "costs": {"discount_rate": 0.0},
            "travel": travel,
            "switches": {"staff": False},
        },
        areas=frame.assign(x_km=xy[:, 0], y_km=xy[:, 1]),
        forecast=pd.DataFrame(children),
        schools=pd.DataFrame(schools),
        projects=pd.DataFrame(projects),
    )


def by_hand(
    scenario: capsim.Scenario, stage: str, nearest: int, radius_km: float
) -> set[tuple[str, str]]:
    """Area and public school, one pair at a time."""
    areas = scenario.table("areas").set_index("area")
    schools = scenario.table("schools").query(f"stage == '{stage}' and sector == 'public'")
    projects = scenario.table("projects").query(f"stage == '{stage}' and school == ''")
    sites = [(r.school, r.area, r.x_km, r.y_km, True) for r in schools.itertuples()]
    sites += [(r.project, r.area, r.x_km, r.y_km, False) for r in projects.itertuples()]
    pairs = set()
    for area, row in areas.iterrows():
        ranked = []
        for school, home, x, y, stands in sites:
            if areas.loc[home, "county"] != row["county"]:
                continue
            at = (areas.loc[home, "x_km"], areas.loc[home, "y_km"]) if math.isnan(x) else (x, y)
            km = math.dist(at, (row["x_km"], row["y_km"]))
            ranked.append((km, school, home, stands))
        for km, school, home, _ in ranked:
            nearer = sum(stands and other < km for other, _, _, stands in ranked)
            if (nearer < nearest and km <= radius_km) or home == area:
                pairs.add((str(area), school))
    return pairs


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("nearest", "radius_km"), [(2, 2.0), (1, None), (None, 1.5), (50, 9.0)])
def test_links_are_those_counted_by_hand(
    seed: int, nearest: int | None, radius_km: float | None
) -> None:
    travel = {"nearest": nearest, "radius_km": radius_km}
    travel = {key: {"primary": value} for key, value in travel.items() if value is not None}
    scenario = county(seed, travel)
    links = scenario.table("links")
    assert scenario.has("links")
    direct = links[links["to_school"] != ""]
    assert set(direct["stage"]) == {"primary"}
    pairs = set(zip(direct["area"], direct["to_school"], strict=True))
    assert pairs == by_hand(scenario, "primary", nearest or 99, radius_km or math.inf)
    assert len(pairs) == len(direct)


def test_other_stages_and_private_schools_are_reached_as_before() -> None:
    scenario = county(1, {"nearest": {"primary": 1}})
    links = scenario.table("links").query("to_area != ''")
    of = scenario.table("areas").set_index("area")["county"]
    private = set(
        scenario.table("schools").query("sector == 'private' and stage == 'primary'").area
    )
    for stage, ends in (("primary", private), ("junior", set(of.index))):
        rows = links[links["stage"] == stage]
        pairs = set(zip(rows["area"], rows["to_area"], strict=True))
        assert pairs == {(a, b) for a in of.index for b in ends if of[a] == of[b]}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_plan_keeps_to_the_nearest(seed: int) -> None:
    """Optimizer, certificate and simulation read the same links; more choice is never dearer."""
    cost = []
    for nearest in (1, 2, 9):
        scenario = county(seed, {"nearest": {"primary": nearest, "junior": nearest}})
        plan = capsim.optimize(scenario, gap=1e-6, threads=1)
        assert certify(scenario, plan).holds(1e-6)
        cost.append(plan.objective_cny)
        flows = plan.tables["flows"].query("pupils > 1e-6 and to_school != ''")
        for stage in STAGES:
            mine = flows[flows["stage"] == stage]
            used = set(zip(mine["area"], mine["to_school"], strict=True))
            assert used <= by_hand(scenario, stage, nearest, math.inf)
    assert cost[0] >= cost[1] - 1 >= cost[2] - 2


def test_a_variant_has_its_own_links() -> None:
    near = county(2, {"nearest": {"primary": 1}})
    wide = near.variant({"travel.nearest.primary": 9})
    assert len(wide.table("links")) > len(near.table("links"))
    assert not wide.shares_tables(near)
    model = capsim.formulate(near)
    again = capsim.formulate(wide, model.given.demand, like=model)
    assert len(again.parts.links.area) == len(capsim.formulate(wide).parts.links.area)
    assert near.hash != wide.hash


def test_made_links_are_not_saved(tmp_path: Any) -> None:
    scenario = county(2, {"nearest": {"primary": 1}})
    scenario.save(tmp_path / "near")
    assert not (tmp_path / "near" / "links.csv").exists()
    read = capsim.load(tmp_path / "near")
    assert read == scenario
    pd.testing.assert_frame_equal(read.table("links"), scenario.table("links"))


@pytest.mark.parametrize(
    ("travel", "message"),
    [
        ({"nearest": {"university": 2}}, "a stage"),
        ({"nearest": {"primary": 0}}, "greater than or equal to 1"),
        ({"radius_km": {"primary": 0}}, "greater than 0"),
    ],
)
def test_settings_that_are_faults(travel: dict[str, Any], message: str) -> None:
    with pytest.raises(capsim.ScenarioError, match=rf"travel\.\w+.*{message}"):
        county(0, travel)


def test_listed_links_and_missing_coordinates_are_faults() -> None:
    scenario = county(0, {"nearest": {"primary": 2}})
    listed = scenario.table("links").iloc[:3]
    with pytest.raises(capsim.ScenarioError, match="nothing where a table links lists"):
        scenario.variant(tables={"links": listed})
    areas = scenario.table("areas")
    areas.loc[3, ["x_km", "y_km"]] = np.nan
    with pytest.raises(capsim.ScenarioError, match=r"coordinates, which travel.nearest measures"):
        scenario.variant(tables={"areas": areas})
