"""The model: one program, made of a scenario and its demand."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from capsim.demand.projection import Demand, project
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.decomposition.blocks import Split, split
from capsim.lp.expressions import Constraint, Expression
from capsim.lp.labels import Labels
from capsim.lp.program import Builder, LinearProgram
from capsim.model.constraint_context import Expressions, Formulation
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.capacity import Siting, siting_of
from capsim.model.constraints.private import define_opening
from capsim.model.costs import COST_KINDS, MILLION, committed_costs, prepare_ledger
from capsim.model.data import ModelData, prepare
from capsim.model.labelled_variables import (
    TIMES,
    Quantities,
    Quantity,
    axes_of,
    rows_with_variables,
)
from capsim.model.links import prepare_links
from capsim.model.variables import Variables, add_columns
from capsim.scenario.scenario import Scenario

COUPLING = (
    "never",
    "share.cap",
    "reduction",
    "purchase.ceiling",
    "floors",
    "programme",
    "staff.counties",
    "safety.targets",
    "criterion",
)
DECIDED = (
    ("converted",),
    ("contract", "seats_full", "hires_used", "posts_used"),
    ("phase_out", "closed"),
)
"""Decisions in the order in which a search takes them where a county is too hard for one search."""
LIMITED = (
    "purchase.limit",
    "money.capital",
    "money.recurrent",
    "land",
    "staff.hires",
    "staff.posts",
    "staff.contract",
)

PRICE_KINDS = (
    *("place", "post", "hire", "contract teacher", "capital", "recurrent", "land"),
    *("purchased place", "boarding place", "cap", "reduction", "floor", "large class"),
    *("fill", "choice", "project", "programme", "day"),
)
"""Kinds of prices of a plan, whose names no rule of one's own may have."""

NEVER = 1e3
"""Million RMB from which on a person or place costs as much as can be told apart from *never*."""
LARGE = 30_000
"""Columns up to which programs are solved whole; larger ones county by county, where they can be.
"""
MOST = 0.75
"""Part of the columns from which on a block is as good as the whole."""

ALWAYS = ("conversion", "campus")
"""Families whose rows stay when they are switched off: nothing turns back."""


def is_large(program: LinearProgram) -> bool:
    """Check whether a program is worth the search of blocks, and its relaxation the time of one."""
    return len(program.cost) > LARGE


@dataclass(frozen=True)
class OwnRule:
    """A rule that a user added to a model.

    Attributes
    ----------
    name : str
        Of its rows.
    rows : int
    check : callable, or None
        Takes the plan and returns by how much it breaks the rule, 0 where it does not; without one
        the certificate lists the rule as not re-checked.
    """

    name: str
    rows: int
    check: Callable[[Any], float] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the check, which may be a function of one's own."""
        return OwnRule, (self.name, self.rows)


@dataclass(eq=False)
class Model:
    """The plan as a program, and what each of its columns means.

    A model is built by :func:`formulate`; rules and variables of one's own are added to it before
    it is solved, and change nothing of other models. See ``docs/own-rules.md``.

    Attributes
    ----------
    program : LinearProgram
        Objective in million RMB, discounted, *avoidable*: the committed part is a negative offset.
    parts : Formulation
        The data, links, columns and ledger it was built from.
    committed : float64 ``[kind, county, year]``
        Million RMB that no decision moves, undiscounted.
    build_s : float
        Seconds the arrays took.
    beyond : float64 ``[column]``
        Million RMB by which a column costs more than in the program, whose costs stop at `NEVER`:
        solvers go wrong where prices differ by more than they can hold apart. 0 as a rule.
    seats : float64 ``[row]``
        Upper sides of the rows of seats as they were built.
    own_rules : tuple of OwnRule
        Rules that were added, in order.
    own_variables : mapping of Quantity
        Variables that were added, by name.
    """

    program: LinearProgram
    parts: Formulation
    committed: Array
    build_s: float
    beyond: Array
    seats: Array
    own_rules: tuple[OwnRule, ...] = ()
    own_variables: Mapping[str, Quantity] = field(default_factory=dict)

    @property
    def given(self) -> ModelData:
        """The scenario as arrays."""
        return self.parts.given

    @property
    def columns(self) -> Variables:
        """Column indices by meaning."""
        return self.parts.columns

    @cached_property
    def committed_cny(self) -> float:
        """Discounted committed cost, RMB."""
        return float((self.committed.sum(axis=(0, 1)) * self.parts.ledger.factor).sum()) * MILLION

    @property
    def x(self) -> Quantities:
        """Variables and sums of them by label, for rules of one's own."""
        return Quantities(self.parts)

    def add(
        self,
        name: str,
        rule: Constraint,
        *,
        where: ArrayLike | pd.Series | None = None,
        check: Callable[[Any], float] | None = None,
    ) -> None:
        """Add a rule of one's own, for every member of a comparison of quantities.

        Parameters
        ----------
        name : str
            Of the rule in row names, prices, explanations and the certificate.
        rule : Constraint
            A comparison, such as ``x.intake.at(school="S1") <= 200``. Members without any variable
            are left out if the rule holds for them.
        where : flags, optional
            Members that it is for, by label (a Series) or of the rule's shape; all where not given.
        check : callable, optional
            Takes the plan, returns by how much it breaks the rule: re-checked by the certificate.

        Raises
        ------
        ValueError
            If the name is taken or unusable, members without a variable break the rule, or its
            quantities are of a model of another scenario.
        TypeError
            If the rule is no comparison.

        Examples
        --------
        >>> import capsim
        >>> stages = ("primary", "junior")
        >>> city = capsim.generate(1, 3000, 0, stages=stages, years=(2021, 2022))
        >>> model = capsim.formulate(city)
        >>> model.add("few", model.x.purchased.total("school") <= 20)
        >>> model.own_rules[0].rows, model.program.row_names()[-1]
        (1, 'few[2022]')
        """
        self._refuse_name(name)
        keep = rows_with_variables(name, rule, where)
        if getattr(rule, "scenario", "") not in ("", self.given.scenario.hash):
            raise ValueError(f"{name}: its quantities are of a model of another scenario")
        self._extend(self.program.with_constraint(name, rule, keep))
        self.own_rules = (*self.own_rules, OwnRule(name, int(keep.sum()), check))

    def add_variables(
        self,
        name: str,
        *axes: str,
        lower: float = 0.0,
        upper: float = np.inf,
        integer: bool = False,
        cost_cny: float = 0.0,
    ) -> Quantity:
        """Add variables of one's own, and return them by label.

        Parameters
        ----------
        name : str
        axes : str
            What there is one for each of: ``area``, ``county``, ``school``, ``project``, ``stage``,
            ``date``, ``year``; a single one without any.
        lower, upper : float
        integer : bool
        cost_cny : float
            RMB for one; by school year, and so discounted, where ``year`` is an axis.

        Raises
        ------
        ValueError
            If the name is taken or unusable, an axis is unknown, or a number is invalid.
        """
        self._refuse_name(name)
        numbers = lower, upper, cost_cny
        if not (all(isinstance(n, Real) for n in numbers) and lower <= upper and cost_cny < np.inf):
            raise ValueError(f"{name}: a bound or the cost is invalid: {numbers}")
        in_order = sorted(axes, key=lambda axis: axis in TIMES)  # years stand last
        along, shape = axes_of(self.parts, in_order)
        factor = self.parts.ledger.factor[: self.parts.years] if "year" in axes else 1.0
        cost = np.broadcast_to(cost_cny / MILLION * factor, shape)
        program, columns = self.program.with_columns(
            name,
            int(np.prod(shape)),
            lower=lower,
            upper=upper,
            cost=cost.ravel(),
            integer=integer,
            labels=Labels(np.ones(shape, bool), along) if axes else (),
        )
        self._extend(program)
        found = self.x.labelled(Expression.of(columns.reshape(shape), along))
        self.own_variables = {**self.own_variables, name: found}
        return found

    def _refuse_name(self, name: str) -> None:
        blocks = (*self.program.rows, *self.program.columns)
        taken = {block.name for block in blocks} | {rule.name for rule in self.own_rules}
        taken |= {*FAMILIES, *PRICE_KINDS}
        if not re.fullmatch(r"[A-Za-z_]\w*", str(name)):
            raise ValueError(f"{name!r} is no name of a rule: letters, digits and underscores only")
        if name in taken or any(other.startswith(name + ".") for other in taken):
            raise ValueError(f"the model has {name!r} already: choose another name")

    def _extend(self, program: LinearProgram) -> None:
        self.program = program
        vars(self).pop("coupling", None)  # of the rows there were

    def order(self, program: LinearProgram) -> Index | None:
        """Return when each column is decided, ``[column]``; None where counties are easy enough.

        Hard are rules that tie decisions of many years and schools together: converted schools that
        may be given up are decided with all else, but at the prices of what counties share; where
        public seats are used before places are bought, decisions are taken in turn.
        """
        columns = self.columns
        order = np.zeros(len(program.cost), np.int64)
        if columns.seats_full.max(initial=-1) < 0:
            return None if columns.given_up.max(initial=-1) < 0 else order
        order[:] = len(DECIDED)
        for number, names in enumerate(DECIDED):
            for name in names:
                index = getattr(columns, name)
                order[index[index >= 0]] = number
        return order

    @cached_property
    def coupling(self) -> Flag:
        """Flag ``[row]``: the rows in which counties meet; without them they are independent."""
        program = self.program
        flag = np.zeros(program.matrix.shape[0], bool)
        for name in COUPLING:
            flag[program.rows_of(name)] = True
        for block in program.rows:
            if block.labels and block.name in LIMITED:
                flag[block.start : block.start + block.count] |= block.labels[0] == "*"
        own = [program.rows_of(rule.name) for rule in self.own_rules]
        mine = np.concatenate([program.rows_of("choice"), *own])
        if len(mine):
            flag[mine] = self._joining(mine, flag)
        return flag

    def _joining(self, mine: Index, flag: Flag) -> Flag:
        """Flag which rows of one's own, and choices, let counties meet, directly or by variables.

        Parts are what hangs together without these rows, all of a county in one. A variable of
        one's own that is of no county belongs with the rows it stands in: they join what all of
        them touch.
        """
        matrix = self.program.matrix.tocsr()
        rows, columns = matrix.shape
        part = _connected(matrix, ~flag & ~np.isin(np.arange(rows), mine), self._county())
        free = np.zeros(columns, bool)
        for quantity in self.own_variables.values():
            free[quantity.expression.entries()[1]] = True
        free &= np.bincount(part)[part] == 1
        stands = matrix[mine].tocoo()
        loose = free[stands.col]
        links = (stands.row[loose], len(mine) + stands.col[loose])
        size = len(mine) + columns
        joins = coo_array((np.ones(len(links[0])), links), shape=(size, size))
        group = connected_components(joins, directed=False)[1][: len(mine)]
        touched = np.stack([group[stands.row[~loose]], part[stands.col[~loose]]])
        parts_of = np.bincount(np.unique(touched, axis=1)[0], minlength=int(group.max()) + 1)
        return np.asarray(parts_of[group] > 1)

    def _county(self) -> Index:
        """Return a number of the county of each column, -1 where its labels have none."""
        out = np.full(len(self.program.cost), -1)
        known = pd.Index(self.given.space.counties)
        for block in self.program.columns:
            labels = block.labels.by_what if isinstance(block.labels, Labels) else {}
            if "county" in labels:
                of = known.get_indexer(pd.Index(labels["county"]))
                out[block.start : block.start + block.count] = of
        return out

    @cached_property
    def siting(self) -> Siting:
        """Flows to schools that are there only if a project opens."""
        return siting_of(self.parts, len(self.program.cost))

    def siting_rows(self, program: LinearProgram) -> csr_array:
        """Return rows ``flow − children · copies ≤ 0``, which every whole solution keeps.

        The program needs none of them, but its relaxation is much nearer to whole numbers with
        those that it breaks. There are none where the program was given seats or children beyond
        the model's, or nothing in it is whole.

        Parameters
        ----------
        program : LinearProgram
            With the model's columns and rows, perhaps with more of both at the end.

        Returns
        -------
        sparse ``[row, column]``
        """
        flow, copies = self.siting
        columns, switches = len(program.cost), self.given.scenario.settings.switches
        none = csr_array((0, columns))
        if not (program.integer.any() and len(flow) and switches.seats and switches.placement):
            return none
        seats = program.rows_of("seats")
        if (program.row_upper[seats] > self.seats).any():
            return none
        residence = np.zeros(len(program.row_lower), bool)
        residence[program.rows_of("placement.residence")] = True
        entries = program.matrix[:, flow].tocoo()
        of = residence[entries.row]
        most = np.full(len(flow), np.inf)
        children = program.row_upper[entries.row[of]] / entries.data[of]
        np.minimum.at(most, entries.col[of], children)
        kept = np.flatnonzero(np.isfinite(most) & (program.lower[flow] >= 0))
        rows, opened = np.arange(len(kept)), coo_array(copies[kept])
        value = np.concatenate([np.ones(len(kept)), -most[kept][opened.row] * opened.data])
        at = np.concatenate([rows, opened.row]), np.concatenate([flow[kept], opened.col])
        return csr_array(coo_array((value, at), shape=(len(kept), columns)))

    def apart(self, program: LinearProgram) -> Split | None:
        """Split a program with the model's rows, and more columns or not, into its counties.

        None where it is to be solved whole: it is small, or most of it is one block that counties
        linked with one another make, beside which the search of blocks saves nothing.
        """
        if not is_large(program):
            return None
        order = self.order(program) if program.integer.any() else None
        found = split(program, self.coupling, order=order)
        if len(found.blocks) < 2 or len(found.blocks[0].columns) > MOST * len(program.cost):
            return None
        return found

    def to_pulp(self) -> Any:
        """Return the model as a ``pulp.LpProblem`` with readable names.

        Extend it and solve it with any solver; read the answer back with
        :meth:`capsim.plan.plan.Plan.from_pulp`.
        """
        from capsim.lp.pulp_bridge import to_pulp

        problem = to_pulp(self.program, "capsim")
        problem.capsim_model = replace(self)  # what is added later is not in the problem
        return problem

    def own_cost_cny(self, x: Array) -> float:
        """Return what variables of one's own cost at a solution, discounted RMB."""
        columns = [q.expression.entries()[1] for q in self.own_variables.values()]
        mine = np.concatenate([np.zeros(0, np.int64), *columns])
        return float(self.program.cost[mine] @ x[mine]) * MILLION

    def beyond_of(self, x: Array) -> float:
        """Return what a solution costs more than the program says, million RMB."""
        return float(self.beyond @ x[: len(self.beyond)])

    def at_true_costs(self) -> LinearProgram:
        """Return the program with all costs as they are, those beyond `NEVER` too."""
        cost = self.program.cost.copy()
        cost[: len(self.beyond)] += self.beyond
        return replace(self.program, cost=cost)

    def with_program(self, program: LinearProgram) -> Model:
        """Return the model with another program of the same columns."""
        return replace(self, program=program)


def _connected(matrix: csr_array, keep: Flag, county: Index) -> Index:
    """Return the part of each column: those joined by rows kept, or of one county."""
    rows, columns = matrix.shape
    entries = matrix[np.flatnonzero(keep)].tocoo()
    placed = np.flatnonzero(county >= 0)
    first = np.concatenate([entries.col, placed])
    second = np.concatenate([columns + entries.row, columns + rows + county[placed]])
    size = columns + rows + int(county.max()) + 1
    joins = coo_array((np.ones(len(first)), (first, second)), shape=(size, size))
    return np.asarray(connected_components(joins, directed=False)[1][:columns], np.int64)


def formulate(
    scenario: Scenario, demand: Demand | None = None, *, like: Model | None = None
) -> Model:
    """Build the model of ``docs/model.md``: all constraint families that are switched on.

    Parameters
    ----------
    scenario : Scenario
    demand : Demand, optional
        Children to be placed; projected from the scenario where not given.
    like : Model, optional
        Of another variant: what was made of the same tables, dates and demand is taken from it.

    Returns
    -------
    Model

    Raises
    ------
    ValueError
        If the demand is not one of the scenario, or has invalid numbers of children.
    """
    if demand is None:
        demand = project(scenario)
    begin = time.perf_counter()
    given = prepare(scenario, demand, None if like is None else like.given)
    links = prepare_links(given)
    m = Builder()
    columns = add_columns(m, given, links)
    ledger = prepare_ledger(given, links, columns)
    parts = Formulation(given, links, columns, ledger, Expressions(given, columns))
    switches = scenario.settings.switches
    define_opening(m, parts)
    for name, define in FAMILIES.items():
        if getattr(switches, name) or name in ALWAYS:
            define(m, parts)
    used = np.array([bool(getattr(scenario.settings.cost_terms, kind)) for kind in COST_KINDS])
    committed = np.where(used[:, None, None], committed_costs(given, ledger), 0.0)
    on_columns = committed - np.where(used[:, None, None], ledger.fixed, 0.0)
    offset = -float((on_columns.sum(axis=(0, 1)) * ledger.factor).sum())
    program = m.freeze(cost=ledger.objective(m.column_count, used), offset=offset)
    penalty = ~program.integer & (program.lower >= 0)
    beyond = np.where(penalty, np.maximum(program.cost - NEVER, 0.0), 0.0)
    program = replace(program, cost=program.cost - beyond)
    seats = program.row_upper[program.rows_of("seats")]
    return Model(program, parts, committed, time.perf_counter() - begin, beyond, seats)


def model_of(scenario: Scenario | Model, demand: Demand | None) -> Model:
    """Return the model that was given, or build that of a scenario.

    Raises
    ------
    ValueError
        If another demand than its own is given with a model.
    """
    if not isinstance(scenario, Model):
        return formulate(scenario, demand)
    if demand is not None and demand is not scenario.given.demand:
        raise ValueError("a model has its demand already: give it to formulate(scenario, demand)")
    return scenario
