"""Gantt chart of the building programme: what is planned and when it is likely to be in use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

from capsim.construction.calendars import MONTH_DAYS
from capsim.plan.plan import Plan
from capsim.report.figures.style import (
    BLACK,
    BLUE,
    VERMILLION,
    beside,
    drawing,
    name_rows,
    note,
    short,
)
from capsim.simulation.outcomes import Outcomes

CALENDAR: Mapping[str, dict[str, list[str]]] = {
    "en": {},
    "zh": {
        "formats": ["%Y", "%m月", "%d日", "%H:%M", "%H:%M", "%S.%f"],
        "offset_formats": ["", "%Y", "%Y-%m", *["%Y-%m-%d"] * 3],
    },
}
"""How the steps of a calendar (years, months, days, …) are written."""


def gantt_table(plan: Plan, outcomes: Outcomes | None = None, most: int = 48) -> pd.DataFrame:
    """Tabulate the Gantt chart: projects of a programme, grouped when they are many.

    Up to `most` projects stand one by one; above, alike ones (programme, county and planned date)
    share a row, and if these are still more than twice `most`, counties are put together too.

    Returns
    -------
    DataFrame
        label, programme, county, opens, start, p50, p90 (days of the matplotlib calendar; the
        last two NaN without outcomes; means over the row's projects), p_on_time (share expected
        in use on the planned date), projects (copies), places.
    """
    planned = plan.tables["projects"]
    planned = planned[(planned["programme"] != "") & (planned["opens"] != "")]
    months = plan.scenario.table("projects").drop_duplicates("project").set_index("project")
    table = pd.DataFrame(
        {
            "project": planned["project"],
            "programme": planned["programme"],
            "county": planned["county"],
            "opens": _days(planned["opens"]),
            "projects": planned["copies"].astype(float),
            "places": planned["places"] * planned["copies"],
        }
    ).reset_index(drop=True)
    table["start"] = table["opens"] - table["project"].map(months["build_months"]) * MONTH_DAYS
    table[["p50", "p90", "p_on_time"]] = np.nan
    if outcomes is not None:
        drawn = outcomes.tables["projects"].set_index("project")
        for column in ("p50", "p90"):
            table[column] = _days(table["project"].map(drawn[column]))
        table["p_on_time"] = table["project"].map(drawn["p_on_time"])
    if len(table) <= most:
        table["label"] = table["project"]
        order = ["programme", "opens", "county", "label"]
        return table.drop(columns="project").sort_values(order, ignore_index=True)
    keys = ["programme", "opens", "county"]
    if table.drop_duplicates(keys).shape[0] > 2 * most:
        keys.remove("county")
    means = table.groupby(keys)[["start", "p50", "p90", "p_on_time"]].mean()
    sums = table.groupby(keys)[["projects", "places"]].sum()
    rows = sums.join(means).reset_index()
    rows["label"] = rows["programme"] + (" · " + rows["county"] if "county" in keys else "")
    return rows


@drawing(
    10, lambda plan, outcomes=None, most=48: 1.8 + 0.17 * len(gantt_table(plan, outcomes, most))
)
def gantt(
    ax: Axes, plan: Plan, outcomes: Outcomes | None = None, *, most: int = 48, lang: str = "en"
) -> None:
    """Draw the programme's building times, planned dates and simulated dates on an Axes."""
    say = plan.scenario.words(lang)
    table = gantt_table(plan, outcomes, most)
    at = np.arange(len(table))
    opens, start = table["opens"].to_numpy(), table["start"].to_numpy()
    p50, p90 = table["p50"].to_numpy(), table["p90"].to_numpy()
    planned = say("planned building")
    ax.barh(at, opens - start, left=start, height=0.55, color="#C6DBEF", label=planned)
    if np.isfinite(p50).any():
        ax.barh(
            at,
            p90 - p50,
            left=p50,
            height=0.3,
            color="#FDD0A2",
            edgecolor=VERMILLION,
            linewidth=0.5,
            hatch="////",
            label=say("in use: even chance to nine in ten"),
        )
        label = say("in use: even chance")
        ax.plot(p50, at, "o", color=VERMILLION, markersize=4, label=label)
    ax.plot(opens, at, "D", color=BLUE, markersize=4, label=say("planned to count"))
    for date in sorted({float(day) for day in opens}):
        ax.axvline(date, color=BLACK, linewidth=0.6, linestyle=":", zorder=0)
    right = np.fmax(opens, p90)
    for y, x, row in zip(at, right, table.to_dict("records"), strict=True):
        parts = []
        if row["projects"] > 1:
            parts.append(say("{number} projects", number=say.count(row["projects"])))
        if row["places"] > 0:
            parts.append(say("{number} places", number=say.count(row["places"])))
        if np.isfinite(row["p_on_time"]):
            parts.append(say("{chance} on time", chance=say.chance(row["p_on_time"])))
        beside(ax, " · ".join(parts), (x, y), 7, 0, va="center", fontsize=6.5)
    name_rows(ax, [short(label) for label in table["label"]], 7)
    if len(table):
        low = float(np.min(start))
        high = max(float(np.max(right)), low + MONTH_DAYS)
        ax.set_xlim(low - 0.02 * (high - low), high + 0.3 * (high - low))
    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, **CALENDAR[say.lang]))
    ax.set_xlabel(say("calendar"))
    ax.set_title(say("The programme: planned and likely dates of use"), pad=24)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=4, borderaxespad=0.2)
    text = say("A row of several projects shows the means of their dates.")
    note(ax, plan.scenario, say, text)


def _days(dates: pd.Series) -> np.ndarray:
    """Return days of the matplotlib calendar; NaN where the text is blank."""
    days = pd.to_datetime(dates.where(dates != "", None), format="ISO8601")
    return np.where(days.isna(), np.nan, date2num(days.fillna(pd.Timestamp(0)).to_numpy()))
