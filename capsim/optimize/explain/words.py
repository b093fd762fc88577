"""Explanations in sentences, with numbers, counties and dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.lp import solve
from capsim.lp.highs import INTERIOR
from capsim.optimize.explain.policy import Policy
from capsim.optimize.model import Model

if TYPE_CHECKING:
    from capsim.optimize.plan import Plan

LARGE = 30_000
MOST = 8
"""Gaps that are listed one by one."""


def who_of(policy: Policy) -> list[str]:
    """Name each member's county and stage, or what else it is of."""
    members = policy.members
    columns = (members[name].tolist() for name in ("county", "stage", "name"))
    out = []
    for county, stage, name in zip(*columns, strict=True):
        if county:
            out.append(f"county {county}" + (f", {stage}" if stage else ""))
        else:
            out.append(str(name) or "the whole")
    return out


def conflict_sentences(sets: list[tuple[str, ...]], owner: Mapping[str, Policy]) -> list[str]:
    """Say which policies cannot hold together."""
    out = []
    for number, names in enumerate(sets):
        if len(names) == 1:
            head = "Apart from that, this" if number else "This"
            out.append(f"{head} cannot hold, whatever else gives way: {owner[names[0]].says}.")
            continue
        listed = "; ".join(f"({i}) {owner[name].says}" for i, name in enumerate(names, 1))
        head = "Apart from that, these" if number else "These"
        out.append(f"{head} cannot all hold: {listed}. Without any one of them the others can.")
    return out


def cure_sentences(repairs: pd.DataFrame, owner: Mapping[str, Policy]) -> list[str]:
    """Say what would be enough by itself."""
    cures = []
    for rule, rows in repairs.groupby("rule", sort=False):
        policy, enough = owner[str(rule)], float(rows["enough"].iloc[0])
        level = "" if policy.level is None else level_of(policy, enough)
        things = f"{rows['who'].nunique():,}"
        text = policy.cure.format(amount=amount_text(enough), level=level, things=things)
        cures.append(singular(text) + _where(rows))
    if not cures:
        return ["No single rule is enough to bend while all the others hold."]
    if len(cures) == 1:
        return [f"All other rules can hold if {cures[0]}."]
    return ["Each of these alone would be enough, all other rules holding:", *_points(cures)]


def _points(texts: list[str]) -> list[str]:
    return [f"- {text}{'.' if i == len(texts) else ';'}" for i, text in enumerate(texts, 1)]


def level_of(policy: Policy, enough: float) -> str:
    """Where a rule with a level moves to; a level below 0 counts downwards."""
    assert policy.level is not None
    if policy.level < 0:
        return f"{-policy.level - enough:,.0f} instead of {-policy.level:,.0f}"
    digits = 2 if enough >= 0.01 else 4
    return f"{policy.level + enough:.{digits}f}"


def _where(rows: pd.DataFrame) -> str:
    """Name the counties and years with the largest part, or the projects or schools."""
    if rows["rule"].iloc[0] in NAMED:
        names = list(dict.fromkeys(rows["who"]))
        return f" ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})"
    rows = rows[rows["who"].str.startswith("county ")]
    if rows.empty:
        return ""
    first = rows.sort_values("short_by", ascending=False, kind="stable").head(3)
    columns = (first[name].tolist() for name in ("short_by", "who", "school_year"))
    parts = [(amount_text(n), f"{who}, {year}") for n, who, year in zip(*columns, strict=True)]
    if len(rows) == 1:
        return f" ({parts[0][1]})"
    head = "most" if len(rows) > 3 else "of them"
    return f" ({head} {'; '.join(f'{n} in {there}' for n, there in parts)})"


NAMED = ("projects due", "conversions due", "first conversions")
"""Rules whose members are single projects or schools."""


def singular(text: str) -> str:
    """Put what there is one of into the singular.

    Examples
    --------
    >>> singular("1 more contract teachers are taken on"), singular("1 classes too many")
    ('1 more contract teacher is taken on', '1 class too many')
    >>> singular("21 more posts are authorised"), singular("1 schools convert earlier")
    ('21 more posts are authorised', '1 school converts earlier')
    >>> singular("1 more boarding places stand ready")
    '1 more boarding place stands ready'
    """
    kinds = "contract |large |ordered |boarding "
    found = re.match(rf"(.*(?<![\d.,])1 (?:more )?(?:{kinds})?)(\w+)(.*)", text)
    if found is None or found[2] not in ONE:
        return text
    verb = re.match(r"((?: that must convert)? )(\w+)\b(.*)", found[3])
    rest = found[3]
    if verb is not None and verb[2] in DOES:
        rest = f"{verb[1]}{DOES[verb[2]]}{verb[3]}"
    return f"{found[1]}{ONE[found[2]]}{rest}"


DOES = {
    **{"are": "is", "go": "goes", "stand": "stands", "do": "does"},
    **{"convert": "converts", "open": "opens"},
}
ONE = {
    **{"teachers": "teacher", "posts": "post", "places": "place", "pupils": "pupil"},
    **{"projects": "project", "children": "child", "classes": "class", "schools": "school"},
}


def gap_sentences(short: pd.DataFrame, owner: Mapping[str, Policy]) -> list[str]:
    """Say what gives way at the least when all rules may but every child's place."""
    if short.empty:
        return []
    weight = short["rule"].map(lambda rule: owner[rule].weight)
    order = short.assign(w=short["short_by"] * weight)
    order = order.sort_values("w", ascending=False, kind="stable")
    out = ["The least that has to give way, all at once, so that every child has a place:"]
    columns = (
        order.head(MOST)[name].tolist() for name in ("rule", "who", "school_year", "short_by")
    )
    for rule, who, year, amount in zip(*columns, strict=True):
        text = owner[rule].lacks.format(who=who, amount=amount_text(amount), year=year)
        text = singular(text)
        out.append(text[0].upper() + text[1:] + ".")
    if len(order) > MOST:
        out.append(f"And {len(order) - MOST} smaller gaps, listed in the table.")
    return out


def short_sentences(plan: Plan) -> list[str]:
    """Say what a plan misses: children without a place, where and when, and other targets."""
    out = []
    short = plan.tables["shortfall"]
    total = float(short["shortfall"].sum())
    if total > 1e-6:
        keys = ["county", "stage", "school_year"]
        by = short.groupby(keys, sort=False)["shortfall"].sum()
        by = by[by > 0.5 if (by > 0.5).any() else by > 1e-6].sort_values(ascending=False)
        columns = (by.head(4).reset_index()[name].tolist() for name in [*keys, "shortfall"])
        parts = [
            f"{amount_text(float(n))} in county {county}, {stage}, {year}"
            for county, stage, year, n in zip(*columns, strict=True)
        ]
        more = f" and {len(by) - 4} more" if len(by) > 4 else ""
        out.append(
            f"{amount_text(total)} children (all years together) have no place in the cheapest"
            f" plan: {'; '.join(parts)}{more}."
        )
    targets = plan.tables["targets"]
    for row in targets[~targets["holds"].to_numpy(bool)].to_dict("records"):
        if row["id"] != "placement":
            out.append(
                f"Target {row['id']} is missed by the plan ({row['achieved']:,.4g} where"
                f" {row['required']:,.4g} is required by {row['by']}): the scenario has switched"
                " its rule off."
            )
    return out


def price_sentence(model: Model, plan: Plan) -> str:
    """Say what it would cost to place every child, where that is possible but dearer."""
    program, u = model.program, model.columns.shortfall.ravel()
    upper = program.upper.copy()
    upper[u] = 0.0
    large = len(program.cost) > LARGE
    whole = program.relaxed() if large else program
    found = solve(
        replace(whole, upper=upper), gap=1e-3, time_limit=120.0, options=INTERIOR if large else {}
    )
    price = plan.scenario.settings.costs.shortfall_cny
    if found.x is None:
        return "Whether every child can have a place was not settled."
    dearer = max(found.objective * 1e6 - (plan.objective_cny - plan.committed_cny), 0.0)
    least = "at least " if large else ""
    return (
        f"No rules contradict each other: every child could have a place for {least}"
        f"{amount_text(dearer)} RMB more, but the plan avoids that because a missing place is"
        f" priced at {price:,.0f} RMB."
    )


def amount_text(value: float) -> str:
    """Write an amount: whole from 100 on, else with two decimals where needed.

    Examples
    --------
    >>> amount_text(12400.4), amount_text(2.5), amount_text(0.001)
    ('12,400', '2.5', '0.001')
    """
    if not np.isfinite(value):
        return "?"
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 0.01 or value == 0:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:.1g}"
