"""More freedom never costs more: each rule tightened or relaxed over generated cities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from cities import children, city, linear_optimum
from hypothesis import given, settings
from hypothesis import strategies as st

import capsim

Change = Callable[[Any, float], Any]


def limits(kind: str) -> Change:
    """The amounts of one kind, times 0.5 to 1.5."""

    def change(scenario: Any, freedom: float) -> Any:
        scale = {"limits.amount": {"factor": 0.5 + freedom, "where": {"kind": kind}}}
        return scenario.variant({}, scale=scale)

    return change


def setting(key: str, tight: float, loose: float) -> Change:
    def change(scenario: Any, freedom: float) -> Any:
        return scenario.variant({key: tight + (loose - tight) * freedom})

    return change


def places(column: str) -> Change:
    def change(scenario: Any, freedom: float) -> Any:
        return scenario.variant({}, scale={column: {"factor": 0.8 + 0.4 * freedom}})

    return change


def purchasable(scenario: Any, freedom: float) -> Any:
    """More or fewer places on sale, within what a school has and what is sold at the least."""
    schools = scenario.table("schools")
    places = schools["purchasable_places"] * (0.8 + 0.4 * freedom)
    places = np.minimum(np.maximum(places, schools["purchase_min_places"]), schools["places"])
    return scenario.variant(tables={"schools": schools.assign(purchasable_places=places)})


def land(scenario: Any, freedom: float) -> Any:
    """Land for none to all of the candidates, where public schools are short of places."""
    projects = scenario.table("projects").assign(land_mu=5.0)
    scale = {
        "limits.amount": {"factor": freedom, "where": {"kind": "land"}},
        "schools.places": {"factor": 0.8, "where": {"sector": "public"}},
    }
    return scenario.variant({}, tables={"projects": projects}, scale=scale)


def reduction(scenario: Any, freedom: float) -> Any:
    ordered = float(scenario.settings.policy.reduction)
    return scenario.variant({"policy.reduction": ordered * (1.2 - 0.6 * freedom)})


CHANGES: dict[str, Change] = {
    "cap": setting("policy.private_share_cap.2022", 0.05, 0.3),
    "ceiling": setting("policy.purchase_ceiling_share", 0.0, 0.15),
    "large classes": setting("policy.large_class_share.2022", 0.02, 0.3),
    "kindergarten floor": setting("floors.kindergarten_enrolment.2022", 0.95, 0.6),
    "public floor": setting("floors.kindergarten_public.2022", 0.6, 0.3),
    "reduction": reduction,
    "purchasable": purchasable,
    "land": land,
    **{
        kind: limits(kind)
        for kind in ("capital", "posts", "hires", "contract_teachers", "purchase")
    },
}
FREEDOM = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
CITIES = st.tuples(st.sampled_from([2, 3, 4]), st.integers(0, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CHANGES))
@settings(max_examples=4, derandomize=True)
@given(CITIES, FREEDOM)
def test_freedom_never_costs_more(name: str, where: tuple[int, int], freedom: list[float]) -> None:
    scenario, demand = city(*where), children(*where)
    tight, loose = (linear_optimum(CHANGES[name](scenario, value), demand) for value in freedom)
    assert loose <= tight + 1e-7 * max(abs(tight), 1.0)


@pytest.mark.slow
def test_the_rules_do_bind() -> None:
    """Each change moves the cost of some city, or the test above says nothing of it."""
    idle = []
    for name, change in CHANGES.items():
        for where in [(3, 0), (4, 1), (2, 2)]:
            tight, loose = (
                linear_optimum(change(city(*where), value), children(*where)) for value in (0, 1)
            )
            if tight > loose * (1 + 1e-6):
                break
        else:
            idle.append(name)
    assert idle == []


@pytest.mark.parametrize("family", ["share", "reduction", "staff", "seats", "money", "land"])
def test_a_rule_switched_off_never_costs_more(family: str) -> None:
    scenario, demand = city(3, 1), children(3, 1)
    if family == "staff":
        scenario = scenario.variant({"cost_terms.staff": False, "cost_terms.hiring": False})
    off = scenario.variant({f"switches.{family}": False})
    tight, loose = linear_optimum(scenario, demand), linear_optimum(off, demand)
    assert loose <= tight + 1e-7 * max(abs(tight), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cap", "reduction", "capital", "posts"])
@pytest.mark.parametrize("where", [(2, 0), (3, 1)])
def test_whole_plans_are_bounded_by_freer_ones(name: str, where: tuple[int, int]) -> None:
    scenario, demand = city(*where), children(*where)
    tight = capsim.optimize(CHANGES[name](scenario, 0.4), demand, gap=2e-2, threads=1)
    loose = capsim.optimize(CHANGES[name](scenario, 0.7), demand, gap=2e-2, threads=1)
    assert loose.status == "optimal"
    if tight.status != "infeasible":
        assert loose.bound_cny <= tight.objective_cny * (1 + 1e-9)


def test_the_relaxation_bounds_the_plan() -> None:
    scenario, demand = city(3, 0), children(3, 0)
    whole = capsim.optimize(scenario, demand, gap=1e-3, threads=1)
    relaxed = capsim.optimize(scenario, demand, relax=True, threads=1)
    assert relaxed.status == "optimal"
    assert relaxed.objective_cny <= whole.bound_cny * (1 + 1e-6)
