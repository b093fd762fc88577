"""Scenarios side by side: what takes the pupils in, and what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.report.figures.cost import KINDS
from capsim.report.figures.private import TERMS
from capsim.report.figures.style import Look, bar_style, counts_on, short
from capsim.report.language import Words, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from capsim.compare import Comparison


def mixes(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw what the fall in private pupils is made of, a bar for each scenario, on an Axes."""
    say = words(lang)
    table = comparison.tables["mix"].set_index("scenario")
    _stack(ax, table[list(TERMS)], TERMS, say)
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
    table = table.fillna(0.0) / (1e8 if lang == "zh" else 1e9)
    known = [kind for kind in KINDS if kind in table.columns and table[kind].abs().max() > 1e-5]
    _stack(ax, table[known], KINDS, say)
    ax.set_xlabel(say("billion RMB, discounted, beyond what is committed"))
    ax.set_title(say("What the decisions cost, by scenario"))


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
    ax.set_yticks(at, [short(name) for name in table.index])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
