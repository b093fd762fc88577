"""The plan as a schedule, and where each project stands in it today.

A plan says when a school opens. Its phases are laid backward from that date, on their own
calendars, at their planned (modal) durations. Where the day it began is known and past, the phases
share the time from then to the planned opening in proportion instead. What lies before today is
done, the phase under way is left with the part the schedule has ahead of it, and only what is left
is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capsim.construction.calendars import Calendar
from capsim.construction.prior import IN_USE

STRETCH = (0.02, 50.0)
EXACT = 1e-6
"""Days within which a date counts as kept: what rounding of sums can make of it."""


@dataclass(frozen=True)
class Piece:
    """One phase of one project: earlier pieces it follows, working days, calendar."""

    after: tuple[int, ...]
    days: float
    calendar: Calendar | None
    milestone: str


@dataclass(frozen=True)
class Baseline:
    """A project's schedule as planned.

    Attributes
    ----------
    start, finish : tuple of float
        Day each piece begins and ends.
    left : tuple of float
        Share of each piece's drawn duration that is still to come (may exceed 1 where the plan is
        slower than the modal durations).
    """

    start: tuple[float, ...]
    finish: tuple[float, ...]
    left: tuple[float, ...]


def forward(
    pieces: Sequence[Piece], start: float, stretch: float
) -> tuple[list[float], list[float]]:
    """Return begin and end of each piece when all begin as soon as they can."""
    begin, end = list[float](), list[float]()
    for piece in pieces:
        first = max((end[b] for b in piece.after), default=start)
        days = piece.days * stretch
        begin.append(first)
        end.append(first + (days if piece.calendar is None else piece.calendar.span(first, days)))
    return begin, end


def backward(pieces: Sequence[Piece], opening: float, stretch: float) -> float:
    """Return the latest begin of a project from which it is in use by ``opening``."""
    target = next((i for i, piece in enumerate(pieces) if piece.milestone == IN_USE), None)
    latest = [np.inf if target is not None else opening] * len(pieces)
    if target is not None:
        latest[target] = opening
    first = opening
    for i in range(len(pieces) - 1, -1, -1):
        if latest[i] == np.inf:
            continue
        piece, days = pieces[i], pieces[i].days * stretch
        calendar = piece.calendar
        begin = latest[i] - days if calendar is None else calendar.latest_start(latest[i], days)
        first = min(first, begin)
        for b in piece.after:
            latest[b] = min(latest[b], begin)
    return first


def anchored(pieces: Sequence[Piece], opening: float, started: float, now: float) -> Baseline:
    """Lay a project backward from its planned opening.

    Parameters
    ----------
    pieces : sequence of Piece
        In an order in which each follows those before it.
    opening : float
        Planned opening.
    started : float
        Day it began; NaN where unknown. A day not in the past, or not before the opening, is left
        aside: the opening governs.
    now : float

    Returns
    -------
    Baseline

    Examples
    --------
    Six months of structure and three of fit-out, to open on day 300, seen on day 100:

    >>> two = [Piece((), 180.0, None, "built"), Piece((0,), 90.0, None, "in_use")]
    >>> anchored(two, 300.0, float("nan"), 100.0)
    Baseline(start=(30.0, 210.0), finish=(210.0, 300.0), left=(0.611..., 1.0))
    """
    stretch = 1.0
    if started <= now and started < opening:
        stretch = _stretch(pieces, opening, started)
    begin, end = forward(pieces, backward(pieces, opening, stretch), stretch)
    return _left(pieces, begin, end, stretch, now)


def free(pieces: Sequence[Piece], start: float, now: float) -> Baseline:
    """Lay a project forward from the day it begins or began."""
    begin, end = forward(pieces, start, 1.0)
    return _left(pieces, begin, end, 1.0, now)


def _left(
    pieces: Sequence[Piece], begin: list[float], end: list[float], stretch: float, now: float
) -> Baseline:
    left = []
    for piece, first, last in zip(pieces, begin, end, strict=True):
        if first >= now:
            left.append(stretch)
        elif last <= now + EXACT or piece.days == 0:
            left.append(0.0)
        elif piece.calendar is None:
            left.append((last - now) / piece.days)
        else:
            left.append((piece.calendar.worked(last) - piece.calendar.worked(now)) / piece.days)
    return Baseline(tuple(begin), tuple(end), tuple(left))


def _stretch(pieces: Sequence[Piece], opening: float, started: float) -> float:
    """Return the factor on durations with which the project fits between the two days."""
    low, high = STRETCH
    if sum(piece.days for piece in pieces) == 0:
        return 1.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        if backward(pieces, opening, middle) > started:
            low = middle
        else:
            high = middle
    return low
