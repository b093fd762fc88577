"""The case that is checked: settings, and the tables whose cells could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Rows, Typed
from capsim.scenario.school_stages import Stage
from capsim.scenario.settings import Settings

Rule = tuple[Rows, str, str]
"""Rows that break the rule, the column to name, what is expected there."""


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
        """Return a table that has rows; else None."""
        typed = self.tables.get(name)
        return typed if typed is not None and len(typed.frame) else None

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return the frame of a table that has rows; else None."""
        typed = self.get(name)
        return None if typed is None else typed.frame

    def values(self, name: str, column: str) -> set[str]:
        """Return the different values of a column; none where the table has no rows."""
        frame = self.frame(name)
        return set() if frame is None else set(frame[column])

    def taught(self) -> set[tuple[str, str]]:
        """Return the pairs of school and stage in the table of schools."""
        schools = self.frame("schools")
        return set() if schools is None else pairs(schools, "school", "stage")

    @property
    def grades(self) -> dict[str, str]:
        """Stage of every grade."""
        return {grade: stage.name for stage in self.stages.values() for grade in stage.grades}

    def fault(self, key: str, value: object, expected: str) -> Fault:
        """Return a fault of the settings."""
        return Fault(self.file, None, key, str(value), expected)


def breaches(typed: Typed, *rules: Rule) -> list[Fault]:
    """Return a fault for each row that breaks a rule."""
    return [
        fault for rows, column, expected in rules for fault in typed.where(rows, column, expected)
    ]


def pairs(frame: pd.DataFrame, one: str, other: str) -> set[tuple[str, str]]:
    """Return the different pairs of values in two columns of text."""
    return set(zip(frame[one], frame[other], strict=True))


def without_pair(
    frame: pd.DataFrame, one: str, other: str, known: Iterable[tuple[str, str]]
) -> pd.Series[bool]:
    """Mark the rows whose pair of values in two columns is not known."""
    listed = set(known)
    unknown = [pair not in listed for pair in zip(frame[one], frame[other], strict=True)]
    return pd.Series(unknown, frame.index, dtype=bool)
