"""The price of safety: what a plan costs by the probability that it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.optimize import optimize

from .loop import harden

if TYPE_CHECKING:
    from capsim.scenario import Scenario

PROBABILITIES = (0.5, 0.8, 0.9, 0.95, 0.99)


def safety_curve(
    scenario: Scenario,
    probabilities: Sequence[float] = PROBABILITIES,
    targets: Sequence[str] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Find a plan for each of some probabilities, beside the cheapest plan.

    Parameters
    ----------
    scenario : Scenario
    probabilities : sequence of float
    targets : sequence of text, optional
        As for `capsim.harden`.
    **options
        As for `capsim.harden`; the draws are the same for all.

    Returns
    -------
    DataFrame
        asked (0 for the cheapest plan), reached (bool), cost_cny (discounted), extra_cny (beyond
        the cheapest plan), expected_cny (mean over draws, what goes wrong included), probability,
        low, high (95 % interval on fresh draws), round (of the plan chosen).

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
    solving = {name: options[name] for name in ("solver", "gap", "time_limit") if name in options}
    plain = options.pop("plain", None) or optimize(scenario, options.get("demand"), **solving)
    rows: list[dict[str, Any]] = []
    for asked in sorted(probabilities):
        found = harden(scenario, targets, asked, plain=plain, **options)
        if not rows:
            rows.append({"asked": 0.0, "reached": True, **_point(found.rounds, 0)})
        best = found.rounds["cost_cny"].eq(found.plan.objective_cny).to_numpy().argmax()
        rows.append({"asked": asked, "reached": found.reached, **_point(found.rounds, int(best))})
    return pd.DataFrame(rows)


def _point(rounds: pd.DataFrame, number: int) -> dict[str, Any]:
    columns = ["cost_cny", "extra_cny", "expected_cny", "probability", "low", "high", "round"]
    return dict(rounds.iloc[number][columns])
