"""Faults of a scenario: each names the file, row, column, value and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

SHOWN = 60
"""Letters of a value that a fault shows."""
LISTED = 25
"""Known names that are listed."""
CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"
    "|[\\ud800-\\udfff\\ufffe\\uffff]"
)
"""What no name or text holds: it moves terminals, turns letters round, or breaks files."""
TOLD = 200
"""Faults that are written out; of more, how many there are."""
EXPECTED = 400
"""Letters of what is expected that a fault shows."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a scenario.

    ``row`` is the line as an editor shows it where there is a file, else the row of the frame
    counted from 0; None where the fault is not in one row. ``value`` is what stands there; None
    where ``expected`` says all.

    Examples
    --------
    >>> print(Fault("births.csv", 7, "births", "-3", "a number >= 0"))
    births.csv, row 7, births: '-3' where a number >= 0 is expected
    """

    file: str
    row: int | None
    column: str
    value: str | None
    expected: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        place = [visible(self.file)]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column:
            place.append(visible(_short(self.column, SHOWN)))
        expected = visible(_short(self.expected, EXPECTED))
        if self.value is None:
            return f"{', '.join(place)}: {expected}"
        return f"{', '.join(place)}: {_short(self.value, SHOWN)!r} where {expected} is expected"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def visible(text: str) -> str:
    r"""Return a text in which what would move a terminal or turn letters round is written out.

    Examples
    --------
    >>> visible("a\x1b[2Jb\u202ec\nd") == r"a\x1b[2Jb\u202ec\nd", visible("一年级")
    (True, '一年级')
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one == " " else one.encode("unicode_escape").decode()
        for one in text
    )


class ScenarioError(ValueError):
    """A scenario with faults; ``faults`` holds all of them, ``str()`` lists them line by line.

    Parameters
    ----------
    faults : iterable of Fault
        At least one.

    Examples
    --------
    >>> print(ScenarioError([Fault("areas.csv", None, "", "", "a file")]))
    1 fault in the scenario
      areas.csv: '' where a file is expected
    """

    def __init__(self, faults: Iterable[Fault]):
        self.faults = tuple(faults)
        count = len(self.faults)
        title = f"{count:,} fault{'' if count == 1 else 's'} in the scenario"
        lines = [title, *map(str, self.faults[:TOLD])]
        if count > TOLD:
            lines.append(f"… and {count - TOLD:,} more")
        super().__init__("\n  ".join(lines))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Fault, ...]]]:
        """Keep the faults where the error crosses between processes."""
        return type(self), (self.faults,)


def nearest(name: str, known: Iterable[str]) -> str:
    """Describe which known name was probably meant, or which there are.

    Examples
    --------
    >>> nearest("brith", ["births", "areas"])
    'births (the nearest known)'
    >>> nearest("x", ["births", "areas"])
    'one of areas, births'
    """
    names = sorted(set(known))
    if not names:
        return "none there is"
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"{close[0]} (the nearest known)"
    listed = ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
    return listed if len(names) == 1 else f"one of {listed}"
