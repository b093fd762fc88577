"""A few sums of a solution, straight from its columns: what sweeps and futures are compared by."""

from __future__ import annotations

import numpy as np

from capsim.lp.arrays import Array, Index
from capsim.optimize.dates import stepped
from capsim.optimize.model import Model

TOTALS = ("shortfall", "displaced", "purchased", "opened", "converted", "private_share")


def totals(model: Model, x: Array) -> dict[str, float]:
    """Sum a solution up; fractions of a relaxation stay fractions.

    Returns
    -------
    dict
        ``shortfall`` and ``displaced`` (children, each planned year counted), ``purchased`` (places
        on 31 December, each year counted), ``opened`` (copies of candidates in use at the end),
        ``converted`` (schools at the end), ``private_share`` (as the cap counts it, on 31 December
        of the first planned year with a cap, else of the last year; NaN without pupils).
    """
    v, given = model.columns, model.given

    def total(column: Index) -> float:
        return float(x[column[column >= 0]].sum())

    return {
        "shortfall": total(v.shortfall),
        "displaced": total(v.displaced),
        "purchased": total(v.purchased_december),
        "opened": total(v.open[given.projects.candidate][:, -1:]),
        "converted": total(v.converted[:, -1:]),
        "private_share": _private_share(model, x),
    }


def _private_share(model: Model, x: Array) -> float:
    v, given = model.columns, model.given
    space, dates, providers = given.space, given.dates, given.providers
    policy = given.scenario.settings.policy
    if not len(space.years):
        return float("nan")
    caps = [stepped(policy.private_share_cap, int(year)) is not None for year in space.years]
    t = caps.index(True) if True in caps else len(space.years) - 1

    def value(column: Index) -> Array:
        return np.where(column >= 0, x[column], 0.0)

    turned = value(v.converted[:, dates.december[t]]) - value(v.converted[:, dates.autumn[t]])
    bought = value(v.purchased_december[:, t])
    fee = value(v.fee[:, t]) + value(v.purchased[:, t]) - bought - providers.cap * turned
    private = np.where(providers.levered, np.maximum(fee, 0.0), 0.0).sum()
    if policy.purchased_counts_as_private:
        private += bought.sum()
    if policy.share_denominator == "school":
        inside = space.compulsory[providers.stage[v.seats.provider]]
        everyone = float(value(v.pupils[inside][:, t]).sum())
    else:
        everyone = float(space.children[:, space.grade_compulsory, t].sum())
    return float(private / everyone) if everyone > 0 else float("nan")
