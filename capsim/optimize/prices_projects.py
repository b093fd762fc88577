"""What projects are worth: one copy more or less, a programme's last copy, a day earlier or later.

None of these is a slope: a project is built or not, and opens at check dates only. The copies of
one project are changed, all other decisions stay, and the plan's linear program is solved again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capsim.lp import Program
from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.highs import Basis, Highs
from capsim.lp.margins import EXACT
from capsim.optimize.model import Model
from capsim.optimize.relief import no_members
from capsim.optimize.spend import day_number

MILLION = 1e6


@dataclass(frozen=True)
class Changed:
    """The plan's linear program, solved again with other copies of a project in use.

    Programmes do not count: what they require is priced apart.
    """

    model: Model
    x: Array
    highs: Highs
    base: float
    """Its optimum as planned, million RMB."""

    @classmethod
    def of(cls, model: Model, program: Program, x: Array, start: Basis | None) -> Changed:
        """Solve the program with the decisions fixed, from a basis where there is one."""
        row_lower = program.row_lower.copy()
        row_lower[program.rows_of("programme")] = -np.inf
        options = EXACT if start is None else {**EXACT, "presolve": "off"}
        highs = Highs(replace(program, row_lower=row_lower), options)
        highs.begin_at(start)
        return cls(model, x, highs, highs.solve().objective)

    def dearer(self, i: int, copies: Array) -> float:
        """Million RMB by which it is dearer with these ``copies [check]`` of project ``i``.

        Infinite where the other decisions do not allow it.
        """
        column = self.model.columns.open[i]
        now = np.round(self.x[column])
        changed = {int(c): (v, old) for c, v, old in zip(column, copies, now, strict=True)}
        for c, (value, _) in changed.items():
            self.highs.bound(c, value, value)
        found = self.highs.solve()
        for c, (_, old) in changed.items():
            self.highs.bound(c, old, old)
        return found.objective - self.base if found.status == "optimal" else float("inf")


def project_prices(changed: Changed, chosen: Callable[[pd.DataFrame], Flag]) -> pd.DataFrame:
    """Price a copy of each project, from the date of its first one on (or its first possible).

    ``one_less_cny`` is lost without a copy, ``one_more_cny`` saved by another; the units are 1.
    Infinite: other decisions do not allow it. NaN: there is no copy to leave out or to add.
    """
    model = changed.model
    first, dates = _first_open(model, changed.x), model.given.dates
    index = np.flatnonzero(first < dates.count)
    members = _members(model, index, first)
    keep = chosen(members)
    records = []
    for i in index[keep].tolist():
        now = np.round(changed.x[model.columns.open[i]])
        since = np.arange(dates.count) >= first[i]
        less = changed.dearer(i, now - since) if now[-1] else np.nan
        room = now.max() < model.given.projects.count[i]
        more = -changed.dearer(i, now + since) if room else np.nan
        records.append((more * MILLION, less * MILLION, float(room), float(now[-1] > 0)))
    return _priced("project", "copy", members[keep].reset_index(drop=True), records)


def programme_prices(model: Model, x: Array, projects: pd.DataFrame) -> pd.DataFrame:
    """Price the number of projects that a programme requires.

    One fewer saves what the copy saves that is best left out (ordered ones included: their order
    then falls away); one more costs what the cheapest further copy costs. Nothing is saved where
    more are in use than required, or where the best copy pays for itself.
    """
    given, v = model.given, model.columns
    first = _first_open(model, x)
    priced = projects.set_index("name")
    records = []
    for name, programme in given.scenario.settings.programmes.items():
        past = np.flatnonzero(given.dates.date.astype(str) <= str(programme.by))
        member = given.projects.programme == name
        if not len(past) or not member.any():
            continue
        last = int(past[-1])
        in_use = np.round(x[v.open[:, last]])
        spare = float(in_use[member].sum()) - programme.number
        names = given.projects.project
        out = priced.reindex(names[member & (in_use > 0)]).dropna(subset=["one_less_cny"])
        room = member & (in_use < given.projects.count) & (first <= last)
        into = priced.reindex(names[room]).dropna(subset=["one_more_cny"])
        less, units = _best(-out["one_less_cny"], out["less_units"], -np.inf)
        more, more_units = _best(into["one_more_cny"], into["more_units"], -np.inf)
        saves = (0.0, np.inf) if spare > 0 or less <= 0 else (less, units)
        costs = (0.0, spare) if spare > 0 else (max(-more, 0.0), more_units)
        records.append((name, int(str(programme.by)[:4]), saves[0], costs[0], saves[1], costs[1]))
    out_frame = no_members(len(records))
    out_frame["name"] = [record[0] for record in records]
    out_frame["year"] = np.array([record[1] for record in records], np.int64)
    columns = ("one_more_cny", "one_less_cny", "more_units", "less_units")
    numbers = {c: np.array([r[2 + i] for r in records], float) for i, c in enumerate(columns)}
    return out_frame.assign(kind="programme", unit="project", **numbers)


def day_prices(changed: Changed, chosen: Callable[[pd.DataFrame], Flag]) -> pd.DataFrame:
    """Price a day of each project that opens within the plan, both ways.

    ``one_more_cny`` is saved for each day that it opens earlier (at the check date before),
    ``one_less_cny`` lost for each day later (at the one after); ``more_units`` and ``less_units``
    are these days. Infinite: other decisions do not allow it. NaN: there is no such date.
    """
    model, x, dates = changed.model, changed.x, changed.model.given.dates
    first = _first_open(model, x)
    opened = np.round(x[model.columns.open[:, -1]]) > 0 if dates.count else np.zeros(0, bool)
    index = np.flatnonzero(opened)
    members = _members(model, index, first)
    keep = chosen(members)
    day = day_number(dates.date)
    records = []
    for i in index[keep].tolist():
        k, now = int(first[i]), np.round(x[model.columns.open[i]])
        own = dates.autumn if model.given.projects.candidate[i] else np.arange(dates.count)
        before, after = own[own < k], own[own > k]
        earlier, days = np.nan, np.nan
        if len(before):
            days = float(day[k] - day[before[-1]])
            then = now.copy()
            then[int(before[-1]) : k] = now[k]
            earlier = -changed.dearer(i, then) / days
        later, days_later = np.nan, np.nan
        if len(after):
            days_later = float(day[after[0]] - day[k])
            then = now.copy()
            then[k : int(after[0])] = now[k - 1] if k else 0.0
            later = changed.dearer(i, then) / days_later
        records.append((earlier * MILLION, later * MILLION, days, days_later))
    return _priced("day", "day", members[keep].reset_index(drop=True), records)


def _priced(
    kind: str, unit: str, members: pd.DataFrame, records: list[tuple[float, float, float, float]]
) -> pd.DataFrame:
    numbers = np.array(records, float).reshape(len(records), 4) + 0.0
    columns = ("one_more_cny", "one_less_cny", "more_units", "less_units")
    priced = {name: numbers[:, i] for i, name in enumerate(columns)}
    return members.assign(kind=kind, unit=unit, **priced)


def _best(value: pd.Series, units: pd.Series, none: float) -> tuple[float, float]:
    if value.empty:
        return none, 0.0
    at = int(np.argmax(value.to_numpy(float)))
    return float(value.iloc[at]), float(units.iloc[at])


def _first_open(model: Model, x: Array) -> Index:
    """Check date of each project's first copy, or of its first possible one, ``[project]``."""
    if not model.given.dates.count or not len(model.columns.open):
        return np.zeros(len(model.columns.open), np.int64)
    copies = np.round(x[model.columns.open]) > 0
    return np.where(copies.any(axis=1), copies.argmax(axis=1), model.given.projects.first_check)


def _members(model: Model, index: Index, first: Index) -> pd.DataFrame:
    given = model.given
    projects, space = given.projects, given.space
    out = no_members(len(index))
    head = {int(p): r for r, p in reversed(list(enumerate(projects.row_project.tolist())))}
    row = np.array([head[int(i)] for i in index], np.int64)
    out["area"] = space.areas[projects.row_area[row]]
    out["county"] = space.counties[projects.county[index]]
    out["stage"] = model.parts.stage_names[projects.row_stage[row]]
    out["name"] = projects.project[index]
    out["year"] = space.years[given.dates.year[first[index]]]
    return out
