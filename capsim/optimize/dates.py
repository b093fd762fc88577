"""Check dates: every 1 September of the plan, and 31 December of years in which a rule steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp.arrays import Flag, Index, Text

if TYPE_CHECKING:
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class Dates:
    """The check dates of a plan in order.

    Attributes
    ----------
    date : text ``[check]``, ISO dates
    year : int ``[check]``, position of the school year among the planned years
    autumn : int ``[year]``, index of its 1 September
    december : int ``[year]``, index of its 31 December; where there is none, of its 1 September
    """

    date: Text
    year: Index
    autumn: Index
    december: Index

    @property
    def count(self) -> int:
        """How many check dates there are."""
        return len(self.date)

    @property
    def december_year(self) -> Flag:
        """Flag ``[year]``: 31 December of it is a check date."""
        differs: Flag = self.december != self.autumn
        return differs

    def index_of(self, iso: Text) -> Index:
        """Index of the first check date on or after each ISO date (``count`` if none; blank: 0)."""
        return np.asarray(
            np.searchsorted(self.date.astype(str), iso.astype(str), side="left"), np.int64
        )

    def next_autumn(self, check: Index) -> Index:
        """Index of the first autumn at or after each check index."""
        at = np.searchsorted(self.autumn, check, side="left")
        return np.append(self.autumn, self.count)[at]


def check_dates(scenario: Scenario) -> Dates:
    """List the check dates of a scenario (see ``docs/model.md``)."""
    settings = scenario.settings
    stepped: list[Mapping[int, float]] = [
        settings.policy.private_share_cap,
        settings.floors.kindergarten_enrolment,
        settings.floors.kindergarten_public,
        settings.floors.kindergarten_inclusive,
        settings.floors.senior_enrolment,
    ]
    december = {year for table in stepped for year in table}
    december |= {int(str(p.by)[:4]) for p in settings.programmes.values()}
    date: list[str] = []
    year: list[int] = []
    autumn: list[int] = []
    last: list[int] = []
    for position, t in enumerate(scenario.years):
        autumn.append(len(date))
        date.append(f"{t}-09-01")
        year.append(position)
        if t in december:
            date.append(f"{t}-12-31")
            year.append(position)
        last.append(len(date) - 1)
    return Dates(np.array(date, object), np.array(year), np.array(autumn), np.array(last))


def stepped(table: Mapping[int, float], year: int) -> float | None:
    """Look up the value in force in ``year``: each holds from its key on; None before the first.

    Examples
    --------
    >>> stepped({2022: 0.10, 2025: 0.05}, 2024), stepped({2022: 0.10}, 2021)
    (0.1, None)
    """
    past = [key for key in table if key <= year]
    return float(table[max(past)]) if past else None
