"""The program as a file: another solver reads it back and finds the same optimum."""

import subprocess

import pytest
from pulp.apis.coin_api import PULP_CBC_CMD

import capsim
from capsim.lp import SolverError
from capsim.lp.pulp_bridge import file_bytes
from capsim.lp.solvers import solve

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2022)}


@pytest.fixture(scope="module")
def program():
    return capsim.formulate(capsim.generate(2, 4000, seed=1, **SMALL)).program


def by_cbc(file):
    """Return the objective that the CBC program finds in a file."""
    ran = subprocess.run(
        [PULP_CBC_CMD.pulp_cbc_path, str(file), "ratioGap", "0", "solve", "printi", "csv"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = ran.stdout.splitlines()
    (found,) = [line for line in lines if line.startswith("Objective value:")]
    assert any("Optimal solution found" in line for line in lines), ran.stdout
    return float(found.split(":")[1])


@pytest.mark.parametrize("form", ["lp", "mps"])
def test_cbc_reads_the_file_and_finds_the_same_optimum(program, form, tmp_path):
    file = tmp_path / f"program.{form}"
    file.write_bytes(file_bytes(program, form))
    found = solve(program, gap=0.0)
    assert found.status == "optimal"
    assert program.offset != 0
    assert by_cbc(file) == pytest.approx(found.objective, rel=1e-6)


def test_names_are_readable_and_each_once(program):
    text = file_bytes(program, "mps").decode()
    columns = text.split("COLUMNS")[1].split("RHS")[0]
    names = {line.split()[0] for line in columns.splitlines() if line.startswith(" ")}
    names.discard("MARKER")
    assert any(name.startswith("purchased_") for name in names)
    assert len(names) >= (abs(program.matrix).sum(axis=0) > 0).sum()


def test_another_form_is_refused(program):
    with pytest.raises(SolverError, match="written as lp or mps"):
        file_bytes(program, "xyz")
