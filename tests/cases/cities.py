"""Generated cities of a few areas, made once, and their linear optimum under a change."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import capsim
from capsim.lp import solve
from capsim.model.model import formulate


@cache
def city(areas: int, seed: int, last_year: int = 2024) -> Any:
    return capsim.generate(areas=areas, pupils=5000 * areas, years=(2021, last_year), seed=seed)


@cache
def children(areas: int, seed: int, last_year: int = 2024) -> Any:
    return capsim.project(city(areas, seed, last_year))


def linear_optimum(scenario: Any, demand: Any) -> float:
    """Least cost of the linear relaxation, million RMB; infinite where the rules contradict."""
    found = solve(formulate(scenario, demand).program.relaxed())
    if found.status == "infeasible":
        return float(np.inf)
    assert found.status == "optimal"
    return found.objective
