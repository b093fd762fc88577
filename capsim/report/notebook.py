"""What a notebook shows of a result: its answer card, and its figures as methods.

Results ask for both by `capsim.io.shown.Shown`. A card never says more than is known: a target that
was not simulated, or that holds in fewer futures than asked for, is met *on paper*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from capsim.comparison.ranking import Comparison
from capsim.demand.projection import Demand
from capsim.i18n.language import Words, left, width, words
from capsim.io.shown import (
    ComparisonPlots,
    DemandPlots,
    HardenedPlots,
    OutcomesPlots,
    PlanPlots,
    Plots,
)
from capsim.plan.plan import Plan
from capsim.plan.targets import rule_and_year
from capsim.reliability.result import Hardened
from capsim.report import comparison_narrative, narrative
from capsim.report.figures.comparison import comparison_figures
from capsim.report.figures.maps import map_figure, map_table
from capsim.report.figures.places import (
    class_size_table,
    cost,
    enrolment_fan,
    mix,
    private_share,
    reduction,
)
from capsim.report.figures.plan_figures import (
    balance_figure,
    catchment_stages,
    catchments_figure,
    class_sizes_figure,
    shortfall_figure,
)
from capsim.report.figures.programme import gantt, gantt_table
from capsim.report.figures.risk import plans_tried, target_chances
from capsim.report.summary import comparison_tables, overview, summarize
from capsim.scenario.scenario import Scenario
from capsim.simulation.outcomes import Outcomes

TONES = {"holds": "good", "on paper": "warn", "met": "warn", "missed": "bad"}
"""How a state is coloured; only what was simulated and holds as often as asked is good."""
MOST_ROWS = 12
"""Targets, scenarios or years that a card lists."""


@dataclass(frozen=True)
class Row:
    """A row of a card; the tone is that of its last cell: good, warn, bad or blank."""

    cells: tuple[str, ...]
    tone: str = ""


@dataclass(frozen=True)
class Card:
    """What a notebook shows of a result; as text it is the same in columns.

    Attributes
    ----------
    lang : str
    kicker, title : str
        What it is of.
    lines : tuple of text
        The answer, the first in the tone.
    head, rows
        A small table.
    notes : tuple of text
    tone : str
        good, warn, bad, or blank where nothing is judged.
    """

    lang: str
    kicker: str
    title: str
    lines: tuple[str, ...]
    head: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    tone: str = ""

    def _repr_html_(self) -> str:
        environment = Environment(
            loader=PackageLoader("capsim.report.page", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return environment.get_template("card.html").render(card=self, say=words(self.lang))

    def __repr__(self) -> str:
        cells = [self.head, *(row.cells for row in self.rows)] if self.rows else []
        wide = [max(map(width, column)) + 2 for column in zip(*cells, strict=True)]
        table = [
            "".join(left(cell, room) for cell, room in zip(row, wide, strict=True)).rstrip()
            for row in cells
        ]
        return "\n".join([f"{self.title} · {self.kicker}", *self.lines, *table, *self.notes])


def card(of: Any, lang: str | None = None) -> Card:
    """Make the card of a scenario, a demand, a plan, its outcomes, a comparison or a safe plan.

    Raises
    ------
    TypeError
        There is no card of it.
    ValueError
        There is no such language.
    """
    if isinstance(of, Plan):
        return _plan_card(of, None, None, lang)
    if isinstance(of, Outcomes):
        return _plan_card(of.plan, of, None, lang)
    if isinstance(of, Hardened):
        return _plan_card(of.plan, None, of, lang)
    if isinstance(of, Comparison):
        first = of.scenarios[of.first]
        return _comparison_card(of, first.words(lang or first.lang))
    if isinstance(of, Scenario):
        return _scenario_card(of, of.words(lang or of.lang))
    if isinstance(of, Demand):
        return _demand_card(of, words(lang or "en"))
    raise TypeError(f"there is no card of a {type(of).__name__}")


def _kicker(scenario: Scenario, what: str) -> str:
    years = f"{scenario.first_year}–{scenario.last_year}"
    return f"capsim · {what} · {scenario.name} · {years} · {scenario.hash[:10]}"


def _plan_card(
    plan: Plan, outcomes: Outcomes | None, hardened: Hardened | None, lang: str | None
) -> Card:
    scenario = plan.scenario
    say = scenario.words(lang or scenario.lang)
    title = scenario.heading(say.lang)
    if plan.status == "infeasible":
        return Card(
            say.lang,
            _kicker(scenario, say("plan")),
            title,
            (say("NO PLAN meets what is ordered."),),
            notes=(say("`plan.explain()` says why, and what would cure it."),),
            tone="bad",
        )
    seed = 0 if outcomes is None else outcomes.seed
    summary = summarize(plan, None, outcomes, hardened, seed=seed, timings_s={})
    simulated = outcomes is not None or hardened is not None
    state = summary["state"]
    if simulated or state == "missed":
        answer = narrative.verdict(plan, summary, say)
    else:
        answer = say("ON PAPER THE PLAN MEETS ALL TARGETS (not simulated here).")
    tone = TONES[state]
    if hardened is not None and not hardened.reached and tone == "good":
        tone = "warn"
    costs = narrative.cost(plan, summary, say)
    lines = [
        answer,
        say("Total cost {cost}", cost=say.money(plan.objective_cny)) + say.stop + " " + costs.head,
    ]
    if answer != narrative.verdict(plan, summary, say):
        lines.append(_gap(plan, say))
    if hardened is not None:
        lines.append(
            say("{extra} more than the cheapest plan on paper", extra=say.money(hardened.extra_cny))
        )
    head = (
        say("Target"),
        say("by"),
        say("in {year}", year=scenario.base_year),
        say("required"),
        say("planned"),
        *((say("likely"),) if simulated else ()),
        say("state"),
    )
    draws = 0
    if outcomes is not None:
        draws = outcomes.draws
        notes = [
            say("{number} simulations, seed {seed}.", number=say.count(draws), seed=outcomes.seed)
        ]
    elif hardened is not None:
        notes = [say("{number} simulations", number=say.count(hardened.draws))]
    else:
        notes = [say("Not simulated: `capsim.simulate(plan)` says how likely each target is.")]
    rows = list(_target_rows(summary, simulated, say))
    if len(rows) > MOST_ROWS:
        notes.append(say("and {number} more", number=len(rows) - MOST_ROWS))
    return Card(
        say.lang,
        _kicker(scenario, say("plan")),
        title,
        tuple(lines),
        head,
        tuple(rows[:MOST_ROWS]),
        tuple(notes),
        tone,
    )


def _gap(plan: Plan, say: Words) -> str:
    """Write how far the cost is proved, as a sentence of its own."""
    text = narrative.proof(plan, say)
    return text[:1].upper() + text[1:] + say.stop


def _target_rows(summary: dict[str, Any], simulated: bool, say: Words) -> Iterator[Row]:
    """Give a row for each target, the years of a rule in one where their state is the same."""
    rows = summary["targets"]
    order = sorted(range(len(rows)), key=lambda at: narrative.STATES.index(rows[at]["state"]))
    seen: set[tuple[str, str]] = set()
    for at in order:
        row = rows[at]
        rule = rule_and_year(row["id"])[0]
        if (rule, row["state"]) in seen:
            continue
        seen.add((rule, row["state"]))
        alike = [
            one
            for one in rows
            if rule_and_year(one["id"])[0] == rule and one["state"] == row["state"]
        ]
        known = [one for one in alike if one["probability"] is not None]
        worst = min(known, key=lambda one: one["probability"]) if known else row
        state = "on paper" if row["state"] == "met" else row["state"]
        name = say.brief(rule)
        more = say(" (and {number} more years)", number=len(alike) - 1) if len(alike) > 1 else ""
        chance = "–" if worst["probability"] is None else say.chance(worst["probability"])
        yield Row(
            (
                name + more,
                str(worst["by"]),
                *(
                    narrative.target_figure(worst["id"], worst[key], say)
                    for key in ("before", "required", "achieved")
                ),
                *((chance,) if simulated else ()),
                say("MISSED" if state == "missed" else state),
            ),
            TONES[state],
        )


def _comparison_card(comparison: Comparison, say: Words) -> Card:
    summary = comparison.tables["summary"]
    asked = comparison_narrative.asked_of(comparison)
    rows = []
    for row in summary.head(MOST_ROWS).to_dict("records"):
        name = f"{row['rank']}. {row['scenario']}"
        if row["status"] == "infeasible":
            rows.append(Row((name, "–", "–", "–", say("no plan meets what is ordered")), "bad"))
            continue
        least = row["least_probability"]
        state = "missed" if row["missed"] else "holds" if least >= asked else "on paper"
        rows.append(
            Row(
                (
                    name,
                    say.money(row["objective_cny"]),
                    say.count(row["missed"]),
                    "–" if np.isnan(least) else say.chance(least),
                    say("MISSED" if state == "missed" else state),
                ),
                TONES[state],
            )
        )
    head = (say("scenario"), say("whole cost"), say("missed"), say("likely"), say("state"))
    more = len(summary) - len(rows)
    first = comparison.scenarios[comparison.first]
    return Card(
        say.lang,
        _kicker(first, say("comparison")),
        first.heading(say.lang),
        (comparison_narrative.verdict(comparison, say),),
        head,
        tuple(rows),
        (say("and {number} more", number=more),) if more else (),
    )


def _scenario_card(scenario: Scenario, say: Words) -> Card:
    view = overview(scenario)
    rows = [
        Row(
            (
                say.name(stage),
                *(say.count(sectors.get(name, 0.0)) for name in ("public", "private")),
            )
        )
        for stage, sectors in view["pupils"].items()
    ]
    projects = sum(row["copies"] for row in view["projects"].values())
    return Card(
        say.lang,
        _kicker(scenario, say("scenario")),
        scenario.heading(say.lang),
        (
            say(
                "areas: {areas}, counties: {counties}, projects: {projects}",
                areas=say.count(view["areas"]),
                counties=say.count(view["counties"]),
                projects=say.count(projects),
            ),
        ),
        (say("Pupils in {year}", year=scenario.base_year), say.name("public"), say.name("private")),
        tuple(rows),
        tuple(one.text(say) for one in scenario.findings[:MOST_ROWS]),
    )


def _demand_card(demand: Demand, say: Words) -> Card:
    total = demand.pupils.sum((0, 1))
    shown = list(zip(demand.years, total, strict=True))[:MOST_ROWS]
    number = 0 if demand.draws is None else len(demand.draws)
    line = say(
        "{areas} areas, {grades} grades, {years}",
        areas=say.count(len(demand.areas)),
        grades=len(demand.grades),
        years=f"{demand.years[0]}–{demand.years[-1]}",
    )
    return Card(
        say.lang,
        f"capsim · {say('demand')}",
        say("Children to be placed"),
        (line, *((say("{number} simulations", number=say.count(number)),) if number else ())),
        (say("school year"), say("children")),
        tuple(Row((str(year), say.count(children))) for year, children in shown),
        tuple(note.text(say) for note in demand.findings[:MOST_ROWS]),
    )


def plots(of: Any) -> Plots:
    """Return the figures that a result can draw; see `Plots`."""
    if isinstance(of, Plan):
        return PlanPlots(_of_plan(of))
    if isinstance(of, Outcomes):
        return OutcomesPlots({**_of_plan(of.plan, of), **_of_outcomes(of)})
    if isinstance(of, Hardened):
        return HardenedPlots({**_of_plan(of.plan), "safety": partial(_safety, of)})
    if isinstance(of, Comparison):
        drawn = comparison_figures(of, comparison_tables(of))
        return ComparisonPlots({name: partial(_compared, of, name) for name in drawn})
    if isinstance(of, Demand):
        return DemandPlots({"enrolment": partial(_enrolment, of)})
    return Plots({})


def _of_plan(plan: Plan, outcomes: Outcomes | None = None) -> dict[str, Callable[..., Figure]]:
    """Return the figures of a plan that there is something for, with simulated bands if any."""
    if plan.status == "infeasible":
        return {}
    first = plan.scenario.first_year
    drawn: dict[str, Callable[..., Figure]] = {
        "reduction": _on_axes(reduction, plan),
        "mix": _on_axes(mix, plan),
        "private_share": _on_axes(private_share, plan, outcomes),
        "balance": partial(balance_figure, plan),
        "cost": _on_axes(cost, plan),
    }
    if len(map_table(plan, first)):
        drawn["map"] = partial(_map, plan)
    if catchment_stages(plan):
        drawn["catchments"] = partial(catchments_figure, plan)
    if len(class_size_table(plan, first)):
        drawn["class_sizes"] = partial(class_sizes_figure, plan)
    if len(gantt_table(plan, outcomes)):
        drawn["programme"] = _on_axes(gantt, plan, outcomes)
    return drawn


def _on_axes(draw: Callable[..., Any], *given: object) -> Callable[..., Figure]:
    """Return a drawing that is given no Axes, which makes its own."""
    return partial(draw, *given)


def _of_outcomes(outcomes: Outcomes) -> dict[str, Callable[..., Figure]]:
    return {
        "shortfall": partial(shortfall_figure, outcomes),
        "chances": _on_axes(target_chances, outcomes.plan, outcomes),
    }


def _map(plan: Plan, school_year: int | None = None, *, lang: str = "en") -> Figure:
    """Draw the map of a year (the first planned one)."""
    return map_figure(plan, school_year or plan.scenario.first_year, lang=lang)


def _safety(hardened: Hardened, *, lang: str = "en") -> Figure:
    """Draw what the plans tried cost and how often they hold."""
    summary = summarize(hardened.plan, hardened=hardened, seed=0, timings_s={})
    return plans_tried(hardened.plan, summary["safety"], lang=lang)


def _compared(comparison: Comparison, name: str, *, lang: str = "en") -> Figure:
    """Draw one of the figures of a comparison."""
    return comparison_figures(comparison, comparison_tables(comparison), lang=lang)[name]


def _enrolment(demand: Demand, grades: Sequence[str] | None = None, *, lang: str = "en") -> Figure:
    """Draw the children of some grades, or of all, with bands where there are draws."""
    figure = enrolment_fan(demand, tuple(grades or demand.grades), lang=lang)
    (ax,) = figure.axes
    ax.set_title(words(lang)("Children to be placed"))
    ax.legend(loc="lower left")
    return figure
