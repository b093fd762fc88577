"""Assembly of a scenario from layers of folders, frames in memory or changes to another one.

Settings are merged and set, tables replaced, scaled and dropped; then everything is checked.
"""

from __future__ import annotations

import copy
import operator
import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationError

from capsim.i18n.language import Message
from capsim.scenario.cell_words import grade_word
from capsim.scenario.faults import Fault, ScenarioError, meant, nearest
from capsim.scenario.folder import SETTINGS, declared_faults, read_folder
from capsim.scenario.parsing import FrozenTable, Mask, Typed, convert, from_cells, from_frame
from capsim.scenario.raw_settings import (
    Provenance,
    assign,
    column_sources,
    merge,
    out_of_reach,
    unwrap,
)
from capsim.scenario.schema import TABLES, WORDS_ZH, Column
from capsim.scenario.school_stages import (
    countries,
    in_country,
    stages_of,
    standards,
    with_stage_prices,
)
from capsim.scenario.settings import (
    Settings,
    faults_of,
    origin_of,
    understood_settings,
    without_faults,
)
from capsim.scenario.travel import projected
from capsim.scenario.validation.check import check

CHANGES = ("extends", "set", "scale", "drop")
CHECKED_ALONE = ("policy", "costs", "cost_terms", "switches", "name", "title", "title_zh")
"""Sections of the settings that no table is checked against, but for `WAGE`."""
WAGE = "teacher_cny"
OPERATORS = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


class _WrongError(Exception):
    """A change that cannot be read: value, expected."""


def scale(tables: dict[str, Typed], file: str, section: Any) -> list[Fault]:
    """Multiply columns of tables in place of the mapping's entries.

    ``section`` is ``{"table.column": factor}`` or ``{"table.column": {factor, where}}``.
    """
    return _changed(tables, file, "scale", section, _scale_column)


def drop(tables: dict[str, Typed], file: str, section: Any) -> list[Fault]:
    """Remove the rows that meet all conditions; ``{}`` removes the table."""
    return _changed(tables, file, "drop", section, _drop_rows)


def _changed(
    tables: dict[str, Typed],
    file: str,
    kind: str,
    section: Any,
    change: Callable[[dict[str, Typed], str, Any], list[Fault]],
) -> list[Fault]:
    """Make each change of a section, and return the faults of those that cannot be read."""
    if not isinstance(section, Mapping):
        return [Fault(file, None, kind, str(section), Message("a table"))]
    faults: list[Fault] = []
    for key, entry in section.items():
        try:
            faults += change(tables, str(key), entry)
        except _WrongError as wrong:
            value, expected = wrong.args
            faults.append(Fault(file, None, f"{kind}.{key}", str(value), expected))
    return faults


def _scale_column(tables: dict[str, Typed], what: str, entry: Any) -> list[Fault]:
    name, column = _column(what)
    factor, conditions = _factor(entry)
    if name not in tables:
        raise _WrongError(name, Message("a table that is there"))
    typed = tables[name]
    if not typed.sound:
        return []
    mask = _mask(typed.frame, name, conditions)
    values = typed.frame[column.name]
    values, bad = convert(values.where(~mask, values * factor), column)
    frame = typed.frame.assign(**{column.name: values})
    tables[name] = replace(typed, frame=frame, sound=not bad)
    return typed.faults(column.name, bad)


def _drop_rows(tables: dict[str, Typed], name: str, conditions: Any) -> list[Fault]:
    if name not in TABLES:
        raise _WrongError(name, nearest(name, TABLES))
    if not isinstance(conditions, Mapping):
        raise _WrongError(conditions, _conditions('{status = "candidate"}'))
    if name not in tables:
        raise _WrongError(name, Message("a table that is there"))
    typed = tables[name]
    if not conditions:
        del tables[name]
    elif typed.sound:
        keep = np.flatnonzero(~_mask(typed.frame, name, conditions))
        frame = typed.frame.iloc[keep].reset_index(drop=True)
        lines = [typed.lines[at] for at in keep.tolist()]
        tables[name] = replace(typed, frame=frame, lines=lines)
    return []


def _column(what: str) -> tuple[str, Column]:
    name, _, column = what.partition(".")
    if name not in TABLES:
        raise _WrongError(name, nearest(name, TABLES))
    table = TABLES[name]
    numeric = [c.name for c in table.columns if c.kind == "number"]
    if column not in numeric:
        raise _WrongError(column, meant(Message("a column of numbers"), column, numeric))
    return name, table.column(column)


def _conditions(example: str) -> Message:
    return Message("conditions, such as {line}", {"line": example})


def _factor(entry: Any) -> tuple[float, Mapping[str, Any]]:
    conditions: Any = {}
    if isinstance(entry, Mapping):
        for key in entry:
            if key not in ("factor", "where"):
                raise _WrongError(key, nearest(str(key), ("factor", "where")))
        conditions = entry.get("where", {})
        entry = entry.get("factor")
    if isinstance(entry, bool) or not isinstance(entry, int | float) or not 0 <= entry <= 1e12:
        raise _WrongError(entry, Message("a factor >= 0"))
    if not isinstance(conditions, Mapping):
        raise _WrongError(conditions, _conditions('{year = ">=2022"}'))
    return float(entry), conditions


def _mask(frame: pd.DataFrame, name: str, conditions: Mapping[str, Any]) -> Mask:
    """Mark the rows that meet every condition."""
    mask = np.ones(len(frame), dtype=bool)
    for column, condition in conditions.items():
        if column not in TABLES[name].names:
            raise _WrongError(column, nearest(str(column), TABLES[name].names))
        mask &= _meets(frame[column], TABLES[name].column(column), condition)
    return mask


def _meets(values: pd.Series, column: Column, condition: Any) -> Mask:
    if isinstance(condition, list | tuple):
        operands = [_operand(one, column) for one in condition]
        return values.isin(operands).to_numpy(dtype=bool)
    text = condition if isinstance(condition, str) else ""
    sign = next((sign for sign in OPERATORS if text.startswith(sign)), "")
    operand = _operand(text.removeprefix(sign).strip() if sign else condition, column)
    met = OPERATORS.get(sign, operator.eq)(values, operand)
    mask: Mask = met.to_numpy(dtype=bool, na_value=False)
    return mask


def _operand(value: Any, column: Column) -> Any:
    """Return the value to compare with, of the column's type."""
    if column.is_number:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        try:
            if isinstance(value, str) and value.isascii() and "_" not in value:
                return float(value)
        except ValueError:
            pass
        raise _WrongError(
            value, Message("a number to compare {column} with", {"column": column.name})
        )
    if isinstance(value, bool | float | Mapping | list):
        raise _WrongError(value, Message("text to compare {column} with", {"column": column.name}))
    return str(value)


class Checked(NamedTuple):
    """The parts of a scenario, all of them checked."""

    settings: Settings
    warnings: tuple[Message, ...]
    tables: Mapping[str, FrozenTable]
    document: Mapping[str, Any]
    given: Mapping[str, Provenance]
    """Provenance of settings."""
    columns: Mapping[str, Provenance]
    """Provenance of columns of tables."""
    notes: tuple[Message, ...] = ()
    """What was read otherwise than it stood."""


def load(folder: str | Path, *, strict: bool = False) -> Checked:
    """Read a scenario folder; see `capsim.load`."""
    document, tables, faults = _layers(Path(folder), "", ())
    return finish(document, tables, faults, SETTINGS, strict=strict)


def from_tables(settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Checked:
    """Check settings and frames; see `Scenario.from_tables`."""
    if not isinstance(settings, Mapping):
        fault = Fault("settings", None, "", type(settings).__name__, Message("a nested dict"))
        raise ScenarioError([fault])
    if expected := out_of_reach(settings):
        raise ScenarioError([Fault("settings", None, "", "…", expected)])
    document = _text_keys(settings)
    faults = []
    for key in CHANGES:
        if document.pop(key, None) is not None:
            expected = Message("a folder (use variant in memory)")
            faults.append(Fault("settings", None, key, key, expected))
    if "tables" in document:
        rows = {name: len(frame) for name, frame in tables.items() if name in TABLES}
        faults += declared_faults(document, rows, "settings", {name: name for name in rows})
    return finish(document, _frames(tables, faults), faults, "settings")


def variant(
    base: Checked,
    values: Mapping[str, Any],
    scales: Mapping[str, Any],
    drops: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
) -> Checked:
    """Change a scenario and check it again; see `Scenario.variant`."""
    if expected := out_of_reach(values):
        raise ScenarioError([Fault("settings", None, "set", "…", expected)])
    document = copy.deepcopy(_without_title_zh(base.document, values))
    faults = assign(document, "settings", {key: _text_keys(v) for key, v in values.items()})
    tables = {
        name: Typed(name, table.frame, range(len(table))) for name, table in base.tables.items()
    }
    tables |= _frames(frames, faults)
    faults += scale(tables, "variant", scales)
    faults += drop(tables, "variant", drops)
    alone = not (scales or drops or frames) and all(map(_is_checked_alone, values))
    known = base.warnings if alone else None
    return finish(
        document, tables, faults, "settings", known=known, frozen=base.tables, told=base.notes
    )


def _is_checked_alone(key: object) -> bool:
    section, _, rest = str(key).partition(".")
    return section in CHECKED_ALONE and (section != "costs" or rest not in ("", WAGE))


def _layers(
    folder: Path, label: str, above: Sequence[Path]
) -> tuple[dict[str, Any] | None, dict[str, Typed], list[Fault]]:
    """Read a folder on top of the one it extends; settings that cannot be read are None."""
    document, cells, faults = read_folder(folder, label)
    if document is None:
        for name, table in cells.items():
            faults += from_cells(name, table)[1]
        return None, {}, faults
    changes = {key: document.pop(key) for key in CHANGES if key in document}
    tables: dict[str, Typed] = {}
    base: dict[str, Any] | None = {}
    file = label + SETTINGS
    if "extends" in changes:
        other = changes["extends"]
        # A loop of links has no real path: it is a folder that is not there.
        chain = [*above, Path(os.path.realpath(folder))]
        if not isinstance(other, str) or not other or "\0" in other:
            wanted = Message("the path of a folder")
            faults.append(Fault(file, None, "extends", str(other), wanted))
        elif Path(os.path.realpath(folder / other)) in chain:
            wanted = Message("a folder that does not extend this")
            faults.append(Fault(file, None, "extends", other, wanted))
        elif not os.path.isdir(folder / other):
            wanted = Message("a folder with a scenario.toml")
            faults.append(Fault(file, None, "extends", other, wanted))
        else:
            base, tables, more = _layers(folder / other, f"{label}{other.rstrip('/')}/", chain)
            faults += more
    for name, table in cells.items():
        tables[name], more = from_cells(name, table)
        faults += more
    if base is None:
        return None, tables, faults
    values = changes.get("set", {})
    if not isinstance(values, Mapping):
        faults.append(Fault(file, None, "set", str(values), Message("a table")))
        values = {}
    document = merge(_without_title_zh(base, {*document, *values}), document)
    faults += assign(document, file, values)
    faults += scale(tables, file, changes.get("scale", {}))
    faults += drop(tables, file, changes.get("drop", {}))
    return document, tables, faults


def _without_title_zh(base: Mapping[str, Any], keys: Container[object]) -> dict[str, Any]:
    """Drop the Chinese title of a base where another title is given."""
    return {key: entry for key, entry in base.items() if key != "title_zh" or "title" not in keys}


def _frames(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> dict[str, Typed]:
    tables = {}
    for name, frame in frames.items():
        if name not in TABLES:
            faults.append(Fault(str(name), None, "", str(name), nearest(str(name), TABLES)))
            continue
        tables[name], more = from_frame(name, frame)
        faults += more
    return tables


def finish(
    document: dict[str, Any] | None,
    tables: dict[str, Typed],
    faults: list[Fault],
    file: str,
    *,
    known: tuple[Message, ...] | None = None,
    frozen: Mapping[str, FrozenTable] | None = None,
    strict: bool = False,
    told: tuple[Message, ...] = (),
) -> Checked:
    """Check everything, and raise with all that is wrong.

    Parameters
    ----------
    document
        Settings as written; None: they could not be read.
    tables, faults
        As read, and what was wrong in reading.
    file
        What faults of the settings name.
    known
        Warnings of tables that need not be checked again.
    frozen
        Tables to be taken over where they are of the same frames.
    strict
        Whether what was not plain is refused.
    told
        Notes of what was read before.
    """
    plain, given, unread = unwrap(
        {k: v for k, v in (document or {}).items() if k != "sources"}, file
    )
    tables, origin, more = projected(tables, origin_of(plain))
    faults += more
    if document is None:
        raise ScenarioError(faults)
    faults += unread
    if origin is not None and "map" not in document:
        place = {"longitude": origin[0], "latitude": origin[1]}
        plain, document = {**plain, "map": place}, {**document, "map": place}
    columns: dict[str, Provenance] = {}
    if "sources" in document:
        columns, more = column_sources(document["sources"], file)
        faults += more
    if known is None:
        for name, typed in tables.items():
            faults += typed.readable().repeated_keys(TABLES[name].key)
    before = len(faults)
    notes: list[Message] = [*told]
    settings = _settings(plain, tables, faults, file, notes)
    if settings is None:
        raise ScenarioError(dict.fromkeys(faults))
    tables = {name: _in_words_known(name, typed, settings) for name, typed in tables.items()}
    for typed in tables.values():
        notes += [Message("{file}: {note}", {"file": typed.file, "note": n}) for n in typed.notes]
    if strict:
        cure = Message("write it plainly, or read it without --strict")
        plainly = Message("nothing to put right")
        faults += [Fault(file, None, "", str(note), plainly, cure) for note in notes]
    more, warnings = check(settings, tables, file, known=known, given=len(faults) == before)
    faults += more
    if faults:
        raise ScenarioError(dict.fromkeys(faults))
    result = {}
    for name in TABLES:
        if name in tables and len(tables[name].frame):
            old = (frozen or {}).get(name)
            same = old is not None and old.frame is tables[name].frame
            result[name] = old if old is not None and same else FrozenTable(tables[name].frame)
    return Checked(settings, warnings, result, document, given, columns, tuple(notes))


def _settings(
    plain: dict[str, Any],
    tables: Mapping[str, Typed],
    faults: list[Fault],
    file: str,
    notes: list[Message],
) -> Settings | None:
    """Read the settings; those with faults are left at defaults, for the checks of all else."""
    plain, more = in_country(plain, file)
    faults += more
    try:
        settings = Settings.model_validate(plain)
    except ValidationError as error:
        plain = understood_settings(plain, error, file, notes)
        try:
            settings = Settings.model_validate(plain)
        except ValidationError as error_left:
            faults += faults_of(error_left, file)
            try:
                settings = Settings.model_validate(without_faults(plain, error_left))
            except ValidationError:
                return None
    if settings.country not in countries():
        known = nearest(settings.country, countries())
        faults.append(Fault(file, None, "country", settings.country, known))
        return None
    if not settings.stages.planned:
        planned = _with_pupils(settings, tables)
        settings = settings.model_copy(
            update={"stages": settings.stages.model_copy(update={"planned": planned})}
        )
    settings, more = with_stage_prices(settings, _for_sale(tables), file)
    faults += more
    return settings


def _for_sale(tables: Mapping[str, Typed]) -> set[str]:
    """List the stages in which places are for sale at no price of their own."""
    if "schools" not in tables or not tables["schools"].sound:
        return set()
    schools = tables["schools"].frame
    open_to = (schools["purchasable_places"] > 0) & schools["purchase_price_cny"].isna()
    return set(schools["stage"][open_to])


def _in_words_known(name: str, typed: Typed, settings: Settings) -> Typed:
    """Read stages and grades in Chinese, where the settings have none by that name."""
    try:
        stages = stages_of(settings)
    except ValueError:
        return typed
    grades = {grade for stage in stages.values() for grade in stage.grades}
    words = {word: stage for stage in stages for word in WORDS_ZH.get(stage, ())}
    for column, known in (("stage", set(stages)), ("grade", grades)):
        if column not in typed.frame or typed.frame.empty:
            continue
        values = typed.frame[column]
        strange = [str(one) for one in values.unique() if one and one not in known]
        new = {
            one: words.get(one, "") if column == "stage" else grade_word(one, grades)
            for one in strange
        }
        new = {one: to for one, to in new.items() if to}
        if new:
            first = next(iter(new))
            note = Message(
                "{column}: {number} cells read as meant, such as {example} as {value}",
                {
                    "column": column,
                    "number": int(values.isin(list(new)).sum()),
                    "example": repr(first),
                    "value": new[first],
                },
            )
            frame = typed.frame.assign(**{column: values.replace(new).astype("str")})
            typed = replace(typed, frame=frame, notes=(*typed.notes, note))
    return typed


def _with_pupils(settings: Settings, tables: Mapping[str, Typed]) -> tuple[str, ...]:
    """List the stages with a grade in pupils or forecast, else with a school or project."""

    def values(names: tuple[str, str], column: str) -> set[str]:
        sound = [tables[name] for name in names if name in tables and tables[name].sound]
        return {value for typed in sound for value in typed.frame[column].unique()}

    known = {
        name: tuple(part["grades"])
        for name, part in standards(settings.country).items()
        if name != "general"
    }
    for name, own in settings.standards.items():
        known[name] = own.grades or known.get(name, ())
    grades = values(("pupils", "forecast"), "grade")
    staged = values(("schools", "projects"), "stage")
    taught = tuple(name for name, own_grades in known.items() if grades & set(own_grades))
    return taught or tuple(name for name in known if name in staged)


def _text_keys(entry: Any) -> Any:
    """Return settings of Python in the shape of TOML: text keys, lists, plain numbers."""
    if isinstance(entry, BaseModel):
        return _text_keys(entry.model_dump(exclude_none=True))
    if isinstance(entry, Mapping):
        return {str(k): _text_keys(v) for k, v in entry.items() if v is not None}
    if isinstance(entry, list | tuple):
        return [_text_keys(item) for item in entry]
    return entry.tolist() if isinstance(entry, np.generic | np.ndarray) else entry
