"""Figures of scenarios side by side: mixes, costs, differences, tornado or heat map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from capsim.comparison.differences import shown
from capsim.comparison.ranking import Comparison
from capsim.comparison.sensitivity_design import heat
from capsim.i18n.language import Words
from capsim.report.figures.places import KINDS, TERMS
from capsim.report.figures.sensitivity import MEANING, heat_map, tornado
from capsim.report.figures.style import (
    BLACK,
    GREY,
    STYLE,
    Look,
    beside,
    counts_on,
    money_on,
    money_unit,
    name_rows,
    new_figure,
    note_all,
    short,
    stack,
)

PAID = "paid_cny"
"""Simulated figure of which differences are told: what is paid, without the price of no place."""
WIDEST = 40
"""Columns of a scenario's name beside its row."""


def mixes(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw what the fall in private pupils is made of, a bar for each scenario, on an Axes."""
    say = comparison.scenarios[comparison.first].words(lang)
    table = comparison.tables["mix"].set_index("scenario")
    _bars(ax, table[list(TERMS)], TERMS, say)
    _named(ax, comparison, table.index)
    for at, total in enumerate(table["total"]):
        ax.plot([total, total], [at - 0.38, at + 0.38], color="black", linewidth=2)
        right = table[list(TERMS)].clip(lower=0).sum(axis=1).iloc[at]
        beside(ax, say.count(total), (right, at), 4, 0, va="center", fontsize=8)
    ax.margins(x=0.12)
    counts_on(ax.xaxis, say)
    ax.set_xlabel(say("pupils (the black line is the sum)"))
    ax.set_title(say("What takes in the pupils who leave private schools, by scenario"))


def costs(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw the total cost by kind, less what is committed in all, a bar each, on an Axes."""
    say = comparison.scenarios[comparison.first].words(lang)
    table = beyond_committed(comparison.tables["costs"])
    unit, label = money_unit(say)
    table = table / unit
    known = [kind for kind in KINDS if kind in table.columns and table[kind].abs().max() > 1e-5]
    _bars(ax, table[known], KINDS, say)
    _named(ax, comparison, table.index)
    ax.xaxis.set_major_formatter("{x:,g}")
    money_on(ax.xaxis)
    ax.set_xlabel(say("{unit}, discounted, beyond what is committed in all", unit=label))
    ax.set_title(say("What the scenarios cost, beyond what is committed in all"))


def beyond_committed(costs: pd.DataFrame) -> pd.DataFrame:
    """Tabulate total cost by scenario and kind, less the part that every scenario has committed.

    So the sums of two scenarios differ as their total costs do, whatever each calls committed.
    """
    total, committed = (
        costs.pivot_table(
            index="scenario", columns="kind", values=key, aggfunc="sum", fill_value=0.0, sort=False
        )
        for key in ("discounted_cny", "committed_cny")
    )
    common = committed.min().clip(lower=0.0) + committed.max().clip(upper=0.0)
    return total - common


def cost_differences(ax: Axes, comparison: Comparison, *, lang: str = "en") -> None:
    """Draw how much more each scenario costs than the first, with its interval, on an Axes.

    What does not differ is drawn hollow.

    Raises
    ------
    ValueError
        Nothing was simulated of which a difference could be taken.
    """
    say = comparison.scenarios[comparison.first].words(lang)
    table = comparison.tables["differences"]
    table = table[table["what"] == PAID] if len(table) else table
    if not len(table):
        raise ValueError("no simulated differences of cost to draw")
    unit, label = money_unit(say)
    mean, low, high = (table[key].to_numpy(float) / unit for key in ("difference", "low", "high"))
    at = np.arange(len(table))
    half = np.nan_to_num(np.array([mean - low, high - mean]).clip(min=0.0))
    for differs, colour in ((True, BLACK), (False, "white")):
        of = table["differs"].to_numpy(bool) == differs
        look: dict[str, Any] = {"capsize": 4, "markersize": 5, "markerfacecolor": colour}
        ax.errorbar(mean[of], at[of], xerr=half[:, of], fmt="o", color=BLACK, **look)
    ax.axvline(0, color=GREY, linewidth=1.2)
    _named(ax, comparison, table["scenario"])
    ax.xaxis.set_major_formatter("{x:,g}")
    first = short(comparison.first)
    money_on(ax.xaxis)
    ax.set_xlabel(say("cost above that of {first}, {unit}, discounted", first=first, unit=label))
    ax.set_title(say("How much dearer, on the same luck: means, intervals with both gaps"))


def _bars(ax: Axes, table: pd.DataFrame, looks: Mapping[str, Look], say: Words) -> None:
    """Draw a stack of bars for each scenario, with the legend beside them."""
    stack(ax, table, looks, say, sideways=True)
    ax.axvline(0, color="black", linewidth=0.8)
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def _named(ax: Axes, comparison: Comparison, names: Iterable[str]) -> None:
    """Write the scenarios beside their rows: one of a grid by its settings, a line each."""
    labels = []
    for name in names:
        change = comparison.factors.get(name, {})
        settings = [f"{_tail(key)}={shown(value)}" for key, value in change.items()]
        labels.append("\n".join(short(one, WIDEST) for one in settings or [name]))
    name_rows(ax, labels)


def _tail(setting: str) -> str:
    """Return the name of a setting without its group."""
    return setting.partition(".")[2] or setting


def comparison_figures(
    comparison: Comparison, tables: Mapping[str, pd.DataFrame], *, lang: str = "en"
) -> dict[str, Figure]:
    """Draw every figure that a comparison has something for, by file name.

    Parameters
    ----------
    tables
        As `capsim.report.summary.comparison_tables` gives them.
    """
    say = comparison.scenarios[comparison.first].words(lang)
    differences = tables["differences"]
    figures: dict[str, Figure] = {}
    with mpl.rc_context(STYLE):
        if len(tables["mix"]):
            planned = tables["mix"]["scenario"].nunique()
            figures["mix"] = _rows(planned, mixes, comparison, lang)
            figures["cost"] = _rows(planned, costs, comparison, lang)
        if others := len(differences) and differences["scenario"].nunique():
            figures["differences"] = _rows(others, cost_differences, comparison, lang)
        if "tornado" in tables and tables["tornado"]["differs"].any():
            figures["tornado"] = _tornado(comparison, tables["tornado"], say)
        if "heat" in tables:
            table = heat(tables["summary"], comparison.factors, comparison.criterion)
            figures["heat"] = new_figure(3.5 + 0.9 * table.shape[1], 2 + 0.5 * table.shape[0])
            ax, by = figures["heat"].add_subplot(), comparison.criterion
            heat_map(ax, table, by, lang=lang, currency=say.iso)
        text = say(
            "{number} scenarios, {draws} draws with the same luck, seed {seed}.",
            number=say.count(len(comparison.results)),
            draws=say.count(comparison.draws),
            seed=comparison.seed,
        )
        for figure in figures.values():
            note_all(figure, comparison.scenarios[comparison.first], say, text)
    return figures


def _rows(number: int, draw: Callable[..., None], comparison: Comparison, lang: str) -> Figure:
    """Draw a figure with a row for each scenario."""
    lines = max((len(change) for change in comparison.factors.values()), default=1)
    figure = new_figure(10, 1.8 + (0.35 + 0.13 * lines) * number)
    draw(figure.add_subplot(), comparison, lang=lang)
    return figure


def _tornado(comparison: Comparison, table: pd.DataFrame, say: Words) -> Figure:
    """Draw how each setting alone moves the criterion; those that surely do not are left out."""
    meaning = MEANING[comparison.criterion].drawn(say)
    unit = meaning.size
    inputs = comparison.tables["inputs"]
    own = dict(zip(inputs["column"], inputs["first"], strict=True))
    ends = []
    for row in table[table["differs"]].to_dict("records"):
        values = [row[f"{end}_value"] or own.get(row["key"], "") for end in ("low", "high")]
        pair = [(values[0], row["low"] / unit), (values[1], row["high"] / unit)]
        ends.append((_tail(row["key"]), *sorted(pair, key=_size)))
    drawn = pd.DataFrame(
        [(key, low[0], high[0], low[1], high[1]) for key, low, high in ends],
        columns=["what", "low", "high", "low_result", "high_result"],
    )
    figure = new_figure(9, 1.8 + 0.5 * len(drawn))
    base = float(table["base"].iloc[0]) / unit
    title = say("What moves the result most, one setting at a time")
    ax = figure.add_subplot()
    tornado(ax, drawn, base, meaning.what, title, lang=say.lang)
    return figure


def _size(end: tuple[str, float]) -> tuple[float, float]:
    """Order the two ends of a setting by its values where these are numbers, else by results."""
    try:
        return float(end[0]), end[1]
    except ValueError:
        return 0.0, end[1]
