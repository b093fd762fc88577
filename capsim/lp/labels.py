"""Names of the members of arrays of columns and rows, kept as the arrays they follow from.

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


class Texts(NamedTuple):
    """A text of every member of an axis: ``names[of[member]]``, or ``names[member]``.

    ``what`` says what is named (``school``); texts that are not ``shown`` serve to choose and to
    group members, and do not stand in names of columns and rows.
    """

    what: str
    names: NDArray[Any]
    of: Index | None = None
    shown: bool = True

    def each(self) -> Text:
        """Return the text of every member."""
        names = np.asarray(self.names, dtype=object)
        return names if self.of is None else names[self.of]


@dataclass(frozen=True, eq=False)
class Axis:
    """The texts of an axis' members; none where an axis has no labels.

    Examples
    --------
    >>> schools = Axis.of(school=np.array(["S1", "S2"], object))
    >>> schools.take(np.array([1, 1])).text("school").tolist()
    ['S2', 'S2']
    """

    texts: tuple[Texts, ...] = ()

    @classmethod
    def of(cls, **texts: NDArray[Any] | tuple[NDArray[Any], Index]) -> Axis:
        """Return an axis with texts by what they name: an array, or names and who has which."""
        return cls(
            tuple(
                Texts(what, *(names if isinstance(names, tuple) else (names,)))
                for what, names in texts.items()
            )
        )

    def text(self, what: str) -> Text:
        """Return the text of every member that names a thing of a kind."""
        found = [text for text in self.texts if text.what == what]
        if not found:
            known = ", ".join(text.what for text in self.texts) or "nothing"
            raise ValueError(f"an axis of {known} has no {what}")
        return found[0].each()

    def take(self, member: Index | Flag | slice) -> Axis:
        """Return the axis of some members."""
        if isinstance(member, slice) and member == slice(None):
            return self
        return Axis(tuple(_taken(text, member) for text in self.texts))


def _taken(text: Texts, member: Index | Flag | slice) -> Texts:
    if text.of is not None:
        return text._replace(of=text.of[member])
    if isinstance(member, slice):
        return text._replace(names=text.names[member])
    return text._replace(of=np.arange(len(text.names))[member])


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

    @classmethod
    def of(cls, keep: Flag, axes: Sequence[Axis]) -> Labels:
        """Return the labels of the flagged members of an array with these axes."""
        return cls(
            keep,
            tuple(
                Along(i, text.names, text.of)
                for i, one in enumerate(axes)
                for text in one.texts
                if text.shown
            ),
        )

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
