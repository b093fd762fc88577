"""Weights worked out by hand, and what they may not depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsim.demand.forecasting import Weights, combined, error_products, learned


def products(errors: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Of members off by so much, ``[origin, member, lead]``, where one area of 100 came."""
    actual = np.full((1, 1, errors.shape[-1]), 100.0)
    return [error_products(100 + row[:, None, None], actual) for row in errors]


def test_products_of_two_members_by_hand() -> None:
    """Forecasts 110 and 90 where 100 came: the size is their mean, 100."""
    found = products(np.array([[[10.0], [-10.0]]]))[0]
    for level in ("grade", "area", "total"):
        assert found[level][0] == pytest.approx(np.array([[1.0, -1.0], [-1.0, 1.0]]))


def test_opposite_errors_are_weighed_apart_the_more_the_more_often_they_came() -> None:
    """Errors 10 and -30 of n origins cancel at weights of 3/4 and 1/4, nothing known gives halves.

    With weights w and 1 - w: 2 n (40 w - 30)**2 / 1000 is the error, scaled; the members lie 1.6 n
    apart, so that the pull to the halves is 3 (1.6 n) / n**2 times 2 (w - 1/2)**2. The sum is least
    at w = (1.5 + 0.75 n**2) / (n**2 + 3).
    """
    for n in (1, 3, 6):
        found = learned(products(np.tile([[[10.0], [-30.0]]], (n, 1, 1))), np.arange(n), n)
        assert found.area[0, 0] == pytest.approx((1.5 + 0.75 * n**2) / (n**2 + 3))
    many = learned(products(np.tile([[[10.0], [-30.0]]], (60, 1, 1))), np.arange(60), 60)
    assert many.area[0] == pytest.approx([0.75, 0.25], abs=0.001)


def test_what_is_known_of_a_shorter_lead_counts_for_a_longer_one() -> None:
    """Two origins, one lead on two years none: the longer lead has the weights of the shorter."""
    errors = np.tile([[[10.0, np.nan], [-30.0, np.nan]]], (2, 1, 1))
    found = learned(products(errors), np.arange(2), 2)
    assert found.area[0, 0] == pytest.approx((1.5 + 3) / 7)
    assert found.area[1] == pytest.approx(found.area[0])


def test_the_better_member_has_more_weight_and_little_where_little_is_known() -> None:
    better = learned(products(np.tile([[[20.0], [1.0]]], (6, 1, 1))), np.arange(6), 6)
    few = learned(products(np.array([[[20.0], [1.0]]])), np.arange(1), 1)
    assert better.area[0, 1] > 0.9 > 0.7 > few.area[0, 1] > 0.5
    first = learned(products(np.tile([[[1.0], [20.0]]], (6, 1, 1))), np.arange(6), 6)
    assert first.area[0, 0] > 0.9


def test_nothing_known_is_one_half_the_first_member() -> None:
    of_three = np.tile([[[1.0], [20.0], [5.0]]], (3, 1, 1))
    assert learned(products(of_three), np.arange(3), 0).total[0].tolist() == [0.5, 0.25, 0.25]
    assert learned(products(of_three[:, :1]), np.arange(3), 0).total[0].tolist() == [1.0]


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1))
def test_weights_are_shares_and_rest_on_shorter_leads_and_the_past_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.normal(size=(7, 4, 3)) * rng.uniform(1, 30, (1, 4, 1))
    found = learned(products(errors), np.arange(7), 5)
    for level in ("total", "area", "grade"):
        weight = getattr(found, level)
        assert (weight >= 0).all()
        assert weight.sum(-1) == pytest.approx(1)
    short = learned(products(errors[..., :2]), np.arange(7), 5)
    assert (short.area == found.area[:2]).all()
    early = learned(products(errors[:5]), np.arange(5), 5)
    assert (early.area == found.area).all()


def test_levels_agree_after_combination() -> None:
    rng = np.random.default_rng(2)
    members = rng.uniform(1, 9, (3, 5, 4, 2))
    weight = rng.dirichlet(np.ones(3), (3, 2))
    out = combined(members, Weights(*weight))
    whole = np.einsum("lm,ml->l", weight[0], members.sum((1, 2)))
    area = np.einsum("lm,mal->al", weight[1], members.sum(2))
    assert out.sum((0, 1)) == pytest.approx(whole)
    assert out.sum(1) / out.sum((0, 1)) == pytest.approx(area / area.sum(0))
