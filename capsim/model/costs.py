"""Every yuan of the plan, line by line: kind, county and year by column of the program.

The objective, the money limits and the cost table are three readings of the same ledger, so they
cannot disagree. What is spent whatever is decided (staff there already, schools running and
ordered) is *committed* and no line of it. Amounts are undiscounted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.lp.expressions import Term
from capsim.model.data import ModelData, staffed_stages
from capsim.model.links import Links
from capsim.model.variables import Variables, previous

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
    """Count days since 1970-01-01 of ISO dates."""
    return np.asarray(iso.astype("datetime64[D]").astype(np.int64), np.float64)


def new_year_days(given: ModelData) -> Array:
    """Return the days of 1 January of each planned year and of the one after, ``[year + 1]``."""
    first, count = int(given.space.years[0]), len(given.space.years)
    return day_number(np.array([f"{first + i}-01-01" for i in range(count + 1)], object))


def building_start(given: ModelData) -> Array:
    """Return the day building starts for an opening on each check date, ``[row, check]``."""
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


@dataclass(frozen=True)
class Line:
    """Entries of one kind, one for each of its columns; a column of -1 does not exist.

    Counties, years and amounts, RMB per unit of the column, broadcast to the shape of the columns.
    """

    kind: str
    county: Index
    year: Index
    column: Index
    amount_cny: Array | float
    lease: bool = False

    @cached_property
    def keep(self) -> Flag:
        """Flag of the broadcast entries that exist."""
        return np.asarray((self.column >= 0) & (self.amount_cny != 0))

    def term(self, years: int) -> Term:
        """Return what is paid, million RMB, as a term in cells ``[county, year]``."""
        cell = self.entries(self.county) * years + self.entries(self.year)
        return Term(self.entries(self.column), self.entries(self.amount_cny / MILLION), cell)

    def entries(self, part: Index | Array | float) -> NDArray[Any]:
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
    fixed : float64 ``[kind, county, year]``, million RMB
        What is paid whatever is decided, on no column: public schools that are kept open.
    kind, county, year : int ``[entry]``; ``year`` counts from the first planned year
    column : int ``[entry]``
    amount : float64 ``[entry]``, million RMB per unit of the column
    lease : bool ``[entry]``, the part of ``conversion`` that returns every year
    """

    lines: tuple[Line, ...]
    spending: Spending
    factor: Array
    fixed: Array

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


def prepare_ledger(given: ModelData, links: Links, v: Variables) -> Ledger:
    """Enter every cost of the scenario (see the table of costs in ``docs/model.md``)."""
    spent = capital_spending(given)
    lines = (
        *_of_projects(given, v, spent),
        *_of_staff_and_places(given, v),
        *_of_private_schools(given, v),
        *_of_children(given, links, v),
    )
    rate = given.scenario.settings.costs.discount_rate
    factor = (1.0 + rate) ** -np.arange(len(given.space.years) + 1.0)
    paid = tuple(one for one in lines if one.column.size and np.any(one.amount_cny))
    return Ledger(paid, spent, factor, _fixed(given))


def _fixed(given: ModelData) -> Array:
    """Return what public schools cost whoever comes, ``[kind, county, year]``, million RMB."""
    space, providers = given.space, given.providers
    years = len(space.years)
    out = np.zeros((len(COST_KINDS), len(space.counties), years + 1))
    yearly = np.where(providers.public, providers.fixed, 0.0) / MILLION
    of_county = np.bincount(providers.county, yearly, len(space.counties))
    out[COST_KINDS.index("running"), :, :years] = of_county[:, None]
    return out


def _of_projects(given: ModelData, v: Variables, spent: Spending) -> Iterator[Line]:
    """Enter running costs once open, capital as it is paid, salvage at the end."""
    projects, dates = given.projects, given.dates
    t = np.arange(len(given.space.years))[None, :]
    opened = v.open[projects.row_project]
    earlier, county = previous(opened), projects.row_county
    running = projects.row_running[:, None]
    yield Line("running", county[:, None], t, opened[:, dates.autumn], running)
    now, before = (column[spent.row, spent.check] for column in (opened, earlier))
    amount = np.where(now == before, 0.0, spent.amount_cny)
    yield Line("capital", county[spent.row], spent.year, now, amount)
    yield Line("capital", county[spent.row], spent.year, before, -amount)
    row, check, value = salvage_value(given)
    end = np.array(len(given.space.years))
    now, before = (column[row, check] for column in (opened, earlier))
    value = np.where(now == before, 0.0, value)
    yield Line("salvage", county[row], end, now, -value)
    yield Line("salvage", county[row], end, before, value)


def _of_staff_and_places(given: ModelData, v: Variables) -> Iterator[Line]:
    """Enter the allowance of public pupils, and teachers."""
    space, providers, costs = given.space, given.providers, given.scenario.settings.costs
    t = np.arange(len(space.years))[None, :]
    allowance = space.by_stage("allowance_cny")[providers.stage]
    seat = v.seats.provider
    on_public = np.where(providers.public[seat], allowance[seat], 0.0)
    yield Line("running", providers.county[seat, None], t, v.pupils, on_public[:, None])
    yield Line("running", providers.county[:, None], t, v.public, allowance[:, None])
    county = np.arange(len(space.counties))[:, None, None]
    yield Line("staff", county, t, v.pool, costs.teacher_cny)
    yield Line("staff", county, t, v.contract_teachers, costs.contract_teacher_cny)
    yield Line("hiring", county, t, v.hired, costs.hire_cny)
    yield Line("hiring", county, t, v.to_stage, costs.stage_move_cny)
    yield Line("hiring", county, t, v.to_county, costs.county_move_cny or 0.0)


def _of_private_schools(given: ModelData, v: Variables) -> Iterator[Line]:
    """Enter purchases, conversions (with what they bring and keep open) and closures."""
    providers, dates, costs = given.providers, given.dates, given.scenario.settings.costs
    county, t = providers.county[:, None], np.arange(len(given.space.years))[None, :]
    december, price = dates.december_year[None, :], providers.price[:, None]
    late = np.where(december, v.purchased_december, -1)
    yield Line("purchase", county, t, v.purchased, np.where(december, price * (4 / 12), price))
    yield Line("purchase", county, t, late, price * (8 / 12))
    year, cost = dates.year[None, :], providers.conversion_cost[:, None]
    yield Line("conversion", county, year, v.converted, cost)
    yield Line("conversion", county, year, previous(v.converted), -cost)
    autumn, lease = v.converted[:, dates.autumn], providers.conversion_lease[:, None]
    for column, sign in ((autumn, 1.0), (v.given_up, -1.0)):
        yield Line("conversion", county, t, column, sign * lease, lease=True)
        yield Line("running", county, t, column, sign * providers.fixed[:, None])
    hiring = taken_over(given)[:, None] * costs.hire_cny
    if given.scenario.settings.counts_brought:
        pupils = providers.pupils[:, None]
        each = np.divide(hiring, pupils, out=np.zeros_like(hiring), where=pupils > 0)
        yield Line("hiring", county, t, v.pupils_brought, each)
    else:
        yield Line("hiring", county, t, autumn, hiring)
        yield Line("hiring", county, t, previous(autumn), -hiring)
    closing = providers.closure_cost[:, None]
    for column in (v.phase_out, v.given_up):
        yield Line("closure", county, t, column, closing)
        yield Line("closure", county, t, previous(column), -closing)


def _of_children(given: ModelData, links: Links, v: Variables) -> Iterator[Line]:
    """Enter ways, boarding, and what children without a fitting place cost."""
    space, providers, costs = given.space, given.providers, given.scenario.settings.costs
    t, link = np.arange(len(space.years)), links.pair_link
    price = links.cost_cny[link, None]
    yield Line("travel", space.county[links.area[link], None], t, v.flow, price)
    at_school = np.append(providers.area, -1)[links.to_provider]
    host = space.county[np.where(links.to_area >= 0, links.to_area, at_school)]
    board = costs.boarder_cny + space.by_stage("boarding_cny")
    beds = np.where(links.far, board[links.stage], 0.0)
    yield Line("boarding", host[link, None], t, v.flow, beds[link, None])
    county = providers.county
    seat = county[v.seats.provider, None]
    yield Line("displacement", seat, t, v.displaced, costs.displacement_cny)
    yield Line("overfill", county[:, None], t, v.overfill, costs.overfill_cny)
    of_area = space.county[:, None, None]
    yield Line("shortfall", of_area, t, v.shortfall, costs.shortfall_cny)


def committed_costs(given: ModelData, ledger: Ledger) -> Array:
    """Return committed amounts ``[kind, county, year]`` in million RMB, undiscounted.

    Staff of the base year less attrition; the allowance of all children at the base-year public
    share; fixed costs of public schools; capital, running costs and what is left of the value of
    projects that are not candidates, opened at their last allowed date (see ``docs/model.md``).
    """
    space, settings = given.space, given.scenario.settings
    years = len(space.years)
    out = np.zeros((len(COST_KINDS), len(space.counties), years + 1))
    kept = settings.staff.stay ** np.arange(1, years + 1)
    teachers = base_pool(given).sum(axis=1)
    out[COST_KINDS.index("staff"), :, :years] = (
        settings.costs.teacher_cny * teachers[:, None] * kept
    )
    running = out[COST_KINDS.index("running")]
    running[:, :years] += _allowance(given)
    _add_projects(given, ledger.spending, out)
    return out / MILLION + ledger.fixed


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
    """Add capital, running costs and salvage of projects that are ordered."""
    projects = given.projects
    last = projects.last_check[projects.row_project]
    ordered = ~projects.candidate[projects.row_project] & (last < given.dates.count)
    copies = projects.count[projects.row_project]
    row = np.flatnonzero(ordered)
    in_use = given.dates.autumn >= last[row, None]
    running = in_use * (projects.row_running * copies)[row, None]
    yearly = out[COST_KINDS.index("running"), :, : len(given.space.years)]
    np.add.at(yearly, projects.row_county[row], running)
    end = np.array(len(given.space.years))
    left_row, left_check, left = salvage_value(given)
    for kind, row, check, year, amount in (
        ("capital", spent.row, spent.check, spent.year, spent.amount_cny),
        ("salvage", left_row, left_check, end, -left),
    ):
        due = ordered[row] & (check == last[row])
        paid = np.where(due, amount * copies[row], 0.0)
        np.add.at(out[COST_KINDS.index(kind)], (projects.row_county[row], year), paid)


def taken_over(given: ModelData) -> Array:
    """Count teachers who come into the pool when a school converts, ``[provider]``."""
    ratio = given.scenario.settings.policy.takeover_ratio
    return np.where(
        staffed_stages(given)[given.providers.stage], ratio * given.providers.staff, 0.0
    )


def base_pool(given: ModelData) -> Array:
    """Count base-year public teachers on post, ``[county, stage]``; none with staff off."""
    space, providers = given.space, given.providers
    pool = np.zeros((len(space.counties), len(space.stages)))
    if given.scenario.settings.switches.staff:
        who = providers.public & staffed_stages(given)[providers.stage]
        np.add.at(pool, (providers.county[who], providers.stage[who]), providers.staff[who])
    return pool
