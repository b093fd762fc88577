"""A map of catchments: which public school each neighbourhood goes to, and how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray

from capsim.report.figures.schools import draw_schools, school_places
from capsim.report.figures.style import BLACK, VERMILLION, note
from capsim.report.language import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from capsim.optimize import Plan

Floats = NDArray[np.float64]
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
    said = links.set_index(["area", "to_school"])["km"]
    km = said.reindex(pd.MultiIndex.from_frame(table[["area", "school"]])).to_numpy(np.float64)
    straight = np.hypot(table["x0"] - table["x1"], table["y0"] - table["y1"])
    table["km"] = np.where(np.isnan(km), straight, km)
    return pd.DataFrame(table, columns=columns).reset_index(drop=True)


def catchment_map(ax: Axes, plan: Plan, stage: str, *, lang: str = "en") -> None:
    """Draw the catchments of the first planned year on an Axes.

    Each neighbourhood is the ground nearest to it, in the tint of its catchment; a heavy line runs
    between catchments. Lines lead from neighbourhoods to schools, dashed where the way is longer
    than the service radius. Squares are public schools, triangles private ones, as large as their
    pupils; a black rim round a neighbourhood: some of its children have no place.
    """
    say, year = words(lang), plan.scenario.first_year
    table = catchment_table(plan, stage, year).dropna(subset=["x0", "x1"])
    areas = plan.scenario.table("areas").set_index("area").dropna(subset=["x_km", "y_km"])
    xy = areas[["x_km", "y_km"]].to_numpy(np.float64)
    cells, beside = _cells(xy)
    whose = areas.index.to_series().map(table.set_index("area")["school"])
    tint = _tints(whose.to_numpy(object), beside)
    fills = [TINTS[t] if t >= 0 else "#FFFFFF" for t in tint]
    ax.add_collection(
        PolyCollection(cells, facecolors=fills, edgecolors="white", linewidths=0.3, zorder=1)
    )
    border = [line for a, b, line in beside if whose.iloc[a] != whose.iloc[b]]
    ax.add_collection(LineCollection(border, colors=BLACK, linewidths=0.9, zorder=2))
    long = _long(plan, stage, table)
    for flag, style in ((~long, "-"), (long, (0, (2, 1.5)))):
        part = table[flag]
        ends = part[["x0", "y0", "x1", "y1"]].to_numpy(np.float64).reshape(-1, 2, 2)
        colour = VERMILLION if style != "-" else "#4D4D4D"
        look: dict[str, Any] = {"colors": colour, "linewidths": 0.9, "linestyles": [style]}
        ax.add_collection(LineCollection(list(ends), zorder=3, **look))
    short = plan.tables["shortfall"]
    short = short[(short["stage"] == stage) & (short["school_year"] == year)]
    missing = short.groupby("area")["shortfall"].sum().reindex(areas.index)
    none = missing.to_numpy(np.float64) >= 0.5
    x, y = xy.T
    rim: Any = np.where(none, 1.8, 0.0)
    ax.scatter(x, y, s=np.where(none, 28, 5), c="#4D4D4D", edgecolors=BLACK, lw=rim, zorder=4)
    draw_schools(ax, plan, stage, year)
    ax.set_xlim(*_around(xy[:, 0]))
    ax.set_ylim(*_around(xy[:, 1]))
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


def _around(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    gap = 0.06 * max(high - low, 1.0)
    return low - gap, high + gap


def _cells(xy: Floats) -> tuple[list[Floats], list[tuple[int, int, Floats]]]:
    """Ground nearest to each point within their frame, and the lines between two of them."""
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


def _tints(whose: NDArray[np.object_], beside: list[tuple[int, int, Floats]]) -> list[int]:
    """Give each catchment a tint that no neighbouring one has, as far as they suffice; -1: none."""
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
