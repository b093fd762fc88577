"""Empirical Bayes: ratios of small areas lean on their county and on the whole.

A ratio of few pupils is mostly noise. How much is read off the data: movements of ratios between
years, regressed on one over the pupils, give the noise of one person and the part that does not
fall with size; what areas differ by beyond their noise is the spread of true ratios. An area keeps
``spread / (spread + noise)`` of its distance from the centre (Efron and Morris 1975; the spread by
the weighted moments of Paule and Mandel 1982).
"""

from __future__ import annotations

import numpy as np

from .ratios import Array, Index, divide, group_sum

LARGEST = 1.0
"""Squared relative movements are cut here, so that an opening does not pass for noise."""
NOISE_SHARE = 0.5
"""Share of the movement between years that is noise; the rest is movement of the true ratio."""


def decaying(years: int, alpha: float) -> Array:
    """Weights of exponential smoothing started from the first year; they sum to 1.

    Examples
    --------
    >>> decaying(3, 0.4)
    array([0.36, 0.24, 0.4 ])
    """
    weight = alpha * (1 - alpha) ** np.arange(years)[::-1]
    weight[:1] = (1 - alpha) ** max(years - 1, 0)
    return np.asarray(weight, dtype=float)


def variance_parts(square: Array, inverse: Array) -> tuple[Array, Array]:
    """Split squared deviations into a part that falls with size and one that does not.

    Parameters
    ----------
    square : array [observation, group]
        Squared relative deviations; NaN where there is none.
    inverse : array [observation, group]
        One over the pupils behind each.

    Returns
    -------
    person, lasting : array [group]
        Never negative; ``square`` is about ``person * inverse + lasting``. Weighted least squares,
        weights from the fit before. A group of fewer than five observations has (1, 0).

    Examples
    --------
    >>> inverse = np.array([[0.1], [0.01], [0.001], [0.2], [0.02]])
    >>> person, lasting = variance_parts(0.5 * inverse + 0.002, inverse)
    >>> person.round(3).item(), lasting.round(4).item()
    (0.5, 0.002)
    """
    seen = np.isfinite(square) & np.isfinite(inverse)
    y = np.where(seen, np.minimum(square, LARGEST), 0.0)
    x = np.where(seen, inverse, 0.0)
    person, lasting = np.ones(square.shape[1]), np.zeros(square.shape[1])
    for _ in range(8):
        fit = person * x + lasting
        weight = np.where(seen & (fit > 0), 1.0 / np.maximum(fit, 1e-9) ** 2, 0.0)
        w, wx, wxx = weight.sum(0), (weight * x).sum(0), (weight * x * x).sum(0)
        wy, wxy = (weight * y).sum(0), (weight * x * y).sum(0)
        det = wxx * w - wx * wx
        slope = divide(wxy * w - wx * wy, np.where(det > 1e-12 * wxx * w, det, 0.0), -1.0)
        level = divide(wxx * wy - wx * wxy, np.where(det > 1e-12 * wxx * w, det, 0.0), -1.0)
        only_slope, only_level = divide(wxy, wxx, 0.0), divide(wy, w, 0.0)
        person = np.where(level < 0, only_slope, np.where(slope < 0, 0.0, slope))
        lasting = np.where(level < 0, 0.0, np.where(slope < 0, only_level, level))
    few = seen.sum(0) < 5
    return np.where(few, 1.0, person), np.where(few, 0.0, lasting)


def movement(above: Array, below: Array) -> tuple[Array, Array]:
    """Noise of yearly ratios by grade, from their movements beside the whole's.

    Returns
    -------
    person, lasting : array [grade]
        A ratio of ``n`` pupils has the variance ``person * ratio / n + lasting``.
    """
    whole = divide(above.sum(0), below.sum(0), 1.0)
    apart = divide(above, below, np.nan) - whole
    square = np.diff(apart, axis=-1) ** 2 / 2
    size = divide(np.ones_like(below), below, np.nan)
    inverse = whole[None, :, 1:] * (size[..., 1:] + size[..., :-1]) / 2
    by_grade = (part.swapaxes(1, 2).reshape(-1, part.shape[1]) for part in (square, inverse))
    return variance_parts(*by_grade)


def spread(gap: Array, noise: Array, seen: Array) -> Array:
    """Variance of true ratios round their centre, by grade, from squared gaps and their noise."""
    square, weight_of = np.minimum(gap**2, LARGEST), seen > 0
    found = divide(np.where(weight_of, square, 0.0).sum(0), weight_of.sum(0).astype(float), 0.0)
    for _ in range(20):
        total = np.maximum(found + noise, 1e-12)
        weight = np.where(weight_of, 1.0 / total**2, 0.0)
        found = divide((weight * (square - noise)).sum(0), weight.sum(0), 0.0)
        found = np.maximum(found, 0.0)
    return np.asarray(found)


def hierarchical(above: Array, below: Array, county: Index, alpha: float) -> Array:
    """Ratio by area and grade, drawn toward its county's and the whole's by its own noise.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons, as from `capsim.demand.ratios.pairs`.
    county : array [area]
        Index of each area's county.
    alpha : float
        Weight of the last year; earlier years weigh exponentially less.

    Returns
    -------
    array [area, grade]
        1 where nobody anywhere has been observed.

    Examples
    --------
    Large areas keep their ratios, those of ten pupils are drawn to the whole's.

    >>> below = np.repeat([10000.0, 10000.0, 10.0, 10.0], 4).reshape(4, 1, 4)
    >>> yearly = [[90, 90, 90, 90], [95, 95, 95, 95], [60, 120, 90, 95], [120, 70, 99, 80]]
    >>> above = below * np.array(yearly)[:, None] / 100
    >>> ratio = hierarchical(above, below, np.zeros(4, dtype=int), 0.4)
    >>> ratio.round(2).ravel()
    array([0.9 , 0.95, 0.92, 0.92])
    """
    weight = decaying(below.shape[-1], alpha)
    y, n = (weight * above).sum(-1), (weight * below).sum(-1)
    whole = divide(y.sum(0), n.sum(0), 1.0)
    person, lasting = movement(above, below)
    unit = person[:, None] * whole[:, None] * below + lasting[:, None] * below**2
    wobble = NOISE_SHARE * (weight**2 * unit).sum(-1)
    y_county, n_county = group_sum(y, county), group_sum(n, county)
    centre = _toward(y_county, n_county, whole[None], group_sum(wobble, county))
    return _toward(y, n, centre[county], wobble)


def _toward(y: Array, n: Array, centre: Array, wobble: Array) -> Array:
    noise = divide(wobble, n**2, 0.0)
    gap = divide(y, n, centre) - centre
    found = spread(gap, noise, n)
    return np.asarray(
        centre + divide(np.broadcast_to(found, noise.shape), found + noise, 0.0) * gap
    )
