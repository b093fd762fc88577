"""Intervals worked out by hand, and what they may not know."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.demand.draws import FADE, GROWTH, LEVELS, MOST, STEP, _correction, _power, cover

Cells = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def errors(origins: int = 12, leads: int = 3, seed: int = 0) -> tuple[Cells, Cells]:
    rng = np.random.default_rng(seed)
    ahead = np.full((origins, 40, 2, leads), 100.0)
    wide = 0.02 * np.sqrt(np.arange(1, leads + 1))
    actual = ahead * (1 + wide * rng.normal(size=ahead.shape))
    for lead in range(leads):
        actual[origins - lead :, ..., lead] = np.nan
    return ahead, actual


def test_half_widths_of_a_single_origin_by_hand() -> None:
    """Ten areas missed by 1 to 10 %: eight of ten errors lie within the eighth."""
    ahead = np.full((1, 10, 1, 1), 100.0)
    actual = ahead + np.arange(1.0, 11).reshape(1, 10, 1, 1)
    found = cover(ahead, actual, np.array([4]), 5)
    assert found.number.item() == 0
    half = found.last.reach[:, 0, 0] * found.last.sd(np.array([[[100.0]]])).item()
    assert half == pytest.approx([0.08, 0.10])


@pytest.mark.parametrize(("areas", "ratio"), [(1, 4.3027 / 1.8856), (2, 1.0)])
def test_a_series_alone_has_the_tails_of_two_degrees_of_freedom(areas: int, ratio: float) -> None:
    """Errors of the same size show no tail; Student's t of 2 has 1.8856 and 4.3027."""
    ahead = np.full((1, areas, 1, 1), 100.0)
    reach = cover(ahead, ahead * 1.05, np.array([4]), 5).last.reach[:, 0, 0]
    assert reach[1] / reach[0] == pytest.approx(ratio, rel=1e-4)


def test_what_intervals_lacked_widens_the_next() -> None:
    lacked = np.zeros((2, 2, 1, 3))
    lacked[:, 0] = [[[0.1, 0.2, 0.7]], [[0.05, 0.1, 0.3]]]
    lacked[:, 1] = [[[0.2, 0.9, 0.9]], [[0.1, 0.9, 0.9]]]
    found = _correction(lacked, np.array([5, 6]), 7)
    due = np.array([[0.1 + 0.2, 0.2 + 0.2, 0.2 + 0.2], [0.05 + 0.1, 0.1 + 0.1, 0.1 + 0.1]])
    assert found[:, 0] == pytest.approx(STEP[:, None] * due)
    assert _correction(lacked * 10, np.array([5, 6]), 7).max() == MOST
    assert (_correction(-lacked, np.array([5, 6]), 7) == -found).all()


def test_growth_with_the_lead_is_read_off_the_leads_known() -> None:
    leads = np.arange(1.0, 6)
    assert _power(leads[:1], np.ones(1)) == pytest.approx(GROWTH)
    assert _power(leads**1.5, np.full(5, 1e6)) == pytest.approx(1.5, abs=1e-5)
    x = np.log([1, 2]) - np.log([1, 2]).mean()
    by_hand = ((3 * x * np.log([1, 4])).sum() + GROWTH) / ((3 * x * x).sum() + 1)
    assert _power(np.array([1.0, 4.0]), np.full(2, 3.0)) == pytest.approx(by_hand)


def test_intervals_know_nothing_that_came_later() -> None:
    ahead, actual = errors()
    origins = np.arange(12)
    for now in (5, 9):
        early = actual[:now].copy()
        for at in range(now):
            early[at, ..., now - at :] = np.nan
        known = cover(ahead[:now], early, origins[:now], now)
        later = actual.copy()
        for at in range(12):
            later[at, ..., max(now - at, 0) :] *= 5
        full = cover(ahead[:now], later[:now], origins[:now], now)
        assert (full.last.reach == known.last.reach).all()
        assert (full.last.person == known.last.person).all()


def test_a_lead_that_is_not_known_is_wider_than_the_one_before() -> None:
    ahead, actual = errors(leads=8)
    found = cover(ahead[:3], actual[:3], np.arange(3), 3).last
    half = found.reach[0] * found.sd(np.full((1, 2, 8), 100.0))[0]
    assert np.isfinite(half).all()
    assert (np.diff(half[:, 3:]) > 0).all()


@pytest.mark.parametrize("jump", [0.5, 3.0])
def test_coverage_returns_after_errors_change_their_size(jump: float) -> None:
    ahead, actual = errors(origins=40, leads=2, seed=3)
    actual[15:] = ahead[15:] + (actual[15:] - ahead[15:]) * jump
    found = cover(ahead, actual, np.arange(40), 40)
    share = found.hits.sum(1) / found.number.sum(0)
    assert share == pytest.approx(np.repeat(np.array(LEVELS)[:, None], 2, 1), abs=0.03)
    assert FADE < 1
