"""What must hold across tables and settings."""

from __future__ import annotations

from collections.abc import Mapping

from .faults import Fault
from .settings import Settings
from .typed import Typed

__all__ = ["check"]


def check(
    settings: Settings, tables: Mapping[str, Typed], file: str
) -> tuple[list[Fault], tuple[str, ...]]:
    """Name every fault and warning of a scenario whose cells could be read."""
    return [], ()
