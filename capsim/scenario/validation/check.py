"""The list of all checks of a scenario, and those skipped where a table has bad cells."""

from __future__ import annotations

from collections.abc import Mapping

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Typed
from capsim.scenario.settings import Settings
from capsim.scenario.validation.context import Case, completeness_warnings
from capsim.scenario.validation.people import (
    births_faults,
    forecast_faults,
    pupils_faults,
    schools_faults,
)
from capsim.scenario.validation.projects import (
    choice_faults,
    options_faults,
    phases_faults,
    programme_faults,
    programme_warnings,
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
    OF_ORDERS,
    amount_warnings,
    odd_warnings,
    order_warnings,
    settings_faults,
    stage_table,
)

OF_ROWS = (reference_faults, links_faults)
"""Checks of single rows: of a table of which some cannot be read they look at the others."""
OF_TABLES = (
    nearby_faults,
    day_travel_faults,
    catchment_faults,
    pupils_faults,
    births_faults,
    forecast_faults,
    schools_faults,
    projects_faults,
    programme_faults,
    choice_faults,
    options_faults,
    phases_faults,
    resources_faults,
)


def check(
    settings: Settings,
    tables: Mapping[str, Typed],
    file: str,
    *,
    known: tuple[Message, ...] | None = None,
    given: bool = True,
) -> tuple[list[Fault], tuple[Message, ...]]:
    """Return every fault and warning of a scenario, as far as its cells could be read.

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
        kept = [one for one in known if one.msgid not in OF_ORDERS]
        return faults, (*kept, *order_warnings(case))
    readable = {name: typed.readable() for name, typed in tables.items()}
    for check_rows in OF_ROWS:
        faults += check_rows(Case(settings, readable, unread, stages, file))
    for check_table in OF_TABLES:
        faults += check_table(case)
    if faults:
        return faults, ()
    return faults, (
        *_use_warnings(case),
        *programme_warnings(case),
        *amount_warnings(case),
        *odd_warnings(case),
        *order_warnings(case),
        *completeness_warnings(case),
    )


def _use_warnings(case: Case) -> list[Message]:
    with_rows = {name for name in case.tables if case.get(name) is not None}
    plans = "areas" in with_rows and bool(with_rows & {"pupils", "forecast"})
    if plans or "projects" in with_rows:
        return []
    text = "nothing to plan (areas and pupils or forecast) and nothing to build (projects)"
    return [Message(text)]
