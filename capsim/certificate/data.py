"""The scenario and the demand as arrays, read as `docs/model.md` defines them.

Axes: areas ``a``, counties ``c`` (in an array over counties and the whole the last row is ``*``),
grades ``g``, planned years ``t`` (arrays that also hold the base year have it first and one more),
check dates ``k``, providers ``j``, projects ``m`` and rows ``r`` of the projects table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.certificate.ledger import Bools, Floats

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


Ints = NDArray[np.int64]
WHOLE = "*"
DAYS_A_YEAR = 365.25
KINDERGARTEN, SENIOR = "kindergarten", "senior"


class DemandLike(Protocol):
    """The parts of a demand the certificate reads."""

    @property
    def areas(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def grades(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def years(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def pupils(self) -> Floats: ...  # noqa: D102
    @property
    def population(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True)
class Calendar:
    """Planned years and check dates.

    ``dates[k]`` are ISO texts in order, ``year[k]`` the planned year's index; ``autumn[t]`` and
    ``december[t]`` are check dates (the same one in a year without a December check).
    """

    base_year: int
    years: tuple[int, ...]
    dates: tuple[str, ...]
    year: Ints
    autumn: Ints
    december: Ints

    def first_on_or_after(self, day: str) -> int:
        """Index of ``check(day)``; the number of check dates if it never comes."""
        return sum(1 for check in self.dates if check < day)

    def last_on_or_before(self, day: str) -> int:
        """Index of the last check date not after ``day``, -1 before the first."""
        return sum(1 for check in self.dates if check <= day) - 1


@dataclass(frozen=True)
class Providers:
    """Seat providers: the rows of ``schools``, then the projects that are schools of their own."""

    names: tuple[str, ...]
    index: pd.MultiIndex  # school, stage
    area: Ints
    county: Ints
    stage: Ints
    public: Bools
    compulsory: Bools
    levered: Bools
    inclusive: Bools
    places: Floats
    pupils: Floats
    staff: Floats
    capacity: Floats  # K_j
    admission: Floats  # A_j
    base: Floats  # R[j, g]
    teaches: Bools  # [j, g]
    schools: pd.DataFrame  # rows of `schools`; blank rows for projects


@dataclass(frozen=True)
class Projects:
    """Projects ``m`` and their rows ``r``."""

    names: tuple[str, ...]
    count: Ints
    candidate: Bools
    hurried: Bools
    earliest: Ints  # first check date allowed
    latest: Ints  # last check date allowed; the number of check dates if there is none
    programme: tuple[str, ...]
    rows: pd.DataFrame
    of: Ints  # row -> project
    provider: Ints  # row -> provider whose seats it adds to, -1
    loses: Ints  # row -> provider an inclusive kindergarten's children leave, -1
    area: Ints
    county: Ints
    life: Floats  # years, inf where blank
    campus: Bools  # row whose places are shared with other rows of its project


@dataclass(frozen=True)
class CertificateData:
    """Everything a plan is checked against."""

    scenario: Scenario
    settings: Any
    calendar: Calendar
    areas: tuple[str, ...]
    counties: tuple[str, ...]
    area_county: Ints
    stages: tuple[Any, ...]
    stage_names: tuple[str, ...]
    compulsory_stages: Bools
    grades: tuple[str, ...]
    grade_stage: Ints
    previous: Ints  # grade before within the stage, -1 for the first
    children: Floats  # N[a, g, t0..]
    population: Floats
    progression: Floats  # rho[a, g, t], 1 in first grades
    providers: Providers
    projects: Projects

    @property
    def years(self) -> tuple[int, ...]:
        """Planned years."""
        return self.calendar.years

    @property
    def staffed(self) -> Ints:
        """Stages whose teachers come from the county pools."""
        return np.flatnonzero(np.isin(self.stage_names, list(self.settings.staff.stages)))

    @property
    def regions(self) -> tuple[str, ...]:
        """Counties, then the whole."""
        return (*self.counties, WHOLE)

    def on(self, family: str) -> bool:
        """Return whether a constraint family is switched on."""
        return switched(self.settings.switches, family)

    def counted(self, kind: str) -> bool:
        """Return whether a kind of cost is in the objective."""
        return switched(self.settings.cost_terms, kind)

    def per_stage(self, attribute: str) -> Floats:
        """Read a number of the standards by stage, NaN where it has none."""
        values = [getattr(stage, attribute) for stage in self.stages]
        return np.array([np.nan if v is None else float(v) for v in values])

    @property
    def least_size(self) -> Floats:
        """Pupils below which a levered school must be phased out ``[j]``; 0 for others."""
        stated = self.providers.schools["min_pupils"].fillna(0.0).to_numpy(np.float64)
        share = float(self.settings.policy.least_size_share) * self.providers.pupils
        return np.where(self.providers.levered, np.maximum(stated, share), 0.0)

    def limit(self, kind: str, years: Sequence[int]) -> Floats:
        """Return limits by county (the last row is the whole) and year; inf without one."""
        rows = self.scenario.table("limits")
        rows = rows[(rows["kind"] == kind) & rows["year"].isin(list(years))]
        out = np.full((len(self.regions), len(years)), np.inf)
        at_region = pd.Index(self.regions).get_indexer(pd.Index(rows["county"]))
        at_year = pd.Index(list(years)).get_indexer(pd.Index(rows["year"]))
        known = at_region >= 0
        out[at_region[known], at_year[known]] = rows["amount"].to_numpy(np.float64)[known]
        return out

    def by_pool(self, values: Floats, county: Ints, stage: Ints) -> Floats:
        """Sum ``values[i, ...]`` by county and by staffed stage of each ``i``."""
        of = np.full(len(self.stages), -1)
        of[self.staffed] = np.arange(len(self.staffed))
        here = of[stage] >= 0
        out = np.zeros((len(self.counties), len(self.staffed), *values.shape[1:]))
        np.add.at(out, (county[here], of[stage[here]]), values[here])
        return out

    def by_county(self, values: Floats, county: Ints) -> Floats:
        """Sum ``values[i, ...]`` over the county of each ``i``; the last row is the whole."""
        out = np.zeros((len(self.regions), *values.shape[1:]))
        np.add.at(out, county, values)
        out[-1] = values.sum(axis=0)
        return out

    def stepped(self, table: Mapping[int, float] | None) -> Floats:
        """Spread a stepped table over the planned years; NaN before its first entry."""
        entries = sorted((int(key), float(value)) for key, value in (table or {}).items())
        out = np.full(len(self.years), np.nan)
        for key, value in entries:
            out[np.array(self.years) >= key] = value
        return out


def switched(switches: Any, name: str) -> bool:
    """Return a switch of a settings section; true where it is not set."""
    if isinstance(switches, Mapping):
        return bool(switches.get(name, True))
    return bool(getattr(switches, name))


def ordinal(day: str) -> int:
    """Return the day number of an ISO date."""
    return date.fromisoformat(day).toordinal()


def read_given(scenario: Scenario, demand: DemandLike) -> CertificateData:
    """Read a scenario and a demand into arrays."""
    settings = scenario.settings
    stages = tuple(scenario.stages.values())
    stage_names = tuple(stage.name for stage in stages)
    grades = tuple(str(grade) for stage in stages for grade in stage.grades)
    grade_stage = np.array([s for s, stage in enumerate(stages) for _ in stage.grades], np.int64)
    previous = np.arange(-1, len(grades) - 1)
    previous[np.r_[True, grade_stage[1:] != grade_stage[:-1]]] = -1
    frame = scenario.table("areas")
    areas = tuple(frame["area"])
    counties = tuple(dict.fromkeys(frame["county"]))
    area_county = pd.Index(counties).get_indexer(pd.Index(frame["county"])).astype(np.int64)
    calendar = read_calendar(scenario)
    children, population = read_demand(demand, areas, grades, calendar)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = children[:, :, 1:] / children[:, previous, :-1]
    ratio = np.where(children[:, previous, :-1] > 0, np.minimum(ratio, 1.0), 1.0)
    compulsory = np.isin(stage_names, list(settings.stages.compulsory))
    providers = read_providers(scenario, areas, area_county, grades, grade_stage, compulsory)
    return CertificateData(
        scenario=scenario,
        settings=settings,
        calendar=calendar,
        areas=areas,
        counties=counties,
        area_county=area_county,
        stages=stages,
        stage_names=stage_names,
        compulsory_stages=compulsory,
        grades=grades,
        grade_stage=grade_stage,
        previous=previous,
        children=children,
        population=population,
        progression=np.where(previous[:, None] >= 0, ratio, 1.0),
        providers=providers,
        projects=read_projects(scenario, areas, area_county, calendar, providers),
    )


def read_calendar(scenario: Scenario) -> Calendar:
    """Check dates: every autumn, and 31 December of December years."""
    settings = scenario.settings
    years = tuple(int(year) for year in scenario.years)
    keys = {int(key) for key in settings.policy.private_share_cap}
    for name in (
        "kindergarten_enrolment",
        "kindergarten_public",
        "kindergarten_inclusive",
        "senior_enrolment",
    ):
        keys |= {int(key) for key in getattr(settings.floors, name)}
    keys |= {int(str(programme.by)[:4]) for programme in settings.programmes.values()}
    dates: list[str] = []
    year: list[int] = []
    autumn: list[int] = []
    december: list[int] = []
    for t, planned in enumerate(years):
        autumn.append(len(dates))
        dates.append(f"{planned}-09-01")
        if planned in keys:
            dates.append(f"{planned}-12-31")
        december.append(len(dates) - 1)
        year += [t] * (len(dates) - len(year))
    return Calendar(
        int(scenario.base_year),
        years,
        tuple(dates),
        np.array(year),
        np.array(autumn),
        np.array(december),
    )


def read_demand(
    demand: DemandLike, areas: Sequence[str], grades: Sequence[str], calendar: Calendar
) -> tuple[Floats, Floats]:
    """Read children and population ``[area, grade, base year and planned years]``."""
    wanted = (areas, grades, (calendar.base_year, *calendar.years))
    had = (demand.areas, demand.grades, demand.years)
    at = [
        pd.Index(list(h)).get_indexer(pd.Index(list(w))) for h, w in zip(had, wanted, strict=True)
    ]
    if any((positions < 0).any() for positions in at):
        raise ValueError("the plan's demand lacks an area, a grade or a year of the scenario")
    return np.asarray(demand.pupils)[np.ix_(*at)], np.asarray(demand.population)[np.ix_(*at)]


def read_providers(
    scenario: Scenario,
    areas: Sequence[str],
    area_county: Ints,
    grades: Sequence[str],
    grade_stage: Ints,
    compulsory_stages: Bools,
) -> Providers:
    """Read the providers, schools first."""
    stages = list(scenario.stages)
    schools = scenario.table("schools")
    schools = schools[schools["stage"].isin(stages)]
    own = scenario.table("projects")
    own = own[(own["school"] == "") & (own["kind"] != "inclusive_kindergarten")]
    own = own[own["stage"].isin(stages)]
    columns = {"project": "school", **{c: c for c in ("stage", "area", "x_km", "y_km")}}
    added = (
        own[list(columns)].rename(columns=columns).assign(sector="public", places=0.0, pupils=0.0)
    )
    rows = pd.concat([schools, added], ignore_index=True) if len(added) else schools
    rows = rows.reset_index(drop=True)
    area = pd.Index(areas).get_indexer(pd.Index(rows["area"])).astype(np.int64)
    stage = pd.Index(stages).get_indexer(pd.Index(rows["stage"])).astype(np.int64)
    public = (rows["sector"] == "public").to_numpy()
    compulsory = compulsory_stages[stage]
    levered = ~public & compulsory
    places = rows["places"].to_numpy(np.float64)
    pupils = rows["pupils"].to_numpy(np.float64)
    posts = [s.pupils_per_post for s in scenario.stages.values()]
    ratio = np.array([np.nan if p is None else float(p) for p in posts])[stage]
    teaches = stage[:, None] == grade_stage[None, :]
    base = base_rolls(scenario, rows, area, public, pupils, teaches, areas, grades)
    first = np.r_[True, grade_stage[1:] != grade_stage[:-1]]
    intake = (base * (teaches & first)).sum(axis=1)
    return Providers(
        names=tuple(rows["school"] + " " + rows["stage"]),
        index=pd.MultiIndex.from_frame(rows[["school", "stage"]]),
        area=area,
        county=area_county[area],
        stage=stage,
        public=public,
        compulsory=compulsory,
        levered=levered,
        inclusive=~public & (rows["inclusive"] == "yes").to_numpy(),
        places=places,
        pupils=pupils,
        staff=filled(rows["staff"], np.where(np.isnan(ratio), 0.0, pupils / ratio)),
        capacity=np.where(levered, pupils, np.maximum(places, pupils)),
        admission=filled(rows["admission_plan"], intake),
        base=base,
        teaches=teaches,
        schools=rows,
    )


def filled(column: pd.Series[Any], instead: Floats) -> Floats:
    """Replace the blanks of a column."""
    values = column.to_numpy(np.float64)
    return np.where(np.isnan(values), instead, values)


def base_rolls(
    scenario: Scenario,
    rows: pd.DataFrame,
    area: Ints,
    public: Bools,
    pupils: Floats,
    teaches: Bools,
    areas: Sequence[str],
    grades: Sequence[str],
) -> Floats:
    """Return ``R[j, g]``: rolls, else the area's and sector's profile, else evenly."""
    seen = scenario.table("pupils")
    seen = seen[seen["school_year"] == scenario.base_year]
    profile = np.zeros((2, len(areas), len(grades)))
    at_area = pd.Index(areas).get_indexer(pd.Index(seen["area"]))
    at_grade = pd.Index(grades).get_indexer(pd.Index(seen["grade"]))
    known = (at_area >= 0) & (at_grade >= 0)
    sector = (seen["sector"] == "public").to_numpy(np.int64)
    values = seen["pupils"].to_numpy(np.float64)
    np.add.at(profile, (sector[known], at_area[known], at_grade[known]), values[known])
    weights = profile[public.astype(np.int64), area] * teaches
    empty = weights.sum(axis=1) <= 0
    weights[empty] = teaches[empty]
    out: Floats = pupils[:, None] * weights / weights.sum(axis=1, keepdims=True)
    rolls = scenario.table("rolls")
    index = pd.MultiIndex.from_frame(rows[["school", "stage"]])
    at_row = index.get_indexer(pd.MultiIndex.from_frame(rolls[["school", "stage"]]))
    at_grade = pd.Index(grades).get_indexer(pd.Index(rolls["grade"]))
    known = (at_row >= 0) & (at_grade >= 0)
    out[at_row[known]] = 0.0
    np.add.at(out, (at_row[known], at_grade[known]), rolls["pupils"].to_numpy(np.float64)[known])
    return out


def read_projects(
    scenario: Scenario,
    areas: Sequence[str],
    area_county: Ints,
    calendar: Calendar,
    providers: Providers,
) -> Projects:
    """Read projects of planned stages, their rows and when they may open."""
    rows = scenario.table("projects")
    rows = rows[rows["stage"].isin(list(scenario.stages))].reset_index(drop=True)
    names = tuple(dict.fromkeys(rows["project"]))
    first = rows.drop_duplicates("project")
    candidate = (first["status"] == "candidate").to_numpy()
    earliest = np.array([calendar.first_on_or_after(day) for day in first["earliest_opening"]], int)
    due = np.array([calendar.first_on_or_after(day) for day in first["due"]], int)
    inclusive = (rows["kind"] == "inclusive_kindergarten").to_numpy()
    target = np.where(rows["school"] == "", rows["project"], rows["school"])
    keys = pd.MultiIndex.from_arrays([target, rows["stage"]])
    at = providers.index.get_indexer(keys).astype(np.int64)
    named = (rows["school"] != "").to_numpy()
    area = pd.Index(areas).get_indexer(pd.Index(rows["area"])).astype(np.int64)
    life = rows["life_years"].to_numpy(np.float64)
    return Projects(
        names=names,
        count=first["count"].to_numpy(np.int64),
        candidate=candidate,
        hurried=np.isin(np.array(names, object), rows["project"][rows["options"] != ""]),
        earliest=earliest,
        latest=np.where(candidate, len(calendar.dates), np.maximum(earliest, due)),
        programme=tuple(first["programme"]),
        rows=rows,
        of=pd.Index(names).get_indexer(pd.Index(rows["project"])).astype(np.int64),
        provider=np.where(inclusive, -1, at),
        loses=np.where(inclusive & named, at, -1),
        area=area,
        county=area_county[area],
        life=np.where(np.isnan(life), np.inf, life),
        campus=((rows["kind"] == "nine_year") & (rows["places"] > 0)).to_numpy(),
    )
