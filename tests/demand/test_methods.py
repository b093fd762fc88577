"""Forecasts of tables that have nothing but pupils."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from capsim.demand import METHODS, Method, forecast
from capsim.demand.cohort import advance, closed, whole_index
from capsim.demand.forecasting import Reconciliation, minimum_trace

NAMES = sorted(METHODS)


@pytest.mark.parametrize("name", NAMES)
def test_a_closed_population_stays(name: str) -> None:
    pupils = np.full((3, 4, 8), 25.0)
    assert forecast(pupils, 5, METHODS[name]) == pytest.approx(25.0)


def test_a_single_cohort_goes_through_all_grades() -> None:
    base = np.array([[7.0, 0.0, 0.0]])
    entry = np.zeros((1, 3, 4))
    entry[:, 1:] = np.nan
    found = advance(base, closed(np.ones((1, 3, 4)), entry))
    assert found[0].T.tolist() == [[7, 0, 0], [0, 7, 0], [0, 0, 7], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("name", ["3-year mean", "smoothed", "hierarchical"])
def test_a_grade_that_doubles(name: str) -> None:
    pupils = np.tile(np.array([10.0, 20.0, 20.0])[None, :, None], (1, 1, 6))
    plain = dataclasses.replace(METHODS[name], entry="held")
    assert forecast(pupils, 3, plain)[0, :, -1] == pytest.approx([10, 20, 20])


def test_a_year_without_entry_leaves_a_gap_that_moves_up() -> None:
    base = np.array([[50.0, 50.0, 50.0]])
    entry = np.full((1, 3, 3), np.nan)
    entry[0, 0] = [0, 40, 40]
    found = advance(base, closed(np.full((1, 3, 3), 0.5), entry))
    assert found[0, :, 1:].T.tolist() == [[0, 25, 25], [40, 0, 12.5], [40, 20, 0]]


def test_a_school_that_closes_a_grade_is_not_forecast_in_it() -> None:
    pupils = np.full((2, 3, 6), 30.0)
    pupils[0, 2, -1] = 0
    found = forecast(pupils, 2, METHODS["hierarchical"])
    assert found[0, 2].tolist() == [0, 0, 0]
    assert found[1, 2] == pytest.approx(30)


def test_a_school_that_opens_a_grade_takes_the_ratio_of_all() -> None:
    pupils = np.tile(np.array([40.0, 40.0, 20.0])[None, :, None], (3, 1, 7))
    pupils[0, 2, :-1] = 0
    found = forecast(pupils, 1, METHODS["hierarchical"])
    assert found[0, 2, 1] == pytest.approx(20)


def test_an_area_that_is_gone_has_no_forecast() -> None:
    pupils = np.full((2, 3, 6), 30.0)
    pupils[0, :, -2:] = np.nan
    for method in METHODS.values():
        found = forecast(pupils, 2, method)
        assert np.isnan(found[0]).all()
        assert found[1] == pytest.approx(30)


def test_an_upper_school_follows_the_cohorts_below_it() -> None:
    """Grade 3 of school B is fed by school A, whose next cohort is half as large."""
    pupils = np.zeros((2, 3, 8))
    pupils[0, 0], pupils[0, 1], pupils[1, 2] = 100, 100, 100
    pupils[0, 0, -1] = pupils[0, 1, -1] = 50
    found = forecast(pupils, 1, METHODS["hierarchical"])
    assert found[1, 2, 1] == pytest.approx(50)
    assert forecast(pupils, 1, METHODS["smoothed"])[1, 2, 1] == pytest.approx(100)


def test_reconciled_areas_add_up_to_the_whole() -> None:
    rng = np.random.default_rng(5)
    pupils = rng.uniform(20, 60, (6, 3, 9))
    county = np.array([0, 0, 1, 1, 2, 2])
    top = forecast(pupils, 3, Method("smooth", reconcile="top-down"), county)
    single = forecast(pupils.sum(0, keepdims=True), 3, Method("smooth"))
    assert top.sum(0) == pytest.approx(single[0])
    middle = forecast(pupils, 3, Method("smooth", reconcile="minimum-trace"), county).sum(0)
    bottom = forecast(pupils, 3, Method("smooth"), county).sum(0)
    low, high = np.minimum(top.sum(0), bottom), np.maximum(top.sum(0), bottom)
    assert (middle[0] >= low[0] - 1e-9).all()
    assert (middle[0] <= high[0] + 1e-9).all()


@pytest.mark.parametrize("counties", [1, 3])
def test_minimum_trace_of_forecasts_is_the_matrix_formula(counties: int) -> None:
    """Forecasts of areas, counties and the whole, each alone, against the dense solution."""
    rng = np.random.default_rng(8)
    county = np.arange(6) % counties
    pupils = rng.uniform(20, 60, (6, 3, 9))
    plain = Method("smooth")
    found = forecast(pupils, 4, dataclasses.replace(plain, reconcile="minimum-trace"), county)
    areas = forecast(pupils, 4, plain, county)
    groups = [np.ones(6), *(county == c for c in range(counties) if counties > 1)]
    above = [forecast(pupils[group > 0].sum(0, keepdims=True), 4, plain)[0] for group in groups]
    summing = np.vstack([*groups, np.eye(6)])
    for grade, lead in np.ndindex(3, 4):
        own = areas[:, grade, lead + 1]
        weight = np.diag(1 / (summing @ own))
        given = np.r_[[part[grade, lead + 1] for part in above], own]
        dense = np.linalg.solve(summing.T @ weight @ summing, summing.T @ weight @ given)
        assert found[:, grade, lead + 1] == pytest.approx(dense, abs=1e-9)


def test_minimum_trace_is_the_matrix_formula() -> None:
    rng = np.random.default_rng(2)
    county = np.array([0, 0, 0, 1, 1])
    areas, counties, whole = rng.uniform(50, 99, 5), rng.uniform(150, 290, 2), np.array(400.0)
    variance = rng.uniform(1, 9, 5), rng.uniform(1, 9, 2), np.array(3.0)
    summing = np.vstack([np.ones(5), county == 0, county == 1, np.eye(5)])
    weight = np.diag(1 / np.concatenate([[variance[2]], variance[1], variance[0]]))
    given = np.concatenate([[whole], counties, areas])
    expected = np.linalg.solve(summing.T @ weight @ summing, summing.T @ weight @ given)
    found = minimum_trace(areas, counties, whole, variance[0], variance[1], variance[2], county)
    assert found == pytest.approx(expected, abs=1e-9)


def test_entry_of_the_whole_follows_its_trend_where_asked() -> None:
    """The first grade falls by 4 % a year in areas of 60 % and 40 %; the second is its cohort."""
    years = np.arange(10)
    whole = 1000 * 0.96**years
    pupils = np.zeros((2, 2, 10))
    pupils[:, 0] = np.outer([0.6, 0.4], whole)
    pupils[:, 1, 1:], pupils[:, 1, 0] = pupils[:, 0, :-1], pupils[:, 0, 0] / 0.96
    method = dataclasses.replace(METHODS["hierarchical"], entry="trend")
    found = forecast(pupils, 3, method)
    onward = np.exp(np.log(0.96) * np.cumsum(0.6 ** np.arange(1, 4)))
    assert found[:, 0, 1:] == pytest.approx(np.outer([0.6, 0.4], whole[-1] * onward))
    assert found[:, 1, 2:] == pytest.approx(found[:, 0, 1:-1])
    assert forecast(pupils, 3, METHODS["hierarchical"])[0, 0, 3] == pytest.approx(0.6 * whole[-1])


@pytest.mark.parametrize("name", ["3-year mean", "smoothed", "robust", "hierarchical"])
def test_a_ratio_that_was_never_observed_is_everybody_s(name: str) -> None:
    """Area B has just opened both grades; of A's first grade 80 % go on."""
    pupils = np.zeros((2, 2, 6))
    pupils[0, 0], pupils[0, 1] = 100, 80
    pupils[1, :, -1] = [50, 5]
    assert forecast(pupils, 1, METHODS[name])[1, 1, 1] == pytest.approx(40)


@pytest.mark.parametrize("reconcile", ["bottom-up", "top-down", "minimum-trace"])
def test_a_large_area_that_opens_its_first_grade_moves_nobody_else(
    reconcile: Reconciliation,
) -> None:
    """B has 3 to 5 pupils in the grade that A, forty times as large, has just opened."""
    pupils = np.full((2, 3, 9), 160.0)
    pupils[0, 0, :6] = 0
    pupils[1] = np.random.default_rng(1).integers(3, 6, (3, 9))
    found = forecast(pupils, 6, dataclasses.replace(METHODS["hierarchical"], reconcile=reconcile))
    assert found[0] == pytest.approx(160, rel=0.05)
    assert (found[1] < 8).all()


def test_a_grade_far_larger_than_all_below_it_is_entered_from_outside() -> None:
    """Grade 2 has 90 pupils, grade 1 of all schools 8 to 12: the one does not follow the other."""
    pupils = np.zeros((2, 2, 8))
    pupils[0, 0] = [8, 9, 12, 10, 8, 11, 9, 12]
    pupils[1, 1] = 90
    assert forecast(pupils, 4, METHODS["hierarchical"])[1, 1] == pytest.approx(90)


def test_an_empty_or_missing_year_does_not_break_the_whole_s_index() -> None:
    """By hand: 4 to none is 0.5 / 4.5, none to 2 is 2.5 / 0.5; 4 of two years ago to 6 is 1.5."""
    pupils = np.array([[[4.0, 0.0, 2.0, 4.0, np.nan, 6.0]]])
    growth = [0.5 / 4.5, 2.5 / 0.5, 2.0, 1.0, 1.5]
    index = np.cumprod([1.0, *growth])
    assert whole_index(pupils)[0] == pytest.approx(index / index[-1])
