"""A question that makes no sense is refused in one sentence, before anything is solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cities import children, city
from tiny_cases import project, school, town

import capsim
from capsim import CVaR, Fair, LeadTimes

Ask = Callable[[Any, Any], Any]


def in_order(*levels: Any, **more: Any) -> Ask:
    return lambda scenario, demand: capsim.optimize_lexicographic(
        scenario, list(levels), demand=demand, **more
    )


def trade_off(*criteria: Any, **more: Any) -> Ask:
    return lambda scenario, demand: capsim.pareto(scenario, criteria, demand=demand, **more)


def near(**more: Any) -> Ask:
    return lambda scenario, demand: capsim.near_optimal(scenario, demand=demand, **more)


def different(count: Any, **more: Any) -> Ask:
    return lambda scenario, demand: capsim.different_plans(scenario, count, demand=demand, **more)


def two_stage(**more: Any) -> Ask:
    return lambda scenario, demand: capsim.optimize_two_stage(
        scenario, {"a": demand, "b": demand}, **more
    )


NAN = float("nan")
ODD: list[tuple[str, Ask]] = [
    ("priorities are a list of at least one level", in_order()),
    ("a priority is the name of a criterion", in_order(None)),
    ("a priority is the name of a criterion", in_order(3)),
    ("not 'displacd'", in_order("displacd")),
    ("a priority is named twice: cost", in_order("cost", "cost")),
    ("weights of criteria must be positive", in_order({})),
    ("weights of criteria must be positive", in_order({"displaced": -1})),
    ("weights of criteria must be positive", in_order({"displaced": NAN})),
    ("weights of criteria must be positive", in_order({"displaced": "1"})),
    ("not 'displacd'", in_order({"displacd": 1.0})),
    ("that of displaced is not", in_order("displaced", tolerances={"displaced": -1})),
    ("that of displaced is not", in_order("displaced", tolerances={"displaced": "1"})),
    ("tolerances of travel, but", in_order("displaced", tolerances={"travel": 1})),
    ("fairness is about one of", lambda *_: Fair("size")),
    ("ranks must be a whole number", lambda *_: Fair("displaced", ranks=0)),
    ("ranks must be a whole number", lambda *_: Fair("displaced", ranks=1.5)),  # type: ignore[arg-type]
    ("two or three different criteria", trade_off("cost")),
    ("two or three different criteria", trade_off("cost", "cost")),
    ("two or three different criteria", trade_off("cost", "displaced", "travel", "surplus")),
    ("not 'displacd'", trade_off("cost", "displacd")),
    ("points must be a whole number", trade_off("cost", "displaced", points=1)),
    ("points must be a whole number", trade_off("cost", "displaced", points=2.5)),
    ("gap must be a number >= 0", trade_off("cost", "displaced", gap=-1)),
    ("within must be a positive share", near(within=0)),
    ("within must be a positive share", near(within=-0.1)),
    ("within must be a positive share", near(within=NAN)),
    ("within must be a positive share", near(within="1 %")),
    ("count must be a whole number, 2 or more", different(1)),
    ("count must be a whole number, 2 or more", different(2.5)),
    ("within must be a positive share", different(2, within=0)),
    ("realisations are a Demand", lambda city, demand: capsim.optimize_two_stage(city, [demand])),  # type: ignore[arg-type]
    ("realisations are a Demand", lambda city, demand: capsim.optimize_two_stage(city, {"a": 3})),  # type: ignore[dict-item]
    ("at least one realisation", lambda city, demand: capsim.optimize_two_stage(city, {})),
    ("must have draws", lambda city, demand: capsim.optimize_two_stage(city, demand)),
    ("must have draws", lambda city, demand: capsim.optimize_regret(city, demand)),
    ("method must be one of", two_stage(method="benders")),
    ("risk must be CVaR", two_stage(risk="cvar")),
    ("probabilities and realisations must have", two_stage(probabilities={"a": 1.0})),
    ("every probability must be a number above", two_stage(probabilities={"a": 1.0, "b": 0.0})),
    ("every probability must be a number above", two_stage(probabilities={"a": 1.0, "b": "x"})),
    ("gap must be a number >= 0", two_stage(gap=NAN)),
    ("beta must be at least 0 and below 1", lambda *_: CVaR(beta=1.0)),
    ("beta must be at least 0 and below 1", lambda *_: CVaR(beta="high")),  # type: ignore[arg-type]
    ("weight must be 0 or more", lambda *_: CVaR(weight=-1.0)),
    ("the lead time of approval must be months", lambda *_: LeadTimes(approval=-1.0)),
    ("the lead time of approval must be months", lambda *_: LeadTimes(approval="9")),  # type: ignore[arg-type]
    ("a variant of births is one of", lambda city, _: capsim.replan(city, "lowest")),
    ("gap must be a number >= 0", lambda city, _: capsim.optimize(city, gap=NAN)),
    ("gap must be a number >= 0", lambda city, _: capsim.optimize(city, gap=-0.1)),
    ("time_limit must be seconds >= 0", lambda city, _: capsim.optimize(city, time_limit=-1.0)),
]


@pytest.mark.parametrize(("said", "ask"), ODD, ids=[f"{i}" for i in range(len(ODD))])
def test_it_is_refused_in_one_sentence(said: str, ask: Ask) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        ask(city(2, 0), children(2, 0))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("as_of", ["soon", "2022-13-01", 2022])
def test_today_is_a_date(as_of: Any) -> None:
    plan = capsim.optimize(city(2, 0), children(2, 0), threads=1)
    with pytest.raises(ValueError, match="as_of must be an ISO date such as 2022-01-01"):
        capsim.decide_by(plan, as_of=as_of)


@pytest.mark.slow
def test_more_plans_than_there_are() -> None:
    """Twenty children lack a place and one of three alike schools is built: three plans."""
    scenario = town(
        children=(120,),
        schools=[school("P", "public", 100, 100)],
        projects=[project(f"N{i}", 20, 1e6, "2022-09-01") for i in range(3)],
    )
    found = capsim.different_plans(scenario, 40, within=1e-3)
    assert len(found.plans) == 3
    assert (found.distances + np.eye(3) > 0).all()


@pytest.mark.slow
def test_one_future_is_the_plan() -> None:
    plan = capsim.optimize(city(2, 0), children(2, 0), gap=1e-6, threads=1)
    for method in ("extensive", "l-shaped"):
        found = capsim.optimize_two_stage(
            city(2, 0), {"only": children(2, 0)}, method=method, gap=1e-6
        )
        assert found.objective_cny == pytest.approx(plan.objective_cny, rel=1e-6)
    worth = capsim.value_of_information(city(2, 0), {"only": children(2, 0)})
    assert worth.perfect_information_cny == pytest.approx(0.0, abs=1e-3 * plan.objective_cny)
    assert worth.stochastic_solution_cny == pytest.approx(0.0, abs=1e-3 * plan.objective_cny)


def changed(**parts: Any) -> Any:
    return replace(children(2, 0), **parts)


def with_cell(value: float) -> Any:
    pupils = children(2, 0).pupils.copy()
    pupils[1, 3, 2] = value
    return changed(pupils=pupils)


@pytest.mark.parametrize(
    ("demand", "said"),
    [
        (lambda: children(3, 0), "it has area C01-village"),
        (lambda: changed(areas=("C01-core", "Z")), "it lacks area C01-town; it has area Z"),
        (lambda: changed(grades=("x", *children(2, 0).grades[1:])), "it lacks grade K1"),
        (lambda: children(2, 0, 2025), "its years are 2021-2025, where 2021-2024 are expected"),
        (lambda: with_cell(NAN), "area C01-town, grade 1, 2023: nan where a number of children"),
        (lambda: with_cell(-3.0), "area C01-town, grade 1, 2023: -3.0 where a number of children"),
    ],
)
def test_children_of_another_scenario(demand: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"the demand is not one of this scenario: {said}"):
        capsim.optimize(city(2, 0), demand())
