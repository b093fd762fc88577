"""Ways along roads and by a matrix, on networks small enough to add up by hand."""

import numpy as np
import pandas as pd
import pytest
from drawn_maps import CORNER, STEP, grid, quarter, write
from hypothesis import given, settings
from hypothesis import strategies as st

import capsim
from capsim.scenario.faults import ScenarioError
from capsim.scenario.travel import Roads, ways

pytest.importorskip("geopandas")


@pytest.fixture
def town(tmp_path):
    """Four fields of a grid with a school in two of them, on the map."""
    return capsim.with_maps(quarter(), capsim.read_areas(write(tmp_path / "a.geojson", grid())))[0]


def middle(name):
    """Longitude and latitude of the middle of a field."""
    row, column = int(name[1]), int(name[2])
    return CORNER[0] + STEP * (column + 0.5), CORNER[1] + STEP * (row + 0.5)


def edges(rows):
    """A table of edges between the middles of fields."""
    heads = ["from", "to", "km", "minutes", "oneway"]
    table = pd.DataFrame(rows, columns=heads)
    for end in ("from", "to"):
        for axis, name in enumerate(("lon", "lat")):
            table[f"{end}_{name}"] = [middle(one)[axis] for one in table[end]]
    return table


RING = [
    ("f00", "f01", 5.0, 6.0, "no"),
    ("f01", "f11", 7.0, 8.0, "no"),
    ("f11", "f10", 5.5, 5.0, "yes"),
]


def links_of(scenario):
    rows = scenario.table("links")
    ends = rows["to_area"].where(rows["to_area"] != "", rows["to_school"])
    return {pair: (km, minutes) for *pair, km, minutes in
            zip(rows["area"], ends, rows["km"], rows["minutes"], strict=True)
            for pair in [tuple(pair)]}  # fmt: skip


def test_ways_along_a_table_of_edges(town, tmp_path):
    edges(RING).to_csv(tmp_path / "r.csv", index=False)
    roads = capsim.read_roads(tmp_path / "r.csv", origin=town.settings.map.origin)
    made, notes = capsim.with_ways(town, roads)
    found = links_of(made)
    # Counties are South (f00, f01) and North (f10, f11); the road of the north leads one way.
    assert set(found) == {("f00", "f01"), ("f01", "f00"), ("f11", "f10")}
    assert found["f00", "f01"] == pytest.approx((5.0, 6.0), abs=0.01)
    assert found["f11", "f10"] == pytest.approx((5.5, 5.0), abs=0.01)
    assert "1 link, which is left out: f10 - f11" in str(notes[0])


def test_links_that_are_listed_keep_whom_they_link(town, tmp_path):
    edges(RING).to_csv(tmp_path / "r.csv", index=False)
    listed = pd.DataFrame({"area": ["f00", "f00", "f10"], "to_school": ["P1", "P2", "P2"]})
    listed["km"] = 99.0
    other = town.variant(tables={"links": listed})
    roads = capsim.read_roads(tmp_path / "r.csv", origin=town.settings.map.origin)
    found = links_of(capsim.with_ways(other, roads)[0])
    assert found["f00", "P2"][0] == pytest.approx(12.0, abs=0.01)
    assert found["f00", "P1"][0] == pytest.approx(0.0, abs=0.01)
    assert ("f10", "P2") not in found


def test_nearby_links_become_a_table_of_ways(town, tmp_path):
    edges(RING[:2]).to_csv(tmp_path / "r.csv", index=False)
    near = town.variant({"travel.nearest": {"primary": 1}})
    roads = capsim.read_roads(tmp_path / "r.csv", origin=town.settings.map.origin)
    made, notes = capsim.with_ways(near, roads)
    assert not made.settings.travel.nearest
    assert made.table("links")["to_school"].isin(["P1", "P2", ""]).all()
    assert links_of(made)["f01", "P1"][0] == pytest.approx(5.0, abs=0.01)
    # f10 is 5.6 km north of f00: off every road of this network.
    assert "f10 (" in " ".join(map(str, notes))


GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="d0" for="node" attr.name="y" attr.type="string"/>
  <key id="d1" for="node" attr.name="x" attr.type="string"/>
  <key id="d2" for="edge" attr.name="length" attr.type="string"/>
  <key id="d3" for="edge" attr.name="oneway" attr.type="string"/>
  <graph edgedefault="{kind}">
    {nodes}
    <edge source="1" target="2" id="0"><data key="d2">5000</data><data key="d3">True</data></edge>
    <edge source="2" target="1" id="0"><data key="d2">6000</data></edge>
    <edge source="1" target="2" id="1"><data key="d2">{last}</data></edge>
  </graph>
</graphml>"""


def graphml(kind="directed", last="9000"):
    spots = {"1": middle("f00"), "2": middle("f01")}
    nodes = "".join(
        f'<node id="{key}"><data key="d0">{y}</data><data key="d1">{x}</data></node>'
        for key, (x, y) in spots.items()
    )
    return GRAPHML.format(kind=kind, nodes=nodes, last=last)


def test_graphml_as_osmnx_writes_it(town, tmp_path):
    path, origin = tmp_path / "r.graphml", town.settings.map.origin
    path.write_text(graphml())
    south = town.variant(tables={"links": pd.DataFrame({"area": ["f00", "f01"],
                                                        "to_area": ["f01", "f00"]})})  # fmt: skip
    found = links_of(capsim.with_ways(south, capsim.read_roads(path, origin=origin))[0])
    assert found["f00", "f01"][0] == pytest.approx(5.0, abs=0.01)
    assert found["f01", "f00"][0] == pytest.approx(6.0, abs=0.01)
    assert np.isnan(found["f00", "f01"][1])
    path.write_text(graphml("undirected"))
    found = links_of(capsim.with_ways(south, capsim.read_roads(path, origin=origin))[0])
    assert found["f01", "f00"][0] == pytest.approx(5.0, abs=0.01)


def test_what_is_no_network_is_said(town, tmp_path):
    origin, path = town.settings.map.origin, tmp_path / "r.graphml"
    for text, said in (
        (graphml(last="long"), "row 3, length: 'long' where the length of a road"),
        ("<graphml/>", "edges of roads"),
        ("no xml", "a map that can be read"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><graphml/>', "ENTITY"),
    ):
        path.write_text(text)
        with pytest.raises(ScenarioError, match=said.replace("(", "\\(")):
            capsim.read_roads(path, origin=origin)
    far = edges(RING).assign(from_lon=["", 400, 114.0])
    far.to_csv(tmp_path / "r.csv", index=False)
    with pytest.raises(ScenarioError) as caught:
        capsim.read_roads(tmp_path / "r.csv", origin=origin)
    assert [fault.row for fault in caught.value.faults] == [2, 3]


def test_a_matrix_wide_and_long(town, tmp_path):
    listed = pd.DataFrame({"area": ["f00", "f00", "f11"], "to_school": ["P1", "P2", "P2"]})
    other = town.variant(tables={"links": listed})
    wide = pd.DataFrame({"area": ["f00", "f01", "f10", "f11"], "P1": [1.5, 4, 5, ""],
                         "P2": [9, 6, 3, 2.5]})  # fmt: skip
    wide.to_csv(tmp_path / "w.csv", index=False)
    made = capsim.with_ways(other, capsim.read_matrix(tmp_path / "w.csv"))[0]
    assert {pair: km for pair, (km, _) in links_of(made).items()} == {
        ("f00", "P1"): 1.5, ("f00", "P2"): 9.0, ("f11", "P2"): 2.5}  # fmt: skip
    long = wide.melt("area", var_name="to", value_name="km")
    long[long["km"] != ""].to_csv(tmp_path / "l.csv", index=False)
    again = capsim.with_ways(other, capsim.read_matrix(tmp_path / "l.csv"))[0]
    assert again == made
    wide.assign(P1="far", P3=1).iloc[:3].to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(ScenarioError, match="a distance in km"):
        capsim.read_matrix(tmp_path / "w.csv")
    wide.rename(columns={"P2": "P3"}).iloc[:3].to_csv(tmp_path / "w.csv", index=False)
    with pytest.raises(ScenarioError) as caught:
        capsim.with_ways(other, capsim.read_matrix(tmp_path / "w.csv"))
    assert "P3" in str(caught.value)
    assert "'f11' where a row for each area" in str(caught.value)


@given(st.integers(2, 7), st.integers(0, 10**6))
@settings(max_examples=40)
def test_shortest_ways_are_those_of_floyd_and_warshall(many, seed):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 5, (many, 2))
    start, end = rng.integers(0, many, (2, 3 * many))
    km = np.hypot(*(xy[start] - xy[end]).T) * rng.uniform(1, 2, 3 * many)
    roads = Roads(*xy.T, start, end, km, np.full(len(km), np.nan))
    best = np.where(np.eye(many, dtype=bool), 0.0, np.inf)
    np.minimum.at(best, (start, end), km)
    for via in range(many):
        best = np.minimum(best, best[:, [via]] + best[[via], :])
    assert ways(roads, xy, xy)[0] == pytest.approx(best, abs=1e-6)
