"""Ratios years ahead: back toward their long mean, and along the trend that the whole is on.

What moves an area's ratio (a wave of families moving in) passes, so that its smoothed level fades
into its long mean. What moves everybody's (fewer who leave before the last grades) goes on for a
while: a damped trend (Gardner and McKenzie 1985), shrunk by its own noise.
"""

from __future__ import annotations

import numpy as np

from .ratios import Array, divide

LONG_ALPHA = 0.1
"""Weight of the last year in the long mean."""
DAMPING = 0.8
"""Of trend and of the distance to the long mean, each year."""
TREND_YEARS = 8
"""Last years on which a trend is fitted."""
LEAST = 7
"""Observed ratios from which on there is a long mean and a trend; fewer are all one level."""


def returning(level: Array, long: Array, leads: int) -> Array:
    """Ratios that fade from a level to a long mean, ``[..., lead]``.

    Examples
    --------
    >>> returning(np.array(1.1), np.array(1.0), 3).round(3)
    array([1.1  , 1.08 , 1.064])
    """
    return np.asarray(long[..., None] + (level - long)[..., None] * DAMPING ** np.arange(leads))


def damped(slope: Array, leads: int, damping: float = DAMPING) -> Array:
    """Factor from a slope that is damped by ``d`` a year, ``exp(slope * (d + d**2 + ...))``.

    Examples
    --------
    >>> damped(np.array(0.01), 3).round(4)
    array([1.008 , 1.0145, 1.0197])
    """
    return np.asarray(np.exp(slope[..., None] * np.cumsum(damping ** np.arange(1, leads + 1))))


def shrunk_slope(above: Array, below: Array, least: int = LEAST) -> Array:
    """Slope a year of the logarithm of everybody's ratio, drawn to 0 by its noise, ``[grade]``.

    Of areas that have a ratio in every year in which any has one, so that who comes or goes is no
    trend.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons, as from `capsim.demand.ratios.pairs`; the last `TREND_YEARS` are used.
    least : int
        Observed ratios below which the slope is 0.

    Returns
    -------
    array [grade]
        The slope of least squares times ``slope**2 / (slope**2 + variance of the slope)``.

    Examples
    --------
    A ratio that grew by 1 % every year.

    >>> above = 100 * 1.01 ** np.arange(8.0).reshape(1, 1, 8)
    >>> shrunk_slope(above, np.full((1, 1, 8), 100.0)).round(4)
    array([0.01])
    """
    above, below = above[..., -TREND_YEARS:], below[..., -TREND_YEARS:]
    always = ((below > 0) | (below.sum(0) == 0)).all(-1, keepdims=True)
    total, base = (np.where(always, part, 0.0).sum(0) for part in (above, below))
    seen = (total > 0) & (base > 0)
    number = seen.sum(-1)
    log = np.log(divide(total, base, 1.0), out=np.zeros(seen.shape), where=seen)
    year = np.broadcast_to(np.arange(seen.shape[-1], dtype=float), seen.shape)
    x, y = (
        np.where(seen, part - divide(part.sum(-1, where=seen), number, 0.0)[:, None], 0.0)
        for part in (year, log)
    )
    square = (x * x).sum(-1)
    slope = divide((x * y).sum(-1), square, 0.0)
    rest = ((y - slope[:, None] * x) ** 2).sum(-1)
    variance = divide(rest, np.maximum(number - 2, 0) * square, np.inf)
    slope = np.where(number >= least, slope, 0.0)
    return np.asarray(slope * divide(slope**2, slope**2 + variance, 0.0))
