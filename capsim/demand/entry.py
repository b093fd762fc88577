"""Entry: who comes into a grade other than by moving up from the one below.

A grade that an area teaches without the grade below, or with far too few below, is an entry grade.
Where births are known, entry is births times the entry rate. Else an area's entry is its share of
the whole's pupils in the grade, and the whole's grades are known years ahead from the cohorts that
are already in school: a town's grade 7 follows the grade 6 of all schools.
"""

from __future__ import annotations

import numpy as np

from .cohort import crossing_pairs, other_range
from .outlook import damped, shrunk_slope
from .ratios import CHANCE, OUTSIDE, Array, Mask, divide, pairs, smooth_ratio
from .shrinkage import variance_parts

TREND_LEAST = 4
"""Observed years of entry from which on it may have a trend."""
TREND_DAMPING = 0.6
"""Of a trend of entry, each year: births turn sooner than ratios do."""
WINDOW = 5
WHOLE_ALPHA = 0.4
LARGEST_GAIN = 0.8


def structure(pupils: Array) -> tuple[Mask, Mask]:
    """Which grades an area teaches in the last year, and which of them are entry grades.

    Parameters
    ----------
    pupils : array [area, grade, year]

    Returns
    -------
    served, fed : array of bool [area, grade]
        A grade empty in the last year is still taught where so few were in it that it may be
        chance. An entry grade is one without the grade below it, or far larger than it.

    Examples
    --------
    A school of grades 1 and 2 opens grade 3 and has closed grade 1.

    >>> served, fed = structure(np.array([[[20.0, 0.0], [20.0, 20.0], [0.0, 20.0]]]))
    >>> served, fed
    (array([[False,  True,  True]]), array([[False,  True, False]]))
    """
    known = np.nan_to_num(pupils)
    before = known[..., -4:-1]
    mean = before.sum(-1) / max(before.shape[-1], 1)
    served = (known[..., -1] > 0) | ((mean > 0) & (mean < CHANCE))
    below_served = np.zeros_like(served)
    below_served[:, 1:] = served[:, :-1]
    above, below = (part[..., -WINDOW:].sum(-1) for part in pairs(pupils))
    outside = (below > 0) & (above > OUTSIDE * below)
    return served, served & (~below_served | outside)


def entry_trend(entrants: Array) -> Array:
    """Slope a year of the logarithm of entrants ``[area, grade, year]``, by grade; see `damped`."""
    return shrunk_slope(entrants, (entrants > 0).astype(float), TREND_LEAST)


def whole_path(pupils: Array, leads: int, trend: bool = False) -> Array:
    """Pupils of the whole by grade, ``[grade, 1 + lead]``, by cohorts.

    The first grade stays, or follows its damped trend. Children may change area on moving up. A
    grade far larger than the one below is entered from outside and stays as well.
    """
    one = np.zeros(len(pupils), dtype=np.intp)
    ratio = smooth_ratio(*crossing_pairs(pupils, one), WHOLE_ALPHA)[0]
    out = np.empty((pupils.shape[1], leads + 1))
    out[:, 0] = np.nan_to_num(pupils[..., -1]).sum(0)
    out[0] = out[0, 0]
    if trend:
        out[0, 1:] *= damped(entry_trend(whole_index(pupils)[None, :1]), leads, TREND_DAMPING)[0]
    for lead in range(leads):
        out[1:, lead + 1] = np.where(ratio[1:] > OUTSIDE, out[1:, 0], out[:-1, lead] * ratio[1:])
    return out


def whole_index(pupils: Array) -> Array:
    """Pupils of the whole by grade relative to the last year, ``[grade, year]``.

    Chained over areas, each beside its last year observed, that taught the grade in both years or
    in neither, so that a gap in the records, an opening or a closure is no change. To an empty
    year and the one beside it half a pupil is added, so that the chain does not break.
    """
    known, other, full = np.isfinite(pupils), other_range(pupils), np.nan_to_num(pupils)
    years = np.where(known, np.arange(pupils.shape[-1]), -1)
    last = np.maximum.accumulate(years, axis=-1)[..., :-1]
    there = np.maximum(last, 0)
    both = known[..., 1:] & (last >= 0)
    both &= other[..., 1:] == np.take_along_axis(other, there, -1)
    pair = full[..., 1:], np.take_along_axis(full, there, -1)
    now, before = (np.where(both, part, 0.0).sum(0) for part in pair)
    growth = np.ones(pupils.shape[1:])
    half = np.where((now > 0) & (before > 0), 0.0, 0.5)
    growth[:, 1:] = (now + half) / (before + half)
    index = np.cumprod(growth, axis=-1)
    return np.asarray(index / index[:, -1:])


def by_share(pupils: Array, fed: Mask, leads: int, trend: bool = False) -> Array:
    """Entry as an area's smoothed share of the whole's grade, ``[area, grade, lead]``.

    How fast a share is smoothed is read off its own noise, so that a state follows its last years
    and a village school its long mean: the steady gain of a local-level model (Muth 1960).
    NaN in grades that are no entry grades.
    """
    seen = np.where(fed[..., None] & (pupils > 0), pupils, np.nan)
    share = seen / whole_index(pupils)
    square = np.diff(np.log(share), axis=-1) ** 2
    inverse = 1 / seen[..., 1:] + 1 / seen[..., :-1]
    square[square > 1] = np.nan
    person, lasting = variance_parts(square.reshape(-1, 1), inverse.reshape(-1, 1))
    recent = seen[..., -WINDOW:]
    count = np.isfinite(recent).sum(-1)
    size = divide(np.nansum(recent, axis=-1), count.astype(float), 1.0)
    signal = divide(np.maximum(lasting, 1e-6) * size, np.maximum(person, 1e-6), 0.0)
    error = (signal + np.sqrt(signal**2 + 4 * signal)) / 2
    gain = np.clip(error / (1 + error), 0.05, LARGEST_GAIN)
    level = share[..., 0]
    for year in range(1, share.shape[-1]):
        new = share[..., year]
        step = np.where(np.isnan(level), new, gain * new + (1 - gain) * level)
        level = np.where(np.isnan(new), level, step)
    path = whole_path(pupils, leads, trend)
    return np.asarray(level[..., None] * divide(path[:, 1:], path[:, :1], 1.0))
