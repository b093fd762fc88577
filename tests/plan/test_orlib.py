"""Published optima of capacitated warehouse location, reached through the public scenario."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

import capsim
from benchmarks import orlib
from capsim.certificate import certify

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif("CAPSIM_DATA" not in os.environ, reason="CAPSIM_DATA names no data folder"),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(os.environ["CAPSIM_DATA"]) / "orlib"


def test_published_optima(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    orlib.main(folder)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    with (folder / "optima.csv").open(encoding="utf-8", newline="") as file:
        optima = {row["instance"]: float(row["optimum"]) for row in csv.DictReader(file)}
    assert len(lines) == len(optima) == 13
    for line in lines:
        assert line["status"] == "optimal"
        assert line["objective"] == pytest.approx(optima[line["instance"]], rel=1e-6)
        assert line["bound"] == pytest.approx(optima[line["instance"]], rel=1e-6)


def test_an_instance_is_a_plan_in_every_cell(folder: Path) -> None:
    scenario = orlib.scenario_of(folder / "cap41.txt")
    plan = capsim.optimize(scenario, gap=1e-7)
    certificate = certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(0.0, abs=1e-6)
    flows = plan.tables["flows"].groupby("to_school")["pupils"].sum()
    assert flows.max() <= 5000 + 1e-6
    assert set(flows.index) <= set(plan.tables["openings"]["project"])
