"""Conversion of settings to rows of a sheet (dotted key, value, provenance) and back.

The column ``type`` says how a value is meant: ``text``, ``number``, ``yes/no``, ``date``, ``toml``
(a list, or anything else, as ``scenario.toml`` would write it), ``table`` (a table by year or name
whose rows follow; only where the whole of it has a source). A blank type goes by the cell.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from capsim.scenario.document import SOURCE, is_wrapped
from capsim.scenario.excel.writer import FIRST_DATE, MOST_LETTERS

TYPES = ("text", "number", "yes/no", "date", "toml", "table")
Row = tuple[str, Any, str, str, str, str]
"""key, value, unit, source, mark, type."""

PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
PLAIN = re.compile(r'[^."\\\x00-\x1f\x7f]+')
TRUE, FALSE = ("true", "yes", "是"), ("false", "no", "否")


def rows_of(document: Mapping[str, Any], above: str = "") -> Iterator[Row]:
    """Return a row for each value of settings, in order.

    Examples
    --------
    >>> list(rows_of({"policy": {"private_share_cap": {"2022": {"value": 0.05, "mark": "S"}}}}))
    [('policy.private_share_cap.2022', 0.05, '', '', 'S', 'number')]
    >>> list(rows_of({"stages": {"planned": ["primary"]}}))
    [('stages.planned', '["primary"]', '', '', '', 'toml')]
    """
    for name, entry in document.items():
        key = f"{above}.{_quoted(name)}" if above else _quoted(name)
        if is_wrapped(entry):
            value = entry["value"]
            unit, source, mark = (str(entry.get(part, "")) for part in SOURCE)
            if not (unit or source or mark) or is_wrapped(value):
                yield key, inline(entry), "", "", "", "toml"
            elif isinstance(value, Mapping) and value:
                yield key, None, unit, source, mark, "table"
                yield from rows_of(value, key)
            else:
                cell, kind = _cell(value)
                yield key, cell, unit, source, mark, kind
        elif isinstance(entry, Mapping) and entry:
            yield from rows_of(entry, key)
        else:
            cell, kind = _cell(entry)
            yield key, cell, "", "", "", kind


def inline(value: Any) -> str:
    """Write a value as TOML on one line.

    Examples
    --------
    >>> inline({"stops": [["12-15", "02-15"]], "on": True})
    '{"stops" = [["12-15", "02-15"]], "on" = true}'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(str(k))} = {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return repr(value)


def split_key(key: str) -> tuple[str, ...] | None:
    """Split a dotted key into its parts; None where it is invalid.

    Examples
    --------
    >>> split_key('programmes."build.2022".by'), split_key("a..b")
    (('programmes', 'build.2022', 'by'), None)
    """
    parts, at = [], 0
    while (match := PART.match(key, at)) is not None:
        text = match[0].strip()
        try:
            parts.append(json.loads(text) if text.startswith('"') else text)
        except ValueError:
            return None
        at = match.end()
        if at == len(key):
            return tuple(parts) if all(parts) else None
        if key[at] != ".":
            return None
        at += 1
    return None


def read_value(value: Any, kind: str) -> tuple[Any, str]:
    """Return the value of a cell as its type means it, and what was expected where it is invalid.

    A text for a number, a number for a date and the like pass: the check of settings names them.

    Examples
    --------
    >>> read_value(2022.0, ""), read_value("是", "yes/no"), read_value('["a"]', "toml")
    ((2022, ''), (True, ''), (['a'], ''))
    >>> read_value("[a", "toml")
    (None, 'TOML, such as ["primary", "junior"]')
    """
    if kind == "toml" or (not kind and isinstance(value, str) and value.startswith("[")):
        try:
            (item,) = tomllib.loads(f"v = {value}").values()
            return item, ""
        except (tomllib.TOMLDecodeError, ValueError, RecursionError):
            return None, 'TOML, such as ["primary", "junior"]'
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if kind == "text":
        return str(value), ""
    if kind == "yes/no" and isinstance(value, str):
        word = value.strip().lower()
        return (True if word in TRUE else False if word in FALSE else value), ""
    return value, ""


def _quoted(name: Any) -> str:
    text = str(name)
    plain = PLAIN.fullmatch(text) and text == text.strip()
    return text if plain else json.dumps(text)


def _cell(value: Any) -> tuple[Any, str]:
    """Return what stands in the cell of a value, and its type."""
    if isinstance(value, bool):
        return value, "yes/no"
    if isinstance(value, int) and abs(value) < 2**53:
        return value, "number"
    if isinstance(value, float) and math.isfinite(value):
        return value, "number"
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime) and value >= FIRST_DATE:
        return value, "date"
    if isinstance(value, str) and value and value.isprintable() and len(value) < MOST_LETTERS:
        return value, "text"
    return inline(value), "toml"
