"""Areas and schools read from maps, and put into a scenario."""

import itertools
import os
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from drawn_maps import CORNER, STEP, feature, grid, km, point, quarter, square, write
from hypothesis import given, settings
from hypothesis import strategies as st

import capsim
from capsim.scenario.faults import ScenarioError
from capsim.scenario.geography import MOST_POINTS, scenario_files, shows
from capsim.scenario.travel import from_gcj02, to_gcj02

geopandas = pytest.importorskip("geopandas")
import shapely  # noqa: E402 (with geopandas)

# Control points of public implementations (googollee/eviltransform, transform_test): longitude and
# latitude of WGS-84 and of GCJ-02, in Shanghai, Shenzhen and Beijing.
CONTROL = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]
METRE = 1 / 111_195
"""Of a degree of latitude."""


@pytest.fixture
def areas_file(tmp_path):
    return write(tmp_path / "areas.geojson", grid())


def test_areas_of_a_grid_by_hand(areas_file):
    found = capsim.read_areas(areas_file)
    assert found.table["area"].tolist() == ["f00", "f01", "f10", "f11"]
    assert found.table["county"].tolist() == ["South", "South", "North", "North"]
    assert found.origin == (CORNER[0] + STEP, CORNER[1] + STEP)
    middle = km(CORNER[0] + STEP / 2, CORNER[1] + STEP / 2, found.origin)
    assert found.table.loc[0, ["x_km", "y_km"]].tolist() == pytest.approx(middle, abs=1e-5)
    # A field of 0.05 degrees on the ellipsoid: 5.55 km by 4.51 km at 36 degrees north.
    assert found.table["area_km2"].tolist() == pytest.approx(
        [25.0034, 25.0034, 24.9878, 24.9878], abs=1e-3
    )
    assert found.table.loc[0, ["longitude", "latitude"]].tolist() == pytest.approx(
        [114.025, 36.025], abs=1e-6
    )
    borders = set(zip(found.borders["area"], found.borders["to_area"], strict=True))
    assert borders == {("f00", "f01"), ("f00", "f10"), ("f01", "f11"), ("f10", "f11")}
    assert found.boundaries.groupby("area").size().to_dict() == dict.fromkeys(
        found.table["area"], 4
    )


@given(st.integers(1, 5), st.integers(1, 5), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_fields_border_those_with_a_side_in_common(tmp_path_factory, rows, columns, random):
    """Beside and above each other, never across a corner, in whatever order they are listed."""
    fields = grid(rows, columns)
    random.shuffle(fields)
    found = capsim.read_areas(write(tmp_path_factory.mktemp("grid") / "g.geojson", fields))
    borders = {frozenset(pair) for pair in found.borders[["area", "to_area"]].to_numpy().tolist()}
    cells = list(itertools.product(range(rows), range(columns)))
    expected = {
        frozenset((f"f{r}{c}", f"f{a}{b}"))
        for (r, c), (a, b) in itertools.combinations(cells, 2)
        if abs(r - a) + abs(c - b) == 1
    }
    assert borders == expected
    assert len(found.borders) == len(expected)


def test_a_gap_of_a_metre_is_none_and_one_of_ten_is(tmp_path):
    for gap, many in ((METRE, 1), (10 * METRE, 0)):
        fields = [
            feature("Polygon", [square(114.0, 36.0)], name="a"),
            feature("Polygon", [square(114.0, 36.0 + STEP + gap)], name="b"),
        ]
        found = capsim.read_areas(write(tmp_path / "gap.geojson", fields))
        assert len(found.borders) == many
        alone = any("share a boundary with no other" in str(note) for note in found.notes)
        assert alone == (many == 0)


def test_holes_parts_and_a_centroid_outside(tmp_path):
    ring = [square(114.0, 36.0, 0.3), square(114.1, 36.1, 0.1)[::-1]]
    parts = [[square(115.0, 36.0)], [square(115.2, 36.0)]]
    fields = [
        feature("Polygon", ring, name="ring"),
        feature("Polygon", [square(114.1, 36.1, 0.1)], name="in the hole"),
        feature("MultiPolygon", parts, name="two islands"),
    ]
    found = capsim.read_areas(write(tmp_path / "odd.geojson", fields))
    assert found.borders.to_numpy().tolist() == [["ring", "in the hole"]]
    rings = found.boundaries.groupby("area")["ring"].nunique()
    assert rings.to_dict() == {"in the hole": 1, "ring": 2, "two islands": 2}
    places = found.locate(found.table["x_km"].to_numpy(), found.table["y_km"].to_numpy())
    assert places["area"].tolist() == ["ring", "in the hole", "two islands"]
    assert places["outside_km"].tolist() == [0.0, 0.0, 0.0]
    assert "2 areas lie round their centroid (ring)" in " ".join(map(str, found.notes))
    whole, hole = found.table["area_km2"][0] + found.table["area_km2"][1], found.table["area_km2"]
    assert whole == pytest.approx(9 * hole[1], rel=2e-3)


def test_one_area_alone(tmp_path):
    found = capsim.read_areas(write(tmp_path / "one.geojson", grid(1, 1)))
    assert (len(found.table), len(found.borders), found.table["x_km"][0]) == (1, 0, 0.0)


def test_schools_on_borders_and_outside(areas_file, tmp_path):
    found = capsim.read_areas(areas_file)
    spots = [point("in", 1.5, 0.5), point("on", 1.0, 0.5), point("corner", 1, 1)]
    spots += [point("near", -0.01, 0.5), point("far", 4.0, 0.5)]
    read = capsim.read_points(write(tmp_path / "s.geojson", spots), origin=found.origin)
    assert read["school"].tolist() == ["in", "on", "corner", "near", "far"]
    where = found.locate(read["x_km"].to_numpy(), read["y_km"].to_numpy())
    assert where["area"].tolist() == ["f01", "f00", "f00", "f00", "f01"]
    # Fields are 4.5 km wide: a hundredth of one, and two of them, away.
    assert where["outside_km"].round(2).tolist() == [0, 0, 0, 0.04, 8.99]


@pytest.mark.parametrize(("wgs84", "gcj02"), CONTROL)
def test_gcj02_has_the_published_control_points(wgs84, gcj02):
    there, back = to_gcj02(np.array([wgs84])), from_gcj02(np.array([gcj02]))
    assert np.abs(there - [gcj02]).max() < 0.001 * METRE
    assert np.abs(back - [wgs84]).max() < 0.001 * METRE


@pytest.mark.slow
@given(st.floats(74, 135), st.floats(4, 53))
@settings(max_examples=200)
def test_gcj02_is_undone_to_a_millimetre_and_is_wgs84_elsewhere(lon, lat):
    place = np.array([[lon, lat]])
    assert np.abs(from_gcj02(to_gcj02(place)) - place).max() < 0.001 * METRE
    abroad = place - [150.0, 0.0]
    assert (to_gcj02(abroad) == abroad).all()


def test_gcj02_is_stated_and_turned(tmp_path):
    shifted = grid()
    for one in shifted:
        ring = np.array(one["geometry"]["coordinates"][0])
        one["geometry"]["coordinates"] = [to_gcj02(ring).tolist()]
    plain = capsim.read_areas(write(tmp_path / "plain.geojson", grid()))
    found = capsim.read_areas(write(tmp_path / "shifted.geojson", shifted), crs="gcj02")
    assert found.table["longitude"].tolist() == pytest.approx(plain.table["longitude"], abs=1e-6)
    assert "turned from GCJ-02" in " ".join(map(str, found.notes))
    assert "--crs gcj02" in " ".join(map(str, plain.notes))
    table = tmp_path / "学校.csv"
    lon, lat = to_gcj02(np.array([[114.01, 36.01]]))[0].tolist()
    table.write_text(f"学校名称,经度,纬度\n一小,{lon},{lat}\n", "gbk")
    read = capsim.read_points(table, crs="gcj02")
    assert read.loc[0, ["longitude", "latitude"]].tolist() == pytest.approx([114.01, 36.01])
    assert read.loc[0, "school"] == "一小"


def test_every_format_says_the_same(areas_file, tmp_path):
    plain = capsim.read_areas(areas_file)
    frame = geopandas.read_file(areas_file)
    folder = tmp_path / "图 层"
    folder.mkdir()
    frame.to_file(folder / "片区.gpkg")
    frame.to_file(folder / "片区.shp", encoding="utf-8")
    frame.to_crs(4547).to_file(folder / "metres.gpkg")
    frame[["街道", "geometry"]].to_file(folder / "gbk.shp", encoding="gb18030")
    os.remove(folder / "gbk.cpg")
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        for part in folder.glob("片区.*"):
            if part.suffix != ".gpkg":
                archive.write(part, part.name)
    for name in ("片区.gpkg", "片区.shp", "metres.gpkg", "packed.zip"):
        found = capsim.read_areas(folder / name)
        assert shows(folder / name) == ("areas",)
        assert found.table["area"].tolist() == plain.table["area"].tolist()
        assert found.table["x_km"].tolist() == pytest.approx(plain.table["x_km"], abs=1e-4)
        assert found.borders.equals(plain.borders)
    # Three characters are too few to tell Chinese from Korean; a list of schools is enough.
    assert "--encoding gb18030" in faults_of(lambda: capsim.read_areas(folder / "gbk.shp"))
    found = capsim.read_areas(folder / "gbk.shp", encoding="gb18030")
    assert found.table["area"][0] == "第 00 街道"
    frame["学校名称"] = ["市区第一小学", "北关小学", "实验学校", "东方红小学"]
    frame[["学校名称", "geometry"]].to_file(folder / "gbk.shp", encoding="gb18030")
    os.remove(folder / "gbk.cpg")
    found = capsim.read_areas(folder / "gbk.shp")
    assert found.table["area"][0] == "市区第一小学"
    assert "GBK" in str(found.notes[0])


def faults_of(call):
    with pytest.raises(ScenarioError) as caught:
        call()
    return str(caught.value)


def test_a_shapefile_without_its_parts_says_what_to_do(areas_file, tmp_path):
    frame = geopandas.read_file(areas_file)
    frame.to_crs(4547).to_file(tmp_path / "a.shp")
    os.remove(tmp_path / "a.prj")
    said = faults_of(lambda: capsim.read_areas(tmp_path / "a.shp"))
    assert "a.prj" in said
    assert "--crs EPSG:4326" in said
    found = capsim.read_areas(tmp_path / "a.shp", crs="EPSG:4547")
    assert found.origin == pytest.approx((114.05, 36.05), abs=1e-5)
    said = faults_of(lambda: capsim.read_areas(tmp_path / "a.shp", crs="EPSG:4326"))
    assert "a longitude to 180" in said
    os.remove(tmp_path / "a.dbf")
    assert ".dbf" in faults_of(lambda: capsim.read_areas(tmp_path / "a.shp"))
    frame.to_crs(4547).to_file(tmp_path / "b.shp")
    said = faults_of(lambda: capsim.read_areas(tmp_path / "b.shp", crs="EPSG:27700"))
    assert "the coordinate system that the file states" in said
    assert "EPSG:4547" in faults_of(lambda: capsim.read_areas(tmp_path / "b.shp", crs="moon"))


def swapped(features):
    for one in features:
        ring = one["geometry"]["coordinates"][0]
        one["geometry"]["coordinates"] = [[[y, x] for x, y in ring]]
    return features


FLAT = [[1, 1], [2, 2], [1, 1], [1, 1]]
BAD = {
    "swapped": (swapped(grid()), "longitude and latitude are swapped"),
    "metres": ([feature("Polygon", [square(4e5, 4e6, 1e3)], name="a")], "say which coordinate"),
    "no rows": ([], "rows"),
    "points": ([point("a", 0, 0)], "one layer of shapes of kind Polygon"),
    "no shape": ([*grid(), feature("", None, name="z")], "feature"),
    "no area": (
        [*grid(), feature("Polygon", [[[1, 1], [2, 2], [1, 1], [1, 1]]], name="z")],
        "0 km",
    ),
    "no name": ([feature("Polygon", [square(0, 0)], size=3)], "--area-column COLUMN"),
    "blank": ([*grid(), feature("Polygon", [square(0, 0)], name="")], "row 5, name: ''"),
    "twice": ([*grid(), *grid(1, 1)], "row 5, name: 'f00' where each name once"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_map_of_areas_is_said(case, tmp_path):
    features, said = BAD[case]
    told = faults_of(lambda: capsim.read_areas(write(tmp_path / "x.geojson", features)))
    assert said.replace("feature", "row 5") in told
    for lang in ("zh",):
        from capsim.i18n.language import words

        with pytest.raises(ScenarioError) as caught:
            capsim.read_areas(tmp_path / "x.geojson")
        assert "处错误" in caught.value.text(words(lang))


@pytest.mark.parametrize("content", ["", "{}", "not a map", '{"type": "FeatureCollection"'])
def test_files_that_are_no_maps(content, tmp_path):
    path = tmp_path / "x.geojson"
    path.write_text(content)
    assert "x.geojson" in faults_of(lambda: capsim.read_areas(path))
    assert "no such file" in faults_of(lambda: capsim.read_areas(tmp_path / "none.geojson"))
    assert "no .shp" in faults_of(lambda: capsim.read_areas(shutil.make_archive(
        str(tmp_path / "z"), "zip", tmp_path)))  # fmt: skip


def test_boundaries_are_thinned_and_neighbours_still_fit(tmp_path):
    """Two fields with a shore of 30,000 points between them: both keep the same one."""
    y = np.linspace(0, 0.1, 30_001)
    shore = np.stack([114.1 + 0.003 * np.sin(900 * y), 36 + y], axis=1).tolist()
    west = [[114.0, 36.0], *shore, [114.0, 36.1], [114.0, 36.0]]
    east = [[114.2, 36.0], [114.2, 36.1], *shore[::-1], [114.2, 36.0]]
    fields = [feature("Polygon", [west], name="w"), feature("Polygon", [east], name="e")]
    found = capsim.read_areas(write(tmp_path / "shore.geojson", fields))
    assert len(found.boundaries) <= MOST_POINTS
    own = {
        area: shapely.Polygon(ring[["x_km", "y_km"]].to_numpy())
        for area, ring in found.boundaries.groupby("area")
    }
    assert own["w"].intersection(own["e"]).area < 1e-6
    assert own["w"].union(own["e"]).area == pytest.approx(found.table["area_km2"].sum(), rel=5e-3)
    assert len(found.borders) == 1


def test_a_scenario_on_the_map_and_back_from_disk(areas_file, tmp_path):
    spots = [point("p1", 0.5, 0.4), point("P2", 0.5, 1.5), point("elsewhere", 1, 1)]
    found = capsim.read_areas(areas_file)
    read = capsim.read_points(write(tmp_path / "s.geojson", spots), origin=found.origin)
    made, notes = capsim.with_maps(quarter(), found, read)
    told = "\n".join(map(str, notes))
    assert "1 place that the scenario does not have left out: elsewhere" in told
    assert "P2 (f10, f11)" in told
    schools = made.table("schools").set_index("school")
    there = km(CORNER[0] + 0.5 * STEP, CORNER[1] + 0.4 * STEP, found.origin)
    assert schools.loc["P1", ["x_km", "y_km"]].tolist() == pytest.approx(there, abs=1e-5)
    assert schools["area"].tolist() == ["f00", "f11", "f01"]
    assert np.isnan(schools.loc["V1", "x_km"])
    assert made.table("borders")[["area", "to_area"]].equals(found.borders)
    assert made.settings.map.origin == found.origin
    made.save(tmp_path / "town")
    assert capsim.load(tmp_path / "town") == made
    assert quarter().variant(tables={"boundaries": made.table("boundaries")}) != quarter()


def test_a_map_that_does_not_fit_is_refused(areas_file, tmp_path):
    found = capsim.read_areas(write(tmp_path / "three.geojson", grid()[:3]))
    assert "'f11' where an area of the map" in faults_of(lambda: capsim.with_maps(quarter(), found))
    whole = capsim.read_areas(areas_file)
    far = write(tmp_path / "far.geojson", [point("P1", 9, 0.5), point("P2", 1.5, 1.5)])
    read = capsim.read_points(far, origin=whole.origin)
    said = faults_of(lambda: capsim.with_maps(quarter(), whole, read))
    assert "P1 (31.5 km: f01)" in said
    turned = pd.DataFrame({"school": ["P1", "P2"], "lon": [36.02, 36.07], "lat": [114.02, 114.07]})
    turned["lat"] -= 90  # else no latitude
    turned.to_csv(tmp_path / "t.csv", index=False)
    read = capsim.read_points(tmp_path / "t.csv", origin=whole.origin)
    assert "P1 (" in faults_of(lambda: capsim.with_maps(quarter(), whole, read))
    # Points without the origin of the scenario's km, and km without one beside a map.
    assert "one origin" in faults_of(lambda: capsim.with_maps(quarter(), None, read))
    placed = quarter().table("schools").assign(x_km=1.0, y_km=2.0)
    old = quarter().variant(tables={"schools": placed})
    assert "one origin" in faults_of(lambda: capsim.with_maps(old, whole))


def test_swapped_schools_are_told_so(tmp_path):
    """In England degrees of both kinds are small: only the areas tell."""
    fields = [feature("Polygon", [square(-1.5, 52.0)], name="f")]
    found = capsim.read_areas(write(tmp_path / "a.geojson", fields))
    spot = feature("Point", [52.02, -1.48], name="S")
    read = capsim.read_points(write(tmp_path / "s.geojson", [spot]), origin=found.origin)
    said = faults_of(lambda: scenario_files("town", found, read))
    assert "longitude and latitude are swapped" in said


def test_a_new_scenario_begins_with_maps(areas_file, tmp_path):
    found = capsim.read_areas(areas_file)
    spots = [point("A", 0.5, 0.5, 学位=240, stage="primary"), point("B", 1.5, 1.5, 学位=360)]
    read = capsim.read_points(write(tmp_path / "s.geojson", spots), origin=found.origin)
    settings_made, tables, _ = scenario_files("town", found, read)
    assert settings_made["map"] == {"longitude": 114.05, "latitude": 36.05}
    assert tables["schools"]["area"].tolist() == ["f00", "f11"]
    assert tables["schools"]["places"].tolist() == ["240", "360"]
    assert tables["areas"]["county"].tolist() == ["South", "South", "North", "North"]


def test_degrees_keep_the_origin_they_were_projected_round():
    tables = {name: quarter().table(name) for name in ("areas", "schools", "forecast")}
    areas = tables["areas"].drop(columns=["x_km", "y_km"])
    tables["areas"] = areas.assign(lon=[114.0, 114.1, 114.0, 114.1], lat=[36.0, 36.0, 36.1, 36.1])
    basis = {"name": "q", "horizon": {"base_year": 2021, "last_year": 2022},
             "standards": {"primary": {"grades": ["1"], "class_size": 45, "class_ceiling": 55}},
             "costs": {"discount_rate": 0.0}, "switches": {"staff": False}}  # fmt: skip
    made = capsim.Scenario.from_tables(settings=basis, **tables)
    assert made.settings.map.origin == (114.05, 36.05)
    given_origin = {**basis, "map": {"longitude": 114.0, "latitude": 36.0}}
    other = capsim.Scenario.from_tables(settings=given_origin, **tables)
    assert other.table("areas").loc[0, ["x_km", "y_km"]].tolist() == [0.0, 0.0]
    half = {**basis, "map": {"longitude": 114.0}}
    with pytest.raises(ScenarioError, match=r"both map\.longitude"):
        capsim.Scenario.from_tables(settings=half, **tables)


def test_boundaries_of_two_points_or_of_no_area_are_faults(areas_file):
    made, _ = capsim.with_maps(quarter(), capsim.read_areas(areas_file))
    rings = made.table("boundaries")
    short = rings[(rings["area"] != "f00") | (rings["point"] < 3)]
    assert "three points" in faults_of(lambda: made.variant(tables={"boundaries": short}))
    lost = rings.replace({"area": {"f00": "f0O"}})
    assert "'f0O'" in faults_of(lambda: made.variant(tables={"boundaries": lost}))


def test_a_geopackage_gives_areas_and_schools(tmp_path, areas_file):
    spots = write(tmp_path / "s.geojson", [point("One", 0.5, 0.5), point("Two", 1.5, 1.5)])
    both = tmp_path / "both.gpkg"
    geopandas.read_file(areas_file).to_file(both, layer="areas")
    geopandas.read_file(spots).to_file(both, layer="schools")
    assert shows(both) == ("areas", "points")
    areas = capsim.read_areas(both)
    schools = capsim.read_points(both, origin=areas.origin)
    where = areas.locate(schools["x_km"].to_numpy(), schools["y_km"].to_numpy())
    assert where["area"].tolist() == ["f00", "f11"]


@pytest.mark.slow
def test_points_alone_are_tried_against_stored_boundaries(tmp_path):
    city = capsim.generate(areas=4, pupils=6000, name="town")
    fields = grid()
    for field, name in zip(fields, city.table("areas")["area"], strict=True):
        field["properties"]["name"] = name
    placed, _ = capsim.with_maps(city, capsim.read_areas(write(tmp_path / "a.geojson", fields)))
    school = placed.table("schools").iloc[0]
    home = list(city.table("areas")["area"]).index(school["area"])

    def put(x, y):
        spots = write(tmp_path / "s.geojson", [point(school["school"], x, y)])
        points = capsim.read_points(spots, origin=placed.settings.map.origin)
        return "\n".join(map(str, capsim.with_maps(placed, None, points)[1]))

    assert "another area" not in put(home % 2 + 0.5, home // 2 + 0.5)
    assert "lies in another area than its row says" in put((home + 1) % 2 + 0.5, home // 2 + 0.5)
    with pytest.raises(ScenarioError, match="inside the areas of boundaries"):
        put(30, 0.5)
