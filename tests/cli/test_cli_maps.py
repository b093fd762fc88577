"""Maps into a scenario on the command line."""

import builtins
import json

import pandas as pd
import pytest
from drawn_maps import feature, grid, point, quarter, square, write
from typer.testing import CliRunner

import capsim
from capsim.cli import app

pytest.importorskip("geopandas")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def maps(tmp_path):
    folder = tmp_path / "我的 地图"
    folder.mkdir()
    areas = write(folder / "片区.geojson", grid())
    schools = write(folder / "学校.geojson", [point("P1", 0.5, 0.5), point("P2", 1.5, 1.5)])
    return areas, schools


@pytest.mark.slow
def test_a_scenario_is_put_on_the_map(maps, tmp_path):
    folder = tmp_path / "town"
    quarter().save(folder)
    (folder / "README.md").write_text("mine")
    said = call("import", *maps, "--out", folder)
    assert said.exit_code == 2
    assert "--replace" in said.stderr
    said = call("import", *maps, "--out", folder, "--replace", "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    made = capsim.load(folder)
    assert told["scenario"]["hash"] == made.hash
    assert made.rows("boundaries") == 16
    assert (folder / "README.md").read_text() == "mine"
    again = call("import", *maps, folder, "--replace")
    assert again.exit_code == 0, again.output
    assert capsim.load(folder) == made
    matrix = pd.DataFrame(4.0, pd.Index(["f00", "f01", "f10", "f11"], name="area"),
                          ["f00", "f01", "f10", "f11"])  # fmt: skip
    matrix.to_csv(tmp_path / "m.csv")
    said = call("import", "--matrix", tmp_path / "m.csv", "--out", folder, "--replace")
    assert said.exit_code == 0, said.output
    assert capsim.load(folder).table("links")["km"].tolist() == [4.0] * 4


def test_a_new_scenario_begins(maps, tmp_path):
    said = call("import", *maps, tmp_path / "fresh", "--lang", "zh")
    assert said.exit_code == 0, said.output
    assert "capsim check" in said.stdout
    assert "GCJ-02" in said.stderr
    assert sorted(one.name for one in (tmp_path / "fresh").iterdir()) == [
        "areas.csv", "borders.csv", "boundaries.csv", "scenario.toml", "schools.csv"]  # fmt: skip
    assert call("check", tmp_path / "fresh").exit_code == 2


def test_faults_write_nothing_and_speak_chinese(maps, tmp_path):
    areas = write(tmp_path / "a.geojson", [*grid()[:3], feature("", None, name="f11")])
    said = call("import", areas, maps[1], "--out", tmp_path / "x", "--lang", "zh")
    assert said.exit_code == 2
    assert "应为：一个多边形" in said.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("A", "A"), "two files show areas"),
        (("S",), "begins with a map of areas"),
        (("A", "--matrix", "m.csv"), "holds no scenario"),
        (("A", "--matrix", "m.csv", "--roads", "r.csv"), "give one"),
        (("book.xlsx", "--crs", "gcj02"), "are of maps"),
        (("book.xlsx", "other.xlsx"), "one workbook"),
        (("L",), "shows neither"),
        ((), "are needed"),
    ],
)
def test_what_does_not_go_together(arguments, said, maps, tmp_path):
    lines = feature("LineString", square(0, 0), name="road")
    files = {"A": maps[0], "S": maps[1], "L": write(tmp_path / "l.geojson", [lines])}
    given = [files.get(one, one) for one in arguments]
    told = call("import", *given, "--out", tmp_path / "x")
    assert told.exit_code == 2
    assert said in told.stderr
    assert not (tmp_path / "x").exists()


def test_without_the_extra_it_is_said_how_to_install_it(maps, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] in ("geopandas", "pyogrio", "shapely", "pyproj"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    said = call("import", *maps, "--out", tmp_path / "x")
    assert said.exit_code == 2
    assert 'pip install "capsim[geo]"' in said.stderr
    with pytest.raises(ValueError, match="pip install"):
        capsim.read_areas(maps[0])
