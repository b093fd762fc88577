"""How far a projection may be off: measured by the back-test where there is enough to measure.

The back-test knows by how much areas' totals, their grades and the whole were missed at each lead.
What the whole was missed by, beyond the chance of its areas, is common to all; what areas' totals
were missed by beyond that and beyond the chance of their grades belongs to the area; the rest is
the cohort's own. A scenario that gives ``[uncertainty]`` numbers of its own keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from .draws import Spread
from .intervals import GROWTH, LEVELS, Covered, Reach
from .observe import Observed
from .ratios import Array, divide

if TYPE_CHECKING:
    from capsim.scenario import Scenario

MEASURABLE = 8
"""Observed school years from which on a spread is measured."""


def given_spread(scenario: Scenario, seen: Observed, areas: int, leads: int) -> Spread:
    """Spread from the settings ``[uncertainty]``."""
    size = scenario.settings.uncertainty
    grades = len(seen.grades)
    after = np.asarray(scenario.years)[None, :] - seen.age[:, None] - scenario.base_year
    born = np.where(scenario.has("births"), np.maximum(after, 0), 0)
    return Spread(
        common=np.zeros(leads),
        whole=np.full((grades, leads), size.progression_sd),
        area=np.full((areas, leads), size.area_sd),
        cohort=np.zeros((areas, grades, leads)),
        birth_sd=size.birth_sd,
        born=born,
    )


def is_given(scenario: Scenario) -> bool:
    """Say whether the scenario sets the sizes of errors itself."""
    return bool({"progression_sd", "area_sd"} & scenario.settings.uncertainty.model_fields_set)


def measured_spread(covered: Mapping[str, Covered], pupils: Array) -> Spread:
    """Spread whose cells, areas and whole are off by what the back-test measured.

    Parameters
    ----------
    covered : mapping
        Of one method, levels ``total``, ``area`` and ``grade``; at least one lead measured.
    pupils : array [area, grade, 1 + lead]
        The projection.
    """
    ahead = pupils[..., 1:]
    area_total = ahead.sum(1)
    freedom = tails(covered["area"].last)
    leads = ahead.shape[-1]
    cell = _variance(covered["grade"].last, ahead, freedom, leads)
    area = _variance(covered["area"].last, area_total[:, None], freedom, leads)[:, 0]
    whole = _variance(covered["total"].last, area_total.sum(0)[None, None], np.inf, leads)[0, 0]
    of_area = divide(ahead, area_total[:, None], 0.0) ** 2
    of_whole = divide(area_total, area_total.sum(0), 0.0) ** 2
    own_area = _beyond(area, (of_area * cell).sum(1), of_area.sum(1))
    common = np.minimum(
        _beyond(whole, (of_whole * area).sum(0), of_whole.sum(0)),
        np.where(area_total > 0, own_area, np.inf).min(0),
    )
    common = np.where(np.isfinite(common), common, 0.0)
    own = np.maximum(own_area - common, 0.0)
    cohort = np.maximum(cell - own_area[:, None], 0.0)
    return Spread(
        common=_steps(common),
        whole=np.zeros(ahead.shape[1:]),
        area=_steps(own),
        cohort=np.sqrt(np.where(ahead > 0, cohort, 0.0)),
        birth_sd=0.0,
        born=np.zeros(ahead.shape[1:], dtype=np.intp),
        freedom=freedom,
    )


def tails(reach: Reach) -> float:
    """Degrees of freedom at which Student's t has the measured ratio of its two half-widths.

    Examples
    --------
    >>> two = np.array([1.2816, 1.96]).reshape(2, 1, 1)
    >>> tails(Reach(np.ones((1, 1)), np.ones((1, 1)), two))
    inf
    """
    inner, outer = reach.reach[0], reach.reach[1]
    known = inner > 0
    if not known.any():
        return np.inf
    ratio = outer[known] / inner[known]
    choices = np.array([3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 30.0, np.inf])
    low, high = (_quantile(choices, level) for level in LEVELS)
    return float(choices[np.argmin(np.abs(high / low - ratio.mean()))])


def _quantile(freedom: Array, level: float) -> Array:
    capped = np.where(np.isfinite(freedom), freedom, 1e9)
    return np.asarray(stdtrit(capped, 0.5 + level / 2))


def _variance(reach: Reach, ahead: Array, freedom: float, leads: int) -> Array:
    """Variance that gives the measured inner interval, ``[..., column, lead]``; 0 for nobody.

    A column that was never judged is as wide as the others are on the mean. No lead is surer than
    one before it would be with as many pupils.
    """
    judged = np.isfinite(reach.reach[0])
    last = int(np.flatnonzero(judged.any(0))[-1])
    at = np.minimum(np.arange(leads), last)
    inverse = divide(np.ones_like(ahead), ahead, 0.0)
    others = divide(np.nansum(reach.reach[0], 0), judged.sum(0).astype(float), np.nan)
    width = np.where(judged, reach.reach[0], others) / _quantile(np.array(freedom), LEVELS[0])
    growth = np.maximum((np.arange(leads) + 1) / (last + 1), 1.0) ** GROWTH
    person, lasting = (
        part[:, at] * width[:, at] ** 2 * growth for part in (reach.person, reach.lasting)
    )
    out = np.zeros_like(ahead)
    for lead in range(leads):
        later = person[:, lead, None] * inverse[..., lead:] + lasting[:, lead, None]
        out[..., lead:] = np.maximum(out[..., lead:], later)
    return np.where(ahead > 0, out, 0.0)


def _beyond(total: Array, chance: Array, squares: Array) -> Array:
    """Shared variance: of a sum, what its parts' own variances do not explain."""
    return divide(np.maximum(total - chance, 0.0), 1.0 - squares, 0.0)


def _steps(variance: Array) -> Array:
    """Shocks by year that accumulate to at least the variance, ``[..., lead]``."""
    level = np.maximum.accumulate(variance, axis=-1)
    return np.sqrt(np.diff(level, axis=-1, prepend=0.0))
