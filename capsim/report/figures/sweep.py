"""What changes when inputs do: a tornado of one input at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capsim.report.figures.style import BLUE, ORANGE, short
from capsim.report.language import words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


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
    looks = (("low", say("low value"), BLUE, "//"), ("high", say("high value"), ORANGE, ".."))
    for key, label, colour, hatch in looks:
        width = rows[f"{key}_result"].to_numpy(float) - base
        bars = ax.barh(
            np.arange(len(rows)),
            width,
            left=base,
            height=0.6,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
            label=label,
        )
        other = rows["high_result" if key == "low" else "low_result"].to_numpy(float) - base
        for bar, value, step, across in zip(bars, rows[key], width, other, strict=True):
            # A value with the outcome of the base stands on the side that the other leaves free.
            right = step > 0 or (step == 0 and across <= 0)
            ax.annotate(
                f"{value:g}" if isinstance(value, int | float) else short(value, 12),
                (base + step, bar.get_y() + 0.3),
                xytext=(4 if right else -4, 0),
                textcoords="offset points",
                ha="left" if right else "right",
                va="center",
                fontsize=7,
            )
    ax.axvline(base, color="black", linewidth=0.8)
    ax.set_yticks(range(len(rows)), [short(name) for name in rows["what"]])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(unit)
    ax.set_title(title)
    ax.legend(loc="lower right")
