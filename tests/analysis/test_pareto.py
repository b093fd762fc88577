"""Fronts: no point beaten by any assignment of the integers, no end missed."""

from __future__ import annotations

import numpy as np
import pytest
from cities import children, city
from every_plan import EveryPlan, choices
from hypothesis import given
from hypothesis import strategies as st

import capsim
from capsim import pareto
from capsim.analysis.pareto import non_dominated
from capsim.certificate import certify
from capsim.lp import SolverError
from capsim.lp.highs import Highs
from capsim.model.model import formulate
from capsim.model.objectives import criterion, holding, minimising

CLEAR = 1e-4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "points"),
    [
        (("cost", "surplus"), 5),
        (("cost", "capital"), 4),
        (("shortfall", "capital"), 4),
        (("cost", "surplus", "shortfall"), 3),
    ],
    ids=str,
)
def test_no_plan_at_all_dominates_a_point(names: tuple[str, ...], points: int) -> None:
    """For each point and criterion: within the point's others, nothing has less of it."""
    model = formulate(choices())
    front = pareto(model, names, points=points, gap=1e-7, threads=1)
    assert front.complete
    assert front.table["proved"].all()
    assert len(front.table) >= 2
    every = EveryPlan(model.program, front.criteria)
    for row in front.table[list(names)].to_numpy(float):
        for k, aim in enumerate(front.criteria):
            limits = row + 1e-7 * np.maximum(1, np.abs(row))
            limits[k] = np.inf
            least = every.best(aim, limits)
            assert least >= row[k] - CLEAR * max(1.0, abs(row[k])), (aim.name, row)
    best = [every.best(aim, [np.inf] * len(names)) for aim in front.criteria]
    assert front.table[list(names)].min().tolist() == pytest.approx(best, rel=1e-5, abs=1e-5)


def test_a_start_is_never_given_back_in_place_of_the_solution() -> None:
    """Presolve alone settles this program, and HiGHS 1.16 then returns the columns of the start."""
    model = formulate(choices())
    aims = [criterion(model, name) for name in ("shortfall", "capital")]
    program = minimising(holding(model.program, [(aims[1], 0.0)]), aims[0])
    highs = Highs(program, {"mip_rel_gap": 0.0, "threads": 1})
    start = highs.solve().x
    assert start is not None
    upper = np.append(program.row_upper[:-1], 4.0)
    highs.change((program.lower, program.upper), (program.row_lower, upper), program.cost)
    highs.start_from(start)
    found = highs.solve()
    assert found.x is not None
    assert aims[0].value(start) == pytest.approx(44.0)
    assert aims[0].value(found.x) == pytest.approx(found.objective) == pytest.approx(16.5)


@pytest.mark.slow
def test_every_limit_of_the_grid_is_answered() -> None:
    """The least cost under each limit of the grid is that of some point that keeps the limit."""
    model = formulate(choices())
    front = pareto(model, ("cost", "surplus"), points=6, gap=1e-7, threads=1)
    every = EveryPlan(model.program, front.criteria)
    cost, surplus = front.table["cost"], front.table["surplus"]
    for limit in np.linspace(surplus.max(), surplus.min(), 6):
        least = every.best(front.criteria[0], [np.inf, limit + 1e-6 * max(1.0, limit)])
        assert cost[surplus <= limit + 1e-4].min() == pytest.approx(least, rel=1e-4)


@pytest.mark.slow
def test_plans_of_points_hold() -> None:
    scenario, demand = city(2, 8, 2023), children(2, 8, 2023)
    front = pareto(scenario, ("cost", "displaced"), points=3, demand=demand, gap=1e-3, threads=1)
    assert front.table["cost"].is_monotonic_increasing
    assert front.table["displaced"].is_monotonic_decreasing
    for point in front.table["point"]:
        plan = front.plan(point)
        certificate = certify(scenario, plan)
        assert certificate.holds(1e-6), certificate.worst
        row = front.table.loc[point]
        assert plan.avoidable_cny / 1e6 <= row["cost"] + CLEAR * max(1.0, row["cost"])
        moved = plan.tables["enrolment"]["displaced"].sum()
        assert moved <= row["displaced"] + CLEAR * max(1.0, row["displaced"])
        assert plan.gap <= 2e-3
    with pytest.raises(ValueError, match="a point is one of 0 to"):
        front.plan(len(front.table))


def test_the_front_of_the_relaxation_is_convex_and_below() -> None:
    model = formulate(choices())
    whole = pareto(model, ("cost", "surplus"), points=4, gap=1e-6, threads=1)
    lines = pareto(model, ("cost", "surplus"), points=7, relax=True, threads=1)
    x, y = lines.table["surplus"].to_numpy()[::-1], lines.table["cost"].to_numpy()[::-1]
    slope = np.diff(y) / np.diff(x)
    assert (np.diff(slope) >= -1e-6).all()
    for _, row in whole.table.iterrows():
        inside = min(max(row["surplus"], x[0]), x[-1])
        assert np.interp(inside, x, y) <= row["cost"] + 1e-3 * abs(row["cost"])


@given(st.lists(st.tuples(*[st.integers(0, 4).map(float)] * 3), min_size=1, max_size=12))
def test_what_is_dominated(rows: list[tuple[float, float, float]]) -> None:
    value = np.array(rows)
    keep = non_dominated(value)
    for i, mine in enumerate(value):
        beaten = any((o <= mine).all() and (o < mine).any() for o in value)
        earlier = any((o == mine).all() for o in value[:i])
        assert keep[i] == (not beaten and not earlier)


def test_rules_that_contradict_each_other() -> None:
    scenario = choices()
    with pytest.raises(SolverError, match="contradict each other"):
        pareto(
            scenario.variant({"policy.reduction": 60.0, "policy.reduction_year": 2022}),
            ("cost", "surplus"),
        )


@pytest.mark.slow
def test_progress_counts_what_is_left_and_may_stop():
    small = capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0)
    told = []
    capsim.pareto(small, ("cost", "surplus"), points=3, progress=told.append)
    assert told[:2] == ["the best of cost", "the best of surplus"]
    assert told[-1] == "trade-off: 2 of 3 limits"

    def stop(words):
        raise KeyboardInterrupt(words)

    with pytest.raises(KeyboardInterrupt, match="the best plan"):
        capsim.near_optimal(small, 0.02, kinds=["project"], progress=stop)
    with pytest.raises(KeyboardInterrupt, match="1 of 1 blocks of draws"):
        capsim.simulate(capsim.optimize(small, gap=0.05), draws=10, progress=stop)
