"""Figures of a projection, children ahead as fan charts, and of its back-test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd

from capsim.i18n.language import words
from capsim.report.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    counts_on,
    new_figure,
    school_years,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capsim.demand.projection import Demand
    from capsim.demand.rolling_origin import Backtest
    from capsim.scenario.scenario import Scenario


BANDS = (
    (0.025, 0.975, "95 % of draws", "#D0E3F0"),
    (0.1, 0.9, "80 %", "#9CC6E2"),
    (0.25, 0.75, "50 %", "#5FA3CE"),
)

LEVELS = {"total": "the whole", "area": "areas", "grade": "grades of areas"}
PALE = "#D6D6D6"
LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "v"), (SKY, "P"))


def enrolment_fan(ax: Axes, demand: Demand, grades: tuple[str, ...], *, lang: str = "en") -> None:
    """Draw the whole's children of some grades, with bands where there are draws, on an Axes."""
    say = words(lang)
    rows = [demand.grades.index(grade) for grade in grades]
    if demand.draws is not None:
        total = demand.draws[:, :, rows].sum((1, 2))
        for low, high, part, colour in BANDS:
            edges = np.quantile(total, [low, high], axis=0)
            ax.fill_between(demand.years, *edges, color=colour, linewidth=0, label=say(part))
    middle = demand.pupils[:, rows].sum((0, 1))
    ax.plot(demand.years, middle, color=BLUE, marker="o", markersize=3, label=say("projection"))
    ax.set_ylim(bottom=0)
    counts_on(ax.yaxis, say)
    school_years(ax, demand.years, say, most=7)


def forecast_figure(scenario: Scenario, demand: Demand, *, lang: str = "en") -> Figure:
    """Draw a fan chart for each planned stage."""
    say = words(lang)
    stages = tuple(scenario.stages.values())
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 2.9 * ((len(stages) + 1) // 2))
        axes = figure.subplots((len(stages) + 1) // 2, 2, squeeze=False)
        for ax, stage in zip(axes.flat, stages, strict=False):
            enrolment_fan(ax, demand, stage.grades, lang=lang)
            ax.set_title(say.name(stage.name))
            ax.set_ylabel(say("children"))
        for ax in axes.flat[len(stages) :]:
            ax.set_visible(False)
        axes.flat[0].legend(loc="lower left")
    return figure


def backtest_table(backtest: Backtest, level: str) -> pd.DataFrame:
    """Return the weighted error by method (index) and years ahead, at a level."""
    rows = backtest.table[backtest.table["level"] == level]
    table = rows.pivot_table(index="method", columns="lead", values="wape", sort=False)
    return table.dropna(how="all")


def backtest_errors(ax: Axes, backtest: Backtest, level: str = "area") -> None:
    """Draw the weighted error of each method by years ahead, at a level, on an Axes.

    ``auto`` is what lies on one of the others for the most part: a broad line behind them.
    """
    table = backtest_table(backtest, level)
    for number, (method, row) in enumerate(table.iterrows()):
        if method == "auto":
            ax.plot(row.index, row, color=PALE, linewidth=8, zorder=1, label="auto")
            continue
        colour, marker = LINES[number % len(LINES)]
        dashes = "-" if number < len(LINES) else "--"
        ax.plot(
            row.index, row, color=colour, marker=marker, markersize=5, ls=dashes, label=str(method)
        )
    ax.set_ylim(bottom=0)
    ax.set_xticks(list(table.columns))
    ax.set_title(f"How far forecasts of {LEVELS[level]} missed")
    ax.set_xlabel("years ahead")
    ax.set_ylabel("weighted absolute error, % of pupils")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
