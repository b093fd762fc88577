"""Priority rules: which activity gets scarce crews first.

A rule takes the activity table (columns of `Draft.table` and those added below) and gives a number
per activity, the smaller first. References: Kolisch (1996), "Efficient priority rules for the
resource-constrained project scheduling problem".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from capsim.construction.kernel import simulate
from capsim.construction.network import Network

Rule = Callable[[pd.DataFrame], "pd.Series[float]"]

RULES: dict[str, Rule | None] = {
    "due_date": lambda t: t["due"].fillna(np.inf),
    "latest_finish": lambda t: t["latest_finish"],
    "latest_start": lambda t: t["latest_start"],
    "minimum_slack": lambda t: t["latest_start"] - t["earliest_start"],
    "places_per_month": lambda t: -t["places"] / t["tail_days"].clip(lower=1.0),
    "most_successors": lambda t: -t["successors"],
    "rank_weight": lambda t: -t["rank_weight"],
    "shortest": lambda t: t["planned_days"],
    "planned": lambda t: t["planned_start"],
    "first_come": None,
}
"""Rules by name; ``first_come`` serves in order of asking."""


def timing(network: Network, table: pd.DataFrame) -> pd.DataFrame:
    """Return the activity table with what rules look at.

    Added columns: earliest_start, latest_start, latest_finish (days, as if resources delayed nobody
    up; latest for the due date, or for the whole to end as early as it can), tail_days (from begin
    of the activity to the end of the last that follows), successors (how many follow in all),
    rank_weight (own and direct successors' working days).
    """
    days = table["planned_days"].to_numpy(float)
    bare = Network(
        network.start,
        network.column,
        network.phase,
        network.after,
        ((),) * network.size,
        network.release,
        network.calendar,
        (),
        network.done,
    )
    start, finish, _ = simulate(bare, days[None, :], None)
    earliest, end = np.nan_to_num(start[0], nan=np.inf), np.nan_to_num(finish[0], nan=np.inf)
    span = np.where(np.isfinite(end), end - np.where(np.isfinite(end), earliest, 0.0), 0.0)
    horizon = float(end[np.isfinite(end)].max(initial=network.start))
    latest = table["due"].fillna(horizon).to_numpy(float).copy()
    tail = span.copy()
    following: list[set[int]] = [set() for _ in days]
    weight = days.copy()
    for i in range(network.size - 1, -1, -1):
        for s in network.successors[i]:
            latest[i] = min(latest[i], latest[s] - span[s])
            tail[i] = max(tail[i], span[i] + tail[s])
            following[i] |= {s} | following[s]
            weight[i] += days[s]
    return table.assign(
        earliest_start=earliest,
        latest_start=latest - span,
        latest_finish=latest,
        tail_days=tail,
        successors=[len(f) for f in following],
        rank_weight=weight,
    )


def key_of(network: Network, table: pd.DataFrame, rule: str | Rule) -> list[float] | None:
    """Return the rule's number per activity; what is under way comes first.

    Raises
    ------
    ValueError
        If the rule does not give one number per activity.
    """
    function = RULES[rule] if isinstance(rule, str) else rule
    if function is None:
        return None
    key = np.array(function(timing(network, table)), dtype=float)
    if key.shape != (network.size,) or np.isnan(key).any():
        raise ValueError(f"a rule gives one number per activity ({network.size}), none of them NaN")
    key[table["planned_start"].to_numpy(float) < network.start] = -np.inf
    return [float(value) for value in key]
