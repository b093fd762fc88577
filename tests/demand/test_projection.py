"""Projections worked out by hand."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from demand_tables import births, city, pupils

from capsim import ScenarioError, project
from capsim.demand import METHODS, birth_variant, by_sector
from capsim.i18n.language import words
from capsim.scenario.settings import FORECASTING

GRADES = [str(grade) for grade in range(1, 7)]
YEARS = range(2012, 2022)


def test_births_of_two_years_enter_together() -> None:
    """Children of 6 on 1 September 2022: a third of the births of 2015, two thirds of 2016."""
    born = births(300)
    born.loc[born["year"] == 2016, "births"] = 600
    now = pupils({("A", grade, 2021): 300 for grade in GRADES})
    found = project(city(births=born, pupils=now))
    assert found.population[0, 0].tolist() == [300, 500, 400, 300]
    assert found.pupils[0, 0] == pytest.approx([300, 500, 400, 300])
    assert found.pupils[0, 1] == pytest.approx([300, 300, 500, 400])
    assert any("ratio is known" in note for note in found.notes)
    assert [one.text(words("zh")) for one in found.findings] != []
    for one in found.findings:
        assert not re.search("[A-Za-z]{2,} [A-Za-z]{2,}", one.text(words("zh")))


def test_entry_rate_is_pupils_over_children() -> None:
    now = pupils({("A", grade, year): 270 for grade in GRADES for year in (2020, 2021)})
    found = project(city(births=births(300), pupils=now))
    assert found.pupils == pytest.approx(270)


def test_entry_rates_that_shift_are_smoothed_by_hand() -> None:
    """Of 100 children 80, 80, then 90 came: 0.36 x 80 + 0.24 x 80 + 0.4 x 90 = 84."""
    came = {2019: 80.0, 2020: 80.0, 2021: 90.0}
    now = pupils({("A", g, y): came[y] if g == "1" else 80.0 for g in GRADES for y in came})
    assert project(city(births=births(100), pupils=now)).pupils[0, 0, 1:] == pytest.approx(84)


@pytest.mark.slow
def test_a_shift_of_entry_rates_goes_on_and_fades() -> None:
    """The rate rises by 2 % a year over nine years."""
    rate = {y: 0.7 * 1.02 ** (y - 2013) for y in range(2013, 2022)}
    now = pupils({("A", g, y): 1000 * rate[y] for g in GRADES for y in rate})
    found = project(city(births=births(1000), pupils=now)).pupils[0, 0, 1:]
    level = rate[2013]
    for year in range(2014, 2022):
        level = 0.4 * rate[year] + 0.6 * level
    onward = np.log(1.02) * np.cumsum(0.8 ** np.arange(1, 4))
    assert found == pytest.approx(1000 * level * np.exp(onward), rel=1e-9)


@pytest.mark.slow
def test_without_births_entry_follows_its_trend() -> None:
    """Entrants fall by 5 % a year; the last is carried on by 5 % x 0.6, 0.36, 0.216."""
    now = pupils({("A", g, y): 1000 * 0.95 ** (y - int(g)) for g in GRADES for y in YEARS})
    found = project(city(pupils=now))
    fall = np.log(0.95) * np.cumsum(0.6 ** np.arange(1, 4))
    assert found.pupils[0, 0, 1:] == pytest.approx(found.pupils[0, 0, 0] * np.exp(fall))
    assert found.pupils[0, 2, 2] == pytest.approx(found.pupils[0, 0, 0])
    assert any("a trend of -5.1 % a year that fades" in note for note in found.notes)


@pytest.mark.slow
def test_chance_is_no_trend_of_entry() -> None:
    rng = np.random.default_rng(3)
    rows = {("A", g, y): float(rng.poisson(100)) for g in GRADES for y in YEARS}
    found = project(city(pupils=pupils(rows), last_year=2031)).pupils[0, 0]
    mean = np.mean([rows["A", "1", y] for y in range(2019, 2022)])
    assert found[1:] == pytest.approx(mean, rel=0.05)


def test_a_closed_city_stays_as_it_is() -> None:
    now = pupils({(a, g, y): 80 for a in "AB" for g in GRADES for y in range(2015, 2022)})
    assert project(city("AB", pupils=now)).pupils == pytest.approx(80)


def test_cohorts_shrink_by_their_ratio() -> None:
    table = {
        ("A", grade, year): 1000 * 0.9**at
        for at, grade in enumerate(GRADES)
        for year in (2020, 2021)
    }
    found = project(city(births=births(1000), pupils=pupils(table)))
    assert found.pupils[0, :, 3] == pytest.approx([1000 * 0.9**at for at in range(6)])


def test_a_year_without_births_leaves_a_gap_that_moves_up() -> None:
    born = births(300)
    born.loc[born["year"].isin([2015, 2016]), "births"] = 0
    now = pupils({("A", grade, 2021): 300 for grade in GRADES} | {("A", "1", 2021): 100})
    found = project(city(births=born, pupils=now, last_year=2027)).pupils[0]
    assert found[0, :4] == pytest.approx([100, 0, 200, 300])
    assert [found[at, at + 1] for at in range(6)] == pytest.approx([0] * 6)


def test_given_numbers_replace_and_feed_the_projection() -> None:
    now = pupils({("A", grade, 2021): 300 for grade in GRADES})
    given = pd.DataFrame({"area": ["A"], "grade": ["1"], "school_year": [2022], "pupils": [111.0]})
    found = project(city(births=births(300), pupils=now, forecast=given)).pupils[0]
    assert [found[0, 1], found[1, 2], found[2, 3]] == pytest.approx([111] * 3)
    assert found[1, 1] == pytest.approx(300)


def test_a_forecast_alone_is_enough() -> None:
    rows = [("A", grade, year, 50.0) for grade in GRADES for year in (2022, 2023, 2024)]
    given = pd.DataFrame(rows, columns=["area", "grade", "school_year", "pupils"])
    found = project(city(forecast=given))
    assert found.pupils[..., 1:] == pytest.approx(50)
    assert found.pupils[..., 0] == pytest.approx(0)
    assert any("taken: none" in note for note in found.notes)


def test_migration_and_dwellings_add_children_who_stay() -> None:
    now = pupils({("A", grade, 2021): 60 for grade in GRADES})
    moving = pd.DataFrame({"area": ["A"], "grade": ["2"], "school_year": [2022], "pupils": [-7.0]})
    homes = pd.DataFrame(
        {"area": ["A"], "year": [2023], "dwellings": [100], "pupils_per_dwelling": [0.3]}
    )
    found = project(city(births=births(60), pupils=now, migration=moving, dwellings=homes)).pupils[
        0
    ]
    assert found[:, 1] == pytest.approx([60, 53, 60, 60, 60, 60])
    assert found[:, 2] == pytest.approx([65, 65, 58, 65, 65, 65])
    assert found[1:, 3] == pytest.approx([65, 65, 58, 65, 65])


def test_no_more_can_leave_than_there_are() -> None:
    now = pupils({("A", grade, 2021): 60 for grade in GRADES})
    moving = pd.DataFrame({"area": ["A"], "grade": ["2"], "school_year": [2022], "pupils": [-90.0]})
    found = project(city(births=births(60), pupils=now, migration=moving))
    assert [found.pupils[0, 1, 1], found.pupils[0, 2, 2]] == [0, 0]
    assert any("net migration leaves nobody in 1 cells" in note for note in found.notes)


def test_villages_feed_the_towns_junior_school() -> None:
    rows = {("V", "6", y): 90.0 for y in range(2018, 2022)}
    rows |= {("T", "6", y): 10.0 for y in range(2018, 2022)}
    rows |= {("T", "7", y): 100.0 for y in range(2018, 2022)}
    made = city(
        {"V": "C", "T": "C"},
        pupils=pupils(rows),
        births=births(0, area="V"),
        settings={
            "stages": {"planned": ["primary", "junior"], "compulsory": ["primary", "junior"]}
        },
    )
    found = project(made)
    seventh = found.grades.index("7")
    assert found.pupils[:, seventh, 1].tolist() == pytest.approx([0, 100])
    assert any("by county" in note for note in found.notes)


def test_gross_enrolment_is_reached_over_the_whole() -> None:
    now = pupils({(a, g, 2021): n for a, n in (("A", 8000), ("B", 4000)) for g in GRADES})
    born = pd.concat([births(10_000), births(10_000, area="B")])
    settings = {"demand": {"gross_enrolment": {"primary": 0.66}}}
    found = project(city("AB", births=born, pupils=now, settings=settings))
    assert found.pupils[:, :, 1:].sum() == pytest.approx(0.66 * 20_000 * 6 * 3)
    assert found.pupils[0, 0, 1] == pytest.approx(2 * found.pupils[1, 0, 1], rel=0.01)
    assert found.pupils[..., 0].sum() == 72_000


def test_pupils_elsewhere_are_enrolled_but_not_planned() -> None:
    now = pupils({("A", g, 2021): 6000 for g in GRADES})
    settings = {"demand": {"gross_enrolment": {"primary": 0.9}, "elsewhere": {"primary": 0.25}}}
    found = project(city(births=births(10_000), pupils=now, settings=settings))
    assert found.pupils[:, :, 1:].sum(axis=(0, 1)) == pytest.approx(0.9 * 0.75 * 10_000 * 6)


def test_births_that_end_are_held_and_said_so() -> None:
    now = pupils({("A", grade, 2021): 300 for grade in GRADES})
    found = project(city(births=births(300, last=2016), pupils=now, last_year=2030))
    assert found.pupils == pytest.approx(300)
    assert any("held at their last known" in note for note in found.notes)


def test_draws_are_reproducible_and_centred() -> None:
    now = pupils({("A", g, y): 300 for g in GRADES for y in (2020, 2021)})
    made = city(births=births(300), pupils=now, last_year=2030)
    found = project(made, draws=500, seed=4)
    assert found.draws is not None
    assert found.draws.shape == (500, 1, 6, 10)
    assert (found.draws[..., 0] == 300).all()
    assert found.draws.mean(0) == pytest.approx(found.pupils, rel=0.02)
    again = project(made, draws=100, seed=4).draws
    assert again is not None
    assert (again == found.draws[:100]).all()
    assert {"p10", "p90"} < set(found.frame().columns)
    assert not found.pupils.flags.writeable


@pytest.mark.slow
def test_with_enough_years_the_spread_is_measured() -> None:
    rng = np.random.default_rng(1)
    areas = "ABCDEFGH"
    rows = {
        (a, g, y): float(rng.poisson(60)) for a in areas for g in GRADES for y in range(2008, 2022)
    }
    measured = project(city(areas, pupils=pupils(rows)), draws=200, seed=1)
    assert any("methods combined by their errors" in note for note in measured.notes)
    assert measured.draws is not None
    relative = (measured.draws / measured.pupils).std(0)[..., 1]
    assert np.median(relative) == pytest.approx(np.sqrt(2 / 60), rel=0.35)
    given = city(areas, pupils=pupils(rows), settings={"uncertainty": {"area_sd": 0.02}})
    assert project(given).spread.area == pytest.approx(0.02)


@pytest.mark.slow
def test_measured_draws_are_joint_and_grow_with_the_lead_and_shrink_with_size() -> None:
    """Chance of single children, and a city whose children leave or come, all areas alike."""
    rng = np.random.default_rng(6)
    size = {area: 40.0 if area in "ABCDEF" else 4000.0 for area in "ABCDEFGHIJKL"}
    now, rows = {area: np.full(6, n) for area, n in size.items()}, {}
    for year in range(2002, 2022):
        moved = np.exp(rng.normal(0, 0.02))
        for area, n in size.items():
            mean = np.r_[n, now[area][:-1] * moved]
            now[area] = rng.poisson(mean).astype(float)
            rows |= {(area, g, year): now[area][at] for at, g in enumerate(GRADES)}
    made = city("ABCDEFGHIJKL", pupils=pupils(rows), last_year=2026)
    found = project(made, draws=2000, seed=1)
    assert found.draws is not None
    ratio = found.draws / found.pupils
    wide = ratio.std(0)[..., 1:]
    for alike in (wide[:6].mean((0, 1)), wide[6:].mean((0, 1))):
        assert (alike[1:] > 0.98 * alike[:-1]).all()
        assert alike[-1] > 1.5 * alike[0]
    assert (wide[:6].min((0, 1)) > 2 * wide[6:].max((0, 1))).all()
    total = found.draws.sum(2) / found.pupils.sum(1)
    across_areas = np.corrcoef(total[:, 6:, 3].T)[np.triu_indices(6, 1)]
    assert across_areas.min() > 0.2
    across_grades = np.corrcoef(ratio[:, 8, 1:, 3].T)[np.triu_indices(5, 1)]
    assert across_grades.min() > 0.2
    across_years = np.corrcoef(total[:, 8, 1:].T)[np.triu_indices(5, 1)]
    assert across_years.min() > 0.2


def test_a_method_that_does_not_exist_is_named() -> None:
    now = pupils({("A", grade, 2021): 300 for grade in GRADES})
    for wrong in ("guess", "no change", "0-year mean"):
        expected = rf"demand\.method: '{wrong}' where one of K-year mean .*, auto, smoothed"
        with pytest.raises(ScenarioError, match=expected):
            city(pupils=now, settings={"demand": {"method": wrong}})
    assert set(FORECASTING) == {"auto", *METHODS} - {"no change", "3-year mean"}
    with pytest.raises(ValueError, match="draws must be 0 or more"):
        project(city(pupils=now), draws=-1)


def test_any_number_of_years_and_any_alpha_may_be_asked_for() -> None:
    """Of 100 in grade 1 there came 50, 60, 70, 80 a year later; entry is 100."""
    second = {2018: 50.0, 2019: 60.0, 2020: 70.0, 2021: 80.0}
    rows = {("A", "1", y): 100.0 for y in range(2017, 2022)}
    rows |= {("A", "2", y): n for y, n in second.items()} | {("A", "2", 2017): 50.0}

    def ahead(**demand: object) -> float:
        made = city(births=births(100), pupils=pupils(rows), settings={"demand": demand})
        return float(project(made).pupils[0, 1, 1]) / float(_whole_ratio(second))

    assert ahead(method="2-year mean") == pytest.approx(1)
    assert ahead(method="smoothed", alpha=0.5) == pytest.approx(1)


def _whole_ratio(second: dict[int, float]) -> float:
    return sum(second.values()) / len(second)


def test_variants_of_births_open_with_the_years() -> None:
    now = pupils({("A", grade, 2021): 300 for grade in GRADES})
    made = city(births=births(300), pupils=now, last_year=2033)
    low, high = (project(birth_variant(made, name)).pupils[0, 0] for name in ("low", "high"))
    plain = project(birth_variant(made, "principal")).pupils[0, 0]
    assert low[:7] == pytest.approx(plain[:7])
    assert (low[8:] < plain[8:]).all()
    assert (high - plain)[8:] == pytest.approx((plain - low)[8:])
    assert (np.diff(plain - low)[7:] > 0).all()
    with pytest.raises(ValueError, match="low, principal, high"):
        birth_variant(made, "middle")


def test_sectors_add_up_and_respect_admission_plans() -> None:
    rows = {("A", g, y): 70 for g in GRADES for y in range(2018, 2022)}
    private = dict.fromkeys(rows, 30)
    schools = pd.DataFrame(
        {
            "school": ["P"],
            "stage": ["primary"],
            "area": ["A"],
            "sector": ["private"],
            "places": [300],
            "pupils": [180],
            "admission_plan": [12],
        }
    )
    table = pd.concat([pupils(rows), pupils(private, "private")])
    made = city(births=births(100), pupils=table, schools=schools)
    demand = project(made)
    found = by_sector(made, demand)
    assert found.pupils.sum(0) == pytest.approx(demand.pupils, abs=1e-9)
    assert found.pupils[1, 0, 0] == pytest.approx([30, 12, 12, 12])
    assert found.pupils[1, 0, 1] == pytest.approx([30, 30, 12, 12])
    assert found.refused[0, 0, 1:] == pytest.approx(18)
    assert found.transfers == pytest.approx(0)
    assert found.frame()["pupils"].sum() == pytest.approx(demand.pupils.sum())
