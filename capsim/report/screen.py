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

EN = words("en")
"""Of screens that are in English alone."""
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
        lines += [] if section is None else _listed(section)
    lines += [*_targets(plan, summary, say), ""]
    for section in narrative.mix(plan, summary, say):
        lines += wrapped(*section)
    lines += ["", *wrapped(*narrative.cost(plan, summary, say))]
    if spread := narrative.cost_spread(plan, summary, say):
        lines += filled(f"  {spread}", "  ")
    if missing := narrative.short(plan, say):
        lines += ["", *wrapped(*missing)]
    lines += ["", *wrapped(*narrative.before_and_after(plan, say))]
    if staff := narrative.teachers(plan, summary, say):
        lines += ["", *wrapped(*staff)]
    lines += ["", *narrative.people(summary, say)]
    lines += ["", *wrapped(*narrative.binds(plan, say))]
    for section in building_sections(outcomes, recovery, say):
        lines += ["", *(wrapped(*section) if recovery is None else _listed(section)[:-1])]
    return "\n".join(lines) + "\n"


def _listed(section: narrative.Section) -> list[str]:
    """Write a section as a list, a line or more for each part, and a blank line."""
    parts = (line for part in section.parts for line in filled(f"- {part}", "  "))
    return [f"{section.head}:", *parts, ""]


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
    names = [say.rule(str(row["rule"]).removeprefix("programme-")) for row in rows]
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
        lines += ["", f"{section.head}:"]
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
    years = view["years"]
    counties = "county" if view["counties"] == 1 else "counties"
    money = words("en", view["currency"]).money
    rows = [
        ("Areas", f"{view['areas']} in {view['counties']} {counties}"),
        ("Years", f"observed to {years['base']}, planned {years['first']} to {years['last']}"),
    ]
    for stage, sectors in view["pupils"].items():
        cells = "".join(f"{name:<9}{EN.count(number):>11}   " for name, number in sectors.items())
        rows.append((f"Pupils in {years['base']}", f"{stage:<14}{cells}"))
    for stage, schools in view["schools"].items():
        cells = "".join(
            f"{sector:<9}{EN.count(row['places']):>11} in {EN.count(row['rows'])}"
            f" {'row' if row['rows'] == 1 else 'rows'}   "
            for sector, row in schools.items()
        )
        rows.append(("Places in schools", f"{stage:<14}{cells}"))
    for status, row in view["projects"].items():
        places = f"{EN.count(row['copies'])} with {EN.count(row['places'])} places"
        rows.append(("Projects", f"{status:<20}{places}, {money(row['capital_cny'])}"))
    if view["limits"]:
        kinds = (f"{kind} ({number})" for kind, number in view["limits"].items())
        rows.append(("Limits (rows)", ", ".join(kinds)))
    rows += [("Ordered", text) for text in view["ordered"]]
    if view["marks"]:
        kinds = (f"{number} {MARKS.get(mark, mark)}" for mark, number in view["marks"].items())
        rows.append(("Figures", ", ".join(kinds)))
    say = words(lang, view["currency"])
    said = (("Does without", "does_without"), ("Read as", "read_as"), ("Warning", "warnings"))
    for head, key in said:
        rows += [(say(head), text) for text in view[key]]
    title = f"{view['title'] or view['name']} ({view['name']} {view['hash'][:10]}): no fault."
    lines, last = [title], ""
    for head, text in rows:
        lines.append(f"  {left('' if head == last else head, 20)}{text}".rstrip())
        last = head
    return "\n".join(lines) + "\n"


def enrolment_text(view: dict[str, Any]) -> str:
    """Write what `enrolment` gives as a table by year and stage."""
    pupils = view["pupils"]
    years = sorted({year for row in pupils.values() for year in row})
    lines = ["school year" + "".join(f"{stage:>14}" for stage in pupils)]
    for year in years:
        cells = "".join(f"{EN.count(row[year]):>14}" for row in pupils.values())
        lines.append(f"{year:<11}{cells}")
    return "\n".join([*lines, *(f"Note: {note}" for note in view["notes"])]) + "\n"


def building_text(view: dict[str, Any]) -> str:
    """Write what `building` gives as lines for one screen."""
    lines = [
        f"{view['scenario']['name']}: {EN.count(view['projects'])} projects,"
        f" {EN.count(view['replications'])} simulations, seed {view['seed']}.",
        f"In use on the planned day: {100 * (view['on_time'] or 0):.0f} % of the projects.",
    ]
    for name, row in view["programmes"].items():
        lines.append(
            f"{name}: {row['number']} wanted by {row['by']}; {EN.count(row['in_use_mean'])} of"
            f" {row['projects']} in use on average, enough in {100 * row['probability']:.0f} %."
        )
    if view["waiting_days"]:
        causes = (f"{cause} {days:.1f}" for cause, days in view["waiting_days"].items())
        lines.append(f"Days lost by an average project: {', '.join(causes)}.")
    lines += [
        f"  {row['project']:<16} planned {row['planned']}, on time {100 * row['p_on_time']:.0f} %,"
        f" even chance {row['p50']}, nine in ten {row['p90']}"
        for row in view["late"]
    ]
    if "starts" in view:
        lines += _starts_lines(view["starts"])
    if "slippage" in view:
        lines += _slippage_lines(view["slippage"])
    if "hurry" in view:
        lines += _hurry_lines(view["hurry"], view["scenario"]["currency"])
    return "\n".join(lines) + "\n"


def _starts_lines(view: dict[str, Any]) -> list[str]:
    if not view["earlier"]:
        return ["No project that has not begun could begin earlier than planned."]
    before, after = view["before"], view["after"]
    lines = [
        f"Start dates chosen among {EN.count(view['schedules'])} schedules:"
        f" {EN.count(view['earlier'])} projects begin {EN.count(view['days_earlier'])} days earlier"
        " on average.",
        f"  on time {100 * before['on_time']:.1f} -> {100 * after['on_time']:.1f} %,"
        f" days late on average {before['days_late']:.1f} -> {after['days_late']:.1f}",
    ]
    for name, chance in before["programmes"].items():
        reached = after["programmes"][name]
        lines.append(f"  {name} enough in {100 * chance:.0f} -> {100 * reached:.0f} %")
    return lines


def _hurry_lines(view: dict[str, Any], currency: str) -> list[str]:
    """Write how many projects of a programme can be in use, and at what cost."""
    asked = f"{100 * view['probability']:g} %"
    lines = [
        f"{view['programme']} by {view['by']}, {view['required']} required. In use with {asked}:"
    ]
    lines += [
        f"  {row['sure']:>5.0f} ({row['expected']:.1f} expected) with"
        f" {EN.count(row['projects'])} {'project' if row['projects'] == 1 else 'projects'} hurried,"
        f" {words('en', currency).money(row['cost_cny'])}"
        for row in view["curve"]
    ]
    if view["enough"] is None:
        lines.append(f"{view['number']} cannot be had with {asked}.")
    return lines


def _slippage_lines(view: dict[str, Any]) -> list[str]:
    return [
        f"Learned from the record: {EN.count(view['projects'])} projects,"
        f" {EN.count(view['opened'])} open by {view['closed']}; time taken over time planned has"
        f" median {view['median']:.2f},",
        f"  spread {view['sd']:.2f} in a county (of its logarithm), and {view['shock_sd']:.2f}"
        " that a county's projects share (construction.shock_sd).",
    ]


def notes_text(notes: Sequence[Message], lang: str = "en") -> str:
    """Write what was read, left out and put right, a note a line."""
    say = words(lang)
    lines = [line for note in notes for line in filled(note.text(say), "  ")]
    return "".join(f"{line}\n" for line in lines)


def backtest_text(backtest: Backtest, lang: str = "en") -> str:
    """Write what was read, and the errors by level, method and lead, the least of each marked."""
    lines = [notes_text(backtest.notes, lang)] if backtest.notes else []
    for level, label in LEVELS.items():
        table = backtest_table(backtest, level)
        lines.append(f"WAPE of {label}, %, by years ahead")
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
        lines.append(f"auto, {label}, %, by years ahead")
        for figure, (name, digits) in FIGURES.items():
            cells = "".join(
                f"{'-':>8} " if np.isnan(value) else f"{value:>8.{digits}f} "
                for value in rows[figure]
            )
            lines.append(f"  {name:<28}{cells}")
    lines.append("* least error of that lead; - no interval yet")
    return "\n".join(lines) + "\n"
