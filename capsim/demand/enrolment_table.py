"""Enrolment tables as agencies and schools have them, wide or long, read to a `Panel`.

What was read, left out and put right is said in the panel's notes; what could mean two things is
refused. Grades are ordered by what they are, never by where they stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capsim.scenario.grade_names import Grade, Left, broken, grade_of
from capsim.demand.observed import Panel
from capsim.demand.ratios import Array, Mask, divide
from capsim.i18n.language import Message
from capsim.scenario.cell_values import (
    YEARS,
    Read,
    alike,
    as_number,
    codes_of,
    numbers,
    school_years,
)
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.table_reader import PlainTable, examples, read_table, strictly, tidy

YEAR = re.compile(
    r"((fall|autumn|school|academic|fiscal|census)[ _-]?)?(year|yr)s?|y|sy|ay|fall|autumn|term"
    r"|(census|count|survey)?[ _-]?date|学年度?|年份|年度|年|统计年份?|학년도|연도|年月"
)
AREA = (
    re.compile(r"area|片区|区域"),
    re.compile(
        r"(school|sch|campus|building|academy|institution|site)[ _-]?(name|nm)?|学校(名称)?|校名|园所"
        r"|幼儿园|单位(名称)?|학교명?|establishment[ _-]?name"
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
    r"((total|student|pupil|school|fall|k-?12)[ _-]?)?(enrol(l)?ments?|enrol(l)?ed|pupils?|students?"
    r"|head ?counts?|membership)([ _-]?(count|number|total))?|counts?|number( of (pupils|students))?"
    r"|n|no\.?|values?|total|学生数|在校生数?|在校人数|人数|学生人数|학생수|num[ _-]?(pupils|students)"
)
MEASURE = re.compile(r"type|measure|metric|indicator|kind|variable|item|data ?type|类型|指标|项目|类别")
ENROLLED = re.compile(r"(student )?(enrol(l)?ments?|enrol(l)?ed|pupils|students|在校生数?|学生数|学生)")
TOTAL_NAME = re.compile(
    r"((grand|sub|county|district|state|city|school|overall|division|system)[ -]?)*totals?"
    r"|totals? (of )?(all|schools?|district|county|state|public|private|enrol(l)?ments?|students?)\b.*"
    r"|all (schools?|areas?|districts?|counties)|sum|state ?wide|district ?wide|.*\btotals?"
    r"|.*(合计|总计|小计|总数|共计|汇总)|全(市|县|区|省|国|部|体|镇|校)|计|各校合计|합계|총계",
)
ATTRIBUTE = re.compile(
    r".*\b(id|code|no|number|lat|lon|latitude|longitude|x|y|zip|capacity|male|female|boys|girls|asian"
    r"|black|white|hispanic|lunch|frl|ell|sped|percent|pct|teachers?|staff|classes|area|sqft|rate"
    r"|ratio|utili[sz]ation|address|phone|total)\b.*|.*%.*|男.*|女.*|.*(编号|代码|占比|班数|教师).*"
)
"""Headers of numbers that are no grades."""
SHOWN_AREAS = 5
TOLERANCE = 1e-6


@dataclass(eq=False)
class _Reading:
    """What is being read: names of the table's parts, faults, and notes in two kinds."""

    name: str
    strict: bool
    faults: list[Fault] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    changed: list[Message] = field(default_factory=list)

    def fault(
        self,
        column: str,
        value: str,
        expected: str | Message,
        cure: str | Message = "",
        row: int | None = None,
    ) -> None:
        self.faults.append(Fault(self.name, row, column, value, expected, cure))

    def stop(self) -> None:
        if self.faults:
            raise ScenarioError(self.faults)


def is_known(cell: str) -> bool:
    """Say whether a header's cell is one that this reader looks for."""
    plain = _plain(cell)
    if isinstance(grade_of(cell), Grade | Left):
        return True
    words = (YEAR, GRADE, VALUE, *AREA)
    return any(word.fullmatch(plain) for word in words)


def _plain(cell: str) -> str:
    return re.sub(r"[\s_]+", " ", tidy(cell).casefold())


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
    """Read observed pupils from a table: wide (a column a grade) or long (a row a number).

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
    >>> print(*found.notes, sep="\\n")
    read as: area = school, year = fall_year, grades K in this order
    no row of the years 2020
    """
    source = Path(table) if isinstance(table, str) else table
    plain = read_table(
        source, name=name, sheet=sheet, encoding=encoding, known=is_known, strict=strict
    )
    reading = _Reading(plain.name, strict, changed=list(plain.notes))
    codes = codes_of(missing)
    cells = _cells(plain, reading, area, year, grades, grade, value, county, codes)
    return _panel(cells, reading)


# ---- which column is what


@dataclass(eq=False)
class _Cells:
    """Numbers of rows, each of an area and year; ``frame`` has what faults show."""

    frame: pd.DataFrame
    area: str
    year: str
    labels: list[str]
    numbers: Array
    missing: Mask
    left: dict[str, tuple[Array, str]]
    county: str | None
    parts: Message


def _pick(reading: _Reading, what: str, told: str | None, columns: list[str]) -> str | None:
    """Return the column that was told, by its name or one that differs in blanks and case."""
    if told is None:
        return None
    told = str(told)
    if told in columns:
        return told
    near = [one for one in columns if _plain(one) == _plain(told)]
    if len(near) == 1:
        return near[0]
    expected = f"a column for the {what}, of {', '.join(columns)}"
    reading.fault(told, "", expected)
    return None


def _cells(
    plain: PlainTable,
    reading: _Reading,
    area: str | None,
    year: str | None,
    grades: Sequence[str] | None,
    grade: str | None,
    value: str | None,
    county: str | None,
    codes: frozenset[str],
) -> _Cells:
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
        grade = next((c for c in columns if c not in taken and GRADE.fullmatch(_plain(c))), None)
        long = grade is not None
    if long:
        grade = grade or next(
            (c for c in columns if c not in taken and GRADE.fullmatch(_plain(c))), None
        )
        if len(over) > 1 and grade and not value:
            return _years_across(plain, frame, reading, area, grade, over, told, county, codes)
        taken.add(grade or "")
        value = value or next(
            (c for c in columns if c not in taken and VALUE.fullmatch(_plain(c))), None
        )
        area = area or _area_column(frame, {*taken, value or ""}, year)
        return _long(plain, frame, reading, area, year, grade, value, told, county, codes)
    return _wide(plain, frame, reading, area, year, wide, told, county, codes)


def _is_year(header: str) -> bool:
    return bool(re.match(r"\D{0,12}\d{4}", header)) and not school_years(pd.Series([header])).bad[0]


def _year_column(frame: pd.DataFrame, told: list[str] | None) -> str | None:
    columns = [c for c in frame.columns if c not in (told or ())]
    for test in (
        lambda c: YEAR.fullmatch(_plain(c)),
        lambda c: "year" in c.casefold() and "group" not in c.casefold() and not grade_of(c),
    ):
        if found := [c for c in columns if test(c)]:
            return found[0]
    return None


def _area_column(frame: pd.DataFrame, taken: set[str], year: str | None) -> str | None:
    """Choose a column that tells rows of a year apart: by its name, else the first of text."""
    rest = [c for c in frame.columns if c not in taken]
    named = [c for word in AREA for c in rest if word.fullmatch(_plain(c))]
    text = [c for c in rest if _is_text(frame[c])]
    choice = list(dict.fromkeys([*named, *text, *rest]))
    if named and year and not {"grade", "value"} & taken:
        years = school_years(frame[year]).values
        for one in choice[: len(set(named)) + 1]:
            if not pd.DataFrame({"a": frame[one].astype(str), "y": years}).duplicated().any():
                return one
    return choice[0] if choice else None


def _is_text(cells: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(cells):
        return False
    distinct = cells[cells != ""].head(200)
    return bool(len(distinct)) and bool(numbers(distinct).bad.mean() > 0.5)


def _of_enrolment(
    frame: pd.DataFrame, reading: _Reading, taken: set[str | None]
) -> pd.DataFrame:
    """Take the rows of enrolment where a column says that others are of something else."""
    for column in frame.columns:
        if column in taken or not MEASURE.fullmatch(_plain(column)):
            continue
        kinds = frame[column].astype(str)
        mine = [k for k in dict.fromkeys(kinds) if ENROLLED.fullmatch(_plain(k))]
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
    names: Sequence[str], told: list[str] | None, reading: _Reading, what: str
) -> list[list[str]]:
    """Return the grades in order, each with its spellings; faults where they have none."""
    if told is not None:
        wanted = []
        for one in told:
            same = [c for c in names if c == one] or [c for c in names if _plain(c) == _plain(one)]
            if not same and isinstance(mine := grade_of(one), Grade):
                same = [c for c in names if grade_of(c) == mine]
            if not same:
                reading.fault(one, "", f"a {what} for the grade, of {', '.join(names)}")
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
    reading: _Reading,
    area: str | None,
    year: str | None,
    wide: list[str],
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> _Cells:
    columns = list(frame.columns)
    free = [c for c in columns if c not in (area, year, county)]
    ordered = _ordered(columns if told else free, told, reading, "column")
    for same in ordered:
        if len(same) > 1:
            value, what = ", ".join(same), Message("one column a grade")
            reading.fault(same[0], value, what, Message("add them up, or name one: --grades"))
    labels = [same[0] for same in ordered]
    area = area or _area_column(frame, {year or "", county or "", *labels}, year)
    listed = ", ".join(columns)
    for what, column in (("area", area), ("year", year)):
        if column is None:
            reading.fault(what, "", f"a column for the {what}, of {listed}", f"name it: --{what}")
    uses = Counter(c for c in (area, year, *labels) if c)
    for column, number in uses.items():
        if number > 1:
            reading.fault(column, column, "a column for one of area, year and grades")
    if not labels:
        expected = "columns of grades, named K, K1 … or 1 … 12, or told by their names,"
        cure = Message("name them: --grades; or of a long table --grade and --value")
        reading.fault("", listed, expected, cure)
    reading.stop()
    assert area and year
    if filled := [c for c in (*labels,) if c in plain.merged]:
        for column in filled:
            what = Message("a number in each cell, not one merged over rows")
            reading.fault(column, plain.merged[column], what)
    read = [_pupils(frame[c], c, reading, codes) for c in labels]
    values, missing = np.stack([r.values for r in read], 1), np.stack([r.missing for r in read], 1)
    left = _left(frame, {area, year, county or "", *labels}, values, reading, codes, told)
    parts = Message(
        "area = {area}, year = {year}, grades {grades} in this order",
        {"area": area, "year": year, "grades": tuple(labels)},
    )
    order = [c for c in columns if c in labels]
    if order != labels and not told:
        text = "grades ordered by what they are, not as their columns stand"
        reading.changed.append(Message(text))
    return _Cells(frame, area, year, labels, values, missing, left, county, parts)


def _pupils(cells: pd.Series, column: str, reading: _Reading, codes: frozenset[str]) -> Read:
    found = numbers(cells, codes)
    reading.changed += [
        Message("column {column}: {what}", {"column": column, "what": note}) for note in found.notes
    ]
    if found.bad.any():
        _group(
            reading,
            cells[found.bad],
            column,
            Message("a number of pupils, 0 or more,"),
            _cure(cells[found.bad].astype(str).tolist()),
        )
    return found


def _cure(values: list[str]) -> Message | str:
    """Say what to do with cells that are no numbers."""
    if any("%" in one for one in values):
        return Message("pupils are persons, not a percentage")
    if any(re.fullmatch(r"[1-9]\d{0,2}\.\d{3}|\d+,\d+", one.strip()) for one in values):
        return Message("write 1234 or 1234.5: it could be thousands or a decimal")
    if all(re.match(r"\s*-\d", one) for one in values):
        return ""
    distinct = ",".join(list(dict.fromkeys(one.strip() for one in values))[:SHOWN_AREAS])
    return Message('if it means not observed: --missing "{codes}"', {"codes": distinct})


def _group(
    reading: _Reading, bad: pd.Series, column: str, expected: Message, cure: Message | str = ""
) -> None:
    """Name bad cells of a column: each value once, with how many there are and the first row."""
    texts = bad.map(_shown)
    groups = texts.groupby(texts, sort=False)
    if groups.ngroups > SHOWN_AREAS:
        rows, values = bad.index, ", ".join(examples(list(dict.fromkeys(texts)))[:-1]) + ", …"
        what = _counted(expected, len(bad), int(rows[0]))
        reading.fault(column, values, what, cure)
        return
    for value, cells in groups:
        first = int(cells.index[0])
        if len(cells) == 1:
            reading.fault(column, str(value), expected, cure, first)
        else:
            what = _counted(expected, len(cells), first)
            reading.fault(column, str(value), what, cure)


def _counted(expected: Message, number: int, row: int) -> Message:
    arguments: dict[str, Any] = {"what": expected, "number": number, "row": row}
    return Message("{what} (in {number} cells, the first in row {row})", arguments)


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return str(cell)
    return str(cell)


def _left(
    frame: pd.DataFrame,
    taken: set[str],
    values: Array,
    reading: _Reading,
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
        read = numbers(cells, codes)
        share = float((np.isfinite(read.values) | read.missing).mean())
        if isinstance(kind, Left):
            left[column] = (read.values, kind.why)
        elif isinstance(kind, Grade):
            left[column] = (read.values, "other")
        elif share < 0.5 or ATTRIBUTE.fullmatch(_plain(column)) or told:
            unread.append(column)
        else:
            known = np.isfinite(read.values)
            if known.any() and values.shape[1] > 1 and total.any() and np.allclose(
                read.values[known], total[known], atol=TOLERANCE
            ):
                left[column] = (read.values, "total")
            elif _varies(frame, read.values, taken):
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
    return bool((groups.nunique() > 1).any())


# ---- long


def _long(
    plain: PlainTable,
    frame: pd.DataFrame,
    reading: _Reading,
    area: str | None,
    year: str | None,
    grade: str | None,
    value: str | None,
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> _Cells:
    listed = ", ".join(frame.columns)
    parts = (("area", area), ("year", year), ("grade", grade), ("value", value))
    for what, column in parts:
        if column is None:
            reading.fault(what, "", f"a column for the {what}, of {listed}", f"name it: --{what}")
    for column, number in Counter(c for _, c in parts if c).items():
        if number > 1:
            reading.fault(column, column, "a column for one of area, year, grade and value")
    reading.stop()
    assert area and year and grade and value
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
    column = keys.map(place)
    keep = column.notna().to_numpy()
    left = {
        one: (np.where(keys == one, read.values, np.nan), why) for one, why in left_rows.items()
    }
    _no_key(frame[keep], area, year, reading)
    reading.stop()
    years = school_years(frame[year])
    rows = pd.DataFrame(
        {
            "area": frame[area].astype(str).to_numpy(),
            "year": years.values,
            "grade": column.to_numpy(),
            "at": np.arange(len(frame)),
        }
    )[keep]
    twice = rows.duplicated(["area", "year", "grade"])
    if twice.any():
        at = rows["at"][twice].iloc[0]
        shown = " ".join(str(frame[c].iloc[at]) for c in (area, year, grade))
        what = _counted(
            Message("each area, year and grade once"), int(twice.sum()), int(frame.index[at])
        )
        cure = Message("add the rows up, or keep those of one kind")
        reading.fault(grade, shown, what, cure)
        reading.stop()
    groups = rows.groupby(["area", "year"], sort=False)
    number = groups.ngroup().to_numpy()
    first = groups["at"].first().to_numpy()
    values = np.full((len(first), len(labels)), np.nan)
    missing = np.zeros(values.shape, dtype=bool)
    to = number, rows["grade"].to_numpy(dtype=int)
    values[to], missing[to] = read.values[keep], read.missing[keep]
    short = frame.iloc[first]
    sums = {
        one: (np.array([np.nansum(part)]), why) for one, (part, why) in left.items()
    }
    return _Cells(
        short, area, year, [same[0] for same in labels], values, missing, sums, county, message
    )


def _grade_text(text: str) -> str:
    return re.sub(r"^(\d+)\.0+$", r"\1", tidy(text))


def _grades_of_rows(
    keys: pd.Series, told: list[str] | None, reading: _Reading, column: str, frame: pd.DataFrame
) -> tuple[list[list[str]], dict[str, str]]:
    distinct = [str(one) for one in keys.unique()]
    labels = _ordered(distinct, told, reading, "cell")
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
        _group(reading, bad, column, Message("a grade that is known"), cure)
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
    reading: _Reading,
    area: str | None,
    grade: str,
    over: list[str],
    told: list[str] | None,
    county: str | None,
    codes: frozenset[str],
) -> _Cells:
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
    return _long(
        plain, long, reading, area, "school year", grade, "pupils", told, county, codes
    )


# ---- rows to a panel


def _no_key(frame: pd.DataFrame, area: str, year: str, reading: _Reading) -> None:
    """Name rows without an area or with a year that cannot be read."""
    years = school_years(frame[year])
    if years.bad.any():
        whole = Message("a whole year from {first} to {last}", {"first": YEARS[0], "last": YEARS[1]})
        cure = Message("write 2019, 2019/20 or 2019-09-01")
        _group(reading, frame.loc[years.bad, year], year, whole, cure)
    labels = frame[area].map(_name)
    if (nameless := labels == "").any():
        _group(reading, labels[nameless], area, Message("the name of an area"))


def _name(cell: object) -> str:
    if isinstance(cell, float):
        return str(int(cell)) if cell == cell and cell.is_integer() else ("" if cell != cell else str(cell))
    return tidy(str(cell))


def _panel(cells: _Cells, reading: _Reading) -> Panel:
    """Name areas and years, leave totals out, and put the numbers in place."""
    frame = cells.frame
    names = frame[cells.area].map(_name).to_numpy(dtype=object)
    total = np.array([bool(TOTAL_NAME.fullmatch(str(n).casefold().strip())) for n in names])
    if total.any() and not total.all():
        rows = ~total
    else:
        total, rows = np.zeros(len(names), dtype=bool), np.ones(len(names), dtype=bool)
    _no_key(frame[rows], cells.area, cells.year, reading)
    read_years = school_years(frame[cells.year])
    reading.changed += read_years.notes
    years = read_years.values
    names = _one_spelling(names, years, rows, cells, reading)
    keys = pd.DataFrame({"area": names, "year": years})[rows]
    twice = keys.duplicated() & (keys["area"] != "") & keys["year"].notna()
    for at in keys.index[twice][:SHOWN_AREAS]:
        value = f"{names[at]} {frame[cells.year].iloc[at]}"
        expected = Message("each area and year once")
        cure = Message("name another column of areas: --area") if twice.sum() > 2 else ""
        if twice.sum() > SHOWN_AREAS:
            expected = _counted(expected, int(twice.sum()), int(frame.index[at]))
            reading.fault(cells.area, value, expected, cure)
            break
        reading.fault(cells.area, value, expected, cure, int(frame.index[at]))
    reading.stop()
    if not np.nansum(cells.numbers[rows]):
        reading.fault(", ".join(cells.labels), "", Message("at least one pupil"))
        reading.stop()
    areas = sorted(set(names[rows]))
    first, last = int(years[rows].min()), int(years[rows].max())
    pupils = np.full((len(areas), len(cells.labels), last - first + 1), np.nan)
    missing = np.zeros(pupils.shape, dtype=bool)
    to = pd.Index(areas).get_indexer(pd.Index(names[rows])), years[rows].astype(int) - first
    pupils[to[0], :, to[1]] = cells.numbers[rows]
    missing[to[0], :, to[1]] = cells.missing[rows]
    keep = _not_totals(pupils, missing, areas, reading)
    if total.any():
        _say_totals(cells, names, years, total, rows, reading)
    pupils, missing = pupils[keep], missing[keep]
    areas = [one for one, kept in zip(areas, keep, strict=True) if kept]
    county, rest = _counties(cells, names, rows, areas, reading)
    unknown = _unknown(pupils, missing)
    span = tuple(range(first, last + 1))
    filled = _filled(pupils, unknown)
    _notes_of_left(cells, rows, reading)
    _notes_of_cells(unknown, pupils, missing, filled, areas, cells.labels, span, reading)
    reading.stop()
    if reading.strict and reading.changed:
        raise ScenarioError(strictly(reading.name, reading.changed))
    head = Message("read as: {parts}", {"parts": cells.parts})
    return Panel(
        tuple(areas),
        tuple(cells.labels),
        span,
        filled,
        county,
        unknown=unknown if unknown.any() else None,
        notes=(head, *rest, *reading.changed, *reading.told),
    )


def _one_spelling(
    names: Any, years: Array, rows: Mask, cells: _Cells, reading: _Reading
) -> Any:
    """Take spellings of a name for one where they never stand in the same year."""
    listed = [str(name) for name in dict.fromkeys(names[rows])]
    groups = alike(listed)
    pairs: list[str] = []
    to: dict[str, str] = {}
    for group in groups:
        seen: Counter[float] = Counter()
        for name in group:
            seen.update(set(years[rows & (names == name)]))
        shared = [year for year, times in seen.items() if times > 1]
        shown = " = ".join(repr(name) for name in group)
        if shared:
            what = Message("one spelling: both stand in {year}", {"year": int(min(shared))})
            cure = Message("write one name one way, two schools with names that differ by more")
            reading.fault(cells.area, shown, what, cure)
        else:
            pairs.append(shown)
            to |= dict.fromkeys(group[1:], group[0])
    if pairs:
        text = "names that differ only by case, width, blanks or hyphens taken for one: {pairs}"
        reading.changed.append(Message(text, {"pairs": tuple(pairs)}))
    kept = alike([name for name in listed if name not in to], as_number)
    if kept:
        shown_pairs = tuple(", ".join(repr(name) for name in group) for group in kept[:SHOWN_AREAS])
        text = "names are text; kept apart though they are the same as numbers: {pairs}"
        reading.told.append(Message(text, {"pairs": shown_pairs}))
    if not to:
        return names
    return np.array([to.get(str(name), name) for name in names], dtype=object)


def _not_totals(
    pupils: Array, missing: Mask, areas: list[str], reading: _Reading
) -> Mask:
    """Mark the areas that are not the sum of all others in every cell."""
    keep = np.ones(len(areas), dtype=bool)
    if len(areas) < 3:
        return keep
    known = ~missing.any(0)
    full = np.nan_to_num(pupils)
    whole = np.where(known, full.sum(0), 0.0)
    gap = np.abs(2 * np.where(known, full, 0.0) - whole)
    same = (gap <= TOLERANCE * np.maximum(whole, 1)).all((1, 2))
    # Of one other area alone in a year it would be the twin, not the total.
    several = (np.isfinite(pupils).any(1).sum(0) > 2).any()
    size = np.where(known, full, 0.0).sum((1, 2))
    found = np.flatnonzero(same & (size > 0))
    if len(found) == 1 and several:
        keep[found] = False
        arguments = {"area": areas[found[0]]}
        text = "{area} is the sum of all others in every year: left out as a total"
        reading.changed.append(Message(text, arguments))
    return keep


def _say_totals(
    cells: _Cells, names: Any, years: Array, total: Mask, rows: Mask, reading: _Reading
) -> None:
    """Say which rows are totals by their names, and whether they are the sum of the others."""
    labels = tuple(str(name) for name in dict.fromkeys(names[total]))
    text = "rows of totals left out: {names} ({number} rows)"
    arguments: dict[str, Any] = {"names": labels[:SHOWN_AREAS], "number": int(total.sum())}
    reading.changed.append(Message(text, arguments))
    if len(labels) > 1 or cells.missing.any():
        return
    sums = pd.DataFrame(np.nan_to_num(cells.numbers[rows])).groupby(years[rows]).sum()
    off = 0
    for at in np.flatnonzero(total):
        if years[at] in sums.index:
            own = np.nan_to_num(cells.numbers[at])
            off += int((np.abs(own - sums.loc[years[at]].to_numpy()) > 0.5).sum())
    if off:
        text = "{name} is not the sum of the others in {number} cells: some area may be missing"
        reading.told.append(Message(text, {"name": labels[0], "number": off}))


def _counties(
    cells: _Cells, names: Any, rows: Mask, areas: list[str], reading: _Reading
) -> tuple[Any, tuple[Message, ...]]:
    if cells.county is None:
        return np.zeros(len(areas), dtype=np.intp), ()
    of = cells.frame[cells.county].map(_name).to_numpy(dtype=object)
    pairs = pd.DataFrame({"area": names[rows], "county": of[rows]}).drop_duplicates()
    last = pairs.drop_duplicates("area", keep="last").set_index("area")["county"]
    if len(pairs) > len(last):
        number = int((pairs["area"].value_counts() > 1).sum())
        text = "{number} areas change their county: the last one counts"
        reading.told.append(Message(text, {"number": number}))
    county = np.unique(last.loc[areas].astype(str).to_numpy(), return_inverse=True)[1]
    return county, (Message("county = {column}", {"column": cells.county}),)


# ---- blank cells


def _unknown(pupils: Array, missing: Mask) -> Mask:
    """Mark cells that were not observed though the area was.

    A code says so. A blank cell says it where the table leaves nothing blank that is never taught;
    where it does, only a blank between grades that are taught in that year, of a grade taught
    before or after, is one: a school that has closed its lowest or highest grade has nobody there.
    """
    seen = np.isfinite(pupils)
    there = seen.any(1, keepdims=True)
    blank = ~seen & there & ~missing
    ever = seen.any(2, keepdims=True)
    never_taught = (~ever & there.any(2, keepdims=True)).any()
    lost = blank & ever
    if never_taught:
        taught = np.nan_to_num(pupils) > 0
        below = np.logical_or.accumulate(taught, axis=1)
        above = np.logical_or.accumulate(taught[:, ::-1], axis=1)[:, ::-1]
        inside = np.zeros_like(blank)
        inside[:, 1:-1] = below[:, :-2] & above[:, 2:]
        near = np.zeros_like(blank)
        near[..., 1:] |= taught[..., :-1]
        near[..., :-1] |= taught[..., 1:]
        lost &= inside & near
    return np.asarray(lost | (missing & there))


def _filled(pupils: Array, unknown: Mask) -> Array:
    """Put in place of what was not observed what its cohort would be, from earlier years alone.

    The grade below a year before times everybody's ratio of that year; without one the grade's own
    last number. In the first year it is the grade's next number.
    """
    if not unknown.any():
        return pupils
    out = pupils.copy()
    for year in range(out.shape[-1]):
        at = unknown[..., year]
        if not at.any():
            continue
        guess = np.full(out.shape[:2], np.nan)
        if year:
            now, before = out[..., year], out[..., year - 1]
            both = np.isfinite(now[:, 1:]) & np.isfinite(before[:, :-1]) & ~at[:, 1:]
            above, below = (
                np.where(both, part, 0.0).sum(0) for part in (now[:, 1:], before[:, :-1])
            )
            guess[:, 1:] = before[:, :-1] * divide(above, below, 1.0)
            guess = np.where(np.nan_to_num(guess) > 0, guess, before)
        else:
            for later in range(out.shape[-1] - 1, 0, -1):
                guess = np.where(np.isfinite(pupils[..., later]), pupils[..., later], guess)
        out[..., year] = np.where(at, guess, out[..., year])
    return out


# ---- notes


def _notes_of_left(cells: _Cells, rows: Mask, reading: _Reading) -> None:
    parts = []
    for name, (values, why) in cells.left.items():
        own = values[rows] if len(values) == len(rows) else values
        if why == "total":
            parts.append(Message("{name} (a total)", {"name": name}))
        else:
            amount = float(np.nansum(own))
            parts.append(Message("{name} ({amount} pupils)", {"name": name, "amount": amount}))
    if parts:
        reading.changed.insert(0, Message("left out: {parts}", {"parts": tuple(parts)}))


def _notes_of_cells(
    unknown: Mask,
    pupils: Array,
    missing: Mask,
    filled: Array,
    areas: list[str],
    labels: Sequence[str],
    years: Sequence[int],
    reading: _Reading,
) -> None:
    there = np.isfinite(pupils).any(1) | missing.any(1)
    gone = [year for year, some in zip(years, there.any(0), strict=True) if not some]
    if gone:
        reading.told.append(
            Message("no row of the years {years}", {"years": tuple(map(str, gone))})
        )
    away = ~np.isfinite(pupils[..., -1]).any(1)
    if away.any():
        names = _some(np.array(areas, dtype=object)[away])
        arguments: dict[str, Any] = {"number": int(away.sum()), "year": years[-1], "areas": names}
        text = "not observed in {year}, so not forecast: {areas} ({number} areas)"
        reading.told.append(Message(text, arguments))
    if missing.any():
        text = "{number} cells with a code are taken as not observed"
        reading.told.append(Message(text, {"number": int(missing.sum())}))
    blank = unknown & ~missing
    if blank.any():
        text = "{number} blank cells are taken as not observed, not as nobody: {cells}"
        cells = _places(blank, areas, labels, years)
        reading.told.append(Message(text, {"number": int(blank.sum()), "cells": cells}))
    last = unknown[..., -1] & np.isfinite(filled[..., -1])
    if last.any():
        text = "of {year} {number} cells are not observed; forecast from their cohorts, {amount} pupils"
        arguments = {
            "year": years[-1],
            "number": int(last.sum()),
            "amount": float(filled[..., -1][last].sum()),
        }
        reading.told.append(Message(text, arguments))


def _places(
    marked: Mask, areas: Sequence[str], labels: Sequence[str], years: Sequence[int]
) -> tuple[str, ...]:
    found = np.argwhere(marked)
    shown = [f"{areas[a]} {labels[g]} {years[y]}" for a, g, y in found[:SHOWN_AREAS]]
    return (*shown, *(("…",) if len(found) > SHOWN_AREAS else ()))


def _some(names: Iterable[str]) -> tuple[str, ...]:
    listed = list(names)
    return (*listed[:SHOWN_AREAS], *(("…",) if len(listed) > SHOWN_AREAS else ()))
