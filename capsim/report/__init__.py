"""What a reader gets of a run: the answer on one screen, tables, figures, a summary.

Everything here is made in memory, as text or bytes; `capsim.run` puts it on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from capsim.report import figures
from capsim.report.answer import answer
from capsim.report.binding import limits_used, tight_targets
from capsim.report.comparison import comparison_files, comparison_text
from capsim.report.summary import meets_all, summarize, to_json
from capsim.report.tables import csv

if TYPE_CHECKING:
    from capsim.certificate import Certificate
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

__all__ = [
    "answer",
    "comparison_files",
    "comparison_text",
    "csv",
    "figures",
    "files",
    "limits_used",
    "meets_all",
    "summarize",
    "tight_targets",
    "to_json",
]


def files(
    plan: Plan,
    summary: dict[str, Any],
    certificate: Certificate | None = None,
    outcomes: Outcomes | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield path (relative, with `/`) and content of every file but `summary.json`.

    Parameters
    ----------
    plan, certificate, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    """
    yield "answer.txt", answer(plan, summary, outcomes).encode()
    if plan.status == "infeasible":
        if plan.explanation is not None:
            yield "explanation.csv", csv(plan.explanation.table)
        return
    for name, table in plan.tables.items():
        yield f"plan/{name}.csv", csv(table)
    yield "plan/limits_used.csv", csv(limits_used(plan))
    if certificate is not None:
        yield "plan/certificate.csv", csv(certificate.table)
    if outcomes is not None:
        for name, table in outcomes.tables.items():
            yield f"outcomes/{name}.csv", csv(table)
    for name, figure in figures.all_figures(plan, outcomes).items():
        for form in ("png", "svg"):
            yield f"figures/{name}.{form}", figures.render(figure, form)
