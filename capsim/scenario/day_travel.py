"""How far day pupils may live from school: the limits of a stage and kind of area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from capsim.standards import Stage

    from .settings import Settings

__all__ = ["boards", "day_limits", "limits_travel", "too_far"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Kinds = NDArray[np.object_]


def limits_travel(settings: Settings) -> bool:
    """Tell whether any stage limits the way of its day pupils."""
    travel = settings.travel
    return bool(travel.day_km or travel.day_minutes or travel.standard_limits)


def day_limits(settings: Settings, stage: Stage, kind: Kinds) -> tuple[Floats, float]:
    """Farthest way in km by area, and longest in minutes, of a stage's day pupils; inf for none.

    What ``travel.day_km`` and ``travel.day_minutes`` say of the stage, else with
    ``travel.standard_limits`` the standards: the service radius of urban areas, the rural one of
    all others, and the longest way.

    Parameters
    ----------
    settings : Settings
    stage : Stage
        With the scenario's own standards.
    kind : array of text [area]
        Of ``areas.kind``.
    """
    travel = settings.travel
    km = np.full(len(kind), np.inf)
    minutes = travel.day_minutes.get(stage.name, np.inf)
    if travel.standard_limits:
        rural = stage.rural_radius_km or stage.service_radius_km
        km = np.where(kind == "urban", stage.service_radius_km, rural)
        minutes = travel.day_minutes.get(stage.name, stage.day_minutes or np.inf)
    if stage.name in travel.day_km:
        km = np.full(len(kind), travel.day_km[stage.name])
    return np.asarray(km, np.float64), float(minutes)


def too_far(settings: Settings, stage: Stage, kind: Kinds, km: Floats, minutes: Floats) -> Flags:
    """Flag the ways that a day pupil of the stage may not have.

    Parameters
    ----------
    kind : array of text [way]
        Of the area in which it begins.
    km : array [way]
    minutes : array [way]
        NaN where not given: ``km`` at ``travel.km_per_hour``.

    Examples
    --------
    >>> import capsim
    >>> said = {"travel.standard_limits": True, "travel.km_per_hour": 5.0}
    >>> settings = capsim.generate(3, 30_000).variant(said).settings
    >>> primary = capsim.standards.stages()["primary"]
    >>> kind = np.array(["urban", "rural", "rural", "rural"], object)
    >>> km, minutes = np.array([0.6, 2.4, 2.6, 3.1]), np.array([9, np.nan, np.nan, 20])
    >>> too_far(settings, primary, kind, km, minutes).tolist()
    [True, False, True, True]
    """
    most_km, most_minutes = day_limits(settings, stage, kind)
    far = km > most_km + 1e-9
    if np.isfinite(most_minutes):
        speed = settings.travel.km_per_hour
        walked = np.full(len(km), np.nan) if speed is None else km / speed * 60.0
        far |= np.where(np.isnan(minutes), walked, minutes) > most_minutes + 1e-9
    return np.asarray(far, np.bool_)


def boards(stage: Stage) -> Flags:
    """Flag the grades of a stage in which children may board."""
    first = stage.boards_from_year
    return np.asarray((np.arange(len(stage.grades)) + 1 >= first) & (first > 0), np.bool_)
