"""Limits, and how much of them a plan uses: the activity of the rows that keep them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array
from capsim.lp.program import Builder
from capsim.model.constraints import FAMILIES
from capsim.model.costs import MILLION
from capsim.model.model import Model
from capsim.plan.solution_arrays import Solution

ROWS = {
    "purchase.limit": ("purchase", 1.0),
    "money.capital": ("capital", MILLION),
    "money.recurrent": ("recurrent", MILLION),
    "land": ("land", 1.0),
    "staff.hires": ("hires", 1.0),
    "staff.posts": ("posts", 1.0),
    "staff.contract": ("contract_teachers", 1.0),
}
"""Rows of the model: the kind of limit that they keep, and its unit in theirs."""
WHAT = {
    "hires": "teachers to hire",
    "contract_teachers": "contract teachers",
    "posts": "posts",
    "purchase": "places for sale",
    "capital": "money to build",
    "recurrent": "money to run",
    "land": "land",
}
"""Kinds of limits in words."""
FULL = 1 - 1e-4
"""A limit is used up from this part of it on."""
AUTUMN_MONTHS = 8.0
"""From the new year to an opening in autumn."""
KEYS = ["kind", "county", "year"]


def limits_table(model: Model, solution: Solution) -> pd.DataFrame:
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
    table = model.given.scenario.table("limits")[[*KEYS, "amount"]]
    table = table.merge(_activity(model, solution.x), on=KEYS, how="left")
    land = table["kind"] == "land"
    if land.any():
        # What is not used of a quota carries over.
        table = table.sort_values(KEYS, kind="stable", ignore_index=True)
        land = table["kind"] == "land"
        of_county = table[land].groupby("county")
        table.loc[land, "amount"] = of_county["amount"].cumsum()
        table.loc[land, "used"] = of_county["used"].ffill()
    # What no decision moves stands on the right of the row, beside the limit: teachers set free,
    # money that is spent anyway.
    free = table["upper"].where(~land) - table["amount"]
    used = table["used"].fillna(0.0) - free.fillna(0.0)
    left = table["amount"] - used
    least = _least_further(model, solution, table)
    binds = (used >= FULL * table["amount"]) | ((used > 0) & (left < least))
    table = table.assign(used=used.clip(lower=0.0), limit=table["amount"], binds=binds)
    return table[[*KEYS, "used", "limit", "binds"]]


def _activity(model: Model, x: Array) -> pd.DataFrame:
    """Compute what rows of limits use, also of families that are switched off: kind, county, year.

    A model may have other bounds on these rows than the scenario, to keep something in reserve.
    """
    m = Builder(column_count=len(x))
    for family in ("purchase", "money", "land", "staff"):
        FAMILIES[family](m, model.parts)
    program = m.freeze()
    activity = program.matrix @ x
    frames = [pd.DataFrame({"kind": "", "county": "", "year": 0, "used": 0.0, "upper": 0.0}, [])]
    for block in program.rows:
        if block.name in ROWS:
            kind, unit = ROWS[block.name]
            county, year = block.labels
            rows = slice(block.start, block.start + block.count)
            used, upper = activity[rows] * unit, program.row_upper[rows] * unit
            columns = {"county": county, "year": year.astype(np.int64), "used": used}
            frames.append(pd.DataFrame({"kind": kind, **columns, "upper": upper}))
    return pd.concat(frames, ignore_index=True)


def _least_further(model: Model, solution: Solution, table: pd.DataFrame) -> Array:
    """Compute the least that a waiting candidate takes of each limit; -inf of other kinds.

    Waiting is what could have started (land) or opened (capital) by then and has not.
    """
    least = np.full(len(table), -np.inf)
    given = model.given
    projects, space, dates = given.projects, given.space, given.dates
    if not dates.count or not projects.candidate.any():
        return least
    count = len(projects.project)
    months = np.zeros(count)
    np.maximum.at(months, projects.row_project, projects.row_months)
    capital = np.bincount(projects.row_project, projects.row_capital, count)
    land = np.bincount(projects.row_project, projects.row_land, count)
    # School year in whose autumn what opens on a check date is first there.
    autumn = np.array([int(date[:4]) + (date[5:] > "09-01") for date in dates.date], np.float64)
    could_open = np.append(autumn, np.inf)[projects.first_check]
    all_open = solution.open[:, -1] >= projects.count
    last = np.argmax(solution.open == solution.open[:, -1:], axis=1)
    opens = np.where(all_open, autumn[last], np.inf)
    before = np.ceil(np.maximum(months - AUTUMN_MONTHS, 0.0) / 12)
    # Of an autumn opening, what is paid from the new year on.
    paid = capital * np.minimum(1.0, AUTUMN_MONTHS / np.maximum(months, 1e-9))
    year = table["year"].to_numpy(np.int64)[:, None]
    county = table["county"].to_numpy(object)[:, None]
    here = projects.candidate & ((county == space.counties[projects.county]) | (county == "*"))
    for kind, takes, could, does in (
        ("land", land, could_open - before, opens - before),
        ("capital", paid, could_open, opens),
    ):
        waits = here & (could <= year) & (does > year) & (takes > 0)
        amount = np.where(waits, takes, np.inf).min(axis=1)
        rows = (table["kind"] == kind).to_numpy() & waits.any(axis=1)
        least[rows] = amount[rows]
    return least
