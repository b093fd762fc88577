"""How long building takes where a scenario has no ``phases`` of its own.

Working months by kind of project: least, usual (what is planned) and most. Works take 11-19 months for
a new school after 6-24 months of land and approvals (published projects; fast rural builds 5-6 months,
prefabricated schools 6 months in all); the split over the phases is assumed. The width is calibrated, not
chosen: a programme shaped as the recorded one (a third carried over and due by 1 September, the rest due
from September to the year's end) finishes by the year's end to the share recorded, 111 of 168 or
66 %, and 10-40 % of it is usable on 1 September, with the default common shock of a county.
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
        ``fixed``, ``triangular``, ``pert`` or ``lognormal``.
    low, mode, high : float
        Months of work; NaN where the distribution has no use for it. The mode is what is planned.
        Of a lognormal, low and high are its 5 % and 95 % points.
    needs : tuple of (str, int)
        Resource and units.
    milestone : str
        Milestone reached at its end, or ``""``.
    """

    name: str
    after: tuple[str, ...]
    distribution: str
    low: float
    mode: float
    high: float
    needs: tuple[tuple[str, int], ...] = ()
    milestone: str = ""


def _chain(*rows: tuple[str, float, float, float, str]) -> tuple[Phase, ...]:
    before = ((), *((row[0],) for row in rows[:-1]))
    return tuple(
        Phase(name, after, "pert", low, mode, high, (), milestone)
        for after, (name, low, mode, high, milestone) in zip(before, rows, strict=True)
    )


PRIOR: dict[str, tuple[Phase, ...]] = {
    "new": _chain(
        ("land_and_approvals", 6.0, 9.0, 24.0, ""),
        ("structure", 6.0, 8.0, 13.0, "built"),
        ("fit_out", 2.2, 3.0, 5.0, "equipped"),
        ("acceptance", 0.5, 0.75, 2.0, "up_to_standard"),
        ("handover", 0.2, 0.25, 0.75, IN_USE),
    ),
    "rebuild": _chain(
        ("approvals", 2.0, 4.0, 12.0, ""),
        ("structure", 4.5, 6.0, 10.0, "built"),
        ("fit_out", 1.8, 2.5, 4.2, "equipped"),
        ("acceptance", 0.5, 0.75, 2.0, "up_to_standard"),
        ("handover", 0.2, 0.25, 0.75, IN_USE),
    ),
    "extend": _chain(
        ("approvals", 1.5, 3.0, 9.0, ""),
        ("structure", 3.5, 5.0, 8.5, "built"),
        ("fit_out", 1.5, 2.0, 3.5, "equipped"),
        ("acceptance", 0.5, 0.75, 2.0, "up_to_standard"),
        ("handover", 0.2, 0.25, 0.75, IN_USE),
    ),
    "prefab": _chain(
        ("approvals", 1.0, 1.75, 4.0, ""),
        ("assembly", 1.5, 2.25, 4.0, "built"),
        ("fit_out", 0.8, 1.0, 2.0, "equipped"),
        ("acceptance", 0.5, 0.75, 2.0, "up_to_standard"),
        ("handover", 0.2, 0.25, 0.75, IN_USE),
    ),
    "inclusive_kindergarten": _chain(
        ("agreement", 1.0, 2.0, 4.0, "built"),
        ("equipment", 0.8, 1.25, 2.5, "equipped"),
        ("acceptance", 0.3, 0.5, 1.25, "up_to_standard"),
        ("registration", 0.2, 0.25, 0.75, IN_USE),
    ),
}
"""Phases by kind of project; calibrated as the module says."""
