"""How large classes are: their distribution by stage, with what counts as large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter
from scipy.special import ndtr

from capsim.report.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILLION
from capsim.report.language import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from capsim.optimize import Plan

SIZES = np.arange(10, 76)
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))


def class_size_table(plan: Plan, school_year: int) -> pd.DataFrame:
    """Share of classes of each size in public schools, by compulsory stage.

    The sizes of a school's classes spread about its mean, pupils ÷ classes, as a normal
    distribution with the scenario's `class_size_sd`; the model's share of large classes uses the
    same. Sizes outside the range shown are not in the sums.

    Returns
    -------
    DataFrame
        Index size (pupils in a class); a column a stage with classes; shares of its classes.
    """
    schools = plan.tables["schools"]
    rows = schools[(schools["school_year"] == school_year) & (schools["classes"] > 0)]
    sd = max(float(plan.scenario.settings.policy.class_size_sd), 0.25)
    shares = {}
    for stage in plan.scenario.settings.stages.compulsory:
        mine = rows[rows["stage"] == stage]
        classes = mine["classes"].to_numpy(float)
        if classes.sum() > 0:
            mean = mine["public"].to_numpy(float) / classes
            edges = ndtr((np.append(SIZES, SIZES[-1] + 1)[:, None] - 0.5 - mean) / sd)
            shares[stage] = np.diff(edges, axis=0) @ classes / classes.sum()
    if not shares:
        return pd.DataFrame()
    return pd.DataFrame(shares, index=pd.Index(SIZES, name="size"))


def class_sizes(ax: Axes, plan: Plan, school_year: int, *, lang: str = "en") -> None:
    """Draw the distribution of class sizes in public schools of a school year on an Axes."""
    say = words(lang)
    table = class_size_table(plan, school_year)
    top = float(table.to_numpy().max(initial=0.01))
    for (stage, share), (colour, line) in zip(table.items(), LINES, strict=False):
        given = plan.scenario.stages[str(stage)]
        large = float(share[table.index >= given.large_class].sum())
        label = say("{stage}: {share} large", stage=say.name(str(stage)), share=say.share(large))
        ax.plot(table.index, share, color=colour, linestyle=line, linewidth=1.8, label=label)
        ax.axvline(given.class_size, color=colour, linestyle=line, linewidth=0.8, alpha=0.7)
    given = plan.scenario.stages[str(table.columns[0])]
    ax.axvspan(given.large_class - 0.5, SIZES[-1], color="#F2F2F2", zorder=0)
    for at, text in (
        (given.large_class, say("large: {size}+", size=given.large_class)),
        (given.very_large_class, say("very large: {size}+", size=given.very_large_class)),
    ):
        ax.axvline(at - 0.5, color=VERMILLION, linewidth=1)
        ax.annotate(
            text,
            (at, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(0, -2),
            textcoords="offset points",
            va="top",
            fontsize=7,
            color=BLACK,
            rotation=90,
        )
    ax.set_xlim(SIZES[0], SIZES[-1])
    ax.set_ylim(0, 1.3 * top)
    ax.set_xlabel(say("pupils in a class (thin lines: the standard)"))
    ax.set_ylabel(say("share of classes"))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_title(str(school_year), fontsize=10)
    ax.legend(loc="upper left")
