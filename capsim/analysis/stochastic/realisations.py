"""Realisations of what is uncertain, with probabilities, and the columns decided before.

All realisations share one layout of columns. Their children stand in right-hand sides, in the
progression ratios of ``continuity`` and in some floors; every realisation is therefore formulated
on its own (milliseconds), so that matrix, bounds and costs may all differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from capsim.demand.projection import Demand
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.options_and_result import is_number
from capsim.lp.program import Block
from capsim.model.costs import MILLION
from capsim.model.model import Model, formulate
from capsim.scenario.scenario import Scenario

DECISIONS = ("open", "converted", "given_up", "phase_out", "closed", "assigned")
CONTRACTS = ("contract", "contract_start")


@dataclass(frozen=True)
class Realisations:
    """Models of what may happen, all with the same columns.

    Attributes
    ----------
    names : tuple of text
    probability : float64 ``[realisation]``, sums to 1
    models : tuple of Model
    first : int ``[first-stage column]``
        Columns decided before the realisation is known: the same in all.
    """

    names: tuple[str, ...]
    probability: Array
    models: tuple[Model, ...]
    first: Index

    @property
    def count(self) -> int:
        """Number of realisations."""
        return len(self.names)

    @cached_property
    def later(self) -> Index:
        """Columns decided once the realisation is known, ``[recourse column]``."""
        keep = np.ones(len(self.models[0].program.cost), bool)
        keep[self.first] = False
        return np.flatnonzero(keep)

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Bounds of first-stage columns that hold in every realisation."""
        programs = [model.program for model in self.models]
        lower = np.max([p.lower[self.first] for p in programs], axis=0)
        upper = np.min([p.upper[self.first] for p in programs], axis=0)
        return np.asarray(lower, np.float64), np.asarray(upper, np.float64)

    @cached_property
    def whole(self) -> Flag:
        """First-stage columns that are whole numbers."""
        return self.models[0].program.integer[self.first]

    def rounded(self, first: Array) -> Array:
        """Return first-stage decisions with those that are whole numbers rounded."""
        return np.where(self.whole, np.round(first), first)

    @property
    def linear_recourse(self) -> bool:
        """Whether nothing decided later is a whole number."""
        return not self.models[0].program.integer[self.later].any()

    def rows(self, realisation: int) -> tuple[Index, Index]:
        """Return rows of a realisation that hold first-stage columns only, and all its others."""
        matrix = self.models[realisation].program.matrix[:, self.later].tocsr()
        used = np.diff(matrix.indptr) > 0
        return np.flatnonzero(~used), np.flatnonzero(used)

    @cached_property
    def committed(self) -> Array:
        """Cost that nothing moves, million RMB ``[realisation]``."""
        return np.array([model.committed_cny / MILLION for model in self.models])

    @cached_property
    def on_no_column(self) -> Array:
        """Cost that no column carries (schools kept open), million RMB ``[realisation]``."""
        return self.committed + [model.program.offset for model in self.models]

    def costs(self, columns: Sequence[Array]) -> Array:
        """Return each realisation's discounted cost at its columns, million RMB, committed too."""
        on_columns = [m.program.cost @ x for m, x in zip(self.models, columns, strict=True)]
        return np.array(on_columns, np.float64) + self.on_no_column


def make_realisations(
    scenario: Scenario,
    realisations: Demand | Mapping[str, Demand | Scenario],
    probabilities: Mapping[str, float] | None = None,
    *,
    contracts_later: bool = False,
) -> Realisations:
    """Formulate every realisation.

    Parameters
    ----------
    scenario : Scenario
        What is planned; it places the children of every ``Demand``.
    realisations : Demand or mapping of name to Demand or Scenario
        A demand with draws (each draw is a realisation, named ``draw 0`` on; its population moves
        with its pupils, so that a floor on enrolment asks for the same share), or named ones; a
        scenario stands for itself with its own projection.
    probabilities : mapping of name to number, optional
        Positive, made to sum to 1; alike where not given.
    contracts_later : bool
        Whether purchase contracts are signed once the realisation is known.

    Raises
    ------
    ValueError
        If there is no realisation, a probability is missing or not above 0, a demand without draws
        is given alone, or the realisations do not have the same decisions.
    """
    named = _named(scenario, realisations)
    names = tuple(named)
    weight = np.ones(len(names))
    if probabilities is not None:
        if set(probabilities) != set(names):
            odd = sorted(set(probabilities) ^ set(names))
            raise ValueError(f"probabilities and realisations must have the same names, not {odd}")
        numbers = [probabilities[name] for name in names]
        if not all(is_number(one) and one > 0 for one in numbers):
            raise ValueError(f"every probability must be a number above 0, not {numbers}")
        weight = np.array(numbers, np.float64)
    models = tuple(formulate(*pair) for pair in named.values())
    for name, model in zip(names, models, strict=True):
        differ = [
            block.name
            for own, block in zip(model.program.columns, models[0].program.columns, strict=True)
            if not _alike(own, block)
        ]
        if differ:
            raise ValueError(
                f"realisation {name!r} does not have the decisions of {names[0]!r}: "
                f"it differs in {', '.join(differ)}"
            )
    columns = models[0].columns
    blocks = DECISIONS if contracts_later else DECISIONS + CONTRACTS
    first = np.unique(np.concatenate([getattr(columns, block).ravel() for block in blocks]))
    return Realisations(names, weight / weight.sum(), models, first[first >= 0])


def _alike(one: Block, other: Block) -> bool:
    return one.count == other.count and all(
        np.array_equal(a, b) for a, b in zip(one.labels, other.labels, strict=True)
    )


def _drawn(demand: Demand, pupils: Array) -> Demand:
    """Make a draw a demand of its own; children of the age move with those who come to school."""
    ratio = np.divide(pupils, demand.pupils, out=np.ones_like(pupils), where=demand.pupils > 0)
    return replace(demand, pupils=pupils.copy(), population=demand.population * ratio, draws=None)


def _named(
    scenario: Scenario, realisations: Demand | Mapping[str, Demand | Scenario]
) -> dict[str, tuple[Scenario, Demand | None]]:
    if isinstance(realisations, Demand):
        if realisations.draws is None:
            raise ValueError("a demand given alone must have draws: project(scenario, draws=…)")
        return {
            f"draw {i}": (scenario, _drawn(realisations, pupils))
            for i, pupils in enumerate(realisations.draws)
        }
    ones = list(realisations.values()) if isinstance(realisations, Mapping) else [realisations]
    for one in ones:
        if not isinstance(one, Demand | Scenario) or not isinstance(realisations, Mapping):
            what = type(one).__name__
            raise ValueError(
                f"realisations are a Demand, or Demands and Scenarios by name, not a {what}"
            )
    if not ones:
        raise ValueError("at least one realisation is needed")
    return {
        name: (one, None) if isinstance(one, Scenario) else (scenario, one)
        for name, one in realisations.items()
    }
