"""Tables of a plan on its page: targets, limits, places, projects, schools, prices, explanations.

Each is a layout over a table of the plan; counties have sections of the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

from capsim.construction.programme_simulation import ConstructionSimulation
from capsim.construction.recovery import Recovery
from capsim.i18n.language import Words
from capsim.plan.plan import Explanation, Plan
from capsim.plan.targets import WHAT, rules_of
from capsim.report.figures.style import money_unit
from capsim.report.narrative import (
    Section,
    explained,
    price_groups,
    prices_head,
    target_figure,
)
from capsim.report.page.elements import Column, Layout, Table, layout, money_scale
from capsim.report.risk_narrative import option_names
from capsim.simulation.outcomes import Outcomes

ON_PAPER = {
    "commitments-decisions": 14,
    "ledger": 12,
    "lateness": 6,
    "counties": 34,
    "conversions": 12,
}
"""Rows of tables that stand on the four pages to print."""
MOST_ROWS = 6000
"""Rows of the table of balances; of more, areas are put together by county."""

UNITS = {
    "hires": "teachers",
    "contract_teachers": "teachers",
    "posts": "posts",
    "purchase": "places",
    "capital": "RMB, millions",
    "recurrent": "RMB, millions",
    "land": "mu",
}
DECISIONS = {
    "build": "begin building",
    "hurry": "hurry the building",
    "convert": "turn public",
    "phase out": "end admission",
    "close": "close for good",
    "buy": "contract places",
}
SUMS = ["children", "seats", "used", "overfilled", "surplus", "private", "converted", "shortfall"]


def targets(plan: Plan, summary: dict[str, Any], say: Words) -> Table:
    """List every target of every year, with its figure in the base year."""
    frame = target_cells(pd.DataFrame(summary["targets"]), say)
    if summary["simulation"]["draws"] > 0:
        frame["probability"] = frame["probability"].astype(float)
    else:
        frame = frame.drop(columns="probability")
    return layout("targets").table(frame, say, values={"year": plan.scenario.base_year})


def _states(frame: pd.DataFrame) -> list[str]:
    if "state" in frame:
        return list(frame["state"])
    return ["met" if met else "missed" for met in frame["met"]]


def target_cells(frame: pd.DataFrame, say: Words) -> pd.DataFrame:
    """Return targets with rule, figures and state as they are written."""
    if frame.empty:
        return frame
    figures = {
        key: [
            target_figure(name, value, say)
            for name, value in zip(frame["id"], frame[key], strict=True)
        ]
        for key in ("before", "required", "achieved")
        if key in frame
    }
    return frame.assign(
        **figures,
        rule=[say.rule(rule) for rule in rules_of(frame["id"])],
        state=[say("MISSED" if state == "missed" else state) for state in _states(frame)],
    )


def limits(plan: Plan, say: Words) -> Table:
    """Set what is used beside every limit of the planned years; what is used up comes first."""
    frame = plan.tables["limits_used"]
    frame = frame[frame["year"] >= plan.scenario.first_year]
    frame = frame.assign(
        part=(frame["used"] / frame["limit"]).where(frame["limit"] > 0),
        state=frame["binds"].map({True: say("used up"), False: say("room left")}),
    )
    frame = frame.sort_values(["binds", "part"], ascending=False, kind="stable")
    return layout("limits").table(limit_cells(frame, say), say)


def limit_cells(frame: pd.DataFrame, say: Words) -> pd.DataFrame:
    """Return limits with name, place and unit as they are written; money in the reader's unit."""
    if frame.empty:
        return frame
    money = frame["kind"].isin(["capital", "recurrent"])
    amounts = [key for key in ("used", "limit") if key in frame]
    return frame.assign(
        what=[say(WHAT[str(kind)]) for kind in frame["kind"]],
        unit=[say(UNITS[str(kind)]) for kind in frame["kind"]],
        where=frame["county"].where(frame["county"] != "*", say("the whole")),
        **{key: frame[key].where(~money, frame[key] * money_scale(say)) for key in amounts},
    )


def balances(plan: Plan, say: Words) -> Table:
    """Balance by area, stage and school year, by county where areas are too many."""
    frame = plan.tables["balance"]
    if len(frame) > MOST_ROWS:
        frame = _sums(frame, ["county", "stage", "school_year"])
    return layout("balances").table(frame, say)


def _sums(balance: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return balance.groupby(keys, sort=False, as_index=False)[SUMS].sum()


def stages(plan: Plan, say: Words) -> Table:
    """Balance by stage and school year, of the whole and of each county."""
    balance = plan.tables["balance"]
    whole = _sums(balance, ["stage", "school_year"]).assign(county=say("the whole"))
    by_county = _sums(balance, ["county", "stage", "school_year"])
    return layout("stages").table(pd.concat([whole, by_county]), say)


def teachers(plan: Plan, say: Words) -> Table:
    """List the teachers of each county, stage and school year."""
    return layout("teachers").table(plan.tables["staff"], say)


def counties(plan: Plan, say: Words) -> Table:
    """Set the counties side by side: what each has, lacks, opens and pays."""
    first, last = plan.scenario.first_year, plan.scenario.last_year
    tables = plan.tables
    balance, costs = tables["balance"], tables["costs"]
    names = list(dict.fromkeys(balance["county"]))

    def in_year(column: str, year: int) -> pd.Series:
        return balance[balance["school_year"] == year].groupby("county")[column].sum()

    shares = tables["shares"][tables["shares"]["school_year"] == first].set_index("county")
    opened = tables["projects"][tables["projects"]["opens"] != ""]
    bought = tables["purchases"].groupby(["county", "school_year"])["places_december"].sum()
    decided = costs["discounted_cny"] - costs["committed_cny"]
    paid = tables["commitments"].groupby("county")["total_cny"].sum()
    frame = pd.DataFrame({"county": names}).set_index("county", drop=False)
    frame = frame.assign(
        share=shares["share_excluding_purchased"],
        with_bought=shares["share_including_purchased"],
        shortfall=in_year("shortfall", first),
        overfilled=in_year("overfilled", first),
        surplus=in_year("surplus", last),
        projects=opened.groupby("county")["copies"].sum(),
        converted=tables["conversions"].groupby("county")["school"].nunique(),
        bought=bought.groupby("county").max(),
        decided_cny=decided.groupby(costs["county"]).sum(),
        paid_cny=paid,
    )
    counted = ["shortfall", "overfilled", "surplus", "projects", "converted", "bought"]
    money = ["decided_cny", "paid_cny"]
    frame = frame.fillna(dict.fromkeys([*counted, *money], 0.0))
    table = layout("counties").table(frame, say, values={"first": first, "last": last})
    return replace(table, paper=ON_PAPER["counties"])


MILESTONES = ("built", "equipped", "up_to_standard", "in_use")


def milestones(building: ConstructionSimulation | None) -> pd.DataFrame:
    """List the milestones of what a plan opens, from the simulation of its building.

    Returns
    -------
    DataFrame
        project, milestone (built, equipped, up_to_standard, in_use), date (ISO: reached by then
        in half of the simulations, `""` if it is not), chance (of being reached by the day on
        which the plan counts on the project); of the first copy.
    """
    if building is None:
        return pd.DataFrame(columns=["project", "milestone", "date", "chance"])
    dates = building.dates()
    first = dates[dates["copy"] == 0]
    keys = zip(first["project"], first["milestone"], strict=True)
    even = dict(zip(keys, first["p50"], strict=True))
    rows = []
    for milestone, reached in building.milestones.items():
        chances = (reached <= building.planned).mean(axis=0)
        for column, chance in zip(building.columns, chances, strict=True):
            key = (column.project, milestone)
            if column.copy == 0 and key in even:
                rows.append((*key, even[key], float(chance)))
    return pd.DataFrame(rows, columns=["project", "milestone", "date", "chance"])


def ledger(
    plan: Plan, outcomes: Outcomes | None, reached: pd.DataFrame | None, say: Words
) -> Table:
    """List the plan by project: what opens, when, and how likely by each milestone.

    The projects whose lateness does most harm come first.
    """
    frame = plan.tables["projects"]
    frame = frame[frame["opens"] != ""].reset_index(drop=True)
    frame["stage_names"] = [
        say.joined([say.name(stage) for stage in text.split(";")]) for text in frame["stages"]
    ]
    further = []
    note = ""
    if reached is not None and len(reached):
        for milestone in MILESTONES:
            mine = reached[reached["milestone"] == milestone].set_index("project")
            frame[milestone] = [
                [mine["date"].get(name, ""), mine["chance"].get(name, np.nan)]
                for name in frame["project"]
            ]
            further.append(Column(milestone, say.name(milestone), "chance", translated=True))
        note = say(
            "Of each of the four milestones: the date by which it is reached in half of the"
            " simulations, and the probability that it is reached by the day on which the plan"
            " counts on the project. Of several alike copies, the first."
        )
    if outcomes is not None:
        drawn = outcomes.tables["projects"].set_index("project")
        frame["p90"] = frame["project"].map(drawn["p90"]).fillna("")
        frame["harm"] = frame["project"].map(drawn["harm"]).astype(float)
        frame = frame.sort_values("harm", ascending=False, kind="stable", na_position="last")
    table = layout("ledger").table(frame, say, note=note, further=further)
    return replace(table, sorted_by="harm", paper=ON_PAPER["ledger"])


def recovery_tables(recovery: Recovery, say: Words) -> list[Table]:
    """List projects whose lateness harms most with their cures, and what programmes can reach."""
    worst = recovery.projects.assign(
        options=[option_names(text, say) for text in recovery.projects["options"]]
    )
    late = layout("lateness").table(worst, say)
    tables = [replace(late, paper=ON_PAPER["lateness"])]
    for number, found in enumerate(recovery.programmes, 1):
        caption = say(
            "{programme}: projects in use by {by}, and what it costs to hurry",
            programme=say.rule(found.programme),
            by=found.by,
        )
        values = {"asked": say.chance(found.probability)}
        made = layout("hurrying").table(found.curve, say, caption=caption, values=values)
        tables.append(replace(made, name=f"hurrying-{number}"))
    return [table for table in tables if table.rows]


def purchased(plan: Plan) -> pd.DataFrame:
    """Sum the contracts up, a row a school and stage."""
    bought = plan.tables["purchases"]
    bought = bought[bought["places_december"] + bought["places_september"] > 0]
    keys = ["school", "stage", "area", "county"]
    return bought.groupby(keys, sort=False, as_index=False).agg(
        first=("school_year", "min"),
        last=("school_year", "max"),
        most=("places_december", "max"),
        place_years=("places_december", "sum"),
        price_cny=("price_cny", "mean"),
        cost_cny=("cost_cny", "sum"),
    )


def private_schools(plan: Plan, say: Words) -> list[Table]:
    """List what becomes of private schools: conversions, closures, purchases, where there are."""
    shown = (
        layout("conversions").table(
            plan.tables["conversions"].sort_values(["converts", "school"], kind="stable"), say
        ),
        layout("closures").table(plan.tables["closures"], say),
        layout("purchases").table(purchased(plan), say),
    )
    return [table for table in shown if table.rows]


def decisions(plan: Plan, say: Words) -> Table:
    """List what counties must decide first in each year, the earliest first."""
    frame = plan.tables["commitments"]
    frame = frame[frame["decision"] != ""].sort_values("decide_by", kind="stable")
    names = [
        name
        if decision in ("build", "hurry")
        else say.joined([*map(say.name, name.rsplit(", ", 1))])
        for decision, name in zip(frame["decision"], frame["decision_name"], strict=True)
    ]
    asked = [say(DECISIONS[decision]) for decision in frame["decision"]]
    frame = frame.assign(decision_name=names, decision=asked)
    table = layout("commitments-decisions").table(frame, say)
    return replace(table, paper=ON_PAPER["commitments-decisions"])


def duties(plan: Plan, say: Words) -> list[Table]:
    """List what counties are to deliver and spend, and what schools are to admit."""
    frame = plan.tables["commitments"]
    tables = [
        layout("commitments").table(frame, say, values={"year": plan.scenario.base_year}),
        layout("commitments-money").table(frame, say),
        _admissions(plan, say),
    ]
    return [table for table in tables if table.rows]


def _admissions(plan: Plan, say: Words) -> Table:
    """Set the planned intakes of a school and stage side by side, a column a year."""
    frame, first = plan.tables["admissions"], plan.scenario.first_year
    keys = ["county", "area", "school", "stage"]
    years = frame.pivot_table("intake", keys, "school_year", "sum", fill_value=0, sort=False)
    rows = frame.groupby(keys, sort=False)
    bought = frame[frame["school_year"] == first].set_index(keys)["bought"]
    shown = years.rename(columns=str).assign(
        sector=rows["sector"].last(),
        base_intake=rows["base_intake"].first(),
        bought=bought.reindex(years.index, fill_value=0),
    )
    further = [Column(str(year), str(year), "number", translated=True) for year in years.columns]
    return layout("admissions").table(
        shown.reset_index(),
        say,
        note=say("Whole pupils; those of a county, stage and year add up to the plan's."),
        further=further,
        values={"year": plan.scenario.base_year, "first": first, "last": plan.scenario.last_year},
    )


TERMS = ("kind", "unit", "stage", "status")
"""Columns that hold words of capsim's own, not names from the data."""
RULES = ("private share", "programme", "floor", "own rule")
"""How the names of rules begin that have a year or a name after them."""


@dataclass(frozen=True)
class Advice:
    """A section of sentences and frames: prices, explanations, relaxations.

    Attributes
    ----------
    title : str
    sentences : sequence of text
    frames : mapping of DataFrames
        By caption. Columns ending in `_cny` are RMB, integers in columns `year` or ending in
        `_year` school years; text columns may be chosen by where they repeat.
    groups: sequence of Section
        Sentences under headings of their own.
    """

    title: str
    sentences: Sequence[str] = ()
    frames: Mapping[str, pd.DataFrame] | None = None
    groups: Sequence[Section] = ()


def explanation_advice(explanation: Explanation, say: Words) -> Advice:
    """Make a section of an explanation: its sentences, the cheapest repairs, and every gap."""
    frames = {}
    if explanation.repairs is not None and len(explanation.repairs):
        frames[say("What would be enough alone, all other rules holding")] = explanation.repairs
    gaps = explanation.table
    if (gaps["short_by"] > 0).any():
        gaps = gaps[gaps["short_by"] > 0].drop(columns="alone")
        frames[say("The least that gives way, all at once, so that every child has a place")] = gaps
    shown = {
        caption: _in_unit(frame, say).assign(
            rule=[_rule(str(rule), say) for rule in frame["rule"]],
            who=[_whose(str(who), say) for who in frame["who"]],
        )
        for caption, frame in frames.items()
    }
    return Advice(say("Explanations"), explained(explanation.messages, say), shown)


def _in_unit(frame: pd.DataFrame, say: Words) -> pd.DataFrame:
    """Turn amounts of money, in millions, into the unit in which the language has tables."""
    size, unit = money_unit(say)
    money = frame["unit"] == "million RMB"
    amounts = frame.select_dtypes(float)
    turned = amounts.mask(money, amounts * (1e6 / size))
    columns = {str(key): turned[key] for key in turned}
    return frame.assign(**columns, unit=frame["unit"].mask(money, unit))


def price_advice(table: pd.DataFrame, say: Words) -> Advice:
    """Make a section of prices.

    Parameters
    ----------
    table
        As `Prices.binding` gives it.
    """
    frames = {say("Prices of what is scarce"): table} if len(table) else {}
    return Advice(say("Prices"), [prices_head(table, say)], frames, price_groups(table, say))


def _rule(rule: str, say: Words) -> str:
    """Name a rule of an explanation; the year or name that some end with stays."""
    for start in RULES:
        if rule.startswith(f"{start} "):
            return f"{say.name(start)} {say.name(rule.removeprefix(start).strip())}"
    return say.name(rule)


def _whose(who: str, say: Words) -> str:
    """Name whose a gap is: `county C01, junior`, a school or project, or the whole."""
    if who == "the whole":
        return say("the whole")
    if say.lang == "en" or not who.startswith("county "):
        return who
    county, _, stage = who.removeprefix("county ").rpartition(", ")
    return f"{county}{say.name(stage)}" if county else stage


def advice_tables(advice: Advice, number: int, say: Words) -> list[Table]:
    """Make the tables of a piece of advice."""
    frames = advice.frames or {}
    return [
        frame_table(f"advice-{number}-{at}", caption, frame, say)
        for at, (caption, frame) in enumerate(frames.items(), 1)
    ]


def frame_table(
    name: str, caption: str, frame: pd.DataFrame, say: Words, origin: str = ""
) -> Table:
    """Make a table of any frame, its columns written by their types and names.

    Examples
    --------
    >>> import pandas as pd
    >>> from capsim.i18n.language import words
    >>> frame = pd.DataFrame({"year": [2022], "cost_cny": [12.4]})
    >>> made = frame_table("t", "T", frame, words("en"))
    >>> [column.kind for column in made.columns], made.rows
    (['year', 'number'], [[2022, 12]])
    """
    shown = frame.loc[:, [not (frame[key].astype(str) == "").all() for key in frame.columns]]
    shown = shown.rename(columns=str)
    columns = []
    for key in shown.columns:
        values = shown[key]
        title = say.name(key.removesuffix("_cny")) + (f" ({say('RMB')})" if "_cny" in key else "")
        column = Column(key, title, translated=True)
        if is_bool_dtype(values):
            shown = shown.assign(**{key: values.map({True: say("yes"), False: say("no")})})
            column = replace(column, choose=True)
        elif is_integer_dtype(values) and (key == "year" or key.endswith("_year")):
            column = replace(column, kind="year", choose=True)
        elif is_numeric_dtype(values):
            whole = key.endswith("_cny") or is_integer_dtype(values)
            column = replace(column, kind="number", digits=0 if whole else 2)
        else:
            repeats = 1 < values.nunique() <= min(0.5 * len(values), 40)
            kind = "term" if key in TERMS else "text"
            column = replace(column, kind=kind, choose=repeats, links=key == "county")
        columns.append(column)
    layout = Layout(name, "", tuple(columns), origin=origin)
    return layout.table(shown, say, caption=caption)
