"""What projects are worth: one copy more or less, a programme's last copy, a day earlier or later.

None of these is a slope: a project is built or not, and opens at check dates only. The copies of
one project are changed, all other decisions stay, and the plan's linear program is solved again.

What one unit more of each scarce thing would save: the plan's prices.

With its decisions fixed a plan is the optimum of a linear program, and a price is the slope of that
optimum: what one more place, post, yuan or percentage point would save, and what one less would
cost. The two differ where the program is degenerate; each is computed on its own and exactly (see
:mod:`capsim.lp.sensitivity`), with the units over which it holds. Projects come whole: their
prices are
differences (see :mod:`capsim.analysis.shadow_prices`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.relaxations import (
    WHO,
    Relaxation,
    limit_reliefs,
    no_members,
    places,
    row_members,
)
from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.highs import Basis, Highs
from capsim.lp.program import LinearProgram
from capsim.lp.sensitivity import EXACT, Margin, Margins, optimal_basis
from capsim.lp.solution import SolverResult
from capsim.model.formulation import day_number
from capsim.model.model import Model
from capsim.plan.plan import Plan

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
    def of(cls, model: Model, program: LinearProgram, x: Array, start: Basis | None) -> Changed:
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


KINDS = (
    *("place", "post", "hire", "contract teacher", "capital", "recurrent", "land"),
    *("purchased place", "boarding place", "cap", "reduction", "floor", "large class"),
    *("project", "programme", "day"),
)
COLUMNS = ("kind", "unit", *WHO, "one_more_cny", "one_less_cny", "more_units", "less_units")


@dataclass(frozen=True)
class Prices:
    """Prices of a plan; see ``docs/prices.md`` for how to read them.

    Attributes
    ----------
    table : frame
        ``kind``, ``unit``, ``area``, ``county``, ``stage``, ``name``, ``year``, ``one_more_cny``
        (discounted RMB saved by one unit more), ``one_less_cny`` (lost with one unit less; infinite
        where there is then no solution), ``more_units``, ``less_units`` (over which each holds at
        least). Without intervals both prices are the same number between the two, and the units
        are NaN.
    program : LinearProgram
        The linear program that the prices are of: the plan's decisions fixed.
    solution : SolverResult
        Its optimum with row and column duals, million RMB.
    """

    table: pd.DataFrame
    program: LinearProgram = field(repr=False)
    solution: SolverResult = field(repr=False)

    def of(self, kind: str) -> pd.DataFrame:
        """Return the prices of one kind, without the columns that say nothing of it.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        _refuse_unknown([kind])
        part = self.table[self.table["kind"] == kind].drop(columns=["kind", "unit"])
        blank = [name for name in WHO[:-1] if (part[name] == "").all()]
        return part.drop(columns=blank).reset_index(drop=True)

    def binding(self) -> pd.DataFrame:
        """Return what is scarce: prices of limits, targets and places that are not 0.

        The largest first within their kind. Left out is what nothing more would save and nothing
        less would do (``one_less_cny`` infinite alone), and what projects are worth.
        """
        table = self.table[~self.table["kind"].isin(["project", "day"])]
        less = table["one_less_cny"].where(np.isfinite(table["one_less_cny"]), 0.0)
        worth = np.maximum(table["one_more_cny"], less)
        order = table.assign(_=worth, rank=table["kind"].map(list(KINDS).index))
        order = order[worth > CENT].sort_values(["rank", "_"], ascending=[True, False])
        return order.drop(columns=["_", "rank"]).reset_index(drop=True)


CENT = 1e-2
"""RMB below which a price is none."""


def prices(
    plan: Plan,
    kinds: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    intervals: bool = True,
) -> Prices:
    """Price what is scarce in a plan.

    A program of many counties is solved county by county at prices of what they share, and a basis
    of the whole pieced together from theirs (see :mod:`capsim.lp.sensitivity`).

    Parameters
    ----------
    plan : Plan
    kinds : texts, optional
        Of ``KINDS``; all but ``day`` (a program of its own for each project) where not given.
    where : mapping, optional
        Only members that are so, for example ``{"county": "C01", "year": 2022}``.
    intervals : bool
        Both one-sided prices and the units over which they hold. Otherwise the dual price alone, a
        number between the two, which takes a fraction of the time; ``project``, ``programme`` and
        ``day`` are left out then.

    Returns
    -------
    Prices

    Raises
    ------
    ValueError
        If a kind or column is unknown, or there is no plan.
    SolverError
        If the linear program cannot be solved.
    """
    whole = ("project", "programme", "day")
    left_out = whole if plan.relaxed or not intervals else ("day",)
    asked = [kind for kind in KINDS if kind not in left_out] if kinds is None else list(kinds)
    _refuse_unknown(asked)
    if set(asked) & set(whole) and (plan.relaxed or not intervals):
        what = "in a relaxed plan" if plan.relaxed else "without intervals"
        raise ValueError(f"projects, programmes and days have no price {what}")
    unknown = [name for name in where or {} if name not in WHO]
    if unknown:
        raise ValueError(f"prices have no column {unknown[0]!r}: expected one of {', '.join(WHO)}")
    if plan.status == "infeasible":
        raise ValueError("an infeasible scenario has no plan, and so no prices")
    model, x = plan.model, plan.solution.x
    program = model.program.relaxed() if plan.relaxed else model.program.fixed(x)
    reliefs = [_only(relief, where) for relief in _reliefs(model, plan, asked)]
    matrix = [relief.matrix for relief in reliefs]
    joined = hstack(matrix, format="csc") if matrix else csc_array((program.matrix.shape[0], 0))
    cost = np.concatenate([np.zeros(0), *(relief.cost for relief in reliefs)])
    apart = model.apart(program)
    basis = None if apart is None else optimal_basis(apart)
    margins = Margins(program, csc_array(joined), cost, basis)
    frames, first = [], 0
    for relief in reliefs:
        at = range(first, first + len(relief.members))
        frames.append(
            _prices_priced(relief, _both(margins, at) if intervals else _duals(margins, at))
        )
        first = at.stop
    if set(asked) & set(whole):
        changed = Changed.of(model, program, x, basis)
        mine = partial(_chosen, where=where)
        if "programme" in asked:
            every = project_prices(changed, partial(_chosen, where=None))
            frames += [every, programme_prices(model, x, every)]
        elif "project" in asked:
            frames.append(project_prices(changed, mine))
        if "day" in asked:
            frames.append(day_prices(changed, mine))
    table = pd.concat([_empty(), *frames], ignore_index=True)
    keep = table["kind"].isin(asked).to_numpy(bool) & _chosen(table, where)
    return Prices(table[keep].reset_index(drop=True), program, margins.solution)


def _reliefs(model: Model, plan: Plan, asked: list[str]) -> Iterator[Relaxation]:
    """Give the reliefs of the kinds asked for, in the order of ``KINDS``."""
    if "place" in asked:
        yield places(model)
    for relief in limit_reliefs(model, _cap_enrolment(model, plan)):
        if relief.kind in asked:
            yield relief


def _cap_enrolment(model: Model, plan: Plan) -> Array:
    """Enrolment that each row of the cap counts in the plan, ``[row]``."""
    labels = row_members(model, model.program.rows_of("share.cap"))
    shares = plan.tables["shares"].set_index(["county", "school_year"])["enrolment"]
    who = zip(labels["county"].replace("", "*"), labels["year"], strict=True)
    return np.array([shares[key] for key in who], np.float64)


def _both(margins: Margins, at: range) -> list[tuple[Margin, Margin]]:
    return [(margins.along(i, 1.0), margins.along(i, -1.0)) for i in at]


def _duals(margins: Margins, at: range) -> list[tuple[Margin, Margin]]:
    nan = float("nan")
    slopes = margins.dual_slopes()[at.start : at.stop].tolist()
    return [(Margin(slope, nan), Margin(-slope, nan)) for slope in slopes]


def _prices_priced(relief: Relaxation, pairs: list[tuple[Margin, Margin]]) -> pd.DataFrame:
    """Turn slopes in million RMB per unit of a column into RMB per unit of a kind."""
    factor = MILLION / relief.size
    return relief.members.assign(
        kind=relief.kind,
        unit=relief.unit,
        one_more_cny=[_clean(-more.slope * factor) for more, _ in pairs],
        one_less_cny=[_clean(less.slope * factor) for _, less in pairs],
        more_units=[more.reach * relief.size for more, _ in pairs],
        less_units=[less.reach * relief.size for _, less in pairs],
    )


def _clean(value: float) -> float:
    """Drop the sign of a zero."""
    return value + 0.0


def _only(relief: Relaxation, where: Mapping[str, Any] | None) -> Relaxation:
    keep = _chosen(relief.members, where)
    return Relaxation(
        relief.kind,
        relief.unit,
        relief.members[keep].reset_index(drop=True),
        csc_array(relief.matrix[:, np.flatnonzero(keep)]),
        relief.cost[keep],
        relief.size,
    )


def _chosen(members: pd.DataFrame, where: Mapping[str, Any] | None) -> Flag:
    keep = np.ones(len(members), bool)
    for name, value in (where or {}).items():
        keep &= (members[name] == value).to_numpy(bool)
    return keep


def _empty() -> pd.DataFrame:
    numbers = {name: np.zeros(0) for name in COLUMNS[-4:]}
    text = {name: np.zeros(0, object) for name in COLUMNS[:-5]}
    return pd.DataFrame({**text, "year": np.zeros(0, np.int64), **numbers})[list(COLUMNS)]


def _refuse_unknown(kinds: list[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"no prices of kind {kind!r}: expected one of {', '.join(KINDS)}")
