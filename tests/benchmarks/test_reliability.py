"""Asked against reached, held against the goals."""

from __future__ import annotations

import json

import pytest

import capsim
from benchmarks import reliability
from benchmarks.__main__ import main


@pytest.fixture
def tiny(monkeypatch):
    city = capsim.generate(1, 3000, 1, years=(2021, 2022), stages=("primary", "junior"))
    monkeypatch.setattr(reliability, "cases", lambda *of: {"tiny": city})


@pytest.mark.slow
def test_every_probability_has_a_row_its_checks_and_a_point(tiny, tmp_path, capsys):
    main(["reliability", "--asked", "0.5", "0.8", "--out", str(tmp_path)])
    found = json.loads((tmp_path / "reliability.json").read_text())
    assert [row["asked"] for row in found["rows"]] == [0.5, 0.8]
    assert all(row["low"] <= row["reached"] <= row["high"] for row in found["rows"])
    assert [check["goal"] for check in found["checks"]] == [0.5, 4.0, 0.8, 4.0]
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
    assert "tiny, 80%: lower end of the interval" in capsys.readouterr().out


def test_a_plan_below_what_is_asked_is_a_miss():
    row = {"case": "c", "asked": 0.95, "low": 0.94, "times": 5.0}
    assert [check["holds"] for check in reliability.checks([row])] == [False, False]
    row = {"case": "c", "asked": 0.95, "low": 0.951, "times": 3.0}
    assert [check["holds"] for check in reliability.checks([row])] == [True, True]
