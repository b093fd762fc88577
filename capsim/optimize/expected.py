"""What is known of the children in a year: counted so far, expected after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp.arrays import Array, Index

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.scenario import Scenario


def drawn(demand: Demand, draw: int) -> Demand:
    """Return the demand that a draw of another one is, as if it came true.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=2, pupils=4000, years=(2021, 2023), seed=0)
    >>> demand = capsim.project(city, draws=2, seed=1)
    >>> bool((drawn(demand, 1).pupils == demand.draws[1]).all())
    True
    """
    if demand.draws is None or not 0 <= draw < len(demand.draws):
        have = 0 if demand.draws is None else len(demand.draws)
        raise ValueError(f"the demand has {have} draws; there is no draw {draw}")
    return replace(demand, pupils=demand.draws[draw].copy(), draws=None)


def realised_demand(scenario: Scenario, first: Demand, realised: Demand | Scenario | str) -> Demand:
    """Return the children who come: as given, projected from a scenario, or a variant of births."""
    from capsim.demand import project
    from capsim.demand.births import birth_variant
    from capsim.scenario import Scenario

    if isinstance(realised, str):
        realised = birth_variant(scenario, realised)
    came = project(realised) if isinstance(realised, Scenario) else realised
    for name in ("areas", "grades", "years"):
        if getattr(came, name) != getattr(first, name):
            raise ValueError(f"the realised demand has other {name} than the scenario")
    if not np.allclose(came.pupils[..., 0], first.pupils[..., 0]):
        raise ValueError("the realised demand has other children in the base year")
    return came


def known_by(scenario: Scenario, first: Demand, came: Demand, year: int) -> Demand:
    """Return the children counted up to a year, and expected after it.

    A cohort counted in ``year`` goes on as first projected, times the ratio of its count to its
    first projection (its children of the age likewise); cohorts not in any planned grade by then
    come as first projected.

    Parameters
    ----------
    scenario : Scenario
        Gives the ages of grades.
    first, came : Demand
    year : int
        School year; its autumn has been counted.
    """
    now = first.years.index(year)
    age = {
        grade: stage.entry_age + at
        for stage in scenario.stages.values()
        for at, grade in enumerate(stage.grades)
    }
    ages = np.array([age[grade] for grade in first.grades])
    pupils = _carried(first.pupils, came.pupils, ages, now)
    population = _carried(first.population, came.population, ages, now)
    return replace(first, pupils=pupils, population=population, draws=None)


def _carried(first: Array, came: Array, ages: Index, now: int) -> Array:
    """Carry the ratio of counted to projected on with each cohort, ``[area, grade, year]``."""
    expected = first[..., now]
    known = np.isfinite(expected) & (expected > 0) & np.isfinite(came[..., now])
    ratio = np.divide(came[..., now], expected, out=np.ones_like(expected), where=known)
    out = first.copy()
    out[..., : now + 1] = came[..., : now + 1]
    for later in range(now + 1, first.shape[2]):
        for grade, then in enumerate(ages - (later - now)):
            source = np.flatnonzero(ages == then)
            if len(source):
                out[:, grade, later] *= ratio[:, source[0]]
    return out
