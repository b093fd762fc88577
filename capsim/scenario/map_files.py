"""Files of maps, roads and tables of points, read as shapes in degrees of WGS-84.

GeoJSON, GeoPackage and shapefiles are read by geopandas, the extra ``geo``. What a file leaves out,
or says wrongly, is a fault: its coordinate system above all.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from capsim.i18n.language import Message
from capsim.io.atomic import whole_bytes
from capsim.scenario.cell_values import number_of
from capsim.scenario.cell_words import axis_of, degrees_of
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.parsing import SHOWN
from capsim.scenario.table_reader import encoding_of, read_table
from capsim.scenario.travel import IN_CHINA, Floats, Origin, Roads, from_gcj02, to_km

MAPS = (".geojson", ".json", ".gpkg", ".shp", ".zip")
"""Endings of files that hold maps."""
TABLES_OF_POINTS = (".csv", ".xlsx")
"""Endings of tables whose rows are points, by their columns of longitude and latitude."""
GCJ02 = ("gcj02", "gcj-02")
"""What names the coordinate system of Chinese web maps."""
UNSTATED = ("Unknown", "GeometryCollection", "None")
"""Kinds of a layer whose shapes must be looked at."""


class MissingExtraError(ValueError):
    """Raised where maps are to be read and the libraries for it are not installed."""


def library() -> Any:
    """Return geopandas, or say how it is installed."""
    try:
        import geopandas
    except ImportError as error:
        text = 'maps are read with geopandas, which is not installed: pip install "capsim[geo]"'
        raise MissingExtraError(Message(text)) from error
    return geopandas


def is_map(path: Path) -> bool:
    """Check by its ending whether a file holds a map.

    Examples
    --------
    >>> is_map(Path("areas.GeoJSON")), is_map(Path("city.xlsx"))
    (True, False)
    """
    return path.suffix.casefold() in MAPS


def plain(text: object) -> str:
    """Return a header without case, width and underscores."""
    return normalize("NFKC", str(text)).casefold().replace("_", " ").strip()


def _members(path: Path) -> list[str]:
    """Return the shapefiles in a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [one for one in archive.namelist() if one.casefold().endswith(".shp")]
    except (zipfile.BadZipFile, OSError):
        return []


def _unread(file: str, why: str) -> ScenarioError:
    what = Message("a map that can be read (GeoJSON, GeoPackage, shapefile or one in a zip)")
    return ScenarioError([Fault(file, None, "", why, what)])


def layers(path: Path) -> list[tuple[str, str]]:
    """List the layers of a map, and what they show."""
    library()
    import pyogrio
    from pyogrio.errors import DataSourceError

    if not path.is_file():
        cure = Message("name one that is there")
        raise ScenarioError(
            [Fault(str(path), None, "", None, Message("there is no such file"), cure)]
        )
    if path.stat().st_size == 0:
        raise _unread(path.name, "0 bytes")
    if path.suffix.casefold() == ".zip" and not _members(path):
        raise _unread(path.name, "no .shp in the zip")
    lacking = [end for end in (".dbf", ".shx") if not _beside(path, end)]
    if path.suffix.casefold() == ".shp" and lacking:
        what = Message("a shapefile with all its parts (.shp, .shx, .dbf, .prj)")
        cure = Message("put {files} beside it", {"files": tuple(lacking)})
        raise ScenarioError([Fault(path.name, None, "", path.name, what, cure)])
    try:
        return [(str(name), str(kind)) for name, kind in pyogrio.list_layers(path)]
    except DataSourceError as error:
        raise _unread(path.name, str(error).splitlines()[0]) from error


def _beside(path: Path, ending: str) -> Path | None:
    """Return the part of a shapefile with that ending, written small or large."""
    found = (path.with_suffix(end) for end in (ending, ending.upper()))
    return next((one for one in found if one.is_file()), None)


def features(
    path: Path, crs: str | None, encoding: str | None, kinds: Sequence[str]
) -> tuple[Any, list[Message]]:
    """Read the layer of a kind as a frame in degrees of WGS-84, and say what was found out."""
    geopandas = library()
    from pyogrio.errors import DataLayerError, DataSourceError

    notes: list[Message] = []
    found = layers(path)
    wanted = [name for name, kind in found if not kinds or any(one in kind for one in kinds)]
    # A layer of mixed or unstated kind may hold what is wanted: its shapes are looked at.
    wanted = wanted or [name for name, kind in found if kind in UNSTATED]
    if len(wanted) != 1:
        what = Message("one layer of shapes of kind {kind}", {"kind": " ".join(kinds) or "*"})
        cure = Message("keep one such layer in the file")
        said = ", ".join(f"{name} ({kind})" for name, kind in found)
        raise ScenarioError([Fault(path.name, None, "", said, what, cure)])
    given = encoding or _encoding_of_shapefile(path, notes)
    try:
        frame = geopandas.read_file(path, layer=wanted[0], encoding=given)
    except (DataLayerError, DataSourceError, LookupError, UnicodeDecodeError, ValueError) as error:
        raise _unread(path.name, str(error).splitlines()[0]) from error
    if not isinstance(frame, geopandas.GeoDataFrame) or frame.empty:
        raise ScenarioError([Fault(path.name, None, "", "no rows", Message("rows"))])
    frame = frame.reset_index(drop=True)
    frame, more = _in_degrees(path, frame, crs)
    return frame, notes + more


def _encoding_of_shapefile(path: Path, notes: list[Message]) -> str | None:
    """Tell the encoding of texts of a shapefile that does not say it; None: leave it to GDAL."""
    end = path.suffix.casefold()
    if end == ".shp":
        table = _beside(path, ".dbf")
        content = b"" if table is None or _beside(path, ".cpg") else whole_bytes(table)
    elif end == ".zip":
        with zipfile.ZipFile(path) as archive:
            parts = {Path(one).suffix.casefold(): one for one in archive.namelist()}
            silent = ".dbf" in parts and ".cpg" not in parts
            content = archive.read(parts[".dbf"]) if silent else b""
    else:
        return None
    if len(content) < 32 or content[29]:
        return None
    start = int.from_bytes(content[8:10], "little")
    heads = b" ".join(content[at : at + 11] for at in range(32, start - 32, 32))
    written = (heads + b" " + content[start:]).replace(b"\0", b" ")
    if written.isascii():
        return None
    if not (found := encoding_of(written)):
        what = Message("texts whose encoding can be told (a shapefile has it in a .cpg)")
        cure = Message("say which it is: --encoding gb18030, utf-8, cp949, cp1252")
        raise ScenarioError([Fault(path.name, None, "", None, what, cure)])
    labels = {"gb18030": "GBK (GB18030)", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
    label = labels.get(found, found.upper())
    notes.append(Message("encoding: {encoding}, found by trial", {"encoding": label}))
    return found


def _in_degrees(path: Path, frame: Any, crs: str | None) -> tuple[Any, list[Message]]:
    """Return features in degrees of WGS-84."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    file, own = path.name, frame.crs
    notes: list[Message] = []
    stated = (crs or "").casefold()
    named = None
    if crs is not None and stated not in GCJ02:
        try:
            named = CRS.from_user_input(crs)
        except CRSError as error:
            what = Message("a coordinate system, such as EPSG:4326, EPSG:4547 or gcj02")
            raise ScenarioError([Fault(file, None, "--crs", crs, what)]) from error
    implied = path.suffix.casefold() in (".geojson", ".json") and (
        own is None or own.to_epsg() == 4326
    )
    if named is not None and own is not None and not implied and own != named:
        what = Message("the coordinate system that the file states: {own}", {"own": own.name})
        cure = Message("leave --crs out, or take the system out of the file")
        raise ScenarioError([Fault(file, None, "--crs", str(crs), what, cure)])
    if named is None and own is None and stated not in GCJ02:
        what = Message("the coordinate system is not stated (a shapefile has it in a .prj)")
        cure = Message(
            "put {prj} beside it, or say which it is: --crs EPSG:4326 for degrees of WGS-84,"
            " EPSG:4547 or the like for metres, gcj02 for Chinese web maps",
            {"prj": path.stem + ".prj"},
        )
        raise ScenarioError([Fault(file, None, "", None, what, cure)])
    if stated in GCJ02:
        frame = frame.set_crs(4326, allow_override=True)
    elif named is not None:
        frame = frame.set_crs(named, allow_override=True)
    if not frame.crs.is_geographic:
        notes.append(Message("projected from {crs} to degrees", {"crs": frame.crs.name}))
    _check_degrees(file, frame)
    frame = frame.to_crs(4326)
    _check_degrees(file, frame)
    if stated in GCJ02:
        import shapely

        turned = shapely.transform(frame.geometry.to_numpy(), from_gcj02)
        frame = frame.set_geometry(type(frame.geometry)(turned, crs=4326))
        notes.append(Message("coordinates turned from GCJ-02 to WGS-84"))
    elif crs is None and implied and _all_in_china(frame.total_bounds):
        notes.append(_unstated())
    return frame, notes


def _bounds(lon: Floats, lat: Floats) -> tuple[float, float, float, float]:
    if not len(lon):
        return (np.nan,) * 4
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def _all_in_china(bounds: Any) -> bool:
    west, south, east, north = (float(one) for one in bounds)
    low_x, high_x, low_y, high_y = IN_CHINA
    return low_x <= west and east <= high_x and low_y <= south and north <= high_y


def _unstated() -> Message:
    return Message(
        "read as WGS-84; coordinates of Chinese web maps are GCJ-02, 100 to 700 m off: say"
        " --crs gcj02 then"
    )


def _check_degrees(file: str, frame: Any) -> None:
    """Refuse degrees that are none, and say what they probably are."""
    if not frame.crs.is_geographic:
        return
    west, south, east, north = (float(one) for one in frame.total_bounds)
    if np.isnan(west) or (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        return
    if not np.isfinite([west, south, east, north]).all():
        cure = Message("say which coordinate system they are in: --crs EPSG:…")
    elif south >= -180 and north <= 180 and west >= -90 and east <= 90:
        cure = Message("longitude and latitude are swapped: longitude comes first")
    else:
        cure = Message("say which coordinate system they are in: --crs EPSG:…")
    what = Message("a longitude to 180 and a latitude to 90 degrees")
    raise ScenarioError([Fault(file, None, "", f"{west:g}, {south:g}", what, cure)])


POINTS = ("Point", "MultiPoint")


def points_of_map(
    path: Path, crs: str | None, encoding: str | None
) -> tuple[pd.DataFrame, Floats, Floats, list[Message], list[Fault]]:
    """Read a map of points, of several in one their middle, as `points_of_table` does a table."""
    found, notes = features(path, crs, encoding, POINTS)
    import shapely

    geometry = found.geometry.to_numpy()
    faults = wrong_kinds(path.name, geometry, POINTS, Message("a point"))
    middle = shapely.centroid(geometry)
    frame = pd.DataFrame(found.drop(columns=found.geometry.name))
    return frame, shapely.get_x(middle), shapely.get_y(middle), notes, faults


def wrong_kinds(file: str, geometry: Any, kinds: Sequence[str], what: Message) -> list[Fault]:
    """Name the shapes that are missing, or of another kind than asked for."""
    import shapely

    faults = []
    for at, shape in enumerate(geometry):
        missing = shape is None or shapely.is_empty(shape)
        if missing or shape.geom_type not in kinds:
            said = Message("no geometry") if missing else shape.geom_type
            faults.append(Fault(file, at + 1, "", said, what))
    if len(faults) > SHOWN:
        more = Message("{number} more rows", {"number": len(faults) - SHOWN})
        faults = [*faults[:SHOWN], Fault(file, None, "", more, what)]
    return faults


def points_of_table(
    path: Path, crs: str | None, encoding: str | None
) -> tuple[pd.DataFrame, Floats, Floats, list[Message], list[Fault]]:
    """Read a table of places: longitude and latitude, or metres in a stated coordinate system."""
    read = read_table(path, encoding=encoding, known=lambda cell: bool(axis_of(cell)))
    file, frame = read.name, _of_pairs(read.frame)
    notes = list(read.notes)
    stated = (crs or "").casefold()
    degrees = crs is None or stated in (*GCJ02, "epsg:4326", "wgs84", "wgs-84")
    heads = [str(head) for head in frame]
    found = {axis_of(head): head for head in heads if axis_of(head)}
    metres = {METRES[plain(head)]: head for head in heads if plain(head) in METRES}
    if len(found) < 2 and (len(metres) < 2 or crs is None):
        what = Message("columns lon and lat, in degrees")
        cure = None
        if len(metres) == 2:
            text = "or name the coordinate system of {columns}: --crs EPSG:27700 or the like"
            cure = Message(text, {"columns": tuple(metres.values())})
        raise ScenarioError([Fault(file, None, "", ", ".join(frame.columns), what, cure)])
    in_metres = len(found) < 2
    found = metres if in_metres else found
    faults = list[Fault]()
    blank = np.all([(frame[head] == "").to_numpy() for head in found.values()], axis=0)
    if blank.any() and not blank.all():
        rows = tuple(str(row) for row in frame.index[blank][:SHOWN])
        text = "{number} rows without coordinates left out: {rows}"
        notes.append(Message(text, {"number": int(blank.sum()), "rows": rows}))
        frame = frame[~blank]
    axes = []
    for axis, most in (("x_km", 180.0), ("y_km", 90.0)):
        cells = frame[found[axis]].astype(str)
        metre = (number_of(cell) for cell in cells)
        values = np.array(
            [np.nan if one is None else float(one) for one in metre]
            if in_metres
            else [degrees_of(cell, axis) for cell in cells],
            np.float64,
        )
        what = Message("degrees, from -{most} to {most}", {"most": f"{most:g}"})
        if not degrees:
            most, what = np.inf, Message("a coordinate")
        for at in np.flatnonzero(~(np.abs(values) <= most))[:SHOWN].tolist():
            row = int(frame.index[at])
            faults.append(Fault(file, row, found[axis], cells.iloc[at], what))
        axes.append(values)
    lon, lat = axes
    for at in np.flatnonzero((lon == 0) & (lat == 0))[:SHOWN].tolist():
        what, cure = Message("the place of a school"), Message("leave it blank where none is known")
        faults.append(
            Fault(file, int(frame.index[at]), ", ".join(found.values()), "0, 0", what, cure)
        )
    if not degrees and not faults:
        lon, lat = _from_system(file, str(crs), lon, lat, notes)
    elif stated in GCJ02:
        lon, lat = from_gcj02(np.stack([lon, lat], axis=1)).T
        notes.append(Message("coordinates turned from GCJ-02 to WGS-84"))
    elif crs is None and _all_in_china(_bounds(lon, lat)):
        notes.append(_unstated())
    if frame.empty:
        faults.append(Fault(file, None, "", "no rows", Message("rows")))
    rest = frame.drop(columns=list(found.values())).reset_index(drop=True)
    return rest, lon, lat, notes, faults


METRES = {
    **dict.fromkeys(["easting", "eastings", "x", "point x", "x coord", "x coordinate"], "x_km"),
    **dict.fromkeys(["northing", "northings", "y", "point y", "y coord", "y coordinate"], "y_km"),
}
"""Headers of coordinates that mean nothing without their coordinate system."""
PAIR = re.compile(
    r"POINT *Z? *\( *(-?\d+(?:\.\d+)?) +(-?\d+(?:\.\d+)?)(?: +-?\d+(?:\.\d+)?)* *\)"
    r"|\(? *(-?\d+\.\d+) *[,，] *(-?\d+\.\d+) *\)?",
    re.IGNORECASE,
)


def _of_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Split a column of points: ``POINT (lon lat)``, or a pair of which one is no latitude."""
    if sum(bool(axis_of(str(head))) for head in frame) > 1:
        return frame
    for head in frame:
        cells = [PAIR.fullmatch(cell.strip()) for cell in frame[head].astype(str) if cell]
        pairs = np.array([[float(one) for one in c.groups() if one] for c in cells if c])
        if not len(pairs) or len(pairs) < len(cells):
            continue
        of_well_known = all(cell is not None and cell[1] for cell in cells)
        beyond = (np.abs(pairs) > 90).any(0)
        if not of_well_known and beyond.sum() != 1:
            continue
        lon = 0 if of_well_known else int(np.argmax(beyond))
        row = iter(pairs.tolist())
        both = [next(row) if cell else ["", ""] for cell in frame[head].astype(str)]
        split = {"lon": [str(one[lon]) for one in both], "lat": [str(one[1 - lon]) for one in both]}
        return frame.drop(columns=head).assign(**split)
    return frame


def _from_system(
    file: str, crs: str, x: Floats, y: Floats, notes: list[Message]
) -> tuple[Floats, Floats]:
    """Return coordinates of a system as degrees of WGS-84."""
    library()
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError

    what = Message("a coordinate system, such as EPSG:4326, EPSG:4547 or gcj02")
    try:
        system = CRS.from_user_input(crs)
    except CRSError as error:
        raise ScenarioError([Fault(file, None, "--crs", crs, what)]) from error
    lon, lat = Transformer.from_crs(system, 4326, always_xy=True).transform(x, y)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise ScenarioError([Fault(file, None, "--crs", crs, what)])
    notes.append(Message("projected from {crs} to degrees", {"crs": system.name}))
    return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


# ---- names

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
"""Headers of codes, names and counties, and how such headers end."""


def texts(values: pd.Series) -> list[str]:
    """Return values as texts: a number that is whole without a point, a missing one blank."""
    return [
        ""
        if pd.isna(one)
        else str(int(one))
        if isinstance(one, float) and one.is_integer()
        else " ".join(str(one).split())
        for one in values.tolist()
    ]


def _column(frame: pd.DataFrame, words: Sequence[str], ends: Sequence[str]) -> str | None:
    """Find the column whose header is one of some words, else ends like one."""
    heads = {str(head): plain(head) for head in frame}
    ranked = [head for word in words for head, said in heads.items() if said == word]
    ranked += [head for head, said in heads.items() if said.endswith(tuple(ends))] if ends else []
    return next((head for head in ranked if any(texts(frame[head]))), None)


def named(
    file: str, features: Any, column: str | None, key: str
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the features' columns with key, code, name and county, and faults of the names.

    The key is the column that is given, else the name, else the code: the first that has another
    text in every row.
    """
    frame = pd.DataFrame(features).copy()
    frame.columns = [str(head) for head in frame.columns]
    if "geometry" in frame:
        frame = frame.drop(columns="geometry")
    option = f"--{key}-column"
    if column is not None and column not in frame:
        return frame, [Fault(file, None, option, column, nearest(column, frame.columns))]
    used = {
        "code": _column(frame, CODES, ENDS["code"]),
        "name": _column(frame, NAMES, ENDS["name"]),
        "county": _column(frame, COUNTIES, ()) if key == "area" else None,
    }
    if used["county"] in (used["code"], used["name"], column):
        used["county"] = None
    heads = [column] if column else [head for head in (used["name"], used["code"]) if head]
    if not heads:
        cure = Message("say which column it is: {option} COLUMN", {"option": option})
        what = Message("a column of names or codes")
        return frame, [Fault(file, None, "", ", ".join(frame.columns) or "-", what, cure)]
    chosen = next((head for head in heads if len({*texts(frame[head])} - {""}) == len(frame)), None)
    if chosen is None:
        return frame, _names_amiss(file, frame, heads[0], option)
    blank = [""] * len(frame)
    said = {what: texts(frame[head]) if head else blank for what, head in used.items()}
    rest = frame.drop(columns=[key, "code", "name", "county"], errors="ignore")
    made = pd.DataFrame({key: texts(frame[chosen]), **said}, dtype="str")
    return pd.concat([made, rest], axis=1), []


def _names_amiss(file: str, frame: pd.DataFrame, head: str, option: str) -> list[Fault]:
    """Name the features that have no name, or one that another has."""
    found = pd.Series(texts(frame[head]))
    text = "give each a name of its own, or name another column: {option} COLUMN"
    cure = Message(text, {"option": option})
    faults = [
        Fault(file, at + 1, head, "", Message("a name"), cure)
        for at in np.flatnonzero(found == "")[:SHOWN].tolist()
    ]
    again = found[(found != "") & found.duplicated()].drop_duplicates()
    return faults + [
        Fault(file, at + 1, head, text, Message("each name once"), cure)
        for at, text in zip(again.index[:SHOWN].tolist(), again, strict=False)
    ]


# ---- roads

ROADS = (".graphml", ".csv", ".xlsx")
"""Endings of files of roads."""
EDGE: Mapping[str, tuple[str, ...]] = {
    "from": ("from", "source", "u", "起点"),
    "to": ("to", "target", "v", "终点"),
    "km": ("km", "length km", "公里", "千米"),
    "m": ("m", "length", "length m", "米"),
    "minutes": ("minutes", "min", "分钟"),
    "s": ("s", "seconds", "travel time", "秒"),
    "oneway": ("oneway", "one way", "单行"),
    "from_lon": ("from lon", "from x", "起点经度"),
    "from_lat": ("from lat", "from y", "起点纬度"),
    "to_lon": ("to lon", "to x", "终点经度"),
    "to_lat": ("to lat", "to y", "终点纬度"),
}
"""Headers of edges of roads; OSMnx gives `length` in metres and `travel_time` in seconds."""
YES = ("yes", "true", "1", "是")


def read_roads(path: str | Path, *, origin: Origin, crs: str | None = None) -> Roads:
    """Read a road network: GraphML (as OSMnx writes it), or a table of edges.

    A table has the columns from, to, km (or m), from_lon, from_lat, to_lon, to_lat, if wanted
    minutes and oneway (yes, no); its edges lead both ways unless oneway. In GraphML nodes have x
    and y (or lon and lat), edges length (m) or km, if wanted travel_time (s) or minutes; whether
    they lead both ways the file says (edgedefault). Coordinates are degrees.

    Parameters
    ----------
    path : path
    origin : tuple of float
        Longitude and latitude of x_km = y_km = 0.
    crs : str, optional
        ``gcj02`` where coordinates are those of Chinese web maps.

    Raises
    ------
    ScenarioError
        With all that is wrong: no roads, edges without a length, nodes without a place.
    """
    path = Path(path)
    if path.suffix.casefold() == ".graphml":
        edges, lines = _graphml(path)
    else:
        read = read_table(path, known=lambda cell: any(plain(cell) in one for one in EDGE.values()))
        edges, lines = read.frame.reset_index(drop=True), [int(line) for line in read.frame.index]
    return _roads(path.name, edges, lines, origin, crs)


def _roads(
    file: str, edges: pd.DataFrame, lines: Sequence[int], origin: Origin, crs: str | None
) -> Roads:
    """Turn a table of edges into a network, or list what is wrong with it."""
    heads = {plain(head): str(head) for head in edges}
    found = {
        key: next((heads[word] for word in words if word in heads), None)
        for key, words in EDGE.items()
    }
    needed = [key for key in ("from", "to", *CORNERS) if found[key] is None]
    needed += [] if found["km"] or found["m"] else ["km"]
    if needed or edges.empty:
        what = Message("edges of roads with the columns {columns}", {"columns": tuple(needed)})
        said = ", ".join(map(str, edges.columns)) or "no rows"
        raise ScenarioError([Fault(file, None, "", said, what)])
    faults: list[Fault] = []

    def numbers(key: str, low: float, high: float, what: Message) -> Floats:
        cells = edges[found[key]]
        values = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
        bad = np.flatnonzero(~((values >= low) & (values <= high)))
        for at in bad[:SHOWN].tolist():
            value = "" if pd.isna(cells.iloc[at]) else str(cells.iloc[at])
            faults.append(Fault(file, lines[at], str(found[key]), value, what))
        return values

    length = Message("the length of a road, a number >= 0")
    km = numbers("km", 0, 1e5, length) if found["km"] else numbers("m", 0, 1e8, length) / 1000
    minutes = np.full(len(edges), np.nan)
    duration = Message("the time on a road, a number >= 0")
    if found["minutes"]:
        minutes = numbers("minutes", 0, 1e6, duration)
    elif found["s"]:
        minutes = numbers("s", 0, 1e8, duration) / 60
    place = Message("a longitude to 180 and a latitude to 90 degrees")
    lon = np.concatenate([numbers(key, -180, 180, place) for key in ("from_lon", "to_lon")])
    lat = np.concatenate([numbers(key, -90, 90, place) for key in ("from_lat", "to_lat")])
    if faults:
        raise ScenarioError(faults)
    if crs is not None and crs.casefold() in GCJ02:
        lon, lat = from_gcj02(np.stack([lon, lat], axis=1)).T
    names = pd.concat([edges[found["from"]], edges[found["to"]]]).astype(str)
    number = pd.factorize(names)[0]
    first = np.unique(number, return_index=True)[1]
    x, y = to_km(lon[first], lat[first], origin)
    start, end = number[: len(edges)], number[len(edges) :]
    both = np.ones(len(edges), bool)
    if found["oneway"]:
        both = ~edges[found["oneway"]].astype(str).str.casefold().isin(YES).to_numpy(bool)
    return Roads(
        x,
        y,
        np.concatenate([start, end[both]]).astype(np.int64),
        np.concatenate([end, start[both]]).astype(np.int64),
        np.concatenate([km, km[both]]),
        np.concatenate([minutes, minutes[both]]),
    )


CORNERS = ("from_lon", "from_lat", "to_lon", "to_lat")


def _graphml(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """Read the nodes and edges of a GraphML file as a table of edges; rows count the edges."""
    content = whole_bytes(path)
    if b"<!ENTITY" in content:
        raise _unread(path.name, "<!ENTITY")  # which could grow without end
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise _unread(path.name, str(error)) from error
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    keys = {one.get("id"): one.get("attr.name", "") for one in root.iter(f"{space}key")}

    def data(item: ElementTree.Element) -> dict[str, str]:
        parts = item.iter(f"{space}data")
        return {keys.get(one.get("key")) or "": (one.text or "").strip() for one in parts}

    places = {}
    for node in root.iter(f"{space}node"):
        said = {plain(key): value for key, value in data(node).items()}
        x = next((said[key] for key in ("lon", "longitude", "x") if key in said), "")
        y = next((said[key] for key in ("lat", "latitude", "y") if key in said), "")
        places[node.get("id", "")] = (x, y)
    graph = root.find(f"{space}graph")
    directed = graph is not None and graph.get("edgedefault") == "directed"
    rows = []
    for edge in root.iter(f"{space}edge"):
        ends = edge.get("source", ""), edge.get("target", "")
        corners = [*places.get(ends[0], ("", "")), *places.get(ends[1], ("", ""))]
        said = data(edge)
        said.pop("oneway", None)  # of OSMnx: the edge back is in the file where there is one
        row = {**said, "from": ends[0], "to": ends[1], **dict(zip(CORNERS, corners, strict=True))}
        rows.append({**row, "oneway": "yes" if directed else "no"})
    return pd.DataFrame(rows), list(range(1, len(rows) + 1))


def read_matrix(path: str | Path) -> pd.DataFrame:
    """Read distances in km from areas to areas or schools, wide or long.

    Wide: the first column names areas, each further column an area or a school. Long: the columns
    area, to and km.

    Returns
    -------
    DataFrame
        Index area, a column for each area or school; NaN where no distance is given.

    Raises
    ------
    ScenarioError
        With all that is wrong: cells that are no distances, pairs given twice.
    """
    read = read_table(Path(path))
    file, frame = read.name, read.frame
    heads = [plain(head) for head in frame]
    first = str(frame.columns[0]) if len(heads) else ""
    if len(heads) >= 3 and "km" in heads and "to" in heads:
        to, km = (str(frame.columns[heads.index(one)]) for one in ("to", "km"))
        long = frame[[first, to, km]].set_axis(["area", "to", "km"], axis=1)
    else:
        long = frame.reset_index(names="line").melt(["line", first], var_name="to", value_name="km")
        long = long.set_index("line").rename(columns={first: "area"})
    cells = long["km"].astype(str).str.strip()
    values = pd.to_numeric(cells.where(cells != ""), errors="coerce")
    what, faults = Message("a distance in km, a number >= 0, or a blank"), list[Fault]()
    bad = ((values.isna() & (cells != "")) | (values < 0)).to_numpy(bool)
    for at in np.flatnonzero(bad)[:SHOWN].tolist():
        line = int(long.index[at])
        faults.append(Fault(file, line, str(long["to"].iloc[at]), cells.iloc[at], what))
    twice = long.duplicated(["area", "to"]).to_numpy(bool)
    for at in np.flatnonzero(twice)[:SHOWN].tolist():
        pair = f"{long['area'].iloc[at]} - {long['to'].iloc[at]}"
        faults.append(Fault(file, int(long.index[at]), "", pair, Message("each pair once")))
    if long.empty:
        faults.append(Fault(file, None, "", "no rows", Message("rows")))
    if faults:
        raise ScenarioError(faults)
    return long.assign(km=values).set_index(["area", "to"])["km"].unstack()  # noqa: PD010 (each pair stands once)
