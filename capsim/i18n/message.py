"""A sentence as a text and the values that stand in it, to be written in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capsim.i18n.language import Words, words


@dataclass(frozen=True)
class Message:
    """A sentence, or a part of one.

    Attributes
    ----------
    msgid : str
        English, with ``{places}``; other languages have it by this. One that ends with a full
        stop begins with a capital when it is written.
    arguments : mapping
        By place: a name (text), a number (``int`` for years, ``float`` for amounts), a `Message`,
        or a tuple of names or of `Message`.

    Examples
    --------
    >>> who = Message("county {county}", {"county": "C"})
    >>> gap = Message("{who} lacks {amount} posts in {year}", {"who": who, "year": 2022})
    >>> sentence = Message("{gap}.", {"gap": gap.filled(amount=1.0)})
    >>> str(sentence), sentence.text(words("zh"))
    ('County C lacks 1 post in 2022.', '县区C 2022年缺编制1个。')
    """

    msgid: str
    arguments: Mapping[str, Value] = field(default_factory=dict)

    def filled(self, **values: Value) -> Message:
        """Return the message with further values."""
        return Message(self.msgid, {**self.arguments, **values})

    def text(self, say: Words) -> str:
        """Write the message in a language."""
        text = say(self.msgid, **{key: _text(key, one, say) for key, one in self.arguments.items()})
        return text[:1].upper() + text[1:] if text.endswith(".") else text

    def __str__(self) -> str:
        return self.text(words("en"))


Value = str | int | float | Message | tuple[str, ...] | tuple[Message, ...]
NAMED = ("stage", "floor")
"""Places of words of the data, which have a name in each language."""


def _text(place: str, value: Value, say: Words) -> str:
    """Write the value that stands in a place."""
    if isinstance(value, tuple):
        mark = say.semicolon if isinstance(value[0], Message) else say.comma
        return mark.join(_text("", one, say) for one in value)
    if isinstance(value, Message):
        return value.text(say)
    if isinstance(value, float):
        return say.amount(value)
    if place == "target":
        return _target(str(value), say)
    return say.name(str(value)) if place in NAMED else str(value)


def _target(name: str, say: Words) -> str:
    """Name a target by its rule and, where it has one, its year."""
    rule, _, year = name.rpartition("-")
    if len(year) == 4 and year.isdigit() and rule and not name.startswith("programme-"):
        return f"{say.rule(rule)} {year}"
    return say.rule(name)
