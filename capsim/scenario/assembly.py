"""What makes a variant of tables: columns scaled, rows dropped, by conditions.

How a scenario comes to be: layers of folders, frames in memory, variants; then the checks.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ValidationError

from capsim.scenario.document import Provenance, assign, column_sources, merge, out_of_reach, unwrap
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.folder import SETTINGS, read_folder
from capsim.scenario.frozen import FrozenTable
from capsim.scenario.parsing import Typed, convert, from_cells, from_frame
from capsim.scenario.schema import TABLES, Column
from capsim.scenario.settings import Settings, faults_of, without_faults
from capsim.scenario.stages import countries, standards
from capsim.scenario.validation import check

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


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


CHANGES = ("extends", "set", "scale", "drop")
APART_FROM_TABLES = ("policy", "costs", "cost_terms", "switches", "name", "title", "title_zh")
"""Sections of the settings that no table is checked against, but for `WAGE`."""
WAGE = "teacher_cny"


class Checked(NamedTuple):
    """What a scenario is made of, all of it checked."""

    settings: Settings
    warnings: tuple[str, ...]
    tables: Mapping[str, FrozenTable]
    document: Mapping[str, Any]
    given: Mapping[str, Provenance]
    """Provenance of settings."""
    columns: Mapping[str, Provenance]
    """Provenance of columns of tables."""


def load(folder: str | Path) -> Checked:
    """Read a scenario folder; see `capsim.load`."""
    document, tables, faults = _layers(Path(folder), "", ())
    return finish(document, tables, faults, SETTINGS)


def from_tables(settings: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Checked:
    """See `Scenario.from_tables`."""
    faults: list[Fault] = []
    if not isinstance(settings, Mapping):
        fault = Fault("settings", None, "", type(settings).__name__, "a nested dict")
        raise ScenarioError([fault])
    if what := out_of_reach(settings):
        raise ScenarioError([Fault("settings", None, "", "…", what)])
    document = _text_keys(settings)
    for key in CHANGES:
        if key in document:
            faults.append(Fault("settings", None, key, key, "a folder (use variant in memory)"))
            del document[key]
    return finish(document, _frames(tables, faults), faults, "settings")


def variant(
    base: Checked,
    values: Mapping[str, Any],
    scales: Mapping[str, Any],
    drops: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
) -> Checked:
    """See `Scenario.variant`."""
    if what := out_of_reach(values):
        raise ScenarioError([Fault("settings", None, "set", "…", what)])
    document = copy.deepcopy(_titled_anew(base.document, values))
    faults = assign(document, "settings", {key: _text_keys(v) for key, v in values.items()})
    tables = {name: Typed(name, held.frame, range(len(held))) for name, held in base.tables.items()}
    tables |= _frames(frames, faults)
    faults += scale(tables, "variant", scales)
    faults += drop(tables, "variant", drops)
    apart = not (scales or drops or frames) and all(_apart_from_tables(key) for key in values)
    known = base.warnings if apart else None
    return finish(document, tables, faults, "settings", known=known, held=base.tables)


def _apart_from_tables(key: object) -> bool:
    section, _, rest = str(key).partition(".")
    return section in APART_FROM_TABLES and (section != "costs" or rest not in ("", WAGE))


def _layers(
    folder: Path, label: str, above: Sequence[Path]
) -> tuple[dict[str, Any] | None, dict[str, Typed], list[Fault]]:
    """Read a folder on top of the one it extends; settings that cannot be read are None."""
    document, cells, faults = read_folder(folder, label)
    if document is None:
        return None, {}, faults + [f for n, c in cells.items() for f in from_cells(n, c)[1]]
    changes = {key: document.pop(key) for key in CHANGES if key in document}
    tables: dict[str, Typed] = {}
    base: dict[str, Any] | None = {}
    file = label + SETTINGS
    if "extends" in changes:
        other = changes["extends"]
        chain = [*above, _resolved(folder)]
        if not isinstance(other, str) or not other or "\0" in other:
            faults.append(Fault(file, None, "extends", str(other), "the path of a folder"))
        elif _resolved(folder / other) in chain:
            faults.append(Fault(file, None, "extends", other, "a folder that does not extend this"))
        elif not (folder / other).is_dir():
            faults.append(Fault(file, None, "extends", other, "a folder with a scenario.toml"))
        else:
            base, tables, found = _layers(folder / other, f"{label}{other.rstrip('/')}/", chain)
            faults += found
    for name, table in cells.items():
        tables[name], found = from_cells(name, table)
        faults += found
    if base is None:
        return None, tables, faults
    values = changes.get("set", {})
    anew = values if isinstance(values, Mapping) else ()
    document = merge(_titled_anew(base, {*document, *anew}), document)
    if isinstance(values, Mapping):
        faults += assign(document, file, _dotted(values))
    else:
        faults.append(Fault(file, None, "set", str(values), "a table"))
    faults += scale(tables, file, changes.get("scale", {}))
    faults += drop(tables, file, changes.get("drop", {}))
    return document, tables, faults


def _titled_anew(base: Mapping[str, Any], said: Container[object]) -> dict[str, Any]:
    """Leave out the Chinese title of what is built upon where another title is said."""
    return {key: entry for key, entry in base.items() if key != "title_zh" or "title" not in said}


def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _dotted(values: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): value for key, value in values.items()}


def _frames(frames: Mapping[str, pd.DataFrame], faults: list[Fault]) -> dict[str, Typed]:
    tables = {}
    for name, frame in frames.items():
        if name not in TABLES:
            faults.append(Fault(str(name), None, "", str(name), nearest(str(name), TABLES)))
            continue
        tables[name], found = from_frame(name, frame)
        faults += found
    return tables


def finish(
    document: dict[str, Any] | None,
    tables: dict[str, Typed],
    faults: list[Fault],
    file: str,
    *,
    known: tuple[str, ...] | None = None,
    held: Mapping[str, FrozenTable] | None = None,
) -> Checked:
    """Check everything, or say all that is wrong.

    What is ``held`` already of the same frames is taken over.
    """
    if document is None:
        raise ScenarioError(faults)
    plain, given, found = unwrap({k: v for k, v in document.items() if k != "sources"}, file)
    faults += found
    columns: dict[str, Provenance] = {}
    if "sources" in document:
        columns, found = column_sources(document["sources"], file)
        faults += found
    for name, typed in tables.items():
        if known is None:
            faults += typed.readable().repeated_keys(TABLES[name].key)
    before = len(faults)
    settings = _settings(plain, tables, faults, file)
    warnings: tuple[str, ...] = ()
    if settings is not None:
        found, warnings = check(settings, tables, file, known=known, given=len(faults) == before)
        faults += found
    if faults or settings is None:
        raise ScenarioError(dict.fromkeys(faults))
    frozen = {
        name: _frozen(tables[name].frame, (held or {}).get(name))
        for name in TABLES
        if name in tables and len(tables[name].frame)
    }
    return Checked(settings, warnings, frozen, document, given, columns)


def _frozen(frame: pd.DataFrame, held: FrozenTable | None) -> FrozenTable:
    return held if held is not None and held.frame is frame else FrozenTable(frame)


def _settings(
    plain: dict[str, Any], tables: Mapping[str, Typed], faults: list[Fault], file: str
) -> Settings | None:
    """Read the settings; where some cannot be, let the others stand for them in the checks."""
    try:
        settings = Settings.model_validate(plain)
    except ValidationError as error:
        faults += faults_of(error, file)
        try:
            settings = Settings.model_validate(without_faults(plain, error))
        except ValidationError:
            return None
    if settings.country not in countries():
        known = nearest(settings.country, countries())
        faults.append(Fault(file, None, "country", settings.country, known))
        return None
    if settings.stages.planned:
        return settings
    planned = _with_pupils(settings, tables)
    return settings.model_copy(
        update={"stages": settings.stages.model_copy(update={"planned": planned})}
    )


def _with_pupils(settings: Settings, tables: Mapping[str, Typed]) -> tuple[str, ...]:
    """Name the stages with a grade in pupils or forecast, else with a school or project."""
    grades: set[str] = set()
    staged: set[str] = set()
    for name in ("pupils", "forecast"):
        if name in tables and tables[name].sound:
            grades |= set(tables[name].frame["grade"].unique())
    for name in ("schools", "projects"):
        if name in tables and tables[name].sound:
            staged |= set(tables[name].frame["stage"].unique())
    built_in = {k: v for k, v in standards(settings.country).items() if k != "general"}
    known = {name: tuple(part["grades"]) for name, part in built_in.items()}
    for name, said in settings.standards.items():
        known[name] = said.grades or known.get(name, ())
    taught = tuple(name for name, own in known.items() if grades & set(own))
    return taught or tuple(name for name in known if name in staged)


def _text_keys(entry: Any) -> Any:
    """Give settings of Python the shape of TOML: text keys, lists, plain numbers."""
    if isinstance(entry, BaseModel):
        return _text_keys(entry.model_dump(exclude_none=True))
    if isinstance(entry, Mapping):
        return {str(k): _text_keys(v) for k, v in entry.items() if v is not None}
    if isinstance(entry, list | tuple):
        return [_text_keys(item) for item in entry]
    return entry.tolist() if isinstance(entry, np.generic | np.ndarray) else entry
