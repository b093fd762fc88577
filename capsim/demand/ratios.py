"""Progression ratios: how many pupils of a grade are seen in the next grade a year later.

An observed ratio is a numerator (pupils of the next grade) over a denominator (pupils of the grade
a year before). The same pair serves entry: pupils of a first grade over children of its age.
Arrays are ``[area, grade, year]``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


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


def group_sum(values: Array, group: Index) -> Array:
    """Sum areas into their groups: ``[area, ...]`` to ``[group, ...]``."""
    out = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(out, group, values)
    return out


def divide(above: Array, below: Array, otherwise: Array | float) -> Array:
    """Divide, taking ``otherwise`` where there is nothing to divide by."""
    full = np.array(np.broadcast_to(otherwise, np.broadcast_shapes(above.shape, below.shape)))
    np.divide(above, below, out=full, where=below > 0)
    return full


def dispersion(above: Array, below: Array) -> Array:
    """Noise of a ratio between years, as a multiple of the Poisson variance, by grade.

    One where no area has been observed twice.
    """
    ratio = divide(above.sum(-1), below.sum(-1), 0.0)[..., None]
    expected = ratio * below
    seen = expected > 0
    square = np.divide((above - expected) ** 2, expected, out=np.zeros_like(expected), where=seen)
    freedom = np.maximum(seen.sum(-1) - 1, 0).sum(0)
    return divide(square.sum((0, 2)), freedom.astype(float), 1.0)


def between(above: Array, below: Array, centre: Array, noise: Array, group: Index) -> Array:
    """Variance of true ratios round their centre, by group (moments after DerSimonian-Laird).

    Parameters
    ----------
    above, below : array [area, grade]
    centre : array [area, grade]
    noise : array [area, grade]
        Sampling variance of each area's ratio.
    group : array [area]
        Group whose members share one variance.
    """
    seen = (below > 0) & (noise > 0)
    weight = np.divide(1.0, noise, out=np.zeros_like(noise), where=seen)
    gap = (divide(above, below, centre) - centre) ** 2
    total, square = group_sum(weight, group), group_sum(weight**2, group)
    freedom = np.maximum(group_sum(seen.astype(float), group) - 1, 0)
    slack = total - divide(square, total, 0.0)
    return divide(np.maximum(group_sum(weight * gap, group) - freedom, 0.0), slack, 0.0)


def shrink(above: Array, below: Array, county: Index) -> Array:
    """Ratio by area and grade, drawn toward its county's and the whole's by its own noise.

    Empirical Bayes in two steps: a county is drawn toward the whole, an area toward its county.
    What has few pupils says little about its true ratio and takes more from its neighbours.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons, as from `pairs`.
    county : array [area]
        Index of each area's county.

    Returns
    -------
    array [area, grade]
        1 where nobody anywhere has been observed.

    Examples
    --------
    Two large areas keep their ratios, the ratio 2 of the small one is drawn toward them.

    >>> below = np.array([10000.0, 10000.0, 10.0]).reshape(3, 1, 1)
    >>> above = np.array([9000.0, 9500.0, 20.0]).reshape(3, 1, 1)
    >>> shrink(above, below, np.array([0, 0, 0])).round(2).ravel()
    array([0.9 , 0.95, 0.95])
    """
    y, n = above.sum(-1), below.sum(-1)
    whole = divide(y.sum(0), n.sum(0), 1.0)[None]
    phi = dispersion(above, below)
    group_y, group_n = group_sum(y, county), group_sum(n, county)
    noise = divide(phi * whole, group_n, np.inf)
    single = np.zeros(len(group_y), dtype=np.intp)
    centre = _toward(group_y, group_n, np.broadcast_to(whole, group_y.shape), noise, single)
    return _toward(y, n, centre[county], divide(phi * centre[county], n, np.inf), county)


def _toward(y: Array, n: Array, centre: Array, noise: Array, group: Index) -> Array:
    noise = np.where(np.isfinite(noise), noise, 0.0)
    spread = between(y, n, np.array(centre), noise, group)[group]
    own = divide(spread, spread + noise, 0.0)
    return np.where(n > 0, centre + own * (divide(y, n, centre) - centre), centre)
