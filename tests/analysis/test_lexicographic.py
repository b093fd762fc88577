"""Plans by priority against exhaustive search, fairness against cases worked out on paper."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import children, city
from every_plan import EveryPlan, choices
from tiny_cases import project, school, town

import capsim
from capsim import Fair, SolveOptions, optimize_lexicographic
from capsim.certificate import certify
from capsim.lp import SolverError
from capsim.model.model import formulate
from capsim.model.objectives import CRITERIA, criterion, weighted
from capsim.plan.solution_arrays import values

ORDERS = [
    ("shortfall", "surplus", "cost"),
    ("surplus", "capital", "cost"),
    ("capital", "shortfall", "cost"),
    ("overfilled", "shortfall", "cost"),
]


def table_values(plan: Any) -> dict[str, float]:
    """Criteria as the plan's own tables have them."""
    t = plan.tables
    return {
        "cost": plan.avoidable_cny / 1e6,
        "shortfall": t["shortfall"]["shortfall"].sum(),
        "displaced": t["enrolment"]["displaced"].sum(),
        "overfilled": t["balance"]["overfilled"].sum(),
        "surplus": t["balance"]["surplus"].sum(),
        "private": t["schools"]["fee_paying_december"].sum() - _other_private(plan),
        "purchased": t["schools"]["purchased_december"].sum(),
        "large_classes": t["schools"]["large_classes"].sum(),
        "travel": t["costs"].query("kind == 'travel'")["cost_cny"].sum() / 1e6,
        "capital": t["costs"].query("kind == 'capital'")["cost_cny"].sum() / 1e6,
        "away": t["flows"].query("area != to_area")["pupils"].sum(),
    }


def _other_private(plan: Any) -> float:
    compulsory = list(plan.scenario.settings.stages.compulsory)
    schools = plan.tables["schools"]
    return float(schools[~schools["stage"].isin(compulsory)]["fee_paying_december"].sum())


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_levels_are_those_of_exhaustive_search(order: tuple[str, ...]) -> None:
    model = formulate(choices())
    found = optimize_lexicographic(model, order, tolerances=dict.fromkeys(order, 0.0), threads=1)
    aims = [criterion(model, name) for name in order]
    every = EveryPlan(model.program, aims)
    limits = [np.inf] * len(aims)
    for at, aim in enumerate(aims):
        best = every.best(aim, limits)
        limits[at] = best + 1e-6 * max(1.0, abs(best))
        row = found.levels.iloc[at]
        assert row["best"] == pytest.approx(best, rel=1e-5, abs=1e-5)
        assert row["bound"] <= row["best"]
        assert row["bound"] == pytest.approx(best, rel=1e-3, abs=1e-5)
        assert row["proved"]
    assert found.plan.status == "optimal"


@pytest.mark.slow
def test_the_order_matters_and_the_tables_agree() -> None:
    scenario, demand = city(2, 8, 2023), children(2, 8, 2023)
    model = formulate(scenario, demand)
    seen = {}
    for order in (["shortfall", "displaced"], ["shortfall", "surplus"]):
        found = optimize_lexicographic(model, order, gap=1e-3, threads=1)
        certificate = certify(scenario, found.plan)
        assert certificate.holds(1e-6), certificate.worst
        told = table_values(found.plan)
        levels = found.levels.set_index("criterion")
        assert list(levels.index) == [*order, "cost"]
        for name in levels.index:
            assert levels.loc[name, "value"] == pytest.approx(told[name], rel=1e-6, abs=1e-6)
            allowed = levels.loc[name, "best"] + levels.loc[name, "tolerance"]
            assert levels.loc[name, "value"] <= allowed + 1e-4
        assert found.plan.bound_cny <= found.plan.objective_cny
        seen[order[1]] = told
    assert seen["displaced"]["displaced"] < seen["surplus"]["displaced"] - 1
    assert seen["surplus"]["surplus"] < seen["displaced"]["surplus"] - 1


@pytest.mark.slow
def test_every_criterion_is_that_of_the_tables() -> None:
    scenario, demand = city(3, 1), children(3, 1)
    model = formulate(scenario, demand)
    plan = optimize_lexicographic(model, ["cost"], gap=1e-2, threads=1)
    told = table_values(plan.plan)
    found = plan.levels.set_index("criterion")["value"]
    assert found["cost"] == pytest.approx(told["cost"])
    from capsim.plan.solver import break_ties, search
    from capsim.plan.tables import plan_tables

    x = break_ties(model, search(model, model.program, SolveOptions(gap=1e-2, threads=1)).x)
    tables = plan_tables(model, x)
    again = values(model, x, CRITERIA)
    told = table_values(_Told(scenario, tables, again["cost"] * 1e6))
    assert again == pytest.approx(told, rel=1e-6, abs=1e-6)


class _Told:
    def __init__(self, scenario: Any, tables: Any, avoidable_cny: float) -> None:
        self.scenario, self.tables, self.avoidable_cny = scenario, tables, avoidable_cny


@pytest.mark.slow
def test_more_tolerance_is_never_dearer() -> None:
    model = formulate(choices())
    costs = [
        optimize_lexicographic(
            model, ["capital", "cost"], tolerances={"capital": allowed}, gap=1e-6, threads=1
        ).plan.objective_cny
        for allowed in (0.0, 4.0, 12.0)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0] - 1e5


def test_weights_are_a_weighted_sum() -> None:
    model = formulate(choices())
    weights = {"cost": 1.0, "surplus": 0.05}
    aim = weighted(model, weights)
    best = EveryPlan(model.program, [aim]).best(aim, [np.inf])
    found = optimize_lexicographic(model, [weights], gap=1e-6, threads=1).levels
    assert found["best"].iloc[0] == pytest.approx(best, rel=1e-5)
    assert found["value"].iloc[0] <= best + found["tolerance"].iloc[0] + 1e-6


def areas(told: dict[str, tuple[float, float]], posts: float | None = None, **other: Any) -> Any:
    """Areas of one county with their children and public places; a year; one grade."""
    rows = [(area, "7", year, n) for area, (n, _) in told.items() for year in (2021, 2022)]
    forecast = pd.DataFrame(rows, columns=["area", "grade", "school_year", "pupils"])
    schools = pd.DataFrame(
        {
            "school": [f"S{area}" for area in told],
            "stage": "junior",
            "area": list(told),
            "sector": "public",
            "places": [places for _, places in told.values()],
            "pupils": [places for _, places in told.values()],
            "staff": 7.0,
        }
    )
    tables = {
        "areas": pd.DataFrame({"area": list(told), "county": "C"}),
        "forecast": forecast,
        "schools": schools,
    }
    if posts is not None:
        kinds = {"posts": posts, "contract_teachers": 0.0}
        rows = [{"kind": k, "year": 2022, "amount": n, "county": "C"} for k, n in kinds.items()]
        tables["limits"] = pd.DataFrame(rows)
    junior = {"grades": ["7"], "class_size": 50, "class_ceiling": 50, "large_class": 64}
    junior |= {"allowance_cny": 0, "pupils_per_post": 10, **other.pop("standards", {})}
    settings = {
        "name": "areas",
        "horizon": {"base_year": 2021, "last_year": 2022},
        "stages": {"planned": ["junior"], "compulsory": ["junior"]},
        "standards": {"junior": junior},
        "costs": {"discount_rate": 0.05, "shortfall_cny": 200_000.0, **other.pop("costs", {})},
        "switches": {"staff": posts is not None},
        "staff": {"attrition": 0.0, "stages": ["junior"]},
        **other,
    }
    return capsim.Scenario.from_tables(settings=settings, **tables)


def test_the_worst_off_area_first_then_the_next() -> None:
    """21 teachers teach 210 of 300 children; C has 50 places only, the other two 100 each.

    So 50 of C's children stay out whatever is done; the 160 left are 80 each for A and B.
    """
    scenario = areas(
        {"A": (100, 100), "B": (100, 100), "C": (100, 50)},
        posts=21.0,
        travel={"within_county": False},
    )
    found = optimize_lexicographic(
        scenario, ["shortfall", Fair("shortfall", ranks=3)], tolerances={"shortfall": 0}, threads=1
    )
    levels = found.levels
    assert levels["best"].tolist()[:4] == pytest.approx([90, 50, 70, 90], abs=1e-3)
    assert levels["bound"].tolist()[:4] == pytest.approx([90, 50, 70, 90], abs=1e-3)
    assert levels["who"].tolist()[1] == "C"
    short = found.plan.tables["shortfall"].groupby("area")["shortfall"].sum()
    # One child of tolerance a rank, in all.
    assert short.loc["C"] == pytest.approx(50, abs=1.01)
    assert short.loc[["A", "B"]].tolist() == pytest.approx([20, 20], abs=2.01)
    assert certify(scenario, found.plan).holds(1e-6)


def test_classes_of_the_worst_area_first() -> None:
    """100 children by a school of 60 places, 60 by one of 100: cost fills the near classes to 60.

    Travel costs, over-filling does not; 160 children on 160 places are 50 a class in both.
    """
    scenario = areas(
        {"A": (100, 60), "B": (60, 100)},
        standards={"class_ceiling": 60},
        costs={"overfill_cny": 0, "travel_cny_per_km": 100.0},
        travel={"default_km": 5.0},
    )

    def sizes(plan: Any) -> list[float]:
        table = plan.tables["schools"]
        return sorted((table["pupils"] / table["classes"]).tolist())

    assert sizes(capsim.optimize(scenario)) == pytest.approx([44, 60])
    found = optimize_lexicographic(
        scenario, ["shortfall", Fair("class_size")], tolerances={"shortfall": 0}, threads=1
    )
    worst = found.levels.set_index("criterion").loc["worst class_size 1"]
    assert worst["bound"] <= 50 + 1e-6
    assert worst["best"] == pytest.approx(50, abs=0.11)
    assert sizes(found.plan)[-1] == pytest.approx(50, abs=0.21)
    assert found.plan.status == "optimal"


def test_a_criterion_that_nothing_moves() -> None:
    with pytest.raises(ValueError, match="no decision moves the criterion 'displaced'"):
        optimize_lexicographic(choices(), ["displaced"])


def test_rules_that_contradict_each_other() -> None:
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 50, 50), school("V", "private", 50, 50)],
        projects=[project("N", 10, 1e6, "2022-09-01")],
        policy={"reduction": 60.0, "reduction_year": 2022},
    )
    with pytest.raises(SolverError, match="'shortfall': the rules contradict each other"):
        optimize_lexicographic(scenario, ["shortfall"])


@pytest.mark.slow
def test_large_programs_go_county_by_county(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same levels as in one piece, to the gaps that each way proves."""
    scenario = capsim.generate(areas=7, pupils=35_000, years=(2021, 2023), seed=3)
    model = formulate(scenario)
    order = ["shortfall", Fair("overfilled", ranks=2), "cost"]
    whole = optimize_lexicographic(model, order, gap=1e-3, threads=1)
    monkeypatch.setattr(import_module("capsim.model.model"), "LARGE", 100)
    parts = optimize_lexicographic(model, order, gap=1e-3, threads=1, time_limit=60)
    assert (whole.route, parts.route) == ("whole, one solver kept", "county by county")
    for a, b in ((whole, parts), (parts, whole)):
        assert (a.levels["bound"] <= b.levels["best"] * (1 + 2e-3) + b.levels["tolerance"]).all()
    certificate = certify(scenario, parts.plan)
    assert certificate.holds(1e-6), certificate.worst
