"""One self-contained page of a run: the answer, figures with their data, tables, sources.

It needs no network and no folder beside it. Texts from the data are escaped wherever they stand:
in the page by the template, in the embedded data by its JSON, in figures by being drawn.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capsim.report import sentences
from capsim.report.figures import rules_of
from capsim.report.language import Words, words
from capsim.report.page.advice import Advice, advice_tables
from capsim.report.page.balances import balances, counties, limits
from capsim.report.page.blocks import PAGE, Column, Table, make_table, write_cell
from capsim.report.page.ledger import closures, conversions, ledger, milestones, purchases
from capsim.report.page.pictures import pictures
from capsim.report.page.provenance import MARKS, origins, setting_of, sources_table
from capsim.report.summary import meets_all

if TYPE_CHECKING:
    import pandas as pd

    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

__all__ = ["Advice", "html_page", "milestones"]


def html_page(
    plan: Plan,
    summary: dict[str, Any],
    outcomes: Outcomes | None = None,
    *,
    drawn: Mapping[str, tuple[bytes, bytes]] | None = None,
    reached: pd.DataFrame | None = None,
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
    advice
        Prices and explanations, each a section.
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
        "say": say,
        "title": scenario.title or scenario.name,
        "scenario": scenario,
        "summary": summary,
        "met": meets_all(summary),
        "verdict": sentences.verdict(plan, summary, say),
        "marks": {mark: say(text) for mark, text in MARKS.items() if mark},
        "origins": lambda table: origins(table.inputs, told),
        "write": lambda value, column: write_cell(value, column, say),
        "page_rows": PAGE,
        "sources": sources_table(told, say),
        "texts": {text: say(text) for text in SCRIPT_TEXTS} | {"lang": lang},
        "advice": [
            (number, one, advice_tables(one, number, say)) for number, one in enumerate(advice, 1)
        ],
        "planned": plan.status != "infeasible",
        "style": _asset("page.css"),
        "script": _asset("page.js"),
        "script_hash": _digest(_asset("page.js")),
    }
    if plan.status == "infeasible":
        given["explanation"] = summary.get("explanation", [])
    else:
        given |= _contents(plan, summary, outcomes, drawn or {}, reached, told, say)
    return _environment().get_template("page.html").render(given).encode()


SCRIPT_TEXTS = (
    "rows {from}–{to} of {of}",
    "no rows",
    "search",
    "all",
    "previous",
    "next",
)
"""Texts that the page's script writes itself."""


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
            "rule": [say.rule(rule).replace("_", " ") for rule in rules],
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


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("capsim.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _digest(text: str) -> str:
    """Digest by which a page's policy lets its own script run, and no other."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _asset(name: str) -> Markup:
    """Style or script of the page: our own text, no data in it."""
    content = files("capsim.report.page").joinpath("assets", name).read_text(encoding="utf-8")
    return Markup(content)
