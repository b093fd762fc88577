"""Prediction intervals whose width is measured, not chosen.

What a back-test missed by, relative to its forecast, has a variance with a part that falls with
size (chance of single children) and one that does not (what moves all alike), by lead year and, for
grades, by grade. Errors divided by that standard deviation are pooled over areas; their quantiles,
recent origins weighing more, are the half-widths of the intervals. Where intervals missed too often
or too seldom their quantile moves (adaptive conformal inference, Gibbs and Candès 2021). Only
errors known at an origin are used for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .ratios import Array
from .shrinkage import variance_parts

LEVELS = (0.8, 0.95)
FADE = 0.8
"""Weight of an origin relative to the next one."""
STEP = 0.2
"""How far a quantile moves for a miss."""
LEAN = 2
"""Origins that the lead before counts for in the width of a lead."""
GROWTH = 1.0
"""Power of the lead with which error variance grows: that of a random walk."""


@dataclass(frozen=True, eq=False)
class Reach:
    """Half-widths of intervals, relative to the forecast: ``reach * sqrt(person / F + lasting)``.

    Attributes
    ----------
    person, lasting : array [column, lead]
        Parts of the relative error variance; NaN for leads with no error known yet.
    reach : array [level, column, lead]
        For the shares of `LEVELS`.
    """

    person: Array
    lasting: Array
    reach: Array

    def sd(self, forecast: Array) -> Array:
        """Relative standard deviation of forecasts ``[..., column, lead]`` by the parts alone."""
        size = np.where(forecast > 0, forecast, np.nan)
        return np.sqrt(self.person / size + self.lasting)


@dataclass(frozen=True, eq=False)
class Covered:
    """Out-of-sample hits of the intervals.

    Attributes
    ----------
    number : array [column, lead]
    hits : array [level, column, lead]
    last : Reach
        As measured from all errors known at the last origin.
    """

    number: Array
    hits: Array
    last: Reach


def weighted_quantiles(values: Array, weights: Array, share: Array) -> Array:
    """Quantiles of columns of ``values`` [observation, column] at ``share`` [level, column].

    NaN are left out. A column without any value has NaN.

    Examples
    --------
    >>> weighted_quantiles(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 2.0]),
    ...                    np.array([[0.5], [0.9]]))
    array([[2.],
           [3.]])
    """
    order = np.argsort(values, axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    weight = np.where(np.isfinite(ordered), weights[order], 0.0)
    sums = np.cumsum(weight, axis=0)
    total = sums[-1]
    at = (sums[None] < share[:, None] * total - 1e-12).sum(1)
    picked = np.take_along_axis(ordered, np.minimum(at, len(ordered) - 1), axis=0)
    return np.where(total > 0, picked, np.nan)


def cover(forecast: Array, actual: Array, origins: npt.NDArray[np.intp], now: int) -> Covered:
    """Intervals at every origin from the errors known by then, and how often they held.

    Parameters
    ----------
    forecast, actual : array [origin, area, column, lead]
        Persons; leads are 1, 2, … years. NaN where not to be judged.
    origins : array [origin]
        Years before ``now``, in order.
    now : int
        Last year observed.

    Returns
    -------
    Covered
    """
    good = (forecast > 0) & np.isfinite(actual)
    size = np.where(good, forecast, np.nan)
    error, inverse = (actual - size) / size, 1.0 / size
    columns, leads = forecast.shape[2:]
    number, hits = np.zeros((columns, leads)), np.zeros((len(LEVELS), columns, leads))
    drift = np.zeros((len(LEVELS), columns, leads))
    missed: list[tuple[int, int, Array]] = []
    for at, origin in enumerate([*origins.tolist(), now]):
        for due, lead, gap in missed:
            drift[..., lead] += np.where(due == origin, STEP * gap, 0.0)
        reach = _reach(error, inverse, origins, origin, drift)
        for lead in range(min(leads, now - origin)):
            apart = _scaled(
                error[at, ..., lead],
                inverse[at, ..., lead],
                reach.person[:, lead],
                reach.lasting[:, lead],
            )
            half = reach.reach[..., lead]
            judged = (np.isfinite(apart) & np.isfinite(half[0])).sum(0)
            inside = (apart <= half[:, None]).sum(1)
            number[:, lead] += judged
            hits[..., lead] += inside
            rate = inside / np.maximum(judged, 1)
            gap = np.where(judged > 0, np.array(LEVELS)[:, None] - rate, 0.0)
            missed.append((origin + lead + 1, lead, gap))
    return Covered(number, hits, reach)


def _reach(
    error: Array, inverse: Array, origins: npt.NDArray[np.intp], origin: int, drift: Array
) -> Reach:
    """Half-widths by lead from what is known at an origin; few errors lean on the lead before."""
    columns, leads = error.shape[2:]
    person, lasting = np.full((2, columns, leads), np.nan)
    reach = np.full((len(LEVELS), columns, leads), np.nan)
    for lead in range(leads):
        known = np.flatnonzero(origins + lead + 1 <= origin)
        if not len(known):
            break
        weights = np.asarray(FADE ** (origin - origins[known]), dtype=float)
        parts = _measure(
            error[known, ..., lead], inverse[known, ..., lead], weights, drift[..., lead]
        )
        if lead:
            growth = ((lead + 1) / lead) ** GROWTH
            before = (
                person[:, lead - 1] * growth,
                lasting[:, lead - 1] * growth,
                reach[..., lead - 1],
            )
            own = len(known) / (len(known) + LEAN)
            parts = tuple(
                own * new + (1 - own) * old for new, old in zip(parts, before, strict=True)
            )
        person[:, lead], lasting[:, lead], reach[..., lead] = parts
    return Reach(person, lasting, reach)


def _scaled(error: Array, inverse: Array, person: Array, lasting: Array) -> Array:
    return np.asarray(np.abs(error) / np.sqrt(np.maximum(person * inverse + lasting, 1e-12)))


def _measure(
    error: Array, inverse: Array, weights: Array, drift: Array
) -> tuple[Array, Array, Array]:
    """Variance parts and half-widths of one lead from past errors ``[origin, area, column]``."""
    flat, size = (part.reshape(-1, part.shape[-1]) for part in (error, inverse))
    person, lasting = variance_parts(flat**2, size)
    share = np.clip(np.array(LEVELS)[:, None] + drift, 0.3, 0.995)
    weight = np.repeat(weights, error.shape[1])
    return person, lasting, weighted_quantiles(_scaled(flat, size, person, lasting), weight, share)
