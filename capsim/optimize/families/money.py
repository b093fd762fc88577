"""Capital by calendar year and recurrent spending by school year stay within their budgets."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.ledger import KINDS, MILLION, RECURRENT
from capsim.optimize.limits import limit_rows
from capsim.optimize.parts import Parts


def define_money(m: Builder, parts: Parts) -> None:
    """Σ capital paid in c, τ ≤ limit(capital,c,τ).

    Σ running, staff, purchase, hiring, boarding, lease ≤ limit(recurrent,c,t). Rows in million RMB.
    """
    ledger = parts.ledger
    capital = ledger.kind == KINDS.index("capital")
    recurrent = np.isin(ledger.kind, [KINDS.index(kind) for kind in RECURRENT]) | ledger.lease
    for kind, used in (("capital", capital), ("recurrent", recurrent)):
        entry = (ledger.county[used], ledger.year[used], ledger.column[used], ledger.amount[used])
        limit_rows(m, parts, kind, f"money.{kind}", [entry], unit=MILLION)
