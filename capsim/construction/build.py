"""Put it together: scenario and planned openings in, a `Programme` of dates out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from capsim.construction import engine, kernel
from capsim.construction.baseline import EXACT
from capsim.construction.draft import Draft, draft
from capsim.construction.durations import Days, draw, shocks, stream
from capsim.construction.programme import Programme
from capsim.construction.read import Dates
from capsim.construction.rules import RULES, Rule, key_of
from capsim.scenario.faults import nearest

if TYPE_CHECKING:
    from capsim.scenario import Scenario


def sample(one: Draft, replications: int, seed: int, shock_sd: float) -> Days:
    """Draw working days still to come, ``[replication, activity]``; fixed phases know no shock."""
    common = shocks([column.county for column in one.columns], shock_sd, replications, seed)
    days = np.empty((replications, one.network.size))
    for i, phase in enumerate(one.phases):
        column = one.columns[one.network.column[i]]
        rng = stream(seed, column.project, str(column.copy), phase.name)
        days[:, i] = draw(phase, replications, rng) * one.left[i]
        if phase.distribution != "fixed":
            days[:, i] *= common[column.county]
    return days


def build(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    starts: Mapping[str, str] | str | None = None,
    replications: int = 1000,
    seed: int = 0,
    stochastic: bool = True,
    crews: bool = True,
    rule: str | Rule = "due_date",
    processes: Mapping[str, Callable[[engine.Job], engine.Process]] | None = None,
    use_simpy: bool | None = None,
) -> Programme:
    """Simulate when each project is really in use.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping of project to ISO date, or to one date per copy, optional
        Planned openings. Only what has a date is built. Default: every project that is not a
        candidate, planned for its due date.
    starts : mapping of project to ISO date, or ``"asap"``, optional
        Instead of planned openings: the projects named begin on these days, or all as soon as they
        can, and open when they are finished.
    replications : int
    seed : int
        Equal seeds give equal dates; a project meets the same luck whatever else is built.
    stochastic : bool
        False: every phase takes its modal duration and no county has a shock.
    crews : bool
        False: resources hold nobody up (their calendars still stop work).
    rule : str or callable
        Who gets scarce resources first: a name of `RULES` or a function of the activity table.
    processes : mapping of phase name to generator function, optional
        What phases of that name do instead of `work`; runs through SimPy.
    use_simpy : bool, optional
        True: run through SimPy even where the fast kernel could; the dates are the same.

    Returns
    -------
    Programme

    Raises
    ------
    ValueError
        If an argument is not as above, or names an unknown project, rule or phase.
    ScenarioError
        If the tables ``phases`` or ``resources`` do not fit together.

    Notes
    -----
    What is ordered or under way works towards its ``earliest_opening`` where that lies before its
    planned date, a candidate towards its planned date. A school does not open before its planned
    date, however early it is finished. Without uncertainty it opens on its planned date exactly,
    unless resources are too few for the plan.

    Examples
    --------
    >>> import capsim, pandas as pd
    >>> projects = pd.DataFrame([{
    ...     "project": "S1", "stage": "primary", "area": "A", "kind": "new", "places": 900,
    ...     "capital_cny": 45e6, "status": "candidate", "earliest_opening": "2024-09-01"}])
    >>> scenario = capsim.Scenario.from_tables(
    ...     {"name": "one", "horizon": {"base_year": 2021, "last_year": 2030},
    ...      "costs": {"discount_rate": 0.04}}, projects=projects)
    >>> programme = build(scenario, planned={"S1": "2025-09-01"}, seed=1)
    >>> programme.dates().query("milestone == 'in_use'")[["planned", "p05", "p50"]]
          planned         p05         p50
    3  2025-09-01  2025-09-01  ...
    >>> bool(programme.probability("2026-03-01")["probability"][0] > 0.5)
    True
    """
    if replications < 1:
        raise ValueError(f"replications must be at least 1, not {replications}")
    one = draft(scenario, planned=planned, starts=starts, crews=crews)
    network = one.network
    known = sorted(set(network.phase))
    for name in processes or {}:
        if name not in known:
            raise ValueError(f"no phase {name!r}: {nearest(name, known)} is expected")
    if isinstance(rule, str) and rule not in RULES:
        raise ValueError(f"no rule {rule!r}: {nearest(rule, RULES)} is expected")
    if stochastic:
        shock_sd = float(scenario.settings.construction.shock_sd)
        days = sample(one, replications, seed, shock_sd)
    else:
        days = np.tile(one.table["planned_days"].to_numpy(float), (replications, 1))
    priority = key_of(network, one.table, rule)
    if processes or use_simpy:
        start, finish, cause = engine.simulate(
            network, days, priority, processes=processes, seed=seed
        )
    elif stochastic:
        start, finish, cause = kernel.simulate(network, days, priority)
    else:
        start, finish, cause = kernel.simulate(network, days[:1], priority)
        start, finish = np.tile(start, (replications, 1)), np.tile(finish, (replications, 1))
        cause = np.tile(cause, (replications, 1))
    return Programme(
        columns=one.columns,
        activities=one.table,
        network=network,
        start=start,
        finish=finish,
        days=days,
        cause=cause,
        opening=_opening(one, finish),
        seed=seed,
        scenario_hash=scenario.hash,
    )


def _opening(one: Draft, finish: Days) -> Days:
    """Return the whole day each column is in use, not before its planned day; NaN never."""
    opening = np.full((len(finish), len(one.columns)), np.nan)
    for number, column in enumerate(one.columns):
        mine = one.table.index[one.table["column"] == number]
        used = [i for i in mine if one.phases[i].milestone == "in_use"] or list(mine)
        last = np.ceil(finish[:, used].max(axis=1) - EXACT)
        opening[:, number] = last if np.isnan(column.planned) else np.maximum(last, column.planned)
    return opening
