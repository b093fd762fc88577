"""One program in which every policy can be held, bent or dropped, and whether a set can hold.

The linear relaxation is asked first: what it cannot do no plan can. Its prices name the policies
that take part in the contradiction, so that few further questions are needed. Only where the
relaxation can hold a set is the mixed-integer program asked; large programs stay with the
relaxation, county by county: the counties' solvers are kept from question to question, each begins
at the prices of the one before, and ends as soon as it is plain whether a set can hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csc_array, hstack

from capsim.analysis.infeasibility.rules import Policy, policies
from capsim.lp.arrays import Array, Index
from capsim.lp.decomposition.dantzig_wolfe import Priced, Pricer
from capsim.lp.highs import INTERIOR
from capsim.lp.program import LinearProgram
from capsim.lp.solution import SolverError, SolverResult
from capsim.lp.solvers import solve
from capsim.lp.threads import in_parallel
from capsim.model.model import Model, is_large

CHILDREN = "every child"
CLEAR = 1e-4
"""Units (places, or as much as weighs the same) that are nothing; in a large program 1e-2."""
CLEAR_LARGE = 1e-2
FINE = 1e-3
"""Relative to what gives way, how near its least the amounts of a large program are."""
WIDE = 2.0
"""Where prices are looked for at first: around nothing as far as a fifth of a place."""
TAKES_PART = 1e-6
"""Price, beside that of a place, from which on a policy takes part in a contradiction."""
SECONDS = 60.0
"""For each mixed-integer question; what is not settled by then counts as possible."""


@dataclass(frozen=True)
class ElasticModel:
    """A model with a column for everything that its policies let give way.

    Attributes
    ----------
    program : LinearProgram
        Costs are 0 and all policies held.
    policies : tuple of Policy
    own : columns of each policy by name
    pricer : Pricer, or None
        Where the program is large and falls apart into counties.
    """

    program: LinearProgram
    policies: tuple[Policy, ...]
    own: dict[str, Index]
    pricer: Pricer | None = None

    @property
    def large(self) -> bool:
        """Whether only the relaxation is asked."""
        return is_large(self.program)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the policies, in order."""
        return tuple(policy.name for policy in self.policies)

    def with_policies(self, held: Collection[str], bent: Collection[str]) -> LinearProgram:
        """Return the program with these policies held and these bent at their weight.

        All others are dropped.
        """
        cost, offset = np.zeros_like(self.program.cost), 0.0
        lower, upper = self.program.lower.copy(), self.program.upper.copy()
        for policy in self.policies:
            at = self.own[policy.name]
            lower[at], upper[at] = policy.held if policy.name in held else policy.free
            if policy.name in bent:
                price = policy.weight * policy.sign
                cost[at] = price
                side = np.where(policy.sign > 0, policy.held[1], policy.held[0])
                offset -= float(price @ side)
        return replace(self.program, cost=cost, offset=offset, lower=lower, upper=upper)

    def contradiction(self, names: Collection[str]) -> tuple[str, ...] | None:
        """Return those of the policies that take part in a contradiction; None if all can hold."""
        program = self.with_policies((), names)
        if self.large:
            return self._large_contradiction(program, names)
        found = self._relaxed(program)
        if found.objective > CLEAR:
            return self._parts(_pull(program, found), names)
        if not program.integer.any():
            return None
        whole = solve(self.with_policies(names, ()), gap=1.0, time_limit=SECONDS)
        return tuple(names) if whole.status == "infeasible" else None

    def _large_contradiction(
        self, program: LinearProgram, names: Collection[str]
    ) -> tuple[str, ...] | None:
        """Ask the relaxation alone, and only until it is plain whether all can hold."""
        priced = self._priced(program, plain=CLEAR_LARGE)
        if priced is None:
            found = self._relaxed(program)
            if found.objective <= CLEAR_LARGE:
                return None
            return self._parts(_pull(program, found), names)
        if priced.bound <= CLEAR_LARGE:
            return None
        return self._parts(program.cost - priced.reduced, names)

    def alone(self, names: Collection[str]) -> dict[str, Array]:
        """Return the columns with which each policy alone gives way the least, all others held.

        Left out are policies of which that is not enough.
        """
        rest = {name: [other for other in self.names if other != name] for name in names}
        if self.large:
            names = [name for name in names if self.contradiction(rest[name]) is None]
            found = [self.least(rest[name], [name]) for name in names]
        else:
            found = in_parallel([partial(self.least, rest[name], [name]) for name in names])
        return {name: x for name, x in zip(names, found, strict=True) if x is not None}

    def least(self, held: Collection[str], bent: Collection[str]) -> Array | None:
        """Return the columns at which policies give way the least while others hold, or None."""
        program = self.with_policies(held, bent)
        if self.large:
            priced = self._priced(program)
            return self._solve(program.relaxed()).x if priced is None else priced.x
        relaxed = self._solve(program.relaxed())
        if not program.integer.any() or relaxed.x is None:
            return relaxed.x
        whole = solve(program, gap=1e-4, time_limit=SECONDS)
        return relaxed.x if whole.status == "unknown" else whole.x

    def _priced(self, program: LinearProgram, plain: float | None = None) -> Priced | None:
        """Solve a relaxation county by county from the last prices; None where that is no way."""
        if self.pricer is None:
            return None
        return self.pricer.price(program, tolerance=FINE, plain=plain, radius=WIDE)

    def _relaxed(self, program: LinearProgram) -> SolverResult:
        """Solve a relaxation that has a solution; the interior point may stop short of a proof."""
        found = self._solve(program.relaxed())
        if found.x is None:
            raise SolverError(f"the rules that no policy owns are {found.status}")
        return replace(found, objective=float(program.cost @ found.x + program.offset))

    def _solve(self, program: LinearProgram) -> SolverResult:
        options: dict[str, Any] = INTERIOR if self.large else {}
        return solve(program, options=options)

    def _parts(self, pull: Array | None, names: Collection[str]) -> tuple[str, ...]:
        """Policies whose columns the prices pull at: the others can be dropped at no loss."""
        if pull is None:
            return tuple(names)
        owner = {policy.name: policy for policy in self.policies}
        return tuple(
            name
            for name in names
            if len(self.own[name])
            and float(np.abs(pull[self.own[name]]).max()) > TAKES_PART * owner[name].weight
        )


def _pull(program: LinearProgram, found: SolverResult) -> Array | None:
    """Return what the prices of the rows make each column worth, if these are known."""
    if found.row_dual is None:
        return None
    return np.asarray(program.matrix.T @ found.row_dual, np.float64)


def bending(model: Model) -> ElasticModel:
    """Add a column for everything that the policies of a model let give way."""
    program, found = model.program, policies(model)
    own: dict[str, Index] = {}
    matrices, first = [program.matrix], len(program.cost)
    for policy in found:
        if policy.relief is None:
            assert policy.columns is not None
            own[policy.name] = policy.columns
            continue
        count = policy.relief.shape[1]
        own[policy.name] = np.arange(first, first + count)
        matrices.append(policy.relief)
        first += count
    extra = first - len(program.cost)

    def wider(array: Array) -> Array:
        return np.concatenate([array, np.zeros(extra)])

    wide = replace(
        program,
        cost=np.zeros(first),
        lower=wider(program.lower),
        upper=wider(program.upper),
        integer=np.concatenate([program.integer, np.zeros(extra, bool)]),
        matrix=csc_array(hstack(matrices, format="csc")),
        offset=0.0,
        columns=(),
    )
    apart = model.apart(wide)
    return ElasticModel(wide, found, own, None if apart is None else Pricer(apart))
