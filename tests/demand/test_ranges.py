"""Schools that open, close or change their grades, and ratios that do not exist."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from demand_tables import births, city, pupils
from hypothesis import given, settings
from hypothesis import strategies as st

from capsim import project
from capsim.demand import METHODS, forecast
from capsim.demand.cohort import crossing, other_range, untaught, whole_index

GRADES = [str(grade) for grade in range(1, 7)]
YEARS = range(2014, 2022)
BORN = pd.concat([births(30), births(30, area="B")])


def steady(areas: str = "AB", number: float = 30.0) -> dict[tuple[str, str, int], float]:
    return {(a, g, y): number for a in areas for g in GRADES for y in YEARS}


def test_a_grade_that_was_closed_is_not_forecast() -> None:
    """Nobody took the children in: they have left, and nothing is moved to the other area."""
    rows = steady() | {("A", "6", 2021): 0.0}
    found = project(city("AB", pupils=pupils(rows), births=BORN))
    assert found.pupils[0, 5].tolist() == [0, 0, 0, 0]
    assert found.pupils[1] == pytest.approx(30)
    assert any("grades opened or closed in the last years: A 6" in note for note in found.notes)


@pytest.mark.parametrize("since", [2019, 2020, 2021])
def test_a_grade_that_moved_to_a_neighbour_stays_there(since: int) -> None:
    rows = steady()
    for year in range(since, 2022):
        rows |= {("A", "6", year): 0.0, ("B", "6", year): 60.0}
    found = project(city("AB", pupils=pupils(rows), births=BORN))
    assert found.pupils[0, 5, 1:] == pytest.approx(0)
    assert found.pupils[1, 5, 1:] == pytest.approx(60)
    assert found.pupils[:, :5] == pytest.approx(30)


@pytest.mark.parametrize("known", [True, False])
def test_a_school_that_closed_whole_stays_closed(known: bool) -> None:
    """With births or without them: its children are those of the school that took them in."""
    rows = steady()
    for grade in GRADES:
        rows |= {("A", grade, 2021): 0.0, ("B", grade, 2021): 60.0}
    parts = {"births": BORN} if known else {}
    found = project(city("AB", pupils=pupils(rows), last_year=2029, **parts))
    assert found.pupils[0, :, 1:] == pytest.approx(0)
    if known:
        assert found.pupils[1] == pytest.approx(60)
    else:
        assert found.pupils[1, 0, 1] == pytest.approx(60)


def test_a_school_that_opened_grows_with_its_cohorts() -> None:
    """Its entry is its share of the county's children, its upper grades open one by one."""
    rows = steady("A")
    rows |= {("B", grade, 2021): 20.0 for grade in ("1", "2")}
    born = pd.concat([births(30), births(20, area="B")])
    found = project(city("AB", pupils=pupils(rows), births=born, last_year=2025))
    assert found.pupils[0] == pytest.approx(30)
    expected = [[20, 20, 20, 20, 20], [20, 20, 20, 20, 20], [0, 20, 20, 20, 20]]
    assert found.pupils[1, :3] == pytest.approx(np.array(expected))
    assert found.pupils[1, 5].tolist() == pytest.approx([0, 0, 0, 0, 20])
    assert any("never observed (grades 3): the others' ratio" in note for note in found.notes)


@pytest.mark.slow
def test_an_area_that_never_taught_a_grade_has_nobody_in_it() -> None:
    """Grade 7 of the town is a fifth above its own grade 6: villagers, who stay out of theirs."""
    rows = {(a, "6", y): n for a, n in (("T", 100.0), ("V", 20.0)) for y in YEARS}
    rows |= {("T", "7", y): 120.0 for y in YEARS}
    both = ["primary", "junior"]
    made = city(
        {"T": "C", "V": "C"},
        pupils=pupils(rows),
        settings={"stages": {"planned": both, "compulsory": both}},
    )
    found = project(made)
    seventh = found.grades.index("7")
    assert found.pupils[:, seventh, 1].tolist() == pytest.approx([120, 0])


def test_nobody_below_is_no_infinite_ratio() -> None:
    rows = steady("A")
    for year in YEARS:
        rows["A", "3", year] = 0.0
    found = project(city(pupils=pupils(rows), births=births(30)))
    assert found.pupils[0, 2].tolist() == [0, 0, 0, 0]
    assert found.pupils[0, 3] == pytest.approx(30)
    assert any("1 ratios cannot be formed" in note for note in found.notes)
    assert np.isfinite(found.pupils).all()


def test_a_grade_that_has_just_got_a_grade_below_follows_it() -> None:
    """Grade 4 stood without grade 3, which opened in the last year with 12 children."""
    rows = steady("A")
    for year in YEARS:
        rows["A", "3", year] = 12.0 if year == 2021 else 0.0
    found = project(city(pupils=pupils(rows), births=births(30)))
    assert found.pupils[0, 3, 1] == pytest.approx(12)


def test_a_small_grade_empty_by_chance_is_not_closed() -> None:
    rng = np.random.default_rng(4)
    rows = steady("A") | {("B", g, y): float(rng.poisson(2)) for g in GRADES for y in YEARS}
    found = project(city("AB", pupils=pupils(rows), births=BORN))
    assert not any("opened or closed" in note for note in found.notes)
    assert not any("cannot be formed" in note for note in found.notes)


def test_years_with_another_range_do_not_say_how_children_are_shared_out() -> None:
    above = np.array([[[30.0, 0.0, 0.0]], [[30.0, 50.0, 48.0]], [[30.0, 40.0, 42.0]]])
    below = np.full((3, 1, 3), 30.0)
    together, share, _ = crossing(above, below, np.array([0, 0, 0]))
    assert together.all()
    assert share.ravel() == pytest.approx([0, 98 / 180, 82 / 180])
    assert other_range(above)[0, 0].tolist() == [True, False, False]
    assert untaught(above, below).ravel().tolist() == [False, False, False]
    assert untaught(above[..., 1:], below[..., 1:]).ravel().tolist() == [True, False, False]


def test_years_that_were_not_observed_change_no_range() -> None:
    above = np.array([[[np.nan, 30.0, 30.0]]])
    assert not other_range(above).any()
    together, *_ = crossing(above, np.full((1, 1, 3), 30.0), np.array([0]))
    assert not together.any()


@pytest.mark.slow
@pytest.mark.parametrize("years", [YEARS, range(2018, 2022)])
def test_a_town_with_nothing_but_a_junior_school_is_fed_by_the_villages(years: range) -> None:
    """Nine tenths of the villages' grade 6 come into the town's grade 7, which has no grade 6."""
    size = {y: 100.0 + 10 * (y % 3) for y in range(2010, 2022)}
    rows = {("V", "6", y): size[y] for y in years}
    rows |= {("T", "7", y): 0.9 * size[y - 1] for y in years}
    stages = {"planned": ["primary", "junior"], "compulsory": ["primary", "junior"]}
    usual, auto = (
        project(
            city(
                {"T": "C", "V": "C"},
                pupils=pupils(rows),
                settings={"stages": stages, "demand": {"method": method}},
            )
        )
        for method in ("hierarchical", "auto")
    )
    found = usual
    seventh = found.grades.index("7")
    # What is combined with it, from years when nobody knew that the town is fed so, hardly tells.
    assert auto.pupils[0, seventh, 1] == pytest.approx(0.9 * size[2021], rel=0.01)
    assert found.pupils[0, seventh, 1] == pytest.approx(0.9 * size[2021])
    assert found.pupils[1, seventh, 1] == 0


@pytest.mark.parametrize("opened", [2018, 2021])
def test_a_large_school_that_opens_is_no_trend_of_the_others(opened: int) -> None:
    """C is twenty times as large as A and B, in another county, and opens its second grade."""
    rows = {
        (a, g, y): n
        for a, n in (("A", 30.0), ("B", 30.0), ("C", 600.0))
        for g in GRADES
        for y in YEARS
    }
    for year in range(2014, opened):
        rows["C", "2", year] = 0.0
    born = pd.concat([births(n, area=a) for a, n in (("A", 30), ("B", 30), ("C", 600))])
    made = city({"A": "X", "B": "X", "C": "Y"}, pupils=pupils(rows), births=born, last_year=2028)
    found = project(made)
    assert found.pupils[:2] == pytest.approx(30)
    assert found.pupils[2] == pytest.approx(600)


def test_a_grade_whose_feeder_closed_is_entered_from_outside() -> None:
    """C lost its grade 2 two years ago and goes on teaching 600 in grade 3; B has 2 in each."""
    rows = {("C", g, y): 600.0 for g in GRADES for y in YEARS}
    rows |= {("C", "2", y): 0.0 for y in (2020, 2021)}
    rows |= {("B", g, y): 2.0 for g in GRADES for y in YEARS}
    born = pd.concat([births(n, area=a) for a, n in (("B", 2), ("C", 600))])
    found = project(city("BC", pupils=pupils(rows), births=born, last_year=2028))
    assert found.pupils[1, 1].tolist() == [0] * 8
    assert found.pupils[1, 2:] == pytest.approx(600, rel=0.01)
    assert found.pupils[0].max() < 5


@pytest.mark.slow
@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_random_openings_closures_and_gaps_are_forecast_within_reason(seed: int) -> None:
    """No method gives a number that is not finite, negative or far above all that was seen."""
    rng = np.random.default_rng(seed)
    areas, grades, years = rng.integers(1, 6), rng.integers(1, 5), rng.integers(4, 16)
    size = 10 ** rng.uniform(0, 3, (areas, 1, 1))
    seen = rng.poisson(size * np.ones((areas, grades, years))).astype(float)
    for _ in range(rng.integers(0, 5)):
        area, grade, year = rng.integers(areas), rng.integers(grades), rng.integers(years)
        match rng.integers(5):
            case 0:
                seen[area, grade, year:] = 0
            case 1:
                seen[area, grade, :year] = 0
            case 2:
                seen[area, :, year] = np.nan
            case 3:
                seen[area, :, :year] = np.nan
            case _:
                seen[area, grade] = 0
    county = np.unique(rng.integers(0, 3, areas), return_inverse=True)[1]
    there = np.isfinite(seen[..., -1]).any(1)
    for name, method in METHODS.items():
        for reconcile in ("bottom-up", "top-down", "minimum-trace"):
            found = forecast(seen, 5, replace(method, reconcile=reconcile), county)
            assert np.isnan(found[~there]).all()
            assert np.isfinite(found[there]).all()
            assert (found[there] >= 0).all()
            if name == "hierarchical":
                assert found[there].max(initial=0) < 4 * max(np.nanmax(seen, initial=0), 3)


def test_a_gap_of_a_large_area_is_no_growth_of_the_whole():
    """B grows from 0 to 4 while A, of 200, is not observed: the whole grew by 4 of 200."""
    seen = np.array([[[200.0, 200.0, np.nan, 200.0]], [[0.0, 0.0, 4.0, 4.0]]])
    assert whole_index(seen)[0] == pytest.approx([200 / 204, 200 / 204, 1.0, 1.0])
