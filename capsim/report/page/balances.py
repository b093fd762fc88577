"""Tables of where pupils sit and what is short, for the whole and for each county."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from capsim.optimize.binding import limits_used
from capsim.report.language import Words
from capsim.report.page.blocks import Column, County, Table, make_table
from capsim.report.page.provenance import MONEY, PLACES
from capsim.report.sentences import LIMITS

if TYPE_CHECKING:
    from capsim.optimize import Plan

MOST_COUNTIES = 60
"""Counties with a section of their own; of more, those that lack most standard seats."""
MOST_ROWS = 6000
"""Rows of the table of balances; of more, areas are put together by county."""

SUMS = ["children", "seats", "used", "overfilled", "surplus", "private", "converted", "shortfall"]


def seats(say: Words) -> tuple[Column, ...]:
    """Columns of a balance."""
    titles = (
        say("children"),
        say("standard public seats"),
        say("public pupils"),
        say("above standard"),
        say("empty seats"),
        say("private pupils"),
        say("in converted schools"),
        say("without a place"),
    )
    pairs = zip(SUMS, titles, strict=True)
    return tuple(Column(key, title, "number") for key, title in pairs)


def balances(plan: Plan, say: Words) -> Table:
    """Balance by area, stage and school year, by county where areas are too many."""
    frame = plan.tables["balance"]
    who = [Column("county", say("county"), choose=True, links=True)]
    if len(frame) <= MOST_ROWS:
        who.append(Column("area", say("area")))
    else:
        frame = frame.groupby(["county", "stage", "school_year"], sort=False, as_index=False)[
            SUMS
        ].sum()
    frame = frame.assign(stage_name=frame["stage"].map(say.name))
    when = Column("school_year", say("school year"), "year", choose=True)
    columns = (*who, Column("stage_name", say("stage"), choose=True), when, *seats(say))
    title = say("Balance of places by area, stage and school year (1 September)")
    return make_table("balances", title, frame, columns, origin="plan/balance.csv", inputs=PLACES)


def limits(plan: Plan, say: Words) -> Table:
    """Set what is used beside every limit of the planned years."""
    frame = limits_used(plan)
    frame = frame[frame["year"] >= plan.scenario.first_year]
    money = frame["kind"].isin(["capital", "recurrent"])
    scale = 1e-4 if say.lang == "zh" else 1e-6
    frame = frame.assign(
        what=[say(LIMITS[str(kind)]) for kind in frame["kind"]],
        unit=[say(UNITS[str(kind)]) for kind in frame["kind"]],
        where=frame["county"].where(frame["county"] != "*", say("the whole")),
        used=frame["used"].where(~money, frame["used"] * scale),
        limit=frame["limit"].where(~money, frame["limit"] * scale),
        part=(frame["used"] / frame["limit"]).where(frame["limit"] > 0),
        state=frame["binds"].map({True: say("used up"), False: say("room left")}),
    )
    # What is used up comes first.
    frame = frame.sort_values(["binds", "part"], ascending=False, kind="stable")
    columns = (
        Column("what", say("limit on"), choose=True),
        Column("where", say("county"), choose=True, links=True),
        Column("year", say("year"), "year", choose=True),
        Column("used", say("used"), "number", 1),
        Column("limit", say("limit"), "number", 1),
        Column("unit", say("unit")),
        Column("part", say("part used"), "percent"),
        Column("state", say("state"), choose=True),
    )
    title = say("Limits and what is used of them")
    inputs = ("limits", "projects", "schools", "staff")
    return make_table("limits", title, frame, columns, origin="plan/limits_used.csv", inputs=inputs)


UNITS = {
    "hires": "teachers",
    "contract_teachers": "teachers",
    "posts": "posts",
    "purchase": "places",
    "capital": "RMB, millions",
    "recurrent": "RMB, millions",
    "land": "mu",
}


def counties(plan: Plan, say: Words) -> list[County]:
    """Make the sections of the counties: a table by stage and year, one by area, and its money.

    Of more than `MOST_COUNTIES` those that lack most standard seats have one.
    """
    balance = plan.tables["balance"]
    names = list(dict.fromkeys(balance["county"]))
    if len(names) > MOST_COUNTIES:
        lack = (balance["shortfall"] + balance["overfilled"]).groupby(balance["county"]).sum()
        worst = set(lack.sort_values(ascending=False, kind="stable").index[:MOST_COUNTIES])
        names = [name for name in names if name in worst]
    return [_county(plan, number, name, say) for number, name in enumerate(names, 1)]


def _county(plan: Plan, number: int, name: str, say: Words) -> County:
    first, last = plan.scenario.first_year, plan.scenario.last_year
    tables = plan.tables
    balance = tables["balance"][tables["balance"]["county"] == name]
    shares = tables["shares"][tables["shares"]["county"] == name].set_index("school_year")
    costs = tables["costs"][tables["costs"]["county"] == name]
    projects = tables["projects"]
    opened = projects[(projects["county"] == name) & (projects["opens"] != "")]
    levers = tables["conversions"]
    converted = levers[levers["county"] == name]["school"].nunique()

    def total(column: str, year: int) -> float:
        return float(balance[column][balance["school_year"] == year].sum())

    decided = float((costs["discounted_cny"] - costs["committed_cny"]).sum())
    facts = [
        (say("Projects that open"), say.count(opened["copies"].sum())),
        (say("Schools that convert"), say.count(converted)),
        (say("Without a place, {year}", year=first), say.count(total("shortfall", first))),
        (say("Above standard, {year}", year=first), say.count(total("overfilled", first))),
        (say("Empty seats, {year}", year=last), say.count(total("surplus", last))),
        (say("Cost decided here"), say.money(decided)),
    ]
    if first in shares.index:
        share = say.share(float(shares["share_excluding_purchased"].loc[first]))
        facts.insert(2, (say("Private share, end of {year}", year=first), share))
    return County(
        number, name, facts, [*_by_stage(balance, number, say), *_staff(plan, number, name, say)]
    )


def _by_stage(balance: pd.DataFrame, number: int, say: Words) -> list[Table]:
    by_stage = balance.groupby(["stage", "school_year"], sort=False, as_index=False)[SUMS].sum()
    by_stage = by_stage.assign(stage_name=by_stage["stage"].map(say.name))
    lead = (
        Column("stage_name", say("stage"), choose=True),
        Column("school_year", say("school year"), "year", choose=True),
    )
    title = say("Balance by stage and school year")
    place = f"county-{number}-stages"
    return [
        make_table(
            place, title, by_stage, (*lead, *seats(say)), origin="plan/balance.csv", inputs=PLACES
        )
    ]


def _staff(plan: Plan, number: int, name: str, say: Words) -> list[Table]:
    staff = plan.tables["staff"]
    staff = staff[staff["county"] == name]
    if not len(staff):
        return []
    columns = (
        Column("school_year", say("school year"), "year"),
        Column("need", say("teachers needed"), "number"),
        Column("pool", say("teachers on posts"), "number"),
        Column("hired", say("hired"), "number"),
        Column("taken_over", say("taken over"), "number"),
        Column("contract", say("on contract"), "number"),
    )
    return [
        make_table(
            f"county-{number}-staff",
            say("Teachers"),
            staff,
            columns,
            origin="plan/staff.csv",
            inputs=MONEY[3:],
        )
    ]
