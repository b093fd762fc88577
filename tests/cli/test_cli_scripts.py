"""The command line as scripts and shells use it: JSON alone on the output, statuses."""

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from capsim.cli import app
from capsim.scenario import load

COMMANDS = sorted(typer.main.get_command(app).commands)


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_every_command_can_answer_in_json():
    for name in COMMANDS:
        options = {o for p in typer.main.get_command(app).commands[name].params for o in p.opts}
        assert "--json" in options, name


@pytest.mark.slow
def test_what_was_written_is_said_in_json(city, tmp_path):
    given = {"name": "city", "hash": load(city).hash}
    book, folder = tmp_path / "city.xlsx", tmp_path / "again"
    assert json.loads(call("export", city, book, "--json").stdout) == {
        "scenario": given,
        "book": str(book),
    }
    assert json.loads(call("import", book, folder, "--json").stdout) == {
        "scenario": given,
        "folder": str(folder),
        "read_as": [],
        "warnings": list(load(city).warnings),
    }
    empty = tmp_path / "empty.xlsx"
    found = json.loads(call("export", "--template", empty, "--json").stdout)
    assert found == {"scenario": None, "book": str(empty)}
    made = json.loads(call("new", tmp_path / "mine", "--areas", 2, "--json").stdout)
    assert made["scenario"] == {"name": "mine", "hash": load(tmp_path / "mine").hash}


@pytest.mark.slow
def test_bench_times_a_scenario_or_a_generated_city(city):
    said = call("bench", city, "--repeats", 1, "--gap", 0.01, "--relax", "--json")
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["scenario"]["name"] == "city"
    assert found["solvers"]["highs"]["status"] == "optimal"
    assert found["machine"]["highspy"]
    size = ("--areas", 2, "--pupils", 6000)
    said = call("bench", *size, "--relax", "--repeats", 1, "--solver", "highs", "--solver", "scipy")
    assert said.exit_code == 0, said.output
    assert "linear relaxation" in said.stdout
    assert "scipy, run 1 of 1" in said.stderr
    assert call("bench", city, *size).exit_code == 2
    assert call("bench", city, "--solver", "nonesuch").exit_code == 2
    assert call("bench", "--areas", 5000, "--pupils", 10).exit_code == 2


def test_bench_of_what_has_no_plan_is_status_3(city, tmp_path):
    load(city).variant({"policy.reduction": 5000}).save(tmp_path / "hopeless")
    said = call("bench", tmp_path / "hopeless", "--repeats", 1)
    assert said.exit_code == 3
    assert "infeasible" in said.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_refuses_what_it_does_not_know(command):
    said = call(command, "--help")
    assert said.exit_code == 0
    assert f"Example: capsim {command}" in said.stdout
    known = typer.main.get_command(app).commands[command]
    options = {option for p in known.params for option in p.opts}
    shown = re.findall(r"(?<![\w-])--[a-z-]+", known.epilog)
    assert set(shown) <= options, shown
    assert call(command, "--nonesuch").exit_code == 2


def test_the_version_and_the_statuses_are_said():
    assert call("--version").stdout.startswith("capsim ")
    shown = " ".join(call("--help").stdout.split())
    for status in (
        "0 the targets asked for hold",
        "2 bad input",
        "3 they do not",
        "130 stopped by Ctrl-C",
    ):
        assert status in shown
