"""How long building takes where a scenario has no ``phases`` of its own.

Working months by kind of project: least, usual (what is planned) and most. Works take 11-19 months
for a new school after 6-24 months of land and approvals (published projects; fast rural builds 5-6
months, prefabricated schools 6 months in all); the split over the phases is assumed. The width is
calibrated, not chosen: a programme of which two fifths are carried over (works aiming at March to
September, due by 1 September) and the rest are new starts (works aiming at late August to mid-
December, due by 31 December) is in use by the year's end to the share recorded, 111 of 168 or 66
%, with 10-40 % of it usable on 1 September and most of what was carried over open by then, under
the default common shock of a county.
"""

from __future__ import annotations

from dataclasses import dataclass

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


PRIOR: dict[str, tuple[Phase, ...]] = {
    "new": _built("land_and_approvals", 6.0, 9.0, 24.0, 8.0, 3.0),
    "rebuild": _built("approvals", 2.0, 4.0, 12.0, 6.0, 2.5),
    "extend": _built("approvals", 1.5, 3.0, 9.0, 5.0, 2.0),
    "prefab": _built("approvals", 1.0, 1.75, 4.0, 2.25, 1.0),
    "inclusive_kindergarten": _chain(
        ("agreement", 1.8, 2.0, 3.2, "built"),
        ("equipment", 1.1, 1.25, 2.0, "equipped"),
        ("acceptance", 0.45, 0.5, 0.8, "up_to_standard"),
        ("registration", 0.2, 0.25, 0.4, IN_USE),
    ),
}
"""Phases by kind of project, months. Approvals of a new school are published, the others assumed;
a kindergarten turned inclusive is kept close to its plan: 66 of 66 recorded were done in time."""
