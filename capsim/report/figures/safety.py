"""The price of safety: extra cost against the probability that the targets hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from capsim.report.figures.style import BLUE, GREY, STYLE, VERMILLION, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEAR = 3.0
"""Percentage points within which points share a label."""


def safety(ax: Axes, curve: pd.DataFrame) -> None:
    """Draw plans as points, with the interval of their probability, on an Axes.

    Parameters
    ----------
    ax : Axes
    curve : DataFrame
        As `capsim.safety_curve` gives it.
    """
    ordered = curve.sort_values(["probability", "extra_cny"], kind="stable")
    x = 100 * ordered["probability"].to_numpy()
    y = ordered["extra_cny"].to_numpy() / 1e6
    error = 100 * np.abs(ordered[["low", "high"]].to_numpy().T - ordered["probability"].to_numpy())
    reached = ordered["reached"].to_numpy(bool)
    ax.plot(x, y, color=GREY, linewidth=1)
    for flag, colour, label in (
        (reached, BLUE, "probability asked for is reached"),
        (~reached, VERMILLION, "not reached: the safest plan found"),
    ):
        if flag.any():
            ax.errorbar(
                x[flag],
                y[flag],
                xerr=error[:, flag],
                color=colour,
                fmt="o" if colour == BLUE else "s",
                markersize=5,
                capsize=2,
                linewidth=1,
                label=label,
            )
    for text, along, up in _labels(ordered["asked"].tolist(), x.tolist(), y.tolist()):
        ax.annotate(
            text, (along, up), xytext=(-6, 8), textcoords="offset points", ha="right", fontsize=8
        )
    ax.set_xlim(max(0.0, min(x) - 15), 102)
    ax.margins(y=0.15)
    ax.set_xlabel("probability that all targets hold, % (with 95 % interval)")
    ax.set_ylabel("extra discounted cost, million RMB")
    ax.legend(loc="upper left")


def _labels(asked: list[float], x: list[float], y: list[float]) -> list[tuple[str, float, float]]:
    """Label points, those that lie together in one: text and place."""
    height = max(y) - min(y) or 1.0
    groups: list[list[int]] = []
    for at in range(len(x)):
        last = groups[-1][-1] if groups else None
        near = last is not None and x[at] - x[last] < NEAR and abs(y[at] - y[last]) < height / 12
        if near:
            groups[-1].append(at)
        else:
            groups.append([at])
    out = []
    for group in groups:
        wanted = sorted(asked[at] for at in group)
        names = [f"{one:.0%}".replace("%", " %") for one in wanted if one > 0]
        parts = ["cheapest plan"] * (0 in wanted) + [f"asked {', '.join(names)}"] * bool(names)
        top = max(group, key=lambda at: y[at])
        out.append((", ".join(parts), x[group[0]], y[top]))
    return out


def safety_figure(curve: pd.DataFrame, title: str = "The price of safety") -> Figure:
    """Draw the curve as a figure of its own."""
    with mpl.rc_context(STYLE):
        figure = new_figure(7.2, 4.2)
        ax = figure.subplots()
        safety(ax, curve)
        ax.set_title(title)
    return figure
