"""Choose start dates under scarce crews and money, as early as possible in all.

Resource-constrained project scheduling: lists by priority rule, turned into schedules by the
parallel scheme (the simulation's own dispatching) or the serial one, improved by forward-backward
passes (justification; Valls, Ballestín and Quintanilla 2005), and a budget of further lists sampled
round the best. Only forward passes make schedules, under the true calendars and releases, so every
schedule is feasible.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd

from capsim.construction import kernel
from capsim.construction.baseline_schedule import draft
from capsim.construction.calendars import MONTH_DAYS, Calendar, Days, to_iso
from capsim.construction.network import NEVER, Needs, Network
from capsim.construction.programme_simulation import (
    RULES,
    ConstructionSimulation,
    build,
    key_of,
    timing,
)
from capsim.construction.projects import Dates
from capsim.io.executors import Done
from capsim.scenario.scenario import Scenario


class Profile:
    """Units left of each renewable resource over time: constant from each of ``at`` to the next."""

    def __init__(self, levels: Sequence[int]):
        self.at = [-math.inf, math.inf]
        self.left = [list(levels), list(levels)]

    def earliest(self, needs: Needs, day: float, length: Callable[[float], float]) -> float:
        """Return the first day from ``day`` on which ``needs`` fit for the time ``length(day)``."""
        at, left = self.at, self.left
        k = bisect_right(at, day) - 1
        while True:
            end = length(day)
            j = k
            while at[j] < end or j == k:
                row = left[j]
                if any(row[r] < units for r, units in needs):
                    break
                j += 1
            else:
                return day
            k = j + 1
            day = at[k]

    def take(self, needs: Needs, start: float, end: float) -> None:
        """Reserve ``needs`` from start to end."""
        if end <= start:
            return
        first, last = self._cut(start), self._cut(end)
        for k in range(first, last):
            for r, units in needs:
                self.left[k][r] -= units

    def _cut(self, day: float) -> int:
        k = bisect_left(self.at, day)
        if self.at[k] != day:
            self.at.insert(k, day)
            self.left.insert(k, list(self.left[k - 1]))
        return k


def serial(
    network: Network, days: list[float], key: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Place activities in order of priority, each as early as what is placed allows.

    Consumables are handed out in that order too, each from the earliest releases.
    """
    start, finish = [NEVER] * network.size, [NEVER] * network.size
    profile = Profile([resource.units for resource in network.resources])
    used = [0] * len(network.resources)
    waiting = [len(before) for before in network.after]
    ready = [(key[i], i) for i in range(network.size) if waiting[i] == 0]
    heapify(ready)
    while ready:
        _, i = heappop(ready)
        day = max([network.start, network.release[i], *(finish[b] for b in network.after[i])])
        renewable = []
        for r, units in network.needs[i]:
            releases = network.resources[r].releases
            if releases is None:
                renewable.append((r, units))
                continue
            used[r] += units
            day = max(day, _released(releases, used[r]))
        if day < NEVER:
            end = partial(_end, network.calendar[i], days[i])
            needs = tuple(renewable)
            if needs:
                day = profile.earliest(needs, day, end)
            start[i], finish[i] = day, end(day)
            profile.take(needs, start[i], finish[i])
        for s in network.successors[i]:
            waiting[s] -= 1
            if waiting[s] == 0:
                heappush(ready, (key[s], s))
    return start, finish


def _end(calendar: Calendar | None, work: float, at: float) -> float:
    return at + (work if calendar is None else calendar.span(at, work))


def _released(releases: tuple[tuple[float, int], ...], units: int) -> float:
    total = 0
    for day, amount in releases:
        total += amount
        if total >= units:
            return day
    return NEVER


def backward(network: Network, start: list[float], finish: list[float]) -> list[float]:
    """Return begins when everything is pushed as late as the schedule's end allows.

    Time runs backward, each activity lasts as long as it did, those that finished last go first;
    releases and consumables are left aside.
    """
    profile = Profile([resource.units for resource in network.resources])
    waiting = [len(after) for after in network.successors]
    ready = [(-finish[i], -start[i], -i) for i in range(network.size) if waiting[i] == 0]
    heapify(ready)
    horizon = max(finish)
    begin = [0.0] * network.size
    while ready:
        _, _, i = heappop(ready)
        i = -i
        length = finish[i] - start[i]
        day = max([-horizon, *(-begin[s] for s in network.successors[i])])
        needs = tuple((r, u) for r, u in network.needs[i] if network.resources[r].releases is None)
        if needs:
            end = partial(_end, None, length)
            day = profile.earliest(needs, day, end)
            profile.take(needs, day, day + length)
        begin[i] = -(day + length)
        for b in network.after[i]:
            waiting[b] -= 1
            if waiting[b] == 0:
                heappush(ready, (-finish[b], -start[b], -b))
    return begin


SAMPLED = ("latest_finish", "latest_start", "minimum_slack", "most_successors", "rank_weight")


@dataclass(frozen=True, eq=False)
class Schedule:
    """A feasible schedule at planned durations.

    Attributes
    ----------
    network : Network
    table : DataFrame
        One row per activity: project, copy, phase, start, finish (ISO dates), start_day,
        finish_day (days since 1970-01-01; infinite where it can never begin).
    makespan_months : float
        From the start to the last finish, in months of 365.25 / 12 days.
    schedules : int
        How many were tried.
    rule : str
        Rule of the list it came from.
    """

    network: Network
    table: pd.DataFrame
    makespan_months: float
    schedules: int
    rule: str

    def starts(self) -> dict[str, list[str]]:
        """Return the day each copy of each project begins, as `build(starts=...)` takes it."""
        first = self.table.groupby(["project", "copy"], sort=False)["start_day"].min()
        return {
            str(project): [to_iso(float(day)) for day in days]
            for project, days in first.groupby("project", sort=False)
        }


def schedule(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    rules: Sequence[str] = ("latest_finish",),
    scheme: str = "parallel",
    budget: int = 1,
    seed: int = 0,
    by_places: bool = False,
    done: Done = lambda finished, total: None,
) -> Schedule:
    """Choose start dates so that everything is built as early as crews, money and calendars allow.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping of project to ISO date, or to one date per copy, optional
        Planned openings of what is built; what has not begun yet begins when the schedule says.
        Default: every project is built, candidates too.
    rules : sequence of str
        Names of `RULES`; each makes a schedule, the best is kept.
    scheme : str
        ``parallel`` or ``serial`` (for the rules' own schedules).
    budget : int
        Schedules in all; above the number of rules the rest is forward-backward improvement and
        sampling.
    seed : int
    by_places : bool
        Judge a schedule by the place-days waited for (places times opening) before its end.
    done : callable, optional
        Called with the number of schedules made and the budget, each time one is made.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        If a rule or scheme is unknown or the budget is below 1.
    """
    if budget < 1:
        raise ValueError(f"budget must be at least 1, not {budget}")
    for name in rules:
        if name not in RULES or RULES[name] is None:
            raise ValueError(f"no rule {name!r} to make a list: one of {', '.join(RULES)}")
    if scheme not in ("parallel", "serial"):
        raise ValueError(f"scheme is parallel or serial, not {scheme!r}")
    one = draft(scenario, planned=planned, starts="asap")
    network, table = one.network, one.table
    search = _Search(network, table, by_places, lambda tried: done(tried, budget))
    keys = {name: key_of(network, table, name) or [] for name in rules}
    for name in rules[:budget]:
        search.rule(name, keys[name], scheme)
    search.improve(budget, np.random.default_rng(seed))
    begun, past = table["planned_start"] < network.start, table["planned_finish"] <= network.start
    start = np.where(begun, table["planned_start"], search.best_start)
    finish = np.where(past, table["planned_finish"], search.best_finish)
    out = table[["project", "copy", "phase"]].assign(
        start=[to_iso(day) for day in start],
        finish=[to_iso(day) for day in finish],
        start_day=start,
        finish_day=finish,
    )
    ends = [day for day in finish if day < NEVER]
    months = (max(ends, default=network.start) - network.start) / MONTH_DAYS
    return Schedule(network, out, months, search.tried, search.best_rule)


class _Search:
    """The best schedule so far and the ways to a better one."""

    def __init__(
        self,
        network: Network,
        table: pd.DataFrame,
        by_places: bool,
        report: Callable[[int], None],
    ):
        self.network, self.table, self.report = network, table, report
        self.days = table["planned_days"].to_numpy(float).tolist()
        self.places = table.groupby("column")["places"].first().to_numpy(float)
        self.column = np.array(network.column, dtype=int)
        self.by_places = by_places
        self.tried = 0
        self.best = (math.inf, math.inf)
        self.best_start: list[float] = []
        self.best_finish: list[float] = []
        self.best_rule = ""
        self.time = timing(network, table)
        finish = self.time["earliest_start"] + table["planned_days"]
        self.bound = float(finish[np.isfinite(finish)].max()) if len(finish) else network.start

    def value(self, finish: list[float]) -> tuple[float, float]:
        """Return what makes one schedule better than another, the smaller the better."""
        ends = np.array(finish)
        last = np.full(len(self.places), -np.inf)
        np.maximum.at(last, self.column, ends)
        waited = float(np.where(np.isfinite(last), last, 1e9) @ self.places)
        end = float(ends.max(initial=self.network.start))
        return (waited, end) if self.by_places else (end, waited)

    def note(self, start: list[float], finish: list[float], rule: str) -> bool:
        """Count a schedule, keep it if it is the best; say whether it is."""
        self.tried += 1
        self.report(self.tried)
        value = self.value(finish)
        if value < self.best:
            self.best, self.best_start, self.best_finish = value, start, finish
            self.best_rule = rule
            return True
        return False

    def rule(self, name: str, key: list[float], scheme: str) -> None:
        """Make the schedule of a rule."""
        if scheme == "serial":
            self.note(*serial(self.network, self.days, key), name)
            return
        start, finish, _ = kernel.simulate(self.network, np.array([self.days]), key)
        begin, end = np.nan_to_num(start[0], nan=NEVER), np.nan_to_num(finish[0], nan=NEVER)
        self.note(begin.tolist(), end.tolist(), name)

    def optimal(self) -> bool:
        """Check whether the best cannot be beaten: it ends when the longest chain does."""
        return not self.by_places and self.best[0] <= self.bound + 1e-6

    def improve(self, budget: int, rng: np.random.Generator) -> None:
        """Spend the rest of the budget."""
        self.justify(self.best_start, self.best_finish, budget)
        rules = [rule for rule in map(RULES.get, SAMPLED) if rule is not None]
        keys = [np.array(rule(self.time), float) for rule in rules]
        turn = 0
        while self.tried < budget and not self.optimal():
            turn += 1
            if turn % 2:
                key = _around(np.array(self.best_start), rng, 0.03 + 0.22 * rng.random())
            else:
                key = _around(keys[turn // 2 % len(keys)], rng, 0.05 + 0.3 * rng.random())
            if turn % 4 < 2:
                start, finish = serial(self.network, self.days, key)
            else:
                begin, end, _ = kernel.simulate(self.network, np.array([self.days]), key)
                start = np.nan_to_num(begin[0], nan=NEVER).tolist()
                finish = np.nan_to_num(end[0], nan=NEVER).tolist()
            self.note(start, finish, "sampled")
            self.justify(start, finish, budget)

    def justify(self, start: list[float], finish: list[float], budget: int) -> None:
        """Shift everything late, then early again, while that shortens the schedule.

        The backward pass is not a schedule under releases and calendars, only an order for the
        forward one; both count towards the budget.
        """
        value = self.value(finish)
        while self.tried + 2 <= budget and not self.optimal() and max(finish) < NEVER:
            late = backward(self.network, start, finish)
            start, finish = serial(self.network, self.days, late)
            self.tried += 1
            self.note(start, finish, "justified")
            new = self.value(finish)
            if not new < value:
                return
            value = new


def _around(key: Days, rng: np.random.Generator, width: float) -> list[float]:
    """Return priorities shaken by a share of their spread."""
    known = key[np.isfinite(key)]
    spread = float(np.ptp(known)) if len(known) else 0.0
    shaken: list[float] = (key + rng.normal(0, width * (spread or 1.0), len(key))).tolist()
    return shaken


OPTIMIZED_BY = ("latest_finish", "due_date", "places_per_month")


@dataclass(frozen=True, eq=False)
class OptimizedStarts:
    """Chosen start dates, and what they gain over beginning just in time.

    Attributes
    ----------
    schedule : Schedule
    before : ConstructionSimulation
        What has not begun yet begins so as to open on its planned date.
    after : ConstructionSimulation
        It begins on the chosen dates; the same luck.
    """

    schedule: Schedule
    before: ConstructionSimulation
    after: ConstructionSimulation

    def table(self) -> pd.DataFrame:
        """Compare begin and lateness of every project.

        Returns
        -------
        DataFrame
            project, copy, county, planned (opening), begin_before, begin_after (ISO dates),
            on_time_before, on_time_after (probability of being in use on the planned day),
            days_late_before, days_late_after (mean over the replications in which it opens).
        """
        table = self.before.probability().drop(columns="probability")
        for name, one in (("before", self.before), ("after", self.after)):
            begin = one.activities.groupby("column")["planned_start"].min()
            late = np.maximum(one.opening - one.planned, 0.0)
            opens = np.isfinite(late)
            table[f"begin_{name}"] = [to_iso(day) for day in begin]
            table[f"on_time_{name}"] = one.probability()["probability"]
            with np.errstate(invalid="ignore"):
                table[f"days_late_{name}"] = np.nansum(late, axis=0) / opens.sum(axis=0)
        return table


def optimize_starts(
    scenario: Scenario,
    *,
    planned: Mapping[str, Dates] | None = None,
    schedules: int = 20,
    replications: int = 1000,
    seed: int = 0,
    done: Done = lambda finished, total: None,
) -> OptimizedStarts:
    """Choose when projects that have not begun yet begin, and simulate what that gains.

    A plan begins a project just in time, so that any slip makes it late. Here each begins as early
    as crews and money allow, the most places first: the schedule with the fewest place-days waited
    for is taken. What is under way goes on as planned, and no school opens before its planned date.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping of project to ISO date, or to one date per copy, optional
        Planned openings. Default: every project that is not a candidate, for its due date.
    schedules : int
        Schedules to try.
    replications, seed : int
        Of the simulations before and after; see `build`.
    done : callable, optional
        Called with the number of schedules tried and of all.

    Returns
    -------
    OptimizedStarts

    Raises
    ------
    ValueError, ScenarioError
        As `build` and `schedule`.

    Examples
    --------
    One crew, two schools that shall open on one day:

    >>> import capsim
    >>> school = {"stage": "primary", "area": "A", "kind": "new", "places": 900,
    ...     "capital_cny": 45e6, "status": "ordered", "earliest_opening": "2024-09-01",
    ...     "due": "2024-09-01"}
    >>> scenario = capsim.Scenario.from_tables(
    ...     {"name": "one", "horizon": {"base_year": 2021, "last_year": 2030},
    ...      "costs": {"discount_rate": 0.04}, "construction": {"start": "2022-01-01"}},
    ...     projects=pd.DataFrame([{"project": name, **school} for name in ("S1", "S2")]),
    ...     phases=pd.DataFrame([{"phase": "works", "distribution": "fixed", "mode_months": 12,
    ...                           "needs": "crew=1", "milestone": "in_use"}]),
    ...     resources=pd.DataFrame([{"resource": "crew", "county": "*", "units": 1}]))
    >>> gain = optimize_starts(scenario, replications=1).table()
    >>> gain[["begin_before", "begin_after", "days_late_before", "days_late_after"]]
      begin_before begin_after  days_late_before  days_late_after
    0   2023-09-01  2022-01-01               0.0              0.0
    1   2023-09-01  2023-01-01             366.0              0.0
    """
    if planned is None:
        rows = scenario.table("projects").drop_duplicates("project")
        ordered = rows[rows["status"] != "candidate"]
        planned = {
            name: [due] * count
            for name, due, count in zip(
                ordered["project"], ordered["due"], ordered["count"], strict=True
            )
        }
    chosen = schedule(
        scenario,
        planned=planned,
        rules=OPTIMIZED_BY,
        budget=schedules,
        seed=seed,
        by_places=True,
        done=done,
    )
    before = build(scenario, planned=planned, replications=replications, seed=seed)
    after = build(
        scenario, planned=planned, starts=chosen.starts(), replications=replications, seed=seed
    )
    return OptimizedStarts(chosen, before, after)
