"""What a check looks at, and how it names what is unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.scenario.faults import Fault, nearest
from capsim.scenario.parsing import SHOWN, Bad, Typed
from capsim.scenario.settings import Settings
from capsim.scenario.stages import Stage

SEARCHED = 10


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
    """Name the rows whose value is not known, the first values with the nearest that is."""
    values = typed.frame[column]
    strange = set(values.unique().tolist()) - set(known) - ({""} if blank else set())
    if not strange:
        return []
    rows = np.flatnonzero(values.isin(list(strange)).to_numpy(dtype=bool)).tolist()
    near: dict[str, str] = {}
    bad: list[Bad] = []
    for at in rows[:SHOWN]:
        value = str(values.iloc[at])
        if value not in near:
            near[value] = f"{what}: {nearest(value, known)}" if len(near) < SEARCHED else what
        bad.append((at, value, near[value]))
    if len(rows) > SHOWN:
        bad.append((None, f"{len(rows) - SHOWN} more rows", what))
    return typed.faults(column, bad)
