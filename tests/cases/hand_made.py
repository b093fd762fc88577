"""A small scenario and a plan of it, every number worked out by hand.

County C is the area `n`, county D the area `d`; junior (grades 7 to 9) is compulsory, beside it
the kindergartens of `n`. Two planned years, 2022 (with a December check) and 2023.

Junior, n: public P over-filled by 10, extended by 50 places on 31 December 2022; private M turns
public on that day. Junior, d: private V sells 30 places, from December 2022 on 50; private X is
phased out in 2022 and shut in 2023 (10 children of grade 9 must go); public Q takes 10 more;
the new school N opens in 2023 and takes 20. Ten children of d attend P in 2023.
One child of three finds no kindergarten in 2023.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_scenario import GRADES, frame, given_tables, settings

import capsim

YEARS = (2021, 2022, 2023)


@dataclass(frozen=True)
class HandDemand:
    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: np.ndarray
    population: np.ndarray


@dataclass(frozen=True)
class HandPlan:
    demand: HandDemand
    tables: dict[str, pd.DataFrame]
    objective_cny: float
    bound_cny: float
    committed_cny: float
    gap: float
    status: str = "optimal"
    solver: str = "by hand"
    extra: dict[str, Any] = field(default_factory=dict)


PUPILS = {
    "P": ((100, 100, 100), (110, 100, 100)),
    "M": ((30, 30, 30), (30, 30, 30)),
    "V": ((50, 50, 50), (40, 50, 50)),
    "X": ((0, 10, 10), (0, 0, 0)),
    "Q": ((50, 40, 40), (40, 50, 40)),
    "KP": ((20, 20, 20), (19, 20, 20)),
    "KI": ((10, 10, 10), (13, 13, 13)),
    "KO": ((10, 10, 10), (7, 7, 7)),
    "N": ((0, 0, 0), (10, 0, 10)),
}
AREA = {"P": "n", "M": "n", "V": "d", "X": "d", "Q": "d", "KP": "n", "KI": "n", "KO": "n", "N": "d"}
SECTOR = {name: "private" if name in ("M", "V", "X", "KI", "KO") else "public" for name in PUPILS}
COUNTY = {"n": "C", "d": "D"}


def chord(classes: float, pupils: float) -> float:
    """Large classes at the mean fill, by hand: the chord between the two ends round it."""
    mean = pupils / classes
    low = 2.5 * (mean // 2.5)

    def tail(mu: float) -> float:
        return 1 - NormalDist().cdf((55.5 - mu) / 5)

    return classes * (tail(low) + (mean - low) / 2.5 * (tail(low + 2.5) - tail(low)))


def school_rows() -> list[tuple[Any, ...]]:
    # pupils, fee, purchased, public, the three in December, seats existing, new, converted,
    # over-filled, large classes, classes
    none = (0, 0, 0)
    figures = {
        ("P", 2022): (300, 0, 0, 300, 0, 0, 300, 290, 0, 0, 10, chord(5.8, 300), 5.8),
        ("P", 2023): (310, 0, 0, 310, 0, 0, 310, 290, 50, 0, 0, chord(6.8, 310), 6.8),
        ("M", 2022): (90, 90, 0, 0, 0, 0, 90, *none, 0, 0, 0),
        ("M", 2023): (90, 0, 0, 90, 0, 0, 90, 0, 0, 120, 0, 0, 0),
        ("V", 2022): (150, 120, 30, 0, 100, 50, 0, *none, 0, 0, 0),
        ("V", 2023): (140, 90, 50, 0, 90, 50, 0, *none, 0, 0, 0),
        ("X", 2022): (20, 20, 0, 0, 20, 0, 0, *none, 0, 0, 0),
        ("X", 2023): (0, 0, 0, 0, 0, 0, 0, *none, 0, 0, 0),
        ("Q", 2022): (130, 0, 0, 130, 0, 0, 130, 150, 0, 0, 0, chord(3, 130), 3),
        ("Q", 2023): (130, 0, 0, 130, 0, 0, 130, 150, 0, 0, 0, chord(3, 130), 3),
        ("KP", 2022): (60, 0, 0, 60, 0, 0, 60, 90, 0, 0, 0, 0, 0),
        ("KP", 2023): (59, 0, 0, 59, 0, 0, 59, 90, 0, 0, 0, 0, 0),
        ("KI", 2022): (30, 30, 0, 0, 30, 0, 0, *none, 0, 0, 0),
        ("KI", 2023): (39, 39, 0, 0, 39, 0, 0, *none, 0, 0, 0),
        ("KO", 2022): (30, 30, 0, 0, 30, 0, 0, *none, 0, 0, 0),
        ("KO", 2023): (21, 21, 0, 0, 21, 0, 0, *none, 0, 0, 0),
        ("N", 2022): (0, 0, 0, 0, 0, 0, 0, *none, 0, 0, 0),
        ("N", 2023): (20, 0, 0, 20, 0, 0, 20, 0, 100, 0, 0, 0, 2),
    }
    return [(*key(name), SECTOR[name], year, *cells) for (name, year), cells in figures.items()]


def key(name: str) -> tuple[str, str, str, str]:
    stage = "kindergarten" if name.startswith("K") else "junior"
    return name, stage, AREA[name], COUNTY[AREA[name]]


def enrolment_rows() -> list[tuple[Any, ...]]:
    rows = []
    for name, by_year in PUPILS.items():
        grades = GRADES[:3] if name.startswith("K") else GRADES[3:]
        for year, numbers in zip((2022, 2023), by_year, strict=True):
            for grade, number in zip(grades, numbers, strict=True):
                displaced = 10.0 if (name, year, grade) == ("X", 2023, "9") else 0.0
                rows.append((*key(name), SECTOR[name], grade, year, float(number), displaced))
    return rows


def flow_rows() -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for year in (2022, 2023):
        for grade in GRADES[:3]:
            placed = 39.0 if (year, grade) == (2023, "K1") else 40.0
            rows.append(("n", "n", "", "kindergarten", grade, year, placed, 0.0, 0.0))
        for grade in GRADES[3:]:
            away = 10.0 if (year, grade) == (2023, "7") else 0.0
            rows.append(("n", "n", "", "junior", grade, year, 130.0, 0.0, 0.0))
            rows.append(("d", "d", "", "junior", grade, year, 100.0 - away, 0.0, 0.0))
            if away:
                rows.append(("d", "n", "", "junior", grade, year, away, 0.0, 5000.0))
    return rows


def cost_rows() -> list[tuple[Any, ...]]:
    share = (300 + 120) / 690
    first = 5e6 * 122.25 / 365.25
    book = 0.5 * 5e6 * (1 - 366 / 365.25 / 50), 0.5 * 8e5 * (1 - 610 / 365.25 / 50)
    figures = {
        # kind, county, year: cost, committed before discounting
        ("capital", "C", 2022): (8e5, 8e5),
        ("capital", "D", 2022): (first, 0),
        ("capital", "D", 2023): (5e6 - first, 0),
        ("running", "C", 2022): (300e3 + 120e3, 390e3 * share + 120e3),
        ("running", "C", 2023): (5e3 + 400e3 + 118e3, 5e3 + 390e3 * share + 120e3),
        ("running", "D", 2022): (130e3, 300e3 * share),
        ("running", "D", 2023): (20e3 + 150e3, 300e3 * share),
        ("staff", "C", 2022): (3e6, 2.7e6),
        ("staff", "C", 2023): (3.5e6 + 350e3, 2.43e6),
        ("staff", "D", 2022): (1.3e6, 1.08e6),
        ("staff", "D", 2023): (1.4e6 + 70e3, 0.972e6),
        ("hiring", "C", 2022): (15e3, 0),
        ("hiring", "C", 2023): (40e3, 0),
        ("hiring", "D", 2022): (11e3, 0),
        ("hiring", "D", 2023): (11.5e3, 0),
        ("purchase", "D", 2022): (5000 * (30 + 20 * 8 / 12), 0),
        ("purchase", "D", 2023): (250e3, 0),
        ("conversion", "C", 2022): (1e5, 0),
        ("conversion", "C", 2023): (1e4, 0),
        ("closure", "D", 2022): (5e4, 0),
        ("travel", "D", 2023): (5e3, 0),
        ("displacement", "D", 2023): (3e4, 0),
        ("overfill", "C", 2022): (2e4, 0),
        ("shortfall", "C", 2023): (2e5, 0),
        ("salvage", "D", 2024): (-book[0], 0),
        ("salvage", "C", 2024): (-book[1], -book[1]),
    }
    discount = {2022: 1.0, 2023: 0.8, 2024: 0.64}
    return [
        (kind, county, year, cost, cost * discount[year], fixed * discount[year])
        for (kind, county, year), (cost, fixed) in figures.items()
    ]


def balance_rows() -> list[tuple[Any, ...]]:
    # children, seats, used, existing used, new used, over-filled, surplus, private, converted,
    # shortfall
    kindergarten, none = ("kindergarten",), (0,) * 10
    return [
        ("n", "C", "junior", 2022, 390, 290, 300, 290, 0, 10, 0, 90, 0, 0),
        ("n", "C", "junior", 2023, 400, 460, 400, 290, 20, 0, 60, 0, 90, 0),
        ("d", "D", "junior", 2022, 300, 150, 130, 130, 0, 0, 20, 170, 0, 0),
        ("d", "D", "junior", 2023, 290, 250, 150, 130, 20, 0, 100, 140, 0, 0),
        ("n", "C", *kindergarten, 2022, 120, 90, 60, 60, 0, 0, 30, 60, 0, 0),
        ("n", "C", *kindergarten, 2023, 119, 90, 59, 59, 0, 0, 31, 60, 0, 1),
        ("d", "D", *kindergarten, 2022, *none),
        ("d", "D", *kindergarten, 2023, *none),
    ]


def large_rows() -> list[tuple[Any, ...]]:
    """Classes and large ones by county; the only compulsory stage is all stages."""
    # In the base year 300 pupils at P, 120 at Q; N's two classes of 10 have no large one.
    figures = {
        ("C", 2021): (5.8, chord(5.8, 300)),
        ("C", 2022): (5.8, chord(5.8, 300)),
        ("C", 2023): (6.8, chord(6.8, 310)),
        ("D", 2021): (3.0, chord(3, 120)),
        ("D", 2022): (3.0, chord(3, 130)),
        ("D", 2023): (5.0, chord(3, 130)),
    }
    for year in YEARS:
        both = zip(figures["C", year], figures["D", year], strict=True)
        classes, large = (one + other for one, other in both)
        figures["*", year] = (classes, large)
    return [
        (
            county,
            stage,
            year,
            *figures[county, year],
            figures[county, year][1] / figures[county, year][0],
        )
        for county in ("*", "C", "D")
        for stage in ("*", "junior")
        for year in YEARS
    ]


LARGE = "share of classes of 56 or more, worst county and stage"


def target_rows() -> list[tuple[Any, ...]]:
    by, large = "2022-12-31", {}
    for year, (classes, pupils) in {2021: (5.8, 300), 2022: (5.8, 300), 2023: (6.8, 310)}.items():
        large[year] = chord(classes, pupils) / classes
    private, base = 270 / 690, large[2021]
    return [
        ("placement", "children without a place, all years", "2023-09-01", 0, 0, 1, False),
        ("reduction", "fall in counted private pupils", "2022-09-01", 0, 30, 40, True),
        ("share-2022", "private share of compulsory enrolment", by, private, 0.2, 120 / 690, True),
        (
            "share-2023",
            "private share of compulsory enrolment",
            "2023-12-31",
            private,
            0.2,
            90 / 690,
            True,
        ),
        ("programme-build", "projects of build in use", by, 0, 1, 1, True),
        ("programme-turn", "projects of turn in use", by, 0, 1, 1, True),
        (
            "kindergarten_enrolment-2022",
            "enrolled of the children of kindergarten age",
            by,
            1,
            0.93,
            1,
            True,
        ),
        (
            "kindergarten_enrolment-2023",
            "enrolled of the children of kindergarten age",
            "2023-12-31",
            1,
            0.93,
            119 / 120,
            True,
        ),
        ("kindergarten_public-2022", "in public kindergartens", by, 0.5, 0.45, 0.5, True),
        (
            "kindergarten_public-2023",
            "in public kindergartens",
            "2023-12-31",
            0.5,
            0.45,
            59 / 119,
            True,
        ),
        (
            "kindergarten_inclusive-2022",
            "in public or inclusive kindergartens",
            by,
            0.75,
            0.8,
            100 / 120,
            True,
        ),
        (
            "kindergarten_inclusive-2023",
            "in public or inclusive kindergartens",
            "2023-12-31",
            0.75,
            0.8,
            98 / 119,
            True,
        ),
        ("large_classes-2022", LARGE, "2022-09-01", base, 0.5, large[2022], True),
        ("large_classes-2023", LARGE, "2023-09-01", base, 0.5, large[2023], True),
    ]


def share_rows() -> list[tuple[Any, ...]]:
    figures = [
        ("*", 2021, 690, 270, 270),
        ("*", 2022, 690, 120, 170),
        ("*", 2023, 690, 90, 140),
        ("C", 2021, 390, 90, 90),
        ("C", 2022, 390, 0, 0),
        ("C", 2023, 400, 0, 0),
        ("D", 2021, 300, 180, 180),
        ("D", 2022, 300, 120, 170),
        ("D", 2023, 290, 90, 140),
    ]
    return [(*row, row[3] / row[2], row[4] / row[2]) for row in figures]


def admission_rows() -> list[tuple[Any, ...]]:
    """First grades by county and school; V has 50 bought among its 150, then among its 140."""
    # sector, base intake, (year, intake, bought); N has no row before it opens.
    figures = {
        "M": (("private", "converted"), 30, (2022, 30, 0), (2023, 30, 0)),
        "P": (("public", "public"), 100, (2022, 100, 0), (2023, 110, 0)),
        "N": (("public",), 0, (2023, 10, 0)),
        "Q": (("public", "public"), 40, (2022, 50, 0), (2023, 40, 0)),
        "V": (("private", "private"), 50, (2022, 50, 17), (2023, 40, 14)),
        "X": (("private", "private"), 10, (2022, 0, 0), (2023, 0, 0)),
    }
    return [
        (COUNTY[AREA[name]], AREA[name], "junior", name, sector, "7", year, base, *numbers)
        for name, (sectors, base, *years) in figures.items()
        for sector, (year, *numbers) in zip(sectors, years, strict=True)
    ]


def commitment_rows() -> list[tuple[Any, ...]]:
    """Counties and years; of 2.2 and 2.3 teachers two are whole, the sums being 5.2 and 7.3."""
    # private before, then, fewer; share; projects, hurried, places, compulsory, given up;
    # conversions, places; purchased, closures; hired, taken over, contract;
    # land; capital, running, staff, hiring,
    # purchase, conversion, closure, other, total; deadline, decision, name
    first = 1_673_511  # 5 million for 122.25 of 365.25 days, and the rest of it
    return [
        (
            *("C", 2022, 90, 0, 90, 0.0, 2, 0, 50, 50, 0, 1, 120, 0, 0, 3, 0, 0, 0.0),
            *(800_000, 420_000, 3_000_000, 15_000, 0, 100_000, 0, 20_000, 4_355_000),
            *("2022-12-31", "convert", "M, junior"),
        ),
        (
            *("C", 2023, 90, 0, 90, 0.0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 3, 5, 0.0),
            *(0, 523_000, 3_850_000, 40_000, 0, 10_000, 0, 0, 4_423_000),
            *("", "", ""),
        ),
        (
            *("D", 2022, 180, 120, 60, 120 / 300, 0, 0, 0, 0, 0, 0, 0, 50, 1, 2, 0, 0, 10.0),
            *(first, 130_000, 1_300_000, 11_000, 216_667, 0, 50_000, 0, first + 1_707_667),
            *("2022-09-01", "buy", "V, junior"),
        ),
        (
            *("D", 2023, 180, 90, 90, 90 / 290, 1, 0, 100, 100, 0, 0, 0, 50, 0, 2, 0, 1, 0.0),
            *(5_000_000 - first, 170_000, 1_470_000, 11_500, 250_000, 0, 0, 35_000),
            *(6_936_500 - first, "2022-08-31", "build", "N"),
        ),
    ]


def plan_tables() -> dict[str, pd.DataFrame]:
    shortfall = []
    for year in (2022, 2023):
        for grade in GRADES:
            stage, number = ("kindergarten", 40.0) if grade[0] == "K" else ("junior", 130.0)
            missed = 1.0 if (year, grade) == (2023, "K1") else 0.0
            shortfall.append(("n", "C", stage, grade, year, number, number - missed, missed))
            number = 0.0 if stage == "kindergarten" else 100.0
            shortfall.append(("d", "D", stage, grade, year, number, number, 0.0))
    return {
        "projects": frame(
            "project area county kind stages programme status copies opens due options "
            "places places_compulsory places_given_up capital_cny land_mu",
            (
                *("N", "d", "D", "new", "junior", "", "candidate", 1, "2023-09-01", ""),
                *("", 100, 100, 0, 5e6, 10),
            ),
            (
                *("E", "n", "C", "extend", "junior", "build", "ordered", 1, "2022-12-31"),
                *("2022-12-31", "", 50, 50, 0, 8e5, 0),
            ),
            (
                *("T", "n", "C", "inclusive_kindergarten", "kindergarten", "turn", "ordered"),
                *(1, "2022-12-31", "2022-12-31", "", 0, 0, 0, 0, 0),
            ),
        ),
        "openings": frame(
            "project opens copies",
            ("N", "2023-09-01", 1),
            ("E", "2022-12-31", 1),
            ("T", "2022-12-31", 1),
        ),
        "conversions": frame(
            "school stage area county conversion converts pupils_base pupils_before places "
            "staff_taken_over cost_cny given_up",
            ("M", "junior", "n", "C", "must", "2022-12-31", 90, 90, 120, 3.0, 1e5, ""),
        ),
        "closures": frame(
            "school stage area county how from_year",
            ("X", "junior", "d", "D", "phase_out", 2022),
            ("X", "junior", "d", "D", "closed", 2023),
        ),
        "purchases": frame(
            "school stage area county school_year contract places_september places_december "
            "price_cny cost_cny",
            ("V", "junior", "d", "D", 2022, 1, 30.0, 50.0, 5000.0, 5000 * (30 + 20 * 8 / 12)),
            ("V", "junior", "d", "D", 2023, 1, 50.0, 50.0, 5000.0, 250e3),
        ),
        "payers": frame(
            "school stage area county grade school_year pupils fee_paying purchased "
            "fee_paying_december purchased_december"
        ),
        "catchments": frame("area county stage from_year school"),
        "campuses": frame("project school stage area county school_year places"),
        "enrolment": frame(
            "school stage area county sector grade school_year pupils displaced", *enrolment_rows()
        ),
        "schools": frame(
            "school stage area county sector school_year pupils fee_paying purchased public "
            "fee_paying_december purchased_december public_december seats_existing seats_new "
            "seats_converted overfilled large_classes classes",
            *school_rows(),
        ),
        "flows": frame(
            "area to_area to_school stage grade school_year pupils boarders cost_cny", *flow_rows()
        ),
        "shortfall": frame(
            "area county stage grade school_year children placed shortfall", *shortfall
        ),
        "staff": frame(
            "county stage school_year need pool hired taken_over from_other_stages "
            "to_other_stages from_other_counties to_other_counties left retired contract surplus",
            ("C", "junior", 2022, 30.0, 30.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0),
            ("C", "junior", 2023, 40.0, 35.0, 5.0, 3.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 5.0, 0.0),
            ("D", "junior", 2022, 13.0, 13.0, 2.2, 0.0, 0.0, 0.0, 0.0, 0.0, 1.2, 0.0, 0.0, 0.0),
            ("D", "junior", 2023, 15.0, 14.0, 2.3, 0.0, 0.0, 0.0, 0.0, 0.0, 1.3, 0.0, 1.0, 0.0),
        ),
        "costs": frame(
            "kind county school_year cost_cny discounted_cny committed_cny", *cost_rows()
        ),
        "balance": frame(
            "area county stage school_year children seats used existing_used new_used overfilled "
            "surplus private converted shortfall",
            *balance_rows(),
        ),
        "shares": frame(
            "county school_year enrolment private_excluding_purchased "
            "private_including_purchased share_excluding_purchased share_including_purchased",
            *share_rows(),
        ),
        "reduction": frame(
            "school_year ordered new_seats converted purchased overfilled existing_seats "
            "fewer_pupils total",
            (2022, 30.0, 0.0, 0.0, 30.0, 0.0, 10.0, 0.0, 40.0),
            (2023, 0.0, 40.0, 90.0, 50.0, -10.0, 10.0, 0.0, 180.0),
        ),
        "limits_used": frame(
            "kind county year used limit binds",
            ("hires", "C", 2022, 3.0, 3.0, True),
            ("hires", "C", 2023, 5.0, 5.0, True),
            # 14 teachers on post, 5 of whom came with the project
            ("posts", "D", 2023, 9.0, 9.0, True),
            ("contract_teachers", "C", 2023, 5.0, 5.0, True),
            # one on contract, where private schools set more than one free
            ("contract_teachers", "D", 2023, 0.0, 0.0, False),
            ("purchase", "D", 2022, 50.0, 50.0, True),
            ("capital", "C", 2022, 8e5, 8e5, True),
            ("capital", "*", 2023, 5e6 * (1 - 122.25 / 365.25), 3.4e6, False),
            ("recurrent", "C", 2023, 4423e3, 4423e3, True),
            ("land", "D", 2022, 10.0, 10.0, True),
        ),
        "large_classes": frame(
            "county stage school_year classes large_classes share", *large_rows()
        ),
        "targets": frame("id what by before required achieved met", *target_rows()),
        "admissions": frame(
            "county area stage school sector grade school_year base_intake intake bought",
            *admission_rows(),
        ),
        "commitments": frame(
            "county school_year private_before private_pupils reduction private_share "
            "projects hurried places places_compulsory places_given_up conversions "
            "converted_places purchased closures hired taken_over contract "
            "land_mu capital_cny running_cny staff_cny hiring_cny "
            "purchase_cny conversion_cny closure_cny other_cny total_cny decide_by decision "
            "decision_name",
            *commitment_rows(),
        ),
    }


@pytest.fixture(scope="session")
def hand_scenario() -> Any:
    return capsim.Scenario.from_tables(settings=settings(), **given_tables())


def hand_demand() -> HandDemand:
    pupils = np.zeros((2, 6, 3))
    pupils[0, :3], pupils[0, 3:], pupils[1, 3:] = 40.0, 130.0, 100.0
    return HandDemand(("n", "d"), GRADES, YEARS, pupils, pupils.copy())


@pytest.fixture
def hand_plan() -> HandPlan:
    tables = plan_tables()
    objective = float(tables["costs"]["discounted_cny"].sum())
    committed = float(tables["costs"]["committed_cny"].sum())
    bound = objective - 1000.0
    return HandPlan(
        demand=hand_demand(),
        tables=tables,
        objective_cny=objective,
        bound_cny=bound,
        committed_cny=committed,
        gap=1000.0 / (objective - committed),
    )
