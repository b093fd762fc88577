"""Smallest sets of policies that cannot hold together.

A set is found by deletion: policy after policy is left out, and stays out where the rest still
contradicts itself (Chinneck, *Feasibility and Infeasibility in Optimization*, 2008). What is left
is minimal: without any one of it the rest can hold, and each such rest has been solved.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

Question = Callable[[Collection[str]], tuple[str, ...] | None]
"""Asks whether policies can hold together: None, or those that take part in a contradiction."""


def smallest(
    question: Question, names: Collection[str], needed: Collection[str] = ()
) -> tuple[str, ...]:
    """Return a minimal contradicting set of ``names``, which cannot all hold.

    Earlier names are left out first; those ``needed`` are known to be in every such set.

    Examples
    --------
    >>> def question(names):
    ...     return tuple(names) if {"b", "d"} <= set(names) else None
    >>> smallest(question, ("a", "b", "c", "d"))
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
        one = smallest(question, confirmed(question, left, parts))
        found.append(one)
        left = tuple(name for name in left if name not in one)
    return found
