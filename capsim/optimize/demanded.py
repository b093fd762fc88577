"""Whether a demand is one of the scenario that it is to be planned for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.scenario import Scenario

MOST = 5
"""Names that a message lists."""


def refuse_other(scenario: Scenario, demand: Demand) -> None:
    """Refuse the children of another scenario, and numbers of children that are none.

    Raises
    ------
    ValueError
        If the demand has other areas or years than the scenario, lacks a planned grade, or has a
        cell that is not a number of children.
    """
    areas = scenario.column("areas", "area").tolist()
    grades = [grade for stage in scenario.stages.values() for grade in stage.grades]
    years = (scenario.base_year, *scenario.years)
    faults = [
        f"it {verb} {what} {_some(names)}"
        for verb, what, names in (
            ("lacks", "area", _beyond(areas, demand.areas)),
            ("has", "area", _beyond(demand.areas, areas)),
            ("lacks", "grade", _beyond(grades, demand.grades)),
        )
        if names
    ]
    if tuple(demand.years) != years:
        said, due = (f"{one[0]}-{one[-1]}" for one in (demand.years, years))
        faults.append(f"its years are {said}, where {due} are expected")
    if not faults:
        bad = np.argwhere(~((demand.pupils >= 0) & (demand.pupils < np.inf)))
        faults = [
            f"area {demand.areas[a]}, grade {demand.grades[g]}, {demand.years[t]}: "
            f"{demand.pupils[a, g, t]} where a number of children >= 0 is expected"
            for a, g, t in bad[:MOST].tolist()
        ]
    if faults:
        raise ValueError(f"the demand is not one of this scenario: {'; '.join(faults)}")


def _beyond(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names that are not among those known, in order."""
    those = set(known)
    return [name for name in names if name not in those]


def _some(names: Iterable[object]) -> str:
    listed = [str(name) for name in names]
    more = f" and {len(listed) - MOST} more" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more
