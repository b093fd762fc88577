"""Rules give way by so much, where and when it is said, in public settings and tables alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from infeasible_cities import LIMITED

from capsim.lp import solve
from capsim.optimize import formulate

WHOLE = ("projects due", "conversions due")
"""Of these a project or a school gives way, not an amount."""


def eased(scenario: Any, rows: pd.DataFrame) -> Any:
    """Return the scenario in which each row's rule gives way by its ``short_by``."""
    for row in rows.itertuples():
        scenario = _eased(scenario, row.rule, row.who, row.school_year, row.short_by)
    return scenario


def _eased(scenario: Any, rule: str, who: str, year: int, amount: float) -> Any:
    policy = scenario.settings.policy
    if rule == "reduction":
        return scenario.variant({"policy.reduction": policy.reduction - amount})
    if rule.startswith("private share"):
        first = int(rule.split()[-1])
        cap = policy.private_share_cap[first] + 0.01 * amount
        return scenario.variant({f"policy.private_share_cap.{first}": cap})
    if rule.startswith("programme "):
        name = rule.removeprefix("programme ")
        number = scenario.settings.programmes[name].number - round(amount)
        return scenario.variant({f"programmes.{name}.number": number})
    if rule in LIMITED:
        return _more_limit(scenario, LIMITED[rule], year, amount)
    schools = scenario.table("schools")
    public, private = schools["sector"] == "public", schools["sector"] == "private"
    if rule == "class size":
        classes = schools[public]["places"].sum() / 50
        share = policy.large_class_share[year] + amount / classes
        return scenario.variant({f"policy.large_class_share.{year}": share})
    if rule == "seats":
        schools.loc[public, "places"] += amount
        schools["classes"] = np.nan
    elif rule == "purchase":
        for_sale = (schools["purchasable_places"] + amount).clip(upper=schools["places"])
        schools.loc[private, "purchasable_places"] = for_sale[private]
        schools["purchase_price_cny"] = schools["purchase_price_cny"].fillna(5000.0)
        children = scenario.table("forecast").query("school_year == 2022")["pupils"].sum()
        ceiling = policy.purchase_ceiling_share
        if ceiling is not None:
            above = ceiling + amount / children
            scenario = scenario.variant({"policy.purchase_ceiling_share": above})
    elif rule == "admission plans":
        schools.loc[private, "admission_plan"] += amount
    elif rule == "smallest school":
        schools.loc[private, "min_pupils"] -= amount
    elif rule == "conversions due":
        schools.loc[schools["school"] == who, "conversion"] = "may"
    else:
        raise KeyError(rule)
    return scenario.variant({}, tables={"schools": schools})


def _more_limit(scenario: Any, kind: str, year: int, amount: float) -> Any:
    table = scenario.table("limits")
    at = (table["kind"] == kind) & (table["year"] == year)
    assert at.sum() == 1
    table.loc[at, "amount"] += amount * (1e6 if kind in ("capital", "recurrent") else 1.0)
    return scenario.variant({}, tables={"limits": table})


def children_left_out(scenario: Any) -> float:
    """The fewest children without a place, all years together; infinite where there is no plan."""
    model = formulate(scenario.variant({"costs.shortfall_cny": 1e9}))
    found = solve(model.program, gap=1e-9)
    if found.status == "infeasible":
        return float("inf")
    assert found.status == "optimal"
    assert found.x is not None
    return float(found.x[model.columns.shortfall].sum())
