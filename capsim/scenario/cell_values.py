"""Cells as people write them: numbers, school years, names and grades, read to what they mean.

Whole columns are read by their distinct cells. What was dressed otherwise is told, what
could mean two things is not read.

A grade is known by what it is, never by where its column stands: ``K``, ``Grade 1``, ``G01``,
``1st``, ``Year 7``, ``一年级``, ``初一``. Each belongs to a scale of its own (Grade, Year …);
within a scale grades are numbered, and scales that follow one another in a school follow in order.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Any
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
SERIALS = (30000, 60000)
"""Days since 1899-12-30 by which spreadsheets know dates, of 1982 to 2064."""
AROUND = re.compile(
    r"^(sy|ay|fy|school ?year|academic ?year|fall|autumn|spring|year)[ .:_-]*"
    r"|[ ._-]*(sy|fall|autumn|spring|school ?year|学年度?|學年度?|年度|年秋季?|年春季?|年|秋季?"
    r"|春季?"
    r"|학년도|년도?)$"
)
BY_END = re.compile(r"end(s|ed|ing)?|spring|june|春季?")
"""Words of a header and of cells that name a school year by the year in which it ends."""
BY_FISCAL = re.compile(r"fy|fiscal|财年|财政年度?")


@dataclass(frozen=True, eq=False)
class Read:
    """A column as it was read.

    Attributes
    ----------
    number : array of float
        NaN where blank, missing by its code, or bad.
    missing, bad : array of bool
        Cells with a code of what was not observed; cells that cannot be read.
    notes : tuple of Message
    """

    number: npt.NDArray[np.float64]
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
    >>> found.number.tolist(), found.missing.tolist()[3], found.bad.tolist()[5]
    ([12.0, 2340.0, 66.0, nan, nan, nan], True, True)
    >>> print(*found.notes, sep="; ")
    separators of thousands taken out of 1 cell: '2,340'; full-width digits in 1 cell: '６6 '
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
            arguments: dict[str, Any] = {
                "number": int(sum(counts[at] for at in found)),
                "example": repr(str(distinct[found[0]])),
            }
            notes.append(Message(text, arguments))
    marks = np.array(missing, dtype=bool)[codes_at], np.array(bad, dtype=bool)[codes_at]
    return Read(np.array(value, dtype=float)[codes_at], *marks, tuple(notes))


DRESS = {
    "grouped": "separators of thousands taken out of {number} cells: {example}",
    "wide": "full-width digits in {number} cells: {example}",
}


def folded(text: str) -> str:
    """Return a text in plain letters and digits; what is raised or ringed is no digit of a number.

    Examples
    --------
    >>> folded("１３０　人"), folded("1³0")
    ('130 人', '1³0')
    """
    if text.isascii():
        return text
    runs = groupby(text, key=lambda one: one.isdigit() and not one.isdecimal())
    return "".join(
        "".join(run) if raised else normalize("NFKC", "".join(run)) for raised, run in runs
    )


def _number(text: str) -> tuple[float | None, str]:
    """Return a number and how it was dressed; None where it is none."""
    plain = text.strip()
    how = ""
    if not plain.isascii():
        plain, how = folded(plain).strip(), "wide"
    if PLAIN.fullmatch(plain):
        return float(plain) if abs(float(plain)) < 1e15 else None, how
    if GROUPED.fullmatch(plain) and len(set(re.sub(r"\d|\.|^[+-]", "", plain))) == 1:
        return float(re.sub(r"[,'’ \u00a0\u202f]", "", plain)), "grouped"
    return None, how


def school_years(cells: pd.Series) -> Read:
    """Read a column of school years, each named by the calendar year in which it begins.

    ``2019``, ``2016.0``, ``2019/20``, ``2019-2020``, ``201920``, ``08/09``, ``FY2019``, ``2019年``,
    ``2019-2020学年``, dates, and the serial numbers by which spreadsheets know dates. Plain years
    in a column whose name says so (``Year Ending``, ``Spring``) are those in which school years
    end.

    Examples
    --------
    >>> found = school_years(pd.Series(["2019/20", "2020-2021学年", "2021.0", "2022-09-01", "x"]))
    >>> found.number.tolist()
    [2019.0, 2020.0, 2021.0, 2022.0, nan]
    >>> print(found.notes[0])
    school years by the autumn in which they begin: '2019/20' is 2019
    >>> school_years(pd.Series(["2020", "2019-20"], name="Year Ending")).number.tolist()
    [2019.0, 2019.0]
    """
    texts = cells.map(_year_text)
    codes_at, distinct = pd.factorize(texts)
    listed = [str(one) for one in distinct]
    read = [_year(text) for text in listed]
    head = re.split(r"[\W_]+", str(cells.name).casefold())
    if any(map(BY_END.fullmatch, head)):
        read = [
            (None if year is None else year - 1, "end") if form in ("", "word") else (year, form)
            for year, form in read
        ]
    elif any(map(BY_FISCAL.fullmatch, head)):
        read = [(year, form or "fiscal") for year, form in read]
    dates = [at for at, (_, form) in enumerate(read) if form == "date"]
    # Years that a program took for dates all begin on 1 January.
    if dates and all(re.fullmatch(r"\d{4}-01-01.*", listed[at]) for at in dates):
        for at in dates:
            read[at] = float(listed[at][:4]), "1 January"
    pairs = [re.fullmatch(r"(\d\d)(\d\d)", text) for text in listed]
    if len(listed) > 1 and all(one and (int(one[1]) + 1) % 100 == int(one[2]) for one in pairs):
        read = [(float(_century(int(one[1]))), "span") for one in pairs if one]
    if not all(form == "serial" for _, form in read):
        # One such number among years is a slip of the hand.
        read = [(None, "") if form == "serial" else (year, form) for year, form in read]
    values = np.array([np.nan if year is None else year for year, _ in read])
    values[(values < YEARS[0]) | (values > YEARS[1]) | (values % 1 != 0)] = np.nan
    forms = [form for _, form in read]
    notes = []
    for form, text in YEAR_FORMS.items():
        found = [at for at, one in enumerate(forms) if one == form and np.isfinite(values[at])]
        if found:
            arguments: dict[str, Any] = {
                "example": repr(listed[found[0]]),
                "year": int(values[found[0]]),
            }
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
    "end": "years in which a school year ends: {example} is the one that began in {year}",
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
    plain = re.sub(r"\s*[‐-―−~～至]\s*", "-", folded(text).casefold().strip())
    form = ""
    for _ in range(2):
        bare = AROUND.sub("", plain).strip()
        if bare != plain:
            spring = "spring" in plain or "春" in plain
            form = "fiscal" if plain.startswith("fy") else "end" if spring else form or "word"
            plain = bare
    if re.fullmatch(r"\d{4}(\.0*)?", plain):
        return float(plain) - (form == "end"), form
    if form == "fiscal" and re.fullmatch(r"'?\d{2}", plain):
        return float(_century(int(plain[-2:]))), form
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

    Without case, width, blanks, hyphens, invisible characters and the mark of a footnote behind
    it, apostrophes alike; between two digits a blank or hyphen stays.

    Examples
    --------
    >>> likeness("North  ES") == likeness("north-es") == likeness("Ｎｏｒｔｈ ES")
    True
    >>> likeness("1-1") == likeness("11"), likeness("0070") == likeness("070")
    (False, False)
    >>> likeness("St Mary’s*") == likeness("St Mary's"), likeness("Oak²") == likeness("Oak")
    (True, True)
    """
    plain = re.sub(r"(?<=\w)\s*[*＊†‡§¶⁰¹²³⁴-⁹]+\s*$", "", re.sub("[’‘`´ʼ＇]", "'", name))
    plain = normalize("NFKC", plain).casefold()
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
    return Decimal(re.sub(r"[,'’ \u00a0\u202f]", "", folded(text).strip()))


def date_of(text: str) -> dt.date | None:
    """Return the day that a text means for certain, spreadsheets' serial numbers among them.

    Examples
    --------
    >>> [str(date_of(text)) for text in ("2022/9/1", "2022年9月1日", "44805", "1/2/2022")]
    ['2022-09-01', '2022-09-01', '2022-09-01', 'None']
    """
    plain = folded(text).strip()
    if re.fullmatch(r"\d{5}(\.0)?", plain) and SERIALS[0] <= float(plain) <= SERIALS[1]:
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(float(plain)))
    day, _, time = plain.lower().replace("t", " ").partition(" ")
    return _date(day) if not time.strip("0:. ") else None


CHINESE = {one: at for at, one in enumerate("一二三四五六七八九", 1)} | {"十": 10}
WORDS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
NUMBERS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
]
ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii"]
NOISE = re.compile(
    r"\b(students?|pupils?|enrol(l)?ments?|enr|counts?|head ?counts?|numbers? of|numbers?|in|the"
    r"|no\.? of|membership)\b|人数|在校生数?|学生数?|在校"
)
"""Words round a grade that say that its pupils are counted."""
PRESCHOOL = re.compile(
    r"(pre ?-? ?)(k|kg|kinder(garten)?|primary|school|p)( ?\d)?|pk ?\d?|pre ?k ?\d?|nursery ?\d?"
    r"|n ?[12]|e(arly)? ?e(ducation)?|ec|early childhood|tk|transitional (kindergarten|k)"
    r"|toddlers?|托班|托儿班|亲子班|学前班?|学前教育"
)
OTHER = re.compile(
    r"un ?-?graded( (elementary|secondary))?|ug|su|eu|special( ed(ucation)?)?|others?"
    r"|adult( ed)?|post ?-?grad(uate)?|pg|not (stated|known|specified)|unknown|no grade|grade 13|13"
    r"|不分年级|复式班?|特教班?|特殊教育班?|其他|其它"
)
TOTAL = re.compile(
    r"(grand |sub ?-?|all |district |school |overall |row )?totals?( of)?"
    r"( (all|grades?|enrol(l)?ment|students?|pupils?|school|k ?-? ?12|membership))*"
    r"|all( grades?| students?| pupils?| years?)?|sum|k ?(-|to) ?12( total)?|whole school"
    r"|(enrol(l)?ment|students?|pupils?|membership|k ?-? ?12|elementary|middle|high|secondary)"
    r" total|总计|合计|小计|总数|总人数|共计|全校|全部|计|全校人数|学生总数|在校生总数|总和"
)
"""What stands over totals of grades, as the whole cell in lower case."""


@dataclass(frozen=True, order=True)
class Grade:
    """A grade.

    Attributes
    ----------
    rank : float
        Order among all grades.
    scale : text
        Words it belongs to; grades of one scale are numbered without a gap.
    """

    rank: float
    scale: str


@dataclass(frozen=True)
class Left:
    """A column or cell that is no grade children pass through, and why: ``total``, ``other``."""

    why: str


def _ordinal(text: str) -> int | None:
    """Read a grade's number: digits, words, Chinese or Roman."""
    if re.fullmatch(r"\d{1,2}", text):
        return int(text)
    if found := re.fullmatch(r"(\d{1,2})(st|nd|rd|th|º|°|ª)", text):
        return int(found[1])
    for known in (WORDS, NUMBERS, ROMAN):
        if text in known:
            return known.index(text) + 1
    if text and all(one in CHINESE for one in text):
        if len(text) == 1:
            return CHINESE[text]
        if len(text) == 2 and text[0] == "十":
            return 10 + CHINESE[text[1]]
    return None


N = r"(\d{1,2}(?:st|nd|rd|th|º|°|ª)?|[a-z]+|[一二三四五六七八九十]{1,2})"
PATTERNS: tuple[tuple[str, str, int], ...] = (
    (rf"{N}", "grade", 0),
    (rf"(?:grade|gr\.?|g|grd|gd|std\.?|standard|class|klasse|grado) ?{N}", "grade", 0),
    (rf"{N} ?(?:grade|gr\.?|g|graders?|class)", "grade", 0),
    (rf"{N} ?(?:年级|年級|年|학년)", "grade", 0),
    (rf"小学? ?{N} ?(?:年级|年級|年)?", "grade", 0),
    (rf"(?:初中?|初级中学) ?{N} ?(?:年级|年級|年)?", "grade", 6),
    (rf"(?:高中?|高级中学) ?{N} ?(?:年级|年級|年)?", "grade", 9),
    (rf"(?:year|yr\.?|y) ?(?:group )?{N}", "year", 0),
    (rf"(?:primary|prim\.?|p) ?{N}", "primary", 0),
    (rf"(?:junior|jr\.?|junior (?:high|secondary|middle)|j|js|jss) ?{N}", "junior", 20),
    (rf"(?:secondary|sec\.?|s|form|f) ?{N}", "secondary", 20),
    (rf"(?:senior|sr\.?|senior (?:high|secondary|middle)|ss|sss) ?{N}", "senior", 40),
)
"""Forms of a grade, its scale, and what is added to its number to rank it."""
SPECIAL = {
    "小班": Grade(-3, "class"),
    "中班": Grade(-2, "class"),
    "大班": Grade(-1, "class"),
    "幼儿园小班": Grade(-3, "class"),
    "幼儿园中班": Grade(-2, "class"),
    "幼儿园大班": Grade(-1, "class"),
    "reception": Grade(0, "year"),
    "rec": Grade(0, "year"),
    "r": Grade(0, "year"),
    "year r": Grade(0, "year"),
    "yr": Grade(0, "year"),
    "reception class": Grade(0, "year"),
    "junior infants": Grade(-2, "infants"),
    "senior infants": Grade(-1, "infants"),
    **dict.fromkeys(
        (
            "k",
            "kg",
            "kn",
            "kf",
            "kinder",
            "kindergarten",
            "kdg",
            "gk",
            "grade k",
            "gr k",
            "0",
            "00",
        ),
        Grade(0, "grade"),
    ),
}


def grade_of(text: str) -> Grade | Left | None:
    """Read a grade's name; None where it is none.

    Examples
    --------
    >>> [grade_of(name).rank for name in ("K", "Grade 1", "G02", "3rd", "Gr 4", "fifth grade")]
    [0, 1, 2, 3, 4, 5]
    >>> [grade_of(name).rank for name in ("小班", "一年级", "七年级", "初三", "高一")]
    [-3, 1, 7, 9, 10]
    >>> grade_of("Pre-K"), grade_of("Total"), grade_of("principal")
    (Left(why='other'), Left(why='total'), None)
    """
    plain = re.sub(r"[\s_]+", " ", folded(text).casefold()).strip(" .:：")
    if found := _grade(plain):
        return found
    bare = re.sub(r"\s+", " ", NOISE.sub(" ", plain)).strip(" .:：-()[]")
    return _grade(bare) if bare and bare != plain else None


def _grade(text: str) -> Grade | Left | None:
    text = re.sub(r" ?[-‐-―−] ?", "-", text)
    if TOTAL.fullmatch(text):
        return Left("total")
    spaced = text.replace("-", " ")
    if PRESCHOOL.fullmatch(text) or PRESCHOOL.fullmatch(spaced):
        return Left("other")
    if OTHER.fullmatch(text) or OTHER.fullmatch(spaced):
        return Left("other")
    if spaced in SPECIAL:
        return SPECIAL[spaced]
    if found := re.fullmatch(r"k ?([1-5])", spaced):
        return Grade(int(found[1]) - 4 if int(found[1]) < 4 else (int(found[1]) - 4) / 10, "k")
    if re.fullmatch(r"[1-9]\d?\.0", text):
        text = spaced = text[:-2]
    for pattern, scale, added in PATTERNS:
        if found := re.fullmatch(pattern, spaced):
            number = _ordinal(found[1])
            # A bare word or letter is no grade: "i" and "one" are names.
            if number is None or (pattern == N and not re.search(r"\d", found[1])):
                if pattern == N and found[1] in WORDS:
                    return Grade(WORDS.index(found[1]) + 1, scale)
                continue
            if number == 0:
                return Grade(0, scale)
            if 1 <= number <= 13:
                return Grade(number + added, scale)
    return None


def broken(grades: Sequence[Grade]) -> tuple[int, int] | None:
    """Return the positions of two neighbours, in order, between which a grade is missing.

    Examples
    --------
    >>> broken([Grade(1, "grade"), Grade(2, "grade"), Grade(4, "grade")])
    (1, 2)
    """
    for at, (one, two) in enumerate(pairwise(grades)):
        if one.scale == two.scale and two.rank - one.rank > 1:
            return at, at + 1
    return None
