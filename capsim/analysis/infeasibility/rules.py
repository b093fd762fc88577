"""The rules of a scenario by name: each can be in force, give way at a price, or be dropped.

`rules.toml` is the table of rules: sentences, units, weights. Here each is bound to a model. A rule
owns columns of one wide program: at their *in_force* bounds it holds; with *free* bounds it is
gone; elastic, it is free and each unit by which it gives way costs. Most of these columns are added
to the program (one unit more of what there is, see :mod:`capsim.analysis.limit_relaxations`);
others are the model's own, such as the children without a place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.limit_relaxations import (
    Relaxation,
    cap,
    cap_enrolment,
    land,
    no_members,
    provider_members,
    provider_places,
    row_members,
    row_relaxation,
)
from capsim.i18n.language import Message, Value
from capsim.lp.array_types import Array, Index
from capsim.model.model import Model

Bounds = tuple[Array, Array]
FAINT = 1e-4
"""What a place bought beyond those for sale counts in rows on places beside public seats."""


@dataclass(frozen=True)
class Entry:
    """A rule as `rules.toml` has it; its head says what each field is."""

    name: str
    unit: str
    weight: float
    says: str
    gap: str
    cure: str
    minor: bool = False
    of: str = "areas"
    rows: tuple[str, ...] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def variant(self, name: str, applies: bool) -> Entry:
        """Return the entry with the sentences of a variant, where that applies."""
        return replace(self, **self.variants[name]) if applies else self


@cache
def table() -> tuple[Entry, ...]:
    """Read the table of rules."""
    text = files("capsim.analysis.infeasibility").joinpath("rules.toml").read_text("utf-8")
    return tuple(Entry(name, **entry) for name, entry in tomllib.loads(text).items())


@dataclass(frozen=True)
class Rule:
    """A rule of a scenario, and the columns of its program by which it gives way.

    Attributes
    ----------
    name : str
    entry : Entry
    members : frame
        Whose each column is, as in :class:`~capsim.analysis.limit_relaxations.Relaxation`.
    in_force, free : bounds of the columns
    columns : int ``[member]``
        Indices in the program; none yet where they are to be added to it.
    added : sparse ``[row, member]``, or None
        Coefficients of columns that are to be added.
    sign : float
        Units per column; −1 where the rule asks for its columns to be at their upper bounds.
    level : float, optional
        The number that the rule asks for, in its unit, where giving way adds to it.
    arguments : mapping
        Values that stand in its sentences.
    """

    name: str
    entry: Entry
    members: pd.DataFrame
    in_force: Bounds
    free: Bounds
    columns: Index
    added: csc_array | None = None
    sign: float = 1.0
    level: float | None = None
    arguments: Mapping[str, Value] = field(default_factory=dict)

    @property
    def says(self) -> Message:
        """Return what completes "These cannot all hold: …"."""
        return Message(self.entry.says, self.arguments)

    @property
    def gap(self) -> Message:
        """Return the sentence of a gap; ``{who}``, ``{amount}``, ``{year}`` are to be filled in."""
        return Message(self.entry.gap, self.arguments)

    @property
    def cure(self) -> Message:
        """Return what completes "All other rules can hold if …", with ``{amount}`` to fill in."""
        return Message(self.entry.cure, self.arguments)

    @property
    def limit(self) -> Array:
        """Return the bound beyond which a column breaks the rule, ``[member]``."""
        return self.in_force[1] if self.sign > 0 else self.in_force[0]

    def deviation(self, value: Array) -> Array:
        """Return by how many units each member gives way at these values of its columns."""
        return np.maximum(self.sign * (value - self.limit), 0.0)


def rules_of(model: Model) -> tuple[Rule, ...]:
    """List the rules that a model has, those first that are least missed in an explanation."""
    bound = (rule for entry in table() for rule in BINDINGS.get(entry.name, of_rows)(model, entry))
    return tuple(rule for rule in bound if len(rule.members))


def of_relaxation(
    entry: Entry, relaxation: Relaxation, *, level: float | None = None, **arguments: Value
) -> Rule:
    """Make a rule that gives way by columns that are added to the program."""
    zero = np.zeros(len(relaxation.members))
    return Rule(
        name=str(Message(entry.name, arguments)),
        entry=entry,
        members=relaxation.members,
        in_force=(zero, zero),
        free=(zero, np.full(len(zero), np.inf)),
        columns=np.zeros(0, np.int64),
        added=relaxation.matrix,
        level=level,
        arguments=arguments,
    )


def of_rows(
    model: Model, entry: Entry, *, level: float | None = None, **arguments: Value
) -> Iterator[Rule]:
    """Widen the rows that the table names."""
    relaxation = row_relaxation(model, entry.name, entry.unit, tuple(entry.rows))
    yield of_relaxation(entry, relaxation, level=level, **arguments)


def _every_child(model: Model, entry: Entry) -> Iterator[Rule]:
    space, column = model.given.space, model.columns.shortfall
    zero = np.zeros(column.size)
    members = no_members(column.size)
    a, b, t = (index.ravel() for index in np.indices(column.shape))
    members["area"] = space.areas[a]
    members["county"] = space.counties[space.county[a]]
    members["stage"] = model.parts.stage_names[space.bands.stage[b]]
    members["year"] = space.years[t]
    free = (zero, np.full(column.size, np.inf))
    yield Rule(entry.name, entry, members, (zero, zero), free, columns=column.ravel())


def _dates(model: Model, entry: Entry) -> Iterator[Rule]:
    """Bind dates by which projects or schools must change, or before which they may not.

    Their columns say whether a project or school has changed by a check date; one column may stand
    for several dates.
    """
    given, program, x = model.given, model.program, model.columns
    policy = given.scenario.settings.policy
    projects, due = entry.name == "projects due", entry.name != "first conversions"
    columns = x.open if projects else x.converted
    names = given.projects.project if projects else given.providers.school
    year = policy.conversion_due_year if due else policy.conversion_earliest_year
    i, k = np.nonzero(columns >= 0)
    column, first = np.unique(columns[i, k], return_index=True)
    fixed = program.lower[column] > 0 if due else program.upper[column] < 1
    column, i, k = column[fixed], i[first[fixed]], k[first[fixed]]
    lower, upper = program.lower[column], program.upper[column]
    members = no_members(len(column))
    members["name"] = names[i]
    members["year"] = given.space.years[given.dates.year[k]]
    yield Rule(
        name=entry.name,
        entry=entry,
        members=members,
        in_force=(lower, upper),
        free=(np.zeros(len(column)), np.maximum(upper, 1.0)),
        columns=column,
        sign=-1.0 if due else 1.0,
        arguments={"year": int(year or 0)},
    )


def _closing_notice(model: Model, entry: Entry) -> Iterator[Rule]:
    if model.given.scenario.settings.policy.closing_notice_years:
        yield from of_rows(model, entry)


def _converted_years(model: Model, entry: Entry) -> Iterator[Rule]:
    """Bind the years of converted schools; that one converts before it is given up is no rule."""
    if model.given.scenario.settings.policy.conversion_least_years > 1:
        yield from of_rows(model, entry)


def _land(model: Model, entry: Entry) -> Iterator[Rule]:
    yield of_relaxation(entry, land(model))


def _purchase(model: Model, entry: Entry) -> Iterator[Rule]:
    """Add places bought beyond what is for sale: fee-paying pupils who do not count as private.

    They stand in the rows of `public_first.bought` so faintly that what is for sale there does not
    bound them, but no public seat may be free.
    """
    x, program = model.columns, model.program
    if model.given.scenario.settings.policy.purchased_counts_as_private:
        return
    j, t = np.nonzero(x.fee >= 0)
    matrix = program.matrix[:, x.fee[j, t]].tocoo()
    kept = np.zeros(matrix.shape[0], bool)
    for family in ("placement", "seats", "staff"):
        kept[program.rows_of(family)] = True
    at = kept[matrix.row]
    added = csc_array((matrix.data[at], (matrix.row[at], matrix.col[at])), shape=matrix.shape)
    members = provider_members(model, j, t)
    rows, keys = program.rows_of("public_first.bought"), ["area", "stage", "year"]
    first = row_members(model, rows)[keys].assign(row=rows)
    found = members[keys].assign(column=np.arange(len(j))).merge(first, on=keys)
    cells = found["row"].to_numpy(np.int64), found["column"].to_numpy(np.int64)
    added = csc_array(added + csc_array((np.full(len(found), FAINT), cells), shape=added.shape))
    entry = entry.variant("none_for_sale", not (x.contract >= 0).any())
    yield of_relaxation(entry, Relaxation(entry.name, entry.unit, members, added))


def _bought_children(model: Model, entry: Entry) -> Iterator[Rule]:
    """Let a child that was bought leave, or pay: both rows of its school, grade and year."""
    leave = row_relaxation(model, entry.name, entry.unit, ("following.cohort",))
    pay = row_relaxation(model, entry.name, entry.unit, ("following.fee",))
    later = pay.part(pay.members["year"].to_numpy() > model.given.space.years[0])
    matrix = csc_array(leave.matrix + later.matrix)
    yield of_relaxation(entry, replace(leave, matrix=matrix))


def _public_first(model: Model, entry: Entry) -> Iterator[Rule]:
    """Let a place be bought in an area, whichever areas nearby have free seats."""
    wide = row_relaxation(model, entry.name, entry.unit, ("public_first.bought",))
    group = wide.members.groupby(["area", "stage", "year"], sort=False)
    number, first = group.ngroup().to_numpy(np.int64), group.head(1).index
    cells, shape = (np.arange(len(number)), number), (len(number), len(first))
    matrix = csc_array(wide.matrix @ csc_array((np.ones(len(number)), cells), shape=shape))
    members = wide.members.loc[first].reset_index(drop=True)
    yield of_relaxation(entry, replace(wide, members=members, matrix=matrix))


def _catchments(model: Model, entry: Entry) -> Iterator[Rule]:
    connected = model.given.scenario.settings.catchments.connected
    yield from of_rows(model, entry.variant("connected", connected))


def _seats(model: Model, entry: Entry) -> Iterator[Rule]:
    """Add places beyond those there are, public ones and those of private kindergartens."""
    if not model.given.scenario.settings.switches.seats:
        return
    public, _ = provider_places(model)
    private = row_relaxation(model, entry.name, entry.unit, ("seats.other_private",))
    members = pd.concat([public.members, private.members], ignore_index=True)
    matrix = csc_array(hstack([public.matrix, private.matrix], format="csc"))
    yield of_relaxation(entry, Relaxation(entry.name, entry.unit, members, matrix))


def _own_rules(model: Model, entry: Entry) -> Iterator[Rule]:
    """Bind the rules that the user added, each by the name that it was given."""
    for own in model.own_rules:
        wider = row_relaxation(model, own.name, entry.unit, (own.name,))
        rows, program = model.program.rows_of(own.name), model.program
        equal = wider.part(np.isfinite(program.row_lower[rows] + program.row_upper[rows]))
        members = pd.concat([wider.members, equal.members], ignore_index=True)
        matrix = csc_array(hstack([wider.matrix, -equal.matrix], format="csc"))
        both = Relaxation(own.name, entry.unit, members, matrix)
        dated = entry.variant("of_no_year", not members["year"].any())
        yield of_relaxation(dated, both, rule=own.name)


def _floors(model: Model, entry: Entry) -> Iterator[Rule]:
    blocks = [block.name for block in model.program.rows if block.name.startswith("floors.")]
    for block in dict.fromkeys(blocks):
        one = replace(entry, rows=(block,))
        yield from of_rows(model, one, floor=block.removeprefix("floors."))


def _programmes(model: Model, entry: Entry) -> Iterator[Rule]:
    relaxation = row_relaxation(model, entry.name, entry.unit, ("programme",))
    names = relaxation.members["name"].to_numpy()
    for name, programme in model.given.scenario.settings.programmes.items():
        number, by = float(programme.number), str(programme.by)
        one = relaxation.part(names == name)
        yield of_relaxation(entry, one, programme=name, number=number, by=by)


def _choices(model: Model, entry: Entry) -> Iterator[Rule]:
    """Bind what choices ask for at least, or allow at most, one by one."""
    side = "least" if entry.name.startswith("least") else "most"
    relaxation = row_relaxation(model, entry.name, entry.unit, (f"choice.{side}",))
    names = relaxation.members["name"].to_numpy()
    for name, choice in model.given.scenario.settings.choices.items():
        number = float(getattr(choice, side) or 0)
        yield of_relaxation(entry, relaxation.part(names == name), choice=name, number=number)


def _private_share(model: Model, entry: Entry) -> Iterator[Rule]:
    """Bind the cap from each year in which it steps."""
    if not len(model.program.rows_of("share.cap")):
        return
    policy = model.given.scenario.settings.policy
    entry = entry.variant("by_county", policy.share_scope == "county")
    relaxation = cap(model, cap_enrolment(model))
    steps = relaxation.members["year"].to_numpy()
    for year in steps.tolist():
        one = relaxation.part(steps == year)
        pupils = float(np.abs(one.matrix.data).sum())
        share = 100 * policy.private_share_cap[year]
        weighed = replace(entry, weight=pupils * entry.weight)
        yield of_relaxation(weighed, one, level=share, share=share, year=year)


def _reduction(model: Model, entry: Entry) -> Iterator[Rule]:
    policy = model.given.scenario.settings.policy
    number, year = float(policy.reduction), int(policy.reduction_year or 0)
    yield from of_rows(model, entry, level=-number, number=number, year=year)


BINDINGS: Mapping[str, Callable[[Model, Entry], Iterator[Rule]]] = {
    "every child": _every_child,
    "conversions due": _dates,
    "first conversions": _dates,
    "closing notice": _closing_notice,
    "years of converted schools": _converted_years,
    "land": _land,
    "purchase": _purchase,
    "bought children": _bought_children,
    "public seats first": _public_first,
    "catchments": _catchments,
    "projects due": _dates,
    "seats": _seats,
    "own rule {rule}": _own_rules,
    "floor {floor}": _floors,
    "programme {programme}": _programmes,
    "least of {choice}": _choices,
    "most of {choice}": _choices,
    "private share {year}": _private_share,
    "reduction": _reduction,
}
"""Functions that bind the rules which are more than the rows that the table names."""
