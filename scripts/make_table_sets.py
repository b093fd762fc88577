"""Write a synthetic set of tables of schools, as an agency of a country would have them.

    python scripts/make_table_sets.py usa my-tables --schools 200

Three files appear in the folder: enrolment (wide in the USA and China, long in England), capacity
and points. Everything is made up from the seed; the quirks are those that real files have: titles,
totals, nurseries, school years as 2019/20, names written in two ways, GBK.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

YEARS = range(2016, 2024)
"""Observed school years, by the calendar year in which they begin."""
LATEST = len(YEARS) - 1


@dataclass(frozen=True)
class Kind:
    """Schools of one kind: what a name ends with (long, short), grades, share of schools."""

    ending: str
    short: str
    grades: range
    share: float
    intake: float


@dataclass(frozen=True)
class Country:
    """What tables of a country look like."""

    kinds: tuple[Kind, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    middle: tuple[float, float]
    trend: float


COUNTRIES = {
    "usa": Country(
        (
            Kind(" Elementary School", " ES", range(0, 6), 0.65, 75),
            Kind(" Middle School", " MS", range(6, 9), 0.2, 240),
            Kind(" High School", " HS", range(9, 13), 0.15, 320),
        ),
        ("Oak", "Cedar", "Maple", "River", "Mill", "Stone", "Fox", "Clear", "Spring", "Walnut"),
        (
            "wood",
            "brook",
            "field",
            "ridge",
            "ton",
            "dale",
            "view",
            "ford",
            "land",
            "creek",
            "port",
            "hill",
            "crest",
            "haven",
            "grove",
            "mont",
            "bury",
            "side",
            "shore",
            "gate",
        ),
        (-76.7, 39.3),
        0.03,
    ),
    "england": Country(
        (
            Kind(" Primary School", " Primary", range(0, 7), 0.8, 48),
            Kind(" Secondary School", " Secondary", range(7, 12), 0.2, 180),
        ),
        ("Ash", "Beck", "Thorn", "Kirk", "Nether", "Upper", "Saint ", "Hazel", "Long", "Rush"),
        (
            "ley",
            "ham",
            "worth",
            "combe",
            "stead",
            "wick",
            "bourne",
            "den",
            "hurst",
            "mere",
            "minster",
            "by",
            "thwaite",
            "ing",
            "stow",
            "cliffe",
            "moor",
            "dene",
            "holme",
            "garth",
        ),
        (-1.5, 52.4),
        -0.012,
    ),
    "china": Country(
        (
            Kind("小学", "小学", range(1, 7), 0.7, 150),
            Kind("初级中学", "初级中学", range(7, 10), 0.3, 320),
        ),
        ("东", "西", "南", "北", "新", "平", "长", "安", "清", "永"),
        (
            "河",
            "山",
            "园",
            "湖",
            "桥",
            "门",
            "林",
            "田",
            "泉",
            "坪",
            "塘",
            "岭",
            "湾",
            "沟",
            "屯",
            "堡",
            "营",
            "店",
            "庄",
            "里",
        ),
        (114.6, 34.0),
        0.0,
    ),
}


def pupils_of(
    country: Country, schools: int, rng: np.random.Generator
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return names, kind of each school and pupils ``[school, grade, year]``; NaN: not taught."""
    numbers = [max(1, round(kind.share * schools)) for kind in country.kinds]
    numbers[0] = schools - sum(numbers[1:])
    of = np.repeat(np.arange(len(numbers)), numbers)
    stems = [a + b for b in country.last_names for a in country.first_names]
    names = []
    for number, kind in zip(numbers, country.kinds, strict=True):
        names += [stem + kind.ending for stem in rng.permutation(stems)[:number].tolist()]
    last = max(kind.grades.stop for kind in country.kinds)
    pupils = np.full((schools, last, len(YEARS)), np.nan)
    growth = rng.normal(country.trend, 0.01, schools)
    size = rng.lognormal(0.0, 0.25, schools)
    # Classes of a level stay together: its intake is that of the level below, moved up.
    for at in range(schools):
        kind = country.kinds[of[at]]
        for grade in kind.grades:
            born = np.array(YEARS) - grade
            mean = kind.intake * size[at] * np.exp(growth[at] * (born - born.mean()))
            pupils[at, grade] = rng.poisson(mean)
    return names, of, pupils


def grade_names(country: str, last: int) -> list[str]:
    """Return what the country calls its grades."""
    if country == "usa":
        return ["K", *(str(grade) for grade in range(1, last))]
    if country == "england":
        return ["Reception", *(f"Year {grade}" for grade in range(1, last))]
    return ["", *(f"{numeral}年级" for numeral in "一二三四五六七八九"[: last - 1])]


def make(country: str, folder: Path, schools: int = 200, seed: int = 1) -> None:
    """Write enrolment, capacity and points of a made-up place."""
    shape, rng = COUNTRIES[country], np.random.default_rng(seed)
    names, of, pupils = pupils_of(shape, schools, rng)
    grades = grade_names(country, pupils.shape[1])
    now = np.nansum(pupils[..., -1], axis=1)
    room = np.round(now * rng.uniform(0.92, 1.12, schools), -1).astype(int)
    east, north = rng.normal(0, 0.12, (2, schools))
    folder.mkdir(parents=True, exist_ok=True)
    writers = {"usa": _american, "england": _english, "china": _chinese}
    writers[country](folder, shape, names, of, pupils, grades, room, rng)
    lon, lat = (np.round(m + d, 6) for m, d in zip(shape.middle, (east, north), strict=True))
    heads = ["学校", "经度", "纬度"] if country == "china" else ["school", "longitude", "latitude"]
    places = pd.DataFrame(dict(zip(heads, (names, lon, lat), strict=True)))
    places.to_csv(folder / "points.csv", index=False)


def _american(
    folder: Path,
    shape: Country,
    names: list[str],
    of: np.ndarray,
    pupils: np.ndarray,
    grades: list[str],
    room: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Write a wide table with a title, a nursery and totals, and capacity in a long one."""
    rows = []
    for t, year in enumerate(YEARS):
        nursery = np.where(of == 0, rng.integers(0, 40, len(names)), 0)
        cells = np.nan_to_num(pupils[..., t])
        for name, own, young in zip(names, cells, nursery, strict=True):
            rows.append([name, f"{year}-{(year + 1) % 100:02d}", young, *own, own.sum() + young])
        whole = cells.sum(0)
        rows.append(
            [
                "County Total",
                f"{year}-{(year + 1) % 100:02d}",
                nursery.sum(),
                *whole,
                whole.sum() + nursery.sum(),
            ]
        )
    table = pd.DataFrame(rows, columns=["School", "School Year", "PK", *grades, "Total"])
    numbers = table.columns[2:]
    table[numbers] = table[numbers].astype(int)
    text = "Official membership on 30 September,,\n\n" + table.to_csv(index=False)
    (folder / "enrolment.csv").write_text(text, encoding="utf-8")
    endings = [shape.kinds[k] for k in of]
    short = [
        name.removesuffix(kind.ending) + kind.short
        for name, kind in zip(names, endings, strict=True)
    ]
    long = pd.DataFrame(
        {
            "School": np.repeat(short, 2),
            "Type": np.tile(["State Rated Capacity", "Enrollment"], len(names)),
            "Value": np.stack(
                [room, np.nansum(pupils[..., LATEST], axis=1).astype(int)], axis=1
            ).ravel(),
        }
    )
    long.to_csv(folder / "capacity.csv", index=False)


def _english(
    folder: Path,
    shape: Country,
    names: list[str],
    of: np.ndarray,
    pupils: np.ndarray,
    grades: list[str],
    room: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Write a long table, and capacity under names in capitals."""
    at = np.argwhere(np.isfinite(pupils))
    long = pd.DataFrame(
        {
            "School name": [names[s] for s, _, _ in at],
            "Academic year": [f"{YEARS[t]}{(YEARS[t] + 1) % 100:02d}" for _, _, t in at],
            "Year group": [grades[g] for _, g, _ in at],
            "Number of pupils": pupils[tuple(at.T)].astype(int),
        }
    )
    long.to_csv(folder / "enrolment.csv", index=False)
    capacity = pd.DataFrame({"School name": [name.upper() for name in names], "Places": room})
    capacity.to_csv(folder / "capacity.csv", index=False)


def _chinese(
    folder: Path,
    shape: Country,
    names: list[str],
    of: np.ndarray,
    pupils: np.ndarray,
    grades: list[str],
    room: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Write a wide table in GBK with years as 2019-2020学年, capacity with sector and stage."""
    rows = []
    for t, year in enumerate(YEARS):
        for name, own in zip(names, pupils[..., t], strict=True):
            cells = ["" if np.isnan(cell) else int(cell) for cell in own[1:]]
            rows.append([name, f"{year}-{year + 1}学年", *cells])
    table = pd.DataFrame(rows, columns=["学校", "学年", *grades[1:]])
    table.to_csv(folder / "enrolment.csv", index=False, encoding="gb18030")
    capacity = pd.DataFrame(
        {
            "学校名称": names,
            "学段": np.where(of == 0, "小学", "初中"),
            "办学性质": np.where(rng.random(len(names)) < 0.1, "民办", "公办"),
            "核定学位": room,
        }
    )
    capacity.to_csv(folder / "capacity.csv", index=False, encoding="gb18030")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("country", choices=sorted(COUNTRIES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    make(given.country, given.folder, given.schools, given.seed)


if __name__ == "__main__":
    main()
