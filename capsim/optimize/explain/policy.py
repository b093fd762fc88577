"""A policy: a rule by name, what it says, and the columns by which it gives way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from capsim.lp.arrays import Array, Index
from capsim.optimize.relief import Relief
from capsim.optimize.said import Said

Bounds = tuple[Array, Array]
MINOR = (
    *("smallest school", "admission plans", "kindergarten shares", "conversions due"),
    *("first conversions", "class size", "projects due"),
)


@dataclass(frozen=True)
class Policy:
    """A rule by name, what it says, and what it means to bend it.

    Attributes
    ----------
    name, unit : str
    says : Said
        Completes "These cannot all hold: …".
    weight : float
        Of a unit, beside one place.
    lacks : Said
        A sentence of one gap, with ``{who}``, ``{amount}`` and ``{year}``.
    cure : Said
        Completes "it would be enough if …", with ``{amount}`` (and ``{level}`` where a level is
        known; ``{things}`` is how many projects or schools give way).
    members : frame
        Whose each of its columns is, as in :class:`~capsim.optimize.relief.Relief`.
    relief : sparse ``[row, member]``, or None
        Columns to be added to the program; else ``columns`` are the model's own.
    held, free : bounds of its columns
    sign : float64 ``[member]``
        Units per column; −1 where the rule asks for a column to be at its upper bound.
    level : float, optional
        What the rule asks for, in its unit, where that is one number that bending adds to.
    """

    name: str
    says: Said
    unit: str
    weight: float
    lacks: Said
    cure: Said
    members: pd.DataFrame
    held: Bounds
    free: Bounds
    sign: Array
    relief: csc_array | None = None
    columns: Index | None = None
    level: float | None = None

    @property
    def minor(self) -> bool:
        """Whether the rule is seldom the point, and is left out first."""
        return self.name in MINOR

    def bent(self, value: Array) -> Array:
        """Units by which each member gives way at these values of its columns."""
        side = np.where(self.sign > 0, self.held[1], self.held[0])
        return np.maximum(self.sign * (value - side), 0.0)


def relieved(
    relief: Relief,
    name: str,
    says: Said,
    unit: tuple[str, float],
    lacks: Said,
    cure: Said,
    *,
    level: float | None = None,
) -> Policy:
    """Make a policy that gives way by the columns of a relief."""
    count = len(relief.members)
    zero = np.zeros(count)
    return Policy(
        name=name,
        says=says,
        unit=unit[0],
        weight=unit[1],
        lacks=lacks,
        cure=cure,
        members=relief.members,
        held=(zero, zero),
        free=(zero, np.full(count, np.inf)),
        sign=np.ones(count),
        relief=relief.matrix,
        level=level,
    )


def cut_down(policy: Policy, keep: pd.Series) -> Policy:
    """Cut a relieved policy down to some of its members."""
    assert policy.relief is not None
    at = np.flatnonzero(keep.to_numpy(bool))
    relief = Relief(
        policy.name,
        policy.unit,
        policy.members.iloc[at].reset_index(drop=True),
        csc_array(policy.relief[:, at]),
        np.zeros(len(at)),
    )
    unit = (policy.unit, policy.weight)
    return relieved(relief, policy.name, policy.says, unit, policy.lacks, policy.cure)


@dataclass(frozen=True)
class Limit:
    """The rule of a kind of limits: its rows and its words."""

    rows: str
    says: Said
    unit: str
    weight: float
    lacks: Said
    cure: Said

    def arguments(
        self, name: str
    ) -> tuple[tuple[str, ...], str, Said, tuple[str, float], Said, Said]:
        """Give what `policies` makes a rule of rows from."""
        return (self.rows,), name, self.says, (self.unit, self.weight), self.lacks, self.cure


LIMITS = {
    "hires": Limit(
        "staff.hires",
        Said("no more teachers are hired than the limits allow"),
        "teachers",
        16.0,
        Said("{who} lacks {amount} teachers that may be hired in {year}"),
        Said("{amount} more teachers are hired, all years together"),
    ),
    "posts": Limit(
        "staff.posts",
        Said("no more posts than authorised"),
        "posts",
        16.0,
        Said("{who} lacks {amount} posts in {year}"),
        Said("{amount} more posts are authorised, all years together"),
    ),
    "contract teachers": Limit(
        "staff.contract",
        Said("no more contract teachers than the limits allow"),
        "teachers",
        16.0,
        Said("{who} lacks {amount} contract teachers in {year}"),
        Said("{amount} more contract teachers are taken on, all years together"),
    ),
    "capital": Limit(
        "money.capital",
        Said("building stays within the capital budgets"),
        "million RMB",
        5.0,
        Said("{who} lacks {amount} million RMB of capital in {year}"),
        Said("{amount} million RMB more of capital are given"),
    ),
    "recurrent money": Limit(
        "money.recurrent",
        Said("running costs stay within the recurrent budgets"),
        "million RMB",
        5.0,
        Said("{who} lacks {amount} million RMB of recurrent money in school year {year}"),
        Said("{amount} million RMB more of recurrent money are given, all years together"),
    ),
    "land": Limit(
        "land",
        Said("no more land is built on than released"),
        "mu",
        30.0,
        Said("{who} lacks {amount} mu of land by {year}"),
        Said("{amount} mu more of land are released"),
    ),
}
