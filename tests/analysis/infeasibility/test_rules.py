"""The table of rules, and the functions that bind them to a model."""

from string import Formatter

import numpy as np
import pytest
from infeasible_cities import CASES

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
        assert ("things" in counted) == (entry.of == "things")
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
