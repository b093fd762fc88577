"""All figures of a plan's report: each on its own Axes, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.figure import Figure

from capsim.construction.recovery import Recovery
from capsim.plan.plan import Plan
from capsim.report.figures.maps import catchment_map, catchment_table, map_figure, map_table
from capsim.report.figures.places import (
    balance,
    balance_reach,
    balance_table,
    class_size_table,
    class_sizes,
    cost,
    mix,
    private_share,
    reduction,
)
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
P = ParamSpec("P")


def in_style(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw a figure in the style of all."""

    @wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(STYLE):
            return draw(*args, **kwargs)

    return styled


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
    first = plan.scenario.first_year
    figures = {}
    with mpl.rc_context(STYLE):
        if outcomes is not None:
            figures["chances"] = target_chances(plan, outcomes, lang=lang)
        private = bool(plan.tables["shares"]["private_including_purchased"].any())
        if private:
            figures["reduction"] = reduction(plan, lang=lang)
        figures["mix"] = mix(plan, lang=lang)
        if private:
            figures["private-share"] = private_share(plan, outcomes, lang=lang)
        for year in _looked_at(plan) if _reach(plan, _looked_at(plan)) else ():
            figures[f"balance-{year}"] = balance_figure(plan, year, lang=lang)
        if len(map_table(plan, first)):
            figures["map"] = map_figure(plan, first, lang=lang)
        if catchment_stages(plan):
            figures["catchments"] = catchments_figure(plan, lang=lang)
        if len(class_size_table(plan, first)):
            figures["class-size"] = class_sizes_figure(plan, lang=lang)
        figures["cost"] = cost(plan, lang=lang)
        if len(gantt_table(plan, outcomes)):
            figures["programme"] = gantt(plan, outcomes, lang=lang)
        if outcomes is not None and _waiting(outcomes):
            figures["shortfall"] = shortfall_figure(outcomes, lang=lang)
        if safety is not None:
            figures["safety"] = plans_tried(plan, safety, lang=lang)
        for number, found in enumerate([] if recovery is None else recovery.programmes, 1):
            if len(found.curve) > 1:
                figures[f"hurrying-{number}"] = hurrying(plan, found, lang=lang)
    return figures


@in_style
def balance_figure(plan: Plan, school_year: int | None = None, *, lang: str = "en") -> Figure:
    """Draw seats left over and pupils above standard of a year (the first planned one).

    Stages have the scale that they have in all years; those without any are left out.
    """
    say = plan.scenario.words(lang)
    school_year = school_year or plan.scenario.first_year
    reach = _reach(plan, [*_looked_at(plan), school_year])
    reach = reach or dict.fromkeys(plan.scenario.stages, ONE)
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


def _looked_at(plan: Plan) -> list[int]:
    """Return the first planned year and a later one."""
    first, last = plan.scenario.first_year, plan.scenario.last_year
    return sorted({first, min(first + LATER, last)})


def _reach(plan: Plan, school_years: list[int]) -> dict[str, float]:
    """Return how far the balance of each stage reaches in any of the years, where it does."""
    found = {
        stage: max(balance_reach(balance_table(plan, stage, year)) for year in school_years)
        for stage in plan.scenario.stages
    }
    return {stage: reach for stage, reach in found.items() if reach >= ONE}


def catchment_stages(plan: Plan) -> list[str]:
    """List the stages whose catchments can be drawn."""
    first = plan.scenario.first_year
    return [stage for stage in plan.scenario.stages if len(catchment_table(plan, stage, first))]


@in_style
def catchments_figure(plan: Plan, *, lang: str = "en") -> Figure:
    """Draw the catchments of every stage that has some."""
    stages = catchment_stages(plan)
    figure = new_figure(8 * len(stages), 7)
    for ax, stage in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
        catchment_map(ax, plan, stage, lang=lang)
    return figure


@in_style
def class_sizes_figure(plan: Plan, *, lang: str = "en") -> Figure:
    """Draw class sizes of the first planned year and of a later one."""
    say, school_years = plan.scenario.words(lang), _looked_at(plan)
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


@in_style
def shortfall_figure(outcomes: Outcomes, *, lang: str = "en") -> Figure:
    """Draw children without a place in simulations, a fan for each stage that may have some."""
    say = outcomes.plan.scenario.words(lang)
    stages = _waiting(outcomes) or list(outcomes.plan.scenario.stages)
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


def _waiting(outcomes: Outcomes) -> list[str]:
    """List the stages of which some children may have no place."""
    tables = {stage: shortfall_table(outcomes, stage) for stage in outcomes.plan.scenario.stages}
    return [
        stage
        for stage, table in tables.items()
        if float(table[["mean", "p95"]].to_numpy(float).max(initial=0.0)) >= ONE
    ]
