"""How sure differences between scenarios are, and the data behind the figures of a comparison.

Tables of a comparison on its page: a row a scenario, or a thing in all scenarios in turn.

One self-contained page of a comparison: who comes first, figures, and every table of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.comparison.result import TERMS
from capsim.i18n.language import Words, words
from capsim.plan.targets import rule_and_year, unit_of
from capsim.report import comparison_narrative as comparison_words
from capsim.report.figures.comparison import PAID
from capsim.report.figures.private import TERMS as LOOKS
from capsim.report.figures.risk import rules_of
from capsim.report.figures.tradeoff import MEANING
from capsim.report.narrative import LIMITS, kind_name, target_figure
from capsim.report.page.advice import frame_table
from capsim.report.page.elements import (
    CHANCES,
    MONEY,
    PLACES,
    Column,
    Picture,
    Table,
    make_table,
    render_page,
)
from capsim.report.page.pictures import address
from capsim.report.page.tables import UNITS, money_column
from capsim.report.summary import versions

if TYPE_CHECKING:
    import pandas as pd

    from capsim.comparison.side_by_side import Comparison


def differences(comparison: Comparison, say: Words) -> list[Table]:
    """Set simulated figures against those of the first: money, children, shares and chances."""
    frame = comparison.tables["differences"]
    if frame.empty:
        return []
    what = frame["what"].astype(str)
    money = what.str.endswith("_cny")
    part = what.str.startswith("probability of ") | (what.map(unit_of) == "share")
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
    rule, year = rule_and_year(what)
    return what if year is None else f"{say.rule(rule)} {year}"


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
        As `capsim.report.screen.comparison_tables` gives them.
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
