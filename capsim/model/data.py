"""The scenario and its demand as arrays: areas, grades, years, dates, providers, projects, limits.

Tables become integer codes here, once; everything after this module is arithmetic on arrays.
A *provider* is a school × stage, or a project that is a public school of its own. *Check dates* are
every 1 September of the plan, and 31 December of years in which a rule steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.model.grade_groups import Bands, grade_bands
from capsim.scenario.scenario import Scenario
from capsim.scenario.school_stages import Stage
from capsim.scenario.travel import boards, limits_travel


@dataclass(frozen=True)
class TableArrays:
    """Rows of a table, all or those chosen, by column."""

    scenario: Scenario
    table: str
    chosen: Index | None = None

    def _read(self, column: str) -> NDArray[Any]:
        values = self.scenario.column(self.table, column)
        return values if self.chosen is None else values[self.chosen]

    def text(self, column: str) -> Text:
        """Return a column of texts."""
        return np.asarray(self._read(column), object)

    def number(self, column: str) -> Array:
        """Return a column of numbers; NaN where blank."""
        return np.asarray(self._read(column), np.float64)

    @cached_property
    def count(self) -> int:
        """Number of rows."""
        if self.chosen is not None:
            return len(self.chosen)
        return self.scenario.rows(self.table)

    def where(self, keep: Flag) -> TableArrays:
        """Return the flagged rows."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)
        return TableArrays(
            self.scenario, self.table, kept if self.chosen is None else self.chosen[kept]
        )


def codes(values: Sequence[Any] | NDArray[Any], names: Iterable[Any]) -> Index:
    """Return the position of each value in ``names``; -1 where it is not one of them.

    Examples
    --------
    >>> codes(["b", "x", "a"], ["a", "b"]).tolist()
    [1, -1, 0]
    """
    at = {name: i for i, name in enumerate(names)}
    return np.fromiter(map(at.get, values, repeat(-1)), np.int64, len(values))


def first_rows(values: Text) -> Index:
    """Find positions at which a value stands for the first time, in order.

    Examples
    --------
    >>> first_rows(np.array(["a", "b", "a", "c"], object)).tolist()
    [0, 1, 3]
    """
    first = {value: i for i, value in reversed(list(enumerate(values)))}
    return np.sort(np.fromiter(first.values(), np.int64, len(first)))


@dataclass(frozen=True)
class Dates:
    """The check dates of a plan in order.

    Attributes
    ----------
    date : text ``[check]``, ISO dates
    year : int ``[check]``, position of the school year among the planned years
    autumn : int ``[year]``, index of its 1 September
    december : int ``[year]``, index of its 31 December; where there is none, of its 1 September
    """

    date: Text
    year: Index
    autumn: Index
    december: Index

    @property
    def count(self) -> int:
        """Number of check dates."""
        return len(self.date)

    @property
    def december_year(self) -> Flag:
        """Flag ``[year]``: 31 December of it is a check date."""
        differs: Flag = self.december != self.autumn
        return differs

    def index_of(self, iso: Text) -> Index:
        """Index of the first check date on or after each ISO date (``count`` if none; blank: 0)."""
        return np.asarray(
            np.searchsorted(self.date.astype(str), iso.astype(str), side="left"), np.int64
        )

    def next_autumn(self, check: Index) -> Index:
        """Index of the first autumn at or after each check index."""
        at = np.searchsorted(self.autumn, check, side="left")
        return np.append(self.autumn, self.count)[at]


def check_dates(scenario: Scenario) -> Dates:
    """List the check dates of a scenario (see ``docs/model.md``)."""
    settings = scenario.settings
    stepped: list[Mapping[int, float]] = [
        settings.policy.private_share_cap,
        settings.floors.kindergarten_enrolment,
        settings.floors.kindergarten_public,
        settings.floors.kindergarten_inclusive,
        settings.floors.senior_enrolment,
    ]
    december = {year for table in stepped for year in table}
    december |= {int(str(p.by)[:4]) for p in settings.programmes.values()}
    date: list[str] = []
    year: list[int] = []
    autumn: list[int] = []
    last: list[int] = []
    for position, t in enumerate(scenario.years):
        autumn.append(len(date))
        date.append(f"{t}-09-01")
        year.append(position)
        if t in december:
            date.append(f"{t}-12-31")
            year.append(position)
        last.append(len(date) - 1)
    return Dates(np.array(date, object), np.array(year), np.array(autumn), np.array(last))


def stepped(table: Mapping[int, float], year: int) -> float | None:
    """Return the value in force in ``year``: each holds from its key on; None before the first.

    Examples
    --------
    >>> stepped({2022: 0.10, 2025: 0.05}, 2024), stepped({2022: 0.10}, 2021)
    (0.1, None)
    """
    past = [key for key in table if key <= year]
    return float(table[max(past)]) if past else None


MOST = 5
"""Names that a message lists."""


def refuse_other(scenario: Scenario, demand: Demand) -> None:
    """Refuse the children of another scenario, and invalid numbers of children.

    Raises
    ------
    ValueError
        If the demand has other areas or years than the scenario, lacks a planned grade, or has a
        cell that is not a number of children.
    """
    areas = scenario.column("areas", "area").tolist()
    grades = [grade for stage in scenario.stages.values() for grade in stage.grades]
    years = (scenario.base_year, *scenario.years)
    faults = [
        f"it {verb} {what} {_some(names)}"
        for verb, what, names in (
            ("lacks", "area", _beyond(areas, demand.areas)),
            ("has", "area", _beyond(demand.areas, areas)),
            ("lacks", "grade", _beyond(grades, demand.grades)),
        )
        if names
    ]
    if tuple(demand.years) != years:
        has, due = (f"{one[0]}-{one[-1]}" for one in (demand.years, years))
        faults.append(f"its years are {has}, where {due} are expected")
    if not faults:
        bad = np.argwhere(~((demand.pupils >= 0) & (demand.pupils < np.inf)))
        faults = [
            f"area {demand.areas[a]}, grade {demand.grades[g]}, {demand.years[t]}: "
            f"{demand.pupils[a, g, t]} where a number of children >= 0 is expected"
            for a, g, t in bad[:MOST].tolist()
        ]
    if faults:
        raise ValueError(f"the demand is not one of this scenario: {'; '.join(faults)}")


def _beyond(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names that are not among those known, in order."""
    those = set(known)
    return [name for name in names if name not in those]


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    more = f" and {len(listed) - MOST} more" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more


@dataclass(frozen=True)
class Space:
    """Areas, counties, stages, grades and planned years, with the children to be placed.

    Attributes
    ----------
    children : float64 ``[area, grade, year]``, persons
    progression : float64 ``[area, grade, year]``
        ``min(1, N[g, t] / N[g - 1, t - 1])``, 1 in first grades
    base_children : float64 ``[area, grade]``, persons in the base year
    population : float64 ``[area, grade, year]``, persons; NaN where not known
    base_population : float64 ``[area, grade]``, persons in the base year; NaN where not known
    bands : Bands, the grades that are planned as one
    """

    areas: Text
    counties: Text
    county: Index
    stages: tuple[Stage, ...]
    compulsory: Flag
    grades: Text
    grade_stage: Index
    grade_first: Flag
    years: Index
    children: Array
    base_children: Array
    progression: Array
    population: Array
    base_population: Array
    bands: Bands

    @property
    def grade_compulsory(self) -> Flag:
        """Flag ``[grade]``: the grade belongs to compulsory schooling."""
        return self.compulsory[self.grade_stage]

    @cached_property
    def stage_names(self) -> Text:
        """Names of the planned stages, ``[stage]``."""
        return np.array([stage.name for stage in self.stages], object)

    def by_stage(self, attribute: str) -> Array:
        """Return a number of every stage's standards, ``[stage]``."""
        return np.array([getattr(stage, attribute) for stage in self.stages], np.float64)


@dataclass(frozen=True)
class Providers:
    """Everything that seats children, one entry per school × stage (arrays ``[provider]``)."""

    school: Text
    stage: Index
    area: Index
    county: Index
    public: Flag
    levered: Flag
    inclusive: Flag
    own_links: Flag
    places: Array
    pupils: Array
    cap: Array
    admission: Array
    staff: Array
    min_pupils: Array
    conversion: Text
    conversion_cost: Array
    conversion_lease: Array
    closure_cost: Array
    fixed: Array
    price: Array
    purchasable: Array
    purchase_min: Array
    boarding: Array
    rolls: Array
    """Pupils in the base year, ``[provider, grade]``."""


@dataclass(frozen=True)
class Projects:
    """Projects: arrays ``[project]``, and its rows (project × stage) as ``[row]``."""

    project: Text
    county: Index
    count: Array
    candidate: Flag
    programme: Text
    kind: Text
    first_check: Index
    """Index of the first check date on which it may open (number of dates: never)."""
    last_check: Index
    """Index of the check date by which all are open; for candidates the number of dates."""
    row_project: Index
    row_provider: Index
    """Provider whose seats it adds to; -1 for kindergartens turned inclusive."""
    row_leaves: Index
    """Provider that the children of an inclusive kindergarten leave; -1 where none is named."""
    row_area: Index
    row_county: Index
    row_stage: Index
    row_places: Array
    row_campus: Flag
    """Whether the row's places are shared with other rows of its project."""
    row_given_up: Array
    """Places of the provider that the row takes out of use when open."""
    row_pupils: Array
    row_capital: Array
    row_running: Array
    """What a copy costs a school year, less what it saves."""
    row_land: Array
    row_posts: Array
    row_months: Array
    row_life: Array
    row_boarding: Array

    @property
    def row_new_places(self) -> Array:
        """Places that rows bring; of a campus those of the stage that has most, once."""
        shared = np.where(self.row_campus, self.row_places, 0.0)
        most = np.zeros(len(self.project))
        np.maximum.at(most, self.row_project, shared)
        largest = np.flatnonzero(self.row_campus & (shared == most[self.row_project]))
        counted = ~self.row_campus
        counted[largest[np.unique(self.row_project[largest], return_index=True)[1]]] = True
        return np.where(counted, self.row_places, 0.0)


@dataclass(frozen=True)
class ModelData:
    """All of it, with the scenario it came from."""

    scenario: Scenario
    demand: Demand
    space: Space
    dates: Dates
    providers: Providers
    projects: Projects

    @cached_property
    def least_size(self) -> Array:
        """Pupils below which a private compulsory school is phased out, ``[provider]``."""
        share = self.scenario.settings.policy.least_size_share
        least = np.maximum(self.providers.min_pupils, share * self.providers.cap)
        return np.where(self.providers.levered, least, 0.0)

    @property
    def waits(self) -> Flag:
        """Flag ``[year]``: no school is closed, converted or given up in it."""
        decided = self.scenario.settings.policy.decision_years
        return np.asarray(bool(decided) & ~np.isin(self.space.years, decided))

    @property
    def intake_stays_ended(self) -> bool:
        """Whether a private school that has stopped to admit stays without intake."""
        settings = self.scenario.settings
        return settings.policy.intake_rise_share is not None and settings.switches.intake

    @cached_property
    def base_intake(self) -> Array:
        """First-grade pupils in the base year, ``[provider]``."""
        return np.asarray(self.providers.rolls[:, self.space.grade_first].sum(axis=1))


def prepare(scenario: Scenario, demand: Demand, like: ModelData | None = None) -> ModelData:
    """Turn a scenario and its demand into arrays, or take those of ``like`` made of the same."""
    dates = check_dates(scenario)
    if like is not None and _made_of_same(scenario, demand, dates, like):
        return replace(like, scenario=scenario)
    refuse_other(scenario, demand)
    space = _space(scenario, demand)
    providers = _providers(scenario, space)
    projects = _projects(scenario, space, dates, providers)
    return ModelData(scenario, demand, space, dates, providers, projects)


def _made_of_same(scenario: Scenario, demand: Demand, dates: Dates, like: ModelData) -> bool:
    """Check whether tables, stages, years, dates and children are those ``like`` was made of."""
    old = like.scenario
    return (
        demand is like.demand
        and scenario.shares_tables(old)
        and scenario.settings.stages == old.settings.stages
        and scenario.stages == old.stages
        and scenario.years == old.years
        and np.array_equal(dates.date, like.dates.date)
    )


def _space(scenario: Scenario, demand: Demand) -> Space:
    areas = TableArrays(scenario, "areas")
    names, of_county = areas.text("area"), areas.text("county")
    counties = of_county[first_rows(of_county)]
    stages = tuple(scenario.stages.values())
    compulsory = set(scenario.settings.stages.compulsory)
    grades = [(g, i, k == 0) for i, s in enumerate(stages) for k, g in enumerate(s.grades)]
    grade_names = np.array([g for g, _, _ in grades], object)
    first = np.array([f for _, _, f in grades], bool)
    rows, columns = codes(names, demand.areas), codes(grade_names, demand.grades)
    pupils, population = (a[rows][:, columns] for a in (demand.pupils, demand.population))
    before = np.zeros_like(pupils[:, :, 1:])
    before[:, 1:] = pupils[:, :-1, :-1]
    before[:, first] = 0.0
    ratio = np.divide(pupils[:, :, 1:], before, out=np.ones_like(before), where=before > 0)
    grade_stage = np.array([i for _, i, _ in grades], np.int64)
    is_compulsory = np.array([s.name in compulsory for s in stages], bool)
    parted = [_parts_boarders(scenario, stage) for stage in stages]
    alone = is_compulsory | np.array(parted, bool)
    children = np.ascontiguousarray(pupils[:, :, 1:])
    return Space(
        areas=names,
        counties=counties,
        county=codes(of_county, counties),
        stages=stages,
        compulsory=is_compulsory,
        grades=grade_names,
        grade_stage=grade_stage,
        grade_first=first,
        years=np.array(scenario.years, np.int64),
        children=children,
        base_children=np.ascontiguousarray(pupils[:, :, 0]),
        progression=np.minimum(1.0, ratio),
        population=np.ascontiguousarray(population[:, :, 1:]),
        base_population=np.ascontiguousarray(population[:, :, 0]),
        bands=grade_bands(grade_names, grade_stage, first, alone[grade_stage], children),
    )


def _parts_boarders(scenario: Scenario, stage: Stage) -> bool:
    """Check whether only some grades of a stage may board, where that matters."""
    settings = scenario.settings
    may = boards(stage)
    return bool(settings.switches.boarding and limits_travel(settings) and may.any() != may.all())


def _providers(scenario: Scenario, space: Space) -> Providers:
    schools = _planned(TableArrays(scenario, "schools"), space)
    own = _planned(TableArrays(scenario, "projects"), space)
    new = (own.text("school") == "") & (own.text("kind") != "inclusive_kindergarten")
    own = own.where(new)
    count, extra = schools.count, own.count

    def number(column: str) -> Array:
        return np.concatenate([schools.number(column), np.zeros(extra)])

    def text(column: str, fill: str) -> Text:
        return np.concatenate([schools.text(column), np.full(extra, fill, object)])

    name = np.concatenate([schools.text("school"), own.text("project")])
    stage_name = np.concatenate([schools.text("stage"), own.text("stage")])
    stage = codes(stage_name, space.stage_names)
    area = codes(np.concatenate([schools.text("area"), own.text("area")]), space.areas)
    public = text("sector", "public") == "public"
    levered = ~public & space.compulsory[stage]
    places, pupils = number("places"), number("pupils")
    per_post = space.by_stage("pupils_per_post")[stage]
    staff, price, admission = (
        number("staff"),
        number("purchase_price_cny"),
        number("admission_plan"),
    )
    standard_price = space.by_stage("purchase_price_cny")[stage]
    rolls = _rolls(scenario, space, name, stage, area, public, pupils, count)
    first_grade = np.array(
        [
            np.flatnonzero(space.grade_first & (space.grade_stage == s))[0]
            for s in range(len(space.stages))
        ]
    )
    return Providers(
        school=name,
        stage=stage,
        area=area,
        county=space.county[area],
        public=public,
        levered=levered,
        inclusive=(text("inclusive", "no") == "yes") & ~public,
        own_links=_own_links(scenario, name, stage_name),
        places=places,
        pupils=pupils,
        cap=np.where(levered, pupils, np.maximum(places, pupils)),
        admission=np.where(
            np.isnan(admission), rolls[np.arange(count + extra), first_grade[stage]], admission
        )
        if count + extra
        else np.zeros(0),
        staff=np.where(np.isnan(staff), pupils / per_post, staff),
        min_pupils=number("min_pupils"),
        conversion=text("conversion", "no"),
        conversion_cost=number("conversion_cost_cny"),
        conversion_lease=number("conversion_lease_cny"),
        closure_cost=number("closure_cost_cny"),
        fixed=number("fixed_cny"),
        price=np.where(np.isnan(price), standard_price, price),
        purchasable=number("purchasable_places"),
        purchase_min=number("purchase_min_places"),
        boarding=number("boarding_places"),
        rolls=rolls,
    )


def _planned(rows: TableArrays, space: Space) -> TableArrays:
    """Return rows of planned stages."""
    return rows.where(codes(rows.text("stage"), space.stage_names) >= 0)


def _own_links(scenario: Scenario, school: Text, stage: Text) -> Flag:
    """Flag providers that are named by a link, ``[provider]``."""
    links = TableArrays(scenario, "links")
    links = links.where(links.text("to_school") != "")
    if not links.count:
        return np.zeros(len(school), bool)
    named = set(zip(links.text("to_school"), links.text("stage"), strict=True))
    pairs = zip(school, stage, strict=True)
    return np.array([(j, "") in named or (j, s) in named for j, s in pairs], bool)


def _rolls(
    scenario: Scenario,
    space: Space,
    name: Text,
    stage: Index,
    area: Index,
    public: Flag,
    pupils: Array,
    count: int,
) -> Array:
    """Split base-year pupils ``[provider, grade]``: as given, else as in the area and sector."""
    observed = TableArrays(scenario, "pupils")
    observed = observed.where(observed.number("school_year") == scenario.base_year)
    profile = np.zeros((2, len(space.areas), len(space.grades)))
    a = codes(observed.text("area"), space.areas)
    g = codes(observed.text("grade"), space.grades)
    keep = (a >= 0) & (g >= 0)
    sector = (observed.text("sector") == "public").astype(np.int64)
    np.add.at(profile, (sector[keep], a[keep], g[keep]), observed.number("pupils")[keep])
    inside = space.grade_stage[None, :] == stage[:, None]
    weight = np.where(inside, profile[public.astype(np.int64), area], 0.0)
    total = weight.sum(axis=1, keepdims=True)
    weight = np.where(total > 0, weight, inside.astype(np.float64))
    rolls: Array = pupils[:, None] * weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
    table = TableArrays(scenario, "rolls")
    if table.count:
        of_stage = codes(table.text("stage"), space.stage_names)
        j = provider_rows(name[:count], stage[:count], table.text("school"), of_stage)
        k = codes(table.text("grade"), space.grades)
        ok = (j >= 0) & (k >= 0)
        rolls[np.unique(j[ok])] = 0.0
        rolls[j[ok], k[ok]] = table.number("pupils")[ok]
    return rolls


def provider_rows(name: Text, stage: Index, of_name: Text, of_stage: Index) -> Index:
    """Return the position of each name and stage among the providers; -1 where it has none."""
    wanted = list(zip(of_name, of_stage.tolist(), strict=True))
    return codes(wanted, zip(name, stage.tolist(), strict=True))


def _projects(scenario: Scenario, space: Space, dates: Dates, providers: Providers) -> Projects:
    table = _planned(TableArrays(scenario, "projects"), space)
    project = table.text("project")
    head = first_rows(project)
    names = project[head]
    candidate = table.text("status")[head] == "candidate"
    first = dates.index_of(table.text("earliest_opening")[head])
    first = np.where(candidate, dates.next_autumn(first), first)
    last = np.maximum(first, dates.index_of(table.text("due")[head]))
    row_stage = codes(table.text("stage"), space.stage_names)
    inclusive = table.text("kind") == "inclusive_kindergarten"
    school = table.text("school")
    joins = np.where(school == "", project, school)
    at = provider_rows(providers.school, providers.stage, joins, row_stage)
    row_area = codes(table.text("area"), space.areas)
    return Projects(
        project=names,
        county=space.county[row_area[head]],
        count=table.number("count")[head],
        candidate=candidate,
        programme=table.text("programme")[head],
        kind=table.text("kind")[head],
        first_check=first,
        last_check=np.where(candidate, dates.count, last),
        row_project=codes(project, names),
        row_provider=np.where(inclusive, -1, at),
        row_leaves=np.where(inclusive & (school != ""), at, -1),
        row_area=row_area,
        row_county=space.county[row_area],
        row_stage=row_stage,
        row_places=table.number("places"),
        row_campus=(table.text("kind") == "nine_year") & (table.number("places") > 0),
        row_given_up=table.number("places_given_up"),
        row_pupils=np.where(inclusive, np.nan_to_num(table.number("pupils")), 0.0),
        row_capital=table.number("capital_cny") - table.number("spent_cny"),
        row_running=table.number("running_cny") - table.number("saved_cny"),
        row_land=table.number("land_mu"),
        row_posts=table.number("posts"),
        row_months=table.number("build_months"),
        row_life=table.number("life_years"),
        row_boarding=table.number("boarding_places"),
    )


def limits_of(data: ModelData, kind: str) -> tuple[Array, Array]:
    """Return the limits of a kind, ``[county, year]`` and ``[year]`` of the whole; NaN for none."""
    space, rows = data.space, TableArrays(data.scenario, "limits")
    rows = rows.where(rows.text("kind") == kind)
    year = rows.number("year").astype(np.int64) - int(space.years[0])
    county = codes(rows.text("county"), [*space.counties, "*"])
    out = np.full((len(space.counties) + 1, len(space.years)), np.nan)
    known = (county >= 0) & (year >= 0) & (year < len(space.years))
    out[county[known], year[known]] = rows.number("amount")[known]
    return out[:-1], out[-1]


def inclusive_pool(data: ModelData) -> Index:
    """Find the first inclusive private provider, ``[area, stage]``; -1 where none."""
    providers, space = data.providers, data.space
    found = np.flatnonzero(providers.inclusive & ~providers.public)[::-1]
    pool = np.full((len(space.areas), len(space.stages)), -1, np.int64)
    pool[providers.area[found], providers.stage[found]] = found
    return pool


def staffed_stages(data: ModelData) -> Flag:
    """Flag the stages whose teachers come from the county pools, ``[stage]``."""
    return np.isin(data.space.stage_names, data.scenario.settings.staff.stages)


def teachers_at_most(data: ModelData) -> Array:
    """Count the teachers whom all children of each stage need, ``[stage, year]``.

    No county is sent more in a year; none with staff off.
    """
    space = data.space
    children = np.zeros((len(space.stages), len(space.years)))
    np.add.at(children, space.grade_stage, space.children.sum(axis=0))
    used = float(data.scenario.settings.switches.staff)
    return np.asarray(used * children / space.by_stage("pupils_per_post")[:, None])
