"""What holds the plan back: the limits that it uses up, and the targets it meets with no room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from capsim.lp.arrays import Array, Flag
    from capsim.plan.plan import Plan


FULL = 1 - 1e-4
"""A limit is used up from this part of it on."""

AUTUMN_MONTHS = 8.0
"""From the new year to an opening in autumn."""

RECURRENT = ("running", "staff", "purchase", "hiring", "boarding")


def limits_used(plan: Plan) -> pd.DataFrame:
    """Set what the plan uses beside every limit of the scenario.

    Returns
    -------
    DataFrame
        kind, county (`*` the whole), year, used, limit, binds; persons, places, RMB or mu. Land is
        counted from the first year with a limit on. Posts that come with projects, and teachers on
        contract whom shrinking private schools set free, use nothing of the limit.

    Notes
    -----
    Land and capital go in whole projects, so little is ever left over exactly: they bind also where
    something is used and what is left is too little for any candidate that could still take of it
    (whose building could have begun by then; which could have opened in that autumn).
    """
    table = plan.scenario.table("limits")[["kind", "county", "year", "amount"]]
    table = table.rename(columns={"amount": "limit"}).assign(used=0.0)
    table = table[["kind", "county", "year", "used", "limit"]]
    for kind in table["kind"].unique():
        rows = table["kind"] == kind
        table.loc[rows, "used"] = _sums(table[rows], USES[str(kind)](plan))
    if (table["kind"] == "land").any():
        table = _carry_over(table, USES["land"](plan))
    table["binds"] = (table["used"] >= FULL * table["limit"]) | (
        (table["used"] > 0) & (table["limit"] - table["used"] < _least_further(plan, table))
    )
    return table.assign(used=table["used"].clip(lower=0.0))


def _sums(limits: pd.DataFrame, used: pd.DataFrame, *, so_far: bool = False) -> Array:
    """Add up what is used where and when each limit holds (`so_far`: in the years before too)."""
    used = used.groupby(["county", "year"])["used"].sum().reset_index()
    year, of_year = used["year"].to_numpy(), limits["year"].to_numpy()[:, None]
    when = year <= of_year if so_far else year == of_year
    sums: Array = (when & _where(limits, used["county"])) @ used["used"].to_numpy(np.float64)
    return sums


def _where(limits: pd.DataFrame, county: pd.Series) -> Flag:
    """Flag ``[limit, row]``: the limit is of the row's county, or of the whole."""
    of = limits["county"].to_numpy(object)[:, None]
    flag: Flag = (of == county.to_numpy(object)) | (of == "*")
    return flag


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
    brought = pd.DataFrame(
        {
            "county": openings["project"].map(county),
            "year": openings["opens"].map(_first_autumn),
            "used": openings["copies"] * openings["project"].map(posts),
        }
    )
    return staff.assign(used=staff["used"] - _sums(staff, brought, so_far=True))


def _contract(plan: Plan) -> pd.DataFrame:
    """Teachers on contract but for those set free: `staff` of ``docs/model.md``."""
    scenario, key = plan.scenario, ["school", "stage"]
    stages = set(scenario.settings.staff.stages) & set(scenario.settings.stages.compulsory)
    given = scenario.table("schools")
    given = given[given["stage"].isin(stages) & (given["sector"] == "private")]
    given = given[given["pupils"] > 0].rename(columns={"pupils": "before"})
    per_post = {name: stage.pupils_per_post for name, stage in scenario.stages.items()}
    standard = (1.0 / given["stage"].map(per_post).astype(float)).fillna(0.0)
    given = given.assign(each=(given["staff"] / given["before"]).fillna(standard))
    converts = plan.tables["conversions"].set_index(key)["converts"].map(_first_autumn)
    now = plan.tables["schools"].merge(given[[*key, "before", "each"]], on=key)
    now = now.join(converts, on=key)
    here = now["before"].where(~(now["converts"] <= now["school_year"]), 0.0)
    gone = here - now["fee_paying"] - now["purchased"]
    free = pd.DataFrame(
        {
            "county": now["county"],
            "year": now["school_year"],
            "used": scenario.settings.policy.release_share * now["each"] * gone,
        }
    )
    staff = _staff("contract")(plan)
    return staff.assign(used=staff["used"] - _sums(staff, free))


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


def _least_further(plan: Plan, limits: pd.DataFrame) -> pd.Series:
    """Least that a waiting candidate would take of each limit of land or capital; -inf of others.

    Waiting is what could have started (land) or opened (capital) by then and has not.
    """
    waiting = _candidates(plan)
    least = pd.Series(np.full(len(limits), -np.inf), index=limits.index)
    for kind, (could, does, takes) in _WAITS.items():
        of_kind = limits[limits["kind"] == kind]
        year = of_kind["year"].to_numpy()[:, None]
        waits = (waiting[could].to_numpy() <= year) & (waiting[does].to_numpy() > year)
        takes_some = waits & (waiting[takes].to_numpy() > 0) & _where(of_kind, waiting["county"])
        amount = np.where(takes_some, waiting[takes].to_numpy(), np.inf).min(1, initial=np.inf)
        least[of_kind.index] = np.where(takes_some.any(axis=1), amount, -np.inf)
    return least


_WAITS = {"land": ("could_start", "starts", "land_mu"), "capital": ("could_open", "opens", "paid")}


def _candidates(plan: Plan) -> pd.DataFrame:
    """Candidates: county, land, capital paid in the year of an autumn opening; years of it all."""
    planned = plan.tables["projects"].set_index("project")
    planned = planned[planned["status"] == "candidate"]
    table = plan.scenario.table("projects")
    given = table[table["project"].isin(planned.index)].groupby("project")
    months = given["build_months"].max()
    paid = given["capital_cny"].sum() * np.minimum(1.0, AUTUMN_MONTHS / months.clip(lower=1e-9))
    could_open = given["earliest_opening"].first().map(_first_autumn)
    opened = plan.tables["openings"].assign(year=lambda rows: rows["opens"].map(_first_autumn))
    of = opened.groupby("project")
    whole = of["copies"].sum().reindex(months.index, fill_value=0) >= given["count"].max()
    opens = of["year"].max().reindex(months.index).where(whole, np.inf)
    before = np.ceil((months - AUTUMN_MONTHS).clip(lower=0.0) / 12)
    return pd.DataFrame(
        {
            "county": planned["county"],
            "land_mu": given["land_mu"].sum(),
            "paid": paid,
            "could_open": could_open,
            "opens": opens,
            "could_start": could_open - before,
            "starts": opens - before,
        }
    )


def _carry_over(table: pd.DataFrame, land: pd.DataFrame) -> pd.DataFrame:
    """Add up use and quota of land over the years, as what is not used carries over."""
    table = table.sort_values(["kind", "county", "year"], kind="stable").copy()
    rows = table["kind"] == "land"
    table.loc[rows, "limit"] = table[rows].groupby("county")["limit"].cumsum()
    table.loc[rows, "used"] = _sums(table[rows], land, so_far=True)
    return table


def _first_autumn(date: str) -> int:
    """School year in whose autumn a thing of this date is first there."""
    return int(date[:4]) + (date[5:] > "09-01")


USES: Mapping[str, Callable[[Plan], pd.DataFrame]] = {
    "hires": _staff("hired"),
    "contract_teachers": _contract,
    "posts": _posts,
    "purchase": _purchase,
    "capital": _capital,
    "recurrent": _recurrent,
    "land": _land,
}
