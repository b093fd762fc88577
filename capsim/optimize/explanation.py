"""What an explanation is."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from capsim.optimize.said import Said


@dataclass(frozen=True)
class Explanation:
    """Why no plan meets every target, and the least that would have to give way.

    Attributes
    ----------
    told : tuple of Said
        Sentences that can be said in more than one language; `sentences` are these in English.
    table : frame
        ``rule``, ``who``, ``school_year``, ``unit``, ``short_by``, ``alone``: what gives way at
        the least, all at once, and how much of each rule would be enough alone.
    conflicts : tuple of tuples of text
        Minimal sets of rules that cannot hold together; no two share a rule.
    repairs : frame, or None
        ``rule``, ``unit``, ``enough``, ``who``, ``school_year``, ``short_by``: where and when a
        rule gives way that is enough alone.
    """

    told: tuple[Said, ...]
    table: pd.DataFrame
    conflicts: tuple[tuple[str, ...], ...] = ()
    repairs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in English."""
        return tuple(str(one) for one in self.told)
