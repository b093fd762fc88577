"""Shadow prices: what one unit more of each scarce thing would save, and one unit less would cost.

With its decisions fixed a plan is the optimum of a linear program, and the price of a limit is the
slope of that optimum along a column that relaxes it (:mod:`.relaxations`). The two sides differ
where the program is degenerate; each is computed on its own and exactly (see
:mod:`capsim.lp.sensitivity`), with the units over which it holds.

Projects come whole, at check dates only: their prices are differences. The copies of one project
are changed, all other decisions stay, and the plan's linear program is solved again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.limit_relaxations import (
    WHO,
    Relaxation,
    limit_relaxations,
    no_members,
    places,
    row_members,
)
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.highs import Basis, Highs
from capsim.lp.options_and_result import SolveOptions, SolverResult
from capsim.lp.parallel_solves import Clock, until
from capsim.lp.program import LinearProgram
from capsim.lp.sensitivity import EXACT, Margin, Margins, optimal_basis
from capsim.model.costs import MILLION, day_number
from capsim.model.model import PRICE_KINDS, Model
from capsim.plan.plan import Plan

KINDS = PRICE_KINDS
NUMBERS = ("one_more_cny", "one_less_cny", "more_units", "less_units")
COLUMNS = ("kind", "unit", *WHO, *NUMBERS)
CENT = 1e-2
"""RMB below which a price counts as 0."""
Record = tuple[float, float, float, float]
"""A price: the columns ``NUMBERS`` of one member."""


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
    complete : bool
        False where time ran out: limits not reached by then have one number for both prices and
        units that are NaN, and projects, programmes and days not reached are left out.
    """

    table: pd.DataFrame
    program: LinearProgram = field(repr=False)
    solution: SolverResult = field(repr=False)
    complete: bool = True

    def of(self, kind: str) -> pd.DataFrame:
        """Return the prices of one kind, without the columns that say nothing of it.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        _refuse_unknown([kind], (*KINDS, *self.table["kind"]))
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
        kinds = dict.fromkeys((*KINDS, *table["kind"]))
        place = {kind: i for i, kind in enumerate(kinds)}
        order = table.assign(_=worth, rank=table["kind"].map(place))
        order = order[worth > CENT].sort_values(["rank", "_"], ascending=[True, False])
        return order.drop(columns=["_", "rank"]).reset_index(drop=True)


def prices(
    plan: Plan,
    kinds: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    intervals: bool = True,
    time_limit: float | None = None,
) -> Prices:
    """Price what is scarce in a plan.

    A program of many counties is solved county by county at prices of what they share, and a basis
    of the whole pieced together from theirs (see :mod:`capsim.lp.sensitivity`).

    Parameters
    ----------
    plan : Plan
    kinds : texts, optional
        Of ``KINDS``, or names of rules of one's own; all but ``day`` (a program of its own for each
        project) where not given.
    where : mapping, optional
        Only members that are so, for example ``{"county": "C01", "year": 2022}``.
    intervals : bool
        Both one-sided prices and the units over which they hold. Otherwise the dual price alone, a
        number between the two, which takes a fraction of the time; ``project``, ``programme`` and
        ``day`` are left out then.
    time_limit : float, optional
        Seconds; what is priced by then is returned.

    Returns
    -------
    Prices

    Raises
    ------
    ValueError
        If a kind or column is unknown, or there is no plan.
    SolverError
        If the linear program cannot be solved, or not in time.
    """
    with until(SolveOptions(time_limit=time_limit).time_limit) as clock:
        found = _prices(plan, kinds, where, intervals)
        return replace(found, complete=not clock.out())


def _prices(
    plan: Plan, kinds: Iterable[str] | None, where: Mapping[str, Any] | None, intervals: bool
) -> Prices:
    whole = ("project", "programme", "day")
    left_out = whole if plan.relaxed or not intervals else ("day",)
    known = (*KINDS, *(rule.name for rule in plan.own_rules))
    chosen = [kind for kind in known if kind not in left_out] if kinds is None else list(kinds)
    _refuse_unknown(chosen, known)
    if set(chosen) & set(whole) and (plan.relaxed or not intervals):
        what = "in a relaxed plan" if plan.relaxed else "without intervals"
        raise ValueError(f"projects, programmes and days have no price {what}")
    unknown = [name for name in where or {} if name not in WHO]
    if unknown:
        raise ValueError(f"prices have no column {unknown[0]!r}: expected one of {', '.join(WHO)}")
    if plan.status == "infeasible":
        raise ValueError("an infeasible scenario has no plan, and so no prices")
    model, x = plan.model, plan.solution.x
    program = model.program.relaxed() if plan.relaxed else model.program.fixed(x)
    parts = model.apart(program)
    basis = None if parts is None else optimal_basis(parts)
    relaxations = [
        relaxation.part(_chosen(relaxation.members, where))
        for relaxation in _relaxations(plan, chosen)
    ]
    no_columns = csc_array((program.matrix.shape[0], 0))
    columns = csc_array(hstack([no_columns, *(one.matrix for one in relaxations)], format="csc"))
    margins = Margins(program, columns, basis)
    pairs = _margins(margins) if intervals else _duals(margins)
    edges = pairwise(np.cumsum([0, *(len(one.members) for one in relaxations)]).tolist())
    frames = [_limits(one, pairs[a:b]) for one, (a, b) in zip(relaxations, edges, strict=True)]
    if set(chosen) & set(whole):
        projects = _Projects(model, x, program, basis)
        if "programme" in chosen:
            copies = projects.copies(None)
            frames.append(copies)
            if not Clock().out():
                frames.append(projects.programmes(copies))
        elif "project" in chosen:
            frames.append(projects.copies(where))
        if "day" in chosen:
            frames.append(projects.days(where))
    table = pd.concat([_empty(), *frames], ignore_index=True)
    keep = table["kind"].isin(chosen).to_numpy(bool) & _chosen(table, where)
    return Prices(table[keep].reset_index(drop=True), program, margins.solution)


def _relaxations(plan: Plan, kinds: list[str]) -> Iterator[Relaxation]:
    """Return the relaxations of these kinds."""
    model = plan.model
    if "place" in kinds:
        yield places(model)
    # Enrolment that each row of the cap counts in the plan.
    labels = row_members(model, model.program.rows_of("share.cap"))
    shares = plan.tables["shares"].set_index(["county", "school_year"])["enrolment"]
    who = zip(labels["county"].replace("", "*"), labels["year"], strict=True)
    enrolment = np.array([shares[key] for key in who], np.float64)
    yield from (one for one in limit_relaxations(model, enrolment) if one.kind in kinds)


def _margins(margins: Margins) -> list[tuple[Margin, Margin]]:
    """Return the slopes of every column on both sides."""
    count = margins.matrix.shape[1]
    return [(margins.along(i, 1.0), margins.along(i, -1.0)) for i in range(count)]


def _duals(margins: Margins) -> list[tuple[Margin, Margin]]:
    """Return one slope of every column, which lies between those of its sides."""
    nan = float("nan")
    return [(Margin(slope, nan), Margin(-slope, nan)) for slope in margins.dual_slopes().tolist()]


def _limits(relaxation: Relaxation, pairs: list[tuple[Margin, Margin]]) -> pd.DataFrame:
    """Turn slopes in million RMB per unit of a column into RMB per unit of a kind."""
    size = relaxation.size
    factor = MILLION / size
    records = [
        (-more.slope * factor, less.slope * factor, more.reach * size, less.reach * size)
        for more, less in pairs
    ]
    return _priced(relaxation.kind, relaxation.unit, relaxation.members, records)


@dataclass(frozen=True)
class _Projects:
    """The plan's linear program, solved again with other copies of a project in use."""

    model: Model
    x: Array
    program: LinearProgram
    """With the decisions fixed."""
    basis: Basis | None
    """From which it is solved, where there is one."""

    @cached_property
    def _solver(self) -> tuple[Highs, float]:
        """The solver and the optimum as planned, million RMB.

        What programmes require does not count: it has a price of its own.
        """
        row_lower = self.program.row_lower.copy()
        row_lower[self.program.rows_of("programme")] = -np.inf
        options = EXACT if self.basis is None else {**EXACT, "presolve": "off"}
        highs = Highs(replace(self.program, row_lower=row_lower), options)
        highs.begin_at(self.basis)
        return highs, highs.solve().objective

    @cached_property
    def _first(self) -> Index:
        """Check date of each project's first copy, or of its first possible one, ``[project]``."""
        given, opened = self.model.given, self.model.columns.open
        if not given.dates.count or not len(opened):
            return np.zeros(len(opened), np.int64)
        copies = np.round(self.x[opened]) > 0
        return np.where(copies.any(axis=1), copies.argmax(axis=1), given.projects.first_check)

    def _rise(self, i: int, copies: Array) -> float:
        """Return by how much these ``copies [check]`` of project ``i`` raise the cost, RMB.

        Infinite where the other decisions do not allow it.
        """
        highs, planned = self._solver
        column = self.model.columns.open[i].tolist()
        now = np.round(self.x[column]).tolist()
        # A candidate's December has the column of its autumn: the later number counts.
        for at, value in dict(zip(column, copies.tolist(), strict=True)).items():
            highs.bound(at, value, value)
        found = highs.solve()
        for at, value in zip(column, now, strict=True):
            highs.bound(at, value, value)
        rise = found.objective - planned if found.status == "optimal" else np.inf
        return float(rise) * MILLION

    def copies(self, where: Mapping[str, Any] | None) -> pd.DataFrame:
        """Price a copy of each project, from the date of its first one on (or first possible).

        ``one_less_cny`` is lost without a copy, ``one_more_cny`` saved by another; the units are 1.
        Infinite: other decisions do not allow it. NaN: there is no copy to leave out or to add.
        """
        model, dates = self.model, self.model.given.dates
        index, members = self._members(self._first < dates.count, where)
        records: list[Record] = []
        for i in index:
            now = np.round(self.x[model.columns.open[i]])
            since = np.arange(dates.count) >= self._first[i]
            less = self._rise(i, now - since) if now[-1] else np.nan
            room = now.max() < model.given.projects.count[i]
            more = -self._rise(i, now + since) if room else np.nan
            if Clock().out():
                break
            records.append((more, less, float(room), float(now[-1] > 0)))
        return _priced("project", "copy", members.iloc[: len(records)], records)

    def programmes(self, copies: pd.DataFrame) -> pd.DataFrame:
        """Price the number of projects that a programme requires.

        One fewer saves what the copy saves that is best left out (ordered ones included: their
        order then falls away); one more costs what the cheapest further copy costs. Nothing is
        saved where more are in use than required, or where the best copy pays for itself.
        """
        given, opened = self.model.given, self.model.columns.open
        projects, priced = given.projects, copies.set_index("name")
        members: list[tuple[str, int]] = []
        records = []
        for name, programme in given.scenario.settings.programmes.items():
            past = np.flatnonzero(given.dates.date.astype(str) <= str(programme.by))
            member = projects.programme == name
            if not len(past) or not member.any():
                continue
            last = int(past[-1])
            in_use = np.round(self.x[opened[:, last]])
            spare = float(in_use[member].sum()) - programme.number
            out = priced.reindex(projects.project[member & (in_use > 0)])
            room = member & (in_use < projects.count) & (self._first <= last)
            into = priced.reindex(projects.project[room])
            less, units = _best(-out["one_less_cny"], out["less_units"])
            more, more_units = _best(into["one_more_cny"], into["more_units"])
            saves = (0.0, np.inf) if spare > 0 or less <= 0 else (less, units)
            costs = (0.0, spare) if spare > 0 else (max(-more, 0.0), more_units)
            members.append((name, int(str(programme.by)[:4])))
            records.append((saves[0], costs[0], saves[1], costs[1]))
        frame = no_members(len(members))
        frame["name"] = [name for name, _ in members]
        frame["year"] = np.array([year for _, year in members], np.int64)
        return _priced("programme", "project", frame, records)

    def days(self, where: Mapping[str, Any] | None) -> pd.DataFrame:
        """Price a day of each project that opens within the plan, both ways.

        ``one_more_cny`` is saved for each day that it opens earlier (at the check date before),
        ``one_less_cny`` lost for each day later (at the one after); ``more_units`` and
        ``less_units`` are these days. Infinite: other decisions do not allow it. NaN: there is no
        such date.
        """
        model, dates = self.model, self.model.given.dates
        opened = (
            np.round(self.x[model.columns.open[:, -1]]) > 0 if dates.count else np.zeros(0, bool)
        )
        index, members = self._members(opened, where)
        day = day_number(dates.date)
        records = []
        for i in index:
            k, now = int(self._first[i]), np.round(self.x[model.columns.open[i]])
            own = dates.autumn if model.given.projects.candidate[i] else np.arange(dates.count)
            before, after = own[own < k], own[own > k]
            earlier = days = later = days_later = np.nan
            if len(before):
                days = float(day[k] - day[before[-1]])
                then = now.copy()
                then[int(before[-1]) : k] = now[k]
                earlier = -self._rise(i, then) / days
            if len(after):
                days_later = float(day[after[0]] - day[k])
                then = now.copy()
                then[k : int(after[0])] = now[k - 1] if k else 0.0
                later = self._rise(i, then) / days_later
            if Clock().out():
                break
            records.append((earlier, later, days, days_later))
        return _priced("day", "day", members.iloc[: len(records)], records)

    def _members(
        self, flag: Flag, where: Mapping[str, Any] | None
    ) -> tuple[list[int], pd.DataFrame]:
        """Return the flagged projects that are asked for, and whose they are."""
        given, index = self.model.given, np.flatnonzero(flag)
        projects, space = given.projects, given.space
        # The first row of a project says where it stands.
        head = np.unique(projects.row_project, return_index=True)[1][index]
        out = no_members(len(index))
        out["area"] = space.areas[projects.row_area[head]]
        out["county"] = space.counties[projects.county[index]]
        out["stage"] = self.model.parts.stage_names[projects.row_stage[head]]
        out["name"] = projects.project[index]
        out["year"] = space.years[given.dates.year[self._first[index]]]
        keep = _chosen(out, where)
        return index[keep].tolist(), out[keep].reset_index(drop=True)


def _priced(kind: str, unit: str, members: pd.DataFrame, records: list[Record]) -> pd.DataFrame:
    # Adding 0 drops the sign of a zero.
    numbers = np.array(records, float).reshape(len(records), 4) + 0.0
    priced = dict(zip(NUMBERS, numbers.T, strict=True))
    return members.assign(kind=kind, unit=unit, **priced)


def _best(value: pd.Series, units: pd.Series) -> tuple[float, float]:
    """Return the greatest value and its units; of none at all −inf and 0."""
    value = value.dropna()
    if value.empty:
        return -np.inf, 0.0
    at = int(np.argmax(value.to_numpy(float)))
    return float(value.iloc[at]), float(units[value.index[at]])


def _chosen(members: pd.DataFrame, where: Mapping[str, Any] | None) -> Flag:
    keep = np.ones(len(members), bool)
    for name, value in (where or {}).items():
        keep &= (members[name] == value).to_numpy(bool)
    return keep


def _empty() -> pd.DataFrame:
    numbers = {name: np.zeros(0) for name in NUMBERS}
    text = {name: np.zeros(0, object) for name in COLUMNS[:-5]}
    return pd.DataFrame({**text, "year": np.zeros(0, np.int64), **numbers})[list(COLUMNS)]


def _refuse_unknown(kinds: list[str], known: Collection[str]) -> None:
    for kind in kinds:
        if kind not in known:
            raise ValueError(f"no prices of kind {kind!r}: expected one of {', '.join(known)}")
