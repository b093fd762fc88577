"""Explanations name minimal contradictions and cures that are enough, over a library of cities."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from infeasible_cities import CASES, explained, possible

from capsim.optimize import formulate
from capsim.optimize.explain.policies import policies


@cache
def answer(name: str) -> tuple[Any, Any, tuple[str, ...]]:
    scenario = CASES[name].make()
    every = tuple(policy.name for policy in policies(formulate(scenario)))
    return scenario, explained(scenario), every


def test_the_library_is_large_enough() -> None:
    assert len(CASES) >= 12


@pytest.mark.parametrize("name", list(CASES))
def test_the_contradictions_are_found(name: str) -> None:
    _, explanation, _ = answer(name)
    assert {frozenset(one) for one in explanation.conflicts} == CASES[name].conflicts


@pytest.mark.parametrize("name", list(CASES))
def test_each_contradiction_is_minimal(name: str) -> None:
    """All of it cannot hold; any one left out, the others can: asked of changed scenarios."""
    scenario, explanation, every = answer(name)
    for one in explanation.conflicts:
        assert not possible(scenario, one, every)
        for rule in one:
            assert possible(scenario, set(one) - {rule}, every), rule


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_said_to_be_enough_alone_is_so(name: str) -> None:
    """Exactly the rules without which all others can hold have an amount."""
    scenario, explanation, every = answer(name)
    alone = explanation.table.groupby("rule")["alone"].first()
    for rule in {rule for one in explanation.conflicts for rule in one}:
        can = possible(scenario, set(every) - {rule}, every)
        assert np.isfinite(alone[rule]) == can, rule
    for rule, amount in CASES[name].alone.items():
        assert alone[rule] == pytest.approx(amount, rel=1e-6), rule
