"""What holds the plan back: the limits that it uses up, and the targets it meets with no room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from capsim.optimize import Plan

FULL = 1 - 1e-4
"""A limit is used up from this part of it on."""

RECURRENT = ("running", "staff", "purchase", "hiring", "boarding")


def limits_used(plan: Plan) -> pd.DataFrame:
    """Set what the plan uses beside every limit of the scenario.

    Returns
    -------
    DataFrame
        kind, county (`*` the whole), year, used, limit, binds; persons, places, RMB or mu. Land is
        counted from the first year with a limit on; posts include those that come with projects.
    """
    limits = plan.scenario.table("limits")
    rows = []
    for kind, group in limits.groupby("kind", sort=False):
        used = USES[str(kind)](plan)
        for row in group.to_dict("records"):
            of_year = used[used["year"] == row["year"]]
            if row["county"] != "*":
                of_year = of_year[of_year["county"] == row["county"]]
            rows.append(
                (kind, row["county"], row["year"], float(of_year["used"].sum()), row["amount"])
            )
    table = pd.DataFrame(rows, columns=["kind", "county", "year", "used", "limit"])
    if (table["kind"] == "land").any():
        table = _carry_over(table, USES["land"](plan))
    table["binds"] = table["used"] >= FULL * table["limit"]
    return table


def tight_targets(plan: Plan) -> list[str]:
    """Ids of the targets that the plan meets with less than a thousandth to spare."""
    table = plan.tables["targets"]
    spare = (table["achieved"] - table["required"]).abs()
    near = spare <= 1e-3 * table["required"].abs().clip(lower=1e-9)
    return list(table["id"][near & table["holds"] & (table["required"] != 0)])


def _staff(column: str) -> Callable[[Plan], pd.DataFrame]:
    def used(plan: Plan) -> pd.DataFrame:
        staff = plan.tables["staff"]
        return pd.DataFrame(
            {"county": staff["county"], "year": staff["school_year"], "used": staff[column]}
        )

    return used


def _posts(plan: Plan) -> pd.DataFrame:
    staff = _staff("pool")(plan)
    posts = plan.scenario.table("projects").groupby("project")["posts"].sum()
    county = plan.tables["projects"].set_index("project")["county"]
    openings = plan.tables["openings"]
    brought = openings["copies"] * openings["project"].map(posts)
    autumn = openings["opens"].map(_first_autumn)
    for number, at in enumerate(zip(staff["county"], staff["year"], strict=True)):
        open_then = (openings["project"].map(county) == at[0]) & (autumn <= at[1])
        staff.loc[staff.index[number], "used"] -= float(brought[open_then].sum())
    return staff


def _purchase(plan: Plan) -> pd.DataFrame:
    bought = plan.tables["purchases"]
    return pd.DataFrame(
        {
            "county": bought["county"],
            "year": bought["school_year"],
            "used": bought["places_december"],
        }
    )


def _capital(plan: Plan) -> pd.DataFrame:
    return _money(plan, ("capital",))


def _recurrent(plan: Plan) -> pd.DataFrame:
    spent = _money(plan, RECURRENT)
    key = ["school", "stage"]
    lease = plan.scenario.table("schools").set_index(key)["conversion_lease_cny"]
    converted = plan.tables["conversions"].join(lease, on=key)
    first = converted["converts"].map(_first_autumn)
    leases = [
        {"county": county, "year": year, "used": paid}
        for county, start, paid in zip(
            converted["county"], first, converted["conversion_lease_cny"], strict=True
        )
        for year in plan.scenario.years
        if year >= start and paid > 0
    ]
    return pd.concat([spent, pd.DataFrame(leases, columns=spent.columns)] if leases else [spent])


def _money(plan: Plan, kinds: tuple[str, ...]) -> pd.DataFrame:
    costs = plan.tables["costs"]
    costs = costs[costs["kind"].isin(kinds)]
    return pd.DataFrame(
        {"county": costs["county"], "year": costs["school_year"], "used": costs["cost_cny"]}
    )


def _land(plan: Plan) -> pd.DataFrame:
    given = plan.scenario.table("projects").groupby("project")
    planned = plan.tables["projects"].set_index("project")
    candidates = planned.index[planned["status"] == "candidate"]
    opened = plan.tables["openings"]
    opened = opened[opened["project"].isin(candidates)]
    months = opened["project"].map(given["build_months"].max())
    starts = pd.to_datetime(opened["opens"]) - pd.to_timedelta(months * 365.25 / 12, unit="D")
    return pd.DataFrame(
        {
            "county": opened["project"].map(planned["county"]),
            "year": np.maximum(starts.dt.year, plan.scenario.first_year),
            "used": opened["project"].map(given["land_mu"].sum()) * opened["copies"],
        }
    )


def _carry_over(table: pd.DataFrame, land: pd.DataFrame) -> pd.DataFrame:
    """Add up use and quota of land over the years, as what is not used carries over."""
    table = table.sort_values(["kind", "county", "year"], kind="stable").copy()
    rows = table["kind"] == "land"
    table.loc[rows, "limit"] = table[rows].groupby("county")["limit"].cumsum()
    for at in table.index[rows]:
        county, year = table.loc[at, "county"], table.loc[at, "year"]
        mine = land if county == "*" else land[land["county"] == county]
        table.loc[at, "used"] = float(mine["used"][mine["year"] <= year].sum())
    return table


def _first_autumn(date: str) -> int:
    """School year in whose autumn a thing of this date is first there."""
    return int(date[:4]) + (date[5:] > "09-01")


USES: Mapping[str, Callable[[Plan], pd.DataFrame]] = {
    "hires": _staff("hired"),
    "contract_teachers": _staff("contract"),
    "posts": _posts,
    "purchase": _purchase,
    "capital": _capital,
    "recurrent": _recurrent,
    "land": _land,
}
