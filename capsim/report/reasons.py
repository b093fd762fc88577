"""Why: on one screen what cannot hold together and what would cure it, or what is scarce."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.report.numbers import count, money

if TYPE_CHECKING:
    from capsim.optimize import Explanation, Plan
    from capsim.optimize.prices import Prices

WIDTH = 100
EACH = 3
"""Prices shown of each kind, the highest first."""

UNITS = {
    "place": "one more place",
    "post": "one more post",
    "hire": "one more teacher hired",
    "contract teacher": "one more contract teacher",
    "capital": "one more RMB to build",
    "recurrent": "one more RMB to run schools",
    "land": "one more mu of land",
    "purchased place": "one more place bought",
    "boarding place": "one more boarding place",
    "cap": "a cap higher by one percentage point",
    "reduction": "one pupil less to move",
    "floor": "one child less on the floor",
    "large class": "one more large class",
    "programme": "one project less",
}


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


def reasons_text(plan: Plan, explanation: Explanation | None, prices: Prices | None) -> str:
    """Write `reasons` for one screen of 100 columns."""
    scenario = plan.scenario
    lines = [f"{scenario.title or scenario.name} ({scenario.name} {scenario.hash[:10]})"]
    if plan.status == "infeasible":
        lines.append("NO PLAN meets what is ordered.")
    elif explanation is not None:
        lines.append("THE PLAN MISSES A TARGET.")
    else:
        lines.append("THE PLAN MEETS ALL TARGETS.")
    for sentence in explanation.sentences if explanation else ():
        hang = "  " if sentence.startswith("- ") else ""
        lines += textwrap.wrap(sentence, WIDTH, subsequent_indent=hang)
    if prices is not None:
        lines += ["", *_prices(prices)]
    return "\n".join(lines) + "\n"


def _prices(prices: Prices) -> list[str]:
    table = prices.binding()
    if table.empty:
        return ["Nothing is scarce: no limit, target or place has a price."]
    lines = ["What would be saved, all years together, with the plan's decisions as they are:"]
    for kind, rows in table.groupby("kind", sort=False):
        for record in rows.head(EACH).to_dict("records"):
            row = {str(key): value for key, value in record.items()}
            lines += textwrap.wrap(_line(str(kind), row), WIDTH, subsequent_indent="    ")
        if len(rows) > EACH:
            least, most = rows["one_more_cny"].min(), rows["one_more_cny"].max()
            few = f"  and {count(len(rows) - EACH)} more of these, {_span(least, most)}"
            lines.append(few)
    return lines


def _line(kind: str, row: dict[str, Any]) -> str:
    where = [row["area"] or row["county"], row["stage"], row["name"].replace("_", " ")]
    there = ", ".join([*[part for part in where if part], str(row["year"])])
    more, less = row["one_more_cny"], row["one_less_cny"]
    text = f"  {UNITS[kind]} ({there}): {_price(more)}"
    if np.isfinite(row["more_units"]) and more > 0:
        text += f", for the first {_units(row['more_units'])}"
    if not np.isclose(more, less, rtol=1e-3, atol=1.0):
        text += (
            "; with one less there is no plan"
            if np.isinf(less)
            else f"; one less costs {_price(less)}"
        )
    return text


def _price(cny: float) -> str:
    return f"{cny:.2f} RMB" if abs(cny) < 100 else money(cny)


def _units(value: float) -> str:
    return count(value) if value >= 100 else f"{value:.3g}"


def _span(least: float, most: float) -> str:
    return f"{_price(least)} to {_price(most)} each"


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    plain = table.astype(object).where(table.notna() & ~table.isin([np.inf, -np.inf]), None)
    return [{str(key): value for key, value in row.items()} for row in plain.to_dict("records")]
