"""One program in which every policy can be held, bent or dropped, and whether a set can hold.

The linear relaxation is asked first: what it cannot do no plan can. Its prices name the policies
that take part in the contradiction, so that few further questions are needed. Only where the
relaxation can hold a set is the mixed-integer program asked; large programs stay with the
relaxation.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csc_array, hstack

from capsim.lp import Program, Solution, SolverError, solve
from capsim.lp.arrays import Array, Index
from capsim.lp.highs import INTERIOR
from capsim.optimize.explain.policies import policies
from capsim.optimize.explain.policy import Policy
from capsim.optimize.model import Model, is_large

CHILDREN = "every child"
CLEAR = 1e-4
"""Units (places, or as much as weighs the same) that are nothing; for the interior point 1e-2."""
TAKES_PART = 1e-6
"""Price, beside that of a place, from which on a policy takes part in a contradiction."""
PROHIBITIVE = 1e3
SECONDS = 60.0
"""For each mixed-integer question; what is not settled by then counts as possible."""


@dataclass(frozen=True)
class Bending:
    """A model with a column for everything that its policies let give way.

    Attributes
    ----------
    program : Program
        Costs are 0 and all policies held.
    policies : tuple of Policy
    own : columns of each policy by name
    """

    program: Program
    policies: tuple[Policy, ...]
    own: dict[str, Index]

    @property
    def large(self) -> bool:
        """Whether only the relaxation is asked."""
        return is_large(self.program)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the policies, in order."""
        return tuple(policy.name for policy in self.policies)

    def with_policies(self, held: Collection[str], bent: Collection[str]) -> Program:
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
        found = self._relaxed(program)
        if found.objective > (1e-2 if self.large else CLEAR):
            return self._parts(program, found, names)
        if self.large or not program.integer.any():
            return None
        whole = solve(self.with_policies(names, ()), gap=1.0, time_limit=SECONDS)
        return tuple(names) if whole.status == "infeasible" else None

    def alone(self, name: str) -> Array | None:
        """Return the columns with which one policy gives way the least, all others held.

        None where that is not enough. In a large program most others are not held outright, which
        the interior point is slow to refuse: they are bent too, at a prohibitive price.
        """
        others = [other for other in self.names if other != name]
        if not self.large:
            return self.least(others, [name])
        held = [
            p.name for p in self.policies if p.relief is None and p.name not in (name, CHILDREN)
        ]
        program = self.with_policies(held, [other for other in self.names if other not in held])
        for other in others:
            program.cost[self.own[other]] *= PROHIBITIVE
        found = self._solve(program.relaxed())
        if found.x is None:
            return None
        missed = sum(
            policy.weight * float(policy.bent(found.x[self.own[policy.name]]).sum())
            for policy in self.policies
            if policy.name != name
        )
        return found.x if missed < 0.5 else None

    def least(self, held: Collection[str], bent: Collection[str]) -> Array | None:
        """Return the columns at which policies give way the least while others hold, or None."""
        program = self.with_policies(held, bent)
        relaxed = self._solve(program.relaxed())
        if self.large or not program.integer.any() or relaxed.x is None:
            return relaxed.x
        whole = solve(program, gap=1e-4, time_limit=SECONDS)
        return relaxed.x if whole.status == "unknown" else whole.x

    def _relaxed(self, program: Program) -> Solution:
        """Solve a relaxation that has a solution; the interior point may stop short of a proof."""
        found = self._solve(program.relaxed())
        if found.x is None:
            raise SolverError(f"the rules that no policy owns are {found.status}")
        return replace(found, objective=float(program.cost @ found.x + program.offset))

    def _solve(self, program: Program) -> Solution:
        options: dict[str, Any] = INTERIOR if self.large else {}
        return solve(program, options=options)

    def _parts(self, program: Program, found: Solution, names: Collection[str]) -> tuple[str, ...]:
        """Policies whose columns the prices pull at: the others can be dropped at no loss."""
        if found.row_dual is None:
            return tuple(names)
        pull = np.asarray(program.matrix.T @ found.row_dual, np.float64)
        owner = {policy.name: policy for policy in self.policies}
        return tuple(
            name
            for name in names
            if len(self.own[name])
            and float(np.abs(pull[self.own[name]]).max()) > TAKES_PART * owner[name].weight
        )


def bending(model: Model) -> Bending:
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
    return Bending(wide, found, own)
