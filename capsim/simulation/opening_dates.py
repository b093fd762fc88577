"""When projects open: planned dates, drawn dates, and the copies in use on a check date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.construction.building import build

if TYPE_CHECKING:
    from capsim.plan.plan import Plan


Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Days = NDArray[np.int64]
NEVER = int(np.datetime64("2199-12-31").astype(np.int64))
"""The day on which what is never ready is ready."""


@dataclass(frozen=True, eq=False)
class OpeningDates:
    """Openings ``o`` (one for each copy of a project) and the seats ``r`` they bring.

    Attributes
    ----------
    projects : tuple of text
        Projects that open, in the order of the plan.
    project : array of int [opening]
    programme : array of text [opening]
        Whose projects a target may count.
    day : array of int [opening]
        Planned check date, days since 1970-01-01; a project's copies in order.
    running_cny : array [opening]
        A school year, once open.
    opening : array of int [seat row]
    stage, school : arrays of text [seat row]
        Whom the seats belong to; for an inclusive kindergarten its stage, and no places.
    places : array [seat row]
        Standard seats.
    life : array [seat row]
        School years until seats end; inf for never.
    area : array of text [seat row]
    inclusive : array [seat row]
        Children who turn inclusive.
    autumns, decembers : array of int [year]
        Days of the check dates of planned years.
    """

    projects: tuple[str, ...]
    project: Ints
    programme: NDArray[np.object_]
    day: Days
    running_cny: Floats
    opening: Ints
    stage: NDArray[np.object_]
    school: NDArray[np.object_]
    places: Floats
    life: Floats
    area: NDArray[np.object_]
    inclusive: Floats
    autumns: Days
    decembers: Days


def read_programme(plan: Plan) -> OpeningDates:
    """Read what opens and when from a plan."""
    openings = plan.tables["openings"].sort_values("opens", kind="stable")
    openings = openings.loc[openings.index.repeat(openings["copies"])]
    names = tuple(dict.fromkeys(openings["project"]))
    rows = plan.scenario.table("projects")
    rows = rows[rows["project"].isin(names) & rows["stage"].isin(list(plan.scenario.stages))]
    running = rows.groupby("project")["running_cny"].sum()
    programme = rows.drop_duplicates("project").set_index("project")["programme"]
    joined = (
        openings[["project"]].assign(opening=np.arange(len(openings))).merge(rows, on="project")
    )
    fixed = joined["kind"].to_numpy() == "inclusive_kindergarten"
    own = joined["school"].to_numpy() == ""
    life = joined["life_years"].to_numpy(np.float64)
    return OpeningDates(
        projects=names,
        project=pd.Index(names).get_indexer(pd.Index(openings["project"])),
        programme=openings["project"].map(programme).to_numpy(object),
        day=days(openings["opens"]),
        running_cny=openings["project"].map(running).fillna(0.0).to_numpy(np.float64),
        opening=joined["opening"].to_numpy(np.intp),
        stage=joined["stage"].to_numpy(object),
        school=np.where(own, joined["project"].to_numpy(object), joined["school"].to_numpy(object)),
        places=np.where(fixed, 0.0, joined["places"].to_numpy(np.float64)),
        life=np.where(np.isnan(life), np.inf, life),
        area=joined["area"].to_numpy(object),
        inclusive=np.where(fixed, joined["pupils"].fillna(0.0).to_numpy(np.float64), 0.0),
        autumns=days(f"{year}-09-01" for year in plan.scenario.years),
        decembers=days(f"{year}-12-31" for year in plan.scenario.years),
    )


def days(dates: object) -> Days:
    """Days since 1970-01-01 of ISO dates.

    Examples
    --------
    >>> days(["1970-01-03", "2022-09-01"])
    array([    2, 19236])
    """
    return np.array(list(dates), dtype="datetime64[D]").astype(np.int64)  # type: ignore[call-overload]


def planned_days(programme: OpeningDates) -> Days:
    """Planned day on which the first copy of each project opens."""
    return programme.day[first_copies(programme)]


def first_copies(programme: OpeningDates) -> Ints:
    """Find the opening that is each project's first copy."""
    return np.unique(programme.project, return_index=True)[1]


def opening_days(programme: OpeningDates, ready: Days | None) -> Days:
    """Day on which each opening really happens, ``[opening, draw]``: not before its planned day.

    Parameters
    ----------
    programme : OpeningDates
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None: as planned (one draw).
    """
    if ready is None:
        return programme.day[:, None]
    return np.maximum(programme.day[:, None], ready.T)


def in_use(programme: OpeningDates, opening: Days, checks: Days) -> Floats:
    """Tell which openings are in use (1, else 0) on check dates, ``[opening, check, draw]``."""
    open_then = opening[:, None, :] <= checks[None, :, None]
    return np.asarray(open_then, dtype=np.float64)


def seats_open(programme: OpeningDates, copies: Floats) -> Floats:
    """Count standard seats of each seat row in autumns, without those whose life has ended.

    Parameters
    ----------
    programme : OpeningDates
    copies : array [opening, year, draw]
        In use in autumns.

    Returns
    -------
    array [seat row, year, draw]
    """
    now = copies[programme.opening]
    for life in np.unique(programme.life[np.isfinite(programme.life)]).astype(int):
        rows = np.flatnonzero(programme.life == life)
        ended = now[rows, : max(now.shape[1] - life, 0)]
        now[rows, life:] = now[rows, life:] - ended
    return np.asarray(now * programme.places[:, None, None])


def ready_days(programme: OpeningDates, openings: object, draws: int) -> Days:
    """Check given opening dates and bring them to days, ``[draw, opening]``.

    A project's later copies are late by as many days as its first one.

    Parameters
    ----------
    programme : OpeningDates
    openings : DataFrame or array [replication, project]
        Dates (``datetime64``) on which projects are ready. A frame has a column a project and may
        leave projects out: they open as planned. An array has the order of `OpeningDates.projects`.
        Draw ``d`` meets replication ``d`` modulo their number.
    draws : int

    Raises
    ------
    ValueError
        If there is no replication, a date is missing or the number of projects is wrong.
    """
    planned = planned_days(programme)
    if isinstance(openings, pd.DataFrame):
        table = np.tile(planned.astype("datetime64[D]"), (len(openings), 1))
        for number, name in enumerate(programme.projects):
            if name in openings.columns:
                table[:, number] = openings[name].to_numpy("datetime64[D]")
    else:
        table = np.asarray(openings, dtype="datetime64[D]")
    if table.ndim != 2 or table.shape[1] != len(planned):
        raise ValueError(
            f"openings must be [replication, project] with {len(planned)} projects, "
            f"not of shape {table.shape}"
        )
    if not len(table) or np.isnat(table).any():
        raise ValueError("openings must have a date for every replication and project")
    late = np.maximum(table.astype(np.int64) - planned, 0)
    late = late[np.arange(draws) % len(table)]
    return np.asarray(programme.day + late[:, programme.project])


def built_days(plan: Plan, programme: OpeningDates, draws: int, seed: int) -> Days:
    """Simulate the building of what a plan opens: days ``[draw, opening]``."""
    planned: dict[str, list[str]] = {name: [] for name in programme.projects}
    row: dict[tuple[str, int], int] = {}
    dates = np.datetime_as_string(programme.day.astype("datetime64[D]"))
    for opening, (number, day) in enumerate(zip(programme.project, dates, strict=True)):
        name = programme.projects[number]
        row[name, len(planned[name])] = opening
        planned[name].append(str(day))
    built = build(plan.scenario, planned=planned, replications=draws, seed=seed)
    out = np.full((draws, len(programme.day)), NEVER)
    for column, days_ready in zip(built.columns, built.opening.T, strict=True):
        out[:, row[column.project, column.copy]] = np.nan_to_num(days_ready, nan=NEVER)
    return out


def iso_dates(dates: Days) -> NDArray[np.str_]:
    """ISO dates of days; ``""`` for never.

    Examples
    --------
    >>> iso_dates(np.array([19236, NEVER]))
    array(['2022-09-01', ''], dtype='<U28')
    """
    text = np.datetime_as_string(dates.astype("datetime64[D]"))
    return np.where(dates < NEVER, text, "")
