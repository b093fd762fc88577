"""Examples by name, programs as files, and benchmarks of several scenarios."""

import itertools
import json

import pytest
from typer.testing import CliRunner

import capsim
from capsim.benchmark import above, bench, primal_integral
from capsim.cli import app

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2022)}


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def cities(tmp_path_factory):
    place = tmp_path_factory.mktemp("cities")
    for seed in (0, 1):
        capsim.generate(2, 6000, seed=seed, name=f"city-{seed}", **SMALL).save(place / f"{seed}")
    return [place / "0", place / "1"]


@pytest.mark.slow
def test_an_example_is_found_by_its_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "county-schools" in call("check", "county-schools").output
    assert capsim.load("county-schools") == capsim.example("county-schools")
    capsim.generate(2, 6000, name="mine", **SMALL).save("county-schools")
    assert capsim.load("county-schools").name == "mine"  # a folder comes first
    with pytest.raises(capsim.ScenarioError, match="there is nothing where a folder"):
        capsim.load("prefecture")
    with pytest.raises(KeyError, match="prefecture-2022"):
        capsim.example("prefecture-2023")


@pytest.mark.slow
def test_every_example_is_whole():
    assert len(capsim.example()) >= 10
    for name in capsim.example():
        assert capsim.example(name).name == name


def test_new_like_copies_an_example(tmp_path):
    said = call("new", tmp_path / "mine", "--like", "county-schools", "--json")
    assert said.exit_code == 0
    assert capsim.load(tmp_path / "mine") == capsim.example("county-schools")
    again = call("new", tmp_path / "mine", "--like", "county-schools")
    assert again.exit_code == 2
    wrong = call("new", tmp_path / "other", "--like", "county")
    assert wrong.exit_code == 2
    assert "county-schools" in wrong.output
    assert call("new", tmp_path / "other", "--like", "county-schools", "--areas", 3).exit_code == 2
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_export_writes_the_program(cities, tmp_path):
    files = {form: tmp_path / f"city.{form}" for form in ("lp", "mps")}
    said = call("export", cities[0], "--lp", files["lp"], "--mps", files["mps"], "--json")
    assert said.exit_code == 0, said.output
    assert files["lp"].read_text().rstrip().endswith("End")
    assert files["mps"].read_text().rstrip().endswith("ENDATA")
    assert call("export", "--lp", tmp_path / "none.lp").exit_code == 2
    assert call("export", cities[0], tmp_path / "b.xlsx", "--lp", files["lp"]).exit_code == 2


@pytest.mark.slow
def test_bench_of_several_keeps_json_text_and_figure(cities, tmp_path):
    words = ("--solvers", "highs,scipy", "--repeats", 1, "--gap", 0.05, "--out", tmp_path / "out")
    said = CliRunner().invoke(app, ["bench", *map(str, cities), *map(str, words), "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)["benchmarks"]
    assert [one["scenario"]["name"] for one in found] == ["city-0", "city-1"]
    kept = json.loads((tmp_path / "out" / "benchmark.json").read_text("utf-8"))
    assert kept["benchmarks"] == found
    assert (tmp_path / "out" / "profiles.png").read_bytes().startswith(b"\x89PNG")
    assert "city-1" in (tmp_path / "out" / "timings.txt").read_text("utf-8")
    for one in found:
        for row in one["solvers"].values():
            assert row["trace"][-1][1] == pytest.approx(row["objective_cny"])
            assert row["primal_integral_s"] > 0
        assert one["solvers"]["scipy"]["incumbents"] == "at the end only"
        assert one["machine"]["python"]


@pytest.mark.slow
def test_bench_of_sizes_and_seeds_and_odd_words():
    assert call("bench", "--sizes", "2000,x").exit_code == 2
    assert call("bench", "--seeds", "-1").exit_code == 2
    words = ("--areas", 2, "--sizes", "4000,5000", "--seeds", "0,1", "--relax", "--repeats", 1)
    said = call("bench", *words, "--json")
    names = [one["scenario"]["name"] for one in json.loads(said.stdout)["benchmarks"]]
    assert names == [f"{size}-pupils-seed-{seed}" for size in (4000, 5000) for seed in (0, 1)]


def test_what_a_solver_prints_stays_off_standard_output(cities, capfd, monkeypatch):
    import os

    from capsim.lp import solvers

    quiet = solvers.solve_scipy

    def loud(program, solving):
        os.write(1, b"Restricted license - for non-production use only\n")
        return quiet(program, solving)

    monkeypatch.setattr(solvers, "solve_scipy", loud)
    from capsim.cli.console import app as command

    with pytest.raises(SystemExit):
        command(
            ["bench", str(cities[0]), "--solver", "scipy", "--repeats", "1", "--json", "--relax"]
        )
    assert json.loads(capfd.readouterr().out)["relax"] is True


@pytest.mark.slow
def test_incumbents_of_highs_are_told_as_they_are_found():
    city = capsim.generate(3, 12000, seed=2, stages=("primary", "junior"), years=(2021, 2024))
    row = bench(city, repeats=1, gap=1e-6)["solvers"]["highs"]
    seconds = [point[0] for point in row["trace"]]
    assert seconds == sorted(seconds)
    costs = [point[1] for point in row["trace"] if point[1] is not None]
    assert costs[-1] == pytest.approx(row["objective_cny"], rel=1e-6)
    assert all(a >= b - 1 for a, b in itertools.pairwise(costs))
    if row["incumbents"] == "as found":
        assert len(costs) > 1


def test_primal_integral_by_hand():
    trace = [[1.0, None], [2.0, 150.0], [3.0, 100.0], [5.0, 100.0]]
    # 1 for two seconds, a third for one, nothing thereafter.
    assert primal_integral(trace, 100.0, 10.0) == pytest.approx(2 + 1 / 3)
    assert primal_integral(trace, 90.0, 10.0) == pytest.approx(2 + 60 / 150 + 7 * 0.1)
    assert primal_integral(trace, None, 10.0) is None
    assert above(-100.0, -200.0) == 0.5
