"""Measures of cost over realisations: the mean, mean and tail, the worst regret.

A measure is linear in the realisations' costs ``t_s`` once a few columns are added, which the
extensive form and the master of the L-shaped method share:

- mean: ``Σ_s p_s t_s``
- mean and tail: ``Σ_s p_s t_s + λ CVaR_β``, with
  ``CVaR_β = min_η η + 1/(1 − β) Σ_s p_s e_s``, ``e_s ≥ t_s − η``, ``e_s ≥ 0``
  (Rockafellar and Uryasev, 2000)
- regret: ``r``, with ``r ≥ t_s − t*_s`` for the cost ``t*_s`` of a realisation known in advance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.lp.array_types import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.options_and_result import is_number
from capsim.lp.program import Builder


@dataclass(frozen=True)
class Mean:
    """The expected cost."""

    def value(self, cost: Array, probability: Array) -> float:
        """Return the measure of costs ``[realisation]``, in their unit.

        Examples
        --------
        >>> Mean().value(np.array([1.0, 3.0]), np.array([0.5, 0.5]))
        2.0
        """
        return float(probability @ cost)

    def add(self, m: Builder, total: Index, probability: Array) -> dict[int, float]:
        """Add columns and rows; return the cost of each column that has one."""
        return dict(zip(total.tolist(), probability.tolist(), strict=True))

    def constant(self, committed: Array, probability: Array) -> float:
        """Return the part that no decision moves."""
        return float(probability @ committed)


@dataclass(frozen=True)
class CVaR:
    """The mean and, ``weight`` times, the mean of the dearest ``1 − beta`` of realisations.

    Parameters
    ----------
    beta : float
        At least 0 and below 1.
    weight : float
        At least 0.

    Raises
    ------
    ValueError
        If one is out of range.
    """

    beta: float = 0.9
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not (is_number(self.beta) and 0 <= self.beta < 1):
            raise ValueError(f"beta must be at least 0 and below 1, not {self.beta!r}")
        if not (is_number(self.weight) and self.weight >= 0):
            raise ValueError(f"weight must be 0 or more, not {self.weight!r}")

    def value(self, cost: Array, probability: Array) -> float:
        """Return the measure of costs ``[realisation]``, in their unit.

        Examples
        --------
        >>> CVaR(beta=0.5).value(np.array([1.0, 3.0]), np.array([0.5, 0.5]))
        5.0
        """
        tail = tail_mean(cost, probability, self.beta)
        return float(probability @ cost) + self.weight * tail

    def add(self, m: Builder, total: Index, probability: Array) -> dict[int, float]:
        """Add columns and rows; return the cost of each column that has one."""
        threshold = m.variables("value_at_risk", 1, lower=-np.inf)
        excess = m.variables("excess", len(total))
        cost, risk = Expression.of(total), Expression.of(threshold)
        m.add("tail", Expression.of(excess) >= cost - risk)
        share = self.weight / (1.0 - self.beta)
        costs = dict(zip(total.tolist(), probability.tolist(), strict=True))
        costs |= dict(zip(excess.tolist(), (share * probability).tolist(), strict=True))
        return costs | {int(threshold[0]): self.weight}

    def constant(self, committed: Array, probability: Array) -> float:
        """Return the part that no decision moves."""
        return (1.0 + self.weight) * float(probability @ committed)


@dataclass(frozen=True)
class Regret:
    """The most that is lost in any realisation against knowing it.

    ``best`` is what each costs if it is known, million RMB.
    """

    best: tuple[float, ...]

    def value(self, cost: Array, probability: Array) -> float:
        """Return the measure of costs ``[realisation]``, in their unit.

        Examples
        --------
        >>> Regret((1.0, 2.0)).value(np.array([1.5, 4.0]), np.array([0.5, 0.5]))
        2.0
        """
        return float(np.max(cost - np.array(self.best)))

    def add(self, m: Builder, total: Index, probability: Array) -> dict[int, float]:
        """Add columns and rows; return the cost of each column that has one."""
        worst = m.variables("regret", 1, lower=-np.inf)
        m.add("regret", Expression.of(worst) >= Expression.of(total) - np.array(self.best))
        return {int(worst[0]): 1.0}

    def constant(self, committed: Array, probability: Array) -> float:
        """Return the part that no decision moves: none of it is in a difference."""
        return 0.0


Measure = Mean | CVaR | Regret


def tail_mean(cost: Array, probability: Array, beta: float) -> float:
    """Return the mean of the dearest ``1 − beta`` of realisations (the conditional value at risk).

    Examples
    --------
    >>> tail_mean(np.array([1.0, 2.0, 6.0]), np.full(3, 1 / 3), 0.5)
    4.666666666666667
    """
    order = np.argsort(-cost, kind="stable")
    left = 1.0 - beta
    before = np.concatenate([[0.0], np.cumsum(probability[order])[:-1]])
    taken = np.clip(left - before, 0.0, probability[order])
    return float(taken @ cost[order] / left)
