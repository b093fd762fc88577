"""Margins: how far futures go beyond a plan, and how often.

Every draw says how many places more than planned it asks for in each group and year, and how
much worse each target comes out. A margin exceeded with chance ``c`` is the quantile ``1 - c`` of
these. A plan that leaves less room pays the price of a missing place times the chance that it is
missed: what is missing is paid as it is expected (simple recourse), and one price weighs all
groups, years and targets. Seats of a project count from the autumn on by which it is in use with
the probability asked for.

Source of method: R. J-B Wets, Solving stochastic programs with simple recourse, Stochastics 10
(1983) 219-242.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.construction.programme_simulation import build
from capsim.lp.array_types import Array, Index
from capsim.model.data import ModelData
from capsim.plan.targets import Target
from capsim.simulation.run import Trial

CHANCES = np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001])
"""Chances of need beyond each margin, the smallest margin first; there is one margin more."""
CUSHION = 0.25
"""Standard deviations by which the last margin lies beyond the one before."""
KINDS_OF_DATE = 3
"""Openings of a project that are looked at one by one; later ones are late like the last."""


def counted_from(data: ModelData, probability: float, replications: int, seed: int) -> Index:
    """Find the first autumn by which a project is in use with a probability.

    Parameters
    ----------
    data : ModelData
        Of the model.
    probability : float
    replications : int
        Of the building simulation, without waiting for crews.
    seed : int

    Returns
    -------
    int ``[project, check]``
        Position of the autumn, for a copy planned to open on the check date; the number of
        planned years if none is late enough. Never falls from one check date to the next.
    """
    dates, projects = data.dates, data.projects
    days = dates.date.astype("datetime64[D]").astype(np.int64)
    lag = np.zeros((len(projects.project), dates.count))
    known = np.full(len(projects.project), -1, np.int64)
    looked = np.zeros(len(projects.project), np.int64)
    for k in range(dates.count):
        open_now = (projects.first_check <= k) & (k <= np.minimum(projects.last_check, dates.count))
        if k not in dates.autumn:
            open_now &= ~projects.candidate
        fresh = np.flatnonzero(open_now & (looked < KINDS_OF_DATE))
        if len(fresh):
            lag[fresh, k] = _lag(data, fresh, k, probability, replications, seed)
            known[fresh], looked[fresh] = k, looked[fresh] + 1
        old = np.flatnonzero((known >= 0) & (known < k))
        lag[old, k] = lag[old, known[old]]
    ready = days[None, :] + lag
    autumn = np.searchsorted(days[dates.autumn], ready.ravel(), side="left").reshape(ready.shape)
    return np.maximum.accumulate(autumn, axis=1)


def _lag(
    data: ModelData, chosen: Index, check: int, probability: float, replications: int, seed: int
) -> Array:
    """Find the days by which projects of a check date are late at most with a probability."""
    names = data.projects.project[chosen]
    date = str(data.dates.date[check])
    built = build(
        data.scenario,
        planned={str(name): date for name in names},
        replications=replications,
        seed=seed,
        crews=False,
    )
    late = np.nan_to_num(built.opening - built.planned, nan=np.inf)
    at = {name: number for number, name in enumerate(built.projects)}
    levels = np.quantile(late, probability, axis=0, method="higher")
    return np.asarray(levels[[at[str(name)] for name in names]])


@dataclass(frozen=True, eq=False)
class Margins:
    """Places and distances from targets that a plan can keep free, by the chance they are exceeded.

    Attributes
    ----------
    counted : int ``[project, check]``
        First autumn (position) in which seats opened on a check date count.
    seats : float64 ``[margin, group, year]``
        Persons by which need is above the plan's, less with no chance, ascending.
    targets : tuple of (Target, float64 ``[margin]``)
        By how much each is worse than planned, in its unit.
    """

    counted: Index
    seats: Array
    targets: tuple[tuple[Target, Array], ...]


def expected_part() -> Array:
    """Return the chance that a place between a margin and the one before is missed, ``[margin]``.

    Below the first it is counted as missed for sure.

    Examples
    --------
    >>> expected_part().round(4).tolist()[:3], len(expected_part()) == len(CHANCES) + 1
    ([1.0, 0.35, 0.15], True)
    """
    after = np.append(CHANCES[1:], 0.0)
    return np.append(1.0, (CHANCES + after) / 2)


def margins_of(
    drawn: Trial, planned: Trial, counted: Array, chosen: list[int]
) -> tuple[Array, Array]:
    """Measure how far draws go beyond a plan.

    Parameters
    ----------
    drawn, planned : Trial
        Of the plan: with uncertainty, and one draw without.
    counted : array [group, year]
        Places that the plan may count on.
    chosen : list of int
        Positions of the targets that a margin is kept from.

    Returns
    -------
    seats : array [margin, group, year]
        Persons who ask for a place more than the plan foresees, and places missing of those
        counted on.
    targets : array [margin, target]
        By how much each is worse than planned, in its unit.
    """
    demanded, planned_demand = drawn.figures.demanded, planned.figures.demanded
    sign = np.array([drawn.targets[at].sign for at in chosen])[:, None]
    seats = demanded - planned_demand - (drawn.figures.room - counted[..., None])
    worse = sign * (drawn.figures.targets[chosen] - planned.figures.targets[chosen])
    return quantiles(seats), quantiles(worse)


def quantiles(values: Array) -> Array:
    """Return the values exceeded with each of `CHANCES`, and one beyond; draws are the last axis.

    Examples
    --------
    >>> quantiles(np.arange(1000.0)).round().tolist()
    [500.0, 800.0, 900.0, 950.0, 980.0, 990.0, 995.0, 998.0, 999.0, 1071.0]
    """
    exceeded = np.quantile(values, 1 - CHANCES, axis=-1, method="higher")
    beyond = exceeded[-1] + CUSHION * values.std(axis=-1)
    return np.concatenate([exceeded, beyond[None]])
