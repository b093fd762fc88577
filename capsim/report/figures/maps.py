"""Maps: what areas lack and where children go, schools, and catchments.

Areas and schools stand at their coordinates; names stand beside discs where they cover least.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from capsim.i18n.language import Words, width
from capsim.lp.array_types import Array
from capsim.plan.plan import Plan
from capsim.report.figures.style import BLACK, BLUE, VERMILLION, drawing, new_figure, note, short
from capsim.scenario.scenario import Scenario

XY = ["x_km", "y_km"]
LETTER = 7.5
"""Size of the letters, points."""
GAP = 2.0
"""Between a disc and its name, points."""
WAYS = ((0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
"""Sides of a disc on which its name may stand, the best first."""


def beside(texts: Array, across: Array, discs: Array) -> Array:
    """Choose for each name the side of its disc where it covers least of discs and earlier names.

    Parameters
    ----------
    texts, discs
        Boxes ``[x, y, half width, half height]``, in points; a text's is centred on its disc.
    across
        Diameter of each text's disc, points.

    Returns
    -------
    array
        Offset ``[dx, dy]`` of each text from its disc, points.

    Examples
    --------
    >>> text, own, above = [0.0, 0.0, 9.0, 4.0], [0.0, 0.0, 5.0, 5.0], [0.0, 12.0, 5.0, 5.0]
    >>> beside(np.array([text]), np.array([10.0]), np.array([own]))
    array([[ 0., 11.]])
    >>> beside(np.array([text]), np.array([10.0]), np.array([own, above]))
    array([[16.,  0.]])
    """
    taken, ways = discs, np.zeros((len(texts), 2))
    for at, (text, size) in enumerate(zip(texts, across, strict=True)):
        offsets = np.array(WAYS) * (size / 2 + GAP + text[2:])
        placed = np.hstack([text[:2] + offsets, np.tile(text[2:], (len(WAYS), 1))])
        best = int(_covered(placed, taken).argmin())
        ways[at] = offsets[best]
        taken = np.vstack([taken, placed[best]])
    return ways


def _covered(boxes: Array, taken: Array) -> Array:
    """Compute the area of each box that boxes already there cover, square points."""
    apart = np.abs(boxes[:, None, :2] - taken[None, :, :2])
    inside = boxes[:, None, 2:] + taken[None, :, 2:] - apart
    inside = np.minimum(inside, 2 * np.minimum(boxes[:, None, 2:], taken[None, :, 2:]))
    area: Array = np.clip(inside, 0.0, None).prod(axis=2).sum(axis=1)
    return area


MOST_FLOWS = 120
"""Lines drawn: the largest flows between places."""
MOST_NAMES = 30
LARGEST = 400
"""Area of the disc of the area with most children, square points."""
NEAR = 5
"""A place is crowded by so many neighbours."""
Frame = tuple[float, float, float, float]


def map_table(plan: Plan, school_year: int) -> pd.DataFrame:
    """Tabulate areas with coordinates, compulsory stages of a school year.

    Returns
    -------
    DataFrame
        Index area; columns county, x_km, y_km, children, lacking (above standard or without a
        place), shortfall (without a place); persons.
    """
    areas = plan.scenario.table("areas").set_index("area")[["county", *XY]].dropna(subset=XY)
    balance = plan.tables["balance"]
    stages = list(plan.scenario.settings.stages.compulsory)
    rows = balance[balance["stage"].isin(stages) & (balance["school_year"] == school_year)]
    sums = rows.groupby("area")[["children", "overfilled", "shortfall"]].sum()
    table = areas.join(sums, how="inner")
    table["lacking"] = table["overfilled"] + table["shortfall"]
    columns = ["county", "x_km", "y_km", "children", "lacking", "shortfall"]
    return pd.DataFrame(table, columns=columns)


def flow_table(plan: Plan, school_year: int, most: int = MOST_FLOWS) -> pd.DataFrame:
    """List the largest flows of pupils of the compulsory stages between different places.

    Returns
    -------
    DataFrame
        area, to (area or school), x0, y0, x1, y1 (km), pupils; the largest first.
    """
    areas = plan.scenario.table("areas").set_index("area")[XY]
    schools = plan.scenario.table("schools").drop_duplicates("school")
    places = _points(plan, schools)
    places = pd.concat([areas, places[~places.index.isin(areas.index)]])
    flows = plan.tables["flows"]
    stages = list(plan.scenario.settings.stages.compulsory)
    flows = flows[(flows["school_year"] == school_year) & flows["stage"].isin(stages)]
    to = flows["to_area"].where(flows["to_area"] != "", flows["to_school"])
    sums = flows.assign(to=to).groupby(["area", "to"], as_index=False)["pupils"].sum()
    for end, key in (("0", "area"), ("1", "to")):
        for axis in ("x", "y"):
            sums[f"{axis}{end}"] = sums[key].map(places[f"{axis}_km"])
    sums = sums.dropna()
    apart = (sums["x0"] != sums["x1"]) | (sums["y0"] != sums["y1"])
    order = ["pupils", "area", "to"]
    sums = sums[apart].sort_values(order, ascending=[False, True, True]).head(most)
    columns = ["area", "to", "x0", "y0", "x1", "y1", "pupils"]
    return pd.DataFrame(sums, columns=columns).reset_index(drop=True)


def crowd(table: pd.DataFrame) -> Frame | None:
    """Find the part of a map in which a quarter of the areas stand too close to be told apart.

    Returns
    -------
    tuple, or None
        Least and largest x_km and y_km; None where no part is crowded.
    """
    xy = table[XY].to_numpy(np.float64)
    if len(xy) <= NEAR:
        return None
    apart = np.asarray(cKDTree(xy).query(xy, NEAR + 1)[0])
    close = apart[:, NEAR] <= np.quantile(apart[:, NEAR], 0.25)
    span, crowded = np.ptp(xy, axis=0).max(), xy[close]
    if np.ptp(crowded, axis=0).max() > 0.4 * span or np.median(apart[close, 1]) > span / 30:
        return None
    gap = 0.15 * np.ptp(crowded, axis=0).max()
    (x0, y0), (x1, y1) = crowded.min(axis=0) - gap, crowded.max(axis=0) + gap
    return float(x0), float(x1), float(y0), float(y1)


@drawing(9, 7)
def place_map(ax: Axes, plan: Plan, school_year: int, *, lang: str = "en") -> None:
    """Draw areas by their children and what they lack, and flows between them, on an Axes.

    A disc is as large as the children, as dark as the share of them above standard or without a
    place; a thick black rim: some have none. Arrows are as wide as their flow. Schools that have
    coordinates of their own are squares (public) and triangles (private).
    """
    say = plan.scenario.words(lang)
    flows, discs = _draw_part(ax, plan, school_year, None, say)
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.1)
    _size_key(ax, map_table(plan, school_year), say)
    bar = ax.figure.colorbar(discs, ax=ax, shrink=0.6, pad=0.02)
    bar.set_label(say("above standard or without a place"))
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    ax.set_title(say("Where seats are lacking and where children go, {year}", year=school_year))
    biggest = say.count(float(flows["pupils"].max())) if len(flows) else "0"
    text = say(
        "Compulsory stages. Discs: children; a thick rim: some without a place. Arrows: flows"
        " between places, the {number} largest, the widest {biggest} pupils.",
        number=len(flows),
        biggest=biggest,
    )
    if _single(plan):
        text += " " + say("Squares: public schools, triangles: private ones.")
    if len(plan.scenario.table("boundaries")):
        text += " " + say("Lines: boundaries of areas, heavier of counties.")
    note(ax, plan.scenario, say, text)


TITLE = 24
"""Points that the title of a map takes, above which its key stands."""


def _size_key(ax: Axes, table: pd.DataFrame, say: Words) -> None:
    """Write above the map how many children discs of some sizes stand for."""
    most = float(table["children"].max()) if len(table) else 0.0
    if most < 1:
        return
    keys = pd.DataFrame({"children": [round_down(part * most) for part in (0.1, 0.4, 1.0)]})
    keys = keys.drop_duplicates().query("children > 0")
    sizes = _sizes(keys, _largest(table), most)
    for count, size in zip(keys["children"], sizes, strict=True):
        ax.scatter([], [], s=size, c="#FFFFFF", edgecolors=BLACK, lw=0.5, label=say.count(count))
    look: dict[str, Any] = {"ncols": 3, "title": say("children"), "borderaxespad": 0.2}
    figure = ax.get_figure(root=True)
    assert figure is not None
    above = ScaledTranslation(0.0, TITLE / 72, figure.dpi_scale_trans)
    look["bbox_transform"] = ax.transAxes + above
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), **look)


def round_down(value: float) -> float:
    """Round down to 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> [round_down(value) for value in (4321, 0.3, 10)]
    [2000.0, 0.2, 10.0]
    """
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)) * power)


def _largest(table: pd.DataFrame) -> float:
    """Return the area of the largest disc of a whole map, square points."""
    return LARGEST if crowd(table) is None else LARGEST / 4


def _draw_part(
    ax: Axes, plan: Plan, school_year: int, frame: Frame | None, say: Words
) -> tuple[pd.DataFrame, PathCollection]:
    """Draw the map, or the part of it in a frame; returns the flows and the discs."""
    table, flows = map_table(plan, school_year), flow_table(plan, school_year)
    draw_boundaries(ax, plan.scenario)
    for row in flows.to_dict("records"):
        width = 0.3 + 3.2 * row["pupils"] / flows["pupils"].iloc[0]
        line: dict[str, Any] = {"color": BLUE, "alpha": 0.7, "linewidth": width, "zorder": 1}
        ends = (row["x0"], row["y0"]), (row["x1"], row["y1"])
        style = f"-|>,head_length={2 + width},head_width={1 + 0.6 * width}"
        ax.add_patch(FancyArrowPatch(*ends, arrowstyle=style, shrinkA=2, shrinkB=4, **line))
    largest = _largest(table) if frame is None else LARGEST
    discs = _draw_areas(ax, table, largest)
    _name_counties(ax, table, largest, frame)
    for stage in plan.scenario.settings.stages.compulsory if _single(plan) else ():
        draw_schools(ax, plan, stage, school_year, largest / 10)
    if frame is not None:
        ax.set_xlim(frame[:2])
        ax.set_ylim(frame[2:])
        ax.set_aspect("equal", adjustable="box")
    ax.set_xlabel(say("east, km"))
    ax.set_ylabel(say("north, km"))
    return flows, discs


def outlines(scenario: Scenario) -> dict[str, list[Array]]:
    """Return the outlines and holes of each area: places ``[point, (x, y)]``, km.

    Outlines run against the clock and holes with it, as a map that is imported has them.
    """
    table = scenario.table("boundaries").sort_values(["area", "ring", "point"], kind="stable")
    found: dict[str, list[Array]] = {}
    for (area, _), ring in table.groupby(["area", "ring"], sort=False):
        found.setdefault(str(area), []).append(ring[XY].to_numpy(np.float64))
    return found


def area_path(rings: list[Array]) -> Path:
    """Return an area as a path that can be filled but for its holes."""
    closed = [np.concatenate([ring, ring[:1]]) for ring in rings]
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in closed))


def draw_boundaries(ax: Axes, scenario: Scenario) -> None:
    """Draw the areas of a scenario that has boundaries: their ground and what parts them.

    A heavier line runs between counties.
    """
    found = outlines(scenario)
    if not found:
        return
    paths = [area_path(rings) for rings in found.values()]
    look: dict[str, Any] = {"edgecolors": "#C8C4BC", "linewidths": 0.6, "zorder": 0.4}
    ax.add_collection(PathCollection(paths, facecolors="#F7F5F0", **look))
    ends = np.concatenate([ring for rings in found.values() for ring in rings])
    ax.update_datalim(ends)
    county = scenario.table("areas").set_index("area")["county"]
    lines = _between(found, {str(area): str(name) for area, name in county.items()})
    if len(lines):
        ax.add_collection(LineCollection(lines, colors="#8D877B", linewidths=1.1, zorder=0.5))


def _between(found: Mapping[str, list[Array]], county: Mapping[str, str]) -> list[Array]:
    """List the pieces of boundaries that part two counties, or a county from no area at all."""
    sides: dict[tuple[tuple[float, ...], ...], list[str]] = {}
    for area, rings in found.items():
        for ring in rings:
            for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                ends = tuple(sorted((tuple(map(float, a)), tuple(map(float, b)))))
                sides.setdefault(ends, []).append(county.get(area, ""))
    return [np.array(ends) for ends, own in sides.items() if len(own) == 1 or len(set(own)) > 1]


def _single(plan: Plan) -> bool:
    """Check whether schools have coordinates of their own."""
    return bool(plan.scenario.table("schools")["x_km"].notna().any())


def map_figure(plan: Plan, school_year: int, *, lang: str = "en") -> Figure:
    """Draw the map as a figure, with a second Axes for the part that is crowded."""
    say, frame = plan.scenario.words(lang), crowd(map_table(plan, school_year))
    figure = new_figure(9 if frame is None else 14, 7)
    if frame is None:
        place_map(figure.add_subplot(), plan, school_year, lang=lang)
        return figure
    whole, part = figure.subplots(1, 2)
    place_map(whole, plan, school_year, lang=lang)
    x0, x1, y0, y1 = frame
    look: dict[str, Any] = {"fill": False, "edgecolor": BLACK, "linewidth": 1.2, "zorder": 6}
    whole.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, **look))
    _draw_part(part, plan, school_year, frame, say)
    part.set_title(say("The part in the frame"))
    return figure


def _sizes(table: pd.DataFrame, largest: float, most: float | None = None) -> Array:
    """Compute areas of the discs, square points, in proportion to the children, at most `most`."""
    children = table["children"].to_numpy(np.float64)
    most = children.max(initial=0.0) if most is None else most
    sizes: Array = largest * (0.05 + 0.95 * children / max(1.0, most))
    return sizes


def _draw_areas(ax: Axes, table: pd.DataFrame, largest: float) -> PathCollection:
    children, lacking = table["children"].to_numpy(), table["lacking"].to_numpy()
    part = np.divide(lacking, children, out=np.zeros(len(table)), where=children > 0)
    none = table["shortfall"].to_numpy() >= 0.5
    return ax.scatter(
        table["x_km"],
        table["y_km"],
        s=_sizes(table, largest),
        c=part,
        cmap="Oranges",
        vmin=0.0,
        vmax=max(0.01, float(part.max(initial=0.0))),
        edgecolors=BLACK,
        linewidths=np.where(none, 2.5, 0.5).tolist(),
        zorder=2,
    )


def _name_counties(ax: Axes, table: pd.DataFrame, largest: float, frame: Frame | None) -> None:
    """Write each county's name beside its largest area, where there are several, not too many."""
    table = table.assign(size=_sizes(table, largest))
    most = table.sort_values("children", ascending=False, kind="stable").drop_duplicates("county")
    if not 1 < len(most) <= MOST_NAMES:
        return
    names = [short(name, 16) for name in most["county"]]
    scale = _points_per_km(ax, table, frame)
    discs = _boxes(table, table["size"].to_numpy() ** 0.5, table["size"].to_numpy() ** 0.5, scale)
    widths = np.array([0.6 * LETTER * width(name) for name in names])
    texts = _boxes(most, widths, np.full(len(most), LETTER), scale)
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": LETTER, "zorder": 3}
    ways = beside(texts, most["size"].to_numpy() ** 0.5, discs)
    for row, name, way in zip(most.to_dict("records"), names, ways, strict=True):
        at = (row["x_km"], row["y_km"])
        label = ax.annotate(name, at, xytext=tuple(way), textcoords="offset points", **look)
        label.set_path_effects([withStroke(linewidth=2.5, foreground="white")])


def _points_per_km(ax: Axes, table: pd.DataFrame, frame: Frame | None) -> float:
    """Scale of the map before it is laid out: near enough to tell what stands beside what."""
    box, point = ax.get_window_extent(), 72 / ax.figure.dpi
    span = 1.2 * np.ptp(table[XY].to_numpy(np.float64), axis=0)
    if frame is not None:
        span = np.array([frame[1] - frame[0], frame[3] - frame[2]])
    return float(min(point * np.array([box.width, box.height]) / np.maximum(span, 1e-9)))


def _boxes(table: pd.DataFrame, wide: Array, high: Array, scale: float) -> Array:
    """Compute boxes round places of the map: their middles and half their sides, in points."""
    x, y = (scale * table[axis].to_numpy(np.float64) for axis in ("x_km", "y_km"))
    return np.stack([x, y, wide / 2, high / 2], axis=1)


def draw_schools(ax: Axes, plan: Plan, stage: str, year: int, largest: float = 68) -> None:
    """Draw the schools of a stage: black squares public, white triangles private, by pupils.

    Parameters
    ----------
    largest
        Area of the mark of the school with most pupils, square points.
    """
    rows = plan.tables["schools"]
    rows = rows[(rows["stage"] == stage) & (rows["school_year"] == year)].set_index("school")
    places = school_places(plan, stage).reindex(rows.index)
    most = max(1.0, float(rows["pupils"].max()))
    for sector, marker, fill in (("public", "s", BLACK), ("private", "^", "#FFFFFF")):
        mine = (rows["sector"] == sector).to_numpy(bool)
        size = largest * (0.12 + 0.88 * rows["pupils"].to_numpy(np.float64)[mine] / most)
        look: dict[str, Any] = {"marker": marker, "c": fill, "edgecolors": BLACK, "lw": 0.8}
        at = places[mine]
        ax.scatter(at["x_km"], at["y_km"], s=size, zorder=5, **look)


def school_places(plan: Plan, stage: str) -> pd.DataFrame:
    """Return coordinates of schools and of projects that become one: own, else the area's."""
    schools = plan.scenario.table("schools")
    new = plan.scenario.table("projects")
    new = new[new["school"] == ""].assign(school=lambda t: t["project"])
    shared = ["school", "stage", "area", *XY]
    rows = pd.concat([schools[shared], new[shared]])
    return _points(plan, rows[rows["stage"] == stage])


def _points(plan: Plan, schools: pd.DataFrame) -> pd.DataFrame:
    """Return the coordinates of schools (index), their own or else their area's."""
    areas = plan.scenario.table("areas").set_index("area")
    rows = schools.set_index("school")
    return pd.DataFrame({key: rows[key].fillna(rows["area"].map(areas[key])) for key in XY})


TINTS = ("#DCE9F5", "#F6D9B8", "#CFE8DC", "#F3E9A6", "#E9D3E3", "#E3E3E3", "#B9D6EA")
"""Fills of neighbouring catchments, light enough for what is drawn on them."""


def catchment_table(plan: Plan, stage: str, from_year: int) -> pd.DataFrame:
    """List every neighbourhood with coordinates and the public school it goes to.

    Returns
    -------
    DataFrame
        area, school, km (as the link says, else a straight line), children (of the stage in the
        year), x0, y0 (of the area), x1, y1 (of the school, else of its area).
    """
    drawn = plan.tables.get("catchments")
    columns = ["area", "school", "km", "children", "x0", "y0", "x1", "y1"]
    if drawn is None or not len(drawn):
        return pd.DataFrame(columns=columns)
    table = drawn[(drawn["stage"] == stage) & (drawn["from_year"] == from_year)]
    areas = plan.scenario.table("areas").set_index("area")[["x_km", "y_km"]]
    short = plan.tables["shortfall"]
    short = short[(short["stage"] == stage) & (short["school_year"] == from_year)]
    places = school_places(plan, stage)
    table = table[["area", "school"]].assign(
        children=table["area"].map(short.groupby("area")["children"].sum()),
        **{f"{axis}0": table["area"].map(areas[f"{axis}_km"]) for axis in ("x", "y")},
        **{f"{axis}1": table["school"].map(places[f"{axis}_km"]) for axis in ("x", "y")},
    )
    links = plan.scenario.table("links")
    links = links[links["stage"].isin(["", stage])].sort_values("stage", kind="stable")
    links = links.drop_duplicates(["area", "to_school"], keep="last")
    declared = links.set_index(["area", "to_school"])["km"]
    km = declared.reindex(pd.MultiIndex.from_frame(table[["area", "school"]])).to_numpy(np.float64)
    straight = np.hypot(table["x0"] - table["x1"], table["y0"] - table["y1"])
    table["km"] = np.where(np.isnan(km), straight, km)
    return pd.DataFrame(table, columns=columns).reset_index(drop=True)


@drawing(8, 7)
def catchment_map(ax: Axes, plan: Plan, stage: str, *, lang: str = "en") -> None:
    """Draw the catchments of the first planned year on an Axes.

    Each neighbourhood is its own ground where the scenario has boundaries, else what is nearest to
    it, in the tint of its catchment; a heavy line runs between catchments. Lines lead from
    neighbourhoods to schools, dashed where the way is longer than the service radius. Squares are
    public schools, triangles private ones, as large as their pupils; a black rim round a
    neighbourhood: some of its children have no place.
    """
    say, year = plan.scenario.words(lang), plan.scenario.first_year
    table = catchment_table(plan, stage, year).dropna(subset=["x0", "x1"])
    areas = plan.scenario.table("areas").set_index("area").dropna(subset=["x_km", "y_km"])
    xy = areas[XY].to_numpy(np.float64)
    cells, beside = _cells(xy)
    whose = areas.index.to_series().map(table.set_index("area")["school"])
    tint = _tints(whose.to_numpy(object), beside)
    fills = [TINTS[t] if t >= 0 else "#FFFFFF" for t in tint]
    look: dict[str, Any] = {"facecolors": fills, "edgecolors": "white", "zorder": 1}
    drawn, corners = outlines(plan.scenario), xy
    if set(areas.index) <= set(drawn):
        paths = [area_path(drawn[area]) for area in areas.index]
        ax.add_collection(PathCollection(paths, linewidths=0.6, **look))
        known = {str(area): str(school) for area, school in whose.items()}
        border = _between({area: drawn[area] for area in known}, known)
        corners = np.concatenate([ring for area in known for ring in drawn[area]])
    else:
        ax.add_collection(PolyCollection(cells, linewidths=0.3, **look))
        border = [line for a, b, line in beside if whose.iloc[a] != whose.iloc[b]]
    ax.add_collection(LineCollection(border, colors=BLACK, linewidths=0.9, zorder=2))
    long = _long(plan, stage, table)
    for flag, style in ((~long, "-"), (long, (0, (2, 1.5)))):
        part = table[flag]
        ends = part[["x0", "y0", "x1", "y1"]].to_numpy(np.float64).reshape(-1, 2, 2)
        colour = VERMILLION if style != "-" else "#4D4D4D"
        line: dict[str, Any] = {"colors": colour, "linewidths": 0.9, "linestyles": [style]}
        ax.add_collection(LineCollection(list(ends), zorder=3, **line))
    short = plan.tables["shortfall"]
    short = short[(short["stage"] == stage) & (short["school_year"] == year)]
    missing = short.groupby("area")["shortfall"].sum().reindex(areas.index)
    none = missing.to_numpy(np.float64) >= 0.5
    x, y = xy.T
    rim: Any = np.where(none, 1.8, 0.0)
    ax.scatter(x, y, s=np.where(none, 28, 5), c="#4D4D4D", edgecolors=BLACK, lw=rim, zorder=4)
    draw_schools(ax, plan, stage, year)
    ax.set_xlim(*_around(corners[:, 0]))
    ax.set_ylim(*_around(corners[:, 1]))
    ax.set_aspect("equal", adjustable="box")
    ax.grid(visible=False)
    ax.set_xlabel(say("east, km"))
    ax.set_ylabel(say("north, km"))
    ax.set_title(say("{stage}: who goes where from {year}", stage=say.name(stage), year=year))
    far = float(table["children"][long].sum())
    text = say(
        "Heavy lines: between catchments. Squares: public schools, triangles: private ones, by"
        " pupils. Dashed: {number} children beyond the service radius.",
        number=say.count(far),
    )
    if without := int(whose.isna().sum()):
        text += " " + say(
            "White: {number} neighbourhoods without a catchment: they send no child to a public"
            " school.",
            number=say.count(without),
        )
    note(ax, plan.scenario, say, text)


def _long(plan: Plan, stage: str, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Flag ways beyond the service radius of the standards, by kind of area."""
    standard = plan.scenario.stages[stage]
    kind = table["area"].map(plan.scenario.table("areas").set_index("area")["kind"])
    rural = standard.rural_radius_km or standard.service_radius_km
    radius = np.where(kind == "urban", standard.service_radius_km, rural)
    return np.asarray(table["km"].to_numpy(np.float64) > radius)


def _around(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    gap = 0.06 * max(high - low, 1.0)
    return low - gap, high + gap


def _cells(xy: Array) -> tuple[list[Array], list[tuple[int, int, Array]]]:
    """Compute the ground nearest to each point within their frame, and lines between two."""
    from scipy.spatial import Voronoi

    low = np.array([_around(xy[:, 0])[0], _around(xy[:, 1])[0]])
    high = np.array([_around(xy[:, 0])[1], _around(xy[:, 1])[1]])
    mirrored = [xy]
    for axis in (0, 1):
        for wall in (low, high):
            image = xy.copy()
            image[:, axis] = 2 * wall[axis] - image[:, axis]
            mirrored.append(image)
    found = Voronoi(np.concatenate(mirrored))
    cells = [found.vertices[found.regions[found.point_region[i]]] for i in range(len(xy))]
    lines = [
        (int(a), int(b), found.vertices[ends])
        for (a, b), ends in zip(found.ridge_points, found.ridge_vertices, strict=True)
        if a < len(xy) and b < len(xy) and min(ends) >= 0
    ]
    return cells, lines


def _tints(whose: NDArray[np.object_], beside: list[tuple[int, int, Array]]) -> list[int]:
    """Choose for each catchment a tint that no neighbour has, as far as they suffice; -1: none."""
    near: dict[object, set[object]] = {}
    for a, b, _ in beside:
        near.setdefault(whose[a], set()).add(whose[b])
        near.setdefault(whose[b], set()).add(whose[a])
    tint: dict[object, int] = {}
    for school in sorted({name for name in whose if isinstance(name, str)}):
        taken = {tint[other] for other in near.get(school, set()) if other in tint}
        free = [t for t in range(len(TINTS)) if t not in taken]
        tint[school] = free[0] if free else len(tint) % len(TINTS)
    return [tint.get(name, -1) for name in whose]
