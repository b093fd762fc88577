"""Why: on one screen what cannot hold together and what would cure it, or what is scarce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.report.explanations import explained
from capsim.report.language import words
from capsim.report.price_words import price_sentences, prices_head
from capsim.report.screen import filled

if TYPE_CHECKING:
    from capsim.optimize import Explanation, Plan
    from capsim.optimize.prices import Prices


def reasons(plan: Plan, explanation: Explanation | None, prices: Prices | None) -> dict[str, Any]:
    """Put an explanation, and prices where there are any, into plain values.

    Returns
    -------
    dict
        ``scenario``, ``status``, ``sentences``, ``conflicts``, ``cures`` (rows of ``repairs``) and
        ``prices`` (rows that are not 0); a number that is not known or infinite is None.
    """
    return {
        "scenario": {"name": plan.scenario.name, "hash": plan.scenario.hash},
        "status": plan.status,
        "sentences": list(explanation.sentences) if explanation else [],
        "conflicts": [list(one) for one in explanation.conflicts] if explanation else [],
        "cures": _records(explanation.repairs if explanation else None),
        "prices": _records(prices.binding() if prices else None),
    }


def reasons_text(
    plan: Plan, explanation: Explanation | None, prices: Prices | None, *, lang: str = "en"
) -> str:
    """Write `reasons` for one screen of 100 columns."""
    say = words(lang)
    scenario = plan.scenario
    lines = [f"{scenario.heading(lang)} ({scenario.name} {scenario.hash[:10]})"]
    if plan.status == "infeasible":
        lines.append(say("NO PLAN meets what is ordered."))
    elif explanation is not None:
        lines.append(say("THE PLAN MISSES A TARGET."))
    else:
        lines.append(say("THE PLAN MEETS ALL TARGETS."))
    for sentence in explained(explanation.told if explanation else (), say):
        lines += filled(sentence, "  " if sentence.startswith("- ") else "")
    if prices is not None:
        table = prices.binding()
        lines += ["", *filled(prices_head(table, say))]
        for sentence in price_sentences(table, say):
            lines += filled(f"  {sentence}", "    ")
    return "\n".join(lines) + "\n"


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    plain = table.astype(object).where(table.notna() & ~table.isin([np.inf, -np.inf]), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
