"""One self-contained page of a comparison: who comes first, figures, and every table of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.report import comparison_words
from capsim.report.figures.grid import MEANING
from capsim.report.language import Words, words
from capsim.report.page.blocks import Picture
from capsim.report.page.compared_sure import behind, differences
from capsim.report.page.compared_tables import (
    costs,
    inputs,
    limits,
    mix,
    prices,
    ranking,
    settings,
    targets,
    years,
)
from capsim.report.page.pictures import address
from capsim.report.page.render import render_page
from capsim.report.summary import versions

if TYPE_CHECKING:
    from capsim.compare import Comparison


def comparison_page(
    comparison: Comparison,
    tables: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, tuple[bytes, bytes]] | None = None,
    *,
    lang: str = "en",
) -> bytes:
    """Write a comparison as one HTML file; the same comparison gives the same bytes.

    Parameters
    ----------
    tables
        As `capsim.report.comparison.comparison_tables` gives them.
    drawn
        Figures by name: SVG and PNG.
    lang
        `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.
    """
    say = words(lang)
    first = comparison.scenarios[comparison.first]
    best = comparison.tables["summary"].iloc[0]
    given: dict[str, Any] = {
        "title": say(
            "{number} scenarios of {name}",
            number=say.count(len(comparison.results)),
            name=first.heading(lang),
        ),
        "kicker": say("Scenarios side by side"),
        "met": best["status"] != "infeasible" and best["missed"] == 0,
        "verdict": comparison_words.verdict(comparison, say),
        "sayings": comparison_words.sayings(comparison, say),
        "ranking": ranking(comparison, say),
        "pictures": _pictures(comparison, tables, drawn or {}, say),
        "goes_in": [t for t in (settings(comparison, say), inputs(comparison, say)) if t.rows],
        "comes_out": [
            t
            for t in (
                targets(comparison, say),
                mix(comparison, say),
                years(comparison, say),
                costs(comparison, say),
            )
            if t.rows
        ],
        "scarce": [t for t in (limits(comparison, say), *prices(comparison, say)) if t.rows],
        "differences": differences(comparison, say),
        "scenarios": list(comparison.scenarios.values()),
        "seed": comparison.seed,
        "draws": comparison.draws,
        "versions": versions(),
        "criterion": say(MEANING[comparison.criterion].what),
    }
    return render_page("comparison.html", given, _sources(comparison), lang, say)


def _sources(comparison: Comparison) -> pd.DataFrame:
    """Give the sources of the first scenario, then those of others that differ from them."""
    frames = [one.sources() for one in comparison.scenarios.values()]
    return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)


TITLES = {
    "mix": "What takes in the pupils who leave private schools, by scenario",
    "cost": "What the decisions cost, by scenario",
    "differences": "How much dearer, on the same luck: means and 95 % intervals",
    "tornado": "What moves the result most, one setting at a time",
    "heat": "The result over two settings",
}


def _pictures(
    comparison: Comparison,
    tables: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, tuple[bytes, bytes]],
    say: Words,
) -> list[Picture]:
    """Put the figures in order, each with its data."""
    return [
        Picture(
            name,
            say(TITLES[name]),
            address(svg, png),
            1000,
            behind(name, comparison, tables, say),
        )
        for name, (svg, png) in drawn.items()
    ]
