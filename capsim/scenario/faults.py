"""Faults of a scenario: each names the file, row, column, value and what was expected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from capsim.i18n.language import Message, Words, words

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
    where ``expected`` says all. ``cure`` says what to do where that does not follow from what is
    expected.

    Examples
    --------
    >>> print(Fault("births.csv", 7, "births", "-3", Message("a year")))
    births.csv, row 7, births: '-3' where a year is expected
    >>> cure = Message("pupils are persons, not a percentage")
    >>> print(Fault("pupils.csv", 3, "pupils", "5%", Message("a number"), cure))
    pupils.csv, row 3, pupils: '5%' where a number is expected; pupils are persons, not a percentage
    """

    file: str
    row: int | None
    column: str | Message
    value: str | Message | None
    expected: Message
    cure: Message | None = None

    def __str__(self) -> str:
        """Return the fault as one line."""
        return self.text(words("en"))

    def text(self, say: Words) -> str:
        """Return the fault as one line in a language."""
        place = [visible(self.file)]
        if self.row is not None:
            place.append(say("row {row}", row=self.row))
        if self.column:
            place.append(visible(_short(_said(self.column, say), SHOWN)))
        expected = visible(_short(self.expected.text(say), EXPECTED))
        if self.value is None:
            line = say("{place}: {expected}", place=say.joined(place), expected=expected)
        else:
            line = say(
                "{place}: {value} where {expected} is expected",
                place=say.joined(place),
                value=repr(_short(_said(self.value, say), SHOWN)),
                expected=expected,
            )
        if self.cure is None:
            return line
        return line + say.semicolon + visible(_short(self.cure.text(say), EXPECTED))

    def details(self, say: Words) -> dict[str, str | int | None]:
        """Return the fault's parts and its line in a language, for programs."""
        return {
            "file": self.file,
            "row": self.row,
            "column": _said(self.column, say),
            "value": None if self.value is None else _said(self.value, say),
            "expected": self.expected.text(say),
            "cure": "" if self.cure is None else self.cure.text(say),
            "text": self.text(say),
        }


def _said(text: str | Message, say: Words) -> str:
    return text.text(say) if isinstance(text, Message) else text


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
    >>> print(ScenarioError([Fault("areas.csv", None, "", "", Message("a file"))]))
    1 fault in the scenario
      areas.csv: '' where a file is expected
    """

    def __init__(self, faults: Iterable[Fault]):
        self.faults = tuple(faults)
        super().__init__(self.text(words("en")))

    def text(self, say: Words) -> str:
        """Return all faults line by line in a language."""
        count = len(self.faults)
        lines = [say("{number} faults in the scenario", number=f"{count:,}")]
        lines += [fault.text(say) for fault in self.faults[:TOLD]]
        if count > TOLD:
            lines.append(say("… and {number} more", number=f"{count - TOLD:,}"))
        return "\n  ".join(lines)

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Fault, ...]]]:
        """Keep the faults where the error crosses between processes."""
        return type(self), (self.faults,)


def as_it_is(text: str) -> Message:
    """Return what is written the same in every language: a name, a line of settings."""
    return Message("{name}", {"name": text})


def one_of(names: Iterable[str]) -> Message:
    """Say that one of some names is expected.

    Examples
    --------
    >>> str(one_of(["public", "private"])), str(one_of(["junior"]))
    ('one of public, private', 'one of junior')
    """
    return Message("one of {names}", {"names": tuple(names)})


def nearest(name: str, known: Iterable[str]) -> Message:
    """Describe which known name was probably meant, or which there are.

    Examples
    --------
    >>> str(nearest("brith", ["births", "areas"]))
    'births (the nearest known)'
    >>> str(nearest("x", ["births", "areas"]))
    'one of areas, births'
    """
    names = sorted(set(known))
    if not names:
        return Message("a name that is defined (none is)")
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return Message("{name} (the nearest known)", {"name": close[0]})
    if len(names) == 1:
        return as_it_is(names[0])
    return one_of([*names[:LISTED], "…"] if len(names) > LISTED else names)


def meant(what: Message, name: str, known: Iterable[str]) -> Message:
    """Describe a thing that is expected, and which known one was probably meant.

    Examples
    --------
    >>> str(meant(Message("an area"), "nort", ["north"]))
    'an area: north (the nearest known)'
    >>> str(meant(Message("a resource"), "crews", []))
    'a resource, of which there is none yet,'
    """
    names = set(known)
    if not names:
        return Message("{what}, of which there is none yet,", {"what": what})
    return Message("{what}: {near}", {"what": what, "near": nearest(name, names)})
