"""Scenarios side by side: what takes the pupils in, what it costs, how surely costs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.compare import shown
from capsim.report.figures.cost import KINDS
from capsim.report.figures.private import TERMS
from capsim.report.figures.style import BLACK, GREY, Look, bar_style, counts_on, short
from capsim.report.language import Words, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from capsim.compare import Comparison

PAID = "paid_cny"
"""Simulated figure of which differences are told: what is paid, without the price of no place."""
WIDEST = 40
"""Columns of a scenario's name beside its row."""


def mixes(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw what the fall in private pupils is made of, a bar for each scenario, on an Axes."""
    say = words(lang)
    table = comparison.tables["mix"].set_index("scenario")
    _stack(ax, table[list(TERMS)], TERMS, say)
    _named(ax, comparison, table.index)
    for at, total in enumerate(table["total"]):
        ax.plot([total, total], [at - 0.38, at + 0.38], color="black", linewidth=2)
        place: dict[str, Any] = {
            "xytext": (4, 0),
            "textcoords": "offset points",
            "va": "center",
            "fontsize": 8,
        }
        right = table[list(TERMS)].clip(lower=0).sum(axis=1).iloc[at]
        ax.annotate(say.count(total), (right, at), **place)
    ax.margins(x=0.12)
    counts_on(ax.xaxis, say)
    ax.set_xlabel(say("pupils (the black line is the sum)"))
    ax.set_title(say("What takes in the pupils who leave private schools, by scenario"))


def costs(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw the avoidable cost by kind, a bar for each scenario, on an Axes."""
    say = words(lang)
    table = comparison.tables["costs"].pivot_table(
        index="scenario", columns="kind", values="avoidable_cny", aggfunc="sum", sort=False
    )
    unit, label = _unit(table.sum(axis=1).abs().max(), lang)
    table = table.fillna(0.0) / unit
    known = [kind for kind in KINDS if kind in table.columns and table[kind].abs().max() > 1e-5]
    _stack(ax, table[known], KINDS, say)
    _named(ax, comparison, table.index)
    ax.xaxis.set_major_formatter("{x:,g}")
    ax.set_xlabel(say("{unit}, discounted, beyond what is committed", unit=label))
    ax.set_title(say("What the decisions cost, by scenario"))


def cost_differences(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw by how much each scenario costs more than the first, with its 95 % interval, on an Axes.

    Raises
    ------
    ValueError
        Nothing was simulated of which a difference could be taken.
    """
    say = words(lang)
    table = comparison.tables["differences"]
    table = table[table["what"] == PAID] if len(table) else table
    if not len(table):
        raise ValueError("no simulated differences of cost to draw")
    unit, label = _unit(float(np.nanmax(table[["low", "high"]].abs().to_numpy(float))), lang)
    mean, low, high = (table[key].to_numpy(float) / unit for key in ("difference", "low", "high"))
    at = np.arange(len(table))
    ax.errorbar(
        mean,
        at,
        xerr=np.nan_to_num(np.array([mean - low, high - mean]).clip(min=0.0)),
        fmt="o",
        color=BLACK,
        capsize=4,
        markersize=5,
    )
    ax.axvline(0, color=GREY, linewidth=1.2)
    _named(ax, comparison, table["scenario"])
    ax.xaxis.set_major_formatter("{x:,g}")
    first = short(comparison.first)
    ax.set_xlabel(say("cost above that of {first}, {unit}, discounted", first=first, unit=label))
    ax.set_title(say("How much dearer, on the same luck: means and 95 % intervals"))


def _stack(ax: Axes, table: pd.DataFrame, looks: Mapping[str, Look], say: Words) -> None:
    """Draw bars to the right for what is positive and to the left for what is not."""
    at = np.arange(len(table))
    right, left = np.zeros(len(table)), np.zeros(len(table))
    for name in table.columns:
        width = table[name].to_numpy()
        start = np.where(width >= 0, right, left)
        ax.barh(at, width, left=start, height=0.7, **bar_style(looks[str(name)], say))
        right += np.maximum(width, 0.0)
        left += np.minimum(width, 0.0)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _named(ax: Axes, comparison: Comparison, names: Iterable[str]) -> None:
    """Write the scenarios beside their rows: one of a grid by its settings, a line each."""
    labels = []
    for name in names:
        change = comparison.factors.get(name, {})
        told = [f"{key.partition('.')[2] or key}={shown(value)}" for key, value in change.items()]
        labels.append("\n".join(short(one, WIDEST) for one in told or [name]))
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")


def _unit(largest: float, lang: str) -> tuple[float, str]:
    """Choose what money is counted in, and its name."""
    if lang == "zh":
        return (1e8, "亿元") if largest >= 1e8 else (1e4, "万元")
    return (1e9, "billion RMB") if largest >= 1e9 else (1e6, "million RMB")
