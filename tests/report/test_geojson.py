"""Boundaries on maps, and the results of a plan as GeoJSON."""

import json

import numpy as np
import pytest
from drawn_maps import feature, grid, point, quarter, square, write
from matplotlib.collections import LineCollection, PathCollection

import capsim
from capsim.report import figures
from capsim.report.figures.maps import area_path, outlines
from capsim.report.files import files
from capsim.report.summary import summarize

geopandas = pytest.importorskip("geopandas")
import shapely  # noqa: E402 (with geopandas)


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    fields = grid()
    hole = square(114.01, 36.01, 0.02)[::-1]
    fields[0]["geometry"]["coordinates"].append(hole)
    island = [[square(114.2, 36.0)], fields[3]["geometry"]["coordinates"]]
    fields[3] = feature("MultiPolygon", island, name="f11", county="North")
    areas = capsim.read_areas(write(folder / "a.geojson", fields))
    spots = write(folder / "s.geojson", [point("P1", 0.8, 0.8), point("V1", 1.5, 0.5)])
    schools = capsim.read_points(spots, origin=areas.origin)
    return capsim.optimize(capsim.with_maps(quarter(), areas, schools)[0])


def test_results_as_geojson(planned, tmp_path):
    path = planned.to_geojson(tmp_path / "plan.geojson")
    frame = geopandas.read_file(path)
    areas = frame[frame["what"] == "area"].set_index("area")
    assert areas.crs.to_epsg() == 4326
    assert areas.geometry.is_valid.all()
    assert areas.geometry.geom_type.tolist() == ["Polygon"] * 3 + ["MultiPolygon"]
    assert shapely.area(areas.geometry.to_numpy()).tolist() == pytest.approx(
        [0.0025 - 0.0004, 0.0025, 0.0025, 0.005], rel=1e-3
    )
    balance = planned.tables["balance"].set_index("area")
    for name in ("children", "shortfall", "private"):
        assert areas[name].tolist() == pytest.approx(balance[name].tolist(), abs=1e-3)
    shares = (balance["private"] / balance["children"]).fillna(0.0)  # of nothing it is 0
    assert areas["private_share"].tolist() == pytest.approx(shares.tolist(), abs=1e-6)
    schools = frame[frame["what"] == "school"].set_index("school")
    assert schools["outcome"].to_dict() == {"P1": "stays", "P2": "stays", "V1": "stays"}
    assert schools.loc["P1", "geometry"].x == pytest.approx(114.04, abs=1e-5)
    assert schools.loc["P1", "geometry"].y == pytest.approx(36.04, abs=1e-5)
    # Without a place of its own a school stands where its area does.
    known = json.loads(path.read_text("utf-8"))
    assert known["name"] == "quarter"
    assert planned.to_geojson(tmp_path / "again.geojson").read_bytes() == path.read_bytes()


@pytest.mark.slow
def test_a_run_writes_it_beside_its_report(planned, tmp_path):
    def written(plan):
        return dict(files(plan, summarize(plan, seed=1, timings_s={})))

    path = planned.to_geojson(tmp_path / "plan.geojson")
    assert written(planned)["plan.geojson"] == path.read_bytes()
    assert "plan.geojson" not in written(capsim.optimize(quarter()))


def test_a_plan_of_nowhere_says_how_to_place_it(tmp_path):
    with pytest.raises(ValueError, match=r"map\.longitude"):
        capsim.optimize(quarter()).to_geojson(tmp_path / "x.geojson")
    assert not (tmp_path / "x.geojson").exists()


def test_the_map_draws_the_ground_of_areas_and_heavier_lines_between_counties(planned):
    ax = figures.all_figures(planned)["map"].axes[0]
    grounds = [one for one in ax.collections if isinstance(one, PathCollection)]
    assert any(len(one.get_paths()) == 4 and one.get_zorder() < 1 for one in grounds)
    heavy = [one for one in ax.collections if isinstance(one, LineCollection)]
    sides = {
        tuple(sorted(map(tuple, np.round(part, 2).tolist())))
        for one in heavy
        for part in one.get_segments()
    }
    corners = outlines(planned.scenario)["f00"][0]

    def side(axis, which):
        """The side of f00 that lies at an end of an axis."""
        level = which(corners[:, axis])
        ends = corners[np.isclose(corners[:, axis], level)]
        return tuple(sorted(map(tuple, np.round(ends, 2).tolist())))

    north, south, east = side(1, np.max), side(1, np.min), side(0, np.max)
    assert {north, south} <= sides  # another county, and nothing at all
    assert east not in sides  # f01 is of the same county


def test_a_hole_is_not_filled(planned):
    rings = outlines(planned.scenario)["f00"]
    path = area_path(rings)
    inside_hole = rings[1].mean(axis=0)
    assert path.contains_point(rings[0].mean(axis=0) + 1.5)
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2), dpi=50)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.add_collection(PathCollection([path], facecolors="black"))
    ax.set_xlim(*np.sort(rings[0][:, 0])[[0, -1]])
    ax.set_ylim(*np.sort(rings[0][:, 1])[[0, -1]])
    ax.axis("off")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, 0]
    column, row = ax.transData.transform(inside_hole).astype(int)
    assert pixels[99 - row, column] == 255
    assert (pixels == 0).mean() > 0.7


def test_the_page_has_the_rings(planned):
    from capsim.i18n.language import words
    from capsim.report.page.pictures import _map

    rings = _map(planned, words("en"))["boundaries"]
    assert [len(own) for own in rings] == [2, 1, 1, 2]
    assert {len(ring) for own in rings for ring in own} == {4}
