"""Coverage that strays by chance, against what is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.chance import stray


def test_error_of_independent_origins_is_that_of_their_mean() -> None:
    rng = np.random.default_rng(1)
    inside = rng.binomial(50, 0.8, 400).astype(float)
    found = stray(np.full(400, 50.0), inside, lead=1)
    assert found.share == pytest.approx(100 * inside.mean() / 50)
    assert found.error == pytest.approx(100 * inside.std() / 50 / 20, rel=0.1)
    assert found.origins == 400


def test_blocks_keep_together_what_moves_together() -> None:
    """Runs of ten origins alike have the error of a tenth as many."""
    runs = np.random.default_rng(2).binomial(20, 0.8, 60).astype(float)
    inside = np.repeat(runs, 10)
    alone, blocks = (stray(np.full(600, 20.0), inside, lead).error for lead in (1, 10))
    assert blocks > 2 * alone
    assert blocks == pytest.approx(100 * runs.std() / 20 / np.sqrt(60), rel=0.35)


def test_origins_without_intervals_are_left_out_and_chance_is_that_of_a_normal_error() -> None:
    found = stray(np.array([0.0, 10.0, 10.0]), np.array([0.0, 8.0, 8.0]), lead=5)
    assert (found.share, found.error, found.origins) == (80.0, 0.0, 2)
    assert found.chance(4.0) == 0.0
    wide = stray(np.full(100, 10.0), np.tile([10.0, 6.0], 50), lead=1)
    assert wide.chance(1.96 * wide.error) == pytest.approx(0.05, abs=1e-4)
