"""The answer on one screen: targets met or not, mix, cost, how likely, what binds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.report.binding import limits_used, tight_targets
from capsim.report.figures import rules_of, target_groups
from capsim.report.figures.private import TERMS
from capsim.report.numbers import count, money, share
from capsim.report.summary import meets_all

if TYPE_CHECKING:
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

SHARES = ("share-", "kindergarten_", "senior_", "large_classes-")
"""How the ids of targets begin whose figures are shares."""

LIMITS = {
    "hires": "teachers to hire",
    "contract_teachers": "contract teachers",
    "posts": "posts",
    "purchase": "places for sale",
    "capital": "money to build",
    "recurrent": "money to run",
    "land": "land",
}
WIDTH = 100


def answer(plan: Plan, summary: dict[str, Any], outcomes: Outcomes | None = None) -> str:
    """Put a run into words, for one screen of 100 columns.

    Parameters
    ----------
    plan, outcomes
        What the run made.
    summary
        As `summarize` gives it.
    """
    scenario = plan.scenario
    title = f"{scenario.title or scenario.name} ({scenario.name} {scenario.hash[:10]})"
    if plan.status == "infeasible":
        sentences = summary.get("explanation", [])
        return "\n".join([title, "NO PLAN meets what is ordered.", "", *sentences]) + "\n"
    lines = [title, _verdict(plan, summary), ""]
    lines += _targets(summary)
    lines += ["", *_mix(plan, summary)]
    lines += ["", *_cost(plan, summary)]
    lines += ["", *_people(summary)]
    lines += ["", *_binds(plan)]
    if outcomes is not None:
        lines += ["", *_late(outcomes)]
    return "\n".join(lines) + "\n"


def target_figure(identifier: str, figure: float | None) -> str:
    """Write a target's figure: a share in percent, anything else as a count.

    Examples
    --------
    >>> target_figure("share-2022", 0.05), target_figure("reduction", 309800.0)
    ('5.00 %', '309,800')
    """
    if figure is None:
        return "?"
    return share(figure) if identifier.startswith(SHARES) else count(figure)


def _verdict(plan: Plan, summary: dict[str, Any]) -> str:
    missed = sum(not row["holds"] for row in summary["targets"])
    gap = f"{100 * plan.gap:.3f} % of avoidable cost"
    proof = (
        f"proved cheapest to {gap}"
        if plan.status == "optimal"
        else f"search ended early, at most {gap} from the cheapest"
    )
    if meets_all(summary):
        return f"THE PLAN MEETS ALL TARGETS ({proof})."
    return f"THE PLAN MISSES {missed} OF {len(summary['targets'])} TARGETS ({proof})."


def _targets(summary: dict[str, Any]) -> list[str]:
    """Write a line for each rule: its first date in full, its later years in short."""
    simulated = summary["simulation"]["draws"] > 0
    names = rules_of(pd.Series([row["id"] for row in summary["targets"]], dtype=str))
    wide = max(len(name) for name in ["Target", *names]) + 2
    head = f"{'Target':<{wide}}{'by':<12}{'required':>10}{'planned':>10}  {'':<7}"
    lines = [(head + ("likely  later years" if simulated else "        later years")).rstrip()]
    table = pd.DataFrame(summary["targets"])
    table["probability"] = table["probability"].astype(float).fillna(1.0)
    rules = rules_of(table["id"])
    for group in target_groups(table).to_dict("records"):
        rule, row = group["rule"], summary["targets"][group["first"]]
        members = table[rules == rule].iloc[1:]
        required = target_figure(row["id"], row["required"])
        achieved = target_figure(row["id"], row["achieved"])
        chance = row["probability"]
        likely = f"{100 * chance:>4.0f} %" if chance is not None else " " * 6
        words = "holds" if row["holds"] else "MISSED"
        line = f"{rule:<{wide}}{row['by']!s:<12}{required:>10}{achieved:>10}  {words:<7}{likely}  "
        if len(members):
            held = int(members["holds"].sum())
            line += f"{held} of {len(members)} hold" if held < len(members) else "all hold"
            if simulated:
                least = summary["targets"][group["least"]]
                line += f", {100 * least['probability']:.0f} % in {str(least['by'])[:4]}"
        lines.append(line.rstrip())
    return lines


def _mix(plan: Plan, summary: dict[str, Any]) -> list[str]:
    row = summary["reduction"]
    total = row["total"]
    parts = [
        f"{look.label} {count(row[name])}"
        + (f" ({count(100 * row[name] / total)} %)" if total else "")
        for name, look in TERMS.items()
        if abs(row[name]) >= 0.5
    ]
    year = plan.scenario.settings.policy.reduction_year
    lines = _wrap(f"Mix on 1 September {year}, {count(total)} fewer private pupils", parts)
    built = plan.tables["projects"]
    opened = built[built["opens"] != ""]
    candidates = opened["copies"][opened["status"] == "candidate"].sum()
    converted = plan.tables["conversions"]
    closed = plan.tables["closures"]
    bought = plan.tables["purchases"].groupby("school_year")["places_december"].sum()
    done = [
        f"{count(opened['copies'].sum())} projects open, {count(candidates)} of them candidates",
        f"{count(converted['school'].nunique())} schools convert",
        f"{count(closed['school'].nunique())} close or run down",
        f"up to {count(bought.max() if len(bought) else 0)} places bought in a year",
    ]
    return [*lines, *_wrap(f"Until {plan.scenario.last_year}", done)]


def _cost(plan: Plan, summary: dict[str, Any]) -> list[str]:
    costs = plan.tables["costs"]
    avoidable = costs["discounted_cny"] - costs["committed_cny"]
    kinds = avoidable.groupby(costs["kind"]).sum()
    kinds = kinds[kinds.abs() >= 1e5].sort_values(ascending=False)
    head = (
        f"Cost decided here, discounted to {plan.scenario.first_year}:"
        f" {money(plan.avoidable_cny)} (besides {money(plan.committed_cny)} committed)"
    )
    lines = _wrap(head, [f"{kind} {money(amount)}" for kind, amount in kinds.items()])
    drawn = summary["simulation"].get("headlines", {}).get("cost_cny")
    if drawn:
        low, high = (money(drawn[level] - plan.committed_cny) for level in ("p05", "p95"))
        lines.append(f"  nine simulations in ten: between {low} and {high}")
    return lines


def _people(summary: dict[str, Any]) -> list[str]:
    displaced, surplus = summary["displaced_pupils"], summary["surplus_places"]
    first = next(iter(displaced))
    last = next(reversed(surplus))
    most = max(surplus, key=lambda year: surplus[year])
    shares = summary["private_share"]
    year = first if first in shares else next(reversed(shares))
    return [
        f"Children made to change school in mid-stage: {count(displaced[first])} in {first},"
        f" {count(sum(displaced.values()))} in all.",
        f"Private share at the end of {year}: {share(shares[year]['excluding_purchased'])} without"
        f" purchased places, {share(shares[year]['including_purchased'])} with them.",
        f"Empty public seats of the compulsory stages: {count(surplus[first])} in {first},"
        f" {count(surplus[most])} at most ({most}), {count(surplus[last])} in {last}.",
    ]


def _binds(plan: Plan) -> list[str]:
    table = limits_used(plan)
    table = table[table["binds"] & (table["year"] >= plan.scenario.first_year)]
    tight = pd.Series(tight_targets(plan), dtype=str)
    parts = []
    for rule, ids in tight.groupby(rules_of(tight), sort=False):
        years = [text.rsplit("-", 1)[1] for text in ids if text != rule]
        parts.append(f"{rule} {_span(years)}".strip())
    for kind, rows in table.groupby("kind", sort=False):
        parts.append(f"{LIMITS[str(kind)]} used up in {_years(rows)}")
    return _wrap("What binds", parts or ["no limit and no target; cost alone decides"])


def _span(years: list[str]) -> str:
    """Write years in short: one by one up to three, else from the first to the last."""
    if len(years) <= 3:
        return ", ".join(years)
    return f"{years[0]}–{years[-1]}" + ("" if _unbroken(years) else f" ({len(years)} years)")


def _unbroken(years: list[str]) -> bool:
    return int(years[-1]) - int(years[0]) == len(years) - 1


def _years(rows: pd.DataFrame) -> str:
    """Name the years in which limits are used up, with the number of counties."""
    texts = []
    for year, group in rows.groupby("year"):
        counties = group["county"][group["county"] != "*"].nunique()
        where = f" ({counties} {'county' if counties == 1 else 'counties'})" if counties else ""
        texts.append(f"{year}{where}")
    if len(texts) > 3:
        texts = [*texts[:2], f"… {len(texts) - 2} more years"]
    return ", ".join(texts)


def _late(outcomes: Outcomes) -> list[str]:
    worst = outcomes.tables["projects"]
    worst = worst[worst["harm"] > 0].sort_values("harm", ascending=False).head(4)
    parts = [
        f"{row['project']} ({100 * row['p_on_time']:.0f} % on time, {count(row['harm'])} pupils)"
        for row in worst.to_dict("records")
    ]
    return _wrap("Lateness that hurts most", parts) if parts else []


def _wrap(head: str, parts: list[str]) -> list[str]:
    """Write `head: part · part …` over lines of at most `WIDTH` columns, indented by two."""
    lines, line = [head + ":"], " "
    for part in parts:
        joined = f"{line} {part}" if line == " " else f"{line} · {part}"
        if len(joined) > WIDTH - 2 and line != " ":
            lines.append(line + " ·")
            joined = f"  {part}"
        line = joined
    return [*lines, line]
