"""Working calendars: how long a piece of work lasts on the clock when sites stop every winter.

Time is counted in days since 1970-01-01, as float; day ``d`` begins at ``d.0``. A calendar is a
list of working windows. Work of *w* days begun at *t* ends at the first moment at which *w*
working days have passed since *t*. Every function exists once for floats (the SimPy processes) and
once for arrays (the vectorised kernel), with the same arithmetic in the same order, so that both
give the same last bit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.float64]

EPOCH = date(1970, 1, 1)
MONTH_DAYS = 365.25 / 12
"""Days of a month; 30.4375 is a binary fraction, so whole months add up without rounding."""


def to_day(iso: str) -> float:
    """Return an ISO date as days since 1970-01-01.

    Examples
    --------
    >>> to_day("1970-02-01")
    31.0
    """
    return float((date.fromisoformat(iso) - EPOCH).days)


def to_iso(day: float) -> str:
    """Return the date a day count falls in, ``""`` for NaN and infinity.

    Examples
    --------
    >>> to_iso(31.5), to_iso(float("nan"))
    ('1970-02-01', '')
    """
    if not np.isfinite(day):
        return ""
    return date.fromordinal(EPOCH.toordinal() + int(np.floor(day))).isoformat()


@dataclass(frozen=True)
class Calendar:
    """Working windows of sites, in order; the last one has no end.

    Attributes
    ----------
    begins, ends : tuple of float
        Days on which each window begins and ends.
    before : tuple of float
        Working days in all earlier windows.
    """

    begins: tuple[float, ...]
    ends: tuple[float, ...]
    before: tuple[float, ...]

    @classmethod
    def from_stops(cls, stops: Iterable[Sequence[str]], first: int, last: int) -> Calendar:
        """Make the calendar of stops that return every year, for the years given.

        Parameters
        ----------
        stops : iterable of (str, str)
            Month-day from and to, both included: ``("12-15", "02-15")`` runs over the new year.
        first, last : int
            Calendar years, both included; no stop lies outside them.

        Raises
        ------
        ValueError
            If the stops leave no working day.

        Examples
        --------
        >>> winter = Calendar.from_stops([("12-15", "02-15")], 2022, 2024)
        >>> to_iso(to_day("2022-12-01") + winter.span(to_day("2022-12-01"), 20.0))
        '2023-02-22'
        """
        spans: list[tuple[float, float]] = []
        for begin, end in stops:
            for year in range(first - 1, last + 1):
                stop = to_day(_in_year(year, begin)), to_day(_in_year(year + (end < begin), end))
                spans.append((stop[0], stop[1] + 1.0))
        made = cls.from_spans(spans)
        new_year = made.worked(to_day(_in_year(first, "01-01")))
        if made.worked(to_day(_in_year(first + 1, "01-01"))) - new_year < 1:
            raise ValueError("the stops of a calendar leave no working day")
        return made

    @classmethod
    def from_spans(cls, spans: Iterable[tuple[float, float]]) -> Calendar:
        """Make the calendar that stops in the spans of days given (they may overlap)."""
        begins, ends = [float(-(2**20))], list[float]()
        for begin, end in sorted(spans):
            if ends and begin <= begins[-1]:
                begins[-1] = max(begins[-1], end)
            else:
                ends.append(begin)
                begins.append(end)
        ends.append(float(2**20))
        before = [0.0]
        for b, e in zip(begins[:-1], ends[:-1], strict=True):
            # the first window is cut to 0 so that work is counted from its end
            before.append(before[-1] + ((e - b) if len(before) > 1 else 0.0))
        before[0] = -(ends[0] - begins[0]) if len(begins) > 1 else 0.0
        return cls(tuple(begins), tuple(ends), tuple(before))

    def stops(self) -> list[tuple[float, float]]:
        """Return the spans of days in which no one works."""
        return list(zip(self.ends[:-1], self.begins[1:], strict=True))

    def worked(self, day: float) -> float:
        """Return the working days up to ``day``, from a fixed origin."""
        k = bisect_right(self.begins, day) - 1
        return self.before[k] + (min(day, self.ends[k]) - self.begins[k])

    def span(self, start: float, work: float) -> float:
        """Return the days on the clock that ``work`` working days take from ``start``."""
        k = bisect_right(self.begins, start) - 1
        end = self.ends[k]
        done = self.before[k] + ((start if start < end else end) - self.begins[k]) + work
        k = bisect_left(self.before, done) - 1
        return max(self.begins[k] + (done - self.before[k]) - start, 0.0)

    def spans(self, start: Days, work: Days) -> Days:
        """Return `span` for arrays of equal shape."""
        begins, ends, before = np.array(self.begins), np.array(self.ends), np.array(self.before)
        k = np.searchsorted(begins, start, side="right") - 1
        done = before[k] + (np.minimum(start, ends[k]) - begins[k]) + work
        k = np.searchsorted(before, done, side="left") - 1
        span: Days = np.maximum(begins[k] + (done - before[k]) - start, 0.0)
        return span

    def latest_start(self, finish: float, work: float) -> float:
        """Return the latest start from which ``work`` is done by ``finish``."""
        left = self.worked(finish) - work
        k = bisect_right(self.before, left) - 1
        return min(self.begins[k] + (left - self.before[k]), finish)


def _in_year(year: int, month_day: str) -> str:
    """Return the date of a month-day; 29 February is the 28th in common years."""
    if month_day == "02-29" and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        month_day = "02-28"
    return f"{year:04d}-{month_day}"
