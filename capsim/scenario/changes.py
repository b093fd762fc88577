"""What makes a variant of tables: columns scaled, rows dropped, by conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .columns import convert
from .faults import Fault, nearest
from .tables import TABLES, Column
from .typed import Typed

__all__ = ["drop", "scale"]

Mask = npt.NDArray[np.bool_]
OPERATORS = (">=", "<=", "!=", ">", "<")


class _WrongError(Exception):
    """A condition that cannot be read: where, value, expected."""


def scale(tables: dict[str, Typed], file: str, section: Any) -> list[Fault]:
    """Multiply columns of tables in place of the mapping's entries.

    ``section`` is ``{"table.column": factor}`` or ``{"table.column": {factor, where}}``.
    """
    if not isinstance(section, Mapping):
        return [Fault(file, None, "scale", str(section), "a table")]
    faults: list[Fault] = []
    for what, entry in section.items():
        where = f"scale.{what}"
        try:
            name, column = _column(str(what))
            factor, rows = _factor(entry)
            if name not in tables or not tables[name].sound:
                if name not in tables:
                    raise _WrongError(name, "a table that is there")
                continue
            typed = tables[name]
            mask = _mask(typed.frame, name, rows)
            frame = typed.frame.copy()
            frame[column.name] = frame[column.name].where(~mask, frame[column.name] * factor)
            values, bad = convert(frame[column.name], column)
            faults += typed.faults(column.name, bad)
            frame[column.name] = values
            tables[name] = replace(typed, frame=frame, sound=not bad)
        except _WrongError as wrong:
            value, expected = wrong.args
            faults.append(Fault(file, None, where, str(value), expected))
    return faults


def drop(tables: dict[str, Typed], file: str, section: Any) -> list[Fault]:
    """Remove the rows that meet all conditions; ``{}`` removes the table."""
    if not isinstance(section, Mapping):
        return [Fault(file, None, "drop", str(section), "a table")]
    faults = []
    for name, conditions in section.items():
        where = f"drop.{name}"
        try:
            if name not in TABLES:
                raise _WrongError(name, nearest(str(name), TABLES))
            if not isinstance(conditions, Mapping):
                raise _WrongError(conditions, 'conditions, such as {status = "candidate"}')
            if name not in tables:
                raise _WrongError(name, "a table that is there")
            typed = tables[name]
            if not conditions:
                del tables[name]
            elif typed.sound:
                keep = np.flatnonzero(~_mask(typed.frame, str(name), conditions))
                frame = typed.frame.iloc[keep].reset_index(drop=True)
                lines = [typed.lines[at] for at in keep.tolist()]
                tables[name] = replace(typed, frame=frame, lines=lines)
        except _WrongError as wrong:
            value, expected = wrong.args
            faults.append(Fault(file, None, where, str(value), expected))
    return faults


def _column(what: str) -> tuple[str, Column]:
    name, _, column = what.partition(".")
    if name not in TABLES:
        raise _WrongError(name, nearest(name, TABLES))
    table = TABLES[name]
    numeric = [c.name for c in table.columns if c.kind == "number"]
    if column not in numeric:
        raise _WrongError(column, f"a column of numbers: {nearest(column, numeric)}")
    return name, table.column(column)


def _factor(entry: Any) -> tuple[float, Mapping[str, Any]]:
    rows: Any = {}
    if isinstance(entry, Mapping):
        for key in entry:
            if key not in ("factor", "where"):
                raise _WrongError(key, nearest(str(key), ("factor", "where")))
        rows = entry.get("where", {})
        entry = entry.get("factor")
    if isinstance(entry, bool) or not isinstance(entry, int | float) or not 0 <= entry <= 1e12:
        raise _WrongError(entry, "a factor >= 0")
    if not isinstance(rows, Mapping):
        raise _WrongError(rows, 'conditions, such as {year = ">=2022"}')
    return float(entry), rows


def _mask(frame: pd.DataFrame, name: str, conditions: Mapping[str, Any]) -> Mask:
    """Rows that meet every condition."""
    mask = np.ones(len(frame), dtype=bool)
    for column, condition in conditions.items():
        if column not in TABLES[name].names:
            raise _WrongError(column, nearest(str(column), TABLES[name].names))
        mask &= _meets(frame[column], TABLES[name].column(column), condition)
    return mask


def _meets(values: pd.Series, column: Column, condition: Any) -> Mask:
    if isinstance(condition, list | tuple):
        wanted = [_operand(one, column) for one in condition]
        return values.isin(wanted).to_numpy(dtype=bool)
    text = condition if isinstance(condition, str) else ""
    sign = next((sign for sign in OPERATORS if text.startswith(sign)), "")
    operand = _operand(text.removeprefix(sign).strip() if sign else condition, column)
    if sign == ">=":
        found = values >= operand
    elif sign == "<=":
        found = values <= operand
    elif sign == ">":
        found = values > operand
    elif sign == "<":
        found = values < operand
    elif sign == "!=":
        found = values != operand
    else:
        found = values == operand
    mask: Mask = found.to_numpy(dtype=bool, na_value=False)
    return mask


def _operand(value: Any, column: Column) -> Any:
    """Give the value to compare with, of the column's type."""
    if column.kind in ("number", "int"):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        try:
            if isinstance(value, str) and value.isascii() and "_" not in value:
                return float(value)
        except ValueError:
            pass
        raise _WrongError(value, f"a number to compare {column.name} with")
    if isinstance(value, bool | float | Mapping | list):
        raise _WrongError(value, f"text to compare {column.name} with")
    return str(value)
