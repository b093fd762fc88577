"""What projects are worth: one copy more or less, a programme's last copy, a day earlier or later.

A copy is priced like everything else, by the slope of the plan's linear program. A day is not: a
project opens at check dates only. It is moved to the check date before (or after), all other
decisions stay, the linear program is solved again, and the difference is divided by the days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csc_array, diags_array

from capsim.lp import Program
from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.highs import Basis, Highs
from capsim.lp.margins import EXACT
from capsim.optimize.model import Model
from capsim.optimize.relief import Relief, no_members
from capsim.optimize.spend import day_number

MILLION = 1e6


def project_reliefs(model: Model, x: Array) -> Relief:
    """One copy more of each project, from the date of its first copy on (or its first possible).

    Programmes do not count it: what they require is priced apart.
    """
    program, given = model.program, model.given
    first = _first_open(model, x)
    possible = np.flatnonzero(first < given.dates.count)
    rows, columns = [], []
    for at, i in enumerate(possible.tolist()):
        own = np.unique(model.columns.open[i, first[i] :])
        rows.append(own)
        columns.append(np.full(len(own), at))
    none = [np.zeros(0, np.int64)]
    row, column = np.concatenate([*rows, *none]), np.concatenate([*columns, *none])
    shape = (len(program.cost), len(possible))
    pick = csc_array(coo_array((np.ones(len(row)), (row, column)), shape=shape))
    counted = np.ones(program.matrix.shape[0])
    counted[program.rows_of("programme")] = 0.0
    matrix = csc_array(diags_array(counted) @ program.matrix @ pick)
    cost = np.asarray(pick.T @ program.cost, np.float64)
    return Relief("project", "copy", _members(model, possible, first), matrix, cost)


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


def day_prices(
    model: Model,
    program: Program,
    x: Array,
    start: Basis | None,
    chosen: Callable[[pd.DataFrame], Flag],
) -> pd.DataFrame:
    """Price a day of each project that opens within the plan, both ways.

    ``one_more_cny`` is saved for each day that it opens earlier (at the check date before),
    ``one_less_cny`` lost for each day later (at the one after); ``more_units`` and ``less_units``
    are these days. Infinite: other decisions do not allow it. NaN: there is no such date. The
    dates of programmes do not count.
    """
    dates = model.given.dates
    first = _first_open(model, x)
    opened = np.round(x[model.columns.open[:, -1]]) > 0 if dates.count else np.zeros(0, bool)
    index = np.flatnonzero(opened)
    members = _members(model, index, first)
    keep = chosen(members)
    index, members = index[keep], members[keep].reset_index(drop=True)
    counted = program.rows_of("programme")
    row_lower = program.row_lower.copy()
    row_lower[counted] = -np.inf
    program = replace(program, row_lower=row_lower)
    highs = Highs(program, EXACT if start is None else {**EXACT, "presolve": "off"})
    highs.begin_at(start)
    base = highs.solve().objective
    day = day_number(dates.date)
    records = []
    for i in index.tolist():
        k = int(first[i])
        own = dates.autumn if model.given.projects.candidate[i] else np.arange(dates.count)
        before, after = own[own < k], own[own > k]
        earlier, days = np.nan, np.nan
        if len(before):
            days = float(day[k] - day[before[-1]])
            earlier = (base - _moved(highs, model, x, i, k, int(before[-1]))) / days
        later, days_later = np.nan, np.nan
        if len(after):
            days_later = float(day[after[0]] - day[k])
            later = (_moved(highs, model, x, i, k, int(after[0])) - base) / days_later
        records.append((earlier * MILLION, later * MILLION, days, days_later))
    numbers = np.array(records, float).reshape(len(records), 4)
    columns = ("one_more_cny", "one_less_cny", "more_units", "less_units")
    priced = {name: numbers[:, i] for i, name in enumerate(columns)}
    return members.assign(kind="day", unit="day", **priced)


def _moved(highs: Highs, model: Model, x: Array, i: int, k: int, to: int) -> float:
    """Optimum when the copies of project ``i`` that open on check date ``k`` open on ``to``."""
    column = model.columns.open[i]
    now = np.round(x[column])
    then = now.copy()
    if to < k:
        then[to:k] = now[k]
    else:
        then[k:to] = now[k - 1] if k else 0.0
    changed = {int(c): v for c, v, old in zip(column, then, now, strict=True) if v != old}
    for c, value in changed.items():
        highs.bound(c, value, value)
    found = highs.solve()
    for c in changed:
        highs.bound(c, float(np.round(x[c])), float(np.round(x[c])))
    return found.objective if found.status == "optimal" else float("inf")


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
