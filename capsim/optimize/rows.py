"""Tables of a scenario read as arrays: no frame is copied, filtered or joined on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capsim.lp.arrays import Array, Flag, Index, Text

if TYPE_CHECKING:
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class Rows:
    """Rows of a table, all or those chosen, by column."""

    scenario: Scenario
    table: str
    chosen: Index | None = None

    def _read(self, column: str) -> NDArray[Any]:
        values = self.scenario.column(self.table, column)
        return values if self.chosen is None else values[self.chosen]

    def text(self, column: str) -> Text:
        """Return a column of texts."""
        return np.asarray(self._read(column), object)

    def number(self, column: str) -> Array:
        """Return a column of numbers; NaN where blank."""
        return np.asarray(self._read(column), np.float64)

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        if self.chosen is not None:
            return len(self.chosen)
        return self.scenario.rows(self.table)

    def where(self, keep: Flag) -> Rows:
        """Return the flagged rows."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)
        return Rows(self.scenario, self.table, kept if self.chosen is None else self.chosen[kept])


def codes(values: Sequence[Any] | NDArray[Any], names: Iterable[Any]) -> Index:
    """Position of each value in ``names``; -1 where it is not one of them.

    Examples
    --------
    >>> codes(["b", "x", "a"], ["a", "b"]).tolist()
    [1, -1, 0]
    """
    at = {name: i for i, name in enumerate(names)}
    return np.fromiter(map(at.get, values, repeat(-1)), np.int64, len(values))


def first_rows(values: Text) -> Index:
    """Positions at which a value stands for the first time, in order.

    Examples
    --------
    >>> first_rows(np.array(["a", "b", "a", "c"], object)).tolist()
    [0, 1, 3]
    """
    first = {value: i for i, value in reversed(list(enumerate(values)))}
    return np.sort(np.fromiter(first.values(), np.int64, len(first)))
