"""Tables of where pupils sit and what is short, for the whole and for each county.

The plan as a ledger: a row a project with its four dates, and what is converted and bought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.i18n.language import Words
from capsim.plan.limits import limits_used
from capsim.report.narrative import LIMITS
from capsim.report.page.elements import CHANCES, MONEY, PLACES, Column, County, Table, make_table

if TYPE_CHECKING:
    from capsim.plan.plan import Plan
    from capsim.simulation.outcomes import Outcomes


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


MILESTONES = ("built", "equipped", "up_to_standard", "in_use")


def milestones(plan: Plan, draws: int, seed: int) -> pd.DataFrame:
    """Simulate the building of what a plan opens, with the luck of `simulate` of the same seed.

    Returns
    -------
    DataFrame
        project, milestone (built, equipped, up_to_standard, in_use), date (ISO: reached by then
        in half of the simulations, `""` if it is not), chance (of being reached by the day on
        which the plan counts on the project); of the first copy.
    """
    from capsim.construction.building import build

    planned: dict[str, list[str]] = {}
    for row in plan.tables["openings"].sort_values("opens", kind="stable").to_dict("records"):
        planned.setdefault(str(row["project"]), []).extend([str(row["opens"])] * int(row["copies"]))
    if not planned:
        return pd.DataFrame(columns=["project", "milestone", "date", "chance"])
    programme = build(plan.scenario, planned=planned, replications=draws, seed=seed)
    dates = programme.dates()
    first = dates[dates["copy"] == 0]
    keys = zip(first["project"], first["milestone"], strict=True)
    even = dict(zip(keys, first["p50"], strict=True))
    rows = []
    for milestone, reached in programme.milestones.items():
        chances = (reached <= programme.planned).mean(axis=0)
        for column, chance in zip(programme.columns, chances, strict=True):
            key = (column.project, milestone)
            if column.copy == 0 and key in even:
                rows.append((*key, even[key], float(chance)))
    return pd.DataFrame(rows, columns=["project", "milestone", "date", "chance"])


def ledger(
    plan: Plan, outcomes: Outcomes | None, reached: pd.DataFrame | None, say: Words
) -> Table:
    """Write down the plan by project: what opens, when, and how likely by each milestone."""
    frame = plan.tables["projects"]
    frame = frame[frame["opens"] != ""].reset_index(drop=True)
    frame = frame.assign(
        kind_name=frame["kind"].map(say.name),
        status_name=frame["status"].map(say.name),
        stage_names=[
            say.joined([say.name(s) for s in text.split(";")]) for text in frame["stages"]
        ],
    )
    columns = [
        Column("project", say("project")),
        Column("county", say("county"), choose=True, links=True),
        Column("kind_name", say("kind"), choose=True),
        Column("stage_names", say("stages"), choose=True),
        Column("places", say("places a copy"), "number"),
        Column("opens", say("plan counts on it from"), "date"),
    ]
    note = ""
    if reached is not None and len(reached):
        for milestone in MILESTONES:
            mine = reached[reached["milestone"] == milestone].set_index("project")
            frame[milestone] = [
                [mine["date"].get(name, ""), mine["chance"].get(name, np.nan)]
                for name in frame["project"]
            ]
            columns.append(Column(milestone, say.name(milestone), "chance"))
        note = say(
            "Of each of the four milestones: the date by which it is reached in half of the"
            " simulations, and the probability that it is reached by the day on which the plan"
            " counts on the project. Of several alike copies, the first."
        )
    if outcomes is not None:
        drawn = outcomes.tables["projects"].set_index("project")
        frame["p90"] = frame["project"].map(drawn["p90"]).fillna("")
        frame["harm"] = frame["project"].map(drawn["harm"]).astype(float)
        columns.append(Column("p90", say("in use: nine in ten"), "date"))
        columns.append(Column("harm", say("harm of lateness, child-years"), "number", 1))
    columns += [
        Column("copies", say("copies"), "number"),
        Column("capital_cny", *money_column(say("unpaid capital"), say)),
        Column("programme", say("programme"), choose=True),
        Column("status_name", say("status"), choose=True),
    ]
    return make_table(
        "ledger",
        say("The plan by project"),
        frame,
        columns,
        origin="plan/projects.csv",
        inputs=(*CHANCES, "programmes"),
        note=note,
    )


def conversions(plan: Plan, say: Words) -> Table:
    """Write down which private schools become public."""
    frame = plan.tables["conversions"]
    frame = frame.assign(
        stage_name=frame["stage"].map(say.name), why=frame["conversion"].map(say.name)
    )
    columns = (
        Column("school", say("school")),
        Column("county", say("county"), choose=True, links=True),
        Column("area", say("area")),
        Column("stage_name", say("stage"), choose=True),
        Column("why", say("conversion"), choose=True),
        Column("converts", say("public from"), "date"),
        Column("pupils_base", say("pupils, base year"), "number"),
        Column("places", say("places"), "number"),
        Column("staff_taken_over", say("teachers taken over"), "number"),
        Column("cost_cny", *money_column(say("cost"), say, 2)),
    )
    title = say("Private schools that become public")
    return make_table(
        "conversions",
        title,
        frame,
        columns,
        origin="plan/conversions.csv",
        inputs=("schools", "policy"),
    )


def closures(plan: Plan, say: Words) -> Table:
    """Write down which private schools close or run down."""
    frame = plan.tables["closures"]
    frame = frame.assign(stage_name=frame["stage"].map(say.name), way=frame["how"].map(say.name))
    columns = (
        Column("school", say("school")),
        Column("county", say("county"), choose=True, links=True),
        Column("area", say("area")),
        Column("stage_name", say("stage"), choose=True),
        Column("way", say("how"), choose=True),
        Column("from_year", say("from school year"), "year"),
    )
    title = say("Private schools that close or run down")
    return make_table(
        "closures", title, frame, columns, origin="plan/closures.csv", inputs=("schools", "policy")
    )


def purchases(plan: Plan, say: Words) -> Table:
    """Sum the contracts up, a row a school."""
    bought = plan.tables["purchases"]
    bought = bought[bought["places_december"] + bought["places_september"] > 0]
    keys = ["school", "stage", "area", "county"]
    frame = bought.groupby(keys, sort=False, as_index=False).agg(
        first=("school_year", "min"),
        last=("school_year", "max"),
        most=("places_december", "max"),
        place_years=("places_december", "sum"),
        price_cny=("price_cny", "mean"),
        cost_cny=("cost_cny", "sum"),
    )
    frame = frame.assign(stage_name=frame["stage"].map(say.name))
    columns = (
        Column("school", say("school")),
        Column("county", say("county"), choose=True, links=True),
        Column("area", say("area")),
        Column("stage_name", say("stage"), choose=True),
        Column("first", say("first school year"), "year"),
        Column("last", say("last school year"), "year"),
        Column("most", say("most places"), "number"),
        Column("place_years", say("place-years"), "number"),
        Column("price_cny", say("RMB a place and year, mean"), "number"),
        Column("cost_cny", *money_column(say("cost, undiscounted"), say, 2)),
    )
    title = say("Places bought from private schools")
    return make_table(
        "purchases",
        title,
        frame,
        columns,
        origin="plan/purchases.csv",
        inputs=(*PLACES[:1], "schools", "policy", "standards"),
    )


def money_column(title: str, say: Words, digits: int = 1) -> tuple[str, str, int, float]:
    """Give title, kind, digits and scale of a column of money."""
    if say.lang == "zh":
        return f"{title}（{say('RMB, millions')}）", "number", 0 if digits == 1 else 1, 1e-4
    return f"{title}, {say('RMB, millions')}", "number", digits, 1e-6
