"""Options of a solve are read in one place, and those that make no sense are refused there."""

from __future__ import annotations

from typing import Any

import pytest
from cities import city

import capsim
from capsim import SolveOptions
from capsim.analysis.stochastic.two_stage import optimize_regret, optimize_two_stage
from capsim.benchmark import bench
from capsim.workflow import run

CALLS = {
    capsim.optimize: (),
    capsim.compare: (),
    capsim.harden: (),
    capsim.safety_curve: (),
    capsim.replan: ("low",),
    capsim.optimize_lexicographic: (),
    capsim.pareto: (),
    capsim.near_optimal: (),
    capsim.different_plans: (2,),
    capsim.sweep: ([{}],),
    optimize_two_stage: ({},),
    optimize_regret: ({},),
    capsim.value_of_information: ({},),
    bench: (),
    run: (),
}


@pytest.mark.parametrize(
    ("keyword", "message"),
    [
        ({"gap": -1}, "gap must be a number >= 0, such as 0.001, not -1"),
        ({"gap": None}, "gap must be a number >= 0, such as 0.001, not None"),
        ({"time_limit": float("nan")}, "time_limit must be seconds >= 0, or None, not nan"),
        ({"threads": 0}, "threads must be a whole number >= 1, or None, not 0"),
        ({"threads": 1.5}, "threads must be a whole number >= 1, or None, not 1.5"),
    ],
)
def test_invalid_values(keyword: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SolveOptions(**keyword)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_unknown_keywords(call: Any) -> None:
    with pytest.raises(TypeError, match=f"{call.__name__}\\(\\) has no keyword 'time_limt': did"):
        call(city(2, 0), *CALLS[call], time_limt=3.0)


def test_a_hint_names_the_nearest_keyword_of_the_call() -> None:
    with pytest.raises(TypeError, match="has no keyword 'relx': did you mean 'relax'"):
        capsim.optimize(city(2, 0), relx=True)
    with pytest.raises(TypeError, match="has no keyword 'x': options: solver, gap, time_limit"):
        capsim.optimize(city(2, 0), x=True)
    with pytest.raises(TypeError, match="'solver': options: gap, time_limit, threads, executor"):
        capsim.pareto(city(2, 0), solver="cbc")


def test_options_go_round() -> None:
    options = SolveOptions(solver="cbc", gap=0.1, time_limit=3, threads=2)
    assert SolveOptions(**options.keywords) == options
    assert options.highs == {"mip_rel_gap": 0.1, "mip_abs_gap": 0.0, "threads": 2, "time_limit": 3}
    assert SolveOptions.of(capsim.pareto, {}, gap=0.2).gap == 0.2
    assert SolveOptions.of(capsim.pareto, {"gap": 0.3}, gap=0.2).gap == 0.3
