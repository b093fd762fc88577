"""A map of areas from their coordinates: who lacks a standard seat, and where children go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.patches import FancyArrowPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter
from scipy.spatial import cKDTree

from capsim.report.figures.labels import LETTER, beside
from capsim.report.figures.schools import draw_schools
from capsim.report.figures.style import BLACK, BLUE, new_figure, note, short
from capsim.report.language import Words, words
from capsim.report.screen import width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure

    from capsim.lp.arrays import Array
    from capsim.optimize import Plan

MOST_FLOWS = 120
"""Lines drawn: the largest flows between places."""
MOST_NAMES = 30
LARGEST = 400
"""Area of the disc of the area with most children, square points."""
NEAR = 5
"""A place is crowded by so many neighbours."""
Frame = tuple[float, float, float, float]


def map_table(plan: Plan, school_year: int) -> pd.DataFrame:
    """Put areas with coordinates on the map, compulsory stages of a school year.

    Returns
    -------
    DataFrame
        Index area; columns county, x_km, y_km, children, lacking (above standard or without a
        place), shortfall (without a place); persons.
    """
    areas = plan.scenario.table("areas").set_index("area")[["county", "x_km", "y_km"]]
    areas = areas.dropna(subset=["x_km", "y_km"])
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
    areas = plan.scenario.table("areas").set_index("area")[["x_km", "y_km"]]
    schools = plan.scenario.table("schools").drop_duplicates("school").set_index("school")
    places = schools[["x_km", "y_km"]].fillna(
        pd.DataFrame({key: schools["area"].map(areas[key]) for key in ("x_km", "y_km")})
    )
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
    xy = table[["x_km", "y_km"]].to_numpy(np.float64)
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


def place_map(
    ax: Axes,
    plan: Plan,
    school_year: int,
    *,
    lang: str = "en",
) -> None:
    """Draw areas by their children and what they lack, and flows between them, on an Axes.

    A disc is as large as the children, as dark as the share of them above standard or without a
    place; a thick black rim: some have none. Arrows are as wide as their flow. Schools that have
    coordinates of their own are squares (public) and triangles (private).
    """
    say = words(lang)
    flows, discs = _draw_part(ax, plan, school_year, None, say)
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.1)
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
    note(ax, plan.scenario, say, text)


def _draw_part(
    ax: Axes, plan: Plan, school_year: int, frame: Frame | None, say: Words
) -> tuple[pd.DataFrame, PathCollection]:
    """Draw the map, or the part of it in a frame; returns the flows and the discs."""
    table, flows = map_table(plan, school_year), flow_table(plan, school_year)
    for row in flows.to_dict("records"):
        width = 0.3 + 3.2 * row["pupils"] / flows["pupils"].iloc[0]
        line: dict[str, Any] = {"color": BLUE, "alpha": 0.7, "linewidth": width, "zorder": 1}
        ends = (row["x0"], row["y0"]), (row["x1"], row["y1"])
        style = f"-|>,head_length={2 + width},head_width={1 + 0.6 * width}"
        ax.add_patch(FancyArrowPatch(*ends, arrowstyle=style, shrinkA=2, shrinkB=4, **line))
    largest = LARGEST if crowd(table) is None or frame is not None else LARGEST / 4
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


def _single(plan: Plan) -> bool:
    """Whether schools have coordinates of their own."""
    return bool(plan.scenario.table("schools")["x_km"].notna().any())


def map_figure(plan: Plan, school_year: int, *, lang: str = "en") -> Figure:
    """Draw the map as a figure, with a second Axes for the part that is crowded."""
    say, frame = words(lang), crowd(map_table(plan, school_year))
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


def _sizes(table: pd.DataFrame, largest: float) -> Array:
    """Areas of the discs, square points: as the children."""
    children = table["children"].to_numpy(np.float64)
    sizes: Array = largest * (0.05 + 0.95 * children / max(1.0, children.max(initial=0.0)))
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
    span = 1.2 * np.ptp(table[["x_km", "y_km"]].to_numpy(np.float64), axis=0)
    if frame is not None:
        span = np.array([frame[1] - frame[0], frame[3] - frame[2]])
    return float(min(point * np.array([box.width, box.height]) / np.maximum(span, 1e-9)))


def _boxes(table: pd.DataFrame, wide: Array, high: Array, scale: float) -> Array:
    """Boxes round places of the map: their middles and half their sides, in points."""
    x, y = (scale * table[axis].to_numpy(np.float64) for axis in ("x_km", "y_km"))
    return np.stack([x, y, wide / 2, high / 2], axis=1)
