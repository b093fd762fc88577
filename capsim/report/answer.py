"""The answer on one screen: targets met or not, mix, cost, how likely, what binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capsim.report import sentences
from capsim.report.explanations import explained
from capsim.report.language import Words, words
from capsim.report.screen import filled, left, right, width, wrapped

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes


def answer(
    plan: Plan, summary: dict[str, Any], outcomes: Outcomes | None = None, *, lang: str = "en"
) -> str:
    """Put a run into words, for one screen of 100 columns.

    Parameters
    ----------
    plan, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    lang
        `en` or `zh`.
    """
    say = words(lang)
    scenario = plan.scenario
    title = f"{scenario.heading(lang)} ({scenario.name} {scenario.hash[:10]})"
    lines = [title, sentences.verdict(plan, summary, say), ""]
    if plan.status == "infeasible":
        told = () if plan.explanation is None else plan.explanation.told
        for sentence in explained(told, say):
            lines += filled(sentence, "  " if sentence.startswith("- ") else "")
        return "\n".join(lines) + "\n"
    lines += _targets(summary, say)
    lines.append("")
    for saying in sentences.mix(plan, summary, say):
        lines += wrapped(*saying)
    lines += ["", *wrapped(*sentences.cost(plan, summary, say))]
    if spread := sentences.cost_spread(plan, summary, say):
        lines += filled(f"  {spread}", "  ")
    if missing := sentences.short(plan, say):
        lines += ["", *wrapped(*missing)]
    lines += ["", *sentences.people(summary, say)]
    lines += ["", *wrapped(*sentences.binds(plan, say))]
    if outcomes is not None and (late := sentences.late(outcomes, say)):
        lines += ["", *wrapped(*late)]
    return "\n".join(lines) + "\n"


def _targets(summary: dict[str, Any], say: Words) -> list[str]:
    """Write a line for each rule: its first date in full, its later years in short."""
    rows = sentences.target_rows(summary, say)
    simulated = summary["simulation"]["draws"] > 0
    names = [say.rule(row["rule"]) for row in rows]
    wide = max(width(name) for name in [say("Target"), *names]) + 2
    head = left(say("Target"), wide) + left(say("by"), 12)
    head += right(say("required"), 10) + right(say("planned"), 10) + " " * 9
    head += left(say("likely") if simulated else "", 8) + say("later years")
    lines = [head.rstrip()]
    for name, row in zip(names, rows, strict=True):
        line = left(name, wide) + left(row["by"], 12)
        line += right(row["required"], 10) + right(row["achieved"], 10) + "  "
        line += left(say("holds") if row["holds"] else say("MISSED"), 7)
        line += f"{row['chance']:>6}  {row['later']}"
        lines.append(line.rstrip())
    return lines
