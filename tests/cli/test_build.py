"""`capsim build`: the programme alone, chosen start dates, durations learned from a record."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from capsim import Scenario
from capsim.cli import app
from capsim.scenario import load

RECORD = """project,county,started,planned,opened
a,A,2020-01-01,2021-01-01,2021-02-01
b,A,2020-01-01,2021-01-01,2021-06-01
c,A,2020-06-01,2021-03-01,2021-05-01
d,A,2020-06-01,2021-09-01,
"""


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def failed(*arguments):
    said = call(*arguments)
    assert said.exit_code == 2, said.output
    return said.stderr


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Folder of four ordered schools that share one crew and shall open on one day."""
    school = {
        "stage": "primary",
        "area": "A",
        "kind": "new",
        "places": 900,
        "capital_cny": 1e6,
        "status": "ordered",
        "earliest_opening": "2027-09-01",
        "due": "2027-09-01",
        "programme": "schools",
    }
    phases = [
        {"phase": "works", "low_months": 8, "mode_months": 9, "high_months": 14, "needs": "crew=1"},
        {"phase": "fit_out", "low_months": 1, "mode_months": 2, "high_months": 3},
    ]
    phases = pd.DataFrame(phases).assign(distribution="pert", milestone=["built", "in_use"])
    made = Scenario.from_tables(
        {
            "name": "town",
            "horizon": {"base_year": 2021, "last_year": 2030},
            "costs": {"discount_rate": 0.04},
            "construction": {"start": "2022-01-01"},
            "programmes": {"schools": {"by": "2027-09-01", "number": 4}},
        },
        projects=pd.DataFrame([{"project": f"P{i}", **school} for i in range(4)]),
        phases=phases,
        resources=pd.DataFrame([{"resource": "crew", "county": "*", "units": 1}]),
    )
    folder = tmp_path_factory.mktemp("town") / "town"
    made.save(folder)
    return folder


def test_chosen_starts_gain_dates_and_probability(town, tmp_path):
    out = tmp_path / "out"
    arguments = ("build", town, "--optimize-starts", "--draws", 60, "--out", out)
    said = call(*arguments, "--schedules", 10, "--json")
    assert said.exit_code == 0, said.output
    view = json.loads(said.stdout)
    gain = view["starts"]
    assert gain["earlier"] == 4
    assert gain["before"]["programmes"]["schools"] == 0
    assert gain["after"]["programmes"]["schools"] == 1
    assert gain["before"]["days_late"] > 100
    assert gain["after"]["days_late"] == 0
    starts = pd.read_csv(out / "starts.csv", index_col="project")
    assert starts["begin_after"].nunique() == 4
    assert (starts["begin_after"] < starts["begin_before"]).all()
    schedule = pd.read_csv(out / "schedule.csv")
    assert schedule.columns.tolist()[:5] == ["project", "copy", "phase", "start", "finish"]
    works = schedule[schedule["phase"] == "works"].sort_values("start_day")
    assert (works["start_day"].to_numpy()[1:] >= works["finish_day"].to_numpy()[:-1] - 1e-6).all()
    plain = call(*arguments)
    assert "choosing start dates, 3 of 20" in plain.stderr
    assert "schools enough in 0 -> 100 %" in plain.stdout


def test_durations_learned_from_a_record_are_phases_of_a_scenario(town, tmp_path):
    record = tmp_path / "record.csv"
    record.write_text(RECORD)
    out = tmp_path / "out"
    arguments = ("build", town, "--fit", record, "--closed", "2021-12-31", "--draws", 20)
    said = call(*arguments, "--out", out, "--json")
    assert said.exit_code == 0, said.output
    learned = json.loads(said.stdout)["slippage"]
    assert (learned["projects"], learned["opened"]) == (4, 3)
    assert learned["median"] > 1.1
    table = pd.read_csv(out / "phases.csv", keep_default_na=False)
    assert table["distribution"].tolist() == ["lognormal"] * 2
    assert table["mode_months"].tolist() == [9, 2]
    assert table["needs"].tolist() == ["crew=1", ""]
    city = tmp_path / "city"
    load(town).save(city)
    (city / "phases.csv").write_bytes((out / "phases.csv").read_bytes())
    assert call("check", city).exit_code == 0
    assert "4 projects, 3 open by 2021-12-31" in call(*arguments).stdout


def test_faults_of_a_record_name_their_rows(town, tmp_path):
    record = tmp_path / "record.csv"
    record.write_text(RECORD.replace("a,A,2020-01-01", "a,A,2020-13-01") + "e,A,2021-05-01,,\n")
    said = failed("build", town, "--fit", record, "--closed", "2021-12-31")
    assert "row 2, started: '2020-13-01' where a date YYYY-MM-DD is expected" in said
    assert "row 6, planned: '' where a date" in said
    record.write_text("project,county\na,A\n")
    said = failed("build", town, "--fit", record)
    for column in ("started", "planned", "opened"):
        assert f"record, {column}: '' where a column is expected" in said
    assert "is not there" in failed("build", town, "--fit", tmp_path / "none.csv")
    record.write_text(RECORD)
    said = failed("build", town, "--fit", record, "--closed", "2020-12-31")
    assert "'0' where 2 or more projects open by 2020-12-31 is expected" in said
    assert "name one with --fit" in failed("build", town, "--closed", "2021-12-31")
    assert "2021-31-12" in failed("build", town, "--fit", record, "--closed", "2021-31-12")
