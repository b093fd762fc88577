"""Levers of a plan, one by one and in total, each a linear function of the model's columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from capsim.lp.arrays import Array, Index
from capsim.optimize.model import Model

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
        projects.row_places[built],
    )
    yield _total("schools converted", "schools", v.converted[:, -1], whole=True)
    yield _total(
        "places in converted schools", "places", v.converted[:, -1], given.providers.places
    )
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
