"""Reads a scenario and a demand into the arrays of `capsim.certificate.given`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.certificate.given import Calendar, DemandLike, Given, Ints, Projects, Providers
from capsim.certificate.ledger import Bools, Floats

if TYPE_CHECKING:
    from capsim.scenario import Scenario


def read_given(scenario: Scenario, demand: DemandLike) -> Given:
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
    return Given(
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
    """Children and population ``[area, grade, base year and planned years]``."""
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
    """``R[j, g]``: rolls, else the area's and sector's profile, else evenly."""
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
    """Projects of planned stages, their rows and when they may open."""
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
    )
