"""The county of single schools: written by its script, whole, and planned with its catchments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import capsim
from capsim.certificate import certify
from capsim.scenario import Scenario

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios" / "county-schools"


@pytest.fixture(scope="module")
def county() -> Scenario:
    return capsim.load(FOLDER)


@pytest.mark.slow
def test_the_script_writes_the_tables(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_county_schools.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, capture_output=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FOLDER.glob("*.csv")}


def test_it_is_a_county_of_single_schools(county: Scenario) -> None:
    schools, areas = county.table("schools"), county.table("areas")
    assert (len(schools), len(areas)) == (130, 150)
    assert not areas[["x_km", "y_km"]].isna().any().any()
    assert county.warnings == ()
    enrolled = schools["pupils"].sum()
    children = county.table("forecast").query("school_year == 2021")["pupils"].sum()
    assert enrolled == children


def test_every_child_of_the_lower_grades_has_a_school_within_day_travel(county: Scenario) -> None:
    links = county.table("links").query("stage == 'primary'")
    day = links[(links["km"] <= 3.0) & (links["minutes"] <= 30)]
    assert set(day["area"]) == set(county.table("areas")["area"])


@pytest.mark.slow
def test_some_live_too_far_off_and_board(county: Scenario) -> None:
    """In the relaxation, which shares neighbourhoods out, everybody has a place already."""
    plan = capsim.optimize(county, relax=True)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(0.0, abs=1e-6)
    boarders = plan.tables["flows"].groupby("stage")["boarders"].sum()
    assert boarders["junior"] > 50


@pytest.mark.slow
def test_catchments_are_drawn_and_proved(county: Scenario) -> None:
    plan = capsim.optimize(county, gap=0.005)
    assert plan.status == "optimal"
    assert plan.meets_targets
    certificate = certify(county, plan)
    assert certificate.holds(), certificate.worst
    drawn = plan.tables["catchments"]
    public = county.table("schools").query("stage == 'junior' and sector == 'public'")["school"]
    flows = plan.tables["flows"]
    sent = flows[flows["to_school"].isin(public)].query("pupils > 1e-6")
    assert set(sent["area"]) <= set(drawn["area"])
    assert sorted(drawn["area"]) == sorted(county.table("areas")["area"])
    assert np.isin(
        drawn["school"], county.table("schools").query("stage == 'junior'")["school"]
    ).all()
