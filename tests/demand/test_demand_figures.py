"""The fan chart says what the projection says."""

from __future__ import annotations

import numpy as np
import pytest
from demand_tables import births, city, pupils

from capsim import project
from capsim.demand import METHODS, Panel, backtest
from capsim.report.figures.places import forecast_figure
from capsim.report.screen import backtest_text


def test_fan_shows_the_projection_and_bands_of_its_draws() -> None:
    now = pupils({(a, str(g), 2021): 300 for a in "AB" for g in range(1, 7)})
    made = city("AB", pupils=now, births=births(300), last_year=2028)
    demand = project(made, draws=64, seed=1)
    ax = forecast_figure(made, demand).axes[0]
    assert "primary" in (ax.get_title(loc="left"), ax.get_title())
    (line,) = ax.get_lines()
    assert np.asarray(line.get_ydata()) == pytest.approx(demand.pupils.sum((0, 1)))
    assert demand.draws is not None
    widest = ax.collections[0].get_paths()[0].vertices[:, 1]
    edges = np.quantile(demand.draws.sum((1, 2)), [0.025, 0.975], axis=0)
    assert [widest.min(), widest.max()] == pytest.approx([edges[0].min(), edges[1].max()])


def test_text_of_a_backtest_has_error_bias_and_coverage_by_level_and_lead() -> None:
    """Of 100, 100, 100, 110, 121 no change forecasts 10 and 11 too few, nobody knowing how wide."""
    pupils = np.array([[[100.0, 100, 100, 110, 121]]])
    only = {"no change": METHODS["no change"]}
    table = Panel(("A",), ("K",), (1, 2, 3, 4, 5), pupils, np.zeros(1, int), members=only)
    text = backtest_text(backtest(table, only, leads=[1, 2]))
    lines = [line.split() for line in text.splitlines()]
    start = lines.index(["auto,", "areas,", "%,", "by", "years", "ahead"])
    mape, bias, inner, outer = lines[start + 1 : start + 5]
    assert mape[-2:] == [f"{100 * (10 / 110 + 11 / 121) / 2:.2f}", f"{100 * 21 / 121:.2f}"]
    assert bias[-2:] == [f"{-100 * 21 / 231:.2f}", f"{-100 * 21 / 121:.2f}"]
    assert inner[-1] == outer[-1] == "-"
    assert text.count("by years ahead") == 6
