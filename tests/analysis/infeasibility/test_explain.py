"""Explanations name minimal contradictions and cures that are enough, over a library of cities."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from cities import city
from eased_cities import WHOLE, children_left_out, eased, possible
from infeasible_cities import CASES, WHOLE_NUMBERS
from tiny_cases import project, school, town

import capsim
from capsim.analysis.infeasibility.rules import rules_of
from capsim.i18n.language import words
from capsim.lp import solve
from capsim.model.model import formulate
from capsim.report.screen import reasons_text
from capsim.report.summary import reasons, to_json


def explained(scenario: Any) -> Any:
    """The explanation of a scenario as anybody gets it."""
    return capsim.optimize(scenario, threads=1).explain()


@cache
def answer(name: str) -> tuple[Any, Any, tuple[str, ...]]:
    scenario = CASES[name].make()
    every = tuple(rule.name for rule in rules_of(formulate(scenario)))
    return scenario, explained(scenario), every


def test_the_library_is_large_enough() -> None:
    assert len(CASES) >= 12


@pytest.mark.parametrize("name", list(CASES))
def test_the_contradictions_are_found(name: str) -> None:
    _, explanation, _ = answer(name)
    assert {frozenset(one) for one in explanation.conflicts} == CASES[name].conflicts


@pytest.mark.slow
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


COUNTED = ("programme ", "least of ", "most of ")
"""Rules on numbers of projects, of which a tenth less is no number."""


@pytest.mark.parametrize("name", list(CASES))
def test_a_cure_applied_is_enough_and_a_tenth_less_is_not(name: str) -> None:
    """Each rule gives way in the scenario itself, by so much, where and when it is said."""
    scenario, explanation, _ = answer(name)
    for rule, rows in explanation.repairs.groupby("rule"):
        if rule == "every child":
            assert children_left_out(scenario) == pytest.approx(rows["enough"].iloc[0])
            continue
        if (name, rule) == ("too small to go on", "admission plans"):
            continue  # It is phased out that the school may admit children: no setting says so.
        if (name, rule) == ("closing notice", "pupils kept"):
            continue  # The share is one for all years, and more than enough in the first.
        little = rows.assign(short_by=rows["short_by"] * (1 + 1e-9))
        assert children_left_out(eased(scenario, little)) == pytest.approx(0.0, abs=1e-5), rule
        if rule not in WHOLE and not rule.startswith(COUNTED):
            less = rows.assign(short_by=rows["short_by"] * 0.9)
            assert children_left_out(eased(scenario, less)) > 0.1, rule


@pytest.mark.parametrize("name", list(CASES))
def test_what_gives_way_at_once_is_enough(name: str) -> None:
    scenario, explanation, _ = answer(name)
    bent = explanation.table.query("short_by > 0")
    bent = bent.assign(short_by=bent["short_by"] * (1 + 1e-9))
    assert children_left_out(eased(scenario, bent)) == pytest.approx(0.0, abs=1e-5)


def test_one_thing_is_said_in_the_singular() -> None:
    _, explanation, _ = answer("two contradictions")
    assert "programme build has 1 project in use by 2022-12-31" in explanation.sentences[0]


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_fractions_of_decisions_would_hold(name: str) -> None:
    """These contradictions are of the mixed-integer program: its relaxation places every child."""
    model = formulate(CASES[name].make().variant({"costs.shortfall_cny": 1e9}))
    found = solve(model.program.relaxed())
    assert found.x is not None
    assert found.x[model.columns.shortfall].sum() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.slow
def test_a_generated_city_is_explained_by_counties_and_years() -> None:
    """Three times the reduction it can seat: what is short adds up, and the rest is minimal."""
    base = city(3, 0)
    scenario = base.variant({"policy.reduction": 3.0 * base.settings.policy.reduction})
    explanation = explained(scenario)
    every = tuple(rule.name for rule in rules_of(formulate(scenario)))
    (conflict,) = explanation.conflicts
    assert "reduction" in conflict
    assert not possible(scenario, conflict, every)
    assert all(possible(scenario, set(conflict) - {rule}, every) for rule in conflict)
    alone = explanation.table.groupby("rule")["alone"].first()
    smaller = {"policy.reduction": scenario.settings.policy.reduction - alone["reduction"]}
    assert possible(scenario.variant(smaller), every, every)
    less = {"policy.reduction": smaller["policy.reduction"] + 5.0}
    assert not possible(scenario.variant(less), every, every)


@pytest.mark.slow
def test_a_cap_moves_to_the_level_that_is_said() -> None:
    """The level said is the least at which all other rules can hold."""
    base = city(2, 2)
    scenario = base.variant(
        {"policy.private_share_cap.2022": 0.02, "policy.share_scope": "county"},
        scale={
            "schools.purchasable_places": {"factor": 0},
            "schools.purchase_min_places": {"factor": 0},
        },
    )
    every = tuple(rule.name for rule in rules_of(formulate(scenario)))
    explanation = explained(scenario)
    alone = explanation.table.groupby("rule")["alone"].first()["private share 2022"]
    assert alone > 0
    at = {k: {"policy.private_share_cap.2022": 0.02 + 0.01 * alone + k} for k in (1e-5, -1e-4)}
    assert possible(scenario.variant(at[1e-5]), every, every)
    assert not possible(scenario.variant(at[-1e-4]), every, every)
    assert any(f"moves to {2 + alone:.2f} %" in text for text in explanation.sentences)


def test_a_missing_place_that_is_merely_cheaper() -> None:
    """Nothing contradicts: a place costs more than a missing one is priced at."""
    scenario = town(
        children=(120,),
        schools=[school("P", "public", 100, 100)],
        projects=[project("N", 20, 9e6, "2022-09-01")],
    )
    plan = capsim.optimize(scenario)
    explanation = plan.explain()
    assert explanation.conflicts == ()
    assert "20 in area town (county C, junior), 2022" in explanation.sentences[0]
    # Nine million, less 20 missing places of 0.2 million each.
    assert "for 5,000,000 RMB more" in explanation.sentences[-1]
    assert "priced at 200,000 RMB" in explanation.sentences[-1]
    chinese = explanation.messages[-1].text(words("zh"))
    assert "再花500.0万元" in chinese
    assert "计价20.0万元" in chinese


def test_a_plan_that_meets_its_targets_needs_no_explanation() -> None:
    plan = capsim.optimize(town(children=(90,), schools=[school("P", "public", 100, 100)]))
    assert plan.explain() is None
    assert reasons_text(plan, None, plan.prices()).splitlines()[1:] == [
        "ON PAPER THE PLAN MEETS ALL TARGETS (not simulated here).",
        "",
        "Nothing is scarce: no limit, target or place has a price.",
    ]


def test_a_target_whose_rule_is_switched_off() -> None:
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 100, 50), school("V", "private", 50, 50)],
        policy={"reduction": 60},
        switches={"reduction": False},
    )
    explanation = capsim.optimize(scenario).explain()
    assert "in 2021): the scenario has switched its rule off" in explanation.sentences[0]


def test_on_one_screen() -> None:
    """Sentences wrapped to 100 columns, and as plain values."""
    plan = capsim.optimize(CASES["cap with a low ceiling"].make())
    text = reasons_text(plan, plan.explain(), None)
    assert max(len(line) for line in text.splitlines()) <= 100
    assert len(text.splitlines()) <= 40
    assert "- the cap of 10 % from 2022 moves to 25.00 %." in text
    plain = json.loads(to_json(reasons(plan, plan.explain(), plan.prices())))
    assert plain["conflicts"] == [["every child", "purchase", "seats", "private share 2022"]]
    assert {row["rule"] for row in plain["cures"]} == set(plain["conflicts"][0])
