"""Deadlines of a plan's decisions: opening less building, less land and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array
from capsim.lp.options_and_result import is_number
from capsim.model.costs import MONTH_DAYS, day_number
from capsim.plan.plan import Plan

CLEAR = 1e-6
"""Places below which nothing is bought."""
COLUMNS = [
    "decide_by",
    "decision",
    "name",
    "county",
    "takes_effect",
    "amount",
    "unit",
    "status",
    "overdue",
]


@dataclass(frozen=True)
class LeadTimes:
    """Months (of 365.25 ÷ 12 days) from the last day of a decision to its taking effect.

    Attributes
    ----------
    approval : float
        Land and approvals of a project, before the ``build_months`` of its building.
    conversion : float
        Of a conversion, a phase-out or a closure.
    contract : float
        Of a purchase contract, before the school year in which it begins.

    Examples
    --------
    >>> LeadTimes(approval=9).approval
    9
    """

    approval: float = 0.0
    conversion: float = 0.0
    contract: float = 0.0

    def __post_init__(self) -> None:
        for name in ("approval", "conversion", "contract"):
            value = getattr(self, name)
            if not (is_number(value) and value >= 0):
                raise ValueError(f"the lead time of {name} must be months >= 0, not {value!r}")


def decide_by(
    plan: Plan, lead_times: LeadTimes | None = None, *, as_of: str | None = None
) -> pd.DataFrame:
    """List a plan's decisions by the date by which each must be taken.

    A project: its opening (check) date less ``build_months`` (the longest of its rows) less the
    time for approvals; a conversion or closure, and the start of a purchase contract: less its
    lead time.

    Parameters
    ----------
    plan : Plan
    lead_times : LeadTimes, optional
        Months before; none but the building itself where not given.
    as_of : str, optional
        ISO date of today; 1 January of the first planned year where not given.

    Returns
    -------
    DataFrame
        ``decide_by`` (ISO date, in order), ``decision`` (build, convert, phase out, close, buy),
        ``name``, ``county``, ``takes_effect`` (ISO date), ``amount``, ``unit`` (copies, schools,
        places), ``status`` (of a project; ``ordered`` and so on are decided already),
        ``overdue`` (a decision not yet taken whose date lies before ``as_of``).

    Raises
    ------
    ValueError
        If the plan is infeasible or ``as_of`` is no date.

    Examples
    --------
    >>> import capsim
    >>> plan = capsim.optimize(capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0))
    >>> table = decide_by(plan, LeadTimes(approval=6))
    >>> table["decide_by"].is_monotonic_increasing
    True
    """
    if plan.status == "infeasible":
        raise ValueError("an infeasible plan has no decisions to take")
    before = lead_times or LeadTimes()
    today = as_of if as_of is not None else f"{plan.scenario.first_year}-01-01"
    try:
        now = float(day_number(np.array([date.fromisoformat(today)], object))[0])
    except (TypeError, ValueError):
        raise ValueError(f"as_of must be an ISO date such as 2022-01-01, not {as_of!r}") from None
    parts = (_built(plan, before), _converted(plan, before), _closed(plan, before))
    table = pd.concat([*parts, _contracted(plan, before)], ignore_index=True)
    effect = table["takes_effect"].to_numpy(object)
    day = np.zeros(0)
    if len(table):
        day = day_number(effect) - table["months"].to_numpy(np.float64) * MONTH_DAYS
    # The last whole day not after the moment.
    table["decide_by"] = np.floor(day).astype(np.int64).astype("datetime64[D]").astype(str)
    table["overdue"] = table["status"].isin(("", "candidate")).to_numpy(bool) & (day < now)
    order = table.assign(day=day).sort_values(["day", "decision", "name"], kind="stable")
    return order[COLUMNS].reset_index(drop=True)


def _built(plan: Plan, before: LeadTimes) -> pd.DataFrame:
    opened = plan.tables["openings"]
    months = plan.scenario.table("projects").groupby("project")["build_months"].max()
    about = plan.tables["projects"].set_index("project").loc[opened["project"]]
    table = opened.assign(
        name=opened["project"],
        county=about["county"].to_numpy(object),
        status=about["status"].to_numpy(object),
    )
    ahead = months.reindex(opened["project"]).to_numpy(np.float64) + before.approval
    return _rows(table, "build", opened["opens"], ahead, opened["copies"], "copies")


def _converted(plan: Plan, before: LeadTimes) -> pd.DataFrame:
    turned = _of_schools(plan.tables["conversions"])
    return _rows(turned, "convert", turned["converts"], before.conversion, 1.0, "schools")


def _closed(plan: Plan, before: LeadTimes) -> pd.DataFrame:
    closed = plan.tables["closures"]
    closed = _of_schools(closed[closed["how"] != "run_down"])
    how = closed["how"].map({"phase_out": "phase out", "closed": "close"})
    effect = _autumn(closed["from_year"])
    return _rows(closed, how, effect, before.conversion, 1.0, "schools")


def _contracted(plan: Plan, before: LeadTimes) -> pd.DataFrame:
    """List first years of runs of years in which places are bought, with that year's places."""
    bought = plan.tables["purchases"]
    bought = bought[bought["places_december"] > CLEAR].sort_values(
        ["school", "stage", "school_year"]
    )
    last = bought.groupby(["school", "stage"])["school_year"].shift()
    bought = _of_schools(bought[(last != bought["school_year"] - 1).to_numpy(bool)])
    effect = _autumn(bought["school_year"])
    return _rows(bought, "buy", effect, before.contract, bought["places_december"], "places")


def _autumn(year: pd.Series) -> pd.Series:
    return year.astype(str) + "-09-01"


def _of_schools(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(name=table["school"] + ", " + table["stage"], status="")


def _rows(
    table: pd.DataFrame,
    decision: str | pd.Series,
    effect: pd.Series,
    months: Array | float,
    amount: pd.Series | float,
    unit: str,
) -> pd.DataFrame:
    """Return the decisions of a table with ``name``, ``county`` and ``status``."""
    facts = {"decision": decision, "takes_effect": effect, "months": months}
    table = table.assign(**facts, amount=amount, unit=unit)
    kept = [*facts, "name", "county", "amount", "unit", "status"]
    return table[kept].astype({"amount": np.float64})
