"""Plans of generated cities with all their prices, and the check of a price by solving again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import children, city

import capsim
from capsim.analysis.shadow_prices import KINDS, Prices
from capsim.lp import solve

RELATIVE = 1e-4


@cache
def planned(areas: int, seed: int) -> tuple[Any, Any]:
    """A generated city's plan and its columns."""
    scenario, demand = city(areas, seed), children(areas, seed)
    plan = capsim.optimize(scenario, demand, threads=1)
    return plan, plan.x


@cache
def priced(areas: int, seed: int) -> Prices:
    plan, _ = planned(areas, seed)
    return plan.prices(KINDS)


def with_openings(model: Any, x: Any, openings: pd.DataFrame) -> Any:
    """The columns with other openings: a table of project, opens and copies."""
    given, column = model.given, model.columns.open
    project = pd.Index(given.projects.project).get_indexer(openings["project"])
    check = pd.Index(given.dates.date).get_indexer(openings["opens"])
    copies = np.zeros(column.shape)
    np.add.at(copies, (project, check), openings["copies"].to_numpy(float))
    out = x.copy()
    # From the last date back: a candidate's December has the column of its autumn.
    for k in range(column.shape[1])[::-1]:
        out[column[:, k]] = copies[:, : k + 1].sum(axis=1)
    return out


def optimum(program: Any) -> float:
    """RMB of the cheapest solution without the committed part; infinite where there is none."""
    found = solve(program)
    if found.status == "infeasible":
        return float("inf")
    assert found.status == "optimal"
    return (found.objective - program.offset) * 1e6


def agree(row: Any, base: float, at: Callable[[float], float], most: float = 20.0) -> int:
    """Both slopes against re-solving, halfway along the units over which each shall hold."""
    checked = 0
    for sign, price, reach in (
        (1.0, row.one_more_cny, row.more_units),
        (-1.0, row.one_less_cny, row.less_units),
    ):
        if not np.isfinite(price):
            assert at(-1e-2) == np.inf
            continue
        step = min(0.5 * reach, most)
        if step < 1e-3:
            continue
        found = sign * (base - at(sign * step)) / step
        noise = 1e-9 * abs(base) / step
        assert found == pytest.approx(price, rel=RELATIVE, abs=noise + 1e-4), (row, sign)
        checked += abs(price) > 1.0
    return checked
