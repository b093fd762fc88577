"""Settings as written: numbers with or without provenance, merged, and set by dotted keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capsim.scenario.faults import Fault, nearest
from capsim.scenario.schema import MARKS, TABLES

WRAPPER = ("value", "unit", "source", "mark")
SOURCE = ("unit", "source", "mark")
DEEPEST = 20


@dataclass(frozen=True)
class Provenance:
    """Where a number comes from."""

    unit: str = ""
    source: str = ""
    mark: str = ""


def out_of_reach(document: Any) -> str:
    """Say why a document cannot be worked on: nested without end, or numbers nobody can hold."""
    rest: list[tuple[Any, int]] = [(document, 0)]
    while rest:
        entry, depth = rest.pop()
        if depth > DEEPEST:
            return f"at most {DEEPEST} levels of tables"
        if isinstance(entry, Mapping):
            rest += [(value, depth + 1) for value in entry.values()]
        elif isinstance(entry, list | tuple):
            rest += [(value, depth + 1) for value in entry]
        elif isinstance(entry, int) and entry.bit_length() > 1100:
            return "whole numbers of at most 300 digits"
    return ""


def is_wrapped(entry: Any) -> bool:
    """Tell whether an entry is ``{value, unit, source, mark}``."""
    return isinstance(entry, Mapping) and "value" in entry


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one document over another: tables merge by key, anything else replaces.

    Examples
    --------
    >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    result = dict(base)
    for key, entry in top.items():
        below = result.get(key)
        if isinstance(entry, Mapping) and isinstance(below, Mapping) and _is_table(entry, below):
            result[key] = merge(below, entry)
        else:
            result[key] = copy.deepcopy(entry)
    return result


def _is_table(entry: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    return not (is_wrapped(entry) or is_wrapped(below))


def assign(document: dict[str, Any], file: str, values: Mapping[str, Any]) -> list[Fault]:
    """Set dotted keys of a document in place; the value replaces what stood there, None removes it.

    Examples
    --------
    >>> document = {"policy": {"private_share_cap": {"2022": 0.05}}}
    >>> assign(document, "settings", {"policy.private_share_cap.2022": 0.06})
    []
    >>> document
    {'policy': {'private_share_cap': {'2022': 0.06}}}
    """
    faults = []
    for dotted, value in values.items():
        *path, last = str(dotted).split(".")
        at: Any = document
        for part in path:
            below = at.get(part)
            if not isinstance(below, Mapping) or is_wrapped(below):
                if below is not None and not is_wrapped(below):
                    break
                inner = below["value"] if is_wrapped(below) else {}
                below = dict(inner) if isinstance(inner, Mapping) else {}
            below = {str(key): entry for key, entry in below.items()}
            at[part] = below
            at = below
        else:
            if last and all(path):
                if value is None:
                    at.pop(last, None)
                else:
                    at[last] = copy.deepcopy(value)
                continue
        faults.append(Fault(file, None, f"set.{dotted}", str(value), "the dotted key of a setting"))
    return faults


def unwrap(
    document: Mapping[str, Any], file: str
) -> tuple[dict[str, Any], dict[str, Provenance], list[Fault]]:
    """Take the numbers out of their wrappers.

    Returns
    -------
    plain : dict
        The document with bare values.
    given : dict of dotted key to Provenance
    faults : list of Fault
    """
    given: dict[str, Provenance] = {}
    faults: list[Fault] = []

    def walk(entry: Any, path: str) -> Any:
        if not isinstance(entry, Mapping):
            return entry
        if is_wrapped(entry):
            faults.extend(_provenance_faults(entry, file, path, WRAPPER))
            texts = {key: entry[key] for key in SOURCE if isinstance(entry.get(key), str)}
            given[path] = Provenance(**texts)
            return walk(entry["value"], path)
        return {str(key): walk(value, f"{path}.{key}") for key, value in entry.items()}

    # a document is never itself a number, even where somebody calls a setting of it "value"
    plain = {str(key): walk(value, str(key)) for key, value in document.items()}
    return plain, given, faults


def column_sources(section: Any, file: str) -> tuple[dict[str, Provenance], list[Fault]]:
    """Read ``[sources]``: the provenance of whole columns, ``"table.column" = {...}``."""
    if not isinstance(section, Mapping):
        return {}, [Fault(file, None, "sources", str(section), "a table")]
    result: dict[str, Provenance] = {}
    faults: list[Fault] = []
    for what, entry in _flat(section):
        table, _, column = what.partition(".")
        where = f"sources.{what}"
        if table not in TABLES:
            faults.append(Fault(file, None, where, table, nearest(table, TABLES)))
        elif column not in TABLES[table].names:
            faults.append(Fault(file, None, where, column, nearest(column, TABLES[table].names)))
        elif not isinstance(entry, Mapping):
            faults.append(Fault(file, None, where, str(entry), '{source = "…", mark = "…"}'))
        else:
            faults.extend(_provenance_faults(entry, file, where, SOURCE))
            texts = {key: entry[key] for key in SOURCE if isinstance(entry.get(key), str)}
            result[what] = Provenance(**texts)
    return result, faults


def _flat(section: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Take ``schools.places = {…}`` and ``"schools.places" = {…}`` alike."""
    for key, entry in section.items():
        text = str(key)
        if "." not in text and isinstance(entry, Mapping) and text in TABLES:
            yield from ((f"{text}.{column}", inner) for column, inner in entry.items())
        else:
            yield text, entry


def _provenance_faults(
    entry: Mapping[str, Any], file: str, path: str, known: tuple[str, ...]
) -> Iterator[Fault]:
    for key, value in entry.items():
        where = f"{path}.{key}"
        if key not in known:
            yield Fault(file, None, where, str(key), nearest(str(key), known))
        elif key == "mark" and value not in MARKS:
            yield Fault(file, None, where, str(value), f"one of {', '.join(MARKS)}")
        elif key != "value" and not isinstance(value, str):
            yield Fault(file, None, where, str(value), "text")
