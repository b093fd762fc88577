"""Schools on a map, at their own coordinates or those of their area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.report.figures.style import BLACK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from capsim.optimize import Plan


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
        at = places[mine]
        ax.scatter(
            at["x_km"],
            at["y_km"],
            s=size,
            marker=marker,
            c=fill,
            edgecolors=BLACK,
            lw=0.8,
            zorder=5,
        )


def school_places(plan: Plan, stage: str) -> pd.DataFrame:
    """Coordinates of schools and of projects that become one: their own, else their area's."""
    areas = plan.scenario.table("areas").set_index("area")[["x_km", "y_km"]]
    schools = plan.scenario.table("schools")
    new = plan.scenario.table("projects")
    new = new[new["school"] == ""].assign(school=lambda t: t["project"])
    shared = ["school", "stage", "area", "x_km", "y_km"]
    rows = pd.concat([schools[shared], new[shared]])
    rows = rows[rows["stage"] == stage].set_index("school")
    for axis in ("x_km", "y_km"):
        rows[axis] = rows[axis].fillna(rows["area"].map(areas[axis]))
    return rows[["x_km", "y_km"]]
