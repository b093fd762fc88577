"""Figures of the plan's cost, by kind and year."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from capsim.plan.plan import Plan
from capsim.report.figures.places import of_county
from capsim.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    drawing,
    legend_beside,
    money_on,
    money_unit,
    note,
    school_years,
    stack,
)

KINDS = {
    "staff": Look("staff", "#D9D9D9", ""),
    "running": Look("running", SKY, "\\\\"),
    "capital": Look("capital", BLUE, "//"),
    "purchase": Look("purchase", ORANGE, ".."),
    "conversion": Look("conversion", GREEN, "xx"),
    "hiring": Look("hiring", "#F0E442", "--"),
    "travel": Look("travel", "#B2DF8A", "++"),
    "boarding": Look("boarding", "#FB9A99", "xx"),
    "overfill": Look("over-filling", PURPLE, "oo"),
    "displacement": Look("displacement", VERMILLION, "||"),
    "closure": Look("closure", "#8C510A", ""),
    "shortfall": Look("shortfall", BLACK, ""),
    "salvage": Look("salvage", "#F7F7F7", "**"),
}


def cost_table(plan: Plan, county: str | None = None) -> pd.DataFrame:
    """Tabulate avoidable cost by year (school year, calendar year for capital) and kind.

    Of all counties, or of one.
    RMB, discounted, what is committed whatever is decided taken off.
    """
    costs = of_county(plan.tables["costs"], county)
    costs = costs.assign(avoidable_cny=costs["discounted_cny"] - costs["committed_cny"])
    table = costs.pivot_table(
        index="school_year", columns="kind", values="avoidable_cny", aggfunc="sum", fill_value=0.0
    )
    known = [kind for kind in KINDS if kind in table.columns]
    return pd.DataFrame(table, columns=known + sorted(set(table.columns) - set(known)))


@drawing(9, 5)
def cost(ax: Axes, plan: Plan, *, lang: str = "en") -> None:
    """Draw the avoidable cost by kind and year, discounted, on an Axes."""
    say = plan.scenario.words(lang)
    table = cost_table(plan)
    table = table[table.abs().max(axis=1) > 1]
    unit, label = money_unit(say)
    drawn = table.loc[:, (table.abs() >= 1e4).any()] / unit
    below, above = stack(ax, drawn, KINDS, say)
    ax.axhline(0, color="black", linewidth=0.8)
    low, high = 1.04 * below.min(initial=0.0), 1.04 * above.max(initial=0.0)
    ax.set_ylim(low, high if high > low else 1.0)
    ax.set_title(say("What the decisions cost, by kind and year"))
    year = plan.scenario.first_year
    ax.set_ylabel(say("{unit}, discounted to {year}", unit=label, year=year))
    money_on(ax.yaxis)
    ax.grid(visible=False, axis="x")
    school_years(ax, table.index if len(table) else plan.scenario.years, say)
    ax.set_xlabel(say("school year (calendar year for capital)"))
    legend_beside(ax)
    text = say("Beyond what is committed whatever is decided (staff on post, ordered projects).")
    note(ax, plan.scenario, say, text)
