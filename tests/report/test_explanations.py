"""Explanations say the same in Chinese: every rule, gap and cure has its words."""

import re

import numpy as np
import pandas as pd
import pytest
from infeasible_cities import CASES
from tiny_cases import school, town

import capsim
from capsim.i18n.language import words
from capsim.report.figures.places import TERMS
from capsim.report.narrative import explained, mix, price_sentences
from capsim.report.screen import answer, reasons_text
from capsim.report.summary import summarize

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


def test_an_answer_tells_why_children_are_left_out_and_where():
    """One county of one area with 100 places for 120: no limit binds, but places do."""
    plan = capsim.optimize(town(children=(120,), schools=[school("P", "public", 100, 100)]))
    why = plan.explain()
    assert why is not None
    text = answer(plan, summarize(plan, seed=1, timings_s={}), None, why)
    assert "2022 (town 20)" in text
    flat = " ".join(text.split())
    assert all(sentence in flat for sentence in why.sentences)
    assert "no limit: only the places there are, and what more would cost" in flat
    assert "cost alone decides" not in flat


def test_shares_of_a_fall_are_of_one_that_its_terms_make_up():
    """100 private pupils fewer of 200 and 300 in public seats more, not 300 %."""
    schools = [school("P", "public", 500, 100), school("M", "private", 200, 200)]
    plan = capsim.optimize(town(children=(300,), schools=schools))
    summary = summarize(plan, seed=1, timings_s={})
    terms = {name: 0.0 for name in summary["reduction"] if name != "total"}
    first, second = [name for name in terms if name in TERMS][:2]
    undone = {**terms, first: 300.0, second: -200.0, "total": 100.0}
    made_up = {**terms, first: 60.0, second: 40.0, "total": 100.0}
    say = words("en")
    (head, *_), (other, *_) = (
        mix(plan, {**summary, "reduction": row}, say) for row in (undone, made_up)
    )
    assert [part.endswith("%)") for part in (*head.parts, *other.parts)] == [False] * 2 + [True] * 2


def test_years_of_prices_are_whole_without_a_cap():
    schools = [school("P", "public", 100, 100)]
    prices = capsim.optimize(town(children=(110,), schools=schools)).prices()
    assert prices.table["year"].dtype == np.int64
