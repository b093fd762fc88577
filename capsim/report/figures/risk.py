"""Figures of a simulation: children without a place, how likely targets are, cost of safety."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from capsim.construction.acceleration import Acceleration
from capsim.i18n.language import CNY, Words, words
from capsim.plan.plan import Plan
from capsim.plan.targets import target_groups
from capsim.report.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    STYLE,
    VERMILLION,
    beside,
    counts_on,
    drawing,
    money_on,
    money_unit,
    name_rows,
    new_figure,
    note,
    school_years,
    short,
)
from capsim.simulation.outcomes import Outcomes


def shortfall_table(outcomes: Outcomes, stage: str) -> pd.DataFrame:
    """Tabulate simulated children of a stage without a place, whole, by school year (index).

    Returns
    -------
    DataFrame
        mean, p05, p25, p50, p75, p95 (persons), probability (of any).
    """
    fan = outcomes.tables["fan"]
    fan = fan[fan["series"] == f"shortfall_{stage}"].set_index("school_year")
    table = outcomes.tables["shortfall"]
    rows = table[(table["area"] == "*") & (table["stage"] == stage)].set_index("school_year")
    return fan.drop(columns="series").join(rows["probability"]).sort_index()


@drawing(6, 4)
def shortfall_fan(ax: Axes, outcomes: Outcomes, stage: str, *, lang: str = "en") -> None:
    """Draw the simulated children without a place of a stage as a fan chart on an Axes."""
    say = words(lang)
    table = shortfall_table(outcomes, stage)
    years = table.index.to_numpy()
    for low, high, part, colour in (("p05", "p95", 90, "#C6DBEF"), ("p25", "p75", 50, "#6BAED6")):
        label = say("{part} % of simulations", part=part)
        ax.fill_between(years, table[low], table[high], color=colour, linewidth=0, label=label)
    ax.plot(years, table["p50"], color=BLUE, marker="o", markersize=4, label=say("median"))
    ax.plot(years, table["mean"], color=ORANGE, linestyle="--", label=say("mean"))
    ax.set_ylim(0, max(1.0, 1.08 * float(table[["p95", "mean"]].to_numpy().max(initial=0.0))))
    title = say.name(stage)
    if len(table):
        worst = int(np.argmax(table["mean"].to_numpy()))
        chance = say.chance(table["probability"].to_numpy()[worst])
        year = years[worst]
        title += say(": some in {chance} of simulations of {year}", chance=chance, year=year)
    ax.set_title(title, fontsize=10)
    ax.set_ylabel(say("children without a place"))
    counts_on(ax.yaxis, say)
    school_years(ax, years, say, most=8)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))


@drawing(9, lambda plan, outcomes: 1.8 + 0.28 * len(target_groups(outcomes.tables["targets"])))
def target_chances(ax: Axes, plan: Plan, outcomes: Outcomes, *, lang: str = "en") -> None:
    """Draw the probability of each target on its date, with its 95 % interval, on an Axes.

    A rule that holds over many years has one row: its first date, and its least likely later one.
    """
    say = words(lang)
    table = outcomes.tables["targets"]
    groups = target_groups(table)
    at = np.arange(len(groups))
    chance = table["probability"].to_numpy()
    spread = np.vstack([chance - table["low"], table["high"] - chance]).clip(min=0.0)
    first, least = groups["first"].to_numpy(), groups["least"].to_numpy()
    some = groups["later"].to_numpy() > 0
    bar: dict[str, Any] = {"color": "#C6DBEF", "edgecolor": BLUE, "linewidth": 0.6}
    ax.barh(at, chance[first], height=0.55, **bar)
    dots: dict[str, Any] = {"fmt": "o", "color": BLUE, "markersize": 5, "capsize": 3}
    label = say("on its first date")
    ax.errorbar(chance[first], at, xerr=spread[:, first], label=label, **dots)
    if some.any():
        late: dict[str, Any] = {"color": ORANGE, "markersize": 7, "markeredgecolor": "black"}
        label = say("in its least likely later year")
        ax.plot(chance[least[some]], at[some], "D", markeredgewidth=0.5, label=label, **late)
    for y, one, other, follows in zip(at, first, least, some, strict=True):
        text = say.chance(chance[one])
        if follows:
            year = str(table["by"].iloc[other])[:4]
            text += say("; {year}: {chance}", year=year, chance=say.chance(chance[other]))
        beside(ax, text, (1.0, y), 8, 0, va="center", fontsize=8)
    names = [
        say("{rule}, by {date}", rule=short(say.rule(rule)), date=table["by"].iloc[one])
        for rule, one in zip(groups["rule"], first, strict=True)
    ]
    name_rows(ax, names, 8)
    ax.set_xlim(0, 1.22)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel(say("share of simulations in which the target holds"))
    ax.set_title(say("How likely each target is"), pad=24)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2)
    text = say(
        "{number} simulations, seed {seed}; bars of error: 95 %.",
        number=say.count(outcomes.draws),
        seed=outcomes.seed,
    )
    note(ax, plan.scenario, say, text)


@drawing(9, 4.2)
def plans_tried(ax: Axes, plan: Plan, safety: Mapping[str, Any], *, lang: str = "en") -> None:
    """Draw what the plans tried cost beyond the cheapest, and how often they hold, on an Axes.

    Parameters
    ----------
    ax : Axes
    plan : Plan
    safety : mapping
        Key ``safety`` of the summary of a run.
    lang : str
    """
    say = plan.scenario.words(lang)
    rounds = pd.DataFrame(safety["rounds"])
    unit, name = money_unit(say)
    x, y = 100 * rounds["probability"].to_numpy(float), rounds["extra_cny"].to_numpy(float) / unit
    error = 100 * np.abs(
        rounds[["low", "high"]].to_numpy(float).T - rounds["probability"].to_numpy()
    )
    asked = 100 * safety["asked"]
    ax.axvline(asked, color=GREY, linestyle="--", linewidth=1)
    chosen = rounds["chosen"].to_numpy(bool)
    looks = (
        ("cheapest plan on paper", np.arange(len(x)) == 0, ORANGE, "s"),
        ("other plans tried", (np.arange(len(x)) > 0) & ~chosen, GREY, "D"),
        ("the plan given", chosen, BLUE, "o"),
    )
    for label, mine, colour, form in looks:
        if mine.any():
            look: dict[str, Any] = {"color": colour, "fmt": form, "markersize": 8, "capsize": 3}
            ax.errorbar(x[mine], y[mine], xerr=error[:, mine], label=say(label), **look)
    for at in np.flatnonzero(chosen | (np.arange(len(x)) == 0)):
        left = x[at] > 50
        text = say(
            "holds in {chance}, mean cost {cost}",
            chance=say.chance(x[at] / 100),
            cost=say.money(rounds["expected_cny"].iloc[at]),
        )
        place = {"ha": "right" if left else "left", "va": "bottom", "fontsize": 8}
        beside(ax, text, (min(x[at], asked), y[at]), -8 if left else 8, 8, **place)
    if safety["nothing"] is not None:
        ax.plot(0, 0, "v", color=VERMILLION, markersize=9, transform=ax.transAxes, clip_on=False)
        text = say(
            "nothing beyond what is ordered: never, {saved} less",
            saved=say.money(safety["nothing"]["saves_cny"]),
        )
        ax.annotate(
            text, (0, 0), (8, 6), xycoords="axes fraction", textcoords="offset points", fontsize=8
        )
    beside(ax, say("asked for"), (asked, 0.0), -4, 2, ha="right", va="bottom", fontsize=8)
    ax.set_xlim(0, 102)
    ax.margins(y=0.25)
    ax.set_xlabel(say("share of simulations in which all that is asked for holds, %"))
    money_on(ax.yaxis)
    ax.set_ylabel(say("cost beyond the cheapest plan, {unit}", unit=name))
    ax.set_title(say("What safety costs"), pad=24)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, borderaxespad=0.2)
    text = say("Cost discounted; mean cost with children without a place counted.")
    note(ax, plan.scenario, say, text)


@drawing(9, 4.2)
def hurrying(ax: Axes, plan: Plan, found: Acceleration, *, lang: str = "en") -> None:
    """Draw the projects of a programme in use by its date against the cost to hurry, on an Axes."""
    say = plan.scenario.words(lang)
    unit, name = money_unit(say)
    curve = found.curve
    x = curve["cost_cny"].to_numpy(float) / unit
    band: dict[str, Any] = {"color": "#C6DBEF", "linewidth": 0}
    label = say("{part} % of simulations", part=90)
    ax.fill_between(x, curve["p05"], curve["p95"], label=label, **band)
    ax.plot(x, curve["expected"], color=ORANGE, linestyle="--", label=say("mean"))
    asked = say.chance(found.probability)
    label = say("in use with {asked}", asked=asked)
    ax.plot(x, curve["sure"], color=BLUE, marker="o", markersize=4, label=label)
    ax.axhline(found.required, color=VERMILLION, linewidth=1)
    most = float(x.max(initial=0.0)) or 1.0
    text = say("{required} required", required=say.count(found.required))
    beside(ax, text, (most, found.required), 0, 3, ha="right", va="bottom", fontsize=8)
    ax.set_xlim(-0.02 * most, 1.02 * most)
    ax.margins(y=0.1)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    money_on(ax.xaxis)
    ax.set_xlabel(say("cost of hurrying projects, {unit}", unit=name))
    ax.set_ylabel(say("projects in use by {by}", by=found.by))
    title = say("Projects in time, and what hurrying costs: {rule}", rule=say.rule(found.programme))
    ax.set_title(title, pad=24)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, borderaxespad=0.2)
    note(ax, plan.scenario, say, "")


NEAR = 3.0
"""Percentage points within which points share a label."""


def safety(ax: Axes, curve: pd.DataFrame, *, lang: str = "en", currency: str = CNY) -> None:
    """Draw plans as points, with the interval of their probability, on an Axes.

    Parameters
    ----------
    ax : Axes
    curve : DataFrame
        As `capsim.safety_curve` gives it.
    currency
        Of money.
    """
    say = words(lang, currency)
    size, unit = money_unit(say)
    ordered = curve.sort_values(["probability", "extra_cny"], kind="stable")
    x = 100 * ordered["probability"].to_numpy()
    y = ordered["extra_cny"].to_numpy() / size
    error = 100 * np.abs(ordered[["low", "high"]].to_numpy().T - ordered["probability"].to_numpy())
    reached = ordered["reached"].to_numpy(bool)
    ax.plot(x, y, color=GREY, linewidth=1)
    for flag, colour, form, label in (
        (reached, BLUE, "o", say("probability asked for is reached")),
        (~reached, VERMILLION, "s", say("not reached: the safest plan found")),
    ):
        if flag.any():
            look: dict[str, Any] = {"color": colour, "fmt": form, "markersize": 5, "capsize": 2}
            spread = error[:, flag]
            ax.errorbar(x[flag], y[flag], xerr=spread, linewidth=1, label=label, **look)
    for text, along, up in _labels(ordered["asked"].tolist(), x.tolist(), y.tolist(), say):
        beside(ax, text, (along, up), -6, 8, ha="right", fontsize=8)
    ax.set_xlim(max(0.0, min(x) - 15), 102)
    ax.margins(y=0.15)
    ax.set_xlabel(say("probability that all targets hold, % (with 95 % interval)"))
    ax.set_ylabel(say("extra discounted cost, {unit}", unit=unit))
    money_on(ax.yaxis)
    ax.legend(loc="upper left")


def _labels(
    asked: list[float], x: list[float], y: list[float], say: Words
) -> list[tuple[str, float, float]]:
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
        names = [say.chance(one) for one in wanted if one > 0]
        parts = [say("cheapest plan")] * (0 in wanted)
        parts += [say("asked {shares}", shares=say.joined(names))] * bool(names)
        top = max(group, key=lambda at: y[at])
        out.append((say.joined(parts), x[group[0]], y[top]))
    return out


def safety_figure(
    curve: pd.DataFrame, title: str = "", *, lang: str = "en", currency: str = CNY
) -> Figure:
    """Draw the curve as a figure of its own, by default called *The price of safety*."""
    with mpl.rc_context(STYLE):
        figure = new_figure(7.2, 4.2)
        ax = figure.subplots()
        safety(ax, curve, lang=lang, currency=currency)
        ax.set_title(title or words(lang)("The price of safety"))
    return figure
