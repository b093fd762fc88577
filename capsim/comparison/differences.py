"""Differences between scenarios: in their settings and tables, and in what was simulated.

Draw ``d`` has the same births and the same building luck in every scenario, so a simulated
difference is taken draw by draw (paired over common random numbers): what is common falls out, and
the interval is that of the difference alone.

A plan is proved to within its gap only, and of plans that cost the same whole any may be found. So
two scenarios differ where one's plan costs less in total than the least that the other can cost;
what is simulated of plans that do not differ so is no difference of the scenarios.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from capsim.lp.array_types import Array, Flag
from capsim.plan.targets import Target
from capsim.scenario.scenario import Scenario
from capsim.scenario.schema import TABLES
from capsim.simulation.outcomes import LEVEL

WHOLE = 1e15
"""Size from which on a number without a fraction is written as it is kept."""
COLUMNS = ("scenario", "what", "first", "mean", "difference", "low", "high", "draws", "differs")
SAME = 1e-6
"""Share of a total cost to which solvers find one and the same optimum."""


class Proof(NamedTuple):
    """What is proved of a scenario's plan.

    Attributes
    ----------
    missed : float
        Targets missed; NaN without a plan, as the costs.
    objective_cny, bound_cny : float
        Total cost of the plan (decided and committed), and the least that any plan can cost; RMB,
        discounted.
    plan : str
        The same where program and solution are the same.
    """

    missed: float
    objective_cny: float
    bound_cny: float
    plan: str

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Proof:
        """Return what a row of `summary` says; without a plan there are no numbers."""
        unknown = {"missed": np.nan, "objective_cny": np.nan, "bound_cny": np.nan, "plan": ""}
        return cls(*({**unknown, **row}[name] for name in cls._fields))

    @property
    def open_cny(self) -> float:
        """RMB by which a better plan could be cheaper."""
        return self.objective_cny - self.bound_cny

    def cheaper(self, other: Proof) -> bool:
        """Check whether the whole costs less, whatever better plan of the other may be found.

        Examples
        --------
        >>> one, other = Proof(0, 100.0, 99.0, "a"), Proof(0, 101.0, 100.0, "b")
        >>> one.cheaper(other), one.cheaper(Proof(0, 103.0, 102.0, "c"))
        (False, True)
        """
        return self.objective_cny + SAME * abs(self.objective_cny) < other.bound_cny

    def level(self, other: Proof) -> bool:
        """Check whether as many targets are missed and neither is proved to be cheaper."""
        return self.missed == other.missed and not self.cheaper(other) and not other.cheaper(self)

    def apart(self, other: Proof) -> bool:
        """Check whether figures that differ do so because of the scenarios.

        Those of one and the same plan do, and those of plans that are not level.
        """
        return self.plan == other.plan or not self.level(other)

    def above(self, first: Proof) -> tuple[float, float, float]:
        """Return total cost above that of another, and the interval that both gaps leave.

        Examples
        --------
        >>> Proof(0, 101.0, 100.0, "b").above(Proof(0, 100.0, 98.0, "a"))
        (1.0, 0.0, 3.0)
        """
        difference = self.objective_cny - first.objective_cny
        if self.plan == first.plan:
            return difference, difference, difference
        return difference, difference - self.open_cny, difference + first.open_cny


def differences(first: Scenario, other: Scenario) -> pd.DataFrame:
    """List what two scenarios differ in.

    Returns
    -------
    DataFrame
        table (`scenario.toml` for settings), key (of the row, or `""`), column (dotted for
        settings), first and value (text; `""` where there is none).
    """
    rows: list[tuple[str, str, str, str, str]] = []
    one, two = (_flat(scenario.settings.model_dump()) for scenario in (first, other))
    for key in sorted(one.keys() | two.keys()):
        if one.get(key) != two.get(key) and key not in {"name", "title", "title_zh", "extends"}:
            rows.append(("scenario.toml", "", key, shown(one.get(key)), shown(two.get(key))))
    for name, table in TABLES.items():
        rows += _cells(name, first.table(name), other.table(name), table.key)
    return pd.DataFrame(rows, columns=["table", "key", "column", "first", "value"])


def _cells(
    name: str, first: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]
) -> list[tuple[str, str, str, str, str]]:
    """List cells in which two tables differ; a row that only one has by its key alone."""
    if first.equals(other):
        return []
    one, two = (table.set_index(_keys(table, keys)) for table in (first, other))
    rows = [(name, key, "", "a row", "") for key in one.index.difference(two.index, sort=False)]
    rows += [(name, key, "", "", "a row") for key in two.index.difference(one.index, sort=False)]
    both = one.index.intersection(two.index, sort=False)
    one, two = one.loc[both], two.loc[both]
    for column in one.columns:
        left, right = one[column], two[column]
        differ = np.asarray(~((left == right) | (left.isna() & right.isna())))
        cells = (values.to_numpy()[differ] for values in (both, left, right))
        rows += [
            (name, str(key), column, shown(a), shown(b)) for key, a, b in zip(*cells, strict=True)
        ]
    return rows


def _keys(table: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    if not keys:
        return pd.Series([str(at) for at in range(len(table))], dtype=str)
    joined = table[keys[0]].astype(str)
    for key in keys[1:]:
        joined = joined + " / " + table[key].astype(str)
    return joined


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def shown(value: object) -> str:
    """Write a setting or a cell as it stands in a scenario: whole numbers without a point.

    Examples
    --------
    >>> shown(2000.0), shown(0.05), shown(True), shown(None), shown("whole")
    ('2000', '0.05', 'true', '', 'whole')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
        return str(int(value))
    return str(value)


def paired(first: Array, other: Array) -> tuple[float, float, float]:
    """Return the mean of ``other − first`` and its 95 % interval, Student's t on the differences.

    Parameters
    ----------
    first, other : array [draw]

    Examples
    --------
    >>> first = np.array([10.0, 20.0, 30.0])
    >>> [round(x, 3) for x in paired(first, first + np.array([1.0, 2.0, 3.0]))]
    [2.0, -0.484, 4.484]
    >>> paired(first, first + 5)
    (5.0, 5.0, 5.0)
    """
    difference = other - first
    mean = float(difference.mean())
    if len(difference) < 2:
        return mean, np.nan, np.nan
    # The same as scipy's ttest_1samp, which warns where all differences are equal.
    error = float(difference.std(ddof=1)) / float(np.sqrt(len(difference)))
    half = float(stdtrit(len(difference) - 1, (1 + LEVEL) / 2)) * error
    return mean, mean - half, mean + half


def matched(first: Flag, other: Flag) -> tuple[float, float, float]:
    """Return the difference of two probabilities on the same draws, and its 95 % interval.

    Source: A. Agresti and Y. Min, Simple improved confidence intervals for comparing matched
    proportions, Statistics in Medicine 24 (2005) 729-740.

    Examples
    --------
    >>> first, other = np.repeat([True, False], 50), np.arange(100) < 60
    >>> [round(x, 3) for x in matched(first, other)]
    [0.1, 0.037, 0.159]
    """
    draws = len(first)
    gained, lost = int((other & ~first).sum()), int((first & ~other).sum())
    more, less, number = gained + 0.5, lost + 0.5, draws + 2
    centre = (more - less) / number
    spread = np.sqrt(max(more + less - (more - less) ** 2 / number, 0.0)) / number
    half = ndtri((1 + LEVEL) / 2) * spread
    return (gained - lost) / draws, float(centre - half), float(centre + half)


def differences_of(
    draws: Mapping[str, pd.DataFrame],
    targets: Mapping[str, Mapping[str, Target]],
    proofs: Mapping[str, Proof],
) -> pd.DataFrame:
    """Set every simulated figure of every scenario against that of the first.

    Parameters
    ----------
    draws
        The tables ``draws`` by scenario, the first what others differ from.
    targets
        By scenario and id.
    proofs
        By scenario.

    Returns
    -------
    DataFrame
        ``COLUMNS``: ``what`` is a column of ``draws``, or ``probability of`` a target; persons
        (child-years), shares, RMB (discounted); ``first`` and ``mean`` are the two means.
        Intervals of RMB are widened by what the gaps of two different plans leave open.
        ``differs``: the interval leaves out 0, and the plans are apart (see `Proof.apart`).
    """
    rows: list[tuple[Any, ...]] = []
    names = list(draws)
    for name in names[1:]:
        one, two = draws[names[0]], draws[name]
        proof, base = proofs[name], proofs[names[0]]
        lower, upper = np.subtract(proof.above(base)[1:], proof.above(base)[0])
        both = min(len(one), len(two))
        for what in one.columns.intersection(two.columns, sort=False).drop("draw"):
            a, b = (table[what].to_numpy(np.float64)[:both] for table in (one, two))
            mean, low, high = paired(a, b)
            if what.endswith("_cny"):
                low, high = low + lower, high + upper
            rows.append((name, what, a.mean(), b.mean(), mean, low, high, both))
            if what in targets[names[0]] and what in targets[name]:
                met_a = targets[names[0]][what].holds(a)
                met_b = targets[name][what].holds(b)
                figures = (met_a.mean(), met_b.mean(), *matched(met_a, met_b))
                rows.append((name, f"probability of {what}", *figures, both))
    table = pd.DataFrame(rows, columns=list(COLUMNS[:-1]))
    apart = [proofs[name].apart(proofs[names[0]]) for name in table["scenario"]]
    surely = (table["low"] > 0) | (table["high"] < 0)
    return table.assign(differs=surely & np.array(apart, bool))
