"""A mapping and a table that cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy.typing as npt
import pandas as pd

K = TypeVar("K")
V = TypeVar("V")


class Frozen(Mapping[K, V], Generic[K, V]):
    """A mapping that cannot be changed, equal to the dict it was made from.

    Examples
    --------
    >>> cap = Frozen({2022: 0.05})
    >>> cap == {2022: 0.05}, cap[2022], list(cap)
    (True, 0.05, [2022])
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V] | None = None):
        self._items = dict(items or {})

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return repr(self._items)


class FrozenTable:
    """A table that cannot be changed: a frame nobody else holds, and its columns as arrays.

    The arrays are made once, since reading one from the frame takes as long as most of what is
    then done with it. They are no part of a pickle, but made anew from the frame.

    Examples
    --------
    >>> table = FrozenTable(pd.DataFrame({"area": ["n", "s"], "km": [1.0, 2.0]}))
    >>> len(table), table.columns["km"].tolist(), table.columns["area"].flags.writeable
    (2, [1.0, 2.0], False)
    """

    __slots__ = ("columns", "frame")

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.columns = {str(name): _frozen(values) for name, values in frame.items()}

    def __len__(self) -> int:
        return len(self.frame)

    def __reduce__(self) -> tuple[type[FrozenTable], tuple[pd.DataFrame]]:
        return FrozenTable, (self.frame,)


def _frozen(values: pd.Series) -> npt.NDArray[Any]:
    array = values.to_numpy().view()
    array.flags.writeable = False
    return array
