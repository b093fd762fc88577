"""Money, land, posts and teachers by county and year, purchase for all; phases and crews."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .synthetic_people import People
from .synthetic_recipe import (
    COMPULSORY,
    PLACE_PRICE_CNY,
    PUPILS_PER_POST,
    Floats,
    Recipe,
    lookup,
)

PHASES = (
    # kind, phase, low, mode, high months of work, needs, milestone
    ("new", "land_and_approvals", 6, 9, 24, "", ""),
    ("new", "structure", 6, 8, 13, "crews=1", "built"),
    ("new", "fit_out", 2.2, 3, 5, "crews=1", "equipped"),
    ("new", "acceptance", 0.5, 0.75, 2, "inspectors=1", "up_to_standard"),
    ("new", "handover", 0.2, 0.25, 0.75, "", "in_use"),
    ("rebuild", "approvals", 2, 4, 12, "", ""),
    ("rebuild", "structure", 4.5, 6, 10, "crews=1", "built"),
    ("rebuild", "fit_out", 1.8, 2.5, 4.2, "crews=1", "equipped"),
    ("rebuild", "acceptance", 0.5, 0.75, 2, "inspectors=1", "up_to_standard"),
    ("rebuild", "handover", 0.2, 0.25, 0.75, "", "in_use"),
    ("extend", "approvals", 1.5, 3, 9, "", ""),
    ("extend", "structure", 3.5, 5, 8.5, "crews=1", "built"),
    ("extend", "fit_out", 1.5, 2, 3.5, "crews=1", "equipped"),
    ("extend", "acceptance", 0.5, 0.75, 2, "inspectors=1", "up_to_standard"),
    ("extend", "handover", 0.2, 0.25, 0.75, "", "in_use"),
    ("prefab", "approvals", 1, 1.75, 4, "", ""),
    ("prefab", "assembly", 1.5, 2.25, 4, "crews=1", "built"),
    ("prefab", "fit_out", 0.8, 1, 2, "crews=1", "equipped"),
    ("prefab", "acceptance", 0.5, 0.75, 2, "inspectors=1", "up_to_standard"),
    ("prefab", "handover", 0.2, 0.25, 0.75, "", "in_use"),
    ("inclusive_kindergarten", "agreement", 1, 2, 4, "", "built"),
    ("inclusive_kindergarten", "equipment", 0.8, 1.25, 2.5, "", "equipped"),
    ("inclusive_kindergarten", "acceptance", 0.3, 0.5, 1.25, "inspectors=1", "up_to_standard"),
    ("inclusive_kindergarten", "registration", 0.2, 0.25, 0.75, "", "in_use"),
)


def limits(
    units: pd.DataFrame,
    people: People,
    schools: pd.DataFrame,
    capital_now: dict[str, float],
    recipe: Recipe,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Table ``limits``: one row per county, planned year and kind; purchases for the whole.

    Parameters
    ----------
    units : DataFrame
        One row per area: ``area``, ``county``, ``kind``.
    people : People
    schools : DataFrame
        Table ``schools``.
    capital_now : dict of county to float
        Capital that ordered projects need in the first planned year, RMB.
    recipe : Recipe
    rng : Generator
    """
    county, names = pd.factorize(units["county"])
    total, private, need, price = (np.zeros(len(names)) for _ in range(4))
    for stage in COMPULSORY:
        sold = people.at_base(stage, private=True).sum(1)
        every = people.at_base(stage).sum(1)
        np.add.at(total, county, every)
        np.add.at(private, county, sold)
        np.add.at(need, county, sold / PUPILS_PER_POST[stage])
        np.add.at(price, county, sold * PLACE_PRICE_CNY[stage])
    of = dict(zip(units["area"], county, strict=True))
    pool = schools[(schools["sector"] == "public") & schools["stage"].isin(COMPULSORY)]
    posts = np.zeros(len(names))
    np.add.at(posts, pool["area"].map(of).to_numpy(np.int64), pool["staff"].to_numpy(float))
    must = schools[schools["conversion"].eq("must") & schools["stage"].isin(COMPULSORY)]
    coming = np.zeros(len(names))
    np.add.at(coming, must["area"].map(of).to_numpy(np.int64), must["staff"].to_numpy(float))

    whole = total.sum()
    by_size = total / whole
    by_need = 0.35 * by_size + 0.65 * need / need.sum()
    vary = np.exp(recipe.purchase_spread * rng.standard_normal(len(names)))
    purchase = np.round(
        recipe.purchase * (0.5 * total + 0.5 * private / private.sum() * whole) * vary
    )
    price = price / np.maximum(private, 1)
    recurrent = recipe.recurrent_room * (
        (posts + coming + 2.5 * recipe.hires * whole * by_need) * 100_000
        + total * 720
        + purchase * price
        + recipe.contract_teachers * whole * by_need * 70_000
    )
    # A small county must be able to pay for a school at all, so half is shared out evenly.
    even = 0.5 * by_size + 0.5 / len(names)
    yearly = recipe.capital_cny * whole * even
    kind = units.drop_duplicates("county")["kind"]
    land = recipe.land_mu * whole * even * lookup(recipe.land_by_kind, kind)
    rows = []
    for step in range(recipe.last_year - recipe.base_year):
        year = recipe.base_year + 1 + step
        now = np.array([capital_now.get(name, 0.0) for name in names]) if step == 0 else 0.0
        left = max((1 - recipe.purchase_fall) ** max(step - 2, 0), recipe.purchase_floor)
        amounts = {
            "capital": _up(now * recipe.capital_now + yearly, 10_000),
            "recurrent": _up(recurrent, 10_000),
            "land": np.round(land, 1),
            "posts": np.ceil(
                posts * (1 + recipe.posts_room)
                + recipe.posts_coming * coming
                + recipe.posts_growth * whole * by_size * (step + 1)
            ),
            "hires": np.round(recipe.hires * whole * by_need),
            "contract_teachers": np.round(recipe.contract_teachers * whole * by_need),
        }
        rows += [
            pd.DataFrame({"county": names, "year": year, "kind": kind, "amount": amount})
            for kind, amount in amounts.items()
        ]
        bought = {"county": "*", "year": year, "kind": "purchase"}
        rows.append(pd.DataFrame([{**bought, "amount": np.round(purchase.sum() * left)}]))
    table = pd.concat(rows)
    return table.sort_values(["kind", "county", "year"], kind="stable", ignore_index=True)


def _up(amount: Floats, step: int) -> Floats:
    return np.asarray(np.ceil(amount / step) * step)


def construction(units: pd.DataFrame, projects: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Tables ``phases`` (defaults by kind) and ``resources`` (crews and inspectors by county)."""
    phases = pd.DataFrame(
        PHASES,
        columns=["kind", "phase", "low_months", "mode_months", "high_months", "needs", "milestone"],
    )
    phases.insert(3, "distribution", "pert")
    of = dict(zip(units["area"], units["county"], strict=True))
    under_way = projects[projects["status"] != "candidate"].drop_duplicates("project")
    load = under_way["area"].map(of).value_counts()
    counties = pd.unique(units["county"])
    work = np.array([int(load.get(county, 0)) for county in counties])
    frames = [
        pd.DataFrame({"resource": name, "county": counties, "units": units_, "calendar": calendar})
        for name, units_, calendar in (
            ("crews", np.maximum(np.ceil(work * 0.5), 2).astype(int), "winter"),
            ("inspectors", np.maximum(np.ceil(work * 0.2), 1).astype(int), ""),
        )
    ]
    return {"phases": phases, "resources": pd.concat(frames, ignore_index=True)}


def capital_of(projects: pd.DataFrame, units: pd.DataFrame) -> dict[str, float]:
    """Unpaid capital of the projects that are not candidates, by county, RMB."""
    of = dict(zip(units["area"], units["county"], strict=True))
    due = projects[projects["status"] != "candidate"]
    unpaid = due["capital_cny"] - due["spent_cny"].fillna(0.0)
    unpaid = unpaid * due["count"].fillna(1.0)
    return {str(k): float(v) for k, v in unpaid.groupby(due["area"].map(of)).sum().items()}
