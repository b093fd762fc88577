"""Cohorts move up a grade a year: ``N[g, t+1] = ratio[g] * N[g-1, t]``.

Where some area of a county receives children in a grade although it had none or far fewer in the
grade below (a town's junior school fed by villages), ratios of single areas mean nothing: there
the county's children move up together and are shared out as the grade was last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .ratios import OUTSIDE, Array, Index, divide, group_sum


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


def crossing(above: Array, below: Array, county: Index) -> tuple[npt.NDArray[np.bool_], Array]:
    """Find grades where children cross area borders, and how a county shares them out.

    Parameters
    ----------
    above, below : array [area, grade]
        Persons in the grade, and in the grade below a year before.
    county : array [area]

    Returns
    -------
    together : array of bool [area, grade]
        Whether the area's county moves up together into the grade.
    share : array [area, grade]
        Share of the county's children in the grade; NaN where areas stand alone.

    Examples
    --------
    >>> above, below = np.array([[0.0], [90.0]]), np.array([[60.0], [0.0]])
    >>> together, share = crossing(above, below, np.array([0, 0]))
    >>> together.ravel(), share.ravel()
    (array([ True,  True]), array([0., 1.]))
    """
    orphan = above > OUTSIDE * below
    below_all = group_sum(below, county)[county]
    together = (group_sum(orphan.astype(float), county)[county] > 0) & (below_all > 0)
    share = divide(above, group_sum(above, county)[county], 0.0)
    return together, np.where(together, share, np.nan)
