"""Figures of a plan and its simulation: each on an Axes of the caller's, or all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

from capsim.report.figures.cost import cost, cost_table
from capsim.report.figures.places import balance, balance_table, mix, mix_table
from capsim.report.figures.private import private_share, reduction, reduction_table
from capsim.report.figures.programme import gantt, gantt_table
from capsim.report.figures.risk import (
    rules_of,
    shortfall_fan,
    shortfall_table,
    target_chances,
    target_groups,
)
from capsim.report.figures.style import STYLE, new_figure, note_all, render
from capsim.report.numbers import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

LATER = 8
"""Years after the first planned one at which the balance is drawn again."""

__all__ = [
    "all_figures",
    "balance",
    "balance_table",
    "cost",
    "cost_table",
    "gantt",
    "gantt_table",
    "mix",
    "mix_table",
    "new_figure",
    "private_share",
    "reduction",
    "reduction_table",
    "render",
    "rules_of",
    "shortfall_fan",
    "shortfall_table",
    "target_chances",
    "target_groups",
]


def all_figures(plan: Plan, outcomes: Outcomes | None = None) -> dict[str, Figure]:
    """Draw every figure that the plan and its outcomes have something for, by file name."""
    first, last = plan.scenario.first_year, plan.scenario.last_year
    later = min(first + LATER, last)
    figures = {}
    with mpl.rc_context(STYLE):
        figures["mix"] = _one(9, 5, mix, plan)
        for year in sorted({first, later}):
            figures[f"balance-{year}"] = _balance(plan, year)
        figures["private-share"] = _one(9, 4.8, private_share, plan, outcomes)
        figures["reduction"] = _one(9, 5, reduction, plan)
        figures["cost"] = _one(9, 5, cost, plan)
        if rows := len(gantt_table(plan, outcomes)):
            figures["programme"] = _one(10, 1.8 + 0.17 * rows, gantt, plan, outcomes)
        if outcomes is not None:
            figures["shortfall"] = _fans(outcomes)
            height = 1.8 + 0.28 * len(target_groups(outcomes.tables["targets"]))
            figures["chances"] = _one(9, height, target_chances, plan, outcomes)
    return figures


def _one(width: float, height: float, draw: Callable[..., None], *given: object) -> Figure:
    figure = new_figure(width, height)
    draw(figure.add_subplot(), *given)
    return figure


def _balance(plan: Plan, school_year: int) -> Figure:
    stages = list(plan.scenario.stages)
    rows = max(len(balance_table(plan, stage, school_year)) for stage in stages)
    figure = new_figure(1.5 + 2.8 * len(stages), 1.9 + 0.16 * rows)
    axes = figure.subplots(1, len(stages), squeeze=False)[0]
    for at, (ax, stage) in enumerate(zip(axes, stages, strict=True)):
        balance(ax, plan, stage, school_year, names=at == 0)
    figure.suptitle("Seats left over and pupils above standard, by area", x=0.01, ha="left")
    colours = (
        "Light blue: empty seats; purple: over-filled classes; black: children without a place."
    )
    note_all(figure, plan.scenario, colours)
    return figure


def _fans(outcomes: Outcomes) -> Figure:
    stages = list(outcomes.plan.scenario.stages)
    columns = min(2, len(stages))
    lines = -(-len(stages) // columns)
    figure = new_figure(1.0 + 4.4 * columns, 0.8 + 2.9 * lines)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax, stage in zip(axes, stages, strict=False):
        shortfall_fan(ax, outcomes, stage)
    for ax in axes[len(stages) :]:
        ax.remove()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    figure.suptitle("Children without a place, simulated", x=0.01, ha="left")
    text = f"{count(outcomes.draws)} simulations, seed {outcomes.seed}."
    note_all(figure, outcomes.plan.scenario, text)
    return figure
