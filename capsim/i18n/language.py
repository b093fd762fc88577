"""Texts and numbers as readers of English or Chinese write them, and their width on a screen.

A `Message` is a text with the values that stand in it, to be written in any language later.

Texts in the code are English and the keys by which `zh.toml` has them in Chinese, and `en.toml`
has the singular of those that count something. A text without Chinese is an error, never silently
English. Names from the data (areas, schools, projects) come through as they are.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from unicodedata import east_asian_width

LANGUAGES = ("en", "zh")
CNY = "CNY"
"""Currency of prices that are built in, and of texts as they are written."""
COUNTED = ("amount", "number", "things")
"""Places that say how many there are; a text that has a singular has one of them."""


class Unit(NamedTuple):
    """A unit that keeps large numbers short, such as a million.

    Attributes
    ----------
    size : float
        The number from which on it is used.
    digits : int
        Decimals.
    name : str
        After the number.
    trim : bool
        Whether zeros at the end are left out.
    """

    size: float
    digits: int
    name: str
    trim: bool = False


@dataclass(frozen=True, eq=False)
class Words:
    """Texts and numbers of one language, as its file has them; made by `words`.

    Attributes
    ----------
    lang, code : str
        Short name, and language tag of a page (BCP 47).
    comma, semicolon, colon, stop : str
        Marks between the parts and the sentences of a list, before it, and at a sentence's end.
    percent, currency : str
        After a number.
    iso : str
        Code of the currency in which texts, written for RMB, speak of money.
    counts, money_units : sequence of units
        That keep counts and amounts of money short; the first that a number reaches is taken.
    texts : mapping of text
        By the English text; none in English.
    one : mapping of text
        The singular of texts that count something; none in Chinese.
    names : mapping of text
        Words of the data by their code.
    """

    lang: str
    code: str
    comma: str
    semicolon: str
    colon: str
    stop: str
    percent: str
    currency: str
    counts: Sequence[Unit]
    money_units: Sequence[Unit]
    texts: Mapping[str, str]
    one: Mapping[str, str]
    names: Mapping[str, str]
    currencies: Mapping[str, str]
    iso: str = CNY

    def __call__(self, text: str, /, **values: object) -> str:
        """Return a text with its `{values}` filled in.

        Raises
        ------
        KeyError
            There is no such text in the language.

        Examples
        --------
        >>> words("zh")("{number} ordered projects open", number=182)
        '已列入计划的182个项目投用'
        >>> words("en")("{amount} more posts are authorised, all years together", amount=1)
        '1 more post is authorised, all years together'
        """
        template = text if self.lang == "en" else self.texts[text]
        if text in self.one:
            counted = next(place for place in COUNTED if f"{{{place}}}" in text)
            template = self.one[text] if str(values[counted]) == "1" else template
        if self.iso != CNY and "RMB" in text:
            template = self.in_currency(template)
        return template.format(**values) if values else template

    def in_currency(self, text: str) -> str:
        """Put the currency in the place of RMB.

        Examples
        --------
        >>> words("en", "USD").in_currency("million RMB"), words("zh", "USD").in_currency("万元")
        ('million USD', '万美元')
        """
        if self.iso == CNY:
            return text
        unit = self.currencies.get(self.iso, self.iso)
        return text.replace("RMB", self.iso).replace("人民币", "").replace("元", unit)

    def name(self, term: str) -> str:
        """Return a word of the data (a stage, a kind, a programme's status); others as they are.

        Examples
        --------
        >>> words("zh").name("junior"), words("en").name("in_use"), words("zh").name("X")
        ('初中', 'in use', 'X')
        """
        return self.names.get(term, term)

    def rule(self, rule: object) -> str:
        """Name a rule of the targets in words; a programme by its name.

        Examples
        --------
        >>> words("en").rule("large_classes"), words("zh").rule("programme-build-2022")
        ('large classes', '建设计划 build-2022')
        """
        text = str(rule)
        if self.lang == "zh" and text.startswith("programme-"):
            return f"{self.name('programme')} {text.removeprefix('programme-')}"
        return self.name(text)

    def brief(self, rule: str) -> str:
        """Name a rule as briefly as is clear: a programme in English by its own name.

        Examples
        --------
        >>> words("en").brief("programme-build"), words("zh").brief("programme-build")
        ('build', '建设计划 build')
        """
        return self.rule(rule if self.lang == "zh" else rule.removeprefix("programme-"))

    def amount(self, value: float) -> str:
        """Write an amount: whole from 100 on, else with two decimals where needed.

        Examples
        --------
        >>> words("en").amount(12400.4), words("zh").amount(12400.4), words("zh").amount(0.001)
        ('12,400', '1.24万', '0.001')
        """
        if not math.isfinite(value):
            return "?"
        if value >= 100:
            return self.count(value)
        if value >= 0.01 or value == 0:
            return _trimmed(f"{value:.2f}")
        return f"{value:.1g}"

    def count(self, number: float) -> str:
        """Write persons, places or pieces, whole.

        Examples
        --------
        >>> words("en").count(309800), words("zh").count(309800), words("zh").count(-1200)
        ('309,800', '30.98万', '−1,200')
        """
        return _short(number, self.counts)

    def money(self, cny: float) -> str:
        """Write an amount of money in the unit that keeps the number short.

        Examples
        --------
        >>> words("en").money(4.61e9), words("zh").money(4.61e9), words("zh").money(253_000)
        ('4.61 bn RMB', '46.10亿元', '25.3万元')
        """
        return _short(cny, self.money_units) + self.currency

    def share(self, fraction: float) -> str:
        """Write a fraction as a percentage with two decimals.

        Examples
        --------
        >>> words("en").share(0.05), words("zh").share(0.05)
        ('5.00 %', '5.00%')
        """
        return f"{100 * fraction:.2f}{self.percent}"

    def chance(self, fraction: float) -> str:
        """Write a probability as a whole percentage.

        Examples
        --------
        >>> words("en").chance(0.66), words("zh").chance(0.66)
        ('66 %', '66%')
        """
        return _short(100 * fraction, ()) + self.percent

    def joined(self, parts: list[str]) -> str:
        """Join parts of a sentence."""
        return self.comma.join(parts)


def _short(number: float, units: Sequence[Unit]) -> str:
    """Write a number in the first unit that it reaches, else whole, with a true minus sign."""
    reached = (unit for unit in units if abs(number) >= unit.size)
    size, digits, name, trim = next(reached, Unit(1.0, 0, ""))
    text = f"{number / size:,.{digits}f}"
    text = _trimmed(text) if trim else text
    return "0" if text == "-0" else text.replace("-", "−") + name


def _trimmed(text: str) -> str:
    """Drop zeros at the end of a decimal number."""
    return text.rstrip("0").rstrip(".")


@cache
def words(lang: str, currency: str = CNY) -> Words:
    """Return the words of a language, `en` or `zh`, from the file that is shipped.

    Texts are written for RMB; in another currency (its ISO code) they speak of that.

    Raises
    ------
    ValueError
        There is no such language.

    Examples
    --------
    >>> words("fr")
    Traceback (most recent call last):
    ...
    ValueError: language 'fr': one of en, zh
    """
    if lang not in LANGUAGES:
        raise ValueError(f"language {lang!r}: one of {', '.join(LANGUAGES)}")
    data = tomllib.loads(files("capsim.i18n").joinpath(f"{lang}.toml").read_text("utf-8"))
    units = {kind: [Unit(**unit) for unit in data[kind]] for kind in ("counts", "money_units")}
    said = Words(**{**data, **units, "lang": lang, "iso": currency})
    return replace(said, currency=said.in_currency(said.currency))


WIDTH = 100
"""Columns of a screen, of which a Chinese character takes two."""


def width(text: str) -> int:
    """Count the columns of a screen that a text takes.

    Examples
    --------
    >>> width("place"), width("学位")
    (5, 4)
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def left(text: str, columns: int) -> str:
    """Fill a text up on the right."""
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """Fill a text up on the left."""
    return " " * (columns - width(text)) + text


def wrapped(head: str, parts: list[str], say: Words) -> list[str]:
    """Write `head: part · part …` over lines of at most `WIDTH` columns, indented by two.

    Examples
    --------
    >>> wrapped("What binds", ["posts", "land"], words("en"))
    ['What binds:', '  posts · land']
    >>> wrapped("Cost decided here: 0 RMB", [], words("en"))
    ['Cost decided here: 0 RMB.']
    """
    if not parts:
        return [head + say.stop]
    lines, line = [head + say.colon], " "
    for part in parts:
        joined = f"{line} {part}" if line == " " else f"{line} · {part}"
        if width(joined) > WIDTH - 2 and line != " ":
            lines.append(line + " ·")
            joined = f"  {part}"
        line = joined
    return [*lines, line]


def filled(text: str, hang: str = "", most: int = WIDTH) -> list[str]:
    """Break a text into lines of at most so many columns, the later ones beginning with `hang`.

    Between Chinese characters a line may end anywhere; elsewhere at a blank.

    Examples
    --------
    >>> filled("a " * 60)[1], filled("学" * 60, "  ")[1]
    ('a a a a a a a a a a', '  学学学学学学学学学学')
    """
    begin = text[: len(text) - len(text.lstrip())]
    lines, line = [], begin
    for piece in _pieces(text.lstrip()):
        if line.strip() and width((line + piece).rstrip()) > most:
            lines.append(line.rstrip())
            line = hang
        line += piece
    return [*lines, line.rstrip()]


def _pieces(text: str) -> list[str]:
    """Cut a text where a line may end."""
    pieces = [""]
    for character in text:
        pieces[-1] += character
        if character == " " or east_asian_width(character) in "WF":
            pieces.append("")
    return [piece for piece in pieces if piece]


class Money(float):
    """An amount of money with `size` as its unit, which English texts name beside the number.

    Other languages write it in the unit that keeps the number short, as everywhere else.

    Examples
    --------
    >>> gap = Message("{amount} million RMB more of capital are given", {"amount": Millions(250)})
    >>> str(gap), gap.text(words("zh"))
    ('250 million RMB more of capital are given', '增加建设资金2.50亿元')
    """

    size = 1.0


class Millions(Money):
    """An amount of money in millions."""

    size = 1e6


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
    arguments: Mapping[str, Value] = field(default_factory=dict, hash=False)

    def filled(self, **values: Value) -> Message:
        """Return the message with further values."""
        return Message(self.msgid, {**self.arguments, **values})

    def text(self, say: Words) -> str:
        """Write the message in a language."""
        text = say(self.msgid, **{key: _text(key, one, say) for key, one in self.arguments.items()})
        return text[:1].upper() + text[1:] if self.msgid.endswith(".") else text

    def __str__(self) -> str:
        return self.text(words("en"))


def told(error: BaseException, say: Words) -> str:
    """Write what an error says in a language, where it is a `Message`; else as it stands.

    Examples
    --------
    >>> told(ValueError(Message("no rows")), words("zh")), told(ValueError("x"), words("zh"))
    ('无数据', 'x')
    """
    first = error.args[0] if error.args else None
    return first.text(say) if isinstance(first, Message) else str(error)


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
    if isinstance(value, Money) and say.lang != "en":
        return say.money(value.size * value)
    if isinstance(value, float):
        return say.amount(value)
    if place == "target":
        return _target(str(value), say)
    return say.name(str(value)) if place in NAMED else str(value)


def _target(name: str, say: Words) -> str:
    """Name a target by its rule and, where it has one, its year."""
    if name == "placement-compulsory":
        return say("every child of compulsory age placed")
    rule, _, year = name.rpartition("-")
    if len(year) == 4 and year.isdigit() and rule and not name.startswith("programme-"):
        return f"{say.rule(rule)} {year}"
    return say.rule(name)
