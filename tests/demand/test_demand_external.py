"""Forecasts of real enrolment with known answers: US states and Vermont schools."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capsim.demand import METHODS, Backtest, Panel, backtest, forecast, panel
from capsim.demand.draws import draw, measured_spread

pytestmark = [
    pytest.mark.external,
    pytest.mark.skipif("CAPSIM_DATA" not in os.environ, reason="CAPSIM_DATA names no data folder"),
]
STATES = (1, 3, 5, 10)
NAMES = ("no change", "3-year mean", "smoothed", "hierarchical")
TUNED = 82
"""Schools, in random order, on which constants were chosen; the others were not looked at."""


def read(name: str) -> Panel:
    return panel(pd.read_csv(Path(os.environ["CAPSIM_DATA"]) / name), name=name)


@cache
def states() -> Panel:
    return read("us_states/enrolment_by_grade_1986_2017.csv")


def schools(last: int) -> Panel:
    whole = read("vermont/enrolment_by_grade_2004_2021.csv")
    until = whole.years.index(last) + 1
    pupils = whole.pupils[..., :until]
    seen = np.isfinite(pupils).any((1, 2))
    names = tuple(np.array(whole.areas)[seen])
    return Panel(names, whole.grades, whole.years[:until], pupils[seen], whole.county[seen])


@cache
def of_states() -> Backtest:
    methods = {name: METHODS[name] for name in NAMES}
    return backtest(states(), methods, range(1, 11), first_origin=1996)


@cache
def of_schools(last: int) -> Backtest:
    methods = {name: METHODS[name] for name in NAMES}
    return backtest(schools(last), methods, range(1, 6), first_origin=2007)


def figures(found: Backtest, method: str, level: str, figure: str) -> pd.Series:
    table = found.table
    return table[(table["method"] == method) & (table["level"] == level)].set_index("lead")[figure]


@pytest.mark.parametrize(
    ("method", "published"),
    [
        ("no change", [1.00, 2.53, 3.94, 6.60]),
        ("3-year mean", [0.67, 1.64, 2.68, 5.22]),
        ("smoothed", [0.653, 1.601, 2.578, 5.167]),
    ],
)
def test_published_baselines_of_states_are_reproduced(method: str, published: list[float]) -> None:
    found = figures(of_states(), method, "area", "mape").loc[list(STATES)]
    assert found.to_numpy() == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize("method", ["hierarchical", "auto"])
def test_states_are_forecast_better_than_by_the_national_agency(method: str) -> None:
    found = figures(of_states(), method, "area", "mape").loc[list(STATES)]
    assert (found.to_numpy() < [0.643, 1.540, 2.410, 4.570]).all(), found.to_dict()


@pytest.mark.parametrize("last", [2019, 2021])
@pytest.mark.parametrize("method", ["hierarchical", "auto"])
def test_schools_are_forecast_better_than_by_both_baselines(method: str, last: int) -> None:
    """WAPE of K-12 by school, schools observed at origin and target, origins from 2007."""
    found = figures(of_schools(last), method, "area", "wape")
    for baseline in ("no change", "3-year mean"):
        assert (found < figures(of_schools(last), baseline, "area", "wape")).all()


@pytest.mark.parametrize("last", [2019, 2021])
def test_schools_not_tuned_on_gain_as_well(last: int) -> None:
    """Forecast with all schools in view, judged on the half left out of the sweep of constants."""
    table = schools(last)
    whole = sorted(read("vermont/enrolment_by_grade_2004_2021.csv").areas)
    order = np.random.default_rng(2026).permutation(len(whole))
    unseen = set(np.array(whole)[order[TUNED:]])
    judged = np.array([name in unseen for name in table.areas])
    miss = {name: np.zeros(5) for name in NAMES}
    size = np.zeros(5)
    for at in range(3, len(table.years) - 1):
        ahead = {name: forecast(table.pupils[..., : at + 1], 5, METHODS[name]) for name in NAMES}
        for lead in range(1, min(5, len(table.years) - 1 - at) + 1):
            came = table.pupils[..., at + lead]
            seen = judged & np.isfinite(came).any(1) & np.isfinite(table.pupils[..., at]).any(1)
            total = np.nansum(came[seen], axis=1)
            size[lead - 1] += total.sum()
            for name in NAMES:
                miss[name][lead - 1] += np.abs(ahead[name][seen, :, lead].sum(1) - total).sum()
    wape = {name: error / size for name, error in miss.items()}
    assert (wape["hierarchical"] < wape["no change"]).all()
    assert (wape["hierarchical"] < wape["3-year mean"]).all()


@pytest.mark.parametrize("level", ["area", "grade"])
@pytest.mark.parametrize(("share", "off"), [(80, 4.0), (95, 2.5)])
def test_intervals_cover_what_they_say(level: str, share: int, off: float) -> None:
    for found in (of_states(), of_schools(2019), of_schools(2021)):
        covered = figures(found, "hierarchical", level, f"cover{share}")
        assert (np.abs(covered - share) <= off).all(), covered.round(1).to_dict()


OUTSIDE = {
    ("states", 80): {("9", 7), ("2", 9), ("12", 9), ("12", 10)},
    ("states", 95): {("12", 9)},
    ("schools to 2019", 80): {("1", 5), ("9", 5)},
    ("schools to 2019", 95): {("7", 5)},
    ("schools to 2021", 80): {("12", 4), ("12", 5)},
    ("schools to 2021", 95): {("12", 4), ("11", 5)},
}
"""Grades and leads known to stray: 12 of 520, as the page on demand says."""


@pytest.mark.parametrize(("share", "off"), [(80, 4.0), (95, 2.5)])
def test_intervals_of_single_grades_cover_what_they_say(share: int, off: float) -> None:
    sets = {
        "states": of_states(),
        "schools to 2019": of_schools(2019),
        "schools to 2021": of_schools(2021),
    }
    for name, found in sets.items():
        rows = found.grades[found.grades["method"] == "hierarchical"]
        gap = (rows[f"cover{share}"] - share).abs()
        out = rows[gap > off]
        cells = set(zip(out["grade"], out["lead"], strict=True))
        assert cells <= OUTSIDE[name, share], (name, out)
        assert gap.max() <= 2 * off, (name, out)


@pytest.mark.slow
@pytest.mark.parametrize("of", ["states", "schools"])
def test_joint_draws_cover_what_they_say(of: str) -> None:
    """Draws made at several origins with the spread measured by then."""
    table = states() if of == "states" else schools(2021)
    origins = range(2000, 2013, 2) if of == "states" else range(2012, 2017)
    inside: dict[tuple[str, int], list[np.ndarray]] = {}
    for origin in origins:
        known = table.years.index(origin) + 1
        past = Panel(
            table.areas, table.grades, table.years[:known], table.pupils[..., :known], table.county
        )
        measured = backtest(past, {"hierarchical": METHODS["hierarchical"]}).measured
        ahead = np.nan_to_num(forecast(past.pupils, 5, METHODS["hierarchical"]))
        made = draw(ahead, measured_spread(measured["hierarchical"], ahead), 500, seed=1)
        came = table.pupils[..., known : known + 5]
        there = np.isfinite(came).any(1) & (ahead.sum(1)[..., 1:] > 0)
        cells = there[:, None] & (ahead[..., 1:] > 0)
        actual = np.nan_to_num(came)
        for level, drawn, real, judged in (
            ("area", made.sum(2), actual.sum(1), there),
            ("grade", made, actual, cells),
        ):
            for share in (80, 95):
                edges = [0.5 - share / 200, 0.5 + share / 200]
                low, high = np.quantile(drawn[..., 1:], edges, axis=0)
                hit = ((real >= low) & (real <= high))[judged]
                inside.setdefault((level, share), []).append(hit)
    for (level, share), hits in inside.items():
        off = 4.0 if share == 80 else 2.5
        assert 100 * np.concatenate(hits).mean() == pytest.approx(share, abs=off), level
