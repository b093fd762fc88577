"""Faults of a scenario, which name a file, row and column, given the cell of the workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .document import SOURCE
from .faults import Fault
from .workbook_read import cell_name

__all__ = ["Place", "located"]


@dataclass(frozen=True)
class Place:
    """Where things stand on a sheet.

    Attributes
    ----------
    title : str
    row : int
        Of the header.
    columns : mapping
        Column by name, counted from 0.
    keys : dict
        Of settings and sources: row by dotted key.
    """

    title: str
    row: int
    columns: Mapping[str, int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)


def located(
    faults: Iterable[Fault], places: Mapping[str, Place], sources: Place
) -> tuple[Fault, ...]:
    """Name the cell of every fault; of several in one cell the first is kept.

    Examples
    --------
    >>> place = Place("births", 1, {"area": 0, "year": 1})
    >>> located([Fault("births", 7, "year", "x", "a year")], {"births": place}, place)[0].file
    'births!B7'
    """
    found: dict[tuple[str, str], Fault] = {}
    for fault in faults:
        place = places.get(fault.file)
        cell = fault.file if place is None else _cell(fault, place, sources)
        single = "!" in cell and not cell.partition("!")[2].count(":")
        known = (cell, "") if single else (cell, str(fault))
        found.setdefault(known, replace(fault, file=cell, row=None))
    return tuple(found.values())


def _cell(fault: Fault, place: Place, sources: Place) -> str:
    if place.keys and fault.column and fault.row is None:
        return _of_key(fault.column, place, sources)
    column = place.columns.get(fault.column.split(", ")[0])
    if fault.row is not None:
        return cell_name(place.title, fault.row, column)
    if column is not None and fault.value == fault.column:
        return cell_name(place.title, place.row, column)
    if column is not None:
        return cell_name(place.title, None, column)
    return cell_name(place.title, place.row) if fault.column else place.title


def _of_key(dotted: str, place: Place, sources: Place) -> str:
    """Find the row that gives a setting, the first of a section, or the one that holds it."""
    if dotted.startswith("sources."):
        place = sources
    parent, _, last = dotted.rpartition(".")
    if dotted not in place.keys and parent in place.keys and last in SOURCE:
        return cell_name(place.title, place.keys[parent], place.columns.get(last))
    if dotted in place.keys:
        value = place.columns.get("value", place.columns.get("what"))
        return cell_name(place.title, place.keys[dotted], value)
    inside = [row for key, row in place.keys.items() if key.startswith(f"{dotted}.")]
    if inside:
        return cell_name(place.title, min(inside), place.columns.get("key"))
    return _of_key(parent, place, sources) if parent else place.title
