"""Tables of a comparison on its page: a row a scenario, or a thing in all scenarios in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from capsim.compare import TERMS
from capsim.report.figures import rules_of
from capsim.report.figures.grid import MEANING
from capsim.report.figures.private import TERMS as LOOKS
from capsim.report.language import Words
from capsim.report.page.advice import frame_table
from capsim.report.page.balances import UNITS
from capsim.report.page.blocks import Column, Table, make_table
from capsim.report.page.ledger import money_column
from capsim.report.page.provenance import MONEY, PLACES
from capsim.report.sentences import LIMITS, kind_name, target_figure

if TYPE_CHECKING:
    from capsim.compare import Comparison

USUAL = 2030
"""School year whose empty seats stand in the ranking, where it is planned; else the last one."""


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
    )
    columns = (
        Column("rank", say("rank"), "number"),
        scenario_column(say),
        Column("missed", say("targets missed"), "number"),
        Column("avoidable_cny", *money_column(say("decided here"), say)),
        Column("gap", say("proved gap"), "percent", 3),
        Column("displaced", say("made to change school"), "number"),
        Column("shortfall", say("without a place"), "number"),
        Column("empty", say("empty seats, {year}", year=year), "number"),
        Column("purchased_most", say("places bought"), "number"),
        Column("converted", say("schools converted"), "number"),
        Column("opened", say("candidates opened"), "number"),
        Column("least_probability", say("least likely target"), "percent"),
        Column("above", say("dominated by"), "date"),
    )
    title = say(
        "Scenarios, ranked by targets missed and then by: {what}",
        what=say(MEANING[comparison.criterion].what),
    )
    return make_table("ranking", title, frame, columns, origin="summary.csv", inputs=MONEY)


def scenario_column(say: Words) -> Column:
    """Column that names the scenario."""
    return Column("scenario", say("scenario"), choose=True)


def settings(comparison: Comparison, say: Words) -> Table:
    """List the settings of a grid, a row each scenario."""
    keys = list(dict.fromkeys(key for change in comparison.factors.values() for key in change))
    rows = [
        {"scenario": name, **{key: str(change.get(key, "")) for key in keys}}
        for name, change in comparison.factors.items()
    ]
    frame = pd.DataFrame(rows, columns=["scenario", *keys])
    columns = [scenario_column(say), *(Column(key, key, choose=True) for key in keys)]
    return make_table("settings", say("Settings varied"), frame, columns, origin="factors.csv")


def inputs(comparison: Comparison, say: Words) -> Table:
    """List every setting and cell in which a scenario differs from the first."""
    columns = (
        scenario_column(say),
        Column("table", say("table"), choose=True),
        Column("key", say("row")),
        Column("column", say("column or setting"), choose=True),
        Column("first", say("in the first")),
        Column("value", say("here")),
    )
    frame = comparison.tables["inputs"]
    title = say("What differs from {name}", name=comparison.first)
    frame = frame.reindex(columns=[column.key for column in columns])
    return make_table("inputs", title, frame, columns, origin="inputs.csv")


def targets(comparison: Comparison, say: Words) -> Table:
    """List every target, the scenarios one after another."""
    frame = together(comparison.tables["targets"], ["id"])
    if len(frame):
        figures = {
            key: [
                target_figure(name, value, say)
                for name, value in zip(frame["id"], frame[key], strict=True)
            ]
            for key in ("required", "achieved")
        }
        frame = frame.assign(
            **figures,
            rule=[say.rule(rule) for rule in rules_of(frame["id"])],
            state=frame["holds"].map({True: say("holds"), False: say("MISSED")}),
            room=frame["tight"].map({True: say("met with no room"), False: ""}),
        )
    columns = [
        Column("rule", say("target"), choose=True),
        Column("by", say("by"), "date"),
        scenario_column(say),
        Column("required", say("required")),
        Column("achieved", say("planned")),
        Column("state", say("state"), choose=True),
        Column("room", say("room"), choose=True),
    ]
    if comparison.draws:
        columns += [
            Column("probability", say("probability"), "percent"),
            Column("low", say("95 % interval, from"), "percent"),
            Column("high", say("to"), "percent"),
        ]
    frame = frame.reindex(columns=[column.key for column in columns])
    what = ("policy", "floors")
    return make_table("targets", say("Targets"), frame, columns, origin="targets.csv", inputs=what)


def together(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Put the rows of one thing together, in the order in which things first come."""
    if table.empty:
        return table
    place = table.groupby(list(keys), sort=False).ngroup()
    return table.loc[place.sort_values(kind="stable").index]


def mix(comparison: Comparison, say: Words, name: str = "mix-table") -> Table:
    """Say what takes the pupils in, a row each scenario."""
    columns = [scenario_column(say), Column("school_year", say("school year"), "year")]
    columns += [Column(key, say(LOOKS[key].label), "number") for key in TERMS]
    columns.append(Column("total", say("fall in private pupils"), "number"))
    frame = comparison.tables["mix"].reindex(columns=[column.key for column in columns])
    title = say("What takes the pupils in")
    return make_table(name, title, frame, columns, origin="mix.csv", inputs=PLACES)


def years(comparison: Comparison, say: Words) -> Table:
    """Set children, seats, shares and costs of every year side by side."""
    columns = (
        Column("school_year", say("school year"), "year", choose=True),
        scenario_column(say),
        Column("displaced", say("made to change school"), "number"),
        Column("surplus", say("empty seats"), "number"),
        Column("share_excluding_purchased", say("purchased places not counted"), "percent", 2),
        Column("share_including_purchased", say("purchased places counted"), "percent", 2),
        Column("avoidable_cny", *money_column(say("decided here"), say)),
    )
    frame = together(comparison.tables["years"], ["school_year"])
    frame = frame.reindex(columns=[column.key for column in columns])
    title = say("Year by year: moves, empty seats, private shares and cost")
    return make_table("years", title, frame, columns, origin="years.csv", inputs=MONEY)


def costs(comparison: Comparison, say: Words) -> Table:
    """Set the cost of each kind and year side by side; years in which nothing is paid left out."""
    frame = comparison.tables["costs"]
    kinds: list[str] = []
    if len(frame):
        frame = frame.pivot_table(
            index=["school_year", "scenario"],
            columns="kind",
            values="avoidable_cny",
            aggfunc="sum",
            fill_value=0.0,
            sort=False,
        )
        kinds = [str(kind) for kind in frame.columns]
        frame = together(frame.assign(total=frame.sum(axis=1)).reset_index(), ["school_year"])
        frame = frame.sort_values("school_year", kind="stable")
    columns = [Column("school_year", say("year"), "year", choose=True), scenario_column(say)]
    columns += [Column(kind, *money_column(kind_name(kind, say), say)) for kind in kinds]
    columns.append(Column("total", *money_column(say("sum"), say)))
    frame = frame.reindex(columns=[column.key for column in columns])
    title = say("What the decisions cost, by kind and year")
    return make_table("costs", title, frame, columns, origin="costs.csv", inputs=MONEY)


def limits(comparison: Comparison, say: Words) -> Table:
    """List the limits that are used up, the scenarios one after another."""
    frame = together(comparison.tables["limits"], ["kind", "county", "year"])
    if len(frame):
        money = frame["kind"].isin(["capital", "recurrent"])
        scale = 1e-4 if say.lang == "zh" else 1e-6
        frame = frame.assign(
            what=[say(LIMITS[str(kind)]) for kind in frame["kind"]],
            unit=[say(UNITS[str(kind)]) for kind in frame["kind"]],
            where=frame["county"].where(frame["county"] != "*", say("the whole")),
            limit=frame["limit"].where(~money, frame["limit"] * scale),
        )
    columns = (
        Column("what", say("limit on"), choose=True),
        Column("where", say("county"), choose=True),
        Column("year", say("year"), "year", choose=True),
        scenario_column(say),
        Column("limit", say("limit"), "number", 1),
        Column("unit", say("unit")),
    )
    frame = frame.reindex(columns=[column.key for column in columns])
    title = say("Limits that are used up")
    return make_table("limits", title, frame, columns, origin="limits.csv", inputs=("limits",))


def prices(comparison: Comparison, say: Words) -> list[Table]:
    """Give what is scarce and what one more of it would save, where that was asked for."""
    if "binding" not in comparison.tables or comparison.tables["binding"].empty:
        return []
    keys = ["kind", "area", "county", "stage", "name", "year"]
    frame = together(comparison.tables["binding"], keys)
    order = [*keys, "scenario", *(key for key in frame if key not in (*keys, "scenario"))]
    return [frame_table("prices", say("Prices"), frame[order], say, origin="binding.csv")]
