"""A sentence as a template and what stands in it, so that it can be said in another language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Message:
    """A sentence, or a part of one.

    Attributes
    ----------
    text : str
        English, with ``{places}``. What ends with a full stop begins with a capital.
    arguments : mapping
        By place: a name (text), a number (``int`` for years, ``float`` for amounts), a `Message`,
        or a tuple of names or of `Message`.

    Examples
    --------
    >>> who = Message("county {county}", {"county": "C"})
    >>> gap = Message("{who} lacks {amount} posts", {"who": who})
    >>> str(Message("{gap}.", {"gap": gap.filled(amount=1.0)}))
    'County C lacks 1 post.'
    """

    text: str
    arguments: Mapping[str, Value] = field(default_factory=dict)

    def filled(self, **values: Value) -> Message:
        """Give the sentence with further values."""
        return Message(self.text, {**self.arguments, **values})

    def __str__(self) -> str:
        values = {key: _english(value) for key, value in self.arguments.items()}
        text = self.text.format(**values) if values else self.text
        if "1" in [values.get(name) for name in ("amount", "things", "number")]:
            text = singular(text)
        return text[:1].upper() + text[1:] if text.endswith(".") else text

    def plain(self) -> list[Any]:
        """Turn into lists, texts and numbers, for JSON."""
        return [self.text, {key: _plain(value) for key, value in self.arguments.items()}]

    @classmethod
    def of(cls, plain: list[Any]) -> Message:
        """Read what `plain` wrote.

        Examples
        --------
        >>> one = Message("{a} and {b}", {"a": (Message("x"), Message("y")), "b": ("p", "q")})
        >>> Message.of(one.plain()) == one
        True
        """
        text, values = plain
        return cls(text, {key: _value(value) for key, value in values.items()})


Value = str | int | float | Message | tuple[str, ...] | tuple[Message, ...]


def _english(value: Value) -> str:
    if isinstance(value, tuple):
        return ("; " if isinstance(value[0], Message) else ", ").join(map(str, value))
    return amount_text(value) if isinstance(value, float) else str(value)


def _plain(value: Value) -> Any:
    if isinstance(value, tuple):
        return {"all": [_plain(one) for one in value]}
    return value.plain() if isinstance(value, Message) else value


def _value(plain: Any) -> Any:
    if isinstance(plain, dict):
        return tuple(_value(one) for one in plain["all"])
    return Message.of(plain) if isinstance(plain, list) else plain


def amount_text(value: float) -> str:
    """Write an amount: whole from 100 on, else with two decimals where needed.

    Examples
    --------
    >>> amount_text(12400.4), amount_text(2.5), amount_text(0.001)
    ('12,400', '2.5', '0.001')
    """
    if not np.isfinite(value):
        return "?"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 0.01 or value == 0:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:.1g}"


def singular(text: str) -> str:
    """Put what there is one of into the singular.

    Examples
    --------
    >>> singular("1 more contract teachers are taken on"), singular("1 classes too many")
    ('1 more contract teacher is taken on', '1 class too many')
    >>> singular("21 more posts are authorised"), singular("1 schools convert earlier")
    ('21 more posts are authorised', '1 school converts earlier')
    >>> singular("1 more boarding places stand ready")
    '1 more boarding place stands ready'
    """
    kinds = "contract |large |ordered |boarding "
    found = re.match(rf"(.*(?<![\d.,])1 (?:more )?(?:{kinds})?)(\w+)(.*)", text)
    if found is None or found[2] not in ONE:
        return text
    verb = re.match(r"((?: that must convert)? )(\w+)\b(.*)", found[3])
    rest = found[3]
    if verb is not None and verb[2] in DOES:
        rest = f"{verb[1]}{DOES[verb[2]]}{verb[3]}"
    return f"{found[1]}{ONE[found[2]]}{rest}"


DOES = {
    **{"are": "is", "go": "goes", "stand": "stands", "do": "does"},
    **{"convert": "converts", "open": "opens"},
}
ONE = {
    **{"teachers": "teacher", "posts": "post", "places": "place", "pupils": "pupil"},
    **{"projects": "project", "children": "child", "classes": "class", "schools": "school"},
}
