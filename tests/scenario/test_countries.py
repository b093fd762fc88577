"""Countries: their stages, money and prices; no price of one stands in a plan of another."""

from __future__ import annotations

import pandas as pd
import pytest

import capsim
from capsim.i18n.language import words
from capsim.model.constraints.capacity import chords
from capsim.scenario.school_stages import COSTS, stages, standards

YEARS = (2021, 2022, 2023)


def tables(grades: tuple[str, ...], stage: str) -> dict[str, pd.DataFrame]:
    areas = pd.DataFrame({"area": ["n", "s"], "county": ["c", "c"]})
    rows = [(a, "public", g, year, 50) for a in "ns" for g in grades for year in YEARS]
    columns = ["area", "sector", "grade", "school_year", "pupils"]
    total = 50 * len(grades)
    schools = pd.DataFrame(
        {
            "school": ["N", "S"],
            "stage": stage,
            "area": ["n", "s"],
            "sector": "public",
            "places": [total + 20, total - 20],
            "pupils": total,
        }
    )
    return {"areas": areas, "pupils": pd.DataFrame(rows, columns=columns), "schools": schools}


def settings(country: str, **costs: float) -> dict[str, object]:
    return {
        "name": "t",
        "country": country,
        "horizon": {"base_year": 2023, "last_year": 2025},
        "costs": {"discount_rate": 0.04, **costs},
        "travel": {"within_county": True},
    }


ELEMENTARY = tables(("K", "1", "2", "3", "4", "5"), "elementary")


def test_grades_and_ages_of_the_countries():
    england, usa = stages("england"), stages("usa")
    assert england["primary"].grades == ("R", "1", "2", "3", "4", "5", "6")
    assert [one.entry_age for one in england.values()] == [4, 11, 16]
    assert usa["elementary"].grades[0] == "K"
    assert [one.entry_age for one in usa.values()] == [5, 11, 14]
    assert england["primary"].class_size == 30
    assert stages("none") == {}


@pytest.mark.parametrize("country", ["england", "usa"])
def test_no_price_is_built_in_but_for_china(country):
    for name, part in standards(country).items():
        assert not [key for key in part if "cny" in key], name


def test_prices_that_are_not_given_are_asked_for():
    with pytest.raises(capsim.ScenarioError) as error:
        capsim.Scenario.from_tables(settings("usa"), **ELEMENTARY)
    asked = {fault.column for fault in error.value.faults}
    assert asked == {*(f"costs.{name}" for name in COSTS), "standards.elementary.allowance_cny"}
    assert "USD" in str(error.value)
    assert "costs.borrowed_rate" in str(error.value)
    assert "以USD计的价格" in error.value.text(words("zh"))


def test_borrowed_prices_are_chinas_at_the_rate_and_listed():
    given = capsim.Scenario.from_tables(
        settings("usa", borrowed_rate=0.25, teacher_cny=90_000), **ELEMENTARY
    )
    assert given.settings.costs.hire_cny == 0.25 * 5_000
    assert given.settings.costs.teacher_cny == 90_000
    assert given.stages["elementary"].allowance_cny == 0.25 * 650
    assert set(given.borrowed) == {
        *(f"costs.{name}" for name in COSTS if name != "teacher_cny"),
        "standards.elementary.allowance_cny",
    }
    assert "costs.hire_cny" in str(given.stand_ins[-1])
    rows = given.sources().set_index("what")
    assert rows.loc["costs.hire_cny", ["value", "unit", "mark"]].tolist() == ["1250", "USD", "A"]


def test_prices_of_ones_own_are_not_called_borrowed():
    own = dict.fromkeys(COSTS, 10.0)
    given = settings("usa", **own) | {"standards": {"elementary": {"allowance_cny": 7.0}}}
    scenario = capsim.Scenario.from_tables(given, **ELEMENTARY)
    assert scenario.borrowed == {}
    assert scenario.settings.currency == "USD"


def test_stages_of_ones_own_need_three_numbers_and_prices():
    own = {"grades": ["K", "1"], "entry_age": 5, "class_size": 25}
    given = settings("none", borrowed_rate=0.13)
    given |= {"currency": "EUR", "standards": {"infants": own}}
    scenario = capsim.Scenario.from_tables(given, **tables(("K", "1"), "infants"))
    stage = scenario.stages["infants"]
    assert (stage.class_ceiling, stage.large_class, stage.very_large_class) == (28, 29, 32)
    assert stage.pupils_per_post == 25
    assert scenario.settings.stages.compulsory == ("infants",)
    assert scenario.settings.staff.stages == ("infants",)


def test_the_currency_of_no_country_must_be_said():
    own = {"grades": ["K", "1"], "entry_age": 5, "class_size": 25}
    given = settings("none", borrowed_rate=0.13) | {"standards": {"infants": own}}
    with pytest.raises(capsim.ScenarioError, match="currency: '' where the currency"):
        capsim.Scenario.from_tables(given, **tables(("K", "1"), "infants"))


def test_a_city_in_another_currency_than_chinas_borrows_too():
    city = capsim.generate(areas=2, pupils=1000)
    with pytest.raises(capsim.ScenarioError, match=r"costs\.hire_cny: '' where a price in HKD"):
        city.variant({"currency": "HKD"})
    assert city.hash == city.variant({}).hash


def test_texts_speak_of_the_currency():
    dollars, yuan = words("en", "USD"), words("en")
    assert dollars.money(2e6) == "2.0 million USD"
    assert yuan.money(2e6) == "2.0 million RMB"
    assert words("zh", "GBP").money(2e4) == "2.0万英镑"
    assert words("zh", "USD")("RMB, millions") == "万美元"
    assert dollars("RMB, millions") == "USD, millions"


@pytest.mark.slow
def test_a_report_has_no_rmb_in_it(tmp_path):
    given = capsim.Scenario.from_tables(settings("usa", borrowed_rate=0.25), **ELEMENTARY)
    plan = capsim.optimize(given)
    assert capsim.certify(given, plan).max_violation < 1e-6
    plan.report(tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text("utf-8")
    answer = (tmp_path / "report" / "answer.txt").read_text("utf-8")
    assert "RMB" not in page + answer
    assert "USD" in page
    assert "USD" in answer
    assert "private" not in answer
    heads = [
        one.read_text("utf-8").partition("\n")[0]
        for one in sorted((tmp_path / "report").rglob("*.csv"))
        if "scenario" not in one.parts
    ]
    assert not any("_cny" in head for head in heads)
    assert any("discounted_usd" in head for head in heads)
    assert capsim.load(tmp_path / "report" / "scenario") == given


def test_chords_go_by_the_size_of_a_large_class():
    """A class of 28 is as far above a mean of 22 as one of 56 above a mean of 50."""
    for large, mean in ((56, 50.0), (28, 22.0)):
        level, slope = chords(large, 5.0)
        assert max(0.0, (level + slope * mean).max()) == pytest.approx(0.135666, abs=1e-6)
