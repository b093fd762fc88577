"""A result over two settings of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.report.figures.style import BLACK
from capsim.report.numbers import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MEANING = {
    "missed": ("targets missed", 1.0),
    "objective_cny": ("total cost, million RMB, discounted", 1e6),
    "avoidable_cny": ("cost of the decisions, million RMB, discounted", 1e6),
    "displaced": ("children made to change school, all years", 1.0),
    "shortfall": ("child-years without a place", 1.0),
    "surplus_last": ("empty compulsory places in the last year", 1.0),
    "opened": ("candidates opened", 1.0),
    "converted": ("schools converted", 1.0),
    "purchased_most": ("most places purchased in a year", 1.0),
    "least_probability": ("chance of the least likely target, %", 0.01),
    "gap": ("proved gap, %", 0.01),
}
"""Columns of `summary`: what they are, and the unit they are drawn in."""


def heat_map(ax: Axes, table: pd.DataFrame, column: str) -> None:
    """Draw a result over two settings, every cell with its number, on an Axes.

    Parameters
    ----------
    table
        As `capsim.compare.heat` gives it; NaN is where there is no plan.
    column
        Of `summary`.
    """
    meaning, unit = MEANING[column]
    values = np.ma.masked_invalid(table.to_numpy(float) / unit)
    picture = ax.pcolormesh(values, cmap="cividis", edgecolors="white", linewidth=1)
    low, high = (values.min(), values.max()) if values.count() else (0.0, 1.0)
    for row, column_at in np.ndindex(*values.shape):
        value = values[row, column_at]
        known = value is not np.ma.masked
        light = known and high > low and (value - low) / (high - low) > 0.55
        text = _number(float(value)) if known else "no plan"
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
        ax.text(
            column_at + 0.5,
            row + 0.5,
            text,
            color=BLACK if light or not known else "white",
            **look,
        )
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, list(table.columns))
    ax.set_yticks(np.arange(table.shape[0]) + 0.5, list(table.index))
    ax.set_xlabel(str(table.columns.name))
    ax.set_ylabel(str(table.index.name))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_title(meaning[:1].upper() + meaning[1:])
    ax.figure.colorbar(picture, ax=ax, format=lambda value, _: _number(value))


def _number(value: float) -> str:
    return count(value) if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")
