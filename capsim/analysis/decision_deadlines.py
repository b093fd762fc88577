"""When which decision of a plan must be taken: opening less building, less land and approvals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Text
from capsim.lp.solution import is_number
from capsim.model.formulation import MONTH_DAYS, day_number
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
    """How long before it takes effect a decision must be taken (months of 365.25 ÷ 12 days).

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
                raise ValueError(f"notice of {name} must be months >= 0, not {value!r}")


def decide_by(
    plan: Plan, notice: LeadTimes | None = None, *, as_of: str | None = None
) -> pd.DataFrame:
    """List a plan's decisions by the date by which each must be taken.

    A project: its opening (check) date less ``build_months`` (the longest of its rows) less the
    time for approvals; a conversion or closure, and the start of a purchase contract: less its
    notice.

    Parameters
    ----------
    plan : Plan
    notice : LeadTimes, optional
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
    asked = notice or LeadTimes()
    today = as_of if as_of is not None else f"{plan.scenario.first_year}-01-01"
    try:
        now = float(day_number(np.array([date.fromisoformat(today)], object))[0])
    except (TypeError, ValueError):
        raise ValueError(f"as_of must be an ISO date such as 2022-01-01, not {as_of!r}") from None
    table = pd.concat(
        [_built(plan, asked), _turned(plan, asked), _closed(plan, asked), _bought(plan, asked)],
        ignore_index=True,
    )
    open_ = table["status"].isin(("", "candidate")).to_numpy(bool)
    table["overdue"] = open_ & (table["day"].to_numpy(np.float64) < now)
    table["decide_by"] = _iso(table["day"].to_numpy(np.float64))
    return table.sort_values(["day", "decision", "name"], kind="stable", ignore_index=True)[COLUMNS]


def _built(plan: Plan, notice: LeadTimes) -> pd.DataFrame:
    opened = plan.tables["openings"]
    given = plan.scenario.table("projects")
    months = given.groupby("project")["build_months"].max()
    about = plan.tables["projects"].set_index("project").loc[opened["project"]]
    ahead = months.reindex(opened["project"]).to_numpy(np.float64) + notice.approval
    return _rows(
        opened["opens"],
        ahead,
        decision="build",
        name=opened["project"].to_numpy(object),
        county=about["county"].to_numpy(object),
        amount=opened["copies"].to_numpy(np.float64),
        unit="copies",
        status=about["status"].to_numpy(object),
    )


def _turned(plan: Plan, notice: LeadTimes) -> pd.DataFrame:
    turned = plan.tables["conversions"]
    return _rows(
        turned["converts"],
        notice.conversion,
        decision="convert",
        name=_school(turned),
        county=turned["county"].to_numpy(object),
        amount=1.0,
        unit="schools",
        status="",
    )


def _closed(plan: Plan, notice: LeadTimes) -> pd.DataFrame:
    closed = plan.tables["closures"]
    closed = closed[closed["how"] != "run_down"]
    return _rows(
        closed["from_year"].astype(str) + "-09-01",
        notice.conversion,
        decision=closed["how"].map({"phase_out": "phase out", "closed": "close"}).to_numpy(object),
        name=_school(closed),
        county=closed["county"].to_numpy(object),
        amount=1.0,
        unit="schools",
        status="",
    )


def _bought(plan: Plan, notice: LeadTimes) -> pd.DataFrame:
    """Every first year of a run of years in which places are bought, with those of that year."""
    bought = plan.tables["purchases"]
    bought = bought[bought["places_december"] > CLEAR].sort_values(
        ["school", "stage", "school_year"]
    )
    before = bought.groupby(["school", "stage"])["school_year"].shift()
    bought = bought[(before != bought["school_year"] - 1).to_numpy(bool)]
    return _rows(
        bought["school_year"].astype(str) + "-09-01",
        notice.contract,
        decision="buy",
        name=_school(bought),
        county=bought["county"].to_numpy(object),
        amount=bought["places_december"].to_numpy(np.float64),
        unit="places",
        status="",
    )


def _school(table: pd.DataFrame) -> Text:
    return np.asarray(table["school"] + ", " + table["stage"], object)


def _rows(effect: pd.Series, months: Array | float, **columns: object) -> pd.DataFrame:
    takes = effect.to_numpy(object)
    day = day_number(takes) - np.asarray(months) * MONTH_DAYS if len(takes) else np.zeros(0)
    return pd.DataFrame({"day": day, "takes_effect": takes, **columns}, index=range(len(takes)))


def _iso(day: Array) -> Text:
    """Return the last whole day not after each moment."""
    whole = np.floor(day).astype(np.int64).astype("datetime64[D]")
    return np.array([str(one) for one in whole], object)
