"""Progression ratios: how many pupils of a grade are seen in the next grade a year later.

An observed ratio is a numerator (``above``: pupils of the next grade) over a denominator
(``below``: pupils of the grade a year before). The same pair serves entry: pupils of a first grade
over children of its age. A pair whose denominator is 0 says nothing, so no ratio is ever infinite
or undefined. Arrays are ``[area, grade, year]``.

*Level*: the ratio of now, smoothed over the years observed. *Outlook*: what becomes of it. What
moves an area's ratio (a wave of families moving in) passes, so that its level returns to its long
mean. What moves everybody's (fewer who leave before the last grades) goes on for a while: a damped
trend (Gardner and McKenzie 1985), shrunk by its own noise.

*Shrinkage*: ratios of small areas lean on their county and on the whole, by empirical Bayes. A
ratio of few pupils is mostly noise. How much is read off the data: movements of ratios between
years, regressed on one over the pupils, give the noise of one person and the part that does not
fall with size; what areas differ by beyond their noise is the spread of true ratios. An area keeps
``spread / (spread + noise)`` of its distance from the centre (Efron and Morris 1975; the spread by
the weighted moments of Paule and Mandel 1982).
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
LONG_ALPHA = 0.1
"""Weight of the last year in the long mean."""
DAMPING = 0.8
"""Of trend and of the distance to the long mean, each year."""
TREND_YEARS = 8
"""Last years on which a trend is fitted."""
OUTLOOK_LEAST = 7
"""Observed ratios from which on there is an outlook; fewer are all one level."""
LARGEST = 1.0
"""Squared relative movements are cut here, so that an opening does not pass for noise."""
NOISE_SHARE = 0.5
"""Share of the movement between years that is noise; the rest is movement of the true ratio."""


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
    above, below = shifted(pupils)
    return kept(np.isfinite(above) & np.isfinite(below) & (below > 0), above, below)


def shifted(pupils: Array) -> tuple[Array, Array]:
    """Return pupils as numerators and, a grade and year further on, as denominators; else 0."""
    above, below = np.zeros_like(pupils), np.zeros_like(pupils)
    above[:, 1:, 1:], below[:, 1:, 1:] = pupils[:, 1:, 1:], pupils[:, :-1, :-1]
    return above, below


def kept(keep: Mask, above: Array, below: Array) -> tuple[Array, Array]:
    """Return numerators and denominators, both 0 where they are not kept."""
    return np.where(keep, above, 0.0), np.where(keep, below, 0.0)


def taught(above: Array, below: Array) -> tuple[Array, Array]:
    """Drop pairs of a grade that was not taught: empty, and not by chance."""
    return kept((above > 0) | (below < CHANCE), above, below)


def group_sum(values: Array, group: Index) -> Array:
    """Sum areas into their groups: ``[area, ...]`` to ``[group, ...]``."""
    out = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(out, group, values)
    return out


def divide(above: Array, below: Array, otherwise: Array | float) -> Array:
    """Divide; ``otherwise`` where the denominator is 0."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    full = np.array(np.broadcast_to(np.asarray(otherwise, dtype=float), shape))
    np.divide(above, below, out=full, where=below > 0)
    return full


def pooled(above: Array, below: Array) -> Array:
    """Return the ratio of everybody, by grade (``[grade]``); 1 where nobody was observed."""
    return divide(above.sum((0, -1)), below.sum((0, -1)), 1.0)


def mean_ratio(above: Array, below: Array, years: int) -> Array:
    """Return the mean of the last observed ratios, ``[area, grade]``; else everybody's."""
    above, below = above[..., -years:], below[..., -years:]
    ratio = divide(above, below, 0.0)
    return divide(ratio.sum(-1), (below > 0).sum(-1).astype(float), pooled(above, below))


def smooth_ratio(above: Array, below: Array, alpha: float) -> Array:
    """Return the ratio smoothed exponentially from the first observed, ``[area, grade]``.

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
        level = smoothed(level, ratio[..., year], alpha)
    return np.where(np.isnan(level), pooled(above, below), level)


def smoothed(level: Array, new: Array, alpha: Array | float) -> Array:
    """Return a level after one year more; NaN was not observed, or is no level yet."""
    step = np.where(np.isnan(level), new, alpha * new + (1 - alpha) * level)
    return np.where(np.isnan(new), level, step)


def fitted_alpha(above: Array, below: Array) -> float:
    """Find the smoothing weight, 0.1 ... 0.9, of the least squared one-year errors by pupils."""
    choices = np.arange(1, 10) / 10
    ratio = divide(above, below, np.nan)
    level = np.full((len(choices), *ratio.shape[:2]), np.nan)
    square = np.zeros(len(choices))
    for year in range(ratio.shape[-1]):
        new = ratio[..., year]
        square += np.nan_to_num((new - level) ** 2 * below[..., year]).sum((1, 2))
        level = smoothed(level, new, choices[:, None, None])
    return float(choices[np.argmin(square)])


def without_outliers(above: Array, below: Array) -> Array:
    """Limit ratios to within three robust standard deviations of their median.

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


def returning(level: Array, long: Array, leads: int) -> Array:
    """Return ratios that fade from a level to a long mean, ``[..., lead]``.

    Examples
    --------
    >>> returning(np.array(1.1), np.array(1.0), 3).round(3)
    array([1.1  , 1.08 , 1.064])
    """
    return np.asarray(long[..., None] + (level - long)[..., None] * DAMPING ** np.arange(leads))


def damped(slope: Array, leads: int, damping: float = DAMPING) -> Array:
    """Return the factor of a slope damped by ``d`` a year, ``exp(slope * (d + d**2 + ...))``.

    Examples
    --------
    >>> damped(np.array(0.01), 3).round(4)
    array([1.008 , 1.0145, 1.0197])
    """
    return np.asarray(np.exp(slope[..., None] * np.cumsum(damping ** np.arange(1, leads + 1))))


def shrunk_slope(above: Array, below: Array, least: int = OUTLOOK_LEAST) -> Array:
    """Return the yearly slope of the logarithm of everybody's ratio, drawn to 0 by its noise.

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


def decaying(years: int, alpha: float) -> Array:
    """Return the weights of exponential smoothing started from the first year; they sum to 1.

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
    """Estimate the noise of yearly ratios by grade, from their movements beside the whole's.

    Returns
    -------
    person, lasting : array [grade]
        A ratio of ``n`` pupils has the variance ``person * ratio / n + lasting``.
    """
    whole = divide(above.sum(0), below.sum(0), 1.0)
    gap = divide(above, below, np.nan) - whole
    square = np.diff(gap, axis=-1) ** 2 / 2
    size = divide(np.ones_like(below), below, np.nan)
    inverse = whole[None, :, 1:] * (size[..., 1:] + size[..., :-1]) / 2
    by_grade = (part.swapaxes(1, 2).reshape(-1, part.shape[1]) for part in (square, inverse))
    return variance_parts(*by_grade)


def spread(gap: Array, noise: Array, pupils: Array) -> Array:
    """Estimate the variance of true ratios round their centre, by grade."""
    square, known = np.minimum(gap**2, LARGEST), pupils > 0
    variance = divide(np.where(known, square, 0.0).sum(0), known.sum(0).astype(float), 0.0)
    for _ in range(20):
        total = np.maximum(variance + noise, 1e-12)
        weight = np.where(known, 1.0 / total**2, 0.0)
        variance = divide((weight * (square - noise)).sum(0), weight.sum(0), 0.0)
        variance = np.maximum(variance, 0.0)
    return np.asarray(variance)


def hierarchical(above: Array, below: Array, county: Index, alpha: float) -> Array:
    """Return ratios by area and grade, drawn toward the county's and the whole's by their noise.

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
    centre = _shrunk(y_county, n_county, whole[None], group_sum(wobble, county))
    return _shrunk(y, n, centre[county], wobble)


def _shrunk(above: Array, below: Array, centre: Array, wobble: Array) -> Array:
    """Return ratios that keep the part of their distance from a centre that is no noise."""
    noise = divide(wobble, below**2, 0.0)
    gap = divide(above, below, centre) - centre
    true = np.broadcast_to(spread(gap, noise, below), noise.shape)
    return np.asarray(centre + divide(true, true + noise, 0.0) * gap)
