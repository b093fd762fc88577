"""A back-test of forecasting methods, for one screen and for a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from capsim.report.figures.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    STYLE,
    VERMILLION,
    new_figure,
    render,
)
from capsim.report.tables import csv

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from capsim.demand import Backtest

BACKTEST_MARK = "backtest.json"
"""The file by which a folder is known to be a back-test."""

LEVELS = {"total": "the whole", "area": "areas", "grade": "grades of areas"}
FIGURES = {
    "mape": ("mean relative error (MAPE)", 2),
    "bias": ("bias (forecast above: +)", 2),
    "cover80": ("held by 80 % intervals", 1),
    "cover95": ("held by 95 % intervals", 1),
}
PALE = "#D6D6D6"
LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "v"), (SKY, "P"))


def backtest_text(backtest: Backtest) -> str:
    """Write the errors by level, method and lead, the least of each lead marked."""
    lines = []
    for level, words in LEVELS.items():
        table = _errors(backtest, level)
        lines.append(f"WAPE of {words}, %, by years ahead")
        lines.append(f"  {'':<28}" + "".join(f"{lead:>9}" for lead in table.columns))
        least = table.to_numpy().min(axis=0)
        for method, row in zip(table.index, table.to_numpy(), strict=True):
            cells = "".join(
                f"{value:>8.2f}{'*' if value == best else ' '}"
                for value, best in zip(row, least, strict=True)
            )
            lines.append(f"  {method!s:<28}{cells}")
    for level, words in LEVELS.items():
        rows = backtest.table.query("method == 'auto' and level == @level")
        rows = rows[rows["lead"].isin(_errors(backtest, level).columns)]
        lines.append(f"auto, {words}, %, by years ahead")
        for figure, (name, digits) in FIGURES.items():
            cells = "".join(
                f"{'-':>8} " if np.isnan(value) else f"{value:>8.{digits}f} "
                for value in rows[figure]
            )
            lines.append(f"  {name:<28}{cells}")
    lines.append("* least error of that lead; - no interval yet")
    return "\n".join(lines) + "\n"


def backtest_errors(ax: Axes, backtest: Backtest, level: str = "area") -> None:
    """Draw the weighted error of each method by years ahead, at a level, on an Axes.

    ``auto`` is what lies on one of the others for the most part: a broad line behind them.
    """
    table = _errors(backtest, level)
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


def backtest_files(backtest: Backtest) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a back-test."""
    yield BACKTEST_MARK, backtest.to_json().encode()
    yield "errors.csv", csv(backtest.table)
    yield "chosen.csv", csv(backtest.chosen)
    yield "grades.csv", csv(backtest.grades)
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 5)
        backtest_errors(figure.add_subplot(), backtest)
    for form in ("png", "svg"):
        yield f"errors.{form}", render(figure, form)


def _errors(backtest: Backtest, level: str) -> pd.DataFrame:
    rows = backtest.table[backtest.table["level"] == level]
    table = rows.pivot_table(index="method", columns="lead", values="wape", sort=False)
    return table.dropna(how="all")
