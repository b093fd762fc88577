"""What a reader gets of a run: the answer on one screen, tables, figures, a summary.

Everything here is made in memory, as text or bytes; `capsim.workflow` puts it on disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from capsim.plan.limits import limits_used, tight_targets
from capsim.report import figures
from capsim.report.comparison_narrative import comparison_text
from capsim.report.page import html_page
from capsim.report.page.advice import Advice
from capsim.report.page.tables import milestones
from capsim.report.screen import answer, comparison_files
from capsim.report.summary import csv, meets_all, summarize, to_json
from capsim.report.workbook import plan_workbook

if TYPE_CHECKING:
    import pandas as pd

    from capsim.certificate.ledger import Certificate
    from capsim.plan.plan import Explanation, Plan
    from capsim.simulation.outcomes import Outcomes


PAGE = "report.html"

__all__ = [
    "Advice",
    "answer",
    "comparison_files",
    "comparison_text",
    "csv",
    "figures",
    "files",
    "html_page",
    "limits_used",
    "meets_all",
    "milestones",
    "plan_workbook",
    "summarize",
    "tight_targets",
    "to_json",
]


def files(
    plan: Plan,
    summary: dict[str, Any],
    certificate: Certificate | None = None,
    outcomes: Outcomes | None = None,
    *,
    reached: pd.DataFrame | None = None,
    explanation: Explanation | None = None,
    prices: pd.DataFrame | None = None,
    advice: Sequence[Advice] = (),
    lang: str = "en",
) -> Iterator[tuple[str, bytes]]:
    """Yield path (relative, with `/`) and content of every file but answer and summary.

    Parameters
    ----------
    plan, certificate, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    reached, explanation, prices, advice, lang
        As for `capsim.report.page.html_page`; the workbook has the prices too, and the language is
        also that of the figures.

    Raises
    ------
    ValueError
        There is no such language.
    """
    if plan.status == "infeasible":
        yield PAGE, html_page(plan, summary, advice=advice, lang=lang)
        if plan.explanation is not None:
            yield from _explanation_files(plan.explanation)
        return
    for name, table in plan.tables.items():
        yield f"plan/{name}.csv", csv(table)
    yield "plan/limits_used.csv", csv(limits_used(plan))
    if certificate is not None:
        yield "plan/certificate.csv", csv(certificate.table)
    if explanation is not None:
        yield from _explanation_files(explanation)
    if prices is not None:
        yield "prices.csv", csv(prices)
    yield "plan.xlsx", plan_workbook(plan, summary, outcomes, prices, reached)
    if outcomes is not None:
        for name, table in outcomes.tables.items():
            yield f"outcomes/{name}.csv", csv(table)
    drawn = {}
    for name, figure in figures.all_figures(plan, outcomes, lang=lang).items():
        drawn[name] = svg, png = figures.render_both(figure)
        yield f"figures/{name}.svg", svg
        yield f"figures/{name}.png", png
    yield (
        PAGE,
        html_page(
            plan,
            summary,
            outcomes,
            drawn=drawn,
            reached=reached,
            explanation=explanation,
            prices=prices,
            advice=advice,
            lang=lang,
        ),
    )


def _explanation_files(explanation: Explanation) -> Iterator[tuple[str, bytes]]:
    """Yield what gives way, all at once and each rule alone."""
    yield "explanation.csv", csv(explanation.table)
    if explanation.repairs is not None:
        yield "repairs.csv", csv(explanation.repairs)
