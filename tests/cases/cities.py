"""Generated cities of a few areas, made once, and their linear optimum under a change."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import capsim
from capsim.lp import solve
from capsim.model.model import formulate
from capsim.scenario.synthetic.generator import RULES


@cache
def strict_city(areas: int, seed: int, last_year: int = 2024) -> Any:
    """A city with the rules of a plan that can be carried out, as it is generated."""
    return capsim.generate(areas=areas, pupils=5000 * areas, years=(2021, last_year), seed=seed)


@cache
def city(areas: int, seed: int, last_year: int = 2024) -> Any:
    """The same without these rules: its programs are quick to solve."""
    return without_rules(strict_city(areas, seed, last_year))


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


def only_building(scenario: Any) -> Any:
    """A generated city without projects that give up places: none is better late."""
    kinds = ["restage", "nine_year", "merge", "close"]
    return scenario.variant(drop={"projects": {"kind": kinds}})


def without_rules(scenario: Any) -> Any:
    """A generated city without the rules of a plan that can be carried out, quick to solve."""
    rules = {f"{part}.{key}": None for part, keys in RULES.items() for key in keys}
    return only_building(scenario.variant(rules))
