"""Explanations say the same in Chinese: every rule, gap and cure has its words."""

import re

import numpy as np
import pandas as pd
import pytest
from infeasible_cities import CASES

import capsim
from capsim.i18n.language import words
from capsim.report.narrative import explained, price_sentences
from capsim.report.screen import reasons_text

DAYS = re.compile(r"\d+月\d+日|\d+ (September|December)")


MONEY = re.compile(r"([\d,.]*\d)\s?(million RMB|billion RMB|万元|亿元)")
SIZES = {"million RMB": 1e6, "billion RMB": 1e9, "万元": 1e4, "亿元": 1e8}


def numbers(text: str) -> list[str]:
    """Numbers of a sentence in any order, but for days, months and large amounts of money."""
    return sorted(re.findall(r"[\d,.]*\d", MONEY.sub("", DAYS.sub("", text))))


def money(text: str) -> list[float]:
    """Large amounts of money of a sentence, RMB, from the least: each language has its unit."""
    found = MONEY.findall(text)
    return sorted(float(number.replace(",", "")) * SIZES[unit] for number, unit in found)


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
        # Two decimals of a million are 5,000 RMB at most beside what there is.
        assert money(chinese) == pytest.approx(money(english), rel=0.005, abs=5_001), chinese
    text = reasons_text(plan, why, None, lang="zh")
    assert "目标" in text or "没有方案" in text


@pytest.mark.parametrize(
    ("kind", "row", "english", "chinese"),
    [
        (
            "programme",
            {"one_more_cny": 23.7e6, "one_less_cny": np.inf, "more_units": 1.0},
            "one project less (2022): 23.7 million RMB, for this one alone; with one more there is"
            " no plan",
            "，仅此一个有效；增加一单位则没有方案",
        ),
        (
            "place",
            {"one_more_cny": 0.0, "one_less_cny": 5000.0, "more_units": np.inf},
            "one more place (2022) saves nothing; one less costs 5,000 RMB",
            "：不节省费用；",
        ),
        (
            "land",
            {"one_more_cny": 9000.0, "one_less_cny": 9000.0, "more_units": 10.5},
            "for the first 10.5 mu",
            "前10.5亩以内有效",
        ),
        (
            "capital",
            {"one_more_cny": 1.5, "one_less_cny": 1.5, "more_units": 2.4e6},
            "for the first 2.4 million RMB",
            "前240.0万元以内有效",
        ),
        (
            "place",
            {"one_more_cny": 9000.0, "one_less_cny": 9000.0, "more_units": 10.5},
            "for the first 10",
            "前10个单位内有效",
        ),
    ],
)
def test_a_price_says_its_unit_and_its_other_side(kind, row, english, chinese):
    whole = {"kind": kind, "area": "", "county": "", "stage": "", "name": "", "year": 2022, **row}
    table = pd.DataFrame([whole])
    (said,) = price_sentences(table, words("en"))
    assert english in said
    (said,) = price_sentences(table, words("zh"))
    assert chinese in said
