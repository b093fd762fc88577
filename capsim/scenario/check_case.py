"""What a check looks at, and how it names what is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from capsim.standards import Stage

from .faults import Fault, nearest
from .settings import Settings
from .typed import Typed

__all__ = ["Case", "unknown"]


@dataclass(frozen=True)
class Case:
    """Settings and the tables whose cells could be read.

    ``unread`` names the tables that could not: what refers to them is not judged.
    """

    settings: Settings
    tables: Mapping[str, Typed]
    unread: frozenset[str]
    stages: Mapping[str, Stage]
    file: str

    def get(self, name: str) -> Typed | None:
        """Give a table that has rows."""
        typed = self.tables.get(name)
        return typed if typed is not None and len(typed.frame) else None

    def frame(self, name: str) -> pd.DataFrame | None:
        """Give the frame of a table that has rows."""
        typed = self.get(name)
        return None if typed is None else typed.frame

    @property
    def grades(self) -> dict[str, str]:
        """Stage of every grade."""
        return {grade: stage.name for stage in self.stages.values() for grade in stage.grades}

    def fault(self, key: str, value: object, expected: str) -> Fault:
        """Give a fault of the settings."""
        return Fault(self.file, None, key, str(value), expected)


def unknown(
    typed: Typed, column: str, known: Collection[str], what: str, blank: bool = False
) -> list[Fault]:
    """Name the rows whose value is not known, with the nearest that is."""
    values = typed.frame[column]
    allowed = set(known) | ({""} if blank else set())
    faults = []
    for value in values.unique().tolist():
        if value not in allowed:
            mask = (values == value).to_numpy(dtype=bool)
            faults += typed.where(mask, column, f"{what}: {nearest(value, known)}")
    return faults
