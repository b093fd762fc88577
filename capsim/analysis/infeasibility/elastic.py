"""The elastic program: each of its rules can be in force, give way at a price, or be dropped.

This is Chinneck's elastic program (*Feasibility and Infeasibility in Optimization*, 2008), with
elastic columns for rules, not for rows. The linear relaxation is solved first: what is infeasible
there is so in every plan, and its prices name the rules that take part in the contradiction, so
that few further questions are needed. Only where the relaxation can hold a set is the mixed-integer
program solved. Large programs stay with the relaxation, county by county: the counties' solvers are
kept from question to question, each search begins at the prices of the one before, and ends as soon
as it is plain whether a set can hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.infeasibility.rules import Rule, rules_of
from capsim.i18n.language import Message
from capsim.lp.array_types import Array
from capsim.lp.decomposition.dantzig_wolfe import Pricer
from capsim.lp.highs import INTERIOR
from capsim.lp.options_and_result import SolverError
from capsim.lp.parallel_solves import Clock, in_parallel
from capsim.lp.program import LinearProgram
from capsim.lp.solvers import solve
from capsim.model.model import Model, is_large

CLEAR = 1e-4
CLEAR_LARGE = 1e-2
"""Places, or as much as weighs the same, that count as none; in a large program more."""
FINE = 1e-3
"""Relative to what gives way, how near its least the amounts of a large program are."""
WIDE = 2.0
"""Half width of the first box of prices, relative: around 0 it is a fifth of a place."""
TAKES_PART = 1e-6
"""Price, beside that of a place, from which on a rule takes part in a contradiction."""
SECONDS = 60.0
"""For each mixed-integer question; what is not settled by then counts as possible."""


class Gap(NamedTuple):
    """A rule that gives way: place, time and amount.

    Attributes
    ----------
    rule : Rule
    county, stage : str
        Blank where the rule is of neither.
    area, school : str
        If it is only one; else blank.
    thing : str
        The project, school or programme of a rule without counties.
    year : int
    amount : float
        In the unit of the rule.
    """

    rule: Rule
    county: str
    stage: str
    area: str
    school: str
    thing: str
    year: int
    amount: float

    @property
    def weight(self) -> float:
        """Weight of the gap, in places."""
        return self.amount * self.rule.entry.weight


class Relaxed(NamedTuple):
    """A solution of the relaxation, its objective, and what its prices make each column worth."""

    x: Array
    objective: float
    worth: Array | None


@dataclass(frozen=True)
class ElasticModel:
    """A model with a column for everything by which its rules can give way.

    Attributes
    ----------
    program : LinearProgram
        Costs are 0 and all rules in force.
    rules : mapping of Rule
        By name, in order; all with their columns in the program.
    pricer : Pricer, or None
        Where the program is large and falls apart into counties.
    """

    program: LinearProgram
    rules: dict[str, Rule]
    pricer: Pricer | None = None

    @property
    def large(self) -> bool:
        """Whether only the relaxation is solved."""
        return is_large(self.program)

    def others(self, *names: str) -> list[str]:
        """List the rules but for these."""
        return [name for name in self.rules if name not in names]

    def with_rules(self, in_force: Collection[str], elastic: Collection[str]) -> LinearProgram:
        """Return the program with some rules in force and some elastic at their weight.

        All others are dropped.
        """
        cost, offset = np.zeros_like(self.program.cost), 0.0
        lower, upper = self.program.lower.copy(), self.program.upper.copy()
        for name, rule in self.rules.items():
            at = rule.columns
            lower[at], upper[at] = rule.in_force if name in in_force else rule.free
            if name in elastic:
                cost[at] = rule.entry.weight * rule.sign
                offset -= float(cost[at] @ rule.limit)
        return replace(self.program, cost=cost, offset=offset, lower=lower, upper=upper)

    def contradiction(self, names: Collection[str]) -> tuple[str, ...] | None:
        """Return those of the rules that take part in a contradiction; None if all can hold.

        What is not settled when the question's time is up counts as possible.
        """
        program = self.with_rules((), names)
        clear = CLEAR_LARGE if self.large else CLEAR
        relaxed = self._relaxed(program, plain=clear)
        if relaxed is None:
            if Clock().out():
                return None
            raise SolverError(Message("the rows that belong to no rule have no solution"))
        if relaxed.objective > clear:
            return self._participants(relaxed.worth, names)
        if self.large or not program.integer.any():
            return None
        whole = solve(self.with_rules(names, ()), gap=1.0, time_limit=SECONDS)
        return tuple(names) if whole.status == "infeasible" else None

    def _participants(self, worth: Array | None, names: Collection[str]) -> tuple[str, ...]:
        """Return the rules whose columns are worth something: others can be dropped at no loss."""
        if worth is None:
            return tuple(names)
        rules = [self.rules[name] for name in names]
        return tuple(
            rule.name
            for rule in rules
            if np.abs(worth[rule.columns]).max() > TAKES_PART * rule.entry.weight
        )

    def alone(self, names: Collection[str]) -> dict[str, list[Gap]]:
        """Return the gaps with which each rule alone gives way the least, all others in force.

        Left out are rules of which that is not enough.
        """
        rest = {name: self.others(name) for name in names}
        if self.large:
            names = [name for name in names if self.contradiction(rest[name]) is None]
            found = [self.least(rest[name], [name]) for name in names]
        else:
            found = in_parallel([partial(self.least, rest[name], [name]) for name in names])
        return {name: gaps for name, gaps in zip(names, found, strict=True) if gaps is not None}

    def least(self, in_force: Collection[str], elastic: Collection[str]) -> list[Gap] | None:
        """Return the least gaps of elastic rules while others hold; None where none are enough."""
        program = self.with_rules(in_force, elastic)
        relaxed = self._relaxed(program)
        x = None if relaxed is None else relaxed.x
        if x is not None and not self.large and program.integer.any():
            whole = solve(program, gap=1e-4, time_limit=SECONDS)
            x = x if whole.status == "unknown" else whole.x
        if x is None:
            return None
        return [gap for name in elastic for gap in _gaps(self.rules[name], x)]

    def _relaxed(self, program: LinearProgram, plain: float | None = None) -> Relaxed | None:
        """Solve the relaxation, county by county where it is large; None without a solution.

        A search by counties ends once it is plain whether the objective can fall to ``plain``.
        """
        if self.pricer is not None:
            priced = self.pricer.price(program, tolerance=FINE, threshold=plain, radius=WIDE)
            if priced is not None:
                return Relaxed(priced.x, priced.bound, program.cost - priced.reduced)
        result = solve(program.relaxed(), highs=INTERIOR if self.large else {})
        if result.x is None:
            return None
        # The interior point may stop short of a proof: the objective is that of its solution.
        objective = float(program.cost @ result.x + program.offset)
        worth = None if result.row_dual is None else program.matrix.T @ result.row_dual
        return Relaxed(result.x, objective, worth)


def _gaps(rule: Rule, x: Array) -> list[Gap]:
    """Add up by county, stage and year what gives way; name the school or area if it is one."""
    amount = rule.deviation(x[rule.columns])
    flag = amount > CLEAR * max(float(amount.sum()), 1.0)
    members = rule.members[flag]
    inside = members["county"] != ""
    school = members["name"].where(inside & (rule.entry.of == "schools"), "")
    table = pd.DataFrame(
        {
            "county": members["county"],
            "stage": members["stage"].where(inside, ""),
            "thing": members["name"].where(~inside, "").astype(str),
            "year": members["year"],
            "area": members["area"].where(inside & (school == ""), ""),
            "school": school,
            "amount": amount[flag],
        }
    )
    gaps = []
    for _, group in table.groupby(["county", "stage", "thing", "year"], sort=False):
        (first,) = group.head(1).to_dict("records")
        gap = Gap(rule, **{str(key): value for key, value in first.items()})
        if len(group[["area", "school"]].drop_duplicates()) > 1:
            gap = gap._replace(area="", school="")
        gaps.append(gap._replace(amount=float(group["amount"].sum())))
    return gaps


def make_elastic(model: Model) -> ElasticModel:
    """Add a column for everything by which the rules of a model can give way."""
    program, rules = model.program, {}
    matrices, count = [program.matrix], len(program.cost)
    for rule in rules_of(model):
        rules[rule.name] = rule
        if rule.added is not None:
            last = count + rule.added.shape[1]
            rules[rule.name] = replace(rule, columns=np.arange(count, last))
            matrices.append(rule.added)
            count = last
    zero = np.zeros(count - len(program.cost))
    wide = replace(
        program,
        cost=np.zeros(count),
        lower=np.concatenate([program.lower, zero]),
        upper=np.concatenate([program.upper, zero]),
        integer=np.concatenate([program.integer, zero > 0]),
        matrix=csc_array(hstack(matrices, format="csc")),
        offset=0.0,
        columns=(),
    )
    counties = model.apart(wide)
    return ElasticModel(wide, rules, None if counties is None else Pricer(counties))
