"""Explanations in the reader's language, of the parts that `capsim.optimize.explain` gives."""

from __future__ import annotations

from collections.abc import Iterable

from capsim.optimize.said import Said, Value, amount_text
from capsim.report.language import Words


def explained(told: Iterable[Said], say: Words) -> list[str]:
    """Give the sentences of an explanation.

    Examples
    --------
    >>> from capsim.report.language import words
    >>> who = Said("county {county}, {stage}", {"county": "C01", "stage": "junior"})
    >>> gap = Said("{who} lacks {amount} posts in {year}", {"who": who, "year": 2022})
    >>> explained([Said("{gap}.", {"gap": gap.filled(amount=12400.0)})], words("zh"))
    ['县区C01初中 2022年缺编制1.24万个。']
    """
    return [_said(one, say) for one in told]


def _said(sentence: Said, say: Words) -> str:
    if say.lang == "en":
        return str(sentence)
    values = {key: _value(key, value, say) for key, value in sentence.values.items()}
    return say(sentence.text, **values)


def _value(key: str, value: Value, say: Words) -> str:
    """Write what stands in a place; stages, floors and targets have names of their own."""
    if isinstance(value, tuple):
        return ("；" if isinstance(value[0], Said) else "、").join(
            _value("", one, say) for one in value
        )
    if isinstance(value, Said):
        return _said(value, say)
    if isinstance(value, float):
        return say.count(value) if value >= 1e4 else amount_text(value)
    if key in ("stage", "floor"):
        return say.name(str(value).replace(" ", "_"))
    return str(value)
