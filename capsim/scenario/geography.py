"""Maps in: areas as polygons and schools as points, of GeoJSON, GeoPackage and shapefiles.

What a map says of a place is turned into the terms of a scenario: longitude and latitude of WGS-84,
km from an origin, the area that a school lies in, the areas that share a boundary. The libraries
that read maps are the extra ``geo``; nothing else of capsim needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.i18n.language import Message
from capsim.scenario.cell_values import likeness
from capsim.scenario.cell_words import heading
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.map_files import (
    POINTS,
    TABLES_OF_POINTS,
    UNSTATED,
    features,
    layers,
    named,
    points_of_map,
    points_of_table,
    texts,
    wrong_kinds,
)
from capsim.scenario.parsing import SHOWN, completed
from capsim.scenario.scenario import Scenario
from capsim.scenario.schema import TABLES
from capsim.scenario.travel import (
    Floats,
    Origin,
    Roads,
    asks_nearby,
    road_links,
    to_degrees,
    to_km,
)

POLYGONS = ("Polygon", "MultiPolygon")
GAP_KM = 0.002
"""Gap between two drawn areas up to which they touch."""
LEAST_BORDER_KM = 0.02
"""Length from which on a shared boundary is a border: at a corner areas only meet."""
LISTED = 10
"""Names that a message lists."""
OVERLAP = 0.01
"""Share of the smaller area from which on it is said that two overlap."""
NEARLY_KM = 1.0
"""A point outside all areas is taken for the nearest up to this distance."""
MOST_POINTS = 20_000
"""Points of boundaries that are kept: enough for a map of a page, and light."""


@dataclass(frozen=True, eq=False)
class AreaMap:
    """Areas as a map has them; made by `read_areas`.

    Attributes
    ----------
    file : str
    table : DataFrame
        A row an area: area (what names it), code, name, county (text, blank where the map has
        none), longitude, latitude (degrees), x_km, y_km (of the centroid, or of a place inside
        where the centroid lies outside), area_km2; then the other columns of the file.
    boundaries : DataFrame
        area, ring, point, x_km, y_km: outlines and holes, thinned to be drawn.
    borders : DataFrame
        area, to_area: the pairs that share a boundary, each once.
    origin : tuple of float
        Longitude and latitude of the place where x_km and y_km are 0.
    notes : tuple of Message
        What was found out, and what is odd.
    shapes : array of shapely polygons
        In km, in the order of the table.
    """

    file: str
    table: pd.DataFrame
    boundaries: pd.DataFrame
    borders: pd.DataFrame
    origin: Origin
    notes: tuple[Message, ...]
    shapes: NDArray[np.object_]

    def locate(self, x_km: Floats, y_km: Floats) -> pd.DataFrame:
        """Find the area of each point; on a shared boundary the one that comes first in the map.

        Returns
        -------
        DataFrame
            area (the nearest where the point is outside all), outside_km (0 inside).
        """
        import shapely

        points = shapely.points(x_km, y_km)
        tree = shapely.STRtree(self.shapes)
        at, area = tree.query(points, predicate="intersects")
        nearest_of, which = tree.query_nearest(points, all_matches=False)
        chosen = np.zeros(len(points), np.intp)
        chosen[nearest_of] = which
        order = np.lexsort((area, at))[::-1]
        chosen[at[order]] = area[order]
        apart = np.asarray(shapely.distance(points, self.shapes[chosen]), np.float64)
        names = self.table["area"].to_numpy(object)[chosen]
        return pd.DataFrame({"area": names, "outside_km": apart})


def shows(path: Path) -> tuple[str, ...]:
    """Tell whether a file shows areas, points, or both: ``areas``, ``points``; blank for neither.

    Raises
    ------
    ScenarioError
        It is no map, or cannot be read.
    MissingExtraError
    """
    if path.suffix.casefold() in TABLES_OF_POINTS:
        return ("points",)
    kinds = {kind for _, kind in layers(path)}
    if kinds <= set(UNSTATED):
        frame, _ = features(path, None, None, ())
        kinds = set(frame.geometry.geom_type)
        # Of one layer of both kinds the points are places in the areas, such as labels.
        kinds = kinds - set(POINTS) if kinds & set(POLYGONS) else kinds
    words = (("areas", "Polygon"), ("points", "Point"))
    return tuple(word for word, of in words if any(of in kind for kind in kinds))


def read_areas(
    path: str | Path,
    *,
    crs: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
    origin: Origin | None = None,
) -> AreaMap:
    """Read areas from a map of polygons: GeoJSON, GeoPackage, shapefile, or one in a zip.

    Parameters
    ----------
    path : path
    crs : str, optional
        Coordinate system: ``gcj02`` for coordinates of Chinese web maps, or any name that PROJ
        knows, such as ``EPSG:4547``. Default: what the file says; GeoJSON is WGS-84.
    column : str, optional
        That names the areas. Default: one whose header says so: a name, else a code.
    encoding : str, optional
        Of the texts of a shapefile. Default: what the file says, else found by trial.
    origin : tuple of float, optional
        Longitude and latitude of x_km = y_km = 0. Default: the middle of the areas.

    Raises
    ------
    ScenarioError
        With all that is wrong: what cannot be read, areas without a shape or of one name.
    MissingExtraError
        The extra ``geo`` is not installed.
    """
    path = Path(path)
    frame, notes = features(path, crs, encoding, POLYGONS)
    import shapely  # after `features`, which says how it is installed where it is not

    shapes, faults, more = _polygons(path.name, frame.geometry.to_numpy())
    notes += more
    table, wrong = named(path.name, frame, column, "area")
    faults += wrong
    if faults:
        raise ScenarioError(faults)
    if origin is None:
        middle = np.array([[one.x, one.y] for one in shapely.centroid(shapes)]).mean(axis=0)
        origin = (round(float(middle[0]), 6), round(float(middle[1]), 6))
    area_km2 = _square_km(shapes)
    centre = origin

    def project(xy: Floats) -> Floats:
        return np.stack(to_km(xy[:, 0], xy[:, 1], centre), axis=1)

    in_km = np.asarray(shapely.transform(shapes, project), object)
    middle_points = shapely.centroid(in_km)
    outside = ~shapely.covers(in_km, middle_points)
    if outside.any():
        middle_points[outside] = shapely.point_on_surface(in_km[outside])
        text = "{number} areas lie round their centroid ({first}): a place inside stands for them"
        first = str(table["area"][np.flatnonzero(outside)[0]])
        notes.append(Message(text, {"number": int(outside.sum()), "first": first}))
    x, y = (np.round(get(middle_points), 6) + 0.0 for get in (shapely.get_x, shapely.get_y))
    longitude, latitude = to_degrees(x, y, origin)
    places = {
        **{"longitude": longitude.round(7), "latitude": latitude.round(7), "x_km": x, "y_km": y},
        "area_km2": area_km2.round(6),
    }
    head = ["area", "code", "name", "county"]
    table = pd.concat(
        [table[head], pd.DataFrame(places), table.drop(columns=[*head, *places], errors="ignore")],
        axis=1,
    )
    names = table["area"].to_numpy(object)
    borders, more = _borders(in_km, names)
    notes += more
    return AreaMap(path.name, table, _rings(in_km, names), borders, origin, tuple(notes), in_km)


def read_points(
    path: str | Path,
    *,
    crs: str | None = None,
    column: str | None = None,
    encoding: str | None = None,
    origin: Origin | None = None,
) -> pd.DataFrame:
    """Read schools from a map of points, or from a table with longitude and latitude.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage, shapefile (or one in a zip), CSV file or workbook.
    crs, column, encoding, origin
        As for `read_areas`; of a table the coordinates are degrees: WGS-84 or ``gcj02``. Without
        an origin x_km and y_km count from the middle of the points.

    Returns
    -------
    DataFrame
        A row a point: school (what names it), code, name (text, blank where the file has none),
        x_km, y_km, longitude, latitude (WGS-84); then the other columns of the file. ``attrs`` has
        ``file``, ``origin`` and ``notes``.

    Raises
    ------
    ScenarioError
        With all that is wrong: what cannot be read, points without a place or of one name.
    MissingExtraError
        The extra ``geo`` is not installed.
    """
    path = Path(path)
    if path.suffix.casefold() in TABLES_OF_POINTS:
        frame, lon, lat, notes, faults = points_of_table(path, crs, encoding)
    else:
        frame, lon, lat, notes, faults = points_of_map(path, crs, encoding)
    table, wrong = named(path.name, frame, column, "school")
    faults += wrong
    if faults:
        raise ScenarioError(faults)
    if origin is None:
        origin = (round(float(lon.mean()), 6), round(float(lat.mean()), 6))
    x, y = to_km(lon, lat, origin)
    x, y = np.round(x, 6) + 0.0, np.round(y, 6) + 0.0
    places = {"x_km": x, "y_km": y, "longitude": lon, "latitude": lat}
    head = ["school", "code", "name"]
    rest = table.drop(columns=[*head, *places, "county"], errors="ignore")
    made = pd.concat([table[head], pd.DataFrame(places), rest], axis=1)
    made.attrs = {"file": path.name, "origin": origin, "notes": tuple(notes)}
    return made


# ---- shapes


def _polygons(
    file: str, geometry: NDArray[np.object_]
) -> tuple[NDArray[np.object_], list[Fault], list[Message]]:
    """Return sound polygons, faults of features that are none, and notes of what was mended."""
    import shapely

    faults = wrong_kinds(file, geometry, POLYGONS, Message("a polygon"))
    kept = shapely.force_2d(geometry)
    is_one = np.isin(shapely.get_type_id(kept), (3, 6))
    crossed = is_one & ~shapely.is_valid(kept)
    notes = []
    if crossed.any():
        mended = shapely.make_valid(kept[crossed], method="structure")
        kept[crossed] = mended
        text = "{number} areas whose outlines cross themselves are mended (first: feature {first})"
        first = int(np.flatnonzero(crossed)[0]) + 1
        notes.append(Message(text, {"number": int(crossed.sum()), "first": first}))
    flat = is_one & ~(shapely.area(kept) > 0)
    faults += [
        Fault(file, at + 1, "", "0 km²", Message("a polygon with an area"))
        for at in np.flatnonzero(flat)[:SHOWN].tolist()
    ]
    return np.asarray(shapely.normalize(kept), object), faults, notes


def _square_km(shapes: NDArray[np.object_]) -> Floats:
    """Compute areas of polygons in degrees on the ellipsoid of WGS-84, km²."""
    import shapely
    from pyproj import Geod

    earth = Geod(ellps="WGS84")
    oriented = shapely.orient_polygons(shapes)
    return np.array([earth.geometry_area_perimeter(one)[0] / 1e6 for one in oriented])


def _borders(
    shapes: NDArray[np.object_], names: NDArray[np.object_]
) -> tuple[pd.DataFrame, list[Message]]:
    """Find the pairs of areas that share a boundary; say which overlap, and which have none."""
    import shapely

    tree = shapely.STRtree(shapes)
    a, b = tree.query(shapes, predicate="dwithin", distance=GAP_KM)
    a, b = a[a < b], b[a < b]
    order = np.lexsort((b, a))
    a, b = a[order], b[order]
    along = shapely.intersection(shapely.boundary(shapes[a]), shapely.buffer(shapes[b], GAP_KM))
    touching = shapely.length(along) >= LEAST_BORDER_KM
    notes = []
    shared = shapely.area(shapely.intersection(shapes[a], shapes[b]))
    smaller = np.minimum(shapely.area(shapes[a]), shapely.area(shapes[b]))
    over = shared > OVERLAP * smaller
    if over.any():
        pairs = _few([f"{names[a[k]]} / {names[b[k]]}" for k in np.flatnonzero(over)])
        text = "areas overlap: {pairs}; a school there is taken for the first of them"
        notes.append(Message(text, {"pairs": pairs}))
    alone = sorted(set(range(len(shapes))) - {*a[touching].tolist(), *b[touching].tolist()})
    if alone and len(shapes) > 1:
        text = "{number} areas share a boundary with no other: {names}"
        notes.append(Message(text, {"number": len(alone), "names": _few(names[alone])}))
    frame = pd.DataFrame({"area": names[a[touching]], "to_area": names[b[touching]]}, dtype="str")
    return frame, notes


def _rings(shapes: NDArray[np.object_], names: NDArray[np.object_]) -> pd.DataFrame:
    """Return the outlines and holes of areas, thinned together so that neighbours still fit."""
    import shapely

    thin, tolerance = shapes, 1e-6 * float(np.ptp(shapely.bounds(shapes)))
    while shapely.get_num_coordinates(thin).sum() > MOST_POINTS:
        tolerance *= 2
        thin = shapely.coverage_simplify(shapes, tolerance)
    rows: dict[str, list[Any]] = {key: [] for key in ("area", "ring", "point", "x_km", "y_km")}
    for area, shape in zip(names, shapely.orient_polygons(thin), strict=True):
        number = 0
        for part in shapely.get_parts(shape):
            for ring in (part.exterior, *part.interiors):
                xy = np.round(shapely.get_coordinates(ring)[:-1], 4) + 0.0
                xy = xy[np.any(xy != np.roll(xy, 1, axis=0), axis=1)]
                if len(xy) < 3:
                    continue
                number += 1
                rows["area"] += [str(area)] * len(xy)
                rows["ring"] += [number] * len(xy)
                rows["point"] += range(1, len(xy) + 1)
                rows["x_km"] += xy[:, 0].tolist()
                rows["y_km"] += xy[:, 1].tolist()
    return completed("boundaries", pd.DataFrame(rows))


# ---- into a scenario


def with_maps(
    scenario: Scenario, areas: AreaMap | None = None, points: pd.DataFrame | None = None
) -> tuple[Scenario, tuple[Message, ...]]:
    """Put areas and schools of a scenario in their places on the map.

    Areas get their coordinates, the table ``borders`` the pairs that share a boundary, the table
    ``boundaries`` the outlines, ``map`` the origin; schools and projects the coordinates of the
    points of their name. A place of a map is meant by its code or its name, whatever its case,
    width, blanks and hyphens.

    Parameters
    ----------
    scenario : Scenario
    areas : AreaMap, optional
    points : DataFrame, optional
        As `read_points` returns them.

    Returns
    -------
    Scenario, and tuple of Message
        The messages say what was left out, what lies in another area than its row says, and what
        is outside all areas.

    Raises
    ------
    ScenarioError
        An area has no polygon, a school lies far outside all, or km would mix two origins.
    """
    tables = {name: scenario.table(name) for name in ("areas", "schools", "projects")}
    origin = scenario.settings.map.origin if areas is None else areas.origin
    notes, faults = list[Message](), list[Fault]()
    changed: dict[str, pd.DataFrame] = {}
    if areas is not None:
        notes += of_file(areas.file, areas.notes)
        at, wrong = _matched(tables["areas"], "area", areas.table, areas.file)
        faults += wrong
        kept = np.flatnonzero(~np.isin(np.arange(len(areas.table)), at))
        notes += _left_out(areas.file, areas.table["area"].to_numpy(object)[kept])
        if not wrong:
            place = areas.table.iloc[at].reset_index(drop=True)
            names = dict(zip(place["area"], tables["areas"]["area"], strict=True))
            changed["areas"] = tables["areas"].assign(x_km=place["x_km"], y_km=place["y_km"])
            changed |= _of_known(areas, names)
    if points is not None:
        said = points.attrs
        notes += of_file(said["file"], said["notes"])
        if origin is None or said["origin"] != origin:
            faults.append(_no_origin(said["file"], "areas.csv"))
        found = [
            _placed(tables[table], key, points)
            for table, key in (("schools", "school"), ("projects", "project"))
        ]
        used = np.concatenate([np.asarray(at) for _, at in found])
        free = np.flatnonzero(~np.isin(np.arange(len(points)), used))
        notes += _left_out(said["file"], points["school"].to_numpy(object)[free])
        changed["schools"], changed["projects"] = (frame for frame, _ in found)
        within, unchecked = (areas, []) if areas is not None else _drawn(scenario)
        notes += unchecked
        if within is not None and not faults:
            more, wrong = _lie(within, points, {**tables, **changed})
            notes += more
            faults += wrong
    if areas is not None and scenario.settings.map.origin != origin:
        for name in ("schools", "projects"):
            old, new = tables[name], changed.get(name, tables[name])
            same = (old["x_km"] == new["x_km"]) & (old["y_km"] == new["y_km"])
            if bool(same.any()):
                faults.append(_no_origin(areas.file, f"{name}.csv"))
    if faults:
        raise ScenarioError(faults)
    settings = {} if origin is None else {"map": {"longitude": origin[0], "latitude": origin[1]}}
    made = scenario.variant(settings, tables=changed)
    return made, tuple(notes)


def _drawn(scenario: Scenario) -> tuple[AreaMap | None, list[Message]]:
    """Return the areas of a scenario by the boundaries it has, or say why points are not tried."""
    rings, origin = scenario.table("boundaries"), scenario.settings.map.origin
    if rings.empty or origin is None:
        return None, []
    try:
        import shapely
    except ImportError:
        text = 'points are not checked against boundaries.csv: that needs pip install "capsim[geo]"'
        return None, [Message(text)]
    lines = rings.sort_values(["area", "ring", "point"]).groupby(["area", "ring"])
    parts: dict[str, list[Any]] = {}
    for (area, _), one in lines:
        parts.setdefault(str(area), []).append(shapely.Polygon(one[["x_km", "y_km"]].to_numpy()))
    # What two outlines have in common is a hole.
    drawn = np.array([reduce(shapely.symmetric_difference, own) for own in parts.values()], object)
    areas = scenario.table("areas").set_index("area").loc[list(parts)].reset_index()
    return AreaMap("boundaries.csv", areas, rings, rings, origin, (), drawn), []


def with_ways(
    scenario: Scenario, ways: Roads | pd.DataFrame
) -> tuple[Scenario, tuple[Message, ...]]:
    """Give the links of a scenario the lengths of roads, or of a matrix (`read_matrix`).

    Links that `travel.nearest` or `travel.radius_km` made are from then on a table.

    Returns
    -------
    Scenario, and tuple of Message
        The messages say which links no way leads along, and which places are far from any road.

    Raises
    ------
    ScenarioError
        An area has no coordinates.
    """
    areas, schools, projects, links = (
        scenario.table(name) for name in ("areas", "schools", "projects", "links")
    )
    if isinstance(ways, pd.DataFrame):
        named = {*areas["area"], *schools["school"], *projects["project"]}
        what = Message("an area, a school or a project of the scenario")
        faults = [
            Fault("matrix", None, "", str(one), what, nearest(str(one), known))
            for names, known in ((ways.index, set(areas["area"])), (ways.columns, named))
            for one in names
            if one not in known
        ]
        lacking = [str(area) for area in areas["area"] if area not in ways.index]
        if lacking:
            row = Message("a row for each area of the scenario")
            faults.append(Fault("matrix", None, "", ", ".join(_few(lacking)), row))
        if faults:
            raise ScenarioError(faults)
    made, notes = road_links(scenario.settings, areas, schools, projects, links, ways)
    nearby: dict[str, Any] = {"travel.nearest": {}, "travel.radius_km": {}}
    settings = nearby if asks_nearby(scenario.settings) else {}
    return scenario.variant(settings, tables={"links": made}), notes


def _no_origin(file: str, table: str) -> Fault:
    what = Message(
        "one origin of all coordinates in km; that of {table} is not known", {"table": table}
    )
    cure = Message("import areas and schools together, or blank the coordinates that are in km")
    return Fault(file, None, "", None, what, cure)


def _left_out(file: str, names: NDArray[np.object_]) -> list[Message]:
    if not len(names):
        return []
    text = "{file}: {number} places that the scenario does not have left out: {names}"
    return [Message(text, {"file": file, "number": len(names), "names": _few(names)})]


def _keys(table: pd.DataFrame, *columns: str) -> dict[str, int]:
    """Return the row of each name, however it is written; a name of two rows is none."""
    found: dict[str, int] = {}
    twice = set[str]()
    for column in columns:
        if column not in table:
            continue
        own = [likeness(str(one)) for one in table[column].tolist()]
        counts = pd.Series(own).value_counts()
        twice |= {str(one) for one in counts.index[counts > 1]}
        for row, one in enumerate(own):
            if one:
                found.setdefault(one, row)
    return {one: row for one, row in found.items() if one not in twice}


def _matched(
    table: pd.DataFrame, key: str, places: pd.DataFrame, file: str
) -> tuple[list[int], list[Fault]]:
    """Find the place of the map that each row of a table means, by key or name."""
    known = _keys(places, "area", "code", "name")
    at, faults = [], []
    for row in table[[key, "name", "name_zh"]].itertuples(index=False):
        found = next((known[w] for w in map(likeness, row) if w and w in known), None)
        if found is None:
            what = Message(
                "an area of the map for each of the scenario: {near}",
                {"near": nearest(str(row[0]), places[key])},
            )
            cure = Message("name the column of the map that has them: --area-column COLUMN")
            faults.append(Fault(file, None, key, str(row[0]), what, cure))
        elif found in at:
            what = Message("a shape of its own for each area of the scenario")
            faults.append(Fault(file, None, key, str(row[0]), what))
        else:
            at.append(found)
    return at, faults


def _of_known(areas: AreaMap, names: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return borders and boundaries of the areas that a scenario has, under its own names."""
    borders, rings = areas.borders, areas.boundaries
    borders = borders[borders["area"].isin(names) & borders["to_area"].isin(names)]
    rings = rings[rings["area"].isin(names)]
    tables = {
        "borders": borders.assign(
            area=borders["area"].map(names), to_area=borders["to_area"].map(names)
        ),
        "boundaries": rings.assign(area=rings["area"].map(names)),
    }
    return {name: frame.reset_index(drop=True) for name, frame in tables.items() if len(frame)}


def _placed(table: pd.DataFrame, key: str, points: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    """Give rows of schools or projects the coordinates of the points they mean."""
    known = _keys(points, "school", "code", "name")
    table, at = table.copy(), []
    for row, names in enumerate(table[[key, "name", "name_zh"]].itertuples(index=False)):
        found = next((known[w] for w in map(likeness, names) if w and w in known), None)
        if found is not None:
            at.append(found)
            table.loc[row, ["x_km", "y_km"]] = points.loc[found, ["x_km", "y_km"]].to_numpy(float)
    return table, at


def _lie(
    areas: AreaMap, points: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> tuple[list[Message], list[Fault]]:
    """Say which schools and projects lie in another area than their row says, or in none."""
    x, y = (points[axis].to_numpy(np.float64) for axis in ("x_km", "y_km"))
    where = areas.locate(x, y)
    lies = {spot: at for at, spot in enumerate(zip(x, y, strict=True))}
    of_map = {
        (row["x_km"], row["y_km"]): str(row["area"]) for row in tables["areas"].to_dict("records")
    }
    own = {
        row["area"]: of_map.get((row["x_km"], row["y_km"]), "")
        for row in areas.table.to_dict("records")
    }
    notes, elsewhere = list[Message](), list[str]()
    near, far = list[str](), list[str]()
    for name, key in (("schools", "school"), ("projects", "project")):
        for row in tables[name].drop_duplicates(key).to_dict("records"):
            at = lies.get((row["x_km"], row["y_km"]))
            if at is None:
                continue
            area, apart = str(where["area"].iloc[at]), float(where["outside_km"].iloc[at])
            if apart > 0:
                (far if apart > NEARLY_KM else near).append(f"{row[key]} ({apart:.1f} km: {area})")
            elif own[area] != row["area"]:
                elsewhere.append(f"{row[key]} ({own[area] or area}, {row['area']})")
    for text, listed in (
        ("{number} schools lie outside all areas by up to 1 km, nearest to: {names}", near),
        (
            "{number} schools lie in another area than their row says (map, row): {names};"
            " the row holds",
            elsewhere,
        ),
    ):
        if listed:
            notes.append(Message(text, {"number": len(listed), "names": _few(listed)}))
    return notes, _far_off(areas, points, far)


def of_file(file: str, notes: Iterable[Message]) -> list[Message]:
    """Name the file that notes are about."""
    return [Message("{file}: {note}", {"file": file, "note": note}) for note in notes]


def _few(names: Iterable[object]) -> tuple[str, ...]:
    listed = [str(name) for name in names]
    return tuple(listed) if len(listed) <= LISTED else (*listed[:LISTED], "…")


def _far_off(areas: AreaMap, points: pd.DataFrame, far: Sequence[str]) -> list[Fault]:
    """Make one fault of all points far outside, with what is probably the matter."""
    if not far:
        return []
    lon, lat = points["longitude"].to_numpy(), points["latitude"].to_numpy()
    swapped = areas.locate(*to_km(lat, lon, areas.origin))
    cure = Message("correct or take out these points, or say their coordinate system: --crs")
    if (swapped["outside_km"] == 0).mean() > 0.5:
        cure = Message("longitude and latitude are swapped: longitude comes first")
    what = Message("schools inside the areas of {map} (nearest area)", {"map": areas.file})
    file = str(points.attrs.get("file", "points"))
    return [Fault(file, None, "", ", ".join(_few(far)), what, cure)]


def scenario_files(
    name: str, areas: AreaMap, points: pd.DataFrame | None = None
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], tuple[Message, ...]]:
    """Make settings and tables of a new scenario folder, to be filled with what no map says.

    Columns of the map whose headers a scenario knows (学位, `places`) are taken over; others are
    left out. `capsim check` lists what is lacking then.

    Returns
    -------
    settings, tables by name, and messages

    Raises
    ------
    ScenarioError
        A school lies far outside all areas.
    """
    own = areas.table
    settings = {
        "name": name,
        "map": {"longitude": areas.origin[0], "latitude": areas.origin[1]},
    }
    notes = of_file(areas.file, areas.notes)
    county = own["county"].where(own["county"] != "", name)
    if (own["county"] == "").any():
        text = "areas without a county in the map are of one county: {county}"
        notes.append(Message(text, {"county": name}))
    frame = own[["area", "name", "x_km", "y_km"]].assign(county=county)
    tables = {"areas": _taken("areas", own, frame), "borders": areas.borders}
    tables["boundaries"] = areas.boundaries[["area", "ring", "point", "x_km", "y_km"]]
    if points is not None:
        notes += of_file(points.attrs["file"], points.attrs["notes"])
        where = areas.locate(points["x_km"].to_numpy(), points["y_km"].to_numpy())
        apart = where["outside_km"].to_numpy()
        said = [
            f"{points['school'].iloc[k]} ({apart[k]:.1f} km: {where['area'].iloc[k]})"
            for k in np.flatnonzero(apart > 0)
        ]
        off = [said[k] for k, km in enumerate(apart[apart > 0]) if km > NEARLY_KM]
        if faults := _far_off(areas, points, off):
            raise ScenarioError(faults)
        if said:
            text = "{number} schools lie outside all areas by up to 1 km, nearest to: {names}"
            notes.append(Message(text, {"number": len(said), "names": _few(said)}))
        frame = points[["school", "name", "x_km", "y_km"]].assign(area=where["area"])
        tables["schools"] = _taken("schools", points, frame)
    return settings, {key: one for key, one in tables.items() if len(one)}, tuple(notes)


def _taken(table: str, features: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of a map that a scenario knows."""
    for head in features:
        column = heading(table, str(head))[0]
        if column and column not in frame:
            frame = frame.assign(**{column: texts(features[head])})
    return frame[[name for name in TABLES[table].names if name in frame]]
