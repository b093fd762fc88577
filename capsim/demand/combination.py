"""Combination of forecasts, weighed by the errors they have made so far.

Areas' totals, their grades and the whole each have their own weights at each lead, because what is
best for one is not for the other: a state's grade is known from its cohort, a village school's
total best from what it was. Weights are not negative and sum to 1. They minimise the squared error
of the combination over the origins whose outcome is known, relative to size (chance of single
children grows with its root; Bates and Granger 1969), and lean to the first member alone, the
method that has proved best where little is known, as Diebold and Pauly (1990) lean to equal
weights. A lead leans on the one before, never on a later one, so that neither the horizon nor later
years change a forecast.

At last grades are scaled to their area's total and areas to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from capsim.demand.ratios import Array, Index, divide

LEVELS = ("total", "area", "grade")
"""The whole, areas' totals, areas' grades."""
PRIOR = 1.0
"""Origins that the first member alone counts for."""
LEAN = 1.0
"""Origins that the lead before counts for."""
SAME = 1e-9
"""Relative square by which members lie apart below which they are the same."""


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of members.

    Attributes
    ----------
    total, area, grade : array [lead, member]
        Of the whole, of areas' totals, of areas' grades; they sum to 1 over members.
    """

    total: Array
    area: Array
    grade: Array

    def until(self, leads: int) -> Weights:
        """Return weights of so many leads; later ones are those of the last lead there is."""
        at = np.minimum(np.arange(leads), len(self.total) - 1)
        return Weights(self.total[at], self.area[at], self.grade[at])


def error_products(members: Array, actual: Array) -> dict[str, Array]:
    """Sum products of the members' errors by level, each relative to the size forecast.

    Parameters
    ----------
    members : array [member, area, grade, lead]
        Forecasts from one origin, persons.
    actual : array [area, grade, lead]
        Persons; NaN where not judged.

    Returns
    -------
    mapping of level to array [lead, member, member]
    """
    judged = np.isfinite(actual)
    part = np.where(judged, members, 0.0), np.where(judged, actual, 0.0)
    out = {}
    for level in LEVELS[::-1]:
        ahead, came = part
        size = np.maximum(ahead.mean(0), 1.0)
        error = (ahead - came) / np.sqrt(size)
        flat = error.reshape(len(error), -1, error.shape[-1])
        out[level] = np.einsum("mcl,kcl->lmk", flat, flat)
        if level != "total":
            axis = 1 if level == "grade" else 0
            part = ahead.sum(axis + 1), came.sum(axis)
            part = part if level == "grade" else (part[0][:, None], part[1][None])
    return out


def learned(products: Sequence[dict[str, Array]], origins: Index, now: int) -> Weights:
    """Learn weights from the errors that are known by a year.

    Parameters
    ----------
    products : sequence of mappings
        By origin, from `error_products`.
    origins : array [origin]
        Years, in order.
    now : int
    """
    by_level = {}
    for level in LEVELS:
        square = np.stack([product[level] for product in products])
        by_level[level] = _weights(square, origins, now)
    return Weights(**by_level)


def _weights(square: Array, origins: Index, now: int) -> Array:
    """Return one level's weights ``[lead, member]`` from ``[origin, lead, member, member]``."""
    leads, number = square.shape[1:3]
    out = np.tile(np.eye(number)[0], (leads, 1))
    middle = np.eye(number) - 1.0 / number
    before, leaning = np.zeros((number, number)), 0.0
    for lead in range(leads):
        due = origins + lead + 1 <= now
        known = due & (np.trace(square[:, lead], axis1=1, axis2=2) > 0)
        own = _unit(square[known, lead].sum(0)) * known.sum()
        total = own + leaning * before
        evidence = float(known.sum()) + leaning
        if not evidence:
            continue
        apart = float(np.trace(middle @ total)) / max(number - 1, 1)
        out[lead] = _least(total, PRIOR * apart / evidence)
        before, leaning = _unit(total), LEAN
    return out


def _unit(square: Array) -> Array:
    size = np.trace(square) / len(square)
    return square / size if size > 0 else square


def _least(square: Array, pull: float) -> Array:
    """Minimise ``w' square w + pull * |w - first|**2`` over weights: by each set that is not 0."""
    number = len(square)
    first: Array = np.eye(number)[0]
    if pull < SAME:
        return first
    matrix = square + pull * np.eye(number)
    best: Array = first
    least = np.inf
    members = range(number)
    for chosen in chain.from_iterable(combinations(members, n) for n in range(1, number + 1)):
        at = list(chosen)
        # Where the gradient is the same for all of the set, and they sum to 1.
        sides = np.stack([np.ones(len(at)), pull * first[at]], axis=1)
        even, pulled = np.linalg.solve(matrix[np.ix_(at, at)], sides).T
        weight = np.zeros(number)
        weight[at] = pulled + even * (1 - pulled.sum()) / even.sum()
        value = float(weight @ square @ weight + pull * ((weight - first) ** 2).sum())
        if (weight >= 0).all() and value < least:
            best, least = weight, value
    return best


def combined(members: Array, weights: Weights) -> Array:
    """Combine forecasts at each level, and scale grades to their areas and areas to the whole.

    Parameters
    ----------
    members : array [member, area, grade, lead]
        Persons; NaN for areas that are not forecast.
    weights : Weights

    Returns
    -------
    array [area, grade, lead]

    Examples
    --------
    Grades and whole by the first, areas' totals by the second.

    >>> first, second = np.array([[[30.0], [10.0]]]), np.array([[[10.0], [10.0]]])
    >>> of_first, of_second = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    >>> members = np.stack([first, second])
    >>> combined(members, Weights(of_second, of_second, of_first)).ravel()
    array([15.,  5.])
    """
    seen = np.asarray(np.isfinite(members).all(0))
    known = np.where(seen, members, 0.0)
    out = np.einsum("lm,magl->agl", weights.grade, known)
    area = np.einsum("lm,mal->al", weights.area, known.sum(2))
    out = out * divide(area, out.sum(1), 1.0)[:, None]
    whole = np.einsum("lm,ml->l", weights.total, known.sum((1, 2)))
    out = out * divide(whole, out.sum((0, 1)), 1.0)
    return np.where(seen, out, np.nan)
