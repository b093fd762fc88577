"""Opening dates of projects, planned and drawn, and the copies in use on a check date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from capsim.construction.programme_simulation import ConstructionSimulation, build
from capsim.lp.array_types import Array, Index, Text
from capsim.model.data import ModelData, codes
from capsim.plan.plan import Plan
from capsim.scenario.scenario import Scenario

NEVER = int(np.datetime64("2199-12-31").astype(np.int64))
"""The day on which what is never ready is ready."""


@dataclass(frozen=True, eq=False)
class OpeningDates:
    """Openings ``o`` (one for each copy of a project) and the seats ``r`` they bring.

    Attributes
    ----------
    projects : tuple of text
        Projects that open, in the order of the plan.
    project : int ``[opening]``
    programme : text ``[opening]``
        Whose projects a target may count.
    day : int ``[opening]``
        Planned check date, days since 1970-01-01; a project's copies in order.
    running_cny : float64 ``[opening]``
        A school year, once open, less what it saves.
    opening : int ``[seat row]``
    row : int ``[seat row]``
        The model's row of the project.
    places : float64 ``[seat row, year]``
        Standard seats; of a nine-year campus those that the plan gives the stage.
    given_up : float64 ``[seat row]``
        Places that go out of use.
    life : float64 ``[seat row]``
        School years until seats end; inf for never.
    inclusive : float64 ``[seat row]``
        Children whose kindergarten turns inclusive.
    autumns, decembers : int ``[year]``
        Index of the check dates of planned years.
    """

    projects: tuple[str, ...]
    project: Index
    programme: Text
    day: Index
    running_cny: Array
    opening: Index
    row: Index
    places: Array
    given_up: Array
    life: Array
    inclusive: Array
    autumns: Index
    decembers: Index


def read_openings(plan: Plan, model: ModelData) -> OpeningDates:
    """Read what opens and when from a plan."""
    table = plan.tables["openings"].sort_values("opens", kind="stable")
    table = table.loc[table.index.repeat(table["copies"])]
    name = table["project"].to_numpy(object)
    names = tuple(dict.fromkeys(name))
    projects = model.projects
    project = codes(name, projects.project)
    running = np.zeros(len(projects.project))
    np.add.at(running, projects.row_project, projects.row_running)
    opening, row = np.nonzero(project[:, None] == projects.row_project)
    life = projects.row_life[row]
    return OpeningDates(
        projects=names,
        project=codes(name, names),
        programme=projects.programme[project],
        day=days(table["opens"]),
        running_cny=running[project],
        opening=opening,
        row=row,
        places=_places(plan, model)[row],
        given_up=projects.row_given_up[row],
        life=np.where(np.isnan(life), np.inf, life),
        inclusive=projects.row_pupils[row],
        autumns=days(f"{year}-09-01" for year in model.space.years),
        decembers=days(f"{year}-12-31" for year in model.space.years),
    )


def _places(plan: Plan, model: ModelData) -> Array:
    """Return the standard seats that a copy brings, ``[row of the model, year]``."""
    projects, years = model.projects, model.space.years
    built = (projects.row_provider >= 0) & ~projects.row_campus
    places = np.where(built, projects.row_places, 0.0)[:, None] * np.ones(len(years))
    if not projects.row_campus.any():
        return places
    used, opened = plan.tables["campuses"], plan.tables["openings"]
    project, school = projects.project[projects.row_project], model.providers.school
    stage = model.space.stage_names[projects.row_stage]
    given = zip(project, school[projects.row_provider], stage, strict=True)
    row = codes(list(zip(used["project"], used["school"], used["stage"], strict=True)), given)
    for r, t, number in zip(row, used["school_year"] - years[0], used["places"], strict=True):
        autumn = f"{years[t]}-09-01"
        mine = opened[opened["project"] == project[r]]
        copies = mine["copies"]
        begun = copies[mine["opens"] <= autumn].sum()
        life = projects.row_life[r]
        if not np.isnan(life):
            begun -= copies[mine["opens"] <= f"{years[t] - int(life)}-09-01"].sum()
        if begun > 0:  # without the family, a campus may be told to share before it opens
            places[r, t] = number / begun
    return places


def days(dates: object) -> Index:
    """Return days since 1970-01-01 of ISO dates.

    Examples
    --------
    >>> days(["1970-01-03", "2022-09-01"])
    array([    2, 19236])
    """
    return np.array(list(dates), dtype="datetime64[D]").astype(np.int64)  # type: ignore[call-overload]


def planned_days(openings: OpeningDates) -> Index:
    """Return the planned day on which the first copy of each project opens."""
    return openings.day[first_copies(openings)]


def first_copies(openings: OpeningDates) -> Index:
    """Find the opening that is each project's first copy."""
    return np.unique(openings.project, return_index=True)[1]


def opening_days(openings: OpeningDates, ready: Index | None) -> Index:
    """Return the day each opening really happens, ``[opening, draw]``: not before its planned day.

    Parameters
    ----------
    openings : OpeningDates
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None: as planned (one draw).
    """
    if ready is None:
        return openings.day[:, None]
    return np.maximum(openings.day[:, None], ready.T)


def in_use(opening: Index, checks: Index) -> Array:
    """Flag openings in use (1, else 0) on check dates, ``[opening, check, draw]``."""
    open_then = opening[:, None, :] <= checks[None, :, None]
    return np.asarray(open_then, dtype=np.float64)


def planned_copies(openings: OpeningDates) -> Array:
    """Flag openings in use in autumns as planned, ``[opening, year, 1]``."""
    return in_use(openings.day[:, None], openings.autumns)


def seats_open(openings: OpeningDates, copies: Array) -> Array:
    """Count standard seats of each seat row in autumns: new ones until their life ends, less old.

    Parameters
    ----------
    openings : OpeningDates
    copies : array [opening, year, draw]
        In use in autumns.

    Returns
    -------
    array [seat row, year, draw]
    """
    now = copies[openings.opening]
    for life in np.unique(openings.life[np.isfinite(openings.life)]).astype(int):
        rows = np.flatnonzero(openings.life == life)
        ended = now[rows, : max(now.shape[1] - life, 0)]
        now[rows, life:] = now[rows, life:] - ended
    given_up = openings.given_up[:, None, None] * copies[openings.opening]
    return np.asarray(now * openings.places[..., None] - given_up)


def seats_by_owner(
    openings: OpeningDates, copies: Array, rows: Index, owner: Index, owners: int
) -> Array:
    """Sum the standard seats of some seat rows by whom they belong to, as `seats_open` counts them.

    Parameters
    ----------
    openings : OpeningDates
    copies : array [opening, year, draw]
        In use in autumns.
    rows, owner : arrays of int [row]
        Seat rows, and whose each is.
    owners : int

    Returns
    -------
    array [owner, year, draw]
    """
    opening, life = openings.opening[rows], openings.life[rows]
    places, given_up = openings.places[rows], openings.given_up[rows]
    shape = owners, len(copies)
    out = np.empty((owners, *copies.shape[1:]))
    for year in range(copies.shape[1]):
        new = sparse.csr_array((places[:, year] - given_up, (owner, opening)), shape=shape)
        out[:, year] = new @ copies[:, year]
        for ended in np.unique(life[life <= year]).astype(int):
            old = life == ended
            seats = (places[old, year], (owner[old], opening[old]))
            out[:, year] -= sparse.csr_array(seats, shape=shape) @ copies[:, year - ended]
    return out


def ready_days(openings: OpeningDates, drawn: object, draws: int) -> Index:
    """Check given opening dates and bring them to days, ``[draw, opening]``.

    A project's later copies are late by as many days as its first one.

    Parameters
    ----------
    openings : OpeningDates
    drawn : DataFrame or array [replication, project]
        Dates (``datetime64``) on which projects are ready. A frame has a column a project and may
        leave projects out: they open as planned. An array has the order of `OpeningDates.projects`.
        Draw ``d`` has replication ``d`` modulo their number.
    draws : int

    Raises
    ------
    ValueError
        If there is no replication, a date is missing or the number of projects is wrong.
    """
    planned = planned_days(openings)
    if isinstance(drawn, pd.DataFrame):
        table = np.tile(planned.astype("datetime64[D]"), (len(drawn), 1))
        for number, name in enumerate(openings.projects):
            if name in drawn.columns:
                table[:, number] = drawn[name].to_numpy("datetime64[D]")
    else:
        table = np.asarray(drawn, dtype="datetime64[D]")
    if table.ndim != 2 or table.shape[1] != len(planned):
        raise ValueError(
            f"openings must be [replication, project] with {len(planned)} projects, "
            f"not of shape {table.shape}"
        )
    if not len(table) or np.isnat(table).any():
        raise ValueError("openings must have a date for every replication and project")
    late = np.maximum(table.astype(np.int64) - planned, 0)
    late = late[np.arange(draws) % len(table)]
    return np.asarray(openings.day + late[:, openings.project])


def build_openings(
    scenario: Scenario, openings: OpeningDates, draws: int, seed: int
) -> ConstructionSimulation:
    """Simulate the building of what a plan opens, a replication for each draw."""
    return build(scenario, planned=planned_dates(openings), replications=draws, seed=seed)


def planned_dates(openings: OpeningDates) -> dict[str, list[str]]:
    """Return the planned dates of each project's copies, as `capsim.build` takes them."""
    dates = np.datetime_as_string(openings.day.astype("datetime64[D]"))
    return {
        name: dates[openings.project == number].tolist()
        for number, name in enumerate(openings.projects)
    }


def built_days(building: ConstructionSimulation, openings: OpeningDates) -> Index:
    """Read the days on which copies are ready, ``[draw, opening]``."""
    of_project = {
        name: np.flatnonzero(openings.project == number)
        for number, name in enumerate(openings.projects)
    }
    out = np.full((len(building.opening), len(openings.day)), NEVER)
    for column, days_ready in zip(building.columns, building.opening.T, strict=True):
        out[:, of_project[column.project][column.copy]] = np.nan_to_num(days_ready, nan=NEVER)
    return out


def iso_dates(dates: Index) -> NDArray[np.str_]:
    """Write days as ISO dates; ``""`` for never.

    Examples
    --------
    >>> iso_dates(np.array([19236, NEVER]))
    array(['2022-09-01', ''], dtype='<U28')
    """
    text = np.datetime_as_string(dates.astype("datetime64[D]"))
    return np.where(dates < NEVER, text, "")
