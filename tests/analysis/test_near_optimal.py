"""Plans near the best: both ends of every range, and distances, against exhaustive search."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from cities import children, city
from every_plan import EveryPlan, choices

from capsim import different_plans, near_optimal
from capsim.analysis.diverse_plans import decisions
from capsim.certificate import certify
from capsim.lp import SolverError, solve
from capsim.model.model import formulate
from capsim.model.objectives import KINDS, Criterion, criterion, holding, levers


@cache
def model() -> Any:
    return formulate(choices())


@cache
def costs() -> tuple[list[np.ndarray], np.ndarray]:
    """Every assignment of the integers and its least cost, million RMB."""
    aim = criterion(model(), "cost")
    every = EveryPlan(model().program, [aim])
    return every.assignments, np.array([every.least(aim, [np.inf], x) for x in every.assignments])


@pytest.mark.parametrize("within", [0.02, 0.3, 1.0])
def test_ranges_are_those_of_exhaustive_search(within: float) -> None:
    found = near_optimal(model(), within, kinds=KINDS[:2], gap=1e-7, threads=1)
    every, cost = costs()
    best = cost.min()
    assert found.best_cny / 1e6 == pytest.approx(best, rel=1e-6)
    assert found.limit_cny / 1e6 == pytest.approx(best * (1 + within), rel=1e-6)
    near = [x for x, c in zip(every, cost, strict=True) if c <= best * (1 + within) + 1e-5]
    assert len(near) >= 1
    for lever, row in zip(
        levers(model(), KINDS[:2]), found.ranges.itertuples(index=False), strict=True
    ):
        taken = [lever.value(x) for x in near]
        assert row.proved
        assert (row.least, row.most) == (min(taken), max(taken)), lever.name
        assert (row.least_bound, row.most_bound) == (min(taken), max(taken)), lever.name
    told = dict(zip(found.projects["name"], found.projects["verdict"], strict=True))
    for lever in levers(model(), KINDS[:2]):
        taken = np.array([lever.value(x) >= 1 for x in near])
        said = "in every plan" if taken.all() else "in some" if taken.any() else "in none"
        assert told[lever.name] == said


def test_wider_is_never_narrower() -> None:
    narrow, wide = (
        near_optimal(model(), within, kinds=["total"], gap=1e-7, threads=1).ranges
        for within in (0.01, 0.2)
    )
    assert (wide["least"] <= narrow["least"] + 1e-3).all()
    assert (wide["most"] >= narrow["most"] - 1e-3).all()


@pytest.mark.slow
def test_beyond_an_end_there_is_no_plan_near_the_best() -> None:
    """Each end is reached by a plan near the best; a little beyond, the program has no solution."""
    scenario, demand = city(2, 8, 2023), children(2, 8, 2023)
    found = near_optimal(scenario, 0.05, kinds=["project", "total"], demand=demand, threads=1)
    city_model = formulate(scenario, demand)
    cost = criterion(city_model, "cost")
    limit = found.limit_cny / 1e6
    near = holding(city_model.program, [(cost, limit + 1e-6 * limit)])
    count = len(city_model.program.cost)
    asked = levers(city_model, ["project", "total"])
    rows = list(found.ranges.itertuples(index=False))
    for lever, row in list(zip(asked, rows, strict=True))[::3]:
        step = 0.5 if lever.whole else 0.01 * max(1.0, row.most)
        for sign, end in ((1.0, row.least), (-1.0, row.most)):
            aim = Criterion(lever.name, "", sign * lever.weights(count))
            at = replace(holding(near, [(aim, sign * end + 1e-3)]), cost=np.zeros(count))
            assert solve(at, gap=0.0).status == "optimal", (lever.name, sign)
            beyond = replace(holding(near, [(aim, sign * end - step)]), cost=np.zeros(count))
            assert solve(beyond, gap=0.0).status == "infeasible", (lever.name, sign)


@pytest.mark.slow
def test_no_time_proves_nothing() -> None:
    with pytest.raises(SolverError, match="allow more time"):
        near_optimal(formulate(city(4, 8), children(4, 8)), time_limit=1e-3)


@pytest.mark.parametrize("within", [0.1, 0.5])
def test_the_farthest_plan_is_that_of_exhaustive_search(within: float) -> None:
    found = different_plans(model(), 4, within, gap=1e-7, threads=1)
    column, weight = decisions(model())
    every, cost = costs()
    best = cost.min()
    near = np.array(
        [x[column] for x, c in zip(every, cost, strict=True) if c <= best * (1 + within)]
    )
    before = [every[int(cost.argmin())][column]]
    assert found.table["proved"].all()
    for at in range(1, len(found.plans)):
        distance = np.min([(np.abs(near - x) * weight).sum(axis=1) for x in before], axis=0)
        row = found.table.iloc[at]
        assert row["distance"] == pytest.approx(distance.max(), abs=1e-6)
        assert row["bound"] == pytest.approx(row["distance"], rel=0.02, abs=0.5)
        assert row["above_best"] <= within + 1e-5
        before.append(_decisions(found.plans[at]))
    if len(found.plans) < 4:
        distance = np.min([(np.abs(near - x) * weight).sum(axis=1) for x in before], axis=0)
        assert distance.max() == 0


def _decisions(plan: Any) -> np.ndarray:
    """What `decisions` counts, from the plan's tables: copies by project, then conversions."""
    copies = plan.tables["projects"]["copies"].to_numpy(float)
    turned = float(len(plan.tables["conversions"]) > 0)
    return np.array([*copies, turned])


@pytest.mark.slow
def test_different_plans_hold() -> None:
    scenario, demand = city(2, 8, 2023), children(2, 8, 2023)
    found = different_plans(scenario, 3, 0.1, demand=demand, gap=1e-4, threads=1)
    assert len(found.plans) == 3
    for plan in found.plans:
        certificate = certify(scenario, plan)
        assert certificate.holds(1e-6), certificate.worst
    apart = found.distances
    assert (apart == apart.T).all()
    assert (apart[np.triu_indices(3, 1)] > 0).all()
    assert (found.table["above_best"] <= 0.1 + 1e-6).all()


def test_a_kind_of_levers_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="kinds of levers are project, conversion"):
        near_optimal(choices(), kinds=["projects"])
