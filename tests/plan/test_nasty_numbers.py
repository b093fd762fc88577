"""Cities whose numbers lie as far apart as settings allow: no proof that another solver undoes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import capsim
from capsim.certificate import certify
from capsim.model.model import NEVER, formulate
from capsim.plan import optimize

pytestmark = pytest.mark.slow

BASES = ((1, 300, 0), (1, 120, 1), (2, 900, 2), (1, 3000, 3))
"""Areas, pupils and seed of tiny and less tiny cities."""
SETTINGS = {
    "a child out costs 1e9": {"costs.shortfall_cny": 1e9},
    "a child out costs 1e11": {"costs.shortfall_cny": 1e11},
    "a child out costs 1e13": {"costs.shortfall_cny": 1e13},
    "a child out costs 1e15": {"costs.shortfall_cny": 1e15},
    "nothing else costs anything": {
        "costs.shortfall_cny": 1e12,
        **{f"costs.{name}_cny": 0.0 for name in ("displacement", "overfill", "hire")},
        "costs.teacher_cny": 0.0,
        "costs.contract_teacher_cny": 0.0,
    },
    "a full class never": {"costs.overfill_cny": 1e12},
    "a move never": {"costs.displacement_cny": 1e13, "costs.shortfall_cny": 1e15},
    "a kilometre never": {"costs.travel_cny_per_km": 1e9},
    "a teacher for a fen": {"costs.teacher_cny": 0.01, "costs.shortfall_cny": 1e14},
    "money of tomorrow is worth nothing": {"costs.discount_rate": 0.9, "costs.shortfall_cny": 1e15},
}
PEOPLE = {
    "projects of a billion": {"projects.capital_cny": 1e3},
    "projects for nothing": {"projects.capital_cny": 1e-9, "projects.spent_cny": 0},
}
CASES = [(base, name) for base in BASES for name in (*SETTINGS, *PEOPLE)][:52]


@cache
def city(base: tuple[int, int, int]):
    areas, pupils, seed = base
    made = capsim.generate(areas, pupils, seed, years=(2021, 2024), stages=("primary", "junior"))
    return made.variant({"reliability.targets": []})


def changed(base: tuple[int, int, int], name: str):
    if name in SETTINGS:
        return city(base).variant(SETTINGS[name])
    scaled = city(base).variant(scale=PEOPLE[name])
    return scaled.variant({"costs.shortfall_cny": 1e13})


@pytest.mark.parametrize(
    ("base", "name"),
    [
        pytest.param(*case, id=f"{case[0]}-{case[1]}", marks=[pytest.mark.slow] * (at % 5 > 0))
        for at, case in enumerate(CASES)
    ],
)
def test_no_proof_is_undone_by_another_solver(base, name):
    scenario = changed(base, name)
    plans = [optimize(scenario, solver=solver, gap=1e-6) for solver in ("highs", "scipy", "cbc")]
    found = [plan for plan in plans if plan.status != "infeasible"]
    assert len(found) in (0, 3)
    if not found:
        return
    # A millionth of a person is what solvers and certificate take for none.
    cheapest = min(plan.objective_cny for plan in found)
    out = max(plan.tables["shortfall"]["shortfall"].sum() for plan in found)
    price = scenario.settings.costs.shortfall_cny if out else 0.0
    room = 1.0 + 1e-9 * abs(cheapest) + 1e-6 * price
    for plan in found:
        assert plan.bound_cny <= cheapest + room, (plan.solver, plan.status)
        if plan.status == "optimal":
            least = max(plan.avoidable_cny, 1e6)
            assert plan.objective_cny - cheapest <= 2e-6 * least + room
        assert certify(scenario, plan).holds(1e-5)


def test_what_costs_more_than_never_is_kept_apart():
    model = formulate(city(BASES[0]).variant({"costs.shortfall_cny": 1e15}))
    assert model.program.cost[~model.program.integer].max() == NEVER
    dear = model.beyond > 0
    assert set(model.columns.shortfall[model.columns.shortfall >= 0]) >= set(np.flatnonzero(dear))
    assert model.beyond.max() == pytest.approx(1e9 - NEVER)
    usual = formulate(city(BASES[0]))
    assert not usual.beyond.any()


def crowded():
    """Return a city in which some children cannot be placed, whatever is done."""
    base = city(BASES[2])
    schools, projects = base.table("schools"), base.table("projects")
    public = schools["sector"] == "public"
    schools.loc[public, "places"] = np.floor(schools.loc[public, "places"] * 0.3)
    schools["conversion"] = "no"
    schools["purchasable_places"] = 0.0
    schools["purchase_min_places"] = 0.0
    projects = projects[projects["status"] != "candidate"]
    return base.variant(tables={"schools": schools, "projects": projects})


@pytest.mark.parametrize("price", [1e11, 1e15])
def test_of_what_cannot_be_avoided_as_little_as_can_be(price):
    """The same children are out whatever *never* is written as, and the bound says so."""
    fewest = optimize(crowded().variant({"costs.shortfall_cny": 1e9}), gap=1e-6)
    out = fewest.tables["shortfall"]["shortfall"].sum()
    assert out > 1
    plan = optimize(crowded().variant({"costs.shortfall_cny": price}), gap=1e-6)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(out, rel=1e-6)
    assert plan.status == "optimal"
    assert plan.bound_cny == pytest.approx(plan.objective_cny, rel=1e-6)
