"""Write explanations in sentences: what contradicts, what would cure it, what a plan misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np
import pandas as pd

from capsim.analysis.infeasibility.elastic import Gap
from capsim.analysis.infeasibility.rules import Rule
from capsim.i18n.language import Message, Millions, Money
from capsim.plan.plan import Plan

MOST = 8
"""Gaps that are listed one by one."""
HALF = 0.5
"""Of a place: smaller gaps are counted, not listed, where there are larger ones."""
SINGLE = 3
"""Gaps, projects or schools that are listed in the cure by a rule."""
WORST = 4
"""Counties, stages and years that are listed where children are without a place."""


def who(gap: Gap) -> Message:
    """Name the school or area of a gap, its county and stage, or what else it is of."""
    where = _county(gap.county, gap.stage) if gap.county else _thing(gap.thing)
    if gap.school:
        return Message("school {school} ({who})", {"school": gap.school, "who": where})
    return _area(gap.area, where) if gap.area else where


def _area(area: str, county: Message) -> Message:
    return Message("area {area} ({who})", {"area": area, "who": county})


def _county(county: str, stage: str) -> Message:
    if stage:
        return Message("county {county}, {stage}", {"county": county, "stage": stage})
    return Message("county {county}", {"county": county})


def _thing(name: str) -> Message:
    return Message("{name}", {"name": name}) if name else Message("the whole")


def conflict_sentences(
    sets: Sequence[tuple[str, ...]], rules: Mapping[str, Rule], *, minimal: bool = True
) -> list[Message]:
    """Write which rules cannot hold together; whether all are needed for it may not be known."""
    out = []
    for number, names in enumerate(sets):
        if len(names) == 1:
            text = (
                Message("Apart from that, this cannot hold, whatever else gives way: {rule}.")
                if number
                else Message("This cannot hold, whatever else gives way: {rule}.")
            )
            out.append(text.filled(rule=rules[names[0]].says))
            continue
        listed = tuple(
            Message("({number}) {rule}", {"number": i, "rule": rules[name].says})
            for i, name in enumerate(names, 1)
        )
        text = (
            Message("These cannot all hold: {rules}.")
            if not minimal
            else Message(
                "Apart from that, these cannot all hold: {rules}."
                " Without any one of them the others can."
            )
            if number
            else Message("These cannot all hold: {rules}. Without any one of them the others can.")
        )
        out.append(text.filled(rules=listed))
    return out


def cure_sentences(repairs: Mapping[str, list[Gap]], rules: Mapping[str, Rule]) -> list[Message]:
    """Write what would be enough by itself: the gaps of each rule that can give way alone."""
    cures = [_cure(rules[name], gaps) for name, gaps in repairs.items() if gaps]
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


def _cure(rule: Rule, gaps: list[Gap]) -> Message:
    enough = amount_of(gaps)
    cure = rule.cure.filled(amount=_in_unit(rule, enough), things=len({gap.thing for gap in gaps}))
    if rule.level is not None:
        cure = cure.filled(level=_level(rule.level, enough))
    where = _things(gaps) if rule.entry.of == "things" else _where(gaps)
    return cure if where is None else Message("{cure} ({where})", {"cure": cure, "where": where})


def amount_of(gaps: Sequence[Gap]) -> float:
    """Return by how much a rule gives way in all."""
    return float(np.sum([gap.amount for gap in gaps]))


def _in_unit(rule: Rule, amount: float) -> float:
    """Return an amount as one of money where the rule is of money."""
    return Millions(amount) if rule.entry.unit == "million RMB" else amount


def _level(level: float, enough: float) -> Message | str:
    """Write where a rule with a level moves to; a level below 0 counts downwards."""
    if level < 0:
        return Message("{now} instead of {before}", {"now": -level - enough, "before": -level})
    digits = 2 if enough >= 0.01 else 4
    return f"{level + enough:.{digits}f}"


def _things(gaps: list[Gap]) -> Message:
    """Name the projects or schools that give way."""
    names = tuple(dict.fromkeys(gap.thing for gap in gaps))
    text = Message("{names} …") if len(names) > SINGLE else Message("{names}")
    return text.filled(names=names[:SINGLE])


def _where(gaps: list[Gap]) -> Message | None:
    """Name the counties and years of the largest gaps; None where a rule is of the whole."""
    gaps = sorted((gap for gap in gaps if gap.county), key=lambda gap: -gap.amount)
    if not gaps:
        return None
    if len(gaps) == 1:
        text = Message("{who}, {year}") if gaps[0].year else Message("{who}")
        return text.filled(who=who(gaps[0]), year=gaps[0].year)
    listed = tuple(
        _amount(_in_unit(gap.rule, gap.amount), who(gap), gap.year) for gap in gaps[:SINGLE]
    )
    text = Message("most {parts}") if len(gaps) > SINGLE else Message("of them {parts}")
    return text.filled(parts=listed)


def _amount(amount: float, where: Message, year: int) -> Message:
    text = Message("{amount} in {who}, {year}") if year else Message("{amount} in {who}")
    return text.filled(amount=amount, who=where, year=year)


def gap_sentences(gaps: list[Gap]) -> list[Message]:
    """Write what gives way at the least when all rules may but every child's place."""
    if not gaps:
        return []
    order = sorted(gaps, key=lambda gap: gap.weight, reverse=True)
    large = sum(gap.weight >= HALF for gap in gaps)
    most = min(MOST, max(large, 1))
    out = [Message("The least that has to give way, all at once, so that every child has a place:")]
    for gap in order[:most]:
        amount = _in_unit(gap.rule, gap.amount)
        text = gap.rule.gap.filled(who=who(gap), amount=amount, year=gap.year)
        out.append(Message("{gap}.", {"gap": text}))
    if len(order) > most:
        number = len(order) - most
        out.append(Message("And {number} smaller gaps, listed in the table.", {"number": number}))
    return out


def shortfall_sentences(plan: Plan) -> list[Message]:
    """Write where and when a plan leaves children without a place."""
    table = plan.tables["shortfall"]
    total = float(table["shortfall"].sum())
    if total <= 1e-6:
        return []
    keys = ["county", "stage", "school_year"]
    without = table[table["shortfall"] > 1e-6].groupby(keys, sort=False)
    by = without.agg(shortfall=("shortfall", "sum"), area=("area", _only))
    some = by["shortfall"] > HALF
    by = by[some if some.any() else by["shortfall"] > 1e-6]
    by = by.sort_values("shortfall", ascending=False)
    parts = []
    for row in by.head(WORST).reset_index().to_dict("records"):
        county = _county(row["county"], row["stage"])
        where = _area(row["area"], county) if row["area"] else county
        parts.append(_amount(row["shortfall"], where, row["school_year"]))
    there = Message("{parts} and {number} more") if len(by) > WORST else Message("{parts}")
    where = there.filled(parts=tuple(parts), number=len(by) - WORST)
    return [
        Message(
            "{total} children (all years together) have no place in the cheapest plan: {where}.",
            {"total": total, "where": where},
        )
    ]


def _only(names: pd.Series) -> str:
    """Return the name if it is one, else nothing."""
    return str(names.iloc[0]) if len(names.unique()) == 1 else ""


def target_sentences(plan: Plan) -> list[Message]:
    """Write which other targets a plan misses, the scenario having switched their rules off."""
    targets = plan.tables["targets"]
    missed = targets[~targets["met"].to_numpy(bool) & (targets["id"] != "placement")]
    return [
        Message(
            "Target {target} is missed by the plan ({achieved} where {required} is required by"
            " {by}; {before} in {year}): the scenario has switched its rule off.",
            {
                "target": str(row["id"]),
                **{
                    key: "?" if isnan(row[key]) else f"{row[key]:,.4g}"
                    for key in ("before", "achieved", "required")
                },
                "year": plan.scenario.base_year,
                "by": str(row["by"]),
            },
        )
        for row in missed.to_dict("records")
    ]


def price_sentence(dearer_cny: float, price_cny: float, *, at_least: bool) -> Message:
    """Write how much dearer it would be to place every child, where no rules contradict."""
    text = (
        Message(
            "No rules contradict each other: every child could have a place for at least {amount}"
            " RMB more, but the plan avoids that because a missing place is priced at {price} RMB."
        )
        if at_least
        else Message(
            "No rules contradict each other: every child could have a place for {amount} RMB more,"
            " but the plan avoids that because a missing place is priced at {price} RMB."
        )
    )
    return text.filled(amount=Money(dearer_cny), price=Money(price_cny))
