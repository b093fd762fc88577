"""A comparison in sentences: who comes first, how surely, who is dominated, what differs.

What lies within the gaps, or between plans that cost the same whole, is told as no difference.

The screen and the page say the same; each lays it out in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np

from capsim.comparison.differences import SAME, Proof
from capsim.comparison.ranking import Comparison
from capsim.i18n.language import Words
from capsim.report.figures.comparison import PAID
from capsim.report.figures.sensitivity import MEANING
from capsim.report.narrative import Section, explained

MOST = 12
"""Scenarios, or cells of one, that are named in sentences; tables have them all."""
CELLS = 3
ABOVE = ("difference_low_cny", "difference_high_cny")


def verdict(comparison: Comparison, say: Words) -> str:
    """Write which scenario comes first, by what, and what it misses; or that nothing differs."""
    summary = comparison.tables["summary"]
    first = summary.iloc[0]
    if first["status"] == "infeasible":
        return say("NO SCENARIO has a plan that meets what is ordered.")
    number = say.count(len(comparison.results))
    if nothing_differs(comparison):
        text = say(
            "NO DIFFERENCE between the {number} scenarios: total cost {value} in each, but for"
            " {amount} at most that the searches leave open",
            number=number,
            value=say.money(first["objective_cny"]),
            amount=say.money(summary[list(ABOVE)].abs().max().max()),
        )
    else:
        text = say(
            "{name} comes first of {number} scenarios by {what}: {value}",
            name=first["scenario"],
            number=number,
            what=say(MEANING[comparison.criterion].what),
            value=figure(first[comparison.criterion], comparison.criterion, say),
        )
    missed, least = int(first["missed"]), first["least_probability"]
    if missed == 0 and np.isnan(least):
        return text + say("; on paper all its targets are met (not simulated)")
    if missed == 0 and least < asked_of(comparison):
        return text + say(
            "; on paper all its targets hold, the least likely in {chance} of simulated futures",
            chance=say.chance(least),
        )
    return text + (
        say("; all its targets hold")
        if missed == 0
        else say("; targets missed: {missed}, as few as in any other", missed=missed)
    )


def asked_of(comparison: Comparison) -> float:
    """Return how likely a target must be to be said to hold: of the scenario that comes first."""
    best = comparison.tables["summary"]["scenario"].iloc[0]
    return comparison.scenarios[best].settings.reliability.probability


def nothing_differs(comparison: Comparison) -> bool:
    """Check whether no scenario is proved to cost more or less, and nothing simulated differs."""
    differences = comparison.tables["differences"]
    first, *others = (result.proof for result in comparison.results.values())
    level = all(one.level(other) for one, other in combinations((first, *others), 2))
    return level and not differences["differs"].any()


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
    first = comparison.first
    parts = [
        Section(say("Total cost, planned, against {first}", first=first), _totals(comparison, say)),
        Section(
            say("Committed already: not the same in all, so compare whole costs"),
            _committed(comparison, say),
        ),
        Section(say("Cost on the same luck, {draws} draws", draws=draws), _costs(comparison, say)),
        Section(
            say("Dominated: dearer as a whole, and no better in targets, moves and places"),
            _worse(comparison),
        ),
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
        values = _amounts(row, comparison, say)
        if not row["differs"]:
            lines.append(say("{name}: no difference from {first} ({low} to {high})", **values))
        elif row["difference"] >= 0:
            text = "{name} costs {amount} more than {first} (95 % and both gaps: {low} to {high})"
            lines.append(say(text, **values))
        else:
            text = "{name} costs {amount} less than {first} (95 % and both gaps: {low} to {high})"
            lines.append(say(text, **values))
    return lines


def _totals(comparison: Comparison, say: Words) -> list[str]:
    """Write how far the planned total cost of each scenario is from the first, and how surely."""
    summary = comparison.tables["summary"].set_index("scenario", drop=False)
    base = comparison.results[comparison.first].proof
    lines = []
    table = summary.loc[list(comparison.results)].iloc[1:]
    for row in table[table["difference_cny"].notna()].to_dict("records"):
        keys = ("difference_cny", "difference_low_cny", "difference_high_cny")
        ends = dict(zip(("difference", "low", "high"), (row[key] for key in keys), strict=True))
        values = _amounts(row | ends, comparison, say)
        proof = Proof.of(row)
        if proof.plan == base.plan:
            lines.append(say("{name}: the same plan as {first}", **values))
        elif not (proof.cheaper(base) or base.cheaper(proof)):
            lines.append(say("{name}: no difference from {first} ({low} to {high})", **values))
        elif base.cheaper(proof):
            text = "{name} costs {amount} more than {first} (proved: {low} to {high})"
            lines.append(say(text, **values))
        else:
            text = "{name} costs {amount} less than {first} (proved: {low} to {high})"
            lines.append(say(text, **values))
    return lines


def _amounts(row: Mapping[Any, Any], comparison: Comparison, say: Words) -> dict[str, str]:
    """Write a difference from the first and its interval; of what costs less, how much less."""
    turned = row["difference"] < 0 and row["high"] < 0
    low, high = (-row["high"], -row["low"]) if turned else (row["low"], row["high"])
    return {
        "name": str(row["scenario"]),
        "first": comparison.first,
        "amount": say.money(abs(row["difference"])),
        "low": say.money(low),
        "high": say.money(high),
    }


def _committed(comparison: Comparison, say: Words) -> list[str]:
    """Write how much more or less is committed in each scenario than in the first."""
    committed = comparison.tables["summary"].set_index("scenario")["committed_cny"]
    base = committed[comparison.first]
    lines = []
    for name in list(comparison.results)[1:]:
        more = committed[name] - base
        values = {
            "name": name,
            "first": comparison.first,
            "amount": say.money(abs(more)),
            "whole": say.money(committed[name]),
        }
        if more > SAME * abs(base):
            text = "{name}: {whole}, {amount} more than {first}"
            lines.append(say(text, **values))
        elif more < -SAME * abs(base):
            text = "{name}: {whole}, {amount} less than {first}"
            lines.append(say(text, **values))
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
