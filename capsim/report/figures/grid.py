"""A result over two settings of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from capsim.report.figures.style import BLACK
from capsim.report.language import Words, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


class Meaning(NamedTuple):
    """A column of `summary`: what it is, the unit it is drawn in, and how much that is."""

    what: str
    unit: str
    size: float

    def text(self, say: Words) -> str:
        """Say what it is, with its unit."""
        return say.joined([say(self.what), say(self.unit)]) if self.unit else say(self.what)


MEANING = {
    "missed": Meaning("targets missed", "", 1.0),
    "objective_cny": Meaning("total cost, discounted", "million RMB", 1e6),
    "avoidable_cny": Meaning("cost of the decisions, discounted", "million RMB", 1e6),
    "displaced": Meaning("children made to change school, all years", "", 1.0),
    "shortfall": Meaning("child-years without a place", "", 1.0),
    "surplus_last": Meaning("empty compulsory places in the last year", "", 1.0),
    "opened": Meaning("candidates opened", "", 1.0),
    "converted": Meaning("schools converted", "", 1.0),
    "purchased_most": Meaning("most places purchased in a year", "", 1.0),
    "least_probability": Meaning("chance of the least likely target", "%", 0.01),
    "gap": Meaning("proved gap", "%", 0.01),
}


def heat_map(ax: Axes, table: pd.DataFrame, column: str, *, lang: str = "en") -> None:
    """Draw a result over two settings, every cell with its number, on an Axes.

    Parameters
    ----------
    table
        As `capsim.compare.heat` gives it; NaN is where there is no plan.
    column
        Of `summary`.
    """
    say = words(lang)
    meaning = MEANING[column]
    values = np.ma.masked_invalid(table.to_numpy(float) / meaning.size)
    picture = ax.pcolormesh(values, cmap="cividis", edgecolors="white", linewidth=1)
    low, high = (values.min(), values.max()) if values.count() else (0.0, 1.0)
    for row, column_at in np.ndindex(*values.shape):
        value = values[row, column_at]
        known = value is not np.ma.masked
        light = known and high > low and (value - low) / (high - low) > 0.55
        text = _number(float(value), say) if known else say("no plan")
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8}
        ax.text(
            column_at + 0.5,
            row + 0.5,
            text,
            color=BLACK if light or not known else "white",
            **look,
        )
    ax.set_xticks(np.arange(table.shape[1]) + 0.5, list(table.columns))
    ax.set_yticks(np.arange(table.shape[0]) + 0.5, list(table.index))
    ax.set_xlabel(str(table.columns.name))
    ax.set_ylabel(str(table.index.name))
    ax.tick_params(length=0)
    ax.grid(visible=False)
    title = meaning.text(say)
    ax.set_title(title[:1].upper() + title[1:])
    ax.figure.colorbar(picture, ax=ax, format=lambda value, _: _number(value, say))


def _number(value: float, say: Words) -> str:
    return say.count(value) if abs(value) >= 100 else f"{value:.3g}".replace("-", "−")
