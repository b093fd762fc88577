"""One program in which every rule can be held, give way or be dropped, and whether a set can hold.

This is Chinneck's elastic program (*Feasibility and Infeasibility in Optimization*, 2008), with one
elastic column a rule and member, not a row. The linear relaxation is asked first: what it cannot do
no plan can. Its prices name the rules that take part in the contradiction, so that few further
questions are needed. Only where the relaxation can hold a set is the mixed-integer program asked;
large programs stay with the relaxation, county by county: the counties' solvers are kept from
question to question, each begins at the prices of the one before, and ends as soon as it is plain
whether a set can hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.infeasibility.rules import Rule, rules_of
from capsim.lp.arrays import Array
from capsim.lp.decomposition.dantzig_wolfe import Priced, Pricer
from capsim.lp.highs import INTERIOR
from capsim.lp.program import LinearProgram
from capsim.lp.solution import SolverError, SolverResult
from capsim.lp.solvers import solve
from capsim.lp.threads import in_parallel
from capsim.model.model import Model, is_large

CLEAR = 1e-4
"""Units (places, or as much as weighs the same) that are nothing; in a large program 1e-2."""
CLEAR_LARGE = 1e-2
FINE = 1e-3
"""Relative to what gives way, how near its least the amounts of a large program are."""
WIDE = 2.0
"""Where prices are looked for at first: around nothing as far as a fifth of a place."""
TAKES_PART = 1e-6
"""Price, beside that of a place, from which on a rule takes part in a contradiction."""
SECONDS = 60.0
"""For each mixed-integer question; what is not settled by then counts as possible."""


class Gap(NamedTuple):
    """Where and when a rule gives way, and by how much.

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
        """What the gap counts, in places."""
        return self.amount * self.rule.entry.weight


@dataclass(frozen=True)
class ElasticModel:
    """A model with a column for everything by which its rules can give way.

    Attributes
    ----------
    program : LinearProgram
        Costs are 0 and all rules held.
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
        """Whether only the relaxation is asked."""
        return is_large(self.program)

    def others(self, *names: str) -> list[str]:
        """List the rules but for these."""
        return [name for name in self.rules if name not in names]

    def with_rules(self, held: Collection[str], elastic: Collection[str]) -> LinearProgram:
        """Return the program with some rules held and some elastic at their weight.

        All others are dropped.
        """
        cost, offset = np.zeros_like(self.program.cost), 0.0
        lower, upper = self.program.lower.copy(), self.program.upper.copy()
        for name, rule in self.rules.items():
            at = rule.columns
            lower[at], upper[at] = rule.held if name in held else rule.free
            if name in elastic:
                cost[at] = rule.entry.weight * rule.sign
                offset -= float(cost[at] @ rule.limit)
        return replace(self.program, cost=cost, offset=offset, lower=lower, upper=upper)

    def contradiction(self, names: Collection[str]) -> tuple[str, ...] | None:
        """Return those of the rules that take part in a contradiction; None if all can hold."""
        program = self.with_rules((), names)
        if self.large:
            return self._large_contradiction(program, names)
        relaxed = self._relaxed(program)
        if relaxed.objective > CLEAR:
            return self._participants(_worth(program, relaxed), names)
        if not program.integer.any():
            return None
        whole = solve(self.with_rules(names, ()), gap=1.0, time_limit=SECONDS)
        return tuple(names) if whole.status == "infeasible" else None

    def _large_contradiction(
        self, program: LinearProgram, names: Collection[str]
    ) -> tuple[str, ...] | None:
        """Solve the relaxation alone, and only until it is plain whether all can hold."""
        priced = self._priced(program, plain=CLEAR_LARGE)
        if priced is not None:
            worth: Array | None = program.cost - priced.reduced
            least = priced.bound
        else:
            relaxed = self._relaxed(program)
            worth, least = _worth(program, relaxed), relaxed.objective
        return self._participants(worth, names) if least > CLEAR_LARGE else None

    def alone(self, names: Collection[str]) -> dict[str, list[Gap]]:
        """Return the gaps with which each rule alone gives way the least, all others held.

        Left out are rules of which that is not enough.
        """
        rest = {name: self.others(name) for name in names}
        if self.large:
            names = [name for name in names if self.contradiction(rest[name]) is None]
            found = [self.least(rest[name], [name]) for name in names]
        else:
            found = in_parallel([partial(self.least, rest[name], [name]) for name in names])
        return {name: gaps for name, gaps in zip(names, found, strict=True) if gaps is not None}

    def least(self, held: Collection[str], elastic: Collection[str]) -> list[Gap] | None:
        """Return the least gaps of elastic rules while others hold; None where none are enough."""
        program = self.with_rules(held, elastic)
        x = self._least_large(program) if self.large else self._least(program)
        if x is None:
            return None
        return [gap for name in elastic for gap in _gaps(self.rules[name], x)]

    def _least(self, program: LinearProgram) -> Array | None:
        relaxed = self._solve(program.relaxed())
        if not program.integer.any() or relaxed.x is None:
            return relaxed.x
        whole = solve(program, gap=1e-4, time_limit=SECONDS)
        return relaxed.x if whole.status == "unknown" else whole.x

    def _least_large(self, program: LinearProgram) -> Array | None:
        priced = self._priced(program)
        return self._solve(program.relaxed()).x if priced is None else priced.x

    def _priced(self, program: LinearProgram, plain: float | None = None) -> Priced | None:
        """Solve a relaxation county by county from the last prices; None where that is no way."""
        if self.pricer is None:
            return None
        return self.pricer.price(program, tolerance=FINE, plain=plain, radius=WIDE)

    def _relaxed(self, program: LinearProgram) -> SolverResult:
        """Solve a relaxation that has a solution; the interior point may stop short of a proof."""
        result = self._solve(program.relaxed())
        if result.x is None:
            raise SolverError(f"what is not a rule of the scenario is {result.status}")
        return replace(result, objective=float(program.cost @ result.x + program.offset))

    def _solve(self, program: LinearProgram) -> SolverResult:
        options: dict[str, Any] = INTERIOR if self.large else {}
        return solve(program, options=options)

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


def _worth(program: LinearProgram, result: SolverResult) -> Array | None:
    """Return what the prices of the rows make each column worth, if these are known."""
    if result.row_dual is None:
        return None
    return np.asarray(program.matrix.T @ result.row_dual, np.float64)


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
