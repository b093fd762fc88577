"""Results as text for one screen of 100 columns: a plan, a comparison, a scenario, a back-test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from capsim.analysis.shadow_prices import Prices
from capsim.comparison.ranking import Comparison
from capsim.construction.recovery import Recovery
from capsim.demand.rolling_origin import Backtest
from capsim.i18n.language import WIDTH, Message, Words, filled, left, right, width, words, wrapped
from capsim.plan.plan import Explanation, Plan
from capsim.report import comparison_narrative as compared
from capsim.report import narrative
from capsim.report.figures.places import LEVELS, backtest_table
from capsim.report.risk_narrative import building_sections, expected, not_safe, price_of_safety
from capsim.simulation.outcomes import Outcomes

MARKS = {"S": "stated", "P": "published", "D": "derived", "A": "assumed", "": "unmarked"}
FIGURES = {
    "mape": ("mean relative error (MAPE)", 2),
    "bias": ("bias (forecast above: +)", 2),
    "cover80": ("held by 80 % intervals", 1),
    "cover95": ("held by 95 % intervals", 1),
}


def answer(
    plan: Plan,
    summary: dict[str, Any],
    outcomes: Outcomes | None = None,
    explanation: Explanation | None = None,
    *,
    unsafe: Sequence[Message] = (),
    recovery: Recovery | None = None,
    lang: str = "en",
) -> str:
    """Write a run in words, for one screen of 100 columns.

    Parameters
    ----------
    plan, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    explanation
        Why the plan misses a target; told where `unsafe` does not tell it.
    unsafe
        Why the plan does not hold as often as asked.
    recovery
        What wins lost time.
    lang
        `en` or `zh`.
    """
    say = plan.scenario.words(lang)
    lines = [_title(plan, lang), *filled(narrative.verdict(plan, summary, say), "  "), ""]
    if plan.status == "infeasible":
        return "\n".join([*lines, *_explanation(plan.explanation, say)]) + "\n"
    for section in (
        price_of_safety(plan, summary, say),
        not_safe(unsafe, say),
        expected(summary, say),
    ):
        lines += [] if section is None else _listed(section, say)
    lines += [*_targets(plan, summary, say), ""]
    for section in narrative.mix(plan, summary, say):
        lines += wrapped(*section, say)
    lines += ["", *wrapped(*narrative.cost(plan, summary, say), say)]
    if spread := narrative.cost_spread(plan, summary, say):
        lines += filled(f"  {spread}", "  ")
    if missing := narrative.short(plan, say):
        lines += ["", *wrapped(*missing, say)]
    if explanation is not None and not unsafe:
        lines += ["", *_explanation(explanation, say)]
    lines += ["", *wrapped(*narrative.before_and_after(plan, say), say)]
    if staff := narrative.teachers(plan, summary, say):
        lines += ["", *wrapped(*staff, say)]
    lines += ["", *narrative.people(summary, say)]
    lines += ["", *wrapped(*narrative.binds(plan, say), say)]
    for section in building_sections(outcomes, recovery, say):
        lines += ["", *(wrapped(*section, say) if recovery is None else _listed(section, say)[:-1])]
    return "\n".join(lines) + "\n"


def _listed(section: narrative.Section, say: Words) -> list[str]:
    """Write a section as a list, a line or more for each part, and a blank line."""
    parts = (line for part in section.parts for line in filled(f"- {part}", "  "))
    return [section.head + say.colon, *parts, ""]


def _title(plan: Plan, lang: str) -> str:
    scenario = plan.scenario
    return f"{scenario.heading(lang)} ({scenario.name} {scenario.hash[:10]})"


def _explanation(explanation: Explanation | None, say: Words) -> list[str]:
    """Write the sentences of an explanation over lines, points of lists indented."""
    sentences = narrative.explained(explanation.messages if explanation else (), say)
    return [
        line
        for sentence in sentences
        for line in filled(sentence, "  " if sentence.startswith("- ") else "")
    ]


def _targets(plan: Plan, summary: dict[str, Any], say: Words) -> list[str]:
    """Write a line for each rule: its first date in full, its later years in short.

    What is said of later years goes on a line of its own where the first is full.
    """
    rows = narrative.target_rows(summary, say)
    simulated = summary["simulation"]["draws"] > 0
    names = [say.brief(str(row["rule"])) for row in rows]
    wide = max(width(name) for name in [say("Target"), *names]) + 2
    head = left(say("Target"), wide) + left(say("by"), 11)
    titles = (say("in {year}", year=plan.scenario.base_year), say("required"), say("planned"))
    head += "".join(right(title, 9) for title in titles) + " " * 11
    head += left(say("likely") if simulated else "", 7) + say("later years")
    lines = [head.rstrip()]
    for name, row in zip(names, rows, strict=True):
        line = left(name, wide) + left(row["by"], 11)
        line += "".join(right(row[key], 9) for key in ("before", "required", "achieved")) + "  "
        line += left(say("MISSED" if row["state"] == "missed" else row["state"]), 9)
        line += f"{row['chance']:>5}  "
        if width(line + row["later"]) > WIDTH:
            lines += [line.rstrip(), f"    {say('later years: {later}', later=row['later'])}"]
        else:
            lines.append((line + row["later"]).rstrip())
    return lines


def reasons_text(
    plan: Plan, explanation: Explanation | None, prices: Prices | None, *, lang: str = "en"
) -> str:
    """Write `reasons` for one screen of 100 columns."""
    say = plan.scenario.words(lang)
    lines = [_title(plan, lang)]
    if plan.status == "infeasible":
        lines.append(say("NO PLAN meets what is ordered."))
    elif explanation is not None:
        lines.append(say("THE PLAN MISSES A TARGET."))
    else:
        lines.append(say("ON PAPER THE PLAN MEETS ALL TARGETS (not simulated here)."))
    lines += _explanation(explanation, say)
    if prices is not None:
        table = prices.binding()
        lines += ["", *filled(narrative.prices_head(table, say))]
        for sentence in narrative.price_sentences(table, say):
            lines += filled(f"  {sentence}", "    ")
    return "\n".join(lines) + "\n"


def comparison_text(comparison: Comparison, *, lang: str = "en") -> str:
    """Write a comparison as a table for one screen, best scenario first, and as sentences."""
    say = comparison.scenarios[comparison.first].words(lang)
    lines = [*filled(compared.verdict(comparison, say), "  "), "", *_ranking(comparison, say)]
    for section in compared.sections(comparison, say):
        lines += ["", section.head + say.colon]
        for part in section.parts:
            lines += filled(f"  {part}", "    ")
    return "\n".join(lines) + "\n"


def _ranking(comparison: Comparison, say: Words) -> list[str]:
    """Write a line for each scenario, best first."""
    summary = comparison.tables["summary"]
    ranks = dict(zip(summary["scenario"], summary["rank"].astype(str), strict=True))
    wide = max(width(name) for name in (say("scenario"), *comparison.results)) + 2
    columns = {
        "missed": (say("missed"), 9),
        "objective_cny": (say("whole cost"), 20),
        "displaced": (say("displaced"), 11),
        "surplus_last": (say("empty, end"), 15),
        "least_probability": (say("likely"), 8),
    }
    head = " " * 3 + left(say("scenario"), wide)
    head += "".join(right(title, room) for title, room in columns.values())
    wide_level = width(say("no difference from")) + 2
    lines = [f"{head}  {left(say('no difference from'), wide_level)}{say('dominated by')}"]
    for row in summary.to_dict("records"):
        start = f"{row['rank']:<3}{left(str(row['scenario']), wide)}"
        if row["status"] == "infeasible":
            lines.append(start + say("no plan meets what is ordered"))
            continue
        cells = [
            right(compared.figure(row[key], key, say), room) for key, (_, room) in columns.items()
        ]
        level, above = (
            ", ".join(ranks[name] for name in row[key].split(";") if name)
            for key in ("level_with", "dominated_by")
        )
        lines.append(f"{start}{''.join(cells)}  {left(level, wide_level)}{above}".rstrip())
    return lines


def overview_text(view: dict[str, Any], lang: str = "en") -> str:
    """Write what `overview` gives as lines for one screen."""
    say, years = words(lang, view["currency"]), view["years"]
    areas = say("{areas} in {number} counties", areas=view["areas"], number=view["counties"])
    span = say("observed to {base}, planned {first} to {last}", **years)
    rows = [(say("Areas"), areas), (say("Years"), span)]
    head = say("Pupils in {year}", year=years["base"])
    for stage, sectors in view["pupils"].items():
        cells = "".join(
            f"{left(say.name(name), 9)}{right(say.count(number), 11)}   "
            for name, number in sectors.items()
        )
        rows.append((head, left(say.name(stage), 14) + cells))
    for stage, schools in view["schools"].items():
        text = left(say.name(stage), 14)
        for sector, row in schools.items():
            places, number = right(say.count(row["places"]), 11), say.count(row["rows"])
            text += left(say.name(sector), 9) + say(
                "{places} in {number} rows", places=places, number=number
            )
            text += "   "
        rows.append((say("Places in schools"), text))
    for status, row in view["projects"].items():
        text = say(
            "{copies} with {places} places, {cost}",
            copies=say.count(row["copies"]),
            places=say.count(row["places"]),
            cost=say.money(row["capital_cny"]),
        )
        rows.append((say("Projects"), left(say.name(status), 20) + text))
    if view["limits"]:
        kinds = [
            f"{say.name(kind.replace('_', ' '))} ({number})"
            for kind, number in view["limits"].items()
        ]
        rows.append((say("Limits (rows)"), say.joined(kinds)))
    rows += [(say("Ordered"), text) for text in view["ordered"]]
    if view["marks"]:
        kinds = [f"{number} {say(MARKS.get(mark, mark))}" for mark, number in view["marks"].items()]
        rows.append((say("Figures and marks"), say.joined(kinds)))
    said = (("Does without", "does_without"), ("Read as", "read_as"), ("Warning", "warnings"))
    for key, texts in said:
        rows += [(say(key), text) for text in view[texts]]
    title = f"{view['title'] or view['name']} ({view['name']} {view['hash'][:10]})"
    lines, last = [say("{title}: no fault.", title=title)], ""
    for head, text in rows:
        lines.append(f"  {left('' if head == last else head, 20)}{text}".rstrip())
        last = head
    return "\n".join(lines) + "\n"


def enrolment_text(view: dict[str, Any], lang: str = "en") -> str:
    """Write what `enrolment` gives as a table by year and stage."""
    say, pupils = words(lang), view["pupils"]
    years = sorted({year for row in pupils.values() for year in row})
    lines = [say("school year") + "".join(right(say.name(stage), 14) for stage in pupils)]
    for year in years:
        cells = "".join(right(say.count(row[year]), 14) for row in pupils.values())
        lines.append(left(year, width(say("school year"))) + cells)
    notes = (say("Note: {note}", note=note) for note in view["notes"])
    return "\n".join([*lines, *notes]) + "\n"


def building_text(view: dict[str, Any], lang: str = "en") -> str:
    """Write what `building` gives as lines for one screen."""
    say = words(lang, view["scenario"]["currency"])
    lines = [
        say(
            "{name}: {projects} projects, {draws} simulations, seed {seed}.",
            name=view["scenario"]["name"],
            projects=say.count(view["projects"]),
            draws=say.count(view["replications"]),
            seed=view["seed"],
        ),
        say(
            "In use on the planned day: {chance} of the projects.",
            chance=say.chance(view["on_time"] or 0),
        ),
    ]
    for name, row in view["programmes"].items():
        text = say(
            "{name}: {wanted} wanted by {by}; {mean} of {projects} in use on average, enough in"
            " {chance}.",
            name=name,
            wanted=row["number"],
            by=row["by"],
            mean=say.count(row["in_use_mean"]),
            projects=row["projects"],
            chance=say.chance(row["probability"]),
        )
        lines.append(text)
    if view["waiting_days"]:
        causes = [f"{say.name(cause)} {days:.1f}" for cause, days in view["waiting_days"].items()]
        lines.append(say("Days lost by an average project: {causes}.", causes=say.joined(causes)))
    for row in view["late"]:
        text = say(
            "planned {planned}, on time {chance}, even chance {p50}, nine in ten {p90}",
            **{key: row[key] for key in ("planned", "p50", "p90")},
            chance=say.chance(row["p_on_time"]),
        )
        lines.append(f"  {left(str(row['project']), 16)} {text}")
    if "starts" in view:
        lines += _starts_lines(view["starts"], say)
    if "slippage" in view:
        lines += _slippage_lines(view["slippage"], say)
    if "hurry" in view:
        lines += _hurry_lines(view["hurry"], say)
    return "\n".join(lines) + "\n"


def _starts_lines(view: dict[str, Any], say: Words) -> list[str]:
    if not view["earlier"]:
        return [say("No project that has not begun could begin earlier than planned.")]
    before, after = view["before"], view["after"]
    lines = [
        say(
            "Start dates chosen among {schedules} schedules: {number} projects begin {days} days"
            " earlier on average.",
            schedules=say.count(view["schedules"]),
            number=say.count(view["earlier"]),
            days=say.count(view["days_earlier"]),
        ),
        "  "
        + say(
            "on time {before} -> {after}, days late on average {late} -> {later}",
            before=f"{100 * before['on_time']:.1f}",
            after=f"{100 * after['on_time']:.1f}{say.percent}",
            late=f"{before['days_late']:.1f}",
            later=f"{after['days_late']:.1f}",
        ),
    ]
    for name, chance in before["programmes"].items():
        reached = say.chance(after["programmes"][name])
        first = f"{100 * chance:.0f}"
        text = say("{name} enough in {before} -> {after}", name=name, before=first, after=reached)
        lines.append(f"  {text}")
    return lines


def _hurry_lines(view: dict[str, Any], say: Words) -> list[str]:
    """Write how many projects of a programme can be in use, and at what cost."""
    asked = f"{100 * view['probability']:g}{say.percent}"
    lines = [
        say(
            "{programme} by {by}, {required} required. In use with {asked}:",
            **{key: view[key] for key in ("programme", "by", "required")},
            asked=asked,
        )
    ]
    for row in view["curve"]:
        text = say(
            "{sure} ({expected} expected) with {number} projects hurried, {cost}",
            sure=f"{row['sure']:>5.0f}",
            expected=f"{row['expected']:.1f}",
            number=say.count(row["projects"]),
            cost=say.money(row["cost_cny"]),
        )
        lines.append(f"  {text}")
    if view["enough"] is None:
        lines.append(
            say("{number} cannot be had with {asked}.", number=view["number"], asked=asked)
        )
    return lines


def _slippage_lines(view: dict[str, Any], say: Words) -> list[str]:
    return [
        say(
            "Learned from the record: {projects} projects, {opened} open by {closed}; time taken"
            " over time planned has median {median},",
            projects=say.count(view["projects"]),
            opened=say.count(view["opened"]),
            closed=view["closed"],
            median=f"{view['median']:.2f}",
        ),
        "  "
        + say(
            "spread {sd} in a county (of its logarithm), and {shared} that a county's projects"
            " share (construction.shock_sd).",
            sd=f"{view['sd']:.2f}",
            shared=f"{view['shock_sd']:.2f}",
        ),
    ]


def notes_text(notes: Sequence[Message], lang: str = "en") -> str:
    """Write what was read, left out and put right, a note a line."""
    say = words(lang)
    lines = [line for note in notes for line in filled(note.text(say), "  ")]
    return "".join(f"{line}\n" for line in lines)


def backtest_text(backtest: Backtest, lang: str = "en") -> str:
    """Write what was read, and the errors by level, method and lead, the least of each marked."""
    say = words(lang)
    lines = [notes_text(backtest.notes, lang)] if backtest.notes else []
    for level, label in LEVELS.items():
        table = backtest_table(backtest, level)
        lines.append(say("WAPE of {level}, %, by years ahead", level=say(label)))
        lines.append(f"  {'':<28}" + "".join(f"{lead:>9}" for lead in table.columns))
        least = table.to_numpy().min(axis=0)
        for method, row in zip(table.index, table.to_numpy(), strict=True):
            cells = "".join(
                f"{value:>8.2f}{'*' if value == best else ' '}"
                for value, best in zip(row, least, strict=True)
            )
            lines.append(f"  {method!s:<28}{cells}")
    for level, label in LEVELS.items():
        rows = backtest.table.query("method == 'auto' and level == @level")
        rows = rows[rows["lead"].isin(backtest_table(backtest, level).columns)]
        lines.append(say("auto, {level}, %, by years ahead", level=say(label)))
        for figure, (name, digits) in FIGURES.items():
            cells = "".join(
                f"{'-':>8} " if np.isnan(value) else f"{value:>8.{digits}f} "
                for value in rows[figure]
            )
            lines.append(f"  {left(say(name), 28)}{cells}")
    lines.append(say("* least error of that lead; - no interval yet"))
    return "\n".join(lines) + "\n"
