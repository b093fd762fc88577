"""The ledger of a certificate: every check adds its rows and its worst violation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Axes = Sequence[Sequence[Any]]

MILLION = 1e6
SHOWN = 5


@dataclass(frozen=True)
class BoundCheck:
    """What is proved of a plan's bound without the solver that gave it.

    Attributes
    ----------
    verified : bool
        Whether the bound told is proved.
    proved_cny : float
        What no plan costs less than, proved in safe arithmetic; discounted RMB, ``-inf`` where
        nothing is.
    gap : float
        ``(objective − proved) ÷ max(avoidable, 1 million RMB)``.
    why : text
        ``duals`` (it is proved by the relaxation's prices), ``search`` (the rest of it is a search
        for whole numbers, by one solver), ``none`` (no bound is told, or there are no prices).
    """

    verified: bool
    proved_cny: float
    gap: float
    why: str


@dataclass(frozen=True)
class Certificate:
    """The result of re-checking a plan.

    Attributes
    ----------
    checked : int
        Rows checked: one for each constraint, cell or key.
    max_violation : float
        Largest violation, relative to the right-hand side where that is above 1, else absolute;
        persons, shares and counts as they are, money in million RMB. A key that is missing,
        doubled or unknown counts as 1 for each.
    worst : str
        Where it is.
    table : pandas.DataFrame
        Columns ``family``, ``rows``, ``max_violation``, ``worst``; a family that is switched off
        has no row.
    not_rechecked : tuple of str
        Rules of the user's own that came without a check, and what variables of their own cost.
    bound : BoundCheck, or None
        What is proved of the plan's bound; None where the plan has no columns.
    """

    checked: int
    max_violation: float
    worst: str
    table: pd.DataFrame
    not_rechecked: tuple[str, ...] = ()
    bound: BoundCheck | None = None

    @property
    def bound_verified(self) -> bool:
        """Whether the plan's bound is proved in safe arithmetic, not by a solver's word alone."""
        return self.bound is not None and self.bound.verified

    def holds(self, tolerance: float = 1e-6) -> bool:
        """Return whether no violation is above ``tolerance``.

        Examples
        --------
        >>> import pandas as pd
        >>> Certificate(120, 2e-9, "seats: north", pd.DataFrame()).holds()
        True
        """
        return bool(self.max_violation <= tolerance)


@dataclass(frozen=True)
class _Entry:
    family: str
    rows: int
    violation: float
    worst: str


class Ledger:
    """Collects checks.

    Examples
    --------
    >>> book = Ledger()
    >>> book.at_most("seats", "pupils of", [40.0, 66.0], [50.0, 60.0], [["north", "south"]])
    >>> book.close().worst
    'seats: pupils of south: 66 where at most 60 is allowed'
    >>> round(book.close().max_violation, 3)
    0.1
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def at_most(
        self,
        family: str,
        what: str,
        left: ArrayLike,
        right: ArrayLike,
        axes: Axes,
        *,
        where: ArrayLike = True,
        money: bool = False,
    ) -> None:
        """Check ``left <= right`` cell by cell, where ``where`` is true."""
        self._compare(family, what, left, right, axes, where, money, 0)

    def equal(
        self,
        family: str,
        what: str,
        left: ArrayLike,
        right: ArrayLike,
        axes: Axes,
        *,
        where: ArrayLike = True,
        money: bool = False,
    ) -> None:
        """Check ``left == right`` cell by cell, where ``where`` is true."""
        self._compare(family, what, left, right, axes, where, money, 1)

    def _compare(
        self,
        family: str,
        what: str,
        left: ArrayLike,
        right: ArrayLike,
        axes: Axes,
        where: ArrayLike,
        money: bool,
        equality: int,
    ) -> None:
        unit = MILLION if money else 1.0
        shape = tuple(len(axis) for axis in axes)
        lhs = np.broadcast_to(np.asarray(left, np.float64) / unit, shape)
        rhs = np.broadcast_to(np.asarray(right, np.float64) / unit, shape)
        mask = np.broadcast_to(np.asarray(where, np.bool_), shape)
        rows = int(mask.sum())
        if rows == 0:
            return
        with np.errstate(invalid="ignore"):
            excess = lhs - rhs
            if equality:
                excess = np.abs(excess)
            scale = np.where(np.isfinite(rhs), np.maximum(np.abs(rhs), 1.0), 1.0)
            violation = np.where((excess <= 0.0) | (lhs == rhs), 0.0, excess / scale)
        violation = np.where(mask, np.where(np.isnan(violation), np.inf, violation), 0.0)
        at = tuple(int(i) for i in np.unravel_index(int(np.argmax(violation)), shape))
        size = float(violation[at])
        worst = ""
        if size > 0.0:
            place = ", ".join(str(axis[i]) for axis, i in zip(axes, at, strict=True))
            rule = "is due" if equality else "is allowed"
            most = "" if equality else "at most "
            amounts = f"{lhs[at] * unit:.10g} where {most}{rhs[at] * unit:.10g} {rule}"
            worst = f"{what} {place}: {amounts}".replace(" : ", ": ")
        self._entries.append(_Entry(family, rows, size, worst))

    def none_of(self, family: str, what: str, found: Sequence[Any], checked: int) -> None:
        """Check that a list of faults is empty; each fault counts as a violation of 1."""
        worst = ""
        if len(found):
            shown = "; ".join(str(item) for item in found[:SHOWN])
            more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            worst = f"{what}: {shown}{more}"
        self._entries.append(_Entry(family, max(checked, len(found)), float(len(found)), worst))

    def close(
        self, not_rechecked: Sequence[str] = (), bound: BoundCheck | None = None
    ) -> Certificate:
        """Write the certificate of all that was checked so far, and what was not."""
        order = list(dict.fromkeys(entry.family for entry in self._entries))
        lines = []
        for family in order:
            entries = [entry for entry in self._entries if entry.family == family]
            top = max(entries, key=lambda entry: entry.violation)
            rows = sum(entry.rows for entry in entries)
            lines.append((family, rows, top.violation, top.worst))
        table = pd.DataFrame(lines, columns=["family", "rows", "max_violation", "worst"])
        best = max(lines, key=lambda line: line[2], default=("", 0, 0.0, ""))
        worst = f"{best[0]}: {best[3]}" if best[2] > 0 else ""
        checked = sum(line[1] for line in lines)
        return Certificate(checked, float(best[2]), worst, table, tuple(not_rechecked), bound)
