"""Maps in: areas as polygons and schools as points, of GeoJSON, GeoPackage and shapefiles.

What a map says of a place is turned into the terms of a scenario: longitude and latitude of WGS-84,
km from an origin, the area that a school lies in, the areas that share a boundary. The libraries
that read maps are the extra ``geo``; nothing else of capsim needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.map_files import UNSTATED, features, layers, plain, points_of_table
from capsim.scenario.parsing import SHOWN, completed
from capsim.scenario.travel import Floats, Origin, to_degrees, to_km

TABLES_OF_POINTS = (".csv", ".xlsx")
"""Endings of tables whose rows are points, by their columns of longitude and latitude."""
POLYGONS, POINTS = ("Polygon", "MultiPolygon"), ("Point", "MultiPoint")
GAP_KM = 0.002
"""Gap between two drawn areas up to which they touch."""
LEAST_BORDER_KM = 0.02
"""Length from which on a shared boundary is a border: at a corner areas only meet."""
OVERLAP = 0.01
"""Share of the smaller area from which on it is said that two overlap."""
NEARLY_KM = 1.0
"""A point outside all areas is taken for the nearest up to this distance."""
MOST_POINTS = 20_000
"""Points of boundaries that are kept: enough for a map of a page, and light."""
CODES = (
    "area",
    "school",
    "code",
    "id",
    "geoid",
    "adcode",
    "ncessch",
    "urn",
    "代码",
    "编码",
    "编号",
)
NAMES = ("name", "area name", "school name", "名称", "学校名称", "校名", "片区", "学校", "街道")
COUNTIES = ("county", "district", "county name", "区县", "县区", "区", "县", "所属区县")
ENDS = {"code": ("code", "cd", "id", "代码", "编码"), "name": ("name", "nm", "nam", "名称", "名")}


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


def shows(path: Path) -> str:
    """Tell whether a file shows areas or points: ``areas``, ``points``, or blank for neither.

    Raises
    ------
    ScenarioError
        It is no map, or cannot be read.
    MissingExtraError
    """
    if path.suffix.casefold() in TABLES_OF_POINTS:
        return "points"
    kinds = {kind for _, kind in layers(path)}
    if any("Polygon" in kind for kind in kinds):
        return "areas"
    if any("Point" in kind for kind in kinds):
        return "points"
    if kinds <= set(UNSTATED):
        frame, _ = features(path, None, None, ())
        found = set(frame.geometry.geom_type)
        return "areas" if found & set(POLYGONS) else "points" if found & set(POINTS) else ""
    return ""


def read_areas(
    path: str | Path,
    *,
    crs: str | None = None,
    name: str | None = None,
    code: str | None = None,
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
    name, code : str, optional
        Columns that name the areas. Default: those whose headers say so.
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
    import shapely

    path = Path(path)
    frame, notes = features(path, crs, encoding, POLYGONS)
    shapes, faults, more = _polygons(path.name, frame.geometry.to_numpy())
    notes += more
    table, wrong = _named(path.name, frame, name, code, "area")
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
    name: str | None = None,
    code: str | None = None,
    encoding: str | None = None,
    origin: Origin | None = None,
) -> pd.DataFrame:
    """Read schools from a map of points, or from a table with longitude and latitude.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage, shapefile (or one in a zip), CSV file or workbook.
    crs, name, code, encoding, origin
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
        found, notes = features(path, crs, encoding, POINTS)
        lon, lat, faults = _places(path.name, found.geometry.to_numpy())
        frame = pd.DataFrame(found.drop(columns=found.geometry.name))
    table, wrong = _named(path.name, frame, name, code, "school")
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


# ---- names


def _texts(values: pd.Series) -> list[str]:
    """Return values as texts: a number that is whole without a point, a missing one blank."""
    return [
        ""
        if pd.isna(one)
        else str(int(one))
        if isinstance(one, float) and one.is_integer()
        else str(one).strip()
        for one in values.tolist()
    ]


def _column(frame: pd.DataFrame, words: Sequence[str], ends: Sequence[str]) -> str | None:
    """Find the column whose header is one of some words, else ends like one."""
    heads = {str(head): plain(head) for head in frame}
    ranked = [head for word in words for head, said in heads.items() if said == word]
    ranked += [head for head, said in heads.items() if said.endswith(tuple(ends))] if ends else []
    return next((head for head in ranked if any(_texts(frame[head]))), None)


def _named(
    file: str, features: Any, name: str | None, code: str | None, key: str
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the features' columns with key, code, name and county, and faults of the names."""
    frame = pd.DataFrame(features).copy()
    frame.columns = [str(head) for head in frame.columns]
    if "geometry" in frame:
        frame = frame.drop(columns="geometry")
    faults = [
        Fault(file, None, option, one, nearest(one, frame.columns))
        for option, one in (("--name", name), ("--code", code))
        if one is not None and one not in frame
    ]
    if faults:
        return frame, faults
    used = {
        "code": code or (None if name else _column(frame, CODES, ENDS["code"])),
        "name": name or (None if code else _column(frame, NAMES, ENDS["name"])),
        "county": _column(frame, COUNTIES, ()) if key == "area" else None,
    }
    if used["county"] in (used["code"], used["name"]):
        used["county"] = None
    blank = [""] * len(frame)
    said = {what: _texts(frame[head]) if head else blank for what, head in used.items()}
    heads = [head for head in (used["name"], used["code"]) if head]
    chosen = next(
        (head for head in heads if len({*_texts(frame[head])} - {""}) == len(frame)), None
    )
    if not heads:
        cure = Message("say which column it is: --name COLUMN")
        listed = ", ".join(frame.columns) or "-"
        what = Message("a column of names or codes")
        return frame, [Fault(file, None, "", listed, what, cure)]
    if chosen is None:
        return frame, _names_amiss(file, frame, heads[0])
    rest = frame.drop(columns=[key, "code", "name", "county"], errors="ignore")
    made = pd.DataFrame({key: _texts(frame[chosen]), **said}, dtype="str")
    return pd.concat([made, rest], axis=1), []


def _names_amiss(file: str, frame: pd.DataFrame, head: str) -> list[Fault]:
    """Name the features that have no name, or one that another has."""
    texts = pd.Series(_texts(frame[head]))
    cure = Message("give each a name of its own, or name another column: --name COLUMN")
    faults = [
        Fault(file, at + 1, head, "", Message("a name"), cure)
        for at in np.flatnonzero(texts == "")[:SHOWN].tolist()
    ]
    again = texts[(texts != "") & texts.duplicated()].drop_duplicates()
    return faults + [
        Fault(file, at + 1, head, text, Message("each name once"), cure)
        for at, text in zip(again.index[:SHOWN].tolist(), again, strict=False)
    ]


# ---- shapes


def _polygons(
    file: str, geometry: NDArray[np.object_]
) -> tuple[NDArray[np.object_], list[Fault], list[Message]]:
    """Return sound polygons, faults of features that are none, and notes of what was mended."""
    import shapely

    faults = _wrong_kinds(file, geometry, POLYGONS, Message("a polygon"))
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


def _wrong_kinds(
    file: str, geometry: NDArray[np.object_], kinds: Sequence[str], what: Message
) -> list[Fault]:
    import shapely

    faults = []
    for at, shape in enumerate(geometry):
        missing = shape is None or shapely.is_empty(shape)
        if missing or shape.geom_type not in kinds:
            said = "no geometry" if missing else shape.geom_type
            faults.append(Fault(file, at + 1, "", said, what))
    if len(faults) > SHOWN:
        more = f"{len(faults) - SHOWN} more rows"
        faults = [*faults[:SHOWN], Fault(file, None, "", more, what)]
    return faults


def _places(file: str, geometry: NDArray[np.object_]) -> tuple[Floats, Floats, list[Fault]]:
    """Return longitude and latitude of points; of several points in one their middle."""
    import shapely

    faults = _wrong_kinds(file, geometry, POINTS, Message("a point"))
    middle = shapely.centroid(geometry)
    return shapely.get_x(middle), shapely.get_y(middle), faults


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
        pairs = tuple(f"{names[a[k]]} / {names[b[k]]}" for k in np.flatnonzero(over)[:5])
        pairs += ("…",) if over.sum() > 5 else ()
        text = "areas overlap: {pairs}; a school there is taken for the first of them"
        notes.append(Message(text, {"pairs": pairs}))
    alone = sorted(set(range(len(shapes))) - {*a[touching].tolist(), *b[touching].tolist()})
    if alone and len(shapes) > 1:
        first = tuple(str(names[k]) for k in alone[:5]) + (("…",) if len(alone) > 5 else ())
        text = "{number} areas share a boundary with no other: {names}"
        notes.append(Message(text, {"number": len(alone), "names": first}))
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
