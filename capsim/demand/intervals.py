"""Prediction intervals whose width is measured, not chosen.

The error of a back-test, relative to its forecast, has a variance with a part that falls with
size (chance of single children) and one that does not (what moves all alike), by lead year and, for
grades, by grade. Errors divided by that standard deviation are pooled over areas; their quantiles,
recent origins weighing more, are the half-widths of the intervals. A lead of which no error is
known yet is as wide as the one before, grown as errors have grown with the leads known so far.

Where intervals have held too seldom or too often by now, they are widened or narrowed by the sum of
what they lacked (the integrator of conformal control, Angelopoulos, Candès and Tibshirani 2023). An
interval that is not due yet counts by the longest lead of its origin that is. Only what is known at
an origin is used for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from capsim.demand.ratios import Array, variance_parts

LEVELS = (0.8, 0.95)
FADE = 0.8
"""Weight of an origin relative to the next one."""
LEAN = 2
"""Origins that the lead before counts for in the width of a lead."""
GROWTH = 0.8
"""Power of the lead with which error variance grows where nothing tells it; a random walk's is 1.

It weighs like two leads known from one origin, whose logarithms lie 1.4 apart."""
STEP = np.array([0.5, 1.0])
"""Relative width added for what intervals of each of `LEVELS` lacked in coverage, summed up."""
OVERLAP = 0.15
"""How much less an origin tells for each year by which a lead is longer than one."""
LEAST_FREEDOM = 2.0
"""Degrees of freedom that the fewest origins count for."""
MOST = 0.5
"""Most that is added, either way, as logarithm of the width."""


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
        """Return the relative standard deviation of forecasts ``[..., column, lead]``."""
        size = np.where(forecast > 0, forecast, np.nan)
        return np.sqrt(self.person / size + self.lasting)


@dataclass(frozen=True, eq=False)
class Covered:
    """Out-of-sample hits of the intervals.

    Attributes
    ----------
    judged : array [origin, column, lead]
        How many intervals were.
    inside : array [level, origin, column, lead]
        How many of them held.
    last : Reach
        As measured from all errors known now.
    origins : tuple of Reach
        As measured at each origin from the errors known there.
    """

    judged: Array
    inside: Array
    last: Reach
    origins: tuple[Reach, ...]

    @property
    def number(self) -> Array:
        """Intervals judged, ``[column, lead]``."""
        return np.asarray(self.judged.sum(0))

    @property
    def hits(self) -> Array:
        """Intervals that held, ``[level, column, lead]``."""
        return np.asarray(self.inside.sum(1))


def weighted_quantiles(values: Array, weights: Array, share: Array) -> Array:
    """Return quantiles of columns of ``values`` [observation, column] at ``share``.

    NaN are left out; a column without any value has NaN. ``share`` is [level, column].

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
    """Make intervals at every origin from the errors known by then, and count how often they held.

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
    base = np.where(good, forecast, np.nan)
    error, inverse = (actual - base) / base, 1.0 / base
    columns, leads = forecast.shape[2:]
    judged = np.zeros((len(origins), columns, leads))
    inside, lacked = np.zeros((2, len(LEVELS), len(origins), columns, leads))
    made = []
    for at, origin in enumerate([*origins.tolist(), now]):
        reach = _reach(error, inverse, origins, origin)
        half = reach.reach * np.exp(_correction(lacked[:, :at], origins[:at], origin))
        made.append(replace(reach, reach=half))
        if at == len(origins):
            break
        size = _scaled(error[at], inverse[at], reach.person, reach.lasting)
        judged[at] = (np.isfinite(size) & np.isfinite(half[0])).sum(0)
        inside[:, at] = (size <= half[:, None]).sum(1)
        short = np.array(LEVELS)[:, None, None] - inside[:, at] / np.maximum(judged[at], 1)
        lacked[:, at] = np.where(judged[at] > 0, short, 0.0)
    return Covered(judged, inside, made[-1], tuple(made[:-1]))


def _correction(lacked: Array, origins: npt.NDArray[np.intp], origin: int) -> Array:
    """Return the logarithm of the factor on half-widths from what is due by now.

    ``lacked`` is the share missing in coverage, ``[level, earlier origin, column, lead]``; the
    result is ``[level, column, lead]``.
    """
    total = np.zeros((len(LEVELS), *lacked.shape[2:]))
    for past, gap in zip(origins.tolist(), lacked.swapaxes(0, 1), strict=True):
        due = np.minimum(np.arange(gap.shape[-1]), origin - past - 1)
        total += gap[..., due]
    return np.asarray(np.clip(STEP[:, None, None] * total, -MOST, MOST))


def _reach(error: Array, inverse: Array, origins: npt.NDArray[np.intp], origin: int) -> Reach:
    """Measure half-widths from what is known at an origin; few errors lean on the lead before."""
    columns, leads = error.shape[2:]
    person, lasting = np.full((2, columns, leads), np.nan)
    reach = np.full((len(LEVELS), columns, leads), np.nan)
    judged = np.asarray(np.isfinite(error).any((1, 2)))
    square, number = np.zeros((2, leads))
    for lead in range(leads):
        known = np.flatnonzero(judged[:, lead] & (origins + lead + 1 <= origin))
        if not lead and not len(known):
            break
        parts = []
        if len(known):
            past = error[known, ..., lead]
            square[lead], number[lead] = np.nanmedian(np.abs(past)) ** 2, len(known)
            weights = np.asarray(FADE ** (origin - origins[known]), dtype=float)
            parts.append((len(known), _measure(past, inverse[known, ..., lead], weights, lead)))
        if lead:
            growth = ((lead + 1) / lead) ** _power(square[:lead], number[:lead])
            before = person[:, lead - 1], lasting[:, lead - 1], reach[..., lead - 1]
            parts.append((LEAN, (before[0] * growth, before[1] * growth, before[2])))
        total = sum(weight for weight, _ in parts)
        person[:, lead], lasting[:, lead], reach[..., lead] = (
            sum(weight / total * measure[part] for weight, measure in parts) for part in range(3)
        )
    return Reach(person, lasting, reach)


def _power(square: Array, number: Array) -> float:
    """Fit the power of the lead with which squared errors have grown, leaning to `GROWTH`.

    Weighted least squares of logarithms; a lead weighs the origins it is known from.
    """
    seen = (square > 0) & (number > 0)
    weight = np.where(seen, number, 0.0)
    x = np.log(np.arange(1, len(square) + 1))
    y = np.log(np.where(seen, square, 1.0))
    total = max(float(weight.sum()), 1e-9)
    x, y = (part - (weight * part).sum() / total for part in (x, y))
    return float(((weight * x * y).sum() + GROWTH) / ((weight * x * x).sum() + 1.0))


def _scaled(error: Array, inverse: Array, person: Array, lasting: Array) -> Array:
    return np.asarray(np.abs(error) / np.sqrt(np.maximum(person * inverse + lasting, 1e-12)))


def _alone(origins: int, lead: int) -> Array:
    """Return the factor ``[level]`` on half-widths of a series alone, known from few origins.

    Its errors are as many as the origins, and those nearer than the lead overlap: the width is that
    of Student's t with as many degrees of freedom.
    """
    freedom = max(origins / (1 + OVERLAP * lead), LEAST_FREEDOM)
    return np.array([stdtrit(freedom, 0.5 + s / 2) / ndtri(0.5 + s / 2) for s in LEVELS])


def _measure(error: Array, inverse: Array, weights: Array, lead: int) -> tuple[Array, Array, Array]:
    """Measure variance parts and half-widths of one lead from errors ``[origin, area, column]``."""
    flat, size = (part.reshape(-1, part.shape[-1]) for part in (error, inverse))
    person, lasting = variance_parts(flat**2, size)
    share = np.repeat(np.array(LEVELS)[:, None], flat.shape[1], axis=1)
    weight = np.repeat(weights, error.shape[1])
    half = weighted_quantiles(_scaled(flat, size, person, lasting), weight, share)
    if error.shape[1] == 1:
        half *= _alone(len(error), lead)[:, None]
    return person, lasting, half
