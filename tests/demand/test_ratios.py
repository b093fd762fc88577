"""Ratios worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsim.demand.ratios import (
    fitted_alpha,
    hierarchical,
    mean_ratio,
    pairs,
    smooth_ratio,
    taught,
    variance_parts,
    without_outliers,
)


def test_pairs_leave_out_what_says_nothing() -> None:
    pupils = np.array([[[10.0, np.nan, 0.0, 8.0], [9.0, 8.0, 7.0, 6.0]]])
    above, below = pairs(pupils)
    assert above[0, 1].tolist() == [0, 8, 0, 0]
    assert below[0, 1].tolist() == [0, 10, 0, 0]


def test_an_empty_grade_after_many_was_not_taught() -> None:
    above, below = np.array([[[0.0, 0.0, 5.0]]]), np.array([[[20.0, 2.0, 5.0]]])
    kept = taught(above, below)
    assert kept[1].ravel().tolist() == [0, 2, 5]


def test_smoothing_agrees_with_a_plain_loop() -> None:
    rng = np.random.default_rng(3)
    pupils = rng.uniform(50, 150, (4, 5, 12))
    pupils[1, 2, 4] = np.nan
    found = smooth_ratio(*pairs(pupils), alpha=0.4)
    for area in range(4):
        for grade in range(1, 5):
            level = None
            for year in range(1, 12):
                ratio = pupils[area, grade, year] / pupils[area, grade - 1, year - 1]
                if np.isnan(ratio):
                    continue
                level = ratio if level is None else 0.4 * ratio + 0.6 * level
            assert found[area, grade] == pytest.approx(level, abs=1e-12)


def test_mean_ratio_takes_the_last_observed_years() -> None:
    above, below = np.array([[[5.0, 12.0, 0.0, 8.0]]]), np.array([[[1.0, 10.0, 0.0, 10.0]]])
    assert mean_ratio(above, below, 3).item() == pytest.approx(1.0)


def test_alpha_is_fitted_to_a_jump() -> None:
    below = np.full((1, 1, 12), 100.0)
    above = np.where(np.arange(12) < 3, 80.0, 120.0) * np.ones((1, 1, 12))
    assert fitted_alpha(above, below) == 0.9


def test_an_outlier_is_pulled_in_and_a_short_series_is_not() -> None:
    below = np.full((1, 1, 7), 100.0)
    above = np.array([[[98.0, 99.0, 100.0, 101.0, 102.0, 100.0, 300.0]]])
    pulled = without_outliers(above, below)
    assert pulled[0, 0, :6].tolist() == above[0, 0, :6].tolist()
    assert pulled[0, 0, 6] == pytest.approx(100 + 3 * 1.4826)
    assert without_outliers(above[..., 3:], below[..., 3:])[0, 0, 3] == 300


def test_variance_parts_of_chance_alone() -> None:
    rng = np.random.default_rng(0)
    size = rng.uniform(5, 500, (4000, 1))
    square = rng.normal(0, np.sqrt(1 / size)) ** 2
    person, lasting = variance_parts(square, 1 / size)
    assert person.item() == pytest.approx(1.0, abs=0.1)
    assert lasting.item() == pytest.approx(0.0, abs=5e-4)


def test_shrinkage_beats_both_raw_ratios_and_none() -> None:
    rng = np.random.default_rng(1)
    county = np.repeat(np.arange(6), 20)
    true = 0.95 + rng.normal(0, 0.02, 6)[county] + rng.normal(0, 0.01, 120)
    size = rng.uniform(10, 80, (120, 1, 8)).round()
    moved = rng.poisson(true[:, None, None] * size).astype(float)
    found = hierarchical(moved, size, county, alpha=0.4)[:, 0]
    raw = smooth_ratio(moved, size, 0.4)[:, 0]
    error = [np.abs(guess - true).mean() for guess in (found, raw, np.ones(120))]
    assert error[0] < 0.6 * error[1]
    assert error[0] < 0.6 * error[2]


@given(st.integers(0, 2**32 - 1))
def test_shrunk_ratios_lie_within_those_observed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 60, (7, 2, 4)).astype(float)
    moved = rng.poisson(size).astype(float)
    found = hierarchical(moved, size, np.array([0, 0, 0, 1, 1, 2, 2]), alpha=0.4)
    ratio = moved / size
    assert (found >= ratio.min((0, 2)) - 1e-9).all()
    assert (found <= ratio.max((0, 2)) + 1e-9).all()
