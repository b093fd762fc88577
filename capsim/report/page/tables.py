"""Tables of a plan on its page: targets, limits, places, projects, private schools.

Each is a layout over a table of the plan; counties have sections of the same tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.i18n.language import Words
from capsim.report.figures.risk import rules_of
from capsim.report.narrative import LIMITS, target_figure
from capsim.report.page.elements import Column, County, Table, layout, money_scale

if TYPE_CHECKING:
    from capsim.construction.building import ConstructionSimulation
    from capsim.plan.plan import Plan
    from capsim.simulation.outcomes import Outcomes


MOST_COUNTIES = 60
"""Counties with a section of their own; of more, those that lack most standard seats."""
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
SUMS = ["children", "seats", "used", "overfilled", "surplus", "private", "converted", "shortfall"]


def targets(summary: dict[str, Any], say: Words) -> Table:
    """List every target of every year."""
    frame = target_cells(pd.DataFrame(summary["targets"]), say)
    if summary["simulation"]["draws"] > 0:
        frame["probability"] = frame["probability"].astype(float)
    else:
        frame = frame.drop(columns="probability")
    return layout("targets").table(frame, say)


def target_cells(frame: pd.DataFrame, say: Words) -> pd.DataFrame:
    """Return targets with rule, figures and state as they are written."""
    if frame.empty:
        return frame
    figures = {
        key: [
            target_figure(name, value, say)
            for name, value in zip(frame["id"], frame[key], strict=True)
        ]
        for key in ("required", "achieved")
    }
    return frame.assign(
        **figures,
        rule=[say.rule(rule) for rule in rules_of(frame["id"])],
        state=frame["holds"].map({True: say("holds"), False: say("MISSED")}),
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
        what=[say(LIMITS[str(kind)]) for kind in frame["kind"]],
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
    mine = {
        key: plan.tables[key][plan.tables[key]["county"] == name]
        for key in ("balance", "shares", "costs", "projects", "conversions", "staff")
    }
    balance, costs, projects = mine["balance"], mine["costs"], mine["projects"]
    yearly = balance.groupby("school_year")[SUMS].sum()

    def total(column: str, year: int) -> float:
        return float(yearly[column].get(year, 0.0))

    decided = float((costs["discounted_cny"] - costs["committed_cny"]).sum())
    opened = projects["copies"][projects["opens"] != ""].sum()
    facts = [
        (say("Projects that open"), say.count(opened)),
        (say("Schools that convert"), say.count(mine["conversions"]["school"].nunique())),
        (say("Without a place, {year}", year=first), say.count(total("shortfall", first))),
        (say("Above standard, {year}", year=first), say.count(total("overfilled", first))),
        (say("Empty seats, {year}", year=last), say.count(total("surplus", last))),
        (say("Cost decided here"), say.money(decided)),
    ]
    shares = mine["shares"].set_index("school_year")["share_excluding_purchased"]
    if first in shares.index:
        share = say.share(float(shares.loc[first]))
        facts.insert(2, (say("Private share, end of {year}", year=first), share))
    by_stage = _sums(balance, ["stage", "school_year"])
    tables = [layout("county-stages").table(by_stage, say, name=f"county-{number}-stages")]
    if len(mine["staff"]):
        tables.append(
            layout("county-staff").table(mine["staff"], say, name=f"county-{number}-staff")
        )
    return County(number, name, facts, tables)


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
    """List the plan by project: what opens, when, and how likely by each milestone."""
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
    return layout("ledger").table(frame, say, note=note, further=further)


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
        layout("conversions").table(plan.tables["conversions"], say),
        layout("closures").table(plan.tables["closures"], say),
        layout("purchases").table(purchased(plan), say),
    )
    return [table for table in shown if table.rows]
