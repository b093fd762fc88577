"""Joint draws: their size, their correlation, their independence of how they are made."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.demand import draws
from capsim.demand.draws import (
    BLOCK,
    Spread,
    along_cohorts,
    block,
    blocks,
    draw,
    fill,
    generator,
    shocks,
    variance,
)


def spread(areas: int, grades: int, leads: int, **sizes: float) -> Spread:
    size = dict.fromkeys(["common", "whole", "area", "cohort", "birth_sd"], 0.0) | sizes
    born = np.maximum(np.arange(leads) - np.arange(grades)[:, None], 0)
    return Spread(
        common=np.full(leads, size["common"]),
        whole=np.full((grades, leads), size["whole"]),
        area=np.full((areas, leads), size["area"]),
        cohort=np.full((areas, grades, leads), size["cohort"]),
        birth_sd=size["birth_sd"],
        born=born,
        freedom=sizes.get("freedom", np.inf),
    )


PUPILS = np.arange(1.0, 61).reshape(3, 4, 5) * 100


def test_without_spread_every_draw_is_the_projection() -> None:
    assert (draw(PUPILS, spread(3, 4, 4), 70, seed=1) == PUPILS).all()


def test_the_base_year_does_not_vary() -> None:
    found = draw(PUPILS, spread(3, 4, 4, common=0.1, cohort=0.2, area=0.1), 10, seed=1)
    assert (found[..., 0] == PUPILS[..., 0]).all()


def test_draws_do_not_depend_on_their_number_or_blocks() -> None:
    size = spread(3, 4, 4, common=0.1, whole=0.1, area=0.1, cohort=0.2, birth_sd=0.1, freedom=5.0)
    many = draw(PUPILS, size, 2 * BLOCK + 5, seed=7)
    assert (draw(PUPILS, size, BLOCK + 3, seed=7) == many[: BLOCK + 3]).all()
    assert (np.concatenate(list(blocks(PUPILS, size, 2 * BLOCK + 5, seed=7))) == many).all()
    assert (draw(PUPILS, size, BLOCK, seed=8) != many[:BLOCK]).any()


def test_draws_do_not_depend_on_the_pieces_they_are_made_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = spread(3, 4, 4, common=0.1, whole=0.1, area=0.1, cohort=0.2, birth_sd=0.1, freedom=5.0)
    whole = draw(PUPILS, size, BLOCK + 9, seed=7)
    assert (block(PUPILS, size, 9, seed=7, number=1) == whole[BLOCK:]).all()
    for scratch in (1, 20 * 5, 20 * 2 * 7):
        monkeypatch.setattr(draws, "SCRATCH", scratch)
        assert (draw(PUPILS, size, BLOCK + 9, seed=7) == whole).all()


def test_cells_are_filled_as_by_a_plain_loop() -> None:
    size = spread(3, 4, 4, common=0.1, whole=0.1, area=0.1, cohort=0.9, birth_sd=0.1, freedom=5.0)
    made = shocks(size, PUPILS.shape, generator(np.random.SeedSequence(1)))
    found = fill(PUPILS, made, size.cohort, np.empty((5, *PUPILS.shape)))
    assert found.min() == 0
    for d, a, g, y in np.ndindex(*found.shape):
        error = 0.0
        if y:
            own = made.cohorts[d, a, (PUPILS.shape[1] - 1 - g) + y]
            error = made.area[d, a, y] + own * size.cohort[a, g, y - 1]
        expected = PUPILS[a, g, y] * max(0.0, float(made.every[d, g, y]) + float(error))
        assert found[d, a, g, y] == pytest.approx(expected, rel=1e-6, abs=1e-3)


def test_mean_and_variance_are_as_told() -> None:
    size = spread(3, 4, 4, common=0.02, whole=0.03, area=0.02, cohort=0.05, birth_sd=0.03)
    found = draw(PUPILS, size, 20_000, seed=3) / PUPILS
    assert found.mean(0) == pytest.approx(1.0, abs=0.005)
    assert found.var(0)[..., 1:] == pytest.approx(variance(size), rel=0.06)


def test_cohorts_areas_and_years_hang_together() -> None:
    cohort = draw(PUPILS, spread(3, 4, 4, cohort=0.05), 4000, seed=1) / PUPILS
    assert cohort[:, 0, 1, 1] == pytest.approx(cohort[:, 0, 2, 2], abs=1e-6)
    area = draw(PUPILS, spread(3, 4, 4, area=0.05), 4000, seed=1) / PUPILS
    assert area[:, 0, 0, 1] == pytest.approx(area[:, 0, 3, 1], abs=1e-6)
    assert abs(np.corrcoef(area[:, 0, 0, 1], area[:, 1, 0, 1])[0, 1]) < 0.06
    assert np.corrcoef(area[:, 0, 0, 1], area[:, 0, 0, 4])[0, 1] == pytest.approx(0.5, abs=0.05)
    common = draw(PUPILS, spread(3, 4, 4, common=0.05), 50, seed=1) / PUPILS
    assert np.ptp(common, axis=(1, 2)).max() < 1e-6
    births = draw(PUPILS, spread(3, 4, 4, birth_sd=0.05), 50, seed=1) / PUPILS
    assert births[:, :, 0, 2] == pytest.approx(births[:, :, 1, 3], abs=1e-6)
    assert (births[:, :, 1, :2] == 1).all()


def test_heavy_tails_stretch_an_area_not_the_whole() -> None:
    normal = draw(PUPILS, spread(3, 4, 4, cohort=0.05), 20_000, seed=5) / PUPILS
    heavy = draw(PUPILS, spread(3, 4, 4, cohort=0.05, freedom=4.0), 20_000, seed=5) / PUPILS
    ratio = [
        np.quantile(np.abs(part[:, 0, 0, 2] - 1), 0.95)
        / np.quantile(np.abs(part[:, 0, 0, 2] - 1), 0.8)
        for part in (normal, heavy)
    ]
    assert ratio == pytest.approx([1.529, 1.811], rel=0.04)


def test_nobody_falls_below_none() -> None:
    assert draw(PUPILS, spread(3, 4, 4, cohort=2.0), 200, seed=1).min() == 0


def test_shocks_stay_with_their_cohort() -> None:
    shock = np.zeros((3, 3))
    shock[0, 0] = 1
    assert along_cohorts(shock).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
