"""Explanations say the same in Chinese: every rule, gap and cure has its words."""

import re

import pytest
from infeasible_cities import CASES

import capsim
from capsim.i18n.language import words
from capsim.report.narrative import explained
from capsim.report.screen import reasons_text

DAYS = re.compile(r"\d+月\d+日|\d+ (September|December)")


def numbers(text: str) -> list[str]:
    """Numbers of a sentence in any order, but for days and months."""
    return sorted(re.findall(r"[\d,.]*\d", DAYS.sub("", text)))


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_explanation_is_chinese_with_the_same_numbers(name):
    plan = capsim.optimize(CASES[name].make(), threads=1)
    why = plan.explain()
    assert why is not None
    for english, chinese in zip(why.sentences, explained(why.messages, words("zh")), strict=True):
        names = set(re.findall(r"[A-Za-z]+", chinese))
        assert names <= set(re.findall(r"[A-Za-z]+", english)), chinese
        assert not names & {"the", "of", "are", "is", "and", "in", "places", "county"}, chinese
        assert numbers(chinese) == numbers(english), chinese
    text = reasons_text(plan, why, None, lang="zh")
    assert "目标" in text or "没有方案" in text
