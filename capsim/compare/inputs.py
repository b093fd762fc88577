"""What differs between scenarios in what goes in: settings, rows and cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from capsim.scenario import Scenario
from capsim.scenario.tables import TABLES

__all__ = ["differences", "shown"]

WHOLE = 1e15
"""Size from which on a number without a fraction is written as it is kept."""


def differences(first: Scenario, other: Scenario) -> pd.DataFrame:
    """List what two scenarios differ in.

    Returns
    -------
    DataFrame
        table (`scenario.toml` for settings), key (of the row, or `""`), column (dotted for
        settings), first and value (text; `""` where there is none).
    """
    rows: list[tuple[str, str, str, str, str]] = []
    one, two = (_flat(scenario.settings.model_dump()) for scenario in (first, other))
    for key in sorted(one.keys() | two.keys()):
        if one.get(key) != two.get(key) and key not in {"name", "title", "title_zh", "extends"}:
            rows.append(("scenario.toml", "", key, shown(one.get(key)), shown(two.get(key))))
    for name, table in TABLES.items():
        rows += _cells(name, first.table(name), other.table(name), table.key)
    return pd.DataFrame(rows, columns=["table", "key", "column", "first", "value"])


def _cells(
    name: str, first: pd.DataFrame, other: pd.DataFrame, keys: Sequence[str]
) -> list[tuple[str, str, str, str, str]]:
    """Cells in which two tables differ; a row that only one has is named with its key alone."""
    if first.equals(other):
        return []
    one, two = (table.set_index(_keys(table, keys)) for table in (first, other))
    rows = [(name, key, "", "a row", "") for key in one.index.difference(two.index, sort=False)]
    rows += [(name, key, "", "", "a row") for key in two.index.difference(one.index, sort=False)]
    both = one.index.intersection(two.index, sort=False)
    one, two = one.loc[both], two.loc[both]
    for column in one.columns:
        left, right = one[column], two[column]
        differ = np.asarray(~((left == right) | (left.isna() & right.isna())))
        cells = (values.to_numpy()[differ] for values in (both, left, right))
        rows += [
            (name, str(key), column, shown(a), shown(b)) for key, a, b in zip(*cells, strict=True)
        ]
    return rows


def _keys(table: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    if not keys:
        return pd.Series([str(at) for at in range(len(table))], dtype=str)
    joined = table[keys[0]].astype(str)
    for key in keys[1:]:
        joined = joined + " / " + table[key].astype(str)
    return joined


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def shown(value: object) -> str:
    """Write a setting or a cell as it stands in a scenario: whole numbers without a point.

    Examples
    --------
    >>> shown(2000.0), shown(0.05), shown(True), shown(None), shown("whole")
    ('2000', '0.05', 'true', '', 'whole')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
        return str(int(value))
    return str(value)
