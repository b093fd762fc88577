"""Settings as they are written: nested, numbers with or without provenance, dotted keys."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from capsim.i18n.language import Message
from capsim.scenario.faults import CONTROL, Fault, as_it_is, nearest, one_of
from capsim.scenario.schema import MARKS, TABLES

WRAPPER = ("value", "unit", "source", "mark")
SOURCE = ("unit", "source", "mark")
DEEPEST = 20
"""Levels of nested tables that are read."""


@dataclass(frozen=True)
class Provenance:
    """The provenance of a number."""

    unit: str = ""
    source: str = ""
    mark: str = ""


def out_of_reach(document: Any) -> Message | None:
    """Describe why a document cannot be read: nested too deep, or numbers too long; else None."""
    rest: list[tuple[Any, int]] = [(document, 0)]
    while rest:
        entry, depth = rest.pop()
        if depth > DEEPEST:
            return Message("at most {most} levels of tables", {"most": DEEPEST})
        if isinstance(entry, Mapping):
            rest += [(value, depth + 1) for value in entry.values()]
        elif isinstance(entry, list | tuple):
            rest += [(value, depth + 1) for value in entry]
        elif isinstance(entry, int) and entry.bit_length() > 1100:
            return Message("whole numbers of at most 300 digits")
    return None


def is_wrapped(entry: Any) -> bool:
    """Check whether an entry is ``{value, unit, source, mark}``."""
    return isinstance(entry, Mapping) and "value" in entry


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Merge one document over another: tables merge by key, anything else replaces.

    Examples
    --------
    >>> merge({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    result = dict(base)
    for key, entry in top.items():
        below = result.get(key)
        wrapped = is_wrapped(entry) or is_wrapped(below)
        if isinstance(entry, Mapping) and isinstance(below, Mapping) and not wrapped:
            result[key] = merge(below, entry)
        else:
            result[key] = copy.deepcopy(entry)
    return result


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
        expected = Message("the dotted key of a setting")
        faults.append(Fault(file, None, f"set.{dotted}", str(value), expected))
    return faults


def unwrap(
    document: Mapping[str, Any], file: str
) -> tuple[dict[str, Any], dict[str, Provenance], list[Fault]]:
    """Return settings with bare values, and the provenance that stood beside them.

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
        texts = [entry] if isinstance(entry, str) else []
        if isinstance(entry, Mapping):
            texts = [str(key) for key in entry]
            if is_wrapped(entry):
                texts += [text for text in entry.values() if isinstance(text, str)]
        for text in texts:
            if CONTROL.search(text):
                expected = Message("text without control characters")
                faults.append(Fault(file, None, path, text, expected))
        if not isinstance(entry, Mapping):
            return entry
        if is_wrapped(entry):
            given[path] = _provenance(entry, file, path, WRAPPER, faults)
            return walk(entry["value"], path)
        return {str(key): walk(value, f"{path}.{key}") for key, value in entry.items()}

    # a document is never itself a number, even where somebody calls a setting of it "value"
    plain = {str(key): walk(value, str(key)) for key, value in document.items()}
    return plain, given, faults


def column_sources(section: Any, file: str) -> tuple[dict[str, Provenance], list[Fault]]:
    """Read ``[sources]``: the provenance of whole columns, ``"table.column" = {...}``."""
    if not isinstance(section, Mapping):
        return {}, [Fault(file, None, "sources", str(section), Message("a table"))]
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
            expected = as_it_is('{source = "…", mark = "…"}')
            faults.append(Fault(file, None, where, str(entry), expected))
        else:
            result[what] = _provenance(entry, file, where, SOURCE, faults)
    return result, faults


def _flat(section: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return the entries by column, ``schools.places = {…}`` as ``"schools.places" = {…}``."""
    for key, entry in section.items():
        text = str(key)
        if "." not in text and isinstance(entry, Mapping) and text in TABLES:
            yield from ((f"{text}.{column}", inner) for column, inner in entry.items())
        else:
            yield text, entry


def _provenance(
    entry: Mapping[str, Any], file: str, path: str, known: tuple[str, ...], faults: list[Fault]
) -> Provenance:
    """Return what an entry says of its source; what is wrong with it is added to the faults."""
    for key, value in entry.items():
        where = f"{path}.{key}"
        if key not in known:
            faults.append(Fault(file, None, where, str(key), nearest(str(key), known)))
        elif key == "mark" and value not in MARKS:
            faults.append(Fault(file, None, where, str(value), one_of(MARKS)))
        elif key != "value" and not isinstance(value, str):
            faults.append(Fault(file, None, where, str(value), Message("text")))
    return Provenance(**{key: entry[key] for key in SOURCE if isinstance(entry.get(key), str)})
