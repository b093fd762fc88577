"""Variants of a scenario as a tree in which each hangs on its nearest neighbour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.lp.arrays import Array

if TYPE_CHECKING:
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class Variant:
    """A change, its name, and the number of the variant it hangs on (-1: the scenario itself)."""

    name: str
    change: Mapping[str, Any]
    after: int


def label(change: Mapping[str, Any]) -> str:
    """Say a change in a line.

    Examples
    --------
    >>> label({"policy.reduction": 10, "costs.hire_cny": 0.0})
    'costs.hire_cny = 0.0; policy.reduction = 10'
    """
    return "; ".join(f"{key} = {value}" for key, value in sorted(change.items())) or "as it is"


def tree(scenario: Scenario, changes: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """Hang each change on its nearest neighbour: a minimum spanning tree, the scenario its root.

    The distance of two changes sums over settings: numbers by their share of the range that the
    sweep covers, others by whether they differ. Ties go to the one first in the order of names.
    """
    place = _coordinates(scenario, changes)
    names = [label(change) for change in changes]
    rank = np.argsort(np.argsort(np.array(names, object), kind="stable"), kind="stable")
    count = len(changes)
    after = np.full(count, -1, np.int64)
    near = _distance(place[0], place[1:])
    left = np.ones(count, bool)
    for _ in range(count):
        at = min(np.flatnonzero(left & (near == near[left].min())), key=lambda i: rank[i])
        left[at] = False
        new = _distance(place[at + 1], place[1:])
        closer = left & (new < near)
        near, after = np.where(closer, new, near), np.where(closer, at, after)
    return [
        Variant(label, change, int(i))
        for label, change, i in zip(names, changes, after, strict=True)
    ]


def _coordinates(scenario: Scenario, changes: Sequence[Mapping[str, Any]]) -> Array:
    """Place the scenario (first) and every change: ``[change, coordinate]``."""
    columns = []
    for key in sorted({key for change in changes for key in change}):
        given = _setting(scenario, key)
        values = [given, *(change.get(key, given) for change in changes)]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            number = np.array(values, np.float64)
            spread = float(np.ptp(number))
            columns.append(number / (spread if spread > 0 else 1.0))
            continue
        kinds = sorted({repr(v) for v in values})
        columns += [np.array([0.5 * (repr(v) == kind) for v in values]) for kind in kinds]
    return np.stack(columns, axis=1) if columns else np.zeros((len(changes) + 1, 1))


def _distance(here: Array, places: Array) -> Array:
    return np.asarray(np.round(np.abs(places - here).sum(axis=1), 12), np.float64)


def _setting(scenario: Scenario, key: str) -> Any:
    """Look a dotted key up in the settings; None where it is not set."""
    found: Any = scenario.settings
    for part in key.split("."):
        if isinstance(found, Mapping):
            found = found.get(part, found.get(int(part)) if part.isdecimal() else None)
        else:
            found = getattr(found, part, None)
        if found is None:
            return None
    return found
