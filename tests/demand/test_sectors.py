"""Flows between sectors lose nobody."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsim.demand.sectors import divide_flows


@given(st.integers(0, 2**32 - 1))
def test_every_child_is_in_one_sector(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total = rng.integers(0, 500, (3, 6, 8)).astype(float)
    base = total[..., 0] * rng.uniform(0, 1, (3, 6))
    first = np.array([True, False, False, True, False, False])
    own, share = rng.uniform(0.5, 1.2, (3, 6, 7)), rng.uniform(0, 1, (3, 6))
    plan = np.where(first, rng.integers(0, 200, (3, 6)), np.inf)
    parts, transfers, refused = divide_flows(base, total, own, share, plan, first)
    assert (parts >= 0).all()
    assert parts.sum(0) == pytest.approx(total, abs=1e-9)
    assert (parts[1][:, first, 1:] <= plan[:, first, None]).all()
    wanted = share[:, first, None] * total[:, first, 1:]
    assert parts[1][:, first, 1:] + refused[:, first, 1:] == pytest.approx(wanted)
    moved_up = parts[1][:, :-1, :-1] * np.divide(
        total[:, 1:, 1:], total[:, :-1, :-1], out=np.zeros((3, 5, 7)), where=total[:, :-1, :-1] > 0
    )
    stayed = parts[1][:, 1:, 1:] + transfers[:, 1:, 1:]
    empty = total[:, :-1, :-1] == 0
    assert np.where(empty | first[None, 1:, None], 0, stayed - moved_up) == pytest.approx(
        0, abs=1e-9
    )


def test_private_pupils_who_leave_turn_public() -> None:
    total = np.full((1, 2, 2), 100.0)
    base = np.array([[40.0, 40.0]])
    own, share = np.array([[[1.0], [0.75]]]), np.array([[0.4, 0.4]])
    plan = np.full((1, 2), np.inf)
    parts, transfers, _ = divide_flows(base, total, own, share, plan, np.array([True, False]))
    assert parts[1, 0].tolist() == [[40, 40], [40, 30]]
    assert parts[0, 0].tolist() == [[60, 60], [60, 70]]
    assert transfers[0, 1].tolist() == [0, 10]
