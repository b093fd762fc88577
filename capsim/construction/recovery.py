"""Recovery: what wins the time that projects lose, one by one and for whole programmes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.construction.acceleration import (
    Acceleration,
    Trials,
    Way,
    accelerate,
    has_options,
    trials,
)
from capsim.construction.calendars import Days, to_iso
from capsim.construction.projects import Dates
from capsim.scenario.scenario import Scenario

EARLIER = "earlier_start"
"""What is written as an option where a project need only begin earlier."""
EARLIER_TRIES = 4
"""Times that it begins still earlier, winter in between."""
REPORTED = 400
"""Replications by which a report judges what hurrying brings."""
HARM = 0.5
"""Child-years from which on lateness is said to harm."""
MOST_HARMFUL = 10
"""Projects for which a cure is looked for."""


def cures(
    scenario: Scenario,
    planned: Mapping[str, Dates],
    late: Sequence[str],
    probability: float,
    *,
    replications: int = 400,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the cheapest options that bring projects in time, each with all else as it is.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping
        Openings, as for `capsim.build`.
    late : sequence of text
        Projects.
    probability : float
        With which the first copy of each shall be in use on its planned day.
    replications, seed : int

    Returns
    -------
    DataFrame
        project, p_on_time, options (those that reach the probability at least cost, else those that
        bring most; `EARLIER` where what has not begun may begin so much earlier, blank where
        nothing brings anything), cost_cny, p_with (in time with them), decide_by (the day by which
        they are to be bought: nine times in ten the first phase that they change has not begun by
        then, with them or without; of `EARLIER` the day to begin).
    """
    whole = trials(scenario, planned, replications, seed)
    group_of = {i: columns for columns in whole.together() for i in columns}
    rows = []
    for project in late:
        part = whole.around(group_of[whole.columns_of[project][0]])
        first = part.columns_of[project][0]
        due = part.draft.columns[first].planned
        start, opening = part.dates({})
        usual = float((opening[:, first] <= due).mean())
        if usual >= probability:
            rows.append(_cure(project, usual, "", 0.0, usual, ""))
            continue
        days, chance = _earlier_start(part, first, due, opening[:, first], probability)
        if chance >= probability:
            planned_start = part.draft.table["planned_start"]
            begins = planned_start[part.draft.table["column"] == first].min()
            rows.append(_cure(project, usual, EARLIER, 0.0, chance, to_iso(float(begins) - days)))
            continue
        best: tuple[float, Way] = (usual, ())
        for way in part.ways[project][1:]:
            chance = float((part.dates({project: way})[1][:, first] <= due).mean())
            if chance > best[0] + 0.5 / replications:
                best = chance, way
            if chance >= probability:
                break
        way = best[1]
        names = ";".join(option.name for option in way)
        cost = part.cost_cny(project, way) if way else 0.0
        until = _decide_by(part, first, way, start) if way else ""
        rows.append(_cure(project, usual, names, cost, best[0], until))
    return pd.DataFrame(rows, columns=list(_cure("", 0.0, "", 0.0, 0.0, "")))


def _cure(
    project: str, usual: float, options: str, cost_cny: float, chance: float, until: str
) -> dict[str, object]:
    return {
        "project": project,
        "p_on_time": usual,
        "options": options,
        "cost_cny": cost_cny,
        "p_with": chance,
        "decide_by": until,
    }


def _earlier_start(
    part: Trials, column: int, due: float, opening: Days, probability: float
) -> tuple[float, float]:
    """Return by how many days a column is to begin earlier, and the chance that it is in time then.

    The chance is 0 where it has begun, or would have to have begun before today.
    """
    network, project = part.draft.network, part.draft.columns[column].project
    planned = part.draft.table["planned_start"][np.array(network.column) == column]
    days = 0.0
    for _ in range(EARLIER_TRIES):
        late = float(np.quantile(opening - due, probability, method="higher"))
        days += float(np.ceil(late))
        if not 0 < days <= float(planned.min()) - network.start:
            return 0.0, 0.0
        opening = part.dates({}, {project: days})[1][:, column]
        chance = float((opening <= due).mean())
        if chance >= probability:
            return days, chance
    return 0.0, 0.0


def _decide_by(part: Trials, column: int, way: Way, start: Days) -> str:
    """Return the day by which options of a column are to be bought, ISO."""
    network, had = part.draft.network, part.ways[part.draft.columns[column].project][0]
    names = {phase.name for option in way if option not in had for phase in option.phases}
    changed = [
        i
        for i, (own, phase) in enumerate(zip(network.column, network.phase, strict=True))
        if own == column and phase in names and part.draft.left[i] > 0
    ]
    hurried_start = part.dates({part.draft.columns[column].project: way})[0]
    both = np.concatenate([start[:, changed], hurried_start[:, changed]], axis=1)
    begins = np.min(np.nan_to_num(both, nan=np.inf), axis=1)
    begins = np.where(np.isfinite(begins), begins, network.start)
    return to_iso(max(float(np.quantile(begins, 0.1, method="lower")), network.start))


@dataclass(frozen=True, eq=False)
class Recovery:
    """How lost time can be won: for whole programmes, and project by project.

    Attributes
    ----------
    programmes : tuple of Acceleration
        Of programmes that are not in time often enough.
    projects : DataFrame
        Projects whose lateness harms most, the worst first: project, county, opens (as planned),
        p_on_time, harm (child-years, mean), options, cost_cny, p_with, decide_by as in `cures`.
    """

    programmes: tuple[Acceleration, ...]
    projects: pd.DataFrame


def recovery(
    scenario: Scenario,
    planned: Mapping[str, Dates],
    drawn: pd.DataFrame,
    late: Sequence[str],
    probability: float,
    *,
    seed: int = 0,
    progress: Callable[[str], None] = lambda phase: None,
) -> Recovery:
    """Look for what wins lost time.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping
        Openings of a plan, as for `capsim.build`.
    drawn : DataFrame
        Table ``projects`` of the plan's simulation.
    late : sequence of text
        Programmes that are not in time often enough.
    probability : float
        With which a number shall be reached, and a project be in time.
    seed : int
    progress : callable, optional
    """
    worst = drawn[drawn["harm"] >= HARM].sort_values("harm", ascending=False).head(MOST_HARMFUL)
    names = worst["project"].tolist()
    found = cures(scenario, planned, names, probability, seed=seed)
    own = scenario.table("projects").drop_duplicates("project").set_index("project")["area"]
    areas = scenario.table("areas").set_index("area")["county"]
    harmful = worst[["project", "planned", "harm", "p_on_time"]]
    harmful = harmful.rename(columns={"planned": "opens"})
    harmful.insert(1, "county", [str(areas.get(own[name], own[name])) for name in names])
    programmes: tuple[Acceleration, ...] = ()
    if has_options(scenario):
        programmes = tuple(
            accelerate(
                scenario,
                name,
                probability,
                planned=planned,
                replications=REPORTED,
                seed=seed,
                progress=progress,
            )
            for name in late
        )
    own_chance = found.drop(columns="p_on_time")
    return Recovery(programmes, harmful.merge(own_chance, on="project", how="left"))
