"""Any folder of published instances is done, whether or not their optima are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import orlib, psplib

WAREHOUSES = """\
 2 3
 60 100.
 60 40.
 0
 7.0 7.0
 20
 20.0 200.0
 30
 300.0 30.0
"""
"""Each site is near one customer. Both open cost 140 + 20 + 30 = 190; the second alone 270."""

JOBS = """\
PRECEDENCE RELATIONS:
jobnr.    #modes  #successors   successors
   1        1          2           2   3
   2        1          1           4
   3        1          1           4
   4        1          0
************************************************************************
REQUESTS/DURATIONS:
jobnr. mode duration  R 1
------------------------------------------------------------------------
  1      1     0       0
  2      1     3       2
  3      1     4       2
  4      1     0       0
************************************************************************
RESOURCEAVAILABILITIES:
  R 1
   3
************************************************************************
"""
"""Both jobs need two of three units: one after the other, 7 periods."""


@pytest.mark.parametrize("optima", ["", "instance,optimum\ntwo.txt,190\n"])
def test_warehouses(tmp_path: Path, capsys: pytest.CaptureFixture[str], optima: str) -> None:
    (tmp_path / "two.txt").write_text(WAREHOUSES)
    if optima:
        (tmp_path / "optima.csv").write_text(optima)
    orlib.main(tmp_path)
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["objective"] == pytest.approx(190, rel=1e-6)
    assert line["bound"] == pytest.approx(190, rel=1e-6)
    assert line["optimum"] == (190 if optima else None)


def test_sites_that_are_too_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "two.txt").write_text(WAREHOUSES.replace("60 ", "20 "))
    orlib.main(tmp_path)
    assert json.loads(capsys.readouterr().out)["status"] == "infeasible"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the numbers of sites and customers are expected first"),
        (WAREHOUSES.replace("100.", "free"), "could not convert string to float: 'free'"),
        (WAREHOUSES.replace("300.0 30.0", "300.0"), "14 numbers, where 2 sites and 3 customers"),
    ],
)
def test_a_damaged_instance_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "two.txt").write_text(text)
    with pytest.raises(SystemExit, match=rf"two\.txt: {said}"):
        orlib.main(tmp_path)


@pytest.mark.parametrize("optima", ["", "instance,makespan\njobs.sm,7\n"])
def test_projects(tmp_path: Path, capsys: pytest.CaptureFixture[str], optima: str) -> None:
    (tmp_path / "jobs.sm").write_text(JOBS)
    if optima:
        (tmp_path / "optima.csv").write_text(optima)
    psplib.main(str(tmp_path), 5)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["makespan"] == 7
    assert lines[0]["feasible"] is True
    assert lines[0]["optimum"] == (7 if optima else None)
    assert len(lines) == (2 if optima else 1)


@pytest.mark.parametrize("module", [orlib, psplib])
def test_an_empty_folder_is_said(tmp_path: Path, module: object) -> None:
    with pytest.raises(SystemExit, match="no file"):
        module.main(str(tmp_path))  # type: ignore[attr-defined]
