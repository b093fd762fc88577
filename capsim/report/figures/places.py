"""Figures of children: where they sit, what they lack, private shares, and what it all costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.special import ndtr

from capsim.demand.projection import Demand
from capsim.demand.rolling_origin import Backtest
from capsim.i18n.language import words
from capsim.plan.plan import Plan
from capsim.report.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SEATS,
    SKY,
    STYLE,
    VERMILLION,
    Look,
    bar_style,
    beside,
    counts_on,
    drawing,
    legend_beside,
    money_on,
    money_unit,
    name_rows,
    new_figure,
    note,
    school_years,
    short,
    stack,
)
from capsim.scenario.scenario import Scenario
from capsim.simulation.outcomes import Outcomes

EMPTY = Look("empty seats", "#A6CEE3", "")
SIZES = np.arange(10, 76)
LINES = ((BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"))


def of_county(table: pd.DataFrame, county: str | None) -> pd.DataFrame:
    """Return the rows of a county; all of them where none is named."""
    return table if county is None else table[table["county"] == county]


def mix_table(plan: Plan, county: str | None = None) -> pd.DataFrame:
    """Tabulate pupils of the compulsory stages by where they sit in autumn: of all, or of a county.

    Returns
    -------
    DataFrame
        Index school_year; columns existing, new, converted (all pupils of converted schools),
        purchased, overfilled (of public schools from the start), private (fee-paying), shortfall;
        persons.
    """
    stages = list(plan.scenario.settings.stages.compulsory)
    balance = of_county(plan.tables["balance"], county)
    schools = of_county(plan.tables["schools"], county)
    schools = schools[schools["stage"].isin(stages)]
    seats = balance[balance["stage"].isin(stages)].groupby("school_year").sum(numeric_only=True)
    seats = seats.reindex(list(plan.scenario.years), fill_value=0.0)
    bought = schools.groupby("school_year")["purchased"].sum().reindex(seats.index, fill_value=0.0)
    over = schools[schools["sector"] == "public"].groupby("school_year")["overfilled"].sum()
    return pd.DataFrame(
        {
            "existing": seats["existing_used"],
            "new": seats["new_used"],
            "converted": seats["converted"],
            "purchased": bought,
            "overfilled": over.reindex(seats.index, fill_value=0.0),
            "private": seats["private"] - bought,
            "shortfall": seats["shortfall"],
        }
    )


@drawing(9, 5)
def mix(ax: Axes, plan: Plan, *, lang: str = "en") -> None:
    """Draw where the pupils of the compulsory stages sit, by school year, on an Axes."""
    say = words(lang)
    table = mix_table(plan)
    _, top = stack(ax, table.loc[:, table.max() >= 0.5], SEATS, say)
    ax.set_title(say("Where pupils of the compulsory stages sit"))
    ax.set_ylabel(say("pupils on 1 September"))
    ax.set_ylim(0, 1.02 * top.max(initial=1.0))
    ax.grid(visible=False, axis="x")
    counts_on(ax.yaxis, say)
    school_years(ax, table.index, say)
    legend_beside(ax)
    note(ax, plan.scenario, say, say("Over-filled classes: pupils above the standard class size."))


def balance_table(plan: Plan, stage: str, school_year: int, most: int = 60) -> pd.DataFrame:
    """Tabulate seats left over and missing of a stage in a school year, by area or county.

    Returns
    -------
    DataFrame
        Index area or county; columns surplus, overfilled, shortfall; persons.
    """
    balance = plan.tables["balance"]
    rows = balance[(balance["stage"] == stage) & (balance["school_year"] == school_year)]
    key = "area" if rows["area"].nunique() <= most else "county"
    columns = ["surplus", "overfilled", "shortfall"]
    return pd.DataFrame(rows.groupby(key, sort=False)[columns].sum())


def balance_reach(table: pd.DataFrame) -> float:
    """Return the length of the longest bar of a balance: seats left over, or missing."""
    missing = table["overfilled"] + table["shortfall"]
    return float(max(table["surplus"].max(), missing.max())) if len(table) else 0.0


@drawing(7, 6)
def balance(
    ax: Axes,
    plan: Plan,
    stage: str,
    school_year: int,
    *,
    names: bool = True,
    reach: float | None = None,
    lang: str = "en",
) -> None:
    """Draw the seats left over (right) and missing (left) of a stage, by area, on an Axes.

    Parameters
    ----------
    names
        Whether to write the names of the areas (off when a neighbour shares the axis).
    reach
        Seats to the end of the axis on either side, so that years can be compared; the longest
        bar unless given (`balance_reach`).
    """
    say = words(lang)
    table = balance_table(plan, stage, school_year)
    at = np.arange(len(table))
    surplus, over = table["surplus"].to_numpy(), table["overfilled"].to_numpy()
    missing = table["shortfall"].to_numpy()
    ax.barh(at, surplus, height=0.78, **bar_style(EMPTY, say))
    ax.barh(at, -over, height=0.78, **bar_style(SEATS["overfilled"], say))
    ax.barh(at, -missing, left=-over, height=0.78, **bar_style(SEATS["shortfall"], say))
    ax.axvline(0, color="black", linewidth=0.8)
    reach = reach or max(1.0, balance_reach(table))
    ax.set_xlim(-1.08 * reach, 1.08 * reach)
    name_rows(ax, [short(name) for name in table.index], 7)
    if not names:
        ax.set_yticks([])
    ax.locator_params(axis="x", nbins=4)
    counts_on(ax.xaxis, say)
    ax.set_title(f"{say.name(stage)}, {school_year}", fontsize=10)
    lack, empty = say.count((over + missing).sum()), say.count(surplus.sum())
    label = say("← {lack} above standard or no place\n{empty} empty →", lack=lack, empty=empty)
    ax.set_xlabel(label, fontsize=8)


def class_size_table(plan: Plan, school_year: int, county: str | None = None) -> pd.DataFrame:
    """Share of classes of each size in public schools, by compulsory stage: of all, or of a county.

    The sizes of a school's classes spread about its mean, pupils ÷ classes, as a normal
    distribution with the scenario's `class_size_sd`; the model's share of large classes uses the
    same. Sizes outside the range shown are not in the sums.

    Returns
    -------
    DataFrame
        Index size (pupils in a class); a column a stage with classes; shares of its classes.
    """
    schools = of_county(plan.tables["schools"], county)
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


@drawing(7, 4.2)
def class_sizes(ax: Axes, plan: Plan, school_year: int, *, lang: str = "en") -> None:
    """Draw the distribution of class sizes in public schools of a school year on an Axes."""
    say = words(lang)
    table = class_size_table(plan, school_year)
    top = float(table.to_numpy().max(initial=0.01))
    for (stage, share), (colour, line) in zip(table.items(), LINES, strict=False):
        standard = plan.scenario.stages[str(stage)]
        large = float(share[table.index >= standard.large_class].sum())
        label = say("{stage}: {share} large", stage=say.name(str(stage)), share=say.share(large))
        ax.plot(table.index, share, color=colour, linestyle=line, linewidth=1.8, label=label)
        ax.axvline(standard.class_size, color=colour, linestyle=line, linewidth=0.8, alpha=0.7)
    standard = plan.scenario.stages[str(table.columns[0])]
    ax.axvspan(standard.large_class - 0.5, SIZES[-1], color="#F2F2F2", zorder=0)
    for at, text in (
        (standard.large_class, say("large: {size}+", size=standard.large_class)),
        (standard.very_large_class, say("very large: {size}+", size=standard.very_large_class)),
    ):
        ax.axvline(at - 0.5, color=VERMILLION, linewidth=1)
        look: dict[str, Any] = {"va": "top", "fontsize": 7, "color": BLACK, "rotation": 90}
        beside(ax, text, (at, 0.98), 0, -2, xycoords=("data", "axes fraction"), **look)
    ax.set_xlim(SIZES[0], SIZES[-1])
    ax.set_ylim(0, 1.3 * top)
    ax.set_xlabel(say("pupils in a class (thin lines: the standard)"))
    ax.set_ylabel(say("share of classes"))
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_title(str(school_year), fontsize=10)
    ax.legend(loc="upper left")


BANDS = (
    (0.025, 0.975, "95 % of draws", "#D0E3F0"),
    (0.1, 0.9, "80 %", "#9CC6E2"),
    (0.25, 0.75, "50 %", "#5FA3CE"),
)

LEVELS = {"total": "the whole", "area": "areas", "grade": "grades of areas"}
PALE = "#D6D6D6"
METHOD_LINES = (
    (BLUE, "o"),
    (ORANGE, "s"),
    (GREEN, "^"),
    (VERMILLION, "D"),
    (PURPLE, "v"),
    (SKY, "P"),
)


@drawing(8, 4.2)
def enrolment_fan(ax: Axes, demand: Demand, grades: tuple[str, ...], *, lang: str = "en") -> None:
    """Draw the whole's children of some grades, with bands where there are draws, on an Axes."""
    say = words(lang)
    rows = [demand.grades.index(grade) for grade in grades]
    if demand.draws is not None:
        total = demand.draws[:, :, rows].sum((1, 2))
        for low, high, part, colour in BANDS:
            edges = np.quantile(total, [low, high], axis=0)
            ax.fill_between(demand.years, *edges, color=colour, linewidth=0, label=say(part))
    middle = demand.pupils[:, rows].sum((0, 1))
    ax.plot(demand.years, middle, color=BLUE, marker="o", markersize=3, label=say("projection"))
    ax.set_ylim(bottom=0)
    counts_on(ax.yaxis, say)
    school_years(ax, demand.years, say, most=7)


def forecast_figure(scenario: Scenario, demand: Demand, *, lang: str = "en") -> Figure:
    """Draw a fan chart for each planned stage."""
    say = words(lang)
    stages = tuple(scenario.stages.values())
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 2.9 * ((len(stages) + 1) // 2))
        axes = figure.subplots((len(stages) + 1) // 2, 2, squeeze=False)
        for ax, stage in zip(axes.flat, stages, strict=False):
            enrolment_fan(ax, demand, stage.grades, lang=lang)
            ax.set_title(say.name(stage.name))
            ax.set_ylabel(say("children"))
        for ax in axes.flat[len(stages) :]:
            ax.set_visible(False)
        axes.flat[0].legend(loc="lower left")
    return figure


def backtest_table(backtest: Backtest, level: str) -> pd.DataFrame:
    """Return the weighted error by method (index) and years ahead, at a level."""
    rows = backtest.table[backtest.table["level"] == level]
    table = rows.pivot_table(index="method", columns="lead", values="wape", sort=False)
    return table.dropna(how="all")


def backtest_errors(ax: Axes, backtest: Backtest, level: str = "area") -> None:
    """Draw the weighted error of each method by years ahead, at a level, on an Axes.

    ``auto`` is what lies on one of the others for the most part: a broad line behind them.
    """
    table = backtest_table(backtest, level)
    for number, (method, row) in enumerate(table.iterrows()):
        if method == "auto":
            ax.plot(row.index, row, color=PALE, linewidth=8, zorder=1, label="auto")
            continue
        colour, marker = METHOD_LINES[number % len(METHOD_LINES)]
        dashes = "-" if number < len(METHOD_LINES) else "--"
        ax.plot(
            row.index, row, color=colour, marker=marker, markersize=5, ls=dashes, label=str(method)
        )
    ax.set_ylim(bottom=0)
    ax.set_xticks(list(table.columns))
    ax.set_title(f"How far forecasts of {LEVELS[level]} missed")
    ax.set_xlabel("years ahead")
    ax.set_ylabel("weighted absolute error, % of pupils")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


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
"""Kinds of cost."""


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


TERMS = {
    "new_seats": SEATS["new"],
    "converted": SEATS["converted"],
    "purchased": SEATS["purchased"],
    "overfilled": SEATS["overfilled"],
    "existing_seats": SEATS["existing"],
    "fewer_pupils": Look("fewer pupils", "#332288", ""),
}
"""Parts of the fall in private pupils."""


@drawing(9, 4.8)
def private_share(
    ax: Axes, plan: Plan, outcomes: Outcomes | None = None, *, lang: str = "en"
) -> None:
    """Draw the private share of compulsory enrolment by year under both counting rules.

    With outcomes the middle 90 % of the simulated shares is shaded.
    """
    say = words(lang)
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


def has_private(summary: Mapping[str, Any]) -> bool:
    """Say of a summary whether there are private schools, before the plan or in any year of it."""
    some = any(share["including_purchased"] > 0 for share in summary["private_share"].values())
    return some or bool(abs(summary["reduction"].get("total", 0.0)) >= 0.5)


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
    say = words(lang)
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
