"""A map of areas from their coordinates: who lacks a standard seat, and where children go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.patches import FancyArrowPatch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import PercentFormatter

from capsim.report.figures.style import BLACK, BLUE, note, short
from capsim.report.language import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from capsim.optimize import Plan

MOST_FLOWS = 120
"""Lines drawn: the largest flows between places."""
MOST_NAMES = 30


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


def place_map(ax: Axes, plan: Plan, school_year: int, *, lang: str = "en") -> None:
    """Draw areas by their children and what they lack, and flows between them, on an Axes.

    A disc is as large as the children, as dark as the share of them above standard or without a
    place; a thick black rim: some have none. Arrows are as wide as their flow.
    """
    say = words(lang)
    table, flows = map_table(plan, school_year), flow_table(plan, school_year)
    for row in flows.to_dict("records"):
        width = 0.3 + 3.2 * row["pupils"] / flows["pupils"].iloc[0]
        line: dict[str, Any] = {"color": BLUE, "alpha": 0.7, "linewidth": width, "zorder": 1}
        ends = (row["x0"], row["y0"]), (row["x1"], row["y1"])
        style = f"-|>,head_length={2 + width},head_width={1 + 0.6 * width}"
        ax.add_patch(FancyArrowPatch(*ends, arrowstyle=style, shrinkA=2, shrinkB=4, **line))
    children = table["children"].to_numpy()
    lacking = table["lacking"].to_numpy()
    part = np.divide(lacking, children, out=np.zeros(len(table)), where=children > 0)
    none = table["shortfall"].to_numpy() >= 0.5
    discs = ax.scatter(
        table["x_km"],
        table["y_km"],
        s=20 + 380 * children / max(1.0, children.max(initial=0.0)),
        c=part,
        cmap="Oranges",
        vmin=0.0,
        vmax=max(0.01, float(part.max(initial=0.0))),
        edgecolors=BLACK,
        linewidths=np.where(none, 2.5, 0.5).tolist(),
        zorder=2,
    )
    largest = table.sort_values("children", ascending=False, kind="stable")
    largest = largest.drop_duplicates("county")
    if len(largest) <= MOST_NAMES:
        for row in largest.to_dict("records"):
            place: dict[str, Any] = {"ha": "center", "va": "bottom", "fontsize": 7.5, "zorder": 3}
            at = (row["x_km"], row["y_km"])
            above = 4 + 10 * (row["children"] / max(1.0, children.max(initial=0.0))) ** 0.5
            name = short(row["county"], 16)
            label = ax.annotate(name, at, xytext=(0, above), textcoords="offset points", **place)
            label.set_path_effects([withStroke(linewidth=2.5, foreground="white")])
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.1)
    ax.set_xlabel(say("east, km"))
    ax.set_ylabel(say("north, km"))
    ax.set_title(say("Where seats are lacking and where children go, {year}", year=school_year))
    bar = ax.figure.colorbar(discs, ax=ax, shrink=0.6, pad=0.02)
    bar.set_label(say("above standard or without a place"))
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
    biggest = say.count(float(flows["pupils"].max())) if len(flows) else "0"
    text = say(
        "Compulsory stages. Discs: children; a thick rim: some without a place. Arrows: flows"
        " between places, the {number} largest, the widest {biggest} pupils.",
        number=len(flows),
        biggest=biggest,
    )
    note(ax, plan.scenario, say, text)
