"""A scenario out into a workbook and back on the command line; a grid of one scenario."""

import json

import pandas as pd
import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from capsim.cli import app
from capsim.scenario import load


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_out_into_a_workbook_and_back(city, tmp_path):
    book, folder = tmp_path / "city.xlsx", tmp_path / "again"
    assert call("export", city, book).exit_code == 0
    said = call("import", book, folder)
    assert said.exit_code == 0, said.output
    assert load(folder).hash == load(city).hash
    assert call("import", book, folder).exit_code == 2
    (folder / "README.md").write_text("mine")
    assert call("import", book, folder, "--replace").exit_code == 0
    assert (folder / "README.md").read_text() == "mine"


@pytest.mark.slow
def test_faults_of_a_workbook_are_listed_with_their_cells_and_nothing_is_written(city, tmp_path):
    path, folder = tmp_path / "city.xlsx", tmp_path / "again"
    call("export", city, path)
    book = load_workbook(path)
    book["schools"]["E17"] = "many"
    book["areas"]["A3"] = None
    book.save(path)
    said = call("import", path, folder)
    assert said.exit_code == 2
    assert "schools!E17" in said.stderr
    assert "areas!A3" in said.stderr
    assert not folder.exists()


def test_a_template_or_a_scenario_but_not_both(city, tmp_path):
    book = tmp_path / "empty.xlsx"
    assert call("export", "--template", book).exit_code == 0
    assert load_workbook(book, read_only=True).sheetnames[:3] == ["settings", "sources", "areas"]
    assert call("import", book, tmp_path / "none").exit_code == 2
    assert call("export", city, tmp_path / "x.xlsx", "--template", book).exit_code == 2
    assert call("export", city).exit_code == 2
    assert call("export", tmp_path / "nowhere", tmp_path / "x.xlsx").exit_code == 2
    assert not (tmp_path / "x.xlsx").exists()


@pytest.mark.slow
def test_settings_are_varied_and_finished_scenarios_kept(city, tmp_path):
    out, store = tmp_path / "out", tmp_path / "store"
    options = ("--draws", 0, "--gap", 0.01, "--out", out, "--store", store)
    values = ("--set", "costs.overfill_cny=1000", "--set", "policy.share_scope=whole,county")
    said = call("compare", city, *values, *options)
    assert said.exit_code == 0, said.output
    assert len(pd.read_csv(out / "summary.csv")) == 3
    heat = pd.read_csv(out / "heat.csv", dtype={"costs.overfill_cny": str})
    assert list(heat.columns) == [
        "costs.overfill_cny",
        "policy.share_scope=whole",
        "policy.share_scope=county",
    ]
    assert heat["costs.overfill_cny"].to_list() == ["1000"]
    assert (out / "heat.png").exists()
    alone = call("compare", city, *values, "--one-at-a-time", "--json", *options)
    assert "1 of 4 scenarios planned" in alone.stderr
    assert len(json.loads(alone.stdout)["tornado"]) == 2
    assert not (out / "heat.png").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--set", "costs.overfil_cny=1"),
        ("--set", "costs.overfill_cny"),
        ("--set", "costs.overfill_cny=1", "--by", "beauty"),
        (),
    ],
)
def test_bad_grids_are_bad_input(city, tmp_path, wrong):
    assert call("compare", city, *wrong, "--out", tmp_path / "out").exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_run_writes_the_plans_workbook(city, tmp_path):
    for out in ("one", "two"):
        call("run", city, "--draws", 3, "--out", tmp_path / out)
    book = tmp_path / "one" / "plan.xlsx"
    assert load_workbook(book, read_only=True).sheetnames[:3] == ["summary", "targets", "projects"]
    assert book.read_bytes() == (tmp_path / "two" / "plan.xlsx").read_bytes()
