"""One tiny case for each constraint family: as few schools, grades and years as show its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from county_teachers import counties
from tiny_cases import limit, project, school

import capsim


def case(
    *,
    stage: str = "junior",
    children: Mapping[str, Sequence[float]],
    schools: Sequence[Mapping[str, Any]],
    population: Mapping[int, float] | None = None,
    projects: Sequence[Mapping[str, Any]] = (),
    limits: Sequence[Mapping[str, Any]] = (),
    links: Sequence[Mapping[str, Any]] = (),
    rolls: Sequence[tuple[str, str, float]] = (),
    borders: Sequence[tuple[str, str]] = (),
    areas: Mapping[str, str] | None = None,
    **sections: Any,
) -> capsim.Scenario:
    """Areas (one ``town`` of county ``C`` unless said) and one stage of 50-pupil classes.

    ``children`` are of every area, by grade: base year 2021, then the planned years.
    """
    places = areas or {"town": "C"}
    tables = {
        "areas": pd.DataFrame({"area": list(places), "county": list(places.values())}),
        "forecast": pd.DataFrame(
            [
                {"area": area, "grade": grade, "school_year": 2021 + t, "pupils": float(number)}
                for area in places
                for grade, numbers in children.items()
                for t, number in enumerate(numbers)
            ]
        ),
        "schools": pd.DataFrame([{**row, "stage": stage} for row in schools]),
        "projects": pd.DataFrame([{**row, "stage": stage} for row in projects]),
        "limits": pd.DataFrame(list(limits)),
        "links": pd.DataFrame(list(links)),
        "rolls": pd.DataFrame(rolls, columns=["school", "grade", "pupils"]).assign(stage=stage),
        "borders": pd.DataFrame(borders, columns=["area", "to_area"]),
        "births": pd.DataFrame(
            [
                {"area": area, "year": year, "births": births}
                for area in places
                for year, births in (population or {}).items()
            ]
        ),
    }
    years = len(next(iter(children.values())))
    size = {"class_size": 50, "class_ceiling": 55, "large_class": 56, "very_large_class": 66}
    size |= {"pupils_per_post": 20, "allowance_cny": 1000}
    extra = sections.pop("standards", {}).get(stage, {})
    settings = {
        "name": "golden",
        "horizon": {"base_year": 2021, "last_year": 2020 + years},
        "stages": {"planned": [stage], "compulsory": ["junior"]},
        "standards": {stage: {"grades": list(children), **size, **extra}},
        "costs": {"discount_rate": 0.0},
        **sections,
    }
    filled = {name: table for name, table in tables.items() if len(table)}
    return capsim.Scenario.from_tables(settings=settings, **filled)


PUBLIC = school("P", "public", 60, 60)
PRIVATE = school("V", "private", 50, 40, conversion="may", staff=4.0)
SELLER = school(
    *("V", "private", 50, 50), conversion="may", purchasable_places=30, purchase_min_places=10
)


def placement() -> capsim.Scenario:
    """Two towns; from the west one may go to school P in the east, 3 km away."""
    return case(
        areas={"east": "C", "west": "C"},
        children={"7": (60, 80)},
        schools=[{**PUBLIC, "area": "east"}, {**PRIVATE, "area": "east"}],
        links=[{"area": "west", "to_area": "", "to_school": "P", "stage": "", "km": 3.0}],
    )


def seats() -> capsim.Scenario:
    """A public school that can be extended, a private one that can be converted or close."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[PUBLIC, {**PRIVATE, "min_pupils": 20}],
        projects=[project("E", 20, 1e6, "2022-09-01", kind="extend", school="P", life_years=1)],
    )


def seats_of_kindergartens() -> capsim.Scenario:
    """8 children of a private kindergarten go where it turns inclusive, to the inclusive pool."""
    return case(
        stage="kindergarten",
        children={"K3": (50, 50)},
        schools=[
            school("I", "private", 30, 30, inclusive="yes"),
            school("V", "private", 25, 20),
        ],
        projects=[
            project("T", 0, 1e5, "2022-09-01", kind="inclusive_kindergarten", school="V", pupils=8),
        ],
    )


def admission() -> capsim.Scenario:
    """A private school of two grades that admits 25 a year, may convert or be phased out."""
    return case(
        children={"7": (40, 40, 40), "8": (40, 40, 40)},
        schools=[{**PRIVATE, "pupils": 40, "admission_plan": 25, "min_pupils": 20}],
    )


def intake() -> capsim.Scenario:
    """40 children in grade 7, then 60, then 30; V may admit a quarter more, P changes by a fifth.

    20 places more at P are there for one year, and 15 may be given up.
    """
    return case(
        children={"7": (40, 40, 60, 30), "8": (40, 40, 40, 60)},
        schools=[PUBLIC, PRIVATE],
        projects=[
            project("E", 20, 1e6, "2022-09-01", kind="extend", school="P", life_years=1),
            project("C", 0, 0, "2023-09-01", kind="close", school="P", places_given_up=15),
        ],
        rolls=[("V", "7", 22.0), ("V", "8", 18.0)],
        policy={"intake_rise_share": 0.25, "public_swing_share": 0.2},
    )


def intake_of_kindergartens() -> capsim.Scenario:
    """100 children, then 80, then 100: pupils change by a tenth; one is built, one turns in 2023.

    Of the public kindergarten 5 places may be given up.
    """
    return case(
        stage="kindergarten",
        children={"K3": (100, 100, 80, 100)},
        schools=[
            school("P", "public", 50, 50),
            school("I", "private", 30, 30, inclusive="yes"),
            school("V", "private", 20, 20),
        ],
        projects=[
            project("N", 25, 1e6, "2022-09-01", kind="extend", school="P"),
            project("T", 0, 1e5, "2023-09-01", kind="inclusive_kindergarten", school="V", pupils=8),
            project("C", 0, 0, "2023-09-01", kind="close", school="P", places_given_up=5),
        ],
        policy={"noncompulsory_swing_share": 0.1},
    )


def continuity() -> capsim.Scenario:
    """Of 40 children in grade 7 there are 36 in grade 8 a year later, then all of them."""
    return case(
        children={"7": (40, 40, 40), "8": (40, 36, 40)},
        schools=[PRIVATE],
        rolls=[("V", "7", 22.0), ("V", "8", 18.0)],
    )


def conversion() -> capsim.Scenario:
    """31 December 2022 is a check date, for the cap steps in 2022."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[PRIVATE],
        policy={"private_share_cap": {2022: 0.2}, "conversion_latest_year": 2022},
    )


def handover() -> capsim.Scenario:
    """Of those who move up 90 % stay, 9 a year are admitted, teachers come with the pupils."""
    return case(
        children={"7": (40, 40, 40), "8": (40, 36, 40)},
        schools=[{**PRIVATE, "places": 36, "admission_plan": 20}],
        rolls=[("V", "7", 22.0), ("V", "8", 18.0)],
        policy={
            "conversion_keep_share": 0.9,
            "conversion_intake_share": 0.5,
            "takeover_by_pupils": True,
            "conversion_least_years": 2,
            "decision_years": [2022],
        },
    )


def opening() -> capsim.Scenario:
    """An ordered project due by the end of 2022 and a candidate of two copies."""
    return case(
        children={"7": (60, 60, 60)},
        schools=[PUBLIC],
        projects=[
            project("N", 30, 1e6, "2022-09-01", count=2),
            project("D", 30, 1e6, "2022-09-01", status="ordered", due="2022-12-31", programme="B"),
        ],
        programmes={"B": {"number": 1, "by": "2022-12-31"}},
    )


def closure() -> capsim.Scenario:
    """A school of 22 and 18 pupils that must close below 20 (half), if it does not convert.

    It closes at once after a year without intake; till then it keeps 75 % of those who move up.
    Before it has fewer than 10 (a quarter) left it closes.
    """
    return case(
        children={"7": (60, 60, 60), "8": (60, 60, 60)},
        schools=[{**PRIVATE, "min_pupils": 10}],
        rolls=[("V", "7", 22.0), ("V", "8", 18.0)],
        policy={
            "least_size_share": 0.5,
            "closing_notice_years": 1,
            "keep_share": 0.75,
            "closing_size_share": 0.25,
            "decision_years": [2022],
        },
    )


def purchase() -> capsim.Scenario:
    """10 to 30 places for at least two years; 25 in the county; 20 % of the children."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[{**SELLER, "min_pupils": 5}],
        limits=[limit("purchase", 2022, 25.0)],
        policy={
            "private_share_cap": {2022: 0.3},
            "contract_years": 2,
            "contract_fall_share": 0.25,
            "purchase_ceiling_share": 0.2,
        },
    )


def following() -> capsim.Scenario:
    """Two grades, 30 places for sale, of 30 a grade who are there; 31 December 2022 is a date."""
    return case(
        children={"7": (60, 60, 60), "8": (60, 60, 54)},
        schools=[{**SELLER, "pupils": 60}],
        policy={"private_share_cap": {2022: 0.3}, "purchase_follows_child": True},
    )


def public_first() -> capsim.Scenario:
    """Places for sale in the east, public seats there and 3 km off; 5 % of classes may be large."""
    near = project("E", 20, 1e6, "2023-09-01", kind="extend", school="Q", area="west")
    return case(
        areas={"east": "C", "west": "D"},
        children={"7": (60, 60, 60)},
        schools=[
            {**SELLER, "area": "east"},
            {**PUBLIC, "area": "east"},
            {**PUBLIC, "school": "Q", "area": "west"},
        ],
        projects=[near],
        links=[{"area": "east", "to_area": "west", "to_school": "", "stage": "", "km": 3.0}],
        limits=[
            limit("contract_teachers", 2022, 0.0, "C"),
            limit("hires", 2022, 1.0, "C"),
            limit("contract_teachers", 2022, 0.0, "D"),
            limit("posts", 2022, 5.0, "D"),
        ],
        policy={"public_seats_first_km": 3, "large_class_share": {2022: 0.05}},
    )


def share() -> capsim.Scenario:
    """At most 30 % private on 31 December 2022, and from then on."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[PUBLIC, SELLER],
        policy={"private_share_cap": {2022: 0.3}},
    )


def reduction() -> capsim.Scenario:
    """Of 50 pupils of private schools 30 must leave by 1 September 2022; bought ones count."""
    return case(
        children={"7": (100, 100)},
        schools=[PUBLIC, SELLER],
        policy={"reduction": 30, "purchased_counts_as_private": True},
    )


def programme() -> capsim.Scenario:
    """Two of a project's three copies and another by 31 December 2022: two in all."""
    dated = {"status": "ordered", "due": "2023-09-01", "programme": "build"}
    return case(
        children={"7": (60, 60, 60)},
        schools=[PUBLIC],
        projects=[
            project("N", 30, 1e6, "2022-09-01", count=3, **dated),
            project("D", 30, 1e6, "2022-09-01", **dated),
        ],
        programmes={"build": {"number": 2, "by": "2022-12-31"}},
    )


def choice() -> capsim.Scenario:
    """Of three copies and two more candidates exactly two by 2022, and one of one's own at most."""
    return case(
        children={"7": (60, 60, 60)},
        schools=[PUBLIC],
        projects=[
            project("N", 30, 1e6, "2022-09-01", count=3),
            project("D", 30, 1e6, "2022-09-01"),
            project("E", 20, 1e6, "2023-09-01", kind="extend", school="P"),
        ],
        choices={
            "sites": {"kinds": ["new"], "least": 2, "most": 2, "by": "2022-12-31"},
            "either": {"projects": ["D", "E"], "most": 1},
        },
    )


def fill() -> capsim.Scenario:
    """Nine tenths of the seats from 2023 on: of a school, of what closes of it, of what opens."""
    return case(
        children={"7": (60, 60, 60)},
        schools=[PUBLIC, PRIVATE],
        projects=[
            project("N", 30, 1e6, "2023-09-01"),
            project("C", 0, 0, "2023-09-01", kind="close", school="P", places_given_up=15),
        ],
        policy={"public_fill_share": {2023: 0.9}},
    )


def money() -> capsim.Scenario:
    """Capital of 7 million paid in a year before it opens; running costs, allowances, teachers."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[{**PUBLIC, "staff": 3.0}],
        projects=[project("N", 40, 7e6, "2022-09-01", build_months=12, running_cny=2e5)],
        limits=[
            limit("capital", 2022, 6e6),
            limit("capital", 2023, 5e6),
            limit("recurrent", 2022, 1e6),
        ],
    )


def land() -> capsim.Scenario:
    """10 mu, taken up when building starts, a year before the opening; 6 mu a year."""
    return case(
        children={"7": (60, 60, 60, 60)},
        schools=[PUBLIC],
        projects=[project("N", 30, 1e6, "2023-09-01", build_months=12, land_mu=10.0)],
        limits=[limit("land", 2022, 6.0), limit("land", 2023, 6.0)],
    )


def staff() -> capsim.Scenario:
    """A teacher for 20 pupils: on post, hired, taken over, on contract; places are for sale."""
    return case(
        children={"7": (100, 100, 100)},
        schools=[{**PUBLIC, "staff": 3.0}, {**PRIVATE, "purchasable_places": 20}],
        projects=[project("N", 40, 1e6, "2022-09-01", posts=2.0)],
        limits=[
            limit("hires", 2022, 1.0),
            limit("posts", 2022, 5.0),
            limit("contract_teachers", 2022, 0.5),
        ],
        staff={"attrition": 0.1, "stages": ["junior"]},
        policy={"public_seats_first_km": 0},
    )


def staff_of_stages() -> capsim.Scenario:
    """A tenth leaves a year; teachers of primary pupils may go to the junior stage."""
    return counties(
        areas={"town": "C"},
        children={("town", "primary"): (80, 80), ("town", "junior"): (80, 80)},
        teachers={("town", "primary"): 6.0, ("town", "junior"): 2.0},
        limits=[("C", "hires", 2022, 1.0)],
        staff={"attrition": 0.1, "stages": ["primary", "junior"]},
    )


def staff_of_counties() -> capsim.Scenario:
    """Teachers of town may teach in port for 20,000 RMB; a year at most a tenth of them go."""
    return counties(
        children={("town", "junior"): (80, 80), ("port", "junior"): (80, 80)},
        teachers={("town", "junior"): 6.0, ("port", "junior"): 2.0},
        costs={"county_move_cny": 20_000},
        staff={"attrition": 0.06, "retirement": 0.04, "county_move_share": 0.1}
        | {"stages": ["junior"]},
    )


def kindergarten() -> capsim.Scenario:
    """Half public, 30 % inclusive, 20 % other; one may be built, one may turn inclusive."""
    return case(
        stage="kindergarten",
        children={"K3": (100, 100)},
        schools=[
            school("P", "public", 50, 50),
            school("I", "private", 30, 30, inclusive="yes"),
            school("V", "private", 20, 20),
        ],
        projects=[
            project("N", 25, 1e6, "2022-09-01"),
            project("T", 0, 1e5, "2022-09-01", kind="inclusive_kindergarten", school="V", pupils=8),
        ],
    )


def floors() -> capsim.Scenario:
    """90 % of 120 children enrolled, 60 % public, 80 % public or inclusive, by 31 December."""
    return case(
        stage="kindergarten",
        children={"K3": (100, 110)},
        population={2016: 120.0, 2017: 120.0},
        schools=[
            school("P", "public", 50, 50),
            school("I", "private", 30, 30, inclusive="yes"),
            school("V", "private", 20, 20),
        ],
        projects=[
            project(
                *("T", 0, 1e5, "2022-09-01"),
                **{"kind": "inclusive_kindergarten", "school": "V", "pupils": 8},
                **{"status": "ordered", "due": "2022-12-31"},
            ),
        ],
        floors={
            "kindergarten_enrolment": {2022: 0.9},
            "kindergarten_public": {2022: 0.6},
            "kindergarten_inclusive": {2022: 0.8},
        },
        demand={"entry_age": {"kindergarten": 5}},
    )


def floors_of_seniors() -> capsim.Scenario:
    """90 % of the 120 of the age enrolled, where 110 come: at most 2 may lack a place."""
    return case(
        stage="senior",
        children={"10": (100, 110)},
        population={2006: 120.0, 2007: 120.0},
        schools=[school("P", "public", 100, 100)],
        floors={"senior_enrolment": {2022: 0.9}},
    )


def class_size() -> capsim.Scenario:
    """At most 10 % large classes: of two, or of three where the school is extended."""
    return case(
        children={"7": (100, 100)},
        schools=[school("P", "public", 100, 100)],
        projects=[project("E", 50, 1e6, "2022-09-01", kind="extend", school="P")],
        policy={"large_class_share": {2022: 0.10}, "class_size_sd": 5.0},
    )


def boarding() -> capsim.Scenario:
    """12 km to the east are too far, and in grade 7 nobody boards; E brings 10 beds to P."""
    far = {"area": "west", "km": 12.0}
    return case(
        areas={"east": "C", "west": "C"},
        children={"7": (60, 80), "8": (60, 80)},
        schools=[
            {**PUBLIC, "area": "east", "boarding_places": 5},
            {**PRIVATE, "area": "east", "boarding_places": 3},
        ],
        projects=[
            project("E", 30, 1e6, "2022-09-01", kind="extend", school="P", boarding_places=10)
            | {"area": "east"}
        ],
        links=[
            {**far, "to_area": "", "to_school": "P", "stage": ""},
            {**far, "to_area": "east", "to_school": "", "stage": ""},
        ],
        standards={"junior": {"boards_from_year": 2}},
        travel={"day_km": {"junior": 10.0}},
    )


def catchment() -> capsim.Scenario:
    """P in the east, Q in the west; the middle lies between them, the hill beyond it."""
    areas = ("east", "middle", "hill", "west")
    home = {"P": "east", "Q": "west"}
    links = [
        {"area": area, "to_area": "", "to_school": name, "stage": "", "km": 1.0}
        for area in areas
        for name in home
        if (area, name) != ("east", "Q")
    ]
    return case(
        areas=dict.fromkeys(areas, "C"),
        children={"7": (10, 20), "8": (10, 10)},
        schools=[{**PUBLIC, "school": name, "area": area} for name, area in home.items()],
        links=links,
        borders=[("east", "middle"), ("middle", "hill"), ("middle", "west")],
        catchments={"stages": ["junior"]},
    )


def campus() -> capsim.Scenario:
    """P and a school of its own share a campus: it has 60 places for one, or 40 for the other."""
    whole = {"kind": "nine_year", "status": "candidate", "area": "town", "capital_cny": 1e6}
    whole |= {"project": "N", "earliest_opening": "2022-09-01"}
    return case(
        children={"7": (60, 60, 60)},
        schools=[PUBLIC],
        projects=[
            {**whole, "school": "P", "places": 60.0, "places_given_up": 30.0, "life_years": 1},
            {**whole, "school": "", "places": 40.0},
        ],
    )


CASES: dict[str, Callable[[], capsim.Scenario]] = {
    make.__name__: make
    for make in (
        *(
            placement,
            seats,
            seats_of_kindergartens,
            admission,
            intake,
            intake_of_kindergartens,
            continuity,
            conversion,
            opening,
        ),
        *(
            handover,
            closure,
            purchase,
            following,
            public_first,
            share,
            reduction,
            programme,
            choice,
            money,
            land,
            staff,
            staff_of_stages,
            staff_of_counties,
            kindergarten,
            floors,
            floors_of_seniors,
            class_size,
            fill,
            boarding,
            catchment,
            campus,
        ),
    )
}
"""By the name of the family, or that and more; ``opening`` has no switch."""
