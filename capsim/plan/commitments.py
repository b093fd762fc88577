"""What schools and counties are asked to do, by when: admission plans, commitments, deadlines.

Pupils, teachers and RMB are whole here, and add up: of each county, stage and year, or of all
counties in a year, the sum is that of the plan, rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array, Index
from capsim.lp.options_and_result import is_number
from capsim.model.costs import MONTH_DAYS, day_number
from capsim.plan.solution_arrays import Solution
from capsim.plan.targets import counted_share
from capsim.scenario.scenario import Scenario

if TYPE_CHECKING:
    from capsim.plan.plan import Plan

CLEAR = 1e-6
"""Places below which nothing is bought; persons by which a number misses a whole one."""
PAID = ("capital", "running", "staff", "hiring", "purchase", "conversion", "closure")
"""Kinds of cost that have a column each."""
OTHER = ("travel", "boarding", "displacement", "overfill")
"""Kinds of cost that have one column together; a child without a place is paid to nobody."""
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
    time for approvals; one whose ``options`` are bought is hurried by that date too, at the
    earliest as construction starts, also where it is ordered; a conversion or closure, and the
    start of a purchase contract: less its lead time.

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
        ``decide_by`` (ISO date, in order), ``decision`` (build, hurry, convert, phase out, close,
        buy),
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
    today = as_of if as_of is not None else f"{plan.scenario.first_year}-01-01"
    try:
        now = float(day_number(np.array([date.fromisoformat(today)], object))[0])
    except (TypeError, ValueError):
        raise ValueError(f"as_of must be an ISO date such as 2022-01-01, not {as_of!r}") from None
    table = decisions(plan.tables, plan.scenario, lead_times or LeadTimes())
    day = table["day"].to_numpy(np.float64)
    table["overdue"] = table["status"].isin(("", "candidate")).to_numpy(bool) & (day < now)
    return table[COLUMNS]


def decisions(
    tables: Mapping[str, pd.DataFrame], scenario: Scenario, before: LeadTimes
) -> pd.DataFrame:
    """List a plan's decisions in the order of the day by which each must be taken.

    Returns
    -------
    DataFrame
        As `decide_by`, without ``overdue``; ``day`` counts from 1970.
    """
    parts = (
        _built(tables, scenario, before),
        _hurried(tables, scenario, before),
        _converted(tables, before),
        _closed(tables, before),
        _contracted(tables, before),
    )
    table = pd.concat(parts, ignore_index=True)
    effect = table["takes_effect"].to_numpy(object)
    day = np.zeros(0)
    if len(table):
        day = day_number(effect) - table["months"].to_numpy(np.float64) * MONTH_DAYS
    # The last whole day not after the moment.
    table["decide_by"] = np.floor(day).astype(np.int64).astype("datetime64[D]").astype(str)
    order = table.assign(day=day).sort_values(["day", "decision", "name"], kind="stable")
    return order.reset_index(drop=True)


def _built(
    tables: Mapping[str, pd.DataFrame], scenario: Scenario, before: LeadTimes
) -> pd.DataFrame:
    opened = tables["openings"]
    months = scenario.table("projects").groupby("project")["build_months"].max()
    about = tables["projects"].set_index("project").loc[opened["project"]]
    table = opened.assign(
        name=opened["project"],
        county=about["county"].to_numpy(object),
        status=about["status"].to_numpy(object),
    )
    ahead = months.reindex(opened["project"]).to_numpy(np.float64) + before.approval
    return _rows(table, "build", opened["opens"], ahead, opened["copies"], "copies")


def _hurried(
    tables: Mapping[str, pd.DataFrame], scenario: Scenario, before: LeadTimes
) -> pd.DataFrame:
    """List openings of projects with options, decided before building, or as construction starts.

    They are decisions of the plan whatever the project's status.
    """
    opened = tables["openings"]
    opened = opened[opened["project"].isin(hurried_projects(scenario)).to_numpy(bool)]
    table = _built({**tables, "openings": opened}, scenario, before)
    if table.empty:
        return table
    start = float(day_number(np.array([scenario.settings.construction.start], object))[0])
    since = (day_number(table["takes_effect"].to_numpy(object)) - start) / MONTH_DAYS
    months = np.minimum(table["months"].to_numpy(np.float64), np.maximum(since, 0.0))
    return table.assign(decision="hurry", months=months, status="")


def hurried_projects(scenario: Scenario) -> list[str]:
    """Return the projects that options are bought for."""
    rows = scenario.table("projects")
    return sorted(set(rows["project"][rows["options"] != ""]))


def _converted(tables: Mapping[str, pd.DataFrame], before: LeadTimes) -> pd.DataFrame:
    turned = _of_schools(tables["conversions"])
    return _rows(turned, "convert", turned["converts"], before.conversion, 1.0, "schools")


def _closed(tables: Mapping[str, pd.DataFrame], before: LeadTimes) -> pd.DataFrame:
    closed = tables["closures"]
    closed = _of_schools(closed[closed["how"] != "run_down"])
    how = closed["how"].map({"phase_out": "phase out"}).fillna("close")
    effect = _autumn(closed["from_year"])
    return _rows(closed, how, effect, before.conversion, 1.0, "schools")


def _contracted(tables: Mapping[str, pd.DataFrame], before: LeadTimes) -> pd.DataFrame:
    """List first years of runs of years in which places are bought, with that year's places."""
    bought = tables["purchases"]
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


def admissions_table(solution: Solution) -> pd.DataFrame:
    """Plan what compulsory schools admit: a row a school, stage and planned year, by county.

    Schools that admitted nobody in the base year and admit nobody now are left out.
    """
    given = solution.parts.given
    providers, space, years = given.providers, given.space, given.space.years
    mine = np.flatnonzero(space.compulsory[providers.stage])
    stage, county = providers.stage[mine], providers.county[mine]
    first = np.array([np.flatnonzero(space.grade_stage == s)[0] for s in range(len(space.stages))])
    grade, pairs = first[stage], county * len(space.stages) + stage
    by_year = pairs[:, None] * len(years) + np.arange(len(years))
    base = whole(providers.rolls[mine, grade], pairs)
    intake = whole(solution.by_grade[mine, grade], by_year)
    bought = whole(_bought(solution)[mine], by_year, intake)
    turned = solution.converted[:, given.dates.autumn][mine] > 0
    sector = np.where(
        providers.public[mine, None], "public", np.where(turned, "converted", "private")
    )
    i, t = np.nonzero(np.maximum(base[:, None], intake) > 0)
    j = mine[i]
    table = pd.DataFrame(
        {
            "county": space.counties[county[i]],
            "area": space.areas[providers.area[j]],
            "stage": solution.parts.stage_names[stage[i]],
            "school": providers.school[j],
            "sector": sector[i, t],
            "grade": space.grades[grade[i]],
            "school_year": years[t],
            "base_intake": base[i],
            "intake": intake[i, t],
            "bought": bought[i, t],
        }
    )
    order = table.assign(position=stage[i]).sort_values(
        ["county", "area", "position", "school", "school_year"], kind="stable"
    )
    return order.drop(columns="position").reset_index(drop=True)


def _bought(solution: Solution) -> Array:
    """Count pupils of first grades whose places are bought on 31 December, ``[j, t]``.

    Where bought places do not follow the child they lie in the grades in proportion to pupils.
    """
    v = solution.parts.columns
    first = v.seats.before < 0
    j = v.seats.provider[first]
    everyone, intake = solution.enrolled[j], solution.pupils[first]
    part = np.divide(intake, everyone, out=np.zeros_like(intake), where=everyone > 0)
    even = solution.purchased_december[j] * part
    paying = v.fee_by_grade_december[first]
    private = solution.converted[:, solution.parts.given.dates.autumn][j] == 0
    left = np.where(private, np.maximum(intake - solution.value(paying), 0.0), 0.0)
    out = np.zeros_like(solution.enrolled)
    out[j] = np.where(paying >= 0, left, even)
    return out


def whole(values: Array, group: Index, most: Index | None = None) -> Index:
    """Round numbers so that those of a group sum to its sum, rounded.

    Each is rounded down, then those with the largest remainders up. With ``most`` no number goes
    above its own, as far as the group's sum allows.

    Examples
    --------
    >>> whole(np.array([1.4, 1.4, 1.2, 0.5]), np.array([0, 0, 0, 1])).tolist()
    [2, 1, 1, 1]
    """
    near = np.rint(values)
    values = np.where(np.abs(values - near) <= CLEAR, near, values)
    low = np.floor(values)
    rest = values - low
    may = rest > 0 if most is None else (rest > 0) & (low < most)
    groups = int(group.max(initial=-1)) + 1
    sums = np.bincount(group.ravel(), values.ravel(), groups)
    lacking = np.floor(sums + 0.5) - np.bincount(group.ravel(), low.ravel(), groups)
    order = np.lexsort((-np.where(may, rest, 0.0).ravel(), group.ravel()))
    place = np.empty(values.size, np.int64)
    start = np.searchsorted(group.ravel()[order], np.arange(groups))
    place[order] = np.arange(values.size) - start[group.ravel()[order]]
    up = may & (place.reshape(values.shape) < lacking[group])
    return np.asarray(low + up, np.int64)


def commitments_table(tables: Mapping[str, pd.DataFrame], scenario: Scenario) -> pd.DataFrame:
    """List what each county is to deliver in each planned year, from the plan's other tables.

    Counties in the order of their names. Openings, conversions, capital and land are those of the
    calendar year.
    """
    shares = tables["shares"]
    shares = shares[shares["county"] != "*"]
    keys = ["county", "school_year"]
    counties, years = sorted(set(shares["county"])), list(scenario.years)
    rows = pd.MultiIndex.from_product([counties, years], names=keys)
    of_year = np.tile(np.arange(len(years)), len(counties))

    def at(amounts: pd.Series) -> Array:
        return amounts.groupby(level=keys).sum().reindex(rows, fill_value=0).to_numpy(np.float64)

    def sums(table: pd.DataFrame, column: str, year: pd.Series | None = None) -> Array:
        when = table["school_year"] if year is None else year
        index = pd.MultiIndex.from_arrays([table["county"], when], names=keys)
        return at(pd.Series(table[column].to_numpy(np.float64), index))

    def people(amounts: Array) -> Index:
        return whole(amounts, of_year)

    counted = counted_share(scenario.settings.policy)
    private = counted.replace("share_", "private_")
    start = shares[shares["school_year"] == scenario.base_year].set_index("county")[private]
    before = people(start.reindex(rows.get_level_values(0)).to_numpy(np.float64))
    after = people(sums(shares, private))
    about = tables["projects"].set_index("project")
    seats = ["places", "places_compulsory", "places_given_up"]
    opened = tables["openings"].join(about[["county", *seats]], on="project")
    opened = opened.assign(**{key: opened[key] * opened["copies"] for key in seats})
    hurried = opened[opened["project"].isin(hurried_projects(scenario)).to_numpy(bool)]
    turned = tables["conversions"].assign(schools=1)
    closed = tables["closures"].sort_values("from_year", kind="stable")
    closed = closed.drop_duplicates(["school", "stage"]).assign(schools=1)
    staff, costs, begun = tables["staff"], tables["costs"], _begun(tables, scenario)
    spent = {
        f"{kind}_cny": people(sums(costs[costs["kind"].isin(kinds)], "cost_cny"))
        for kind, kinds in (*((kind, (kind,)) for kind in PAID), ("other", OTHER))
    }
    due = decisions(tables, scenario, LeadTimes())
    due = due[due["status"].isin(["", "candidate"])]
    due = due.assign(school_year=_year(due["takes_effect"])).drop_duplicates(keys)
    due = due.set_index(keys)[["decide_by", "decision", "name"]].reindex(rows).fillna("")
    return pd.DataFrame(
        {
            "county": rows.get_level_values(0),
            "school_year": rows.get_level_values(1),
            "private_before": before,
            "private_pupils": after,
            "reduction": before - after,
            "private_share": sums(shares, counted),
            "projects": people(sums(opened, "copies", _year(opened["opens"]))),
            "hurried": people(sums(hurried, "copies", _year(hurried["opens"]))),
            **{key: people(sums(opened, key, _year(opened["opens"]))) for key in seats},
            "conversions": people(sums(turned, "schools", _year(turned["converts"]))),
            "converted_places": people(sums(turned, "places", _year(turned["converts"]))),
            "purchased": people(sums(tables["purchases"], "places_december")),
            "closures": people(sums(closed, "schools", closed["from_year"])),
            "hired": people(sums(staff, "hired")),
            "taken_over": people(sums(staff, "taken_over")),
            "contract": people(sums(staff, "contract")),
            "land_mu": sums(begun, "land_mu"),
            **spent,
            "total_cny": np.sum(list(spent.values()), axis=0),
            "decide_by": due["decide_by"].to_numpy(object),
            "decision": due["decision"].to_numpy(object),
            "decision_name": due["name"].to_numpy(object),
        }
    )


def _begun(tables: Mapping[str, pd.DataFrame], scenario: Scenario) -> pd.DataFrame:
    """List land that candidates take up: county, year in which building begins, mu.

    Building that began before the first planned year takes it up in that year.
    """
    rows = scenario.table("projects")
    rows = rows[rows["stage"].isin(list(scenario.stages)) & (rows["status"] == "candidate")]
    county = scenario.table("areas").set_index("area")["county"]
    table = tables["openings"].merge(rows, on="project")
    months = table["build_months"].to_numpy(np.float64)
    day = np.zeros(0)
    if len(table):
        day = day_number(table["opens"].to_numpy(object)) - months * MONTH_DAYS
    begins = np.floor(day).astype(np.int64).astype("datetime64[D]").astype("datetime64[Y]")
    return pd.DataFrame(
        {
            "county": table["area"].map(county),
            "school_year": np.maximum(begins.astype(np.int64) + 1970, scenario.first_year),
            "land_mu": table["land_mu"].to_numpy(np.float64) * table["copies"].to_numpy(np.float64),
        }
    )


def _year(dates: pd.Series) -> pd.Series:
    return dates.str[:4].astype(np.int64) if len(dates) else dates.astype(np.int64)
