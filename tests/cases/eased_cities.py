"""Rules dropped, or giving way by so much where and when it is said, in public settings alone.

Whether all rules but some can hold is asked of the planner itself, with a missing place so dear
that no plan leaves a child out unless it must.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from capsim.lp import solve
from capsim.model.model import formulate

LIMITED = {
    "hires": "hires",
    "posts": "posts",
    "contract teachers": "contract_teachers",
    "capital": "capital",
    "recurrent money": "recurrent",
    "land": "land",
}
POLICIES = {
    "closing notice": "closing_notice_years",
    "closing size": "closing_size_share",
    "pupils kept": "keep_share",
    "private intake": "intake_rise_share",
    "public intake": "public_swing_share",
    "noncompulsory pupils": "noncompulsory_swing_share",
    "bought children": "purchase_follows_child",
    "running contracts": "contract_fall_share",
    "public seats first": "public_seats_first_km",
}


def without(scenario: Any, rules: Iterable[str]) -> Any:
    """Return the scenario in which these rules are gone, by public settings and tables alone."""
    for rule in rules:
        scenario = _without(scenario, rule)
    return scenario


def _without(scenario: Any, rule: str) -> Any:
    if rule == "every child":
        return scenario.variant({"costs.shortfall_cny": 200_000.0})
    if rule in LIMITED:
        return _no_limit(scenario, LIMITED[rule])
    if rule == "reduction":
        return scenario.variant({"policy.reduction": 0.0})
    if rule.startswith("private share"):
        return scenario.variant({f"policy.private_share_cap.{rule.split()[-1]}": 1.0})
    if rule.startswith("programme "):
        return scenario.variant({f"programmes.{rule.removeprefix('programme ')}.number": 0})
    if rule.startswith(("least of ", "most of ")):
        return scenario.variant({"switches.choice": False})
    if rule == "filled schools":
        return scenario.variant({"switches.fill": False})
    if rule in POLICIES:
        return scenario.variant({f"policy.{POLICIES[rule]}": None})
    if rule == "day travel":
        return scenario.variant({"switches.boarding": False})
    if rule == "smallest school":
        # A share this small leaves the decision to close.
        share = min(scenario.settings.policy.least_size_share, 1e-9)
        return _schools(scenario, min_pupils=0.0).variant({"policy.least_size_share": share})
    if rule == "admission plans":
        return scenario.variant({"switches.admission": False})
    if rule == "kindergarten shares":
        return scenario.variant({"switches.kindergarten": False})
    if rule == "class size":
        return scenario.variant({"switches.class_size": False})
    if rule.startswith("floor "):
        return scenario.variant({"switches.floors": False})
    if rule == "seats":
        table = scenario.table("schools")
        table["places"] = np.where(table["sector"] == "public", 1e5, table["places"])
        table["classes"] = np.nan
        return scenario.variant({}, tables={"schools": table})
    if rule == "purchase":
        table = scenario.table("schools")
        private = table["sector"] == "private"
        table["purchasable_places"] = np.where(private, table["pupils"], 0.0)
        table["purchase_min_places"] = 0.0
        free = _no_limit(scenario.variant({}, tables={"schools": table}), "purchase")
        return free.variant({"policy.purchase_ceiling_share": 1.0, "policy.contract_years": 1})
    if rule == "projects due":
        return scenario.variant({}, tables={"projects": _candidates(scenario)})
    if rule == "conversions due":
        table = scenario.table("schools")
        table["conversion"] = table["conversion"].replace("must", "may")
        return scenario.variant({}, tables={"schools": table})
    raise KeyError(rule)


def _no_limit(scenario: Any, kind: str) -> Any:
    if kind not in set(scenario.table("limits")["kind"]):
        return scenario
    return scenario.variant({}, drop={"limits": {"kind": kind}})


def _schools(scenario: Any, **columns: float) -> Any:
    table = scenario.table("schools").assign(**columns)
    return scenario.variant({}, tables={"schools": table})


def _candidates(scenario: Any) -> pd.DataFrame:
    """Ordered projects as candidates, which may open whenever they can, or never."""
    table = scenario.table("projects")
    return table.assign(status="candidate", due="")


def possible(scenario: Any, kept: Iterable[str], every: Iterable[str]) -> bool:
    """Whether these rules can hold, of all rules of a scenario; asked of the planner's program."""
    kept = set(kept)
    if "every child" in kept:
        scenario = scenario.variant({"costs.shortfall_cny": 1e9})
    loose = without(
        scenario, [rule for rule in every if rule not in kept and rule != "every child"]
    )
    model = formulate(loose)
    found = solve(model.program, gap=1e-9)
    if found.status == "infeasible":
        return False
    assert found.status == "optimal"
    assert found.x is not None
    if "every child" not in kept:
        return True
    return bool(found.x[model.columns.shortfall].sum() < 1e-5)


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
        return scenario.variant({"policy.reduction": max(policy.reduction - amount, 0.0)})
    if rule.startswith("private share"):
        first = int(rule.split()[-1])
        cap = policy.private_share_cap[first] + 0.01 * amount
        return scenario.variant({f"policy.private_share_cap.{first}": cap})
    if rule.startswith("programme "):
        name = rule.removeprefix("programme ")
        number = scenario.settings.programmes[name].number - round(amount)
        return scenario.variant({f"programmes.{name}.number": number})
    if rule.startswith("floor "):
        key = f"floors.{rule.removeprefix('floor ').replace(' ', '_')}.{year}"
        children = scenario.table("forecast").query("school_year == @year")["pupils"].sum()
        share = getattr(scenario.settings.floors, key.split(".")[1])[year]
        return scenario.variant({key: share - amount / children})
    if rule.startswith(("least of ", "most of ")):
        side, _, name = rule.partition(" of ")
        given = getattr(scenario.settings.choices[name], side)
        moved = given + round(amount if side == "most" else -amount)
        return scenario.variant({f"choices.{name}.{side}": moved})
    if rule == "filled schools":
        places = float(scenario.table("schools").query("sector == 'public'")["places"].sum())
        share = policy.public_fill_share[year] - amount / places
        return scenario.variant({f"policy.public_fill_share.{year}": share})
    if rule in POLICIES:
        key = POLICIES[rule]
        moved = getattr(policy, key) + _share(rule, year, amount)
        return scenario.variant({f"policy.{key}": max(moved, 0)})
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


def _share(rule: str, year: int, amount: float) -> float | int:
    """By how much a policy changes where schools give way by so many pupils, or close."""
    if rule == "closing notice":
        return -int(amount)
    if rule == "pupils kept":
        return -amount / {2022: 40.0, 2023: 20.0}[year]  # of those who move up
    if rule == "closing size":
        return -amount / 60.0  # of its base-year pupils
    last_year = {"private intake": 20.0, "public intake": 60.0, "noncompulsory pupils": 45.0}
    return amount / last_year[rule]


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
