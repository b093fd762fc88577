"""Objectives of a plan, and its levers: linear functions of the model's columns.

A criterion is ``weights · x + constant`` in a unit of its own, and less of it is better. Cost is
one of several; the others leave the scenario's prices aside. Sums run over all planned years, so
that a child without a place for three years counts three times (*child-years*).

A lever is how much a plan makes of one project, school or kind of decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, vstack

from capsim.lp.array_types import Array, Index
from capsim.lp.expressions import Expression
from capsim.lp.options_and_result import is_number
from capsim.lp.program import LinearProgram
from capsim.model.costs import COST_KINDS
from capsim.model.model import Model

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


def _cost(model: Model) -> Expression:
    program = model.program
    return Expression.of_matrix(csr_array(program.cost[None, :])) + program.offset


def _surplus(model: Model) -> Expression:
    """Count the standard seats of public and converted schools that no pupil takes."""
    x, providers = model.parts.x, model.given.providers
    if not model.given.scenario.settings.switches.seats:
        raise ValueError("surplus places need the constraint family `seats`, which is switched off")
    going_on = x.converted - x.given_up
    seats = providers.places[:, None] * (providers.public[:, None] + going_on)
    pupils = x.pupils[providers.public[model.columns.seats.provider]]
    there = seats.total() + x.new_seats.total() - x.places_given_up.total()
    empty = there - pupils.total() - x.public.total()
    return empty + x.overfill.total()


def _private(model: Model) -> Expression:
    """Count private pupils of compulsory stages on 31 December, as the scenario does."""
    x = model.parts.x
    if model.given.scenario.settings.policy.purchased_counts_as_private:
        return x.fee_december.total() + x.purchased_december.total()
    return x.fee_december.total()


def _away(model: Model) -> Expression:
    """Count children who attend outside the area in which they live."""
    links, providers = model.parts.links, model.given.providers
    school_area = np.append(providers.area, -1)[links.to_provider]
    target = np.where(links.to_area >= 0, links.to_area, school_area)
    gone = (target != links.area)[links.pair_link]
    return model.parts.x.flow[gone].total()


def _paid(model: Model, kind: str) -> Expression:
    ledger = model.parts.ledger
    mine = ledger.kind == COST_KINDS.index(kind)
    amount: Array = ledger.amount[mine]
    paid: Expression = Expression.of(ledger.column[mine]) * amount
    return paid.total() + float(ledger.fixed[COST_KINDS.index(kind)].sum())


MONEY = "million RMB"
"""Unit of criteria that are money: millions of the scenario's currency."""
_KNOWN: Mapping[str, tuple[str, Callable[[Model], Expression]]] = {
    "cost": (MONEY, _cost),
    "shortfall": ("child-years", lambda model: model.parts.x.shortfall.total()),
    "displaced": ("children", lambda model: model.parts.x.displaced.total()),
    "overfilled": ("pupil-years", lambda model: model.parts.x.overfill.total()),
    "surplus": ("place-years", _surplus),
    "private": ("pupil-years", _private),
    "purchased": ("place-years", lambda model: model.parts.x.purchased_december.total()),
    "away": ("child-years", _away),
    "travel": (MONEY, lambda model: _paid(model, "travel")),
    "capital": (MONEY, lambda model: _paid(model, "capital")),
    "large_classes": ("class-years", lambda model: model.parts.x.large_classes.total()),
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
    unit, expression_of = _KNOWN[name]
    expression = expression_of(model)
    weights = expression.weights(len(model.program.cost))
    if not weights.any():
        raise ValueError(f"no decision moves the criterion {name!r} in this scenario")
    return Criterion(name, unit, weights, float(expression.constants().sum()))


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
    """Refuse weights that are missing or not above 0."""
    if not weights or not all(is_number(w) and w > 0 for w in weights.values()):
        raise ValueError(f"weights of criteria must be positive numbers, not {dict(weights)}")


def minimising(program: LinearProgram, aim: Criterion) -> LinearProgram:
    """Return the program with a criterion as its objective; columns added later cost nothing."""
    cost = np.zeros(len(program.cost))
    cost[: len(aim.weights)] = aim.weights
    return replace(program, cost=cost, offset=aim.constant)


def holding(program: LinearProgram, limits: Sequence[tuple[Criterion, float]]) -> LinearProgram:
    """Return the program with a row ``criterion ≤ limit`` for each of the limits, last rows."""
    if not limits:
        return program
    rows = vstack([csr_array(aim.weights[None, :]) for aim, _ in limits])
    upper = np.array([limit - aim.constant for aim, limit in limits])
    names = np.array([aim.name for aim, _ in limits], object)
    return program.with_rows(ROW, rows, upper=upper, labels=[names])


SLACK = 1e-6
"""Least slack of a limit, relative, so that what was reached stays within reach in arithmetic."""


def slackened(limit: float) -> float:
    """Return a limit on a criterion with what a solver's tolerance takes."""
    return limit + SLACK * max(1.0, abs(limit))


KINDS = ("project", "conversion", "purchase", "closure", "total")


@dataclass(frozen=True)
class Lever:
    """``weights · x`` on some columns: how much a plan makes of a lever.

    Attributes
    ----------
    kind, name, county, unit : text
    column : int ``[entry]``; weight : float64 ``[entry]``
    whole : bool
        Whether it takes whole numbers only.
    """

    kind: str
    name: str
    county: str
    unit: str
    column: Index
    weight: Array
    whole: bool

    def value(self, x: Array) -> float:
        """Return how much a solution makes of the lever."""
        return float(self.weight @ x[self.column])

    def weights(self, count: int) -> Array:
        """Return the lever over all ``count`` columns."""
        out = np.zeros(count)
        np.add.at(out, self.column, self.weight)
        return out


def levers(model: Model, kinds: Sequence[str]) -> list[Lever]:
    """List the levers of these kinds, in the order of the scenario's tables.

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or isinstance(kinds, str):
        raise ValueError(f"kinds of levers are {', '.join(KINDS)}, not {kinds!r}")
    known: dict[str, Callable[[Model], Iterator[Lever]]] = {
        "project": _projects,
        "conversion": _conversions,
        "purchase": _purchases,
        "closure": _closures,
        "total": _totals,
    }
    return [lever for kind in kinds for lever in known[kind](model)]


def _projects(model: Model) -> Iterator[Lever]:
    projects = model.given.projects
    county = model.given.space.counties[projects.county]
    for m, column in enumerate(model.columns.open[:, -1]):
        yield _one("project", str(projects.project[m]), str(county[m]), "copies", column)


def _conversions(model: Model) -> Iterator[Lever]:
    for j, name, county in _schools(model, model.columns.converted):
        yield _one("conversion", name, county, "0 or 1", model.columns.converted[j, -1])


def _closures(model: Model) -> Iterator[Lever]:
    for j, name, county in _schools(model, model.columns.phase_out):
        yield _one("closure", name, county, "0 or 1", model.columns.phase_out[j, -1])


def _purchases(model: Model) -> Iterator[Lever]:
    bought = model.columns.purchased_december
    for j, name, county in _schools(model, bought):
        ones = np.ones(bought.shape[1])
        yield Lever("purchase", name, county, "place-years", bought[j], ones, whole=False)


def _totals(model: Model) -> Iterator[Lever]:
    v, given, parts = model.columns, model.given, model.parts
    projects, last = given.projects, given.dates.count - 1
    built = projects.row_provider >= 0
    yield _total(
        "places built",
        "places",
        v.open[projects.row_project[built], last],
        projects.row_new_places[built],
    )
    yield _total("schools converted", "schools", v.converted[:, -1], whole=True)
    yield _total(
        "places in converted schools", "places", v.converted[:, -1], given.providers.places
    )
    if v.given_up.max(initial=-1) >= 0:
        yield _total("converted schools given up", "schools", v.given_up[:, -1], whole=True)
    yield _total("schools phased out", "schools", v.phase_out[:, -1], whole=True)
    yield _total("places bought", "place-years", v.purchased_december)
    if parts.given.scenario.settings.switches.staff:
        yield _total("teachers hired", "teachers", v.hired)
        yield _total("teachers on contract", "teacher-years", v.contract_teachers)


def _schools(model: Model, column: Index) -> Iterator[tuple[int, str, str]]:
    given, names = model.given, model.parts.stage_names
    providers = given.providers
    for j in np.flatnonzero((column >= 0).any(axis=1)):
        name = f"{providers.school[j]}, {names[providers.stage[j]]}"
        yield int(j), name, str(given.space.counties[providers.county[j]])


def _one(kind: str, name: str, county: str, unit: str, column: int) -> Lever:
    return Lever(kind, name, county, unit, np.array([column]), np.ones(1), whole=True)


def _total(
    name: str, unit: str, column: Index, weight: Array | None = None, *, whole: bool = False
) -> Lever:
    keep = column >= 0
    each = np.ones(column.shape) if weight is None else weight
    return Lever("total", name, "*", unit, column[keep], each[keep], whole)
