"""What is spent whatever is decided: staff there already, schools running and ordered.

Every yuan of the plan, line by line: kind, county and year by column of the program.

The objective, the money limits and the cost table are three readings of the same ledger, so they
cannot disagree. Amounts are million RMB, undiscounted; *fixed* amounts are those no decision moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capsim.lp.arrays import Array, Flag, Index, Text
from capsim.lp.expressions import Term
from capsim.model.data import ModelData
from capsim.model.links import Links
from capsim.model.variables import Variables

MONTH_DAYS = 365.25 / 12
DEFAULT_LIFE_YEARS = 50.0


@dataclass(frozen=True)
class Spending:
    """Capital paid per copy: project row, opening check date, calendar year, RMB (``[entry]``)."""

    row: Index
    check: Index
    year: Index
    amount_cny: Array


def day_number(iso: Text) -> Array:
    """Days since 1970-01-01 of ISO dates."""
    return np.asarray(iso.astype("datetime64[D]").astype(np.int64), np.float64)


def new_year_days(given: ModelData) -> Array:
    """Days of 1 January of each planned year and of the one after, ``[year + 1]``."""
    first, count = int(given.space.years[0]), len(given.space.years)
    return day_number(np.array([f"{first + i}-01-01" for i in range(count + 1)], object))


def building_start(given: ModelData) -> Array:
    """Day on which building starts for an opening on each check date, ``[row, check]``."""
    opening = day_number(given.dates.date)
    return opening[None, :] - given.projects.row_months[:, None] * MONTH_DAYS


def capital_spending(given: ModelData) -> Spending:
    """Spread each row's unpaid capital evenly by day over its building time, by calendar year.

    What would fall before the first planned year is squeezed into the days from its 1 January on;
    an empty span puts all into the year of the opening.
    """
    edges = new_year_days(given)
    opening = day_number(given.dates.date)[None, :]
    start = np.maximum(building_start(given), edges[0])
    span = opening - start
    amount = np.minimum(opening[..., None], edges[1:]) - np.maximum(start[..., None], edges[:-1])
    np.maximum(amount, 0.0, out=amount)
    amount /= np.where(span > 0, span, 1.0)[..., None]
    at_once = np.nonzero(span <= 0)
    amount[*at_once, :] = 0.0
    amount[*at_once, given.dates.year[at_once[1]]] = 1.0
    amount *= given.projects.row_capital[:, None, None]
    row, check, year = np.nonzero(amount)
    return Spending(row, check, year, amount[row, check, year])


def salvage_value(given: ModelData) -> tuple[Index, Index, Array]:
    """Return row, opening check and RMB a copy is still worth on 1 September after the horizon."""
    share = given.scenario.settings.costs.salvage_share
    end = day_number(np.array([f"{int(given.space.years[-1]) + 1}-09-01"], object))[0]
    age = (end - day_number(given.dates.date)) / 365.25
    life = np.nan_to_num(given.projects.row_life, nan=DEFAULT_LIFE_YEARS)
    left = np.maximum(0.0, 1.0 - age[None, :] / life[:, None])
    value = share * given.projects.row_capital[:, None] * left
    row, check = np.nonzero(value)
    return row, check, value[row, check]


def committed_costs(given: ModelData, ledger: Ledger) -> Array:
    """Return committed amounts ``[kind, county, year]`` in million RMB, undiscounted.

    Staff of the base year less attrition; the allowance of all children at the base-year public
    share; capital and running costs of projects that are not candidates, opened at their last
    allowed date (see ``docs/model.md``).
    """
    space, settings = given.space, given.scenario.settings
    years = len(space.years)
    out = np.zeros((len(COST_KINDS), len(space.counties), years + 1))
    kept = (1.0 - settings.staff.attrition) ** np.arange(1, years + 1)
    out[COST_KINDS.index("staff"), :, :years] = (
        settings.costs.teacher_cny * base_pool(given)[:, None] * kept
    )
    running = out[COST_KINDS.index("running")]
    running[:, :years] += _allowance(given)
    _add_projects(given, ledger.spending, out)
    return out / MILLION


def _allowance(given: ModelData) -> Array:
    """Allow for all children at the whole's base-year public share, ``[county, year]``."""
    space, providers = given.space, given.providers
    stages = len(space.stages)
    pupils = providers.rolls.sum(axis=1)
    everyone = np.bincount(providers.stage, weights=pupils, minlength=stages)
    public = np.bincount(
        providers.stage[providers.public], weights=pupils[providers.public], minlength=stages
    )
    share = np.divide(public, everyone, out=np.zeros(stages), where=everyone > 0)
    rate = (share * space.by_stage("allowance_cny"))[space.grade_stage]
    by_area = np.einsum("agt,g->at", space.children, rate)
    out = np.zeros((len(space.counties), len(space.years)))
    np.add.at(out, space.county, by_area)
    return out


def _add_projects(given: ModelData, spent: Spending, out: Array) -> None:
    """Add capital and running costs of projects that are ordered."""
    projects = given.projects
    last = projects.last_check[projects.row_project]
    ordered = ~projects.candidate[projects.row_project] & (last < given.dates.count)
    copies = projects.count[projects.row_project]
    row = np.flatnonzero(ordered)
    in_use = given.dates.autumn >= last[row, None]
    running = in_use * (projects.row_running * copies)[row, None]
    yearly = out[COST_KINDS.index("running"), :, : len(given.space.years)]
    np.add.at(yearly, projects.row_county[row], running)
    due = ordered[spent.row] & (spent.check == last[spent.row])
    county, amount = (
        projects.row_county[spent.row[due]],
        (spent.amount_cny * copies[spent.row])[due],
    )
    np.add.at(out[COST_KINDS.index("capital")], (county, spent.year[due]), amount)


COST_KINDS = (
    "capital",
    "running",
    "staff",
    "hiring",
    "purchase",
    "conversion",
    "closure",
    "travel",
    "boarding",
    "displacement",
    "overfill",
    "shortfall",
    "salvage",
)
RECURRENT = ("running", "staff", "purchase", "hiring", "boarding")
MILLION = 1e6


@dataclass(frozen=True)
class Line:
    """Entries of one kind, one for each of its columns; a column of -1 is none.

    Counties, years and amounts, RMB per unit of the column, broadcast to the shape of the columns.
    """

    kind: str
    county: Index
    year: Index
    column: Index
    amount_cny: Array
    lease: bool = False

    @cached_property
    def keep(self) -> Flag:
        """Which of the broadcast entries there are."""
        return np.asarray((self.column >= 0) & (self.amount_cny != 0))

    def term(self, years: int) -> Term:
        """Return what is paid, million RMB, as a term in cells ``[county, year]``."""
        cell = self.entries(self.county) * years + self.entries(self.year)
        return Term(self.entries(self.column), self.entries(self.amount_cny / MILLION), cell)

    def entries(self, part: Index | Array) -> NDArray[Any]:
        """Write one of the arrays, or of their kin, out for the entries there are ``[entry]``."""
        return np.broadcast_to(part, self.keep.shape)[self.keep]


@dataclass(frozen=True)
class Ledger:
    """Entries ``amount · x[column]`` by kind, county and calendar or school year.

    The objective is summed line by line; the long arrays are written out when first asked for.

    Attributes
    ----------
    lines : tuple of Line
    spending : Spending
        What capital is paid when.
    factor : float64 ``[year]``
        Discount factor of every planned year and of the one after.
    kind, county, year : int ``[entry]``; ``year`` counts from the first planned year
    column : int ``[entry]``
    amount : float64 ``[entry]``, million RMB per unit of the column
    lease : bool ``[entry]``, the part of ``conversion`` that returns every year
    """

    lines: tuple[Line, ...]
    spending: Spending
    factor: Array

    @cached_property
    def kind(self) -> Index:
        """Position in ``COST_KINDS``."""
        return self._long(lambda line: COST_KINDS.index(line.kind), np.int64)

    @cached_property
    def county(self) -> Index:
        """Position of the county."""
        return self._long(lambda line: line.county, np.int64)

    @cached_property
    def year(self) -> Index:
        """Years after the first planned one."""
        return self._long(lambda line: line.year, np.int64)

    @cached_property
    def column(self) -> Index:
        """Column of the program."""
        return self._long(lambda line: line.column, np.int64)

    @cached_property
    def amount(self) -> Array:
        """Million RMB per unit of the column."""
        return self._long(lambda line: line.amount_cny / MILLION, np.float64)

    @cached_property
    def lease(self) -> Flag:
        """Whether it returns every year after a conversion."""
        return self._long(lambda line: line.lease, np.bool_)

    def _long(self, part: Callable[[Line], ArrayLike], kind: type[np.generic]) -> NDArray[Any]:
        """Write a part of all lines out; nothing where there is no line, as all is free."""
        whole = [line.entries(np.asarray(part(line), kind)) for line in self.lines]
        return np.concatenate([np.zeros(0, kind), *whole])

    def objective(self, columns: int, used: Flag) -> Array:
        """Sum discounted amounts per column ``[column]`` over the kinds flagged in ``used``."""
        out = np.zeros(columns + 1)  # the last is that of entries on no column
        kinds = {kind for kind, wanted in zip(COST_KINDS, used, strict=True) if wanted}
        for line in self.lines:
            if line.kind in kinds:
                value = line.amount_cny / MILLION * self.factor[line.year]
                value = np.broadcast_to(value, line.column.shape)
                np.add.at(out, line.column.ravel(), value.ravel())
        return out[:-1]


class _Entries:
    """Collects lines."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(
        self,
        kind: str,
        county: Index,
        year: Index,
        column: Index,
        amount_cny: Array | float,
        *,
        lease: bool = False,
    ) -> None:
        amount = np.asarray(amount_cny, np.float64)
        if not (column.size and amount.any()):
            return
        self.lines.append(Line(kind, county, year, column, amount, lease))


def prepare_ledger(given: ModelData, links: Links, v: Variables) -> Ledger:
    """Enter every cost of the scenario (see the table of costs in ``docs/model.md``)."""
    space, providers, costs = given.space, given.providers, given.scenario.settings.costs
    stage, county = providers.stage, providers.county
    years = np.arange(len(space.years))
    t = years[None, :]
    e = _Entries()
    spent = capital_spending(given)
    _enter_projects(e, given, v, spent)
    allowance = space.by_stage("allowance_cny")[stage]
    seat_provider = v.seats.provider
    on_public = np.where(providers.public[seat_provider], allowance[seat_provider], 0.0)
    e.add("running", county[seat_provider][:, None], t, v.pupils, on_public[:, None])
    e.add("running", county[:, None], t, v.public, allowance[:, None])
    c = np.arange(len(space.counties))[:, None]
    e.add("staff", c, t, v.pool, costs.teacher_cny)
    e.add("staff", c, t, v.contract_teachers, costs.contract_teacher_cny)
    e.add("hiring", c, t, v.hired, costs.hire_cny)
    _enter_levers(e, given, v)
    area, price = links.area[links.pair_link], links.cost_cny[links.pair_link]
    e.add("travel", space.county[area][:, None], t, v.flow, price[:, None])
    at_school = np.append(providers.area, -1)[links.to_provider]
    host = space.county[np.where(links.to_area >= 0, links.to_area, at_school)]
    board = costs.boarder_cny + space.by_stage("boarding_cny")
    beds = np.where(links.far, board[links.stage], 0.0)
    e.add("boarding", host[links.pair_link][:, None], t, v.flow, beds[links.pair_link][:, None])
    e.add("displacement", county[seat_provider][:, None], t, v.displaced, costs.displacement_cny)
    e.add("overfill", county[:, None], t, v.overfill, costs.overfill_cny)
    e.add(
        "shortfall",
        space.county[:, None, None],
        years[None, None, :],
        v.shortfall,
        costs.shortfall_cny,
    )
    factor = (1.0 + costs.discount_rate) ** -np.arange(len(years) + 1.0)
    return Ledger(tuple(e.lines), spent, factor)


def _enter_projects(e: _Entries, given: ModelData, v: Variables, spent: Spending) -> None:
    """Capital as it is paid, running costs once open, salvage at the end."""
    projects, dates = given.projects, given.dates
    t = np.arange(len(given.space.years))[None, :]
    z = v.open[projects.row_project]
    e.add(
        "running",
        projects.row_county[:, None],
        t,
        z[:, dates.autumn],
        projects.row_running[:, None],
    )
    now = v.open[projects.row_project[spent.row], spent.check]
    county = projects.row_county[spent.row]
    previous = np.where(
        spent.check > 0, v.open[projects.row_project[spent.row], spent.check - 1], -1
    )
    same = now == previous
    amount = np.where(same, 0.0, spent.amount_cny)
    e.add("capital", county, spent.year, now, amount)
    e.add("capital", county, spent.year, previous, -amount)
    row, check, value = salvage_value(given)
    end = np.array(len(given.space.years))
    now = v.open[projects.row_project[row], check]
    previous = np.where(check > 0, v.open[projects.row_project[row], check - 1], -1)
    value = np.where(now == previous, 0.0, value)
    e.add("salvage", projects.row_county[row], end, now, -value)
    e.add("salvage", projects.row_county[row], end, previous, value)


def _enter_levers(e: _Entries, given: ModelData, v: Variables) -> None:
    """Purchases, conversions (with the teachers taken over) and closures."""
    providers, dates = given.providers, given.dates
    if not providers.levered.any():
        return
    settings = given.scenario.settings
    county = providers.county[:, None]
    t = np.arange(len(given.space.years))[None, :]
    price = providers.price[:, None]
    december = dates.december_year[None, :]
    e.add("purchase", county, t, v.purchased, np.where(december, price * (4 / 12), price))
    e.add("purchase", county, t, np.where(december, v.purchased_december, -1), price * (8 / 12))
    earlier = np.concatenate([np.full((len(providers.school), 1), -1), v.converted[:, :-1]], axis=1)
    year = dates.year[None, :]
    cost = providers.conversion_cost[:, None]
    e.add("conversion", county, year, v.converted, cost)
    e.add("conversion", county, year, earlier, -cost)
    autumn = v.converted[:, dates.autumn]
    e.add("conversion", county, t, autumn, providers.conversion_lease[:, None], lease=True)
    over = taken_over(given)[:, None] * settings.costs.hire_cny
    last = np.concatenate([np.full((len(providers.school), 1), -1), autumn[:, :-1]], axis=1)
    e.add("hiring", county, t, autumn, over)
    e.add("hiring", county, t, last, -over)
    closing = providers.closure_cost[:, None]
    before = np.concatenate([np.full((len(providers.school), 1), -1), v.phase_out[:, :-1]], axis=1)
    e.add("closure", county, t, v.phase_out, closing)
    e.add("closure", county, t, before, -closing)


def taken_over(given: ModelData) -> Array:
    """Teachers who come into the county pool when a school converts, ``[provider]``."""
    staffed = np.array([s.name in given.scenario.settings.staff.stages for s in given.space.stages])
    ratio = given.scenario.settings.policy.takeover_ratio
    return np.where(staffed[given.providers.stage], ratio * given.providers.staff, 0.0)


def base_pool(given: ModelData) -> Array:
    """Count base-year public teachers of the staffed stages, ``[county]``; 0 with staff off."""
    if not given.scenario.settings.switches.staff:
        return np.zeros(len(given.space.counties))
    staffed = np.array([s.name in given.scenario.settings.staff.stages for s in given.space.stages])
    who = given.providers.public & staffed[given.providers.stage]
    pool = np.zeros(len(given.space.counties))
    np.add.at(pool, given.providers.county[who], given.providers.staff[who])
    return pool
