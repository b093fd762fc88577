"""The list of where a scenario's numbers come from."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.standards import standards

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .build import Checked

__all__ = ["sources"]

COLUMNS = ["what", "value", "unit", "source", "mark"]


def sources(scenario: Checked, stages: Iterable[str]) -> pd.DataFrame:
    """See `Scenario.sources`."""
    rows: list[tuple[str, str, str, str, str]] = []
    values = _flat("", scenario.settings.model_dump(mode="json"))
    for what, entry in scenario.given.items():
        rows.append((what, values.get(what, ""), entry.unit, entry.source, entry.mark))
    overridden = {
        f"{name}.{key}"
        for name, part in scenario.settings.standards.items()
        for key, value in part
        if value is not None
    }
    for name in stages:
        for key, entry in standards(scenario.settings.country).get(name, {}).items():
            if isinstance(entry, dict) and f"{name}.{key}" not in overridden:
                value = str(entry["value"])
                told = (entry["unit"], entry["source"], entry["mark"])
                rows.append((f"standards.{name}.{key}", value, *told))
    for what, given in scenario.columns.items():
        rows.append((what, "", given.unit, given.source, given.mark))
    for name, table in scenario.tables.items():
        said = Counter(zip(table.columns["source"], table.columns["mark"], strict=True))
        for (source, mark), number in sorted(said.items()):
            if source or mark:
                rows.append((name, f"{number} rows", "", source, mark))
    return pd.DataFrame(rows, columns=COLUMNS, dtype="str")


def _flat(path: str, entry: Any) -> dict[str, str]:
    if isinstance(entry, dict):
        found = {path: str(entry)} if path else {}
        for key, value in entry.items():
            found |= _flat(f"{path}.{key}" if path else str(key), value)
        return found
    return {path: str(entry)}
