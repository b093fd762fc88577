"""Durations of phases: distributions, draws of them, and the prior of each kind of project.

Every phase of every copy of a project has its own stream of random numbers, named by seed,
project, copy and phase: a project meets the same luck in every plan that builds it (common random
numbers), and replication *k* is the same however many are drawn.

`PRIOR` says how long building takes where a scenario has no ``phases`` of its own: working months
by kind of project: least, usual (what is planned) and most. Works take 11-19 months
for a new school after 6-24 months of land and approvals (published projects; fast rural builds 5-6
months, prefabricated schools 6 months in all); the split over the phases is assumed. The width is
calibrated, not chosen: a programme of which two fifths are carried over (works aiming at March to
September, due by 1 September) and the rest are new starts (works aiming at late August to mid-
December, due by 31 December) is in use by the year's end to the share recorded, 111 of 168 or 66
%, with 10-40 % of it usable on 1 September and most of what was carried over open by then, under
the default common shock of a county.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capsim.construction.calendars import MONTH_DAYS, Days

QUANTILE_95 = 1.6448536269514722
"""Of the normal: `low` and `high` of a lognormal are its quantiles of 5 % and 95 %."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random numbers of a name under a seed.

    Examples
    --------
    >>> bool(stream(1, "B001").random() == stream(1, "B001").random())
    True
    """
    # Python's own hash of a text differs from process to process.
    words = (zlib.crc32(name.encode()) for name in names)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, *words))))


def draw(phase: Phase, size: int, rng: np.random.Generator) -> Days:
    """Draw working days of a phase.

    Parameters
    ----------
    phase : Phase
    size : int
        Number of replications.
    rng : numpy.random.Generator

    Returns
    -------
    float64 ``[replication]``

    Examples
    --------
    >>> pert = Phase("structure", (), "pert", 6.0, 8.0, 13.0)
    >>> float((draw(pert, 40_000, stream(0)) / MONTH_DAYS).mean().round(1))  # (6 + 4 x 8 + 13) / 6
    8.5
    """
    if phase.distribution == "empirical":
        return rng.choice(np.array(phase.observed) * MONTH_DAYS, size)
    low, mode, high = phase.low * MONTH_DAYS, phase.mode * MONTH_DAYS, phase.high * MONTH_DAYS
    if phase.distribution == "fixed" or low == high:
        return np.full(size, mode)
    if phase.distribution == "triangular":
        return rng.triangular(low, mode, high, size)
    if phase.distribution == "pert":
        a = 1 + 4 * (mode - low) / (high - low)
        return low + (high - low) * rng.beta(a, 6 - a, size)
    if phase.distribution == "lognormal":
        sigma = (math.log(high) - math.log(low)) / (2 * QUANTILE_95)
        return rng.lognormal((math.log(high) + math.log(low)) / 2, sigma, size)
    raise ValueError(f"{phase.distribution!r} is no distribution of phase {phase.name!r}")


def shocks(counties: Sequence[str], sd: float, size: int, seed: int) -> dict[str, Days]:
    """Draw the factor on all durations of each county, median 1, ``sd`` that of its logarithm."""
    return {
        county: np.exp(sd * stream(seed, "county", county).standard_normal(size))
        for county in sorted(set(counties))
    }


IN_USE = "in_use"
MILESTONES = ("built", "equipped", "up_to_standard", IN_USE)


@dataclass(frozen=True)
class Phase:
    """One phase of a project.

    Attributes
    ----------
    name : str
    after : tuple of str
        Phases before it; ``PROJECT:PHASE`` is a phase of another project.
    distribution : str
        ``fixed``, ``triangular``, ``pert``, ``lognormal`` or ``empirical``.
    low, mode, high : float
        Months of work; NaN where the distribution has no use for it. The mode is what is planned.
        Of a lognormal, low and high are its 5 % and 95 % points.
    needs : tuple of (str, int)
        Resource and units.
    milestone : str
        Milestone reached at its end, or ``""``.
    observed : tuple of float
        Months of an empirical duration, each as likely as the others.
    """

    name: str
    after: tuple[str, ...]
    distribution: str
    low: float
    mode: float
    high: float
    needs: tuple[tuple[str, int], ...] = ()
    milestone: str = ""
    observed: tuple[float, ...] = ()


EARLY, LATE = 0.9, 2.9
"""Least and most time of works, as multiples of the planned; calibrated as the module says."""


def _chain(*rows: tuple[str, float, float, float, str]) -> tuple[Phase, ...]:
    before = ((), *((row[0],) for row in rows[:-1]))
    return tuple(
        Phase(name, after, "pert", low, mode, high, (), milestone)
        for after, (name, low, mode, high, milestone) in zip(before, rows, strict=True)
    )


def _built(
    name: str, low: float, mode: float, high: float, structure: float, fit_out: float
) -> tuple[Phase, ...]:
    """Return approvals as given, then works by their planned months."""
    works = (
        ("structure", structure, "built"),
        ("fit_out", fit_out, "equipped"),
        ("acceptance", 0.75, "up_to_standard"),
        ("handover", 0.25, IN_USE),
    )
    return _chain(
        (name, low, mode, high, ""),
        *((work, EARLY * plan, plan, LATE * plan, reached) for work, plan, reached in works),
    )


def _wound_up(hearing: float, move: float) -> tuple[Phase, ...]:
    """Return the hearing of those concerned, then the move of a school that closes."""
    return _chain(
        ("hearing", 0.75 * hearing, hearing, 2 * hearing, ""),
        ("move", EARLY * move, move, LATE * move, "equipped"),
        ("handover", EARLY * 0.25, 0.25, LATE * 0.25, IN_USE),
    )


PRIOR: dict[str, tuple[Phase, ...]] = {
    "new": _built("land_and_approvals", 6.0, 9.0, 24.0, 8.0, 3.0),
    "rebuild": _built("approvals", 2.0, 4.0, 12.0, 6.0, 2.5),
    "extend": _built("approvals", 1.5, 3.0, 9.0, 5.0, 2.0),
    "prefab": _built("approvals", 1.0, 1.75, 4.0, 2.25, 1.0),
    "restage": _built("approvals", 1.0, 2.0, 4.0, 2.0, 1.0),
    "nine_year": _built("approvals", 2.0, 4.0, 12.0, 6.0, 2.0),
    "merge": _wound_up(4.0, 2.0),
    "close": _wound_up(4.0, 1.0),
    "inclusive_kindergarten": _chain(
        ("agreement", 1.8, 2.0, 3.2, "built"),
        ("equipment", 1.1, 1.25, 2.0, "equipped"),
        ("acceptance", 0.45, 0.5, 0.8, "up_to_standard"),
        ("registration", 0.2, 0.25, 0.4, IN_USE),
    ),
}
"""Phases by kind of project, months. Approvals of a new school are published, the others assumed;
a kindergarten turned inclusive is kept close to its plan: 66 of 66 recorded were done in time."""
