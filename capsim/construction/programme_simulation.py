"""Simulate the building programme: a scenario and planned openings in, dates out.

`build` draws durations, runs the programme and returns a `ConstructionSimulation`: dates by project
and replication, and the tables made of them. A priority rule says which activity gets scarce crews
first: it takes the activity table (columns of `Draft.table` and those that `timing` adds) and gives
a number per activity, the smaller first. References: Kolisch (1996), "Efficient priority rules for
the resource-constrained project scheduling problem".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.construction import kernel
from capsim.construction import simpy_model as engine
from capsim.construction.baseline_schedule import EXACT, Draft, draft
from capsim.construction.calendars import EPOCH, Days, to_day, to_iso
from capsim.construction.durations import IN_USE, MILESTONES, draw, shocks, stream
from capsim.construction.network import Network
from capsim.construction.projects import Column, Dates
from capsim.scenario.faults import nearest
from capsim.scenario.scenario import Scenario

QUANTILES = (0.05, 0.10, 0.50, 0.90, 0.95)
NEVER = "2199-12-31"

Rule = Callable[[pd.DataFrame], "pd.Series[float]"]

RULES: dict[str, Rule | None] = {
    "due_date": lambda t: t["due"].fillna(np.inf),
    "latest_finish": lambda t: t["latest_finish"],
    "latest_start": lambda t: t["latest_start"],
    "minimum_slack": lambda t: t["latest_start"] - t["earliest_start"],
    "places_per_month": lambda t: -t["places"] / t["tail_days"].clip(lower=1.0),
    "most_successors": lambda t: -t["successors"],
    "rank_weight": lambda t: -t["rank_weight"],
    "shortest": lambda t: t["planned_days"],
    "planned": lambda t: t["planned_start"],
    "first_come": None,
}
"""Rules by name; ``first_come`` serves in order of asking."""


def timing(network: Network, table: pd.DataFrame) -> pd.DataFrame:
    """Return the activity table with what rules look at.

    Added columns: earliest_start, latest_start, latest_finish (days, as if resources delayed nobody
    up; latest for the due date, or for the whole to end as early as it can), tail_days (from begin
    of the activity to the end of the last that follows), successors (how many follow in all),
    rank_weight (own and direct successors' working days).
    """
    days = table["planned_days"].to_numpy(float)
    bare = Network(
        network.start,
        network.column,
        network.phase,
        network.after,
        ((),) * network.size,
        network.release,
        network.calendar,
        (),
        network.done,
    )
    start, finish, _ = kernel.simulate(bare, days[None, :], None)
    earliest, end = np.nan_to_num(start[0], nan=np.inf), np.nan_to_num(finish[0], nan=np.inf)
    span = np.where(np.isfinite(end), end - np.where(np.isfinite(end), earliest, 0.0), 0.0)
    horizon = float(end[np.isfinite(end)].max(initial=network.start))
    latest = table["due"].fillna(horizon).to_numpy(float).copy()
    tail = span.copy()
    following: list[set[int]] = [set() for _ in days]
    weight = days.copy()
    for i in range(network.size - 1, -1, -1):
        for s in network.successors[i]:
            latest[i] = min(latest[i], latest[s] - span[s])
            tail[i] = max(tail[i], span[i] + tail[s])
            following[i] |= {s} | following[s]
            weight[i] += days[s]
    return table.assign(
        earliest_start=earliest,
        latest_start=latest - span,
        latest_finish=latest,
        tail_days=tail,
        successors=[len(f) for f in following],
        rank_weight=weight,
    )


def key_of(network: Network, table: pd.DataFrame, rule: str | Rule) -> list[float] | None:
    """Return the rule's number per activity; what is under way comes first.

    Raises
    ------
    ValueError
        If the rule does not give one number per activity.
    """
    function = RULES[rule] if isinstance(rule, str) else rule
    if function is None:
        return None
    key = np.array(function(timing(network, table)), dtype=float)
    if key.shape != (network.size,) or np.isnan(key).any():
        raise ValueError(f"a rule gives one number per activity ({network.size}), none of them NaN")
    key[table["planned_start"].to_numpy(float) < network.start] = -np.inf
    return [float(value) for value in key]


@dataclass(frozen=True, eq=False)
class ConstructionSimulation:
    """Dates of a building programme, by replication; days since 1970-01-01.

    A *column* is one copy of one project. Quantiles are dates reached (no interpolation); a date
    that is never reached counts as infinitely late and is ``""`` in tables.

    Attributes
    ----------
    columns : tuple of Column
        Project, copy, county, planned opening …
    activities : DataFrame
        One row per phase of a column: column, project, copy, phase, milestone, planned_start,
        planned_finish, planned_days, due, places.
    network : Network
    start, finish : float64 ``[replication, activity]``
        Begin and end; NaN if never. What was done before today is at its planned days.
    days : float64 ``[replication, activity]``
        Working days that were still to come.
    cause : int16 ``[replication, activity]``
        Resource it last waited for, -1 none.
    opening : float64 ``[replication, column]``
        Whole day on which it is in use, not before its planned day; NaN if never.
    seed : int
    scenario_hash : str
    """

    columns: tuple[Column, ...]
    activities: pd.DataFrame
    network: Network
    start: Days
    finish: Days
    days: Days
    cause: NDArray[np.int16]
    opening: Days
    seed: int
    scenario_hash: str

    @property
    def projects(self) -> tuple[str, ...]:
        """Project of each column; one of several copies stands in several columns."""
        return tuple(column.project for column in self.columns)

    @property
    def planned(self) -> Days:
        """Planned opening of each column, days; NaN where there is none."""
        return np.array([column.planned for column in self.columns])

    @cached_property
    def milestones(self) -> dict[str, Days]:
        """Day of each milestone ``[replication, column]``; NaN if never or no such phase."""
        out = {}
        for name in MILESTONES[:-1]:
            reached = np.full(self.opening.shape, np.nan)
            rows = self.activities[self.activities["milestone"] == name]
            for i, number in zip(rows.index, rows["column"], strict=True):
                # of two phases with one milestone the later counts
                reached[:, number] = np.maximum(
                    np.nan_to_num(reached[:, number], nan=-np.inf), self._ended[:, i]
                )
            out[name] = reached
        out[IN_USE] = self.opening
        return out

    @property
    def _ended(self) -> Days:
        """End of each activity, planned where it lay before the start."""
        planned = self.activities["planned_finish"].to_numpy(float)
        return np.where(self._past, planned, self.finish)

    @property
    def _past(self) -> NDArray[np.bool_]:
        return np.array(self.network.done or np.zeros(self.network.size), dtype=bool)

    def frame(self) -> pd.DataFrame:
        """Return openings as dates, a row per replication, a column per project (first copy).

        Never is 2199-12-31.
        """
        first = [i for i, column in enumerate(self.columns) if column.copy == 0]
        days = np.nan_to_num(self.opening[:, first], nan=to_day(NEVER)).astype(np.int64)
        names = [self.columns[i].project for i in first]
        return pd.DataFrame(days.astype("datetime64[D]").astype("datetime64[s]"), columns=names)

    def dates(self) -> pd.DataFrame:
        """Return quantiles of the milestone dates.

        Returns
        -------
        DataFrame
            project, copy, county, milestone, planned (of in_use), p05, p10, p50, p90, p95 (ISO
            dates), never (share of replications).
        """
        quantiles = {name: _quantiles(days) for name, days in self.milestones.items()}
        never = {name: np.isnan(days).mean(axis=0) for name, days in self.milestones.items()}
        has = set(zip(self.activities["column"], self.activities["milestone"], strict=True))
        rows = [
            (
                column.project,
                column.copy,
                column.county,
                name,
                to_iso(column.planned) if name == IN_USE else "",
                *(to_iso(q[number]) for q in quantiles[name]),
                never[name][number],
            )
            for number, column in enumerate(self.columns)
            for name in MILESTONES
            if name == IN_USE or never[name][number] < 1 or (number, name) in has
        ]
        names = ["project", "copy", "county", "milestone", "planned"]
        names += [f"p{round(100 * q):02d}" for q in QUANTILES]
        table = pd.DataFrame(rows, columns=[*names, "never"])
        return table.astype({name: "str" for name in names if name != "copy"})

    def probability(self, by: str | None = None) -> pd.DataFrame:
        """Return the probability of being in use by a date, by column.

        Parameters
        ----------
        by : ISO date, optional
            Default: each column's own planned opening.

        Returns
        -------
        DataFrame
            project, copy, county, planned, probability.
        """
        limit = self.planned if by is None else np.full(len(self.columns), to_day(by))
        return pd.DataFrame(
            {
                "project": self.projects,
                "copy": [column.copy for column in self.columns],
                "county": [column.county for column in self.columns],
                "planned": [to_iso(day) for day in self.planned],
                "probability": (self.opening <= limit).mean(axis=0),
            }
        )

    def in_use(self, by: str) -> Days:
        """Return the share of the columns in use by an ISO date, ``[replication]``."""
        share: Days = (self.opening <= to_day(by)).mean(axis=1)
        return share

    def waiting(self) -> pd.DataFrame:
        """Return days lost, mean over replications, by what they were lost to.

        Returns
        -------
        DataFrame
            project, copy, cause (name of the resource last lacking, or ``stop`` for days on which
            a calendar stops work), days; rows above 0.
        """
        ready = self.network.ready(self.finish)
        wait = np.nan_to_num(self.start - ready)
        stop = np.nan_to_num(self.finish - self.start - self.days)
        column = np.array(self.network.column, dtype=int)
        rows = []
        for r, resource in enumerate([*self.network.resources, None]):
            lost = stop if resource is None else np.where(self.cause == r, wait, 0.0)
            total = np.bincount(column, lost.mean(axis=0), minlength=len(self.columns))
            name = "stop" if resource is None else resource.name
            for number in np.flatnonzero(total > 1e-9):
                one = self.columns[number]
                rows.append((one.project, one.copy, name, float(total[number])))
        table = pd.DataFrame(rows, columns=["project", "copy", "cause", "days"])
        return table.astype({"project": "str", "cause": "str", "copy": "int64", "days": "float64"})

    def use(self) -> pd.DataFrame:
        """Return units of renewable resources in use, by month.

        Returns
        -------
        DataFrame
            resource, county, month (``YYYY-MM``), units, used (mean over days and replications),
            share (used / units).
        """
        rows = []
        finish = np.nan_to_num(self.finish, nan=self.network.start)
        start = np.nan_to_num(self.start, nan=self.network.start)
        last = float(finish.max(initial=self.network.start))
        edges = _months(self.network.start, last)
        for r, resource in enumerate(self.network.resources):
            users = [
                (i, u) for i, needs in enumerate(self.network.needs) for q, u in needs if q == r
            ]
            if resource.releases is not None or not users:
                continue
            index, units = [i for i, _ in users], np.array([float(u) for _, u in users])
            for a, b in pairwise(edges):
                overlap = np.minimum(finish[:, index], b) - np.maximum(start[:, index], a)
                used = float((np.maximum(overlap, 0.0) @ units).mean() / (b - a))
                month = to_iso(a)[:7]
                share = used / resource.units if resource.units else 0.0
                rows.append((resource.name, resource.county, month, resource.units, used, share))
        names = ["resource", "county", "month", "units", "used", "share"]
        table = pd.DataFrame(rows, columns=names)
        return table.astype({"resource": "str", "county": "str", "month": "str", "used": "float64"})

    def gantt(self) -> pd.DataFrame:
        """Return bars of the programme with their uncertainty.

        Returns
        -------
        DataFrame
            project, copy, county, phase, milestone, planned_start, planned_finish, start_p10,
            start_p50, start_p90, finish_p10, finish_p50, finish_p90 (ISO dates).
        """
        table = self.activities[["project", "copy"]].copy()
        table["county"] = [self.columns[c].county for c in self.activities["column"]]
        table["phase"] = self.activities["phase"]
        table["milestone"] = self.activities["milestone"]
        planned = self.activities["planned_start"].to_numpy(float)
        table["planned_start"] = [to_iso(day) for day in planned]
        table["planned_finish"] = [to_iso(day) for day in self.activities["planned_finish"]]
        begun = np.where(planned < self.network.start, planned, self.start)
        for name, days in (("start", begun), ("finish", self._ended)):
            for q, line in zip((0.1, 0.5, 0.9), _quantiles(days, (0.1, 0.5, 0.9)), strict=True):
                table[f"{name}_p{round(100 * q)}"] = [to_iso(day) for day in line]
        return table

    def critical(self, by: str, number: int) -> pd.DataFrame:
        """Count how often a column's lateness goes with a missed programme.

        Parameters
        ----------
        by : ISO date
        number : int
            Columns that must be in use by then.

        Returns
        -------
        DataFrame
            project, copy, late (share of replications not in use by the date), critical (share of
            the replications with fewer than ``number`` in use in which it is not).
        """
        late = ~(self.opening <= to_day(by))
        missed = (~late).sum(axis=1) < number
        share = late[missed].mean(axis=0) if missed.any() else np.zeros(len(self.columns))
        return pd.DataFrame(
            {
                "project": self.projects,
                "copy": [column.copy for column in self.columns],
                "late": late.mean(axis=0),
                "critical": share,
            }
        )


def _quantiles(days: Days, quantiles: tuple[float, ...] = QUANTILES) -> Days:
    """Return dates reached at the quantiles, ``[quantile, column]``; infinite where never."""
    late = np.where(np.isnan(days), np.inf, days)
    reached: Days = np.quantile(late, quantiles, axis=0, method="inverted_cdf")
    return reached


def _months(first: float, last: float) -> list[float]:
    """Return the first day of every month from one day past another."""
    day = EPOCH.fromordinal(EPOCH.toordinal() + int(first)).replace(day=1)
    edges = [float((day - EPOCH).days)]
    while edges[-1] <= last:
        day = (day.replace(day=28) + (EPOCH.resolution * 5)).replace(day=1)
        edges.append(float((day - EPOCH).days))
    return edges


def sample(
    one: Draft,
    replications: int,
    seed: int,
    shock_sd: float,
    only: Sequence[int] | None = None,
) -> Days:
    """Draw working days still to come, ``[replication, activity]``; fixed phases know no shock.

    Of ``only`` some activities where given; they meet the luck that they meet among all.
    """
    chosen = range(one.network.size) if only is None else only
    of_column = [one.columns[one.network.column[i]] for i in chosen]
    common = shocks([column.county for column in of_column], shock_sd, replications, seed)
    days = np.empty((replications, len(of_column)))
    for k, (i, column) in enumerate(zip(chosen, of_column, strict=True)):
        phase = one.phases[i]
        rng = stream(seed, column.project, str(column.copy), phase.name)
        days[:, k] = draw(phase, replications, rng) * one.left[i]
        if phase.distribution != "fixed":
            days[:, k] *= common[column.county]
    return days


def build(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    starts: Mapping[str, Dates] | str | None = None,
    replications: int = 1000,
    seed: int = 0,
    stochastic: bool = True,
    crews: bool = True,
    rule: str | Rule = "due_date",
    processes: Mapping[str, Callable[[engine.Job], engine.Process]] | None = None,
    use_simpy: bool | None = None,
) -> ConstructionSimulation:
    """Simulate when each project is really in use.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping of project to ISO date, or to one date per copy, optional
        Planned openings. Only what has a date is built. Default: every project that is not a
        candidate, planned for its due date.
    starts : mapping of project to ISO date, or to one date per copy, or ``"asap"``, optional
        Without planned openings: the projects named begin on these days, or all as soon as they
        can, and open when they are finished. With planned openings: those of them that have not
        begun yet begin on these days, or as soon as they can, instead of just in time.
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
    ConstructionSimulation

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
    return ConstructionSimulation(
        columns=one.columns,
        activities=one.table,
        network=network,
        start=start,
        finish=finish,
        days=days,
        cause=cause,
        opening=opening_of(one, finish),
        seed=seed,
        scenario_hash=scenario.hash,
    )


def opening_of(one: Draft, finish: Days) -> Days:
    """Return the whole day each column is in use, not before its planned day; NaN never."""
    opening = np.full((len(finish), len(one.columns)), np.nan)
    for number, column in enumerate(one.columns):
        mine = one.table.index[one.table["column"] == number]
        used = [i for i in mine if one.phases[i].milestone == "in_use"] or list(mine)
        last = np.ceil(finish[:, used].max(axis=1) - EXACT)
        opening[:, number] = last if np.isnan(column.planned) else np.maximum(last, column.planned)
    return opening
