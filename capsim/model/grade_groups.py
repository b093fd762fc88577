"""Bands of grades that are planned as one, and their split by grade when tables are made.

Continuity, displacement and admission bind compulsory grades one by one; where the way of day
pupils is limited, boarding does so in stages of which only some grades may board. In other stages
no rule and no price tells grades apart: there the whole stage is one *band*, and its children are
split as the children who live in each area are. This loses nothing: the split of any solution of
the smaller program solves the larger one at the same cost, and the sums of any solution of the
larger one solve the smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.lp.array_types import Array, Flag, Index, Text


@dataclass(frozen=True)
class Bands:
    """Bands of grades, in the order of the grades.

    Attributes
    ----------
    name : text ``[band]``
        The grade, or the first and the last of several.
    stage : int ``[band]``
    grade : int ``[band]``
        Its first grade.
    first : bool ``[band]``
        No other band of the stage comes before it.
    of_grade : int ``[grade]``
    children : float64 ``[area, band, year]``, persons
    share : float64 ``[area, grade, year]``
        Part of its band's children that are in the grade; equal parts where there are none.
    """

    name: Text
    stage: Index
    grade: Index
    first: Flag
    of_grade: Index
    children: Array
    share: Array

    @property
    def single(self) -> Flag:
        """Flag ``[band]``: it is one grade alone."""
        return np.asarray(np.bincount(self.of_grade, minlength=len(self.name)) == 1)

    def total(self, amount: Array) -> Array:
        """Sum ``amount[area, grade, …]`` over the grades of each band."""
        return np.add.reduceat(amount, self.grade, axis=1)


def grade_bands(grades: Text, stage: Index, first: Flag, alone: Flag, children: Array) -> Bands:
    """Make a band of each grade flagged ``alone``, and one of all others of a stage.

    Parameters
    ----------
    grades : text ``[grade]``
    stage : int ``[grade]``
    first : bool ``[grade]``, the first of its stage
    alone : bool ``[grade]``
    children : float64 ``[area, grade, year]``

    Examples
    --------
    >>> found = grade_bands(
    ...     np.array(["K1", "K2", "1", "2"], object),
    ...     np.array([0, 0, 1, 1]),
    ...     np.array([True, False, True, False]),
    ...     np.array([False, False, True, True]),
    ...     np.array([[[30.0], [10.0], [5.0], [0.0]]]),
    ... )
    >>> found.name.tolist(), found.children.ravel().tolist(), found.share.ravel().tolist()
    (['K1-K2', '1', '2'], [40.0, 5.0, 0.0], [0.75, 0.25, 1.0, 1.0])
    """
    of_grade = np.cumsum(first | alone) - 1
    begin = np.flatnonzero(first | alone)
    end = np.append(begin[1:], len(grades)) - 1
    names = [a if a == b else f"{a}-{b}" for a, b in zip(grades[begin], grades[end], strict=True)]
    return Bands(
        name=np.array(names, object),
        stage=stage[begin],
        grade=begin,
        first=first[begin],
        of_grade=of_grade,
        children=np.add.reduceat(children, begin, axis=1) if len(begin) else children,
        share=parts_of(children, of_grade),
    )


def parts_of(amount: Array, of_grade: Index) -> Array:
    """Return each grade's part of its band's ``amount[…, grade, year]``, equal where it is 0."""
    if not len(of_grade):
        return amount
    grades = np.bincount(of_grade)
    total = np.add.reduceat(amount, np.cumsum(grades) - grades, axis=-2)[..., of_grade, :]
    share = np.empty_like(amount)
    share[...] = 1.0 / grades[of_grade][:, None]
    return np.divide(amount, total, out=share, where=total > 0)
