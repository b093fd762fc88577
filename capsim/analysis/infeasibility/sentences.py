"""Explanations in sentences, with numbers, counties and dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.analysis.infeasibility.rules import Policy
from capsim.i18n.message import Message
from capsim.lp.decomposition.dantzig_wolfe import price_coupling
from capsim.lp.highs import INTERIOR
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve
from capsim.model.model import Model, is_large

if TYPE_CHECKING:
    from capsim.plan.plan import Planned


MOST = 8
"""Gaps that are listed one by one."""
NAMED = ("projects due", "conversions due", "first conversions")
"""Rules whose members are single projects or schools."""
OF_SCHOOLS = ("smallest school", "admission plans", "boarding places")
"""Rules of single schools: all others of an area could be kept by its other schools too."""
HALF = 0.5
"""Of a place: smaller gaps are counted, not told, where there are larger ones."""


def who_of(policy: Policy) -> list[Message]:
    """Name each member's county and stage, or what else it is of."""
    members = policy.members
    columns = (members[name].tolist() for name in ("county", "stage", "name"))
    return [_who(*one) for one in zip(*columns, strict=True)]


def closest_of(policy: Policy) -> list[Message]:
    """Name each member's school or area with its county and stage, as far as the rule has them."""
    columns = (policy.members[name].tolist() for name in ("name", "area", "county"))
    schools = policy.name in OF_SCHOOLS
    return [
        _place(school if schools else "", area, county, who)
        for school, area, county, who in zip(*columns, who_of(policy), strict=True)
    ]


def _place(school: str, area: str, county: str, who: Message) -> Message:
    if school:
        return Message("school {school} ({who})", {"school": school, "who": who})
    return Message("area {area} ({who})", {"area": area, "who": who}) if area and county else who


def _who(county: str, stage: str, name: object) -> Message:
    if county and stage:
        return Message("county {county}, {stage}", {"county": county, "stage": stage})
    if county:
        return Message("county {county}", {"county": county})
    return Message("{name}", {"name": str(name)}) if name else Message("the whole")


def conflict_sentences(sets: list[tuple[str, ...]], owner: Mapping[str, Policy]) -> list[Message]:
    """Say which policies cannot hold together."""
    out = []
    for number, names in enumerate(sets):
        if len(names) == 1:
            text = (
                Message("Apart from that, this cannot hold, whatever else gives way: {rule}.")
                if number
                else Message("This cannot hold, whatever else gives way: {rule}.")
            )
            out.append(text.filled(rule=owner[names[0]].says))
            continue
        listed = tuple(
            Message("({number}) {rule}", {"number": i, "rule": owner[name].says})
            for i, name in enumerate(names, 1)
        )
        text = (
            Message(
                "Apart from that, these cannot all hold: {rules}."
                " Without any one of them the others can."
            )
            if number
            else Message("These cannot all hold: {rules}. Without any one of them the others can.")
        )
        out.append(text.filled(rules=listed))
    return out


def cure_sentences(repairs: pd.DataFrame, owner: Mapping[str, Policy]) -> list[Message]:
    """Say what would be enough by itself."""
    cures = []
    for rule, rows in repairs.groupby("rule", sort=False):
        policy, enough = owner[str(rule)], float(rows["enough"].iloc[0])
        cure = policy.cure.filled(amount=enough, things=float(rows["who"].nunique()))
        if policy.level is not None:
            cure = cure.filled(level=level_of(policy.level, enough))
        where = _where(rows, policy)
        cures.append(
            cure if where is None else Message("{cure} ({where})", {"cure": cure, "where": where})
        )
    if not cures:
        return [Message("No single rule is enough to bend while all the others hold.")]
    if len(cures) == 1:
        return [Message("All other rules can hold if {cure}.", {"cure": cures[0]})]
    points = [Message("- {cure};", {"cure": cure}) for cure in cures[:-1]]
    return [
        Message("Each of these alone would be enough, all other rules holding:"),
        *points,
        Message("- {cure}.", {"cure": cures[-1]}),
    ]


def level_of(level: float, enough: float) -> Message | str:
    """Where a rule with a level moves to; a level below 0 counts downwards."""
    if level < 0:
        return Message("{now} instead of {before}", {"now": -level - enough, "before": -level})
    digits = 2 if enough >= 0.01 else 4
    return f"{level + enough:.{digits}f}"


def _where(rows: pd.DataFrame, policy: Policy) -> Message | None:
    """Name the counties and years with the largest part, or the projects or schools."""
    if policy.name in NAMED:
        names = tuple(dict.fromkeys(rows["who"]))
        return Message("{names} …" if len(names) > 3 else "{names}", {"names": names[:3]})
    called = _called([policy])
    inside = [called[policy.name, who].msgid not in ("the whole", "{name}") for who in rows["who"]]
    rows = rows[np.array(inside, bool)]
    if rows.empty:
        return None
    first = rows.sort_values("short_by", ascending=False, kind="stable").head(3)
    columns = (first[name].tolist() for name in ("short_by", "who", "school_year"))
    parts = [
        {"amount": amount, "who": called[policy.name, who], "year": int(year)}
        for amount, who, year in zip(*columns, strict=True)
    ]
    if len(rows) == 1:
        return Message("{who}, {year}", {key: parts[0][key] for key in ("who", "year")})
    listed = tuple(Message("{amount} in {who}, {year}", part) for part in parts)
    text = Message("most {parts}") if len(rows) > 3 else Message("of them {parts}")
    return text.filled(parts=listed)


def gap_sentences(short: pd.DataFrame, owner: Mapping[str, Policy]) -> list[Message]:
    """Say what gives way at the least when all rules may but every child's place."""
    if short.empty:
        return []
    weight = short["rule"].map(lambda rule: owner[rule].weight)
    order = short.assign(w=short["short_by"] * weight)
    order = order.sort_values("w", ascending=False, kind="stable")
    most = min(MOST, max(int((order["w"] >= HALF).sum()), 1))
    out = [Message("The least that has to give way, all at once, so that every child has a place:")]
    shown = order.head(most)
    called = _called(owner[rule] for rule in shown["rule"].unique())
    columns = (shown[name].tolist() for name in ("rule", "who", "school_year", "short_by"))
    for rule, who, year, amount in zip(*columns, strict=True):
        gap = owner[rule].lacks.filled(who=called[rule, who], amount=amount, year=int(year))
        out.append(Message("{gap}.", {"gap": gap}))
    if len(order) > most:
        number = len(order) - most
        out.append(Message("And {number} smaller gaps, listed in the table.", {"number": number}))
    return out


def _called(policies: Iterable[Policy]) -> dict[tuple[str, str], Message]:
    """Find the names of members again by rule and text."""
    return {
        (policy.name, str(who)): who
        for policy in policies
        for who in (*who_of(policy), *closest_of(policy))
    }


def short_sentences(plan: Planned) -> list[Message]:
    """Say what a plan misses: children without a place, where and when, and other targets.

    Of a relaxation only children: other targets are measured on whole classes and projects.
    """
    out = []
    short = plan.tables["shortfall"]
    total = float(short["shortfall"].sum())
    if total > 1e-6:
        keys = ["county", "stage", "school_year"]
        by = short.groupby(keys, sort=False)["shortfall"].sum()
        by = by[by > 0.5 if (by > 0.5).any() else by > 1e-6].sort_values(ascending=False)
        columns = (by.head(4).reset_index()[name].tolist() for name in [*keys, "shortfall"])
        parts = tuple(
            Message(
                "{amount} in {who}, {year}",
                {"amount": float(n), "who": _who(county, stage, ""), "year": int(year)},
            )
            for county, stage, year, n in zip(*columns, strict=True)
        )
        there = Message("{parts} and {number} more") if len(by) > 4 else Message("{parts}")
        out.append(
            Message(
                "{total} children (all years together) have no place in the cheapest plan:"
                " {where}.",
                {"total": total, "where": there.filled(parts=parts, number=len(by) - 4)},
            )
        )
    if plan.solution is not None:
        return out
    targets = plan.tables["targets"]
    for row in targets[~targets["holds"].to_numpy(bool)].to_dict("records"):
        if row["id"] != "placement":
            out.append(
                Message(
                    "Target {target} is missed by the plan ({achieved} where {required} is"
                    " required by {by}): the scenario has switched its rule off.",
                    {
                        "target": str(row["id"]),
                        "achieved": f"{row['achieved']:,.4g}",
                        "required": f"{row['required']:,.4g}",
                        "by": str(row["by"]),
                    },
                )
            )
    return out


def _least(model: Model, program: LinearProgram) -> float | None:
    """Return the least cost, of a large program that of its relaxation; None if it is not known."""
    apart = model.apart(program)
    priced = None if apart is None else price_coupling(apart)
    if priced is not None:
        return priced.bound
    large = is_large(program)
    found = solve(
        program.relaxed() if large else program,
        gap=1e-3,
        time_limit=120.0,
        options=INTERIOR if large else {},
    )
    return None if found.x is None else found.objective


def price_sentence(model: Model, plan: Planned) -> Message:
    """Say what it would cost to place every child, where that is possible but dearer."""
    program, u = model.program, model.columns.shortfall.ravel()
    upper = program.upper.copy()
    upper[u] = 0.0
    large = is_large(program)
    least = _least(model, replace(program, upper=upper))
    price = float(plan.scenario.settings.costs.shortfall_cny)
    if least is None:
        return Message("Whether every child can have a place was not settled.")
    dearer = max(least * 1e6 - (plan.objective_cny - plan.committed_cny), 0.0)
    values = {"amount": dearer, "price": price}
    if large:
        return Message(
            "No rules contradict each other: every child could have a place for at least {amount}"
            " RMB more, but the plan avoids that because a missing place is priced at {price} RMB.",
            values,
        )
    return Message(
        "No rules contradict each other: every child could have a place for {amount} RMB more,"
        " but the plan avoids that because a missing place is priced at {price} RMB.",
        values,
    )
