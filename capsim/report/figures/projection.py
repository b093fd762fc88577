"""Figures of a projection: children ahead as a fan chart, by stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from capsim.i18n.language import words
from capsim.report.figures.style import BLUE, STYLE, counts_on, new_figure, school_years

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from capsim.demand.projection import Demand
    from capsim.scenario.scenario import Scenario


BANDS = (
    (0.025, 0.975, "95 % of draws", "#D0E3F0"),
    (0.1, 0.9, "80 %", "#9CC6E2"),
    (0.25, 0.75, "50 %", "#5FA3CE"),
)


def enrolment_fan(ax: Axes, demand: Demand, grades: tuple[str, ...], *, lang: str = "en") -> None:
    """Draw the whole's children of some grades, with bands where there are draws, on an Axes."""
    say = words(lang)
    rows = [demand.grades.index(grade) for grade in grades]
    if demand.draws is not None:
        total = demand.draws[:, :, rows].sum((1, 2))
        for low, high, part, colour in BANDS:
            edges = np.quantile(total, [low, high], axis=0)
            ax.fill_between(demand.years, *edges, color=colour, linewidth=0, label=say(part))
    middle = demand.pupils[:, rows].sum((0, 1))
    ax.plot(demand.years, middle, color=BLUE, marker="o", markersize=3, label=say("projection"))
    ax.set_ylim(bottom=0)
    counts_on(ax.yaxis, say)
    school_years(ax, demand.years, say, most=7)


def forecast_figure(scenario: Scenario, demand: Demand, *, lang: str = "en") -> Figure:
    """Draw a fan chart for each planned stage."""
    say = words(lang)
    stages = tuple(scenario.stages.values())
    with mpl.rc_context(STYLE):
        figure = new_figure(9, 2.9 * ((len(stages) + 1) // 2))
        axes = figure.subplots((len(stages) + 1) // 2, 2, squeeze=False)
        for ax, stage in zip(axes.flat, stages, strict=False):
            enrolment_fan(ax, demand, stage.grades, lang=lang)
            ax.set_title(say.name(stage.name))
            ax.set_ylabel(say("children"))
        for ax in axes.flat[len(stages) :]:
            ax.set_visible(False)
        axes.flat[0].legend(loc="lower left")
    return figure
