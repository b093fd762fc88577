"""One self-contained page of a run: the answer, figures with their data, tables, sources.

It needs no network and no folder beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from capsim.i18n.language import Words, words
from capsim.plan.plan import Explanation, Plan
from capsim.report import narrative
from capsim.report.page.pictures import pictures
from capsim.report.page.render import render_page, setting_of
from capsim.report.page.tables import (
    Advice,
    advice_tables,
    balances,
    counties,
    duties,
    explanation_advice,
    ledger,
    limits,
    price_advice,
    private_schools,
    targets,
)
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
    advice
        Further sections of sentences and frames.
    lang
        `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.
    """
    say = words(lang)
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
        content |= _contents(plan, summary, outcomes, drawn or {}, reached, sources, say)
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
    sources: pd.DataFrame,
    say: Words,
) -> dict[str, Any]:
    """Collect what the page shows of a plan."""
    spread = narrative.cost_spread(plan, summary, say)
    arriving = narrative.expected(summary, say)
    sections = [*narrative.mix(plan, summary, say), narrative.cost(plan, summary, say)]
    sections.append(narrative.before_and_after(plan, say))
    if staff := narrative.teachers(plan, summary, say):
        sections.append(staff)
    if missing := narrative.short(plan, say):
        sections.append(missing)
    sections.append(narrative.binds(plan, say))
    if outcomes is not None and (late := narrative.late(outcomes, say)):
        sections.append(late)
    rows = narrative.target_rows(summary, say)
    for row in rows:
        row["setting"] = setting_of(row["id"], sources)
        marks = sources["mark"][sources["what"] == row["setting"]]
        row["mark"] = marks.iloc[0] if len(marks) else ""
    counted = counties(plan, say)
    return {
        "cards": _cards(plan, summary, say),
        "base_year": plan.scenario.base_year,
        "rows": rows,
        "sections": sections,
        "arriving": arriving,
        "spread": spread,
        "people": narrative.people(summary, say),
        "pictures": pictures(plan, outcomes, drawn, say),
        "ledger": ledger(plan, outcomes, reached, say),
        "levers": private_schools(plan, say),
        "duties": duties(plan, say),
        "balances": [t for t in (limits(plan, say), balances(plan, say)) if t.rows],
        "targets": targets(plan, summary, say),
        "counties": counted,
        "county_numbers": {county.name: county.number for county in counted},
        "certificate": summary["certificate"],
    }


def _cards(plan: Plan, summary: dict[str, Any], say: Words) -> list[tuple[str, str, str]]:
    """Return the headline figures: what, figure, and what stands beside it."""
    reduction, shares = summary["reduction"], summary["private_share"]
    first = str(plan.scenario.first_year)
    ordered = reduction["ordered"]
    reached = say("ordered: {number}", number=say.count(ordered)) if ordered else ""
    cards = [(say("fewer private pupils on 1 September"), say.count(reduction["total"]), reached)]
    if first in shares:
        cap = dict(plan.scenario.settings.policy.private_share_cap).get(plan.scenario.first_year)
        title = say("private share at the end of {year}", year=first)
        limit = say("at most {share}", share=say.share(cap)) if cap is not None else ""
        cards.append((title, say.share(shares[first]["excluding_purchased"]), limit))
    lacking = say.count(plan.tables["shortfall"]["shortfall"].sum())
    committed = say("besides {committed} committed", committed=say.money(plan.committed_cny))
    moved = say.count(summary["displaced_pupils"].get(first, 0.0))
    return [
        *cards,
        (say("children without a place, all years"), lacking, say("all stages")),
        (say("decided here, discounted"), say.money(plan.avoidable_cny), committed),
        (say("made to change school in mid-stage, {year}", year=first), moved, ""),
    ]
