"""A plan as arrays: what the simulation needs of its decisions, beside the arrays of the model.

Areas, providers and projects are those of :class:`~capsim.model.data.ModelData`; what the plan
decides is read from its tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Flag, Index
from capsim.model.costs import RECURRENT
from capsim.model.data import ModelData, Space, codes, inclusive_pool, limits_of, prepare
from capsim.model.links import Links, prepare_links
from capsim.plan.plan import Plan
from capsim.scenario.settings import Settings
from capsim.simulation.opening_dates import OpeningDates, read_openings
from capsim.simulation.pools import Network, Reach, read_network, read_reach

FIXED = ("capital", "hiring", "conversion", "closure", "salvage")
"""Kinds of cost that follow from what the plan decides, whatever is drawn."""


@dataclass(frozen=True, eq=False)
class StageData:
    """A stage of a plan: its providers ``j``, grades ``g``, planned years ``t``.

    Attributes
    ----------
    name : text
    compulsory : bool
    grades : int ``[grade]``
        Positions among the model's grades.
    provider : int ``[provider]``
        Positions among the model's providers; the arrays from `area` to `price_cny` are theirs.
    area, county : int ``[provider]``
    public, levered, inclusive : bool ``[provider]``
        As founded; inclusive are private ones open at a regulated fee.
    rolls : float64 ``[provider, grade]``
        In the base year.
    places : float64 ``[provider]``
        Standard seats before projects; of levered schools, those that conversion brings.
    price_cny : float64 ``[provider]``
        A purchased place and school year.
    pupils : float64 ``[provider, grade, year]``
        Planned, persons.
    fee, bought, bought_december : float64 ``[provider, year]``
        Planned fee-paying and purchased pupils, persons; the last on 31 December.
    told : int ``[told provider]``
        Those of which the plan tells who pays by grade: bought places follow the child.
    fee_by_grade, bought_by_grade, left_by_grade : float64 ``[told provider, grade, year]``
        Planned, persons; the last are fee-paying after what is bought by December.
    private_december : float64 ``[provider, year]``
        1 unless the school converts on 31 December of the year.
    fixed_cny : float64 ``[provider]``
        What keeping a public or converted school open costs a school year.
    converted, settled : bool ``[provider, year]``
        Converted by the autumn, and not given up again; by the autumn before.
    capacity : float64 ``[provider, year]``
        Most pupils of a private provider.
    sellable : float64 ``[provider, year]``
        Places a running contract can grow to.
    extendable : float64 ``[provider, year]``
        The same where children can be sent that the plan did not foresee: schools being phased
        out take nobody new, nor do schools run down where an intake that stopped stays so.
    overfill : float
        Most pupils above standard seats, as a share of the seats.
    class_size, large_class, very_large_class, allowance_cny, pupils_per_post : float
        The last is 0 for a stage that the staff pool does not serve.
    placed, lacking : float64 ``[area, grade, year]``
        Children with and without a place in the plan, persons.
    load : csr ``[(provider, year), (pool, grade, year)]``
        Planned pupils.
    leave : csr ``[(pool, grade, year), (provider, year)]``
        The same as shares of a pool's pupils.
    seat_rows, seat_owner : int ``[seat row]``
        Rows of `OpeningDates` that bring seats here, and the providers they belong to.
    network : Network
    reach : Reach
    """

    name: str
    compulsory: bool
    grades: Index
    provider: Index
    area: Index
    county: Index
    public: Flag
    levered: Flag
    inclusive: Flag
    rolls: Array
    places: Array
    price_cny: Array
    fixed_cny: Array
    pupils: Array
    fee: Array
    bought: Array
    bought_december: Array
    told: Index
    fee_by_grade: Array
    bought_by_grade: Array
    left_by_grade: Array
    private_december: Array
    converted: Flag
    settled: Flag
    capacity: Array
    sellable: Array
    extendable: Array
    overfill: float
    class_size: float
    large_class: float
    very_large_class: float
    allowance_cny: float
    pupils_per_post: float
    placed: Array
    lacking: Array
    load: sparse.csr_array
    leave: sparse.csr_array
    seat_rows: Index
    seat_owner: Index
    network: Network
    reach: Reach

    @cached_property
    def runs_public(self) -> Flag:
        """Whether a provider is public or converted, ``[provider, year]``."""
        return np.asarray(self.public[:, None] | self.converted)

    @cached_property
    def enrolled(self) -> Array:
        """Planned pupils of all grades, ``[provider, year, 1]``, persons."""
        return np.asarray(self.pupils.sum(1)[..., None])


@dataclass(frozen=True, eq=False)
class SimulationData:
    """A plan as arrays.

    Attributes
    ----------
    space : Space
        Areas, counties, grades, planned years and planned children.
    discount : float64 ``[year]``
    settings : Settings
        Of the scenario.
    stages : tuple of StageData
    openings : OpeningDates
    demand : Demand
        What draws are made from.
    purchase_limit : float64 ``[county and the whole, year]``
        Most places purchased; inf for no limit.
    budget_cny : float64 ``[county and the whole, year]``
        Recurrent money that the plan leaves, RMB; inf for no limit.
    posts, contract, need : float64 ``[county, stage, year]``
        Teachers on post, on contract, and needed, in the plan.
    fixed_cny : mapping of text to float
        Discounted cost of kinds that draws do not change.
    """

    space: Space
    discount: Array
    settings: Settings
    stages: tuple[StageData, ...]
    openings: OpeningDates
    demand: Demand
    purchase_limit: Array
    budget_cny: Array
    posts: Array
    contract: Array
    need: Array
    fixed_cny: Mapping[str, float]


def simulation_data(plan: Plan) -> SimulationData:
    """Read a plan.

    Raises
    ------
    ValueError
        If the plan is infeasible or its demand is not of its scenario.
    """
    if plan.status == "infeasible":
        raise ValueError("an infeasible plan cannot be simulated: it has no tables")
    model = prepare(plan.scenario, plan.demand)
    space, settings = model.space, plan.scenario.settings
    openings, links = read_openings(plan, model), prepare_links(model)
    stages = tuple(
        _read_stage(plan, model, links, openings, number) for number in range(len(space.stages))
    )
    by_county: dict[str, pd.Index] = {
        "county": pd.Index(space.counties),
        "school_year": pd.Index(space.years),
    }
    by_pool = {"stage": pd.Index(space.stage_names), **by_county}
    posts, contract, need = (
        spread(plan.tables["staff"], column, by_pool).swapaxes(0, 1)
        for column in ("pool", "contract", "need")
    )
    costs = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    return SimulationData(
        space=space,
        discount=(1 + settings.costs.discount_rate) ** -np.arange(float(len(space.years))),
        settings=settings,
        stages=stages,
        openings=openings,
        demand=replace(plan.demand, draws=None),
        purchase_limit=_limit(model, "purchase"),
        budget_cny=_money_left(plan, model, stages, by_county),
        posts=posts,
        contract=contract,
        need=need,
        fixed_cny={kind: float(costs.get(kind, 0.0)) for kind in FIXED},
    )


def spread(rows: pd.DataFrame, column: str, axes: Mapping[str, pd.Index]) -> Array:
    """Build an array from a long table's column; cells without a row are 0."""
    out = np.zeros([len(axis) for axis in axes.values()])
    at = tuple(axis.get_indexer(pd.Index(rows[name])) for name, axis in axes.items())
    known = np.all([index >= 0 for index in at], axis=0)
    out[tuple(index[known] for index in at)] = rows[column].to_numpy(np.float64)[known]
    return out


def _read_stage(
    plan: Plan, model: ModelData, links: Links, openings: OpeningDates, number: int
) -> StageData:
    """Read a stage of a plan."""
    space, settings, stage = model.space, model.scenario.settings, model.space.stages[number]
    providers, here = model.providers, np.flatnonzero(model.providers.stage == number)
    grades = np.flatnonzero(space.grade_stage == number)
    names = (
        "enrolment",
        "schools",
        "purchases",
        "payers",
        "conversions",
        "closures",
        "flows",
        "shortfall",
    )
    tables = {name: plan.tables[name] for name in names}
    tables = {name: table[table["stage"] == stage.name] for name, table in tables.items()}
    school, years = pd.Index(providers.school[here]), pd.Index(space.years)
    by_grade = {"grade": pd.Index(space.grades[grades]), "school_year": years}
    by_area = {"area": pd.Index(space.areas), **by_grade}
    by_year = {"school": school, "school_year": years}
    levered = providers.levered[here]
    fee, bought, december, paying = (
        np.where(levered[:, None], spread(tables["schools"], column, by_year), 0.0)
        for column in ("fee_paying", "purchased", "purchased_december", "fee_paying_december")
    )
    left = fee + bought - december
    told = np.flatnonzero(school.isin(tables["payers"]["school"]))
    by_payer = {"school": school[told], **by_grade}
    paying_now, bought_now, bought_then = (
        spread(tables["payers"], column, by_payer)
        for column in ("fee_paying", "purchased", "purchased_december")
    )
    pupils = spread(tables["enrolment"], "pupils", {"school": school, **by_grade})
    converted = np.zeros(fee.shape, bool)
    autumns = model.dates.date[model.dates.autumn].astype(str)
    turned, date = (tables["conversions"][name].to_numpy(str) for name in ("school", "converts"))
    converted[codes(turned, school)] = date[:, None] <= autumns
    given_up = tables["closures"][tables["closures"]["how"] == "given_up"]
    converted &= levered[:, None] & ~_ending(given_up, school, space.years, run_down=False)
    sellable = spread(tables["purchases"], "contract", by_year)
    sellable *= providers.purchasable[here][:, None]
    closed, ended = tables["closures"], model.intake_stays_ended
    ending = _ending(closed, school, space.years, run_down=ended)
    network = read_network(model, links, number, tables["flows"])
    load = _load(pupils, network.pool, len(network.home))
    arriving = np.asarray(load.sum(axis=0)).ravel()
    leave = sparse.diags_array(1 / np.where(arriving > 0, arriving, 1.0)) @ load.T
    owner = model.projects.row_provider[openings.row]
    seat_rows = np.flatnonzero(
        (openings.places.any(1) | (openings.given_up > 0))
        & (model.projects.row_stage[openings.row] == number)
    )
    return StageData(
        name=stage.name,
        compulsory=bool(space.compulsory[number]),
        grades=grades,
        provider=here,
        area=providers.area[here],
        county=providers.county[here],
        public=providers.public[here],
        levered=levered,
        inclusive=providers.inclusive[here],
        rolls=providers.rolls[np.ix_(here, grades)],
        places=providers.places[here],
        price_cny=np.nan_to_num(providers.price[here]),
        fixed_cny=providers.fixed[here],
        pupils=pupils,
        fee=fee,
        bought=bought,
        bought_december=december,
        told=told,
        fee_by_grade=paying_now,
        bought_by_grade=bought_now,
        left_by_grade=paying_now + bought_now - bought_then,
        private_december=np.where(left > 0, paying / np.where(left > 0, left, 1.0), 0.0),
        converted=converted,
        settled=np.pad(converted[:, :-1], ((0, 0), (1, 0))),
        capacity=providers.cap[here][:, None] + _turned_inclusive(model, openings)[here],
        sellable=sellable,
        extendable=np.where(ending, 0.0, sellable),
        overfill=stage.class_ceiling / stage.class_size - 1,
        class_size=float(stage.class_size),
        large_class=float(stage.large_class),
        very_large_class=float(stage.very_large_class),
        allowance_cny=float(stage.allowance_cny or 0.0),
        pupils_per_post=float(stage.pupils_per_post or 0.0)
        if stage.name in settings.staff.stages
        else 0.0,
        placed=spread(tables["shortfall"], "placed", by_area),
        lacking=spread(tables["shortfall"], "shortfall", by_area),
        load=load,
        leave=sparse.csr_array(leave),
        seat_rows=seat_rows,
        seat_owner=np.searchsorted(here, owner[seat_rows]),
        network=network,
        reach=read_reach(network),
    )


def _ending(closures: pd.DataFrame, school: pd.Index, years: Index, *, run_down: bool) -> Flag:
    """Flag schools that the plan phases out or closes, from that year on, ``[provider, year]``.

    ``run_down`` counts those that just admit nobody any more.
    """
    rows = closures if run_down else closures[closures["how"] != "run_down"]
    first = np.full(len(school), np.inf)
    np.minimum.at(
        first, school.get_indexer(pd.Index(rows["school"])), rows["from_year"].to_numpy(np.float64)
    )
    return np.asarray(first[:, None] <= years)


def _turned_inclusive(model: ModelData, openings: OpeningDates) -> Array:
    """Change of capacities as kindergartens turn inclusive, ``[provider of the model, year]``."""
    projects, row = model.projects, openings.row
    out = np.zeros((len(model.providers.school), len(model.space.years)))
    gains = inclusive_pool(model)[projects.row_area[row], projects.row_stage[row]]
    now = openings.day[openings.opening][:, None] <= openings.autumns
    for provider, sign in ((gains, 1.0), (projects.row_leaves[row], -1.0)):
        known = (provider >= 0) & (openings.inclusive > 0)
        np.add.at(out, provider[known], sign * openings.inclusive[known, None] * now[known])
    return out


def _load(pupils: Array, pool: Index, pools: int) -> sparse.csr_array:
    J, G, T = pupils.shape
    j, g, t = np.nonzero(pupils)
    rows, columns = j * T + t, (pool[j] * G + g) * T + t
    return sparse.csr_array((pupils[j, g, t], (rows, columns)), shape=(J * T, pools * G * T))


def _limit(model: ModelData, kind: str) -> Array:
    """Return limits of a kind by county (the whole last) and year; inf without one."""
    county, whole = limits_of(model, kind)
    limit = np.concatenate([county, whole[None]])
    return np.where(np.isnan(limit), np.inf, limit)


def _money_left(
    plan: Plan,
    model: ModelData,
    stages: tuple[StageData, ...],
    by_county: Mapping[str, pd.Index],
) -> Array:
    """Compute recurrent money left by county (the whole last) and year; inf without a limit."""
    limit = _limit(model, "recurrent")
    if not plan.scenario.settings.switches.money:
        return np.full_like(limit, np.inf)
    if not np.isfinite(limit).any():
        return limit
    costs = plan.tables["costs"]
    costs = costs[costs["kind"].isin(RECURRENT)]
    costs = costs.groupby(["county", "school_year"])["cost_cny"].sum().reset_index()
    spent = spread(costs, "cost_cny", by_county)
    for stage in stages:
        lease = np.nan_to_num(model.providers.conversion_lease[stage.provider])
        np.add.at(spent, stage.county, lease[:, None] * stage.converted)
    return np.asarray(limit - np.concatenate([spent, spent.sum(0, keepdims=True)]))
