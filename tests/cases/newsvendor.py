"""A town that orders places before it knows its children: the newsvendor's problem.

A place costs ``PLACE_CNY`` and is ordered now; a child without one costs ``CHILD_CNY``. The best
order is the least ``x`` with ``P(children ≤ x) ≥ 1 − PLACE_CNY ÷ CHILD_CNY``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from tiny_cases import project, school, town

import capsim

PLACE_CNY, CHILD_CNY = 3e5, 1e6


def the_town() -> Any:
    return town(
        children=(50,),
        schools=[school("P", "public", 10, 10)],
        projects=[project("N", 1, PLACE_CNY, "2022-09-01", build_months=6, count=200)],
        costs={"shortfall_cny": CHILD_CNY},
    )


def demands(children: Sequence[float]) -> dict[str, Any]:
    """One demand for each number of children beyond the ten places that are there."""
    base = capsim.project(the_town())
    out = {}
    for i, number in enumerate(children):
        pupils = base.pupils.copy()
        pupils[..., 1:] = 10 + number
        out[f"f{i}"] = replace(base, pupils=pupils)
    return out


def cost_cny(order: Any, children: Any) -> Any:
    return PLACE_CNY * order + CHILD_CNY * np.maximum(children - order, 0.0)
