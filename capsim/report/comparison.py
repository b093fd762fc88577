"""Scenarios side by side, for one screen and for a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import matplotlib as mpl

from capsim.report.figures import compare as draw
from capsim.report.figures.style import STYLE, new_figure, render
from capsim.report.numbers import count, money
from capsim.report.tables import csv

if TYPE_CHECKING:
    from capsim.compare import Comparison

MARK = "comparison.txt"
"""The file by which a folder is known to be a comparison."""


def comparison_text(comparison: Comparison) -> str:
    """Put a comparison into a table for one screen, best scenario first."""
    head = (
        f"{'':3}{'scenario':<28}{'missed':>7}{'decided cost':>18}{'displaced':>11}"
        f"{'empty, end':>12}{'likely':>8}  dominated by"
    )
    lines = [head]
    for row in comparison.tables["summary"].to_dict("records"):
        start = f"{row['rank']:<3}{row['scenario']:<28}"
        if row["status"] == "infeasible":
            lines.append(f"{start}no plan meets what is ordered")
            continue
        least = row["least_probability"]
        likely = "" if least != least else f"{100 * least:.0f} %"
        lines.append(
            f"{start}{count(row['missed']):>7}{money(row['avoidable_cny']):>18}"
            f"{count(row['displaced']):>11}{count(row['surplus_last']):>12}{likely:>8}"
            f"  {row['dominated_by']}".rstrip()
        )
    for name, plan in comparison.plans.items():
        if plan.explanation is not None:
            lines += ["", f"{name}:", *(f"  {text}" for text in plan.explanation.sentences)]
    inputs = comparison.tables["inputs"]
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


def comparison_files(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a comparison."""
    yield MARK, comparison_text(comparison).encode()
    for name, table in comparison.tables.items():
        yield f"{name}.csv", csv(table)
    if not len(comparison.tables["mix"]):
        return
    height = 1.6 + 0.45 * comparison.tables["mix"]["scenario"].nunique()
    for name, drawn in (("mix", draw.mixes), ("cost", draw.costs)):
        with mpl.rc_context(STYLE):
            figure = new_figure(10, height)
            drawn(figure.add_subplot(), comparison)
        for form in ("png", "svg"):
            yield f"{name}.{form}", render(figure, form)
