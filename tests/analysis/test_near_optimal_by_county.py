"""Ranges of large programs, taken apart into counties, against those of the whole."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from cities import without_rules

import capsim
from capsim import SolveOptions, near_optimal
from capsim.analysis.near_optimal import NearOptimal, _County, near_optimal_space
from capsim.model import model as model_module
from capsim.model.model import formulate
from capsim.model.objectives import criterion, levers

WITHIN = 0.1


@cache
def model() -> Any:
    stages = ("primary", "junior")
    return formulate(
        without_rules(capsim.generate(6, 24_000, 3, years=(2021, 2023), stages=stages))
    )


@cache
def ranges(apart: bool, within: float = WITHIN) -> NearOptimal:
    kinds = ["project", "conversion", "total"]
    with pytest.MonkeyPatch.context() as patch:
        if apart:
            patch.setattr(model_module, "LARGE", 0)
        return near_optimal(model(), within, kinds=kinds, gap=1e-5, threads=1, time_limit=120)


@pytest.mark.slow
def test_bounds_hold_for_every_plan_near_the_best_and_what_is_found_is_among_them() -> None:
    whole, apart = ranges(False), ranges(True)
    assert apart.route == "county by county"
    assert whole.route != apart.route
    # What is near differs by the gap to which the best is proved.
    a, b = whole.ranges, apart.ranges
    loose = np.where(a["unit"].isin(["copies", "0 or 1", "schools"]), 1e-6, 0.01 * a["most"] + 1.0)
    assert (b["least_bound"] <= a["least"] + loose).all()
    assert (b["most_bound"] >= a["most"] - loose).all()
    assert (b["least"] >= a["least_bound"] - loose).all()
    assert (b["most"] <= a["most_bound"] + loose).all()
    assert (b["least_bound"] <= b["least"]).all()
    assert (b["most"] <= b["most_bound"]).all()
    assert b["proved"].mean() >= 0.5
    assert set(apart.projects["verdict"]) >= {"in none", "in some"}


@pytest.mark.slow
def test_verdicts_are_never_wrong() -> None:
    sure = ("in every plan", "in none", "in some")
    whole, apart = ranges(False).projects, ranges(True).projects
    told = apart["verdict"].isin(sure) & whole["verdict"].isin(sure)
    assert (apart["verdict"] == whole["verdict"])[told].all()
    assert told.sum() >= 10


@pytest.mark.slow
def test_what_is_found_are_plans_near_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each solution of a county, put into the best plan, keeps every row and the limit."""
    monkeypatch.setattr(model_module, "LARGE", 0)
    base = near_optimal_space(model(), WITHIN, SolveOptions(gap=1e-4, threads=1))
    seen = []
    monkeypatch.setattr(_County, "_try", _kept(_County._try, seen))
    near_optimal(model(), WITHIN, kinds=["project", "conversion"], gap=1e-4, threads=1)
    program, cost = model().program, criterion(model(), "cost")
    tried = [pair for pair in seen if pair[1] is not None]
    assert len(tried) >= 5
    for columns, part in tried:
        x = base.x.copy()
        x[columns] = part
        assert cost.value(x) <= base.allowed + 1e-5
        activity = program.matrix @ x
        size = 1e-5 * np.maximum(1.0, np.abs(activity))
        assert (activity >= program.row_lower - size).all()
        assert (activity <= program.row_upper + size).all()
        assert (x >= program.lower - 1e-6).all()
        assert (x <= program.upper + 1e-6).all()


def _kept(of: Any, seen: list[Any]) -> Any:
    def tried(county: Any, *rest: Any) -> Any:
        found = of(county, *rest)
        seen.append((county.columns, found[1]))
        return found

    return tried


@pytest.mark.slow
def test_the_wider_the_share_the_wider_the_bounds() -> None:
    narrow, wide = ranges(True, 0.02).ranges, ranges(True).ranges
    assert len(narrow) == len(levers(model(), ["project", "conversion", "total"]))
    room = 0.02 * wide["most_bound"]
    assert (wide["least_bound"] <= narrow["least_bound"] + 1e-6 + room).all()
    assert (wide["most_bound"] >= narrow["most_bound"] - 1e-6 - room).all()
    assert np.isfinite(wide[["least_bound", "most_bound"]].to_numpy()).all()
