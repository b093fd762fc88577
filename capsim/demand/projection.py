"""From a scenario's births and pupils to the children who must be placed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.demand.cohort import advance
from capsim.demand.draws import MEASURABLE, Spread, draw, given_spread, is_given, measured_spread
from capsim.demand.enrolment_table import Panel
from capsim.demand.flows import flow_of
from capsim.demand.intervals import Covered
from capsim.demand.methods import METHODS, USUAL, Method
from capsim.demand.observed import Observed, cohorts, observe, place
from capsim.demand.ratios import Array, Mask, divide
from capsim.demand.rolling_origin import LEAST, backtest

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


@dataclass(frozen=True, eq=False)
class Demand:
    """Children to be placed, both sectors together.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
        The base year, then the planned school years.
    pupils : array [area, grade, year]
        Persons.
    population : array [area, grade, year]
        Children of the grade's age by births; NaN where births are unknown.
    draws : array [draw, area, grade, year] or None
        Persons.
    seed : int
    notes : tuple of text
        What was missing and what was done about it.
    spread : Spread
        Size of the errors that draws have.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    population: Array
    draws: Array | None
    seed: int
    notes: tuple[str, ...]
    spread: Spread = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.pupils, self.population, self.draws):
            if array is not None:
                array.setflags(write=False)

    def frame(self) -> pd.DataFrame:
        """Long table: area, grade, school_year, pupils, population (persons).

        With draws also the quantiles ``p2_5``, ``p10``, ``p50``, ``p90``, ``p97_5`` of pupils.
        """
        labels = pd.MultiIndex.from_product(
            [self.areas, self.grades, self.years], names=["area", "grade", "school_year"]
        )
        columns = {"pupils": self.pupils.ravel(), "population": self.population.ravel()}
        if self.draws is not None:
            shares = {"p2_5": 0.025, "p10": 0.1, "p50": 0.5, "p90": 0.9, "p97_5": 0.975}
            cells = np.quantile(self.draws, list(shares.values()), axis=0)
            columns |= dict(zip(shares, cells.reshape(len(shares), -1), strict=True))
        return pd.DataFrame(columns, index=labels).reset_index()


def project(scenario: Scenario, draws: int = 0, seed: int = 0) -> Demand:
    """Project a scenario's children by area, grade and school year.

    Parameters
    ----------
    scenario : Scenario
    draws : int
        How many joint draws to make besides the projection; 0 for none.
    seed : int
        Seed of the draws; the same seed gives the same draws, and draw d does not depend on how
        many are asked for.

    Returns
    -------
    Demand

    Raises
    ------
    ValueError
        If ``draws`` is negative.
    """
    if draws < 0:
        raise ValueError(f"draws must be 0 or more, not {draws}")
    seen = observe(scenario)
    years = (scenario.base_year, *scenario.years)
    notes = list(seen.notes)
    population = cohorts(seen, years)
    method, tested = _method(scenario, seen, notes)
    flow = flow_of(scenario, seen, population, method, notes)
    pupils = advance(np.nan_to_num(seen.pupils[..., -1]), flow)
    emptied = int(((flow.added < 0) & (pupils[..., 1:] == 0) & np.isnan(flow.fixed)).sum())
    if emptied:
        notes.append(
            f"net migration leaves nobody in {emptied} cells: no fewer than none can be left"
        )
    axes = {"area": seen.areas, "grade": seen.grades, "school_year": years}
    given = place(scenario.table("forecast"), "pupils", axes)
    pupils = np.where(np.isnan(given), pupils, given)
    pupils = _enrolled(scenario, seen, pupils, population, ~np.isnan(given), notes)
    if tested is None or is_given(scenario):
        spread = given_spread(scenario, seen, len(seen.areas), len(scenario.years))
    else:
        spread = measured_spread(tested, pupils)
    made = draw(pupils, spread, draws, seed) if draws else None
    return Demand(
        seen.areas, seen.grades, years, pupils, population, made, seed, tuple(notes), spread
    )


def _method(
    scenario: Scenario, seen: Observed, notes: list[str]
) -> tuple[Method, Mapping[str, Covered] | None]:
    """Pick the method, by back-test where `auto` is asked, and what it measured of errors."""
    name, alpha = scenario.settings.demand.method, scenario.settings.demand.alpha
    moving = {key: method for key, method in METHODS.items() if method.ratio != "none"}
    if name.endswith("-year mean"):
        moving[name] = Method("mean", years=int(name.split("-")[0]))
    if alpha is not None:
        moving = {
            key: method if method.alpha is None else replace(method, alpha=alpha)
            for key, method in moving.items()
        }
    if len(seen.years) < MEASURABLE or not np.isfinite(seen.pupils).any():
        return moving[USUAL if name == "auto" else name], None
    tried = moving if name == "auto" else {name: moving[name]}
    leads = range(1, min(len(scenario.years), len(seen.years) - LEAST - 2) + 1)
    found = backtest(
        Panel(seen.areas, seen.grades, seen.years, seen.pupils, seen.county), tried, leads
    )
    pick = str(found.chosen["method"].iloc[-1]) if name == "auto" else name
    if name == "auto":
        notes.append(f"progression by the method {pick!r}, the best on the years observed")
    judged = np.isfinite(found.measured[pick]["area"].last.reach).any()
    return moving[pick], found.measured[pick] if judged else None


def _enrolled(
    scenario: Scenario,
    seen: Observed,
    pupils: Array,
    population: Array,
    given: Mask,
    notes: list[str],
) -> Array:
    """Scale stages whose gross enrolment is set, in planned years, over the whole."""
    out = pupils.copy()
    for number, name in enumerate(scenario.stages):
        target = scenario.settings.demand.gross_enrolment.get(name)
        rows = np.flatnonzero(seen.stage == number)
        children = population[:, rows, 1:]
        if target is None:
            continue
        if np.isnan(children).any():
            notes.append(f"{name}: births do not reach back far enough for gross enrolment")
            continue
        part, free = out[:, rows, 1:], ~given[:, rows, 1:]
        wanted = target * children.sum((0, 1)) - np.where(free, 0.0, part).sum((0, 1))
        own = np.where(free, part, 0.0).sum((0, 1))
        scaled = part * divide(np.maximum(wanted, 0.0), own, 0.0)
        scaled = np.where(own > 0, scaled, target * children)
        out[:, rows, 1:] = np.where(free, scaled, part)
    return out
