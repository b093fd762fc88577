"""One self-contained page of a comparison: who comes first, figures, and every table of it.

Its tables have a row a scenario, or one thing in all scenarios in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from capsim.comparison.ranking import TERMS, Comparison
from capsim.i18n.language import Words
from capsim.plan.targets import rule_and_year, unit_of
from capsim.report import comparison_narrative
from capsim.report.figures.comparison import PAID, beyond_committed
from capsim.report.figures.places import TERMS as LOOKS
from capsim.report.figures.sensitivity import MEANING
from capsim.report.page.elements import Column, Picture, Table, layout
from capsim.report.page.pictures import address, cost_columns
from capsim.report.page.render import render_page
from capsim.report.page.tables import frame_table, limit_cells, target_cells
from capsim.report.summary import versions

USUAL = 2030
"""School year whose empty seats stand in the ranking, where it is planned; else the last one."""

FIGURES = {
    "paid_cny": "cost that is paid",
    "cost_cny": "total cost",
    "purchased_extra": "places bought beyond the plan's",
    "shortfall_compulsory": "without a place, compulsory stages, child-years",
    "shortfall_other": "without a place, other stages, child-years",
    "overfilled": "above standard, child-years",
    "displaced": "made to change school",
    "reduction": "fall in private pupils",
}
"""Simulated figures of which differences are taken."""


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
        As `capsim.report.summary.comparison_tables` gives them.
    drawn
        Figures by name: SVG and PNG.
    lang
        `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.
    """
    first = comparison.scenarios[comparison.first]
    say = first.words(lang)
    best = comparison.tables["summary"].iloc[0]
    years = together(comparison.tables["years"], ["school_year"])
    limits = together(comparison.tables["limits"], ["kind", "county", "year"])
    content: dict[str, Any] = {
        "title": say(
            "{number} scenarios of {name}",
            number=say.count(len(comparison.results)),
            name=first.heading(lang),
        ),
        "kicker": say("Scenarios side by side"),
        "state": _state(best, comparison_narrative.asked_of(comparison)),
        "verdict": comparison_narrative.verdict(comparison, say),
        "sections": comparison_narrative.sections(comparison, say),
        "ranking": ranking(comparison, say),
        "pictures": [
            Picture(name, _title(name, say), address(svg, png), data)
            for name, (svg, png) in (drawn or {}).items()
            for data in [figure_data(name, comparison, tables, say)]
        ],
        "goes_in": _filled(
            settings(comparison, say),
            layout("compared-inputs").table(
                comparison.tables["inputs"], say, values={"name": comparison.first}
            ),
        ),
        "comes_out": _filled(
            targets(comparison, say),
            mix(comparison, say, "mix-table"),
            layout("compared-years").table(years, say),
            costs(comparison, say),
        ),
        "scarce": _filled(
            layout("compared-limits").table(limit_cells(limits, say), say), *prices(comparison, say)
        ),
        "differences": differences(comparison, say),
        "scenarios": list(comparison.scenarios.values()),
        "seed": comparison.seed,
        "draws": comparison.draws,
        "versions": versions(),
        "criterion": say(MEANING[comparison.criterion].what),
    }
    return render_page("comparison.html", content, _sources(comparison), say)


def _filled(*tables: Table) -> list[Table]:
    """Return the tables that have rows."""
    return [table for table in tables if table.rows]


def _sources(comparison: Comparison) -> pd.DataFrame:
    """Return the sources of the first scenario, then those of others that differ from them."""
    frames = [one.sources() for one in comparison.scenarios.values()]
    return pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)


def together(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Group the rows of one thing, in the order in which things first come."""
    if table.empty:
        return table
    place = table.groupby(list(keys), sort=False).ngroup()
    return table.loc[place.sort_values(kind="stable").index]


def _state(best: pd.Series, asked: float) -> str:
    """Return the state of the scenario that comes first."""
    if best["status"] == "infeasible" or best["missed"] > 0:
        return "missed"
    if np.isnan(best["least_probability"]):
        return "met"
    return "on paper" if best["least_probability"] < asked else "holds"


def ranking(comparison: Comparison, say: Words) -> Table:
    """Rank the scenarios: one row each, best first, with the empty seats of `USUAL`."""
    frame = comparison.tables["summary"]
    years = comparison.tables["years"]
    planned = years.get("school_year", pd.Series([USUAL]))
    year = USUAL if (planned == USUAL).any() else int(planned.max())
    there = years[planned == year] if len(years) else years.assign(surplus=0.0)
    empty = there.set_index("scenario")["surplus"]
    ranks = dict(zip(frame["scenario"], frame["rank"].astype(str), strict=True))
    frame = frame.assign(
        empty=frame["scenario"].map(empty).astype(float),
        above=[
            say("no plan")
            if status == "infeasible"
            else ", ".join(ranks[name] for name in names.split(";") if name)
            for names, status in zip(frame["dominated_by"], frame["status"], strict=True)
        ],
        level=[
            ", ".join(ranks[name] for name in names.split(";") if name)
            for names in frame["level_with"]
        ],
    )
    what = say(MEANING[comparison.criterion].what)
    return layout("compared-ranking").table(frame, say, values={"what": what, "year": year})


def settings(comparison: Comparison, say: Words) -> Table:
    """List the settings of a grid, a row each scenario."""
    keys = list(dict.fromkeys(key for change in comparison.factors.values() for key in change))
    rows = [
        {"scenario": name, **{key: str(change.get(key, "")) for key in keys}}
        for name, change in comparison.factors.items()
    ]
    further = [Column(key, key, choose=True, translated=True) for key in keys]
    return layout("compared-settings").table(pd.DataFrame(rows), say, further=further)


def targets(comparison: Comparison, say: Words) -> Table:
    """List every target, the scenarios one after another."""
    frame = target_cells(together(comparison.tables["targets"], ["id"]), say)
    if len(frame):
        frame = frame.assign(room=frame["tight"].map({True: say("met with no room"), False: ""}))
    if not comparison.draws:
        frame = frame.drop(columns=["probability", "low", "high"], errors="ignore")
    return layout("compared-targets").table(frame, say)


def mix(comparison: Comparison, say: Words, name: str) -> Table:
    """List what takes the pupils in, a row each scenario."""
    further = [Column(key, LOOKS[key].label, "number") for key in TERMS]
    return layout("compared-mix").table(comparison.tables["mix"], say, name=name, further=further)


def costs(comparison: Comparison, say: Words) -> Table:
    """Set the total of each kind and year side by side; years in which nothing is paid left out."""
    frame = comparison.tables["costs"]
    kinds: list[str] = []
    if len(frame):
        frame = frame.pivot_table(
            index=["school_year", "scenario"],
            columns="kind",
            values="discounted_cny",
            aggfunc="sum",
            fill_value=0.0,
            sort=False,
        )
        kinds = [str(kind) for kind in frame.columns]
        frame = together(frame.assign(total=frame.sum(axis=1)).reset_index(), ["school_year"])
        frame = frame.sort_values("school_year", kind="stable")
    return layout("compared-costs").table(frame, say, further=cost_columns(kinds))


def prices(comparison: Comparison, say: Words) -> list[Table]:
    """List what is scarce and what one more of it would save, where that was asked for."""
    if "binding" not in comparison.tables or comparison.tables["binding"].empty:
        return []
    keys = ["kind", "area", "county", "stage", "name", "year"]
    frame = together(comparison.tables["binding"], keys)
    order = [*keys, "scenario", *(key for key in frame if key not in (*keys, "scenario"))]
    return [frame_table("prices", say("Prices"), frame[order], say, origin="binding.csv")]


def differences(comparison: Comparison, say: Words) -> list[Table]:
    """Set simulated figures against those of the first: money, children, shares and chances."""
    frame = comparison.tables["differences"]
    if frame.empty:
        return []
    what = frame["what"].astype(str)
    money = what.str.endswith("_cny")
    part = what.str.startswith("probability of ") | (what.map(unit_of) == "share")
    return _filled(
        _difference("money", "Differences in cost", frame[money], comparison, say),
        _difference("children", "Differences in children", frame[~money & ~part], comparison, say),
        _difference("shares", "Differences in shares and chances", frame[part], comparison, say),
    )


def _difference(
    name: str, title: str, frame: pd.DataFrame, comparison: Comparison, say: Words
) -> Table:
    kind, digits = {"money": ("money", 1), "shares": ("percent", 2)}.get(name, ("number", 1))
    shape = layout("compared-differences")
    columns = tuple(
        replace(column, kind=kind, digits=digits) if column.kind == "figure" else column
        for column in shape.columns
    )
    named = [_figure_name(str(one), say) for one in frame["what"]]
    verdicts = frame["differs"].map({True: say("yes"), False: say("no difference")})
    frame = together(frame.assign(named=named, differs=verdicts), ["named"])
    shape = replace(shape, name=f"differences-{name}", caption=title, columns=columns)
    return shape.table(frame, say, values={"name": comparison.first})


def _figure_name(what: str, say: Words) -> str:
    """Name a simulated figure: a total, a target's own, or its probability."""
    if what.startswith("probability of "):
        return say("probability: {target}", target=_figure_name(what[15:], say))
    if what in FIGURES:
        return say(FIGURES[what])
    rule, year = rule_and_year(what)
    return what if year is None else f"{say.rule(rule)} {year}"


def figure_data(
    name: str, comparison: Comparison, tables: Mapping[str, pd.DataFrame], say: Words
) -> Table:
    """Return the data behind a figure."""
    place, frame = f"{name}-data", tables[name if name in tables else "costs"]
    shape = layout(f"compared-figure-{name}")
    if name == "mix":
        return mix(comparison, say, place)
    if name == "cost":
        by_kind = beyond_committed(frame).reset_index()
        further = cost_columns(by_kind.columns[1:].astype(str))
        return shape.table(by_kind, say, name=place, further=further)
    if name == "differences":
        paid = frame[frame["what"] == PAID]
        made = _difference("money", "Differences in cost", paid, comparison, say)
        return replace(made, name=place)
    if name == "tornado":
        return frame_table(place, say(shape.caption), frame, say, origin="tornado.csv")
    frame = frame.rename(columns=str)
    meaning = MEANING[comparison.criterion].drawn(say)
    digits = 2 if meaning.size != 1 else 0
    first, *others = frame.columns
    further = (
        Column(first, first, translated=True),
        *(Column(key, key, "number", digits, 1 / meaning.size, translated=True) for key in others),
    )
    return shape.table(frame, say, name=place, caption=meaning.what, further=further)


def _title(figure: str, say: Words) -> str:
    return say(layout(f"compared-figure-{figure}").caption)
