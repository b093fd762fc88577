"""Progression ratios: how many pupils of a grade are seen in the next grade a year later.

An observed ratio is a numerator (pupils of the next grade) over a denominator (pupils of the grade
a year before). The same pair serves entry: pupils of a first grade over children of its age.
A pair whose denominator is 0 says nothing, so no ratio is ever infinite or undefined.
Arrays are ``[area, grade, year]``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]

CHANCE = 4.6
"""Pupils expected below which an empty grade may be chance: ``exp(-4.6)`` is 1 %."""
OUTSIDE = 1.5
"""Above this ratio a grade counts as entered from outside the area."""


def pairs(pupils: Array) -> tuple[Array, Array]:
    """Pair every grade with the grade below it a year before.

    Parameters
    ----------
    pupils : array [area, grade, year]
        Persons; NaN where not observed.

    Returns
    -------
    above, below : array [area, grade, year]
        Persons. Both are 0 where one of the two was not observed or where no ratio exists: in the
        first grade, in the first year, and where nobody was there to move up.

    Examples
    --------
    >>> above, below = pairs(np.array([[[100.0, 90.0], [50.0, 110.0]]]))
    >>> above[0, 1], below[0, 1]
    (array([  0., 110.]), array([  0., 100.]))
    """
    above, below = np.zeros_like(pupils), np.zeros_like(pupils)
    above[:, 1:, 1:], below[:, 1:, 1:] = pupils[:, 1:, 1:], pupils[:, :-1, :-1]
    keep = np.isfinite(above) & np.isfinite(below) & (below > 0)
    return np.where(keep, above, 0.0), np.where(keep, below, 0.0)


def taught(above: Array, below: Array) -> tuple[Array, Array]:
    """Leave out pairs of a grade that was not taught: empty, and not by chance."""
    keep = (above > 0) | (below < CHANCE)
    return np.where(keep, above, 0.0), np.where(keep, below, 0.0)


def group_sum(values: Array, group: Index) -> Array:
    """Sum areas into their groups: ``[area, ...]`` to ``[group, ...]``."""
    out = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(out, group, values)
    return out


def divide(above: Array, below: Array, otherwise: Array | float) -> Array:
    """Divide, taking ``otherwise`` where there is nothing to divide by."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    full = np.array(np.broadcast_to(np.asarray(otherwise, dtype=float), shape))
    np.divide(above, below, out=full, where=below > 0)
    return full


def pooled(above: Array, below: Array) -> Array:
    """Ratio of everybody, by grade (``[grade]``); 1 where nobody was observed."""
    return divide(above.sum((0, -1)), below.sum((0, -1)), 1.0)


def mean_ratio(above: Array, below: Array, years: int) -> Array:
    """Mean of the last observed ratios, ``[area, grade]``; where there is none, everybody's."""
    above, below = above[..., -years:], below[..., -years:]
    ratio = divide(above, below, 0.0)
    return divide(ratio.sum(-1), (below > 0).sum(-1).astype(float), pooled(above, below))


def smooth_ratio(above: Array, below: Array, alpha: float) -> Array:
    """Exponentially smoothed ratio, started from the first observed, ``[area, grade]``.

    ``s = alpha * ratio + (1 - alpha) * s`` over the years observed; where none was, everybody's.

    Examples
    --------
    >>> above, below = np.array([[[0.0, 90.0, 110.0]]]), np.array([[[0.0, 100.0, 100.0]]])
    >>> round(smooth_ratio(above, below, alpha=0.4).item(), 3)
    0.98
    """
    ratio = divide(above, below, np.nan)
    level = np.full(ratio.shape[:2], np.nan)
    for year in range(ratio.shape[-1]):
        new = ratio[..., year]
        step = np.where(np.isnan(level), new, alpha * new + (1 - alpha) * level)
        level = np.where(np.isnan(new), level, step)
    return np.where(np.isnan(level), pooled(above, below), level)


def fitted_alpha(above: Array, below: Array) -> float:
    """Smoothing weight of the least squared one-year errors, weighed by pupils; 0.1 ... 0.9."""
    choices = np.arange(1, 10) / 10
    ratio = divide(above, below, np.nan)
    level = np.full((len(choices), *ratio.shape[:2]), np.nan)
    square = np.zeros(len(choices))
    for year in range(ratio.shape[-1]):
        new = ratio[..., year]
        square += np.nan_to_num((new - level) ** 2 * below[..., year]).sum((1, 2))
        weight = choices[:, None, None]
        step = np.where(np.isnan(level), new, weight * new + (1 - weight) * level)
        level = np.where(np.isnan(new), level, step)
    return float(choices[np.argmin(square)])


def without_outliers(above: Array, below: Array) -> Array:
    """Pull ratios to within three robust standard deviations of their median.

    Returns
    -------
    array [area, grade, year]
        The numerators that give such ratios. Fewer than five observed ratios are left alone.
    """
    ratio = divide(above, below, np.nan)
    enough = np.isfinite(ratio).sum(-1, keepdims=True) >= 5
    sure = np.where(enough, ratio, 1.0)
    middle = np.nanmedian(sure, axis=-1, keepdims=True)
    wide = 3 * 1.4826 * np.nanmedian(np.abs(sure - middle), axis=-1, keepdims=True)
    kept = np.where(enough, np.clip(ratio, middle - wide, middle + wide), ratio)
    return np.where(below > 0, kept * below, 0.0)
