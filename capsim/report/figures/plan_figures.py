"""All figures of a plan's report: each on its own Axes, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from capsim.construction.recovery import Recovery
from capsim.i18n.language import Words, words
from capsim.plan.plan import Plan
from capsim.plan.targets import target_groups
from capsim.report.figures.cost import cost
from capsim.report.figures.maps import catchment_map, catchment_table, map_figure, map_table
from capsim.report.figures.places import (
    balance,
    balance_reach,
    balance_table,
    class_size_table,
    class_sizes,
    mix,
)
from capsim.report.figures.private import private_share, reduction
from capsim.report.figures.programme import gantt, gantt_table
from capsim.report.figures.risk import (
    hurrying,
    plans_tried,
    shortfall_fan,
    shortfall_table,
    target_chances,
)
from capsim.report.figures.style import STYLE, new_figure, note_all
from capsim.simulation.outcomes import Outcomes

ONE = 1.0
"""A child or a seat: what is less in every place makes an empty panel."""
LATER = 8
"""Years after the first planned one at which the balance is drawn again."""


def all_figures(
    plan: Plan,
    outcomes: Outcomes | None = None,
    *,
    safety: Mapping[str, Any] | None = None,
    recovery: Recovery | None = None,
    lang: str = "en",
) -> dict[str, Figure]:
    """Draw every figure that a run has something for, by file name.

    Parameters
    ----------
    plan, outcomes, recovery
        What the run made.
    safety
        Key ``safety`` of its summary.
    lang
        `en` or `zh`.

    Raises
    ------
    ValueError
        There is no such language.
    """
    first, last = plan.scenario.first_year, plan.scenario.last_year
    later = min(first + LATER, last)
    figures = {}
    with mpl.rc_context(STYLE):
        if outcomes is not None:
            height = 1.8 + 0.28 * len(target_groups(outcomes.tables["targets"]))
            figures["chances"] = _one(9, height, target_chances, plan, outcomes, lang=lang)
        figures["reduction"] = _one(9, 5, reduction, plan, lang=lang)
        figures["mix"] = _one(9, 5, mix, plan, lang=lang)
        figures["private-share"] = _one(9, 4.8, private_share, plan, outcomes, lang=lang)
        if reach := _reach(plan, sorted({first, later})):
            for year in sorted({first, later}):
                figures[f"balance-{year}"] = _balance(plan, year, reach, words(lang))
        if len(map_table(plan, first)):
            figures["map"] = map_figure(plan, first, lang=lang)
        if drawn := [s for s in plan.scenario.stages if len(catchment_table(plan, s, first))]:
            figures["catchments"] = _catchments(plan, drawn, lang)
        if len(class_size_table(plan, first)):
            figures["class-size"] = _class_sizes(plan, sorted({first, later}), words(lang))
        figures["cost"] = _one(9, 5, cost, plan, lang=lang)
        if rows := len(gantt_table(plan, outcomes)):
            figures["programme"] = _one(10, 1.8 + 0.17 * rows, gantt, plan, outcomes, lang=lang)
        if outcomes is not None and (waiting := _waiting(outcomes)):
            figures["shortfall"] = _fans(outcomes, waiting, words(lang))
        if safety is not None:
            figures["safety"] = _one(9, 4.2, plans_tried, plan, safety, lang=lang)
        for number, found in enumerate([] if recovery is None else recovery.programmes, 1):
            if len(found.curve) > 1:
                figures[f"hurrying-{number}"] = _one(9, 4.2, hurrying, plan, found, lang=lang)
    return figures


def _one(
    width: float, height: float, draw: Callable[..., None], *given: object, lang: str
) -> Figure:
    figure = new_figure(width, height)
    draw(figure.add_subplot(), *given, lang=lang)
    return figure


def _reach(plan: Plan, school_years: list[int]) -> dict[str, float]:
    """Return how far the balance of each stage reaches in any of the years, where it does."""
    found = {
        stage: max(balance_reach(balance_table(plan, stage, year)) for year in school_years)
        for stage in plan.scenario.stages
    }
    return {stage: reach for stage, reach in found.items() if reach >= ONE}


def _balance(plan: Plan, school_year: int, reach: Mapping[str, float], say: Words) -> Figure:
    """Draw the balance of a year; stages have the scale that they have in all years."""
    rows = max(len(balance_table(plan, stage, school_year)) for stage in reach)
    figure = new_figure(1.5 + 2.8 * max(2, len(reach)), 1.9 + 0.16 * rows)
    axes = figure.subplots(1, len(reach), squeeze=False)[0]
    for at, (ax, stage) in enumerate(zip(axes, reach, strict=True)):
        most = reach[stage]
        balance(ax, plan, stage, school_year, names=at == 0, reach=most, lang=say.lang)
    title = say("Seats left over and pupils above standard")
    figure.suptitle(title, x=0.01, ha="left")
    colours = say(
        "Right of 0 (light blue): empty seats; left (purple, striped): over-filled classes; black:"
        " children without a place."
    )
    note_all(figure, plan.scenario, say, colours)
    return figure


def _catchments(plan: Plan, stages: list[str], lang: str) -> Figure:
    figure = new_figure(8 * len(stages), 7)
    for ax, stage in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
        catchment_map(ax, plan, stage, lang=lang)
    return figure


def _class_sizes(plan: Plan, school_years: list[int], say: Words) -> Figure:
    figure = new_figure(9, 4.2)
    axes = figure.subplots(1, len(school_years), squeeze=False)[0]
    for ax, year in zip(axes, school_years, strict=True):
        class_sizes(ax, plan, year, lang=say.lang)
    top = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(0, top)
        ax.set_ylabel(axes[0].get_ylabel() if ax is axes[0] else "")
    figure.suptitle(say("Class sizes in public schools"), x=0.01, ha="left")
    sd = f"{plan.scenario.settings.policy.class_size_sd:g}"
    text = say("Sizes spread about each school's mean with a standard deviation of {sd}.", sd=sd)
    note_all(figure, plan.scenario, say, text)
    return figure


def _waiting(outcomes: Outcomes) -> list[str]:
    """List the stages of which some children may have no place."""
    tables = {stage: shortfall_table(outcomes, stage) for stage in outcomes.plan.scenario.stages}
    return [
        stage
        for stage, table in tables.items()
        if float(table[["mean", "p95"]].to_numpy(float).max(initial=0.0)) >= ONE
    ]


def _fans(outcomes: Outcomes, stages: list[str], say: Words) -> Figure:
    columns = min(2, len(stages))
    lines = -(-len(stages) // columns)
    figure = new_figure(1.0 + 4.4 * columns, 0.8 + 2.9 * lines)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax, stage in zip(axes, stages, strict=False):
        shortfall_fan(ax, outcomes, stage, lang=say.lang)
    for ax in axes[len(stages) :]:
        ax.remove()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=4)
    figure.suptitle(say("Children without a place, simulated"), x=0.01, ha="left")
    text = say(
        "{number} simulations, seed {seed}.", number=say.count(outcomes.draws), seed=outcomes.seed
    )
    note_all(figure, outcomes.plan.scenario, say, text)
    return figure
