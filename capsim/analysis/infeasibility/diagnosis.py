"""Smallest sets of policies that cannot hold together.

A set is found by deletion: policy after policy is left out, and stays out where the rest still
contradicts itself (Chinneck, *Feasibility and Infeasibility in Optimization*, 2008). What is left
is minimal: without any one of it the rest can hold, and each such rest has been solved.

Why no plan meets every target: what cannot hold together, and what would cure it.

Rules are asked for as *policies*, by the names that a scenario gives them: the cap on the private
share, the reduction, a programme, the limits, and that every child has a place. Three answers:

*conflicts*: minimal sets of policies that cannot hold together. Without any one of a set its
others can, which is verified by solving. Sets share no policy.

*alone*: the least by which one policy has to give way while all the others hold.

*together*: the least that gives way at once, each unit weighed beside one place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.analysis.infeasibility.elastic import CHILDREN, CLEAR, ElasticModel, bending
from capsim.analysis.infeasibility.rules import Policy
from capsim.analysis.infeasibility.sentences import (
    closest_of,
    conflict_sentences,
    cure_sentences,
    gap_sentences,
    price_sentence,
    short_sentences,
    who_of,
)
from capsim.i18n.message import Message
from capsim.lp.arrays import Array
from capsim.model.model import Model
from capsim.plan.plan import Explanation

if TYPE_CHECKING:
    from capsim.plan.plan import Planned


Question = Callable[[Collection[str]], tuple[str, ...] | None]
"""Asks whether policies can hold together: None, or those that take part in a contradiction."""


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
    question: Question, names: tuple[str, ...], parts: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the part that is said to contradict itself, if asked alone it does, else all of it."""
    few = tuple(name for name in names if name in parts)
    return few if few and (len(few) == len(names) or question(few) is not None) else names


def disjoint(question: Question, names: Collection[str], most: int) -> list[tuple[str, ...]]:
    """Return minimal contradicting sets that share no policy, at most so many.

    Examples
    --------
    >>> def question(names):
    ...     clashes = [c for c in ("ab", "cd") if set(c) <= set(names)]
    ...     return tuple(names) if clashes else None
    >>> disjoint(question, "abcd", 3)
    [('c', 'd'), ('a', 'b')]
    """
    found: list[tuple[str, ...]] = []
    left = tuple(names)
    while left and len(found) < most:
        parts = question(left)
        if parts is None:
            break
        one = deletion_filter(question, confirmed(question, left, parts))
        found.append(one)
        left = tuple(name for name in left if name not in one)
    return found


MOST_SETS = 3
REPAIRS = ("rule", "unit", "enough", "who", "school_year", "short_by")


def explain_infeasible(model: Model) -> Explanation:
    """Explain why the rules of a model contradict each other.

    Returns
    -------
    Explanation
        ``table``: ``rule``, ``who``, ``school_year``, ``unit``, ``short_by`` (together; 0 where
        nothing), ``alone`` (how much of this rule would be enough by itself, all others holding;
        NaN where it would not). ``repairs``: where and when each of the latter.
    """
    return _explain(bending(model), [])


def explain(model: Model, plan: Planned) -> Explanation | None:
    """Explain why a plan is none, or misses a target; None where it meets them all.

    A plan that leaves children without a place is asked for as one in which every child has one.

    Parameters
    ----------
    model : Model
        Of the plan's scenario and demand.
    plan : Plan
    """
    if plan.status == "infeasible":
        return plan.explanation or explain_infeasible(model)
    if plan.meets_targets:
        return None
    missed = plan.tables["targets"]
    missed = missed[~missed["holds"].to_numpy(bool)]
    opening = short_sentences(plan)
    if "placement" not in set(missed["id"]):
        return _nothing(opening)
    return _explain(bending(model), opening, model, plan)


def _explain(
    bend: ElasticModel,
    opening: list[Message],
    model: Model | None = None,
    plan: Planned | None = None,
) -> Explanation:
    owner = {policy.name: policy for policy in bend.policies}
    core = _core(bend)
    if core is None:
        words = [] if model is None or plan is None else [price_sentence(model, plan)]
        return _nothing([*opening, *words])
    repairs = {name: _gaps(owner[name], x[bend.own[name]]) for name, x in bend.alone(core).items()}
    sets = [deletion_filter(bend.contradiction, core, needed=repairs)]
    if not repairs:
        left = [name for name in bend.names if name not in sets[0]]
        sets += disjoint(bend.contradiction, left, MOST_SETS - 1)
    alone = {name: float(repair["short_by"].sum()) for name, repair in repairs.items()}
    together = _together(bend)
    short = together[together["short_by"] > CLEAR].reset_index(drop=True)
    short["alone"] = short["rule"].map(alone).astype(float)
    silent = [name for name in bend.names if name not in set(short["rule"])]
    rest = pd.DataFrame(
        {
            **{"rule": silent, "who": "", "school_year": 0},
            **{"unit": [owner[name].unit for name in silent], "short_by": 0.0},
            "alone": [alone.get(name, np.nan) for name in silent],
        }
    )
    enough = [repair.assign(enough=alone[name]) for name, repair in repairs.items()]
    detail = pd.concat([_no_repairs(), *enough], ignore_index=True)[list(REPAIRS)]
    told = [
        *opening,
        *conflict_sentences(sets, owner),
        *cure_sentences(detail, owner),
        *gap_sentences(short, owner),
    ]
    if bend.large:
        told.append(
            Message(
                "These figures are of the linear relaxation: with whole projects and contracts no"
                " less is enough, and sometimes more is needed."
            )
        )
    return Explanation(
        told=tuple(told),
        table=pd.concat([short, rest], ignore_index=True),
        conflicts=tuple(sets),
        repairs=detail,
    )


def _core(bend: ElasticModel) -> tuple[str, ...] | None:
    """Policies that cannot all hold, without those of minor interest where they can be spared."""
    parts = bend.contradiction(bend.names)
    if parts is None:
        return None
    minor = {policy.name for policy in bend.policies if policy.minor}
    main = [name for name in parts if name not in minor]
    fewer = bend.contradiction(main) if 0 < len(main) < len(parts) else None
    if fewer is not None:
        return confirmed(bend.contradiction, tuple(main), fewer)
    return confirmed(bend.contradiction, bend.names, parts)


def _together(bend: ElasticModel) -> pd.DataFrame:
    """List what gives way at the least when all may but that every child has a place."""
    bent = [name for name in bend.names if name != CHILDREN]
    found = bend.least([CHILDREN], bent)
    frames = [_no_repairs().drop(columns="enough")]
    if found is not None:
        frames += [_gaps(p, found[bend.own[p.name]]) for p in bend.policies if p.name in bent]
    return pd.concat(frames, ignore_index=True)


def _gaps(policy: Policy, value: Array) -> pd.DataFrame:
    """Add up what gives way by county, stage and year; where it is one school or area, name it."""
    amount = policy.bent(value)
    table = pd.DataFrame(
        {
            "rule": policy.name,
            "unit": policy.unit,
            "who": [str(who) for who in who_of(policy)],
            "school_year": policy.members["year"],
            "short_by": amount,
            "closest": [str(who) for who in closest_of(policy)],
        }
    )
    table = table[amount > CLEAR * max(float(amount.sum()), 1.0)]
    keys = ["rule", "unit", "who", "school_year"]
    groups = table.groupby(keys, sort=False)
    added = groups.agg(short_by=("short_by", "sum"), closest=("closest", "first")).reset_index()
    single = groups["closest"].nunique().to_numpy() == 1
    added["who"] = added["closest"].where(single, added["who"])
    return added.drop(columns="closest")


def _no_repairs() -> pd.DataFrame:
    text, number = np.zeros(0, object), np.zeros(0)
    frame = {"rule": text, "unit": text, "enough": number, "who": text}
    return pd.DataFrame({**frame, "school_year": np.zeros(0, np.int64), "short_by": number})


def _nothing(told: list[Message]) -> Explanation:
    columns = ["rule", "who", "school_year", "unit", "short_by"]
    table = _no_repairs()[columns].assign(alone=np.zeros(0))
    return Explanation(tuple(told), table, (), _no_repairs())
