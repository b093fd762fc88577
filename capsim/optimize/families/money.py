"""Capital by calendar year and recurrent spending by school year stay within their budgets."""

from __future__ import annotations

from capsim.lp import Builder
from capsim.optimize.ledger import MILLION, RECURRENT
from capsim.optimize.limits import limit_rows
from capsim.optimize.parts import Parts


def define_money(m: Builder, parts: Parts) -> None:
    """Σ capital paid in c, τ ≤ limit(capital,c,τ).

    Σ running, staff, purchase, hiring, boarding, lease ≤ limit(recurrent,c,t). Rows in million RMB.
    """
    lines = parts.ledger.lines
    capital = [line for line in lines if line.kind == "capital"]
    recurrent = [line for line in lines if line.kind in RECURRENT or line.lease]
    for kind, used in (("capital", capital), ("recurrent", recurrent)):
        entries = [
            (
                line.entries(line.county),
                line.entries(line.year),
                line.entries(line.column),
                line.entries(line.amount_cny / MILLION),
            )
            for line in used
        ]
        limit_rows(m, parts, kind, f"money.{kind}", entries, unit=MILLION)
