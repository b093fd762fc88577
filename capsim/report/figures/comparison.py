"""Every figure of a comparison: mixes, costs, differences, tornado or heat map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import matplotlib as mpl
import pandas as pd

from capsim.compare import heat
from capsim.report.figures.compare import cost_differences, costs, mixes
from capsim.report.figures.grid import MEANING, heat_map
from capsim.report.figures.style import STYLE, new_figure, note_all
from capsim.report.figures.sweep import tornado
from capsim.report.language import Words, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capsim.compare import Comparison


def comparison_figures(
    comparison: Comparison, tables: Mapping[str, pd.DataFrame], *, lang: str = "en"
) -> dict[str, Figure]:
    """Draw every figure that a comparison has something for, by file name.

    Parameters
    ----------
    tables
        As `capsim.report.comparison.comparison_tables` gives them.
    """
    say = words(lang)
    differences = tables["differences"]
    figures: dict[str, Figure] = {}
    with mpl.rc_context(STYLE):
        if len(tables["mix"]):
            planned = tables["mix"]["scenario"].nunique()
            figures["mix"] = _rows(planned, mixes, comparison, lang)
            figures["cost"] = _rows(planned, costs, comparison, lang)
        if others := len(differences) and differences["scenario"].nunique():
            figures["differences"] = _rows(others, cost_differences, comparison, lang)
        if "tornado" in tables and (tables["tornado"]["range"] > 0).any():
            figures["tornado"] = _tornado(comparison, tables["tornado"], say)
        if "heat" in tables:
            table = heat(tables["summary"], comparison.factors, comparison.criterion)
            figures["heat"] = new_figure(3.5 + 0.9 * table.shape[1], 2 + 0.5 * table.shape[0])
            heat_map(figures["heat"].add_subplot(), table, comparison.criterion, lang=lang)
        told = say(
            "{number} scenarios, {draws} draws with the same luck, seed {seed}.",
            number=say.count(len(comparison.results)),
            draws=say.count(comparison.draws),
            seed=comparison.seed,
        )
        for figure in figures.values():
            note_all(figure, comparison.scenarios[comparison.first], say, told)
    return figures


def _rows(number: int, draw: Callable[..., None], comparison: Comparison, lang: str) -> Figure:
    """Draw a figure with a row for each scenario."""
    lines = max((len(change) for change in comparison.factors.values()), default=1)
    figure = new_figure(10, 1.8 + (0.35 + 0.13 * lines) * number)
    draw(figure.add_subplot(), comparison, lang=lang)
    return figure


def _tornado(comparison: Comparison, table: pd.DataFrame, say: Words) -> Figure:
    """Draw how each setting alone moves the criterion; those that move nothing are left out."""
    meaning = MEANING[comparison.criterion]
    unit = meaning.size
    inputs = comparison.tables["inputs"]
    own = dict(zip(inputs["column"], inputs["first"], strict=True))
    ends = []
    for row in table[table["range"] > 0].to_dict("records"):
        values = [row[f"{end}_value"] or own.get(row["key"], "") for end in ("low", "high")]
        pair = [(values[0], row["low"] / unit), (values[1], row["high"] / unit)]
        ends.append((row["key"].partition(".")[2] or row["key"], *sorted(pair, key=_size)))
    drawn = pd.DataFrame(
        [(key, low[0], high[0], low[1], high[1]) for key, low, high in ends],
        columns=["what", "low", "high", "low_result", "high_result"],
    )
    figure = new_figure(9, 1.8 + 0.5 * len(drawn))
    base = float(table["base"].iloc[0]) / unit
    title = say("What moves the result most, one setting at a time")
    ax = figure.add_subplot()
    tornado(ax, drawn, base, meaning.text(say), title, lang=say.lang)
    return figure


def _size(end: tuple[str, float]) -> tuple[float, float]:
    """Order the two ends of a setting by its values where these are numbers, else by results."""
    try:
        return float(end[0]), end[1]
    except ValueError:
        return 0.0, end[1]
