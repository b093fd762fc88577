"""The price of safety: what a plan costs by the probability that it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from .loop import ROUNDS, begin, chosen, find
from .result import result_of
from .step import Search, Step

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize import Plan
    from capsim.scenario import Scenario

PROBABILITIES = (0.5, 0.8, 0.9, 0.95, 0.99)


def safety_curve(
    scenario: Scenario,
    probabilities: Sequence[float] = PROBABILITIES,
    targets: Sequence[str] | None = None,
    *,
    demand: Demand | None = None,
    plain: Plan | None = None,
    draws: int = 1000,
    fresh_draws: int = 10_000,
    seed: int = 0,
    rounds: int = ROUNDS,
    solver: str = "highs",
    gap: float = 1e-3,
    time_limit: float | None = None,
    executor: Executor | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> pd.DataFrame:
    """Find a plan for each of some probabilities, beside the cheapest plan.

    The highest comes first; for each next one the plans tried so far are where the search begins.

    Parameters
    ----------
    scenario : Scenario
    probabilities : sequence of float
    targets, demand, plain, draws, fresh_draws, seed, solver, gap, time_limit, executor, progress
        As for `capsim.harden`; the draws are the same for all.
    rounds : int
        Plans with margins that are tried at most for each probability.

    Returns
    -------
    DataFrame
        asked (0 for the cheapest plan), reached (bool), cost_cny (discounted), extra_cny (beyond
        the cheapest plan), expected_cny (mean over draws, what goes wrong included), probability,
        low, high (95 % interval on fresh draws), round (of the plan chosen, over all tried).

    Raises
    ------
    ValueError
        As for `capsim.harden`.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2022))
    >>> curve = safety_curve(city, [0.5], draws=64, fresh_draws=64, rounds=1, gap=0.05)
    >>> curve["asked"].tolist(), float(curve["extra_cny"][0])
    ([0.0, 0.5], 0.0)
    """
    options: dict[str, Any] = {"solver": solver, "gap": gap, "time_limit": time_limit}
    search = Search(0.0, draws, fresh_draws, seed, executor, options, progress)
    plain = begin(search, scenario, demand, plain, *probabilities)
    wanted = chosen(plain, targets)
    steps: list[Step] = []
    rows: list[dict[str, Any]] = []
    for asked in sorted(probabilities, reverse=True):
        aim = replace(search, asked=asked)
        steps = find(aim, plain, wanted, rounds, steps)
        found = result_of(aim, steps, wanted, asked)
        best = found.rounds["cost_cny"].eq(found.plan.objective_cny).to_numpy().argmax()
        rows.append({"asked": asked, "reached": found.reached, **_point(found.rounds, int(best))})
    rows.append({"asked": 0.0, "reached": True, **_point(found.rounds, 0)})
    return pd.DataFrame(rows[::-1])


def _point(rounds: pd.DataFrame, number: int) -> dict[str, Any]:
    columns = ["cost_cny", "extra_cny", "expected_cny", "probability", "low", "high", "round"]
    return dict(rounds.iloc[number][columns])
