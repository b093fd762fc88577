"""Cells as people write them: numbers, school years and names, read to what they mean.

Whole columns are read by their distinct cells. What was dressed otherwise than plainly is told, what
could mean two things is not read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from unicodedata import normalize

import numpy as np
import numpy.typing as npt
import pandas as pd

from capsim.i18n.language import Message

YEARS = (1800, 2200)
"""First and last school year that a table may have."""
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([,'’ \u00a0\u202f]\d{3})+(\.\d+)?")
THOUSAND_OR_NOT = re.compile(r"[1-9]\d{0,2}\.\d{3}")
"""A number that is one thing in English and another in German."""
AUTUMN = 7
"""First month that belongs to the school year that is named by its calendar year."""
SERIALS = (20000, 80000)
"""Days since 1899-12-30 by which spreadsheets know dates, of 1954 to 2119."""
AROUND = re.compile(
    r"^(sy|ay|fy|school ?year|academic ?year|fall|autumn|year)[ .:_-]*"
    r"|[ ._-]*(sy|fall|autumn|school ?year|学年度?|學年度?|年度|年秋季?|年|秋季?|학년도|년도?)$"
)


@dataclass(frozen=True, eq=False)
class Read:
    """A column as it was read.

    Attributes
    ----------
    values : array of float
        NaN where blank, missing by its code, or bad.
    missing, bad : array of bool
        Cells with a code of what was not observed; cells that cannot be read.
    notes : tuple of Message
    """

    values: npt.NDArray[np.float64]
    missing: npt.NDArray[np.bool_]
    bad: npt.NDArray[np.bool_]
    notes: tuple[Message, ...] = ()


def codes_of(missing: str | Sequence[str]) -> frozenset[str]:
    """Return codes of what was not observed, from a list or a text with commas.

    Examples
    --------
    >>> sorted(codes_of("--, *,z,<10"))
    ['*', '--', '<10', 'z']
    """
    parts = missing.split(",") if isinstance(missing, str) else missing
    return frozenset(part.strip().casefold() for part in parts) - {""}


def numbers(cells: pd.Series, codes: frozenset[str] = frozenset()) -> Read:
    """Read a column of numbers, 0 or more.

    Examples
    --------
    >>> found = numbers(pd.Series(["12", "2,340", "６6 ", "*", "", "5%"]), frozenset("*"))
    >>> found.values.tolist(), found.missing.tolist()[3], found.bad.tolist()[5]
    ([12.0, 2340.0, 66.0, nan, nan, nan], True, True)
    >>> print(*found.notes)
    separators of thousands taken out of 1 cell: '2,340' full-width digits in 1 cell: '６6 '
    """
    if pd.api.types.is_numeric_dtype(cells):
        values = cells.to_numpy(dtype=float)
        bad = (values < 0) | np.isinf(values)
        return Read(np.where(bad, np.nan, values), np.zeros(len(values), dtype=bool), bad)
    codes_at, distinct = pd.factorize(cells.astype(str))
    value, missing, bad, dress = [], [], [], []
    for text in map(str, distinct):
        number, how = _number(text)
        value.append(np.nan if number is None else number)
        missing.append(number is None and text.strip().casefold() in codes)
        bad.append((number is None or number < 0) and bool(text.strip()) and not missing[-1])
        dress.append(how)
    counts = np.bincount(codes_at, minlength=len(distinct))
    points = [at for at, text in enumerate(distinct) if "." in text and not bad[at]]
    if points and all(THOUSAND_OR_NOT.fullmatch(distinct[at].strip()) for at in points):
        plain = any(np.isfinite(value[at]) and at not in points for at in range(len(value)))
        if plain or not all(distinct[at].strip().endswith(".000") for at in points):
            for at in points:
                bad[at], value[at] = True, np.nan
    notes = []
    for how, text in DRESS.items():
        found = [at for at in range(len(distinct)) if dress[at] == how and not bad[at]]
        if found:
            arguments = {
                "number": int(sum(counts[at] for at in found)),
                "example": repr(str(distinct[found[0]])),
            }
            notes.append(Message(text, arguments))
    pick = np.array(value), np.array(missing), np.array(bad)
    return Read(*(part[codes_at] for part in pick), tuple(notes))


DRESS = {
    "grouped": "separators of thousands taken out of {number} cells: {example}",
    "wide": "full-width digits in {number} cells: {example}",
}


def _number(text: str) -> tuple[float | None, str]:
    """Return a number and how it was dressed; None where it is none."""
    plain = text.strip()
    how = ""
    if not plain.isascii():
        plain, how = normalize("NFKC", plain).strip(), "wide"
    if PLAIN.fullmatch(plain):
        return float(plain) if abs(float(plain)) < 1e15 else None, how
    if GROUPED.fullmatch(plain) and len(set(re.sub(r"\d|\.|^[+-]", "", plain))) == 1:
        return float(re.sub(r"[,'’ \u00a0\u202f]", "", plain)), "grouped"
    return None, how


def school_years(cells: pd.Series) -> Read:
    """Read a column of school years, each named by the calendar year in which it begins.

    ``2019``, ``2016.0``, ``2019/20``, ``2019-2020``, ``201920``, ``08/09``, ``FY2019``, ``2019年``,
    ``2019-2020学年``, dates, and the serial numbers by which spreadsheets know dates.

    Examples
    --------
    >>> found = school_years(pd.Series(["2019/20", "2020-2021学年", "2021.0", "2022-09-01", "x"]))
    >>> found.values.tolist()
    [2019.0, 2020.0, 2021.0, 2022.0, nan]
    >>> print(*found.notes)
    school years by the autumn in which they begin: '2019/20' is 2019
    """
    texts = cells.map(_year_text)
    codes_at, distinct = pd.factorize(texts)
    listed = [str(one) for one in distinct]
    read = [_year(text) for text in listed]
    dates = [at for at, (_, form) in enumerate(read) if form == "date"]
    # Years that a program took for dates all begin on 1 January.
    if dates and all(re.fullmatch(r"\d{4}-01-01.*", listed[at]) for at in dates):
        for at in dates:
            read[at] = float(listed[at][:4]), "1 January"
    pairs = [re.fullmatch(r"(\d\d)(\d\d)", text) for text in listed]
    if len(listed) > 1 and all(one and (int(one[1]) + 1) % 100 == int(one[2]) for one in pairs):
        read = [(float(_century(int(one[1]))), "span") for one in pairs if one]
    values = np.array([np.nan if year is None else year for year, _ in read])
    values[(values < YEARS[0]) | (values > YEARS[1]) | (values % 1 != 0)] = np.nan
    forms = [form for _, form in read]
    notes = []
    for form, text in YEAR_FORMS.items():
        found = [at for at, one in enumerate(forms) if one == form and np.isfinite(values[at])]
        if found:
            arguments = {"example": repr(listed[found[0]]), "year": int(values[found[0]])}
            notes.append(Message(text, arguments))
    fiscal = {form == "fiscal" for form in forms if form}
    bad = np.isnan(values)
    if fiscal == {True, False}:
        # Named by the year in which they end, or not: beside others it cannot be told.
        bad |= np.array([form == "fiscal" for form in forms])
    return Read(
        np.where(bad, np.nan, values)[codes_at],
        np.zeros(len(codes_at), dtype=bool),
        bad[codes_at],
        tuple(notes),
    )


YEAR_FORMS = {
    "span": "school years by the autumn in which they begin: {example} is {year}",
    "date": "dates by their school year, from July on the calendar year: {example} is {year}",
    "1 January": "dates of 1 January taken for the year alone: {example} is {year}",
    "serial": "serial numbers of dates read as dates: {example} is {year}",
    "fiscal": "fiscal years by the number they have: {example} is {year}",
    "word": "words round the year left out: {example} is {year}",
}


def _year_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _century(two: int) -> int:
    return 2000 + two if two < 70 else 1900 + two


def _year(text: str) -> tuple[float | None, str]:
    """Read one school year and the form it had; plain years have none."""
    plain = re.sub(r"\s*[‐-―−~～至]\s*", "-", normalize("NFKC", text).casefold().strip())
    form = ""
    for _ in range(2):
        bare = AROUND.sub("", plain).strip()
        if bare != plain:
            form = "fiscal" if plain.startswith("fy") else form or "word"
            plain = bare
    if re.fullmatch(r"\d{4}(\.0*)?", plain):
        return float(plain), form
    if found := re.fullmatch(r"(\d{4}) ?[/-]? ?(\d{4})", plain):
        first, second = int(found[1]), int(found[2])
        if second == first + 1:
            return float(first), "span"
    if found := re.fullmatch(r"(\d{4}) ?([/-]?) ?(\d{2})(?:\.0)?", plain):
        first, second = int(found[1]), int(found[3])
        if second == (first + 1) % 100:
            return float(first), form if form == "fiscal" else "span"
        if found[2] and 1 <= second <= 12:
            return float(first if second >= AUTUMN else first - 1), "date"
        return (float(first), "span") if found[2] else (None, "")
    if found := re.fullmatch(r"'?(\d{2})[/-](\d{2})", plain):
        if int(found[2]) == (int(found[1]) + 1) % 100:
            return float(_century(int(found[1]))), "span"
        return None, ""
    if re.fullmatch(r"\d{5}(\.0)?", plain) and SERIALS[0] <= float(plain) <= SERIALS[1]:
        day = dt.date(1899, 12, 30) + dt.timedelta(days=int(float(plain)))
        return _autumn(day), "serial"
    if (day_of := _date(plain)) is not None:
        return _autumn(day_of), "date"
    return None, ""


def _autumn(day: dt.date) -> float:
    return float(day.year if day.month >= AUTUMN else day.year - 1)


def _date(text: str) -> dt.date | None:
    """Read a day whose order of parts is certain."""
    found = re.fullmatch(r"(\d{4})([-/.年]?)(\d{1,2})(?:\2|月)(\d{1,2})日?(?:[t ].*)?", text)
    if found:
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    else:
        found = re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?: .*)?", text)
        if not found:
            return None
        one, two, year = int(found[1]), int(found[3]), int(found[4])
        dotted = found[2] == "."
        if not dotted and one <= 12 and two <= 12 and one != two:
            return None
        month, day = (two, one) if dotted or one > 12 else (one, two)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def likeness(name: str) -> str:
    """Return what a name has in common with those that are meant the same.

    Without case, width, blanks, hyphens and invisible characters; between two digits a blank or
    hyphen stays.

    Examples
    --------
    >>> likeness("North  ES") == likeness("north-es") == likeness("Ｎｏｒｔｈ ES")
    True
    >>> likeness("1-1") == likeness("11"), likeness("0070") == likeness("070")
    (False, False)
    """
    plain = normalize("NFKC", name).casefold()
    plain = re.sub(r"[\u00ad\u200b-\u200f\u2060\ufeff]", "", plain)
    plain = re.sub(r"[\s‐-―−_-]+", "-", plain).strip("-")
    return re.sub(r"(?<!\d)-|-(?!\d)", "", plain)


def alike(names: Sequence[str], key: Callable[[str], str] = likeness) -> list[tuple[str, ...]]:
    """Return groups of different names that have the same key, each with the first seen first."""
    groups: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(key(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def as_number(name: str) -> str:
    """Return what a name is as a number, where a program might take it for one; else itself.

    Examples
    --------
    >>> as_number("0070"), as_number("70"), as_number("1E2"), as_number("North")
    ('70', '70', '100', 'North')
    """
    if not PLAIN.fullmatch(name):
        return name
    value = float(name)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)


def number_of(text: str) -> Decimal | None:
    """Return a number exactly as it is written; None where it is none.

    Examples
    --------
    >>> number_of("2,340.5"), number_of("12,34")
    (Decimal('2340.5'), None)
    """
    value, _ = _number(text)
    if value is None:
        return None
    return Decimal(re.sub(r"[,'’ \u00a0\u202f]", "", normalize("NFKC", text).strip()))


def date_of(text: str) -> dt.date | None:
    """Return the day that a text means for certain, spreadsheets' serial numbers among them.

    Examples
    --------
    >>> [str(date_of(text)) for text in ("2022/9/1", "2022年9月1日", "44805", "1/2/2022")]
    ['2022-09-01', '2022-09-01', '2022-09-01', 'None']
    """
    plain = normalize("NFKC", text).strip()
    if re.fullmatch(r"\d{5}(\.0)?", plain) and SERIALS[0] <= float(plain) <= SERIALS[1]:
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(float(plain)))
    return _date(plain.lower())
