"""Rules on bought places that contradict others: named, with the least that is enough alone."""

from __future__ import annotations

from typing import Any

import pytest
from bought_cities import two_areas, two_grades
from eased_cities import possible
from tiny_cases import limit

import capsim
from capsim.analysis.infeasibility.rules import rules_of

TEN = [limit("purchase", 2023, 10.0)]


def check(city: Any, named: set[str], alone: dict[str, float]) -> str:
    """Check the one contradiction, that it is minimal, and cures alone; return the sentences."""
    plan = capsim.optimize(city, threads=1)
    explanation = plan.explanation
    assert explanation is not None
    assert [set(one) for one in explanation.conflicts] == [named]
    every = {rule.name for rule in rules_of(plan.model)}
    assert not possible(city, named, every)
    for rule in named:
        assert possible(city, named - {rule}, every), rule
    enough = explanation.table.groupby("rule")["alone"].first()
    assert {rule: enough[rule] for rule in alone} == pytest.approx(alone, rel=1e-3)
    return "\n".join(explanation.sentences)


@pytest.mark.slow
def test_a_contract_that_cannot_fall() -> None:
    """Of 45 places bought in 2022 at least 27 are a year later, of which the county may buy 10."""
    city = two_grades(TEN, contract_years=2, contract_fall_share=0.4)
    named = {"every child", "running contracts", "purchase", "seats", "private share 2022"}
    text = check(city, named, {"running contracts": 17.0})
    assert "places bought fall slowly while a contract runs" in text
    assert "17 bought places more are given up while contracts run" in text


@pytest.mark.slow
def test_bought_children_beyond_the_limit() -> None:
    """Fifteen of those who are bought go on for a year; the county may buy 10 places by then."""
    city = two_grades(TEN, contract_years=2, purchase_follows_child=True)
    named = {"every child", "bought children", "purchase", "seats", "private share 2022"}
    text = check(city, named, {"bought children": 5.0, "purchase": 5.0, "seats": 10.0})
    assert "a bought place follows the child" in text
    assert "5 bought children leave while a contract runs or pay fees after it" in text


@pytest.mark.slow
def test_seats_nearby_that_nobody_may_reach() -> None:
    """Five seats 3 km off stay free, for day pupils go 2 km: none of 20 places may be bought."""
    rules = {"policy.public_seats_first_km": 3.0, "travel.day_km.junior": 2.0}
    city = two_areas(**rules, **{"standards.junior.boards_from_year": 30})
    named = {"every child", "day travel", "public seats first", "seats", "private share 2022"}
    text = check(city, named, {"public seats first": 20.0, "day travel": 5.0})
    assert "no place is bought beside free public seats that have teachers" in text
    assert "20 places are bought beside free public seats" in text
