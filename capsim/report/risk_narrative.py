"""Risk in sentences: what safety costs, whose lateness harms most, and what wins the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from capsim.construction.acceleration import Acceleration
from capsim.construction.recovery import EARLIER, HARM, Recovery
from capsim.i18n.language import Message, Words
from capsim.plan.plan import Plan
from capsim.plan.targets import rule_and_year
from capsim.report.narrative import Section, explained, on_paper, target_figure
from capsim.simulation.outcomes import Outcomes

MOST_EXPECTED = 3
"""Rules met on paper only whose expected figures are told."""
MOST_LATE = 4
"""Projects named whose lateness harms most."""


def expected(summary: dict[str, Any], say: Words) -> Section | None:
    """Write what is to be expected where a rule is met on paper only: its least likely date."""
    rows = sorted(
        (row for row in on_paper(summary) if row["mean"] is not None),
        key=lambda row: row["probability"],
    )
    least: dict[str, dict[str, Any]] = {}
    for row in rows:
        least.setdefault(rule_and_year(row["id"])[0], row)
    if not least:
        return None
    parts = []
    for rule, row in list(least.items())[:MOST_EXPECTED]:
        figures = {
            key: target_figure(row["id"], row[key], say)
            for key in ("mean", "p05", "p95", "required")
        }
        as_sure = figures["p05"] == figures["p95"]
        parts.append(
            say(
                "{rule}, {by}: {p05} in nearly all futures, {required} required; holds in {chance}"
                " of them"
                if as_sure
                else "{rule}, {by}: {mean} expected ({p05} to {p95}), {required} required; holds in"
                " {chance} of futures",
                rule=say.brief(rule),
                by=str(row["by"]),
                chance=say.chance(row["probability"]),
                **figures,
            )
        )
    return Section(say("As buildings and children really arrive"), parts)


def price_of_safety(plan: Plan, summary: Mapping[str, Any], say: Words) -> Section | None:
    """Write what it costs that the plan holds, or what stands in the way; None for one future."""
    safety = summary.get("safety")
    if safety is None:
        return None
    extra, paper = safety["extra_cny"], safety["paper"]
    parts = [
        say(
            "{extra} more than the plan that is cheapest on paper, which holds in {chance} of"
            " futures: {share} of what decisions can move",
            extra=say.money(extra),
            chance=say.chance(paper["probability"]),
            share=say.share(extra / max(plan.avoidable_cny - extra, 1e6)),
        ),
        say(
            "mean cost over futures, children without a place counted: {safe}, of the other plan"
            " {paper}",
            safe=say.money(safety["expected_cny"]),
            paper=say.money(paper["expected_cny"]),
        ),
        *_doing_nothing(safety["nothing"], say),
        *hurried(pd.DataFrame(safety["hurried"]), say),
    ]
    head = "What it costs that the plan holds" if safety["reached"] else "What more safety costs"
    return Section(say(head), parts)


def _doing_nothing(nothing: Mapping[str, Any] | None, say: Words) -> list[str]:
    if nothing is None:
        return []
    text = say(
        "deciding nothing beyond what is ordered saves {saved} and never holds: the private share"
        " stays about {before} where {required} is required",
        saved=say.money(nothing["saves_cny"]),
        before=say.share(nothing["before"]),
        required=say.share(nothing["required"]),
    )
    return [text]


def not_safe(reasons: Sequence[Message], say: Words) -> Section | None:
    """Write why a plan does not hold as often as asked; None where there are no reasons."""
    if not reasons:
        return None
    return Section(say("Why it does not hold as often as asked"), explained(reasons, say))


def building_sections(
    outcomes: Outcomes | None, recovery: Recovery | None, say: Words
) -> list[Section]:
    """Write what wins time for programmes, and for the projects whose lateness harms most."""
    sections = [] if recovery is None else [_in_time(one, say) for one in recovery.programmes]
    if outcomes is not None and (harmful := _late(outcomes, recovery, say)):
        sections.append(harmful)
    return sections


def _in_time(found: Acceleration, say: Words) -> Section:
    """Write how many projects of a programme can be in use by its date, and at what cost."""
    rows = found.curve.to_dict("records")
    first, last = rows[0], max(rows, key=lambda row: (row["sure"], -row["cost_cny"]))
    asked = say.chance(found.probability)
    parts = [
        say(
            "as things are: {sure} in use in {asked} of futures, {expected} expected; {required}"
            " required",
            sure=say.count(first["sure"]),
            asked=asked,
            expected=say.count(first["expected"]),
            required=say.count(found.required),
        )
    ]
    if first["sure"] >= found.required:
        pass
    elif last["sure"] <= first["sure"]:
        parts.append(say("no option in the scenario wins time for it"))
    else:
        middle = found.enough(int((first["sure"] + min(last["sure"], found.required) + 1) // 2))
        enough = found.enough(found.required)
        if middle is not None and middle["sure"] < (enough or last)["sure"]:
            parts.append(_bought(found, middle, say))
        if enough is not None:
            parts.append(_bought(found, enough, say))
        else:
            parts.append(
                say(
                    "{required} cannot be had in {asked} of futures; at most {most}",
                    required=say.count(found.required),
                    asked=asked,
                    most=_bought(found, last, say),
                )
            )
    rule = say.rule(found.programme)
    return Section(
        say("What brings {programme} in time by {by}", programme=rule, by=found.by), parts
    )


def _bought(found: Acceleration, row: Mapping[Any, Any], say: Words) -> str:
    """Write a row of the curve: how many it makes sure of, with which options, at what cost."""
    bought = found.measures.head(int(row["measures"])).drop_duplicates("project", keep="last")
    return say(
        "{sure} with {number} projects hurried for {cost} ({options})",
        sure=say.count(row["sure"]),
        number=say.count(row["projects"]),
        cost=say.money(row["cost_cny"]),
        options=say.joined(list(_counted(bought["options"], say))),
    )


def _counted(options: Iterable[str], say: Words) -> Iterator[str]:
    """Count ways to hurry, the most frequent first."""
    names = pd.Series([option_names(text, say) for text in options], dtype=str)
    for name, number in names.value_counts(sort=True).items():
        yield f"{name} {say.count(number)}"


def option_names(text: str, say: Words) -> str:
    """Name options that a cell lists.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> option_names("approvals_first;two_shifts", words("en"))
    'approvals first + two shifts'
    """
    return " + ".join(say.name(name) for name in text.split(";"))


def hurried(bought: pd.DataFrame, say: Words) -> list[str]:
    """Write which options a plan has bought, in one sentence; none where there is none.

    Parameters
    ----------
    bought
        As in `Hardened.hurried`.
    """
    if bought.empty:
        return []
    text = say(
        "{number} projects are hurried, which costs {cost} ({options})",
        number=say.count(len(bought)),
        cost=say.money(float(bought["cost_cny"].sum())),
        options=say.joined(list(_counted(bought["options"], say))),
    )
    return [text]


def _late(outcomes: Outcomes, recovery: Recovery | None, say: Words) -> Section | None:
    """Write whose lateness harms most, and what wins the time; None where none does."""
    worst = outcomes.tables["projects"]
    worst = worst[worst["harm"] >= HARM].sort_values("harm", ascending=False).head(MOST_LATE)
    cures: dict[Any, dict[Any, Any]] = {}
    if recovery is not None:
        cures = recovery.projects.set_index("project").to_dict("index")
    parts = []
    for row in worst.to_dict("records"):
        part = say(
            "{project} ({chance} on time, {harm} pupils)",
            project=row["project"],
            chance=say.chance(row["p_on_time"]),
            harm=say.count(row["harm"]),
        )
        cure = cures.get(row["project"])
        if cure is not None and cure["options"] == EARLIER:
            part += say(
                ": beginning by {date} brings it to {chance}",
                date=cure["decide_by"],
                chance=say.chance(cure["p_with"]),
            )
        elif cure is not None and cure["options"]:
            part += say(
                ": {options} for {cost}, to be decided by {date}, brings it to {chance}",
                options=option_names(cure["options"], say),
                cost=say.money(cure["cost_cny"]),
                date=cure["decide_by"],
                chance=say.chance(cure["p_with"]),
            )
        elif cure is not None and cure["p_with"] <= cure["p_on_time"]:
            part += say(": no option in the scenario wins time")
        parts.append(part)
    return Section(say("Lateness that hurts most"), parts) if parts else None
