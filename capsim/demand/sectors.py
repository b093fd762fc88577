"""Division of a projection between public and private schools.

The projection says how many children there are; this says in which sector, if nothing but
admission plans is decided: private first grades take their recent share of the entrants, at most
their admission plan, and private cohorts move up at their own ratio. A private pupil who is not
seen in the next private grade though the cohort as a whole is has transferred to the public sector.
Who is not private is public, so that no child is lost or counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.demand.forecasting import METHODS, USUAL, progression
from capsim.demand.observed import observe, place
from capsim.demand.projection import Demand
from capsim.demand.ratios import Array, Mask, divide, pairs
from capsim.scenario.scenario import Scenario

SECTORS = ("public", "private")
RECENT = 3
"""Years from which the private share of entrants is taken."""


@dataclass(frozen=True, eq=False)
class Sectors:
    """Children by sector.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
    pupils : array [sector, area, grade, year]
        Persons, sectors in the order of `SECTORS`; their sum is the demand.
    transfers : array [area, grade, year]
        Persons who moved from private to public on moving up into the grade; negative: back.
    refused : array [area, grade, year]
        Persons who would have entered a private first grade but for its admission plan.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    transfers: Array
    refused: Array

    def frame(self) -> pd.DataFrame:
        """Return a long table: sector, area, grade, school_year, pupils (persons)."""
        labels = pd.MultiIndex.from_product(
            [SECTORS, self.areas, self.grades, self.years],
            names=["sector", "area", "grade", "school_year"],
        )
        return pd.DataFrame({"pupils": self.pupils.ravel()}, index=labels).reset_index()


def by_sector(scenario: Scenario, demand: Demand) -> Sectors:
    """Divide a projection between the sectors.

    Parameters
    ----------
    scenario : Scenario
        Its ``pupils`` by sector give the shares and the private ratios; ``admission_plan`` of its
        private schools limits their first grades (no limit in an area and stage where a private
        school has none).
    demand : Demand
        Of the same scenario.

    Returns
    -------
    Sectors
    """
    seen, private = observe(scenario), observe(scenario, "private").pupils
    first = np.append(True, np.diff(seen.stage) > 0)
    plan = _plans(scenario, seen.areas)[:, seen.stage]
    entrants, all_entrants = (
        np.nan_to_num(part[..., -RECENT:]).sum(-1) for part in (private, seen.pupils)
    )
    share = divide(entrants, all_entrants, 0.0)
    above, below = pairs(private)
    leads = len(demand.years) - 1
    own = progression(above, below, seen.county, METHODS[USUAL], leads)
    parts = divide_flows(
        np.nan_to_num(private[..., -1]),
        demand.pupils,
        own,
        share,
        np.where(first, plan, np.inf),
        first,
    )
    return Sectors(demand.areas, demand.grades, demand.years, *parts)


def divide_flows(
    base: Array, total: Array, own: Array, share: Array, plan: Array, first: Mask
) -> tuple[Array, Array, Array]:
    """Carry private cohorts forward within given totals.

    Parameters
    ----------
    base : array [area, grade]
        Private pupils of the base year.
    total : array [area, grade, year]
        All children; the base year first.
    own : array [area, grade, lead]
        Private progression into the grade.
    share : array [area, grade]
        Private share of entrants to first grades.
    plan : array [area, grade]
        Most pupils admitted; infinite where there is no limit.
    first : array of bool [grade]
        First grades of stages.

    Returns
    -------
    pupils : array [sector, area, grade, year]
    transfers, refused : array [area, grade, year]

    Examples
    --------
    Of 100 entrants 40 would enter a private school that may admit 25.

    >>> one = np.ones((1, 1))
    >>> pupils, _, refused = divide_flows(
    ...     30 * one, np.full((1, 1, 2), 100.0), one[..., None], 0.4 * one, 25 * one,
    ...     np.array([True])
    ... )
    >>> pupils[:, 0, 0], refused[0, 0]
    (array([[70., 75.],
           [30., 25.]]), array([ 0., 15.]))
    """
    private = np.zeros_like(total)
    transfers, refused = np.zeros_like(total), np.zeros_like(total)
    private[..., 0] = np.minimum(base, total[..., 0])
    for year in range(1, total.shape[-1]):
        applicants = share * total[..., year]
        admitted = np.minimum(applicants, plan)
        below, before = np.zeros_like(base), np.zeros_like(base)
        below[:, 1:], before[:, 1:] = private[:, :-1, year - 1], total[:, :-1, year - 1]
        stays = np.minimum(below * own[..., year - 1], total[..., year])
        moves = np.where(before > 0, below * divide(total[..., year], before, 0.0), 0.0) - stays
        private[..., year] = np.where(first, admitted, stays)
        transfers[..., year] = np.where(first, 0.0, moves)
        refused[..., year] = np.where(first, applicants - admitted, 0.0)
    return np.stack([total - private, private]), transfers, refused


def _plans(scenario: Scenario, areas: tuple[str, ...]) -> Array:
    """Return private admission plans, ``[area, stage]``; infinite where a school has none."""
    schools = scenario.table("schools")
    schools = schools[schools["sector"] == "private"]
    schools["plan"] = schools["admission_plan"].fillna(np.inf)
    axes = {"area": areas, "stage": tuple(scenario.stages)}
    bounded = place(schools[np.isfinite(schools["plan"])], "plan", axes)
    schools["open"] = np.isinf(schools["plan"]).astype(float)
    unbounded = np.nan_to_num(place(schools, "open", axes)) > 0
    return np.where(unbounded | np.isnan(bounded), np.inf, bounded)
