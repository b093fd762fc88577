"""From a scenario and its demand to one program: the formulation as arrays."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.lp.arrays import Array, Flag
from capsim.lp.decomposition.blocks import Split, split
from capsim.lp.program import Builder, LinearProgram
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.private import define_opening
from capsim.model.costs import COST_KINDS, committed_costs, prepare_ledger
from capsim.model.data import ModelData, prepare
from capsim.model.formulation import Expressions, Formulation
from capsim.model.links import prepare_links
from capsim.model.variables import Variables, add_columns

if TYPE_CHECKING:
    from capsim.demand.projection import Demand
    from capsim.scenario.scenario import Scenario


COUPLING = (
    "share.cap",
    "reduction",
    "purchase.ceiling",
    "floors",
    "programme",
    "safety.targets",
    "criterion",
)
LIMITED = (
    "purchase.limit",
    "money.capital",
    "money.recurrent",
    "land",
    "staff.hires",
    "staff.posts",
    "staff.contract",
)

LARGE = 30_000
"""Columns up to which programs are solved whole; larger ones county by county."""

ALWAYS = ("conversion",)
"""Families whose rows stay when they are switched off: nothing turns back."""


def is_large(program: LinearProgram) -> bool:
    """Tell whether a program is solved county by county."""
    return len(program.cost) > LARGE


@dataclass(frozen=True)
class Model:
    """The plan as a program, and what each of its columns means.

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
    """

    program: LinearProgram
    parts: Formulation
    committed: Array
    build_s: float

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
        return float((self.committed.sum(axis=(0, 1)) * self.parts.ledger.factor).sum() * 1e6)

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
        return flag

    def apart(self, program: LinearProgram) -> Split | None:
        """Split a program with the model's rows, and more columns or not, into its counties.

        None where it is small enough to be solved whole, or does not fall apart.
        """
        if not is_large(program):
            return None
        found = split(program, self.coupling)
        return found if len(found.blocks) > 1 else None

    def to_pulp(self) -> Any:
        """Return the model as a ``pulp.LpProblem`` with speaking names.

        Extend it and solve it with any solver; read the answer back with
        :meth:`capsim.plan.plan.Plan.from_pulp`.
        """
        from capsim.lp.pulp_bridge import to_pulp

        problem = to_pulp(self.program, "capsim")
        problem.capsim_model = self
        return problem

    def with_program(self, program: LinearProgram) -> Model:
        """Return the model with another program of the same columns."""
        return replace(self, program=program)


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
        If the demand is not one of the scenario, or has a number of children that is none.
    """
    if demand is None:
        from capsim.demand.projection import project

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
    offset = -float((committed.sum(axis=(0, 1)) * ledger.factor).sum())
    program = m.freeze(cost=ledger.objective(m.column_count, used), offset=offset)
    return Model(program, parts, committed, time.perf_counter() - begin)
