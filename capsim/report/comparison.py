"""Scenarios side by side, for one screen and for a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.compare import heat, shown, sweep_of, tornado
from capsim.report.comparison_words import comparison_text
from capsim.report.figures.comparison import comparison_figures
from capsim.report.figures.style import render_both
from capsim.report.page.compared import comparison_page
from capsim.report.summary import plain, to_json
from capsim.report.tables import csv

if TYPE_CHECKING:
    from capsim.compare import Comparison

MARK = "comparison.txt"
"""The file by which a folder is known to be a comparison."""
PAGE = "comparison.html"


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Give every table of a comparison, those of a grid too: for files and for pages.

    Returns
    -------
    dict
        The comparison's own, `factors` (scenario, key, value) where settings were varied,
        `tornado` where one at a time, `heat` (a row a value of the first setting, which names the
        first column; the others are named ``second=value``) where two.
    """
    tables = dict(comparison.tables)
    if comparison.factors:
        rows = [
            (name, key, shown(value))
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
        of_value = {value: f"{table.columns.name}={value}" for value in table.columns}
        tables[shape] = table.rename(columns=of_value).reset_index()
    return tables


def comparison_files(comparison: Comparison, *, lang: str = "en") -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a comparison; the page comes last.

    Raises
    ------
    ValueError
        There is no such language.
    """
    yield MARK, comparison_text(comparison, lang=lang).encode()
    tables = comparison_tables(comparison)
    for name, table in tables.items():
        yield f"{name}.csv", csv(table)
    yield "comparison.json", to_json(comparison_summary(comparison)).encode()
    drawn = {}
    for name, figure in comparison_figures(comparison, tables, lang=lang).items():
        drawn[name] = svg, png = render_both(figure)
        yield f"{name}.svg", svg
        yield f"{name}.png", png
    yield PAGE, comparison_page(comparison, tables, drawn, lang=lang)


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Sum a comparison up for scripts: the first, the criterion, and tables as lists of rows."""
    names = (
        *("summary", "inputs", "differences", "targets", "mix", "costs", "years", "limits"),
        *("binding", "factors", "tornado", "heat"),
    )
    tables = comparison_tables(comparison)
    return plain(
        {
            "first": comparison.first,
            "criterion": comparison.criterion,
            "explanations": {name: one.sentences for name, one in comparison.results.items()},
            **{name: tables[name].to_dict("records") for name in names if name in tables},
        }
    )
