"""The plan as a ledger: a row a project with its four dates, and what is converted and bought."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.report.language import Words
from capsim.report.page.blocks import Column, Table, make_table
from capsim.report.page.provenance import CHANCES, PLACES

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

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
    from capsim.construction import build

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
