"""Tables of what is decided: projects, openings, conversions, closures, purchases."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Index, Text
from capsim.optimize.catchments import with_the_rest
from capsim.optimize.ledger import taken_over
from capsim.optimize.solved import Solved

CLEAR = 1e-6
"""Persons below which a solved number is nobody."""


def projects_table(solved: Solved) -> pd.DataFrame:
    """One row per project: when it opens and what it brings."""
    given = solved.parts.given
    projects, dates = given.projects, given.dates
    table = given.scenario.table("projects")
    table = table[table["stage"].isin([s.name for s in given.space.stages])]
    head = table.drop_duplicates("project").reset_index(drop=True)
    copies = solved.open[:, -1] if dates.count else np.zeros(len(head))
    opened = (solved.open > 0).any(axis=1)
    first = np.argmax(solved.open > 0, axis=1)
    compulsory = given.space.compulsory[projects.row_stage]
    count = len(head)

    def per_project(amount: Array) -> Array:
        total = np.bincount(projects.row_project, weights=amount, minlength=count)
        return np.asarray(total, np.float64)

    return pd.DataFrame(
        {
            "project": head["project"],
            "area": head["area"],
            "county": given.space.counties[projects.county],
            "kind": head["kind"],
            "stages": table.groupby("project", sort=False)["stage"].agg(";".join).to_numpy(object),
            "programme": head["programme"],
            "status": head["status"],
            "copies": copies.astype(np.int64),
            "opens": np.where(opened, dates.date[first], ""),
            "due": head["due"],
            "places": per_project(projects.row_places),
            "places_compulsory": per_project(projects.row_places * compulsory),
            "capital_cny": per_project(projects.row_capital) * copies,
            "land_mu": per_project(projects.row_land) * copies,
        }
    )


def openings_table(solved: Solved) -> pd.DataFrame:
    """List copies of a project by the check date on which they open."""
    given = solved.parts.given
    new = np.diff(solved.open, axis=1, prepend=0.0)
    i, k = np.nonzero(new > 0)
    return pd.DataFrame(
        {
            "project": given.projects.project[i],
            "opens": given.dates.date[k],
            "copies": new[i, k].astype(np.int64),
        }
    )


def _who(solved: Solved, j: Index) -> dict[str, Text]:
    given = solved.parts.given
    providers, space = given.providers, given.space
    return {
        "school": providers.school[j],
        "stage": solved.parts.stage_names[providers.stage[j]],
        "area": space.areas[providers.area[j]],
        "county": space.counties[providers.county[j]],
    }


def catchments_table(solved: Solved) -> pd.DataFrame:
    """One row per area, stage and year of drawing: the public school that it goes to."""
    given, v = solved.parts.given, solved.parts.columns
    c, space, providers = v.catchments, given.space, given.providers
    links = solved.parts.links
    pair, epoch = np.nonzero(
        with_the_rest(
            c,
            np.round(solved.value(v.assigned)) > 0,
            links.stage[c.link],
            links.cost_cny[c.link],
            providers.places[c.provider] > 0,
        )
    )
    area, j = c.area[pair], c.provider[pair]
    return pd.DataFrame(
        {
            "area": space.areas[area],
            "county": space.counties[space.county[area]],
            "stage": solved.parts.stage_names[providers.stage[j]],
            "from_year": c.drawn[epoch],
            "school": providers.school[j],
        }
    )


def conversions_table(solved: Solved) -> pd.DataFrame:
    """Private schools that become public."""
    given = solved.parts.given
    providers = given.providers
    j = np.flatnonzero((solved.converted > 0).any(axis=1))
    first = np.argmax(solved.converted[j] > 0, axis=1)
    return pd.DataFrame(
        {
            **_who(solved, j),
            "conversion": providers.conversion[j],
            "converts": given.dates.date[first],
            "pupils_base": providers.pupils[j],
            "places": providers.places[j],
            "staff_taken_over": taken_over(given)[j],
            "cost_cny": providers.conversion_cost[j],
        }
    )


def closures_table(solved: Solved) -> pd.DataFrame:
    """Private schools that admit no more: closed by decision, or run down."""
    given, v = solved.parts.given, solved.parts.columns
    out = np.round(solved.value(v.phase_out)) > 0
    shut = np.round(solved.value(v.closed)) > 0
    frames = []
    years = given.space.years
    for flag, how in ((shut, "closed"), (out, "phase_out")):
        j = np.flatnonzero(flag.any(axis=1))
        year = years[np.argmax(flag[j], axis=1)]
        frames.append(pd.DataFrame({**_who(solved, j), "how": how, "from_year": year}))
    closed, phased = frames
    merged = phased.merge(closed, on=["school", "stage"], how="left", suffixes=("", "_shut"))
    phased = phased[(merged["from_year"] != merged["from_year_shut"]).to_numpy(bool)]
    seats = v.seats
    first = seats.before < 0
    intake = np.zeros((len(given.providers.school), len(years)))
    intake[seats.provider[first]] = solved.pupils[first]
    none = np.flip(np.cumprod(np.flip(intake <= CLEAR, axis=1), axis=1), axis=1) > 0
    never = (solved.converted == 0).all(axis=1) & ~out.any(axis=1)
    j = (
        np.flatnonzero(given.providers.levered & never & none[:, -1])
        if len(years)
        else np.zeros(0, int)
    )
    down = pd.DataFrame(
        {**_who(solved, j), "how": "run_down", "from_year": years[np.argmax(none[j], axis=1)]}
    )
    return pd.concat([phased, closed, down], ignore_index=True)


def purchases_table(solved: Solved) -> pd.DataFrame:
    """Places bought, by school and school year."""
    given, v = solved.parts.given, solved.parts.columns
    contract = np.round(solved.value(v.contract))
    september, december = solved.purchased, solved.purchased_december
    j, t = np.nonzero((contract > 0) | (september > 0) | (december > 0))
    price = given.providers.price[j]
    paid = september[j, t] + 8 / 12 * (december[j, t] - september[j, t])
    return pd.DataFrame(
        {
            **_who(solved, j),
            "school_year": given.space.years[t],
            "contract": contract[j, t].astype(np.int64),
            "places_september": september[j, t],
            "places_december": december[j, t],
            "price_cny": price,
            "cost_cny": price * paid,
        }
    )
