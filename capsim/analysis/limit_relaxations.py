"""Relaxations of limits as columns of the program: one more place, post, hectare, child, yuan.

A column of a relaxation stands beside those of the plan. At 1 it makes one unit more of its kind
available (or one unit less required); at 0 nothing changes. Prices move such columns a little,
explanations enlarge them until every rule holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csc_array

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.expressions import Expression
from capsim.lp.labels import Labels
from capsim.lp.program import Builder
from capsim.model.constraint_context import Expressions
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.private import define_opening
from capsim.model.costs import MILLION
from capsim.model.model import ALWAYS, Model

WHO = ("area", "county", "stage", "name", "year")


@dataclass(frozen=True)
class Relaxation:
    """One more unit of a kind, for every member: whose it is, and what it does to the rows.

    Attributes
    ----------
    kind, unit : str
    members : frame
        ``area``, ``county``, ``stage``, ``name`` (text, blank where it does not apply), ``year``.
    matrix : sparse ``[row, member]``
        Coefficients per ``size`` units, on the left-hand side.
    size : float
        Units that a column at 1 stands for (money is in million RMB in the rows).
    """

    kind: str
    unit: str
    members: pd.DataFrame
    matrix: csc_array
    size: float = 1.0

    def part(self, keep: Flag) -> Relaxation:
        """Return the relaxation of some of the members."""
        members = self.members[keep].reset_index(drop=True)
        return replace(self, members=members, matrix=csc_array(self.matrix[:, keep]))


LIMITS = {
    "purchased place": (("purchase.limit", "purchase.ceiling"), "place", 1.0),
    "post": (("staff.posts",), "post", 1.0),
    "hire": (("staff.hires",), "teacher", 1.0),
    "contract teacher": (("staff.contract",), "teacher", 1.0),
    "boarding place": (("boarding.school", "boarding.area"), "place", 1.0),
    "capital": (("money.capital",), "RMB", MILLION),
    "recurrent": (("money.recurrent",), "RMB", MILLION),
}
"""Kinds of limits: their rows, their unit, and how many of it one unit of the rows is."""


def limit_relaxations(model: Model, enrolment: Array) -> Iterator[Relaxation]:
    """Return one unit more of each limit, ceiling and cap, one less of floors and the reduction.

    ``enrolment`` is that of every row of the cap.
    """
    for kind, (rows, unit, size) in LIMITS.items():
        yield row_relaxation(model, kind, unit, rows, size)
    yield land(model)
    yield cap(model, enrolment)
    yield row_relaxation(model, "reduction", "pupil", ("reduction",))
    yield row_relaxation(model, "floor", "child", ("floors",))
    yield row_relaxation(model, "large class", "class", ("class_size.limit",))
    yield row_relaxation(model, "fill", "pupil", ("fill",))
    yield row_relaxation(model, "choice", "project", ("choice",))
    for rule in model.own_rules:
        yield row_relaxation(model, rule.name, "unit", (rule.name,))


def row_relaxation(
    model: Model, kind: str, unit: str, names: tuple[str, ...], size: float = 1.0
) -> Relaxation:
    """Return a column for each row, which widens it by ``size`` units; it raises an equality."""
    rows = np.concatenate([model.program.rows_of(name) for name in names])
    sign = np.where(np.isfinite(model.program.row_upper[rows]), -1.0, 1.0)
    count = len(rows)
    matrix = _matrix(model, rows, np.arange(count), sign, count)
    return Relaxation(kind, unit, row_members(model, rows), matrix, size)


def land(model: Model) -> Relaxation:
    """Add one mu more released in a year: it is there in every later year as well."""
    rows = model.program.rows_of("land")
    members = row_members(model, rows)
    county, year = members["county"].to_numpy(object), members["year"].to_numpy(np.int64)
    later = (county[:, None] == county[None, :]) & (year[:, None] >= year[None, :])
    row, member = np.nonzero(later)
    count = len(rows)
    matrix = _matrix(model, rows[row], member, np.full(len(row), -1.0), count)
    return Relaxation("land", "mu", members, matrix)


def cap(model: Model, enrolment: Array) -> Relaxation:
    """Return one percentage point more of private share, from each year in which the cap steps.

    ``enrolment`` is that of every row of the cap. A step holds until the next one, and in all
    counties where the cap is by county.
    """
    rows = model.program.rows_of("share.cap")
    steps = [int(year) for year in model.given.scenario.settings.policy.private_share_cap]
    year = row_members(model, rows)["year"].to_numpy(np.int64)
    of_step = np.array([max(s for s in steps if s <= y) for y in year], np.int64)
    used = sorted(set(of_step.tolist()))
    members = no_members(len(used))
    members["year"] = np.array(used, np.int64)
    member = np.searchsorted(np.array(used, np.int64), of_step)
    matrix = _matrix(model, rows, member, -0.01 * enrolment, len(used))
    return Relaxation("cap", "percentage point", members, matrix)


def cap_enrolment(model: Model) -> Array:
    """Count the children of compulsory age by residence for every row of the cap, ``[row]``."""
    space = model.given.space
    labels = row_members(model, model.program.rows_of("share.cap"))
    by_area = space.children[:, space.grade_compulsory].sum(axis=1)
    by_county = np.zeros((len(space.counties), len(space.years)))
    np.add.at(by_county, space.county, by_area)
    code = {name: i for i, name in enumerate(space.counties)}
    t = labels["year"].to_numpy(np.int64) - int(space.years[0])
    return np.array(
        [
            by_county[:, i].sum() if name == "" else by_county[code[name], i]
            for name, i in zip(labels["county"], t, strict=True)
        ],
        np.float64,
    )


def provider_places(model: Model) -> tuple[Relaxation, Index]:
    """Return one standard place more at each public provider and year, as a project brings it.

    Also returns the provider of each member. The rows are built a second time with such places in
    the stead of those of projects, so that a place is the same here and there.
    """
    parts, first = model.parts, model.program.matrix.shape[1]
    j = np.repeat(np.flatnonzero(parts.given.providers.public), parts.years)
    m = Builder(column_count=first)
    place = np.full((len(parts.given.providers.school), parts.years), -1, np.int64)
    place[parts.given.providers.public] = m.variables("places", len(j)).reshape(-1, parts.years)
    x = Expressions(parts.given, parts.columns, new_seats=Expression.of(place))
    extended = replace(parts, x=x)
    switches = parts.given.scenario.settings.switches
    define_opening(m, extended)
    for name, define in FAMILIES.items():
        if getattr(switches, name) or name in ALWAYS:
            define(m, extended)
    own = csc_array(m.freeze().matrix[:, first:])
    # A rule of the user's own has its rows after these, and no place in them.
    shape = (model.program.matrix.shape[0], len(j))
    matrix = csc_array((own.data, own.indices, own.indptr), shape=shape)
    t = np.tile(np.arange(parts.years), len(j) // parts.years)
    members = provider_members(model, j, t)
    return Relaxation("place", "place", members, matrix), j


def places(model: Model) -> Relaxation:
    """Return one standard place more in each area, stage and year.

    It is spread over the area's public schools of the stage in proportion to their places.
    """
    single, j = provider_places(model)
    keys = ["area", "county", "stage", "year"]
    group = single.members.groupby(keys, sort=False)
    number = group.ngroup().to_numpy(np.int64)
    members = no_members(int(group.ngroups))
    members[keys] = single.members.drop_duplicates(keys)[keys].to_numpy(object)
    members["year"] = members["year"].astype(np.int64)
    own = model.given.providers.places[j]
    total = np.bincount(number, weights=own, minlength=len(members))
    count = np.bincount(number, minlength=len(members))
    share = np.where(total[number] > 0, own / np.maximum(total[number], 1e-300), 1 / count[number])
    spread = csc_array(
        coo_array((share, (np.arange(len(j)), number)), shape=(len(j), len(members)))
    )
    matrix = csc_array(single.matrix @ spread)
    return Relaxation("place", "place", members, matrix)


def _matrix(model: Model, row: Index, member: Index, value: Array, count: int) -> csc_array:
    shape = (model.program.matrix.shape[0], count)
    return csc_array(coo_array((value, (row, member)), shape=shape))


def no_members(count: int) -> pd.DataFrame:
    """Return members of which nothing is known yet."""
    blank = np.full(count, "", object)
    frame = {name: blank.copy() for name in WHO[:-1]}
    return pd.DataFrame({**frame, "year": np.zeros(count, np.int64)})


def provider_members(model: Model, j: Index, t: Index) -> pd.DataFrame:
    """Name the areas, counties, stages and schools of providers, and the years."""
    providers, space = model.given.providers, model.given.space
    members = no_members(len(j))
    members["area"] = space.areas[providers.area[j]]
    members["county"] = space.counties[providers.county[j]]
    members["stage"] = model.parts.stage_names[providers.stage[j]]
    members["name"] = providers.school[j]
    members["year"] = space.years[t]
    return members


NAMED = ("programme", "choice", "project", "school")
"""First labels of rows that are the name of their member."""


def row_members(model: Model, rows: Index) -> pd.DataFrame:
    """Return whose each row is and of which year, by the labels of its block."""
    out = {name: column.to_numpy(copy=True) for name, column in no_members(len(rows)).items()}
    for block in model.program.rows:
        inside = np.flatnonzero((rows >= block.start) & (rows < block.start + block.count))
        if not len(inside) or not isinstance(block.labels, Labels):
            continue
        texts = {what: t[rows[inside] - block.start] for what, t in block.labels.by_what.items()}
        for what in texts.keys() & out.keys():
            out[what][inside] = texts[what]
        first = next(iter(texts), "")
        if first in NAMED:
            out["name"][inside] = texts[first]
        if "date" in texts:
            out["year"][inside] = [int(str(date)[:4]) for date in texts["date"]]
        if block.name.startswith(("floors.", "purchase.ceiling")):
            out["name"][inside] = block.name.split(".", 1)[1]
        if "programme" in texts:
            programmes = model.given.scenario.settings.programmes
            out["year"][inside] = [int(str(programmes[name].by)[:4]) for name in texts["programme"]]
        if "choice" in texts:
            choices, years = model.given.scenario.settings.choices, model.given.space.years
            ends = [choices[name].by for name in texts["choice"]]
            out["year"][inside] = [years[-1] if end is None else end.year for end in ends]
    out["county"][out["county"] == "*"] = ""
    return pd.DataFrame(out)
