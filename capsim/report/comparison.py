"""Scenarios side by side, for one screen and for a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pandas as pd

from capsim.compare import heat, sweep_of, tornado
from capsim.report.figures import compare as draw
from capsim.report.figures import grid, sweep
from capsim.report.figures.style import STYLE, new_figure, render
from capsim.report.numbers import count, money
from capsim.report.summary import plain, to_json
from capsim.report.tables import csv

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capsim.compare import Comparison

MARK = "comparison.txt"
"""The file by which a folder is known to be a comparison."""


def comparison_text(comparison: Comparison) -> str:
    """Put a comparison into a table for one screen, best scenario first."""
    wide = max(28, *(len(name) + 2 for name in comparison.results))
    head = (
        f"{'':3}{'scenario':<{wide}}{'missed':>7}{'decided cost':>18}{'displaced':>11}"
        f"{'empty, end':>12}{'likely':>8}  dominated by"
    )
    lines = [head]
    summary = comparison.tables["summary"]
    ranks = dict(zip(summary["scenario"], summary["rank"].astype(str), strict=True))
    for row in summary.to_dict("records"):
        above = ", ".join(ranks[name] for name in row["dominated_by"].split(";") if name)
        start = f"{row['rank']:<3}{row['scenario']:<{wide}}"
        if row["status"] == "infeasible":
            lines.append(f"{start}no plan meets what is ordered")
            continue
        least = row["least_probability"]
        likely = "" if least != least else f"{100 * least:.0f} %"
        lines.append(
            f"{start}{count(row['missed']):>7}{money(row['avoidable_cny']):>18}"
            f"{count(row['displaced']):>11}{count(row['surplus_last']):>12}{likely:>8}"
            f"  {above}".rstrip()
        )
    for name, result in comparison.results.items():
        if result.sentences:
            lines += ["", f"{name}:", *(f"  {text}" for text in result.sentences)]
    lines += _costs(comparison)
    inputs = comparison.tables["inputs"]
    inputs = inputs[~inputs["scenario"].isin(list(comparison.factors))]
    if len(inputs):
        lines += ["", "What differs from the first:"]
        for other, rows in inputs.groupby("scenario", sort=False):
            cells = [
                f"{row['table']} {row['key']} {row['column']}: {row['first']} → {row['value']}"
                for row in rows.head(3).to_dict("records")
            ]
            more = f" … {count(len(rows) - 3)} more" if len(rows) > 3 else ""
            lines.append(f"  {other}: {'; '.join(' '.join(cell.split()) for cell in cells)}{more}")
    return "\n".join(lines) + "\n"


def _costs(comparison: Comparison) -> list[str]:
    """Say how far the simulated cost of each scenario is from the first, and how surely."""
    table = comparison.tables["differences"]
    lines = []
    for row in table[table["what"] == "cost_cny"].to_dict("records"):
        more = "more" if row["difference"] >= 0 else "less"
        ends = sorted((abs(row["low"]), abs(row["high"])))
        if row["low"] <= 0 <= row["high"]:
            sure = f"95 % interval {money(row['low'])} to {money(row['high'])}"
        else:
            sure = f"95 % interval {money(ends[0])} to {money(ends[1])} {more}"
        what = f"{money(abs(row['difference']))} {more} than {comparison.first}"
        lines.append(f"  {row['scenario']}: costs {what} on the same luck ({sure})")
    return ["", f"Simulated, {count(table['draws'].max())} draws:", *lines] if lines else []


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Give every table of a comparison, those of a grid too: for files and for pages.

    Returns
    -------
    dict
        The comparison's own, `factors` (scenario, key, value) where settings were varied,
        `tornado` where one at a time, `heat` (a row a value of the first setting) where two.
    """
    tables = dict(comparison.tables)
    if comparison.factors:
        rows = [
            (name, key, str(value))
            for name, change in comparison.factors.items()
            for key, value in change.items()
        ]
        tables["factors"] = pd.DataFrame(rows, columns=["scenario", "key", "value"])
    summary, column = comparison.tables["summary"], comparison.criterion
    shape = sweep_of(comparison.factors)
    if shape == "tornado":
        tables[shape] = tornado(summary, comparison.factors, comparison.first, column)
    if shape == "heat":
        table = heat(summary, comparison.factors, column)
        tables[shape] = table.reset_index()
    return tables


def comparison_files(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a comparison."""
    yield MARK, comparison_text(comparison).encode()
    tables = comparison_tables(comparison)
    for name, table in tables.items():
        yield f"{name}.csv", csv(table)
    yield "comparison.json", to_json(comparison_summary(comparison)).encode()
    for name, figure in _figures(comparison).items():
        for form in ("png", "svg"):
            yield f"{name}.{form}", render(figure, form)


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Sum a comparison up for scripts: the first, the criterion, and tables as lists of rows."""
    names = ("summary", "differences", "targets", "mix", "years", "factors", "tornado")
    tables = comparison_tables(comparison)
    return plain(
        {
            "first": comparison.first,
            "criterion": comparison.criterion,
            "explanations": {name: one.sentences for name, one in comparison.results.items()},
            **{name: tables[name].to_dict("records") for name in names if name in tables},
        }
    )


def _tornado(comparison: Comparison, table: pd.DataFrame) -> Figure:
    """Draw how each setting alone moves the criterion; those that move nothing are left out."""
    meaning, unit = grid.MEANING[comparison.criterion]
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
    title = "What moves the result most, one setting at a time"
    sweep.tornado(figure.add_subplot(), drawn, base, meaning, title)
    return figure


def _size(end: tuple[str, float]) -> tuple[float, float]:
    """Order the two ends of a setting by its values where these are numbers, else by results."""
    try:
        return float(end[0]), end[1]
    except ValueError:
        return 0.0, end[1]


def _figures(comparison: Comparison) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    with mpl.rc_context(STYLE):
        if len(comparison.tables["mix"]):
            height = 1.6 + 0.45 * comparison.tables["mix"]["scenario"].nunique()
            for name, drawn in (("mix", draw.mixes), ("cost", draw.costs)):
                figures[name] = new_figure(10, height)
                drawn(figures[name].add_subplot(), comparison)
        tables, column = comparison_tables(comparison), comparison.criterion
        if "tornado" in tables and (tables["tornado"]["range"] > 0).any():
            figures["tornado"] = _tornado(comparison, tables["tornado"])
        if "heat" in tables:
            table = heat(comparison.tables["summary"], comparison.factors, column)
            size = (3.5 + 0.9 * table.shape[1], 2 + 0.5 * table.shape[0])
            figures["heat"] = new_figure(*size)
            grid.heat_map(figures["heat"].add_subplot(), table, column)
    return figures
