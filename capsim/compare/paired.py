"""Differences between scenarios with confidence intervals, paired over common random numbers.

Draw ``d`` has the same births and the same building luck in every scenario, so the difference is
taken draw by draw: what is common falls out, and the interval is that of the difference alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

__all__ = ["COLUMNS", "differences_of", "matched", "paired"]

COLUMNS = ("scenario", "what", "first", "mean", "difference", "low", "high", "draws")
LEVEL = 0.95
Z95 = 1.959963984540054
TOLERANCE = 1e-6
Floats = npt.NDArray[np.float64]


def paired(first: Floats, other: Floats) -> tuple[float, float, float]:
    """Mean of ``other − first`` and its 95 % interval, Student's t on the differences.

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
    error = float(difference.std(ddof=1)) / float(np.sqrt(len(difference)))
    half = float(stdtrit(len(difference) - 1, (1 + LEVEL) / 2)) * error
    return mean, mean - half, mean + half


def matched(
    first: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]
) -> tuple[float, float, float]:
    """Difference of two probabilities on the same draws, and its 95 % interval.

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
    half = Z95 * np.sqrt(max(more + less - (more - less) ** 2 / number, 0.0)) / number
    return (gained - lost) / draws, float(centre - half), float(centre + half)


def differences_of(
    draws: Mapping[str, pd.DataFrame], required: Mapping[str, Mapping[str, float]]
) -> pd.DataFrame:
    """Set every simulated figure of every scenario against that of the first.

    Parameters
    ----------
    draws
        The tables ``draws`` by scenario, the first what others differ from.
    required
        What targets ask for, by scenario and id.

    Returns
    -------
    DataFrame
        ``COLUMNS``: ``what`` is a column of ``draws``, or ``probability of`` a target; persons
        (child-years), shares, RMB (discounted); ``first`` and ``mean`` are the two means.
    """
    rows: list[tuple[Any, ...]] = []
    names = list(draws)
    for name in names[1:]:
        one, two = draws[names[0]], draws[name]
        both = min(len(one), len(two))
        for what in one.columns.intersection(two.columns, sort=False).drop("draw"):
            a, b = (table[what].to_numpy(np.float64)[:both] for table in (one, two))
            rows.append((name, what, a.mean(), b.mean(), *paired(a, b), both))
            asked = [required[scenario].get(what) for scenario in (names[0], name)]
            if asked[0] is not None and asked[1] is not None:
                met_a, met_b = _met(what, a, asked[0]), _met(what, b, asked[1])
                figures = (met_a.mean(), met_b.mean(), *matched(met_a, met_b))
                rows.append((name, f"probability of {what}", *figures, both))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _met(target: str, achieved: Floats, required: float) -> npt.NDArray[np.bool_]:
    """Tell in which draws a share is at most, a reduction at least, what is asked."""
    slack = TOLERANCE * max(1.0, abs(required))
    met: npt.NDArray[np.bool_] = (
        achieved >= required - slack if target == "reduction" else achieved <= required + slack
    )
    return met
