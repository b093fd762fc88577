"""Distances on the map: day travel, links to the nearest schools, borders, ways along roads.

Links are made where no table lists them, and so are borders, by the Gabriel graph: two areas
border each other where no third one lies within or on the circle whose diameter joins them
(Gabriel and Sokal 1969). The graph holds the shortest tree that spans all areas, so that each can
be reached from each, and its edges never cross.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.parsing import Typed, completed, empty
from capsim.scenario.school_stages import Stage
from capsim.scenario.settings import Settings

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kinds = NDArray[np.object_]


EARTH_KM = 6371.0088
"""Mean radius of the earth."""
PLACED = ("areas", "schools", "projects", "boundaries")
"""Tables with coordinates."""
Origin = tuple[float, float]
"""Longitude and latitude of the place where x_km and y_km are 0, degrees of WGS-84."""


def to_km(longitude: Floats, latitude: Floats, origin: Origin) -> tuple[Floats, Floats]:
    """Project degrees to km east and north of an origin.

    Equirectangular: within a city or a province the error is far below that of a straight line
    for a road.

    Examples
    --------
    >>> x, y = to_km(np.array([114.4]), np.array([36.0]), (114.3, 36.0))
    >>> x.round(3).tolist(), y.tolist()
    ([8.996], [0.0])
    """
    lon, lat = origin
    x = np.radians(longitude - lon) * EARTH_KM * np.cos(np.radians(lat))
    y = np.radians(latitude - lat) * EARTH_KM
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def to_degrees(x_km: Floats, y_km: Floats, origin: Origin) -> tuple[Floats, Floats]:
    """Return longitude and latitude of places in km from an origin: `to_km` the other way.

    Examples
    --------
    >>> lon, lat = to_degrees(*to_km(np.array([114.4]), np.array([36.1]), (114, 36)), (114, 36))
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([114.4], [36.1])
    """
    lon, lat = origin
    longitude = lon + np.degrees(x_km / (EARTH_KM * np.cos(np.radians(lat))))
    latitude = lat + np.degrees(y_km / EARTH_KM)
    return np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)


def projected(
    tables: Mapping[str, Typed], origin: Origin | None = None
) -> tuple[dict[str, Typed], Origin | None, list[Fault]]:
    """Return tables with coordinates in km, where their origin lies, and faults of those left.

    Longitude and latitude are projected round the origin (`to_km`): the one given, else the middle
    of the areas. Numbers that look like degrees in columns of km are a fault.
    """
    result = dict(tables)
    with_xy = [
        name
        for name in PLACED
        if name in tables and tables[name].sound and tables[name].frame["x_km"].notna().any()
    ]
    turned = [name for name in with_xy if tables[name].degrees]
    expected = Message(
        "coordinates in degrees, as {table} has them", {"table": "".join(turned[:1])}
    )
    cure = Message("name the columns lon and lat, or give km in all tables")
    faults = []
    for name in with_xy:
        file = tables[name].file
        if turned and name not in turned and origin is None:
            faults.append(Fault(file, None, "x_km", "", expected, cure))
        elif not turned and _like_degrees(tables[name].frame):
            first = tables[name].frame[["x_km", "y_km"]].dropna().iloc[0]
            value = f"{first['x_km']:g}, {first['y_km']:g}"
            what = Message("coordinates in km; these look like degrees")
            faults.append(Fault(file, None, "x_km", value, what, cure))
    if not turned or faults:
        return result, origin, faults
    if origin is None:
        middle = tables[turned[0]].frame[["x_km", "y_km"]].mean().round(6)
        origin = float(middle["x_km"]), float(middle["y_km"])
    lon, lat = origin
    for name in turned:
        frame = tables[name].frame
        limits = Message("a longitude to 180 and a latitude to 90 degrees")
        off = (frame["x_km"].abs() > 180) | (frame["y_km"].abs() > 90)
        faults += tables[name].where(off, "x_km", limits)
        degrees = frame[["x_km", "y_km"]].to_numpy(np.float64)
        x, y = to_km(degrees[:, 0], degrees[:, 1], origin)
        said = {"lon": f"{lon:.4f}", "lat": f"{lat:.4f}"}
        note = Message("lon and lat in degrees projected to km round {lon}, {lat}", said)
        frame = frame.assign(x_km=np.round(x, 6), y_km=np.round(y, 6))
        notes = (*tables[name].notes, note)
        result[name] = replace(tables[name], frame=frame, notes=notes, degrees=False)
    return result, origin, faults


def _like_degrees(frame: pd.DataFrame) -> bool:
    """Check whether places within a hair of each other, as km, lie far from the origin."""
    places = frame[["x_km", "y_km"]].dropna().drop_duplicates()
    if len(places) < 3:
        return False
    (west, south), (east, north) = places.min(), places.max()
    far = max(abs(west), abs(east), abs(south), abs(north))
    spread = max(east - west, north - south)
    within = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    return bool(within and spread < 10 and far > 10 * spread)


def limits_travel(settings: Settings) -> bool:
    """Check whether any stage limits the way of its day pupils."""
    travel = settings.travel
    return bool(travel.day_km or travel.day_minutes or travel.standard_limits)


def day_limits(settings: Settings, stage: Stage, kind: Kinds) -> tuple[Floats, float]:
    """Return the farthest way in km by area, and the longest in minutes, of a stage's day pupils.

    What ``travel.day_km`` and ``travel.day_minutes`` say of the stage, else with
    ``travel.standard_limits`` the standards: the service radius of urban areas, the rural one of
    all others, and the longest way. Infinite where there is no limit.

    Parameters
    ----------
    settings : Settings
    stage : Stage
        With the scenario's own standards.
    kind : array of text [area]
        Of ``areas.kind``.
    """
    travel = settings.travel
    km = np.full(len(kind), np.inf)
    minutes = travel.day_minutes.get(stage.name, np.inf)
    if travel.standard_limits:
        rural = stage.rural_radius_km or stage.service_radius_km
        km = np.where(kind == "urban", stage.service_radius_km, rural)
        minutes = travel.day_minutes.get(stage.name, stage.day_minutes or np.inf)
    if stage.name in travel.day_km:
        km = np.full(len(kind), travel.day_km[stage.name])
    return np.asarray(km, np.float64), float(minutes)


def too_far(settings: Settings, stage: Stage, kind: Kinds, km: Floats, minutes: Floats) -> Flags:
    """Flag the ways that a day pupil of the stage may not have.

    Parameters
    ----------
    kind : array of text [way]
        Of the area in which it begins.
    km : array [way]
    minutes : array [way]
        NaN where not given: ``km`` at ``travel.km_per_hour``.

    Examples
    --------
    >>> import capsim
    >>> rules = {"travel.standard_limits": True, "travel.km_per_hour": 5.0}
    >>> settings = capsim.generate(3, 30_000).variant(rules).settings
    >>> primary = capsim.scenario.school_stages.stages()["primary"]
    >>> kind = np.array(["urban", "rural", "rural", "rural"], object)
    >>> km, minutes = np.array([0.6, 2.4, 2.6, 3.1]), np.array([9, np.nan, np.nan, 20])
    >>> too_far(settings, primary, kind, km, minutes).tolist()
    [True, False, True, True]
    """
    most_km, most_minutes = day_limits(settings, stage, kind)
    far = km > most_km + 1e-9
    if np.isfinite(most_minutes):
        speed = settings.travel.km_per_hour
        walked = np.full(len(km), np.nan) if speed is None else km / speed * 60.0
        far |= np.where(np.isnan(minutes), walked, minutes) > most_minutes + 1e-9
    return np.asarray(far, np.bool_)


def boards(stage: Stage) -> Flags:
    """Flag the grades of a stage in which children may board."""
    first = stage.boards_from_year
    return np.asarray((np.arange(len(stage.grades)) + 1 >= first) & (first > 0), np.bool_)


def asks_nearby(settings: Settings) -> bool:
    """Check whether links are to be made from distances."""
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
    """Return public schools of a stage and projects that become one, with coordinates."""
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
    frame = pd.DataFrame(
        {
            "area": areas["area"].to_numpy(object)[at],
            "to_area": to_area,
            "to_school": to_school,
            "stage": stage,
            "km": km,
        },
        index=range(len(at)),
    )
    return completed("links", frame)


Pairs = NDArray[np.int64]
ON = 1e-9
"""Share of its radius within which a point lies on a circle."""
FLAT = 1e-9
"""Width of a cloud of points, as a share of its length, below which it is a line."""


def gabriel(xy: Floats) -> Pairs:
    """Compute edges of the Gabriel graph of points, each once, ``[edge, 2]``, ascending.

    Points in one place are chained, and the first of them stands for all.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> gabriel(square).tolist()
    [[0, 1], [0, 2], [1, 3], [2, 3]]
    >>> gabriel(np.array([[0.0, 0.0], [2.0, 2.0], [1.0, 1.0], [1.0, 1.0]])).tolist()
    [[0, 2], [1, 2], [2, 3]]
    """
    places, first, number = np.unique(xy, axis=0, return_index=True, return_inverse=True)
    edge = first[_empty_circles(places)] if len(places) > 1 else np.zeros((0, 2), np.int64)
    order = np.argsort(number.ravel(), kind="stable")
    same = np.diff(number.ravel()[order]) == 0
    chained = np.stack([order[:-1][same], order[1:][same]], axis=1)
    edges = np.sort(np.concatenate([edge, chained]).astype(np.int64), axis=1)
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))]


def _empty_circles(places: Floats) -> Pairs:
    from scipy.spatial import Delaunay, KDTree

    centred = places - places.mean(axis=0)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    if len(places) == 2 or size[1] <= FLAT * size[0]:
        along = np.argsort(centred @ axes[0], kind="stable")
        return np.stack([along[:-1], along[1:]], axis=1)
    corner = Delaunay(places).simplices
    sides = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    sides = np.unique(np.sort(sides, axis=1), axis=0)
    start, end = places[sides[:, 0]], places[sides[:, 1]]
    radius = np.hypot(*(end - start).T) / 2
    near = np.asarray(KDTree(places).query((start + end) / 2, k=3)[0], np.float64)
    # Both ends lie at the radius; a third point there or nearer is within the circle.
    empty_circle = near[:, 2] > radius * (1 + ON)
    return np.asarray(sides[empty_circle], np.int64)


def border_rows(areas: pd.DataFrame) -> pd.DataFrame:
    """Make the table ``borders`` of areas with coordinates."""
    names = areas["area"].to_numpy(object)
    edges = gabriel(areas[["x_km", "y_km"]].to_numpy(np.float64))
    rows = pd.DataFrame({"area": names[edges[:, 0]], "to_area": names[edges[:, 1]]})
    return completed("borders", rows)


FAR_KM = 2.0
"""Way from a place to the nearest node of a road network from which on it is said."""


@dataclass(frozen=True, eq=False)
class Roads:
    """A road network: nodes in km, and edges that lead from one to the other.

    Attributes
    ----------
    x_km, y_km : array [node]
    start, end : array of int [edge]
        A way that may be driven in both directions is two edges.
    km, minutes : array [edge]
        Minutes are NaN in a network that has none.
    """

    x_km: Floats
    y_km: Floats
    start: Pairs
    end: Pairs
    km: Floats
    minutes: Floats

    @property
    def timed(self) -> bool:
        """Whether every edge says its minutes."""
        return bool(len(self.minutes) and np.isfinite(self.minutes).all())


def ways(roads: Roads, start: Floats, end: Floats) -> tuple[Floats, Floats, Floats]:
    """Find the shortest ways along roads from some places to others.

    A place is reached from its nearest node in a straight line, which is part of the way; its
    minutes are at the speed of the network as a whole. The way between two places of one node is
    never shorter than the straight line between them.

    Parameters
    ----------
    roads : Roads
    start, end : array [place, 2]
        x_km and y_km.

    Returns
    -------
    km, minutes : array [start, end]
        Infinite where no road leads; minutes NaN where the network has none.
    off_km : array [start and then end]
        How far each place is from its node.

    Examples
    --------
    >>> road = Roads(np.array([0.0, 3.0]), np.array([0.0, 4.0]), np.array([0, 1]),
    ...              np.array([1, 0]), np.array([6.0, 6.0]), np.array([9.0, 9.0]))
    >>> km, minutes, off_km = ways(road, np.array([[0.0, -1.0]]), np.array([[3.0, 4.0]]))
    >>> km.tolist(), minutes.tolist(), off_km.tolist()
    ([[7.0]], [[10.5]], [1.0, 0.0])
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import KDTree

    nodes = np.stack([roads.x_km, roads.y_km], axis=1)
    off, at = KDTree(nodes).query(np.concatenate([start, end]))
    off, at = np.asarray(off, np.float64), np.asarray(at, np.int64)
    sources, row = np.unique(at[: len(start)], return_inverse=True)

    def shortest(length: Floats) -> Floats:
        # Of parallel edges the shortest counts: a sparse array would add them up. An edge of no
        # length would be none.
        order = np.lexsort((length, roads.end, roads.start))
        pair = np.stack([roads.start[order], roads.end[order]], axis=1)
        first = np.ones(len(order), bool)
        first[1:] = np.any(pair[1:] != pair[:-1], axis=1)
        kept = order[first]
        shape = (len(nodes), len(nodes))
        size = np.maximum(length[kept], 1e-9)
        graph = coo_array((size, (roads.start[kept], roads.end[kept])), shape=shape).tocsr()
        found = np.asarray(dijkstra(graph, indices=sources), np.float64)
        return found[row.ravel()][:, at[len(start) :]]

    ends = off[: len(start), None] + off[None, len(start) :]
    km = np.maximum(shortest(roads.km) + ends, _distance(start, end))
    if not roads.timed:
        return km, np.full(km.shape, np.nan), off
    pace = float(roads.minutes.sum()) / max(float(roads.km.sum()), 1e-9)
    return km, shortest(roads.minutes) + ends * pace, off


def road_links(
    settings: Settings,
    areas: pd.DataFrame,
    schools: pd.DataFrame,
    projects: pd.DataFrame,
    links: pd.DataFrame,
    roads: Roads | pd.DataFrame,
) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Return links as long as the shortest way along roads, or as a matrix says.

    A matrix has a row for each area and a column for each area or school that is gone to, km.

    The rows of ``links`` keep whom they link; where there are none, each area is linked to the
    other areas of its county (with ``travel.within_county``), as without a table.

    Returns
    -------
    DataFrame, and tuple of Message
        Rows to which no road leads are left out; the messages say so, and which places are far
        from any road.

    Raises
    ------
    ScenarioError
        An area has no coordinates, or no way leads along any link.
    """
    blank = areas.loc[areas["x_km"].isna(), "area"].tolist()
    if blank and isinstance(roads, Roads):
        what = Message("coordinates of every area, for ways along roads")
        raise ScenarioError([Fault("areas.csv", None, "x_km", ", ".join(blank[:10]), what)])
    if not len(links):
        county = areas["county"].to_numpy(object)
        same = county[:, None] == county[None, :]
        np.fill_diagonal(same, val=False)
        a, b = np.nonzero(same if settings.travel.within_county else np.zeros_like(same))
        names = areas["area"].to_numpy(object)
        links = completed("links", pd.DataFrame({"area": names[a], "to_area": names[b]}))
    to = ("area " + links["to_area"]).where(links["to_area"] != "", "school " + links["to_school"])
    known = pd.Index(to.unique())
    ends = [str(name).partition(" ")[2] for name in known]
    middle = areas.set_index("area")[["x_km", "y_km"]]
    off = np.zeros(0)
    if isinstance(roads, Roads):
        spots = _spots(areas, schools, projects).loc[known].to_numpy(np.float64)
        km, minutes, off = ways(roads, middle.to_numpy(np.float64), spots)
    else:
        km = roads.reindex(index=middle.index, columns=ends).fillna(np.inf).to_numpy(np.float64)
        minutes = np.full(km.shape, np.nan)
    row, column = middle.index.get_indexer(pd.Index(links["area"])), known.get_indexer(pd.Index(to))
    length, time = km[row, column].round(3), minutes[row, column].round(2)
    itself = ((links["to_area"] == links["area"]) & (links["to_school"] == "")).to_numpy(bool)
    length = np.where(itself, links["km"].to_numpy(np.float64), length)
    time = np.where(itself | np.isnan(time), links["minutes"].to_numpy(np.float64), time)
    reached = ~np.isinf(length)
    notes = []
    if len(links) and not reached.any():
        what = Message("ways along some of the links: none leads along any")
        raise ScenarioError([Fault("links", None, "", None, what)])
    if (~reached).any():
        pairs = zip(links["area"][~reached], to[~reached], strict=True)
        lost = [f"{area} - {end.partition(' ')[2]}" for area, end in pairs]
        text = "no way leads along {number} links, which are left out: {names}"
        notes.append(Message(text, {"number": len(lost), "names": _listed(lost)}))
    far = np.flatnonzero(off > FAR_KM)
    if len(far):
        placed = [*middle.index, *ends]
        said = list(dict.fromkeys(f"{placed[k]} ({off[k]:.1f} km)" for k in far.tolist()))
        text = "{number} places are more than 2 km from any road, in a straight line: {names}"
        notes.append(Message(text, {"number": len(said), "names": _listed(said)}))
    made = links.assign(km=length, minutes=time)[reached].reset_index(drop=True)
    return made, tuple(notes)


def _spots(areas: pd.DataFrame, schools: pd.DataFrame, projects: pd.DataFrame) -> pd.DataFrame:
    """Return coordinates by ``area NAME`` and ``school NAME``: own, else the area's."""
    own = pd.concat(
        [
            areas.assign(to="area " + areas["area"]),
            schools.assign(to="school " + schools["school"]),
            projects.assign(to="school " + projects["project"]),
        ]
    )
    middle = areas.set_index("area")
    for axis in ("x_km", "y_km"):
        own[axis] = own[axis].fillna(own["area"].map(middle[axis]))
    return own.drop_duplicates("to").set_index("to")[["x_km", "y_km"]]


def _listed(names: Sequence[str], most: int = 10) -> tuple[str, ...]:
    return (*names[:most], *(("…",) if len(names) > most else ()))


# ---- coordinates of Chinese web maps

IN_CHINA = (73.66, 135.05, 3.86, 53.55)
"""Least and largest longitude and latitude within which GCJ-02 differs from WGS-84, roughly."""
KRASOVSKY_M = 6_378_245.0
KRASOVSKY_E2 = 0.00669342162296594323
"""Semi-major axis and squared eccentricity of the ellipsoid that GCJ-02 is reckoned on."""


def to_gcj02(degrees: Floats) -> Floats:
    """Turn longitude and latitude of WGS-84 into those of GCJ-02, as Chinese web maps have them.

    The formula is not published by the surveying office; this is the one that became known and
    that public implementations share (eviltransform, PRCoords), whose control points the tests
    have. Outside China both are the same.

    Parameters
    ----------
    degrees : array [place, 2]
        Longitude, latitude.

    Examples
    --------
    >>> to_gcj02(np.array([[121.5272106, 31.1774276]])).round(6).tolist()
    [[121.531542, 31.175304]]
    """
    lon, lat = degrees[:, 0], degrees[:, 1]
    x, y = lon - 105.0, lat - 35.0
    root, ripple = np.sqrt(np.abs(x)), _waves(x, (6.0, 20.0), (2.0, 20.0))
    north = -100 + 2 * x + 3 * y + 0.2 * y**2 + 0.1 * x * y + 0.2 * root + ripple
    north += _waves(y, (1.0, 20.0), (1 / 3, 40.0)) + _waves(y, (1 / 12, 160.0), (1 / 30, 320.0))
    east = 300 + x + 2 * y + 0.1 * x**2 + 0.1 * x * y + 0.1 * root + ripple
    east += _waves(x, (1.0, 20.0), (1 / 3, 40.0)) + _waves(x, (1 / 12, 150.0), (1 / 30, 300.0))
    sine = np.sin(np.radians(lat))
    bend = 1 - KRASOVSKY_E2 * sine**2
    meridian_m = KRASOVSKY_M * (1 - KRASOVSKY_E2) / bend**1.5
    parallel_m = KRASOVSKY_M / np.sqrt(bend) * np.cos(np.radians(lat))
    moved = np.stack([np.degrees(east / parallel_m), np.degrees(north / meridian_m)], axis=1)
    west, far_east, south, far_north = IN_CHINA
    inside = (lon >= west) & (lon <= far_east) & (lat >= south) & (lat <= far_north)
    return np.asarray(np.where(inside[:, None], degrees + moved, degrees), np.float64)


def _waves(along: Floats, *waves: tuple[float, float]) -> Floats:
    """Sum the sines of some frequencies, each of a size, two thirds of it in all."""
    return sum(
        (2 / 3 * size * np.sin(often * np.pi * along) for often, size in waves),
        np.zeros_like(along),
    )


def from_gcj02(degrees: Floats) -> Floats:
    """Turn longitude and latitude of GCJ-02 into those of WGS-84: `to_gcj02` undone, to 1 mm.

    Examples
    --------
    >>> from_gcj02(np.array([[121.531541859215, 31.17530398364597]])).round(7).tolist()
    [[121.5272106, 31.1774276]]
    """
    found = degrees
    for _ in range(10):  # each step leaves a thousandth of the error
        found = found + degrees - to_gcj02(found)
    return found


# ---- countries

WITHIN: Mapping[str, tuple[tuple[float, float, float, float], ...]] = {
    "china": (IN_CHINA,),
    "england": ((-6.5, 2.0, 49.8, 55.9),),
    "usa": (
        *((-180.0, -64.5, 17.5, 71.5), (172.0, 180.0, 51.0, 54.0)),
        *((144.0, 146.2, 13.0, 20.6), (-171.3, -168.0, -14.7, -11.0)),
    ),
}
"""Least and largest longitude and latitude of countries, roughly, islands far off by themselves."""


def abroad(lon: Floats, lat: Floats, country: str) -> tuple[list[int], Message]:
    """Find the places that lie outside a country, and say what is probably the matter with them.

    Examples
    --------
    >>> at, cure = abroad(np.array([39.3, -76.6]), np.array([-76.6, 39.3]), "usa")
    >>> at, str(cure)
    ([0], 'longitude and latitude are swapped: longitude comes first')
    """

    def inside(x: Floats, y: Floats) -> Flags:
        boxes = [
            (west <= x) & (x <= east) & (south <= y) & (y <= north)
            for west, east, south, north in WITHIN.get(country, ((-180.0, 180.0, -90.0, 90.0),))
        ]
        return np.asarray(np.any(boxes, axis=0), dtype=np.bool_)

    off = np.flatnonzero(~inside(lon, lat))
    cure = Message("correct these coordinates, or say their system: --crs")
    if inside(lat[off], lon[off]).all():
        cure = Message("longitude and latitude are swapped: longitude comes first")
    elif inside(-lon[off], lat[off]).all():
        cure = Message("longitudes west of Greenwich are negative: give them a minus")
    return off.tolist(), cure
