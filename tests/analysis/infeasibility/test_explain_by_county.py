"""Explanations of large cities: county by county the same as the relaxation of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cities import without_rules

import capsim
from capsim.analysis.infeasibility.diagnosis import explain_contradiction
from capsim.analysis.infeasibility.elastic import ElasticModel, make_elastic
from capsim.lp import solve
from capsim.model import model as model_module
from capsim.model.model import formulate

FINE = 2e-3


@pytest.fixture
def every_program_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "LARGE", 0)


def short_of_places(factor: float = 1.9, **changes: Any) -> Any:
    """A model of three counties with nothing for sale, ordered to take in more than they can."""
    stages = ("primary", "junior")
    base = without_rules(capsim.generate(9, 45_000, 1, years=(2021, 2023), stages=stages))
    reduction = factor * base.settings.policy.reduction
    none = {
        f"schools.{name}": {"factor": 0} for name in ("purchasable_places", "purchase_min_places")
    }
    return formulate(base.variant({"policy.reduction": reduction, **changes}, scale=none))


def least_of_the_whole(elastic: ElasticModel, held: list[str], given_way: list[str]) -> float:
    found = solve(elastic.with_rules(held, given_way).relaxed())
    return found.objective if found.status == "optimal" else np.inf


@pytest.mark.slow
@pytest.mark.usefixtures("every_program_is_large")
def test_every_amount_is_that_of_the_relaxation_of_the_whole() -> None:
    model = short_of_places()
    elastic, explanation = make_elastic(model), explain_contradiction(model)
    assert explanation is not None
    assert elastic.pricer is not None
    assert len(elastic.pricer.blocks) >= 3
    (conflict,) = explanation.conflicts
    assert {"every child", "reduction"} <= set(conflict)
    alone = explanation.table.groupby("rule")["alone"].first()
    weight = {name: rule.entry.weight for name, rule in elastic.rules.items()}
    for rule in conflict:
        others = [name for name in elastic.rules if name != rule]
        least = least_of_the_whole(elastic, others, [rule])
        if np.isinf(least):
            assert np.isnan(alone[rule]), rule
        else:
            assert alone[rule] * weight[rule] == pytest.approx(least, rel=FINE, abs=0.1), rule
    given_way = [name for name in elastic.rules if name != "every child"]
    together = explanation.table["short_by"] * explanation.table["rule"].map(weight)
    least = least_of_the_whole(elastic, ["every child"], given_way)
    assert together.sum() == pytest.approx(least, rel=FINE)


@pytest.mark.slow
@pytest.mark.usefixtures("every_program_is_large")
def test_the_contradiction_is_minimal() -> None:
    model = short_of_places()
    elastic, explanation = make_elastic(model), explain_contradiction(model)
    assert explanation is not None
    (conflict,) = explanation.conflicts
    assert least_of_the_whole(elastic, [], list(conflict)) > 1.0
    for rule in conflict:
        rest = [name for name in conflict if name != rule]
        assert least_of_the_whole(elastic, [], rest) == pytest.approx(0.0, abs=1e-3), rule


def questions(elastic: ElasticModel) -> Iterator[list[str]]:
    names = list(elastic.rules)
    yield names
    for name in names:
        yield [other for other in names if other != name]
    rng = np.random.default_rng(5)
    for _ in range(8):
        yield [name for name in names if rng.random() < 0.7]


@pytest.mark.slow
@pytest.mark.usefixtures("every_program_is_large")
def test_questions_one_after_the_other_are_answered_as_by_the_whole() -> None:
    """The solvers that are kept forget what was asked before."""
    elastic, seen = make_elastic(short_of_places()), set()
    for names in questions(elastic):
        least = least_of_the_whole(elastic, [], names)
        parts = elastic.contradiction(names)
        assert (parts is not None) == (least > 1e-2), names
        seen.add(parts is not None)
        if parts is not None:
            assert least_of_the_whole(elastic, [], list(parts)) > 1e-2
    assert seen == {True, False}


@pytest.mark.slow
@pytest.mark.usefixtures("every_program_is_large")
def test_a_city_without_contradiction_says_what_a_place_costs() -> None:
    """Nothing contradicts; a missing child is merely cheap."""
    model = short_of_places(1.0, **{"costs.shortfall_cny": 1.0})
    plan = capsim.optimize(model.given.scenario, model.given.demand, threads=1)
    assert not plan.meets_targets
    explanation = plan.explain()
    assert explanation is not None
    assert explanation.conflicts == ()
    assert "for at least" in explanation.sentences[-1]
