"""Nearby entry: each area's links to its nearest schools, made where no table lists links."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .settings import Settings
from .typed import empty

__all__ = ["asks_nearby", "nearby_links"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def asks_nearby(settings: Settings) -> bool:
    """Tell whether links are to be made from distances."""
    return bool(settings.travel.nearest or settings.travel.radius_km)


def reachable(km: Floats, standing: Flags, nearest: int | None, radius_km: float | None) -> Flags:
    """Choose the schools of each area: the nearest, within the radius.

    A project counts where it is no farther than the last of the ``nearest`` schools that stand
    already, so that nobody is left without a school for the sake of one that is not yet built.

    Parameters
    ----------
    km : array [area, school]
        Distances; infinite where a school is out of the question.
    standing : array [school]
        Schools that stand already; the others are projects.
    nearest : int, optional
        How many schools that stand; as near as the last of them counts too.
    radius_km : float, optional

    Returns
    -------
    array of bool [area, school]

    Examples
    --------
    >>> km = np.array([[0.5, 1.0, 3.0, 0.8]])
    >>> reachable(km, np.array([True, True, True, False]), 2, None).tolist()
    [[True, True, False, True]]
    >>> reachable(km, np.array([True, True, True, False]), None, 0.9).tolist()
    [[True, False, False, True]]
    """
    most = np.full(len(km), np.inf if radius_km is None else radius_km)
    if nearest is not None and standing.sum() >= nearest:
        ranked = np.partition(km[:, standing], nearest - 1, axis=1)
        most = np.minimum(most, ranked[:, nearest - 1])
    return (km <= most[:, None]) & np.isfinite(km)


def nearby_links(
    settings: Settings, areas: pd.DataFrame, schools: pd.DataFrame, projects: pd.DataFrame
) -> pd.DataFrame:
    """Make the table ``links`` that ``travel.nearest`` and ``travel.radius_km`` ask for.

    In the stages they name an area's children may attend the public schools that `reachable`
    chooses in their county and every public school of their own area. Private schools, and stages
    that are not named, are reached as where there is no table ``links``.

    Returns
    -------
    DataFrame
        The columns of ``links``; ``km`` is the straight line.
    """
    travel = settings.travel
    where = areas[["x_km", "y_km"]].to_numpy(np.float64)
    county = areas["county"].to_numpy(object)
    parts = [empty("links")]
    for stage in settings.stages.planned:
        ruled = stage in travel.nearest or stage in travel.radius_km
        sites = _sites(areas, schools, projects, stage)
        private = schools[(schools["stage"] == stage) & (schools["sector"] == "private")]
        home = np.isin(areas["area"].to_numpy(object), private["area"].to_numpy(object))
        for name in dict.fromkeys(county):
            here = np.flatnonzero(county == name)
            among = np.isin(sites["at"].to_numpy(), here)
            if ruled and among.any():
                local = sites[among]
                at = local["at"].to_numpy()
                km = _distance(where[here], local[["x_km", "y_km"]].to_numpy(np.float64))
                chosen = reachable(
                    km,
                    local["standing"].to_numpy(bool),
                    travel.nearest.get(stage),
                    travel.radius_km.get(stage),
                )
                chosen |= here[:, None] == at[None, :]
                a, j = np.nonzero(chosen)
                to = local["school"].to_numpy(object)[j]
                parts.append(_rows(areas, here[a], stage, km[a, j], to_school=to))
            ends = here[home[here]] if ruled else here
            pair = np.ones((len(here), len(ends)), bool)
            if not travel.within_county:
                pair = here[:, None] == ends[None, :]
            a, b = np.nonzero(pair)
            km = _distance(where[here], where[ends])[a, b]
            to = areas["area"].to_numpy(object)[ends[b]]
            parts.append(_rows(areas, here[a], stage, km, to_area=to))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def _sites(
    areas: pd.DataFrame, schools: pd.DataFrame, projects: pd.DataFrame, stage: str
) -> pd.DataFrame:
    """Public schools of a stage and projects that become one, with their coordinates."""
    public = schools[(schools["stage"] == stage) & (schools["sector"] == "public")]
    own = projects[(projects["stage"] == stage) & (projects["school"] == "")]
    own = own[own["kind"] != "inclusive_kindergarten"]
    own = own.assign(school=own["project"])
    columns = ["school", "area", "x_km", "y_km"]
    sites = pd.concat(
        [public[columns].assign(standing=True), own[columns].assign(standing=False)],
        ignore_index=True,
    )
    at = pd.Index(areas["area"]).get_indexer(pd.Index(sites["area"]))
    sites["at"] = at
    for axis in ("x_km", "y_km"):
        sites[axis] = sites[axis].fillna(areas[axis].take(at).reset_index(drop=True))
    return sites


def _distance(start: Floats, end: Floats) -> Floats:
    gap = start[:, None, :] - end[None, :, :]
    return np.asarray(np.hypot(gap[..., 0], gap[..., 1]), np.float64)


def _rows(
    areas: pd.DataFrame,
    at: NDArray[np.intp],
    stage: str,
    km: Floats,
    *,
    to_area: object = "",
    to_school: object = "",
) -> pd.DataFrame:
    said = {"area": areas["area"].to_numpy(object)[at], "to_area": to_area, "to_school": to_school}
    frame = pd.DataFrame({**said, "stage": stage, "km": km}, index=range(len(at)))
    blank = empty("links")
    for column in blank.columns.difference(frame.columns):
        frame[column] = np.nan if blank[column].dtype == np.float64 else ""
    return frame[list(blank)].astype(blank.dtypes.to_dict())
