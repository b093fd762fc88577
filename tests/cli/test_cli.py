"""The command line on small generated cities: statuses, files, bytes."""

import json
import re
import shutil

import pandas as pd
import pytest
from typer.testing import CliRunner

from capsim.cli import app
from capsim.scenario import generate, load

FIGURES = ("mix", "balance-2022", "private-share", "reduction", "programme", "shortfall")


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def contents(folder):
    """Every file's bytes, without the timings."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    summary = json.loads(found.pop("summary.json"))
    del summary["timings_s"]
    return found | {"summary": json.dumps(summary).encode()}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Folder of a city of two areas, planned for three years."""
    folder = tmp_path_factory.mktemp("city") / "city"
    small = {"stages": ("primary", "junior"), "years": (2021, 2024), "name": "city"}
    generate(2, 8000, 0, **small).variant({"reliability.probability": 0.6}, name="city").save(
        folder
    )
    return folder


@pytest.fixture(scope="module")
def report(city, tmp_path_factory):
    """Report of the city, and what the command said."""
    out = tmp_path_factory.mktemp("report") / "out"
    return out, call("run", city, "--out", out, "--draws", 20, "--seed", 3)


def test_run_answers_and_writes_everything(report):
    out, said = report
    summary = json.loads((out / "summary.json").read_text())
    met = all(row["met"] for row in summary["targets"])
    assert summary["safety"]["targets"][0] == "placement-compulsory"
    assert said.exit_code == (0 if met and summary["safety"]["reached"] else 3)
    assert (out / "answer.txt").read_text() in said.stdout
    drawn = {path.stem for path in (out / "figures").iterdir()}
    # That of children without a place is drawn where there may be some.
    assert set(FIGURES) - {"shortfall"} <= drawn
    for name in drawn:
        assert (out / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (out / "figures" / f"{name}.svg").read_bytes()
    assert summary["certificate"]["max_violation"] <= 1e-6
    assert summary["simulation"]["draws"] == 20
    assert summary["seed"] == 3
    targets = pd.read_csv(out / "plan" / "targets.csv")
    assert list(targets["id"]) == [row["id"] for row in summary["targets"]]
    assert sum(summary["cost_cny"]["by_kind"].values()) == pytest.approx(summary["objective_cny"])
    row = summary["reduction"]
    terms = set(row) - {"ordered", "total"}
    assert sum(row[term] for term in terms) == pytest.approx(row["total"], abs=1.0)


@pytest.mark.slow
def test_run_again_gives_the_same_bytes_in_place_of_an_earlier_report(city, report, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "summary.json").write_text("{}")
    (out / "stale.txt").write_text("of an earlier run")
    call("run", city, "--out", out, "--draws", 20, "--seed", 3)
    assert contents(out) == contents(report[0])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_scenario_in_the_report_is_the_scenario(city, report):
    assert load(report[0] / "scenario").hash == load(city).hash


@pytest.mark.slow
def test_run_json_is_the_summary_alone(city, tmp_path):
    said = call("run", city, "--out", tmp_path / "out", "--draws", 0, "--json", "--paper")
    assert json.loads(said.stdout) == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert not (tmp_path / "out" / "outcomes").exists()


@pytest.mark.slow
def test_on_paper_the_plan_is_for_one_future(city, report, tmp_path):
    said = call("run", city, "--out", tmp_path / "out", "--draws", 20, "--paper")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert "safety" not in summary
    assert said.exit_code == {"holds": 0, "met": 0, "on paper": 3}[summary["state"]]
    safe = json.loads((report[0] / "summary.json").read_text())["safety"]
    assert safe["paper"]["objective_cny"] == pytest.approx(summary["objective_cny"], rel=1e-9)
    assert not (tmp_path / "out" / "safety").exists()
    both = call("run", city, "--out", tmp_path / "no", "--paper", "--probability", 0.9)
    assert both.exit_code == 2


@pytest.mark.slow
def test_a_target_that_is_none_is_bad_input(city, tmp_path):
    other = tmp_path / "other"
    load(city).variant({"reliability.targets": ["shares"]}, name="other").save(other)
    said = call("run", other, "--out", tmp_path / "out")
    assert said.exit_code == 2
    assert "reliability.targets: no target 'shares': one of placement-compulsory" in said.stderr
    assert not (tmp_path / "out").exists()
    chinese = call("run", other, "--out", tmp_path / "out", "--lang", "zh")
    assert "没有目标'shares'，应为以下之一：placement-compulsory、" in chinese.stderr
    assert not re.search("[a-z]+ [a-z]+", chinese.stderr)


def test_a_setting_to_vary_that_is_none_is_told_in_chinese(city, tmp_path):
    wrong = ("--set", "costs.overfil_cny=1", "--out", tmp_path / "out", "--lang", "zh")
    said = call("compare", city, *wrong)
    assert said.exit_code == 2
    assert "最接近的已知名称" in said.stderr
    assert not re.search("[a-z]+ [a-z]+", said.stderr)


def test_run_leaves_another_folder_alone(city, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    said = call("run", city, "--out", tmp_path)
    assert said.exit_code == 2
    assert "holds something else" in said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_bad_input_lists_all_faults_and_writes_nothing(city, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(city, broken)
    schools = pd.read_csv(broken / "schools.csv", dtype=str, keep_default_na=False)
    schools.loc[0, "places"], schools.loc[1, "sector"] = "many", "secret"
    schools.to_csv(broken / "schools.csv", index=False)
    for command in (("run", broken, "--out", tmp_path / "out"), ("check", broken)):
        said = call(*command)
        assert said.exit_code == 2
        assert "'many'" in said.stderr
        assert "'secret'" in said.stderr
    assert not (tmp_path / "out").exists()


def test_no_such_scenario_is_bad_input(tmp_path):
    said = call("run", tmp_path / "nowhere")
    assert said.exit_code == 2
    assert "nowhere" in said.stderr


@pytest.mark.parametrize("option", [("--draws", "-1"), ("--gap", "x"), ("--solver", "nonesuch")])
def test_bad_options_are_bad_input(city, tmp_path, option):
    said = call("run", city, "--out", tmp_path / "out", *option)
    assert said.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_an_infeasible_scenario_is_status_3_with_its_explanation(city, tmp_path):
    hopeless = tmp_path / "hopeless"
    load(city).variant({"policy.reduction": 5000}, name="hopeless").save(hopeless)
    said = call("run", hopeless, "--out", tmp_path / "out")
    assert said.exit_code == 3
    assert "NO PLAN" in said.stdout
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["status"] == "infeasible"
    assert summary["explanation"]
    for sentence in summary["explanation"]:
        assert sentence in said.stdout
    assert len(pd.read_csv(tmp_path / "out" / "explanation.csv"))


def test_check_shows_the_scenario(city):
    said = call("check", city)
    assert said.exit_code == 0
    assert "no fault" in said.stdout
    assert "2 in 1 county" in said.stdout
    pupils = json.loads(call("check", city, "--json").stdout)["pupils"]
    assert sum(sum(row.values()) for row in pupils.values()) == pytest.approx(8000)


def test_new_makes_a_scenario_that_loads_and_never_overwrites(tmp_path):
    folder = tmp_path / "mine"
    assert call("new", folder, "--areas", 3, "--pupils", 9000).exit_code == 0
    made = load(folder)
    assert made.name == "mine"
    assert not made.warnings
    again = call("new", folder)
    assert again.exit_code == 2
    assert "holds something else" in again.stderr


def test_forecast_prints_and_writes_every_grade(city, tmp_path):
    said = call("forecast", city, "--out", tmp_path / "enrolment.csv", "--json")
    table = pd.read_csv(tmp_path / "enrolment.csv", dtype={"grade": str})
    view = json.loads(said.stdout)["pupils"]
    primary = table[table["grade"].isin(list("123456")) & (table["school_year"] == 2022)]
    assert view["primary"]["2022"] == pytest.approx(primary["pupils"].sum())
    assert "2024" in call("forecast", city).stdout


@pytest.mark.slow
def test_backtest_of_a_table_whose_cohorts_just_move_up(tmp_path):
    years, grades = range(2010, 2020), ["1", "2", "3"]
    rows = [
        {"district": area, "autumn": year, **dict.fromkeys(grades, size)}
        for area, size in (("A", 100), ("B", 50))
        for year in years
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "pupils.csv", index=False)
    call_ = ("backtest", tmp_path / "pupils.csv", "--area", "district", "--year", "autumn")
    said = call(*call_, "--grades", "1,2,3", "--json", "--out", tmp_path / "out")
    methods = json.loads(said.stdout)["methods"]
    assert methods["no change"]["total"]["1"]["wape"] == 0
    assert methods["3-year mean"]["area"]["3"]["mape"] == pytest.approx(0, abs=1e-9)
    assert (tmp_path / "out" / "errors.png").is_file()
    assert "no change" in call(*call_).stdout
    assert call(*call_, "--leads", "0").exit_code == 2


def test_build_simulates_the_programme_alone(city, tmp_path):
    said = call("build", city, "--draws", 30, "--out", tmp_path / "out", "--json")
    view = json.loads(said.stdout)
    assert view["replications"] == 30
    assert 0 <= view["on_time"] <= 1
    dates = pd.read_csv(tmp_path / "out" / "dates.csv")
    assert dates[dates["milestone"] == "in_use"]["project"].nunique() > 0
    assert "in use on average" in call("build", city, "--draws", 30).stdout


@pytest.mark.slow
def test_compare_sets_scenarios_side_by_side(city, tmp_path):
    other = tmp_path / "other"
    load(city).variant({"costs.displacement_cny": 9000}, name="dear-moves").save(other)
    out = tmp_path / "out"
    said = call("compare", city, other, "--out", out, "--draws", 10)
    assert said.exit_code == 0, said.output
    summary = pd.read_csv(out / "summary.csv", index_col="scenario")
    assert set(summary.index) == {"city", "dear-moves"}
    assert summary.loc["dear-moves", "displaced"] <= summary.loc["city", "displaced"] + 1e-6
    inputs = pd.read_csv(out / "inputs.csv", dtype=str)
    assert inputs[["scenario", "column", "first", "value"]].to_numpy().tolist() == [
        ["dear-moves", "costs.displacement_cny", "3000", "9000"]
    ]
    assert b"dear-moves" in (out / "comparison.html").read_bytes()
    assert {"mix.png", "mix.svg", "cost.png", "targets.csv"} <= {p.name for p in out.iterdir()}
    assert call("compare", city, city, "--out", out).exit_code == 2


@pytest.mark.slow
def test_explain_says_what_is_scarce_or_what_cannot_hold(city, tmp_path):
    said = call("explain", city)
    scenario = load(city)
    planned = json.loads(call("explain", city, "--json").stdout)
    assert said.exit_code == (3 if planned["sentences"] else 0)
    assert planned["prices"] or planned["conflicts"]
    folder = tmp_path / "ordered"
    scenario.variant({"policy.reduction": 1e6}).save(folder)
    said = call("explain", folder)
    assert said.exit_code == 3
    assert "NO PLAN meets what is ordered." in said.stdout
    assert "cannot" in said.stdout
    assert len(said.stdout.splitlines()) <= 45


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "city", "--gap", "inf"],
        ["run", "city", "--time-limit", "inf"],
        ["run", "city", "--draws", "99999999999999999999"],
        ["build", "city", "--draws", "99999999999999"],
        ["explain", "city", "--gap", "nan"],
    ],
    ids=" ".join,
)
def test_numbers_out_of_all_bounds_are_refused_before_any_work(arguments):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "is not in the range" in done.output or "Input should be" in done.output
    assert "Traceback" not in done.output


@pytest.mark.slow
def test_a_table_written_for_a_number_can_be_put_into_the_scenario(tmp_path):
    generate(8, 120_000, seed=1, years=(2021, 2023), stages=("primary", "junior")).save(
        tmp_path / "city"
    )
    run = CliRunner()
    options = ["--draws", "40", "--probability", "0.8", "--out", str(tmp_path / "out")]
    one = run.invoke(
        app, ["build", str(tmp_path / "city"), "--hurry", "build", "--number", "5", *options]
    )
    assert one.exit_code == 0, one.output
    assert "In use with 80 %:" in one.output
    shutil.copy(tmp_path / "out" / "projects.csv", tmp_path / "city" / "projects.csv")
    assert (load(tmp_path / "city").table("projects")["options"] != "").any()
    many = run.invoke(
        app, ["build", str(tmp_path / "city"), "--hurry", "build", "--number", "99", *options]
    )
    assert many.exit_code == 3
    assert "99 cannot be had with 80 %." in many.output
    assert run.invoke(app, ["build", str(tmp_path / "city"), "--number", "3"]).exit_code == 2
    assert run.invoke(app, ["build", str(tmp_path / "city"), "--hurry", "roads"]).exit_code == 2
