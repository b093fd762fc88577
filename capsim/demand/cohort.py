"""Cohorts move up a grade a year: ``N[g, t+1] = ratio[g] * N[g-1, t]``.

Where some area of a county receives children in a grade although it had none or far fewer in the
grade below (a town's junior school fed by villages), ratios of single areas mean nothing: there
the county's children move up together and are shared out as the grade was last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .ratios import CHANCE, OUTSIDE, Array, Index, divide, group_sum


@dataclass(frozen=True, eq=False)
class Flow:
    """What moves cohorts on.

    Attributes
    ----------
    ratio : array [area, grade, lead]
        Progression into the grade; not used in a first grade.
    entry : array [area, grade, lead]
        Persons entering a grade from outside; NaN where the grade is fed by the one below.
    county : array [area]
        Index of each area's county.
    share : array [area, grade]
        Share of its county's grade, where the county's children move up together; else NaN.
    whole : array [grade, lead]
        Progression of the whole, to which the areas are scaled so that a child who changes area
        on moving up is counted once; NaN where the areas stand for themselves.
    added : array [area, grade, lead]
        Net migration and new housing, persons.
    fixed : array [area, grade, lead]
        Given numbers that replace what is projected; NaN where none is given.
    """

    ratio: Array
    entry: Array
    county: Index
    share: Array
    whole: Array
    added: Array
    fixed: Array


def closed(ratio: Array, entry: Array) -> Flow:
    """Flow of areas on their own, with nothing given and nobody added.

    Examples
    --------
    >>> one = np.ones((1, 2, 3))
    >>> entry = np.array([[[30.0, 20.0, 10.0], [np.nan] * 3]])
    >>> advance(np.array([[40.0, 50.0]]), closed(one, entry))
    array([[[40., 30., 20., 10.],
            [50., 40., 30., 20.]]])
    """
    areas, grades, leads = ratio.shape
    return Flow(
        ratio,
        entry,
        np.arange(areas),
        np.full((areas, grades), np.nan),
        np.full((grades, leads), np.nan),
        np.zeros_like(ratio),
        np.full_like(ratio, np.nan),
    )


def advance(base: Array, flow: Flow) -> Array:
    """Carry the pupils of a base year forward.

    Parameters
    ----------
    base : array [area, grade]
        Persons in the base year.
    flow : Flow

    Returns
    -------
    array [area, grade, 1 + lead]
        Persons, the base year first; never negative.
    """
    out = np.empty((*base.shape, flow.ratio.shape[-1] + 1))
    out[..., 0] = base
    together = np.isfinite(flow.share)
    for lead in range(flow.ratio.shape[-1]):
        below = np.zeros_like(base)
        below[:, 1:] = out[:, :-1, lead]
        wanted = flow.whole[:, lead] * below.sum(0)
        if together.any():
            pooled = group_sum(below, flow.county)[flow.county] * flow.share
            below = np.where(together, pooled, below)
        new = below * flow.ratio[..., lead]
        total = new.sum(0)
        new *= np.where(np.isnan(wanted), 1.0, divide(wanted, total, 1.0))
        new = np.where(np.isnan(flow.entry[..., lead]), new, flow.entry[..., lead])
        new = np.maximum(new + flow.added[..., lead], 0.0)
        fixed = flow.fixed[..., lead]
        out[..., lead + 1] = np.where(np.isnan(fixed), new, fixed)
    return out


def crossing(
    above: Array, below: Array, county: Index, inflow: bool = True
) -> tuple[npt.NDArray[np.bool_], Array, npt.NDArray[np.bool_]]:
    """Find grades where children cross area borders, and how a county shares them out.

    That is so where an area has far more in a grade than were below it, and where it has lately
    opened or closed the grade. Where the county too has far more than were below, they come from
    outside.

    Parameters
    ----------
    above, below : array [area, grade, year]
        Persons in the grade, and in the grade below a year before, in the last years; NaN where
        not observed, or not to be compared.
    county : array [area]
    inflow : bool
        Whether far more than were below mean that children come from elsewhere.

    Returns
    -------
    together : array of bool [area, grade]
        Whether the area's county moves up together into the grade.
    share : array [area, grade]
        Share of the county's children in the grade, over the years in which it was taught where it
        is now; NaN where areas stand alone.
    outside : array of bool [area, grade]
        Whether the grade is entered from outside the county.

    Examples
    --------
    >>> above, below = np.array([[[0.0]], [[90.0]]]), np.array([[[60.0]], [[0.0]]])
    >>> together, share, outside = crossing(above, below, np.array([0, 0]))
    >>> together.ravel(), share.ravel(), outside.any()
    (array([ True,  True]), array([0., 1.]), np.False_)
    """
    alike = settled(above, county)
    known = np.isfinite(above) & np.isfinite(below)
    came, there = (np.where(known, part, 0.0).sum(-1) for part in (above, below))
    far = np.asarray(inflow & (came > OUTSIDE * there))
    came_all, there_all = (group_sum(part, county) for part in (came, there))
    within = (there_all > 0) & ~(inflow & (came_all > OUTSIDE * there_all))
    together = ((group_sum(far.astype(float), county) > 0) | ~alike.all(-1)) & within
    kept = np.where(alike[county], np.nan_to_num(above), 0.0).sum(-1)
    share = divide(kept, group_sum(kept, county)[county], 0.0)
    together = together[county]
    return together, np.where(together, share, np.nan), far & ~together


def untaught(above: Array, below: Array) -> npt.NDArray[np.bool_]:
    """Say where nobody is in a grade though there were enough below, ``[area, grade]``.

    Parameters
    ----------
    above, below : array [area, grade, year]
        As in `crossing`.
    """
    none = np.nansum(above, -1) == 0
    return np.asarray(none & (np.nansum(below, -1) > CHANCE))


def other_range(pupils: Array) -> npt.NDArray[np.bool_]:
    """Say in which years an area did not teach a grade that it teaches now, or the other way round.

    Parameters
    ----------
    pupils : array [area, grade, year]

    Examples
    --------
    Opened in the last year; closed in the last year; empty by chance.

    >>> other_range(np.array([[[0.0, 0.0, 20.0], [20.0, 20.0, 0.0], [3.0, 2.0, 0.0]]]))
    array([[[ True,  True, False],
            [ True,  True, False],
            [False, False, False]]])
    """
    taught = pupils > 0
    number = taught.sum(-1, keepdims=True)
    size = divide(np.nansum(pupils, -1, keepdims=True), number.astype(float), 0.0)
    return np.asarray((taught != taught[..., -1:]) & (size > CHANCE) & np.isfinite(pupils))


def crossing_pairs(pupils: Array, group: Index) -> tuple[Array, Array]:
    """Pair grades with those below them a year before, over groups inside which children may cross.

    An area is left out where one of the two was not observed, or where it has opened the grade
    below since: whoever was in the grade then had come from nowhere.

    Parameters
    ----------
    pupils : array [area, grade, year]
    group : array [area]

    Returns
    -------
    above, below : array [group, grade, year]
        Persons; both 0 where nobody was below.
    """
    opened = other_range(pupils) & (pupils == 0)
    above, below = np.zeros_like(pupils), np.zeros_like(pupils)
    above[:, 1:, 1:], below[:, 1:, 1:] = pupils[:, 1:, 1:], pupils[:, :-1, :-1]
    keep = np.isfinite(above) & np.isfinite(below)
    keep[:, 1:, 1:] &= ~opened[:, :-1, :-1]
    came, there = (group_sum(np.where(keep, part, 0.0), group) for part in (above, below))
    return np.where(there > 0, came, 0.0), there


def settled(pupils: Array, county: Index) -> npt.NDArray[np.bool_]:
    """Say in which years a county's areas taught a grade where they teach it now.

    Parameters
    ----------
    pupils : array [area, grade, year]
    county : array [area]

    Returns
    -------
    array of bool [county, grade, year]
    """
    return np.asarray(group_sum(other_range(pupils).astype(float), county) == 0)
