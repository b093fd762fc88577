"""Timing a plan: every solver finds the same, and says what it took."""

import json
import re

import pytest

import capsim
from capsim.benchmark import bench, bench_files, profiles, timings_text
from capsim.lp import SolverError

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2023)}


@pytest.fixture(scope="module")
def city():
    return capsim.generate(2, 6000, seed=0, name="city", **SMALL)


@pytest.fixture(scope="module")
def found(city):
    return bench(city, ["highs", "cbc"], repeats=2, gap=0.01)


@pytest.mark.slow
def test_the_program_is_the_one_that_is_planned_with(city, found):
    program = capsim.formulate(city, capsim.project(city)).program
    rows, columns = program.matrix.shape
    assert found["program"]["columns"] == columns
    assert found["program"]["rows"] == rows
    assert found["program"]["integers"] == program.integer.sum() > 0
    assert found["scenario"] == {"name": "city", "hash": city.hash}


@pytest.mark.slow
def test_solvers_agree_within_the_gap_and_with_the_plan(city, found):
    plan = capsim.optimize(city, gap=0.01)
    for row in found["solvers"].values():
        assert row["status"] == "optimal"
        assert row["runs"] == 2
        assert row["objective_cny"] == pytest.approx(plan.avoidable_cny, rel=0.02)
        assert 0 <= row["above_best"] <= 0.01 + 1e-9
        assert row["proved_gap"] <= 0.01 + 1e-9
        assert min(row["build_s"], row["hand_over_s"], row["solve_s"], row["cpu_s"]) > 0
    assert min(row["above_best"] for row in found["solvers"].values()) == 0


def test_a_relaxation_has_no_whole_numbers_and_costs_no_more(city, found):
    relaxed = bench(city, relax=True, repeats=1)
    assert relaxed["program"]["integers"] == 0
    whole = found["solvers"]["highs"]["objective_cny"]
    assert relaxed["solvers"]["highs"]["objective_cny"] <= whole * (1 + 1e-9)


def test_a_gap_that_is_not_proved_is_not_called_optimal(city):
    # scipy measures its gap on a cost that holds what is committed too, so it stops at a wider one.
    row = bench(city, ["scipy"], repeats=1, gap=0.05)["solvers"]["scipy"]
    assert (row["status"] == "optimal") == (row["proved_gap"] <= 0.05 + 1e-9)


def test_no_plan_has_no_cost(city):
    hopeless = city.variant({"policy.reduction": 5000})
    row = bench(hopeless, repeats=1)["solvers"]["highs"]
    assert row["status"] == "infeasible"
    assert row["objective_cny"] is row["proved_gap"] is row["above_best"] is None


def test_an_unknown_solver_is_refused_before_anything_is_timed(city):
    said = []
    with pytest.raises(SolverError, match="nonesuch"):
        bench(city, ["highs", "nonesuch"], progress=said.append)
    assert said == []


def test_the_screen_has_a_line_for_each_solver_and_says_the_machine(found):
    text = timings_text(found)
    assert all(len(line) <= 100 for line in text.splitlines()[:-2])
    for name in ("highs", "cbc"):
        assert any(line.startswith(name) for line in text.splitlines())
    assert f"highspy {found['machine']['highspy']}" in text
    assert "medians of 2 runs" in text


@pytest.mark.slow
def test_the_screen_and_the_figure_are_in_the_language_asked_for(found, tmp_path):
    text = timings_text(found, "zh")
    measured = text.split("\n\n")[:2]
    assert not re.search("[a-z]{3,} [a-z]{3,}", " ".join(measured))
    assert "变量" in text
    assert "已证最优" in text
    assert "2次运行的中位数" in text
    labels = [ax.get_xlabel() for ax in profiles([found], "zh").axes]
    assert labels == ["搜索用时（秒）"]
    files = dict(bench_files([found], "zh"))
    assert files["timings.txt"].decode() == text
    assert json.loads(files["benchmark.json"])["benchmarks"][0]["relax"] is False
