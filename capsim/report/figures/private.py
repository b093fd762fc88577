"""Figures of the private share under both counting rules, and of the parts of the reduction."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from capsim.plan.plan import Plan
from capsim.report.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    SEATS,
    VERMILLION,
    Look,
    bar_style,
    beside,
    counts_on,
    drawing,
    note,
    school_years,
)
from capsim.simulation.outcomes import Outcomes

TERMS = {
    "new_seats": SEATS["new"],
    "converted": SEATS["converted"],
    "purchased": SEATS["purchased"],
    "overfilled": SEATS["overfilled"],
    "existing_seats": SEATS["existing"],
    "fewer_pupils": Look("fewer pupils", "#332288", ""),
}


@drawing(9, 4.8)
def private_share(
    ax: Axes, plan: Plan, outcomes: Outcomes | None = None, *, lang: str = "en"
) -> None:
    """Draw the private share of compulsory enrolment by year under both counting rules.

    With outcomes the middle 90 % of the simulated shares is shaded.
    """
    say = plan.scenario.words(lang)
    table = plan.tables["shares"]
    whole = table[table["county"] == "*"].sort_values("school_year")
    years = whole["school_year"].to_numpy()
    rules = (
        ("excluding_purchased", "purchased places not counted", BLUE, "o", "-"),
        ("including_purchased", "purchased places counted", ORANGE, "s", "--"),
    )
    for rule, label, colour, marker, line in rules:
        name = say(label)
        ax.plot(
            years, whole[f"share_{rule}"], color=colour, marker=marker, linestyle=line, label=name
        )
        if outcomes is not None:
            drawn = outcomes.tables["shares"]
            drawn = drawn[drawn["county"] == "*"].sort_values("school_year")
            short = rule.removesuffix("_purchased")
            ax.fill_between(
                drawn["school_year"],
                drawn[f"share_{short}_p05"],
                drawn[f"share_{short}_p95"],
                color=colour,
                alpha=0.25,
                linewidth=0,
                label=say("{what}: 90 % of simulations", what=name),
            )
    caps = plan.scenario.settings.policy.private_share_cap
    if caps:
        steps = [(year, cap) for year, cap in sorted(caps.items()) if year <= years.max()]
        edges = [year for year, _ in steps] + [int(years.max()) + 0.5]
        ax.stairs(
            [cap for _, cap in steps],
            [edges[0] - 0.5, *edges[1:]],
            baseline=None,
            color=VERMILLION,
            linewidth=1.4,
            linestyle=":",
            label=say("cap"),
        )
    ax.set_ylim(bottom=0)
    ax.set_title(say("Private share of compulsory enrolment"))
    ax.set_ylabel(say("share of pupils on 31 December"))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    school_years(ax, years, say)
    ax.legend(loc="upper right")
    counted = plan.scenario.settings.policy.purchased_counts_as_private
    text = (
        say("The cap counts private pupils with purchased places.")
        if counted
        else say("The cap counts private pupils without purchased places.")
    )
    note(ax, plan.scenario, say, text)


def reduction_table(plan: Plan, school_year: int | None = None) -> pd.Series:
    """Return the plan's `reduction` row of a school year (the ordered one unless given)."""
    table = plan.tables["reduction"].set_index("school_year")
    if school_year is None:
        year = int(plan.scenario.settings.policy.reduction_year)
        school_year = year if year in table.index else int(table.index[0])
    return pd.Series(table.loc[school_year])


@drawing(9, 5)
def reduction(ax: Axes, plan: Plan, school_year: int | None = None, *, lang: str = "en") -> None:
    """Draw the fall in counted private pupils against the base year as a waterfall."""
    say = plan.scenario.words(lang)
    row = reduction_table(plan, school_year)
    steps = np.array([row[name] for name in TERMS], float)
    starts = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    for at, (look, start, step) in enumerate(zip(TERMS.values(), starts, steps, strict=True)):
        ax.bar(at, step, bottom=start, width=0.7, **bar_style(look, say))
        ax.plot([at + 0.35, at + 0.65], [start + step] * 2, color=GREY, linewidth=0.8)
        _label(ax, at, max(start, start + step), say.count(step))
    total = float(row["total"])
    last = len(TERMS)
    ax.bar(last, total, width=0.7, color="#595959", edgecolor="white")
    _label(ax, last, max(total, 0.0), say.count(total))
    top = max(float(np.max(starts + steps)), float(np.max(starts)), total, 0.0)
    ordered = float(row["ordered"])
    if ordered > 0:
        top = max(top, ordered)
        ax.axhline(ordered, color=VERMILLION, linestyle=":", linewidth=1.4)
        text = say("ordered: {number}", number=say.count(ordered))
        where = ("axes fraction", "data")
        beside(ax, text, (0.01, ordered), 0, 4, xycoords=where, color=VERMILLION)
    low = min(0.0, float(np.min(starts + steps)))
    ax.set_ylim(1.05 * low, 1.13 * top if top > 0 else 1.0)
    ax.axhline(0, color="black", linewidth=0.8)
    labels = [say(look.label).replace(" ", "\n", 1) for look in TERMS.values()]
    ax.set_xticks(range(last + 1), [*labels, say("fall in\nprivate pupils")])
    ax.tick_params(axis="x", length=0)
    ax.grid(visible=False, axis="x")
    title = "What takes in the pupils who leave private schools by 1 September {year}"
    ax.set_title(say(title, year=row.name))
    ax.set_ylabel(say("pupils, against autumn {year}", year=plan.scenario.base_year))
    counts_on(ax.yaxis, say)
    text = say(
        "Grades of the compulsory stages. Each term is computed on its own; together they are"
        " the fall in counted private pupils."
    )
    note(ax, plan.scenario, say, text)


def _label(ax: Axes, x: float, y: float, text: str) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    beside(ax, text, (x, y), 0, 3, ha="center", fontweight="bold", bbox=box)
