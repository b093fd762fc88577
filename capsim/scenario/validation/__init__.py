"""What must hold across settings and tables; every fault of every check at once."""

from __future__ import annotations

from collections.abc import Mapping

from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Typed
from capsim.scenario.settings import Settings
from capsim.scenario.validation.context import Case
from capsim.scenario.validation.people import (
    births_faults,
    forecast_faults,
    pupils_faults,
    schools_faults,
)
from capsim.scenario.validation.projects import (
    phases_faults,
    programme_faults,
    projects_faults,
    resources_faults,
)
from capsim.scenario.validation.references import (
    catchment_faults,
    day_travel_faults,
    links_faults,
    nearby_faults,
    reference_faults,
)
from capsim.scenario.validation.settings import (
    amount_warnings,
    programme_warnings,
    settings_faults,
    stage_table,
)

__all__ = ["check"]

OF_ROWS = (reference_faults, links_faults)
"""Checks of single rows: of a table of which some cannot be read they look at the others."""
CHECKS = (
    nearby_faults,
    day_travel_faults,
    catchment_faults,
    pupils_faults,
    births_faults,
    forecast_faults,
    schools_faults,
    projects_faults,
    programme_faults,
    phases_faults,
    resources_faults,
)


def check(
    settings: Settings,
    tables: Mapping[str, Typed],
    file: str,
    *,
    known: tuple[str, ...] | None = None,
    given: bool = True,
) -> tuple[list[Fault], tuple[str, ...]]:
    """Name every fault and warning of a scenario, as far as its cells could be read.

    ``known`` are the warnings found when the tables, and all settings that they are checked
    against, were checked before: they are not checked again. ``given`` is false where the settings
    stand in for ones with faults: then they are not checked themselves.
    """
    stages, faults = stage_table(settings, file)
    sound = {name: typed for name, typed in tables.items() if typed.sound}
    unread = frozenset(tables) - frozenset(sound)
    case = Case(settings, sound, unread, stages, file)
    if given:
        faults += settings_faults(case)
    if known is not None:
        return faults, known
    rows = {name: typed.readable() for name, typed in tables.items()}
    for one in OF_ROWS:
        faults += one(Case(settings, rows, unread, stages, file))
    for other in CHECKS:
        faults += other(case)
    return faults, () if faults else _warnings(case)


def _warnings(case: Case) -> tuple[str, ...]:
    return (*_use_warnings(case), *programme_warnings(case), *amount_warnings(case))


def _use_warnings(case: Case) -> list[str]:
    has = {name for name, typed in case.tables.items() if len(typed.frame)}
    plans = "areas" in has and bool(has & {"pupils", "forecast"})
    if plans or "projects" in has:
        return []
    return ["nothing to plan (areas and pupils or forecast) and nothing to build (projects)"]
