"""Minimal sets of rules that cannot hold together, and the least that would cure it.

Rules go by the names that a scenario gives them: the cap on the private share, the reduction, a
programme, the limits, and that every child has a place. Three answers:

*conflicts*: minimal sets of rules that cannot hold together. Without any one of a set its others
can, which is verified by solving. Sets share no rule. A set is found by deletion: rule after rule
is left out, and stays out where the rest still contradicts itself (Chinneck, *Feasibility and
Infeasibility in Optimization*, 2008).

*alone*: the least by which one rule has to give way while all the others hold.

*together*: the least that gives way at once, each unit weighed beside one place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from capsim.analysis.infeasibility.elastic import CLEAR, ElasticModel, Gap, make_elastic
from capsim.analysis.infeasibility.sentences import (
    amount_of,
    conflict_sentences,
    cure_sentences,
    gap_sentences,
    price_sentence,
    shortfall_sentences,
    target_sentences,
    who,
)
from capsim.i18n.language import Message
from capsim.lp.decomposition.dantzig_wolfe import price_coupling
from capsim.lp.highs import INTERIOR
from capsim.lp.options_and_result import SolveOptions
from capsim.lp.parallel_solves import Clock, until
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve
from capsim.model.model import Model, is_large
from capsim.plan.plan import Explanation, Plan

CHILDREN = "every child"
MOST_SETS = 3
COLUMNS = {
    "rule": object,
    "unit": object,
    "enough": np.float64,
    "who": object,
    "school_year": np.int64,
    "short_by": np.float64,
    "alone": np.float64,
}
"""Of the tables of an explanation; `table` has no `enough`, `repairs` no `alone`."""
Question = Callable[[Collection[str]], tuple[str, ...] | None]
"""A check of rules that must hold together: None, or those that take part in a contradiction."""


def deletion_filter(
    question: Question, names: Collection[str], needed: Collection[str] = ()
) -> tuple[str, ...]:
    """Return a minimal contradicting set of ``names``, which cannot all hold.

    Earlier names are left out first; those ``needed`` are known to be in every such set.

    Examples
    --------
    >>> def question(names):
    ...     return tuple(names) if {"b", "d"} <= set(names) else None
    >>> deletion_filter(question, ("a", "b", "c", "d"))
    ('b', 'd')
    """
    kept = tuple(names)
    for name in kept:
        rest = tuple(other for other in kept if other != name)
        if name in kept and name not in needed and rest:
            parts = question(rest)
            kept = kept if parts is None else confirmed(question, rest, parts)
    return kept


def confirmed(
    question: Question, names: Collection[str], parts: Collection[str]
) -> tuple[str, ...]:
    """Return the names that are among ``parts`` if these contradict each other, else all names."""
    few = tuple(name for name in names if name in parts)
    sure = len(few) == len(names) or (few and question(few) is not None)
    return few if sure else tuple(names)


def disjoint(question: Question, names: Collection[str], most: int) -> list[tuple[str, ...]]:
    """Return minimal contradicting sets that share no rule, at most so many.

    Examples
    --------
    >>> def question(names):
    ...     clashes = [c for c in ("ab", "cd") if set(c) <= set(names)]
    ...     return tuple(names) if clashes else None
    >>> disjoint(question, "abcd", 3)
    [('c', 'd'), ('a', 'b')]
    """
    sets: list[tuple[str, ...]] = []
    left = tuple(names)
    while left and len(sets) < most:
        parts = question(left)
        if parts is None:
            break
        sets.append(deletion_filter(question, confirmed(question, left, parts)))
        left = tuple(name for name in left if name not in sets[-1])
    return sets


TOO_SHORT = Message(
    "The time was too short to settle this: there may be more reasons, and fewer rules that"
    " contradict each other; allow more time."
)


def explain(plan: Plan, time_limit: float | None = None) -> Explanation | None:
    """Explain why there is no plan, or why it misses a target; None where it meets them all.

    A plan that leaves children without a place is explained as one in which every child has one.
    What is known when the seconds end is returned, and says so.
    """
    with until(SolveOptions(time_limit=time_limit).time_limit) as clock:
        found = _explain(plan)
        if found is None or not clock.out():
            return found
        return replace(found, messages=(*found.messages, TOO_SHORT))


def _explain(plan: Plan) -> Explanation | None:
    if plan.status == "infeasible":
        return explain_contradiction(plan.model) or _nothing([])
    if plan.meets_targets:
        return None
    targets = plan.tables["targets"]
    opening = shortfall_sentences(plan)
    # Other targets of a relaxation are measured on whole classes and projects.
    if not plan.relaxed:
        opening += target_sentences(plan)
    if "placement" not in set(targets["id"][~targets["met"].to_numpy(bool)]):
        return _nothing(opening)
    explanation = explain_contradiction(plan.model)
    if explanation is None:
        return _nothing([*opening, _price_of_places(plan)])
    return replace(explanation, messages=(*opening, *explanation.messages))


def explain_contradiction(model: Model) -> Explanation | None:
    """Explain which rules of a model contradict each other; None where none do.

    Returns
    -------
    Explanation or None
        ``table``: ``rule``, ``unit``, ``who``, ``school_year``, ``short_by`` (together; 0 where
        nothing), ``alone`` (how much of this rule would be enough by itself, all others holding;
        NaN where it would not, or time ran out). ``repairs``: where and when each of the latter.
    """
    elastic = make_elastic(model)
    rules = elastic.rules
    core = _core(elastic)
    if core is None:
        return None
    repairs = elastic.alone(core)
    sets = [deletion_filter(elastic.contradiction, core, needed=repairs)]
    if not repairs:
        sets += disjoint(elastic.contradiction, elastic.others(*sets[0]), MOST_SETS - 1)
    together = elastic.least([CHILDREN], elastic.others(CHILDREN)) or []
    together = [gap for gap in together if gap.amount > CLEAR]
    short = Clock().out()
    messages = [
        *conflict_sentences(sets, rules, minimal=not short),
        *(cure_sentences(repairs, rules) if repairs or not short else ()),
        *gap_sentences(together),
    ]
    if elastic.large:
        messages.append(
            Message(
                "These figures are of the linear relaxation: with whole projects and contracts no"
                " less is enough, and sometimes more is needed."
            )
        )
    return Explanation(
        messages=tuple(messages),
        table=_table(elastic, together, repairs),
        conflicts=tuple(sets),
        repairs=_repairs(repairs),
    )


def _core(elastic: ElasticModel) -> tuple[str, ...] | None:
    """Return rules that cannot all hold, without minor ones where they can be spared."""
    parts = elastic.contradiction(list(elastic.rules))
    if parts is None:
        return None
    main = [name for name in parts if not elastic.rules[name].entry.minor]
    fewer = elastic.contradiction(main) if 0 < len(main) < len(parts) else None
    if fewer is not None:
        return confirmed(elastic.contradiction, main, fewer)
    return confirmed(elastic.contradiction, elastic.rules, parts)


def _record(gap: Gap, **more: float) -> dict[str, Any]:
    return {
        "rule": gap.rule.name,
        "unit": gap.rule.entry.unit,
        "who": str(who(gap)),
        "school_year": gap.year,
        "short_by": gap.amount,
        **more,
    }


def _table(
    elastic: ElasticModel, together: list[Gap], repairs: Mapping[str, list[Gap]]
) -> pd.DataFrame:
    """List the gaps of all rules that give way together, then the rules that do not."""
    alone = {name: amount_of(gaps) for name, gaps in repairs.items()}
    records = [_record(gap, alone=alone.get(gap.rule.name, np.nan)) for gap in together]
    silent = elastic.others(*(gap.rule.name for gap in together))
    for name in silent:
        row = {"rule": name, "unit": elastic.rules[name].entry.unit, "who": "", "school_year": 0}
        records.append({**row, "short_by": 0.0, "alone": alone.get(name, np.nan)})
    return _frame(records, "enough")


def _repairs(repairs: Mapping[str, list[Gap]]) -> pd.DataFrame:
    """List where and when each rule gives way that is enough alone."""
    records = [_record(gap, enough=amount_of(gaps)) for gaps in repairs.values() for gap in gaps]
    return _frame(records, "alone")


def _frame(records: Iterable[Mapping[str, Any]], without: str) -> pd.DataFrame:
    types = {name: kind for name, kind in COLUMNS.items() if name != without}
    return pd.DataFrame(list(records), columns=list(types)).astype(types)


def _nothing(messages: list[Message]) -> Explanation:
    """Make an explanation in which no rules contradict each other."""
    return Explanation(tuple(messages), _frame([], "enough"), (), _frame([], "alone"))


def _price_of_places(plan: Plan) -> Message:
    """Write what it would cost to place every child, where that is possible but dearer."""
    model = plan.model
    upper = model.program.upper.copy()
    upper[model.columns.shortfall.ravel()] = 0.0
    least = _least_cost(model, replace(model.program, upper=upper))
    if least is None:
        return Message("Whether every child can have a place was not settled.")
    dearer = max(least * 1e6 - (plan.objective_cny - plan.committed_cny), 0.0)
    price = float(plan.scenario.settings.costs.shortfall_cny)
    return price_sentence(dearer, price, at_least=is_large(model.program))


def _least_cost(model: Model, program: LinearProgram) -> float | None:
    """Return the least cost, of a large program that of its relaxation; None if it is not known."""
    counties = model.apart(program)
    priced = None if counties is None else price_coupling(counties)
    if priced is not None:
        return priced.bound
    large = is_large(program)
    result = solve(
        program.relaxed() if large else program,
        gap=1e-3,
        time_limit=120.0,
        highs=INTERIOR if large else {},
    )
    return None if result.x is None else result.objective
