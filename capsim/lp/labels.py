"""What the members of a block are called, kept as the arrays it follows from.

A program of a million columns needs no name for any of them until somebody reads one. A block
keeps which members of an array it has, and where along each axis the texts stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from capsim.lp.arrays import Flag, Index, Text


class Along(NamedTuple):
    """A text of every member by its place on an axis: ``names[of[place]]``, or ``names[place]``."""

    axis: int
    names: NDArray[Any]
    of: Index | None = None


@dataclass(frozen=True)
class Labels(Sequence[Text]):
    """The texts of the members that ``keep`` flags: a sequence of arrays ``[member]``.

    Examples
    --------
    >>> schools, years = np.array(["S1", "S2"], object), np.array([2022, 2023])
    >>> two = Labels(np.array([[True, False], [True, True]]), (Along(0, schools), Along(1, years)))
    >>> [text.tolist() for text in two]
    [['S1', 'S2', 'S2'], [2022, 2022, 2023]]
    """

    keep: Flag
    along: tuple[Along, ...]

    def __len__(self) -> int:
        return len(self.along)

    def __iter__(self) -> Iterator[Text]:
        where = np.nonzero(self.keep)
        return (self._texts(one, where) for one in self.along)

    @overload
    def __getitem__(self, at: int) -> Text: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Text]: ...
    def __getitem__(self, at: int | slice) -> Text | Sequence[Text]:
        if isinstance(at, slice):
            return Labels(self.keep, self.along[at])
        return self._texts(self.along[at], np.nonzero(self.keep))

    @cached_property
    def members(self) -> int:
        """How many there are."""
        return int(np.count_nonzero(self.keep))

    def besides(self, text: Any) -> Labels:
        """Return the labels with one more text at the end, the same for every member."""
        return Labels(self.keep, (*self.along, self._same(text)))

    def after(self, text: Any) -> Labels:
        """Return the labels with one more text in front, the same for every member."""
        return Labels(self.keep, (self._same(text), *self.along))

    def _same(self, text: Any) -> Along:
        return Along(0, np.array([text], object), np.zeros(len(self.keep), np.int64))

    @staticmethod
    def _texts(one: Along, where: tuple[Index, ...]) -> Text:
        place = where[one.axis] if one.of is None else one.of[where[one.axis]]
        return np.asarray(one.names, dtype=object)[place]
