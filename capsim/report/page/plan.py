"""One self-contained page of a run: the answer, figures with their data, tables, sources.

It needs no network and no folder beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from capsim.construction.recovery import Recovery
from capsim.i18n.language import Message, Words
from capsim.plan.plan import Explanation, Plan
from capsim.plan.targets import rule_and_year
from capsim.report import narrative
from capsim.report.figures.places import has_private
from capsim.report.page.elements import Picture, Table
from capsim.report.page.pictures import pictures
from capsim.report.page.render import render_page, setting_of
from capsim.report.page.tables import (
    ON_PAPER,
    Advice,
    advice_tables,
    balances,
    counties,
    decisions,
    duties,
    explanation_advice,
    ledger,
    limits,
    price_advice,
    private_schools,
    recovery_tables,
    stages,
    targets,
    teachers,
)
from capsim.report.risk_narrative import building_sections, expected, not_safe, price_of_safety
from capsim.simulation.outcomes import Outcomes


def html_page(
    plan: Plan,
    summary: dict[str, Any],
    outcomes: Outcomes | None = None,
    *,
    drawn: Mapping[str, tuple[bytes, bytes]] | None = None,
    reached: pd.DataFrame | None = None,
    explanation: Explanation | None = None,
    prices: pd.DataFrame | None = None,
    unsafe: Sequence[Message] = (),
    recovery: Recovery | None = None,
    advice: Sequence[Advice] = (),
    lang: str = "en",
) -> bytes:
    """Write a run as one HTML file; the same run gives the same bytes.

    Parameters
    ----------
    plan, outcomes
        What the run made.
    summary
        As `summarize` gives it; its timings are not shown.
    drawn
        Figures by name: SVG and PNG.
    reached
        Milestones of projects, as `milestones` gives them.
    explanation
        Why a target is missed; of an infeasible plan its own is shown.
    prices
        As `Prices.binding` gives them.
    unsafe
        Why the plan does not hold as often as asked.
    recovery
        What wins lost time.
    advice
        Further sections of sentences and frames.
    lang
        `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.
    """
    say = plan.scenario.words(lang)
    scenario = plan.scenario
    sources = scenario.sources()
    content: dict[str, Any] = {
        "title": scenario.heading(lang),
        "kicker": say("Plan of school places"),
        "scenario": scenario,
        "summary": summary,
        "state": summary["state"],
        "verdict": narrative.verdict(plan, summary, say),
        "advice": [
            (number, one, advice_tables(one, number, say))
            for number, one in enumerate([*_advice(plan, explanation, prices, say), *advice], 1)
        ],
        "planned": plan.status != "infeasible",
    }
    if plan.status != "infeasible":
        content |= _contents(
            plan, summary, outcomes, drawn or {}, reached, unsafe, recovery, sources, say
        )
    return render_page("plan.html", content, sources, say)


def _advice(
    plan: Plan, explanation: Explanation | None, prices: pd.DataFrame | None, say: Words
) -> Iterator[Advice]:
    """Return the sections on why a target is missed and on what is scarce."""
    why = plan.explanation if plan.status == "infeasible" else explanation
    if why is not None:
        yield explanation_advice(why, say)
    if prices is not None:
        yield price_advice(prices, say)


def _contents(
    plan: Plan,
    summary: dict[str, Any],
    outcomes: Outcomes | None,
    drawn: Mapping[str, tuple[bytes, bytes]],
    reached: pd.DataFrame | None,
    unsafe: Sequence[Message],
    recovery: Recovery | None,
    sources: pd.DataFrame,
    say: Words,
) -> dict[str, Any]:
    """Collect what the page shows of a plan."""
    spread = narrative.cost_spread(plan, summary, say)
    arriving = [
        price_of_safety(plan, summary, say),
        not_safe(unsafe, say),
        expected(summary, say),
    ]
    sections = [*narrative.mix(plan, summary, say), narrative.cost(plan, summary, say)]
    sections.append(narrative.before_and_after(plan, say))
    if staff := narrative.teachers(plan, summary, say):
        sections.append(staff)
    if missing := narrative.short(plan, say):
        sections.append(missing)
    sections.append(narrative.binds(plan, say))
    sections += building_sections(outcomes, recovery, say)
    if without := [one.text(say) for one in plan.scenario.stand_ins]:
        sections.append(narrative.Section(say("Does without"), without))
    rows = narrative.target_rows(summary, say)
    for row in rows:
        row["setting"] = setting_of(row["id"], sources)
        marks = sources["mark"][sources["what"] == row["setting"]]
        row["mark"] = marks.iloc[0] if len(marks) else ""
    names = dict.fromkeys(plan.tables["balance"]["county"])
    shown = pictures(plan, outcomes, drawn, summary, say)
    tables = [
        targets(plan, summary, say),
        limits(plan, say),
        stages(plan, say),
        balances(plan, say),
        teachers(plan, say),
    ]
    return {
        "cards": _cards(plan, summary, say),
        "base_year": plan.scenario.base_year,
        "rows": rows,
        "sections": sections,
        "arriving": [section for section in arriving if section is not None],
        "spread": spread,
        "people": narrative.people(summary, say),
        "pictures": shown,
        "of": _grouped(shown),
        "lateness": [] if recovery is None else recovery_tables(recovery, say),
        "ledger": ledger(plan, outcomes, reached, say),
        "levers": [one for one in private_schools(plan, say) if one.name != "conversions"],
        "decisions": decisions(plan, say),
        "duties": duties(plan, say),
        "places": [table for table in tables if table.rows],
        "counties": counties(plan, say),
        "turning": _turning(plan, say),
        "county_numbers": {name: number for number, name in enumerate(names, 1)},
        "certificate": summary["certificate"],
    }


def _turning(plan: Plan, say: Words) -> list[Table]:
    """Give the schools that turn public as a table that fills the page of the counties, if any."""
    room = ON_PAPER["counties"] - plan.tables["balance"]["county"].nunique()
    return [
        replace(table, paper=min(room, ON_PAPER["conversions"]))
        for table in private_schools(plan, say)
        if table.name == "conversions"
    ]


PARTS = {
    "risk": ("chances", "safety"),
    "moves": ("reduction",),
    "when": ("programme", "hurrying"),
    "money": ("cost",),
}
"""Figures that stand beside the tables of a part of the page; the others are of a county."""
COUNTY = ("balance", "map", "mix", "private-share", "shortfall", "class-size")
"""The order of those, the most asked for first."""


def _grouped(shown: Sequence[Picture]) -> dict[str, list[Picture]]:
    """Give each part of the page its figures."""
    part_of = {kind: part for part, kinds in PARTS.items() for kind in kinds}
    groups: dict[str, list[Picture]] = {part: [] for part in (*PARTS, "county")}
    for picture in shown:
        groups[part_of.get(picture.kind, "county")].append(picture)
    order = [*COUNTY, *(picture.kind for picture in shown)]
    groups["county"].sort(key=lambda picture: order.index(picture.kind))
    return groups


def _cards(plan: Plan, summary: dict[str, Any], say: Words) -> list[tuple[str, str, str]]:
    """Return the headline figures: what, figure, and what stands beside it."""
    reduction, shares = summary["reduction"], summary["private_share"]
    first = str(plan.scenario.first_year)
    ordered = reduction["ordered"]
    reached = say("ordered: {number}", number=say.count(ordered)) if ordered else ""
    drawn = {row["id"]: row for row in summary["targets"] if row["p05"] is not None}

    def ranged(target: str, planned: str, beside: str) -> tuple[str, str]:
        """Return where nine futures in ten lie, and the planned figure beside it."""
        if target not in drawn:
            return planned, beside
        low, high = (
            narrative.target_figure(target, drawn[target][level], say) for level in ("p05", "p95")
        )
        if low == high == planned:
            return planned, beside
        parts = [say("planned {planned}", planned=planned), *([beside] if beside else [])]
        return "–".join(dict.fromkeys((low, high))), say.semicolon.join(parts)

    fewer = ranged("reduction", say.count(reduction["total"]), reached)
    private = has_private(summary)
    cards = [(say("fewer private pupils on 1 September"), *fewer)] if private else []
    if first in shares and private:
        cap = dict(plan.scenario.settings.policy.private_share_cap).get(plan.scenario.first_year)
        title = say("private share at the end of {year}", year=first)
        limit = say("at most {share}", share=say.share(cap)) if cap is not None else ""
        share = say.share(shares[first]["excluding_purchased"])
        cards.append((title, *ranged(f"share-{first}", share, limit)))
    lacking = say.count(plan.tables["shortfall"]["shortfall"].sum())
    every = [say("all stages")]
    if owed := summary["simulation"].get("headlines", {}).get("shortfall_compulsory"):
        ends = dict.fromkeys(say.count(owed[level]) for level in ("p05", "p95"))
        every.append(say("of compulsory age {number}", number="–".join(ends)))
    committed = say("besides {committed} committed", committed=say.money(plan.committed_cny))
    moved = say.count(summary["displaced_pupils"].get(first, 0.0))
    return [
        *_least_likely(summary, say),
        *cards,
        *(_bought_counted(shares, first, say) if private else ()),
        (
            say("children without a place, all years"),
            *ranged("placement", lacking, say.semicolon.join(every)),
        ),
        *_empty_seats(summary["surplus_places"], say),
        (say("decided here, discounted"), say.money(plan.avoidable_cny), committed),
        (say("made to change school in mid-stage, {year}", year=first), moved, ""),
    ]


def _least_likely(summary: Mapping[str, Any], say: Words) -> Iterator[tuple[str, str, str]]:
    """Give the card of the target that fewest simulated futures keep."""
    drawn = [row for row in summary["targets"] if row["probability"] is not None]
    if not drawn:
        return
    least = min(drawn, key=lambda row: row["probability"])
    rule = say.brief(rule_and_year(least["id"])[0])
    yield (
        say("the least likely target holds in"),
        say.chance(least["probability"]),
        say("of futures: {rule}, {by}", rule=rule, by=str(least["by"])),
    )


def _bought_counted(
    shares: Mapping[str, Mapping[str, float]], first: str, say: Words
) -> Iterator[tuple[str, str, str]]:
    """Give the card of the private share with bought places counted, where any are bought."""
    if first not in shares:
        return
    without, counted = (shares[first][f"{rule}_purchased"] for rule in ("excluding", "including"))
    yield (
        say("private share with bought places, end of {year}", year=first),
        say.share(counted),
        say("{share} of it bought", share=say.share(counted - without)),
    )


def _empty_seats(surplus: Mapping[str, float], say: Words) -> Iterator[tuple[str, str, str]]:
    """Give the card of the public seats that stay empty at the end."""
    last = list(surplus)[-1]
    most = max(surplus, key=lambda year: surplus[year])
    yield (
        say("empty public seats of the compulsory stages in {year}", year=last),
        say.count(surplus[last]),
        say("at most {number}, in {year}", number=say.count(surplus[most]), year=most)
        if most != last
        else say("the most of all years"),
    )
