"""Which way a large linear program goes, and that every way ends at the same optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from maps import town_map
from scipy.sparse import csr_array

import capsim
from capsim.lp import LinearProgram, SolverResult, solve
from capsim.lp.options_and_result import SolveOptions
from capsim.model import model as model_module
from capsim.model.model import Model
from capsim.plan import solver as search_module
from capsim.plan.solver import search
from capsim.scenario import generate

SWITCHES = ("share", "reduction", "purchase", "floors", "programme")


@pytest.fixture(scope="module")
def model() -> Model:
    """A province whose counties share nothing."""
    city = generate(6, 30_000, 0, kind="province", years=(2021, 2024))
    return capsim.formulate(city.variant({f"switches.{name}": False for name in SWITCHES}))


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every program is large; what is called is noted."""
    called: list[str] = []
    monkeypatch.setattr(model_module, "LARGE", 10)

    def noting(name: str) -> None:
        real = getattr(search_module, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            called.append(name)
            return real(*args, **kwargs)

        monkeypatch.setattr(search_module, name, noted)

    noting("solve_independent")
    noting("solve")
    noting("rens")
    return called


def joined(model: Model) -> LinearProgram:
    """Return the relaxation with a row of the user's own, on a cost in every county."""
    program = model.program.relaxed()
    row = csr_array(np.ones((1, len(program.cost))))
    return program.with_rows("mine", row, lower=0.0)


def test_counties_that_share_nothing_are_solved_side_by_side(model: Model, ways: list[str]) -> None:
    relaxed = model.program.relaxed()
    found = search(model, relaxed)
    assert ways == ["solve_independent"]
    assert found.status == "optimal"
    assert found.objective == pytest.approx(solve(relaxed).objective, rel=1e-9)


def test_one_that_takes_too_long_goes_to_the_interior_point(
    model: Model, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capsim.lp.decomposition.blocks.ITERATIONS", 1)
    monkeypatch.setattr("capsim.lp.decomposition.blocks.A_ROW", 0)
    relaxed = model.program.relaxed()
    found = search(model, relaxed)
    assert ways[:2] == ["solve_independent", "solve"]
    assert found.objective == pytest.approx(solve(relaxed).objective, rel=1e-6)


def test_a_relaxation_with_catchments_is_no_dive(
    ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    noted = search_module.solve

    def noting(*args: Any, **kwargs: Any) -> SolverResult:
        asked.append(kwargs["highs"])
        return noted(*args, **kwargs)

    monkeypatch.setattr(search_module, "solve", noting)
    drawn = capsim.formulate(town_map(0))
    relaxed = joined(drawn)
    found = search(replace(drawn, program=relaxed), relaxed)
    assert len(drawn.columns.catchments.link)
    assert "rens" not in ways
    assert asked[0]["solver"] == "ipm"
    assert found.objective == pytest.approx(solve(relaxed).objective, rel=1e-6)


def test_counties_joined_by_a_row_of_ones_own_go_whole(model: Model, ways: list[str]) -> None:
    program = joined(model)
    wide = replace(model, program=program)
    found = search(wide, program)
    assert ways == ["solve"]
    assert found.objective == pytest.approx(solve(program).objective, rel=1e-6)


def test_an_interior_point_that_is_not_sure_goes_on_to_a_corner(
    model: Model, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = joined(model)
    asked: list[dict[str, Any]] = []
    real = search_module.solve

    def unsure(*args: Any, **kwargs: Any) -> SolverResult:
        asked.append(kwargs["highs"])
        found = real(*args, **kwargs)
        return replace(found, status="error") if len(asked) == 1 else found

    monkeypatch.setattr(search_module, "solve", unsure)
    found = search(replace(model, program=program), program, SolveOptions(threads=1))
    assert found.status == "optimal"
    assert found.row_dual is not None
    assert asked[1] == {"solver": "ipm"}
    assert ways == ["solve", "solve"]


@pytest.mark.slow
def test_what_counties_leave_open_is_searched_whole(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the plan and with the bound of the counties, to the gap that was asked for."""
    monkeypatch.setattr(model_module, "LARGE", 10)
    real, words = search_module.solve_blocks, []

    def poor(*args: Any, **kwargs: Any) -> SolverResult:
        found = real(*args, **kwargs)
        assert found is not None
        return replace(found, status="stopped", bound=0.9 * found.objective)

    monkeypatch.setattr(search_module, "solve_blocks", poor)
    options = SolveOptions(gap=1e-4, threads=1, time_limit=60, progress=words.append)
    found = search(model, model.program, options)
    assert "the whole" in words
    assert found.status == "optimal"
    assert found.objective - found.bound <= 1e-4 * abs(found.objective)
    assert found.objective == pytest.approx(solve(model.program).objective, rel=2e-4)


def test_nothing_is_lost_when_the_whole_finds_nothing(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "LARGE", 10)
    real = search_module.solve_blocks

    def poor(*args: Any, **kwargs: Any) -> SolverResult:
        found = real(*args, **kwargs)
        assert found is not None
        return replace(found, status="stopped", bound=0.9 * found.objective)

    def nothing(*args: Any) -> SolverResult:
        return SolverResult("unknown", None, np.nan, -np.inf, None, None, "none", 1.0)

    monkeypatch.setattr(search_module, "solve_blocks", poor)
    monkeypatch.setattr(search_module, "_whole", nothing)
    found = search(model, model.program)
    assert found.status == "stopped"
    assert found.x is not None
    assert found.bound == pytest.approx(0.9 * found.objective)


def test_one_block_of_nearly_everything_is_the_whole(
    model: Model, ways: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links over the borders of counties make one block of them."""
    assert model.apart(model.program) is not None
    city = generate(4, 30_000, 0, kind="province", years=(2021, 2023))
    names = city.table("areas")["area"].to_numpy(object)
    a, b = (at.ravel() for at in np.indices((len(names), len(names))))
    links = pd.DataFrame(
        {"area": names[a], "to_area": names[b], "to_school": "", "stage": "", "km": abs(a - b)}
    )
    off = {f"switches.{name}": False for name in SWITCHES}
    joined = capsim.formulate(city.variant(off, tables={"links": links}))
    assert joined.apart(joined.program) is None
    found = search(joined, joined.program)
    assert ways == ["solve"]
    assert found.status == "optimal"
    assert search_module.route_of(joined, joined.program) == search_module.KEPT
