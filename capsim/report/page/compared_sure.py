"""How sure differences between scenarios are, and the data behind the figures of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from capsim.report.figures.compare import PAID
from capsim.report.figures.grid import MEANING
from capsim.report.language import Words
from capsim.report.page.advice import frame_table
from capsim.report.page.blocks import Column, Table, make_table
from capsim.report.page.compared_tables import mix, scenario_column, together
from capsim.report.page.ledger import money_column
from capsim.report.page.provenance import CHANCES, MONEY
from capsim.report.sentences import kind_name

if TYPE_CHECKING:
    import pandas as pd

    from capsim.compare import Comparison


def differences(comparison: Comparison, say: Words) -> list[Table]:
    """Set simulated figures against those of the first: money, children, shares and chances."""
    frame = comparison.tables["differences"]
    if frame.empty:
        return []
    what = frame["what"].astype(str)
    money = what.str.endswith("_cny")
    part = what.str.startswith(("share-", "probability of "))
    frame = frame.assign(named=[_figure_name(one, say) for one in what])
    return [
        table
        for table in (
            _difference("money", say("Differences in cost"), frame[money], say, comparison),
            _difference(
                "children", say("Differences in children"), frame[~money & ~part], say, comparison
            ),
            _difference(
                "shares", say("Differences in shares and chances"), frame[part], say, comparison
            ),
        )
        if table.rows
    ]


def _difference(
    name: str, title: str, frame: pd.DataFrame, say: Words, comparison: Comparison
) -> Table:
    first = say("mean of {name}", name=comparison.first)
    titles = (
        ("first", first),
        ("mean", say("mean here")),
        ("difference", say("difference")),
        ("low", say("95 % interval, from")),
        ("high", say("to")),
    )
    columns = [Column("named", say("simulated figure"), choose=True), scenario_column(say)]
    for key, text in titles:
        if name == "money":
            columns.append(Column(key, *money_column(text, say)))
        else:
            kind, digits = ("percent", 2) if name == "shares" else ("number", 1)
            columns.append(Column(key, text, kind, digits))
    columns.append(Column("draws", say("draws"), "number"))
    return make_table(
        f"differences-{name}",
        title,
        together(frame, ["named"]),
        columns,
        origin="differences.csv",
        inputs=CHANCES,
    )


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


def _figure_name(what: str, say: Words) -> str:
    """Name a simulated figure: a total, a target's own, or its probability."""
    if what.startswith("probability of "):
        return say("probability: {target}", target=_figure_name(what[15:], say))
    if what in FIGURES:
        return say(FIGURES[what])
    rule, _, year = what.rpartition("-")
    return f"{say.rule(rule)} {year}" if rule and year.isdigit() else what


def behind(
    name: str, comparison: Comparison, tables: Mapping[str, pd.DataFrame], say: Words
) -> Table:
    """Give the data behind a figure."""
    place = f"{name}-data"
    if name == "mix":
        return mix(comparison, say, place)
    if name == "cost":
        by_kind = tables["costs"].pivot_table(
            index="scenario",
            columns="kind",
            values="avoidable_cny",
            aggfunc="sum",
            fill_value=0.0,
            sort=False,
        )
        columns = [scenario_column(say)] + [
            Column(str(kind), *money_column(kind_name(kind, say), say)) for kind in by_kind.columns
        ]
        title = say("What the decisions cost, by scenario")
        return make_table(
            place, title, by_kind.reset_index(), columns, origin="costs.csv", inputs=MONEY
        )
    if name == "differences":
        frame = tables["differences"]
        frame = frame[frame["what"] == PAID]
        frame = frame.assign(named=[_figure_name(str(one), say) for one in frame["what"]])
        made = _difference("money", say("Differences in cost"), frame, say, comparison)
        return Table(place, made.caption, made.columns, made.rows, made.origin, made.inputs)
    frame = tables[name].rename(columns=str)
    if name == "heat":
        key = str(frame.columns[0])
        unit = MEANING[comparison.criterion].size
        columns = [Column(key, key)] + [
            Column(str(other), str(other), "number", 2 if unit != 1 else 0, 1 / unit)
            for other in frame.columns[1:]
        ]
        title = MEANING[comparison.criterion].text(say)
        return make_table(place, title, frame, columns, origin="heat.csv")
    title = say("What moves the result most, one setting at a time")
    return frame_table(place, title, frame, say, origin="tornado.csv")
