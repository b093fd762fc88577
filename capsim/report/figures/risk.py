"""What the simulation says: children without a place by year, and how likely each target is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from capsim.report.figures.style import BLUE, ORANGE, counts_on, note, school_years
from capsim.report.numbers import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from capsim.optimize import Plan
    from capsim.simulate import Outcomes


def shortfall_table(outcomes: Outcomes, stage: str) -> pd.DataFrame:
    """Tabulate simulated children of a stage without a place, whole, by school year (index)."""
    table = outcomes.tables["shortfall"]
    rows = table[(table["area"] == "*") & (table["stage"] == stage)]
    return rows.set_index("school_year").sort_index()


def shortfall_fan(ax: Axes, outcomes: Outcomes, stage: str) -> None:
    """Draw the simulated children without a place of a stage as a fan chart on an Axes."""
    table = shortfall_table(outcomes, stage)
    years = table.index.to_numpy()
    ax.fill_between(
        years,
        table["p05"],
        table["p95"],
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        label="90 % of simulations",
    )
    ax.plot(years, table["p50"], color=BLUE, marker="o", markersize=4, label="median")
    ax.plot(years, table["mean"], color=ORANGE, linestyle="--", label="mean")
    ax.set_ylim(0, max(1.0, 1.08 * float(table[["p95", "mean"]].to_numpy().max(initial=0.0))))
    title = stage
    if len(table):
        worst = int(np.argmax(table["mean"].to_numpy()))
        chance = 100 * table["probability"].to_numpy()[worst]
        title += f": some in {chance:.0f} % of simulations of {years[worst]}"
    ax.set_title(title, fontsize=10)
    ax.set_ylabel("children without a place")
    counts_on(ax.yaxis)
    school_years(ax)


def target_chances(ax: Axes, plan: Plan, outcomes: Outcomes) -> None:
    """Draw the probability of each target on its date, with its 95 % interval, on an Axes."""
    table = outcomes.tables["targets"]
    at = np.arange(len(table))
    chance = table["probability"].to_numpy()
    spread = np.maximum(0.0, np.vstack([chance - table["low"], table["high"] - chance]))
    ax.barh(at, chance, height=0.55, color="#C6DBEF", edgecolor=BLUE, linewidth=0.6)
    ax.errorbar(chance, at, xerr=spread, fmt="o", color=BLUE, markersize=4, capsize=3)
    for y, x, row in zip(at, table["high"], table.to_dict("records"), strict=True):
        ax.annotate(
            f"{100 * row['probability']:.0f} %",
            (x, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.set_yticks(
        at, [f"{row['id']}, by {row['by']}" for row in table.to_dict("records")], fontsize=8
    )
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(table) - 0.4, -0.6)
    ax.set_xlim(0, 1.14)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("share of simulations in which the target holds")
    ax.set_title("How likely each target is")
    note(
        ax,
        plan.scenario,
        f"{count(outcomes.draws)} simulations, seed {outcomes.seed}; bars of error: 95 %.",
    )
