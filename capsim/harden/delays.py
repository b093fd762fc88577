"""From which autumn on the seats of a project can be counted on."""

from __future__ import annotations

import numpy as np

from capsim.construction import build
from capsim.lp.arrays import Array, Index
from capsim.optimize.given import Given

KINDS_OF_DATE = 3
"""Openings of a project that are looked at one by one; later ones are late like the last."""


def counted_from(given: Given, probability: float, replications: int, seed: int) -> Index:
    """Find the first autumn by which a project is in use with a probability.

    Parameters
    ----------
    given : Given
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
    dates, projects = given.dates, given.projects
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
            lag[fresh, k] = _lag(given, fresh, k, probability, replications, seed)
            known[fresh], looked[fresh] = k, looked[fresh] + 1
        old = np.flatnonzero((known >= 0) & (known < k))
        lag[old, k] = lag[old, known[old]]
    ready = days[None, :] + lag
    autumn = np.searchsorted(days[dates.autumn], ready.ravel(), side="left").reshape(ready.shape)
    return np.maximum.accumulate(autumn, axis=1)


def _lag(
    given: Given, chosen: Index, check: int, probability: float, replications: int, seed: int
) -> Array:
    """Days by which projects planned for a check date are late at most with a probability."""
    names = given.projects.project[chosen]
    date = str(given.dates.date[check])
    built = build(
        given.scenario,
        planned={str(name): date for name in names},
        replications=replications,
        seed=seed,
        crews=False,
    )
    late = np.nan_to_num(built.opening - built.planned, nan=np.inf)
    at = {name: number for number, name in enumerate(built.projects)}
    levels = np.quantile(late, probability, axis=0, method="higher")
    return np.asarray(levels[[at[str(name)] for name in names]])
