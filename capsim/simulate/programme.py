"""When projects open: planned dates, drawn dates, and the copies in use on a check date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from capsim.optimize import Plan

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Days = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Programme:
    """Openings ``o`` (copies of a project that open together) and the seats ``r`` they bring.

    Attributes
    ----------
    projects : tuple of text
        Projects that open, in the order of the plan.
    project : array of int [opening]
    day : array of int [opening]
        Planned check date, days since 1970-01-01.
    copies : array [opening]
    running_cny : array [opening]
        A school year and copy, once open.
    opening : array of int [seat row]
    stage, school : arrays of text [seat row]
        Whom the seats belong to; for an inclusive kindergarten its stage, and no places.
    places : array [seat row]
        Standard seats a copy.
    life : array [seat row]
        School years until seats end; inf for never.
    area : array of text [seat row]
    inclusive : array [seat row]
        Children a copy turns inclusive.
    autumns, decembers : array of int [year]
        Days of the check dates of planned years.
    """

    projects: tuple[str, ...]
    project: Ints
    day: Days
    copies: Floats
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


def read_programme(plan: Plan) -> Programme:
    """Read what opens and when from a plan."""
    openings = plan.tables["openings"]
    names = tuple(dict.fromkeys(openings["project"]))
    rows = plan.scenario.table("projects")
    rows = rows[rows["project"].isin(names) & rows["stage"].isin(list(plan.scenario.stages))]
    running = rows.groupby("project")["running_cny"].sum()
    joined = (
        openings[["project"]].assign(opening=np.arange(len(openings))).merge(rows, on="project")
    )
    fixed = joined["kind"].to_numpy() == "inclusive_kindergarten"
    own = joined["school"].to_numpy() == ""
    life = joined["life_years"].to_numpy(np.float64)
    return Programme(
        projects=names,
        project=pd.Index(names).get_indexer(pd.Index(openings["project"])),
        day=days(openings["opens"]),
        copies=openings["copies"].to_numpy(np.float64),
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


def planned_days(programme: Programme) -> Days:
    """Planned day on which the first copy of each project opens."""
    first = np.full(len(programme.projects), np.iinfo(np.int64).max)
    np.minimum.at(first, programme.project, programme.day)
    return first


def opening_days(programme: Programme, drawn: Days | None) -> Days:
    """Day on which each opening really happens, ``[opening, draw]``.

    Nothing opens before its planned check date. A project's later copies are late by as many days
    as its first one.

    Parameters
    ----------
    programme : Programme
    drawn : array of int [draw, project] or None
        Days on which projects are ready; None: as planned (one draw).
    """
    if drawn is None:
        return programme.day[:, None]
    late = np.maximum(drawn - planned_days(programme), 0)
    return np.asarray(programme.day[:, None] + late.T[programme.project])


def in_use(programme: Programme, opening: Days, checks: Days) -> Floats:
    """Count copies of each opening in use on check dates, ``[opening, check, draw]``."""
    open_then = opening[:, None, :] <= checks[None, :, None]
    return np.asarray(programme.copies[:, None, None] * open_then)


def seats_open(programme: Programme, copies: Floats) -> Floats:
    """Count standard seats of each seat row in autumns, without those whose life has ended.

    Parameters
    ----------
    programme : Programme
    copies : array [opening, year, draw]
        Copies in use in autumns.

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


def ready_days(programme: Programme, openings: object, draws: int) -> Days:
    """Check drawn opening dates and bring them to days, ``[draw, project]``.

    Parameters
    ----------
    programme : Programme
    openings : DataFrame or array [replication, project]
        Dates (``datetime64``) on which projects are ready. A frame has a column a project and may
        leave projects out: they open as planned. An array has the order of the plan's table
        ``openings`` (each project once). Draw ``d`` meets replication ``d`` modulo their number.
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
    return table.astype(np.int64)[np.arange(draws) % len(table)]
