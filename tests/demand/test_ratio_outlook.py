"""Ratios years ahead: what fades and what goes on."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.demand import METHODS, forecast
from capsim.demand.forecasting import progression
from capsim.demand.ratios import DAMPING, OUTLOOK_LEAST, damped, shrunk_slope

ALONE = np.zeros(1, dtype=np.intp)


def test_a_trend_needs_enough_years() -> None:
    below = np.full((1, 1, OUTLOOK_LEAST - 1), 100.0)
    above = below * 1.02 ** np.arange(OUTLOOK_LEAST - 1.0)
    assert (damped(shrunk_slope(above, below), 4) == 1).all()


def test_slope_by_hand_and_shrunk_by_its_noise() -> None:
    rng = np.random.default_rng(2)
    below = np.full((1, 1, 8), 1000.0)
    log = 0.004 * np.arange(8) + rng.normal(0, 0.01, 8)
    fit, rest = np.polynomial.Polynomial.fit(np.arange(8), log, 1, full=True)
    slope = fit.convert().coef[1]
    variance = rest[0].item() / 6 / 42
    kept = slope**3 / (slope**2 + variance)
    found = damped(shrunk_slope(np.exp(log) * below, below), 2)[0]
    assert found == pytest.approx(np.exp(kept * np.array([DAMPING, DAMPING + DAMPING**2])))
    assert 0.3 < kept / slope < 1


def test_chance_alone_hardly_makes_a_trend() -> None:
    rng = np.random.default_rng(4)
    below = np.full((1, 2000, 8), 400.0)
    above = rng.poisson(below).astype(float)
    found = np.log(damped(shrunk_slope(above, below), 10)[:, -1])
    slope = np.sqrt(1 / 400 / 42) * 4
    assert found.std() < 0.75 * slope
    assert found.mean() == pytest.approx(0, abs=0.002)


def test_ratios_fade_into_their_long_mean() -> None:
    below = np.full((1, 1, 40), 1e6)
    above = below * np.where(np.arange(40) % 2, 0.9, 1.0)
    above[..., -1] *= 1.02
    near = progression(above, below, ALONE, METHODS["smoothed"], 2)[0, 0]
    assert near[0] == near[1]
    ahead = progression(above, below, ALONE, METHODS["hierarchical"], 60)[0, 0]
    assert ahead[-1] == pytest.approx(0.95, abs=0.01)
    assert abs(ahead[-1] - 0.95) < abs(ahead[0] - 0.95)


def test_a_steady_change_of_the_whole_goes_on_for_a_while() -> None:
    years = np.arange(12)
    first = np.full((5, 1, 12), 5000.0)
    second = first * (0.90 + 0.005 * years)
    pupils = np.concatenate([first, second], axis=1)
    found = forecast(pupils, 10, METHODS["hierarchical"])[0, 1] / 5000
    assert found[1] > found[0] - 0.012
    assert found[10] > found[2]
    assert found[10] < 0.90 + 0.005 * 21
