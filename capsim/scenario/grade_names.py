"""Grades as people write them, and the order in which children pass through them.

A grade is known by what it is, never by where its column stands: ``K``, ``Grade 1``, ``G01``,
``1st``, ``Year 7``, ``一年级``, ``初一``. Each belongs to a scale of its own (Grade, Year, Primary …);
within a scale grades are numbered, and scales that follow one another in a school follow in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from unicodedata import normalize

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
    r"(pre ?-? ?)(k|kg|kinder(garten)?|primary|school|p)( ?\d)?|pk ?\d?|pre ?k ?\d?|nursery ?\d?|n ?[12]"
    r"|e(arly)? ?e(ducation)?|ec|early childhood|tk|transitional (kindergarten|k)|toddlers?"
    r"|reception year 0|托班|托儿班|亲子班|学前班?|学前教育"
)
OTHER = re.compile(
    r"un ?-?graded( (elementary|secondary))?|ug|su|eu|special( ed(ucation)?)?|other|others|adult( ed)?"
    r"|post ?-?grad(uate)?|pg|not (stated|known|specified)|unknown|no grade|grade 13|13"
    r"|不分年级|复式班?|特教班?|特殊教育班?|其他|其它"
)
TOTAL = re.compile(
    r"(grand |sub ?-?|all |district |school |overall |row )?totals?( of)?"
    r"( (all|grades?|enrol(l)?ment|students?|pupils?|school|k ?-? ?12|membership))*"
    r"|all( grades?| students?| pupils?| years?)?|sum|k ?(-|to) ?12( total)?|whole school"
    r"|(enrol(l)?ment|students?|pupils?|membership|k ?-? ?12|elementary|middle|high|secondary) total"
    r"|总计|合计|小计|总数|总人数|共计|全校|全部|计|全校人数|学生总数|在校生总数|总和"
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


def _number(text: str) -> int | None:
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
    plain = re.sub(r"[\s_]+", " ", normalize("NFKC", text).casefold()).strip(" .:：")
    if found := _plain(plain):
        return found
    bare = re.sub(r"\s+", " ", NOISE.sub(" ", plain)).strip(" .:：-()[]")
    return _plain(bare) if bare and bare != plain else None


def _plain(text: str) -> Grade | Left | None:
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
            number = _number(found[1])
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
    for at, (one, two) in enumerate(zip(grades, grades[1:], strict=False)):
        if one.scale == two.scale and two.rank - one.rank > 1:
            return at, at + 1
    return None
