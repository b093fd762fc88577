"""What plans are judged by: each criterion a linear function of the model's columns.

A criterion is ``weights · x + constant`` in a unit of its own, and less of it is better. Cost is
one of several; the others leave the scenario's prices aside. Sums run over all planned years, so
that a child without a place for three years counts three times (*child-years*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, vstack

from capsim.lp import Program
from capsim.lp.arrays import Array, Index
from capsim.lp.asked import is_number
from capsim.optimize.ledger import KINDS
from capsim.optimize.model import Model
from capsim.optimize.solved import Solved

ROW = "criterion"
"""Name of the rows that hold criteria; counties meet in them."""


@dataclass(frozen=True)
class Criterion:
    """``weights · x + constant``, to be made small.

    Attributes
    ----------
    name, unit : text
    weights : float64 ``[column]``
    constant : float
    tolerance : float
        By how much a level of priority may be missed for the sake of those below it: one child, one
        place, one class, or 1 million RMB.
    """

    name: str
    unit: str
    weights: Array
    constant: float = 0.0
    tolerance: float = 1.0

    def value(self, x: Array) -> float:
        """Return the criterion's value at columns ``x``."""
        return float(self.weights @ x[: len(self.weights)] + self.constant)


Terms = Callable[[Model], tuple[Array, float]]


def _sum(model: Model, column: Index) -> Array:
    """Count every column once for each time it is named; -1 counts nothing."""
    at = column[column >= 0]
    return np.bincount(at, minlength=len(model.program.cost)).astype(np.float64)


def _cost(model: Model) -> tuple[Array, float]:
    return model.program.cost, model.program.offset


def _shortfall(model: Model) -> tuple[Array, float]:
    return _sum(model, model.columns.shortfall), 0.0


def _displaced(model: Model) -> tuple[Array, float]:
    return _sum(model, model.columns.displaced), 0.0


def _overfilled(model: Model) -> tuple[Array, float]:
    return _sum(model, model.columns.overfill), 0.0


def _surplus(model: Model) -> tuple[Array, float]:
    """Σ S + places · zc − q + o: standard public seats that nobody sits on."""
    given, v = model.given, model.columns
    if not given.scenario.settings.switches.seats:
        raise ValueError("surplus places need the constraint family `seats`, which is switched off")
    providers, added = given.providers, model.parts.added_seats
    out = _sum(model, v.overfill) - _sum(model, v.public)
    out -= _sum(model, v.pupils[providers.public[v.seats.provider]])
    np.add.at(out, added.column, added.seats)
    autumn = v.converted[:, given.dates.autumn]
    places = np.broadcast_to(providers.places[:, None], autumn.shape)
    np.add.at(out, autumn[autumn >= 0], places[autumn >= 0])
    return out, float(providers.places[providers.public].sum() * model.parts.years)


def _private(model: Model) -> tuple[Array, float]:
    """Private pupils of compulsory stages on 31 December, as the scenario counts them."""
    out = _sum(model, model.columns.fee_december)
    if model.given.scenario.settings.policy.purchased_counts_as_private:
        out += _sum(model, model.columns.purchased_december)
    return out, 0.0


def _purchased(model: Model) -> tuple[Array, float]:
    return _sum(model, model.columns.purchased_december), 0.0


def _away(model: Model) -> tuple[Array, float]:
    """Children who attend outside the area in which they live."""
    links, providers = model.parts.links, model.given.providers
    school_area = np.append(providers.area, -1)[links.to_provider]
    target = np.where(links.to_area >= 0, links.to_area, school_area)
    gone = (target != links.area)[links.pair_link]
    return _sum(model, model.columns.flow[gone]), 0.0


def _large_classes(model: Model) -> tuple[Array, float]:
    return _sum(model, model.columns.large_classes), 0.0


def _paid(kind: str) -> Terms:
    def terms(model: Model) -> tuple[Array, float]:
        ledger = model.parts.ledger
        mine = ledger.kind == KINDS.index(kind)
        count = len(model.program.cost)
        paid = np.bincount(ledger.column[mine], weights=ledger.amount[mine], minlength=count)
        return np.asarray(paid, np.float64), 0.0

    return terms


_KNOWN: Mapping[str, tuple[str, Terms]] = {
    "cost": ("million RMB", _cost),
    "shortfall": ("child-years", _shortfall),
    "displaced": ("children", _displaced),
    "overfilled": ("pupil-years", _overfilled),
    "surplus": ("place-years", _surplus),
    "private": ("pupil-years", _private),
    "purchased": ("place-years", _purchased),
    "away": ("child-years", _away),
    "travel": ("million RMB", _paid("travel")),
    "capital": ("million RMB", _paid("capital")),
    "large_classes": ("class-years", _large_classes),
}
CRITERIA = tuple(_KNOWN)
"""Names of the criteria; see ``docs/tradeoffs.md`` for what each adds up."""


def criterion(model: Model, name: str) -> Criterion:
    """Return a criterion over a model's columns.

    Parameters
    ----------
    model : Model
    name : str
        One of ``CRITERIA``: ``cost`` (avoidable, discounted), ``shortfall``, ``displaced``,
        ``overfilled``, ``surplus``, ``private``, ``purchased``, ``away``, ``travel``, ``capital``
        (paid, not discounted) or ``large_classes``.

    Raises
    ------
    ValueError
        For another name, and where no decision moves the criterion in this scenario.

    Examples
    --------
    >>> import capsim
    >>> model = capsim.formulate(capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0))
    >>> found = criterion(model, "shortfall")
    >>> found.unit, int(found.weights.sum()) == model.columns.shortfall.size
    ('child-years', True)
    """
    if name not in _KNOWN:
        raise ValueError(f"a criterion is one of {', '.join(CRITERIA)}, not {name!r}")
    unit, terms = _KNOWN[name]
    weights, constant = terms(model)
    if not weights.any():
        raise ValueError(f"no decision moves the criterion {name!r} in this scenario")
    return Criterion(name, unit, weights, constant)


def weighted(model: Model, weights: Mapping[str, float]) -> Criterion:
    """Add criteria up, each times a weight: what one of its units is worth.

    Examples
    --------
    >>> import capsim
    >>> model = capsim.formulate(capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0))
    >>> weighted(model, {"shortfall": 10, "displaced": 1}).name
    '10 shortfall + 1 displaced'
    """
    refuse_weights(weights)
    parts = [(criterion(model, name), weight) for name, weight in weights.items()]
    return Criterion(
        name=" + ".join(f"{weight:g} {part.name}" for part, weight in parts),
        unit="weighted",
        weights=np.sum([weight * part.weights for part, weight in parts], axis=0),
        constant=sum(weight * part.constant for part, weight in parts),
        tolerance=min(weight * part.tolerance for part, weight in parts),
    )


def refuse_weights(weights: Mapping[str, float]) -> None:
    """Refuse weights that are none."""
    if not weights or not all(is_number(w) and w > 0 for w in weights.values()):
        raise ValueError(f"weights of criteria must be positive numbers, not {dict(weights)}")


def values(model: Model, x: Array, names: Sequence[str]) -> dict[str, float]:
    """Return criteria at a solution, derived columns (over-filling, …) at their exact values."""
    exact = Solved(model.parts, x).exact
    return {name: criterion(model, name).value(exact) for name in names}


def minimising(program: Program, aim: Criterion) -> Program:
    """Return the program with a criterion as its objective; columns added later cost nothing."""
    cost = np.zeros(len(program.cost))
    cost[: len(aim.weights)] = aim.weights
    return replace(program, cost=cost, offset=aim.constant)


def holding(program: Program, limits: Sequence[tuple[Criterion, float]]) -> Program:
    """Return the program with a row ``criterion ≤ limit`` for each of the limits, last rows."""
    rows = [csr_array(aim.weights[None, :]) for aim, _ in limits]
    upper = np.array([limit - aim.constant for aim, limit in limits])
    names = np.array([aim.name for aim, _ in limits], object)
    return with_rows(program, vstack(rows) if rows else None, upper, names)


def with_rows(
    program: Program, rows: csr_array | None, upper: Array, names: Array | Sequence[object]
) -> Program:
    """Return the program with rows ``rows · x ≤ upper`` added at the end."""
    if rows is None or not rows.shape[0]:
        return program
    return program.with_rows(ROW, rows, upper=upper, labels=[np.asarray(names, object)])
