"""A comparison in sentences: who comes first, how surely, who is dominated, what differs.

The screen and the page say the same; each lays it out in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capsim.comparison.ranking import Comparison
from capsim.i18n.language import Words
from capsim.report.figures.comparison import PAID
from capsim.report.figures.sensitivity import MEANING
from capsim.report.narrative import Section, explained

MOST = 12
"""Scenarios, or cells of one, that are named in sentences; tables have them all."""
CELLS = 3


def verdict(comparison: Comparison, say: Words) -> str:
    """Write which scenario comes first, by what, and what it misses."""
    first = comparison.tables["summary"].iloc[0]
    if first["status"] == "infeasible":
        return say("NO SCENARIO has a plan that meets what is ordered.")
    text = say(
        "{name} comes first of {number} scenarios by {what}: {value}",
        name=first["scenario"],
        number=say.count(len(comparison.results)),
        what=say(MEANING[comparison.criterion].what),
        value=figure(first[comparison.criterion], comparison.criterion, say),
    )
    missed = int(first["missed"])
    return text + (
        say("; all its targets hold")
        if missed == 0
        else say("; targets missed: {missed}, as few as in any other", missed=missed)
    )


def figure(value: Any, column: str, say: Words) -> str:
    """Write a headline figure in the unit of its column; blank where there is none."""
    if value != value:
        return ""
    if column.endswith("_cny"):
        return say.money(value)
    if column in ("least_probability", "gap"):
        return say.chance(value) if column == "least_probability" else say.share(value)
    return say.count(value)


def sections(comparison: Comparison, say: Words) -> list[Section]:
    """Write how surely costs differ, who is dominated, who has no plan, and what goes in otherwise.

    A heading without anything under it is left out.
    """
    draws = say.count(comparison.draws)
    why = [
        say(
            "{name}: {why}",
            name=name,
            why=("" if say.lang == "zh" else " ").join(explained(result.messages, say)),
        )
        for name, result in comparison.results.items()
        if result.messages
    ]
    parts = [
        Section(say("Cost on the same luck, {draws} draws", draws=draws), _costs(comparison, say)),
        Section(say("Dominated: no better in targets, cost, moves and places"), _worse(comparison)),
        Section(say("No plan meets what is ordered"), why),
        Section(say("What differs from {name}", name=comparison.first), _inputs(comparison, say)),
    ]
    return [
        Section(one.head, one.parts[:MOST] + _more(len(one.parts) - MOST, say))
        for one in parts
        if one.parts
    ]


def _more(number: int, say: Words) -> list[str]:
    return [say("… {number} more", number=say.count(number))] if number > 0 else []


def _costs(comparison: Comparison, say: Words) -> list[str]:
    """Write how far the simulated cost of each scenario is from the first, and how surely."""
    table = comparison.tables["differences"]
    lines = []
    for row in table[table["what"] == PAID].to_dict("records"):
        more = row["difference"] >= 0
        values = {
            "name": row["scenario"],
            "first": comparison.first,
            "amount": say.money(abs(row["difference"])),
            "low": say.money(row["low"] if more else -row["high"]),
            "high": say.money(row["high"] if more else -row["low"]),
        }
        lines.append(
            say("{name} costs {amount} more than {first} (95 %: {low} to {high})", **values)
            if more
            else say("{name} costs {amount} less than {first} (95 %: {low} to {high})", **values)
        )
    return lines


def _worse(comparison: Comparison) -> list[str]:
    table = comparison.tables["summary"]
    table = table[table["dominated_by"] != ""]
    return [
        f"{row['scenario']} ← {', '.join(row['dominated_by'].split(';'))}"
        for row in table.to_dict("records")
    ]


def _inputs(comparison: Comparison, say: Words) -> list[str]:
    """Name the first cells in which each scenario differs; a grid's settings are in its names."""
    inputs = comparison.tables["inputs"]
    inputs = inputs[~inputs["scenario"].isin(list(comparison.factors))]
    lines = []
    for other, rows in inputs.groupby("scenario", sort=False):
        cells = [" ".join(_cell(row).split()) for row in rows.head(CELLS).to_dict("records")]
        cells += _more(len(rows) - CELLS, say)
        lines.append(f"{other}: {'; '.join(cells)}")
    return lines


def _cell(row: Mapping[Any, Any]) -> str:
    place = f"{row['table']} {row['key']} {row['column']}"
    return f"{place}: {row['first'] or '–'} → {row['value'] or '–'}"
