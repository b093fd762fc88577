"""Figures of what changes with inputs and criteria: heat map, tornado, and front of a trade-off."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from capsim.analysis.pareto import Front
from capsim.i18n.language import CNY, Words, words
from capsim.model.costs import MILLION
from capsim.model.objectives import MONEY, Criterion
from capsim.report.figures.style import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    VERMILLION,
    Look,
    bar_style,
    beside,
    counts_on,
    drawing,
    money_unit,
    name_rows,
    note,
    short,
)


class Meaning(NamedTuple):
    """A column of `summary`: what it is, the unit it is drawn in, and how much that is.

    Money is drawn in the unit of the language.
    """

    what: str
    unit: str = ""
    size: float = 1.0
    money: bool = False

    def drawn(self, say: Words) -> Meaning:
        """Return it in a language, with the unit and the size of the unit there."""
        size, unit = money_unit(say) if self.money else (self.size, self.unit)
        what = say(self.what)
        return Meaning(say("{what}, {unit}", what=what, unit=unit) if unit else what, unit, size)


MEANING = {
    "missed": Meaning("targets missed"),
    "objective_cny": Meaning("total cost, discounted", money=True),
    "avoidable_cny": Meaning("cost of the decisions, discounted", money=True),
    "displaced": Meaning("children made to change school, all years"),
    "shortfall": Meaning("child-years without a place"),
    "surplus_last": Meaning("empty compulsory places in the last year"),
    "opened": Meaning("candidates opened"),
    "converted": Meaning("schools converted"),
    "purchased_most": Meaning("most places purchased in a year"),
    "least_probability": Meaning("chance of the least likely target", "%", 0.01),
    "gap": Meaning("proved gap", "%", 0.01),
}


def heat_map(
    ax: Axes, table: pd.DataFrame, column: str, *, lang: str = "en", currency: str = CNY
) -> None:
    """Draw a result over two settings, every cell with its number, on an Axes.

    Parameters
    ----------
    table
        As `capsim.comparison.sensitivity_design.heat` gives it; NaN is where there is no plan.
    column
        Of `summary`.
    currency
        Of money.
    """
    say = words(lang, currency)
    meaning = MEANING[column].drawn(say)
    values = np.ma.masked_invalid(table.to_numpy(float) / meaning.size)
    picture = ax.pcolormesh(values, cmap="cividis", edgecolors="white", linewidth=1)
    low, high = (values.min(), values.max()) if values.count() else (0.0, 1.0)
    for row, column_at in np.ndindex(*values.shape):
        value = values[row, column_at]
        known = value is not np.ma.masked
        light = known and high > low and (value - low) / (high - low) > 0.55
        text = _number(float(value), say) if known else say("no plan")
        colour = BLACK if light or not known else "white"
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8, "color": colour}
        ax.text(column_at + 0.5, row + 0.5, text, **look)
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, list(table.columns))
    ax.set_yticks(np.arange(table.shape[0]) + 0.5, list(table.index))
    ax.set_xlabel(str(table.columns.name))
    ax.set_ylabel(str(table.index.name))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_title(meaning.what[:1].upper() + meaning.what[1:])
    ax.figure.colorbar(picture, ax=ax, format=lambda value, _: _number(value, say))


def _number(value: float, say: Words) -> str:
    return say.count(value) if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")


@drawing(9, 5)
def tornado(
    ax: Axes, table: pd.DataFrame, base: float, unit: str, title: str, *, lang: str = "en"
) -> None:
    """Draw how an outcome answers to inputs moved one at a time, the widest on top, on an Axes.

    Parameters
    ----------
    table
        what (the input), low, high (its values), low_result, high_result (the outcome with them).
    base
        The outcome with no input moved.
    unit, title
        Of the outcome, for axis and heading.

    Raises
    ------
    ValueError
        The table has no row.
    """
    if not len(table):
        raise ValueError("a tornado needs at least one input")
    say = words(lang)
    swing = (table["high_result"] - table["low_result"]).abs()
    rows = table.assign(swing=swing).sort_values(["swing", "what"], ascending=[False, True])
    looks = {"low": Look("low value", BLUE, "//"), "high": Look("high value", ORANGE, "..")}
    step = {key: rows[f"{key}_result"].to_numpy(float) - base for key in looks}
    at = np.arange(len(rows))
    for key, other in (("low", "high"), ("high", "low")):
        ax.barh(at, step[key], left=base, height=0.6, **bar_style(looks[key], say))
        for y, value, width, across in zip(at, rows[key], step[key], step[other], strict=True):
            # A value with the outcome of the base stands on the side that the other leaves free.
            right = width > 0 or (width == 0 and across <= 0)
            text = f"{value:g}" if isinstance(value, int | float) else short(value, 12)
            side = "left" if right else "right"
            look: dict[str, Any] = {"ha": side, "va": "center", "fontsize": 7}
            beside(ax, text, (base + width, y), 4 if right else -4, 0, **look)
    ax.axvline(base, color="black", linewidth=0.8)
    name_rows(ax, [short(name) for name in rows["what"]])
    ax.margins(x=0.12)
    ax.set_xlabel(unit)
    ax.set_title(title)
    ax.legend(loc="lower right")


NAMES = {
    "cost": "cost",
    "shortfall": "children without a place",
    "displaced": "children made to change school",
    "overfilled": "pupils above standard seats",
    "surplus": "empty places",
    "private": "private pupils",
    "purchased": "places bought, all years",
    "away": "children outside their area",
    "travel": "travel cost",
    "capital": "capital paid",
    "large_classes": "large classes",
}
"""Criteria in words; a weighted one is called by its parts."""
BINS = ("o", "s", "^", "D", "v")
"""Markers by the third criterion, the least first."""
COLOURS = ("#0D0887", "#8405A7", "#D35171", "#FDAE32", "#B8A800")
"""From least to most, dark to light, of the map plasma."""


def tradeoff_table(front: Front) -> pd.DataFrame:
    """Tabulate a front as drawn: its criteria and ``proved``, by the first criterion."""
    names = [aim.name for aim in front.criteria]
    return front.table[["point", *names, "proved"]].sort_values(names, ignore_index=True)


def tradeoff(ax: Axes, front: Front, *, lang: str = "en") -> None:
    """Draw a front on an Axes: first criterion to the right, second upward, third by marker.

    Of two criteria the staircase bounds what is shown to be attainable: everything above and to the
    right of it is matched or beaten by a plan on it. Between two points of a mixed-integer front
    there may be others, at limits that were not asked for. Points are numbered as in the table.
    """
    say = front.model.given.scenario.words(lang)
    table = tradeoff_table(front)
    x_aim, y_aim = front.criteria[:2]
    (x, x_unit), (y, y_unit) = (_amounts(aim, table, say) for aim in (x_aim, y_aim))
    if len(front.criteria) == 2:
        _attainable(ax, x, y, say)
        proved = table["proved"].to_numpy(bool)
        ax.scatter(x[proved], y[proved], color=BLUE, marker="o", zorder=3, label=say("plan"))
        if not proved.all():
            unproved = say("a limit ended the search")
            look: dict[str, Any] = {"color": VERMILLION, "marker": "x", "label": unproved}
            ax.scatter(x[~proved], y[~proved], zorder=3, **look)
    else:
        _by_third(ax, front, table, (x, y), say)
    for point, across, up in zip(table["point"], x, y, strict=True):
        beside(ax, str(point), (across, up), 5, 4, fontsize=7)
    ax.margins(0.08)
    for axis, values in ((ax.xaxis, x), (ax.yaxis, y)):
        if np.ptp(values) >= 20:
            counts_on(axis, say)
    this, that = (_named(aim.name, say) for aim in (y_aim, x_aim))
    ax.set_xlabel(say("{what} ({unit})", what=that, unit=x_unit))
    ax.set_ylabel(say("{what} ({unit})", what=this, unit=y_unit))
    title = say("{this} against {that}", this=this, that=that)
    ax.set_title(title[0].upper() + title[1:])
    if len(front.criteria) == 2:
        ax.legend(loc="upper right")
    if front.complete:
        text = say("Every point is a plan; none is better in all criteria than another.")
    else:
        text = say(
            "Every point is a plan; none is better in all criteria than another."
            " Time ended before all limits were tried."
        )
    note(ax, front.model.given.scenario, say, text)


def _attainable(ax: Axes, x: np.ndarray, y: np.ndarray, say: Words) -> None:
    """Shade what some plan of the front matches or beats."""
    right = x.max() + 0.15 * max(np.ptp(x), 1e-9)
    top = y.max() + 0.15 * max(np.ptp(y), 1e-9)
    across = np.append(np.repeat(x, 2)[1:], right)
    up = np.repeat(y, 2)
    label = say("matched or beaten by a plan")
    ax.fill_between(across, up, top, color="#E8EEF4", linewidth=0, label=label)
    ax.plot(across, up, color=GREY, linewidth=0.8)


def _by_third(
    ax: Axes, front: Front, table: pd.DataFrame, points: tuple[np.ndarray, np.ndarray], say: Words
) -> None:
    """Draw points by bands of the third criterion, a staircase for each."""
    x, y = points
    aim = front.criteria[2]
    third, unit = _amounts(aim, table, say)
    edges = np.linspace(third.min(), third.max(), len(BINS) + 1)
    band = np.clip(np.searchsorted(edges, third, side="right") - 1, 0, len(BINS) - 1)
    for at, (marker, colour) in enumerate(zip(BINS, COLOURS, strict=True)):
        mine = np.flatnonzero(band == at)
        if not len(mine):
            continue
        low, high = third[mine].min(), third[mine].max()
        least, most = say.count(low), say.count(high)
        text = least if least == most else say("{low} to {high}", low=least, high=most)
        ax.scatter(x[mine], y[mine], color=colour, marker=marker, zorder=3, label=text)
        order = mine[np.lexsort((y[mine], x[mine]))]
        ax.plot(x[order], y[order], color=colour, linewidth=0.7)
    title = say("{what} ({unit})", what=f"{_named(aim.name, say)}\n", unit=unit)
    title = title.replace("\n ", "\n")
    ax.legend(title=title, loc="center left", bbox_to_anchor=(1.01, 0.5), alignment="left")


def _named(name: str, say: Words) -> str:
    return say(NAMES[name]) if name in NAMES else name


def _amounts(aim: Criterion, table: pd.DataFrame, say: Words) -> tuple[np.ndarray, str]:
    """Return a criterion at every point and its unit, money in the unit of the language."""
    values = table[aim.name].to_numpy(float)
    if aim.unit != MONEY:
        return values, say(aim.unit)
    size, unit = money_unit(say)
    return values * (MILLION / size), unit
