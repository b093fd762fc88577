"""A stage of a plan as arrays: its providers, their pupils and seats, and who comes from where.

What the simulation needs of a plan and its scenario, as arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from capsim.model.costs import RECURRENT
from capsim.simulation.network import Floats, Ints, Network, Reach, read_network, read_reach
from capsim.simulation.opening_dates import OpeningDates, read_programme

if TYPE_CHECKING:
    from capsim.demand.projection import Demand
    from capsim.plan.plan import Plan
    from capsim.scenario.scenario import Scenario


Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StageData:
    """A stage of a plan: its providers ``j``, grades ``g``, planned years ``t``.

    Attributes
    ----------
    name : text
    compulsory : bool
    grades : array of int [grade]
        Positions among all grades of the demand.
    area, county : arrays of int [provider]
    public, levered, inclusive : arrays of bool [provider]
        As founded; inclusive are private ones open at a regulated fee.
    pupils : array [provider, grade, year]
        Planned, persons.
    rolls : array [provider, grade]
        In the base year.
    fee, bought, bought_december : arrays [provider, year]
        Planned fee-paying and purchased pupils, persons; the last on 31 December.
    private_december : array [provider, year]
        1 unless the school converts on 31 December of the year.
    converted, settled : arrays of bool [provider, year]
        Converted by the autumn; by the autumn before.
    places : array [provider]
        Standard seats before projects; of levered schools, those that conversion brings.
    capacity : array [provider, year]
        Most pupils of a private provider.
    sellable : array [provider, year]
        Places a running contract can grow to.
    extendable : array [provider, year]
        The same where children can be sent that the plan did not foresee: schools being phased
        out take nobody new.
    price_cny : array [provider]
        A purchased place and school year.
    overfill : float
        Most pupils above standard seats, as a share of the seats.
    class_size, large_class, very_large_class, allowance_cny, pupils_per_post : float
        The last is 0 for a stage that the staff pool does not serve.
    placed, lacking : arrays [area, grade, year]
        Children with and without a place in the plan, persons.
    load : csr [(provider, year), (pool, grade, year)]
        Planned pupils.
    leave : csr [(pool, grade, year), (provider, year)]
        The same as shares of a pool's pupils.
    seat_rows : array of int
        The programme's seat rows that bring seats here.
    seat_owner : array of int [seat row]
        Their providers.
    network : Network
    reach : Reach
    """

    name: str
    compulsory: bool
    grades: Ints
    area: Ints
    county: Ints
    public: Bools
    levered: Bools
    inclusive: Bools
    pupils: Floats
    rolls: Floats
    fee: Floats
    bought: Floats
    bought_december: Floats
    private_december: Floats
    converted: Bools
    settled: Bools
    places: Floats
    capacity: Floats
    sellable: Floats
    extendable: Floats
    price_cny: Floats
    overfill: float
    class_size: float
    large_class: float
    very_large_class: float
    allowance_cny: float
    pupils_per_post: float
    placed: Floats
    lacking: Floats
    load: sparse.csr_array
    leave: sparse.csr_array
    seat_rows: Ints
    seat_owner: Ints
    network: Network
    reach: Reach


def read_stage(
    plan: Plan,
    name: str,
    programme: OpeningDates,
    areas: tuple[str, ...],
    county: Ints,
    years: tuple[int, ...],
) -> StageData:
    """Read a stage of a plan; `county` is that of each area."""
    scenario, settings = plan.scenario, plan.scenario.settings
    stage = scenario.stages[name]
    compulsory = name in settings.stages.compulsory
    schools = _providers(plan, name)
    names = pd.Index(schools["school"])
    T = len(years)

    def yearly(table: str, column: str) -> Floats:
        rows = plan.tables[table]
        rows = rows[rows["stage"] == name]
        return spread(rows, column, {"school": names, "school_year": pd.Index(years)})

    enrolment = plan.tables["enrolment"]
    enrolment = enrolment[enrolment["stage"] == name]
    axes = {"school": names, "grade": pd.Index(stage.grades), "school_year": pd.Index(years)}
    pupils = spread(enrolment, "pupils", axes)
    public = schools["sector"].to_numpy() == "public"
    levered = ~public & compulsory
    fee, bought, december = (
        np.where(levered[:, None], yearly("schools", column), 0.0)
        for column in ("fee_paying", "purchased", "purchased_december")
    )
    paying = np.where(levered[:, None], yearly("schools", "fee_paying_december"), 0.0)
    left = fee + bought - december
    converted = _converted(plan, name, names, years)
    sellable = yearly("purchases", "contract") * schools["purchasable_places"].to_numpy()[:, None]
    places, base = schools["places"].to_numpy(), schools["pupils"].to_numpy()
    capacity = np.where(levered, base, np.maximum(places, base))[:, None] + np.zeros(T)
    capacity += _turned_inclusive(plan, name, schools, years)
    inclusive = ~public & (schools["inclusive"] == "yes").to_numpy()
    network = read_network(scenario, name, schools, plan.tables["flows"], years)
    load = _load(pupils, network.pool, len(network.home))
    arriving = np.asarray(load.sum(axis=0)).ravel()
    leave = sparse.diags_array(1 / np.where(arriving > 0, arriving, 1.0)) @ load.T
    rows = np.flatnonzero((programme.stage == name) & (programme.places > 0))
    grade_axis = pd.Index(plan.demand.grades)
    children = plan.tables["shortfall"]
    cells = {"area": pd.Index(areas), "grade": axes["grade"], "school_year": axes["school_year"]}
    children = children[children["stage"] == name]
    return StageData(
        name=name,
        compulsory=compulsory,
        grades=grade_axis.get_indexer(axes["grade"]),
        area=(area := pd.Index(areas).get_indexer(pd.Index(schools["area"]))),
        county=county[area],
        public=public,
        levered=levered,
        inclusive=inclusive,
        pupils=pupils,
        rolls=_rolls(scenario, name, schools),
        fee=fee,
        bought=bought,
        bought_december=december,
        private_december=np.where(left > 0, paying / np.where(left > 0, left, 1.0), 0.0),
        converted=converted & levered[:, None],
        settled=np.pad(converted[:, :-1], ((0, 0), (1, 0))) & levered[:, None],
        places=places,
        capacity=capacity,
        sellable=sellable,
        extendable=np.where(_ending(plan, name, names, years), 0.0, sellable),
        price_cny=schools["purchase_price_cny"]
        .fillna(stage.purchase_price_cny or 0.0)
        .to_numpy(np.float64),
        overfill=stage.class_ceiling / stage.class_size - 1,
        class_size=float(stage.class_size),
        large_class=float(stage.large_class),
        very_large_class=float(stage.very_large_class),
        allowance_cny=float(stage.allowance_cny or 0.0),
        pupils_per_post=float(stage.pupils_per_post or 0.0)
        if name in settings.staff.stages
        else 0.0,
        placed=spread(children, "placed", cells),
        lacking=spread(children, "shortfall", cells),
        load=load,
        leave=sparse.csr_array(leave),
        seat_rows=rows,
        seat_owner=names.get_indexer(pd.Index(programme.school[rows])),
        network=network,
        reach=read_reach(network),
    )


def _providers(plan: Plan, stage: str) -> pd.DataFrame:
    """List the providers: the rows of ``schools``, then projects that are schools of their own."""
    schools = plan.scenario.table("schools")
    schools = schools[schools["stage"] == stage]
    own = plan.scenario.table("projects")
    own = own[(own["stage"] == stage) & (own["school"] == "")]
    own = own[own["kind"] != "inclusive_kindergarten"].assign(school=own["project"])
    blank: dict[str, Any] = {
        "sector": "public",
        "places": 0.0,
        "pupils": 0.0,
        "inclusive": "no",
        "purchasable_places": 0.0,
        "purchase_price_cny": np.nan,
    }
    shared = ["school", "area", "x_km", "y_km", *blank]
    parts: list[pd.DataFrame] = [schools[shared], own.assign(**blank)[shared]]
    return pd.concat(parts, ignore_index=True)


def spread(rows: pd.DataFrame, column: str, axes: Mapping[str, pd.Index[Any]]) -> Floats:
    """Put a long table's column into an array; cells without a row are 0."""
    out = np.zeros([len(axis) for axis in axes.values()])
    at = tuple(axis.get_indexer(pd.Index(rows[name])) for name, axis in axes.items())
    known = np.all([index >= 0 for index in at], axis=0)
    out[tuple(index[known] for index in at)] = rows[column].to_numpy(np.float64)[known]
    return out


def _converted(plan: Plan, stage: str, names: pd.Index[Any], years: tuple[int, ...]) -> Bools:
    rows = plan.tables["conversions"]
    rows = rows[rows["stage"] == stage]
    out = np.zeros((len(names), len(years)), dtype=np.bool_)
    autumns = np.array([f"{year}-09-01" for year in years])
    dates = rows["converts"].to_numpy(str)
    out[names.get_indexer(pd.Index(rows["school"]))] = dates[:, None] <= autumns[None, :]
    return out


def _ending(plan: Plan, stage: str, names: pd.Index[Any], years: tuple[int, ...]) -> Bools:
    """Schools that the plan phases out or closes, from that year on, ``[provider, year]``."""
    rows = plan.tables["closures"]
    rows = rows[(rows["stage"] == stage) & (rows["how"] != "run_down")]
    first = np.full(len(names), np.inf)
    np.minimum.at(
        first, names.get_indexer(pd.Index(rows["school"])), rows["from_year"].to_numpy(np.float64)
    )
    return np.asarray(first[:, None] <= np.array(years))


def _turned_inclusive(
    plan: Plan, stage: str, schools: pd.DataFrame, years: tuple[int, ...]
) -> Floats:
    """Change of private capacity as planned kindergartens turn inclusive, ``[provider, year]``."""
    out = np.zeros((len(schools), len(years)))
    rows = plan.scenario.table("projects")
    rows = rows[(rows["stage"] == stage) & (rows["kind"] == "inclusive_kindergarten")]
    opened = plan.tables["openings"].merge(
        rows[["project", "area", "school", "pupils"]], on="project"
    )
    autumns = np.array([f"{year}-09-01" for year in years])
    pools = schools[(schools["sector"] == "private") & (schools["inclusive"] == "yes")]
    pool_of = {area: at for at, area in zip(pools.index[::-1], pools["area"][::-1], strict=True)}
    at_school = pd.Index(schools["school"])
    turned = (opened["copies"] * opened["pupils"].fillna(0.0)).to_numpy(np.float64)
    loses = at_school.get_indexer(pd.Index(opened["school"]))
    for area, left, day, pupils in zip(opened["area"], loses, opened["opens"], turned, strict=True):
        by_year = pupils * (day <= autumns)
        if area in pool_of:
            out[pool_of[area]] += by_year
        if left >= 0:
            out[left] -= by_year
    return out


def _load(pupils: Floats, pool: Ints, pools: int) -> sparse.csr_array:
    J, G, T = pupils.shape
    j, g, t = np.nonzero(pupils)
    rows, columns = j * T + t, (pool[j] * G + g) * T + t
    return sparse.csr_array((pupils[j, g, t], (rows, columns)), shape=(J * T, pools * G * T))


def _rolls(scenario: Scenario, stage: str, schools: pd.DataFrame) -> Floats:
    """Base-year pupils by grade: rolls, else the area's and sector's profile, else evenly."""
    grades = pd.Index(scenario.stages[stage].grades)
    areas = pd.Index(scenario.table("areas")["area"])
    seen = scenario.table("pupils")
    seen = seen[seen["school_year"] == scenario.base_year]
    sectors = pd.Index(["private", "public"])
    profile = spread(seen, "pupils", {"sector": sectors, "area": areas, "grade": grades})
    weight = profile[
        sectors.get_indexer(pd.Index(schools["sector"])),
        areas.get_indexer(pd.Index(schools["area"])),
    ]
    weight = np.where(weight.sum(1, keepdims=True) > 0, weight, 1.0)
    split = schools["pupils"].to_numpy()[:, None] * weight / weight.sum(1, keepdims=True)
    rolls = scenario.table("rolls")
    rolls = rolls[rolls["stage"] == stage]
    listed = schools["school"].isin(rolls["school"]).to_numpy()
    given = spread(rolls, "pupils", {"school": pd.Index(schools["school"]), "grade": grades})
    return np.asarray(np.where(listed[:, None], given, split))


@dataclass(frozen=True, eq=False)
class SimulationData:
    """A plan as arrays.

    Attributes
    ----------
    areas, counties : tuple of text
    county : array of int [area]
    years : tuple of int
        Planned.
    discount : array [year]
    settings : Settings
        Of the scenario.
    stages : tuple of StageData
    programme : OpeningDates
    demand : Demand
    progression : array [area, grade, year]
        Share of a cohort that moves up into the grade.
    purchase_limit : array [county and the whole, year]
        Most places purchased; inf for no limit.
    budget_cny : array [county and the whole, year]
        Recurrent money that the plan leaves, RMB; inf for no limit.
    posts, contract, need : arrays [county, year]
        Teachers on post, on contract, and needed, in the plan.
    fixed_cny : mapping of text to float
        Discounted cost of kinds that draws do not change.
    """

    areas: tuple[str, ...]
    counties: tuple[str, ...]
    county: Ints
    years: tuple[int, ...]
    discount: Floats
    settings: Any
    stages: tuple[StageData, ...]
    programme: OpeningDates
    demand: Demand
    progression: Floats
    purchase_limit: Floats
    budget_cny: Floats
    posts: Floats
    contract: Floats
    need: Floats
    fixed_cny: Mapping[str, float]


FIXED = ("capital", "hiring", "conversion", "closure", "salvage")
"""Kinds of cost that follow from what the plan decides, whatever is drawn."""


def read_given(plan: Plan) -> SimulationData:
    """Read a plan.

    Raises
    ------
    ValueError
        If the plan is infeasible or its demand is not of its scenario.
    """
    if plan.status == "infeasible":
        raise ValueError("an infeasible plan cannot be simulated: it has no tables")
    scenario, demand = plan.scenario, plan.demand
    frame = scenario.table("areas")
    areas, counties = tuple(frame["area"]), tuple(dict.fromkeys(frame["county"]))
    county = pd.Index(counties).get_indexer(pd.Index(frame["county"]))
    years = tuple(int(year) for year in scenario.years)
    if demand.areas != areas or demand.years != (scenario.base_year, *years):
        raise ValueError("the plan's demand has other areas or years than its scenario")
    rate = float(scenario.settings.costs.discount_rate)
    programme = read_programme(plan)
    before = demand.pupils[:, :-1, :-1]
    ratio = demand.pupils[:, 1:, 1:] / np.where(before > 0, before, 1.0)
    progression = np.ones((*demand.pupils.shape[:2], len(years)))
    progression[:, 1:] = np.where(before > 0, np.minimum(ratio, 1.0), 1.0)
    staff = [
        _by_county(plan.tables["staff"], name, counties, years)
        for name in ("pool", "contract", "need")
    ]
    costs = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    return SimulationData(
        areas=areas,
        counties=counties,
        county=county,
        years=years,
        discount=(1 + rate) ** -(np.array(years) - years[0]).astype(np.float64),
        settings=scenario.settings,
        stages=tuple(
            read_stage(plan, name, programme, areas, county, years) for name in scenario.stages
        ),
        programme=programme,
        demand=replace(demand, draws=None),
        progression=progression,
        purchase_limit=_limit(scenario, "purchase", counties, years),
        budget_cny=_budget(plan, counties, years),
        posts=staff[0],
        contract=staff[1],
        need=staff[2],
        fixed_cny={kind: float(costs.get(kind, 0.0)) for kind in FIXED},
    )


def _by_county(
    table: pd.DataFrame, column: str, counties: tuple[str, ...], years: tuple[int, ...]
) -> Floats:
    return spread(table, column, {"county": pd.Index(counties), "school_year": pd.Index(years)})


def _budget(plan: Plan, counties: tuple[str, ...], years: tuple[int, ...]) -> Floats:
    """Recurrent money left by county (the whole last) and year; inf where there is no limit."""
    if not plan.scenario.settings.switches.money:
        return np.full((len(counties) + 1, len(years)), np.inf)
    limit = _limit(plan.scenario, "recurrent", counties, years)
    if not np.isfinite(limit).any():
        return limit
    axes: dict[str, pd.Index[Any]] = {
        "county": pd.Index(counties),
        "school_year": pd.Index(years),
    }
    costs = plan.tables["costs"]
    costs = costs[costs["kind"].isin(RECURRENT)]
    by_county = costs.groupby(["county", "school_year"])["cost_cny"].sum().reset_index()
    spent = spread(by_county, "cost_cny", axes)
    lease = plan.scenario.table("schools")[["school", "stage", "conversion_lease_cny"]]
    converted = plan.tables["conversions"].merge(lease, on=["school", "stage"])
    autumns = np.array([f"{year}-09-01" for year in years])
    leased = converted["converts"].to_numpy(str)[:, None] <= autumns
    paid = np.nan_to_num(converted["conversion_lease_cny"].to_numpy(np.float64))[:, None] * leased
    np.add.at(spent, pd.Index(counties).get_indexer(pd.Index(converted["county"])), paid)
    return np.asarray(limit - np.concatenate([spent, spent.sum(0, keepdims=True)]))


def _limit(
    scenario: Scenario, kind: str, counties: tuple[str, ...], years: tuple[int, ...]
) -> Floats:
    """Limits by county (the whole last) and year; inf where there is none."""
    rows = scenario.table("limits")
    rows = rows[rows["kind"] == kind]
    out = np.full((len(counties) + 1, len(years)), np.inf)
    at = (
        pd.Index((*counties, "*")).get_indexer(pd.Index(rows["county"])),
        pd.Index(years).get_indexer(pd.Index(rows["year"])),
    )
    known = (at[0] >= 0) & (at[1] >= 0)
    out[at[0][known], at[1][known]] = rows["amount"].to_numpy(np.float64)[known]
    return out
