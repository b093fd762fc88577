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

from capsim.lp.array_types import Flag, Index, Text


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

    def hidden(self) -> Axis:
        """Return the axis with texts that choose and group members only."""
        return Axis(tuple(text._replace(shown=False) for text in self.texts))

    def __add__(self, other: Axis) -> Axis:
        """Return the axis with further texts of the same members."""
        return Axis(self.texts + other.texts)

    def take(self, member: Index | Flag | slice) -> Axis:
        """Return the axis of some members."""
        if isinstance(member, slice) and member == slice(None):
            return self
        return Axis(tuple(_taken(text, member) for text in self.texts))


def _taken(text: Texts, member: Index | Flag | slice) -> Texts:
    if text.of is not None:
        return Texts(text.what, text.names, text.of[member], text.shown)
    if isinstance(member, slice) and member.step in (None, 1):
        return Texts(text.what, text.names[member], None, text.shown)
    return Texts(text.what, text.names, np.arange(len(text.names))[member], text.shown)


@dataclass(frozen=True, eq=False)
class Labels(Sequence[Text]):
    """The texts of the members that ``keep`` flags: a sequence of arrays ``[member]``.

    Examples
    --------
    >>> schools, years = np.array(["S1", "S2"], object), np.array([2022, 2023])
    >>> keep = np.array([[True, False], [True, True]])
    >>> two = Labels(keep, (Axis.of(school=schools), Axis.of(year=years)))
    >>> [text.tolist() for text in two]
    [['S1', 'S2', 'S2'], [2022, 2022, 2023]]
    """

    keep: Flag
    axes: Sequence[Axis]

    @cached_property
    def members(self) -> int:
        """Number of members."""
        return int(np.count_nonzero(self.keep))

    @property
    def by_what(self) -> dict[str, Text]:
        """The texts by what they name, those that do not stand in names included."""
        where = np.nonzero(self.keep)
        return {
            text.what: _of_members(text, where[i])
            for i, axis in enumerate(self.axes)
            for text in axis.texts
        }

    @cached_property
    def _shown(self) -> list[tuple[int, Texts]]:
        """The texts that stand in names, each with the number of its axis."""
        return [(i, text) for i, axis in enumerate(self.axes) for text in axis.texts if text.shown]

    def __len__(self) -> int:
        return len(self._shown)

    def __iter__(self) -> Iterator[Text]:
        where = np.nonzero(self.keep)
        return (_of_members(text, where[axis]) for axis, text in self._shown)

    @overload
    def __getitem__(self, at: int) -> Text: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Text]: ...
    def __getitem__(self, at: int | slice) -> Text | Sequence[Text]:
        if isinstance(at, slice):
            return list(self)[at]
        axis, text = self._shown[at]
        return _of_members(text, np.nonzero(self.keep)[axis])


def _of_members(text: Texts, member: Index) -> Text:
    """Return the text of members of an axis."""
    at = member if text.of is None else text.of[member]
    return np.asarray(text.names, dtype=object)[at]
