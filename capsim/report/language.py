"""What the report says, in English or in Chinese, with numbers as readers of either write them.

Code speaks English; `Words` gives each text in the language asked for, by the one table
`capsim.report.chinese`. A text without an entry there is an error, never silently English. Names
from the data (areas, schools, projects) are nobody's to translate: they come through as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from capsim.report import numbers
from capsim.report.chinese import NAMES, TEXTS

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Words:
    """Texts and numbers in one language; made by `words`."""

    lang: str

    @property
    def code(self) -> str:
        """Language tag of a page (BCP 47)."""
        return "zh-Hans" if self.lang == "zh" else "en"

    @property
    def comma(self) -> str:
        """What stands between parts of a list."""
        return "、" if self.lang == "zh" else ", "

    @property
    def stop(self) -> str:
        """What ends a sentence."""
        return "。" if self.lang == "zh" else "."

    def __call__(self, text: str, **values: Any) -> str:
        """Give a text with its `{values}` filled in.

        Raises
        ------
        KeyError
            The table of texts has no such entry.

        Examples
        --------
        >>> words("zh")("{number} projects open", number=182)
        '182个项目投用'
        """
        if self.lang == "zh":
            text = TEXTS[text]
        return text.format(**values) if values else text

    def name(self, term: str) -> str:
        """Give a word of the data (a stage, a kind, a programme's status); others as they are.

        Examples
        --------
        >>> words("zh").name("junior"), words("en").name("in_use"), words("zh").name("X")
        ('初中', 'in use', 'X')
        """
        if self.lang == "zh":
            return NAMES.get(term, term)
        return term.replace("_", " ") if term in NAMES else term

    def rule(self, rule: object) -> str:
        """Name a rule of the targets in words; a programme by its name.

        Examples
        --------
        >>> words("en").rule("large_classes"), words("zh").rule("programme-build-2022")
        ('large classes', '建设计划 build-2022')
        """
        text = str(rule)
        if self.lang == "en":
            return text.replace("_", " ") if text in NAMES else text
        if text.startswith("programme-"):
            return f"建设计划 {text.removeprefix('programme-')}"
        return NAMES.get(text, text)

    def count(self, number: float) -> str:
        """Persons, places or pieces, whole.

        Examples
        --------
        >>> words("en").count(309800), words("zh").count(309800), words("zh").count(-1200)
        ('309,800', '30.98万', '−1,200')
        """
        if self.lang == "zh" and abs(number) >= 1e4:
            return f"{number / 1e4:,.2f}".rstrip("0").rstrip(".").replace("-", "−") + "万"
        return numbers.count(number)

    def money(self, cny: float) -> str:
        """RMB in the unit that keeps the number short.

        Examples
        --------
        >>> words("en").money(4.61e9), words("zh").money(4.61e9), words("zh").money(253_000)
        ('4.61 bn RMB', '46.10亿元', '25.3万元')
        """
        if self.lang != "zh":
            return numbers.money(cny)
        if abs(cny) >= 1e8:
            text = f"{cny / 1e8:,.2f}亿"
        elif abs(cny) >= 1e4:
            text = f"{cny / 1e4:,.1f}万"
        else:
            text = numbers.count(cny)
        return f"{text}元".replace("-", "−")

    def share(self, fraction: float) -> str:
        """Fraction as a percentage with two decimals."""
        text = numbers.share(fraction)
        return text.replace(" ", "") if self.lang == "zh" else text

    def chance(self, fraction: float) -> str:
        """Probability as a whole percentage.

        Examples
        --------
        >>> words("en").chance(0.66), words("zh").chance(0.66)
        ('66 %', '66%')
        """
        text = numbers.count(100 * fraction)
        return text + ("%" if self.lang == "zh" else " %")

    def joined(self, parts: list[str]) -> str:
        """Put parts of a sentence in a row."""
        return self.comma.join(parts)


def words(lang: str) -> Words:
    """Words of a language, `en` or `zh`.

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
    return Words(lang)
