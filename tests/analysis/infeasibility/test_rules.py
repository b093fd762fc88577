"""The table of rules, and the functions that bind them to a model."""

from string import Formatter

import numpy as np
import pytest
from infeasible_cities import CASES
from tiny_cases import school, town

import capsim
from capsim.analysis.infeasibility.rules import BINDINGS, rules_of, table
from capsim.model.model import formulate


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_rule_has_rows_or_a_function() -> None:
    assert set(BINDINGS) <= {entry.name for entry in table()}
    for entry in table():
        assert entry.rows or entry.name in BINDINGS, entry.name
        assert entry.of in ("areas", "schools", "things")
        assert entry.weight > 0
        for variant in entry.variants:
            assert entry.variant(variant, False) == entry
            assert entry.variant(variant, True) != entry


def test_a_cure_says_how_much_or_how_many() -> None:
    for entry in table():
        counted = places(entry.cure) & {"amount", "things", "level"}
        assert "things" not in counted or entry.of == "things"
        assert counted


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_rule_in_force_does_not_give_way(name: str) -> None:
    """At its limits no column deviates; half a unit beyond them every one does."""
    for rule in rules_of(formulate(CASES[name].make())):
        assert len(rule.limit) == len(rule.members)
        assert rule.deviation(rule.limit).tolist() == [0.0] * len(rule.members)
        beyond = rule.deviation(rule.limit + 0.5 * rule.sign)
        assert beyond == pytest.approx(np.full(len(rule.members), 0.5))
        assert (rule.added is None) == (len(rule.columns) == len(rule.members))


@pytest.mark.parametrize("years", [False, True])
def test_an_added_rule_is_named_where_it_contradicts(years: bool) -> None:
    """Of 100 children 30 must be bought places for; the added rule allows for five."""
    schools = [
        school("P", "public", 60, 60),
        school("V", "private", 40, 40, purchasable_places=40, purchase_price_cny=5000),
    ]
    order = {"reduction": 30}
    model = formulate(town(children=(100,), schools=schools, policy=order))
    bought = model.x.purchased.total("school") if years else model.x.purchased.total()
    model.add("few", bought <= 5)
    explanation = capsim.optimize(model, threads=1).explain()
    assert explanation is not None
    assert "own rule few" in explanation.conflicts[0]
    alone = explanation.table.groupby("rule")["alone"].first()
    assert alone["own rule few"] == pytest.approx(25.0)
    text = "\n".join(explanation.sentences)
    assert "the rule few is kept" in text
    assert "the rule few gives way by 25" in text
    (rule,) = [rule for rule in rules_of(model) if rule.name == "own rule few"]
    assert ("{year}" in rule.entry.gap) == years
