"""One self-contained page of a run: the answer, figures with their data, tables, sources.

It needs no network and no folder beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from capsim.i18n.language import Words, words
from capsim.report import narrative as sentences
from capsim.report.figures.risk import rules_of
from capsim.report.page.advice import Advice, advice_tables, explanation_advice, price_advice
from capsim.report.page.elements import Column, Table, make_table, render_page, setting_of
from capsim.report.page.pictures import pictures
from capsim.report.page.tables import (
    balances,
    closures,
    conversions,
    counties,
    ledger,
    limits,
    milestones,
    purchases,
)
from capsim.report.summary import meets_all

if TYPE_CHECKING:
    import pandas as pd

    from capsim.plan.plan import Explanation, Plan
    from capsim.simulation.outcomes import Outcomes


__all__ = ["Advice", "html_page", "milestones"]


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
    told = scenario.sources()
    given: dict[str, Any] = {
        "title": scenario.heading(lang),
        "kicker": say("Plan of school places"),
        "scenario": scenario,
        "summary": summary,
        "met": meets_all(summary),
        "verdict": sentences.verdict(plan, summary, say),
        "advice": [
            (number, one, advice_tables(one, number, say))
            for number, one in enumerate([*_advice(plan, explanation, prices, say), *advice], 1)
        ],
        "planned": plan.status != "infeasible",
    }
    if plan.status != "infeasible":
        given |= _contents(plan, summary, outcomes, drawn or {}, reached, told, say)
    return render_page("plan.html", given, told, lang, say)


def _advice(
    plan: Plan, explanation: Explanation | None, prices: pd.DataFrame | None, say: Words
) -> Iterator[Advice]:
    """Give the sections on why a target is missed and on what is scarce."""
    why = explanation or plan.explanation
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
    told: pd.DataFrame,
    say: Words,
) -> dict[str, Any]:
    """Give what the page shows of a plan."""
    spread = sentences.cost_spread(plan, summary, say)
    sayings = [*sentences.mix(plan, summary, say), sentences.cost(plan, summary, say)]
    if missing := sentences.short(plan, say):
        sayings.append(missing)
    sayings.append(sentences.binds(plan, say))
    if outcomes is not None and (late := sentences.late(outcomes, say)):
        sayings.append(late)
    rows = sentences.target_rows(summary, say)
    for row in rows:
        row["setting"] = setting_of(row["id"], told)
        found = told["mark"][told["what"] == row["setting"]]
        row["mark"] = found.iloc[0] if len(found) else ""
    counted = counties(plan, say)
    return {
        "cards": _cards(plan, summary, say),
        "rows": rows,
        "sayings": sayings,
        "spread": spread,
        "people": sentences.people(summary, say),
        "pictures": pictures(plan, outcomes, drawn, say),
        "ledger": ledger(plan, outcomes, reached, say),
        "levers": [t for t in (f(plan, say) for f in (conversions, closures, purchases)) if t.rows],
        "balances": [t for t in (limits(plan, say), balances(plan, say)) if t.rows],
        "targets": _targets(summary, say),
        "counties": counted,
        "county_numbers": {county.name: county.number for county in counted},
        "certificate": summary["certificate"],
    }


def _cards(plan: Plan, summary: dict[str, Any], say: Words) -> list[tuple[str, str, str]]:
    """Give the headline figures: what, figure, and what stands beside it."""
    reduction, shares = summary["reduction"], summary["private_share"]
    first = str(plan.scenario.first_year)
    ordered = reduction["ordered"]
    cards = [
        (
            say("fewer private pupils on 1 September"),
            say.count(reduction["total"]),
            say("ordered: {number}", number=say.count(ordered)) if ordered else "",
        )
    ]
    if first in shares:
        cap = dict(plan.scenario.settings.policy.private_share_cap).get(plan.scenario.first_year)
        cards.append(
            (
                say("private share at the end of {year}", year=first),
                say.share(shares[first]["excluding_purchased"]),
                say("at most {share}", share=say.share(cap)) if cap is not None else "",
            )
        )
    lacking = plan.tables["shortfall"]["shortfall"].sum()
    cards += [
        (
            say("children without a place, all years"),
            say.count(lacking),
            say("all stages"),
        ),
        (
            say("decided here, discounted"),
            say.money(plan.avoidable_cny),
            say("besides {committed} committed", committed=say.money(plan.committed_cny)),
        ),
        (
            say("made to change school in mid-stage, {year}", year=first),
            say.count(summary["displaced_pupils"].get(first, 0.0)),
            "",
        ),
    ]
    return cards


def _targets(summary: dict[str, Any], say: Words) -> Table:
    """List every target of every year."""
    import pandas as pd

    rows = summary["targets"]
    rules = rules_of(pd.Series([row["id"] for row in rows], dtype=str))
    frame = pd.DataFrame(
        {
            "rule": [say.rule(rule) for rule in rules],
            "by": [str(row["by"]) for row in rows],
            "required": [sentences.target_figure(row["id"], row["required"], say) for row in rows],
            "achieved": [sentences.target_figure(row["id"], row["achieved"], say) for row in rows],
            "holds": [say("holds") if row["holds"] else say("MISSED") for row in rows],
            "chance": pd.Series([row["probability"] for row in rows], dtype=float),
        }
    )
    columns = [
        Column("rule", say("target"), choose=True),
        Column("by", say("by"), "date"),
        Column("required", say("required")),
        Column("achieved", say("planned")),
        Column("holds", say("state"), choose=True),
    ]
    if summary["simulation"]["draws"] > 0:
        columns.append(Column("chance", say("probability"), "percent"))
    title = say("All targets, by year")
    return make_table(
        "targets", title, frame, columns, origin="plan/targets.csv", inputs=("policy", "floors")
    )
