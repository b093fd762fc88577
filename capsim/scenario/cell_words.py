"""Headers and cells as people fill them in, made plain: units, amounts, years, dates, words.

A unit in a header scales its column or is a fault; it is never dropped. Cells are looked at only
where they are not plain already. What was understood is told, what could mean two things is left
to be a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from capsim.i18n.language import Message, Value
from capsim.scenario.cell_values import (
    PLAIN,
    Grade,
    date_of,
    folded,
    grade_of,
    number_of,
    school_years,
)
from capsim.scenario.faults import Fault
from capsim.scenario.schema import COLUMNS_ZH, EXACT_ZH, TABLES, UNITS_ZH, WORDS_ZH, Column

BRACKETED = re.compile(r"(.*?)\s*[(（\[【〔［](.*)[)）\]】〕］]\s*", re.DOTALL)
MULTIPLES = {
    "百": 100,
    "千": 1000,
    "万": 10_000,
    "萬": 10_000,
    "十万": 100_000,
    "百万": 1_000_000,
    "千万": 10_000_000,
    "亿": 100_000_000,
    "億": 100_000_000,
    "hundred": 100,
    "hundreds": 100,
    "thousand": 1000,
    "thousands": 1000,
    "'000": 1000,
    "000s": 1000,
    "million": 1_000_000,
    "millions": 1_000_000,
    "mn": 1_000_000,
    "bn": 1_000_000_000,
    "billion": 1_000_000_000,
}
MONEY = "rmb cny yuan 元 人民币 ¥ ￥ 元人民币"
COUNTED = (
    "persons person people pupils pupil children places place seats teachers posts classes "
    "dwellings units copies students 人 名 位 个 生 班 套 所 座 学位 学生 教师 间 栋"
)
SIZES: Mapping[str, Mapping[str, str]] = {
    "RMB": dict.fromkeys(MONEY.split(), "1"),
    "km": dict.fromkeys(["km", "公里", "千米", "kilometres", "kilometers"], "1")
    | dict.fromkeys(["m", "米", "metres", "meters"], "0.001")
    | dict.fromkeys(["mile", "miles", "mi", "英里"], "1.609344")
    | {"里": "0.5"},
    "mu": dict.fromkeys(["mu", "亩"], "1")
    | dict.fromkeys(["ha", "公顷", "hectare", "hectares"], "15")
    | dict.fromkeys(["m2", "平方米", "平米", "sqm"], "0.0015")
    | dict.fromkeys(["km2", "平方公里", "平方千米"], "1500"),
    "months": dict.fromkeys(["months", "month", "月", "个月"], "1")
    | dict.fromkeys(["years", "year", "年"], "12"),
    "minutes": dict.fromkeys(["minutes", "minute", "min", "分钟", "分"], "1")
    | dict.fromkeys(["hours", "hour", "h", "小时", "时"], "60"),
    "share": {"%": "0.01", "percent": "0.01", "‰": "0.001", "share": "1"},
    "year": dict.fromkeys(["year", "years", "年", "年份", "年度", "学年"], "1"),
}
"""Units by what they measure, and their size in the unit that columns have."""
EACH = {
    "place": ("place", "places", "seat", "学位", "座"),
    "pupil": ("pupil", "pupils", "person", "student", "child", "生", "学生", "人"),
    "year": ("school year", "year", "annum", "学年", "年"),
}
"""What an amount may be for, by what a column's unit says of it."""
DEGREES = {
    **dict.fromkeys(["lon", "longitude", "lng", "long", "经度", "經度"], "x_km"),
    **dict.fromkeys(["lat", "latitude", "纬度", "緯度"], "y_km"),
}
"""Headers of coordinates in degrees, and the columns that they are projected to."""
BESIDE = ("wgs", "deg", "degree", "degrees", "dd", "gps", "geo", "decimal", "coord", "coordinate")
"""Words that may stand beside one of these."""
ARC = re.compile(
    r"(?P<before>[nsew]|[东西]经|[南北]纬)?\s*(?P<sign>[+-]?)(?P<degrees>\d{1,3}(?:[.,]\d+)?)\s*[°º˚度]?\s*"
    r"(?:(?P<minutes>\d{1,2}(?:[.,]\d+)?)\s*['′’分]\s*)?"
    r"(?:(?P<seconds>\d{1,2}(?:[.,]\d+)?)\s*(?:[\"″”秒]|'')\s*)?(?P<after>[nsew])?"
)
"""Degrees, minutes and seconds, with the side they lie on."""
SIDES = {"x_km": "ew东西", "y_km": "ns北南"}
AMOUNT = re.compile(r"([+-]?[\d.,'’ \u00a0\u202f]*\d\.?)\s*(\D.*)")
YEAR = re.compile(r"(?:fy|cy)?\s*(\d{4})(?:\.0+)?\s*(?:年度?|年份)?")


def axis_of(header: str) -> str:
    """Return the column that degrees below a header are projected to; blank where it has none.

    Examples
    --------
    >>> axis_of("Longitude (WGS84)"), axis_of("LAT_DD"), axis_of("long name"), axis_of("经度")
    ('x_km', 'y_km', '', 'x_km')
    """
    words = re.findall(r"[a-z]+|[一-鿿]+", _plain(header).replace("intpt", ""))
    axes = {DEGREES[word] for word in words if word in DEGREES}
    rest = [word for word in words if word not in DEGREES]
    return axes.pop() if len(axes) == 1 and {*BESIDE}.issuperset(rest) else ""


def degrees_of(cell: str, axis: str) -> float:
    """Return a coordinate in degrees, written with a point, a comma or minutes; NaN where none.

    A comma cannot part thousands: there are 180 degrees.

    Examples
    --------
    >>> [degrees_of(cell, "x_km") for cell in ("76°36'W", "-76,6", "东经114°30′", "39 N")]
    [-76.6, -76.6, 114.5, nan]
    """
    plain = folded(cell.replace("−", "-")).casefold().strip()
    if "," not in plain and (number := number_of(plain)) is not None:
        return float(number)
    found = ARC.fullmatch(plain)
    side = "" if found is None else (found["before"] or found["after"] or "")[:1]
    if found is None or (side and side not in SIDES[axis]) or (side and found["sign"]):
        return float("nan")
    parts = (found[name] or "0" for name in ("degrees", "minutes", "seconds"))
    degrees, minutes, seconds = (float(part.replace(",", ".")) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    back = found["sign"] == "-" or side in ("w", "西", "s", "南")
    return round(-value if back else value, 9)


def heading(table: str, text: str) -> tuple[str, str]:
    """Return the column that a header means and the unit it says, each blank where there is none.

    Examples
    --------
    >>> heading("projects", "建设投资（万元）"), heading("areas", "lat"), heading("areas", "brith")
    (('capital_cny', '万元'), ('y_km', '°'), ('', ''))
    """
    known = _names(table)
    plain = _plain(text)
    if plain in known:
        return known[plain], ""
    if plain in DEGREES and "x_km" in TABLES[table].names:
        return DEGREES[plain], "°"
    found = BRACKETED.fullmatch(text)
    if found is None:
        return "", ""
    name, unit = _plain(found[1]), found[2].strip()
    if name in DEGREES and "x_km" in TABLES[table].names:
        return DEGREES[name], "°"
    column = known.get(name, "")
    return column, unit if column and TABLES[table].column(column).is_number else ""


@cache
def _names(table: str) -> Mapping[str, str]:
    names = TABLES[table].names
    known = {_plain(COLUMNS_ZH.get(name, name)): name for name in names}
    known |= {_plain(EXACT_ZH.get(f"{table}.{name}", name)): name for name in names}
    return known | {name: name for name in names}


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


def factor(column: Column, unit: str) -> Decimal | None:
    """Return what a unit is in the unit of a column; None where it is no unit of it.

    Examples
    --------
    >>> projects = TABLES["projects"]
    >>> factor(projects.column("capital_cny"), "万元"), factor(projects.column("land_mu"), "公顷")
    (Decimal('10000'), Decimal('15'))
    >>> factor(projects.column("places"), "thousand"), factor(projects.column("places"), "万元")
    (Decimal('1000'), None)
    """
    plain = _plain(unit)
    if plain in (_plain(column.unit), _plain(UNITS_ZH.get(column.unit, column.unit))):
        return Decimal(1)
    amount, *each = re.split(r"\s*/\s*|\s+per\s+|\s+an?\s+|每", plain)
    said = [word for part in each for word in re.split(r"\s*[·.*和、,]\s*|\s+and\s+", part)]
    allowed = {word for key, words in EACH.items() if key in column.unit for word in words}
    if not set(said) <= allowed:
        return None
    return _size(amount.strip(), _sizes(column))


def _sizes(column: Column) -> Mapping[str, str]:
    """Return the units of what a column measures; a bare multiple goes with any of them."""
    head = column.unit.split(" ")[0].removesuffix(",")
    if "by kind" in column.unit:
        return {}
    return SIZES.get("year" if head == "years" else head, dict.fromkeys(COUNTED.split(), "1"))


def _size(text: str, sizes: Mapping[str, str]) -> Decimal | None:
    if text in sizes:
        return Decimal(sizes[text])
    if text in MULTIPLES:
        return Decimal(MULTIPLES[text])
    for multiple in sorted(MULTIPLES, key=len, reverse=True):
        rest = text.removeprefix(multiple).strip()
        if rest != text and rest in sizes:
            return Decimal(MULTIPLES[multiple]) * Decimal(sizes[rest])
    words = [word for word in re.split(r"[\s,]+", text) if word not in ("of", "in", "")]
    multiples = [MULTIPLES[word] for word in words if word in MULTIPLES]
    units = [sizes[word] for word in words if word in sizes]
    if len(multiples) == 1 and len(units) == 1 and len(words) == 2:
        return Decimal(multiples[0]) * Decimal(units[0])
    return None


def persons(unit: str) -> Decimal | None:
    """Return how many persons or places a unit is; None where it is no unit of them.

    Examples
    --------
    >>> persons("人"), persons("in thousands"), persons("万人"), persons("2019")
    (Decimal('1'), Decimal('1000'), Decimal('10000'), None)
    """
    return _size(re.sub(r"^in ", "", _plain(unit)), dict.fromkeys(COUNTED.split(), "1"))


STANDING = re.compile(
    r"(?:单位|unit)s?\s*[:：]?\s*([^\s,，;；)）】\]]+)"
    r"|\b(?:in|as) (hundreds|thousands|millions|billions|'?000s?)\b"
    r"|[(（](hundreds|thousands|millions|billions|'?000s?)[)）]",
    re.IGNORECASE,
)


UNIT_APART = "the unit of numbers in the header of their column"


def standing_unit(text: str) -> str:
    """Return the unit that a text above or under a table says, where numbers are not plain in it.

    Examples
    --------
    >>> [standing_unit(text) for text in ("单位：万元", "Pupils (in thousands)", "单位：人")]
    ['万元', 'thousands', '']
    """
    sizes = {word: size for units in SIZES.values() for word, size in units.items()}
    sizes = {**dict.fromkeys(COUNTED.split(), "1"), **sizes, "'000": "1000", "000": "1000"}
    for found in STANDING.finditer(text):
        said = next(part for part in found.groups() if part)
        for unit in re.split("[、和]", _plain(said)):
            if (_size(unit, sizes) or 1) != 1 and sizes.get(unit) != "1":
                return said
    return ""


def unit_fault(file: str, row: int | None, text: str) -> list[Fault]:
    """Refuse a unit that stands above or under a table: it is of no column."""
    if not standing_unit(text):
        return []
    expected = Message(UNIT_APART)
    cure = Message("write it there, as in pupils (thousand), and take it out of this row")
    return [Fault(file, row, "", text, expected, cure)]


def notes_under(rows: Sequence[Sequence[Any]], columns: int) -> int:
    """Count the rows at the end that are notes: a text in the first of three columns or more.

    Examples
    --------
    >>> notes_under([["a", 1, 2], ["b", 3, 4], ["Source: office", None, None]], 3)
    1
    """
    blank = (None, "")
    number = 0
    while columns > 2 and number < len(rows):
        first, *rest = rows[-1 - number]
        if first in blank or any(cell not in blank for cell in rest):
            break
        number += 1
    return number


def scaled(values: pd.Series, by: Decimal) -> pd.Series:
    """Return numbers times a factor, each the nearest to the exact product."""
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    product = [float(Decimal(repr(float(value))) * by) for value in distinct]
    return pd.Series(np.append(product, np.nan)[codes])


def understood(cells: Sequence[str], column: Column) -> tuple[list[str], list[Message]]:
    """Return cells made plain as far as they can be, and notes on what was understood.

    Examples
    --------
    >>> schools = TABLES["schools"]
    >>> cells, notes = understood(["公办", "private"], schools.column("sector"))
    >>> print(cells, *notes)
    ['public', 'private'] sector: 1 cell read as meant: '公办' as public
    >>> understood(["6500万", "1.2亿元", "2,340"], schools.column("closure_cost_cny"))[0]
    ['65000000', '120000000', '2340']
    """
    distinct = list(dict.fromkeys(cells))
    if column.name == "school_year":
        texts = [cell for cell in distinct if cell]
        read = school_years(pd.Series(texts, dtype=object)) if texts else None
        found = {} if read is None else dict(zip(texts, read.number.tolist(), strict=True))
        new = {cell: str(int(year)) for cell, year in found.items() if year == year}
    else:
        new = {cell: plain for cell in distinct if cell and (plain := _cell(cell, column))}
    new = {cell: plain for cell, plain in new.items() if plain != cell}
    if not new:
        return list(cells), []
    first = next(iter(new))
    arguments: dict[str, Value] = {
        "column": column.name,
        "number": sum(cell in new for cell in cells),
        "example": repr(first),
        "value": new[first],
    }
    note = Message(
        "{column}: {number} cells read as meant, such as {example} as {value}", arguments
    )
    return [new.get(cell, cell) for cell in cells], [note]


def _cell(cell: str, column: Column) -> str:
    """Return a cell made plain; blank where it is not understood."""
    if column.allowed:
        word = _plain(cell)
        means = [value for value in column.allowed if word in (value, *WORDS_ZH.get(value, ()))]
        return means[0] if len(means) == 1 else ""
    if column.kind == "date":
        day = date_of(cell)
        return "" if day is None else day.isoformat()
    if not column.is_number:
        return ""
    if column.unit == "year":
        year = YEAR.fullmatch(_plain(cell))
        return year[1] if year else ""
    value = amount(cell, column)
    if value is None or (column.kind == "int" and value != value.to_integral_value()):
        return ""
    return format(value.normalize(), "f")


def amount(cell: str, column: Column) -> Decimal | None:
    """Return a number as it is written, with separators, wide digits or a unit behind it.

    Examples
    --------
    >>> places = TABLES["schools"].column("places")
    >>> [str(amount(cell, places)) for cell in ("２,３４０", "0.5万", "30 人", "5%", "3-4")]
    ['2340', '5000.0', '30', 'None', 'None']
    """
    plain = folded(cell).strip()
    if (value := number_of(plain)) is not None:
        return value
    found = AMOUNT.fullmatch(plain)
    value = number_of(found[1].strip()) if found else None
    by = factor(column, found[2]) if found else None
    return None if value is None or by is None else value * by


def grade_word(cell: str, known: Iterable[str]) -> str:
    """Return the known grade that a word means; blank where it means none of them.

    Examples
    --------
    >>> grade_word("一年级", ["K1", "1"]), grade_word("小班", ["K1", "1"]), grade_word("x", ["1"])
    ('1', 'K1', '')
    """
    found = grade_of(cell)
    if not isinstance(found, Grade) or found.scale not in ("grade", "class"):
        return ""
    name = f"K{int(found.rank) + 4}" if found.scale == "class" else f"{found.rank:g}"
    return name if name in known else ""


STAGES = ("kindergarten", "primary", "junior", "senior")
SETTING = re.compile(r"([+-]?[\d.,]*\d)\s*(%|‰|[百千万亿十]*)\s*(?:元|人|个|亩|所)?")


def setting_word(text: str, key: str, *, quoted: bool = True) -> Any:
    """Return the number, year, switch or list that a text of a setting means; None where none.

    ``quoted`` where a plain number is no text by chance: it stands in quotes.

    Examples
    --------
    >>> setting_word("30.98万", "reduction"), setting_word("5%", "2022"), setting_word("是", "x")
    (309800, 0.05, True)
    >>> setting_word("2021-2022学年", "base_year"), setting_word("小学、初中", "planned")
    (2021, ['primary', 'junior'])
    """
    plain = normalize("NFKC", text).casefold().strip()
    if plain in ("true", "false", "yes", "no", *WORDS_ZH["yes"], *WORDS_ZH["no"]):
        return plain in ("true", "yes", *WORDS_ZH["yes"])
    if key in ("planned", "compulsory", "stages"):
        known = {word: name for name in STAGES for word in (name, *WORDS_ZH[name])}
        parts = [part for part in re.split(r"[、,;\s]+", plain) if part]
        return [known[part] for part in parts] if parts and set(parts) <= set(known) else None
    if key.endswith("year"):
        years = school_years(pd.Series([plain], dtype=object)).number
        return int(years[0]) if years[0] == years[0] else None
    if quoted and PLAIN.fullmatch(text):
        return None  # whoever writes TOML is told so
    found = SETTING.fullmatch(plain)
    value = number_of(found[1]) if found else None
    if found is None or value is None:
        return date_of(plain)
    shares = {"%": Decimal("0.01"), "‰": Decimal("0.001"), "": Decimal(1)}
    if found[2] not in shares and found[2] not in MULTIPLES:
        return None
    value *= shares[found[2]] if found[2] in shares else Decimal(MULTIPLES[found[2]])
    return int(value) if value == value.to_integral_value() else float(value)
