"""A run in sentences: verdict, targets, mix, cost, people, what binds, lateness, prices.

The screen and the page say the same; each lays it out in its own way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capsim.i18n.language import Message, Words
from capsim.model.data import stepped
from capsim.plan.plan import Plan
from capsim.plan.targets import (
    TOLERANCE,
    WHAT,
    counted_share,
    rule_and_year,
    rules_of,
    target_groups,
    tight_targets,
    unit_of,
)
from capsim.report.figures.places import KINDS, TERMS, has_private

STATES = ("missed", "on paper", "met", "holds")
"""What may be said of a target, the worst first; *met* where no future was simulated."""
HALF_A_CHILD = 0.5
HALF_A_TEACHER = 0.5
NAMED_COUNTIES = 4
"""Counties named where children are left without a place."""
EACH = 3
"""Prices that are listed of each kind, the highest first."""

UNITS = {
    "place": "one more place",
    "post": "one more post",
    "hire": "one more teacher hired",
    "contract teacher": "one more contract teacher",
    "capital": "one more RMB to build",
    "recurrent": "one more RMB to run schools",
    "land": "one more mu of land",
    "purchased place": "one more place bought",
    "boarding place": "one more boarding place",
    "cap": "a cap higher by one percentage point",
    "reduction": "one pupil less to move",
    "floor": "one child less on the floor",
    "large class": "one more large class",
    "fill": "one pupil less on the fill floor",
    "choice": "one project more or less in a choice",
    "programme": "one project less",
}


def explained(messages: Iterable[Message], say: Words) -> list[str]:
    """Return the sentences of an explanation.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> who = Message("county {county}, {stage}", {"county": "C01", "stage": "junior"})
    >>> gap = Message("{who} lacks {amount} posts in {year}", {"who": who, "year": 2022})
    >>> explained([Message("{gap}.", {"gap": gap.filled(amount=12400.0)})], words("zh"))
    ['县区C01初中 2022年缺编制1.24万个。']
    """
    return [one.text(say) for one in messages]


class Section(NamedTuple):
    """A heading and what stands under it, part by part."""

    head: str
    parts: list[str]


def target_figure(identifier: str, figure: float | None, say: Words) -> str:
    """Write a target's figure: a share in percent, anything else as a count; ? if not known.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> [target_figure(*one, words("en")) for one in [("share-2022", 0.05), ("reduction", 309800)]]
    ['5.00 %', '309,800']
    """
    if figure is None or np.isnan(figure):
        return "?"
    return say.share(figure) if unit_of(identifier) == "share" else say.count(figure)


def verdict(plan: Plan, summary: dict[str, Any], say: Words) -> str:
    """Write whether the targets asked for hold, or are met on paper, and how far cost is proved."""
    if plan.status == "infeasible":
        return say("NO PLAN meets what is ordered.")
    safety = summary.get("safety")
    proof_of = proof(plan, say, safe=safety is not None)
    of = len(summary["targets"])
    if safety is not None and summary["state"] != "missed":
        return _safe(summary, safety, proof_of, say)
    if summary["state"] in ("holds", "met"):
        return say("THE PLAN MEETS ALL TARGETS ({proof}).", proof=proof_of)
    if summary["state"] == "on paper":
        return say(
            "ON PAPER the plan meets all {of} targets; {paper} of them hold in fewer than {asked}"
            " of simulated futures ({proof}).",
            of=of,
            paper=len(on_paper(summary)),
            asked=say.chance(summary["asked_probability"]),
            proof=proof_of,
        )
    missed = sum(not row["met"] for row in summary["targets"])
    return say(
        "THE PLAN MISSES {missed} OF {of} TARGETS ({proof}).", missed=missed, of=of, proof=proof_of
    )


def proof(plan: Plan, say: Words, *, safe: bool = False) -> str:
    """Write how far cost is proved; of a plan made safe, above the cheapest on paper."""
    gap = f"{100 * plan.gap:.{3 if plan.gap < 0.01 else 2}f}"
    if safe and np.isfinite(plan.gap):
        return say("at most {gap} % of avoidable cost above the cheapest plan on paper", gap=gap)
    if plan.status == "optimal":
        return say("proved cheapest to {gap} % of avoidable cost", gap=gap)
    if not np.isfinite(plan.gap):
        return say("search ended early, without a bound on how much cheaper a plan can be")
    return say("search ended early, at most {gap} % of avoidable cost from the cheapest", gap=gap)


def on_paper(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the targets that are met on paper only."""
    return [row for row in summary["targets"] if row["state"] == "on paper"]


def _safe(summary: Mapping[str, Any], safety: Mapping[str, Any], proof: str, say: Words) -> str:
    """Write whether the targets asked for hold together, and how many others do on paper only."""
    together = {
        "targets": named_targets(safety["targets"], say),
        "chance": say.chance(safety["probability"]),
        "asked": say.chance(safety["asked"]),
    }
    if not safety["reached"]:
        return say(
            "ON PAPER the plan meets all {of} targets. Together {targets} hold in {chance} of"
            " simulated futures, where {asked} is asked for ({proof}).",
            of=len(summary["targets"]),
            proof=proof,
            **together,
        )
    paper = sum(row["id"] not in safety["targets"] for row in on_paper(summary))
    others = say("; {others} other targets are met on paper only", others=paper) if paper else ""
    return say(
        "THE PLAN HOLDS: together {targets} in {chance} of simulated futures, {asked} asked for"
        "{others} ({proof}).",
        others=others,
        proof=proof,
        **together,
    )


ASKED = {
    "placement-compulsory": "every child of compulsory age placed",
    "share": "private share within its cap",
}
"""Rules that are asked for as a rule, as what they demand."""


def named_targets(targets: Sequence[str], say: Words) -> str:
    """Name targets, those of a rule over many years in one.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> named_targets(["placement-compulsory", "share-2022", "share-2023"], words("en"))
    'every child of compulsory age placed, private share within its cap 2022–2023'
    """
    years: dict[str, list[str]] = {}
    for target in targets:
        rule, year = rule_and_year(target)
        years.setdefault(rule, []).extend([] if year is None else [str(year)])
    parts = []
    for rule, of in years.items():
        name = say(ASKED[rule]) if rule in ASKED else say.brief(rule)
        span = "–".join(dict.fromkeys(of[:1] + of[-1:]))
        parts.append(say("{rule} {years}", rule=name, years=span) if span else name)
    return say.joined(parts)


LATER = {
    frozenset({"holds"}): "all hold",
    frozenset({"met"}): "all met",
    frozenset({"on paper"}): "all on paper",
}
"""What is said of later years that are all met, by their states."""


def target_rows(summary: dict[str, Any], say: Words) -> list[dict[str, Any]]:
    """Group the targets of one rule: its first date in full, its later years in short.

    Returns
    -------
    list of dict
        rule (its id), by, before, required, achieved (texts), state, chance (text, blank without
        simulation), later (text, blank if none follow), all_hold, id (of the first). Those met on
        paper only, or missed, come first, the least likely of them before the others.
    """
    simulated = summary["simulation"]["draws"] > 0
    table = pd.DataFrame(summary["targets"])
    table["probability"] = table["probability"].astype(float).fillna(1.0)
    rules = rules_of(table["id"])
    rows = []
    for group in target_groups(table).to_dict("records"):
        rule, row = group["rule"], summary["targets"][group["first"]]
        members = table[rules == rule].iloc[1:]
        later = ""
        if len(members):
            holding, of = int(members["met"].sum()), len(members)
            later = (
                say(LATER.get(frozenset(members["state"]), "some on paper"))
                if holding == of
                else say("{held} of {of} hold", held=holding, of=of)
            )
            if simulated:
                least = summary["targets"][group["least"]]
                worst = {"chance": say.chance(least["probability"]), "year": str(least["by"])[:4]}
                later = say("{later}, {chance} in {year}", later=later, **worst)
        chance = row["probability"]
        least_likely = summary["targets"][group["least"]]["probability"]
        states = set(table["state"][rules == rule])
        urgent = min(states, key=STATES.index)
        rows.append(
            {
                "order": (
                    STATES.index(urgent),
                    min(1.0 if p is None else p for p in (chance, least_likely)),
                ),
                "rule": rule,
                "id": row["id"],
                "by": str(row["by"]),
                **{
                    key: target_figure(row["id"], row[key], say)
                    for key in ("before", "required", "achieved")
                },
                "state": row["state"],
                "chance": say.chance(chance) if simulated and chance is not None else "",
                "later": later,
                "all_hold": bool(row["met"] and members["met"].all()),
            }
        )
    return sorted(rows, key=lambda row: row["order"])


def mix(plan: Plan, summary: dict[str, Any], say: Words) -> list[Section]:
    """Write what takes in the pupils, and what is built, converted, closed and bought."""
    row = summary["reduction"]
    total = row["total"]
    # Shares are of a fall that the terms make up, not of the rest of some that undo each other.
    parts_of_it = total > 0 and all(row[name] < total + HALF_A_CHILD for name in TERMS)
    parts = [
        f"{say(look.label)} {say.count(row[name])}"
        + (f" ({say.chance(row[name] / total)})" if parts_of_it else "")
        for name, look in TERMS.items()
        if abs(row[name]) >= HALF_A_CHILD
    ]
    year = plan.scenario.settings.policy.reduction_year
    head = say(
        "Mix on 1 September {year}, {number} fewer private pupils",
        year=year,
        number=say.count(total),
    )
    built = plan.tables["projects"]
    opened = built[built["opens"] != ""]
    converted = plan.tables["conversions"]["school"].nunique()
    closures = plan.tables["closures"]
    given_up = closures["school"][closures["how"] == "given_up"].nunique()
    closed = closures["school"][closures["how"] != "given_up"].nunique()
    bought = plan.tables["purchases"].groupby("school_year")["places_december"].sum()
    done = opened_projects(opened, say)
    if converted:
        text = say("{number} schools convert", number=say.count(converted))
        if given_up:
            text += say(", {number} of them given up again", number=say.count(given_up))
        done.append(text)
    if closed:
        done.append(say("{number} close or run down", number=say.count(closed)))
    if len(bought):
        done.append(say("up to {number} places bought in a year", number=say.count(bought.max())))
    done = done or [say("nothing opens, converts or closes")]
    until = Section(say("Until {year}", year=plan.scenario.last_year), done)
    return [Section(head, parts), until] if has_private(summary) else [until]


CHANGES = {
    "restage": "{number} places change stage",
    "nine_year": "{number} nine-year schools begin",
    "merge": "{number} public schools merge",
    "close": "{number} public schools close",
}
"""What candidates do that build nothing."""


def opened_projects(opened: pd.DataFrame, say: Words) -> list[str]:
    """Count what is ordered, what is built beyond it, and what else changes, by kind."""
    candidate = opened["status"] == "candidate"
    other = opened["kind"].isin(list(CHANGES))
    built = opened["copies"][candidate & ~other].sum()
    ordered, parts = opened["copies"][~candidate].sum(), []
    if ordered:
        parts.append(say("{number} ordered projects open", number=say.count(ordered)))
    if built:
        parts.append(say("{number} candidates are built", number=say.count(built)))
    for kind, text in CHANGES.items():
        own = opened[candidate & (opened["kind"] == kind)]
        size = own["places"] if kind == "restage" else 1
        if len(own):
            parts.append(say(text, number=say.count((own["copies"] * size).sum())))
    return parts


def cost(plan: Plan, summary: dict[str, Any], say: Words) -> Section:
    """Write what the decisions cost, by kind, and how far simulations spread."""
    costs = plan.tables["costs"]
    avoidable = costs["discounted_cny"] - costs["committed_cny"]
    kinds = avoidable.groupby(costs["kind"]).sum()
    kinds = kinds[kinds.abs() >= 1e5].sort_values(ascending=False)
    head = say(
        "Cost decided here, discounted to {year}: {decided} (besides {committed} committed)",
        year=plan.scenario.first_year,
        decided=say.money(plan.avoidable_cny),
        committed=say.money(plan.committed_cny),
    )
    return Section(
        head, [f"{kind_name(kind, say)} {say.money(amount)}" for kind, amount in kinds.items()]
    )


def kind_name(kind: object, say: Words) -> str:
    """Name a kind of cost; one that the report does not know stays as it is."""
    return say(KINDS[str(kind)].label) if str(kind) in KINDS else str(kind)


def cost_spread(plan: Plan, summary: dict[str, Any], say: Words) -> str:
    """Write between which costs nine simulations in ten lie; blank without simulation.

    What a child without a place is counted at is paid to nobody and left out.
    """
    drawn = summary["simulation"].get("headlines", {}).get("paid_cny")
    if not drawn:
        return ""
    low, high = (say.money(drawn[level] - plan.committed_cny) for level in ("p05", "p95"))
    text = say("nine simulations in ten: between {low} and {high}", low=low, high=high)
    short = plan.tables["costs"].query("kind == 'shortfall'")["discounted_cny"].sum()
    return text + say(", missing children not counted") if short > 1e5 else text


def before_and_after(plan: Plan, say: Words) -> Section:
    """Set private pupils, counties above the cap and large classes beside the base year."""
    return Section(
        say("Before and after"),
        [*_private_pupils(plan, say), *_counties_above(plan, say), *_large_classes(plan, say)],
    )


def _private_pupils(plan: Plan, say: Words) -> Iterator[str]:
    """Write how many private pupils count in the autumns before and after the reduction."""
    shares, fall = plan.tables["shares"], plan.tables["reduction"].set_index("school_year")["total"]
    base, policy = plan.scenario.base_year, plan.scenario.settings.policy
    year = (
        policy.reduction_year if policy.reduction_year in fall.index else plan.scenario.first_year
    )
    whole = shares[(shares["county"] == "*") & (shares["school_year"] == base)]
    before = float(whole["private_excluding_purchased"].sum())
    if before < HALF_A_CHILD and not shares["private_including_purchased"].any():
        return
    yield say(
        "counted private pupils on 1 September: {before} in {base}, {after} in {year}",
        before=say.count(before),
        base=base,
        after=say.count(before - float(fall[year])),
        year=year,
    )


def _counties_above(plan: Plan, say: Words) -> Iterator[str]:
    """Write how many counties lie above the first cap that is in force, and the worst of them.

    The order speaks of each county, also where the cap of the scenario is on the whole.
    """
    policy, base = plan.scenario.settings.policy, plan.scenario.base_year
    caps = {year: stepped(policy.private_share_cap, year) for year in plan.scenario.years}
    in_force = [(year, cap) for year, cap in caps.items() if cap is not None]
    if not in_force:
        return
    year, cap = in_force[0]
    shares = plan.tables["shares"]
    by_year = shares[shares["county"] != "*"].set_index("county").groupby("school_year")
    for one, text in (
        (year, "counties above {cap} at the end of {year}: {number} of {of}"),
        (base, "above it in {year}: {number} of {of}"),
    ):
        counted = by_year.get_group(one)[counted_share(policy)]
        above = int((counted > cap + TOLERANCE).sum())
        said = say(text, cap=say.share(cap), year=one, number=above, of=len(counted))
        worst = {"county": str(counted.idxmax()), "share": say.share(float(counted.max()))}
        yield said + say(" (worst {county} {share})", **worst)


def _large_classes(plan: Plan, say: Words) -> Iterator[str]:
    """Write the share of large classes in all schools, and in the worst county and stage."""
    table = plan.tables["large_classes"]
    base, first = plan.scenario.base_year, plan.scenario.first_year
    if not table["classes"].any():
        return
    whole, every = table["county"] == "*", table["stage"] == "*"
    for rows, text in (
        (
            table[whole & every],
            "large classes: {before} in {base}, {after} in {year}, at most {most} ({where})",
        ),
        (
            table[~whole & ~every],
            "worst county and stage: {before} in {base}, {after} in {year},"
            " at most {most} ({where})",
        ),
    ):
        from_worst = rows.sort_values("share", ascending=False, kind="stable")
        worst = from_worst.drop_duplicates("school_year").set_index("school_year")
        planned = worst.drop(index=base)
        most = planned.iloc[0]
        where = [] if every[rows.index[0]] else [f"{most['county']} {say.name(most['stage'])}"]
        yield say(
            text,
            before=say.share(worst["share"][base]),
            base=base,
            after=say.share(planned["share"][first]),
            year=first,
            most=say.share(most["share"]),
            where=say.joined([*where, str(most.name)]),
        )


def teachers(plan: Plan, summary: dict[str, Any], say: Words) -> Section | None:
    """Write how many teachers are needed, there and beyond need: first, peak and last year.

    The peak is the year with the most beyond need. None where no teachers are planned.
    """
    staff, by_year = plan.tables["staff"], summary["teachers"]
    if not any(year["pool"] + year["contract"] for year in by_year.values()):
        return None
    first, last = min(by_year), max(by_year)
    peak = max(by_year, key=lambda year: by_year[year]["surplus"])
    said = {year: _teachers_of(staff, year, by_year[year], say) for year in (first, peak, last)}
    parts = [said[first]]
    if peak not in (first, last):
        parts.append(say("most beyond need in {text}", text=said[peak]))
    moved = staff[["from_other_stages", "from_other_counties", "left", "retired"]].sum()
    parts.append(said[last])
    parts.append(
        say(
            "until {year} {number} change stage, {across} change county, {gone} leave or retire",
            year=last,
            number=say.count(moved["from_other_stages"]),
            across=say.count(moved["from_other_counties"]),
            gone=say.count(moved["left"] + moved["retired"]),
        )
    )
    return Section(say("Teachers of public schools"), list(dict.fromkeys(parts)))


def _teachers_of(staff: pd.DataFrame, year: str, total: Mapping[str, float], say: Words) -> str:
    """Write the teachers of a year, those beyond need by stage too."""
    text = say(
        "{year}: {need} needed, {pool} on post and {contract} on contract, {surplus} beyond need",
        year=year,
        **{key: say.count(total[key]) for key in ("need", "pool", "contract", "surplus")},
    )
    mine = staff[staff["school_year"] == int(year)]
    by_stage = mine.groupby("stage", sort=False)["surplus"].sum()
    if len(by_stage) < 2 or total["surplus"] < HALF_A_TEACHER:
        return text
    stages = [
        say("{stage} {number}", stage=say.name(str(stage)), number=say.count(number))
        for stage, number in by_stage.items()
    ]
    return text + say(" ({stages})", stages=say.joined(stages))


def people(summary: dict[str, Any], say: Words) -> list[str]:
    """Write who must change school, how many stay private, and how many seats stay empty."""
    displaced, surplus = summary["displaced_pupils"], summary["surplus_places"]
    first = next(iter(displaced))
    last = next(reversed(surplus))
    most = max(surplus, key=lambda year: surplus[year])
    shares = summary["private_share"]
    year = first if first in shares else next(reversed(shares))
    private = say(
        "Private share at the end of {year}: {without} without purchased places,"
        " {with_} with them.",
        year=year,
        without=say.share(shares[year]["excluding_purchased"]),
        with_=say.share(shares[year]["including_purchased"]),
    )
    return [
        say(
            "Children made to change school in mid-stage: {number} in {year}, {total} in all.",
            number=say.count(displaced[first]),
            year=first,
            total=say.count(sum(displaced.values())),
        ),
        *([private] if has_private(summary) else []),
        say(
            "Empty public seats of the compulsory stages: {number} in {first}, {most} at most"
            " ({year}), {end} in {last}.",
            number=say.count(surplus[first]),
            first=first,
            most=say.count(surplus[most]),
            year=most,
            end=say.count(surplus[last]),
            last=last,
        ),
    ]


def binds(plan: Plan, say: Words) -> Section:
    """Write which targets are met with no room and which limits are used up."""
    table = plan.tables["limits_used"]
    table = table[table["binds"] & (table["year"] >= plan.scenario.first_year)]
    tight = pd.Series(tight_targets(plan.tables["targets"]), dtype=str)
    parts = []
    for rule, ids in tight.groupby(rules_of(tight), sort=False):
        years = [str(year) for _, year in map(rule_and_year, ids) if year is not None]
        parts.append(f"{say.rule(rule)} {_span(years, say)}".strip())
    for kind, rows in table.groupby("kind", sort=False):
        what = say(WHAT[str(kind)])
        parts.append(say("{what} used up in {years}", what=what, years=_years(rows, say)))
    if short(plan, say) is None:
        nothing = say("no limit and no target; cost alone decides")
    else:
        nothing = say("no limit: only the places there are, and what more would cost")
    return Section(say("What binds"), parts or [nothing])


def short(plan: Plan, say: Words) -> Section | None:
    """Write where children are left without a place, by stage in its worst year; else None.

    Counties, or areas where there is one county, are named from the worst on, with the children
    they leave out.
    """
    table = plan.tables["shortfall"]
    part = "county" if len(table["county"].unique()) > 1 else "area"
    table = table[table["shortfall"] > 0]
    if table["shortfall"].sum() < HALF_A_CHILD:
        return None
    parts = []
    for stage, rows in table.groupby("stage", sort=False):
        yearly = rows.groupby("school_year")["shortfall"].sum()
        year = int(str(yearly.idxmax()))
        there = rows[rows["school_year"] == year].groupby(part)["shortfall"].sum()
        worst = there.sort_values(ascending=False, kind="stable").head(NAMED_COUNTIES)
        parts.append(
            say(
                "{stage} {number} in {year} ({counties}), {total} child-years in all",
                stage=say.name(str(stage)),
                number=say.count(yearly.max()),
                year=year,
                counties=say.joined(
                    [f"{say.name(str(name))} {say.count(n)}" for name, n in worst.items()]
                ),
                total=say.count(yearly.sum()),
            )
        )
    return Section(say("Children without a place"), parts)


def _span(years: list[str], say: Words) -> str:
    """Write years in short: one by one up to three, else from the first to the last."""
    if len(years) <= 3:
        return say.joined(years)
    unbroken = int(years[-1]) - int(years[0]) == len(years) - 1
    number = "" if unbroken else say(" ({number} years)", number=len(years))
    return f"{years[0]}–{years[-1]}{number}"


def _years(rows: pd.DataFrame, say: Words) -> str:
    """Name the years in which limits are used up, with the number of counties."""
    texts = []
    for year, group in rows.groupby("year"):
        counties = group["county"][group["county"] != "*"].nunique()
        where = say(" ({number} counties)", number=counties) if counties else ""
        texts.append(f"{year}{where}")
    if len(texts) > 3:
        texts = [*texts[:2], say("… {number} more years", number=len(texts) - 2)]
    return say.joined(texts)


def prices_head(table: pd.DataFrame, say: Words) -> str:
    """Write how prices are to be read, or that there are none."""
    if table.empty:
        return say("Nothing is scarce: no limit, target or place has a price.")
    return say("What would be saved, all years together, with the plan's decisions as they are:")


def price_sentences(table: pd.DataFrame, say: Words) -> list[str]:
    """Write the highest prices of each kind, one after the other.

    Parameters
    ----------
    table
        As `Prices.binding` gives it.
    """
    return [line for group in price_groups(table, say) for line in group.parts]


def price_groups(table: pd.DataFrame, say: Words) -> list[Section]:
    """Write the highest prices of each kind, and between which the others of it lie.

    Parameters
    ----------
    table
        As `Prices.binding` gives it.
    """
    groups = []
    for kind, rows in table.groupby("kind", sort=False):
        lines = [
            _line(str(kind), {str(key): value for key, value in record.items()}, say)
            for record in rows.head(EACH).to_dict("records")
        ]
        if len(rows) > EACH:
            least, most = rows["one_more_cny"].min(), rows["one_more_cny"].max()
            lines.append(
                say(
                    "and {number} more of these, {least} to {most} each",
                    number=say.count(len(rows) - EACH),
                    least=price(least, say),
                    most=price(most, say),
                )
            )
        groups.append(Section(say(UNITS[str(kind)]), lines))
    return groups


def _line(kind: str, row: dict[str, Any], say: Words) -> str:
    name = say.rule(row["name"]) if kind == "floor" else say.name(row["name"])
    where = [row["area"] or row["county"], say.name(row["stage"]), name.replace("_", " ")]
    there = say.joined([*[part for part in where if part], str(row["year"])])
    more, less = row["one_more_cny"], row["one_less_cny"]
    what = say(UNITS[kind])
    if more < HALF_A_FEN:
        text = say("{what} ({there}) saves nothing", what=what, there=there)
    else:
        text = say("{what} ({there}): {price}", what=what, there=there, price=price(more, say))
        text += _as_far_as(kind, row["more_units"], say)
    if np.isclose(more, less, rtol=1e-3, atol=1.0):
        return text
    if np.isinf(less):
        if kind in EASED:
            return text + say("; with one more there is no plan")
        return text + say("; with one less there is no plan")
    if kind in EASED:
        return text + say("; one more costs {price}", price=price(less, say))
    return text + say("; one less costs {price}", price=price(less, say))


HALF_A_FEN = 0.005
EASED = ("reduction", "floor", "programme")
"""Kinds of which one less is asked for, so that the other side of the price is one more."""


def _as_far_as(kind: str, units: float, say: Words) -> str:
    """Write for how many units a price is the same, in the unit of the kind; blank if for all."""
    if not np.isfinite(units):
        return ""
    if kind in ("capital", "recurrent"):
        return say(", for the first {amount}", amount=say.money(units))
    if kind == "land":
        return say(", for the first {number} mu", number=_units(units, say))
    if kind == "cap":
        return say(", for the first {number} points", number=_units(units, say))
    whole = np.floor(units + HALF_A_CHILD / 100)
    if whole < 2:
        return say(", for this one alone")
    return say(", for the first {number}", number=say.count(whole))


def price(cny: float, say: Words) -> str:
    """Write a price: of less than 100 RMB with two decimals.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> price(2.5, words("en")), price(250_000, words("zh"))
    ('2.50 RMB', '25.0万元')
    """
    return say.money(cny) if abs(cny) >= 100 else f"{cny:.2f}{say.currency}"


def _units(value: float, say: Words) -> str:
    return say.count(value) if value >= 100 else f"{value:.3g}"
