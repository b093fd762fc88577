"""Enrolment tables as agencies and schools have them, wide or long, read to a `Panel`.

What was read, left out and put right is said in the panel's notes; what could mean two things is
refused. Grades are ordered by what they are, never by where they stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capsim.demand.observed import (
    SHOWN_AREAS,
    Panel,
    Reading,
    Rows,
    assembled,
    counted,
    group_faults,
    no_key,
)
from capsim.demand.ratios import Array
from capsim.demand.school_names import TOLERANCE
from capsim.i18n.language import Message
from capsim.scenario.cell_values import (
    Grade,
    Left,
    Read,
    broken,
    codes_of,
    grade_of,
    numbers,
    school_years,
)
from capsim.scenario.cell_words import BRACKETED, persons, scaled
from capsim.scenario.table_reader import PlainTable, read_table, tidy

YEAR = re.compile(
    r"((fall|autumn|spring|school|academic|fiscal|census|end(ing)?)[ _-]?)?(year|yr)s?"
    r"([ _-]?(end|ending|ended))?|y|sy|ay|fy|fall|autumn|spring|term"
    r"|(census|count|survey)?[ _-]?date|学年度?|年份|年度|年|统计年份?|학년도|연도|年月"
)
AREA = (
    re.compile(r"area|片区|区域"),
    re.compile(
        r"(school|sch|campus|building|academy|institution|site)[ _-]?(name|nm)?|学校(名称)?|校名"
        r"|园所|幼儿园|单位(名称)?|학교명?|establishment[ _-]?name"
    ),
    re.compile(
        r"(district|lea|division|authority|la)[ _-]?(name)?|local authority|学区|乡镇|街道|镇"
    ),
    re.compile(r"(county|state|region|city|municipality)[ _-]?(name)?|县区?|区县?|市|地区"),
    re.compile(r"name|名称"),
)
"""Headers of areas, the finest first."""
GRADE = re.compile(
    r"(school )?grades?([ _-]?(level|name|code))?|gr|level|class|form|year[ _-]?group|nc ?year"
    r"|ncyear(actual)?|age group|年级(名称)?|班级|학년"
)
VALUE = re.compile(
    r"((total|student|pupil|school|fall|k-?12)[ _-]?)?(enrol(l)?ments?|enrol(l)?ed|pupils?"
    r"|students?|head ?counts?|membership)([ _-]?(count|number|total))?|counts?|number"
    r"|number of (pupils|students)|n|no\.?|values?|total|学生数|在校生数?|在校人数|人数|学生人数"
    r"|학생수|num[ _-]?(pupils|students)"
)
COUNT = re.compile(r"counts?|number|n|no\.?|values?|total|人数")
"""Headers of numbers that may count anything."""
MEASURE = re.compile(
    r"type|measure|metric|indicator|kind|variable|item|data ?type|类型|指标|项目|类别"
)
ENROLLED = re.compile(
    r"(student )?(enrol(l)?ments?|enrol(l)?ed|pupils|students|在校生数?|学生数|学生)"
)
ATTRIBUTE = re.compile(
    r".*\b(id|code|no|number|lat|lon|latitude|longitude|x|y|zip|capacity|male|female|boys|girls|asian"
    r"|black|white|hispanic|lunch|frl|ell|sped|percent|pct|teachers?|staff|classes|area|sqft|rate"
    r"|ratio|utili[sz]ation|address|phone|total)\b.*|.*%.*|男.*|女.*|.*(编号|代码|占比|班数|教师).*"
)
"""Headers of numbers that are no grades."""


def is_known(cell: str) -> bool:
    """Say whether a header's cell is one that this reader looks for."""
    cell = unit_of_header(cell)[0]
    plain = header_words(cell)
    if isinstance(grade_of(cell), Grade | Left):
        return True
    words = (YEAR, GRADE, VALUE, *AREA)
    return any(word.fullmatch(plain) for word in words)


def header_words(cell: str) -> str:
    """Return a header in small letters, with single blanks for line breaks and underscores."""
    return re.sub(r"[\s_]+", " ", tidy(cell).casefold())


def unit_of_header(header: str) -> tuple[str, str, Decimal | None]:
    """Return a header without the unit of persons that it says, the unit, and its size.

    Examples
    --------
    >>> unit_of_header("人数（万人）"), unit_of_header("Enrollment, in thousands")[1:]
    (('人数', '万人', Decimal('10000')), ('in thousands', Decimal('1000')))
    """
    for form in (BRACKETED, APART):
        found = form.fullmatch(header)
        if found and (size := persons(found[2])) is not None:
            return found[1].strip(), found[2].strip(), size
    return header, "", None


APART = re.compile(r"(.*?)\W+(in [a-z]+)\s*", re.IGNORECASE | re.DOTALL)


def without_units(frame: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Take units of persons out of headers; `pupils_of` scales their columns."""
    bare = {column: unit_of_header(column) for column in frame.columns}
    names = {column: said[0] for column, said in bare.items() if said[2] is not None}
    names = {one: to for one, to in names.items() if to and to not in frame.columns}
    names = {one: to for one, to in names.items() if list(names.values()).count(to) == 1}
    for column, to in names.items():
        if (size := bare[column][2]) is not None and size != 1:
            reading.units[to] = bare[column][1], size
    for said in dict.fromkeys(reading.units.values()):
        columns = tuple(one for one, unit in reading.units.items() if unit == said)
        arguments: dict[str, Any] = {"columns": columns, "unit": said[0], "factor": f"{said[1]:f}"}
        reading.changed.append(Message("{columns}: in {unit}, times {factor}", arguments))
    return frame.rename(columns=names)


def panel(
    table: pd.DataFrame | Path | str | bytes,
    area: str | None = None,
    year: str | None = None,
    grades: Sequence[str] | None = None,
    name: str | None = None,
    *,
    grade: str | None = None,
    value: str | None = None,
    county: str | None = None,
    missing: str | Sequence[str] = (),
    sheet: str | None = None,
    encoding: str | None = None,
    strict: bool = False,
) -> Panel:
    r"""Read observed pupils from a table: wide (a column a grade) or long (a row a number).

    Parameters
    ----------
    table : DataFrame, path or bytes
        A frame, CSV file or workbook, a folder with one of them, or the content of one.
    area, year : text, optional
        Columns of the area (a school, a district …) and of the school year, which may be written
        ``2019``, ``2019/20``, ``201920``, ``FY2019``, ``2019年`` or as a date; default: by their
        names.
    grades : sequence of text, optional
        Columns of a wide table, or grades of a long one, in order from the youngest; default: all
        grades that are known by their names, ordered by what they are. Nurseries, ungraded pupils
        and totals are left out.
    name : text, optional
        Of the table, for faults; default: the file's.
    grade, value : text, optional
        Columns of a long table: the grade, and the number of pupils; default: by their names.
    county : text, optional
        Column of the county toward which the ratios of areas lean; default: all are of one.
    missing : text or sequence of text
        Cells that say that a number was not observed: ``"--,*,<10"``. Blank cells need no code.
    sheet, encoding, strict
        As `capsim.scenario.table_reader.read_table` takes them.

    Returns
    -------
    Panel
        With notes that say what was read, left out and put right.

    Raises
    ------
    ScenarioError
        Naming every row, column and value that is not as expected, and the cure.

    Examples
    --------
    >>> wide = pd.DataFrame({"school": ["A", "A"], "fall_year": [2019, 2021], "K": [9, 8]})
    >>> found = panel(wide)
    >>> found.pupils
    array([[[ 9., nan,  8.]]])
    >>> print(*found.notes, sep="\n")
    read as: area = school, year = fall_year, grades K in this order
    no row of the years 2020
    """
    source = Path(table) if isinstance(table, str) else table
    plain = read_table(
        source, name=name, sheet=sheet, encoding=encoding, known=is_known, strict=strict
    )
    reading = Reading(plain.name, strict, changed=list(plain.notes))
    plain = replace(plain, frame=without_units(plain.frame, reading))
    codes = codes_of(missing)
    cells = _cells(plain, reading, area, year, grades, grade, value, county, codes)
    return assembled(cells, reading)


# ---- which column is what


def _pick(reading: Reading, what: str, told: str | None, columns: list[str]) -> str | None:
    """Return the column that was told, by its name or one that differs in blanks and case."""
    if told is None:
        return None
    told = str(told)
    if told in columns:
        return told
    if (bare := unit_of_header(told)[0]) in columns:
        return bare
    near = [one for one in columns if header_words(one) == header_words(told)]
    if len(near) == 1:
        return near[0]
    _lacking(reading, what, columns, told)
    return None


def _lacking(reading: Reading, part: str, columns: list[str], told: str = "") -> None:
    """Add the fault that a part of the table has no column; ``told`` was to be it."""
    what = Message(
        "a column for the {part}, of {columns}", {"part": part, "columns": tuple(columns)}
    )
    cure = None if told else Message("name it: {option}", {"option": f"--{part}"})
    reading.fault(told or part, "", what, cure)


def _cells(
    plain: PlainTable,
    reading: Reading,
    area: str | None,
    year: str | None,
    grades: Sequence[str] | None,
    grade: str | None,
    value: str | None,
    county: str | None,
    codes: frozenset[str],
) -> Rows:
    frame = plain.frame
    columns = list(frame.columns)
    area, year, grade, value, county = (
        _pick(reading, what, told, columns)
        for what, told in (
            ("area", area),
            ("year", year),
            ("grade", grade),
            ("number of pupils", value),
            ("county", county),
        )
    )
    reading.stop()
    frame = _of_enrolment(frame, reading, {area, year, grade, value})
    told = [str(one) for one in grades] if grades else None
    year = year or _year_column(frame, told)
    taken = {one for one in (area, year, county) if one}
    long = grade is not None or value is not None
    wide = [c for c in columns if c not in taken and isinstance(grade_of(c), Grade)]
    over = [] if wide or year else [c for c in columns if _is_year(c)]
    if not long and told is not None and any(one in columns for one in told):
        wide = told
    elif not long and not wide:
        grade = next(
            (c for c in columns if c not in taken and GRADE.fullmatch(header_words(c))), None
        )
        long = grade is not None
    if long:
        grade = grade or next(
            (c for c in columns if c not in taken and GRADE.fullmatch(header_words(c))), None
        )
        if len(over) > 1 and grade and not value:
            return _years_across(plain, frame, reading, area, grade, over, told, county, codes)
        taken.add(grade or "")
        value = value or _value_column([c for c in columns if c not in taken], reading)
        area = area or _area_column(frame, {*taken, value or ""}, year)
        return _long(plain, frame, reading, area, year, grade, value, told, county, codes)
    return _wide(plain, frame, reading, area, year, wide, told, county, codes)


def _value_column(columns: list[str], reading: Reading) -> str | None:
    """Choose the column of pupils: one that says so before one that counts anything."""
    named = [c for c in columns if VALUE.fullmatch(header_words(c))]
    best = [c for c in named if not COUNT.fullmatch(header_words(c))] or named
    if len(best) > 1:
        what = Message("one column of pupils, of {columns}", {"columns": tuple(best)})
        reading.fault("value", "", what, Message("name it: {option}", {"option": "--value"}))
        reading.stop()
    return best[0] if best else None


def _is_year(header: str) -> bool:
    return bool(re.match(r"\D{0,12}\d{4}", header)) and not school_years(pd.Series([header])).bad[0]


def _year_column(frame: pd.DataFrame, told: list[str] | None) -> str | None:
    columns = [c for c in frame.columns if c not in (told or ())]
    for test in (
        lambda c: YEAR.fullmatch(header_words(c)),
        lambda c: "year" in c.casefold() and "group" not in c.casefold() and not grade_of(c),
    ):
        if found := [c for c in columns if test(c)]:
            return found[0]
    return None


def _area_column(frame: pd.DataFrame, taken: set[str], year: str | None) -> str | None:
    """Choose a column that tells rows of a year apart: by its name, else the first of text."""
    rest = [c for c in frame.columns if c not in taken]
    named = [c for word in AREA for c in rest if word.fullmatch(header_words(c))]
    text = [c for c in rest if _is_text(frame[c])]
    choice = list(dict.fromkeys([*named, *text, *rest]))
    if named and year and not {"grade", "value"} & taken:
        years = school_years(frame[year]).number
        for one in choice[: len(set(named)) + 1]:
            if not pd.DataFrame({"a": frame[one].astype(str), "y": years}).duplicated().any():
                return one
    return choice[0] if choice else None


def _is_text(cells: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(cells):
        return False
    distinct = cells[cells != ""].head(200)
    return bool(len(distinct)) and bool(numbers(distinct).bad.mean() > 0.5)


def _of_enrolment(frame: pd.DataFrame, reading: Reading, taken: set[str | None]) -> pd.DataFrame:
    """Take the rows of enrolment where a column says that others are of something else."""
    for column in frame.columns:
        if column in taken or not MEASURE.fullmatch(header_words(column)):
            continue
        kinds = frame[column].astype(str)
        mine = [k for k in dict.fromkeys(kinds) if ENROLLED.fullmatch(header_words(k))]
        others = [k for k in dict.fromkeys(kinds) if k not in mine and k]
        if len(mine) == 1 and others:
            keep = kinds == mine[0]
            arguments: dict[str, Any] = {
                "column": column,
                "kind": mine[0],
                "others": tuple(others[:SHOWN_AREAS]),
                "number": int((~keep).sum()),
            }
            text = "of {column} only {kind} is read; left out: {others} ({number} rows)"
            reading.changed.append(Message(text, arguments))
            return frame[keep].drop(columns=column)
    return frame


def _ordered(
    names: Sequence[str], told: list[str] | None, reading: Reading, what: str
) -> list[list[str]]:
    """Return the grades in order, each with its spellings; faults where they have none."""
    if told is not None:
        wanted = []
        for one in told:
            same = [c for c in names if c == one] or [
                c for c in names if header_words(c) == header_words(one)
            ]
            if not same and isinstance(mine := grade_of(one), Grade):
                same = [c for c in names if grade_of(c) == mine]
            if not same:
                text = "the grade among the {what}: {names}"
                arguments: dict[str, Any] = {"what": Message(what), "names": tuple(names)}
                reading.fault(one, "", Message(text, arguments))
            wanted.append(same or [one])
        return wanted
    known = {c: g for c in names if isinstance(g := grade_of(c), Grade)}
    groups: dict[Grade, list[str]] = {}
    for label, grade in known.items():
        groups.setdefault(grade, []).append(label)
    order = sorted(groups)
    cure = Message("name them in order, from the youngest: --grades K,1,2")
    scales = {one.scale for one in order if one.rank >= 1}
    ranks = Counter(one.rank for one in order)
    if {"grade", "year"} <= scales or max(ranks.values(), default=0) > 1:
        listed = ", ".join(known)
        reading.fault("", listed, Message("grades of one way of counting"), cure)
    if (gap := broken(order)) is not None:
        one, two = (groups[order[at]][0] for at in gap)
        what_is = Message("the grade between {one} and {two} too", {"one": one, "two": two})
        reading.fault(two, ", ".join(groups[one][0] for one in order), what_is, cure)
    return [groups[one] for one in order]


# ---- wide


def _wide(
    plain: PlainTable,
    frame: pd.DataFrame,
    reading: Reading,
    area: str | None,
    year: str | None,
    wide: list[str],
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> Rows:
    columns = list(frame.columns)
    free = [c for c in columns if c not in (area, year, county)]
    ordered = _ordered(columns if told else free, told, reading, "columns")
    for same in ordered:
        if len(same) > 1:
            value, what = ", ".join(same), Message("one column a grade")
            reading.fault(same[0], value, what, Message("add them up, or name one: --grades"))
    labels = [same[0] for same in ordered]
    area = area or _area_column(frame, {year or "", county or "", *labels}, year)
    listed = ", ".join(columns)
    for part, column in (("area", area), ("year", year)):
        if column is None:
            _lacking(reading, part, columns)
    uses = Counter(c for c in (area, year, *labels) if c)
    for column, number in uses.items():
        if number > 1:
            reading.fault(column, column, Message("a column for one of area, year and grades"))
    if not labels:
        needed = Message("columns of grades, named K, K1 … or 1 … 12, or told by their names,")
        cure = Message("name them: --grades; or of a long table --grade and --value")
        reading.fault("", listed, needed, cure)
    reading.stop()
    assert area
    assert year
    if filled := [c for c in (*labels,) if c in plain.merged]:
        for column in filled:
            what = Message("a number in each cell, not one merged over rows")
            reading.fault(column, plain.merged[column], what)
    read = [_pupils(frame[c], c, reading, codes) for c in labels]
    values, missing = np.stack([r.number for r in read], 1), np.stack([r.missing for r in read], 1)
    left = _left(frame, {area, year, county or "", *labels}, values, reading, codes, told)
    parts = Message(
        "area = {area}, year = {year}, grades {grades} in this order",
        {"area": area, "year": year, "grades": tuple(labels)},
    )
    order = [c for c in columns if c in labels]
    if order != labels and not told:
        text = "grades ordered by what they are, not as their columns stand"
        reading.changed.append(Message(text))
    return Rows(frame, area, year, labels, values, missing, left, county, parts)


def _pupils(cells: pd.Series, column: str, reading: Reading, codes: frozenset[str]) -> Read:
    found = in_persons(numbers(cells, codes), column, reading)
    reading.changed += [
        Message("column {column}: {what}", {"column": column, "what": note}) for note in found.notes
    ]
    if found.bad.any():
        group_faults(
            reading,
            cells[found.bad],
            column,
            Message("a number of pupils, 0 or more,"),
            _cure(cells[found.bad].astype(str).tolist()),
        )
    return found


def in_persons(read: Read, column: str, reading: Reading) -> Read:
    """Scale numbers by the unit that their header says."""
    if column not in reading.units:
        return read
    number = scaled(pd.Series(read.number), reading.units[column][1])
    return replace(read, number=number.to_numpy(dtype=np.float64))


def _cure(values: list[str]) -> Message | None:
    """Say what to do with cells that are no numbers."""
    if any("%" in one for one in values):
        return Message("pupils are persons, not a percentage")
    if any(re.fullmatch(r"[1-9]\d{0,2}\.\d{3}|\d+,\d+", one.strip()) for one in values):
        return Message("write 1234 or 1234.5: it could be thousands or a decimal")
    if all(re.match(r"\s*[-(]\d", one) for one in values):
        return None
    if all(
        re.fullmatch(r"\s*[\d,.]+\s*([^\w\s,.%-]{1,3}|[(\[（]\w[)\]）]|[a-z])\s*", one)
        for one in values
    ):
        return Message("take the marks of footnotes away")
    distinct = ",".join(list(dict.fromkeys(one.strip() for one in values))[:SHOWN_AREAS])
    return Message('if it means not observed: --missing "{codes}"', {"codes": distinct})


def _left(
    frame: pd.DataFrame,
    taken: set[str],
    values: Array,
    reading: Reading,
    codes: frozenset[str],
    told: list[str] | None,
) -> dict[str, tuple[Array, str]]:
    """Return the columns that are left out though they hold pupils, with why."""
    left: dict[str, tuple[Array, str]] = {}
    unread = []
    total = np.nansum(values, axis=1)
    for column in frame.columns:
        if column in taken:
            continue
        kind = grade_of(column)
        cells = frame[column]
        read = in_persons(numbers(cells, codes), column, reading)
        share = float((np.isfinite(read.number) | read.missing).mean())
        if isinstance(kind, Left):
            left[column] = (read.number, kind.why)
        elif isinstance(kind, Grade):
            left[column] = (read.number, "other")
        elif share < 0.5 or ATTRIBUTE.fullmatch(header_words(column)) or told:
            unread.append(column)
        else:
            known = np.isfinite(read.number)
            if (
                known.any()
                and values.shape[1] > 1
                and total.any()
                and np.allclose(read.number[known], total[known], atol=TOLERANCE)
            ):
                left[column] = (read.number, "total")
            elif _varies(frame, read.number, taken):
                what = Message("a known grade, or a column that is the same in every year")
                cure = Message("name the columns of grades in order: --grades K,1,2")
                reading.fault(column, "", what, cure)
            else:
                unread.append(column)
    if unread:
        reading.told.append(Message("columns not read: {columns}", {"columns": tuple(unread)}))
    return left


def _varies(frame: pd.DataFrame, values: Array, taken: set[str]) -> bool:
    """Say whether numbers change within areas (every other column but those that are taken)."""
    others = [c for c in frame.columns if c in taken and _is_text(frame[c])][:1]
    if not others:
        return True
    groups = pd.Series(values, index=frame.index).groupby(frame[others[0]].astype(str))
    return bool((groups.max() > groups.min()).any())


# ---- long


def _long(
    plain: PlainTable,
    frame: pd.DataFrame,
    reading: Reading,
    area: str | None,
    year: str | None,
    grade: str | None,
    value: str | None,
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> Rows:
    parts = (("area", area), ("year", year), ("grade", grade), ("value", value))
    for part, column in parts:
        if column is None:
            _lacking(reading, part, list(frame.columns))
    for column, number in Counter(c for _, c in parts if c).items():
        if number > 1:
            reading.fault(column, column, Message("a column for one of area, year and grades"))
    reading.stop()
    assert area
    assert year
    assert grade
    assert value
    if value in plain.merged:
        what = Message("a number in each cell, not one merged over rows")
        reading.fault(value, plain.merged[value], what)
    read = _pupils(frame[value], value, reading, codes)
    keys = frame[grade].astype(str).map(_grade_text)
    labels, left_rows = _grades_of_rows(keys, told, reading, grade, frame)
    unread = [c for c in frame.columns if c not in (area, year, grade, value, county)]
    if unread:
        reading.told.append(Message("columns not read: {columns}", {"columns": tuple(unread)}))
    message = Message(
        "area = {area}, year = {year}, grade = {grade}, pupils = {value}; grades {grades} in this"
        " order",
        {
            "area": area,
            "year": year,
            "grade": grade,
            "value": value,
            "grades": tuple(same[0] for same in labels),
        },
    )
    place = {one: at for at, same in enumerate(labels) for one in same}
    to_grade = keys.map(place)
    keep = to_grade.notna().to_numpy()
    left = {
        one: (np.where(keys == one, read.number, np.nan), why) for one, why in left_rows.items()
    }
    no_key(frame[keep], area, year, reading)
    reading.stop()
    years = school_years(frame[year])
    rows = pd.DataFrame(
        {
            "area": frame[area].astype(str).to_numpy(),
            "year": years.number,
            "grade": to_grade.to_numpy(),
            "at": np.arange(len(frame)),
        }
    )[keep]
    twice = rows.duplicated(["area", "year", "grade"])
    if twice.any():
        at = rows["at"][twice].iloc[0]
        shown = " ".join(str(frame[c].iloc[at]) for c in (area, year, grade))
        once = Message("each area, year and grade once")
        expected = counted(once, int(twice.sum()), int(frame.index[at]))
        cure = Message("add the rows up, or keep those of one kind")
        reading.fault(grade, shown, expected, cure)
        reading.stop()
    groups = rows.groupby(["area", "year"], sort=False)
    at_row = groups.ngroup().to_numpy()
    first = groups["at"].first().to_numpy()
    values = np.full((len(first), len(labels)), np.nan)
    missing = np.zeros(values.shape, dtype=bool)
    to = at_row, rows["grade"].to_numpy(dtype=int)
    values[to], missing[to] = read.number[keep], read.missing[keep]
    short = frame.iloc[first]
    sums = {one: (np.array([np.nansum(part)]), why) for one, (part, why) in left.items()}
    return Rows(
        short, area, year, [same[0] for same in labels], values, missing, sums, county, message
    )


def _grade_text(text: str) -> str:
    return re.sub(r"^(\d+)\.0+$", r"\1", tidy(text))


def _grades_of_rows(
    keys: pd.Series, told: list[str] | None, reading: Reading, column: str, frame: pd.DataFrame
) -> tuple[list[list[str]], dict[str, str]]:
    distinct = [str(one) for one in keys.unique()]
    labels = _ordered(distinct, told, reading, "cells")
    taken = {one for same in labels for one in same}
    left: dict[str, str] = {}
    unknown = []
    for one in distinct:
        if one in taken:
            continue
        kind = grade_of(one)
        if isinstance(kind, Left) or told:
            left[one] = kind.why if isinstance(kind, Left) else "other"
        else:
            unknown.append(one)
    if unknown:
        bad = frame.loc[keys.isin(unknown).to_numpy(), column]
        cure = Message("name the grades in order, from the youngest: --grades K,1,2")
        group_faults(reading, bad, column, Message("a grade that is known"), cure)
    if not labels:
        cure = Message("name the grades in order, from the youngest: --grades K,1,2")
        reading.fault(column, ", ".join(distinct[:SHOWN_AREAS]), Message("grades"), cure)
    spelt = [same for same in labels if len(same) > 1]
    if spelt:
        pairs = tuple(" = ".join(same) for same in spelt)
        reading.changed.append(
            Message("spellings of a grade taken for one: {pairs}", {"pairs": pairs})
        )
    return labels, left


def _years_across(
    plain: PlainTable,
    frame: pd.DataFrame,
    reading: Reading,
    area: str | None,
    grade: str,
    over: list[str],
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> Rows:
    """Read a row an area and grade, a column a year."""
    for column in [c for c in over if c in plain.merged]:
        what = Message("a number in each cell, not one merged over rows")
        reading.fault(column, plain.merged[column], what)
    keys = [c for c in frame.columns if c not in over]
    area = area or _area_column(frame, {grade, *over}, None)
    text = frame.assign(**{c: frame[c].astype(object) for c in over})
    long = text.melt(keys, over, "school year", "pupils", ignore_index=False)
    reading.told.append(
        Message("a column a year: {first} to {last}", {"first": over[0], "last": over[-1]})
    )
    if area is not None:
        cells = long[area].astype(str) + "\0" + long[grade].astype(str)
        # A blank is a year in which the area was not observed, not a grade that it lacks.
        blank = (long["pupils"] == "") | long["pupils"].isna()
        some = (~blank).groupby([long[area].astype(str), long["school year"]]).transform("any")
        long = long[some & cells.notna()]
    return _long(plain, long, reading, area, "school year", grade, "pupils", told, county, codes)
