"""The answer on one screen: targets met or not, mix, cost, how likely, what binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from capsim.report import sentences
from capsim.report.language import Words, words
from capsim.report.sentences import Saying

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

WIDTH = 100


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
    title = f"{scenario.title or scenario.name} ({scenario.name} {scenario.hash[:10]})"
    lines = [title, sentences.verdict(plan, summary, say), ""]
    if plan.status == "infeasible":
        return "\n".join([*lines, *summary.get("explanation", [])]) + "\n"
    lines += _targets(summary, say)
    lines.append("")
    for saying in sentences.mix(plan, summary, say):
        lines += _wrap(saying)
    lines += ["", *_wrap(sentences.cost(plan, summary, say))]
    if spread := sentences.cost_spread(plan, summary, say):
        lines.append(f"  {spread}")
    if missing := sentences.short(plan, say):
        lines += ["", *_wrap(missing)]
    lines += ["", *sentences.people(summary, say)]
    lines += ["", *_wrap(sentences.binds(plan, say))]
    if outcomes is not None and (late := sentences.late(outcomes, say)):
        lines += ["", *_wrap(late)]
    return "\n".join(lines) + "\n"


def _targets(summary: dict[str, Any], say: Words) -> list[str]:
    """Write a line for each rule: its first date in full, its later years in short."""
    rows = sentences.target_rows(summary, say)
    simulated = summary["simulation"]["draws"] > 0
    names = [say.rule(row["rule"]) for row in rows]
    wide = max(_width(name) for name in [say("Target"), *names]) + 2
    head = _left(say("Target"), wide) + _left(say("by"), 12)
    head += _right(say("required"), 10) + _right(say("planned"), 10) + " " * 9
    head += _left(say("likely") if simulated else "", 8) + say("later years")
    lines = [head.rstrip()]
    for name, row in zip(names, rows, strict=True):
        line = _left(name, wide) + _left(row["by"], 12)
        line += _right(row["required"], 10) + _right(row["achieved"], 10) + "  "
        line += _left(say("holds") if row["holds"] else say("MISSED"), 7)
        line += f"{row['chance']:>6}  {row['later']}"
        lines.append(line.rstrip())
    return lines


def _wrap(saying: Saying) -> list[str]:
    """Write `head: part · part …` over lines of at most `WIDTH` columns, indented by two."""
    lines, line = [saying.head + ":"], " "
    for part in saying.parts:
        joined = f"{line} {part}" if line == " " else f"{line} · {part}"
        if _width(joined) > WIDTH - 2 and line != " ":
            lines.append(line + " ·")
            joined = f"  {part}"
        line = joined
    return [*lines, line]


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese characters are two wide."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _left(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _right(text: str, width: int) -> str:
    return " " * (width - _width(text)) + text
