"""The trade-off between two or three criteria: plans of which none is better in all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capsim.report.figures.style import BLUE, GREY, VERMILLION, counts_on, note
from capsim.report.language import words
from capsim.report.numbers import count

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from capsim.optimize.pareto import Front

NAMES = {
    "shortfall": "children without a place",
    "displaced": "children made to change school",
    "overfilled": "pupils above standard seats",
    "surplus": "empty places",
    "private": "private pupils",
    "purchased": "places bought",
    "away": "children outside their area",
    "travel": "travel cost",
    "capital": "capital paid",
}
UNPROVED = "a limit ended the search"
BINS = ("o", "s", "^", "D", "v")
"""Markers by the third criterion, the least first."""
COLOURS = ("#0D0887", "#8405A7", "#D35171", "#FDAE32", "#B8A800")
"""From least to most, dark to light, of the map plasma."""


def tradeoff_table(front: Front) -> pd.DataFrame:
    """Tabulate a front as drawn: its criteria and ``proved``, by the first criterion."""
    names = [aim.name for aim in front.criteria]
    return front.table[["point", *names, "proved"]].sort_values(names, ignore_index=True)


def tradeoff(ax: Axes, front: Front) -> None:
    """Draw a front on an Axes: first criterion to the right, second upward, third by marker.

    Of two criteria the staircase bounds what is shown to be attainable: everything above and to the
    right of it is matched or beaten by a plan on it. Between two points of a mixed-integer front
    there may be others, at limits that were not asked for. Points are numbered as in the table.
    """
    say = words("en")
    table = tradeoff_table(front)
    x_aim, y_aim = front.criteria[:2]
    x, y = table[x_aim.name].to_numpy(float), table[y_aim.name].to_numpy(float)
    if len(front.criteria) == 2:
        _attainable(ax, x, y)
        proved = table["proved"].to_numpy(bool)
        ax.scatter(x[proved], y[proved], color=BLUE, marker="o", zorder=3, label="plan")
        if not proved.all():
            ax.scatter(
                *(x[~proved], y[~proved]), color=VERMILLION, marker="x", zorder=3, label=UNPROVED
            )
    else:
        _by_third(ax, front, table, x, y)
    for point, across, up in zip(table["point"], x, y, strict=True):
        ax.annotate(str(point), (across, up), xytext=(5, 4), textcoords="offset points", fontsize=7)
    ax.margins(0.08)
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        if np.ptp(values) >= 20:
            counts_on(axis, say)
    ax.set_xlabel(f"{_named(x_aim.name)} ({x_aim.unit})")
    ax.set_ylabel(f"{_named(y_aim.name)} ({y_aim.unit})")
    title = f"{_named(y_aim.name)} against {_named(x_aim.name)}"
    ax.set_title(title[0].upper() + title[1:])
    if len(front.criteria) == 2:
        ax.legend(loc="upper right")
    text = "Every point is a plan; none is better in all criteria than another."
    if not front.complete:
        text += " Time ended before all limits were tried."
    note(ax, front.model.given.scenario, say, text)


def _attainable(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Shade what some plan of the front matches or beats."""
    right = x.max() + 0.15 * max(np.ptp(x), 1e-9)
    top = y.max() + 0.15 * max(np.ptp(y), 1e-9)
    across = np.append(np.repeat(x, 2)[1:], right)
    up = np.repeat(y, 2)
    ax.fill_between(
        across, up, top, color="#E8EEF4", linewidth=0, label="matched or beaten by a plan"
    )
    ax.plot(across, up, color=GREY, linewidth=0.8)


def _by_third(ax: Axes, front: Front, table: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> None:
    """Draw points by bands of the third criterion, a staircase for each."""
    aim = front.criteria[2]
    third = table[aim.name].to_numpy(float)
    edges = np.linspace(third.min(), third.max(), len(BINS) + 1)
    band = np.clip(np.searchsorted(edges, third, side="right") - 1, 0, len(BINS) - 1)
    for at, (marker, colour) in enumerate(zip(BINS, COLOURS, strict=True)):
        mine = np.flatnonzero(band == at)
        if not len(mine):
            continue
        low, high = third[mine].min(), third[mine].max()
        text = count(low) if count(low) == count(high) else f"{count(low)} to {count(high)}"
        ax.scatter(x[mine], y[mine], color=colour, marker=marker, zorder=3, label=text)
        order = mine[np.lexsort((y[mine], x[mine]))]
        ax.plot(x[order], y[order], color=colour, linewidth=0.7)
    title = f"{_named(aim.name)}\n({aim.unit})"
    ax.legend(title=title, loc="center left", bbox_to_anchor=(1.01, 0.5), alignment="left")


def _named(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))
